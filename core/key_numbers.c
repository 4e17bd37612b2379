/* SPDX-License-Identifier: GPL-2.0-or-later
 * Public keys from bare numbers, and back. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "core/key_parts.h"

#define NUMBER_MAX 1024u /* 8192 bits */

static const struct {
    const char *name;
    size_t half;
} curves[] = {{"P-256", 32}, {"P-384", 48}, {"P-521", FG_KEY_HALF_MAX}};

/* Takes the parameters, whatever comes of it; NULL: OpenSSL makes no key of them. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params) {
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = params != NULL ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return pkey;
}

static BIGNUM *to_number(fg_str_t bytes) {
    return bytes.n > 0 && bytes.n <= NUMBER_MAX ? BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL) : NULL;
}

fg_key_t *fg_key_from_rsa(fg_str_t n, fg_str_t e, fg_err_t *err) {
    BIGNUM *modulus = to_number(n), *exponent = to_number(e);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build != NULL && modulus != NULL && exponent != NULL && BN_is_odd(modulus) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        pkey = from_params("RSA", OSSL_PARAM_BLD_to_param(build));
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    if (pkey != NULL)
        return fg_key_make(pkey, false, NULL, false, err);
    FG_FAIL(err, FG_E_SIG_KEY, "RSA key with a modulus or an exponent that cannot be");
    return NULL;
}

static size_t find_half(fg_str_t curve) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(curves); i++)
        if (fg_str_is(curve, curves[i].name))
            return curves[i].half;
    return 0;
}

fg_key_t *fg_key_from_point(fg_str_t curve, fg_str_t x, fg_str_t y, fg_err_t *err) {
    unsigned char point[1 + 2 * FG_KEY_HALF_MAX] = {0x04}; /* uncompressed (SEC 1 §2.3.3) */
    size_t half = find_half(curve);
    if (half == 0 || x.n != half || y.n != half) { /* RFC 7518 §6.2.1.2: leading zeros are kept */
        FG_FAIL(err, FG_E_SIG_KEY, "EC key whose coordinates do not have the length of curve '%.*s'",
                FG_STR_ARG(curve));
        return NULL;
    }
    memcpy(point + 1, x.p, half);
    memcpy(point + 1 + half, y.p, half);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (build != NULL && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve.p, curve.n) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half) == 1)
        pkey = from_params("EC", OSSL_PARAM_BLD_to_param(build));
    OSSL_PARAM_BLD_free(build);
    if (pkey != NULL)
        return fg_key_make(pkey, false, NULL, false, err);
    FG_FAIL(err, FG_E_SIG_KEY, "EC key whose point is not on its curve");
    return NULL;
}

fg_key_t *fg_key_from_ed25519(fg_str_t x, fg_err_t *err) {
    EVP_PKEY *pkey =
        x.n == 32 ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const unsigned char *)x.p, x.n) : NULL;
    ERR_clear_error();
    if (pkey != NULL)
        return fg_key_make(pkey, false, NULL, true, err);
    FG_FAIL(err, FG_E_SIG_KEY, "Ed25519 key that is not 32 bytes");
    return NULL;
}

fg_key_t *fg_key_from_ed25519_private(fg_str_t d, fg_err_t *err) {
    EVP_PKEY *pkey =
        d.n == 32 ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, (const unsigned char *)d.p, d.n) : NULL;
    ERR_clear_error();
    if (pkey != NULL)
        return fg_key_make(pkey, true, NULL, true, err);
    FG_FAIL(err, FG_E_SIG_KEY, "Ed25519 key that is not 32 bytes");
    return NULL;
}

static bool put_number(const fg_key_t *key, const char *name, size_t length, fg_buf_t *out) {
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key->pkey, name, &number) != 1)
        return false;
    size_t size = length > 0 ? length : (size_t)BN_num_bytes(number);
    char *room = fg_buf_reserve(out, size);
    bool done = room != NULL && BN_bn2binpad(number, (unsigned char *)room, (int)size) == (int)size;
    BN_free(number);
    return done;
}

bool fg_key_get_numbers(const fg_key_t *key, fg_buf_t *first, fg_buf_t *second, const char **curve) {
    *curve = NULL;
    if (key->is_ed25519)
        return false;
    if (key->ec_half == 0)
        return put_number(key, OSSL_PKEY_PARAM_RSA_N, 0, first) && put_number(key, OSSL_PKEY_PARAM_RSA_E, 0, second);
    for (size_t i = 0; i < FG_ARRAY_SIZE(curves); i++)
        if (curves[i].half == key->ec_half)
            *curve = curves[i].name;
    return put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, key->ec_half, first) &&
           put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, key->ec_half, second);
}
