/* SPDX-License-Identifier: GPL-2.0-or-later
 * Positive assertions of OpenID 2.0, by the functions that the gateway calls (bridges/openid/openid2_answer.c). */
#include <string.h>

#include "bridges/openid/openid2_association.h"
#include "bridges/openid/openid2_round.h"
#include "cli/verify.h"
#include "token/replay.h"

#define NONCE_LIFE (600 * 1000)

static bool check_mode(const fg_openid2_message_t *message, fg_err_t *err) {
    fg_str_t mode = fg_openid2_get(message, "mode");
    return fg_str_is(mode, "id_res") ||
           FG_FAIL(err, FG_E_OPENID2_ANSWER, "mode \"%.*s\" is no positive assertion", FG_STR_ARG(mode));
}

static bool check_return_to(const fg_verify_t *v, const fg_openid2_message_t *message, fg_err_t *err) {
    fg_str_t said = fg_openid2_get(message, "return_to");
    return v->recipient.p == NULL || fg_str_eq(said, v->recipient) ||
           FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_OPENID_RETURN_TO_MISMATCH,
                       "return_to \"%.*s\" is not this address", FG_STR_ARG(said));
}

/* The association's secret tells which MAC it is by its length (§6.2). */
static bool check_signature(fg_verify_t *v, const fg_openid2_message_t *message, fg_err_t *err) {
    fg_openid2_association_t association = {.mac = v->secret.n == FG_SHA1_SIZE ? FG_OPENID2_HMAC_SHA1 : FG_OPENID2_HMAC_SHA256};
    if (v->secret.n == 0)
        return true;
    if (v->secret.n != fg_openid2_mac_size(association.mac))
        return FG_FAIL(err, FG_E_SIG_KEY, "a secret of %zu bytes: 20 or 32 are expected", v->secret.n);
    memcpy(association.secret, v->secret.p, v->secret.n);
    return fg_openid2_verify(message, &association) ||
           FG_FAIL_FOR(err, FG_E_OPENID2_ANSWER, FG_R_SIGNATURE_VALUE_MISMATCH, "the signature does not fit");
}

/* Those that were seen before (--seen) are noted by the nonce alone. */
static bool check_nonce(fg_verify_t *v, const fg_openid2_message_t *message, fg_err_t *err) {
    int64_t made;
    fg_str_t nonce = fg_openid2_get(message, "response_nonce"), endpoint = fg_openid2_get(message, "op_endpoint");
    return fg_openid2_check_nonce(v->ex, nonce, endpoint, &made, err) &&
           fg_replay_check(&v->env, "assertion", FG_STR_NONE, nonce, fg_now(&v->env) + NONCE_LIFE, FG_E_TOKEN_REPLAY,
                           err);
}

static void note_what_is_missing(fg_verify_t *v) {
    if (v->secret.n == 0) {
        fg_verify_not_checked(v, FG_CHECK_KEY, "give --secret, the association's");
        fg_verify_not_checked(v, FG_CHECK_SIGNATURE, "give --secret; the gateway asks the provider where it has none");
    }
    if (v->issuer.n == 0)
        fg_verify_not_checked(v, FG_CHECK_ISSUER, "give --issuer, the provider's endpoint");
    if (v->recipient.p == NULL)
        fg_verify_not_checked(v, FG_CHECK_RECIPIENT, "give --recipient, the address at which it arrived");
    fg_verify_not_checked(v, FG_CHECK_ENCRYPTION, "OpenID 2.0 has none");
    fg_verify_not_checked(v, FG_CHECK_DIGEST, "OpenID 2.0 has none");
    fg_verify_not_checked(v, FG_CHECK_DESTINATION, "OpenID 2.0 has none");
    fg_verify_not_checked(v, FG_CHECK_AUDIENCE, "return_to stands for it");
    fg_verify_not_checked(v, FG_CHECK_CONDITIONS, "OpenID 2.0 has none");
    fg_verify_not_checked(v, FG_CHECK_CONFIRMATION, "the gateway asks the identifier who may vouch for it");
    fg_verify_not_checked(v, FG_CHECK_REQUEST, "it is sealed in return_to");
    fg_verify_not_checked(v, FG_CHECK_POLICY, "see 'fedgate policy explain'");
}

void fg_verify_openid2(fg_verify_t *v) {
    fg_openid2_message_t message;
    fg_err_t err = FG_ERR_INIT;
    note_what_is_missing(v);
    if (!fg_openid2_message_read(v->ex, &v->subject->params, FG_E_OPENID2_ANSWER, &message, &err) ||
        !check_mode(&message, &err)) {
        fg_verify_fail(v, &err);
        return;
    }
    const fg_openid2_service_t service = {
        .endpoint = v->issuer.n > 0 ? v->issuer : fg_openid2_get(&message, "op_endpoint"), .v2 = message.v2};
    if (!check_return_to(v, &message, &err) || !fg_openid2_check_signed(&message, &service, &err) ||
        !check_signature(v, &message, &err) || (message.v2 && !check_nonce(v, &message, &err)))
        fg_verify_fail(v, &err);
    else
        fg_verify_passed(v, FG_CHECK_REPLAY);
}
