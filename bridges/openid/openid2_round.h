/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A round trip to a provider: what openid2_sign_in.c sends along and openid2_answer.c finds again. */
#ifndef FG_OPENID_OPENID2_ROUND_H
#define FG_OPENID_OPENID2_ROUND_H

#include "bridges/openid/openid2_discover.h"

/* Parameters of return_to. */
#define FG_OPENID2_STATE "state"
#define FG_OPENID2_ROUND "round"

/* return_to with its two parameters. */
bool fg_openid2_round_url(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_str_t *url,
                          fg_err_t *err) FG_MUST_CHECK;
/* What was discovered when the browser was sent there.  FG_E_CSRF: not ours, or of another round. */
bool fg_openid2_round_open(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_openid2_service_t *service,
                           fg_err_t *err) FG_MUST_CHECK;

#endif
