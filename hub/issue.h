/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The claims pipeline's way out: an identity becomes a token for a partner. */
#ifndef FG_HUB_ISSUE_H
#define FG_HUB_ISSUE_H

#include "hub/exchange.h"

/* The key whose possession whoever uses the token has to show (holder-of-key). */
typedef struct fg_issue_proof {
    fg_proof_kind_t kind;
    const fg_key_t *key; /* public */
    fg_str_t secret;     /* symmetric: encrypted to the partner's certificate inside the token */
    fg_str_t key_info;   /* or the children of ds:KeyInfo ready made: of a token that is renewed; .n 0: not */
} fg_issue_proof_t;

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
    bool saml_sso;    /* an answer by SAML 2.0's profiles: the next two count */
    fg_str_t in_response_to;     /* the request's ID; .n 0: nobody asked */
    fg_str_t name_id_format;     /* that was asked for; .n 0: any */
    const fg_name_id_t *name_id; /* that the partner knows the person by already; NULL: none yet */
    bool limited;                /* no other claims than these are issued */
    const fg_str_t *wanted;      /* names */
    size_t wanted_count;
    const fg_issue_proof_t *proof;   /* NULL: a bearer token */
    bool renews;                     /* identity is that of a token of ours: what it says is issued again as it is */
    fg_str_t owner;                  /* who may renew and cancel it (hub/token_id.h); .n 0: nobody */
    unsigned id_flags;               /* FG_TOKEN_… */
    const fg_str_t *required_claims; /* types without which the token is of no use to the requestor */
    size_t required_count;
    const char *protocol;       /* for the audit line: "wstrust13", "wsfed", … */
    const char *request;        /* for the audit line: "renew", …; NULL: "issue" */
    const fg_identity_t *actor; /* for the audit line: who asked for it on behalf of identity; NULL: nobody else */
} fg_issue_request_t;

typedef struct fg_issued {
    fg_str_t token; /* the assertion (or its EncryptedAssertion/EncryptedData), in the arena */
    char id[FG_ID_SIZE];
    fg_saml_version_t version;
    int64_t created_ms;
    int64_t expires_ms;
    fg_name_id_t name_id; /* under which the partner knows the person now */
    bool jwt;
    fg_claims_t claims; /* what it says */
} fg_issued_t;

/* What rules look at: an identity's claims and those about the sign-in, appended. */
bool fg_issue_gather(fg_arena_t *arena, const fg_identity_t *identity, fg_claims_t *out) FG_MUST_CHECK;

/* What a partner gets to know of somebody, of request's partner, audience and identity alone: its authorization rules
 * (FG_E_DENIED), then its claims and, where one is configured or issued by a rule, a name. */
bool fg_issue_claims(fg_exchange_t *ex, const fg_issue_request_t *request, fg_claims_t *claims, fg_name_id_t *name_id,
                     fg_err_t *err) FG_MUST_CHECK;

/* Who acts for an identity, with what the partner gets to know of each; *chain NULL: nobody. */
bool fg_issue_actors(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                     const fg_identity_t **chain, fg_err_t *err) FG_MUST_CHECK;

/* What the audit line "issued" says; what is empty is left out. */
typedef struct fg_issue_note {
    const fg_partner_t *partner;
    fg_str_t user, audience;
    const fg_identity_t *actor; /* NULL: nobody */
    const char *protocol, *request, *token_type, *key_type, *token_id;
} fg_issue_note_t;

void fg_issue_note(fg_exchange_t *ex, const fg_issue_note_t *note);

/* Runs the partner's authorization rules, makes its claims (by issuance rules, or those that it lists), writes and
 * signs; writes the audit line "issued".  FG_E_DENIED: nothing may be issued; FG_E_WST_CLAIMS: a required claim would
 * not be in it; FG_E_WST_KEY_TYPE: the partner takes no keys of that kind, or there is no certificate to encrypt one
 * to.  A JWT is never encrypted: for a partner with an encryption certificate it is refused (FG_E_WST_TOKEN_TYPE). */
bool fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) FG_MUST_CHECK;

#endif
