/* SPDX-License-Identifier: GPL-2.0-or-later
 * The canonical form beside libxml2's: every document of the vectors, odd ones by hand, and many made at random. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libxml/c14n.h>

#include "core/xml.h"

#define SUBTREES_MAX 60u /* of one document */
#define OUTPUT_MAX (16u << 20)

static const fg_xml_limits_t wide = {.bytes = 4u << 20, .depth = 200, .elements = 100000, .attributes = 200, .namespaces = 200};

/* ---- libxml2's ---- */

typedef struct selection {
    const xmlNode *element, *without;
} selection_t;

static int is_selected(void *data, xmlNodePtr node, xmlNodePtr parent) {
    const selection_t *selection = data;
    const xmlNode *at = node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;
    for (; at != NULL && at != selection->without; at = at->parent)
        if (at == selection->element)
            return 1;
    return 0;
}

static int write_to_buffer(void *data, const char *bytes, int length) {
    fg_buf_add(data, bytes, (size_t)length);
    return length;
}

static void ignore(void *data, xmlErrorPtr error) { (void)data, (void)error; }

static bool by_libxml2(const xmlNode *element, const xmlNode *without, char **prefixes, fg_buf_t *out) {
    selection_t selection = {element, without};
    xmlOutputBuffer *sink = xmlOutputBufferCreateIO(write_to_buffer, NULL, out, NULL);
    xmlSetStructuredErrorFunc(NULL, ignore);
    int result = xmlC14NExecute(element->doc, is_selected, &selection, XML_C14N_EXCLUSIVE_1_0, (xmlChar **)prefixes, 0, sink);
    int written = xmlOutputBufferClose(sink);
    xmlSetStructuredErrorFunc(NULL, NULL);
    return result >= 0 && written >= 0;
}

/* ---- comparing ---- */

static unsigned compared;

static void compare(const char *name, xmlNode *element, const xmlNode *without, char **prefixes) {
    fg_buf_t ours = FG_BUF_INIT(OUTPUT_MAX), theirs = FG_BUF_INIT(OUTPUT_MAX);
    fg_err_t err = FG_ERR_INIT;
    bool by_us = fg_xml_canonical_without(element, without, prefixes, &ours, &err);
    if (by_libxml2(element, without, prefixes, &theirs) && (!by_us || !fg_str_eq(fg_buf_str(&ours), fg_buf_str(&theirs))))
        fail_msg("%s: <%s> %s\nours:    %.3000s\nlibxml2: %.3000s", name, (const char *)element->name, err.detail, ours.data, theirs.data);
    compared++;
    fg_buf_free(&ours);
    fg_buf_free(&theirs);
}

/* Every prefix that the document declares anywhere, and one that it does not. */
static unsigned collect_prefixes(const xmlNode *node, char **prefixes, unsigned count, unsigned max) {
    for (; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        for (const xmlNs *ns = node->nsDef; ns != NULL && count < max; ns = ns->next)
            prefixes[count++] = (char *)(uintptr_t)(ns->prefix ? (const char *)ns->prefix : "#default");
        count = collect_prefixes(node->children, prefixes, count, max);
    }
    return count;
}

static void compare_subtree(const char *name, xmlNode *element, char **all, char **some) {
    char *none[] = {NULL};
    char *const default_only[] = {(char *)(uintptr_t)"#default", NULL};
    xmlNode *inner = fg_xml_first_child(element);
    compare(name, element, NULL, NULL);
    compare(name, element, NULL, none);
    compare(name, element, NULL, all);
    compare(name, element, inner, some);
    compare(name, element, inner ? fg_xml_next(inner) : NULL, (char **)(uintptr_t)default_only);
    if (inner != NULL)
        compare(name, element, fg_xml_first_child(inner), NULL);
}

static void compare_all(const char *name, xmlNode *element, char **all, char **some, unsigned *budget) {
    if (*budget == 0)
        return;
    --*budget;
    compare_subtree(name, element, all, some);
    for (xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node))
        compare_all(name, node, all, some, budget);
}

static bool compare_document(const char *name, fg_str_t bytes) {
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    xmlDoc *doc = fg_xml_parse(arena, bytes, &wide, &err);
    if (doc != NULL) {
        char *all[20] = {(char *)(uintptr_t)"unknown"}, *some[20] = {NULL};
        unsigned budget = SUBTREES_MAX, count = collect_prefixes(xmlDocGetRootElement(doc), all, 1, 19);
        for (unsigned i = 0; 2 * i < count; i++)
            some[i] = all[2 * i];
        compare_all(name, xmlDocGetRootElement(doc), all, some, &budget);
    }
    fg_arena_free(arena);
    return doc != NULL;
}

/* ---- the vectors ---- */

static void compare_folder(const char *folder) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[4096];
        struct stat what;
        if (entry->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path || stat(path, &what) != 0)
            continue;
        size_t length;
        const char *suffix = strrchr(entry->d_name, '.');
        if (S_ISDIR(what.st_mode)) {
            compare_folder(path);
        } else if (suffix != NULL && (strcmp(suffix, ".xml") == 0 || strcmp(suffix, ".wsdl") == 0)) {
            char *bytes = test_file(path, &length);
            assert_non_null(bytes);
            (void)compare_document(path, (fg_str_t){bytes, length});
            free(bytes);
        }
    }
    closedir(dir);
}

static void every_vector_has_the_same_form(void **state) {
    (void)state;
    if (test_vectors() == NULL)
        skip();
    compared = 0;
    compare_folder(test_vectors());
    print_message("%u canonical forms compared\n", compared);
    assert_true(compared > 2000);
}

/* ---- odd ones ---- */

static void odd_documents_have_the_same_form(void **state) {
    (void)state;
    static const char *const documents[] = {
        "<a/>",
        "<a xmlns='urn:1'><b xmlns=''><c xmlns='urn:1'/><c/></b></a>",
        "<a xmlns=''><b/></a>",
        "<p:a xmlns:p='urn:1' xmlns='urn:2'><b/><p:c xmlns=''><p:d/><e/></p:c></p:a>",
        "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:1' p:x='1'/></p:b><p:b/></p:a>",
        "<a xmlns:b='urn:2' xmlns:a='urn:1' b:z='1' a:y='2' z='3' y='4' a:a='5' b:a='6'><x a:q='1' b:p='2'/></a>",
        "<a xmlns:q='urn:1' xmlns:p='urn:1' p:y='1' q:x='2'/>",
        "<a xml:lang='de' xml:space='preserve' b='1'><xml:c/><d xml:id='x'/></a>",
        "<a t='&#9;&#10;&#13;&quot;&apos;&amp;&lt;&gt; x\ty\nz'>&#13;&#9;&quot;'&amp;&lt;&gt;]]&gt;\r\n</a>",
        "<a>x<!-- c -->y<![CDATA[<&>\"\r\n]]>z<![CDATA[]]></a>",
        "<a><!--one--><b><!--two--></b><!--three--></a>",
        "<a>\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80<b \xc3\xa4='\xc3\xb6'/></a>",
        "<a xmlns:u='urn:unused'><b xmlns:v='urn:unused-too'/></a>",
        "<a xmlns:p='urn:1'><b xmlns:p='urn:2'><c xmlns:p='urn:3'><p:d/></c><p:d/></b><p:d/></a>",
        "<a xmlns:p='http://x.example/?a=b#d'><p:b xmlns='urn:x'><c><p:d xmlns=''><e/></p:d></c></p:b></a>",
        "<a xmlns='urn:1'><p:b xmlns:p='urn:2' xmlns=''><p:c><d xmlns='urn:1'/></p:c></p:b></a>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(documents); i++)
        if (!compare_document(documents[i], fg_str(documents[i])))
            fail_msg("not read: %s", documents[i]);
}

static void instructions_are_kept(void **state) {
    (void)state;
    const char *text = "<a><?p   data &amp; ?><?q?><b/></a>"; /* our own scan would refuse them */
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    compare(text, xmlDocGetRootElement(doc), NULL, NULL);
    xmlFreeDoc(doc);
}

/* ---- made at random: few names, so that prefixes are bound anew, shadowed and undeclared all the time ---- */

static unsigned random_state;

static unsigned roll(unsigned sides) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 16) % sides;
}

static const char *const prefixes[] = {"", "p", "q", "r"};
static const char *const uris[] = {"urn:1", "urn:2", "urn:3", "urn:0"};

/* scope: the number of each prefix's namespace, 0 for none; returns by value what holds inside. */
typedef struct scope {
    unsigned char ns[FG_ARRAY_SIZE(prefixes)];
} scope_t;

static void put_random_attributes(fg_buf_t *out, const scope_t *scope) {
    bool taken[FG_ARRAY_SIZE(uris) + 1][3] = {{false}};
    for (unsigned i = roll(4); i > 0; i--) {
        unsigned prefix = roll(4), name = roll(3), ns = prefix ? scope->ns[prefix] : 0;
        if ((prefix > 0 && ns == 0) || taken[ns][name])
            continue;
        taken[ns][name] = true;
        fg_buf_printf(out, " %s%sa%u=\"%s\"", prefixes[prefix], prefix ? ":" : "", name, roll(2) ? "v&amp;&#10;" : ">'");
    }
}

static void put_random_element(fg_buf_t *out, scope_t scope, unsigned depth) {
    fg_buf_t declarations = FG_BUF_INIT(10000);
    for (unsigned i = 0; i < FG_ARRAY_SIZE(prefixes); i++) {
        if (roll(3) > 0)
            continue;
        bool undeclared = i == 0 && roll(3) == 0;
        scope.ns[i] = undeclared ? 0 : (unsigned char)(1 + roll(FG_ARRAY_SIZE(uris)));
        fg_buf_printf(&declarations, " xmlns%s%s=\"%s\"", i ? ":" : "", prefixes[i], undeclared ? "" : uris[scope.ns[i] - 1]);
    }
    unsigned prefix = roll(4);
    if (prefix > 0 && scope.ns[prefix] == 0)
        prefix = 0;
    fg_buf_printf(out, "<%s%se%s", prefixes[prefix], prefix ? ":" : "", declarations.data ? declarations.data : "");
    put_random_attributes(out, &scope);
    fg_buf_putc(out, '>');
    for (unsigned i = depth < 6 ? roll(4) : 0; i > 0; i--) {
        fg_buf_puts(out, roll(3) ? "t" : roll(2) ? "<!--c-->" : "<![CDATA[<]]>");
        put_random_element(out, scope, depth + 1);
    }
    fg_buf_printf(out, "</%s%se>", prefixes[prefix], prefix ? ":" : "");
    fg_buf_free(&declarations);
}

static void random_documents_have_the_same_form(void **state) {
    (void)state;
    for (unsigned made = 1; made <= 150; made++) {
        fg_buf_t text = FG_BUF_INIT(4u << 20);
        random_state = made;
        put_random_element(&text, (scope_t){{0}}, 0);
        assert_true(compare_document(text.data, fg_buf_str(&text)));
        fg_buf_free(&text);
    }
}

/* ---- what libxml2 has no word for ---- */

static void check_form(const char *text, const fg_xml_c14n_t *how, const char *expected) {
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_buf_t out = FG_BUF_INIT(1000);
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), NULL, &err);
    assert_non_null(doc);
    assert_true(fg_xml_canonical_as(fg_xml_first_child(xmlDocGetRootElement(doc)), how, &out, &err));
    assert_string_equal(out.data, expected);
    fg_buf_free(&out);
    fg_arena_free(arena);
}

/* WS-Security 1.1 §8.3: the token that a reference names is put as if it stood alone. */
static void token_as_if_alone(void **state) {
    (void)state;
    char *p_only[] = {(char *)(uintptr_t)"p", NULL};
    const fg_xml_c14n_t alone = {.as_alone = true}, alone_p = {.as_alone = true, .prefixes = p_only};
    static const char text[] = "<r xmlns:p='urn:1' xmlns:q='urn:2'><p:t a='1'><p:u xmlns='urn:3'><v/></p:u></p:t></r>";
    check_form(text, &(fg_xml_c14n_t){.as_alone = false}, "<p:t xmlns:p=\"urn:1\" a=\"1\"><p:u><v xmlns=\"urn:3\"></v></p:u></p:t>");
    check_form(text, &alone, "<p:t xmlns=\"\" xmlns:p=\"urn:1\" a=\"1\"><p:u xmlns=\"urn:3\"><v></v></p:u></p:t>");
    check_form("<r xmlns='urn:d' xmlns:p='urn:1'><p:t><u/></p:t></r>", &alone,
               "<p:t xmlns=\"urn:d\" xmlns:p=\"urn:1\"><u></u></p:t>");
    check_form("<r xmlns='urn:d' xmlns:p='urn:1'><t xmlns=''><u/></t></r>", &alone, "<t xmlns=\"\"><u></u></t>");
    check_form("<r xmlns='urn:d' xmlns:p='urn:1'><t><u/></t></r>", &alone_p, "<t xmlns=\"urn:d\" xmlns:p=\"urn:1\"><u></u></t>");
    check_form("<r xmlns:p='urn:0'><t xmlns:p='urn:1'><u/></t></r>", &alone_p, "<t xmlns=\"\" xmlns:p=\"urn:1\"><u></u></t>");
}

static void relative_namespaces_have_no_form(void **state) { /* XS-16 */
    (void)state;
    static const struct {
        const char *text;
        bool has_form;
    } rows[] = {
        {"<a xmlns='urn:x'/>", true},       {"<a xmlns='relative'/>", false},       {"<a xmlns:p='../x'/>", false},
        {"<a xmlns:p='a.b+c-1:x'/>", true}, {"<a><b c:d='' xmlns:c='#x'/></a>", false},
        {"<a xmlns:p='/x'><b/></a>", false}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_arena_t *arena = fg_arena_new(0);
        fg_buf_t ours = FG_BUF_INIT(1000), theirs = FG_BUF_INIT(1000);
        xmlDoc *doc = fg_xml_parse(arena, fg_str(rows[i].text), NULL, &err);
        assert_non_null(doc);
        assert_int_equal(fg_xml_canonical(xmlDocGetRootElement(doc), &ours, &err), rows[i].has_form);
        assert_int_equal(by_libxml2(xmlDocGetRootElement(doc), NULL, NULL, &theirs), rows[i].has_form);
        fg_buf_free(&ours);
        fg_buf_free(&theirs);
        fg_arena_free(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_documents_have_the_same_form),    cmocka_unit_test(instructions_are_kept),
        cmocka_unit_test(random_documents_have_the_same_form), cmocka_unit_test(every_vector_has_the_same_form),
        cmocka_unit_test(token_as_if_alone),                   cmocka_unit_test(relative_namespaces_have_no_form),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_xml_start(&err))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
