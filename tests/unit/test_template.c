/* SPDX-License-Identifier: GPL-2.0-or-later
 * The pages' template language: what it writes, what it refuses, and that values stay values (SA-12). */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/colour.h"
#include "gateway/template.h"

typedef struct piece {
    const char *name, *content;
} piece_t;

static const piece_t texts[] = {
    {"hello", "Hello {name}!"}, {"markup", "a < b & \"c\""},  {"open", "Hello {name"},
    {"close", "Hello }"},       {"strange", "Hello {na me}"}, {"dotted.key_2", "dotted"},
};

static const char *page; /* the page under test */
static const piece_t files[] = {
    {"part.html", "<b>{{name}}</b>"},
    {"self.html", "x{{>self.html}}"},
    {"opens.html", "{{#name}}"},
    {"closes.html", "{{/name}}"},
    {"tag.html", "<p "},
};

static bool get_file(void *context, fg_str_t name, const char **path, fg_str_t *text, fg_err_t *err) {
    (void)context;
    *path = "page.html";
    *text = fg_str(fg_str_is(name, "page.html") ? page : NULL);
    for (size_t i = 0; i < FG_ARRAY_SIZE(files) && text->p == NULL; i++)
        if (fg_str_is(name, files[i].name)) {
            *path = files[i].name;
            *text = fg_str(files[i].content);
        }
    return text->p != NULL || FG_FAIL(err, FG_E_CONFIG, "found no file %.*s", FG_STR_ARG(name));
}

static fg_str_t get_text(void *context, fg_str_t key, const char **path) {
    (void)context;
    *path = "texts.json";
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        if (fg_str_is(key, texts[i].name))
            return fg_str(texts[i].content);
    return FG_STR_NONE;
}

static const fg_template_parts_t parts = {get_file, get_text, NULL};

/* Renders a page over a model in JSON (' stands for "); the caller frees. */
static char *render(const char *source, const char *model) {
    char json[512];
    snprintf(json, sizeof json, "%s", model);
    for (char *p = json; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    fg_err_t err = FG_ERR_INIT;
    page = source;
    fg_template_t *template = fg_template_compile("page.html", &parts, &err);
    if (template == NULL)
        print_error("%s\n", err.detail);
    assert_non_null(template);
    json_t *object = json_loads(json, 0, NULL);
    assert_non_null(object);
    fg_buf_t out = FG_BUF_INIT(1 << 20);
    fg_buf_puts(&out, "");
    fg_template_render(template, object, &out);
    char *text = fg_buf_take(&out, NULL);
    assert_non_null(text);
    json_decref(object);
    fg_template_free(template);
    return text;
}

typedef struct sample {
    const char *source, *model, *expected;
} sample_t;

static void check_samples(const sample_t *samples, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *text = render(samples[i].source, samples[i].model);
        assert_string_equal(text, samples[i].expected);
        free(text);
    }
}

static void values_sections_texts_and_files(void **state) {
    (void)state;
    static const sample_t samples[] = {
        {"", "{}", ""},
        {"plain }} text", "{}", "plain }} text"},
        {"{{a}}{{ b }}{{c}}", "{'a':'x','b':-7}", "x-7"},
        {"a{{! <script> {{a }}b", "{}", "ab"},
        {"{{#l}}[{{n}}{{o}}]{{/l}}", "{'o':'!','l':[{'n':'a'},{'n':'b','o':'?'},{}]}", "[a!][b?][!]"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{'l':[]}", "none"},
        {"{{?l}}some:{{#l}}{{n}}{{/l}}{{/l}}", "{'l':[{'n':'a'},{'n':'b'}]}", "some:ab"},
        {"{{#f}}1{{/f}}{{^f}}0{{/f}}", "{'f':true}", "1"},
        {"{{#f}}1{{/f}}{{^f}}0{{/f}}", "{'f':false}", "0"},
        {"{{#f}}1{{/f}}{{^f}}0{{/f}}", "{'f':null}", "0"},
        {"{{#f}}1{{/f}}{{^f}}0{{/f}}", "{'f':''}", "0"},
        {"{{#f}}1{{/f}}{{^f}}0{{/f}}", "{'f':0}", "0"},
        {"{{#f}}{{f}}{{/f}}", "{'f':'text'}", "text"},
        {"{{#o}}{{x}}{{/o}}{{x}}", "{'o':{'x':'in'},'x':'out'}", "inout"},
        {"{{#a}}{{#b}}{{#c}}{{#a}}.{{/a}}{{/c}}{{/b}}{{/a}}", "{'a':[{},{}],'b':[{},{}],'c':[{}]}", "........"},
        {"{{t.hello}}", "{'name':'Bob'}", "Hello Bob!"},
        {"{{t.markup}}{{t.dotted.key_2}}", "{}", "a &lt; b &amp; &#34;c&#34;dotted"},
        {"<p>{{>part.html}}{{> part.html }}</p>", "{'name':'n'}", "<p><b>n</b><b>n</b></p>"},
        {"<i {{#a}}class=\"x\" {{/a}}>", "{'a':true}", "<i class=\"x\" >"},
        {"<style>a{color:{{c}}}</style>", "{'c':'#1a2b3c'}", "<style>a{color:#1a2b3c}</style>"},
    };
    check_samples(samples, FG_ARRAY_SIZE(samples));
}

/* SA-12; the control of each is its harmless sibling above or beside it */
static void values_stay_values(void **state) {
    (void)state;
    static const sample_t samples[] = {
        {"{{v}}", "{'v':'<script>alert(1)</script>&amp;'}", "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"},
        {"<a title=\"{{v}}\">", "{'v':'\\u0022 onclick=x \\u0027'}", "<a title=\"&#34; onclick=x &#39;\">"},
        {"<a title='{{v}}'>", "{'v':'\\u0027>'}", "<a title='&#39;&gt;'>"},
        {"{{v}}", "{'v':'a\\u0001\\u007f\\r\\n\\tb'}", "a\xef\xbf\xbd\xef\xbf\xbd&#13;&#10;\tb"},
        {"{{v}}", "{'v':'{{n}} {n} {{t.hello}}','n':'no'}", "{{n}} {n} {{t.hello}}"},
        {"{{t.hello}}", "{'name':'<b>{name}'}", "Hello &lt;b&gt;{name}!"},
        {"<a href=\"{{v}}\">", "{'v':'https://x.example/?a=1&b=2'}", "<a href=\"https://x.example/?a=1&amp;b=2\">"},
        {"<a href=\"{{v}}\">", "{'v':'/adfs/ls/?wa=x'}", "<a href=\"/adfs/ls/?wa=x\">"},
        {"<a href=\"{{v}}\">", "{'v':'javascript:alert(1)'}", "<a href=\"about:blank\">"},
        {"<a href=\"{{v}}\">", "{'v':' javascript:alert(1)'}", "<a href=\"about:blank\">"},
        {"<a href=\"{{v}}\">", "{'v':'JAVASCRIPT:alert(1)'}", "<a href=\"about:blank\">"},
        {"<a href=\"{{e}}{{v}}\">", "{'v':'javascript:alert(1)'}", "<a href=\"about:blank\">"},
        {"<iframe SRC='{{v}}'>", "{'v':'data:text/html,<script>'}", "<iframe SRC='about:blank'>"},
        {"<form action = \"{{v}}\">", "{'v':'vbscript:x'}", "<form action = \"about:blank\">"},
        {"<a href=\"/x?y={{v}}\">", "{'v':'javascript:x'}", "<a href=\"/x?y=javascript:x\">"},
        {"<style>a{color:{{v}}}</style>{{v}}", "{'v':'red}b{'}", "<style>a{color:}</style>red}b{"},
        {"<style>a{color:{{v}}}</style>", "{'v':'</style>'}", "<style>a{color:}</style>"},
    };
    check_samples(samples, FG_ARRAY_SIZE(samples));
}

static void refusals_name_the_place(void **state) {
    (void)state;
    static const struct {
        const char *source, *expected;
    } samples[] = {
        {"ab\n\xc3\xa4 {{Name}}", "page.html:2:3: found \"Name\", expected a name"},
        {"{{name", "page.html:1:1: found \"{{name\", expected \"}}\""},
        {"{{}}", "page.html:1:1: found \"\", expected a name"},
        {"{{{name}}}", "expected a name"},
        {"{{&name}}", "expected a name"},
        {"{{#a}}", "page.html:1:7: found \"end of file\", expected the end of an open section"},
        {"{{#a}}{{#b}}{{/a}}{{/b}}", "page.html:1:13: found \"a\", expected the end of section \"b\""},
        {"{{/a}}", "expected a section opened before it"},
        {"{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}", "page.html:1:49: found \"a\", expected at most 8"},
        {"{{t.nothing}}", "page.html:1:1: found \"nothing\", expected the key of a text"},
        {"{{t.open}}", "texts.json:1:7: found \"{name\""},
        {"{{t.close}}", "texts.json:1:7: found \"}\""},
        {"{{t.strange}}", "texts.json:1:7: found"},
        {"{{>nothing.html}}", "found no file nothing.html"},
        {"{{>../etc}}", "expected a file name"},
        {"{{>self.html}}", "self.html:1:2: found \"self.html\", expected a file name, and at most 4"},
        {"{{>opens.html}}{{/name}}", "opens.html:1:10: found \"end of file\""},
        {"{{#name}}{{>closes.html}}", "closes.html:1:1: found \"name\""},
        {"<a title={{v}}>", "expected values only between tags"},
        {"<a {{v}}=\"x\">", "expected values only between tags"},
        {"<{{v}}>", "expected values only between tags"},
        {"<a onclick=\"{{v}}\">", "expected values only between tags"},
        {"<a style=\"{{v}}\">", "expected values only between tags"},
        {"<iframe srcdoc=\"{{v}}\">", "expected values only between tags"},
        {"<script>{{v}}</script>", "expected values only between tags"},
        {"<script>x</b>{{v}}</script>", "expected values only between tags"},
        {"<SCRIPT nonce=\"x\">{{t.hello}}</SCRIPT>", "expected values only between tags"},
        {"<!-- {{v}} -->", "expected values only between tags"},
        {"<style>{{t.hello}}</style>", "expected texts only"},
        {"<a href=\"{{t.hello}}\">", "expected texts only"},
        {"{{#a}}<a title=\"{{/a}}\">", "expected the section's end at the same place"},
        {"<a href=\"{{#a}}/{{/a}}{{v}}\">", "expected the section's end at the same place"},
        {"<p", "expected the end of a tag"},
        {"{{>tag.html}}", "expected the end of a tag"},
        {"<script>", "expected the end of a tag"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(samples); i++) {
        fg_err_t err = FG_ERR_INIT;
        page = samples[i].source;
        assert_null(fg_template_compile("page.html", &parts, &err));
        if (strstr(err.detail, samples[i].expected) == NULL)
            fail_msg("%s\n gives: %s\n not: %s", page, err.detail, samples[i].expected);
        assert_err(&err, FG_E_CONFIG);
    }
}

static void output_is_bounded(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    page = "{{#l}}{{#l}}{{#l}}{{#l}}xxxxxxxx{{/l}}{{/l}}{{/l}}{{/l}}";
    fg_template_t *template = fg_template_compile("page.html", &parts, &err);
    json_t *model = json_object(), *list = json_array();
    for (int i = 0; i < 100; i++)
        json_array_append_new(list, json_object());
    json_object_set_new(model, "l", list);
    fg_buf_t out = FG_BUF_INIT(10000);
    fg_template_render(template, model, &out);
    assert_false(fg_buf_ok(&out));
    assert_in_range(out.length, 9000, 10000);
    fg_buf_free(&out);
    json_decref(model);
    fg_template_free(template);
}

/* The accent reads well on both surfaces whatever the brand's colour is; one that does already stays. */
static void colours_get_their_contrast(void **state) {
    (void)state;
    static const char *const brands[] = {"#ffffff", "#000000", "#ffff00", "#808080",
                                         "#ff0000", "#00ff00", "#0000FF", "#e07a00"};
    char colour[FG_COLOUR_SIZE];
    for (size_t i = 0; i < FG_ARRAY_SIZE(brands); i++) {
        fg_colour_readable(brands[i], "#eef1f6", colour);
        assert_true(fg_colour_contrast(colour, "#eef1f6") >= 4.5);
        fg_colour_readable(brands[i], "#1d2633", colour);
        assert_true(fg_colour_contrast(colour, "#1d2633") >= 4.5);
    }
    fg_colour_readable("#1f5fa8", "#eef1f6", colour);
    assert_string_equal(colour, "#1f5fa8");
    assert_true(fg_colour_contrast("#000000", "#ffffff") > 20.9);
    assert_true(fg_colour_is_valid("#12aBcd"));
    static const char *const bad[] = {"", "red", "#fff", "#12345g", "#1234567", "1234567"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++)
        assert_false(fg_colour_is_valid(bad[i]));
    assert_false(fg_colour_is_valid(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_sections_texts_and_files), cmocka_unit_test(values_stay_values),
        cmocka_unit_test(refusals_name_the_place),         cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(colours_get_their_contrast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
