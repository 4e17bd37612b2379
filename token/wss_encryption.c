/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decrypting a message in its place (WS-Security 1.1 §9). */
#include "token/decrypt.h"
#include "token/wss_parts.h"

/* What a signature covered stays covered: the ciphertext was signed, and this is what it stands for.  Whether it was
 * EncryptedData or the EncryptedHeader around it makes no difference (WS-Security 1.1 §9.3). */
static void move_coverage(fg_wss_header_t *header, const xmlNode *data, const xmlNode *replaced, xmlNode *plain) {
    for (size_t i = 0; i < header->signature_count; i++) {
        fg_dsig_message_t *message = &header->signatures[i].message;
        for (size_t k = 0; k < message->reference_count; k++)
            if (message->references[k].element == data || message->references[k].element == replaced)
                message->references[k].element = plain;
    }
}

static bool note(fg_wss_header_t *header, xmlNode *first, const xmlNode *end, fg_err_t *err) {
    for (xmlNode *node = first; node != NULL && node != end; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (header->decrypted_count == FG_ARRAY_SIZE(header->decrypted_nodes))
            return FG_FAIL(err, FG_E_WSS_STRUCTURE, "too much in the message is encrypted");
        header->decrypted_nodes[header->decrypted_count++] = node;
    }
    return true;
}

static bool is_cbc(fg_arena_t *arena, const xmlNode *data) {
    const xmlNode *method = fg_xml_child(data, FG_NS_XENC, "EncryptionMethod", NULL);
    return method == NULL || !fg_str_starts(fg_xml_attr(arena, method, NULL, "Algorithm"), FG_NS_XENC11);
}

static bool decrypt(fg_wss_header_t *header, xmlNode *data, const fg_wss_token_t *token, xmlNode **first,
                    fg_err_t *err) {
    const xmlNode *parent = data->parent;
    const xmlNode *replaced = fg_xml_is(parent, FG_NS_WSSE11, "EncryptedHeader") ? parent : data, *end = replaced->next;
    if (token->secret.n == 0)
        return FG_FAIL(err, FG_E_SIG_KEY, "something is encrypted by a token without a secret");
    if (header->encrypted_count++ == FG_WSS_ENCRYPTED_MAX)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "more than %u EncryptedData", FG_WSS_ENCRYPTED_MAX);
    header->cbc = header->cbc || is_cbc(header->arena, data);
    if (!fg_xmlenc_decrypt(header->arena, data, token->secret, header->rules->limits, first, err))
        return false;
    move_coverage(header, data, replaced, fg_xml_element(*first));
    return note(header, *first, end, err);
}

/* ---- EncryptedData by its id, anywhere in the message */

static bool has_id(fg_arena_t *arena, const xmlNode *node, fg_str_t id) {
    fg_str_t own = fg_xml_attr(arena, node, NULL, "Id"), utility = fg_xml_attr(arena, node, FG_NS_WSU, "Id");
    return (own.p != NULL && fg_str_eq(own, id)) || (utility.p != NULL && fg_str_eq(utility, id));
}

static xmlNode *next_element(xmlNode *node) {
    xmlNode *next = fg_xml_first_child(node);
    while (next == NULL && node != NULL && node->type == XML_ELEMENT_NODE) {
        next = fg_xml_next(node);
        node = node->parent;
    }
    return next;
}

static xmlNode *find_data(const fg_wss_header_t *header, fg_str_t id) {
    xmlNode *found = NULL;
    for (xmlNode *node = xmlDocGetRootElement(header->element->doc); node != NULL; node = next_element(node)) {
        if (!fg_xml_is(node, FG_NS_XENC, "EncryptedData") || !has_id(header->arena, node, id))
            continue;
        if (found != NULL)
            return NULL;
        found = node;
    }
    return found;
}

static xmlNode *locate_data(fg_wss_header_t *header, const xmlNode *reference, fg_err_t *err) {
    fg_str_t uri = fg_xml_attr(header->arena, reference, NULL, "URI");
    xmlNode *data = uri.n > 1 && uri.p[0] == '#' ? find_data(header, (fg_str_t){uri.p + 1, uri.n - 1}) : NULL;
    if (data == NULL)
        FG_FAIL(err, FG_E_SIG_STRUCTURE, "not exactly one EncryptedData \"%.*s\" in the message", FG_STR_ARG(uri));
    return data;
}

/* ---- whose secret */

/* Its EncryptedKeys stand in it or beside it, one for each recipient. */
static fg_wss_token_t *find_secret_beside(fg_wss_header_t *header, const xmlNode *assertion, fg_err_t *err) {
    fg_wss_token_t *token = fg_wss_token_add(header, FG_WSS_ENCRYPTED_KEY, NULL, err);
    if (token == NULL ||
        !fg_assertion_secret(header->arena, assertion, &header->rules->recipients, &token->secret, err))
        return NULL;
    return token;
}

/* KeyInfo names a token of the message, or holds an EncryptedKey. */
static fg_wss_token_t *find_secret(fg_wss_header_t *header, const xmlNode *data, fg_err_t *err) {
    const xmlNode *info = fg_xml_child(data, FG_NS_DS, "KeyInfo", NULL);
    xmlNode *child = info != NULL ? fg_xml_first_child(info) : NULL;
    bool only = child != NULL && fg_xml_next(child) == NULL;
    if (fg_xml_is(data->parent, FG_NS_SAML2, "EncryptedAssertion") &&
        !(only && fg_xml_is(child, FG_NS_WSSE, "SecurityTokenReference")))
        return find_secret_beside(header, data->parent, err);
    if (only)
        return fg_wss_header_resolve(header, child, err);
    FG_FAIL(err, FG_E_SIG_KEY, "EncryptedData without exactly one key");
    return NULL;
}

/* token NULL: each says itself by whose secret. */
static bool decrypt_list(fg_wss_header_t *header, const xmlNode *list, const fg_wss_token_t *token, fg_err_t *err) {
    for (xmlNode *reference = fg_xml_first_child(list); reference != NULL; reference = fg_xml_next(reference)) {
        xmlNode *first = NULL;
        if (!fg_xml_is(reference, FG_NS_XENC, "DataReference"))
            return FG_FAIL(err, FG_E_SIG_STRUCTURE, "%s in a ReferenceList", (const char *)reference->name);
        xmlNode *data = locate_data(header, reference, err);
        const fg_wss_token_t *by = token != NULL ? token : data != NULL ? find_secret(header, data, err) : NULL;
        if (data == NULL || by == NULL || !decrypt(header, data, by, &first, err))
            return false;
    }
    return true;
}

bool fg_wss_read_encrypted_key(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    const fg_wss_token_t *token = fg_wss_token_of(header, *node, err);
    unsigned count;
    const xmlNode *list = fg_xml_child(*node, FG_NS_XENC, "ReferenceList", &count);
    if (token == NULL || count > 1)
        return token == NULL ? false : FG_FAIL(err, FG_E_SIG_STRUCTURE, "two ReferenceLists");
    return list == NULL || decrypt_list(header, list, token, err);
}

bool fg_wss_read_reference_list(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    return decrypt_list(header, *node, NULL, err);
}

bool fg_wss_read_encrypted_data(fg_wss_header_t *header, xmlNode **node, fg_err_t *err) {
    xmlNode *first = NULL;
    const fg_wss_token_t *token = find_secret(header, *node, err);
    if (token == NULL || !decrypt(header, *node, token, &first, err))
        return false;
    *node = fg_xml_element(first);
    return true;
}
