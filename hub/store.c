/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/crypto.h"

/* The memory is mapped wherever each process has it: everything in it is said by index, never by address. */
#define MAGIC UINT64_C(0x6667737430303037) /* "fgst0007": one more whenever the form changes */
#define NONE UINT32_MAX
#define FIRST_ROOM 64u
#define MORE_ROOM 120u
#define WARN_EVERY (60 * INT64_C(1000))
#define SWEEP_AT_ONCE 4u /* buckets looked through for expired entries on each put */

/* What is before a key's ':'.  Caches hold what can be had again: together they take at most half of the blocks, and
 * where room is needed the oldest of them goes.  Everything else stays until it expires; one such kind takes at most
 * three quarters, so that a flood of one leaves room for the others.  What has another name is of the last kind. */
static const struct {
    const char *name;
    bool is_cache;
    bool ends; /* an entry says that something is over which others may hold open */
} kinds[FG_STORE_KINDS] = {
    {"credential", true, false},      {"upstream", true, false},       {"replay", false, false},
    {"session-ended", false, true},   {"lockout", false, false},       {"partner-state", false, false},
    {"ticket", false, false},         {"wsman", false, false},         {"loop", false, false},
    {"cancelled", false, true},       {"session-note", false, false},  {"session-name", false, false},
    {"grant", false, false},          {"saml-artifact", false, false}, {"id-token", true, false},
    {"provider-token", false, false}, {"other", false, false},
};

enum { BLOCK_FREE, BLOCK_FIRST, BLOCK_MORE };

typedef struct block {
    uint32_t next; /* first: in its bucket; free: in the free list */
    uint8_t state;
    uint8_t kind;    /* first: of the entry */
    uint16_t length; /* first: of the value */
    union {
        struct {
            unsigned char key[FG_SHA256_SIZE]; /* a key of any length has this one */
            int64_t expires_ms;
            uint32_t more;
            uint32_t older, newer; /* of the caches' entries */
            char data[FIRST_ROOM];
        } first;
        struct {
            uint32_t more;
            char data[MORE_ROOM - 4];
        } more;
    } as;
} block_t;

typedef struct tally {
    uint32_t entries;
    uint32_t blocks;
    uint64_t refused;
    uint64_t displaced;
    uint64_t refused_said; /* how many were when it was last logged */
    int64_t said_ms;
} tally_t;

typedef struct zone {
    uint64_t magic;
    uint64_t size;
    pthread_mutex_t mutex;
    uint32_t bucket_count; /* a power of two */
    uint32_t block_count;
    uint32_t free_head;
    uint32_t free_count;
    uint32_t oldest, newest; /* of the caches' entries, in the order of their coming */
    uint32_t cache_blocks;
    uint32_t sweep_at; /* the bucket to sweep next */
    tally_t tallies[FG_STORE_KINDS];
    int64_t earliest_ms; /* nothing expires before */
    uint64_t changes;    /* read without the lock */
    uint64_t blocks_at;  /* from the zone's beginning; the buckets stand right behind the zone */
} zone_t;

typedef struct memory_store {
    fg_store_t store; /* first: what the caller holds */
    zone_t *zone;
    uint32_t *buckets;
    block_t *blocks;
} memory_store_t;

_Static_assert(FG_STORE_VALUE_MAX <= UINT16_MAX, "a value's length fits its field");

static uint8_t kind_of(fg_str_t key) {
    const char *colon = key.n > 0 ? memchr(key.p, ':', key.n) : NULL;
    fg_str_t name = {key.p, colon ? (size_t)(colon - key.p) : 0};
    uint8_t kind = 0;
    while (kind < FG_STORE_KINDS - 1 && !fg_str_is(name, kinds[kind].name))
        kind++;
    return kind;
}

/* ---- blocks */

static void block_release(memory_store_t *m, uint32_t at) {
    block_t *block = &m->blocks[at];
    explicit_bzero(block, sizeof *block);
    block->state = BLOCK_FREE;
    block->next = m->zone->free_head;
    m->zone->free_head = at;
    m->zone->free_count++;
}

static uint32_t block_take(memory_store_t *m, uint8_t state) {
    uint32_t at = m->zone->free_head;
    if (at == NONE)
        return NONE;
    block_t *block = &m->blocks[at];
    m->zone->free_head = block->next;
    m->zone->free_count--;
    block->state = state;
    block->next = NONE;
    return at;
}

static uint32_t blocks_for(size_t length) {
    const size_t more = sizeof((block_t *)NULL)->as.more.data;
    return length <= FIRST_ROOM ? 1 : 1 + (uint32_t)((length - FIRST_ROOM + more - 1) / more);
}

/* Notes an entry that is in its bucket now; a cache's is the newest. */
static void entry_count(memory_store_t *m, uint32_t at) {
    zone_t *zone = m->zone;
    block_t *entry = &m->blocks[at];
    uint32_t blocks = blocks_for(entry->length);
    zone->tallies[entry->kind].entries++;
    zone->tallies[entry->kind].blocks += blocks;
    if (!kinds[entry->kind].is_cache)
        return;
    zone->cache_blocks += blocks;
    entry->as.first.newer = NONE;
    entry->as.first.older = zone->newest;
    *(zone->newest != NONE ? &m->blocks[zone->newest].as.first.newer : &zone->oldest) = at;
    zone->newest = at;
}

static void entry_discount(memory_store_t *m, const block_t *entry) {
    zone_t *zone = m->zone;
    uint32_t blocks = blocks_for(entry->length), older = entry->as.first.older, newer = entry->as.first.newer;
    zone->tallies[entry->kind].entries--;
    zone->tallies[entry->kind].blocks -= blocks;
    if (!kinds[entry->kind].is_cache)
        return;
    zone->cache_blocks -= blocks;
    *(older != NONE ? &m->blocks[older].as.first.newer : &zone->oldest) = newer;
    *(newer != NONE ? &m->blocks[newer].as.first.older : &zone->newest) = older;
}

static void value_release(memory_store_t *m, uint32_t at) {
    uint32_t more = m->blocks[at].as.first.more;
    block_release(m, at);
    while (more != NONE) {
        uint32_t next = m->blocks[more].as.more.more;
        block_release(m, more);
        more = next;
    }
}

/* Of one that stood in a bucket. */
static void entry_release(memory_store_t *m, uint32_t at) {
    entry_discount(m, &m->blocks[at]);
    value_release(m, at);
}

/* Gives an entry's value to the caller's room, which is large enough. */
static void value_read(const memory_store_t *m, const block_t *entry, char *out) {
    size_t left = entry->length, n = left < sizeof entry->as.first.data ? left : sizeof entry->as.first.data;
    memcpy(out, entry->as.first.data, n);
    for (uint32_t more = entry->as.first.more; more != NONE; more = m->blocks[more].as.more.more) {
        out += n;
        left -= n;
        n = left < sizeof m->blocks[more].as.more.data ? left : sizeof m->blocks[more].as.more.data;
        memcpy(out, m->blocks[more].as.more.data, n);
    }
}

/* Puts the value into a new entry that is not in a bucket yet; NONE: no room. */
static uint32_t value_write(memory_store_t *m, fg_str_t value) {
    uint32_t at = block_take(m, BLOCK_FIRST);
    if (at == NONE)
        return NONE;
    block_t *entry = &m->blocks[at];
    entry->as.first.more = NONE;
    entry->length = (uint16_t)value.n;
    size_t done = value.n < sizeof entry->as.first.data ? value.n : sizeof entry->as.first.data;
    if (done > 0)
        memcpy(entry->as.first.data, value.p, done);
    for (uint32_t *link = &entry->as.first.more; done < value.n; link = &m->blocks[*link].as.more.more) {
        uint32_t more = block_take(m, BLOCK_MORE);
        if (more == NONE) {
            value_release(m, at);
            return NONE;
        }
        block_t *block = &m->blocks[more];
        block->as.more.more = NONE;
        *link = more;
        size_t n = value.n - done < sizeof block->as.more.data ? value.n - done : sizeof block->as.more.data;
        memcpy(block->as.more.data, value.p + done, n);
        done += n;
    }
    return at;
}

/* ---- expiry */

/* Drops what has expired in a bucket; returns the earliest expiry of what stays. */
static int64_t bucket_sweep(memory_store_t *m, uint32_t *bucket, int64_t now_ms) {
    int64_t earliest = INT64_MAX;
    for (uint32_t *link = bucket; *link != NONE;) {
        uint32_t at = *link;
        block_t *entry = &m->blocks[at];
        if (entry->as.first.expires_ms <= now_ms) {
            *link = entry->next;
            entry_release(m, at);
            continue;
        }
        if (entry->as.first.expires_ms < earliest)
            earliest = entry->as.first.expires_ms;
        link = &entry->next;
    }
    return earliest;
}

static void sweep_some(memory_store_t *m, int64_t now_ms) {
    zone_t *zone = m->zone;
    for (unsigned i = 0; i < SWEEP_AT_ONCE; i++) {
        bucket_sweep(m, &m->buckets[zone->sweep_at], now_ms);
        zone->sweep_at = (zone->sweep_at + 1) & (zone->bucket_count - 1);
    }
}

/* Only when there is no room, and only if something can have expired: a full store is not looked through for every
 * request. */
static void sweep_all(memory_store_t *m, int64_t now_ms) {
    if (now_ms < m->zone->earliest_ms)
        return;
    int64_t earliest = INT64_MAX;
    for (uint32_t i = 0; i < m->zone->bucket_count; i++) {
        int64_t ms = bucket_sweep(m, &m->buckets[i], now_ms);
        earliest = ms < earliest ? ms : earliest;
    }
    m->zone->earliest_ms = earliest;
}

/* ---- the lock */

/* Cuts a bucket's chain at the first entry that is not whole and marks the blocks of the others. */
static void bucket_repair(memory_store_t *m, uint32_t *bucket, unsigned char *seen) {
    uint32_t count = m->zone->block_count;
    for (uint32_t *link = bucket; *link != NONE; link = &m->blocks[*link].next) {
        uint32_t at = *link;
        bool whole = at < count && !seen[at] && m->blocks[at].state == BLOCK_FIRST &&
                     m->blocks[at].kind < FG_STORE_KINDS && m->blocks[at].length <= FG_STORE_VALUE_MAX;
        size_t room = whole ? sizeof m->blocks[at].as.first.data : 0;
        for (uint32_t more = whole ? m->blocks[at].as.first.more : NONE; whole && more != NONE;
             more = m->blocks[more].as.more.more) {
            whole = more < count && !seen[more] && m->blocks[more].state == BLOCK_MORE && room < m->blocks[at].length;
            room += sizeof m->blocks[0].as.more.data;
            if (!whole)
                break;
        }
        if (!whole || room < m->blocks[at].length) {
            *link = NONE;
            return;
        }
        seen[at] = 1;
        for (uint32_t more = m->blocks[at].as.first.more; more != NONE; more = m->blocks[more].as.more.more)
            seen[more] = 1;
    }
}

/* Counts again what is there; the order of the caches' entries is lost. */
static void zone_count(memory_store_t *m) {
    zone_t *zone = m->zone;
    zone->oldest = zone->newest = NONE;
    zone->cache_blocks = 0;
    for (uint8_t kind = 0; kind < FG_STORE_KINDS; kind++)
        zone->tallies[kind].entries = zone->tallies[kind].blocks = 0;
    for (uint32_t i = 0; i < zone->bucket_count; i++)
        for (uint32_t at = m->buckets[i]; at != NONE; at = m->blocks[at].next)
            entry_count(m, at);
}

/* A process died inside: whatever it was doing, chains are cut to what is whole, and everything else is free. */
static bool zone_repair(memory_store_t *m) {
    zone_t *zone = m->zone;
    unsigned char *seen = calloc(zone->block_count, 1);
    if (seen == NULL)
        return false;
    for (uint32_t i = 0; i < zone->bucket_count; i++)
        bucket_repair(m, &m->buckets[i], seen);
    zone->free_head = NONE;
    zone->free_count = 0;
    for (uint32_t i = zone->block_count; i-- > 0;)
        if (!seen[i])
            block_release(m, i);
    zone_count(m);
    zone->sweep_at = 0;
    zone->earliest_ms = INT64_MIN;
    free(seen);
    return true;
}

/* Also of what found no room: who asks again is told by the entry itself. */
static void note_change(memory_store_t *m) { __atomic_add_fetch(&m->zone->changes, 1, __ATOMIC_RELEASE); }

static bool lock(memory_store_t *m) {
    int rc = pthread_mutex_lock(&m->zone->mutex);
    if (rc != EOWNERDEAD)
        return rc == 0;
    note_change(m);
    if (zone_repair(m))
        return pthread_mutex_consistent(&m->zone->mutex) == 0;
    pthread_mutex_unlock(
        &m->zone->mutex); /* not made consistent: unusable from now on, which callers see as unavailable */
    return false;
}

static void unlock(memory_store_t *m) { pthread_mutex_unlock(&m->zone->mutex); }

/* ---- looking up */

typedef struct place {
    unsigned char key[FG_SHA256_SIZE];
    uint8_t kind;
    uint32_t *link; /* to the entry, or to the bucket's end */
} place_t;

static void place_key(place_t *place, fg_str_t key) {
    fg_sha256(key.p, key.n, place->key);
    place->kind = kind_of(key);
}

static uint32_t *bucket_of(memory_store_t *m, const unsigned char key[FG_SHA256_SIZE]) {
    uint32_t hash;
    memcpy(&hash, key, sizeof hash);
    return &m->buckets[hash & (m->zone->bucket_count - 1)];
}

/* The entry of a key that has not expired; NULL: none. */
static block_t *place_find(memory_store_t *m, place_t *place, int64_t now_ms) {
    uint32_t *bucket = bucket_of(m, place->key);
    bucket_sweep(m, bucket, now_ms);
    for (place->link = bucket; *place->link != NONE; place->link = &m->blocks[*place->link].next)
        if (memcmp(m->blocks[*place->link].as.first.key, place->key, sizeof place->key) == 0)
            return &m->blocks[*place->link];
    return NULL;
}

static void place_clear(memory_store_t *m, place_t *place) {
    uint32_t at = *place->link;
    *place->link = m->blocks[at].next;
    entry_release(m, at);
}

/* ---- room */

static void displace_oldest(memory_store_t *m) {
    uint32_t at = m->zone->oldest, *link = bucket_of(m, m->blocks[at].as.first.key);
    while (*link != at)
        link = &m->blocks[*link].next;
    *link = m->blocks[at].next;
    m->zone->tallies[m->blocks[at].kind].displaced++;
    entry_release(m, at);
}

/* What an entry wants; spare blocks are those of the one that it replaces. */
typedef struct want {
    uint8_t kind;
    uint32_t blocks, spare;
} want_t;

static bool is_allowed(const zone_t *zone, const want_t *want) {
    if (kinds[want->kind].is_cache)
        return zone->cache_blocks + want->blocks <= zone->block_count / 2 + want->spare;
    return zone->tallies[want->kind].blocks + want->blocks <= zone->block_count - zone->block_count / 4 + want->spare;
}

static bool is_there(const zone_t *zone, const want_t *want) {
    return is_allowed(zone, want) && zone->free_count + want->spare >= want->blocks;
}

static bool room_make(memory_store_t *m, const want_t *want, int64_t now_ms) {
    zone_t *zone = m->zone;
    bool is_cache = kinds[want->kind].is_cache;
    while (zone->oldest != NONE && !is_there(zone, want) && (is_cache || is_allowed(zone, want)))
        displace_oldest(m);
    if (!is_cache && !is_there(zone, want))
        sweep_all(m, now_ms);
    if (is_there(zone, want))
        return true;
    zone->tallies[want->kind].refused++;
    return false;
}

/* old: the entry of the same key, which is replaced; it stays where the new one does not fit.  NULL: none. */
static fg_store_result_t entry_add(memory_store_t *m, place_t *place, const block_t *old, fg_str_t value,
                                   int64_t now_ms, int64_t expires_ms) {
    want_t want = {place->kind, blocks_for(value.n), old ? blocks_for(old->length) : 0};
    if (kinds[place->kind].ends)
        note_change(m);
    if (value.n > FG_STORE_VALUE_MAX)
        return FG_STORE_UNAVAILABLE;
    sweep_some(m, now_ms);
    if (!room_make(m, &want, now_ms))
        return FG_STORE_UNAVAILABLE;
    if (old != NULL && place_find(m, place, now_ms) != NULL) /* it may have been displaced */
        place_clear(m, place);
    uint32_t at = value_write(m, value);
    if (at == NONE)
        return FG_STORE_UNAVAILABLE;
    block_t *entry = &m->blocks[at];
    entry->kind = place->kind;
    memcpy(entry->as.first.key, place->key, sizeof place->key);
    entry->as.first.expires_ms = expires_ms;
    if (expires_ms < m->zone->earliest_ms)
        m->zone->earliest_ms = expires_ms;
    uint32_t *bucket = bucket_of(m, place->key);
    entry->next = *bucket;
    *bucket = at;
    entry_count(m, at);
    return FG_STORE_OK;
}

/* ---- the store's functions */

static fg_store_result_t store_put_new(fg_store_t *store, fg_str_t key, fg_str_t value, int64_t now_ms,
                                       int64_t expires_ms) {
    memory_store_t *m = (memory_store_t *)store;
    place_t place;
    place_key(&place, key);
    if (!lock(m))
        return FG_STORE_UNAVAILABLE;
    fg_store_result_t result = FG_STORE_EXISTS;
    if (place_find(m, &place, now_ms) == NULL)
        result = entry_add(m, &place, NULL, value, now_ms, expires_ms);
    unlock(m);
    return result;
}

static fg_store_result_t store_put(fg_store_t *store, fg_str_t key, fg_str_t value, int64_t now_ms,
                                   int64_t expires_ms) {
    memory_store_t *m = (memory_store_t *)store;
    place_t place;
    place_key(&place, key);
    if (!lock(m))
        return FG_STORE_UNAVAILABLE;
    fg_store_result_t result = entry_add(m, &place, place_find(m, &place, now_ms), value, now_ms, expires_ms);
    unlock(m);
    return result;
}

static fg_store_result_t read_and_maybe_clear(fg_store_t *store, fg_str_t key, int64_t now_ms, char *value,
                                              size_t *length, bool clear) {
    memory_store_t *m = (memory_store_t *)store;
    place_t place;
    place_key(&place, key);
    if (!lock(m))
        return FG_STORE_UNAVAILABLE;
    fg_store_result_t result = FG_STORE_MISSING;
    const block_t *entry = place_find(m, &place, now_ms);
    if (entry != NULL) {
        size_t room = *length;
        *length = entry->length;
        result = room < entry->length ? FG_STORE_UNAVAILABLE : FG_STORE_OK;
    }
    if (result == FG_STORE_OK) {
        value_read(m, entry, value);
        if (clear)
            place_clear(m, &place);
    }
    unlock(m);
    return result;
}

static fg_store_result_t store_get(fg_store_t *store, fg_str_t key, int64_t now_ms, char *value, size_t *length) {
    return read_and_maybe_clear(store, key, now_ms, value, length, false);
}

static fg_store_result_t store_take(fg_store_t *store, fg_str_t key, int64_t now_ms, char *value, size_t *length) {
    return read_and_maybe_clear(store, key, now_ms, value, length, true);
}

static fg_store_result_t store_add(fg_store_t *store, fg_str_t key, int64_t delta, int64_t now_ms, int64_t expires_ms,
                                   int64_t *total) {
    memory_store_t *m = (memory_store_t *)store;
    place_t place;
    place_key(&place, key);
    if (!lock(m))
        return FG_STORE_UNAVAILABLE;
    fg_store_result_t result = FG_STORE_OK;
    int64_t sum = delta;
    block_t *entry = place_find(m, &place, now_ms);
    if (entry == NULL) {
        result = entry_add(m, &place, NULL, (fg_str_t){(const char *)&sum, sizeof sum}, now_ms, expires_ms);
    } else if (entry->length != sizeof sum) {
        result = FG_STORE_UNAVAILABLE;
    } else {
        memcpy(&sum, entry->as.first.data, sizeof sum);
        if (__builtin_add_overflow(sum, delta, &sum))
            sum = delta < 0 ? INT64_MIN : INT64_MAX;
        memcpy(entry->as.first.data, &sum, sizeof sum);
    }
    unlock(m);
    if (result == FG_STORE_OK)
        *total = sum;
    return result;
}

static fg_store_result_t store_remove(fg_store_t *store, fg_str_t key) {
    memory_store_t *m = (memory_store_t *)store;
    place_t place;
    place_key(&place, key);
    if (!lock(m))
        return FG_STORE_UNAVAILABLE;
    bool there = place_find(m, &place, INT64_MIN) != NULL;
    if (there)
        place_clear(m, &place);
    unlock(m);
    return there ? FG_STORE_OK : FG_STORE_MISSING;
}

static uint64_t store_changes(fg_store_t *store) {
    return __atomic_load_n(&((memory_store_t *)store)->zone->changes, __ATOMIC_ACQUIRE);
}

/* ---- how full it is */

bool fg_store_stats(fg_store_t *store, fg_store_stats_t *out) {
    memory_store_t *m = (memory_store_t *)store;
    if (!lock(m))
        return false;
    const zone_t *zone = m->zone;
    out->bytes_total = (uint64_t)zone->block_count * sizeof(block_t);
    out->bytes_used = (uint64_t)(zone->block_count - zone->free_count) * sizeof(block_t);
    for (uint8_t kind = 0; kind < FG_STORE_KINDS; kind++) {
        const tally_t *tally = &zone->tallies[kind];
        out->kinds[kind] =
            (fg_store_kind_stats_t){kinds[kind].name, tally->entries, (uint64_t)tally->blocks * sizeof(block_t),
                                    tally->refused, tally->displaced};
    }
    unlock(m);
    return true;
}

/* How many entries of the kind were refused that nobody was told of; 0: none, or a minute has not passed. */
static uint64_t refusals_to_say(tally_t *tally, int64_t now_ms) {
    uint64_t count = tally->refused - tally->refused_said;
    if (count == 0 || (tally->refused_said > 0 && now_ms < tally->said_ms + WARN_EVERY))
        return 0;
    tally->refused_said = tally->refused;
    tally->said_ms = now_ms;
    return count;
}

void fg_store_report(fg_store_t *store, const fg_env_t *env) {
    memory_store_t *m = (memory_store_t *)store;
    uint64_t refused[FG_STORE_KINDS];
    int64_t now_ms = fg_now(env);
    if (!lock(m))
        return;
    for (uint8_t kind = 0; kind < FG_STORE_KINDS; kind++)
        refused[kind] = refusals_to_say(&m->zone->tallies[kind], now_ms);
    unlock(m);
    for (uint8_t kind = 0; kind < FG_STORE_KINDS; kind++)
        if (refused[kind] > 0)
            fg_log(env, FG_LOG_WARN,
                   "the store has no room for more entries of kind %s: %llu refused; is store_size too small?",
                   kinds[kind].name, (unsigned long long)refused[kind]);
}

/* ---- opening */

static bool mutex_make(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    bool ok = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
              pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
              pthread_mutex_init(mutex, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return ok;
}

static bool zone_format(zone_t *zone, size_t size, fg_err_t *err) {
    if (size < sizeof *zone + 64 * sizeof(block_t))
        return FG_FAIL(err, FG_E_CONFIG, "the store's memory of %zu bytes is too small", size);
    memset(zone, 0, sizeof *zone);
    size_t fit = (size - sizeof *zone) / (sizeof(block_t) + sizeof(uint32_t));
    if (fit > UINT32_MAX / 4)
        fit = UINT32_MAX / 4;
    zone->bucket_count = 16;
    while (zone->bucket_count * 2 <= fit)
        zone->bucket_count *= 2;
    zone->blocks_at = (sizeof *zone + zone->bucket_count * sizeof(uint32_t) + 63) & ~(uint64_t)63;
    uint64_t blocks = (size - zone->blocks_at) / sizeof(block_t);
    zone->block_count = blocks < UINT32_MAX / 4 ? (uint32_t)blocks : UINT32_MAX / 4;
    zone->size = size;
    zone->earliest_ms = INT64_MAX;
    zone->free_head = zone->oldest = zone->newest = NONE;
    if (!mutex_make(&zone->mutex))
        return FG_FAIL(err, FG_E_INTERNAL, "the store's mutex cannot be made");
    return true;
}

static bool zone_is_ours(const zone_t *zone, size_t size) {
    return size >= sizeof *zone && zone->magic == MAGIC && zone->size == size && zone->block_count > 0 &&
           zone->blocks_at + (uint64_t)zone->block_count * sizeof(block_t) <= size &&
           sizeof *zone + (uint64_t)zone->bucket_count * sizeof(uint32_t) <= zone->blocks_at;
}

static void zone_clear(memory_store_t *m) {
    for (uint32_t i = 0; i < m->zone->bucket_count; i++)
        m->buckets[i] = NONE;
    for (uint32_t i = m->zone->block_count; i-- > 0;) {
        m->blocks[i].state = BLOCK_FREE;
        m->blocks[i].next = m->zone->free_head;
        m->zone->free_head = i;
    }
    m->zone->free_count = m->zone->block_count;
    m->zone->magic = MAGIC;
}

fg_store_t *fg_store_open(void *memory, size_t size, bool attach, fg_err_t *err) {
    zone_t *zone = memory;
    if (attach && !zone_is_ours(zone, size)) {
        FG_FAIL(err, FG_E_CONFIG, "the memory is no store of this version and of %zu bytes", size);
        return NULL;
    }
    if (!attach && !zone_format(zone, size, err))
        return NULL;
    memory_store_t *m = calloc(1, sizeof *m);
    if (m == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "opening the store");
        return NULL;
    }
    m->zone = zone;
    m->buckets = (uint32_t *)(zone + 1);
    m->blocks = (block_t *)((char *)memory + zone->blocks_at);
    m->store = (fg_store_t){store_put_new, store_put, store_get, store_take, store_add, store_remove, store_changes};
    if (!attach)
        zone_clear(m);
    return &m->store;
}

void fg_store_close(fg_store_t *store) { free(store); }
