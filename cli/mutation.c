/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/mutation.h"

#include <string.h>

#define CANONICAL_MAX (8u << 20)
#define NODES_MAX 2000u

/* ---- where the element is, and its digest */

static bool find_path(fg_mutation_t *m, const xmlNode *element) {
    unsigned back[FG_ARRAY_SIZE(m->path)];
    m->depth = 0;
    for (const xmlNode *node = element; node->parent != NULL && node->parent->type == XML_ELEMENT_NODE;
         node = node->parent) {
        unsigned number = 0;
        for (const xmlNode *child = fg_xml_first_child(node->parent); child != node; child = fg_xml_next(child))
            number++;
        if (m->depth == FG_ARRAY_SIZE(back))
            return false;
        back[m->depth++] = number;
    }
    for (unsigned i = 0; i < m->depth; i++)
        m->path[i] = back[m->depth - 1 - i];
    return true;
}

static xmlNode *follow_path(const fg_mutation_t *m, xmlDoc *doc) {
    xmlNode *node = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    for (unsigned i = 0; node != NULL && i < m->depth; i++) {
        node = fg_xml_first_child(node);
        for (unsigned k = 0; node != NULL && k < m->path[i]; k++)
            node = fg_xml_next(node);
    }
    return node;
}

static xmlNode *child(xmlNode *node, const char *ns, const char *name) {
    return node != NULL ? fg_xml_child(node, ns, name, NULL) : NULL;
}

static bool read_hash(fg_str_t uri, fg_hash_t *hash) {
    static const char *const ends[] = {[FG_HASH_SHA1] = "#sha1",
                                       [FG_HASH_SHA256] = "#sha256",
                                       [FG_HASH_SHA384] = "#sha384",
                                       [FG_HASH_SHA512] = "#sha512"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(ends); i++) {
        size_t length = strlen(ends[i]);
        *hash = (fg_hash_t)i;
        if (uri.n > length && memcmp(uri.p + uri.n - length, ends[i], length) == 0)
            return true;
    }
    return false;
}

static void read_prefixes(fg_mutation_t *m, xmlNode *transforms) {
    size_t count = 0;
    for (xmlNode *node = fg_xml_first_child(transforms); node != NULL; node = fg_xml_next(node)) {
        xmlNode *list = child(node, FG_NS_EXC_C14N, "InclusiveNamespaces");
        fg_str_t text = list ? fg_xml_attr(m->arena, list, NULL, "PrefixList") : FG_STR_NONE;
        char *rest = text.n > 0 ? fg_arena_strndup(m->arena, text.p, text.n) : NULL, *token;
        while (rest != NULL && (token = strsep(&rest, " ")) != NULL && count + 1 < FG_ARRAY_SIZE(m->digest.prefixes))
            if (*token != '\0')
                m->digest.prefixes[count++] = token;
    }
}

static bool read_digest(fg_mutation_t *m, xmlNode *element) {
    xmlNode *info = child(child(element, FG_NS_DS, "Signature"), FG_NS_DS, "SignedInfo");
    xmlNode *reference = child(info, FG_NS_DS, "Reference"), *transforms = child(reference, FG_NS_DS, "Transforms"),
            *method = child(reference, FG_NS_DS, "DigestMethod"), *value = child(reference, FG_NS_DS, "DigestValue");
    fg_buf_t bytes = FG_BUF_INIT(FG_HASH_MAX);
    if (transforms == NULL || method == NULL || value == NULL ||
        !read_hash(fg_xml_attr(m->arena, method, NULL, "Algorithm"), &m->digest.hash))
        return false;
    fg_str_t text = fg_xml_token(m->arena, value, NULL);
    bool good = text.p != NULL && fg_base64_decode_xml(&bytes, text);
    m->digest.value = good ? fg_arena_str(m->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    read_prefixes(m, transforms);
    return m->digest.value.n > 0;
}

bool fg_mutation_begin(fg_mutation_t *m, fg_arena_t *arena, fg_str_t xml, const xmlNode *element) {
    *m = (fg_mutation_t){.arena = arena, .xml = xml};
    return find_path(m, element) && read_digest(m, (xmlNode *)(uintptr_t)element);
}

static bool canonical_of(const fg_mutation_t *m, xmlNode *element, fg_buf_t *out) {
    const fg_xml_c14n_t how = {child(element, FG_NS_DS, "Signature"), m->digest.prefixes, false};
    return fg_xml_canonical_as(element, &how, out, NULL);
}

static bool fits(const fg_mutation_t *m, xmlNode *element) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    unsigned char hash[FG_HASH_MAX];
    bool good = canonical_of(m, element, &out);
    size_t length = good ? fg_hash(m->digest.hash, out.data, out.length, hash) : 0;
    good = good && fg_str_eq((fg_str_t){(const char *)hash, length}, m->digest.value);
    fg_buf_free(&out);
    return good;
}

bool fg_mutation_canonical(const fg_mutation_t *m, fg_buf_t *out) {
    xmlDoc *doc = fg_xml_parse(m->arena, m->xml, NULL, NULL);
    xmlNode *element = follow_path(m, doc);
    return element != NULL && canonical_of(m, element, out);
}

/* ---- one text, changed back: .p NULL: nothing to do */

typedef fg_str_t change_t(fg_arena_t *arena, fg_str_t text);

static fg_str_t without(fg_arena_t *arena, fg_str_t text, const char *characters) {
    char *out = fg_arena_strndup(arena, text.p, text.n);
    size_t length = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++)
        if (strchr(characters, text.p[i]) == NULL)
            out[length++] = text.p[i];
    return length < text.n ? (fg_str_t){out, length} : FG_STR_NONE;
}

static fg_str_t trim(fg_arena_t *arena, fg_str_t text) {
    fg_str_t trimmed = fg_str_trim(text);
    return trimmed.n < text.n ? fg_arena_str(arena, trimmed) : FG_STR_NONE;
}

static fg_str_t without_cr(fg_arena_t *arena, fg_str_t text) { return without(arena, text, "\r"); }

static fg_str_t with_cr(fg_arena_t *arena, fg_str_t text) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    bool changed = false;
    for (size_t i = 0; i < text.n; i++) {
        bool alone = text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r');
        if (alone)
            fg_buf_putc(&out, '\r');
        fg_buf_putc(&out, text.p[i]);
        changed = changed || alone;
    }
    fg_str_t copy = changed ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return copy;
}

static fg_str_t collapse(fg_arena_t *arena, fg_str_t text) {
    char *out = fg_arena_strndup(arena, text.p, text.n);
    size_t length = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        bool space = strchr(" \t\r\n", text.p[i]) != NULL;
        if (!space || (length > 0 && out[length - 1] != ' '))
            out[length++] = space ? ' ' : text.p[i];
    }
    return length < text.n ? (fg_str_t){out, length} : FG_STR_NONE;
}

static bool is_base64(fg_str_t text) {
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr("+/= \t\r\n", c) != NULL);
        if (!good)
            return false;
        count++;
    }
    return count > 60;
}

static fg_str_t unwrapped(fg_arena_t *arena, fg_str_t text) {
    return is_base64(text) ? without(arena, text, " \t\r\n") : FG_STR_NONE;
}

static fg_str_t wrapped(fg_arena_t *arena, fg_str_t text, size_t width, const char *end) {
    fg_str_t bare = without(arena, text, " \t\r\n");
    bare = bare.p != NULL ? bare : text;
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    for (size_t i = 0; i < bare.n; i += width) {
        fg_buf_puts(&out, i > 0 ? end : "");
        fg_buf_add(&out, bare.p + i, bare.n - i < width ? bare.n - i : width);
    }
    fg_str_t copy = is_base64(text) ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return copy;
}

static fg_str_t wrapped_64(fg_arena_t *arena, fg_str_t text) { return wrapped(arena, text, 64, "\n"); }
static fg_str_t wrapped_76(fg_arena_t *arena, fg_str_t text) { return wrapped(arena, text, 76, "\n"); }
static fg_str_t wrapped_76_cr(fg_arena_t *arena, fg_str_t text) { return wrapped(arena, text, 76, "\r\n"); }

static const char *const entities[][2] = {
    {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}};

static fg_str_t replaced(fg_arena_t *arena, fg_str_t text, size_t from) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    bool changed = false;
    for (size_t i = 0; i < text.n;) {
        size_t k = 0;
        while (k < FG_ARRAY_SIZE(entities) && (text.n - i < strlen(entities[k][from]) ||
                                               memcmp(text.p + i, entities[k][from], strlen(entities[k][from])) != 0))
            k++;
        bool found = k < FG_ARRAY_SIZE(entities);
        if (found)
            fg_buf_puts(&out, entities[k][1 - from]);
        else
            fg_buf_putc(&out, text.p[i]);
        i += found ? strlen(entities[k][from]) : 1;
        changed = changed || found;
    }
    fg_str_t copy = changed ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return copy;
}

static fg_str_t unescaped(fg_arena_t *arena, fg_str_t text) { return replaced(arena, text, 0); }
static fg_str_t escaped(fg_arena_t *arena, fg_str_t text) { return replaced(arena, text, 1); }

/* UTF-8 that was read as ISO 8859-1 and written as UTF-8 again. */
static fg_str_t from_latin1(fg_arena_t *arena, fg_str_t text) {
    char *out = fg_arena_strndup(arena, text.p, text.n);
    size_t length = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0xc2 && c <= 0xc3 && i + 1 < text.n)
            out[length++] = (char)(((c & 3) << 6) | (text.p[++i] & 0x3f));
        else
            out[length++] = (char)c;
    }
    return length < text.n && fg_str_is_utf8((fg_str_t){out, length}) ? (fg_str_t){out, length} : FG_STR_NONE;
}

static fg_str_t to_latin1(fg_arena_t *arena, fg_str_t text) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    bool changed = false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80) {
            fg_buf_putc(&out, (char)(0xc0 | (c >> 6)));
            fg_buf_putc(&out, (char)(0x80 | (c & 0x3f)));
            changed = true;
        } else {
            fg_buf_putc(&out, text.p[i]);
        }
    }
    fg_str_t copy = changed ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return copy;
}

/* Letters of Latin-1 with a mark, composed (NFC) and decomposed (NFD): Unicode Standard Annex 15. */
static const struct {
    const char *composed, *decomposed;
} letters[] = {
    {"\u00e4", "a\u0308"}, {"\u00f6", "o\u0308"}, {"\u00fc", "u\u0308"}, {"\u00c4", "A\u0308"}, {"\u00d6", "O\u0308"},
    {"\u00dc", "U\u0308"}, {"\u00eb", "e\u0308"}, {"\u00ef", "i\u0308"}, {"\u00e9", "e\u0301"}, {"\u00c9", "E\u0301"},
    {"\u00e1", "a\u0301"}, {"\u00ed", "i\u0301"}, {"\u00f3", "o\u0301"}, {"\u00fa", "u\u0301"}, {"\u00e8", "e\u0300"},
    {"\u00e0", "a\u0300"}, {"\u00f2", "o\u0300"}, {"\u00f9", "u\u0300"}, {"\u00ea", "e\u0302"}, {"\u00e2", "a\u0302"},
    {"\u00f4", "o\u0302"}, {"\u00ee", "i\u0302"}, {"\u00fb", "u\u0302"}, {"\u00f1", "n\u0303"}, {"\u00e3", "a\u0303"},
    {"\u00f5", "o\u0303"}, {"\u00e5", "a\u030a"}, {"\u00c5", "A\u030a"}, {"\u00e7", "c\u0327"}, {"\u00c7", "C\u0327"},
};

static fg_str_t renormalised(fg_arena_t *arena, fg_str_t text, bool compose) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    bool changed = false;
    for (size_t i = 0; i < text.n;) {
        size_t k = 0, length = 0;
        for (; k < FG_ARRAY_SIZE(letters); k++) {
            const char *from = compose ? letters[k].decomposed : letters[k].composed;
            length = strlen(from);
            if (text.n - i >= length && memcmp(text.p + i, from, length) == 0)
                break;
        }
        bool found = k < FG_ARRAY_SIZE(letters);
        if (found)
            fg_buf_puts(&out, compose ? letters[k].composed : letters[k].decomposed);
        else
            fg_buf_putc(&out, text.p[i]);
        i += found ? length : 1;
        changed = changed || found;
    }
    fg_str_t copy = changed ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return copy;
}

static fg_str_t composed(fg_arena_t *arena, fg_str_t text) { return renormalised(arena, text, true); }
static fg_str_t decomposed(fg_arena_t *arena, fg_str_t text) { return renormalised(arena, text, false); }

/* ---- all texts of an element */

static void change_texts(fg_arena_t *arena, xmlNode *node, change_t *change, bool leaves, bool *changed) {
    for (xmlNode *one = node->children; one != NULL; one = one->next) {
        if (one->type == XML_ELEMENT_NODE && !fg_xml_is(one, FG_NS_DS, "Signature"))
            change_texts(arena, one, change, leaves, changed);
        if (one->type != XML_TEXT_NODE || (leaves && fg_xml_first_child(node) != NULL))
            continue;
        fg_str_t text = change(arena, fg_str((const char *)one->content));
        if (text.p == NULL)
            continue;
        const char *copy = fg_arena_strndup(arena, text.p, text.n);
        if (copy == NULL)
            continue;
        xmlNodeSetContent(one, (const xmlChar *)copy);
        *changed = true;
    }
}

/* Blanks between elements. */
static void drop_blanks(xmlNode *node, bool *changed) {
    for (xmlNode *one = node->children, *next; one != NULL; one = next) {
        next = one->next;
        if (one->type == XML_ELEMENT_NODE && !fg_xml_is(one, FG_NS_DS, "Signature"))
            drop_blanks(one, changed);
        if (one->type != XML_TEXT_NODE || fg_xml_first_child(node) == NULL ||
            fg_str_trim(fg_str((const char *)one->content)).n > 0)
            continue;
        xmlUnlinkNode(one);
        xmlFreeNode(one);
        *changed = true;
    }
}

bool fg_mutation_drop_blanks(xmlNode *node) {
    bool changed = false;
    drop_blanks(node, &changed);
    return changed;
}

/* ---- the table */

static const struct {
    const char *what;
    change_t *change; /* NULL: drop_blanks */
    bool leaves;      /* only values, not what stands between elements */
} undos[] = {
    {"it was indented: white space was put between the elements (pretty-printing)", NULL, false},
    {"white space was put around values", trim, true},
    {"carriage returns were put in (line ends were changed to CR LF)", without_cr, false},
    {"carriage returns were taken out (line ends were changed to LF)", with_cr, false},
    {"white space inside values was multiplied or turned into line ends", collapse, true},
    {"base64 inside it was broken into lines", unwrapped, true},
    {"the lines of base64 inside it were joined or broken anew (64 characters a line before)", wrapped_64, true},
    {"the lines of base64 inside it were joined or broken anew (76 characters a line before)", wrapped_76, true},
    {"the lines of base64 inside it were joined or broken anew (76 characters and CR LF before)", wrapped_76_cr, true},
    {"it was escaped once too often: values hold entities as text", unescaped, true},
    {"it was unescaped once too often: values held entities as text", escaped, true},
    {"it was transcoded: UTF-8 was read as ISO 8859-1", from_latin1, true},
    {"it was transcoded: ISO 8859-1 was read as UTF-8", to_latin1, true},
    {"its letters were decomposed (Unicode NFD)", composed, true},
    {"its letters were composed (Unicode NFC)", decomposed, true},
};

static bool apply(fg_arena_t *arena, xmlNode *element, size_t undo) {
    bool changed = false;
    if (undos[undo].change == NULL)
        drop_blanks(element, &changed);
    else
        change_texts(arena, element, undos[undo].change, undos[undo].leaves, &changed);
    return changed;
}

/* ---- one thing too much */

static xmlNode *nth_element(xmlNode *element, unsigned *number) {
    for (xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_DS, "Signature"))
            continue;
        if ((*number)-- == 0)
            return node;
        xmlNode *found = nth_element(node, number);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Whether it fits without one of the node's attributes. */
static const char *try_attributes(const fg_mutation_t *m, xmlNode *element, xmlNode *node) {
    for (xmlAttr **at = &node->properties; *at != NULL; at = &(*at)->next) {
        xmlAttr *gone = *at;
        *at = gone->next;
        bool good = fits(m, element);
        *at = gone;
        if (good)
            return fg_arena_printf(m->arena, "the attribute %s of <%s> was added", (const char *)gone->name,
                                   (const char *)node->name);
    }
    return NULL;
}

static const char *try_without(const fg_mutation_t *m, xmlNode *element) {
    const char *found = try_attributes(m, element, element);
    for (unsigned number = 0; found == NULL && number < NODES_MAX; number++) {
        unsigned left = number;
        xmlNode *node = nth_element(element, &left);
        if (node == NULL)
            break;
        found = try_attributes(m, element, node);
        if (found != NULL)
            break;
        xmlNode *parent = node->parent, *next = node->next;
        xmlUnlinkNode(node);
        bool good = fits(m, element);
        if (next != NULL)
            xmlAddPrevSibling(next, node);
        else
            xmlAddChild(parent, node);
        if (good)
            found = fg_arena_printf(m->arena, "<%s> in <%s> was added", (const char *)node->name,
                                    (const char *)parent->name);
    }
    return found;
}

/* ---- prefixes and declarations of namespaces */

static const char *try_prefixes(const fg_mutation_t *m, xmlNode *element) {
    static const char *const prefixes[] = {"saml", "saml2", "saml1", "a", "ns0", "ns1",
                                           "ns2",  "samlp", "md",    "",  "asrt"};
    xmlNs *ns = element->ns;
    const xmlChar *was = ns != NULL ? ns->prefix : NULL;
    const char *found = NULL;
    for (size_t i = 0; ns != NULL && found == NULL && i < FG_ARRAY_SIZE(prefixes); i++) {
        ns->prefix = *prefixes[i] != '\0' ? (const xmlChar *)prefixes[i] : NULL;
        if (fits(m, element))
            found = fg_arena_printf(m->arena, "the prefix of the namespace was \"%s\" and became \"%s\"", prefixes[i],
                                    was != NULL ? (const char *)was : "");
    }
    if (ns != NULL)
        ns->prefix = was;
    return found;
}

/* An InclusiveNamespaces list names prefixes that were declared further out, and the element was taken out of there. */
static const char *try_declarations(const fg_mutation_t *m, xmlNode *element) {
    static const char *const known[][2] = {{"xs", FG_NS_XS},      {"xsd", FG_NS_XS},       {"xsi", FG_NS_XSI},
                                           {"saml", FG_NS_SAML2}, {"samlp", FG_NS_SAML2P}, {"ds", FG_NS_DS},
                                           {"wsse", FG_NS_WSSE},  {"wsu", FG_NS_WSU}};
    for (size_t i = 0; m->digest.prefixes[i] != NULL; i++)
        for (size_t k = 0; k < FG_ARRAY_SIZE(known); k++) {
            if (strcmp(m->digest.prefixes[i], known[k][0]) != 0 ||
                xmlSearchNs(element->doc, element, (const xmlChar *)known[k][0]) != NULL)
                continue;
            xmlNewNs(element, (const xmlChar *)known[k][1], (const xmlChar *)known[k][0]);
            if (fits(m, element))
                return fg_arena_printf(m->arena,
                                       "the declaration xmlns:%s was lost when it was taken out of what was "
                                       "around it",
                                       known[k][0]);
        }
    return NULL;
}

/* ---- the search */

static xmlNode *fresh(const fg_mutation_t *m, fg_arena_t *arena) {
    return follow_path(m, fg_xml_parse(arena, m->xml, NULL, NULL));
}

static const char *try_pair(const fg_mutation_t *m, size_t one, size_t other) {
    fg_arena_t *arena = fg_arena_new(0);
    xmlNode *element = arena != NULL ? fresh(m, arena) : NULL;
    bool good = element != NULL && apply(arena, element, one) && (one == other || apply(arena, element, other)) &&
                fits(m, element);
    fg_arena_free(arena);
    if (!good)
        return NULL;
    return one == other ? undos[one].what : fg_arena_printf(m->arena, "%s; and %s", undos[one].what, undos[other].what);
}

static const char *try_tree(const fg_mutation_t *m, const char *(*attempt)(const fg_mutation_t *, xmlNode *)) {
    fg_arena_t *arena = fg_arena_new(0);
    xmlNode *element = arena != NULL ? fresh(m, arena) : NULL;
    const char *found = element != NULL ? attempt(m, element) : NULL;
    fg_arena_free(arena);
    return found;
}

bool fg_mutation_search(fg_mutation_t *m) {
    static const char *(*const attempts[])(const fg_mutation_t *, xmlNode *) = {try_declarations, try_prefixes,
                                                                                try_without};
    for (size_t i = 0; m->found == NULL && i < FG_ARRAY_SIZE(undos); i++)
        m->found = try_pair(m, i, i);
    for (size_t i = 0; m->found == NULL && i < FG_ARRAY_SIZE(attempts); i++)
        m->found = try_tree(m, attempts[i]);
    for (size_t i = 0; m->found == NULL && i < FG_ARRAY_SIZE(undos); i++)
        for (size_t k = 0; m->found == NULL && k < FG_ARRAY_SIZE(undos); k++)
            m->found = i != k ? try_pair(m, i, k) : NULL;
    return m->found != NULL;
}

/* ---- queries */

typedef enum form { FORM_UPPER, FORM_LOWER, FORM_PLUS, FORM_TWENTY } form_t;

static fg_str_t reform(fg_arena_t *arena, fg_str_t query, form_t form) {
    fg_buf_t out = FG_BUF_INIT(CANONICAL_MAX);
    for (size_t i = 0; i < query.n; i++) {
        char c = query.p[i];
        bool escape = i > 0 && (query.p[i - 1] == '%' || (i > 1 && query.p[i - 2] == '%'));
        if (escape && form == FORM_UPPER && c >= 'a' && c <= 'f')
            c = (char)(c - 32);
        if (escape && form == FORM_LOWER && c >= 'A' && c <= 'F')
            c = (char)(c + 32);
        if (form == FORM_PLUS && query.n - i >= 3 && memcmp(query.p + i, "%20", 3) == 0) {
            fg_buf_putc(&out, '+');
            i += 2;
        } else if (form == FORM_TWENTY && c == '+') {
            fg_buf_puts(&out, "%20");
        } else {
            fg_buf_putc(&out, c);
        }
    }
    fg_str_t copy = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return copy;
}

const char *fg_mutation_search_query(fg_arena_t *arena, fg_str_t query, fg_mutation_verify_t *verify, void *context) {
    static const char *const words[] = {
        [FORM_UPPER] = "the percent-escapes of the query were written in upper case (%2F) and arrived in lower case",
        [FORM_LOWER] = "the percent-escapes of the query were written in lower case (%2f) and arrived in upper case",
        [FORM_PLUS] = "blanks in the query were written as + and arrived as %20",
        [FORM_TWENTY] = "blanks in the query were written as %20 and arrived as +"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++) {
        fg_str_t form = reform(arena, query, (form_t)i);
        if (form.p != NULL && !fg_str_eq(form, query) && verify(context, form))
            return words[i];
    }
    return NULL;
}
