/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What we seal for ourselves, as bytes: numbers little-endian, strings with a 32-bit length before them, words with a
 * number of seven bits in each byte. */
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

/* Strings of which many come again (URIs): the number of one that both sides know, or that stood before, in place of
 * its bytes.  Writer and reader begin with the same known ones and an empty list of others. */
#define FG_BYTES_WORDS 64
typedef struct fg_words {
    const fg_str_t *known;
    size_t known_count;
    fg_str_t seen[FG_BYTES_WORDS];
    size_t seen_count;
} fg_words_t;

void fg_bytes_put_word(fg_buf_t *out, fg_words_t *words, fg_str_t s);
/* Points into the bytes, or to a known word. */
fg_str_t fg_bytes_get_word(fg_bytes_t *in, fg_words_t *words);

/* Everything was there, and nothing more. */
static inline bool fg_bytes_end(const fg_bytes_t *in) { return !in->failed && in->rest.n == 0; }

#endif
