/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid.h"
#include "bridges/openid/provider.h"

#include <stdlib.h>

#include "core/fault.h"
#include "hub/audit.h"

fg_str_t fg_openid_url(fg_exchange_t *ex, const char *path) {
    fg_str_t base = ex->hub->base_url;
    return fg_str(fg_arena_printf(ex->arena, "%.*s%s", (int)base.n, base.p, path));
}

const fg_partner_t *fg_openid_find_client(fg_exchange_t *ex, fg_str_t client_id, fg_err_t *err) {
    const fg_partner_t *partner = fg_openid_client_get(ex, client_id);
    if (partner == NULL)
        FG_FAIL(err, FG_E_OPENID_CLIENT, "client_id \"%.*s\"", FG_STR_ARG(client_id));
    return partner;
}

/* ---- parameters */

bool fg_openid_params_once(const fg_params_t *params, fg_code_t code, fg_err_t *err) {
    for (size_t i = 0; i < params->count; i++)
        for (size_t k = 0; k < i; k++)
            if (fg_str_eq(params->items[i].name, params->items[k].name))
                return FG_FAIL(err, code, "parameter \"%.*s\" twice", FG_STR_ARG(params->items[i].name));
    return true;
}

bool fg_openid_params(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) {
    if (ex->request.method != FG_METHOD_POST)
        return fg_params_parse(ex->arena, ex->request.query, params, err);
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (!fg_str_is(type, "application/x-www-form-urlencoded"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    return fg_params_parse(ex->arena, ex->request.body, params, err);
}

fg_str_t fg_openid_next_word(fg_str_t *list) {
    while (list->n > 0 && *list->p == ' ')
        *list = (fg_str_t){list->p + 1, list->n - 1};
    const char *space = list->n > 0 ? memchr(list->p, ' ', list->n) : NULL;
    fg_str_t word = {list->p, space ? (size_t)(space - list->p) : list->n};
    *list = (fg_str_t){list->p + word.n, list->n - word.n};
    return word;
}

json_t *fg_openid_scope_model(fg_str_t scope) {
    json_t *list = json_array();
    for (fg_str_t word = fg_openid_next_word(&scope); word.n > 0; word = fg_openid_next_word(&scope))
        if (!fg_str_is(word, "openid"))
            (void)json_array_append_new(list, json_pack("{s:s%}", "scope", word.p, word.n));
    return list;
}

bool fg_openid_word_in(fg_str_t list, const char *word) {
    for (fg_str_t next = fg_openid_next_word(&list); next.n > 0; next = fg_openid_next_word(&list))
        if (fg_str_is(next, word))
            return true;
    return false;
}

/* ---- answers */

void fg_openid_answer(fg_exchange_t *ex, int status, fg_str_t json, const char *cache_control) {
    fg_response_body(ex, status, "application/json", json);
    fg_response_header(ex, "Cache-Control", fg_str(cache_control));
    fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
}

bool fg_openid_answer_json(fg_exchange_t *ex, json_t *json, const char *cache_control, fg_err_t *err) {
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL || !fg_arena_own(ex->arena, free, text))
        return FG_FAIL(err, FG_E_MEMORY, "an answer in JSON");
    fg_openid_answer(ex, 200, fg_str(text), cache_control);
    return true;
}

static void put_error(fg_exchange_t *ex, int status, const char *error, const char *sentence) {
    fg_buf_t json = FG_BUF_INIT(4096);
    fg_buf_puts(&json, "{\"error\":");
    fg_json_quote(&json, fg_str(error));
    fg_buf_puts(&json, ",\"error_description\":");
    fg_json_quote(&json, fg_str(sentence));
    fg_buf_putc(&json, '}');
    fg_openid_answer(ex, status, fg_buf_str(&json), "no-store");
    fg_buf_free(&json);
}

/* What the table says of a browser's request is not what a client's is told (RFC 6749 §5.2). */
static const char *token_error(const fg_fault_t *fault) {
    const char *error = fault->oauth_error;
    if (fault->code == FG_E_OPENID_REFUSED) /* at a device's page (RFC 8628 §3.5) */
        return error;
    bool general = strcmp(error, "access_denied") == 0 || strcmp(error, "login_required") == 0;
    return general ? "invalid_grant" : error;
}

void fg_oauth_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID_PROTOCOL)}};
    if (err->code != FG_E_OPENID_PENDING) /* asked every few seconds */
        fg_audit(ex, "refused", err, fields, FG_ARRAY_SIZE(fields));
    const char *error = token_error(fault);
    bool plain = strcmp(error, "invalid_grant") == 0 || err->code == FG_E_OPENID_REFUSED;
    int status = plain ? 400 : fault->http_status;
    put_error(ex, status, error, fault->sentence);
    size_t times;
    fg_request_header(&ex->request, "authorization", &times);
    if (status == 401 && times > 0) /* RFC 6749 §5.2: who came with this header is answered by that one */
        fg_response_header(ex, "WWW-Authenticate",
                           FG_STR("Basic realm=\"OAuth 2.0 token endpoint\", charset=\"UTF-8\""));
    if (fg_fault_is_temporary(err->code))
        fg_response_header(ex, "Retry-After", FG_STR("2"));
}

void fg_oauth_refuse_holder(fg_exchange_t *ex, const fg_err_t *err, bool dpop) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID_PROTOCOL)}};
    fg_audit(ex, "refused", err, fields, FG_ARRAY_SIZE(fields));
    bool proof = err->code == FG_E_OPENID_DPOP || err->code == FG_E_OPENID_DPOP_NONCE; /* RFC 9449 §7.1, §9 */
    int status = proof ? 401 : fault->http_status;
    put_error(ex, status, fault->oauth_error, fault->sentence);
    /* without a token there is nothing to be said about it (RFC 6750 §3.1) */
    const char *scheme = dpop ? "DPoP algs=\"" FG_JWS_ALG_NAMES "\"," : "Bearer";
    const char *challenge = err->code == FG_E_AUTH_MISSING
                                ? "Bearer"
                                : fg_arena_printf(ex->arena, "%s error=\"%s\"", scheme, fault->oauth_error);
    if (status == 401 || status == 403)
        fg_response_header(ex, "WWW-Authenticate", fg_str(challenge ? challenge : "Bearer"));
}

void fg_oauth_refuse_bearer(fg_exchange_t *ex, const fg_err_t *err) { fg_oauth_refuse_holder(ex, err, false); }

void fg_openid_allow_origin(fg_exchange_t *ex, const fg_openid_client_t *client) {
    size_t times;
    fg_str_t origin = fg_request_header(&ex->request, "origin", &times);
    if (times != 1 || !fg_str_list_has(&client->origins, origin))
        return;
    fg_response_header(ex, "Access-Control-Allow-Origin", origin);
    fg_response_header(ex, "Access-Control-Expose-Headers", FG_STR("WWW-Authenticate, DPoP-Nonce"));
    fg_response_header(ex, "Vary", FG_STR("Origin"));
}

/* ---- what browsers ask before a script's request (Fetch §4.9).  It comes without credentials: any client's origin
 * will do here, and the answer to the request itself goes by the client's own. */

static bool is_known_origin(const fg_hub_t *hub, fg_str_t origin) {
    for (size_t i = 0; i < hub->client_count; i++)
        if (fg_str_list_has(&hub->client_index[i].partner->openid->origins, origin))
            return true;
    return false;
}

static fg_step_t answer_preflight(fg_exchange_t *ex) {
    size_t times;
    fg_str_t origin = fg_request_header(&ex->request, "origin", &times);
    ex->response.status = 204;
    fg_response_header(ex, "Vary", FG_STR("Origin"));
    if (times != 1 || !is_known_origin(ex->hub, origin))
        return FG_STEP_DONE;
    fg_response_header(ex, "Access-Control-Allow-Origin", origin);
    fg_response_header(ex, "Access-Control-Allow-Methods", FG_STR("GET, POST"));
    fg_response_header(ex, "Access-Control-Allow-Headers", FG_STR("Authorization, Content-Type, DPoP"));
    fg_response_header(ex, "Access-Control-Max-Age", FG_STR("600"));
    return FG_STEP_DONE;
}

static fg_step_t token(fg_exchange_t *ex) {
    return ex->request.method == FG_METHOD_OPTIONS ? answer_preflight(ex) : fg_oauth_token(ex);
}

static fg_step_t userinfo(fg_exchange_t *ex) {
    return ex->request.method == FG_METHOD_OPTIONS ? answer_preflight(ex) : fg_oidc_userinfo(ex);
}

/* What scripts may call: the preflight is answered before it. */
static fg_step_t push(fg_exchange_t *ex) {
    return ex->request.method == FG_METHOD_OPTIONS ? answer_preflight(ex) : fg_oauth_push(ex);
}

static fg_step_t revoke(fg_exchange_t *ex) {
    return ex->request.method == FG_METHOD_OPTIONS ? answer_preflight(ex) : fg_oauth_revoke(ex);
}

/* ---- the table */

#define BROWSER (FG_METHOD_GET | FG_METHOD_POST)

static const fg_endpoint_t endpoints[] = {
    {FG_OPENID_DISCOVERY, FG_METHOD_GET, true, fg_openid_discovery, fg_oauth_refuse, NULL, true},
    {"/.well-known/openid-configuration", FG_METHOD_GET, true, fg_openid_discovery, fg_oauth_refuse, NULL, true},
    /* RFC 8414 §3.1 puts the issuer's path behind */
    {"/.well-known/oauth-authorization-server" FG_OPENID_ISSUER, FG_METHOD_GET, true, fg_openid_discovery,
     fg_oauth_refuse, NULL, true},
    {FG_OPENID_KEYS, FG_METHOD_GET, true, fg_openid_keys, fg_oauth_refuse, NULL, true},
    {FG_OPENID_AUTHORIZE, BROWSER, true, fg_oauth_authorize, fg_response_error_page, NULL},
    {FG_OPENID_TOKEN, FG_METHOD_POST | FG_METHOD_OPTIONS, true, token, fg_oauth_refuse, NULL},
    {FG_OPENID_USERINFO, BROWSER | FG_METHOD_OPTIONS, true, userinfo, fg_oauth_refuse_bearer, NULL},
    {FG_OPENID_PAR, FG_METHOD_POST | FG_METHOD_OPTIONS, true, push, fg_oauth_refuse, NULL},
    {FG_OPENID_REGISTER, BROWSER | FG_METHOD_OTHER, true, fg_oauth_register, fg_oauth_refuse_bearer, NULL},
    {FG_OPENID_INTROSPECT, FG_METHOD_POST, true, fg_oauth_introspect, fg_oauth_refuse, NULL},
    {FG_OPENID_REVOKE, FG_METHOD_POST | FG_METHOD_OPTIONS, true, revoke, fg_oauth_refuse, NULL},
    {FG_OPENID_DEVICE_BEGIN, FG_METHOD_POST, true, fg_oauth_device_begin, fg_oauth_refuse, NULL},
    {FG_OPENID_DEVICE, BROWSER, true, fg_oauth_device, fg_response_error_page, NULL},
    {FG_OPENID_LOGOUT, BROWSER, true, fg_oidc_logout, fg_response_error_page, NULL},
    {FG_OPENID_CALLBACK, BROWSER, true, fg_oidc_rp_callback, fg_response_error_page, NULL},
    {FG_OPENID_SIGNED_OUT, FG_METHOD_GET, true, fg_oidc_rp_signed_out, fg_response_error_page, NULL},
    {FG_OPENID_BACKCHANNEL, FG_METHOD_POST, true, fg_oidc_rp_backchannel, fg_oauth_refuse, NULL},
    {FG_OPENID_FRONTCHANNEL, FG_METHOD_GET, true, fg_oidc_rp_frontchannel, fg_response_error_page, NULL},
};

const fg_protocol_t fg_openid_protocol = {
    .name = FG_OPENID_PROTOCOL,
    .endpoints = endpoints,
    .endpoint_count = FG_ARRAY_SIZE(endpoints),
    .begin_sign_in = fg_oidc_rp_begin_sign_in,
    .find_party = fg_openid_client_get,
    .tell_party = fg_oidc_tell_party,
    .tell_provider = fg_oidc_rp_tell_provider,
    .session_ended = fg_oidc_rp_session_ended,
    .provider_keys = fg_openid_provider_keys,
};
