/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What clients are given: ID tokens (OpenID Connect core §2), access tokens (RFC 9068), claims by scope (core §5.4). */
#ifndef FG_OPENID_OIDC_TOKEN_H
#define FG_OPENID_OIDC_TOKEN_H

#include "bridges/openid/oauth_grant.h"

/* The name by which a client knows a person: what the partner's rules issue as a name, else one that stays and says
 * nothing, the same for all clients or for the client's sector (core §8). */
bool fg_oidc_subject(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity, fg_str_t *subject,
                     fg_err_t *err) FG_MUST_CHECK;

/* Whom a grant is about, as the partner may know it now: its authorization rules are asked again. */
typedef struct fg_oidc_person {
    const fg_partner_t *partner;
    const fg_oauth_grant_t *grant;
    fg_claims_t claims;
    fg_str_t subject;
    fg_str_t user;            /* for the audit line */
    bool has_no_access_token; /* then all claims are the ID token's (core §5.4) */
} fg_oidc_person_t;
bool fg_oidc_person_find(fg_exchange_t *ex, const fg_partner_t *partner, const fg_oauth_grant_t *grant,
                         fg_oidc_person_t *person, fg_err_t *err) FG_MUST_CHECK;

/* The authentication context class (acr) that says how somebody signed in; .n 0: none does. */
fg_str_t fg_oidc_class_of(const fg_identity_t *identity);
/* access_token, code: those that go with it, of which it has a hash (core §3.1.3.6, §3.3.2.11); .n 0: none. */
bool fg_oidc_id_token_write(fg_exchange_t *ex, const fg_oidc_person_t *person, fg_str_t access_token, fg_str_t code,
                            fg_str_t *token, fg_err_t *err) FG_MUST_CHECK;

typedef enum fg_oidc_place { FG_OIDC_ID_TOKEN, FG_OIDC_USERINFO } fg_oidc_place_t;
/* The claims that go to that place, as an object with OpenID Connect's names (the caller's).  NULL: memory. */
json_t *fg_oidc_claims_make(fg_exchange_t *ex, const fg_oidc_person_t *person, fg_oidc_place_t place);
/* The same claims, signed for the client (core §5.3.2). */
bool fg_oidc_userinfo_sign(fg_exchange_t *ex, const fg_oidc_person_t *person, json_t *claims, fg_str_t *token,
                           fg_err_t *err) FG_MUST_CHECK;

/* Our own keys, with which what comes back to us was signed. */
bool fg_openid_own_keys(fg_exchange_t *ex, fg_jwk_set_t *keys, fg_err_t *err) FG_MUST_CHECK;

/* Signs with the active key; in the arena. */
bool fg_openid_sign(fg_exchange_t *ex, const fg_jwt_t *jwt, fg_str_t *token, fg_err_t *err) FG_MUST_CHECK;

#endif
