/* SPDX-License-Identifier: GPL-2.0-or-later
 * The scan, the parser and the views of a tree: XP-01..14, XS-19. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <libxml/parser.h>

#include "core/xml.h"

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

static xmlDoc *parse(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), NULL, &err);
    if (doc == NULL)
        print_error("%s: %s\n", text, err.detail);
    return doc;
}

static xmlNode *root(const char *text) {
    xmlDoc *doc = parse(text);
    assert_non_null(doc);
    return xmlDocGetRootElement(doc);
}

/* ---- XP: refused by the scan or by the parser, before anything is read from the tree ---- */

typedef struct sample {
    const char *id;
    fg_str_t bytes;
    fg_code_t code; /* FG_OK: the control, accepted */
} sample_t;

#define XML(text) {(text), sizeof(text) - 1}

static const sample_t samples[] = {
    {"XP-01 doctype", XML("<!DOCTYPE a><a/>"), FG_E_XML_DTD},
    {"XP-01 after the declaration", XML("<?xml version=\"1.0\"?>\n<!--x-->\n<!DOCTYPE a []><a/>"), FG_E_XML_DTD},
    {"XP-01 in content", XML("<a><!DOCTYPE a></a>"), FG_E_XML_DTD},
    {"XP-01 lower case", XML("<!doctype a><a/>"), FG_E_XML_MALFORMED},
    {"XP-01 control: as text", XML("<a><![CDATA[<!DOCTYPE a>]]><!--<!DOCTYPE a>--></a>"), FG_OK},
    {"XP-02 external entity", XML("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"), FG_E_XML_DTD},
    {"XP-02 parameter entity", XML("<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1:9/\">%x;]><a/>"), FG_E_XML_DTD},
    {"XP-03 entity", XML("<a>&x;</a>"), FG_E_XML_MALFORMED},
    {"XP-03 entity in an attribute", XML("<a b='&x;'/>"), FG_E_XML_MALFORMED},
    {"XP-03 declaration without a DOCTYPE", XML("<a><!ENTITY x 'y'></a>"), FG_E_XML_MALFORMED},
    {"XP-03 control", XML("<a b='&quot;&apos;'>&amp;&lt;&gt;&#65;&#x42;</a>"), FG_OK},
    {"XP-07 UTF-16 with mark", XML("\xff\xfe<\0a\0/\0>\0"), FG_E_XML_ENCODING},
    {"XP-07 UTF-16 without mark", XML("<\0a\0/\0>\0"), FG_E_XML_ENCODING},
    {"XP-07 EBCDIC", XML("\x4c\x6f\xa7\x94\x93"), FG_E_XML_ENCODING},
    {"XP-07 UTF-7 declared", XML("<?xml version='1.0' encoding='UTF-7'?><a/>"), FG_E_XML_ENCODING},
    {"XP-07 Latin-1 declared", XML("<?xml version='1.0' encoding=\"ISO-8859-1\"?><a/>"), FG_E_XML_ENCODING},
    {"XP-07 control: declared", XML("<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>"), FG_OK},
    {"XP-07 control: byte order mark", XML("\xef\xbb\xbf<?xml version='1.0'?><a/>"), FG_OK},
    {"XP-08 overlong", XML("<a>\xc0\xaf</a>"), FG_E_XML_ENCODING},
    {"XP-08 surrogate", XML("<a>\xed\xa0\x80</a>"), FG_E_XML_ENCODING},
    {"XP-08 NUL", XML("<a>x\0y</a>"), FG_E_XML_ENCODING},
    {"XP-08 control character", XML("<a>\x01</a>"), FG_E_XML_MALFORMED},
    {"XP-08 U+FFFF", XML("<a>\xef\xbf\xbf</a>"), FG_E_XML_MALFORMED},
    {"XP-08 NUL reference", XML("<a>&#0;</a>"), FG_E_XML_MALFORMED},
    {"XP-08 NUL reference, hexadecimal", XML("<a b='&#x0;'/>"), FG_E_XML_MALFORMED},
    {"XP-08 surrogate reference", XML("<a>&#xD800;</a>"), FG_E_XML_MALFORMED},
    {"XP-08 reference that overflows", XML("<a>&#x100000041;</a>"), FG_E_XML_MALFORMED},
    {"XP-08 reference without digits", XML("<a>&#;</a>"), FG_E_XML_MALFORMED},
    {"XP-08 control", XML("<a>gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x94\x91 \xef\xbf\xbd &#x1F511;</a>"), FG_OK},
    {"XP-10 two roots", XML("<a/><b/>"), FG_E_XML_MALFORMED},
    {"XP-10 trailing bytes", XML("<a/>x"), FG_E_XML_MALFORMED},
    {"XP-10 trailing NUL", XML("<a/>\0"), FG_E_XML_ENCODING},
    {"XP-10 leading bytes", XML("x<a/>"), FG_E_XML_MALFORMED},
    {"XP-10 trailing CDATA", XML("<a/><![CDATA[x]]>"), FG_E_XML_MALFORMED},
    {"XP-10 control: white space and comment", XML("<a/>\n<!--x-->\n"), FG_OK},
    {"XP-11 stylesheet", XML("<?xml-stylesheet href='http://127.0.0.1:9/'?><a/>"), FG_E_XML_STRUCTURE},
    {"XP-11 instruction in content", XML("<a><?x?></a>"), FG_E_XML_STRUCTURE},
    {"XP-11 second declaration", XML("<a/><?xml version='1.0'?>"), FG_E_XML_STRUCTURE},
    {"XP-11 control: schemaLocation",
     XML("<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='urn:a http://127.0.0.1:9/'/>"), FG_OK},
    {"XP-14 prefix without declaration", XML("<x:a/>"), FG_E_XML_MALFORMED},
    {"XP-14 attribute prefix without declaration", XML("<a x:b=''/>"), FG_E_XML_MALFORMED},
    {"XP-14 same attribute under two prefixes", XML("<a xmlns:x='urn:1' xmlns:y='urn:1' x:b='' y:b=''/>"), FG_E_XML_MALFORMED},
    {"XP-14 control", XML("<x:a xmlns:x='urn:1' xmlns:y='urn:2' x:b='' y:b=''/>"), FG_OK},
    {"form: nothing", XML(""), FG_E_XML_MALFORMED},
    {"form: white space only", XML(" \n"), FG_E_XML_MALFORMED},
    {"form: open root", XML("<a>"), FG_E_XML_MALFORMED},
    {"form: end tag alone", XML("</a>"), FG_E_XML_MALFORMED},
    {"form: wrong end tag", XML("<a></b>"), FG_E_XML_MALFORMED},
    {"form: endless comment", XML("<a><!-- </a>"), FG_E_XML_MALFORMED},
    {"form: -- in comment", XML("<a><!-- -- --></a>"), FG_E_XML_MALFORMED},
    {"form: endless CDATA", XML("<a><![CDATA[ </a>"), FG_E_XML_MALFORMED},
    {"form: endless value", XML("<a b='></a>"), FG_E_XML_MALFORMED},
    {"form: value without quotes", XML("<a b=c></a>"), FG_E_XML_MALFORMED},
    {"form: attribute without value", XML("<a b></a>"), FG_E_XML_MALFORMED},
    {"form: < in value", XML("<a b='<'/>"), FG_E_XML_MALFORMED},
    {"form: attributes without space", XML("<a b=''c=''/>"), FG_E_XML_MALFORMED},
    {"form: attribute twice", XML("<a b='' b=''/>"), FG_E_XML_MALFORMED},
    {"form: ]]> in text", XML("<a>]]></a>"), FG_E_XML_MALFORMED},
    {"form: version 1.1", XML("<?xml version='1.1'?><a/>"), FG_E_XML_MALFORMED},
    {"form: declaration in wrong order", XML("<?xml encoding='utf-8' version='1.0'?><a/>"), FG_E_XML_MALFORMED},
    {"form: < at the end", XML("<"), FG_E_XML_MALFORMED},
    {"form: & at the end", XML("<a>&"), FG_E_XML_MALFORMED},
    {"form control: > in value and text", XML("<a b = \"x>y\" c\n=\n'z'\t>></a >"), FG_OK},
};

static unsigned loads;

static xmlParserInputPtr count_load(const char *url, const char *id, xmlParserCtxtPtr parser) {
    (void)url, (void)id, (void)parser;
    loads++;
    return NULL;
}

/* Nothing goes to the standard error output, nothing is loaded. */
static void bad_documents_are_refused_and_controls_accepted(void **state) {
    (void)state;
    xmlExternalEntityLoader loader = xmlGetExternalEntityLoader();
    xmlSetExternalEntityLoader(count_load);
    for (size_t i = 0; i < FG_ARRAY_SIZE(samples); i++) {
        fg_err_t err = FG_ERR_INIT;
        xmlDoc *doc = fg_xml_parse(arena, samples[i].bytes, NULL, &err);
        if (err.code != samples[i].code || (doc != NULL) != (samples[i].code == FG_OK))
            fail_msg("%s: code %d: %s", samples[i].id, err.code, err.detail);
    }
    xmlSetExternalEntityLoader(loader);
    assert_int_equal(loads, 0);
}

/* XP-03, XP-08: the scan does not rely on the parser for what may end up in a value */
/* ---- what was cut says so, wherever: a terminal or a log line did it, and not the sender ---- */

static void cut_everywhere(const char *name, fg_str_t document, size_t from) {
    assert_true(fg_xml_scan(document, NULL, NULL));
    for (size_t n = from; n < document.n; n++) {
        fg_err_t err = FG_ERR_INIT;
        char *cut = malloc(n); /* of its exact length, for what watches over memory */
        assert_non_null(cut);
        memcpy(cut, document.p, n);
        if (fg_xml_scan((fg_str_t){cut, n}, NULL, &err) || err.reason != FG_R_INPUT_TRUNCATED)
            fail_msg("%s cut at byte %zu: code %d, reason %d: %s", name, n, err.code, err.reason, err.detail);
        free(cut);
    }
}

static void a_cut_document_is_told_as_cut_at_every_byte(void **state) {
    (void)state;
    cut_everywhere(
        "all markup",
        FG_STR("\xef\xbb\xbf<?xml version='1.0' encoding=\"utf-8\" standalone = 'yes' ?>\n<!-- a-b -->\n"
               "<x:a xmlns:x = 'urn:1' b='&lt;&#65;&#x42;' ><c /><d/>&amp;&apos;&#233;&#xE9;<![CDATA[ ]] > ]]>"
               "gr\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x91<!----><e></e ></x:a >"),
        3);
    static const char *const kinds[] = {"saml11-sound.xml",    "saml20-sound.xml",    "response-sound.xml",
                                        "request-sound.xml",   "soap-sound.xml",      "wstrust-sound.xml",
                                        "metadata-sound.xml",  "encrypted-sound.xml", "wss4j-saml20-sound.xml",
                                        "xml-crypto-sound.xml"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++) {
        char path[256];
        size_t length;
        snprintf(path, sizeof path, "tests/corpus/files/%s", kinds[i]);
        char *text = test_file(path, &length);
        assert_non_null(text);
        cut_everywhere(kinds[i], fg_str_trim((fg_str_t){text, length}), 1);
        free(text);
    }
}

/* What is wrong in the middle stays wrong, however it ends. */
static void a_mistake_is_not_taken_for_a_cut(void **state) {
    (void)state;
    static const char *const documents[] = {"<a>&x;</a>",  "<a b='<'/>",       "<a b=c></a>",  "<a><!-- -- --></a>",
                                            "<a b='></a>", "<a></a><b/>",      "<a/>x",        "<a>&#xD800;</a>",
                                            "<a/ >",       "<!doctype a><a/>", "<a b=''c=''/>"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(documents); i++) {
        fg_err_t err = FG_ERR_INIT;
        assert_false(fg_xml_scan(fg_str(documents[i]), NULL, &err));
        assert_int_equal(err.code, FG_E_XML_MALFORMED);
        assert_int_equal(err.reason, FG_R_NONE);
    }
    fg_err_t err = FG_ERR_INIT;
    assert_false(fg_xml_scan(FG_STR("<a>\xc3\xbc\xfc</a>"), NULL, &err));
    assert_int_equal(err.code, FG_E_XML_ENCODING);
    assert_int_equal(err.reason, FG_R_NONE);
}

static void the_scan_knows_references_itself(void **state) {
    (void)state;
    static const char *const refused[] = {"<a>&#0;</a>",       "<a>&#xD800;</a>", "<a>&#xFFFE;</a>", "<a>&#x1;</a>",
                                          "<a>&#x110000;</a>", "<a b='&#31;'/>",  "<a>&x;</a>",      "<a>&#x41</a>",
                                          "<a>&# 65;</a>",     "<a>&#X41;</a>"};
    fg_err_t err = FG_ERR_INIT;
    for (size_t i = 0; i < FG_ARRAY_SIZE(refused); i++) {
        if (fg_xml_scan(fg_str(refused[i]), NULL, &err))
            fail_msg("%s", refused[i]);
        assert_err(&err, FG_E_XML_MALFORMED);
    }
    assert_true(fg_xml_scan(FG_STR("<a>&#x9;&#65;&#x10FFFF;&amp;</a>"), NULL, &err));
}

/* The scan alone must not be looser than the parser about what it counts: each of these hides a tag from a careless
 * counter. */
static void limits_see_what_the_parser_sees(void **state) {
    (void)state;
    const fg_xml_limits_t limits = {.bytes = 1000, .depth = 2, .elements = 3, .attributes = 1, .namespaces = 1};
    static const char *const refused[] = {
        "<a b='>'><b/><c/><d/></a>",
        "<a><!-- > --><b/><c/><d/></a>",
        "<a><![CDATA[</a>]]><b/><c/><d/></a>",
        "<a>&gt;<b/><c/><d/></a>",
        "<a b='/>'><b><c/></b></a>",
        "<a b=\"'\" c='\"'/>",
        "<a xmlns='u:1'><b xmlns:x='u:2'/></a>",
        "<a xmlns='u:1' xmlns:x='u:2'/>",
    };
    static const char *const accepted[] = {
        "<a b='<d/>'/>", /* malformed, but not over a limit */
        "<a b='&lt;d/>&lt;d/>&lt;d/>'><!-- <b><c><d> --><![CDATA[<b><c><d>]]><b c='/>'/></a>",
        "<a><b xmlns:x='u:1' y=''></b><c xmlns:x='u:1'/></a>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(refused); i++) {
        fg_err_t err = FG_ERR_INIT;
        assert_false(fg_xml_scan(fg_str(refused[i]), &limits, &err));
        assert_err(&err, FG_E_XML_LIMIT);
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(accepted); i++) {
        fg_err_t err = FG_ERR_INIT;
        bool good = fg_xml_scan(fg_str(accepted[i]), &limits, &err);
        assert_true(i == 0 ? !good && err.code == FG_E_XML_MALFORMED : good);
    }
}

/* Makes `head` + n times `item` + `tail`, with %u in item the counter. */
static bool parse_repeated(const char *head, const char *item, unsigned n, const char *tail, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(4u << 20);
    fg_buf_puts(&text, head);
    for (unsigned i = 0; i < n; i++)
        fg_buf_printf(&text, item, i);
    fg_buf_puts(&text, tail);
    assert_true(fg_buf_ok(&text));
    bool good = fg_xml_parse(arena, fg_buf_str(&text), NULL, err) != NULL;
    fg_buf_free(&text);
    return good;
}

/* XP-04, XP-05, XP-06, XP-09 and the number of elements: the last that is accepted, the first that is refused */
static void limits_hold_exactly(void **state) {
    (void)state;
    static const struct {
        const char *id, *head, *item, *tail;
        unsigned accepted;
    } rows[] = {
        {"XP-05 attributes", "<a", " b%u=''", "/>", 64},
        {"XP-06 namespaces", "<a", " xmlns:b%u='urn:b'", "/>", 64},
        {"elements", "<a>", "<b/>", "</a>", 19999},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        if (!parse_repeated(rows[i].head, rows[i].item, rows[i].accepted, rows[i].tail, &err))
            fail_msg("%s: %s", rows[i].id, err.detail);
        assert_false(parse_repeated(rows[i].head, rows[i].item, rows[i].accepted + 1, rows[i].tail, &err));
        assert_err(&err, FG_E_XML_LIMIT);
    }
    for (unsigned depth = 64; depth <= 65; depth++) { /* XP-04 */
        fg_err_t err = FG_ERR_INIT;
        char closing[5 * 65] = "";
        for (unsigned i = 0; i < depth; i++)
            memcpy(closing + 4 * i, "</a>", 5);
        assert_int_equal(parse_repeated("", "<a>", depth, closing, &err), depth == 64);
        assert_err(&err, depth == 64 ? FG_OK : FG_E_XML_LIMIT);
    }
    for (unsigned more = 0; more <= 1; more++) { /* XP-09 */
        fg_err_t err = FG_ERR_INIT;
        assert_int_equal(parse_repeated("<a>", "x", (256u << 10) - 7 + more, "</a>", &err), !more);
        assert_err(&err, more ? FG_E_XML_LIMIT : FG_OK);
    }
}

/* XP-11: an XInclude stays an element like others */
static void nothing_is_included(void **state) {
    (void)state;
    xmlNode *a = root("<a xmlns:i='http://www.w3.org/2001/XInclude'><i:include href='/etc/passwd' parse='text'/></a>");
    assert_true(fg_xml_is(fg_xml_first_child(a), "http://www.w3.org/2001/XInclude", "include"));
    assert_null(fg_xml_first_child(a)->next);
}

/* ---- views ---- */

/* XP-14 */
static void names_are_compared_with_their_namespace(void **state) {
    (void)state;
    xmlNode *a = root("<a xmlns='urn:1'>text<x:b xmlns:x='urn:2' c='1' x:c='2'/><b xmlns=''/><!--b--><b/><b/></a>");
    unsigned count;
    assert_true(fg_xml_is(a, "urn:1", "a"));
    assert_false(fg_xml_is(a, "urn:2", "a"));
    assert_false(fg_xml_is(a, NULL, "a"));
    assert_false(fg_xml_is(a->children, "urn:1", "a"));
    assert_false(fg_xml_is(NULL, "urn:1", "a"));
    xmlNode *b = fg_xml_first_child(a);
    assert_true(fg_xml_is(b, "urn:2", "b"));
    assert_true(fg_xml_is(fg_xml_next(b), NULL, "b"));
    assert_ptr_equal(fg_xml_child(a, "urn:2", "b", &count), b);
    assert_int_equal(count, 1);
    assert_non_null(fg_xml_child(a, "urn:1", "b", &count));
    assert_int_equal(count, 2);
    assert_null(fg_xml_child(a, "urn:3", "b", &count));
    assert_int_equal(count, 0);
    assert_true(fg_str_is(fg_xml_attr(arena, b, NULL, "c"), "1"));
    assert_true(fg_str_is(fg_xml_attr(arena, b, "urn:2", "c"), "2"));
    assert_null(fg_xml_attr(arena, b, "urn:1", "c").p);
    fg_err_t err = FG_ERR_INIT;
    assert_ptr_equal(fg_xml_only_child(a, "urn:2", "b", &err), b);
    assert_null(fg_xml_only_child(a, "urn:1", "b", &err));
    assert_err(&err, FG_E_XML_STRUCTURE);
}

/* XS-19: never cut short */
static void text_is_read_whole(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    static const char *const same[] = {
        "<a>admin@x</a>",
        "<a>admin<!-- -->@x</a>",
        "<a><![CDATA[admin]]>@x</a>",
        "<a><!---->adm<![CDATA[in@]]>&#120;</a>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(same); i++)
        assert_true(fg_str_is(fg_xml_text(arena, root(same[i]), &err), "admin@x"));
    assert_null(fg_xml_text(arena, root("<a>admin<b/>@x</a>"), &err).p);
    assert_err(&err, FG_E_XML_STRUCTURE);
    fg_str_t empty = fg_xml_text(arena, root("<a/>"), &err);
    assert_true(empty.p != NULL && empty.n == 0);
    assert_true(fg_str_is(fg_xml_text(arena, root("<a> \n x&lt;y &amp;amp;</a>"), &err), " \n x<y &amp;"));
    assert_true(fg_str_is(fg_xml_token(arena, root("<a> \n x y\t</a>"), &err), "x y"));
    assert_true(
        fg_str_is(fg_xml_attr(arena, root("<a b='&lt;x&amp;&#10;&quot;&#38;amp;'/>"), NULL, "b"), "<x&\n\"&amp;"));
    fg_str_t none = fg_xml_attr(arena, root("<a b=''/>"), NULL, "b");
    assert_true(none.p != NULL && none.n == 0);
}

static void canonical_form_is_exclusive_and_has_no_comments(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1000);
    xmlNode *a = root(
        "<a xmlns='urn:1' xmlns:x='urn:2' xmlns:y='urn:3'><b  c = '1' a='2'><!--no--><x:d/><![CDATA[<]]></b>\n</a>");
    assert_true(fg_xml_canonical(fg_xml_first_child(a), &out, &err));
    assert_string_equal(out.data, "<b xmlns=\"urn:1\" a=\"2\" c=\"1\"><x:d xmlns:x=\"urn:2\"></x:d>&lt;</b>");
    fg_buf_reset(&out);
    char y[] = "y", *prefixes[] = {y, NULL};
    assert_true(fg_xml_canonical_without(fg_xml_first_child(a), fg_xml_first_child(fg_xml_first_child(a)), prefixes,
                                         &out, &err));
    assert_string_equal(out.data, "<b xmlns=\"urn:1\" xmlns:y=\"urn:3\" a=\"2\" c=\"1\">&lt;</b>");
    fg_buf_free(&out);
    fg_buf_t small = FG_BUF_INIT(10);
    assert_false(fg_xml_canonical(a, &small, &err));
    assert_err(&err, FG_E_XML_LIMIT);
    fg_buf_free(&small);
    /* XS-16: a relative namespace URI has no canonical form */
    assert_false(fg_xml_canonical(root("<a xmlns='relative'/>"), &out, &err));
    assert_err(&err, FG_E_XML_STRUCTURE);
    fg_buf_free(&out);
}

static xmlExternalEntityLoader first_loader; /* before anything was started */

/* other users of libxml2 in the process keep theirs */
static void start_keeps_the_entity_loader(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_ptr_equal(xmlGetExternalEntityLoader(), first_loader);
    assert_true(fg_xml_start(&err));
    assert_true(fg_xml_start(&err));
    assert_ptr_equal(xmlGetExternalEntityLoader(), first_loader);
}

/* ---- vectors ---- */

static json_t *load_manifest(const char *folder) {
    const char *vectors = test_vectors();
    char path[1024];
    if (vectors == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/%s/manifest.json", vectors, folder);
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static void bombs_of_the_vectors(void **state) {
    (void)state;
    json_t *manifest = load_manifest("xml-bombs"), *entry;
    size_t i;
    if (manifest == NULL)
        skip();
    json_array_foreach(json_object_get(manifest, "entries"), i, entry) {
        char path[1024];
        size_t length;
        fg_err_t err = FG_ERR_INIT;
        const char *name = json_string_value(json_object_get(entry, "file"));
        bool valid = strcmp(json_string_value(json_object_get(entry, "verdict")), "valid") == 0;
        const char *reason = json_string_value(json_object_get(entry, "reason"));
        snprintf(path, sizeof path, "%s/xml-bombs/%s", test_vectors(), name);
        char *data = test_file(path, &length);
        assert_non_null(data);
        bool good = fg_xml_parse(arena, (fg_str_t){data, length}, NULL, &err) != NULL;
        fg_code_t code = valid ? FG_OK : strcmp(reason, "doctype") == 0 ? FG_E_XML_DTD : FG_E_XML_LIMIT;
        if (good != valid || err.code != code)
            fail_msg("%s: %s", name, err.detail);
        free(data);
    }
    json_decref(manifest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_documents_are_refused_and_controls_accepted, begin, end),
        cmocka_unit_test(a_cut_document_is_told_as_cut_at_every_byte),
        cmocka_unit_test(a_mistake_is_not_taken_for_a_cut),
        cmocka_unit_test_setup_teardown(the_scan_knows_references_itself, begin, end),
        cmocka_unit_test_setup_teardown(limits_see_what_the_parser_sees, begin, end),
        cmocka_unit_test_setup_teardown(limits_hold_exactly, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_included, begin, end),
        cmocka_unit_test_setup_teardown(names_are_compared_with_their_namespace, begin, end),
        cmocka_unit_test_setup_teardown(text_is_read_whole, begin, end),
        cmocka_unit_test_setup_teardown(canonical_form_is_exclusive_and_has_no_comments, begin, end),
        cmocka_unit_test_setup_teardown(start_keeps_the_entity_loader, begin, end),
        cmocka_unit_test_setup_teardown(bombs_of_the_vectors, begin, end),
    };
    fg_err_t err = FG_ERR_INIT;
    first_loader = xmlGetExternalEntityLoader();
    if (!fg_xml_start(&err))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
