/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of a session, whichever protocol asks for it: everybody who got a token in it, and who vouched for it, is
 * told in the protocol of his own. */
#ifndef FG_HUB_SIGNOUT_H
#define FG_HUB_SIGNOUT_H

#include "hub/session.h"

typedef struct fg_signout {
    /* set by the protocol in which it is asked for */
    const char *protocol; /* its name, for the audit line */
    const fg_session_t *session;
    const fg_session_party_t *asker; /* who asks need not be told; NULL: none of the relying parties */
    bool no_browser;                 /* no page can be shown: only what can be told on the spot is */
    fg_str_t back, back_name;        /* where people can go on in the end, and whose that is; .n 0: nowhere */
    /* what comes of it */
    fg_str_t awaited[FG_SESSION_PARTIES]; /* names of the answers that will come while the page is shown */
    size_t awaited_count;
    size_t untold; /* who should have been told and cannot be */
    fg_str_t next; /* where the page goes on to by itself, once its frames are loaded; .n 0: nowhere */
} fg_signout_t;

/* Ends the session here (cookies of the response, store) and writes the audit line "signout". */
void fg_signout_end(fg_exchange_t *ex, const fg_signout_t *signout);
/* The identity provider that vouched for a session, with the name that people know; NULL: a directory did. */
const fg_home_realm_t *fg_signout_provider(fg_exchange_t *ex, const fg_session_t *session);
/* "parties" of the pages signed_out and clean_up: [{name, url, awaited}], of all relying parties but the asker.  NULL:
 * memory. */
json_t *fg_signout_parties(fg_exchange_t *ex, fg_signout_t *signout);
/* Where the browser tells the identity provider from a frame of the page; .n 0: nobody is to be told, or signout->next
 * goes there. */
fg_str_t fg_signout_provider_url(fg_exchange_t *ex, fg_signout_t *signout);

#endif
