/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Plain documents read in one pass, into a tree of libxml2's form in the arena.  Only what leaves no room for opinions
 * is read here: ASCII, the five entities in texts, no comments, no CDATA, no white space that would be normalised, no
 * names and namespaces that anybody could take exception to.  Where there is anything else, or anything wrong,
 * fg_xml_parse() is asked, which also says what is wrong: so this may give up, but never see another document.
 *
 * The tree is made inside of a copy of the bytes: where a name or a text ends, a NUL is put in place of the character
 * that ended it. */
#include "core/xml.h"

#include <libxml/parserInternals.h>

#define BYTES_MAX (32u << 10) /* nothing in it is so long that a parser would have a limit for it */
#define DEPTH_MAX 256u
#define XML_URI "http://www.w3.org/XML/1998/namespace"
#define XMLNS_URI "http://www.w3.org/2000/xmlns/"

enum { NAME_FIRST = 1, NAME = 2, TEXT = 4, VALUE = 8, SPACE = 16, URI = 32 };

/* What a character may be part of.  VALUE: not what is normalised (XML 1.0 §3.3.3); URI: nor what could make an
 * authority or a second fragment. */
// clang-format off
static const unsigned char classes[256] = {
    ['\t'] = TEXT | SPACE, ['\n'] = TEXT | SPACE, [' '] = TEXT | VALUE | SPACE,
    ['!'] = TEXT | VALUE, ['"'] = TEXT | VALUE, ['#'] = TEXT | VALUE, ['$'] = TEXT | VALUE, ['%'] = TEXT | VALUE,
    ['\''] = TEXT | VALUE, ['('] = TEXT | VALUE, [')'] = TEXT | VALUE, ['*'] = TEXT | VALUE, ['+'] = TEXT | VALUE,
    [','] = TEXT | VALUE, ['-'] = TEXT | VALUE | NAME | URI, ['.'] = TEXT | VALUE | NAME | URI,
    ['/'] = TEXT | VALUE | URI, ['0' ... '9'] = TEXT | VALUE | NAME | URI, [':'] = TEXT | VALUE, [';'] = TEXT | VALUE,
    ['='] = TEXT | VALUE, ['>'] = VALUE, ['?'] = TEXT | VALUE, ['@'] = TEXT | VALUE,
    ['A' ... 'Z'] = TEXT | VALUE | NAME | NAME_FIRST | URI, ['['] = TEXT | VALUE, ['\\'] = TEXT | VALUE,
    [']'] = VALUE, ['^'] = TEXT | VALUE, ['_'] = TEXT | VALUE | NAME | NAME_FIRST | URI, ['`'] = TEXT | VALUE,
    ['a' ... 'z'] = TEXT | VALUE | NAME | NAME_FIRST | URI, ['{' ... '~'] = TEXT | VALUE,
};
// clang-format on

typedef struct name {
    char *prefix; /* NULL: none */
    char *local;
} name_t;

typedef struct reader {
    fg_arena_t *arena;
    const fg_xml_limits_t *limits;
    char *p, *end; /* *end is NUL, which belongs to no class */
    char ended_by; /* the character in whose place the latest NUL was put */
    xmlDoc *doc;
    xmlNode *open; /* the innermost element that has begun, or NULL */
    unsigned depth, elements, namespaces;
    unsigned char declared[DEPTH_MAX]; /* on the open elements */
} reader_t;

static bool is(char c, unsigned kind) { return (classes[(unsigned char)c] & kind) != 0; }

static void skip(reader_t *r, unsigned kind) {
    while (is(*r->p, kind))
        r->p++;
}

/* Ends what was read before p and steps over the character there. */
static void cut(reader_t *r) {
    r->ended_by = *r->p;
    *r->p++ = '\0';
}

/* ---- names and namespaces */

/* prefix:local, not cut yet at its end. */
static bool read_name(reader_t *r, name_t *name) {
    *name = (name_t){NULL, r->p};
    if (!is(*r->p, NAME_FIRST))
        return false;
    skip(r, NAME);
    if (*r->p != ':')
        return true;
    cut(r);
    *name = (name_t){name->local, r->p};
    if (!is(*r->p, NAME_FIRST))
        return false;
    skip(r, NAME);
    return *r->p != ':';
}

/* Of short texts. */
static bool same(const char *a, const char *b) {
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool is_reserved(const char *prefix) { return same(prefix, "xml") || same(prefix, "xmlns"); }

/* NULL: not declared.  prefix NULL: the default; none is what *ns stays then. */
static bool find_namespace(const reader_t *r, const xmlNode *node, const char *prefix, xmlNs **ns) {
    *ns = NULL;
    for (; node != NULL; node = node->parent != (xmlNode *)r->doc ? node->parent : NULL)
        for (xmlNs *at = node->nsDef; at != NULL; at = at->next)
            if (prefix == NULL ? at->prefix == NULL : at->prefix != NULL && same((const char *)at->prefix, prefix)) {
                *ns = at;
                return true;
            }
    return prefix == NULL;
}

/* Absolute, and without anything that a parser of URIs has to think about. */
static bool is_plain_uri(const char *uri) {
    static const char *const schemes[] = {"http://", "https://", "urn:"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (strncmp(uri, schemes[i], length) != 0)
            continue;
        const char *rest = uri + length;
        bool is_urn = schemes[i][0] == 'u';
        if (!is(*rest, NAME_FIRST))
            return false;
        while (is(*rest, URI) || (is_urn && *rest == ':'))
            rest++;
        return *rest == '\0' && strcmp(uri, XML_URI) != 0 && strcmp(uri, XMLNS_URI) != 0;
    }
    return false;
}

static bool add_namespace(reader_t *r, xmlNode *node, char *prefix, char *uri) {
    xmlNs **end = &node->nsDef;
    if (!is_plain_uri(uri) || (prefix != NULL && is_reserved(prefix)))
        return false;
    for (; *end != NULL; end = &(*end)->next)
        if (xmlStrEqual((*end)->prefix, (xmlChar *)prefix))
            return false;
    xmlNs *ns = fg_arena_alloc(r->arena, sizeof *ns);
    if (ns == NULL)
        return false;
    ns->type = XML_LOCAL_NAMESPACE;
    ns->href = (xmlChar *)uri;
    ns->prefix = (xmlChar *)prefix;
    *end = ns;
    return ++r->declared[r->depth] + r->namespaces <= r->limits->namespaces && r->declared[r->depth] < UINT8_MAX;
}

/* ---- texts */

static xmlNode *new_text(reader_t *r, char *content) {
    xmlNode *text = fg_arena_alloc(r->arena, sizeof *text);
    if (text == NULL)
        return NULL;
    text->type = XML_TEXT_NODE;
    text->name = xmlStringText;
    text->content = (xmlChar *)content;
    text->doc = r->doc;
    return text;
}

static void append(xmlNode *parent, xmlNode *node) {
    node->parent = parent;
    node->prev = parent->last;
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->children = node;
    parent->last = node;
}

/* At '&'; what it stands for, 0: not one of the five. */
static char read_entity(reader_t *r) {
    static const struct {
        const char *text;
        size_t length;
        char means;
    } entities[] = {{"&amp;", 5, '&'}, {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&quot;", 6, '"'}, {"&apos;", 6, '\''}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(entities); i++) {
        if (strncmp(r->p, entities[i].text, entities[i].length) != 0)
            continue;
        r->p += entities[i].length;
        return entities[i].means;
    }
    return 0;
}

/* Up to the next tag, which is left without its '<'. */
static bool read_text(reader_t *r) {
    char *first = r->p, *to;
    skip(r, TEXT);
    for (to = r->p; *r->p != '<'; *to++ = *r->p++) {
        if (*r->p == '&') {
            char means = read_entity(r);
            if (means == 0)
                return false;
            *--r->p = means; /* the loop takes it from there */
            continue;
        }
        bool alone = *r->p == '>' || (*r->p == ']' && r->p[1] != ']');
        if (!alone && !is(*r->p, TEXT)) /* "]]>" is none (XML 1.0 §2.4) */
            return false;
    }
    r->p++;
    *to = '\0';
    if (to == first)
        return true;
    xmlNode *text = new_text(r, first);
    if (text != NULL)
        append(r->open, text);
    return text != NULL;
}

/* ---- tags */

static bool is_language(const char *value) {
    while (is(*value, NAME) && *value != '_' && *value != '.')
        value++;
    return *value == '\0';
}

/* Names of attributes that differ in their prefixes only are somebody else's to judge. */
static bool add_attribute(reader_t *r, xmlNode *node, name_t name, char *value) {
    xmlAttr *last = NULL, *attribute;
    unsigned count = 1;
    for (attribute = node->properties; attribute != NULL; last = attribute, attribute = attribute->next, count++)
        if (same((const char *)attribute->name, name.local))
            return false;
    attribute = fg_arena_alloc(r->arena, sizeof *attribute);
    xmlNode *text = new_text(r, value);
    if (attribute == NULL || text == NULL || count > r->limits->attributes)
        return false;
    attribute->type = XML_ATTRIBUTE_NODE;
    attribute->name = (xmlChar *)name.local;
    attribute->parent = node;
    attribute->doc = r->doc;
    attribute->children = attribute->last = text;
    attribute->psvi = name.prefix; /* until all declarations of the tag were seen */
    text->parent = (xmlNode *)attribute;
    attribute->prev = last;
    *(last != NULL ? &last->next : &node->properties) = attribute;
    return true;
}

/* name="value" */
static bool read_attribute(reader_t *r, xmlNode *node) {
    name_t name;
    if (!read_name(r, &name) || r->p[0] != '=')
        return false;
    cut(r);
    char quote = *r->p++, *value = r->p;
    if (quote != '"' && quote != '\'')
        return false;
    while (is(*r->p, VALUE) && *r->p != quote)
        r->p++;
    if (*r->p != quote)
        return false;
    cut(r);
    if (same(name.prefix == NULL ? name.local : name.prefix, "xmlns"))
        return add_namespace(r, node, name.prefix ? name.local : NULL, value);
    return add_attribute(r, node, name, value);
}

/* Of prefixed attributes; the others have none (Namespaces in XML §6.2). */
static bool bind_attributes(reader_t *r, xmlNode *node) {
    for (xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
        const char *prefix = attribute->psvi;
        attribute->psvi = NULL;
        if (prefix == NULL)
            continue;
        if (same(prefix, "xml")) {
            const char *value = (const char *)attribute->children->content;
            if (!same((const char *)attribute->name, "lang") || !is_language(value))
                return false;
            attribute->ns = r->doc->oldNs;
        } else if (!find_namespace(r, node, prefix, &attribute->ns)) {
            return false;
        }
    }
    return true;
}

static bool read_attributes(reader_t *r, xmlNode *node) {
    while (is(r->ended_by, SPACE)) {
        skip(r, SPACE);
        if (*r->p == '>' || *r->p == '/') {
            cut(r);
            return true;
        }
        if (!read_attribute(r, node))
            return false;
        r->ended_by = *r->p;
        if (*r->p != '\0')
            r->p++;
    }
    return true;
}

/* Behind its '<'. */
static bool read_start_tag(reader_t *r) {
    name_t name;
    xmlNode *node = fg_arena_alloc(r->arena, sizeof *node), *parent = r->open;
    if (node == NULL || r->depth == DEPTH_MAX || r->depth == r->limits->depth || ++r->elements > r->limits->elements ||
        !read_name(r, &name))
        return false;
    cut(r);
    node->type = XML_ELEMENT_NODE;
    node->name = (xmlChar *)name.local;
    node->doc = r->doc;
    append(parent != NULL ? parent : (xmlNode *)r->doc, node);
    r->declared[r->depth] = 0;
    if (!read_attributes(r, node) || (name.prefix != NULL && is_reserved(name.prefix)) ||
        !find_namespace(r, node, name.prefix, &node->ns) || !bind_attributes(r, node))
        return false;
    if (r->ended_by == '/')
        return *r->p++ == '>';
    if (r->ended_by != '>')
        return false;
    r->namespaces += r->declared[r->depth++];
    r->open = node;
    return true;
}

/* Behind its "</".  The start tag's name as it was written: its prefix is that of its namespace. */
static bool read_end_tag(reader_t *r) {
    name_t name;
    const xmlNode *node = r->open;
    if (!read_name(r, &name) || *r->p != '>')
        return false;
    cut(r);
    const char *prefix = node->ns != NULL ? (const char *)node->ns->prefix : NULL;
    if (!same((const char *)node->name, name.local) || (prefix == NULL) != (name.prefix == NULL) ||
        (prefix != NULL && !same(prefix, name.prefix)))
        return false;
    r->namespaces -= r->declared[--r->depth];
    r->open = node->parent != (xmlNode *)r->doc ? node->parent : NULL;
    return true;
}

/* ---- documents */

static void skip_declaration(reader_t *r) {
    static const char *const forms[] = {"<?xml version=\"1.0\" encoding=\"utf-8\"?>",
                                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version=\"1.0\"?>"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(forms); i++) {
        if (strncmp(r->p, forms[i], strlen(forms[i])) != 0)
            continue;
        r->p += strlen(forms[i]);
        skip(r, SPACE);
        return;
    }
}

static bool read_document(reader_t *r) {
    skip_declaration(r);
    if (*r->p++ != '<' || !read_start_tag(r))
        return false;
    while (r->open != NULL) {
        if (!read_text(r))
            return false;
        if (*r->p != '/') {
            if (!read_start_tag(r))
                return false;
            continue;
        }
        r->p++;
        if (!read_end_tag(r))
            return false;
    }
    skip(r, SPACE);
    return r->p == r->end;
}

static xmlDoc *new_document(fg_arena_t *arena) {
    xmlDoc *doc = fg_arena_alloc(arena, sizeof *doc);
    xmlNs *ns = fg_arena_alloc(arena, sizeof *ns);
    if (doc == NULL || ns == NULL)
        return NULL;
    ns->type = XML_LOCAL_NAMESPACE;
    ns->href = (const xmlChar *)XML_URI;
    ns->prefix = (const xmlChar *)"xml";
    doc->type = XML_DOCUMENT_NODE;
    doc->doc = doc;
    doc->oldNs = ns; /* libxml2 would make one, which nobody would free */
    return doc;
}

xmlDoc *fg_xml_parse_plain(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err) {
    reader_t r;
    r.arena = arena;
    r.limits = limits != NULL ? limits : &fg_xml_default_limits;
    r.open = NULL;
    r.depth = r.elements = r.namespaces = 0;
    if (bytes.n > 0 && bytes.n <= BYTES_MAX && bytes.n <= r.limits->bytes) {
        r.p = fg_arena_strndup(arena, bytes.p, bytes.n);
        r.doc = new_document(arena);
        r.end = r.p + bytes.n;
        if (r.p != NULL && r.doc != NULL && read_document(&r))
            return r.doc;
    }
    return fg_xml_parse(arena, bytes, limits, err);
}
