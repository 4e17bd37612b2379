/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What authorization rules and access policies decide: a deny claim refuses, a permit claim permits, nothing refuses.
 */
#include "policy/rule_run.h"

static bool note_claims(fg_arena_t *arena, const fg_rule_trial_t *trial, fg_decision_t *decision) {
    const fg_rule_t *rule = trial->rule;
    const fg_claim_t **claims = fg_arena_alloc(arena, rule->condition_count * sizeof *claims);
    if (claims == NULL)
        return false;
    for (unsigned i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].kind == FG_RULE_SELECT)
            claims[decision->claim_count++] = trial->claims[i];
    decision->claims = claims;
    return true;
}

bool fg_policy_decide(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                      const fg_claims_t *input, fg_decision_t *decision, fg_err_t *err) {
    fg_rule_run_t r;
    fg_rule_output_t out;
    *decision = (fg_decision_t){.permitted = false};
    if (!fg_rule_run_begin(&r, set, arena, stores, input, &out, err) || !fg_rule_run_all(&r))
        return false;
    const fg_rule_trial_t *trial = r.deny.rule ? &r.deny : &r.permit;
    if (trial->rule == NULL)
        return true;
    if (!note_claims(arena, trial, decision))
        return FG_FAIL(err, FG_E_MEMORY, "deciding");
    decision->permitted = trial == &r.permit;
    decision->place = &trial->rule->place;
    decision->reason = trial->rule->action->reason;
    return true;
}

bool fg_ruleset_authorize(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                          const fg_claims_t *input, fg_err_t *err) {
    fg_decision_t decision;
    if (!fg_policy_decide(set, arena, stores, input, &decision, err))
        return false;
    if (decision.permitted)
        return true;
    const fg_rule_place_t *place = decision.place;
    if (place == NULL)
        return FG_FAIL(err, FG_E_DENIED, "no authorization rule permits it");
    return FG_FAIL(err, FG_E_DENIED, "denied by rule \"%s\", %s:%u%s%.*s", place->name, place->file, place->line,
                   decision.reason.n > 0 ? ": " : "", FG_STR_ARG(decision.reason));
}
