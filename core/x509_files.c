/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/x509_files.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/file.h"
#include "core/x509_parts.h"

#define CERTIFICATES_MAX (4u << 20)
#define CRL_MAX (16u << 20)
#define MEMBERS_MAX 1024

struct fg_x509_files {
    const fg_x509_options_t *options;
    pthread_mutex_t lock; /* of content and its count */
    fg_x509_content_t *content;
    fg_file_stamp_t *stamps; /* of what was read last, also if it was bad: CAs, intermediates, CRLs */
};

/* ---- one file */

/* Hands each PEM block of a kind, or the whole file as DER, to take. */
typedef bool (*take_t)(void *context, const unsigned char *der, long length);

static bool read_blocks(BIO *bio, const char *wanted, take_t take, void *context, unsigned *count) {
    char *name, *header;
    unsigned char *data;
    long length;
    bool ok = true;
    while (ok && *count < MEMBERS_MAX && PEM_read_bio(bio, &name, &header, &data, &length) == 1) {
        if (strcmp(name, wanted) == 0) {
            ok = take(context, data, length);
            ++*count;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)length);
    }
    return ok && *count < MEMBERS_MAX && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool read_members(fg_str_t bytes, const char *wanted, take_t take, void *context) {
    unsigned count = 0;
    if (memmem(bytes.p, bytes.n, "-----BEGIN ", 11) == NULL)
        return bytes.n > 0 && take(context, (const unsigned char *)bytes.p, (long)bytes.n);
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    bool ok = bio != NULL && read_blocks(bio, wanted, take, context, &count) && count > 0;
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

static bool read_file(const char *path, size_t maximum, const char *wanted, take_t take, void *context,
                      fg_file_stamp_t *stamp, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(maximum);
    *stamp = (fg_file_stamp_t){0};
    bool ok = fg_file_read(path, &bytes, stamp, err);
    if (ok && !read_members(fg_buf_str(&bytes), wanted, take, context))
        ok = FG_FAIL(err, FG_E_CONFIG, "%s: %s in PEM or DER is expected", path,
                     strcmp(wanted, "X509 CRL") == 0 ? "a CRL with SHA-256 or better and a nextUpdate"
                                                     : "a certificate");
    fg_buf_free(&bytes);
    return ok;
}

/* ---- members */

static X509 *read_certificate(const unsigned char *der, long length) {
    const unsigned char *end = der;
    X509 *x509 = d2i_X509(NULL, &end, length);
    if (x509 != NULL && end == der + length)
        return x509;
    X509_free(x509);
    return NULL;
}

static bool take_ca(void *context, const unsigned char *der, long length) {
    fg_x509_content_t *content = context;
    X509 *x509 = read_certificate(der, length);
    bool ok = x509 != NULL && X509_STORE_add_cert(content->store, x509) == 1;
    X509_free(x509);
    return ok;
}

static bool take_intermediate(void *context, const unsigned char *der, long length) {
    fg_x509_content_t *content = context;
    X509 *x509 = read_certificate(der, length);
    if (x509 != NULL && sk_X509_push(content->intermediates, x509) > 0)
        return true;
    X509_free(x509);
    return false;
}

static bool take_crl(void *context, const unsigned char *der, long length) {
    fg_x509_content_t *content = context;
    const unsigned char *end = der;
    X509_CRL *crl = d2i_X509_CRL(NULL, &end, length);
    if (crl != NULL && end == der + length && fg_x509_crl_check(crl, NULL) && sk_X509_CRL_push(content->crls, crl) > 0)
        return true;
    X509_CRL_free(crl);
    return false;
}

/* ---- the whole */

static void content_free(fg_x509_content_t *content) {
    if (content == NULL)
        return;
    X509_STORE_free(content->store);
    sk_X509_pop_free(content->intermediates, X509_free);
    sk_X509_CRL_pop_free(content->crls, X509_CRL_free);
    free(content);
}

static fg_x509_content_t *content_new(void) {
    fg_x509_content_t *content = calloc(1, sizeof *content);
    if (content == NULL)
        return NULL;
    content->references = 1;
    content->store = X509_STORE_new();
    content->intermediates = sk_X509_new_null();
    content->crls = sk_X509_CRL_new_null();
    if (content->store != NULL && content->intermediates != NULL && content->crls != NULL)
        return content;
    content_free(content);
    return NULL;
}

/* The three lists of files as one. */
typedef struct file {
    const char *path;
    size_t maximum;
    const char *kind;
    take_t take;
} file_t;

static size_t count_files(const fg_x509_options_t *o) { return o->ca_count + o->intermediate_count + o->crl_count; }

static file_t get_file(const fg_x509_options_t *o, size_t i) {
    if (i < o->ca_count)
        return (file_t){o->ca_files[i], CERTIFICATES_MAX, "CERTIFICATE", take_ca};
    i -= o->ca_count;
    if (i < o->intermediate_count)
        return (file_t){o->intermediate_files[i], CERTIFICATES_MAX, "CERTIFICATE", take_intermediate};
    return (file_t){o->crl_files[i - o->intermediate_count], CRL_MAX, "X509 CRL", take_crl};
}

static fg_x509_content_t *content_read(fg_x509_files_t *files, fg_err_t *err) {
    fg_x509_content_t *content = content_new();
    if (content == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "reading CAs");
        return NULL;
    }
    bool ok = true;
    /* all of them, so that the stamps are of now and a wrong file is not read again until something changes */
    for (size_t i = 0; i < count_files(files->options); i++) {
        const file_t file = get_file(files->options, i);
        ok =
            read_file(file.path, file.maximum, file.kind, file.take, content, &files->stamps[i], ok ? err : NULL) && ok;
    }
    if (ok)
        return content;
    content_free(content);
    return NULL;
}

static void warn_of_expired(const fg_x509_files_t *files, const fg_env_t *env) {
    for (int i = 0; i < sk_X509_CRL_num(files->content->crls); i++) {
        char name[200] = "";
        const X509_CRL *crl = sk_X509_CRL_value(files->content->crls, i);
        if (fg_x509_time(X509_CRL_get0_nextUpdate(crl)) > fg_now(env))
            continue;
        X509_NAME_oneline(X509_CRL_get_issuer(crl), name, sizeof name);
        fg_log(env, FG_LOG_WARN, "certificates \"%s\": the CRL of %s has expired: its certificates are refused",
               files->options->name, name);
    }
}

fg_x509_content_t *fg_x509_files_acquire(fg_x509_files_t *files) {
    pthread_mutex_lock(&files->lock);
    fg_x509_content_t *content = files->content;
    content->references++;
    pthread_mutex_unlock(&files->lock);
    return content;
}

void fg_x509_files_release(fg_x509_files_t *files, fg_x509_content_t *content) {
    pthread_mutex_lock(&files->lock);
    bool last = --content->references == 0;
    pthread_mutex_unlock(&files->lock);
    if (last)
        content_free(content);
}

fg_x509_files_t *fg_x509_files_new(const fg_x509_options_t *options, const fg_env_t *env, fg_err_t *err) {
    fg_x509_files_t *files = calloc(1, sizeof *files);
    if (files != NULL)
        files->stamps = calloc(count_files(options) + 1, sizeof *files->stamps);
    if (files == NULL || files->stamps == NULL) {
        free(files);
        FG_FAIL(err, FG_E_MEMORY, "reading CAs");
        return NULL;
    }
    files->options = options;
    pthread_mutex_init(&files->lock, NULL);
    files->content = content_read(files, err);
    if (files->content != NULL) {
        warn_of_expired(files, env);
        return files;
    }
    fg_x509_files_free(files);
    return NULL;
}

void fg_x509_files_free(fg_x509_files_t *files) {
    if (files == NULL)
        return;
    content_free(files->content);
    pthread_mutex_destroy(&files->lock);
    free(files->stamps);
    free(files);
}

static bool is_changed(const fg_x509_files_t *files) {
    for (size_t i = 0; i < count_files(files->options); i++) {
        fg_file_stamp_t stamp;
        if (fg_file_stamp(get_file(files->options, i).path, &stamp) && !fg_file_stamp_eq(&stamp, &files->stamps[i]))
            return true;
    }
    return false;
}

void fg_x509_files_refresh(fg_x509_files_t *files, const fg_env_t *env) {
    fg_err_t err = FG_ERR_INIT;
    if (!is_changed(files))
        return;
    fg_x509_content_t *content = content_read(files, &err);
    if (content == NULL) {
        fg_log(env, FG_LOG_ERROR, "certificates \"%s\": refused, and what was read last stays: %s",
               files->options->name, err.detail);
        return;
    }
    pthread_mutex_lock(&files->lock);
    fg_x509_content_t *before = files->content;
    files->content = content;
    pthread_mutex_unlock(&files->lock);
    fg_x509_files_release(files, before);
    warn_of_expired(files, env);
    fg_log(env, FG_LOG_NOTICE, "certificates \"%s\": files read again", files->options->name);
}
