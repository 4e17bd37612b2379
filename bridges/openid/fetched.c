/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/fetched.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/http.h"
#include "core/json.h"
#include "core/time.h"

#define DOCUMENT_MAX (256u << 10)
#define FILE_MAX (2u << 20)      /* a text as a JSON string may be longer */
#define DEADLINE (5 * FG_SECOND) /* a person waits */
#define SHORTEST (5 * FG_MINUTE) /* what says of itself that it must not be kept would be fetched for everybody */

/* What is known; in memory all under its lock. */
typedef struct state {
    char *text; /* NULL: never had */
    size_t length;
    char *url;
    int64_t fetched_ms;
    int64_t fresh_until_ms;
    int64_t failed_ms; /* when it last could not be had; 0: it could */
    int64_t again_ms;  /* when it was last asked for because of an unknown key */
} state_t;

struct fg_fetched {
    pthread_mutex_t lock;
    state_t state;
    bool busy; /* somebody of this process is asking */
};

typedef struct get {
    fg_exchange_t *ex;
    const fg_fetched_query_t *query;
    fg_fetched_t *memory;
    fg_str_t text;
} get_t;

static void state_free(state_t *state) {
    free(state->text);
    free(state->url);
    *state = (state_t){0};
}

fg_fetched_t *fg_fetched_new(void) {
    fg_fetched_t *fetched = calloc(1, sizeof *fetched);
    if (fetched != NULL)
        pthread_mutex_init(&fetched->lock, NULL);
    return fetched;
}

void fg_fetched_free(fg_fetched_t *fetched) {
    if (fetched == NULL)
        return;
    state_free(&fetched->state);
    pthread_mutex_destroy(&fetched->lock);
    free(fetched);
}

/* ---- the file */

const char *fg_fetched_file(fg_exchange_t *ex, const char *prefix, fg_str_t url) {
    unsigned char digest[FG_SHA256_SIZE];
    char hex[2 * sizeof digest + 1];
    fg_sha256(url.p, url.n, digest);
    fg_hex_encode(digest, sizeof digest, hex);
    return fg_arena_printf(ex->arena, "%s-%.32s.json", prefix, hex);
}

static const char *path_of(fg_exchange_t *ex, const char *file) {
    return file != NULL && ex->hub->fetched_folder != NULL
               ? fg_arena_printf(ex->arena, "%s/%s", ex->hub->fetched_folder, file)
               : NULL;
}

void fg_fetched_forget(fg_exchange_t *ex, const char *file) {
    const char *path = path_of(ex, file);
    if (path != NULL)
        (void)unlink(path);
}

static int64_t number(const json_t *json, const char *name) {
    return (int64_t)json_integer_value(json_object_get(json, name));
}

static bool set_text(state_t *state, fg_str_t text, fg_str_t url) {
    char *own = text.p != NULL ? strndup(text.p, text.n) : NULL, *place = strndup(url.p, url.n);
    if (place == NULL || (text.p != NULL && own == NULL)) {
        free(own);
        free(place);
        return false;
    }
    free(state->text);
    free(state->url);
    state->text = own;
    state->length = own != NULL ? strlen(own) : 0;
    state->url = place;
    return true;
}

/* What another worker wrote, or one before.  A text that is none any more is as if it had never been had. */
static void load(get_t *get, state_t *state) {
    fg_exchange_t *ex = get->ex;
    const char *path = path_of(ex, get->query->file);
    fg_buf_t bytes = FG_BUF_INIT(FILE_MAX);
    fg_err_t why = FG_ERR_INIT;
    json_t *json = path != NULL && access(path, R_OK) == 0 && fg_file_read(path, &bytes, NULL, &why)
                       ? fg_json_parse(fg_buf_str(&bytes), NULL)
                       : NULL;
    fg_buf_free(&bytes);
    fg_str_t text = json ? fg_json_string(json, "text") : FG_STR_NONE;
    bool same = json != NULL && fg_str_eq(fg_json_string(json, "url"), get->query->url);
    bool newer = same && number(json, "fetched") >= state->fetched_ms &&
                 (number(json, "fetched") > state->fetched_ms || number(json, "failed") > state->failed_ms ||
                  number(json, "again") > state->again_ms);
    if (newer && text.n > 0 && !get->query->is_good(ex, get->query->context, text, &why))
        newer = false;
    if (newer && set_text(state, text.n > 0 ? text : FG_STR_NONE, get->query->url)) {
        state->fetched_ms = number(json, "fetched");
        state->fresh_until_ms = number(json, "fresh_until");
        state->failed_ms = number(json, "failed");
        state->again_ms = number(json, "again");
    }
    json_decref(json);
}

static bool write_file(const char *folder, const char *path, const state_t *state, fg_err_t *err) {
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I}", "url", state->url, "fetched", (json_int_t)state->fetched_ms,
                             "fresh_until", (json_int_t)state->fresh_until_ms, "failed", (json_int_t)state->failed_ms,
                             "again", (json_int_t)state->again_ms);
    if (json != NULL && state->text != NULL && json_object_set_new(json, "text", json_string(state->text)) != 0) {
        json_decref(json);
        json = NULL;
    }
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    bool made = mkdir(folder, 0700) == 0 || errno == EEXIST;
    bool done = text != NULL && made ? fg_file_replace(path, fg_str(text), 0600, err)
                                     : FG_FAIL(err, FG_E_UNAVAILABLE, "%s cannot be made", folder);
    free(text);
    json_decref(json);
    return done;
}

static void save(get_t *get, const state_t *state) {
    fg_err_t err = FG_ERR_INIT;
    const char *path = path_of(get->ex, get->query->file);
    if (path != NULL && state->url != NULL && !write_file(get->ex->hub->fetched_folder, path, state, &err))
        fg_log(get->ex->env, FG_LOG_WARN, "%s: its %s cannot be kept: %s", get->query->whose, get->query->what,
               err.detail);
}

/* ---- whether to ask */

static bool is_recent(int64_t then_ms, int64_t now_ms) {
    return then_ms != 0 && llabs(now_ms - then_ms) < FG_FETCHED_RETRY;
}

static bool has_text(const get_t *get, const state_t *state) {
    return state->text != NULL && fg_str_is(get->query->url, state->url);
}

static bool is_due(const get_t *get, const state_t *state) {
    int64_t now = get->ex->now_ms;
    if (state->url == NULL || !fg_str_is(get->query->url, state->url))
        return true;
    if (state->text == NULL && !get->query->strange)
        return true;
    if (is_recent(state->failed_ms, now))
        return false;
    if (state->text == NULL)
        return true;
    bool fresh = now < state->fresh_until_ms && state->fresh_until_ms - now <= FG_DAY;
    return !fresh || (get->query->again && !is_recent(state->again_ms, now));
}

/* The lock is held. */
static bool begin(get_t *get) {
    state_t *state = &get->memory->state;
    bool due = is_due(get, state);
    if (due) { /* somebody else may have been asked for us */
        load(get, state);
        due = is_due(get, state);
    }
    due = due && !(get->memory->busy && has_text(get, state)); /* nobody waits for another's fetch who has a copy */
    if (has_text(get, state))
        get->text = fg_arena_str(get->ex->arena, (fg_str_t){state->text, state->length});
    if (due)
        get->memory->busy = true;
    if (due && get->query->again)
        state->again_ms = get->ex->now_ms;
    return due;
}

/* ---- asking */

static bool fetch(const get_t *get, fg_http_response_t *response, fg_err_t *err) {
    const fg_fetched_query_t *query = get->query;
    const fg_http_field_t accept = {FG_STR("Accept"), FG_STR("application/json")};
    const fg_http_request_t request = {
        .url = query->url,
        .headers = &accept,
        .header_count = 1,
        .deadline_ms = DEADLINE,
        .body_max = DOCUMENT_MAX,
        .revalidate = true, /* this cache is asked first, and it keeps longer */
    };
    if (!fg_http_fetch(get->ex->env, get->ex->arena, &request, response, err))
        return false;
    if (response->status != 200)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s answered %d", FG_STR_ARG(query->url), response->status);
    return query->is_good(get->ex, query->context, response->body, err);
}

/* The lock is held. */
static void keep(get_t *get, const fg_http_response_t *response) {
    state_t *state = &get->memory->state;
    int64_t now = get->ex->now_ms, lifetime = fg_http_lifetime(response, now);
    if (!set_text(state, response->body, get->query->url))
        return;
    state->fetched_ms = now;
    state->fresh_until_ms = now + (lifetime < SHORTEST ? SHORTEST : lifetime);
    state->failed_ms = 0;
    save(get, state);
}

/* Likewise.  That a new address failed is remembered as well: nobody has it asked for at every request. */
static void note_failure(get_t *get) {
    state_t *state = &get->memory->state;
    bool same = state->url != NULL && fg_str_is(get->query->url, state->url);
    if (!same && !set_text(state, FG_STR_NONE, get->query->url))
        return;
    state->failed_ms = get->ex->now_ms;
    save(get, state);
}

static bool get_text(get_t *get, bool *asked, fg_err_t *err) {
    const fg_fetched_query_t *query = get->query;
    fg_http_response_t response;
    fg_err_t why = FG_ERR_INIT;
    pthread_mutex_lock(&get->memory->lock);
    bool due = *asked = begin(get);
    pthread_mutex_unlock(&get->memory->lock);
    if (!due)
        return get->text.p != NULL ||
               FG_FAIL(err, FG_E_FETCH_FAILED, "its %s could not be had a moment ago", query->what);
    bool came = fetch(get, &response, &why);
    pthread_mutex_lock(&get->memory->lock);
    get->memory->busy = false;
    if (came)
        keep(get, &response);
    else
        note_failure(get);
    pthread_mutex_unlock(&get->memory->lock);
    if (came)
        get->text = response.body;
    else
        fg_log(get->ex->env, FG_LOG_WARN, "%s: its %s could not be had%s: %s", query->whose, query->what,
               get->text.p ? ", and the last good copy stays" : "", why.detail);
    return get->text.p != NULL || FG_FAIL(err, why.code, "its %s: %s", query->what, why.detail);
}

bool fg_fetched_get(fg_exchange_t *ex, fg_fetched_t *memory, const fg_fetched_query_t *query, fg_str_t *text,
                    bool *asked, fg_err_t *err) {
    fg_fetched_t *own = memory == NULL ? fg_fetched_new() : NULL;
    get_t get = {.ex = ex, .query = query, .memory = memory != NULL ? memory : own};
    bool done = get.memory != NULL ? get_text(&get, asked, err) : FG_FAIL(err, FG_E_MEMORY, "%s", query->what);
    *text = get.text;
    fg_fetched_free(own);
    return done;
}
