/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The token endpoint (RFC 6749 §3.2): which client, what it brings, what it gets. */
#include "bridges/openid/oauth_client.h"
#include "bridges/openid/oauth_grant.h"
#include "bridges/openid/oidc_token.h"
#include "core/time.h"

#define VERIFIER_MIN 43u /* RFC 7636 §4.1 */
#define VERIFIER_MAX 128u

typedef struct trade {
    const fg_partner_t *partner;
    const fg_openid_client_t *client;
    const fg_params_t *form;
    fg_oauth_grant_t grant;
} trade_t;

static fg_str_t get(const trade_t *trade, const char *name) { return fg_params_get(trade->form, name, NULL); }

/* ---- a code (RFC 6749 §4.1.3) */

/* RFC 7636 §4.6.  A verifier without a challenge shows that somebody took the challenge away (RFC 9700 §2.1.1; OI-03).
 */
static bool check_verifier(fg_exchange_t *ex, const trade_t *trade, fg_err_t *err) {
    fg_str_t verifier = get(trade, "code_verifier"), challenge = trade->grant.challenge;
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

static bool check_code(fg_exchange_t *ex, const trade_t *trade, fg_err_t *err) {
    fg_str_t redirect = get(trade, "redirect_uri");
    if (!fg_str_eq(trade->grant.client_id, trade->client->id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "a code of client \"%.*s\"", FG_STR_ARG(trade->grant.client_id));
    /* OAuth 2.1 leaves redirect_uri out where PKCE binds the code */
    bool bound = redirect.p == NULL && trade->grant.challenge.n > 0;
    if (!bound && !fg_str_eq(redirect, trade->grant.redirect_uri))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "redirect_uri is not the one of the request");
    if (!fg_openid_word_in(trade->grant.scope, "offline_access") && fg_session_is_ended(ex, trade->grant.session.id))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "the session ended meanwhile");
    return check_verifier(ex, trade, err);
}

static bool take_code(fg_exchange_t *ex, trade_t *trade, fg_err_t *err) {
    if (!fg_oauth_code_take(ex, get(trade, "code"), &trade->grant, err))
        return false;
    if (check_code(ex, trade, err))
        return true;
    fg_oauth_grant_revoke(ex, &trade->grant, "code of another, or not bound to it"); /* OI-04 */
    return false;
}

/* ---- a refresh token (RFC 6749 §6) */

/* What was granted, or less. */
static bool narrow_scope(trade_t *trade, fg_err_t *err) {
    fg_str_t wanted = get(trade, "scope"), rest = wanted;
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

static bool take_refresh(fg_exchange_t *ex, trade_t *trade, fg_err_t *err) {
    if (!fg_oauth_refresh_take(ex, get(trade, "refresh_token"), &trade->grant, err))
        return false;
    if (fg_str_eq(trade->grant.client_id, trade->client->id))
        return narrow_scope(trade, err);
    fg_oauth_grant_revoke(ex, &trade->grant, "refresh token of another client");
    return FG_FAIL(err, FG_E_OPENID_GRANT, "a refresh token of client \"%.*s\"", FG_STR_ARG(trade->grant.client_id));
}

static const struct grant_type {
    const char *name;
    unsigned bit;
    bool (*take)(fg_exchange_t *ex, trade_t *trade, fg_err_t *err);
} grant_types[] = {
    {"authorization_code", FG_GRANT_CODE, take_code},
    {"refresh_token", FG_GRANT_REFRESH, take_refresh},
};

static const struct grant_type *find_type(const trade_t *trade, fg_err_t *err) {
    fg_str_t name = get(trade, "grant_type");
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

/* ---- the answer (RFC 6749 §5.1, core §3.1.3.3) */

static bool give(fg_exchange_t *ex, trade_t *trade, fg_err_t *err) {
    fg_oidc_person_t person;
    fg_str_t access, refresh = FG_STR_NONE, id_token = FG_STR_NONE;
    int64_t lifetime_ms;
    if (!fg_oidc_person_find(ex, trade->partner, &trade->grant, &person, err) ||
        !fg_oauth_access_write(ex, &person, &access, &lifetime_ms, err))
        return false;
    if (fg_openid_word_in(trade->grant.scope, "openid") && !fg_oidc_id_token_write(ex, &person, access, &id_token, err))
        return false;
    bool refreshes = trade->grant.refreshes > 0 || fg_openid_word_in(trade->grant.scope, "offline_access");
    if (refreshes && !fg_oauth_refresh_make(ex, &trade->grant, &refresh, err))
        return false;
    fg_str_t scope = trade->grant.scope;
    json_t *json =
        json_pack("{s:s%, s:s, s:I, s:s%}", "access_token", access.p, access.n, "token_type", "Bearer", "expires_in",
                  (json_int_t)(lifetime_ms / FG_SECOND), "scope", scope.p ? scope.p : "", scope.n);
    if (id_token.n > 0)
        (void)json_object_set_new(json, "id_token", json_stringn(id_token.p, id_token.n));
    if (refresh.n > 0)
        (void)json_object_set_new(json, "refresh_token", json_stringn(refresh.p, refresh.n));
    if (!fg_openid_answer_json(ex, json, "no-store", err))
        return false;
    fg_response_header(ex, "Pragma", FG_STR("no-cache")); /* §5.1 asks for it */
    return true;
}

static bool run(fg_exchange_t *ex, trade_t *trade, fg_err_t *err) {
    fg_params_t form;
    if (!fg_openid_params(ex, &form, err) || !fg_openid_params_once(&form, FG_E_OPENID_REQUEST, err))
        return false;
    trade->form = &form;
    trade->partner = fg_oauth_client_identify(ex, &form, err);
    if (trade->partner == NULL)
        return false;
    trade->client = trade->partner->openid;
    fg_openid_allow_origin(ex, trade->client);
    const struct grant_type *type = find_type(trade, err);
    return type != NULL && type->take(ex, trade, err) && give(ex, trade, err);
}

fg_step_t fg_oauth_token(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    trade_t trade = {.partner = NULL};
    if (!run(ex, &trade, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}
