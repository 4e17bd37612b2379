/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/certificate.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/key.h"

#define NAMES_MAX 64 /* in SubjectAltName */
#define CHAIN_MAX 10

static const char x509_subject_format[] = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";

/* A name as RFC 2253 writes it, in UTF-8. */
static fg_str_t name_text(fg_arena_t *arena, const X509_NAME *name) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    fg_str_t text = FG_STR_NONE;
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        long length = BIO_get_mem_data(bio, &data);
        if (length > 0)
            text = fg_arena_str(arena, (fg_str_t){data, (size_t)length});
    }
    BIO_free(bio);
    return text;
}

/* A string of a certificate; what is no clean UTF-8 is left out, as a NUL inside would cut it short elsewhere. */
static bool put_string(fg_arena_t *arena, fg_claims_t *claims, const char *type, const ASN1_STRING *string) {
    unsigned char *utf8 = NULL;
    int length = string ? ASN1_STRING_to_UTF8(&utf8, string) : 0;
    fg_str_t text = {(const char *)utf8, length > 0 ? (size_t)length : 0};
    bool ok = text.n == 0 || !fg_str_is_utf8(text) || fg_claims_put(arena, claims, type, text);
    OPENSSL_free(utf8);
    return ok;
}

static bool put_common_name(fg_arena_t *arena, const X509_NAME *subject, fg_claims_t *claims) {
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    return at < 0 ||
           put_string(arena, claims, FG_CLAIM_NAME, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

static bool put_alternative(fg_arena_t *arena, const GENERAL_NAME *name, fg_claims_t *claims) {
    if (name->type == GEN_EMAIL)
        return put_string(arena, claims, FG_CLAIM_EMAIL, name->d.rfc822Name);
    if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_ms_upn ||
        name->d.otherName->value->type != V_ASN1_UTF8STRING)
        return true;
    return put_string(arena, claims, FG_CLAIM_UPN, name->d.otherName->value->value.utf8string);
}

static bool put_alternatives(fg_arena_t *arena, const X509 *x509, fg_claims_t *claims) {
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    bool ok = true;
    for (int i = 0; ok && i < sk_GENERAL_NAME_num(names) && i < NAMES_MAX; i++)
        ok = put_alternative(arena, sk_GENERAL_NAME_value(names, i), claims);
    GENERAL_NAMES_free(names);
    return ok;
}

static bool fill(fg_arena_t *arena, const fg_key_t *key, int64_t now_ms, fg_identity_t *identity, fg_err_t *err) {
    const X509 *x509 = fg_key_get_x509(key);
    fg_str_t subject = name_text(arena, X509_get_subject_name(x509));
    fg_claims_t *claims = &identity->claims;
    identity->issuer = name_text(arena, X509_get_issuer_name(x509));
    if (subject.p == NULL || identity->issuer.p == NULL)
        return FG_FAIL(err, FG_E_AUTH_FAILED, "client certificate without a subject or an issuer");
    identity->name_id = (fg_name_id_t){.value = subject, .format = fg_str(x509_subject_format)};
    identity->auth_method = FG_STR(FG_AUTH_TLSCLIENT);
    identity->auth_instant_ms = now_ms;
    if (!put_common_name(arena, X509_get_subject_name(x509), claims) || !put_alternatives(arena, x509, claims) ||
        !fg_claims_put(arena, claims, FG_CLAIM_X500NAME, subject) ||
        !fg_claims_put(arena, claims, FG_CLAIM_THUMBPRINT, fg_str(fg_key_get_thumbprint(key))))
        return FG_FAIL(err, FG_E_MEMORY, "claims of a client certificate");
    for (size_t i = 0; i < claims->count; i++)
        claims->items[i].issuer = identity->issuer;
    return true;
}

bool fg_certificate_identity(fg_arena_t *arena, fg_str_t pem, int64_t now_ms, fg_identity_t *identity,
                             int64_t *expires_ms, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    *identity = (fg_identity_t){0};
    fg_key_t *key = fg_key_from_pem(pem, &why);
    if (key == NULL || fg_key_get_x509(key) == NULL) {
        fg_key_unref(key);
        return FG_FAIL(err, FG_E_AUTH_FAILED, "client certificate: %s", key ? "there is none" : why.detail);
    }
    *expires_ms = fg_key_get_not_after(key);
    bool ok = now_ms < *expires_ms ? fill(arena, key, now_ms, identity, err)
                                   : FG_FAIL(err, FG_E_AUTH_FAILED, "client certificate has expired");
    fg_key_unref(key);
    return ok;
}

bool fg_certificate_claims(fg_arena_t *arena, X509 *x509, int64_t now_ms, fg_identity_t *identity, fg_err_t *err) {
    unsigned char *der = NULL;
    int length = i2d_X509(x509, &der);
    *identity = (fg_identity_t){0};
    fg_key_t *key = length > 0 ? fg_key_from_certificate_der((fg_str_t){(const char *)der, (size_t)length}, err) : NULL;
    OPENSSL_free(der);
    bool ok = key != NULL && fill(arena, key, now_ms, identity, err);
    fg_key_unref(key);
    return ok;
}

int64_t fg_certificate_not_after(const X509 *x509) {
    struct tm tm;
    return ASN1_TIME_to_tm(X509_get0_notAfter(x509), &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* ---- chains */

static void release_certificate(void *x509) { X509_free(x509); }
static void release_stack(void *stack) { sk_X509_free(stack); }

static X509 *read_next(fg_arena_t *arena, BIO *in) {
    X509 *x509 = PEM_read_bio_X509(in, NULL, NULL, NULL);
    return x509 != NULL && fg_arena_own(arena, release_certificate, x509) ? x509 : NULL;
}

static bool read_stack(fg_arena_t *arena, fg_str_t pem, STACK_OF(X509) * stack) {
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x509;
    bool ok = in != NULL;
    while (ok && (x509 = read_next(arena, in)) != NULL)
        ok = sk_X509_num(stack) < CHAIN_MAX && sk_X509_push(stack, x509) > 0;
    BIO_free(in);
    ERR_clear_error(); /* it ends with "no more" */
    return ok;
}

bool fg_certificate_chain_read(fg_arena_t *arena, fg_str_t pem, fg_str_t chain, X509 **leaf, STACK_OF(X509) * *more,
                               fg_err_t *err) {
    STACK_OF(X509) *first = sk_X509_new_null(), *rest = sk_X509_new_null();
    bool owned = fg_arena_own(arena, release_stack, first);
    if (!fg_arena_own(arena, release_stack, rest) || !owned || first == NULL || rest == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a client certificate");
    if (!read_stack(arena, pem, first) || sk_X509_num(first) != 1 || (chain.n > 0 && !read_stack(arena, chain, rest)))
        return FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "a client certificate that cannot be read, or a long chain");
    *leaf = sk_X509_value(first, 0);
    *more = rest;
    return true;
}

fg_str_t fg_certificate_subject(fg_arena_t *arena, fg_str_t pem) {
    fg_key_t *key = fg_key_from_pem(pem, NULL);
    fg_str_t subject = FG_STR_NONE;
    if (key != NULL && fg_key_get_x509(key) != NULL)
        subject = name_text(arena, X509_get_subject_name(fg_key_get_x509(key)));
    fg_key_unref(key);
    return subject;
}
