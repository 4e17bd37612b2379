/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestSecurityToken (WS-Trust February 2005 and 1.3), to issue a bearer token. */
#ifndef FG_STS_RST_H
#define FG_STS_RST_H

#include "core/xml.h"
#include "hub/partner.h"

typedef struct fg_rst {
    fg_str_t context;          /* .p NULL: none */
    fg_str_t applies_to;       /* the address, not yet looked up */
    fg_str_t token_type;       /* as written; .p NULL: none */
    fg_saml_version_t version; /* if token_type is given */
    int64_t expires_ms;        /* of the requested Lifetime; 0: none */
    const xmlNode *claims;     /* NULL: none */
} fg_rst_t;

/* Reads the element in the words of one version.  Refuses what is not served (other RequestTypes, keys, delegation)
 * rather than to issue something weaker than was asked for. */
bool fg_rst_read(fg_arena_t *arena, const xmlNode *element, fg_trust_version_t trust, int64_t now_ms, int64_t skew_ms,
                 fg_rst_t *rst, fg_err_t *err) FG_MUST_CHECK;

/* True if every claim that the request marks as required is one that the partner gets. */
bool fg_rst_claims_served(fg_arena_t *arena, const fg_rst_t *rst, const fg_partner_t *partner,
                          fg_err_t *err) FG_MUST_CHECK;

#endif
