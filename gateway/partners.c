/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/partners.h"

#include <stdlib.h>

#include "bridges/saml/party.h"
#include "core/file.h"
#include "gateway/certificates.h"
#include "gateway/openid_clients.h"
#include "gateway/rule_files.h"
#include "sts/federation_metadata.h"

#define METADATA_MAX (1u << 20)

/* What one section names. */
typedef struct source {
    const fg_config_partner_t *section;
    fg_key_t *certificate;           /* by hand; NULL: none */
    fg_key_t *metadata_certificate;  /* NULL: the metadata's signature is not asked for */
    fg_arena_t *arena;               /* of metadata */
    fg_partner_metadata_t *metadata; /* of WS-Federation; NULL: none */
    fg_saml_party_t *saml;           /* of SAML 2.0, of the same document; NULL: none */
    fg_file_stamp_t stamp;
    fg_ruleset_t *authorization_rules, *issuance_rules, *delegation_rules, *registration_rules; /* NULL: none */
} source_t;

struct fg_partners {
    const fg_config_t *config;
    source_t *sources;
    size_t count;
};

static void release_key(void *key) { fg_key_unref(key); }

/* ---- files */

typedef struct found {
    bool wsfed, saml;
} found_t;

/* One document may have a role of either protocol, or both, as that of AD FS has. */
static bool read_roles(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                       fg_partner_metadata_t *metadata, fg_saml_party_t *saml, found_t *found, fg_err_t *err) {
    if (!fg_saml_party_read(env, arena, xml, trust, FG_SAML_SERVICE_PROVIDER, saml, &found->saml, err))
        return false;
    fg_err_t why = FG_ERR_INIT;
    found->wsfed = fg_federation_metadata_read(env, arena, xml, trust, metadata, &why);
    if (found->wsfed || (found->saml && why.code == FG_E_XML_STRUCTURE))
        return true;
    if (err != NULL)
        *err = why;
    return false;
}

static bool read_metadata(source_t *source, const fg_env_t *env, fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(METADATA_MAX);
    const fg_key_t *key = source->metadata_certificate;
    const fg_dsig_trust_t trust = {&key, 1, false};
    fg_arena_t *arena = fg_arena_new(0);
    fg_partner_metadata_t *metadata = arena ? fg_arena_alloc(arena, sizeof *metadata) : NULL;
    fg_saml_party_t *saml = arena ? fg_arena_alloc(arena, sizeof *saml) : NULL;
    found_t found = {false, false};
    fg_file_stamp_t stamp = {0};
    bool ok = metadata != NULL && saml != NULL ? fg_file_read(source->section->metadata, &xml, &stamp, err)
                                               : FG_FAIL(err, FG_E_MEMORY, "reading metadata");
    ok = ok && read_roles(env, arena, fg_buf_str(&xml), key ? &trust : NULL, metadata, saml, &found, err);
    fg_buf_free(&xml);
    source->stamp = stamp; /* also of a file that is wrong: it is not looked at again until it changes */
    if (!ok) {
        fg_arena_free(arena);
        return false;
    }
    source->arena = arena;
    source->metadata = found.wsfed ? metadata : NULL;
    source->saml = found.saml ? saml : NULL;
    saml->keys.allow_sha1 = source->section->allow_sha1 == FG_CHOICE_YES;
    return true;
}

/* path NULL: *set stays NULL. */
static bool load_rules(const fg_config_at_t *at, const char *option, const char *path, const fg_rule_stores_t *stores,
                       fg_ruleset_t **set, fg_err_t *err) {
    if (path != NULL)
        *set = fg_config_rules_load(at, option, path, stores, err);
    return path == NULL || *set != NULL;
}

static bool read_rules(source_t *source, const fg_rule_stores_t *stores, fg_err_t *err) {
    const fg_config_partner_t *section = source->section;
    const fg_config_at_t *at = &section->at;
    if (section->issuance_rules != NULL && section->claims.count > 0)
        return fg_config_refuse(err, at, "issuance_rules", 0, "either claims or issuance_rules");
    return load_rules(at, "authorization_rules", section->authorization_rules, stores, &source->authorization_rules,
                      err) &&
           load_rules(at, "issuance_rules", section->issuance_rules, stores, &source->issuance_rules, err) &&
           load_rules(at, "delegation_rules", section->delegation_rules, stores, &source->delegation_rules, err) &&
           load_rules(at, "registration_rules", section->registration_rules, stores, &source->registration_rules, err);
}

static bool source_read(source_t *source, const fg_rule_stores_t *stores, const fg_env_t *env, fg_err_t *err) {
    const fg_config_partner_t *section = source->section;
    const fg_config_at_t *at = &section->at;
    if (section->certificate != NULL) {
        source->certificate = fg_config_certificate_load(at, "certificate", 0, section->certificate, err);
        if (source->certificate == NULL)
            return false;
        if (fg_key_is_ec(source->certificate))
            return fg_config_refuse(err, at, "certificate", 0,
                                    "a certificate with an RSA key (tokens are encrypted with RSA-OAEP)");
    }
    if (section->metadata_certificate != NULL) {
        if (section->metadata == NULL)
            return fg_config_refuse(err, at, "metadata_certificate", 0, "it beside metadata = \"FILE\" only");
        source->metadata_certificate =
            fg_config_certificate_load(at, "metadata_certificate", 0, section->metadata_certificate, err);
        if (source->metadata_certificate == NULL)
            return false;
    }
    fg_err_t why = FG_ERR_INIT;
    if (section->metadata != NULL && !read_metadata(source, env, &why))
        return fg_config_refuse(err, at, "metadata", 0, "a relying party's federation metadata (%s)", why.detail);
    if (section->allow_sha1 == FG_CHOICE_YES)
        fg_log(env, FG_LOG_WARN, "partner \"%s\": signatures with SHA-1 are accepted, which can be forged", at->title);
    if (source->certificate != NULL && fg_key_get_not_after(source->certificate) < fg_now(env))
        fg_log(env, FG_LOG_WARN, "partner \"%s\": the certificate %s has expired", at->title, section->certificate);
    return read_rules(source, stores, err);
}

fg_partners_t *fg_partners_new(const fg_config_t *config, const fg_rule_stores_t *stores, const fg_env_t *env,
                               fg_err_t *err) {
    fg_partners_t *partners = calloc(1, sizeof *partners);
    source_t *sources = calloc(config->partners.count + 1, sizeof *sources);
    if (partners == NULL || sources == NULL) {
        free(partners);
        free(sources);
        FG_FAIL(err, FG_E_MEMORY, "reading partners");
        return NULL;
    }
    *partners = (fg_partners_t){config, sources, config->partners.count};
    for (size_t i = 0; i < partners->count; i++) {
        sources[i].section = (const fg_config_partner_t *)config->partners.items + i;
        if (!source_read(&sources[i], stores, env, err)) {
            fg_partners_free(partners);
            return NULL;
        }
    }
    return partners;
}

void fg_partners_free(fg_partners_t *partners) {
    if (partners == NULL)
        return;
    for (size_t i = 0; i < partners->count; i++) {
        fg_key_unref(partners->sources[i].certificate);
        fg_key_unref(partners->sources[i].metadata_certificate);
        fg_arena_free(partners->sources[i].arena);
        fg_ruleset_free(partners->sources[i].authorization_rules);
        fg_ruleset_free(partners->sources[i].issuance_rules);
        fg_ruleset_free(partners->sources[i].delegation_rules);
        fg_ruleset_free(partners->sources[i].registration_rules);
    }
    free(partners->sources);
    free(partners);
}

/* ---- the table */

/* What is written by hand goes before what the metadata says. */
static bool put_strings(fg_arena_t *arena, const fg_config_list_t *by_hand, const fg_str_t *declared,
                        size_t declared_count, const fg_str_t **out, size_t *count) {
    const fg_str_t *from = by_hand->count > 0 ? by_hand->items : declared;
    *count = by_hand->count > 0 ? by_hand->count : declared_count;
    fg_str_t *copy = fg_arena_alloc(arena, (*count + 1) * sizeof *copy);
    for (size_t i = 0; copy != NULL && i < *count; i++) {
        copy[i] = fg_arena_str(arena, from[i]);
        if (copy[i].p == NULL)
            return false;
    }
    *out = copy;
    return copy != NULL;
}

/* The partner's certificate, and whether its tokens are encrypted to it. */
static bool put_certificate(const source_t *source, fg_arena_t *arena, fg_partner_t *partner, fg_err_t *err) {
    fg_key_t *key = source->certificate;
    if (key == NULL && source->metadata != NULL)
        key = source->metadata->encryption_key;
    if (key == NULL && source->saml != NULL)
        key = source->saml->encryption_key;
    if (source->section->encrypt == FG_CHOICE_YES && key == NULL)
        return fg_config_refuse(err, &source->section->at, "encrypt", 0,
                                "it beside a certificate, or metadata with one for encryption");
    if (key == NULL)
        return true;
    partner->certificate = fg_key_ref(key);
    if (source->section->encrypt != FG_CHOICE_NO)
        partner->encryption_key = partner->certificate;
    return fg_arena_own(arena, release_key, partner->certificate) || FG_FAIL(err, FG_E_MEMORY, "reading partners");
}

/* Which parts are encrypted in place of the whole. */
static bool put_parts(const source_t *source, fg_partner_t *partner, fg_err_t *err) {
    const fg_config_partner_t *s = source->section;
    const unsigned *parts = s->encrypt_parts.items;
    for (unsigned i = 0; i < s->encrypt_parts.count; i++) {
        partner->encrypt_name_id = partner->encrypt_name_id || parts[i] == FG_CONFIG_PART_NAME_ID;
        partner->encrypt_attributes = partner->encrypt_attributes || parts[i] == FG_CONFIG_PART_ATTRIBUTES;
    }
    return s->encrypt_parts.count == 0 || partner->encryption_key != NULL ||
           fg_config_refuse(
               err, &s->at, "encrypt_parts", 0,
               "a certificate for encryption beside it, in the metadata or by hand, and not encrypt = false");
}

/* What the active endpoints issue for it. */
static bool put_active(const source_t *source, fg_partner_t *partner, fg_err_t *err) {
    const fg_config_partner_t *s = source->section;
    const unsigned *kinds = s->key_types.items;
    for (unsigned i = 0; i < s->key_types.count; i++)
        partner->key_types |= kinds[i];
    partner->jwt = s->jwt == FG_CHOICE_YES;
    partner->renew_ms = s->renew_ms;
    if ((partner->key_types & 1u << FG_PROOF_SYMMETRIC) != 0 && partner->certificate == NULL)
        return fg_config_refuse(err, &s->at, "key_types", 0,
                                "a certificate beside \"symmetric\": the key in the token is encrypted to it");
    if (partner->jwt && partner->encryption_key != NULL)
        return fg_config_refuse(err, &s->at, "jwt", 0, "encrypt = false beside it: a JWT is not encrypted");
    return true;
}

static bool partner_build(const source_t *source, fg_arena_t *arena, fg_partner_t *partner, fg_err_t *err) {
    const fg_config_partner_t *s = source->section;
    const fg_partner_metadata_t saml_only = {
        .realms = {source->saml ? source->saml->entity_id : FG_STR_NONE},
        .realm_count = source->saml != NULL,
    };
    const fg_partner_metadata_t *m = source->metadata ? source->metadata : &saml_only;
    *partner = (fg_partner_t){
        .name = s->at.title,
        .display_name = s->display_name ? s->display_name : s->at.title,
        .token = s->token,
        .encryption = s->encryption,
        .token_fixed = s->token_only == FG_CHOICE_YES,
        .trust_version = s->trust,
        .token_lifetime_ms = s->lifetime_ms,
        .name_id_claim = s->name_id,
        .name_id_format = s->name_id_format.p,
        .claim_types = s->claims.items,
        .claim_type_count = s->claims.count,
        .authorization_rules = source->authorization_rules,
        .issuance_rules = source->issuance_rules,
        .delegation_rules = source->delegation_rules,
        .registration_rules = source->registration_rules,
    };
    if (!put_strings(arena, &s->realms, m->realms, m->realm_count, &partner->realms, &partner->realm_count) ||
        !put_strings(arena, &s->replies, m->reply_urls, m->reply_count, &partner->reply_urls, &partner->reply_count))
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    if (!fg_openid_client_build(s, arena, &partner->openid, err))
        return false;
    if (!fg_openid2_party_build(s, arena, &partner->openid2, err))
        return false;
    if (partner->realm_count == 0 && partner->openid == NULL && partner->openid2 == NULL)
        return fg_config_refuse(
            err, &s->at, "realm", 0,
            "realm = {\"urn:…\"}, metadata = \"FILE\", client_id or openid2_realm in partner \"%s\"", s->at.title);
    if (s->lifetime_ms == 0)
        return fg_config_refuse(err, &s->at, "lifetime", 0, "a duration longer than nothing");
    partner->saml = source->saml ? fg_saml_party_copy(arena, source->saml) : NULL;
    if (source->saml != NULL && partner->saml == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    partner->sign_response = s->sign_response == FG_CHOICE_YES;
    partner->attribute_name_format = s->attribute_name_format;
    partner->requested_only = s->requested_only == FG_CHOICE_YES;
    partner->attribute_queries = s->attribute_queries == FG_CHOICE_YES;
    if (partner->saml != NULL)
        partner->facts = partner->saml->facts;
    partner->sign_out_url = s->sign_out;
    if (s->sign_out.n == 0 && partner->reply_count > 0)
        partner->sign_out_url = partner->reply_urls[0];
    return put_certificate(source, arena, partner, err) && put_parts(source, partner, err) &&
           put_active(source, partner, err);
}

/* Two neighbours in the index with the same realm: refused at the one that stands later. */
static bool refuse_twice(const fg_partners_t *partners, const fg_hub_t *hub, const fg_partner_t *a,
                         const fg_partner_t *b, fg_str_t realm, fg_err_t *err) {
    const fg_partner_t *later = a > b ? a : b, *earlier = a > b ? b : a;
    const source_t *source = &partners->sources[later - hub->partners];
    bool by_hand = source->section->realms.count > 0;
    unsigned index = 0;
    while (index < later->realm_count && !fg_str_eq(later->realms[index], realm))
        index++;
    return fg_config_refuse(err, &source->section->at, by_hand ? "realm" : "metadata", by_hand ? index : 0,
                            "a realm that no other partner has (\"%.*s\" is partner \"%s\"'s)", FG_STR_ARG(realm),
                            earlier->name);
}

static bool index_build(const fg_partners_t *partners, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < hub->partner_count; i++)
        all += hub->partners[i].realm_count;
    fg_realm_entry_t *index = fg_arena_alloc(arena, (all + 1) * sizeof *index);
    if (index == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    all = 0;
    for (size_t i = 0; i < hub->partner_count; i++)
        for (size_t k = 0; k < hub->partners[i].realm_count; k++)
            index[all++] = (fg_realm_entry_t){hub->partners[i].realms[k], &hub->partners[i]};
    qsort(index, all, sizeof *index, fg_realm_entry_compare);
    for (size_t i = 0; i < all; i++) {
        bool same = kept > 0 && fg_str_eq(index[kept - 1].realm, index[i].realm);
        if (same && index[kept - 1].partner != index[i].partner)
            return refuse_twice(partners, hub, index[kept - 1].partner, index[i].partner, index[i].realm, err);
        if (!same)
            index[kept++] = index[i];
    }
    hub->realm_index = index;
    hub->realm_count = kept;
    return true;
}

static bool clients_build(const fg_partners_t *partners, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    const fg_partner_t *twice;
    if (!fg_openid_clients_index(hub, arena, &twice, err))
        return false;
    if (twice != NULL)
        return fg_config_refuse(err, &partners->sources[twice - hub->partners].section->at, "client_id", 0,
                                "a client_id that no other partner has");
    fg_openid2_parties_check(hub, &twice);
    return twice == NULL ||
           fg_config_refuse(err, &partners->sources[twice - hub->partners].section->at, "openid2_realm", 0,
                            "realms that no other partner has, and openid2_open at one partner only");
}

/* The claims viewer is a relying party like others: it needs a registration that sends people to it. */
static bool viewer_build(const fg_config_t *config, fg_hub_t *hub, fg_err_t *err) {
    if (config->viewer.path == NULL)
        return true;
    const fg_config_at_t at = fg_config_place(config, "viewer");
    hub->viewer_path = config->viewer.path;
    hub->viewer = fg_hub_find_partner(hub, config->viewer.realm);
    if (hub->viewer == NULL)
        return fg_config_refuse(err, &at, "realm", 0, "the realm of one of the partners");
    size_t base = hub->base_url.n, path = strlen(hub->viewer_path);
    for (size_t i = 0; i < hub->viewer->reply_count; i++) {
        fg_str_t reply = hub->viewer->reply_urls[i];
        if (reply.n == base + path && memcmp(reply.p, hub->base_url.p, base) == 0 &&
            memcmp(reply.p + base, hub->viewer_path, path) == 0)
            return true;
    }
    return fg_config_refuse(err, &at, "path", 0, "reply = {\"%.*s%s\"} in partner \"%s\"", FG_STR_ARG(hub->base_url),
                            hub->viewer_path, hub->viewer->name);
}

/* Clients that register themselves are like that partner; where there is none, nobody can. */
static bool registration_build(const fg_partners_t *partners, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) {
    for (size_t i = 0; i < hub->partner_count; i++) {
        const fg_partner_t *partner = &hub->partners[i];
        const fg_config_at_t *at = &partners->sources[i].section->at;
        if (partner->registration_rules == NULL)
            continue;
        if (hub->registered != NULL || partner->openid != NULL || partner->realm_count == 0)
            return fg_config_refuse(err, at, "registration_rules", 0,
                                    "it in one partner, which has a realm and no client_id");
        hub->registered = partner;
    }
    hub->registered_folder = fg_arena_printf(arena, "%s/clients", partners->config->state);
    hub->fetched_folder = fg_arena_printf(arena, "%s/fetched", partners->config->state);
    return (hub->registered_folder != NULL && hub->fetched_folder != NULL) ||
           FG_FAIL(err, FG_E_MEMORY, "reading partners");
}

bool fg_partners_build(const fg_partners_t *partners, const fg_env_t *env, fg_arena_t *arena, fg_hub_t *hub,
                       fg_err_t *err) {
    fg_partner_t *table = fg_arena_alloc(arena, (partners->count + 1) * sizeof *table);
    if (table == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading partners");
    hub->partners = table;
    hub->partner_count = partners->count;
    for (size_t i = 0; i < partners->count; i++) {
        if (!partner_build(&partners->sources[i], arena, &table[i], err))
            return false;
        for (size_t k = 0; k < table[i].reply_count; k++)
            if (fg_str_starts(table[i].reply_urls[k], "http:"))
                fg_log(env, FG_LOG_WARN, "partner \"%s\": tokens travel unprotected to %.*s", table[i].name,
                       FG_STR_ARG(table[i].reply_urls[k]));
    }
    return index_build(partners, arena, hub, err) && clients_build(partners, arena, hub, err) &&
           viewer_build(partners->config, hub, err) && registration_build(partners, arena, hub, err);
}

/* ---- refreshing */

void fg_partners_refresh(fg_partners_t *partners, const fg_env_t *env,
                         bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context) {
    for (size_t i = 0; i < partners->count; i++) {
        source_t *source = &partners->sources[i], before = *source;
        fg_file_stamp_t stamp;
        if (source->section->metadata == NULL || !fg_file_stamp(source->section->metadata, &stamp) ||
            fg_file_stamp_eq(&stamp, &source->stamp))
            continue;
        fg_err_t err = FG_ERR_INIT;
        bool read = read_metadata(source, env, &err);
        if (read && rebuild(context, env, &err)) {
            fg_arena_free(before.arena);
            fg_log(env, FG_LOG_NOTICE, "partner \"%s\": metadata %s read again", source->section->at.title,
                   source->section->metadata);
            continue;
        }
        if (read) {
            fg_arena_free(source->arena);
            source->arena = before.arena;
            source->metadata = before.metadata;
            source->saml = before.saml;
        }
        fg_log(env, FG_LOG_ERROR, "partner \"%s\": metadata %s is refused and the last good one stays: %s",
               source->section->at.title, source->section->metadata, err.detail);
    }
}
