/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * URIs read strictly (RFC 3986), query strings and forms. */
#ifndef FG_CORE_URI_H
#define FG_CORE_URI_H

#include "core/arena.h"
#include "core/buf.h"

typedef struct fg_uri {
    fg_str_t scheme;   /* as written */
    fg_str_t userinfo; /* .p NULL: absent */
    fg_str_t host;     /* without the brackets of an IPv6 literal */
    unsigned port;     /* 0: absent */
    fg_str_t path;
    fg_str_t query;    /* .p NULL: absent */
    fg_str_t fragment; /* .p NULL: absent */
} fg_uri_t;

/* Any absolute URI (urn: included).  Refuses characters outside RFC 3986, back slashes, white space, control
 * characters. */
bool fg_uri_parse(fg_str_t text, fg_uri_t *uri) FG_MUST_CHECK;
/* An address for a browser or a client: http or https with a host, without userinfo, without fragment (WF-01, SA-11).
 */
bool fg_uri_is_web(fg_str_t text) FG_MUST_CHECK;
/* "scheme://host[:port]" in lower case, default port left out. */
bool fg_uri_origin(fg_str_t text, fg_buf_t *out) FG_MUST_CHECK;

/* Appends text with everything but RFC 3986's unreserved characters percent-encoded. */
void fg_uri_encode(fg_buf_t *out, fg_str_t text);

/* One parameter "name=value" of an address, encoded, with '?' or '&' before it. */
void fg_uri_put_param(fg_buf_t *url, fg_str_t name, fg_str_t value);

typedef struct fg_param {
    fg_str_t name;  /* decoded; may hold any byte but NUL */
    fg_str_t value; /* decoded */
} fg_param_t;
typedef struct fg_params {
    fg_param_t *items;
    size_t count;
} fg_params_t;

/* Reads application/x-www-form-urlencoded ('+' is a space), at most 64 parameters.  A malformed escape, a NUL or bytes
 * that are not UTF-8 are refused. */
bool fg_params_parse(fg_arena_t *arena, fg_str_t text, fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;
/* The value of a name; .p NULL: absent.  *times (may be NULL) says how often it was given: a caller refuses more than
 * one. */
fg_str_t fg_params_get(const fg_params_t *params, const char *name, size_t *times);

#endif
