/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signing in by a ticket of Kerberos: in the header Authorization: Negotiate (RFC 4559), or as a token of WS-Security.
 * A ticket is good for the request that it comes with; no connection and no context is remembered (KL-06). */
#ifndef FG_HUB_NEGOTIATE_H
#define FG_HUB_NEGOTIATE_H

#include "hub/exchange.h"

typedef struct fg_negotiated {
    fg_identity_t identity; /* through the acceptance rules */
    const fg_home_realm_t *realm;
    fg_str_t answer; /* base64, for the client: mutual authentication; .n 0: none */
} fg_negotiated_t;

/* The token of the request's header, in base64; .p NULL: none, or Authorization is there twice. */
fg_str_t fg_negotiate_find(const fg_exchange_t *ex);
/* Whose ticket a header holds.  Refused: FG_E_AUTH_KERBEROS, or what the directory says; the outcome is in the audit
 * log ("signin", "signin_refused").  Blocks: on a pool. */
bool fg_negotiate_header(fg_exchange_t *ex, fg_str_t base64, fg_negotiated_t *out, fg_err_t *err) FG_MUST_CHECK;
/* A token of a message, as bytes: what is in it, with the key that proves who sends the message; good once.  A refusal
 * is in the audit log, nobody is signed in yet. */
bool fg_negotiate_message(fg_exchange_t *ex, fg_str_t token, fg_kerberos_ticket_t *ticket, fg_err_t *err) FG_MUST_CHECK;
/* Whose it is, once the message has proven to be its owner's: the rest of what fg_negotiate_header() does. */
bool fg_negotiate_owner(fg_exchange_t *ex, const fg_kerberos_ticket_t *ticket, fg_negotiated_t *out,
                        fg_err_t *err) FG_MUST_CHECK;
/* Puts the header WWW-Authenticate: Negotiate, with the answer to the client if there is one. */
void fg_negotiate_answer(fg_exchange_t *ex, fg_str_t answer);
/* Whether a browser is asked for a ticket before it sees a form: by its User-Agent and by where it is. */
bool fg_negotiate_fits(const fg_exchange_t *ex);

#endif
