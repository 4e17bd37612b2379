/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files about certificate chains: nobody else includes this. */
#ifndef FG_CORE_X509_PARTS_H
#define FG_CORE_X509_PARTS_H

#include "core/crypto.h"
#include "core/x509.h"

/* ---- answers that were fetched (x509_memory.c); thread-safe, bounded */

typedef struct fg_x509_memory fg_x509_memory_t;
typedef struct fg_x509_memo {
    X509_CRL *crl;     /* counted: the finder lets it go; NULL: an answer of OCSP */
    bool revoked;      /* OCSP */
    int64_t until_ms;  /* afterwards it says nothing any more */
    int64_t better_ms; /* afterwards a newer one is asked for, but this one still holds */
} fg_x509_memo_t;

fg_x509_memory_t *fg_x509_memory_new(void) FG_MUST_CHECK;
void fg_x509_memory_free(fg_x509_memory_t *memory);
bool fg_x509_memory_find(fg_x509_memory_t *memory, const unsigned char key[FG_SHA256_SIZE], int64_t now_ms,
                         fg_x509_memo_t *memo);
/* memo's CRL stays the caller's. */
void fg_x509_memory_put(fg_x509_memory_t *memory, const unsigned char key[FG_SHA256_SIZE], int64_t now_ms,
                        const fg_x509_memo_t *memo);

/* ---- revocation (x509_crl.c, x509_ocsp.c) */

typedef enum fg_x509_status { FG_X509_UNKNOWN, FG_X509_GOOD, FG_X509_REVOKED } fg_x509_status_t;

/* One certificate of a chain and who issued it. */
typedef struct fg_x509_question {
    const fg_env_t *env;
    fg_x509_memory_t *memory;
    STACK_OF(X509_CRL) * crls; /* of files */
    X509 *certificate, *issuer;
} fg_x509_question_t;

/* UNKNOWN: *err says why. */
fg_x509_status_t fg_x509_ask_crl_files(const fg_x509_question_t *question, fg_err_t *err);
fg_x509_status_t fg_x509_ask_crl_fetched(const fg_x509_question_t *question, fg_err_t *err);
fg_x509_status_t fg_x509_ask_ocsp(const fg_x509_question_t *question, fg_err_t *err);

/* ---- x509_crl.c */
bool fg_x509_crl_check(const X509_CRL *crl, fg_err_t *err) FG_MUST_CHECK; /* its form and strength, before it is used */

/* ---- x509.c */
/* SHA-256 or better, or an algorithm that hashes by itself. */
bool fg_x509_is_strong(const X509_ALGOR *algorithm);
/* Unix milliseconds; NULL: -1. */
int64_t fg_x509_time(const ASN1_TIME *time);
/* A store that trusts this one certificate, at now, with the house's strengths. */
X509_STORE *fg_x509_store_of(X509 *certificate, int64_t now_ms, unsigned long flags) FG_MUST_CHECK;

#endif
