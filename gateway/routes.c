/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/routes.h"

#include "bridges/openid/openid.h"
#include "bridges/openid/openid2.h"
#include "bridges/saml/saml.h"
#include "core/fault.h"
#include "hub/initiate.h"
#include "hub/web_access.h"
#include "sts/mex.h"
#include "sts/viewer.h"
#include "sts/wsfed.h"
#include "sts/wstrust.h"

/* ---- the table of protocols */

static const fg_protocol_t *const protocols[] = {
    &fg_wstrust_protocol,    &fg_mex_protocol,      &fg_saml_protocol,   &fg_wsfed_protocol,   &fg_viewer_protocol,
    &fg_web_access_protocol, &fg_initiate_protocol, &fg_openid_protocol, &fg_openid2_protocol,
};

/* Partners write addresses with and without the last slash. */
static fg_str_t without_slash(fg_str_t path) {
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

/* Where an endpoint stands; the viewer's place is configured.  NULL: nowhere. */
static const char *endpoint_path(const fg_hub_t *hub, const fg_protocol_t *protocol, const fg_endpoint_t *endpoint) {
    return protocol == &fg_viewer_protocol ? hub->viewer_path : endpoint->path;
}

/* A path that ends with '*' stands for everything below its last slash. */
static bool is_below(const char *own, fg_str_t path) {
    size_t n = strlen(own);
    return n > 1 && own[n - 1] == '*' && path.n >= n && memcmp(path.p, own, n - 1) == 0;
}

/* A path as it goes into an address. */
static const char *encode_path(const fg_exchange_t *ex) {
    fg_buf_t out = FG_BUF_INIT(16u << 10);
    for (fg_str_t rest = ex->request.path; rest.n > 0;) {
        const char *slash = memchr(rest.p, '/', rest.n);
        fg_str_t part = {rest.p, slash ? (size_t)(slash - rest.p) : rest.n};
        fg_uri_encode(&out, part);
        if (slash != NULL)
            fg_buf_putc(&out, '/');
        rest = (fg_str_t){part.p + part.n + (slash != NULL), rest.n - part.n - (slash != NULL)};
    }
    const char *copy = fg_buf_ok(&out) ? fg_arena_strndup(ex->arena, out.data, out.length) : NULL;
    fg_buf_free(&out);
    return copy;
}

/* Of several at one path, the one that says that the request is its own. */
static const fg_endpoint_t *find(const fg_exchange_t *ex, const char **place) {
    const fg_endpoint_t *found = NULL;
    fg_str_t path = without_slash(ex->request.path);
    for (size_t i = 0; i < FG_ARRAY_SIZE(protocols); i++)
        for (size_t k = 0; k < protocols[i]->endpoint_count; k++) {
            const fg_endpoint_t *endpoint = &protocols[i]->endpoints[k];
            const char *own = endpoint_path(ex->hub, protocols[i], endpoint);
            bool below = own != NULL && is_below(own, ex->request.path);
            if (own == NULL || (!below && !fg_str_eq(without_slash(fg_str(own)), path)))
                continue;
            if (endpoint->is_meant != NULL && !endpoint->is_meant(ex))
                continue;
            *place = below ? encode_path(ex) : own;
            found = endpoint;
            if (endpoint->is_meant != NULL)
                return found;
        }
    return found;
}

/* ---- checks */

static void put_allow(fg_exchange_t *ex, unsigned methods) {
    const char *allow = methods & FG_METHOD_POST ? (methods & FG_METHOD_GET ? "GET, HEAD, POST" : "POST") : "GET, HEAD";
    fg_response_header(ex, "Allow", fg_str(allow));
}

/* The same request under the published address. */
static fg_step_t redirect_to_base(fg_exchange_t *ex, const char *place) {
    fg_str_t query = ex->request.query;
    fg_buf_t url = FG_BUF_INIT(64u << 10);
    fg_buf_put_str(&url, ex->hub->base_url);
    fg_buf_puts(&url, place);
    if (query.n > 0) {
        fg_buf_putc(&url, '?');
        fg_buf_put_str(&url, query);
    }
    if (fg_buf_ok(&url))
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return FG_STEP_DONE;
}

static fg_step_t refuse(fg_exchange_t *ex, const fg_endpoint_t *endpoint, const fg_err_t *err) {
    endpoint->refuse(ex, err);
    return FG_STEP_DONE;
}

/* Endpoints that refuse with a page are talked to by browsers, which can be sent on; programs get a fault. */
static fg_step_t check_place(fg_exchange_t *ex, const fg_endpoint_t *endpoint, const char *place) {
    fg_err_t err = FG_ERR_INIT;
    const fg_request_t *request = &ex->request;
    bool browser = endpoint->refuse == fg_response_error_page, plain = endpoint->needs_https && !request->https;
    if (plain || (browser && !fg_request_is_at(request, ex->hub->host))) {
        if (browser && request->method == FG_METHOD_GET && place != NULL)
            return redirect_to_base(ex, place);
        if (plain)
            FG_FAIL(&err, FG_E_HTTP_NEEDS_TLS, "http");
        else
            FG_FAIL(&err, FG_E_HTTP_HOST, "host \"%.*s\"", FG_STR_ARG(request->host));
        return refuse(ex, endpoint, &err);
    }
    if (request->body_too_large || request->body.n > ex->hub->body_max) {
        FG_FAIL(&err, FG_E_HTTP_TOO_LARGE, "body over %zu bytes", ex->hub->body_max);
        return refuse(ex, endpoint, &err);
    }
    if (!ex->rules_wait || endpoint->publishes)
        return endpoint->handle(ex);
    ex->next = endpoint->handle;
    return FG_STEP_MOVE;
}

fg_step_t fg_route_begin(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    const char *place;
    const fg_endpoint_t *endpoint = find(ex, &place);
    if (endpoint == NULL) {
        FG_FAIL(&err, FG_E_HTTP_NOT_FOUND, "path \"%.*s\"", FG_STR_ARG(ex->request.path));
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    if (ex->request.method == FG_METHOD_HEAD)
        ex->request.method = FG_METHOD_GET; /* the host leaves the body out */
    if ((endpoint->methods & ex->request.method) == 0) {
        FG_FAIL(&err, FG_E_HTTP_METHOD, "%s",
                ex->request.method == FG_METHOD_GET    ? "GET"
                : ex->request.method == FG_METHOD_POST ? "POST"
                                                       : "another method");
        put_allow(ex, endpoint->methods);
        return refuse(ex, endpoint, &err);
    }
    return check_place(ex, endpoint, place);
}

void fg_route_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    const char *place;
    const fg_endpoint_t *endpoint = find(ex, &place);
    if (endpoint != NULL)
        endpoint->refuse(ex, err);
    else
        fg_response_error_page(ex, err);
}

/* ---- the end */

/* Headers that need no memory. */
static void put_fixed(fg_response_t *response, const char *name, const char *value) {
    if (response->header_count < FG_RESPONSE_HEADERS)
        response->headers[response->header_count++] = (fg_header_t){fg_str(name), fg_str(value)};
    else
        response->failed = true;
}

static void put_common(fg_exchange_t *ex) {
    put_fixed(&ex->response, "X-Request-Id", ex->correlation_id);
    /* browsers keep it for every port of a host: on localhost it would break other people's servers (RFC 6797 §14.3) */
    bool local = fg_str_is(ex->hub->host, "localhost") || fg_str_starts(ex->hub->host, "localhost:");
    if (ex->request.https && !local)
        put_fixed(&ex->response, "Strict-Transport-Security", "max-age=31536000");
}

void fg_route_finish(fg_exchange_t *ex) {
    fg_response_t *response = &ex->response;
    put_common(ex);
    if (response->status != 0 && !response->failed && fg_buf_ok(&response->body))
        return;
    const fg_fault_t *fault = fg_fault_get(FG_E_INTERNAL);
    fg_log(ex->env, FG_LOG_ERROR, "%s: %.*s: %s", ex->correlation_id, FG_STR_ARG(ex->request.path),
           response->status == 0 ? "nothing was answered" : "the answer is not whole");
    response->status = fault->http_status;
    response->header_count = 0;
    response->failed = false;
    put_fixed(response, "Content-Type", "text/plain; charset=utf-8");
    put_fixed(response, "Cache-Control", "no-store");
    put_common(ex);
    fg_buf_reset(&response->body);
    fg_buf_puts(&response->body, fault->sentence); /* without memory the body stays empty */
    if (!fg_buf_ok(&response->body))
        fg_buf_reset(&response->body);
}
