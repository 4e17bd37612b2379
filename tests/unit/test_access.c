/* SPDX-License-Identifier: GPL-2.0-or-later
 * Protected locations: which credentials are taken, what a policy decides, what is kept and what is refused, through a
 * loaded gateway. */
#include "tests/unit/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "core/xml_ns.h"
#include "token/certificate.h"

/* ---- sessions */

static void a_session_is_decided_on_the_event_loop(void **state) {
    (void)state;
    access_begin("web", "GET", "/app/");
    access_put_session();
    assert_true(access_run());
    assert_true(access_call.quick && !access_call.body_was_read);
    const fg_access_t *access = access_call.ex->access;
    assert_string_equal(access->credential, "session");
    assert_false(access->credential_is_spent);
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("name")), "alice"));
    assert_int_equal(access->decision.place->line, 1);
    assert_string_equal(access_call.ex->correlation_id, ""); /* nobody needed it */
    assert_null(access_call.ex->audit);
    /* where no section is named, any session will do */
    access_begin(NULL, "GET", "/app/");
    access_put_session();
    assert_true(access_run() && access_call.quick);
    /* nobody */
    access_begin("web", "GET", "/app/");
    assert_false(access_run());
    assert_true(access_refused(401, "not_signed_in"));
    assert_string_equal(access_header("X-Request-Id", 0), access_call.ex->correlation_id);
    assert_int_equal(strlen(access_call.ex->correlation_id), 36);
}

/* HT-08 */
static void a_session_is_bound_to_its_host_and_ends_ht08(void **state) {
    (void)state;
    access_begin("web", "GET", "/app/");
    access_call.request.host = FG_STR("app.example.com");
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(401, "not_signed_in"));
    access_begin("web", "GET", "/app/"); /* altered */
    char altered[sizeof access_cookie];
    snprintf(altered, sizeof altered, "%s", access_cookie);
    altered[strlen(altered) - 9] ^= 1;
    access_put_header("Cookie", altered);
    assert_false(access_run());
    access_test.now_ms += FG_HOUR + FG_SECOND; /* idle */
    access_begin("web", "GET", "/app/");
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(401, "not_signed_in"));
    access_test.now_ms = TEST_NOW; /* control */
    access_begin("web", "GET", "/app/");
    access_put_session();
    assert_true(access_run());
}

static void a_session_is_renewed_while_it_is_used(void **state) {
    (void)state;
    access_test.now_ms += 30 * FG_MINUTE;
    access_begin("web", "GET", "/app/");
    access_put_session();
    assert_true(access_run() && access_call.quick);
    assert_true(strncmp(access_header("Set-Cookie", 0), "__Host-fedgate=", 15) == 0);
}

static void other_hosts_and_plain_http_are_refused(void **state) {
    (void)state;
    access_begin("web", "GET", "/app/");
    access_call.request.host = FG_STR("evil.example.com");
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(421, "wrong_host"));
    access_begin("web", "GET", "/app/");
    access_call.request.https = false;
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(403, "needs_https"));
    access_begin("web", "GET", "/app/"); /* control */
    access_call.request.host = FG_STR("FS.example.com:443");
    access_put_session();
    assert_true(access_run());
}

/* HT-06 */
static void an_ambiguous_path_is_refused_where_a_policy_reads_it_ht06(void **state) {
    (void)state;
    static const char *const paths[] = {"/app/%2e%2e/secret/", "/app//x", "/app/..;/x", "/app/%252e"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(paths); i++) {
        access_begin("web", "GET", "/app/");
        access_call.request.raw_path = fg_str(paths[i]);
        access_put_session();
        assert_false(access_run());
        assert_true(access_refused(400, "ambiguous_path"));
    }
    access_begin("web", "GET", "/app/");
    access_call.request.raw_path = FG_STR("/app/a%20b");
    access_put_session();
    assert_true(access_run());
    access_begin(NULL, "GET", "/app/"); /* control: nobody asks for the path */
    access_call.request.raw_path = FG_STR("/app//x");
    access_put_session();
    assert_true(access_run());
}

/* ---- policies */

static void deny_wins_and_nothing_denies(void **state) {
    (void)state;
    access_begin("web", "GET", "/secret/plan");
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(403, "denied"));
    assert_non_null(strstr(access_audit(), "web.policy:2"));
    assert_non_null(strstr(access_audit(), "not this"));
    assert_false(access_body_has("not this")); /* the reason is not the client's */
    assert_non_null(strstr(access_audit(), "\"user\":\"alice\""));
    access_begin("web", "GET", "/app/");
    access_put_bearer(access_jwt(TOKEN(.from_ms = 0)));
    assert_false(access_run()); /* carol is no Staff */
    assert_true(access_refused(403, "denied"));
    assert_null(strstr(access_audit(), "\"rule\""));
}

static void a_policy_that_asks_stores_runs_on_the_pool(void **state) {
    (void)state;
    access_begin("asks", "GET", "/");
    access_put_session();
    assert_true(access_run());
    assert_int_equal(access_call.jobs, 1);
}

/* WM-18 */
static void a_changed_policy_takes_effect_and_a_bad_one_does_not_wm18(void **state) {
    (void)state;
    access_begin("web", "GET", "/app/");
    access_put_session();
    assert_true(access_run());
    access_write_file("web.policy", "[role == \"Nobody\"] => permit();\n");
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_false((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    access_write_file("more.rules", "[role == \"Staff\"] => permit();\n");
    access_write_file("web.policy", "include \"more.rules\"\n");
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_true((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    assert_non_null(strstr(access_call.ex->access->decision.place->file, "more.rules"));
    /* an included file counts as well */
    access_write_file("more.rules", "[role == \"Nobody\"] => permit();\n");
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_false((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    access_write_file("more.rules", "[role == \"Staff\"] => permit();\n\n");
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_true((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    /* a bad one is not taken up, and is told of once */
    access_test.log[0] = '\0';
    access_write_file("more.rules", "[role == ] => permit();\n");
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_true((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    const char *told = strstr(access_test.log, "more.rules:1:10: found");
    assert_non_null(told);
    access_test.now_ms += 10 * FG_SECOND;
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_null(strstr(told + 1, "more.rules:1:10: found"));
    access_write_file("web.policy", WEB_POLICY);
    access_test.now_ms += 10 * FG_SECOND;
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_true((access_begin("web", "GET", "/app/"), access_put_session(), access_run()));
    assert_non_null(strstr(access_call.ex->access->decision.place->file, "web.policy"));
}

static void what_the_configuration_cannot_mean_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"protect \"p\" { policy = \"bad.policy\" }", "bad.policy:1:1: found"}, /* WM-18: deny on cold start */
        {"protect \"p\" { policy = \"none.policy\" }", ":2:24: found \"none.policy\", expected a file with claim rules"},
        {"protect \"p\" { kind = pages }", ":2:22: found \"pages\", expected \"web\", \"rest\" or \"wsman\""},
        {"protect \"p\" { accept = {session, cookie} }", ":2:34: found \"cookie\", expected one of session, bearer"},
        {"protect \"p\" { accept = basic }", ":2:24: found \"basic\", expected basic only where there is a directory"},
        {"protect \"p\" { home_realm = \"urn:none\" }", ":2:28: found \"urn:none\", expected the uri of a directory"},
        {"protect \"p\" { directory = \"none\" }", ":2:27: found \"none\", expected the name of a directory"},
        {"protect \"p\" { upstream_partner = \"none\" }", ":2:34: found \"none\", expected the name of a partner"},
        {"protect \"p\" { upstream_token = jwt }", ":2:32: found \"jwt\", expected it beside upstream_partner"},
        {"protect \"p\" { hosts = \"https://x/\" }", ":2:23: found \"https://x/\", expected a host name"},
    };
    const fg_gateway_options_t options = {true, (unsigned)-1, (unsigned)-1};
    access_write_file("bad.policy", "]");
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char whole[2048];
        fg_err_t err = FG_ERR_INIT;
        snprintf(whole, sizeof whole, "base_url = \"" BASE "\" pages = \"%s\"\n%s", access_pages, cases[i].text);
        access_write_file("bad.conf", whole);
        assert_null(fg_gateway_load(access_path("bad.conf"), &options, &access_test.env, &err));
        if (strstr(err.detail, cases[i].expected) == NULL)
            fail_msg("%s\n%s", cases[i].expected, err.detail);
    }
    size_t number;
    assert_false(fg_gateway_find_protect(access_gateway, "none", &number));
    assert_true(fg_gateway_find_protect(access_gateway, "web", &number) && number == 1); /* control */
}

/* ---- bearer tokens */

static void a_jwt_is_validated_once(void **state) {
    (void)state;
    static char token[16384];
    fg_str_t jwt = access_jwt(TOKEN(.from_ms = 0));
    memcpy(token, jwt.p, jwt.n);
    jwt.p = token;
    access_begin("all", "GET", "/");
    access_put_bearer(jwt);
    assert_true(access_run());
    assert_int_equal(access_call.jobs, 1);
    char id[FG_ID_SIZE];
    snprintf(id, sizeof id, "%s", access_call.ex->access->session.id);
    assert_true(access_call.ex->access->credential_is_spent);
    assert_true(fg_str_is(access_call.ex->access->session.home_realm, IDP));
    access_begin("all", "GET", "/");
    access_put_bearer(jwt);
    assert_true(access_run());
    assert_true(access_call.quick);
    assert_string_equal(access_call.ex->access->session.id, id);
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("role")), "Operators"));
    /* what is known at one place is not known at another, which may ask for more */
    access_begin("named", "GET", "/");
    access_put_bearer(jwt);
    assert_false(access_run());
    assert_true(access_refused(401, "token_audience"));
    /* and not for ever */
    access_test.now_ms += 11 * FG_MINUTE;
    access_begin("all", "GET", "/");
    access_put_bearer(jwt);
    assert_true(access_run() && !access_call.quick);
    access_test.now_ms += FG_HOUR;
    access_begin("all", "GET", "/");
    access_put_bearer(jwt);
    assert_false(access_run());
    assert_true(access_refused(401, "token_expired"));
    assert_non_null(strstr(access_header("WWW-Authenticate", 0), "error=\"invalid_token\""));
}

/* SA-01, SA-05, XS-20, XS-22, JW-01..03 in their places: the decision of token/ is asked, with the right keys. */
static void forged_tokens_are_refused_sa01_sa05_xs20_xs22(void **state) {
    (void)state;
    const access_token_t cases[] = {
        TOKEN(.audience = "urn:somebody-else"),
        TOKEN(.from_ms = -2 * FG_HOUR, .until_ms = -FG_HOUR),
        TOKEN(.from_ms = FG_HOUR, .until_ms = 2 * FG_HOUR),
        TOKEN(.key = access_other_key),        /* another trusted provider's key, and a foreign one */
        TOKEN(.key = access_client_key),
        TOKEN(.issuer = "urn:unknown"),
        TOKEN(.issuer = ENTITY),        /* ours is signed by us */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        access_begin("all", "GET", "/");
        access_put_bearer(access_jwt(cases[i]));
        assert_false(access_run());
        assert_int_equal(access_call.ex->response.status, 401);
        for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
            access_begin("all", "GET", "/");
            access_put_bearer(access_base64(access_assertion(cases[i], version), false));
            assert_false(access_run());
            assert_int_equal(access_call.ex->response.status, 401);
        }
    }
    access_begin("all", "GET", "/"); /* controls */
    access_put_bearer(access_jwt(TOKEN(.from_ms = 0)));
    assert_true(access_run());
    for (int i = 0; i < 4; i++) {
        access_begin("all", "GET", "/");
        access_put_bearer(access_base64(access_assertion(TOKEN(.from_ms = 0), i & 1 ? FG_SAML_20 : FG_SAML_11), i & 2));
        assert_true(access_run());
        assert_string_equal(access_call.ex->access->credential, "bearer");
        assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("role")), "Operators"));
    }
}

static void our_own_tokens_are_taken(void **state) {
    (void)state;
    const fg_hub_t *hub = fg_gateway_get_hub(access_gateway);
    fg_keys_t *keys = fg_keyring_acquire(hub->keyring);
    const access_token_t token = TOKEN(.issuer = ENTITY, .key = keys->signing[FG_KEY_ACTIVE]);
    access_begin("all", "GET", "/");
    access_put_bearer(access_jwt(token));
    assert_true(access_run());
    access_begin("all", "GET", "/");
    access_put_bearer(access_base64(access_assertion(token, FG_SAML_20), false));
    assert_true(access_run());
    assert_int_equal(access_call.ex->access->session.home_realm.n, 0);
    fg_keys_release(hub->keyring, keys);
}

/* SA-09: an assertion that is good only for who holds a key */
static void a_holder_of_key_assertion_is_no_bearer_sa09(void **state) {
    (void)state;
    fg_str_t good = access_assertion(TOKEN(.from_ms = 0), FG_SAML_20);
    char *bad = strndup(good.p, good.n), *at = strstr(bad, "cm:bearer");
    assert_non_null(at);
    memcpy(at, "cm:holder", 9);
    access_begin("all", "GET", "/");
    access_put_bearer(access_base64(fg_str(bad), false));
    assert_false(access_run());
    assert_int_equal(access_call.ex->response.status, 401);
    free(bad);
}

static void what_is_no_token_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"x", "a.b", "a.b.c", "a.b.c.d", "PHg+PC94Pg==", "%%%", "e30.e30.", "...."};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        access_begin("all", "GET", "/");
        access_put_bearer(fg_str(texts[i]));
        assert_false(access_run());
        assert_int_equal(access_call.ex->response.status, 401);
        assert_non_null(strstr(access_header("WWW-Authenticate", 0), "Bearer realm=\"fs.example.com\", error=\"invalid_token\""));
    }
    access_begin("all", "GET", "/"); /* two headers could be read differently behind */
    access_put_header("Authorization", "Bearer x");
    access_put_header("authorization", "Bearer x");
    access_put_session();
    assert_false(access_run());
    assert_true(access_refused(400, "bad_http_request"));
}

/* WM-16: nobody but the request says what is asked for */
static void a_token_cannot_say_what_is_asked_for_wm16(void **state) {
    (void)state;
    access_begin("rest", "DELETE", "/nodes/1");
    access_put_bearer(access_jwt(TOKEN(.more_type = FG_REQUEST_CLAIMS "method", .more_value = "GET")));
    assert_false(access_run());
    assert_true(access_refused(403, "denied"));
    access_begin("rest", "DELETE", "/nodes/1");
    access_call.request.query = FG_STR("method=GET&role=Operators&fedgate_user=alice");
    access_put_header("X-Fedgate-Method", "GET");
    access_put_bearer(access_jwt(TOKEN(.from_ms = 0)));
    assert_false(access_run());
    access_begin("rest", "GET", "/nodes/1"); /* control */
    access_put_bearer(access_jwt(TOKEN(.more_type = FG_REQUEST_CLAIMS "method", .more_value = "GET")));
    assert_true(access_run());
}

/* ---- passwords */

static void a_password_is_checked_once_a_minute(void **state) {
    (void)state;
    access_begin("all", "GET", "/");
    access_put_basic("alice:right");
    assert_true(access_run());
    assert_int_equal(access_call.passwords, 1);
    access_begin("all", "GET", "/");
    access_put_basic("alice:right");
    assert_true(access_run() && access_call.quick);
    assert_string_equal(access_call.ex->access->credential, "basic");
    access_begin("all", "GET", "/");
    access_put_basic("alice:wrong");
    assert_false(access_run());
    assert_true(access_refused(401, "wrong_user_or_password"));
    assert_string_equal(access_header("WWW-Authenticate", 0), "Bearer realm=\"fs.example.com\"");
    assert_string_equal(access_header("WWW-Authenticate", 1), "Basic realm=\"fs.example.com\", charset=\"UTF-8\"");
    /* a new one counts after a minute */
    access_write_users("newer");
    fg_gateway_refresh(access_gateway, &access_test.env);
    access_test.now_ms += FG_MINUTE;
    access_begin("all", "GET", "/");
    access_put_basic("alice:right");
    assert_false(access_run());
    access_begin("all", "GET", "/");
    access_put_basic("alice:newer");
    assert_true(access_run());
    access_write_users("right");
    fg_gateway_refresh(access_gateway, &access_test.env);
}

static void bad_basic_credentials_are_refused(void **state) {
    (void)state;
    static const char *const lines[] = {"Basic !!!", "Basic YWxpY2U=", "Basic OnJpZ2h0", "Basic YWxpY2U6AA=="};
    for (size_t i = 0; i < FG_ARRAY_SIZE(lines); i++) {
        access_begin("all", "GET", "/");
        access_put_header("Authorization", lines[i]);
        assert_false(access_run());
        assert_true(access_refused(401, "wrong_user_or_password"));
        assert_int_equal(access_call.passwords, 0);
    }
    access_begin("web", "GET", "/"); /* a scheme that is not for us stays the application's */
    access_put_header("Authorization", "Basic YWxpY2U6cmlnaHQ=");
    access_put_session();
    assert_true(access_run());
    assert_false(access_call.ex->access->credential_is_spent);
}

static void guessing_is_slowed_down(void **state) {
    (void)state;
    for (int i = 0; i < 7; i++) {
        access_begin("all", "GET", "/");
        access_put_basic("bob:wrong");
        assert_false(access_run());
        assert_int_equal(access_call.ex->response.status, 401);
    }
    assert_non_null(strstr(access_audit(), "\"reason\":\"locked_out\""));
    assert_true(access_body_has("not right") && !access_body_has("locked"));
}

/* ---- client certificates */

static void a_client_certificate_is_an_identity(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(64 << 10);
    assert_true(fg_key_to_pem(access_client_key, &pem, &err));
    access_begin("all", "GET", "/");
    access_call.request.client_certificate = fg_buf_str(&pem);
    assert_true(access_run());
    const fg_access_t *access = access_call.ex->access;
    assert_string_equal(access->credential, "certificate");
    assert_true(fg_str_is(access->session.identity.auth_method, FG_AUTH_TLSCLIENT));
    assert_true(fg_str_is(access->session.identity.name_id.value, "CN=robot"));
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("name")), "robot"));
    const fg_claim_t *thumbprint = fg_claims_get(&access->session.identity.claims, FG_CLAIM_THUMBPRINT);
    assert_true(fg_str_is(thumbprint->value, fg_key_get_thumbprint(access_client_key)));
    access_begin("web", "GET", "/"); /* not where it is not asked for */
    access_call.request.client_certificate = fg_buf_str(&pem);
    assert_false(access_run());
    access_test.now_ms += 2 * FG_DAY;
    access_begin("all", "GET", "/");
    access_call.request.client_certificate = fg_buf_str(&pem);
    assert_false(access_run());
    assert_int_equal(access_call.ex->response.status, 401);
    fg_buf_free(&pem);
}

/* WT-02: who acts counts as long as the token does, and no claim makes or hides an actor. */
static void policies_see_who_acts_wt02(void **state) {
    (void)state;
    const access_token_t tokens[] = {
        TOKEN(.actor = "mallory"),
        TOKEN(.actor = "front"),
        TOKEN(.more_type = "urn:fedgate:request:actor:" FG_CLAIM_NAME, .more_value = "mallory"), /* said by a claim */
    };
    for (size_t i = 0; i < 3 * FG_ARRAY_SIZE(tokens); i++) {
        const access_token_t token = tokens[i / 3];
        access_begin("rest", "GET", "/nodes/1");
        access_put_bearer(access_jwt(token));
        assert_int_equal(access_run(), i / 3 != 0);
        if (i / 3 == 0)
            assert_true(access_refused(403, "denied"));
    }
}

/* ---- REST */

static bool patch(const char *body, const char *media_type) {
    access_begin("rest", "PATCH", "/apps/1");
    access_put_basic("alice:right");
    access_put_header("Content-Type", media_type);
    access_call.body = body;
    return access_run();
}

static void members_of_a_json_body_decide(void **state) {
    (void)state;
    assert_true(patch("{\"spec\":{\"replicas\":3}}", "application/json"));
    assert_true(access_call.body_was_read);
    assert_non_null(strstr(access_audit(), "\"event\":\"permitted\""));
    assert_non_null(strstr(access_audit(), "\"method\":\"PATCH\""));
    assert_non_null(strstr(access_audit(), "rest.policy:2"));
    assert_false(patch("{\"spec\":{\"replicas\":30}}", "application/merge-patch+json"));
    assert_true(access_refused(403, "denied"));
    assert_string_equal(access_header("Content-Type", 0), "application/json");
    assert_true(access_body_has("{\"error\":\"denied\"") && access_body_has(access_call.ex->correlation_id));
    assert_false(patch("{\"spec\":{\"replicas\":30,\"replicas\":3}}", "application/json"));
    assert_true(access_refused(400, "bad_http_request"));
    assert_false(patch("{\"spec\":{\"replicas\":3}}", "text/plain"));
    assert_true(access_refused(415, "unsupported_media_type"));
}

/* WM-08 */
static void programs_are_told_what_to_send_wm08(void **state) {
    (void)state;
    access_begin("rest", "GET", "/");
    assert_false(access_run());
    assert_true(access_refused(401, "not_signed_in"));
    assert_string_equal(access_header("WWW-Authenticate", 0), "Bearer realm=\"fs.example.com\"");
    assert_string_equal(access_header("WWW-Authenticate", 1), "Basic realm=\"fs.example.com\", charset=\"UTF-8\"");
    assert_true(access_body_has("\"error\":\"not_signed_in\""));
    access_begin("web", "GET", "/app/"); /* a script in a page */
    access_put_header("Accept", "text/html");
    access_put_header("Sec-Fetch-Mode", "cors");
    assert_false(access_run());
    assert_true(access_refused(401, "not_signed_in"));
    assert_string_equal(access_header("Content-Type", 0), "application/json");
    access_begin("web", "GET", "/app/"); /* a browser is sent to sign in */
    access_put_header("Accept", "text/html,*/*;q=0.8");
    assert_false(access_run());
    assert_true(access_call.ex->response.status == 302 || access_call.ex->response.status == 200);
    assert_string_equal(access_header("WWW-Authenticate", 0), "");
}

/* ---- tokens for the server behind */

static void a_token_for_the_server_behind_is_made_once(void **state) {
    (void)state;
    static const char *const names[] = {"jwt", "saml"};
    for (int i = 0; i < 2; i++) {
        char first[16384];
        access_begin(names[i], "GET", "/");
        access_put_session();
        assert_true(access_run());
        assert_int_equal(access_call.jobs, 1);
        fg_str_t token = access_call.ex->access->upstream_token;
        assert_true(token.n > 100 && token.n < sizeof first);
        memcpy(first, token.p, token.n);
        fg_str_t copy = {first, token.n};
        assert_true(strncmp(first, i == 0 ? "eyJ" : "PHNhbWw", i == 0 ? 3 : 7) == 0);
        access_begin(names[i], "GET", "/");
        access_put_session();
        assert_true(access_run());
        assert_true(access_call.quick);
        assert_true(fg_str_eq(access_call.ex->access->upstream_token, copy));
        access_test.now_ms += 8 * FG_MINUTE + FG_SECOND; /* four fifths of ten minutes */
        access_begin(names[i], "GET", "/");
        access_put_session();
        assert_true(access_run() && !access_call.quick);
        assert_false(fg_str_eq(access_call.ex->access->upstream_token, copy));
        access_test.now_ms = TEST_NOW;
    }
}

/* ---- texts */

/* HT-02 */
static void claims_in_headers_cannot_end_them_ht02(void **state) {
    (void)state;
    access_begin("all", "GET", "/");
    access_put_bearer(access_jwt(TOKEN(.role = "a;b", .more_type = FG_CLAIM_ROLE, .more_value = "c\r\nX-Admin: 1%")));
    assert_true(access_run());
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("role")), "a%3Bb;c%0D%0AX-Admin: 1%25"));
    assert_true(fg_str_is(fg_access_text(access_call.ex->arena, FG_STR("a;b\tc\177%")), "a;b%09c%7F%25"));
    assert_null(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("surname")).p);
    assert_null(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("nonsense")).p);
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("authenticationmethod")), FG_AUTH_PASSWORD));
}

static void a_full_queue_is_told_in_the_place_s_own_words(void **state) {
    (void)state;
    size_t number;
    access_begin("rest", "GET", "/");
    assert_true(fg_gateway_find_protect(access_gateway, "rest", &number));
    access_call.ex = fg_gateway_access_new(access_gateway, &access_test.env, &access_call.request, number, access_call.block, sizeof access_call.block);
    assert_int_equal(fg_access_quick(access_call.ex), FG_STEP_JOB);
    fg_gateway_refuse(access_call.ex, FG_E_BUSY);
    assert_true(access_refused(503, "busy"));
    assert_true(access_body_has("\"error\":\"busy\""));
    assert_string_equal(access_header("Retry-After", 0), "2");
}
#define TEST(name) cmocka_unit_test_setup(name, access_refill)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_decided_on_the_event_loop),
        TEST(a_session_is_bound_to_its_host_and_ends_ht08),
        TEST(a_session_is_renewed_while_it_is_used),
        TEST(other_hosts_and_plain_http_are_refused),
        TEST(an_ambiguous_path_is_refused_where_a_policy_reads_it_ht06),
        TEST(deny_wins_and_nothing_denies),
        TEST(a_policy_that_asks_stores_runs_on_the_pool),
        TEST(a_changed_policy_takes_effect_and_a_bad_one_does_not_wm18),
        TEST(what_the_configuration_cannot_mean_is_refused),
        TEST(a_jwt_is_validated_once),
        TEST(forged_tokens_are_refused_sa01_sa05_xs20_xs22),
        TEST(our_own_tokens_are_taken),
        TEST(a_holder_of_key_assertion_is_no_bearer_sa09),
        TEST(what_is_no_token_is_refused),
        TEST(a_token_cannot_say_what_is_asked_for_wm16),
        TEST(a_password_is_checked_once_a_minute),
        TEST(bad_basic_credentials_are_refused),
        TEST(guessing_is_slowed_down),
        TEST(a_client_certificate_is_an_identity),
        TEST(policies_see_who_acts_wt02),
        TEST(members_of_a_json_body_decide),
        TEST(programs_are_told_what_to_send_wm08),
        TEST(a_token_for_the_server_behind_is_made_once),
        TEST(claims_in_headers_cannot_end_them_ht02),
        TEST(a_full_queue_is_told_in_the_place_s_own_words),
    };
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
