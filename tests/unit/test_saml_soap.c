/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML messages in SOAP 1.1 envelopes: what is taken, and what is not. */
#include "tests/unit/saml_peers.h"

#include <string.h>

#include "bridges/saml/soap.h"

#define SOAP_NS "http://schemas.xmlsoap.org/soap/envelope/"
#define ENVELOPE(content) "<s:Envelope xmlns:s=\"" SOAP_NS "\">" content "</s:Envelope>"
#define MESSAGE                                                                    \
    "<p:LogoutRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\"><a:Issuer " \
    "xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">who</a:Issuer></p:LogoutRequest>"
#define BODY "<s:Body>" MESSAGE "</s:Body>"
#define HEADER(attributes) "<s:Header><h:H xmlns:h=\"urn:h\"" attributes "/></s:Header>"

static fg_err_t err;

static bool receive(saml_peers_t *f, const char *type, const char *body, fg_saml_inbound_t *in) {
    fg_exchange_t *ex = saml_as(f, PEER_SP);
    const fg_header_t header = {FG_STR("Content-Type"), fg_str(type)};
    ex->request = (fg_request_t){.method = FG_METHOD_POST, .headers = &header, .header_count = 1, .body = fg_str(body)};
    err = (fg_err_t)FG_ERR_INIT;
    return fg_saml_soap_receive(ex, in, &err);
}

static void one_message_in_one_body_is_taken(void **state) {
    static const char *const good[] = {
        ENVELOPE(BODY),
        ENVELOPE("<s:Header/>" BODY),
        ENVELOPE(HEADER("") BODY),
        ENVELOPE(HEADER(" s:mustUnderstand=\"0\"") BODY),
        ENVELOPE(HEADER(" s:mustUnderstand=\"1\" s:actor=\"urn:somebody\"") BODY),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" ENVELOPE("\n" BODY "\n"),
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++) {
        fg_saml_inbound_t in;
        if (!receive(*state, "text/xml; charset=utf-8", good[i], &in))
            fail_msg("%zu: %s", i, err.detail);
        assert_true(fg_xml_is(in.root, FG_NS_SAML2P, "LogoutRequest"));
        assert_true(fg_str_is(in.issuer, "who"));
        assert_int_equal(in.binding, FG_SAML_SOAP);
    }
}

/* XS-09: a second Body, a second message, something behind */
static void everything_else_is_refused(void **state) {
    static const struct {
        const char *body;
        fg_code_t code;
    } bad[] = {
        {"", FG_E_XML_MALFORMED},
        {MESSAGE, FG_E_SOAP_STRUCTURE},
        {ENVELOPE(""), FG_E_SOAP_STRUCTURE},
        {ENVELOPE("<s:Body/>"), FG_E_SOAP_STRUCTURE},
        {ENVELOPE(BODY BODY), FG_E_SOAP_STRUCTURE},
        {ENVELOPE("<s:Body>" MESSAGE MESSAGE "</s:Body>"), FG_E_SOAP_STRUCTURE},
        {ENVELOPE(BODY "<x/>"), FG_E_SOAP_STRUCTURE},
        {ENVELOPE("<x/>" BODY), FG_E_SOAP_STRUCTURE},
        {ENVELOPE(BODY "<s:Header/>"), FG_E_SOAP_STRUCTURE},
        {ENVELOPE("<s:Header/><s:Header/>" BODY), FG_E_SOAP_STRUCTURE},
        {"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\">" BODY "</s:Envelope>", FG_E_SOAP_STRUCTURE},
        {ENVELOPE(HEADER(" s:mustUnderstand=\"1\"") BODY), FG_E_SOAP_MUST_UNDERSTAND},
        {ENVELOPE(HEADER(" s:mustUnderstand=\"true\"") BODY), FG_E_SOAP_MUST_UNDERSTAND},
        {"<!DOCTYPE a>" ENVELOPE(BODY), FG_E_XML_DTD},
    };
    fg_saml_inbound_t in;
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        assert_false(receive(*state, "text/xml", bad[i].body, &in));
        if (err.code != bad[i].code)
            fail_msg("%zu: %d, %s", i, err.code, err.detail);
    }
    assert_false(receive(*state, "application/x-www-form-urlencoded", ENVELOPE(BODY), &in));
    assert_err(&err, FG_E_HTTP_MEDIA_TYPE);
    assert_false(receive(*state, "text/xml; charset=iso-8859-1", ENVELOPE(BODY), &in));
    assert_err(&err, FG_E_XML_ENCODING);
}

/* A fault says no more than its row, and is one of SOAP 1.1 */
static void faults_are_soap(void **state) {
    saml_peers_t *f = *state;
    static const char *const headers[] = {"Content-Type", "text/xml", NULL};
    assert_int_equal(browser_post_with(f->b, &fg_saml_protocol, FG_SAML_LOGOUT_PATH, "", ENVELOPE(BODY), headers), 500);
    const char *body = f->b->ex->response.body.data;
    assert_non_null(strstr(body, "<faultcode>soap:Client</faultcode>"));
    assert_non_null(strstr(body, "(reference c-1)"));
    assert_string_equal(browser_header(f->b, "Content-Type"), "text/xml; charset=utf-8");
    assert_int_equal(browser_post_with(f->b, &fg_saml_protocol, FG_SAML_ARTIFACT_PATH, "", ENVELOPE(BODY), headers),
                     500);
    assert_int_equal(browser_post_with(f->b, &fg_saml_protocol, FG_SAML_ECP_PATH, "", ENVELOPE(BODY), headers), 500);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_peers_set_up, saml_peers_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_message_in_one_body_is_taken),
        TEST(everything_else_is_refused),
        TEST(faults_are_soap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
