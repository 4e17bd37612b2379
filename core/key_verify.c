/* SPDX-License-Identifier: GPL-2.0-or-later
 * JSON Web Signature algorithms over OpenSSL. */
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/key_parts.h"

#define ED25519_SIGNATURE_SIZE 64u
#define DER_MAX (2 * FG_KEY_HALF_MAX + 16)

typedef enum family { RSA_PKCS1, RSA_PSS, ECDSA, EDDSA } family_t;

static const struct {
    const char *name;
    family_t family;
    size_t digest;  /* where in fg_algorithms_t */
    size_t ec_half; /* the curve: an algorithm goes with one alone (RFC 7518 §3.4) */
} algs[] = {
    [FG_JWS_RS256] = {"RS256", RSA_PKCS1, offsetof(fg_algorithms_t, sha256), 0},
    [FG_JWS_RS384] = {"RS384", RSA_PKCS1, offsetof(fg_algorithms_t, sha384), 0},
    [FG_JWS_RS512] = {"RS512", RSA_PKCS1, offsetof(fg_algorithms_t, sha512), 0},
    [FG_JWS_PS256] = {"PS256", RSA_PSS, offsetof(fg_algorithms_t, sha256), 0},
    [FG_JWS_PS384] = {"PS384", RSA_PSS, offsetof(fg_algorithms_t, sha384), 0},
    [FG_JWS_PS512] = {"PS512", RSA_PSS, offsetof(fg_algorithms_t, sha512), 0},
    [FG_JWS_ES256] = {"ES256", ECDSA, offsetof(fg_algorithms_t, sha256), 32},
    [FG_JWS_ES384] = {"ES384", ECDSA, offsetof(fg_algorithms_t, sha384), 48},
    [FG_JWS_ES512] = {"ES512", ECDSA, offsetof(fg_algorithms_t, sha512), FG_KEY_HALF_MAX},
    [FG_JWS_EDDSA] = {"EdDSA", EDDSA, 0, 0},
};

static const EVP_MD *digest_of(fg_jws_alg_t alg) {
    return *(EVP_MD *const *)((const char *)fg_algorithms_get() + algs[alg].digest);
}

bool fg_jws_alg_from_name(fg_str_t name, fg_jws_alg_t *alg) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(algs); i++) {
        if (fg_str_is(name, algs[i].name)) {
            *alg = (fg_jws_alg_t)i;
            return true;
        }
    }
    return false;
}

bool fg_key_fits(const fg_key_t *key, fg_jws_alg_t alg) {
    switch (algs[alg].family) {
    case ECDSA:
        return key->ec_half == algs[alg].ec_half;
    case EDDSA:
        return key->is_ed25519;
    default:
        return key->ec_half == 0 && !key->is_ed25519;
    }
}

const char *fg_key_get_jws_alg(const fg_key_t *key) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(algs); i++)
        if (fg_key_fits(key, (fg_jws_alg_t)i))
            return algs[i].name;
    return "none";
}

/* ---- verifying */

/* r|s as SEQUENCE { r INTEGER, s INTEGER }; 0: one of them is 0, or memory is out. */
static size_t to_der(fg_str_t signature, unsigned char der[DER_MAX]) {
    int half = (int)(signature.n / 2), length = 0;
    const unsigned char *at = (const unsigned char *)signature.p;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(at, half, NULL), *s = BN_bin2bn(at + half, half, NULL);
    if (pair != NULL && r != NULL && s != NULL && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        length = i2d_ECDSA_SIG(pair, NULL) <= DER_MAX ? i2d_ECDSA_SIG(pair, &der) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

/* A copy of the prepared context spares the fetch and set-up of a new one; it is prepared for one algorithm alone. */
static EVP_PKEY_CTX *make_context(const fg_key_t *key, fg_jws_alg_t alg) {
    if (alg == FG_JWS_RS256 || algs[alg].family == ECDSA)
        return EVP_PKEY_CTX_dup(key->verifier);
    bool pss = algs[alg].family == RSA_PSS;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    /* RFC 7518 §3.5: MGF1 with the same digest, and a salt as long as that */
    if (context != NULL && EVP_PKEY_verify_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(context, digest_of(alg)) == 1 &&
        (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1))
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static bool verify_digest(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, const unsigned char *signature,
                          size_t length) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    if (EVP_Digest(data.p, data.n, digest, &digest_length, digest_of(alg), NULL) != 1)
        return false;
    EVP_PKEY_CTX *context = make_context(key, alg);
    bool good = context != NULL && EVP_PKEY_verify(context, signature, length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

static bool verify_ecdsa(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_str_t signature) {
    unsigned char der[DER_MAX];
    size_t length = signature.n == 2 * key->ec_half ? to_der(signature, der) : 0;
    return length > 0 && verify_digest(key, alg, data, der, length);
}

static bool verify_eddsa(const fg_key_t *key, fg_str_t data, fg_str_t signature) {
    EVP_MD_CTX *context = signature.n == ED25519_SIGNATURE_SIZE ? EVP_MD_CTX_new() : NULL;
    bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool verify(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_str_t signature) {
    switch (algs[alg].family) {
    case ECDSA:
        return verify_ecdsa(key, alg, data, signature);
    case EDDSA:
        return verify_eddsa(key, data, signature);
    default: /* RFC 8017 §8.1.2, §8.2.2: exactly as long as the modulus */
        return signature.n == (size_t)EVP_PKEY_get_size(key->pkey) &&
               verify_digest(key, alg, data, (const unsigned char *)signature.p, signature.n);
    }
}

bool fg_key_verify(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_str_t signature, fg_err_t *err) {
    if (!fg_key_fits(key, alg))
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "%s does not go with the key", algs[alg].name);
    if (verify(key, alg, data, signature))
        return true;
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    return FG_FAIL(err, FG_E_SIG_INVALID, "%s: the signature is not right", algs[alg].name);
}
