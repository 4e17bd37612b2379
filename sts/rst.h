/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestSecurityToken (WS-Trust February 2005, 1.3 and 1.4): Issue, Renew, Cancel, Validate. */
#ifndef FG_STS_RST_H
#define FG_STS_RST_H

#include "core/xml.h"
#include "hub/partner.h"
#include "sts/trust.h"

/* of a symmetric proof key, and of what goes into it (WT-06) */
#define FG_KEY_BYTES_MIN 16u
#define FG_KEY_BYTES_MAX 32u

/* Nodes are of the request; nothing of them is believed yet. */
typedef struct fg_rst {
    fg_trust_request_t request;
    fg_str_t context;          /* .p NULL: none */
    fg_str_t applies_to;       /* the address, not yet looked up; .p NULL: none */
    fg_str_t applies_to_der;   /* the certificate in its endpoint reference's Identity; .p NULL: none */
    fg_str_t token_type;       /* as written; .p NULL: none */
    bool jwt, status;          /* what token_type asks for */
    fg_saml_version_t version; /* if neither */
    int64_t expires_ms;        /* of the requested Lifetime; 0: none */
    const xmlNode *claims;     /* NULL: none */
    fg_proof_kind_t key_type;  /* if key_type_given */
    bool key_type_given;
    size_t key_bytes;      /* of KeySize; 0: none */
    fg_str_t entropy;      /* the requestor's share; .p NULL: none, or encrypted: */
    xmlNode *entropy_key;  /* xenc:EncryptedKey to us; NULL: none */
    xmlNode *use_key;      /* NULL: none; else the one element in UseKey */
    xmlNode *on_behalf_of; /* the one element inside; NULL: none */
    xmlNode *act_as;
    xmlNode *target;              /* of Renew, Cancel, Validate */
    bool renewing, renewing_late; /* Renewing/@Allow and @OK */
    bool not_for_others;          /* Delegatable is false */
    bool display_token;           /* RequestDisplayToken */
} fg_rst_t;

/* Reads the element in the words of one version.  Refuses what is not served (batches, challenges, keys of other kinds)
 * rather than to issue something weaker than was asked for. */
bool fg_rst_read(fg_arena_t *arena, const xmlNode *element, fg_trust_version_t trust, int64_t now_ms, int64_t skew_ms,
                 fg_rst_t *rst, fg_err_t *err) FG_MUST_CHECK;

/* True if every claim that the request marks as required is one that the partner may get; *required (in the arena) are
 * their types: whether they are issued is seen when they are. */
bool fg_rst_claims_served(fg_arena_t *arena, const fg_rst_t *rst, const fg_partner_t *partner,
                          const fg_str_t **required, size_t *count, fg_err_t *err) FG_MUST_CHECK;

#endif
