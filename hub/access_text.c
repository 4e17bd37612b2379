/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Claims for headers and logs. */
#include "hub/access_parts.h"
#include "hub/issue.h"

#define TEXT_MAX (64u << 10)

/* What could end a header, a log line or a value does not stand in it as such (HT-02). */
static void put_encoded(fg_buf_t *out, fg_str_t value, bool in_list) {
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 0x20 || c == 0x7f || c == '%' || (in_list && c == ';'))
            fg_buf_printf(out, "%%%02X", c);
        else
            fg_buf_putc(out, (char)c);
    }
}

static fg_str_t finish(fg_exchange_t *ex, fg_buf_t *out) {
    fg_str_t text = fg_buf_ok(out) ? fg_arena_str(ex->arena, fg_buf_str(out)) : FG_STR_NONE;
    fg_buf_free(out);
    return text;
}

fg_str_t fg_access_text(fg_exchange_t *ex, fg_str_t value) {
    fg_buf_t out = FG_BUF_INIT(TEXT_MAX);
    put_encoded(&out, value, false);
    return finish(ex, &out);
}

static fg_str_t find_type(const fg_access_t *access, fg_str_t name) {
    if (access->protect->policy != NULL)
        return fg_ruleset_find_alias(access->protect->policy, name);
    return fg_request_alias(name);
}

fg_str_t fg_access_claim(fg_exchange_t *ex, fg_str_t name) {
    fg_claims_t claims = {0};
    fg_str_t type = find_type(ex->access, name);
    bool found = false;
    if (type.p == NULL || !fg_issue_gather(ex->arena, &ex->access->session.identity, &claims))
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
    fg_str_t text = finish(ex, &out);
    return found ? text : FG_STR_NONE;
}
