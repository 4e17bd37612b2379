/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Protected locations: whether a request may go on is decided in nginx's access
 * phase, on the event loop if a session or a credential seen before is enough.
 * Otherwise the body is read, or jobs are done, and the phases go on
 * afterwards. */
#include "ngx_module/ngx_http_fedgate.h"


static ngx_int_t ngx_http_fedgate_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_preaccess_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_fedgate_is_protected(
    ngx_http_fedgate_loc_conf_t *conf);
static ngx_uint_t ngx_http_fedgate_is_permitted(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf);
static ngx_int_t ngx_http_fedgate_begin(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf);
static ngx_int_t ngx_http_fedgate_describe(ngx_http_request_t *r,
    fg_request_t *request);
#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_fedgate_describe_tls(ngx_http_request_t *r,
    fg_request_t *request);
#endif
static ngx_int_t ngx_http_fedgate_decide(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static ngx_int_t ngx_http_fedgate_ask_for_body(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static void ngx_http_fedgate_decide_with_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_put_body_back(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static void ngx_http_fedgate_decided_by_job(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_conclude(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static void ngx_http_fedgate_resume(ngx_http_request_t *r, ngx_int_t rc);


ngx_int_t
ngx_http_fedgate_access_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_fedgate_preaccess_handler;

    /* of nginx's own modules ours comes last, and is so the first to be asked (HT-11) */
    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_fedgate_access_handler;

    return NGX_OK;
}


/*
 * nginx has no access phase for subrequests: those of a request that was let
 * into a location of the same protection go on, others do not.
 */

static ngx_int_t
ngx_http_fedgate_preaccess_handler(ngx_http_request_t *r)
{
    ngx_http_fedgate_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_fedgate_module);

    if (r == r->main
        || !ngx_http_fedgate_is_protected(conf)
        || ngx_http_fedgate_is_permitted(r, conf))
    {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "fedgate: a subrequest to a protected location out of one "
                  "that has not the same protection");

    return NGX_HTTP_FORBIDDEN;
}


/* the gateway's own endpoints are how people sign in: protected only if that is written there */

static ngx_uint_t
ngx_http_fedgate_is_protected(ngx_http_fedgate_loc_conf_t *conf)
{
    return conf->guard != NULL && (conf->gateway == NULL || conf->said);
}


static ngx_uint_t
ngx_http_fedgate_is_permitted(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_fedgate_find_decision(r);

    return ctx
           && ctx->permitted
           && ctx->gateway == conf->guard
           && ctx->conf->protect == conf->protect;
}


static ngx_int_t
ngx_http_fedgate_access_handler(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t       *ctx;
    ngx_http_fedgate_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_fedgate_module);

    if (!ngx_http_fedgate_is_protected(conf)) {
        return NGX_DECLINED;
    }

    if (!ngx_http_fedgate_is_permitted(r, conf)) {
        return ngx_http_fedgate_begin(r, conf);
    }

    /* the phases go on, or an internal redirect stays within the same protection */
    ctx = ngx_http_fedgate_find_decision(r);
    ngx_http_set_ctx(r, ctx, ngx_http_fedgate_module);

    if (ctx->conf->identity == conf->identity) {
        return NGX_OK;
    }

    return ngx_http_fedgate_identify(r, ctx, conf);
}


static ngx_int_t
ngx_http_fedgate_begin(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_int_t                rc;
    ngx_uint_t               first;
    ngx_http_fedgate_ctx_t  *ctx;

    /* a later one is about headers that do not stand in the request any more */
    first = ngx_http_fedgate_find_decision(r) == NULL;

    if (first) {
        rc = ngx_http_fedgate_pass_enter(r, conf);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    ctx = ngx_http_fedgate_create_ctx(r, conf->guard, conf);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->protects = 1;
    ctx->body_read = ngx_http_fedgate_decide_with_body;
    ctx->finished = ngx_http_fedgate_decided_by_job;

    if (first) {
        ngx_http_fedgate_pass_prepare(r, ctx);
    }

    if (ngx_http_fedgate_describe(r, &ctx->request) != NGX_OK
        || ngx_http_fedgate_open_exchange(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fedgate_decide(r, ctx);
}


static ngx_int_t
ngx_http_fedgate_describe(ngx_http_request_t *r, fg_request_t *request)
{
    u_char  *end;

    request->method_name = ngx_http_fedgate_str(&r->method_name);
    request->raw_path = ngx_http_fedgate_str(&r->unparsed_uri);

    end = ngx_strlchr(r->unparsed_uri.data,
                      r->unparsed_uri.data + r->unparsed_uri.len, '?');
    if (end) {
        request->raw_path.n = end - r->unparsed_uri.data;
    }

#if (NGX_HTTP_SSL)
    if (r->connection->ssl) {
        return ngx_http_fedgate_describe_tls(r, request);
    }
#endif

    return NGX_OK;
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_http_fedgate_describe_tls(ngx_http_request_t *r, fg_request_t *request)
{
    ngx_str_t  s;

    if (ngx_ssl_get_protocol(r->connection, r->pool, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    request->tls_version = fg_str((char *) s.data);

    if (ngx_ssl_get_cipher_name(r->connection, r->pool, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s.data) {
        request->tls_cipher = fg_str((char *) s.data);
    }

    return NGX_OK;
}

#endif


/* NGX_OK: goes on; NGX_DONE: the request is taken care of; else finalize it with that */

static ngx_int_t
ngx_http_fedgate_decide(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    switch (fg_access_quick(ctx->exchange)) {

    case FG_STEP_DONE:
        return ngx_http_fedgate_conclude(r, ctx);

    case FG_STEP_BODY:
        return ngx_http_fedgate_ask_for_body(r, ctx);

    default:
        ngx_http_fedgate_job_start(r, ctx);
        return NGX_DONE;
    }
}


static ngx_int_t
ngx_http_fedgate_ask_for_body(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->exchange->request.body_read) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_fedgate_body_is_too_large(r, ctx)) {
        ctx->exchange->request.body_too_large = true;
        ctx->exchange->request.body_read = true;
        return ngx_http_fedgate_decide(r, ctx);
    }

    rc = ngx_http_fedgate_read_body(r, ctx);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    /* reading took a reference */
    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_fedgate_decide_with_body(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    ctx->exchange->request.body = ctx->request.body;
    ctx->exchange->request.body_too_large = ctx->request.body_too_large;
    ctx->exchange->request.body_read = true;

    if (ngx_http_fedgate_put_body_back(r, ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_fedgate_resume(r, ngx_http_fedgate_decide(r, ctx));
}


/* what goes on to the server behind is what was looked at, byte for byte (WM-17) */

static ngx_int_t
ngx_http_fedgate_put_body_back(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (ctx->request.body_too_large) {
        return NGX_OK;
    }

    r->request_body_no_buffering = 0;
    r->request_body->temp_file = NULL;

    if (ctx->body.length == 0) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->start = ctx->body.data;
    b->pos = b->start;
    b->last = b->start + ctx->body.length;
    b->end = b->last;
    b->temporary = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;

    r->request_body->bufs = cl;
    r->headers_in.content_length_n = (off_t) ctx->body.length;

    return NGX_OK;
}


static void
ngx_http_fedgate_decided_by_job(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    ngx_http_fedgate_resume(r, ngx_http_fedgate_conclude(r, ctx));
}


static ngx_int_t
ngx_http_fedgate_conclude(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    if (ctx->exchange->access->outcome != FG_ACCESS_PERMITTED) {
        ngx_http_fedgate_answer(r, ctx);
        return NGX_DONE;
    }

    return ngx_http_fedgate_forward(r, ctx);
}


/* out of an event: the phases stand where they were left */

static void
ngx_http_fedgate_resume(ngx_http_request_t *r, ngx_int_t rc)
{
    if (rc == NGX_DONE) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}
