/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a person granted to a client, kept in the store: its code and refresh tokens are one family, and when one of
 * them turns up where it should not, all of them and the access tokens are dead (OI-04, RFC 6749 §4.1.2, §10.4). */
#ifndef FG_OPENID_OAUTH_GRANT_H
#define FG_OPENID_OAUTH_GRANT_H

#include "bridges/openid/openid.h"

#define FG_OAUTH_CODE_LIFETIME (60 * INT64_C(1000))

typedef struct fg_oauth_grant {
    fg_str_t family; /* a word of 32 letters */
    fg_str_t secret; /* from which codes and refresh tokens are made */
    fg_str_t client_id, redirect_uri, challenge, nonce, scope, resource, claims;
    fg_str_t key; /* jkt of whom codes (RFC 9449 §10) and a public client's refresh tokens are tied to; .n 0: nobody */
    int64_t made_ms;
    int64_t until_ms;     /* nothing of it is good afterwards */
    int64_t code_life_ms; /* 0: FG_OAUTH_CODE_LIFETIME; is not kept */
    uint64_t refreshes;   /* number of the refresh token that was just taken */
    fg_session_t session; /* id and identity */
} fg_oauth_grant_t;

/* Fills in family and secret, and keeps it; yields the code. */
bool fg_oauth_grant_begin(fg_exchange_t *ex, fg_oauth_grant_t *grant, fg_str_t *code, fg_err_t *err) FG_MUST_CHECK;
/* A code is good once.  FG_E_OPENID_GRANT: it is none, or was used before and the family is revoked.  What is still to
 * be held against the grant is the caller's, who revokes it if that fails. */
bool fg_oauth_code_take(fg_exchange_t *ex, fg_str_t code, fg_oauth_grant_t *grant, fg_err_t *err) FG_MUST_CHECK;
/* The next refresh token, in place of the one before. */
bool fg_oauth_refresh_make(fg_exchange_t *ex, const fg_oauth_grant_t *grant, fg_str_t *token,
                           fg_err_t *err) FG_MUST_CHECK;
/* Looks without taking: whether it would be taken now.  number: of it. */
bool fg_oauth_refresh_look(fg_exchange_t *ex, fg_str_t token, fg_oauth_grant_t *grant, fg_err_t *err) FG_MUST_CHECK;
/* Keeps the grant with the key to which it is tied from now on. */
bool fg_oauth_grant_tie(fg_exchange_t *ex, fg_oauth_grant_t *grant, fg_str_t key, fg_err_t *err) FG_MUST_CHECK;
/* Keeps the grant with what is known of the person from now on. */
bool fg_oauth_grant_renew(fg_exchange_t *ex, fg_oauth_grant_t *grant, const fg_identity_t *identity,
                          fg_err_t *err) FG_MUST_CHECK;
/* As codes. */
bool fg_oauth_refresh_take(fg_exchange_t *ex, fg_str_t token, fg_oauth_grant_t *grant, fg_err_t *err) FG_MUST_CHECK;
/* Of an access token; code: what is said if it is gone. */
bool fg_oauth_grant_find(fg_exchange_t *ex, fg_str_t family, fg_code_t code, fg_oauth_grant_t *grant,
                         fg_err_t *err) FG_MUST_CHECK;
void fg_oauth_grant_revoke(fg_exchange_t *ex, const fg_oauth_grant_t *grant, const char *why);

#endif
