/* SPDX-License-Identifier: GPL-2.0-or-later
 * Protected WS-Management endpoints: operations, who opened what, credentials inside messages. */
#include "tests/unit/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "core/xml_ns.h"

#define SHELL "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
#define SECURITY(content) "<o:Security xmlns:o='" FG_NS_WSSE "' s:mustUnderstand='true'>" content "</o:Security>"
#define USER(name, password) "<o:UsernameToken><o:Username>" name "</o:Username><o:Password>" password "</o:Password></o:UsernameToken>"
#define WSMAN(action, resource, headers, body)                                                                          \
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' "               \
    "xmlns:w='http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd' xmlns:r='" SHELL "' "                                    \
    "xmlns:n='http://schemas.xmlsoap.org/ws/2004/09/enumeration'><s:Header>"                                          \
    "<a:Action s:mustUnderstand='true'>" action "</a:Action><a:To>https://fs.example.com/wsman</a:To>"                 \
    "<w:ResourceURI s:mustUnderstand='true'>" resource "</w:ResourceURI><a:MessageID>uuid:1</a:MessageID>"             \
    "<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>"    \
    headers "</s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define IN_SHELL "<w:SelectorSet><w:Selector Name='ShellId'>S1</w:Selector></w:SelectorSet>"
#define CREATE WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", "", "<r:Shell><r:OutputStreams>stdout</r:OutputStreams></r:Shell>")
#define COMMAND_OF(text) WSMAN(SHELL "/Command", SHELL "/cmd", IN_SHELL, "<r:CommandLine><r:Command>" text "</r:Command></r:CommandLine>")
#define DELETE WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete", SHELL "/cmd", IN_SHELL, "")
#define CREATED                                                                                                         \
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' xmlns:r='" SHELL "'>" \
    "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse</a:Action></s:Header>"          \
    "<s:Body><r:Shell><r:ShellId>S1</r:ShellId></r:Shell></s:Body></s:Envelope>"

static bool wsman_at(const char *protect, const char *user, const char *message) {
    access_begin(protect, "POST", "/wsman");
    access_put_header("Content-Type", "application/soap+xml;charset=UTF-8");
    if (user != NULL)
        access_put_basic(user);
    access_call.body = message;
    return access_run();
}
static bool wsman(const char *user, const char *message) { return wsman_at("wsman", user, message); }

static void operations_are_decided_and_refused_in_their_own_words(void **state) {
    (void)state;
    assert_true(wsman("alice:right", CREATE));
    assert_true(access_call.ex->access->answer_is_read);
    assert_non_null(strstr(access_audit(), "\"operation\":\"Create\""));
    assert_false(wsman("bob:right", CREATE));
    assert_true(access_refused(500, "denied") && access_body_has("AccessDenied"));
    assert_non_null(strstr(access_header("Content-Type", 0), "application/soap+xml"));
    assert_false(wsman(NULL, CREATE)); /* WM-08: wsman asks without credentials first */
    assert_true(access_refused(401, "not_signed_in"));
    assert_non_null(strstr(access_header("WWW-Authenticate", 1), "Basic realm="));
    assert_false(wsman("alice:wrong", CREATE));
    assert_int_equal(access_call.ex->response.status, 401);
    assert_false(wsman("alice:right", "<x/>"));
    assert_int_equal(access_call.ex->response.status, 500);
    access_begin("wsman", "GET", "/wsman");
    access_put_basic("alice:right");
    assert_false(access_run());
    assert_non_null(strstr(access_audit(), "method_not_allowed"));
}

/* WM-11 */
static void a_shell_is_its_opener_s_wm11(void **state) {
    (void)state;
    assert_false(wsman("alice:right", COMMAND_OF("dir"))); /* opened by nobody */
    assert_true(access_refused(500, "wsman_context"));
    assert_true(wsman("alice:right", CREATE));
    assert_true(fg_access_read_answer(access_call.ex, FG_STR(CREATED)));
    assert_true(wsman("alice:right", COMMAND_OF("dir")));
    assert_false(access_call.ex->access->answer_is_read);
    assert_non_null(strstr(access_audit(), "\"command_line\":\"dir\""));
    assert_false(wsman("alice:right", COMMAND_OF("format c:")));
    assert_true(access_refused(500, "denied"));
    /* carol may do the same, but it is not her shell; nor is it at another place */
    access_begin("wsman", "POST", "/wsman");
    access_put_header("Content-Type", "application/soap+xml;charset=UTF-8");
    access_put_bearer(access_jwt(TOKEN(.from_ms = 0)));
    access_call.body = COMMAND_OF("dir");
    assert_false(access_run());
    assert_true(access_refused(500, "wsman_context"));
    access_begin("wsman", "POST", "/wsman"); /* SA-10: the same name from another issuer */
    access_put_header("Content-Type", "application/soap+xml;charset=UTF-8");
    access_put_bearer(access_jwt(TOKEN(.name = "alice")));
    access_call.body = COMMAND_OF("dir");
    assert_false(access_run());
    assert_true(access_refused(500, "wsman_context"));
    assert_false(wsman_at("wsman2", "alice:right", COMMAND_OF("dir")));
    assert_true(access_refused(500, "wsman_context"));
    /* it lasts while it is used */
    for (int i = 0; i < 3; i++) {
        access_test.now_ms += 20 * FG_HOUR;
        assert_true(wsman("alice:right", COMMAND_OF("dir")));
    }
    assert_true(wsman("alice:right", DELETE));
    assert_false(wsman("alice:right", COMMAND_OF("dir")));
    assert_true(access_refused(500, "wsman_context"));
}

static void without_a_store_contexts_are_refused(void **state) {
    (void)state;
    assert_true(wsman("alice:right", CREATE));
    assert_true(fg_access_read_answer(access_call.ex, FG_STR(CREATED)));
    static char token[16384];
    fg_str_t jwt = access_jwt(TOKEN(.from_ms = 0));
    memcpy(token, jwt.p, jwt.n);
    fg_store_t *store = access_test.env.store;
    access_test.env.store = NULL;
    access_begin("wsman", "POST", "/wsman");
    access_put_header("Content-Type", "application/soap+xml;charset=UTF-8");
    access_put_bearer((fg_str_t){token, jwt.n});
    access_call.body = COMMAND_OF("dir");
    assert_false(access_run());
    assert_string_equal(access_call.ex->access->reason, "store_unavailable");
    assert_string_equal(access_header("Retry-After", 0), "2");
    access_begin("rest", "GET", "/"); /* no password is checked without its counters */
    access_put_basic("alice:right");
    assert_false(access_run());
    assert_true(access_refused(503, "store_unavailable"));
    access_begin("web", "GET", "/"); /* a session whose end could not be known is none */
    access_put_session();
    assert_false(access_run());
    access_test.env.store = store;
    assert_true(wsman("alice:right", COMMAND_OF("dir"))); /* control */
}

static void a_security_header_is_a_credential(void **state) {
    (void)state;
    const char *with_password = WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", SECURITY(USER("alice", "right")), "<r:Shell/>");
    assert_true(wsman(NULL, with_password));
    assert_string_equal(access_call.ex->access->credential, "soap");
    assert_int_equal(access_call.passwords, 1);
    assert_false(access_call.ex->access->credential_is_spent);
    assert_true(wsman(NULL, with_password));
    assert_true(access_call.quick);
    assert_false(wsman(NULL, WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", SECURITY(USER("alice", "wrong")), "<r:Shell/>")));
    assert_int_equal(access_call.ex->response.status, 401);
    assert_false(wsman(NULL, WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", SECURITY(USER("alice", "right") USER("alice", "right")), "<r:Shell/>")));
    assert_true(access_refused(401, "wss_structure"));
    assert_false(wsman(NULL, WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", SECURITY("<x/>"), "<r:Shell/>")));
    assert_true(access_refused(401, "wss_unsupported"));
    /* WT-04 */
    assert_false(wsman(NULL, WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd",
                                   SECURITY("<u:Timestamp xmlns:u='" FG_NS_WSU "'><u:Created>2020-01-01T00:00:00Z</u:Created></u:Timestamp>" USER("alice", "right")), "<r:Shell/>")));
    assert_true(access_refused(401, "wss_expired"));
}

#define DIGEST(name, nonce, value)                                                                                          \
    "<o:UsernameToken><o:Username>" name "</o:Username><o:Password Type='http://docs.oasis-open.org/wss/2004/01/"           \
    "oasis-200401-wss-username-token-profile-1.0#PasswordDigest'>" value "</o:Password><o:Nonce>" nonce "</o:Nonce>"         \
    "<u:Created xmlns:u='" FG_NS_WSU "'>2026-01-01T00:00:00Z</u:Created></o:UsernameToken>"
#define WITH(token) WSMAN("http://schemas.xmlsoap.org/ws/2004/09/transfer/Create", SHELL "/cmd", SECURITY(token), "<r:Shell/>")

/* WT-03: good once, and checked where it is read: no slow hash is waited for */
static void a_digest_in_a_security_header_is_a_credential(void **state) {
    (void)state;
    assert_true(wsman(NULL, WITH(DIGEST("alice", "MTIzNDU2Nzg5MDEyMzQ1Ng==", "5kgmf+UOgS0xnGY3VbbdU/9u00U="))));
    assert_string_equal(access_call.ex->access->credential, "soap");
    assert_int_equal(access_call.passwords, 0);
    assert_false(wsman(NULL, WITH(DIGEST("alice", "MTIzNDU2Nzg5MDEyMzQ1Ng==", "5kgmf+UOgS0xnGY3VbbdU/9u00U="))));
    assert_true(access_refused(401, "wss_replay"));
    assert_false(wsman(NULL, WITH(DIGEST("alice", "bm9uY2UtMg==", "SQBpG4DtYlgTlwP1CJh4qBNRBCQ="))));
    assert_true(access_refused(401, "wrong_user_or_password"));
    assert_false(wsman(NULL, WITH(DIGEST("bob", "bm9uY2UtMw==", "zcG0bYjWmpPKB+Lupc3/OYQ78fY="))));
    assert_true(access_refused(401, "digest_not_possible"));
    assert_null(strstr(access_call.ex->response.body.data, "igest"));
    assert_true(wsman(NULL, WITH(DIGEST("alice", "bm9uY2UtNA==", "C1P4Ip4r8gKdD3K3P1sC+g/MYcc=")))); /* control */
}

/* Guesses by digest make an account wait like others. */
static void digests_count_as_guesses(void **state) {
    (void)state;
    static const char *const messages[] = {
        WITH(DIGEST("alice", "Z3Vlc3MtMA==", "KNAYtG37w5zHo8LKpZrb1r8hHZg=")),
        WITH(DIGEST("alice", "Z3Vlc3MtMQ==", "N3wtA/Xa4V7ITABrZF95soixXmQ=")),
        WITH(DIGEST("alice", "Z3Vlc3MtMg==", "KLaNn0BigDjmRPg6ZIbuWnuyduw=")),
        WITH(DIGEST("alice", "Z3Vlc3MtMw==", "nIKCwBA/F2yS75kJaUQgo3SSjZw=")),
        WITH(DIGEST("alice", "Z3Vlc3MtNA==", "aJ4Qp51+BZE3P8je1gjyLLYXD40=")),
        WITH(DIGEST("alice", "Z3Vlc3MtNQ==", "+lQ3S3MOO5r2vC+oV6+wwsFyCLw=")),
        WITH(DIGEST("alice", "Z3Vlc3MtNg==", "6DuEND5muTR3EOXIZN9PL3PI9qs=")),
        WITH(DIGEST("alice", "Z3Vlc3MtNw==", "uQdVxK/tvecojcw4n2C0kO36Noo=")),
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(messages); i++)
        assert_false(wsman(NULL, messages[i]));
    assert_true(access_refused(401, "locked_out")); /* the last one was right */
    access_refill(NULL);
    assert_true(wsman(NULL, messages[FG_ARRAY_SIZE(messages) - 1])); /* control */
}

static void an_assertion_in_a_security_header_is_a_credential(void **state) {
    (void)state;
    static char message[65536];
    for (int i = 0; i < 4; i++) {
        const access_token_t token = i & 1 ? TOKEN(.key = access_other_key) : TOKEN(.from_ms = 0);
        fg_str_t assertion = access_assertion(token, i & 2 ? FG_SAML_20 : FG_SAML_11);
        snprintf(message, sizeof message,
                 "<s:Envelope xmlns:s='" FG_NS_SOAP11 "'><s:Header><o:Security xmlns:o='" FG_NS_WSSE "'>%.*s</o:Security></s:Header><s:Body/></s:Envelope>",
                 (int)assertion.n, assertion.p);
        access_begin("all", "POST", "/service");
        access_put_header("Content-Type", "text/xml; charset=utf-8");
        access_put_header("SOAPAction", "\"urn:do\"");
        access_call.body = message;
        assert_int_equal(access_run(), (i & 1) == 0);
        if (i & 1)
            assert_int_equal(access_call.ex->response.status, 401);
    }
}
#define TEST(name) cmocka_unit_test_setup(name, access_refill)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(operations_are_decided_and_refused_in_their_own_words),
        TEST(a_shell_is_its_opener_s_wm11),
        TEST(without_a_store_contexts_are_refused),
        TEST(a_security_header_is_a_credential),
        TEST(a_digest_in_a_security_header_is_a_credential),
        TEST(digests_count_as_guesses),
        TEST(an_assertion_in_a_security_header_is_a_credential),
    };
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
