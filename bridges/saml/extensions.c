/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What metadata says beyond the protocol: who registered an entity (saml-metadata-rpi-v1.0), which attributes it has
 * (saml-metadata-attr, RFC 8409), what people call it (sstc-saml-metadata-ui-v1.0), which scopes it speaks for, where
 * people may come back from a discovery service (sstc-saml-idp-discovery), and what it asks for (metadata §2.4.4.1). */
#include "bridges/saml/party.h"
#include "core/uri.h"
#include "policy/request.h"

#define FACTS_MAX 512u
#define ATTRIBUTES_MAX 128u

/* ---- facts */

static bool put_fact(fg_entity_reader_t *in, fg_saml_party_t *party, const char *type, fg_str_t value) {
    const fg_claim_t claim = {.type = fg_str(type), .value = value, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    if (value.n == 0 || party->facts.count == FACTS_MAX)
        return true;
    return fg_claims_add(in->arena, &party->facts, &claim) || FG_FAIL(in->err, FG_E_MEMORY, "metadata");
}

/* Which attributes of entities become facts, by role: a relying party's and a provider's. */
static const struct {
    const char *name;
    const char *fact[2];
} attributes[] = {
    {"http://macedir.org/entity-category", {FG_FACT_PARTY_CATEGORY, NULL}},
    {"http://macedir.org/entity-category-support", {NULL, FG_FACT_PROVIDER_CATEGORY}},
    {"urn:oasis:names:tc:SAML:attribute:assurance-certification", {NULL, FG_FACT_PROVIDER_ASSURANCE}},
};

static bool read_entity_attribute(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    fg_str_t name = fg_xml_attr(in->arena, node, NULL, "Name");
    const char *fact = NULL;
    for (size_t i = 0; i < FG_ARRAY_SIZE(attributes); i++)
        if (fg_str_is(name, attributes[i].name))
            fact = attributes[i].fact[party->role];
    for (const xmlNode *value = fg_xml_first_child(node); fact != NULL && value != NULL; value = fg_xml_next(value)) {
        fg_str_t text = fg_xml_token(in->arena, value, NULL); /* what is no text says nothing here */
        if (fg_xml_is(value, FG_NS_SAML2, "AttributeValue") && !put_fact(in, party, fact, text))
            return false;
    }
    return true;
}

static bool read_entity_attributes(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        if (fg_xml_is(child, FG_NS_SAML2, "Attribute") && !read_entity_attribute(in, child, party))
            return false;
    return true;
}

static bool read_registration(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    const char *const facts[] = {FG_FACT_PARTY_REGISTRAR, FG_FACT_PROVIDER_REGISTRAR};
    return put_fact(in, party, facts[party->role], fg_xml_attr(in->arena, node, NULL, "registrationAuthority"));
}

/* A pattern is none of the scopes that can be compared. */
static bool read_scope(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    fg_str_t pattern = fg_xml_attr(in->arena, node, NULL, "regexp");
    bool is_pattern = fg_str_is(pattern, "true") || fg_str_is(pattern, "1");
    if (is_pattern || party->role != FG_SAML_IDENTITY_PROVIDER)
        return true;
    return put_fact(in, party, FG_FACT_PROVIDER_SCOPE, fg_xml_token(in->arena, node, NULL));
}

/* ---- people's and browsers' */

static bool read_interface(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child)) {
        if (!fg_xml_is(child, FG_NS_MDUI, "DisplayName"))
            continue;
        bool english = fg_str_is(fg_xml_attr(in->arena, child, (const char *)XML_XML_NAMESPACE, "lang"), "en");
        fg_str_t text = fg_xml_token(in->arena, child, NULL);
        if (text.n > 0 && (party->display_name.n == 0 || english))
            party->display_name = text;
    }
    return true;
}

/* SA-18: an address that people are sent to. */
static bool read_discovery(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party) {
    fg_str_t location = fg_str_trim(fg_xml_attr(in->arena, node, NULL, "Location"));
    if (!fg_uri_is_web(location))
        return FG_FAIL(in->err, FG_E_XML_STRUCTURE, "DiscoveryResponse \"%.*s\" is no web address",
                       FG_STR_ARG(location));
    if (party->discovery_response_count < FG_SAML_DISCOVERY_RESPONSES)
        party->discovery_responses[party->discovery_response_count++] = location;
    return true;
}

static const struct {
    const char *ns, *name;
    bool (*read)(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party);
} extensions[] = {
    {FG_NS_MDATTR, "EntityAttributes", read_entity_attributes},
    {FG_NS_MDRPI, "RegistrationInfo", read_registration},
    {FG_NS_SHIBMD, "Scope", read_scope},
    {FG_NS_MDUI, "UIInfo", read_interface},
    {FG_NS_IDPDISC, "DiscoveryResponse", read_discovery},
};

static bool read_children(fg_entity_reader_t *in, const xmlNode *parent, fg_saml_party_t *party) {
    const xmlNode *holder = fg_xml_child(parent, FG_NS_MD, "Extensions", NULL);
    for (const xmlNode *node = holder ? fg_xml_first_child(holder) : NULL; node != NULL; node = fg_xml_next(node))
        for (size_t i = 0; i < FG_ARRAY_SIZE(extensions); i++)
            if (fg_xml_is(node, extensions[i].ns, extensions[i].name) && !extensions[i].read(in, node, party))
                return false;
    return true;
}

bool fg_saml_read_extensions(fg_entity_reader_t *in, const xmlNode *entity, const xmlNode *role,
                             fg_saml_party_t *party) {
    return read_children(in, entity, party) && read_children(in, role, party);
}

/* ---- what a service provider asks for */

static bool read_requested(fg_entity_reader_t *in, const xmlNode *node, fg_saml_party_t *party,
                           fg_saml_attributes_t *out) {
    fg_str_t name = fg_xml_attr(in->arena, node, NULL, "Name"), required;
    if (name.n == 0 || out->count == ATTRIBUTES_MAX)
        return name.n > 0 || FG_FAIL(in->err, FG_E_XML_STRUCTURE, "RequestedAttribute without Name");
    required = fg_xml_attr(in->arena, node, NULL, "isRequired");
    out->names[out->count++] = name;
    bool is_required = fg_str_is(required, "true") || fg_str_is(required, "1");
    return put_fact(in, party, FG_FACT_REQUESTED, name) &&
           (!is_required || put_fact(in, party, FG_FACT_REQUIRED, name));
}

bool fg_saml_read_attributes(fg_entity_reader_t *in, const xmlNode *service, fg_saml_party_t *party) {
    fg_str_t index = fg_xml_attr(in->arena, service, NULL, "index");
    fg_str_t is_default = fg_xml_attr(in->arena, service, NULL, "isDefault");
    if (party->attributes_count == FG_SAML_ATTRIBUTE_SERVICES)
        return true;
    fg_saml_attributes_t *out = &party->attributes[party->attributes_count++];
    *out = (fg_saml_attributes_t){.is_default = fg_str_is(is_default, "true") || fg_str_is(is_default, "1")};
    for (size_t i = 0; i < index.n && i < 5; i++)
        if (index.p[i] >= '0' && index.p[i] <= '9')
            out->index = out->index * 10 + (unsigned)(index.p[i] - '0');
    out->names = fg_arena_alloc(in->arena, ATTRIBUTES_MAX * sizeof *out->names);
    if (out->names == NULL)
        return FG_FAIL(in->err, FG_E_MEMORY, "metadata");
    for (const xmlNode *node = fg_xml_first_child(service); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_MD, "RequestedAttribute") && !read_requested(in, node, party, out))
            return false;
    return true;
}
