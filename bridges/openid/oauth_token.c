/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The token endpoint (RFC 6749 §3.2): which client, what it brings, what it gets. */
#include "bridges/openid/oauth_client.h"
#include "bridges/openid/oauth_trade.h"
#include "bridges/openid/oidc_token.h"
#include "core/time.h"

#define VERIFIER_MIN 43u /* RFC 7636 §4.1 */
#define VERIFIER_MAX 128u

/* ---- a code (RFC 6749 §4.1.3) */

/* RFC 7636 §4.6.  A verifier without a challenge shows that somebody took the challenge away (RFC 9700 §2.1.1; OI-03).
 */
static bool check_verifier(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_str_t verifier = fg_oauth_trade_get(trade, "code_verifier"), challenge = trade->grant.challenge;
    unsigned char digest[FG_SHA256_SIZE];
    fg_buf_t text = FG_BUF_INIT(64);
    (void)ex;
    if (challenge.n == 0)
        return verifier.p == NULL || FG_FAIL(err, FG_E_OPENID_GRANT, "code_verifier without a challenge");
    if (verifier.n < VERIFIER_MIN || verifier.n > VERIFIER_MAX)
        return FG_FAIL(err, FG_E_OPENID_GRANT, "code_verifier of %zu bytes", verifier.n);
    fg_sha256(verifier.p, verifier.n, digest);
    fg_base64url_encode(&text, digest, sizeof digest);
    bool same = fg_buf_ok(&text) && fg_equal_secret(fg_buf_str(&text), challenge);
    fg_buf_free(&text);
    return same || FG_FAIL(err, FG_E_OPENID_GRANT, "code_verifier does not fit");
}

static bool check_code(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_str_t redirect = fg_oauth_trade_get(trade, "redirect_uri");
    if (!fg_str_eq(trade->grant.client_id, trade->client->id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "a code of client \"%.*s\"", FG_STR_ARG(trade->grant.client_id));
    /* OAuth 2.1 leaves redirect_uri out where PKCE binds the code */
    bool bound = redirect.p == NULL && trade->grant.challenge.n > 0;
    if (!bound && !fg_str_eq(redirect, trade->grant.redirect_uri))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "redirect_uri is not the one of the request");
    if (!fg_openid_word_in(trade->grant.scope, "offline_access") && fg_session_is_ended(ex, trade->grant.session.id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "the session ended meanwhile");
    if (trade->grant.key.n > 0 && !fg_str_eq(trade->grant.key, trade->holder.key)) /* RFC 9449 §10 */
        return FG_FAIL(err, FG_E_OPENID_GRANT, "the code is tied to another key");
    return check_verifier(ex, trade, err);
}

/* Nobody but its key shows that a public client is still the same (RFC 9449 §5). */
bool fg_oauth_trade_tie(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    bool wanted = fg_openid_client_is_public(trade->client) && trade->holder.key.n > 0;
    return !wanted || fg_str_eq(trade->grant.key, trade->holder.key) ||
           fg_oauth_grant_tie(ex, &trade->grant, trade->holder.key, err);
}

static bool take_code(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    if (!fg_oauth_code_take(ex, fg_oauth_trade_get(trade, "code"), &trade->grant, err))
        return false;
    if (check_code(ex, trade, err))
        return fg_oauth_trade_tie(ex, trade, err) && fg_oauth_give_granted(ex, trade, err);
    fg_oauth_grant_revoke(ex, &trade->grant, "code of another, or not bound to it"); /* OI-04 */
    return false;
}

/* ---- a refresh token (RFC 6749 §6) */

/* What was granted, or less. */
static bool narrow_scope(fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_str_t wanted = fg_oauth_trade_get(trade, "scope"), rest = wanted;
    if (wanted.n == 0)
        return true;
    for (fg_str_t word = fg_openid_next_word(&rest); word.n > 0; word = fg_openid_next_word(&rest)) {
        fg_str_t granted = trade->grant.scope;
        fg_str_t next = fg_openid_next_word(&granted);
        while (next.n > 0 && !fg_str_eq(next, word))
            next = fg_openid_next_word(&granted);
        if (next.n == 0)
            return FG_FAIL(err, FG_E_OPENID_SCOPE, "scope \"%.*s\" was not granted", FG_STR_ARG(word));
    }
    trade->grant.scope = wanted;
    return true;
}

static bool check_refresh(const fg_oauth_trade_t *trade, fg_err_t *err) {
    const fg_oauth_grant_t *grant = &trade->grant;
    if (!fg_str_eq(grant->client_id, trade->client->id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "a refresh token of client \"%.*s\"", FG_STR_ARG(grant->client_id));
    bool tied = fg_openid_client_is_public(trade->client) && grant->key.n > 0;
    return !tied || fg_str_eq(grant->key, trade->holder.key) ||
           FG_FAIL(err, FG_E_OPENID_GRANT, "the refresh token is tied to another key");
}

/* Whether the provider of the person still vouches, as long as the refresh token is good: what comes too early, or too
 * late, is for fg_oauth_refresh_take() to judge.  *fresh: what is known of the person now; NULL: as before. */
static bool ask_upstream(fg_exchange_t *ex, fg_oauth_trade_t *trade, const fg_identity_t **fresh, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    *fresh = NULL;
    if (!fg_oauth_refresh_look(ex, fg_oauth_trade_get(trade, "refresh_token"), &trade->grant, &why) ||
        !check_refresh(trade, &why) || fg_oidc_rp_renew(ex, &trade->grant.session, fresh, err))
        return true;
    if (err->code == FG_E_OPENID_GRANT)
        fg_oauth_grant_revoke(ex, &trade->grant, "its identity provider does not vouch any more");
    return false;
}

static bool take_refresh(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    const fg_identity_t *fresh;
    if (!ask_upstream(ex, trade, &fresh, err) ||
        !fg_oauth_refresh_take(ex, fg_oauth_trade_get(trade, "refresh_token"), &trade->grant, err))
        return false;
    if (check_refresh(trade, err))
        return (fresh == NULL || fg_oauth_grant_renew(ex, &trade->grant, fresh, err)) && narrow_scope(trade, err) &&
               fg_oauth_give_granted(ex, trade, err);
    fg_oauth_grant_revoke(ex, &trade->grant, "refresh token of another");
    return false;
}

static const struct grant_type {
    const char *name;
    unsigned bit;
    bool (*serve)(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err);
} grant_types[] = {
    {"authorization_code", FG_GRANT_CODE, take_code},
    {"refresh_token", FG_GRANT_REFRESH, take_refresh},
    {"urn:ietf:params:oauth:grant-type:device_code", FG_GRANT_DEVICE, fg_oauth_grant_device},
    {"client_credentials", FG_GRANT_CLIENT, fg_oauth_grant_client},
    {"urn:ietf:params:oauth:grant-type:token-exchange", FG_GRANT_EXCHANGE, fg_oauth_grant_exchange},
    {"urn:ietf:params:oauth:grant-type:jwt-bearer", FG_GRANT_JWT, fg_oauth_grant_jwt},
    {"urn:ietf:params:oauth:grant-type:saml2-bearer", FG_GRANT_SAML, fg_oauth_grant_saml},
};

static const struct grant_type *find_type(const fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_str_t name = fg_oauth_trade_get(trade, "grant_type");
    const struct grant_type *found = NULL;
    for (size_t i = 0; i < FG_ARRAY_SIZE(grant_types); i++)
        if (fg_str_is(name, grant_types[i].name))
            found = &grant_types[i];
    if (found == NULL)
        FG_FAIL(err, name.p ? FG_E_OPENID_GRANT_TYPE : FG_E_OPENID_REQUEST, "grant_type \"%.*s\"", FG_STR_ARG(name));
    else if ((trade->client->grants & found->bit) == 0)
        FG_FAIL(err, FG_E_OPENID_GRANT_FORBIDDEN, "%s may not use %s", trade->partner->name, found->name);
    else
        return found;
    return NULL;
}

/* ---- the endpoint */

static bool run(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    fg_params_t form;
    trade->form = &form;
    trade->partner = fg_oauth_client_form(ex, &form, err);
    if (trade->partner == NULL)
        return false;
    trade->client = trade->partner->openid;
    fg_openid_allow_origin(ex, trade->client);
    const struct grant_type *type = find_type(trade, err);
    if (type == NULL || !fg_oauth_holder_read(ex, trade->client, FG_OPENID_TOKEN, &trade->holder, err))
        return false;
    trade->confirmation = fg_bound_write(ex, &trade->holder);
    return type->serve(ex, trade, err);
}

fg_step_t fg_oauth_token(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_oauth_trade_t trade = {.partner = NULL};
    if (!run(ex, &trade, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}
