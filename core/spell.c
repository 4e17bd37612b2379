/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/spell.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 48u

static char fold(char c) { return (char)tolower((unsigned char)c); }

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Optimal string alignment distance; words longer than WORD_MAX are far from everything. */
static unsigned distance(const char *a, const char *b) {
    unsigned row[3][WORD_MAX + 1];
    size_t m = strlen(a), n = strlen(b);
    if (m > WORD_MAX || n > WORD_MAX)
        return WORD_MAX;
    unsigned *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= n; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            char x = fold(a[i - 1]), y = fold(b[j - 1]);
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && fold(a[i - 2]) == y)
                now[j] = least(now[j], before[j - 2] + 1, now[j]);
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[n];
}

const char *fg_spell_nearest(const char *word, const char *const *candidates, size_t count) {
    const char *nearest = NULL;
    unsigned limit = (unsigned)(strlen(word) / 3) + 1, best = limit < 3 ? limit + 1 : 4;
    for (size_t i = 0; i < count; i++) {
        unsigned edits = distance(word, candidates[i]);
        if (edits < best) {
            best = edits;
            nearest = candidates[i];
        }
    }
    return nearest;
}
