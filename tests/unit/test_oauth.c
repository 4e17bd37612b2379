/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a client must be registered for, and what is remembered: response types, pushed and signed requests, consent. */
#include "tests/unit/openid.h"

static const char *get(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(absent)";
}

static int ask(openid_t *o, const char *query) {
    return browser_get(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, query);
}

static void assert_error(openid_t *o, const char *error) {
    const char *told = openid_answer(o, "error");
    if (told == NULL)
        print_error("page %s\n%s", o->b->page, o->b->audit);
    assert_non_null(told);
    assert_string_equal(told, error);
    assert_null(openid_answer(o, "code"));
    assert_null(openid_answer(o, "id_token"));
    assert_null(openid_answer(o, "access_token"));
}

static const char *request(const char *type, const char *more, const char *value) {
    const char *const pairs[] = {"client_id", "app",   "redirect_uri", APP_CALLBACK, "response_type",
                                 type,        "scope", "openid profile", "state",      "st&<te",
                                 "nonce",     "n-1",   more,           value,        NULL};
    return openid_form(pairs);
}

/* ---- implicit and hybrid (OpenID Connect core §3.2, §3.3) */

static void only_the_code_unless_registered(void **state) {
    openid_t *o = *state;
    static const char *const types[] = {"id_token", "token id_token", "code id_token",      "code token",
                                        "token",    "code code",      "code id_token token"};
    openid_authorize(o, openid_request("app", NULL, NULL));
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        ask(o, request(types[i], NULL, NULL));
        assert_error(o, "unsupported_response_type");
    }
    ask(o, request("code", NULL, NULL));
    assert_non_null(openid_answer(o, "code"));
    o->app.response_types = 1u << (FG_RESPONSE_CODE | FG_RESPONSE_ID_TOKEN);
    ask(o, request("id_token code", NULL, NULL));
    assert_non_null(openid_answer(o, "id_token"));
    ask(o, request("code", NULL, NULL));
    assert_error(o, "unsupported_response_type");
}

static void half_of_the_digest(const char *text, char out[32]) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_buf_t half = FG_BUF_INIT(64);
    fg_sha256(text, strlen(text), digest);
    fg_base64url_encode(&half, digest, sizeof digest / 2);
    snprintf(out, 32, "%s", half.data);
    fg_buf_free(&half);
}

/* OI-07: what comes along with an ID token is named by it */
static void oi_07_the_id_token_names_code_and_token(void **state) {
    openid_t *o = *state;
    char hash[32];
    o->app.response_types = 1u << 7;
    openid_authorize(o, openid_request("spa", NULL, NULL));
    ask(o, request("code id_token token", NULL, NULL));
    assert_non_null(strstr(browser_header(o->b, "Location"), APP_CALLBACK "#code=")); /* never in the query */
    assert_string_equal(openid_answer(o, "token_type"), "Bearer");
    assert_string_equal(openid_answer(o, "state"), "st&<te");
    assert_string_equal(openid_answer(o, "iss"), BROWSER_BASE "/adfs");
    json_t *id = openid_read(openid_answer(o, "id_token"), 1);
    half_of_the_digest(openid_answer(o, "code"), hash);
    assert_string_equal(get(id, "c_hash"), hash);
    half_of_the_digest(openid_answer(o, "access_token"), hash);
    assert_string_equal(get(id, "at_hash"), hash);
    assert_string_equal(get(id, "nonce"), "n-1");
    json_decref(id);
    assert_int_equal(openid_userinfo(o, openid_answer(o, "access_token")), 200);
}

static void an_id_token_alone_has_all_claims(void **state) {
    openid_t *o = *state;
    o->app.response_types = 1u << FG_RESPONSE_ID_TOKEN;
    openid_authorize(o, openid_request("spa", NULL, NULL));
    ask(o, request("id_token", NULL, NULL));
    json_t *id = openid_read(openid_answer(o, "id_token"), 1);
    assert_string_not_equal(get(id, "name"), "(absent)");
    assert_string_equal(get(id, "at_hash"), "(absent)");
    json_decref(id);
    assert_null(openid_answer(o, "access_token"));
    ask(o, request("id_token", "response_mode", "query"));
    assert_error(o, "invalid_request");
    ask(o, openid_request("app", "nonce", NULL)); /* control: the code flow needs none */
    assert_error(o, "unsupported_response_type");
    const char *const pairs[] = {"client_id", "app",   "redirect_uri", APP_CALLBACK, "response_type",
                                 "id_token",  "scope", "openid",       NULL};
    ask(o, openid_form(pairs));
    assert_error(o, "invalid_request"); /* no nonce */
}

/* ---- requests that must come in another way (RFC 9126 §5, RFC 9101 §10.5) */

static int push(openid_t *o, const char *client_id, const char *form) {
    char body[8192];
    snprintf(body, sizeof body, "%s&client_secret=" SECRET, form);
    (void)client_id;
    int status = browser_post(o->b, &fg_openid_protocol, FG_OPENID_PAR, "", body);
    json_decref(o->tokens);
    o->tokens = fg_json_parse(fg_buf_str(&o->b->ex->response.body), NULL);
    assert_non_null(o->tokens);
    return status;
}

static const char *by_reference(const char *client_id, const char *uri) {
    const char *const pairs[] = {"client_id", client_id, "request_uri", uri, NULL};
    return openid_form(pairs);
}

static void a_pushed_request_is_good_once(void **state) {
    openid_t *o = *state;
    char uri[200];
    openid_authorize(o, openid_request("spa", NULL, NULL));
    o->app.pushed_only = true;
    ask(o, openid_request("app", NULL, NULL));
    assert_error(o, "invalid_request_uri");
    assert_int_equal(push(o, "app", openid_request("app", NULL, NULL)), 201);
    snprintf(uri, sizeof uri, "%s", openid_member(o, "request_uri"));
    assert_int_equal(json_integer_value(json_object_get(o->tokens, "expires_in")), 90);
    ask(o, by_reference("spa", uri)); /* not its */
    assert_error(o, "invalid_request_uri");
    assert_int_equal(push(o, "app", openid_request("app", NULL, NULL)), 201);
    snprintf(uri, sizeof uri, "%s", openid_member(o, "request_uri"));
    ask(o, by_reference("app", uri));
    assert_non_null(openid_answer(o, "code"));
    ask(o, by_reference("app", uri));
    assert_error(o, "invalid_request_uri");
    assert_int_equal(push(o, "app", openid_request("app", NULL, NULL)), 201);
    snprintf(uri, sizeof uri, "%s", openid_member(o, "request_uri"));
    o->b->test.now_ms += 90 * FG_SECOND;
    ask(o, by_reference("app", uri));
    assert_error(o, "invalid_request_uri");
}

/* What would be refused later is refused at once (RFC 9126 §2.3). */
static void a_pushed_request_is_checked_at_once(void **state) {
    openid_t *o = *state;
    assert_int_equal(push(o, "app", openid_request("app", "redirect_uri", "https://evil.test/")), 400);
    assert_string_equal(openid_member(o, "error"), "invalid_request");
    assert_int_equal(push(o, "app", openid_request("app", "request_uri", "urn:x")), 400);
    assert_int_equal(push(o, "app", openid_request("app", "code_challenge_method", "plain")), 400);
    assert_int_equal(push(o, "app", openid_request("spa", NULL, NULL)), 401); /* with another's secret */
    assert_int_equal(push(o, "app", openid_request("app", NULL, NULL)), 201);
}

/* ---- consent */

static int consent(openid_t *o) {
    char action[8192], csrf[512];
    snprintf(csrf, sizeof csrf, "%s", browser_text(o->b, "csrf"));
    snprintf(action, sizeof action, "%s", strchr(browser_text(o->b, "action"), '?') + 1);
    const char *const pairs[] = {"csrf", csrf, "consent", "yes", NULL};
    return browser_post(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, action, openid_form(pairs));
}

static void consent_is_remembered(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("spa", NULL, NULL));
    o->app.asks_consent = true;
    ask(o, openid_request("app", "prompt", "none"));
    assert_error(o, "consent_required");
    ask(o, openid_request("app", NULL, NULL));
    assert_string_equal(o->b->page, "consent");
    consent(o);
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("app", NULL, NULL));
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("app", "prompt", "none"));
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("app", "scope", "openid email")); /* something else */
    assert_string_equal(o->b->page, "consent");
    ask(o, openid_request("app", "prompt", "consent"));
    assert_string_equal(o->b->page, "consent");
    o->spa.asks_consent = true; /* somebody else */
    ask(o, openid_request("spa", NULL, NULL));
    assert_string_equal(o->b->page, "consent");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, openid_set_up, openid_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_the_code_unless_registered),     TEST(oi_07_the_id_token_names_code_and_token),
        TEST(an_id_token_alone_has_all_claims),    TEST(a_pushed_request_is_good_once),
        TEST(a_pushed_request_is_checked_at_once), TEST(consent_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
