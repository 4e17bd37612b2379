/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/party.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/uri.h"

#define BINDING "urn:oasis:names:tc:SAML:2.0:bindings:"

static const char *const bindings[FG_SAML_BINDINGS] = {
    [FG_SAML_REDIRECT] = BINDING "HTTP-Redirect",
    [FG_SAML_POST] = BINDING "HTTP-POST",
    [FG_SAML_SIMPLE_SIGN] = BINDING "HTTP-POST-SimpleSign",
    [FG_SAML_ARTIFACT] = BINDING "HTTP-Artifact",
    [FG_SAML_SOAP] = BINDING "SOAP",
    [FG_SAML_PAOS] = BINDING "PAOS",
};

static const char *const roles[] = {
    [FG_SAML_SERVICE_PROVIDER] = "SPSSODescriptor",
    [FG_SAML_IDENTITY_PROVIDER] = "IDPSSODescriptor",
};

static const struct {
    const char *name;
    fg_saml_service_t service;
} services[] = {
    {"SingleSignOnService", FG_SAML_SINGLE_SIGN_ON},
    {"AssertionConsumerService", FG_SAML_ASSERTION_CONSUMER},
    {"SingleLogoutService", FG_SAML_SINGLE_LOGOUT},
    {"ArtifactResolutionService", FG_SAML_ARTIFACT_RESOLUTION},
};

fg_saml_binding_t fg_saml_binding_from_uri(fg_str_t uri) {
    fg_saml_binding_t i = 0;
    while (i < FG_SAML_BINDINGS && !fg_str_is(uri, bindings[i]))
        i++;
    return i;
}

const char *fg_saml_binding_uri(fg_saml_binding_t binding) { return bindings[binding]; }

typedef struct reader {
    fg_entity_reader_t entity;
    fg_saml_party_t *party;
} reader_t;

static fg_str_t attribute(const reader_t *in, const xmlNode *node, const char *name) {
    return fg_str_trim(fg_xml_attr(in->entity.arena, node, NULL, name));
}

static bool is_true(fg_str_t text) { return fg_str_is(text, "true") || fg_str_is(text, "1"); }

/* ---- endpoints */

/* xs:unsignedShort (metadata §2.2.3) */
static bool read_index(const reader_t *in, const xmlNode *node, unsigned *index) {
    fg_str_t text = attribute(in, node, "index");
    *index = 0;
    if (text.n > 5)
        return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "index \"%.*s\"", FG_STR_ARG(text));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "index \"%.*s\"", FG_STR_ARG(text));
        *index = *index * 10 + (unsigned)(text.p[i] - '0');
    }
    return true;
}

/* SA-18: what browsers are sent to is a web address, and javascript: is none. */
static bool read_location(const reader_t *in, const xmlNode *node, const char *name, fg_str_t *location) {
    *location = attribute(in, node, name);
    if (location->p == NULL || fg_uri_is_web(*location))
        return true;
    return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "%s \"%.*s\" is no web address", name, FG_STR_ARG(*location));
}

static bool read_endpoint(reader_t *in, const xmlNode *node, fg_saml_service_t service) {
    fg_saml_party_t *party = in->party;
    fg_saml_endpoint_t endpoint = {.service = service};
    endpoint.binding = fg_saml_binding_from_uri(attribute(in, node, "Binding"));
    if (endpoint.binding == FG_SAML_BINDINGS) /* of another profile */
        return true;
    if (!read_location(in, node, "Location", &endpoint.location) ||
        !read_location(in, node, "ResponseLocation", &endpoint.response_location) ||
        !read_index(in, node, &endpoint.index))
        return false;
    if (endpoint.location.n == 0)
        return FG_FAIL(in->entity.err, FG_E_XML_STRUCTURE, "%s without Location", (const char *)node->name);
    if (endpoint.response_location.n == 0)
        endpoint.response_location = endpoint.location;
    endpoint.is_default = is_true(attribute(in, node, "isDefault"));
    if (party->endpoint_count == FG_SAML_ENDPOINTS)
        return FG_FAIL(in->entity.err, FG_E_XML_LIMIT, "more than %u endpoints", FG_SAML_ENDPOINTS);
    party->endpoints[party->endpoint_count++] = endpoint;
    return true;
}

/* ---- the role */

static bool read_format(reader_t *in, const xmlNode *node) {
    fg_saml_party_t *party = in->party;
    fg_str_t format = fg_xml_token(in->entity.arena, node, in->entity.err);
    if (format.p == NULL)
        return false;
    if (party->name_id_format_count < FG_SAML_FORMATS)
        party->name_id_formats[party->name_id_format_count++] = format;
    return true;
}

static bool read_child(reader_t *in, const xmlNode *node) {
    if (fg_xml_is(node, FG_NS_MD, "KeyDescriptor"))
        return fg_entity_add_signing_key(&in->entity, node, &in->party->keys) &&
               fg_entity_take_encryption_key(&in->entity, node, &in->party->encryption_key);
    if (fg_xml_is(node, FG_NS_MD, "NameIDFormat"))
        return read_format(in, node);
    if (fg_xml_is(node, FG_NS_MD, "AttributeConsumingService"))
        return fg_saml_read_attributes(&in->entity, node, in->party);
    for (size_t i = 0; i < FG_ARRAY_SIZE(services); i++)
        if (fg_xml_is(node, FG_NS_MD, services[i].name))
            return read_endpoint(in, node, services[i].service);
    return true;
}

/* protocolSupportEnumeration: a list of URIs (metadata §2.4.1). */
static bool supports_saml20(const reader_t *in, const xmlNode *role) {
    fg_str_t text = fg_xml_attr(in->entity.arena, role, NULL, "protocolSupportEnumeration");
    return text.n > 0 && memmem(text.p, text.n, FG_NS_SAML2P, sizeof FG_NS_SAML2P - 1) != NULL;
}

static bool read_role(reader_t *in, const xmlNode *role) {
    fg_saml_party_t *party = in->party;
    if (!fg_entity_check_validity(&in->entity, role))
        return false;
    party->signs_requests = is_true(attribute(in, role, "AuthnRequestsSigned"));
    party->wants_assertions_signed = is_true(attribute(in, role, "WantAssertionsSigned"));
    party->wants_requests_signed = is_true(attribute(in, role, "WantAuthnRequestsSigned"));
    for (const xmlNode *node = fg_xml_first_child(role); node != NULL; node = fg_xml_next(node))
        if (!read_child(in, node))
            return false;
    return true;
}

static bool is_usable(const fg_saml_party_t *party, fg_err_t *err) {
    bool provider = party->role == FG_SAML_IDENTITY_PROVIDER;
    fg_saml_service_t needed = provider ? FG_SAML_SINGLE_SIGN_ON : FG_SAML_ASSERTION_CONSUMER;
    bool has = false;
    for (size_t i = 0; i < party->endpoint_count; i++)
        has = has || party->endpoints[i].service == needed;
    if (!has)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "%s without %s", roles[party->role],
                       provider ? "SingleSignOnService" : "AssertionConsumerService");
    if (provider && party->keys.count == 0)
        return FG_FAIL(err, FG_E_XML_STRUCTURE, "%s without a certificate for signing", roles[party->role]);
    return true;
}

bool fg_saml_party_read_entity(fg_entity_reader_t *entity, const xmlNode *root, fg_saml_role_t role,
                               fg_saml_party_t *party, bool *found) {
    reader_t in = {.entity = *entity, .party = party};
    *party = (fg_saml_party_t){.role = role, .entity_id = fg_xml_attr(entity->arena, root, NULL, "entityID")};
    *found = false;
    fg_saml_source_id(party->entity_id, party->source_id);
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_MD, roles[role]) || !supports_saml20(&in, node))
            continue;
        if (*found)
            return FG_FAIL(entity->err, FG_E_XML_STRUCTURE, "two %s for SAML 2.0", roles[role]);
        *found = true;
        if (!read_role(&in, node) || !fg_saml_read_extensions(&in.entity, root, node, party))
            return false;
    }
    party->valid_until_ms = in.entity.valid_until_ms;
    return !*found || is_usable(party, entity->err);
}

bool fg_saml_party_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                        fg_saml_role_t role, fg_saml_party_t *party, bool *found, fg_err_t *err) {
    fg_entity_reader_t in = {env, arena, err, 0};
    fg_str_t entity_id;
    const xmlNode *root = fg_entity_open(&in, xml, trust, &entity_id);
    return root != NULL && fg_saml_party_read_entity(&in, root, role, party, found);
}

/* ---- copying */

static void release_key(void *key) { fg_key_unref(key); }

static bool copy_string(fg_arena_t *arena, fg_str_t *s) {
    if (s->p != NULL)
        *s = fg_arena_str(arena, *s);
    return s->p != NULL || s->n == 0;
}

static bool copy_claims(fg_arena_t *arena, fg_claims_t *claims) {
    const fg_claims_t from = *claims;
    *claims = (fg_claims_t){0};
    for (size_t i = 0; i < from.count; i++) {
        fg_claim_t claim = {.type = from.items[i].type, .issuer = from.items[i].issuer};
        claim.value = fg_arena_str(arena, from.items[i].value);
        if (claim.value.p == NULL || !fg_claims_add(arena, claims, &claim))
            return false;
    }
    return true;
}

static bool copy_attributes(fg_arena_t *arena, fg_saml_attributes_t *attributes) {
    const fg_str_t *from = attributes->names;
    attributes->names = fg_arena_alloc(arena, (attributes->count + 1) * sizeof *from);
    for (size_t i = 0; i < attributes->count && attributes->names != NULL; i++) {
        attributes->names[i] = fg_arena_str(arena, from[i]);
        if (attributes->names[i].p == NULL)
            return false;
    }
    return attributes->names != NULL;
}

const fg_saml_party_t *fg_saml_party_copy(fg_arena_t *arena, const fg_saml_party_t *party) {
    fg_saml_party_t *copy = fg_arena_alloc(arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *party;
    bool good = copy_string(arena, &copy->entity_id) && copy_string(arena, &copy->display_name) &&
                copy_claims(arena, &copy->facts);
    for (size_t i = 0; i < copy->attributes_count; i++)
        good = good && copy_attributes(arena, &copy->attributes[i]);
    for (size_t i = 0; i < copy->discovery_response_count; i++)
        good = good && copy_string(arena, &copy->discovery_responses[i]);
    for (size_t i = 0; i < copy->endpoint_count; i++)
        good = good && copy_string(arena, &copy->endpoints[i].location) &&
               copy_string(arena, &copy->endpoints[i].response_location);
    for (size_t i = 0; i < copy->name_id_format_count; i++)
        good = good && copy_string(arena, &copy->name_id_formats[i]);
    for (size_t i = 0; i < copy->keys.count; i++)
        good = good && fg_arena_own(arena, release_key, fg_key_ref(copy->keys.items[i]));
    if (copy->encryption_key != NULL)
        good = good && fg_arena_own(arena, release_key, fg_key_ref(copy->encryption_key));
    return good ? copy : NULL;
}

/* ---- choosing */

void fg_saml_source_id(fg_str_t entity_id, unsigned char out[FG_SAML_SOURCE_ID]) {
    fg_sha1(entity_id.p, entity_id.n, out);
}

const fg_saml_endpoint_t *fg_saml_party_endpoint(const fg_saml_party_t *party, fg_saml_service_t service,
                                                 fg_saml_binding_t binding) {
    for (size_t i = 0; i < party->endpoint_count; i++)
        if (party->endpoints[i].service == service && party->endpoints[i].binding == binding)
            return &party->endpoints[i];
    return NULL;
}

const fg_saml_endpoint_t *fg_saml_party_consumer(const fg_saml_party_t *party, fg_str_t url, int index,
                                                 fg_saml_binding_t binding) {
    const fg_saml_endpoint_t *first = NULL, *preferred = NULL;
    for (size_t i = 0; i < party->endpoint_count; i++) {
        const fg_saml_endpoint_t *endpoint = &party->endpoints[i];
        if (endpoint->service != FG_SAML_ASSERTION_CONSUMER)
            continue;
        if (binding != FG_SAML_BINDINGS && endpoint->binding != binding)
            continue;
        if (url.n > 0 ? !fg_str_eq(endpoint->location, url) : index >= 0 && endpoint->index != (unsigned)index)
            continue;
        first = first ? first : endpoint;
        preferred = preferred == NULL && endpoint->is_default ? endpoint : preferred;
    }
    return preferred ? preferred : first;
}

const fg_saml_attributes_t *fg_saml_party_attributes(const fg_saml_party_t *party, int index) {
    const fg_saml_attributes_t *first = NULL;
    for (size_t i = 0; i < party->attributes_count; i++) {
        const fg_saml_attributes_t *attributes = &party->attributes[i];
        if (index >= 0 ? attributes->index == (unsigned)index : attributes->is_default)
            return attributes;
        first = first ? first : attributes;
    }
    return index < 0 ? first : NULL;
}
