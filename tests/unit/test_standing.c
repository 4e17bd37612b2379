/* SPDX-License-Identifier: GPL-2.0-or-later
 * Decisions that hold for later requests, too: those that looked at nothing but a credential seen before. */
#include "tests/unit/access.h"

#include <string.h>

#include "core/time.h"
#include "hub/standing.h"

static bool ask_with_session(const char *protect) {
    access_begin(protect, "GET", "/app/");
    access_put_session();
    return access_run();
}

static fg_standing_t *of_a_session(const char *protect) {
    for (int i = 0; i < 3; i++)
        assert_true(ask_with_session(protect));
    assert_true(access_call.quick);
    return fg_standing_new(access_call.ex);
}

static bool none_of_a_session(const char *protect) { return of_a_session(protect) == NULL; }

static void a_session_that_was_seen_stands(void **state) {
    (void)state;
    assert_true(ask_with_session(NULL));
    assert_null(fg_standing_new(access_call.ex)); /* it was opened just now */
    fg_standing_t *standing = of_a_session(NULL);
    assert_non_null(standing);
    char id[FG_ID_SIZE];
    memcpy(id, access_call.ex->access->session.id, sizeof id);
    access_begin(NULL, "GET", "/"); /* the exchange is gone */
    assert_int_equal(standing->access.outcome, FG_ACCESS_PERMITTED);
    assert_string_equal(standing->access.reason, "permit");
    assert_string_equal(standing->access.session.id, id);
    assert_true(fg_str_is(fg_access_claim(standing->arena, &standing->access, FG_STR("name")), "alice"));
    assert_int_equal(standing->until_ms, TEST_NOW + FG_HOUR / 10); /* then its cookie is renewed */
    fg_standing_free(standing);
}

static void a_session_to_be_renewed_does_not_stand(void **state) {
    (void)state;
    fg_standing_free(of_a_session(NULL));
    access_test.now_ms = TEST_NOW + FG_HOUR / 10;
    assert_true(none_of_a_session(NULL));
    assert_true(strlen(access_header("Set-Cookie", 0)) > 0);
    access_test.now_ms = TEST_NOW + FG_HOUR / 10 - 1;
    fg_standing_t *standing = of_a_session(NULL);
    assert_non_null(standing); /* control */
    fg_standing_free(standing);
}

/* A policy looks at the request, a message may bring another credential, a token is made for the server behind. */
static void where_more_counts_nothing_stands(void **state) {
    (void)state;
    assert_true(none_of_a_session("web"));
    assert_true(none_of_a_session("all"));
    assert_true(none_of_a_session("jwt"));
}

static void beside_a_certificate_nothing_stands(void **state) {
    (void)state;
    fg_standing_free(of_a_session(NULL));
    access_begin(NULL, "GET", "/app/");
    access_put_session();
    access_call.request.client_certificate = FG_STR("one");
    assert_true(access_run() && access_call.quick);
    assert_null(fg_standing_new(access_call.ex));
}

static void a_token_that_was_seen_stands(void **state) {
    (void)state;
    fg_str_t token = access_jwt(TOKEN(.role = "Operators"));
    fg_standing_t *standing = NULL;
    for (int i = 0; i < 3; i++) {
        access_begin(NULL, i == 2 ? "POST" : "GET", "/");
        access_put_bearer(token);
        assert_true(access_run());
        fg_standing_free(standing);
        standing = fg_standing_new(access_call.ex);
        assert_true((standing != NULL) == (i == 2)); /* validated, found in the store, remembered */
    }
    assert_int_equal(standing->until_ms, TEST_NOW + 10 * FG_MINUTE);
    assert_true(fg_str_is(fg_access_claim(standing->arena, &standing->access, FG_STR("role")), "Operators"));
    fg_standing_free(standing);
}

static void a_password_does_not_stand(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        access_begin("passwords", "GET", "/");
        access_put_basic("alice:right");
        assert_true(access_run());
        assert_null(fg_standing_new(access_call.ex));
    }
}

static uint64_t changes(void) { return fg_gateway_changes(access_gateway, &access_test.env); }

static void what_decisions_are_made_of_is_counted(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_standing_free(of_a_session(NULL));
    uint64_t before = changes();
    assert_true(ask_with_session(NULL));
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_int_equal(changes(), before);
    fg_session_t another = access_call.ex->access->session;
    another.id[3] ^= 1;
    fg_session_mark_ended(access_call.ex, &another);
    assert_true(changes() > before);
    before = changes();
    access_write_file("web.policy", "[role == \"Staff\"] => permit();\n");
    access_test.now_ms += FG_MINUTE;
    fg_gateway_refresh(access_gateway, &access_test.env);
    assert_true(changes() > before);
    before = changes();
    assert_true(fg_keyring_roll(fg_gateway_get_hub(access_gateway)->keyring, FG_KEY_SIGNING, true, &access_test.env, &err));
    assert_true(changes() > before);
}

#define TEST(name) cmocka_unit_test_setup(name, access_refill)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_session_that_was_seen_stands),
        TEST(a_session_to_be_renewed_does_not_stand),
        TEST(where_more_counts_nothing_stands),
        TEST(beside_a_certificate_nothing_stands),
        TEST(a_token_that_was_seen_stands),
        TEST(a_password_does_not_stand),
        TEST(what_decisions_are_made_of_is_counted),
    };
    access_more = "protect \"passwords\" { accept = {basic} }\n";
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
