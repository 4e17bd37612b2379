/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_message.h"

#define PREFIX "openid."
#define URL_MAX (16u << 10)
#define REDIRECT_MAX 2000u /* browsers and servers take that much (§5.2.1 leaves it to us) */

/* What the namespace of a message says (§4.1.2, and 1.1's own names for itself). */
static const struct {
    const char *ns;
    bool v2;
} versions[] = {
    {FG_OPENID2_NS, true},
    {"http://openid.net/signon/1.1", false},
    {"http://openid.net/signon/1.0", false},
};

/* ---- fields */

static fg_param_t *find(const fg_openid2_message_t *message, fg_str_t name) {
    for (size_t i = 0; i < message->count; i++)
        if (fg_str_eq(message->items[i].name, name))
            return &message->items[i];
    return NULL;
}

static fg_str_t get(const fg_openid2_message_t *message, fg_str_t name) {
    const fg_param_t *item = find(message, name);
    return item ? item->value : FG_STR_NONE;
}

fg_str_t fg_openid2_get(const fg_openid2_message_t *message, const char *name) { return get(message, fg_str(name)); }

/* Without memory of its own: aliases and names are compared where they stand. */
fg_str_t fg_openid2_get_in(const fg_openid2_message_t *message, fg_str_t alias, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < message->count; i++) {
        fg_str_t field = message->items[i].name;
        if (field.n == alias.n + 1 + length && field.p[alias.n] == '.' && memcmp(field.p, alias.p, alias.n) == 0 &&
            memcmp(field.p + alias.n + 1, name, length) == 0)
            return message->items[i].value;
    }
    return FG_STR_NONE;
}

fg_str_t fg_openid2_alias(const fg_openid2_message_t *message, const char *ns) {
    for (size_t i = 0; i < message->count; i++) {
        fg_str_t name = message->items[i].name;
        if (fg_str_starts(name, "ns.") && fg_str_is(message->items[i].value, ns))
            return (fg_str_t){name.p + 3, name.n - 3};
    }
    return FG_STR_NONE;
}

static void put(fg_openid2_message_t *message, fg_str_t name, fg_str_t value) {
    fg_param_t *item = find(message, name);
    if (item != NULL)
        item->value = value;
    else if (message->count < FG_OPENID2_FIELDS)
        message->items[message->count++] = (fg_param_t){name, value};
}

void fg_openid2_put(fg_openid2_message_t *message, const char *name, fg_str_t value) {
    put(message, fg_str(name), value);
}

void fg_openid2_put_in(fg_exchange_t *ex, fg_openid2_message_t *message, const char *alias, const char *name,
                       fg_str_t value) {
    fg_str_t full = fg_str(fg_arena_printf(ex->arena, "%s.%s", alias, name));
    if (full.p != NULL)
        put(message, full, value);
}

/* ---- reading */

bool fg_openid2_message_new(fg_exchange_t *ex, bool v2, fg_openid2_message_t *message, fg_err_t *err) {
    *message = (fg_openid2_message_t){fg_arena_alloc(ex->arena, FG_OPENID2_FIELDS * sizeof *message->items), 0, v2};
    if (message->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an OpenID message");
    if (v2)
        fg_openid2_put(message, "ns", FG_STR(FG_OPENID2_NS));
    return true;
}

/* Whoever reads the first of two and whoever reads the last would differ. */
static bool take(fg_openid2_message_t *message, fg_str_t name, fg_str_t value, fg_code_t code, fg_err_t *err) {
    if (find(message, name) != NULL)
        return FG_FAIL(err, code, "\"%.*s\" twice", FG_STR_ARG(name));
    if (message->count == FG_OPENID2_FIELDS)
        return FG_FAIL(err, code, "more than %u fields", FG_OPENID2_FIELDS);
    message->items[message->count++] = (fg_param_t){name, value};
    return true;
}

static bool read_version(fg_openid2_message_t *message, fg_code_t code, fg_err_t *err) {
    fg_str_t ns = fg_openid2_get(message, "ns");
    for (size_t i = 0; ns.n > 0 && i < FG_ARRAY_SIZE(versions); i++)
        if (fg_str_is(ns, versions[i].ns)) {
            message->v2 = versions[i].v2;
            return true;
        }
    return ns.n == 0 || FG_FAIL(err, code, "ns \"%.*s\"", FG_STR_ARG(ns));
}

bool fg_openid2_message_read(fg_exchange_t *ex, const fg_params_t *params, fg_code_t code,
                             fg_openid2_message_t *message, fg_err_t *err) {
    if (!fg_openid2_message_new(ex, false, message, err))
        return false;
    for (size_t i = 0; i < params->count; i++) {
        fg_str_t name = params->items[i].name;
        if (!fg_str_starts(name, PREFIX))
            continue;
        name = (fg_str_t){name.p + sizeof PREFIX - 1, name.n - (sizeof PREFIX - 1)};
        if (!take(message, name, params->items[i].value, code, err))
            return false;
    }
    return read_version(message, code, err);
}

/* §4.1.1: lines of "key:value", each ended by a line feed. */
bool fg_openid2_message_parse(fg_exchange_t *ex, fg_str_t text, fg_code_t code, fg_openid2_message_t *message,
                              fg_err_t *err) {
    if (!fg_openid2_message_new(ex, false, message, err))
        return false;
    if (!fg_str_is_utf8(text))
        return FG_FAIL(err, code, "an answer that is not UTF-8");
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        fg_str_t line = {text.p, end ? (size_t)(end - text.p) : text.n};
        text = (fg_str_t){text.p + line.n + (end != NULL), text.n - line.n - (end != NULL)};
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        const char *colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
        if (line.n == 0)
            continue;
        if (colon == NULL)
            return FG_FAIL(err, code, "a line without a colon");
        size_t head = (size_t)(colon - line.p);
        if (!take(message, (fg_str_t){line.p, head}, (fg_str_t){colon + 1, line.n - head - 1}, code, err))
            return false;
    }
    return read_version(message, code, err);
}

/* ---- lists */

fg_str_t fg_openid2_list_next(fg_str_t *list) {
    while (list->n > 0 && *list->p == ',')
        *list = (fg_str_t){list->p + 1, list->n - 1};
    const char *comma = list->n > 0 ? memchr(list->p, ',', list->n) : NULL;
    fg_str_t item = {list->p, comma ? (size_t)(comma - list->p) : list->n};
    *list = (fg_str_t){list->p + item.n, list->n - item.n};
    return item;
}

bool fg_openid2_list_has(fg_str_t list, const char *name) {
    for (fg_str_t item = fg_openid2_list_next(&list); item.n > 0; item = fg_openid2_list_next(&list))
        if (fg_str_is(item, name))
            return true;
    return false;
}

/* ---- writing */

static bool put_line(fg_buf_t *out, fg_str_t name, fg_str_t value) {
    if (name.n == 0 || memchr(name.p, '\n', name.n) || memchr(name.p, ':', name.n) ||
        (value.n > 0 && memchr(value.p, '\n', value.n)))
        return false;
    fg_buf_put_str(out, name);
    fg_buf_putc(out, ':');
    fg_buf_put_str(out, value);
    fg_buf_putc(out, '\n');
    return fg_buf_ok(out);
}

bool fg_openid2_write(fg_buf_t *out, const fg_openid2_message_t *message) {
    for (size_t i = 0; i < message->count; i++)
        if (!put_line(out, message->items[i].name, message->items[i].value))
            return false;
    return true;
}

bool fg_openid2_write_signed(fg_buf_t *out, const fg_openid2_message_t *message, fg_str_t signed_list) {
    for (fg_str_t name = fg_openid2_list_next(&signed_list); name.n > 0; name = fg_openid2_list_next(&signed_list)) {
        const fg_param_t *item = find(message, name);
        if (item == NULL || !put_line(out, name, item->value))
            return false;
    }
    return true;
}

bool fg_openid2_write_url(fg_buf_t *out, const fg_openid2_message_t *message, fg_str_t to) {
    fg_buf_t query = FG_BUF_INIT(URL_MAX), name = FG_BUF_INIT(1024);
    for (size_t i = 0; i < message->count; i++) {
        fg_buf_reset(&name);
        fg_buf_puts(&name, PREFIX);
        fg_buf_put_str(&name, message->items[i].name);
        fg_uri_put_param(&query, fg_buf_str(&name), message->items[i].value);
    }
    const char *mark = to.n > 0 ? memchr(to.p, '?', to.n) : NULL;
    fg_str_t text = fg_buf_str(&query);
    bool good = fg_buf_ok(&query) && fg_buf_ok(&name) && text.n > 0;
    fg_buf_put_str(out, to);
    if (mark == NULL || mark != to.p + to.n - 1)
        fg_buf_putc(out, mark == NULL ? '?' : '&');
    if (good)
        fg_buf_put_str(out, (fg_str_t){text.p + 1, text.n - 1});
    fg_buf_free(&query);
    fg_buf_free(&name);
    return good && fg_buf_ok(out);
}

/* ---- sending */

static bool send_form(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_str_t to, const char *application,
                      fg_err_t *err) {
    json_t *fields = json_array();
    for (size_t i = 0; i < message->count; i++) {
        const fg_param_t *item = &message->items[i];
        char *name = fg_arena_printf(ex->arena, PREFIX "%.*s", (int)item->name.n, item->name.p);
        (void)json_array_append_new(fields, json_pack("{s:s, s:s%}", "name", name ? name : "", "value",
                                                      item->value.p ? item->value.p : "", item->value.n));
    }
    json_t *model = json_pack("{s:s%, s:s, s:o}", "action", to.p, to.n, "application", application, "fields", fields);
    return (model != NULL && ex->hub->render(ex, 200, "auto_post", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "the message's form could not be made");
}

/* After a form of ours a page leads on: browsers hold our forms' policy against redirects that follow. */
static bool send_url(fg_exchange_t *ex, fg_str_t url, const char *application, fg_err_t *err) {
    if (ex->request.method != FG_METHOD_POST) {
        fg_response_redirect(ex, url);
        return true;
    }
    json_t *model = json_pack("{s:s%, s:s}", "url", url.p, url.n, "application", application);
    return (model != NULL && ex->hub->render(ex, 200, "go_on", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "the page that leads on could not be made");
}

bool fg_openid2_send(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_str_t to, const char *application,
                     fg_err_t *err) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    bool fits = fg_openid2_write_url(&url, message, to) && url.length <= REDIRECT_MAX;
    bool done = fits ? send_url(ex, fg_buf_str(&url), application, err) : send_form(ex, message, to, application, err);
    fg_buf_free(&url);
    return done;
}
