/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tokens that are good in one hand only: tied to the client certificate of the connection (RFC 8705) or to a key that
 * signs a proof for each request (DPoP, RFC 9449). */
#ifndef FG_HUB_BOUND_H
#define FG_HUB_BOUND_H

#include "hub/exchange.h"

/* What a request shows of its sender. */
typedef struct fg_holder {
    fg_str_t certificate; /* x5t#S256 (RFC 8705 §3.1); .n 0: none */
    fg_str_t key;         /* jkt (RFC 9449 §6.1); .n 0: none */
} fg_holder_t;

/* base64url of the SHA-256 of the connection's client certificate, which nginx verified; .n 0: there is none, or it is
 * none that can be read. */
fg_str_t fg_holder_certificate(fg_exchange_t *ex);

/* A proof is for one request and good once. */
typedef struct fg_dpop {
    fg_str_t jkt; /* the key's thumbprint (RFC 7638); .n 0: the request has no proof */
    fg_str_t id;  /* to be remembered once everything else was found good */
} fg_dpop_t;
/* Reads and verifies the header DPoP (RFC 9449 §4.3), but for its being new.  url: of this request without query;
 * access_token: that it goes with; .n 0: none.  Every proof must have a nonce of ours (FG_E_OPENID_DPOP_NONCE, §8); the
 * response gets the one for the next time.  FG_E_OPENID_DPOP: anything else is wrong. */
bool fg_dpop_read(fg_exchange_t *ex, fg_str_t url, fg_str_t access_token, fg_dpop_t *dpop, fg_err_t *err) FG_MUST_CHECK;
/* Remembers it; FG_E_OPENID_DPOP: it was used before. */
bool fg_dpop_spend(fg_exchange_t *ex, const fg_dpop_t *dpop, fg_err_t *err) FG_MUST_CHECK;

/* Whether who shows a token with that cnf (NULL: none) may have it; FG_E_TOKEN_CONFIRMATION.  A cnf that names
 * something else is refused: it could not be checked. */
bool fg_bound_check(fg_exchange_t *ex, const json_t *cnf, const fg_dpop_t *dpop, fg_err_t *err) FG_MUST_CHECK;
/* The cnf of a token for that holder, as JSON; .n 0: it is nobody's in particular; .p NULL: memory. */
fg_str_t fg_bound_write(fg_exchange_t *ex, const fg_holder_t *holder);

#endif
