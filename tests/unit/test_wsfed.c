/* SPDX-License-Identifier: GPL-2.0-or-later
 * WS-Federation passive, identity-provider side: every refusal beside the request that is accepted. */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "core/xml.h"
#include "sts/wsfed.h"

#define LS "/adfs/ls/"
#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp"

static int ask(browser_t *b, const char *query) { return browser_get(b, &fg_wsfed_protocol, LS, query); }

static int sign_in(browser_t *b) { return browser_sign_in(b, &fg_wsfed_protocol, "alice", "alice-demo"); }

static bool shows(const browser_t *b, const char *page) {
    if (strcmp(b->page, page) == 0 && b->ex->response.status == 200)
        return true;
    print_error("page %s expected, got \"%s\"\n%s", page, b->page, b->audit);
    return false;
}

#define assert_page(b, page) assert_true(shows((b), (page)))
#define assert_refused(b, code) assert_true(browser_refused((b), (code)))

static void signs_in_and_then_answers_at_once(void **state) {
    browser_t *b = *state;
    ask(b, ASK "&wctx=rm%3D0%26id%3Dpassive%26ru%3D%252f&whr=&wct=2026-01-01T00%3A00%3A00Z");
    assert_page(b, "sign_in");
    assert_string_equal(browser_text(b, "application"), "urn:rp");
    assert_string_equal(browser_text(b, "message"), "");
    browser_sign_in(b, &fg_wsfed_protocol, "alice", "wrong");
    assert_page(b, "sign_in");
    assert_string_equal(browser_text(b, "message"), "wrong");
    assert_string_equal(browser_text(b, "username"), "alice");
    sign_in(b);
    assert_page(b, "auto_post");
    assert_string_equal(browser_text(b, "action"), BROWSER_RP);
    assert_string_equal(browser_field(b, "wa"), "wsignin1.0");
    assert_string_equal(browser_field(b, "wctx"), "rm=0&id=passive&ru=%2f");
    assert_non_null(strstr(b->audit, "\"issued\""));
    ask(b, ASK);
    assert_page(b, "auto_post");
    assert_null(browser_field(b, "wctx"));
}

/* wresult is one line in AD FS' shape: bare for 2005, a collection for 1.3; what a user is called cannot break it
 * (SA-13). */
static void writes_both_shapes(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    sign_in(b);
    const char *wresult = browser_field(b, "wresult");
    assert_int_equal(
        strncmp(wresult, "<t:RequestSecurityTokenResponse xmlns:t=\"" FG_NS_TRUST_2005 "\"><t:Lifetime>", 90), 0);
    assert_non_null(strstr(wresult, "<t:RequestedSecurityToken><saml:Assertion "));
    assert_non_null(
        strstr(wresult, "<t:KeyType>http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey</t:KeyType>"));
    assert_non_null(strstr(wresult, "alice &lt;&amp;&gt; \"A\""));
    assert_null(strchr(wresult, '\n'));
    b->partners[BROWSER_PARTNER_RP].trust_version = FG_TRUST_13;
    b->partners[BROWSER_PARTNER_RP].token = FG_SAML_20;
    ask(b, ASK);
    wresult = browser_field(b, "wresult");
    assert_int_equal(strncmp(wresult, "<trust:RequestSecurityTokenResponseCollection ", 46), 0);
    assert_non_null(strstr(wresult, "Recipient=\"" BROWSER_RP "\""));
    assert_non_null(strstr(wresult, FG_NS_TRUST_13 "/Bearer"));
}

static void refuses_unknown_realm_and_action(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *query;
        fg_code_t code;
    } cases[] = {
        {"wa=wsignin1.0&wtrealm=urn%3Anobody", FG_E_WSFED_REALM},
        {"wa=wsignin1.0&wtrealm=URN%3Arp", FG_E_WSFED_REALM},
        {"wa=wsignin1.0&wtrealm=urn%3Arp%2F", FG_E_WSFED_REALM},
        {"wa=wsignin1.0", FG_E_WSFED_REQUEST},
        {"wa=wsignin1.0&wtrealm=", FG_E_WSFED_REQUEST},
        {"", FG_E_WSFED_REQUEST},
        {"wtrealm=urn%3Arp", FG_E_WSFED_REQUEST},
        {"wa=wattr1.0&wtrealm=urn%3Arp", FG_E_WSFED_ACTION},
        {"wa=wpseudo1.0&wtrealm=urn%3Arp", FG_E_WSFED_ACTION},
        {"wa=WSIGNIN1.0&wtrealm=urn%3Arp", FG_E_WSFED_ACTION},
        {ASK "&wtrealm=urn%3Arp", FG_E_WSFED_REQUEST},
        {ASK "&wctx=a&wctx=b", FG_E_WSFED_REQUEST},
        {ASK "&wct=yesterday", FG_E_WSFED_REQUEST},
        {ASK "&wfresh=-1", FG_E_WSFED_REQUEST},
        {ASK "&wfresh=1e3", FG_E_WSFED_REQUEST},
        {ASK "&wresult=x", FG_E_WSFED_REQUEST},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        ask(b, cases[i].query);
        assert_refused(b, cases[i].code);
    }
    ask(b, ASK);
    assert_page(b, "sign_in");
}

/* WF-01: a page, and no way to the address */
static void wreply_must_be_registered(void **state) {
    browser_t *b = *state;
    static const char *const bad[] = {
        "https%3A%2F%2Fevil.test%2F",
        "https%3A%2F%2Frp.test%2Flogin%2F",
        "https%3A%2F%2Frp.test%2Flogi",
        "http%3A%2F%2Frp.test%2Flogin",
        "https%3A%2F%2FRP.test%2Flogin",
        "https%3A%2F%2Frp.test%2Flogin%3Fx",
        "https%3A%2F%2Frp.test%2Flogin%23",
        "https%3A%2F%2Frp.test%40evil.test%2Flogin",
        "https%3A%2F%2Frp.test%5C%2Flogin",
        "%2F%2Frp.test%2Flogin",
        "javascript%3Aalert(1)",
        "https%3A%2F%2Fother.test%2Fapp%2F", /* another partner's */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        char query[512];
        snprintf(query, sizeof query, "%s&wreply=%s", ASK, bad[i]);
        ask(b, query);
        assert_refused(b, FG_E_WSFED_REPLY);
        assert_null(browser_header(b, "Location"));
        snprintf(query, sizeof query, "wa=wsignout1.0&wtrealm=urn%%3Arp&wreply=%s", bad[i]);
        ask(b, query);
        assert_refused(b, FG_E_WSFED_REPLY);
    }
    ask(b, ASK "&wreply=https%3A%2F%2Frp.test%2Fsecond%3Fa%3Db");
    sign_in(b);
    assert_page(b, "auto_post");
    assert_string_equal(browser_text(b, "action"), "https://rp.test/second?a=b");
}

/* WF-02, SA-12: wctx comes back byte for byte, through the sign-in form too; pages get it as a value, never as markup
 */
static void wctx_is_opaque(void **state) {
    browser_t *b = *state;
    static const char wctx[] = "\"><script>alert(1)</script>&amp;%41+ \xc3\xa9'`=";
    fg_buf_t query = FG_BUF_INIT(1024);
    fg_buf_puts(&query, ASK);
    browser_put(&query, "wctx", wctx);
    ask(b, query.data);
    assert_null(strchr(browser_text(b, "action"), '<'));
    assert_null(strchr(browser_text(b, "action"), '"'));
    browser_sign_in(b, &fg_wsfed_protocol, "alice", "wrong");
    sign_in(b);
    assert_string_equal(browser_field(b, "wctx"), wctx);
    ask(b, query.data);
    assert_string_equal(browser_field(b, "wctx"), wctx);
    fg_buf_free(&query);
}

/* WF-03: a clean-up request that another site makes carries no cookie of ours */
static void cleanup_ends_own_session_only(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    sign_in(b);
    size_t kept = b->cookie_count;
    b->cookie_count = 0;
    assert_int_equal(ask(b, "wa=wsignoutcleanup1.0"), 200);
    assert_string_equal(browser_header(b, "Content-Type"), "image/gif");
    b->cookie_count = kept;
    ask(b, ASK);
    assert_page(b, "auto_post");
    assert_int_equal(ask(b, "wa=wsignoutcleanup1.0"), 200);
    ask(b, ASK);
    assert_page(b, "sign_in");
}

/* WF-06: nothing is fetched, so nothing but a refusal can come of it */
static void pointers_are_refused(void **state) {
    browser_t *b = *state;
    static const char *const names[] = {"wreqptr", "wresultptr", "wattrptr", "wpseudoptr"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        char query[256];
        snprintf(query, sizeof query, "%s&%s=https%%3A%%2F%%2Frp.test%%2F", ASK, names[i]);
        ask(b, query);
        assert_refused(b, FG_E_WSFED_POINTER);
    }
}

/* WF-07: wfresh */
static void wfresh_is_enforced(void **state) {
    browser_t *b = *state;
    ask(b, ASK "&wfresh=0");
    sign_in(b);
    assert_page(b, "auto_post");
    ask(b, ASK "&wfresh=0");
    assert_page(b, "sign_in");
    b->test.now_ms += 9 * FG_MINUTE;
    ask(b, ASK "&wfresh=10");
    assert_page(b, "auto_post");
    b->test.now_ms += FG_MINUTE;
    ask(b, ASK "&wfresh=10");
    assert_page(b, "sign_in");
    ask(b, ASK "&wfresh=");
    assert_page(b, "auto_post");
}

/* WF-07: wauth; what cannot be served is refused, not weakened */
static void wauth_is_enforced(void **state) {
    browser_t *b = *state;
    ask(b, ASK "&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword&wfresh=0");
    sign_in(b);
    assert_page(b, "auto_post");
    ask(b,
        ASK "&wauth=http%3A%2F%2Fschemas.microsoft.com%2Fws%2F2008%2F06%2Fidentity%2Fauthenticationmethod%2Fpassword");
    assert_page(b, "auto_post");
    ask(b, ASK "&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3AX509-PKI");
    assert_refused(b, FG_E_WSFED_AUTH);
    ask(b, ASK "&wauth=urn%3Afederation%3Aauthentication%3Awindows");
    assert_refused(b, FG_E_WSFED_AUTH);
    ask(b, ASK "&wauth=anything");
    assert_refused(b, FG_E_WSFED_AUTH);
}

/* WF-07: whr, and the choice of a home realm */
static void whr_is_enforced_and_remembered(void **state) {
    browser_t *b = *state;
    b->hub.home_realm_count = 2;
    ask(b, ASK "&whr=urn%3Ahome%3Anowhere");
    assert_refused(b, FG_E_WSFED_HOME_REALM);
    ask(b, ASK "&wctx=x");
    assert_page(b, "home_realm");
    assert_int_equal(json_array_size(json_object_get(b->model, "realms")), 2);
    assert_int_equal(json_array_size(json_object_get(b->model, "hidden")), 3);
    ask(b, ASK "&whr=urn%3Ahome%3Aguests");
    assert_page(b, "sign_in");
    assert_non_null(strstr(browser_text(b, "realm_choice_url"), "&choose=1"));
    assert_null(strstr(browser_text(b, "realm_choice_url"), "whr="));
    sign_in(b);
    assert_page(b, "auto_post");
    ask(b, ASK);
    assert_page(b, "auto_post");
    ask(b, ASK "&whr=urn%3Ahome%3Astaff"); /* signed in from elsewhere */
    assert_page(b, "sign_in");
    ask(b, ASK "&wfresh=0");
    assert_page(b, "sign_in"); /* guests, as remembered for this relying party */
    ask(b, ASK "&wfresh=0&choose=1");
    assert_page(b, "home_realm");
    ask(b, "wa=wsignin1.0&wtrealm=https%3A%2F%2Fother.test%2F&wfresh=0");
    assert_page(b, "home_realm"); /* another relying party */
}

/* The sign-in form is good only in the browser that got it (login CSRF). */
static void form_is_bound_to_the_browser(void **state) {
    browser_t *b = *state;
    static const char *const fields[] = {"username=alice&password=alice-demo",
                                         "username=alice&password=alice-demo&csrf=x",
                                         "username=alice&password=alice-demo&csrf="};
    ask(b, ASK);
    for (size_t i = 0; i < FG_ARRAY_SIZE(fields); i++) {
        browser_post(b, &fg_wsfed_protocol, LS, ASK, fields[i]);
        assert_refused(b, FG_E_CSRF);
    }
    ask(b, ASK);
    char token[1024];
    snprintf(token, sizeof token, "username=alice&password=alice-demo&csrf=%s", browser_text(b, "csrf"));
    size_t kept = b->cookie_count;
    b->cookie_count = 0;
    browser_post(b, &fg_wsfed_protocol, LS, ASK, token);
    assert_refused(b, FG_E_CSRF);
    b->cookie_count = kept;
    browser_post(b, &fg_wsfed_protocol, LS, ASK, token);
    assert_page(b, "auto_post");
    size_t end = strlen(token);
    snprintf(token + end, sizeof token - end, "&username=bob");
    browser_post(b, &fg_wsfed_protocol, LS, ASK, token);
    assert_refused(b, FG_E_WSFED_REQUEST);
}

/* A POST whose form has wa is the request itself. */
static void takes_requests_by_post(void **state) {
    browser_t *b = *state;
    browser_post(b, &fg_wsfed_protocol, LS, "", ASK "&wctx=by-post");
    assert_page(b, "sign_in");
    sign_in(b);
    assert_string_equal(browser_field(b, "wctx"), "by-post");
    browser_post(b, &fg_wsfed_protocol, LS, ASK, ASK);
    assert_refused(b, FG_E_WSFED_REQUEST);
}

/* HT-05, HT-10 */
static void form_needs_one_content_type_and_a_size(void **state) {
    browser_t *b = *state;
    static const char *const one[] = {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", NULL};
    static const char *const two[] = {"Content-Type", "application/x-www-form-urlencoded", "content-type",
                                      "application/x-www-form-urlencoded", NULL};
    static const char *const json[] = {"Content-Type", "application/json", NULL};
    browser_post_with(b, &fg_wsfed_protocol, LS, "", ASK, two);
    assert_refused(b, FG_E_HTTP_MEDIA_TYPE);
    browser_post_with(b, &fg_wsfed_protocol, LS, "", ASK, json);
    assert_refused(b, FG_E_HTTP_MEDIA_TYPE);
    browser_post_with(b, &fg_wsfed_protocol, LS, "", ASK, NULL);
    assert_refused(b, FG_E_HTTP_MEDIA_TYPE);
    browser_post_with(b, &fg_wsfed_protocol, LS, "", ASK, one);
    assert_page(b, "sign_in");
}

static void stops_a_loop(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    sign_in(b);
    for (int i = 0; i < 4; i++) {
        ask(b, ASK);
        assert_page(b, "auto_post");
    }
    ask(b, ASK);
    assert_refused(b, FG_E_WSFED_LOOP);
    ask(b, "wa=wsignin1.0&wtrealm=https%3A%2F%2Fother.test%2F");
    assert_page(b, "auto_post");
    b->test.now_ms += 21 * FG_SECOND;
    ask(b, ASK);
    assert_page(b, "auto_post");
}

static const char *party_url(const browser_t *b, size_t i) {
    json_t *party = json_array_get(json_object_get(b->model, "parties"), i);
    const char *url = json_string_value(json_object_get(party, "url"));
    return url ? url : "(absent)";
}

static void signs_out_everywhere(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    sign_in(b);
    ask(b, "wa=wsignin1.0&wtrealm=https%3A%2F%2Fother.test%2F&wfresh=0"); /* a new session keeps the first's parties */
    sign_in(b);
    ask(b, "wa=wsignout1.0&wreply=https%3A%2F%2Fother.test%2Fapp%2F");
    assert_page(b, "signed_out");
    assert_int_equal(json_array_size(json_object_get(b->model, "parties")), 2);
    assert_string_equal(party_url(b, 0), BROWSER_RP "?wa=wsignoutcleanup1.0");
    assert_string_equal(party_url(b, 1), "https://other.test/app/?wa=wsignoutcleanup1.0");
    assert_string_equal(browser_text(b, "wreply"), "https://other.test/app/");
    assert_non_null(strstr(b->audit, "\"signout\""));
    ask(b, ASK);
    assert_page(b, "sign_in");
    ask(b, "wa=wsignout1.0");
    assert_page(b, "signed_out");
    assert_int_equal(json_array_size(json_object_get(b->model, "parties")), 0);
    assert_string_equal(browser_text(b, "wreply"), "");
}

/* A session cookie that was copied before signing out is of no use afterwards. */
static void sign_out_outlasts_the_cookie(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    sign_in(b);
    browser_t *copy = malloc(sizeof *copy);
    assert_non_null(copy);
    memcpy(copy->cookies, b->cookies, sizeof b->cookies);
    size_t count = b->cookie_count;
    ask(b, "wa=wsignout1.0");
    memcpy(b->cookies, copy->cookies, sizeof b->cookies);
    b->cookie_count = count;
    free(copy);
    ask(b, ASK);
    assert_page(b, "sign_in");
}

#define RST(ns, more) "<t:RequestSecurityToken xmlns:t=\"" ns "\">" more "</t:RequestSecurityToken>"

static void ask_wreq(browser_t *b, const char *wreq) {
    fg_buf_t query = FG_BUF_INIT(4096);
    fg_buf_puts(&query, ASK);
    browser_put(&query, "wreq", wreq);
    ask(b, query.data);
    fg_buf_free(&query);
}

static void wreq_chooses_the_token_type(void **state) {
    browser_t *b = *state;
    static const char saml20[] = RST(FG_NS_TRUST_13, "<t:TokenType>" FG_NS_SAML2 "</t:TokenType>");
    static const struct {
        const char *wreq;
        fg_code_t code;
    } cases[] = {
        {RST(FG_NS_TRUST_13, "<t:TokenType>urn:x</t:TokenType>"), FG_E_WST_TOKEN_TYPE},
        {RST(FG_NS_TRUST_13, "<t:KeyType>" FG_NS_TRUST_13 "/SymmetricKey</t:KeyType>"), FG_E_WST_KEY_TYPE},
        {RST(FG_NS_TRUST_2005, "<t:RequestType>" FG_NS_TRUST_2005 "/Renew</t:RequestType>"), FG_E_WST_REQUEST_TYPE},
        {RST(FG_NS_TRUST_13, "<t:TokenType>" FG_NS_SAML2 "</t:TokenType><t:TokenType>" FG_NS_SAML1 "</t:TokenType>"),
         FG_E_WSFED_REQUEST},
        {RST("urn:x", ""), FG_E_WSFED_REQUEST},
        {"<!DOCTYPE x>" RST(FG_NS_TRUST_13, ""), FG_E_XML_DTD},
    };
    ask(b, ASK);
    sign_in(b);
    assert_non_null(strstr(browser_field(b, "wresult"), "<t:TokenType>" FG_NS_SAML1));
    ask_wreq(b, saml20);
    assert_page(b, "auto_post");
    assert_non_null(strstr(browser_field(b, "wresult"), "<t:TokenType>" FG_NS_SAML2));
    b->partners[BROWSER_PARTNER_RP].token_fixed = true;
    ask_wreq(b, saml20);
    assert_refused(b, FG_E_WST_TOKEN_TYPE);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        ask_wreq(b, cases[i].wreq);
        assert_refused(b, cases[i].code);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, browser_set_up, browser_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(signs_in_and_then_answers_at_once),
        TEST(writes_both_shapes),
        TEST(refuses_unknown_realm_and_action),
        TEST(wreply_must_be_registered),
        TEST(wctx_is_opaque),
        TEST(cleanup_ends_own_session_only),
        TEST(pointers_are_refused),
        TEST(wfresh_is_enforced),
        TEST(wauth_is_enforced),
        TEST(whr_is_enforced_and_remembered),
        TEST(form_is_bound_to_the_browser),
        TEST(takes_requests_by_post),
        TEST(form_needs_one_content_type_and_a_size),
        TEST(stops_a_loop),
        TEST(signs_out_everywhere),
        TEST(sign_out_outlasts_the_cookie),
        TEST(wreq_chooses_the_token_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
