/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Algorithms fetched once by fg_crypto_start(): a fetch per call costs more than hashing a short text. */
#ifndef FG_CORE_ALGORITHMS_H
#define FG_CORE_ALGORITHMS_H

#include <openssl/evp.h>

typedef struct fg_algorithms {
    EVP_MD *sha1;
    EVP_MD *sha256;
    EVP_MD *sha384;
    EVP_MD *sha512;
    EVP_CIPHER *aes_256_gcm;
} fg_algorithms_t;

const fg_algorithms_t *fg_algorithms_get(void);

#endif
