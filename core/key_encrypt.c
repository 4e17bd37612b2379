/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/key_encrypt.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/key_parts.h"

/* ---- RSA-OAEP (RFC 8017 §7.1) */

typedef int (*rsa_run_t)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);

static bool run_oaep(const fg_key_t *key, bool encrypt, fg_hash_t hash, fg_str_t in, fg_buf_t *out) {
    const EVP_MD *md = hash == FG_HASH_SHA1 ? fg_algorithms_get()->sha1 : fg_algorithms_get()->sha256;
    rsa_run_t run = encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
    unsigned char room[1024];
    size_t length = sizeof room;
    if (!EVP_PKEY_is_a(key->pkey, "RSA") || (size_t)EVP_PKEY_get_size(key->pkey) > sizeof room)
        return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool done = context != NULL && (encrypt ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1 &&
                run(context, room, &length, (const unsigned char *)in.p, in.n) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    if (done)
        fg_buf_add(out, room, length);
    OPENSSL_cleanse(room, sizeof room);
    return done && fg_buf_ok(out);
}

bool fg_key_oaep_encrypt(const fg_key_t *key, fg_hash_t hash, fg_str_t plain, fg_buf_t *out) {
    return run_oaep(key, true, hash, plain, out);
}

bool fg_key_oaep_decrypt(const fg_key_t *key, fg_hash_t hash, fg_str_t cipher, fg_buf_t *out) {
    return key->is_private && cipher.n == (size_t)EVP_PKEY_get_size(key->pkey) &&
           run_oaep(key, false, hash, cipher, out);
}

/* ---- agreement (SEC 1 §6.1) */

fg_key_t *fg_key_generate_ephemeral(const fg_key_t *like, fg_err_t *err) {
    char group[64] = "";
    EVP_PKEY_get_utf8_string_param(like->pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
    EVP_PKEY *pkey = like->ec_half > 0 ? EVP_EC_gen(group) : NULL;
    if (pkey != NULL)
        return fg_key_make(pkey, true, NULL, false, err);
    ERR_clear_error();
    FG_FAIL(err, FG_E_INTERNAL, "no ephemeral key can be made");
    return NULL;
}

bool fg_key_same_curve(const fg_key_t *a, const fg_key_t *b) { return a->ec_half > 0 && a->ec_half == b->ec_half; }

bool fg_key_agree(const fg_key_t *own, const fg_key_t *other, unsigned char out[FG_AGREED_MAX], size_t *length) {
    *length = FG_AGREED_MAX;
    if (!own->is_private || !fg_key_same_curve(own, other))
        return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
    bool done = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, other->pkey) == 1 && EVP_PKEY_derive(context, out, length) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return done;
}

/* ---- AES key wrap */

static bool run_wrap(fg_str_t key, bool wrap, fg_str_t in, fg_buf_t *out) {
    const EVP_CIPHER *cipher = key.n == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap();
    unsigned char room[FG_CEK_MAX + 8];
    int length = 0, more = 0;
    if ((key.n != 16 && key.n != 32) || in.n % 8 != 0 || in.n < 16 || in.n > FG_CEK_MAX + (wrap ? 0 : 8))
        return false;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context != NULL)
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool done = context != NULL &&
                EVP_CipherInit_ex(context, cipher, NULL, (const unsigned char *)key.p, NULL, wrap) == 1 &&
                EVP_CipherUpdate(context, room, &length, (const unsigned char *)in.p, (int)in.n) == 1 &&
                EVP_CipherFinal_ex(context, room + length, &more) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    if (done)
        fg_buf_add(out, room, (size_t)(length + more));
    OPENSSL_cleanse(room, sizeof room);
    return done && fg_buf_ok(out);
}

bool fg_aes_wrap(fg_str_t key, fg_str_t plain, fg_buf_t *out) { return run_wrap(key, true, plain, out); }
bool fg_aes_unwrap(fg_str_t key, fg_str_t wrapped, fg_buf_t *out) { return run_wrap(key, false, wrapped, out); }
