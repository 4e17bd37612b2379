/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/saml_lasso.h"

#ifdef HAVE_LASSO
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lasso/lasso.h>
#include <lasso/xml/misc_text_node.h>
#include <lasso/xml/saml-2.0/saml2_assertion.h>
#include <lasso/xml/saml-2.0/saml2_attribute.h>
#include <lasso/xml/saml-2.0/saml2_attribute_statement.h>
#include <lasso/xml/saml-2.0/saml2_attribute_value.h>
#include <lasso/xml/saml-2.0/samlp2_authn_request.h>
#include <lasso/xml/saml-2.0/samlp2_response.h>

#define IDP "https://idp.example.test/metadata"
#define SP "https://sp.example.test/metadata"
#define INSTANT "2026-01-01T00:00:00Z"
#define END "2036-01-01T01:00:00Z"
#define POST "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define REDIRECT "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

static const char metadata[] =
    "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"%s\">"
    "<md:%sSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"%s>"
    "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
    "<ds:X509Data><ds:X509Certificate>%.*s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    "</md:KeyDescriptor>%s</md:%sSSODescriptor></md:EntityDescriptor>";

static char folder[] = "/tmp/fedgate-bench-XXXXXX";
static LassoServer *idp, *sp;
static char *query;

static char *path(const char *name) { return g_strdup_printf("%s/%s", folder, name); }

static char *put(const char *name, const char *text, gssize n) {
    char *file = path(name);
    return g_file_set_contents(file, text, n, NULL) ? file : NULL;
}

static char *put_metadata(const char *name, const char *id, const char *role, const char *wants, const fg_key_t *key,
                          const char *service) {
    fg_str_t certificate = fg_key_get_certificate_base64(key);
    char *text = g_strdup_printf(metadata, id, role, wants, (int)certificate.n, certificate.p, service, role);
    char *file = put(name, text, -1);
    g_free(text);
    return file;
}

static LassoServer *make_server(const char *own, const char *key, LassoProviderRole other_role, const char *other) {
    LassoServer *server = lasso_server_new(own, key, NULL, NULL);
    if (server != NULL && lasso_server_add_provider(server, other_role, other, NULL, NULL) != 0)
        return NULL;
    if (server != NULL)
        server->signature_method = LASSO_SIGNATURE_METHOD_RSA_SHA256;
    return server;
}

static bool make_request(void) {
    LassoLogin *login = lasso_login_new(sp);
    bool good = lasso_login_init_authn_request(login, IDP, LASSO_HTTP_METHOD_REDIRECT) == 0;
    if (good) {
        LassoSamlp2AuthnRequest *request = LASSO_SAMLP2_AUTHN_REQUEST(LASSO_PROFILE(login)->request);
        g_free(request->ProtocolBinding);
        request->ProtocolBinding = g_strdup(POST);
    }
    good = good && lasso_login_build_authn_request_msg(login) == 0;
    query = good ? g_strdup(strchr(LASSO_PROFILE(login)->msg_url, '?') + 1) : NULL;
    g_object_unref(login);
    return query != NULL;
}

bool saml_lasso_start(const fg_key_t *ours, const fg_key_t *theirs) {
    fg_buf_t pem = FG_BUF_INIT(16u << 10), other = FG_BUF_INIT(16u << 10);
    fg_err_t err = FG_ERR_INIT;
    if (lasso_init() != 0 || mkdtemp(folder) == NULL || !fg_key_to_pem(ours, &pem, &err) ||
        !fg_key_to_pem(theirs, &other, &err))
        return false;
    char *key = put("idp.pem", pem.data, (gssize)pem.length), *sp_key = put("sp.pem", other.data, (gssize)other.length);
    char *idp_file =
        put_metadata("idp.xml", IDP, "IDP", "", ours,
                     "<md:SingleSignOnService Binding=\"" REDIRECT "\" Location=\"https://idp.example.test/sso\"/>");
    char *sp_file = put_metadata("sp.xml", SP, "SP", " AuthnRequestsSigned=\"true\"", theirs,
                                 "<md:AssertionConsumerService index=\"0\" isDefault=\"true\" Binding=\"" POST
                                 "\" Location=\"https://sp.example.test/acs\"/>");
    idp = make_server(idp_file, key, LASSO_PROVIDER_ROLE_SP, sp_file);
    sp = make_server(sp_file, sp_key, LASSO_PROVIDER_ROLE_IDP, idp_file);
    fg_buf_free(&pem);
    fg_buf_free(&other);
    g_free(key), g_free(sp_key), g_free(idp_file), g_free(sp_file);
    return idp != NULL && sp != NULL && make_request() && saml_lasso_answer();
}

static void add_attribute(LassoSaml2AttributeStatement *statement, const char *name, const char *value) {
    LassoSaml2Attribute *attribute = LASSO_SAML2_ATTRIBUTE(lasso_saml2_attribute_new());
    LassoSaml2AttributeValue *holder = LASSO_SAML2_ATTRIBUTE_VALUE(lasso_saml2_attribute_value_new());
    attribute->Name = g_strdup(name);
    holder->any = g_list_append(NULL, lasso_misc_text_node_new_with_string(value));
    attribute->AttributeValue = g_list_append(NULL, holder);
    statement->Attribute = g_list_append(statement->Attribute, attribute);
}

static bool add_attributes(LassoLogin *login) {
    LassoSaml2Assertion *assertion =
        LASSO_SAML2_ASSERTION(LASSO_SAMLP2_RESPONSE(LASSO_PROFILE(login)->response)->Assertion->data);
    LassoSaml2AttributeStatement *statement = LASSO_SAML2_ATTRIBUTE_STATEMENT(lasso_saml2_attribute_statement_new());
    static const char *const names[] = {"name", "upn", "emailaddress", "givenname", "surname", "role", "role2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_attribute(statement, names[i], "alice@example.test");
    assertion->AttributeStatement = g_list_append(assertion->AttributeStatement, statement);
    return true;
}

bool saml_lasso_answer(void) {
    LassoLogin *login = lasso_login_new(idp);
    bool good =
        lasso_login_process_authn_request_msg(login, query) == 0 &&
        lasso_login_validate_request_msg(login, TRUE, FALSE) == 0 &&
        lasso_login_build_assertion(login, LASSO_SAML2_AUTHN_CONTEXT_PASSWORD, INSTANT, NULL, INSTANT, END) == 0 &&
        add_attributes(login) && lasso_login_build_authn_response_msg(login) == 0 &&
        LASSO_PROFILE(login)->msg_body != NULL;
    g_object_unref(login);
    return good;
}

void saml_lasso_stop(void) {
    static const char *const files[] = {"idp.pem", "sp.pem", "idp.xml", "sp.xml"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *file = path(files[i]);
        unlink(file);
        g_free(file);
    }
    rmdir(folder);
}
#else
bool saml_lasso_start(const fg_key_t *ours, const fg_key_t *theirs) {
    (void)ours, (void)theirs;
    return false;
}
bool saml_lasso_answer(void) { return false; }
void saml_lasso_stop(void) {}
#endif
