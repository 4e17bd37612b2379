/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request's jobs: the token pool runs the exchange; when it asks for a
 * password to be checked, the password pool does that and the token pool goes
 * on.  While a job is out, only its thread touches the exchange. */
#include "ngx_module/ngx_http_fedgate.h"

#include "hub/signin.h"

#define NGX_HTTP_FEDGATE_JOB_MS      60000
#define NGX_HTTP_FEDGATE_BLOCK_SIZE  24576  /* a management request with its answer */
#define NGX_HTTP_FEDGATE_BLOCKS      32     /* kept for the next decisions */


static fg_exchange_t *ngx_http_fedgate_new_exchange(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static void *ngx_http_fedgate_take_block(ngx_http_fedgate_gateway_t *gw,
    ngx_log_t *log);
static void ngx_http_fedgate_give_block(ngx_http_fedgate_gateway_t *gw,
    void *block);
static void ngx_http_fedgate_close_exchange(void *data);
static void ngx_http_fedgate_abandon(void *data);
static ngx_int_t ngx_http_fedgate_post(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_thread_pool_t *tp,
    void (*handler)(void *data, ngx_log_t *log));
static void ngx_http_fedgate_token_job(void *data, ngx_log_t *log);
static void ngx_http_fedgate_password_job(void *data, ngx_log_t *log);
static void ngx_http_fedgate_job_done(ngx_event_t *ev);
static void ngx_http_fedgate_go_on(ngx_http_request_t *r);
static void ngx_http_fedgate_refuse(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, fg_code_t code);
static ngx_int_t ngx_http_fedgate_set_headers(ngx_http_request_t *r,
    const fg_response_t *response);
static ngx_int_t ngx_http_fedgate_set_header(ngx_http_request_t *r,
    const fg_header_t *header);
static ngx_int_t ngx_http_fedgate_copy_body(ngx_http_request_t *r,
    const fg_response_t *response, ngx_chain_t *out);
static ngx_int_t ngx_http_fedgate_copy(ngx_http_request_t *r, ngx_str_t *to,
    fg_str_t from);


void
ngx_http_fedgate_job_start(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    if (r->reading_body) {
        /* what is left of a body that is too large must not come back to the body handler */
        r->read_event_handler = ngx_http_block_reading;

    } else if (!r->discard_body) {
        /* notice when the client goes away */
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_fedgate_go_on;

    if (ngx_http_fedgate_post(r, ctx, ctx->conf->thread_tp,
                              ngx_http_fedgate_token_job)
        != NGX_OK)
    {
        ngx_http_fedgate_refuse(r, ctx, FG_E_BUSY);
    }
}


ngx_int_t
ngx_http_fedgate_open_exchange(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    ngx_pool_cleanup_t  *pool_cln;
    ngx_http_cleanup_t  *cln;

    pool_cln = ngx_pool_cleanup_add(r->pool, 0);
    cln = ngx_http_cleanup_add(r, 0);

    if (pool_cln == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    ctx->env = ctx->gateway->env;
    ngx_http_fedgate_env_init(&ctx->env, &ctx->journal, r->connection->log);

    ctx->exchange = ngx_http_fedgate_new_exchange(r, ctx);
    if (ctx->exchange == NULL) {
        return NGX_ERROR;
    }

    /* after the last job came back */
    pool_cln->handler = ngx_http_fedgate_close_exchange;
    pool_cln->data = ctx;

    /* as soon as nginx gives the request up */
    cln->handler = ngx_http_fedgate_abandon;
    cln->data = ctx;

    return NGX_OK;
}


static fg_exchange_t *
ngx_http_fedgate_new_exchange(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    fg_exchange_t  *ex;

    if (!ctx->protects) {
        return fg_gateway_exchange_new(ctx->gateway->gateway, &ctx->env,
                                       &ctx->request);
    }

    ctx->block = ngx_http_fedgate_take_block(ctx->gateway, r->connection->log);
    if (ctx->block == NULL) {
        return NULL;
    }

    ex = fg_gateway_access_new(ctx->gateway->gateway, &ctx->env,
                               &ctx->request, ctx->conf->protect, ctx->block,
                               NGX_HTTP_FEDGATE_BLOCK_SIZE);
    if (ex == NULL) {
        ngx_http_fedgate_give_block(ctx->gateway, ctx->block);
    }

    return ex;
}


/* too large for nginx's pools, which would ask malloc for it each time */

static void *
ngx_http_fedgate_take_block(ngx_http_fedgate_gateway_t *gw, ngx_log_t *log)
{
    void  *block;

    block = gw->blocks;
    if (block == NULL) {
        return ngx_alloc(NGX_HTTP_FEDGATE_BLOCK_SIZE, log);
    }

    gw->blocks = *(void **) block;
    gw->nblocks--;

    return block;
}


static void
ngx_http_fedgate_give_block(ngx_http_fedgate_gateway_t *gw, void *block)
{
    if (gw->nblocks == NGX_HTTP_FEDGATE_BLOCKS) {
        ngx_free(block);
        return;
    }

    *(void **) block = gw->blocks;
    gw->blocks = block;
    gw->nblocks++;
}


void
ngx_http_fedgate_free_blocks(ngx_http_fedgate_gateway_t *gw)
{
    void  *block;

    while (gw->blocks) {
        block = gw->blocks;
        gw->blocks = *(void **) block;
        ngx_free(block);
    }
}


static void
ngx_http_fedgate_close_exchange(void *data)
{
    ngx_http_fedgate_ctx_t  *ctx = data;

    if (ctx->pass) {
        ngx_http_fedgate_pass_leave(ctx);
        return;
    }

    if (ctx->exchange == NULL) {
        return;
    }

    ngx_http_fedgate_journal_write(&ctx->journal, ctx->journal.log);
    ngx_http_fedgate_gateway_audit(ctx->gateway, ctx->exchange->audit,
                                   ctx->journal.log);

    fg_gateway_exchange_free(ctx->exchange);
    ctx->exchange = NULL;

    if (ctx->block) {
        ngx_http_fedgate_give_block(ctx->gateway, ctx->block);
        ctx->block = NULL;
    }
}


ngx_http_fedgate_ctx_t *
ngx_http_fedgate_add_decision(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_fedgate_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    ctx->protects = 1;

    cln->handler = ngx_http_fedgate_close_exchange;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_fedgate_module);

    return ctx;
}


/*
 * nginx clears the modules' contexts at internal redirects, and the gateway's
 * own endpoints take the place too; what must outlive that is found where it is
 * to be cleaned up, the latest first.
 */

ngx_http_fedgate_ctx_t *
ngx_http_fedgate_find_decision(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_fedgate_module);

    if (ctx && ctx->protects) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_fedgate_close_exchange) {
            ctx = cln->data;

            if (ctx->protects) {
                return ctx;
            }
        }
    }

    return NULL;
}


static void
ngx_http_fedgate_abandon(void *data)
{
    ngx_http_fedgate_ctx_t  *ctx = data;

    __atomic_store_n(&ctx->abandoned, 1, __ATOMIC_RELAXED);
}


static ngx_int_t
ngx_http_fedgate_post(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    ngx_thread_pool_t *tp, void (*handler)(void *data, ngx_log_t *log))
{
    ctx->task->handler = handler;
    ctx->task->event.handler = ngx_http_fedgate_job_done;
    ctx->task->event.data = r;
    ctx->task->event.log = r->connection->log;

    ngx_http_fedgate_journal_defer(&ctx->journal);
    ngx_http_fedgate_job_begin(ctx->gateway);

    if (ngx_thread_task_post(tp, ctx->task) != NGX_OK) {
        ngx_http_fedgate_job_end(ctx->gateway);
        return NGX_ERROR;
    }

    /* a worker that is told to quit waits for timers, not for jobs */
    ngx_add_timer(&ctx->task->event, NGX_HTTP_FEDGATE_JOB_MS);

    ctx->out = 1;
    r->main->blocked++;
    r->aio = 1;

    return NGX_OK;
}


/* on a thread of the token pool */

static void
ngx_http_fedgate_token_job(void *data, ngx_log_t *log)
{
    ngx_http_fedgate_ctx_t  *ctx = data;

    ctx->step = FG_STEP_DONE;

    if (!__atomic_load_n(&ctx->abandoned, __ATOMIC_RELAXED)) {
        ctx->step = fg_gateway_run(ctx->exchange);
    }

    ngx_http_fedgate_job_end(ctx->gateway);
}


/* on a thread of the password pool */

static void
ngx_http_fedgate_password_job(void *data, ngx_log_t *log)
{
    ngx_http_fedgate_ctx_t  *ctx = data;

    if (!__atomic_load_n(&ctx->abandoned, __ATOMIC_RELAXED)) {
        fg_signin_run(ctx->exchange);
    }

    ngx_http_fedgate_job_end(ctx->gateway);
}


/* on the event loop again; nginx has put another write handler there if it gave the request up meanwhile */

static void
ngx_http_fedgate_job_done(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_request_t      *r;
    ngx_http_fedgate_ctx_t  *ctx;

    r = ev->data;
    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_ALERT, c->log, 0,
                      "fedgate: a job has been out for %d ms",
                      NGX_HTTP_FEDGATE_JOB_MS);
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_FEDGATE_JOB_MS);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    r->main->blocked--;
    r->aio = 0;

    ctx->out = 0;
    ctx->returned = 1;

    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_fedgate_go_on(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    if (!ctx->returned) {
        /* the client takes more bytes, but there are none yet */
        return;
    }

    ctx->returned = 0;

    if (ctx->task->handler == ngx_http_fedgate_password_job) {
        rc = ngx_http_fedgate_post(r, ctx, ctx->conf->thread_tp,
                                   ngx_http_fedgate_token_job);

    } else if (ctx->step == FG_STEP_PASSWORD) {
        rc = ngx_http_fedgate_post(r, ctx, ctx->conf->password_tp,
                                   ngx_http_fedgate_password_job);

    } else if (ctx->step == FG_STEP_MOVE) {
        rc = ngx_http_fedgate_post(r, ctx, ctx->conf->password_tp,
                                   ngx_http_fedgate_token_job);

    } else {
        ctx->finished(r);
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_fedgate_refuse(r, ctx, FG_E_BUSY);
    }
}


static void
ngx_http_fedgate_refuse(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    fg_code_t code)
{
    fg_gateway_refuse(ctx->exchange, code);
    ngx_http_fedgate_answer(r, ctx);
}


void
ngx_http_fedgate_answer(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    ngx_int_t       rc;
    ngx_chain_t     out;
    fg_response_t  *response = &ctx->exchange->response;

    if (response->status == 0
        || !fg_buf_ok(&response->body)
        || ngx_http_fedgate_set_headers(r, response) != NGX_OK
        || ngx_http_fedgate_copy_body(r, response, &out) != NGX_OK)
    {
        ngx_http_fedgate_close_exchange(ctx);
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (!ctx->protects) {
        /* a decision is kept for the log */
        ngx_http_fedgate_close_exchange(ctx);
    }

    /* that of a protected location may not have been read */
    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    rc = ngx_http_send_header(r);

    /* NGX_AGAIN: a long header was taken for sending already, the body is still to come */
    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        rc = ngx_http_output_filter(r, &out);
    }

    ngx_http_finalize_request(r, rc);
}


ngx_int_t
ngx_http_fedgate_add_headers(ngx_http_request_t *r,
    const fg_response_t *response)
{
    size_t  i;

    for (i = 0; i < response->header_count; i++) {
        if (ngx_http_fedgate_set_header(r, &response->headers[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_set_headers(ngx_http_request_t *r,
    const fg_response_t *response)
{
    if (ngx_http_fedgate_add_headers(r, response) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.status = response->status;
    r->headers_out.content_length_n = response->body.length;

#if (NGX_HTTP_GZIP)
    /*
     * Never compressed: pages hold secrets beside what the request said, and
     * their length would tell (BREACH).
     */
    r->gzip_tested = 1;
    r->gzip_ok = 0;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_set_header(ngx_http_request_t *r, const fg_header_t *header)
{
    ngx_table_elt_t  *h;

    if (fg_str_eq_nocase(header->name, FG_STR("Content-Type"))) {
        if (ngx_http_fedgate_copy(r, &r->headers_out.content_type,
                                  header->value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;

        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 0;

    if (ngx_http_fedgate_copy(r, &h->key, header->name) != NGX_OK
        || ngx_http_fedgate_copy(r, &h->value, header->value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    h->hash = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_copy_body(ngx_http_request_t *r,
    const fg_response_t *response, ngx_chain_t *out)
{
    ngx_buf_t  *b;

    if (response->body.length == 0) {
        r->header_only = 1;
        return NGX_OK;
    }

    b = ngx_create_temp_buf(r->pool, response->body.length);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, response->body.data, response->body.length);
    b->last_buf = 1;
    b->last_in_chain = 1;

    out->buf = b;
    out->next = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_copy(ngx_http_request_t *r, ngx_str_t *to, fg_str_t from)
{
    to->data = ngx_pnalloc(r->pool, from.n + 1);
    if (to->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, from.p, from.n);
    to->len = from.n;

    return NGX_OK;
}
