/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Clients that registered themselves, each a file in the gateway's state.  Its content is the metadata as it was
 * accepted (RFC 7591 §3.2.1), with digests in place of what is secret. */
#ifndef FG_OPENID_OAUTH_REGISTERED_H
#define FG_OPENID_OAUTH_REGISTERED_H

#include "bridges/openid/openid.h"

#define FG_REGISTERED_MAX 1000u
#define FG_REGISTERED_SECRET \
    "fedgate_secret" /* SHA-256 of client_secret and of registration_access_token, hexadecimal */
#define FG_REGISTERED_TOKEN "fedgate_token"

/* What is kept of that client_id (the arena's); NULL: nobody has it. */
json_t *fg_oauth_registered_read(fg_exchange_t *ex, fg_str_t client_id);
bool fg_oauth_registered_write(fg_exchange_t *ex, fg_str_t client_id, const json_t *metadata,
                               fg_err_t *err) FG_MUST_CHECK;
bool fg_oauth_registered_remove(fg_exchange_t *ex, fg_str_t client_id, fg_err_t *err) FG_MUST_CHECK;
/* FG_E_BUSY: there are as many as may be. */
bool fg_oauth_registered_has_room(fg_exchange_t *ex, fg_err_t *err) FG_MUST_CHECK;
/* The client that the metadata makes.  FG_E_OPENID_METADATA, FG_E_OPENID_METADATA_URI. */
bool fg_oauth_registered_build(fg_exchange_t *ex, fg_str_t client_id, const json_t *metadata, fg_partner_t *partner,
                               fg_err_t *err) FG_MUST_CHECK;
/* What was fetched from its jwks_uri goes (oauth_client_keys.c). */
void fg_oauth_registered_forget_keys(fg_exchange_t *ex, fg_str_t client_id);
/* The digest of a secret, as it is kept. */
void fg_oauth_registered_digest(fg_str_t secret, char hex[2 * FG_SHA256_SIZE + 1]);

#endif
