/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Faults of WS-Management (DSP0226 §14) in the form in which Windows sends them: clients show the Reason and the
 * Subcode, and those for Windows the number of WSManFault. */
#include <stdio.h>

#include "core/fault.h"
#include "core/xmlwriter.h"
#include "policy/wsman_parts.h"

#define FAULT_DETAIL "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
#define ACCESS_DENIED_NUMBER "5" /* ERROR_ACCESS_DENIED */

static const fg_xns_t ns_xml = {"xml", FG_NS_XML};
static const fg_xns_t ns_soap = {"s", FG_NS_SOAP12};
static const fg_xns_t ns_addressing = {"a", FG_NS_WSA_2004};
static const fg_xns_t ns_wsman = {"w", FG_NS_WSMAN};
static const fg_xns_t ns_windows = {"f", "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"};

static const struct family {
    fg_xns_t ns;
    const char *action;
} family_table[] = {
    {{"w", FG_NS_WSMAN}, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"},
    {{"a", FG_NS_WSA_2004}, FG_NS_WSA_2004 "/fault"},
    {{"n", FG_NS_WSEN}, FG_NS_WSEN "/fault"},
    {{"e", FG_NS_WSE}, FG_NS_WSE "/fault"},
    {{"s", FG_NS_SOAP12}, FG_NS_WSA_2004 "/fault"},
};

static const struct family *find_family(const char *prefix) {
    size_t i = 0;
    while (i + 1 < FG_ARRAY_SIZE(family_table) && strcmp(family_table[i].ns.prefix, prefix) != 0)
        i++;
    return &family_table[i];
}

/* An unknown shell or subscription is none of enumeration's faults. */
static fg_fault_wsman_t choose_face(const fg_wsman_message_t *message, fg_code_t code) {
    fg_fault_wsman_t face = fg_fault_wsman(code);
    if (code == FG_E_WSMAN_CONTEXT && message->uses.kind == FG_WSMAN_SHELL)
        return (fg_fault_wsman_t){"w", "InvalidSelectors", "UnexpectedSelectors", false, face.sentence};
    if (code == FG_E_WSMAN_CONTEXT && message->uses.kind == FG_WSMAN_SUBSCRIPTION)
        return (fg_fault_wsman_t){"e", "InvalidMessage", NULL, false, face.sentence};
    return face;
}

static bool write_header(const fg_env_t *env, const fg_wsman_message_t *message, const char *action, fg_xw_t *w) {
    char id[FG_ID_SIZE], uri[FG_ID_SIZE + 8];
    if (!fg_id_uuid(env, id))
        return false;
    snprintf(uri, sizeof uri, "uuid:%s", id);
    fg_xw_start(w, &ns_soap, "Header");
    fg_xw_leafz(w, &ns_addressing, "Action", action);
    fg_xw_leafz(w, &ns_addressing, "MessageID", uri);
    if (message->message_id.n > 0)
        fg_xw_leaf(w, &ns_addressing, "RelatesTo", message->message_id);
    fg_xw_leafz(w, &ns_addressing, "To", FG_WSMAN_ANONYMOUS);
    fg_xw_end(w);
    return true;
}

static void write_value(fg_xw_t *w, const fg_xns_t *ns, const char *name) {
    fg_xw_start(w, &ns_soap, "Value");
    fg_xw_declare(w, ns);
    fg_xw_textz(w, ns->prefix);
    fg_xw_textz(w, ":");
    fg_xw_textz(w, name);
    fg_xw_end(w);
}

/* SOAP's own codes (MustUnderstand, VersionMismatch) stand in the place of Sender (SOAP 1.2 §5.4.6). */
static void write_code(fg_xw_t *w, const struct family *family, const fg_fault_wsman_t *face) {
    bool own = strcmp(family->ns.prefix, "s") == 0;
    fg_xw_start(w, &ns_soap, "Code");
    write_value(w, &ns_soap, own ? face->subcode : face->receiver ? "Receiver" : "Sender");
    if (!own) {
        fg_xw_start(w, &ns_soap, "Subcode");
        write_value(w, &family->ns, face->subcode);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

static void write_detail(fg_xw_t *w, const fg_wsman_message_t *message, const fg_fault_wsman_t *face,
                         const char *sentence) {
    bool denied = strcmp(face->subcode, "AccessDenied") == 0;
    bool action = strcmp(face->subcode, "ActionNotSupported") == 0 && message->action.n > 0;
    if (face->detail == NULL && !denied && !action)
        return;
    fg_xw_start(w, &ns_soap, "Detail");
    if (action)
        fg_xw_leaf(w, &ns_addressing, "Action", message->action); /* WS-Addressing 2004/08 §4.5 */
    if (face->detail != NULL) {
        fg_xw_start(w, &ns_wsman, "FaultDetail");
        fg_xw_textz(w, FAULT_DETAIL);
        fg_xw_textz(w, face->detail);
        fg_xw_end(w);
    }
    if (denied) {
        fg_xw_start(w, &ns_windows, "WSManFault");
        fg_xw_attrz(w, "Code", ACCESS_DENIED_NUMBER);
        fg_xw_leafz(w, &ns_windows, "Message", sentence);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

/* 401 asks for credentials.  All else is 500, as Windows sends it: wsman shows a fault of 400 and 500 only. */
static int choose_status(const fg_fault_t *fault) { return fault->http_status == 401 ? 401 : 500; }

bool fg_wsman_fault(const fg_env_t *env, const fg_wsman_message_t *message, const fg_err_t *err, fg_buf_t *out,
                    int *status) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    fg_fault_wsman_t face = choose_face(message, fault->code);
    const struct family *family = find_family(face.prefix);
    const char *sentence = face.sentence ? face.sentence : fault->sentence;
    fg_xw_t w;
    *status = choose_status(fault);
    fg_xw_init(&w, out);
    fg_xw_start(&w, &ns_soap, "Envelope");
    if (!write_header(env, message, family->action, &w))
        return false;
    fg_xw_start(&w, &ns_soap, "Body");
    fg_xw_start(&w, &ns_soap, "Fault");
    write_code(&w, family, &face);
    fg_xw_start(&w, &ns_soap, "Reason");
    fg_xw_start(&w, &ns_soap, "Text");
    fg_xw_attr_ns(&w, &ns_xml, "lang", FG_STR("en-US"));
    fg_xw_textz(&w, sentence);
    fg_xw_end(&w);
    fg_xw_end(&w);
    write_detail(&w, message, &face, sentence);
    fg_xw_end(&w);
    fg_xw_end(&w);
    fg_xw_end(&w);
    return fg_xw_ok(&w) && fg_buf_ok(out);
}
