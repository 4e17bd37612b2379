/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A partner's registration as an OpenID Connect client (dynamic registration 1.0 §2 names the same things).  Immutable
 * once the configuration is loaded. */
#ifndef FG_OPENID_CLIENT_H
#define FG_OPENID_CLIENT_H

#include "core/crypto.h"
#include "hub/partner.h"
#include "token/jwe.h"
#include "token/jwt.h"

/* How a client proves at the token endpoint who it is: bits. */
enum {
    FG_CLIENT_NONE = 1,
    FG_CLIENT_BASIC = 2,
    FG_CLIENT_POST = 4,
    FG_CLIENT_JWT = 8, /* by its private key */
    FG_CLIENT_SECRET_JWT = 16,
    FG_CLIENT_TLS = 32, /* RFC 8705 §2.1: a certificate that nginx verified, with a name that is configured */
};
/* What it may trade in there: bits. */
enum {
    FG_GRANT_CODE = 1,
    FG_GRANT_REFRESH = 2,
    FG_GRANT_CLIENT = 4,
    FG_GRANT_EXCHANGE = 8,
    FG_GRANT_JWT = 16,  /* RFC 7523 §2.1 */
    FG_GRANT_SAML = 32, /* RFC 7522 §2.1 */
    FG_GRANT_DEVICE = 64,
};
/* What an authorization endpoint can answer with at once; a client is registered for sets of these, bits 1u << set. */
enum { FG_RESPONSE_CODE = 1, FG_RESPONSE_ID_TOKEN = 2, FG_RESPONSE_TOKEN = 4 };
/* What its access tokens are tied to, besides what it shows by itself. */
typedef enum fg_client_binding { FG_BINDING_NONE, FG_BINDING_CERTIFICATE, FG_BINDING_DPOP } fg_client_binding_t;

typedef struct fg_str_list {
    const fg_str_t *items;
    size_t count;
} fg_str_list_t;

#define FG_CLIENT_SECRETS_MAX 4u
typedef struct fg_client_secret {
    unsigned char digest[FG_SHA256_SIZE]; /* of a random text: nothing slower is needed */
    fg_str_t text;                        /* for client_secret_jwt alone, whose key it is; .n 0 elsewhere */
} fg_client_secret_t;

typedef struct fg_openid_client {
    fg_str_t id;
    unsigned auth;
    unsigned grants;
    unsigned response_types; /* 0: the code alone */
    const fg_client_secret_t *secrets;
    size_t secret_count;
    fg_jwk_set_t keys;
    fg_str_t jwks_uri;              /* where they are instead (fg_oauth_client_keys); .n 0: nowhere */
    fg_str_list_t redirect_uris;    /* exact, byte by byte (OI-05) */
    fg_str_list_t post_logout_uris; /* likewise */
    fg_str_list_t scopes;           /* empty: those of OpenID Connect */
    fg_str_list_t resources;        /* realms of partners for which it may get access tokens */
    fg_str_list_t origins;          /* of scripts that may call the token endpoint and userinfo */
    fg_str_t front_channel_logout;  /* .n 0: none */
    fg_str_t back_channel_logout;
    fg_str_t sector;              /* for whom pairwise names are made; .n 0: the name is the same for all clients */
    fg_str_t certificate_subject; /* of FG_CLIENT_TLS, as RFC 4514 writes it; .n 0: not by that */
    fg_str_t certificate_dns;     /* or a DNS name in subjectAltName */
    fg_client_binding_t binding;
    bool pushed_only;               /* its requests come by RFC 9126 alone */
    bool signed_only;               /* its requests are signed (RFC 9101) */
    bool userinfo_signed;           /* core §5.3.2 */
    fg_jws_alg_t id_token_alg;      /* with which its ID tokens are signed, */
    bool has_id_token_alg;          /* if not with the key's own */
    const fg_jwk_t *encryption_key; /* to which they are encrypted; NULL: they are not */
    fg_jwe_alg_t encryption_alg;
    fg_jwe_enc_t encryption;
    bool asks_consent;
    bool claims_in_id_token;
    int64_t refresh_lifetime_ms;
} fg_openid_client_t;

bool fg_str_list_has(const fg_str_list_t *list, fg_str_t s);
/* Without one of the other proofs it is a public client (RFC 6749 §2.1). */
static inline bool fg_openid_client_is_public(const fg_openid_client_t *client) {
    return (client->auth & FG_CLIENT_NONE) != 0;
}
/* Whether an address may be a redirect URI: https, http, or a scheme of an application's own, which has a dot (RFC 8252
 * §7.1); absolute, without fragment (RFC 6749 §3.1.2). */
bool fg_openid_redirect_is_possible(fg_str_t uri);
/* The host of such an address, .n 0: none. */
fg_str_t fg_openid_redirect_host(fg_str_t uri);

#endif
