/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as relying party of an OpenID provider: the browser goes there with an authorization request (OpenID
 * Connect core §3.1.2.1) and comes back with a code (§3.1.2.5). */
#include <stdio.h>

#include "bridges/openid/oidc_rp.h"
#include "core/crypto.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/kept.h"

#define URL_MAX 8192u

/* ---- what goes along.  Nonce and code verifier are made from one secret, which only this browser's sealed cookie has.
 */

static bool derive(fg_exchange_t *ex, fg_str_t secret, const char *purpose, fg_str_t *out, fg_err_t *err) {
    unsigned char mac[FG_SHA256_SIZE];
    fg_buf_t text = FG_BUF_INIT(64);
    fg_hmac_sha256(secret, fg_str(purpose), mac);
    fg_base64url_encode(&text, mac, sizeof mac);
    *out = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return out->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a sign-in at a partner");
}

static bool make_nonce(fg_exchange_t *ex, fg_str_t secret, fg_str_t *nonce, fg_err_t *err) {
    return derive(ex, secret, "nonce", nonce, err);
}

/* 43 letters, as RFC 7636 §4.1 recommends. */
static bool make_verifier(fg_exchange_t *ex, fg_str_t secret, fg_str_t *verifier, fg_err_t *err) {
    return derive(ex, secret, "code_verifier", verifier, err);
}

static void put_challenge(fg_buf_t *url, fg_str_t verifier) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_buf_t text = FG_BUF_INIT(64);
    fg_sha256(verifier.p, verifier.n, digest);
    fg_base64url_encode(&text, digest, sizeof digest);
    url->failed = url->failed || !fg_buf_ok(&text);
    fg_uri_put_param(url, FG_STR("code_challenge"), fg_buf_str(&text));
    fg_uri_put_param(url, FG_STR("code_challenge_method"), FG_STR("S256"));
    fg_buf_free(&text);
}

/* ---- there */

static void put_wishes(fg_buf_t *url, const fg_partner_signin_t *signin) {
    char age[24];
    if (signin->passive)
        fg_uri_put_param(url, FG_STR("prompt"), FG_STR("none"));
    else if (signin->fresh_ms == 0)
        fg_uri_put_param(url, FG_STR("prompt"), FG_STR("login"));
    if (signin->fresh_ms < 0)
        return;
    int n = snprintf(age, sizeof age, "%lld", (long long)(signin->fresh_ms / FG_SECOND));
    fg_uri_put_param(url, FG_STR("max_age"), (fg_str_t){age, (size_t)n});
}

static bool write_url(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_openid_metadata_t *metadata,
                      fg_str_t state, fg_buf_t *url, fg_err_t *err) {
    const fg_openid_provider_t *us = signin->realm->identity_provider->openid;
    fg_str_t nonce, verifier;
    if (!make_nonce(ex, signin->secret, &nonce, err) || !make_verifier(ex, signin->secret, &verifier, err))
        return false;
    fg_buf_put_str(url, metadata->authorization_endpoint);
    fg_uri_put_param(url, FG_STR("response_type"), FG_STR("code"));
    fg_uri_put_param(url, FG_STR("client_id"), us->client_id);
    fg_uri_put_param(url, FG_STR("redirect_uri"), fg_openid_url(ex, FG_OPENID_CALLBACK));
    fg_uri_put_param(url, FG_STR("scope"), us->scope);
    fg_uri_put_param(url, FG_STR("state"), state);
    fg_uri_put_param(url, FG_STR("nonce"), nonce);
    put_challenge(url, verifier);
    put_wishes(url, signin);
    return fg_buf_ok(url) || FG_FAIL(err, FG_E_INTERNAL, "the address is too long");
}

bool fg_oidc_rp_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *asked, fg_err_t *err) {
    const fg_identity_provider_t *provider = asked->realm->identity_provider;
    fg_partner_signin_t signin = *asked;
    fg_openid_metadata_t metadata;
    fg_str_t state;
    if (!fg_openid_metadata_get(ex, provider, &metadata, err))
        return fg_err_prefix(err, "identity provider \"%s\"", provider->name);
    if (!fg_word_make(ex, &signin.secret, err) || !fg_partner_state_make(ex, &signin, &state, err))
        return false;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    bool done = write_url(ex, &signin, &metadata, state, &url, err);
    if (done)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return done;
}

/* ---- and back */

/* RFC 9207 §2.4: who answers says who it is, and it is who was asked (OI-02). */
static bool check_sender(const fg_identity_provider_t *provider, const fg_openid_metadata_t *metadata,
                         const fg_params_t *params, fg_err_t *err) {
    fg_str_t tenant, issuer = fg_params_get(params, "iss", NULL);
    if (issuer.p == NULL)
        return !metadata->names_itself || FG_FAIL(err, FG_E_OPENID_MIX_UP, "the answer does not say whose it is");
    return fg_openid_issuer_fits(provider, issuer, &tenant) ||
           FG_FAIL(err, FG_E_OPENID_MIX_UP, "the answer is from \"%.*s\"", FG_STR_ARG(issuer));
}

/* Core §3.1.2.6: what a provider says that was asked not to show a page, and would have to. */
static bool needs_a_page(fg_str_t error) {
    static const char *const errors[] = {"login_required", "interaction_required", "account_selection_required",
                                         "consent_required"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(errors); i++)
        if (fg_str_is(error, errors[i]))
            return true;
    return false;
}

static bool read_code(const fg_params_t *params, bool passive, fg_str_t *code, fg_err_t *err) {
    fg_str_t error = fg_params_get(params, "error", NULL);
    *code = fg_params_get(params, "code", NULL);
    if (passive && needs_a_page(error))
        return FG_FAIL(err, FG_E_SAML_PASSIVE, "it answered \"%.*s\"", FG_STR_ARG(error));
    if (error.p != NULL)
        return FG_FAIL(err, FG_E_OPENID_PROVIDER, "it answered \"%.*s\"", FG_STR_ARG(error));
    return code->n > 0 || FG_FAIL(err, FG_E_OPENID_ANSWER, "neither code nor error");
}

static void audit_accepted(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_jwt_read_t *token) {
    const fg_audit_field_t fields[] = {
        {"identity_provider", fg_str(provider->name)},
        {"protocol", FG_STR(FG_OPENID_PROTOCOL)},
        {"token_type", FG_STR("id_token")},
        {"token_id", token->id},
        {"key", fg_str(fg_key_get_id(token->key))},
    };
    fg_audit(ex, "accepted", NULL, fields, FG_ARRAY_SIZE(fields));
}

/* Nobody is fresher than now; and where nobody asked how fresh, a provider need not say (core §2, auth_time). */
static void fill_instant(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_identity_t *identity) {
    bool unsaid = identity->auth_instant_ms == 0 && signin->fresh_ms < 0;
    if (unsaid || identity->auth_instant_ms > ex->now_ms)
        identity->auth_instant_ms = ex->now_ms;
}

static bool read_identity(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_openid_metadata_t *metadata,
                          fg_str_t code, fg_oidc_tokens_t *tokens, fg_identity_t *identity, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    fg_jwt_read_t read;
    fg_str_t nonce, verifier;
    if (!make_nonce(ex, signin->secret, &nonce, err) || !make_verifier(ex, signin->secret, &verifier, err) ||
        !fg_oidc_rp_trade(ex, provider, metadata, code, verifier, tokens, err) ||
        !fg_oidc_rp_id_token_read(ex, provider, tokens, nonce, &read, err))
        return false;
    *identity = read.identity;
    if (provider->openid->asks_userinfo && !fg_oidc_rp_userinfo(ex, metadata, tokens->access_token, identity, err))
        return false;
    fill_instant(ex, signin, identity);
    audit_accepted(ex, provider, &read);
    fg_oidc_rp_keep_hint(ex, signin->realm, identity, tokens->id_token);
    return true;
}

/* The state says who was asked, and everything that follows goes by that provider's registration alone (OI-02, OI-06).
 */
static bool accept(fg_exchange_t *ex, const fg_params_t *params, fg_err_t *err) {
    fg_partner_signin_t signin;
    fg_openid_metadata_t metadata;
    fg_oidc_tokens_t tokens;
    fg_identity_t identity;
    fg_str_t code;
    char session_id[FG_ID_SIZE];
    if (!fg_openid_params_once(params, FG_E_OPENID_REQUEST, err) ||
        !fg_partner_state_take(ex, fg_params_get(params, "state", NULL), &signin, err))
        return false;
    const fg_identity_provider_t *provider = signin.realm->identity_provider;
    if (provider->openid == NULL || signin.secret.n == 0)
        return FG_FAIL(err, FG_E_CSRF, "\"%s\" was not asked by OpenID Connect", provider->name);
    if (!fg_openid_metadata_get(ex, provider, &metadata, err) || !check_sender(provider, &metadata, params, err) ||
        !read_code(params, signin.passive, &code, err) ||
        !read_identity(ex, &signin, &metadata, code, &tokens, &identity, err)) {
        (void)fg_err_prefix(err, "identity provider \"%s\"", provider->name);
        return fg_partner_refused(ex, &signin, err);
    }
    signin.begun = &session_id;
    if (!fg_partner_signed_in(ex, &signin, &identity, err))
        return fg_err_prefix(err, "identity provider \"%s\"", provider->name);
    fg_oidc_rp_keep_refresh(ex, provider, session_id, tokens.refresh_token);
    return true;
}

fg_step_t fg_oidc_rp_callback(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    if (!fg_openid_params(ex, &params, &err) || !accept(ex, &params, &err))
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}
