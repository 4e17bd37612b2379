/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 2.0 in both roles (saml-profiles-2.0-os §4.1).  endpoints.c tells requests apart; sign_on.c is the identity
 * provider, sign_in.c the service provider. */
#ifndef FG_BRIDGES_SAML_SAML_H
#define FG_BRIDGES_SAML_SAML_H

#include "bridges/saml/message.h"
#include "hub/browser.h"
#include "hub/protocol.h"

#define FG_SAML_PATH "/adfs/ls/" /* shared with WS-Federation, as AD FS has it */
#define FG_SAML_ARTIFACT_PATH "/adfs/services/trust/artifactresolution"
#define FG_SAML_LOGOUT_PATH "/adfs/services/trust/saml/logout" /* by SOAP */
#define FG_SAML_ECP_PATH "/adfs/services/trust/saml/ecp"

extern const fg_protocol_t fg_saml_protocol;

/* Of the protocol table: our roles in the metadata document (roles.c). */
void fg_saml_write_roles(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys);

/* Signed documents with one role, for partners who take no other. */
#define FG_SAML_SP_METADATA_PATH "/adfs/services/trust/saml/metadata/sp"
#define FG_SAML_IDP_METADATA_PATH "/adfs/services/trust/saml/metadata/idp"
fg_step_t fg_saml_sp_metadata(fg_exchange_t *ex);
fg_step_t fg_saml_idp_metadata(fg_exchange_t *ex);

/* An address of ours; .p NULL: memory. */
fg_str_t fg_saml_url(fg_exchange_t *ex, const char *path);
/* That of browsers' messages, for Destination, Recipient and AssertionConsumerServiceURL; .p NULL: memory. */
fg_str_t fg_saml_own_url(fg_exchange_t *ex);
/* Answers with the error page. */
fg_step_t fg_saml_refuse(fg_exchange_t *ex, const fg_err_t *err);

/* ---- as identity provider (sign_on.c) */

/* A service provider's AuthnRequest. */
fg_step_t fg_saml_sign_on(fg_exchange_t *ex, fg_saml_inbound_t *in);
/* Of the protocol table: nobody asked (profiles §4.1.5). */
fg_step_t fg_saml_begin_sign_on(fg_exchange_t *ex, const fg_partner_t *partner, fg_str_t realm, fg_str_t relay_state);
/* The same request again, from one of our pages: sealed in the address. */
#define FG_SAML_ERRAND "saml"
fg_step_t fg_saml_sign_on_again(fg_exchange_t *ex);
/* The same for clients that are no browsers (ecp.c). */
fg_step_t fg_saml_ecp(fg_exchange_t *ex);

/* ---- as discovery service (discovery.c) */

#define FG_SAML_DISCOVERY_PATH "/adfs/ls/discovery/"
fg_step_t fg_saml_discover(fg_exchange_t *ex);

/* ---- as attribute authority (attribute_query.c) */

#define FG_SAML_QUERY_PATH "/adfs/services/trust/saml/query"
fg_step_t fg_saml_query(fg_exchange_t *ex);
/* Remembers whom a NameID means that the partner was given, if it may ask. */
bool fg_saml_query_note(fg_exchange_t *ex, const fg_partner_t *partner, const fg_name_id_t *name_id,
                        const fg_session_t *session, fg_err_t *err) FG_MUST_CHECK;

/* ---- as service provider (sign_in.c) */

bool fg_saml_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;
/* An identity provider's Response. */
fg_step_t fg_saml_consume(fg_exchange_t *ex, fg_saml_inbound_t *in);

/* The same for clients that are no browsers (paos.c). */
#define FG_SAML_PAOS_PATH "/adfs/services/trust/saml/paos"
#define FG_SAML_NS_ECP "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
extern const fg_xns_t fg_saml_ns_ecp;
bool fg_saml_begin_client_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;
fg_step_t fg_saml_paos(fg_exchange_t *ex);

/* ---- in both roles: single logout (sign_out.c, sign_out_soap.c, tell.c) */

/* A partner's LogoutRequest, and its LogoutResponse to ours. */
fg_step_t fg_saml_sign_out(fg_exchange_t *ex, fg_saml_inbound_t *in);
fg_step_t fg_saml_sign_out_answered(fg_exchange_t *ex, fg_saml_inbound_t *in);
fg_step_t fg_saml_sign_out_soap(fg_exchange_t *ex);
/* Addresses of ours: the sign-out goes on (sealed in the address); a form that was posted comes again with cookies, and
 * a form to be posted from a frame (both kept under a word). */
#define FG_SAML_SIGNOUT "saml_signout"
fg_step_t fg_saml_sign_out_go_on(fg_exchange_t *ex);
#define FG_SAML_AGAIN "saml_again"
fg_step_t fg_saml_sign_out_again(fg_exchange_t *ex);
#define FG_SAML_FORM "saml_form"
fg_step_t fg_saml_show_form(fg_exchange_t *ex);

/* Of the protocol table. */
bool fg_saml_tell_party(fg_exchange_t *ex, struct fg_signout *signout, const struct fg_session_party *party,
                        fg_str_t *url, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml_tell_provider(fg_exchange_t *ex, struct fg_signout *signout, fg_str_t *url, fg_err_t *err) FG_MUST_CHECK;

#endif
