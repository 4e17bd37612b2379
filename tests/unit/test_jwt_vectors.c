/* SPDX-License-Identifier: GPL-2.0-or-later
 * Other people's signatures: Project Wycheproof and the IETF's JOSE cookbook. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/json.h"
#include "token/jws.h"

static fg_arena_t *arena;

typedef struct count {
    unsigned accepted, refused, symmetric, skipped, policy;
} count_t;

static json_t *load(const char *name) {
    size_t length;
    char *text = test_vectors() ? test_file(fg_arena_printf(arena, "%s/jose/%s", test_vectors(), name), &length) : NULL;
    json_t *json = text ? json_loadb(text, length, 0, NULL) : NULL;
    free(text);
    return json;
}

/* A key or a set of keys, as a set; the public half, if there are two. */
static bool read_keys(const json_t *key, fg_jwk_set_t *set, fg_err_t *err) {
    json_t *whole = json_object_get(key, "keys") ? json_deep_copy(key) : json_pack("{s:[O]}", "keys", key);
    char *text = json_dumps(whole, JSON_COMPACT);
    bool good = fg_jwk_set_read(arena, fg_str(text), set, err);
    free(text);
    json_decref(whole);
    return good;
}

static bool verify(const json_t *key, const char *token, fg_jws_t *jws, fg_err_t *err) {
    fg_jwk_set_t set;
    *err = (fg_err_t)FG_ERR_INIT;
    return read_keys(key, &set, err) && fg_jws_verify(arena, fg_str(token), &set, jws, err);
}

/* What the vectors' reader has noted about a test: "" for nothing. */
static const char *find_use(const json_t *oddities, const char *file, json_int_t id) {
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(oddities, "entries"), i, entry)
        if (strcmp(json_string_value(json_object_get(entry, "file")), file) == 0 && json_integer_value(json_object_get(entry, "tcId")) == id)
            return json_string_value(json_object_get(entry, "use"));
    return "";
}

static bool is_symmetric(const char *token) {
    fg_str_t parts[3];
    fg_str_t header = fg_jws_split(fg_str(token), parts) ? fg_jws_decode(arena, parts[0]) : FG_STR_NONE;
    return header.p != NULL && strstr(header.p, "\"HS") != NULL;
}

static void check_test(const json_t *key, const json_t *entry, const char *use, count_t *count) {
    fg_jws_t jws;
    fg_err_t err;
    const char *token = json_string_value(json_object_get(entry, "jws"));
    int id = (int)json_integer_value(json_object_get(entry, "tcId"));
    bool valid = strcmp(json_string_value(json_object_get(entry, "result")), "valid") == 0;
    if (token == NULL || strcmp(use, "skip") == 0) {
        count->skipped++;
        return;
    }
    bool good = verify(key, token, &jws, &err);
    if (strcmp(use, "policy") == 0 && !is_symmetric(token)) { /* the signature is right; the key has a weakness that is not looked for */
        count->policy++;
        return;
    }
    if (valid && is_symmetric(token)) { /* no symmetric algorithm is accepted at all */
        assert_false(good);
        count->symmetric++;
        return;
    }
    if (good != (valid && strcmp(use, "reject") != 0))
        fail_msg("tcId %d: %s", id, good ? "accepted" : err.detail);
    good ? count->accepted++ : count->refused++;
}

static count_t check_file(const char *name) {
    count_t count = {0};
    json_t *oddities = load("wycheproof/oddities.json"), *file = load(fg_arena_printf(arena, "wycheproof/%s", name));
    size_t i, k;
    const json_t *group, *entry;
    if (oddities == NULL || file == NULL)
        skip();
    json_array_foreach(json_object_get(file, "testGroups"), i, group) {
        const json_t *key = json_object_get(group, "public");
        json_array_foreach(json_object_get(group, "tests"), k, entry)
            check_test(key ? key : json_object_get(group, "private"), entry, find_use(oddities, name, json_integer_value(json_object_get(entry, "tcId"))), &count);
    }
    json_decref(oddities);
    json_decref(file);
    print_message("%s: %u accepted, %u refused, %u valid ones refused for a symmetric algorithm, %u about what is not looked for, %u skipped (duplicates; JWE)\n",
                  name, count.accepted, count.refused, count.symmetric, count.policy, count.skipped);
    return count;
}

static void wycheproof_signatures(void **state) {
    (void)state;
    count_t count = check_file("json_web_signature_test.json");
    assert_int_equal(count.accepted + count.refused + count.symmetric + count.policy + count.skipped, 401);
    assert_int_equal(count.accepted, 32);
    assert_int_equal(count.skipped, 2);
}

static void wycheproof_keys(void **state) {
    (void)state;
    count_t count = check_file("json_web_key_test.json");
    assert_int_equal(count.accepted + count.refused + count.symmetric + count.policy + count.skipped, 26);
    assert_int_equal(count.accepted, 1);
}

static void wycheproof_mixed(void **state) {
    (void)state;
    count_t count = check_file("json_web_crypto_test.json");
    assert_int_equal(count.accepted, 2);
}

static void cookbook_signatures(void **state) {
    (void)state;
    static const struct { const char *name; fg_code_t code; } cases[] = {
        {"jws/4_1.rsa_v15_signature.json", FG_OK},
        {"jws/4_2.rsa-pss_signature.json", FG_OK},
        {"jws/4_3.ecdsa_signature.json", FG_OK},
        {"jws/4_4.hmac-sha2_integrity_protection.json", FG_E_SIG_ALGORITHM},
        {"jws/4_5.signature_with_detached_content.json", FG_E_SIG_ALGORITHM},
        {"curve25519/jws.json", FG_OK},
        {"rfc7797/hmac-sha2_b64_false.json", FG_E_TOKEN_MALFORMED},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_jws_t jws;
        fg_err_t err;
        json_t *file = load(fg_arena_printf(arena, "cookbook/%s", cases[i].name));
        if (file == NULL)
            skip();
        const json_t *input = json_object_get(file, "input");
        const char *token = json_string_value(json_object_get(json_object_get(file, "output"), "compact"));
        assert_non_null(token);
        bool good = verify(json_object_get(input, "key"), token, &jws, &err);
        if ((good ? FG_OK : err.code) != cases[i].code)
            fail_msg("%s: %d %s", cases[i].name, good ? FG_OK : err.code, good ? "" : err.detail);
        if (good)
            assert_true(fg_str_is(jws.payload, json_string_value(json_object_get(input, "payload"))));
        char *changed = fg_arena_strdup(arena, token);
        char *at = strchr(changed, '.') + 3;
        *at = *at == 'A' ? 'B' : 'A';
        assert_false(verify(json_object_get(input, "key"), changed, &jws, &err));
        json_decref(file);
    }
}

static void cookbook_keys(void **state) {
    (void)state;
    static const struct { const char *name; size_t count; } cases[] = {{"jwk/3_1.ec_public_key.json", 1}, {"jwk/3_3.rsa_public_key.json", 1}, {"jwk/3_5.symmetric_key_mac_computation.json", 0}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_jwk_set_t set;
        fg_err_t err = FG_ERR_INIT;
        json_t *file = load(fg_arena_printf(arena, "cookbook/%s", cases[i].name));
        if (file == NULL)
            skip();
        assert_true(read_keys(file, &set, &err));
        assert_int_equal(set.count, cases[i].count);
        json_decref(file);
    }
}

static int begin(void **state) {
    (void)state;
    arena = fg_arena_new(256u << 20);
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    fg_json_start();
    if (!fg_crypto_start())
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(wycheproof_signatures), TEST(wycheproof_keys), TEST(wycheproof_mixed), TEST(cookbook_signatures), TEST(cookbook_keys),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fg_crypto_stop();
    return failed;
}
