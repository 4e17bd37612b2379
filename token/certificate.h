/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_TOKEN_CERTIFICATE_H
#define FG_TOKEN_CERTIFICATE_H

#include <openssl/x509.h>

#include "token/claims.h"

#define FG_CLAIM_X500NAME FG_CLAIMS_2005 "x500distinguishedname"
#define FG_CLAIM_THUMBPRINT FG_CLAIMS_2005 "thumbprint"

/* Whom a client certificate (PEM), whose chain was verified already, is about: name (CN), upn and emailaddress (SAN),
 * x500distinguishedname (RFC 2253), thumbprint (SHA-1); the issuer's name vouches.  *expires_ms: its notAfter. */
bool fg_certificate_identity(fg_arena_t *arena, fg_str_t pem, int64_t now_ms, fg_identity_t *identity,
                             int64_t *expires_ms, fg_err_t *err) FG_MUST_CHECK;
/* The same of a certificate that was read already, whatever its validity. */
bool fg_certificate_claims(fg_arena_t *arena, X509 *x509, int64_t now_ms, fg_identity_t *identity,
                           fg_err_t *err) FG_MUST_CHECK;
int64_t fg_certificate_not_after(const X509 *x509);
/* A client certificate and what came along with it, both PEM (chain may be empty); they live in the arena. */
bool fg_certificate_chain_read(fg_arena_t *arena, fg_str_t pem, fg_str_t chain, X509 **leaf, STACK_OF(X509) * *more,
                               fg_err_t *err) FG_MUST_CHECK;
/* Its subject (RFC 2253) alone; .p NULL: no certificate. */
fg_str_t fg_certificate_subject(fg_arena_t *arena, fg_str_t pem);

#endif
