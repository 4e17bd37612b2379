/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Programs that are no browsers and sign in all the same: they take our request to an identity provider that they know
 * and bring back its answer (SAML 2.0's enhanced client or proxy, saml-profiles-2.0-os §4.2). */
#ifndef FG_HUB_CLIENT_SIGNIN_H
#define FG_HUB_CLIENT_SIGNIN_H

#include "hub/browser.h"

#define FG_PAOS_MEDIA_TYPE "application/vnd.paos+xml"

/* It says so in both headers (§4.2.3.1): Accept has PAOS, PAOS has the version and the service. */
bool fg_request_is_paos(const fg_request_t *request);
/* It can be answered so: an identity provider of SAML 2.0 may be asked.  home_realm NULL: any. */
bool fg_client_signin_is_served(const fg_exchange_t *ex, const fg_home_realm_t *home_realm);
/* Answers it with the request. */
bool fg_client_signin_begin(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;

#endif
