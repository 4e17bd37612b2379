/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The browser's side of protected locations: from the location to the gateway's sign-in page and back, at the gateway's
 * own host or at another, with the form that was on its way.
 *
 * Targets of redirects are only what was sealed here for a request that came to a host of the protect section. */
#ifndef FG_HUB_WEB_ACCESS_H
#define FG_HUB_WEB_ACCESS_H

#include "hub/protocol.h"

#define FG_WEB_ACCESS_SIGN_IN "/fedgate/sign-in"
#define FG_WEB_ACCESS_SIGN_OUT "/fedgate/sign-out"
/* At every host of a protected location: where the browser comes back to. */
#define FG_WEB_ACCESS_RETURN "/.fedgate/return"

extern const fg_protocol_t fg_web_access_protocol;

/* A person who goes from page to page, not a program or a script of a page: GET, HEAD or POST for a document, without
 * credentials of its own. */
bool fg_request_is_browser(const fg_request_t *request);

/* Answers a browser's request to the protected location ex->access->protect that comes without a session: sends it to
 * sign in and keeps what it wanted.  Of a POST, whose body has been read, the form is kept; what cannot be is refused
 * with a page.  On the token pool. */
fg_step_t fg_web_access_ask(fg_exchange_t *ex);
/* Answers a request to FG_WEB_ACCESS_RETURN at the protected location ex->access->protect: the session begins at this
 * host too, and the browser goes on to what it wanted.  On the token pool. */
fg_step_t fg_web_access_return(fg_exchange_t *ex);

#endif
