/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Bytes from the network, through scan, parser, canonical form and signature.  Besides memory errors it looks for the one thing
 * that must never happen: a document that the scan let pass with more in it than the limits allow. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/xmldsig.h"
#include "tests/unit/xml_same.h"

static const fg_xml_limits_t limits = {.bytes = 64u << 10, .depth = 16, .elements = 200, .attributes = 8, .namespaces = 8};

static unsigned elements;

static void check_limits(fg_arena_t *arena, const xmlNode *node, unsigned depth, unsigned namespaces) {
    fg_err_t err = FG_ERR_INIT;
    unsigned attributes = 0;
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next)
        namespaces++;
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
        attributes++;
    if (depth > limits.depth || ++elements > limits.elements || attributes > limits.attributes || namespaces > limits.namespaces)
        abort();
    fg_str_t text = fg_xml_text(arena, node, &err);
    if (text.p != NULL && strlen(text.p) != text.n)
        abort();
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            check_limits(arena, child, depth + 1, namespaces);
        else if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE && child->type != XML_COMMENT_NODE)
            abort();
    }
}

static void try_signature(fg_arena_t *arena, xmlNode *node, const fg_key_t *key) {
    fg_err_t err = FG_ERR_INIT;
    fg_dsig_verified_t verified;
    if (fg_xml_attr(arena, node, NULL, "ID").p != NULL && fg_dsig_verify_enveloped(node, "ID", &(fg_dsig_trust_t){&key, 1, true}, &verified, &err))
        abort(); /* no seed is signed with this key */
    for (xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        try_signature(arena, child, key);
}

static fg_key_t *start(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        abort();
    return fg_key_generate(FG_KEY_EC_P256, "fuzz", 0, 1, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fg_key_t *key;
    if (key == NULL)
        key = start();
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    xmlDoc *doc = fg_xml_parse(arena, (fg_str_t){(const char *)data, size}, &limits, &err);
    if (!reads_the_same(arena, (fg_str_t){(const char *)data, size}, &limits))
        abort();
    if (doc != NULL) {
        fg_buf_t canonical = FG_BUF_INIT(1u << 20);
        xmlNode *root = xmlDocGetRootElement(doc);
        elements = 0;
        check_limits(arena, root, 1, 0);
        (void)!fg_xml_canonical(root, &canonical, &err);
        fg_buf_free(&canonical);
        try_signature(arena, root, key);
    }
    fg_arena_free(arena);
    return 0;
}
