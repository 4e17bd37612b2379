/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a provider publishes of itself: metadata (Discovery 1.0 §4) and keys (RFC 7517 §5), fetched when they are
 * needed, kept as long as HTTP says, and longer where it cannot be had again. */
#include <pthread.h>
#include <stdlib.h>

#include "bridges/openid/provider.h"
#include "core/http.h"
#include "core/json.h"
#include "core/time.h"
#include "token/jws.h"

#define DOCUMENT_MAX (256u << 10)
#define DEADLINE (5 * FG_SECOND) /* a person waits */
#define SHORTEST (5 * FG_MINUTE) /* what says of itself that it must not be kept would be fetched for everybody */
#define RETRY (30 * FG_SECOND)   /* between two tries that fail, or that unknown keys ask for (JW-12) */

/* One text; all under the upstream's lock. */
typedef struct document {
    char *text; /* NULL: never had */
    size_t length;
    char *url;
    int64_t fresh_until_ms;
    int64_t failed_ms; /* when it last could not be had; 0: it could */
    int64_t again_ms;  /* when it was last asked for because of an unknown key */
    bool busy;         /* somebody is asking */
} document_t;

struct fg_openid_upstream {
    pthread_mutex_t lock;
    document_t metadata;
    document_t keys;
};

fg_openid_upstream_t *fg_openid_upstream_new(void) {
    fg_openid_upstream_t *upstream = calloc(1, sizeof *upstream);
    if (upstream != NULL)
        pthread_mutex_init(&upstream->lock, NULL);
    return upstream;
}

static void document_free(document_t *document) {
    free(document->text);
    free(document->url);
}

void fg_openid_upstream_free(fg_openid_upstream_t *upstream) {
    if (upstream == NULL)
        return;
    document_free(&upstream->metadata);
    document_free(&upstream->keys);
    pthread_mutex_destroy(&upstream->lock);
    free(upstream);
}

/* ---- one document */

/* What is asked for, and what came. */
typedef struct query {
    fg_exchange_t *ex;
    const fg_identity_provider_t *provider;
    document_t *document;
    fg_str_t url;
    const char *what;
    bool (*is_good)(const struct query *query, fg_str_t text, fg_err_t *err);
    bool again;
    bool asked;
    fg_str_t text;
} query_t;

static bool is_recent(int64_t then_ms, int64_t now_ms) { return then_ms != 0 && llabs(now_ms - then_ms) < RETRY; }

/* Whether the provider has to be asked; the lock is held. */
static bool is_due(const query_t *query) {
    const document_t *document = query->document;
    int64_t now = query->ex->now_ms;
    bool same = document->text != NULL && fg_str_is(query->url, document->url);
    if (!same)
        return true;
    if (document->busy || is_recent(document->failed_ms, now))
        return false;
    bool fresh = now < document->fresh_until_ms && document->fresh_until_ms - now <= FG_DAY;
    return !fresh || (query->again && !is_recent(document->again_ms, now));
}

/* What there is, in the arena; the lock is held. */
static void take_copy(query_t *query) {
    const document_t *document = query->document;
    if (document->text != NULL && fg_str_is(query->url, document->url))
        query->text = fg_arena_str(query->ex->arena, (fg_str_t){document->text, document->length});
}

static bool fetch(query_t *query, fg_http_response_t *response, fg_err_t *err) {
    const fg_http_field_t accept = {FG_STR("Accept"), FG_STR("application/json")};
    const fg_http_request_t request = {
        .url = query->url,
        .headers = &accept,
        .header_count = 1,
        .deadline_ms = DEADLINE,
        .body_max = DOCUMENT_MAX,
        .revalidate = true, /* this cache is asked first, and it keeps longer */
    };
    if (!fg_http_fetch(query->ex->env, query->ex->arena, &request, response, err))
        return false;
    if (response->status != 200)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s answered %d", FG_STR_ARG(query->url), response->status);
    return query->is_good(query, response->body, err);
}

/* The lock is held. */
static void keep(query_t *query, const fg_http_response_t *response) {
    document_t *document = query->document;
    char *text = strndup(response->body.p, response->body.n), *url = strndup(query->url.p, query->url.n);
    if (text == NULL || url == NULL) {
        free(text);
        free(url);
        return;
    }
    int64_t now = query->ex->now_ms, lifetime = fg_http_lifetime(response, now);
    document_free(document);
    document->text = text;
    document->length = strlen(text);
    document->url = url;
    document->fresh_until_ms = now + (lifetime < SHORTEST ? SHORTEST : lifetime);
    document->failed_ms = 0;
}

/* Nobody waits for somebody else's fetch who has a copy. */
static bool get(query_t *query, fg_err_t *err) {
    fg_openid_upstream_t *upstream = query->provider->openid->upstream;
    fg_http_response_t response;
    fg_err_t why = FG_ERR_INIT;
    pthread_mutex_lock(&upstream->lock);
    bool due = is_due(query);
    take_copy(query);
    if (due)
        query->document->busy = true;
    if (due && query->again)
        query->document->again_ms = query->ex->now_ms;
    pthread_mutex_unlock(&upstream->lock);
    query->asked = due;
    if (!due)
        return query->text.p != NULL || FG_FAIL(err, FG_E_MEMORY, "%s", query->what);
    bool came = fetch(query, &response, &why);
    pthread_mutex_lock(&upstream->lock);
    query->document->busy = false;
    if (came)
        keep(query, &response);
    else
        query->document->failed_ms = query->ex->now_ms;
    pthread_mutex_unlock(&upstream->lock);
    if (came)
        query->text = response.body;
    else
        fg_log(query->ex->env, FG_LOG_WARN, "identity provider \"%s\": its %s could not be had%s: %s",
               query->provider->name, query->what, query->text.p ? ", and the last good copy stays" : "", why.detail);
    return query->text.p != NULL || FG_FAIL(err, why.code, "its %s: %s", query->what, why.detail);
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

static bool is_good_metadata(const query_t *query, fg_str_t text, fg_err_t *err) {
    fg_openid_metadata_t metadata;
    return read_metadata(query->ex->arena, query->provider, text, &metadata, err);
}

bool fg_openid_metadata_get(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_openid_metadata_t *metadata,
                            fg_err_t *err) {
    query_t query = {
        .ex = ex,
        .provider = provider,
        .document = &provider->openid->upstream->metadata,
        .url = provider->openid->discovery_url,
        .what = "metadata",
        .is_good = is_good_metadata,
    };
    return get(&query, err) && read_metadata(ex->arena, provider, query.text, metadata, err);
}

/* ---- keys */

static bool is_good_set(const query_t *query, fg_str_t text, fg_err_t *err) {
    fg_jwk_set_t keys;
    return fg_jwk_set_read(query->ex->arena, text, &keys, err) &&
           (keys.count > 0 || FG_FAIL(err, FG_E_OPENID_ANSWER, "no key for signatures in it"));
}

bool fg_openid_provider_keys(fg_exchange_t *ex, const fg_identity_provider_t *provider, bool again, fg_jwk_set_t *keys,
                             bool *asked, fg_err_t *err) {
    fg_openid_metadata_t metadata;
    if (!fg_openid_metadata_get(ex, provider, &metadata, err))
        return false;
    query_t query = {
        .ex = ex,
        .provider = provider,
        .document = &provider->openid->upstream->keys,
        .url = metadata.jwks_uri,
        .what = "keys",
        .is_good = is_good_set,
        .again = again,
    };
    bool there = get(&query, err);
    *asked = query.asked;
    return there && fg_jwk_set_read(ex->arena, query.text, keys, err);
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
