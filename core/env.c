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

bool fg_id_uuid(const fg_env_t *env, char out[FG_ID_SIZE]) {
    unsigned char b[16];
    if (!env->random(env, b, sizeof b))
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, FG_ID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return true;
}

bool fg_id_xml(const fg_env_t *env, char out[FG_ID_SIZE]) {
    char uuid[FG_ID_SIZE];
    if (!fg_id_uuid(env, uuid))
        return false;
    snprintf(out, FG_ID_SIZE, "_%.36s", uuid);
    return true;
}
