/* SPDX-License-Identifier: GPL-2.0-or-later
 * The users file: reading, changing, writing, and the directory on top of it. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/json.h"
#include "directory/directory.h"
#include "directory/password.h"
#include "directory/users.h"
#include "token/claims.h"

/* cheap parameters: a test need not wait */
static const char alice_hash[] = "$y$j75$fedgateTestSalt.$MOuHNeUK8nQ3SDMxK.cnD8RMRWePYhaMD/WZ.LcbVyA"; /* alice-demo */

static char folder[] = "/tmp/fedgate-users-XXXXXX";
static char path[64];

#define ALICE "{\"name\":\"alice\",\"password\":\"%s\",\"groups\":[\"Administrators\",\"Staff\"],\"attributes\":{\"mail\":[\"alice@example.test\"]," \
              "\"given_name\":[\"Alice\"],\"upn\":[\"Alice.A@example.test\"],\"immutable_id\":[\"aWQ=\"],\"http://example.test/claims/floor\":[\"3\",\"4\"]}}"
#define BOB "{\"name\":\"bob\",\"password\":\"%s\",\"disabled\":true}"

static void write_file(const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_file_replace(path, (fg_str_t){text, (size_t)n}, 0600, &err));
}

static fg_directory_t *open_directory(void) {
    fg_err_t err = FG_ERR_INIT;
    write_file("{\"users\":[\n" ALICE ",\n" BOB "\n]}\n", alice_hash, alice_hash);
    fg_directory_t *directory = fg_users_file_directory_new("people", path, &err);
    if (directory == NULL)
        fail_msg("%s", err.detail);
    return directory;
}

static bool check(fg_directory_t *directory, fg_arena_t *arena, const char *user, fg_str_t password, fg_identity_t *identity, fg_err_t *err) {
    test_env_t test;
    test_env_init(&test);
    return directory->check_password(directory, &test.env, arena, fg_str(user), password, identity, err);
}

static void right_password_yields_claims(void **state) {
    (void)state;
    fg_directory_t *directory = open_directory();
    fg_arena_t *arena = fg_arena_new(0);
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity;
    assert_true(check(directory, arena, "ALICE", FG_STR("alice-demo"), &identity, &err));
    assert_true(check(directory, arena, "alice.a@EXAMPLE.test", FG_STR("alice-demo"), &identity, &err));
    directory->free(directory); /* the identity does not live in the directory */
    static const char *expected[][2] = {
        {FG_CLAIM_NAME, "alice"}, {FG_CLAIM_EMAIL, "alice@example.test"}, {FG_CLAIM_GIVENNAME, "Alice"},
        {FG_CLAIM_UPN, "Alice.A@example.test"}, {FG_CLAIM_IMMUTABLEID, "aWQ="}, {"http://example.test/claims/floor", "3"},
        {"http://example.test/claims/floor", "4"}, {FG_CLAIM_NAMEIDENTIFIER, "Alice.A@example.test"},
        {FG_CLAIM_ROLE, "Administrators"}, {FG_CLAIM_ROLE, "Staff"}, {FG_CLAIM_GROUP, "Administrators"}, {FG_CLAIM_GROUP, "Staff"},
    };
    assert_int_equal(identity.claims.count, FG_ARRAY_SIZE(expected));
    for (size_t i = 0; i < FG_ARRAY_SIZE(expected); i++) {
        assert_true(fg_str_is(identity.claims.items[i].type, expected[i][0]));
        assert_true(fg_str_is(identity.claims.items[i].value, expected[i][1]));
        assert_true(fg_str_is(identity.claims.items[i].issuer, "people"));
    }
    assert_true(fg_str_is(identity.name_id.value, "Alice.A@example.test"));
    assert_true(fg_str_is(identity.auth_method, FG_AUTH_PASSWORD));
    assert_true(fg_str_is(identity.issuer, "people"));
    assert_int_equal(identity.auth_instant_ms, TEST_NOW);
    fg_arena_free(arena);
}

static int64_t cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Unknown, wrong and disabled: one answer, after one hash. */
static void refusals_look_alike(void **state) {
    (void)state;
    fg_directory_t *directory = open_directory();
    fg_arena_t *arena = fg_arena_new(0);
    fg_identity_t identity;
    int64_t shortest = INT64_MAX, start = cpu_us();
    static const struct { const char *user; const char *password; } refused[] = {
        {"alice", "Alice-demo"}, {"mallory", "alice-demo"}, {"bob", "alice-demo"}, {"alice ", "alice-demo"},
    };
    assert_true(fg_password_verify(FG_STR("alice-demo"), alice_hash));
    int64_t one = cpu_us() - start;
    for (size_t i = 0; i < FG_ARRAY_SIZE(refused); i++) {
        fg_err_t err = FG_ERR_INIT;
        start = cpu_us();
        assert_false(check(directory, arena, refused[i].user, fg_str(refused[i].password), &identity, &err));
        int64_t took = cpu_us() - start;
        shortest = took < shortest ? took : shortest;
        assert_err(&err, FG_E_AUTH_FAILED);
        assert_null(strstr(err.detail, "demo"));
    }
    assert_true(shortest * 4 > one);
    fg_arena_free(arena);
    directory->free(directory);
}

/* KL-08, WT-05 */
static void impossible_names_and_passwords_are_refused_unhashed(void **state) {
    (void)state;
    fg_directory_t *directory = open_directory();
    fg_arena_t *arena = fg_arena_new(0);
    fg_identity_t identity;
    fg_err_t err = FG_ERR_INIT;
    char longest[600];
    memset(longest, 'x', sizeof longest);
    const fg_str_t passwords[] = {FG_STR(""), FG_STR_NONE, {"alice-demo\0x", 12}, {longest, sizeof longest}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(passwords); i++) {
        assert_false(check(directory, arena, "alice", passwords[i], &identity, &err));
        assert_err(&err, FG_E_AUTH_FAILED);
    }
    longest[sizeof longest - 1] = '\0';
    const char *names[] = {"", "ali\nce", "ali\x7f" "ce", "ali\xc2\x85", "\xff", longest};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        assert_false(check(directory, arena, names[i], FG_STR("alice-demo"), &identity, &err));
        assert_err(&err, FG_E_AUTH_FAILED);
    }
    fg_arena_free(arena);
    directory->free(directory);
}

static void changed_file_is_read_and_a_bad_one_is_not(void **state) {
    (void)state;
    fg_directory_t *directory = open_directory();
    fg_arena_t *arena = fg_arena_new(0);
    fg_identity_t identity;
    fg_err_t err = FG_ERR_INIT;
    test_env_t test;
    test_env_init(&test);
    directory->refresh(directory, &test.env);
    assert_string_equal(test.log, "");
    write_file("{\"users\":[{\"name\":\"carol\",\"password\":\"%s\"}]}", alice_hash);
    directory->refresh(directory, &test.env);
    assert_non_null(strstr(test.log, "read 1 users"));
    assert_true(check(directory, arena, "carol", FG_STR("alice-demo"), &identity, &err));
    assert_true(fg_str_is(identity.name_id.value, "carol"));
    assert_false(check(directory, arena, "alice", FG_STR("alice-demo"), &identity, &err));
    write_file("{\"users\":[\n  {\"name\":\"dave\",\n   \"password\":\"plain\"}]}");
    test.log[0] = '\0';
    directory->refresh(directory, &test.env);
    directory->refresh(directory, &test.env);
    assert_non_null(strstr(test.log, ":3:15: \"password\" must be"));
    assert_null(strstr(strchr(test.log, '\n') + 1, "keeps"));
    assert_true(check(directory, arena, "carol", FG_STR("alice-demo"), &identity, &err));
    fg_arena_free(arena);
    directory->free(directory);
}

static void bad_files_are_refused_with_their_place(void **state) {
    (void)state;
    static const struct { const char *text; const char *place; } bad[] = {
        {"{\"users\":[", "f:1:10: "},
        {"{\"people\":[]}", "f:1:1: "},
        {"{\"users\":[],\"x\":1}", "f:1:1: "},
        {"{\"users\":[3]}", "f:1:11: "},
        {"{\"users\":[{\"name\":\"a\"}]}", "f:1:11: "},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\"},\n{\"name\":\"b\",\"password\":\"$y$x\"}]}", "f:3:24: "},
        {"{\"users\":[\n{\"name\":\"\",\"password\":\"@\"}]}", "f:2:9: "},
        {"{\"users\":[\n{\"name\":\"a\\u0007\",\"password\":\"@\"}]}", "f:2:9: "},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\",\"groups\":[1]}]}", "f:2:"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\",\"attributes\":{\"phone\":[\"1\"]}}]}", "f:2:"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\",\"attributes\":{\"mail\":\"1\"}}]}", "f:2:"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\",\"disabled\":0}]}", "f:2:"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\",\"group\":[]}]}", "f:2:"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\"},\n{\"name\":\"A\",\"password\":\"@\"}]}", "f:3:9: \"a\" is the name"},
        {"{\"users\":[\n{\"name\":\"a\",\"password\":\"@\"},\n{\"name\":\"b\",\"password\":\"@\",\"attributes\":{\"upn\":[\"a\"]}}]}", "f:3:"},
        {"{\"users\":[\n{\"name\":\"a\",\"name\":\"b\",\"password\":\"@\"}]}", "f:2:"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_buf_t text = FG_BUF_INIT(4096);
        for (const char *p = bad[i].text; *p; p++)
            fg_buf_puts(&text, *p == '@' ? alice_hash : (char[]){*p, '\0'});
        fg_err_t err = FG_ERR_INIT;
        assert_null(fg_users_parse("f", fg_buf_str(&text), &err));
        assert_err(&err, FG_E_CONFIG);
        if (!fg_str_starts(fg_str(err.detail), bad[i].place))
            fail_msg("%zu: %s", i, err.detail);
        fg_buf_free(&text);
    }
    fg_err_t err = FG_ERR_INIT;
    assert_null(fg_users_file_directory_new("people", "/nonexistent/users", &err));
    assert_err(&err, FG_E_FILE);
}

static void users_are_added_changed_removed_and_written(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_users_t *users = fg_users_new();
    assert_true(fg_users_add(users, json_pack("{ssss}", "name", "alice", "password", alice_hash), &err));
    assert_true(fg_users_add(users, json_pack("{sssss{s[s]}}", "name", "bob", "password", alice_hash, "attributes", "upn", "b@x"), &err));
    assert_false(fg_users_add(users, json_pack("{ssss}", "name", "B@X", "password", alice_hash), &err));
    assert_false(fg_users_add(users, json_pack("{ssss}", "name", "carol", "password", "plain"), &err));
    assert_int_equal(json_array_size(fg_users_all(users)), 2);
    assert_false(fg_users_set_password(users, "b@x", alice_hash, &err));
    assert_true(fg_users_set_password(users, "Bob", "$y$j75$fedgateTestSalt.$...........................................", &err));
    assert_true(fg_users_remove(users, "alice", &err));
    assert_false(fg_users_remove(users, "alice", &err));
    assert_null(fg_users_find(users, FG_STR("alice")));
    assert_non_null(fg_users_find(users, FG_STR("B@x")));
    fg_buf_t out = FG_BUF_INIT(FG_USERS_FILE_MAX);
    assert_true(fg_users_write(users, &out, &err));
    assert_true(fg_str_starts(fg_buf_str(&out), "{\"users\":[\n{\"name\":\"bob\",\"password\":\"$y$j75$fedgateTestSalt.$....."));
    fg_users_t *again = fg_users_parse("f", fg_buf_str(&out), &err);
    assert_non_null(again);
    fg_users_free(again);
    fg_users_free(users);
    fg_buf_free(&out);
}

static void new_hash_is_yescrypt_and_verifies(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_err_t err = FG_ERR_INIT;
    char first[FG_PASSWORD_HASH_SIZE], second[FG_PASSWORD_HASH_SIZE], dummy[FG_PASSWORD_HASH_SIZE];
    assert_true(fg_password_hash(&test.env, FG_STR("grüße"), first, &err));
    assert_true(fg_password_hash(&test.env, FG_STR("grüße"), second, &err));
    assert_string_not_equal(first, second);
    assert_true(fg_password_is_hash(first));
    assert_true(fg_password_verify(FG_STR("grüße"), first));
    assert_false(fg_password_verify(FG_STR("grusse"), first));
    assert_false(fg_password_hash(&test.env, FG_STR(""), second, &err));
    fg_password_dummy(first, dummy);
    assert_true(fg_password_is_hash(dummy));
    assert_int_equal(strchr(first + 3, '$') - first, strchr(dummy + 3, '$') - dummy);
    assert_memory_equal(first, dummy, (size_t)(strchr(first + 3, '$') - first));
    static const char *others[] = {"", "$y$", "$y$x", "$1$abc$defghijklmnopqrstuvwx/", "$y$j9T$abc", "plain"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        assert_false(fg_password_is_hash(others[i]));
    test.random_fails = true;
    assert_false(fg_password_hash(&test.env, FG_STR("x"), second, &err));
}

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/users.json", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void) {
    if (!fg_crypto_start())
        return 1;
    fg_json_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_password_yields_claims),
        cmocka_unit_test(refusals_look_alike),
        cmocka_unit_test(impossible_names_and_passwords_are_refused_unhashed),
        cmocka_unit_test(changed_file_is_read_and_a_bad_one_is_not),
        cmocka_unit_test(bad_files_are_refused_with_their_place),
        cmocka_unit_test(users_are_added_changed_removed_and_written),
        cmocka_unit_test(new_hash_is_yescrypt_and_verifies),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    fg_crypto_stop();
    return failed;
}
