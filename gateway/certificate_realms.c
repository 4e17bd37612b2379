/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/certificate_realms.h"

#include <stdlib.h>

#include "gateway/rule_files.h"

#define DEPTH_MAX 10
#define SOURCES_MAX 3

typedef struct source {
    const fg_config_certificates_t *section;
    fg_x509_source_t asked[SOURCES_MAX];
    fg_x509_options_t options;
    fg_x509_trust_t *trust;
    fg_ruleset_t *acceptance_rules; /* NULL: none */
} source_t;

struct fg_certificate_realms {
    source_t *sources;
    size_t count;
};

/* ---- one section */

static bool put_source(source_t *source, const fg_config_t *config, unsigned index, fg_config_revocation_t word,
                       fg_err_t *err) {
    const fg_config_certificates_t *s = source->section;
    size_t count = source->options.source_count;
    fg_x509_source_t asked = word == FG_REVOCATION_CRL     ? FG_X509_CRL_FILES
                             : word == FG_REVOCATION_FETCH ? FG_X509_CRL_FETCHED
                                                           : FG_X509_OCSP;
    for (size_t i = 0; i < count; i++)
        if (source->asked[i] == asked)
            return fg_config_refuse(err, &s->at, "revocation", index, "each of them once");
    if (word == FG_REVOCATION_CRL && s->crls.count == 0)
        return fg_config_refuse(err, &s->at, "revocation", index, "crl beside crl = {\"FILE\"} only");
    if (word != FG_REVOCATION_CRL && config->fetch.allow.count == 0)
        return fg_config_refuse(err, &s->at, "revocation", index,
                                "it only where fetch { allow = {…} } names the addresses");
    source->asked[count] = asked;
    source->options.source_count++;
    return true;
}

/* CRL files that are there are asked, unless the section says otherwise. */
static bool put_sources(source_t *source, const fg_config_t *config, fg_err_t *err) {
    const fg_config_certificates_t *s = source->section;
    const fg_config_revocation_t *words = s->revocation.items;
    if (s->revocation.count == 0 && s->crls.count > 0)
        return put_source(source, config, 0, FG_REVOCATION_CRL, err);
    for (unsigned i = 0; i < s->revocation.count; i++) {
        if (words[i] == FG_REVOCATION_NONE)
            return s->revocation.count == 1 || fg_config_refuse(err, &s->at, "revocation", i, "none alone");
        if (!put_source(source, config, i, words[i], err))
            return false;
    }
    return true;
}

/* The option and value that names a file which could not be read: the error begins with its path. */
static bool refuse_file(const fg_config_certificates_t *s, const fg_err_t *why, fg_err_t *err) {
    static const struct {
        const char *option;
        size_t list;
    } lists[] = {{"ca", offsetof(fg_config_certificates_t, ca)},
                 {"intermediates", offsetof(fg_config_certificates_t, intermediates)},
                 {"crl", offsetof(fg_config_certificates_t, crls)}};
    for (size_t k = 0; k < FG_ARRAY_SIZE(lists); k++) {
        const fg_config_list_t *list = (const fg_config_list_t *)((const char *)s + lists[k].list);
        for (unsigned i = 0; i < list->count; i++) {
            const char *path = ((const char *const *)list->items)[i];
            size_t length = strlen(path);
            if (strncmp(why->detail, path, length) == 0 && why->detail[length] == ':')
                return fg_config_refuse(err, &s->at, lists[k].option, i, "a file that can be used (%s)", why->detail);
        }
    }
    return fg_config_refuse(err, &s->at, "ca", 0, "files that can be used (%s)", why->detail);
}

static bool source_read(source_t *source, const fg_config_t *config, const fg_rule_stores_t *stores,
                        const fg_env_t *env, fg_err_t *err) {
    const fg_config_certificates_t *s = source->section;
    fg_err_t why = FG_ERR_INIT;
    if (s->ca.count == 0)
        return fg_config_refuse(err, &s->at, "ca", 0, "ca = {\"FILE\"} in certificates \"%s\"", s->at.title);
    if (s->depth > DEPTH_MAX)
        return fg_config_refuse(err, &s->at, "depth", 0, "at most %d", DEPTH_MAX);
    source->options = (fg_x509_options_t){
        .name = s->at.title,
        .ca_files = s->ca.items,
        .ca_count = s->ca.count,
        .intermediate_files = s->intermediates.items,
        .intermediate_count = s->intermediates.count,
        .crl_files = s->crls.items,
        .crl_count = s->crls.count,
        .sources = source->asked,
        .depth = s->depth,
    };
    if (!put_sources(source, config, err))
        return false;
    source->trust = fg_x509_trust_new(&source->options, env, &why);
    if (source->trust == NULL)
        return refuse_file(s, &why, err);
    if (s->acceptance_rules == NULL)
        return true;
    source->acceptance_rules = fg_config_rules_load(&s->at, "acceptance_rules", s->acceptance_rules, stores, err);
    return source->acceptance_rules != NULL;
}

/* ---- all of them */

fg_certificate_realms_t *fg_certificate_realms_new(const fg_config_t *config, const fg_rule_stores_t *stores,
                                                   const fg_env_t *env, fg_err_t *err) {
    fg_certificate_realms_t *realms = calloc(1, sizeof *realms);
    source_t *sources = calloc(config->certificates.count + 1, sizeof *sources);
    if (realms == NULL || sources == NULL) {
        free(realms);
        free(sources);
        FG_FAIL(err, FG_E_MEMORY, "reading certificates");
        return NULL;
    }
    *realms = (fg_certificate_realms_t){sources, config->certificates.count};
    for (size_t i = 0; i < realms->count; i++) {
        sources[i].section = (const fg_config_certificates_t *)config->certificates.items + i;
        if (!source_read(&sources[i], config, stores, env, err)) {
            fg_certificate_realms_free(realms);
            return NULL;
        }
    }
    return realms;
}

void fg_certificate_realms_free(fg_certificate_realms_t *realms) {
    if (realms == NULL)
        return;
    for (size_t i = 0; i < realms->count; i++) {
        fg_x509_trust_free(realms->sources[i].trust);
        fg_ruleset_free(realms->sources[i].acceptance_rules);
    }
    free(realms->sources);
    free(realms);
}

/* ---- the table */

/* Where the accounts are; their home realm stands in the table already. */
static bool put_accounts(const fg_config_certificates_t *s, const fg_home_realm_t *realms, size_t count,
                         fg_home_realm_t *realm, fg_err_t *err) {
    const unsigned *bits = s->map.items;
    if (s->directory == NULL)
        return s->map.count == 0 || fg_config_refuse(err, &s->at, "map", 0, "it beside directory = \"NAME\"");
    for (size_t i = 0; i < count; i++)
        if (realms[i].directory != NULL && strcmp(realms[i].directory->name, s->directory) == 0)
            realm->accounts = &realms[i];
    if (realm->accounts == NULL)
        return fg_config_refuse(err, &s->at, "directory", 0, "the name of a directory");
    if (realm->accounts->directory->find == NULL)
        return fg_config_refuse(err, &s->at, "directory", 0, "a directory in which accounts can be found");
    realm->account_names = s->map.count == 0 ? FG_MAP_UPN : 0;
    for (size_t i = 0; i < s->map.count; i++)
        realm->account_names |= bits[i];
    return true;
}

static bool realm_build(const source_t *source, fg_arena_t *arena, const fg_hub_t *hub, fg_home_realm_t *realms,
                        size_t count, fg_err_t *err) {
    const fg_config_certificates_t *s = source->section;
    fg_home_realm_t *realm = &realms[count];
    *realm = (fg_home_realm_t){
        .uri = s->uri,
        .display_name = s->display_name ? s->display_name : s->at.title,
        .certificates = source->trust,
        .acceptance_rules = source->acceptance_rules,
    };
    if (realm->uri.n == 0)
        realm->uri = fg_str(fg_arena_printf(arena, "%s/%s", hub->entity_id.p, s->at.title));
    if (realm->uri.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading certificates");
    for (size_t i = 0; i < count; i++)
        if (fg_str_eq(realms[i].uri, realm->uri))
            return fg_config_refuse(err, &s->at, "uri", 0, "a URI that no other home realm has (it is \"%s\"'s)",
                                    realms[i].display_name);
    return put_accounts(s, realms, count, realm, err);
}

bool fg_certificate_realms_build(const fg_certificate_realms_t *from, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    size_t count = hub->home_realm_count;
    fg_home_realm_t *realms = fg_arena_alloc(arena, (count + from->count + 1) * sizeof *realms);
    if (realms == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading certificates");
    if (count > 0)
        memcpy(realms, hub->home_realms, count * sizeof *realms);
    for (size_t i = 0; i < from->count; i++, count++)
        if (!realm_build(&from->sources[i], arena, hub, realms, count, err))
            return false;
    hub->home_realms = realms;
    hub->home_realm_count = count;
    return true;
}

void fg_certificate_realms_refresh(fg_certificate_realms_t *realms, const fg_env_t *env) {
    for (size_t i = 0; i < realms->count; i++)
        fg_x509_trust_refresh(realms->sources[i].trust, env);
}
