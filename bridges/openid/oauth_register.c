/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Clients that register themselves (RFC 7591) and look after that (RFC 7592).  Off unless a partner has
 * registration_rules, which decide for each redirect URI. */
#include <stdlib.h>

#include "bridges/openid/oauth_access.h"
#include "bridges/openid/oauth_registered.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/kept.h"
#include "policy/request.h"

#define PARAM "client_id"
#define BEGINS_MAX 20
#define WINDOW FG_HOUR
#define NAME_MAX_BYTES 100u

static bool read_bearer(fg_exchange_t *ex, fg_str_t *token, fg_err_t *err) {
    static const char scheme[] = "Bearer ";
    const size_t n = sizeof scheme - 1;
    size_t times;
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times);
    *token = FG_STR_NONE;
    if (times == 0)
        return true;
    if (times > 1 || header.n <= n || !fg_str_eq_nocase((fg_str_t){header.p, n}, fg_str(scheme)))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "an Authorization header that is no Bearer");
    *token = fg_str_trim((fg_str_t){header.p + n, header.n - n});
    return true;
}

/* ---- may it? */

static bool add(fg_exchange_t *ex, fg_claims_t *claims, const char *type, fg_str_t value) {
    const fg_claim_t claim = {.type = fg_str(type), .value = value, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    return value.n == 0 || fg_claims_add(ex->arena, claims, &claim);
}

/* An initial access token (RFC 7591 §3) is one for the realm of the partner that clients will be like. */
static bool add_token(fg_exchange_t *ex, fg_claims_t *claims, fg_err_t *err) {
    fg_oauth_access_read_t read;
    fg_str_t token;
    const fg_partner_t *model = ex->hub->registered;
    if (!read_bearer(ex, &token, err))
        return false;
    if (token.n == 0)
        return true;
    if (!fg_oauth_access_read(ex, token, &read, err))
        return false;
    if (json_object_get(read.jwt.payload, "cnf") != NULL || !fg_str_eq(read.jwt.audience, model->realms[0]))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "a token that is not for %s", model->name);
    fg_claims_t own = read.jwt.identity.claims;
    fg_claims_drop_request(&own);
    for (size_t i = 0; i < own.count; i++)
        if (!fg_claims_add(ex->arena, claims, &own.items[i]))
            return FG_FAIL(err, FG_E_MEMORY, "claims");
    return add(ex, claims, FG_CLAIM_CLIENT, read.client_id) || FG_FAIL(err, FG_E_MEMORY, "claims");
}

/* by_token: what comes in the header says who asks; with RFC 7592 it is the registration's own and says nothing. */
static bool authorize(fg_exchange_t *ex, const json_t *metadata, const fg_partner_t *partner, bool by_token,
                      fg_err_t *err) {
    const fg_openid_client_t *client = partner->openid;
    fg_claims_t common = {0};
    fg_str_t method = fg_json_string(metadata, "token_endpoint_auth_method");
    bool ok = add(ex, &common, FG_REQUEST_CLAIMS "client_address", ex->request.client_address) &&
              add(ex, &common, FG_REQUEST_CLAIMS "registration_client_name", fg_json_string(metadata, "client_name")) &&
              add(ex, &common, FG_REQUEST_CLAIMS "registration_auth_method",
                  method.n > 0 ? method : FG_STR("client_secret_basic")) &&
              add(ex, &common, FG_REQUEST_CLAIMS "registration_grant_type", FG_STR("authorization_code"));
    if (ok && (client->grants & FG_GRANT_REFRESH) != 0)
        ok = add(ex, &common, FG_REQUEST_CLAIMS "registration_grant_type", FG_STR("refresh_token"));
    for (size_t i = 0; ok && i < client->scopes.count; i++)
        ok = add(ex, &common, FG_REQUEST_CLAIMS "registration_scope", client->scopes.items[i]);
    if (!ok)
        return FG_FAIL(err, FG_E_MEMORY, "claims");
    if (by_token && !add_token(ex, &common, err))
        return false;
    for (size_t i = 0; i < client->redirect_uris.count; i++) {
        fg_claims_t claims = {0};
        for (size_t k = 0; ok && k < common.count; k++)
            ok = fg_claims_add(ex->arena, &claims, &common.items[k]);
        if (!ok || !add(ex, &claims, FG_REQUEST_CLAIMS "registration_redirect_uri", client->redirect_uris.items[i]))
            return FG_FAIL(err, FG_E_MEMORY, "claims");
        if (!fg_ruleset_authorize(ex->hub->registered->registration_rules, ex->arena, &ex->hub->stores, &claims, err))
            return fg_err_prefix(err, "registering %.*s", FG_STR_ARG(client->redirect_uris.items[i]));
    }
    return true;
}

/* ---- what is kept, and what is answered */

/* The members that mean something here (§3.2.1: what is not understood is left out of the answer). */
static json_t *choose(const json_t *sent) {
    static const char *const names[] = {"redirect_uris",
                                        "client_id",
                                        "client_name",
                                        "grant_types",
                                        "response_types",
                                        "token_endpoint_auth_method",
                                        "jwks",
                                        "jwks_uri",
                                        "scope",
                                        "post_logout_redirect_uris",
                                        "subject_type",
                                        "backchannel_logout_uri",
                                        "backchannel_logout_session_required",
                                        "frontchannel_logout_uri",
                                        "frontchannel_logout_session_required"};
    json_t *kept = json_object();
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        json_t *member = json_object_get(sent, names[i]);
        if (member != NULL)
            (void)json_object_set(kept, names[i], member);
    }
    return kept;
}

static bool read_metadata(fg_exchange_t *ex, json_t **metadata, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (!fg_str_is(type, "application/json"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    json_t *sent = fg_json_parse(ex->request.body, &why);
    *metadata = json_is_object(sent) ? choose(sent) : NULL;
    json_decref(sent);
    if (*metadata == NULL || !fg_arena_own(ex->arena, (void (*)(void *))json_decref, *metadata))
        return FG_FAIL(err, FG_E_OPENID_METADATA, "no JSON object: %s", why.detail);
    return fg_json_string(*metadata, "client_name").n <= NAME_MAX_BYTES ||
           FG_FAIL(err, FG_E_OPENID_METADATA, "client_name is too long");
}

/* A random text for the client, of which its digest is kept. */
static bool make_secret(fg_exchange_t *ex, json_t *metadata, const char *name, fg_str_t *secret, fg_err_t *err) {
    char hex[2 * FG_SHA256_SIZE + 1];
    fg_str_t words[2];
    if (!fg_word_make(ex, &words[0], err) || !fg_word_make(ex, &words[1], err))
        return false;
    *secret = fg_arena_join(ex->arena, words, 2);
    if (secret->p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a secret");
    fg_oauth_registered_digest(*secret, hex);
    return json_object_set_new(metadata, name, json_string(hex)) == 0 || FG_FAIL(err, FG_E_MEMORY, "a secret");
}

static bool answer(fg_exchange_t *ex, int status, fg_str_t id, const json_t *metadata, fg_str_t secret, fg_str_t token,
                   fg_err_t *err) {
    fg_buf_t url = FG_BUF_INIT(1024);
    json_t *json = json_copy((json_t *)(uintptr_t)metadata);
    (void)json_object_del(json, FG_REGISTERED_SECRET);
    (void)json_object_del(json, FG_REGISTERED_TOKEN);
    fg_buf_put_str(&url, fg_openid_url(ex, FG_OPENID_REGISTER));
    fg_uri_put_param(&url, FG_STR(PARAM), id);
    (void)json_object_set_new(json, "client_id", json_stringn(id.p, id.n));
    (void)json_object_set_new(json, "registration_client_uri", json_stringn(url.data, url.length));
    (void)json_object_set_new(json, "registration_access_token", json_stringn(token.p, token.n));
    if (secret.n > 0) {
        (void)json_object_set_new(json, "client_secret", json_stringn(secret.p, secret.n));
        (void)json_object_set_new(json, "client_secret_expires_at", json_integer(0));
    }
    bool ok = fg_buf_ok(&url);
    fg_buf_free(&url);
    if (!fg_openid_answer_json(ex, json, "no-store", err))
        return false;
    ex->response.status = status;
    return ok || FG_FAIL(err, FG_E_MEMORY, "an answer");
}

static void note(fg_exchange_t *ex, const char *what, fg_str_t id, const fg_partner_t *partner) {
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID_PROTOCOL)},
                                       {"request", fg_str(what)},
                                       {"client_id", id},
                                       {"client", partner ? fg_str(partner->display_name) : FG_STR_NONE}};
    fg_audit(ex, "registered", NULL, fields, FG_ARRAY_SIZE(fields));
}

/* ---- RFC 7591 §3 */

static bool count(fg_exchange_t *ex, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    int64_t total = 0;
    const fg_str_t parts[] = {FG_STR("register:"), ex->request.client_address};
    fg_str_t key = fg_arena_join(ex->arena, parts, 2);
    return (store != NULL && key.p != NULL &&
            store->add(store, key, 1, ex->now_ms, ex->now_ms + WINDOW, &total) == FG_STORE_OK && total <= BEGINS_MAX) ||
           FG_FAIL(err, FG_E_BUSY, "too many clients register from there");
}

static bool begin(fg_exchange_t *ex, fg_err_t *err) {
    json_t *metadata;
    fg_partner_t partner;
    fg_str_t id, token, secret = FG_STR_NONE;
    if (!read_metadata(ex, &metadata, err) || !fg_word_make(ex, &id, err) ||
        !fg_oauth_registered_build(ex, id, metadata, &partner, err) || !authorize(ex, metadata, &partner, true, err) ||
        !count(ex, err) || !fg_oauth_registered_has_room(ex, err))
        return false;
    bool by_secret = (partner.openid->auth & (FG_CLIENT_BASIC | FG_CLIENT_POST)) != 0;
    if (by_secret && !make_secret(ex, metadata, FG_REGISTERED_SECRET, &secret, err))
        return false;
    (void)json_object_del(metadata, "client_id"); /* ours to give */
    (void)json_object_set_new(metadata, "client_id_issued_at", json_integer(ex->now_ms / FG_SECOND));
    if (!make_secret(ex, metadata, FG_REGISTERED_TOKEN, &token, err) ||
        !fg_oauth_registered_write(ex, id, metadata, err))
        return false;
    note(ex, "register", id, &partner);
    return answer(ex, 201, id, metadata, secret, token, err);
}

/* ---- RFC 7592 §2: with the token that the registration gave */

static bool find(fg_exchange_t *ex, fg_str_t *id, json_t **metadata, fg_str_t *token, fg_err_t *err) {
    fg_params_t params;
    size_t times;
    char hex[2 * FG_SHA256_SIZE + 1];
    if (!fg_params_parse(ex->arena, ex->request.query, &params, err) || !read_bearer(ex, token, err))
        return false;
    *id = fg_params_get(&params, PARAM, &times);
    if (token->n == 0)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no Authorization header");
    *metadata = times == 1 ? fg_oauth_registered_read(ex, *id) : NULL;
    fg_oauth_registered_digest(*token, hex);
    bool good = *metadata != NULL && fg_equal_secret(fg_json_string(*metadata, FG_REGISTERED_TOKEN), fg_str(hex));
    return good || FG_FAIL(err, FG_E_OPENID_TOKEN, "no registration, or another one's token");
}

/* The whole metadata anew; secret and token stay (§2.2). */
static bool replace(fg_exchange_t *ex, fg_str_t id, const json_t *before, fg_str_t token, fg_err_t *err) {
    static const char *const stays[] = {FG_REGISTERED_SECRET, FG_REGISTERED_TOKEN, "client_id_issued_at"};
    json_t *metadata;
    fg_partner_t partner;
    if (!read_metadata(ex, &metadata, err))
        return false;
    if (!fg_str_eq(fg_json_string(metadata, "client_id"), id)) /* §2.2 */
        return FG_FAIL(err, FG_E_OPENID_METADATA, "client_id is another one");
    for (size_t i = 0; i < FG_ARRAY_SIZE(stays); i++)
        if (json_object_get(before, stays[i]) != NULL)
            (void)json_object_set(metadata, stays[i], json_object_get(before, stays[i]));
    if (!fg_oauth_registered_build(ex, id, metadata, &partner, err))
        return false;
    bool by_secret = (partner.openid->auth & (FG_CLIENT_BASIC | FG_CLIENT_POST)) != 0;
    if (by_secret && partner.openid->secret_count == 0)
        return FG_FAIL(err, FG_E_OPENID_METADATA, "a client without a secret is to have one");
    if (!authorize(ex, metadata, &partner, false, err) || !fg_oauth_registered_write(ex, id, metadata, err))
        return false;
    note(ex, "update", id, &partner);
    return answer(ex, 200, id, metadata, FG_STR_NONE, token, err);
}

static bool manage(fg_exchange_t *ex, fg_err_t *err) {
    fg_str_t id, token, method = ex->request.method_name;
    json_t *metadata;
    if (!find(ex, &id, &metadata, &token, err))
        return false;
    if (ex->request.method == FG_METHOD_GET)
        return answer(ex, 200, id, metadata, FG_STR_NONE, token, err);
    if (fg_str_is(method, "PUT"))
        return replace(ex, id, metadata, token, err);
    if (!fg_str_is(method, "DELETE"))
        return FG_FAIL(err, FG_E_HTTP_METHOD, "%.*s", FG_STR_ARG(method));
    if (!fg_oauth_registered_remove(ex, id, err))
        return false;
    note(ex, "delete", id, NULL);
    ex->response.status = 204;
    return true;
}

static bool run(fg_exchange_t *ex, fg_err_t *err) {
    if (ex->hub->registered == NULL)
        return FG_FAIL(err, FG_E_HTTP_NOT_FOUND, "no partner has registration_rules");
    return ex->request.method == FG_METHOD_POST ? begin(ex, err) : manage(ex, err);
}

fg_step_t fg_oauth_register(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!run(ex, &err))
        fg_oauth_refuse_bearer(ex, &err);
    return FG_STEP_DONE;
}
