/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Accept-Language (RFC 9110 §12.5.4, §12.4.2; matching after RFC 4647 §3.4). */
#include "gateway/pages.h"

#define HEADER_MAX 512u
#define RANGES_MAX 32u

typedef struct range {
    fg_str_t name;
    int quality; /* thousandths */
} range_t;

/* weight: "0" or "1" with up to three digits behind a point, at most 1; -1: neither */
static int parse_quality(fg_str_t text) {
    if (text.n < 1 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1') || (text.n > 1 && text.p[1] != '.'))
        return -1;
    int quality = (text.p[0] - '0') * 1000, unit = 100;
    for (size_t i = 2; i < text.n; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        quality += (text.p[i] - '0') * unit;
    }
    return quality <= 1000 ? quality : -1;
}

/* "de-AT;q=0.8"; false: not understood */
static bool parse_range(fg_str_t item, range_t *range) {
    const char *semicolon = item.n > 0 ? memchr(item.p, ';', item.n) : NULL;
    range->name = fg_str_trim((fg_str_t){item.p, semicolon ? (size_t)(semicolon - item.p) : item.n});
    range->quality = 1000;
    if (semicolon == NULL)
        return range->name.n > 0;
    fg_str_t weight = fg_str_trim((fg_str_t){semicolon + 1, item.n - (size_t)(semicolon - item.p) - 1});
    if (weight.n < 3 || (weight.p[0] != 'q' && weight.p[0] != 'Q') || weight.p[1] != '=')
        return false;
    range->quality = parse_quality((fg_str_t){weight.p + 2, weight.n - 2});
    return range->name.n > 0 && range->quality >= 0;
}

static size_t parse_ranges(fg_str_t header, range_t ranges[RANGES_MAX]) {
    size_t count = 0;
    while (header.n > 0 && count < RANGES_MAX) {
        const char *comma = memchr(header.p, ',', header.n);
        fg_str_t item = {header.p, comma ? (size_t)(comma - header.p) : header.n};
        size_t taken = item.n + (comma ? 1 : 0);
        header = (fg_str_t){header.p + taken, header.n - taken};
        if (parse_range(item, &ranges[count]))
            count++;
    }
    return count;
}

/* Whether one is the other or its beginning before a '-': "de" serves who asks for "de-AT", and the other way round. */
static bool fits(fg_str_t range, fg_str_t language) {
    size_t n = range.n < language.n ? range.n : language.n;
    if (!fg_str_eq_nocase((fg_str_t){range.p, n}, (fg_str_t){language.p, n}))
        return false;
    return range.n == language.n || (range.n > n ? range.p[n] : language.p[n]) == '-';
}

/* The range that speaks for a language: the first of the highest quality, '*' only if none names it. */
static const range_t *best_range(const range_t *ranges, size_t count, fg_str_t language) {
    const range_t *best = NULL, *any = NULL;
    for (size_t i = 0; i < count; i++) {
        if (fg_str_is(ranges[i].name, "*"))
            any = any ? any : &ranges[i];
        else if (fits(ranges[i].name, language) && (best == NULL || ranges[i].quality > best->quality))
            best = &ranges[i];
    }
    return best ? best : any;
}

size_t fg_pages_choose_language(fg_str_t accept, const char *const *languages, size_t count) {
    range_t ranges[RANGES_MAX];
    size_t range_count = accept.n <= HEADER_MAX ? parse_ranges(accept, ranges) : 0;
    const range_t *best = NULL;
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        const range_t *range = best_range(ranges, range_count, fg_str(languages[i]));
        if (range == NULL || range->quality == 0)
            continue;
        if (best == NULL || range->quality > best->quality || (range->quality == best->quality && range < best)) {
            best = range;
            chosen = i;
        }
    }
    return chosen;
}
