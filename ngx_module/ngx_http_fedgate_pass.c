/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What this worker let in lately, where the decision stands for every request
 * with the same credential (hub/standing.h): the next one is recognised by the
 * bytes of its Cookie or Authorization header and goes on without an exchange.
 *
 * What must be the same is compared here; whatever else a request has that the
 * gateway would look at sends it the long way. */
#include "ngx_module/ngx_http_fedgate.h"

#include "hub/recent.h"
#include "hub/standing.h"
#include "hub/web_access.h"

#define NGX_HTTP_FEDGATE_BUCKETS     256
#define NGX_HTTP_FEDGATE_DEPTH       2     /* passes of a bucket, the latest first */


/* used by requests as long as they last, and by the table; begins a block with all its texts */
struct ngx_http_fedgate_pass_s {
    ngx_uint_t                    references;
    ngx_http_fedgate_loc_conf_t  *conf;
    fg_standing_t                *standing;
    uint64_t                      changes;
    ngx_str_t                     host;
    ngx_str_t                     credential;
    ngx_str_t                     cookies;   /* that are left of it; of Authorization nothing is */
    ngx_str_t                    *values;    /* of the identity headers */
    size_t                        size;
    unsigned                      bearer:1;
};


static ngx_uint_t ngx_http_fedgate_pass_applies(ngx_http_request_t *r,
    ngx_http_fedgate_gateway_t *gw);
static ngx_table_elt_t *ngx_http_fedgate_pass_credential(
    ngx_http_request_t *r);
static ngx_http_fedgate_pass_t **ngx_http_fedgate_pass_bucket(
    ngx_http_fedgate_loc_conf_t *conf, const ngx_str_t *credential);
static ngx_http_fedgate_pass_t *ngx_http_fedgate_pass_find(
    ngx_http_request_t *r, ngx_http_fedgate_loc_conf_t *conf,
    ngx_table_elt_t *credential);
static ngx_uint_t ngx_http_fedgate_pass_is(ngx_http_fedgate_pass_t *pass,
    ngx_http_request_t *r, ngx_http_fedgate_loc_conf_t *conf,
    ngx_table_elt_t *credential);
static ngx_http_fedgate_ctx_t *ngx_http_fedgate_pass_take(
    ngx_http_request_t *r, ngx_http_fedgate_pass_t *pass,
    ngx_table_elt_t *credential);
static ngx_int_t ngx_http_fedgate_pass_forward(ngx_http_request_t *r,
    ngx_http_fedgate_pass_t *pass, ngx_table_elt_t *credential);
static ngx_http_fedgate_pass_t *ngx_http_fedgate_pass_make(
    ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    fg_standing_t *standing);
static ngx_int_t ngx_http_fedgate_pass_values(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf, ngx_str_t *values, size_t *size);
static void ngx_http_fedgate_pass_put_first(ngx_http_fedgate_pass_t **bucket,
    ngx_http_fedgate_pass_t *pass);
static ngx_str_t ngx_http_fedgate_pass_put(u_char **p, const ngx_str_t *s);
static void ngx_http_fedgate_pass_release(ngx_http_fedgate_pass_t *pass);


ngx_int_t
ngx_http_fedgate_pass_enter(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_table_elt_t              *credential;
    ngx_http_fedgate_ctx_t       *ctx;
    ngx_http_fedgate_pass_t      *pass;
    ngx_http_fedgate_gateway_t   *gw = conf->guard;

    if (gw->passes == NULL || !ngx_http_fedgate_pass_applies(r, gw)) {
        return NGX_DECLINED;
    }

    credential = ngx_http_fedgate_pass_credential(r);
    if (credential == NULL) {
        return NGX_DECLINED;
    }

    pass = ngx_http_fedgate_pass_find(r, conf, credential);

    if (pass == NULL
        || pass->changes != fg_gateway_changes(gw->gateway, &gw->env)
        || fg_now(&gw->env) >= pass->standing->until_ms)
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_fedgate_pass_take(r, pass, credential);

    if (ctx == NULL
        || ngx_http_fedgate_pass_forward(r, pass, credential) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->permitted = 1;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "fedgate: let in as lately");

    return NGX_OK;
}


/* what a decision looks at besides the credential, and is the same for all that stand */

static ngx_uint_t
ngx_http_fedgate_pass_applies(ngx_http_request_t *r,
    ngx_http_fedgate_gateway_t *gw)
{
#if (NGX_HTTP_SSL)

    ngx_http_ssl_srv_conf_t  *sscf;

    static const ngx_str_t  back = ngx_string(FG_WEB_ACCESS_RETURN);

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_ssl_module);

    return r->connection->ssl != NULL
           && !sscf->verify
           && r->headers_in.host != NULL
           && (r->uri.len != back.len
               || ngx_memcmp(r->uri.data, back.data, back.len) != 0)
           && !fg_gateway_trusts_proxies(gw->gateway);

#else

    return 0;

#endif
}


/* the one header that may carry one; NULL: there are others, or none */

static ngx_table_elt_t *
ngx_http_fedgate_pass_credential(ngx_http_request_t *r)
{
    ngx_table_elt_t   *h;
    ngx_table_elt_t  **cookies;

    cookies = r->headers_in.cookies.elts;
    h = r->headers_in.authorization;

    if (r->headers_in.cookies.nelts == 1 && h == NULL) {
        h = cookies[0];

    } else if (r->headers_in.cookies.nelts > 0) {
        return NULL;
    }

    if (h == NULL
        || h->value.len < FG_RECENT_TEXT_MIN
        || h->value.len > FG_RECENT_TEXT_MAX)
    {
        return NULL;
    }

    return h;
}


static ngx_http_fedgate_pass_t **
ngx_http_fedgate_pass_bucket(ngx_http_fedgate_loc_conf_t *conf,
    const ngx_str_t *credential)
{
    uint64_t  a;

    /* a session has many locations */
    a = fg_recent_hash(ngx_http_fedgate_str(credential))
        ^ ((uintptr_t) conf >> 4);
    a %= NGX_HTTP_FEDGATE_BUCKETS;

    return &conf->guard->passes[a * NGX_HTTP_FEDGATE_DEPTH];
}


static ngx_http_fedgate_pass_t *
ngx_http_fedgate_pass_find(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf, ngx_table_elt_t *credential)
{
    ngx_uint_t                 i;
    ngx_http_fedgate_pass_t  **bucket;

    bucket = ngx_http_fedgate_pass_bucket(conf, &credential->value);

    for (i = 0; i < NGX_HTTP_FEDGATE_DEPTH && bucket[i]; i++) {
        if (ngx_http_fedgate_pass_is(bucket[i], r, conf, credential)) {
            return bucket[i];
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_fedgate_pass_is(ngx_http_fedgate_pass_t *pass, ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf, ngx_table_elt_t *credential)
{
    ngx_str_t  *host = &r->headers_in.host->value;

    return pass->conf == conf
           && pass->bearer == (credential == r->headers_in.authorization)
           && pass->host.len == host->len
           && ngx_memcmp(pass->host.data, host->data, host->len) == 0
           && fg_recent_is_text(ngx_http_fedgate_str(&pass->credential),
                                ngx_http_fedgate_str(&credential->value));
}


static ngx_http_fedgate_ctx_t *
ngx_http_fedgate_pass_take(ngx_http_request_t *r,
    ngx_http_fedgate_pass_t *pass, ngx_table_elt_t *credential)
{
    ngx_http_fedgate_ctx_t  *ctx;

    ctx = ngx_http_fedgate_add_decision(r);
    if (ctx == NULL) {
        return NULL;
    }

    pass->references++;

    ctx->pass = pass;
    ctx->conf = pass->conf;
    ctx->gateway = pass->conf->guard;
    ctx->credential = credential->value;

    return ctx;
}


static ngx_int_t
ngx_http_fedgate_pass_forward(ngx_http_request_t *r,
    ngx_http_fedgate_pass_t *pass, ngx_table_elt_t *credential)
{
    ngx_uint_t                    i;
    ngx_http_fedgate_identity_t  *identity;

    if (!pass->bearer) {
        credential->value = pass->cookies;
    }

    if (ngx_http_fedgate_withhold(r, pass->bearer, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    identity = pass->conf->identity->elts;

    for (i = 0; i < pass->conf->identity->nelts; i++) {
        if (pass->values[i].len
            && ngx_http_fedgate_push(r, &identity[i], &pass->values[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* before the exchange is there: what it decides may stand for this */

void
ngx_http_fedgate_pass_prepare(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    ngx_table_elt_t  *credential;

    if (!ngx_http_fedgate_pass_applies(r, ctx->gateway)) {
        return;
    }

    credential = ngx_http_fedgate_pass_credential(r);

    if (credential) {
        ctx->credential = credential->value;
        ctx->changes = fg_gateway_changes(ctx->gateway->gateway,
                                          &ctx->gateway->env);
    }
}


void
ngx_http_fedgate_pass_keep(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    fg_standing_t                *standing;
    ngx_http_fedgate_pass_t      *pass;
    ngx_http_fedgate_gateway_t   *gw = ctx->gateway;

    if (ctx->credential.len == 0) {
        return;
    }

    standing = fg_standing_new(ctx->exchange);
    if (standing == NULL) {
        return;
    }

    if (gw->passes == NULL) {
        gw->passes = ngx_calloc(NGX_HTTP_FEDGATE_BUCKETS
                                * NGX_HTTP_FEDGATE_DEPTH
                                * sizeof(ngx_http_fedgate_pass_t *),
                                r->connection->log);
    }

    pass = gw->passes ? ngx_http_fedgate_pass_make(r, ctx, standing) : NULL;

    if (pass == NULL) {
        fg_standing_free(standing);
        return;
    }

    ngx_http_fedgate_pass_put_first(
              ngx_http_fedgate_pass_bucket(ctx->conf, &pass->credential),
              pass);
}


/* in place of one that is over, or of the oldest */

static void
ngx_http_fedgate_pass_put_first(ngx_http_fedgate_pass_t **bucket,
    ngx_http_fedgate_pass_t *pass)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_FEDGATE_DEPTH - 1 && bucket[i]; i++) {
        if (bucket[i]->changes != pass->changes
            || (bucket[i]->conf == pass->conf
                && fg_recent_is_text(
                                  ngx_http_fedgate_str(&bucket[i]->credential),
                                  ngx_http_fedgate_str(&pass->credential))))
        {
            break;
        }
    }

    ngx_http_fedgate_pass_release(bucket[i]);

    for ( /* void */ ; i > 0; i--) {
        bucket[i] = bucket[i - 1];
    }

    bucket[0] = pass;
}


/* NULL: no memory, or an identity header that is not about the person alone */

static ngx_http_fedgate_pass_t *
ngx_http_fedgate_pass_make(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    fg_standing_t *standing)
{
    size_t                    size;
    u_char                   *p;
    ngx_str_t                *values, *host, cookies;
    ngx_uint_t                i, n;
    ngx_http_fedgate_pass_t  *pass;

    n = ctx->conf->identity->nelts;
    host = &r->headers_in.host->value;

    ngx_str_null(&cookies);

    if (r->headers_in.cookies.nelts == 1) {
        /* as it goes on */
        cookies = (*(ngx_table_elt_t **) r->headers_in.cookies.elts)->value;
    }

    size = sizeof(ngx_http_fedgate_pass_t) + n * sizeof(ngx_str_t) + host->len
           + ctx->credential.len + cookies.len;

    values = ngx_pcalloc(r->pool, (n + 1) * sizeof(ngx_str_t));

    if (values == NULL
        || ngx_http_fedgate_pass_values(r, ctx->conf, values, &size) != NGX_OK)
    {
        return NULL;
    }

    pass = ngx_calloc(size, r->connection->log);
    if (pass == NULL) {
        return NULL;
    }

    pass->references = 1;
    pass->size = size;
    pass->conf = ctx->conf;
    pass->standing = standing;
    pass->changes = ctx->changes;
    pass->bearer = r->headers_in.cookies.nelts == 0;
    pass->values = (ngx_str_t *) (pass + 1);

    p = (u_char *) (pass->values + n);

    pass->host = ngx_http_fedgate_pass_put(&p, host);
    pass->credential = ngx_http_fedgate_pass_put(&p, &ctx->credential);
    pass->cookies = ngx_http_fedgate_pass_put(&p, &cookies);

    for (i = 0; i < n; i++) {
        pass->values[i] = ngx_http_fedgate_pass_put(&p, &values[i]);
    }

    return pass;
}


static ngx_int_t
ngx_http_fedgate_pass_values(ngx_http_request_t *r,
    ngx_http_fedgate_loc_conf_t *conf, ngx_str_t *values, size_t *size)
{
    ngx_uint_t                    i;
    ngx_http_fedgate_identity_t  *identity;

    identity = conf->identity->elts;

    for (i = 0; i < conf->identity->nelts; i++) {

        if (identity[i].value == NULL) {
            continue;
        }

        if (ngx_http_fedgate_get_value(r, &identity[i], &values[i]) != NGX_OK
            || !ngx_http_fedgate_variable_is_ours(r, identity[i].variable))
        {
            return NGX_ERROR;
        }

        *size += values[i].len;
    }

    return NGX_OK;
}


static ngx_str_t
ngx_http_fedgate_pass_put(u_char **p, const ngx_str_t *s)
{
    ngx_str_t  copy;

    copy.len = s->len;
    copy.data = *p;

    if (s->len) {
        *p = ngx_cpymem(*p, s->data, s->len);
    }

    return copy;
}


ngx_int_t
ngx_http_fedgate_pass_headers(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, fg_request_t *request)
{
    fg_header_t  *header;

    if (ngx_http_fedgate_copy_headers(r, request) != NGX_OK) {
        return NGX_ERROR;
    }

    /* there is room for one more */
    header = (fg_header_t *) request->headers + request->header_count++;

    header->name = ctx->pass->bearer ? FG_STR("Authorization")
                                     : FG_STR("Cookie");
    header->value = ngx_http_fedgate_str(&ctx->credential);

    return NGX_OK;
}


const fg_access_t *
ngx_http_fedgate_pass_access(ngx_http_fedgate_pass_t *pass)
{
    return &pass->standing->access;
}


/* made when something is asked for that is not known already */

fg_arena_t *
ngx_http_fedgate_pass_arena(ngx_http_fedgate_ctx_t *ctx)
{
    if (ctx->arena == NULL) {
        ctx->arena = fg_arena_new(0);
    }

    return ctx->arena;
}


void
ngx_http_fedgate_pass_leave(ngx_http_fedgate_ctx_t *ctx)
{
    fg_arena_free(ctx->arena);
    ctx->arena = NULL;

    ngx_http_fedgate_pass_release(ctx->pass);
    ctx->pass = NULL;
}


static void
ngx_http_fedgate_pass_release(ngx_http_fedgate_pass_t *pass)
{
    if (pass == NULL || --pass->references > 0) {
        return;
    }

    fg_standing_free(pass->standing);

    ngx_explicit_memzero(pass, pass->size);
    ngx_free(pass);
}


void
ngx_http_fedgate_free_passes(ngx_http_fedgate_gateway_t *gw)
{
    ngx_uint_t  i;

    if (gw->passes == NULL) {
        return;
    }

    for (i = 0; i < NGX_HTTP_FEDGATE_BUCKETS * NGX_HTTP_FEDGATE_DEPTH; i++) {
        ngx_http_fedgate_pass_release(gw->passes[i]);
    }

    ngx_free(gw->passes);
    gw->passes = NULL;
}
