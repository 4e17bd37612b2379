/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The wsse:Security header (WS-Security 1.1) as the active endpoints demand and send it. */
#ifndef FG_STS_WSS_H
#define FG_STS_WSS_H

#include "core/xmlwriter.h"
#include "hub/exchange.h"
#include "token/username.h"

/* Reads a request's header by an endpoint's policy (FG_STS_… bits): the Timestamp's order, age and expiry, and the
 * UsernameToken. Anything else in the header (a signature, another token) is refused, as it could not be checked here.
 */
bool fg_wss_read(const fg_exchange_t *ex, const xmlNode *security, unsigned policy, fg_username_token_t *username,
                 fg_err_t *err) FG_MUST_CHECK;

/* Writes a header with a Timestamp of five minutes. soap: the envelope's namespace. */
void fg_wss_write(fg_xw_t *w, const fg_xns_t *soap, int64_t now_ms);

#endif
