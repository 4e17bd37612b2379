/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A borrowed stretch of bytes with its length: what comes from the network may hold NUL. */
#ifndef FG_CORE_STR_H
#define FG_CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct fg_str {
    const char *p;
    size_t n;
} fg_str_t;

#define FG_STR(literal) ((fg_str_t){(literal), sizeof(literal) - 1})
#define FG_STR_INIT(literal) {(literal), sizeof(literal) - 1} /* in tables of constants */
#define FG_STR_NONE ((fg_str_t){NULL, 0})
/* for printf's %.*s */
#define FG_STR_ARG(s) (int)((s).n > 200 ? 200 : (s).n), (s).p ? (s).p : ""

static inline fg_str_t fg_str(const char *text) { return (fg_str_t){text, text ? strlen(text) : 0}; }
static inline bool fg_str_eq(fg_str_t a, fg_str_t b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
static inline bool fg_str_is(fg_str_t a, const char *text) { return fg_str_eq(a, fg_str(text)); }

/* ASCII only, as protocol words need it. */
bool fg_str_eq_nocase(fg_str_t a, fg_str_t b);
bool fg_str_starts(fg_str_t s, const char *prefix);
/* Without leading and trailing white space of XML (space, tab, CR, LF). */
fg_str_t fg_str_trim(fg_str_t s);
/* True if s holds no NUL and is valid UTF-8 without overlong forms and surrogates (RFC 3629). */
bool fg_str_is_utf8(fg_str_t s);

#endif
