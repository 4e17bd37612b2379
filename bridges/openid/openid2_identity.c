/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The provider's discovery (OpenID Authentication 2.0 §7.3): the OP Identifier and everybody's identifier, as XRDS or
 * as a page with links.  Every name has a page: which names there are is nobody's business. */
#include "bridges/openid/openid2.h"
#include "bridges/openid/openid2_discover.h"
#include "hub/issue.h"
#include "hub/name_id.h"

#define XRDS_QUERY "xrds"
#define XRDS_MAX (16u << 10)
#define NAME_LIMIT 256u
#define DIRECTED '~' /* begins the names of those that have none of their own here */

fg_str_t fg_openid2_url(fg_exchange_t *ex, const char *path) {
    fg_str_t base = ex->hub->base_url;
    return fg_str(fg_arena_printf(ex->arena, "%.*s%s", (int)base.n, base.p, path));
}

/* ---- names */

static fg_str_t identity_url(fg_exchange_t *ex, fg_str_t name) {
    fg_buf_t url = FG_BUF_INIT(4096);
    fg_buf_put_str(&url, fg_openid2_url(ex, FG_OPENID2_IDENTITY));
    fg_uri_encode(&url, name);
    fg_str_t copy = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

/* One word: what stands in an address is shown on a page, which is no place for whole sentences. */
static bool is_name(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == '/' || name.p[i] == 127)
            return false;
    return name.n > 0 && name.n <= NAME_LIMIT && fg_str_is_utf8(name);
}

/* Of the first directory's people, whose names are nobody else's: a partner's people could be called anything. */
static fg_str_t own_name(const fg_exchange_t *ex, const fg_session_t *session) {
    static const char *const types[] = {FG_CLAIM_UPN, FG_CLAIM_WINDOWSACCOUNTNAME, FG_CLAIM_NAME};
    const fg_home_realm_t *first = fg_hub_default_home_realm(ex->hub);
    if (first == NULL || !fg_str_eq(first->uri, session->home_realm))
        return FG_STR_NONE;
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        const fg_claim_t *claim = fg_claims_get(&session->identity.claims, types[i]);
        if (claim != NULL && is_name(claim->value) && claim->value.p[0] != DIRECTED)
            return claim->value;
    }
    return FG_STR_NONE;
}

bool fg_openid2_identity_make(fg_exchange_t *ex, const fg_openid2_party_t *party, fg_str_t realm,
                              const fg_session_t *session, fg_str_t *url, fg_err_t *err) {
    fg_str_t name = party->pairwise ? FG_STR_NONE : own_name(ex, session), word;
    if (name.n == 0) {
        fg_str_t sector = party->pairwise ? realm : FG_STR(FG_OPENID2_PROTOCOL);
        if (!fg_pairwise_name(ex, &session->identity, sector, &word, err))
            return false;
        name = fg_str(fg_arena_printf(ex->arena, "%c%.*s", DIRECTED, (int)word.n, word.p));
    }
    *url = name.p ? identity_url(ex, name) : FG_STR_NONE;
    return url->p != NULL || FG_FAIL(err, FG_E_MEMORY, "an identifier");
}

fg_str_t fg_openid2_identity_name(fg_exchange_t *ex, fg_str_t url) {
    fg_str_t prefix = fg_openid2_url(ex, FG_OPENID2_IDENTITY);
    if (prefix.p == NULL || url.n <= prefix.n || memcmp(url.p, prefix.p, prefix.n) != 0)
        return FG_STR_NONE;
    fg_str_t name = {url.p + prefix.n, url.n - prefix.n}, value;
    if (name.n > 3 * NAME_LIMIT || memchr(name.p, '&', name.n) || memchr(name.p, '/', name.n) ||
        memchr(name.p, '?', name.n) || memchr(name.p, '+', name.n))
        return FG_STR_NONE;
    /* the one reader of escapes there is */
    fg_str_t text = fg_str(fg_arena_printf(ex->arena, "n=%.*s", (int)name.n, name.p));
    fg_params_t params;
    if (text.p == NULL || !fg_params_parse(ex->arena, text, &params, NULL) || params.count != 1)
        return FG_STR_NONE;
    value = params.items[0].value;
    return value.n <= NAME_LIMIT ? value : FG_STR_NONE;
}

/* ---- documents */

static const char *const extensions[] = {
    "http://openid.net/extensions/sreg/1.1",
    "http://openid.net/sreg/1.0",
    "http://openid.net/srv/ax/1.0",
    "http://specs.openid.net/extensions/pape/1.0",
    "http://specs.openid.net/extensions/ui/1.0/mode/popup",
    "http://specs.openid.net/extensions/ui/1.0/lang-pref",
};
_Static_assert(FG_ARRAY_SIZE(extensions) + 2 <= FG_XRDS_TYPES, "a service has room for them");

static fg_xrds_service_t make_service(fg_exchange_t *ex, const char *const *types, size_t count, fg_str_t local_id) {
    fg_xrds_service_t service = {.uri = fg_openid2_url(ex, FG_OPENID2_ENDPOINT), .local_id = local_id};
    for (size_t i = 0; i < count; i++)
        service.types[service.type_count++] = fg_str(types[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(extensions); i++)
        service.types[service.type_count++] = fg_str(extensions[i]);
    return service;
}

static fg_step_t answer_xrds(fg_exchange_t *ex, fg_str_t identity) {
    static const char *const server[] = {FG_OPENID2_TYPE_SERVER}, *const signon[] = {FG_OPENID2_TYPE_SIGNON};
    static const char *const old[] = {FG_OPENID2_TYPE_SIGNON_1_1, FG_OPENID2_TYPE_SIGNON_1_0};
    fg_buf_t xml = FG_BUF_INIT(XRDS_MAX);
    fg_xw_t w;
    bool person = identity.n > 0;
    const fg_xrds_service_t services[] = {make_service(ex, person ? signon : server, 1, identity),
                                          make_service(ex, old, 2, identity)};
    fg_xw_init(&w, &xml);
    fg_buf_puts(&xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    fg_xrds_write(&w, services, person ? 2 : 1);
    if (fg_xw_ok(&w) && fg_buf_ok(&xml))
        fg_response_body(ex, 200, FG_XRDS_MEDIA_TYPE, fg_buf_str(&xml));
    fg_response_header(ex, "Cache-Control", FG_STR("max-age=3600"));
    fg_response_header(ex, "Vary", FG_STR("Accept"));
    fg_buf_free(&xml);
    return FG_STEP_DONE;
}

/* Yadis 1.0 §6.2.5: the page says where the document is, in a header and in itself (HTML discovery, §7.3.3). */
static fg_step_t answer_page(fg_exchange_t *ex, fg_str_t url, fg_str_t identity, fg_str_t name) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t endpoint = fg_openid2_url(ex, FG_OPENID2_ENDPOINT);
    fg_str_t xrds = fg_str(fg_arena_printf(ex->arena, "%.*s?" XRDS_QUERY, (int)url.n, url.p));
    json_t *model = NULL;
    if (endpoint.p != NULL && xrds.p != NULL)
        model = json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%}", "url", url.p, url.n, "name", name.p ? name.p : "", name.n,
                          "endpoint", endpoint.p, endpoint.n, "identity", identity.p ? identity.p : "", identity.n,
                          "xrds", xrds.p, xrds.n);
    if (model == NULL || !ex->hub->render(ex, 200, "identity", model)) {
        FG_FAIL(&err, FG_E_INTERNAL, "page identity could not be made");
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    fg_response_header(ex, "X-XRDS-Location", xrds);
    fg_response_header(ex, "Vary", FG_STR("Accept"));
    return FG_STEP_DONE;
}

/* Yadis 1.0 §6.2.4: Accept names the media type, and likes a page no better. */
static bool wants_xrds(const fg_exchange_t *ex) {
    fg_str_t accept = fg_request_header(&ex->request, "accept", NULL);
    unsigned xrds = fg_openid2_accept_quality(accept, FG_XRDS_MEDIA_TYPE, true);
    return fg_str_is(ex->request.query, XRDS_QUERY) ||
           (xrds > 0 && xrds >= fg_openid2_accept_quality(accept, "text/html", false));
}

fg_step_t fg_openid2_identity(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t path = ex->request.path, name = FG_STR_NONE, url = fg_openid2_url(ex, FG_OPENID2_PATH);
    size_t head = sizeof FG_OPENID2_IDENTITY - 1;
    if (fg_str_starts(path, FG_OPENID2_IDENTITY)) {
        name = (fg_str_t){path.p + head, path.n - head};
        if (!is_name(name)) {
            FG_FAIL(&err, FG_E_HTTP_NOT_FOUND, "no name of a person");
            fg_response_error_page(ex, &err);
            return FG_STEP_DONE;
        }
        url = identity_url(ex, name);
    }
    if (url.p == NULL) {
        FG_FAIL(&err, FG_E_MEMORY, "an identity page");
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    fg_str_t identity = name.n > 0 ? url : FG_STR_NONE;
    return wants_xrds(ex) ? answer_xrds(ex, identity) : answer_page(ex, url, identity, name);
}
