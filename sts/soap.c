/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/soap.h"

#include "core/fault.h"
#include "core/media_type.h"
#include "sts/wss.h"

static const struct version_words {
    fg_xns_t ns;
    const char *media_type;
    const char *content_type;
    const char *role; /* attribute that names the node a header is for (SOAP 1.2 §5.2.2, SOAP 1.1 §4.2.2) */
    const char *next; /* its values that mean us */
    const char *ultimate;
    const char *sender;
    const char *receiver;
} version_table[] = {
    [FG_SOAP_12] = {{"s", FG_NS_SOAP12},
                    "application/soap+xml",
                    "application/soap+xml; charset=utf-8",
                    "role",
                    FG_NS_SOAP12 "/role/next",
                    FG_NS_SOAP12 "/role/ultimateReceiver",
                    "Sender",
                    "Receiver"},
    [FG_SOAP_11] = {{"s", FG_NS_SOAP11},
                    "text/xml",
                    "text/xml; charset=utf-8",
                    "actor",
                    "http://schemas.xmlsoap.org/soap/actor/next",
                    "",
                    "Client",
                    "Server"},
};

static const fg_xns_t ns_xml = {"xml", FG_NS_XML};
static const fg_xns_t ns_addressing = {"a", FG_NS_WSA};
static const fg_xns_t ns_security = {"o", FG_NS_WSSE};

static const char anonymous_address[] = FG_NS_WSA "/anonymous";
static const char fault_action[] = FG_NS_WSA "/soap/fault";

/* The headers that are understood.  ADAL for .NET writes messageID. */
enum slot {
    SLOT_ACTION,
    SLOT_MESSAGE_ID,
    SLOT_TO,
    SLOT_REPLY_TO,
    SLOT_FAULT_TO,
    SLOT_SECURITY,
    SLOTS,
    SLOT_NONE = SLOTS
};
static const struct known_header {
    const char *ns;
    const char *name;
    enum slot slot;
    fg_code_t twice;
} header_table[] = {
    {FG_NS_WSA, "Action", SLOT_ACTION, FG_E_WSA_HEADER},
    {FG_NS_WSA, "MessageID", SLOT_MESSAGE_ID, FG_E_WSA_HEADER},
    {FG_NS_WSA, "messageID", SLOT_MESSAGE_ID, FG_E_WSA_HEADER},
    {FG_NS_WSA, "To", SLOT_TO, FG_E_WSA_HEADER},
    {FG_NS_WSA, "ReplyTo", SLOT_REPLY_TO, FG_E_WSA_HEADER},
    {FG_NS_WSA, "FaultTo", SLOT_FAULT_TO, FG_E_WSA_HEADER},
    {FG_NS_WSA, "From", SLOT_NONE, FG_OK},
    {FG_NS_WSA, "RelatesTo", SLOT_NONE, FG_OK},
    {FG_NS_WSSE, "Security", SLOT_SECURITY, FG_E_WSS_STRUCTURE},
    {FG_NS_WSSE11, "EncryptedHeader", SLOT_NONE, FG_OK}, /* until it should have been decrypted */
};

/* ---- HTTP */

/* What Content-Type says besides the media type: charset must be UTF-8, action goes to *action. */
static bool read_content_type(fg_str_t header, fg_str_t *action, fg_err_t *err) {
    fg_media_type_t media;
    if (!fg_media_type_parse(header, &media, err))
        return false;
    if (media.charset.p != NULL && !fg_str_eq_nocase(media.charset, FG_STR("utf-8")))
        return FG_FAIL(err, FG_E_XML_ENCODING, "charset %.*s", FG_STR_ARG(media.charset));
    *action = media.action;
    return true;
}

/* SOAP 1.1 §6.1.1: a quoted URI; clients of Microsoft send it with SOAP 1.2 too.  Empty says nothing. */
static bool read_soap_action(const fg_exchange_t *ex, fg_str_t *action, fg_err_t *err) {
    size_t times = 0;
    fg_str_t value = fg_request_header(&ex->request, "SOAPAction", &times);
    if (times > 1)
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "SOAPAction given %zu times", times);
    value = fg_str_trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = (fg_str_t){value.p + 1, value.n - 2};
    if (value.n == 0)
        return true;
    if (action->p != NULL && !fg_str_eq(*action, value))
        return FG_FAIL(err, FG_E_WSA_ACTION, "SOAPAction and the action of Content-Type differ");
    *action = value;
    return true;
}

/* *action: what HTTP says of it; .p NULL: nothing. */
static bool read_http(const fg_exchange_t *ex, fg_soap_version_t *version, fg_str_t *action, fg_err_t *err) {
    if (ex->request.body_too_large)
        return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "body over %zu bytes", ex->hub->body_max);
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    if (type.p == NULL)
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "not exactly one Content-Type");
    size_t v = 0;
    while (v < FG_ARRAY_SIZE(version_table) && !fg_str_is(type, version_table[v].media_type))
        v++;
    if (v == FG_ARRAY_SIZE(version_table))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    *version = (fg_soap_version_t)v;
    return read_content_type(fg_request_header(&ex->request, "Content-Type", NULL), action, err) &&
           read_soap_action(ex, action, err);
}

/* ---- the envelope */

/* SOAP 1.2 §5: between the elements of Envelope, Header and Body stands nothing but white space (and comments). */
static bool holds_only_elements(const xmlNode *parent) {
    for (const xmlNode *node = parent->children; node != NULL; node = node->next)
        if (node->type != XML_ELEMENT_NODE && node->type != XML_COMMENT_NODE && !xmlIsBlankNode(node))
            return false;
    return true;
}

static bool find_version(const xmlNode *root, fg_soap_version_t *version) {
    for (size_t v = 0; v < FG_ARRAY_SIZE(version_table); v++)
        if (fg_xml_is(root, version_table[v].ns.uri, "Envelope")) {
            *version = (fg_soap_version_t)v;
            return true;
        }
    return false;
}

/* One Header at most, one Body, nothing behind it (XS-09). *header may be NULL. */
static bool read_envelope(const xmlNode *root, const char *ns, xmlNode **header, xmlNode **body, fg_err_t *err) {
    xmlNode *node = fg_xml_first_child(root);
    *header = NULL;
    if (node != NULL && fg_xml_is(node, ns, "Header")) {
        *header = node;
        node = fg_xml_next(node);
    }
    if (node == NULL || !fg_xml_is(node, ns, "Body"))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "no Body where it belongs");
    *body = node;
    if (fg_xml_next(node) != NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "element behind the Body");
    if (!holds_only_elements(root) || (*header != NULL && !holds_only_elements(*header)))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "text between the parts of the envelope");
    return true;
}

static bool read_body(fg_soap_message_t *message, fg_err_t *err) {
    if (!holds_only_elements(message->body))
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "text between the parts of the envelope");
    message->payload = fg_xml_first_child(message->body);
    if (message->payload != NULL && fg_xml_next(message->payload) != NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "more than one element in the Body");
    return true;
}

/* ---- headers */

static bool is_for_us(fg_arena_t *arena, const xmlNode *header, const struct version_words *words) {
    fg_str_t role = fg_str_trim(fg_xml_attr(arena, header, words->ns.uri, words->role));
    return role.n == 0 || fg_str_is(role, words->next) || fg_str_is(role, words->ultimate);
}

static bool must_understand(fg_arena_t *arena, const xmlNode *header, const struct version_words *words, bool *must,
                            fg_err_t *err) {
    fg_str_t value = fg_str_trim(fg_xml_attr(arena, header, words->ns.uri, "mustUnderstand"));
    *must = fg_str_is(value, "1") || fg_str_is(value, "true");
    if (*must || value.p == NULL || fg_str_is(value, "0") || fg_str_is(value, "false"))
        return true;
    return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "mustUnderstand %.*s", FG_STR_ARG(value));
}

static const struct known_header *find_known(const xmlNode *header) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(header_table); i++)
        if (fg_xml_is(header, header_table[i].ns, header_table[i].name))
            return &header_table[i];
    return NULL;
}

/* Sorts the headers that are for us into slots, the first of each; errors do not stop it, so that MessageID is found:
 * *err keeps the first one. */
static bool collect_headers(fg_arena_t *arena, const xmlNode *parent, const struct version_words *words,
                            xmlNode **slots, fg_err_t *err) {
    bool good = true;
    for (xmlNode *node = parent ? fg_xml_first_child(parent) : NULL; node != NULL; node = fg_xml_next(node)) {
        if (!is_for_us(arena, node, words))
            continue;
        fg_err_t *first = good ? err : NULL;
        const struct known_header *known = find_known(node);
        bool must = false;
        good &= must_understand(arena, node, words, &must, first);
        if (known == NULL && must)
            good = FG_FAIL(first, FG_E_SOAP_MUST_UNDERSTAND, "header %s", (const char *)node->name);
        if (known == NULL || known->slot == SLOT_NONE)
            continue;
        if (slots[known->slot] != NULL)
            good = FG_FAIL(first, known->twice, "header %s given twice", known->name);
        else
            slots[known->slot] = node;
    }
    return good;
}

/* A header whose whole content is a URI. .p NULL without an error: not there. */
static bool read_uri(fg_arena_t *arena, const xmlNode *header, fg_str_t *value, fg_err_t *err) {
    *value = FG_STR_NONE;
    if (header == NULL)
        return true;
    *value = fg_xml_token(arena, header, err);
    if (value->p == NULL)
        return fg_err_prefix(err, "header %s", (const char *)header->name);
    if (value->n == 0)
        return FG_FAIL(err, FG_E_WSA_HEADER, "header %s is empty", (const char *)header->name);
    return true;
}

/* WS-Addressing 1.0 core §3.3: answers go back on this connection, never to an address that a message names (WT-10). */
static bool check_reply_address(fg_arena_t *arena, const xmlNode *header, fg_err_t *err) {
    if (header == NULL)
        return true;
    const xmlNode *address = fg_xml_only_child(header, FG_NS_WSA, "Address", NULL);
    fg_str_t value = address ? fg_xml_token(arena, address, NULL) : FG_STR_NONE;
    if (fg_str_is(value, anonymous_address))
        return true;
    return FG_FAIL(err, FG_E_WSA_HEADER, "%s is not the anonymous address: %.*s", (const char *)header->name,
                   FG_STR_ARG(value));
}

static bool is_same_address(fg_str_t a, fg_str_t b) {
    fg_uri_t left, right;
    fg_buf_t origins[2] = {FG_BUF_INIT(1024), FG_BUF_INIT(1024)};
    bool same = fg_uri_is_web(a) && fg_uri_is_web(b) && fg_uri_parse(a, &left) && fg_uri_parse(b, &right) &&
                left.query.p == NULL && fg_str_eq(left.path, right.path) && fg_uri_origin(a, &origins[0]) &&
                fg_uri_origin(b, &origins[1]) && fg_str_eq(fg_buf_str(&origins[0]), fg_buf_str(&origins[1]));
    fg_buf_free(&origins[0]);
    fg_buf_free(&origins[1]);
    return same;
}

/* WS-Addressing 1.0 core §3.4: a message for another endpoint is not answered here. */
static bool check_to(const fg_exchange_t *ex, const xmlNode *header, const char *path, fg_err_t *err) {
    fg_str_t to;
    if (!read_uri(ex->arena, header, &to, err))
        return false;
    if (to.p == NULL)
        return true;
    const char *own = fg_arena_printf(ex->arena, "%.*s%s", (int)ex->hub->base_url.n, ex->hub->base_url.p, path);
    if (own == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "address");
    if (is_same_address(to, fg_str(own)))
        return true;
    return FG_FAIL(err, FG_E_WSA_HEADER, "To is %.*s, this endpoint is %s", FG_STR_ARG(to), own);
}

static bool read_action(const fg_exchange_t *ex, const xmlNode *header, fg_soap_message_t *message, fg_err_t *err) {
    fg_str_t http_action = message->http_action;
    if (!read_uri(ex->arena, header, &message->action, err))
        return false;
    if (header != NULL && http_action.p != NULL && !fg_str_eq(message->action, http_action))
        return FG_FAIL(err, FG_E_WSA_ACTION, "Action is %.*s, HTTP says %.*s", FG_STR_ARG(message->action),
                       FG_STR_ARG(http_action));
    if (header == NULL && message->version == FG_SOAP_11)
        message->action = http_action;
    if (message->action.p == NULL)
        return FG_FAIL(err, FG_E_WSA_HEADER, "no Action");
    return true;
}

static bool read_headers(fg_exchange_t *ex, const char *path, fg_soap_message_t *message, fg_err_t *err) {
    xmlNode *slots[SLOTS] = {NULL};
    bool good = collect_headers(ex->arena, message->header, &version_table[message->version], slots, err);
    message->security = slots[SLOT_SECURITY];
    message->to = slots[SLOT_TO];
    message->addressed = slots[SLOT_ACTION] != NULL || slots[SLOT_MESSAGE_ID] != NULL || slots[SLOT_TO] != NULL;
    message->read = true;
    good = read_uri(ex->arena, slots[SLOT_MESSAGE_ID], &message->message_id, good ? err : NULL) && good;
    return good && read_action(ex, slots[SLOT_ACTION], message, err) && check_to(ex, slots[SLOT_TO], path, err) &&
           check_reply_address(ex->arena, slots[SLOT_REPLY_TO], err) &&
           check_reply_address(ex->arena, slots[SLOT_FAULT_TO], err);
}

bool fg_soap_read(fg_exchange_t *ex, const char *path, fg_soap_message_t *message, fg_err_t *err) {
    *message = (fg_soap_message_t){FG_SOAP_12};
    if (!read_http(ex, &message->version, &message->http_action, err))
        return false;
    xmlDoc *doc = fg_xml_parse(ex->arena, ex->request.body, &ex->hub->xml, err);
    if (doc == NULL)
        return false;
    const xmlNode *root = xmlDocGetRootElement(doc);
    fg_soap_version_t declared = message->version;
    if (!find_version(root, &message->version))
        return FG_FAIL(err, FG_E_SOAP_VERSION, "root element is %s", (const char *)root->name);
    if (!read_envelope(root, version_table[message->version].ns.uri, &message->header, &message->body, err) ||
        !read_body(message, err) || !read_headers(ex, path, message, err))
        return false;
    if (declared != message->version)
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type and envelope are of different versions of SOAP");
    return true;
}

/* WS-Security 1.1 §9.3: EncryptedHeader has the attributes of what is in it. */
static bool is_any_left(const fg_exchange_t *ex, const fg_soap_message_t *message) {
    const struct version_words *words = &version_table[message->version];
    bool must = false;
    for (const xmlNode *node = message->header ? fg_xml_first_child(message->header) : NULL; node != NULL && !must;
         node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_WSSE11, "EncryptedHeader") && is_for_us(ex->arena, node, words) &&
            !must_understand(ex->arena, node, words, &must, NULL))
            must = true;
    return must;
}

bool fg_soap_read_decrypted(fg_exchange_t *ex, const char *path, fg_soap_message_t *message, fg_err_t *err) {
    const xmlNode *security = message->security;
    if (is_any_left(ex, message))
        return FG_FAIL(err, FG_E_SOAP_MUST_UNDERSTAND, "a header that is encrypted, but not to be read here");
    return read_headers(ex, path, message, err) && read_body(message, err) &&
           (message->security == security || FG_FAIL(err, FG_E_WSS_STRUCTURE, "an encrypted Security header"));
}

/* ---- the answer */

static const fg_xns_t ns_utility = {"u", FG_NS_WSU};

/* A Body that will be signed is written by itself: the envelope is made around it in the end. */
static void begin_protected(const fg_soap_message_t *message, const char *action, fg_xw_t *w) {
    message->answer->action = action;
    fg_xw_start(w, &version_table[message->version].ns, "Body");
    fg_xw_attr_ns(w, &ns_utility, "Id", FG_STR(FG_WSS_BODY_ID));
    fg_xw_flush(w);
    message->answer->content_at = w->out->length;
}

static bool end_protected(fg_exchange_t *ex, const fg_soap_message_t *message, fg_xw_t *w) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t *out = &ex->response.body;
    fg_xw_flush(w);
    size_t content_end = out->length;
    fg_xw_end(w);
    fg_wss_protected_t what = {
        .answer = message->answer,
        .soap = &version_table[message->version].ns,
        .action = message->answer->action,
        .relates_to = message->message_id,
        .body = fg_xw_ok(w) ? fg_arena_str(ex->arena, fg_buf_str(out)) : FG_STR_NONE,
        .content_at = message->answer->content_at,
        .content_end = content_end,
    };
    if (what.body.p != NULL && fg_wss_write_protected(ex, &what, out, &err))
        return true;
    fg_log(ex->env, FG_LOG_ERROR, "%s: answer: %s", ex->correlation_id, err.detail);
    return false;
}

static bool is_protected(const fg_soap_message_t *message) { return message->answer != NULL; }

void fg_soap_begin(fg_exchange_t *ex, const fg_soap_message_t *message, const char *action, bool secured, fg_xw_t *w) {
    const fg_xns_t *soap = &version_table[message->version].ns;
    bool addressed = message->addressed || !message->read;
    fg_buf_reset(&ex->response.body);
    fg_xw_init(w, &ex->response.body);
    if (is_protected(message)) {
        begin_protected(message, action, w);
        return;
    }
    fg_xw_start(w, soap, "Envelope");
    fg_xw_start(w, soap, "Header");
    if (addressed) {
        fg_xw_start(w, &ns_addressing, "Action");
        fg_xw_attr_ns(w, soap, "mustUnderstand", FG_STR("1"));
        fg_xw_textz(w, action);
        fg_xw_end(w);
    }
    if (addressed && message->message_id.n != 0)
        fg_xw_leaf(w, &ns_addressing, "RelatesTo", message->message_id);
    if (secured)
        fg_wss_write(w, soap, fg_now(ex->env));
    fg_xw_end(w);
    fg_xw_start(w, soap, "Body");
}

bool fg_soap_end(fg_exchange_t *ex, const fg_soap_message_t *message, int status, fg_xw_t *w) {
    if (is_protected(message)) {
        if (!end_protected(ex, message, w))
            return false;
    } else {
        fg_xw_end(w);
        fg_xw_end(w);
        if (!fg_xw_ok(w) || !fg_buf_ok(&ex->response.body))
            return false;
    }
    ex->response.status = status;
    fg_response_header(ex, "Content-Type", fg_str(version_table[message->version].content_type));
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    return true;
}

/* ---- faults */

/* The code that an error's row selects: a subcode of another specification, or one of SOAP's own codes. */
typedef struct fault_code {
    const fg_xns_t *ns;
    const char *name;
} fault_code_t;

static fault_code_t get_subcode(const fg_fault_t *fault, const fg_xns_t *trust, const fg_xns_t *soap) {
    const fg_xns_t *const families[] = {[FG_FAULT_SOAP] = soap,
                                        [FG_FAULT_WSSE] = &ns_security,
                                        [FG_FAULT_WST] = trust,
                                        [FG_FAULT_WSA] = &ns_addressing};
    return (fault_code_t){families[fault->family], fault->soap_subcode};
}

/* SOAP 1.2 §5.4.6, SOAP 1.1 §4.4.1: these stand in the place of Sender. */
static const char *get_code(const fg_fault_t *fault, const struct version_words *words) {
    if (fault->family == FG_FAULT_SOAP)
        return fault->soap_subcode ? fault->soap_subcode : "VersionMismatch";
    return fault->receiver ? words->receiver : words->sender;
}

static void write_qname(fg_xw_t *w, const fg_xns_t *element_ns, const char *element, const fg_xns_t *ns,
                        const char *name) {
    fg_xw_start(w, element_ns, element);
    fg_xw_declare(w, ns);
    fg_xw_textz(w, ns->prefix);
    fg_xw_textz(w, ":");
    fg_xw_textz(w, name);
    fg_xw_end(w);
}

static void write_fault_12(fg_xw_t *w, const struct version_words *words, const fg_fault_t *fault, fault_code_t subcode,
                           const char *reason) {
    const fg_xns_t *soap = &words->ns;
    fg_xw_start(w, soap, "Code");
    write_qname(w, soap, "Value", soap, get_code(fault, words));
    if (fault->family != FG_FAULT_SOAP) {
        fg_xw_start(w, soap, "Subcode");
        write_qname(w, soap, "Value", subcode.ns, subcode.name);
        fg_xw_end(w);
    }
    fg_xw_end(w);
    fg_xw_start(w, soap, "Reason");
    fg_xw_start(w, soap, "Text");
    fg_xw_attr_ns(w, &ns_xml, "lang", FG_STR("en"));
    fg_xw_textz(w, reason);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* As Windows Communication Foundation does it, the subcode is the faultcode (WS-Security 1.1 §12). */
static void write_fault_11(fg_xw_t *w, const struct version_words *words, const fg_fault_t *fault, fault_code_t subcode,
                           const char *reason) {
    if (fault->family == FG_FAULT_SOAP)
        write_qname(w, NULL, "faultcode", &words->ns, get_code(fault, words));
    else
        write_qname(w, NULL, "faultcode", subcode.ns, subcode.name);
    fg_xw_start(w, NULL, "faultstring");
    fg_xw_attr_ns(w, &ns_xml, "lang", FG_STR("en"));
    fg_xw_textz(w, reason);
    fg_xw_end(w);
}

/* HTTP's own refusals keep their status, the rest is 500 as AD FS sends it (SOAP 1.1 §6.2). */
static int get_status(const fg_fault_t *fault) {
    bool http = fault->code >= FG_E_HTTP_REQUEST && fault->code <= FG_E_HTTP_HOST;
    return http || fg_fault_is_temporary(fault->code) ? fault->http_status : 500;
}

void fg_soap_fault(fg_exchange_t *ex, const fg_soap_message_t *message, const fg_xns_t *trust, bool secured,
                   const fg_err_t *err) {
    static const fg_soap_message_t unknown = {FG_SOAP_12};
    const fg_fault_t *fault = fg_fault_get(err->code);
    if (message == NULL)
        message = &unknown;
    const struct version_words *words = &version_table[message->version];
    fault_code_t subcode = get_subcode(fault, trust, &words->ns);
    const char *reason = fg_arena_printf(ex->arena, "%s (reference %s)", fault->sentence, ex->correlation_id);
    if (reason == NULL)
        reason = fault->sentence;
    fg_xw_t w;
    fg_soap_begin(ex, message, fault_action, secured, &w);
    fg_xw_start(&w, &words->ns, "Fault");
    (message->version == FG_SOAP_12 ? write_fault_12 : write_fault_11)(&w, words, fault, subcode, reason);
    fg_xw_end(&w);
    if (fg_fault_is_temporary(err->code))
        fg_response_header(ex, "Retry-After", FG_STR("2"));
    if (fg_soap_end(ex, message, get_status(fault), &w))
        return;
    fg_buf_reset(&ex->response.body);
    ex->response.status = get_status(fault);
}
