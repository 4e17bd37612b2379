/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-MetadataExchange: what the active endpoints are and demand. */
#ifndef FG_STS_MEX_H
#define FG_STS_MEX_H

#include "core/xmlwriter.h"
#include "hub/protocol.h"

extern const fg_protocol_t fg_mex_protocol;

#endif
