/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The OpenID Connect provider: each refusal beside the same request without the defect. */
#include "tests/unit/openid.h"

#include "core/http.h"

static const char *get(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(absent)";
}

static int ask(openid_t *o, const char *query) {
    return browser_get(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, query);
}

/* An error that goes back to the client. */
static void assert_sent_back(openid_t *o, const char *error) {
    const char *told = openid_answer(o, "error");
    if (told == NULL)
        print_error("page %s\n%s", o->b->page, o->b->audit);
    assert_non_null(told);
    assert_string_equal(told, error);
    assert_string_equal(openid_answer(o, "state"), "st&<te");
    assert_string_equal(openid_answer(o, "iss"), BROWSER_BASE "/adfs");
    assert_null(openid_answer(o, "code"));
}

static void assert_token_error(openid_t *o, int status, int expected, const char *error) {
    if (status != expected || strcmp(openid_member(o, "error"), error) != 0)
        print_error("%d %s\n%s", status, openid_member(o, "error"), o->b->audit);
    assert_int_equal(status, expected);
    assert_string_equal(openid_member(o, "error"), error);
    assert_null(json_object_get(o->tokens, "access_token"));
}

/* ---- documents */

static void discovery_names_what_is_there(void **state) {
    openid_t *o = *state;
    assert_int_equal(browser_get(o->b, &fg_openid_protocol, FG_OPENID_DISCOVERY, ""), 200);
    json_t *document = fg_json_parse(fg_buf_str(&o->b->ex->response.body), NULL);
    assert_string_equal(get(document, "issuer"), BROWSER_BASE "/adfs");
    assert_string_equal(get(document, "token_endpoint"), BROWSER_BASE "/adfs/oauth2/token");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(document, "code_challenge_methods_supported"), 0)), "S256");
    assert_string_equal(browser_header(o->b, "Access-Control-Allow-Origin"), "*");
    json_decref(document);
}

/* What is published verifies what is signed. */
static void published_keys_verify_tokens(void **state) {
    openid_t *o = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_jwk_set_t set;
    fg_arena_t *arena = fg_arena_new(0);
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    assert_int_equal(browser_get(o->b, &fg_openid_protocol, FG_OPENID_KEYS, ""), 200);
    assert_true(fg_jwk_set_read(arena, fg_buf_str(&o->b->ex->response.body), &set, &err));
    assert_int_equal(set.count, 1);
    const fg_str_t audience = FG_STR("app");
    const fg_jwt_trust_t trust = {.issuer = FG_STR(BROWSER_BASE "/adfs"),
                                  .keys = &set,
                                  .audiences = &audience,
                                  .audience_count = 1,
                                  .type = "JWT"};
    fg_jwt_read_t read;
    assert_true(fg_jwt_read(&o->b->test.env, arena, fg_str(openid_member(o, "id_token")), &trust, &read, &err));
    fg_arena_free(arena);
}

/* ---- the code flow */

static void a_code_becomes_tokens(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_string_equal(o->b->page, "go_on"); /* after a form a page leads on, see fg_oauth_respond */
    assert_int_equal(strncmp(browser_text(o->b, "url"), APP_CALLBACK "&code=", strlen(APP_CALLBACK "&code=")), 0);
    assert_string_equal(openid_answer(o, "state"), "st&<te");
    assert_string_equal(openid_answer(o, "iss"), BROWSER_BASE "/adfs");
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    assert_string_equal(openid_member(o, "token_type"), "Bearer");
    assert_string_equal(openid_member(o, "scope"), SCOPE);
    json_t *id = openid_read(openid_member(o, "id_token"), 1),
           *access = openid_read(openid_member(o, "access_token"), 1);
    assert_string_equal(get(id, "iss"), BROWSER_BASE "/adfs");
    assert_string_equal(get(id, "aud"), "app");
    assert_string_equal(get(id, "nonce"), "n-0S6_WzA2Mj");
    assert_string_equal(get(id, "acr"), "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport");
    assert_string_equal(json_string_value(json_array_get(json_object_get(id, "amr"), 0)), "pwd");
    assert_int_equal(json_integer_value(json_object_get(id, "auth_time")), TEST_NOW / 1000);
    assert_string_equal(get(id, "upn"), "alice@example.com"); /* no scope of OpenID Connect names it */
    assert_null(json_object_get(id, "name"));                 /* profile: at userinfo */
    assert_int_equal(strlen(get(id, "at_hash")), 22);
    assert_string_equal(get(access, "client_id"), "app");
    assert_string_equal(get(access, "aud"), BROWSER_BASE "/adfs/userinfo");
    assert_string_equal(get(access, "sub"), get(id, "sub"));
    assert_null(strstr(get(id, "sub"), "alice")); /* OI-10: neither name nor address */
    json_decref(id);
    json_decref(access);
    json_t *header = openid_read(openid_member(o, "access_token"), 0);
    assert_string_equal(get(header, "typ"), "at+jwt");
    json_decref(header);
    assert_non_null(strstr(o->b->audit, "\"token_type\":\"id_token\""));
    /* the session answers the next request without a page */
    assert_int_equal(ask(o, openid_request("app", NULL, NULL)), 302);
}

static void the_answer_goes_by_the_response_mode(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    ask(o, openid_request("app", "response_mode", "fragment"));
    assert_non_null(strstr(browser_header(o->b, "Location"), APP_CALLBACK "#code="));
    ask(o, openid_request("app", "response_mode", "form_post"));
    assert_string_equal(o->b->page, "auto_post");
    assert_string_equal(browser_text(o->b, "action"), APP_CALLBACK);
    assert_non_null(browser_field(o->b, "code"));
    assert_string_equal(browser_field(o->b, "state"), "st&<te");
    ask(o, openid_request("app", "response_mode", "web_message"));
    assert_sent_back(o, "invalid_request");
}

/* OI-05: byte by byte; nothing is sent to an address that is not registered */
static void oi_05_redirect_uri_is_exact(void **state) {
    openid_t *o = *state;
    static const char *const wrong[] = {"https://rp.test/cb",
                                        "https://rp.test/cb?x=1&y=2",
                                        "https://RP.test/cb?x=1",
                                        "https://rp.test/cb/?x=1",
                                        "https://rp.test:443/cb?x=1",
                                        "https://evil.test/cb?x=1",
                                        "https://rp.test/cb?x=1#frag",
                                        SPA_CALLBACK,
                                        ""};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        ask(o, openid_request("app", "redirect_uri", wrong[i]));
        assert_true(browser_refused(o->b, FG_E_OPENID_REDIRECT));
        assert_null(browser_header(o->b, "Location"));
    }
    ask(o, openid_request("app", "redirect_uri", NULL));
    assert_true(browser_refused(o->b, FG_E_OPENID_REDIRECT));
    ask(o, openid_request("app", "client_id", "nobody"));
    assert_true(browser_refused(o->b, FG_E_OPENID_CLIENT));
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_token_error(o, openid_trade(o, "redirect_uri", "https://rp.test/cb"), 400, "invalid_grant");
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
}

/* OI-08 */
static void oi_08_parameters_stand_once(void **state) {
    openid_t *o = *state;
    static const char *const twice[] = {"&client_id=app", "&redirect_uri=https%3A%2F%2Frp.test%2Fcb%3Fx%3D1",
                                        "&state=b", "&response_mode=query&response_mode=query"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(twice); i++) {
        char query[4096];
        snprintf(query, sizeof query, "%s%s", openid_request("app", NULL, NULL), twice[i]);
        ask(o, query);
        assert_true(browser_refused(o->b, FG_E_OPENID_REQUEST));
    }
    char query[4096];
    snprintf(query, sizeof query, "%s&scope=openid", openid_request("app", NULL, NULL));
    ask(o, query);
    assert_sent_back(o, "invalid_request");
    openid_authorize(o, openid_request("app", NULL, NULL));
    const char *const pairs[] = {"grant_type",   "authorization_code", "code",          o->code,  "code", o->code,
                                 "redirect_uri", APP_CALLBACK,         "code_verifier", VERIFIER, NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, pairs), 400, "invalid_request");
    assert_int_equal(openid_trade(o, NULL, NULL), 200); /* the code was not touched */
}

/* OI-03 */
static void oi_03_pkce_is_s256_or_nothing(void **state) {
    openid_t *o = *state;
    ask(o, openid_request("app", "code_challenge_method", "plain"));
    assert_sent_back(o, "invalid_request");
    ask(o, openid_request("app", "code_challenge_method", NULL)); /* would mean plain */
    assert_sent_back(o, "invalid_request");
    ask(o, openid_request("app", "code_challenge", "short"));
    assert_sent_back(o, "invalid_request");
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_token_error(o, openid_trade(o, "code_verifier", NULL), 400, "invalid_grant");
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_token_error(o, openid_trade(o, "code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"), 400,
                       "invalid_grant");
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
}

static const char *without_pkce(const char *client_id) {
    const char *callback = strcmp(client_id, "app") == 0 ? APP_CALLBACK : SPA_CALLBACK;
    const char *const pairs[] = {"client_id", client_id, "redirect_uri", callback, "response_type", "code", "scope",
                                 "openid",    "state",   "st&<te",       NULL};
    return openid_form(pairs);
}

/* OI-03: a public client cannot do without; a verifier where no challenge was sent shows that it was taken away */
static void oi_03_pkce_is_not_taken_away(void **state) {
    openid_t *o = *state;
    ask(o, without_pkce("spa"));
    assert_sent_back(o, "invalid_request");
    openid_authorize(o, without_pkce("app"));
    assert_token_error(o, openid_trade(o, NULL, NULL), 400, "invalid_grant");
    openid_authorize(o, without_pkce("app"));
    assert_int_equal(openid_trade(o, "code_verifier", NULL), 200);
    openid_authorize(o, openid_request("spa", NULL, NULL));
    const char *const pairs[] = {"grant_type", "authorization_code", "code",       o->code,     "code_verifier",
                                 VERIFIER,     "redirect_uri",       SPA_CALLBACK, "client_id", "spa",
                                 NULL};
    assert_int_equal(openid_token(o, NULL, pairs), 200);
}

/* OI-04 */
static void oi_04_a_code_is_good_once(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    char access[8192], refresh[200];
    snprintf(access, sizeof access, "%s", openid_member(o, "access_token"));
    snprintf(refresh, sizeof refresh, "%s", openid_member(o, "refresh_token"));
    assert_int_equal(openid_userinfo(o, access), 200);
    assert_token_error(o, openid_trade(o, NULL, NULL), 400, "invalid_grant");
    assert_non_null(strstr(o->b->audit, "\"event\":\"revoked\""));
    assert_int_equal(openid_userinfo(o, access), 401);
    const char *const pairs[] = {"grant_type", "refresh_token", "refresh_token", refresh, NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, pairs), 400, "invalid_grant");
}

/* OI-04: a made-up code of the same family revokes nothing */
static void oi_04_what_is_made_up_revokes_nothing(void **state) {
    openid_t *o = *state;
    char code[200];
    openid_authorize(o, openid_request("app", NULL, NULL));
    snprintf(code, sizeof code, "%s", o->code);
    o->code[40] = o->code[40] == '0' ? '1' : '0';
    assert_token_error(o, openid_trade(o, NULL, NULL), 400, "invalid_grant");
    snprintf(o->code, sizeof o->code, "%s", code);
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
}

/* OI-04 */
static void oi_04_a_code_is_its_clients(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    const char *const pairs[] = {"grant_type", "authorization_code", "code",       o->code,     "code_verifier",
                                 VERIFIER,     "redirect_uri",       APP_CALLBACK, "client_id", "spa",
                                 NULL};
    assert_token_error(o, openid_token(o, NULL, pairs), 400, "invalid_grant");
    assert_token_error(o, openid_trade(o, NULL, NULL), 400, "invalid_grant");
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
}

static void a_code_lives_for_a_minute(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    o->b->test.now_ms += FG_MINUTE;
    assert_token_error(o, openid_trade(o, NULL, NULL), 400, "invalid_grant");
    openid_authorize(o, openid_request("app", NULL, NULL));
    o->b->test.now_ms += FG_MINUTE - 1;
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
}

/* ---- who the client is */

static void a_client_proves_who_it_is(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    const char *const usual[] = {"grant_type", "authorization_code", "code",   o->code, "redirect_uri",
                                 APP_CALLBACK, "code_verifier",      VERIFIER, NULL};
    static const char *const wrong[] = {"app:", "app:wrong", "nobody:" SECRET, "spa:" SECRET, "robot:" SECRET};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        assert_token_error(o, openid_token(o, wrong[i], usual), 401, "invalid_client");
        assert_non_null(browser_header(o->b, "WWW-Authenticate"));
    }
    assert_token_error(o, openid_token(o, NULL, usual), 401, "invalid_client");
    const char *const named[] = {"grant_type", "authorization_code", "code",   o->code,     "redirect_uri",
                                 APP_CALLBACK, "code_verifier",      VERIFIER, "client_id", "app",
                                 NULL};
    assert_token_error(o, openid_token(o, NULL, named), 401, "invalid_client");
    const char *const both[] = {"grant_type", "authorization_code", "client_id", "app", "client_secret", SECRET, NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, both), 400, "invalid_request");
    const char *const post[] = {
        "grant_type", "authorization_code", "code", o->code,         "redirect_uri", APP_CALLBACK, "code_verifier",
        VERIFIER,     "client_id",          "app",  "client_secret", SECRET,         NULL};
    assert_int_equal(openid_token(o, NULL, post), 200);
}

/* An assertion as the robot makes it, with what is said changed. */
static const char *assertion(openid_t *o, const char *issuer, const char *subject, const char *audience, const char *id,
                             int64_t life_ms, const fg_key_t *key) {
    static char text[4096];
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(4000);
    const fg_jwt_t jwt = {
        .type = "JWT",
        .id = fg_str(id),
        .issuer = fg_str(issuer),
        .subject = fg_str(subject),
        .audience = fg_str(audience),
        .issued_ms = o->b->test.now_ms,
        .not_before_ms = o->b->test.now_ms,
        .expires_ms = o->b->test.now_ms + life_ms,
    };
    assert_true(fg_jwt_write(&jwt, key, &out, &err));
    snprintf(text, sizeof text, "%s", out.data);
    fg_buf_free(&out);
    return text;
}

static int trade_with_assertion(openid_t *o, const char *text) {
    const char *const pairs[] = {"grant_type",
                                 "authorization_code",
                                 "code",
                                 o->code,
                                 "redirect_uri",
                                 ROBOT_CALLBACK,
                                 "code_verifier",
                                 VERIFIER,
                                 "client_assertion_type",
                                 "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                                 "client_assertion",
                                 text,
                                 NULL};
    return openid_token(o, NULL, pairs);
}

#define TOKEN_URL BROWSER_BASE FG_OPENID_TOKEN

/* JW-01, JW-02, JW-03 stand in test_jwt.c; here: whose, for whom, how long, once */
static void an_assertion_is_the_clients_own(void **state) {
    openid_t *o = *state;
    const fg_key_t *key = o->robot_key, *other = o->b->keys.signing[FG_KEY_ACTIVE];
    openid_authorize(o, openid_request("robot", NULL, NULL));
    assert_token_error(o, trade_with_assertion(o, assertion(o, "robot", "robot", TOKEN_URL, "a", FG_MINUTE, other)),
                       401, "invalid_client");
    assert_token_error(o, trade_with_assertion(o, assertion(o, "robot", "app", TOKEN_URL, "b", FG_MINUTE, key)), 401,
                       "invalid_client");
    assert_token_error(o, trade_with_assertion(o, assertion(o, "app", "app", TOKEN_URL, "c", FG_MINUTE, key)), 401,
                       "invalid_client");
    assert_token_error(o,
                       trade_with_assertion(o, assertion(o, "robot", "robot", "https://x.test", "d", FG_MINUTE, key)),
                       401, "invalid_client");
    assert_token_error(o, trade_with_assertion(o, assertion(o, "robot", "robot", TOKEN_URL, "", FG_MINUTE, key)), 401,
                       "invalid_client");
    assert_token_error(o, trade_with_assertion(o, assertion(o, "robot", "robot", TOKEN_URL, "e", 2 * FG_HOUR, key)),
                       401, "invalid_client");
    assert_int_equal(trade_with_assertion(o, assertion(o, "robot", "robot", TOKEN_URL, "f", FG_MINUTE, key)), 200);
    openid_authorize(o, openid_request("robot", NULL, NULL));
    assert_token_error(o, trade_with_assertion(o, assertion(o, "robot", "robot", TOKEN_URL, "f", FG_MINUTE, key)), 401,
                       "invalid_client"); /* jti seen before */
    assert_int_equal(trade_with_assertion(o, assertion(o, "robot", "robot", BROWSER_BASE "/adfs", "g", FG_MINUTE, key)),
                     200);
}

/* ---- refreshing */

static void a_refresh_token_is_good_once(void **state) {
    openid_t *o = *state;
    char first[200], second[200];
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    snprintf(first, sizeof first, "%s", openid_member(o, "refresh_token"));
    const char *const pairs[] = {"grant_type", "refresh_token", "refresh_token", first, NULL};
    assert_int_equal(openid_token(o, "app:" SECRET, pairs), 200);
    snprintf(second, sizeof second, "%s", openid_member(o, "refresh_token"));
    assert_string_not_equal(first, second);
    const char *const next[] = {"grant_type", "refresh_token", "refresh_token", second, "scope", "openid", NULL};
    assert_int_equal(openid_token(o, "app:" SECRET, next), 200);
    assert_string_equal(openid_member(o, "scope"), "openid");
    snprintf(second, sizeof second, "%s", openid_member(o, "refresh_token"));
    assert_token_error(o, openid_token(o, "app:" SECRET, pairs), 400, "invalid_grant"); /* used again: all are dead */
    const char *const last[] = {"grant_type", "refresh_token", "refresh_token", second, NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, last), 400, "invalid_grant");
}

static void a_refresh_token_is_its_clients(void **state) {
    openid_t *o = *state;
    char token[200];
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    snprintf(token, sizeof token, "%s", openid_member(o, "refresh_token"));
    const char *const pairs[] = {"grant_type", "refresh_token", "refresh_token", token, "client_id", "spa", NULL};
    assert_token_error(o, openid_token(o, NULL, pairs), 400, "invalid_grant");
}

static void without_offline_access_there_is_none(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", "scope", "openid"));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    assert_null(json_object_get(o->tokens, "refresh_token"));
    o->app.grants = FG_GRANT_CODE;
    openid_authorize(o, openid_request("app", NULL, NULL));
    assert_int_equal(openid_trade(o, NULL, NULL), 200);
    assert_null(json_object_get(o->tokens, "refresh_token"));
    const char *const pairs[] = {"grant_type", "refresh_token", "refresh_token", "x", NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, pairs), 400, "unauthorized_client");
    const char *const other[] = {"grant_type", "password", NULL};
    assert_token_error(o, openid_token(o, "app:" SECRET, other), 400, "unsupported_grant_type");
}

/* ---- userinfo */

static void userinfo_tells_what_was_granted(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_trade(o, NULL, NULL);
    json_t *id = openid_read(openid_member(o, "id_token"), 1);
    assert_int_equal(openid_userinfo(o, openid_member(o, "access_token")), 200);
    assert_string_equal(openid_member(o, "sub"), get(id, "sub"));
    assert_string_equal(openid_member(o, "name"), "alice <&> \"A\"");
    assert_string_equal(openid_member(o, "role"), "Administrators");
    json_decref(id);
    openid_authorize(o, openid_request("app", "scope", "openid"));
    openid_trade(o, NULL, NULL);
    assert_int_equal(openid_userinfo(o, openid_member(o, "access_token")), 200);
    assert_string_equal(openid_member(o, "name"), "(absent)");
    openid_authorize(o, openid_request("app", "scope", "profile"));
    openid_trade(o, NULL, NULL);
    assert_null(json_object_get(o->tokens, "id_token"));
    assert_int_equal(openid_userinfo(o, openid_member(o, "access_token")), 403);
    assert_string_equal(openid_member(o, "error"), "insufficient_scope");
}

static void the_claims_parameter_asks_for_single_claims(void **state) {
    openid_t *o = *state;
    const char *const pairs[] = {
        "client_id", "app",   "redirect_uri", APP_CALLBACK, "response_type",
        "code",      "scope", "openid",       "claims",     "{\"id_token\":{\"name\":null,\"email\":null}}",
        NULL};
    openid_authorize(o, openid_form(pairs));
    assert_int_equal(openid_trade(o, "code_verifier", NULL), 200);
    json_t *id = openid_read(openid_member(o, "id_token"), 1);
    assert_string_equal(get(id, "name"), "alice <&> \"A\"");
    assert_null(json_object_get(id, "email")); /* the partner does not get it, whoever asks */
    json_decref(id);
    ask(o, openid_request("app", "claims", "{\"id_token\":{\"acr\":{\"essential\":true,\"value\":\"urn:x\"}}}"));
    assert_sent_back(o, "unmet_authentication_requirements");
    ask(o, openid_request("app", "claims", "{\"id_token\":{},\"id_token\":{}}")); /* JW-06 */
    assert_sent_back(o, "invalid_request");
}

/* JW-11, JW-01 */
static void jw_11_userinfo_takes_access_tokens_alone(void **state) {
    openid_t *o = *state;
    char altered[8192];
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_trade(o, NULL, NULL);
    json_t *tokens = json_incref(o->tokens);
    const char *access = get(tokens, "access_token");
    assert_int_equal(openid_userinfo(o, get(tokens, "id_token")), 401);
    assert_non_null(strstr(browser_header(o->b, "WWW-Authenticate"), "invalid_token"));
    snprintf(altered, sizeof altered, "%s", access);
    char *last = altered + strlen(altered) - 5;
    *last = *last == 'A' ? 'B' : 'A';
    assert_int_equal(openid_userinfo(o, altered), 401);
    assert_int_equal(openid_userinfo(o, get(tokens, "refresh_token")), 401);
    assert_int_equal(browser_get(o->b, &fg_openid_protocol, FG_OPENID_USERINFO, ""), 401);
    assert_string_equal(browser_header(o->b, "WWW-Authenticate"), "Bearer");
    assert_int_equal(openid_userinfo(o, access), 200);
    o->b->test.now_ms += FG_HOUR;
    assert_int_equal(openid_userinfo(o, access), 401);
    json_decref(tokens);
}

/* JW-11: the same token, of our own key, of another type */
static void jw_11_the_type_of_an_access_token_counts(void **state) {
    openid_t *o = *state;
    fg_err_t err = FG_ERR_INIT;
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_trade(o, NULL, NULL);
    json_t *access = openid_read(openid_member(o, "access_token"), 1);
    static const char *const types[] = {"JWT", "logout+jwt", "at+jwt"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        fg_buf_t out = FG_BUF_INIT(4096);
        const fg_jwt_t jwt = {
            .type = types[i],
            .id = fg_str(get(access, "jti")),
            .issuer = FG_STR(BROWSER_BASE "/adfs"),
            .audience = FG_STR(BROWSER_BASE "/adfs/userinfo"),
            .issued_ms = TEST_NOW,
            .not_before_ms = TEST_NOW,
            .expires_ms = TEST_NOW + FG_MINUTE,
        };
        assert_true(fg_jwt_write(&jwt, o->b->keys.signing[FG_KEY_ACTIVE], &out, &err));
        assert_int_equal(openid_userinfo(o, out.data), i == 2 ? 200 : 401);
        fg_buf_free(&out);
    }
    json_decref(access);
}

static void a_resources_token_is_not_for_userinfo(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", "resource", "https://other.test/"));
    openid_trade(o, NULL, NULL);
    json_t *access = openid_read(openid_member(o, "access_token"), 1);
    assert_string_equal(get(access, "aud"), "https://other.test/");
    assert_string_equal(get(access, "upn"), "alice@example.com");
    json_decref(access);
    assert_int_equal(openid_userinfo(o, openid_member(o, "access_token")), 401);
    ask(o, openid_request("app", "resource", "urn:viewer")); /* registered, but not for this client */
    assert_sent_back(o, "invalid_target");
}

static void pairwise_names_differ(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_trade(o, NULL, NULL);
    json_t *app = openid_read(openid_member(o, "id_token"), 1);
    openid_authorize(o, openid_request("spa", NULL, NULL));
    const char *const pairs[] = {"grant_type", "authorization_code", "code",       o->code,     "code_verifier",
                                 VERIFIER,     "redirect_uri",       SPA_CALLBACK, "client_id", "spa",
                                 NULL};
    assert_int_equal(openid_token(o, NULL, pairs), 200);
    json_t *spa = openid_read(openid_member(o, "id_token"), 1);
    assert_string_not_equal(get(app, "sub"), get(spa, "sub"));
    json_decref(app);
    json_decref(spa);
}

/* ---- prompts */

static void prompt_none_shows_no_page(void **state) {
    openid_t *o = *state;
    ask(o, openid_request("app", "prompt", "none"));
    assert_sent_back(o, "login_required");
    openid_authorize(o, openid_request("app", NULL, NULL));
    ask(o, openid_request("app", "prompt", "none"));
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("app", "prompt", "none login"));
    assert_sent_back(o, "invalid_request");
    o->app.asks_consent = true;
    ask(o, openid_request("app", "prompt", "none"));
    assert_sent_back(o, "consent_required");
}

static void age_and_prompt_ask_again(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    ask(o, openid_request("app", "prompt", "login"));
    assert_string_equal(o->b->page, "sign_in");
    browser_sign_in(o->b, &fg_openid_protocol, "alice", "alice-demo");
    assert_non_null(openid_answer(o, "code"));
    o->b->test.now_ms += 10 * FG_SECOND;
    ask(o, openid_request("app", "max_age", "10"));
    assert_string_equal(o->b->page, "sign_in");
    ask(o, openid_request("app", "max_age", "11"));
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("app", "max_age", "-1"));
    assert_sent_back(o, "invalid_request");
}

static int consent(openid_t *o, const char *choice, const char *csrf) {
    char action[8192];
    const char *const pairs[] = {"csrf", csrf, "consent", choice, NULL};
    snprintf(action, sizeof action, "%s", strchr(browser_text(o->b, "action"), '?') + 1);
    return browser_post(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, action, openid_form(pairs));
}

static void consent_is_asked_for(void **state) {
    openid_t *o = *state;
    static const char *const choices[] = {"no", "yes"};
    for (size_t i = 0; i < 2; i++) {
        const char *const pairs[] = {
            "client_id",    "app",    "redirect_uri",  APP_CALLBACK, "response_type", "code", "scope",
            "openid email", "prompt", "login consent", "state",      "st&<te",        NULL};
        ask(o, openid_form(pairs));
        browser_sign_in(o->b, &fg_openid_protocol, "alice", "alice-demo");
        assert_string_equal(o->b->page, "consent");
        char csrf[512];
        snprintf(csrf, sizeof csrf, "%s", browser_text(o->b, "csrf"));
        consent(o, choices[i], csrf);
        if (i == 0)
            assert_sent_back(o, "access_denied");
        else
            assert_non_null(openid_answer(o, "code"));
    }
    ask(o, openid_request("app", "prompt", "consent"));
    assert_string_equal(o->b->page, "consent");
    consent(o, "yes", "made-up");
    assert_true(browser_refused(o->b, FG_E_CSRF));
}

static void a_hint_names_the_person(void **state) {
    openid_t *o = *state;
    char token[8192];
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_trade(o, NULL, NULL);
    snprintf(token, sizeof token, "%s", openid_member(o, "id_token"));
    o->b->test.now_ms += 30 * FG_MINUTE; /* expired: it is a hint about the past */
    ask(o, openid_request("app", "id_token_hint", token));
    assert_non_null(openid_answer(o, "code"));
    ask(o, openid_request("spa", "id_token_hint", token));
    assert_sent_back(o, "invalid_request");
    ask(o, openid_request("app", "id_token_hint", openid_member(o, "access_token"))); /* JW-11 */
    assert_sent_back(o, "invalid_request");
    ask(o, openid_request("app", "claims", "{\"id_token\":{\"sub\":{\"value\":\"somebody-else\"}}}"));
    assert_sent_back(o, "login_required");
}

/* OI-09: nothing is fetched, and nothing passed over */
static void oi_09_request_objects_are_refused(void **state) {
    openid_t *o = *state;
    ask(o, openid_request("app", "request_uri", "https://10.0.0.1/"));
    assert_sent_back(o, "request_uri_not_supported");
    ask(o, openid_request("app", "request", "e30.e30."));
    assert_sent_back(o, "request_not_supported");
    ask(o, openid_request("app", "response_type", "token"));
    assert_sent_back(o, "unsupported_response_type");
}

static void another_sites_form_comes_again_as_an_address(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    o->b->cross_site = true;
    assert_int_equal(
        browser_post(o->b, &fg_openid_protocol, FG_OPENID_AUTHORIZE, "", openid_request("app", NULL, NULL)), 303);
    char query[8192];
    snprintf(query, sizeof query, "%s", strchr(browser_header(o->b, "Location"), '?') + 1);
    ask(o, query);
    assert_non_null(openid_answer(o, "code"));
    query[strlen(query) - 3] ^= 1;
    ask(o, query);
    assert_true(browser_refused(o->b, FG_E_CSRF));
}

/* ---- signing out */

static int sign_out(openid_t *o, const char *const *pairs) {
    return browser_get(o->b, &fg_openid_protocol, FG_OPENID_LOGOUT, openid_form(pairs));
}

static void signing_out_at_a_clients_wish(void **state) {
    openid_t *o = *state;
    char token[8192], access[8192];
    openid_authorize(o, openid_request("app", "scope", "openid"));
    openid_trade(o, NULL, NULL);
    snprintf(token, sizeof token, "%s", openid_member(o, "id_token"));
    snprintf(access, sizeof access, "%s", openid_member(o, "access_token"));
    const char *const wrong[] = {"id_token_hint", token, "post_logout_redirect_uri", "https://rp.test/bye/", NULL};
    sign_out(o, wrong);
    assert_true(browser_refused(o->b, FG_E_OPENID_LOGOUT));
    const char *const nobody[] = {"post_logout_redirect_uri", "https://rp.test/bye", NULL};
    sign_out(o, nobody);
    assert_true(browser_refused(o->b, FG_E_OPENID_LOGOUT));
    assert_int_equal(openid_userinfo(o, access), 200);
    const char *const right[] = {"id_token_hint", token, "post_logout_redirect_uri", "https://rp.test/bye", "state",
                                 "s 1",           NULL};
    assert_int_equal(sign_out(o, right), 302);
    assert_string_equal(browser_header(o->b, "Location"), "https://rp.test/bye?state=s%201");
    assert_non_null(strstr(o->b->audit, "\"event\":\"signout\""));
    assert_int_equal(openid_userinfo(o, access), 401);
    ask(o, openid_request("app", "prompt", "none"));
    assert_sent_back(o, "login_required");
}

/* Without the ID token of this session the person is asked: another site could have sent the browser here. */
static void signing_out_is_asked_without_a_hint(void **state) {
    openid_t *o = *state;
    openid_authorize(o, openid_request("app", NULL, NULL));
    const char *const pairs[] = {"client_id", "app", "post_logout_redirect_uri", "https://rp.test/bye", NULL};
    assert_int_equal(sign_out(o, pairs), 200);
    assert_string_equal(o->b->page, "sign_out");
    char csrf[512], action[4096];
    snprintf(csrf, sizeof csrf, "%s", browser_text(o->b, "csrf"));
    snprintf(action, sizeof action, "%s", strchr(browser_text(o->b, "action"), '?') + 1);
    const char *const made_up[] = {"confirm", "yes", "csrf", "made-up", NULL};
    browser_post(o->b, &fg_openid_protocol, FG_OPENID_LOGOUT, action, openid_form(made_up));
    assert_true(browser_refused(o->b, FG_E_CSRF));
    ask(o, openid_request("app", "prompt", "none"));
    assert_non_null(openid_answer(o, "code"));
    const char *const yes[] = {"confirm", "yes", "csrf", csrf, NULL};
    browser_post(o->b, &fg_openid_protocol, FG_OPENID_LOGOUT, action, openid_form(yes));
    assert_string_equal(o->b->page, "signed_out");
    assert_string_equal(browser_text(o->b, "next"), "https://rp.test/bye");
    const json_t *party = json_array_get(json_object_get(o->b->model, "parties"), 0);
    assert_non_null(strstr(get(party, "url"), "https://rp.test/front?a=b&iss=https%3A%2F%2Fgw.test%2Fadfs&sid=_"));
    ask(o, openid_request("app", "prompt", "none"));
    assert_sent_back(o, "login_required");
}

/* ---- telling clients from here */

typedef struct told {
    fg_http_t http; /* first */
    char url[200], token[4096];
    int status;
} told_t;

static bool take_message(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                         fg_http_response_t *response, fg_err_t *err) {
    told_t *told = (told_t *)http;
    (void)env, (void)arena, (void)err;
    snprintf(told->url, sizeof told->url, "%.*s", (int)request->url.n, request->url.p);
    snprintf(told->token, sizeof told->token, "%.*s", (int)request->body.n, request->body.p);
    *response = (fg_http_response_t){.status = told->status};
    return true;
}

static const json_t *sign_out_of_spa(openid_t *o) {
    openid_authorize(o, openid_request("app", NULL, NULL));
    openid_authorize(o, openid_request("spa", NULL, NULL));
    const char *const pairs[] = {"grant_type", "authorization_code", "code",       o->code,     "code_verifier",
                                 VERIFIER,     "redirect_uri",       SPA_CALLBACK, "client_id", "spa",
                                 NULL};
    assert_int_equal(openid_token(o, NULL, pairs), 200);
    const char *const hint[] = {"id_token_hint", openid_member(o, "id_token"), NULL};
    assert_int_equal(sign_out(o, hint), 200);
    assert_string_equal(o->b->page, "signed_out");
    return json_object_get(o->b->model, "parties");
}

/* Back-channel logout 1.0 §2.4 */
static void a_logout_token_says_whose_session_it_was(void **state) {
    openid_t *o = *state;
    told_t told = {.http = {take_message}, .status = 200};
    o->b->test.env.http = &told.http;
    o->app.back_channel_logout = FG_STR("https://rp.test/logout");
    assert_int_equal(json_array_size(sign_out_of_spa(o)), 0); /* told already */
    assert_string_equal(told.url, "https://rp.test/logout");
    assert_int_equal(strncmp(told.token, "logout_token=", 13), 0);
    json_t *header = openid_read(told.token + 13, 0), *token = openid_read(told.token + 13, 1);
    assert_string_equal(get(header, "typ"), "logout+jwt");
    assert_string_equal(get(token, "aud"), "app");
    assert_int_equal(get(token, "sid")[0], '_');
    assert_string_not_equal(get(token, "sub"), "(absent)");
    assert_string_not_equal(get(token, "jti"), "(absent)");
    assert_null(json_object_get(token, "nonce"));
    assert_non_null(
        json_object_get(json_object_get(token, "events"), "http://schemas.openid.net/event/backchannel-logout"));
    json_decref(header);
    json_decref(token);
}

static void where_that_fails_the_browser_tells(void **state) {
    openid_t *o = *state;
    told_t told = {.http = {take_message}, .status = 500};
    o->b->test.env.http = &told.http;
    o->app.back_channel_logout = FG_STR("https://rp.test/logout");
    assert_int_equal(json_array_size(sign_out_of_spa(o)), 1);
    o->app.front_channel_logout = FG_STR_NONE;
    assert_int_equal(json_array_size(sign_out_of_spa(o)), 0);
    assert_non_null(strstr(o->b->test.log, "is not told of the sign-out"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, openid_set_up, openid_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(discovery_names_what_is_there),
        TEST(published_keys_verify_tokens),
        TEST(a_code_becomes_tokens),
        TEST(the_answer_goes_by_the_response_mode),
        TEST(oi_05_redirect_uri_is_exact),
        TEST(oi_08_parameters_stand_once),
        TEST(oi_03_pkce_is_s256_or_nothing),
        TEST(oi_03_pkce_is_not_taken_away),
        TEST(oi_04_a_code_is_good_once),
        TEST(oi_04_what_is_made_up_revokes_nothing),
        TEST(oi_04_a_code_is_its_clients),
        TEST(a_code_lives_for_a_minute),
        TEST(a_client_proves_who_it_is),
        TEST(an_assertion_is_the_clients_own),
        TEST(a_refresh_token_is_good_once),
        TEST(a_refresh_token_is_its_clients),
        TEST(without_offline_access_there_is_none),
        TEST(userinfo_tells_what_was_granted),
        TEST(the_claims_parameter_asks_for_single_claims),
        TEST(jw_11_userinfo_takes_access_tokens_alone),
        TEST(jw_11_the_type_of_an_access_token_counts),
        TEST(a_resources_token_is_not_for_userinfo),
        TEST(pairwise_names_differ),
        TEST(prompt_none_shows_no_page),
        TEST(age_and_prompt_ask_again),
        TEST(consent_is_asked_for),
        TEST(a_hint_names_the_person),
        TEST(oi_09_request_objects_are_refused),
        TEST(another_sites_form_comes_again_as_an_address),
        TEST(signing_out_at_a_clients_wish),
        TEST(signing_out_is_asked_without_a_hint),
        TEST(a_logout_token_says_whose_session_it_was),
        TEST(where_that_fails_the_browser_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
