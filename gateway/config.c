/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/config.h"

#include <confuse.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/spell.h"

#define FILE_MAX (1u << 20)
#define FILES_MAX 4096u

/* ---- the grammar: one row per option */

#define ROW(option, kind, field, ...) \
    { option, &fg_config_##kind##_kind, offsetof(STRUCT, field), __VA_ARGS__ }
#define ONE false
#define LIST true

#define STRUCT fg_config_t
/* option, kind, field, list, required, fallback */
static const fg_config_option_t root_options[] = {
    ROW("base_url", base, base_url, ONE, "base_url = \"https://fs.example.com\"", NULL),
    ROW("entity_id", uri, entity_id, ONE, NULL, NULL),
    ROW("organisation", text, organisation, ONE, NULL, NULL),
    ROW("logo_url", logo, logo_url, ONE, NULL, NULL),
    ROW("colour", colour, colour, ONE, NULL, "#1f6feb"),
    ROW("contact", text, contact, ONE, NULL, NULL),
    ROW("list_applications", choice, list_applications, ONE, NULL, "false"),
    ROW("pages", path, pages, ONE, NULL, NULL),
    ROW("audit_log", path, audit_log, ONE, NULL, NULL),
    ROW("state", path, state, ONE, NULL, FG_STATE_DIR),
    ROW("store_size", size, store_size, ONE, NULL, "8m"),
    ROW("skew", duration, skew_ms, ONE, NULL, "3m"),
    ROW("trusted_proxies", network, trusted_proxies, LIST, NULL, NULL),
    ROW("include", path, include, LIST, NULL, NULL),
};

static const fg_config_option_t keys_options[] = {
    ROW("signing", key, keys.signing, ONE, NULL, "rsa-2048"),
    ROW("encryption", rsa, keys.encryption, ONE, NULL, "rsa-2048"),
    ROW("lifetime", duration, keys.lifetime_ms, ONE, NULL, "365d"),
    ROW("publish", duration, keys.publish_ms, ONE, NULL, "20d"),
};

static const fg_config_option_t session_options[] = {
    ROW("idle", duration, session.idle_ms, ONE, NULL, "1h"),
    ROW("absolute", duration, session.absolute_ms, ONE, NULL, "8h"),
};

static const fg_config_option_t lockout_options[] = {
    ROW("account_failures", count, lockout.account_failures, ONE, NULL, "5"),
    ROW("address_failures", count, lockout.address_failures, ONE, NULL, "20"),
    ROW("first_wait", duration, lockout.first_wait_ms, ONE, NULL, "1s"),
    ROW("longest_wait", duration, lockout.longest_wait_ms, ONE, NULL, "15m"),
};

static const fg_config_option_t limits_options[] = {
    ROW("body", size, limits.body, ONE, NULL, "256k"),
    ROW("xml_depth", count, limits.xml_depth, ONE, NULL, "64"),
    ROW("xml_elements", count, limits.xml_elements, ONE, NULL, "20000"),
    ROW("xml_attributes", count, limits.xml_attributes, ONE, NULL, "64"),
    ROW("xml_namespaces", count, limits.xml_namespaces, ONE, NULL, "64"),
};

static const fg_config_option_t viewer_options[] = {
    ROW("path", place, viewer.path, ONE, "path = \"/demo/\"", NULL),
    ROW("realm", uri, viewer.realm, ONE, "realm = \"urn:…\"", NULL),
};
#undef STRUCT

#define STRUCT fg_config_t
static const fg_config_option_t fetch_options[] = {
    ROW("allow", fetch, fetch.allow, LIST, NULL, NULL),
    ROW("ca", path, fetch.ca, ONE, NULL, NULL),
    ROW("timeout", duration, fetch.timeout_ms, ONE, NULL, "5s"),
    ROW("size", size, fetch.size, ONE, NULL, "1m"),
};
#undef STRUCT

#define STRUCT fg_config_t
static const fg_config_option_t delegation_options[] = {
    ROW("keytab", path, delegation.keytab, ONE, "keytab = \"FILE\"", NULL),
    ROW("principal", text, delegation.principal, ONE, "principal = \"svc-gw@EXAMPLE.COM\"", NULL),
    ROW("realms", string, delegation.realms, LIST, NULL, NULL),
    ROW("timeout", duration, delegation.timeout_ms, ONE, NULL, "3s"),
};
#undef STRUCT

#define STRUCT fg_config_t
static const fg_config_option_t discovery_options[] = {
    ROW("service", web, discovery.service, ONE, "service = \"https://…\"", NULL),
};
#undef STRUCT

#define STRUCT fg_config_t
static const fg_config_option_t kerberos_options[] = {
    ROW("keytab", path, kerberos.keytab, ONE, "keytab = \"http.keytab\"", NULL),
    ROW("realms", string, kerberos.realms, LIST, NULL, NULL),
    ROW("directory", text, kerberos.directory, ONE, NULL, NULL),
    ROW("ticket_suffices", choice, kerberos.ticket_suffices, ONE, NULL, "false"),
    ROW("machines", choice, kerberos.machines, ONE, NULL, "false"),
    ROW("agents", text, kerberos.agents, LIST, NULL, NULL),
    ROW("networks", network, kerberos.networks, LIST, NULL, NULL),
};
#undef STRUCT

#define STRUCT fg_config_federation_t
static const fg_config_option_t federation_options[] = {
    ROW("metadata", path, metadata, ONE, NULL, NULL),
    ROW("folder", path, folder, ONE, NULL, NULL),
    ROW("url", web, url, ONE, NULL, NULL),
    ROW("certificate", path, certificates, LIST, NULL, NULL),
    ROW("role", role, roles, ONE, NULL, "both"),
    ROW("refresh", duration, refresh_ms, ONE, NULL, "6h"),
    ROW("size", size, size, ONE, NULL, "128m"),
    ROW("lifetime", duration, lifetime_ms, ONE, NULL, "1h"),
    ROW("lifetime_limit", duration, lifetime_limit_ms, ONE, NULL, NULL),
    ROW("name_id", claim, name_id, ONE, NULL, NULL),
    ROW("name_id_format", uri, name_id_format, ONE, NULL, NULL),
    ROW("claims", claim, claims, LIST, NULL, NULL),
    ROW("authorization_rules", path, authorization_rules, ONE, NULL, NULL),
    ROW("issuance_rules", path, issuance_rules, ONE, NULL, NULL),
    ROW("acceptance_rules", path, acceptance_rules, ONE, NULL, NULL),
    ROW("encryption", encryption, encryption, ONE, NULL, "aes256-cbc"),
    ROW("encrypt", choice, encrypt, ONE, NULL, "true"),
    ROW("sign_response", choice, sign_response, ONE, NULL, "false"),
    ROW("requested_only", choice, requested_only, ONE, NULL, "false"),
    ROW("attribute_queries", choice, attribute_queries, ONE, NULL, "false"),
};
#undef STRUCT

#define STRUCT fg_config_certificates_t
static const fg_config_option_t certificates_options[] = {
    ROW("display_name", text, display_name, ONE, NULL, NULL),
    ROW("ca", path, ca, LIST, NULL, NULL),
    ROW("intermediates", path, intermediates, LIST, NULL, NULL),
    ROW("crl", path, crls, LIST, NULL, NULL),
    ROW("revocation", revocation, revocation, LIST, NULL, NULL),
    ROW("depth", count, depth, ONE, NULL, "4"),
    ROW("uri", uri, uri, ONE, NULL, NULL),
    ROW("acceptance_rules", path, acceptance_rules, ONE, NULL, NULL),
    ROW("directory", text, directory, ONE, NULL, NULL),
    ROW("map", map, map, LIST, NULL, NULL),
};
#undef STRUCT

#define STRUCT fg_config_directory_t
static const fg_config_option_t directory_options[] = {
    ROW("type", directory, type, ONE, NULL, "file"),
    ROW("path", path, path, ONE, NULL, NULL),
    ROW("display_name", text, display_name, ONE, NULL, NULL),
    ROW("uri", uri, uri, ONE, NULL, NULL),
    ROW("domains", domain, domains, LIST, NULL, NULL),
    ROW("servers", ldap_server, servers, LIST, NULL, NULL),
    ROW("ca", path, ca, ONE, NULL, NULL),
    ROW("base", ldap_dn, base, ONE, NULL, NULL),
    ROW("bind_dn", text, bind_dn, ONE, NULL, NULL),
    ROW("bind_password_file", path, bind_password_file, ONE, NULL, NULL),
    ROW("password_change", choice, password_change, ONE, NULL, "true"),
    ROW("user_filter", ldap_filter, user_filter, ONE, NULL, NULL),
    ROW("attributes", ldap_attribute, attributes, LIST, NULL, NULL),
    ROW("groups", ldap_groups, groups, ONE, NULL, "nested"),
    ROW("group_base", ldap_dn, group_base, ONE, NULL, NULL),
    ROW("group_filter", ldap_filter, group_filter, ONE, NULL, NULL),
    ROW("group_name", text, group_name, ONE, NULL, NULL),
    ROW("domain", text, domain, ONE, NULL, NULL),
    ROW("realm", text, realm, ONE, NULL, NULL),
    ROW("timeout", duration, timeout_ms, ONE, NULL, "5s"),
    ROW("cache", duration, cache_ms, ONE, NULL, "30s"),
    ROW("negative_cache", duration, negative_cache_ms, ONE, NULL, "5s"),
    ROW("connections", count, connections, ONE, NULL, "4"),
    ROW("acceptance_rules", path, acceptance_rules, ONE, NULL, NULL),
};
#undef STRUCT

#define STRUCT fg_config_partner_t
static const fg_config_option_t partner_options[] = {
    ROW("display_name", text, display_name, ONE, NULL, NULL),
    ROW("realm", uri, realms, LIST, NULL, NULL),
    ROW("reply", web, replies, LIST, NULL, NULL),
    ROW("sign_out", web, sign_out, ONE, NULL, NULL),
    ROW("token", token, token, ONE, NULL, "saml11"),
    ROW("token_only", choice, token_only, ONE, NULL, "false"),
    ROW("trust", trust, trust, ONE, NULL, "2005"),
    ROW("lifetime", duration, lifetime_ms, ONE, NULL, "1h"),
    ROW("name_id", claim, name_id, ONE, NULL, NULL),
    ROW("name_id_format", uri, name_id_format, ONE, NULL, NULL),
    ROW("claims", claim, claims, LIST, NULL, NULL),
    ROW("authorization_rules", path, authorization_rules, ONE, NULL, NULL),
    ROW("issuance_rules", path, issuance_rules, ONE, NULL, NULL),
    ROW("delegation_rules", path, delegation_rules, ONE, NULL, NULL),
    ROW("registration_rules", path, registration_rules, ONE, NULL, NULL),
    ROW("certificate", path, certificate, ONE, NULL, NULL),
    ROW("encrypt", choice, encrypt, ONE, NULL, NULL),
    ROW("encryption", encryption, encryption, ONE, NULL, "aes256-cbc"),
    ROW("encrypt_parts", part, encrypt_parts, LIST, NULL, NULL),
    ROW("sign_response", choice, sign_response, ONE, NULL, "false"),
    ROW("attribute_name_format", uri, attribute_name_format, ONE, NULL, NULL),
    ROW("allow_sha1", choice, allow_sha1, ONE, NULL, "false"),
    ROW("key_types", key_type, key_types, LIST, NULL, NULL),
    ROW("jwt", choice, jwt, ONE, NULL, "false"),
    ROW("renew", duration, renew_ms, ONE, NULL, NULL),
    ROW("requested_only", choice, requested_only, ONE, NULL, "false"),
    ROW("attribute_queries", choice, attribute_queries, ONE, NULL, "false"),
    ROW("metadata", path, metadata, ONE, NULL, NULL),
    ROW("metadata_certificate", path, metadata_certificate, ONE, NULL, NULL),
    ROW("client_id", text, client_id, ONE, NULL, NULL),
    ROW("redirect_uri", uri, redirect_uris, LIST, NULL, NULL),
    ROW("client_auth", proof, client_auth, LIST, NULL, NULL),
    ROW("client_secret_file", path, client_secret, ONE, NULL, NULL),
    ROW("client_certificate_subject", string, certificate_subject, ONE, NULL, NULL),
    ROW("client_certificate_dns", string, certificate_dns, ONE, NULL, NULL),
    ROW("bound_tokens", binding, binding, ONE, NULL, "none"),
    ROW("pushed_requests", choice, pushed_only, ONE, NULL, "false"),
    ROW("signed_requests", choice, signed_only, ONE, NULL, "false"),
    ROW("userinfo_signed", choice, userinfo_signed, ONE, NULL, "false"),
    ROW("client_jwks", path, client_jwks, ONE, NULL, NULL),
    ROW("grants", grant, grants, LIST, NULL, NULL),
    ROW("response_types", response_type, response_types, LIST, NULL, NULL),
    ROW("scopes", word, scopes, LIST, NULL, NULL),
    ROW("resources", uri, resources, LIST, NULL, NULL),
    ROW("post_logout_redirect_uri", uri, post_logout_uris, LIST, NULL, NULL),
    ROW("origins", base, origins, LIST, NULL, NULL),
    ROW("front_channel_logout", web, front_channel_logout, ONE, NULL, NULL),
    ROW("back_channel_logout", web, back_channel_logout, ONE, NULL, NULL),
    ROW("subject", subject, subject, ONE, NULL, "public"),
    ROW("consent", choice, consent, ONE, NULL, "false"),
    ROW("id_token_claims", choice, id_token_claims, ONE, NULL, "false"),
    ROW("id_token_alg", jws_alg, id_token_alg, ONE, NULL, NULL),
    ROW("id_token_encryption", jwe_enc, id_token_encryption, ONE, NULL, NULL),
    ROW("refresh_lifetime", duration, refresh_lifetime_ms, ONE, NULL, "14d"),
    ROW("openid2_realm", realm, openid2_realms, LIST, NULL, NULL),
    ROW("openid2_open", choice, openid2_open, ONE, NULL, "false"),
    ROW("openid2_check_return", choice, openid2_check_return, ONE, NULL, NULL),
};
#undef STRUCT

#define STRUCT fg_config_provider_t
static const fg_config_option_t identity_provider_options[] = {
    ROW("protocol", protocol, protocol, ONE, NULL, NULL),
    ROW("display_name", text, display_name, ONE, NULL, NULL),
    ROW("issuer", issuer, issuer, ONE, NULL, NULL),
    ROW("client_id", text, client_id, ONE, NULL, NULL),
    ROW("client_secret_file", path, client_secret, ONE, NULL, NULL),
    ROW("client_auth", proof, client_auth, ONE, NULL, "client_secret_basic"),
    ROW("discovery", web, discovery, ONE, NULL, NULL),
    ROW("scopes", word, scopes, LIST, NULL, NULL),
    ROW("algorithms", jws_alg, algorithms, LIST, NULL, NULL),
    ROW("tenants", word, tenants, LIST, NULL, NULL),
    ROW("userinfo", choice, userinfo, ONE, NULL, "false"),
    ROW("refresh_interval", duration, refresh_interval_ms, ONE, NULL, NULL),
    ROW("metadata", path, metadata, ONE, NULL, NULL),
    ROW("metadata_certificate", path, metadata_certificate, ONE, NULL, NULL),
    ROW("certificate", path, certificates, LIST, NULL, NULL),
    ROW("jwks", path, jwks, ONE, NULL, NULL),
    ROW("sign_in", web, sign_in, ONE, NULL, NULL),
    ROW("sign_out", web, sign_out, ONE, NULL, NULL),
    ROW("realm", uri, realm, ONE, NULL, NULL),
    ROW("uri", uri, uri, ONE, NULL, NULL),
    ROW("domains", domain, domains, LIST, NULL, NULL),
    ROW("acceptance_rules", path, acceptance_rules, ONE, NULL, NULL),
    ROW("vouched_by", path, vouched_by, LIST, NULL, NULL),
    ROW("unconfirmed", choice, unconfirmed, ONE, NULL, "false"),
    ROW("artifacts", choice, artifacts, ONE, NULL, "false"),
    ROW("encrypt_name_id", choice, encrypt_name_id, ONE, NULL, "false"),
    ROW("allow_sha1", choice, allow_sha1, ONE, NULL, "false"),
    ROW("lifetime_limit", duration, lifetime_limit_ms, ONE, NULL, NULL),
    ROW("openid2_identifier", text, openid2_identifier, ONE, NULL, NULL),
    ROW("openid2_stateless", choice, openid2_stateless, ONE, NULL, "false"),
    ROW("openid2_any_host", choice, openid2_any_host, ONE, NULL, "false"),
    ROW("openid2_attributes", uri, openid2_attributes, LIST, NULL, NULL),
};
#undef STRUCT

#define STRUCT fg_config_protect_t
static const fg_config_option_t protect_options[] = {
    ROW("display_name", text, display_name, ONE, NULL, NULL),
    ROW("kind", protect, kind, ONE, NULL, "web"),
    ROW("accept", accept, accept, LIST, NULL, NULL),
    ROW("policy", path, policy, ONE, NULL, NULL),
    ROW("audience", uri, audiences, LIST, NULL, NULL),
    ROW("hosts", host, hosts, LIST, NULL, NULL),
    ROW("home_realm", uri, home_realm, ONE, NULL, NULL),
    ROW("directory", text, directory, ONE, NULL, NULL),
    ROW("upstream_partner", text, upstream_partner, ONE, NULL, NULL),
    ROW("upstream_token", upstream, upstream_token, ONE, NULL, NULL),
    ROW("upstream_kerberos", string, upstream_kerberos, ONE, NULL, NULL),
    ROW("upstream_kerberos_claim", claim, upstream_kerberos_claim, ONE, NULL, "upn"),
    ROW("upstream_kerberos_from", uri, upstream_kerberos_from, LIST, NULL, NULL),
};
#undef STRUCT

#define SECTION(name, titled, options, type, field) \
    { name, titled, options, FG_ARRAY_SIZE(options), sizeof(type), offsetof(fg_config_t, field) }
/* sections that stand once have their fields in fg_config_t itself */
static const fg_config_section_t sections[] = {
    SECTION("partner", true, partner_options, fg_config_partner_t, partners),
    SECTION("identity_provider", true, identity_provider_options, fg_config_provider_t, providers),
    SECTION("federation", true, federation_options, fg_config_federation_t, federations),
    SECTION("directory", true, directory_options, fg_config_directory_t, directories),
    SECTION("certificates", true, certificates_options, fg_config_certificates_t, certificates),
    SECTION("protect", true, protect_options, fg_config_protect_t, protects),
    SECTION("kerberos", false, kerberos_options, fg_config_t, base_url),
    SECTION("fetch", false, fetch_options, fg_config_t, base_url),
    SECTION("keys", false, keys_options, fg_config_t, base_url),
    SECTION("session", false, session_options, fg_config_t, base_url),
    SECTION("lockout", false, lockout_options, fg_config_t, base_url),
    SECTION("limits", false, limits_options, fg_config_t, base_url),
    SECTION("delegation", false, delegation_options, fg_config_t, base_url),
    SECTION("discovery", false, discovery_options, fg_config_t, base_url),
    SECTION("viewer", false, viewer_options, fg_config_t, base_url),
};

const fg_config_grammar_t fg_config_grammar = {root_options, FG_ARRAY_SIZE(root_options), sections,
                                               FG_ARRAY_SIZE(sections), "the configuration"};
/* included files hold the first three: partners of every kind */
static const fg_config_grammar_t include_grammar = {
    NULL, 0, sections, 3, "an included file (only partner, identity_provider and federation may stand there)"};

/* ---- libConfuse */

#define OPTIONS_MAX 64u

typedef struct tables {
    cfg_opt_t root[OPTIONS_MAX];
    cfg_opt_t sections[FG_ARRAY_SIZE(sections)][OPTIONS_MAX];
} tables_t;

_Static_assert(FG_ARRAY_SIZE(root_options) + FG_ARRAY_SIZE(sections) < OPTIONS_MAX,
               "the tables of libConfuse have room");
_Static_assert(FG_ARRAY_SIZE(partner_options) < OPTIONS_MAX, "the tables of libConfuse have room");

static size_t fill_options(cfg_opt_t *out, const fg_config_option_t *options, size_t count) {
    const cfg_opt_t one = CFG_STR(NULL, NULL, CFGF_NODEFAULT), list = CFG_STR_LIST(NULL, NULL, CFGF_NODEFAULT),
                    end = CFG_END();
    for (size_t i = 0; i < count; i++) {
        out[i] = options[i].list ? list : one;
        out[i].name = options[i].name;
    }
    out[count] = end;
    return count;
}

static void fill_tables(tables_t *tables, const fg_config_grammar_t *grammar) {
    const cfg_opt_t end = CFG_END();
    size_t n = fill_options(tables->root, grammar->options, grammar->option_count);
    for (size_t i = 0; i < grammar->section_count; i++) {
        const fg_config_section_t *section = &grammar->sections[i];
        fill_options(tables->sections[i], section->options, section->option_count);
        const cfg_opt_t many = CFG_SEC(NULL, tables->sections[i], CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
        const cfg_opt_t once = CFG_SEC(NULL, tables->sections[i], CFGF_NONE);
        tables->root[n] = section->titled ? many : once;
        tables->root[n++].name = section->name;
    }
    tables->root[n] = end;
}

/* What the walk over the text let pass and libConfuse does not like; its function has no place for our own pointer. */
static _Thread_local char confuse_message[200];
static void note_message(cfg_t *cfg, const char *format, va_list arguments) {
    (void)cfg;
    vsnprintf(confuse_message, sizeof confuse_message, format, arguments);
}

static cfg_t *parse(tables_t *tables, const fg_config_text_t *text, fg_err_t *err) {
    cfg_t *cfg = cfg_init(tables->root, CFGF_NONE);
    if (cfg == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "reading %s", text->path);
        return NULL;
    }
    cfg_set_error_function(cfg, note_message);
    snprintf(confuse_message, sizeof confuse_message, "an unknown error");
    if (cfg_parse_buf(cfg, text->bytes.p) == CFG_SUCCESS)
        return cfg;
    FG_FAIL(err, FG_E_CONFIG, "%s:%d:1: %s", text->path, cfg->line, confuse_message);
    cfg_free(cfg);
    return NULL;
}

/* ---- from libConfuse's values to ours */

typedef struct loader {
    fg_arena_t *arena;
    fg_config_t *config;
    fg_err_t *err;
    char *folder; /* of the file that is being read */
} loader_t;

bool fg_config_refuse(fg_err_t *err, const fg_config_at_t *at, const char *option, unsigned value_index,
                      const char *expected, ...) {
    char wanted[320];
    va_list arguments;
    va_start(arguments, expected);
    vsnprintf(wanted, sizeof wanted, expected, arguments);
    va_end(arguments);
    const fg_config_mark_t *mark = fg_config_text_find(at->text, at->section, at->index, option, value_index);
    char found[96];
    bool there = option != NULL && mark->kind == FG_MARK_VALUE;
    snprintf(found, sizeof found, "no %s", option ? option : "such section");
    return fg_config_fail(err, at->text, mark, there || option == NULL ? NULL : found, NULL, "%s", wanted);
}

fg_config_at_t fg_config_place(const fg_config_t *config, const char *section) {
    fg_config_at_t at = {config->text, NULL, 0, NULL};
    for (size_t i = 0; section != NULL && i < FG_ARRAY_SIZE(sections); i++)
        if (strcmp(sections[i].name, section) == 0)
            at.section = &sections[i];
    return at;
}

static bool read_value(loader_t *l, const fg_config_at_t *at, const fg_config_option_t *option, unsigned index,
                       const char *value, void *field) {
    const fg_config_reading_t in = {l->arena, l->folder};
    if (option->kind->read(&in, value, field))
        return true;
    size_t words = 0;
    while (option->kind->words != NULL && option->kind->words[words] != NULL)
        words++;
    return fg_config_fail(l->err, at->text, fg_config_text_find(at->text, at->section, at->index, option->name, index),
                          NULL, fg_spell_nearest(value, option->kind->words, words), "%s", option->kind->expected);
}

static bool read_list(loader_t *l, const fg_config_at_t *at, const fg_config_option_t *option, cfg_opt_t *opt,
                      fg_config_list_t *list) {
    unsigned count = cfg_opt_size(opt);
    char *items = fg_arena_alloc(l->arena, (count + 1) * option->kind->size);
    if (items == NULL)
        return FG_FAIL(l->err, FG_E_MEMORY, "reading %s", at->text->path);
    for (unsigned i = 0; i < count; i++)
        if (!read_value(l, at, option, i, cfg_opt_getnstr(opt, i), items + i * option->kind->size))
            return false;
    *list = (fg_config_list_t){items, count};
    return true;
}

static bool read_option(loader_t *l, const fg_config_at_t *at, const fg_config_option_t *option, cfg_t *cfg,
                        void *target) {
    cfg_opt_t *opt = cfg ? cfg_getopt(cfg, option->name) : NULL;
    void *field = (char *)target + option->offset;
    const char *value = opt && cfg_opt_size(opt) > 0 ? cfg_opt_getnstr(opt, 0) : NULL;
    if (option->list)
        return opt == NULL || read_list(l, at, option, opt, field);
    if (value == NULL && option->required != NULL && cfg != NULL)
        return fg_config_refuse(l->err, at, option->name, 0, "%s", option->required);
    if (value == NULL)
        value = option->fallback;
    return value == NULL || read_value(l, at, option, 0, value, field);
}

/* cfg NULL: the section is not there, and its options have their fallbacks. */
static bool read_options(loader_t *l, const fg_config_at_t *at, const fg_config_option_t *options, size_t count,
                         cfg_t *cfg, void *target) {
    for (size_t i = 0; i < count; i++)
        if (!read_option(l, at, &options[i], cfg, target))
            return false;
    return true;
}

/* Adds a file's sections of one kind behind those of other files. */
static bool read_titled(loader_t *l, const fg_config_text_t *text, const fg_config_section_t *section, cfg_t *cfg) {
    fg_config_list_t *list = (fg_config_list_t *)((char *)l->config + section->offset);
    unsigned count = cfg_size(cfg, section->name);
    char *items = count > 0 ? fg_arena_alloc(l->arena, (list->count + count) * section->size) : list->items;
    if (items == NULL)
        return count == 0 || FG_FAIL(l->err, FG_E_MEMORY, "reading %s", text->path);
    if (list->count > 0 && items != list->items)
        memcpy(items, list->items, list->count * section->size);
    list->items = items;
    for (unsigned i = 0; i < count; i++) {
        cfg_t *sub = cfg_getnsec(cfg, section->name, i);
        void *item = items + list->count * section->size;
        fg_config_at_t at = {text, section, i, fg_arena_strdup(l->arena, cfg_title(sub))};
        if (at.title == NULL)
            return FG_FAIL(l->err, FG_E_MEMORY, "reading %s", text->path);
        memcpy(item, &at, sizeof at); /* the first field of every titled section's struct */
        if (!read_options(l, &at, section->options, section->option_count, sub, item))
            return false;
        list->count++;
    }
    return true;
}

static bool read_sections(loader_t *l, const fg_config_text_t *text, const fg_config_grammar_t *grammar, cfg_t *cfg) {
    for (size_t i = 0; i < grammar->section_count; i++) {
        const fg_config_section_t *section = &grammar->sections[i];
        if (section->titled) {
            if (!read_titled(l, text, section, cfg))
                return false;
            continue;
        }
        /* libConfuse makes a section that is not there: the text knows */
        fg_config_at_t at = {text, section, 0, NULL};
        bool there = fg_config_text_find(text, section, 0, NULL, 0)->section == section;
        cfg_t *sub = there ? cfg_getsec(cfg, section->name) : NULL;
        if (!read_options(l, &at, section->options, section->option_count, sub, l->config))
            return false;
    }
    return true;
}

/* ---- files */

static char *folder_of(fg_arena_t *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return fg_arena_strdup(arena, ".");
    return fg_arena_strndup(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

static bool read_bytes(loader_t *l, const char *path, fg_str_t *bytes) {
    fg_buf_t buf = FG_BUF_INIT(FILE_MAX);
    bool ok = fg_file_read(path, &buf, NULL, l->err);
    *bytes = ok ? fg_arena_str(l->arena, fg_buf_str(&buf)) : FG_STR_NONE;
    fg_buf_free(&buf);
    return ok && (bytes->p != NULL || FG_FAIL(l->err, FG_E_MEMORY, "reading %s", path));
}

static bool read_file(loader_t *l, const char *path, const fg_config_grammar_t *grammar, fg_config_text_t *text) {
    fg_str_t bytes;
    if (!read_bytes(l, path, &bytes) || !fg_config_text_read(l->arena, path, bytes, grammar, text, l->err))
        return false;
    l->folder = folder_of(l->arena, path);
    tables_t *tables = calloc(1, sizeof *tables);
    if (tables == NULL || l->folder == NULL) {
        free(tables);
        return FG_FAIL(l->err, FG_E_MEMORY, "reading %s", path);
    }
    fill_tables(tables, grammar);
    cfg_t *cfg = parse(tables, text, l->err);
    const fg_config_at_t at = {text, NULL, 0, NULL};
    bool ok = cfg != NULL && read_options(l, &at, grammar->options, grammar->option_count, cfg, l->config) &&
              read_sections(l, text, grammar, cfg);
    if (cfg != NULL)
        cfg_free(cfg);
    free(tables);
    return ok;
}

/* The files of the include patterns, each pattern's sorted. */
static bool find_includes(loader_t *l, glob_t *files) {
    const fg_config_at_t at = {l->config->text, NULL, 0, NULL};
    for (unsigned i = 0; i < l->config->include.count; i++) {
        const char *pattern = ((const char **)l->config->include.items)[i];
        int rc = glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, files);
        bool nothing_is_fine = strpbrk(pattern, "*?[") != NULL;
        if (rc != 0 && !(rc == GLOB_NOMATCH && nothing_is_fine))
            return fg_config_refuse(l->err, &at, "include", i, "a file that is there");
    }
    return files->gl_pathc < FILES_MAX ||
           fg_config_refuse(l->err, &at, "include", 0, "at most %u files", FILES_MAX - 1);
}

static bool read_includes(loader_t *l, const glob_t *files) {
    fg_config_text_t *texts = fg_arena_alloc(l->arena, (files->gl_pathc + 1) * sizeof *texts);
    if (texts == NULL)
        return FG_FAIL(l->err, FG_E_MEMORY, "reading %s", l->config->text->path);
    for (size_t i = 0; i < files->gl_pathc; i++) {
        const char *path = fg_arena_strdup(l->arena, files->gl_pathv[i]);
        if (path == NULL)
            return FG_FAIL(l->err, FG_E_MEMORY, "reading %s", files->gl_pathv[i]);
        if (!read_file(l, path, &include_grammar, &texts[i]))
            return false;
    }
    return true;
}

bool fg_config_read(fg_arena_t *arena, const char *path, fg_config_t *config, fg_err_t *err) {
    loader_t l = {.arena = arena, .config = config, .err = err};
    memset(config, 0, sizeof *config);
    config->text = fg_arena_alloc(arena, sizeof *config->text);
    path = fg_arena_strdup(arena, path);
    if (config->text == NULL || path == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "reading the configuration");
    if (!read_file(&l, path, &fg_config_grammar, config->text))
        return false;
    glob_t files = {0};
    bool ok = find_includes(&l, &files) && read_includes(&l, &files);
    if (config->include.count > 0)
        globfree(&files);
    return ok;
}
