/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_OPENID_OAUTH_CLIENT_H
#define FG_OPENID_OAUTH_CLIENT_H

#include "bridges/openid/openid.h"
#include "hub/bound.h"

/* Which client sends this request to the token endpoint: by a secret in a Basic header or in the form (RFC 6749
 * §2.3.1), by a signed assertion (RFC 7523 §2.2), or, of a public client, by its name alone.  NULL:
 * FG_E_OPENID_CLIENT_AUTH. */
const fg_partner_t *fg_oauth_client_identify(fg_exchange_t *ex, const fg_params_t *form, fg_err_t *err) FG_MUST_CHECK;

/* The form that was posted, each parameter once, and who sent it.  NULL: *err. */
const fg_partner_t *fg_oauth_client_form(fg_exchange_t *ex, fg_params_t *form, fg_err_t *err) FG_MUST_CHECK;

/* What tokens are tied to (RFC 8705 §3, RFC 9449 §5): a proof for the endpoint of that path is checked and used up.
 * FG_E_OPENID_DPOP, FG_E_OPENID_REQUEST: what the client's registration demands is not there. */
bool fg_oauth_holder_read(fg_exchange_t *ex, const fg_openid_client_t *client, const char *path, fg_holder_t *holder,
                          fg_err_t *err) FG_MUST_CHECK;

/* The keys with which it signs; those at its jwks_uri may be waited for.  again: what it signed is under a key that is
 * not among them; *asked: its server was asked. */
bool fg_oauth_client_keys(fg_exchange_t *ex, const fg_openid_client_t *client, bool again, fg_jwk_set_t *keys,
                          bool *asked, fg_err_t *err) FG_MUST_CHECK;
/* A JWT that the client signed, trust but for its keys. */
bool fg_oauth_client_jwt(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t token,
                         const fg_jwt_trust_t *usual, fg_jwt_read_t *read, fg_err_t *err) FG_MUST_CHECK;

#endif
