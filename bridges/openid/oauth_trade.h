/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request to the token endpoint, between the files of its grant types. */
#ifndef FG_OPENID_OAUTH_TRADE_H
#define FG_OPENID_OAUTH_TRADE_H

#include "bridges/openid/oauth_access.h"

typedef struct fg_oauth_trade {
    const fg_partner_t *partner; /* the client, which has proven itself */
    const fg_openid_client_t *client;
    const fg_params_t *form;
    fg_holder_t holder;    /* to whom what is issued is tied */
    fg_str_t confirmation; /* the same as cnf; .n 0: to nobody */
    fg_oauth_grant_t grant;
} fg_oauth_trade_t;

static inline fg_str_t fg_oauth_trade_get(const fg_oauth_trade_t *trade, const char *name) {
    return fg_params_get(trade->form, name, NULL);
}

/* What the answer says (RFC 6749 §5.1); what is empty is left out. */
typedef struct fg_oauth_given {
    fg_str_t token; /* access_token, whatever it is */
    int64_t lifetime_ms;
    const char *token_type; /* NULL: Bearer, or DPoP if it is tied to such a key */
    const char *issued_token_type;
    fg_str_t scope, refresh_token, id_token;
} fg_oauth_given_t;
bool fg_oauth_give(fg_exchange_t *ex, const fg_oauth_trade_t *trade, const fg_oauth_given_t *given,
                   fg_err_t *err) FG_MUST_CHECK;
/* An access token that was not granted by a person at a browser, given; access without client and confirmation. */
bool fg_oauth_give_access(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_oauth_access_t *access,
                          const char *issued_token_type, fg_err_t *err) FG_MUST_CHECK;
/* Ties trade->grant of a public client to its key, if it showed one. */
bool fg_oauth_trade_tie(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
/* The tokens of trade->grant. */
bool fg_oauth_give_granted(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
/* The scopes that are asked for, without those that the client's section does not name. */
bool fg_oauth_trade_scope(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_str_t *scope,
                          fg_err_t *err) FG_MUST_CHECK;

/* ---- the grant types that have files of their own */

bool fg_oauth_grant_client(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
bool fg_oauth_grant_exchange(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
/* AD FS' on_behalf_of, which comes as a grant of RFC 7523. */
bool fg_oauth_grant_on_behalf_of(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
bool fg_oauth_grant_jwt(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
bool fg_oauth_grant_saml(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;
bool fg_oauth_grant_device(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) FG_MUST_CHECK;

/* Reads an assertion in base64url, or base64 as some send it. */
xmlNode *fg_oauth_assertion_parse(fg_exchange_t *ex, fg_str_t text, fg_err_t *err) FG_MUST_CHECK;

#endif
