/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The form is read and checked first, without any secret.  From there on everything takes one way: a key that cannot be
 * unwrapped is replaced by a random one, and it is the content that turns out not to be an assertion (XE-01). */
#include "token/decrypt.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/crypto.h"

#define WRAPPED_MAX 4u /* XE-04 */
#define PAIRS_MAX 16u  /* private key operations for one message */
#define RSA_SIZE_MAX 1024u
#define KEY_SIZE_MAX 32u
#define TAG_SIZE 16u
#define CONTENT_MAX (1u << 20)

typedef struct method {
    const char *uri;
    const EVP_CIPHER *(*cipher)(void);
    size_t key_size;
    size_t iv_size;
    bool tagged;
} method_t;

static const method_t methods[] = {
    {FG_NS_XENC11 "aes256-gcm", EVP_aes_256_gcm, 32, 12, true},
    {FG_NS_XENC11 "aes128-gcm", EVP_aes_128_gcm, 16, 12, true},
    {FG_NS_XENC "aes256-cbc", EVP_aes_256_cbc, 32, 16, false},
    {FG_NS_XENC "aes128-cbc", EVP_aes_128_cbc, 16, 16, false},
};

/* An EncryptedKey. */
typedef struct wrapped {
    const xmlNode *node;
    const EVP_MD *digest, *mgf_digest;
    fg_str_t bytes;
} wrapped_t;

typedef struct message {
    fg_arena_t *arena;
    const method_t *method;
    fg_str_t content; /* IV, ciphertext, tag */
    wrapped_t wrapped[WRAPPED_MAX];
    size_t wrapped_count;
} message_t;

typedef struct pair {
    const wrapped_t *wrapped;
    const fg_key_t *key;
} pair_t;

bool fg_assertion_is_encrypted(const xmlNode *element) {
    return fg_xml_is(element, FG_NS_SAML2, "EncryptedAssertion") || fg_xml_is(element, FG_NS_XENC, "EncryptedData");
}

/* ---- the form */

/* The EncryptedKeys in a subtree; one inside another counts as too many (XE-04), and so does a second EncryptedData. */
static unsigned count_wrapped(const xmlNode *parent, bool inside) {
    unsigned count = 0;
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node)) {
        bool is_key = fg_xml_is(node, FG_NS_XENC, "EncryptedKey");
        bool is_data = fg_xml_is(node, FG_NS_XENC, "EncryptedData");
        if ((is_key || is_data) && inside)
            return WRAPPED_MAX + 1;
        count += is_key + count_wrapped(node, inside || is_key);
    }
    return count;
}

/* The bytes of CipherData; a CipherReference is not followed (XE-03). */
static bool read_cipher(const message_t *message, const xmlNode *parent, size_t maximum, fg_str_t *bytes,
                        fg_err_t *err) {
    const xmlNode *data = fg_xml_only_child(parent, FG_NS_XENC, "CipherData", err);
    const xmlNode *value = data != NULL ? fg_xml_only_child(data, FG_NS_XENC, "CipherValue", err) : NULL;
    if (value == NULL || fg_xml_next(fg_xml_first_child(data)) != NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "CipherData without one CipherValue");
    fg_str_t text = fg_xml_text(message->arena, value, err);
    fg_buf_t decoded = FG_BUF_INIT(maximum);
    bool good = text.p != NULL && fg_base64_decode_xml(&decoded, text);
    *bytes = good ? fg_arena_str(message->arena, fg_buf_str(&decoded)) : FG_STR_NONE;
    fg_buf_free(&decoded);
    return bytes->p != NULL || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "CipherValue that is no base64 or too long");
}

static fg_str_t algorithm_of(const message_t *message, const xmlNode *node) {
    return fg_xml_attr(message->arena, node, NULL, "Algorithm");
}

/* SHA-1 does no harm in OAEP, and AD FS uses it; nothing else than these two is taken (XE-05). */
static bool read_digest(const message_t *message, const xmlNode *node, const char *sha1, const char *sha256,
                        const EVP_MD **digest) {
    fg_str_t uri = algorithm_of(message, node);
    if (!fg_str_is(uri, sha1) && !fg_str_is(uri, sha256))
        return false;
    *digest = fg_str_is(uri, sha1) ? fg_algorithms_get()->sha1 : fg_algorithms_get()->sha256;
    return true;
}

/* XML Encryption 1.1 §5.5.2: RSA-OAEP-MGF1P has MGF1 with SHA-1 always, RSA-OAEP may name another. */
static bool read_wrapping(const message_t *message, const xmlNode *method, wrapped_t *wrapped, fg_err_t *err) {
    fg_str_t uri = method != NULL ? algorithm_of(message, method) : FG_STR_NONE;
    bool oaep11 = fg_str_is(uri, FG_NS_XENC11 "rsa-oaep"), good = true;
    if (!oaep11 && !fg_str_is(uri, FG_NS_XENC "rsa-oaep-mgf1p")) /* XE-02 */
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "key transport '%.*s'", FG_STR_ARG(uri));
    unsigned digests = 0, mgfs = 0;
    wrapped->digest = wrapped->mgf_digest = fg_algorithms_get()->sha1;
    for (const xmlNode *node = fg_xml_first_child(method); node != NULL && good; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_DS, "DigestMethod"))
            good = digests++ == 0 && read_digest(message, node, FG_NS_DS "sha1", FG_NS_XENC "sha256", &wrapped->digest);
        else
            good = oaep11 && fg_xml_is(node, FG_NS_XENC11, "MGF") && mgfs++ == 0 &&
                   read_digest(message, node, FG_NS_XENC11 "mgf1sha1", FG_NS_XENC11 "mgf1sha256", &wrapped->mgf_digest);
    }
    return good || FG_FAIL(err, FG_E_SIG_ALGORITHM, "RSA-OAEP with a digest, mask or label that is not accepted");
}

static bool add_wrapped(message_t *message, const xmlNode *node, fg_err_t *err) {
    if (message->wrapped_count == WRAPPED_MAX)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "more than %u EncryptedKeys", WRAPPED_MAX);
    wrapped_t *wrapped = &message->wrapped[message->wrapped_count++];
    wrapped->node = node;
    const xmlNode *method = fg_xml_only_child(node, FG_NS_XENC, "EncryptionMethod", err);
    return read_wrapping(message, method, wrapped, err) &&
           read_cipher(message, node, RSA_SIZE_MAX, &wrapped->bytes, err);
}

/* RetrievalMethod may point to an EncryptedKey beside the EncryptedData and to nothing else: nothing is fetched. */
static const xmlNode *find_sibling(const message_t *message, const xmlNode *data, const xmlNode *retrieval) {
    fg_str_t uri = fg_xml_attr(message->arena, retrieval, NULL, "URI");
    const xmlNode *found = NULL;
    if (uri.n < 2 || uri.p[0] != '#' || fg_xml_first_child(retrieval) != NULL ||
        !fg_xml_is(data->parent, FG_NS_SAML2, "EncryptedAssertion"))
        return NULL;
    for (const xmlNode *node = fg_xml_first_child(data->parent); node != NULL; node = fg_xml_next(node)) {
        fg_str_t id = fg_xml_attr(message->arena, node, NULL, "Id");
        if (!fg_xml_is(node, FG_NS_XENC, "EncryptedKey") || !fg_str_eq(id, (fg_str_t){uri.p + 1, uri.n - 1}))
            continue;
        if (found != NULL)
            return NULL;
        found = node;
    }
    return found;
}

static bool read_keys(message_t *message, const xmlNode *data, fg_err_t *err) {
    const xmlNode *info = fg_xml_only_child(data, FG_NS_DS, "KeyInfo", err);
    if (info == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData without one KeyInfo");
    for (const xmlNode *node = fg_xml_first_child(info); node != NULL; node = fg_xml_next(node)) {
        bool retrieval = fg_xml_is(node, FG_NS_DS, "RetrievalMethod");
        const xmlNode *key = retrieval ? find_sibling(message, data, node) : node;
        if (key == NULL)
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "RetrievalMethod that names no EncryptedKey beside it");
        if (fg_xml_is(key, FG_NS_XENC, "EncryptedKey") && !add_wrapped(message, key, err))
            return false;
    }
    return message->wrapped_count > 0 || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData without an EncryptedKey");
}

static const xmlNode *find_data(const xmlNode *element, fg_err_t *err) {
    if (fg_xml_is(element, FG_NS_XENC, "EncryptedData"))
        return element;
    return fg_xml_is(element, FG_NS_SAML2, "EncryptedAssertion")
               ? fg_xml_only_child(element, FG_NS_XENC, "EncryptedData", err)
               : NULL;
}

static bool read_method(message_t *message, const xmlNode *data, fg_err_t *err) {
    const xmlNode *node = fg_xml_only_child(data, FG_NS_XENC, "EncryptionMethod", err);
    fg_str_t uri = node != NULL ? algorithm_of(message, node) : FG_STR_NONE;
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++)
        if (fg_str_is(uri, methods[i].uri))
            message->method = &methods[i];
    return message->method != NULL || FG_FAIL(err, FG_E_SIG_ALGORITHM, "content encryption '%.*s'", FG_STR_ARG(uri));
}

static bool read_message(message_t *message, const xmlNode *element, fg_err_t *err) {
    const xmlNode *data = find_data(element, err);
    if (data == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no encrypted assertion");
    if (count_wrapped(element, false) > WRAPPED_MAX)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "more than %u EncryptedKeys, or one inside another", WRAPPED_MAX);
    fg_str_t type = fg_xml_attr(message->arena, data, NULL, "Type");
    if (type.p != NULL && !fg_str_is(type, FG_NS_XENC "Element"))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData of something else than an element");
    return read_method(message, data, err) && read_keys(message, data, err) &&
           read_cipher(message, data, CONTENT_MAX, &message->content, err);
}

/* ---- whose it is */

static bool has_serial(const fg_key_t *key, fg_str_t serial) {
    X509 *x509 = fg_key_get_x509(key);
    BIGNUM *number = x509 != NULL ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL) : NULL;
    char *text = number != NULL ? BN_bn2dec(number) : NULL;
    bool same = text != NULL && fg_str_is(serial, text);
    OPENSSL_free(text);
    BN_free(number);
    return same;
}

static bool has_certificate(const message_t *message, const fg_key_t *key, const xmlNode *node) {
    fg_buf_t der = FG_BUF_INIT(1u << 16), own = FG_BUF_INIT(1u << 16);
    fg_str_t text = fg_xml_text(message->arena, node, NULL);
    bool same = text.p != NULL && fg_base64_decode_xml(&der, text) &&
                fg_base64_decode(&own, fg_key_get_certificate_base64(key)) &&
                fg_str_eq(fg_buf_str(&der), fg_buf_str(&own));
    fg_buf_free(&der);
    fg_buf_free(&own);
    return same;
}

/* Whether the EncryptedKey says that it is for this key: by certificate, or by serial number, as AD FS does. */
static bool is_named(const message_t *message, const wrapped_t *wrapped, const fg_key_t *key) {
    const xmlNode *info = fg_xml_child(wrapped->node, FG_NS_DS, "KeyInfo", NULL);
    const xmlNode *data = info != NULL ? fg_xml_child(info, FG_NS_DS, "X509Data", NULL) : NULL;
    const xmlNode *certificate = data != NULL ? fg_xml_child(data, FG_NS_DS, "X509Certificate", NULL) : NULL;
    const xmlNode *issuer = data != NULL ? fg_xml_child(data, FG_NS_DS, "X509IssuerSerial", NULL) : NULL;
    const xmlNode *serial = issuer != NULL ? fg_xml_child(issuer, FG_NS_DS, "X509SerialNumber", NULL) : NULL;
    return (certificate != NULL && has_certificate(message, key, certificate)) ||
           (serial != NULL && has_serial(key, fg_xml_token(message->arena, serial, NULL)));
}

/* What is to be tried: what is named, or everything if nothing is.  The choice depends on the message alone. */
static size_t choose_pairs(const message_t *message, const fg_key_t *const *keys, size_t key_count, bool named,
                           pair_t pairs[PAIRS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < message->wrapped_count; i++)
        for (size_t k = 0; k < key_count && count < PAIRS_MAX; k++)
            if (EVP_PKEY_is_a(fg_key_get_pkey(keys[k]), "RSA") && fg_key_is_private(keys[k]) &&
                (!named || is_named(message, &message->wrapped[i], keys[k])))
                pairs[count++] = (pair_t){&message->wrapped[i], keys[k]};
    return count == 0 && named ? choose_pairs(message, keys, key_count, false, pairs) : count;
}

/* ---- the secrets */

/* 1: unwrapped to a key of that length; 0: not. */
static unsigned unwrap(const pair_t *pair, size_t key_size, unsigned char to[RSA_SIZE_MAX]) {
    const wrapped_t *wrapped = pair->wrapped;
    size_t length = RSA_SIZE_MAX;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, fg_key_get_pkey(pair->key), NULL);
    bool good = context != NULL && EVP_PKEY_decrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context, wrapped->digest) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, wrapped->mgf_digest) == 1 &&
                EVP_PKEY_decrypt(context, to, &length, (const unsigned char *)wrapped->bytes.p, wrapped->bytes.n) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return good && length == key_size;
}

/* All pairs are tried, whatever comes of the first, and without a branch on what comes of them. */
static bool find_key(const message_t *message, const pair_t *pairs, size_t count, unsigned char key[KEY_SIZE_MAX]) {
    unsigned char unwrapped[RSA_SIZE_MAX] = {0};
    unsigned found = 0;
    if (RAND_priv_bytes(key, KEY_SIZE_MAX) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        unsigned take = unwrap(&pairs[i], message->method->key_size, unwrapped) & (found ^ 1u);
        unsigned char mask = (unsigned char)(0u - take);
        for (size_t k = 0; k < KEY_SIZE_MAX; k++)
            key[k] = (unsigned char)((unwrapped[k] & mask) | (key[k] & ~mask));
        found |= take;
    }
    OPENSSL_cleanse(unwrapped, sizeof unwrapped);
    return true;
}

/* XML Encryption 1.1 §5.2.2: the last byte tells how many there are.  What cannot be is left alone: the text is then no
 * XML, as after any other mistake. */
static size_t padding_of(const unsigned char *plain, size_t length, size_t block) {
    size_t count = length > 0 ? plain[length - 1] : 0;
    return count >= 1 && count <= block ? count : 0;
}

static bool open_content(const message_t *message, const unsigned char *key, fg_buf_t *out) {
    const method_t *method = message->method;
    const unsigned char *iv = (const unsigned char *)message->content.p;
    size_t around = method->iv_size + (method->tagged ? TAG_SIZE : 0);
    if (message->content.n <= around)
        return false;
    size_t length = message->content.n - around;
    unsigned char tag[TAG_SIZE] = {0}, *place = (unsigned char *)fg_buf_reserve(out, length + TAG_SIZE);
    if (method->tagged)
        memcpy(tag, iv + method->iv_size + length, TAG_SIZE);
    EVP_CIPHER_CTX *context = place != NULL ? EVP_CIPHER_CTX_new() : NULL;
    int body = 0, rest = 0;
    bool good = context != NULL && EVP_DecryptInit_ex2(context, method->cipher(), key, iv, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                (!method->tagged || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1) &&
                EVP_DecryptUpdate(context, place, &body, iv + method->iv_size, (int)length) == 1 &&
                EVP_DecryptFinal_ex(context, place + body, &rest) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    if (good)
        out->length = (size_t)body + (size_t)rest - (method->tagged ? 0 : padding_of(place, (size_t)body, 16));
    return good;
}

static xmlNode *parse(const message_t *message, const unsigned char *key, const fg_xml_limits_t *limits) {
    fg_buf_t plain = FG_BUF_INIT(CONTENT_MAX + TAG_SIZE);
    xmlDoc *doc =
        open_content(message, key, &plain) ? fg_xml_parse(message->arena, fg_buf_str(&plain), limits, NULL) : NULL;
    fg_buf_free(&plain);
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    bool good =
        root != NULL && (fg_xml_is(root, FG_NS_SAML1, "Assertion") || fg_xml_is(root, FG_NS_SAML2, "Assertion"));
    return good ? root : NULL;
}

bool fg_assertion_decrypt(fg_arena_t *arena, const xmlNode *element, const fg_key_t *const *keys, size_t key_count,
                          const fg_xml_limits_t *limits, xmlNode **assertion, fg_err_t *err) {
    message_t message = {.arena = arena};
    pair_t pairs[PAIRS_MAX];
    unsigned char key[KEY_SIZE_MAX];
    *assertion = NULL;
    if (!read_message(&message, element, err))
        return false;
    size_t count = choose_pairs(&message, keys, key_count, true, pairs);
    if (!find_key(&message, pairs, count, key))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness");
    *assertion = parse(&message, key, limits);
    OPENSSL_cleanse(key, sizeof key);
    return *assertion != NULL || FG_FAIL(err, FG_E_DECRYPT, "the assertion cannot be decrypted");
}
