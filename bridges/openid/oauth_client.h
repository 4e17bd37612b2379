/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_OPENID_OAUTH_CLIENT_H
#define FG_OPENID_OAUTH_CLIENT_H

#include "bridges/openid/openid.h"

/* Which client sends this request to the token endpoint: by a secret in a Basic header or in the form (RFC 6749
 * §2.3.1), by a signed assertion (RFC 7523 §2.2), or, of a public client, by its name alone.  NULL:
 * FG_E_OPENID_CLIENT_AUTH. */
const fg_partner_t *fg_oauth_client_identify(fg_exchange_t *ex, const fg_params_t *form, fg_err_t *err) FG_MUST_CHECK;

#endif
