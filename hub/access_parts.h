/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an access decision consists of, between the files that make it; nobody else includes this. */
#ifndef FG_HUB_ACCESS_PARTS_H
#define FG_HUB_ACCESS_PARTS_H

#include "hub/access.h"

/* What one stage says. */
typedef enum fg_access_turn {
    FG_TURN_NEXT,
    FG_TURN_BODY,     /* again, once the body is there */
    FG_TURN_JOB,      /* again, on the token pool */
    FG_TURN_PASSWORD, /* ex->signin is filled in */
    FG_TURN_ANSWERED, /* the response is there */
    FG_TURN_REFUSE,   /* err says why */
} fg_access_turn_t;

typedef enum fg_credential_kind {
    FG_CREDENTIAL_NONE,
    FG_CREDENTIAL_SESSION,
    FG_CREDENTIAL_BEARER,
    FG_CREDENTIAL_DPOP, /* an access token with a proof of its key: validated each time (RFC 9449) */
    FG_CREDENTIAL_BASIC,
    FG_CREDENTIAL_NEGOTIATE, /* a ticket of Kerberos: good for this one request (RFC 4559) */
    FG_CREDENTIAL_CERTIFICATE,
    FG_CREDENTIAL_SOAP,
    FG_CREDENTIAL_MESSAGE, /* a SOAP message that is signed: no token of it stands alone */
} fg_credential_kind_t;

typedef struct fg_credential {
    fg_credential_kind_t kind;
    fg_str_t text;     /* as it was sent; of SOAP: canonical */
    xmlNode *element;  /* of SOAP: the token, of a signed message its Security header */
    fg_str_t key;      /* in the store; .n 0: is not kept there */
    fg_str_t token_id; /* of a token of ours, which may be cancelled; .n 0: of none */
} fg_credential_t;

/* fg_access_t and what only we look at. */
typedef struct fg_access_work {
    fg_access_t access; /* first */
    unsigned stage;
    bool on_pool;
    bool message_is_read; /* access.wsman is filled in */
    fg_credential_t credential;
    fg_claims_t claims; /* what the policy looked at */
    fg_err_t err;
} fg_access_work_t;

static inline fg_access_work_t *fg_access_work(fg_exchange_t *ex) { return (fg_access_work_t *)ex->access; }

/* The request's token in its own words, so that a stage can say return fg_turn(ok). */
static inline fg_access_turn_t fg_turn(bool ok) { return ok ? FG_TURN_NEXT : FG_TURN_REFUSE; }

/* ---- access_credential.c */
fg_access_turn_t fg_access_pick(fg_exchange_t *ex, fg_access_work_t *w);      /* from the headers, or the session */
fg_access_turn_t fg_access_pick_soap(fg_exchange_t *ex, fg_access_work_t *w); /* from the body */
bool fg_access_is_soap(fg_exchange_t *ex);                                    /* by its media type */
fg_access_turn_t fg_access_identify(fg_exchange_t *ex, fg_access_work_t *w);
/* Makes the session of somebody whose credential is good until expires_ms and keeps it in the store. */
bool fg_access_accept(fg_exchange_t *ex, fg_access_work_t *w, const fg_identity_t *identity,
                      const fg_home_realm_t *realm, int64_t expires_ms) FG_MUST_CHECK;

/* ---- access_validate.c: on the pool */
fg_access_turn_t fg_access_validate(fg_exchange_t *ex, fg_access_work_t *w);

/* ---- access_message.c: the same for signed messages */
fg_access_turn_t fg_access_validate_message(fg_exchange_t *ex, fg_access_work_t *w);
/* A password is to be checked: on the way back the identity is taken over. */
fg_access_turn_t fg_access_ask_password(fg_exchange_t *ex, fg_access_work_t *w, const xmlNode *username_token);

/* ---- access_decide.c */
fg_access_turn_t fg_access_read_message(fg_exchange_t *ex, fg_access_work_t *w);
fg_access_turn_t fg_access_decide(fg_exchange_t *ex, fg_access_work_t *w);
fg_access_turn_t fg_access_upstream(fg_exchange_t *ex, fg_access_work_t *w);
/* The rule that decided, "FILE:LINE"; .n 0: none did. */
fg_str_t fg_access_rule(fg_exchange_t *ex, const fg_access_work_t *w);
/* Who, for logs. */
fg_str_t fg_access_user(const fg_access_work_t *w);

/* ---- access_delegate.c */
fg_access_turn_t fg_access_delegate(fg_exchange_t *ex, fg_access_work_t *w);

/* ---- access_context.c */
fg_access_turn_t fg_access_check_context(fg_exchange_t *ex, fg_access_work_t *w); /* WM-11 */

/* ---- access_refuse.c */
/* True for a browser that somebody sits at and that can be shown a page. */
bool fg_access_is_browser(const fg_exchange_t *ex);
void fg_access_audit(fg_exchange_t *ex, const char *event, const fg_err_t *err);

#endif
