/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a partner's SAML 2.0 metadata says of the role in which we meet it (saml-metadata-2.0-os). */
#ifndef FG_BRIDGES_SAML_PARTY_H
#define FG_BRIDGES_SAML_PARTY_H

#include "hub/entity.h"
#include "token/claims.h"

#define FG_SAML_ENDPOINTS 32u
#define FG_SAML_FORMATS 16u
#define FG_SAML_ATTRIBUTE_SERVICES 8u
#define FG_SAML_DISCOVERY_RESPONSES 4u
#define FG_SAML_SOURCE_ID 20u

typedef enum fg_saml_binding {
    FG_SAML_REDIRECT,
    FG_SAML_POST,
    FG_SAML_SIMPLE_SIGN,
    FG_SAML_ARTIFACT,
    FG_SAML_SOAP,
    FG_SAML_PAOS,
    FG_SAML_BINDINGS,
} fg_saml_binding_t;

/* urn:oasis:names:tc:SAML:2.0:bindings:…; FG_SAML_BINDINGS: not one of them. */
fg_saml_binding_t fg_saml_binding_from_uri(fg_str_t uri);
const char *fg_saml_binding_uri(fg_saml_binding_t binding);

typedef enum fg_saml_service {
    FG_SAML_SINGLE_SIGN_ON,     /* of identity providers */
    FG_SAML_ASSERTION_CONSUMER, /* of service providers */
    FG_SAML_SINGLE_LOGOUT,
    FG_SAML_ARTIFACT_RESOLUTION,
} fg_saml_service_t;

typedef struct fg_saml_endpoint {
    fg_saml_service_t service;
    fg_saml_binding_t binding;
    fg_str_t location;
    fg_str_t response_location; /* for answers; default: location */
    unsigned index;             /* of an indexed endpoint */
    bool is_default;
} fg_saml_endpoint_t;

typedef enum fg_saml_role { FG_SAML_SERVICE_PROVIDER, FG_SAML_IDENTITY_PROVIDER } fg_saml_role_t;

/* An AttributeConsumingService (metadata §2.4.4.1): the names of what a service provider asks for. */
typedef struct fg_saml_attributes {
    unsigned index;
    bool is_default;
    fg_str_t *names;
    size_t count;
} fg_saml_attributes_t;

/* Strings and keys are in the arena that it was read into. */
typedef struct fg_saml_party {
    fg_saml_role_t role;
    fg_str_t entity_id;
    unsigned char source_id[FG_SAML_SOURCE_ID];      /* in its artifacts */
    fg_saml_endpoint_t endpoints[FG_SAML_ENDPOINTS]; /* with bindings that are known here, in their order */
    size_t endpoint_count;
    fg_entity_keys_t keys; /* with which it signs */
    fg_key_t *encryption_key;
    fg_str_t name_id_formats[FG_SAML_FORMATS];
    size_t name_id_format_count;
    fg_str_t display_name; /* for people, in English if there is one; .n 0: none */
    fg_claims_t facts;     /* for rules (policy/request.h) */
    fg_saml_attributes_t attributes[FG_SAML_ATTRIBUTE_SERVICES];
    size_t attributes_count;
    fg_str_t discovery_responses[FG_SAML_DISCOVERY_RESPONSES]; /* SP: where a discovery service may send people */
    size_t discovery_response_count;
    bool signs_requests;          /* SP: AuthnRequestsSigned */
    bool wants_assertions_signed; /* SP: WantAssertionsSigned */
    bool wants_requests_signed;   /* IdP: WantAuthnRequestsSigned */
    int64_t valid_until_ms;       /* 0: for ever */
} fg_saml_party_t;

/* Reads one entity's role from a document, with trust only what one of its keys signed (SA-18).  Expired documents and
 * addresses that are no web addresses are refused; *found false: the entity has no such role. */
bool fg_saml_party_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                        fg_saml_role_t role, fg_saml_party_t *party, bool *found, fg_err_t *err) FG_MUST_CHECK;

/* The same of an entity that is read already (fg_entity_open). */
bool fg_saml_party_read_entity(fg_entity_reader_t *in, const xmlNode *entity, fg_saml_role_t role,
                               fg_saml_party_t *party, bool *found) FG_MUST_CHECK;

/* A copy that another arena owns; NULL: memory. */
const fg_saml_party_t *fg_saml_party_copy(fg_arena_t *arena, const fg_saml_party_t *party) FG_MUST_CHECK;

/* SHA-1 of an entityID (bindings §3.6.4.2). */
void fg_saml_source_id(fg_str_t entity_id, unsigned char out[FG_SAML_SOURCE_ID]);
/* The first endpoint of a service with that binding; NULL: none. */
const fg_saml_endpoint_t *fg_saml_party_endpoint(const fg_saml_party_t *party, fg_saml_service_t service,
                                                 fg_saml_binding_t binding);
/* The service provider's assertion consumer service: by its exact address, else by index, else the default (metadata
 * §2.4.4: isDefault, or the first); index negative and url .n 0: not asked for.  NULL: not in the metadata (SA-17). */
const fg_saml_endpoint_t *fg_saml_party_consumer(const fg_saml_party_t *party, fg_str_t url, int index,
                                                 fg_saml_binding_t binding);
/* What a service provider asks for by that index; negative: by default (metadata §2.4.4: isDefault, or the first).
 * NULL: nothing. */
const fg_saml_attributes_t *fg_saml_party_attributes(const fg_saml_party_t *party, int index);

/* ---- of party.c: what extensions say (extensions.c) */

/* Registration and entity attributes of the entity, user interface, scopes and discovery of the role. */
bool fg_saml_read_extensions(fg_entity_reader_t *in, const xmlNode *entity, const xmlNode *role,
                             fg_saml_party_t *party) FG_MUST_CHECK;
bool fg_saml_read_attributes(fg_entity_reader_t *in, const xmlNode *service, fg_saml_party_t *party) FG_MUST_CHECK;

#endif
