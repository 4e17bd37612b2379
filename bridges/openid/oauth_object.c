/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Requests that come in another way than in the address: pushed before (RFC 9126) or as a signed object by value (RFC
 * 9101).  What stands beside them counts for nothing (RFC 9101 §6.3), and nothing is fetched (OI-09). */
#include <stdlib.h>

#include "bridges/openid/oauth_client.h"
#include "bridges/openid/oauth_request.h"
#include "core/fault.h"
#include "core/json.h"
#include "core/time.h"
#include "hub/issuer.h"
#include "hub/kept.h"
#include "token/jwe.h"
#include "token/jws.h"

#define URI_PREFIX "urn:ietf:params:oauth:request_uri:"
#define KIND "pushed"
#define PUSHED_LIFETIME (90 * FG_SECOND)
#define OBJECT_TYPE "oauth-authz-req+jwt"
#define OBJECT_LIFETIME FG_HOUR
#define TEXT_MAX 8192u
#define PARAMS_MAX 64u

/* ---- a request object */

static const char *type_of(fg_exchange_t *ex, fg_str_t token) {
    fg_str_t parts[3];
    fg_str_t plain = fg_jws_split(token, parts) ? fg_jws_decode(ex->arena, parts[0]) : FG_STR_NONE;
    const json_t *header = plain.p != NULL ? fg_jws_object(ex->arena, plain, "header", NULL) : NULL;
    return fg_str_is(fg_json_string(header, "typ"), OBJECT_TYPE) ? OBJECT_TYPE : "JWT";
}

static bool verify(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t token, fg_jwt_read_t *read,
                   fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    const fg_key_t *own[FG_KEY_STATES];
    size_t count = fg_issuer_own_keys(ex, own);
    fg_str_t signed_object;
    /* signed, then perhaps encrypted to us (RFC 9101 §4) */
    if (!fg_jwe_unwrap(ex->arena, token, own, count, &signed_object, &why))
        return FG_FAIL(err, FG_E_OPENID_OBJECT_INVALID, "%s", why.detail);
    const fg_str_t audience = fg_openid_url(ex, FG_OPENID_ISSUER);
    const fg_jwt_trust_t trust = {
        .issuer = client->id,
        .audiences = &audience,
        .audience_count = 1,
        .type = type_of(ex, signed_object),
        .untyped = true, /* OpenID Connect core §6 knows no type */
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = OBJECT_LIFETIME,
    };
    if (client->keys.count == 0 && client->jwks_uri.n == 0)
        return FG_FAIL(err, FG_E_OPENID_OBJECT, "%.*s has no keys", FG_STR_ARG(client->id));
    return fg_oauth_client_jwt(ex, client, signed_object, &trust, read, &why) ||
           FG_FAIL(err, FG_E_OPENID_OBJECT_INVALID, "%s", why.detail);
}

/* As the member would be written in an address; .p NULL: it has no such form. */
static fg_str_t text_of(fg_exchange_t *ex, const json_t *value) {
    if (json_is_string(value))
        return (fg_str_t){json_string_value(value), json_string_length(value)};
    if (json_is_integer(value))
        return fg_str(fg_arena_printf(ex->arena, "%lld", (long long)json_integer_value(value)));
    char *text = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
    return text != NULL && fg_arena_own(ex->arena, free, text) ? fg_str(text) : FG_STR_NONE;
}

static bool read_object(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t token, fg_params_t *params,
                        fg_err_t *err) {
    static const char *const own[] = {"iss", "aud", "exp", "nbf", "iat", "jti"};
    const char *name;
    json_t *value;
    fg_jwt_read_t read;
    if (!verify(ex, client, token, &read, err))
        return false;
    *params = (fg_params_t){fg_arena_alloc(ex->arena, PARAMS_MAX * sizeof *params->items), 0};
    if (params->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a request object");
    json_object_foreach((json_t *)(uintptr_t)read.payload, name, value) {
        bool is_own = false;
        for (size_t i = 0; i < FG_ARRAY_SIZE(own); i++)
            is_own |= strcmp(name, own[i]) == 0;
        if (is_own)
            continue;
        fg_str_t text = text_of(ex, value);
        if (text.p == NULL || params->count == PARAMS_MAX || fg_str_starts(fg_str(name), "request"))
            return FG_FAIL(err, FG_E_OPENID_OBJECT_INVALID, "member \"%s\"", name); /* RFC 9101 §4 */
        params->items[params->count++] = (fg_param_t){fg_str(name), text};
    }
    return fg_str_eq(fg_params_get(params, "client_id", NULL), client->id) ||
           FG_FAIL(err, FG_E_OPENID_OBJECT_INVALID, "client_id is not the object's issuer");
}

/* ---- what the request says in the end */

static bool take_pushed(fg_exchange_t *ex, fg_str_t uri, fg_str_t client_id, fg_params_t *params, fg_err_t *err) {
    const size_t n = sizeof URI_PREFIX - 1;
    fg_err_t why = FG_ERR_INIT;
    fg_str_t word, bytes;
    if (!fg_str_starts(uri, URI_PREFIX))
        return FG_FAIL(err, FG_E_OPENID_OBJECT_URI, "request_uri");
    word = (fg_str_t){uri.p + n, uri.n - n};
    if (!fg_word_is(word) || !fg_kept_take(ex, KIND, word, &bytes, &why))
        return FG_FAIL(err, fg_fault_is_temporary(why.code) ? why.code : FG_E_OPENID_PUSHED, "%s", why.detail);
    return fg_params_parse(ex->arena, bytes, params, err) &&
           (fg_str_eq(fg_params_get(params, "client_id", NULL), client_id) ||
            FG_FAIL(err, FG_E_OPENID_PUSHED, "a request that another client pushed"));
}

static bool resolve(fg_exchange_t *ex, const fg_openid_client_t *client, const fg_params_t *sent, fg_params_t *params,
                    fg_err_t *err) {
    size_t times;
    fg_str_t object = fg_params_get(sent, "request", &times);
    if (times > 1)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "request %zu times", times);
    if (times == 1)
        return read_object(ex, client, object, params, err);
    *params = *sent;
    return !client->signed_only ||
           FG_FAIL(err, FG_E_OPENID_OBJECT_INVALID, "%.*s signs its requests", FG_STR_ARG(client->id));
}

bool fg_oauth_request_resolve(fg_exchange_t *ex, const fg_params_t *sent, fg_params_t *params, fg_err_t *err) {
    size_t times, ids;
    fg_str_t uri = fg_params_get(sent, "request_uri", &times), client_id = fg_params_get(sent, "client_id", &ids);
    if (times > 1 || ids > 1)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "request_uri or client_id more than once");
    const fg_partner_t *partner = fg_openid_find_client(ex, client_id, err);
    if (partner == NULL)
        return false;
    if (times == 1)
        return take_pushed(ex, uri, client_id, params, err);
    if (partner->openid->pushed_only)
        return FG_FAIL(err, FG_E_OPENID_PUSHED, "%s pushes its requests", partner->name);
    return resolve(ex, partner->openid, sent, params, err);
}

bool fg_oauth_request_text(fg_exchange_t *ex, const fg_params_t *params, fg_str_t *text, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < params->count; i++)
        fg_uri_put_param(&out, params->items[i].name, params->items[i].value);
    fg_str_t all = fg_buf_str(&out);
    *text = fg_buf_ok(&out) && all.n > 0 ? fg_arena_str(ex->arena, (fg_str_t){all.p + 1, all.n - 1}) : FG_STR_NONE;
    fg_buf_free(&out);
    return text->p != NULL || FG_FAIL(err, FG_E_OPENID_REQUEST, "the request is too long, or empty");
}

/* ---- the pushed authorization request endpoint (RFC 9126 §2) */

/* What authenticates the client is no part of the request. */
static void leave_out(fg_params_t *params) {
    static const char *const names[] = {"client_secret", "client_assertion", "client_assertion_type"};
    size_t kept = 0;
    for (size_t i = 0; i < params->count; i++) {
        bool out = false;
        for (size_t k = 0; k < FG_ARRAY_SIZE(names); k++)
            out |= fg_str_is(params->items[i].name, names[k]);
        if (!out)
            params->items[kept++] = params->items[i];
    }
    params->count = kept;
}

/* RFC 9449 §10.1: a proof that comes along says what dpop_jkt would. */
static bool put_key(fg_exchange_t *ex, const fg_openid_client_t *client, fg_params_t *params, fg_err_t *err) {
    size_t times;
    fg_holder_t holder;
    fg_str_t named = fg_params_get(params, "dpop_jkt", &times);
    size_t proofs;
    fg_request_header(&ex->request, "dpop", &proofs);
    if (proofs == 0)
        return true;
    if (!fg_oauth_holder_read(ex, client, FG_OPENID_PAR, &holder, err))
        return false;
    if (times > 0)
        return fg_str_eq(named, holder.key) || FG_FAIL(err, FG_E_OPENID_DPOP, "dpop_jkt is not the proof's key");
    fg_param_t *items = fg_arena_alloc(ex->arena, (params->count + 1) * sizeof *items);
    if (items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a pushed request");
    memcpy(items, params->items, params->count * sizeof *items);
    items[params->count] = (fg_param_t){FG_STR("dpop_jkt"), holder.key};
    *params = (fg_params_t){items, params->count + 1};
    return true;
}

static bool push(fg_exchange_t *ex, fg_err_t *err) {
    fg_params_t sent, params;
    fg_oauth_request_t request;
    fg_str_t text, word;
    const fg_partner_t *partner = fg_oauth_client_form(ex, &sent, err);
    if (partner == NULL)
        return false;
    const fg_openid_client_t *client = partner->openid;
    leave_out(&sent);
    if (fg_params_get(&sent, "request_uri", NULL).p != NULL)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "request_uri in a pushed request"); /* §2.1 */
    if (!resolve(ex, client, &sent, &params, err) || !put_key(ex, client, &params, err) ||
        !fg_oauth_request_read(ex, &params, &request, err))
        return false;
    if (request.client != client)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "client_id is not who sends it");
    if (!fg_oauth_request_text(ex, &params, &text, err) ||
        (fg_openid_client_is_public(client) && !fg_kept_count(ex, text.n, err)) || !fg_word_make(ex, &word, err) ||
        !fg_kept_put(ex, KIND, word, text, ex->now_ms + PUSHED_LIFETIME, err))
        return false;
    const char *uri = fg_arena_printf(ex->arena, URI_PREFIX "%.*s", FG_STR_ARG(word));
    json_t *json =
        json_pack("{s:s, s:I}", "request_uri", uri ? uri : "", "expires_in", (json_int_t)(PUSHED_LIFETIME / FG_SECOND));
    if (!fg_openid_answer_json(ex, json, "no-store", err))
        return false;
    ex->response.status = 201;
    fg_openid_allow_origin(ex, client);
    return true;
}

fg_step_t fg_oauth_push(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!push(ex, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}
