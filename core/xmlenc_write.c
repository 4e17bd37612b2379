/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "core/crypto.h"
#include "core/xmlenc_parts.h"

#define WRAPPED_MAX 1024u

static const fg_xns_t xenc = {"xenc", FG_NS_XENC};
static const fg_xns_t ds = {"ds", FG_NS_DS};
static const fg_xns_t wsse = {"wsse", FG_NS_WSSE};

/* ---- the bytes ---- */

/* IV | ciphertext, padded by OpenSSL as PKCS #7, which is one of the paddings that XML Encryption 1.1 §5.2.2 allows;
 * with GCM: IV | ciphertext | tag (§5.2.4). */
static bool seal_content(const fg_enc_method_t *method, const fg_enc_data_t *data, const unsigned char *iv,
                         fg_buf_t *out) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const unsigned char *key = (const unsigned char *)data->secret.p, *plain = (const unsigned char *)data->plain.p;
    fg_buf_add(out, iv, method->iv_size);
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, data->plain.n + 2 * FG_ENC_TAG_SIZE);
    int body = 0, rest = 0;
    bool ok = context != NULL && place != NULL && data->plain.n < FG_ENC_CONTENT_MAX &&
              EVP_EncryptInit_ex(context, method->cipher(), NULL, key, iv) == 1 &&
              EVP_EncryptUpdate(context, place, &body, plain, (int)data->plain.n) == 1 &&
              EVP_EncryptFinal_ex(context, place + body, &rest) == 1;
    size_t tag = ok && method->tagged ? FG_ENC_TAG_SIZE : 0;
    if (tag > 0)
        ok = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, FG_ENC_TAG_SIZE, place + body + rest) == 1;
    if (ok)
        out->length = method->iv_size + (size_t)body + (size_t)rest + tag;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    return ok;
}

/* RSA-OAEP-MGF1P: SHA-1 for both, without label (XML Encryption 1.1 §5.5.2); SHA-1 does no harm here. */
static bool wrap_secret(const fg_key_t *recipient, fg_str_t secret, fg_buf_t *out) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(fg_key_get_pkey(recipient), NULL);
    const unsigned char *bytes = (const unsigned char *)secret.p;
    size_t length = 0;
    bool ok = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_encrypt(context, NULL, &length, bytes, secret.n) == 1;
    unsigned char *place = ok ? (unsigned char *)fg_buf_reserve(out, length) : NULL;
    ok = place != NULL && EVP_PKEY_encrypt(context, place, &length, bytes, secret.n) == 1;
    if (ok)
        out->length = length;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return ok;
}

/* ---- whose it is ---- */

static bool put_certificate(fg_xw_t *w, const fg_key_t *key) {
    fg_xw_start(w, &ds, "X509Data");
    fg_xw_leaf(w, &ds, "X509Certificate", fg_key_get_certificate_base64(key));
    fg_xw_end(w);
    return true;
}

static bool put_name_and_serial(fg_xw_t *w, BIO *name, X509 *x509) {
    char *text = NULL;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *decimal = number != NULL ? BN_bn2dec(number) : NULL;
    long length = BIO_get_mem_data(name, &text);
    bool ok = decimal != NULL && length > 0;
    if (ok) {
        fg_xw_leaf(w, &ds, "X509IssuerName", (fg_str_t){text, (size_t)length});
        fg_xw_leafz(w, &ds, "X509SerialNumber", decimal);
    }
    OPENSSL_free(decimal);
    BN_free(number);
    return ok;
}

/* XML Signature §4.5.4.1: the issuer's name as RFC 4514 writes it. */
static bool put_issuer_serial(fg_xw_t *w, const fg_key_t *key) {
    X509 *x509 = fg_key_get_x509(key);
    BIO *name = BIO_new(BIO_s_mem());
    fg_xw_start(w, &wsse, "SecurityTokenReference");
    fg_xw_start(w, &ds, "X509Data");
    fg_xw_start(w, &ds, "X509IssuerSerial");
    bool ok = name != NULL &&
              X509_NAME_print_ex(name, X509_get_issuer_name(x509), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0 &&
              put_name_and_serial(w, name, x509);
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_end(w);
    BIO_free(name);
    ERR_clear_error();
    return ok;
}

static bool put_thumbprint(fg_xw_t *w, const fg_key_t *key) {
    unsigned char hash[20];
    fg_buf_t der = FG_BUF_INIT(1u << 16), text = FG_BUF_INIT(64);
    bool ok = fg_base64_decode(&der, fg_key_get_certificate_base64(key));
    if (ok) {
        fg_sha1(der.data, der.length, hash);
        fg_base64_encode(&text, hash, sizeof hash);
    }
    fg_xw_start(w, &wsse, "SecurityTokenReference");
    fg_xw_start(w, &wsse, "KeyIdentifier");
    fg_xw_attr(w, "EncodingType", FG_STR(FG_ENC_WSSE_BASE64));
    fg_xw_attr(w, "ValueType", FG_STR(FG_ENC_WSSE11_THUMBPRINT));
    fg_xw_text(w, fg_buf_str(&text));
    fg_xw_end(w);
    fg_xw_end(w);
    ok = ok && fg_buf_ok(&text);
    fg_buf_free(&der);
    fg_buf_free(&text);
    return ok;
}

static bool put_recipient(fg_xw_t *w, const fg_enc_key_t *key) {
    static bool (*const put[])(fg_xw_t *, const fg_key_t *) = {
        [FG_ENC_NAME_CERTIFICATE] = put_certificate,
        [FG_ENC_NAME_ISSUER_SERIAL] = put_issuer_serial,
        [FG_ENC_NAME_THUMBPRINT] = put_thumbprint,
    };
    if (fg_key_get_x509(key->recipient) == NULL)
        return true;
    fg_xw_start(w, &ds, "KeyInfo");
    bool ok = put[key->naming](w, key->recipient);
    fg_xw_end(w);
    return ok;
}

/* ---- the elements ---- */

static void put_algorithm(fg_xw_t *w, const fg_xns_t *ns, const char *name, const char *uri) {
    fg_xw_start(w, ns, name);
    fg_xw_attr(w, "Algorithm", fg_str(uri));
}

static void put_cipher(fg_xw_t *w, const fg_buf_t *bytes) {
    fg_buf_t text = FG_BUF_INIT(2 * FG_ENC_CONTENT_MAX);
    fg_base64_encode(&text, bytes->data, bytes->length);
    w->failed = w->failed || !fg_buf_ok(&text);
    fg_xw_start(w, &xenc, "CipherData");
    fg_xw_leaf(w, &xenc, "CipherValue", fg_buf_str(&text));
    fg_xw_end(w);
    fg_buf_free(&text);
}

static void put_references(fg_xw_t *w, const fg_enc_key_t *key) {
    if (key->reference_count == 0)
        return;
    fg_xw_start(w, &xenc, "ReferenceList");
    for (size_t i = 0; i < key->reference_count; i++) {
        char uri[128];
        int length = snprintf(uri, sizeof uri, "#%s", key->references[i]);
        w->failed = w->failed || length < 0 || (size_t)length >= sizeof uri;
        fg_xw_start(w, &xenc, "DataReference");
        fg_xw_attrz(w, "URI", uri);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

static bool put_wrapped(fg_xw_t *w, const fg_enc_key_t *key, const fg_buf_t *wrapped) {
    fg_xw_start(w, &xenc, "EncryptedKey");
    if (key->id != NULL)
        fg_xw_attrz(w, "Id", key->id);
    put_algorithm(w, &xenc, "EncryptionMethod", FG_NS_XENC "rsa-oaep-mgf1p");
    put_algorithm(w, &ds, "DigestMethod", FG_NS_DS "sha1");
    fg_xw_end(w);
    fg_xw_end(w);
    bool ok = put_recipient(w, key);
    put_cipher(w, wrapped);
    put_references(w, key);
    fg_xw_end(w);
    return ok;
}

bool fg_xmlenc_put_key(fg_xw_t *w, fg_str_t secret, const fg_enc_key_t *key, fg_err_t *err) {
    fg_buf_t wrapped = FG_BUF_INIT(WRAPPED_MAX);
    if (!EVP_PKEY_is_a(fg_key_get_pkey(key->recipient), "RSA"))
        return FG_FAIL(err, FG_E_CONFIG, "keys are encrypted to RSA keys only");
    bool ok = wrap_secret(key->recipient, secret, &wrapped) && put_wrapped(w, key, &wrapped);
    fg_buf_free(&wrapped);
    return ok || FG_FAIL(err, FG_E_INTERNAL, "a key cannot be encrypted");
}

static bool put_key_info(fg_xw_t *w, const fg_enc_data_t *data, fg_err_t *err) {
    bool ok = true;
    if (data->key == NULL && data->key_info.n == 0)
        return true;
    fg_xw_start(w, &ds, "KeyInfo");
    if (data->key != NULL)
        ok = fg_xmlenc_put_key(w, data->secret, data->key, err);
    else
        fg_xw_raw(w, data->key_info);
    fg_xw_end(w);
    return ok;
}

static bool put_sealed(fg_xw_t *w, const fg_enc_data_t *data, const fg_buf_t *content, fg_err_t *err) {
    fg_xw_start(w, &xenc, "EncryptedData");
    if (data->id != NULL)
        fg_xw_attrz(w, "Id", data->id);
    fg_xw_attrz(w, "Type", data->content ? FG_NS_XENC "Content" : FG_NS_XENC "Element");
    put_algorithm(w, &xenc, "EncryptionMethod", fg_enc_algorithm_uri(data->algorithm));
    fg_xw_end(w);
    bool ok = put_key_info(w, data, err);
    put_cipher(w, content);
    fg_xw_end(w);
    return ok;
}

bool fg_xmlenc_put_data(const fg_env_t *env, fg_xw_t *w, const fg_enc_data_t *data, fg_err_t *err) {
    const fg_enc_method_t *method = fg_enc_method_get(data->algorithm);
    unsigned char iv[FG_ENC_IV_MAX];
    fg_buf_t content = FG_BUF_INIT(FG_ENC_CONTENT_MAX + 64);
    bool ok = false;
    if (data->secret.n != method->key_size)
        FG_FAIL(err, FG_E_INTERNAL, "%zu bytes of key for %s", data->secret.n, method->uri);
    else if (!env->random(env, iv, method->iv_size))
        FG_FAIL(err, FG_E_INTERNAL, "no randomness for encryption");
    else if (!seal_content(method, data, iv, &content))
        FG_FAIL(err, FG_E_INTERNAL, "it cannot be encrypted");
    else
        ok = put_sealed(w, data, &content, err);
    fg_buf_free(&content);
    return ok;
}

bool fg_xmlenc_write_key(fg_str_t secret, const fg_enc_key_t *key, fg_buf_t *out, fg_err_t *err) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    return fg_xmlenc_put_key(&w, secret, key, err) &&
           (fg_xw_ok(&w) || FG_FAIL(err, FG_E_MEMORY, "the encrypted key does not fit"));
}

bool fg_xmlenc_write_data(const fg_env_t *env, const fg_enc_data_t *data, fg_buf_t *out, fg_err_t *err) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    return fg_xmlenc_put_data(env, &w, data, err) &&
           (fg_xw_ok(&w) || FG_FAIL(err, FG_E_MEMORY, "what is encrypted does not fit"));
}
