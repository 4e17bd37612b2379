/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Federation 1.2 §13, passive requestors: one endpoint for both roles.  wsfed.c reads what was sent, wsfed_signin.c
 * and wsfed_signout.c act on it as identity provider; wsfed_request.c and wsfed_response.c are the relying party. */
#ifndef FG_STS_WSFED_H
#define FG_STS_WSFED_H

#include "hub/browser.h"
#include "hub/protocol.h"
#include "hub/signout.h"

#define FG_WSFED_PATH "/adfs/ls/"
#define FG_WSFED_SIGNIN "wsignin1.0"
#define FG_WSFED_SIGNOUT "wsignout1.0"
#define FG_WSFED_CLEANUP "wsignoutcleanup1.0"

extern const fg_protocol_t fg_wsfed_protocol;

/* One request on its way through the steps; ex->state. */
typedef struct fg_wsfed {
    fg_params_t params; /* of the WS-Federation request */
    fg_params_t form;   /* of the sign-in form */
    bool submitted;     /* the sign-in form was sent */
    const fg_partner_t *partner;
    fg_str_t realm; /* wtrealm */
    fg_str_t reply; /* one of the partner's reply URLs */
    fg_saml_version_t token;
    fg_browser_signin_t browser; /* wauth, wfresh, whr; and who it is */
    bool signed_in;              /* of sign-out: session is one */
    fg_session_t session;
} fg_wsfed_t;

/* The request's parameters: a GET's query or a POST's form.  Bodies of other types, and a body that was too large, are
 * refused. */
bool fg_wsfed_read_query(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;
bool fg_wsfed_read_form(fg_exchange_t *ex, fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;
/* Refuses a parameter of WS-Federation that was sent twice, and references to messages elsewhere (WF-06). */
bool fg_wsfed_check_params(const fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;
/* A parameter's value; an empty one counts as absent (.p NULL), as clients send whr and wfresh without value. */
fg_str_t fg_wsfed_get(const fg_params_t *params, const char *name);
/* True for the parameters that make up a request and are kept between its pages. */
bool fg_wsfed_is_kept(fg_str_t name);
/* One URL parameter "name=value", encoded, with '?' or '&' before it. */
void fg_wsfed_put_param(fg_buf_t *url, const char *name, fg_str_t value);
/* base_url + path in the arena; .p NULL: memory. */
fg_str_t fg_wsfed_url(fg_exchange_t *ex, const char *path);
/* 1x1 image: what is loaded by another page's clean-up need not be read by anyone. */
void fg_wsfed_answer_cleanup(fg_exchange_t *ex);
/* Answers with the error page. */
fg_step_t fg_wsfed_refuse(fg_exchange_t *ex, const fg_err_t *err);

/* wreq: an RST that may choose the token's type and must ask for what is issued here (wsfed_wreq.c). */
bool fg_wsfed_read_wreq(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) FG_MUST_CHECK;

/* Of the protocol table: the browser goes to the relying party as if that had sent it here. */
fg_step_t fg_wsfed_begin_sign_on(fg_exchange_t *ex, const fg_partner_t *partner, fg_str_t realm, fg_str_t state);
/* Of the protocol table: sends the browser to an identity provider, tells partners that a session is over. */
bool fg_wsfed_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) FG_MUST_CHECK;
bool fg_wsfed_tell_party(fg_exchange_t *ex, fg_signout_t *signout, const fg_session_party_t *party, fg_str_t *url,
                         fg_err_t *err) FG_MUST_CHECK;
bool fg_wsfed_tell_provider(fg_exchange_t *ex, fg_signout_t *signout, fg_str_t *url, fg_err_t *err) FG_MUST_CHECK;

fg_step_t fg_wsfed_signin(fg_exchange_t *ex, fg_wsfed_t *in);
/* wsignin1.0 with a wresult: an identity provider's answer. */
fg_step_t fg_wsfed_response(fg_exchange_t *ex, fg_wsfed_t *in);
fg_step_t fg_wsfed_signout(fg_exchange_t *ex, fg_wsfed_t *in);
fg_step_t fg_wsfed_signoutcleanup(fg_exchange_t *ex, fg_wsfed_t *in);

#endif
