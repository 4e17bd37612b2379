/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trust.h"

#include <string.h>
#include <unistd.h>

#include "bridges/saml/party.h"
#include "cli/fetch.h"
#include "core/json.h"
#include "core/spell.h"
#include "hub/federation.h"

/* ---- keys */

static bool add_key(fg_trust_t *trust, const fg_key_t *key, fg_err_t *err) {
    if (trust->key_count == FG_TRUST_KEYS || trust->jwk_count == FG_TRUST_KEYS)
        return FG_FAIL(err, FG_E_FILE, "more than %u keys to trust", FG_TRUST_KEYS);
    trust->keys[trust->key_count++] = key;
    trust->jwks[trust->jwk_count++] = (fg_jwk_t){.key = (fg_key_t *)(uintptr_t)key};
    return true;
}

static bool add_jwks(fg_trust_t *trust, fg_arena_t *arena, fg_str_t json, fg_err_t *err) {
    fg_jwk_set_t set;
    if (!fg_jwk_set_read(arena, json, &set, err))
        return false;
    for (size_t i = 0; i < set.count; i++) {
        if (trust->jwk_count == FG_TRUST_KEYS || trust->key_count == FG_TRUST_KEYS)
            return FG_FAIL(err, FG_E_FILE, "more than %u keys to trust", FG_TRUST_KEYS);
        trust->jwks[trust->jwk_count++] = set.items[i];
        trust->keys[trust->key_count++] = set.items[i].key;
    }
    return set.count > 0 || FG_FAIL(err, FG_E_FILE, "the JWK set has no key for signatures that is known here");
}

/* ---- metadata */

/* fed:SecurityTokenServiceType and IDPSSODescriptor vouch for people; others sign only what they ask for. */
static bool is_provider_role(fg_arena_t *arena, const xmlNode *role) {
    fg_str_t type = fg_xml_attr(arena, role, FG_NS_XSI, "type");
    return fg_xml_is(role, FG_NS_MD, "IDPSSODescriptor") ||
           (type.n > 24 && memmem(type.p, type.n, "SecurityTokenServiceType", 24) != NULL);
}

static bool read_roles(fg_entity_reader_t *in, const xmlNode *entity, bool providers, fg_entity_keys_t *keys) {
    for (const xmlNode *role = fg_xml_first_child(entity); role != NULL; role = fg_xml_next(role)) {
        if (strstr((const char *)role->name, "Descriptor") == NULL || is_provider_role(in->arena, role) != providers)
            continue;
        if (!fg_entity_check_validity(in, role))
            return false;
        for (const xmlNode *node = fg_xml_first_child(role); node != NULL; node = fg_xml_next(node))
            if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor") && !fg_entity_add_signing_key(in, node, keys))
                return false;
    }
    return true;
}

static bool add_entity(fg_trust_t *trust, const fg_env_t *env, fg_arena_t *arena, const xmlNode *entity,
                       fg_err_t *err) {
    fg_entity_reader_t in = {env, arena, err, 0};
    fg_entity_keys_t keys = {.count = 0};
    if (!fg_entity_check_validity(&in, entity) || !read_roles(&in, entity, true, &keys) ||
        (keys.count == 0 && !read_roles(&in, entity, false, &keys)))
        return false;
    for (size_t i = 0; i < keys.count; i++)
        if (!add_key(trust, keys.items[i], err))
            return false;
    trust->issuer = fg_xml_attr(arena, entity, NULL, "entityID");
    return keys.count > 0 || FG_FAIL(err, FG_E_FILE, "the metadata has no certificate for signing");
}

/* The entity that the token names; the only one, if it names none of them. */
static const xmlNode *choose_entity(fg_arena_t *arena, const fg_piece_t *root, fg_str_t issuer) {
    const xmlNode *only = NULL;
    unsigned count = 0;
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece)) {
        if (piece->kind != FG_PIECE_ENTITY)
            continue;
        if (fg_str_eq(fg_xml_attr(arena, piece->xml, NULL, "entityID"), issuer))
            return piece->xml;
        only = piece->xml;
        count++;
    }
    return count == 1 ? only : NULL;
}

/* ---- files and addresses */

static bool fetch(const fg_env_t *env, fg_arena_t *arena, const char *ca, const char *url, fg_str_t *bytes,
                  fg_err_t *err) {
    fg_http_response_t response;
    const fg_http_request_t request = {.url = fg_str(url), .redirects = 3};
    bool good = fg_fetch(env, arena, ca, &request, &response, err) &&
                (response.status == 200 || FG_FAIL(err, FG_E_FILE, "%s answers %d", url, response.status));
    *bytes = good ? response.body : FG_STR_NONE;
    return good;
}

/* The JWK set of a discovery document stands elsewhere. */
static bool add_discovery(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                          const json_t *document, fg_err_t *err) {
    fg_str_t uri = fg_json_string(document, "jwks_uri"), bytes;
    if (!options->network)
        return FG_FAIL(err, FG_E_FILE, "its keys are at %.*s: give --network to fetch them, or trust a copy",
                       FG_STR_ARG(uri));
    trust->issuer = fg_json_string(document, "issuer");
    return uri.n > 0 && fetch(env, arena, options->tls_ca, uri.p, &bytes, err) && add_jwks(trust, arena, bytes, err);
}

static bool add_bytes(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                      const char *name, fg_str_t bytes, fg_str_t issuer, fg_err_t *err) {
    fg_unwrap_t unwrap = {.arena = arena, .limits = NULL};
    static const fg_xml_limits_t limits = {
        .bytes = FG_INPUT_MAX, .depth = 64, .elements = 400000, .attributes = 64, .namespaces = 64};
    unwrap.limits = &limits;
    fg_piece_t *root = fg_piece_read(&unwrap, bytes);
    if (root == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "%s", name);
    if (root->kind == FG_PIECE_JWKS)
        return add_jwks(trust, arena, bytes, err);
    if (root->kind == FG_PIECE_DISCOVERY)
        return add_discovery(trust, options, env, arena, root->json, err);
    if (root->kind == FG_PIECE_ENTITY || root->kind == FG_PIECE_ENTITIES) {
        const xmlNode *entity = choose_entity(arena, root, issuer);
        return entity != NULL ? add_entity(trust, env, arena, entity, err)
                              : FG_FAIL(err, FG_E_TOKEN_ISSUER, "%.*s is not in the metadata", FG_STR_ARG(issuer));
    }
    return FG_FAIL(err, FG_E_FILE, "it is %s, and a certificate, metadata or a JWK set is expected",
                   fg_piece_title(root->kind));
}

static bool is_certificate(fg_str_t bytes) {
    return memmem(bytes.p, bytes.n, "-----BEGIN", 10) != NULL || (bytes.n > 2 && bytes.p[0] == '0' && bytes.p[1] < 0);
}

static bool add_file(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                     const char *path, fg_str_t issuer, fg_err_t *err) {
    fg_str_t bytes;
    if (!fg_input_read(arena, path, FG_INPUT_MAX, &bytes, err))
        return false;
    trust->from = path;
    if (is_certificate(bytes)) {
        fg_key_t *key = fg_input_read_key(arena, path, err);
        return key != NULL && add_key(trust, key, err);
    }
    return add_bytes(trust, options, env, arena, path, bytes, issuer, err) || fg_err_prefix(err, "%s", path);
}

static bool add_url(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                    const char *url, fg_str_t issuer, fg_err_t *err) {
    fg_str_t bytes;
    if (!options->network)
        return FG_FAIL(err, FG_E_FILE, "%s is fetched with --network alone", url);
    trust->from = url;
    return fetch(env, arena, options->tls_ca, url, &bytes, err) &&
           (add_bytes(trust, options, env, arena, url, bytes, issuer, err) || fg_err_prefix(err, "%s", url));
}

/* ---- partners of a configuration */

static bool load(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_err_t *err) {
    const fg_gateway_options_t how = {.check_only = true, .uid = (unsigned)-1, .gid = (unsigned)-1};
    if (trust->gateway != NULL)
        return true;
    if (!fg_gateway_start(err))
        return false;
    trust->gateway = fg_gateway_load(options->config ? options->config : FG_CLI_CONFIG, &how, env, err);
    if (trust->gateway == NULL)
        return false;
    trust->skew_ms = fg_gateway_get_hub(trust->gateway)->skew_ms;
    return true;
}

static bool use_provider(fg_trust_t *trust, const fg_identity_provider_t *provider, fg_err_t *err) {
    for (size_t i = 0; i < provider->key_count; i++)
        if (!add_key(trust, provider->keys[i], err))
            return false;
    trust->jwk_count = 0;
    for (size_t i = 0; i < provider->jwks.count && i < FG_TRUST_KEYS; i++)
        trust->jwks[trust->jwk_count++] = provider->jwks.items[i];
    trust->issuer = provider->issuer;
    trust->audience = provider->realm;
    trust->allow_sha1 = provider->allow_sha1;
    trust->max_lifetime_ms = provider->max_lifetime_ms;
    return true;
}

static bool use_relying_party(fg_trust_t *trust, const fg_partner_t *partner, fg_err_t *err) {
    const fg_saml_party_t *party = partner->saml;
    trust->partner = partner;
    if (party != NULL)
        trust->issuer = party->entity_id;
    for (size_t i = 0; party != NULL && i < party->keys.count; i++)
        if (!add_key(trust, party->keys.items[i], err))
            return false;
    if (trust->key_count == 0 && partner->certificate != NULL && !add_key(trust, partner->certificate, err))
        return false;
    return trust->key_count > 0 || FG_FAIL(err, FG_E_CONFIG, "the partner \"%s\" has no certificate", partner->name);
}

static bool add_partner(fg_trust_t *trust, const char *name, fg_err_t *err) {
    const fg_hub_t *hub = fg_gateway_get_hub(trust->gateway);
    const char *names[256];
    size_t count = 0;
    trust->from = name;
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        const fg_identity_provider_t *provider = hub->home_realms[i].identity_provider;
        if (provider != NULL && strcmp(provider->name, name) == 0)
            return use_provider(trust, provider, err);
        if (provider != NULL && count < FG_ARRAY_SIZE(names))
            names[count++] = provider->name;
    }
    for (size_t i = 0; i < hub->partner_count; i++) {
        if (strcmp(hub->partners[i].name, name) == 0)
            return use_relying_party(trust, &hub->partners[i], err);
        if (count < FG_ARRAY_SIZE(names))
            names[count++] = hub->partners[i].name;
    }
    const char *nearest = fg_spell_nearest(name, names, count);
    return FG_FAIL(err, FG_E_CONFIG, "'--trust %s': neither a file nor a partner of the configuration%s%s%s", name,
                   nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* bridges/saml/sign_on.c: who asks is a service provider that is registered. */
static bool add_requester(fg_trust_t *trust, const fg_env_t *env, fg_arena_t *arena, fg_str_t issuer, fg_err_t *err) {
    fg_exchange_t *ex = fg_arena_alloc(arena, sizeof *ex);
    if (ex == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "exchange");
    *ex = (fg_exchange_t){.env = env, .hub = fg_gateway_get_hub(trust->gateway), .arena = arena, .now_ms = fg_now(env)};
    const fg_partner_t *partner = issuer.n > 0 ? fg_find_partner(ex, issuer) : NULL;
    if (partner == NULL || partner->saml == NULL)
        return FG_FAIL(err, FG_E_SAML_PARTNER, "no partner of the configuration is the service provider \"%.*s\"",
                       FG_STR_ARG(issuer));
    trust->from = partner->name;
    return use_relying_party(trust, partner, err);
}

/* Nobody was named: whoever the configuration knows under the token's issuer. */
static bool add_issuer(fg_trust_t *trust, fg_str_t issuer, fg_err_t *err) {
    const fg_home_realm_t *realm = fg_hub_find_issuer(fg_gateway_get_hub(trust->gateway), issuer);
    if (realm == NULL)
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "no identity_provider of the configuration has the issuer %.*s",
                       FG_STR_ARG(issuer));
    trust->from = realm->identity_provider->name;
    return use_provider(trust, realm->identity_provider, err);
}

/* What is no file is a partner's name. */
static bool use_partner(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, const char *name,
                        fg_err_t *err) {
    if (!load(trust, options, env, err))
        return fg_err_prefix(err, "'--trust %s' is no file, and no partner can be looked up (--config)", name);
    return add_partner(trust, name, err);
}

/* ---- all of it */

static bool is_web(const char *name) { return strncmp(name, "https://", 8) == 0 || strncmp(name, "http://", 7) == 0; }

const fg_partner_t *fg_trust_find_partner(const fg_hub_t *hub, const char *title, fg_err_t *err) {
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < hub->partner_count; i++) {
        if (strcmp(hub->partners[i].name, title) == 0)
            return &hub->partners[i];
        if (count < FG_ARRAY_SIZE(names))
            names[count++] = hub->partners[i].name;
    }
    const char *nearest = fg_spell_nearest(title, names, count);
    FG_FAIL(err, FG_E_CONFIG, "no partner \"%s\" in the configuration%s%s%s", title, nearest ? "; did you mean \"" : "",
            nearest ? nearest : "", nearest ? "\"?" : "");
    return NULL;
}

static bool read_for(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_err_t *err) {
    if (options->for_partner == NULL)
        return true;
    if (!load(trust, options, env, err))
        return fg_err_prefix(err, "'--for %s': no partner can be looked up (--config)", options->for_partner);
    trust->for_partner = fg_trust_find_partner(fg_gateway_get_hub(trust->gateway), options->for_partner, err);
    return trust->for_partner != NULL || fg_err_prefix(err, "'--for %s'", options->for_partner);
}

bool fg_trust_read(fg_trust_t *trust, const fg_trust_options_t *options, const fg_env_t *env, fg_arena_t *arena,
                   const fg_trust_sender_t *sender, fg_err_t *err) {
    const fg_str_t issuer = sender->issuer;
    *trust = (fg_trust_t){.skew_ms = -1};
    if ((options->config != NULL && !load(trust, options, env, err)) || !read_for(trust, options, env, err))
        return false;
    for (size_t i = 0; i < options->names.count; i++) {
        const char *name = options->names.values[i];
        bool file = access(name, F_OK) == 0;
        bool good = file           ? add_file(trust, options, env, arena, name, issuer, err)
                    : is_web(name) ? add_url(trust, options, env, arena, name, issuer, err)
                                   : use_partner(trust, options, env, name, err);
        if (!good)
            return false;
    }
    if (options->names.count > 0)
        return true;
    if (!load(trust, options, env, err))
        return fg_err_prefix(err, "nobody is trusted: give --trust (a certificate, metadata, a JWK set), or --config");
    return sender->who_asks ? add_requester(trust, env, arena, issuer, err) : add_issuer(trust, issuer, err);
}

void fg_trust_end(fg_trust_t *trust) {
    if (trust->gateway == NULL)
        return;
    fg_gateway_free(trust->gateway);
    fg_gateway_stop();
    trust->gateway = NULL;
}
