/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A private HTTP cache in memory (RFC 9111): bounded in entries and bytes, what was not used for longest goes first. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/http_parts.h"
#include "core/time.h"

#define LONGEST FG_DAY
#define FAILURE_MS (5 * FG_SECOND)
#define KEY_MAX 8192u
#define BLOCK 8192u /* the least that an arena asks for */

typedef struct entry {
    fg_arena_t *arena; /* of the strings; NULL: free */
    fg_str_t key;
    fg_http_response_t response; /* status 0: it failed */
    fg_err_t failure;
    int64_t fresh_until_ms;
    size_t bytes;
    uint64_t used;
} entry_t;

struct fg_http_cache {
    pthread_mutex_t lock;
    size_t count, bytes_max, bytes;
    uint64_t clock; /* of uses */
    entry_t entries[];
};

/* ---- dates and headers */

/* IMF-fixdate (RFC 9110 §5.6.7), which servers must send. */
static bool read_date(fg_str_t text, int64_t *ms) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[40], month[4], iso[40];
    int day, year, hour, minute, second, end = 0;
    if (text.n < 29 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (sscanf(copy, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute, &second,
               &end) != 6 ||
        end == 0 || copy[end] != '\0')
        return false;
    const char *at = strstr(months, month);
    if (at == NULL || strlen(month) != 3 || (at - months) % 3 != 0)
        return false;
    snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, (int)(at - months) / 3 + 1, day, hour, minute,
             second);
    return fg_time_parse(fg_str(iso), ms);
}

static int64_t read_seconds(fg_str_t text) {
    int64_t value = 0;
    if (text.n == 0)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        if (value < LONGEST)
            value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

typedef struct control {
    bool no_store, no_cache;
    int64_t max_age_s; /* -1: not said */
} control_t;

static void read_directive(fg_str_t word, control_t *control) {
    if (fg_str_eq_nocase(word, FG_STR("no-store")))
        control->no_store = true;
    if (word.n >= 8 && fg_str_eq_nocase((fg_str_t){word.p, 8}, FG_STR("no-cache")))
        control->no_cache = true;
    if (word.n <= 8 || !fg_str_eq_nocase((fg_str_t){word.p, 8}, FG_STR("max-age=")))
        return;
    int64_t seconds = read_seconds((fg_str_t){word.p + 8, word.n - 8});
    control->max_age_s = seconds < 0 ? 0 : seconds; /* §4.2.1: what cannot be read is stale */
}

/* Every Cache-Control header, each a list. */
static control_t read_control(const fg_http_response_t *response) {
    control_t control = {false, false, -1};
    for (size_t h = 0; h < response->header_count; h++) {
        fg_str_t rest = response->headers[h].value;
        if (!fg_str_eq_nocase(response->headers[h].name, FG_STR("Cache-Control")))
            continue;
        while (rest.n > 0) {
            const char *comma = memchr(rest.p, ',', rest.n);
            size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
            read_directive(fg_str_trim((fg_str_t){rest.p, n}), &control);
            n = comma ? n + 1 : n;
            rest = (fg_str_t){rest.p + n, rest.n - n};
        }
    }
    return control;
}

int64_t fg_http_lifetime(const fg_http_response_t *response, int64_t now_ms) {
    control_t control = read_control(response);
    fg_str_t vary = fg_http_header(response, "Vary"), expires = fg_http_header(response, "Expires");
    int64_t lifetime = 0, date = now_ms, until;
    if (control.no_store || (vary.n > 0 && memchr(vary.p, '*', vary.n) != NULL))
        return -1;
    if (control.no_cache)
        return 0;
    int64_t age_s = read_seconds(fg_http_header(response, "Age"));
    if (control.max_age_s >= 0) {
        lifetime = control.max_age_s * FG_SECOND;
    } else if (expires.n > 0) {
        if (!read_date(fg_http_header(response, "Date"), &date))
            date = now_ms;
        lifetime = read_date(expires, &until) ? until - date : 0;
    }
    lifetime -= age_s > 0 ? age_s * FG_SECOND : 0;
    return lifetime < 0 ? 0 : lifetime > LONGEST ? LONGEST : lifetime;
}

/* ---- entries; the lock is held */

static void drop(fg_http_cache_t *cache, entry_t *entry) {
    cache->bytes -= entry->bytes;
    fg_arena_free(entry->arena);
    *entry = (entry_t){0};
}

static entry_t *look(fg_http_cache_t *cache, fg_str_t key) {
    for (size_t i = 0; i < cache->count; i++)
        if (cache->entries[i].arena != NULL && fg_str_eq(cache->entries[i].key, key))
            return &cache->entries[i];
    return NULL;
}

static entry_t *oldest(fg_http_cache_t *cache) {
    entry_t *found = NULL;
    for (size_t i = 0; i < cache->count; i++) {
        entry_t *entry = &cache->entries[i];
        if (entry->arena != NULL && (found == NULL || entry->used < found->used))
            found = entry;
    }
    return found;
}

/* A free entry with room for that many bytes. */
static entry_t *make_room(fg_http_cache_t *cache, size_t bytes) {
    while (cache->bytes + bytes > cache->bytes_max && cache->bytes > 0)
        drop(cache, oldest(cache));
    for (size_t i = 0; i < cache->count; i++)
        if (cache->entries[i].arena == NULL)
            return &cache->entries[i];
    entry_t *entry = oldest(cache);
    drop(cache, entry);
    return entry;
}

static bool copy_response(fg_arena_t *arena, const fg_http_response_t *from, fg_http_response_t *to) {
    *to = (fg_http_response_t){.status = from->status};
    to->headers = fg_arena_alloc(arena, (from->header_count + 1) * sizeof *to->headers);
    to->body = fg_arena_str(arena, from->body);
    to->url = fg_arena_str(arena, from->url);
    if (to->headers == NULL || to->body.p == NULL || to->url.p == NULL)
        return false;
    for (size_t i = 0; i < from->header_count; i++) {
        to->headers[i].name = fg_arena_str(arena, from->headers[i].name);
        to->headers[i].value = fg_arena_str(arena, from->headers[i].value);
        if (to->headers[i].name.p == NULL || to->headers[i].value.p == NULL)
            return false;
    }
    to->header_count = from->header_count;
    return true;
}

static size_t size_of(fg_str_t key, const fg_http_response_t *response) {
    size_t bytes = BLOCK + key.n + response->body.n + response->url.n;
    for (size_t i = 0; i < response->header_count; i++)
        bytes += sizeof(fg_http_field_t) + response->headers[i].name.n + response->headers[i].value.n;
    return bytes;
}

/* One big answer must not push out all the others. */
static entry_t *add(fg_http_cache_t *cache, fg_str_t key, const fg_http_response_t *response) {
    size_t bytes = size_of(key, response);
    if (bytes > cache->bytes_max / 4 || key.n > KEY_MAX)
        return NULL;
    fg_arena_t *arena = fg_arena_new(2 * bytes + 2 * BLOCK);
    fg_http_response_t copy;
    fg_str_t name = arena ? fg_arena_str(arena, key) : FG_STR_NONE;
    if (name.p == NULL || !copy_response(arena, response, &copy)) {
        fg_arena_free(arena);
        return NULL;
    }
    entry_t *entry = make_room(cache, bytes);
    *entry = (entry_t){.arena = arena, .key = name, .response = copy, .bytes = bytes, .used = ++cache->clock};
    cache->bytes += bytes;
    return entry;
}

/* ---- from outside */

fg_http_cache_t *fg_http_cache_new(size_t entries, size_t bytes) {
    fg_http_cache_t *cache = calloc(1, sizeof *cache + entries * sizeof(entry_t));
    if (cache == NULL)
        return NULL;
    pthread_mutex_init(&cache->lock, NULL);
    cache->count = entries;
    cache->bytes_max = bytes;
    return cache;
}

void fg_http_cache_free(fg_http_cache_t *cache) {
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->count; i++)
        fg_arena_free(cache->entries[i].arena);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static fg_http_cached_t find(fg_http_cache_t *cache, fg_arena_t *arena, fg_str_t key, int64_t now_ms,
                             fg_http_response_t *response, fg_err_t *err) {
    entry_t *entry = look(cache, key);
    if (entry == NULL)
        return FG_HTTP_MISSING;
    entry->used = ++cache->clock;
    bool fresh = now_ms < entry->fresh_until_ms && entry->fresh_until_ms - now_ms <= LONGEST;
    if (entry->response.status == 0) {
        if (fresh && err != NULL)
            *err = entry->failure;
        return fresh ? FG_HTTP_FAILED : FG_HTTP_MISSING;
    }
    if (!copy_response(arena, &entry->response, response))
        return FG_HTTP_MISSING;
    return fresh ? FG_HTTP_FRESH : FG_HTTP_STALE;
}

fg_http_cached_t fg_http_cache_find(fg_http_cache_t *cache, fg_arena_t *arena, fg_str_t key, int64_t now_ms,
                                    fg_http_response_t *response, fg_err_t *err) {
    pthread_mutex_lock(&cache->lock);
    fg_http_cached_t found = find(cache, arena, key, now_ms, response, err);
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void fg_http_cache_put(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_http_response_t *response) {
    int64_t lifetime = response->status == 200 ? fg_http_lifetime(response, now_ms) : -1;
    bool may_be_asked = fg_http_header(response, "ETag").n > 0 || fg_http_header(response, "Last-Modified").n > 0;
    pthread_mutex_lock(&cache->lock);
    entry_t *before = look(cache, key);
    if (before != NULL)
        drop(cache, before);
    if (lifetime > 0 || (lifetime == 0 && may_be_asked)) {
        entry_t *entry = add(cache, key, response);
        if (entry != NULL)
            entry->fresh_until_ms = now_ms + lifetime;
    }
    pthread_mutex_unlock(&cache->lock);
}

void fg_http_cache_renew(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_http_response_t *not_modified) {
    int64_t lifetime = fg_http_lifetime(not_modified, now_ms);
    pthread_mutex_lock(&cache->lock);
    entry_t *entry = look(cache, key);
    if (entry != NULL && lifetime < 0)
        drop(cache, entry);
    else if (entry != NULL)
        entry->fresh_until_ms = now_ms + lifetime;
    pthread_mutex_unlock(&cache->lock);
}

void fg_http_cache_fail(fg_http_cache_t *cache, fg_str_t key, int64_t now_ms, const fg_err_t *err) {
    static const fg_http_response_t nothing = {.body = {"", 0}, .url = {"", 0}};
    pthread_mutex_lock(&cache->lock);
    entry_t *entry = look(cache, key);
    if (entry == NULL || entry->response.status == 0) { /* what is kept may still be revalidated */
        if (entry != NULL)
            drop(cache, entry);
        entry = add(cache, key, &nothing);
        if (entry != NULL) {
            entry->failure = *err;
            entry->fresh_until_ms = now_ms + FAILURE_MS;
        }
    }
    pthread_mutex_unlock(&cache->lock);
}
