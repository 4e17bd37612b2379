/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Acting for somebody else (WS-Trust 1.4 §4.2: OnBehalfOf and ActAs): who may, for whom, towards whom. */
#ifndef FG_HUB_DELEGATION_H
#define FG_HUB_DELEGATION_H

#include "hub/exchange.h"

typedef enum fg_delegation_kind {
    FG_DELEGATION_ON_BEHALF_OF, /* the token is the subject's as if it had asked for it; the actor is not in it */
    FG_DELEGATION_ACT_AS        /* the token names the actor */
} fg_delegation_kind_t;

/* "onbehalfof", "actas": what rules and the audit log call it. */
const char *fg_delegation_word(fg_delegation_kind_t kind);

typedef struct fg_delegation {
    const fg_partner_t *partner;
    fg_str_t audience;            /* which of the partner's realms is asked for */
    const fg_identity_t *actor;   /* who asks, proven by the request itself */
    const fg_identity_t *subject; /* from a token whose signature, issuer, conditions and audience were checked */
    fg_delegation_kind_t kind;
} fg_delegation_t;

/* Runs the partner's delegation rules: the actor's claims as they are, the subject's under FG_REQUEST_SUBJECT, those of
 * who acts for the subject already under FG_REQUEST_SUBJECT_ACTOR, the kind and the realm.  FG_E_DENIED: no rule
 * permits it, one denies it, the partner has none, the actor has itself an actor, or the chain would be longer than
 * FG_ACTORS_MAX (WT-02).  Writes the audit line "delegated" if it is permitted. */
bool fg_delegation_authorize(fg_exchange_t *ex, const fg_delegation_t *delegation, fg_err_t *err) FG_MUST_CHECK;

/* Whose token is issued then: the subject and nothing of the actor's; for ActAs with the actor at the end of the chain,
 * as Windows Identity Foundation has it.  The caller passes the end of the subject's token to fg_issue (not_after_ms).
 */
bool fg_delegation_join(fg_exchange_t *ex, const fg_delegation_t *delegation, fg_identity_t *identity,
                        fg_err_t *err) FG_MUST_CHECK;

#endif
