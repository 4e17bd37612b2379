/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Running a rule set.  A rule fires for every combination of claims that its conditions select ("The Role of the Claims
 * Engine"); what it makes is seen by the rules behind it.  Sets hold each claim once. */
#include "policy/rule_run.h"

#define CLAIMS_MAX 4000u   /* in the set that rules look at */
#define ISSUED_MAX 1000u   /* what a reader of tokens takes from others, too */
#define STEPS_MAX 2000000u /* tests of one run */
#define FIRINGS_MAX 20000u /* of rules in one run */
#define REGEX_MAX 20000u   /* matches of one run */
#define TEXT_MAX 65536u    /* bytes of one text that a rule makes */
#define STRING_TYPE "http://www.w3.org/2001/XMLSchema#string"
#define ROOM 16u /* for claims that rules make, to begin with */
#define LOCAL_ISSUER "LOCAL AUTHORITY"

static bool stop(fg_rule_run_t *r, const char *why) {
    const fg_rule_place_t *place = &r->rule->place;
    return FG_FAIL(r->err, FG_E_INTERNAL, "%s:%u: rule \"%s\": %s", place->file, place->line, place->name, why);
}

static bool memory(fg_rule_run_t *r) { return FG_FAIL(r->err, FG_E_MEMORY, "running claim rules"); }

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

static bool note_place(fg_rule_run_t *r) {
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

/* What the conditions of the rule that fires found. */
static void note_trial(const fg_rule_run_t *r, fg_rule_trial_t *trial) {
    if (trial->rule != NULL)
        return;
    trial->rule = r->rule;
    trial->held = r->rule->condition_count;
    for (unsigned i = 0; i < trial->held; i++) {
        const fg_rule_matches_t *matches = &r->matches[i];
        trial->holds[i] = true;
        trial->counts[i] = matches->count;
        if (r->rule->conditions[i].kind == FG_RULE_SELECT)
            trial->claims[i] = r->bound[i];
        else
            trial->claims[i] = matches->count > 0 ? matches->items[0] : NULL;
    }
}

/* What add and issue do with a claim. */
static bool give(fg_rule_run_t *r, const fg_claim_t *claim) {
    if (!has_claim(&r->known, claim)) {
        if (r->known.count == CLAIMS_MAX)
            return stop(r, "more than 4000 claims");
        if (!fg_claims_add(r->arena, &r->known, claim))
            return memory(r);
        fg_rule_index_mark(&r->set->index, claim, r->number + 1, r->candidates);
    }
    if (!r->rule->action->issues || has_claim(&r->out->claims, claim))
        return true;
    if (r->out->claims.count == ISSUED_MAX)
        return stop(r, "more than 1000 claims are issued");
    if (fg_str_is(claim->type, FG_CLAIM_PERMIT))
        note_trial(r, &r->permit);
    else if (fg_str_is(claim->type, FG_CLAIM_DENY))
        note_trial(r, &r->deny);
    return (fg_claims_add(r->arena, &r->out->claims, claim) && note_place(r)) || memory(r);
}

/* ---- expressions */

/* Before each match.  The matcher is made for the first: rule sets without regular expressions need none. */
static bool begin_regex(fg_rule_run_t *r) {
    if (++r->regexes > REGEX_MAX)
        return stop(r, "too many regular expressions are matched in one run");
    if (r->matcher == NULL)
        r->matcher = fg_rule_matcher_new(r->arena);
    return r->matcher != NULL || memory(r);
}

static bool put_expr(fg_rule_run_t *r, const fg_rule_expr_t *expr, fg_buf_t *out);

static bool put_replaced(fg_rule_run_t *r, const fg_rule_expr_t *term, fg_buf_t *out) {
    fg_buf_t value = FG_BUF_INIT(TEXT_MAX), replacement = FG_BUF_INIT(TEXT_MAX);
    bool ok = put_expr(r, term->value, &value) && put_expr(r, term->replacement, &replacement) && begin_regex(r);
    if (ok && !fg_rule_regex_replace(term->regex, r->matcher, fg_buf_str(&value), fg_buf_str(&replacement), out))
        ok = stop(r, "RegexReplace takes too long or makes too long a text");
    fg_buf_free(&value);
    fg_buf_free(&replacement);
    return ok;
}

static fg_str_t get_term(const fg_rule_run_t *r, const fg_rule_expr_t *term) {
    const fg_rule_field_t *field = &term->field;
    if (term->kind == FG_RULE_TERM_TEXT)
        return term->text;
    return get_property(r->bound[field->condition], field->property, field->key);
}

static bool put_expr(fg_rule_run_t *r, const fg_rule_expr_t *expr, fg_buf_t *out) {
    for (; expr != NULL; expr = expr->next) {
        if (expr->kind != FG_RULE_TERM_REPLACE)
            fg_buf_put_str(out, get_term(r, expr));
        else if (!put_replaced(r, expr, out))
            return false;
    }
    return fg_buf_ok(out) || stop(r, "a text of more than 64 KiB");
}

static bool make_replaced(fg_rule_run_t *r, const fg_rule_expr_t *expr, fg_str_t *text) {
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    bool ok = put_expr(r, expr, &out);
    *text = ok ? fg_arena_str(r->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return ok && (text->p != NULL || memory(r));
}

/* Texts and fields are put straight into the arena; only RegexReplace needs a buffer. */
static bool make_text(fg_rule_run_t *r, const fg_rule_expr_t *expr, fg_str_t *text) {
    size_t length = 0;
    for (const fg_rule_expr_t *term = expr; term != NULL; term = term->next) {
        if (term->kind == FG_RULE_TERM_REPLACE)
            return make_replaced(r, expr, text);
        length += get_term(r, term).n;
        if (length > TEXT_MAX)
            return stop(r, "a text of more than 64 KiB");
    }
    char *to = fg_arena_alloc(r->arena, length + 1);
    if (to == NULL)
        return memory(r);
    *text = (fg_str_t){to, length};
    for (const fg_rule_expr_t *term = expr; term != NULL; term = term->next) {
        fg_str_t part = get_term(r, term);
        if (part.n > 0)
            memcpy(to, part.p, part.n);
        to += part.n;
    }
    return true;
}

/* ---- actions */

static bool make_properties(fg_rule_run_t *r, fg_claim_t *claim) {
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

static bool create(fg_rule_run_t *r) {
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

static bool ask_store(fg_rule_run_t *r) {
    const fg_rule_question_t *question = r->rule->action->question;
    fg_str_t params[FG_RULE_PARAMS_MAX];
    fg_claims_t found = {0};
    const fg_rule_store_t *store = NULL;
    for (size_t i = 0; r->stores != NULL && i < r->stores->count; i++)
        if (fg_str_is(question->store, r->stores->items[i].name))
            store = &r->stores->items[i];
    if (store == NULL)
        return stop(r, "its attribute store is not there");
    for (size_t i = 0; i < question->param_count; i++)
        if (!make_text(r, question->params[i], &params[i]))
            return false;
    if (!store->query(store, r->arena, question->query, params, question->param_count, question->types,
                      question->type_count, &found, r->err))
        return fg_err_prefix(r->err, "%s:%u: rule \"%s\"", r->rule->place.file, r->rule->place.line,
                             r->rule->place.name);
    for (size_t i = 0; i < found.count; i++)
        if (!give(r, &found.items[i]))
            return false;
    return true;
}

static bool fire(fg_rule_run_t *r) {
    const fg_rule_action_t *action = r->rule->action;
    if (++r->firings > FIRINGS_MAX)
        return stop(r, "too many combinations of claims fire rules in one run");
    if (action->kind == FG_RULE_COPY)
        return give(r, r->bound[action->copied]);
    return action->kind == FG_RULE_CREATE ? create(r) : ask_store(r);
}

/* ---- conditions */

/* *holds: whether the claim passes all tests. */
static bool check(fg_rule_run_t *r, const fg_rule_test_t *test, const fg_claim_t *claim, bool *holds) {
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
        if (!begin_regex(r))
            return false;
        fg_rule_match_t match = fg_rule_regex_match(test->regex, r->matcher, left);
        if (match == FG_RULE_MATCH_TOO_LONG)
            return stop(r, "a regular expression takes too long on a claim");
        *holds = (match == FG_RULE_MATCHES) == (test->op == FG_RULE_MATCH);
    }
    return true;
}

/* Room for all claims there may be at this rule; the array stays for the rules behind it. */
static bool make_room(fg_rule_run_t *r, fg_rule_matches_t *matches) {
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

bool fg_rule_run_find(fg_rule_run_t *r, const fg_rule_condition_t *condition, fg_rule_matches_t *matches) {
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

bool fg_rule_is_met(const fg_rule_condition_t *condition, size_t count) {
    if (condition->kind == FG_RULE_NOT_EXISTS)
        return count == 0;
    return condition->kind == FG_RULE_COUNT ? compare(count, condition->op, condition->number) : count > 0;
}

/* Binds condition at, and those behind it, in every way there is, and fires for each. */
static bool combine(fg_rule_run_t *r, unsigned at) {
    if (at == r->rule->condition_count)
        return fire(r);
    const fg_rule_condition_t *condition = &r->rule->conditions[at];
    fg_rule_matches_t *matches = &r->matches[at];
    if (!matches->fixed && !fg_rule_run_find(r, condition, matches))
        return false;
    if (!fg_rule_is_met(condition, matches->count))
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

bool fg_rule_run_one(fg_rule_run_t *r, size_t number) {
    const fg_rule_t *rule = r->rule = r->set->rules[number];
    r->number = number;
    r->steps++;
    r->visible = r->known.count;
    for (unsigned i = 0; i < rule->condition_count; i++) {
        r->matches[i].fixed = !looks_elsewhere(&rule->conditions[i]);
        if (!r->matches[i].fixed)
            continue;
        if (!fg_rule_run_find(r, &rule->conditions[i], &r->matches[i]))
            return false;
        if (!fg_rule_is_met(&rule->conditions[i], r->matches[i].count))
            return true;
    }
    return combine(r, 0);
}

/* The first rule from at on that may fire; the count of rules: none. */
static size_t next_candidate(const fg_rule_run_t *r, size_t at) {
    size_t word = at / 64;
    uint64_t bits = r->candidates[word] & UINT64_MAX << at % 64;
    while (bits == 0) {
        if (++word == r->set->index.words)
            return r->set->count;
        bits = r->candidates[word];
    }
    return word * 64 + (size_t)__builtin_ctzll(bits);
}

bool fg_rule_run_begin(fg_rule_run_t *r, const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                       const fg_claims_t *input, fg_rule_output_t *out, fg_err_t *err) {
    const fg_rule_index_t *index = &set->index;
    *r = (fg_rule_run_t){.set = set, .arena = arena, .stores = stores, .out = out, .err = err};
    *out = (fg_rule_output_t){{0}, NULL, 0};
    if (input->count > CLAIMS_MAX)
        return FG_FAIL(err, FG_E_INTERNAL, "more than %u claims for the claim rules", CLAIMS_MAX);
    r->known.room = input->count + ROOM;
    r->known.items = fg_arena_alloc(arena, r->known.room * sizeof *r->known.items);
    r->candidates = fg_arena_alloc(arena, index->words * sizeof *r->candidates);
    if (r->known.items == NULL || r->candidates == NULL)
        return memory(r);
    memcpy(r->candidates, index->always, index->words * sizeof *r->candidates);
    for (size_t i = 0; i < input->count; i++) {
        r->known.items[r->known.count++] = input->items[i];
        fg_rule_index_mark(index, &input->items[i], 0, r->candidates);
    }
    return true;
}

bool fg_rule_run_all(fg_rule_run_t *r) {
    size_t count = r->set->count;
    for (size_t i = next_candidate(r, 0); i < count; i = next_candidate(r, i + 1))
        if (!fg_rule_run_one(r, i))
            return false;
    r->out->steps = r->steps;
    return true;
}

bool fg_ruleset_run(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                    const fg_claims_t *input, fg_rule_output_t *out, fg_err_t *err) {
    fg_rule_run_t r;
    return fg_rule_run_begin(&r, set, arena, stores, input, out, err) && fg_rule_run_all(&r);
}
