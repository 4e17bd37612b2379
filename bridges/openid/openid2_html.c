/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pages are what people wrote by hand: whatever is between tags is skipped, what closes or repeats the head ends it, so
 * that nothing somebody else wrote further down (a comment on a blog) is read. */
#include "bridges/openid/openid2_html.h"

#include "core/err.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

static void skip(fg_str_t *rest, size_t n) { *rest = (fg_str_t){rest->p + n, rest->n - n}; }

/* Behind the next text, or at the end. */
static void skip_past(fg_str_t *rest, const char *text) {
    const char *found = rest->n > 0 ? memmem(rest->p, rest->n, text, strlen(text)) : NULL;
    skip(rest, found ? (size_t)(found - rest->p) + strlen(text) : rest->n);
}

static bool starts_nocase(fg_str_t s, const char *text) {
    size_t n = strlen(text);
    return s.n >= n && fg_str_eq_nocase((fg_str_t){s.p, n}, fg_str(text));
}

/* To the tag that ends a script: what is in it is no markup. */
static void skip_script(fg_str_t *rest) {
    while (rest->n > 0 && !starts_nocase(*rest, "</script")) {
        const char *less = memchr(rest->p + 1, '<', rest->n - 1);
        skip(rest, less ? (size_t)(less - rest->p) : rest->n);
    }
}

/* ---- references: those of XML, and numbers of what can be seen in ASCII */

static unsigned read_number(fg_str_t digits, unsigned base) {
    unsigned value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base || value > 0xffff)
            return 0;
        value = value * base + digit;
    }
    return value;
}

/* The character of "&NAME;" without its borders; 0: not decoded. */
static char decode_name(fg_str_t name) {
    static const struct {
        const char *name;
        char c;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(known); i++)
        if (fg_str_is(name, known[i].name))
            return known[i].c;
    if (name.n < 2 || name.p[0] != '#')
        return 0;
    bool hex = name.p[1] == 'x' || name.p[1] == 'X';
    size_t head = hex ? 2 : 1;
    unsigned value = read_number((fg_str_t){name.p + head, name.n - head}, hex ? 16 : 10);
    return value > ' ' && value < 127 ? (char)value : 0;
}

static fg_str_t decode(fg_arena_t *arena, fg_str_t text) {
    if (text.n == 0 || memchr(text.p, '&', text.n) == NULL)
        return text;
    char *out = fg_arena_strndup(arena, text.p, text.n);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < text.n; i++) {
        const char *end = text.p[i] == '&' ? memchr(text.p + i, ';', text.n - i < 10 ? text.n - i : 10) : NULL;
        char c = end ? decode_name((fg_str_t){text.p + i + 1, (size_t)(end - text.p) - i - 1}) : 0;
        out[n++] = c != 0 ? c : text.p[i];
        if (c != 0)
            i = (size_t)(end - text.p);
    }
    return (fg_str_t){out, out ? n : 0};
}

/* ---- tags */

static fg_str_t read_name(fg_str_t *rest) {
    size_t i = 0;
    while (i < rest->n && !is_space(rest->p[i]) && (rest->p[i] == '\0' || strchr("/<>=", rest->p[i]) == NULL))
        i++;
    fg_str_t name = {rest->p, i};
    skip(rest, i);
    return name;
}

static fg_str_t read_value(fg_str_t *rest) {
    char quote = rest->n > 0 && (*rest->p == '"' || *rest->p == '\'') ? *rest->p : '\0';
    const char *end = quote ? memchr(rest->p + 1, quote, rest->n - 1) : NULL;
    size_t i = 0;
    if (end != NULL) {
        fg_str_t value = {rest->p + 1, (size_t)(end - rest->p) - 1};
        skip(rest, value.n + 2);
        return value;
    }
    while (i < rest->n && !is_space(rest->p[i]) && rest->p[i] != '<' && rest->p[i] != '>' &&
           !(rest->p[i] == '/' && i + 1 < rest->n && rest->p[i + 1] == '>'))
        i++;
    fg_str_t value = {rest->p, i};
    skip(rest, i);
    return value;
}

static void add(fg_html_t *in, fg_html_element_t *element, fg_str_t name, fg_str_t value) {
    if (element->count == FG_HTML_ATTRIBUTES)
        return;
    element->attributes[element->count].name = name;
    element->attributes[element->count++].value = decode(in->arena, value);
}

/* What stands behind a tag's name, to its '>' or to the '<' of the next; returns whether it ended with "/>". */
static bool read_attributes(fg_html_t *in, fg_html_element_t *element) {
    fg_str_t *rest = &in->rest;
    bool slash = false;
    while (rest->n > 0 && *rest->p != '>' && *rest->p != '<') {
        slash = *rest->p == '/' || (slash && is_space(*rest->p));
        if (is_space(*rest->p) || *rest->p == '/' || *rest->p == '=') {
            skip(rest, 1);
            continue;
        }
        fg_str_t name = read_name(rest), value = FG_STR("");
        while (rest->n > 0 && is_space(*rest->p))
            skip(rest, 1);
        if (rest->n > 0 && *rest->p == '=') {
            do
                skip(rest, 1);
            while (rest->n > 0 && is_space(*rest->p));
            value = read_value(rest);
            add(in, element, name, value);
        }
    }
    if (rest->n > 0 && *rest->p == '>')
        skip(rest, 1);
    return slash;
}

/* ---- the head */

/* What an opening tag does; true: it is a link or meta element in the head. */
static bool open_tag(fg_html_t *in, const fg_html_element_t *element, bool empty) {
    fg_str_t name = element->name;
    if (fg_str_eq_nocase(name, FG_STR("html"))) {
        in->over = in->in_html || in->in_head;
        in->in_html = true;
    } else if (fg_str_eq_nocase(name, FG_STR("head"))) {
        in->over = in->in_head || empty;
        in->in_head = true;
    } else if (fg_str_eq_nocase(name, FG_STR("body"))) {
        in->over = true;
    } else if (fg_str_eq_nocase(name, FG_STR("script")) && !empty) {
        skip_script(&in->rest);
    }
    return !in->over && in->in_head &&
           (fg_str_eq_nocase(name, FG_STR("link")) || fg_str_eq_nocase(name, FG_STR("meta")));
}

static void close_tag(fg_html_t *in) {
    fg_str_t name = read_name(&in->rest);
    in->over = fg_str_eq_nocase(name, FG_STR("head")) || fg_str_eq_nocase(name, FG_STR("html")) ||
               fg_str_eq_nocase(name, FG_STR("body"));
}

/* At a '<'. */
static bool read_markup(fg_html_t *in, fg_html_element_t *element) {
    fg_str_t *rest = &in->rest;
    if (fg_str_starts(*rest, "<!--")) {
        skip(rest, 4);
        skip_past(rest, "-->");
        return false;
    }
    if (starts_nocase(*rest, "<![CDATA[")) {
        skip_past(rest, "]]>");
        return false;
    }
    if (fg_str_starts(*rest, "<!") || fg_str_starts(*rest, "<?")) {
        skip_past(rest, ">");
        return false;
    }
    bool closing = fg_str_starts(*rest, "</");
    skip(rest, closing ? 2 : 1);
    if (closing) {
        close_tag(in);
        return false;
    }
    *element = (fg_html_element_t){.name = read_name(rest)};
    bool empty = read_attributes(in, element);
    return element->name.n > 0 && open_tag(in, element, empty);
}

bool fg_html_next(fg_html_t *in, fg_html_element_t *element) {
    while (!in->over && in->rest.n > 0) {
        const char *less = memchr(in->rest.p, '<', in->rest.n);
        skip(&in->rest, less ? (size_t)(less - in->rest.p) : in->rest.n);
        if (less != NULL && read_markup(in, element))
            return true;
    }
    return false;
}

fg_str_t fg_html_get(const fg_html_element_t *element, const char *name) {
    for (size_t i = element->count; i > 0; i--)
        if (fg_str_eq_nocase(element->attributes[i - 1].name, fg_str(name)))
            return element->attributes[i - 1].value;
    return FG_STR_NONE;
}
