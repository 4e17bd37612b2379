/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates, revocation lists and OCSP answers as a test wants them, right or wrong.  Times are days from TEST_NOW. */
#ifndef FG_TESTS_UNIT_PKI_H
#define FG_TESTS_UNIT_PKI_H

#include "tests/unit/support.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

typedef struct pki {
    EVP_PKEY *key;
    X509 *x509;
} pki_t;

typedef struct pki_spec {
    const char *cn;
    int from, until;        /* both 0: -1 and 30 */
    const EVP_MD *md;       /* NULL: SHA-256 */
    unsigned rsa_bits;      /* 0: P-256 */
    const char *basic;      /* "critical,CA:TRUE"; the extensions as openssl.cnf writes them, NULL: none */
    const char *usage, *extended_usage, *names, *constraints, *crl_point, *access;
} pki_spec_t;

#define PKI_CA "critical,CA:TRUE"
#define PKI(issuer, ...) pki_make((issuer), &(pki_spec_t){__VA_ARGS__})
/* issuer NULL: signed by itself */
pki_t pki_make(const pki_t *issuer, const pki_spec_t *spec);
void pki_free(pki_t *pki);

typedef struct pki_crl_spec {
    const X509 *revoked; /* NULL: nobody */
    int from, until;     /* both 0: -1 and 7; until -9999: no nextUpdate */
    const EVP_MD *md;
    const char *scope; /* issuingDistributionPoint */
} pki_crl_spec_t;
#define PKI_CRL(issuer, ...) pki_crl((issuer), &(pki_crl_spec_t){__VA_ARGS__})
X509_CRL *pki_crl(const pki_t *issuer, const pki_crl_spec_t *spec);

/* PEM, one behind the other, until NULL. */
void pki_write(const char *path, const X509 *first, ...);
void pki_write_crl(const char *path, const X509_CRL *crl);

typedef struct pki_ocsp_spec {
    const pki_t *signer;
    bool with_certificate; /* the signer's, in the answer */
    int status;            /* V_OCSP_CERTSTATUS_… */
    int from, until;       /* days; both 0: -1 and 1; until -9999: no nextUpdate */
    enum { PKI_NONCE_COPIED, PKI_NONCE_NONE, PKI_NONCE_OTHER } nonce;
    const EVP_MD *md;
    X509 *instead_of; /* about this certificate of instead_issuer's, not the one asked for */
    X509 *instead_issuer;
} pki_ocsp_spec_t;
/* The answer to a request, DER, into the arena. */
fg_str_t pki_ocsp(fg_arena_t *arena, fg_str_t request, const pki_ocsp_spec_t *spec);

#endif
