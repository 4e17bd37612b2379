/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Content encryption of JSON Web Encryption: AES-GCM (RFC 7518 §5.3) and AES-CBC with HMAC (§5.2). */
#include <openssl/err.h>
#include <openssl/hmac.h>

#include "core/algorithms.h"
#include "core/key_encrypt.h"

#define GCM_TAG 16u

static const struct {
    const char *name;
    bool gcm;
    size_t key_size; /* of CBC the MAC key and then the other one, each half */
    size_t iv_size;
    size_t tag_size;
} encs[] = {
    [FG_JWE_A128GCM] = {"A128GCM", true, 16, 12, GCM_TAG},
    [FG_JWE_A256GCM] = {"A256GCM", true, 32, 12, GCM_TAG},
    [FG_JWE_A128CBC_HS256] = {"A128CBC-HS256", false, 32, 16, 16},
    [FG_JWE_A256CBC_HS512] = {"A256CBC-HS512", false, 64, 16, 32},
};

bool fg_jwe_enc_from_name(fg_str_t name, fg_jwe_enc_t *enc) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(encs); i++) {
        if (fg_str_is(name, encs[i].name)) {
            *enc = (fg_jwe_enc_t)i;
            return true;
        }
    }
    return false;
}

const char *fg_jwe_enc_name(fg_jwe_enc_t enc) { return encs[enc].name; }
size_t fg_jwe_enc_key_size(fg_jwe_enc_t enc) { return encs[enc].key_size; }
size_t fg_jwe_enc_iv_size(fg_jwe_enc_t enc) { return encs[enc].iv_size; }

/* ---- one run of the cipher */

typedef struct run {
    const EVP_CIPHER *cipher;
    bool encrypt;
    fg_str_t key, iv, aad, in;
    unsigned char *tag; /* GCM's, written or read; NULL: CBC */
} run_t;

static bool run(const run_t *r, fg_buf_t *out) {
    int length = 0, more = 0;
    size_t begin = out->length;
    char *room = r->in.n <= INT32_MAX / 2 ? fg_buf_reserve(out, r->in.n + 16) : NULL;
    EVP_CIPHER_CTX *context = room != NULL ? EVP_CIPHER_CTX_new() : NULL;
    unsigned char *to = (unsigned char *)room;
    bool done =
        context != NULL &&
        EVP_CipherInit_ex(context, r->cipher, NULL, (const unsigned char *)r->key.p, (const unsigned char *)r->iv.p,
                          r->encrypt) == 1 &&
        (r->tag == NULL ||
         EVP_CipherUpdate(context, NULL, &length, (const unsigned char *)r->aad.p, (int)r->aad.n) == 1) &&
        (r->tag == NULL || r->encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, r->tag) == 1) &&
        EVP_CipherUpdate(context, to, &length, (const unsigned char *)r->in.p, (int)r->in.n) == 1 &&
        EVP_CipherFinal_ex(context, to + length, &more) == 1 &&
        (r->tag == NULL || !r->encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, r->tag) == 1);
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    if (room != NULL)
        out->length = begin + (done ? (size_t)(length + more) : 0);
    return done;
}

/* ---- the MAC of CBC: over AAD, IV, ciphertext and the AAD's length in bits, cut to half (§5.2.2.1) */

static bool make_mac(fg_jwe_enc_t enc, fg_str_t key, fg_str_t iv, fg_str_t aad, fg_str_t cipher,
                     unsigned char mac[FG_HASH_MAX]) {
    const fg_algorithms_t *algorithms = fg_algorithms_get();
    const EVP_MD *md = enc == FG_JWE_A256CBC_HS512 ? algorithms->sha512 : algorithms->sha256;
    fg_buf_t data = FG_BUF_INIT(aad.n + iv.n + cipher.n + 16);
    unsigned char bits[8];
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (unsigned char)((uint64_t)aad.n * 8 >> (56 - 8 * i));
    fg_buf_put_str(&data, aad);
    fg_buf_put_str(&data, iv);
    fg_buf_put_str(&data, cipher);
    fg_buf_add(&data, bits, sizeof bits);
    bool done = fg_buf_ok(&data) &&
                HMAC(md, key.p, (int)key.n, (const unsigned char *)data.data, data.length, mac, NULL) != NULL;
    fg_buf_free(&data);
    return done;
}

static const EVP_CIPHER *cipher_of(fg_jwe_enc_t enc) {
    switch (enc) {
    case FG_JWE_A128GCM:
        return EVP_aes_128_gcm();
    case FG_JWE_A256GCM:
        return EVP_aes_256_gcm();
    case FG_JWE_A128CBC_HS256:
        return EVP_aes_128_cbc();
    default:
        return EVP_aes_256_cbc();
    }
}

bool fg_jwe_content_encrypt(fg_jwe_enc_t enc, fg_str_t key, fg_str_t iv, fg_str_t aad, fg_str_t plain, fg_buf_t *out,
                            unsigned char tag[FG_JWE_TAG_MAX], size_t *tag_size) {
    unsigned char mac[FG_HASH_MAX];
    size_t half = key.n / 2, begin = out->length;
    *tag_size = encs[enc].tag_size;
    if (key.n != encs[enc].key_size || iv.n != encs[enc].iv_size)
        return false;
    run_t r = {cipher_of(enc), true, key, iv, aad, plain, tag};
    if (encs[enc].gcm)
        return run(&r, out);
    r.key = (fg_str_t){key.p + half, half};
    r.tag = NULL;
    if (!run(&r, out) ||
        !make_mac(enc, (fg_str_t){key.p, half}, iv, aad, (fg_str_t){out->data + begin, out->length - begin}, mac))
        return false;
    memcpy(tag, mac, *tag_size);
    return true;
}

bool fg_jwe_content_decrypt(fg_jwe_enc_t enc, fg_str_t key, fg_str_t iv, fg_str_t aad, fg_str_t cipher, fg_str_t tag,
                            fg_buf_t *out) {
    unsigned char mac[FG_HASH_MAX];
    size_t half = key.n / 2;
    if (key.n != encs[enc].key_size || iv.n != encs[enc].iv_size || tag.n != encs[enc].tag_size)
        return false;
    memcpy(mac, tag.p, tag.n);
    run_t r = {cipher_of(enc), false, key, iv, aad, cipher, mac};
    if (encs[enc].gcm)
        return run(&r, out);
    /* nothing is decrypted before the MAC is right: padding tells nobody anything (XE-01) */
    if (cipher.n == 0 || cipher.n % 16 != 0 || !make_mac(enc, (fg_str_t){key.p, half}, iv, aad, cipher, mac) ||
        !fg_equal_secret((fg_str_t){(const char *)mac, tag.n}, tag))
        return false;
    r.key = (fg_str_t){key.p + half, half};
    r.tag = NULL;
    return run(&r, out);
}
