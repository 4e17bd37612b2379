/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the library takes from its host: clock, randomness, log, the store for things that may be used once, and the
 * HTTP client.
 * No code below the hosts asks the operating system for any of these.  A test sets the clock.
 * Exception: OpenSSL's own randomness inside signatures, key generation and encryption. */
#ifndef FG_CORE_ENV_H
#define FG_CORE_ENV_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

typedef enum fg_log_level { FG_LOG_ERROR, FG_LOG_WARN, FG_LOG_NOTICE, FG_LOG_INFO, FG_LOG_DEBUG } fg_log_level_t;

/* The store: small values under a key until an instant; shared by all workers.  Operations are atomic.
 * A key is any bytes, "kind:rest"; implementations may hash it and limit how much room a kind takes. */
typedef enum fg_store_result {
    FG_STORE_OK,          /* put: stored; get, take, add: done */
    FG_STORE_EXISTS,      /* put_new: there already */
    FG_STORE_MISSING,     /* get, take: not there or expired */
    FG_STORE_UNAVAILABLE, /* cannot answer: a one-time check fails closed with FG_E_UNAVAILABLE */
} fg_store_result_t;

#define FG_STORE_VALUE_MAX 16384u

typedef struct fg_store fg_store_t;
struct fg_store {
    /* Stores value until expires_ms unless the key is there: replay caches, request ids. */
    fg_store_result_t (*put_new)(fg_store_t *, fg_str_t key, fg_str_t value, int64_t now_ms, int64_t expires_ms);
    /* Stores or replaces. */
    fg_store_result_t (*put)(fg_store_t *, fg_str_t key, fg_str_t value, int64_t now_ms, int64_t expires_ms);
    /* Copies the value out; *length holds the room before and the value's length after. */
    fg_store_result_t (*get)(fg_store_t *, fg_str_t key, int64_t now_ms, char *value, size_t *length);
    /* As get, and removes: what may be used once. */
    fg_store_result_t (*take)(fg_store_t *, fg_str_t key, int64_t now_ms, char *value, size_t *length);
    /* Adds delta to a counter (made as 0 if missing) that lives until expires_ms, counted from its making; *total is
     * the new value. */
    fg_store_result_t (*add)(fg_store_t *, fg_str_t key, int64_t delta, int64_t now_ms, int64_t expires_ms,
                             int64_t *total);
    fg_store_result_t (*remove)(fg_store_t *, fg_str_t key);
    /* A number that grows, for all workers, before put() of something that ends what others hold open (kinds
     * "session-ended" and "cancelled") returns; quick.  NULL: the store cannot tell. */
    uint64_t (*changes)(fg_store_t *);
};

/* What get says, its value in the arena (.p NULL: not there, or it cannot be had). */
fg_str_t fg_store_get_str(fg_store_t *store, fg_arena_t *arena, fg_str_t key, int64_t now_ms);
typedef struct fg_http fg_http_t; /* core/http.h: what is asked of other servers */

typedef struct fg_env fg_env_t;
struct fg_env {
    int64_t (*now_ms)(const fg_env_t *env);                            /* Unix time in milliseconds */
    bool (*random)(const fg_env_t *env, unsigned char *out, size_t n); /* false: no randomness, nothing may be issued */
    void (*log)(const fg_env_t *env, fg_log_level_t level, const char *message);
    fg_store_t *store;
    void *host;      /* the host's own */
    fg_http_t *http; /* NULL: nothing is fetched */
};

static inline int64_t fg_now(const fg_env_t *env) { return env->now_ms(env); }
void fg_log(const fg_env_t *env, fg_log_level_t level, const char *format, ...) FG_PRINTF(3, 4);

/* Ids as SAML and WS-Addressing want them, from env->random.  out holds the text and its NUL. */
#define FG_ID_SIZE 48
bool fg_id_xml(const fg_env_t *env, char out[FG_ID_SIZE]) FG_MUST_CHECK; /* "_" + UUID: an NCName (SAML core §1.3.4) */
bool fg_id_uuid(const fg_env_t *env, char out[FG_ID_SIZE]) FG_MUST_CHECK; /* RFC 4122 version 4, lower case */

#endif
