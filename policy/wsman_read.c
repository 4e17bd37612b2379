/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads a request of WS-Management (DSP0226) so strictly that a server which reads sloppily cannot find anything else
 * in it: what is forwarded are the bytes that were read (WM-17). */
#include "core/media_type.h"
#include "policy/wsman_parts.h"

#define ENVELOPE_MIN 8192u      /* DSP0226 §6.2 */
#define ENVELOPE_MAX (1u << 20) /* of answers that may be asked for (WM-14) */

enum slot {
    SLOT_ACTION,
    SLOT_TO,
    SLOT_RESOURCE_URI,
    SLOT_MESSAGE_ID,
    SLOT_REPLY_TO,
    SLOT_FAULT_TO,
    SLOT_SELECTORS,
    SLOT_OPTIONS,
    SLOT_TIMEOUT,
    SLOT_ENVELOPE_SIZE,
    SLOT_IDENTIFIER,
    SLOT_SECURITY,
    SLOTS,
    SLOT_NONE = SLOTS /* understood, given once, not looked at */
};

/* Headers that are understood here or that only the server behind acts on, without changing what is asked for. */
#define HEADER(ns, name, slot, identify) \
    { ns, name, sizeof(name) - 1, slot, identify }
static const struct known_header {
    const char *ns;
    const char *name;
    size_t length; /* of the name */
    enum slot slot;
    bool identify; /* may stand in Identify, which has no addressing (DSP0226 §11) */
} header_table[] = {
    HEADER(FG_NS_WSA_2004, "Action", SLOT_ACTION, false),
    HEADER(FG_NS_WSA_2004, "To", SLOT_TO, false),
    HEADER(FG_NS_WSA_2004, "MessageID", SLOT_MESSAGE_ID, false),
    HEADER(FG_NS_WSA_2004, "ReplyTo", SLOT_REPLY_TO, false),
    HEADER(FG_NS_WSA_2004, "FaultTo", SLOT_FAULT_TO, false),
    HEADER(FG_NS_WSA_2004, "From", SLOT_NONE, false),
    HEADER(FG_NS_WSA_2004, "RelatesTo", SLOT_NONE, false),
    HEADER(FG_NS_WSMAN, "ResourceURI", SLOT_RESOURCE_URI, false),
    HEADER(FG_NS_WSMAN, "SelectorSet", SLOT_SELECTORS, false),
    HEADER(FG_NS_WSMAN, "OptionSet", SLOT_OPTIONS, false),
    HEADER(FG_NS_WSMAN, "OperationTimeout", SLOT_TIMEOUT, true),
    HEADER(FG_NS_WSMAN, "MaxEnvelopeSize", SLOT_ENVELOPE_SIZE, true),
    HEADER(FG_NS_WSMAN, "Locale", SLOT_NONE, true),
    HEADER(FG_NS_WSMAN, "FragmentTransfer", SLOT_NONE, false),
    HEADER(FG_NS_WSMAN, "RequestEPR", SLOT_NONE, false),
    HEADER(FG_NS_WSMAN, "RequestTotalItemsCountEstimate", SLOT_NONE, false),
    HEADER(FG_NS_WSMAN_MS, "DataLocale", SLOT_NONE, true),
    HEADER(FG_NS_WSMAN_MS, "SessionId", SLOT_NONE, true),
    HEADER(FG_NS_WSMAN_MS, "OperationID", SLOT_NONE, true),
    HEADER(FG_NS_WSMAN_MS, "SequenceId", SLOT_NONE, true),
    HEADER(FG_NS_WSMAN_MS, "ActivityId", SLOT_NONE, true),
    HEADER(FG_NS_RSP, "CompressionType", SLOT_NONE, false),
    HEADER(FG_NS_WSE, "Identifier", SLOT_IDENTIFIER, false),
    HEADER(FG_NS_WSSE, "Security", SLOT_SECURITY, true),
};
_Static_assert(FG_ARRAY_SIZE(header_table) <= 32, "one bit each");

/* ---- HTTP */

static fg_str_t unquote(fg_str_t value) {
    value = fg_str_trim(value);
    bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
    return quoted ? (fg_str_t){value.p + 1, value.n - 2} : value;
}

/* WM-05, WM-06, WM-07.  *action: what HTTP says of it; .n 0: nothing. */
static bool read_http(const fg_wsman_http_t *http, fg_str_t *action, fg_err_t *err) {
    fg_media_type_t media;
    if (http->content_type_count != 1 || http->soap_action_count > 1)
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "%zu Content-Type, %zu SOAPAction", http->content_type_count,
                       http->soap_action_count);
    if (!fg_media_type_parse(http->content_type, &media, err))
        return false;
    if (fg_str_eq_nocase(media.type, FG_STR("multipart/encrypted")) ||
        fg_str_eq_nocase(media.type, FG_STR("multipart/x-multi-encrypted")))
        return FG_FAIL(err, FG_E_WSMAN_ENCRYPTED, "Content-Type %.*s", FG_STR_ARG(media.type));
    if (fg_str_eq_nocase(media.type, FG_STR("text/xml")))
        return FG_FAIL(err, FG_E_SOAP_VERSION, "SOAP 1.1");
    if (!fg_str_eq_nocase(media.type, FG_STR("application/soap+xml")))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(media.type));
    if (media.charset.p != NULL && !fg_str_eq_nocase(media.charset, FG_STR("utf-8")))
        return FG_FAIL(err, FG_E_WSMAN_ENCODING, "charset %.*s", FG_STR_ARG(media.charset));
    fg_str_t coding = fg_str_trim(http->content_encoding);
    if (coding.n > 0 && !fg_str_eq_nocase(coding, FG_STR("identity")))
        return FG_FAIL(err, FG_E_WSMAN_ENCODING, "Content-Encoding %.*s", FG_STR_ARG(coding));
    *action = unquote(http->soap_action);
    if (action->n > 0 && media.action.n > 0 && !fg_str_eq(*action, media.action))
        return FG_FAIL(err, FG_E_WSA_ACTION, "SOAPAction and the action of Content-Type differ");
    if (action->n == 0)
        *action = media.action;
    return true;
}

/* ---- the envelope */

static bool holds_only_elements(const xmlNode *parent) {
    for (const xmlNode *node = parent->children; node != NULL; node = node->next)
        if (node->type != XML_ELEMENT_NODE && !xmlIsBlankNode(node))
            return false;
    return true;
}

/* One Header, one Body, nothing else (WM-03); SOAP 1.2 (WM-05). */
static bool read_envelope(const xmlNode *root, fg_wsman_message_t *message, fg_err_t *err) {
    if (!fg_xml_is(root, FG_NS_SOAP12, "Envelope"))
        return FG_FAIL(err, FG_E_SOAP_VERSION, "root element is %s", (const char *)root->name);
    const xmlNode *header = fg_xml_first_child(root);
    if (!fg_xml_is(header, FG_NS_SOAP12, "Header"))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "no Header where it belongs");
    message->header = header;
    const xmlNode *body = fg_xml_next(header);
    if (!fg_xml_is(body, FG_NS_SOAP12, "Body") || fg_xml_next(body) != NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "not exactly one Body behind the Header");
    if (!holds_only_elements(root) || !holds_only_elements(header) || !holds_only_elements(body))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "something else than elements between the parts of the envelope");
    const xmlNode *child = fg_xml_first_child(body);
    if (child != NULL && fg_xml_next(child) != NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "more than one element in the Body");
    message->body = body;
    return true;
}

/* ---- headers */

/* A header for another node than this one could be skipped by one reader and taken by the next. */
static bool check_attributes(fg_arena_t *arena, const xmlNode *header, bool *must, fg_err_t *err) {
    fg_str_t role = FG_STR_NONE, text = FG_STR_NONE;
    *must = false;
    if (header->properties == NULL)
        return true;
    role = fg_xml_attr(arena, header, FG_NS_SOAP12, "role");
    text = fg_str_trim(fg_xml_attr(arena, header, FG_NS_SOAP12, "mustUnderstand"));
    *must = fg_str_is(text, "1") || fg_str_is(text, "true");
    if (role.n > 0 && !fg_str_is(role, FG_NS_SOAP12 "/role/next") &&
        !fg_str_is(role, FG_NS_SOAP12 "/role/ultimateReceiver"))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "header %s for role %.*s", (const char *)header->name,
                       FG_STR_ARG(role));
    if (*must || text.p == NULL || fg_str_is(text, "0") || fg_str_is(text, "false"))
        return true;
    return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "mustUnderstand %.*s", FG_STR_ARG(text));
}

/* By local name, without regard to case: the namespace is checked by whoever asks. */
static const struct known_header *find_known(const xmlNode *header) {
    fg_str_t name = fg_str((const char *)header->name);
    for (size_t i = 0; i < FG_ARRAY_SIZE(header_table); i++)
        if (fg_str_eq_nocase(name, (fg_str_t){header_table[i].name, header_table[i].length}))
            return &header_table[i];
    return NULL;
}

/* Below a header no other may hide that a sloppy reader would find there (WM-02). */
static bool check_nesting(const xmlNode *header, fg_err_t *err) {
    const xmlNode *node = fg_xml_first_child(header);
    while (node != NULL) {
        const struct known_header *known = find_known(node);
        bool addressing = known != NULL && known->slot < SLOT_TIMEOUT;
        if (addressing || fg_xml_is(node, FG_NS_SOAP12, "Body") || fg_xml_is(node, FG_NS_SOAP12, "Header"))
            return FG_FAIL(err, FG_E_WSA_HEADER, "%s inside of %s", (const char *)node->name,
                           (const char *)header->name);
        const xmlNode *next = fg_xml_first_child(node);
        while (next == NULL && node != header) {
            next = fg_xml_next(node);
            node = node->parent;
        }
        node = next;
    }
    return true;
}

static bool take_header(fg_arena_t *arena, const xmlNode *node, const xmlNode **slots, unsigned *seen, fg_err_t *err) {
    const struct known_header *known = find_known(node);
    bool must = false;
    if (!check_attributes(arena, node, &must, err) || !check_nesting(node, err))
        return false;
    if (known == NULL)
        return !must || FG_FAIL(err, FG_E_SOAP_MUST_UNDERSTAND, "header %s", (const char *)node->name);
    if (!fg_xml_is(node, known->ns, known->name))
        return FG_FAIL(err, FG_E_WSA_HEADER, "%s of another namespace", (const char *)node->name);
    unsigned bit = 1u << (unsigned)(known - header_table);
    if ((*seen & bit) != 0)
        return FG_FAIL(err, FG_E_WSA_HEADER, "header %s given twice", known->name);
    *seen |= bit;
    if (known->slot != SLOT_NONE)
        slots[known->slot] = node;
    return true;
}

/* Errors do not stop it, so that a fault can relate to the MessageID: *err keeps the first one. */
static bool collect_headers(fg_arena_t *arena, const xmlNode *header, const xmlNode **slots, unsigned *seen,
                            fg_err_t *err) {
    bool good = true;
    for (xmlNode *node = fg_xml_first_child(header); node != NULL; node = fg_xml_next(node))
        good &= take_header(arena, node, slots, seen, good ? err : NULL);
    return good;
}

/* DSP0226 §5.1.2: compared byte by byte, so only what a reader could not rewrite passes (WM-09). */
static bool check_resource(fg_str_t uri, fg_err_t *err) {
    const char *scheme = memmem(uri.p, uri.n, "://", 3);
    fg_str_t rest = scheme ? (fg_str_t){scheme + 3, uri.n - (size_t)(scheme + 3 - uri.p)} : uri;
    bool good = uri.p[uri.n - 1] != '/' && memmem(rest.p, rest.n, "//", 2) == NULL &&
                memmem(rest.p, rest.n, "/./", 3) == NULL && memmem(rest.p, rest.n, "/../", 4) == NULL;
    for (size_t i = 0; i < uri.n && good; i++)
        good = uri.p[i] > ' ' && uri.p[i] < 0x7f && strchr("%?#\\;<>\"", uri.p[i]) == NULL;
    return good || FG_FAIL(err, FG_E_WSMAN_RESOURCE, "ResourceURI \"%.*s\"", FG_STR_ARG(uri));
}

static bool check_size(const xmlNode *header, fg_err_t *err) {
    fg_str_t text;
    if (header == NULL)
        return true;
    if (!fg_wsman_token(header, &text, FG_E_WSMAN_LIMIT, err))
        return false;
    if (fg_wsman_is_number(text, ENVELOPE_MAX) && !fg_wsman_is_number(text, ENVELOPE_MIN - 1))
        return true;
    return FG_FAIL(err, FG_E_WSMAN_LIMIT, "MaxEnvelopeSize %.*s", FG_STR_ARG(text));
}

/* xs:duration without sign */
static bool check_timeout(const xmlNode *header, fg_err_t *err) {
    fg_str_t text;
    if (header == NULL)
        return true;
    if (!fg_wsman_token(header, &text, FG_E_WSA_HEADER, err))
        return false;
    bool good = text.n > 2 && text.n < 32 && text.p[0] == 'P';
    for (size_t i = 1; i < text.n && good; i++)
        good = strchr("0123456789YMDTHS.", text.p[i]) != NULL;
    return good || FG_FAIL(err, FG_E_WSA_HEADER, "OperationTimeout %.*s", FG_STR_ARG(text));
}

/* DSP0226 §5.4: every request but Identify has them. */
static bool read_required(const xmlNode **slots, fg_wsman_message_t *message, fg_err_t *err) {
    fg_str_t to;
    const struct {
        enum slot slot;
        const char *name;
        fg_str_t *text;
        fg_code_t code;
    } required[] = {
        {SLOT_MESSAGE_ID, "MessageID", &message->message_id, FG_E_WSA_HEADER},
        {SLOT_ACTION, "Action", &message->action, FG_E_WSA_HEADER},
        {SLOT_RESOURCE_URI, "ResourceURI", &message->resource_uri, FG_E_WSMAN_RESOURCE},
        {SLOT_TO, "To", &to, FG_E_WSA_HEADER},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(required); i++) {
        const xmlNode *node = slots[required[i].slot];
        if (node == NULL)
            return FG_FAIL(err, FG_E_WSMAN_HEADER, "no %s", required[i].name);
        if (!fg_wsman_token(node, required[i].text, required[i].code, err))
            return false;
    }
    return true;
}

static bool check_addressing(fg_arena_t *arena, const xmlNode **slots, fg_str_t http_action,
                             fg_wsman_message_t *message, fg_err_t *err) {
    fg_wsman_pairs_t options;
    if (!read_required(slots, message, err))
        return false;
    if (http_action.n > 0 && !fg_str_eq(http_action, message->action))
        return FG_FAIL(err, FG_E_WSA_ACTION, "Action is %.*s, HTTP says %.*s", FG_STR_ARG(message->action),
                       FG_STR_ARG(http_action));
    if (slots[SLOT_REPLY_TO] != NULL && !fg_wsman_check_reply_to(slots[SLOT_REPLY_TO], err))
        return false;
    if (slots[SLOT_FAULT_TO] != NULL && !fg_wsman_check_reply_to(slots[SLOT_FAULT_TO], err))
        return false;
    return check_resource(message->resource_uri, err) && check_size(slots[SLOT_ENVELOPE_SIZE], err) &&
           check_timeout(slots[SLOT_TIMEOUT], err) && fg_wsman_read_options(arena, message->header, &options, err);
}

/* DSP0226 §11: neither Action nor any other addressing. */
static bool check_identify(unsigned seen, fg_str_t http_action, fg_wsman_message_t *message, fg_err_t *err) {
    message->operation = "Identify";
    for (size_t i = 0; i < FG_ARRAY_SIZE(header_table); i++)
        if ((seen & 1u << i) != 0 && !header_table[i].identify)
            return FG_FAIL(err, FG_E_WSA_HEADER, "header %s in Identify", header_table[i].name);
    if (http_action.n > 0)
        return FG_FAIL(err, FG_E_WSA_ACTION, "HTTP says %.*s, the Body Identify", FG_STR_ARG(http_action));
    return true;
}

typedef xmlDoc *(*parse_t)(fg_arena_t *arena, fg_str_t bytes, const fg_xml_limits_t *limits, fg_err_t *err);

static bool read_message(fg_arena_t *arena, const fg_wsman_http_t *http, const fg_xml_limits_t *limits, parse_t parse,
                         fg_wsman_message_t *message, fg_err_t *err) {
    const xmlNode *slots[SLOTS] = {NULL};
    fg_str_t http_action = FG_STR_NONE;
    unsigned seen = 0;
    *message = (fg_wsman_message_t){.operation = NULL};
    if (!read_http(http, &http_action, err))
        return false;
    xmlDoc *doc = parse(arena, http->body, limits, err);
    if (doc == NULL)
        return false;
    bool good = read_envelope(xmlDocGetRootElement(doc), message, err);
    if (message->header != NULL)
        good &= collect_headers(arena, message->header, slots, &seen, good ? err : NULL);
    /* a token is checked by what needs libxml2's own tree */
    if (slots[SLOT_SECURITY] != NULL && parse != fg_xml_parse)
        return read_message(arena, http, limits, fg_xml_parse, message, err);
    if (slots[SLOT_MESSAGE_ID] != NULL &&
        !fg_wsman_token(slots[SLOT_MESSAGE_ID], &message->message_id, FG_E_WSA_HEADER, NULL))
        message->message_id = FG_STR_NONE;
    message->security = (xmlNode *)slots[SLOT_SECURITY];
    if (!good)
        return false;
    if (fg_xml_is(fg_xml_first_child(message->body), FG_NS_WSMID, "Identify"))
        return check_identify(seen, http_action, message, err);
    return check_addressing(arena, slots, http_action, message, err) && fg_wsman_read_operation(arena, message, err);
}

bool fg_wsman_read(fg_arena_t *arena, const fg_wsman_http_t *http, const fg_xml_limits_t *limits,
                   fg_wsman_message_t *message, fg_err_t *err) {
    return read_message(arena, http, limits, fg_xml_parse_plain, message, err);
}
