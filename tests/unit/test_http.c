/* SPDX-License-Identifier: GPL-2.0-or-later
 * The HTTP client above its wire: where it may go (WT-10, OI-09, O2-10), redirects, what is kept and for how long. */
#include "tests/unit/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/http_parts.h"
#include "core/time.h"

/* ---- addresses as they are written */

static const char *const allowed[] = {"https://crl.example.com", "http://crl.example.com:8080/pki", "https://*.example.org/", "https://idp.example/a/b?c"};

static fg_http_reach_t reach(const char *url, bool any_host) {
    fg_http_allow_t allow[3];
    for (size_t i = 0; i < 3; i++)
        assert_true(fg_http_allow_parse(fg_str(allowed[i]), &allow[i]));
    fg_err_t err = FG_ERR_INIT;
    fg_http_reach_t r = fg_http_reach(allow, 3, fg_str(url), any_host, &err);
    assert_int_equal(err.code, r == FG_HTTP_FORBIDDEN ? FG_E_FETCH_REFUSED : FG_OK);
    return r;
}

static void the_list_decides_wt10(void **state) {
    (void)state;
    static const struct {
        const char *url;
        fg_http_reach_t reach, with_any_host;
    } rows[] = {
        {"https://crl.example.com/", FG_HTTP_ANYWHERE, FG_HTTP_ANYWHERE},
        {"https://CRL.example.com:443/a.crl?x=1", FG_HTTP_ANYWHERE, FG_HTTP_ANYWHERE},
        {"http://crl.example.com:8080/pki/a.crl", FG_HTTP_ANYWHERE, FG_HTTP_ANYWHERE},
        {"http://crl.example.com:8080/pki", FG_HTTP_ANYWHERE, FG_HTTP_ANYWHERE},
        {"https://a.example.org/x", FG_HTTP_PUBLIC, FG_HTTP_PUBLIC},
        {"https://a.b.example.org/x", FG_HTTP_PUBLIC, FG_HTTP_PUBLIC},
        {"https://other.example/", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC},
        {"https://127.0.0.1/", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC}, /* refused when it is connected to */
        {"http://crl.example.com/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://crl.example.com:8443/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"http://crl.example.com:8080/pkix", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"http://crl.example.com:8080/pki/../admin", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"http://crl.example.com:8080/pki/%2E%2e/admin", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"http://crl.example.com:8080/pki/.%2e", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://example.org/", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC},
        {"https://.example.org/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://badexample.org/", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC},
        {"https://a.example.org.evil.example/", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC},
        {"https://crl.example.com@evil.example/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://crl.example.com\\@evil.example/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://crl.example.com/#a", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"https://crl.example.com./", FG_HTTP_FORBIDDEN, FG_HTTP_PUBLIC},
        {"file:///etc/passwd", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"ftp://crl.example.com/", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"gopher://crl.example.com:8080/pki", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
        {"", FG_HTTP_FORBIDDEN, FG_HTTP_FORBIDDEN},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_http_reach_t got = reach(rows[i].url, false), any = reach(rows[i].url, true);
        if (got != rows[i].reach || any != rows[i].with_any_host)
            fail_msg("%s: %d, %d", rows[i].url, got, any);
    }
}

static void entries_have_a_form(void **state) {
    (void)state;
    static const char *const bad[] = {"",  "crl.example.com", "https://", "https://*/", "https://*.com/", "https://a.*.example.com/", "https://*example.com/", "https://*.*.example.com/",
                                      "ldap://crl.example.com/", "https://u@crl.example.com/", "https://crl.example.com/?a", "https://crl.example.com/a/../b", "*", "https://*.example.com/*"};
    fg_http_allow_t allow;
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++)
        if (fg_http_allow_parse(fg_str(bad[i]), &allow))
            fail_msg("taken: %s", bad[i]);
    assert_false(fg_http_allow_parse(fg_str(allowed[3]), &allow));
    const char *text = "https://*.example.org:8443/a/b";
    assert_true(fg_http_allow_parse(fg_str(text), &allow));
    assert_true(allow.https && allow.wildcard && allow.port == 8443);
    assert_true(fg_str_is(allow.host, "example.org") && fg_str_is(allow.path, "/a/b"));
    assert_true(allow.host.p > text && allow.host.p < text + strlen(text)); /* not the copy's */
}

/* ---- as they are resolved */

static bool is_public(const char *text) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return fg_http_is_public((const struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return fg_http_is_public((const struct sockaddr *)&in6);
}

static void special_addresses_are_not_public_wt10(void **state) {
    (void)state;
    static const char *const inside[] = {
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
        "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "100::1", "3fff:1::1",
    };
    static const char *const outside[] = {"8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "126.1.1.1", "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.1.1", "198.17.1.1",
                                          "198.20.0.0", "223.255.255.255", "2606:4700::1", "2a00:1450::1", "2001:4860:4860::8888", "2003::1"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(inside); i++)
        if (is_public(inside[i]))
            fail_msg("public: %s", inside[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(outside); i++)
        if (!is_public(outside[i]))
            fail_msg("not public: %s", outside[i]);
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_false(fg_http_is_public(&local));
}

/* ---- the client over a table */

typedef struct answer {
    const char *url;
    int status; /* 0: fails */
    const char *headers[2][2];
    const char *body;
} answer_t;

typedef struct table {
    fg_http_wire_t wire; /* first */
    const answer_t *answers;
    unsigned runs;
    bool public_only;
    size_t header_count; /* of the last hop */
    char if_none_match[64], if_modified[64];
} table_t;

static bool table_run(fg_http_wire_t *wire, fg_arena_t *arena, const fg_http_hop_t *hop, fg_http_response_t *response, fg_err_t *err) {
    table_t *table = (table_t *)wire;
    table->runs++;
    table->public_only = hop->public_only;
    table->header_count = hop->header_count;
    table->if_none_match[0] = table->if_modified[0] = '\0';
    for (size_t i = 0; i < hop->header_count; i++) {
        if (fg_str_is(hop->headers[i].name, "If-None-Match"))
            snprintf(table->if_none_match, sizeof table->if_none_match, "%.*s", FG_STR_ARG(hop->headers[i].value));
        if (fg_str_is(hop->headers[i].name, "If-Modified-Since"))
            snprintf(table->if_modified, sizeof table->if_modified, "%.*s", FG_STR_ARG(hop->headers[i].value));
    }
    for (const answer_t *a = table->answers; a->url != NULL; a++) {
        if (!fg_str_is(hop->url, a->url))
            continue;
        if (a->status == 0)
            return FG_FAIL(err, FG_E_FETCH_FAILED, "down");
        response->status = a->status;
        response->body = fg_str(a->body ? a->body : "");
        response->headers = fg_arena_alloc(arena, 2 * sizeof *response->headers);
        for (size_t i = 0; i < 2 && a->headers[i][0] != NULL; i++)
            response->headers[response->header_count++] = (fg_http_field_t){fg_str(a->headers[i][0]), fg_str(a->headers[i][1])};
        return true;
    }
    return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: not in the table", FG_STR_ARG(hop->url));
}

static void table_free(fg_http_wire_t *wire) { (void)wire; }

typedef struct fixture {
    test_env_t test;
    table_t table;
    fg_http_allow_t allow[3];
    fg_arena_t *arena;
    fg_http_response_t response;
    fg_err_t err;
} fixture_t;

static int set_up(void **state) {
    static fixture_t f;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    for (size_t i = 0; i < 3; i++)
        assert_true(fg_http_allow_parse(fg_str(allowed[i]), &f.allow[i]));
    f.table.wire = (fg_http_wire_t){table_run, table_free};
    f.arena = fg_arena_new(0);
    const fg_http_options_t options = {f.allow, 3, NULL, 5 * FG_SECOND, 1 << 20};
    f.test.env.http = fg_http_client_over(&options, &f.table.wire, &f.err);
    *state = &f;
    return f.test.env.http == NULL;
}

static int tear_down(void **state) {
    fixture_t *f = *state;
    fg_http_client_free(f->test.env.http);
    fg_arena_free(f->arena);
    return 0;
}

#define GET(f, ...) get((f), &(fg_http_request_t){__VA_ARGS__})
static bool get(fixture_t *f, const fg_http_request_t *request) {
    f->err = (fg_err_t)FG_ERR_INIT;
    return fg_http_fetch(&f->test.env, f->arena, request, &f->response, &f->err);
}

#define A "https://crl.example.com/a"

static void without_a_client_nothing_is_fetched(void **state) {
    fixture_t *f = *state;
    fg_http_t *http = f->test.env.http;
    f->test.env.http = NULL;
    assert_false(GET(f, .url = FG_STR(A)));
    assert_err(&f->err, FG_E_FETCH_REFUSED);
    f->test.env.http = http;
}

static void nothing_is_asked_of_a_forbidden_address_wt10(void **state) {
    fixture_t *f = *state;
    static const answer_t answers[] = {{A, 200, {{0}}, "yes"}, {"https://evil.example/", 200, {{0}}, "evil"}, {"https://x.example.org/", 200, {{0}}, "public"}, {0}};
    f->table.answers = answers;
    assert_true(GET(f, .url = FG_STR(A)));
    assert_true(fg_str_is(f->response.body, "yes") && !f->table.public_only);
    assert_false(GET(f, .url = FG_STR("https://evil.example/")));
    assert_err(&f->err, FG_E_FETCH_REFUSED);
    assert_int_equal(f->table.runs, 1);
    assert_true(GET(f, .url = FG_STR("https://evil.example/"), .any_host = true));
    assert_true(f->table.public_only);
    assert_true(GET(f, .url = FG_STR("https://x.example.org/")));
    assert_true(f->table.public_only);
}

static void headers_have_no_line_breaks(void **state) {
    fixture_t *f = *state;
    static const answer_t answers[] = {{A, 200, {{0}}, "yes"}, {0}};
    f->table.answers = answers;
    fg_http_field_t header = {FG_STR("Accept"), FG_STR("a")};
    assert_true(GET(f, .url = FG_STR(A), .headers = &header, .header_count = 1));
    header.value = FG_STR("a\r\nHost: b");
    assert_false(GET(f, .url = FG_STR(A), .headers = &header, .header_count = 1));
}

#define LOCATION(to) {{"Location", to}}
static void redirects_are_checked_per_hop_wt10(void **state) {
    fixture_t *f = *state;
    static const answer_t answers[] = {
        {"https://crl.example.com/1", 302, LOCATION("/2"), NULL}, {"https://crl.example.com/2", 301, LOCATION("https://a.example.org/3"), NULL}, {"https://a.example.org/3", 200, {{0}}, "three"},
        {"https://crl.example.com/away", 302, LOCATION("https://evil.example/"), NULL}, {"https://crl.example.com/down", 302, LOCATION("http://crl.example.com:8080/pki/a"), NULL},
        {"https://crl.example.com/loop", 307, LOCATION("//crl.example.com/loop"), NULL}, {"https://crl.example.com/odd", 302, LOCATION("file:///etc/passwd"), NULL},
        {"https://crl.example.com/none", 302, {{0}}, NULL}, {0}};
    f->table.answers = answers;
    fg_http_field_t secret = {FG_STR("Authorization"), FG_STR("Bearer x")};
    assert_true(GET(f, .url = FG_STR("https://crl.example.com/1"), .redirects = 2, .headers = &secret, .header_count = 1));
    assert_int_equal(f->response.status, 200);
    assert_true(fg_str_is(f->response.body, "three") && fg_str_is(f->response.url, "https://a.example.org/3"));
    assert_int_equal(f->table.header_count, 0); /* what was meant for the first is not shown to the second */
    assert_true(f->table.public_only);
    assert_true(GET(f, .url = FG_STR("https://crl.example.com/1"))); /* off: the caller sees it */
    assert_int_equal(f->response.status, 302);
    assert_false(GET(f, .url = FG_STR("https://crl.example.com/1"), .redirects = 1));
    assert_err(&f->err, FG_E_FETCH_REFUSED);
    static const struct {
        const char *url;
        fg_code_t code;
    } rows[] = {{"https://crl.example.com/away", FG_E_FETCH_REFUSED}, {"https://crl.example.com/down", FG_E_FETCH_REFUSED}, {"https://crl.example.com/odd", FG_E_FETCH_FAILED}, {"https://crl.example.com/none", FG_E_FETCH_FAILED}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        assert_false(GET(f, .url = fg_str(rows[i].url), .redirects = 3));
        assert_err(&f->err, rows[i].code);
    }
    f->table.runs = 0;
    assert_false(GET(f, .url = FG_STR("https://crl.example.com/loop"), .redirects = 3));
    assert_err(&f->err, FG_E_FETCH_REFUSED);
    assert_int_equal(f->table.runs, 4);
    assert_false(GET(f, .method = "POST", .body = FG_STR("x"), .url = FG_STR("https://crl.example.com/1"), .redirects = 3));
    assert_err(&f->err, FG_E_FETCH_REFUSED);
}

/* ---- what is kept (RFC 9111) */

static void answers_are_kept_as_their_headers_say(void **state) {
    fixture_t *f = *state;
    static const struct {
        const char *headers[2][2];
        int64_t fresh_s; /* 0: asked again at once */
    } rows[] = {
        {{{"Cache-Control", "public, max-age=60"}}, 60},
        {{{"cache-control", "MAX-AGE=60"}, {"Age", "50"}}, 10},
        {{{"Cache-Control", "max-age=60, no-store"}}, 0},
        {{{"Cache-Control", "no-cache, max-age=60"}}, 0},
        {{{"Cache-Control", "max-age=60"}, {"Vary", "*"}}, 0},
        {{{"Cache-Control", "max-age=x"}, {"Expires", "Thu, 01 Jan 2026 00:01:00 GMT"}}, 0},
        {{{"Cache-Control", "max-age=99999999999999999999"}}, 86400},
        {{{"Expires", "Thu, 01 Jan 2026 00:01:00 GMT"}}, 60},
        {{{"Expires", "Thu, 01 Jan 2026 00:01:00 GMT"}, {"Date", "Thu, 01 Jan 2026 00:00:30 GMT"}}, 30},
        {{{"Expires", "0"}}, 0},
        {{{"Cache-Control", "max-age=10"}, {"Expires", "Thu, 01 Jan 2026 00:01:00 GMT"}}, 10},
        {{{0}}, 0},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        char url[64];
        snprintf(url, sizeof url, "https://crl.example.com/%zu", i);
        answer_t answers[2] = {{url, 200, {{0}}, "body"}, {0}};
        memcpy(answers[0].headers, rows[i].headers, sizeof answers[0].headers);
        f->table.answers = answers;
        f->table.runs = 0;
        f->test.now_ms = TEST_NOW;
        assert_true(GET(f, .url = fg_str(url)));
        if (rows[i].fresh_s > 0) {
            f->test.now_ms = TEST_NOW + rows[i].fresh_s * FG_SECOND - 1;
            assert_true(GET(f, .url = fg_str(url)));
            assert_true(fg_str_is(f->response.body, "body"));
            if (f->table.runs != 1)
                fail_msg("row %zu was not kept", i);
            assert_true(GET(f, .url = fg_str(url), .revalidate = true));
            assert_int_equal(f->table.runs, 2);
            f->test.now_ms = TEST_NOW + 2 * rows[i].fresh_s * FG_SECOND;
            f->table.runs = 1;
        }
        assert_true(GET(f, .url = fg_str(url)));
        if (f->table.runs != 2)
            fail_msg("row %zu was kept for too long", i);
    }
}

static void what_is_kept_is_asked_about(void **state) {
    fixture_t *f = *state;
    answer_t answers[] = {{A, 200, {{"ETag", "\"1\""}, {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}}, "one"}, {0}};
    f->table.answers = answers;
    assert_true(GET(f, .url = FG_STR(A)));
    assert_string_equal(f->table.if_none_match, "");
    answers[0] = (answer_t){A, 304, {{"Cache-Control", "max-age=60"}}, NULL};
    assert_true(GET(f, .url = FG_STR(A)));
    assert_string_equal(f->table.if_none_match, "\"1\"");
    assert_string_equal(f->table.if_modified, "Thu, 01 Jan 2026 00:00:00 GMT");
    assert_int_equal(f->response.status, 200);
    assert_true(fg_str_is(f->response.body, "one"));
    assert_true(GET(f, .url = FG_STR(A))); /* fresh now */
    assert_int_equal(f->table.runs, 2);
    f->test.now_ms += FG_MINUTE;
    answers[0] = (answer_t){A, 200, {{"ETag", "\"2\""}}, "two"};
    assert_true(GET(f, .url = FG_STR(A)));
    assert_true(fg_str_is(f->response.body, "two"));
    assert_int_equal(f->table.runs, 3);
}

static void answers_to_credentials_are_not_kept(void **state) {
    fixture_t *f = *state;
    static const answer_t answers[] = {{A, 200, {{"Cache-Control", "max-age=60"}}, "yes"}, {0}};
    const fg_http_field_t secret = {FG_STR("Authorization"), FG_STR("Bearer x")}, accept = {FG_STR("Accept"), FG_STR("a/b")};
    f->table.answers = answers;
    for (int i = 0; i < 2; i++)
        assert_true(GET(f, .url = FG_STR(A), .headers = &secret, .header_count = 1));
    assert_int_equal(f->table.runs, 2);
    for (int i = 0; i < 2; i++)
        assert_true(GET(f, .url = FG_STR(A), .headers = &accept, .header_count = 1));
    assert_int_equal(f->table.runs, 3);
    for (int i = 0; i < 2; i++)
        assert_true(GET(f, .url = FG_STR(A), .method = "POST", .body = FG_STR("x")));
    assert_int_equal(f->table.runs, 5);
}

static void a_server_that_is_down_is_not_waited_for_by_everybody(void **state) {
    fixture_t *f = *state;
    static const answer_t down[] = {{A, 0, {{0}}, NULL}, {0}}, up[] = {{A, 200, {{0}}, "up"}, {0}};
    f->table.answers = down;
    for (int i = 0; i < 3; i++) {
        assert_false(GET(f, .url = FG_STR(A)));
        assert_err(&f->err, FG_E_FETCH_FAILED);
        assert_string_equal(f->err.detail, "down");
    }
    assert_int_equal(f->table.runs, 1);
    f->table.answers = up;
    f->test.now_ms += 5 * FG_SECOND;
    assert_true(GET(f, .url = FG_STR(A)));
}

static void the_cache_is_bounded(void **state) {
    fixture_t *f = *state;
    fg_http_cache_t *cache = fg_http_cache_new(4, 100 << 10);
    fg_http_field_t header = {FG_STR("Cache-Control"), FG_STR("max-age=60")};
    char *big = calloc(1, 24 << 10), key[8];
    fg_http_response_t got, response = {200, &header, 1, {big, 12 << 10}, FG_STR(A)};
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "%d", i);
        fg_http_cache_put(cache, fg_str(key), TEST_NOW, &response);
        assert_int_equal(fg_http_cache_find(cache, f->arena, FG_STR("0"), TEST_NOW, &got, &f->err), FG_HTTP_FRESH); /* used, so it stays */
    }
    assert_int_equal(fg_http_cache_find(cache, f->arena, FG_STR("39"), TEST_NOW, &got, &f->err), FG_HTTP_FRESH);
    assert_int_equal(fg_http_cache_find(cache, f->arena, FG_STR("30"), TEST_NOW, &got, &f->err), FG_HTTP_MISSING);
    response.body.n = 24 << 10; /* more than its share */
    fg_http_cache_put(cache, FG_STR("big"), TEST_NOW, &response);
    assert_int_equal(fg_http_cache_find(cache, f->arena, FG_STR("big"), TEST_NOW, &got, &f->err), FG_HTTP_MISSING);
    assert_int_equal(fg_http_cache_find(cache, f->arena, FG_STR("0"), TEST_NOW, &got, &f->err), FG_HTTP_FRESH);
    fg_http_cache_free(cache);
    free(big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_decides_wt10),
        cmocka_unit_test(entries_have_a_form),
        cmocka_unit_test(special_addresses_are_not_public_wt10),
        TEST(without_a_client_nothing_is_fetched),
        TEST(nothing_is_asked_of_a_forbidden_address_wt10),
        TEST(headers_have_no_line_breaks),
        TEST(redirects_are_checked_per_hop_wt10),
        TEST(answers_are_kept_as_their_headers_say),
        TEST(what_is_kept_is_asked_about),
        TEST(answers_to_credentials_are_not_kept),
        TEST(a_server_that_is_down_is_not_waited_for_by_everybody),
        TEST(the_cache_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
