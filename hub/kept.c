/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/kept.h"

#include "core/crypto.h"
#include "core/time.h"

#define KEPT_MAX (96u << 10)
#define PIECE FG_STORE_VALUE_MAX
#define WINDOW (30 * FG_MINUTE)
#define CLIENT_BUDGET (256 << 10)
#define BUDGET (1 << 20)

bool fg_word_make(fg_exchange_t *ex, fg_str_t *word, fg_err_t *err) {
    unsigned char random[(FG_WORD_SIZE - 1) / 2];
    char text[FG_WORD_SIZE];
    if (!ex->env->random(ex->env, random, sizeof random))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a word");
    fg_hex_encode(random, sizeof random, text);
    *word = fg_arena_str(ex->arena, (fg_str_t){text, FG_WORD_SIZE - 1});
    return word->p != NULL || FG_FAIL(err, FG_E_MEMORY, "word");
}

bool fg_word_is(fg_str_t text) {
    for (size_t i = 0; i < text.n; i++)
        if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f')))
            return false;
    return text.n == FG_WORD_SIZE - 1;
}

/* Adds size to what a window of time has seen; false: too much, or the store cannot tell. */
static bool count(fg_exchange_t *ex, fg_str_t who, size_t size, int64_t budget) {
    fg_store_t *store = ex->env->store;
    int64_t total = 0;
    const char *key = fg_arena_printf(ex->arena, "kept-bytes:%.*s", (int)who.n, who.p ? who.p : "");
    return key != NULL &&
           store->add(store, fg_str(key), (int64_t)size, ex->now_ms, ex->now_ms + WINDOW, &total) == FG_STORE_OK &&
           total <= budget;
}

bool fg_kept_count(fg_exchange_t *ex, size_t size, fg_err_t *err) {
    if (ex->env->store == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store to keep anything in");
    if (!count(ex, ex->request.client_address, size, CLIENT_BUDGET) || !count(ex, FG_STR("all"), size, BUDGET))
        return FG_FAIL(err, FG_E_BUSY, "more than may be kept in half an hour");
    return true;
}

static fg_str_t piece_key(fg_exchange_t *ex, const char *kind, fg_str_t word, size_t i) {
    return fg_str(fg_arena_printf(ex->arena, "%s:%.*s:%zu", kind, (int)word.n, word.p, i));
}

bool fg_kept_put(fg_exchange_t *ex, const char *kind, fg_str_t word, fg_str_t bytes, int64_t until_ms, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    if (bytes.n > KEPT_MAX)
        return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "%zu bytes of %s to be kept", bytes.n, kind);
    if (store == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store to keep %s in", kind);
    /* the last piece is shorter than PIECE, if need be empty: that is how its end is known */
    for (size_t i = 0, from = 0; from <= bytes.n; i++, from += PIECE) {
        fg_str_t key = piece_key(ex, kind, word, i);
        size_t length = bytes.n - from < PIECE ? bytes.n - from : PIECE;
        const fg_str_t piece = {length ? bytes.p + from : "", length};
        if (key.p == NULL || store->put_new(store, key, piece, ex->now_ms, until_ms) != FG_STORE_OK)
            return FG_FAIL(err, FG_E_UNAVAILABLE, "the store has no room for %s", kind);
    }
    return true;
}

static bool take_pieces(fg_exchange_t *ex, const char *kind, fg_str_t word, fg_buf_t *out, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    char value[PIECE];
    size_t length = sizeof value;
    for (size_t i = 0; length == PIECE; i++) {
        fg_str_t key = piece_key(ex, kind, word, i);
        fg_store_result_t result = key.p ? store->take(store, key, ex->now_ms, value, &length) : FG_STORE_UNAVAILABLE;
        if (result == FG_STORE_MISSING)
            return FG_FAIL(err, FG_E_CSRF, "%s is gone: taken before, or too long ago", kind);
        if (result != FG_STORE_OK)
            return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot give %s back", kind);
        fg_buf_add(out, value, length);
    }
    return fg_buf_ok(out) || FG_FAIL(err, FG_E_MEMORY, "%s", kind);
}

bool fg_kept_take(fg_exchange_t *ex, const char *kind, fg_str_t word, fg_str_t *bytes, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(KEPT_MAX + PIECE);
    if (ex->env->store == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store that keeps %s", kind);
    bool taken = take_pieces(ex, kind, word, &out, err);
    *bytes = taken ? fg_arena_str(ex->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    if (taken && bytes->p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "%s", kind);
    return taken;
}
