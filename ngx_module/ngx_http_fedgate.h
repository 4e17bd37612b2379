/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nginx host.  A request to the gateway's own endpoints: ngx_http_fedgate_request.c reads it into a plain
 * fg_request_t, ngx_http_fedgate_job.c has it worked on by thread pools and sends the answer.  A request to a
 * protected location: ngx_http_fedgate_access.c asks whether it may go on, ngx_http_fedgate_forward.c makes of it what
 * the server behind gets, ngx_http_fedgate_pass.c lets in again who was let in lately, ngx_http_fedgate_variable.c tells
 * what is known of it, ngx_http_fedgate_answer.c reads what a WS-Management server answers.  ngx_http_fedgate_gateway.c
 * keeps the gateways of a configuration, their shared memory and their refreshing; ngx_http_fedgate_protect.c reads what
 * locations say of their protection. */
#ifndef NGX_HTTP_FEDGATE_H
#define NGX_HTTP_FEDGATE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>

#include "gateway/gateway.h"
#include "hub/access.h"

typedef struct ngx_http_fedgate_pass_s  ngx_http_fedgate_pass_t;

typedef struct ngx_http_fedgate_line_s  ngx_http_fedgate_line_t;

/*
 * nginx's logs belong to the event loop: what a job thread has to say is kept
 * here until the event loop takes it over.
 */
typedef struct {
    ngx_log_t                 *log;
    ngx_http_fedgate_line_t   *first;
    ngx_http_fedgate_line_t  **last;
    ngx_uint_t                 count;
    unsigned                   deferred:1;
} ngx_http_fedgate_journal_t;


/* a request's grow in its pool */
typedef struct {
    u_char  *data;
    size_t   length;
    size_t   room;
} ngx_http_fedgate_bytes_t;


/* one per configuration file and cycle, in the cycle's pool */
typedef struct {
    ngx_str_t                   path;
    ngx_cycle_t                *cycle;
    fg_gateway_t               *gateway;
    ngx_open_file_t            *audit;       /* NULL: the error log */
    ngx_http_fedgate_bytes_t    lines;       /* of this turn, for the audit file */
    ngx_event_t                 lines_event;
    ngx_shm_zone_t             *zone;
    size_t                      store_size;
    fg_env_t                    env;
    ngx_http_fedgate_journal_t  journal;
    ngx_thread_pool_t          *pool;        /* where it is refreshed */
    ngx_event_t                 timer;
    ngx_thread_task_t          *refresh;
    ngx_uint_t                  jobs;        /* on threads or waiting for one */
    void                       *blocks;      /* of decisions that are over; each begins with the next one's address */
    ngx_uint_t                  nblocks;
    ngx_http_fedgate_pass_t   **passes;      /* NULL: none was made yet */
    ngx_uint_t                  uid;
    ngx_uint_t                  gid;
} ngx_http_fedgate_gateway_t;


typedef struct {
    ngx_str_t                  name;
    u_char                    *lowcase;
    ngx_uint_t                 hash;
    ngx_http_complex_value_t  *value;        /* NULL: only taken away */
    ngx_int_t                  variable;     /* that the value consists of; NGX_ERROR: of more than one, or of text */
} ngx_http_fedgate_identity_t;


typedef struct {
    ngx_array_t   gateways;                  /* of ngx_http_fedgate_gateway_t * */
    ngx_array_t   names;                     /* ngx_str_t: taken from what clients send */
    ngx_array_t  *identity;                  /* where a location says nothing else; NULL: nothing is protected */
} ngx_http_fedgate_main_conf_t;


typedef struct {
    ngx_http_fedgate_gateway_t  *gateway;    /* whose endpoints these are; NULL: none */
    ngx_http_fedgate_gateway_t  *guard;      /* who protects; NULL: nobody */
    ngx_http_fedgate_gateway_t  *status;     /* whose numbers are shown; NULL: none */
    size_t                       protect;    /* the section's number in guard */
    ngx_array_t                 *identity;   /* of ngx_http_fedgate_identity_t */
    ngx_str_t                    thread_pool;
    ngx_str_t                    password_pool;
    ngx_thread_pool_t           *thread_tp;
    ngx_thread_pool_t           *password_tp;
    unsigned                     said:1;     /* fedgate_protect stands here itself */
} ngx_http_fedgate_loc_conf_t;


/* one per request to an endpoint, or per decision on a protected one; in its task */
typedef struct {
    ngx_http_fedgate_gateway_t   *gateway;
    ngx_http_fedgate_loc_conf_t  *conf;
    ngx_thread_task_t            *task;
    fg_request_t                  request;
    fg_env_t                      env;
    ngx_http_fedgate_journal_t    journal;
    fg_exchange_t                *exchange;
    void                         *block;     /* in which that of a decision stands */
    ngx_http_fedgate_pass_t      *pass;      /* in place of an exchange */
    fg_arena_t                   *arena;     /* for texts about it */
    ngx_str_t                     credential; /* that a decision may stand for; empty: for none */
    uint64_t                      changes;   /* before it was decided */
    fg_step_t                     step;
    ngx_uint_t                    abandoned; /* the client is gone; read by job threads */
    ngx_http_fedgate_bytes_t      body;
    ngx_http_fedgate_bytes_t      answer;    /* of the server behind, if it is to be read */
    off_t                         answer_length;
    void                        (*body_read)(ngx_http_request_t *r);
    void                        (*finished)(ngx_http_request_t *r);
    unsigned                      protects:1;
    unsigned                      out:1;     /* a thread has the exchange */
    unsigned                      returned:1; /* a job came back and is not looked at yet */
    unsigned                      permitted:1; /* and the request is as the server behind gets it */
    unsigned                      reads_answer:1;
} ngx_http_fedgate_ctx_t;


extern ngx_module_t  ngx_http_fedgate_module;

/* ngx_http_fedgate_env.c */
void ngx_http_fedgate_env_init(fg_env_t *env,
    ngx_http_fedgate_journal_t *journal, ngx_log_t *log);
void ngx_http_fedgate_journal_defer(ngx_http_fedgate_journal_t *journal);
void ngx_http_fedgate_journal_write(ngx_http_fedgate_journal_t *journal,
    ngx_log_t *log);

/* ngx_http_fedgate_gateway.c */
ngx_http_fedgate_gateway_t *ngx_http_fedgate_gateway_add(ngx_conf_t *cf,
    ngx_array_t *gateways, ngx_str_t *path);
ngx_int_t ngx_http_fedgate_gateway_start(ngx_http_fedgate_gateway_t *gw,
    ngx_cycle_t *cycle);
void ngx_http_fedgate_gateway_audit(ngx_http_fedgate_gateway_t *gw,
    const fg_audit_line_t *line, ngx_log_t *log);
void ngx_http_fedgate_gateway_audit_write(ngx_http_fedgate_gateway_t *gw);

/* ngx_http_fedgate_protect.c: directives */
char *ngx_http_fedgate_protect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_fedgate_identity_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_http_fedgate_peer.c */
void ngx_http_fedgate_peer_channel(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
ngx_int_t ngx_http_fedgate_peer_certificate(ngx_http_request_t *r,
    fg_request_t *request);

/* ngx_http_fedgate_request.c */
ngx_int_t ngx_http_fedgate_handler(ngx_http_request_t *r);
ngx_http_fedgate_ctx_t *ngx_http_fedgate_create_ctx(ngx_http_request_t *r,
    ngx_http_fedgate_gateway_t *gw, ngx_http_fedgate_loc_conf_t *conf);
/* as they are now; there is room for one more */
ngx_int_t ngx_http_fedgate_copy_headers(ngx_http_request_t *r,
    fg_request_t *request);
/* reads it up to the gateway's limit, then calls ctx->body_read; as ngx_http_read_client_request_body() */
ngx_int_t ngx_http_fedgate_read_body(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
ngx_uint_t ngx_http_fedgate_body_is_too_large(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
ngx_int_t ngx_http_fedgate_make_room(ngx_http_request_t *r,
    ngx_http_fedgate_bytes_t *bytes, size_t size, size_t expected);
fg_str_t ngx_http_fedgate_str(const ngx_str_t *s);

/* ngx_http_fedgate_job.c */
void ngx_http_fedgate_free_blocks(ngx_http_fedgate_gateway_t *gw);
ngx_int_t ngx_http_fedgate_open_exchange(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
/* the request's context for a decision without an exchange */
ngx_http_fedgate_ctx_t *ngx_http_fedgate_add_decision(ngx_http_request_t *r);
/* works on the exchange, then calls ctx->finished; or answers that it cannot */
void ngx_http_fedgate_job_start(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
/* sends the exchange's response and finalizes the request */
void ngx_http_fedgate_answer(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
ngx_int_t ngx_http_fedgate_add_headers(ngx_http_request_t *r,
    const fg_response_t *response);
/* the latest decision on a protected location, also after internal redirects and in subrequests; NULL: none */
ngx_http_fedgate_ctx_t *ngx_http_fedgate_find_decision(ngx_http_request_t *r);

/* ngx_http_fedgate_access.c */
ngx_int_t ngx_http_fedgate_access_init(ngx_conf_t *cf);

/* ngx_http_fedgate_forward.c */
ngx_int_t ngx_http_fedgate_forward_init(ngx_conf_t *cf);
ngx_int_t ngx_http_fedgate_take_identity(ngx_http_request_t *r);
ngx_int_t ngx_http_fedgate_forward(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
/* takes away identities, cookies of which nothing is left, and these headers */
ngx_int_t ngx_http_fedgate_withhold(ngx_http_request_t *r,
    ngx_uint_t authorization, ngx_uint_t accept_encoding);
ngx_int_t ngx_http_fedgate_get_value(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity, ngx_str_t *value);
ngx_int_t ngx_http_fedgate_push(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity, ngx_str_t *value);
ngx_int_t ngx_http_fedgate_identify(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_http_fedgate_loc_conf_t *conf);

/* ngx_http_fedgate_pass.c */
/* NGX_OK: let in; NGX_DECLINED: ask the gateway */
ngx_int_t ngx_http_fedgate_pass_enter(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf);
void ngx_http_fedgate_pass_prepare(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
/* remembers what was let in and is as the server behind gets it, if that holds for other requests, too */
void ngx_http_fedgate_pass_keep(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
/* the client's headers, with the credential that does not go on */
ngx_int_t ngx_http_fedgate_pass_headers(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, fg_request_t *request);
void ngx_http_fedgate_pass_leave(ngx_http_fedgate_ctx_t *ctx);
const fg_access_t *ngx_http_fedgate_pass_access(ngx_http_fedgate_pass_t *pass);
fg_arena_t *ngx_http_fedgate_pass_arena(ngx_http_fedgate_ctx_t *ctx);
void ngx_http_fedgate_free_passes(ngx_http_fedgate_gateway_t *gw);

/* ngx_http_fedgate_variable.c */
ngx_int_t ngx_http_fedgate_variable_add(ngx_conf_t *cf);
/* whether the value that an indexed variable was just asked for is of these */
ngx_uint_t ngx_http_fedgate_variable_is_ours(ngx_http_request_t *r,
    ngx_int_t index);

/* ngx_http_fedgate_answer.c */
ngx_int_t ngx_http_fedgate_answer_init(ngx_conf_t *cf);


/* ngx_http_fedgate_status.c: directive */
char *ngx_http_fedgate_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* jobs are counted where they end, on their threads: only then may a gateway go */

static ngx_inline void
ngx_http_fedgate_job_begin(ngx_http_fedgate_gateway_t *gw)
{
    (void) __atomic_add_fetch(&gw->jobs, 1, __ATOMIC_RELAXED);
}


static ngx_inline void
ngx_http_fedgate_job_end(ngx_http_fedgate_gateway_t *gw)
{
    (void) __atomic_sub_fetch(&gw->jobs, 1, __ATOMIC_RELEASE);
}


#endif
