/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Digests of short texts, on the way of every request.  OpenSSL 3's EVP asks for memory at each beginning of a digest,
 * also with a context that is used again; its older functions work in the caller's memory and cannot fail.  They are
 * marked as deprecated, so they are used in this file alone. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "core/crypto.h"

#define HMAC_BLOCK_SIZE 64u

static void sha256_of(fg_str_t first, fg_str_t second, unsigned char *out) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, first.p, first.n);
    SHA256_Update(&context, second.p, second.n);
    SHA256_Final(out, &context);
    OPENSSL_cleanse(&context, sizeof context);
}

void fg_sha256(const void *data, size_t length, unsigned char out[FG_SHA256_SIZE]) {
    sha256_of((fg_str_t){data, length}, FG_STR_NONE, out);
}

void fg_sha1(const void *data, size_t length, unsigned char out[20]) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data, length);
    SHA1_Final(out, &context);
}

/* RFC 2104 §2 */
void fg_hmac_sha256(fg_str_t key, fg_str_t data, unsigned char out[FG_SHA256_SIZE]) {
    unsigned char pad[HMAC_BLOCK_SIZE] = {0}, inner[FG_SHA256_SIZE];
    const fg_str_t padded = {(const char *)pad, sizeof pad};
    if (key.n > sizeof pad)
        fg_sha256(key.p, key.n, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    sha256_of(padded, data, inner);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha256_of(padded, (fg_str_t){(const char *)inner, sizeof inner}, out);
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(inner, sizeof inner);
}
