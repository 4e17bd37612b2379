/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an answer opens.  Only the places where the protocol puts contexts are looked at: instances that a server hands
 * out may hold elements of the same names. */
#include "policy/wsman_parts.h"

#define ID_MAX 1024u

typedef struct reader {
    fg_wsman_context_t *opened;
    size_t count;
    fg_err_t *err;
} reader_t;

static bool note(reader_t *r, fg_wsman_kind_t kind, const xmlNode *node) {
    fg_str_t id;
    if (!fg_wsman_token(node, &id, FG_E_WSMAN_BODY, r->err))
        return false;
    if (id.n > ID_MAX)
        return FG_FAIL(r->err, FG_E_WSMAN_BODY, "%s of %zu bytes", (const char *)node->name, id.n);
    for (size_t i = 0; i < r->count; i++)
        if (r->opened[i].kind == kind && fg_str_eq(r->opened[i].id, id))
            return true;
    if (r->count == FG_WSMAN_OPENED_MAX)
        return FG_FAIL(r->err, FG_E_WSMAN_BODY, "an answer that opens more than %d", FG_WSMAN_OPENED_MAX);
    r->opened[r->count++] = (fg_wsman_context_t){kind, id};
    return true;
}

static bool is_shell_selector(const xmlNode *node) {
    const xmlAttr *name = node->properties;
    while (name != NULL && (name->ns != NULL || strcmp((const char *)name->name, "Name") != 0))
        name = name->next;
    return fg_xml_is(node, FG_NS_WSMAN, "Selector") && name != NULL && name->children != NULL &&
           fg_str_eq_nocase(fg_str((const char *)name->children->content), FG_STR(FG_WSMAN_SHELL_ID));
}

static bool is_identifier(const xmlNode *node) { return fg_xml_is(node, FG_NS_WSE, "Identifier"); }

/* All below an endpoint reference. */
static bool note_below(reader_t *r, const xmlNode *top, bool (*wanted)(const xmlNode *), fg_wsman_kind_t kind) {
    const xmlNode *node = fg_xml_first_child(top);
    while (node != NULL) {
        if (wanted(node) && !note(r, kind, node))
            return false;
        const xmlNode *next = fg_xml_first_child(node);
        while (next == NULL && node != top) {
            next = fg_xml_next(node);
            node = node->parent;
        }
        node = next;
    }
    return true;
}

/* WS-Enumeration §3.1, §3.2; a pull subscription has one, too (DSP0226 §10.2.9) */
static bool read_enumeration(reader_t *r, const xmlNode *answer) {
    const xmlNode *context = fg_xml_child(answer, FG_NS_WSEN, "EnumerationContext", NULL);
    return context == NULL || context->children == NULL || note(r, FG_WSMAN_ENUMERATION, context);
}

static bool read_subscription(reader_t *r, const xmlNode *answer) {
    const xmlNode *manager = fg_xml_child(answer, FG_NS_WSE, "SubscriptionManager", NULL);
    return read_enumeration(r, answer) &&
           (manager == NULL || note_below(r, manager, is_identifier, FG_WSMAN_SUBSCRIPTION));
}

/* MS-WSMV §3.1.4.5.2: the reference of the new shell, and often the shell itself beside it. */
static bool read_reference(reader_t *r, const xmlNode *answer) {
    return note_below(r, answer, is_shell_selector, FG_WSMAN_SHELL);
}

static bool read_shell(reader_t *r, const xmlNode *answer) {
    const xmlNode *id = fg_xml_child(answer, FG_NS_RSP, FG_WSMAN_SHELL_ID, NULL);
    return id == NULL || note(r, FG_WSMAN_SHELL, id);
}

static bool read_part(reader_t *r, const xmlNode *answer) {
    static const struct {
        const char *ns, *name;
        bool (*read)(reader_t *r, const xmlNode *answer);
    } table[] = {
        {FG_NS_WSEN, "EnumerateResponse", read_enumeration}, {FG_NS_WSEN, "PullResponse", read_enumeration},
        {FG_NS_WSEN, "RenewResponse", read_enumeration},     {FG_NS_WSE, "SubscribeResponse", read_subscription},
        {FG_NS_WXF, "ResourceCreated", read_reference},      {FG_NS_RSP, "Shell", read_shell},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++)
        if (fg_xml_is(answer, table[i].ns, table[i].name))
            return table[i].read(r, answer);
    return true;
}

/* An answer without any of the words opens nothing: most of them need no parser. */
static bool may_open(fg_str_t body) {
    static const char *const words[] = {"EnumerationContext", FG_WSMAN_SHELL_ID, "Identifier"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++)
        if (body.n > 0 && memmem(body.p, body.n, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

bool fg_wsman_read_answer(fg_arena_t *arena, fg_str_t body, const fg_xml_limits_t *limits,
                          fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX], size_t *count, fg_err_t *err) {
    *count = 0;
    if (!may_open(body))
        return true;
    xmlDoc *doc = fg_xml_parse_plain(arena, body, limits, err);
    if (doc == NULL)
        return false;
    const xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *envelope_body = fg_xml_child(root, FG_NS_SOAP12, "Body", NULL);
    if (!fg_xml_is(root, FG_NS_SOAP12, "Envelope") || envelope_body == NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "an answer that is no SOAP 1.2");
    reader_t r = {opened, 0, err};
    for (xmlNode *node = fg_xml_first_child(envelope_body); node != NULL; node = fg_xml_next(node))
        if (!read_part(&r, node))
            return false;
    *count = r.count;
    return true;
}
