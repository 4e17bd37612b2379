/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON Web Signature in compact form (RFC 7515 §7.1), whatever its payload is; between the files of JSON Web Tokens. */
#ifndef FG_TOKEN_JWS_H
#define FG_TOKEN_JWS_H

#include "core/json.h"
#include "token/jwt.h"

typedef struct fg_jws {
    const json_t *header; /* lives as long as the arena */
    fg_str_t payload;
    const fg_key_t *key; /* which of the set's */
    fg_jws_alg_t alg;
} fg_jws_t;

/* Verifies with the set's keys alone: jwk, jku, x5u, x5c in the header are not looked at (JW-03).  A key is asked if
 * its kid is the header's, or if one of the two has none. */
bool fg_jws_verify(fg_arena_t *arena, fg_str_t token, const fg_jwk_set_t *keys, fg_jws_t *jws,
                   fg_err_t *err) FG_MUST_CHECK;

/* The same by HS256 with one of the secrets (those that are empty count for nothing); jws->key stays NULL. */
bool fg_jws_verify_secret(fg_arena_t *arena, fg_str_t token, const fg_str_t *secrets, size_t count, fg_jws_t *jws,
                          fg_err_t *err) FG_MUST_CHECK;

/* Decodes a base64url text (strictly: canonical, without padding) into the arena; .p NULL: it is none. */
fg_str_t fg_jws_decode(fg_arena_t *arena, fg_str_t text);
/* A JSON object that lives as long as the arena; FG_E_TOKEN_MALFORMED if the text is anything else. */
json_t *fg_jws_object(fg_arena_t *arena, fg_str_t text, const char *what, fg_err_t *err) FG_MUST_CHECK;
/* The three parts of a compact token; false: it has more or fewer. */
bool fg_jws_split(fg_str_t token, fg_str_t parts[3]) FG_MUST_CHECK;

#endif
