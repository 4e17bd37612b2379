/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signing people in who sit at browsers, by way of a partner: the state of the round trip, what is held against the
 * result, and the way back.  The protocol in front is WS-Federation; the partner's is made up. */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "hub/browser.h"
#include "policy/request.h"
#include "sts/wsfed.h"

#define LS "/adfs/ls/"
#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp"
#define AT_PARTNER ASK "&whr=urn%3Ahome%3Apartner"
#define X509 "&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3AX509-PKI"

/* ---- the partner: a POST of "word" to /answer says that dora signed in there */

static struct {
    const char *method;
    int64_t instant_ms;
    fg_err_t err;
} partner;

static fg_step_t answer(fg_exchange_t *ex) {
    fg_partner_signin_t signin;
    fg_identity_t identity = {.issuer = FG_STR("urn:home:partner"), .auth_method = fg_str(partner.method)};
    identity.auth_instant_ms = partner.instant_ms;
    partner.err = (fg_err_t)FG_ERR_INIT;
    assert_true(fg_claims_put(ex->arena, &identity.claims, FG_REQUEST_CLAIMS "client_address", FG_STR("::1")));
    assert_true(fg_claims_put(ex->arena, &identity.claims, FG_CLAIM_NAME, FG_STR("dora")));
    if (!fg_partner_state_take(ex, ex->request.body, &signin, &partner.err) ||
        !fg_partner_signed_in(ex, &signin, &identity, &partner.err))
        fg_response_error_page(ex, &partner.err);
    return FG_STEP_DONE;
}

static const fg_endpoint_t answer_endpoint = {"/answer", FG_METHOD_POST, true, answer, fg_response_error_page};
static const fg_protocol_t partner_protocol = {"partner", &answer_endpoint, 1};

/* The partner's page sends the browser back. */
static int come_back(browser_t *b, const char *word) {
    b->cross_site = true;
    int status = browser_post(b, &partner_protocol, "/answer", "", word);
    b->cross_site = false;
    return status;
}

static int set_up(void **state) {
    int result = browser_set_up(state);
    browser_t *b = *state;
    if (result == 0)
        b->hub.home_realm_count = 3;
    partner.method = FG_AUTH_PASSWORD;
    partner.instant_ms = TEST_NOW;
    return result;
}

static int ask(browser_t *b, const char *query) { return browser_get(b, &fg_wsfed_protocol, LS, query); }

/* Follows the redirect of the last answer to the sign-in endpoint. */
static int follow(browser_t *b) {
    static const char url[] = BROWSER_BASE LS "?";
    const char *location = browser_header(b, "Location");
    assert_non_null(location);
    assert_int_equal(strncmp(location, url, sizeof url - 1), 0);
    char *query = strdup(location + sizeof url - 1);
    int status = ask(b, query);
    free(query);
    return status;
}

static void leave(browser_t *b, const char *query) {
    assert_int_equal(ask(b, query), 302);
    assert_string_equal(browser_header(b, "Location"), BROWSER_PROVIDER);
}

/* name: exact, or all that it begins with if it ends in a hyphen */
static const char *cookie_attributes(const browser_t *b, const char *name) {
    size_t length = strlen(name) + (name[strlen(name) - 1] != '-');
    for (size_t i = 0; i < b->cookie_count; i++)
        if (strncmp(b->cookies[i][0], name, length) == 0)
            return b->cookies[i][2];
    return "(absent)";
}

static size_t count_states(const browser_t *b) {
    size_t count = 0;
    for (size_t i = 0; i < b->cookie_count; i++)
        count += strncmp(b->cookies[i][0], "__Host-fedgate-s-", 17) == 0;
    return count;
}

#define assert_refused(b, code) assert_true(browser_refused((b), (code)))
#define assert_page(b, name) assert_string_equal((b)->page, (name))

static void a_partner_signs_in(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER "&wctx=a%26b");
    assert_int_equal(strlen(b->word), 32);
    assert_int_equal(come_back(b, b->word), 303);
    assert_string_equal(browser_header(b, "Location"),
                        BROWSER_BASE LS "?wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner&wctx=a%26b");
    assert_int_equal(count_states(b), 0);
    assert_non_null(strstr(b->audit, "\"identity_provider\":\"partner\""));
    follow(b);
    assert_page(b, "auto_post");
    assert_non_null(strstr(browser_field(b, "wresult"), "dora"));
    fg_session_t session; /* only a request says what a request is like */
    assert_true(fg_session_open(b->ex, &session));
    assert_non_null(fg_claims_get(&session.identity.claims, FG_CLAIM_NAME));
    assert_null(fg_claims_get(&session.identity.claims, FG_REQUEST_CLAIMS "client_address"));
    assert_string_equal(browser_field(b, "wctx"), "a&b");
    ask(b, ASK);
    assert_page(b, "auto_post");
}

/* Nor may acceptance rules say what a request is like. */
static void acceptance_rules_make_no_request(void **state) {
    browser_t *b = *state;
    static const char rules[] = "c:[] => issue(claim = c);"
                                "=> issue(Type = \"" FG_REQUEST_CLAIMS "path\", Value = \"/\");"
                                "=> issue(Type = \"urn:other\", Value = \"/\");";
    fg_err_t err = FG_ERR_INIT;
    fg_ruleset_t *set = fg_ruleset_compile("acceptance", fg_str(rules), NULL, &err);
    assert_non_null(set);
    b->home_realms[2].acceptance_rules = set;
    leave(b, AT_PARTNER);
    assert_int_equal(come_back(b, b->word), 303);
    follow(b);
    fg_session_t session;
    assert_true(fg_session_open(b->ex, &session));
    assert_null(fg_claims_get(&session.identity.claims, FG_REQUEST_CLAIMS "path"));
    assert_non_null(fg_claims_get(&session.identity.claims, "urn:other"));
    fg_ruleset_free(set);
}

/* The choice is remembered when the browser leaves, before it is back. */
static void choice_is_remembered(void **state) {
    browser_t *b = *state;
    ask(b, ASK);
    assert_page(b, "home_realm");
    assert_int_equal(json_array_size(json_object_get(b->model, "realms")), 3);
    leave(b, AT_PARTNER);
    leave(b, ASK);
    ask(b, ASK "&choose=1");
    assert_page(b, "home_realm");
}

/* A partner without an address is neither offered nor gone to. */
static void partner_without_address(void **state) {
    browser_t *b = *state;
    b->provider.sign_in_url = FG_STR_NONE;
    ask(b, ASK);
    assert_int_equal(json_array_size(json_object_get(b->model, "realms")), 2);
    ask(b, AT_PARTNER);
    assert_refused(b, FG_E_WSFED_HOME_REALM);
    b->hub.home_realms = &b->home_realms[1]; /* guests, and the partner: no choice */
    b->hub.home_realm_count = 2;
    ask(b, ASK);
    assert_page(b, "sign_in");
}

/* WF-08: an answer in a browser that did not ask, an answer twice, an answer to nothing */
static void wf_08_state_is_bound_to_the_browser(void **state) {
    browser_t *b = *state;
    static const char *const words[] = {"", "x", "0123456789abcdef0123456789abcdef", "../0123456789abcdef0123456789ab",
                                        "0123456789ABCDEF0123456789ABCDEF"};
    leave(b, AT_PARTNER);
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++) {
        come_back(b, words[i]);
        assert_refused(b, FG_E_CSRF);
    }
    size_t kept = b->cookie_count;
    b->cookie_count = 0;
    come_back(b, b->word);
    assert_refused(b, FG_E_CSRF);
    b->cookie_count = kept;
    browser_t *copy = malloc(sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, b, sizeof *copy);
    assert_int_equal(come_back(b, b->word), 303);
    come_back(b, b->word); /* the cookie is gone */
    assert_refused(b, FG_E_CSRF);
    memcpy(b->cookies, copy->cookies, sizeof b->cookies);
    b->cookie_count = copy->cookie_count;
    free(copy);
    come_back(b, b->word); /* a copy of it is of no use */
    assert_refused(b, FG_E_TOKEN_REPLAY);
}

/* WF-08: a state under another state's name, an altered one */
static void wf_08_state_is_sealed(void **state) {
    browser_t *b = *state;
    char first[40], value[8192];
    leave(b, AT_PARTNER);
    snprintf(first, sizeof first, "%s", b->word);
    size_t at = b->cookie_count - 1;
    snprintf(value, sizeof value, "%s", b->cookies[at][1]);
    leave(b, AT_PARTNER "&wctx=other");
    for (size_t i = 0; i < b->cookie_count; i++)
        if (strstr(b->cookies[i][0], b->word) != NULL)
            snprintf(b->cookies[i][1], sizeof b->cookies[i][1], "%s", value);
    come_back(b, b->word);
    assert_refused(b, FG_E_CSRF);
    assert_int_equal(come_back(b, first), 303); /* the control */
}

static void state_lasts_an_hour(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER);
    b->test.now_ms += FG_HOUR;
    come_back(b, b->word);
    assert_refused(b, FG_E_CSRF);
    leave(b, AT_PARTNER);
    b->test.now_ms += FG_HOUR - 1;
    assert_int_equal(come_back(b, b->word), 303);
}

static void four_states_at_most(void **state) {
    browser_t *b = *state;
    char oldest[40], second[40];
    for (int i = 0; i < 6; i++) {
        b->test.now_ms++;
        leave(b, AT_PARTNER);
        assert_int_equal(count_states(b), i < 4 ? i + 1 : 4);
        if (i == 1)
            snprintf(oldest, sizeof oldest, "%s", b->word);
        if (i == 2)
            snprintf(second, sizeof second, "%s", b->word);
    }
    come_back(b, oldest);
    assert_refused(b, FG_E_CSRF);
    assert_int_equal(come_back(b, second), 303);
}

/* HT-09: the partner's answer is another site's POST, which Lax cookies do not go with */
static void ht_09_state_cookie_goes_with_a_post(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER);
    assert_string_equal(cookie_attributes(b, "__Host-fedgate-s-"),
                        "; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=3600");
    come_back(b, b->word);
    assert_string_equal(cookie_attributes(b, "__Host-fedgate"), "; Path=/; Secure; HttpOnly; SameSite=Lax");
}

/* HT-08: a session that was there before is not signed into */
static void ht_08_a_new_session_id(void **state) {
    browser_t *b = *state;
    fg_session_t session;
    char before[FG_ID_SIZE];
    leave(b, AT_PARTNER "&wfresh=0");
    come_back(b, b->word);
    follow(b);
    assert_true(fg_session_open(b->ex, &session));
    snprintf(before, sizeof before, "%s", session.id);
    leave(b, AT_PARTNER "&wfresh=0");
    come_back(b, b->word);
    follow(b);
    assert_true(fg_session_open(b->ex, &session));
    assert_string_not_equal(session.id, before);
}

/* Signing out still reaches who had a token before the round trip. */
static void relying_parties_stay(void **state) {
    browser_t *b = *state;
    ask(b, "wa=wsignin1.0&wtrealm=https%3A%2F%2Fother.test%2F&whr=urn%3Ahome%3Astaff");
    browser_sign_in(b, &fg_wsfed_protocol, "alice", "alice-demo");
    assert_page(b, "auto_post");
    leave(b, AT_PARTNER);
    come_back(b, b->word);
    follow(b);
    assert_page(b, "auto_post");
    ask(b, "wa=wsignout1.0");
    assert_int_equal(json_array_size(json_object_get(b->model, "parties")), 2);
}

/* WF-07: what was asked of the partner holds for what it did */
static void wf_07_wauth_is_held_against_the_result(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER X509);
    come_back(b, b->word);
    assert_refused(b, FG_E_WSFED_AUTH);
    assert_string_equal(cookie_attributes(b, "__Host-fedgate"), "(absent)");
    leave(b, AT_PARTNER X509);
    partner.method = FG_AUTH_X509;
    come_back(b, b->word);
    follow(b);
    assert_page(b, "auto_post");
    ask(b, ASK X509 "&whr=urn%3Ahome%3Astaff"); /* a directory cannot */
    assert_refused(b, FG_E_WSFED_AUTH);
}

static void wf_07_wfresh_is_held_against_the_result(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER "&wfresh=10");
    partner.instant_ms = b->test.now_ms - 10 * FG_MINUTE - b->hub.skew_ms - 1;
    come_back(b, b->word);
    assert_refused(b, FG_E_WSFED_AUTH);
    leave(b, AT_PARTNER "&wfresh=10");
    partner.instant_ms++;
    assert_int_equal(come_back(b, b->word), 303);
}

/* WF-07: wfresh=0 asks for a new sign-in each time, and is content with the one it got */
static void wf_07_wfresh_0_does_not_loop(void **state) {
    browser_t *b = *state;
    leave(b, AT_PARTNER "&wfresh=0&wctx=1");
    b->test.now_ms += 5 * FG_SECOND; /* it takes a while */
    come_back(b, b->word);
    char *back = strdup(browser_header(b, "Location"));
    const char *query = strchr(back, '?') + 1, *fresh = strstr(back, "&fresh=");
    assert_non_null(fresh);
    follow(b);
    assert_page(b, "auto_post");
    leave(b, AT_PARTNER "&wfresh=0&wctx=1"); /* without the note */
    char other[4096];
    snprintf(other, sizeof other, "%s&wfresh=0&wctx=2%s", AT_PARTNER, fresh);
    leave(b, other); /* another request with it */
    snprintf(other, sizeof other, "%s&wfresh=0&wctx=1%.*s", AT_PARTNER, 40, fresh);
    leave(b, other); /* a piece of it */
    ask(b, query);
    assert_page(b, "auto_post"); /* the control */
    b->test.now_ms += FG_MINUTE;
    leave(b, query);
    come_back(b, b->word); /* another session */
    b->test.now_ms -= FG_MINUTE;
    leave(b, query);
    free(back);
}

/* A request whose address does not fit a cookie stays in the store meanwhile. */
static void long_requests_come_back(void **state) {
    browser_t *b = *state;
    char query[8000], wctx[6001];
    memset(wctx, 'x', sizeof wctx - 1);
    wctx[sizeof wctx - 1] = '\0';
    snprintf(query, sizeof query, "%s&wctx=%s", AT_PARTNER, wctx);
    leave(b, query);
    assert_int_equal(come_back(b, b->word), 303);
    follow(b);
    assert_string_equal(browser_field(b, "wctx"), wctx);
    snprintf(query, sizeof query, "%s&wfresh=0&wctx=%s%.1200s", AT_PARTNER, wctx, wctx);
    ask(b, query);
    assert_refused(b, FG_E_HTTP_REQUEST);
}

/* A password that is sent to a home realm without a directory is checked by nobody. */
static void no_password_for_a_partner(void **state) {
    browser_t *b = *state;
    browser_post(b, &fg_wsfed_protocol, LS, AT_PARTNER, "username=alice&password=alice-demo&csrf=x");
    assert_string_equal(browser_header(b, "Location"), BROWSER_PROVIDER);
    assert_null(strstr(b->audit, "signin"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, browser_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_partner_signs_in),
        TEST(acceptance_rules_make_no_request),
        TEST(choice_is_remembered),
        TEST(partner_without_address),
        TEST(wf_08_state_is_bound_to_the_browser),
        TEST(wf_08_state_is_sealed),
        TEST(state_lasts_an_hour),
        TEST(four_states_at_most),
        TEST(ht_09_state_cookie_goes_with_a_post),
        TEST(ht_08_a_new_session_id),
        TEST(relying_parties_stay),
        TEST(wf_07_wauth_is_held_against_the_result),
        TEST(wf_07_wfresh_is_held_against_the_result),
        TEST(wf_07_wfresh_0_does_not_loop),
        TEST(long_requests_come_back),
        TEST(no_password_for_a_partner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
