/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * May this request go on to the server behind?  First without blocking, on the host's event loop: a session cookie or a
 * credential seen before, and the policy.  What needs more (a new token, a password, a refusal, a token to be minted)
 * runs on the pools.
 *
 * fg_access_t stands at ex->access of an exchange that fg_gateway_access_new() made. */
#ifndef FG_HUB_ACCESS_H
#define FG_HUB_ACCESS_H

#include "hub/protect.h"
#include "hub/session.h"
#include "policy/wsman.h"

typedef enum fg_access_outcome {
    FG_ACCESS_UNDECIDED,
    FG_ACCESS_PERMITTED, /* goes on; the fields below hold */
    FG_ACCESS_ANSWERED,  /* ex->response is to be sent in place of the upstream's */
} fg_access_outcome_t;

typedef struct fg_access {
    const fg_protect_t *protect;
    fg_access_outcome_t outcome;
    fg_session_t
        session; /* who; its id is the cookie's, or made for the credential, and the same as long as that lasts */
    const char *credential;   /* "session", "bearer", "basic", "negotiate", "certificate", "soap" */
    bool credential_is_spent; /* the Authorization header was for us: it does not go on */
    fg_decision_t decision;
    const char *reason;              /* "permit", or the reason code of the refusal */
    fg_str_t upstream_token;         /* .n 0: none is configured */
    fg_str_t upstream_authorization; /* in place of the client's; .n 0: none is made */
    fg_str_t upstream_principal;     /* as whom the request goes on then */
    bool answer_is_read;             /* the host calls fg_access_read_answer with what the server behind answers */
    fg_wsman_message_t wsman;        /* of a WS-Management endpoint */
} fg_access_t;

/* Makes ex->access; what fg_gateway_run() calls next is fg_access_run().  False: memory. */
bool fg_access_begin(fg_exchange_t *ex, const fg_protect_t *protect) FG_MUST_CHECK;
/* Answers with a refusal in the form that this caller understands: page, JSON or SOAP fault. */
void fg_access_refuse(fg_exchange_t *ex, const fg_err_t *err);

/* On the event loop; never blocks.  FG_STEP_DONE: outcome is there.  FG_STEP_BODY: read the body, then call it again.
 * FG_STEP_JOB: go on with fg_gateway_run() on the token pool. */
fg_step_t fg_access_quick(fg_exchange_t *ex);
/* On the token pool; FG_STEP_DONE or FG_STEP_PASSWORD, as handlers do. */
fg_step_t fg_access_run(fg_exchange_t *ex);
/* On the event loop, with the whole answer to a request that opens a context, before its end is sent: binds what it
 * opens to the subject.  False (logged): it could not be noted, and later requests with it will be refused. */
bool fg_access_read_answer(fg_exchange_t *ex, fg_str_t body);

/* A claim's values for a header or a log: joined by ';', and '%', ';' and control characters percent-encoded (HT-02).
 * name: an alias of the policy or a short name.  .p NULL: no such claim. */
fg_str_t fg_access_claim(fg_arena_t *arena, const fg_access_t *access, fg_str_t name);
/* One value, encoded likewise but for ';'; itself where nothing is to be encoded. */
fg_str_t fg_access_text(fg_arena_t *arena, fg_str_t value);

#endif
