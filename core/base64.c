/* SPDX-License-Identifier: GPL-2.0-or-later
 * RFC 4648: base64, base64url, hexadecimal. */
#include "core/crypto.h"

#include <endian.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(fg_buf_t *out, const unsigned char *data, size_t length, const char *alphabet, bool padded) {
    size_t tail = length % 3;
    char *to = fg_buf_reserve(out, length / 3 * 4 + (tail == 0 ? 0 : padded ? 4 : tail + 1));
    if (to == NULL)
        return;
    for (; length >= 3; length -= 3, data += 3) {
        unsigned bits = (unsigned)data[0] << 16 | (unsigned)data[1] << 8 | data[2];
        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = alphabet[bits >> 6 & 63];
        *to++ = alphabet[bits & 63];
    }
    if (tail == 0)
        return;
    unsigned bits = (unsigned)data[0] << 16 | (tail == 2 ? (unsigned)data[1] << 8 : 0);
    *to++ = alphabet[bits >> 18];
    *to++ = alphabet[bits >> 12 & 63];
    if (tail == 2)
        *to++ = alphabet[bits >> 6 & 63];
    for (size_t pad = tail; padded && pad < 3; pad++)
        *to++ = '=';
}

void fg_base64_encode(fg_buf_t *out, const void *data, size_t length) { encode(out, data, length, standard, true); }

void fg_base64url_encode(fg_buf_t *out, const void *data, size_t length) { encode(out, data, length, url_safe, false); }

/* Bits of the characters of both alphabets; 64: none.  A table, as comparing would take a guess at every character of a
 * random text; of all bytes, so that no bound is to be looked at. */
// clang-format off
static const unsigned char digits_of[256] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 62, 64, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
    64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
    64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
// clang-format on

static inline unsigned digit(char c) { return digits_of[(unsigned char)c]; }

typedef struct rules {
    const char *foreign; /* the two characters of the other alphabet */
    bool padded, spaced;
} rules_t;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Writes what text decodes to (never longer than text); false if text is not the one canonical form of it: RFC 4648
 * §3.5 lets a decoder refuse pad bits that are not zero, and two texts for one value would get past comparisons. */
static bool decode_into(char *to, size_t *length, fg_str_t text, const rules_t *rules) {
    unsigned bits = 0, digits = 0, pads = 0;
    char *start = to;
    size_t i = 0;
    if (text.n > 0 && (memchr(text.p, rules->foreign[0], text.n) || memchr(text.p, rules->foreign[1], text.n)))
        return false;
    for (; text.n - i >= 4; i += 4, digits += 4) { /* up to what is something else than four digits */
        unsigned a = digit(text.p[i]), b = digit(text.p[i + 1]), c = digit(text.p[i + 2]), d = digit(text.p[i + 3]);
        if ((a | b | c | d) > 63)
            break;
        const uint32_t three = htobe32((a << 18 | b << 12 | c << 6 | d) << 8);
        memcpy(to, &three, sizeof three); /* and one more, which the next overwrites: there is room for a NUL */
        to += 3;
    }
    for (; i < text.n; i++) {
        char c = text.p[i];
        if (rules->spaced && is_space(c))
            continue;
        if (c == '=' && rules->padded) {
            pads++;
            continue;
        }
        unsigned value = digit(c);
        if (value > 63 || pads > 0)
            return false;
        bits = bits << 6 | value;
        if (++digits % 4 == 0) {
            *to++ = (char)(bits >> 16);
            *to++ = (char)(bits >> 8);
            *to++ = (char)bits;
            bits = 0;
        }
    }
    unsigned tail = digits % 4;
    if (tail == 1 || (rules->padded ? pads != (4 - tail) % 4 : pads != 0))
        return false;
    if ((tail == 2 && (bits & 0xf) != 0) || (tail == 3 && (bits & 3) != 0))
        return false;
    if (tail == 2)
        *to++ = (char)(bits >> 4);
    if (tail == 3) {
        *to++ = (char)(bits >> 10);
        *to++ = (char)(bits >> 2);
    }
    *length = (size_t)(to - start);
    return true;
}

static bool decode(fg_buf_t *out, fg_str_t text, const rules_t *rules) {
    size_t before = out->length, length = 0;
    char *to = fg_buf_reserve(out, text.n / 4 * 3 + text.n % 4);
    if (to == NULL)
        return false;
    bool ok = decode_into(to, &length, text, rules);
    out->length = before + (ok ? length : 0);
    out->data[out->length] = '\0';
    return ok;
}

bool fg_base64_decode(fg_buf_t *out, fg_str_t text) { return decode(out, text, &(rules_t){"-_", true, false}); }

bool fg_base64_decode_xml(fg_buf_t *out, fg_str_t text) { return decode(out, text, &(rules_t){"-_", true, true}); }

bool fg_base64url_decode(fg_buf_t *out, fg_str_t text) { return decode(out, text, &(rules_t){"+/", false, false}); }

void fg_hex_encode(const void *data, size_t length, char *out) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = data;
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[from[i] >> 4];
        *out++ = digits[from[i] & 15];
    }
    *out = '\0';
}
