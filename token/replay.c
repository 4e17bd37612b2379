/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/replay.h"

#include <stdio.h>

#include "core/buf.h"
#include "core/crypto.h"

/* Ids come from the network and may be long: the key holds a digest.  The NUL keeps issuer and id apart, as neither can
 * hold one. */
static bool make_key(const char *kind, fg_str_t issuer, fg_str_t id, char *key, size_t room) {
    fg_buf_t text = FG_BUF_INIT(1u << 20);
    fg_buf_put_str(&text, issuer);
    fg_buf_putc(&text, '\0');
    fg_buf_put_str(&text, id);
    bool ok = fg_buf_ok(&text);
    if (ok) {
        unsigned char digest[FG_SHA256_SIZE];
        char hex[2 * FG_SHA256_SIZE + 1];
        fg_sha256(text.data, text.length, digest);
        fg_hex_encode(digest, sizeof digest, hex);
        snprintf(key, room, "replay:%s:%s", kind, hex);
    }
    fg_buf_free(&text);
    return ok;
}

bool fg_replay_check(const fg_env_t *env, const char *kind, fg_str_t issuer, fg_str_t id, int64_t until_ms,
                     fg_code_t replayed, fg_err_t *err) {
    char key[160];
    if (!make_key(kind, issuer, id, key, sizeof key))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for a replay key");
    if (env->store == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store to remember %s in", kind);
    switch (env->store->put_new(env->store, fg_str(key), FG_STR("1"), fg_now(env), until_ms)) {
    case FG_STORE_OK:
        return true;
    case FG_STORE_EXISTS:
        return FG_FAIL(err, replayed, "%s %.*s was used before", kind, FG_STR_ARG(id));
    default:
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot remember %s", kind);
    }
}
