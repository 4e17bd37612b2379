/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The OpenID Connect relying party, between its files: a browser goes to a provider with an authorization request and
 * comes back with a code (oidc_rp_sign_in.c), which is traded in for tokens (oidc_rp_token.c); the ID token says who it
 * is (oidc_rp_id_token.c). */
#ifndef FG_OPENID_OIDC_RP_H
#define FG_OPENID_OIDC_RP_H

#include "bridges/openid/openid.h"
#include "bridges/openid/provider.h"
#include "hub/browser.h"

/* What the token endpoint gave for a code. */
typedef struct fg_oidc_tokens {
    fg_str_t id_token;
    fg_str_t access_token;  /* .n 0: none */
    fg_str_t refresh_token; /* likewise */
} fg_oidc_tokens_t;

/* RFC 6749 §4.1.3 with PKCE (RFC 7636 §4.5). */
bool fg_oidc_rp_trade(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_openid_metadata_t *metadata,
                      fg_str_t code, fg_str_t verifier, fg_oidc_tokens_t *tokens, fg_err_t *err) FG_MUST_CHECK;

/* Core §12.1; there may be no ID token.  FG_E_OPENID_GRANT: the refresh token is not good any more. */
bool fg_oidc_rp_trade_refresh(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                              const fg_openid_metadata_t *metadata, fg_str_t refresh_token, fg_oidc_tokens_t *tokens,
                              fg_err_t *err) FG_MUST_CHECK;
/* RFC 7009 §2.1, where the provider has an address for that. */
bool fg_oidc_rp_revoke(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_openid_metadata_t *metadata,
                       fg_str_t refresh_token, fg_err_t *err) FG_MUST_CHECK;
/* Keeps it for a session that has just begun, if the provider is to be asked again (oidc_rp_refresh.c). */
void fg_oidc_rp_keep_refresh(fg_exchange_t *ex, const fg_identity_provider_t *provider, const char *session_id,
                             fg_str_t refresh_token);

/* Core §3.1.3.7, all of it.  nonce: what the request said. */
bool fg_oidc_rp_id_token_read(fg_exchange_t *ex, const fg_identity_provider_t *provider, const fg_oidc_tokens_t *tokens,
                              fg_str_t nonce, fg_jwt_read_t *read, fg_err_t *err) FG_MUST_CHECK;
/* The same of what came by a refresh token (§12.2): without nonce, and about the same subject. */
bool fg_oidc_rp_id_token_renewed(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                                 const fg_oidc_tokens_t *tokens, fg_str_t subject, fg_jwt_read_t *read,
                                 fg_err_t *err) FG_MUST_CHECK;
/* Logout token (back-channel logout 1.0 §2.6): as an ID token is verified, but for what makes it another thing.  Of
 * which provider it says itself; *realm is that one's. */
bool fg_oidc_rp_logout_token_read(fg_exchange_t *ex, fg_str_t token, const fg_home_realm_t **realm, fg_jwt_read_t *read,
                                  fg_err_t *err) FG_MUST_CHECK;

/* Adds to the identity what UserInfo says of the same subject and the ID token does not (core §5.3). */
bool fg_oidc_rp_userinfo(fg_exchange_t *ex, const fg_openid_metadata_t *metadata, fg_str_t access_token,
                         fg_identity_t *identity, fg_err_t *err) FG_MUST_CHECK;

/* Keeps the ID token to be shown when signing out at the provider (RP-initiated logout 1.0 §2). */
void fg_oidc_rp_keep_hint(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_identity_t *identity,
                          fg_str_t id_token);

#endif
