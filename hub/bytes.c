/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/bytes.h"

void fg_bytes_put_number(fg_buf_t *out, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        fg_buf_putc(out, (char)(unsigned char)(value >> (8 * i)));
}

void fg_bytes_put_string(fg_buf_t *out, fg_str_t s) {
    fg_bytes_put_number(out, s.n, 4);
    fg_buf_put_str(out, s);
}

uint64_t fg_bytes_get_number(fg_bytes_t *in, unsigned bytes) {
    uint64_t value = 0;
    if (in->failed || in->rest.n < bytes) {
        in->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)in->rest.p[i] << (8 * i);
    in->rest.p += bytes;
    in->rest.n -= bytes;
    return value;
}

fg_str_t fg_bytes_get_string(fg_bytes_t *in) {
    size_t length = (size_t)fg_bytes_get_number(in, 4);
    if (in->failed || in->rest.n < length) {
        in->failed = true;
        return FG_STR_NONE;
    }
    fg_str_t s = {in->rest.p, length};
    in->rest.p += length;
    in->rest.n -= length;
    return s;
}

/* ---- words: twice the length, and the bytes; or twice its number and one */

#define WORD_MIN 4u /* shorter ones are not worth a number */
#define WORD_NUMBER_BYTES 4u

static void put_short(fg_buf_t *out, size_t value) {
    for (; value > 0x7f; value >>= 7)
        fg_buf_putc(out, (char)(unsigned char)(value | 0x80));
    fg_buf_putc(out, (char)(unsigned char)value);
}

static size_t get_short(fg_bytes_t *in) {
    size_t value = 0;
    for (unsigned i = 0; i < WORD_NUMBER_BYTES && i < in->rest.n; i++) {
        unsigned char byte = (unsigned char)in->rest.p[i];
        value |= (size_t)(byte & 0x7f) << (7 * i);
        if (byte > 0x7f)
            continue;
        in->rest.p += i + 1;
        in->rest.n -= i + 1;
        return value;
    }
    in->failed = true;
    return 0;
}

/* The same on both sides. */
static void note_word(fg_words_t *words, fg_str_t s) {
    if (s.n >= WORD_MIN && words->seen_count < FG_BYTES_WORDS)
        words->seen[words->seen_count++] = s;
}

static size_t find_word(const fg_words_t *words, fg_str_t s) {
    size_t i = 0, count = words->known_count + words->seen_count;
    while (i < count && !fg_str_eq(s, i < words->known_count ? words->known[i] : words->seen[i - words->known_count]))
        i++;
    return i;
}

void fg_bytes_put_word(fg_buf_t *out, fg_words_t *words, fg_str_t s) {
    size_t number = s.n >= WORD_MIN ? find_word(words, s) : SIZE_MAX;
    if (number < words->known_count + words->seen_count) {
        put_short(out, number << 1 | 1);
        return;
    }
    if (s.n >= (size_t)1 << (7 * WORD_NUMBER_BYTES - 1)) {
        out->failed = true;
        return;
    }
    put_short(out, s.n << 1);
    fg_buf_put_str(out, s);
    note_word(words, s);
}

fg_str_t fg_bytes_get_word(fg_bytes_t *in, fg_words_t *words) {
    size_t value = get_short(in), number = value >> 1;
    if ((value & 1) == 0) {
        if (in->failed || in->rest.n < number) {
            in->failed = true;
            return FG_STR_NONE;
        }
        fg_str_t s = {in->rest.p, number};
        in->rest.p += number;
        in->rest.n -= number;
        note_word(words, s);
        return s;
    }
    if (number < words->known_count)
        return words->known[number];
    if (number - words->known_count < words->seen_count)
        return words->seen[number - words->known_count];
    in->failed = true;
    return FG_STR_NONE;
}
