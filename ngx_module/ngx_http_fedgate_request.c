/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An nginx request, read into a plain fg_request_t.  Nothing is posted to a
 * thread before the body is there: a slow client holds a connection, no thread. */
#include "ngx_module/ngx_http_fedgate.h"

#define NGX_HTTP_FEDGATE_BODY_ROOM  4096


static ngx_int_t ngx_http_fedgate_take_headers(ngx_http_request_t *r,
    fg_request_t *request);
static void ngx_http_fedgate_fill_request(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static void ngx_http_fedgate_believe_proxy(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static fg_str_t ngx_http_fedgate_peer(ngx_http_request_t *r);
static fg_str_t ngx_http_fedgate_forwarded_for(fg_gateway_t *gateway,
    fg_str_t list, fg_str_t peer);
static void ngx_http_fedgate_run(ngx_http_request_t *r);
static void ngx_http_fedgate_run_done(ngx_http_request_t *r);
static void ngx_http_fedgate_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_take_body(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx);
static ngx_int_t ngx_http_fedgate_append(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_buf_t *b);


ngx_int_t
ngx_http_fedgate_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_fedgate_ctx_t       *ctx;
    ngx_http_fedgate_loc_conf_t  *conf;

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "fedgate: does not answer subrequests");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_fedgate_module);

    ctx = ngx_http_fedgate_create_ctx(r, conf->gateway, conf);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->body_read = ngx_http_fedgate_run;
    ctx->finished = ngx_http_fedgate_run_done;

    if (ngx_http_fedgate_body_is_too_large(r, ctx)) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        r->main->count++;
        ngx_http_fedgate_run(r);

        return NGX_DONE;
    }

    rc = ngx_http_fedgate_read_body(r, ctx);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


static void
ngx_http_fedgate_run(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    if (ngx_http_fedgate_open_exchange(r, ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_fedgate_job_start(r, ctx);
}


static void
ngx_http_fedgate_run_done(ngx_http_request_t *r)
{
    ngx_http_fedgate_answer(r,
                       ngx_http_get_module_ctx(r, ngx_http_fedgate_module));
}


/* the request's context from now on */

ngx_http_fedgate_ctx_t *
ngx_http_fedgate_create_ctx(ngx_http_request_t *r,
    ngx_http_fedgate_gateway_t *gw, ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_thread_task_t       *task;
    ngx_http_fedgate_ctx_t  *ctx;

    task = ngx_thread_task_alloc(r->pool, sizeof(ngx_http_fedgate_ctx_t));
    if (task == NULL) {
        return NULL;
    }

    ctx = task->ctx;
    ctx->task = task;
    ctx->conf = conf;
    ctx->gateway = gw;

    if (ngx_http_fedgate_take_headers(r, &ctx->request) != NGX_OK) {
        return NULL;
    }

    ngx_http_fedgate_fill_request(r, ctx);

    if (ngx_http_fedgate_peer_certificate(r, &ctx->request) != NGX_OK) {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_fedgate_module);

    return ctx;
}


/* the client's own: what goes on to the server behind is less */

static ngx_int_t
ngx_http_fedgate_take_headers(ngx_http_request_t *r, fg_request_t *request)
{
    ngx_http_fedgate_ctx_t  *decision;

    decision = ngx_http_fedgate_find_decision(r);

    if (decision == NULL) {
        return ngx_http_fedgate_copy_headers(r, request);
    }

    if (decision->pass) {
        return ngx_http_fedgate_pass_headers(r, decision, request);
    }

    request->headers = decision->request.headers;
    request->header_count = decision->request.header_count;

    return NGX_OK;
}


static void
ngx_http_fedgate_fill_request(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    fg_request_t  *request = &ctx->request;

    switch (r->method) {
    case NGX_HTTP_GET:
        request->method = FG_METHOD_GET;
        break;
    case NGX_HTTP_HEAD:
        request->method = FG_METHOD_HEAD;
        break;
    case NGX_HTTP_POST:
        request->method = FG_METHOD_POST;
        break;
    case NGX_HTTP_OPTIONS:
        request->method = FG_METHOD_OPTIONS;
        break;
    default:
        request->method = FG_METHOD_OTHER;
    }

    request->method_name = ngx_http_fedgate_str(&r->method_name);
    request->path = ngx_http_fedgate_str(&r->uri);
    request->query = ngx_http_fedgate_str(&r->args);
    request->client_address = ngx_http_fedgate_str(&r->connection->addr_text);

#if (NGX_HTTP_SSL)
    request->https = r->connection->ssl != NULL;
#endif

    if (r->headers_in.host) {
        request->host = ngx_http_fedgate_str(&r->headers_in.host->value);
    }

    ngx_http_fedgate_believe_proxy(r, ctx);
}


ngx_int_t
ngx_http_fedgate_copy_headers(ngx_http_request_t *r, fg_request_t *request)
{
    ngx_uint_t        i;
    fg_header_t      *header;
    ngx_table_elt_t  *elt;
    ngx_list_part_t  *part;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        request->header_count += part->nelts;
    }

    header = ngx_palloc(r->pool, (request->header_count + 1)
                                 * sizeof(fg_header_t));
    if (header == NULL) {
        return NGX_ERROR;
    }

    request->headers = header;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        elt = part->elts;

        for (i = 0; i < part->nelts; i++, header++) {
            header->name = ngx_http_fedgate_str(&elt[i].key);
            header->value = ngx_http_fedgate_str(&elt[i].value);
        }
    }

    return NGX_OK;
}


/* what a proxy in front says of the client's side, if it is one of ours and says it once */

static void
ngx_http_fedgate_believe_proxy(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    size_t         times;
    fg_str_t       peer, value;
    fg_request_t  *request = &ctx->request;
    fg_gateway_t  *gateway = ctx->gateway->gateway;

    peer = ngx_http_fedgate_peer(r);

    if (!fg_gateway_is_trusted_proxy(gateway, peer)) {
        ngx_http_fedgate_peer_channel(r, ctx);
        return;
    }

    value = fg_request_header(request, "X-Forwarded-Proto", &times);
    if (times == 1) {
        request->https = fg_str_eq_nocase(value, FG_STR("https"));
    }

    value = fg_request_header(request, "X-Forwarded-Host", &times);
    if (times == 1 && value.n > 0) {
        request->host = value;
    }

    /* unless the realip module did that */
    value = fg_request_header(request, "X-Forwarded-For", &times);
    if (times == 1 && fg_str_eq(peer, request->client_address)) {
        request->client_address = ngx_http_fedgate_forwarded_for(gateway,
                                                                 value, peer);
    }
}


/* who is at the other end of the connection; the realip module puts the client's address there */

static fg_str_t
ngx_http_fedgate_peer(ngx_http_request_t *r)
{
    ngx_http_variable_value_t  *vv;

    static ngx_str_t  name = ngx_string("realip_remote_addr");

    vv = ngx_http_get_variable(r, &name, ngx_hash_key(name.data, name.len));

    if (vv == NULL || vv->not_found) {
        return ngx_http_fedgate_str(&r->connection->addr_text);
    }

    return (fg_str_t) { (char *) vv->data, vv->len };
}


/* the nearest address that is not another proxy of ours: what is left of it anybody may have written */

static fg_str_t
ngx_http_fedgate_forwarded_for(fg_gateway_t *gateway, fg_str_t list,
    fg_str_t peer)
{
    fg_str_t  one;
    u_char    parsed[sizeof(struct in6_addr)];
    char      text[NGX_SOCKADDR_STRLEN];

    while (list.n > 0) {
        one = list;

        while (list.n > 0 && list.p[list.n - 1] != ',') {
            list.n--;
        }

        one.p += list.n;
        one.n -= list.n;
        one = fg_str_trim(one);

        if (one.n == 0 || one.n >= sizeof(text)) {
            return peer;
        }

        ngx_memcpy(text, one.p, one.n);
        text[one.n] = '\0';

        if (inet_pton(AF_INET, text, parsed) != 1
            && inet_pton(AF_INET6, text, parsed) != 1)
        {
            return peer;
        }

        if (!fg_gateway_is_trusted_proxy(gateway, one)) {
            return one;
        }

        if (list.n > 0) {
            list.n--;
        }
    }

    return peer;
}


/* whether it says so itself: then it need not be read */

ngx_uint_t
ngx_http_fedgate_body_is_too_large(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    ctx->request.body_too_large = r->headers_in.content_length_n
             > (off_t) fg_gateway_get_hub(ctx->gateway->gateway)->body_max;

    return ctx->request.body_too_large;
}


ngx_int_t
ngx_http_fedgate_read_body(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    /* as it comes, so that the limit holds for chunked bodies, too */
    r->request_body_no_buffering = 1;

    return ngx_http_read_client_request_body(r, ngx_http_fedgate_body_handler);
}


/* called with what came first, and again whenever more came */

static void
ngx_http_fedgate_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    for ( ;; ) {

        if (ngx_http_fedgate_take_body(r, ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (ctx->request.body_too_large || !r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_http_fedgate_body_handler;
            r->write_event_handler = ngx_http_request_empty_handler;
            return;
        }
    }

    /* the rest of a body that is too large is left to nginx's lingering close */
    if (r->connection->read->timer_set) {
        ngx_del_timer(r->connection->read);
    }

    ctx->request.body.p = (char *) ctx->body.data;
    ctx->request.body.n = ctx->body.length;

    ctx->body_read(r);
}


static ngx_int_t
ngx_http_fedgate_take_body(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    off_t         size;
    size_t        max;
    ngx_chain_t  *cl, *next;

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    max = fg_gateway_get_hub(ctx->gateway->gateway)->body_max;

    for (cl = r->request_body->bufs; cl; cl = next) {
        next = cl->next;
        size = ngx_buf_size(cl->buf);

        if (ctx->request.body_too_large
            || size > (off_t) (max - ctx->body.length))
        {
            ctx->request.body_too_large = true;
            ctx->body.length = 0;

        } else if (ngx_http_fedgate_append(r, ctx, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        cl->buf->pos = cl->buf->last;
        ngx_free_chain(r->pool, cl);
    }

    r->request_body->bufs = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_append(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    ngx_buf_t *b)
{
    size_t   size;
    u_char  *to;

    size = (size_t) ngx_buf_size(b);

    if (size == 0) {
        return NGX_OK;
    }

    if (ngx_http_fedgate_make_room(r, &ctx->body, size,
                       (size_t) ngx_max(r->headers_in.content_length_n, 0))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    to = ctx->body.data + ctx->body.length;
    ctx->body.length += size;

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(to, b->pos, size);
        return NGX_OK;
    }

    /* another module had the body read before, and nginx put it into a file */
    if (ngx_read_file(b->file, to, size, b->file_pos) != (ssize_t) size) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* room for size bytes more; expected: how many there may be in all, 0: not known */

ngx_int_t
ngx_http_fedgate_make_room(ngx_http_request_t *r,
    ngx_http_fedgate_bytes_t *bytes, size_t size, size_t expected)
{
    u_char  *data;
    size_t   room;

    size += bytes->length;

    if (size <= bytes->room) {
        return NGX_OK;
    }

    room = expected ? expected : ngx_max(2 * bytes->room,
                                         NGX_HTTP_FEDGATE_BODY_ROOM);
    room = ngx_max(size, room);

    data = ngx_pnalloc(r->pool, room);
    if (data == NULL) {
        return NGX_ERROR;
    }

    if (bytes->data) {
        ngx_memcpy(data, bytes->data, bytes->length);
        (void) ngx_pfree(r->pool, bytes->data);
    }

    bytes->data = data;
    bytes->room = room;

    return NGX_OK;
}


fg_str_t
ngx_http_fedgate_str(const ngx_str_t *s)
{
    return (fg_str_t) { (char *) s->data, s->len };
}
