/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/uri.h"

#include <arpa/inet.h>

#define MAX_PARAMS 64u

static bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_one_of(char c, const char *set) { return c != '\0' && strchr(set, c) != NULL; }
static bool is_unreserved(char c) { return is_alpha(c) || is_digit(c) || is_one_of(c, "-._~"); }

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at s[i] means, -1 if there is no whole escape. */
static int escaped_byte(fg_str_t s, size_t i) {
    if (s.n - i < 3)
        return -1;
    int high = hex_digit(s.p[i + 1]), low = hex_digit(s.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* RFC 3986 §2 and §3: unreserved, sub-delims, whole escapes, and what else the component takes. */
static bool is_component(fg_str_t s, const char *also) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            if (escaped_byte(s, i) < 0)
                return false;
            i += 2;
        } else if (!is_unreserved(c) && !is_one_of(c, "!$&'()*+,;=") && !is_one_of(c, also)) {
            return false;
        }
    }
    return true;
}

/* Cuts s before the first of the characters and yields the part before it. */
static fg_str_t cut_before(fg_str_t *s, const char *characters) {
    size_t i = 0;
    while (i < s->n && !is_one_of(s->p[i], characters))
        i++;
    fg_str_t part = {s->p, i};
    s->p += i;
    s->n -= i;
    return part;
}

static fg_str_t skip(fg_str_t s, size_t count) { return (fg_str_t){s.p + count, s.n - count}; }

static bool parse_scheme(fg_str_t *rest, fg_str_t *scheme) {
    *scheme = cut_before(rest, ":/?#");
    if (rest->n == 0 || rest->p[0] != ':' || scheme->n == 0 || !is_alpha(scheme->p[0]))
        return false;
    for (size_t i = 0; i < scheme->n; i++)
        if (!is_alpha(scheme->p[i]) && !is_digit(scheme->p[i]) && !is_one_of(scheme->p[i], "+-."))
            return false;
    *rest = skip(*rest, 1);
    return true;
}

/* 1-65535; "host:" without a number is not worth a second reading by somebody else */
static bool parse_port(fg_str_t text, unsigned *port) {
    *port = 0;
    if (text.n == 0 || text.n > 5)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]))
            return false;
        *port = *port * 10 + (unsigned)(text.p[i] - '0');
    }
    return *port >= 1 && *port <= 65535;
}

static bool is_ipv6(fg_str_t s) {
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET6, text, address) == 1;
}

/* RFC 3986 §3.2 */
static bool parse_authority(fg_str_t text, fg_uri_t *uri) {
    const char *at = text.n > 0 ? memchr(text.p, '@', text.n) : NULL;
    if (at != NULL) {
        uri->userinfo = (fg_str_t){text.p, (size_t)(at - text.p)};
        if (!is_component(uri->userinfo, ":"))
            return false;
        text = skip(text, uri->userinfo.n + 1);
    }
    if (text.n > 0 && text.p[0] == '[') {
        text = skip(text, 1);
        uri->host = cut_before(&text, "]");
        if (text.n == 0 || !is_ipv6(uri->host))
            return false;
        text = skip(text, 1);
    } else {
        uri->host = cut_before(&text, ":");
        if (!is_component(uri->host, ""))
            return false;
    }
    return text.n == 0 || (text.p[0] == ':' && parse_port(skip(text, 1), &uri->port));
}

bool fg_uri_parse(fg_str_t text, fg_uri_t *uri) {
    *uri = (fg_uri_t){0};
    fg_str_t rest = text;
    if (!parse_scheme(&rest, &uri->scheme))
        return false;
    if (fg_str_starts(rest, "//")) {
        rest = skip(rest, 2);
        if (!parse_authority(cut_before(&rest, "/?#"), uri))
            return false;
    }
    uri->path = cut_before(&rest, "?#");
    if (rest.n > 0 && rest.p[0] == '?') {
        rest = skip(rest, 1);
        uri->query = cut_before(&rest, "#");
    }
    if (rest.n > 0)
        uri->fragment = skip(rest, 1);
    return is_component(uri->path, ":@/") && is_component(uri->query, ":@/?") && is_component(uri->fragment, ":@/?");
}

/* A browser decodes escapes in a host and maps other characters: only what means itself passes. */
static bool is_web_host(fg_str_t host) {
    if (is_ipv6(host))
        return true;
    for (size_t i = 0; i < host.n; i++)
        if (!is_alpha(host.p[i]) && !is_digit(host.p[i]) && !is_one_of(host.p[i], "-._"))
            return false;
    return host.n > 0 && host.p[0] != '.';
}

static bool parse_web(fg_str_t text, fg_uri_t *uri) {
    return fg_uri_parse(text, uri) &&
           (fg_str_eq_nocase(uri->scheme, FG_STR("https")) || fg_str_eq_nocase(uri->scheme, FG_STR("http"))) &&
           is_web_host(uri->host) && uri->userinfo.p == NULL && uri->fragment.p == NULL;
}

bool fg_uri_is_web(fg_str_t text) {
    fg_uri_t uri;
    return parse_web(text, &uri);
}

static void put_lower(fg_buf_t *out, fg_str_t s) {
    for (size_t i = 0; i < s.n; i++)
        fg_buf_putc(out, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i]);
}

bool fg_uri_origin(fg_str_t text, fg_buf_t *out) {
    fg_uri_t uri;
    if (!parse_web(text, &uri))
        return false;
    bool ipv6 = memchr(uri.host.p, ':', uri.host.n) != NULL;
    put_lower(out, uri.scheme);
    fg_buf_puts(out, ipv6 ? "://[" : "://");
    put_lower(out, uri.host);
    fg_buf_puts(out, ipv6 ? "]" : "");
    if (uri.port != 0 && uri.port != (uri.scheme.n == 5 ? 443u : 80u))
        fg_buf_printf(out, ":%u", uri.port);
    return fg_buf_ok(out);
}

void fg_uri_encode(fg_buf_t *out, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        if (is_unreserved(text.p[i]))
            fg_buf_putc(out, text.p[i]);
        else
            fg_buf_printf(out, "%%%02X", (unsigned char)text.p[i]);
    }
}

void fg_uri_put_param(fg_buf_t *url, fg_str_t name, fg_str_t value) {
    bool first = url->length == 0 || memchr(url->data, '?', url->length) == NULL;
    fg_buf_putc(url, first ? '?' : '&');
    fg_uri_encode(url, name);
    fg_buf_putc(url, '=');
    fg_uri_encode(url, value);
}

static bool decode_form(fg_arena_t *arena, fg_str_t text, fg_str_t *decoded, fg_err_t *err) {
    char *to = fg_arena_alloc(arena, text.n + 1);
    if (to == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "parameters");
    *decoded = (fg_str_t){to, 0};
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i] == '+' ? ' ' : text.p[i];
        if (c == '%') {
            int byte = escaped_byte(text, i);
            if (byte < 0)
                return FG_FAIL(err, FG_E_HTTP_REQUEST, "malformed percent escape in the parameters");
            c = (char)byte;
            i += 2;
        }
        to[decoded->n++] = c;
    }
    if (!fg_str_is_utf8(*decoded))
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "parameter with NUL or not in UTF-8");
    return true;
}

static bool add_param(fg_arena_t *arena, fg_str_t pair, fg_params_t *params, fg_err_t *err) {
    if (params->count == MAX_PARAMS)
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "more than %u parameters", MAX_PARAMS);
    fg_str_t name = cut_before(&pair, "=");
    fg_str_t value = pair.n > 0 ? skip(pair, 1) : pair;
    fg_param_t *param = &params->items[params->count++];
    return decode_form(arena, name, &param->name, err) && decode_form(arena, value, &param->value, err);
}

bool fg_params_parse(fg_arena_t *arena, fg_str_t text, fg_params_t *params, fg_err_t *err) {
    params->count = 0;
    params->items = fg_arena_alloc(arena, MAX_PARAMS * sizeof *params->items);
    if (params->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "parameters");
    while (text.n > 0) {
        fg_str_t pair = cut_before(&text, "&");
        if (pair.n > 0 && !add_param(arena, pair, params, err))
            return false;
        if (text.n > 0)
            text = skip(text, 1);
    }
    return true;
}

fg_str_t fg_params_get(const fg_params_t *params, const char *name, size_t *times) {
    fg_str_t value = FG_STR_NONE;
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++)
        if (fg_str_is(params->items[i].name, name) && count++ == 0)
            value = params->items[i].value;
    if (times != NULL)
        *times = count;
    return value;
}
