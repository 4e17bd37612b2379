/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the gateway itself asks other servers for.  Everybody gets the client from fg_env_t, so that a test answers from
 * a table.  Where it may go is configured; deny is the default (WT-10, OI-09, O2-10). */
#ifndef FG_CORE_HTTP_H
#define FG_CORE_HTTP_H

#include <sys/socket.h>

#include "core/arena.h"
#include "core/env.h"

typedef struct fg_http_field {
    fg_str_t name;
    fg_str_t value;
} fg_http_field_t;

typedef struct fg_http_request {
    const char *method; /* NULL: GET */
    fg_str_t url;
    const fg_http_field_t *headers; /* no line breaks in them */
    size_t header_count;
    fg_str_t body;       /* .p NULL: none */
    int64_t deadline_ms; /* for all of it; 0: as configured, and never longer than that */
    size_t body_max;     /* bytes of the answer's body; 0: as configured */
    unsigned redirects;  /* that many are followed, each checked like the first address; 0: none */
    bool any_host;       /* any https address, as long as it is a public one; the caller's configuration says so */
    bool patient;        /* nobody waits for it: deadline_ms counts, also if it is longer than what is configured */
    bool revalidate;     /* the cache does not answer by itself */
} fg_http_request_t;

typedef struct fg_http_response {
    int status; /* whatever it is: the caller judges */
    fg_http_field_t *headers;
    size_t header_count;
    fg_str_t body; /* a NUL behind it */
    fg_str_t url;  /* where it came from in the end */
} fg_http_response_t;

struct fg_http {
    /* Strings of the response live in the arena.  FG_E_FETCH_REFUSED: it may not go there; FG_E_FETCH_FAILED: no whole
     * answer in time. */
    bool (*fetch)(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                  fg_http_response_t *response, fg_err_t *err);
};

/* By env's client; without one everything is refused. */
bool fg_http_fetch(const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                   fg_http_response_t *response, fg_err_t *err) FG_MUST_CHECK;
/* The first header of a name, in any case; .p NULL: none. */
fg_str_t fg_http_header(const fg_http_response_t *response, const char *name);

/* How long an answer is fresh from now on, in milliseconds (RFC 9111 §4.2); -1: it must not be kept. */
int64_t fg_http_lifetime(const fg_http_response_t *response, int64_t now_ms);

/* ---- where it may go (http_allow.c) */

/* What begins with "https://crl.example.com", with "http://crl.example.com:8080/pki", or is on a host below example.org
 * ("https://STAR.example.org", with '*' for STAR): up to a border between segments of the path. */
typedef struct fg_http_allow {
    bool https;
    bool wildcard; /* host stands for every name below it */
    fg_str_t host;
    unsigned port;
    fg_str_t path; /* begins with '/' */
} fg_http_allow_t;

/* Borrows text.  False: no such form. */
bool fg_http_allow_parse(fg_str_t text, fg_http_allow_t *allow) FG_MUST_CHECK;

typedef enum fg_http_reach {
    FG_HTTP_FORBIDDEN,
    FG_HTTP_PUBLIC,  /* at public addresses only */
    FG_HTTP_ANYWHERE /* its host is named without a wildcard: at any address */
} fg_http_reach_t;
/* *err is set if forbidden. */
fg_http_reach_t fg_http_reach(const fg_http_allow_t *allow, size_t count, fg_str_t url, bool any_host, fg_err_t *err);

/* Neither loopback, private, link-local, multicast, unspecified, reserved nor a way to embed one of them in another
 * (IANA's special-purpose address registries, RFC 6890). */
bool fg_http_is_public(const struct sockaddr *address);

/* ---- the client (http_client.c) */

typedef struct fg_http_options {
    const fg_http_allow_t *allow; /* borrowed, as all here */
    size_t allow_count;
    const char *ca_file; /* whom to believe; NULL: the system's CAs */
    int64_t deadline_ms;
    size_t body_max;
} fg_http_options_t;

/* Once per process, before threads. */
bool fg_http_start(fg_err_t *err) FG_MUST_CHECK;
void fg_http_stop(void);

/* Thread-safe.  Keeps connections and, by the rules of RFC 9111, answers.  NULL: memory. */
fg_http_t *fg_http_client_new(const fg_http_options_t *options, fg_err_t *err) FG_MUST_CHECK;
void fg_http_client_free(fg_http_t *http);

/* ---- whom a server's TLS shows (http_tls.c) */

#define FG_HTTP_CHAIN_MAX 10u
typedef struct fg_http_tls {
    fg_str_t protocol;                 /* "TLSv1.3 / TLS_AES_256_GCM_SHA384", as libcurl words it; .p NULL: not known */
    fg_str_t chain[FG_HTTP_CHAIN_MAX]; /* certificates in PEM as they are sent, the server's own first */
    size_t count;
    bool believed;    /* for that name, by those CAs, now */
    fg_str_t why_not; /* else, as libcurl words it */
} fg_http_tls_t;

/* For people who look at a server: handshakes with url's server, and no request; certificates of any kind are shown.
 * Blocks, after fg_http_start.  ca_file: whom to believe; NULL: the system's CAs.  Strings live in the arena.
 * FG_E_FETCH_FAILED: no TLS there. */
bool fg_http_look(fg_arena_t *arena, const char *url, const char *ca_file, int64_t deadline_ms, fg_http_tls_t *tls,
                  fg_err_t *err) FG_MUST_CHECK;

#endif
