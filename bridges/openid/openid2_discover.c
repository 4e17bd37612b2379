/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_discover.h"

#include "bridges/openid/openid2_html.h"
#include "bridges/openid/openid2_realm.h"
#include "core/http.h"
#include "hub/errand.h"

#define DOCUMENT_MAX (256u << 10) /* O2-09 */
#define REDIRECTS 4u
#define LOCATION "X-XRDS-Location"
#define ACCEPT FG_XRDS_MEDIA_TYPE ", text/html;q=0.5, application/xhtml+xml;q=0.5"

/* ---- fetching */

typedef struct document {
    bool any_host;
    unsigned redirects;
    fg_http_response_t response;
} document_t;

static bool is_https(fg_str_t url) { return url.n > 6 && fg_str_eq_nocase((fg_str_t){url.p, 6}, FG_STR("https:")); }

static bool fetch(fg_exchange_t *ex, fg_str_t url, document_t *doc, fg_err_t *err) {
    const fg_http_field_t accept = {FG_STR("Accept"), FG_STR(ACCEPT)};
    const fg_http_request_t request = {
        .url = url,
        .headers = &accept,
        .header_count = 1,
        .body_max = DOCUMENT_MAX,
        .redirects = doc->redirects,
        .any_host = doc->any_host,
    };
    if (!fg_http_fetch(ex->env, ex->arena, &request, &doc->response, err))
        return false;
    if (doc->response.status != 200)
        return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "%.*s: HTTP status %d", FG_STR_ARG(url), doc->response.status);
    /* what a secure address says is not to be said by one that anybody on the way can change */
    return !is_https(url) || is_https(doc->response.url) ||
           FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "%.*s leads to %.*s", FG_STR_ARG(url), FG_STR_ARG(doc->response.url));
}

static bool is_xrds(const fg_http_response_t *response) {
    fg_str_t type = fg_http_header(response, "Content-Type");
    const char *end = type.n > 0 ? memchr(type.p, ';', type.n) : NULL;
    fg_str_t word = fg_str_trim((fg_str_t){type.p, end ? (size_t)(end - type.p) : type.n});
    return fg_str_eq_nocase(word, FG_STR(FG_XRDS_MEDIA_TYPE));
}

/* Yadis 1.0 §6.2.5: the document itself, or where it is, in a header or in the page; one step, no chain. */
static bool find_xrds(fg_exchange_t *ex, document_t *doc, fg_str_t *xrds, fg_err_t *err) {
    const fg_http_response_t *page = &doc->response;
    *xrds = is_xrds(page) ? page->body : FG_STR_NONE;
    if (xrds->p != NULL)
        return true;
    fg_str_t location = fg_str_trim(fg_http_header(page, LOCATION));
    if (location.n == 0)
        location = fg_str_trim(fg_openid2_xrds_location(ex->arena, page->body));
    if (location.n == 0)
        return true;
    document_t other = {.any_host = doc->any_host, .redirects = doc->redirects};
    bool weaker = is_https(page->url) && !is_https(location);
    if (!fg_uri_is_web(location) || weaker)
        return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, LOCATION " \"%.*s\"", FG_STR_ARG(location));
    if (!fetch(ex, location, &other, err))
        return false;
    *xrds = other.response.body;
    return true;
}

/* ---- what documents say */

static void add(fg_openid2_services_t *services, const fg_openid2_service_t *service) {
    if (services->count < FG_ARRAY_SIZE(services->items) && fg_uri_is_web(service->endpoint))
        services->items[services->count++] = *service;
}

/* §7.3.2.2: an OP Identifier before somebody's own, 2.0 before what was before it. */
static const struct {
    const char *type;
    bool server, v2;
} kinds[] = {{FG_OPENID2_TYPE_SERVER, true, true},
             {FG_OPENID2_TYPE_SIGNON, false, true},
             {FG_OPENID2_TYPE_SIGNON_1_1, false, false},
             {FG_OPENID2_TYPE_SIGNON_1_0, false, false}};

bool fg_openid2_services_of_xrds(const fg_xrds_t *xrds, fg_str_t url, fg_openid2_services_t *services, fg_err_t *err) {
    services->count = 0;
    for (size_t k = 0; k < FG_ARRAY_SIZE(kinds); k++)
        for (size_t i = 0; i < xrds->count; i++) {
            const fg_xrds_service_t *said = &xrds->services[i];
            bool again = k == 3 && fg_xrds_service_is(said, FG_OPENID2_TYPE_SIGNON_1_1);
            if (!fg_xrds_service_is(said, kinds[k].type) || again)
                continue;
            if (said->local_ids_differ && !kinds[k].server)
                return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "a service with two local identifiers");
            const fg_openid2_service_t service = {
                .endpoint = said->uri,
                .claimed_id = kinds[k].server ? FG_STR_NONE : url,
                .local_id = kinds[k].server        ? FG_STR_NONE
                            : said->local_id.n > 0 ? said->local_id
                                                   : url,
                .v2 = kinds[k].v2,
            };
            add(services, &service);
        }
    return true;
}

/* rel is a list of words. */
static bool has_rel(fg_str_t rel, const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= rel.n; i++) {
        bool starts = i == 0 || strchr(" \t\r\n", rel.p[i - 1]) != NULL;
        bool ends = i + n == rel.n || strchr(" \t\r\n", rel.p[i + n]) != NULL;
        if (starts && ends && fg_str_eq_nocase((fg_str_t){rel.p + i, n}, fg_str(word)))
            return true;
    }
    return false;
}

/* §7.3.3, §14.2.1 */
void fg_openid2_services_of_html(fg_arena_t *arena, fg_str_t html, fg_str_t url, fg_openid2_services_t *services) {
    static const char *const rels[2][2] = {{"openid2.provider", "openid2.local_id"},
                                           {"openid.server", "openid.delegate"}};
    fg_str_t found[2][2] = {{FG_STR_NONE, FG_STR_NONE}, {FG_STR_NONE, FG_STR_NONE}};
    fg_html_t in = fg_html_begin(arena, html);
    fg_html_element_t element;
    while (fg_html_next(&in, &element)) {
        fg_str_t rel = fg_html_get(&element, "rel"), href = fg_str_trim(fg_html_get(&element, "href"));
        for (size_t i = 0; i < 4 && in.in_html && fg_str_eq_nocase(element.name, FG_STR("link")); i++)
            if (has_rel(rel, rels[i / 2][i % 2]) && found[i / 2][i % 2].p == NULL)
                found[i / 2][i % 2] = href;
    }
    services->count = 0;
    for (size_t i = 0; i < 2; i++) {
        const fg_openid2_service_t service = {found[i][0], url, found[i][1].n > 0 ? found[i][1] : url, i == 0};
        if (found[i][0].n > 0)
            add(services, &service);
    }
}

fg_str_t fg_openid2_xrds_location(fg_arena_t *arena, fg_str_t html) {
    fg_html_t in = fg_html_begin(arena, html);
    fg_html_element_t element;
    while (fg_html_next(&in, &element))
        if (fg_str_eq_nocase(element.name, FG_STR("meta")) &&
            fg_str_eq_nocase(fg_html_get(&element, "http-equiv"), FG_STR(LOCATION)))
            return fg_html_get(&element, "content");
    return FG_STR_NONE;
}

/* ---- an identifier */

/* §7.2.4: the address that redirects lead to is the Claimed Identifier. */
static bool final_url(fg_exchange_t *ex, const fg_http_response_t *response, fg_str_t *url, fg_err_t *err) {
    fg_buf_t normal = FG_BUF_INIT(4096);
    bool good = fg_openid2_url_normal(response->url, &normal);
    *url = good ? fg_arena_str(ex->arena, fg_buf_str(&normal)) : FG_STR_NONE;
    fg_buf_free(&normal);
    return url->p != NULL || FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "address \"%.*s\"", FG_STR_ARG(response->url));
}

bool fg_openid2_discover(fg_exchange_t *ex, fg_str_t identifier, bool any_host, fg_openid2_services_t *services,
                         fg_err_t *err) {
    document_t doc = {.any_host = any_host, .redirects = REDIRECTS};
    fg_xrds_t *xrds = fg_arena_alloc(ex->arena, sizeof *xrds);
    fg_str_t url, bytes;
    fg_err_t why = FG_ERR_INIT;
    services->count = 0;
    if (xrds == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "discovery");
    if (!fetch(ex, identifier, &doc, err) || !final_url(ex, &doc.response, &url, err))
        return false;
    bool yadis = find_xrds(ex, &doc, &bytes, &why);
    if (yadis && bytes.p != NULL)
        yadis = fg_xrds_read(ex->arena, bytes, xrds, &why) && fg_openid2_services_of_xrds(xrds, url, services, &why);
    /* §7.3: where Yadis finds nothing, the page's own links are tried */
    if (services->count == 0 && !is_xrds(&doc.response))
        fg_openid2_services_of_html(ex->arena, doc.response.body, url, services);
    return services->count > 0 || FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "%.*s: no OpenID service (%s)",
                                          FG_STR_ARG(identifier), yadis ? "none is named" : why.detail);
}

/* ---- a relying party (§9.2.1, §13) */

/* A wildcard stands for "www" here. */
static fg_str_t realm_url(fg_exchange_t *ex, fg_str_t realm) {
    const char *star = memmem(realm.p, realm.n, "://*.", 5);
    if (star == NULL)
        return realm;
    size_t head = (size_t)(star - realm.p) + 3, tail = head + 1;
    return fg_str(fg_arena_printf(ex->arena, "%.*swww%.*s", (int)head, realm.p, (int)(realm.n - tail), realm.p + tail));
}

bool fg_openid2_check_return(fg_exchange_t *ex, fg_str_t realm, fg_str_t return_to, fg_err_t *err) {
    document_t doc = {.any_host = true, .redirects = 0}; /* §9.2.1: not elsewhere */
    fg_xrds_t *xrds = fg_arena_alloc(ex->arena, sizeof *xrds);
    fg_str_t url = realm_url(ex, realm), bytes;
    fg_openid2_realm_t place;
    if (xrds == NULL || url.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "discovery");
    if (!fetch(ex, url, &doc, err) || !find_xrds(ex, &doc, &bytes, err))
        return fg_err_prefix(err, "realm \"%.*s\"", FG_STR_ARG(realm));
    if (bytes.p == NULL)
        return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "realm \"%.*s\" has no XRDS document", FG_STR_ARG(realm));
    if (!fg_xrds_read(ex->arena, bytes, xrds, err))
        return false;
    for (size_t i = 0; i < xrds->count; i++)
        if (fg_xrds_service_is(&xrds->services[i], FG_OPENID2_TYPE_RETURN) &&
            fg_openid2_realm_parse(xrds->services[i].uri, &place) && !place.wildcard &&
            fg_openid2_realm_has(&place, return_to))
            return true;
    return FG_FAIL(err, FG_E_OPENID2_DISCOVERY, "realm \"%.*s\" does not name return_to \"%.*s\"", FG_STR_ARG(realm),
                   FG_STR_ARG(return_to));
}

/* ---- Accept */

static fg_str_t cut(fg_str_t *rest, char end) {
    const char *found = rest->n > 0 ? memchr(rest->p, end, rest->n) : NULL;
    fg_str_t head = {rest->p, found ? (size_t)(found - rest->p) : rest->n};
    size_t taken = head.n + (found != NULL);
    *rest = (fg_str_t){rest->p + taken, rest->n - taken};
    return fg_str_trim(head);
}

/* "q=0.5" in thousandths; what cannot be read counts as whole. */
static unsigned read_quality(fg_str_t params) {
    while (params.n > 0) {
        fg_str_t param = cut(&params, ';');
        if (param.n < 3 || (param.p[0] | 32) != 'q' || param.p[1] != '=')
            continue;
        unsigned value = param.p[2] == '1' ? 1000 : 0, digit = 100;
        for (size_t i = 4; value == 0 && i < param.n && param.p[i] >= '0' && param.p[i] <= '9'; i++, digit /= 10)
            value += (unsigned)(param.p[i] - '0') * digit;
        return value;
    }
    return 1000;
}

/* How much a range says about a type: "text/html" more than text and any, that more than any and any. */
static unsigned fits_range(fg_str_t range, const char *type) {
    size_t head = (size_t)(strchr(type, '/') - type) + 1;
    if (fg_str_eq_nocase(range, fg_str(type)))
        return 3;
    if (range.n == head + 1 && range.p[head] == '*' &&
        fg_str_eq_nocase((fg_str_t){range.p, head}, (fg_str_t){type, head}))
        return 2;
    return fg_str_is(range, "*/*") ? 1 : 0;
}

unsigned fg_openid2_accept_quality(fg_str_t accept, const char *type, bool named) {
    unsigned best = 0, depth = 0; /* the range that says the most about the type counts */
    while (accept.n > 0) {
        fg_str_t params = cut(&accept, ','), range = cut(&params, ';');
        unsigned fits = fits_range(range, type);
        if (named && fits < 3)
            continue;
        if (fits > depth)
            best = 0;
        if (fits > 0 && fits >= depth) {
            unsigned quality = read_quality(params);
            depth = fits;
            best = quality > best ? quality : best;
        }
    }
    return best;
}
