/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a request says about the proof key (WS-Trust 1.3 §4.2, §4.4, §9.2). */
#include <stdlib.h>

#include "core/crypto.h"
#include "sts/rst_parts.h"

#define KEY_SIZE_MAX 100000 /* bits; RSA keys are asked for by their size, too */

bool fg_rst_key_type(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!fg_rst_text(r, element, FG_E_WST_KEY_TYPE, &uri, err))
        return false;
    r->rst->key_type_given = true;
    return fg_key_type_from_uri(uri, &r->rst->key_type) ||
           FG_FAIL(err, FG_E_WST_KEY_TYPE, "KeyType %.*s", FG_STR_ARG(uri));
}

bool fg_rst_key_size(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_str_t text;
    unsigned long bits = 0;
    if (!fg_rst_text(r, element, FG_E_WST_KEY, &text, err))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || bits > KEY_SIZE_MAX)
            return FG_FAIL(err, FG_E_WST_KEY, "KeySize %.*s", FG_STR_ARG(text));
        bits = bits * 10 + (unsigned long)(text.p[i] - '0');
    }
    if (text.n == 0 || bits % 8 != 0)
        return FG_FAIL(err, FG_E_WST_KEY, "KeySize %.*s", FG_STR_ARG(text));
    r->rst->key_bytes = bits / 8;
    return true;
}

/* §9.2.1: a share of a key, or (by the default of Type) a whole one, which is a share here all the same. */
static bool read_secret(fg_rst_reading_t *r, const xmlNode *element, fg_err_t *err) {
    const fg_trust_words_t *words = fg_trust_words(r->trust);
    fg_str_t type = fg_str_trim(fg_xml_attr(r->arena, element, NULL, "Type")), text;
    fg_buf_t bytes = FG_BUF_INIT(FG_KEY_BYTES_MAX + 1);
    if (type.n > 0 && !fg_str_is(type, words->nonce) && !fg_str_is(type, words->symmetric_key))
        return FG_FAIL(err, FG_E_WST_KEY, "BinarySecret of Type %.*s", FG_STR_ARG(type));
    if (!fg_rst_text(r, element, FG_E_WST_KEY, &text, err))
        return false;
    bool fits = fg_base64_decode_xml(&bytes, text) && fg_buf_ok(&bytes) && bytes.length >= FG_KEY_BYTES_MIN &&
                bytes.length <= FG_KEY_BYTES_MAX;
    if (fits)
        r->rst->entropy = fg_arena_str(r->arena, fg_buf_str(&bytes));
    fg_buf_free(&bytes);
    return (fits && r->rst->entropy.p != NULL) ||
           FG_FAIL(err, FG_E_WST_KEY, "entropy is not base64 of %u to %u bytes", FG_KEY_BYTES_MIN, FG_KEY_BYTES_MAX);
}

bool fg_rst_entropy(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    xmlNode *child = fg_xml_first_child(element);
    if (child == NULL || fg_xml_next(child) != NULL)
        return FG_FAIL(err, FG_E_WST_KEY, "Entropy holds not exactly one element");
    if (fg_xml_is(child, fg_rst_ns(r), "BinarySecret"))
        return read_secret(r, child, err);
    if (!fg_xml_is(child, FG_NS_XENC, "EncryptedKey"))
        return FG_FAIL(err, FG_E_WST_KEY, "Entropy holds %s", (const char *)child->name);
    r->rst->entropy_key = child;
    return true;
}

bool fg_rst_computed_key(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!fg_rst_text(r, element, FG_E_WST_KEY, &uri, err))
        return false;
    return fg_str_is(uri, fg_trust_words(FG_TRUST_2005)->computed_key) ||
           fg_str_is(uri, fg_trust_words(FG_TRUST_13)->computed_key) ||
           FG_FAIL(err, FG_E_WST_KEY, "ComputedKeyAlgorithm %.*s", FG_STR_ARG(uri));
}

bool fg_rst_use_key(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    xmlNode *child = fg_xml_first_child(element);
    if (child == NULL || fg_xml_next(child) != NULL)
        return FG_FAIL(err, FG_E_WST_KEY, "UseKey holds not exactly one element");
    r->rst->use_key = child;
    return true;
}

bool fg_rst_check_key(const fg_rst_reading_t *r, fg_err_t *err) {
    fg_rst_t *rst = r->rst;
    bool entropy = rst->entropy.p != NULL || rst->entropy_key != NULL;
    if (!rst->key_type_given && (entropy || rst->use_key != NULL)) {
        rst->key_type_given = true;
        rst->key_type = entropy ? FG_PROOF_SYMMETRIC : FG_PROOF_PUBLIC;
    }
    if (entropy && rst->key_type != FG_PROOF_SYMMETRIC)
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "Entropy for a token without a symmetric key");
    if (rst->use_key != NULL && rst->key_type != FG_PROOF_PUBLIC)
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "UseKey for a token without a public key");
    if (rst->key_type != FG_PROOF_SYMMETRIC || rst->key_bytes == 0)
        return true;
    return (rst->key_bytes >= FG_KEY_BYTES_MIN && rst->key_bytes <= FG_KEY_BYTES_MAX) ||
           FG_FAIL(err, FG_E_WST_KEY, "a key of %zu bits", rst->key_bytes * 8);
}
