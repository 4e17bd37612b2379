/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a message asks for: WS-Transfer, WS-Enumeration and WS-Eventing as DSP0226 profiles them, remote shells (MS-WSMV
 * §3.1.4), and methods of a resource (DSP0226 §9). */
#include "policy/wsman_parts.h"

/* Elements in an answer: as many as Windows' MaxBatchItems.  Characters likewise bounded (WM-14). */
#define ELEMENTS_MAX 32000u
#define CHARACTERS_MAX (1u << 20)

enum { OPENS = 1, CLOSES = 2, BOUNDED = 4 /* bounds, filter and addresses are looked at */ };

static const struct operation {
    const char *ns; /* Action: ns "/" name */
    const char *name;
    const char *body; /* its child, of the same namespace; "": none; "*": any */
    fg_wsman_kind_t uses;
    unsigned flags;
} operation_table[] = {
    {FG_NS_WXF, "Get", "", FG_WSMAN_NONE, 0},
    {FG_NS_WXF, "Put", "*", FG_WSMAN_NONE, 0},
    {FG_NS_WXF, "Create", "*", FG_WSMAN_NONE, 0},
    {FG_NS_WXF, "Delete", "", FG_WSMAN_NONE, CLOSES},
    {FG_NS_WSEN, "Enumerate", "Enumerate", FG_WSMAN_NONE, OPENS | BOUNDED},
    {FG_NS_WSEN, "Pull", "Pull", FG_WSMAN_ENUMERATION, OPENS | BOUNDED},
    {FG_NS_WSEN, "Renew", "Renew", FG_WSMAN_ENUMERATION, OPENS},
    {FG_NS_WSEN, "GetStatus", "GetStatus", FG_WSMAN_ENUMERATION, 0},
    {FG_NS_WSEN, "Release", "Release", FG_WSMAN_ENUMERATION, CLOSES},
    {FG_NS_WSE, "Subscribe", "Subscribe", FG_WSMAN_NONE, OPENS | BOUNDED},
    {FG_NS_WSE, "Renew", "Renew", FG_WSMAN_SUBSCRIPTION, 0},
    {FG_NS_WSE, "GetStatus", "GetStatus", FG_WSMAN_SUBSCRIPTION, 0},
    {FG_NS_WSE, "Unsubscribe", "Unsubscribe", FG_WSMAN_SUBSCRIPTION, CLOSES},
    {FG_NS_RSP, "Command", "CommandLine", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Send", "Send", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Receive", "Receive", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Signal", "Signal", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Connect", "Connect", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Disconnect", "Disconnect", FG_WSMAN_SHELL, 0},
    {FG_NS_RSP, "Reconnect", "Reconnect", FG_WSMAN_SHELL, 0},
};

/* The part of the Action behind "prefix/"; .p NULL: it begins otherwise. */
static fg_str_t behind(fg_str_t action, fg_str_t prefix) {
    if (action.n <= prefix.n + 1 || memcmp(action.p, prefix.p, prefix.n) != 0 || action.p[prefix.n] != '/')
        return FG_STR_NONE;
    return (fg_str_t){action.p + prefix.n + 1, action.n - prefix.n - 1};
}

static const struct operation *find_operation(fg_str_t action) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(operation_table); i++)
        if (fg_str_is(behind(action, fg_str(operation_table[i].ns)), operation_table[i].name))
            return &operation_table[i];
    return NULL;
}

/* An NCName of ASCII, as CIM has them. */
static bool is_method(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.n > 0;
}

/* DSP0226 §9: Action is the resource's URI and the method, the Body holds METHOD_INPUT or nothing. */
static bool check_method(const fg_wsman_message_t *message, const xmlNode *child, fg_err_t *err) {
    fg_str_t method = behind(message->action, message->resource_uri);
    if (!is_method(method))
        return FG_FAIL(err, FG_E_WSA_ACTION, "Action %.*s", FG_STR_ARG(message->action));
    if (child == NULL)
        return true;
    fg_str_t name = fg_str((const char *)child->name);
    if (name.n >= method.n && memcmp(name.p, method.p, method.n) == 0 &&
        (name.n == method.n || strcmp(name.p + method.n, "_INPUT") == 0))
        return true;
    return FG_FAIL(err, FG_E_WSMAN_BODY, "%s for method %.*s", name.p, FG_STR_ARG(method));
}

static bool check_body(const struct operation *operation, const xmlNode *child, fg_err_t *err) {
    const char *found = child ? (const char *)child->name : "nothing";
    bool good = operation->body[0] == '\0'  ? child == NULL
                : operation->body[0] == '*' ? child != NULL
                                            : fg_xml_is(child, operation->ns, operation->body);
    return good || FG_FAIL(err, FG_E_WSMAN_BODY, "%s in the Body of %s", found, operation->name);
}

/* ---- contexts (WM-11) */

static bool read_enumeration(const xmlNode *request, fg_wsman_message_t *message, fg_err_t *err) {
    unsigned count;
    const xmlNode *context = fg_xml_child(request, FG_NS_WSEN, "EnumerationContext", &count);
    if (count != 1)
        return FG_FAIL(err, FG_E_WSMAN_BODY, "%u EnumerationContext in the Body", count);
    message->uses.kind = FG_WSMAN_ENUMERATION;
    return fg_wsman_token(context, &message->uses.id, FG_E_WSMAN_BODY, err);
}

/* WS-Eventing §3.3: the reference parameter of SubscribeResponse comes back as a header. */
static bool read_subscription(fg_wsman_message_t *message, fg_err_t *err) {
    const xmlNode *identifier = fg_xml_child(message->header, FG_NS_WSE, "Identifier", NULL);
    if (identifier == NULL)
        return FG_FAIL(err, FG_E_WSMAN_HEADER, "no Identifier of the subscription");
    message->uses.kind = FG_WSMAN_SUBSCRIPTION;
    return fg_wsman_token(identifier, &message->uses.id, FG_E_WSA_HEADER, err);
}

static bool read_shell(const fg_wsman_pairs_t *selectors, fg_wsman_message_t *message) {
    for (size_t i = 0; i < selectors->count; i++)
        if (fg_str_eq_nocase(selectors->items[i].name, FG_STR(FG_WSMAN_SHELL_ID))) {
            message->uses = (fg_wsman_context_t){FG_WSMAN_SHELL, selectors->items[i].value};
            return message->uses.id.n > 0;
        }
    return false;
}

static bool read_context(fg_arena_t *arena, const struct operation *operation, const xmlNode *request,
                         fg_wsman_message_t *message, fg_err_t *err) {
    fg_wsman_pairs_t selectors;
    if (!fg_wsman_read_selectors(arena, message->header, &selectors, err))
        return false;
    if (operation->uses == FG_WSMAN_ENUMERATION)
        return read_enumeration(request, message, err);
    if (operation->uses == FG_WSMAN_SUBSCRIPTION)
        return read_subscription(message, err);
    /* a shell is also what Get, Put and Delete name by its selector */
    if (!read_shell(&selectors, message) && operation->uses == FG_WSMAN_SHELL)
        return FG_FAIL(err, FG_E_WSMAN_SELECTOR, "no " FG_WSMAN_SHELL_ID);
    return true;
}

/* ---- bounds and addresses of Enumerate, Pull and Subscribe */

static bool check_number(const xmlNode *request, const char *ns, const char *name, unsigned long most, fg_err_t *err) {
    unsigned count;
    const xmlNode *node = fg_xml_child(request, ns, name, &count);
    fg_str_t text;
    if (node == NULL)
        return true;
    if (count > 1)
        return FG_FAIL(err, FG_E_WSMAN_BODY, "%s twice", name);
    if (!fg_wsman_token(node, &text, FG_E_WSMAN_LIMIT, err))
        return false;
    return fg_wsman_is_number(text, most) || FG_FAIL(err, FG_E_WSMAN_LIMIT, "%s %.*s", name, FG_STR_ARG(text));
}

static bool check_bounds(const xmlNode *request, fg_err_t *err) {
    return check_number(request, FG_NS_WSMAN, "MaxElements", ELEMENTS_MAX, err) &&
           check_number(request, FG_NS_WSEN, "MaxElements", ELEMENTS_MAX, err) &&
           check_number(request, FG_NS_WSEN, "MaxCharacters", CHARACTERS_MAX, err);
}

/* Events are fetched (pull mode) or go nowhere: no server behind may be made to call another address (WM-15). */
static bool check_addresses(const xmlNode *request, fg_err_t *err) {
    const xmlNode *delivery = fg_xml_child(request, FG_NS_WSE, "Delivery", NULL);
    const xmlNode *places[] = {request, delivery};
    for (size_t i = 0; i < FG_ARRAY_SIZE(places); i++)
        for (xmlNode *node = places[i] ? fg_xml_first_child(places[i]) : NULL; node != NULL; node = fg_xml_next(node)) {
            bool address =
                strcmp((const char *)node->name, "NotifyTo") == 0 || strcmp((const char *)node->name, "EndTo") == 0;
            if (address && !fg_wsman_check_reply_to(node, err))
                return false;
        }
    return true;
}

static bool check_request(const xmlNode *request, fg_err_t *err) {
    const xmlNode *filter;
    return fg_wsman_find_filter(request, &filter, err) && check_bounds(request, err) && check_addresses(request, err);
}

bool fg_wsman_read_operation(fg_arena_t *arena, fg_wsman_message_t *message, fg_err_t *err) {
    static const struct operation method = {NULL, "Invoke", "*", FG_WSMAN_NONE, 0};
    const struct operation *operation = find_operation(message->action);
    const xmlNode *child = fg_xml_first_child(message->body);
    bool good = operation ? check_body(operation, child, err) : check_method(message, child, err);
    if (!good)
        return false;
    if (operation == NULL)
        operation = &method;
    message->operation = operation->name;
    if (!read_context(arena, operation, child, message, err))
        return false;
    message->closes = (operation->flags & CLOSES) != 0 && message->uses.kind != FG_WSMAN_NONE;
    message->opens = (operation->flags & OPENS) != 0 || (child != NULL && fg_xml_is(child, FG_NS_RSP, "Shell"));
    return (operation->flags & BOUNDED) == 0 || check_request(child, err);
}
