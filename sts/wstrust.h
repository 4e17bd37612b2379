/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Trust: the active endpoints that issue tokens. */
#ifndef FG_STS_WSTRUST_H
#define FG_STS_WSTRUST_H

#include "hub/protocol.h"

extern const fg_protocol_t fg_wstrust_protocol;

#endif
