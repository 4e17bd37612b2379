/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/media_type.h"

/* Cuts the next "name=value" off *rest (RFC 9110 §5.6.6).  False: malformed. */
static bool next_parameter(fg_str_t *rest, fg_str_t *name, fg_str_t *value) {
    const char *equals = memchr(rest->p, '=', rest->n);
    if (equals == NULL)
        return false;
    *name = fg_str_trim((fg_str_t){rest->p, (size_t)(equals - rest->p)});
    *value = (fg_str_t){equals + 1, rest->n - (size_t)(equals + 1 - rest->p)};
    bool quoted = value->n > 0 && value->p[0] == '"';
    if (quoted)
        value->p++, value->n--;
    const char *end = memchr(value->p, quoted ? '"' : ';', value->n);
    if (quoted && end == NULL)
        return false;
    fg_str_t all = *value;
    if (end != NULL)
        value->n = (size_t)(end - value->p);
    rest->n = all.n - value->n;
    rest->p = value->p + value->n;
    if (quoted)
        rest->p++, rest->n--;
    *rest = fg_str_trim(*rest);
    if (!quoted)
        *value = fg_str_trim(*value);
    return memchr(value->p, '\\', value->n) == NULL && (rest->n == 0 || rest->p[0] == ';');
}

bool fg_media_type_parse(fg_str_t header, fg_media_type_t *out, fg_err_t *err) {
    const char *semicolon = header.n > 0 ? memchr(header.p, ';', header.n) : NULL;
    size_t length = semicolon ? (size_t)(semicolon - header.p) : header.n;
    fg_str_t rest = fg_str_trim((fg_str_t){header.p + length, header.n - length});
    *out = (fg_media_type_t){.type = fg_str_trim((fg_str_t){header.p, length})};
    while (rest.n > 0) {
        rest = fg_str_trim((fg_str_t){rest.p + 1, rest.n - 1});
        if (rest.n == 0)
            break;
        fg_str_t name, value;
        if (!next_parameter(&rest, &name, &value))
            return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type malformed");
        fg_str_t *known = fg_str_eq_nocase(name, FG_STR("charset"))  ? &out->charset
                          : fg_str_eq_nocase(name, FG_STR("action")) ? &out->action
                                                                     : NULL;
        if (known == NULL)
            continue;
        if (known->p != NULL)
            return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "Content-Type parameter %.*s given twice", FG_STR_ARG(name));
        *known = value;
    }
    return true;
}
