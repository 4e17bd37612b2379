/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/session_note.h"

#include "core/crypto.h"
#include "hub/bytes.h"

#define NOTE_MAX 8192u
#define NAMES_MAX (FG_SESSIONS_NOTED * (FG_ID_SIZE + 4u))

/* ---- the session as bytes */

void fg_session_write_end(fg_buf_t *out, const fg_session_t *session, size_t max) {
    const fg_name_id_t *name_id = &session->identity.name_id;
    fg_bytes_put_string(out, fg_str(session->id));
    fg_bytes_put_string(out, session->home_realm);
    fg_bytes_put_string(out, session->provider_index);
    fg_bytes_put_string(out, name_id->value);
    fg_bytes_put_string(out, name_id->format);
    fg_bytes_put_string(out, name_id->name_qualifier);
    fg_bytes_put_string(out, name_id->sp_name_qualifier);
    fg_bytes_put_number(out, (uint64_t)session->created_ms, 8);
    for (size_t i = 0; i < session->party_count; i++)
        if (out->length + fg_session_party_size(&session->parties[i]) <= max)
            fg_session_party_write(out, &session->parties[i]);
}

bool fg_session_read_end(fg_exchange_t *ex, fg_str_t bytes, fg_session_t *session) {
    fg_bytes_t in = {bytes, false};
    fg_name_id_t *name_id = &session->identity.name_id;
    *session = (fg_session_t){0};
    fg_str_t id = fg_bytes_get_string(&in);
    if (id.n == 0 || id.n >= sizeof session->id)
        return false;
    memcpy(session->id, id.p, id.n);
    session->home_realm = fg_bytes_get_string(&in);
    session->provider_index = fg_bytes_get_string(&in);
    name_id->value = fg_bytes_get_string(&in);
    name_id->format = fg_bytes_get_string(&in);
    name_id->name_qualifier = fg_bytes_get_string(&in);
    name_id->sp_name_qualifier = fg_bytes_get_string(&in);
    session->created_ms = (int64_t)fg_bytes_get_number(&in, 8);
    while (in.rest.n > 0 && !in.failed && session->party_count < FG_SESSION_PARTIES)
        session->parties[session->party_count++] = fg_session_party_read(&in);
    return fg_bytes_end(&in) && ex->now_ms - session->created_ms < ex->hub->session_absolute_ms;
}

/* ---- in the store */

static fg_str_t note_key(fg_exchange_t *ex, fg_str_t id) {
    return fg_str(fg_arena_printf(ex->arena, "session-note:%.*s", (int)id.n, id.p));
}

static fg_str_t name_key(fg_exchange_t *ex, fg_str_t partner, fg_str_t name) {
    return fg_str(fg_arena_printf(ex->arena, "session-name:%zu:%.*s%.*s", partner.n, (int)partner.n, partner.p,
                                  (int)name.n, name.p));
}

static int64_t end_of(const fg_exchange_t *ex, const fg_session_t *session) {
    return session->created_ms + ex->hub->session_absolute_ms;
}

static bool store_put(fg_exchange_t *ex, fg_str_t key, fg_str_t value, int64_t until_ms) {
    fg_store_t *store = ex->env->store;
    bool done = store != NULL && key.p != NULL && store->put(store, key, value, ex->now_ms, until_ms) == FG_STORE_OK;
    if (!done)
        fg_log(ex->env, FG_LOG_WARN,
               "%s: the store has no room for the note of a session: it is ended by its browser only",
               ex->correlation_id);
    return done;
}

/* Value in the arena; .p NULL: there is none. */
static fg_str_t store_get(fg_exchange_t *ex, fg_str_t key, size_t room) {
    fg_store_t *store = ex->env->store;
    char *value = store != NULL && key.p != NULL ? fg_arena_alloc(ex->arena, room) : NULL;
    size_t length = room;
    if (value == NULL || store->get(store, key, ex->now_ms, value, &length) != FG_STORE_OK)
        return FG_STR_NONE;
    return (fg_str_t){value, length};
}

void fg_session_note(fg_exchange_t *ex, const fg_session_t *session) {
    fg_buf_t bytes = FG_BUF_INIT(NOTE_MAX);
    fg_session_write_end(&bytes, session, NOTE_MAX);
    if (fg_buf_ok(&bytes))
        (void)store_put(ex, note_key(ex, fg_str(session->id)), fg_buf_str(&bytes), end_of(ex, session));
    fg_buf_free(&bytes);
}

/* Two that sign in at the same moment may lose one of the two; its browser still ends it. */
void fg_session_note_name(fg_exchange_t *ex, const fg_session_t *session, fg_str_t partner, fg_str_t name) {
    fg_str_t key = name_key(ex, partner, name), own = fg_str(session->id);
    fg_bytes_t known = {store_get(ex, key, NAMES_MAX), false};
    fg_buf_t bytes = FG_BUF_INIT(NAMES_MAX);
    fg_bytes_put_string(&bytes, own);
    for (size_t i = 1; i < FG_SESSIONS_NOTED && known.rest.n > 0; i++) {
        fg_str_t id = fg_bytes_get_string(&known);
        if (!known.failed && !fg_str_eq(id, own))
            fg_bytes_put_string(&bytes, id);
    }
    if (fg_buf_ok(&bytes))
        (void)store_put(ex, key, fg_buf_str(&bytes), end_of(ex, session));
    fg_buf_free(&bytes);
}

size_t fg_session_find_noted(fg_exchange_t *ex, fg_str_t partner, fg_str_t name,
                             fg_session_t found[FG_SESSIONS_NOTED]) {
    fg_bytes_t known = {store_get(ex, name_key(ex, partner, name), NAMES_MAX), false};
    size_t count = 0;
    while (known.rest.n > 0 && !known.failed && count < FG_SESSIONS_NOTED) {
        fg_str_t id = fg_bytes_get_string(&known);
        fg_str_t bytes = known.failed ? FG_STR_NONE : store_get(ex, note_key(ex, id), NOTE_MAX);
        if (bytes.p != NULL && fg_session_read_end(ex, bytes, &found[count]) &&
            !fg_session_is_ended(ex, found[count].id))
            count++;
    }
    return count;
}

/* ---- by index: with a break in front, no name that a provider gives people is one */

static fg_str_t index_name(fg_exchange_t *ex, fg_str_t index) {
    return fg_str(fg_arena_printf(ex->arena, "\nindex:%.*s", (int)index.n, index.p));
}

void fg_session_note_index(fg_exchange_t *ex, const fg_session_t *session, fg_str_t partner) {
    fg_str_t name = index_name(ex, session->provider_index);
    if (name.p != NULL)
        fg_session_note_name(ex, session, partner, name);
}

size_t fg_session_find_index(fg_exchange_t *ex, fg_str_t partner, fg_str_t index,
                             fg_session_t found[FG_SESSIONS_NOTED]) {
    fg_str_t name = index_name(ex, index);
    return name.p != NULL ? fg_session_find_noted(ex, partner, name, found) : 0;
}
