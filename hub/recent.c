/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/recent.h"

#include <stdlib.h>

#include "core/crypto.h"

#define BUCKETS 256u
#define DEPTH 2u         /* entries of a bucket, the latest first */
#define BYTES_MAX 16384u /* of a session */

typedef struct entry {
    unsigned references; /* the table's and those of exchanges */
    fg_recent_kind_t kind;
    fg_str_t scope, text;
    uint64_t changes;
    int64_t expires_ms;
    unsigned char sealing_id[sizeof((fg_sealing_key_t *)NULL)->id]; /* of the oldest key then: it is the first to go */
    fg_session_t session;
    size_t size;       /* of the block that this begins */
    fg_arena_t *arena; /* the rest of it */
} entry_t;

struct fg_recent {
    entry_t *buckets[BUCKETS][DEPTH];
};

fg_recent_t *fg_recent_new(void) { return calloc(1, sizeof(fg_recent_t)); }

static void entry_release(void *object) {
    entry_t *entry = object;
    if (entry == NULL || __atomic_sub_fetch(&entry->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    fg_arena_free(entry->arena);
    explicit_bzero(entry, entry->size);
    free(entry);
}

void fg_recent_free(fg_recent_t *recent) {
    if (recent == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (size_t k = 0; k < DEPTH; k++)
            entry_release(recent->buckets[i][k]);
    free(recent);
}

uint64_t fg_recent_hash(fg_str_t text) {
    uint64_t a, b;
    memcpy(&a, text.p + text.n - 16, sizeof a);
    memcpy(&b, text.p + text.n - 8, sizeof b);
    return (a ^ (b >> 7)) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
}

static entry_t **bucket_of(fg_recent_t *recent, fg_str_t text) {
    return recent->buckets[fg_recent_hash(text) % BUCKETS];
}

static fg_str_t secret_end(fg_str_t text) {
    return (fg_str_t){text.p + text.n - FG_RECENT_TEXT_MIN, FG_RECENT_TEXT_MIN};
}

bool fg_recent_is_text(fg_str_t a, fg_str_t b) {
    return a.n == b.n && fg_equal_secret(secret_end(a), secret_end(b)) && memcmp(a.p, b.p, a.n) == 0;
}

static bool has_sealing_key(const fg_keys_t *keys, const unsigned char *id) {
    for (unsigned i = 0; i < keys->sealing_count; i++)
        if (memcmp(keys->sealing[i].id, id, sizeof keys->sealing[i].id) == 0)
            return true;
    return false;
}

static bool is_remembered(const fg_exchange_t *ex, const fg_recent_name_t *name) {
    const fg_store_t *store = ex->env->store;
    return ex->recent != NULL && store != NULL && store->changes != NULL && name->text.n >= FG_RECENT_TEXT_MIN &&
           name->text.n <= FG_RECENT_TEXT_MAX;
}

static bool is_good(const fg_exchange_t *ex, const fg_recent_name_t *name, const entry_t *entry) {
    return entry->changes == name->changes && ex->now_ms < entry->expires_ms &&
           has_sealing_key(ex->keys, entry->sealing_id);
}

bool fg_recent_get(fg_exchange_t *ex, fg_recent_name_t *name, fg_session_t *session) {
    if (!is_remembered(ex, name))
        return false;
    name->changes = ex->env->store->changes(ex->env->store);
    entry_t **bucket = bucket_of(ex->recent, name->text);
    for (size_t i = 0; i < DEPTH && bucket[i] != NULL; i++) {
        entry_t *entry = bucket[i];
        if (entry->kind != name->kind || !fg_str_eq(entry->scope, name->scope) ||
            !fg_recent_is_text(entry->text, name->text))
            continue;
        if (!is_good(ex, name, entry))
            return false;
        __atomic_add_fetch(&entry->references, 1, __ATOMIC_RELAXED);
        if (!fg_arena_own(ex->arena, entry_release, entry))
            return false;
        *session = entry->session;
        ex->recent_until_ms = entry->expires_ms;
        return true;
    }
    return false;
}

/* One block: the entry, and behind it an arena for the texts and the session's bytes and claims. */
static entry_t *entry_make(const fg_recent_name_t *name, fg_str_t bytes, size_t claims) {
    const size_t room = name->scope.n + name->text.n + bytes.n + (claims + 1) * sizeof(fg_claim_t) + 512;
    entry_t *entry = malloc(sizeof *entry + room);
    if (entry == NULL)
        return NULL;
    *entry = (entry_t){.references = 1, .kind = name->kind, .size = sizeof *entry + room};
    entry->arena = fg_arena_new_in(entry + 1, room, 0);
    entry->scope = fg_arena_str(entry->arena, name->scope);
    entry->text = fg_arena_str(entry->arena, name->text);
    fg_str_t copy = fg_arena_str(entry->arena, bytes);
    if (entry->scope.p != NULL && entry->text.p != NULL && copy.p != NULL &&
        fg_session_read(entry->arena, copy, &entry->session))
        return entry;
    entry_release(entry);
    return NULL;
}

/* In place of what had this name; else the older of the bucket goes. */
static void entry_place(entry_t **bucket, entry_t *entry) {
    bool same = bucket[0] != NULL && bucket[0]->kind == entry->kind && fg_str_eq(bucket[0]->scope, entry->scope) &&
                fg_recent_is_text(bucket[0]->text, entry->text);
    if (same) {
        entry_release(bucket[0]);
    } else {
        entry_release(bucket[1]);
        bucket[1] = bucket[0];
    }
    bucket[0] = entry;
}

void fg_recent_put(fg_exchange_t *ex, const fg_recent_name_t *name, const fg_session_t *session, int64_t expires_ms) {
    if (!is_remembered(ex, name))
        return;
    fg_buf_t bytes = FG_BUF_INIT(BYTES_MAX);
    fg_session_write(&bytes, session);
    entry_t *entry = fg_buf_ok(&bytes) ? entry_make(name, fg_buf_str(&bytes), session->identity.claims.count) : NULL;
    fg_buf_free(&bytes);
    if (entry == NULL) /* no memory: it is opened again next time */
        return;
    entry->changes = name->changes;
    entry->expires_ms = expires_ms;
    memcpy(entry->sealing_id, ex->keys->sealing[ex->keys->sealing_count - 1].id, sizeof entry->sealing_id);
    entry_place(bucket_of(ex->recent, name->text), entry);
}
