/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a browser keeps for us: sealed under the key ring, bound to a purpose and to a host (HT-08). */
#ifndef FG_HUB_SEAL_H
#define FG_HUB_SEAL_H

#include "hub/exchange.h"

/* The host that cookies of this exchange are bound to: the gateway's own, or that of the protected location at which
 * the request is. */
fg_str_t fg_bound_host(const fg_exchange_t *ex);
/* Text in the arena: base64url of key id | AES-256-GCM.  False: no randomness or memory. */
bool fg_cookie_seal(fg_exchange_t *ex, const char *purpose, fg_str_t bytes, fg_str_t *text) FG_MUST_CHECK;
/* False: not ours, altered, for another purpose or host, or under a key that is gone. */
bool fg_cookie_unseal(fg_exchange_t *ex, const char *purpose, fg_str_t text, fg_str_t *bytes) FG_MUST_CHECK;

/* The same for what is opened at another host. */
bool fg_seal_for(fg_exchange_t *ex, const char *purpose, fg_str_t host, fg_str_t bytes, fg_str_t *text) FG_MUST_CHECK;

#endif
