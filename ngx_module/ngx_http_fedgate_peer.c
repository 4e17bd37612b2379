/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The client's certificate, with what came along with it. */
#include "ngx_module/ngx_http_fedgate.h"


#if (NGX_HTTP_SSL)

static ngx_int_t ngx_http_fedgate_peer_chain(ngx_http_request_t *r,
    fg_request_t *request);


ngx_int_t
ngx_http_fedgate_peer_certificate(ngx_http_request_t *r, fg_request_t *request)
{
    ngx_str_t                 s;
    ngx_http_ssl_srv_conf_t  *sscf;

    if (r->connection->ssl == NULL) {
        return NGX_OK;
    }

    sscf = ngx_http_get_module_srv_conf(r, ngx_http_ssl_module);

    if (!sscf->verify) {
        /* whatever the connection's certificate was checked for, it was not this server */
        return NGX_OK;
    }

    if (ngx_ssl_get_client_verify(r->connection, r->pool, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s.len != sizeof("SUCCESS") - 1
        || ngx_strncmp(s.data, "SUCCESS", s.len) != 0)
    {
        return NGX_OK;
    }

    if (ngx_ssl_get_raw_certificate(r->connection, r->pool, &s) != NGX_OK) {
        return NGX_ERROR;
    }

    request->client_certificate = ngx_http_fedgate_str(&s);

    return s.len ? ngx_http_fedgate_peer_chain(r, request) : NGX_OK;
}


/* a resumed session has none: then the gateway's own intermediates must do */

static ngx_int_t
ngx_http_fedgate_peer_chain(ngx_http_request_t *r, fg_request_t *request)
{
    int              i;
    BIO             *bio;
    char            *text;
    long             len;
    ngx_str_t        s;
    STACK_OF(X509)  *chain;

    chain = SSL_get_peer_cert_chain(r->connection->ssl->connection);

    if (sk_X509_num(chain) <= 0) {
        return NGX_OK;
    }

    bio = BIO_new(BIO_s_mem());
    if (bio == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < sk_X509_num(chain); i++) {
        if (PEM_write_bio_X509(bio, sk_X509_value(chain, i)) == 0) {
            BIO_free(bio);
            return NGX_ERROR;
        }
    }

    len = BIO_get_mem_data(bio, &text);

    s.len = len;
    s.data = ngx_pnalloc(r->pool, len);

    if (s.data) {
        ngx_memcpy(s.data, text, len);
        request->client_chain = ngx_http_fedgate_str(&s);
    }

    BIO_free(bio);

    return s.data ? NGX_OK : NGX_ERROR;
}

#else

ngx_int_t
ngx_http_fedgate_peer_certificate(ngx_http_request_t *r, fg_request_t *request)
{
    return NGX_OK;
}

#endif
