/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which sites may ask (§9.2), and whether the person lets them know. */
#ifndef FG_OPENID_OPENID2_TRUST_H
#define FG_OPENID_OPENID2_TRUST_H

#include "bridges/openid/openid2.h"

typedef struct fg_openid2_trust {
    const fg_partner_t *partner; /* NULL: not found yet */
    fg_str_t realm;
    const char *application; /* for people: of an open realm its host */
    bool answered;           /* the person said yes just now */
    bool remember;           /* and not to ask again */
    fg_str_t csrf;           /* that came with it */
    json_t *told;            /* [{type, value}], what the site would get to know; taken by show */
} fg_openid2_trust_t;

/* The partner whose realm it is; FG_E_OPENID2_REALM: nobody's (deny by default). */
bool fg_openid2_trust_find(fg_exchange_t *ex, fg_str_t realm, fg_openid2_trust_t *trust, fg_err_t *err) FG_MUST_CHECK;
/* What the page sent: FG_E_OPENID_REFUSED is a no. */
bool fg_openid2_trust_take(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_params_t *form,
                           fg_err_t *err) FG_MUST_CHECK;
/* Whether the person has to be asked; identity: theirs. */
bool fg_openid2_trust_settle(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_session_t *session,
                             fg_str_t identity, bool *ask, fg_err_t *err) FG_MUST_CHECK;
bool fg_openid2_trust_show(fg_exchange_t *ex, fg_openid2_trust_t *trust, const fg_session_t *session,
                           const fg_params_t *params, fg_err_t *err) FG_MUST_CHECK;

#endif
