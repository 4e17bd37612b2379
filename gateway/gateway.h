/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a host sees: load a configuration, run exchanges, keep it fresh. */
#ifndef FG_GATEWAY_GATEWAY_H
#define FG_GATEWAY_GATEWAY_H

#include "hub/exchange.h"

typedef struct fg_gateway fg_gateway_t;

typedef struct fg_gateway_options {
    bool check_only;   /* make no keys, write nothing: `fedgate config check`, `nginx -t` */
    unsigned uid, gid; /* owner of what is made if the caller is root; (unsigned)-1: leave */
} fg_gateway_options_t;

/* Process-wide start and stop of the libraries below; before any thread starts. */
bool fg_gateway_start(fg_err_t *err) FG_MUST_CHECK;
void fg_gateway_stop(void);

/* Checks the file whole; an error's detail reads "FILE:LINE:COLUMN: found …, expected …[; did you mean …?]". */
fg_gateway_t *fg_gateway_load(const char *path, const fg_gateway_options_t *options, const fg_env_t *env,
                              fg_err_t *err) FG_MUST_CHECK;
void fg_gateway_free(fg_gateway_t *gateway);

/* The file of a configured file directory, into the arena, without loading the rest: its people are changed before a
 * gateway can start.  directory NULL: the first. */
const char *fg_gateway_find_users(fg_arena_t *arena, const char *config_path, const char *directory,
                                  fg_err_t *err) FG_MUST_CHECK;

/* What it may fetch with; the host puts it into its environments. */
fg_http_t *fg_gateway_get_http(const fg_gateway_t *gateway);
const fg_hub_t *fg_gateway_get_hub(const fg_gateway_t *gateway);
const char *fg_gateway_get_audit_path(const fg_gateway_t *gateway); /* NULL: to the host's log */
size_t fg_gateway_get_store_size(const fg_gateway_t *gateway);      /* bytes of shared memory */
bool fg_gateway_is_trusted_proxy(const fg_gateway_t *gateway,
                                 fg_str_t address); /* may say X-Forwarded-Proto and -Host */

bool fg_gateway_trusts_proxies(const fg_gateway_t *gateway); /* any */
/* A number that is another one as soon as keys, partners, identity providers or policies were replaced, a session ended
 * or a token cancelled.  Take it before the decision that is to be kept with it. */
uint64_t fg_gateway_changes(const fg_gateway_t *gateway, const fg_env_t *env);

/* The number of a protect section; name NULL: what holds where none is named (any session or bearer token).  False:
 * there is no such section. */
bool fg_gateway_find_protect(const fg_gateway_t *gateway, const char *name, size_t *number) FG_MUST_CHECK;

/* request is copied shallowly: its strings must outlive the exchange.  NULL: memory. */
fg_exchange_t *fg_gateway_exchange_new(fg_gateway_t *gateway, const fg_env_t *env,
                                       const fg_request_t *request) FG_MUST_CHECK;
/* The same for a protected location: for fg_access_quick() (hub/access.h), then fg_gateway_run() where that asks for
 * it. block: memory of the host's, used before any other is asked for; it must outlive the exchange. */
fg_exchange_t *fg_gateway_access_new(fg_gateway_t *gateway, const fg_env_t *env, const fg_request_t *request,
                                     size_t protect, void *block, size_t block_size) FG_MUST_CHECK;
void fg_gateway_exchange_free(fg_exchange_t *ex);
/* On the token pool: runs the exchange's next step.  FG_STEP_PASSWORD: call fg_signin_run() on the password pool, then
 * this again. FG_STEP_MOVE: call this again, but on the password pool. FG_STEP_DONE: the response is complete. */
fg_step_t fg_gateway_run(fg_exchange_t *ex);
/* Answers in the endpoint's form without running it: a queue is full, memory is out. */
void fg_gateway_refuse(fg_exchange_t *ex, fg_code_t code);

/* Every second or so on a job thread of every worker: directories, key ring, metadata files. */
void fg_gateway_refresh(fg_gateway_t *gateway, const fg_env_t *env);

#endif
