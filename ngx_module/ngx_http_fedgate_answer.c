/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A WS-Management server's answers: what they open (enumeration contexts,
 * shells) is bound to who asked (WM-11).  An answer goes on to the client as it
 * comes, a copy is read before its end goes on.
 *
 * The filters stand behind the copy filter, which brings into memory what nginx
 * has in files, and before those that compress. */
#include "ngx_module/ngx_http_fedgate.h"

#define NGX_HTTP_FEDGATE_ANSWER_MAX  (1024 * 1024)


static ngx_int_t ngx_http_fedgate_header_filter(ngx_http_request_t *r);
static void ngx_http_fedgate_take_challenges(ngx_http_request_t *r,
    fg_exchange_t *ex);
static ngx_uint_t ngx_http_fedgate_is_own(fg_exchange_t *ex,
    ngx_str_t *value);
static ngx_int_t ngx_http_fedgate_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_fedgate_copy_answer(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


ngx_int_t
ngx_http_fedgate_answer_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_fedgate_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_fedgate_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_header_filter(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_fedgate_find_decision(r);

    if (ctx && ctx->permitted && ctx->exchange) {
        ngx_http_fedgate_take_challenges(r, ctx->exchange);
    }

    if (r->headers_out.status != NGX_HTTP_OK
        || ctx == NULL
        || !ctx->permitted
        || ctx->exchange == NULL
        || !ctx->exchange->access->answer_is_read)
    {
        return ngx_http_next_header_filter(r);
    }

    if (r->headers_out.content_encoding
        && r->headers_out.content_encoding->value.len)
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "fedgate: the answer is encoded as \"%V\": what it opens "
                      "will be refused",
                      &r->headers_out.content_encoding->value);

        return ngx_http_next_header_filter(r);
    }

    ngx_http_set_ctx(r, ctx, ngx_http_fedgate_module);

    ctx->reads_answer = 1;
    ctx->answer_length = r->headers_out.content_length_n;
    r->filter_need_in_memory = 1;

    return ngx_http_next_header_filter(r);
}


/* what the server behind says of Negotiate is for the gateway, and would have a browser ask its user */

static void
ngx_http_fedgate_take_challenges(ngx_http_request_t *r, fg_exchange_t *ex)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("WWW-Authenticate");

    if (ex->access->upstream_authorization.n == 0) {
        return;
    }

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == name.len
                && ngx_strncasecmp(h[i].key.data, name.data, name.len) == 0
                && h[i].value.len >= 9
                && ngx_strncasecmp(h[i].value.data, (u_char *) "Negotiate", 9)
                   == 0
                && !ngx_http_fedgate_is_own(ex, &h[i].value))
            {
                h[i].hash = 0;
            }
        }
    }
}


/* the gateway's own proof to a client that came with a ticket */

static ngx_uint_t
ngx_http_fedgate_is_own(fg_exchange_t *ex, ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < ex->response.header_count; i++) {
        if (fg_str_eq(ex->response.headers[i].value,
                      ngx_http_fedgate_str(value)))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_fedgate_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_fedgate_module);

    if (ctx
        && ctx->reads_answer
        && r == r->main
        && ngx_http_fedgate_copy_answer(r, ctx, in) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_body_filter(r, in);
}


static ngx_int_t
ngx_http_fedgate_copy_answer(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_chain_t *in)
{
    size_t                     size;
    fg_str_t                   body;
    ngx_uint_t                 last;
    ngx_http_fedgate_bytes_t  *answer = &ctx->answer;

    last = 0;

    for ( /* void */ ; in; in = in->next) {
        last |= in->buf->last_buf;
        size = ngx_buf_in_memory(in->buf) ? in->buf->last - in->buf->pos : 0;

        if (size > NGX_HTTP_FEDGATE_ANSWER_MAX - answer->length) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "fedgate: the answer is longer than 1 MiB: what it "
                          "opens will be refused");
            ctx->reads_answer = 0;
            return NGX_OK;
        }

        if (size == 0) {
            continue;
        }

        if (ngx_http_fedgate_make_room(r, answer, size, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_memcpy(answer->data + answer->length, in->buf->pos, size);
        answer->length += size;
    }

    /* a client knows the end by the length, too, and would go on at once */
    if (last || (off_t) answer->length == ctx->answer_length) {
        ctx->reads_answer = 0;
        body.p = (char *) answer->data;
        body.n = answer->length;

        /* what could not be bound is logged, and will be refused */
        (void) fg_access_read_answer(ctx->exchange, body);
    }

    return NGX_OK;
}
