/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A code for tokens, and who we are (RFC 6749 §2.3.1, §4.1.3, OpenID Connect core §3.1.3, §9); UserInfo. */
#include "bridges/openid/oidc_rp.h"
#include "bridges/openid/oidc_token.h"
#include "core/crypto.h"
#include "core/http.h"
#include "core/json.h"
#include "core/time.h"
#include "hub/kept.h"
#include "token/jws.h"

#define FORM_MAX (16u << 10)
#define ANSWER_MAX (256u << 10)
#define DEADLINE (10 * FG_SECOND) /* a person waits */
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_LIFETIME FG_MINUTE
#define BASIC_MAX 4096u

/* ---- a form of the request's body */

static void put(fg_buf_t *form, const char *name, fg_str_t value) {
    if (form->length > 0)
        fg_buf_putc(form, '&');
    fg_uri_encode(form, fg_str(name));
    fg_buf_putc(form, '=');
    fg_uri_encode(form, value);
}

/* ---- who we are */

typedef struct trade {
    fg_exchange_t *ex;
    const fg_openid_provider_t *us;
    const fg_openid_metadata_t *metadata;
    fg_buf_t form;
    bool renews;            /* by a refresh token */
    fg_str_t authorization; /* header; .n 0: none */
} trade_t;

static bool prove_by_basic(trade_t *trade, fg_err_t *err) {
    fg_buf_t pair = FG_BUF_INIT(BASIC_MAX), header = FG_BUF_INIT(2 * BASIC_MAX);
    fg_uri_encode(&pair, trade->us->client_id);
    fg_buf_putc(&pair, ':');
    fg_uri_encode(&pair, trade->us->secret);
    fg_buf_puts(&header, "Basic ");
    fg_base64_encode(&header, pair.data, pair.length);
    if (fg_buf_ok(&pair) && fg_buf_ok(&header))
        trade->authorization = fg_arena_str(trade->ex->arena, fg_buf_str(&header));
    fg_buf_free(&pair);
    fg_buf_free(&header);
    return trade->authorization.n > 0 || FG_FAIL(err, FG_E_MEMORY, "proving who we are");
}

static bool prove_by_post(trade_t *trade, fg_err_t *err) {
    (void)err;
    put(&trade->form, "client_id", trade->us->client_id);
    put(&trade->form, "client_secret", trade->us->secret);
    return true;
}

/* RFC 7523 §2.2: signed with the key that our own discovery document publishes. */
static bool prove_by_jwt(trade_t *trade, fg_err_t *err) {
    fg_exchange_t *ex = trade->ex;
    fg_str_t id, assertion;
    if (!fg_word_make(ex, &id, err))
        return false;
    const fg_jwt_t jwt = {
        .type = "JWT",
        .id = id,
        .issuer = trade->us->client_id,
        .subject = trade->us->client_id,
        .audience = trade->metadata->token_endpoint,
        .issued_ms = ex->now_ms,
        .not_before_ms = ex->now_ms,
        .expires_ms = ex->now_ms + ASSERTION_LIFETIME,
    };
    if (!fg_openid_sign(ex, &jwt, &assertion, err))
        return false;
    put(&trade->form, "client_id", trade->us->client_id);
    put(&trade->form, "client_assertion_type", FG_STR(ASSERTION_TYPE));
    put(&trade->form, "client_assertion", assertion);
    return true;
}

static bool say_who(trade_t *trade, fg_err_t *err) {
    (void)err;
    put(&trade->form, "client_id", trade->us->client_id);
    return true;
}

static const struct {
    unsigned by;
    bool (*prove)(trade_t *, fg_err_t *);
} proofs[] = {
    {FG_CLIENT_BASIC, prove_by_basic},
    {FG_CLIENT_POST, prove_by_post},
    {FG_CLIENT_JWT, prove_by_jwt},
    {FG_CLIENT_NONE, say_who},
};

static bool prove(trade_t *trade, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(proofs); i++)
        if (proofs[i].by == trade->us->auth)
            return proofs[i].prove(trade, err);
    return FG_FAIL(err, FG_E_INTERNAL, "no way to prove who we are");
}

/* ---- the answer */

static bool read_tokens(const trade_t *trade, const fg_http_response_t *response, fg_oidc_tokens_t *tokens,
                        fg_err_t *err) {
    fg_exchange_t *ex = trade->ex;
    fg_err_t why = FG_ERR_INIT;
    const json_t *json = fg_jws_object(ex->arena, response->body, "token response", &why);
    if (response->status != 200) {
        fg_str_t error = json ? fg_json_string(json, "error") : FG_STR_NONE;
        bool over = trade->renews && fg_str_is(error, "invalid_grant"); /* RFC 6749 §5.2 */
        return FG_FAIL(err, over ? FG_E_OPENID_GRANT : FG_E_OPENID_PROVIDER, "its token endpoint answered %d \"%.*s\"",
                       response->status, FG_STR_ARG(error));
    }
    if (json == NULL)
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "%s", why.detail);
    tokens->id_token = fg_json_string(json, "id_token");
    tokens->access_token = fg_json_string(json, "access_token");
    tokens->refresh_token = fg_json_string(json, "refresh_token");
    if (tokens->id_token.n == 0 && !trade->renews)
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "its token endpoint gave no ID token");
    return fg_str_eq_nocase(fg_json_string(json, "token_type"), FG_STR("Bearer")) ||
           FG_FAIL(err, FG_E_OPENID_ANSWER, "its token_type is not Bearer"); /* core §3.1.3.3 */
}

static bool post(trade_t *trade, fg_str_t url, fg_http_response_t *response, fg_err_t *err) {
    const fg_http_field_t headers[] = {{FG_STR("Content-Type"), FG_STR("application/x-www-form-urlencoded")},
                                       {FG_STR("Accept"), FG_STR("application/json")},
                                       {FG_STR("Authorization"), trade->authorization}};
    const fg_http_request_t request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = FG_ARRAY_SIZE(headers) - (trade->authorization.n == 0),
        .body = fg_buf_str(&trade->form),
        .deadline_ms = DEADLINE,
        .body_max = ANSWER_MAX,
    };
    if (!fg_buf_ok(&trade->form))
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "what it gave is too long");
    return fg_http_fetch(trade->ex->env, trade->ex->arena, &request, response, err);
}

static bool ask_for_tokens(trade_t *trade, fg_oidc_tokens_t *tokens, fg_err_t *err) {
    fg_http_response_t response;
    bool done = prove(trade, err) && post(trade, trade->metadata->token_endpoint, &response, err) &&
                read_tokens(trade, &response, tokens, err);
    fg_buf_free(&trade->form);
    return done;
}

bool fg_oidc_rp_trade(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_openid_metadata_t *metadata,
                      fg_str_t code, fg_str_t verifier, fg_oidc_tokens_t *tokens, fg_err_t *err) {
    trade_t trade = {.ex = ex, .us = provider->openid, .metadata = metadata, .form = FG_BUF_INIT(FORM_MAX)};
    put(&trade.form, "grant_type", FG_STR("authorization_code"));
    put(&trade.form, "code", code);
    put(&trade.form, "redirect_uri", fg_openid_url(ex, FG_OPENID_CALLBACK));
    put(&trade.form, "code_verifier", verifier);
    return ask_for_tokens(&trade, tokens, err);
}

bool fg_oidc_rp_trade_refresh(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                              const fg_openid_metadata_t *metadata, fg_str_t refresh_token, fg_oidc_tokens_t *tokens,
                              fg_err_t *err) {
    trade_t trade = {
        .ex = ex, .us = provider->openid, .metadata = metadata, .form = FG_BUF_INIT(FORM_MAX), .renews = true};
    put(&trade.form, "grant_type", FG_STR("refresh_token"));
    put(&trade.form, "refresh_token", refresh_token);
    return ask_for_tokens(&trade, tokens, err);
}

bool fg_oidc_rp_revoke(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_openid_metadata_t *metadata,
                       fg_str_t refresh_token, fg_err_t *err) {
    trade_t trade = {.ex = ex, .us = provider->openid, .metadata = metadata, .form = FG_BUF_INIT(FORM_MAX)};
    fg_http_response_t response;
    if (metadata->revocation_endpoint.n == 0)
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "it has no revocation_endpoint");
    put(&trade.form, "token", refresh_token);
    put(&trade.form, "token_type_hint", FG_STR("refresh_token"));
    bool done = prove(&trade, err) && post(&trade, metadata->revocation_endpoint, &response, err);
    fg_buf_free(&trade.form);
    return done && (response.status == 200 ||
                    FG_FAIL(err, FG_E_OPENID_PROVIDER, "its revocation endpoint answered %d", response.status));
}

/* ---- UserInfo */

static bool has_type(const fg_claims_t *claims, size_t count, fg_str_t type) {
    for (size_t i = 0; i < count; i++)
        if (fg_str_eq(claims->items[i].type, type))
            return true;
    return false;
}

/* What was signed goes before what was only fetched. */
static bool merge(fg_exchange_t *ex, const json_t *object, fg_identity_t *identity, fg_err_t *err) {
    fg_claims_t more = {0};
    size_t before = identity->claims.count;
    if (!fg_jwt_claims_read(ex->arena, object, identity->issuer, &more, err))
        return false;
    for (size_t i = 0; i < more.count; i++)
        if (!has_type(&identity->claims, before, more.items[i].type) &&
            !fg_claims_add(ex->arena, &identity->claims, &more.items[i]))
            return FG_FAIL(err, FG_E_MEMORY, "claims");
    return true;
}

bool fg_oidc_rp_userinfo(fg_exchange_t *ex, const fg_openid_metadata_t *metadata, fg_str_t access_token,
                         fg_identity_t *identity, fg_err_t *err) {
    const char *bearer = fg_arena_printf(ex->arena, "Bearer %.*s", (int)access_token.n, access_token.p);
    const fg_http_field_t headers[] = {{FG_STR("Authorization"), fg_str(bearer)},
                                       {FG_STR("Accept"), FG_STR("application/json")}};
    const fg_http_request_t request = {.url = metadata->userinfo_endpoint,
                                       .headers = headers,
                                       .header_count = FG_ARRAY_SIZE(headers),
                                       .deadline_ms = DEADLINE,
                                       .body_max = ANSWER_MAX};
    fg_http_response_t response;
    if (metadata->userinfo_endpoint.n == 0 || access_token.n == 0 || bearer == NULL)
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "it has no UserInfo, or gave no access token");
    if (!fg_http_fetch(ex->env, ex->arena, &request, &response, err))
        return false;
    if (response.status != 200)
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "its UserInfo answered %d", response.status);
    const json_t *json = fg_jws_object(ex->arena, response.body, "UserInfo", err);
    if (json == NULL)
        return false;
    /* core §5.3.2: of somebody else it is not to be used (OI-07) */
    return fg_str_eq(fg_json_string(json, "sub"), identity->name_id.value)
               ? merge(ex, json, identity, err)
               : FG_FAIL(err, FG_E_OPENID_ID_TOKEN, "UserInfo is about somebody else");
}
