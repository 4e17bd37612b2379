/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One address for all messages that browsers bring, as AD FS has it: what a message is says its root element. */
#include "bridges/saml/artifact.h"
#include "bridges/saml/saml.h"
#include "bridges/saml/soap.h"

fg_str_t fg_saml_url(fg_exchange_t *ex, const char *path) {
    fg_str_t base = ex->hub->base_url;
    return fg_str(fg_arena_printf(ex->arena, "%.*s%s", (int)base.n, base.p, path));
}

fg_str_t fg_saml_own_url(fg_exchange_t *ex) { return fg_saml_url(ex, FG_SAML_PATH); }

fg_step_t fg_saml_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    fg_response_error_page(ex, err);
    return FG_STEP_DONE;
}

/* ---- whose request it is */

/* "name=" at the beginning or behind '&'. */
static bool has_param(fg_str_t text, const char *name) {
    size_t n = strlen(name);
    while (text.n > n) {
        if (memcmp(text.p, name, n) == 0 && text.p[n] == '=')
            return true;
        const char *next = memchr(text.p, '&', text.n);
        size_t step = next ? (size_t)(next - text.p) + 1 : text.n;
        text = (fg_str_t){text.p + step, text.n - step};
    }
    return false;
}

/* Our own addresses, by their parameter. */
static const struct {
    const char *param;
    fg_handler_t handle;
} own[] = {
    {FG_SAML_ERRAND, fg_saml_sign_on_again},
    {FG_SAML_SIGNOUT, fg_saml_sign_out_go_on},
    {FG_SAML_AGAIN, fg_saml_sign_out_again},
    {FG_SAML_FORM, fg_saml_show_form},
};

static fg_handler_t find_own(const fg_exchange_t *ex) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(own); i++)
        if (has_param(ex->request.query, own[i].param))
            return own[i].handle;
    return NULL;
}

static fg_str_t get_message(const fg_exchange_t *ex) {
    return ex->request.method == FG_METHOD_POST ? ex->request.body : ex->request.query;
}

static bool is_meant(const fg_exchange_t *ex) {
    fg_str_t text = get_message(ex);
    return find_own(ex) != NULL || has_param(text, "SAMLRequest") || has_param(text, "SAMLResponse") ||
           has_param(text, FG_SAML_ARTIFACT_PARAM);
}

/* ---- what it is */

static const struct {
    const char *name;
    bool is_response;
    fg_step_t (*handle)(fg_exchange_t *ex, fg_saml_inbound_t *in);
} messages[] = {
    {"AuthnRequest", false, fg_saml_sign_on},
    {"Response", true, fg_saml_consume},
    {"LogoutRequest", false, fg_saml_sign_out},
    {"LogoutResponse", true, fg_saml_sign_out_answered},
};

static fg_step_t handle(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_saml_inbound_t in;
    fg_handler_t handle_own = find_own(ex);
    if (handle_own != NULL)
        return handle_own(ex);
    if (has_param(get_message(ex), FG_SAML_ARTIFACT_PARAM))
        return fg_saml_artifact_receive(ex, &in, &err) ? fg_saml_consume(ex, &in) : fg_saml_refuse(ex, &err);
    if (!fg_saml_receive(ex, &in, &err))
        return fg_saml_refuse(ex, &err);
    for (size_t i = 0; i < FG_ARRAY_SIZE(messages); i++)
        if (fg_xml_is(in.root, FG_NS_SAML2P, messages[i].name) && in.is_response == messages[i].is_response)
            return messages[i].handle(ex, &in);
    FG_FAIL(&err, FG_E_SAML_UNSUPPORTED, "<%s> as %s", (const char *)in.root->name,
            in.is_response ? "SAMLResponse" : "SAMLRequest");
    return fg_saml_refuse(ex, &err);
}

static const fg_endpoint_t endpoints[] = {
    {FG_SAML_DISCOVERY_PATH, FG_METHOD_GET, true, fg_saml_discover, fg_response_error_page, NULL},
    {FG_SAML_SP_METADATA_PATH, FG_METHOD_GET, true, fg_saml_sp_metadata, fg_response_error_page, NULL, true},
    {FG_SAML_IDP_METADATA_PATH, FG_METHOD_GET, true, fg_saml_idp_metadata, fg_response_error_page, NULL, true},
    {FG_SAML_QUERY_PATH, FG_METHOD_POST, true, fg_saml_query, fg_saml_soap_refuse, NULL},
    {FG_SAML_PATH, FG_METHOD_GET | FG_METHOD_POST, true, handle, fg_response_error_page, is_meant},
    {FG_SAML_ARTIFACT_PATH, FG_METHOD_POST, true, fg_saml_artifact_resolve, fg_saml_soap_refuse, NULL},
    {FG_SAML_LOGOUT_PATH, FG_METHOD_POST, true, fg_saml_sign_out_soap, fg_saml_soap_refuse, NULL},
    {FG_SAML_ECP_PATH, FG_METHOD_POST, true, fg_saml_ecp, fg_saml_soap_refuse, NULL},
    {FG_SAML_PAOS_PATH, FG_METHOD_POST, true, fg_saml_paos, fg_saml_soap_refuse, NULL},
};

const fg_protocol_t fg_saml_protocol = {
    .name = "saml",
    .endpoints = endpoints,
    .endpoint_count = FG_ARRAY_SIZE(endpoints),
    .begin_sign_on = fg_saml_begin_sign_on,
    .begin_sign_in = fg_saml_begin_sign_in,
    .begin_client_sign_in = fg_saml_begin_client_sign_in,
    .write_roles = fg_saml_write_roles,
    .tell_party = fg_saml_tell_party,
    .tell_provider = fg_saml_tell_provider,
};
