/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An OpenID provider that vouches for people here: who we are to it, and what it publishes of itself.  The first is
 * immutable once the configuration is loaded; the second is fetched when it is needed and kept (oidc_rp_provider.c). */
#ifndef FG_OPENID_PROVIDER_H
#define FG_OPENID_PROVIDER_H

#include "bridges/openid/client.h"
#include "hub/exchange.h"

/* In an issuer: stands for the tenant, which the tid claim names (Microsoft Entra's metadata for several tenants). */
#define FG_OPENID_TENANT "{tenantid}"
#define FG_OPENID_ALL_ALGS ((1u << (FG_JWS_EDDSA + 1)) - 1)

/* What was fetched of one provider, shared by all snapshots; thread-safe. */
typedef struct fg_openid_upstream fg_openid_upstream_t;
fg_openid_upstream_t *fg_openid_upstream_new(void) FG_MUST_CHECK;
void fg_openid_upstream_free(fg_openid_upstream_t *upstream); /* NULL is taken */

typedef struct fg_openid_provider {
    fg_str_t client_id;
    unsigned auth;          /* one bit of FG_CLIENT_… */
    fg_str_t secret;        /* .n 0: none */
    fg_str_t discovery_url; /* of its metadata */
    fg_str_t scope;         /* words divided by spaces */
    unsigned algs;          /* of ID tokens: bits 1u << fg_jws_alg_t */
    fg_str_list_t tenants;  /* where the issuer has FG_OPENID_TENANT in it; "*": any */
    bool asks_userinfo;
    int64_t refresh_interval_ms; /* how often it is asked whether an account is still there; 0: never */
    fg_openid_upstream_t *upstream;
} fg_openid_provider_t;

/* Its metadata (Discovery 1.0 §3), all addresses https. */
typedef struct fg_openid_metadata {
    fg_str_t authorization_endpoint;
    fg_str_t token_endpoint;
    fg_str_t jwks_uri;
    fg_str_t userinfo_endpoint;    /* .n 0: none, as the next one */
    fg_str_t revocation_endpoint;  /* RFC 8414 §2 */
    fg_str_t end_session_endpoint; /* RP-initiated logout 1.0 §2.1 */
    bool names_itself;             /* answers say iss (RFC 9207 §3) */
} fg_openid_metadata_t;

/* As it was fetched last; strings live as long as the exchange.  May wait for the provider.  Where it cannot be had,
 * the last good copy serves; FG_E_FETCH_…, FG_E_OPENID_ANSWER: there is none. */
bool fg_openid_metadata_get(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_openid_metadata_t *metadata,
                            fg_err_t *err) FG_MUST_CHECK;
/* Its keys likewise.  again: a token names one that is not among them, so they are asked for anew, unless that was done
 * within the last half a minute (JW-12); *asked tells. */
bool fg_openid_provider_keys(fg_exchange_t *ex, const fg_identity_provider_t *provider, bool again, fg_jwk_set_t *keys,
                             bool *asked, fg_err_t *err) FG_MUST_CHECK;

/* Whether a token's issuer is the provider's.  Of one with FG_OPENID_TENANT *tenant is the segment in its place, which
 * is one of those that may come; else .n 0. */
bool fg_openid_issuer_fits(const fg_identity_provider_t *provider, fg_str_t issuer, fg_str_t *tenant) FG_MUST_CHECK;

#endif
