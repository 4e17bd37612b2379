/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/crypto.h"

#include <limits.h>
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/algorithms.h"

/* Written by start and stop alone, both in the main thread while there is no other. */
static fg_algorithms_t algorithms;

/* A thread's context for sealing, made at its first call and used again by all that follow: a new one per call costs an
 * allocation, and more time than sealing a short text.  It is freed when the thread ends. */
static pthread_key_t sealer_key;
static bool sealer_key_is_there;

const fg_algorithms_t *fg_algorithms_get(void) { return &algorithms; }

static void sealer_free(void *context) { EVP_CIPHER_CTX_free(context); }

/* From here on nobody names the cipher again: naming it would make the context anew. */
static EVP_CIPHER_CTX *sealer_new(void) {
    EVP_CIPHER_CTX *context = sealer_key_is_there ? EVP_CIPHER_CTX_new() : NULL;
    if (context != NULL && EVP_CipherInit_ex2(context, algorithms.aes_256_gcm, NULL, NULL, 1, NULL) == 1 &&
        pthread_setspecific(sealer_key, context) == 0)
        return context;
    sealer_free(context);
    return NULL;
}

/* NULL: memory is out, or a call before fg_crypto_start(). */
static EVP_CIPHER_CTX *sealer_get(void) {
    EVP_CIPHER_CTX *context = sealer_key_is_there ? pthread_getspecific(sealer_key) : NULL;
    return context != NULL ? context : sealer_new();
}

bool fg_crypto_start(void) {
    if (sealer_key_is_there)
        return true;
    algorithms.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    algorithms.sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    sealer_key_is_there = pthread_key_create(&sealer_key, sealer_free) == 0;
    if (algorithms.sha1 && algorithms.sha256 && algorithms.sha384 && algorithms.sha512 && algorithms.aes_256_gcm &&
        sealer_key_is_there)
        return true;
    fg_crypto_stop();
    return false;
}

void fg_crypto_stop(void) {
    if (sealer_key_is_there) {
        sealer_free(pthread_getspecific(sealer_key));
        pthread_key_delete(sealer_key);
    }
    sealer_key_is_there = false;
    EVP_MD_free(algorithms.sha1);
    EVP_MD_free(algorithms.sha256);
    EVP_MD_free(algorithms.sha384);
    EVP_MD_free(algorithms.sha512);
    EVP_CIPHER_free(algorithms.aes_256_gcm);
    algorithms = (fg_algorithms_t){NULL};
}

bool fg_equal_secret(fg_str_t a, fg_str_t b) { return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0); }

#define SEAL_NONCE_SIZE 12u
#define SEAL_TAG_SIZE 16u

/* Takes bytes back that were appended since the buffer had the length. Always false, for a return statement. */
static bool take_back(fg_buf_t *out, size_t length) {
    if (out->data != NULL && length <= out->length) {
        OPENSSL_cleanse(out->data + length, out->length - length);
        out->length = length;
        out->data[length] = '\0';
    }
    return false;
}

static bool seal_bytes(EVP_CIPHER_CTX *context, const unsigned char *key, fg_str_t aad, fg_str_t plain,
                       unsigned char *place) {
    int n;
    unsigned char *text = place + SEAL_NONCE_SIZE;
    return EVP_EncryptInit_ex2(context, NULL, key, place, NULL) == 1 &&
           (aad.n == 0 || EVP_EncryptUpdate(context, NULL, &n, (const unsigned char *)aad.p, (int)aad.n) == 1) &&
           (plain.n == 0 || EVP_EncryptUpdate(context, text, &n, (const unsigned char *)plain.p, (int)plain.n) == 1) &&
           EVP_EncryptFinal_ex(context, text + plain.n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, text + plain.n) == 1;
}

bool fg_seal(const fg_env_t *env, const unsigned char key[FG_SEAL_KEY_SIZE], fg_str_t aad, fg_str_t plain,
             fg_buf_t *out) {
    if (plain.n > INT_MAX / 2 || aad.n > INT_MAX / 2)
        return false;
    size_t before = out->length;
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, SEAL_NONCE_SIZE + plain.n + SEAL_TAG_SIZE);
    if (place == NULL)
        return false;
    EVP_CIPHER_CTX *context = sealer_get();
    bool ok =
        context != NULL && env->random(env, place, SEAL_NONCE_SIZE) && seal_bytes(context, key, aad, plain, place);
    return ok || take_back(out, before);
}

static bool open_bytes(EVP_CIPHER_CTX *context, const unsigned char *key, fg_str_t aad, fg_str_t sealed,
                       unsigned char *place) {
    int n;
    const unsigned char *nonce = (const unsigned char *)sealed.p, *text = nonce + SEAL_NONCE_SIZE;
    size_t length = sealed.n - SEAL_NONCE_SIZE - SEAL_TAG_SIZE;
    unsigned char tag[SEAL_TAG_SIZE];
    memcpy(tag, text + length, sizeof tag);
    const OSSL_PARAM params[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, sizeof tag), OSSL_PARAM_END};
    return EVP_DecryptInit_ex2(context, NULL, key, nonce, params) == 1 &&
           (aad.n == 0 || EVP_DecryptUpdate(context, NULL, &n, (const unsigned char *)aad.p, (int)aad.n) == 1) &&
           (length == 0 || EVP_DecryptUpdate(context, place, &n, text, (int)length) == 1) &&
           EVP_DecryptFinal_ex(context, place + length, &n) == 1;
}

bool fg_seal_open(const unsigned char key[FG_SEAL_KEY_SIZE], fg_str_t aad, fg_str_t sealed, fg_buf_t *out) {
    if (sealed.n < SEAL_NONCE_SIZE + SEAL_TAG_SIZE || sealed.n > INT_MAX / 2 || aad.n > INT_MAX / 2)
        return false;
    size_t before = out->length;
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, sealed.n - SEAL_NONCE_SIZE - SEAL_TAG_SIZE);
    EVP_CIPHER_CTX *context = place != NULL ? sealer_get() : NULL;
    bool ok = context != NULL && open_bytes(context, key, aad, sealed, place);
    return ok || take_back(out, before);
}
