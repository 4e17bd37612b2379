/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request that was read once goes along sealed while its person signs in: as the only parameter of the protocol's own
 * address, which the sign-in page, the choice of a home realm and the way back from a partner come to. */
#ifndef FG_HUB_ERRAND_H
#define FG_HUB_ERRAND_H

#include "hub/exchange.h"

#define FG_ERRAND_MAX 4096u

/* The sealed bytes as the one parameter called name; they are good for an hour.  code: what too long a request is
 * refused with. */
bool fg_errand_put(fg_exchange_t *ex, const char *name, fg_str_t bytes, fg_code_t code, fg_params_t *params,
                   fg_err_t *err) FG_MUST_CHECK;
/* The query's parameters, and the bytes of the one called name.  FG_E_CSRF: not sealed here within the hour. */
bool fg_errand_take(fg_exchange_t *ex, const char *name, fg_params_t *params, fg_str_t *bytes,
                    fg_err_t *err) FG_MUST_CHECK;
/* The form that a page of ours sent with a POST; with another method *form stays as it is and *sent is false. */
bool fg_errand_form(fg_exchange_t *ex, fg_params_t *form, bool *sent, fg_err_t *err) FG_MUST_CHECK;
/* The home realm that was chosen on our page ("whr"); *realm stays as it is if none was. */
bool fg_errand_choice(fg_exchange_t *ex, const fg_params_t *params, const fg_home_realm_t **realm,
                      fg_err_t *err) FG_MUST_CHECK;

#endif
