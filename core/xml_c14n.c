/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Exclusive XML Canonicalization 1.0 (W3C 2002) without comments, of an element's subtree as libxml2 has parsed it: one
 * walk that asks for no memory but the output's.  libxml2's own serves any set of nodes and takes some ten times as
 * long; the tests hold this one against it.
 *
 * A namespace is written where it is visibly utilized and the output around does not have it yet (§3).  What the output
 * has is a stack of bindings; the start tag of an element pushes, its end tag pops. */
#include "core/xml.h"

#include "core/xml_ns.h"
#include "core/xmlwriter.h"

/* A binding is pushed only where it differs from the one before, so there is a declaration in the document for each. */
#define BINDINGS_MAX 256u
#define ATTRIBUTES_MAX 256u
#define DEPTH_MAX 256u
#define CHUNK 4096u

typedef struct binding {
    const char *prefix, *uri; /* "": the default namespace; none */
} binding_t;

typedef struct c14n {
    fg_buf_t *out;
    char *at, *end; /* room reserved at out's end */
    const fg_xml_c14n_t *how;
    const xmlNode *apex;
    binding_t bindings[BINDINGS_MAX];
    unsigned binding_count;
    unsigned short marks[DEPTH_MAX]; /* binding_count before each open element */
    unsigned depth;
    const char *failure;
} c14n_t;

static bool fail(c14n_t *c, const char *why) {
    c->failure = why;
    return false;
}

/* ---- characters (Canonical XML 1.0 §2.3) ---- */

enum { IN_TEXT = 1, IN_ATTRIBUTE = 2, IN_INSTRUCTION = 4, END = 7 };

static const unsigned char specials[256] = {
    ['\0'] = END,
    ['\t'] = IN_ATTRIBUTE,
    ['\n'] = IN_ATTRIBUTE,
    ['\r'] = IN_TEXT | IN_ATTRIBUTE | IN_INSTRUCTION,
    ['"'] = IN_ATTRIBUTE,
    ['&'] = IN_TEXT | IN_ATTRIBUTE,
    ['<'] = IN_TEXT | IN_ATTRIBUTE,
    ['>'] = IN_TEXT,
};

/* Gives the rest of the room back and asks for more; once there is none, nothing is written any more. */
static bool grow(c14n_t *c, size_t length) {
    fg_buf_t *out = c->out;
    out->length = (size_t)(c->at - out->data);
    size_t left = out->maximum - out->length, wish = length + CHUNK < left ? length + CHUNK : length;
    char *room = fg_buf_reserve(out, wish);
    c->at = room != NULL ? room : c->at;
    c->end = room != NULL ? room + wish : c->at;
    return room != NULL;
}

static inline void put(c14n_t *c, const char *bytes, size_t length) {
    if (length > (size_t)(c->end - c->at) && (!fg_buf_ok(c->out) || !grow(c, length)))
        return;
    memcpy(c->at, bytes, length);
    c->at += length;
}

static inline void put_text(c14n_t *c, const char *text) { put(c, text, strlen(text)); }

static void put_escaped(c14n_t *c, const char *text, unsigned where) {
    for (;;) {
        const char *plain = text;
        while ((specials[(unsigned char)*text] & where) == 0)
            text++;
        put(c, plain, (size_t)(text - plain));
        if (*text == '\0')
            return;
        put_text(c, fg_xw_escape(*text++));
    }
}

static void put_name(c14n_t *c, const xmlNs *ns, const xmlChar *name) {
    if (ns != NULL && ns->prefix != NULL && ns->prefix[0] != '\0') {
        put_text(c, (const char *)ns->prefix);
        put(c, ":", 1);
    }
    put_text(c, (const char *)name);
}

/* ---- namespaces ---- */

static const char *or_empty(const xmlChar *text) { return text != NULL ? (const char *)text : ""; }

static bool same(const char *a, const char *b) { return a == b || (*a == *b && strcmp(a, b) == 0); }

/* What the output has for a prefix by now; a prefix without any has "". */
static const char *find_binding(const c14n_t *c, const char *prefix) {
    for (unsigned i = c->binding_count; i > 0; i--)
        if (same(c->bindings[i - 1].prefix, prefix))
            return c->bindings[i - 1].uri;
    return "";
}

/* A relative reference as a namespace name has no canonical form (Canonical XML 1.0 §1.3): XS-16. */
static bool is_absolute(const char *uri) {
    const char *at = uri;
    if (*uri == '\0')
        return true;
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
           (at > uri && ((*at >= '0' && *at <= '9') || *at == '+' || *at == '-' || *at == '.')))
        at++;
    return at > uri && *at == ':';
}

/* Pushes a binding, in the order of prefixes among those of the open element. */
static bool push(c14n_t *c, const char *prefix, const char *uri) {
    unsigned first = c->marks[c->depth - 1], at = c->binding_count;
    if (at == BINDINGS_MAX)
        return fail(c, "too many namespaces");
    if (!is_absolute(uri))
        return fail(c, "relative namespace name");
    for (; at > first && strcmp(c->bindings[at - 1].prefix, prefix) > 0; at--)
        c->bindings[at] = c->bindings[at - 1];
    c->bindings[at] = (binding_t){prefix, uri};
    c->binding_count++;
    return true;
}

/* The prefix xml is bound without a declaration, and is never declared. */
static bool need(c14n_t *c, const char *prefix, const char *uri) {
    return same(find_binding(c, prefix), uri) || strcmp(prefix, "xml") == 0 || push(c, prefix, uri);
}

static bool need_namespace(c14n_t *c, const xmlNs *ns) {
    return ns == NULL ? need(c, "", "") : need(c, or_empty(ns->prefix), or_empty(ns->href));
}

static bool is_listed(const fg_xml_c14n_t *how, const char *prefix) {
    if (*prefix == '\0' && how->as_alone)
        return true;
    const char *name = *prefix != '\0' ? prefix : "#default";
    for (char *const *listed = how->prefixes; listed != NULL && *listed != NULL; listed++)
        if (strcmp(*listed, name) == 0)
            return true;
    return false;
}

/* Prefixes of the PrefixList are treated as in inclusive canonical form (§3): they are due where they are declared. */
static bool need_listed_of(c14n_t *c, const xmlNode *node) {
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        if (!is_absolute(or_empty(ns->href)))
            return fail(c, "relative namespace name");
        if (is_listed(c->how, or_empty(ns->prefix)) && !need_namespace(c, ns))
            return false;
    }
    return true;
}

static bool is_shadowed(const xmlNode *from, const xmlNode *to, const xmlNs *ns) {
    for (; from != to; from = from->parent)
        for (const xmlNs *other = from->nsDef; other != NULL; other = other->next)
            if (same(or_empty(other->prefix), or_empty(ns->prefix)))
                return true;
    return false;
}

/* At the apex also those that it inherits. */
static bool need_inherited(c14n_t *c, const xmlNode *apex) {
    for (const xmlNode *at = apex->parent; at != NULL && at->type == XML_ELEMENT_NODE; at = at->parent)
        for (const xmlNs *ns = at->nsDef; ns != NULL; ns = ns->next)
            if (is_listed(c->how, or_empty(ns->prefix)) && !is_shadowed(apex, at, ns) && !need_namespace(c, ns))
                return false;
    return true;
}

static bool has_default(const c14n_t *c) {
    return c->binding_count > 0 && c->bindings[0].prefix[0] == '\0'; /* sorted: it would be the first */
}

static bool need_of_apex(c14n_t *c, const xmlNode *apex) {
    return need_inherited(c, apex) && (!c->how->as_alone || has_default(c) || push(c, "", ""));
}

static bool need_namespaces(c14n_t *c, const xmlNode *node) {
    if (node->nsDef != NULL && !need_listed_of(c, node))
        return false;
    if (!need_namespace(c, node->ns))
        return false;
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
        if (attribute->ns != NULL && !need_namespace(c, attribute->ns))
            return false;
    return node != c->apex || need_of_apex(c, node);
}

static void put_declarations(c14n_t *c) {
    for (unsigned i = c->marks[c->depth - 1]; i < c->binding_count; i++) {
        const binding_t *binding = &c->bindings[i];
        put_text(c, binding->prefix[0] != '\0' ? " xmlns:" : " xmlns");
        put_text(c, binding->prefix);
        put_text(c, "=\"");
        put_escaped(c, binding->uri, IN_ATTRIBUTE);
        put(c, "\"", 1);
    }
}

/* ---- attributes ---- */

/* By namespace name, then by local name; those in no namespace come first (Canonical XML 1.0 §2.2). */
static int attribute_order(const xmlAttr *a, const xmlAttr *b) {
    int order = a->ns == b->ns ? 0 : strcmp(a->ns ? or_empty(a->ns->href) : "", b->ns ? or_empty(b->ns->href) : "");
    return order != 0 ? order : strcmp((const char *)a->name, (const char *)b->name);
}

static bool put_attribute(c14n_t *c, const xmlAttr *attribute) {
    put(c, " ", 1);
    put_name(c, attribute->ns, attribute->name);
    put_text(c, "=\"");
    for (const xmlNode *text = attribute->children; text != NULL; text = text->next) {
        if (text->type != XML_TEXT_NODE)
            return fail(c, "entity in an attribute");
        put_escaped(c, or_empty(text->content), IN_ATTRIBUTE);
    }
    put(c, "\"", 1);
    return true;
}

static bool put_attributes(c14n_t *c, const xmlNode *node) {
    const xmlAttr *sorted[ATTRIBUTES_MAX];
    unsigned count = 0;
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
        if (count == ATTRIBUTES_MAX)
            return fail(c, "too many attributes");
        unsigned at = count++;
        for (; at > 0 && attribute_order(sorted[at - 1], attribute) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = attribute;
    }
    for (unsigned i = 0; i < count; i++)
        if (!put_attribute(c, sorted[i]))
            return false;
    return true;
}

/* ---- nodes ---- */

static bool put_start(c14n_t *c, const xmlNode *node) {
    if (c->depth == DEPTH_MAX)
        return fail(c, "too deep");
    c->marks[c->depth++] = (unsigned short)c->binding_count;
    if (!need_namespaces(c, node))
        return false;
    put(c, "<", 1);
    put_name(c, node->ns, node->name);
    put_declarations(c);
    if (node->properties != NULL && !put_attributes(c, node))
        return false;
    put(c, ">", 1);
    return true;
}

static void put_end(c14n_t *c, const xmlNode *node) {
    put_text(c, "</");
    put_name(c, node->ns, node->name);
    put(c, ">", 1);
    c->binding_count = c->marks[--c->depth];
}

static void put_instruction(c14n_t *c, const xmlNode *node) {
    put_text(c, "<?");
    put_text(c, (const char *)node->name);
    if (node->content != NULL && node->content[0] != '\0') {
        put(c, " ", 1);
        put_escaped(c, (const char *)node->content, IN_INSTRUCTION);
    }
    put_text(c, "?>");
}

static bool put_node(c14n_t *c, const xmlNode *node) {
    switch (node->type) {
    case XML_ELEMENT_NODE:
        return put_start(c, node);
    case XML_TEXT_NODE:
    case XML_CDATA_SECTION_NODE:
        put_escaped(c, or_empty(node->content), IN_TEXT);
        return true;
    case XML_COMMENT_NODE:
        return true;
    case XML_PI_NODE:
        put_instruction(c, node);
        return true;
    default:
        return fail(c, "a node that is no content");
    }
}

/* The node after this one in document order; elements that end on the way are ended.  NULL: the apex has ended. */
static const xmlNode *go_on(c14n_t *c, const xmlNode *node) {
    bool skipped = node == c->how->without;
    if (node->type == XML_ELEMENT_NODE && node->children != NULL && !skipped)
        return node->children;
    for (;;) {
        if (node->type == XML_ELEMENT_NODE && !skipped)
            put_end(c, node);
        if (node == c->apex)
            return NULL;
        if (node->next != NULL)
            return node->next;
        node = node->parent;
        skipped = false;
    }
}

static bool put_tree(c14n_t *c) {
    for (const xmlNode *node = c->apex; node != NULL; node = go_on(c, node))
        if (node != c->how->without && !put_node(c, node))
            return false;
    return c->apex != c->how->without || fail(c, "nothing is left"); /* XS-16 */
}

bool fg_xml_canonical_as(const xmlNode *element, const fg_xml_c14n_t *how, fg_buf_t *out, fg_err_t *err) {
    c14n_t c; /* without a look at what has not been written yet */
    c.out = out;
    c.how = how;
    c.apex = element;
    c.binding_count = c.depth = 0;
    c.failure = NULL;
    c.at = c.end = fg_buf_reserve(out, 0);
    if (c.at != NULL && put_tree(&c) && fg_buf_ok(out)) {
        out->length = (size_t)(c.at - out->data);
        *c.at = '\0';
        return true;
    }
    if (c.failure != NULL)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "%s cannot be canonicalised: %s", (const char *)element->name,
                       c.failure);
    return FG_FAIL(err, FG_E_XML_LIMIT, "canonical form of %s does not fit", (const char *)element->name);
}

bool fg_xml_canonical_without(xmlNode *element, const xmlNode *without, char **prefixes, fg_buf_t *out, fg_err_t *err) {
    return fg_xml_canonical_as(element, &(fg_xml_c14n_t){.without = without, .prefixes = prefixes}, out, err);
}

bool fg_xml_canonical(xmlNode *node, fg_buf_t *out, fg_err_t *err) {
    return fg_xml_canonical_as(node, &(fg_xml_c14n_t){.without = NULL}, out, err);
}
