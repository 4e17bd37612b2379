/* SPDX-License-Identifier: GPL-2.0-or-later
 * Metadata of more entities than fit into memory: read once from front to back, an element at a time, and listed on the
 * way. */
#include <libxml/xmlreader.h>
#include <string.h>

#include "cli/input.h"
#include "cli/token.h"
#include "core/buf.h"
#include "core/json.h"

#define DEPTH_MAX 64

typedef struct listing {
    xmlTextReader *reader;
    bool json;
    size_t count;
    fg_err_t *err;
    /* the entity that is open */
    fg_buf_t id;
    bool idp, sp, expires;
    char until[40];
} listing_t;

static bool is(const listing_t *l, const char *name) {
    const xmlChar *local = xmlTextReaderConstLocalName(l->reader), *ns = xmlTextReaderConstNamespaceUri(l->reader);
    return local != NULL && ns != NULL && strcmp((const char *)local, name) == 0 &&
           strcmp((const char *)ns, FG_NS_MD) == 0;
}

static void take_attribute(const listing_t *l, const char *name, char *out, size_t size) {
    xmlChar *value = xmlTextReaderGetAttribute(l->reader, (const xmlChar *)name);
    snprintf(out, size, "%s", value != NULL ? (const char *)value : "");
    xmlFree(value);
}

static void begin_entity(listing_t *l) {
    char id[2048];
    take_attribute(l, "entityID", id, sizeof id);
    take_attribute(l, "validUntil", l->until, sizeof l->until);
    fg_buf_reset(&l->id);
    fg_buf_puts(&l->id, id);
    l->idp = l->sp = false;
}

static void end_entity(listing_t *l) {
    fg_buf_t quoted = FG_BUF_INIT(1u << 14);
    if (l->json) {
        fg_json_quote(&quoted, fg_buf_str(&l->id));
        printf("%s\n{\"entity_id\":%.*s,\"idp\":%s,\"sp\":%s}", l->count > 0 ? "," : "", (int)quoted.length,
               quoted.data, l->idp ? "true" : "false", l->sp ? "true" : "false");
    } else {
        printf("  %-3s %-2s  ", l->idp ? "idp" : "", l->sp ? "sp" : "");
        fg_print_safe(stdout, fg_buf_str(&l->id));
        if (l->until[0] != '\0') {
            fputs(", valid until ", stdout);
            fg_print_safe(stdout, fg_str(l->until));
        }
        putchar('\n');
    }
    fg_buf_free(&quoted);
    l->count++;
}

static bool take_node(listing_t *l) {
    int type = xmlTextReaderNodeType(l->reader);
    if (type == XML_READER_TYPE_DOCUMENT_TYPE)
        return FG_FAIL(l->err, FG_E_XML_DTD, "document type declaration");
    if (xmlTextReaderDepth(l->reader) > DEPTH_MAX)
        return FG_FAIL(l->err, FG_E_XML_LIMIT, "elements more than %d deep", DEPTH_MAX);
    bool begins = type == XML_READER_TYPE_ELEMENT, empty = begins && xmlTextReaderIsEmptyElement(l->reader) == 1;
    if (xmlTextReaderDepth(l->reader) == 0 && begins && !is(l, "EntitiesDescriptor"))
        return FG_FAIL_FOR(l->err, FG_E_FILE, FG_R_INPUT_TOO_LARGE,
                           "only metadata of many entities may be that large, and this is <%s>",
                           (const char *)xmlTextReaderConstLocalName(l->reader));
    if (begins && is(l, "EntityDescriptor"))
        begin_entity(l);
    l->idp = l->idp || (begins && is(l, "IDPSSODescriptor"));
    l->sp = l->sp || (begins && is(l, "SPSSODescriptor"));
    if ((type == XML_READER_TYPE_END_ELEMENT || empty) && is(l, "EntityDescriptor"))
        end_entity(l);
    return true;
}

static void ignore(void *context, const char *message, xmlParserSeverities severity, xmlTextReaderLocatorPtr where) {
    (void)context, (void)message, (void)severity, (void)where;
}

/* Anything else of that size is nothing for a token debugger. */
static bool looks_like_xml(const char *path) {
    FILE *file = fopen(path, "rb");
    int c = file != NULL ? fgetc(file) : EOF;
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xef || c == 0xbb || c == 0xbf)
        c = fgetc(file);
    if (file != NULL)
        fclose(file);
    return c == '<';
}

bool fg_token_show_large(const char *path, bool json, fg_err_t *err) {
    int more = 1;
    if (!looks_like_xml(path)) /* *err says that it is too large */
        return fg_err_prefix(err, "neither a token nor metadata");
    listing_t l = {.json = json, .err = err, .reader = xmlReaderForFile(path, NULL, XML_PARSE_NONET)};
    bool good = l.reader != NULL || FG_FAIL(err, FG_E_FILE, "%s cannot be read", path);
    if (!good)
        return false;
    fg_buf_init(&l.id, 4096);
    xmlTextReaderSetErrorHandler(l.reader, ignore, NULL);
    if (json)
        fputs("{\"kind\":\"metadata-aggregate\",\"entities\":[", stdout);
    else
        printf("%s%s%s\n", fg_shade(FG_SHADE_TITLE), fg_piece_title(FG_PIECE_ENTITIES), fg_shade(FG_SHADE_NONE));
    while (good && (more = xmlTextReaderRead(l.reader)) == 1)
        good = take_node(&l);
    if (good && more < 0)
        good = FG_FAIL(err, FG_E_XML_MALFORMED, "line %d: not well-formed", xmlTextReaderGetParserLineNumber(l.reader));
    if (json)
        fputs("\n]}\n", stdout);
    else
        printf("  %zu entities\n", l.count);
    xmlFreeTextReader(l.reader);
    fg_buf_free(&l.id);
    return good;
}
