/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a path to the endpoint of a protocol, and what holds for all of them. */
#ifndef FG_GATEWAY_ROUTES_H
#define FG_GATEWAY_ROUTES_H

#include "hub/protocol.h"

/* An exchange's first step: finds the endpoint, checks method, scheme, host and body size, and runs its handler. */
fg_step_t fg_route_begin(fg_exchange_t *ex);
/* Answers err in the form of the path's endpoint; a page where there is none. */
void fg_route_refuse(fg_exchange_t *ex, const fg_err_t *err);
/* What every response has; 500 instead of one that is not whole. */
void fg_route_finish(fg_exchange_t *ex);

#endif
