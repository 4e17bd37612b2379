/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hub's view of a loaded configuration: immutable, shared by all exchanges.  gateway/ builds it. */
#ifndef FG_HUB_HUB_H
#define FG_HUB_HUB_H

#include "core/json.h"
#include "core/x509.h"
#include "core/xml.h"
#include "directory/directory.h"
#include "directory/kerberos.h"
#include "directory/lockout.h"
#include "hub/identity_provider.h"
#include "hub/keyring.h"
#include "hub/partner.h"
#include "hub/protect.h"

typedef struct fg_exchange fg_exchange_t;
typedef struct fg_pages fg_pages_t;       /* gateway/: templates and languages */
typedef struct fg_network fg_network_t;   /* core/network.h */
typedef struct fg_protocol fg_protocol_t; /* hub/protocol.h */

/* How accounts are found that certificates belong to; tried in this order. */
enum {
    FG_MAP_UPN = 1,            /* the user principal name in SubjectAltName */
    FG_MAP_ISSUER_SERIAL = 2,  /* altSecurityIdentities, by issuer and serial number alone */
    FG_MAP_ALT_IDENTITIES = 4, /* altSecurityIdentities, every strong form */
};

/* Where people can come from: a directory, a partner identity provider, or CAs that vouch for certificates. */
struct fg_home_realm {
    fg_str_t uri; /* what whr names; default: ENTITY_ID/NAME, of a provider its issuer */
    const char *display_name;
    fg_directory_t *directory;                       /* or NULL */
    const fg_identity_provider_t *identity_provider; /* or NULL */
    fg_x509_trust_t *certificates;                   /* or NULL */
    const fg_home_realm_t *accounts;                 /* of certificates: where their owners' accounts are; NULL: none */
    unsigned account_names;                          /* FG_MAP_…: by which of their names */
    const char *const *domains;                      /* of its people's mail addresses, lower case */
    size_t domain_count;
    fg_claims_t facts;                    /* of its metadata, for acceptance rules (policy/request.h) */
    const fg_ruleset_t *acceptance_rules; /* what becomes of their claims; NULL: they stay as they are */
};

/* Whose tickets of Kerberos are taken, and who is asked for one. */
typedef struct fg_negotiate_rules {
    fg_kerberos_t *kerberos;
    const fg_home_realm_t *home_realm; /* whose directory knows the people */
    bool ticket_suffices;              /* what a verified PAC says is enough, and the directory is not asked */
    const char *const *agents;         /* browsers whose User-Agent has one of these words ... */
    size_t agent_count;
    const fg_network_t *networks; /* ... and that are in one of these are asked for a ticket before they see a form */
    size_t network_count;
} fg_negotiate_rules_t;

/* A realm and whose it is.  Sorted by fg_realm_entry_compare, so that a look-up is a binary search whatever the number
 * of partners. */
typedef struct fg_realm_entry {
    fg_str_t realm;
    const fg_partner_t *partner;
} fg_realm_entry_t;

/* Shorter first, then by bytes; for qsort and bsearch. */
static inline int fg_realm_entry_compare(const void *a, const void *b) {
    fg_str_t left = ((const fg_realm_entry_t *)a)->realm, right = ((const fg_realm_entry_t *)b)->realm;
    if (left.n != right.n)
        return left.n < right.n ? -1 : 1;
    return left.n == 0 ? 0 : memcmp(left.p, right.p, left.n);
}

typedef struct fg_hub {
    fg_str_t base_url;        /* "https://fs.example.com": everything published begins with it; no slash at the end */
    fg_str_t host;            /* its host[:port], lower case: cookies are bound to it */
    fg_str_t entity_id;       /* "http://HOST/adfs/services/trust" unless configured */
    const char *organisation; /* shown on pages */
    const char *logo_url;     /* NULL: none */
    const char *colour;       /* "#rrggbb" */
    const char *contact;      /* for error pages and metadata; NULL: none */

    const fg_partner_t *partners;
    size_t partner_count;
    const fg_realm_entry_t *realm_index; /* every realm of every partner, sorted */
    size_t realm_count;
    const fg_realm_entry_t *client_index; /* the client_id of every OpenID Connect client, sorted likewise */
    size_t client_count;
    const fg_partner_t *registered; /* what clients that register themselves are like; NULL: none may */
    const char *registered_folder;  /* where they are kept */
    const char *fetched_folder;     /* where documents are that others publish; NULL: in memory alone */
    const fg_home_realm_t *home_realms;
    size_t home_realm_count;
    struct fg_federations *federations;    /* partners without a section of their own (hub/federation.h); NULL: none */
    const fg_negotiate_rules_t *negotiate; /* tickets of Kerberos (hub/negotiate.h); NULL: none are taken */
    fg_str_t discovery_service;            /* of somebody else, for browsers; .n 0: our own page */
    const fg_protect_t *protects;          /* in the order of the configuration, the same in all snapshots */
    size_t protect_count;
    struct fg_delegate *delegate;                 /* directory/kerberos_delegate.h; NULL: there is no such section */
    fg_rule_stores_t stores;                      /* attribute stores of claim rules: the directories */
    const fg_protocol_t *protocols[FG_PROTOCOLS]; /* that browsers carry between partners; NULL: not built in */
    fg_keyring_t *keyring;
    fg_lockout_t lockout;

    int64_t skew_ms;             /* default 180 s */
    int64_t session_idle_ms;     /* default 1 h */
    int64_t session_absolute_ms; /* default 8 h */
    size_t body_max;             /* default 256 KiB */
    fg_xml_limits_t xml;

    bool list_applications;     /* the page of sign-on that begins here lists them (hub/initiate.h) */
    const char *viewer_path;    /* path of the claims viewer ("/demo/"); NULL: off */
    const fg_partner_t *viewer; /* its own registration */

    fg_pages_t *pages;
    /* Renders page name ("sign_in", "home_realm", "signed_out", "error", "auto_post", "claims", "go_on",
     * "sign_out", "consent", "device") from model (taken) into ex's response with status and headers (CSP with nonce,
     * no-store).
     */
    bool (*render)(fg_exchange_t *ex, int status, const char *name, json_t *model);
} fg_hub_t;

/* Exact, byte by byte; NULL: not registered. */
const fg_partner_t *fg_hub_find_partner(const fg_hub_t *hub, fg_str_t realm);
/* By client_id, likewise. */
const fg_partner_t *fg_hub_find_client(const fg_hub_t *hub, fg_str_t client_id);
/* By whr; NULL: unknown. */
const fg_home_realm_t *fg_hub_find_home_realm(const fg_hub_t *hub, fg_str_t uri);
/* The home realm of a directory, by the directory's name; NULL: there is none. */
const fg_home_realm_t *fg_hub_find_directory(const fg_hub_t *hub, const char *name);
/* By the issuer of a token; NULL: nobody that we know. */
const fg_home_realm_t *fg_hub_find_issuer(const fg_hub_t *hub, fg_str_t issuer);
/* Whether there is a home realm of certificates. */
bool fg_hub_knows_certificates(const fg_hub_t *hub);
/* The first directory. */
const fg_home_realm_t *fg_hub_default_home_realm(const fg_hub_t *hub);

#endif
