/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Access tokens (RFC 9068). */
#ifndef FG_OPENID_OAUTH_ACCESS_H
#define FG_OPENID_OAUTH_ACCESS_H

#include "bridges/openid/oauth_grant.h"
#include "hub/bound.h"

/* Whom an access token is for. */
typedef struct fg_oauth_target {
    const fg_partner_t *partner; /* NULL: userinfo */
    fg_str_t realm;              /* one of its realms */
} fg_oauth_target_t;

typedef struct fg_oauth_access {
    const fg_partner_t *client; /* to which it is issued */
    fg_oauth_target_t target;
    const fg_identity_t *identity; /* whom it is about, with who acts for it */
    fg_str_t subject;              /* .n 0: the name by which the target knows the person */
    fg_str_t user;                 /* for the audit line; .n 0: the subject */
    fg_str_t scope;
    fg_str_t family;       /* of what was granted; .n 0: nothing is kept of it */
    fg_str_t confirmation; /* cnf, as JSON; .n 0: whoever has it may use it */
    int64_t not_after_ms;  /* 0: no limit but the target's lifetime */
} fg_oauth_access_t;

/* Runs the target's authorization and issuance rules, writes and signs it; audit line "issued". */
bool fg_oauth_access_write(fg_exchange_t *ex, const fg_oauth_access_t *access, fg_str_t *token, int64_t *lifetime_ms,
                           fg_err_t *err) FG_MUST_CHECK;

typedef struct fg_oauth_access_read {
    fg_jwt_read_t jwt;
    fg_str_t client_id;
    bool has_grant;
    fg_oauth_grant_t grant; /* if has_grant */
} fg_oauth_access_read_t;
/* Verifies one of ours, whomever it is for, that is neither expired nor cancelled and whose session, unless offline
 * access was granted, lasts.  FG_E_OPENID_TOKEN. */
bool fg_oauth_access_read(fg_exchange_t *ex, fg_str_t token, fg_oauth_access_read_t *read, fg_err_t *err) FG_MUST_CHECK;

/* The target that the request names by one of these parameters (NULL at the end), among those that are the client's;
 * without a name the only one.  FG_E_OPENID_TARGET. */
bool fg_oauth_target_find(fg_exchange_t *ex, const fg_openid_client_t *client, const fg_params_t *form,
                          const char *const *names, fg_oauth_target_t *target, fg_err_t *err) FG_MUST_CHECK;

/* A client as somebody who asks and acts for itself: its claim is FG_CLAIM_CLIENT. */
#define FG_CLAIM_CLIENT "http://schemas.microsoft.com/2014/01/clientcontext/claims/appid"
bool fg_oauth_client_identity(fg_exchange_t *ex, const fg_openid_client_t *client, fg_identity_t *identity,
                              fg_err_t *err) FG_MUST_CHECK;

#endif
