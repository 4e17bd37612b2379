/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The form is read and checked first, without any secret.  From there on everything takes one way: a key that cannot be
 * unwrapped is replaced by a random one, and it is the content that turns out not to fit (XE-01). */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "core/algorithms.h"
#include "core/crypto.h"
#include "core/xmlenc_parts.h"

#define PAIRS_MAX 16u /* private key operations for one secret */
#define RSA_SIZE_MAX 1024u
#define KEY_SIZE_MAX 32u
#define SECRET_SIZE_UNKNOWN 32u /* of a random one in the place of one whose length nobody says */

static const fg_enc_method_t methods[] = {
    [FG_ENC_AES256_GCM] = {FG_NS_XENC11 "aes256-gcm", EVP_aes_256_gcm, 32, 12, true},
    [FG_ENC_AES192_GCM] = {FG_NS_XENC11 "aes192-gcm", EVP_aes_192_gcm, 24, 12, true},
    [FG_ENC_AES128_GCM] = {FG_NS_XENC11 "aes128-gcm", EVP_aes_128_gcm, 16, 12, true},
    [FG_ENC_AES256_CBC] = {FG_NS_XENC "aes256-cbc", EVP_aes_256_cbc, 32, 16, false},
    [FG_ENC_AES192_CBC] = {FG_NS_XENC "aes192-cbc", EVP_aes_192_cbc, 24, 16, false},
    [FG_ENC_AES128_CBC] = {FG_NS_XENC "aes128-cbc", EVP_aes_128_cbc, 16, 16, false},
};

const fg_enc_method_t *fg_enc_method_get(fg_enc_algorithm_t algorithm) { return &methods[algorithm]; }
size_t fg_enc_algorithm_key_size(fg_enc_algorithm_t algorithm) { return methods[algorithm].key_size; }
const char *fg_enc_algorithm_uri(fg_enc_algorithm_t algorithm) { return methods[algorithm].uri; }

const fg_enc_method_t *fg_enc_method_find(fg_str_t uri) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++)
        if (fg_str_is(uri, methods[i].uri))
            return &methods[i];
    return NULL;
}

/* ---- the form */

/* One EncryptedKey inside another counts as too many (XE-04), and so does EncryptedData in either of them. */
static unsigned count_keys(const xmlNode *node, bool inside_key, bool inside_data) {
    bool is_key = fg_xml_is(node, FG_NS_XENC, "EncryptedKey");
    bool is_data = fg_xml_is(node, FG_NS_XENC, "EncryptedData");
    if ((is_key && inside_key) || (is_data && (inside_key || inside_data)))
        return FG_ENC_KEYS_MAX + 1;
    unsigned count = is_key;
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        count += count_keys(child, inside_key || is_key, inside_data || is_data);
    return count;
}

bool fg_xmlenc_check(const xmlNode *element, fg_err_t *err) {
    return count_keys(element, false, false) <= FG_ENC_KEYS_MAX ||
           FG_FAIL(err, FG_E_SIG_STRUCTURE, "more than %u EncryptedKeys, or one thing encrypted inside another",
                   FG_ENC_KEYS_MAX);
}

/* The bytes of CipherData; a CipherReference is not followed (XE-03). */
static bool read_cipher(fg_arena_t *arena, const xmlNode *parent, size_t maximum, fg_str_t *bytes, fg_err_t *err) {
    const xmlNode *data = fg_xml_only_child(parent, FG_NS_XENC, "CipherData", NULL);
    const xmlNode *value = data != NULL ? fg_xml_only_child(data, FG_NS_XENC, "CipherValue", NULL) : NULL;
    if (value == NULL || fg_xml_next(fg_xml_first_child(data)) != NULL)
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "CipherData without one CipherValue");
    fg_str_t text = fg_xml_text(arena, value, err);
    fg_buf_t decoded = FG_BUF_INIT(maximum);
    bool good = text.p != NULL && fg_base64_decode_xml(&decoded, text);
    *bytes = good ? fg_arena_str(arena, fg_buf_str(&decoded)) : FG_STR_NONE;
    fg_buf_free(&decoded);
    return bytes->p != NULL || FG_FAIL(err, FG_E_SIG_STRUCTURE, "CipherValue that is no base64 or too long");
}

static fg_str_t algorithm_of(fg_arena_t *arena, const xmlNode *node) {
    return node != NULL ? fg_xml_attr(arena, node, NULL, "Algorithm") : FG_STR_NONE;
}

static const fg_enc_method_t *read_method(fg_arena_t *arena, const xmlNode *data, fg_err_t *err) {
    fg_str_t uri = algorithm_of(arena, fg_xml_only_child(data, FG_NS_XENC, "EncryptionMethod", NULL));
    const fg_enc_method_t *method = fg_enc_method_find(uri);
    if (method == NULL)
        FG_FAIL_FOR(err, FG_E_SIG_ALGORITHM, FG_R_ENCRYPTION_WEAK_ALGORITHM, "content encryption '%.*s'",
                    FG_STR_ARG(uri));
    return method;
}

bool fg_xmlenc_key_length(fg_arena_t *arena, const xmlNode *data, size_t *length, fg_err_t *err) {
    const fg_enc_method_t *method = read_method(arena, data, err);
    *length = method != NULL ? method->key_size : 0;
    return method != NULL;
}

/* An EncryptedKey. */
typedef struct wrapped {
    const xmlNode *node;
    const EVP_MD *digest, *mgf_digest;
    fg_str_t bytes;
} wrapped_t;

/* SHA-1 does no harm in OAEP, and AD FS uses it; nothing else than these two is taken (XE-05). */
static bool read_digest(fg_arena_t *arena, const xmlNode *node, const char *sha1, const char *sha256,
                        const EVP_MD **digest) {
    fg_str_t uri = algorithm_of(arena, node);
    if (!fg_str_is(uri, sha1) && !fg_str_is(uri, sha256))
        return false;
    *digest = fg_str_is(uri, sha1) ? fg_algorithms_get()->sha1 : fg_algorithms_get()->sha256;
    return true;
}

/* XML Encryption 1.1 §5.5.2: RSA-OAEP-MGF1P has MGF1 with SHA-1 always, RSA-OAEP may name another. */
static bool read_transport(fg_arena_t *arena, wrapped_t *wrapped, fg_err_t *err) {
    const xmlNode *method = fg_xml_only_child(wrapped->node, FG_NS_XENC, "EncryptionMethod", NULL);
    fg_str_t uri = algorithm_of(arena, method);
    bool oaep11 = fg_str_is(uri, FG_NS_XENC11 "rsa-oaep"), good = true;
    if (!oaep11 && !fg_str_is(uri, FG_NS_XENC "rsa-oaep-mgf1p")) /* XE-02 */
        return FG_FAIL_FOR(err, FG_E_SIG_ALGORITHM, FG_R_ENCRYPTION_WEAK_ALGORITHM, "key transport '%.*s'",
                           FG_STR_ARG(uri));
    unsigned digests = 0, mgfs = 0;
    wrapped->digest = wrapped->mgf_digest = fg_algorithms_get()->sha1;
    for (const xmlNode *node = fg_xml_first_child(method); node != NULL && good; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_DS, "DigestMethod"))
            good = digests++ == 0 && read_digest(arena, node, FG_NS_DS "sha1", FG_NS_XENC "sha256", &wrapped->digest);
        else
            good = oaep11 && fg_xml_is(node, FG_NS_XENC11, "MGF") && mgfs++ == 0 &&
                   read_digest(arena, node, FG_NS_XENC11 "mgf1sha1", FG_NS_XENC11 "mgf1sha256", &wrapped->mgf_digest);
    }
    return good || FG_FAIL_FOR(err, FG_E_SIG_ALGORITHM, FG_R_ENCRYPTION_WEAK_ALGORITHM,
                               "RSA-OAEP with a digest, mask or label that is not accepted");
}

static bool read_key(fg_arena_t *arena, const xmlNode *node, wrapped_t *wrapped, fg_err_t *err) {
    wrapped->node = node;
    if (!fg_xml_is(node, FG_NS_XENC, "EncryptedKey"))
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "no EncryptedKey");
    return fg_xmlenc_check(node, err) && read_transport(arena, wrapped, err) &&
           read_cipher(arena, node, RSA_SIZE_MAX, &wrapped->bytes, err);
}

/* ---- the secrets */

typedef struct pair {
    const wrapped_t *wrapped;
    const fg_key_t *key;
} pair_t;

/* What is to be tried: what is named, or everything if nothing is.  The choice depends on the message alone. */
static size_t choose_pairs(fg_arena_t *arena, const wrapped_t *wrapped, size_t count, const fg_enc_recipients_t *to,
                           bool named, pair_t pairs[PAIRS_MAX]) {
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < to->count && chosen < PAIRS_MAX; k++)
            if (EVP_PKEY_is_a(fg_key_get_pkey(to->keys[k]), "RSA") && fg_key_is_private(to->keys[k]) &&
                (!named || fg_enc_is_named(arena, wrapped[i].node, to->keys[k])))
                pairs[chosen++] = (pair_t){&wrapped[i], to->keys[k]};
    return chosen == 0 && named ? choose_pairs(arena, wrapped, count, to, false, pairs) : chosen;
}

/* The length of what came out; 0: nothing did. */
static size_t unwrap(const pair_t *pair, unsigned char to[RSA_SIZE_MAX]) {
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
    return good ? length : 0;
}

/* All pairs are tried, whatever comes of the first, and without a branch on what comes of them. */
static bool find_secret(const pair_t *pairs, size_t count, size_t wanted, unsigned char secret[FG_ENC_SECRET_MAX],
                        size_t *length) {
    unsigned char unwrapped[RSA_SIZE_MAX] = {0};
    size_t least = wanted > 0 ? wanted : FG_ENC_SECRET_MIN, most = wanted > 0 ? wanted : FG_ENC_SECRET_MAX;
    size_t found = 0;
    *length = wanted > 0 ? wanted : SECRET_SIZE_UNKNOWN;
    if (RAND_priv_bytes(secret, FG_ENC_SECRET_MAX) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t got = unwrap(&pairs[i], unwrapped);
        size_t take = ((size_t)(got >= least) & (size_t)(got <= most)) & (found ^ 1u), mask = (size_t)0 - take;
        for (size_t k = 0; k < FG_ENC_SECRET_MAX; k++)
            secret[k] = (unsigned char)((unwrapped[k] & mask) | (secret[k] & ~mask));
        *length = (got & mask) | (*length & ~mask);
        found |= take;
    }
    OPENSSL_cleanse(unwrapped, sizeof unwrapped);
    return true;
}

static void wipe_secret(void *bytes) { OPENSSL_cleanse(bytes, FG_ENC_SECRET_MAX); }

bool fg_xmlenc_unwrap_any(fg_arena_t *arena, const xmlNode *const *encrypted_keys, size_t count,
                          const fg_enc_recipients_t *recipients, size_t length, fg_str_t *secret, fg_err_t *err) {
    wrapped_t wrapped[FG_ENC_KEYS_MAX];
    pair_t pairs[PAIRS_MAX];
    *secret = FG_STR_NONE;
    if (count == 0 || count > FG_ENC_KEYS_MAX || length > FG_ENC_SECRET_MAX)
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "%zu EncryptedKeys, 1 to %u expected", count, FG_ENC_KEYS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!read_key(arena, encrypted_keys[i], &wrapped[i], err))
            return false;
    unsigned char *bytes = fg_arena_alloc(arena, FG_ENC_SECRET_MAX);
    if (bytes == NULL || !fg_arena_own(arena, wipe_secret, bytes))
        return FG_FAIL(err, FG_E_MEMORY, "secret");
    if (!find_secret(pairs, choose_pairs(arena, wrapped, count, recipients, true, pairs), length, bytes, &length))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness");
    *secret = (fg_str_t){(const char *)bytes, length};
    return true;
}

bool fg_xmlenc_unwrap(fg_arena_t *arena, const xmlNode *encrypted_key, const fg_enc_recipients_t *recipients,
                      size_t length, fg_str_t *secret, fg_err_t *err) {
    return fg_xmlenc_unwrap_any(arena, &encrypted_key, 1, recipients, length, secret, err);
}

/* ---- the content */

/* XML Encryption 1.1 §5.2.2: the last byte tells how many there are.  What cannot be is left alone: the text is then no
 * XML, as after any other mistake. */
static size_t padding_of(const unsigned char *plain, size_t length, size_t block) {
    size_t count = length > 0 ? plain[length - 1] : 0;
    return count >= 1 && count <= block ? count : 0;
}

static void shorten(fg_buf_t *out, size_t length) {
    out->length = length;
    out->data[length] = '\0';
}

/* A secret of another length takes the same way, with a key that is wrong. */
static bool open_content(const fg_enc_method_t *method, fg_str_t content, fg_str_t secret, fg_buf_t *out) {
    const unsigned char *iv = (const unsigned char *)content.p;
    unsigned char key[KEY_SIZE_MAX] = {0}, tag[FG_ENC_TAG_SIZE] = {0};
    size_t around = method->iv_size + (method->tagged ? FG_ENC_TAG_SIZE : 0), before = out->length;
    /* GCM may hold nothing at all; CBC holds at least its padding */
    if (content.n < around + (method->tagged ? 0 : 1))
        return false;
    size_t length = content.n - around;
    unsigned char *place = (unsigned char *)fg_buf_reserve(out, length + FG_ENC_TAG_SIZE);
    if (secret.n > 0)
        memcpy(key, secret.p, secret.n < sizeof key ? secret.n : sizeof key);
    if (method->tagged)
        memcpy(tag, iv + method->iv_size + length, FG_ENC_TAG_SIZE);
    EVP_CIPHER_CTX *context = place != NULL ? EVP_CIPHER_CTX_new() : NULL;
    int body = 0, rest = 0;
    bool good = context != NULL && EVP_DecryptInit_ex2(context, method->cipher(), key, iv, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
                (!method->tagged || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, FG_ENC_TAG_SIZE, tag) == 1) &&
                EVP_DecryptUpdate(context, place, &body, iv + method->iv_size, (int)length) == 1 &&
                EVP_DecryptFinal_ex(context, place + body, &rest) == 1 && secret.n == method->key_size;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    OPENSSL_cleanse(key, sizeof key);
    size_t opened = good ? (size_t)body + (size_t)rest : 0;
    if (good && !method->tagged)
        opened -= padding_of(place, opened, 16);
    if (place != NULL)
        shorten(out, before + opened);
    return good;
}

bool fg_xmlenc_open(fg_arena_t *arena, const xmlNode *data, fg_str_t secret, fg_buf_t *plain, fg_err_t *err) {
    fg_str_t content;
    if (!fg_xml_is(data, FG_NS_XENC, "EncryptedData"))
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "no EncryptedData");
    const fg_enc_method_t *method = fg_xmlenc_check(data, err) ? read_method(arena, data, err) : NULL;
    if (method == NULL || !read_cipher(arena, data, FG_ENC_CONTENT_MAX, &content, err))
        return false;
    return open_content(method, content, secret, plain) || FG_FAIL(err, FG_E_DECRYPT, "it cannot be decrypted");
}
