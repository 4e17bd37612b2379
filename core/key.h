/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keys and certificates.  A key is immutable once made and may be shared between threads; it is counted. */
#ifndef FG_CORE_KEY_H
#define FG_CORE_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/buf.h"
#include "core/crypto.h"
#include "core/env.h"

typedef enum fg_key_type {
    FG_KEY_RSA_2048,
    FG_KEY_RSA_3072,
    FG_KEY_RSA_4096,
    FG_KEY_EC_P256,
    FG_KEY_EC_P384,
} fg_key_type_t;

/* "rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384" */
bool fg_key_type_from_name(const char *name, fg_key_type_t *type) FG_MUST_CHECK;
const char *fg_key_type_name(fg_key_type_t type);

/* A private or public key with its certificate, if it has one. */
typedef struct fg_key fg_key_t;

/* A new key pair with a self-signed certificate (RFC 5280: version 3, random positive serial, SHA-256, CN =
 * common_name). */
fg_key_t *fg_key_generate(fg_key_type_t type, const char *common_name, int64_t not_before_ms, int64_t not_after_ms,
                          fg_err_t *err) FG_MUST_CHECK;
/* PEM: a private key (PKCS#8 or traditional, no passphrase) and/or a certificate, in any order.  Refuses RSA below 2048
 * bits or with an even or tiny exponent and other curves than P-256, P-384, P-521 (XS-26), and a certificate that does
 * not match the private key. */
fg_key_t *fg_key_from_pem(fg_str_t pem, fg_err_t *err) FG_MUST_CHECK;
fg_key_t *fg_key_from_certificate_der(fg_str_t der, fg_err_t *err) FG_MUST_CHECK;
/* Public keys from their numbers, big-endian, as a JSON Web Key has them (RFC 7518 §6, RFC 8037 §2), with the same
 * minimum strengths; curve is "P-256", "P-384" or "P-521", x and y have its exact length. */
fg_key_t *fg_key_from_rsa(fg_str_t n, fg_str_t e, fg_err_t *err) FG_MUST_CHECK;
fg_key_t *fg_key_from_point(fg_str_t curve, fg_str_t x, fg_str_t y, fg_err_t *err) FG_MUST_CHECK;
fg_key_t *fg_key_from_ed25519(fg_str_t x, fg_err_t *err) FG_MUST_CHECK; /* for JSON Web Signatures only */
fg_key_t *fg_key_from_ed25519_private(fg_str_t d, fg_err_t *err) FG_MUST_CHECK;
/* The other way round: n and e, or x and y with the curve's name (else NULL); appended to the buffers.  False: no such
 * numbers (Ed25519). */
bool fg_key_get_numbers(const fg_key_t *key, fg_buf_t *first, fg_buf_t *second, const char **curve) FG_MUST_CHECK;
/* Private key (PKCS#8) and certificate. */
bool fg_key_to_pem(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
fg_key_t *fg_key_ref(fg_key_t *key);
void fg_key_unref(fg_key_t *key); /* NULL is taken */

EVP_PKEY *fg_key_get_pkey(const fg_key_t *key);
X509 *fg_key_get_x509(const fg_key_t *key); /* NULL: no certificate */
bool fg_key_is_private(const fg_key_t *key);
bool fg_key_is_ec(const fg_key_t *key);
fg_str_t fg_key_get_certificate_base64(const fg_key_t *key); /* made once; empty: no certificate */
const char *
fg_key_get_thumbprint(const fg_key_t *key);     /* SHA-1 of the certificate, upper-case hex, as AD FS shows it; "" */
const char *fg_key_get_id(const fg_key_t *key); /* base64url of SHA-256 over SubjectPublicKeyInfo, cut to 16 bytes */
int64_t fg_key_get_not_before(const fg_key_t *key); /* of the certificate; 0 without */
int64_t fg_key_get_not_after(const fg_key_t *key);

/* The XML Signature algorithm URI with which this private key signs (rsa-sha256, ecdsa-sha256, ecdsa-sha384). */
const char *fg_key_get_signature_uri(const fg_key_t *key);
/* Signs data; RSA PKCS#1 1.5 or ECDSA as r|s (RFC 4050 form, as XML Signature and JWS want it), appended to out. */
bool fg_key_sign(const fg_key_t *key, fg_str_t data, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* JSON Web Signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1).  Symmetric ones and "none" are not among them. */
typedef enum fg_jws_alg {
    FG_JWS_RS256,
    FG_JWS_RS384,
    FG_JWS_RS512,
    FG_JWS_PS256,
    FG_JWS_PS384,
    FG_JWS_PS512,
    FG_JWS_ES256,
    FG_JWS_ES384,
    FG_JWS_ES512,
    FG_JWS_EDDSA,
} fg_jws_alg_t;

#define FG_JWS_ALG_NAMES "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"

bool fg_jws_alg_from_name(fg_str_t name, fg_jws_alg_t *alg) FG_MUST_CHECK; /* exact, case and all */
/* The name of the algorithm with which fg_key_sign signs with this key. */
const char *fg_key_get_jws_alg(const fg_key_t *key);
const char *fg_jws_alg_name(fg_jws_alg_t alg);
/* The digest that goes with it; of Ed25519 SHA-512, which it uses itself (RFC 8032 §5.1). */
fg_hash_t fg_jws_alg_hash(fg_jws_alg_t alg);
/* Whether a key of this type, and for ECDSA on this curve, can have made such a signature. */
bool fg_key_fits(const fg_key_t *key, fg_jws_alg_t alg);
/* Signs as fg_key_sign does, in any of the algorithms that go with the key; FG_E_SIG_ALGORITHM: it is none of them. */
bool fg_key_sign_jws(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
/* Verifies; ECDSA as r|s of exact length, neither of them 0 (JW-10).  FG_E_SIG_ALGORITHM: the key does not fit. */
bool fg_key_verify(const fg_key_t *key, fg_jws_alg_t alg, fg_str_t data, fg_str_t signature,
                   fg_err_t *err) FG_MUST_CHECK;
/* RSA PKCS#1 1.5 with SHA-1, which is no JSON Web Signature: for partners whose switch says so (XS-25). */
bool fg_key_verify_rsa_sha1(const fg_key_t *key, fg_str_t data, fg_str_t signature) FG_MUST_CHECK;

/* The same as XML Signature has it (RFC 6931 §2.3): PKCS#1 1.5 or ECDSA, as the key is, with any of the digests: no
 * curve is tied to one.  The signature must have the exact length that such a key makes (XS-27). */
bool fg_key_verify_hash(const fg_key_t *key, fg_hash_t hash, fg_str_t data, fg_str_t signature,
                        fg_err_t *err) FG_MUST_CHECK;

#endif
