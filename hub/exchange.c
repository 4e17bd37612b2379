/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/exchange.h"

#include "core/fault.h"
#include "hub/audit.h"

bool fg_exchange_ensure_id(fg_exchange_t *ex) {
    return ex->correlation_id[0] != '\0' || fg_id_uuid(ex->env, ex->correlation_id);
}

fg_str_t fg_request_header(const fg_request_t *request, const char *name, size_t *times) {
    fg_str_t value = FG_STR_NONE, wanted = fg_str(name);
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!fg_str_eq_nocase(request->headers[i].name, wanted))
            continue;
        if (count++ == 0)
            value = request->headers[i].value;
    }
    if (times != NULL)
        *times = count;
    return value;
}

bool fg_request_is_at(const fg_request_t *request, fg_str_t host) {
    fg_str_t asked = request->host, end = FG_STR(":443"); /* the default port may be said */
    if (asked.n > end.n && memcmp(asked.p + asked.n - end.n, end.p, end.n) == 0)
        asked.n -= end.n;
    return fg_str_eq_nocase(asked, host);
}

/* Cuts the next "name=value" off a Cookie header; false at its end. */
static bool next_cookie(fg_str_t *rest, fg_str_t *name, fg_str_t *value) {
    while (rest->n > 0) {
        const char *end = memchr(rest->p, ';', rest->n);
        fg_str_t pair = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
        size_t taken = pair.n + (end ? 1 : 0);
        rest->p += taken;
        rest->n -= taken;
        pair = fg_str_trim(pair);
        const char *equals = pair.n > 0 ? memchr(pair.p, '=', pair.n) : NULL;
        if (equals == NULL)
            continue;
        *name = (fg_str_t){pair.p, (size_t)(equals - pair.p)};
        *value = (fg_str_t){equals + 1, pair.n - name->n - 1};
        return true;
    }
    return false;
}

fg_str_t fg_request_cookie(const fg_request_t *request, const char *name, size_t *times) {
    fg_str_t found = FG_STR_NONE;
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!fg_str_eq_nocase(request->headers[i].name, FG_STR("cookie")))
            continue;
        fg_str_t rest = request->headers[i].value, cookie, value;
        while (next_cookie(&rest, &cookie, &value))
            if (fg_str_is(cookie, name) && count++ == 0)
                found = value;
    }
    if (times != NULL)
        *times = count;
    return found;
}

size_t fg_request_cookies(const fg_request_t *request, const char *prefix, fg_header_t *found, size_t room) {
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!fg_str_eq_nocase(request->headers[i].name, FG_STR("cookie")))
            continue;
        fg_str_t rest = request->headers[i].value;
        fg_header_t cookie;
        while (count < room && next_cookie(&rest, &cookie.name, &cookie.value))
            if (fg_str_starts(cookie.name, prefix))
                found[count++] = cookie;
    }
    return count;
}

bool fg_request_is_framed(const fg_request_t *request) {
    fg_str_t destination = fg_request_header(request, "sec-fetch-dest", NULL);
    return fg_str_is(destination, "iframe") || fg_str_is(destination, "frame");
}

fg_str_t fg_request_media_type(fg_arena_t *arena, const fg_request_t *request) {
    size_t times;
    fg_str_t value = fg_request_header(request, "content-type", &times);
    if (times != 1)
        return FG_STR_NONE;
    const char *semicolon = value.n > 0 ? memchr(value.p, ';', value.n) : NULL;
    if (semicolon != NULL)
        value.n = (size_t)(semicolon - value.p);
    value = fg_arena_str(arena, fg_str_trim(value));
    char *text = (char *)(uintptr_t)value.p; /* our own copy */
    for (size_t i = 0; i < value.n; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] + 32);
    return value;
}

void fg_response_header(fg_exchange_t *ex, const char *name, fg_str_t value) {
    fg_response_t *response = &ex->response;
    bool clean = value.n == 0 || (memchr(value.p, '\r', value.n) == NULL && memchr(value.p, '\n', value.n) == NULL &&
                                  memchr(value.p, '\0', value.n) == NULL);
    fg_str_t copy = clean ? fg_arena_str(ex->arena, value) : FG_STR_NONE;
    if (copy.p == NULL || response->header_count == FG_RESPONSE_HEADERS) {
        fg_log(ex->env, FG_LOG_ERROR, "%s: response header %s could not be written", ex->correlation_id, name);
        response->failed = true;
        return;
    }
    response->headers[response->header_count++] = (fg_header_t){fg_str(name), copy};
}

void fg_response_body(fg_exchange_t *ex, int status, const char *media_type, fg_str_t body) {
    ex->response.status = status;
    fg_response_header(ex, "Content-Type", fg_str(media_type));
    fg_buf_reset(&ex->response.body);
    fg_buf_put_str(&ex->response.body, body);
}

void fg_response_redirect(fg_exchange_t *ex, fg_str_t url) {
    ex->response.status = ex->request.method == FG_METHOD_POST ? 303 : 302;
    fg_response_header(ex, "Location", url);
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
}

static void put(json_t *model, const char *name, const char *value) {
    /* a member that does not fit into memory is missing from the page, no more */
    (void)json_object_set_new(model, name, json_string(value ? value : ""));
}

void fg_response_error_body(fg_exchange_t *ex, const fg_err_t *err) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    if (fg_fault_is_temporary(err->code))
        fg_response_header(ex, "Retry-After", FG_STR("2"));
    json_t *model = json_object();
    if (model != NULL) {
        (void)json_object_set_new(model, "status", json_integer(fault->http_status));
        put(model, "sentence", fault->sentence);
        put(model, "reason", fg_fault_public_reason(err->code));
        put(model, "fault", fault->wsfed);
        put(model, "correlation_id", ex->correlation_id);
    }
    if (model != NULL && ex->hub->render(ex, fault->http_status, "error", model))
        return;
    fg_response_body(ex, fault->http_status, "text/plain; charset=utf-8", fg_str(fault->sentence));
}

void fg_response_error_page(fg_exchange_t *ex, const fg_err_t *err) {
    fg_audit(ex, "refused", err, NULL, 0);
    fg_response_error_body(ex, err);
}
