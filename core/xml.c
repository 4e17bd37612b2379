/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/xml.h"

#include <limits.h>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

/* ---- start ---- */

bool fg_xml_start(fg_err_t *err) {
    xmlInitParser();
    return xmlHasFeature(XML_WITH_THREAD) == 1 || FG_FAIL(err, FG_E_INTERNAL, "this libxml2 knows no threads");
}

/* ---- parsing ---- */

typedef struct complaint {
    bool made;
    char text[160];
} complaint_t;

static void note_complaint(void *data, xmlErrorPtr error) {
    xmlParserCtxt *parser = data;
    complaint_t *complaint = parser->_private;
    if (complaint->made || error->level < XML_ERR_ERROR)
        return;
    complaint->made = true;
    fg_str_t message = fg_str_trim(fg_str(error->message ? error->message : "error"));
    snprintf(complaint->text, sizeof complaint->text, "line %d: %.*s", error->line, FG_STR_ARG(message));
}

static void free_document(void *doc) { xmlFreeDoc(doc); }

/* No DTD, no entities, no network, no recovery, no larger limits than libxml2's own.  A complaint about namespaces
 * alone leaves a document behind, but it is refused all the same: a prefix without meaning makes names ambiguous
 * (XP-14).  No encoding is named, for libxml2 would convert UTF-8 to UTF-8: after the scan it can take the bytes for
 * nothing else. */
static xmlDoc *read_document(fg_str_t bytes, fg_err_t *err) {
    complaint_t complaint = {false, ""};
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (parser == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "parser");
        return NULL;
    }
    parser->_private = &complaint;
    parser->sax->serror = note_complaint;
    xmlDoc *doc = xmlCtxtReadMemory(parser, bytes.p, (int)bytes.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT);
    bool good = doc != NULL && !complaint.made && parser->wellFormed && parser->nsWellFormed;
    xmlFreeParserCtxt(parser);
    if (good)
        return doc;
    xmlFreeDoc(doc);
    FG_FAIL(err, FG_E_XML_MALFORMED, "%s", complaint.made ? complaint.text : "not well-formed");
    return NULL;
}

xmlDoc *fg_xml_parse(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err) {
    if (!fg_xml_scan(bytes, limits, err))
        return NULL;
    if (bytes.n > INT_MAX) {
        FG_FAIL(err, FG_E_XML_LIMIT, "%zu bytes", bytes.n);
        return NULL;
    }
    if (fg_str_starts(bytes, "\xef\xbb\xbf"))
        bytes = (fg_str_t){bytes.p + 3, bytes.n - 3};
    xmlDoc *doc = read_document(bytes, err);
    if (doc == NULL)
        return NULL;
    if (!fg_arena_own(arena, free_document, doc)) {
        FG_FAIL(err, FG_E_MEMORY, "document");
        return NULL;
    }
    return doc;
}

/* ---- looking at a tree ---- */

/* Most names differ in their first character. */
static bool same(const xmlChar *a, const char *b) {
    return a != NULL && (char)*a == *b && strcmp((const char *)a, b) == 0;
}

static bool in_namespace(const xmlNs *ns, const char *uri) {
    return uri == NULL ? ns == NULL : ns != NULL && same(ns->href, uri);
}

bool fg_xml_is(const xmlNode *node, const char *ns, const char *name) {
    return node != NULL && node->type == XML_ELEMENT_NODE && same(node->name, name) && in_namespace(node->ns, ns);
}

xmlNode *fg_xml_element(xmlNode *node) {
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *fg_xml_child(const xmlNode *parent, const char *ns, const char *name, unsigned *count) {
    xmlNode *first = NULL;
    unsigned found = 0;
    for (xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, ns, name))
            continue;
        if (found++ == 0)
            first = node;
    }
    if (count != NULL)
        *count = found;
    return first;
}

xmlNode *fg_xml_only_child(const xmlNode *parent, const char *ns, const char *name, fg_err_t *err) {
    unsigned count;
    xmlNode *child = fg_xml_child(parent, ns, name, &count);
    if (count == 1)
        return child;
    FG_FAIL_FOR(err, FG_E_XML_STRUCTURE, count > 1 ? FG_R_STRUCTURE_AMBIGUOUS : FG_R_STRUCTURE_INVALID,
                "%s: %u child elements %s, one expected", (const char *)parent->name, count, name);
    return NULL;
}

/* Length of all text below an element; false if anything but text, CDATA and comments is there. */
static bool text_length(const xmlNode *node, size_t *length) {
    *length = 0;
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_COMMENT_NODE)
            continue;
        if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE)
            return false;
        *length += child->content ? strlen((const char *)child->content) : 0;
    }
    return true;
}

fg_str_t fg_xml_text(fg_arena_t *arena, const xmlNode *node, fg_err_t *err) {
    size_t length;
    if (!text_length(node, &length)) {
        FG_FAIL(err, FG_E_XML_STRUCTURE, "%s: text expected, an element found", (const char *)node->name);
        return FG_STR_NONE;
    }
    char *text = fg_arena_alloc(arena, length + 1);
    if (text == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "text of %s", (const char *)node->name);
        return FG_STR_NONE;
    }
    char *end = text;
    for (const xmlNode *child = node->children; child != NULL; child = child->next)
        if (child->type != XML_COMMENT_NODE && child->content != NULL)
            end = stpcpy(end, (const char *)child->content);
    return (fg_str_t){text, length};
}

fg_str_t fg_xml_token(fg_arena_t *arena, const xmlNode *node, fg_err_t *err) {
    fg_str_t text = fg_xml_text(arena, node, err);
    if (text.p == NULL)
        return text;
    fg_str_t token = fg_str_trim(text);
    ((char *)token.p)[token.n] = '\0';
    return token;
}

fg_str_t fg_xml_attr(fg_arena_t *arena, const xmlNode *node, const char *ns, const char *name) {
    const xmlAttr *attribute = node->properties;
    while (attribute != NULL && !(same(attribute->name, name) && in_namespace(attribute->ns, ns)))
        attribute = attribute->next;
    if (attribute == NULL)
        return FG_STR_NONE;
    const xmlNode *value = attribute->children;
    if (value == NULL)
        return FG_STR("");
    if (value->type == XML_TEXT_NODE && value->next == NULL)
        return fg_arena_str(arena, fg_str((const char *)value->content));
    xmlChar *joined = xmlNodeListGetString(node->doc, value, 1);
    fg_str_t copy = joined ? fg_arena_str(arena, fg_str((const char *)joined)) : FG_STR_NONE;
    xmlFree(joined);
    return copy;
}
