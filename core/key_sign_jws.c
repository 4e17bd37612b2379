/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signatures of JSON Web Signature in another algorithm than the one for which a key is prepared. */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/key_parts.h"

static bool is_pss(fg_jws_alg_t alg) { return alg == FG_JWS_PS256 || alg == FG_JWS_PS384 || alg == FG_JWS_PS512; }

static const EVP_MD *md_of(fg_jws_alg_t alg) {
    const fg_algorithms_t *algorithms = fg_algorithms_get();
    fg_hash_t hash = fg_jws_alg_hash(alg);
    return hash == FG_HASH_SHA512   ? algorithms->sha512
           : hash == FG_HASH_SHA384 ? algorithms->sha384
                                    : algorithms->sha256;
}

/* RFC 7518 §3.3, §3.5: of PSS, MGF1 with the same digest and a salt as long as that. */
static bool sign_rsa(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, unsigned char *to, size_t length) {
    unsigned char digest[FG_HASH_MAX];
    size_t digest_length = fg_hash(fg_jws_alg_hash(alg), data.p, data.n, digest);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, is_pss(alg) ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_CTX_set_signature_md(context, md_of(alg)) == 1 &&
              (!is_pss(alg) || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1) &&
              EVP_PKEY_sign(context, to, &length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* RFC 8037 §3.1 */
static bool sign_ed25519(const fg_key_t *key, fg_str_t data, unsigned char *to, size_t length) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(context, to, &length, (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

bool fg_key_sign_jws(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_buf_t *out, fg_err_t *err) {
    if (!fg_key_fits(key, alg))
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "%s does not go with the key", fg_jws_alg_name(alg));
    if (!key->is_private || (key->signer != NULL && strcmp(fg_jws_alg_name(alg), fg_key_get_jws_alg(key)) == 0))
        return fg_key_sign(key, data, out, err);
    size_t before = out->length, length = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, length);
    if (place == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "signature");
    if (key->is_ed25519 ? sign_ed25519(key, data, place, length) : sign_rsa(key, alg, data, place, length))
        return true;
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    out->length = before;
    out->data[before] = '\0';
    return FG_FAIL(err, FG_E_INTERNAL, "signing failed");
}
