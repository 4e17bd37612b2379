/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the relying party says to a provider without a browser (OpenID Authentication 2.0 §5.1): associations, which all
 * nodes share in the store, and the question whether an answer is the provider's. */
#ifndef FG_OPENID_OPENID2_PARTNER_H
#define FG_OPENID_OPENID2_PARTNER_H

#include "bridges/openid/openid2_association.h"
#include "bridges/openid/openid2_discover.h"

/* One with the provider at an endpoint, known or made now; false: there is none, and answers are asked about. */
bool fg_openid2_associate(fg_exchange_t *ex, const fg_openid2_source_t *source, const fg_openid2_service_t *service,
                          fg_openid2_association_t *association);
/* The one of that endpoint and handle (O2-05); false: it is not known, or over. */
bool fg_openid2_known(fg_exchange_t *ex, fg_str_t endpoint, fg_str_t handle, fg_openid2_association_t *association);
/* Asks the provider itself (§11.4.2); FG_E_OPENID2_ANSWER: it is none of its answers. */
bool fg_openid2_ask_provider(fg_exchange_t *ex, const fg_openid2_source_t *source, fg_str_t endpoint,
                             const fg_openid2_message_t *answer, fg_err_t *err) FG_MUST_CHECK;

#endif
