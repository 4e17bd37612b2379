/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between key.c, key_numbers.c and key_verify.c: nobody else includes this. */
#ifndef FG_CORE_KEY_PARTS_H
#define FG_CORE_KEY_PARTS_H

#include <stdatomic.h>

#include "core/key.h"

#define FG_KEY_HALF_MAX 66 /* P-521 */

struct fg_key {
    atomic_uint references;
    EVP_PKEY *pkey;
    X509 *x509;
    bool is_private;
    bool is_ed25519;
    size_t ec_half; /* bytes of r and of s; 0: no EC key */
    const char *signature_uri;
    EVP_PKEY_CTX *signer;   /* ready to sign; copied for each signature, never used itself */
    EVP_PKEY_CTX *verifier; /* the same for verifying: PKCS#1 1.5 with SHA-256, or ECDSA with the curve's digest */
    fg_buf_t certificate_base64;
    char thumbprint[41];
    char id[23];
    int64_t not_before_ms, not_after_ms;
};

/* Takes pkey (NULL: the certificate's) and x509 (NULL: none), whatever comes of it.  ed25519: such a key is taken too;
 * it verifies JSON Web Signatures and nothing else. */
fg_key_t *fg_key_make(EVP_PKEY *pkey, bool is_private, X509 *x509, bool ed25519, fg_err_t *err) FG_MUST_CHECK;

#endif
