/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/wsman_parts.h"

#define LINE_MAX_BYTES (64u << 10)
/* DSP0226 §8.3: a filter without Dialect is XPath 1.0 */
#define XPATH_DIALECT "http://www.w3.org/TR/1999/REC-xpath-19991116"

typedef struct writer {
    fg_arena_t *arena;
    fg_claims_t *claims;
    fg_err_t *err;
} writer_t;

/* An empty value says nothing and is left out. */
static bool add(const writer_t *w, fg_str_t type, fg_str_t value) {
    fg_claim_t claim = {.type = type, .value = value, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    return value.n == 0 || fg_claims_add(w->arena, w->claims, &claim) || FG_FAIL(w->err, FG_E_MEMORY, "claims");
}
#define ADD(w, name, value) add((w), FG_STR(FG_REQUEST_CLAIMS name), (value))

/* "Name=Value" */
static bool add_pair(const writer_t *w, fg_str_t type, fg_wsman_pair_t pair) {
    size_t length = pair.name.n + 1 + pair.value.n;
    char *text = fg_arena_alloc(w->arena, length + 1);
    if (text == NULL)
        return FG_FAIL(w->err, FG_E_MEMORY, "claims");
    memcpy(text, pair.name.p, pair.name.n);
    text[pair.name.n] = '=';
    memcpy(text + pair.name.n + 1, pair.value.p, pair.value.n);
    return add(w, type, (fg_str_t){text, length});
}

static bool add_pairs(const writer_t *w, fg_str_t type, const fg_wsman_pairs_t *pairs) {
    for (size_t i = 0; i < pairs->count; i++)
        if (!add_pair(w, type, pairs->items[i]))
            return false;
    return true;
}

static bool add_header(const writer_t *w, const fg_wsman_message_t *message) {
    fg_wsman_pairs_t pairs;
    return ADD(w, "operation", fg_str(message->operation)) && ADD(w, "action", message->action) &&
           ADD(w, "resource", message->resource_uri) &&
           fg_wsman_read_selectors(w->arena, message->header, &pairs, w->err) &&
           add_pairs(w, FG_STR(FG_REQUEST_CLAIMS "selector"), &pairs) &&
           fg_wsman_read_options(w->arena, message->header, &pairs, w->err) &&
           add_pairs(w, FG_STR(FG_REQUEST_CLAIMS "option"), &pairs);
}

/* ---- filters (WM-12) */

/* A filter of elements (association filters, selector filters) is its canonical XML. */
static bool read_filter(const writer_t *w, const xmlNode *filter, fg_str_t *text) {
    if (fg_xml_first_child(filter) == NULL)
        return fg_wsman_text(filter, text, FG_E_WSMAN_FILTER, w->err);
    fg_buf_t xml = FG_BUF_INIT(LINE_MAX_BYTES);
    bool good = fg_xml_canonical((xmlNode *)filter, &xml, w->err);
    if (good)
        *text = fg_arena_str(w->arena, fg_buf_str(&xml));
    fg_buf_free(&xml);
    return good && (text->p != NULL || FG_FAIL(w->err, FG_E_MEMORY, "filter"));
}

static bool add_filter(const writer_t *w, const xmlNode *request) {
    const xmlNode *filter;
    if (!fg_wsman_find_filter(request, &filter, w->err))
        return false;
    if (filter == NULL)
        return true;
    fg_str_t text = FG_STR_NONE, dialect = fg_xml_attr(w->arena, filter, NULL, "Dialect");
    if (!read_filter(w, filter, &text))
        return false;
    if (fg_str_trim(text).n == 0)
        return FG_FAIL(w->err, FG_E_WSMAN_FILTER, "an empty filter");
    return ADD(w, "filter_dialect", dialect.n > 0 ? dialect : FG_STR(XPATH_DIALECT)) && ADD(w, "filter", text);
}

/* ---- shells */

/* MS-WSMV §2.2.4.7: one Command, any number of Arguments; servers join them by spaces. */
static bool add_command(const writer_t *w, const xmlNode *request) {
    fg_buf_t line = FG_BUF_INIT(LINE_MAX_BYTES);
    bool good = true, named = false;
    for (xmlNode *node = fg_xml_first_child(request); node != NULL && good; node = fg_xml_next(node)) {
        fg_str_t text;
        bool command = fg_xml_is(node, FG_NS_RSP, "Command");
        if ((!command && !fg_xml_is(node, FG_NS_RSP, "Arguments")) || command != !named)
            good = FG_FAIL(w->err, FG_E_WSMAN_BODY, "%s in CommandLine", (const char *)node->name);
        good = good && fg_wsman_text(node, &text, FG_E_WSMAN_BODY, w->err) &&
               (command ? ADD(w, "command", text) : ADD(w, "argument", text));
        if (good && text.n > 0) {
            fg_buf_puts(&line, line.length > 0 ? " " : "");
            fg_buf_put_str(&line, text);
        }
        named = true;
    }
    if (good && !fg_buf_ok(&line))
        good = FG_FAIL(w->err, FG_E_WSMAN_BODY, "a command line longer than %u bytes", LINE_MAX_BYTES);
    fg_str_t copy = good ? fg_arena_str(w->arena, fg_buf_str(&line)) : FG_STR_NONE, script;
    fg_buf_free(&line);
    if (!good)
        return false;
    if (copy.p == NULL)
        return FG_FAIL(w->err, FG_E_MEMORY, "command line");
    return ADD(w, "command_line", copy) && fg_wsman_read_script(w->arena, copy, &script, w->err) &&
           ADD(w, "script", script);
}

static bool add_environment(const writer_t *w, const xmlNode *environment) {
    for (xmlNode *node = fg_xml_first_child(environment); node != NULL; node = fg_xml_next(node)) {
        fg_wsman_pair_t pair = {.name = fg_xml_attr(w->arena, node, NULL, "Name")};
        if (!fg_xml_is(node, FG_NS_RSP, "Variable") || pair.name.n == 0)
            return FG_FAIL(w->err, FG_E_WSMAN_BODY, "%s in Environment", (const char *)node->name);
        if (!fg_wsman_text(node, &pair.value, FG_E_WSMAN_BODY, w->err) ||
            !add_pair(w, FG_STR(FG_REQUEST_CLAIMS "environment"), pair))
            return false;
    }
    return true;
}

/* Where a shell begins, and with what around it, decides which program a command means. */
static bool add_shell(const writer_t *w, const xmlNode *request) {
    for (xmlNode *node = fg_xml_first_child(request); node != NULL; node = fg_xml_next(node)) {
        fg_str_t text;
        if (fg_xml_is(node, FG_NS_RSP, "WorkingDirectory") &&
            (!fg_wsman_text(node, &text, FG_E_WSMAN_BODY, w->err) || !ADD(w, "working_directory", text)))
            return false;
        if (fg_xml_is(node, FG_NS_RSP, "Environment") && !add_environment(w, node))
            return false;
    }
    return true;
}

bool fg_wsman_claims(fg_arena_t *arena, const fg_wsman_message_t *message, fg_claims_t *claims, fg_err_t *err) {
    static const struct {
        const char *ns, *name;
        bool (*add)(const writer_t *w, const xmlNode *request);
    } table[] = {
        {FG_NS_WSEN, "Enumerate", add_filter},
        {FG_NS_WSE, "Subscribe", add_filter},
        {FG_NS_RSP, "CommandLine", add_command},
        {FG_NS_RSP, "Shell", add_shell},
    };
    writer_t w = {arena, claims, err};
    const xmlNode *request = fg_xml_first_child(message->body);
    if (!add_header(&w, message))
        return false;
    for (size_t i = 0; request != NULL && i < FG_ARRAY_SIZE(table); i++)
        if (fg_xml_is(request, table[i].ns, table[i].name))
            return table[i].add(&w, request);
    return true;
}
