/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What was found of accounts, for a short time.  A table of fixed size: a key has one place, and what stands there
 * gives way.  Passwords are in no key and no value; whoever signs in by one is bound every time. */
#include "directory/ldap_parts.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/crypto.h"

#define PLACES 1024u
#define ACCOUNT_MAX (1u << 20)

typedef struct place {
    unsigned char key[FG_SHA256_SIZE];
    fg_arena_t *arena; /* NULL: nobody */
    fg_ldap_account_t account;
    int64_t until; /* 0: empty */
} place_t;

struct fg_ldap_cache {
    pthread_mutex_t mutex;
    int64_t positive_ms, negative_ms;
    place_t places[PLACES];
};

fg_ldap_cache_t *fg_ldap_cache_new(int64_t positive_ms, int64_t negative_ms) {
    fg_ldap_cache_t *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    pthread_mutex_init(&cache->mutex, NULL);
    cache->positive_ms = positive_ms;
    cache->negative_ms = negative_ms;
    return cache;
}

void fg_ldap_cache_free(fg_ldap_cache_t *cache) {
    if (cache == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        fg_arena_free(cache->places[i].arena);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

static place_t *place_of(fg_ldap_cache_t *cache, fg_str_t key, unsigned char digest[FG_SHA256_SIZE]) {
    fg_sha256(key.p, key.n, digest);
    return &cache->places[(digest[0] | (unsigned)digest[1] << 8) % PLACES];
}

static const char *copy_text(fg_arena_t *arena, const char *text, bool *ok) {
    const char *copy = text ? fg_arena_strdup(arena, text) : NULL;
    *ok = *ok && (text == NULL || copy != NULL);
    return copy;
}

static bool copy_account(fg_arena_t *arena, const fg_ldap_account_t *from, fg_ldap_account_t *to) {
    bool ok = true;
    *to = (fg_ldap_account_t){.refusal = from->refusal, .why = from->why};
    to->dn = copy_text(arena, from->dn, &ok);
    to->sam = copy_text(arena, from->sam, &ok);
    to->name_id = fg_arena_str(arena, from->name_id);
    for (size_t i = 0; ok && i < from->claims.count; i++) {
        const fg_claim_t *claim = &from->claims.items[i];
        fg_claim_t copy = {.type = fg_arena_str(arena, claim->type),
                           .value = fg_arena_str(arena, claim->value),
                           .issuer = fg_arena_str(arena, claim->issuer)};
        ok = copy.type.p != NULL && copy.value.p != NULL && copy.issuer.p != NULL &&
             fg_claims_add(arena, &to->claims, &copy);
    }
    return ok;
}

fg_ldap_cached_t fg_ldap_cache_get(fg_ldap_cache_t *cache, fg_str_t key, fg_arena_t *arena,
                                   fg_ldap_account_t *account) {
    unsigned char digest[FG_SHA256_SIZE];
    place_t *place = place_of(cache, key, digest);
    fg_ldap_cached_t found = FG_LDAP_UNKNOWN;
    pthread_mutex_lock(&cache->mutex);
    if (place->until > fg_ldap_now() && memcmp(place->key, digest, sizeof digest) == 0)
        found = place->arena == NULL                            ? FG_LDAP_NOBODY
                : copy_account(arena, &place->account, account) ? FG_LDAP_HIT
                                                                : FG_LDAP_UNKNOWN;
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

void fg_ldap_cache_put(fg_ldap_cache_t *cache, fg_str_t key, const fg_ldap_account_t *account) {
    int64_t life = account != NULL ? cache->positive_ms : cache->negative_ms;
    fg_ldap_account_t kept = {0};
    unsigned char digest[FG_SHA256_SIZE];
    if (life <= 0)
        return;
    fg_arena_t *arena = account != NULL ? fg_arena_new(ACCOUNT_MAX) : NULL;
    if (account != NULL && (arena == NULL || !copy_account(arena, account, &kept))) {
        fg_arena_free(arena);
        return;
    }
    place_t *place = place_of(cache, key, digest);
    pthread_mutex_lock(&cache->mutex);
    fg_arena_t *before = place->arena;
    memcpy(place->key, digest, sizeof digest);
    place->arena = arena;
    place->account = kept;
    place->until = fg_ldap_now() + life;
    pthread_mutex_unlock(&cache->mutex);
    fg_arena_free(before);
}
