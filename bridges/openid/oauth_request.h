/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An authorization request (RFC 6749 §4.1.1, OpenID Connect core §3.1.2.1) and the ways its answer can go. */
#ifndef FG_OPENID_OAUTH_REQUEST_H
#define FG_OPENID_OAUTH_REQUEST_H

#include "bridges/openid/openid.h"

typedef enum fg_oauth_mode { FG_OAUTH_QUERY, FG_OAUTH_FRAGMENT, FG_OAUTH_FORM_POST, FG_OAUTH_MODES } fg_oauth_mode_t;
enum { FG_PROMPT_NONE = 1, FG_PROMPT_LOGIN = 2, FG_PROMPT_CONSENT = 4, FG_PROMPT_SELECT = 8 };

typedef struct fg_oauth_request {
    const fg_partner_t *partner;
    const fg_openid_client_t *client;
    fg_str_t redirect_uri; /* .n 0: nothing may be sent back yet */
    fg_str_t state;        /* .p NULL: none */
    unsigned response;     /* FG_RESPONSE_… */
    fg_oauth_mode_t mode;
    fg_str_t nonce;
    fg_str_t challenge; /* PKCE, of method S256; .n 0: none */
    fg_str_t scope;     /* what is left of it, words divided by spaces */
    fg_str_t resource;  /* a partner's realm; .n 0: none */
    fg_str_t login_hint;
    fg_str_t ui_locales;
    unsigned prompt;
    int64_t max_age_ms;   /* negative: any */
    fg_str_t claims_text; /* the claims parameter; .n 0: none */
    const json_t *claims; /* read; NULL: none */
    fg_str_t acr;         /* must be, as the claims parameter says; .n 0: any */
    fg_str_t key;         /* dpop_jkt (RFC 9449 §10); .n 0: none */
    fg_str_t subject;     /* who must be, by id_token_hint or claims; .n 0: anybody */
} fg_oauth_request_t;

/* What a request says that was pushed before or is a signed object; else as it was sent.  Afterwards neither request
 * nor request_uri is among the parameters. */
bool fg_oauth_request_resolve(fg_exchange_t *ex, const fg_params_t *sent, fg_params_t *params,
                              fg_err_t *err) FG_MUST_CHECK;
/* Parameters as the text of an address. */
bool fg_oauth_request_text(fg_exchange_t *ex, const fg_params_t *params, fg_str_t *text, fg_err_t *err) FG_MUST_CHECK;
/* Client, state and redirect URI alone, as far as they are right: where a refusal goes. */
void fg_oauth_request_read_back(fg_exchange_t *ex, const fg_params_t *params, fg_oauth_request_t *request);
/* What is left of the scopes that are asked for (core §3.1.2.1: the others are passed over).  FG_E_OPENID_SCOPE. */
bool fg_oauth_scope_read(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t wanted, fg_str_t *scope,
                         fg_err_t *err) FG_MUST_CHECK;

/* Whether the person allowed this client the same before, in this browser. */
bool fg_oauth_consent_is_remembered(fg_exchange_t *ex, const fg_oauth_request_t *request,
                                    const fg_identity_t *identity);
void fg_oauth_consent_remember(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_identity_t *identity);

/* Client and redirect URI first: where those are wrong, redirect_uri stays empty. */
bool fg_oauth_request_read(fg_exchange_t *ex, const fg_params_t *params, fg_oauth_request_t *request,
                           fg_err_t *err) FG_MUST_CHECK;

/* What goes back; what is empty is left out. */
typedef struct fg_oauth_answer {
    fg_str_t code, id_token, access_token;
    int64_t lifetime_ms; /* of the access token */
} fg_oauth_answer_t;
/* Sends the browser back with the answer, or, NULL, with the error (RFC 6749 §4.1.2, with iss: RFC 9207). */
bool fg_oauth_respond(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_oauth_answer_t *answer,
                      const fg_err_t *why, fg_err_t *err) FG_MUST_CHECK;

/* Reads the claims parameter (core §5.5); *claims lives as long as the arena, NULL: empty. */
bool fg_oidc_claims_read(fg_exchange_t *ex, fg_str_t text, const json_t **claims, fg_err_t *err) FG_MUST_CHECK;
/* The subject of an ID token that was issued here to that client (NULL: to any, and *client is set); expired ones are
 * taken. */
typedef struct fg_oidc_hint {
    fg_str_t subject;
    fg_str_t session; /* sid; .n 0: none */
    fg_str_t client_id;
} fg_oidc_hint_t;
bool fg_oidc_hint_read(fg_exchange_t *ex, fg_str_t token, fg_oidc_hint_t *hint, fg_err_t *err) FG_MUST_CHECK;

#endif
