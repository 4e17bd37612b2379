/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON Web Encryption in compact form (RFC 7516 §7.1): tokens and request objects that somebody encrypted to us, and ID
 * tokens for clients that want them encrypted. */
#ifndef FG_TOKEN_JWE_H
#define FG_TOKEN_JWE_H

#include "core/key_encrypt.h"
#include "token/jwt.h"

/* for discovery */
#define FG_JWE_ALG_NAMES "RSA-OAEP-256 RSA-OAEP ECDH-ES ECDH-ES+A128KW ECDH-ES+A256KW"
#define FG_JWE_ENC_NAMES "A128GCM A256GCM A128CBC-HS256 A256CBC-HS512"

#define FG_JWE_KEYS 4u /* tried for one token */

/* Whether a text has the five parts of one; it is not looked at any further. */
bool fg_jwe_is(fg_str_t token);

/* Decrypts with one of our private keys: the one that kid names (fg_key_get_id), else those of its algorithm's type.
 * RSA-OAEP-256 and RSA-OAEP, ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW; A128GCM, A256GCM, A128CBC-HS256, A256CBC-HS512.
 * Passwords, shared keys, RSA 1.5, zip and crit are refused (JW-05, JW-09).  plain lives in the arena.  A form that is
 * none: FG_E_TOKEN_MALFORMED; an algorithm of no list: FG_E_SIG_ALGORITHM; everything from the key on: FG_E_DECRYPT.
 * Whoever knows our public key can encrypt: what comes out means something only if it is signed, too. */
bool fg_jwe_open(fg_arena_t *arena, fg_str_t token, const fg_key_t *const *keys, size_t count, fg_str_t *plain,
                 fg_err_t *err) FG_MUST_CHECK;
/* The signed token in an encrypted one; any other text stays as it is. */
bool fg_jwe_unwrap(fg_arena_t *arena, fg_str_t token, const fg_key_t *const *keys, size_t count, fg_str_t *inner,
                   fg_err_t *err) FG_MUST_CHECK;

typedef enum fg_jwe_alg {
    FG_JWE_RSA_OAEP_256,
    FG_JWE_RSA_OAEP,
    FG_JWE_ECDH_ES,
    FG_JWE_ECDH_ES_A128KW,
    FG_JWE_ECDH_ES_A256KW,
} fg_jwe_alg_t;
bool fg_jwe_alg_from_name(fg_str_t name, fg_jwe_alg_t *alg) FG_MUST_CHECK;
const char *fg_jwe_alg_name(fg_jwe_alg_t alg);
bool fg_jwe_alg_fits(fg_jwe_alg_t alg, const fg_key_t *key);

/* For whom and how. */
typedef struct fg_jwe {
    const fg_key_t *recipient; /* public */
    fg_str_t kid;              /* .n 0: none */
    fg_jwe_alg_t alg;
    fg_jwe_enc_t enc;
    const char *content_type; /* cty: "JWT" for a signed token; NULL: none */
} fg_jwe_t;

/* Appends the encrypted form of plain.  FG_E_CONFIG: the key is not one for the algorithm. */
bool fg_jwe_write(const fg_env_t *env, fg_str_t plain, const fg_jwe_t *jwe, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
