/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files of CAs, intermediate certificates and CRLs; for x509.c alone. */
#ifndef FG_CORE_X509_FILES_H
#define FG_CORE_X509_FILES_H

#include "core/x509.h"

/* What they say; immutable and counted. */
typedef struct fg_x509_content {
    unsigned references; /* under the lock of the files */
    X509_STORE *store;   /* of the CAs */
    STACK_OF(X509) * intermediates;
    STACK_OF(X509_CRL) * crls;
} fg_x509_content_t;

typedef struct fg_x509_files fg_x509_files_t;

fg_x509_files_t *fg_x509_files_new(const fg_x509_options_t *options, const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_x509_files_free(fg_x509_files_t *files);
void fg_x509_files_refresh(fg_x509_files_t *files, const fg_env_t *env);
fg_x509_content_t *fg_x509_files_acquire(fg_x509_files_t *files) FG_MUST_CHECK;
void fg_x509_files_release(fg_x509_files_t *files, fg_x509_content_t *content);

#endif
