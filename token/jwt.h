/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON Web Tokens (RFC 7519) in compact JWS form (RFC 7515), written and read; JWK sets (RFC 7517). */
#ifndef FG_TOKEN_JWT_H
#define FG_TOKEN_JWT_H

#include <jansson.h>

#include "core/env.h"
#include "core/key.h"
#include "token/claims.h"

#define FG_JWT_MAX (64u << 10)

/* A key with the algorithms that it may be used with: never those that the message would like (JW-02). */
typedef struct fg_jwk {
    fg_key_t *key; /* public */
    fg_str_t kid;  /* .n 0: none */
    fg_str_t
        alg; /* .n 0: any that the key's type allows (RS256-512 and PS256-512; ES256, ES384, ES512 by curve; EdDSA) */
} fg_jwk_t;
typedef struct fg_jwk_set {
    fg_jwk_t *items;
    size_t count;
} fg_jwk_set_t;

/* Reads a JWK set's signature keys; what it does not know is left out, what is malformed or has a kid twice is refused
 * (JW-04).  Keys are let go with the arena. */
bool fg_jwk_set_read(fg_arena_t *arena, fg_str_t json, fg_jwk_set_t *set, fg_err_t *err) FG_MUST_CHECK;

/* The same of the keys to which something may be encrypted; alg is one of JSON Web Encryption's then (token/jwe.h). */
bool fg_jwk_set_read_encryption(fg_arena_t *arena, fg_str_t json, fg_jwk_set_t *set, fg_err_t *err) FG_MUST_CHECK;

/* late_ms of a token that speaks of the past: exp must be there, and may have passed long ago */
#define FG_JWT_ANY_AGE (INT64_MAX / 2)

typedef struct fg_jwt_trust {
    fg_str_t issuer; /* exact */
    const fg_jwk_set_t *keys;
    const fg_str_t *secrets; /* in place of keys: HS256; NULL: none */
    size_t secret_count;
    const fg_str_t *audiences; /* one of these must be in aud; exact */
    size_t audience_count;
    bool (*is_audience)(const void *context, fg_str_t audience); /* whether another one will do; NULL: none */
    const void *context;                                         /* is_audience's */
    bool untyped;                                                /* a token without typ will do where type is set */
    const char *type; /* typ that the header must have ("at+jwt"); NULL: "JWT", "at+jwt" or none */
    bool any_type; /* the caller checks it */
    int64_t skew_ms;
    int64_t late_ms;         /* how long it is read after its end: to be renewed; 0: not at all */
    int64_t max_lifetime_ms; /* 0: no limit */
} fg_jwt_trust_t;

typedef struct fg_jwt_read {
    fg_identity_t
        identity; /* name_id = sub; issuer = iss; claims, whose issuer is iss; method and instant where told; actors */
    fg_str_t audience; /* the one that matched */
    fg_str_t id;       /* jti; .n 0: none */
    int64_t not_on_or_after_ms;
    const json_t *payload; /* lives as long as the arena */
    const fg_key_t *key;   /* which of the trusted */
    fg_jws_alg_t alg;
    fg_str_t type; /* typ, as it was written; .p NULL: none */
} fg_jwt_read_t;

/* The issuer that a token names, before anything in it is believed: to choose whom to trust.  .p NULL: no JWT. */
fg_str_t fg_jwt_peek_issuer(fg_arena_t *arena, fg_str_t token);
/* The audience likewise, if it is one. */
fg_str_t fg_jwt_peek_audience(fg_arena_t *arena, fg_str_t token);
/* Verifies and reads (JW-01..08, 10, 11): three canonical base64url parts; alg allowed for the key that kid (or,
 * without one, the set) yields; jwk, jku, x5u, x5c ignored; crit refused; exp there; nbf, iat, iss, aud. */
bool fg_jwt_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t token, const fg_jwt_trust_t *trust,
                 fg_jwt_read_t *result, fg_err_t *err) FG_MUST_CHECK;

/* Appends the claims that an object of a JWT's form (UserInfo) holds: members that are no claims of their own are passed
 * over. */
bool fg_jwt_claims_read(fg_arena_t *arena, const json_t *object, fg_str_t issuer, fg_claims_t *claims,
                        fg_err_t *err) FG_MUST_CHECK;

/* The claim type for a member's name and back: sub is the NameID; "upn", "email", "given_name", "family_name", "name",
 * "unique_name", "role"/"roles", "groups", "appid", … as AD FS and OpenID Connect name them; anything else is its own
 * type. */
fg_str_t fg_jwt_claim_type(fg_str_t name);
fg_str_t fg_jwt_claim_name(fg_str_t type);

/* Whether a member is the token's own and no claim about its subject (token/jwt_names.c). */
bool fg_jwt_name_is_own(fg_str_t name);

/* A member of a token's own beside those that every token has. */
typedef struct fg_jwt_member {
    const char *name;
    fg_str_t text; /* .n 0: it is left out */
    bool is_json;  /* text is JSON, not a string */
} fg_jwt_member_t;

typedef struct fg_jwt {
    const char *type;        /* header typ: "JWT", "at+jwt", "logout+jwt" */
    const fg_jws_alg_t *alg; /* one that goes with the key; NULL: the key's own */
    fg_str_t id;      /* jti */
    fg_str_t issuer;
    fg_str_t subject; /* .n 0: none */
    fg_str_t audience;
    int64_t issued_ms, not_before_ms, expires_ms;
    const fg_identity_t *identity; /* method (amr) and instant (auth_time); NULL: not told */
    const fg_claims_t *claims;     /* same types are joined into one list; NULL: none */
    const fg_identity_t *actor;    /* who acts for the subject (act); at most FG_ACTORS_MAX; NULL: nobody */
    const fg_jwt_member_t *members;
    size_t member_count;
} fg_jwt_t;

/* Appends a public key as a JSON Web Key for signatures (RFC 7517 §4): with alg, kid and, as AD FS has them, its
 * certificate and that one's thumbprint. */
bool fg_jwk_write(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* The same of one to which tokens are encrypted. */
bool fg_jwk_write_encryption(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* Appends the signed token.  A key's own algorithm is RS256, ES256, ES384, ES512 or EdDSA; kid is fg_key_get_id's. */
bool fg_jwt_write(const fg_jwt_t *jwt, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
