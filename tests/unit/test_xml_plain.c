/* SPDX-License-Identifier: GPL-2.0-or-later
 * The reader of plain documents: it takes what it is for, leaves the rest to libxml2, and never sees another document (XP-01..14, WM-17). */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xml_same.h"

#define SOAP "http://www.w3.org/2003/05/soap-envelope"

static const char message[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
    "<s:Envelope xmlns:s=\"" SOAP "\" xmlns:a='http://schemas.xmlsoap.org/ws/2004/08/addressing' xmlns=\"urn:x:y\">\n"
    "<s:Header><a:To s:mustUnderstand=\"true\"\n\t>http://host:5985/wsman?a=1</a:To><Locale xml:lang=\"en-US\" Name='it\"s'/></s:Header>"
    "<s:Body><q:Filter xmlns:q=\"http://q.example/_-.\" q:Dialect=\"\">a &lt; b &amp;&amp; [c] > &quot;&apos;d&gt;</q:Filter><e></e> </s:Body>"
    "</s:Envelope>\n";

static fg_arena_t *arena;

static int begin(void **state) {
    (void)state;
    arena = fg_arena_new(0);
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

static void plain_documents_are_read_here(void **state) {
    (void)state;
    static const char *const texts[] = {message, "<a/>", "<a></a>", "<a b='1' c=\"2\"/>\n", "<a>x]y</a>", "<?xml version=\"1.0\"?><a/>"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        xmlDoc *doc = fg_xml_parse_plain(arena, fg_str(texts[i]), NULL, NULL);
        assert_non_null(doc);
        if (!is_plain(doc) || !reads_the_same(arena, fg_str(texts[i]), NULL))
            fail_msg("%s", texts[i]);
    }
    fg_err_t err = FG_ERR_INIT;
    xmlNode *root = xmlDocGetRootElement(fg_xml_parse_plain(arena, fg_str(message), NULL, &err));
    xmlNode *body = fg_xml_child(root, SOAP, "Body", NULL), *filter = fg_xml_child(body, "http://q.example/_-.", "Filter", NULL);
    assert_string_equal(fg_xml_text(arena, filter, &err).p, "a < b && [c] > \"'d>");
    xmlNode *locale = fg_xml_child(fg_xml_first_child(root), "urn:x:y", "Locale", NULL);
    assert_string_equal(fg_xml_attr(arena, locale, FG_NS_XML, "lang").p, "en-US");
}

/* Whether they are good or not: somebody else says so. */
static void what_is_not_plain_is_left_to_the_parser(void **state) {
    (void)state;
    static const char *const texts[] = {
        "<!DOCTYPE a><a/>", "<a><!--x--></a>", "<a><![CDATA[x]]></a>", "<a><?x y?></a>", "<a>&#65;</a>", "<a>&x;</a>", "<a b='&amp;'/>", "<a b='x\ny'/>",
        "<a b='x\ty'/>", "<a>\r\n</a>", "<a>\xc3\xa4</a>", "<\xc3\xa4/>", "<a>\x01</a>", "<a>]]></a>", "<a>]]&gt;</a>", "<a b='1' b='2'/>", "<a b = '1'/>",
        "<a b='1'c='2'/>", "<a b=1/>", "<a b/>", "<a b='<'/>", "<p:a/>", "<a p:b='1'/>", "<a:b:c xmlns:a='urn:a'/>", "<:a/>", "<a:/>", "<1/>", "<a><b></a></b>",
        "<a></b>", "<p:a xmlns:p='urn:a' xmlns:q='urn:a'></q:a>", "<a xmlns='urn:a' xmlns='urn:b'/>", "<a xmlns:p='urn:a' xmlns:p='urn:b'/>",
        "<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>", "<a xmlns:p=''/>", "<a xmlns=''/>", "<a xmlns='relative'/>", "<a xmlns='http://x:y'/>",
        "<a xmlns='http:///x'/>", "<a xmlns='urn:'/>", "<a xmlns='urn:a b'/>", "<a xmlns='urn:%zz'/>", "<a xmlns='urn:a#b#c'/>", "<a xmlns:xml='urn:a'/>",
        "<a xmlns:xmlns='urn:a'/>", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<xml:a/>", "<xmlns:a/>",
        "<a xml:id='x'/>", "<a xml:space='x'/>", "<a xml:lang='x_y'/>", "<a", "<a ", "<a b", "<a b=", "<a b='", "<a><", "<a></", "<a></a", "<a/", "<a/ >", "<a></a >",
        "<a/><b/>", "<a/>x", "x<a/>", " <a/>", "<a>", "</a>", "<a>x", "", "<", "\xef\xbb\xbf<a/>", "<?xml version='1.0'?><a/>", "<?xml version=\"1.1\"?><a/>",
        "<?xml version=\"1.0\" encoding=\"latin1\"?><a/>", "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><a/>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        const xmlDoc *doc = fg_xml_parse_plain(arena, fg_str(texts[i]), NULL, NULL);
        if ((doc != NULL && is_plain(doc)) || !reads_the_same(arena, fg_str(texts[i]), NULL))
            fail_msg("%s", texts[i]);
    }
}

/* XP-04..06, XP-09: the same limits, one by one; at the limit it is still read here. */
static void limits_are_the_same(void **state) {
    (void)state;
    static const fg_xml_limits_t limits = {.bytes = 80, .depth = 3, .elements = 4, .attributes = 2, .namespaces = 2};
    static const struct {
        const char *within, *over;
    } pairs[] = {
        {"<a><b><c/></b></a>", "<a><b><c><d/></c></b></a>"},
        {"<a><b/><b/><b/></a>", "<a><b/><b/><b/><b/></a>"},
        {"<a b='' c=''/>", "<a b='' c='' d=''/>"},
        {"<a xmlns='urn:a'><b xmlns='urn:b'/><b xmlns='urn:b'/></a>", "<a xmlns='urn:a'><b xmlns='urn:b'><c xmlns='urn:c'/></b></a>"},
        {"<a>0123456789012345678901234567890123456789012345678901234567890123456789012</a>",
         "<a>01234567890123456789012345678901234567890123456789012345678901234567890123</a>"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(pairs); i++) {
        fg_err_t err = FG_ERR_INIT;
        const xmlDoc *doc = fg_xml_parse_plain(arena, fg_str(pairs[i].within), &limits, &err);
        if (doc == NULL || !is_plain(doc))
            fail_msg("%s: %s", pairs[i].within, err.detail);
        assert_null(fg_xml_parse_plain(arena, fg_str(pairs[i].over), &limits, &err));
        assert_int_equal(err.code, FG_E_XML_LIMIT);
    }
}

static void bytes_behind_the_end_are_not_looked_at(void **state) {
    (void)state;
    for (size_t n = 0; n <= sizeof message - 1; n++) {
        char *bytes = malloc(n + 1); /* so that tools see a step too far */
        memcpy(bytes, message, n);
        assert_true(reads_the_same(arena, (fg_str_t){bytes, n}, NULL));
        free(bytes);
    }
    assert_true(reads_the_same(arena, (fg_str_t){"<a\0/>", 5}, NULL));
    assert_true(reads_the_same(arena, (fg_str_t){"<a>\0</a>", 8}, NULL));
    assert_true(reads_the_same(arena, (fg_str_t){"<a/>\0", 5}, NULL));
}

/* Many documents that are nearly good: some characters of a good one exchanged for others that mean something. */
static void changed_documents_are_the_same_to_both(void **state) {
    (void)state;
    static const char pieces[] = "<>/&;'\"= \n:]xsa!?-[#%";
    unsigned seed = 20260711, plain = 0, good = 0;
    for (int i = 0; i < 60000; i++) {
        char text[sizeof message];
        memcpy(text, message, sizeof text);
        for (unsigned changes = 1 + (unsigned)(rand_r(&seed) % 2); changes > 0; changes--) {
            size_t at = (size_t)rand_r(&seed) % (sizeof text - 1);
            if (rand_r(&seed) % 4 == 0) /* two that are there change places */
                text[at] = text[(size_t)rand_r(&seed) % (sizeof text - 1)];
            else
                text[at] = pieces[(size_t)rand_r(&seed) % (sizeof pieces - 1)];
        }
        fg_arena_t *own = fg_arena_new(0);
        const xmlDoc *doc = fg_xml_parse_plain(own, fg_str(text), NULL, NULL);
        good += doc != NULL;
        plain += doc != NULL && is_plain(doc);
        if (!reads_the_same(own, fg_str(text), NULL))
            fail_msg("%s", text);
        fg_arena_free(own);
    }
    assert_true(plain > 5000 && good > plain); /* both kinds are among them */
}

int main(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_xml_start(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plain_documents_are_read_here, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_plain_is_left_to_the_parser, begin, end),
        cmocka_unit_test_setup_teardown(limits_are_the_same, begin, end),
        cmocka_unit_test_setup_teardown(bytes_behind_the_end_are_not_looked_at, begin, end),
        cmocka_unit_test_setup_teardown(changed_documents_are_the_same_to_both, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
