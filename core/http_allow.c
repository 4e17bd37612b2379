/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where the HTTP client may go: addresses as they are written, and addresses as they are resolved. */
#include <netinet/in.h>
#include <strings.h>

#include "core/http.h"
#include "core/uri.h"

#define HTTPS_PORT 443
#define HTTP_PORT 80

/* ---- as they are written */

typedef struct place {
    bool https;
    fg_str_t host;
    unsigned port;
    fg_str_t path;
} place_t;

/* "." or ".." between slashes, also percent-encoded: who asks and who answers could mean different resources. */
static bool is_dots(fg_str_t segment) {
    size_t dots = 0, i = 0;
    while (i < segment.n) {
        if (segment.p[i] == '.')
            i++;
        else if (segment.n - i >= 3 && strncasecmp(segment.p + i, "%2e", 3) == 0)
            i += 3;
        else
            return false;
        dots++;
    }
    return dots == 1 || dots == 2;
}

static bool has_dot_segment(fg_str_t path) {
    size_t from = 0;
    for (size_t i = 0; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        if (is_dots((fg_str_t){path.p + from, i - from}))
            return true;
        from = i + 1;
    }
    return false;
}

static bool read_place(fg_str_t url, place_t *place) {
    fg_uri_t uri;
    if (!fg_uri_is_web(url) || !fg_uri_parse(url, &uri) || has_dot_segment(uri.path))
        return false;
    place->https = fg_str_eq_nocase(uri.scheme, FG_STR("https"));
    place->host = uri.host;
    place->port = uri.port ? uri.port : place->https ? HTTPS_PORT : HTTP_PORT;
    place->path = uri.path.n > 0 ? uri.path : FG_STR("/");
    return true;
}

/* A wildcard is a whole first label, above at least two others: "*.example.org". */
static bool cut_wildcard(fg_str_t text, char *copy, size_t size, bool *wildcard) {
    const char *star = text.n > 0 ? memchr(text.p, '*', text.n) : NULL;
    *wildcard = star != NULL;
    if (text.n + 1 > size)
        return false;
    size_t head = star ? (size_t)(star - text.p) : text.n;
    memcpy(copy, text.p, head);
    if (star == NULL) {
        copy[head] = '\0';
        return true;
    }
    size_t rest = text.n - head;
    if (head < 3 || memcmp(star - 3, "://", 3) != 0 || rest < 3 || star[1] != '.' || memchr(star + 1, '*', rest - 1))
        return false;
    memcpy(copy + head, star + 2, rest - 2);
    copy[head + rest - 2] = '\0';
    return true;
}

bool fg_http_allow_parse(fg_str_t text, fg_http_allow_t *allow) {
    char copy[1024];
    place_t place;
    fg_uri_t uri;
    if (!cut_wildcard(text, copy, sizeof copy, &allow->wildcard) || !read_place(fg_str(copy), &place) ||
        !fg_uri_parse(fg_str(copy), &uri) || uri.query.p != NULL)
        return false;
    if (allow->wildcard && (memchr(place.host.p, '.', place.host.n) == NULL || place.host.p[0] == '.'))
        return false;
    /* the same stretches of text, which lives longer than the copy */
    size_t shift = allow->wildcard ? 2 : 0;
    allow->https = place.https;
    allow->port = place.port;
    allow->host = (fg_str_t){text.p + (place.host.p - copy) + shift, place.host.n};
    allow->path = FG_STR("/");
    if (uri.path.n > 0)
        allow->path = (fg_str_t){text.p + (uri.path.p - copy) + shift, uri.path.n};
    return true;
}

static bool host_fits(const fg_http_allow_t *allow, fg_str_t host) {
    if (!allow->wildcard)
        return fg_str_eq_nocase(allow->host, host);
    if (host.n < allow->host.n + 2)
        return false;
    size_t head = host.n - allow->host.n;
    return host.p[head - 1] == '.' && fg_str_eq_nocase(allow->host, (fg_str_t){host.p + head, allow->host.n});
}

static bool path_fits(fg_str_t prefix, fg_str_t path) {
    if (path.n < prefix.n || memcmp(path.p, prefix.p, prefix.n) != 0)
        return false;
    return prefix.p[prefix.n - 1] == '/' || path.n == prefix.n || path.p[prefix.n] == '/';
}

fg_http_reach_t fg_http_reach(const fg_http_allow_t *allow, size_t count, fg_str_t url, bool any_host, fg_err_t *err) {
    place_t place;
    fg_http_reach_t reach = FG_HTTP_FORBIDDEN;
    if (!read_place(url, &place)) {
        FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: no plain http or https address", FG_STR_ARG(url));
        return FG_HTTP_FORBIDDEN;
    }
    if (any_host && place.https && place.port == HTTPS_PORT)
        reach = FG_HTTP_PUBLIC;
    for (size_t i = 0; i < count; i++) {
        const fg_http_allow_t *a = &allow[i];
        if (a->https != place.https || a->port != place.port || !host_fits(a, place.host) ||
            !path_fits(a->path, place.path))
            continue;
        if (!a->wildcard)
            return FG_HTTP_ANYWHERE;
        reach = FG_HTTP_PUBLIC;
    }
    if (reach == FG_HTTP_FORBIDDEN)
        FG_FAIL(err, FG_E_FETCH_REFUSED, "%.*s: not among the addresses that fetch { allow } names", FG_STR_ARG(url));
    return reach;
}

/* ---- as they are resolved */

typedef struct network {
    unsigned char bytes[16];
    unsigned bits;
} network_t;

static bool is_in(const unsigned char *address, const network_t *network) {
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(address, network->bytes, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_in_one(const unsigned char *address, const network_t *networks, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_in(address, &networks[i]))
            return true;
    return false;
}

static const network_t special_v4[] = {
    {{0}, 8},             /* this network */
    {{10}, 8},            /* private */
    {{100, 64}, 10},      /* shared (RFC 6598) */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local, metadata services */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarking */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};
static const network_t global_v6 = {{0x20}, 3};
static const network_t special_v6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments; Teredo embeds others */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 embeds IPv4 */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

bool fg_http_is_public(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return !is_in_one((const unsigned char *)&in.sin_addr, special_v4, FG_ARRAY_SIZE(special_v4));
    }
    if (address->sa_family != AF_INET6)
        return false;
    /* mapped and translated IPv4 lies outside the global range */
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    const unsigned char *bytes = in6.sin6_addr.s6_addr;
    return is_in(bytes, &global_v6) && !is_in_one(bytes, special_v6, FG_ARRAY_SIZE(special_v6));
}
