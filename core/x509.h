/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificate chains: which certificates are believed (RFC 5280 §6), and whether they were revoked (CRLs, RFC 6960). */
#ifndef FG_CORE_X509_H
#define FG_CORE_X509_H

#include <openssl/x509.h>

#include "core/env.h"

/* Where it is asked whether a certificate was revoked. */
typedef enum fg_x509_source {
    FG_X509_CRL_FILES,
    FG_X509_CRL_FETCHED, /* at the distribution points that the certificate names */
    FG_X509_OCSP,        /* the responder that the certificate names */
} fg_x509_source_t;

typedef struct fg_x509_options {
    const char *name;            /* for the log */
    const char *const *ca_files; /* PEM, or one certificate in DER; each of them is trusted, roots or not */
    size_t ca_count;
    const char *const *intermediate_files; /* help to find the way; not trusted by themselves */
    size_t intermediate_count;
    const char *const *crl_files; /* PEM or DER */
    size_t crl_count;
    const fg_x509_source_t *sources; /* asked in this order for each certificate below the CA until one can tell; if
                                      * none can, the certificate is refused.  None here: revocation is not asked for */
    size_t source_count;
    unsigned depth; /* that many certificates may lie between the one in question and the CA */
} fg_x509_options_t;

/* Thread-safe; what the files say is a counted snapshot. */
typedef struct fg_x509_trust fg_x509_trust_t;

typedef enum fg_x509_purpose {
    FG_X509_CLIENT /* TLS client authentication */,
    FG_X509_SIGNER /* signing messages */
} fg_x509_purpose_t;

/* options and what they point to must live as long.  FG_E_FILE, FG_E_CONFIG: *err names the file. */
fg_x509_trust_t *fg_x509_trust_new(const fg_x509_options_t *options, const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_x509_trust_free(fg_x509_trust_t *trust);
/* Reads the files again if one of them changed; if something is wrong then, all stays as it was and the log says why.
 */
void fg_x509_trust_refresh(fg_x509_trust_t *trust, const fg_env_t *env);

/* Whether leaf may be believed now (by env's clock), with intermediates (may be NULL) as they came along.  May fetch.
 * FG_E_CERTIFICATE_…; UNTRUSTED alone means that another trust may know it. */
bool fg_x509_trust_verify(fg_x509_trust_t *trust, const fg_env_t *env, X509 *leaf, STACK_OF(X509) * intermediates,
                          fg_x509_purpose_t purpose, fg_err_t *err) FG_MUST_CHECK;

#endif
