/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lockout with back-off, the replay check, claims and authentication methods. */
#include "tests/unit/support.h"

#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "directory/lockout.h"
#include "token/authmethod.h"
#include "token/claims.h"
#include "token/replay.h"

/* a store of a few entries, searched one by one */
typedef struct entry {
    char key[600];
    size_t key_length;
    int64_t expires_ms;
    int64_t number;
} entry_t;

typedef struct table {
    fg_store_t store;
    entry_t entries[64];
    bool away;
    bool late; /* waits are not seen yet: what somebody finds who asks at the same moment */
} table_t;

static entry_t *find(table_t *table, fg_str_t key, int64_t now_ms) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(table->entries); i++) {
        entry_t *e = &table->entries[i];
        if (e->expires_ms > now_ms && fg_str_eq((fg_str_t){e->key, e->key_length}, key))
            return e;
    }
    return NULL;
}

static entry_t *make(table_t *table, fg_str_t key, int64_t now_ms, int64_t expires_ms) {
    assert_true(key.n <= sizeof table->entries[0].key);
    for (size_t i = 0; i < FG_ARRAY_SIZE(table->entries); i++) {
        entry_t *e = &table->entries[i];
        if (e->expires_ms > now_ms)
            continue;
        *e = (entry_t){.key_length = key.n, .expires_ms = expires_ms};
        memcpy(e->key, key.p, key.n);
        return e;
    }
    fail_msg("the test's store is full");
    return NULL;
}

static fg_store_result_t table_put(fg_store_t *store, fg_str_t key, fg_str_t value, int64_t now_ms, int64_t expires_ms) {
    table_t *table = (table_t *)store;
    (void)value;
    if (table->away)
        return FG_STORE_UNAVAILABLE;
    entry_t *e = find(table, key, now_ms);
    if (e == NULL)
        e = make(table, key, now_ms, expires_ms);
    e->expires_ms = expires_ms;
    return FG_STORE_OK;
}

static fg_store_result_t table_put_new(fg_store_t *store, fg_str_t key, fg_str_t value, int64_t now_ms, int64_t expires_ms) {
    if (find((table_t *)store, key, now_ms) != NULL)
        return FG_STORE_EXISTS;
    return table_put(store, key, value, now_ms, expires_ms);
}

static fg_store_result_t table_get(fg_store_t *store, fg_str_t key, int64_t now_ms, char *value, size_t *length) {
    table_t *table = (table_t *)store;
    if (table->away)
        return FG_STORE_UNAVAILABLE;
    if (find(table, key, now_ms) == NULL || (table->late && fg_str_starts(key, "lockout:w:")))
        return FG_STORE_MISSING;
    value[0] = '1';
    *length = 1;
    return FG_STORE_OK;
}

static fg_store_result_t table_add(fg_store_t *store, fg_str_t key, int64_t delta, int64_t now_ms, int64_t expires_ms, int64_t *total) {
    table_t *table = (table_t *)store;
    if (table->away)
        return FG_STORE_UNAVAILABLE;
    entry_t *e = find(table, key, now_ms);
    if (e == NULL)
        e = make(table, key, now_ms, expires_ms);
    *total = e->number += delta;
    return FG_STORE_OK;
}

static fg_store_result_t table_remove(fg_store_t *store, fg_str_t key) {
    entry_t *e = find((table_t *)store, key, INT64_MIN + 1);
    if (e != NULL)
        e->expires_ms = INT64_MIN;
    return FG_STORE_OK;
}

static void setup(test_env_t *test, table_t *table) {
    memset(table, 0, sizeof *table);
    table->store = (fg_store_t){table_put_new, table_put, table_get, NULL, table_add, table_remove};
    test_env_init(test);
    test->env.store = &table->store;
}

static const fg_lockout_t rules = {3, 6, FG_SECOND, 8 * FG_SECOND};

static bool try_as(test_env_t *test, const char *user, const char *address, fg_err_t *err) {
    return fg_lockout_enter(&test->env, &rules, FG_STR("people"), fg_str(user), fg_str(address), err);
}

static void account_waits_longer_each_time(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    for (int i = 0; i < 3; i++)
        assert_true(try_as(&test, i % 2 ? "ALICE" : "alice", "", &err));
    for (int64_t wait = FG_SECOND; wait <= 4 * FG_SECOND; wait *= 2) {
        assert_true(try_as(&test, "alice", "", &err));
        assert_false(try_as(&test, "Alice", "", &err));
        assert_err(&err, FG_E_AUTH_LOCKED);
        assert_true(try_as(&test, "bob", "", &err));
        fg_lockout_succeed(&test.env, &rules, FG_STR("people"), FG_STR("bob"), FG_STR(""));
        test.now_ms += wait - 1;
        assert_false(try_as(&test, "alice", "", &err));
        test.now_ms += 1;
    }
    for (int i = 0; i < 3; i++, test.now_ms += 8 * FG_SECOND)
        assert_true(try_as(&test, "alice", "", &err)); /* the longest wait is not exceeded */
}

static void success_forgets_the_account_but_not_the_address(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    for (int i = 0; i < 3; i++)
        assert_true(try_as(&test, "alice", "192.0.2.1", &err));
    fg_lockout_succeed(&test.env, &rules, FG_STR("people"), FG_STR("alice"), FG_STR("192.0.2.1"));
    for (int i = 0; i < 3; i++)
        assert_true(try_as(&test, "alice", "192.0.2.2", &err));
    /* two failures are left on the first address: four are free, however many accounts are tried */
    static const char *users[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        assert_true(try_as(&test, users[i], "192.0.2.1", &err));
    assert_false(try_as(&test, "f", "192.0.2.1", &err));
    assert_err(&err, FG_E_AUTH_LOCKED);
    assert_true(try_as(&test, "f", "192.0.2.3", &err));
}

static void many_right_passwords_from_one_address_are_no_failures(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    for (int i = 0; i < 50; i++) {
        assert_true(try_as(&test, "alice", "192.0.2.1", &err));
        fg_lockout_succeed(&test.env, &rules, FG_STR("people"), FG_STR("alice"), FG_STR("192.0.2.1"));
    }
}

/* No server of the directory answered: neither the attempt nor the wait that it made stays. */
static void what_nobody_could_check_is_not_counted(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    for (int i = 0; i < 50; i++) {
        assert_true(try_as(&test, "alice", "192.0.2.1", &err));
        fg_lockout_forgive(&test.env, &rules, FG_STR("people"), FG_STR("Alice"), FG_STR("192.0.2.1"));
    }
    /* the free ones are all there, and no more */
    for (int i = 0; i < 4; i++)
        assert_true(try_as(&test, "alice", "192.0.2.1", &err));
    assert_false(try_as(&test, "alice", "192.0.2.1", &err));
    assert_err(&err, FG_E_AUTH_LOCKED);
    test.now_ms += FG_SECOND;
    assert_true(try_as(&test, "alice", "192.0.2.1", &err));
    fg_lockout_forgive(&test.env, &rules, FG_STR("people"), FG_STR("alice"), FG_STR("192.0.2.1"));
    assert_true(try_as(&test, "alice", "192.0.2.1", &err));
    assert_false(try_as(&test, "alice", "192.0.2.2", &err)); /* the others' failures stay */
}

static void failures_are_forgotten_after_quiet(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            assert_true(try_as(&test, "alice", "", &err));
        assert_false(try_as(&test, "alice", "", &err));
        test.now_ms += 1 + FG_SECOND + rules.longest_wait_ms;
    }
}

static void parallel_guesses_get_one_try_per_wait(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    table.late = true;
    int tries = 0;
    for (int i = 0; i < 20; i++)
        tries += try_as(&test, "alice", "", &err);
    assert_int_equal(tries, 3 + 1);
    assert_err(&err, FG_E_AUTH_LOCKED);
}

static void lockout_fails_closed_without_a_store(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    table.away = true;
    assert_false(try_as(&test, "alice", "", &err));
    assert_err(&err, FG_E_UNAVAILABLE);
    static const fg_lockout_t off = {0, 0, 0, 0};
    assert_true(fg_lockout_enter(&test.env, &off, FG_STR("people"), FG_STR("alice"), FG_STR("192.0.2.1"), &err));
}

/* SA-06, WF-04, WT-03 */
static void what_was_used_is_refused_until_it_expires(void **state) {
    (void)state;
    test_env_t test;
    table_t table;
    setup(&test, &table);
    fg_err_t err = FG_ERR_INIT;
    int64_t until = test.now_ms + FG_MINUTE;
    assert_true(fg_replay_check(&test.env, "assertion", FG_STR("urn:a"), FG_STR("_1"), until, FG_E_TOKEN_REPLAY, &err));
    assert_false(fg_replay_check(&test.env, "assertion", FG_STR("urn:a"), FG_STR("_1"), until, FG_E_TOKEN_REPLAY, &err));
    assert_err(&err, FG_E_TOKEN_REPLAY);
    assert_true(fg_replay_check(&test.env, "assertion", FG_STR("urn:b"), FG_STR("_1"), until, FG_E_TOKEN_REPLAY, &err));
    assert_true(fg_replay_check(&test.env, "nonce", FG_STR("urn:a"), FG_STR("_1"), until, FG_E_WSS_REPLAY, &err));
    table.away = true;
    assert_false(fg_replay_check(&test.env, "assertion", FG_STR("urn:c"), FG_STR("_1"), until, FG_E_TOKEN_REPLAY, &err));
    assert_err(&err, FG_E_UNAVAILABLE);
    test.env.store = NULL;
    assert_false(fg_replay_check(&test.env, "assertion", FG_STR("urn:c"), FG_STR("_1"), until, FG_E_TOKEN_REPLAY, &err));
    assert_err(&err, FG_E_UNAVAILABLE);
}

static void claims_grow_and_keep_their_order(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims = {0};
    for (int i = 0; i < 40; i++)
        assert_true(fg_claims_put(arena, &claims, i == 20 ? FG_CLAIM_UPN : FG_CLAIM_ROLE, fg_str(fg_arena_printf(arena, "v%d", i))));
    assert_int_equal(claims.count, 40);
    assert_true(fg_str_is(claims.items[39].value, "v39"));
    assert_true(fg_str_is(fg_claims_get(&claims, FG_CLAIM_ROLE)->value, "v0"));
    assert_true(fg_str_is(fg_claims_get(&claims, FG_CLAIM_UPN)->value, "v20"));
    assert_null(fg_claims_get(&claims, FG_CLAIM_NAME));
    fg_arena_free(arena);
}

static void methods_are_found_by_any_word(void **state) {
    (void)state;
    static const char *words[] = {FG_AUTH_PASSWORD, "urn:oasis:names:tc:SAML:1.0:am:password",
                                  "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
                                  "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(words); i++)
        assert_string_equal(fg_authmethod_find(fg_str(words[i]))->claim, FG_AUTH_PASSWORD);
    assert_string_equal(fg_authmethod_find(FG_STR("urn:federation:authentication:windows"))->claim, FG_AUTH_WINDOWS);
    assert_null(fg_authmethod_find(FG_STR("urn:nobody:knows")));
    assert_null(fg_authmethod_find(FG_STR_NONE));
}

int main(void) {
    if (!fg_crypto_start())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(account_waits_longer_each_time),
        cmocka_unit_test(success_forgets_the_account_but_not_the_address),
        cmocka_unit_test(many_right_passwords_from_one_address_are_no_failures),
        cmocka_unit_test(what_nobody_could_check_is_not_counted),
        cmocka_unit_test(failures_are_forgotten_after_quiet),
        cmocka_unit_test(parallel_guesses_get_one_try_per_wait),
        cmocka_unit_test(lockout_fails_closed_without_a_store),
        cmocka_unit_test(what_was_used_is_refused_until_it_expires),
        cmocka_unit_test(claims_grow_and_keep_their_order),
        cmocka_unit_test(methods_are_found_by_any_word),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fg_crypto_stop();
    return failed;
}
