/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/request_json.h"

#define TYPES_MAX 64u

bool fg_request_json_claims(fg_arena_t *arena, const fg_ruleset_t *policy, fg_str_t body, fg_claims_t *claims,
                            fg_err_t *err) {
    fg_str_t few[TYPES_MAX], *types = few;
    size_t count = fg_ruleset_get_types(policy, FG_REQUEST_JSON, few, TYPES_MAX);
    if (count > TYPES_MAX) {
        types = fg_arena_alloc(arena, count * sizeof *types);
        if (types == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "JSON body");
        count = fg_ruleset_get_types(policy, FG_REQUEST_JSON, types, count);
    }
    return fg_request_json_read(arena, types, count, body, claims, err);
}
