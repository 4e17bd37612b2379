/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/web_form.h"

#define FIELDS_MAX 64u
#define BOUNDARY_MAX 70u /* RFC 2046 §5.1.1 */

/* ---- reading */

/* Where needle begins in s; s.n: nowhere. */
static size_t find(fg_str_t s, fg_str_t needle) {
    const char *at = s.n > 0 ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at != NULL ? (size_t)(at - s.p) : s.n;
}

static fg_str_t skip(fg_str_t s, size_t n) {
    return n < s.n ? (fg_str_t){s.p + n, s.n - n} : (fg_str_t){s.p ? s.p + s.n : "", 0};
}

/* Cuts off what stands before the next separator, and both from *rest; false: there is no separator. */
static bool cut(fg_str_t *rest, fg_str_t separator, fg_str_t *piece) {
    size_t at = find(*rest, separator);
    if (at == rest->n)
        return false;
    *piece = (fg_str_t){rest->p, at};
    *rest = skip(*rest, at + separator.n);
    return true;
}

static bool add(fg_arena_t *arena, fg_web_form_t *form, fg_str_t name, fg_str_t value, fg_err_t *err) {
    if (form->items == NULL)
        form->items = fg_arena_alloc(arena, FIELDS_MAX * sizeof *form->items);
    if (form->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "form");
    if (form->count == FIELDS_MAX)
        return FG_FAIL(err, FG_E_HTTP_FORM, "more than %u fields", FIELDS_MAX);
    if (!fg_str_is_utf8(name) || !fg_str_is_utf8(value))
        return FG_FAIL(err, FG_E_HTTP_FORM, "a field is not UTF-8");
    form->items[form->count++] = (fg_param_t){name, value};
    return true;
}

/* ---- application/x-www-form-urlencoded */

static bool read_urlencoded(fg_arena_t *arena, fg_str_t type, fg_str_t body, fg_web_form_t *form, fg_err_t *err) {
    fg_params_t params;
    (void)type;
    if (!fg_params_parse(arena, body, &params, err)) {
        if (err->code != FG_E_MEMORY)
            err->code = FG_E_HTTP_FORM;
        return false;
    }
    form->items = params.items;
    form->count = params.count;
    return true;
}

/* ---- text/plain: lines "name=value", each with CR LF behind it.  Where a value has line ends nobody can tell what was
 * its beginning; what is read here makes the same bytes when it is sent again. */

static bool read_plain(fg_arena_t *arena, fg_str_t type, fg_str_t body, fg_web_form_t *form, fg_err_t *err) {
    fg_str_t line, name;
    (void)type;
    while (body.n > 0) {
        if (!cut(&body, FG_STR("\r\n"), &line))
            return FG_FAIL(err, FG_E_HTTP_FORM, "a line of the form has no end");
        if (cut(&line, FG_STR("="), &name)) {
            if (!add(arena, form, name, line, err))
                return false;
            continue;
        }
        if (form->count == 0)
            return FG_FAIL(err, FG_E_HTTP_FORM, "the form's first line has no '='");
        fg_str_t *value = &form->items[form->count - 1].value; /* goes on in this line */
        if (!fg_str_is_utf8(line))
            return FG_FAIL(err, FG_E_HTTP_FORM, "a field is not UTF-8");
        value->n = (size_t)(line.p + line.n - value->p);
    }
    return true;
}

/* ---- multipart/form-data (RFC 7578) */

/* The delimiter between parts, "\r\n--" and the boundary; .p NULL: none. */
static fg_str_t read_delimiter(fg_arena_t *arena, fg_str_t type) {
    fg_str_t parameter = FG_STR("boundary="), none = FG_STR_NONE;
    size_t at = find(type, parameter);
    fg_str_t text = fg_str_trim(skip(type, at + parameter.n));
    if (at == type.n)
        return none;
    if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (fg_str_t){text.p + 1, text.n - 2};
    if (text.n == 0 || text.n > BOUNDARY_MAX || memchr(text.p, ';', text.n) != NULL)
        return none;
    return fg_str(fg_arena_printf(arena, "\r\n--%.*s", (int)text.n, text.p));
}

/* A quoted parameter of a header line.  Browsers write '"' within as "%22", which stays: it is written so again. */
static bool read_parameter(fg_str_t line, const char *start, fg_str_t *value) {
    size_t at = find(line, fg_str(start));
    fg_str_t rest = skip(line, at + strlen(start));
    return at < line.n && cut(&rest, FG_STR("\""), value);
}

/* A part's name; *file: it is a file.  Headers are in *head, each with CR LF behind it. */
static bool read_disposition(fg_str_t head, fg_str_t *name, fg_str_t *file) {
    static const char wanted[] = "content-disposition: form-data;";
    fg_str_t line;
    *file = FG_STR_NONE;
    while (cut(&head, FG_STR("\r\n"), &line)) {
        if (line.n < sizeof wanted - 1 ||
            !fg_str_eq_nocase((fg_str_t){line.p, sizeof wanted - 1}, FG_STR("content-disposition: form-data;")))
            continue;
        if (!read_parameter(line, "; filename=\"", file) && find(line, FG_STR("filename")) != line.n)
            return false;
        return read_parameter(line, "; name=\"", name);
    }
    return false;
}

/* rest begins behind a delimiter.  A file field that was left empty has no equal among hidden fields: it is left out.
 */
static bool read_part(fg_arena_t *arena, fg_str_t delimiter, fg_str_t *rest, fg_web_form_t *form, fg_err_t *err) {
    fg_str_t part, head, name, file;
    if (!fg_str_starts(*rest, "\r\n") || !cut(rest, delimiter, &part))
        return FG_FAIL(err, FG_E_HTTP_FORM, "a part of the form has no end");
    part = skip(part, 2);
    size_t end = find(part, FG_STR("\r\n\r\n"));
    head = (fg_str_t){part.p, end == part.n ? end : end + 2};
    if (end == part.n || !read_disposition(head, &name, &file))
        return FG_FAIL(err, FG_E_HTTP_FORM, "a part of the form has no name");
    part = skip(part, end + 4);
    if (file.n > 0 || (file.p != NULL && part.n > 0))
        return FG_FAIL(err, FG_E_HTTP_FORM, "the form holds a file");
    return file.p != NULL || add(arena, form, name, part, err);
}

static bool read_multipart(fg_arena_t *arena, fg_str_t type, fg_str_t body, fg_web_form_t *form, fg_err_t *err) {
    fg_str_t delimiter = read_delimiter(arena, type);
    if (delimiter.n < 2 || body.n < delimiter.n || !fg_str_eq((fg_str_t){body.p, delimiter.n - 2}, skip(delimiter, 2)))
        return FG_FAIL(err, FG_E_HTTP_FORM, "the form does not begin with its boundary");
    fg_str_t rest = skip(body, delimiter.n - 2);
    while (!fg_str_starts(rest, "--"))
        if (!read_part(arena, delimiter, &rest, form, err))
            return false;
    return true;
}

/* ---- which */

static const struct {
    const char *type;
    bool (*read)(fg_arena_t *arena, fg_str_t type, fg_str_t body, fg_web_form_t *form, fg_err_t *err);
} type_table[] = {
    {"application/x-www-form-urlencoded", read_urlencoded},
    {"multipart/form-data", read_multipart},
    {"text/plain", read_plain},
};

bool fg_web_form_read(fg_arena_t *arena, fg_str_t content_type, fg_str_t body, fg_web_form_t *form, fg_err_t *err) {
    fg_str_t media = content_type;
    const char *end = media.n > 0 ? memchr(media.p, ';', media.n) : NULL;
    if (end != NULL)
        media.n = (size_t)(end - media.p);
    media = fg_str_trim(media);
    if (body.n > FG_WEB_FORM_MAX)
        return FG_FAIL(err, FG_E_HTTP_FORM, "a form of %zu bytes", body.n);
    for (size_t i = 0; i < FG_ARRAY_SIZE(type_table); i++) {
        if (!fg_str_eq_nocase(media, fg_str(type_table[i].type)))
            continue;
        *form = (fg_web_form_t){.enctype = type_table[i].type};
        return type_table[i].read(arena, content_type, body, form, err);
    }
    return FG_FAIL(err, FG_E_HTTP_FORM, "a body of type \"%.*s\"", FG_STR_ARG(media));
}
