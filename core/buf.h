/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A growing byte buffer with a hard maximum, stated when it is made.  Appending never fails visibly: the first append
 * that does not fit marks the buffer as failed, later ones do nothing, and fg_buf_ok() at the end tells. */
#ifndef FG_CORE_BUF_H
#define FG_CORE_BUF_H

#include "core/err.h"
#include "core/str.h"

typedef struct fg_buf {
    char *data; /* always NUL-terminated once something was appended; the NUL is not counted */
    size_t length;
    size_t capacity;
    size_t maximum;
    bool failed;
    bool lent; /* data is the caller's */
} fg_buf_t;

#define FG_BUF_INIT(max) \
    { NULL, 0, 0, (max), false, false }

void fg_buf_init(fg_buf_t *buf, size_t maximum);
/* In size bytes of the caller's, which are its maximum with the NUL: nothing is asked of malloc. */
void fg_buf_init_in(fg_buf_t *buf, char *room, size_t size);
/* Wipes and frees; the buffer may be used again afterwards. */
void fg_buf_free(fg_buf_t *buf);
/* Empties without giving the memory back. */
void fg_buf_reset(fg_buf_t *buf);
void fg_buf_add(fg_buf_t *buf, const void *bytes, size_t length);
void fg_buf_puts(fg_buf_t *buf, const char *text);
void fg_buf_put_str(fg_buf_t *buf, fg_str_t s);
void fg_buf_putc(fg_buf_t *buf, char c);
void fg_buf_printf(fg_buf_t *buf, const char *format, ...) FG_PRINTF(2, 3);
/* Room for length bytes at the end, counted as appended; NULL if it does not fit. */
char *fg_buf_reserve(fg_buf_t *buf, size_t length);
/* Puts bytes in before position at (at most length). */
void fg_buf_insert(fg_buf_t *buf, size_t at, const void *bytes, size_t length);
static inline bool fg_buf_ok(const fg_buf_t *buf) { return !buf->failed; }
static inline fg_str_t fg_buf_str(const fg_buf_t *buf) { return (fg_str_t){buf->data ? buf->data : "", buf->length}; }
/* Moves the bytes out (caller frees with free()); the buffer is empty afterwards. NULL if failed or
 * in the caller's memory. */
char *fg_buf_take(fg_buf_t *buf, size_t *length) FG_MUST_CHECK;

#endif
