/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One HTTP request and its answer, in the house's own plain form, and what happens between them. */
#ifndef FG_HUB_EXCHANGE_H
#define FG_HUB_EXCHANGE_H

#include "core/env.h"
#include "core/uri.h"
#include "hub/hub.h"

typedef struct fg_header {
    fg_str_t name;
    fg_str_t value;
} fg_header_t;

typedef enum fg_method {
    FG_METHOD_GET = 1,
    FG_METHOD_HEAD = 2,
    FG_METHOD_POST = 4,
    FG_METHOD_OTHER = 8,
    FG_METHOD_OPTIONS = 16 /* what browsers ask before a script's request to another site (Fetch, CORS preflight) */
} fg_method_t;

/* Filled by the host; its strings live as long as the exchange. */
typedef struct fg_request {
    fg_method_t method;
    bool https;     /* as the client sees it: trusted proxies considered */
    fg_str_t host;  /* Host header, or what a trusted proxy said */
    fg_str_t path;  /* normalised and decoded, as the location was chosen by */
    fg_str_t query; /* raw, without '?' */
    const fg_header_t *headers;
    size_t header_count;
    fg_str_t body;
    bool body_too_large; /* body is empty then */
    fg_str_t client_address;
    /* for access decisions; the gateway's own endpoints have the certificate of these */
    fg_str_t method_name; /* "PUT" */
    fg_str_t raw_path;    /* as the client wrote it, without query */
    fg_str_t tls_version, tls_cipher;
    fg_str_t client_certificate; /* PEM, if nginx verified it; .n 0: none */
    fg_str_t client_chain;       /* PEM: what the client sent along with it; .n 0: nothing */
    fg_str_t channel; /* the hash of the server's certificate (RFC 5929 §4.1), of requests that may need it */
    bool body_read;   /* body holds it; otherwise it was not asked for yet */
} fg_request_t;

#define FG_RESPONSE_HEADERS 24
typedef struct fg_response {
    int status; /* 0: not answered yet */
    fg_header_t headers[FG_RESPONSE_HEADERS];
    size_t header_count;
    fg_buf_t body;
    bool failed; /* a header could not be written: the gateway answers 500 instead */
} fg_response_t;

/* What a handler returns: done, or the password pool's turn.  FG_STEP_BODY and JOB are fg_access_quick's
 * (hub/access.h); FG_STEP_MOVE is the gateway's: the next step may wait for a directory, and runs on the password pool.
 */
typedef enum fg_step { FG_STEP_DONE, FG_STEP_PASSWORD, FG_STEP_BODY, FG_STEP_JOB, FG_STEP_MOVE } fg_step_t;
typedef fg_step_t (*fg_handler_t)(fg_exchange_t *ex);

/* A password to be checked between two steps (hub/signin.h). */
typedef struct fg_signin {
    const fg_home_realm_t *realm;
    fg_str_t user;
    fg_str_t password;
    fg_str_t new_password; /* the one to replace it with first (hub/password_change.h); .n 0: none */
    bool changed;          /* it was */
    bool ok;
    fg_identity_t identity; /* if ok */
    fg_err_t err;           /* if not */
} fg_signin_t;

typedef struct fg_audit_line {
    struct fg_audit_line *next;
    fg_str_t text; /* one JSON object, no line end */
} fg_audit_line_t;

struct fg_exchange {
    const fg_env_t *env;
    const fg_hub_t *hub;
    fg_arena_t *arena;        /* the exchange itself lives in it */
    struct fg_recent *recent; /* hub/recent.h; NULL: this is not the event loop */
    int64_t recent_until_ms;  /* when what was found there is over; 0: nothing was */
    fg_request_t request;
    fg_response_t response;
    fg_keys_t *keys; /* one state of the key ring for the whole exchange */
    int64_t now_ms;  /* when it began */
    char correlation_id[FG_ID_SIZE];
    fg_handler_t next; /* the step to run next */
    bool rules_wait;   /* claim rules may ask a directory that waits for a server */
    bool moved;        /* the next step is on the password pool for that */
    fg_signin_t signin;
    struct fg_browser_signin *browser; /* of hub/browser.h, between steps */
    struct fg_access *access;          /* of a protected location; NULL: one of our endpoints */
    fg_str_t languages;                /* for pages, in place of Accept-Language and in its form; .n 0: that one */
    void *state;                       /* the protocol's own, between steps */
    fg_audit_line_t *audit;            /* first; written by the host when the exchange is over */
    fg_audit_line_t **audit_end;
};

/* Makes the correlation id unless it is there: what a permitted request does not need is not made for it.  False: no
 * randomness. */
bool fg_exchange_ensure_id(fg_exchange_t *ex);

/* A header's value; .p NULL: absent.  *times (may be NULL): how often it was sent (HT-05). */
fg_str_t fg_request_header(const fg_request_t *request, const char *name, size_t *times);
/* True if the request came to host (lower case, with port if that is not 443). */
bool fg_request_is_at(const fg_request_t *request, fg_str_t host);
/* A cookie's value (RFC 6265 §5.4, first of that name); .p NULL: absent.  *times as above. */
fg_str_t fg_request_cookie(const fg_request_t *request, const char *name, size_t *times);
/* The cookies whose name begins with prefix, at most room; returns how many were found. */
size_t fg_request_cookies(const fg_request_t *request, const char *prefix, fg_header_t *found, size_t room);
/* Browsers say so (Fetch Metadata §2.1): the page of another site loads us in a frame, which is no place for a page of
 * ours that people read. */
bool fg_request_is_framed(const fg_request_t *request);
/* The media type in lower case without parameters, if Content-Type was sent exactly once; else .p NULL. */
fg_str_t fg_request_media_type(fg_arena_t *arena, const fg_request_t *request);

/* name is a constant; value is copied.  A value with CR, LF or NUL makes the response fail (HT-02). */
void fg_response_header(fg_exchange_t *ex, const char *name, fg_str_t value);
/* Status, media type and bytes (copied). */
void fg_response_body(fg_exchange_t *ex, int status, const char *media_type, fg_str_t body);
/* 302 to url (303 after a POST). */
void fg_response_redirect(fg_exchange_t *ex, fg_str_t url);
/* An error page with the fault's sentence, HTTP status and the correlation id; writes the audit line (event "refused").
 */
void fg_response_error_page(fg_exchange_t *ex, const fg_err_t *err);
/* The page alone. */
void fg_response_error_body(fg_exchange_t *ex, const fg_err_t *err);

#endif
