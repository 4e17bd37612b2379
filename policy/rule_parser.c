/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/spell.h"
#include "policy/request.h"
#include "policy/rule_include.h"
#include "policy/rule_lexer.h"
#include "policy/rule_parts.h"

#define RULES_MAX 20000u
#define ALIASES_MAX 1000u
#define NESTING_MAX 8u  /* RegexReplace in RegexReplace */
#define INCLUDES_MAX 8u /* files in files */
#define COUNT_MAX 1000000u

/* A file that is being read, and the one that includes it. */
typedef struct source source_t;
struct source {
    const char *path; /* NULL: text that is in no file */
    char *real;       /* without links and dots; NULL as path */
    unsigned depth;
    const source_t *includer;
};

typedef struct parser {
    fg_rule_lexer_t lexer;
    fg_rule_token_t now, next;
    const char *end; /* of what was read last */
    fg_ruleset_t *set;
    fg_arena_t *arena;
    const fg_rule_stores_t *stores;
    const source_t *source;
    unsigned file_count;
    fg_rule_t *rule;              /* that is being read */
    const fg_rule_store_t *store; /* that it asks; NULL: not known here */
    fg_rule_token_t query;
    fg_rule_condition_t conditions[FG_RULE_CONDITIONS_MAX];
    unsigned nesting;
    fg_err_t *err;
} parser_t;

/* ---- tokens and messages */

static void advance(parser_t *p) {
    if (p->now.text.p != NULL)
        p->end = p->now.text.p + p->now.text.n + (p->now.kind == FG_RULE_TEXT);
    p->now = p->next;
    if (p->next.kind != FG_RULE_BAD)
        p->next = fg_rule_lexer_next(&p->lexer);
}

static bool is_sign(const fg_rule_token_t *token, const char *sign) {
    return token->kind == FG_RULE_SIGN && fg_str_is(token->text, sign);
}
static bool is_word(const fg_rule_token_t *token, const char *word) {
    return token->kind == FG_RULE_WORD && fg_str_eq_nocase(token->text, fg_str(word));
}

static void describe(const fg_rule_token_t *token, char out[96]) {
    int shown = token->text.n > 60 ? 60 : (int)token->text.n;
    while (shown > 0 && (size_t)shown < token->text.n && ((unsigned char)token->text.p[shown] & 0xc0) == 0x80)
        shown--;
    const char *more = (size_t)shown < token->text.n ? "…" : "";
    if (token->kind == FG_RULE_END)
        snprintf(out, 96, "the end of the file");
    else if (token->kind == FG_RULE_TEXT)
        snprintf(out, 96, "the text \"%.*s%s\"", shown, token->text.p, more);
    else
        snprintf(out, 96, "%s%.*s%s%s", token->text.p[0] == '"' ? "" : "\"", shown, token->text.p, more,
                 token->text.p[0] == '"' ? "" : "\"");
}

static bool refuse_at(parser_t *p, const fg_rule_token_t *token, const char *format, ...) FG_PRINTF(3, 4);
static bool refuse_at(parser_t *p, const fg_rule_token_t *token, const char *format, ...) {
    char found[96], expected[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    describe(token, found);
    return FG_FAIL(p->err, FG_E_CONFIG, "%s:%u:%u: found %s, expected %s", p->lexer.file, token->line, token->column,
                   found, token->kind == FG_RULE_BAD ? token->expected : expected);
}

/* One of words was expected: names the nearest. */
static bool refuse_word(parser_t *p, const char *expected, const char *const *words, size_t count) {
    char word[64];
    const char *nearest = NULL;
    if (p->now.kind == FG_RULE_WORD && p->now.text.n < sizeof word) {
        memcpy(word, p->now.text.p, p->now.text.n);
        word[p->now.text.n] = '\0';
        nearest = fg_spell_nearest(word, words, count);
    }
    if (nearest == NULL)
        return refuse_at(p, &p->now, "%s", expected);
    return refuse_at(p, &p->now, "%s; did you mean \"%s\"?", expected, nearest);
}

static bool memory(parser_t *p) { return FG_FAIL(p->err, FG_E_MEMORY, "reading %s", p->lexer.file); }

static bool take_sign(parser_t *p, const char *sign) {
    if (!is_sign(&p->now, sign))
        return refuse_at(p, &p->now, "%s", sign);
    advance(p);
    return true;
}

static bool take_text(parser_t *p, fg_str_t *text, const char *expected) {
    if (p->now.kind != FG_RULE_TEXT)
        return refuse_at(p, &p->now, "%s", expected);
    *text = p->now.text;
    advance(p);
    return true;
}

static bool take_if(parser_t *p, const char *sign) {
    bool there = is_sign(&p->now, sign);
    if (there)
        advance(p);
    return there;
}

static bool take_regex(parser_t *p, fg_rule_regex_t **regex) {
    char why[200];
    if (p->now.kind != FG_RULE_TEXT)
        return refuse_at(p, &p->now, "a regular expression in quotes");
    *regex = fg_rule_regex_new(p->arena, p->now.text, why, sizeof why);
    if (*regex == NULL)
        return refuse_at(p, &p->now, "a regular expression (%s)", why);
    advance(p);
    return true;
}

/* ---- properties and aliases */

static const char *const property_words[] = {"Type", "Value", "ValueType", "Issuer", "OriginalIssuer", "Properties"};
_Static_assert(FG_ARRAY_SIZE(property_words) == FG_RULE_PROPERTY_COUNT, "one word per property");

/* Type, or Properties["key"]. */
static bool take_property(parser_t *p, fg_rule_property_t *property, fg_str_t *key) {
    size_t i = 0;
    while (i < FG_RULE_PROPERTY_COUNT && !is_word(&p->now, property_words[i]))
        i++;
    if (i == FG_RULE_PROPERTY_COUNT)
        return refuse_word(p, "Type, Value, ValueType, Issuer, OriginalIssuer or Properties[\"…\"]", property_words,
                           FG_RULE_PROPERTY_COUNT);
    advance(p);
    *property = (fg_rule_property_t)i;
    if (i != FG_RULE_PROPERTIES)
        return true;
    return take_sign(p, "[") && take_text(p, key, "the name of a property in quotes") && take_sign(p, "]");
}

/* The name of a claim that a condition before binds. */
static bool take_alias(parser_t *p, unsigned *condition) {
    char names[FG_RULE_CONDITIONS_MAX][32];
    const char *words[FG_RULE_CONDITIONS_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < p->rule->condition_count; i++) {
        fg_str_t alias = p->rule->conditions[i].alias;
        if (alias.n == 0)
            continue;
        if (p->now.kind == FG_RULE_WORD && fg_str_eq_nocase(p->now.text, alias)) {
            *condition = i;
            advance(p);
            return true;
        }
        snprintf(names[count], sizeof names[count], "%.*s", (int)(alias.n < 31 ? alias.n : 31), alias.p);
        words[count] = names[count];
        count++;
    }
    return refuse_word(
        p, count > 0 ? "the name of a condition of this rule" : "the name of a condition, of which this rule has none",
        words, count);
}

static bool take_field(parser_t *p, fg_rule_field_t *field) {
    return take_alias(p, &field->condition) && take_sign(p, ".") && take_property(p, &field->property, &field->key);
}

/* An alias or a property was expected. */
static bool refuse_alias(parser_t *p) {
    const char *words[FG_RULE_PROPERTY_COUNT + ALIASES_MAX + FG_REQUEST_ALIASES];
    size_t count = 0;
    for (; count < FG_RULE_PROPERTY_COUNT; count++)
        words[count] = property_words[count];
    count += fg_ruleset_get_aliases(p->set, words + count, FG_ARRAY_SIZE(words) - count);
    return refuse_word(p, "Type, Value, ValueType, Issuer, OriginalIssuer, Properties[\"…\"] or an alias", words,
                       count);
}

/* ---- expressions: texts, fields and RegexReplace, joined by + */

static bool take_expr(parser_t *p, fg_rule_expr_t **expr);

static bool take_replace(parser_t *p, fg_rule_expr_t *term) {
    if (++p->nesting > NESTING_MAX)
        return refuse_at(p, &p->now, "RegexReplace nested at most %u times", NESTING_MAX);
    term->kind = FG_RULE_TERM_REPLACE;
    advance(p);
    bool ok = take_sign(p, "(") && take_expr(p, &term->value) && take_sign(p, ",") && take_regex(p, &term->regex) &&
              take_sign(p, ",") && take_expr(p, &term->replacement) && take_sign(p, ")");
    p->nesting--;
    return ok;
}

static bool take_term(parser_t *p, fg_rule_expr_t *term) {
    static const char *const words[] = {"RegexReplace"};
    if (p->now.kind == FG_RULE_TEXT) {
        term->kind = FG_RULE_TERM_TEXT;
        return take_text(p, &term->text, "a text");
    }
    if (is_word(&p->now, words[0]))
        return take_replace(p, term);
    if (is_sign(&p->next, "("))
        return refuse_word(p, "RegexReplace", words, 1);
    if (p->now.kind != FG_RULE_WORD)
        return refuse_at(p, &p->now, "a text in quotes, RegexReplace(…), or a claim's property as c.Value");
    term->kind = FG_RULE_TERM_FIELD;
    return take_field(p, &term->field);
}

static bool take_expr(parser_t *p, fg_rule_expr_t **expr) {
    do {
        *expr = fg_arena_alloc(p->arena, sizeof **expr);
        if (*expr == NULL)
            return memory(p);
        if (!take_term(p, *expr))
            return false;
        expr = &(*expr)->next;
    } while (take_if(p, "+"));
    return true;
}

/* ---- conditions */

static bool take_operator(parser_t *p, fg_rule_op_t first, fg_rule_op_t last, const char *expected, fg_rule_op_t *op) {
    static const char *const words[] = {"==", "!=", "=~", "!~", "<", "<=", ">", ">="};
    for (fg_rule_op_t i = first; i <= last; i++)
        if (is_sign(&p->now, words[i])) {
            *op = i;
            advance(p);
            return true;
        }
    return refuse_at(p, &p->now, "%s", expected);
}

/* What a property is compared with. */
static bool take_comparison(parser_t *p, fg_rule_test_t *test, const char *expected) {
    if (!take_operator(p, FG_RULE_EQ, FG_RULE_NO_MATCH, expected, &test->op))
        return false;
    if (test->op == FG_RULE_MATCH || test->op == FG_RULE_NO_MATCH)
        return take_regex(p, &test->regex);
    test->other = p->now.kind == FG_RULE_WORD;
    return test->other ? take_field(p, &test->field)
                       : take_text(p, &test->text, "a text in quotes, or a claim's property as c.Value");
}

static bool is_property(const parser_t *p) {
    for (size_t i = 0; i < FG_RULE_PROPERTY_COUNT; i++)
        if (is_word(&p->now, property_words[i]))
            return true;
    return false;
}

/* role == "x": a test of the type and, behind it, one of the value; role alone: of the type. */
static bool take_short(parser_t *p, fg_rule_test_t *test) {
    *test = (fg_rule_test_t){.property = FG_RULE_TYPE, .op = FG_RULE_EQ};
    test->text = fg_ruleset_find_alias(p->set, p->now.text);
    if (test->text.p == NULL)
        return refuse_alias(p);
    advance(p);
    if (is_sign(&p->now, ",") || is_sign(&p->now, "]"))
        return true;
    test->next = fg_arena_alloc(p->arena, sizeof *test->next);
    if (test->next == NULL)
        return memory(p);
    test->next->property = FG_RULE_VALUE;
    return take_comparison(p, test->next, "==, !=, =~, !~, , or ]");
}

static bool take_tests(parser_t *p, fg_rule_test_t **tests) {
    bool has_short = false;
    if (!take_sign(p, "["))
        return false;
    if (take_if(p, "]"))
        return true;
    do {
        bool is_short = p->now.kind == FG_RULE_WORD && !is_property(p);
        if (is_short && has_short)
            return refuse_at(p, &p->now, "one alias in a claim");
        has_short = has_short || is_short;
        fg_rule_test_t *test = *tests = fg_arena_alloc(p->arena, sizeof **tests);
        if (test == NULL)
            return memory(p);
        if (!(is_short ? take_short(p, test)
                       : take_property(p, &test->property, &test->key) && take_comparison(p, test, "==, !=, =~ or !~")))
            return false;
        while (*tests != NULL)
            tests = &(*tests)->next;
    } while (take_if(p, ","));
    return is_sign(&p->now, "]") ? take_sign(p, "]") : refuse_at(p, &p->now, ", or ]");
}

static bool take_number(parser_t *p, size_t *number) {
    size_t value = 0;
    for (size_t i = 0; p->now.kind == FG_RULE_NUMBER && i < p->now.text.n && value <= COUNT_MAX; i++)
        value = value * 10 + (size_t)(p->now.text.p[i] - '0');
    if (p->now.kind != FG_RULE_NUMBER || value > COUNT_MAX)
        return refuse_at(p, &p->now, "a number from 0 to %u", COUNT_MAX);
    *number = value;
    advance(p);
    return true;
}

static bool take_counting(parser_t *p, fg_rule_condition_t *condition) {
    static const char expected[] = "==, !=, <, <=, > or >=";
    if (!take_sign(p, "(") || !take_tests(p, &condition->tests) || !take_sign(p, ")"))
        return false;
    if (condition->kind != FG_RULE_COUNT)
        return true;
    bool equal = is_sign(&p->now, "==") || is_sign(&p->now, "!=");
    return take_operator(p, equal ? FG_RULE_EQ : FG_RULE_LT, equal ? FG_RULE_NE : FG_RULE_GE, expected,
                         &condition->op) &&
           take_number(p, &condition->number);
}

/* c: */
static bool take_new_alias(parser_t *p, fg_rule_condition_t *condition) {
    for (unsigned i = 0; i < p->rule->condition_count; i++)
        if (fg_str_eq_nocase(p->rule->conditions[i].alias, p->now.text))
            return refuse_at(p, &p->now, "a name that no other condition of this rule has");
    condition->alias = p->now.text;
    advance(p);
    return take_sign(p, ":");
}

static bool take_condition(parser_t *p) {
    static const char *const words[] = {"exists", "not exists", "count", "not"};
    if (p->rule->condition_count == FG_RULE_CONDITIONS_MAX)
        return refuse_at(p, &p->now, "at most %u conditions in one rule", FG_RULE_CONDITIONS_MAX);
    fg_rule_condition_t condition = {.kind = FG_RULE_SELECT};
    const char *start = p->now.text.p;
    bool done;
    if (p->now.kind == FG_RULE_WORD && is_sign(&p->next, ":")) {
        done = take_new_alias(p, &condition) && take_tests(p, &condition.tests);
    } else if (is_sign(&p->now, "[")) {
        done = take_tests(p, &condition.tests);
    } else if (is_word(&p->now, "not")) {
        condition.kind = FG_RULE_NOT_EXISTS;
        advance(p);
        if (!is_word(&p->now, "exists"))
            return refuse_word(p, "exists", words, 1);
        advance(p);
        done = take_counting(p, &condition);
    } else if (is_word(&p->now, "exists") || is_word(&p->now, "count")) {
        condition.kind = is_word(&p->now, "exists") ? FG_RULE_EXISTS : FG_RULE_COUNT;
        advance(p);
        done = take_counting(p, &condition);
    } else {
        return refuse_word(p, "a condition ([…], c:[…], exists, not exists, count) or =>", words, FG_ARRAY_SIZE(words));
    }
    condition.source = (fg_str_t){start, done ? (size_t)(p->end - start) : 0};
    p->rule->conditions[p->rule->condition_count++] = condition;
    return done;
}

/* ---- actions */

static bool take_assigned(parser_t *p, fg_rule_action_t *action) {
    const fg_rule_token_t word = p->now;
    fg_rule_property_t property;
    fg_str_t key = FG_STR_NONE;
    if (!take_property(p, &property, &key) || !take_sign(p, "="))
        return false;
    if (property != FG_RULE_PROPERTIES) {
        if (action->parts[property] != NULL)
            return refuse_at(p, &word, "%s once only", property_words[property]);
        return take_expr(p, &action->parts[property]);
    }
    fg_rule_property_set_t **end = &action->properties;
    for (; *end != NULL; end = &(*end)->next)
        if (fg_str_eq((*end)->key, key))
            return refuse_at(p, &word, "each property once only");
    *end = fg_arena_alloc(p->arena, sizeof **end);
    if (*end == NULL)
        return memory(p);
    (*end)->key = key;
    return take_expr(p, &(*end)->value);
}

static bool take_created(parser_t *p, fg_rule_action_t *action) {
    action->kind = FG_RULE_CREATE;
    do {
        if (!take_assigned(p, action))
            return false;
    } while (take_if(p, ","));
    for (fg_rule_property_t i = FG_RULE_TYPE; i <= FG_RULE_VALUE; i++)
        if (action->parts[i] == NULL)
            return refuse_at(p, &p->now, ", and %s = …", property_words[i]);
    return true;
}

static bool take_store_name(parser_t *p, fg_rule_question_t *question) {
    const fg_rule_token_t name = p->now;
    char text[64];
    const char *words[16];
    size_t count = 0;
    if (!take_text(p, &question->store, "the name of an attribute store in quotes"))
        return false;
    p->store = NULL;
    if (p->stores != NULL && p->stores->any)
        return true;
    for (size_t i = 0; p->stores != NULL && i < p->stores->count; i++) {
        p->store = &p->stores->items[i];
        if (fg_str_is(question->store, p->store->name))
            return true;
        if (count < FG_ARRAY_SIZE(words))
            words[count++] = p->stores->items[i].name;
    }
    snprintf(text, sizeof text, "%.*s", (int)(question->store.n < 63 ? question->store.n : 63),
             question->store.p ? question->store.p : "");
    const char *nearest = fg_spell_nearest(text, words, count);
    if (count == 0)
        return refuse_at(p, &name, "a rule without store: this gateway has no attribute store");
    return refuse_at(p, &name, "an attribute store of this gateway%s%s%s", nearest ? "; did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool take_types(parser_t *p, fg_rule_question_t *question) {
    fg_str_t types[FG_RULE_TYPES_MAX];
    if (!take_sign(p, "("))
        return false;
    do {
        if (question->type_count == FG_RULE_TYPES_MAX)
            return refuse_at(p, &p->now, "at most %u types", FG_RULE_TYPES_MAX);
        if (!take_text(p, &types[question->type_count], "a claim type in quotes"))
            return false;
        question->type_count++;
    } while (take_if(p, ","));
    question->types = fg_arena_alloc(p->arena, question->type_count * sizeof *types);
    if (question->types == NULL)
        return memory(p);
    memcpy(question->types, types, question->type_count * sizeof *types);
    return take_sign(p, ")");
}

static bool take_param(parser_t *p, fg_rule_question_t *question) {
    if (question->param_count == FG_RULE_PARAMS_MAX)
        return refuse_at(p, &p->now, "at most %u parameters", FG_RULE_PARAMS_MAX);
    return take_expr(p, &question->params[question->param_count++]);
}

static bool take_query(parser_t *p, fg_rule_question_t *question) {
    p->query = p->now;
    return take_text(p, &question->query, "a query in quotes");
}

/* The store's own words, at the query's place. */
static bool check_question(parser_t *p, const fg_rule_question_t *question) {
    fg_err_t why = FG_ERR_INIT;
    if (p->store == NULL || p->store->check == NULL ||
        p->store->check(p->store, question->query, question->param_count, question->type_count, &why))
        return true;
    return why.code == FG_E_MEMORY ? memory(p)
                                   : FG_FAIL(p->err, FG_E_CONFIG, "%s:%u:%u: %s", p->lexer.file, p->query.line,
                                             p->query.column, why.detail);
}

static bool take_stored(parser_t *p, fg_rule_action_t *action) {
    static const char *const words[] = {"store", "types", "query", "param"};
    static bool (*const takers[])(parser_t *, fg_rule_question_t *) = {take_store_name, take_types, take_query,
                                                                       take_param};
    bool given[FG_ARRAY_SIZE(words)] = {false};
    action->kind = FG_RULE_STORE;
    action->question = fg_arena_alloc(p->arena, sizeof *action->question);
    if (action->question == NULL)
        return memory(p);
    do {
        size_t i = 0;
        while (i < FG_ARRAY_SIZE(words) && !is_word(&p->now, words[i]))
            i++;
        if (i == FG_ARRAY_SIZE(words))
            return refuse_word(p, "store, types, query or param", words, FG_ARRAY_SIZE(words));
        if (given[i] && takers[i] != take_param)
            return refuse_at(p, &p->now, "%s once only", words[i]);
        given[i] = true;
        advance(p);
        if (!take_sign(p, "=") || !takers[i](p, action->question))
            return false;
    } while (take_if(p, ","));
    for (size_t i = 0; i < 3; i++)
        if (!given[i])
            return refuse_at(p, &p->now, ", and %s = …", words[i]);
    return check_question(p, action->question);
}

static bool set_part(parser_t *p, fg_rule_action_t *action, fg_rule_property_t property, fg_str_t text) {
    fg_rule_expr_t *expr = action->parts[property] = fg_arena_alloc(p->arena, sizeof *expr);
    if (expr == NULL)
        return memory(p);
    expr->kind = FG_RULE_TERM_TEXT;
    expr->text = text;
    return true;
}

/* permit(), deny(), deny("reason"): the claims of AD FS' authorization rules, issued. */
static bool take_decision(parser_t *p, fg_rule_action_t *action) {
    bool permits = is_word(&p->now, "permit");
    advance(p);
    action->kind = FG_RULE_CREATE;
    action->issues = true;
    if (!take_sign(p, "("))
        return false;
    if (permits && !is_sign(&p->now, ")"))
        return refuse_at(p, &p->now, "): permit has no reason");
    if (!is_sign(&p->now, ")") && !take_text(p, &action->reason, "a reason in quotes, or )"))
        return false;
    return set_part(p, action, FG_RULE_TYPE, permits ? FG_STR(FG_CLAIM_PERMIT) : FG_STR(FG_CLAIM_DENY)) &&
           set_part(p, action, FG_RULE_VALUE, action->reason.n > 0 ? action->reason : FG_STR("true")) &&
           take_sign(p, ")");
}

static bool take_action(parser_t *p) {
    static const char *const words[] = {"issue", "add", "permit", "deny"};
    fg_rule_action_t *action = fg_arena_alloc(p->arena, sizeof *action);
    if (action == NULL)
        return memory(p);
    p->rule->action = action;
    if (is_word(&p->now, "permit") || is_word(&p->now, "deny"))
        return take_decision(p, action);
    action->issues = is_word(&p->now, "issue");
    if (!action->issues && !is_word(&p->now, "add"))
        return refuse_word(p, "issue, add, permit or deny", words, FG_ARRAY_SIZE(words));
    advance(p);
    if (!take_sign(p, "("))
        return false;
    bool done;
    if (is_word(&p->now, "claim")) {
        action->kind = FG_RULE_COPY;
        advance(p);
        done = take_sign(p, "=") && take_alias(p, &action->copied);
    } else {
        bool stored = is_word(&p->now, "store") || is_word(&p->now, "types") || is_word(&p->now, "query") ||
                      is_word(&p->now, "param");
        done = stored ? take_stored(p, action) : take_created(p, action);
    }
    return done && take_sign(p, ")");
}

/* ---- rules */

/* @RuleTemplate and @RuleName: what AD FS writes above a rule. */
static bool take_attribute(parser_t *p) {
    static const char *const words[] = {"RuleName", "RuleTemplate", "alias"};
    fg_str_t text = FG_STR_NONE;
    bool is_name = is_word(&p->now, words[0]);
    if (is_word(&p->now, words[2]))
        return refuse_at(p, &p->now, "RuleName, RuleTemplate or the rule: an alias stands before @RuleName");
    if (!is_name && !is_word(&p->now, words[1]))
        return refuse_word(p, "RuleName, RuleTemplate or alias", words, FG_ARRAY_SIZE(words));
    advance(p);
    if (!take_sign(p, "=") || !take_text(p, &text, "a text in quotes"))
        return false;
    if (is_name)
        p->rule->place.name = fg_arena_strndup(p->arena, text.p, text.n);
    return p->rule->place.name != NULL || memory(p);
}

static bool take_conditions(parser_t *p) {
    do {
        if (!take_condition(p))
            return false;
    } while (take_if(p, "&&"));
    return is_sign(&p->now, "=>") || refuse_at(p, &p->now, "&& or =>");
}

/* Behind its attributes. */
static bool take_rule(parser_t *p, fg_rule_t *rule) {
    size_t size;
    rule->place.line = p->now.line;
    rule->conditions = p->conditions;
    if (!is_sign(&p->now, "=>") && !take_conditions(p))
        return false;
    advance(p);
    if (!take_action(p) || !take_sign(p, ";"))
        return false;
    size = rule->condition_count * sizeof *rule->conditions;
    rule->conditions = fg_arena_alloc(p->arena, size);
    if (rule->conditions == NULL)
        return memory(p);
    memcpy(rule->conditions, p->conditions, size);
    return true;
}

static bool make_room(parser_t *p) {
    fg_ruleset_t *set = p->set;
    if (set->count < set->room)
        return true;
    size_t room = set->room ? set->room * 2 : 16;
    fg_rule_t **rules = fg_arena_alloc(p->arena, room * sizeof *rules);
    if (rules == NULL)
        return memory(p);
    if (set->count > 0)
        memcpy(rules, set->rules, set->count * sizeof *rules);
    set->rules = rules;
    set->room = room;
    return true;
}

/* ---- aliases */

static bool add_alias(parser_t *p, const fg_rule_token_t *name, fg_str_t type) {
    fg_ruleset_t *set = p->set;
    if (set->alias_count == ALIASES_MAX)
        return refuse_at(p, name, "at most %u aliases", ALIASES_MAX);
    if (set->alias_count == set->alias_room) {
        size_t room = set->alias_room ? set->alias_room * 2 : 8;
        fg_rule_alias_t *aliases = fg_arena_alloc(p->arena, room * sizeof *aliases);
        if (aliases == NULL)
            return memory(p);
        if (set->alias_count > 0)
            memcpy(aliases, set->aliases, set->alias_count * sizeof *aliases);
        set->aliases = aliases;
        set->alias_room = room;
    }
    fg_rule_alias_t *alias = &set->aliases[set->alias_count++];
    *alias = (fg_rule_alias_t){fg_arena_strndup(p->arena, name->text.p, name->text.n), type};
    return alias->name != NULL || memory(p);
}

/* Behind "@": alias name = "type", a semicolon or none. */
static bool take_alias_statement(parser_t *p) {
    advance(p);
    const fg_rule_token_t name = p->now;
    if (name.kind != FG_RULE_WORD)
        return refuse_at(p, &name, "the name of an alias");
    if (is_property(p))
        return refuse_at(p, &name, "the name of an alias, which is none of a property");
    fg_str_t known = fg_ruleset_find_alias(p->set, name.text), type = FG_STR_NONE;
    advance(p);
    if (!take_sign(p, "="))
        return false;
    const fg_rule_token_t text = p->now;
    if (!take_text(p, &type, "a claim type in quotes"))
        return false;
    if (type.n == 0)
        return refuse_at(p, &text, "a claim type, which is not empty");
    (void)take_if(p, ";");
    if (known.p == NULL)
        return add_alias(p, &name, type);
    if (fg_str_eq(known, type))
        return true;
    return refuse_at(p, &name, "%s \"%.*s\"",
                     fg_request_alias(name.text).p != NULL ? "another name: this one is built in and stands for"
                                                           : "another name: this one stands already for",
                     FG_STR_ARG(known));
}

/* ---- files */

static bool take_statements(parser_t *p);

/* Reads text from its beginning to its end; what is being read around it stays. */
static bool take_source(parser_t *p, const source_t *source, const char *name, fg_str_t text) {
    const parser_t before = *p;
    name = fg_arena_strdup(p->arena, name);
    text = fg_arena_str(p->arena, text);
    if (name == NULL || text.p == NULL)
        return memory(p);
    p->lexer.file = name;
    if (!fg_str_is_utf8(text))
        return FG_FAIL(p->err, FG_E_CONFIG, "%s:1:1: found bytes that are not UTF-8, expected claim rules in UTF-8",
                       name);
    fg_rule_lexer_init(&p->lexer, name, text);
    p->source = source;
    p->next = fg_rule_lexer_next(&p->lexer);
    advance(p);
    if (!take_statements(p))
        return false;
    p->lexer = before.lexer;
    p->now = before.now;
    p->next = before.next;
    p->source = before.source;
    return true;
}

static bool take_included(parser_t *p, const fg_rule_token_t *at, const char *path) {
    fg_err_t why = FG_ERR_INIT;
    fg_buf_t text = FG_BUF_INIT(FG_RULE_FILE_MAX);
    source_t source = {path, realpath(path, NULL), p->source->depth + 1, p->source};
    fg_file_stamp_t stamp;
    bool ok = true;
    fg_file_stamp(path, &stamp); /* before reading: what changes meanwhile is seen the next time */
    for (const source_t *open = p->source; source.real != NULL && open != NULL; open = open->includer)
        if (open->real != NULL && strcmp(open->real, source.real) == 0)
            ok = false;
    if (!ok)
        refuse_at(p, at, "a file that does not include this one (%s)", path);
    else if (source.depth > INCLUDES_MAX)
        ok = refuse_at(p, at, "files included at most %u deep", INCLUDES_MAX);
    else if (++p->file_count > FG_RULE_FILES_MAX)
        ok = refuse_at(p, at, "at most %u included files", FG_RULE_FILES_MAX);
    else if (!fg_file_read(path, &text, NULL, &why))
        ok = refuse_at(p, at, "a file that can be read (%s)", why.detail);
    else if (!fg_rule_see(p->set, path, &stamp))
        ok = memory(p);
    else
        ok = take_source(p, &source, path, fg_buf_str(&text));
    fg_buf_free(&text);
    free(source.real);
    return ok;
}

/* include "path", a semicolon or none. */
static bool take_include(parser_t *p) {
    const fg_rule_token_t word = p->now;
    fg_rule_paths_t paths;
    char why[200];
    advance(p);
    const fg_rule_token_t at = p->now;
    fg_str_t name = FG_STR_NONE;
    if (!take_text(p, &name, "a file, a pattern or a folder in quotes"))
        return false;
    if (p->source->path == NULL)
        return refuse_at(p, &word, "a rule or an alias: only files include others");
    (void)take_if(p, ";");
    if (!fg_rule_include_find(p->arena, p->source->path, name, &paths, why, sizeof why))
        return refuse_at(p, &at, "%s", why);
    for (size_t i = 0; i < paths.folder_count; i++)
        if (!fg_rule_see(p->set, paths.folders[i].path, &paths.folders[i].stamp))
            return memory(p);
    for (size_t i = 0; i < paths.count; i++)
        if (!take_included(p, &at, paths.items[i]))
            return false;
    return true;
}

/* A rule, behind the attributes that stand above it, or an alias. */
static bool take_statement(parser_t *p) {
    fg_rule_t *rule;
    if (is_word(&p->now, "include") && !is_sign(&p->next, ":"))
        return take_include(p);
    if (is_sign(&p->now, "@") && is_word(&p->next, "alias")) {
        advance(p);
        return take_alias_statement(p);
    }
    if (p->set->count == RULES_MAX)
        return refuse_at(p, &p->now, "at most %u rules", RULES_MAX);
    if (!make_room(p))
        return false;
    p->rule = rule = fg_arena_alloc(p->arena, sizeof *rule);
    if (rule == NULL)
        return memory(p);
    rule->place = (fg_rule_place_t){p->lexer.file, p->now.line, ""};
    while (take_if(p, "@"))
        if (!take_attribute(p))
            return false;
    if (!take_rule(p, rule))
        return false;
    p->set->rules[p->set->count++] = rule;
    return true;
}

static bool take_statements(parser_t *p) {
    while (p->now.kind != FG_RULE_END)
        if (!take_statement(p))
            return false;
    return true;
}

bool fg_rule_parse(fg_ruleset_t *set, const char *name, const char *path, fg_str_t text, const fg_rule_stores_t *stores,
                   fg_err_t *err) {
    parser_t p = {.lexer = {.file = name}, .set = set, .arena = set->arena, .stores = stores, .err = err};
    source_t source = {path, path ? realpath(path, NULL) : NULL, 0, NULL};
    bool ok = take_source(&p, &source, name, text);
    free(source.real);
    return ok;
}
