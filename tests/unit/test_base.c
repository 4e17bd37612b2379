/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors, fault table, arena, buffers, strings. */
#include "tests/unit/support.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fault.h"

static void fault_rows_match_their_codes(void **state) {
    (void)state;
    for (int code = 0; code < FG_CODE_COUNT; code++) {
        const fg_fault_t *fault = fg_fault_get((fg_code_t)code);
        assert_int_equal(fault->code, code);
        assert_non_null(fault->reason);
        assert_non_null(fault->sentence);
        for (int other = 0; other < code; other++)
            assert_string_not_equal(fault->reason, fg_fault_get((fg_code_t)other)->reason);
    }
    assert_int_equal(fg_fault_get((fg_code_t)9999)->code, FG_E_INTERNAL);
}

/* design: signature, padding and decryption failures share one public face */
static void security_failures_share_one_face(void **state) {
    (void)state;
    const fg_fault_t *first = fg_fault_get(FG_E_SIG_MISSING);
    for (int code = FG_E_SIG_MISSING; code <= FG_E_DECRYPT; code++) {
        const fg_fault_t *fault = fg_fault_get((fg_code_t)code);
        assert_string_equal(fault->sentence, first->sentence);
        assert_string_equal(fg_fault_public_reason(fault->code), "token_security");
        assert_string_equal(fault->soap_subcode, first->soap_subcode);
        assert_int_equal(fault->http_status, first->http_status);
    }
    const fg_fault_t *failed = fg_fault_get(FG_E_AUTH_FAILED), *locked = fg_fault_get(FG_E_AUTH_LOCKED);
    assert_string_equal(failed->sentence, locked->sentence);
    assert_int_equal(failed->http_status, locked->http_status);
    assert_string_equal(fg_fault_public_reason(FG_E_AUTH_LOCKED), failed->reason);
    assert_string_equal(fg_fault_public_reason(FG_E_WSFED_REALM), "wsfed_realm");
}

static void error_keeps_code_and_gets_a_prefix(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_false(FG_FAIL(&err, FG_E_TOKEN_EXPIRED, "at %d", 7));
    assert_false(fg_err_prefix(&err, "partner %s", "p"));
    assert_err(&err, FG_E_TOKEN_EXPIRED);
    assert_string_equal(err.detail, "partner p: at 7");
    assert_false(FG_FAIL(NULL, FG_E_INTERNAL, "nobody listens"));
}

static void count_release(void *object) { ++*(int *)object; }

static void arena_stops_at_its_cap_and_releases_what_it_owns(void **state) {
    (void)state;
    int released = 0;
    fg_arena_t *arena = fg_arena_new(64 * 1024);
    assert_true(fg_arena_own(arena, count_release, &released));
    assert_non_null(fg_arena_alloc(arena, 30000));
    assert_null(fg_arena_alloc(arena, 64 * 1024));
    assert_string_equal(fg_arena_printf(arena, "%s-%d", "a", 1), "a-1");
    char *text = fg_arena_strndup(arena, "abcdef", 3);
    assert_string_equal(text, "abc");
    const fg_str_t parts[] = {FG_STR("a"), FG_STR_NONE, FG_STR("bc"), {"d\0e", 3}};
    fg_str_t joined = fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
    assert_true(joined.n == 6 && memcmp(joined.p, "abcd\0e", 7) == 0);
    assert_null(fg_arena_join(arena, &(fg_str_t){"", SIZE_MAX}, 1).p);
    int filled = 0;
    while (fg_arena_alloc(arena, 1000) != NULL)
        filled++;
    assert_in_range(filled, 10, 64);
    fg_arena_free(arena);
    assert_int_equal(released, 1);
}

/* False where something else stands in malloc's place (sanitizers, valgrind): mallinfo2 tells nothing then. */
static bool malloc_is_counted(void) {
    size_t before = mallinfo2().uordblks;
    void *probe = malloc(1000);
    bool counted = probe != NULL && mallinfo2().uordblks > before;
    free(probe);
    return counted;
}

/* What a request of nginx's brings along is used first; malloc is asked when it is used up, and only then. */
/* What was taken before does not show in what is zeroed, whoever's block it is. */
static void arena_zeroes_what_it_allocates(void **state) {
    (void)state;
    alignas(max_align_t) char block[1024];
    const char zeroes[64] = {0};
    memset(block, 'x', sizeof block);
    fg_arena_t *arenas[] = {fg_arena_new(0), fg_arena_new_in(block, sizeof block, 0)};
    for (size_t i = 0; i < FG_ARRAY_SIZE(arenas); i++) {
        char *taken = fg_arena_take(arenas[i], 100);
        assert_non_null(taken);
        memset(taken, 'y', 100);
        char *zeroed = fg_arena_alloc(arenas[i], sizeof zeroes);
        assert_non_null(zeroed);
        assert_memory_equal(zeroed, zeroes, sizeof zeroes);
        fg_arena_free(arenas[i]);
    }
}

static void arena_in_a_block_asks_malloc_for_nothing_while_it_is_enough(void **state) {
    (void)state;
    static alignas(max_align_t) unsigned char block[4096];
    int released = 0;
    memset(block, 0xa5, sizeof block);
    assert_null(fg_arena_new_in(block, 32, 0));
    size_t before = mallinfo2().uordblks;
    fg_arena_t *arena = fg_arena_new_in(block, sizeof block, 64 * 1024);
    assert_non_null(arena);
    assert_true(fg_arena_own(arena, count_release, &released));
    for (int i = 0; i < 30; i++) {
        unsigned char *memory = fg_arena_alloc(arena, 100);
        assert_true(memory > block && memory + 100 <= block + sizeof block);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (int k = 0; k < 100; k++)
            assert_int_equal(memory[k], 0);
    }
    assert_true(fg_arena_own(arena, count_release, &released));
    assert_int_equal(mallinfo2().uordblks, before);
    unsigned char *more = fg_arena_alloc(arena, 4000);
    assert_non_null(more);
    assert_true(more + 4000 <= block || more >= block + sizeof block);
    assert_true(mallinfo2().uordblks > before || !malloc_is_counted());
    fg_arena_free(arena);
    assert_int_equal(released, 2);
    assert_int_equal(mallinfo2().uordblks, before);
    arena = fg_arena_new_in(block, sizeof block, 1000); /* the cap counts the block's room too */
    assert_non_null(fg_arena_alloc(arena, 900));
    assert_null(fg_arena_alloc(arena, 900));
    fg_arena_free(arena);
}

static void buffer_stops_at_its_maximum(void **state) {
    (void)state;
    fg_buf_t buf = FG_BUF_INIT(8);
    fg_buf_puts(&buf, "12345678");
    assert_true(fg_buf_ok(&buf));
    fg_buf_putc(&buf, '9');
    assert_false(fg_buf_ok(&buf));
    assert_int_equal(buf.length, 8);
    fg_buf_reset(&buf);
    fg_buf_printf(&buf, "%d", 12);
    fg_buf_insert(&buf, 1, "xy", 2);
    assert_true(fg_buf_ok(&buf));
    size_t length;
    char *taken = fg_buf_take(&buf, &length);
    assert_string_equal(taken, "1xy2");
    assert_int_equal(length, 4);
    free(taken);
    fg_buf_free(&buf);
}

static void utf8_is_strict(void **state) {
    (void)state;
    assert_true(fg_str_is_utf8(fg_str("grüße €")));
    static const char *bad[] = {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82", "\x80"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++)
        assert_false(fg_str_is_utf8(fg_str(bad[i])));
    assert_false(fg_str_is_utf8((fg_str_t){"a\0b", 3}));
    for (size_t i = 0; i < 20; i++) { /* whatever is read at once */
        char text[] = "0123456789abcdefghij";
        assert_true(fg_str_is_utf8((fg_str_t){text, 20}));
        text[i] = '\0';
        assert_false(fg_str_is_utf8((fg_str_t){text, 20}));
        text[i] = '\x80';
        assert_false(fg_str_is_utf8((fg_str_t){text, 20}));
    }
    assert_true(fg_str_eq(fg_str_trim(FG_STR(" \r\n a b\t")), FG_STR("a b")));
    assert_true(fg_str_eq_nocase(FG_STR("Content-TYPE"), FG_STR("content-type")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_rows_match_their_codes),
        cmocka_unit_test(security_failures_share_one_face),
        cmocka_unit_test(error_keeps_code_and_gets_a_prefix),
        cmocka_unit_test(arena_stops_at_its_cap_and_releases_what_it_owns),
        cmocka_unit_test(arena_zeroes_what_it_allocates),
        cmocka_unit_test(arena_in_a_block_asks_malloc_for_nothing_while_it_is_enough),
        cmocka_unit_test(buffer_stops_at_its_maximum),
        cmocka_unit_test(utf8_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
