/* SPDX-License-Identifier: GPL-2.0-or-later
 * Access policies: aliases, the short form, permit and deny, includes, the index, decisions and their explanations.
 */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/request.h"

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

static fg_decision_t decide(void **state, const fg_ruleset_t *set, const fg_claims_t *input) {
    fg_err_t err = FG_ERR_INIT;
    fg_decision_t decision;
    if (!fg_policy_decide(set, *state, NULL, input, &decision, &err))
        fail_msg("%s", err.detail);
    return decision;
}

/* ---- the grammar: each production, and what stands there instead */

static const struct {
    const char *text, *said; /* NULL: right */
} grammar[] = {
    /* alias */
    {"@alias a = \"urn:a\"", NULL},
    {"@alias a = \"urn:a\";", NULL},
    {"@ALIAS a=\"urn:a\" @alias a = \"urn:a\"; [A] => permit();", NULL},
    {"@alias role = \"http://schemas.microsoft.com/ws/2008/06/identity/claims/role\"", NULL},
    {"@alias \"a\" = \"urn:a\"", "f:1:8: found the text \"a\", expected the name of an alias"},
    {"@alias Value = \"urn:a\"", "f:1:8: found \"Value\", expected the name of an alias, which is none of a property"},
    {"@alias a \"urn:a\"", "f:1:10: found the text \"urn:a\", expected ="},
    {"@alias a = urn", "f:1:12: found \"urn\", expected a claim type in quotes"},
    {"@alias a = \"\"", "f:1:12: found the text \"\", expected a claim type, which is not empty"},
    {"@alias a = \"urn:a\"\n@alias A = \"urn:b\"",
     "f:2:8: found \"A\", expected another name: this one stands already for \"urn:a\""},
    {"@alias Path = \"urn:a\"",
     "f:1:8: found \"Path\", expected another name: this one is built in and stands for \"urn:fedgate:request:path\""},
    {"@RuleName = \"n\" @alias a = \"urn:a\" => permit();",
     "f:1:18: found \"alias\", expected RuleName, RuleTemplate or the rule: an alias stands before @RuleName"},
    {"@alas a = \"b\"", "f:1:2: found \"alas\", expected RuleName, RuleTemplate or alias; did you mean \"alias\"?"},
    /* the short form */
    {"[role == \"a\"] => permit();", NULL},
    {"[ROLE != \"a\"] && c:[role =~ \"^a\"] && [role !~ \"b\"] && [role] => issue(claim = c);", NULL},
    {"c:[role == \"a\", Issuer == \"i\"] && d:[Issuer == \"i\", upn == c.Value] => permit();", NULL},
    {"exists([role]) && not exists([role == \"a\"]) && count([role, Value != \"b\"]) > 1 => permit();", NULL},
    {"[rol == \"a\"] => permit();", "f:1:2: found \"rol\", expected Type, Value, ValueType, Issuer, OriginalIssuer, "
                                    "Properties[\"…\"] or an alias; did you mean \"role\"?"},
    {"@alias workers = \"urn:w\" [worker] => permit();", "did you mean \"workers\"?"},
    {"[workers] => permit(); @alias workers = \"urn:w\"", "f:1:2: found \"workers\", expected Type"},
    {"[role = \"a\"] => permit();", "f:1:7: found \"=\", expected ==, !=, =~, !~, , or ]"},
    {"[role == ] => permit();", "f:1:10: found \"]\", expected a text in quotes, or a claim's property as c.Value"},
    {"[role == \"a\", upn == \"b\"] => permit();", "f:1:15: found \"upn\", expected one alias in a claim"},
    {"[role == \"a\" upn] => permit();", "f:1:14: found \"upn\", expected , or ]"},
    {"[role,] => permit();", "f:1:7: found \"]\", expected Type"},
    /* permit and deny */
    {"=> permit();", NULL},
    {"=> DENY();", NULL},
    {"=> deny(\"no\");", NULL},
    {"=> permit(\"yes\");", "f:1:11: found the text \"yes\", expected ): permit has no reason"},
    {"=> permit;", "f:1:10: found \";\", expected ("},
    {"=> deny(no);", "f:1:9: found \"no\", expected a reason in quotes, or )"},
    {"=> deny(\"no\", \"no\");", "f:1:13: found \",\", expected )"},
    {"=> deny(\"no\")", "f:1:14: found the end of the file, expected ;"},
    {"=> permt();", "f:1:4: found \"permt\", expected issue, add, permit or deny; did you mean \"permit\"?"},
    /* include */
    {"include \"x\";", "f:1:1: found \"include\", expected a rule or an alias: only files include others"},
    {"include x", "f:1:9: found \"x\", expected a file, a pattern or a folder in quotes"},
    {"include:[] => permit();", NULL},
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

/* ---- aliases and types */

static void aliases_stand_for_types(void **state) {
    fg_ruleset_t *set = compile("@alias Team = \"urn:team\"");
    (void)state;
    assert_true(fg_str_is(fg_ruleset_find_alias(set, FG_STR("team")), "urn:team"));
    assert_true(fg_str_is(fg_ruleset_find_alias(set, FG_STR("role")), FG_CLAIM_ROLE));
    assert_true(fg_str_is(fg_ruleset_find_alias(set, FG_STR("script")), FG_REQUEST_CLAIMS "script"));
    assert_null(fg_ruleset_find_alias(set, FG_STR("teams")).p);
    assert_null(fg_ruleset_find_alias(set, FG_STR("")).p);
    for (size_t i = 0; fg_request_alias_name(i) != NULL; i++)
        assert_non_null(fg_request_alias(fg_str(fg_request_alias_name(i))).p);
    fg_ruleset_free(set);
}

static void types_by_prefix(void **state) {
    fg_str_t types[8];
    fg_ruleset_t *set = compile(
        "@alias replicas = \"" FG_REQUEST_JSON "spec.replicas\" [replicas == \"1\"] && not exists([replicas == \"2\"])"
        "&& count([Type == \"" FG_REQUEST_JSON "kind\"]) == 1 && [path] && [Type != \"" FG_REQUEST_JSON "no\"] "
        "&& [Type =~ \"" FG_REQUEST_JSON "no\"] && [role] => permit();");
    (void)state;
    assert_int_equal(fg_ruleset_get_types(set, FG_REQUEST_JSON, types, 8), 2);
    assert_true(fg_str_is(types[0], FG_REQUEST_JSON "kind") && fg_str_is(types[1], FG_REQUEST_JSON "spec.replicas"));
    assert_int_equal(fg_ruleset_get_types(set, FG_REQUEST_CLAIMS, types, 1), 3); /* how many, not how many fit */
    assert_int_equal(fg_ruleset_get_types(set, "", types, 8), 4);
    assert_int_equal(fg_ruleset_get_types(set, "zzz", types, 8), 0);
    fg_ruleset_free(set);
    set = compile("");
    assert_int_equal(fg_ruleset_get_types(set, "", types, 8), 0);
    fg_ruleset_free(set);
}

/* ---- decisions */

static void deny_wins_wherever_it_stands(void **state) {
    static const struct {
        const char *text, *reason;
        bool permitted;
        unsigned line; /* 0: no rule */
    } rows[] = {
        {"[role == \"A\"] => permit();", "", true, 1},
        {"[role == \"B\"] => permit();", "", false, 0},
        {"", "", false, 0},
        {"=> permit();\n=> deny();", "", false, 2},
        {"=> deny(\"not now\");\n=> permit();", "not now", false, 1},
        {"=> permit();\n[role == \"B\"] => deny(\"no\");", "", true, 1},
        {"=> deny(\"first\");\n=> deny(\"second\");", "first", false, 1},
        {"=> issue(Type = \"" FG_CLAIM_PERMIT "\", Value = \"true\");", "", true, 1},
        {"=> permit();\n=> issue(Type = \"" FG_CLAIM_DENY "\", Value = \"true\");", "", false, 2},
        {"=> add(Type = \"" FG_CLAIM_PERMIT "\", Value = \"true\");", "", false, 0},
        {"=> add(Type = \"" FG_CLAIM_PERMIT "\", Value = \"true\");\nc:[] => issue(claim = c);", "", true, 2},
    };
    fg_claims_t input = {0};
    put(*state, &input, FG_CLAIM_ROLE, "A");
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_ruleset_t *set = compile(rows[i].text);
        fg_decision_t decision = decide(state, set, &input);
        if (decision.permitted != rows[i].permitted || !fg_str_is(decision.reason, rows[i].reason) ||
            (decision.place ? decision.place->line : 0) != rows[i].line)
            fail_msg("%s", rows[i].text);
        assert_int_equal(fg_ruleset_authorize(set, *state, NULL, &input, &err), rows[i].permitted);
        fg_ruleset_free(set);
    }
}

/* permit() and deny("…") are nothing but AD FS' claims. */
static void permit_and_deny_are_claims(void **state) {
    fg_err_t err = FG_ERR_INIT;
    fg_rule_output_t out;
    fg_claims_t none = {0};
    fg_ruleset_t *set = compile("=> permit(); => deny(\"no\"); => deny();");
    assert_true(fg_ruleset_run(set, *state, NULL, &none, &out, &err));
    assert_int_equal(out.claims.count, 3);
    assert_true(fg_str_is(out.claims.items[0].type, FG_CLAIM_PERMIT) && fg_str_is(out.claims.items[0].value, "true"));
    assert_true(fg_str_is(out.claims.items[1].type, FG_CLAIM_DENY) && fg_str_is(out.claims.items[1].value, "no"));
    assert_true(fg_str_is(out.claims.items[2].type, FG_CLAIM_DENY) && fg_str_is(out.claims.items[2].value, "true"));
    fg_ruleset_free(set);
}

static void a_decision_has_its_claims(void **state) {
    fg_claims_t input = {0};
    fg_ruleset_t *set = compile("a:[role =~ \"^B\"] && exists([upn]) && [upn == a.Value] => permit();");
    put(*state, &input, FG_CLAIM_ROLE, "A");
    put(*state, &input, FG_CLAIM_ROLE, "B1");
    put(*state, &input, FG_CLAIM_ROLE, "B2");
    put(*state, &input, FG_CLAIM_UPN, "B2");
    fg_decision_t decision = decide(state, set, &input);
    assert_true(decision.permitted);
    assert_int_equal(decision.claim_count, 2);
    assert_true(fg_str_is(decision.claims[0]->value, "B2") && fg_str_is(decision.claims[0]->type, FG_CLAIM_ROLE));
    assert_true(fg_str_is(decision.claims[1]->type, FG_CLAIM_UPN));
    fg_ruleset_free(set);
}

/* What cannot be decided within the limits is no decision. */
static void a_limit_is_no_decision(void **state) {
    fg_err_t err = FG_ERR_INIT;
    fg_decision_t decision;
    fg_claims_t input = {0};
    fg_buf_t text = FG_BUF_INIT(1 << 16);
    fg_ruleset_t *set = compile("=> permit(); [role =~ \"^(a+)+$\"] => deny();");
    put(*state, &input, FG_CLAIM_ROLE, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    assert_false(fg_policy_decide(set, *state, NULL, &input, &decision, &err));
    assert_err(&err, FG_E_INTERNAL);
    assert_false(decision.permitted);
    assert_false(fg_policy_explain(set, *state, NULL, &input, &text, &err));
    assert_int_equal(text.length, 0);
    fg_ruleset_free(set);
}

/* Memory that runs out is no decision, wherever it does. */
static void memory_runs_out(void **state) {
    fg_claims_t input = {0};
    fg_ruleset_t *set = compile("c:[role =~ \"^A\"] => add(Type = \"urn:x\", Value = c.Value + RegexReplace(c.Value, \"a\", \"b\"));"
                                "[Type == \"urn:x\"] => permit();");
    size_t failed = 0, decided = 0;
    put(*state, &input, FG_CLAIM_ROLE, "A");
    for (size_t cap = 1; cap <= 200000; cap += 1021) {
        fg_err_t err = FG_ERR_INIT;
        fg_decision_t decision;
        fg_buf_t text = FG_BUF_INIT(1 << 16);
        fg_arena_t *arena = fg_arena_new(cap);
        bool done = fg_policy_decide(set, arena, NULL, &input, &decision, &err);
        assert_int_equal(decision.permitted, done);
        *(done ? &decided : &failed) += 1;
        fg_arena_free(arena);
        arena = fg_arena_new(cap);
        if (fg_policy_explain(set, arena, NULL, &input, &text, &err))
            assert_true(fg_str_starts(fg_buf_str(&text), "permitted by f:1\n"));
        fg_buf_free(&text);
        fg_arena_free(arena);
    }
    assert_in_range(failed, 5, 150);
    assert_in_range(decided, 20, 200);
    fg_ruleset_free(set);
}

/* ---- explanations */

static void explains(void **state, const fg_ruleset_t *set, const fg_claims_t *input, const char *expected) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t text = FG_BUF_INIT(1 << 16);
    assert_true(fg_policy_explain(set, *state, NULL, input, &text, &err));
    if (!fg_str_is(fg_buf_str(&text), expected))
        fail_msg("%.*s\ninstead of\n%s", (int)text.length, text.data, expected);
    fg_buf_free(&text);
}

static void an_explanation(void **state) {
    fg_claims_t input = {0};
    fg_ruleset_t *set = compile("@alias team = \"urn:team\"\n"
                                "@RuleName = \"operators\"\nc:[role == \"Operators\",\n   Issuer == \"staff\"] && [team] "
                                "&& not exists([path =~ \"^/admin/\"]) && count([role]) < 3 => permit();\n"
                                "[method == \"DELETE\"] => deny(\"nothing is deleted\");\n"
                                "[role == \"Users\"] => issue(Type = \"urn:x\", Value = \"y\");\n"
                                "a:[team] && [upn == a.Value] && [method == \"GET\"] => permit();");
    put(*state, &input, FG_CLAIM_ROLE, "Users");
    explains(state, set, &input,
             "denied: no rule permits it\nclosest:\nf:3 \"operators\"\n"
             "  fails c:[role == \"Operators\", Issuer == \"staff\"]: role is Users from LOCAL AUTHORITY\n"
             "  fails [team]: there is no team\n"
             "  holds not exists([path =~ \"^/admin/\"])\n"
             "  holds count([role]) < 3: there is 1\n"
             "f:7\n  fails a:[team]: there is no team\n  fails [upn == a.Value]: there is no upn\n"
             "  fails [method == \"GET\"]: there is no method\n");
    fg_claim_t claim = {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Operators"), .issuer = FG_STR("staff")};
    assert_true(fg_claims_add(*state, &input, &claim));
    put(*state, &input, "urn:team", "one");
    put(*state, &input, "urn:team", "two");
    explains(state, set, &input,
             "permitted by f:3 \"operators\"\n"
             "  holds c:[role == \"Operators\", Issuer == \"staff\"] by role = Operators from staff\n"
             "  holds [team] by team = one\n"
             "  holds not exists([path =~ \"^/admin/\"])\n"
             "  holds count([role]) < 3: there are 2\n");
    put(*state, &input, FG_REQUEST_CLAIMS "path", "/admin/\nå");
    put(*state, &input, FG_CLAIM_UPN, "two");
    explains(state, set, &input,
             "denied: no rule permits it\nclosest:\n"
             "f:3 \"operators\"\n"
             "  holds c:[role == \"Operators\", Issuer == \"staff\"] by role = Operators from staff\n"
             "  holds [team] by team = one\n"
             "  fails not exists([path =~ \"^/admin/\"]): there is path = /admin/ å\n"
             "  holds count([role]) < 3: there are 2\n"
             "f:7\n  holds a:[team] by team = two\n  holds [upn == a.Value] by upn = two\n"
             "  fails [method == \"GET\"]: there is no method\n");
    put(*state, &input, FG_REQUEST_CLAIMS "method", "DELETE");
    explains(state, set, &input,
             "denied by f:5: nothing is deleted\n  holds [method == \"DELETE\"] by method = DELETE\n");
    fg_ruleset_free(set);
}

static void an_explanation_is_short(void **state) {
    fg_claims_t input = {0};
    fg_buf_t rules = FG_BUF_INIT(1 << 16), text = FG_BUF_INIT(1 << 16);
    fg_err_t err = FG_ERR_INIT;
    char value[101];
    for (unsigned i = 0; i < 20; i++)
        fg_buf_printf(&rules, "[role == \"%u\"] && [Value == \"%s\"] => permit();\n", i, i >= 15 ? "x" : "y");
    memset(value, 'v', 100);
    value[100] = '\0';
    put(*state, &input, "urn:x", "x");
    for (unsigned i = 0; i < 5; i++)
        put(*state, &input, FG_CLAIM_ROLE, value);
    fg_ruleset_t *set = compile(rules.data);
    assert_true(fg_policy_explain(set, *state, NULL, &input, &text, &err));
    static const char first[] = "denied: no rule permits it\nclosest:\nf:16\n  fails [role == \"15\"]: role is ";
    assert_true(fg_str_starts(fg_buf_str(&text), first)); /* the five of which one condition holds, in their order */
    assert_non_null(strstr(text.data, "vvv…, v"));
    assert_non_null(strstr(text.data, "… and 2 more\n  holds [Value == \"x\"] by urn:x = x\n"));
    assert_non_null(strstr(text.data, "f:20\n"));
    assert_null(strstr(text.data, "f:15\n"));
    assert_null(strstr(text.data, "f:1\n"));
    fg_buf_free(&rules);
    fg_buf_free(&text);
    fg_ruleset_free(set);
}

/* Where deciding reaches no limit, explaining does not either, though it looks at all rules. */
static void explaining_many_rules_stays_within_the_limits(void **state) {
    fg_claims_t input = {0};
    fg_buf_t rules = FG_BUF_INIT(1 << 20), text = FG_BUF_INIT(1 << 16);
    fg_err_t err = FG_ERR_INIT;
    for (unsigned i = 0; i < 19000; i++)
        fg_buf_printf(&rules, "[role==\"%u\"]=>permit();\n", i);
    fg_ruleset_t *set = compile(rules.data);
    for (unsigned i = 0; i < 150; i++)
        put(*state, &input, "urn:x", "x");
    put(*state, &input, FG_CLAIM_ROLE, "18999");
    assert_true(fg_policy_explain(set, *state, NULL, &input, &text, &err));
    assert_string_equal(text.data, "permitted by f:19000\n  holds [role==\"18999\"] by role = 18999\n");
    fg_buf_free(&rules);
    fg_buf_free(&text);
    fg_ruleset_free(set);
}

/* ---- the index */

/* The cost is that of the rules that can fire, however many there are. */
static void the_cost_is_flat(void **state) {
    size_t steps = 0;
    for (unsigned count = 10; count <= 10000; count *= 10) {
        fg_err_t err = FG_ERR_INIT;
        fg_rule_output_t out;
        fg_claims_t input = {0};
        fg_buf_t text = FG_BUF_INIT(1 << 20);
        for (unsigned i = 0; i < count; i++)
            fg_buf_printf(&text, "[role==\"r%u\"]&&[path=~\"^/a\"]&&[method]=>permit();\n", i);
        fg_ruleset_t *set = compile(text.data);
        put(*state, &input, FG_CLAIM_ROLE, "r7");
        put(*state, &input, FG_REQUEST_CLAIMS "path", "/a/b");
        put(*state, &input, FG_REQUEST_CLAIMS "method", "GET");
        for (unsigned i = 0; i < 20; i++)
            put(*state, &input, FG_CLAIM_GROUP, "g");
        assert_int_equal(fg_ruleset_get_count(set), count);
        assert_true(fg_ruleset_run(set, *state, NULL, &input, &out, &err));
        assert_int_equal(out.claims.count, 1);
        assert_true(steps == 0 || out.steps == steps);
        assert_in_range(out.steps, 1, 200);
        steps = out.steps;
        fg_decision_t decision = decide(state, set, &input);
        assert_true(decision.permitted);
        assert_int_equal(decision.place->line, 8);
        fg_ruleset_free(set);
        fg_buf_free(&text);
    }
}

static void added_claims_wake_rules_behind(void **state) {
    fg_claims_t input = {0};
    fg_ruleset_t *set = compile("[Type == \"c\", Value == \"3\"] => deny(\"too early\");"
                                "[Type == \"b\", Value == \"2\"] => add(Type = \"c\", Value = \"3\");"
                                "[Type == \"a\"] => add(Type = \"b\", Value = \"2\");"
                                "[Type == \"b\", Value == \"2\"] => issue(Type = \"c\", Value = \"3\");"
                                "exists([Type == \"c\", Value == \"3\"]) => permit();");
    assert_false(decide(state, set, &input).permitted);
    put(*state, &input, "a", "1");
    assert_true(decide(state, set, &input).permitted);
    fg_ruleset_free(set);
}

typedef struct writer {
    uint64_t seed;
    fg_buf_t literal, other; /* the same rules: once with Type == "…", once by the types that it is not */
} writer_t;

static unsigned pick(writer_t *w, unsigned count) {
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->seed >> 40) % count;
}

static void both(writer_t *w, const char *text) {
    fg_buf_puts(&w->literal, text);
    fg_buf_puts(&w->other, text);
}

static const char *const types[] = {"a", "b", "c", "d", FG_CLAIM_PERMIT, FG_CLAIM_DENY};

static void write_claim(writer_t *w, unsigned at) {
    char text[64];
    unsigned type = pick(w, 5);
    both(w, "[");
    if (type < 4) {
        fg_buf_printf(&w->literal, "Type == \"%s\"", types[type]);
        for (unsigned i = 0, first = 1; i < 6; i++)
            if (i != type) {
                fg_buf_printf(&w->other, "%sType != \"%s\"", first ? "" : ", ", types[i]);
                first = 0;
            }
    } else {
        both(w, "Issuer == \"LOCAL AUTHORITY\"");
    }
    if (pick(w, 3) > 0) {
        snprintf(text, sizeof text, ", Value %s \"%u\"", pick(w, 4) ? "==" : "!=", pick(w, 3));
        both(w, text);
    } else if (at > 0 && pick(w, 2)) {
        both(w, ", Value == c0.Value");
    }
    both(w, "]");
}

static void write_rule(writer_t *w) {
    char text[64];
    unsigned count = pick(w, 4);
    for (unsigned i = 0; i < count; i++) {
        unsigned kind = i == 0 ? 0 : pick(w, 5);
        both(w, i > 0 ? " && " : "");
        snprintf(text, sizeof text, kind < 2 ? "c%u:" : kind == 2 ? "exists(" : kind == 3 ? "not exists(" : "count(", i);
        both(w, text);
        write_claim(w, i);
        snprintf(text, sizeof text, kind < 2 ? "" : kind < 4 ? ")" : ") >= %u", pick(w, 3));
        both(w, text);
    }
    unsigned action = pick(w, 20);
    if (action < 2)
        both(w, action == 0 ? " => permit();\n" : " => deny();\n");
    else if (action < 5 && count > 0)
        both(w, action < 4 ? " => issue(claim = c0);\n" : " => add(claim = c0);\n");
    else {
        snprintf(text, sizeof text, " => %s(Type = \"%s\", Value = \"%u\");\n", pick(w, 2) ? "add" : "issue",
                 types[pick(w, 4)], pick(w, 4));
        both(w, text);
    }
}

static bool same_output(const fg_rule_output_t *a, const fg_rule_output_t *b) {
    bool same = a->claims.count == b->claims.count;
    for (size_t i = 0; same && i < a->claims.count; i++)
        same = fg_str_eq(a->claims.items[i].type, b->claims.items[i].type) &&
               fg_str_eq(a->claims.items[i].value, b->claims.items[i].value) &&
               a->places[i]->line == b->places[i]->line;
    return same;
}

/* A condition that says which types it does not want has no pivot: its rule is always looked at. */
static void the_index_changes_nothing(void **state) {
    size_t permitted = 0, issued = 0, saved = 0;
    for (unsigned seed = 1; seed <= 600; seed++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        writer_t w = {seed, FG_BUF_INIT(1 << 18), FG_BUF_INIT(1 << 18)};
        fg_rule_output_t fast, slow;
        fg_claims_t input = {0};
        void *place = arena;
        for (unsigned i = 0, count = 1 + pick(&w, 100); i < count; i++)
            write_rule(&w);
        for (unsigned i = 0, count = pick(&w, 5); i < count; i++)
            put(arena, &input, types[pick(&w, 4)], fg_arena_printf(arena, "%u", pick(&w, 4)));
        fg_ruleset_t *indexed = compile(w.literal.data), *linear = compile(w.other.data);
        bool done = fg_ruleset_run(indexed, arena, NULL, &input, &fast, &err);
        if (done != fg_ruleset_run(linear, arena, NULL, &input, &slow, &err) || (done && !same_output(&fast, &slow)))
            fail_msg("seed %u\n%s", seed, w.literal.data);
        if (done) {
            fg_decision_t a = decide(&place, indexed, &input), b = decide(&place, linear, &input);
            assert_int_equal(a.permitted, b.permitted);
            assert_int_equal(a.place ? a.place->line : 0, b.place ? b.place->line : 0);
            permitted += a.permitted;
            issued += fast.claims.count;
            saved += fast.steps < slow.steps;
        }
        fg_ruleset_free(indexed);
        fg_ruleset_free(linear);
        fg_buf_free(&w.literal);
        fg_buf_free(&w.other);
        fg_arena_free(arena);
    }
    (void)state;
    assert_in_range(permitted, 50, 550); /* the rules are not all of one kind */
    assert_in_range(issued, 2000, 100000);
    assert_in_range(saved, 400, 600);
}

/* ---- includes */

static char folder[] = "/tmp/fedgate-policy-XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static fg_ruleset_t *load(const char *name, fg_err_t *err) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fg_ruleset_load(path, NULL, err);
}

static void refuses_file(const char *name, const char *text, const char *said) {
    fg_err_t err = FG_ERR_INIT;
    write_file(name, text);
    fg_ruleset_t *set = load(name, &err);
    if (set != NULL || strstr(err.detail, said) == NULL)
        fail_msg("%s: %s", text, err.detail);
    assert_err(&err, FG_E_CONFIG);
}

static int make_tree(void **state) {
    if (mkdtemp(folder) == NULL)
        return -1;
    make_folder("all");
    make_folder("all/more");
    make_folder("all/[x]");
    make_folder("none");
    write_file("names.rules", "@alias team = \"urn:team\";\n");
    write_file("all/b.rules", "[team == \"b\"]\n => permit();\n");
    write_file("all/a.rules", "\n@RuleName = \"first\"\n[team == \"a\"] => permit();\n");
    write_file("all/more/c.rules", "include \"../../side.txt\"\n[team == \"c\"] => deny(\"c\");\n");
    write_file("all/.hidden.rules", "wrong");
    write_file("all/readme.txt", "wrong");
    write_file("side.txt", "[team == \"side\"] => permit();\n");
    return setup(state);
}

static int remove_tree(void **state) {
    static const char *const names[] = {"all/a.rules", "all/b.rules",  "all/more/c.rules", "all/.hidden.rules",
                                        "all/more",    "all/[x]/d",    "all/[x]",          "all/readme.txt",
                                        "all",         "none",         "names.rules",      "side.txt",
                                        "top.rules",   "wrong.rules",  "loop.rules",       "loop2.rules",
                                        "deep.rules",  "link.rules",   ""};
    char path[200];
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    for (unsigned i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "%s/%u", folder, i);
        (void)remove(path);
    }
    snprintf(path, sizeof path, "%s", folder);
    (void)rmdir(path);
    return teardown(state);
}

/* All kinds of includes; rules keep their own file and line, aliases are known behind. */
static void includes(void **state) {
    static const struct {
        const char *text, *team, *file; /* whose rule decides; NULL: none does */
        size_t count;
        unsigned line;
        bool permitted;
    } rows[] = {
        {"include \"names.rules\"; include \"all/\";", "a", "all/a.rules", 4, 3, true},
        {"include \"names.rules\" include \"all/\"", "b", "all/b.rules", 4, 1, true},
        {"include \"names.rules\" include \"all/\"", "c", "all/more/c.rules", 4, 2, false},
        {"include \"names.rules\" include \"all/\"", "side", "side.txt", 4, 1, true},
        {"include \"names.rules\" include \"all/*.rules\"", "c", NULL, 2, 0, false},
        {"include \"names.rules\" include \"all/?.rules\" => deny();", "a", "top.rules", 3, 1, false},
        {"include \"names.rules\" include \"none/\" include \"nowhere/\" include \"zz*\"", "a", NULL, 0, 0, false},
        {"include \"names.rules\" include \"side.txt\" include \"side.txt\"", "side", "side.txt", 2, 1, true},
        {"include \"names.rules\" \n[team] => permit();\n include \"side.txt\"", "x", "top.rules", 2, 2, true},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_claims_t input = {0};
        write_file("top.rules", rows[i].text);
        put(*state, &input, "urn:team", rows[i].team);
        fg_ruleset_t *set = load("top.rules", &err);
        if (set == NULL)
            fail_msg("%s: %s", rows[i].text, err.detail);
        assert_int_equal(fg_ruleset_get_count(set), rows[i].count);
        fg_decision_t decision = decide(state, set, &input);
        assert_int_equal(decision.permitted, rows[i].permitted);
        assert_int_equal(decision.place ? decision.place->line : 0, rows[i].line);
        if (rows[i].file != NULL) /* as include wrote it, from the folder of the file that includes */
            assert_string_equal(strrchr(decision.place->file, '/'), strrchr(rows[i].file, '/')
                                                                        ? strrchr(rows[i].file, '/')
                                                                        : fg_arena_printf(*state, "/%s", rows[i].file));
        fg_ruleset_free(set);
    }
}

static void includes_that_are_refused(void **state) {
    char name[8], text[64];
    (void)state;
    refuses_file("top.rules", "\n include \"nothing.rules\"", "/top.rules:2:10: found the text \"nothing.rules\", expected a file "
                                                             "that can be read (");
    refuses_file("top.rules", "include \"\"", "expected the name of a file");
    refuses_file("top.rules", "include \"all\"", "expected a file that can be read");
    refuses_file("top.rules", "include \"top.rules\"", "expected a file that does not include this one");
    write_file("loop.rules", "include \"none/../loop2.rules\"");
    refuses_file("loop2.rules", "include \"./loop.rules\"", "/./loop.rules:1:9: found the text");
    write_file("wrong.rules", "\n\n[rolle] => permit();");
    refuses_file("top.rules", "include \"wrong.rules\"", "/wrong.rules:3:2: found \"rolle\", expected Type");
    write_file("wrong.rules", "\xff");
    refuses_file("top.rules", "include \"wrong.rules\"", "/wrong.rules:1:1: found bytes that are not UTF-8");
    refuses_file("top.rules", "include \"all/b.rules\"", "/all/b.rules:1:2: found \"team\", expected Type");
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "%u", i);
        snprintf(text, sizeof text, i == 9 ? "=> permit();" : "include \"%u\"", i + 1);
        write_file(name, text);
    }
    refuses_file("top.rules", "include \"1\"", "/8:1:9: found the text \"9\", expected files included at most 8 deep");
    fg_err_t err = FG_ERR_INIT;
    write_file("top.rules", "include \"2\"");
    fg_ruleset_t *set = load("top.rules", &err); /* the control: one less */
    assert_non_null(set);
    fg_ruleset_free(set);
}

static void included_files_are_bounded(void **state) {
    fg_buf_t text = FG_BUF_INIT(1 << 16);
    fg_err_t err = FG_ERR_INIT;
    (void)state;
    write_file("deep.rules", "");
    for (unsigned i = 0; i < 1000; i++)
        fg_buf_puts(&text, "include \"deep.rules\"\n");
    write_file("top.rules", text.data);
    fg_ruleset_t *set = load("top.rules", &err);
    assert_non_null(set);
    fg_ruleset_free(set);
    fg_buf_puts(&text, "include \"deep.rules\"\n");
    refuses_file("top.rules", text.data, "/top.rules:1001:9: found the text \"deep.rules\", expected at most 1000");
    fg_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_grammar, setup, teardown),
        cmocka_unit_test_setup_teardown(aliases_stand_for_types, setup, teardown),
        cmocka_unit_test_setup_teardown(types_by_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(deny_wins_wherever_it_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(permit_and_deny_are_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(a_decision_has_its_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(a_limit_is_no_decision, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(an_explanation, setup, teardown),
        cmocka_unit_test_setup_teardown(explaining_many_rules_stays_within_the_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(an_explanation_is_short, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cost_is_flat, setup, teardown),
        cmocka_unit_test_setup_teardown(added_claims_wake_rules_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(the_index_changes_nothing, setup, teardown),
        cmocka_unit_test(includes),
        cmocka_unit_test(includes_that_are_refused),
        cmocka_unit_test(included_files_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
