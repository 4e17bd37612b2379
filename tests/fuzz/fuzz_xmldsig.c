/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages with signatures, through the walk and the canonical form.  Besides memory errors it looks for what must never happen:
 * a signature that covers something outside the document, one by a key that nobody has used, and a canonical form that is not
 * libxml2's. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include <libxml/c14n.h>

#include "core/crypto.h"
#include "core/xmldsig.h"

#define CANONICAL_MAX (1u << 20)

static const fg_xml_limits_t limits = {.bytes = 64u << 10, .depth = 32, .elements = 400, .attributes = 16, .namespaces = 16};
static const fg_str_t secret = FG_STR("0123456789abcdef0123456789abcdef"); /* with which some seeds are signed */

/* ---- canonical form ---- */

static int is_selected(void *data, xmlNodePtr node, xmlNodePtr parent) {
    const xmlNode *at = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;
    for (; at != NULL; at = at->parent)
        if (at == data)
            return 1;
    return 0;
}

static int write_to_buffer(void *data, const char *bytes, int length) {
    fg_buf_add(data, bytes, (size_t)length);
    return length;
}

static void ignore(void *data, xmlErrorPtr error) { (void)data, (void)error; }

static void compare_forms(xmlNode *element) {
    fg_buf_t ours = FG_BUF_INIT(CANONICAL_MAX), theirs = FG_BUF_INIT(CANONICAL_MAX);
    fg_err_t err = FG_ERR_INIT;
    xmlSetStructuredErrorFunc(NULL, ignore);
    xmlOutputBuffer *sink = xmlOutputBufferCreateIO(write_to_buffer, NULL, &theirs, NULL);
    int result = xmlC14NExecute(element->doc, is_selected, element, XML_C14N_EXCLUSIVE_1_0, NULL, 0, sink);
    if (xmlOutputBufferClose(sink) >= 0 && result >= 0 &&
        (!fg_xml_canonical(element, &ours, &err) || !fg_str_eq(fg_buf_str(&ours), fg_buf_str(&theirs))))
        abort();
    xmlSetStructuredErrorFunc(NULL, NULL);
    fg_buf_free(&ours);
    fg_buf_free(&theirs);
}

/* ---- signatures ---- */

static xmlNode *dereference(void *context, xmlNode *reference, fg_err_t *err) {
    const xmlNode *inner = fg_xml_first_child(reference);
    fg_str_t uri = inner ? fg_xml_attr(context, inner, NULL, "URI") : FG_STR_NONE;
    if (uri.n > 1)
        return fg_dsig_element_by_id(reference->doc, (fg_str_t){uri.p + 1, uri.n - 1}, err);
    FG_FAIL(err, FG_E_WSS_STRUCTURE, "no token");
    return NULL;
}

static void check_covered(const fg_dsig_message_t *message) {
    if (message->reference_count == 0 || message->reference_count > FG_DSIG_REFERENCES_MAX)
        abort();
    for (size_t i = 0; i < message->reference_count; i++) {
        const xmlNode *top = message->references[i].element;
        while (top->parent != NULL && top->parent->type == XML_ELEMENT_NODE)
            top = top->parent;
        if (top != xmlDocGetRootElement(message->signature->doc))
            abort();
    }
}

static void try_signature(fg_arena_t *arena, xmlNode *signature, const fg_key_t *key) {
    fg_err_t err = FG_ERR_INIT;
    fg_dsig_message_t message;
    const fg_dsig_scope_t scope = {.allow_sha1 = true, .dereference = dereference, .context = arena};
    if (!fg_dsig_message_read(arena, signature, &scope, &message, &err))
        return;
    check_covered(&message);
    if (fg_dsig_message_verify(&message, key, &err)) /* no seed is signed with this key */
        abort();
    (void)!fg_dsig_message_verify_secret(&message, secret, &err);
}

static void try_all(fg_arena_t *arena, xmlNode *node, const fg_key_t *key) {
    for (; node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_DS, "Signature"))
            try_signature(arena, node, key);
        try_all(arena, fg_xml_first_child(node), key);
    }
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
    if (doc != NULL) {
        compare_forms(xmlDocGetRootElement(doc));
        try_all(arena, xmlDocGetRootElement(doc), key);
    }
    fg_arena_free(arena);
    return 0;
}
