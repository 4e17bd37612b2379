/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Encodings, digests and sealing over OpenSSL.  fg_crypto_start() fetches algorithms once; per-call fetches are slow.
 */
#ifndef FG_CORE_CRYPTO_H
#define FG_CORE_CRYPTO_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/env.h"

#define FG_SHA1_SIZE 20u
#define FG_SHA256_SIZE 32u
#define FG_HASH_MAX 64u

/* Once per process before any other call here, in xml.h, xmldsig.h or key.h; safe to call again.  False: OpenSSL lacks
 * an algorithm. */
bool fg_crypto_start(void) FG_MUST_CHECK;
void fg_crypto_stop(void);

/* Digests (core/digest.c) ask for no memory and cannot fail. */
void fg_sha256(const void *data, size_t length, unsigned char out[FG_SHA256_SIZE]);
/* thumbprints, entities, PasswordDigest, and what a switch or an algorithm suite allows */
void fg_sha1(const void *data, size_t length, unsigned char out[FG_SHA1_SIZE]);
typedef enum fg_hash { FG_HASH_SHA1, FG_HASH_SHA256, FG_HASH_SHA384, FG_HASH_SHA512 } fg_hash_t;
/* Returns how many bytes of out it has filled. */
size_t fg_hash(fg_hash_t hash, const void *data, size_t length, unsigned char out[FG_HASH_MAX]);
void fg_hmac_sha1(fg_str_t key, fg_str_t data, unsigned char out[FG_SHA1_SIZE]);
void fg_hmac_sha256(fg_str_t key, fg_str_t data, unsigned char out[FG_SHA256_SIZE]);
/* P_SHA1 (RFC 2246 §5), as WS-Trust computes a key from two entropies (1.3 §4.4.5: secret: the requestor's, seed: the
 * issuer's). */
void fg_p_sha1(fg_str_t secret, fg_str_t seed, unsigned char *out, size_t length);

#define FG_DERIVED_KEY_MAX 64u
#define FG_DERIVED_OFFSET_MAX 4096u
/* What a DerivedKeyToken says (WS-SecureConversation 2005/02 §7 and 1.3 §7, which compute alike). */
typedef struct fg_derivation {
    fg_str_t label; /* .p NULL: the default one */
    fg_str_t nonce; /* decoded */
    size_t offset;  /* in bytes; Generation g stands for g * length */
    size_t length;  /* 32 where the token says nothing */
} fg_derivation_t;
/* length bytes to out; false: no secret, or length or offset beyond the maximum. */
bool fg_derive_key(fg_str_t secret, const fg_derivation_t *derivation, unsigned char *out) FG_MUST_CHECK;
/* Constant-time in the content; different lengths are unequal. */
bool fg_equal_secret(fg_str_t a, fg_str_t b);

/* RFC 4648 §4, on one line.  Decoding refuses what is not canonical; white space is skipped only by _xml (XML
 * Signature). */
void fg_base64_encode(fg_buf_t *out, const void *data, size_t length);
bool fg_base64_decode(fg_buf_t *out, fg_str_t text) FG_MUST_CHECK;
bool fg_base64_decode_xml(fg_buf_t *out, fg_str_t text) FG_MUST_CHECK;
/* RFC 4648 §5 without padding. */
void fg_base64url_encode(fg_buf_t *out, const void *data, size_t length);
bool fg_base64url_decode(fg_buf_t *out, fg_str_t text) FG_MUST_CHECK;
void fg_hex_encode(const void *data, size_t length, char *out); /* 2 * length + 1 bytes, lower case */

/* AES-256-GCM: out = nonce (12) | ciphertext | tag (16), nonce from env->random.  aad is bound, not stored. */
#define FG_SEAL_KEY_SIZE 32u
bool fg_seal(const fg_env_t *env, const unsigned char key[FG_SEAL_KEY_SIZE], fg_str_t aad, fg_str_t plain,
             fg_buf_t *out) FG_MUST_CHECK;
bool fg_seal_open(const unsigned char key[FG_SEAL_KEY_SIZE], fg_str_t aad, fg_str_t sealed,
                  fg_buf_t *out) FG_MUST_CHECK;

#endif
