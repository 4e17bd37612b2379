/* SPDX-License-Identifier: GPL-2.0-or-later
 * What browsers carry: addresses, forms, HTML pages whose form posts itself, HTTP messages. */
#include "cli/piece.h"

#include <string.h>

#include "core/buf.h"

/* The parameters that hold something. */
static const char *const carriers[] = {
    "wresult",       "SAMLResponse", "SAMLRequest",     "SAMLart",       "id_token",    "access_token",
    "id_token_hint", "logout_token", "assertion",       "subject_token", "actor_token", "client_assertion",
    "request",       "response",     "requested_token", "token",         "wreq",
};

static bool is_carrier(fg_str_t name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(carriers); i++)
        if (fg_str_is(name, carriers[i]))
            return true;
    return false;
}

static bool is_known_parameter(fg_str_t name) {
    static const char *const others[] = {"wa",        "wctx", "wtrealm", "RelayState", "SigAlg",    "openid.mode",
                                         "openid.ns", "code", "state",   "grant_type", "client_id", "redirect_uri"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        if (fg_str_is(name, others[i]))
            return true;
    return is_carrier(name);
}

void fg_unwrap_params(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    if (fg_params_get(&piece->params, "openid.mode", NULL).p != NULL && piece->kind == FG_PIECE_FORM)
        piece->kind = FG_PIECE_OPENID2;
    for (size_t i = 0; i < piece->params.count; i++) {
        const fg_param_t *param = &piece->params.items[i];
        if (is_carrier(param->name) && param->value.n > 0)
            fg_piece_add(unwrap, piece, fg_arena_printf(unwrap->arena, "parameter %.*s", FG_STR_ARG(param->name)),
                         param->value, fg_str_is(param->name, "wresult") || fg_str_starts(param->name, "SAMLRe"));
    }
}

/* ---- forms and addresses */

bool fg_recognise_form(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_params_t params;
    bool known = false;
    fg_str_t text = piece->bytes;
    if (text.n > 0 && (text.p[0] == '?' || text.p[0] == '#'))
        text = (fg_str_t){text.p + 1, text.n - 1};
    while (text.n > 0 && memchr(text.p + text.n - (text.n > 2 ? 2 : 1), '%', text.n > 2 ? 2 : 1) != NULL)
        text.n--; /* it was cut in an escape: what is left tells that it was cut */
    if (text.n == 0 || memchr(text.p, '=', text.n) == NULL || memchr(text.p, ' ', text.n) != NULL ||
        !fg_params_parse(unwrap->arena, text, &params, NULL))
        return false;
    for (size_t i = 0; i < params.count; i++)
        known = known || is_known_parameter(params.items[i].name);
    if (!known)
        return false;
    piece->kind = FG_PIECE_FORM;
    piece->params = params;
    fg_unwrap_params(unwrap, piece);
    return true;
}

bool fg_recognise_url(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = piece->bytes;
    bool web = text.n > 8 && (fg_str_eq_nocase((fg_str_t){text.p, 7}, FG_STR("http://")) ||
                              fg_str_eq_nocase((fg_str_t){text.p, 8}, FG_STR("https://")));
    if (!web || memchr(text.p, ' ', text.n) != NULL || memchr(text.p, '\n', text.n) != NULL)
        return false;
    size_t at = 0;
    bool found = false;
    for (; at < text.n; at++) { /* a query, then a fragment */
        if (text.p[at] != '?' && text.p[at] != '#')
            continue;
        const char *hash = text.p[at] == '?' ? memchr(text.p + at, '#', text.n - at) : NULL;
        fg_str_t part = {text.p + at + 1, (hash != NULL ? (size_t)(hash - text.p) : text.n) - at - 1};
        fg_piece_t *child =
            part.n > 0 ? fg_piece_add(unwrap, piece, text.p[at] == '?' ? "query" : "fragment", part, false) : NULL;
        found = found || child != NULL;
        at += part.n;
    }
    if (found || piece->parent == NULL)
        piece->kind = FG_PIECE_URL;
    return piece->kind == FG_PIECE_URL;
}

/* ---- HTTP messages, as a proxy or a developer's tool shows them */

bool fg_recognise_http(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = piece->bytes;
    const char *line_end = memchr(text.p, '\n', text.n);
    if (line_end == NULL)
        return false;
    fg_str_t line = fg_str_trim((fg_str_t){text.p, (size_t)(line_end - text.p)});
    const char *version = memmem(line.p, line.n, "HTTP/", 5), *space = memchr(line.p, ' ', line.n);
    if (version == NULL || space == NULL)
        return false;
    piece->kind = FG_PIECE_HTTP;
    if (version > line.p && version > space + 1) { /* a request */
        fg_str_t target = fg_str_trim((fg_str_t){space + 1, (size_t)(version - space - 1)});
        const char *query = memchr(target.p, '?', target.n);
        if (query != NULL)
            fg_piece_add(unwrap, piece, "query", (fg_str_t){query + 1, target.n - (size_t)(query - target.p) - 1},
                         false);
    }
    const char *body = memmem(text.p, text.n, "\r\n\r\n", 4);
    size_t gap = 4;
    if (body == NULL) {
        body = memmem(text.p, text.n, "\n\n", 2);
        gap = 2;
    }
    if (body != NULL && (size_t)(text.p + text.n - body) > gap)
        fg_piece_add(unwrap, piece, "body", (fg_str_t){body + gap, (size_t)(text.p + text.n - body) - gap}, true);
    return true;
}

/* ---- HTML */

/* The value of an attribute in a tag, with the five entities and character references decoded; .p NULL: none. */
static fg_str_t attribute(fg_unwrap_t *unwrap, fg_str_t tag, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 1; i + length + 2 < tag.n; i++) {
        if (!fg_str_eq_nocase((fg_str_t){tag.p + i, length}, fg_str(name)) ||
            strchr(" \t\r\n\"'", tag.p[i - 1]) == NULL)
            continue;
        size_t at = i + length;
        while (at < tag.n && strchr(" \t\r\n", tag.p[at]) != NULL)
            at++;
        if (at >= tag.n || tag.p[at] != '=')
            continue;
        at++;
        while (at < tag.n && strchr(" \t\r\n", tag.p[at]) != NULL)
            at++;
        char quote = at < tag.n ? tag.p[at] : '\0';
        if (quote != '"' && quote != '\'')
            return FG_STR_NONE;
        const char *end = memchr(tag.p + at + 1, quote, tag.n - at - 1);
        if (end == NULL && at + 1 < tag.n) /* the page was cut in it */
            end = tag.p + tag.n;
        return end ? fg_arena_str(unwrap->arena, (fg_str_t){tag.p + at + 1, (size_t)(end - tag.p) - at - 1})
                   : FG_STR_NONE;
    }
    return FG_STR_NONE;
}

static size_t put_utf8(char *out, unsigned long c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | (c >> 12));
    out[1] = (char)(0x80 | ((c >> 6) & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

static size_t decode_reference(const char *text, size_t length, char *out, size_t *used) {
    static const struct {
        const char *name;
        char is;
    } entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    *used = 1;
    for (size_t i = 0; i < FG_ARRAY_SIZE(entities); i++)
        if (length >= strlen(entities[i].name) && memcmp(text, entities[i].name, strlen(entities[i].name)) == 0) {
            *used = strlen(entities[i].name);
            out[0] = entities[i].is;
            return 1;
        }
    const char *end = memchr(text, ';', length > 10 ? 10 : length);
    unsigned long c = 0;
    bool hex = length > 3 && (text[2] == 'x' || text[2] == 'X');
    if (end == NULL || length < 4 || text[1] != '#')
        return 0;
    for (const char *p = text + 2 + hex; p < end; p++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, *p | (*p > '9' ? 32 : 0));
        if (at == NULL || at - digits >= (hex ? 16 : 10))
            return 0;
        c = c * (hex ? 16 : 10) + (unsigned long)(at - digits);
    }
    *used = (size_t)(end - text) + 1;
    return c == 0 || c > 0xffff ? 0 : put_utf8(out, c);
}

static fg_str_t decode(fg_unwrap_t *unwrap, fg_str_t text) {
    char *out = text.p ? fg_arena_strndup(unwrap->arena, text.p, text.n) : NULL;
    size_t length = 0;
    for (size_t i = 0; out != NULL && i < text.n;) {
        size_t used = 1, put = text.p[i] == '&' ? decode_reference(text.p + i, text.n - i, out + length, &used) : 0;
        if (put == 0) {
            out[length] = text.p[i];
            put = used = 1;
        }
        length += put;
        i += used;
    }
    return (fg_str_t){out, length};
}

/* Up to the '>' that is in no value; a page that was cut in a tag: all of it. */
static fg_str_t take_tag(fg_str_t text) {
    char quote = '\0';
    for (size_t i = 0; i < text.n; i++) {
        if (quote != '\0')
            quote = text.p[i] == quote ? '\0' : quote;
        else if (text.p[i] == '"' || text.p[i] == '\'')
            quote = text.p[i];
        else if (text.p[i] == '>')
            return (fg_str_t){text.p, i + 1};
    }
    return text;
}

static bool is_html(fg_unwrap_t *unwrap, fg_str_t text) {
    fg_str_t head = fg_arena_str(unwrap->arena, (fg_str_t){text.p, text.n > 20000 ? 20000 : text.n});
    return text.p[0] == '<' && head.p != NULL &&
           (strcasestr(head.p, "<form") == head.p || strcasestr(head.p, "<html") != NULL);
}

static bool closes_form(fg_str_t text) {
    for (size_t i = 0; i + 6 <= text.n; i++)
        if (text.p[i] == '<' && fg_str_eq_nocase((fg_str_t){text.p + i, 6}, FG_STR("</form")))
            return true;
    return false;
}

/* The hidden fields of the page's forms. */
bool fg_recognise_html(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = piece->bytes;
    if (!is_html(unwrap, text))
        return false;
    piece->kind = FG_PIECE_HTML;
    fg_param_t items[64];
    size_t count = 0;
    for (const char *at = text.p; (at = memchr(at, '<', (size_t)(text.p + text.n - at))) != NULL && count < 64; at++) {
        fg_str_t rest = {at, (size_t)(text.p + text.n - at)};
        if (rest.n < 7 || !fg_str_eq_nocase((fg_str_t){at, 6}, FG_STR("<input")))
            continue;
        fg_str_t tag = take_tag(rest);
        fg_str_t name = attribute(unwrap, tag, "name"), value = attribute(unwrap, tag, "value");
        if (name.n > 0 && value.p != NULL)
            items[count++] = (fg_param_t){decode(unwrap, name), decode(unwrap, value)};
    }
    piece->params.items = fg_arena_alloc(unwrap->arena, (count + 1) * sizeof *items);
    if (piece->params.items == NULL)
        return false;
    memcpy(piece->params.items, items, count * sizeof *items);
    piece->params.count = count;
    fg_unwrap_params(unwrap, piece);
    if (piece->first == NULL && !closes_form(text))
        FG_FAIL_FOR(&piece->err, FG_E_TOKEN_MALFORMED, FG_R_INPUT_TRUNCATED, "the page ends before its form does");
    return true;
}
