/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nginx host.  A request's way: ngx_http_fedgate_request.c reads it into a plain fg_request_t,
 * ngx_http_fedgate_job.c has it worked on by thread pools and sends the answer,
 * ngx_http_fedgate_gateway.c keeps the gateways of a configuration, their shared memory and their refreshing. */
#ifndef NGX_HTTP_FEDGATE_H
#define NGX_HTTP_FEDGATE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>

#include "gateway/gateway.h"


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


/* one per configuration file and cycle, in the cycle's pool */
typedef struct {
    ngx_str_t                   path;
    ngx_cycle_t                *cycle;
    fg_gateway_t               *gateway;
    ngx_open_file_t            *audit;       /* NULL: the error log */
    ngx_shm_zone_t             *zone;
    size_t                      store_size;
    fg_env_t                    env;
    ngx_http_fedgate_journal_t  journal;
    ngx_thread_pool_t          *pool;        /* where it is refreshed */
    ngx_event_t                 timer;
    ngx_thread_task_t          *refresh;
    ngx_uint_t                  jobs;        /* on threads or waiting for one */
    ngx_uint_t                  uid;
    ngx_uint_t                  gid;
} ngx_http_fedgate_gateway_t;


typedef struct {
    ngx_array_t  gateways;                   /* of ngx_http_fedgate_gateway_t * */
} ngx_http_fedgate_main_conf_t;


typedef struct {
    ngx_http_fedgate_gateway_t  *gateway;
    ngx_str_t                    thread_pool;
    ngx_str_t                    password_pool;
    ngx_thread_pool_t           *thread_tp;
    ngx_thread_pool_t           *password_tp;
} ngx_http_fedgate_loc_conf_t;


/* one per request, in its task */
typedef struct {
    ngx_http_fedgate_gateway_t   *gateway;
    ngx_http_fedgate_loc_conf_t  *conf;
    ngx_thread_task_t            *task;
    fg_request_t                  request;
    fg_env_t                      env;
    ngx_http_fedgate_journal_t    journal;
    fg_exchange_t                *exchange;
    fg_step_t                     step;
    ngx_uint_t                    abandoned; /* the client is gone; read by job threads */
    u_char                       *body;
    size_t                        body_length;
    size_t                        body_room;
    unsigned                      returned:1; /* a job came back and is not looked at yet */
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
ngx_int_t ngx_http_fedgate_gateway_start_refresh(
    ngx_http_fedgate_gateway_t *gw, ngx_cycle_t *cycle);
void ngx_http_fedgate_gateway_audit(ngx_http_fedgate_gateway_t *gw,
    const fg_audit_line_t *line, ngx_log_t *log);

/* ngx_http_fedgate_request.c */
ngx_int_t ngx_http_fedgate_handler(ngx_http_request_t *r);

/* ngx_http_fedgate_job.c: works on the request and finalizes it */
void ngx_http_fedgate_job_start(ngx_http_request_t *r);


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
