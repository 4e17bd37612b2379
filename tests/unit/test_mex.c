/* SPDX-License-Identifier: GPL-2.0-or-later
 * Metadata exchange: what a reader of the document finds is what the endpoints' table says. */
#include "tests/unit/exchange.h"

#include "core/xml_ns.h"
#include "sts/endpoints.h"
#include "sts/mex.h"
#include "sts/rstr.h"
#include "sts/wsdl.h"

#define NS_WSDL "http://schemas.xmlsoap.org/wsdl/"
#define NS_WSDL_SOAP12 "http://schemas.xmlsoap.org/wsdl/soap12/"
#define NS_SP "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
#define NS_SP_2005 "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy"
#define GET "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
#define TYPE_12 "application/soap+xml; charset=utf-8"

static const char get_message[] =
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='" FG_NS_WSA "'><s:Header><a:Action s:mustUnderstand='1'>" GET
    "</a:Action><a:MessageID>urn:uuid:1</a:MessageID><a:To>" BASE_URL FG_STS_PATH_MEX
    "</a:To></s:Header><s:Body/></s:Envelope>";

static fg_exchange_t *get(fixture_t *f) {
    fg_exchange_t *ex = exchange_begin(f, FG_STS_PATH_MEX, "text/plain", "", NULL, NULL);
    ex->request.method = FG_METHOD_GET;
    assert_int_equal(fg_mex_protocol.endpoints[0].handle(ex), FG_STEP_DONE);
    return ex;
}

static fg_exchange_t *post(fixture_t *f, const char *from, const char *to) {
    fg_exchange_t *ex = exchange_begin(f, FG_STS_PATH_MEX, TYPE_12, get_message, from, to);
    assert_int_equal(fg_mex_protocol.endpoints[0].handle(ex), FG_STEP_DONE);
    return ex;
}

/* The child of that name whose attribute has the value. */
static xmlNode *find_by(fg_arena_t *arena, const xmlNode *parent, const char *name, const char *ns,
                        const char *attribute, const char *value) {
    for (xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node))
        if (strcmp((const char *)node->name, name) == 0 && fg_str_is(fg_xml_attr(arena, node, ns, attribute), value))
            return node;
    fail_msg("no %s with %s=%s", name, attribute, value);
    return NULL;
}

static const char *without_prefix(fg_str_t qname) {
    const char *colon = strchr(qname.p, ':');
    assert_non_null(colon);
    return colon + 1;
}

/* What MSAL and ADAL look for. */
static void check_username(const fg_sts_endpoint_t *endpoint, xmlNode *all) {
    bool old = endpoint->trust == FG_TRUST_2005;
    const char *sp = old ? NS_SP_2005 : NS_SP;
    assert_non_null(fg_xml_child(all, sp, "TransportBinding", NULL));
    xmlNode *tokens = fg_xml_child(all, sp, old ? "SignedSupportingTokens" : "SignedEncryptedSupportingTokens", NULL);
    assert_non_null(tokens);
    assert_true(
        fg_xml_is(find_path(tokens, "Policy/UsernameToken/Policy/WssUsernameToken10"), sp, "WssUsernameToken10"));
    assert_non_null(find_path(all, "TransportBinding/Policy/IncludeTimestamp"));
}

/* Follows a port to its binding and policy as clients of Microsoft do. */
static void check_port(fg_exchange_t *ex, xmlNode *root, const fg_sts_endpoint_t *endpoint) {
    fg_arena_t *arena = ex->arena;
    char url[200];
    snprintf(url, sizeof url, BASE_URL "%s", endpoint->path);
    xmlNode *service = find_by(arena, root, "service", NULL, "name", "SecurityTokenService");
    xmlNode *port = find_by(arena, service, "port", NULL, "name", endpoint->binding);
    assert_string_equal(fg_xml_token(arena, find_path(port, "EndpointReference/Address"), NULL).p, url);
    assert_true(fg_xml_is(find_path(port, "EndpointReference"), FG_NS_WSA, "EndpointReference"));
    assert_string_equal(fg_xml_attr(arena, find_path(port, "address"), NULL, "location").p, url);

    xmlNode *binding =
        find_by(arena, root, "binding", NULL, "name", without_prefix(fg_xml_attr(arena, port, NULL, "binding")));
    xmlNode *operation = find_path(binding, "operation/operation");
    assert_true(fg_xml_is(operation, NS_WSDL_SOAP12, "operation"));
    assert_string_equal(fg_xml_attr(arena, operation, NULL, "soapAction").p,
                        fg_trust_words(endpoint->trust)->requests[FG_TRUST_ISSUE].rst_action);
    assert_non_null(fg_xml_child(binding, NS_WSDL_SOAP12, "binding", NULL));
    const char *port_type = without_prefix(fg_xml_attr(arena, binding, NULL, "type"));
    assert_non_null(find_by(arena, root, "portType", NULL, "name", port_type));

    fg_str_t reference = fg_xml_attr(arena, find_path(binding, "PolicyReference"), NULL, "URI");
    assert_true(reference.n > 1 && reference.p[0] == '#');
    xmlNode *policy = find_by(arena, root, "Policy", FG_NS_WSU, "Id", reference.p + 1);
    assert_non_null(find_path(policy, "ExactlyOne/All"));
    if ((endpoint->alternatives[0] & FG_STS_USERNAME_TOKEN) != 0)
        check_username(endpoint, find_path(policy, "ExactlyOne/All"));
}

static void check_document(fg_exchange_t *ex, xmlNode *root) {
    assert_true(fg_xml_is(root, NS_WSDL, "definitions"));
    assert_string_equal(fg_xml_attr(ex->arena, root, NULL, "name").p, "SecurityTokenService");
    assert_string_equal(fg_xml_attr(ex->arena, root, NULL, "targetNamespace").p, FG_STS_WSDL_NAMESPACE);
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++)
        if (ex->hub->negotiate != NULL || !fg_sts_endpoint_takes_tickets(&fg_sts_endpoint_table[i]))
            check_port(ex, root, &fg_sts_endpoint_table[i]);
}

static void endpoints_for_tickets_are_there_with_a_keytab(void **state) {
    static const fg_negotiate_rules_t with_tickets;
    fixture_t *f = *state;
    fg_exchange_t *ex = get(f);
    assert_null(strstr(ex->response.body.data, "windowstransport"));
    assert_null(strstr(ex->response.body.data, "kerberosmixed"));
    f->hub.negotiate = &with_tickets;
    ex = get(f);
    check_document(ex, response_root(ex));
    assert_non_null(strstr(ex->response.body.data, "<wsid:Spn>HTTP/"));
    f->hub.negotiate = NULL;
}

static void plain_get_is_answered_with_bare_wsdl(void **state) {
    fixture_t *f = *state;
    fg_exchange_t *ex = get(f);
    assert_int_equal(ex->response.status, 200);
    assert_string_equal(response_header(ex, "Content-Type"), "text/xml; charset=utf-8");
    check_document(ex, response_root(ex));
}

static void soap_get_is_answered_with_metadata(void **state) {
    fixture_t *f = *state;
    fg_exchange_t *ex = post(f, NULL, NULL);
    assert_int_equal(ex->response.status, 200);
    assert_string_equal(response_text(ex, "Header/Action"), GET "Response");
    assert_string_equal(response_text(ex, "Header/RelatesTo"), "urn:uuid:1");
    xmlNode *section = find_path(response_root(ex), "Body/Metadata/MetadataSection");
    assert_non_null(section);
    assert_string_equal(fg_xml_attr(ex->arena, section, NULL, "Dialect").p, NS_WSDL);
    check_document(ex, fg_xml_first_child(section));
}

static void other_messages_are_refused(void **state) {
    static const struct {
        const char *from, *to, *reason;
    } cases[] = {
        {GET, "http://schemas.xmlsoap.org/ws/2004/09/transfer/Put", "addressing_action"},
        {FG_STS_PATH_MEX, "/elsewhere", "addressing_header"},
        {"<s:Body/>", "<s:Body><x xmlns='urn:x'/></s:Body>", "soap_structure"},
        {"</s:Header>", "<Security xmlns='" FG_NS_WSSE "'/></s:Header>", "wss_unsupported"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_exchange_t *ex = post(f, cases[i].from, cases[i].to);
        assert_true(refused_for(ex, cases[i].reason));
        assert_int_equal(ex->response.status, 500);
        assert_string_not_equal(response_text(ex, "Body/Fault/Code/Value"), "(none)");
    }
}

static void refusal_of_a_get_is_a_page(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_exchange_t *ex = get(f);
    (void)FG_FAIL(&err, FG_E_BUSY, "queue");
    fg_mex_protocol.endpoints[0].refuse(ex, &err);
    assert_int_equal(ex->response.status, 503);
    assert_null(strstr(ex->response.body.data, "Envelope"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_get_is_answered_with_bare_wsdl),
        cmocka_unit_test(endpoints_for_tickets_are_there_with_a_keytab),
        cmocka_unit_test(soap_get_is_answered_with_metadata),
        cmocka_unit_test(other_messages_are_refused),
        cmocka_unit_test(refusal_of_a_get_is_a_page),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
