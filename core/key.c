/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "core/algorithms.h"
#include "core/crypto.h"
#include "core/key_parts.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192    /* verification time grows with the square */
#define EXPONENT_BITS_MAX 64 /* and with the exponent */
#define CERTIFICATE_MAX 65536
#define COMMON_NAME_MAX 64 /* RFC 5280 appendix A, ub-common-name */

static const struct {
    const char *name;
    unsigned rsa_bits;
    const char *curve;
} types[] = {
    [FG_KEY_RSA_2048] = {"rsa-2048", 2048, NULL}, [FG_KEY_RSA_3072] = {"rsa-3072", 3072, NULL},
    [FG_KEY_RSA_4096] = {"rsa-4096", 4096, NULL}, [FG_KEY_EC_P256] = {"ec-p256", 0, "P-256"},
    [FG_KEY_EC_P384] = {"ec-p384", 0, "P-384"},
};

bool fg_key_type_from_name(const char *name, fg_key_type_t *type) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = (fg_key_type_t)i;
            return true;
        }
    }
    return false;
}

const char *fg_key_type_name(fg_key_type_t type) { return types[type].name; }

/* ---- what a key must be */

static bool check_rsa(EVP_PKEY *pkey, fg_err_t *err) {
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return FG_FAIL(err, FG_E_SIG_KEY, "RSA key of %d bits, %d to %d are accepted", bits, RSA_BITS_MIN,
                       RSA_BITS_MAX);
    BIGNUM *e = NULL;
    bool good = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) && !BN_is_one(e) &&
                !BN_is_negative(e) && BN_num_bits(e) <= EXPONENT_BITS_MAX;
    BN_free(e);
    return good || FG_FAIL(err, FG_E_SIG_KEY, "RSA key with an exponent that is even, 1 or huge");
}

static const struct {
    const char *name, *uri;
    size_t half;
} curves[] = {
    {"prime256v1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", 32},
    {"secp384r1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", 48},
    {"secp521r1", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512", 66},
};

static bool check_ec(fg_key_t *key, fg_err_t *err) {
    char name[64] = "", encoding[64] = "";
    EVP_PKEY_get_utf8_string_param(key->pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, NULL);
    EVP_PKEY_get_utf8_string_param(key->pkey, OSSL_PKEY_PARAM_EC_ENCODING, encoding, sizeof encoding, NULL);
    if (strcmp(encoding, OSSL_PKEY_EC_ENCODING_EXPLICIT) == 0) /* a curve that calls itself one of ours */
        return FG_FAIL(err, FG_E_SIG_KEY, "EC key with explicit curve parameters");
    for (size_t i = 0; i < FG_ARRAY_SIZE(curves); i++) {
        if (strcmp(name, curves[i].name) == 0) {
            key->ec_half = curves[i].half;
            key->signature_uri = curves[i].uri;
        }
    }
    if (key->ec_half == 0)
        return FG_FAIL(err, FG_E_SIG_KEY, "EC key on curve '%s': P-256, P-384 and P-521 are accepted", name);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool good = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return good || FG_FAIL(err, FG_E_SIG_KEY, "EC key whose point is not on its curve");
}

static bool check_key(fg_key_t *key, bool ed25519, fg_err_t *err) {
    if (EVP_PKEY_is_a(key->pkey, "RSA")) {
        key->signature_uri = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
        return check_rsa(key->pkey, err);
    }
    if (EVP_PKEY_is_a(key->pkey, "EC"))
        return check_ec(key, err);
    key->is_ed25519 = ed25519 && EVP_PKEY_is_a(key->pkey, "ED25519");
    if (key->is_ed25519)
        return true;
    const char *name = EVP_PKEY_get0_type_name(key->pkey);
    return FG_FAIL(err, FG_E_SIG_KEY, "key of type '%s': RSA and EC are accepted", name ? name : "unknown");
}

/* ---- what is worked out once */

static const EVP_MD *digest_of(const fg_key_t *key) {
    const fg_algorithms_t *algorithms = fg_algorithms_get();
    return key->ec_half == 48 ? algorithms->sha384 : key->ec_half == 66 ? algorithms->sha512 : algorithms->sha256;
}

static bool prepare_signer(fg_key_t *key) {
    if (key->is_ed25519) /* as below */
        return true;
    key->signer = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return key->signer != NULL && EVP_PKEY_sign_init(key->signer) == 1 &&
           (key->ec_half > 0 || EVP_PKEY_CTX_set_rsa_padding(key->signer, RSA_PKCS1_PADDING) == 1) &&
           EVP_PKEY_CTX_set_signature_md(key->signer, digest_of(key)) == 1;
}

static bool prepare_verifier(fg_key_t *key) {
    if (key->is_ed25519) /* hashes by itself: there is nothing to prepare */
        return true;
    key->verifier = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return key->verifier != NULL && EVP_PKEY_verify_init(key->verifier) == 1 &&
           (key->ec_half > 0 || EVP_PKEY_CTX_set_rsa_padding(key->verifier, RSA_PKCS1_PADDING) == 1) &&
           EVP_PKEY_CTX_set_signature_md(key->verifier, digest_of(key)) == 1;
}

static bool note_id(fg_key_t *key) {
    unsigned char *der = NULL, hash[FG_SHA256_SIZE];
    int length = i2d_PUBKEY(key->pkey, &der);
    if (length <= 0)
        return false;
    fg_sha256(der, (size_t)length, hash);
    OPENSSL_free(der);
    fg_buf_t text = FG_BUF_INIT(sizeof key->id);
    fg_base64url_encode(&text, hash, 16);
    bool ok = fg_buf_ok(&text) && text.length < sizeof key->id;
    if (ok)
        memcpy(key->id, text.data, text.length + 1);
    fg_buf_free(&text);
    return ok;
}

static bool read_instant(const ASN1_TIME *time, int64_t *ms) {
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

static bool note_certificate(fg_key_t *key) {
    if (key->x509 == NULL)
        return true;
    unsigned char *der = NULL, hash[20];
    int length = i2d_X509(key->x509, &der);
    if (length <= 0)
        return false;
    fg_base64_encode(&key->certificate_base64, der, (size_t)length);
    fg_sha1(der, (size_t)length, hash);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(key->thumbprint + 2 * i, 3, "%02X", hash[i]);
    return fg_buf_ok(&key->certificate_base64) && read_instant(X509_get0_notBefore(key->x509), &key->not_before_ms) &&
           read_instant(X509_get0_notAfter(key->x509), &key->not_after_ms);
}

fg_key_t *fg_key_make(EVP_PKEY *pkey, bool is_private, X509 *x509, bool ed25519, fg_err_t *err) {
    fg_key_t *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        X509_free(x509);
        FG_FAIL(err, FG_E_MEMORY, "key");
        return NULL;
    }
    atomic_init(&key->references, 1);
    fg_buf_init(&key->certificate_base64, CERTIFICATE_MAX * 2);
    key->is_private = is_private;
    key->x509 = x509;
    key->pkey = pkey != NULL || x509 == NULL ? pkey : X509_get_pubkey(x509);
    bool ok = false;
    if (key->pkey == NULL)
        FG_FAIL(err, FG_E_SIG_KEY, "%s",
                x509 ? "certificate with a public key that cannot be read" : "neither a key nor a certificate");
    else if (x509 != NULL && pkey != NULL && X509_check_private_key(x509, pkey) != 1)
        FG_FAIL(err, FG_E_SIG_KEY, "the certificate is for another key");
    else if (check_key(key, ed25519, err))
        ok = (note_id(key) && note_certificate(key) && prepare_verifier(key) && (!is_private || prepare_signer(key))) ||
             FG_FAIL(err, FG_E_SIG_KEY, "key or certificate that cannot be used");
    ERR_clear_error(); /* the thread's queue is shared with the host's TLS */
    if (ok)
        return key;
    fg_key_unref(key);
    return NULL;
}

/* ---- reading and writing */

typedef struct pem_parts {
    EVP_PKEY *pkey;
    bool is_private;
    X509 *x509;
} pem_parts_t;

static bool take_key(pem_parts_t *parts, EVP_PKEY *pkey, bool is_private, fg_err_t *err) {
    if (pkey != NULL && parts->pkey == NULL) {
        parts->pkey = pkey;
        parts->is_private = is_private;
        return true;
    }
    EVP_PKEY_free(pkey);
    return FG_FAIL(err, FG_E_SIG_KEY, "%s", pkey ? "more than one key" : "a key that cannot be read");
}

/* One certificate: in a chain it would be a guess which one is meant. */
static bool take_certificate(pem_parts_t *parts, X509 *x509, fg_err_t *err) {
    if (x509 != NULL && parts->x509 == NULL) {
        parts->x509 = x509;
        return true;
    }
    X509_free(x509);
    return FG_FAIL(err, FG_E_SIG_KEY, "%s", x509 ? "more than one certificate" : "a certificate that cannot be read");
}

static bool take_part(pem_parts_t *parts, const char *name, const char *header, const unsigned char *data, long length,
                      fg_err_t *err) {
    if (header[0] != '\0' || strcmp(name, "ENCRYPTED PRIVATE KEY") == 0)
        return FG_FAIL(err, FG_E_SIG_KEY, "a key under a passphrase");
    if (strcmp(name, "CERTIFICATE") == 0)
        return take_certificate(parts, d2i_X509(NULL, &data, length), err);
    if (strcmp(name, "PUBLIC KEY") == 0)
        return take_key(parts, d2i_PUBKEY(NULL, &data, length), false, err);
    if (strcmp(name, "PRIVATE KEY") == 0 || strcmp(name, "RSA PRIVATE KEY") == 0 || strcmp(name, "EC PRIVATE KEY") == 0)
        return take_key(parts, d2i_AutoPrivateKey(NULL, &data, length), true, err);
    return strcmp(name, "EC PARAMETERS") == 0 || FG_FAIL(err, FG_E_SIG_KEY, "PEM block of an unexpected kind");
}

static bool take_parts(pem_parts_t *parts, BIO *in, fg_err_t *err) {
    char *name, *header;
    unsigned char *data;
    long length;
    bool ok = true;
    while (ok && PEM_read_bio(in, &name, &header, &data, &length) == 1) {
        ok = take_part(parts, name, header, data, length, err);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)length);
    }
    if (ok && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return FG_FAIL(err, FG_E_SIG_KEY, "malformed PEM");
    return ok;
}

fg_key_t *fg_key_from_pem(fg_str_t pem, fg_err_t *err) {
    pem_parts_t parts = {NULL, false, NULL};
    BIO *in = pem.n <= CERTIFICATE_MAX * 2 ? BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)pem.n) : NULL;
    if (in == NULL) {
        FG_FAIL(err, FG_E_SIG_KEY, "PEM text too large");
        return NULL;
    }
    ERR_clear_error();
    bool ok = take_parts(&parts, in, err);
    BIO_free(in);
    ERR_clear_error();
    if (ok)
        return fg_key_make(parts.pkey, parts.is_private, parts.x509, false, err);
    EVP_PKEY_free(parts.pkey);
    X509_free(parts.x509);
    return NULL;
}

fg_key_t *fg_key_from_certificate_der(fg_str_t der, fg_err_t *err) {
    const unsigned char *at = (const unsigned char *)der.p, *end = at + der.n;
    X509 *x509 = der.n > 0 && der.n <= CERTIFICATE_MAX ? d2i_X509(NULL, &at, (long)der.n) : NULL;
    ERR_clear_error();
    if (x509 != NULL && at == end)
        return fg_key_make(NULL, false, x509, false, err);
    X509_free(x509);
    FG_FAIL(err, FG_E_SIG_KEY, "a certificate that cannot be read");
    return NULL;
}

bool fg_key_to_pem(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    BIO *bio = BIO_new(BIO_s_mem()); /* wiped when freed */
    char *text = NULL;
    bool ok = bio != NULL &&
              (!key->is_private || PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1) &&
              (key->x509 == NULL || PEM_write_bio_X509(bio, key->x509) == 1);
    long length = ok ? BIO_get_mem_data(bio, &text) : 0;
    if (ok)
        fg_buf_add(out, text, (size_t)length);
    BIO_free(bio);
    ERR_clear_error();
    return (ok && fg_buf_ok(out)) || FG_FAIL(err, FG_E_INTERNAL, "key cannot be written as PEM");
}

/* ---- making */

/* 159 random bits: positive and within 20 octets (RFC 5280 §4.1.2.2) */
static bool set_serial(X509 *x509) {
    BIGNUM *serial = BN_new();
    bool ok = serial != NULL && BN_rand(serial, 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) != NULL;
    BN_free(serial);
    return ok;
}

static bool set_name(X509 *x509, const char *common_name) {
    size_t length = strlen(common_name);
    length = length > COMMON_NAME_MAX ? COMMON_NAME_MAX : length;
    while (length > 0 && (common_name[length] & 0xc0) == 0x80) /* not through a UTF-8 character */
        length--;
    X509_NAME *name = X509_get_subject_name(x509);
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)common_name,
                                      (int)length, -1, 0) == 1 &&
           X509_set_issuer_name(x509, name) == 1;
}

static bool set_key_identifier(X509 *x509) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash");
    bool ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static X509 *self_sign(EVP_PKEY *pkey, const char *common_name, int64_t not_before_ms, int64_t not_after_ms) {
    X509 *x509 = X509_new();
    if (x509 != NULL && X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
        set_name(x509, common_name) &&
        ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(not_before_ms / 1000)) != NULL &&
        ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(not_after_ms / 1000)) != NULL &&
        X509_set_pubkey(x509, pkey) == 1 && set_key_identifier(x509) &&
        X509_sign(x509, pkey, fg_algorithms_get()->sha256) > 0)
        return x509;
    X509_free(x509);
    return NULL;
}

fg_key_t *fg_key_generate(fg_key_type_t type, const char *common_name, int64_t not_before_ms, int64_t not_after_ms,
                          fg_err_t *err) {
    EVP_PKEY *pkey = types[type].curve ? EVP_EC_gen(types[type].curve) : EVP_RSA_gen(types[type].rsa_bits);
    X509 *x509 = pkey != NULL ? self_sign(pkey, common_name, not_before_ms, not_after_ms) : NULL;
    if (x509 != NULL)
        return fg_key_make(pkey, true, x509, false, err);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    FG_FAIL(err, FG_E_INTERNAL, "a key of type %s cannot be made", types[type].name);
    return NULL;
}

/* ---- holding */

fg_key_t *fg_key_ref(fg_key_t *key) {
    atomic_fetch_add(&key->references, 1);
    return key;
}

void fg_key_unref(fg_key_t *key) {
    if (key == NULL || atomic_fetch_sub(&key->references, 1) != 1)
        return;
    EVP_PKEY_CTX_free(key->signer);
    EVP_PKEY_CTX_free(key->verifier);
    EVP_PKEY_free(key->pkey);
    X509_free(key->x509);
    fg_buf_free(&key->certificate_base64);
    free(key);
}

EVP_PKEY *fg_key_get_pkey(const fg_key_t *key) { return key->pkey; }
X509 *fg_key_get_x509(const fg_key_t *key) { return key->x509; }
bool fg_key_is_private(const fg_key_t *key) { return key->is_private; }
bool fg_key_is_ec(const fg_key_t *key) { return key->ec_half > 0; }
fg_str_t fg_key_get_certificate_base64(const fg_key_t *key) { return fg_buf_str(&key->certificate_base64); }
const char *fg_key_get_thumbprint(const fg_key_t *key) { return key->thumbprint; }
const char *fg_key_get_id(const fg_key_t *key) { return key->id; }
int64_t fg_key_get_not_before(const fg_key_t *key) { return key->not_before_ms; }
int64_t fg_key_get_not_after(const fg_key_t *key) { return key->not_after_ms; }
const char *fg_key_get_signature_uri(const fg_key_t *key) { return key->signature_uri; }

/* ---- signing */

/* Reads a DER INTEGER of at most half bytes, right-aligned into to; returns the bytes behind it, NULL if there is none.
 */
static const unsigned char *take_integer(const unsigned char *at, const unsigned char *end, unsigned char *to,
                                         size_t half) {
    if (end - at < 2 || at[0] != 0x02 || at[1] >= 0x80 || at[1] > end - at - 2)
        return NULL;
    size_t length = at[1];
    for (at += 2; length > 0 && *at == 0; at++)
        length--;
    if (length > half)
        return NULL;
    memset(to, 0, half - length);
    memcpy(to + half - length, at, length);
    return at + length;
}

/* SEQUENCE { r INTEGER, s INTEGER } as OpenSSL has just written it, into r|s of fixed width */
static bool flatten(const unsigned char *der, size_t length, unsigned char *to, size_t half) {
    size_t head = length > 1 && der[1] == 0x81 ? 3 : 2; /* P-521 needs the long form */
    if (length < head || der[0] != 0x30)
        return false;
    const unsigned char *end = der + length, *s = take_integer(der + head, end, to, half);
    return s != NULL && take_integer(s, end, to + half, half) == end;
}

static bool sign_digest(const fg_key_t *key, const unsigned char *digest, size_t digest_length, unsigned char *to,
                        size_t length) {
    unsigned char der[2 * FG_KEY_HALF_MAX + 16];
    size_t der_length = sizeof der;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->signer); /* spares the fetch and set-up of a new one */
    bool ok = context != NULL;
    if (ok && key->ec_half > 0)
        ok = EVP_PKEY_sign(context, der, &der_length, digest, digest_length) == 1 &&
             flatten(der, der_length, to, key->ec_half);
    else if (ok)
        ok = EVP_PKEY_sign(context, to, &length, digest, digest_length) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

bool fg_key_sign(const fg_key_t *key, fg_str_t data, fg_buf_t *out, fg_err_t *err) {
    if (key->signer == NULL)
        return FG_FAIL(err, FG_E_INTERNAL, "a public key cannot sign");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    size_t before = out->length, length = key->ec_half > 0 ? 2 * key->ec_half : (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, length);
    if (place == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "signature");
    if (EVP_Digest(data.p, data.n, digest, &digest_length, digest_of(key), NULL) == 1 &&
        sign_digest(key, digest, digest_length, place, length))
        return true;
    ERR_clear_error();
    out->length = before;
    out->data[before] = '\0';
    return FG_FAIL(err, FG_E_INTERNAL, "signing failed");
}
