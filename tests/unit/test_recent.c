/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an event loop remembers of sessions and tokens: it asks nobody again, and forgets what is over. */
#include "tests/unit/access.h"

#include <stdio.h>
#include <string.h>

#include "core/time.h"
#include "hub/recent.h"

static unsigned gets;
static fg_store_result_t (*real_get)(fg_store_t *, fg_str_t, int64_t, char *, size_t *);

static fg_store_result_t counting_get(fg_store_t *store, fg_str_t key, int64_t now_ms, char *value, size_t *length) {
    gets++;
    return real_get(store, key, now_ms, value, length);
}

/* An empty store that counts; another state of it than in the tests before, of which something is remembered. */
static int refill(void **state) {
    static uint64_t ended;
    if (access_refill(state) != 0)
        return 1;
    fg_store_t *store = access_test.env.store;
    real_get = store->get;
    store->get = counting_get;
    for (uint64_t i = 0; i <= ended; i++)
        if (store->put(store, FG_STR("session-ended:_nobody"), FG_STR("1"), TEST_NOW, TEST_NOW + FG_HOUR) != FG_STORE_OK)
            return 1;
    ended++;
    return 0;
}

static bool ask_with_session(void) {
    access_begin("web", "GET", "/app/");
    access_put_session();
    gets = 0;
    return access_run();
}

static bool ask_with(fg_str_t token) {
    access_begin("all", "GET", "/");
    access_put_bearer(token);
    gets = 0;
    return access_run();
}

static fg_str_t keep(fg_str_t token) {
    static char memory[16384];
    assert_true(token.n < sizeof memory);
    memcpy(memory, token.p, token.n);
    return (fg_str_t){memory, token.n};
}

static void a_session_is_opened_once(void **state) {
    (void)state;
    assert_true(ask_with_session());
    assert_int_equal(gets, 1); /* whether it was ended */
    for (int i = 0; i < 3; i++) {
        assert_true(ask_with_session());
        assert_true(access_call.quick);
        assert_int_equal(gets, 0);
        assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("name")), "alice"));
    }
}

static void a_token_is_looked_up_once(void **state) {
    (void)state;
    fg_str_t token = keep(access_jwt(TOKEN(.role = "Operators")));
    assert_true(ask_with(token));
    assert_false(access_call.quick);
    assert_true(ask_with(token));
    assert_true(access_call.quick && gets > 0);
    assert_true(ask_with(token));
    assert_true(access_call.quick && gets == 0);
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("role")), "Operators"));
    /* what is remembered for one place is not for another */
    access_begin("named", "GET", "/");
    access_put_bearer(token);
    assert_false(access_run());
    assert_true(access_refused(401, "token_audience"));
    /* nor another one that differs in its first byte */
    char *other = (char *)(uintptr_t)token.p;
    other[0] ^= 1;
    assert_false(ask_with(token));
    other[0] ^= 1;
    assert_true(ask_with(token)); /* control */
    access_test.now_ms += 11 * FG_MINUTE;
    assert_true(ask_with(token));
    assert_false(access_call.quick); /* validated again */
}

/* RFC 8705 §3: a token may be tied to the connection's certificate. */
static void a_certificate_beside_the_token_is_looked_at(void **state) {
    (void)state;
    fg_str_t token = keep(access_jwt(TOKEN(.role = "Operators")));
    for (int i = 0; i < 3; i++) {
        access_begin("all", "GET", "/");
        access_put_bearer(token);
        access_call.request.client_certificate = FG_STR("one");
        assert_true(access_run());
        assert_int_equal(access_call.quick, i > 0);
    }
    assert_true(ask_with(token));
    assert_false(access_call.quick); /* not as with that certificate */
    assert_true(ask_with(token) && access_call.quick);
    assert_true(ask_with(token) && gets == 0);
    access_begin("all", "GET", "/");
    access_put_bearer(token);
    access_call.request.client_certificate = FG_STR("another");
    assert_true(access_run());
    assert_false(access_call.quick);
}

/* HT-08: in another worker perhaps. */
static void a_session_that_was_ended_is_not_remembered(void **state) {
    (void)state;
    assert_true(ask_with_session() && ask_with_session());
    fg_session_t session = access_call.ex->access->session;
    fg_session_t another = session;
    another.id[3] ^= 1;
    fg_session_mark_ended(access_call.ex, &another);
    assert_true(ask_with_session()); /* control: that was somebody else's */
    assert_int_equal(gets, 1);
    assert_true(ask_with_session());
    assert_int_equal(gets, 0);
    fg_session_mark_ended(access_call.ex, &session);
    assert_false(ask_with_session());
    assert_true(access_refused(401, "not_signed_in"));
}

static void a_session_does_not_outlive_its_time(void **state) {
    (void)state;
    assert_true(ask_with_session() && ask_with_session());
    access_test.now_ms = TEST_NOW + FG_HOUR; /* idle */
    assert_false(ask_with_session());
    assert_true(access_refused(401, "not_signed_in"));
    access_test.now_ms = TEST_NOW + FG_HOUR - 1; /* control */
    assert_true(ask_with_session());
}

static void a_session_of_a_forgotten_key_is_not_remembered(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    const fg_hub_t *hub = fg_gateway_get_hub(access_gateway);
    assert_true(ask_with_session() && ask_with_session());
    assert_true(fg_keyring_roll(hub->keyring, FG_KEY_SIGNING, true, &access_test.env, &err));
    assert_true(ask_with_session()); /* control: another key was rolled */
    assert_true(fg_keyring_drop_previous(hub->keyring, &access_test.env, &err));
    assert_false(ask_with_session());
    assert_true(access_refused(401, "not_signed_in"));
}

/* Each bucket has room for two: whoever comes last is there, and the earlier ones are only opened again. */
static void there_is_room_for_some(void **state) {
    (void)state;
    for (int round = 0; round < 700; round++) {
        char text[64];
        fg_recent_name_t name = {FG_RECENT_BEARER, FG_STR("all"), {text, 0}, 0};
        name.text.n = (size_t)snprintf(text, sizeof text, "%048d", round);
        fg_session_t session, found;
        access_begin("all", "GET", "/");
        access_put_session();
        assert_true(access_run());
        session = access_call.ex->access->session;
        assert_false(fg_recent_get(access_call.ex, &name, &found));
        fg_recent_put(access_call.ex, &name, &session, TEST_NOW + FG_HOUR);
        assert_true(fg_recent_get(access_call.ex, &name, &found));
        assert_string_equal(found.id, session.id);
        name.kind = FG_RECENT_COOKIE;
        assert_false(fg_recent_get(access_call.ex, &name, &found));
    }
}

#define TEST(name) cmocka_unit_test_setup(name, refill)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_opened_once),
        TEST(a_token_is_looked_up_once),
        TEST(a_certificate_beside_the_token_is_looked_at),
        TEST(a_session_that_was_ended_is_not_remembered),
        TEST(a_session_does_not_outlive_its_time),
        TEST(there_is_room_for_some),
        TEST(a_session_of_a_forgotten_key_is_not_remembered), /* last: nobody is signed in any more */
    };
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
