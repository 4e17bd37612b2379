/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOAP over HTTP: both versions, what HTTP and envelope must agree on, headers, faults. */
#include "tests/unit/exchange.h"

#include "core/xml_ns.h"
#include "sts/rstr.h"
#include "sts/soap.h"

#define PATH "/adfs/services/trust/mex"
#define ACTION_HEADER "<a:Action>urn:do</a:Action>"
#define MESSAGE_ID "<a:MessageID>urn:uuid:1</a:MessageID>"
#define ENVELOPE(ns)                                                                           \
    "<s:Envelope xmlns:s='" ns "' xmlns:a='" FG_NS_WSA "'><s:Header>" ACTION_HEADER MESSAGE_ID \
    "</s:Header><s:Body><x xmlns='urn:x'/></s:Body></s:Envelope>"
#define TYPE_12 "application/soap+xml; charset=utf-8"
#define TYPE_11 "text/xml; charset=utf-8"

static const char soap_12[] = ENVELOPE(FG_NS_SOAP12);
static const char soap_11[] = ENVELOPE(FG_NS_SOAP11);

static bool read_message(fixture_t *f, const char *type, const char *message, const char *from, const char *to,
                         fg_soap_message_t *out, fg_err_t *err) {
    fg_exchange_t *ex = exchange_begin(f, PATH, type, message, from, to);
    return fg_soap_read(ex, PATH, out, err);
}

static void both_versions_are_read(void **state) {
    static const struct {
        const char *type, *message;
        fg_soap_version_t version;
    } messages[] = {{TYPE_12, soap_12, FG_SOAP_12}, {TYPE_11, soap_11, FG_SOAP_11}};
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(messages); i++) {
        fg_soap_message_t message;
        fg_err_t err = FG_ERR_INIT;
        assert_true(read_message(f, messages[i].type, messages[i].message, NULL, NULL, &message, &err));
        assert_int_equal(message.version, messages[i].version);
        assert_true(message.addressed);
        assert_string_equal(message.action.p, "urn:do");
        assert_string_equal(message.message_id.p, "urn:uuid:1");
        assert_null(message.security);
        assert_true(fg_xml_is(message.payload, "urn:x", "x"));
    }
}

/* HT-05: Content-Type and SOAPAction once, and saying what the envelope says */
static void http_and_envelope_agree(void **state) {
    static const struct {
        const char *type, *message, *headers[2][2];
        fg_code_t code;
    } cases[] = {
        {TYPE_12, soap_12, {{"SOAPAction", "urn:do"}}, FG_OK},
        {TYPE_12, soap_12, {{"SOAPAction", "\"urn:do\""}}, FG_OK},
        {TYPE_12, soap_12, {{"SOAPAction", "\"\""}}, FG_OK},
        {"application/soap+xml; action=\"urn:do\"; charset=\"UTF-8\"", soap_12, {{NULL}}, FG_OK},
        {"application/soap+xml;charset=utf-8;action=urn:do", soap_12, {{"soapaction", "urn:do"}}, FG_OK},
        {"Application/SOAP+xml", soap_12, {{NULL}}, FG_OK},
        {TYPE_11, soap_11, {{"SOAPAction", "\"urn:do\""}}, FG_OK},
        {TYPE_12, soap_12, {{"SOAPAction", "urn:other"}}, FG_E_WSA_ACTION},
        {"application/soap+xml; action=\"urn:other\"", soap_12, {{NULL}}, FG_E_WSA_ACTION},
        {"application/soap+xml; action=\"urn:do\"", soap_12, {{"SOAPAction", "urn:other"}}, FG_E_WSA_ACTION},
        {TYPE_12, soap_12, {{"SOAPAction", "urn:do"}, {"SOAPAction", "urn:do"}}, FG_E_HTTP_REQUEST},
        {TYPE_12, soap_12, {{"Content-Type", TYPE_12}}, FG_E_HTTP_MEDIA_TYPE},
        {TYPE_12, soap_11, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {TYPE_11, soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {"application/xml", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {"multipart/related; type=\"application/xop+xml\"", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE}, /* WT-12 */
        {"application/soap+xml; charset=utf-16", soap_12, {{NULL}}, FG_E_XML_ENCODING},
        {"application/soap+xml; charset=utf-8; charset=utf-8", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {"application/soap+xml; charset", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {"application/soap+xml; action=\"urn:do", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
        {"application/soap+xml; action=\"urn:do\"x", soap_12, {{NULL}}, FG_E_HTTP_MEDIA_TYPE},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_exchange_t *ex = exchange_begin(f, PATH, cases[i].type, cases[i].message, NULL, NULL);
        fg_soap_message_t message;
        fg_err_t err = FG_ERR_INIT;
        for (size_t k = 0; k < 2 && cases[i].headers[k][0] != NULL; k++)
            add_header(f, cases[i].headers[k][0], cases[i].headers[k][1]);
        assert_int_equal(fg_soap_read(ex, PATH, &message, &err), cases[i].code == FG_OK);
        assert_err(&err, cases[i].code);
    }
}

/* SOAP 1.1 clients without WS-Addressing name the action in HTTP alone, and get no addressing headers back. */
static void soap_11_may_come_without_addressing(void **state) {
    fixture_t *f = *state;
    fg_soap_message_t message;
    fg_err_t err = FG_ERR_INIT;
    fg_exchange_t *ex = exchange_begin(f, PATH, TYPE_11, soap_11, ACTION_HEADER MESSAGE_ID, "");
    add_header(f, "SOAPAction", "\"urn:do\"");
    assert_true(fg_soap_read(ex, PATH, &message, &err));
    assert_true(fg_str_is(message.action, "urn:do"));
    assert_false(message.addressed);
    (void)FG_FAIL(&err, FG_E_DENIED, "-");
    fg_soap_fault(ex, &message, &fg_trust_words(FG_TRUST_13)->ns, false, &err);
    assert_null(strstr(ex->response.body.data, "Action"));

    assert_false(read_message(f, TYPE_11, soap_11, ACTION_HEADER, "", &message, &err));
    assert_err(&err, FG_E_WSA_HEADER);
    ex = exchange_begin(f, PATH, "application/soap+xml; action=\"urn:do\"", soap_12, ACTION_HEADER, "");
    assert_false(fg_soap_read(ex, PATH, &message, &err));
    assert_err(&err, FG_E_WSA_HEADER);
}

/* WT-11; a header for another node is none of our business */
static void headers_that_must_be_understood(void **state) {
#define HEADER(attributes) "<h xmlns='urn:h' " attributes "/>" ACTION_HEADER
    static const struct {
        const char *type, *message, *header;
        fg_code_t code;
    } cases[] = {
        {TYPE_12, soap_12, HEADER(""), FG_OK},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='false'"), FG_OK},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='true' s:role='urn:other'"), FG_OK},
        {TYPE_12, soap_12, HEADER("mustUnderstand='1'"), FG_OK},
        {TYPE_11, soap_11, HEADER("s:mustUnderstand='1' s:actor='urn:other'"), FG_OK},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='1'"), FG_E_SOAP_MUST_UNDERSTAND},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='true'"), FG_E_SOAP_MUST_UNDERSTAND},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='1' s:role='" FG_NS_SOAP12 "/role/next'"),
         FG_E_SOAP_MUST_UNDERSTAND},
        {TYPE_11, soap_11, HEADER("s:mustUnderstand='1'"), FG_E_SOAP_MUST_UNDERSTAND},
        {TYPE_11, soap_11, HEADER("s:mustUnderstand='1' s:actor='http://schemas.xmlsoap.org/soap/actor/next'"),
         FG_E_SOAP_MUST_UNDERSTAND},
        {TYPE_12, soap_12, HEADER("s:mustUnderstand='yes'"), FG_E_SOAP_STRUCTURE},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_soap_message_t message;
        fg_err_t err = FG_ERR_INIT;
        bool good = read_message(f, cases[i].type, cases[i].message, ACTION_HEADER, cases[i].header, &message, &err);
        assert_int_equal(good, cases[i].code == FG_OK);
        assert_err(&err, cases[i].code);
        assert_string_equal(message.message_id.p, "urn:uuid:1"); /* the fault relates to the message all the same */
    }
}

static void write_fault(fixture_t *f, const char *type, const char *message_text, fg_code_t code) {
    fg_soap_message_t message;
    fg_err_t err = FG_ERR_INIT;
    assert_true(read_message(f, type, message_text, NULL, NULL, &message, &err));
    (void)FG_FAIL(&err, code, "private");
    fg_soap_fault(f->ex, &message, &fg_trust_words(FG_TRUST_13)->ns, true, &err);
    assert_null(strstr(f->ex->response.body.data, "private"));
}

static void faults_speak_the_version_of_the_request(void **state) {
    static const struct {
        fg_code_t code;
        const char *code_12, *subcode_12, *code_11;
    } cases[] = {
        {FG_E_AUTH_FAILED, "s:Sender", "trust:FailedAuthentication", "trust:FailedAuthentication"},
        {FG_E_WSS_EXPIRED, "s:Sender", "o:MessageExpired", "o:MessageExpired"},
        {FG_E_WSA_ACTION, "s:Sender", "a:ActionNotSupported", "a:ActionNotSupported"},
        {FG_E_INTERNAL, "s:Receiver", "trust:RequestFailed", "trust:RequestFailed"},
        {FG_E_SOAP_MUST_UNDERSTAND, "s:MustUnderstand", "(none)", "s:MustUnderstand"},
        {FG_E_SOAP_VERSION, "s:VersionMismatch", "(none)", "s:VersionMismatch"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        write_fault(f, TYPE_12, soap_12, cases[i].code);
        assert_int_equal(f->ex->response.status, 500);
        assert_string_equal(response_header(f->ex, "Content-Type"), "application/soap+xml; charset=utf-8");
        assert_string_equal(response_text(f->ex, "Header/Action"), FG_NS_WSA "/soap/fault");
        assert_string_equal(response_text(f->ex, "Header/RelatesTo"), "urn:uuid:1");
        assert_string_equal(response_text(f->ex, "Body/Fault/Code/Value"), cases[i].code_12);
        assert_string_equal(response_text(f->ex, "Body/Fault/Code/Subcode/Value"), cases[i].subcode_12);
        assert_non_null(strstr(f->ex->response.body.data, "<s:Text xml:lang=\"en\">"));

        write_fault(f, TYPE_11, soap_11, cases[i].code);
        assert_int_equal(f->ex->response.status, 500);
        assert_string_equal(response_header(f->ex, "Content-Type"), "text/xml; charset=utf-8");
        assert_string_equal((const char *)response_root(f->ex)->ns->href, FG_NS_SOAP11);
        assert_string_equal(response_text(f->ex, "Body/Fault/faultcode"), cases[i].code_11);
        assert_string_not_equal(response_text(f->ex, "Body/Fault/faultstring"), "(none)");
    }
}

static void what_is_no_soap_is_answered_in_soap_12(void **state) {
    static const struct {
        const char *message;
        fg_code_t code;
        const char *value;
    } cases[] = {
        {"<Envelope xmlns='urn:soap'/>", FG_E_SOAP_VERSION, "s:VersionMismatch"},
        {"<x/>", FG_E_SOAP_VERSION, "s:VersionMismatch"},
        {"<x", FG_E_XML_MALFORMED, "s:Sender"},
        {"", FG_E_XML_MALFORMED, "s:Sender"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_soap_message_t message;
        fg_err_t err = FG_ERR_INIT;
        assert_false(read_message(f, TYPE_12, cases[i].message, NULL, NULL, &message, &err));
        assert_err(&err, cases[i].code);
        fg_soap_fault(f->ex, &message, &fg_trust_words(FG_TRUST_13)->ns, false, &err);
        assert_string_equal(response_text(f->ex, "Body/Fault/Code/Value"), cases[i].value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_are_read),
        cmocka_unit_test(http_and_envelope_agree),
        cmocka_unit_test(soap_11_may_come_without_addressing),
        cmocka_unit_test(headers_that_must_be_understood),
        cmocka_unit_test(faults_speak_the_version_of_the_request),
        cmocka_unit_test(what_is_no_soap_is_answered_in_soap_12),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
