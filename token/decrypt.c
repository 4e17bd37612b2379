/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/decrypt.h"

#define CONTENT_MAX ((1u << 20) + 16u)

typedef struct message {
    fg_arena_t *arena;
    const xmlNode *element;
    const xmlNode *data;
    const xmlNode *keys[FG_ENC_KEYS_MAX];
    size_t key_count;
} message_t;

/* What stands in what, encrypted (SAML 2.0 core §2.2.4, §2.3.4, §2.7.3.2). */
static const struct {
    const char *holder;
    const char *content;
} kinds[] = {{"EncryptedAssertion", "Assertion"}, {"EncryptedID", "NameID"}, {"EncryptedAttribute", "Attribute"}};

/* The row of a holder; the number of rows: it is none. */
static size_t find_kind(const xmlNode *element) {
    size_t i = 0;
    while (i < FG_ARRAY_SIZE(kinds) && !fg_xml_is(element, FG_NS_SAML2, kinds[i].holder))
        i++;
    return i;
}

bool fg_assertion_is_encrypted(const xmlNode *element) {
    return fg_xml_is(element, FG_NS_SAML2, "EncryptedAssertion") || fg_xml_is(element, FG_NS_XENC, "EncryptedData");
}

/* ---- the form */

/* RetrievalMethod may point to an EncryptedKey beside the EncryptedData and to nothing else: nothing is fetched. */
static const xmlNode *find_sibling(const message_t *message, const xmlNode *retrieval) {
    fg_str_t uri = fg_xml_attr(message->arena, retrieval, NULL, "URI");
    const xmlNode *found = NULL, *parent = message->data->parent;
    if (uri.n < 2 || uri.p[0] != '#' || fg_xml_first_child(retrieval) != NULL ||
        find_kind(parent) == FG_ARRAY_SIZE(kinds))
        return NULL;
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node)) {
        fg_str_t id = fg_xml_attr(message->arena, node, NULL, "Id");
        if (!fg_xml_is(node, FG_NS_XENC, "EncryptedKey") || !fg_str_eq(id, (fg_str_t){uri.p + 1, uri.n - 1}))
            continue;
        if (found != NULL)
            return NULL;
        found = node;
    }
    return found;
}

static bool add_key(message_t *message, const xmlNode *key, fg_err_t *err) {
    if (message->key_count == FG_ENC_KEYS_MAX)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "more than %u EncryptedKeys", FG_ENC_KEYS_MAX);
    message->keys[message->key_count++] = key;
    return true;
}

static bool find_named_keys(message_t *message, const xmlNode *info, fg_err_t *err) {
    for (const xmlNode *node = fg_xml_first_child(info); node != NULL; node = fg_xml_next(node)) {
        bool retrieval = fg_xml_is(node, FG_NS_DS, "RetrievalMethod");
        const xmlNode *key = retrieval ? find_sibling(message, node) : node;
        if (key == NULL)
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "RetrievalMethod that names no EncryptedKey beside it");
        if (fg_xml_is(key, FG_NS_XENC, "EncryptedKey") && !add_key(message, key, err))
            return false;
    }
    return true;
}

/* SAML 2.0 core §2.3.4: those beside an EncryptedData that names none, one for each recipient. */
static bool find_keys_beside(message_t *message, fg_err_t *err) {
    const xmlNode *parent = message->data->parent;
    if (!fg_xml_is(parent, FG_NS_SAML2, "EncryptedAssertion"))
        return true;
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_XENC, "EncryptedKey") && !add_key(message, node, err))
            return false;
    return true;
}

static bool find_keys(message_t *message, fg_err_t *err) {
    unsigned count;
    const xmlNode *info = fg_xml_child(message->data, FG_NS_DS, "KeyInfo", &count);
    if (count > 1)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData with two KeyInfos");
    if (info != NULL && !find_named_keys(message, info, err))
        return false;
    if (message->key_count == 0 && !find_keys_beside(message, err))
        return false;
    return message->key_count > 0 || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData without an EncryptedKey");
}

static const xmlNode *find_data(const xmlNode *element) {
    if (fg_xml_is(element, FG_NS_XENC, "EncryptedData"))
        return element;
    return find_kind(element) < FG_ARRAY_SIZE(kinds) ? fg_xml_only_child(element, FG_NS_XENC, "EncryptedData", NULL)
                                                     : NULL;
}

static bool read_message(message_t *message, const xmlNode *element, size_t *key_length, fg_err_t *err) {
    message->data = find_data(element);
    if (message->data == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "<%s> is nothing encrypted", (const char *)element->name);
    fg_str_t type = fg_xml_attr(message->arena, message->data, NULL, "Type");
    if (type.p != NULL && !fg_str_is(type, FG_NS_XENC "Element"))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "EncryptedData of something else than an element");
    return fg_xmlenc_check(element, err) && fg_xmlenc_key_length(message->arena, message->data, key_length, err) &&
           find_keys(message, err);
}

/* ---- what was encrypted */

/* It is what its holder says; an assertion may be of either version. */
static bool is_expected(const xmlNode *element, const xmlNode *root) {
    size_t kind = find_kind(element);
    if (root == NULL)
        return false;
    if (kind < FG_ARRAY_SIZE(kinds) && kind != 0)
        return fg_xml_is(root, FG_NS_SAML2, kinds[kind].content);
    return fg_xml_is(root, FG_NS_SAML1, "Assertion") || fg_xml_is(root, FG_NS_SAML2, "Assertion");
}

/* Its own faults are failures to decrypt, too: its signature is not checked yet (XE-01). */
static bool open_content(const message_t *message, fg_str_t secret, const fg_xml_limits_t *limits, xmlNode **content,
                         fg_err_t *err) {
    fg_buf_t plain = FG_BUF_INIT(CONTENT_MAX);
    bool opened = fg_xmlenc_open(message->arena, message->data, secret, &plain, err);
    xmlDoc *doc = opened ? fg_xml_parse(message->arena, fg_buf_str(&plain), limits, NULL) : NULL;
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    fg_buf_free(&plain);
    *content = is_expected(message->element, root) ? root : NULL;
    return *content != NULL || (opened && FG_FAIL(err, FG_E_DECRYPT, "it cannot be decrypted"));
}

static bool find_secret(message_t *message, const xmlNode *element, const fg_enc_recipients_t *us, fg_str_t *secret,
                        fg_err_t *err) {
    size_t length;
    return read_message(message, element, &length, err) &&
           fg_xmlenc_unwrap_any(message->arena, message->keys, message->key_count, us, length, secret, err);
}

bool fg_assertion_secret(fg_arena_t *arena, const xmlNode *element, const fg_enc_recipients_t *us, fg_str_t *secret,
                         fg_err_t *err) {
    message_t message = {.arena = arena, .element = element};
    return find_secret(&message, element, us, secret, err);
}

bool fg_saml_decrypt(fg_arena_t *arena, const xmlNode *element, const fg_key_t *const *keys, size_t key_count,
                     const fg_xml_limits_t *limits, xmlNode **content, fg_err_t *err) {
    message_t message = {.arena = arena, .element = element};
    fg_err_t local = FG_ERR_INIT;
    fg_str_t secret;
    err = err != NULL ? err : &local;
    *content = NULL;
    if (key_count == 0)
        return FG_FAIL_FOR(err, FG_E_DECRYPT, FG_R_ENCRYPTION_NO_KEY, "<%s>, and no key to open it",
                           (const char *)element->name);
    if (find_secret(&message, element, &(fg_enc_recipients_t){keys, key_count}, &secret, err) &&
        open_content(&message, secret, limits, content, err))
        return true;
    if (err->code == FG_E_SIG_STRUCTURE) /* the form of a token, here */
        err->code = FG_E_TOKEN_MALFORMED;
    return false;
}

bool fg_assertion_decrypt(fg_arena_t *arena, const xmlNode *element, const fg_key_t *const *keys, size_t key_count,
                          const fg_xml_limits_t *limits, xmlNode **assertion, fg_err_t *err) {
    *assertion = NULL;
    return fg_assertion_is_encrypted(element) ? fg_saml_decrypt(arena, element, keys, key_count, limits, assertion, err)
                                              : FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no encrypted assertion");
}
