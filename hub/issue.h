/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The claims pipeline's way out: an identity becomes a token for a partner. */
#ifndef FG_HUB_ISSUE_H
#define FG_HUB_ISSUE_H

#include "hub/exchange.h"

typedef struct fg_issue_request {
    const fg_partner_t *partner;
    fg_str_t audience; /* the realm as it was asked for; one of the partner's */
    const fg_identity_t *identity;
    fg_saml_version_t version;
    bool jwt;            /* a JWT in place of an assertion */
    fg_str_t recipient;  /* reply URL for browser protocols; .n 0: none */
    int64_t lifetime_ms; /* 0: the partner's; longer than the partner's: clamped (WT-09) */
    int64_t
        not_after_ms; /* it ends then at the latest: with the token of whom somebody acts for (WT-02); 0: no limit */
    const char *protocol; /* for the audit line: "wstrust13", "wsfed", … */
} fg_issue_request_t;

typedef struct fg_issued {
    fg_str_t token; /* the assertion (or its EncryptedAssertion/EncryptedData), in the arena */
    char id[FG_ID_SIZE];
    fg_saml_version_t version;
    int64_t created_ms;
    int64_t expires_ms;
} fg_issued_t;

/* What rules look at: an identity's claims and those about the sign-in, appended. */
bool fg_issue_gather(fg_arena_t *arena, const fg_identity_t *identity, fg_claims_t *out) FG_MUST_CHECK;

/* Runs the partner's authorization rules, makes its claims (by issuance rules, or those that it lists), writes and
 * signs; writes the audit line "issued".  FG_E_DENIED: nothing may be issued.  A JWT is never encrypted: for a partner
 * with an encryption certificate it is refused (FG_E_WST_TOKEN_TYPE). */
bool fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) FG_MUST_CHECK;

#endif
