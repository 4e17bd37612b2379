/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The claim rule language of AD FS ("The Role of the Claim Rule Language", "Understanding Claim Rule Language in AD
 * FS"): a rule set is compiled once, is immutable then, and may be run by several threads at a time. */
#ifndef FG_POLICY_RULES_H
#define FG_POLICY_RULES_H

#include "core/buf.h"
#include "token/claims.h"

#define FG_CLAIM_PERMIT "http://schemas.microsoft.com/authorization/claims/permit"
#define FG_CLAIM_DENY "http://schemas.microsoft.com/authorization/claims/deny"

typedef struct fg_ruleset fg_ruleset_t;

/* Where a rule stands; lives as long as its rule set. */
typedef struct fg_rule_place {
    const char *file;
    unsigned line;
    const char *name; /* @RuleName; "": none */
} fg_rule_place_t;

/* An attribute store.  query adds claims, whose types are those of the rule, to out; it may block and must be bounded.
 */
typedef struct fg_rule_store fg_rule_store_t;
struct fg_rule_store {
    const char *name;
    bool (*query)(const fg_rule_store_t *store, fg_arena_t *arena, fg_str_t query, const fg_str_t *params,
                  size_t param_count, const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err);
    void *context; /* the store's own */
    /* Whether such a query can be answered, when a rule is compiled: FG_E_CONFIG, "found …; expected …".  NULL: any. */
    bool (*check)(const fg_rule_store_t *store, fg_str_t query, size_t param_count, size_t type_count, fg_err_t *err);
};

typedef struct fg_rule_stores {
    const fg_rule_store_t *items;
    size_t count;
    bool any; /* compiling takes every name: rules are looked at without their gateway; those that ask cannot run */
} fg_rule_stores_t;

/* What a run issued: each claim once, and by which rule first. */
typedef struct fg_rule_output {
    fg_claims_t claims;
    const fg_rule_place_t **places; /* one per claim */
    size_t steps;                   /* rules and claims that were looked at: what the run cost */
} fg_rule_output_t;

/* Compiles text, in which there is no include; file is its name in messages.  A rule that names a store that is not
 * among stores (NULL: there are none) is refused.  NULL: FG_E_CONFIG, "FILE:LINE:COLUMN: found …, expected …", or
 * FG_E_MEMORY. */
fg_ruleset_t *fg_ruleset_compile(const char *file, fg_str_t text, const fg_rule_stores_t *stores,
                                 fg_err_t *err) FG_MUST_CHECK;
/* The same for a file and those that it includes (UTF-8, at most 1 MiB each, 1000 files). */
fg_ruleset_t *fg_ruleset_load(const char *path, const fg_rule_stores_t *stores, fg_err_t *err) FG_MUST_CHECK;
void fg_ruleset_free(fg_ruleset_t *set);
size_t fg_ruleset_get_count(const fg_ruleset_t *set);
/* True if a file that it was loaded from, or a folder of an include, is no longer as it was then. */
bool fg_ruleset_is_changed(const fg_ruleset_t *set);
/* True if a rule asks an attribute store: a run may block. */
bool fg_ruleset_asks_stores(const fg_ruleset_t *set);

/* Runs all rules in order over input.  Claims that a rule adds or issues are seen by the rules behind it; out holds
 * those that were issued.  stores are those of compilation.  Everything is bounded; a bound that is reached, and a
 * regular expression that takes too long, is FG_E_INTERNAL with the rule's place and never a part of the result. */
bool fg_ruleset_run(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                    const fg_claims_t *input, fg_rule_output_t *out, fg_err_t *err) FG_MUST_CHECK;

/* What an access policy decides, and why.  Points into the rule set and the arena. */
typedef struct fg_decision {
    bool permitted;
    const fg_rule_place_t *place;    /* the deciding rule; NULL: none fired, which denies */
    fg_str_t reason;                 /* of deny("reason"); .n 0: none */
    const fg_claim_t *const *claims; /* the claims that its conditions selected, in their order */
    size_t claim_count;
} fg_decision_t;

/* Runs an access policy: deny wins over permit, whichever rule stands first, and nothing denies.  The cost does not
 * grow with the number of rules that cannot fire: rules are found by the type and value that they test for.  False:
 * a bound was reached (FG_E_INTERNAL) or memory is out; the caller refuses then. */
bool fg_policy_decide(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                      const fg_claims_t *input, fg_decision_t *decision, fg_err_t *err) FG_MUST_CHECK;
/* The same at length, for people: the decision; what fired, on which line, with which claims; or which rules came
 * closest, and which of their conditions held and which did not. */
bool fg_policy_explain(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                       const fg_claims_t *input, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* The claim type that an alias of the file (@alias name = "uri") or a built-in one stands for; .p NULL: unknown. */
fg_str_t fg_ruleset_find_alias(const fg_ruleset_t *set, fg_str_t name);
/* The names of both, for a message about one that is misspelt, into names (room many; borrowed); returns how many. */
size_t fg_ruleset_get_aliases(const fg_ruleset_t *set, const char **names, size_t room);
/* The literal claim types that conditions test for and that begin with prefix, each once, into types (room many);
 * returns how many there are. */
size_t fg_ruleset_get_types(const fg_ruleset_t *set, const char *prefix, fg_str_t *types, size_t room);

/* Runs an issuance authorization rule set: a deny claim refuses, and so does the lack of a permit claim.  FG_E_DENIED
 * with the place of the deciding rule in the detail. */
bool fg_ruleset_authorize(const fg_ruleset_t *set, fg_arena_t *arena, const fg_rule_stores_t *stores,
                          const fg_claims_t *input, fg_err_t *err) FG_MUST_CHECK;

#endif
