/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Plaintext put in the place of its EncryptedData (XML Encryption 1.1 §4.4).  It is parsed inside an element that
 * declares what is declared at its place, so that scan and parser see it as it will stand there; what it brings can
 * neither end that element nor begin a document of its own.  Then it is copied into the message. */
#include <libxml/hash.h>

#include "core/xmlenc_parts.h"

#define PLACE "p"

typedef struct place {
    fg_arena_t *arena;
    xmlNode *replaced; /* EncryptedData, or the EncryptedHeader around it */
    bool content;
    fg_xml_limits_t limits; /* what is left of them at this place */
} place_t;

/* ---- the form */

static bool read_type(place_t *place, const xmlNode *data, fg_err_t *err) {
    fg_str_t type = fg_xml_attr(place->arena, data, NULL, "Type");
    place->content = fg_str_is(type, FG_NS_XENC "Content");
    return place->content || type.p == NULL || fg_str_is(type, FG_NS_XENC "Element") ||
           FG_FAIL(err, FG_E_SIG_STRUCTURE, "EncryptedData of type '%.*s'", FG_STR_ARG(type));
}

static bool has_element_above(const xmlNode *node) {
    return node->parent != NULL && node->parent->type == XML_ELEMENT_NODE;
}

static bool find_replaced(place_t *place, xmlNode *data, fg_err_t *err) {
    place->replaced = data;
    if (!fg_xml_is(data, FG_NS_XENC, "EncryptedData") || !has_element_above(data))
        return FG_FAIL(err, FG_E_SIG_STRUCTURE, "no EncryptedData inside a document");
    if (!fg_xml_is(data->parent, FG_NS_WSSE11, "EncryptedHeader"))
        return true;
    place->replaced = data->parent;
    return (!place->content && fg_xml_next(fg_xml_first_child(data->parent)) == NULL &&
            has_element_above(data->parent)) ||
           FG_FAIL(err, FG_E_SIG_STRUCTURE, "EncryptedHeader that holds something else than one encrypted element");
}

/* ---- limits */

static xmlNode *next_element(const xmlNode *node) {
    xmlNode *child = fg_xml_first_child(node);
    while (child == NULL && node != NULL && node->type == XML_ELEMENT_NODE) {
        child = fg_xml_next(node);
        node = node->parent;
    }
    return child;
}

static unsigned count_elements(const xmlDoc *doc) {
    unsigned count = 0;
    for (const xmlNode *node = xmlDocGetRootElement(doc); node != NULL; node = next_element(node))
        count++;
    return count;
}

/* What stands there already is taken off; the element around the plaintext is added. */
static bool set_limits(place_t *place, const fg_xml_limits_t *limits, fg_err_t *err) {
    unsigned depth = 0, elements = count_elements(place->replaced->doc);
    place->limits = limits != NULL ? *limits : fg_xml_default_limits;
    for (const xmlNode *node = place->replaced->parent; node != NULL && node->type == XML_ELEMENT_NODE;
         node = node->parent)
        depth++;
    if (depth > place->limits.depth || elements > place->limits.elements)
        return FG_FAIL(err, FG_E_XML_LIMIT, "no room for what is decrypted");
    place->limits.depth -= depth - 1;
    place->limits.elements -= elements - 1;
    return true;
}

/* ---- parsing */

/* As an attribute's value; all of it was one before.  libxml2 keeps an ampersand in a namespace's name as "&#38;",
 * which means the same when it is read again. */
static void put_value(fg_buf_t *out, const xmlChar *value) {
    for (const char *p = (const char *)value; p != NULL && *p != '\0'; p++) {
        if (strchr("<\"\t\r\n", *p) != NULL)
            fg_buf_printf(out, "&#%d;", *p);
        else
            fg_buf_putc(out, *p);
    }
}

/* What is declared there, the nearest of each prefix. */
static bool put_start_tag(const place_t *place, fg_buf_t *out) {
    xmlNs **list = xmlGetNsList(place->replaced->doc, place->replaced->parent);
    fg_buf_puts(out, "<" PLACE);
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        fg_buf_printf(out, " xmlns%s%s=\"", list[i]->prefix ? ":" : "",
                      list[i]->prefix ? (const char *)list[i]->prefix : "");
        put_value(out, list[i]->href);
        fg_buf_putc(out, '"');
    }
    xmlFree(list);
    fg_buf_putc(out, '>');
    return fg_buf_ok(out);
}

/* A byte order mark and an XML declaration, which some put before the element, mean nothing inside a document. */
static fg_str_t skip_head(fg_str_t plain) {
    if (fg_str_starts(plain, "\xef\xbb\xbf"))
        plain = (fg_str_t){plain.p + 3, plain.n - 3};
    const char *end = fg_str_starts(plain, "<?xml ") ? memmem(plain.p, plain.n, "?>", 2) : NULL;
    return end != NULL ? (fg_str_t){end + 2, plain.n - (size_t)(end + 2 - plain.p)} : plain;
}

static xmlNode *parse(place_t *place, fg_str_t plain) {
    fg_buf_t text = FG_BUF_INIT(place->limits.bytes + FG_ENC_CONTENT_MAX);
    xmlDoc *doc = NULL;
    plain = skip_head(plain);
    if (plain.n <= place->limits.bytes && put_start_tag(place, &text)) {
        place->limits.bytes += text.length + sizeof "</" PLACE ">";
        fg_buf_put_str(&text, plain);
        fg_buf_puts(&text, "</" PLACE ">");
        doc = fg_buf_ok(&text) ? fg_xml_parse(place->arena, fg_buf_str(&text), &place->limits, NULL) : NULL;
    }
    fg_buf_free(&text);
    return doc != NULL ? xmlDocGetRootElement(doc) : NULL;
}

/* The one element of Type Element: comments and white space around it are nobody's; text is refused. */
static xmlNode *only_element(const xmlNode *parent) {
    xmlNode *element = fg_xml_first_child(parent);
    for (xmlNode *node = parent->children; node != NULL; node = node->next)
        if (node != element && node->type != XML_COMMENT_NODE && xmlIsBlankNode(node) != 1)
            return NULL;
    return element;
}

/* Copied nodes declare for themselves what they use, so that nothing points back into what they were copied from. */
static bool copy(const place_t *place, xmlNode *parsed, xmlNode **list) {
    xmlDoc *doc = place->replaced->doc;
    xmlNode *from = place->content ? parsed->children : only_element(parsed);
    *list = NULL;
    if (from == NULL)
        return place->content;
    *list = place->content ? xmlDocCopyNodeList(doc, from) : xmlDocCopyNode(from, doc, 1);
    return *list != NULL;
}

/* ---- ids */

/* What a Reference may name: unqualified ones, wsu:Id, xml:id. */
static bool is_id(const xmlAttr *attribute) {
    static const struct {
        const char *ns;
        const char *name;
    } ids[] = {{FG_NS_WSU, "Id"}, {NULL, "Id"}, {NULL, "ID"}, {NULL, "AssertionID"}, {FG_NS_XML, "id"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(ids); i++) {
        bool in_namespace = ids[i].ns == NULL ? attribute->ns == NULL
                                              : attribute->ns != NULL && attribute->ns->href != NULL &&
                                                    strcmp((const char *)attribute->ns->href, ids[i].ns) == 0;
        if (in_namespace && strcmp((const char *)attribute->name, ids[i].name) == 0)
            return true;
    }
    return false;
}

/* Notes the ids of an element and of all below it, except those below without; false: one was noted before. */
static bool note_ids(xmlHashTable *ids, const xmlNode *element, const xmlNode *without) {
    bool unique = true;
    if (element == without)
        return true;
    for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
        const xmlNode *value = is_id(attribute) ? attribute->children : NULL;
        if (value != NULL && value->content != NULL)
            unique = xmlHashAddEntry(ids, value->content, (void *)element) == 0 && unique;
    }
    for (const xmlNode *child = fg_xml_first_child(element); child != NULL; child = fg_xml_next(child))
        unique = note_ids(ids, child, without) && unique;
    return unique;
}

/* XE-06 */
static bool ids_are_new(const place_t *place, xmlNode *list) {
    xmlHashTable *ids = xmlHashCreate(64);
    bool unique = ids != NULL;
    if (ids != NULL)
        (void)!note_ids(ids, xmlDocGetRootElement(place->replaced->doc), place->replaced);
    for (xmlNode *node = fg_xml_element(list); node != NULL && unique; node = fg_xml_next(node))
        unique = note_ids(ids, node, NULL);
    xmlHashFree(ids, NULL);
    return unique;
}

/* ---- replacing */

static void free_node(void *node) { xmlFreeNode(node); }

/* Texts are not joined with their neighbours: somebody may hold those. */
static void splice(xmlNode *replaced, xmlNode *list) {
    xmlNode *parent = replaced->parent, *before = replaced->prev, *after = replaced->next, *last = list;
    xmlUnlinkNode(replaced);
    if (list == NULL)
        return;
    for (xmlNode *node = list; node != NULL; node = node->next) {
        node->parent = parent;
        last = node;
    }
    list->prev = before;
    last->next = after;
    *(before != NULL ? &before->next : &parent->children) = list;
    *(after != NULL ? &after->prev : &parent->last) = last;
}

static bool replace(place_t *place, fg_str_t plain, xmlNode **first, fg_err_t *err) {
    xmlNode *parsed = parse(place, plain), *list = NULL;
    if (parsed == NULL || !copy(place, parsed, &list) || !ids_are_new(place, list)) {
        xmlFreeNodeList(list);
        return FG_FAIL(err, FG_E_DECRYPT, "it cannot be decrypted");
    }
    splice(place->replaced, list);
    *first = list;
    return fg_arena_own(place->arena, free_node, place->replaced) || FG_FAIL(err, FG_E_MEMORY, "decrypted content");
}

bool fg_xmlenc_decrypt(fg_arena_t *arena, xmlNode *data, fg_str_t secret, const fg_xml_limits_t *limits,
                       xmlNode **first, fg_err_t *err) {
    place_t place = {.arena = arena};
    fg_buf_t plain = FG_BUF_INIT(FG_ENC_CONTENT_MAX + FG_ENC_TAG_SIZE);
    *first = NULL;
    if (!read_type(&place, data, err) || !find_replaced(&place, data, err) || !set_limits(&place, limits, err))
        return false;
    bool done = fg_xmlenc_open(arena, data, secret, &plain, err) && replace(&place, fg_buf_str(&plain), first, err);
    fg_buf_free(&plain);
    return done;
}
