/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Digests of short texts, on the way of every request.  OpenSSL 3's EVP asks for memory at each beginning of a digest,
 * also with a context that is used again; its older functions work in the caller's memory and cannot fail.  They are
 * marked as deprecated, so they are used in this file alone. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "core/crypto.h"

#define HMAC_BLOCK_SIZE 64u /* of SHA-1 and of SHA-256 */

/* The one-shot functions of OpenSSL 3 fetch the algorithm at each call. */
#define DEFINE_HASH(name, context_t, FUNCTION)                              \
    static void name(fg_str_t first, fg_str_t second, unsigned char *out) { \
        context_t context;                                                  \
        FUNCTION##_Init(&context);                                          \
        FUNCTION##_Update(&context, first.p, first.n);                      \
        FUNCTION##_Update(&context, second.p, second.n);                    \
        FUNCTION##_Final(out, &context);                                    \
        OPENSSL_cleanse(&context, sizeof context);                          \
    }

DEFINE_HASH(sha1_of, SHA_CTX, SHA1)
DEFINE_HASH(sha256_of, SHA256_CTX, SHA256)
DEFINE_HASH(sha384_of, SHA512_CTX, SHA384)
DEFINE_HASH(sha512_of, SHA512_CTX, SHA512)

void fg_sha256(const void *data, size_t length, unsigned char out[FG_SHA256_SIZE]) {
    sha256_of((fg_str_t){data, length}, FG_STR_NONE, out);
}

void fg_sha1(const void *data, size_t length, unsigned char out[FG_SHA1_SIZE]) {
    sha1_of((fg_str_t){data, length}, FG_STR_NONE, out);
}

size_t fg_hash(fg_hash_t hash, const void *data, size_t length, unsigned char out[FG_HASH_MAX]) {
    static const struct {
        void (*of)(fg_str_t, fg_str_t, unsigned char *);
        size_t size;
    } hashes[] = {[FG_HASH_SHA1] = {sha1_of, FG_SHA1_SIZE},
                  [FG_HASH_SHA256] = {sha256_of, FG_SHA256_SIZE},
                  [FG_HASH_SHA384] = {sha384_of, 48},
                  [FG_HASH_SHA512] = {sha512_of, 64}};
    hashes[hash].of((fg_str_t){data, length}, FG_STR_NONE, out);
    return hashes[hash].size;
}

/* RFC 2104 §2 */
static void hmac(void (*hash)(fg_str_t, fg_str_t, unsigned char *), size_t size, fg_str_t key, fg_str_t data,
                 unsigned char *out) {
    unsigned char pad[HMAC_BLOCK_SIZE] = {0}, inner[FG_SHA256_SIZE];
    const fg_str_t padded = {(const char *)pad, sizeof pad};
    if (key.n > sizeof pad)
        hash(key, FG_STR_NONE, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    hash(padded, data, inner);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    hash(padded, (fg_str_t){(const char *)inner, size}, out);
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(inner, sizeof inner);
}

void fg_hmac_sha1(fg_str_t key, fg_str_t data, unsigned char out[FG_SHA1_SIZE]) {
    hmac(sha1_of, FG_SHA1_SIZE, key, data, out);
}

void fg_hmac_sha256(fg_str_t key, fg_str_t data, unsigned char out[FG_SHA256_SIZE]) {
    hmac(sha256_of, FG_SHA256_SIZE, key, data, out);
}

/* ---- HMAC with SHA-1, over parts that follow each other */

static void sha1_over(const unsigned char pad[HMAC_BLOCK_SIZE], const fg_str_t *parts, size_t count,
                      unsigned char *out) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, pad, HMAC_BLOCK_SIZE);
    for (size_t i = 0; i < count; i++)
        SHA1_Update(&context, parts[i].p, parts[i].n);
    SHA1_Final(out, &context);
    OPENSSL_cleanse(&context, sizeof context);
}

static void hmac_sha1_of(fg_str_t key, const fg_str_t *parts, size_t count, unsigned char out[FG_SHA1_SIZE]) {
    unsigned char pad[HMAC_BLOCK_SIZE] = {0}, inner[FG_SHA1_SIZE];
    const fg_str_t hashed = {(const char *)inner, sizeof inner};
    if (key.n > sizeof pad)
        fg_sha1(key.p, key.n, pad);
    else if (key.n > 0)
        memcpy(pad, key.p, key.n);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    sha1_over(pad, parts, count, inner);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha1_over(pad, &hashed, 1, out);
    OPENSSL_cleanse(pad, sizeof pad);
    OPENSSL_cleanse(inner, sizeof inner);
}

/* RFC 2246 §5: A(0) = seed, A(i) = HMAC(secret, A(i - 1)); the output is HMAC(secret, A(i) | seed) for i = 1, 2, ... */
static void p_sha1_of(fg_str_t secret, fg_str_t label, fg_str_t nonce, size_t offset, unsigned char *out,
                      size_t length) {
    unsigned char a[FG_SHA1_SIZE], block[FG_SHA1_SIZE];
    const fg_str_t seed[] = {{(const char *)a, sizeof a}, label, nonce};
    hmac_sha1_of(secret, seed + 1, 2, a);
    for (size_t at = 0; at < offset + length; at += sizeof block) {
        hmac_sha1_of(secret, seed, 3, block);
        for (size_t i = 0; i < sizeof block; i++)
            if (at + i >= offset && at + i < offset + length)
                out[at + i - offset] = block[i];
        hmac_sha1_of(secret, seed, 1, a);
    }
    OPENSSL_cleanse(a, sizeof a);
    OPENSSL_cleanse(block, sizeof block);
}

void fg_p_sha1(fg_str_t secret, fg_str_t seed, unsigned char *out, size_t length) {
    p_sha1_of(secret, seed, FG_STR_NONE, 0, out, length);
}

bool fg_derive_key(fg_str_t secret, const fg_derivation_t *derivation, unsigned char *out) {
    const fg_str_t label =
        derivation->label.p != NULL ? derivation->label : FG_STR("WS-SecureConversationWS-SecureConversation");
    if (secret.n == 0 || derivation->length == 0 || derivation->length > FG_DERIVED_KEY_MAX ||
        derivation->offset > FG_DERIVED_OFFSET_MAX)
        return false;
    p_sha1_of(secret, label, derivation->nonce, derivation->offset, out, derivation->length);
    return true;
}
