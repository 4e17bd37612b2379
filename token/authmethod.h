/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One table of authentication methods with each format's words for them. */
#ifndef FG_TOKEN_AUTHMETHOD_H
#define FG_TOKEN_AUTHMETHOD_H

#include "core/str.h"

typedef struct fg_authmethod {
    const char *claim;  /* http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/… */
    const char *saml11; /* AuthenticationMethod (SAML 1.1 core §7.1) */
    const char *saml20; /* AuthnContextClassRef (SAML 2.0 authn context §3.4), as AD FS writes it */
    const char *amr;    /* of JSON Web Tokens (RFC 8176 §2); NULL: none */
} fg_authmethod_t;

/* By any of its words (also a wauth value of WS-Federation, wire conventions); NULL: unknown. */
const fg_authmethod_t *fg_authmethod_find(fg_str_t word);

#endif
