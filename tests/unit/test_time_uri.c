/* SPDX-License-Identifier: GPL-2.0-or-later
 * Instants, URIs, parameters. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "core/uri.h"

/* ---- times */

static void times_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-01T00:00:00Z", TEST_NOW},
        {"2026-01-01T00:00:00.000Z", TEST_NOW},
        {"2026-01-01T00:00:00.1234567Z", TEST_NOW + 123}, /* as AD FS writes them */
        {"2026-01-01T00:00:00.5Z", TEST_NOW + 500},
        {"2026-01-01T00:00:00.123456789Z", TEST_NOW + 123},
        {"2026-01-01T02:00:00+02:00", TEST_NOW},
        {"2025-12-31T18:30:00-05:30", TEST_NOW},
        {"2026-01-01T14:00:00+14:00", TEST_NOW},
        {"2024-02-29T12:00:00Z", INT64_C(1709208000000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"2000-03-01T00:00:00Z", INT64_C(951868800000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        int64_t ms = -1;
        if (!fg_time_parse(fg_str(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text, (long long)ms);
    }
}

/* XP-13; controls: times_are_read */
static void malformed_times_are_refused_xp13(void **state) {
    (void)state;
    static const char *rows[] = {
        "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01t00:00:00Z", "2026-01-01T00:00:00z",
        "2026-1-01T00:00:00Z", "2026-01-01T0:00:00Z", "2026-01-01T00:00Z", "2026-01-01T00:00:0Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+0200",
        "2026-01-01T00:00:00+14:01", "2026-01-01T00:00:00+15:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00Z ",
        " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00ZZ", "+2026-01-01T00:00:00Z", "-2026-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00GMT",
        "2026-01-01T-1:00:00Z", "2026-01-01T00:00:00.-5Z", "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        int64_t ms = -1;
        if (fg_time_parse(fg_str(rows[i]), &ms))
            fail_msg("accepted: %s", rows[i]);
        assert_int_equal(ms, -1);
    }
    int64_t ms;
    assert_false(fg_time_parse((fg_str_t){"2026-01-01T00:00:00Z\0", 21}, &ms));
}

static void times_are_written_as_they_are_read(void **state) {
    (void)state;
    char text[FG_TIME_SIZE];
    fg_time_format(INT64_C(1795377879123), text);
    assert_string_equal(text, "2026-11-22T20:04:39.123Z");
    for (int64_t ms = 0; ms < INT64_C(253402300800000); ms += INT64_C(86399999) * 31) {
        int64_t back = -1;
        fg_time_format(ms, text);
        if (!fg_time_parse(fg_str(text), &back) || back != ms)
            fail_msg("%s", text);
    }
    fg_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    fg_time_format(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

/* ---- URIs */

static void uris_come_apart(void **state) {
    (void)state;
    fg_uri_t uri;
    assert_true(fg_uri_parse(FG_STR("https://u:p@Example.com:8443/a/b%20c;d?q=1/2?#frag"), &uri));
    assert_true(fg_str_is(uri.scheme, "https"));
    assert_true(fg_str_is(uri.userinfo, "u:p"));
    assert_true(fg_str_is(uri.host, "Example.com"));
    assert_int_equal(uri.port, 8443);
    assert_true(fg_str_is(uri.path, "/a/b%20c;d"));
    assert_true(fg_str_is(uri.query, "q=1/2?"));
    assert_true(fg_str_is(uri.fragment, "frag"));
    assert_true(fg_uri_parse(FG_STR("urn:federation:MicrosoftOnline"), &uri));
    assert_null(uri.host.p);
    assert_null(uri.query.p);
    assert_true(fg_str_is(uri.path, "federation:MicrosoftOnline"));
    assert_true(fg_uri_parse(FG_STR("http://[2001:db8::1]:80?"), &uri));
    assert_true(fg_str_is(uri.host, "2001:db8::1"));
    assert_non_null(uri.query.p);
    assert_int_equal(uri.query.n, 0);
}

static void malformed_uris_are_refused(void **state) {
    (void)state;
    static const char *rows[] = {
        "", ":", "relative", "/path", "//host/path", "1http://h/", "ht tp://h/", "http://h/a b", "http://h/\\x", "http:\\\\h\\", "http://h/%",
        "http://h/%2", "http://h/%zz", "http://h/\x01", "http://h/\n", "http://h/\t", " http://h/", "http://h/ ", "http://h/<", "http://h/\"",
        "http://h/\xc3\xa4", "http://h:/", "http://h:0/", "http://h:65536/", "http://h:1x/", "http://h:80:80/", "http://[::1/", "http://[::1]x/",
        "http://[v1.x]/", "http://[]/", "http://a@b@c/", "http://h/#a#b", "http://h/`", "http://h/{}", "http://h/|", "http://h/^", "http://h/[",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_uri_t uri;
        if (fg_uri_parse(fg_str(rows[i]), &uri))
            fail_msg("accepted: %s", rows[i]);
    }
    fg_uri_t uri;
    assert_false(fg_uri_parse((fg_str_t){"http://h/\0", 10}, &uri));
}

/* WF-01, SA-11 */
static void only_plain_web_addresses_are_web_wf01_sa11(void **state) {
    (void)state;
    static const char *good[] = {
        "https://www.example.com/somewhere", "https://localhost:8443/demo/", "http://127.0.0.1/", "HTTPS://EXAMPLE.COM", "https://[::1]/",
        "https://xn--bcher-kva.example/?a=b%26c", "https://a_b.example/",
    };
    static const char *bad[] = {
        "javascript:alert(1)", "javascript://example.com/%0aalert(1)", "data:text/html,x", "urn:x:y", "ftp://example.com/", "file:///etc/passwd",
        "https:example.com", "https:/example.com", "https:///example.com", "https:////example.com", "https://", "https:///", "https://?x",
        "https:\\\\example.com", "https://example.com\\@evil.example/", "https://example.com\\.evil.example/", "https://user@example.com/",
        "https://www.example.com@evil.example/", "https://:@example.com/", "https://@example.com/", "https://example.com#@evil.example/",
        "https://example.com/#x", "https://example%2ecom/", "https://example.com%09/", "https://exam\tple.com/", "\thttps://example.com/",
        "https://example.com\n/", "https://example.com;evil.example/", "https://*.example.com/", "https://.example.com/",
        "https://ex\xc3\xa4mple.com/", "https://example\xe3\x80\x82" "com/", "//example.com", "/\\example.com", "https://[example.com]/",
        "vbscript:x", "https://a,b/", "https://!/", "JaVaScRiPt:alert(1)",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++)
        if (!fg_uri_is_web(fg_str(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++)
        if (fg_uri_is_web(fg_str(bad[i])))
            fail_msg("accepted: %s", bad[i]);
}

static void origins_are_normal(void **state) {
    (void)state;
    static const char *rows[][2] = {
        {"HTTPS://Example.COM/a", "https://example.com"}, {"https://example.com:443/", "https://example.com"},
        {"https://example.com:80/", "https://example.com:80"}, {"http://example.com:80", "http://example.com"},
        {"https://localhost:8443/demo/?x", "https://localhost:8443"}, {"https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_buf_t buf = FG_BUF_INIT(100);
        assert_true(fg_uri_origin(fg_str(rows[i][0]), &buf));
        assert_true(fg_str_is(fg_buf_str(&buf), rows[i][1]));
        fg_buf_free(&buf);
    }
    fg_buf_t buf = FG_BUF_INIT(100);
    assert_false(fg_uri_origin(FG_STR("urn:x:y"), &buf));
    assert_false(fg_uri_origin(FG_STR("https://u@h/"), &buf));
    assert_int_equal(buf.length, 0);
    fg_uri_encode(&buf, FG_STR("a b&c=/\xc3\xa4~"));
    assert_true(fg_str_is(fg_buf_str(&buf), "a%20b%26c%3D%2F%C3%A4~"));
    fg_buf_free(&buf);
}

/* WF-01, SA-11 with the open-redirect list: no line may pass as an address on the site, nor as a web address of another host
 * unless it plainly is one (then it is the registration that refuses it). */
static void open_redirects_never_stay_on_the_site(void **state) {
    (void)state;
    if (test_vectors() == NULL)
        skip();
    char path[1024];
    snprintf(path, sizeof path, "%s/redirect/open-redirect-payload-list.txt", test_vectors());
    size_t length;
    char *list = test_file(path, &length);
    assert_non_null(list);
    size_t lines = 0;
    for (char *line = list, *end; line < list + length; line = end + 1, lines++) {
        end = memchr(line, '\n', (size_t)(list + length - line));
        end = end ? end : list + length;
        fg_buf_t origin = FG_BUF_INIT(1000);
        if (fg_uri_origin((fg_str_t){line, (size_t)(end - line)}, &origin) && fg_str_is(fg_buf_str(&origin), "https://www.example.com"))
            fail_msg("line %zu is on the site: %.*s", lines + 1, (int)(end - line), line);
        fg_buf_free(&origin);
    }
    assert_int_equal(lines, 835);
    fg_buf_t origin = FG_BUF_INIT(1000); /* control */
    assert_true(fg_uri_origin(FG_STR("https://www.example.com/somewhere"), &origin));
    assert_true(fg_str_is(fg_buf_str(&origin), "https://www.example.com"));
    fg_buf_free(&origin);
    free(list);
}

/* ---- parameters */

static void parameters_are_read(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_params_t params;
    fg_err_t err = FG_ERR_INIT;
    size_t times;
    assert_true(fg_params_parse(arena, FG_STR("wa=wsignin1.0&&wtrealm=urn%3ax%3A&wctx=a+b%2Bc&empty=&bare&wa=again&x=a=b&%77=ok"), &params, &err));
    assert_int_equal(params.count, 8);
    assert_true(fg_str_is(fg_params_get(&params, "wtrealm", &times), "urn:x:"));
    assert_int_equal(times, 1);
    assert_true(fg_str_is(fg_params_get(&params, "wctx", NULL), "a b+c"));
    assert_true(fg_str_is(fg_params_get(&params, "wa", &times), "wsignin1.0"));
    assert_int_equal(times, 2);
    assert_non_null(fg_params_get(&params, "empty", NULL).p);
    assert_non_null(fg_params_get(&params, "bare", NULL).p);
    assert_true(fg_str_is(fg_params_get(&params, "x", NULL), "a=b"));
    assert_true(fg_str_is(fg_params_get(&params, "w", NULL), "ok"));
    assert_null(fg_params_get(&params, "none", &times).p);
    assert_int_equal(times, 0);
    assert_true(fg_params_parse(arena, FG_STR_NONE, &params, &err));
    assert_int_equal(params.count, 0);
    fg_arena_free(arena);
}

static void malformed_parameters_are_refused(void **state) {
    (void)state;
    static const char *rows[] = {"a=%", "a=%2", "a=%zz", "a=%00", "%00=a", "a=%ff", "a=%c0%af", "a=%ed%a0%80", "a=\xff"};
    fg_arena_t *arena = fg_arena_new(0);
    fg_params_t params;
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        assert_false(fg_params_parse(arena, fg_str(rows[i]), &params, &err));
        assert_err(&err, FG_E_HTTP_REQUEST);
    }
    fg_err_t err = FG_ERR_INIT;
    char many[65 * 2 + 1] = "";
    for (int i = 0; i < 64; i++)
        memcpy(many + 2 * i, "a&", 3);
    assert_true(fg_params_parse(arena, fg_str(many), &params, &err)); /* control */
    memcpy(many + 128, "a&", 3);
    assert_false(fg_params_parse(arena, fg_str(many), &params, &err));
    assert_err(&err, FG_E_HTTP_REQUEST);
    fg_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(malformed_times_are_refused_xp13),
        cmocka_unit_test(times_are_written_as_they_are_read),
        cmocka_unit_test(uris_come_apart),
        cmocka_unit_test(malformed_uris_are_refused),
        cmocka_unit_test(only_plain_web_addresses_are_web_wf01_sa11),
        cmocka_unit_test(origins_are_normal),
        cmocka_unit_test(open_redirects_never_stay_on_the_site),
        cmocka_unit_test(parameters_are_read),
        cmocka_unit_test(malformed_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
