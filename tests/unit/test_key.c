/* SPDX-License-Identifier: GPL-2.0-or-later
 * Keys and certificates: what is accepted (XS-26), what is made, what signs. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/crypto.h"
#include "core/key.h"
#include "core/time.h"

static fg_key_t *rsa_key, *p256_key, *p384_key;

static fg_key_t *generate(fg_key_type_t type) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(type, "fedgate signing - fs.example.com", TEST_NOW, TEST_NOW + 365 * FG_DAY, &err);
}

static int start(void **state) {
    (void)state;
    if (!fg_crypto_start())
        return -1;
    rsa_key = generate(FG_KEY_RSA_2048);
    p256_key = generate(FG_KEY_EC_P256);
    p384_key = generate(FG_KEY_EC_P384);
    return rsa_key && p256_key && p384_key ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    fg_key_unref(rsa_key);
    fg_key_unref(p256_key);
    fg_key_unref(p384_key);
    fg_crypto_stop();
    return 0;
}

/* ---- what is made */

static void key_types_have_names(void **state) {
    (void)state;
    fg_key_type_t type;
    for (int i = FG_KEY_RSA_2048; i <= FG_KEY_EC_P384; i++) {
        assert_true(fg_key_type_from_name(fg_key_type_name((fg_key_type_t)i), &type));
        assert_int_equal(type, i);
    }
    assert_false(fg_key_type_from_name("rsa-1024", &type));
    assert_false(fg_key_type_from_name("RSA-2048", &type));
}

/* RFC 5280 §4.1.2 */
static void a_made_certificate_is_a_proper_one(void **state) {
    (void)state;
    X509 *x509 = fg_key_get_x509(rsa_key);
    char name[100];
    assert_int_equal(X509_get_version(x509), X509_VERSION_3);
    assert_int_equal(X509_verify(x509, fg_key_get_pkey(rsa_key)), 1);
    assert_int_equal(X509_get_signature_nid(x509), NID_sha256WithRSAEncryption);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof name);
    assert_string_equal(name, "fedgate signing - fs.example.com");
    assert_int_equal(X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)), 0);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not V_ASN1_NEG_INTEGER */
    assert_in_range(ASN1_STRING_length(serial), 16, 20);
    assert_int_not_equal(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(fg_key_get_x509(p256_key))), 0);
    assert_true(fg_key_get_not_before(rsa_key) == TEST_NOW);
    assert_true(fg_key_get_not_after(rsa_key) == TEST_NOW + 365 * FG_DAY);
    assert_int_equal(strlen(fg_key_get_thumbprint(rsa_key)), 40);
    assert_int_equal(strlen(fg_key_get_id(rsa_key)), 22);
    assert_string_not_equal(fg_key_get_id(rsa_key), fg_key_get_id(p256_key));
    assert_true(fg_key_is_private(rsa_key));
    assert_false(fg_key_is_ec(rsa_key));
    assert_true(fg_key_is_ec(p384_key));
}

/* RFC 5280 allows a common name of 64 characters; it is cut between characters, not within one. */
static void a_long_common_name_is_cut(void **state) {
    (void)state;
    char name[101], cut[200];
    memset(name, 'x', sizeof name);
    memcpy(name + 63, "\xc3\xa4", 2);
    name[100] = '\0';
    fg_err_t err = FG_ERR_INIT;
    fg_key_t *key = fg_key_generate(FG_KEY_EC_P256, name, TEST_NOW, TEST_NOW + FG_DAY, &err);
    assert_non_null(key);
    X509_NAME_get_text_by_NID(X509_get_subject_name(fg_key_get_x509(key)), NID_commonName, cut, sizeof cut);
    assert_int_equal(strlen(cut), 63);
    fg_key_unref(key);
}

static void pem_goes_both_ways(void **state) {
    (void)state;
    fg_key_t *keys[] = {rsa_key, p256_key, p384_key};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_buf_t pem = FG_BUF_INIT(10000);
        assert_true(fg_key_to_pem(keys[i], &pem, &err));
        assert_non_null(strstr(pem.data, "-----BEGIN PRIVATE KEY-----"));
        fg_key_t *back = fg_key_from_pem(fg_buf_str(&pem), &err);
        assert_non_null(back);
        assert_true(fg_key_is_private(back));
        assert_string_equal(fg_key_get_id(back), fg_key_get_id(keys[i]));
        assert_string_equal(fg_key_get_thumbprint(back), fg_key_get_thumbprint(keys[i]));
        assert_string_equal(fg_key_get_signature_uri(back), fg_key_get_signature_uri(keys[i]));
        fg_key_unref(back);
        fg_buf_free(&pem);
    }
}

static void a_certificate_alone_is_a_public_key(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t der = FG_BUF_INIT(10000);
    assert_true(fg_base64_decode(&der, fg_key_get_certificate_base64(rsa_key)));
    fg_key_t *key = fg_key_from_certificate_der(fg_buf_str(&der), &err);
    assert_non_null(key);
    assert_false(fg_key_is_private(key));
    assert_string_equal(fg_key_get_id(key), fg_key_get_id(rsa_key));
    fg_buf_t out = FG_BUF_INIT(1000);
    assert_false(fg_key_sign(key, FG_STR("x"), &out, &err));
    assert_err(&err, FG_E_INTERNAL);
    fg_key_unref(key);
    fg_buf_putc(&der, 'x'); /* trailing byte */
    assert_null(fg_key_from_certificate_der(fg_buf_str(&der), &err));
    assert_err(&err, FG_E_SIG_KEY);
    assert_null(fg_key_from_certificate_der((fg_str_t){der.data, 100}, &err));
    assert_null(fg_key_from_certificate_der(FG_STR_NONE, &err));
    fg_buf_free(&der);
}

/* ---- what is refused */

/* PEM of a key and, if not NULL, a certificate, as any program would write them */
static fg_key_t *read_back(EVP_PKEY *pkey, bool private, X509 *x509, fg_err_t *err) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    if (x509 != NULL)
        PEM_write_bio_X509(bio, x509);
    if (private)
        PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_PUBKEY(bio, pkey);
    long length = BIO_get_mem_data(bio, &text);
    fg_key_t *key = fg_key_from_pem((fg_str_t){text, (size_t)length}, err);
    BIO_free(bio);
    return key;
}

static void assert_key_refused(EVP_PKEY *pkey, bool private, const char *why) {
    fg_err_t err = FG_ERR_INIT;
    assert_non_null(pkey);
    fg_key_t *key = read_back(pkey, private, NULL, &err);
    assert_null(key);
    assert_err(&err, FG_E_SIG_KEY);
    if (strstr(err.detail, why) == NULL)
        fail_msg("'%s' does not hold '%s'", err.detail, why);
    EVP_PKEY_free(pkey);
}

static void weak_and_foreign_keys_are_refused_xs26(void **state) {
    (void)state;
    assert_key_refused(EVP_RSA_gen(1024), true, "1024 bits");
    assert_key_refused(EVP_RSA_gen(1024), false, "1024 bits");
    assert_key_refused(EVP_EC_gen("secp256k1"), true, "secp256k1");
    assert_key_refused(EVP_EC_gen("P-224"), false, "secp224r1");
    assert_key_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false, "ED25519");
    fg_err_t err = FG_ERR_INIT;
    fg_key_t *key = read_back(fg_key_get_pkey(rsa_key), true, NULL, &err); /* controls */
    assert_non_null(key);
    assert_string_equal(fg_key_get_thumbprint(key), "");
    fg_key_unref(key);
    key = read_back(fg_key_get_pkey(p256_key), false, NULL, &err);
    assert_non_null(key);
    fg_key_unref(key);
    EVP_PKEY *p521 = EVP_EC_gen("P-521");
    key = read_back(p521, true, NULL, &err);
    assert_non_null(key);
    fg_key_unref(key);
    EVP_PKEY_free(p521);
}

/* The RSA key's modulus with another exponent. */
static EVP_PKEY *with_exponent(const char *exponent) {
    BIGNUM *n = NULL, *e = NULL;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_get_bn_param(fg_key_get_pkey(rsa_key), OSSL_PKEY_PARAM_RSA_N, &n);
    BN_dec2bn(&e, exponent);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY_fromdata_init(context);
    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n), BN_free(e);
    return pkey;
}

static void bad_exponents_are_refused_xs26(void **state) {
    (void)state;
    assert_key_refused(with_exponent("1"), false, "exponent");
    assert_key_refused(with_exponent("65536"), false, "exponent");
    assert_key_refused(with_exponent("36893488147419103233"), false, "exponent"); /* 2^65 + 1 */
    fg_err_t err = FG_ERR_INIT;
    EVP_PKEY *pkey = with_exponent("65537"); /* control */
    fg_key_t *key = read_back(pkey, false, NULL, &err);
    assert_non_null(key);
    fg_key_unref(key);
    EVP_PKEY_free(pkey);
}

static fg_key_t *from_spki(const unsigned char *der, size_t length, fg_err_t *err) {
    fg_buf_t pem = FG_BUF_INIT(1000);
    fg_buf_puts(&pem, "-----BEGIN PUBLIC KEY-----\n");
    fg_base64_encode(&pem, der, length);
    for (size_t at = 27 + 64; at < pem.length; at += 65)
        fg_buf_insert(&pem, at, "\n", 1);
    fg_buf_puts(&pem, "\n-----END PUBLIC KEY-----\n");
    fg_key_t *key = fg_key_from_pem(fg_buf_str(&pem), err);
    fg_buf_free(&pem);
    return key;
}

static void points_off_the_curve_are_refused_xs26(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(fg_key_get_pkey(p256_key), &der);
    fg_key_t *key = from_spki(der, (size_t)length, &err); /* control */
    assert_non_null(key);
    fg_key_unref(key);
    der[length - 1] ^= 1;
    assert_null(from_spki(der, (size_t)length, &err));
    assert_err(&err, FG_E_SIG_KEY);
    OPENSSL_free(der);
}

static void explicit_curve_parameters_are_refused_xs26(void **state) {
    (void)state;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    OSSL_PARAM encoding[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, (char[]){OSSL_PKEY_EC_ENCODING_EXPLICIT}, 0), OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_PKEY_set_params(pkey, encoding), 1);
    assert_key_refused(pkey, false, "explicit");
}

static void odd_pem_texts_are_refused(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_null(read_back(fg_key_get_pkey(p256_key), true, fg_key_get_x509(rsa_key), &err));
    assert_non_null(strstr(err.detail, "another key"));
    fg_buf_t pem = FG_BUF_INIT(20000);
    assert_true(fg_key_to_pem(p256_key, &pem, &err));
    size_t one = pem.length;
    fg_key_t *key = fg_key_from_pem(fg_buf_str(&pem), &err); /* control */
    assert_non_null(key);
    fg_key_unref(key);
    assert_true(fg_key_to_pem(p384_key, &pem, &err));
    assert_null(fg_key_from_pem(fg_buf_str(&pem), &err));
    assert_non_null(strstr(err.detail, "more than one"));
    assert_null(fg_key_from_pem((fg_str_t){pem.data, one - 40}, &err)); /* cut off */
    assert_non_null(strstr(err.detail, "malformed"));
    assert_null(fg_key_from_pem(FG_STR("nothing here"), &err));
    assert_non_null(strstr(err.detail, "neither"));
    assert_null(fg_key_from_pem(FG_STR_NONE, &err));
    fg_buf_reset(&pem);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_PKCS8PrivateKey(bio, fg_key_get_pkey(p256_key), EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
    long length = BIO_get_mem_data(bio, &text);
    assert_null(fg_key_from_pem((fg_str_t){text, (size_t)length}, &err));
    assert_non_null(strstr(err.detail, "passphrase"));
    BIO_free(bio);
    fg_buf_free(&pem);
}

/* ---- what signs */

static bool verify(const fg_key_t *key, const EVP_MD *md, fg_str_t data, fg_str_t signature) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(context, NULL, md, NULL, fg_key_get_pkey(key)) == 1 &&
              EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n, (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

/* r|s back into DER, by OpenSSL's own means */
static bool verify_flat(const fg_key_t *key, const EVP_MD *md, fg_str_t data, fg_str_t flat) {
    const unsigned char *p = (const unsigned char *)flat.p;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    ECDSA_SIG_set0(pair, BN_bin2bn(p, (int)flat.n / 2, NULL), BN_bin2bn(p + flat.n / 2, (int)flat.n / 2, NULL));
    unsigned char *der = NULL;
    int length = i2d_ECDSA_SIG(pair, &der);
    bool ok = verify(key, md, data, (fg_str_t){(char *)der, (size_t)length});
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return ok;
}

static void rsa_signs(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1000);
    fg_buf_puts(&out, "head");
    assert_true(fg_key_sign(rsa_key, FG_STR("message"), &out, &err));
    assert_int_equal(out.length, 4 + 256);
    fg_str_t signature = {out.data + 4, 256};
    assert_true(verify(rsa_key, EVP_sha256(), FG_STR("message"), signature));
    assert_false(verify(rsa_key, EVP_sha256(), FG_STR("massage"), signature));
    assert_string_equal(fg_key_get_signature_uri(rsa_key), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256");
    fg_buf_free(&out);
    fg_buf_t small = FG_BUF_INIT(100);
    assert_false(fg_key_sign(rsa_key, FG_STR("message"), &small, &err));
    assert_err(&err, FG_E_MEMORY);
    fg_buf_free(&small);
}

/* Often enough that r or s comes out short now and then: the halves keep their width. */
static void ec_signs_as_r_and_s_of_fixed_width(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    EVP_PKEY *made = EVP_EC_gen("P-521");
    fg_key_t *p521_key = read_back(made, true, NULL, &err);
    const struct {
        const fg_key_t *key;
        const EVP_MD *md;
        size_t length;
        int rounds;
        const char *uri;
    } rows[] = {
        {p256_key, EVP_sha256(), 64, 600, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
        {p384_key, EVP_sha384(), 96, 40, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"},
        {p521_key, EVP_sha512(), 132, 40, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        assert_string_equal(fg_key_get_signature_uri(rows[i].key), rows[i].uri);
        for (int round = 0; round < rows[i].rounds; round++) {
            fg_buf_t out = FG_BUF_INIT(1000);
            assert_true(fg_key_sign(rows[i].key, FG_STR("message"), &out, &err));
            assert_int_equal(out.length, rows[i].length);
            assert_true(verify_flat(rows[i].key, rows[i].md, FG_STR("message"), fg_buf_str(&out)));
            assert_false(verify_flat(rows[i].key, rows[i].md, FG_STR("massage"), fg_buf_str(&out)));
            fg_buf_free(&out);
        }
    }
    fg_key_unref(p521_key);
    EVP_PKEY_free(made);
}

/* Each algorithm of JSON Web Signature is written by each key that it goes with, and by no other. */
static void keys_sign_json_web_signatures(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    EVP_PKEY *made = EVP_EC_gen("P-521");
    fg_key_t *p521_key = read_back(made, true, NULL, &err);
    fg_key_t *ed = fg_key_from_ed25519_private(FG_STR("a seed of thirty-two bytes, no m"), &err);
    const fg_key_t *keys[] = {rsa_key, p256_key, p384_key, p521_key, ed};
    size_t signed_by[FG_ARRAY_SIZE(keys)] = {0};
    assert_non_null(ed);
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++)
        for (fg_jws_alg_t alg = FG_JWS_RS256; alg <= FG_JWS_EDDSA; alg++) {
            fg_buf_t out = FG_BUF_INIT(1000);
            bool done = fg_key_sign_jws(keys[i], alg, FG_STR("message"), &out, &err);
            assert_int_equal(done, fg_key_fits(keys[i], alg));
            if (!done) {
                assert_int_equal(err.code, FG_E_SIG_ALGORITHM);
                continue;
            }
            signed_by[i]++;
            assert_true(fg_key_verify(keys[i], alg, FG_STR("message"), fg_buf_str(&out), &err));
            assert_false(fg_key_verify(keys[i], alg, FG_STR("massage"), fg_buf_str(&out), &err));
            fg_buf_free(&out);
        }
    const size_t expected[] = {6, 1, 1, 1, 1};
    assert_memory_equal(signed_by, expected, sizeof expected);
    assert_string_equal(fg_key_get_jws_alg(ed), "EdDSA");
    fg_key_unref(ed);
    fg_key_unref(p521_key);
    EVP_PKEY_free(made);
}

static void a_key_is_counted(void **state) {
    (void)state;
    fg_key_t *key = generate(FG_KEY_EC_P256);
    assert_ptr_equal(fg_key_ref(key), key);
    fg_key_unref(key);
    assert_int_equal(strlen(fg_key_get_id(key)), 22);
    fg_key_unref(key);
    fg_key_unref(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_types_have_names),
        cmocka_unit_test(a_made_certificate_is_a_proper_one),
        cmocka_unit_test(a_long_common_name_is_cut),
        cmocka_unit_test(pem_goes_both_ways),
        cmocka_unit_test(a_certificate_alone_is_a_public_key),
        cmocka_unit_test(weak_and_foreign_keys_are_refused_xs26),
        cmocka_unit_test(bad_exponents_are_refused_xs26),
        cmocka_unit_test(points_off_the_curve_are_refused_xs26),
        cmocka_unit_test(explicit_curve_parameters_are_refused_xs26),
        cmocka_unit_test(odd_pem_texts_are_refused),
        cmocka_unit_test(rsa_signs),
        cmocka_unit_test(ec_signs_as_r_and_s_of_fixed_width),
        cmocka_unit_test(keys_sign_json_web_signatures),
        cmocka_unit_test(a_key_is_counted),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
