/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/protects.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/time.h"
#include "gateway/rule_files.h"
#include "policy/request.h"

#define RETRY (5 * FG_SECOND)

/* Which credentials a kind takes unless the section says. */
static const unsigned accept_defaults[] = {
    [FG_PROTECT_WEB] = FG_ACCEPT_SESSION | FG_ACCEPT_BEARER,
    [FG_PROTECT_REST] = FG_ACCEPT_BEARER | FG_ACCEPT_BASIC,
    [FG_PROTECT_WSMAN] = FG_ACCEPT_BEARER | FG_ACCEPT_BASIC | FG_ACCEPT_SOAP,
};

/* A compiled policy; snapshots share it. */
typedef struct policy {
    fg_ruleset_t *rules;
    atomic_uint references;
} policy_t;

typedef struct source {
    const fg_config_protect_t *section;
    policy_t *policy;    /* NULL: none */
    int64_t refused_ms;  /* when the file's present content was refused; 0: it was not */
    char complaint[512]; /* what was said of it */
} source_t;

struct fg_protects {
    const fg_config_t *config;
    const fg_rule_stores_t *stores;
    source_t *sources;
    size_t count;
};

/* ---- policies */

static void policy_release(void *object) {
    policy_t *policy = object;
    if (policy == NULL || atomic_fetch_sub(&policy->references, 1) != 1)
        return;
    fg_ruleset_free(policy->rules);
    free(policy);
}

/* Reads the section's policy into the source; the one before stays the caller's. */
static bool policy_read(const fg_protects_t *protects, source_t *source, fg_err_t *err) {
    const fg_config_protect_t *section = source->section;
    policy_t *policy = malloc(sizeof *policy);
    if (policy == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading policies");
    atomic_init(&policy->references, 1);
    policy->rules = fg_config_rules_load(&section->at, "policy", section->policy, protects->stores, err);
    if (policy->rules == NULL) {
        free(policy);
        return false;
    }
    source->policy = policy;
    return true;
}

fg_protects_t *fg_protects_new(const fg_config_t *config, const fg_rule_stores_t *stores, fg_err_t *err) {
    fg_protects_t *protects = calloc(1, sizeof *protects);
    source_t *sources = calloc(config->protects.count + 1, sizeof *sources);
    if (protects == NULL || sources == NULL) {
        free(protects);
        free(sources);
        FG_FAIL(err, FG_E_MEMORY, "reading protected locations");
        return NULL;
    }
    *protects = (fg_protects_t){config, stores, sources, config->protects.count};
    for (size_t i = 0; i < protects->count; i++) {
        sources[i].section = (const fg_config_protect_t *)config->protects.items + i;
        if (sources[i].section->policy != NULL && !policy_read(protects, &sources[i], err)) {
            fg_protects_free(protects);
            return NULL;
        }
    }
    return protects;
}

void fg_protects_free(fg_protects_t *protects) {
    if (protects == NULL)
        return;
    for (size_t i = 0; i < protects->count; i++)
        policy_release(protects->sources[i].policy);
    free(protects->sources);
    free(protects);
}

bool fg_protects_find(const fg_protects_t *protects, const char *title, size_t *number) {
    *number = 0;
    for (size_t i = 0; title != NULL && i < protects->count; i++)
        if (strcmp(protects->sources[i].section->at.title, title) == 0)
            *number = i + 1;
    return title == NULL || *number > 0;
}

/* ---- the table */

/* Tokens may name the gateway's address, with and without its slash, or its entity id. */
static bool put_default_audiences(fg_arena_t *arena, const fg_hub_t *hub, fg_protect_t *protect) {
    fg_str_t *audiences = fg_arena_alloc(arena, 3 * sizeof *audiences);
    char *with_slash = fg_arena_printf(arena, "%s/", hub->base_url.p);
    if (audiences == NULL || with_slash == NULL)
        return false;
    audiences[0] = hub->base_url;
    audiences[1] = fg_str(with_slash);
    audiences[2] = hub->entity_id;
    protect->audiences = audiences;
    protect->audience_count = 3;
    return true;
}

static unsigned accepted(const fg_config_protect_t *section) {
    const unsigned *bits = section->accept.items;
    unsigned accept = section->accept.count == 0 ? accept_defaults[section->kind] : 0;
    for (size_t i = 0; i < section->accept.count; i++)
        accept |= bits[i];
    return accept;
}

/* Where people are, as the section names them. */
static bool put_realms(const fg_config_protect_t *s, const fg_hub_t *hub, fg_protect_t *protect, fg_err_t *err) {
    if (s->home_realm.n > 0) {
        protect->home_realm = fg_hub_find_home_realm(hub, s->home_realm);
        if (protect->home_realm == NULL)
            return fg_config_refuse(err, &s->at, "home_realm", 0,
                                    "the uri of a directory or an identity provider's issuer");
    }
    if (s->directory != NULL) {
        protect->directory = fg_hub_find_directory(hub, s->directory);
        if (protect->directory == NULL)
            return fg_config_refuse(err, &s->at, "directory", 0, "the name of a directory");
    }
    if ((protect->accept & FG_ACCEPT_NEGOTIATE) != 0 && hub->negotiate == NULL)
        return fg_config_refuse(err, &s->at, "accept", 0, "negotiate only where there is a section kerberos");
    if ((protect->accept & FG_ACCEPT_BASIC) != 0 && fg_hub_default_home_realm(hub) == NULL)
        return fg_config_refuse(err, &s->at, "accept", 0, "basic only where there is a directory");
    return true;
}

static bool put_upstream(const fg_config_protect_t *s, const fg_hub_t *hub, fg_protect_t *protect, fg_err_t *err) {
    if (s->upstream_partner == NULL)
        return s->upstream_token == FG_UPSTREAM_NONE ||
               fg_config_refuse(err, &s->at, "upstream_token", 0, "it beside upstream_partner = \"NAME\"");
    for (size_t i = 0; i < hub->partner_count; i++)
        if (strcmp(hub->partners[i].name, s->upstream_partner) == 0)
            protect->upstream = &hub->partners[i];
    if (protect->upstream == NULL)
        return fg_config_refuse(err, &s->at, "upstream_partner", 0, "the name of a partner");
    protect->upstream_token = s->upstream_token == FG_UPSTREAM_NONE ? FG_UPSTREAM_JWT : s->upstream_token;
    return true;
}

/* A service principal of two parts, as the KDC has it (RFC 4120 §6.2.1). */
static bool is_service(fg_str_t name) {
    const char *slash = memchr(name.p, '/', name.n);
    if (slash == NULL || slash == name.p || slash == name.p + name.n - 1 || name.n > 250)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= 0x20 || name.p[i] >= 0x7f || name.p[i] == '\\' ||
            (name.p[i] == '/' && name.p + i != slash))
            return false;
    return true;
}

static bool put_delegation(const fg_config_protect_t *s, const fg_hub_t *hub, fg_protect_t *protect, fg_err_t *err) {
    protect->delegate_to = s->upstream_kerberos;
    protect->delegate_claim = s->upstream_kerberos_claim;
    protect->delegate_from = s->upstream_kerberos_from.items;
    protect->delegate_from_count = s->upstream_kerberos_from.count;
    if (protect->delegate_to.n == 0)
        return protect->delegate_from_count == 0 || fg_config_refuse(err, &s->at, "upstream_kerberos_from", 0,
                                                                     "it beside upstream_kerberos = \"HTTP/HOST\"");
    if (!is_service(protect->delegate_to))
        return fg_config_refuse(err, &s->at, "upstream_kerberos", 0, "a service as \"HTTP/app.example.com\"");
    return hub->delegate != NULL ||
           fg_config_refuse(err, &s->at, "upstream_kerberos", 0, "it where there is a section delegation");
}

static bool protect_build(const source_t *source, fg_arena_t *arena, const fg_hub_t *hub, fg_protect_t *protect,
                          fg_err_t *err) {
    const fg_config_protect_t *s = source->section;
    *protect = (fg_protect_t){
        .name = s->at.title,
        .display_name = s->display_name ? s->display_name : s->at.title,
        .kind = s->kind,
        .accept = accepted(s),
        .hosts = s->hosts.items,
        .host_count = s->hosts.count,
        .audiences = s->audiences.items,
        .audience_count = s->audiences.count,
    };
    if (s->audiences.count == 0 && !put_default_audiences(arena, hub, protect))
        return FG_FAIL(err, FG_E_MEMORY, "reading protected locations");
    if (!put_realms(s, hub, protect, err) || !put_upstream(s, hub, protect, err) ||
        !put_delegation(s, hub, protect, err))
        return false;
    if (source->policy == NULL)
        return true;
    protect->policy = source->policy->rules;
    protect->reads_json = fg_ruleset_get_types(protect->policy, FG_REQUEST_JSON, NULL, 0) > 0;
    protect->reads_certificate = fg_ruleset_get_types(protect->policy, FG_REQUEST_CLAIMS "certificate", NULL, 0) > 0;
    protect->asks_stores = fg_ruleset_asks_stores(protect->policy);
    atomic_fetch_add(&source->policy->references, 1);
    return fg_arena_own(arena, policy_release, source->policy) ||
           FG_FAIL(err, FG_E_MEMORY, "reading protected locations");
}

bool fg_protects_build(const fg_protects_t *protects, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    fg_protect_t *table = fg_arena_alloc(arena, (protects->count + 1) * sizeof *table);
    if (table == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading protected locations");
    table[0] = (fg_protect_t){.name = "",
                              .display_name = hub->organisation,
                              .kind = FG_PROTECT_WEB,
                              .accept = accept_defaults[FG_PROTECT_WEB]};
    if (!put_default_audiences(arena, hub, &table[0]))
        return FG_FAIL(err, FG_E_MEMORY, "reading protected locations");
    for (size_t i = 0; i < protects->count; i++)
        if (!protect_build(&protects->sources[i], arena, hub, &table[i + 1], err))
            return false;
    hub->protects = table;
    hub->protect_count = protects->count + 1;
    return true;
}

/* ---- refreshing */

/* One that was refused is tried again now and then, as a file may be the mistake that is not known yet. */
static bool is_due(const source_t *source, const fg_env_t *env) {
    if (source->policy == NULL || !fg_ruleset_is_changed(source->policy->rules))
        return false;
    int64_t now = fg_now(env);
    return source->refused_ms == 0 || now < source->refused_ms || now - source->refused_ms >= RETRY;
}

/* Says each thing once. */
static void complain(source_t *source, const fg_env_t *env, const fg_err_t *err) {
    source->refused_ms = fg_now(env);
    if (strcmp(source->complaint, err->detail) == 0)
        return;
    snprintf(source->complaint, sizeof source->complaint, "%s", err->detail);
    fg_log(env, FG_LOG_ERROR, "protect \"%s\": policy %s is refused and the last good one stays: %s",
           source->section->at.title, source->section->policy, err->detail);
}

void fg_protects_refresh(fg_protects_t *protects, const fg_env_t *env,
                         bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context) {
    for (size_t i = 0; i < protects->count; i++) {
        source_t *source = &protects->sources[i];
        policy_t *before = source->policy;
        fg_err_t err = FG_ERR_INIT;
        if (!is_due(source, env))
            continue;
        bool read = policy_read(protects, source, &err);
        if (read && rebuild(context, env, &err)) {
            policy_release(before);
            source->refused_ms = 0;
            source->complaint[0] = '\0';
            fg_log(env, FG_LOG_NOTICE, "protect \"%s\": policy %s read again", source->section->at.title,
                   source->section->policy);
            continue;
        }
        if (read)
            policy_release(source->policy);
        source->policy = before;
        complain(source, env, &err);
    }
}
