/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fg_buf_init(fg_buf_t *buf, size_t maximum) { *buf = (fg_buf_t)FG_BUF_INIT(maximum); }

void fg_buf_init_in(fg_buf_t *buf, char *room, size_t size) { *buf = (fg_buf_t){room, 0, size, size - 1, false, true}; }

void fg_buf_free(fg_buf_t *buf) {
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    if (!buf->lent)
        free(buf->data);
    fg_buf_init(buf, buf->maximum);
}

void fg_buf_reset(fg_buf_t *buf) {
    buf->length = 0;
    buf->failed = false;
}

/* Makes room for length more bytes and the NUL. */
static bool grow(fg_buf_t *buf, size_t length) {
    if (buf->failed)
        return false;
    if (length > buf->maximum - buf->length) {
        buf->failed = true;
        return false;
    }
    size_t needed = buf->length + length + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 512;
    while (capacity < needed)
        capacity *= 2;
    char *data = malloc(capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    /* not realloc: the old bytes may be secret and are wiped */
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->length);
        explicit_bzero(buf->data, buf->capacity);
        free(buf->data);
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

char *fg_buf_reserve(fg_buf_t *buf, size_t length) {
    /* mostly there is room, and for the NUL */
    bool fits = !buf->failed && buf->capacity > buf->length && length < buf->capacity - buf->length &&
                length <= buf->maximum - buf->length;
    if (!fits && !grow(buf, length))
        return NULL;
    char *place = buf->data + buf->length;
    buf->length += length;
    buf->data[buf->length] = '\0';
    return place;
}

void fg_buf_add(fg_buf_t *buf, const void *bytes, size_t length) {
    char *place = fg_buf_reserve(buf, length);
    if (place != NULL && length > 0)
        memcpy(place, bytes, length);
}

void fg_buf_puts(fg_buf_t *buf, const char *text) { fg_buf_add(buf, text, strlen(text)); }

void fg_buf_put_str(fg_buf_t *buf, fg_str_t s) { fg_buf_add(buf, s.p, s.n); }

void fg_buf_putc(fg_buf_t *buf, char c) { fg_buf_add(buf, &c, 1); }

void fg_buf_printf(fg_buf_t *buf, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buf->failed = true;
        return;
    }
    char *place = fg_buf_reserve(buf, (size_t)length);
    if (place == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(place, (size_t)length + 1, format, arguments);
    va_end(arguments);
}

void fg_buf_insert(fg_buf_t *buf, size_t at, const void *bytes, size_t length) {
    size_t old = buf->length;
    if (at > old || fg_buf_reserve(buf, length) == NULL) {
        buf->failed = true;
        return;
    }
    memmove(buf->data + at + length, buf->data + at, old - at);
    memcpy(buf->data + at, bytes, length);
}

char *fg_buf_take(fg_buf_t *buf, size_t *length) {
    if (buf->failed || buf->lent || fg_buf_reserve(buf, 0) == NULL)
        return NULL;
    char *data = buf->data;
    if (length != NULL)
        *length = buf->length;
    fg_buf_init(buf, buf->maximum);
    return data;
}
