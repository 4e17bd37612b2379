/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(fg_err_t *err, fg_code_t code, fg_reason_t reason, const char *file, int line) {
    err->code = code;
    err->reason = reason;
    err->file = file;
    err->line = line;
}

bool fg_err_set(fg_err_t *err, fg_code_t code, const char *file, int line, const char *format, ...) {
    if (err == NULL)
        return false;
    set(err, code, FG_R_NONE, file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->detail, sizeof err->detail, format, arguments);
    va_end(arguments);
    return false;
}

bool fg_err_set_for(fg_err_t *err, fg_code_t code, fg_reason_t reason, const char *file, int line, const char *format,
                    ...) {
    if (err == NULL)
        return false;
    set(err, code, reason, file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->detail, sizeof err->detail, format, arguments);
    va_end(arguments);
    return false;
}

bool fg_err_prefix(fg_err_t *err, const char *format, ...) {
    if (err == NULL)
        return false;
    char text[sizeof err->detail];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, ": %s", err->detail);
    memcpy(err->detail, text, sizeof text);
    return false;
}
