/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Discovery of what others are (OpenID Authentication 2.0 §7.3, §13; Yadis 1.0): asked for by core/http.h's client, by
 * its rules on where it may go (O2-10). */
#ifndef FG_OPENID_OPENID2_DISCOVER_H
#define FG_OPENID_OPENID2_DISCOVER_H

#include "bridges/openid/openid2.h"
#include "bridges/openid/openid2_xrds.h"

/* What discovery says of an identifier (§7.3.1). */
typedef struct fg_openid2_service {
    fg_str_t endpoint;
    fg_str_t claimed_id; /* .n 0: of an OP Identifier */
    fg_str_t local_id;   /* what the provider calls it; likewise */
    bool v2;
} fg_openid2_service_t;

typedef struct fg_openid2_services {
    fg_openid2_service_t items[2 * FG_XRDS_SERVICES];
    size_t count; /* the most wanted first */
} fg_openid2_services_t;

/* identifier: in normal form.  FG_E_OPENID2_DISCOVERY: there is no OpenID service. */
bool fg_openid2_discover(fg_exchange_t *ex, fg_str_t identifier, bool any_host, fg_openid2_services_t *services,
                         fg_err_t *err) FG_MUST_CHECK;
/* What documents say, without fetching: url is where the page came from. */
bool fg_openid2_services_of_xrds(const fg_xrds_t *xrds, fg_str_t url, fg_openid2_services_t *services,
                                 fg_err_t *err) FG_MUST_CHECK;
void fg_openid2_services_of_html(fg_arena_t *arena, fg_str_t html, fg_str_t url, fg_openid2_services_t *services);
/* The address in the meta element of a page; .p NULL: none. */
fg_str_t fg_openid2_xrds_location(fg_arena_t *arena, fg_str_t html);

/* §13: the document at the realm names return_to.  FG_E_OPENID2_DISCOVERY: it does not, or cannot be had. */
bool fg_openid2_check_return(fg_exchange_t *ex, fg_str_t realm, fg_str_t return_to, fg_err_t *err) FG_MUST_CHECK;

/* The quality (RFC 9110 §12.5.1) in thousandths that an Accept header gives a media type; named: only where its range
 * names the type itself. */
unsigned fg_openid2_accept_quality(fg_str_t accept, const char *type, bool named);

#endif
