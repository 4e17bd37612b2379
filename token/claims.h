/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Claims as Windows Identity Foundation has them, and an identity: a set of claims and how it was authenticated.
 * Everything lives in the arena of the exchange. */
#ifndef FG_TOKEN_CLAIMS_H
#define FG_TOKEN_CLAIMS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/str.h"

/* claim types (wire conventions; Microsoft's and OASIS' names) */
#define FG_CLAIMS_2005 "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
#define FG_CLAIMS_2005_PROPERTIES "http://schemas.xmlsoap.org/ws/2005/05/identity/claimproperties/"
#define FG_CLAIMS_2008 "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
#define FG_CLAIM_NAME FG_CLAIMS_2005 "name"
#define FG_CLAIM_NAMEIDENTIFIER FG_CLAIMS_2005 "nameidentifier"
#define FG_CLAIM_EMAIL FG_CLAIMS_2005 "emailaddress"
#define FG_CLAIM_GIVENNAME FG_CLAIMS_2005 "givenname"
#define FG_CLAIM_SURNAME FG_CLAIMS_2005 "surname"
#define FG_CLAIM_UPN FG_CLAIMS_2005 "upn"
#define FG_CLAIM_ROLE FG_CLAIMS_2008 "role"
#define FG_CLAIM_WINDOWSACCOUNTNAME FG_CLAIMS_2008 "windowsaccountname"
#define FG_CLAIM_PRIMARYSID FG_CLAIMS_2008 "primarysid"
#define FG_CLAIM_GROUPSID FG_CLAIMS_2008 "groupsid"
#define FG_CLAIM_PRIMARYGROUPSID FG_CLAIMS_2008 "primarygroupsid"
#define FG_CLAIM_AUTHMETHOD FG_CLAIMS_2008 "authenticationmethod"
#define FG_CLAIM_AUTHINSTANT FG_CLAIMS_2008 "authenticationinstant"
#define FG_CLAIM_GROUP "http://schemas.xmlsoap.org/claims/Group"
#define FG_CLAIM_UPN_ADFS1 "http://schemas.xmlsoap.org/claims/UPN"
#define FG_CLAIM_IMMUTABLEID "http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID"
/* The one claim whose value is an identity: <Actor> with its attributes (Windows Identity Foundation). */
#define FG_CLAIM_ACTOR "http://schemas.xmlsoap.org/ws/2009/09/identity/claims/actor"
#define FG_CLAIM_AUTHNMETHODSREFERENCES "http://schemas.microsoft.com/claims/authnmethodsreferences"

/* authentication methods, in the form of claims; each token format has its own words for them (token/authmethod.h) */
#define FG_AUTH_PASSWORD "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"
#define FG_AUTH_WINDOWS "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/windows"
#define FG_AUTH_X509 "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/x509"
#define FG_AUTH_TLSCLIENT "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/tlsclient"
#define FG_AUTH_UNSPECIFIED "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/unspecified"

/* A name and a value that go with a claim, as the format of a name identifier; read only, linked. */
typedef struct fg_claim_property fg_claim_property_t;
struct fg_claim_property {
    fg_str_t name;
    fg_str_t value;
    const fg_claim_property_t *next;
};
#define FG_CLAIM_PROPERTY_FORMAT FG_CLAIMS_2005_PROPERTIES "format"
#define FG_CLAIM_PROPERTY_NAME_FORMAT FG_CLAIMS_2005_PROPERTIES "attributename" /* of a SAML 2.0 attribute */

typedef struct fg_claim {
    fg_str_t type;
    fg_str_t value;
    fg_str_t value_type;                   /* .n 0: string */
    fg_str_t issuer;                       /* .n 0: "LOCAL AUTHORITY" */
    fg_str_t original_issuer;              /* .n 0: as issuer */
    const fg_claim_property_t *properties; /* NULL: none; they are not kept in sessions */
} fg_claim_t;

typedef struct fg_claims {
    fg_claim_t *items;
    size_t count;
    size_t room;
} fg_claims_t;

/* Appends; strings are borrowed (they belong to the same arena or live longer).  False: memory. */
bool fg_claims_add(fg_arena_t *arena, fg_claims_t *claims, const fg_claim_t *claim) FG_MUST_CHECK;
/* type is a constant; value is copied. */
bool fg_claims_put(fg_arena_t *arena, fg_claims_t *claims, const char *type, fg_str_t value) FG_MUST_CHECK;
/* A claim's property, or NULL. */
const fg_claim_property_t *fg_claim_property(const fg_claim_t *claim, const char *name);
/* The first claim of a type, or NULL. */
const fg_claim_t *fg_claims_get(const fg_claims_t *claims, const char *type);

typedef struct fg_name_id {
    fg_str_t value;  /* .n 0: none */
    fg_str_t format; /* URI; .n 0: unspecified */
    fg_str_t name_qualifier;
    fg_str_t sp_name_qualifier;
} fg_name_id_t;

typedef struct fg_identity fg_identity_t;
struct fg_identity {
    fg_name_id_t name_id;
    fg_claims_t claims;
    fg_str_t issuer;      /* who vouches: directory name or the token issuer's URI */
    fg_str_t auth_method; /* FG_AUTH_… or what the token said */
    int64_t auth_instant_ms;
    fg_str_t session_index; /* .n 0: none */
    /* Who acts for this one; the end of the chain is who acted last (WS-Trust 1.4 §4.2, ActAs).  NULL: nobody. */
    const fg_identity_t *actor;
};
#define FG_ACTORS_MAX 4u /* in a chain */

/* How people know an identity: its name claim's value, else its NameID; .n 0: neither. */
fg_str_t fg_identity_name(const fg_identity_t *identity);
size_t fg_identity_count_actors(const fg_identity_t *identity);
/* NULL: nobody acts for it. */
const fg_identity_t *fg_identity_last_actor(const fg_identity_t *identity);

#endif
