/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A fetch from end to end: may it go there, is it known already, one hop after the other. */
#include <stdlib.h>

#include "core/http_parts.h"
#include "core/uri.h"

#define CACHE_ENTRIES 256u
#define CACHE_BYTES (16u << 20)
#define HEADERS_MAX 16u
#define REDIRECTS_MAX 5u
#define URL_MAX 4096u

typedef struct client {
    fg_http_t http; /* first */
    fg_http_options_t options;
    fg_http_wire_t *wire;
    fg_http_cache_t *cache;
} client_t;

bool fg_http_fetch(const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                   fg_http_response_t *response, fg_err_t *err) {
    *response = (fg_http_response_t){0};
    if (env->http == NULL)
        return FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: nothing is fetched here", FG_STR_ARG(request->url));
    return env->http->fetch(env->http, env, arena, request, response, err);
}

fg_str_t fg_http_header(const fg_http_response_t *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++)
        if (fg_str_eq_nocase(response->headers[i].name, fg_str(name)))
            return response->headers[i].value;
    return FG_STR_NONE;
}

/* ---- one fetch */

typedef struct fetch {
    client_t *client;
    const fg_env_t *env;
    fg_arena_t *arena;
    const fg_http_request_t *request;
    int64_t until_ms; /* the deadline, by env's clock */
    int64_t longest_ms;
    fg_http_hop_t hop;
    fg_http_field_t headers[HEADERS_MAX + 2];
} fetch_t;

static bool has_break(fg_str_t s) {
    return s.n > 0 && (memchr(s.p, '\r', s.n) || memchr(s.p, '\n', s.n) || memchr(s.p, '\0', s.n));
}

static bool check_request(const fg_http_request_t *request, fg_err_t *err) {
    if (request->header_count > HEADERS_MAX || request->url.n > URL_MAX || request->redirects > REDIRECTS_MAX)
        return FG_FAIL(err, FG_E_INTERNAL, "a request beyond the HTTP client's limits");
    for (size_t i = 0; i < request->header_count; i++)
        if (has_break(request->headers[i].name) || has_break(request->headers[i].value))
            return FG_FAIL(err, FG_E_INTERNAL, "a request header with a line break");
    return true;
}

static bool is_get(const fg_http_request_t *request) {
    return request->method == NULL || strcmp(request->method, "GET") == 0;
}

/* Answers to credentials belong to who sent them. */
static bool may_be_kept(const fg_http_request_t *request) {
    if (!is_get(request) || request->body.p != NULL || request->any_host)
        return false;
    for (size_t i = 0; i < request->header_count; i++)
        if (!fg_str_eq_nocase(request->headers[i].name, FG_STR("Accept")))
            return false;
    return true;
}

static fg_str_t cache_key(fetch_t *f) {
    const fg_http_request_t *request = f->request;
    fg_str_t accept = request->header_count > 0 ? request->headers[0].value : FG_STR_NONE;
    return fg_str(fg_arena_printf(f->arena, "%u\n%zu\n%.*s\n%.*s", request->redirects, request->body_max, (int)accept.n,
                                  accept.p ? accept.p : "", (int)request->url.n, request->url.p));
}

static bool run_hop(fetch_t *f, fg_http_response_t *response, fg_err_t *err) {
    const fg_http_options_t *options = &f->client->options;
    fg_http_hop_t *hop = &f->hop;
    fg_http_reach_t reach = fg_http_reach(options->allow, options->allow_count, hop->url, f->request->any_host, err);
    if (reach == FG_HTTP_FORBIDDEN)
        return false;
    hop->public_only = reach != FG_HTTP_ANYWHERE;
    hop->deadline_ms = f->until_ms - fg_now(f->env);
    if (hop->deadline_ms > f->longest_ms) /* the clock was set back */
        hop->deadline_ms = f->longest_ms;
    if (hop->deadline_ms <= 0)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: the time is over", FG_STR_ARG(hop->url));
    *response = (fg_http_response_t){0};
    if (!f->client->wire->run(f->client->wire, f->arena, hop, response, err))
        return false;
    response->url = hop->url;
    return true;
}

static bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* RFC 3986 §5.2 as far as servers use it: absolute, "//host/…" and "/path". */
static fg_str_t resolve(fg_arena_t *arena, fg_str_t base, fg_str_t location) {
    fg_uri_t uri;
    if (fg_uri_parse(location, &uri) && uri.host.n > 0)
        return fg_arena_str(arena, location);
    if (location.n == 0 || location.p[0] != '/' || !fg_uri_parse(base, &uri))
        return FG_STR_NONE;
    size_t scheme = uri.scheme.n + 1, origin = (size_t)(uri.path.p - base.p);
    size_t keep = location.n > 1 && location.p[1] == '/' ? scheme : origin;
    if (location.n > URL_MAX)
        return FG_STR_NONE;
    return fg_str(fg_arena_printf(arena, "%.*s%.*s", (int)keep, base.p, (int)location.n, location.p));
}

/* Only what asks and sends nothing goes on: a body and its credentials were meant for the first address. */
static bool next_hop(fetch_t *f, const fg_http_response_t *response, fg_err_t *err) {
    fg_str_t location = fg_http_header(response, "Location");
    if (!is_get(f->request) || f->request->body.p != NULL)
        return FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: a redirect of a %s", FG_STR_ARG(f->hop.url), f->hop.method);
    fg_str_t url = resolve(f->arena, f->hop.url, location);
    if (url.p == NULL)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: a redirect to \"%.*s\"", FG_STR_ARG(f->hop.url),
                       FG_STR_ARG(location));
    if (fg_str_starts(f->hop.url, "https:") && !fg_str_starts(url, "https:"))
        return FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: a redirect away from https", FG_STR_ARG(f->hop.url));
    f->hop.url = url;
    f->hop.header_count = 0; /* whoever is there next, our headers were not for them */
    return true;
}

static bool run_hops(fetch_t *f, fg_http_response_t *response, fg_err_t *err) {
    for (unsigned left = f->request->redirects;; left--) {
        if (!run_hop(f, response, err))
            return false;
        if (!is_redirect(response->status) || f->request->redirects == 0)
            return true;
        if (left == 0)
            return FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: more than %u redirects", FG_STR_ARG(f->request->url),
                           f->request->redirects);
        if (!next_hop(f, response, err))
            return false;
    }
}

/* RFC 9111 §4.3.1 */
static void ask_whether_changed(fetch_t *f, const fg_http_response_t *kept) {
    fg_str_t etag = fg_http_header(kept, "ETag"), modified = fg_http_header(kept, "Last-Modified");
    if (etag.n > 0)
        f->headers[f->hop.header_count++] = (fg_http_field_t){FG_STR("If-None-Match"), etag};
    if (modified.n > 0)
        f->headers[f->hop.header_count++] = (fg_http_field_t){FG_STR("If-Modified-Since"), modified};
}

static bool fetch_by_cache(fetch_t *f, fg_http_response_t *response, fg_err_t *err) {
    fg_http_cache_t *cache = f->client->cache;
    fg_http_response_t kept;
    fg_str_t key = cache_key(f);
    if (key.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "fetching");
    int64_t now = fg_now(f->env);
    fg_http_cached_t found = fg_http_cache_find(cache, f->arena, key, now, &kept, err);
    if (found == FG_HTTP_FRESH && !f->request->revalidate) {
        *response = kept;
        return true;
    }
    if (found == FG_HTTP_FAILED)
        return false;
    bool asks = found == FG_HTTP_FRESH || found == FG_HTTP_STALE;
    if (asks)
        ask_whether_changed(f, &kept);
    fg_err_t why = FG_ERR_INIT;
    if (!run_hops(f, response, &why)) {
        fg_http_cache_fail(cache, key, now, &why);
        if (err != NULL)
            *err = why;
        return false;
    }
    if (asks && response->status == 304) {
        fg_http_cache_renew(cache, key, now, response);
        *response = kept;
        return true;
    }
    fg_http_cache_put(cache, key, now, response);
    return true;
}

static int64_t shorter(int64_t wanted, int64_t configured) {
    return wanted > 0 && wanted < configured ? wanted : configured;
}

static bool client_fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                         fg_http_response_t *response, fg_err_t *err) {
    client_t *client = (client_t *)http;
    fetch_t f = {.client = client, .env = env, .arena = arena, .request = request};
    if (!check_request(request, err))
        return false;
    bool patient = request->patient && request->deadline_ms > 0;
    f.longest_ms = patient ? request->deadline_ms : shorter(request->deadline_ms, client->options.deadline_ms);
    f.until_ms = fg_now(env) + f.longest_ms;
    f.hop = (fg_http_hop_t){
        .method = request->method ? request->method : "GET",
        .url = request->url,
        .headers = f.headers,
        .header_count = request->header_count,
        .body = request->body,
        .body_max = request->body_max ? request->body_max : client->options.body_max,
    };
    if (request->header_count > 0)
        memcpy(f.headers, request->headers, request->header_count * sizeof *f.headers);
    return may_be_kept(request) ? fetch_by_cache(&f, response, err) : run_hops(&f, response, err);
}

/* ---- making and letting go */

fg_http_t *fg_http_client_over(const fg_http_options_t *options, fg_http_wire_t *wire, fg_err_t *err) {
    client_t *client = calloc(1, sizeof *client);
    fg_http_cache_t *cache = fg_http_cache_new(CACHE_ENTRIES, CACHE_BYTES);
    if (client == NULL || cache == NULL || wire == NULL) {
        if (wire != NULL)
            wire->free(wire);
        fg_http_cache_free(cache);
        free(client);
        FG_FAIL(err, FG_E_MEMORY, "making an HTTP client");
        return NULL;
    }
    *client = (client_t){{client_fetch}, *options, wire, cache};
    return &client->http;
}

fg_http_t *fg_http_client_new(const fg_http_options_t *options, fg_err_t *err) {
    fg_http_wire_t *wire = fg_http_curl_new(options->ca_file, err);
    return wire ? fg_http_client_over(options, wire, err) : NULL;
}

void fg_http_client_free(fg_http_t *http) {
    client_t *client = (client_t *)http;
    if (client == NULL)
        return;
    client->wire->free(client->wire);
    fg_http_cache_free(client->cache);
    free(client);
}
