/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Key management of JSON Web Encryption (RFC 7518 §4). */
#include "token/jwe_parts.h"

#include <openssl/crypto.h>

#include "core/crypto.h"

#define KDF_INPUT_MAX 2048u

static const struct {
    const char *name;
    bool agrees;      /* ECDH-ES; else RSA-OAEP */
    size_t wrap_size; /* of the key that wraps; 0: what was agreed is the content's key itself */
    fg_hash_t hash;   /* OAEP's */
} algs[] = {
    [FG_JWE_RSA_OAEP_256] = {"RSA-OAEP-256", false, 0, FG_HASH_SHA256},
    [FG_JWE_RSA_OAEP] = {"RSA-OAEP", false, 0, FG_HASH_SHA1},
    [FG_JWE_ECDH_ES] = {"ECDH-ES", true, 0, FG_HASH_SHA256},
    [FG_JWE_ECDH_ES_A128KW] = {"ECDH-ES+A128KW", true, 16, FG_HASH_SHA256},
    [FG_JWE_ECDH_ES_A256KW] = {"ECDH-ES+A256KW", true, 32, FG_HASH_SHA256},
};

bool fg_jwe_alg_from_name(fg_str_t name, fg_jwe_alg_t *alg) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(algs); i++) {
        if (fg_str_is(name, algs[i].name)) {
            *alg = (fg_jwe_alg_t)i;
            return true;
        }
    }
    return false;
}

const char *fg_jwe_alg_name(fg_jwe_alg_t alg) { return algs[alg].name; }
bool fg_jwe_alg_agrees(fg_jwe_alg_t alg) { return algs[alg].agrees; }

bool fg_jwe_alg_fits(fg_jwe_alg_t alg, const fg_key_t *key) {
    return algs[alg].agrees ? fg_key_is_ec(key) : fg_key_fits(key, FG_JWS_RS256);
}

/* ---- ECDH-ES (§4.6.2): the Concat KDF of NIST SP 800-56A §5.8.1 with SHA-256 */

static void put_u32(fg_buf_t *out, uint32_t value) {
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    fg_buf_add(out, bytes, sizeof bytes);
}

static void put_with_length(fg_buf_t *out, fg_str_t s) {
    put_u32(out, (uint32_t)s.n);
    fg_buf_put_str(out, s);
}

static bool derive(const fg_jwe_scheme_t *scheme, fg_str_t agreed, size_t size, unsigned char *out) {
    bool direct = algs[scheme->alg].wrap_size == 0;
    unsigned char digest[FG_SHA256_SIZE];
    for (uint32_t round = 1; (round - 1) * sizeof digest < size; round++) {
        fg_buf_t input = FG_BUF_INIT(KDF_INPUT_MAX);
        put_u32(&input, round);
        fg_buf_put_str(&input, agreed);
        put_with_length(&input, fg_str(direct ? fg_jwe_enc_name(scheme->enc) : algs[scheme->alg].name));
        put_with_length(&input, scheme->apu);
        put_with_length(&input, scheme->apv);
        put_u32(&input, (uint32_t)size * 8);
        bool fits = fg_buf_ok(&input);
        if (fits)
            fg_sha256(input.data, input.length, digest);
        fg_buf_free(&input);
        if (!fits)
            return false;
        size_t at = (round - 1) * sizeof digest, n = size - at < sizeof digest ? size - at : sizeof digest;
        memcpy(out + at, digest, n);
    }
    OPENSSL_cleanse(digest, sizeof digest);
    return true;
}

/* The agreed key, for the content or to wrap its key. */
static bool agree(const fg_jwe_scheme_t *scheme, const fg_key_t *own, const fg_key_t *other,
                  unsigned char out[FG_CEK_MAX], size_t *size) {
    unsigned char agreed[FG_AGREED_MAX];
    size_t length;
    *size = algs[scheme->alg].wrap_size > 0 ? algs[scheme->alg].wrap_size : fg_jwe_enc_key_size(scheme->enc);
    bool done = fg_key_agree(own, other, agreed, &length) &&
                derive(scheme, (fg_str_t){(const char *)agreed, length}, *size, out);
    OPENSSL_cleanse(agreed, sizeof agreed);
    return done;
}

/* ---- reading */

static bool take(const fg_jwe_scheme_t *scheme, const fg_buf_t *plain, unsigned char cek[FG_CEK_MAX]) {
    if (plain->length != fg_jwe_enc_key_size(scheme->enc))
        return false;
    memcpy(cek, plain->data, plain->length);
    return true;
}

static bool open_agreed(const fg_jwe_scheme_t *scheme, const fg_key_t *key, fg_str_t encrypted,
                        unsigned char cek[FG_CEK_MAX]) {
    unsigned char agreed[FG_CEK_MAX];
    size_t size;
    fg_buf_t plain = FG_BUF_INIT(FG_CEK_MAX + 1);
    bool done = agree(scheme, key, scheme->ephemeral, agreed, &size);
    if (done && algs[scheme->alg].wrap_size > 0) {
        done = fg_aes_unwrap((fg_str_t){(const char *)agreed, size}, encrypted, &plain) && take(scheme, &plain, cek);
    } else if (done) {
        memcpy(cek, agreed, size);
        done = encrypted.n == 0; /* RFC 7516 §5.2 point 10 */
    }
    OPENSSL_cleanse(agreed, sizeof agreed);
    fg_buf_free(&plain);
    return done;
}

bool fg_jwe_key_open(const fg_jwe_scheme_t *scheme, const fg_key_t *key, fg_str_t encrypted,
                     unsigned char cek[FG_CEK_MAX]) {
    if (algs[scheme->alg].agrees)
        return open_agreed(scheme, key, encrypted, cek);
    fg_buf_t plain = FG_BUF_INIT(1024);
    bool done = fg_key_oaep_decrypt(key, algs[scheme->alg].hash, encrypted, &plain) && take(scheme, &plain, cek);
    fg_buf_free(&plain);
    return done;
}

/* ---- writing */

bool fg_jwe_key_make(const fg_env_t *env, const fg_jwe_scheme_t *scheme, const fg_key_t *recipient,
                     unsigned char cek[FG_CEK_MAX], fg_buf_t *encrypted) {
    unsigned char agreed[FG_CEK_MAX];
    size_t agreed_size = 0, size = fg_jwe_enc_key_size(scheme->enc);
    const fg_str_t secret = {(const char *)cek, size};
    bool agrees = algs[scheme->alg].agrees, direct = agrees && algs[scheme->alg].wrap_size == 0;
    bool done = (!agrees || agree(scheme, scheme->ephemeral, recipient, agreed, &agreed_size)) &&
                (direct || env->random(env, cek, size));
    if (done && direct)
        memcpy(cek, agreed, size);
    else if (done && agrees)
        done = fg_aes_wrap((fg_str_t){(const char *)agreed, agreed_size}, secret, encrypted);
    else if (done)
        done = fg_key_oaep_encrypt(recipient, algs[scheme->alg].hash, secret, encrypted);
    OPENSSL_cleanse(agreed, sizeof agreed);
    return done;
}
