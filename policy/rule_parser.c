/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/spell.h"
#include "policy/rule_lexer.h"
#include "policy/rule_parts.h"

#define FILE_MAX (1u << 20)
#define ARENA_MAX (256u << 20) /* a cap, not a size */
#define RULES_MAX 20000u
#define NESTING_MAX 8u /* RegexReplace in RegexReplace */
#define COUNT_MAX 1000000u

typedef struct parser {
    fg_rule_lexer_t lexer;
    fg_rule_token_t now, next;
    fg_arena_t *arena;
    const fg_rule_stores_t *stores;
    fg_rule_t *rule; /* that is being read */
    unsigned nesting;
    fg_err_t *err;
} parser_t;

/* ---- tokens and messages */

static void advance(parser_t *p) {
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

static bool take_test(parser_t *p, fg_rule_test_t *test) {
    if (!take_property(p, &test->property, &test->key) ||
        !take_operator(p, FG_RULE_EQ, FG_RULE_NO_MATCH, "==, !=, =~ or !~", &test->op))
        return false;
    if (test->op == FG_RULE_MATCH || test->op == FG_RULE_NO_MATCH)
        return take_regex(p, &test->regex);
    test->other = p->now.kind == FG_RULE_WORD;
    return test->other ? take_field(p, &test->field)
                       : take_text(p, &test->text, "a text in quotes, or a claim's property as c.Value");
}

static bool take_tests(parser_t *p, fg_rule_test_t **tests) {
    if (!take_sign(p, "["))
        return false;
    if (take_if(p, "]"))
        return true;
    do {
        *tests = fg_arena_alloc(p->arena, sizeof **tests);
        if (*tests == NULL)
            return memory(p);
        if (!take_test(p, *tests))
            return false;
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

static bool take_store_name(parser_t *p, fg_rule_action_t *action) {
    const fg_rule_token_t name = p->now;
    char text[64];
    const char *words[16];
    size_t count = 0;
    if (!take_text(p, &action->store, "the name of an attribute store in quotes"))
        return false;
    for (size_t i = 0; p->stores != NULL && i < p->stores->count; i++) {
        if (fg_str_is(action->store, p->stores->items[i].name))
            return true;
        if (count < FG_ARRAY_SIZE(words))
            words[count++] = p->stores->items[i].name;
    }
    snprintf(text, sizeof text, "%.*s", (int)(action->store.n < 63 ? action->store.n : 63),
             action->store.p ? action->store.p : "");
    const char *nearest = fg_spell_nearest(text, words, count);
    if (count == 0)
        return refuse_at(p, &name, "a rule without store: this gateway has no attribute store");
    return refuse_at(p, &name, "an attribute store of this gateway%s%s%s", nearest ? "; did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

static bool take_types(parser_t *p, fg_rule_action_t *action) {
    if (!take_sign(p, "("))
        return false;
    do {
        if (action->type_count == FG_RULE_TYPES_MAX)
            return refuse_at(p, &p->now, "at most %u types", FG_RULE_TYPES_MAX);
        if (!take_text(p, &action->types[action->type_count], "a claim type in quotes"))
            return false;
        action->type_count++;
    } while (take_if(p, ","));
    return take_sign(p, ")");
}

static bool take_param(parser_t *p, fg_rule_action_t *action) {
    if (action->param_count == FG_RULE_PARAMS_MAX)
        return refuse_at(p, &p->now, "at most %u parameters", FG_RULE_PARAMS_MAX);
    return take_expr(p, &action->params[action->param_count++]);
}

static bool take_query(parser_t *p, fg_rule_action_t *action) {
    return take_text(p, &action->query, "a query in quotes");
}

static bool take_stored(parser_t *p, fg_rule_action_t *action) {
    static const char *const words[] = {"store", "types", "query", "param"};
    static bool (*const takers[])(parser_t *, fg_rule_action_t *) = {take_store_name, take_types, take_query,
                                                                     take_param};
    bool given[FG_ARRAY_SIZE(words)] = {false};
    action->kind = FG_RULE_STORE;
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
        if (!take_sign(p, "=") || !takers[i](p, action))
            return false;
    } while (take_if(p, ","));
    for (size_t i = 0; i < 3; i++)
        if (!given[i])
            return refuse_at(p, &p->now, ", and %s = …", words[i]);
    return true;
}

static bool take_action(parser_t *p) {
    static const char *const words[] = {"issue", "add"};
    fg_rule_action_t *action = fg_arena_alloc(p->arena, sizeof *action);
    if (action == NULL)
        return memory(p);
    p->rule->action = action;
    action->issues = is_word(&p->now, "issue");
    if (!action->issues && !is_word(&p->now, "add"))
        return refuse_word(p, "issue or add", words, FG_ARRAY_SIZE(words));
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
    static const char *const words[] = {"RuleName", "RuleTemplate"};
    fg_str_t text = FG_STR_NONE;
    bool is_name = is_word(&p->now, words[0]);
    if (!is_name && !is_word(&p->now, words[1]))
        return refuse_word(p, "RuleName or RuleTemplate", words, FG_ARRAY_SIZE(words));
    advance(p);
    if (!take_sign(p, "=") || !take_text(p, &text, "a text in quotes"))
        return false;
    if (is_name)
        p->rule->place.name = fg_arena_strndup(p->arena, text.p, text.n);
    return p->rule->place.name != NULL || memory(p);
}

static bool take_rule(parser_t *p, fg_rule_t *rule) {
    p->rule = rule;
    rule->place = (fg_rule_place_t){p->lexer.file, p->now.line, ""};
    while (take_if(p, "@"))
        if (!take_attribute(p))
            return false;
    rule->place.line = p->now.line;
    if (!is_sign(&p->now, "=>")) {
        do {
            if (!take_condition(p))
                return false;
        } while (take_if(p, "&&"));
        if (!is_sign(&p->now, "=>"))
            return refuse_at(p, &p->now, "&& or =>");
    }
    advance(p);
    return take_action(p) && take_sign(p, ";");
}

static bool take_rules(parser_t *p, fg_ruleset_t *set) {
    fg_rule_t **end = &set->rules;
    while (p->now.kind != FG_RULE_END) {
        if (set->count == RULES_MAX)
            return refuse_at(p, &p->now, "at most %u rules", RULES_MAX);
        fg_rule_t *rule = fg_arena_alloc(p->arena, sizeof *rule);
        if (rule == NULL)
            return memory(p);
        if (!take_rule(p, rule))
            return false;
        *end = rule;
        end = &rule->next;
        set->count++;
    }
    return true;
}

fg_ruleset_t *fg_ruleset_compile(const char *file, fg_str_t text, const fg_rule_stores_t *stores, fg_err_t *err) {
    fg_ruleset_t *set = calloc(1, sizeof *set);
    if (set != NULL)
        set->arena = fg_arena_new(ARENA_MAX);
    parser_t p = {.arena = set ? set->arena : NULL, .stores = stores, .err = err};
    const char *name = p.arena ? fg_arena_strdup(p.arena, file) : NULL;
    text = p.arena ? fg_arena_str(p.arena, text) : FG_STR_NONE;
    bool done = name != NULL && text.p != NULL;
    if (!done) {
        FG_FAIL(err, FG_E_MEMORY, "reading %s", file);
    } else if (!fg_str_is_utf8(text)) {
        done = FG_FAIL(err, FG_E_CONFIG, "%s:1:1: found bytes that are not UTF-8, expected claim rules in UTF-8", file);
    } else {
        fg_rule_lexer_init(&p.lexer, name, text);
        p.next = fg_rule_lexer_next(&p.lexer);
        advance(&p);
        done = take_rules(&p, set);
    }
    if (done)
        return set;
    fg_ruleset_free(set);
    return NULL;
}

fg_ruleset_t *fg_ruleset_load(const char *path, const fg_rule_stores_t *stores, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FILE_MAX);
    fg_ruleset_t *set =
        fg_file_read(path, &text, NULL, err) ? fg_ruleset_compile(path, fg_buf_str(&text), stores, err) : NULL;
    fg_buf_free(&text);
    return set;
}

void fg_ruleset_free(fg_ruleset_t *set) {
    if (set == NULL)
        return;
    fg_arena_free(set->arena);
    free(set);
}

size_t fg_ruleset_get_count(const fg_ruleset_t *set) { return set->count; }
