/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signatures of JSON Web Signature and XML Signature over OpenSSL. */
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/key_parts.h"

#define ED25519_SIGNATURE_SIZE 64u
#define DER_MAX (2 * FG_KEY_HALF_MAX + 16)

typedef enum family { RSA_PKCS1, RSA_PSS, ECDSA, EDDSA } family_t;

typedef struct scheme {
    family_t family;
    fg_hash_t hash;
} scheme_t;

static const struct {
    const char *name;
    scheme_t scheme;
    size_t ec_half; /* the curve: an algorithm goes with one alone (RFC 7518 §3.4) */
} algs[] = {
    [FG_JWS_RS256] = {"RS256", {RSA_PKCS1, FG_HASH_SHA256}, 0},
    [FG_JWS_RS384] = {"RS384", {RSA_PKCS1, FG_HASH_SHA384}, 0},
    [FG_JWS_RS512] = {"RS512", {RSA_PKCS1, FG_HASH_SHA512}, 0},
    [FG_JWS_PS256] = {"PS256", {RSA_PSS, FG_HASH_SHA256}, 0},
    [FG_JWS_PS384] = {"PS384", {RSA_PSS, FG_HASH_SHA384}, 0},
    [FG_JWS_PS512] = {"PS512", {RSA_PSS, FG_HASH_SHA512}, 0},
    [FG_JWS_ES256] = {"ES256", {ECDSA, FG_HASH_SHA256}, 32},
    [FG_JWS_ES384] = {"ES384", {ECDSA, FG_HASH_SHA384}, 48},
    [FG_JWS_ES512] = {"ES512", {ECDSA, FG_HASH_SHA512}, FG_KEY_HALF_MAX},
    [FG_JWS_EDDSA] = {"EdDSA", {EDDSA, FG_HASH_SHA512}, 0},
};

bool fg_jws_alg_from_name(fg_str_t name, fg_jws_alg_t *alg) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(algs); i++) {
        if (fg_str_is(name, algs[i].name)) {
            *alg = (fg_jws_alg_t)i;
            return true;
        }
    }
    return false;
}

const char *fg_jws_alg_name(fg_jws_alg_t alg) { return algs[alg].name; }
fg_hash_t fg_jws_alg_hash(fg_jws_alg_t alg) { return algs[alg].scheme.hash; }

bool fg_key_fits(const fg_key_t *key, fg_jws_alg_t alg) {
    switch (algs[alg].scheme.family) {
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

static const EVP_MD *md_of(fg_hash_t hash) {
    const fg_algorithms_t *algorithms = fg_algorithms_get();
    const EVP_MD *const mds[] = {[FG_HASH_SHA1] = algorithms->sha1,
                                 [FG_HASH_SHA256] = algorithms->sha256,
                                 [FG_HASH_SHA384] = algorithms->sha384,
                                 [FG_HASH_SHA512] = algorithms->sha512};
    return mds[hash];
}

/* What prepare_verifier in key.c has prepared for. */
static bool is_prepared(const fg_key_t *key, scheme_t scheme) {
    fg_hash_t hash = key->ec_half == FG_KEY_HALF_MAX ? FG_HASH_SHA512
                     : key->ec_half == 48            ? FG_HASH_SHA384
                                                     : FG_HASH_SHA256;
    return scheme.family != RSA_PSS && scheme.hash == hash;
}

/* A copy of the prepared context spares the fetch and set-up of a new one; it is prepared for one algorithm alone. */
static EVP_PKEY_CTX *make_context(const fg_key_t *key, scheme_t scheme) {
    if (is_prepared(key, scheme))
        return EVP_PKEY_CTX_dup(key->verifier);
    bool pss = scheme.family == RSA_PSS;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    /* RFC 7518 §3.5: MGF1 with the same digest, and a salt as long as that */
    if (context != NULL && EVP_PKEY_verify_init(context) == 1 &&
        (scheme.family == ECDSA ||
         EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1) &&
        EVP_PKEY_CTX_set_signature_md(context, md_of(scheme.hash)) == 1 &&
        (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1))
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static bool verify_digest(const fg_key_t *key, scheme_t scheme, fg_str_t data, const unsigned char *signature,
                          size_t length) {
    unsigned char digest[FG_HASH_MAX];
    size_t digest_length = fg_hash(scheme.hash, data.p, data.n, digest);
    EVP_PKEY_CTX *context = make_context(key, scheme);
    bool good = context != NULL && EVP_PKEY_verify(context, signature, length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

static bool verify_ecdsa(const fg_key_t *key, scheme_t scheme, fg_str_t data, fg_str_t signature) {
    unsigned char der[DER_MAX];
    size_t length = signature.n == 2 * key->ec_half ? to_der(signature, der) : 0;
    return length > 0 && verify_digest(key, scheme, data, der, length);
}

static bool verify_eddsa(const fg_key_t *key, fg_str_t data, fg_str_t signature) {
    EVP_MD_CTX *context = signature.n == ED25519_SIGNATURE_SIZE ? EVP_MD_CTX_new() : NULL;
    bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool verify(const fg_key_t *key, scheme_t scheme, fg_str_t data, fg_str_t signature) {
    switch (scheme.family) {
    case ECDSA:
        return verify_ecdsa(key, scheme, data, signature);
    case EDDSA:
        return verify_eddsa(key, data, signature);
    default: /* RFC 8017 §8.1.2, §8.2.2: exactly as long as the modulus */
        return signature.n == (size_t)EVP_PKEY_get_size(key->pkey) &&
               verify_digest(key, scheme, data, (const unsigned char *)signature.p, signature.n);
    }
}

static bool verify_or_fail(const fg_key_t *key, scheme_t scheme, fg_str_t data, fg_str_t signature, const char *name,
                           fg_err_t *err) {
    if (verify(key, scheme, data, signature))
        return true;
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    return FG_FAIL(err, FG_E_SIG_INVALID, "%s: the signature is not right", name);
}

bool fg_key_verify(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_str_t signature, fg_err_t *err) {
    if (!fg_key_fits(key, alg))
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "%s does not go with the key", algs[alg].name);
    return verify_or_fail(key, algs[alg].scheme, data, signature, algs[alg].name, err);
}

bool fg_key_verify_hash(const fg_key_t *key, fg_hash_t hash, fg_str_t data, fg_str_t signature, fg_err_t *err) {
    if (key->is_ed25519)
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "an Ed25519 key makes no such signature");
    const scheme_t scheme = {key->ec_half > 0 ? ECDSA : RSA_PKCS1, hash};
    return verify_or_fail(key, scheme, data, signature, key->ec_half > 0 ? "ECDSA" : "RSA", err);
}

bool fg_key_verify_rsa_sha1(const fg_key_t *key, fg_str_t data, fg_str_t signature) {
    if (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_RSA || signature.n != (size_t)EVP_PKEY_get_size(key->pkey))
        return false;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL &&
                EVP_DigestVerifyInit(context, NULL, fg_algorithms_get()->sha1, NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    return good;
}
