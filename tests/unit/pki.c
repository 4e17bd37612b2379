/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/pki.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#define NONE (-9999)

static time_t day(int days) { return (time_t)(TEST_NOW / 1000) + (time_t)days * 86400; }

static void put_extension(X509V3_CTX *context, X509 *x509, int nid, const char *value) {
    if (value == NULL)
        return;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void put_serial(X509 *x509) {
    static long serial = 1000;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
}

pki_t pki_make(const pki_t *issuer, const pki_spec_t *spec) {
    pki_t made = {.key = spec->rsa_bits ? EVP_RSA_gen(spec->rsa_bits) : EVP_EC_gen("P-256"), .x509 = X509_new()};
    X509 *x509 = made.x509;
    assert_non_null(made.key);
    bool usual = spec->from == 0 && spec->until == 0;
    X509_set_version(x509, X509_VERSION_3);
    put_serial(x509);
    ASN1_TIME_set(X509_getm_notBefore(x509), day(usual ? -1 : spec->from));
    ASN1_TIME_set(X509_getm_notAfter(x509), day(usual ? 30 : spec->until));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn, -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->x509 : x509));
    X509_set_pubkey(x509, made.key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer ? issuer->x509 : x509, x509, NULL, NULL, 0);
    put_extension(&context, x509, NID_basic_constraints, spec->basic);
    put_extension(&context, x509, NID_key_usage, spec->usage);
    put_extension(&context, x509, NID_ext_key_usage, spec->extended_usage);
    put_extension(&context, x509, NID_subject_alt_name, spec->names);
    put_extension(&context, x509, NID_name_constraints, spec->constraints);
    put_extension(&context, x509, NID_crl_distribution_points, spec->crl_point);
    put_extension(&context, x509, NID_info_access, spec->access);
    assert_true(X509_sign(x509, issuer ? issuer->key : made.key, spec->md ? spec->md : EVP_sha256()) > 0);
    return made;
}

void pki_free(pki_t *pki) {
    EVP_PKEY_free(pki->key);
    X509_free(pki->x509);
    *pki = (pki_t){0};
}

static void put_revoked(X509_CRL *crl, const X509 *x509) {
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, day(-1));
    X509_REVOKED_set_serialNumber(revoked, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(x509));
    X509_REVOKED_set_revocationDate(revoked, when);
    X509_CRL_add0_revoked(crl, revoked);
    ASN1_TIME_free(when);
}

X509_CRL *pki_crl(const pki_t *issuer, const pki_crl_spec_t *spec) {
    X509_CRL *crl = X509_CRL_new();
    bool usual = spec->from == 0 && spec->until == 0;
    ASN1_TIME *from = ASN1_TIME_set(NULL, day(usual ? -1 : spec->from)), *until = ASN1_TIME_set(NULL, day(usual ? 7 : spec->until));
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509));
    X509_CRL_set1_lastUpdate(crl, from);
    if (spec->until != NONE)
        X509_CRL_set1_nextUpdate(crl, until);
    if (spec->revoked != NULL)
        put_revoked(crl, spec->revoked);
    if (spec->scope != NULL) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_issuing_distribution_point, spec->scope);
        assert_non_null(extension);
        X509_CRL_add_ext(crl, extension, -1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_CRL_sign(crl, issuer->key, spec->md ? spec->md : EVP_sha256()) > 0);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return crl;
}

void pki_write(const char *path, const X509 *first, ...) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    va_list more;
    va_start(more, first);
    for (const X509 *x509 = first; x509 != NULL; x509 = va_arg(more, const X509 *))
        assert_int_equal(PEM_write_X509(file, x509), 1);
    va_end(more);
    fclose(file);
}

void pki_write_crl(const char *path, const X509_CRL *crl) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509_CRL(file, crl), 1);
    fclose(file);
}

/* ---- OCSP */

static void put_nonce(OCSP_BASICRESP *basic, OCSP_REQUEST *request, const pki_ocsp_spec_t *spec) {
    unsigned char other[16] = "another nonce..";
    if (spec->nonce == PKI_NONCE_COPIED)
        OCSP_copy_nonce(basic, request);
    if (spec->nonce == PKI_NONCE_OTHER)
        OCSP_basic_add1_nonce(basic, other, sizeof other);
}

fg_str_t pki_ocsp(fg_arena_t *arena, fg_str_t bytes, const pki_ocsp_spec_t *spec) {
    const unsigned char *at = (const unsigned char *)bytes.p;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)bytes.n);
    assert_non_null(request);
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)), *other = NULL;
    if (spec->instead_of != NULL)
        id = other = OCSP_cert_to_id(NULL, spec->instead_of, spec->instead_issuer);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    bool usual = spec->from == 0 && spec->until == 0;
    ASN1_TIME *from = ASN1_TIME_set(NULL, day(usual ? -1 : spec->from)), *until = ASN1_TIME_set(NULL, day(usual ? 1 : spec->until)), *when = ASN1_TIME_set(NULL, day(-1));
    bool revoked = spec->status == V_OCSP_CERTSTATUS_REVOKED;
    assert_non_null(OCSP_basic_add1_status(basic, id, spec->status, 0, revoked ? when : NULL, from, spec->until == NONE ? NULL : until));
    put_nonce(basic, request, spec);
    unsigned long flags = spec->with_certificate ? 0 : OCSP_NOCERTS;
    assert_int_equal(OCSP_basic_sign(basic, spec->signer->x509, spec->signer->key, spec->md ? spec->md : EVP_sha256(), NULL, flags), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *der = NULL;
    int length = i2d_OCSP_RESPONSE(response, &der);
    fg_str_t copy = fg_arena_str(arena, (fg_str_t){(const char *)der, (size_t)length});
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(other);
    OCSP_REQUEST_free(request);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(when);
    return copy;
}
