/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_TOKEN_CERTIFICATE_H
#define FG_TOKEN_CERTIFICATE_H

#include "token/claims.h"

#define FG_CLAIM_X500NAME FG_CLAIMS_2005 "x500distinguishedname"
#define FG_CLAIM_THUMBPRINT FG_CLAIMS_2005 "thumbprint"

/* Whom a client certificate (PEM), whose chain was verified already, is about: name (CN), upn and emailaddress (SAN),
 * x500distinguishedname (RFC 2253), thumbprint (SHA-1); the issuer's name vouches.  *expires_ms: its notAfter. */
bool fg_certificate_identity(fg_arena_t *arena, fg_str_t pem, int64_t now_ms, fg_identity_t *identity,
                             int64_t *expires_ms, fg_err_t *err) FG_MUST_CHECK;
/* Its subject (RFC 2253) alone; .p NULL: no certificate. */
fg_str_t fg_certificate_subject(fg_arena_t *arena, fg_str_t pem);

#endif
