/* SPDX-License-Identifier: GPL-2.0-or-later
 * The users file: reading, changing, writing, and the directory on top of it. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/fault.h"
#include "core/file.h"
#include "core/json.h"
#include "directory/directory.h"
#include "directory/password.h"
#include "directory/users.h"
#include "directory/users_query.h"
#include "policy/rules.h"
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
    assert_false(fg_users_set_password(users, "b@x", alice_hash, NULL, &err));
    assert_true(fg_users_set_password(users, "Bob", "$y$j75$fedgateTestSalt.$...........................................", NULL, &err));
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

/* ---- as an attribute store */

#define A "urn:a"
#define B "urn:b"

static void claims_text(const fg_claims_t *claims, char *out, size_t size) {
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < claims->count; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%.*s=%.*s", i > 0 ? " " : "", FG_STR_ARG(claims->items[i].type),
                                   FG_STR_ARG(claims->items[i].value));
}

static void queries_yield_what_they_name(void **state) {
    (void)state;
    static const struct { const char *query; const char *param; const char *yields; } rows[] = {
        {";mail,displayName;{0}", "alice", "urn:a=alice@example.test"},
        {";mail,givenName;{0}", "CORP\\Alice", "urn:a=alice@example.test urn:b=Alice"},
        {"; givenName , mail ; CORP\\{0} ", "alice", "urn:a=Alice urn:b=alice@example.test"},
        {";SAMACCOUNTNAME,userPrincipalName;{0}", "alice.a@example.test", "urn:a=alice urn:b=Alice.A@example.test"},
        {";memberOf,sn;{0}", "alice", "urn:a=Administrators urn:a=Staff"},
        {";tokenGroups,http://example.test/claims/floor;{0}", "alice", "urn:a=Administrators urn:a=Staff urn:b=3 urn:b=4"},
        {";immutable_id,name;{0}", "alice", "urn:a=aWQ= urn:b=alice"},
        {"(mail={0});sAMAccountName,upn;CORP\\service", "ALICE@example.test", "urn:a=alice urn:b=Alice.A@example.test"},
        {"sAMAccountName={0};mail,given_name;CORP\\service", "alice", "urn:a=alice@example.test urn:b=Alice"},
        {"(memberOf=Staff);sAMAccountName,surname;x", "", "urn:a=alice"},
        {"(sAMAccountName={0});mail,upn;x", "nobody", ""},
        {";mail,upn;{0}", "nobody", ""},
        {";name,groups;{0}", "bob", ""}, /* disabled */
        {"(name={0});name,groups;x", "bob", ""},
        /* KL-07: values are compared, never read as a part of the query */
        {"(name={0});name,groups;x", "*", ""},
        {"(name={0});name,groups;x", "x)(|(name=alice)", ""},
        {"(name={0});name,groups;x", "alice;name,groups;alice", ""},
        {";name,mail;{0}", "alice;password", ""},
        {";name,mail;{0}", "{0}", ""},
        {"(name={0});name,groups;x", "alice", "urn:a=alice urn:b=Administrators urn:b=Staff"}, /* control */
    };
    fg_directory_t *directory = open_directory();
    const fg_str_t types[] = {FG_STR(A), FG_STR(B)};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_claims_t claims = {0};
        fg_err_t err = FG_ERR_INIT;
        char text[512];
        fg_str_t param = fg_str(rows[i].param);
        if (!directory->query(directory, arena, fg_str(rows[i].query), &param, 1, types, 2, &claims, &err))
            fail_msg("%s: %s", rows[i].query, err.detail);
        claims_text(&claims, text, sizeof text);
        if (strcmp(text, rows[i].yields) != 0)
            fail_msg("%s with %s: %s", rows[i].query, rows[i].param, text);
        for (size_t k = 0; k < claims.count; k++)
            assert_true(fg_str_is(claims.items[k].issuer, "people"));
        fg_arena_free(arena);
    }
    directory->free(directory);
}

static void wrong_queries_are_refused_with_their_fault(void **state) {
    (void)state;
    static const struct { const char *query; const char *says; } rows[] = {
        {";mail,telephoneNumber;{0}", "\"telephoneNumber\""},
        {";mail,password;{0}", "\"password\""},
        {";mail;{0}", "1 attributes for 2 types"},
        {";mail,upn,sn;{0}", "3 attributes for 2 types"},
        {";mail,;{0}", "between commas"},
        {"mail,upn;{0}", "FILTER;ATTRIBUTES;"},
        {";mail,upn;{0};x", "FILTER;ATTRIBUTES;"},
        {"", "FILTER;ATTRIBUTES;"},
        {";mail,upn;{1}", "none of 1 params"},
        {";mail,upn;{x}", "none of 1 params"},
        {";mail,upn;{", "none of 1 params"},
        {"(&(mail={0})(sn=x));mail,upn;x", "expected nothing or \"(attribute=value)\""},
        {"(mail=*);mail,upn;x", "expected nothing or \"(attribute=value)\""},
        {"(mail>={0});mail,upn;x", "expected nothing or \"(attribute=value)\""},
        {"(!mail={0});mail,upn;x", "expected nothing or \"(attribute=value)\""},
        {"(phone={0});mail,upn;x", "\"phone\""},
        {"({0}=alice);mail,upn;x", "\"{0}\""},
    };
    fg_directory_t *directory = open_directory();
    fg_arena_t *arena = fg_arena_new(0);
    const fg_str_t types[] = {FG_STR(A), FG_STR(B)}, param = FG_STR("name");
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_claims_t claims = {0};
        fg_err_t err = FG_ERR_INIT;
        assert_false(directory->query(directory, arena, fg_str(rows[i].query), &param, 1, types, 2, &claims, &err));
        assert_err(&err, FG_E_CONFIG);
        if (strstr(err.detail, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].query, err.detail);
        /* and when the rule is compiled */
        assert_false(directory->check_query(directory, fg_str(rows[i].query), 1, 2, &err));
        assert_err(&err, FG_E_CONFIG);
        if (strstr(err.detail, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].query, err.detail);
    }
    assert_true(directory->check_query(directory, FG_STR("(mail={0});mail,upn;{1}"), 2, 2, NULL));
    fg_arena_free(arena);
    directory->free(directory);
}

typedef struct directory_store {
    fg_rule_store_t store; /* first */
    fg_directory_t *directory;
} directory_store_t;

static bool ask(const fg_rule_store_t *store, fg_arena_t *arena, fg_str_t query, const fg_str_t *params, size_t param_count,
                const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err) {
    fg_directory_t *directory = ((const directory_store_t *)store)->directory;
    return directory->query(directory, arena, query, params, param_count, types, type_count, out, err);
}

/* A rule as AD FS' "Send LDAP attributes as claims" writes it. */
static void claim_rules_ask_a_directory(void **state) {
    (void)state;
    static const char text[] =
        "c:[Type == \"" FG_CLAIM_WINDOWSACCOUNTNAME "\", Issuer == \"AD AUTHORITY\"]\n => issue(store = \"people\", types = (\""
        FG_CLAIM_EMAIL "\", \"" FG_CLAIM_GIVENNAME "\"), query = \";mail,givenName;{0}\", param = c.Value);";
    fg_arena_t *arena = fg_arena_new(0);
    fg_err_t err = FG_ERR_INIT;
    directory_store_t people = {{"people", ask}, open_directory()};
    fg_rule_stores_t stores = {&people.store, 1};
    fg_rule_output_t out;
    fg_ruleset_t *set = fg_ruleset_compile("f", fg_str(text), &stores, &err);
    if (set == NULL)
        fail_msg("%s", err.detail);
    fg_claims_t input = {0};
    fg_claim_t account = {.type = FG_STR(FG_CLAIM_WINDOWSACCOUNTNAME), .value = FG_STR("CORP\\alice"), .issuer = FG_STR("AD AUTHORITY")};
    assert_true(fg_claims_add(arena, &input, &account));
    assert_true(fg_ruleset_run(set, arena, &stores, &input, &out, &err));
    assert_int_equal(out.claims.count, 2);
    assert_true(fg_str_is(fg_claims_get(&out.claims, FG_CLAIM_EMAIL)->value, "alice@example.test"));
    assert_true(fg_str_is(fg_claims_get(&out.claims, FG_CLAIM_GIVENNAME)->value, "Alice"));
    fg_ruleset_free(set);
    assert_null(fg_ruleset_compile("f", fg_str(text), NULL, &err));
    people.directory->free(people.directory);
    fg_arena_free(arena);
}

/* ---- digests */

#define DAVE "{\"name\":\"dave\",\"password\":\"%s\",\"digest_password\":\"alice-demo\"}"
#define ERIN "{\"name\":\"erin\",\"password\":\"%s\",\"digest_password\":\"alice-demo\",\"disabled\":true}"

static fg_code_t check_digest(fg_directory_t *directory, fg_arena_t *arena, const char *user, const char *value, fg_identity_t *identity, fg_err_t *err) {
    test_env_t test;
    test_env_init(&test);
    fg_buf_t bytes = FG_BUF_INIT(64);
    assert_true(fg_base64_decode(&bytes, fg_str(value)));
    const fg_username_token_t token = {.username = fg_str(user), .digest = true, .nonce = FG_STR("1234567890123456"),
                                       .created = FG_STR("2026-01-01T00:00:00Z"), .digest_value = fg_buf_str(&bytes)};
    bool ok = directory->check_digest(directory, &test.env, arena, &token, identity, err);
    fg_buf_free(&bytes);
    return ok ? FG_OK : err->code;
}

/* Who cannot be asked that way has a reason of their own, which only the audit log knows. */
static void digest_is_checked_for_accounts_that_keep_their_password(void **state) {
    (void)state;
    static const char good[] = "kTvkUcpDa1UZRv/0H7rHL3Yb6Lw=", wrong[] = "n4UElhOGndVvUK5+XNKOan/4X0k="; /* of alice-demo and alice-dema */
    static const struct { const char *user, *value; fg_code_t code; const char *says; } rows[] = {
        {"dave", good, FG_OK, ""},
        {"DAVE", good, FG_OK, ""},
        {"dave", wrong, FG_E_AUTH_FAILED, "wrong digest"},
        {"dave", "", FG_E_AUTH_FAILED, "wrong digest"},
        {"alice", good, FG_E_AUTH_DIGEST, "not possible for this account"},
        {"mallory", good, FG_E_AUTH_FAILED, "unknown user"},
        {"erin", good, FG_E_AUTH_FAILED, "disabled"},
        {"", good, FG_E_AUTH_FAILED, "empty"},
    };
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_identity_t identity;
    write_file("{\"users\":[\n" ALICE ",\n" DAVE ",\n" ERIN "\n]}\n", alice_hash, alice_hash, alice_hash);
    fg_directory_t *directory = fg_users_file_directory_new("people", path, &err);
    assert_non_null(directory);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_code_t code = check_digest(directory, arena, rows[i].user, rows[i].value, &identity, &err);
        if (code != rows[i].code || (code != FG_OK && strstr(err.detail, rows[i].says) == NULL))
            fail_msg("row %zu: %d: %s", i, code, err.detail);
        assert_string_equal(fg_fault_get(rows[i].code == FG_OK ? FG_E_AUTH_DIGEST : rows[i].code)->sentence, fg_fault_get(FG_E_AUTH_FAILED)->sentence);
    }
    assert_string_equal(fg_fault_public_reason(FG_E_AUTH_DIGEST), fg_fault_public_reason(FG_E_AUTH_FAILED));
    assert_int_equal(check_digest(directory, arena, "dave", good, &identity, &err), FG_OK);
    assert_true(fg_str_is(identity.auth_method, FG_AUTH_PASSWORD));
    assert_true(fg_str_is(fg_claims_get(&identity.claims, FG_CLAIM_NAME)->value, "dave"));
    assert_true(check(directory, arena, "dave", FG_STR("alice-demo"), &identity, &err)); /* text goes on as before */
    fg_arena_free(arena);
    directory->free(directory);
}

static void readable_passwords_are_kept_from_others(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    test_env_t test;
    test_env_init(&test);
    write_file("{\"users\":[" DAVE "]}", alice_hash);
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(fg_users_file_directory_new("people", path, &err));
    assert_err(&err, FG_E_CONFIG);
    assert_non_null(strstr(err.detail, "chmod o="));
    assert_int_equal(chmod(path, 0640), 0);
    fg_directory_t *directory = fg_users_file_directory_new("people", path, &err); /* control */
    assert_non_null(directory);
    directory->free(directory);
    write_file("{\"users\":[" ALICE "]}", alice_hash);
    assert_int_equal(chmod(path, 0644), 0);
    directory = fg_users_file_directory_new("people", path, &err); /* hashes alone */
    assert_non_null(directory);
    directory->free(directory);
    assert_null(fg_users_parse("f", FG_STR("{\"users\":[{\"name\":\"a\",\"password\":\"$y$j75$fedgateTestSalt.$...........................................\",\"digest_password\":\"\"}]}"), &err));
    assert_err(&err, FG_E_CONFIG);
}

static void new_password_replaces_the_readable_one(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(4096);
    fg_users_t *users = fg_users_new();
    assert_true(fg_users_add(users, json_pack("{ssss}", "name", "alice", "password", alice_hash), &err));
    assert_false(fg_users_hold_passwords(users));
    assert_true(fg_users_set_password(users, "alice", alice_hash, "first", &err));
    assert_true(fg_users_hold_passwords(users));
    assert_true(fg_users_set_password(users, "alice", alice_hash, "second", &err));
    assert_true(fg_users_write(users, &out, &err));
    assert_non_null(strstr(out.data, "\"digest_password\":\"second\""));
    assert_null(strstr(out.data, "first"));
    assert_true(fg_users_set_password(users, "alice", alice_hash, NULL, &err));
    assert_false(fg_users_hold_passwords(users));
    assert_false(fg_users_set_password(users, "alice", alice_hash, "\xff", &err));
    fg_buf_free(&out);
    fg_users_free(users);
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

/* who has proven otherwise whose account it is gets what the password would have got */
static void proven_names_are_found(void **state) {
    static const struct {
        fg_account_kind_t kind;
        const char *name;
        const char *refusal; /* NULL: is alice */
    } cases[] = {
        {FG_ACCOUNT_NAME, "alice", NULL},
        {FG_ACCOUNT_NAME, "ALICE", NULL},
        {FG_ACCOUNT_PRINCIPAL, "alice.A@EXAMPLE.TEST", NULL},
        {FG_ACCOUNT_UPN, "alice.a@example.test", NULL},
        {FG_ACCOUNT_PRINCIPAL, "alice.a@OTHER.TEST", "unknown user"},
        {FG_ACCOUNT_CERTIFICATE, "alice", "unknown user"},
        {FG_ACCOUNT_NAME, "bob", "the user is disabled"},
        {FG_ACCOUNT_NAME, "", "is empty"},
    };
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_directory_t *directory = open_directory();
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_identity_t identity;
        fg_err_t err = FG_ERR_INIT;
        bool found = directory->find(directory, &test.env, arena, cases[i].kind, fg_str(cases[i].name), &identity, &err);
        assert_int_equal(found, cases[i].refusal == NULL);
        if (found) {
            assert_true(fg_str_is(identity.name_id.value, "Alice.A@example.test"));
            assert_int_equal(identity.auth_method.n, 0);
        } else {
            assert_err(&err, strstr(cases[i].refusal, "disabled") ? FG_E_AUTH_DISABLED : FG_E_AUTH_FAILED);
            assert_non_null(strstr(err.detail, cases[i].refusal));
        }
        fg_arena_free(arena);
    }
    directory->free(directory);
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
        cmocka_unit_test(queries_yield_what_they_name),
        cmocka_unit_test(wrong_queries_are_refused_with_their_fault),
        cmocka_unit_test(claim_rules_ask_a_directory),
        cmocka_unit_test(digest_is_checked_for_accounts_that_keep_their_password),
        cmocka_unit_test(readable_passwords_are_kept_from_others),
        cmocka_unit_test(new_password_replaces_the_readable_one),
        cmocka_unit_test(proven_names_are_found),
    };
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    fg_crypto_stop();
    return failed;
}
