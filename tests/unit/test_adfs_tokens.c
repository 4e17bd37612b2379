/* SPDX-License-Identifier: GPL-2.0-or-later
 * Recorded answers of AD FS and of another product, from the message to the claims: what each is worth stands in the
 * vectors' manifest. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/crypto.h"
#include "core/time.h"
#include "sts/rstr.h"
#include "token/assertion.h"

static fg_arena_t *arena;
static fg_err_t err;

static fg_str_t member(const json_t *entry, const char *name) {
    const char *value = json_string_value(json_object_get(entry, name));
    return value ? fg_str(value) : FG_STR_NONE;
}

static char *load(fg_str_t name, size_t *length) {
    return test_file(fg_arena_printf(arena, "%s/adfs/%.*s", test_vectors(), (int)name.n, name.p), length);
}

/* NULL: there is none, or one that is not accepted (1024 bits, XS-26). */
static fg_key_t *load_key(const json_t *entry) {
    size_t length = 0;
    char *pem = member(entry, "key").p ? load(member(entry, "key"), &length) : NULL;
    fg_key_t *key = pem ? fg_key_from_pem((fg_str_t){pem, length}, &err) : NULL;
    free(pem);
    return key;
}

/* A SOAP answer's one element in the Body, which declares its own prefixes; anything else as it is. */
static fg_str_t body_of(const char *text, size_t length) {
    const char *begin = strstr(text, "Body"), *end = begin;
    if (begin == NULL)
        return (fg_str_t){text, length};
    begin = strchr(begin, '>') + 1;
    for (const char *at = begin; (at = strstr(at, "Body>")) != NULL; at++)
        end = at;
    while (*end != '<')
        end--;
    return (fg_str_t){begin, (size_t)(end - begin)};
}

static fg_code_t read_answer(const json_t *entry, const fg_key_t *key, bool allow_sha1, int64_t later_ms, fg_assertion_read_t *result) {
    size_t length;
    char *text = load(member(entry, "file"), &length);
    assert_non_null(text);
    xmlDoc *doc = fg_xml_parse(arena, body_of(text, length), NULL, &err);
    free(text);
    if (doc == NULL)
        fail_msg("%s: %s", member(entry, "file").p, err.detail);
    fg_rstr_read_t rstr;
    test_env_t test;
    test_env_init(&test);
    if (!fg_rstr_read(arena, doc, &rstr, &err))
        fail_msg("%s: %s", member(entry, "file").p, err.detail);
    assert_int_equal(rstr.trust, fg_str_is(member(entry, "trust"), "1.3") ? FG_TRUST_13 : FG_TRUST_2005);
    assert_true(fg_time_parse(member(entry, "verify_at"), &test.now_ms));
    test.now_ms += later_ms;
    fg_str_t audience = member(entry, "audience");
    const fg_assertion_trust_t trust = {.issuer = member(entry, "issuer"), .dsig = {&key, key ? 1 : 0, allow_sha1}, .audiences = &audience, .audience_count = 1};
    err = (fg_err_t)FG_ERR_INIT;
    return fg_assertion_read(&test.env, arena, rstr.token, &trust, result, &err) ? FG_OK : err.code;
}

static bool is_signature_code(fg_code_t code) { return code >= FG_E_SIG_MISSING && code <= FG_E_SIG_INVALID; }

static void check_entry(const json_t *entry) {
    fg_assertion_read_t result;
    fg_key_t *key = load_key(entry);
    fg_code_t code = read_answer(entry, key, true, 0, &result);
    if (!fg_str_is(member(entry, "verdict"), "valid")) {
        if (!is_signature_code(code))
            fail_msg("%s: %d %s", member(entry, "file").p, code, err.detail);
        fg_key_unref(key);
        return;
    }
    int64_t end;
    if (code != FG_OK)
        fail_msg("%s: %s", member(entry, "file").p, err.detail);
    assert_true(fg_time_parse(member(entry, "not_on_or_after"), &end));
    assert_true(result.not_on_or_after_ms == end);
    assert_true(fg_str_eq(result.identity.issuer, member(entry, "issuer")));
    assert_true(result.identity.claims.count > 0);
    assert_int_equal(read_answer(entry, key, false, 0, &result), FG_E_SIG_ALGORITHM); /* XS-25 */
    assert_int_equal(read_answer(entry, key, true, FG_HOUR, &result), FG_E_TOKEN_EXPIRED);
    assert_int_equal(read_answer(entry, key, true, -FG_HOUR, &result), FG_E_TOKEN_NOT_YET_VALID);
    fg_key_unref(key);
    key = fg_key_generate(FG_KEY_RSA_2048, "stranger", TEST_NOW, TEST_NOW + FG_DAY, &err);
    assert_true(is_signature_code(read_answer(entry, key, true, 0, &result)));
    fg_key_unref(key);
}

static void recorded_answers_are_worth_what_they_are(void **state) {
    (void)state;
    size_t i, length;
    const json_t *entry;
    unsigned count = 0;
    char *text = test_vectors() ? load(FG_STR("manifest.json"), &length) : NULL;
    if (text == NULL)
        skip();
    json_t *manifest = json_loadb(text, length, 0, NULL);
    free(text);
    json_array_foreach(json_object_get(manifest, "entries"), i, entry) {
        if (!fg_str_is(member(entry, "kind"), "rstr") && !fg_str_is(member(entry, "kind"), "wresult"))
            continue;
        check_entry(entry);
        count++;
    }
    assert_int_equal(count, 6);
    json_decref(manifest);
}

int main(void) {
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    arena = fg_arena_new(64u << 20);
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_answers_are_worth_what_they_are)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fg_arena_free(arena);
    fg_crypto_stop();
    return failed;
}
