/* SPDX-License-Identifier: GPL-2.0-or-later
 * The claims viewer as a relying party: what it refuses, beside the same response without the defect. */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "sts/rstr.h"
#include "sts/viewer.h"
#include "sts/wsfed.h"

#define DEMO "/demo/"

/* ---- a whole round */

/* Goes to the viewer and through the sign-in, up to the page that posts the token; its wctx is kept. */
static void fetch_result(browser_t *b, char **wresult, char **wctx) {
    int status = browser_get(b, &fg_viewer_protocol, DEMO, "");
    assert_int_equal(status, 302);
    const char *location = browser_header(b, "Location");
    const char prefix[] = BROWSER_BASE "/adfs/ls/?";
    assert_int_equal(strncmp(location, prefix, sizeof prefix - 1), 0);
    char *query = strdup(location + sizeof prefix - 1);
    browser_get(b, &fg_wsfed_protocol, "/adfs/ls/", query);
    free(query);
    if (strcmp(b->page, "sign_in") == 0)
        browser_sign_in(b, &fg_wsfed_protocol, "alice", "alice-demo");
    assert_string_equal(b->page, "auto_post");
    assert_string_equal(browser_text(b, "action"), BROWSER_BASE DEMO);
    *wresult = strdup(browser_field(b, "wresult"));
    *wctx = strdup(browser_field(b, "wctx"));
}

static void post(browser_t *b, const char *wresult, const char *wctx) {
    fg_buf_t form = FG_BUF_INIT(256u << 10);
    browser_put(&form, "wa", "wsignin1.0");
    browser_put(&form, "wresult", wresult);
    if (wctx != NULL)
        browser_put(&form, "wctx", wctx);
    browser_post(b, &fg_viewer_protocol, DEMO, "", form.data);
    fg_buf_free(&form);
}

static bool shows_claims(const browser_t *b) {
    if (strcmp(b->page, "claims") == 0 && b->ex->response.status == 200)
        return true;
    print_error("claims expected, got \"%s\"\n%s", b->page, b->audit);
    return false;
}

#define assert_claims(b) assert_true(shows_claims(b))
#define assert_refused(b, code) assert_true(browser_refused((b), (code)))

static void round_trip(browser_t *b) {
    char *wresult, *wctx;
    fetch_result(b, &wresult, &wctx);
    post(b, wresult, wctx);
    free(wresult);
    free(wctx);
}

static void shows_what_the_token_says(void **state) {
    browser_t *b = *state;
    round_trip(b);
    assert_claims(b);
    assert_string_equal(browser_text(b, "subject"), "alice@example.com");
    assert_string_equal(browser_text(b, "issuer"), BROWSER_ENTITY);
    assert_string_equal(browser_text(b, "audience"), "urn:viewer");
    assert_string_equal(browser_text(b, "version"), "SAML 1.1");
    assert_string_equal(browser_text(b, "instant"), "2026-01-01T00:00:00.000Z");
    json_t *first = json_array_get(json_object_get(b->model, "claims"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "type")), FG_CLAIM_NAME);
    assert_string_equal(json_string_value(json_object_get(first, "value")), "alice <&> \"A\"");
    assert_non_null(strstr(b->audit, "\"accepted\""));
    b->partners[BROWSER_PARTNER_VIEWER].token = FG_SAML_20;
    b->partners[BROWSER_PARTNER_VIEWER].trust_version = FG_TRUST_13;
    round_trip(b);
    assert_claims(b);
    assert_string_equal(browser_text(b, "version"), "SAML 2.0");
    assert_int_equal(browser_get(b, &fg_viewer_protocol, DEMO, "wa=wsignoutcleanup1.0"), 200);
    assert_string_equal(browser_header(b, "Content-Type"), "image/gif");
}

/* WF-04 */
static void a_result_is_good_once(void **state) {
    browser_t *b = *state;
    char *wresult, *wctx;
    fetch_result(b, &wresult, &wctx);
    post(b, wresult, wctx);
    assert_claims(b);
    post(b, wresult, wctx);
    assert_refused(b, FG_E_TOKEN_REPLAY);
    b->test.now_ms += FG_MINUTE;
    post(b, wresult, wctx);
    assert_refused(b, FG_E_TOKEN_REPLAY);
    free(wresult);
    free(wctx);
    round_trip(b);
    assert_claims(b);
}

/* WF-08: the response belongs to the browser that asked */
static void state_is_bound_to_the_browser(void **state) {
    browser_t *b = *state;
    char *wresult, *wctx;
    fetch_result(b, &wresult, &wctx);
    post(b, wresult, NULL);
    assert_refused(b, FG_E_CSRF);
    post(b, wresult, "rm=0&id=passive&ru=%2f");
    assert_refused(b, FG_E_CSRF);
    size_t kept = b->cookie_count;
    b->cookie_count = 0;
    post(b, wresult, wctx);
    assert_refused(b, FG_E_CSRF);
    b->cookie_count = kept;
    wctx[strlen(wctx) / 2] ^= 1;
    post(b, wresult, wctx);
    assert_refused(b, FG_E_CSRF);
    wctx[strlen(wctx) / 2] ^= 1;
    post(b, wresult, wctx);
    assert_claims(b);
    free(wresult);
    free(wctx);
}

/* WF-06 */
static void pointers_are_refused(void **state) {
    browser_t *b = *state;
    browser_post(b, &fg_viewer_protocol, DEMO, "", "wa=wsignin1.0&wresultptr=https%3A%2F%2Fgw.test%2F");
    assert_refused(b, FG_E_WSFED_POINTER);
    browser_post(b, &fg_viewer_protocol, DEMO, "", "wa=wsignin1.0&wresult=a&wresult=b");
    assert_refused(b, FG_E_WSFED_REQUEST);
    browser_post(b, &fg_viewer_protocol, DEMO, "", "wa=wsignin1.0");
    assert_refused(b, FG_E_WSFED_RESULT);
    browser_post(b, &fg_viewer_protocol, DEMO, "", "wresult=a");
    assert_refused(b, FG_E_WSFED_REQUEST);
    browser_get(b, &fg_viewer_protocol, DEMO, "wa=wsignin1.0&wresult=a");
    assert_refused(b, FG_E_WSFED_ACTION);
    round_trip(b);
    assert_claims(b);
}

/* ---- responses that are built here */

typedef struct made {
    const fg_key_t *key; /* NULL: the gateway's */
    const char *issuer;
    const char *audience;
    const char *recipient;
    const char *applies_to;
    fg_saml_version_t version;
    fg_trust_version_t trust;
    int64_t created_ms;
} made_t;

static const made_t good = {NULL,         BROWSER_ENTITY, "urn:viewer",  BROWSER_BASE DEMO,
                            "urn:viewer", FG_SAML_20,     FG_TRUST_2005, TEST_NOW};

static void make_token(browser_t *b, const made_t *made, fg_buf_t *token, char id[FG_ID_SIZE]) {
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = made->created_ms};
    fg_claim_t claim = {.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("alice")};
    fg_claims_t claims = {&claim, 1, 1};
    assert_true(fg_id_xml(&b->test.env, id));
    const fg_assertion_t assertion = {
        .version = made->version,
        .id = id,
        .issuer = fg_str(made->issuer),
        .issue_instant_ms = made->created_ms,
        .not_before_ms = made->created_ms,
        .not_on_or_after_ms = made->created_ms + FG_HOUR,
        .audience = fg_str(made->audience),
        .name_id = {.value = FG_STR("alice@example.com")},
        .recipient = fg_str(made->recipient),
        .identity = &identity,
        .claims = &claims,
    };
    if (!fg_assertion_write(&assertion, made->key ? made->key : b->keys.signing[FG_KEY_ACTIVE], token, &err))
        fail_msg("%s", err.detail);
}

/* wresult with the token as made, or with body in its place. */
static char *wrap(const made_t *made, fg_str_t token, const char *id) {
    fg_xw_t w;
    fg_buf_t out = FG_BUF_INIT(256u << 10);
    fg_issued_t issued = {.token = token, .version = made->version, .created_ms = made->created_ms};
    issued.expires_ms = made->created_ms + FG_HOUR;
    snprintf(issued.id, sizeof issued.id, "%s", id);
    const fg_rstr_t rstr = {.trust = made->trust,
                            .collection = made->trust == FG_TRUST_13,
                            .references = true,
                            .issued = &issued,
                            .applies_to = fg_str(made->applies_to)};
    fg_xw_init(&w, &out);
    assert_true(fg_rstr_write(&w, &rstr) && fg_xw_ok(&w));
    return fg_buf_take(&out, NULL);
}

static char *make_result(browser_t *b, const made_t *made) {
    char id[FG_ID_SIZE];
    fg_buf_t token = FG_BUF_INIT(64u << 10);
    make_token(b, made, &token, id);
    char *wresult = wrap(made, fg_buf_str(&token), id);
    fg_buf_free(&token);
    return wresult;
}

/* A wctx of this browser. */
static char *make_state(browser_t *b) {
    browser_get(b, &fg_viewer_protocol, DEMO, "");
    return strdup(strstr(browser_header(b, "Location"), "&wctx=") + 6);
}

static void post_made(browser_t *b, const char *wresult) {
    char *wctx = make_state(b);
    post(b, wresult, wctx);
    free(wctx);
}

static void try_made(browser_t *b, const made_t *made) {
    char *wresult = make_result(b, made);
    post_made(b, wresult);
    free(wresult);
}

static void takes_every_shape(void **state) {
    browser_t *b = *state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++)
        for (int trust = FG_TRUST_2005; trust <= FG_TRUST_13; trust++) {
            made_t made = good;
            made.version = (fg_saml_version_t)version;
            made.trust = (fg_trust_version_t)trust;
            try_made(b, &made);
            assert_claims(b);
        }
}

/* SA-01, 02, 05, XS-20, 22; issuer; WF-09: AppliesTo decides nothing */
static void the_assertion_decides(void **state) {
    browser_t *b = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_key_t *foreign = fg_key_generate(FG_KEY_EC_P256, "foreign", TEST_NOW, TEST_NOW + FG_DAY, &err);
    assert_non_null(foreign);
    const struct {
        made_t made;
        fg_code_t code;
    } cases[] = {
        {{NULL, BROWSER_ENTITY, "urn:rp", BROWSER_BASE DEMO, "urn:viewer", FG_SAML_20, FG_TRUST_13, TEST_NOW},
         FG_E_TOKEN_AUDIENCE},
        {{NULL, BROWSER_ENTITY, "urn:rp", NULL, "urn:viewer", FG_SAML_11, FG_TRUST_2005, TEST_NOW},
         FG_E_TOKEN_AUDIENCE},
        {{NULL, BROWSER_ENTITY, "urn:viewer", BROWSER_RP, "urn:viewer", FG_SAML_20, FG_TRUST_13, TEST_NOW},
         FG_E_TOKEN_RECIPIENT},
        {{NULL, "http://other.test/", "urn:viewer", NULL, "urn:viewer", FG_SAML_20, FG_TRUST_13, TEST_NOW},
         FG_E_TOKEN_ISSUER},
        {{NULL, BROWSER_ENTITY, "urn:viewer", NULL, "urn:viewer", FG_SAML_11, FG_TRUST_13, TEST_NOW - 2 * FG_HOUR},
         FG_E_TOKEN_EXPIRED},
        {{NULL, BROWSER_ENTITY, "urn:viewer", NULL, "urn:viewer", FG_SAML_20, FG_TRUST_13, TEST_NOW + FG_HOUR},
         FG_E_TOKEN_NOT_YET_VALID},
        {{foreign, BROWSER_ENTITY, "urn:viewer", BROWSER_BASE DEMO, "urn:viewer", FG_SAML_20, FG_TRUST_13, TEST_NOW},
         FG_E_SIG_INVALID},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        try_made(b, &cases[i].made);
        if (cases[i].made.key == NULL)
            assert_refused(b, cases[i].code);
        else
            assert_true(browser_refused(b, FG_E_SIG_INVALID) || browser_refused(b, FG_E_SIG_KEY));
    }
    made_t made = good;
    made.applies_to = "urn:rp";
    try_made(b, &made);
    assert_claims(b);
    assert_string_equal(browser_text(b, "audience"), "urn:viewer");
    b->keys.signing[FG_KEY_PREVIOUS] = foreign; /* the same key once it is the ring's */
    made = cases[6].made;
    try_made(b, &made);
    assert_claims(b);
}

/* WF-05, XS-10: exactly one response with one token */
static void several_tokens_are_refused(void **state) {
    browser_t *b = *state;
    char id[FG_ID_SIZE], *wresult;
    fg_buf_t tokens = FG_BUF_INIT(128u << 10);
    made_t made = good;
    make_token(b, &made, &tokens, id);
    size_t one = tokens.length;
    make_token(b, &made, &tokens, id);

    wresult = wrap(&made, fg_buf_str(&tokens), id);
    post_made(b, wresult);
    assert_refused(b, FG_E_WSFED_RESULT);
    free(wresult);
    wresult = wrap(&made, FG_STR(""), id);
    post_made(b, wresult);
    assert_refused(b, FG_E_WSFED_RESULT);
    free(wresult);

    /* two whole responses in a collection, of which either would do */
    fg_buf_t pair = FG_BUF_INIT(128u << 10);
    char *first = wrap(&made, (fg_str_t){tokens.data, one}, id);
    char *second = wrap(&made, (fg_str_t){tokens.data + one, tokens.length - one}, id);
    fg_buf_printf(&pair,
                  "<c:RequestSecurityTokenResponseCollection xmlns:c=\"" FG_NS_TRUST_2005
                  "\">%s%s</c:RequestSecurityTokenResponseCollection>",
                  first, second);
    post_made(b, pair.data);
    assert_refused(b, FG_E_WSFED_RESULT);
    fg_buf_reset(&pair);
    fg_buf_printf(&pair,
                  "<c:RequestSecurityTokenResponseCollection xmlns:c=\"" FG_NS_TRUST_2005
                  "\">%s</c:RequestSecurityTokenResponseCollection>",
                  second);
    post_made(b, pair.data);
    assert_claims(b);
    free(first);
    free(second);
    fg_buf_free(&pair);
    fg_buf_free(&tokens);
}

static char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    fg_buf_t out = FG_BUF_INIT(256u << 10);
    fg_buf_add(&out, text, (size_t)(at - text));
    fg_buf_puts(&out, to);
    fg_buf_puts(&out, at + strlen(from));
    return fg_buf_take(&out, NULL);
}

/* What was changed on the way, and what is no response at all (XP-01, XS-01). */
static void altered_results_are_refused(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *from, *to;
        fg_code_t code;
    } cases[] = {
        {">alice<", ">mallory<", FG_E_SIG_INVALID},
        {">alice@example.com<", ">alice<!-- -->@example.com.evil.test<", FG_E_SIG_INVALID},
        {"<t:RequestedSecurityToken>", "<t:RequestedSecurityToken>text",
         FG_OK}, /* outside the signature: means nothing */
        {"RequestSecurityTokenResponse ", "x ", FG_E_XML_MALFORMED},
        {"<t:RequestSecurityTokenResponse ", "<!DOCTYPE x><t:RequestSecurityTokenResponse ", FG_E_XML_DTD},
        {"<t:Lifetime>", "<x><t:RequestedSecurityToken><y/></t:RequestedSecurityToken></x><t:Lifetime>",
         FG_E_WSFED_RESULT},
        {FG_NS_TRUST_2005, "urn:x", FG_E_WSFED_RESULT},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char *wresult = make_result(b, &good), *altered = replace(wresult, cases[i].from, cases[i].to);
        post_made(b, altered);
        if (cases[i].code == FG_OK)
            assert_claims(b);
        else
            assert_refused(b, cases[i].code);
        free(wresult);
        free(altered);
    }
}

/* XS-01..08 in short: the signed assertion is moved aside and another one stands in its place */
static void wrapped_assertions_are_refused(void **state) {
    browser_t *b = *state;
    char id[FG_ID_SIZE];
    fg_buf_t token = FG_BUF_INIT(64u << 10), evil = FG_BUF_INIT(128u << 10);
    make_token(b, &good, &token, id);
    char *forged = replace(token.data, ">alice<", ">mallory<");
    char *other_id = replace(forged, id, "_evil");
    const char *const bodies[] = {forged, other_id};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bodies); i++) {
        /* the original inside the forged one's Advice-like place, before its end */
        fg_buf_reset(&evil);
        size_t end = (size_t)(strstr(bodies[i], "</saml:Assertion>") - bodies[i]);
        fg_buf_add(&evil, bodies[i], end);
        fg_buf_puts(&evil, token.data);
        fg_buf_puts(&evil, bodies[i] + end);
        char *wresult = wrap(&good, fg_buf_str(&evil), id);
        post_made(b, wresult);
        assert_string_equal(b->page, "error");
        free(wresult);
    }
    char *wresult = wrap(&good, fg_buf_str(&token), id);
    post_made(b, wresult);
    assert_claims(b);
    free(wresult);
    free(forged);
    free(other_id);
    fg_buf_free(&token);
    fg_buf_free(&evil);
}

static void viewer_can_be_off(void **state) {
    browser_t *b = *state;
    b->hub.viewer = NULL;
    browser_get(b, &fg_viewer_protocol, DEMO, "");
    assert_refused(b, FG_E_HTTP_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, browser_set_up, browser_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(shows_what_the_token_says),  TEST(a_result_is_good_once),       TEST(state_is_bound_to_the_browser),
        TEST(pointers_are_refused),       TEST(takes_every_shape),           TEST(the_assertion_decides),
        TEST(several_tokens_are_refused), TEST(altered_results_are_refused), TEST(wrapped_assertions_are_refused),
        TEST(viewer_can_be_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
