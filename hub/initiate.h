/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sign-on that begins here rather than at an application (SAML 2.0 profiles §4.1.5), under the address of AD FS:
 *   /adfs/ls/IdpInitiatedSignOn.aspx?loginToRp=REALM[&RelayState=STATE]
 *   /adfs/ls/IdpInitiatedSignOn.aspx?RelayState=RPID%3DREALM%26RelayState%3DSTATE   (inner values encoded once more)
 *   /adfs/ls/IdpInitiatedSignOn.aspx   a page that lists the applications, if the configuration allows it */
#ifndef FG_HUB_INITIATE_H
#define FG_HUB_INITIATE_H

#include "hub/protocol.h"

extern const fg_protocol_t fg_initiate_protocol;

#endif
