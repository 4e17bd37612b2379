/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Partners that have no section of their own: entities of federations' metadata, of which there may be ten thousand.
 * They are read when they are first used; so whoever looks for a partner asks here, and not the hub's tables alone.
 * What is found belongs to the exchange that asked.  Two look-ups of one home realm may give two objects: compare
 * their URIs. */
#ifndef FG_HUB_FEDERATION_H
#define FG_HUB_FEDERATION_H

#include "hub/exchange.h"

/* An identity provider for a list that people choose from. */
typedef struct fg_offer {
    fg_str_t uri;
    fg_str_t name;
    fg_str_t detail; /* what tells it from others of that name */
} fg_offer_t;

typedef struct fg_search {
    fg_str_t words;    /* all of which must occur; .n 0: everybody */
    fg_str_t language; /* of names: "de" */
    size_t skip;       /* so many of those that were found */
} fg_search_t;

/* gateway/federations.c's, or a test's. */
typedef struct fg_federations fg_federations_t;
struct fg_federations {
    const fg_partner_t *(*find_partner)(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t entity_id);
    const fg_home_realm_t *(*find_home_realm)(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t entity_id);
    bool (*knows_home_realm)(fg_federations_t *federations, fg_str_t entity_id, int64_t now_ms); /* quick */
    bool (*has_offers)(fg_federations_t *federations, fg_exchange_t *ex); /* there is somebody to choose; quick */
    /* The identity provider for a mail domain, if there is exactly one; .n 0: none.  In the exchange's arena. */
    fg_str_t (*find_domain)(fg_federations_t *federations, fg_exchange_t *ex, fg_str_t domain);
    /* Fills at most room; returns how many there are in all. */
    size_t (*search)(fg_federations_t *federations, fg_exchange_t *ex, const fg_search_t *search, fg_offer_t *out,
                     size_t room, size_t *filled);
};

/* The partner of a realm: one with a section, else one of a federation; NULL: nobody. */
const fg_partner_t *fg_find_partner(fg_exchange_t *ex, fg_str_t realm);
/* Likewise by whr and by the issuer of a token. */
const fg_home_realm_t *fg_find_home_realm(fg_exchange_t *ex, fg_str_t uri);
const fg_home_realm_t *fg_find_issuer(fg_exchange_t *ex, fg_str_t issuer);
/* Whether there is such a one, without reading it. */
bool fg_knows_home_realm(const fg_exchange_t *ex, fg_str_t uri);
/* Whose people have mail addresses like this one; NULL: that is not known, or it is no address. */
const fg_home_realm_t *fg_find_home_realm_for_mail(fg_exchange_t *ex, fg_str_t address);

/* People can be sent there: there is a directory to ask, or a partner with an address. */
bool fg_home_realm_is_offered(const fg_home_realm_t *realm);
/* Those to choose from, of sections first; returns how many there are in all. */
size_t fg_search_home_realms(fg_exchange_t *ex, const fg_search_t *search, fg_offer_t *out, size_t room,
                             size_t *filled);

#endif
