/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/claims.h"

#define FIRST_ROOM 16u

bool fg_claims_add(fg_arena_t *arena, fg_claims_t *claims, const fg_claim_t *claim) {
    if (claims->count == claims->room) {
        /* the old items stay in the arena, as they may be borrowed */
        size_t room = claims->room ? claims->room * 2 : FIRST_ROOM;
        fg_claim_t *items = fg_arena_alloc(arena, room * sizeof *items);
        if (items == NULL)
            return false;
        if (claims->count > 0)
            memcpy(items, claims->items, claims->count * sizeof *items);
        claims->items = items;
        claims->room = room;
    }
    claims->items[claims->count++] = *claim;
    return true;
}

bool fg_claims_put(fg_arena_t *arena, fg_claims_t *claims, const char *type, fg_str_t value) {
    fg_claim_t claim = {.type = fg_str(type), .value = fg_arena_str(arena, value)};
    return claim.value.p != NULL && fg_claims_add(arena, claims, &claim);
}

const fg_claim_t *fg_claims_get(const fg_claims_t *claims, const char *type) {
    fg_str_t wanted = fg_str(type);
    for (size_t i = 0; i < claims->count; i++)
        if (fg_str_eq(claims->items[i].type, wanted))
            return &claims->items[i];
    return NULL;
}
