/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/federations.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/federation_source.h"
#include "gateway/rule_files.h"

#define CACHE_SETS 64u
#define CACHE_WAYS 4u

/* What one section names. */
typedef struct federation {
    const fg_config_federation_t *section;
    fg_federation_source_t *source;
    fg_ruleset_t *authorization_rules, *issuance_rules, *acceptance_rules; /* NULL: none */
} federation_t;

/* An entity that was read, in one of its roles; immutable and counted. */
typedef struct entity {
    atomic_uint references;
    fg_arena_t *arena;
    const federation_t *federation;
    fg_saml_role_t role;
    unsigned char digest[FG_SHA256_SIZE]; /* of its metadata: what has changed is another entity */
    fg_saml_party_t party;
    fg_partner_t partner;
    fg_str_t realm; /* the partner's */
    fg_identity_provider_t provider;
    const fg_key_t *keys[FG_ENTITY_KEYS]; /* the provider's */
    fg_home_realm_t home_realm;
    uint64_t used; /* of the cache */
} entity_t;

typedef struct federations {
    fg_federations_t base; /* first */
    federation_t *items;
    size_t count;
    fg_str_t entity_id;   /* ours */
    pthread_mutex_t lock; /* of the cache */
    entity_t *cache[CACHE_SETS][CACHE_WAYS];
    uint64_t clock;
} federations_t;

/* ---- entities */

static void entity_unref(void *object) {
    entity_t *entity = object;
    if (entity != NULL && atomic_fetch_sub(&entity->references, 1) == 1)
        fg_arena_free(entity->arena); /* it lives there itself */
}

static entity_t *entity_ref(entity_t *entity) {
    atomic_fetch_add(&entity->references, 1);
    return entity;
}

static const char *name_of(const entity_t *entity) {
    return entity->party.display_name.n > 0 ? entity->party.display_name.p : entity->party.entity_id.p;
}

static void fill_partner(entity_t *entity) {
    const fg_config_federation_t *s = entity->federation->section;
    entity->realm = entity->party.entity_id;
    entity->partner = (fg_partner_t){
        .name = entity->realm.p,
        .display_name = name_of(entity),
        .realms = &entity->realm,
        .realm_count = 1,
        .token = FG_SAML_20,
        .token_fixed = true,
        .trust_version = FG_TRUST_13,
        .token_lifetime_ms = s->lifetime_ms,
        .name_id_claim = s->name_id,
        .name_id_format = s->name_id_format.p,
        .claim_types = s->claims.items,
        .claim_type_count = s->claims.count,
        .authorization_rules = entity->federation->authorization_rules,
        .issuance_rules = entity->federation->issuance_rules,
        .encryption_key = s->encrypt == FG_CHOICE_YES ? entity->party.encryption_key : NULL,
        .encryption = s->encryption,
        .saml = &entity->party,
        .facts = entity->party.facts,
        .requested_only = s->requested_only == FG_CHOICE_YES,
        .attribute_queries = s->attribute_queries == FG_CHOICE_YES,
        .sign_response = s->sign_response == FG_CHOICE_YES,
    };
}

static void fill_provider(entity_t *entity, fg_str_t own) {
    const fg_saml_party_t *party = &entity->party;
    const fg_saml_endpoint_t *service = fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_REDIRECT);
    if (service == NULL)
        service = fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_POST);
    for (size_t i = 0; i < party->keys.count; i++)
        entity->keys[i] = party->keys.items[i];
    entity->provider = (fg_identity_provider_t){
        .name = party->entity_id.p,
        .protocol = FG_PROTOCOL_SAML,
        .issuer = party->entity_id,
        .sign_in_url = service ? service->location : FG_STR_NONE,
        .realm = own,
        .keys = entity->keys,
        .key_count = party->keys.count,
        .saml = party,
        .max_lifetime_ms = entity->federation->section->lifetime_limit_ms,
    };
    entity->home_realm = (fg_home_realm_t){
        .uri = party->entity_id,
        .display_name = name_of(entity),
        .identity_provider = &entity->provider,
        .acceptance_rules = entity->federation->acceptance_rules,
        .facts = party->facts,
    };
}

/* One that is not usable is as good as absent; the log says why. */
static entity_t *entity_read(const federation_t *federation, const fg_saml_aggregate_t *aggregate,
                             const fg_saml_listed_t *listed, fg_saml_role_t role, const fg_env_t *env, fg_str_t own) {
    fg_arena_t *arena = fg_arena_new(0);
    entity_t *entity = arena ? fg_arena_alloc(arena, sizeof *entity) : NULL;
    fg_err_t err = FG_ERR_INIT;
    fg_entity_reader_t in = {env, arena, &err, 0};
    bool found = false, good = entity != NULL;
    const xmlNode *node = good ? fg_saml_aggregate_open(aggregate, listed, &in) : NULL;
    good = node != NULL && fg_saml_party_read_entity(&in, node, role, &entity->party, &found) && found;
    if (!good) {
        fg_log(env, FG_LOG_WARN, "federation \"%s\": %.*s cannot be used: %s", federation->section->at.title,
               FG_STR_ARG(listed->entity_id), err.code != FG_OK ? err.detail : "no memory, or no such role");
        fg_arena_free(arena);
        return NULL;
    }
    atomic_init(&entity->references, 1);
    entity->arena = arena;
    entity->federation = federation;
    entity->role = role;
    memcpy(entity->digest, listed->digest, sizeof entity->digest);
    if (role == FG_SAML_SERVICE_PROVIDER)
        fill_partner(entity);
    else
        fill_provider(entity, own);
    return entity;
}

/* ---- those in use */

static bool is_same(const entity_t *entity, const federation_t *federation, const fg_saml_listed_t *listed,
                    fg_saml_role_t role) {
    return entity != NULL && entity->federation == federation && entity->role == role &&
           memcmp(entity->digest, listed->digest, sizeof entity->digest) == 0 &&
           fg_str_eq(entity->party.entity_id, listed->entity_id);
}

static entity_t **set_of(federations_t *all, const fg_saml_listed_t *listed) {
    return all->cache[listed->digest[0] % CACHE_SETS];
}

static entity_t *cache_get(federations_t *all, const federation_t *federation, const fg_saml_listed_t *listed,
                           fg_saml_role_t role) {
    entity_t *found = NULL, **set = set_of(all, listed);
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < CACHE_WAYS && found == NULL; i++) {
        if (!is_same(set[i], federation, listed, role))
            continue;
        found = entity_ref(set[i]);
        found->used = ++all->clock;
    }
    pthread_mutex_unlock(&all->lock);
    return found;
}

/* In the place of the one that was not used for the longest time. */
static void cache_put(federations_t *all, entity_t *entity, const fg_saml_listed_t *listed) {
    entity_t **set = set_of(all, listed), **oldest = set;
    pthread_mutex_lock(&all->lock);
    for (size_t i = 1; i < CACHE_WAYS; i++)
        if (*oldest != NULL && (set[i] == NULL || set[i]->used < (*oldest)->used))
            oldest = &set[i];
    entity_t *before = *oldest;
    *oldest = entity_ref(entity);
    entity->used = ++all->clock;
    pthread_mutex_unlock(&all->lock);
    entity_unref(before);
}

/* ---- looking */

typedef struct hit {
    const federation_t *federation;
    const fg_federation_documents_t *documents; /* to be released */
    const fg_saml_aggregate_t *aggregate;
    const fg_saml_listed_t *listed;
} hit_t;

static bool is_there(const fg_saml_listed_t *listed, fg_saml_role_t role, int64_t now_ms) {
    return listed != NULL && (listed->roles & 1u << role) != 0 &&
           (listed->valid_until_ms == 0 || now_ms < listed->valid_until_ms);
}

/* The first federation that has it, in the order of the configuration. */
static bool look_up(federations_t *all, fg_str_t entity_id, fg_saml_role_t role, int64_t now_ms, hit_t *hit) {
    for (size_t i = 0; i < all->count; i++) {
        const federation_t *federation = &all->items[i];
        if ((federation->section->roles & 1u << role) == 0)
            continue;
        const fg_federation_documents_t *documents = fg_federation_source_acquire(federation->source);
        for (size_t k = 0; k < documents->count; k++) {
            const fg_saml_listed_t *listed = fg_saml_aggregate_find(documents->items[k], entity_id);
            if (!is_there(listed, role, now_ms))
                continue;
            *hit = (hit_t){federation, documents, documents->items[k], listed};
            return true;
        }
        fg_federation_source_release(federation->source, documents);
    }
    return false;
}

static const entity_t *find(federations_t *all, fg_exchange_t *ex, fg_str_t entity_id, fg_saml_role_t role) {
    hit_t hit;
    if (fg_str_eq(entity_id, all->entity_id) || !look_up(all, entity_id, role, ex->now_ms, &hit))
        return NULL; /* we ourselves may be in it */
    entity_t *entity = cache_get(all, hit.federation, hit.listed, role);
    if (entity == NULL) {
        entity = entity_read(hit.federation, hit.aggregate, hit.listed, role, ex->env, all->entity_id);
        if (entity != NULL)
            cache_put(all, entity, hit.listed);
    }
    fg_federation_source_release(hit.federation->source, hit.documents);
    return entity != NULL && fg_arena_own(ex->arena, entity_unref, entity) ? entity : NULL;
}

static const fg_partner_t *find_partner(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t entity_id) {
    const entity_t *entity = find((federations_t *)federations, ex, entity_id, FG_SAML_SERVICE_PROVIDER);
    return entity ? &entity->partner : NULL;
}

static const fg_home_realm_t *find_home_realm(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t entity_id) {
    const entity_t *entity = find((federations_t *)federations, ex, entity_id, FG_SAML_IDENTITY_PROVIDER);
    return entity ? &entity->home_realm : NULL;
}

static bool knows_home_realm(fg_federations_t *federations, fg_str_t entity_id, int64_t now_ms) {
    hit_t hit;
    if (!look_up((federations_t *)federations, entity_id, FG_SAML_IDENTITY_PROVIDER, now_ms, &hit))
        return false;
    fg_federation_source_release(hit.federation->source, hit.documents);
    return true;
}

/* ---- going through all of them */

typedef bool (*visit_t)(void *context, const fg_saml_listed_t *listed);

static bool visit_document(const federations_t *all, const fg_saml_aggregate_t *aggregate, int64_t now_ms,
                           visit_t visit, void *context) {
    size_t count;
    const fg_saml_listed_t *entities = fg_saml_aggregate_entities(aggregate, &count);
    for (size_t i = 0; i < count; i++) {
        const fg_saml_listed_t *listed = &entities[i];
        if (is_there(listed, FG_SAML_IDENTITY_PROVIDER, now_ms) && !fg_str_eq(listed->entity_id, all->entity_id) &&
            !visit(context, listed))
            return false;
    }
    return true;
}

/* Every identity provider that there is by now, until visit returns false.  One that is in two federations comes
 * twice. */
static void visit_providers(federations_t *all, int64_t now_ms, visit_t visit, void *context) {
    bool more = true;
    for (size_t i = 0; i < all->count && more; i++) {
        fg_federation_source_t *source = all->items[i].source;
        if ((all->items[i].section->roles & 1u << FG_SAML_IDENTITY_PROVIDER) == 0)
            continue;
        const fg_federation_documents_t *documents = fg_federation_source_acquire(source);
        for (size_t k = 0; k < documents->count && more; k++)
            more = visit_document(all, documents->items[k], now_ms, visit, context);
        fg_federation_source_release(source, documents);
    }
}

static bool visit_first(void *context, const fg_saml_listed_t *listed) {
    *(bool *)context = !listed->is_hidden;
    return listed->is_hidden;
}

static bool has_offers(fg_federations_t *federations, fg_exchange_t *ex) {
    bool found = false;
    visit_providers((federations_t *)federations, ex->now_ms, visit_first, &found);
    return found;
}

typedef struct by_domain {
    fg_exchange_t *ex;
    fg_str_t domain, found;
    bool twice;
} by_domain_t;

static bool visit_domain(void *context, const fg_saml_listed_t *listed) {
    by_domain_t *b = context;
    if (!fg_saml_listed_is_for(listed, b->domain) || fg_str_eq(b->found, listed->entity_id))
        return true;
    b->twice = b->found.n > 0;
    b->found = fg_arena_str(b->ex->arena, listed->entity_id);
    return !b->twice;
}

static fg_str_t find_domain(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t domain) {
    by_domain_t b = {.ex = ex, .domain = domain};
    visit_providers((federations_t *)federations, ex->now_ms, visit_domain, &b);
    return b.twice ? FG_STR_NONE : b.found;
}

/* ---- the list that people choose from: by name; of a section's providers the section is what counts */

typedef struct candidate {
    fg_str_t words, uri, name;
} candidate_t;

typedef struct gathering {
    fg_exchange_t *ex;
    fg_str_t folded, language;
    candidate_t *items;
    size_t count, room;
} gathering_t;

static bool visit_search(void *context, const fg_saml_listed_t *listed) {
    gathering_t *g = context;
    if (listed->is_hidden || !fg_saml_listed_has(listed, g->folded) ||
        fg_hub_find_issuer(g->ex->hub, listed->entity_id) != NULL)
        return true;
    if (g->count == g->room) {
        size_t room = g->room ? 2 * g->room : 256;
        candidate_t *items = realloc(g->items, room * sizeof *items);
        if (items == NULL)
            return false;
        g->items = items;
        g->room = room;
    }
    g->items[g->count++] = (candidate_t){listed->words, listed->entity_id, fg_saml_listed_name(listed, g->language)};
    return true;
}

static int by_words(const void *a, const void *b) {
    const candidate_t *left = a, *right = b;
    int order = strcmp(left->words.p, right->words.p);
    return order != 0
               ? order
               : fg_realm_entry_compare(&(fg_realm_entry_t){left->uri, NULL}, &(fg_realm_entry_t){right->uri, NULL});
}

static fg_str_t host_of(fg_str_t entity_id) {
    fg_uri_t uri;
    return fg_uri_parse(entity_id, &uri) && uri.host.n > 0 ? uri.host : entity_id;
}

static bool put_offer(fg_exchange_t *ex, const candidate_t *candidate, fg_offer_t *out) {
    *out = (fg_offer_t){fg_arena_str(ex->arena, candidate->uri), fg_arena_str(ex->arena, candidate->name), FG_STR_NONE};
    out->detail = out->uri.p ? host_of(out->uri) : FG_STR_NONE;
    return out->uri.p != NULL && out->name.p != NULL;
}

/* All documents are held meanwhile, as the candidates point into them. */
static size_t search(fg_federations_t *federations, fg_exchange_t *ex, const fg_search_t *wanted, fg_offer_t *out,
                     size_t room, size_t *filled) {
    federations_t *all = (federations_t *)federations;
    const fg_federation_documents_t **held = fg_arena_alloc(ex->arena, (all->count + 1) * sizeof *held);
    fg_buf_t folded = FG_BUF_INIT(4096);
    gathering_t g = {.ex = ex, .language = wanted->language};
    *filled = 0;
    if (held == NULL)
        return 0;
    for (size_t i = 0; i < all->count; i++)
        held[i] = fg_federation_source_acquire(all->items[i].source);
    fg_saml_fold(&folded, wanted->words);
    g.folded = fg_buf_ok(&folded) ? fg_buf_str(&folded) : FG_STR_NONE;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < held[i]->count; k++)
            if ((all->items[i].section->roles & 1u << FG_SAML_IDENTITY_PROVIDER) != 0)
                (void)visit_document(all, held[i]->items[k], ex->now_ms, visit_search, &g);
    if (g.count > 0)
        qsort(g.items, g.count, sizeof *g.items, by_words);
    size_t different = 0;
    for (size_t i = 0; i < g.count; i++) {
        if (i > 0 && fg_str_eq(g.items[i].uri, g.items[i - 1].uri)) /* in two federations */
            continue;
        if (different++ >= wanted->skip && *filled < room)
            *filled += put_offer(ex, &g.items[i], &out[*filled]);
    }
    free(g.items);
    fg_buf_free(&folded);
    for (size_t i = 0; i < all->count; i++)
        fg_federation_source_release(all->items[i].source, held[i]);
    return different;
}

/* ---- making */

static bool read_rules(federation_t *federation, const fg_rule_stores_t *stores, fg_err_t *err) {
    const fg_config_federation_t *s = federation->section;
    const struct {
        const char *option, *path;
        fg_ruleset_t **set;
    } rules[] = {
        {"authorization_rules", s->authorization_rules, &federation->authorization_rules},
        {"issuance_rules", s->issuance_rules, &federation->issuance_rules},
        {"acceptance_rules", s->acceptance_rules, &federation->acceptance_rules},
    };
    if (s->issuance_rules != NULL && s->claims.count > 0)
        return fg_config_refuse(err, &s->at, "issuance_rules", 0, "either claims or issuance_rules");
    for (size_t i = 0; i < FG_ARRAY_SIZE(rules); i++) {
        if (rules[i].path == NULL)
            continue;
        *rules[i].set = fg_config_rules_load(&s->at, rules[i].option, rules[i].path, stores, err);
        if (*rules[i].set == NULL)
            return false;
    }
    return true;
}

fg_federations_t *fg_federations_new(const fg_config_t *config, const fg_rule_stores_t *stores, fg_str_t entity_id,
                                     const fg_env_t *env, fg_err_t *err) {
    federations_t *all = calloc(1, sizeof *all);
    federation_t *items = calloc(config->federations.count + 1, sizeof *items);
    if (all == NULL || items == NULL) {
        free(all);
        free(items);
        FG_FAIL(err, FG_E_MEMORY, "reading federations");
        return NULL;
    }
    all->base = (fg_federations_t){find_partner, find_home_realm, knows_home_realm, has_offers, find_domain, search};
    all->items = items;
    all->count = config->federations.count;
    all->entity_id = entity_id;
    pthread_mutex_init(&all->lock, NULL);
    for (size_t i = 0; i < all->count; i++) {
        items[i].section = (const fg_config_federation_t *)config->federations.items + i;
        items[i].source = fg_federation_source_new(items[i].section, config->state, env, err);
        if (items[i].source == NULL || !read_rules(&items[i], stores, err)) {
            fg_federations_free(&all->base);
            return NULL;
        }
    }
    return &all->base;
}

void fg_federations_free(fg_federations_t *federations) {
    federations_t *all = (federations_t *)federations;
    if (all == NULL)
        return;
    for (size_t i = 0; i < CACHE_SETS; i++)
        for (size_t k = 0; k < CACHE_WAYS; k++)
            entity_unref(all->cache[i][k]);
    for (size_t i = 0; i < all->count; i++) {
        fg_federation_source_free(all->items[i].source);
        fg_ruleset_free(all->items[i].authorization_rules);
        fg_ruleset_free(all->items[i].issuance_rules);
        fg_ruleset_free(all->items[i].acceptance_rules);
    }
    pthread_mutex_destroy(&all->lock);
    free(all->items);
    free(all);
}

void fg_federations_refresh(fg_federations_t *federations, const fg_env_t *env) {
    federations_t *all = (federations_t *)federations;
    for (size_t i = 0; i < all->count; i++)
        fg_federation_source_refresh(all->items[i].source, env);
}
