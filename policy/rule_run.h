/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A run of a rule set under way, between the evaluation and what decides and explains; nobody else includes this. */
#ifndef FG_POLICY_RULE_RUN_H
#define FG_POLICY_RULE_RUN_H

#include "policy/rule_parts.h"

typedef struct fg_rule_matches {
    const fg_claim_t **items;
    size_t count, room;
    bool fixed; /* the condition does not look at other conditions' claims: found once per rule */
} fg_rule_matches_t;

/* What the conditions of a rule found. */
typedef struct fg_rule_trial {
    const fg_rule_t *rule; /* NULL: none */
    unsigned held;         /* how many conditions hold */
    bool holds[FG_RULE_CONDITIONS_MAX];
    const fg_claim_t *claims[FG_RULE_CONDITIONS_MAX]; /* one that is selected, exists, or should not; NULL: none */
    size_t counts[FG_RULE_CONDITIONS_MAX];            /* how many claims pass the tests */
} fg_rule_trial_t;

typedef struct fg_rule_run {
    const fg_ruleset_t *set;
    fg_arena_t *arena;
    const fg_rule_stores_t *stores;
    fg_rule_matcher_t *matcher; /* NULL until a regular expression is met */
    fg_claims_t known;          /* input and what rules added */
    size_t visible;             /* how much of it the present rule sees */
    fg_rule_output_t *out;
    size_t out_room;
    const fg_rule_t *rule;
    size_t number;        /* of rule in its set */
    uint64_t *candidates; /* a bit per rule that may fire */
    fg_rule_matches_t matches[FG_RULE_CONDITIONS_MAX];
    const fg_claim_t *bound[FG_RULE_CONDITIONS_MAX];
    fg_rule_trial_t permit, deny; /* what issued the first of these claims */
    size_t steps, firings, regexes;
    fg_err_t *err;
} fg_rule_run_t;

/* out and err are the caller's and outlive the run. */
bool fg_rule_run_begin(fg_rule_run_t *r, const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                       const fg_claims_t *input, fg_rule_output_t *out, fg_err_t *err) FG_MUST_CHECK;
/* Whether the rule of that number, which must be behind those that ran, may fire. */
static inline bool fg_rule_run_is_candidate(const fg_rule_run_t *r, size_t number) {
    return (r->candidates[number / 64] >> number % 64 & 1) != 0;
}
/* Runs the rule of that number, which must be behind those that ran. */
bool fg_rule_run_one(fg_rule_run_t *r, size_t number) FG_MUST_CHECK;
/* Runs all rules that can fire. */
bool fg_rule_run_all(fg_rule_run_t *r) FG_MUST_CHECK;

/* The claims that pass a condition's tests, the claims of earlier conditions being bound. */
bool fg_rule_run_find(fg_rule_run_t *r, const fg_rule_condition_t *condition, fg_rule_matches_t *matches) FG_MUST_CHECK;
/* Whether what was found lets the rule go on. */
bool fg_rule_is_met(const fg_rule_condition_t *condition, size_t count);

#endif
