/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of a session, whichever protocol asks for it: everybody who got a token in it, and who vouched for it, is
 * told in the protocol of his own. */
#ifndef FG_HUB_SIGNOUT_H
#define FG_HUB_SIGNOUT_H

#include "hub/session.h"

/* Ends the session here (cookies of the response, store) and writes the audit line "signout".  protocol: for that. */
void fg_signout_end(fg_exchange_t *ex, const fg_session_t *session, const char *protocol);
/* The identity provider that vouched for a session, with the name that people know; NULL: a directory did. */
const fg_home_realm_t *fg_signout_provider(const fg_hub_t *hub, const fg_session_t *session);
/* "parties" of the pages signed_out and clean_up: [{name, url}], of all relying parties but except (NULL: none), which
 * asked.  *untold (may be NULL): how many should have been told and cannot be.  NULL: memory. */
json_t *fg_signout_parties(fg_exchange_t *ex, const fg_session_t *session, const fg_session_party_t *except,
                           size_t *untold);
/* Where the browser tells the identity provider; .n 0: nobody is to be told. */
fg_str_t fg_signout_provider_url(fg_exchange_t *ex, const fg_session_t *session);

#endif
