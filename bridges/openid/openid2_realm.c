/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_realm.h"

#include "core/err.h"

#define URL_MAX 4096u

/* ---- addresses in pieces.  Looser than core/uri.h, as people and partners write them: an empty port, no path, dot
 * segments.  What comes of it is held against that one in the end. */

typedef struct pieces {
    bool https;
    fg_str_t host; /* with the brackets of an IPv6 literal */
    fg_str_t port; /* digits; .n 0: none */
    fg_str_t path;
    fg_str_t query; /* .p NULL: none */
    bool fragment;
} pieces_t;

static fg_str_t cut(fg_str_t *rest, const char *ends) {
    size_t i = 0;
    while (i < rest->n && (rest->p[i] == '\0' || strchr(ends, rest->p[i]) == NULL))
        i++;
    fg_str_t head = {rest->p, i};
    *rest = (fg_str_t){rest->p + i, rest->n - i};
    return head;
}

static bool starts_nocase(fg_str_t s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.n >= n && fg_str_eq_nocase((fg_str_t){s.p, n}, fg_str(prefix));
}

static bool split(fg_str_t text, pieces_t *out) {
    *out = (pieces_t){.https = starts_nocase(text, "https://")};
    if (!out->https && !starts_nocase(text, "http://"))
        return false;
    size_t head = out->https ? 8 : 7;
    fg_str_t rest = {text.p + head, text.n - head}, authority = cut(&rest, "/?#");
    bool literal = authority.n > 0 && authority.p[0] == '[';
    const char *end = literal ? memchr(authority.p, ']', authority.n) : NULL;
    if (literal && end == NULL)
        return false;
    fg_str_t port = authority;
    out->host = literal ? (fg_str_t){authority.p, (size_t)(end + 1 - authority.p)} : cut(&port, ":");
    port = (fg_str_t){authority.p + out->host.n, authority.n - out->host.n};
    if (port.n > 0 && port.p[0] != ':')
        return false;
    out->port = port.n > 1 ? (fg_str_t){port.p + 1, port.n - 1} : FG_STR("");
    out->path = cut(&rest, "?#");
    if (rest.n > 0 && *rest.p == '?') {
        rest = (fg_str_t){rest.p + 1, rest.n - 1};
        out->query = cut(&rest, "#");
    }
    out->fragment = rest.n > 0;
    return true;
}

static bool read_port(const pieces_t *in, unsigned *port) {
    *port = in->https ? 443 : 80;
    if (in->port.n == 0)
        return true;
    *port = 0;
    for (size_t i = 0; i < in->port.n; i++) {
        if (in->port.p[i] < '0' || in->port.p[i] > '9' || i >= 5)
            return false;
        *port = *port * 10 + (unsigned)(in->port.p[i] - '0');
    }
    return *port >= 1 && *port <= 65535;
}

/* ---- normal form (RFC 3986 §6.2.2) */

static int hex_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_unreserved(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c > 0 && c < 128 && strchr("-._~", c) != NULL);
}

/* Escapes in upper case, and none of what means itself. */
static bool put_escaped(fg_buf_t *out, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%') {
            fg_buf_putc(out, text.p[i]);
            continue;
        }
        int high = i + 2 < text.n ? hex_of(text.p[i + 1]) : -1, low = high >= 0 ? hex_of(text.p[i + 2]) : -1;
        if (low < 0)
            return false;
        int byte = high << 4 | low;
        if (is_unreserved(byte))
            fg_buf_putc(out, (char)byte);
        else
            fg_buf_printf(out, "%%%02X", (unsigned)byte);
        i += 2;
    }
    return true;
}

/* RFC 3986 §5.2.4, segment by segment; path begins with '/' or is empty. */
static void put_without_dots(fg_buf_t *out, fg_str_t path) {
    size_t root = out->length;
    while (path.n > 0) {
        fg_str_t rest = {path.p + 1, path.n - 1}, segment = cut(&rest, "/");
        path = rest;
        bool one = fg_str_is(segment, "."), two = fg_str_is(segment, "..");
        while (two && out->length > root && out->data[--out->length] != '/')
            continue;
        if (!one && !two) {
            fg_buf_putc(out, '/');
            fg_buf_put_str(out, segment);
        } else if (path.n == 0) {
            fg_buf_putc(out, '/');
        }
    }
    if (out->length == root)
        fg_buf_putc(out, '/');
}

static void put_lower(fg_buf_t *out, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++)
        fg_buf_putc(out, text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i]);
}

static bool write_normal(fg_buf_t *out, const pieces_t *in, unsigned port) {
    fg_buf_t path = FG_BUF_INIT(URL_MAX);
    fg_buf_puts(out, in->https ? "https://" : "http://");
    put_lower(out, in->host);
    if (port != (in->https ? 443 : 80))
        fg_buf_printf(out, ":%u", port);
    bool good = put_escaped(&path, in->path);
    if (good)
        put_without_dots(out, fg_buf_str(&path));
    good = good && fg_buf_ok(&path);
    fg_buf_free(&path);
    if (good && in->query.p != NULL) {
        fg_buf_putc(out, '?');
        good = put_escaped(out, in->query);
    }
    return good && fg_buf_ok(out);
}

bool fg_openid2_url_normal(fg_str_t url, fg_buf_t *out) {
    pieces_t in;
    unsigned port;
    size_t before = out->length;
    if (url.n > URL_MAX || !split(url, &in) || !read_port(&in, &port) || !write_normal(out, &in, port))
        return false;
    return fg_uri_is_web((fg_str_t){out->data + before, out->length - before});
}

/* §7.2: what begins as an XRI is one. */
static bool is_xri(fg_str_t text) {
    return starts_nocase(text, "xri://") || (text.n > 0 && text.p[0] != '\0' && strchr("=@+$!(", text.p[0]) != NULL);
}

bool fg_openid2_identifier_normal(fg_str_t text, fg_buf_t *out) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    text = fg_str_trim(text);
    if (text.n == 0 || is_xri(text))
        return false;
    if (!starts_nocase(text, "http://") && !starts_nocase(text, "https://")) {
        fg_str_t rest = text;
        (void)cut(&rest, "/:?#");
        if (fg_str_starts(rest, "://")) /* an address of another kind */
            return false;
        fg_buf_puts(&url, "http://");
    }
    fg_buf_put_str(&url, text);
    bool good = fg_buf_ok(&url) && fg_openid2_url_normal(fg_buf_str(&url), out);
    fg_buf_free(&url);
    return good;
}

/* ---- realms */

static bool is_host(fg_str_t host, bool wildcard) {
    if (host.n > 0 && host.p[0] == '[')
        return !wildcard;
    for (size_t i = 0; i < host.n; i++)
        if (!is_unreserved(host.p[i]) || host.p[i] == '~')
            return false;
    return host.n > 0 ? host.p[0] != '.' : wildcard;
}

static bool is_path(fg_str_t path) {
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= ' ' || path.p[i] >= 127 || strchr("\\<>\"{}|^`", path.p[i]) != NULL)
            return false;
    return true;
}

bool fg_openid2_realm_parse(fg_str_t text, fg_openid2_realm_t *realm) {
    pieces_t in;
    *realm = (fg_openid2_realm_t){.https = false};
    if (text.n > URL_MAX || !split(text, &in) || in.fragment || !read_port(&in, &realm->port))
        return false;
    realm->https = in.https;
    realm->wildcard = fg_str_is(in.host, "*") || fg_str_starts(in.host, "*.");
    size_t star = !realm->wildcard ? 0 : in.host.n == 1 ? 1 : 2;
    realm->host = (fg_str_t){in.host.p + star, in.host.n - star};
    realm->path = in.path.n > 0 || in.query.p != NULL
                      ? (fg_str_t){in.path.p, in.path.n + (in.query.p ? in.query.n + 1 : 0)}
                      : FG_STR("/");
    return is_host(realm->host, realm->wildcard) && is_path(realm->path);
}

/* The last part of a host, cut off. */
static fg_str_t last_label(fg_str_t *host) {
    size_t i = host->n;
    while (i > 0 && host->p[i - 1] != '.')
        i--;
    fg_str_t label = {host->p + i, host->n - i};
    host->n = i > 0 ? i - 1 : 0;
    return label;
}

/* Without a list of the public suffixes: two labels, or three where the second one from the right looks like a
 * registry's own below a country ("co.uk"). */
bool fg_openid2_realm_is_sane(const fg_openid2_realm_t *realm) {
    fg_str_t host = realm->host;
    if (!realm->wildcard)
        return true;
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    fg_str_t top = last_label(&host), second = last_label(&host), third = last_label(&host);
    if (top.n == 0 || second.n == 0)
        return false;
    return top.n > 2 || second.n > 3 || third.n > 0;
}

static bool host_fits(const fg_openid2_realm_t *realm, fg_str_t host) {
    if (fg_str_eq_nocase(realm->host, host) || (realm->wildcard && realm->host.n == 0))
        return true;
    if (!realm->wildcard || host.n < realm->host.n + 2)
        return false;
    size_t head = host.n - realm->host.n;
    return host.p[head - 1] == '.' && fg_str_eq_nocase(realm->host, (fg_str_t){host.p + head, realm->host.n});
}

/* Up to a border between segments of the path, or between parameters where the realm has some. */
static bool path_fits(fg_str_t prefix, fg_str_t path) {
    if (path.n < prefix.n || memcmp(path.p, prefix.p, prefix.n) != 0)
        return false;
    if (path.n == prefix.n)
        return true;
    const char *borders = memchr(prefix.p, '?', prefix.n) != NULL ? "&" : "?/";
    return strchr(borders, prefix.p[prefix.n - 1]) != NULL || strchr(borders, path.p[prefix.n]) != NULL;
}

/* In normal form, as a browser goes to it: "/a/../b" is not below "/a". */
bool fg_openid2_realm_has(const fg_openid2_realm_t *realm, fg_str_t url) {
    fg_openid2_realm_t place;
    fg_buf_t normal = FG_BUF_INIT(URL_MAX);
    bool has = fg_openid2_url_normal(url, &normal) && fg_openid2_realm_parse(fg_buf_str(&normal), &place) &&
               !place.wildcard && place.https == realm->https && place.port == realm->port &&
               host_fits(realm, place.host) && path_fits(realm->path, place.path);
    fg_buf_free(&normal);
    return has;
}

bool fg_openid2_realm_eq(fg_str_t a, fg_str_t b) {
    fg_openid2_realm_t x, y;
    return fg_openid2_realm_parse(a, &x) && fg_openid2_realm_parse(b, &y) && x.https == y.https &&
           x.wildcard == y.wildcard && x.port == y.port && fg_str_eq_nocase(x.host, y.host) &&
           fg_str_eq(x.path, y.path);
}
