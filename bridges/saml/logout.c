/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/logout.h"

#include "core/time.h"

#define STATUS "urn:oasis:names:tc:SAML:2.0:status:"
#define REASON_USER "urn:oasis:names:tc:SAML:2.0:logout:user"
#define LIFETIME (5 * FG_MINUTE)

/* ---- reading */

static bool check_end(fg_exchange_t *ex, const xmlNode *root, fg_err_t *err) {
    int64_t end;
    fg_str_t text = fg_xml_attr(ex->arena, root, NULL, "NotOnOrAfter");
    if (text.p == NULL)
        return true;
    if (!fg_time_parse(fg_str_trim(text), &end))
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "NotOnOrAfter \"%.*s\"", FG_STR_ARG(text));
    return ex->now_ms - ex->hub->skew_ms < end ||
           FG_FAIL(err, FG_E_TOKEN_EXPIRED, "LogoutRequest until %.*s", FG_STR_ARG(text));
}

static bool read_name_id(fg_exchange_t *ex, const xmlNode *node, fg_name_id_t *name_id, fg_err_t *err) {
    name_id->value = fg_xml_text(ex->arena, node, err);
    name_id->format = fg_xml_attr(ex->arena, node, NULL, "Format");
    name_id->name_qualifier = fg_xml_attr(ex->arena, node, NULL, "NameQualifier");
    name_id->sp_name_qualifier = fg_xml_attr(ex->arena, node, NULL, "SPNameQualifier");
    return name_id->value.n > 0 || FG_FAIL(err, FG_E_SAML_MESSAGE, "an empty NameID");
}

static bool add_session(fg_exchange_t *ex, const xmlNode *node, fg_saml_logout_t *logout, fg_err_t *err) {
    if (logout->session_count == FG_SAML_SESSIONS)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "more than %u SessionIndexes", FG_SAML_SESSIONS);
    fg_str_t index = fg_xml_token(ex->arena, node, err);
    if (index.p == NULL)
        return false;
    logout->sessions[logout->session_count++] = index;
    return true;
}

static bool read_child(fg_exchange_t *ex, const xmlNode *node, fg_saml_logout_t *logout, fg_err_t *err) {
    if (fg_xml_is(node, FG_NS_SAML2P, "SessionIndex"))
        return add_session(ex, node, logout, err);
    bool encrypted = fg_xml_is(node, FG_NS_SAML2, "EncryptedID");
    if (!encrypted && !fg_xml_is(node, FG_NS_SAML2, "NameID"))
        return true; /* Issuer, Signature, Extensions */
    if (logout->name_id.value.n > 0)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "two names in a LogoutRequest");
    xmlNode *name = NULL;
    if (encrypted && !fg_saml_open_encrypted(ex, node, &name, err))
        return false;
    return read_name_id(ex, encrypted ? name : node, &logout->name_id, err);
}

bool fg_saml_logout_read(fg_exchange_t *ex, const xmlNode *root, fg_saml_logout_t *logout, fg_err_t *err) {
    *logout = (fg_saml_logout_t){.session_count = 0};
    if (!check_end(ex, root, err))
        return false;
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node))
        if (!read_child(ex, node, logout, err))
            return false;
    return logout->name_id.value.n > 0 || FG_FAIL(err, FG_E_SAML_MESSAGE, "LogoutRequest without a NameID");
}

fg_saml_logout_end_t fg_saml_logout_response_read(fg_exchange_t *ex, const xmlNode *root) {
    const xmlNode *status = fg_xml_only_child(root, FG_NS_SAML2P, "Status", NULL);
    const xmlNode *code = status ? fg_xml_only_child(status, FG_NS_SAML2P, "StatusCode", NULL) : NULL;
    const xmlNode *inner = code ? fg_xml_child(code, FG_NS_SAML2P, "StatusCode", NULL) : NULL;
    if (code == NULL || !fg_str_is(fg_str_trim(fg_xml_attr(ex->arena, code, NULL, "Value")), STATUS "Success"))
        return FG_SAML_REFUSED;
    bool partly =
        inner != NULL && fg_str_is(fg_str_trim(fg_xml_attr(ex->arena, inner, NULL, "Value")), STATUS "PartialLogout");
    return partly ? FG_SAML_PARTLY : FG_SAML_LOGGED_OUT;
}

/* ---- writing */

bool fg_saml_logout_write(fg_exchange_t *ex, const fg_saml_logout_t *logout, const char *id, fg_str_t issuer,
                          fg_str_t destination, bool signed_inside, fg_buf_t *out, fg_err_t *err) {
    fg_saml_writing_t writing;
    char end[FG_TIME_SIZE];
    if (!fg_saml_begin(ex, &writing, "LogoutRequest", id, destination, FG_STR_NONE, out, err))
        return false;
    fg_time_format(ex->now_ms + LIFETIME, end);
    fg_xw_attrz(&writing.w, "NotOnOrAfter", end);
    fg_xw_attrz(&writing.w, "Reason", REASON_USER);
    fg_saml_put_issuer(&writing, issuer);
    fg_saml_write_name_id(&writing.w, &logout->name_id, logout->encryptor);
    for (size_t i = 0; i < logout->session_count; i++)
        fg_xw_leaf(&writing.w, &fg_saml_ns_protocol, "SessionIndex", logout->sessions[i]);
    return fg_saml_end(ex, &writing, signed_inside, out, err);
}

bool fg_saml_logout_response_write(fg_exchange_t *ex, fg_saml_logout_end_t end, fg_str_t issuer, fg_str_t destination,
                                   fg_str_t in_response_to, bool signed_inside, fg_buf_t *out, fg_err_t *err) {
    fg_saml_writing_t writing;
    fg_xw_t *w = &writing.w;
    if (!fg_saml_begin(ex, &writing, "LogoutResponse", NULL, destination, in_response_to, out, err))
        return false;
    fg_saml_put_issuer(&writing, issuer);
    fg_xw_start(w, &fg_saml_ns_protocol, "Status");
    fg_xw_start(w, &fg_saml_ns_protocol, "StatusCode");
    fg_xw_attrz(w, "Value", end == FG_SAML_REFUSED ? STATUS "Requester" : STATUS "Success");
    if (end != FG_SAML_LOGGED_OUT) {
        fg_xw_start(w, &fg_saml_ns_protocol, "StatusCode");
        fg_xw_attrz(w, "Value", end == FG_SAML_PARTLY ? STATUS "PartialLogout" : STATUS "RequestDenied");
        fg_xw_end(w);
    }
    fg_xw_end(w);
    fg_xw_end(w);
    return fg_saml_end(ex, &writing, signed_inside, out, err);
}
