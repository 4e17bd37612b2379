/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/query.h"

#include <string.h>

#include "core/buf.h"

#define VALUE_MAX 4096u

/* ---- parts */

static bool read_attributes(const fg_query_t *query, fg_str_t text, fg_query_parts_t *parts, fg_err_t *err) {
    for (bool more = true; more;) {
        const char *comma = text.n > 0 ? memchr(text.p, ',', text.n) : NULL;
        fg_str_t name = fg_str_trim((fg_str_t){text.p, comma ? (size_t)(comma - text.p) : text.n});
        if (parts->attribute_count == FG_QUERY_ATTRIBUTES_MAX || name.n == 0)
            return FG_FAIL(err, FG_E_CONFIG, "query: expected 1 to %u attributes between commas",
                           FG_QUERY_ATTRIBUTES_MAX);
        parts->attributes[parts->attribute_count++] = name;
        more = comma != NULL;
        if (more)
            text = (fg_str_t){comma + 1, text.n - (size_t)(comma + 1 - text.p)};
    }
    return parts->attribute_count == query->type_count ||
           FG_FAIL(err, FG_E_CONFIG, "query: %zu attributes for %zu types", parts->attribute_count, query->type_count);
}

/* The last part may hold no ';', which no account does. */
bool fg_query_take_apart(const fg_query_t *query, bool needs_account, fg_query_parts_t *parts, fg_err_t *err) {
    fg_str_t text = query->text, found[3] = {FG_STR_NONE, FG_STR_NONE, FG_STR_NONE};
    size_t count = 0, begin = 0;
    *parts = (fg_query_parts_t){.attribute_count = 0};
    for (size_t at = 0; at <= text.n; at++) {
        if (at < text.n && text.p[at] != ';')
            continue;
        if (count < 3)
            found[count] = fg_str_trim((fg_str_t){text.p + begin, at - begin});
        count++;
        begin = at + 1;
    }
    if (count < 2 || count > 3 || (needs_account && count == 2))
        return FG_FAIL(err, FG_E_CONFIG, "query: \"%.*s\"; expected \"FILTER;ATTRIBUTES;DOMAIN\\user\"%s",
                       FG_STR_ARG(text), needs_account ? "" : " or \"FILTER;ATTRIBUTES\"");
    parts->filter = found[0];
    parts->account = found[2];
    return read_attributes(query, found[1], parts, err);
}

/* ---- texts with {n} */

/* The parameter that "{n}" at the beginning of text names, and how long that is. */
static bool placeholder(const fg_query_t *query, fg_str_t text, fg_str_t *value, size_t *length, fg_err_t *err) {
    size_t at = 1, number = 0;
    while (at < text.n && at < 4 && text.p[at] >= '0' && text.p[at] <= '9')
        number = number * 10 + (size_t)(text.p[at++] - '0');
    if (at == 1 || at >= text.n || text.p[at] != '}' || number >= query->param_count)
        return FG_FAIL(err, FG_E_CONFIG, "query: \"%.*s\" names none of %zu params", FG_STR_ARG(text),
                       query->param_count);
    *value = query->params != NULL ? query->params[number] : FG_STR_NONE;
    *length = at + 1;
    return true;
}

bool fg_query_fill(const fg_query_t *query, fg_arena_t *arena, fg_str_t text, fg_str_t *out, fg_err_t *err) {
    fg_buf_t buf = FG_BUF_INIT(VALUE_MAX);
    bool ok = true;
    for (size_t at = 0; ok && at < text.n;) {
        fg_str_t value = {text.p + at, 1};
        size_t length = 1;
        ok = text.p[at] != '{' || placeholder(query, (fg_str_t){text.p + at, text.n - at}, &value, &length, err);
        if (ok)
            fg_buf_put_str(&buf, value);
        at += length;
    }
    *out = ok ? fg_arena_str(arena, fg_buf_str(&buf)) : FG_STR_NONE;
    if (ok && (!fg_buf_ok(&buf) || out->p == NULL))
        ok = FG_FAIL(err, FG_E_INTERNAL, "query: a text of more than %u bytes, or no memory", VALUE_MAX);
    fg_buf_free(&buf);
    return ok;
}
