/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the server behind gets: nobody's identity but that which was found out,
 * and none of the gateway's own credentials.
 *
 * Elements of nginx's list of headers are never moved, for nginx points into
 * it; parts of the list are cut instead.  Only its first part may be empty:
 * that is what nginx's own loops over it take for granted. */
#include "ngx_module/ngx_http_fedgate.h"


/* what a request that is permitted goes on without */
typedef struct {
    ngx_http_fedgate_main_conf_t  *names;
    ngx_uint_t                     authorization;
    ngx_uint_t                     accept_encoding;
} ngx_http_fedgate_withheld_t;


static const ngx_str_t  ngx_http_fedgate_reserved = ngx_string("X-Fedgate-");
static const ngx_str_t  ngx_http_fedgate_cookie = ngx_string("__Host-fedgate");


static ngx_int_t ngx_http_fedgate_post_read_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_redirected_handler(ngx_http_request_t *r);
static ngx_uint_t ngx_http_fedgate_is_identity(ngx_str_t *names, ngx_uint_t n,
    ngx_str_t *key);
static ngx_uint_t ngx_http_fedgate_begins_with(ngx_str_t *key,
    const ngx_str_t *name);
static u_char ngx_http_fedgate_fold(u_char ch);
static ngx_int_t ngx_http_fedgate_remove(ngx_http_request_t *r,
    ngx_uint_t (*matches)(void *data, ngx_table_elt_t *h), void *data);
static ngx_int_t ngx_http_fedgate_cut(ngx_http_request_t *r,
    ngx_list_part_t *part, ngx_uint_t i);
static ngx_int_t ngx_http_fedgate_close_list(ngx_http_request_t *r);
static ngx_uint_t ngx_http_fedgate_matches_identity(void *data,
    ngx_table_elt_t *h);
static ngx_uint_t ngx_http_fedgate_has_name(ngx_table_elt_t *h,
    const ngx_str_t *name);
static ngx_uint_t ngx_http_fedgate_matches_withheld(void *data,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_fedgate_take_cookies(ngx_http_request_t *r);
static ngx_int_t ngx_http_fedgate_take_cookie(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static size_t ngx_http_fedgate_next_cookie(u_char **p, u_char *end);
static ngx_uint_t ngx_http_fedgate_is_ours(u_char *cookie, size_t len);
static ngx_int_t ngx_http_fedgate_authorize(ngx_http_request_t *r,
    fg_access_t *access);
static ngx_int_t ngx_http_fedgate_set_identities(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_http_fedgate_loc_conf_t *conf);
static ngx_int_t ngx_http_fedgate_set_identity(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity);


ngx_int_t
ngx_http_fedgate_forward_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_fedgate_post_read_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_fedgate_redirected_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_post_read_handler(ngx_http_request_t *r)
{
    return ngx_http_fedgate_take_identity(r) == NGX_OK
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* a request that nginx could not read comes to its error page without the phase above */

static ngx_int_t
ngx_http_fedgate_redirected_handler(ngx_http_request_t *r)
{
    ngx_http_fedgate_ctx_t  *ctx;

    if (r != r->main || !r->internal) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_fedgate_find_decision(r);

    if (ctx && ctx->permitted) {
        /* they are ours */
        return NGX_DECLINED;
    }

    return ngx_http_fedgate_post_read_handler(r);
}


/* removes what says who somebody is: it is ours to say (HT-01, HT-03) */

ngx_int_t
ngx_http_fedgate_take_identity(ngx_http_request_t *r)
{
    ngx_http_fedgate_main_conf_t  *fmcf;

    fmcf = ngx_http_get_module_main_conf(r, ngx_http_fedgate_module);

    return ngx_http_fedgate_remove(r, ngx_http_fedgate_matches_identity, fmcf);
}


static ngx_uint_t
ngx_http_fedgate_matches_identity(void *data, ngx_table_elt_t *h)
{
    ngx_http_fedgate_main_conf_t  *fmcf = data;

    if (fmcf->identity
        && ngx_http_fedgate_begins_with(&h->key, &ngx_http_fedgate_reserved))
    {
        return 1;
    }

    return ngx_http_fedgate_is_identity(fmcf->names.elts, fmcf->names.nelts,
                                        &h->key);
}


static ngx_uint_t
ngx_http_fedgate_is_identity(ngx_str_t *names, ngx_uint_t n, ngx_str_t *key)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (names[i].len == key->len
            && ngx_http_fedgate_begins_with(key, &names[i]))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_fedgate_begins_with(ngx_str_t *key, const ngx_str_t *name)
{
    size_t  i;

    if (key->len < name->len) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        if (ngx_http_fedgate_fold(key->data[i])
            != ngx_http_fedgate_fold(name->data[i]))
        {
            return 0;
        }
    }

    return 1;
}


/* programs get headers as variables whose names know letters, digits and "_" only */

static u_char
ngx_http_fedgate_fold(u_char ch)
{
    u_char  c;

    c = ch | 0x20;

    if ((c >= 'a' && c <= 'z') || (ch >= '0' && ch <= '9')) {
        return c;
    }

    return '-';
}


static ngx_int_t
ngx_http_fedgate_remove(ngx_http_request_t *r,
    ngx_uint_t (*matches)(void *data, ngx_table_elt_t *h), void *data)
{
    ngx_uint_t        i, removed;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    removed = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; /* void */ ) {

            if (!matches(data, &h[i])) {
                i++;
                continue;
            }

            h[i].hash = 0;
            removed = 1;

            if (ngx_http_fedgate_cut(r, part, i) != NGX_OK) {
                return NGX_ERROR;
            }

            /* what was behind it is the next part now, or this one */
            h = part->elts;
        }
    }

    return removed ? ngx_http_fedgate_close_list(r) : NGX_OK;
}


/* takes the element out of its part; parts may be left empty */

static ngx_int_t
ngx_http_fedgate_cut(ngx_http_request_t *r, ngx_list_part_t *part,
    ngx_uint_t i)
{
    ngx_table_elt_t  *h;
    ngx_list_part_t  *rest;

    h = part->elts;

    if (i == 0) {
        part->elts = h + 1;
        part->nelts--;
        return NGX_OK;
    }

    if (i + 1 < part->nelts) {
        rest = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
        if (rest == NULL) {
            return NGX_ERROR;
        }

        rest->elts = h + i + 1;
        rest->nelts = part->nelts - i - 1;
        rest->next = part->next;
        part->next = rest;
    }

    part->nelts = i;

    return NGX_OK;
}


/* drops empty parts, and has whatever is pushed from now on begin a new part: those cut have other sizes */

static ngx_int_t
ngx_http_fedgate_close_list(ngx_http_request_t *r)
{
    ngx_list_t       *list;
    ngx_list_part_t  *part;

    list = &r->headers_in.headers;

    for (part = &list->part; part->next; /* void */ ) {
        if (part->next->nelts == 0) {
            part->next = part->next->next;

        } else {
            part = part->next;
        }
    }

    if (part->nelts == 0) {
        return ngx_list_init(list, r->pool, list->nalloc,
                             sizeof(ngx_table_elt_t));
    }

    list->last = part;
    list->nalloc = part->nelts;

    return NGX_OK;
}


/* the request was permitted; returns NGX_OK or a status */

ngx_int_t
ngx_http_fedgate_forward(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx)
{
    ngx_int_t     rc;
    fg_access_t  *access = ctx->exchange->access;

    if (ctx->exchange->response.failed
        || ngx_http_fedgate_add_headers(r, &ctx->exchange->response) != NGX_OK
        || ngx_http_fedgate_take_cookies(r) != NGX_OK
        || ngx_http_fedgate_withhold(r, access->credential_is_spent
                                        || access->upstream_authorization.n,
                                     access->answer_is_read)
           != NGX_OK
        || ngx_http_fedgate_authorize(r, access) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_fedgate_set_identities(r, ctx, ctx->conf);

    if (rc == NGX_OK) {
        ctx->permitted = 1;
        ngx_http_fedgate_pass_keep(r, ctx);
    }

    return rc;
}


/* the server behind wants credentials of its own kind; the client's are gone */

static ngx_int_t
ngx_http_fedgate_authorize(ngx_http_request_t *r, fg_access_t *access)
{
    ngx_str_t                    value;
    ngx_http_fedgate_identity_t  authorization;

    if (access->upstream_authorization.n == 0) {
        return NGX_OK;
    }

    ngx_str_set(&authorization.name, "Authorization");
    authorization.lowcase = (u_char *) "authorization";
    authorization.hash = ngx_hash_key(authorization.lowcase,
                                      authorization.name.len);

    value.len = access->upstream_authorization.n;
    value.data = ngx_pnalloc(r->pool, value.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value.data, access->upstream_authorization.p, value.len);

    return ngx_http_fedgate_push(r, &authorization, &value);
}


ngx_int_t
ngx_http_fedgate_withhold(ngx_http_request_t *r, ngx_uint_t authorization,
    ngx_uint_t accept_encoding)
{
    ngx_http_fedgate_withheld_t  withheld;

    withheld.names = ngx_http_get_module_main_conf(r, ngx_http_fedgate_module);
    withheld.authorization = authorization;
    withheld.accept_encoding = accept_encoding;

    return ngx_http_fedgate_remove(r, ngx_http_fedgate_matches_withheld,
                                   &withheld);
}


static ngx_uint_t
ngx_http_fedgate_matches_withheld(void *data, ngx_table_elt_t *h)
{
    ngx_http_fedgate_withheld_t  *w = data;

    static const ngx_str_t  cookie = ngx_string("Cookie");
    static const ngx_str_t  authorization = ngx_string("Authorization");
    static const ngx_str_t  accept_encoding = ngx_string("Accept-Encoding");

    return (h->value.len == 0 && ngx_http_fedgate_has_name(h, &cookie))
           || (w->authorization
               && ngx_http_fedgate_has_name(h, &authorization))
           /* an answer that is compressed could not be read */
           || (w->accept_encoding
               && ngx_http_fedgate_has_name(h, &accept_encoding))
           /* another module may have let some in again */
           || ngx_http_fedgate_matches_identity(w->names, h);
}


static ngx_uint_t
ngx_http_fedgate_has_name(ngx_table_elt_t *h, const ngx_str_t *name)
{
    return h->key.len == name->len
           && ngx_strncasecmp(h->key.data, name->data, name->len) == 0;
}


static ngx_int_t
ngx_http_fedgate_take_cookies(ngx_http_request_t *r)
{
    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        if (ngx_http_fedgate_take_cookie(r, h[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* the next cookie of [*p, end), without what is between cookies; 0: there is none */

static size_t
ngx_http_fedgate_next_cookie(u_char **p, u_char *end)
{
    u_char  *next;

    while (*p < end && (**p == ' ' || **p == '\t' || **p == ';')) {
        (*p)++;
    }

    next = *p < end ? memchr(*p, ';', end - *p) : NULL;

    return (next ? next : end) - *p;
}


static ngx_uint_t
ngx_http_fedgate_is_ours(u_char *cookie, size_t len)
{
    return len >= ngx_http_fedgate_cookie.len
           && ngx_strncasecmp(cookie, ngx_http_fedgate_cookie.data,
                              ngx_http_fedgate_cookie.len)
              == 0;
}


/* the bytes themselves stay as they are: the exchange reads them */

static ngx_int_t
ngx_http_fedgate_take_cookie(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    size_t      len;
    u_char     *p, *end;
    ngx_str_t   kept;
    ngx_uint_t  found;

    found = 0;
    end = h->value.data + h->value.len;

    kept.len = 0;
    kept.data = ngx_pnalloc(r->pool, h->value.len + 1);
    if (kept.data == NULL) {
        return NGX_ERROR;
    }

    for (p = h->value.data;
         (len = ngx_http_fedgate_next_cookie(&p, end)) > 0;
         p += len)
    {
        if (ngx_http_fedgate_is_ours(p, len)) {
            found = 1;
            continue;
        }

        if (kept.len > 0) {
            kept.data[kept.len++] = ';';
            kept.data[kept.len++] = ' ';
        }

        ngx_memcpy(kept.data + kept.len, p, len);
        kept.len += len;
    }

    if (found) {
        h->value = kept;
    }

    return NGX_OK;
}


/* sets the headers that a location of the same protection asks for, in place of those set before; NGX_OK or a status */

ngx_int_t
ngx_http_fedgate_identify(ngx_http_request_t *r, ngx_http_fedgate_ctx_t *ctx,
    ngx_http_fedgate_loc_conf_t *conf)
{
    if (ngx_http_fedgate_take_identity(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_fedgate_set_identities(r, ctx, conf);
}


static ngx_int_t
ngx_http_fedgate_set_identities(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx, ngx_http_fedgate_loc_conf_t *conf)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_fedgate_identity_t  *identity;

    ctx->conf = conf;
    identity = conf->identity->elts;

    for (i = 0; i < conf->identity->nelts; i++) {

        if (identity[i].value == NULL) {
            continue;
        }

        rc = ngx_http_fedgate_set_identity(r, &identity[i]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_fedgate_set_identity(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity)
{
    size_t      i;
    ngx_str_t   value;
    ngx_uint_t  encoded;

    if (ngx_http_fedgate_get_value(r, identity, &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    encoded = ngx_http_fedgate_variable_is_ours(r, identity->variable);

    for (i = 0; !encoded && i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "fedgate: a control character in the value of "
                          "\"%V\"", &identity->name);
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    if (value.len == 0) {
        return NGX_OK;
    }

    return ngx_http_fedgate_push(r, identity, &value) == NGX_OK
           ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
ngx_http_fedgate_get_value(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity, ngx_str_t *value)
{
    ngx_http_variable_value_t  *vv;

    if (identity->variable == NGX_ERROR) {
        return ngx_http_complex_value(r, identity->value, value);
    }

    vv = ngx_http_get_flushed_variable(r, identity->variable);

    if (vv == NULL || vv->not_found) {
        ngx_str_null(value);
        return NGX_OK;
    }

    value->data = vv->data;
    value->len = vv->len;

    return NGX_OK;
}


ngx_int_t
ngx_http_fedgate_push(ngx_http_request_t *r,
    ngx_http_fedgate_identity_t *identity, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->key = identity->name;
    h->value = *value;
    h->lowcase_key = identity->lowcase;
    h->hash = identity->hash;

    return NGX_OK;
}
