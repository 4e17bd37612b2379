/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A partner: a relying party that gets tokens from here.  Immutable once the configuration is loaded. */
#ifndef FG_HUB_PARTNER_H
#define FG_HUB_PARTNER_H

#include "core/key.h"
#include "policy/rules.h"
#include "token/encrypt.h"

typedef enum fg_trust_version { FG_TRUST_2005, FG_TRUST_13 } fg_trust_version_t;

/* Whether a token can be used by whoever holds it, or together with a key alone (WS-Trust 1.3 §4.2, KeyType). */
typedef enum fg_proof_kind { FG_PROOF_BEARER, FG_PROOF_SYMMETRIC, FG_PROOF_PUBLIC, FG_PROOF_KINDS } fg_proof_kind_t;

typedef struct fg_partner {
    const char *name;         /* the section's title in the configuration */
    const char *display_name; /* for people; default: name */
    const fg_str_t *realms;   /* wtrealm and AppliesTo, compared byte by byte (WT-01); the first is the audience */
    size_t realm_count;
    const fg_str_t *reply_urls; /* WS-Federation; the first is the default */
    size_t reply_count;
    fg_str_t sign_out_url;            /* where wsignoutcleanup1.0 goes; default: the first reply URL */
    fg_saml_version_t token;          /* default format */
    bool token_fixed;                 /* true: a request for the other format is refused */
    fg_trust_version_t trust_version; /* shape of wresult */
    int64_t token_lifetime_ms;
    const char *name_id_claim;      /* claim type that becomes the NameID; NULL: none */
    const char *name_id_format;     /* URI; NULL: unspecified */
    const char *const *claim_types; /* what is issued, in this order (no claim without being named) */
    size_t claim_type_count;
    const fg_ruleset_t *authorization_rules;  /* who may have a token; NULL: everybody */
    const fg_ruleset_t *issuance_rules;       /* what is issued, in place of claim_types; NULL: those */
    const fg_ruleset_t *delegation_rules;     /* who may act for whom (hub/delegation.h); NULL: nobody */
    const fg_ruleset_t *registration_rules;   /* who may register as a client like this one; NULL: nobody */
    fg_key_t *encryption_key;                 /* certificate to which tokens are encrypted; NULL: not encrypted */
    fg_encryption_t encryption;               /* with which algorithm */
    bool encrypt_name_id, encrypt_attributes; /* SAML 2.0: these parts singly, in place of the whole assertion */
    const struct fg_saml_party *saml;         /* its SAML 2.0 metadata (bridges/saml/); NULL: it does not speak that */
    const struct fg_openid_client *openid;    /* its registration for OpenID Connect (bridges/openid/); NULL: none */
    const struct fg_openid2_party *openid2;   /* likewise for OpenID 2.0 */
    fg_claims_t facts;                        /* of its metadata, for rules (policy/request.h) */
    bool requested_only;                      /* attributes that its metadata asks for, and no others */
    bool attribute_queries;                   /* it may ask for the attributes of people whom it knows */
    bool sign_response;                       /* the SAML 2.0 Response as well as the assertion in it */
    fg_str_t attribute_name_format;           /* NameFormat of SAML 2.0 attributes; .n 0: none, as AD FS has it */
    fg_key_t *certificate;                    /* its certificate, also where tokens are not encrypted; NULL: none */
    unsigned key_types;                       /* 1u << FG_PROOF_…; 0: bearer alone */
    bool jwt;                                 /* a JWT may be asked for at the active endpoints */
    int64_t renew_ms;                         /* how long after the sign-in a token is renewed; 0: not at all */
} fg_partner_t;

#endif
