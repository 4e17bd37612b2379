/* SPDX-License-Identifier: GPL-2.0-or-later
 * The claim rule language: rules.txt with claims in and out, the grammar, what is said about mistakes, and the limits.
 */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/rules.h"

#define NAME_SIZE 100

static int setup(void **state) {
    *state = fg_arena_new(256u << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    fg_arena_free(*state);
    return 0;
}

static fg_ruleset_t *compile(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    fg_ruleset_t *set = fg_ruleset_compile("f", fg_str(text), NULL, &err);
    if (set == NULL)
        fail_msg("%s\n%s", err.detail, text);
    return set;
}

static void put(fg_arena_t *arena, fg_claims_t *claims, const char *type, const char *value) {
    assert_true(fg_claims_put(arena, claims, type, fg_str(value)));
}

/* ---- cases from the file */

typedef struct cases {
    fg_arena_t *arena;
    char name[NAME_SIZE];
    fg_buf_t rules;
    fg_claims_t input, expected;
    const char *decision; /* NULL: not asked */
    size_t count;
} cases_t;

/* TYPE | VALUE | ISSUER */
static void read_claim(cases_t *c, fg_str_t line, fg_claims_t *claims) {
    fg_str_t parts[3] = {{0}};
    for (size_t i = 0; i < 3 && line.p != NULL; i++) {
        const char *bar = memmem(line.p, line.n, " | ", 3);
        size_t length = bar ? (size_t)(bar - line.p) : line.n;
        parts[i] = fg_str_trim((fg_str_t){line.p, length});
        line = bar ? (fg_str_t){bar + 3, line.n - length - 3} : FG_STR_NONE;
    }
    fg_claim_t claim = {.type = parts[0], .value = parts[1], .issuer = parts[2]};
    const char *prefix = fg_str_starts(claim.type, "5:")   ? FG_CLAIMS_2005
                         : fg_str_starts(claim.type, "8:") ? FG_CLAIMS_2008
                                                           : NULL;
    if (prefix != NULL)
        claim.type = fg_str(fg_arena_printf(c->arena, "%s%.*s", prefix, (int)claim.type.n - 2, claim.type.p + 2));
    assert_true(fg_claims_add(c->arena, claims, &claim));
}

static void compare(const cases_t *c, const fg_claims_t *claims) {
    bool same = claims->count == c->expected.count;
    for (size_t i = 0; same && i < claims->count; i++) {
        const fg_claim_t *a = &claims->items[i], *b = &c->expected.items[i];
        fg_str_t issuer = a->issuer.n > 0 ? a->issuer : FG_STR("LOCAL AUTHORITY"),
                 wanted = b->issuer.n > 0 ? b->issuer : issuer;
        same = fg_str_eq(a->type, b->type) && fg_str_eq(a->value, b->value) && fg_str_eq(issuer, wanted);
    }
    for (size_t i = 0; !same && i < claims->count; i++)
        print_error("  %.*s | %.*s | %.*s\n", FG_STR_ARG(claims->items[i].type), FG_STR_ARG(claims->items[i].value),
                    FG_STR_ARG(claims->items[i].issuer));
    if (!same)
        fail_msg("%s: these came out", c->name);
}

static void run_case(cases_t *c) {
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t out;
    if (c->name[0] == '\0')
        return;
    c->count++;
    fg_ruleset_t *set = fg_ruleset_compile(c->name, fg_buf_str(&c->rules), NULL, &err);
    if (set == NULL || !fg_ruleset_run(set, c->arena, NULL, &c->input, &out, &err))
        fail_msg("%s", err.detail);
    compare(c, &out.claims);
    if (c->decision != NULL) {
        bool permitted = fg_ruleset_authorize(set, c->arena, NULL, &c->input, &err);
        if (permitted != (strcmp(c->decision, "permit") == 0))
            fail_msg("%s: %s", c->name, err.detail);
        if (!permitted)
            assert_err(&err, FG_E_DENIED);
    }
    fg_ruleset_free(set);
}

static void begin_case(cases_t *c, fg_str_t name) {
    run_case(c);
    snprintf(c->name, sizeof c->name, "%.*s", FG_STR_ARG(name));
    fg_buf_reset(&c->rules);
    c->input = c->expected = (fg_claims_t){0};
    c->decision = NULL;
}

static void read_line(cases_t *c, fg_str_t line) {
    fg_str_t rest = line.n > 2 ? (fg_str_t){line.p + 2, line.n - 2} : FG_STR_NONE;
    if (fg_str_starts(line, "=== ")) {
        begin_case(c, (fg_str_t){line.p + 4, line.n - 4});
    } else if (c->name[0] != '\0' && fg_str_starts(line, "< ")) {
        read_claim(c, rest, &c->input);
    } else if (c->name[0] != '\0' && fg_str_starts(line, "> ")) {
        read_claim(c, rest, &c->expected);
    } else if (fg_str_starts(line, "? ")) {
        c->decision = fg_str_is(rest, "permit") ? "permit" : "deny";
    } else {
        fg_buf_put_str(&c->rules, line);
        fg_buf_putc(&c->rules, '\n');
    }
}

static void cases_from_documentation(void **state) {
    size_t length = 0;
    char *text = test_file("tests/unit/rules.txt", &length);
    cases_t c = {.arena = *state, .rules = FG_BUF_INIT(1 << 20)};
    assert_non_null(text);
    for (char *line = text; line < text + length;) {
        char *end = strchr(line, '\n');
        read_line(&c, (fg_str_t){line, (size_t)(end - line)});
        line = end + 1;
    }
    run_case(&c);
    assert_true(c.count >= 60);
    fg_buf_free(&c.rules);
    free(text);
}

/* ---- the grammar: each production, and what stands there instead */

static const struct {
    const char *text, *said; /* NULL: right */
} grammar[] = {
    {"", NULL},
    {"=> issue(Type=\"a\",Value=\"b\");", NULL},
    {"\xef\xbb\xbf=> issue(Type=\"a\",Value=\"b\");\r\n", NULL},
    {"@RuleName=\"n\" @RuleTemplate=\"t\" => issue(Type=\"a\",Value=\"b\");", NULL},
    {"@RuleNam=\"n\" => issue(Type=\"a\",Value=\"b\");",
     "f:1:2: found \"RuleNam\", expected RuleName, RuleTemplate or alias; did you mean \"RuleName\"?"},
    {"@RuleName \"n\"", "f:1:11: found the text \"n\", expected ="},
    {"@RuleName = n", "f:1:13: found \"n\", expected a text in quotes"},
    {"[] => add(Type=\"a\",Value=\"b\");", NULL},
    {"c:[Type==\"a\"] c:[] => issue(claim=c);", "f:1:15: found \"c\", expected && or =>"},
    {"c:[] && C:[] => issue(claim=c);", "f:1:9: found \"C\", expected a name that no other condition of this rule has"},
    {"exist([]) => issue(Type=\"a\",Value=\"b\");",
     "found \"exist\", expected a condition ([…], c:[…], exists, not exists, count) or =>; did you mean \"exists\"?"},
    {"not c:[] => issue(claim=c);", "f:1:5: found \"c\", expected exists"},
    {"exists[] => issue(Type=\"a\",Value=\"b\");", "f:1:7: found \"[\", expected ("},
    {"exists([]) => issue(Type=\"a\",Value=\"b\");", NULL},
    {"exists([] => issue(Type=\"a\",Value=\"b\");", "f:1:11: found \"=>\", expected )"},
    {"not exists([]) => issue(Type=\"a\",Value=\"b\");", NULL},
    {"count([]) => issue(Type=\"a\",Value=\"b\");", "f:1:11: found \"=>\", expected ==, !=, <, <=, > or >="},
    {"count([]) =~ 1 => issue(Type=\"a\",Value=\"b\");", "f:1:11: found \"=~\", expected =="},
    {"count([]) > \"1\" => issue(Type=\"a\",Value=\"b\");",
     "f:1:13: found the text \"1\", expected a number from 0 to 1000000"},
    {"count([]) > 99999999999999999999999 => issue(Type=\"a\",Value=\"b\");", "expected a number from 0 to 1000000"},
    {"count([]) > 1 && [] => issue(Type=\"a\",Value=\"b\");", NULL},
    {"c:[Typ == \"a\"] => issue(claim=c);", "f:1:4: found \"Typ\", expected Type, Value, ValueType, Issuer, "
                                            "OriginalIssuer, Properties[\"…\"] or an alias; did you mean \"Type\"?"},
    {"c:[Type \"a\"] => issue(claim=c);", "f:1:9: found the text \"a\", expected ==, !=, =~ or !~"},
    {"c:[Type = \"a\"] => issue(claim=c);", "f:1:9: found \"=\", expected ==, !=, =~ or !~"},
    {"c:[Type < \"a\"] => issue(claim=c);", "f:1:9: found \"<\", expected ==, !=, =~ or !~"},
    {"c:[Type == 1] => issue(claim=c);", "f:1:12: found \"1\", expected a text in quotes"},
    {"c:[Type == c.Value] => issue(claim=c);", "expected the name of a condition, of which this rule has none"},
    {"c:[] && d:[Value != c.Properties[\"p\"]] => issue(claim=d);", NULL},
    {"c:[Type == \"a\" Value == \"b\"] => issue(claim=c);", "f:1:16: found \"Value\", expected , or ]"},
    {"c:[Type == \"a\",] => issue(claim=c);", "f:1:16: found \"]\", expected Type"},
    {"c:[Properties == \"a\"] => issue(claim=c);", "f:1:15: found \"==\", expected ["},
    {"c:[Value =~ \"(\"] => issue(claim=c);",
     "f:1:13: found the text \"(\", expected a regular expression (missing closing parenthesis at character 1)"},
    {"c:[Value =~ \"[a\"] => issue(claim=c);", "expected a regular expression ("},
    {"c:[] => issu(claim=c);", "f:1:9: found \"issu\", expected issue, add, permit or deny; did you mean \"issue\"?"},
    {"c:[] issue(claim=c);", "f:1:6: found \"issue\", expected && or =>"},
    {"abc:[] => issue(claim=abd);",
     "f:1:23: found \"abd\", expected the name of a condition of this rule; did you mean \"abc\"?"},
    {"c:[] => issue(claim=\"c\");", "f:1:21: found the text \"c\", expected the name of a condition of this rule"},
    {"c:[] => issue(claim=c)", "f:1:23: found the end of the file, expected ;"},
    {"c:[] => issue(claim=c;", "f:1:22: found \";\", expected )"},
    {"=> issue();", "f:1:10: found \")\", expected Type"},
    {"=> issue(Type=\"a\");", "f:1:18: found \")\", expected , and Value = …"},
    {"=> issue(Value=\"a\");", "expected , and Type = …"},
    {"=> issue(Type=\"a\",Type=\"b\",Value=\"c\");", "f:1:19: found \"Type\", expected Type once only"},
    {"=> issue(Type==\"a\",Value=\"c\");", "f:1:14: found \"==\", expected ="},
    {"=> issue(Type=\"a\",Value=\"c\",Properties[\"p\"]=\"1\",Properties[\"p\"]=\"1\");",
     "expected each property once only"},
    {"=> issue(Type=\"a\",Value=\"b\"+);",
     "f:1:29: found \")\", expected a text in quotes, RegexReplace(…), or a claim's property as c.Value"},
    {"c:[] => issue(Type=\"a\",Value=c);", "f:1:31: found \")\", expected ."},
    {"c:[] => issue(Type=\"a\",Value=c.Valu);", "did you mean \"Value\"?"},
    {"c:[] => issue(Type=\"a\",Value=RegexReplce(c.Value,\"a\",\"b\"));",
     "f:1:30: found \"RegexReplce\", expected RegexReplace; did you mean \"RegexReplace\"?"},
    {"c:[] => issue(Type=\"a\",Value=REGEXREPLACE(c.Value,\"a\",c.Type+\"b\"));", NULL},
    {"c:[] => issue(Type=\"a\",Value=RegexReplace(c.Value,\"a\"));", "expected ,"},
    {"c:[] => issue(Type=\"a\",Value=RegexReplace(c.Value,c.Type,\"\"));", "expected a regular expression in quotes"},
    {"=> issue(Type=\"a,Value=b);\n", "f:1:15: found \"a,Value=b);, expected a text that ends with \" on its line"},
    {"=> issue(Type=\"a", "expected a text that ends with \""},
    {"=> issue(Type=\"a\x01\"", "expected a text without control characters"},
    {"=> issue(Type=“a”", "f:1:15: found \"“\", expected a text in straight quotes (\")"},
    {"/* x", "f:1:1: found \"/*\", expected a comment that ends with */"},
    {"=> issue(Type=\"å\", Valu=\"b\");", "f:1:20: found \"Valu\""},
    {"\n\n  ? ", "f:3:3: found \"?\", expected a word, a text or an operator of the claim rule language"},
    {"=> issue(store=\"s\",types=(\"a\"),query=\"q\");",
     "f:1:16: found the text \"s\", expected a rule without store: this gateway has no attribute store"},
    {"\xff", "f:1:1: found bytes that are not UTF-8"},
};

static void the_grammar(void **state) {
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(grammar); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_ruleset_t *set = fg_ruleset_compile("f", fg_str(grammar[i].text), NULL, &err);
        if ((set != NULL) != (grammar[i].said == NULL) || (set == NULL && strstr(err.detail, grammar[i].said) == NULL))
            fail_msg("%s\n%s", grammar[i].text, err.detail);
        if (set == NULL)
            assert_err(&err, FG_E_CONFIG);
        fg_ruleset_free(set);
    }
}

/* ---- attribute stores */

static bool query(const fg_rule_store_t *store, fg_arena_t *arena, fg_str_t text, const fg_str_t *params,
                  size_t param_count, const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err) {
    assert_string_equal(store->name, "AD");
    if (fg_str_is(text, "fail"))
        return FG_FAIL(err, FG_E_UNAVAILABLE, "it is away");
    assert_true(fg_str_is(text, ";mail,sn;{0}"));
    assert_int_equal(param_count, 2);
    for (size_t i = 0; i < type_count; i++) {
        fg_claim_t claim = {.type = types[i], .value = params[i]};
        if (!fg_claims_add(arena, out, &claim))
            return false;
    }
    return true;
}

static void attribute_stores(void **state) {
    static const char head[] = "c:[Type == \"urn:a\"] => issue(";
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"store = \"AD\", types = (\"urn:m\", \"urn:s\"), query = \";mail,sn;{0}\", param = c.Value, param = \"x\" + "
         "c.Type",
         NULL},
        {"query = \";mail,sn;{0}\", param = c.Value, types = (\"urn:m\", \"urn:s\"), param = \"x\" + c.Type, store = "
         "\"AD\"",
         NULL},
        {"store = \"ADD\", types = (\"urn:m\"), query = \"\"",
         "f:1:38: found the text \"ADD\", expected an attribute store of this gateway; did you mean \"AD\"?"},
        {"store = \"AD\", query = \"q\"", "expected , and types = …"},
        {"store = \"AD\", types = (\"urn:m\")", "expected , and query = …"},
        {"store = \"AD\", store = \"AD\"", "expected store once only"},
        {"store = \"AD\", types = ()", "expected a claim type in quotes"},
        {"store = \"AD\", typs = (\"a\")",
         "found \"typs\", expected store, types, query or param; did you mean \"types\"?"},
    };
    const fg_rule_store_t store = {"AD", query, NULL};
    const fg_rule_stores_t stores = {&store, 1};
    fg_claims_t input = {0};
    put(*state, &input, "urn:a", "v");
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_rule_output_t out;
        const char *text = fg_arena_printf(*state, "%s%s);", head, rows[i].text);
        fg_ruleset_t *set = fg_ruleset_compile("f", fg_str(text), &stores, &err);
        if ((set != NULL) != (rows[i].said == NULL) || (set == NULL && strstr(err.detail, rows[i].said) == NULL))
            fail_msg("%s\n%s", text, err.detail);
        if (set == NULL)
            continue;
        assert_true(fg_ruleset_run(set, *state, &stores, &input, &out, &err));
        assert_int_equal(out.claims.count, 2);
        assert_true(fg_str_is(out.claims.items[0].value, "v") && fg_str_is(out.claims.items[1].value, "xurn:a"));
        fg_ruleset_free(set);
    }
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t out;
    const fg_rule_stores_t any = {.any = true};
    fg_ruleset_t *unknown =
        fg_ruleset_compile("f", FG_STR("=> issue(store=\"XY\",types=(\"a\"),query=\"q\");"), &any, &err);
    assert_non_null(unknown);
    assert_false(fg_ruleset_run(unknown, *state, &any, &input, &out, &err));
    assert_string_equal(err.detail, "f:1: rule \"\": its attribute store is not there");
    fg_ruleset_free(unknown);
    fg_ruleset_t *set =
        fg_ruleset_compile("f", FG_STR("=> issue(store=\"AD\",types=(\"a\"),query=\"fail\");"), &stores, &err);
    assert_false(fg_ruleset_run(set, *state, &stores, &input, &out, &err));
    assert_err(&err, FG_E_UNAVAILABLE);
    fg_ruleset_free(set);
}

/* ---- properties and places */

static void properties_come_out(void **state) {
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t out;
    fg_claims_t none = {0};
    fg_ruleset_t *set =
        compile("\n@RuleName = \"second\"\n=> issue(Type=\"a\", Value=\"b\", Properties[\"p\"] = \"x\");\n"
                "c:[Type == \"a\"] => issue(claim = c);");
    assert_int_equal(fg_ruleset_get_count(set), 2);
    assert_true(fg_ruleset_run(set, *state, NULL, &none, &out, &err));
    assert_int_equal(out.claims.count, 1);
    assert_true(fg_str_is(out.claims.items[0].properties->name, "p") &&
                fg_str_is(out.claims.items[0].properties->value, "x"));
    assert_string_equal(out.places[0]->name, "second");
    assert_int_equal(out.places[0]->line, 3);
    fg_ruleset_free(set);
}

static void a_refusal_names_the_rule_and_no_value(void **state) {
    fg_err_t err = FG_ERR_INIT;
    fg_claims_t input = {0};
    fg_ruleset_t *set = compile("=> issue(Type=\"" FG_CLAIM_PERMIT "\", Value=\"true\");\n@RuleName=\"no guests\"\n"
                                "c:[Value==\"secret\"] => issue(Type=\"" FG_CLAIM_DENY "\", Value=c.Value);");
    put(*state, &input, "a", "other");
    assert_true(fg_ruleset_authorize(set, *state, NULL, &input, &err));
    put(*state, &input, "a", "secret");
    assert_false(fg_ruleset_authorize(set, *state, NULL, &input, &err));
    assert_err(&err, FG_E_DENIED);
    assert_string_equal(err.detail, "denied by rule \"no guests\", f:3");
    fg_ruleset_free(set);
}

/* ---- limits */

static void fails(void **state, const char *text, const fg_claims_t *input, const char *said) {
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t out;
    fg_ruleset_t *set = compile(text);
    clock_t before = clock();
    if (fg_ruleset_run(set, *state, NULL, input, &out, &err) || strstr(err.detail, said) == NULL)
        fail_msg("%s: %s", text, err.detail);
    assert_err(&err, FG_E_INTERNAL);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC <
                60); /* seconds, with the tools that look for errors, too */
    fg_ruleset_free(set);
}

static void limits(void **state) {
    fg_claims_t one = {0}, many = {0};
    char value[16], longer[60001];
    memset(longer, 'a', 60000);
    longer[60000] = '\0';
    put(*state, &one, "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    fails(state, "c:[Value =~ \"^(a+)+$\"] => issue(claim=c);", &one,
          "f:1: rule \"\": a regular expression takes too long on a claim");
    fails(state, "c:[] => issue(Type=\"b\", Value=RegexReplace(c.Value, \"^(a|a?)+$\", \"\"));", &one,
          "RegexReplace takes too long");
    fails(state, "c:[] => issue(Type=c.Properties[\"x\"], Value=\"b\");", &one, "an empty type");
    for (unsigned i = 0; i < 300; i++) {
        snprintf(value, sizeof value, "%u", i);
        put(*state, &many, "a", value);
    }
    fails(state, "a:[] && b:[] && c:[] && d:[] => issue(Type=\"b\", Value=\"c\");", &many,
          "too many combinations of claims fire rules");
    fails(state,
          "a:[] && b:[Value == a.Value] && c:[Value == b.Value] && d:[Value != c.Value] && exists([Value == d.Value])"
          " => issue(Type=\"b\", Value=\"c\");",
          &many, "too many combinations of claims are looked at");
    fails(state, "a:[] && b:[] => add(Type=\"b\", Value=a.Value + \" \" + b.Value);", &many, "more than 4000 claims");
    fails(state, "a:[] && b:[] => issue(Type=\"b\", Value=a.Value + \" \" + b.Value);", &many,
          "more than 1000 claims are issued");
    fails(state,
          "c:[] => add(Type=\"x\", Value=\"y\"); a:[] && b:[Value =~ \"x\"] => add(claim=a);"
          "a:[] && b:[Value != a.Value] => add(Type=\"x\", Value=RegexReplace(\"y\", \"z\", \"\"));",
          &many, "too many regular expressions");
    put(*state, &one, "long", longer);
    fails(state, "c:[Type==\"long\"] => issue(Type=\"b\", Value=c.Value + c.Value);", &one,
          "a text of more than 64 KiB");
    fails(state, "c:[Type==\"long\"] => issue(Type=\"b\", Value=RegexReplace(c.Value, \"a\", \"bb\"));", &one,
          "RegexReplace takes too long");
}

static void limits_of_the_text(void **state) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t text = FG_BUF_INIT(1 << 20);
    (void)state;
    for (unsigned i = 0; i < 17; i++)
        fg_buf_puts(&text, i > 0 ? " && []" : "[]");
    fg_buf_puts(&text, " => issue(Type=\"a\",Value=\"b\");");
    assert_null(fg_ruleset_compile("f", fg_buf_str(&text), NULL, &err));
    assert_non_null(strstr(err.detail, "at most 16 conditions in one rule"));
    fg_buf_reset(&text);
    fg_buf_puts(&text, "=> issue(Type=\"a\",Value=");
    for (unsigned i = 0; i < 1000; i++)
        fg_buf_puts(&text, "RegexReplace(");
    assert_null(fg_ruleset_compile("f", fg_buf_str(&text), NULL, &err));
    assert_non_null(strstr(err.detail, "nested at most 8 times"));
    fg_buf_reset(&text);
    for (unsigned i = 0; i < 10000; i++)
        fg_buf_printf(&text, "c:[Type==\"a%u\"]=>issue(claim=c);\n", i);
    fg_ruleset_t *set = fg_ruleset_compile("f", fg_buf_str(&text), NULL, &err);
    assert_non_null(set);
    assert_int_equal(fg_ruleset_get_count(set), 10000);
    fg_claims_t input = {0};
    fg_rule_output_t out;
    put(*state, &input, "a9999", "x");
    assert_true(fg_ruleset_run(set, *state, NULL, &input, &out, &err));
    assert_int_equal(out.claims.count, 1);
    fg_ruleset_free(set);
    fg_buf_free(&text);
}

static void the_same_comes_out_each_time(void **state) {
    fg_claims_t input = {0};
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t first, again;
    fg_ruleset_t *set =
        compile("a:[] && b:[] => issue(Type=RegexReplace(a.Type, \"(.)\", \"$1$1\"), Value=a.Value + b.Value);"
                "c:[Value =~ \"1\"] => issue(claim=c); count([]) > 20 => issue(Type=\"n\", Value=\"m\");");
    for (unsigned i = 0; i < 12; i++)
        put(*state, &input, i % 2 ? "t" : "u", fg_arena_printf(*state, "%u", i));
    assert_true(fg_ruleset_run(set, *state, NULL, &input, &first, &err));
    for (unsigned run = 0; run < 5; run++) {
        assert_true(fg_ruleset_run(set, *state, NULL, &input, &again, &err));
        assert_int_equal(again.claims.count, first.claims.count);
        for (size_t i = 0; i < first.claims.count; i++) {
            assert_true(fg_str_eq(first.claims.items[i].type, again.claims.items[i].type));
            assert_true(fg_str_eq(first.claims.items[i].value, again.claims.items[i].value));
            assert_ptr_equal(first.places[i], again.places[i]);
        }
    }
    fg_ruleset_free(set);
}

/* ---- torture: every beginning of a rule set, and every rule set with one byte changed, is taken or refused with a
 * place */

static const char all_of_it[] = "@RuleTemplate = \"T\" @RuleName = \"åä\"\n/* c */ a:[Type == \"x\", Value =~ "
                                "\"^(?<n>a|b)+$\", Properties[\"p\"] != \"q\"] && "
                                "b:[Value == a.Value, Issuer !~ \"z\"] && exists([ValueType == \"t\"]) && not "
                                "exists([OriginalIssuer != \"o\"]) && count([]) >= 2\n"
                                "=> issue(Type = a.Type, Value = RegexReplace(b.Value + \"x\", \"(y)\", \"${n}$1\"), "
                                "Properties[\"r\"] = \"s\"); // end\n"
                                "@alias t = \"urn:t\"; [t == \"x\", Issuer == \"i\"] && not exists([t]) => permit(); => "
                                "deny(\"n\");"
                                "c:[] => add(claim = c); => issue(store = \"AD\", types = (\"t\", \"u\"), query = "
                                "\"q\", param = \"p\", param = \"r\");";

static bool try_text(fg_str_t text) {
    const fg_rule_store_t store = {"AD", query, NULL};
    fg_err_t err = FG_ERR_INIT;
    fg_ruleset_t *set = fg_ruleset_compile("f", text, &(fg_rule_stores_t){&store, 1}, &err);
    bool taken = set != NULL;
    if (!taken &&
        (err.code != FG_E_CONFIG || strncmp(err.detail, "f:", 2) != 0 || strstr(err.detail, "expected") == NULL))
        fail_msg("%.*s: %s", FG_STR_ARG(text), err.detail);
    fg_ruleset_free(set);
    return taken;
}

static void every_prefix_and_every_change(void **state) {
    size_t length = sizeof all_of_it - 1, taken = 0;
    (void)state;
    assert_true(try_text((fg_str_t){all_of_it, length}));
    for (size_t i = 0; i <= length; i++) {
        char *copy = malloc(i + 1); /* exactly: a byte too far is seen by the tools */
        assert_non_null(copy);
        memcpy(copy, all_of_it, i);
        taken += try_text((fg_str_t){copy, i});
        free(copy);
    }
    assert_true(taken >= 4 && taken < 40); /* at the end of each rule, in blanks and in the comment */
    for (size_t i = 0; i < length; i++) {
        static const char others[] = "\"[]()=&;:.@/\\\x01\xc3 1";
        char copy[sizeof all_of_it];
        memcpy(copy, all_of_it, sizeof copy);
        for (size_t k = 0; k < sizeof others; k++) { /* its NUL, too */
            copy[i] = others[k];
            (void)try_text((fg_str_t){copy, length});
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cases_from_documentation, setup, teardown),
        cmocka_unit_test_setup_teardown(the_grammar, setup, teardown),
        cmocka_unit_test_setup_teardown(attribute_stores, setup, teardown),
        cmocka_unit_test_setup_teardown(properties_come_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_names_the_rule_and_no_value, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_of_the_text, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_comes_out_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_and_every_change, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
