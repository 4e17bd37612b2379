/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * OpenID Authentication 2.0 and 1.1 in both roles: the provider (openid2_provider.c, openid2_checkid.c,
 * openid2_identity.c) and the relying party that vouches to the hub (openid2_sign_in.c, openid2_answer.c). */
#ifndef FG_OPENID_OPENID2_H
#define FG_OPENID_OPENID2_H

#include "bridges/openid/client.h"
#include "hub/protocol.h"
#include "hub/session.h"

#define FG_OPENID2_PROTOCOL "openid2"
#define FG_OPENID2_PATH "/adfs/openid2" /* the OP Identifier (§2) */
#define FG_OPENID2_ENDPOINT "/adfs/openid2/server"
#define FG_OPENID2_IDENTITY "/adfs/openid2/id/" /* and a name */
#define FG_OPENID2_RETURN "/adfs/openid2/return"
#define FG_OPENID2_ERRAND "openid2" /* the request, sealed, in the address of our own pages */

#define FG_OPENID2_NS "http://specs.openid.net/auth/2.0"
#define FG_OPENID2_SELECT "http://specs.openid.net/auth/2.0/identifier_select"

/* Service types of discovery documents (§7.3.2.1, §13, appendix A.4). */
#define FG_OPENID2_TYPE_SERVER "http://specs.openid.net/auth/2.0/server"
#define FG_OPENID2_TYPE_SIGNON "http://specs.openid.net/auth/2.0/signon"
#define FG_OPENID2_TYPE_SIGNON_1_1 "http://openid.net/signon/1.1"
#define FG_OPENID2_TYPE_SIGNON_1_0 "http://openid.net/signon/1.0"
#define FG_OPENID2_TYPE_RETURN "http://specs.openid.net/auth/2.0/return_to"

/* A partner's registration as an OpenID 2.0 relying party.  Immutable once the configuration is loaded. */
typedef struct fg_openid2_party {
    fg_str_list_t realms; /* of those that it may use (§9.2) */
    bool open;            /* any other realm as well; the person is asked each time or remembers it */
    bool asks_consent;    /* the person is asked */
    bool checks_return;   /* the realm's own discovery document must name return_to (§13) */
    bool pairwise;        /* identifiers that differ from realm to realm */
} fg_openid2_party_t;

/* An identity provider that speaks it. */
typedef struct fg_openid2_source {
    fg_str_t identifier;      /* normalised (§7.2): an OP Identifier, or somebody's own */
    bool stateless;           /* no associations: each answer is confirmed by the provider (§11.4.2) */
    bool any_host;            /* its people's identifiers may be at any public https address */
    bool allow_sha1;          /* associations of HMAC-SHA1 where it has no better (O2-11) */
    fg_str_list_t attributes; /* further types of Attribute Exchange to ask for, each a claim type */
} fg_openid2_source_t;

extern const fg_protocol_t fg_openid2_protocol;

struct fg_partner_signin;
bool fg_openid2_begin_sign_in(fg_exchange_t *ex, const struct fg_partner_signin *signin, fg_err_t *err) FG_MUST_CHECK;

/* An address of ours in the arena; path is one of the above.  .p NULL: memory. */
fg_str_t fg_openid2_url(fg_exchange_t *ex, const char *path);

/* ---- endpoints */

fg_step_t fg_openid2_direct(fg_exchange_t *ex);
fg_step_t fg_openid2_checkid(fg_exchange_t *ex);
fg_step_t fg_openid2_identity(fg_exchange_t *ex);
fg_step_t fg_openid2_return(fg_exchange_t *ex);
/* The error of a direct request in Key-Value Form (§5.1.2.2), with its audit line. */
void fg_openid2_refuse_direct(fg_exchange_t *ex, const fg_err_t *err);

/* ---- the provider's names of people (openid2_identity.c) */

/* The identifier of whoever signed in, for a realm; the last part of it in *name. */
bool fg_openid2_identity_make(fg_exchange_t *ex, const fg_openid2_party_t *party, fg_str_t realm,
                              const fg_session_t *session, fg_str_t *url, fg_err_t *err) FG_MUST_CHECK;
/* The name in one of our identifiers, decoded; .p NULL: it is none of ours. */
fg_str_t fg_openid2_identity_name(fg_exchange_t *ex, fg_str_t url);

#endif
