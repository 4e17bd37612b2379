/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files of the Security header; nobody else includes this. */
#ifndef FG_STS_WSS_PARTS_H
#define FG_STS_WSS_PARTS_H

#include "sts/wss.h"

/* ---- wss_policy.c */
/* Finds the first of the endpoint's alternatives that the message meets, and whose keys prove it: fills in
 * all that fg_wss_t has besides its header. */
bool fg_wss_judge(fg_exchange_t *ex, const fg_soap_message_t *message, const fg_sts_endpoint_t *endpoint, fg_wss_t *wss,
                  fg_err_t *err) FG_MUST_CHECK;

#endif
