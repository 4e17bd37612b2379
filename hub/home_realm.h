/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Home realm discovery: the page on which people choose where they come from, and what is remembered of it. */
#ifndef FG_HUB_HOME_REALM_H
#define FG_HUB_HOME_REALM_H

#include "hub/federation.h"

/* Parameters of the page's form */
#define FG_REALM_PARAM "whr"   /* the choice */
#define FG_SEARCH_PARAM "find" /* words, or a mail address */
#define FG_PAGE_PARAM "page"   /* of what was found, from 1 */

typedef struct fg_home_realm_page {
    fg_str_t action;                /* where its form goes to */
    const fg_params_t *params;      /* of the request */
    bool (*is_kept)(fg_str_t name); /* which of them the form sends again */
    fg_str_t application;           /* for people; .n 0: none */
} fg_home_realm_page_t;

/* Shows what the request asks for: a page of the list, or of what was found in it. */
bool fg_home_realm_show(fg_exchange_t *ex, const fg_home_realm_page_t *page, fg_err_t *err) FG_MUST_CHECK;
/* Whom a mail address in the search field leads to; NULL: it is none, or that is not known. */
const fg_home_realm_t *fg_home_realm_searched(fg_exchange_t *ex, const fg_params_t *params);

/* The only one that people can be sent to; *many: there are several. */
const fg_home_realm_t *fg_home_realm_only(fg_exchange_t *ex, bool *many);

/* The choice that was made before for a relying party (memory: its realm); NULL: none that still holds. */
const fg_home_realm_t *fg_home_realm_remembered(fg_exchange_t *ex, fg_str_t memory);
bool fg_home_realm_remember(fg_exchange_t *ex, fg_str_t memory, fg_str_t uri, fg_err_t *err) FG_MUST_CHECK;

#endif
