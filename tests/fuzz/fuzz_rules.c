/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Bytes of a rule file, compiled, decided and explained.  Besides memory errors it looks for a refusal without place, and for an
 * explanation that says something else than the decision. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "policy/request.h"

static void add(fg_arena_t *arena, fg_claims_t *claims, const char *type, const char *value) {
    if (!fg_claims_put(arena, claims, type, fg_str(value)))
        abort();
}

static void decide(const fg_ruleset_t *set, fg_arena_t *arena) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t text = FG_BUF_INIT(1u << 22);
    fg_claims_t claims = {0};
    fg_decision_t decision;
    add(arena, &claims, FG_CLAIM_ROLE, "Operators");
    add(arena, &claims, FG_CLAIM_ROLE, "Users");
    add(arena, &claims, FG_REQUEST_CLAIMS "method", "GET");
    add(arena, &claims, FG_REQUEST_CLAIMS "path", "/a/b");
    add(arena, &claims, "urn:team", "");
    if (fg_policy_decide(set, arena, NULL, &claims, &decision, &err) && fg_policy_explain(set, arena, NULL, &claims, &text, &err) &&
        decision.permitted != fg_str_starts(fg_buf_str(&text), "permitted by "))
        abort();
    fg_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_ruleset_t *set = fg_ruleset_compile("f", (fg_str_t){(const char *)data, size}, NULL, &err);
    if (set != NULL)
        decide(set, arena);
    else if (err.code != FG_E_MEMORY && (err.code != FG_E_CONFIG || strncmp(err.detail, "f:", 2) != 0))
        abort();
    fg_ruleset_free(set);
    fg_arena_free(arena);
    return 0;
}
