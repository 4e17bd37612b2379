/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_xrds.h"

#include <stdio.h>
#include <stdlib.h>

#define XRDS_NS "xri://$xrds"
#define XRD_NS "xri://$xrd*($v*2.0)"
#define OPENID_NS "http://openid.net/xmlns/1.0"
#define LEAST 1000000 /* what says no priority comes behind all that do (XRI Resolution 2.0 §4.3.3) */

bool fg_xrds_service_is(const fg_xrds_service_t *service, const char *type) {
    for (size_t i = 0; i < service->type_count; i++)
        if (fg_str_is(service->types[i], type))
            return true;
    return false;
}

/* ---- reading */

typedef struct ranked {
    int service_rank, uri_rank;
    unsigned place; /* in the document */
    fg_xrds_service_t service;
} ranked_t;

typedef struct reader {
    fg_arena_t *arena;
    fg_err_t *err;
    ranked_t found[FG_XRDS_SERVICES];
    size_t count;
} reader_t;

static int rank_of(const reader_t *in, const xmlNode *node) {
    fg_str_t text = fg_xml_attr(in->arena, node, NULL, "priority");
    int rank = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || rank >= LEAST / 10)
            return LEAST;
        rank = rank * 10 + (text.p[i] - '0');
    }
    return text.n > 0 ? rank : LEAST;
}

static bool note_local_id(fg_xrds_service_t *service, fg_str_t id) {
    if (id.n > 0 && service->local_id.n > 0 && !fg_str_eq(id, service->local_id))
        service->local_ids_differ = true;
    else if (id.n > 0)
        service->local_id = id;
    return true;
}

/* One child of a Service; URIs come later. */
static bool read_part(reader_t *in, const xmlNode *node, fg_xrds_service_t *service) {
    bool type = fg_xml_is(node, XRD_NS, "Type");
    if (!type && !fg_xml_is(node, XRD_NS, "LocalID") && !fg_xml_is(node, OPENID_NS, "Delegate"))
        return true;
    fg_str_t text = fg_xml_token(in->arena, node, in->err);
    if (text.p == NULL)
        return false;
    if (!type)
        return note_local_id(service, text);
    if (service->type_count < FG_XRDS_TYPES)
        service->types[service->type_count++] = text;
    return true;
}

static bool read_service(reader_t *in, const xmlNode *node) {
    fg_xrds_service_t service = {.type_count = 0};
    for (const xmlNode *part = fg_xml_first_child(node); part != NULL; part = fg_xml_next(part))
        if (!read_part(in, part, &service))
            return false;
    for (const xmlNode *part = fg_xml_first_child(node); part != NULL; part = fg_xml_next(part)) {
        if (!fg_xml_is(part, XRD_NS, "URI") || in->count == FG_XRDS_SERVICES)
            continue;
        service.uri = fg_xml_token(in->arena, part, in->err);
        if (service.uri.p == NULL)
            return false;
        unsigned place = (unsigned)in->count;
        in->found[in->count++] = (ranked_t){rank_of(in, node), rank_of(in, part), place, service};
    }
    return true;
}

static int compare(const void *a, const void *b) {
    const ranked_t *x = a, *y = b;
    if (x->service_rank != y->service_rank)
        return x->service_rank < y->service_rank ? -1 : 1;
    if (x->uri_rank != y->uri_rank)
        return x->uri_rank < y->uri_rank ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

bool fg_xrds_read(fg_arena_t *arena, fg_str_t bytes, fg_xrds_t *xrds, fg_err_t *err) {
    reader_t *in = fg_arena_alloc(arena, sizeof *in);
    const xmlDoc *doc = in ? fg_xml_parse(arena, bytes, NULL, err) : NULL;
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL, *xrd = NULL;
    xrds->count = 0;
    if (in == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an XRDS document");
    if (root == NULL)
        return false;
    if (!fg_xml_is(root, XRDS_NS, "XRDS"))
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "<%s>, not an XRDS document", (const char *)root->name);
    in->arena = arena;
    in->err = err;
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, XRD_NS, "XRD"))
            xrd = node; /* the last one describes what was asked for (Yadis 1.0 §7.4) */
    if (xrd == NULL)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "an XRDS document without XRD");
    for (const xmlNode *node = fg_xml_first_child(xrd); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, XRD_NS, "Service") && !read_service(in, node))
            return false;
    qsort(in->found, in->count, sizeof in->found[0], compare);
    for (size_t i = 0; i < in->count; i++)
        xrds->services[xrds->count++] = in->found[i].service;
    return true;
}

/* ---- writing */

static const fg_xns_t xrds_ns = {"xrds", XRDS_NS}, xrd_ns = {"", XRD_NS}, openid_ns = {"openid", OPENID_NS};

void fg_xrds_write(fg_xw_t *w, const fg_xrds_service_t *services, size_t count) {
    fg_xw_start(w, &xrds_ns, "XRDS");
    fg_xw_declare(w, &openid_ns);
    fg_xw_start(w, &xrd_ns, "XRD");
    for (size_t i = 0; i < count; i++) {
        const fg_xrds_service_t *service = &services[i];
        char priority[12];
        snprintf(priority, sizeof priority, "%zu", 10 * i);
        fg_xw_start(w, &xrd_ns, "Service");
        fg_xw_attrz(w, "priority", priority);
        for (size_t k = 0; k < service->type_count; k++)
            fg_xw_leaf(w, &xrd_ns, "Type", service->types[k]);
        fg_xw_leaf(w, &xrd_ns, "URI", service->uri);
        /* OpenID 1.1 has another word for the same (§14.2.1) */
        bool old = service->type_count > 0 && fg_str_starts(service->types[0], "http://openid.net/signon/");
        if (service->local_id.n > 0)
            fg_xw_leaf(w, old ? &openid_ns : &xrd_ns, old ? "Delegate" : "LocalID", service->local_id);
        fg_xw_end(w);
    }
    fg_xw_end(w);
    fg_xw_end(w);
}
