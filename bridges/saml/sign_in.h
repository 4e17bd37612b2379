/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What both ways of signing in at an identity provider share: by a browser (sign_in.c) and by a client that carries the
 * messages itself (paos.c). */
#ifndef FG_BRIDGES_SAML_SIGN_IN_H
#define FG_BRIDGES_SAML_SIGN_IN_H

#include "bridges/saml/message.h"
#include "hub/browser.h"

#define FG_SAML_ID_PREFIX "_" /* an ID does not begin with a digit */

/* ID of the AuthnRequest whose state has that word; .p NULL: memory. */
fg_str_t fg_saml_request_id(fg_exchange_t *ex, fg_str_t word);
/* The word for which a Response says that it is the answer. */
bool fg_saml_find_word(fg_exchange_t *ex, const xmlNode *root, fg_str_t *word, fg_err_t *err) FG_MUST_CHECK;
/* Verifies the Response of signin->realm to the request of that word, which came to own, an address of ours; then the
 * session and the way back stand in ex->response. */
bool fg_saml_accept(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_saml_inbound_t *in, fg_str_t own,
                    fg_str_t word, fg_err_t *err) FG_MUST_CHECK;

#endif
