/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/support.h"

#include <stdlib.h>

#include "core/utf16.h"
#include "directory/pac.h"

/* As Samba's own code (samba.ndr.ndr_pack of a PAC_LOGON_INFO_CTR) writes it, behind the header of a serialised type. */
static const char samba[] =
    "01100800cccccccc18020000000000000000020000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000a000a00040002001e001e0008000200000000000c00020000000000100002000000000014000200000000001800020000000000"
    "5404000001020000030000001c0002002002000000000000000000000000000000000000060008002000020004000600240002002800020000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000020000002c00020030000200010000003400020005000000"
    "00000000050000006f00280064002900640000000f000000000000000f0000005a006f00eb002000c4006e006700730074007200f6006d0020003dd8"
    "00de00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000300000001020000"
    "070000006004000007000000610400000700000004000000000000000300000044004300310000000300000000000000020000004700570004000000"
    "010400000000000515000000c7f7fed77c7755c8945ace010200000038000200070000003c0002000700000001000000010100000000001201000000"
    "05000000010500000000000515000000010000000200000003000000d711000004000000010400000000000515000000090000000800000007000000"
    "01000000b004000007000020";

static unsigned char bytes[sizeof samba / 2];
static const size_t size = sizeof samba / 2;

static int make_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < size; i++) {
        const char two[] = {samba[2 * i], samba[2 * i + 1], '\0'};
        bytes[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    return 0;
}

static bool read_some(fg_arena_t *arena, size_t n, fg_pac_t *pac, fg_err_t *err) {
    return fg_pac_read(arena, (fg_str_t){(const char *)bytes, n}, pac, err);
}

static void what_samba_wrote_is_read(void **state) {
    static const char *const groups[] = {
        "S-1-5-21-3623811015-3361044348-30300820-513",  "S-1-5-21-3623811015-3361044348-30300820-1120",
        "S-1-5-21-3623811015-3361044348-30300820-1121", "S-1-18-1",
        "S-1-5-21-1-2-3-4567",                          "S-1-5-21-9-8-7-1200",
    };
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_err_t err = FG_ERR_INIT;
    fg_pac_t pac;
    if (!read_some(arena, size, &pac, &err))
        fail_msg("%s", err.detail);
    assert_true(fg_str_is(pac.account, "o(d)d"));
    assert_true(fg_str_is(pac.full_name, "Zo\xc3\xab \xc3\x84ngstr\xc3\xb6m \xf0\x9f\x98\x80"));
    assert_true(fg_str_is(pac.domain, "GW"));
    assert_true(fg_str_is(pac.user_sid, "S-1-5-21-3623811015-3361044348-30300820-1108"));
    assert_true(fg_str_is(pac.primary_group_sid, "S-1-5-21-3623811015-3361044348-30300820-513"));
    assert_int_equal(pac.group_count, FG_ARRAY_SIZE(groups));
    for (size_t i = 0; i < pac.group_count; i++)
        assert_true(fg_str_is(pac.group_sids[i], groups[i]));
    fg_arena_free(arena);
}

/* [MS-PAC] §2.2.1: SE_GROUP_ENABLED, SE_GROUP_USE_FOR_DENY_ONLY */
static void groups_for_denying_are_none(void **state) {
    static const struct {
        unsigned char attributes;
        bool is_member;
    } cases[] = {{7, true}, {4, true}, {3, false}, {0x10, false}, {0x14, false}};
    static const unsigned char member[] = {0x60, 4, 0, 0, 7, 0, 0, 0}; /* 1120 */
    (void)state;
    unsigned char *place = memmem(bytes, size, member, sizeof member);
    assert_non_null(place);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        fg_pac_t pac;
        place[4] = cases[i].attributes;
        assert_true(read_some(arena, size, &pac, &err));
        assert_int_equal(pac.group_count, cases[i].is_member ? 6 : 5);
        fg_arena_free(arena);
    }
    place[4] = 7;
}

static void what_is_cut_is_refused(void **state) {
    (void)state;
    for (size_t n = 0; n < size; n++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        fg_pac_t pac;
        unsigned char length = bytes[8];
        assert_false(read_some(arena, n, &pac, &err)); /* the header knows how long it is */
        assert_err(&err, FG_E_TOKEN_MALFORMED);
        if (n >= 16) { /* and when it does not */
            fg_err_t again = FG_ERR_INIT;
            bytes[8] = (unsigned char)(n - 16), bytes[9] = (unsigned char)((n - 16) >> 8);
            assert_false(read_some(arena, n, &pac, &again));
            bytes[8] = length, bytes[9] = (unsigned char)((size - 16) >> 8);
        }
        fg_arena_free(arena);
    }
}

static void what_is_wrong_is_refused(void **state) {
    static const struct {
        size_t at;
        unsigned char value;
    } wrong[] = {
        {0, 2} /* version */,      {1, 0} /* big-endian */,      {2, 9} /* header length */,
        {16, 0} /* no structure */, {68, 11} /* odd length of the name */, {72, 0} /* no name */,
        {128, 200} /* groups, and not as many */,
    };
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        fg_pac_t pac;
        unsigned char was[4];
        memcpy(was, bytes + wrong[i].at, sizeof was);
        memset(bytes + wrong[i].at, 0, wrong[i].value == 0 ? sizeof was : 1);
        bytes[wrong[i].at] = wrong[i].value;
        if (read_some(arena, size, &pac, &err))
            fail_msg("case %zu", i);
        memcpy(bytes + wrong[i].at, was, sizeof was);
        assert_true(read_some(arena, size, &pac, &err));
        fg_arena_free(arena);
    }
}

/* whatever the bytes are: an answer, and no access beyond them */
static void no_byte_matters_to_memory(void **state) {
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    (void)state;
    for (size_t at = 0; at < size; at++)
        for (size_t i = 0; i < sizeof values; i++) {
            fg_arena_t *arena = fg_arena_new(0);
            fg_err_t err = FG_ERR_INIT;
            fg_pac_t pac;
            unsigned char was = bytes[at];
            bytes[at] = values[i];
            if (read_some(arena, size, &pac, &err))
                assert_true(pac.account.n > 0 && pac.user_sid.n > 0);
            bytes[at] = was;
            fg_arena_free(arena);
        }
}

static void utf16_is_read_strictly(void **state) {
    static const struct {
        fg_str_t bytes;
        const char *text; /* NULL: refused */
    } cases[] = {
        {FG_STR_INIT("a\0\xe9\0"), "a\xc3\xa9"},
        {FG_STR_INIT("\xac\x20"), "\xe2\x82\xac"},
        {FG_STR_INIT("\x3d\xd8\x00\xde"), "\xf0\x9f\x98\x80"},
        {FG_STR_INIT(""), ""},
        {FG_STR_INIT("a"), NULL},
        {FG_STR_INIT("\0\0"), NULL},
        {FG_STR_INIT("\x3d\xd8"), NULL},
        {FG_STR_INIT("\x00\xde"), NULL},
        {FG_STR_INIT("\x3d\xd8""a\0"), NULL},
    };
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_buf_t out = FG_BUF_INIT(64);
        assert_int_equal(fg_utf16_decode(cases[i].bytes, &out), cases[i].text != NULL);
        if (cases[i].text != NULL)
            assert_true(fg_str_is(fg_buf_str(&out), cases[i].text));
        fg_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_samba_wrote_is_read),
        cmocka_unit_test(groups_for_denying_are_none),
        cmocka_unit_test(what_is_cut_is_refused),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(no_byte_matters_to_memory),
        cmocka_unit_test(utf16_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, make_bytes, NULL);
}
