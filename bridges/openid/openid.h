/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The OpenID Connect provider: OAuth 2.0 (RFC 6749) with its files oauth_*.c, and what OpenID Connect puts on top with
 * oidc_*.c. */
#ifndef FG_OPENID_OPENID_H
#define FG_OPENID_OPENID_H

#include "bridges/openid/client.h"
#include "hub/issuer.h"
#include "hub/protocol.h"
#include "hub/session.h"

#define FG_OPENID_ISSUER FG_OPENID_ISSUER_PATH
#define FG_OPENID_AUTHORIZE "/adfs/oauth2/authorize"
#define FG_OPENID_TOKEN "/adfs/oauth2/token"
#define FG_OPENID_PAR "/adfs/oauth2/par"
#define FG_OPENID_DEVICE_BEGIN "/adfs/oauth2/devicecode" /* as AD FS has the two */
#define FG_OPENID_DEVICE "/adfs/oauth2/deviceauth"
#define FG_OPENID_INTROSPECT "/adfs/oauth2/introspect"
#define FG_OPENID_REVOKE "/adfs/oauth2/revoke"
#define FG_OPENID_REGISTER "/adfs/oauth2/register"
#define FG_OPENID_LOGOUT "/adfs/oauth2/logout"
#define FG_OPENID_USERINFO "/adfs/userinfo"
#define FG_OPENID_KEYS "/adfs/discovery/keys"
#define FG_OPENID_DISCOVERY "/adfs/.well-known/openid-configuration"

#define FG_OPENID_CALLBACK "/adfs/oauth2/callback" /* as relying party: our redirect URI, and for signing out */
#define FG_OPENID_BACKCHANNEL "/adfs/oauth2/backchannel"
#define FG_OPENID_FRONTCHANNEL "/adfs/oauth2/frontchannel"
#define FG_OPENID_SIGNED_OUT "/adfs/oauth2/signedout"

#define FG_OPENID_ERRAND "oauth" /* the request, sealed, in the address of our own pages */
#define FG_OPENID_PROTOCOL "openid"
#define FG_OPENID_JSON_MAX (64u << 10)

extern const fg_protocol_t fg_openid_protocol;

/* An address of ours in the arena; path is one of the above.  .p NULL: memory. */
fg_str_t fg_openid_url(fg_exchange_t *ex, const char *path);
/* The partner of a client_id: of the configuration, or one that registered itself, which lives as long as the exchange.
 * NULL: there is none. */
const fg_partner_t *fg_openid_client_get(fg_exchange_t *ex, fg_str_t client_id);
/* The same with an error. */
const fg_partner_t *fg_openid_find_client(fg_exchange_t *ex, fg_str_t client_id, fg_err_t *err) FG_MUST_CHECK;
/* Refuses a parameter that stands twice (OI-08). */
bool fg_openid_params_once(const fg_params_t *params, fg_code_t code, fg_err_t *err) FG_MUST_CHECK;
/* The parameters of a form (POST) or of the query. */
bool fg_openid_params(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;
/* Whether a list of words divided by single spaces has one. */
bool fg_openid_word_in(fg_str_t list, const char *word);
/* The next word of such a list, cut off; .n 0: its end. */
fg_str_t fg_openid_next_word(fg_str_t *list);
/* The scopes of a list but for "openid", as the consent page shows them: a new reference. */
json_t *fg_openid_scope_model(fg_str_t scope);

/* ---- endpoints */

fg_step_t fg_openid_discovery(fg_exchange_t *ex);
fg_step_t fg_openid_keys(fg_exchange_t *ex);
fg_step_t fg_oauth_authorize(fg_exchange_t *ex);
fg_step_t fg_oauth_token(fg_exchange_t *ex);
fg_step_t fg_oauth_push(fg_exchange_t *ex);
fg_step_t fg_oauth_introspect(fg_exchange_t *ex);
fg_step_t fg_oauth_register(fg_exchange_t *ex);
fg_step_t fg_oauth_revoke(fg_exchange_t *ex);
fg_step_t fg_oauth_device_begin(fg_exchange_t *ex);
fg_step_t fg_oauth_device(fg_exchange_t *ex);
fg_step_t fg_oidc_userinfo(fg_exchange_t *ex);
fg_step_t fg_oidc_logout(fg_exchange_t *ex);

/* A JSON answer; cache_control: "no-store" unless it is the same for everybody. */
void fg_openid_answer(fg_exchange_t *ex, int status, fg_str_t json, const char *cache_control);
/* Dumps and takes json (NULL: memory). */
bool fg_openid_answer_json(fg_exchange_t *ex, json_t *json, const char *cache_control, fg_err_t *err) FG_MUST_CHECK;
/* The error answer of RFC 6749 §5.2, with its audit line. */
void fg_oauth_refuse(fg_exchange_t *ex, const fg_err_t *err);
/* The same for a token that is tied to a key (RFC 9449 §7.1); dpop: it came under that scheme. */
void fg_oauth_refuse_holder(fg_exchange_t *ex, const fg_err_t *err, bool dpop);
/* The error answer of RFC 6750 §3. */
void fg_oauth_refuse_bearer(fg_exchange_t *ex, const fg_err_t *err);
/* Lets the client's scripts read the answer, if their origin is registered. */
void fg_openid_allow_origin(fg_exchange_t *ex, const fg_openid_client_t *client);

/* ---- signing out (oidc_tell.c) */

struct fg_signout;
bool fg_oidc_tell_party(fg_exchange_t *ex, struct fg_signout *signout, const fg_session_party_t *party, fg_str_t *url,
                        fg_err_t *err) FG_MUST_CHECK;

/* ---- as relying party (oidc_rp_*.c) */

struct fg_partner_signin;
bool fg_oidc_rp_begin_sign_in(fg_exchange_t *ex, const struct fg_partner_signin *signin, fg_err_t *err) FG_MUST_CHECK;
fg_step_t fg_oidc_rp_callback(fg_exchange_t *ex);
/* Before something of a session is refreshed: asks the OpenID provider that vouched for it whether it still does, at
 * most once in its refresh_interval.  *fresh: the person as of the last answer; NULL: as before.  FG_E_OPENID_GRANT: it
 * does not, and the session is over; FG_E_UNAVAILABLE: it could not be asked for too long. */
bool fg_oidc_rp_renew(fg_exchange_t *ex, const fg_session_t *session, const fg_identity_t **fresh,
                      fg_err_t *err) FG_MUST_CHECK;
/* Something was granted in that session that can be refreshed until then. */
void fg_oidc_rp_hold(fg_exchange_t *ex, const fg_session_t *session, int64_t until_ms);
void fg_oidc_rp_session_ended(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_session_t *session);
bool fg_oidc_rp_tell_provider(fg_exchange_t *ex, struct fg_signout *signout, fg_str_t *url,
                              fg_err_t *err) FG_MUST_CHECK;
fg_step_t fg_oidc_rp_signed_out(fg_exchange_t *ex);
fg_step_t fg_oidc_rp_backchannel(fg_exchange_t *ex);
fg_step_t fg_oidc_rp_frontchannel(fg_exchange_t *ex);

#endif
