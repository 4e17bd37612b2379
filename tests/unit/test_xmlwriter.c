/* SPDX-License-Identifier: GPL-2.0-or-later
 * The canonical writer: whatever it writes equals its own exclusive canonical form as libxml2 makes it. */
#include "tests/unit/support.h"

#include <string.h>

#include "core/xml.h"
#include "core/xmlwriter.h"

static const fg_xns_t one = {"one", "urn:one"};
static const fg_xns_t two = {"two", "urn:a-two"};
static const fg_xns_t plain = {"", "urn:default"};
static const fg_xns_t other_plain = {"", "urn:other"};
static const fg_xns_t other_one = {"one", "urn:not-one"};
static const fg_xns_t xml = {"xml", FG_NS_XML};

static void write_sorted(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attrz(w, "z", "1");
    fg_xw_attr_ns(w, &one, "b", FG_STR("2"));
    fg_xw_attrz(w, "ab", "3");
    fg_xw_attr_ns(w, &two, "c", FG_STR("4"));
    fg_xw_attr_ns(w, &xml, "lang", FG_STR("en"));
    fg_xw_attrz(w, "a", "5");
    fg_xw_attr_ns(w, &two, "a", FG_STR("6"));
    fg_xw_end(w);
}

static void write_sorted_declarations(fg_xw_t *w) {
    fg_xw_start(w, &two, "a");
    fg_xw_attr_ns(w, &one, "b", FG_STR("declared before the namespace of the element"));
    fg_xw_start(w, &plain, "c");
    fg_xw_attr_ns(w, &other_one, "d", FG_STR(""));
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_scopes(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_leafz(w, &two, "b", "declared here");
    fg_xw_leafz(w, &two, "b", "and here again");
    fg_xw_start(w, &two, "c");
    fg_xw_leafz(w, &two, "d", "not here");
    fg_xw_leafz(w, &one, "e", "");
    fg_xw_end(w);
    fg_xw_start(w, &one, "f");
    fg_xw_attr_ns(w, &two, "x", FG_STR("prefix of an attribute"));
    fg_xw_leafz(w, &two, "g", "in scope");
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_default(fg_xw_t *w) {
    fg_xw_start(w, &plain, "a");
    fg_xw_leafz(w, &plain, "b", "");
    fg_xw_start(w, NULL, "c");
    fg_xw_leafz(w, NULL, "d", "");
    fg_xw_leafz(w, &plain, "e", "");
    fg_xw_end(w);
    fg_xw_leafz(w, &other_plain, "f", "");
    fg_xw_leafz(w, &one, "g", "");
    fg_xw_end(w);
}

static void write_none(fg_xw_t *w) {
    fg_xw_start(w, NULL, "a");
    fg_xw_leafz(w, NULL, "b", "no declaration");
    fg_xw_end(w);
}

static void write_rebound(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_start(w, &other_one, "b");
    fg_xw_leafz(w, &one, "c", "");
    fg_xw_leafz(w, &other_one, "d", "");
    fg_xw_end(w);
    fg_xw_leafz(w, &one, "e", "");
    fg_xw_end(w);
}

static void write_escaped(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attrz(w, "b", "< > & \" ' \t \n \r gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x94\x91");
    fg_xw_textz(w, "< > & \" ' \t \n \r ]]> \xe2\x82\xac");
    fg_xw_textz(w, "");
    fg_xw_leafz(w, &one, "c", "</one:c>&amp;");
    fg_xw_textz(w, " mixed ");
    fg_xw_end(w);
}

static void write_raw(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attrz(w, "b", "1");
    fg_xw_raw(w, FG_STR("<two:b xmlns:two=\"urn:a-two\"></two:b>"));
    fg_xw_textz(w, "x");
    fg_xw_end(w);
}

static void output_is_its_own_canonical_form(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*write)(fg_xw_t *);
    } rows[] = {
        {"sorted", write_sorted},   {"sorted declarations", write_sorted_declarations},
        {"scopes", write_scopes},   {"default", write_default}, {"none", write_none},
        {"rebound", write_rebound}, {"escaped", write_escaped}, {"raw", write_raw},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_buf_t out = FG_BUF_INIT(4000), canonical = FG_BUF_INIT(4000);
        fg_err_t err = FG_ERR_INIT;
        fg_xw_t w;
        fg_xw_init(&w, &out);
        rows[i].write(&w);
        if (!fg_xw_ok(&w))
            fail_msg("%s", rows[i].name);
        xmlDoc *doc = fg_xml_parse(arena, fg_buf_str(&out), NULL, &err);
        if (doc == NULL)
            fail_msg("%s: %s: %s", rows[i].name, err.detail, out.data);
        assert_true(fg_xml_canonical(xmlDocGetRootElement(doc), &canonical, &err));
        assert_string_equal(out.data, canonical.data);
        fg_buf_free(&out);
        fg_buf_free(&canonical);
        fg_arena_free(arena);
    }
}

static void bytes_are_as_expected(void **state) {
    (void)state;
    fg_buf_t out = FG_BUF_INIT(4000);
    fg_xw_t w;
    fg_xw_init(&w, &out);
    write_sorted(&w);
    assert_string_equal(out.data, "<one:a xmlns:one=\"urn:one\" xmlns:two=\"urn:a-two\" a=\"5\" ab=\"3\" z=\"1\" xml:lang=\"en\" "
                                  "two:a=\"6\" two:c=\"4\" one:b=\"2\"></one:a>");
    fg_buf_reset(&out);
    fg_xw_init(&w, &out);
    fg_xw_start(&w, &plain, "a");
    fg_xw_declare(&w, &two);
    fg_xw_leafz(&w, &one, "b", "<\r>");
    fg_xw_leafz(&w, NULL, "c", "");
    fg_xw_end(&w);
    assert_true(fg_xw_ok(&w));
    assert_string_equal(out.data, "<a xmlns=\"urn:default\" xmlns:two=\"urn:a-two\"><one:b xmlns:one=\"urn:one\">&lt;&#xD;&gt;</one:b>"
                                  "<c xmlns=\"\"></c></a>");
    fg_buf_free(&out);
}

/* SA-13: what XML cannot carry is refused, what it can is escaped */
static void text_that_xml_cannot_carry_fails(void **state) {
    (void)state;
    static const fg_str_t bad[] = {{"\0", 1},     {"a\x01", 2},    {"\x0b", 1},         {"\x1f", 1}, {"\xc0\xaf", 2}, {"\xed\xa0\x80", 3},
                                   {"\xef\xbf\xbf", 3}, {"\xc3", 1}, {"ok \xef\xbf\xbe", 6}};
    static const fg_str_t good[] = {{"", 0}, {"\x7f", 1}, {"\xef\xbf\xbd", 3}, {"\xf4\x8f\xbf\xbf", 4}, {"\"><script>", 10}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad) + FG_ARRAY_SIZE(good); i++) {
        bool is_good = i >= FG_ARRAY_SIZE(bad);
        fg_str_t text = is_good ? good[i - FG_ARRAY_SIZE(bad)] : bad[i];
        for (int place = 0; place < 2; place++) {
            fg_buf_t out = FG_BUF_INIT(400);
            fg_xw_t w;
            fg_xw_init(&w, &out);
            fg_xw_start(&w, &one, "a");
            if (place == 0)
                fg_xw_attr(&w, "b", text);
            else
                fg_xw_text(&w, text);
            fg_xw_end(&w);
            assert_int_equal(fg_xw_ok(&w), is_good);
            fg_buf_free(&out);
        }
    }
}

static void misuse_too_many_levels(fg_xw_t *w) {
    for (int i = 0; i <= FG_XW_DEPTH; i++)
        fg_xw_start(w, &one, "a");
    for (int i = 0; i <= FG_XW_DEPTH; i++)
        fg_xw_end(w);
}

static void misuse_too_many_attributes(fg_xw_t *w) {
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q";
    fg_xw_start(w, &one, "a");
    for (int i = 0; i <= FG_XW_ATTRIBUTES; i++)
        fg_xw_attrz(w, names + 2 * i, "");
    fg_xw_end(w);
}

static void misuse_same_attribute_twice(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attrz(w, "b", "");
    fg_xw_attrz(w, "b", "");
    fg_xw_end(w);
}

static void misuse_prefix_with_two_meanings(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attr_ns(w, &other_one, "b", FG_STR(""));
    fg_xw_end(w);
}

static void misuse_attribute_in_default_namespace(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_attr_ns(w, &plain, "b", FG_STR(""));
    fg_xw_end(w);
}

static void misuse_attribute_after_text(fg_xw_t *w) {
    fg_xw_start(w, &one, "a");
    fg_xw_textz(w, "x");
    fg_xw_attrz(w, "b", "");
    fg_xw_end(w);
}

static void misuse_no_end(fg_xw_t *w) { fg_xw_start(w, &one, "a"); }
static void misuse_no_start(fg_xw_t *w) { fg_xw_end(w); }
static void misuse_text_outside(fg_xw_t *w) { fg_xw_textz(w, "x"); }

static void misuse_fails_and_stays_failed(void **state) {
    (void)state;
    static void (*const rows[])(fg_xw_t *) = {
        misuse_too_many_levels,  misuse_too_many_attributes,      misuse_same_attribute_twice,           misuse_no_end,       misuse_no_start,
        misuse_text_outside,     misuse_prefix_with_two_meanings, misuse_attribute_in_default_namespace, misuse_attribute_after_text,
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_buf_t out = FG_BUF_INIT(4000);
        fg_xw_t w;
        fg_xw_init(&w, &out);
        rows[i](&w);
        if (fg_xw_ok(&w))
            fail_msg("row %zu", i);
        fg_buf_free(&out);
    }
    fg_buf_t full = FG_BUF_INIT(10);
    fg_xw_t w;
    fg_xw_init(&w, &full);
    fg_xw_leafz(&w, &one, "a", "longer than ten bytes");
    assert_false(fg_xw_ok(&w));
    fg_buf_free(&full);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_is_its_own_canonical_form),
        cmocka_unit_test(bytes_are_as_expected),
        cmocka_unit_test(text_that_xml_cannot_carry_fails),
        cmocka_unit_test(misuse_fails_and_stays_failed),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_xml_start(&err))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
