/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cookies of the response.  All of ours are Secure and HttpOnly and hold for the whole host, as the "__Host-" prefix of
 * their names demands (HT-09). */
#ifndef FG_HUB_COOKIE_H
#define FG_HUB_COOKIE_H

#include "hub/exchange.h"

/* attributes: what follows, "SameSite=Lax" or more. */
void fg_cookie_set(fg_exchange_t *ex, const char *name, fg_str_t value, const char *attributes);
/* Clears a cookie that the browser sent; nothing if it did not. */
void fg_cookie_clear(fg_exchange_t *ex, const char *name);

#endif
