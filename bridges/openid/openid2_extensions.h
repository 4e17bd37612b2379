/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is said beside the identifier: Simple Registration 1.0 and 1.1, Attribute Exchange 1.0 (fetch), Provider
 * Authentication Policy 1.0, User Interface 1.0. */
#ifndef FG_OPENID_OPENID2_EXTENSIONS_H
#define FG_OPENID_OPENID2_EXTENSIONS_H

#include "bridges/openid/openid2_message.h"
#include "hub/browser.h"

#define FG_OPENID2_WISHES 32u

/* One attribute that a relying party would like to know. */
typedef struct fg_openid2_wish {
    fg_str_t name;  /* SREG's field, or AX's alias */
    fg_str_t type;  /* AX's type; .n 0: SREG */
    unsigned count; /* of values, at most */
} fg_openid2_wish_t;

typedef struct fg_openid2_asked {
    const char *sreg_ns; /* NULL: not asked for */
    bool sreg_declared;  /* its namespace was declared; OpenID 1.1 knows it without */
    bool ax, pape;
    bool ax_store; /* the site wants to keep attributes here, which it cannot */
    fg_openid2_wish_t wishes[FG_OPENID2_WISHES];
    size_t wish_count;
    int64_t fresh_ms;   /* PAPE's max_auth_age; negative: any age */
    fg_str_t languages; /* UI's; .n 0: none */
} fg_openid2_asked_t;

/* ---- the provider */

bool fg_openid2_asked_read(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_openid2_asked_t *asked,
                           fg_err_t *err) FG_MUST_CHECK;
/* The answers, from the claims that the partner gets. */
bool fg_openid2_asked_answer(fg_exchange_t *ex, const fg_openid2_asked_t *asked, const fg_claims_t *claims,
                             const fg_identity_t *identity, fg_openid2_message_t *message, fg_err_t *err) FG_MUST_CHECK;
/* What would be told, for the person: [{type, value}].  NULL: memory. */
json_t *fg_openid2_asked_list(fg_exchange_t *ex, const fg_openid2_asked_t *asked, const fg_claims_t *claims);

/* ---- the relying party */

/* Asks for what there are claims for. */
void fg_openid2_ask(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_openid2_message_t *message);
/* The claims of a message that was verified: of its signed fields alone (O2-03); issuer: of the claims;
 * more: further types of AX that were asked for. */
bool fg_openid2_take_claims(fg_exchange_t *ex, const fg_openid2_message_t *message, fg_str_t issuer,
                            const fg_str_list_t *more, fg_identity_t *identity, fg_err_t *err) FG_MUST_CHECK;

#endif
