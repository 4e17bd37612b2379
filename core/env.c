/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/env.h"

#include <stdarg.h>
#include <stdio.h>

void fg_log(const fg_env_t *env, fg_log_level_t level, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    env->log(env, level, message);
}

#define LIKELY_VALUE 1024u

/* Most values are short; room for the longest would cost more than asking again. */
fg_str_t fg_store_get_str(fg_store_t *store, fg_arena_t *arena, fg_str_t key, int64_t now_ms) {
    size_t room = LIKELY_VALUE, length = room;
    char *value = fg_arena_take(arena, room);
    fg_store_result_t result = value ? store->get(store, key, now_ms, value, &length) : FG_STORE_MISSING;
    if (result == FG_STORE_UNAVAILABLE && length > room && length <= FG_STORE_VALUE_MAX) {
        value = fg_arena_take(arena, length);
        result = value ? store->get(store, key, now_ms, value, &length) : FG_STORE_MISSING;
    }
    return result == FG_STORE_OK ? (fg_str_t){value, length} : FG_STR_NONE;
}

bool fg_id_uuid(const fg_env_t *env, char out[FG_ID_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char b[16];
    if (!env->random(env, b, sizeof b))
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    /* by hand: each permitted management request has one */
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = digits[b[i] >> 4];
        *out++ = digits[b[i] & 15];
    }
    *out = '\0';
    return true;
}

bool fg_id_xml(const fg_env_t *env, char out[FG_ID_SIZE]) {
    char uuid[FG_ID_SIZE];
    if (!fg_id_uuid(env, uuid))
        return false;
    out[0] = '_';
    memcpy(out + 1, uuid, strlen(uuid) + 1);
    return true;
}
