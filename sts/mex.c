/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/mex.h"

#include "core/xml_ns.h"
#include "hub/audit.h"
#include "sts/endpoints.h"
#include "sts/rstr.h"
#include "sts/soap.h"
#include "sts/wsdl.h"

static const fg_xns_t ns_mex = {"mex", "http://schemas.xmlsoap.org/ws/2004/09/mex"};

/* WS-MetadataExchange 1.1 §4: what is asked by WS-Transfer's Get. */
static const char get_action[] = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get";
static const char get_response_action[] = "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse";
static const char wsdl_dialect[] = "http://schemas.xmlsoap.org/wsdl/";

/* A browser gets a page, a SOAP client a fault. */
static void refuse(fg_exchange_t *ex, const fg_err_t *err) {
    if (ex->request.method != FG_METHOD_POST) {
        fg_response_error_page(ex, err);
        return;
    }
    const fg_soap_message_t *message = ex->state;
    const fg_audit_field_t fields[] = {
        {"protocol", FG_STR("mex")},
        {"message_id", message ? message->message_id : FG_STR_NONE},
    };
    fg_audit(ex, "refused", err, fields, FG_ARRAY_SIZE(fields));
    fg_soap_fault(ex, message, &fg_trust_words(FG_TRUST_13)->ns, false, err);
}

static fg_str_t own_certificate(const fg_exchange_t *ex) {
    const fg_key_t *key = ex->keys != NULL ? ex->keys->encryption[FG_KEY_ACTIVE] : NULL;
    return key != NULL ? fg_key_get_certificate_base64(key) : FG_STR_NONE;
}

/* Clients read a plain GET's answer: WSDL without a wrapper. */
static bool answer_document(fg_exchange_t *ex, fg_err_t *err) {
    fg_xw_t w;
    fg_buf_reset(&ex->response.body);
    fg_buf_puts(&ex->response.body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    fg_xw_init(&w, &ex->response.body);
    fg_wsdl_write(&w, ex->arena, ex->hub, own_certificate(ex));
    if (!fg_xw_ok(&w) || !fg_buf_ok(&ex->response.body))
        return FG_FAIL(err, FG_E_MEMORY, "the document is too large");
    ex->response.status = 200;
    fg_response_header(ex, "Content-Type", FG_STR("text/xml; charset=utf-8"));
    return true;
}

static bool read_get(fg_exchange_t *ex, fg_soap_message_t *message, fg_err_t *err) {
    if (!fg_soap_read(ex, FG_STS_PATH_MEX, message, err))
        return false;
    if (!fg_str_is(message->action, get_action))
        return FG_FAIL(err, FG_E_WSA_ACTION, "Action %.*s", FG_STR_ARG(message->action));
    if (message->security != NULL)
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "metadata is public, a Security header is not taken");
    if (message->payload != NULL)
        return FG_FAIL(err, FG_E_SOAP_STRUCTURE, "the Body of Get is not empty");
    return true;
}

static bool answer_message(fg_exchange_t *ex, const fg_soap_message_t *message, fg_err_t *err) {
    fg_xw_t w;
    fg_soap_begin(ex, message, get_response_action, false, &w);
    fg_xw_start(&w, &ns_mex, "Metadata");
    fg_xw_start(&w, &ns_mex, "MetadataSection");
    fg_xw_attrz(&w, "Dialect", wsdl_dialect);
    fg_xw_attrz(&w, "Identifier", FG_STS_WSDL_NAMESPACE);
    fg_wsdl_write(&w, ex->arena, ex->hub, own_certificate(ex));
    fg_xw_end(&w);
    fg_xw_end(&w);
    return fg_soap_end(ex, message, 200, &w) || FG_FAIL(err, FG_E_MEMORY, "the document is too large");
}

static bool handle_message(fg_exchange_t *ex, fg_err_t *err) {
    fg_soap_message_t *message = fg_arena_alloc(ex->arena, sizeof *message);
    if (message == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "message");
    ex->state = message;
    return read_get(ex, message, err) && answer_message(ex, message, err);
}

static fg_step_t handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    bool post = ex->request.method == FG_METHOD_POST;
    if (!(post ? handle_message(ex, &err) : answer_document(ex, &err)))
        refuse(ex, &err);
    return FG_STEP_DONE;
}

static const fg_endpoint_t endpoints[] = {
    {FG_STS_PATH_MEX, FG_METHOD_GET | FG_METHOD_POST, true, handle, refuse, .publishes = true},
};

const fg_protocol_t fg_mex_protocol = {"mex", endpoints, FG_ARRAY_SIZE(endpoints)};
