/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Hardened XML reading: a pre-scan over the bytes enforces every limit before a tree is built; then libxml2 parses
 * without DTD, entities, network and recovery. */
#ifndef FG_CORE_XML_H
#define FG_CORE_XML_H

#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"
#include "core/xml_ns.h"

typedef struct fg_xml_limits {
    size_t bytes;
    unsigned depth;
    unsigned elements;
    unsigned attributes; /* on one element, namespace declarations not counted */
    unsigned namespaces; /* declarations in scope */
} fg_xml_limits_t;

/* 256 KiB, depth 64, 64 attributes, 64 namespace declarations in scope, 20,000 elements (XP-04..06, 09) */
extern const fg_xml_limits_t fg_xml_default_limits;

/* Once in the main thread before any other thread starts.  Safe to call again.  Nothing is stopped in the end: others in
 * the process may use libxml2, too. */
bool fg_xml_start(fg_err_t *err) FG_MUST_CHECK;

/* Checks the bytes alone (XP-01..14): UTF-8 only (a UTF-8 byte order mark is skipped), no DOCTYPE, no entity but the
 * five and character references to XML characters, no processing instruction but the XML declaration, limits, one root,
 * nothing behind. */
bool fg_xml_scan(fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err) FG_MUST_CHECK;

/* Scans, then parses.  The document belongs to the arena.  limits NULL: the default. */
xmlDoc *fg_xml_parse(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err) FG_MUST_CHECK;

/* The same at a fraction of the cost, if the document is short and plain (core/xml_plain.c); else by fg_xml_parse.
 * For reading and for the canonical form only: xmlsec and functions that change or free a tree are not for it. */
xmlDoc *fg_xml_parse_plain(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits,
                           fg_err_t *err) FG_MUST_CHECK;

/* ---- looking at a tree; nodes are borrowed ---- */
bool fg_xml_is(const xmlNode *node, const char *ns, const char *name);
/* Next element among node and its following siblings. */
xmlNode *fg_xml_element(xmlNode *node);
static inline xmlNode *fg_xml_first_child(const xmlNode *parent) { return fg_xml_element(parent->children); }
static inline xmlNode *fg_xml_next(const xmlNode *node) { return fg_xml_element(node->next); }
/* The first child element of that name and how many there are; a caller that needs exactly one checks *count (may be
 * NULL). */
xmlNode *fg_xml_child(const xmlNode *parent, const char *ns, const char *name, unsigned *count);
/* Exactly one such child, else NULL and FG_E_XML_STRUCTURE. */
xmlNode *fg_xml_only_child(const xmlNode *parent, const char *ns, const char *name, fg_err_t *err) FG_MUST_CHECK;
/* The whole text of an element, comments and CDATA borders joined over (XS-19), white space kept.  An element inside is
 * refused. On failure .p is NULL; an empty element gives "" with .n 0. */
fg_str_t fg_xml_text(fg_arena_t *arena, const xmlNode *node, fg_err_t *err) FG_MUST_CHECK;
/* The same, trimmed: for URIs, times, numbers. */
fg_str_t fg_xml_token(fg_arena_t *arena, const xmlNode *node, fg_err_t *err) FG_MUST_CHECK;
/* An attribute's value; ns NULL: no namespace.  .p NULL: absent. */
fg_str_t fg_xml_attr(fg_arena_t *arena, const xmlNode *node, const char *ns, const char *name);
/* Exclusive canonical bytes (Exclusive XML Canonicalization 1.0, comments left out) of an element's subtree as it
 * stands in its document. */
bool fg_xml_canonical(xmlNode *node, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
/* The same with one subtree left out (NULL: none) and with the prefixes of an InclusiveNamespaces list
 * (NULL-terminated; NULL: none): what an enveloped signature digests. */
bool fg_xml_canonical_without(xmlNode *element, const xmlNode *without, char **prefixes, fg_buf_t *out,
                              fg_err_t *err) FG_MUST_CHECK;

/* All that can be wished for. */
typedef struct fg_xml_c14n {
    const xmlNode *without; /* a subtree that is left out; NULL: none */
    char *const *prefixes;  /* an InclusiveNamespaces list, "#default" in it; NULL: none */
    /* as if it stood alone: the default namespace is on the list, and where there is none, the first tag says xmlns=""
     * (WS-Security 1.1 §8.3) */
    bool as_alone;
} fg_xml_c14n_t;

/* FG_E_XML_STRUCTURE: what has no canonical form, as a relative namespace name (XS-16); FG_E_XML_LIMIT: does not fit.
 */
bool fg_xml_canonical_as(const xmlNode *element, const fg_xml_c14n_t *how, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
