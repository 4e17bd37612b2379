/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signing in with a name and a password (or its digest), or with a certificate. */
#ifndef FG_HUB_SIGNIN_H
#define FG_HUB_SIGNIN_H

#include <openssl/x509.h>

#include "hub/exchange.h"

/* Asks for the password to be checked; then runs afterwards and finds the outcome in ex->signin.  Return its value from
 * the handler.  realm NULL: the one that user names as its domain, else the first that knows the name; ex->signin.realm
 * has it afterwards. */
fg_step_t fg_signin_begin(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t user, fg_str_t password,
                          fg_handler_t then);
/* The same with a UsernameToken's digest; realm NULL: the first that knows the name and can check one.  It is checked
 * at once, on the thread that asks, and so is then run: the password pool is for slow hashes, and a digest is none. */
fg_step_t fg_signin_begin_digest(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_username_token_t *token,
                                 fg_handler_t then);
/* What the home realm's acceptance rules make of the claims, also of those about actors; those that only a request may
 * say are dropped. */
bool fg_signin_accept(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_identity_t *identity,
                      fg_err_t *err) FG_MUST_CHECK;
/* Whom a certificate is about, by the first home realm of certificates whose CAs know it: its path, purpose and
 * revocation are checked (this may fetch).  Of a realm with a directory it is the account there that the certificate
 * belongs to ("signin" or "signin_refused" in the audit log), with subject and thumbprint of the certificate besides
 * its claims.  Then the realm's acceptance rules decide what becomes of the claims.  more: what came along with it; may
 * be NULL.  The caller has seen that its private key was used.  May block. */
bool fg_signin_certificate(fg_exchange_t *ex, X509 *leaf, STACK_OF(X509) * more, fg_x509_purpose_t purpose,
                           fg_identity_t *identity, const fg_home_realm_t **realm, fg_err_t *err) FG_MUST_CHECK;
/* Somebody who has proven otherwise, by method (FG_AUTH_…), that the account of that name is his: what the home realm's
 * directory knows of it, through the acceptance rules; the outcome is in the audit log ("signin", "signin_refused").
 * May block. */
bool fg_signin_known(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_account_kind_t kind, fg_str_t name,
                     const char *method, fg_identity_t *identity, fg_err_t *err) FG_MUST_CHECK;
/* The same for somebody of whom who vouches says enough, so that no directory is asked: identity is filled in. */
bool fg_signin_vouched(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t name, fg_identity_t *identity,
                       fg_err_t *err) FG_MUST_CHECK;
/* Says in the audit log that somebody could not prove who it is ("signin_refused"). */
void fg_signin_tell_refused(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t name, const fg_err_t *why);
/* On the password pool: lockout, directory, outcome, audit line ("signin" or "signin_refused"); wipes the password.
 * With a new password, it is changed first ("password_changed" or "password_change_refused"). */
void fg_signin_run(fg_exchange_t *ex);

#endif
