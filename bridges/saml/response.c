/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/response.h"

#include "core/fault.h"

#define STATUS "urn:oasis:names:tc:SAML:2.0:status:"

/* ---- writing */

static void start_code(fg_xw_t *w, const char *value) {
    fg_xw_start(w, &fg_saml_ns_protocol, "StatusCode");
    fg_xw_attrz(w, "Value", value);
}

/* core §3.2.2.2: who is to blame at the top, what it was below. */
static void write_status(fg_exchange_t *ex, fg_xw_t *w, const fg_err_t *err) {
    const fg_fault_t *fault = err ? fg_fault_get(err->code) : NULL;
    fg_xw_start(w, &fg_saml_ns_protocol, "Status");
    if (fault == NULL) {
        start_code(w, STATUS "Success");
    } else if (err->code == FG_E_SAML_VERSION) {
        start_code(w, STATUS "VersionMismatch");
    } else {
        /* asking in silence is nobody's mistake, and node-saml knows it from failure only if it stands below Responder
         */
        bool theirs = !fault->receiver && fault->http_status == 400 && err->code != FG_E_SAML_PASSIVE;
        start_code(w, theirs ? STATUS "Requester" : STATUS "Responder");
    }
    const char *second = fault == NULL || fault->saml_status == NULL
                             ? NULL
                             : fg_arena_printf(ex->arena, STATUS "%s", fault->saml_status);
    if (second != NULL) {
        start_code(w, second);
        fg_xw_end(w);
    }
    fg_xw_end(w);
    if (fault != NULL) {
        fg_xw_start(w, &fg_saml_ns_protocol, "StatusMessage");
        fg_xw_textz(w, fault->sentence);
        fg_xw_textz(w, " (reference ");
        fg_xw_textz(w, ex->correlation_id);
        fg_xw_textz(w, ")");
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

bool fg_saml_response_write(fg_exchange_t *ex, const fg_saml_response_t *response, fg_buf_t *out, fg_err_t *err) {
    fg_saml_writing_t writing;
    bool begun =
        response->name != NULL
            ? fg_saml_begin_around(ex, &writing, response->name, response->in_response_to, out, err)
            : fg_saml_begin(ex, &writing, "Response", NULL, response->destination, response->in_response_to, out, err);
    if (!begun)
        return false;
    fg_saml_put_issuer(&writing, response->issuer);
    write_status(ex, &writing.w, response->err);
    if (response->assertion.n > 0)
        fg_xw_raw(&writing.w, response->assertion);
    return fg_saml_end(ex, &writing, response->is_signed, out, err);
}

/* ---- reading */

static bool check_status(fg_exchange_t *ex, const xmlNode *root, fg_err_t *err) {
    const xmlNode *status = fg_xml_only_child(root, FG_NS_SAML2P, "Status", NULL);
    const xmlNode *code = status ? fg_xml_only_child(status, FG_NS_SAML2P, "StatusCode", NULL) : NULL;
    if (code == NULL)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "Response without one StatusCode");
    fg_str_t value = fg_str_trim(fg_xml_attr(ex->arena, code, NULL, "Value"));
    if (fg_str_is(value, STATUS "Success"))
        return true;
    const xmlNode *inner = fg_xml_child(code, FG_NS_SAML2P, "StatusCode", NULL);
    const xmlNode *message = fg_xml_child(status, FG_NS_SAML2P, "StatusMessage", NULL);
    fg_str_t second = inner ? fg_xml_attr(ex->arena, inner, NULL, "Value") : FG_STR_NONE;
    fg_str_t text = message ? fg_xml_token(ex->arena, message, NULL) : FG_STR_NONE;
    fg_code_t refused = fg_str_is(second, STATUS "NoPassive") ? FG_E_SAML_PASSIVE : FG_E_SAML_STATUS;
    return FG_FAIL(err, refused, "status %.*s, %.*s: %.*s", FG_STR_ARG(value), FG_STR_ARG(second), FG_STR_ARG(text));
}

/* More than one assertion would leave it open whose session it is (profiles §4.1.4.3). */
xmlNode *fg_saml_response_read(fg_exchange_t *ex, const xmlNode *root, fg_err_t *err) {
    xmlNode *found = NULL;
    if (!fg_xml_is(root, FG_NS_SAML2P, "Response")) {
        FG_FAIL(err, FG_E_SAML_MESSAGE, "<%s> as SAMLResponse", (const char *)root->name);
        return NULL;
    }
    if (!check_status(ex, root, err))
        return NULL;
    for (xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_SAML2, "Assertion") && !fg_xml_is(node, FG_NS_SAML2, "EncryptedAssertion"))
            continue;
        if (found != NULL) {
            FG_FAIL_FOR(err, FG_E_SAML_MESSAGE, FG_R_STRUCTURE_AMBIGUOUS, "Response with more than one assertion");
            return NULL;
        }
        found = node;
    }
    if (found == NULL)
        FG_FAIL(err, FG_E_SAML_MESSAGE, "Response without an assertion");
    return found;
}
