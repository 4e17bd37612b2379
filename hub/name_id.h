/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names under which relying parties know a person: those that a SAML 2.0 request may ask for (core §8.3), pairwise
 * ones, and transient ones. */
#ifndef FG_HUB_NAME_ID_H
#define FG_HUB_NAME_ID_H

#include "hub/exchange.h"

#define FG_NAME_ID_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define FG_NAME_ID_EMAIL "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
#define FG_NAME_ID_WINDOWS "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName"
#define FG_NAME_ID_KERBEROS "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"
#define FG_NAME_ID_PERSISTENT "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
#define FG_NAME_ID_TRANSIENT "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

/* A name that is the same for this person and this party (a realm, or an OpenID Connect sector) every time, tells
 * nothing about either and differs from party to party: made from the key ring's pairwise key.  False: nothing about
 * the person is known that stays. */
bool fg_pairwise_name(fg_exchange_t *ex, const fg_identity_t *identity, fg_str_t party, fg_str_t *name,
                      fg_err_t *err) FG_MUST_CHECK;

/* Makes *name_id, which holds what the partner's registration yields, one of the format that was asked for (.n 0 or
 * unspecified: any; without one from the registration it becomes a transient one).  claims: those that the partner gets
 * anyway, as nothing else may become its name.  FG_E_SAML_NAME_ID: it cannot be had. */
bool fg_name_id_choose(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                       const fg_claims_t *claims, fg_str_t format, fg_name_id_t *name_id, fg_err_t *err) FG_MUST_CHECK;

#endif
