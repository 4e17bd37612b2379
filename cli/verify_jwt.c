/* SPDX-License-Identifier: GPL-2.0-or-later
 * JSON Web Tokens. */
#include <string.h>

#include "cli/verify.h"
#include "core/json.h"
#include "core/time.h"
#include "token/replay.h"

static bool any_audience(const void *context, fg_str_t audience) {
    (void)context, (void)audience;
    return true;
}

static bool relax(fg_verify_t *v, fg_jwt_trust_t *trust, fg_check_t failed) {
    switch (failed) {
    case FG_CHECK_ISSUER:
        trust->issuer = fg_facts_get(v->facts, "issuer");
        return trust->issuer.n > 0;
    case FG_CHECK_TIMES:
        trust->skew_ms = INT64_C(200) * 365 * FG_DAY;
        trust->max_lifetime_ms = 0;
        return fg_facts_get(v->facts, "not_on_or_after").p != NULL;
    case FG_CHECK_AUDIENCE:
        trust->is_audience = any_audience;
        return fg_facts_get(v->facts, "audience").p != NULL;
    default:
        return false;
    }
}

/* OpenID Connect core §3.1.3.7 (11): what was sent comes back. */
static void check_nonce(fg_verify_t *v, const fg_jwt_read_t *read) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t nonce = fg_json_string(read->payload, "nonce");
    if (v->nonce.p == NULL || fg_str_eq(v->nonce, nonce))
        return;
    FG_FAIL_FOR(&err, FG_E_OPENID_REQUEST, FG_R_REQUEST_MISMATCH, "nonce is \"%.*s\", not \"%.*s\"", FG_STR_ARG(nonce),
                FG_STR_ARG(v->nonce));
    fg_verify_fail(v, &err);
}

static void check_replay(fg_verify_t *v, const fg_jwt_read_t *read) {
    fg_err_t err = FG_ERR_INIT;
    if (read->id.n > 0 && !fg_replay_check(&v->env, "assertion", read->identity.issuer, read->id,
                                           read->not_on_or_after_ms, FG_E_TOKEN_REPLAY, &err))
        fg_verify_fail(v, &err);
}

static void note_what_is_missing(fg_verify_t *v) {
    if (v->issuer.n == 0 && v->trust.issuer.n == 0)
        fg_verify_not_checked(v, FG_CHECK_ISSUER, "give --issuer, or a partner as --trust");
    if (v->audience_count == 0)
        fg_verify_not_checked(v, FG_CHECK_AUDIENCE, "give --audience");
    if (v->nonce.p == NULL)
        fg_verify_not_checked(v, FG_CHECK_REQUEST, "give --nonce");
    if (v->subject->kind != FG_PIECE_JWE)
        fg_verify_not_checked(v, FG_CHECK_ENCRYPTION, "it is not encrypted");
    fg_verify_not_checked(v, FG_CHECK_DESTINATION, "a JWT has none");
    fg_verify_not_checked(v, FG_CHECK_RECIPIENT, "a JWT has none");
    fg_verify_not_checked(v, FG_CHECK_POLICY, "give --for and --config");
}

/* RFC 7519 §5.2: the signed token, which may stand in an encrypted one.  .p NULL: *err says why. */
static fg_str_t find_signed(const fg_verify_t *v, fg_err_t *err) {
    const fg_piece_t *inner = v->subject->first;
    if (v->subject->kind != FG_PIECE_JWE)
        return v->subject->bytes;
    if (v->decryption.key_count == 0)
        FG_FAIL_FOR(err, FG_E_DECRYPT, FG_R_ENCRYPTION_NO_KEY, "a JWE: give its recipient's key by --decrypt-key");
    else if (v->subject->err.code != FG_OK)
        *err = v->subject->err;
    else if (inner == NULL || inner->kind != FG_PIECE_JWT)
        FG_FAIL_FOR(err, FG_E_SIG_MISSING, FG_R_SIGNATURE_MISSING, "what is encrypted is no signed token");
    else
        return inner->bytes;
    return FG_STR_NONE;
}

void fg_verify_jwt(fg_verify_t *v) {
    const fg_jwk_set_t set = {v->trust.jwks, v->trust.jwk_count};
    fg_err_t err = FG_ERR_INIT;
    const fg_str_t token = find_signed(v, &err);
    if (token.p == NULL) {
        fg_verify_fail(v, &err);
        return;
    }
    fg_jwt_trust_t trust = {
        .issuer = v->issuer.n > 0 ? v->issuer : v->trust.issuer,
        .keys = &set,
        .audiences = v->audiences,
        .audience_count = v->audience_count,
        .is_audience = v->audience_count == 0 ? any_audience : NULL,
        .skew_ms = v->skew_ms,
        .max_lifetime_ms = v->trust.max_lifetime_ms,
    };
    if (trust.issuer.n == 0)
        trust.issuer = fg_facts_get(v->facts, "issuer");
    note_what_is_missing(v);
    v->in_order = true;
    for (unsigned round = 0; round < FG_CHECKS; round++) {
        fg_jwt_read_t read;
        err = (fg_err_t)FG_ERR_INIT;
        if (fg_jwt_read(&v->env, v->arena, token, &trust, &read, &err)) {
            check_nonce(v, &read);
            check_replay(v, &read);
            fg_verify_keep(v, &read.identity);
            fg_verify_passed(v, FG_CHECK_REPLAY);
            return;
        }
        fg_check_t failed = fg_check_of(fg_reason_of(&err)->reason);
        bool again = v->checks[failed].outcome == FG_OUTCOME_FAILED;
        fg_verify_fail(v, &err);
        if (again || !relax(v, &trust, failed))
            return;
    }
}
