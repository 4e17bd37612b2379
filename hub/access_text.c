/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Claims for headers and logs. */
#include "hub/access_parts.h"
#include "hub/issue.h"

#define TEXT_MAX (64u << 10)

/* How many bytes at the front stand for themselves: what could end a header, a log line or a value does not (HT-02). */
static size_t plain_length(fg_str_t value, bool in_list) {
    enum { ALWAYS = 1, IN_LIST = 2 };
    static const unsigned char is_encoded[256] = {
        [0 ... 0x1f] = ALWAYS | IN_LIST, [0x7f] = ALWAYS | IN_LIST, ['%'] = ALWAYS | IN_LIST, [';'] = IN_LIST};
    const unsigned char mask = in_list ? IN_LIST : ALWAYS;
    size_t n = 0;
    while (n < value.n && (is_encoded[(unsigned char)value.p[n]] & mask) == 0)
        n++;
    return n;
}

static void put_encoded(fg_buf_t *out, fg_str_t value, bool in_list) {
    while (value.n > 0) {
        size_t plain = plain_length(value, in_list);
        fg_buf_add(out, value.p, plain);
        if (plain == value.n)
            return;
        fg_buf_printf(out, "%%%02X", (unsigned char)value.p[plain]);
        value = (fg_str_t){value.p + plain + 1, value.n - plain - 1};
    }
}

static fg_str_t finish(fg_arena_t *arena, fg_buf_t *out) {
    fg_str_t text = fg_buf_ok(out) ? fg_arena_str(arena, fg_buf_str(out)) : FG_STR_NONE;
    fg_buf_free(out);
    return text;
}

fg_str_t fg_access_text(fg_arena_t *arena, fg_str_t value) {
    if (value.n <= TEXT_MAX && plain_length(value, false) == value.n)
        return value;
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    put_encoded(&out, value, false);
    return finish(arena, &out);
}

static fg_str_t find_type(const fg_access_t *access, fg_str_t name) {
    if (access->protect->policy != NULL)
        return fg_ruleset_find_alias(access->protect->policy, name);
    return fg_request_alias(name);
}

fg_str_t fg_access_claim(fg_arena_t *arena, const fg_access_t *access, fg_str_t name) {
    fg_claims_t claims = {0};
    fg_str_t type = find_type(access, name);
    bool found = false;
    if (type.p == NULL || !fg_issue_gather(arena, &access->session.identity, &claims))
        return FG_STR_NONE;
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < claims.count; i++) {
        if (!fg_str_eq(claims.items[i].type, type))
            continue;
        if (found)
            fg_buf_putc(&out, ';');
        put_encoded(&out, claims.items[i].value, true);
        found = true;
    }
    fg_str_t text = finish(arena, &out);
    return found ? text : FG_STR_NONE;
}
