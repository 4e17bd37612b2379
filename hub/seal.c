/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/seal.h"

#include "core/crypto.h"
#include "hub/access.h"

#define SEALED_MAX (32u * 1024)

fg_str_t fg_bound_host(const fg_exchange_t *ex) {
    const fg_protect_t *protect = ex->access ? ex->access->protect : NULL;
    for (size_t i = 0; protect != NULL && i < protect->host_count; i++)
        if (fg_request_is_at(&ex->request, protect->hosts[i]))
            return protect->hosts[i];
    return ex->hub->host;
}

static fg_str_t context(fg_exchange_t *ex, const char *purpose, fg_str_t host) {
    const fg_str_t parts[] = {fg_str(purpose), FG_STR(" "), host};
    return fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
}

bool fg_seal_for(fg_exchange_t *ex, const char *purpose, fg_str_t host, fg_str_t bytes, fg_str_t *text) {
    const fg_sealing_key_t *key = &ex->keys->sealing[0];
    fg_str_t aad = context(ex, purpose, host);
    fg_buf_t sealed = FG_BUF_INIT(SEALED_MAX), encoded = FG_BUF_INIT(SEALED_MAX * 2);
    fg_buf_add(&sealed, key->id, sizeof key->id);
    bool done = aad.p != NULL && fg_seal(ex->env, key->key, aad, bytes, &sealed) && fg_buf_ok(&sealed);
    if (done) {
        fg_base64url_encode(&encoded, sealed.data, sealed.length);
        *text = fg_buf_ok(&encoded) ? fg_arena_str(ex->arena, fg_buf_str(&encoded)) : FG_STR_NONE;
        done = text->p != NULL;
    }
    fg_buf_free(&sealed);
    fg_buf_free(&encoded);
    return done;
}

bool fg_cookie_seal(fg_exchange_t *ex, const char *purpose, fg_str_t bytes, fg_str_t *text) {
    return fg_seal_for(ex, purpose, fg_bound_host(ex), bytes, text);
}

static const fg_sealing_key_t *find_key(const fg_keys_t *keys, const char *id) {
    for (unsigned i = 0; i < keys->sealing_count; i++)
        if (memcmp(keys->sealing[i].id, id, sizeof keys->sealing[i].id) == 0)
            return &keys->sealing[i];
    return NULL;
}

/* In the arena alone: each request with a session comes by. */
bool fg_cookie_unseal(fg_exchange_t *ex, const char *purpose, fg_str_t text, fg_str_t *bytes) {
    const size_t id_size = sizeof ex->keys->sealing[0].id, room = text.n + 8;
    fg_str_t aad = context(ex, purpose, fg_bound_host(ex));
    char *memory = text.n <= SEALED_MAX ? fg_arena_take(ex->arena, 2 * room) : NULL;
    if (aad.p == NULL || memory == NULL)
        return false;
    fg_buf_t sealed, plain;
    fg_buf_init_in(&sealed, memory, room);
    fg_buf_init_in(&plain, memory + room, room);
    if (!fg_base64url_decode(&sealed, text) || sealed.length <= id_size)
        return false;
    const fg_sealing_key_t *key = find_key(ex->keys, sealed.data);
    fg_str_t rest = {sealed.data + id_size, sealed.length - id_size};
    if (key == NULL || !fg_seal_open(key->key, aad, rest, &plain))
        return false;
    *bytes = fg_buf_str(&plain);
    return true;
}
