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


/* RFC 5929, section 4.1: the certificate's hash by its signature's algorithm,
 * and by SHA-256 where that is SHA-1 or MD5.  Only tickets ask for it. */

void
ngx_http_fedgate_peer_channel(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
    int             nid;
    X509           *cert;
    u_char         *hash;
    unsigned int    n;
    const EVP_MD   *md;

    if (r->connection->ssl == NULL
        || r->headers_in.authorization == NULL
        || r->headers_in.authorization->value.len < 10
        || ngx_strncasecmp(r->headers_in.authorization->value.data,
                           (u_char *) "Negotiate ", 10)
           != 0)
    {
        return;
    }

    cert = SSL_get_certificate(r->connection->ssl->connection);
    if (cert == NULL || !X509_get_signature_info(cert, &nid, NULL, NULL, NULL)) {
        return;
    }

    if (nid == NID_undef || nid == NID_md5 || nid == NID_sha1) {
        nid = NID_sha256;
    }

    md = EVP_get_digestbynid(nid);
    hash = ngx_pnalloc(r->pool, EVP_MAX_MD_SIZE);

    if (md && hash && X509_digest(cert, md, hash, &n) == 1) {
        ctx->request.channel.p = (const char *) hash;
        ctx->request.channel.n = n;
    }
}

#else

void
ngx_http_fedgate_peer_channel(ngx_http_request_t *r,
    ngx_http_fedgate_ctx_t *ctx)
{
}


ngx_int_t
ngx_http_fedgate_peer_certificate(ngx_http_request_t *r, fg_request_t *request)
{
    return NGX_OK;
}

#endif
