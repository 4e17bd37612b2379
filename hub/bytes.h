/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What we seal for ourselves, as bytes: numbers little-endian, strings with a 32-bit length before them. */
#ifndef FG_HUB_BYTES_H
#define FG_HUB_BYTES_H

#include <stdint.h>

#include "core/buf.h"

void fg_bytes_put_number(fg_buf_t *out, uint64_t value, unsigned bytes);
void fg_bytes_put_string(fg_buf_t *out, fg_str_t s);

/* Reads in the order of writing.  What does not fit marks the reader as failed and yields 0 and FG_STR_NONE. */
typedef struct fg_bytes {
    fg_str_t rest;
    bool failed;
} fg_bytes_t;

uint64_t fg_bytes_get_number(fg_bytes_t *in, unsigned bytes);
/* Points into the bytes. */
fg_str_t fg_bytes_get_string(fg_bytes_t *in);
/* Everything was there, and nothing more. */
static inline bool fg_bytes_end(const fg_bytes_t *in) { return !in->failed && in->rest.n == 0; }

#endif
