/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A decision for people: the rule that made it, or those that came closest, condition by condition. */
#include "policy/request.h"
#include "policy/rule_run.h"

#define CLOSEST_MAX 5u
#define TRIES_MAX 1000u /* combinations of claims of one rule that are looked at */
#define SHOWN_MAX 3u    /* values of one type */
#define VALUE_MAX 60u   /* bytes of one value */

/* ---- trying a rule that did not fire: the combination of claims with which most of its conditions hold */

typedef struct attempt {
    fg_rule_run_t *r;
    const fg_rule_t *rule;
    fg_rule_trial_t now, best;
    unsigned tries;
} attempt_t;

static bool is_used_behind(const fg_rule_t *rule, unsigned at) {
    for (unsigned i = at + 1; i < rule->condition_count; i++)
        for (const fg_rule_test_t *test = rule->conditions[i].tests; test != NULL; test = test->next)
            if (test->other && test->field.condition == at)
                return true;
    return false;
}

/* A condition that looks at a claim which is not there cannot be asked. */
static bool can_ask(const fg_rule_run_t *r, const fg_rule_condition_t *condition) {
    for (const fg_rule_test_t *test = condition->tests; test != NULL; test = test->next)
        if (test->other && r->bound[test->field.condition] == NULL)
            return false;
    return true;
}

static bool attempt(attempt_t *a, unsigned at);

/* With each claim that the condition selects, if later conditions ask for it. */
static bool attempt_each(attempt_t *a, unsigned at) {
    fg_rule_matches_t *matches = &a->r->matches[at];
    size_t count = is_used_behind(a->rule, at) ? matches->count : 1;
    for (size_t i = 0; i < count && (i == 0 || a->tries < TRIES_MAX); i++) {
        a->now.claims[at] = a->r->bound[at] = matches->items[i];
        if (!attempt(a, at + 1))
            return false;
    }
    return true;
}

static bool attempt(attempt_t *a, unsigned at) {
    if (at == a->rule->condition_count) {
        a->tries++;
        if (a->best.rule == NULL || a->now.held > a->best.held)
            a->best = a->now;
        return true;
    }
    const fg_rule_condition_t *condition = &a->rule->conditions[at];
    fg_rule_matches_t *matches = &a->r->matches[at];
    matches->count = 0;
    bool asked = can_ask(a->r, condition);
    if (asked && !fg_rule_run_find(a->r, condition, matches))
        return false;
    a->now.counts[at] = matches->count;
    a->now.claims[at] = matches->count > 0 ? matches->items[0] : NULL;
    a->now.holds[at] = asked && fg_rule_is_met(condition, matches->count);
    a->r->bound[at] = NULL;
    a->now.held += a->now.holds[at];
    bool selects = condition->kind == FG_RULE_SELECT && a->now.holds[at];
    bool ok = selects ? attempt_each(a, at) : attempt(a, at + 1);
    a->now.held -= a->now.holds[at];
    return ok;
}

/* Before the rule of that number runs.  False: a limit; the rule is left out then, and the run goes on. */
static bool try_rule(fg_rule_run_t *r, size_t number, fg_rule_trial_t *trial) {
    fg_rule_run_t alone = *r;
    attempt_t a = {.r = &alone, .rule = r->set->rules[number]};
    a.now.rule = alone.rule = a.rule;
    alone.visible = alone.known.count;
    alone.steps = alone.regexes = 0;
    alone.err = NULL;
    bool ok = attempt(&a, 0);
    memcpy(r->matches, alone.matches, sizeof r->matches); /* their room */
    r->matcher = alone.matcher;
    *trial = a.best;
    return ok;
}

/* ---- the closest */

/* Whether it could permit if it fired. */
static bool may_permit(const fg_rule_t *rule) {
    const fg_rule_action_t *action = rule->action;
    if (!action->issues)
        return false;
    const fg_rule_expr_t *type = action->kind == FG_RULE_CREATE ? action->parts[FG_RULE_TYPE] : NULL;
    if (type != NULL && type->kind == FG_RULE_TERM_TEXT && type->next == NULL)
        return fg_str_is(type->text, FG_CLAIM_PERMIT);
    if (action->kind == FG_RULE_STORE) {
        for (size_t i = 0; i < action->question->type_count; i++)
            if (fg_str_is(action->question->types[i], FG_CLAIM_PERMIT))
                return true;
        return false;
    }
    if (action->kind != FG_RULE_COPY)
        return true;
    fg_str_t copied = fg_rule_condition_literal(&rule->conditions[action->copied], FG_RULE_TYPE);
    return copied.p == NULL || fg_str_is(copied, FG_CLAIM_PERMIT);
}

typedef struct closest {
    fg_rule_trial_t items[CLOSEST_MAX]; /* the closest first */
    size_t count;
} closest_t;

/* The greater part of its conditions, or as great a part of more. */
static bool is_closer(const fg_rule_trial_t *a, const fg_rule_trial_t *b) {
    unsigned left = a->held * b->rule->condition_count, right = b->held * a->rule->condition_count;
    return left != right ? left > right : a->held > b->held;
}

static void put_closest(closest_t *closest, const fg_rule_trial_t *trial) {
    size_t at = closest->count < CLOSEST_MAX ? closest->count++ : CLOSEST_MAX;
    for (; at > 0 && is_closer(trial, &closest->items[at - 1]); at--)
        if (at < CLOSEST_MAX)
            closest->items[at] = closest->items[at - 1];
    if (at < CLOSEST_MAX)
        closest->items[at] = *trial;
}

/* ---- printing */

/* One line, shortened where a character ends. */
static void put_value(fg_buf_t *out, fg_str_t value) {
    size_t shown = value.n > VALUE_MAX ? VALUE_MAX : value.n;
    while (shown > 0 && shown < value.n && ((unsigned char)value.p[shown] & 0xc0) == 0x80)
        shown--;
    for (size_t i = 0; i < shown; i++)
        fg_buf_putc(out, (unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f ? ' ' : value.p[i]);
    fg_buf_puts(out, shown < value.n ? "…" : "");
}

/* By its alias if it has one. */
static void put_type(const fg_ruleset_t *set, fg_buf_t *out, fg_str_t type) {
    const char *name;
    for (size_t i = 0; i < set->alias_count; i++)
        if (fg_str_eq(set->aliases[i].type, type)) {
            fg_buf_puts(out, set->aliases[i].name);
            return;
        }
    for (size_t i = 0; (name = fg_request_alias_name(i)) != NULL; i++)
        if (fg_str_eq(fg_request_alias(fg_str(name)), type)) {
            fg_buf_puts(out, name);
            return;
        }
    put_value(out, type);
}

static void put_source(fg_buf_t *out, fg_str_t source) {
    bool quoted = false;
    for (size_t i = 0; i < source.n; i++) {
        char c = source.p[i];
        bool blank = !quoted && strchr(" \t\r\n", c) != NULL;
        quoted ^= c == '"';
        if (!blank)
            fg_buf_putc(out, c);
        else if (strchr(" \t\r\n", source.p[i - 1]) == NULL)
            fg_buf_putc(out, ' ');
    }
}

static bool tests_issuer(const fg_rule_condition_t *condition) {
    for (const fg_rule_test_t *test = condition->tests; test != NULL; test = test->next)
        if (test->property == FG_RULE_ISSUER || test->property == FG_RULE_ORIGINAL_ISSUER)
            return true;
    return false;
}

static void put_issuer(fg_buf_t *out, const fg_rule_condition_t *condition, const fg_claim_t *claim) {
    if (!tests_issuer(condition))
        return;
    fg_buf_puts(out, " from ");
    put_value(out, claim->issuer.n > 0 ? claim->issuer : FG_STR("LOCAL AUTHORITY"));
}

/* Why a condition does not hold: what there is of the type that it wants. */
static void put_others(const fg_rule_run_t *r, fg_buf_t *out, const fg_rule_condition_t *condition) {
    fg_str_t type = fg_rule_condition_literal(condition, FG_RULE_TYPE);
    size_t count = 0;
    if (type.p == NULL) {
        fg_buf_puts(out, "no claim is so");
        return;
    }
    for (size_t i = 0; i < r->known.count; i++) {
        const fg_claim_t *claim = &r->known.items[i];
        if (!fg_str_eq(claim->type, type) || count++ >= SHOWN_MAX)
            continue;
        if (count == 1)
            put_type(r->set, out, type);
        fg_buf_puts(out, count == 1 ? " is " : ", ");
        put_value(out, claim->value);
        put_issuer(out, condition, claim);
    }
    if (count > SHOWN_MAX)
        fg_buf_printf(out, " and %zu more", count - SHOWN_MAX);
    if (count > 0)
        return;
    fg_buf_puts(out, "there is no ");
    put_type(r->set, out, type);
}

static void put_condition(const fg_rule_run_t *r, fg_buf_t *out, const fg_rule_trial_t *trial, unsigned at) {
    const fg_rule_condition_t *condition = &trial->rule->conditions[at];
    const fg_claim_t *claim = trial->claims[at];
    fg_buf_puts(out, trial->holds[at] ? "  holds " : "  fails ");
    put_source(out, condition->source);
    if (condition->kind == FG_RULE_COUNT) {
        fg_buf_printf(out, ": there %s %zu", trial->counts[at] == 1 ? "is" : "are", trial->counts[at]);
    } else if (claim != NULL) {
        fg_buf_puts(out, trial->holds[at] ? " by " : ": there is ");
        put_type(r->set, out, claim->type);
        fg_buf_puts(out, " = ");
        put_value(out, claim->value);
        put_issuer(out, condition, claim);
    } else if (!trial->holds[at]) {
        fg_buf_puts(out, ": ");
        put_others(r, out, condition);
    }
    fg_buf_putc(out, '\n');
}

static void put_conditions(const fg_rule_run_t *r, fg_buf_t *out, const fg_rule_trial_t *trial) {
    for (unsigned i = 0; i < trial->rule->condition_count; i++)
        put_condition(r, out, trial, i);
}

static void put_place(fg_buf_t *out, const fg_rule_t *rule) {
    fg_buf_printf(out, "%s:%u", rule->place.file, rule->place.line);
    if (rule->place.name[0] != '\0')
        fg_buf_printf(out, " \"%s\"", rule->place.name);
}

static void put_decision(const fg_rule_run_t *r, fg_buf_t *out) {
    const fg_rule_trial_t *trial = r->deny.rule ? &r->deny : &r->permit;
    fg_buf_puts(out, trial == &r->permit ? "permitted by " : "denied by ");
    put_place(out, trial->rule);
    if (trial->rule->action->reason.n > 0)
        fg_buf_puts(out, ": ");
    fg_buf_put_str(out, trial->rule->action->reason);
    fg_buf_putc(out, '\n');
    put_conditions(r, out, trial);
}

static void put_nearest(const fg_rule_run_t *r, fg_buf_t *out, const closest_t *closest) {
    fg_buf_puts(out, "denied: no rule permits it\n");
    if (closest->count > 0)
        fg_buf_puts(out, "closest:\n");
    for (size_t i = 0; i < closest->count; i++) {
        put_place(out, closest->items[i].rule);
        fg_buf_putc(out, '\n');
        put_conditions(r, out, &closest->items[i]);
    }
}

bool fg_policy_explain(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                       const fg_claims_t *input, fg_buf_t *out, fg_err_t *err) {
    fg_rule_run_t r;
    fg_rule_output_t output;
    fg_rule_trial_t trial;
    closest_t closest = {.count = 0};
    if (!fg_rule_run_begin(&r, set, arena, stores, input, &output, err))
        return false;
    for (size_t i = 0; i < set->count; i++) {
        if (may_permit(set->rules[i]) && try_rule(&r, i, &trial))
            put_closest(&closest, &trial);
        if (fg_rule_run_is_candidate(&r, i) && !fg_rule_run_one(&r, i))
            return false;
    }
    if (r.deny.rule != NULL || r.permit.rule != NULL)
        put_decision(&r, out);
    else
        put_nearest(&r, out, &closest);
    return fg_buf_ok(out) || FG_FAIL(err, FG_E_INTERNAL, "the explanation is too long");
}
