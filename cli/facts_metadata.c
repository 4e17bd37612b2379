/* SPDX-License-Identifier: GPL-2.0-or-later
 * What metadata, MEX and WSDL documents say. */
#include <stdio.h>
#include <string.h>

#include "cli/facts.h"
#include "core/crypto.h"

#define CERTIFICATE_MAX (16u << 10)
#define NS_WSDL "http://schemas.xmlsoap.org/wsdl/"

static fg_str_t attr(fg_facts_t *facts, const xmlNode *node, const char *name) {
    return fg_xml_attr(facts->arena, node, NULL, name);
}

static const char *printf_text(fg_facts_t *facts, const char *format, const char *a, fg_str_t b) {
    char *text = fg_arena_printf(facts->arena, format, a, FG_STR_ARG(b));
    return text != NULL ? text : "";
}

static void add_key(fg_facts_t *facts, const xmlNode *descriptor) {
    fg_str_t use = attr(facts, descriptor, "use");
    const xmlNode *node = fg_xml_child(descriptor, FG_NS_DS, "KeyInfo", NULL);
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Data", NULL) : NULL;
    node = node ? fg_xml_child(node, FG_NS_DS, "X509Certificate", NULL) : NULL;
    fg_str_t text = node ? fg_xml_token(facts->arena, node, NULL) : FG_STR_NONE;
    fg_buf_t der = FG_BUF_INIT(CERTIFICATE_MAX);
    if (text.n > 0 && fg_base64_decode_xml(&der, text)) {
        const char *prefix = printf_text(facts, "%s%.*s_", "", use.p != NULL ? use : FG_STR("any"));
        fg_facts_add_certificate(facts, prefix, fg_buf_str(&der));
    }
    fg_buf_free(&der);
}

/* The last word of a binding's URI, or of an element's name. */
static fg_str_t last_word(fg_str_t text) {
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != ':' && text.p[at - 1] != '/')
        at--;
    return (fg_str_t){text.p + at, text.n - at};
}

static void add_addresses(fg_facts_t *facts, const char *name, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_WSA, "Address"))
        fg_facts_add(facts, "endpoint",
                     fg_str(printf_text(facts, "%s %.*s", name, fg_xml_token(facts->arena, node, NULL))));
    for (const xmlNode *each = fg_xml_first_child(node); each != NULL; each = fg_xml_next(each))
        add_addresses(facts, name, each);
}

static void read_role(fg_facts_t *facts, const xmlNode *role) {
    fg_str_t type = fg_xml_attr(facts->arena, role, FG_NS_XSI, "type");
    fg_facts_add(facts, "role", type.p != NULL ? last_word(type) : fg_str((const char *)role->name));
    for (const xmlNode *node = fg_xml_first_child(role); node != NULL; node = fg_xml_next(node)) {
        fg_str_t binding = attr(facts, node, "Binding"), location = attr(facts, node, "Location");
        const char *name = (const char *)node->name;
        if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
            add_key(facts, node);
        else if (location.p != NULL)
            fg_facts_add(facts, "endpoint",
                         fg_str(fg_arena_printf(facts->arena, "%s %.*s %.*s", name, FG_STR_ARG(last_word(binding)),
                                                FG_STR_ARG(location))));
        else if (fg_xml_is(node, FG_NS_FED, "PassiveRequestorEndpoint") ||
                 fg_xml_is(node, FG_NS_FED, "SecurityTokenServiceEndpoint"))
            add_addresses(facts, name, node);
        else if (fg_xml_is(node, FG_NS_MD, "NameIDFormat"))
            fg_facts_add(facts, "name_id_format", fg_xml_token(facts->arena, node, NULL));
    }
}

static void read_entity(fg_facts_t *facts, const xmlNode *root) {
    fg_facts_add(facts, "entity_id", attr(facts, root, "entityID"));
    fg_facts_add_time(facts, "valid_until", attr(facts, root, "validUntil"));
    fg_facts_add(facts, "cache_duration", attr(facts, root, "cacheDuration"));
    const xmlNode *signature = fg_xml_child(root, FG_NS_DS, "Signature", NULL);
    fg_facts_add(facts, "signed", signature ? FG_STR("yes") : FG_STR("no"));
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node))
        if (strstr((const char *)node->name, "Descriptor") != NULL)
            read_role(facts, node);
}

static void read_wsdl(fg_facts_t *facts, const xmlNode *node) {
    if (fg_xml_is(node, NS_WSDL, "port")) {
        fg_facts_add(facts, "port", attr(facts, node, "name"));
        add_addresses(facts, "address", node);
    }
    for (const xmlNode *each = fg_xml_first_child(node); each != NULL; each = fg_xml_next(each))
        read_wsdl(facts, each);
}

void fg_facts_read_metadata(fg_facts_t *facts, const fg_piece_t *piece) {
    if (piece->xml == NULL)
        return;
    if (piece->kind == FG_PIECE_ENTITY)
        read_entity(facts, piece->xml);
    else if (piece->kind == FG_PIECE_MEX || piece->kind == FG_PIECE_WSDL)
        read_wsdl(facts, piece->xml);
    else
        fg_facts_add_time(facts, "valid_until", attr(facts, piece->xml, "validUntil"));
}
