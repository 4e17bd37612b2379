/* SPDX-License-Identifier: GPL-2.0-or-later
 * WS-Management: requests of real clients, requests that two readers could understand differently, answers, faults. */
#include "tests/unit/support.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/fault.h"
#include "policy/wsman_parts.h"
#include "tests/unit/xml_same.h"

#define TYPE(name) FG_REQUEST_CLAIMS name
#define MEDIA "application/soap+xml;charset=UTF-8"
#define SHELL FG_NS_RSP "/cmd"
#define SERVICE "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service"

#define OPEN                                                                                    \
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='" FG_NS_WSA_2004 "' xmlns:w='" FG_NS_WSMAN \
    "' xmlns:n='" FG_NS_WSEN "' xmlns:e='" FG_NS_WSE "' xmlns:r='" FG_NS_RSP "' xmlns:x='" FG_NS_WXF "'>"
#define ACTION(uri) "<a:Action s:mustUnderstand='true'>" uri "</a:Action>"
#define RESOURCE(uri) "<w:ResourceURI s:mustUnderstand='true'>" uri "</w:ResourceURI>"
#define TO "<a:To>http://h/wsman</a:To>"
#define ID "<a:MessageID>uuid:1</a:MessageID>"
#define REPLY "<a:ReplyTo><a:Address>" FG_WSMAN_ANONYMOUS "</a:Address></a:ReplyTo>"
#define SELECTORS(list) "<w:SelectorSet>" list "</w:SelectorSet>"
#define SELECTOR(name, value) "<w:Selector Name='" name "'>" value "</w:Selector>"
#define MESSAGE(headers, body) OPEN "<s:Header>" headers "</s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define REQUEST(action, resource, headers, body) MESSAGE(ACTION(action) TO RESOURCE(resource) ID REPLY headers, body)
#define GET_HEADERS                               \
    ACTION(FG_NS_WXF "/Get") TO RESOURCE(SERVICE) \
    ID REPLY
#define GET(headers) MESSAGE(GET_HEADERS headers, "")
#define ENUMERATE(content) REQUEST(FG_NS_WSEN "/Enumerate", SERVICE, "", "<n:Enumerate>" content "</n:Enumerate>")
#define COMMAND(content)                                                       \
    REQUEST(FG_NS_RSP "/Command", SHELL, SELECTORS(SELECTOR("ShellId", "S1")), \
            "<r:CommandLine>" content "</r:CommandLine>")

typedef struct fixture {
    fg_arena_t *arena;
    fg_wsman_message_t message;
    fg_claims_t claims;
    fg_err_t err;
} fixture_t;

static int setup(void **state) {
    fg_err_t err = FG_ERR_INIT;
    *state = calloc(1, sizeof(fixture_t));
    return *state != NULL && fg_crypto_start() && fg_xml_start(&err) ? 0 : -1;
}

static int teardown(void **state) {
    fixture_t *f = *state;
    fg_arena_free(f->arena);
    free(f);
    return 0;
}

static bool read_http(fixture_t *f, const fg_wsman_http_t *http) {
    fg_arena_free(f->arena);
    f->arena = fg_arena_new(0);
    f->err = (fg_err_t)FG_ERR_INIT;
    f->claims = (fg_claims_t){NULL};
    return fg_wsman_read(f->arena, http, &fg_xml_default_limits, &f->message, &f->err) &&
           fg_wsman_claims(f->arena, &f->message, &f->claims, &f->err);
}

static bool read_text(fixture_t *f, const char *text) {
    return read_http(f,
                     &(fg_wsman_http_t){.content_type = FG_STR(MEDIA), .content_type_count = 1, .body = fg_str(text)});
}

typedef struct expectation {
    const char *text;
    fg_code_t code; /* FG_OK: accepted */
} expectation_t;

static void check(fixture_t *f, const expectation_t *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool good = read_text(f, cases[i].text);
        if (f->err.code != cases[i].code || good != (cases[i].code == FG_OK))
            fail_msg("case %zu: %s (%s)\n%s", i, fg_fault_get(f->err.code)->reason, f->err.detail, cases[i].text);
    }
}
#define CHECK(cases) check(*state, cases, FG_ARRAY_SIZE(cases))

/* All values of a type, joined by '|'. */
static const char *values_of(fixture_t *f, const char *type) {
    fg_buf_t all = FG_BUF_INIT(1u << 20);
    for (size_t i = 0; i < f->claims.count; i++) {
        const fg_claim_t *claim = &f->claims.items[i];
        if (!fg_str_is(claim->type, type))
            continue;
        assert_true(fg_str_is(claim->issuer, FG_REQUEST_ISSUER));
        fg_buf_puts(&all, all.length > 0 ? "|" : "");
        fg_buf_put_str(&all, claim->value);
    }
    const char *copy = all.length > 0 ? fg_arena_str(f->arena, fg_buf_str(&all)).p : "";
    fg_buf_free(&all);
    return copy;
}

/* ---- what clients send */

static void messages_of_real_clients_are_read(void **state) {
    static const char shell[] = "67A74734-DD32-4F10-89DE-49A060483810";
    static const char test[] = "http://schema.openwsman.org/2006/openwsman/test";
    static const struct {
        const char *file, *operation, *resource;
        fg_wsman_kind_t uses;
        const char *id;
        bool opens, closes;
        const char *type, *value;
    } cases[] = {
        {"pywinrm/1-create", "Create", SHELL, FG_WSMAN_NONE, "", true, false, "option",
         "WINRS_NOPROFILE=FALSE|WINRS_CODEPAGE=437"},
        {"pywinrm/2-command", "Command", SHELL, FG_WSMAN_SHELL, shell, false, false, "command_line", "ipconfig /all"},
        {"pywinrm/3-receive", "Receive", SHELL, FG_WSMAN_SHELL, shell, false, false, "command_line", ""},
        {"pywinrm/4-signal", "Signal", SHELL, FG_WSMAN_SHELL, shell, false, false, "selector",
         "ShellId=67A74734-DD32-4F10-89DE-49A060483810"},
        {"pywinrm/5-delete", "Delete", SHELL, FG_WSMAN_SHELL, shell, false, true, "action", FG_NS_WXF "/Delete"},
        {"wsmancli/identify", "Identify", "", FG_WSMAN_NONE, "", false, false, "operation", "Identify"},
        {"wsmancli/enumerate", "Enumerate", test, FG_WSMAN_NONE, "", true, false, "filter", ""},
        {"wsmancli/enumerate-wql", "Enumerate", "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*",
         FG_WSMAN_NONE, "", true, false, "filter", "select * from Win32_Service"},
        {"wsmancli/enumerate-wql", "Enumerate", "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*",
         FG_WSMAN_NONE, "", true, false, "filter_dialect", "http://schemas.microsoft.com/wbem/wsman/1/WQL"},
        {"wsmancli/pull", "Pull", test, FG_WSMAN_ENUMERATION, "63a55055-60d8-10d8-8002-01000000fc02", true, false,
         "resource", test},
        {"wsmancli/get", "Get", test, FG_WSMAN_NONE, "", false, false, "selector", ""},
        {"wsmancli/invoke", "Invoke", test, FG_WSMAN_NONE, "", false, false, "action",
         "http://schema.openwsman.org/2006/openwsman/test/Foo"},
        {"wsmancli/delete", "Delete", test, FG_WSMAN_NONE, "", false, false, "operation", "Delete"},
    };
    fixture_t *f = *state;
    const char *folder = test_vectors();
    if (folder == NULL)
        skip();
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char path[512], type[64];
        snprintf(path, sizeof path, "%s/wsman/%s-request.xml", folder, cases[i].file);
        snprintf(type, sizeof type, FG_REQUEST_CLAIMS "%s", cases[i].type);
        char *text = test_file(path, NULL);
        assert_non_null(text);
        bool good = read_text(f, text);
        free(text);
        if (!good)
            fail_msg("%s: %s", cases[i].file, f->err.detail);
        assert_true(is_plain(f->message.header->doc)); /* and at little cost */
        assert_string_equal(f->message.operation, cases[i].operation);
        assert_true(fg_str_is(f->message.resource_uri, cases[i].resource));
        assert_int_equal(f->message.uses.kind, cases[i].uses);
        assert_true(fg_str_is(f->message.uses.id, cases[i].id));
        assert_int_equal(f->message.opens, cases[i].opens);
        assert_int_equal(f->message.closes, cases[i].closes);
        assert_string_equal(values_of(f, type), cases[i].value);
    }
}

/* wsman asked for events at an address of its own choice (WM-15) */
static void subscription_of_a_real_client_is_refused(void **state) {
    fixture_t *f = *state;
    char path[512];
    if (test_vectors() == NULL)
        skip();
    snprintf(path, sizeof path, "%s/wsman/wsmancli/subscribe-request.xml", test_vectors());
    char *text = test_file(path, NULL);
    assert_non_null(text);
    assert_false(read_text(f, text));
    free(text);
    assert_err(&f->err, FG_E_WSMAN_REPLY_TO);
    assert_true(fg_str_is(f->message.message_id, "uuid:63a9d21a-60d8-10d8-8002-01000000fc02"));
}

/* ---- HTTP */

/* WM-01, WM-05, WM-06, WM-07 */
static void http_and_envelope_agree_wm01(void **state) {
#define GET_ACTION FG_NS_WXF "/Get"
    static const struct {
        const char *type;
        size_t type_count;
        const char *coding, *soap_action;
        size_t soap_action_count;
        fg_code_t code;
    } cases[] = {
        {MEDIA, 1, NULL, NULL, 0, FG_OK},
        {"Application/SOAP+XML", 1, "identity", "", 1, FG_OK},
        {MEDIA, 1, NULL, GET_ACTION, 1, FG_OK},
        {MEDIA, 1, NULL, "\"" GET_ACTION "\"", 1, FG_OK},
        {"application/soap+xml; action=\"" GET_ACTION "\"", 1, NULL, GET_ACTION, 1, FG_OK},
        {MEDIA, 1, NULL, FG_NS_WXF "/Delete", 1, FG_E_WSA_ACTION},
        {"application/soap+xml; action=\"" FG_NS_WXF "/Put\"", 1, NULL, NULL, 0, FG_E_WSA_ACTION},
        {"application/soap+xml; action=\"" FG_NS_WXF "/Put\"", 1, NULL, GET_ACTION, 1, FG_E_WSA_ACTION},
        {MEDIA, 1, NULL, GET_ACTION, 2, FG_E_HTTP_MEDIA_TYPE},
        {MEDIA, 2, NULL, NULL, 0, FG_E_HTTP_MEDIA_TYPE},
        {NULL, 0, NULL, NULL, 0, FG_E_HTTP_MEDIA_TYPE},
        {"application/xml", 1, NULL, NULL, 0, FG_E_HTTP_MEDIA_TYPE},
        {"text/xml; charset=utf-8", 1, NULL, GET_ACTION, 1, FG_E_SOAP_VERSION},
        {MEDIA, 1, "gzip", NULL, 0, FG_E_WSMAN_ENCODING},
        {"application/soap+xml;charset=UTF-16", 1, NULL, NULL, 0, FG_E_WSMAN_ENCODING},
        {"application/soap+xml;charset=utf-8;charset=utf-7", 1, NULL, NULL, 0, FG_E_HTTP_MEDIA_TYPE},
        {"multipart/encrypted;protocol=\"application/HTTP-SPNEGO-session-encrypted\";boundary=\"Encrypted Boundary\"",
         1, NULL, NULL, 0, FG_E_WSMAN_ENCRYPTED},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        bool good =
            read_http(f, &(fg_wsman_http_t){fg_str(cases[i].type), cases[i].type_count, fg_str(cases[i].coding),
                                            fg_str(cases[i].soap_action), cases[i].soap_action_count, FG_STR(GET(""))});
        assert_int_equal(good, cases[i].code == FG_OK);
        assert_err(&f->err, cases[i].code);
    }
}

/* WM-01 */
static void body_belongs_to_the_action_wm01(void **state) {
    static const expectation_t cases[] = {
        {GET(""), FG_OK},
        {REQUEST(FG_NS_WXF "/Get", SERVICE, "", "<x:Put/>"), FG_E_WSMAN_BODY},
        {REQUEST(FG_NS_WXF "/Put", SERVICE, "", "<any/>"), FG_OK},
        {REQUEST(FG_NS_WXF "/Put", SERVICE, "", ""), FG_E_WSMAN_BODY},
        {ENUMERATE(""), FG_OK},
        {REQUEST(FG_NS_WSEN "/Enumerate", SERVICE, "", "<e:Enumerate/>"), FG_E_WSMAN_BODY},
        {REQUEST(FG_NS_WSEN "/Pull", SERVICE, "", "<n:Release/>"), FG_E_WSMAN_BODY},
        {REQUEST(SERVICE "/StopService", SERVICE, "", ""), FG_OK},
        {REQUEST(SERVICE "/StopService", SERVICE, "", "<p:StopService_INPUT xmlns:p='" SERVICE "'/>"), FG_OK},
        {REQUEST(SERVICE "/StopService", SERVICE, "", "<p:StartService_INPUT xmlns:p='" SERVICE "'/>"),
         FG_E_WSMAN_BODY},
        {REQUEST(SERVICE "/Stop/Service", SERVICE, "", ""), FG_E_WSA_ACTION},
        {REQUEST(SERVICE "/", SERVICE, "", ""), FG_E_WSA_ACTION},
        {REQUEST("http://other/StopService", SERVICE, "", ""), FG_E_WSA_ACTION},
        {REQUEST(FG_NS_WXF "/GetResponse", SERVICE, "", ""), FG_E_WSA_ACTION},
        {REQUEST(FG_NS_WXF "/get", SERVICE, "", ""), FG_E_WSA_ACTION},
        {REQUEST(FG_NS_WXF "/<!-- -->Get", SERVICE, "", ""), FG_E_WSA_HEADER},
        {REQUEST(" " FG_NS_WXF "/Get", SERVICE, "", ""), FG_E_WSA_HEADER},
        {REQUEST("<![CDATA[" FG_NS_WXF "/Get]]>", SERVICE, "", ""), FG_E_WSA_HEADER},
    };
    CHECK(cases);
}

static void identify_stands_alone(void **state) {
#define IDENTIFY "<i:Identify xmlns:i='" FG_NS_WSMID "'/>"
    static const expectation_t cases[] = {
        {MESSAGE("", IDENTIFY), FG_OK},
        {MESSAGE(ACTION(FG_NS_WXF "/Get"), IDENTIFY), FG_E_WSA_HEADER},
        {MESSAGE(RESOURCE(SERVICE), IDENTIFY), FG_E_WSA_HEADER},
        {REQUEST(FG_NS_WXF "/Delete", SERVICE, "", IDENTIFY), FG_E_WSA_HEADER},
    };
    CHECK(cases);
    fixture_t *f = *state;
    assert_false(read_http(
        f, &(fg_wsman_http_t){FG_STR(MEDIA), 1, FG_STR_NONE, FG_STR(GET_ACTION), 1, FG_STR(MESSAGE("", IDENTIFY))}));
    assert_err(&f->err, FG_E_WSA_ACTION);
}

/* ---- the envelope */

/* WM-02 */
static void headers_stand_once_and_in_their_place_wm02(void **state) {
#define WSA10 " xmlns:z='" FG_NS_WSA "'"
    static const expectation_t cases[] = {
        {GET(""), FG_OK},
        {MESSAGE(TO RESOURCE(SERVICE) ID, ""), FG_E_WSMAN_HEADER},
        {MESSAGE(ACTION(GET_ACTION) RESOURCE(SERVICE) ID, ""), FG_E_WSMAN_HEADER},
        {MESSAGE(ACTION(GET_ACTION) TO ID, ""), FG_E_WSMAN_HEADER},
        {MESSAGE(ACTION(GET_ACTION) TO RESOURCE(SERVICE), ""), FG_E_WSMAN_HEADER},
        {GET(ACTION(GET_ACTION)), FG_E_WSA_HEADER},
        {GET(TO), FG_E_WSA_HEADER},
        {GET(RESOURCE(SERVICE)), FG_E_WSA_HEADER},
        {GET(ID), FG_E_WSA_HEADER},
        {GET(REPLY), FG_E_WSA_HEADER},
        {GET(SELECTORS("") SELECTORS("")), FG_E_WSA_HEADER},
        {GET("<w:OptionSet/><w:OptionSet/>"), FG_E_WSA_HEADER},
        {GET("<w:Locale xml:lang='en'/><w:Locale xml:lang='de'/>"), FG_E_WSA_HEADER},
        {GET("<h xmlns='urn:h'>" ACTION(GET_ACTION) "</h>"), FG_E_WSA_HEADER},
        {GET("<h xmlns='urn:h'><i><j/>" RESOURCE(SERVICE) "</i></h>"), FG_E_WSA_HEADER},
        {GET("<h xmlns='urn:h'><i><j/><k/></i></h>"), FG_OK},
        {GET("<z:Action" WSA10 ">" FG_NS_WXF "/Delete</z:Action>"), FG_E_WSA_HEADER},
        {GET("<Action>" FG_NS_WXF "/Delete</Action>"), FG_E_WSA_HEADER},
        {GET("<a:action>" FG_NS_WXF "/Delete</a:action>"), FG_E_WSA_HEADER},
        {GET("<a:ResourceURI>x</a:ResourceURI>"), FG_E_WSA_HEADER},
        {MESSAGE("<z:Action" WSA10 ">" GET_ACTION "</z:Action>" TO RESOURCE(SERVICE) ID, ""), FG_E_WSA_HEADER},
        {MESSAGE(ACTION(GET_ACTION) TO "<a:ResourceURI>" SERVICE "</a:ResourceURI>" ID, ""), FG_E_WSA_HEADER},
        {GET("<z:FaultTo" WSA10 "/>"), FG_E_WSA_HEADER},
        {GET("<w:faultto/>"), FG_E_WSA_HEADER},
    };
    CHECK(cases);
}

/* WM-03, WM-05 */
static void one_envelope_one_body_one_child_wm03(void **state) {
#define PARTS(text) OPEN text "</s:Envelope>"
#define HEADER "<s:Header>" GET_HEADERS "</s:Header>"
    static const expectation_t cases[] = {
        {PARTS(HEADER "<s:Body/>"), FG_OK},
        {PARTS(" " HEADER "\n<s:Body> </s:Body> "), FG_OK},
        {PARTS(HEADER "<s:Body/><s:Body/>"), FG_E_SOAP_STRUCTURE},
        {PARTS(HEADER HEADER "<s:Body/>"), FG_E_SOAP_STRUCTURE},
        {PARTS("<s:Body/>" HEADER), FG_E_SOAP_STRUCTURE},
        {PARTS("<s:Body/>"), FG_E_SOAP_STRUCTURE},
        {PARTS(HEADER), FG_E_SOAP_STRUCTURE},
        {PARTS(HEADER "x<s:Body/>"), FG_E_SOAP_STRUCTURE},
        {PARTS(HEADER "<s:Body/><x/>"), FG_E_SOAP_STRUCTURE},
        {PARTS(HEADER "<s:Body>x</s:Body>"), FG_E_SOAP_STRUCTURE},
        {REQUEST(FG_NS_WXF "/Put", SERVICE, "", "<a/>"), FG_OK},
        {REQUEST(FG_NS_WXF "/Put", SERVICE, "", "<a/><b/>"), FG_E_SOAP_STRUCTURE},
        /* WM-05 */
        {"<s:Envelope xmlns:s='" FG_NS_SOAP11 "'><s:Header/><s:Body/></s:Envelope>", FG_E_SOAP_VERSION},
        {"<Envelope><Header/><Body/></Envelope>", FG_E_SOAP_VERSION},
        {OPEN "<Header xmlns='" FG_NS_SOAP11 "'>" GET_HEADERS "</Header><s:Body/></s:Envelope>", FG_E_SOAP_STRUCTURE},
        /* WM-06 */
        {"<?xml version='1.0' encoding='utf-16'?>" GET(""), FG_E_XML_ENCODING},
        {"\xff\xfe<\0", FG_E_XML_ENCODING},
    };
    CHECK(cases);
}

static void headers_that_must_be_understood_wm04(void **state) {
#define STRANGE(attributes) GET("<h xmlns='urn:h' " attributes "/>")
    static const expectation_t cases[] = {
        {STRANGE(""), FG_OK},
        {STRANGE("s:mustUnderstand='0'"), FG_OK},
        {STRANGE("mustUnderstand='true'"), FG_OK},
        {STRANGE("s:mustUnderstand='true'"), FG_E_SOAP_MUST_UNDERSTAND},
        {STRANGE("s:mustUnderstand='1'"), FG_E_SOAP_MUST_UNDERSTAND},
        {STRANGE("s:mustUnderstand='yes'"), FG_E_SOAP_STRUCTURE},
        {STRANGE("s:role='urn:other' s:mustUnderstand='true'"), FG_E_SOAP_STRUCTURE},
        {GET("<w:MaxEnvelopeSize s:mustUnderstand='true'>153600</w:MaxEnvelopeSize>"), FG_OK},
        {MESSAGE("<a:Action s:role='" FG_NS_SOAP12 "/role/none'>" GET_ACTION "</a:Action>" TO RESOURCE(SERVICE) ID, ""),
         FG_E_SOAP_STRUCTURE},
        {GET("<o:Security xmlns:o='" FG_NS_WSSE "' s:mustUnderstand='1'/>"), FG_OK},
    };
    CHECK(cases);
    assert_non_null(((fixture_t *)*state)->message.security);
    /* a token is checked in libxml2's own tree */
    assert_false(is_plain(((fixture_t *)*state)->message.security->doc));
    assert_true(read_text(*state, GET("")) && is_plain(((fixture_t *)*state)->message.header->doc));
}

/* ---- what is asked for */

static void resource_is_read_byte_by_byte_wm09(void **state) {
#define OF(uri) REQUEST(FG_NS_WXF "/Get", uri, "", "")
    static const expectation_t cases[] = {
        {OF(SERVICE), FG_OK},
        {OF("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"), FG_OK},
        {OF("urn:resource"), FG_OK},
        {OF(" " SERVICE), FG_E_WSMAN_RESOURCE},
        {OF(SERVICE "\n"), FG_E_WSMAN_RESOURCE},
        {OF("http://h/a b"), FG_E_WSMAN_RESOURCE},
        {OF("http://h/a%62"), FG_E_WSMAN_RESOURCE},
        {OF(SERVICE "?Name=x"), FG_E_WSMAN_RESOURCE},
        {OF(SERVICE "#x"), FG_E_WSMAN_RESOURCE},
        {OF(SERVICE "/"), FG_E_WSMAN_RESOURCE},
        {OF("http://h//a"), FG_E_WSMAN_RESOURCE},
        {OF("http://h/a/../b"), FG_E_WSMAN_RESOURCE},
        {OF("http://h/a/./b"), FG_E_WSMAN_RESOURCE},
        {OF("http://h\\a"), FG_E_WSMAN_RESOURCE},
        {OF("http://h/\xc3\xa4"), FG_E_WSMAN_RESOURCE},
        {OF(SERVICE "<!-- -->"), FG_E_WSMAN_RESOURCE},
        {OF(""), FG_E_WSMAN_RESOURCE},
    };
    CHECK(cases);
    fixture_t *f = *state;
    assert_true(read_text(f, OF("HTTP://Schemas/A")));
    assert_string_equal(values_of(f, TYPE("resource")), "HTTP://Schemas/A");
}

static void selectors_and_options_have_one_reading_wm10(void **state) {
#define WITH(list) GET(SELECTORS(list))
#define OPTIONS(list) GET("<w:OptionSet>" list "</w:OptionSet>")
#define EIGHT(n)        \
    SELECTOR("a" n, "") \
    SELECTOR("b" n, "") \
    SELECTOR("c" n, "") \
    SELECTOR("d" n, "") SELECTOR("e" n, "") SELECTOR("f" n, "") SELECTOR("g" n, "") SELECTOR("h" n, "")
#define THIRTY_TWO EIGHT("1") EIGHT("2") EIGHT("3") EIGHT("4")
    static const expectation_t cases[] = {
        {WITH(SELECTOR("Name", "W32Time") SELECTOR("SystemName", "a b")), FG_OK},
        {WITH(""), FG_OK},
        {WITH(THIRTY_TWO), FG_OK},
        {WITH(THIRTY_TWO SELECTOR("i", "")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("Name", "a") SELECTOR("Name", "b")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("Name", "a") SELECTOR("NAME", "a")), FG_E_WSMAN_SELECTOR},
        {WITH("<w:Selector>a</w:Selector>"), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("", "a")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("A=B", "a")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR(" Name", "a")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("Name", " a")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("Name", "a<!-- -->b")), FG_E_WSMAN_SELECTOR},
        {WITH(SELECTOR("Name", "<a:EndpointReference/>")), FG_E_WSMAN_SELECTOR},
        {WITH("<Selector Name='a'/>"), FG_E_WSMAN_SELECTOR},
        {OPTIONS("<w:Option Name='A'>1</w:Option><w:Option Name='B'/>"), FG_OK},
        {OPTIONS("<w:Option Name='A'>1</w:Option><w:Option Name='a'>2</w:Option>"), FG_E_WSMAN_OPTION},
        {OPTIONS("<w:Option>1</w:Option>"), FG_E_WSMAN_OPTION},
        {OPTIONS("<w:Selector Name='A'/>"), FG_E_WSMAN_OPTION},
    };
    CHECK(cases);
    fixture_t *f = *state;
    assert_true(read_text(f, cases[0].text));
    assert_string_equal(values_of(f, TYPE("selector")), "Name=W32Time|SystemName=a b");
}

static void filters_are_claims_wm12(void **state) {
#define WQL "Dialect='http://schemas.microsoft.com/wbem/wsman/1/WQL'"
#define SUBSCRIBE(content) REQUEST(FG_NS_WSE "/Subscribe", SERVICE, "", "<e:Subscribe>" content "</e:Subscribe>")
    static const expectation_t cases[] = {
        {ENUMERATE(""), FG_OK},
        {ENUMERATE("<w:Filter " WQL ">q</w:Filter><n:Filter>q</n:Filter>"), FG_E_WSMAN_FILTER},
        {ENUMERATE("<w:Filter>q</w:Filter><w:Filter>q</w:Filter>"), FG_E_WSMAN_FILTER},
        {ENUMERATE("<Filter>q</Filter>"), FG_E_WSMAN_FILTER},
        {ENUMERATE("<w:Filter> </w:Filter>"), FG_E_WSMAN_FILTER},
        {ENUMERATE("<w:Filter>a<!-- -->b</w:Filter>"), FG_E_WSMAN_FILTER},
        {SUBSCRIBE("<e:Filter>q</e:Filter><w:Filter>q</w:Filter>"), FG_E_WSMAN_FILTER},
        {SUBSCRIBE("<w:Filter " WQL ">q</w:Filter>"), FG_OK},
    };
    CHECK(cases);
    fixture_t *f = *state;
    assert_string_equal(values_of(f, TYPE("filter")), "q");
    assert_true(read_text(f, ENUMERATE("")));
    assert_string_equal(values_of(f, TYPE("filter")), "");
    assert_string_equal(values_of(f, TYPE("filter_dialect")), "");
    assert_true(read_text(f, ENUMERATE("<n:Filter>a = 'b' &amp;&#32;c </n:Filter>")));
    assert_string_equal(values_of(f, TYPE("filter")), "a = 'b' & c ");
    assert_string_equal(values_of(f, TYPE("filter_dialect")), "http://www.w3.org/TR/1999/REC-xpath-19991116");
    assert_true(read_text(f, ENUMERATE("<w:Filter Dialect='urn:d'><w:SelectorSet/></w:Filter>")));
    assert_string_equal(values_of(f, TYPE("filter")),
                        "<w:Filter xmlns:w=\"" FG_NS_WSMAN
                        "\" Dialect=\"urn:d\"><w:SelectorSet></w:SelectorSet></w:Filter>");
}

static void acts_on_shells_are_told_apart_wm13(void **state) {
#define ACT(name, body) REQUEST(FG_NS_RSP "/" name, SHELL, SELECTORS(SELECTOR("ShellId", "S1")), body)
    static const struct {
        const char *operation, *text;
    } acts[] = {
        {"Create", REQUEST(FG_NS_WXF "/Create", SHELL, "", "<r:Shell/>")},
        {"Command", COMMAND("<r:Command>a</r:Command>")},
        {"Send", ACT("Send", "<r:Send/>")},
        {"Receive", ACT("Receive", "<r:Receive/>")},
        {"Signal", ACT("Signal", "<r:Signal/>")},
        {"Connect", ACT("Connect", "<r:Connect/>")},
        {"Disconnect", ACT("Disconnect", "<r:Disconnect/>")},
        {"Reconnect", ACT("Reconnect", "<r:Reconnect/>")},
        {"Delete", REQUEST(FG_NS_WXF "/Delete", SHELL, SELECTORS(SELECTOR("ShellId", "S1")), "")},
    };
    static const expectation_t cases[] = {
        {ACT("Send", "<r:CommandLine/>"), FG_E_WSMAN_BODY},
        {REQUEST(FG_NS_RSP "/Send", SHELL, "", "<r:Send/>"), FG_E_WSMAN_SELECTOR},
        {COMMAND("<r:Command>a</r:Command><r:Command>b</r:Command>"), FG_E_WSMAN_BODY},
        {COMMAND("<r:Arguments>a</r:Arguments>"), FG_E_WSMAN_BODY},
        {COMMAND("<r:Command>a</r:Command><x/>"), FG_E_WSMAN_BODY},
        {COMMAND("<r:Command>a<!-- -->b</r:Command>"), FG_E_WSMAN_BODY},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(acts); i++) {
        assert_true(read_text(f, acts[i].text));
        assert_string_equal(f->message.operation, acts[i].operation);
        assert_string_equal(values_of(f, TYPE("operation")), acts[i].operation);
        assert_int_equal(f->message.uses.kind, i == 0 ? FG_WSMAN_NONE : FG_WSMAN_SHELL);
        assert_int_equal(f->message.opens, i == 0);
        assert_int_equal(f->message.closes, i + 1 == FG_ARRAY_SIZE(acts));
    }
    CHECK(cases);
    assert_true(read_text(f, COMMAND("<r:Command>a b</r:Command><r:Arguments>c</r:Arguments><r:Arguments/>"
                                     "<r:Arguments>d</r:Arguments>")));
    assert_string_equal(values_of(f, TYPE("command")), "a b");
    assert_string_equal(values_of(f, TYPE("argument")), "c|d");
    assert_string_equal(values_of(f, TYPE("command_line")), "a b c d");
    assert_true(read_text(f, REQUEST(FG_NS_WXF "/Create", SHELL, "",
                                     "<r:Shell><r:WorkingDirectory>C:\\x</r:WorkingDirectory><r:Environment>"
                                     "<r:Variable Name='Path'>D:\\</r:Variable></r:Environment></r:Shell>")));
    assert_string_equal(values_of(f, TYPE("working_directory")), "C:\\x");
    assert_string_equal(values_of(f, TYPE("environment")), "Path=D:\\");
}

static void wishes_are_bounded_wm14(void **state) {
#define SIZE(n) GET("<w:MaxEnvelopeSize>" n "</w:MaxEnvelopeSize>")
#define OPTIMIZE(n) ENUMERATE("<w:OptimizeEnumeration/><w:MaxElements>" n "</w:MaxElements>")
#define PULL(content)                        \
    REQUEST(FG_NS_WSEN "/Pull", SERVICE, "", \
            "<n:Pull><n:EnumerationContext>c</n:EnumerationContext>" content "</n:Pull>")
    static const expectation_t cases[] = {
        {SIZE("8192"), FG_OK},
        {SIZE("1048576"), FG_OK},
        {SIZE("8191"), FG_E_WSMAN_LIMIT},
        {SIZE("1048577"), FG_E_WSMAN_LIMIT},
        {SIZE("99999999999999999999"), FG_E_WSMAN_LIMIT},
        {SIZE("+9000"), FG_E_WSMAN_LIMIT},
        {SIZE("09000"), FG_E_WSMAN_LIMIT},
        {OPTIMIZE("32000"), FG_OK},
        {OPTIMIZE("32001"), FG_E_WSMAN_LIMIT},
        {OPTIMIZE("0"), FG_E_WSMAN_LIMIT},
        {PULL("<n:MaxElements>20</n:MaxElements><n:MaxCharacters>1048576</n:MaxCharacters>"), FG_OK},
        {PULL("<n:MaxElements>32001</n:MaxElements>"), FG_E_WSMAN_LIMIT},
        {PULL("<n:MaxCharacters>1048577</n:MaxCharacters>"), FG_E_WSMAN_LIMIT},
        {PULL("<n:MaxElements>1</n:MaxElements><n:MaxElements>1</n:MaxElements>"), FG_E_WSMAN_BODY},
        {GET("<w:OperationTimeout>PT60.000S</w:OperationTimeout>"), FG_OK},
        {GET("<w:OperationTimeout>60</w:OperationTimeout>"), FG_E_WSA_HEADER},
    };
    CHECK(cases);
}

static void nothing_goes_elsewhere_wm15(void **state) {
#define EPR(address) "<a:Address>" address "</a:Address>"
#define REPLY_TO(content) MESSAGE(ACTION(GET_ACTION) TO RESOURCE(SERVICE) ID "<a:ReplyTo>" content "</a:ReplyTo>", "")
#define PULL_MODE "http://schemas.dmtf.org/wbem/wsman/1/wsman/Pull"
    static const expectation_t cases[] = {
        {REPLY_TO(EPR(FG_WSMAN_ANONYMOUS)), FG_OK},
        {MESSAGE(ACTION(GET_ACTION) TO RESOURCE(SERVICE) ID, ""), FG_OK},
        {REPLY_TO(EPR("http://evil/")), FG_E_WSMAN_REPLY_TO},
        {REPLY_TO(""), FG_E_WSMAN_REPLY_TO},
        {REPLY_TO(EPR(FG_WSMAN_ANONYMOUS) EPR("http://evil/")), FG_E_WSMAN_REPLY_TO},
        {REPLY_TO(EPR(FG_NS_WSA "/anonymous")), FG_E_WSMAN_REPLY_TO},
        {GET("<a:FaultTo>" EPR("http://evil/") "</a:FaultTo>"), FG_E_WSMAN_REPLY_TO},
        {GET("<a:FaultTo>" EPR(FG_WSMAN_ANONYMOUS) "</a:FaultTo>"), FG_OK},
        {SUBSCRIBE("<e:Delivery Mode='" PULL_MODE "'/>"), FG_OK},
        {SUBSCRIBE("<e:Delivery><e:NotifyTo>" EPR("http://evil/") "</e:NotifyTo></e:Delivery>"), FG_E_WSMAN_REPLY_TO},
        {SUBSCRIBE("<e:EndTo>" EPR("http://evil/") "</e:EndTo><e:Delivery/>"), FG_E_WSMAN_REPLY_TO},
        {SUBSCRIBE("<e:EndTo>" EPR(FG_WSMAN_ANONYMOUS) "</e:EndTo><e:Delivery/>"), FG_OK},
    };
    CHECK(cases);
}

/* WM-11: what later requests are bound to */
static void contexts_are_read_wm11(void **state) {
#define EVENT(name, headers) REQUEST(FG_NS_WSE "/" name, SERVICE, headers, "<e:" name "/>")
#define IDENTIFIER "<e:Identifier>i</e:Identifier>"
#define OF_ENUMERATION(name, content) REQUEST(FG_NS_WSEN "/" name, SERVICE, "", "<n:" name ">" content "</n:" name ">")
#define CONTEXT "<n:EnumerationContext>c</n:EnumerationContext>"
    static const struct {
        const char *text;
        fg_wsman_kind_t uses;
        bool opens, closes;
    } good[] = {
        {OF_ENUMERATION("Pull", CONTEXT), FG_WSMAN_ENUMERATION, true, false},
        {OF_ENUMERATION("Renew", CONTEXT), FG_WSMAN_ENUMERATION, true, false},
        {OF_ENUMERATION("GetStatus", CONTEXT), FG_WSMAN_ENUMERATION, false, false},
        {OF_ENUMERATION("Release", CONTEXT), FG_WSMAN_ENUMERATION, false, true},
        {EVENT("Renew", IDENTIFIER), FG_WSMAN_SUBSCRIPTION, false, false},
        {EVENT("GetStatus", IDENTIFIER), FG_WSMAN_SUBSCRIPTION, false, false},
        {EVENT("Unsubscribe", IDENTIFIER), FG_WSMAN_SUBSCRIPTION, false, true},
        {SUBSCRIBE("<e:Delivery/>"), FG_WSMAN_NONE, true, false},
        {REQUEST(FG_NS_WXF "/Get", FG_NS_RSP, SELECTORS(SELECTOR("shellid", "s")), ""), FG_WSMAN_SHELL, false, false},
    };
    static const expectation_t cases[] = {
        {OF_ENUMERATION("Pull", ""), FG_E_WSMAN_BODY},
        {OF_ENUMERATION("Pull", CONTEXT CONTEXT), FG_E_WSMAN_BODY},
        {OF_ENUMERATION("Release", "<n:EnumerationContext/>"), FG_E_WSMAN_BODY},
        {OF_ENUMERATION("Pull", "<n:EnumerationContext> c</n:EnumerationContext>"), FG_E_WSMAN_BODY},
        {OF_ENUMERATION("Pull", "<n:EnumerationContext><c/></n:EnumerationContext>"), FG_E_WSMAN_BODY},
        {EVENT("Unsubscribe", ""), FG_E_WSMAN_HEADER},
        {EVENT("Unsubscribe", IDENTIFIER IDENTIFIER), FG_E_WSA_HEADER},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++) {
        assert_true(read_text(f, good[i].text));
        assert_int_equal(f->message.uses.kind, good[i].uses);
        assert_int_equal(f->message.opens, good[i].opens);
        assert_int_equal(f->message.closes, good[i].closes);
        assert_int_equal(f->message.uses.id.n, good[i].uses != FG_WSMAN_NONE);
    }
    CHECK(cases);
}

/* ---- scripts */

/* "Get-Service" and "Write-Host ä𝄞" as PowerShell takes them */
#define SCRIPT "RwBlAHQALQBTAGUAcgB2AGkAYwBlAA=="
#define UNICODE_SCRIPT "VwByAGkAdABlAC0ASABvAHMAdAAgAOQANNge3Q=="

static void encoded_scripts_are_decoded(void **state) {
    static const char *const lines[] = {
        "powershell -encodedcommand " SCRIPT, /* pywinrm's run_ps */
        "powershell -e " SCRIPT,
        "powershell -ec " SCRIPT,
        "powershell.exe -enc " SCRIPT,
        "POWERSHELL.EXE -NoProfile -NonInteractive -EncodedCommand " SCRIPT,
        "pwsh /enc " SCRIPT,
        "pwsh --encod " SCRIPT,
        "powershell \xe2\x80\x93"
        "enc " SCRIPT,
        "powershell -ExecutionPolicy Unrestricted -nop -enc " SCRIPT,
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -enc " SCRIPT,
        "c:/windows/SysWOW64/WindowsPowerShell/v1.0/powershell -enc  " SCRIPT " ",
        "\"C:\\Program Files\\PowerShell\\7\\pwsh.exe\" -enc \"" SCRIPT "\"",
        "cmd /c powershell -enc " SCRIPT,
        "C:\\Windows\\System32\\cmd.exe /d /s /c \"powershell -enc " SCRIPT "\"",
        "po\"wersh\"ell -e\"nc\" " SCRIPT,
    };
    fixture_t *f = *state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_str_t script;
    for (size_t i = 0; i < FG_ARRAY_SIZE(lines); i++)
        if (!fg_wsman_read_script(arena, fg_str(lines[i]), &script, &f->err) || !fg_str_is(script, "Get-Service"))
            fail_msg("%s: %s", lines[i], f->err.detail);
    assert_true(fg_wsman_read_script(arena, FG_STR("powershell -e " UNICODE_SCRIPT), &script, &f->err));
    assert_string_equal(script.p, "Write-Host \xc3\xa4\xf0\x9d\x84\x9e");
    fg_arena_free(arena);

    assert_true(
        read_text(f, COMMAND("<r:Command>powershell</r:Command><r:Arguments>-enc</r:Arguments><r:Arguments>" SCRIPT
                             "</r:Arguments>")));
    assert_string_equal(values_of(f, TYPE("script")), "Get-Service");
    assert_true(read_text(f, COMMAND("<r:Command>powershell -Command Get-Service</r:Command>")));
    assert_string_equal(values_of(f, TYPE("script")), "");
}

static void scripts_that_cannot_be_checked_are_refused(void **state) {
    static const char *const bad[] = {
        "powershell -enc",
        "powershell -enc !!",
        "powershell -enc QQ==", /* half a character */
        "powershell -enc AAAA", /* NUL */
        "powershell -enc ANg=", /* half a surrogate pair */
        "powershell -enc " SCRIPT " more",
        "powershell -enc " SCRIPT " & del x",
        "powershell -enc " SCRIPT "&del",
        "ipconfig & powershell -enc " SCRIPT,
        "ipconfig&powershell -enc " SCRIPT,
        "cmd /c ipconfig | powershell -enc " SCRIPT,
        "cmd /cpowershell -enc " SCRIPT,
        "cmd /k powershell -enc " SCRIPT,
        "pow^ershell -e^nc " SCRIPT,
        "p^owershell -enc " SCRIPT,
        "start powershell -enc " SCRIPT,
        "powershell -enc:" SCRIPT,
        "powershell -ea QQBB -enc " SCRIPT,
        "powershell -encodedarguments QQBB",
        "powershell -Version 2 -enc " SCRIPT,
        "powershell -enc %X%",
        "powershell\t-enc\n" SCRIPT,
        "powershell -enc \"" SCRIPT,
        "powershell\n-enc " SCRIPT,
        "\\\\server\\share\\powershell.exe -enc " SCRIPT, /* another program of that name */
        ".\\powershell -enc " SCRIPT,
        "C:powershell -enc " SCRIPT,
        "C:\\Windows\\Temp\\powershell.exe -enc " SCRIPT,
        "D:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -enc " SCRIPT,
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\..\\powershell.exe -enc " SCRIPT,
        "\\\\server\\cmd /c powershell -enc " SCRIPT,
    };
    static const char *const none[] = {
        "ipconfig /all", "powershell -File x.ps1", "powershell -ex Bypass -File x.ps1", "echo -enc", "powershell", ""};
    fixture_t *f = *state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_str_t script;
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        f->err = (fg_err_t)FG_ERR_INIT;
        if (fg_wsman_read_script(arena, fg_str(bad[i]), &script, &f->err))
            fail_msg("%s", bad[i]);
        assert_err(&f->err, FG_E_WSMAN_SCRIPT);
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(none); i++)
        assert_true(fg_wsman_read_script(arena, fg_str(none[i]), &script, &f->err) && script.p == NULL);
    fg_arena_free(arena);
    assert_false(read_text(f, COMMAND("<r:Command>powershell -enc !</r:Command>")));
    assert_err(&f->err, FG_E_WSMAN_SCRIPT);
}

/* ---- answers */

static void answers_say_what_they_open(void **state) {
#define ANSWER(body) OPEN "<s:Header/><s:Body>" body "</s:Body></s:Envelope>"
#define CREATED                                                                     \
    "<x:ResourceCreated>" EPR("http://h") "<a:ReferenceParameters>" RESOURCE(SHELL) \
        SELECTORS(SELECTOR("Other", "o") SELECTOR("ShellId", "S1")) "</a:ReferenceParameters></x:ResourceCreated>"
    static const struct {
        const char *text;
        size_t count;
        fg_wsman_context_t first, second;
    } cases[] = {
        {ANSWER("<n:EnumerateResponse>" CONTEXT "</n:EnumerateResponse>"),
         1,
         {FG_WSMAN_ENUMERATION, {"c", 1}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER("<n:PullResponse>" CONTEXT "<n:Items/></n:PullResponse>"),
         1,
         {FG_WSMAN_ENUMERATION, {"c", 1}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER("<n:PullResponse><n:Items/><n:EndOfSequence/></n:PullResponse>"),
         0,
         {FG_WSMAN_NONE, {NULL, 0}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER("<n:EnumerateResponse><n:EnumerationContext/><w:Items/></n:EnumerateResponse>"),
         0,
         {FG_WSMAN_NONE, {NULL, 0}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        /* an instance's content opens nothing */
        {ANSWER("<n:PullResponse><n:Items><x>" CONTEXT SELECTOR("ShellId", "S2") "</x></n:Items></n:PullResponse>"),
         0,
         {FG_WSMAN_NONE, {NULL, 0}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER(CREATED), 1, {FG_WSMAN_SHELL, {"S1", 2}}, {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER(CREATED "<r:Shell><r:ShellId>S1</r:ShellId></r:Shell>"),
         1,
         {FG_WSMAN_SHELL, {"S1", 2}},
         {FG_WSMAN_NONE, {NULL, 0}}},
        {ANSWER("<e:SubscribeResponse><e:SubscriptionManager>" EPR(
             "http://h") "<a:ReferenceParameters>" IDENTIFIER "</a:ReferenceParameters></e:SubscriptionManager>" CONTEXT
                         "</e:SubscribeResponse>"),
         2,
         {FG_WSMAN_ENUMERATION, {"c", 1}},
         {FG_WSMAN_SUBSCRIPTION, {"i", 1}}},
        {"not XML at all", 0, {FG_WSMAN_NONE, {NULL, 0}}, {FG_WSMAN_NONE, {NULL, 0}}},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX] = {{FG_WSMAN_NONE, {NULL, 0}}};
        size_t count = 9;
        fg_arena_t *arena = fg_arena_new(0);
        assert_true(fg_wsman_read_answer(arena, fg_str(cases[i].text), NULL, opened, &count, &f->err));
        assert_int_equal(count, cases[i].count);
        assert_int_equal(opened[0].kind, cases[i].first.kind);
        assert_true(fg_str_eq(opened[0].id, cases[i].first.id));
        assert_int_equal(opened[1].kind, cases[i].second.kind);
        assert_true(fg_str_eq(opened[1].id, cases[i].second.id));
        fg_arena_free(arena);
    }
    static const char *const bad[] = {
        "<EnumerationContext",
        "<s:Envelope xmlns:s='" FG_NS_SOAP11 "'><s:Body><EnumerationContext/></s:Body></s:Envelope>",
        ANSWER("<n:PullResponse><n:EnumerationContext><a/></n:EnumerationContext></n:PullResponse>")};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_wsman_context_t opened[FG_WSMAN_OPENED_MAX];
        size_t count;
        fg_arena_t *arena = fg_arena_new(0);
        assert_false(fg_wsman_read_answer(arena, fg_str(bad[i]), NULL, opened, &count, &f->err));
        fg_arena_free(arena);
    }
}

/* ---- faults */

static const xmlNode *step(const xmlNode *node, const char *ns, const char *name) {
    const xmlNode *child = node ? fg_xml_child(node, ns, name, NULL) : NULL;
    if (child == NULL)
        fail_msg("no %s", name);
    return child;
}

static const char *text_of(fg_arena_t *arena, const xmlNode *node) { return fg_xml_text(arena, node, NULL).p; }

static void faults_are_those_of_the_specification(void **state) {
#define WSMAN_FAULT "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
    static const struct {
        fg_code_t code;
        const char *action, *value, *subcode;
        int status;
    } cases[] = {
        {FG_E_DENIED, WSMAN_FAULT, "s:Sender", "w:AccessDenied", 500},
        {FG_E_AUTH_MISSING, WSMAN_FAULT, "s:Sender", "w:AccessDenied", 401},
        {FG_E_AUTH_FAILED, WSMAN_FAULT, "s:Sender", "w:AccessDenied", 401},
        {FG_E_TOKEN_EXPIRED, WSMAN_FAULT, "s:Sender", "w:AccessDenied", 500},
        {FG_E_SIG_INVALID, WSMAN_FAULT, "s:Sender", "w:AccessDenied", 500},
        {FG_E_INTERNAL, WSMAN_FAULT, "s:Receiver", "w:InternalError", 500},
        {FG_E_BUSY, FG_NS_WSA_2004 "/fault", "s:Receiver", "a:EndpointUnavailable", 500},
        {FG_E_XML_MALFORMED, WSMAN_FAULT, "s:Sender", "w:SchemaValidationError", 500},
        {FG_E_XML_LIMIT, WSMAN_FAULT, "s:Sender", "w:EncodingLimit", 500},
        {FG_E_WSA_ACTION, FG_NS_WSA_2004 "/fault", "s:Sender", "a:ActionNotSupported", 500},
        {FG_E_WSMAN_HEADER, FG_NS_WSA_2004 "/fault", "s:Sender", "a:MessageInformationHeaderRequired", 500},
        {FG_E_WSA_HEADER, FG_NS_WSA_2004 "/fault", "s:Sender", "a:InvalidMessageInformationHeader", 500},
        {FG_E_SOAP_MUST_UNDERSTAND, FG_NS_WSA_2004 "/fault", "s:MustUnderstand", NULL, 500},
        {FG_E_SOAP_VERSION, FG_NS_WSA_2004 "/fault", "s:VersionMismatch", NULL, 500},
        {FG_E_WSMAN_SELECTOR, WSMAN_FAULT, "s:Sender", "w:InvalidSelectors", 500},
        {FG_E_WSMAN_FILTER, FG_NS_WSEN "/fault", "s:Sender", "n:CannotProcessFilter", 500},
        {FG_E_WSMAN_CONTEXT, FG_NS_WSEN "/fault", "s:Receiver", "n:InvalidEnumerationContext", 500},
    };
    fixture_t *f = *state;
    test_env_t env;
    test_env_init(&env);
    assert_true(read_text(f, PULL("")));
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_buf_t out = FG_BUF_INIT(1u << 16);
        fg_err_t err = FG_ERR_INIT;
        int status = 0;
        (void)FG_FAIL(&err, cases[i].code, "private");
        assert_true(fg_wsman_fault(&env.env, &f->message, &err, &out, &status));
        assert_int_equal(status, cases[i].status);
        assert_null(strstr(out.data, "private"));
        xmlDoc *doc = fg_xml_parse(f->arena, fg_buf_str(&out), NULL, &err);
        assert_non_null(doc);
        const xmlNode *root = xmlDocGetRootElement(doc), *header = step(root, FG_NS_SOAP12, "Header");
        assert_string_equal(text_of(f->arena, step(header, FG_NS_WSA_2004, "Action")), cases[i].action);
        assert_string_equal(text_of(f->arena, step(header, FG_NS_WSA_2004, "RelatesTo")), "uuid:1");
        assert_string_equal(text_of(f->arena, step(header, FG_NS_WSA_2004, "To")), FG_WSMAN_ANONYMOUS);
        const xmlNode *fault = step(step(root, FG_NS_SOAP12, "Body"), FG_NS_SOAP12, "Fault");
        const xmlNode *code = step(fault, FG_NS_SOAP12, "Code");
        assert_string_equal(text_of(f->arena, step(code, FG_NS_SOAP12, "Value")), cases[i].value);
        if (cases[i].subcode != NULL)
            assert_string_equal(text_of(f->arena, step(step(code, FG_NS_SOAP12, "Subcode"), FG_NS_SOAP12, "Value")),
                                cases[i].subcode);
        else
            assert_null(fg_xml_child(code, FG_NS_SOAP12, "Subcode", NULL));
        const xmlNode *reason = step(step(fault, FG_NS_SOAP12, "Reason"), FG_NS_SOAP12, "Text");
        assert_string_equal(fg_xml_attr(f->arena, reason, FG_NS_XML, "lang").p, "en-US");
        assert_true(strlen(text_of(f->arena, reason)) > 10);
        fg_buf_free(&out);
    }
}

static void faults_of_contexts_name_what_is_not_there(void **state) {
    static const struct {
        const char *text, *subcode;
    } cases[] = {
        {PULL(""), "n:InvalidEnumerationContext"},
        {COMMAND("<r:Command>a</r:Command>"), "w:InvalidSelectors"},
        {EVENT("Renew", IDENTIFIER), "e:InvalidMessage"},
    };
    fixture_t *f = *state;
    test_env_t env;
    test_env_init(&env);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_buf_t out = FG_BUF_INIT(1u << 16);
        fg_err_t err = FG_ERR_INIT;
        int status;
        assert_true(read_text(f, cases[i].text));
        (void)FG_FAIL(&err, FG_E_WSMAN_CONTEXT, "-");
        assert_true(fg_wsman_fault(&env.env, &f->message, &err, &out, &status));
        assert_non_null(strstr(out.data, cases[i].subcode));
        fg_buf_free(&out);
    }
}

/* Every code has a face, and a fault without a message that it answers goes out all the same. */
static void every_code_has_a_fault(void **state) {
    fg_wsman_message_t nothing = {.operation = NULL};
    test_env_t env;
    (void)state;
    test_env_init(&env);
    for (int code = 1; code < FG_CODE_COUNT; code++) {
        fg_buf_t out = FG_BUF_INIT(1u << 16);
        fg_err_t err = FG_ERR_INIT;
        int status;
        (void)FG_FAIL(&err, (fg_code_t)code, "-");
        assert_true(fg_wsman_fault(&env.env, &nothing, &err, &out, &status));
        assert_null(strstr(out.data, "RelatesTo"));
        fg_buf_free(&out);
    }
    env.random_fails = true;
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    fg_err_t err = {.code = FG_E_DENIED};
    int status;
    assert_false(fg_wsman_fault(&env.env, &nothing, &err, &out, &status));
    fg_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_real_clients_are_read),
        cmocka_unit_test(subscription_of_a_real_client_is_refused),
        cmocka_unit_test(http_and_envelope_agree_wm01),
        cmocka_unit_test(body_belongs_to_the_action_wm01),
        cmocka_unit_test(identify_stands_alone),
        cmocka_unit_test(headers_stand_once_and_in_their_place_wm02),
        cmocka_unit_test(one_envelope_one_body_one_child_wm03),
        cmocka_unit_test(headers_that_must_be_understood_wm04),
        cmocka_unit_test(resource_is_read_byte_by_byte_wm09),
        cmocka_unit_test(selectors_and_options_have_one_reading_wm10),
        cmocka_unit_test(filters_are_claims_wm12),
        cmocka_unit_test(acts_on_shells_are_told_apart_wm13),
        cmocka_unit_test(wishes_are_bounded_wm14),
        cmocka_unit_test(nothing_goes_elsewhere_wm15),
        cmocka_unit_test(contexts_are_read_wm11),
        cmocka_unit_test(encoded_scripts_are_decoded),
        cmocka_unit_test(scripts_that_cannot_be_checked_are_refused),
        cmocka_unit_test(answers_say_what_they_open),
        cmocka_unit_test(faults_are_those_of_the_specification),
        cmocka_unit_test(faults_of_contexts_name_what_is_not_there),
        cmocka_unit_test(every_code_has_a_fault),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
