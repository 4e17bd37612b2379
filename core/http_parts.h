/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files of the HTTP client and their tests: nobody else includes this. */
#ifndef FG_CORE_HTTP_PARTS_H
#define FG_CORE_HTTP_PARTS_H

#include "core/buf.h"
#include "core/http.h"

/* One request to one address that was found good, and its answer. */
typedef struct fg_http_hop {
    const char *method;
    fg_str_t url;
    const fg_http_field_t *headers;
    size_t header_count;
    fg_str_t body;
    int64_t deadline_ms;
    size_t body_max;
    bool public_only; /* the address that is connected to must be a public one */
} fg_http_hop_t;

/* What carries hops: libcurl, or a test's table. */
typedef struct fg_http_wire fg_http_wire_t;
struct fg_http_wire {
    bool (*run)(fg_http_wire_t *wire, fg_arena_t *arena, const fg_http_hop_t *hop, fg_http_response_t *response,
                fg_err_t *err);
    void (*free)(fg_http_wire_t *wire);
};

/* A file of CAs; out's maximum bounds it.  FG_E_FILE; FG_E_CONFIG: there are none in it, which must not come to mean the
 * system's. */
bool fg_http_read_ca(const char *ca_file, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
#define FG_HTTP_CA_MAX (4u << 20)

/* ca_file (NULL: the system's CAs) is read here, once. */
fg_http_wire_t *fg_http_curl_new(const char *ca_file, fg_err_t *err) FG_MUST_CHECK;
/* wire is taken, also on failure. */
fg_http_t *fg_http_client_over(const fg_http_options_t *options, fg_http_wire_t *wire, fg_err_t *err) FG_MUST_CHECK;

/* ---- answers that are kept (http_cache.c); thread-safe */

typedef struct fg_http_cache fg_http_cache_t;
typedef enum fg_http_cached {
    FG_HTTP_MISSING,
    FG_HTTP_FRESH, /* response is filled in */
    FG_HTTP_STALE, /* the same, but the server is to be asked whether it still holds: with etag and last_modified */
    FG_HTTP_FAILED /* it failed a moment ago; *err says how */
} fg_http_cached_t;

fg_http_cache_t *fg_http_cache_new(size_t entries, size_t bytes) FG_MUST_CHECK;
void fg_http_cache_free(fg_http_cache_t *cache);
fg_http_cached_t fg_http_cache_find(fg_http_cache_t *cache, fg_arena_t *arena, fg_str_t key, int64_t now_ms,
                                    fg_http_response_t *response, fg_err_t *err);
/* Keeps an answer if its headers let us, else forgets what was there. */
void fg_http_cache_put(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_http_response_t *response);
/* 304: what is kept holds on, with the new answer's word on for how long. */
void fg_http_cache_renew(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_http_response_t *not_modified);
/* Remembers for a few seconds that nothing came, so that a server that is down is not waited for by everybody. */
void fg_http_cache_fail(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_err_t *err);
#endif
