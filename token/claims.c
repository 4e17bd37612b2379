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

const fg_claim_property_t *fg_claim_property(const fg_claim_t *claim, const char *name) {
    const fg_claim_property_t *property = claim->properties;
    while (property != NULL && !fg_str_is(property->name, name))
        property = property->next;
    return property;
}

fg_str_t fg_identity_name(const fg_identity_t *identity) {
    const fg_claim_t *name = fg_claims_get(&identity->claims, FG_CLAIM_NAME);
    return name != NULL ? name->value : identity->name_id.value;
}

size_t fg_identity_count_actors(const fg_identity_t *identity) {
    size_t count = 0;
    for (const fg_identity_t *actor = identity->actor; actor != NULL; actor = actor->actor)
        count++;
    return count;
}

const fg_identity_t *fg_identity_last_actor(const fg_identity_t *identity) {
    const fg_identity_t *actor = identity->actor;
    while (actor != NULL && actor->actor != NULL)
        actor = actor->actor;
    return actor;
}
