/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Single logout (profiles §4.4), in both roles.  sign_out.c takes the requests that browsers bring and answers them in
 * the end, sign_out_soap.c those that partners send themselves; tell.c tells the others; sign_out_state.c has what is
 * remembered in between. */
#ifndef FG_BRIDGES_SAML_SIGN_OUT_H
#define FG_BRIDGES_SAML_SIGN_OUT_H

#include "bridges/saml/logout.h"
#include "bridges/saml/peer.h"
#include "hub/signout.h"

/* ---- what is remembered */

/* A sign-out that is under way: sealed in an address of ours, or kept in the store. */
typedef struct fg_saml_signout {
    int64_t made_ms;
    /* who asked by SAML and gets an answer; .n 0: nobody */
    fg_saml_role_t asker_role;
    fg_str_t asker;
    fg_str_t request_id;
    fg_str_t relay_state; /* .p NULL: none */
    fg_saml_binding_t binding;
    bool partly; /* somebody was not told, or did not confirm */
    /* the identity provider that is still to be told; .n 0: none */
    fg_str_t provider;
    fg_name_id_t name_id;
    fg_str_t provider_index;
    /* where people go on, if nobody gets an answer; .n 0: nowhere */
    fg_str_t back, back_name;
    fg_str_t awaited[FG_SESSION_PARTIES]; /* words of messages whose answers count */
    size_t awaited_count;
} fg_saml_signout_t;

/* Our own address that goes on with it, in the arena. */
bool fg_saml_signout_seal(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_str_t *url,
                          fg_err_t *err) FG_MUST_CHECK;
/* From the parameter of that address. */
bool fg_saml_signout_unseal(fg_exchange_t *ex, fg_saml_signout_t *state, fg_err_t *err) FG_MUST_CHECK;

/* A LogoutRequest that we sent: its ID is "_" + word. */
typedef struct fg_saml_sent {
    fg_saml_role_t role;
    fg_str_t to;               /* the peer's id */
    bool goes_on;              /* the answer comes at top level, and leads on: */
    fg_saml_signout_t signout; /* with this */
} fg_saml_sent_t;
bool fg_saml_sent_put(fg_exchange_t *ex, fg_str_t word, const fg_saml_sent_t *sent, fg_err_t *err) FG_MUST_CHECK;
/* Once. */
bool fg_saml_sent_take(fg_exchange_t *ex, fg_str_t word, fg_saml_sent_t *sent, fg_err_t *err) FG_MUST_CHECK;
/* What came of it. */
void fg_saml_outcome_put(fg_exchange_t *ex, fg_str_t word);
/* Whether all of them said that they signed out. */
bool fg_saml_outcome_all(fg_exchange_t *ex, const fg_saml_signout_t *state) FG_MUST_CHECK;

/* ---- whom it concerns */

/* Whether a request fits what was issued to this party of the session: the name, and the session if it names any
 * (SA-16). */
bool fg_saml_fits_party(const fg_saml_logout_t *logout, const fg_session_t *session, const fg_session_party_t *party);
/* The same with what the identity provider said. */
bool fg_saml_fits_provider(const fg_saml_logout_t *logout, const fg_session_t *session);
/* By the role of who asks. */
bool fg_saml_fits(const fg_saml_peer_t *asker, const fg_saml_logout_t *logout, const fg_session_t *session,
                  const fg_session_party_t **party);
/* The reference of a party (hub/session.h): the name under which it knows the person. */
bool fg_saml_reference_make(fg_exchange_t *ex, const fg_name_id_t *name_id, fg_str_t *reference,
                            fg_err_t *err) FG_MUST_CHECK;
bool fg_saml_reference_read(fg_str_t reference, fg_name_id_t *name_id) FG_MUST_CHECK;

/* ---- telling (tell.c) */

/* Sends the browser with a LogoutRequest to the identity provider of state, which then is none of its any more.  False:
 * it cannot be told that way. */
bool fg_saml_send_provider(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_err_t *err) FG_MUST_CHECK;
/* Tells a peer by SOAP, at once. */
bool fg_saml_tell_by_soap(fg_exchange_t *ex, const fg_saml_peer_t *peer, const fg_saml_logout_t *logout,
                          fg_err_t *err) FG_MUST_CHECK;

#endif
