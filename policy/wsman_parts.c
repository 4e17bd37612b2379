/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/wsman_parts.h"

#define VALUE_MAX 4096u

bool fg_wsman_text(const xmlNode *node, fg_str_t *text, fg_code_t code, fg_err_t *err) {
    const xmlNode *child = node->children;
    *text = FG_STR("");
    if (child == NULL)
        return true;
    if (child->type != XML_TEXT_NODE || child->next != NULL)
        return FG_FAIL(err, code, "%s: something else than plain text", (const char *)node->name);
    *text = fg_str((const char *)child->content);
    return true;
}

bool fg_wsman_token(const xmlNode *node, fg_str_t *text, fg_code_t code, fg_err_t *err) {
    if (!fg_wsman_text(node, text, code, err))
        return false;
    if (text->n == 0 || text->n > VALUE_MAX || fg_str_trim(*text).n != text->n)
        return FG_FAIL(err, code, "%s: empty, too long or with white space around", (const char *)node->name);
    return true;
}

bool fg_wsman_is_number(fg_str_t text, unsigned long most) {
    unsigned long number = 0;
    if (text.n == 0 || text.n > 10 || text.p[0] == '0')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        number = number * 10 + (unsigned long)(text.p[i] - '0');
    }
    return number <= most;
}

bool fg_wsman_check_reply_to(const xmlNode *reference, fg_err_t *err) {
    unsigned count;
    const xmlNode *address = fg_xml_child(reference, FG_NS_WSA_2004, "Address", &count);
    fg_str_t text = FG_STR_NONE;
    if (count == 1 && fg_wsman_token(address, &text, FG_E_WSMAN_REPLY_TO, NULL) && fg_str_is(text, FG_WSMAN_ANONYMOUS))
        return true;
    return FG_FAIL(err, FG_E_WSMAN_REPLY_TO, "%s is not the anonymous address: %.*s", (const char *)reference->name,
                   FG_STR_ARG(text));
}

/* Names are told apart without regard to case by servers of CIM, and stand before '=' in a claim. */
static bool is_name(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':')))
            return false;
    }
    return name.n > 0 && name.n <= VALUE_MAX;
}

static bool add_pair(fg_arena_t *arena, const xmlNode *node, fg_wsman_pairs_t *pairs, fg_code_t code, fg_err_t *err) {
    fg_wsman_pair_t pair = {.name = fg_xml_attr(arena, node, NULL, "Name")};
    if (!is_name(pair.name))
        return FG_FAIL(err, code, "%s: Name \"%.*s\"", (const char *)node->name, FG_STR_ARG(pair.name));
    for (size_t i = 0; i < pairs->count; i++)
        if (fg_str_eq_nocase(pairs->items[i].name, pair.name))
            return FG_FAIL(err, code, "%s \"%.*s\" twice", (const char *)node->name, FG_STR_ARG(pair.name));
    if (pairs->count == FG_WSMAN_PAIRS_MAX)
        return FG_FAIL(err, code, "%s: more than %d", (const char *)node->name, FG_WSMAN_PAIRS_MAX);
    if (!fg_wsman_text(node, &pair.value, code, err))
        return false;
    if (pair.value.n > VALUE_MAX || fg_str_trim(pair.value).n != pair.value.n)
        return FG_FAIL(err, code, "\"%.*s\": too long or with white space around", FG_STR_ARG(pair.name));
    pairs->items[pairs->count++] = pair;
    return true;
}

/* WM-10 */
static bool read_pairs(fg_arena_t *arena, const xmlNode *set, const char *name, fg_wsman_pairs_t *pairs, fg_code_t code,
                       fg_err_t *err) {
    pairs->count = 0;
    for (xmlNode *node = set ? fg_xml_first_child(set) : NULL; node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_WSMAN, name))
            return FG_FAIL(err, code, "%s in place of a %s", (const char *)node->name, name);
        if (!add_pair(arena, node, pairs, code, err))
            return false;
    }
    return true;
}

bool fg_wsman_read_selectors(fg_arena_t *arena, const xmlNode *header, fg_wsman_pairs_t *pairs, fg_err_t *err) {
    const xmlNode *set = header ? fg_xml_child(header, FG_NS_WSMAN, "SelectorSet", NULL) : NULL;
    return read_pairs(arena, set, "Selector", pairs, FG_E_WSMAN_SELECTOR, err);
}

bool fg_wsman_read_options(fg_arena_t *arena, const xmlNode *header, fg_wsman_pairs_t *pairs, fg_err_t *err) {
    const xmlNode *set = header ? fg_xml_child(header, FG_NS_WSMAN, "OptionSet", NULL) : NULL;
    return read_pairs(arena, set, "Option", pairs, FG_E_WSMAN_OPTION, err);
}

/* wsen:Filter (WS-Enumeration §3.1), wse:Filter (WS-Eventing §3.1) and wsman:Filter in their place (DSP0226 §8.3,
 * §10.2.2); one of them. */
bool fg_wsman_find_filter(const xmlNode *request, const xmlNode **filter, fg_err_t *err) {
    *filter = NULL;
    for (xmlNode *node = fg_xml_first_child(request); node != NULL; node = fg_xml_next(node)) {
        if (strcmp((const char *)node->name, "Filter") != 0)
            continue;
        if (*filter != NULL)
            return FG_FAIL(err, FG_E_WSMAN_FILTER, "more than one Filter");
        if (!fg_xml_is(node, FG_NS_WSMAN, "Filter") && !fg_xml_is(node, FG_NS_WSEN, "Filter") &&
            !fg_xml_is(node, FG_NS_WSE, "Filter"))
            return FG_FAIL(err, FG_E_WSMAN_FILTER, "a Filter of another namespace");
        *filter = node;
    }
    return true;
}
