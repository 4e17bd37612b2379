/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a provider publishes of itself: metadata (Discovery 1.0 §4) and keys (RFC 7517 §5), fetched when they are
 * needed, kept as long as HTTP says, and longer where it cannot be had again. */
#include <stdlib.h>

#include "bridges/openid/fetched.h"
#include "bridges/openid/provider.h"
#include "core/json.h"
#include "token/jws.h"

struct fg_openid_upstream {
    fg_fetched_t *metadata;
    fg_fetched_t *keys;
};

fg_openid_upstream_t *fg_openid_upstream_new(void) {
    fg_openid_upstream_t *upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL)
        return NULL;
    *upstream = (fg_openid_upstream_t){fg_fetched_new(), fg_fetched_new()};
    if (upstream->metadata != NULL && upstream->keys != NULL)
        return upstream;
    fg_openid_upstream_free(upstream);
    return NULL;
}

void fg_openid_upstream_free(fg_openid_upstream_t *upstream) {
    if (upstream == NULL)
        return;
    fg_fetched_free(upstream->metadata);
    fg_fetched_free(upstream->keys);
    free(upstream);
}

/* Files by issuer as well: two sections may share an address, not a document. */
static bool get(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_fetched_t *memory,
                fg_fetched_query_t *query, fg_str_t *text, bool *asked, fg_err_t *err) {
    const fg_str_t parts[] = {provider->issuer, FG_STR(" "), query->url};
    query->file = fg_fetched_file(ex, query->what, fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts)));
    query->whose = fg_arena_printf(ex->arena, "identity provider \"%s\"", provider->name);
    query->context = provider;
    if (query->file == NULL || query->whose == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "%s", query->what);
    return fg_fetched_get(ex, memory, query, text, asked, err);
}

/* ---- metadata */

static bool is_https(fg_str_t url) { return fg_str_starts(url, "https://") && fg_uri_is_web(url); }

static bool read_metadata(fg_arena_t *arena, const fg_identity_provider_t *provider, fg_str_t text,
                          fg_openid_metadata_t *metadata, fg_err_t *err) {
    const struct {
        const char *name;
        fg_str_t *field;
        bool required;
    } addresses[] = {
        {"authorization_endpoint", &metadata->authorization_endpoint, true},
        {"token_endpoint", &metadata->token_endpoint, true},
        {"jwks_uri", &metadata->jwks_uri, true},
        {"userinfo_endpoint", &metadata->userinfo_endpoint, false},
        {"revocation_endpoint", &metadata->revocation_endpoint, false},
        {"end_session_endpoint", &metadata->end_session_endpoint, false},
    };
    const json_t *json = fg_jws_object(arena, text, "metadata", err);
    if (json == NULL)
        return false;
    fg_str_t issuer = fg_json_string(json, "issuer");
    if (!fg_str_eq(issuer, provider->issuer)) /* §4.3 */
        return FG_FAIL(err, FG_E_OPENID_ANSWER, "the metadata is of the issuer \"%.*s\"", FG_STR_ARG(issuer));
    for (size_t i = 0; i < FG_ARRAY_SIZE(addresses); i++) {
        fg_str_t url = *addresses[i].field = fg_json_string(json, addresses[i].name);
        if ((url.n > 0 || addresses[i].required) && !is_https(url))
            return FG_FAIL(err, FG_E_OPENID_ANSWER, "%s is no https address", addresses[i].name);
    }
    metadata->names_itself = json_is_true(json_object_get(json, "authorization_response_iss_parameter_supported"));
    return true;
}

static bool is_good_metadata(fg_exchange_t *ex, const void *provider, fg_str_t text, fg_err_t *err) {
    fg_openid_metadata_t metadata;
    return read_metadata(ex->arena, provider, text, &metadata, err);
}

bool fg_openid_metadata_get(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_openid_metadata_t *metadata,
                            fg_err_t *err) {
    fg_fetched_query_t query = {
        .url = provider->openid->discovery_url, .what = "metadata", .is_good = is_good_metadata};
    fg_str_t text;
    bool asked;
    return get(ex, provider, provider->openid->upstream->metadata, &query, &text, &asked, err) &&
           read_metadata(ex->arena, provider, text, metadata, err);
}

/* ---- keys */

static bool is_good_set(fg_exchange_t *ex, const void *provider, fg_str_t text, fg_err_t *err) {
    fg_jwk_set_t keys;
    (void)provider;
    return fg_jwk_set_read(ex->arena, text, &keys, err) &&
           (keys.count > 0 || FG_FAIL(err, FG_E_OPENID_ANSWER, "no key for signatures in it"));
}

bool fg_openid_provider_keys(fg_exchange_t *ex, const fg_identity_provider_t *provider, bool again, fg_jwk_set_t *keys,
                             bool *asked, fg_err_t *err) {
    fg_openid_metadata_t metadata;
    fg_str_t text;
    if (!fg_openid_metadata_get(ex, provider, &metadata, err))
        return false;
    fg_fetched_query_t query = {.url = metadata.jwks_uri, .what = "keys", .is_good = is_good_set, .again = again};
    return get(ex, provider, provider->openid->upstream->keys, &query, &text, asked, err) &&
           fg_jwk_set_read(ex->arena, text, keys, err);
}

/* ---- one issuer, or a template of many */

bool fg_openid_issuer_fits(const fg_identity_provider_t *provider, fg_str_t issuer, fg_str_t *tenant) {
    const size_t mark = strlen(FG_OPENID_TENANT);
    fg_str_t own = provider->issuer;
    const char *at = memmem(own.p, own.n, FG_OPENID_TENANT, mark);
    *tenant = FG_STR_NONE;
    if (at == NULL)
        return issuer.n > 0 && fg_str_eq(issuer, own);
    size_t before = (size_t)(at - own.p), after = own.n - before - mark;
    if (issuer.n <= before + after || memcmp(issuer.p, own.p, before) != 0 ||
        memcmp(issuer.p + issuer.n - after, at + mark, after) != 0)
        return false;
    *tenant = (fg_str_t){issuer.p + before, issuer.n - before - after};
    const fg_str_list_t *tenants = &provider->openid->tenants;
    return memchr(tenant->p, '/', tenant->n) == NULL &&
           (fg_str_list_has(tenants, FG_STR("*")) || fg_str_list_has(tenants, *tenant));
}
