/* SPDX-License-Identifier: GPL-2.0-or-later
 * A request as claims: facts, paths, JSON bodies. */
#include "tests/unit/support.h"

#include "core/json.h"
#include "policy/request_json.h"

#define TYPE(name) FG_REQUEST_CLAIMS name

static const char *value_of(const fg_claims_t *claims, const char *type) {
    const fg_claim_t *claim = fg_claims_get(claims, type);
    return claim ? claim->value.p : "(none)";
}

static void facts_become_claims(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims = {NULL};
    fg_request_facts_t facts = {.method = FG_STR("GET"), .path = FG_STR("/a b"), .now_ms = TEST_NOW};
    assert_true(fg_request_claims(arena, &facts, &claims));
    assert_int_equal(claims.count, 5); /* the empty ones are left out */
    assert_string_equal(value_of(&claims, TYPE("method")), "GET");
    assert_string_equal(value_of(&claims, TYPE("path")), "/a b");
    assert_string_equal(value_of(&claims, TYPE("time")), "2026-01-01T00:00:00.000Z");
    assert_true(fg_str_is(fg_claims_get(&claims, TYPE("hour"))->value, "00"));
    assert_string_equal(value_of(&claims, TYPE("weekday")), "Thursday");
    for (size_t i = 0; i < claims.count; i++)
        assert_true(fg_str_is(claims.items[i].issuer, FG_REQUEST_ISSUER));

    facts = (fg_request_facts_t){.query = FG_STR("q=1"),
                                 .host = FG_STR("h"),
                                 .client_address = FG_STR("192.0.2.1"),
                                 .tls_version = FG_STR("TLSv1.3"),
                                 .tls_cipher = FG_STR("C"),
                                 .certificate = FG_STR("CN=c"),
                                 .now_ms = TEST_NOW + INT64_C(3) * 86400000 + INT64_C(13) * 3600000};
    claims.count = 0;
    assert_true(fg_request_claims(arena, &facts, &claims));
    assert_int_equal(claims.count, 9);
    assert_true(fg_str_is(fg_claims_get(&claims, TYPE("hour"))->value, "13"));
    assert_string_equal(value_of(&claims, TYPE("weekday")), "Sunday");
    assert_string_equal(value_of(&claims, TYPE("certificate")), "CN=c");
    fg_arena_free(arena);
}

/* WM-16: what only the request may say is not taken from tokens and directories */
static void claims_about_requests_are_dropped(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims = {NULL};
    assert_true(fg_claims_put(arena, &claims, TYPE("operation"), FG_STR("Get")));
    assert_true(fg_claims_put(arena, &claims, FG_CLAIM_ROLE, FG_STR("a")));
    assert_true(fg_claims_put(arena, &claims, "URN:fedgate:Request:json:x", FG_STR("1")));
    assert_true(fg_claims_put(arena, &claims, "urn:fedgate:reques", FG_STR("b")));
    fg_claims_drop_request(&claims);
    assert_int_equal(claims.count, 2);
    assert_string_equal(value_of(&claims, FG_CLAIM_ROLE), "a");
    assert_string_equal(value_of(&claims, "urn:fedgate:reques"), "b");
    fg_arena_free(arena);
}

/* HT-06 */
static void ambiguous_paths_are_found(void **state) {
    static const char *const good[] = {"/",      "/a/b",  "/a%20b",  "/a.b/..c", "/.well-known/x",
                                       "/a%25b", "/...",  "/%c3%a4", "/a?b//c",  "/a?x=%2f",
                                       "/a?;..", "/a%25", "/%25%32", "/a:b@c,d"};
    static const char *const bad[] = {"//",     "/a//b",      "/a/./b",   "/a/../b", "/..",     "/a/.",   "/a;b",
                                      "/a\\b",  "/a%2fb",     "/a%2Fb",   "/a%5cb",  "/%2e%2e", "/a%3bb", "/a%00",
                                      "/a%2",   "/a%",        "/a%zz",    "/%252e",  "/a%2525", "/a b",   "/a\tb",
                                      "/a%2eb", "/%25%32%66", "/%252%66", "/a\x7f",  "/a#/b"};
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++)
        if (fg_request_path_is_ambiguous(fg_str(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++)
        if (!fg_request_path_is_ambiguous(fg_str(bad[i])))
            fail_msg("%s", bad[i]);
}

static bool read_json(fg_arena_t *arena, const char *body, fg_claims_t *claims, fg_err_t *err) {
    static const fg_str_t types[] = {{FG_REQUEST_JSON "spec.replicas", sizeof FG_REQUEST_JSON "spec.replicas" - 1},
                                     {FG_REQUEST_JSON "items.name", sizeof FG_REQUEST_JSON "items.name" - 1},
                                     {FG_REQUEST_JSON "on", sizeof FG_REQUEST_JSON "on" - 1}};
    *claims = (fg_claims_t){NULL};
    return fg_request_json_read(arena, types, FG_ARRAY_SIZE(types), fg_str(body), claims, err);
}

static void json_members_become_claims(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims;
    fg_err_t err = FG_ERR_INIT;
    assert_true(read_json(arena,
                          "{\"spec\":{\"replicas\":3,\"x\":1},\"on\":[true,null,[1.5]],"
                          "\"items\":[{\"name\":\"a\"},{\"b\":1},{\"name\":\"\\u00e4\"}]}",
                          &claims, &err));
    assert_int_equal(claims.count, 6);
    assert_string_equal(value_of(&claims, FG_REQUEST_JSON "spec.replicas"), "3");
    static const char *const values[] = {"3", "a", "\xc3\xa4", "true", "null", "1.5"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(values); i++)
        assert_string_equal(claims.items[i].value.p, values[i]);
    assert_true(read_json(arena, "{\"spec\":4,\"on\":{}}", &claims, &err));
    assert_int_equal(claims.count, 0);
    fg_arena_free(arena);
}

/* JW-06; and members that a reader which does not mind case would take */
static void ambiguous_json_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "{",
        "{\"on\":1,\"on\":2}",
        "{\"spec\":{\"replicas\":1,\"replicas\":1}}",
        "{\"other\":{\"a\":1,\"a\":1}}",
        "{\"On\":1}",
        "{\"spec\":{\"Replicas\":1}}",
        "{\"on\":\"\\u0000\"}",
        "{\"on\":1} x",
    };
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims;
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_err_t err = FG_ERR_INIT;
        if (read_json(arena, bad[i], &claims, &err))
            fail_msg("%s", bad[i]);
        assert_err(&err, FG_E_HTTP_REQUEST);
    }
    fg_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_become_claims),       cmocka_unit_test(claims_about_requests_are_dropped),
        cmocka_unit_test(ambiguous_paths_are_found), cmocka_unit_test(json_members_become_claims),
        cmocka_unit_test(ambiguous_json_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
