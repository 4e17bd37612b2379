/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom to believe about a token: this gateway itself, or the identity provider with that issuer (XS-20, XS-22). */
#ifndef FG_HUB_ISSUER_H
#define FG_HUB_ISSUER_H

#include "hub/exchange.h"

#define FG_OPENID_ISSUER_PATH "/adfs" /* below the base */

/* Points into itself: not to be copied. */
typedef struct fg_issuer {
    fg_str_t name;
    const fg_home_realm_t *realm; /* the identity provider's; NULL: this gateway */
    const fg_key_t *keys[FG_KEY_STATES];
    fg_jwk_t jwks[FG_KEY_STATES];
    fg_jwk_set_t set;
    fg_dsig_trust_t dsig;
    int64_t max_lifetime_ms; /* 0: no limit */
    const char *jwt_type;    /* what its JWTs must be (typ); NULL: any kind of token */
} fg_issuer_t;

/* By the name that a token gives; FG_E_TOKEN_ISSUER: nobody that is believed. */
bool fg_issuer_find(const fg_exchange_t *ex, fg_str_t name, fg_issuer_t *issuer, fg_err_t *err) FG_MUST_CHECK;
/* What follows from it for its assertions; audiences and confirmations are the caller's. */
fg_assertion_trust_t fg_issuer_assertion_trust(const fg_exchange_t *ex, const fg_issuer_t *issuer);
/* Our private keys to which tokens are encrypted; returns how many there are. */
size_t fg_issuer_own_keys(const fg_exchange_t *ex, const fg_key_t *keys[FG_KEY_STATES]);

#endif
