/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A round trip to a provider: what openid2_sign_in.c sends along and openid2_answer.c finds again. */
#ifndef FG_OPENID_OPENID2_ROUND_H
#define FG_OPENID_OPENID2_ROUND_H

#include "bridges/openid/openid2_discover.h"
#include "bridges/openid/openid2_message.h"

/* Parameters of return_to. */
#define FG_OPENID2_STATE "state"
#define FG_OPENID2_ROUND "round"

/* return_to with its two parameters. */
bool fg_openid2_round_url(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_str_t *url,
                          fg_err_t *err) FG_MUST_CHECK;
/* What was discovered when the browser was sent there.  FG_E_CSRF: not ours, or of another round. */
bool fg_openid2_round_open(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_openid2_service_t *service,
                           fg_err_t *err) FG_MUST_CHECK;

/* ---- of a provider's answer, for whoever judges one (openid2_answer.c) */

/* What must be signed is (§10.1), by the endpoint that was asked. */
bool fg_openid2_check_signed(const fg_openid2_message_t *message, const fg_openid2_service_t *service,
                             fg_err_t *err) FG_MUST_CHECK;
/* response_nonce is of now and was not seen before (§11.3); *made_ms: when it was made. */
bool fg_openid2_check_nonce(const fg_exchange_t *ex, fg_str_t nonce, fg_str_t endpoint, int64_t *made_ms,
                            fg_err_t *err) FG_MUST_CHECK;

#endif
