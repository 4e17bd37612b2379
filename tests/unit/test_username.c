/* SPDX-License-Identifier: GPL-2.0-or-later
 * UsernameToken. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "hub/store.h"
#include "token/username.h"

#define PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
#define WRAP(inside) "<o:UsernameToken xmlns:o='" FG_NS_WSSE "' xmlns:u='" FG_NS_WSU "' u:Id='x'>" inside "</o:UsernameToken>"
#define NAME "<o:Username>alice</o:Username>"
#define PASSWORD "<o:Password Type='" PROFILE "PasswordText'>a &amp; b </o:Password>"
#define NONCE "<o:Nonce>MTIzNDU2Nzg5MDEyMzQ1Ng==</o:Nonce>"
#define CREATED "<u:Created>2026-01-01T00:00:00Z</u:Created>"

typedef struct fixture {
    test_env_t test;
    void *memory;
    fg_arena_t *arena;
    fg_username_token_t token;
    fg_err_t err;
} fixture_t;

static int setup(void **state) {
    fixture_t *f = calloc(1, sizeof *f);
    test_env_init(&f->test);
    if (posix_memalign(&f->memory, 4096, 256 * 1024) != 0)
        return -1;
    f->test.env.store = fg_store_open(f->memory, 256 * 1024, false, &f->err);
    f->arena = fg_arena_new(0);
    *state = f;
    return f->test.env.store ? 0 : -1;
}

static int teardown(void **state) {
    fixture_t *f = *state;
    fg_store_close(f->test.env.store);
    free(f->memory);
    fg_arena_free(f->arena);
    free(f);
    return 0;
}

static bool read_token(fixture_t *f, const char *text) {
    xmlDoc *doc = fg_xml_parse(f->arena, fg_str(text), NULL, &f->err);
    assert_non_null(doc);
    return fg_username_token_read(&f->test.env, f->arena, xmlDocGetRootElement(doc), 3 * FG_MINUTE, &f->token, &f->err);
}

static void text_password_is_read(void **state) {
    fixture_t *f = *state;
    assert_true(read_token(f, WRAP(NAME PASSWORD)));
    assert_true(fg_str_is(f->token.username, "alice"));
    assert_true(fg_str_is(f->token.password, "a & b "));
    assert_true(read_token(f, WRAP("<o:Username> ali<!-- x -->ce\n</o:Username><o:Password>secret</o:Password><other/>")));
    assert_true(fg_str_is(f->token.username, "alice")); /* XS-19 */
    assert_true(fg_str_is(f->token.password, "secret"));
}

/* WT-05 */
static void missing_empty_and_doubled_parts_are_refused(void **state) {
    fixture_t *f = *state;
    static const struct { const char *text; fg_code_t code; } bad[] = {
        {WRAP(NAME), FG_E_AUTH_MISSING},
        {WRAP(PASSWORD), FG_E_AUTH_MISSING},
        {WRAP(NAME "<o:Password/>"), FG_E_AUTH_MISSING},
        {WRAP("<o:Username> </o:Username>" PASSWORD), FG_E_AUTH_MISSING},
        {WRAP(NAME NAME PASSWORD), FG_E_WSS_STRUCTURE},
        {WRAP(NAME PASSWORD PASSWORD), FG_E_WSS_STRUCTURE},
        {WRAP(NAME PASSWORD NONCE NONCE CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME PASSWORD CREATED CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME "<o:Password Type='" PROFILE "PasswordDigests'>x</o:Password>"), FG_E_WSS_UNSUPPORTED},
        {WRAP(NAME "<o:Password Type='#PasswordText'>x</o:Password>"), FG_E_WSS_UNSUPPORTED},
        {WRAP(NAME "<o:Password><b/></o:Password>"), FG_E_XML_STRUCTURE},
        {"<UsernameToken>" "</UsernameToken>", FG_E_WSS_STRUCTURE}, /* XP-14 */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        assert_false(read_token(f, bad[i].text));
        assert_err(&f->err, bad[i].code);
    }
    assert_true(read_token(f, WRAP(NAME PASSWORD)));
}

/* WT-03 */
static void nonce_is_taken_once_and_fresh(void **state) {
    fixture_t *f = *state;
    assert_false(read_token(f, WRAP(NAME PASSWORD NONCE)));
    assert_err(&f->err, FG_E_WSS_STRUCTURE);
    assert_true(read_token(f, WRAP(NAME PASSWORD NONCE CREATED)));
    assert_false(read_token(f, WRAP(NAME PASSWORD NONCE CREATED)));
    assert_err(&f->err, FG_E_WSS_REPLAY);
    assert_false(read_token(f, WRAP(NAME PASSWORD "<o:Nonce> MTIzNDU2Nzg5\nMDEyMzQ1Ng== </o:Nonce>" CREATED)));
    assert_err(&f->err, FG_E_WSS_REPLAY);
    assert_true(read_token(f, WRAP(NAME PASSWORD "<o:Nonce>c29tZXRoaW5nIGVsc2U=</o:Nonce>" CREATED)));
    static const char *bad[] = {WRAP(NAME PASSWORD "<o:Nonce/>" CREATED), WRAP(NAME PASSWORD "<o:Nonce>*</o:Nonce>" CREATED),
                                WRAP(NAME PASSWORD "<o:Nonce EncodingType='x'>MTIz</o:Nonce>" CREATED),
                                WRAP(NAME PASSWORD "<u:Created>2026-01-01</u:Created>")};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        assert_false(read_token(f, bad[i]));
        assert_err(&f->err, FG_E_WSS_STRUCTURE);
    }
    static const struct { int64_t now; bool good; } times[] = {
        {TEST_NOW + 8 * FG_MINUTE - 1, true}, {TEST_NOW + 8 * FG_MINUTE, false},
        {TEST_NOW - 3 * FG_MINUTE, true}, {TEST_NOW - 3 * FG_MINUTE - 1, false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(times); i++) {
        f->test.now_ms = times[i].now;
        assert_int_equal(read_token(f, WRAP(NAME PASSWORD CREATED)), times[i].good);
        if (!times[i].good)
            assert_err(&f->err, FG_E_WSS_EXPIRED);
    }
    f->test.now_ms = TEST_NOW;
    fg_store_t *store = f->test.env.store;
    f->test.env.store = NULL;
    assert_false(read_token(f, WRAP(NAME PASSWORD "<o:Nonce>bm9uY2Ugbm8uIDM=</o:Nonce>" CREATED)));
    assert_err(&f->err, FG_E_UNAVAILABLE);
    f->test.env.store = store;
}

#define DIGEST_OF(text) "<o:Password Type='" PROFILE "PasswordDigest'>" text "</o:Password>"
#define GOOD_DIGEST "kTvkUcpDa1UZRv/0H7rHL3Yb6Lw=" /* of alice-demo */

/* WT-03: a digest needs a nonce and a time; both are told as they went into it. */
static void digest_is_read_with_nonce_and_created(void **state) {
    fixture_t *f = *state;
    static const struct { const char *text; fg_code_t code; } bad[] = {
        {WRAP(NAME DIGEST_OF(GOOD_DIGEST) NONCE), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF(GOOD_DIGEST) CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF(GOOD_DIGEST)), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF("") NONCE CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF("alice-demo") NONCE CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF("MTIz") NONCE CREATED), FG_E_WSS_STRUCTURE},
        {WRAP(NAME DIGEST_OF("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx") NONCE CREATED), FG_E_WSS_STRUCTURE}, /* 21 bytes */
        {WRAP(DIGEST_OF(GOOD_DIGEST) NONCE CREATED), FG_E_AUTH_MISSING},
        {WRAP(NAME DIGEST_OF(GOOD_DIGEST) NONCE "<u:Created>2025-12-31T23:51:00Z</u:Created>"), FG_E_WSS_EXPIRED},
        {WRAP(NAME DIGEST_OF(GOOD_DIGEST) NONCE "<u:Created>2026-01-01T00:04:00Z</u:Created>"), FG_E_WSS_EXPIRED},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        if (read_token(f, bad[i].text))
            fail_msg("taken: %s", bad[i].text);
        assert_err(&f->err, bad[i].code);
    }
    assert_true(read_token(f, WRAP(NAME DIGEST_OF(" " GOOD_DIGEST "\n") NONCE CREATED)));
    assert_true(f->token.digest);
    assert_int_equal(f->token.password.n, 0);
    assert_int_equal(f->token.digest_value.n, FG_SHA1_SIZE);
    assert_true(fg_str_is(f->token.nonce, "1234567890123456"));
    assert_true(fg_str_is(f->token.created, "2026-01-01T00:00:00Z"));
    assert_false(read_token(f, WRAP(NAME DIGEST_OF(GOOD_DIGEST) NONCE CREATED)));
    assert_err(&f->err, FG_E_WSS_REPLAY);
    /* WT-05: a digest that says it is text is a password, and a wrong one */
    assert_true(read_token(f, WRAP(NAME "<o:Password>" GOOD_DIGEST "</o:Password>")));
    assert_false(f->token.digest);
    assert_true(fg_str_is(f->token.password, GOOD_DIGEST));
}

int main(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(text_password_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_empty_and_doubled_parts_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nonce_is_taken_once_and_fresh, setup, teardown),
        cmocka_unit_test_setup_teardown(digest_is_read_with_nonce_and_created, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fg_crypto_stop();
    return failed;
}
