/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/encrypt.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "core/crypto.h"

#define KEY_SIZE 32u
#define IV_MAX 16u
#define TAG_SIZE 16u
#define CIPHERTEXT_MAX (1u << 20)

static const fg_xns_t saml = {"saml", FG_NS_SAML2};
static const fg_xns_t xenc = {"xenc", FG_NS_XENC};
static const fg_xns_t ds = {"ds", FG_NS_DS};

typedef struct method {
    const char *name;
    const char *uri;
    const EVP_CIPHER *(*cipher)(void);
    unsigned iv_size;
    bool tagged;
} method_t;

static const method_t methods[] = {
    [FG_ENCRYPT_AES256_CBC] = {"aes256-cbc", FG_NS_XENC "aes256-cbc", EVP_aes_256_cbc, 16, false},
    [FG_ENCRYPT_AES256_GCM] = {"aes256-gcm", FG_NS_XENC11 "aes256-gcm", EVP_aes_256_gcm, 12, true},
};

bool fg_encryption_from_name(const char *name, fg_encryption_t *encryption) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++) {
        if (strcmp(name, methods[i].name) == 0) {
            *encryption = (fg_encryption_t)i;
            return true;
        }
    }
    return false;
}

/* ---- the bytes ---- */

/* IV | ciphertext, padded by OpenSSL as PKCS #7, which is one of the paddings that XML Encryption 1.1 §5.2.2 allows;
 * with GCM: IV | ciphertext | tag (§5.2.4). */
static bool seal_content(const method_t *method, const unsigned char key[KEY_SIZE], const unsigned char *iv,
                         fg_str_t plain, fg_buf_t *out) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    fg_buf_add(out, iv, method->iv_size);
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, plain.n + 2 * TAG_SIZE);
    int body = 0, rest = 0;
    bool ok = context != NULL && place != NULL && plain.n < CIPHERTEXT_MAX &&
              EVP_EncryptInit_ex(context, method->cipher(), NULL, key, iv) == 1 &&
              EVP_EncryptUpdate(context, place, &body, (const unsigned char *)plain.p, (int)plain.n) == 1 &&
              EVP_EncryptFinal_ex(context, place + body, &rest) == 1;
    size_t tag = ok && method->tagged ? TAG_SIZE : 0;
    if (tag > 0)
        ok = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, place + body + rest) == 1;
    if (ok)
        out->length = method->iv_size + (size_t)body + (size_t)rest + tag;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

/* RSA-OAEP-MGF1P: SHA-1 for both, without label (XML Encryption 1.1 §5.5.2); SHA-1 does no harm here. */
static bool wrap_key(const fg_key_t *recipient, const unsigned char key[KEY_SIZE], fg_buf_t *out) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(fg_key_get_pkey(recipient), NULL);
    size_t length = 0;
    bool ok = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_encrypt(context, NULL, &length, key, KEY_SIZE) == 1;
    unsigned char *place = ok ? (unsigned char *)fg_buf_reserve(out, length) : NULL;
    ok = place != NULL && EVP_PKEY_encrypt(context, place, &length, key, KEY_SIZE) == 1;
    if (ok)
        out->length = length;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* ---- the element ---- */

static void write_algorithm(fg_xw_t *w, const fg_xns_t *ns, const char *name, const char *uri) {
    fg_xw_start(w, ns, name);
    fg_xw_attr(w, "Algorithm", fg_str(uri));
}

static void write_cipher(fg_xw_t *w, const fg_buf_t *bytes) {
    fg_buf_t text = FG_BUF_INIT(2 * CIPHERTEXT_MAX);
    fg_base64_encode(&text, bytes->data, bytes->length);
    w->failed = w->failed || !fg_buf_ok(&text);
    fg_xw_start(w, &xenc, "CipherData");
    fg_xw_leaf(w, &xenc, "CipherValue", fg_buf_str(&text));
    fg_xw_end(w);
    fg_buf_free(&text);
}

static void write_encrypted_key(fg_xw_t *w, const fg_key_t *recipient, const fg_buf_t *wrapped) {
    fg_str_t certificate = fg_key_get_certificate_base64(recipient);
    fg_xw_start(w, &xenc, "EncryptedKey");
    write_algorithm(w, &xenc, "EncryptionMethod", FG_NS_XENC "rsa-oaep-mgf1p");
    write_algorithm(w, &ds, "DigestMethod", FG_NS_DS "sha1");
    fg_xw_end(w);
    fg_xw_end(w);
    if (certificate.n > 0) {
        fg_xw_start(w, &ds, "KeyInfo");
        fg_xw_start(w, &ds, "X509Data");
        fg_xw_leaf(w, &ds, "X509Certificate", certificate);
        fg_xw_end(w);
        fg_xw_end(w);
    }
    write_cipher(w, wrapped);
    fg_xw_end(w);
}

static void write_data(fg_xw_t *w, const method_t *method, const fg_key_t *recipient, const fg_buf_t *wrapped,
                       const fg_buf_t *content) {
    fg_xw_start(w, &xenc, "EncryptedData");
    fg_xw_attr(w, "Type", FG_STR(FG_NS_XENC "Element"));
    write_algorithm(w, &xenc, "EncryptionMethod", method->uri);
    fg_xw_end(w);
    fg_xw_start(w, &ds, "KeyInfo");
    write_encrypted_key(w, recipient, wrapped);
    fg_xw_end(w);
    write_cipher(w, content);
    fg_xw_end(w);
}

static bool write_element(fg_saml_version_t version, const method_t *method, const fg_key_t *recipient,
                          const fg_buf_t *wrapped, const fg_buf_t *content, fg_buf_t *out) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    if (version == FG_SAML_20)
        fg_xw_start(&w, &saml, "EncryptedAssertion");
    write_data(&w, method, recipient, wrapped, content);
    if (version == FG_SAML_20)
        fg_xw_end(&w);
    return fg_xw_ok(&w);
}

bool fg_assertion_encrypt(const fg_env_t *env, fg_saml_version_t version, fg_str_t assertion, const fg_key_t *recipient,
                          fg_encryption_t encryption, fg_buf_t *out, fg_err_t *err) {
    const method_t *method = &methods[encryption];
    unsigned char fresh[KEY_SIZE + IV_MAX];
    fg_buf_t wrapped = FG_BUF_INIT(1024), content = FG_BUF_INIT(CIPHERTEXT_MAX + 64);
    bool ok = false;
    if (fg_key_is_ec(recipient))
        return FG_FAIL(err, FG_E_CONFIG, "tokens are encrypted to RSA keys only");
    if (!env->random(env, fresh, sizeof fresh))
        FG_FAIL(err, FG_E_INTERNAL, "no randomness for an encryption key");
    else if (!seal_content(method, fresh, fresh + KEY_SIZE, assertion, &content) ||
             !wrap_key(recipient, fresh, &wrapped))
        FG_FAIL(err, FG_E_INTERNAL, "the token cannot be encrypted");
    else if (!write_element(version, method, recipient, &wrapped, &content, out))
        FG_FAIL(err, FG_E_MEMORY, "the encrypted token does not fit");
    else
        ok = true;
    explicit_bzero(fresh, sizeof fresh);
    fg_buf_free(&wrapped);
    fg_buf_free(&content);
    return ok;
}
