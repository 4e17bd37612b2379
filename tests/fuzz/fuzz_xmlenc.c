/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Encrypted XML.  The first byte says what the rest is: '0' a message, of which every EncryptedKey and EncryptedData is
 * opened and every KeyInfo read; 'e' and 'c' the plaintext of an element or of content, which is encrypted and decrypted
 * in its place.  Besides memory errors it looks for plaintext that breaks out of its place, that passes the limits, and
 * for a tree whose canonical form does not read as the same again. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/xmlenc.h"
#include "token/proof.h"

#define SECRET "0123456789abcdef0123456789ABCDEF"

static const fg_xml_limits_t limits = {.bytes = 64u << 10, .depth = 12, .elements = 200, .attributes = 8, .namespaces = 8};

typedef struct fuzz {
    fg_arena_t *arena;
    fg_enc_recipients_t us;
    unsigned elements;
} fuzz_t;

static fg_str_t canonical(fuzz_t *f, xmlNode *node) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_str_t text = fg_xml_canonical(node, &out, &err) ? fg_arena_str(f->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return text;
}

static void check_limits(fuzz_t *f, const xmlNode *node, unsigned depth) {
    unsigned attributes = 0;
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
        attributes++;
    if (depth > limits.depth || ++f->elements > limits.elements || attributes > limits.attributes)
        abort();
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->parent != node || child->doc != node->doc || (child->next == NULL) != (child == node->last) || (child->next != NULL && child->next->prev != child))
            abort();
        if (child->type == XML_ELEMENT_NODE)
            check_limits(f, child, depth + 1);
    }
}

/* What was decrypted reads the same when it is sent on. */
static void check_tree(fuzz_t *f, xmlNode *root) {
    fg_err_t err = FG_ERR_INIT;
    const fg_xml_limits_t wide = {.bytes = 1u << 20, .depth = 64, .elements = 20000, .attributes = 64, .namespaces = 256};
    f->elements = 0;
    check_limits(f, root, 1);
    fg_str_t before = canonical(f, root);
    xmlDoc *again = before.p != NULL ? fg_xml_parse(f->arena, before, &wide, &err) : NULL;
    if (before.p != NULL && (again == NULL || !fg_str_eq(canonical(f, xmlDocGetRootElement(again)), before)))
        abort();
}

/* ---- a message ---- */

static void try_keys(fuzz_t *f, xmlNode *node) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t secret;
    fg_proof_t proof;
    if (fg_xml_is(node, FG_NS_XENC, "EncryptedKey") && fg_xmlenc_unwrap(f->arena, node, &f->us, 0, &secret, &err) && secret.n != 32)
        abort(); /* no seed is for this key */
    if (fg_xml_is(node, FG_NS_DS, "KeyInfo"))
        (void)!fg_proof_read(f->arena, node, &f->us, &proof, &err);
    for (xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        try_keys(f, child);
}

static xmlNode *find_data(xmlNode *node) {
    for (; node != NULL; node = fg_xml_next(node)) {
        xmlNode *found = fg_xml_is(node, FG_NS_XENC, "EncryptedData") ? node : find_data(fg_xml_first_child(node));
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void try_message(fuzz_t *f, fg_str_t text) {
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(f->arena, text, &limits, &err);
    xmlNode *root = doc != NULL ? xmlDocGetRootElement(doc) : NULL, *data, *first;
    size_t length;
    if (root == NULL)
        return;
    try_keys(f, root);
    for (unsigned i = 0; i < 8 && (data = find_data(root)) != NULL; i++)
        if (!fg_xmlenc_key_length(f->arena, data, &length, &err) || !fg_xmlenc_decrypt(f->arena, data, (fg_str_t){SECRET, length}, &limits, &first, &err))
            break;
    check_tree(f, root);
}

/* ---- a plaintext ---- */

static bool no_random(const fg_env_t *env, unsigned char *out, size_t length) {
    (void)env;
    memset(out, 7, length);
    return true;
}

static void try_plaintext(fuzz_t *f, fg_str_t text, bool content) {
    const fg_env_t env = {.random = no_random};
    const fg_enc_data_t data = {.algorithm = FG_ENC_AES256_GCM, .secret = FG_STR(SECRET), .plain = text, .content = content};
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t message = FG_BUF_INIT(1u << 20);
    xmlNode *first;
    fg_buf_puts(&message, "<a xmlns=\"urn:d\" xmlns:p=\"urn:p\" Id=\"i\"><before/>");
    bool sealed = fg_xmlenc_write_data(&env, &data, &message, &err);
    fg_buf_puts(&message, "<after xmlns:p=\"urn:q\" ID=\"j\"/></a>");
    xmlDoc *doc = sealed ? fg_xml_parse(f->arena, fg_buf_str(&message), NULL, &err) : NULL;
    fg_buf_free(&message);
    if (doc == NULL)
        return;
    xmlNode *root = xmlDocGetRootElement(doc), *before = root->children, *after = root->last;
    if (fg_xmlenc_decrypt(f->arena, find_data(root), FG_STR(SECRET), &limits, &first, &err)) {
        if (root->children != before || root->last != after || (first == NULL) != (before->next == after) || (first != NULL && before->next != first))
            abort();
        if (!content && (first == NULL || first->type != XML_ELEMENT_NODE || first->next != after))
            abort();
        check_tree(f, root);
    }
}

static fg_key_t *start(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        abort();
    return fg_key_generate(FG_KEY_RSA_2048, "fuzz", 0, 1, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fg_key_t *key;
    if (key == NULL)
        key = start();
    const fg_key_t *keys[] = {key};
    fuzz_t f = {.arena = fg_arena_new(0), .us = {keys, 1}};
    if (size > 0 && data[0] == '0')
        try_message(&f, (fg_str_t){(const char *)data + 1, size - 1});
    else if (size > 0)
        try_plaintext(&f, (fg_str_t){(const char *)data + 1, size - 1}, data[0] == 'c');
    fg_arena_free(f.arena);
    return 0;
}
