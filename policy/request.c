/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/request.h"

#include "core/time.h"

static bool add(fg_arena_t *arena, fg_claims_t *claims, fg_str_t type, fg_str_t value) {
    fg_claim_t claim = {.type = type, .value = value, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    return value.n == 0 || fg_claims_add(arena, claims, &claim);
}

static const char *find_weekday(int64_t ms) {
    static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    return days[(ms / FG_DAY + 4) % 7]; /* 1970-01-01 was a Thursday */
}

static bool add_time(fg_arena_t *arena, int64_t now_ms, fg_claims_t *claims) {
    char *time = fg_arena_alloc(arena, FG_TIME_SIZE);
    if (time == NULL)
        return false;
    fg_time_format(now_ms, time);
    return add(arena, claims, FG_STR(FG_REQUEST_CLAIMS "time"), fg_str(time)) &&
           add(arena, claims, FG_STR(FG_REQUEST_CLAIMS "hour"), (fg_str_t){time + strlen("2026-11-22T"), 2}) &&
           add(arena, claims, FG_STR(FG_REQUEST_CLAIMS "weekday"), fg_str(find_weekday(now_ms)));
}

bool fg_request_claims(fg_arena_t *arena, const fg_request_facts_t *facts, fg_claims_t *claims) {
    const struct {
        fg_str_t type, value;
    } table[] = {
        {FG_STR(FG_REQUEST_CLAIMS "method"), facts->method},
        {FG_STR(FG_REQUEST_CLAIMS "path"), facts->path},
        {FG_STR(FG_REQUEST_CLAIMS "query"), facts->query},
        {FG_STR(FG_REQUEST_CLAIMS "host"), facts->host},
        {FG_STR(FG_REQUEST_CLAIMS "client_address"), facts->client_address},
        {FG_STR(FG_REQUEST_CLAIMS "tls_version"), facts->tls_version},
        {FG_STR(FG_REQUEST_CLAIMS "tls_cipher"), facts->tls_cipher},
        {FG_STR(FG_REQUEST_CLAIMS "certificate"), facts->certificate},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++)
        if (!add(arena, claims, table[i].type, table[i].value))
            return false;
    return add_time(arena, facts->now_ms, claims);
}

bool fg_request_delegation_claims(fg_arena_t *arena, fg_str_t delegation, fg_str_t relying_party, fg_claims_t *claims) {
    return add(arena, claims, FG_STR(FG_REQUEST_CLAIMS "delegation"), delegation) &&
           add(arena, claims, FG_STR(FG_REQUEST_CLAIMS "relying_party"), relying_party);
}

bool fg_request_add_prefixed(fg_arena_t *arena, const char *prefix, const fg_claims_t *from, fg_claims_t *claims) {
    size_t skipped = strlen(prefix);
    for (size_t i = 0; i < from->count; i++) {
        fg_claim_t claim = from->items[i];
        char *type = fg_arena_alloc(arena, skipped + claim.type.n + 1);
        if (type == NULL)
            return false;
        memcpy(type, prefix, skipped);
        if (claim.type.n > 0)
            memcpy(type + skipped, claim.type.p, claim.type.n);
        claim.type = (fg_str_t){type, skipped + claim.type.n};
        if (!fg_claims_add(arena, claims, &claim))
            return false;
    }
    return true;
}

/* Rules may test types without regard to case. */
static bool is_request(fg_str_t type) {
    fg_str_t prefix = FG_STR(FG_REQUEST_CLAIMS);
    return type.n >= prefix.n && fg_str_eq_nocase((fg_str_t){type.p, prefix.n}, prefix);
}

void fg_claims_drop_request(fg_claims_t *claims) {
    size_t kept = 0;
    for (size_t i = 0; i < claims->count; i++)
        if (!is_request(claims->items[i].type))
            claims->items[kept++] = claims->items[i];
    claims->count = kept;
}

/* ---- paths (HT-06) */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of the escape at s[i], -1: none. */
static int escaped_byte(fg_str_t s, size_t i) {
    if (i + 2 >= s.n || s.p[i] != '%' || hex_digit(s.p[i + 1]) < 0 || hex_digit(s.p[i + 2]) < 0)
        return -1;
    return hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]);
}

/* The hex digit at *i, which may itself be written as an escape; -1: none. */
static int next_digit(fg_str_t path, size_t *i) {
    int byte = *i < path.n ? (unsigned char)path.p[*i] : -1;
    if (byte == '%') {
        byte = escaped_byte(path, *i);
        *i += 2;
    }
    ++*i;
    return byte > 0 && byte < 0x80 ? hex_digit((char)byte) : -1;
}

/* An escape of a character that means something to paths, or of a '%' that makes another escape. */
static bool is_ambiguous_escape(fg_str_t path, size_t i) {
    int byte = escaped_byte(path, i);
    if (byte <= 0 || strchr("/\\;.", byte) != NULL)
        return true;
    size_t next = i + 3;
    return byte == '%' && next_digit(path, &next) >= 0 && next_digit(path, &next) >= 0;
}

/* "/." or "/.." at i */
static bool is_dot_segment(fg_str_t path, size_t i) {
    size_t end = i + 1;
    while (end < path.n && path.p[end] == '.')
        end++;
    return end - i >= 2 && end - i <= 3 && (end == path.n || path.p[end] == '/');
}

bool fg_request_path_is_ambiguous(fg_str_t raw) {
    const char *question = raw.n > 0 ? memchr(raw.p, '?', raw.n) : NULL;
    fg_str_t path = {raw.p, question ? (size_t)(question - raw.p) : raw.n};
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '\\' || c == ';' || c == '#' || (unsigned char)c <= ' ' || c == 0x7f)
            return true;
        if (c == '/' && ((i + 1 < path.n && path.p[i + 1] == '/') || is_dot_segment(path, i)))
            return true;
        if (c == '%' && is_ambiguous_escape(path, i))
            return true;
    }
    return false;
}
