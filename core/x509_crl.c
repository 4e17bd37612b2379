/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificate revocation lists (RFC 5280 §5, §6.3): of files, and fetched where the certificate says.  Scope, signature
 * and times are OpenSSL's to check; what fails closed, and how it is told, is ours. */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "core/http.h"
#include "core/time.h"
#include "core/x509_parts.h"

#define CRL_MAX (16u << 20)
#define POINTS_MAX 4
#define NEWER_AFTER FG_HOUR /* a CRL may be replaced before its nextUpdate */

/* §5.1.2.5: nextUpdate must be there; without it a CRL would be good for ever. */
bool fg_x509_crl_check(const X509_CRL *crl, fg_err_t *err) {
    const X509_ALGOR *algorithm;
    const ASN1_BIT_STRING *signature;
    X509_CRL_get0_signature(crl, &signature, &algorithm);
    if (!fg_x509_is_strong(algorithm))
        return FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "a CRL signed with less than SHA-256");
    return fg_x509_time(X509_CRL_get0_nextUpdate(crl)) >= 0 ||
           FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "a CRL without nextUpdate");
}

/* ---- does one of these tell */

static fg_x509_status_t judge(X509_STORE_CTX *context, fg_err_t *err) {
    if (X509_verify_cert(context) == 1)
        return FG_X509_GOOD;
    int error = X509_STORE_CTX_get_error(context);
    if (error == X509_V_ERR_CERT_REVOKED)
        return FG_X509_REVOKED;
    FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "CRL: %s", X509_verify_cert_error_string(error));
    return FG_X509_UNKNOWN;
}

static fg_x509_status_t ask(const fg_x509_question_t *q, STACK_OF(X509_CRL) * crls, fg_err_t *err) {
    fg_x509_status_t status = FG_X509_UNKNOWN;
    X509_STORE *store = fg_x509_store_of(q->issuer, fg_now(q->env), X509_V_FLAG_CRL_CHECK);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (store == NULL || context == NULL || X509_STORE_CTX_init(context, store, q->certificate, NULL) != 1) {
        FG_FAIL(err, FG_E_MEMORY, "checking a CRL");
    } else {
        X509_STORE_CTX_set0_crls(context, crls);
        status = judge(context, err);
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return status;
}

fg_x509_status_t fg_x509_ask_crl_files(const fg_x509_question_t *q, fg_err_t *err) { return ask(q, q->crls, err); }

/* ---- fetching */

static fg_x509_status_t ask_one(const fg_x509_question_t *q, X509_CRL *crl, fg_err_t *err) {
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    fg_x509_status_t status = FG_X509_UNKNOWN;
    if (crls != NULL && sk_X509_CRL_push(crls, crl) > 0)
        status = ask(q, crls, err);
    else
        FG_FAIL(err, FG_E_MEMORY, "checking a CRL");
    sk_X509_CRL_free(crls);
    return status;
}

/* One in DER (RFC 5280 §4.2.1.13). */
static X509_CRL *read_crl(fg_str_t body, fg_str_t url, fg_err_t *err) {
    const unsigned char *der = (const unsigned char *)body.p;
    X509_CRL *crl = d2i_X509_CRL(NULL, &der, (long)body.n);
    if (crl == NULL || der != (const unsigned char *)body.p + body.n)
        FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "%.*s: no CRL", FG_STR_ARG(url));
    else if (fg_x509_crl_check(crl, err))
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

static X509_CRL *fetch(const fg_env_t *env, fg_str_t url, fg_err_t *err) {
    fg_arena_t *arena = fg_arena_new(2 * CRL_MAX + (1u << 20));
    const fg_http_request_t request = {.url = url, .body_max = CRL_MAX};
    fg_http_response_t response;
    X509_CRL *crl = NULL;
    if (arena == NULL)
        FG_FAIL(err, FG_E_MEMORY, "fetching a CRL");
    else if (fg_http_fetch(env, arena, &request, &response, err)) {
        if (response.status == 200)
            crl = read_crl(response.body, url, err);
        else
            FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "%.*s: HTTP status %d", FG_STR_ARG(url), response.status);
    }
    fg_arena_free(arena);
    return crl;
}

static void keep(const fg_x509_question_t *q, const unsigned char *key, X509_CRL *crl) {
    int64_t now = fg_now(q->env);
    const fg_x509_memo_t memo = {crl, false, fg_x509_time(X509_CRL_get0_nextUpdate(crl)), now + NEWER_AFTER};
    fg_x509_memory_put(q->memory, key, now, &memo);
}

static fg_x509_status_t ask_point(const fg_x509_question_t *q, fg_str_t url, fg_err_t *err) {
    unsigned char key[FG_SHA256_SIZE];
    fg_x509_memo_t kept = {0};
    fg_sha256(url.p, url.n, key);
    bool found = fg_x509_memory_find(q->memory, key, fg_now(q->env), &kept);
    X509_CRL *crl = found && fg_now(q->env) < kept.better_ms ? NULL : fetch(q->env, url, err);
    fg_x509_status_t status = crl ? ask_one(q, crl, err) : FG_X509_UNKNOWN;
    if (crl != NULL && status != FG_X509_UNKNOWN) /* the issuer signed it: only then does it take the old one's place */
        keep(q, key, crl);
    else if (found) /* the one that we have holds until its nextUpdate */
        status = ask_one(q, kept.crl, err);
    X509_CRL_free(crl);
    X509_CRL_free(kept.crl);
    return status;
}

/* The addresses of one point that speaks for all reasons and for its own issuer (§4.2.1.13). */
static fg_x509_status_t ask_names(const fg_x509_question_t *q, const DIST_POINT *point, unsigned *left, fg_err_t *err) {
    if (point->reasons != NULL || point->CRLissuer != NULL || point->distpoint == NULL || point->distpoint->type != 0)
        return FG_X509_UNKNOWN;
    const GENERAL_NAMES *names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && *left > 0; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
        fg_str_t url = {(const char *)ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri)};
        if (!fg_str_starts(url, "http")) /* ldap: is for others */
            continue;
        --*left;
        fg_x509_status_t status = ask_point(q, url, err);
        if (status != FG_X509_UNKNOWN)
            return status;
    }
    return FG_X509_UNKNOWN;
}

fg_x509_status_t fg_x509_ask_crl_fetched(const fg_x509_question_t *q, fg_err_t *err) {
    CRL_DIST_POINTS *points = X509_get_ext_d2i(q->certificate, NID_crl_distribution_points, NULL, NULL);
    fg_x509_status_t status = FG_X509_UNKNOWN;
    unsigned left = POINTS_MAX;
    FG_FAIL(err, FG_E_CERTIFICATE_UNCHECKED, "CRL: the certificate names no http address of one");
    for (int i = 0; i < sk_DIST_POINT_num(points) && status == FG_X509_UNKNOWN; i++)
        status = ask_names(q, sk_DIST_POINT_value(points, i), &left, err);
    CRL_DIST_POINTS_free(points);
    return status;
}
