/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a provider signed: ID tokens (OpenID Connect core §3.1.3.7) and logout tokens (back-channel logout 1.0 §2.6). */
#include "bridges/openid/oidc_rp.h"
#include "core/crypto.h"
#include "core/json.h"
#include "hub/issuer.h"
#include "token/jwe.h"
#include "token/jws.h"

#define SUBJECT_MAX 255u /* core §2 */
#define EVENT "http://schemas.openid.net/event/backchannel-logout"

/* ---- what both have in common */

/* A key that is not known yet is asked for once (core §10.1.1); everything else that is wrong stays wrong. */
static bool verify(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_str_t token,
                   const fg_jwt_trust_t *usual, fg_jwt_read_t *read, fg_err_t *err) {
    fg_jwt_trust_t trust = *usual;
    fg_jwk_set_t keys;
    bool asked;
    fg_err_t why = FG_ERR_INIT;
    if (!fg_openid_provider_keys(ex, provider, false, &keys, &asked, err))
        return false;
    trust.keys = &keys;
    if (fg_jwt_read(ex->env, ex->arena, token, &trust, read, &why))
        return true;
    if (why.code == FG_E_SIG_KEY && !asked) {
        if (!fg_openid_provider_keys(ex, provider, true, &keys, &asked, err))
            return false;
        if (asked && fg_jwt_read(ex->env, ex->arena, token, &trust, read, &why))
            return true;
    }
    return FG_FAIL(err, why.code, "%s", why.detail);
}

/* With many tenants the issuer is the one that the token names, if its tenant may come (§3.1.3.7 point 2). */
static bool read_signed(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_str_t token, fg_jwt_read_t *read,
                        fg_err_t *err) {
    fg_str_t tenant, issuer = fg_jwt_peek_issuer(ex->arena, token);
    if (!fg_openid_issuer_fits(provider, issuer, &tenant))
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "issued by %.*s, not by %.*s", FG_STR_ARG(issuer),
                       FG_STR_ARG(provider->issuer));
    const fg_jwt_trust_t trust = {
        .issuer = issuer,
        .audiences = &provider->openid->client_id,
        .audience_count = 1,
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = provider->max_lifetime_ms,
        .any_type = true,
    };
    if (!verify(ex, provider, token, &trust, read, err))
        return false;
    if (tenant.n > 0 && !fg_str_eq(fg_json_string(read->payload, "tid"), tenant))
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "tid is not the issuer's tenant");
    return (provider->openid->algs & 1u << read->alg) != 0 ||
           FG_FAIL(err, FG_E_SIG_ALGORITHM, "an algorithm that is not among those of the provider");
}

static bool is_type(fg_str_t type, const char *wanted) {
    const char *longer = "application/";
    size_t n = strlen(longer);
    if (type.n > n && fg_str_eq_nocase((fg_str_t){type.p, n}, fg_str(longer)))
        type = (fg_str_t){type.p + n, type.n - n};
    return fg_str_eq_nocase(type, fg_str(wanted));
}

/* ---- ID tokens */

/* Points 4 and 5: with several audiences it must be said whose it is, and it must be ours. */
static bool check_party(const fg_openid_provider_t *us, const json_t *payload, fg_err_t *err) {
    const json_t *audience = json_object_get(payload, "aud"), *party = json_object_get(payload, "azp");
    bool several = json_is_array(audience) && json_array_size(audience) > 1;
    if (party == NULL && !several)
        return true;
    return fg_str_eq(fg_json_string(payload, "azp"), us->client_id) ||
           FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "azp is not us, or missing beside several audiences");
}

/* §3.1.3.6: the left half of the digest of the signature's algorithm (OI-07). */
static bool check_access_hash(const fg_jwt_read_t *read, fg_str_t access_token, fg_err_t *err) {
    unsigned char digest[FG_HASH_MAX];
    fg_str_t told = fg_json_string(read->payload, "at_hash");
    if (json_object_get(read->payload, "at_hash") == NULL)
        return true;
    fg_buf_t own = FG_BUF_INIT(64);
    size_t size = fg_hash(fg_jws_alg_hash(read->alg), access_token.p ? access_token.p : "", access_token.n, digest);
    fg_base64url_encode(&own, digest, size / 2);
    bool same = fg_buf_ok(&own) && access_token.n > 0 && fg_equal_secret(fg_buf_str(&own), told);
    fg_buf_free(&own);
    return same || FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "at_hash is not the access token's");
}

static bool check_id_token(const fg_jwt_read_t *read, const fg_openid_provider_t *us, fg_str_t access_token,
                           fg_str_t nonce, fg_err_t *err) {
    const json_t *payload = read->payload;
    if (read->type.p != NULL && !is_type(read->type, "JWT")) /* JW-11 */
        return FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "a token of type '%.*s'", FG_STR_ARG(read->type));
    if (json_object_get(payload, "events") != NULL)
        return FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "a token about events");
    size_t subject = read->identity.name_id.value.n;
    if (subject == 0 || subject > SUBJECT_MAX)
        return FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "sub is missing or too long");
    if (!json_is_number(json_object_get(payload, "iat")))
        return FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "iat is missing");
    if (nonce.p != NULL && !fg_equal_secret(fg_json_string(payload, "nonce"), nonce)) /* point 11 */
        return FG_FAIL_FOR(err, FG_E_OPENID_ID_TOKEN, FG_R_REQUEST_MISMATCH, "nonce is not that of the request");
    return check_party(us, payload, err) && check_access_hash(read, access_token, err);
}

/* nonce: .p NULL: there was no request. */
static bool read_id_token(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_oidc_tokens_t *tokens,
                          fg_str_t nonce, fg_jwt_read_t *read, fg_err_t *err) {
    const fg_key_t *keys[FG_KEY_STATES];
    size_t count = fg_issuer_own_keys(ex, keys);
    fg_str_t token;
    if (!fg_jwe_unwrap(ex->arena, tokens->id_token, keys, count, &token, err) ||
        !read_signed(ex, provider, token, read, err) ||
        !check_id_token(read, provider->openid, tokens->access_token, nonce, err))
        return false;
    read->identity.session_index = fg_json_string(read->payload, "sid");
    return true;
}

bool fg_oidc_rp_id_token_read(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_oidc_tokens_t *tokens,
                              fg_str_t nonce, fg_jwt_read_t *read, fg_err_t *err) {
    return nonce.n > 0 ? read_id_token(ex, provider, tokens, nonce, read, err)
                       : FG_FAIL(err, FG_E_INTERNAL, "a request without a nonce");
}

bool fg_oidc_rp_id_token_renewed(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                                 const fg_oidc_tokens_t *tokens, fg_str_t subject, fg_jwt_read_t *read, fg_err_t *err) {
    return read_id_token(ex, provider, tokens, FG_STR_NONE, read, err) &&
           (fg_str_eq(read->identity.name_id.value, subject) ||
            FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "the ID token is about somebody else"));
}

/* ---- logout tokens */

static const fg_home_realm_t *find_realm(const fg_hub_t *hub, fg_str_t issuer) {
    fg_str_t tenant;
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        const fg_identity_provider_t *provider = hub->home_realms[i].identity_provider;
        if (provider != NULL && provider->openid != NULL && fg_openid_issuer_fits(provider, issuer, &tenant))
            return &hub->home_realms[i];
    }
    return NULL;
}

static bool check_logout_token(const fg_jwt_read_t *read, fg_err_t *err) {
    const json_t *event = json_object_get(json_object_get(read->payload, "events"), EVENT);
    bool typed = read->type.p == NULL || is_type(read->type, "logout+jwt") || is_type(read->type, "JWT");
    if (!typed || !json_is_object(event))
        return FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "it is about something else");
    if (json_object_get(read->payload, "nonce") != NULL) /* OI-11 */
        return FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "it has a nonce");
    if (read->id.n == 0 || !json_is_number(json_object_get(read->payload, "iat")))
        return FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "jti or iat is missing");
    return read->identity.name_id.value.n > 0 || fg_json_string(read->payload, "sid").n > 0 ||
           FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "neither sub nor sid");
}

bool fg_oidc_rp_logout_token_read(fg_exchange_t *ex, fg_str_t token, const fg_home_realm_t **realm, fg_jwt_read_t *read,
                                  fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    fg_str_t issuer = fg_jwt_peek_issuer(ex->arena, token);
    *realm = issuer.n > 0 ? find_realm(ex->hub, issuer) : NULL;
    if (*realm == NULL)
        return FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "issued by %.*s", FG_STR_ARG(issuer));
    if (!read_signed(ex, (*realm)->identity_provider, token, read, &why))
        return FG_FAIL(err, FG_E_OPENID_LOGOUT_TOKEN, "%s", why.detail);
    return check_logout_token(read, err);
}
