/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A partner that vouches for its people: tokens come from there.  Immutable once the configuration is loaded. */
#ifndef FG_HUB_IDENTITY_PROVIDER_H
#define FG_HUB_IDENTITY_PROVIDER_H

#include "core/key.h"
#include "token/assertion.h"
#include "token/jwt.h"

/* The protocols that browsers carry between partners. */
typedef enum fg_protocol_kind {
    FG_PROTOCOL_WSFED,
    FG_PROTOCOL_SAML,
    FG_PROTOCOL_OPENID,
    FG_PROTOCOL_OPENID2,
    FG_PROTOCOLS
} fg_protocol_kind_t;

typedef struct fg_identity_provider {
    const char *name;            /* the section's title in the configuration */
    fg_protocol_kind_t protocol; /* which it speaks */
    fg_str_t issuer;             /* of its tokens, exact; no two providers share one */
    fg_str_t sign_in_url;        /* of its protocol; .n 0: people cannot be sent there */
    fg_str_t sign_out_url;       /* default: sign_in_url */
    fg_str_t realm;              /* who we are to it (wtrealm, audience); default: our entity id */
    const fg_key_t *const *keys; /* certificates with which it signs */
    size_t key_count;
    /* certificates of those who may vouch for its people (SAML token profile 1.1 §3.5.2, sender-vouches) */
    const fg_key_t *const *vouchers;
    size_t voucher_count;
    fg_jwk_set_t jwks;                       /* for JWTs: the certificates' keys and those of a JWK set file */
    const struct fg_saml_party *saml;        /* its SAML 2.0 metadata (bridges/saml/); NULL: it does not speak that */
    bool unconfirmed;                        /* of WS-Federation: SAML 1.1 tokens may be without SubjectConfirmation */
    bool artifacts;                          /* of SAML 2.0: its Responses are asked for by artifact */
    bool encrypt_name_id;                    /* of SAML 2.0: in LogoutRequests */
    const struct fg_openid2_source *openid2; /* what it is for OpenID 2.0 (bridges/openid/); NULL: likewise */
    const struct fg_openid_provider *openid; /* who we are to it for OpenID Connect; NULL: likewise */
    bool allow_sha1;                         /* logged at start (XS-25) */
    int64_t max_lifetime_ms;                 /* of its tokens; 0: no limit */
} fg_identity_provider_t;

#endif
