/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The WSDL 1.1 document of the active endpoints, with WS-SecurityPolicy. */
#ifndef FG_STS_WSDL_H
#define FG_STS_WSDL_H

#include "core/xmlwriter.h"
#include "hub/hub.h"

#define FG_STS_WSDL_NAMESPACE "http://schemas.microsoft.com/ws/2008/06/identity/securitytokenservice"

/* Writes wsdl:definitions for all endpoints of the table that a gateway serves, one port each.  arena: for what the
 * writer borrows; certificate (base64; .n 0: none): to which messages are encrypted. */
void fg_wsdl_write(fg_xw_t *w, fg_arena_t *arena, const fg_hub_t *hub, fg_str_t certificate);

#endif
