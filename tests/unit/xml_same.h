/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether two trees are the same to whoever reads them. */
#ifndef FG_TESTS_XML_SAME_H
#define FG_TESTS_XML_SAME_H

#include "core/xml.h"

static inline bool same_namespace(const xmlNs *a, const xmlNs *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || (xmlStrEqual(a->href, b->href) && xmlStrEqual(a->prefix, b->prefix)));
}

static inline bool same_declarations(const xmlNs *a, const xmlNs *b) {
    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        if (!same_namespace(a, b))
            return false;
    return a == b;
}

static inline bool same_attributes(const xmlAttr *a, const xmlAttr *b) {
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        const xmlNode *x = a->children, *y = b->children;
        bool values = x != NULL && y != NULL && x->type == XML_TEXT_NODE && y->type == XML_TEXT_NODE && x->next == NULL && y->next == NULL;
        if (!values || !xmlStrEqual(x->content, y->content) || !xmlStrEqual(a->name, b->name) || !same_namespace(a->ns, b->ns))
            return false;
    }
    return a == NULL && b == NULL;
}

static inline bool same_node(const xmlNode *a, const xmlNode *b);

/* Children, and that they know their neighbours and parent. */
static inline bool same_children(const xmlNode *a, const xmlNode *b) {
    const xmlNode *x = a->children, *y = b->children, *before = NULL;
    for (; x != NULL && y != NULL; before = x, x = x->next, y = y->next)
        if (x->parent != a || x->prev != before || x->doc != a->doc || !same_node(x, y))
            return false;
    return x == NULL && y == NULL && a->last == before;
}

static inline bool same_node(const xmlNode *a, const xmlNode *b) {
    if (a->type != b->type)
        return false;
    if (a->type == XML_TEXT_NODE)
        return xmlStrEqual(a->content, b->content) && xmlIsBlankNode((xmlNode *)a) == xmlIsBlankNode((xmlNode *)b);
    return a->type == XML_ELEMENT_NODE && xmlStrEqual(a->name, b->name) && same_namespace(a->ns, b->ns) && same_declarations(a->nsDef, b->nsDef) &&
           same_attributes(a->properties, b->properties) && same_children(a, b);
}

static inline bool same_document(const xmlDoc *a, const xmlDoc *b) {
    fg_buf_t one = FG_BUF_INIT(1u << 20), other = FG_BUF_INIT(1u << 20);
    bool same = same_children((const xmlNode *)a, (const xmlNode *)b) &&
                fg_xml_canonical(xmlDocGetRootElement(a), &one, NULL) == fg_xml_canonical(xmlDocGetRootElement(b), &other, NULL) &&
                fg_str_eq(fg_buf_str(&one), fg_buf_str(&other));
    fg_buf_free(&one);
    fg_buf_free(&other);
    return same;
}

/* libxml2 notes a version in its own. */
static inline bool is_plain(const xmlDoc *doc) { return doc->version == NULL; }

/* What the reader of plain documents takes, libxml2 takes, and both see the same. */
static inline bool reads_the_same(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits) {
    const xmlDoc *plain = fg_xml_parse_plain(arena, bytes, limits, NULL), *other = fg_xml_parse(arena, bytes, limits, NULL);
    return (plain == NULL) == (other == NULL) && (plain == NULL || !is_plain(plain) || same_document(plain, other));
}

#endif
