/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a protected location asks for.  Immutable once the configuration is loaded. */
#ifndef FG_HUB_PROTECT_H
#define FG_HUB_PROTECT_H

#include "hub/partner.h"

typedef enum fg_protect_kind {
    FG_PROTECT_WEB,   /* pages: browsers are sent to sign in */
    FG_PROTECT_REST,  /* a management API: method, path and JSON members decide */
    FG_PROTECT_WSMAN, /* WS-Management: the operation decides */
} fg_protect_kind_t;

/* Credentials that are accepted; bits. */
enum {
    FG_ACCEPT_SESSION = 1,     /* our cookie */
    FG_ACCEPT_BEARER = 2,      /* Authorization: Bearer, a JWT or a base64 SAML assertion */
    FG_ACCEPT_BASIC = 4,       /* Authorization: Basic, checked by a directory */
    FG_ACCEPT_CERTIFICATE = 8, /* a client certificate that nginx verified */
    FG_ACCEPT_NEGOTIATE = 32,  /* Authorization: Negotiate, a ticket of Kerberos (RFC 4559) */
    FG_ACCEPT_SOAP = 16,       /* a WS-Security header inside a SOAP body */
};

typedef enum fg_upstream_token {
    FG_UPSTREAM_NONE,
    FG_UPSTREAM_JWT,
    FG_UPSTREAM_SAML11,
    FG_UPSTREAM_SAML20
} fg_upstream_token_t;

typedef struct fg_home_realm fg_home_realm_t;

typedef struct fg_protect {
    const char *name;         /* the section's title */
    const char *display_name; /* for the sign-in page */
    fg_protect_kind_t kind;
    unsigned accept;
    const fg_str_t *hosts; /* at which it may be reached besides the gateway's own; lower case, with port if not 443 */
    size_t host_count;
    const fg_str_t *audiences; /* tokens must name one; default: the gateway's base URL and entity id */
    size_t audience_count;
    const fg_ruleset_t *policy;        /* who may; NULL: everybody who signed in */
    const fg_home_realm_t *home_realm; /* where browsers sign in; NULL: they choose */
    const fg_home_realm_t *directory;  /* of Basic and of a UsernameToken; NULL: the first directory */
    const fg_partner_t *upstream;      /* for whom a token is made for the server behind; NULL: none is */
    fg_upstream_token_t upstream_token;
    fg_str_t delegate_to;          /* "HTTP/app.example.com": the server behind wants Kerberos; .n 0: it does not */
    const char *delegate_claim;    /* whose value is the person's principal */
    const fg_str_t *delegate_from; /* URIs of home realms that are believed in it; none: directories */
    size_t delegate_from_count;
    bool reads_json;        /* the policy names members of a JSON body */
    bool reads_certificate; /* the policy tests the client certificate's subject */
    bool asks_stores;       /* the policy asks attribute stores, which may block */
} fg_protect_t;

#endif
