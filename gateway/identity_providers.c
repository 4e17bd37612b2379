/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/identity_providers.h"

#include <stdlib.h>

#include "bridges/saml/party.h"
#include "core/crypto.h"
#include "core/file.h"
#include "gateway/certificates.h"
#include "gateway/openid_clients.h"
#include "gateway/openid_providers.h"
#include "gateway/rule_files.h"
#include "sts/federation_metadata.h"

#define METADATA_MAX (1u << 20)
#define JWKS_MAX (256u << 10)

/* What one section names. */
typedef struct source {
    const fg_config_provider_t *section;
    fg_key_t **certificates; /* by hand: as many as the section names */
    size_t certificate_count;
    fg_key_t **vouchers;
    size_t voucher_count;
    fg_key_t *metadata_certificate;   /* NULL: the metadata's signature is not asked for */
    fg_ruleset_t *acceptance_rules;   /* NULL: none */
    fg_arena_t *arena;                /* of metadata */
    fg_provider_metadata_t *metadata; /* of the protocol that it is to speak; NULL: none */
    fg_saml_party_t *saml;            /* NULL: it is to speak WS-Federation */
    fg_file_stamp_t stamp;
    fg_arena_t *jwks_arena; /* of jwks */
    fg_str_t jwks;          /* a JWK set that can be read; .p NULL: none */
    fg_file_stamp_t jwks_stamp;
    fg_openid_upstream_t *upstream; /* NULL: it is not to speak OpenID Connect */
} source_t;

struct fg_identity_providers {
    source_t *sources;
    size_t count;
};

static void release_key(void *key) { fg_key_unref(key); }

/* ---- files */

/* What both protocols need to know, from SAML 2.0's role. */
static bool read_saml_role(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                           fg_provider_metadata_t *metadata, fg_saml_party_t **saml, fg_err_t *err) {
    bool found;
    fg_saml_party_t *party = fg_arena_alloc(arena, sizeof *party);
    if (party == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading metadata");
    if (!fg_saml_party_read(env, arena, xml, trust, FG_SAML_IDENTITY_PROVIDER, party, &found, err))
        return false;
    if (!found)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "no IDPSSODescriptor for SAML 2.0");
    const fg_saml_endpoint_t *service = fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_REDIRECT);
    if (service == NULL)
        service = fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_POST);
    *metadata = (fg_provider_metadata_t){
        .entity_id = party->entity_id,
        .sign_in_url = service ? service->location : FG_STR_NONE,
        .keys = party->keys,
        .valid_until_ms = party->valid_until_ms,
    };
    *saml = party;
    return true;
}

/* The role of the protocol that the section names, else of WS-Federation, else of SAML 2.0: AD FS has both. */
static bool read_role(const source_t *source, const fg_env_t *env, fg_arena_t *arena, fg_str_t xml,
                      const fg_dsig_trust_t *trust, fg_provider_metadata_t *metadata, fg_saml_party_t **saml,
                      fg_err_t *err) {
    fg_config_protocol_t protocol = source->section->protocol;
    fg_err_t why = FG_ERR_INIT, *wsfed_err = protocol == FG_CONFIG_WSFED ? err : &why;
    if (protocol != FG_CONFIG_SAML && fg_provider_metadata_read(env, arena, xml, trust, metadata, wsfed_err))
        return true;
    if (protocol == FG_CONFIG_WSFED)
        return false;
    if (read_saml_role(env, arena, xml, trust, metadata, saml, err))
        return true;
    if (protocol == FG_CONFIG_PROTOCOL_ANY && err != NULL)
        *err = why;
    return false;
}

static bool read_metadata(source_t *source, const fg_env_t *env, fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(METADATA_MAX);
    const fg_key_t *key = source->metadata_certificate;
    const fg_dsig_trust_t trust = {&key, 1, source->section->allow_sha1 == FG_CHOICE_YES};
    fg_arena_t *arena = fg_arena_new(0);
    fg_provider_metadata_t *metadata = arena ? fg_arena_alloc(arena, sizeof *metadata) : NULL;
    fg_saml_party_t *saml = NULL;
    fg_file_stamp_t stamp = {0};
    bool ok = metadata != NULL ? fg_file_read(source->section->metadata, &xml, &stamp, err)
                               : FG_FAIL(err, FG_E_MEMORY, "reading metadata");
    ok = ok && read_role(source, env, arena, fg_buf_str(&xml), key ? &trust : NULL, metadata, &saml, err);
    fg_buf_free(&xml);
    source->stamp = stamp; /* also of a file that is wrong: it is not looked at again until it changes */
    if (!ok) {
        fg_arena_free(arena);
        return false;
    }
    source->arena = arena;
    source->metadata = metadata;
    source->saml = saml;
    if (saml != NULL)
        saml->keys.allow_sha1 = source->section->allow_sha1 == FG_CHOICE_YES;
    return true;
}

static bool read_jwks(source_t *source, fg_err_t *err) {
    fg_buf_t json = FG_BUF_INIT(JWKS_MAX);
    fg_arena_t *arena = fg_arena_new(0);
    fg_jwk_set_t set;
    fg_file_stamp_t stamp = {0};
    fg_str_t text = FG_STR_NONE;
    bool ok = arena != NULL && fg_file_read(source->section->jwks, &json, &stamp, err);
    if (ok)
        text = fg_arena_str(arena, fg_buf_str(&json));
    fg_buf_free(&json);
    source->jwks_stamp = stamp;
    if (ok && text.p == NULL)
        ok = FG_FAIL(err, FG_E_MEMORY, "reading a JWK set");
    if (ok)
        ok = fg_jwk_set_read(arena, text, &set, err);
    if (ok && set.count == 0)
        ok = FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no key for signatures in it");
    if (!ok) {
        fg_arena_free(arena);
        return false;
    }
    source->jwks_arena = arena;
    source->jwks = text;
    return true;
}

/* The certificates in the files that an option names. */
static bool read_list(const source_t *source, const char *option, const fg_config_list_t *list, const fg_env_t *env,
                      fg_key_t ***keys, size_t *count, fg_err_t *err) {
    const fg_config_at_t *at = &source->section->at;
    const char *const *paths = list->items;
    *keys = calloc(list->count + 1, sizeof(fg_key_t *));
    if (*keys == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    for (unsigned i = 0; i < list->count; i++) {
        fg_key_t *key = fg_config_certificate_load(at, option, i, paths[i], err);
        if (key == NULL)
            return false;
        (*keys)[(*count)++] = key;
        if (fg_key_get_not_after(key) < fg_now(env))
            fg_log(env, FG_LOG_WARN, "identity provider \"%s\": the certificate %s has expired", at->title, paths[i]);
    }
    return true;
}

static bool read_certificates(source_t *source, const fg_env_t *env, fg_err_t *err) {
    const fg_config_provider_t *section = source->section;
    return read_list(source, "certificate", &section->certificates, env, &source->certificates,
                     &source->certificate_count, err) &&
           read_list(source, "vouched_by", &section->vouched_by, env, &source->vouchers, &source->voucher_count, err);
}

static bool read_metadata_certificate(source_t *source, fg_err_t *err) {
    const fg_config_provider_t *section = source->section;
    if (section->metadata_certificate == NULL)
        return true;
    if (section->metadata == NULL)
        return fg_config_refuse(err, &section->at, "metadata_certificate", 0, "it beside metadata = \"FILE\" only");
    source->metadata_certificate =
        fg_config_certificate_load(&section->at, "metadata_certificate", 0, section->metadata_certificate, err);
    return source->metadata_certificate != NULL;
}

static bool read_acceptance(source_t *source, const fg_rule_stores_t *stores, fg_err_t *err) {
    const fg_config_provider_t *section = source->section;
    if (section->acceptance_rules == NULL)
        return true;
    source->acceptance_rules =
        fg_config_rules_load(&section->at, "acceptance_rules", section->acceptance_rules, stores, err);
    return source->acceptance_rules != NULL;
}

static bool source_read(source_t *source, const fg_rule_stores_t *stores, const fg_env_t *env, fg_err_t *err) {
    const fg_config_provider_t *section = source->section;
    fg_err_t why = FG_ERR_INIT;
    if (!read_certificates(source, env, err) || !read_metadata_certificate(source, err))
        return false;
    if (section->protocol == FG_CONFIG_OPENID && (source->upstream = fg_openid_upstream_new()) == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    if (section->protocol != FG_CONFIG_OPENID && section->client_id != NULL)
        return fg_config_refuse(err, &section->at, "client_id", 0, "it beside protocol = \"openid\" only");
    if (source->upstream != NULL) /* its metadata and keys are fetched */
        return read_acceptance(source, stores, err);
    if (section->metadata != NULL && !read_metadata(source, env, &why))
        return fg_config_refuse(err, &section->at, "metadata", 0, "an identity provider's federation metadata (%s)",
                                why.detail);
    if (section->jwks != NULL && !read_jwks(source, &why))
        return fg_config_refuse(err, &section->at, "jwks", 0, "a JWK set (%s)", why.detail);
    if (section->allow_sha1 == FG_CHOICE_YES)
        fg_log(env, FG_LOG_WARN, "identity provider \"%s\": signatures with SHA-1 are accepted, which can be forged",
               section->at.title);
    return read_acceptance(source, stores, err);
}

fg_identity_providers_t *fg_identity_providers_new(const fg_config_t *config, const fg_rule_stores_t *stores,
                                                   const fg_env_t *env, fg_err_t *err) {
    fg_identity_providers_t *providers = calloc(1, sizeof *providers);
    source_t *sources = calloc(config->providers.count + 1, sizeof *sources);
    if (providers == NULL || sources == NULL) {
        free(providers);
        free(sources);
        FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
        return NULL;
    }
    *providers = (fg_identity_providers_t){sources, config->providers.count};
    for (size_t i = 0; i < providers->count; i++) {
        sources[i].section = (const fg_config_provider_t *)config->providers.items + i;
        if (!source_read(&sources[i], stores, env, err)) {
            fg_identity_providers_free(providers);
            return NULL;
        }
    }
    return providers;
}

void fg_identity_providers_free(fg_identity_providers_t *providers) {
    if (providers == NULL)
        return;
    for (size_t i = 0; i < providers->count; i++) {
        source_t *source = &providers->sources[i];
        for (size_t k = 0; k < source->certificate_count; k++)
            fg_key_unref(source->certificates[k]);
        free(source->certificates);
        for (size_t k = 0; k < source->voucher_count; k++)
            fg_key_unref(source->vouchers[k]);
        free(source->vouchers);
        fg_key_unref(source->metadata_certificate);
        fg_ruleset_free(source->acceptance_rules);
        fg_arena_free(source->arena);
        fg_arena_free(source->jwks_arena);
        fg_openid_upstream_free(source->upstream);
    }
    free(providers->sources);
    free(providers);
}

/* ---- the table */

/* What is written by hand goes before what the metadata says; a copy, as the metadata may be replaced. */
static bool put(fg_arena_t *arena, fg_str_t by_hand, fg_str_t declared, fg_str_t *out) {
    *out = by_hand.n > 0 ? by_hand : declared.n > 0 ? fg_arena_str(arena, declared) : FG_STR_NONE;
    return by_hand.n > 0 || declared.n == 0 || out->p != NULL;
}

/* As AD FS names its keys in JWTs (x5t of RFC 7515 §4.1.7). */
static fg_str_t make_kid(fg_arena_t *arena, const fg_key_t *key) {
    unsigned char *der = NULL, digest[20];
    int length = i2d_X509(fg_key_get_x509(key), &der);
    if (length <= 0)
        return FG_STR_NONE;
    fg_buf_t text = FG_BUF_INIT(64);
    fg_sha1(der, (size_t)length, digest);
    OPENSSL_free(der);
    fg_base64url_encode(&text, digest, sizeof digest);
    fg_str_t kid = fg_buf_ok(&text) ? fg_arena_str(arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return kid;
}

static bool has_kid(const fg_jwk_set_t *set, fg_str_t kid) {
    for (size_t i = 0; i < set->count; i++)
        if (fg_str_eq(set->items[i].kid, kid))
            return true;
    return false;
}

/* Keys of JWTs: those of the JWK set, and the certificates' that it does not name. */
static bool put_jwks(const source_t *source, fg_arena_t *arena, fg_key_t *const *certificates,
                     fg_identity_provider_t *provider, fg_err_t *err) {
    fg_jwk_set_t set = {0}, *all = &provider->jwks;
    if (source->jwks.p != NULL && !fg_jwk_set_read(arena, source->jwks, &set, err))
        return false;
    all->items = fg_arena_alloc(arena, (set.count + provider->key_count + 1) * sizeof *all->items);
    if (all->items == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    for (size_t i = 0; i < set.count; i++)
        all->items[all->count++] = set.items[i];
    for (size_t i = 0; i < provider->key_count; i++) {
        fg_str_t kid = make_kid(arena, certificates[i]);
        if (kid.p == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
        if (!has_kid(&set, kid))
            all->items[all->count++] = (fg_jwk_t){certificates[i], kid, FG_STR_NONE};
    }
    return true;
}

/* Keys that live as long as the arena does; NULL: memory. */
static const fg_key_t *const *share(fg_arena_t *arena, fg_key_t *const *from, size_t count) {
    const fg_key_t **keys = fg_arena_alloc(arena, (count + 1) * sizeof(const fg_key_t *));
    for (size_t i = 0; keys != NULL && i < count; i++) {
        keys[i] = from[i];
        if (!fg_arena_own(arena, release_key, fg_key_ref(from[i])))
            return NULL;
    }
    return keys;
}

static bool put_keys(const source_t *source, fg_arena_t *arena, fg_identity_provider_t *provider, fg_err_t *err) {
    const fg_provider_metadata_t *m = source->metadata;
    bool by_hand = source->certificate_count > 0;
    if (provider->openid2 != NULL) /* its keys are associations */
        return true;
    fg_key_t *const *from = by_hand ? source->certificates : m ? m->keys.items : NULL;
    size_t count = by_hand ? source->certificate_count : m ? m->keys.count : 0;
    if (count == 0 && source->jwks.p == NULL)
        return fg_config_refuse(err, &source->section->at, "certificate", 0,
                                "certificate = {\"FILE\"} or metadata = \"FILE\" in identity_provider \"%s\"",
                                source->section->at.title);
    provider->keys = share(arena, from, count);
    provider->vouchers = share(arena, source->vouchers, source->voucher_count);
    if (provider->keys == NULL || provider->vouchers == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    provider->key_count = count;
    provider->voucher_count = source->voucher_count;
    return put_jwks(source, arena, from, provider, err);
}

static bool build_openid(const source_t *source, fg_arena_t *arena, fg_identity_provider_t *provider, fg_err_t *err) {
    const fg_config_provider_t *s = source->section;
    *provider = (fg_identity_provider_t){
        .name = s->at.title,
        .protocol = FG_PROTOCOL_OPENID,
        .issuer = s->issuer,
        .realm = fg_str(s->client_id), /* the audience of its ID tokens */
        .sign_in_url = s->issuer,      /* people can be sent there; where to, its metadata says */
        .sign_out_url = s->issuer,
        .max_lifetime_ms = s->lifetime_limit_ms,
    };
    return fg_openid_provider_build(s, arena, source->upstream, &provider->openid, err);
}

/* What of SAML 2.0 is asked for must be in its metadata. */
static bool put_saml(const source_t *source, fg_identity_provider_t *provider, fg_err_t *err) {
    const fg_config_provider_t *s = source->section;
    const fg_saml_party_t *saml = source->saml;
    provider->artifacts = s->artifacts == FG_CHOICE_YES;
    provider->encrypt_name_id = s->encrypt_name_id == FG_CHOICE_YES;
    if (provider->artifacts &&
        (saml == NULL || fg_saml_party_endpoint(saml, FG_SAML_ARTIFACT_RESOLUTION, FG_SAML_SOAP) == NULL))
        return fg_config_refuse(err, &s->at, "artifacts", 0,
                                "metadata of SAML 2.0 with an ArtifactResolutionService beside it");
    return !provider->encrypt_name_id || (saml != NULL && saml->encryption_key != NULL) ||
           fg_config_refuse(err, &s->at, "encrypt_name_id", 0,
                            "metadata of SAML 2.0 with a certificate for encryption beside it");
}

static bool provider_build(const source_t *source, fg_arena_t *arena, const fg_hub_t *hub,
                           fg_identity_provider_t *provider, fg_err_t *err) {
    const fg_config_provider_t *s = source->section;
    static const fg_provider_metadata_t nothing;
    if (source->upstream != NULL)
        return build_openid(source, arena, provider, err);
    const fg_provider_metadata_t *m = source->metadata ? source->metadata : &nothing;
    *provider = (fg_identity_provider_t){
        .name = s->at.title,
        .realm = s->realm.n > 0 ? s->realm : hub->entity_id,
        .protocol = source->saml ? FG_PROTOCOL_SAML : FG_PROTOCOL_WSFED,
        .saml = source->saml ? fg_saml_party_copy(arena, source->saml) : NULL,
        .unconfirmed = s->unconfirmed == FG_CHOICE_YES,
        .allow_sha1 = s->allow_sha1 == FG_CHOICE_YES,
        .max_lifetime_ms = s->lifetime_limit_ms,
    };
    if (source->saml != NULL && provider->saml == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    if (!put(arena, s->issuer, m->entity_id, &provider->issuer) ||
        !put(arena, s->sign_in, m->sign_in_url, &provider->sign_in_url))
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    if (!fg_openid2_source_build(s, arena, &provider->openid2, err))
        return false;
    if (provider->openid2 != NULL) {
        provider->protocol = FG_PROTOCOL_OPENID2;
        provider->sign_in_url = provider->openid2->identifier;
        if (provider->issuer.n == 0)
            provider->issuer = provider->openid2->identifier;
    }
    provider->sign_out_url = s->sign_out.n > 0 ? s->sign_out : provider->sign_in_url;
    if (provider->issuer.n == 0)
        return fg_config_refuse(err, &s->at, "issuer", 0,
                                "issuer = \"urn:…\" or metadata = \"FILE\" in identity_provider \"%s\"", s->at.title);
    return put_saml(source, provider, err) && put_keys(source, arena, provider, err);
}

/* whr must lead to one home realm, and a token's issuer to one provider. */
static bool check_unique(const source_t *source, const fg_home_realm_t *realms, size_t count, fg_err_t *err) {
    const fg_home_realm_t *last = &realms[count];
    const fg_config_provider_t *s = source->section;
    for (size_t i = 0; i < count; i++) {
        const fg_identity_provider_t *other = realms[i].identity_provider;
        if (other != NULL && fg_str_eq(other->issuer, last->identity_provider->issuer))
            return fg_config_refuse(err, &s->at, s->issuer.n > 0 ? "issuer" : "metadata", 0,
                                    "an issuer that no other identity provider has (\"%.*s\" is \"%s\"'s)",
                                    FG_STR_ARG(other->issuer), other->name);
        if (fg_str_eq(realms[i].uri, last->uri))
            return fg_config_refuse(err, &s->at, "uri", 0, "a URI that no other home realm has (it is \"%s\"'s)",
                                    realms[i].display_name);
    }
    return true;
}

bool fg_identity_providers_build(const fg_identity_providers_t *providers, fg_arena_t *arena, fg_hub_t *hub,
                                 fg_err_t *err) {
    size_t count = hub->home_realm_count;
    fg_home_realm_t *realms = fg_arena_alloc(arena, (count + providers->count + 1) * sizeof *realms);
    fg_identity_provider_t *table = fg_arena_alloc(arena, (providers->count + 1) * sizeof *table);
    if (realms == NULL || table == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading identity providers");
    if (count > 0)
        memcpy(realms, hub->home_realms, count * sizeof *realms);
    for (size_t i = 0; i < providers->count; i++, count++) {
        const source_t *source = &providers->sources[i];
        const fg_config_provider_t *s = source->section;
        if (!provider_build(source, arena, hub, &table[i], err))
            return false;
        realms[count] = (fg_home_realm_t){
            .uri = s->uri.n > 0 ? s->uri : table[i].issuer,
            .display_name = s->display_name ? s->display_name : s->at.title,
            .identity_provider = &table[i],
            .domains = s->domains.items,
            .domain_count = s->domains.count,
            .facts = table[i].saml != NULL ? table[i].saml->facts : (fg_claims_t){0},
            .acceptance_rules = source->acceptance_rules,
        };
        if (!check_unique(source, realms, count, err))
            return false;
    }
    hub->home_realms = realms;
    hub->home_realm_count = count;
    return true;
}

/* ---- refreshing */

/* One file of a provider: read again if it changed.  What was there before is put back if it is wrong. */
typedef struct file {
    const char *what;
    const char *path; /* NULL: none */
    bool (*read)(source_t *source, const fg_env_t *env, fg_err_t *err);
    fg_file_stamp_t *stamp;
    fg_arena_t **arena;
} file_t;

static bool read_jwks_again(source_t *source, const fg_env_t *env, fg_err_t *err) {
    (void)env;
    return read_jwks(source, err);
}

static void refresh_file(source_t *source, const file_t *file, const fg_env_t *env,
                         bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context) {
    const char *title = source->section->at.title;
    fg_file_stamp_t stamp, read_stamp;
    if (file->path == NULL || !fg_file_stamp(file->path, &stamp) || fg_file_stamp_eq(&stamp, file->stamp))
        return;
    const source_t before = *source;
    fg_arena_t *before_arena = *file->arena;
    fg_err_t err = FG_ERR_INIT;
    bool read = file->read(source, env, &err);
    if (read && rebuild(context, env, &err)) {
        fg_arena_free(before_arena);
        fg_log(env, FG_LOG_NOTICE, "identity provider \"%s\": %s %s read again", title, file->what, file->path);
        return;
    }
    if (read)
        fg_arena_free(*file->arena);
    read_stamp = *file->stamp;
    *source = before;
    *file->stamp = read_stamp;
    fg_log(env, FG_LOG_ERROR, "identity provider \"%s\": %s %s is refused and the last good one stays: %s", title,
           file->what, file->path, err.detail);
}

void fg_identity_providers_refresh(fg_identity_providers_t *providers, const fg_env_t *env,
                                   bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context) {
    for (size_t i = 0; i < providers->count; i++) {
        source_t *source = &providers->sources[i];
        const file_t files[] = {
            {"metadata", source->section->metadata, read_metadata, &source->stamp, &source->arena},
            {"JWK set", source->section->jwks, read_jwks_again, &source->jwks_stamp, &source->jwks_arena},
        };
        for (size_t k = 0; k < FG_ARRAY_SIZE(files); k++)
            refresh_file(source, &files[k], env, rebuild, context);
    }
}
