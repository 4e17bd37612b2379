/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Running a rule set.  A rule fires for every combination of claims that its conditions select ("The Role of the Claims
 * Engine"); what it makes is seen by the rules behind it.  Sets hold each claim once. */
#include "policy/rule_parts.h"

#define CLAIMS_MAX 4000u   /* in the set that rules look at */
#define ISSUED_MAX 1000u   /* what a reader of tokens takes from others, too */
#define STEPS_MAX 2000000u /* tests of one run */
#define FIRINGS_MAX 20000u /* of rules in one run */
#define REGEX_MAX 20000u   /* matches of one run */
#define TEXT_MAX 65536u    /* bytes of one text that a rule makes */
#define STRING_TYPE "http://www.w3.org/2001/XMLSchema#string"
#define LOCAL_ISSUER "LOCAL AUTHORITY"

typedef struct matches {
    const fg_claim_t **items;
    size_t count, room;
    bool fixed; /* the condition does not look at other conditions' claims: found once per rule */
} matches_t;

typedef struct run {
    fg_arena_t *arena;
    const fg_rule_stores_t *stores;
    fg_rule_matcher_t *matcher;
    fg_claims_t known; /* input and what rules added */
    size_t visible;    /* how much of it the present rule sees */
    fg_rule_output_t *out;
    size_t out_room;
    const fg_rule_t *rule;
    matches_t matches[FG_RULE_CONDITIONS_MAX];
    const fg_claim_t *bound[FG_RULE_CONDITIONS_MAX];
    size_t steps, firings, regexes;
    fg_err_t *err;
} run_t;

static bool stop(run_t *r, const char *why) {
    const fg_rule_place_t *place = &r->rule->place;
    return FG_FAIL(r->err, FG_E_INTERNAL, "%s:%u: rule \"%s\": %s", place->file, place->line, place->name, why);
}

static bool memory(run_t *r) { return FG_FAIL(r->err, FG_E_MEMORY, "running claim rules"); }

/* ---- claims */

static fg_str_t get_property(const fg_claim_t *claim, fg_rule_property_t property, fg_str_t key) {
    switch (property) {
    case FG_RULE_TYPE:
        return claim->type;
    case FG_RULE_VALUE:
        return claim->value;
    case FG_RULE_VALUE_TYPE:
        return claim->value_type.n > 0 ? claim->value_type : FG_STR(STRING_TYPE);
    case FG_RULE_ISSUER:
        return claim->issuer.n > 0 ? claim->issuer : FG_STR(LOCAL_ISSUER);
    case FG_RULE_ORIGINAL_ISSUER:
        return claim->original_issuer.n > 0 ? claim->original_issuer : get_property(claim, FG_RULE_ISSUER, key);
    default:
        break;
    }
    for (const fg_claim_property_t *p = claim->properties; p != NULL; p = p->next)
        if (fg_str_eq(p->name, key))
            return p->value;
    return FG_STR_NONE;
}

static bool same_properties(const fg_claim_property_t *a, const fg_claim_property_t *b) {
    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        if (!fg_str_eq(a->name, b->name) || !fg_str_eq(a->value, b->value))
            return false;
    return a == b;
}

static bool same_claim(const fg_claim_t *a, const fg_claim_t *b) {
    for (fg_rule_property_t i = FG_RULE_TYPE; i < FG_RULE_PROPERTIES; i++)
        if (!fg_str_eq(get_property(a, i, FG_STR_NONE), get_property(b, i, FG_STR_NONE)))
            return false;
    return same_properties(a->properties, b->properties);
}

static bool has_claim(const fg_claims_t *claims, const fg_claim_t *claim) {
    for (size_t i = 0; i < claims->count; i++)
        if (same_claim(&claims->items[i], claim))
            return true;
    return false;
}

static bool note_place(run_t *r) {
    fg_rule_output_t *out = r->out;
    if (out->claims.count > r->out_room) {
        size_t room = r->out_room ? r->out_room * 2 : 16;
        const fg_rule_place_t **places = fg_arena_alloc(r->arena, room * sizeof *places);
        if (places == NULL)
            return false;
        if (r->out_room > 0)
            memcpy(places, out->places, r->out_room * sizeof *places);
        out->places = places;
        r->out_room = room;
    }
    out->places[out->claims.count - 1] = &r->rule->place;
    return true;
}

/* What add and issue do with a claim. */
static bool give(run_t *r, const fg_claim_t *claim) {
    if (!has_claim(&r->known, claim)) {
        if (r->known.count == CLAIMS_MAX)
            return stop(r, "more than 4000 claims");
        if (!fg_claims_add(r->arena, &r->known, claim))
            return memory(r);
    }
    if (!r->rule->action->issues || has_claim(&r->out->claims, claim))
        return true;
    if (r->out->claims.count == ISSUED_MAX)
        return stop(r, "more than 1000 claims are issued");
    return (fg_claims_add(r->arena, &r->out->claims, claim) && note_place(r)) || memory(r);
}

/* ---- expressions */

static bool count_regex(run_t *r) {
    return ++r->regexes <= REGEX_MAX || stop(r, "too many regular expressions are matched in one run");
}

static bool put_expr(run_t *r, const fg_rule_expr_t *expr, fg_buf_t *out);

static bool put_replaced(run_t *r, const fg_rule_expr_t *term, fg_buf_t *out) {
    fg_buf_t value = FG_BUF_INIT(TEXT_MAX), replacement = FG_BUF_INIT(TEXT_MAX);
    bool ok = put_expr(r, term->value, &value) && put_expr(r, term->replacement, &replacement) && count_regex(r);
    if (ok && !fg_rule_regex_replace(term->regex, r->matcher, fg_buf_str(&value), fg_buf_str(&replacement), out))
        ok = stop(r, "RegexReplace takes too long or makes too long a text");
    fg_buf_free(&value);
    fg_buf_free(&replacement);
    return ok;
}

static bool put_expr(run_t *r, const fg_rule_expr_t *expr, fg_buf_t *out) {
    for (; expr != NULL; expr = expr->next) {
        if (expr->kind == FG_RULE_TERM_REPLACE) {
            if (!put_replaced(r, expr, out))
                return false;
            continue;
        }
        const fg_rule_field_t *field = &expr->field;
        bool is_text = expr->kind == FG_RULE_TERM_TEXT;
        fg_buf_put_str(out,
                       is_text ? expr->text : get_property(r->bound[field->condition], field->property, field->key));
    }
    return fg_buf_ok(out) || stop(r, "a text of more than 64 KiB");
}

static bool make_text(run_t *r, const fg_rule_expr_t *expr, fg_str_t *text) {
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    bool ok = put_expr(r, expr, &out);
    *text = ok ? fg_arena_str(r->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return ok && (text->p != NULL || memory(r));
}

/* ---- actions */

static bool make_properties(run_t *r, fg_claim_t *claim) {
    const fg_claim_property_t **end = &claim->properties;
    for (const fg_rule_property_set_t *set = r->rule->action->properties; set != NULL; set = set->next) {
        fg_claim_property_t *property = fg_arena_alloc(r->arena, sizeof *property);
        if (property == NULL)
            return memory(r);
        property->name = set->key;
        if (!make_text(r, set->value, &property->value))
            return false;
        *end = property;
        end = &property->next;
    }
    return true;
}

static bool create(run_t *r) {
    fg_claim_t claim = {0};
    fg_str_t *const parts[FG_RULE_PROPERTIES] = {&claim.type, &claim.value, &claim.value_type, &claim.issuer,
                                                 &claim.original_issuer};
    for (fg_rule_property_t i = FG_RULE_TYPE; i < FG_RULE_PROPERTIES; i++) {
        const fg_rule_expr_t *expr = r->rule->action->parts[i];
        if (expr != NULL && !make_text(r, expr, parts[i]))
            return false;
    }
    if (claim.type.n == 0)
        return stop(r, "the claim that it makes has an empty type");
    return make_properties(r, &claim) && give(r, &claim);
}

static bool ask_store(run_t *r) {
    const fg_rule_action_t *action = r->rule->action;
    fg_str_t params[FG_RULE_PARAMS_MAX];
    fg_claims_t found = {0};
    const fg_rule_store_t *store = NULL;
    for (size_t i = 0; r->stores != NULL && i < r->stores->count; i++)
        if (fg_str_is(action->store, r->stores->items[i].name))
            store = &r->stores->items[i];
    if (store == NULL)
        return stop(r, "its attribute store is not there");
    for (size_t i = 0; i < action->param_count; i++)
        if (!make_text(r, action->params[i], &params[i]))
            return false;
    if (!store->query(store, r->arena, action->query, params, action->param_count, action->types, action->type_count,
                      &found, r->err))
        return fg_err_prefix(r->err, "%s:%u: rule \"%s\"", r->rule->place.file, r->rule->place.line,
                             r->rule->place.name);
    for (size_t i = 0; i < found.count; i++)
        if (!give(r, &found.items[i]))
            return false;
    return true;
}

static bool fire(run_t *r) {
    const fg_rule_action_t *action = r->rule->action;
    if (++r->firings > FIRINGS_MAX)
        return stop(r, "too many combinations of claims fire rules in one run");
    if (action->kind == FG_RULE_COPY)
        return give(r, r->bound[action->copied]);
    return action->kind == FG_RULE_CREATE ? create(r) : ask_store(r);
}

/* ---- conditions */

/* *holds: whether the claim passes all tests. */
static bool check(run_t *r, const fg_rule_test_t *test, const fg_claim_t *claim, bool *holds) {
    for (*holds = true; test != NULL && *holds; test = test->next) {
        fg_str_t left = get_property(claim, test->property, test->key);
        if (++r->steps > STEPS_MAX)
            return stop(r, "too many combinations of claims are looked at in one run");
        if (test->regex == NULL) {
            fg_str_t right = test->text;
            if (test->other)
                right = get_property(r->bound[test->field.condition], test->field.property, test->field.key);
            *holds = fg_str_eq(left, right) == (test->op == FG_RULE_EQ);
            continue;
        }
        if (!count_regex(r))
            return false;
        fg_rule_match_t match = fg_rule_regex_match(test->regex, r->matcher, left);
        if (match == FG_RULE_MATCH_TOO_LONG)
            return stop(r, "a regular expression takes too long on a claim");
        *holds = (match == FG_RULE_MATCHES) == (test->op == FG_RULE_MATCH);
    }
    return true;
}

/* Room for all claims there may be at this rule; the array stays for the rules behind it. */
static bool make_room(run_t *r, matches_t *matches) {
    size_t room = r->visible + r->visible / 2;
    const fg_claim_t **items = fg_arena_alloc(r->arena, room * sizeof *items);
    if (items == NULL)
        return false;
    if (matches->count > 0)
        memcpy(items, matches->items, matches->count * sizeof *items);
    matches->items = items;
    matches->room = room;
    return true;
}

static bool find(run_t *r, const fg_rule_condition_t *condition, matches_t *matches) {
    bool holds;
    matches->count = 0;
    for (size_t i = 0; i < r->visible; i++) {
        if (!check(r, condition->tests, &r->known.items[i], &holds))
            return false;
        if (!holds)
            continue;
        if (matches->count == matches->room && !make_room(r, matches))
            return memory(r);
        matches->items[matches->count++] = &r->known.items[i];
    }
    return true;
}

static bool compare(size_t count, fg_rule_op_t op, size_t number) {
    switch (op) {
    case FG_RULE_EQ:
        return count == number;
    case FG_RULE_NE:
        return count != number;
    case FG_RULE_LT:
        return count < number;
    case FG_RULE_LE:
        return count <= number;
    case FG_RULE_GT:
        return count > number;
    default:
        return count >= number;
    }
}

/* Whether what was found lets the rule go on. */
static bool is_met(const fg_rule_condition_t *condition, const matches_t *matches) {
    if (condition->kind == FG_RULE_NOT_EXISTS)
        return matches->count == 0;
    return condition->kind == FG_RULE_COUNT ? compare(matches->count, condition->op, condition->number)
                                            : matches->count > 0;
}

/* Binds condition at, and those behind it, in every way there is, and fires for each. */
static bool combine(run_t *r, unsigned at) {
    if (at == r->rule->condition_count)
        return fire(r);
    const fg_rule_condition_t *condition = &r->rule->conditions[at];
    matches_t *matches = &r->matches[at];
    if (!matches->fixed && !find(r, condition, matches))
        return false;
    if (!is_met(condition, matches))
        return true;
    if (condition->kind != FG_RULE_SELECT)
        return combine(r, at + 1);
    for (size_t i = 0; i < matches->count; i++) {
        if (++r->steps > STEPS_MAX)
            return stop(r, "too many combinations of claims are looked at in one run");
        r->bound[at] = matches->items[i];
        if (!combine(r, at + 1))
            return false;
    }
    return true;
}

static bool looks_elsewhere(const fg_rule_condition_t *condition) {
    for (const fg_rule_test_t *test = condition->tests; test != NULL; test = test->next)
        if (test->other)
            return true;
    return false;
}

static bool run_rule(run_t *r, const fg_rule_t *rule) {
    r->rule = rule;
    r->visible = r->known.count;
    for (unsigned i = 0; i < rule->condition_count; i++) {
        r->matches[i].fixed = !looks_elsewhere(&rule->conditions[i]);
        if (!r->matches[i].fixed)
            continue;
        if (!find(r, &rule->conditions[i], &r->matches[i]))
            return false;
        if (!is_met(&rule->conditions[i], &r->matches[i]))
            return true;
    }
    return combine(r, 0);
}

bool fg_ruleset_run(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                    const fg_claims_t *input, fg_rule_output_t *out, fg_err_t *err) {
    run_t r = {.arena = arena, .stores = stores, .matcher = fg_rule_matcher_new(arena), .out = out, .err = err};
    *out = (fg_rule_output_t){{0}, NULL};
    if (r.matcher == NULL)
        return memory(&r);
    if (input->count > CLAIMS_MAX)
        return FG_FAIL(err, FG_E_INTERNAL, "more than %u claims for the claim rules", CLAIMS_MAX);
    for (size_t i = 0; i < input->count; i++)
        if (!fg_claims_add(arena, &r.known, &input->items[i]))
            return memory(&r);
    for (const fg_rule_t *rule = set->rules; rule != NULL; rule = rule->next)
        if (!run_rule(&r, rule))
            return false;
    return true;
}

bool fg_ruleset_authorize(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                          const fg_claims_t *input, fg_err_t *err) {
    fg_rule_output_t out;
    const fg_rule_place_t *permit = NULL, *deny = NULL;
    if (!fg_ruleset_run(set, arena, stores, input, &out, err))
        return false;
    for (size_t i = 0; i < out.claims.count; i++) {
        if (permit == NULL && fg_str_is(out.claims.items[i].type, FG_CLAIM_PERMIT))
            permit = out.places[i];
        if (deny == NULL && fg_str_is(out.claims.items[i].type, FG_CLAIM_DENY))
            deny = out.places[i];
    }
    if (deny != NULL)
        return FG_FAIL(err, FG_E_DENIED, "denied by rule \"%s\", %s:%u", deny->name, deny->file, deny->line);
    return permit != NULL || FG_FAIL(err, FG_E_DENIED, "no authorization rule permits it");
}
