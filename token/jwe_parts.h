/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between jwe.c and jwe_key.c: nobody else includes this. */
#ifndef FG_TOKEN_JWE_PARTS_H
#define FG_TOKEN_JWE_PARTS_H

#include "token/jwe.h"

/* How the content encryption key comes about. */
typedef struct fg_jwe_scheme {
    fg_jwe_alg_t alg;
    fg_jwe_enc_t enc;
    const fg_key_t *ephemeral; /* epk of ECDH-ES; NULL: none */
    fg_str_t apu, apv;         /* decoded */
} fg_jwe_scheme_t;

/* The content encryption key, fg_jwe_enc_key_size bytes.  False: it cannot be had with this key. */
bool fg_jwe_key_open(const fg_jwe_scheme_t *scheme, const fg_key_t *key, fg_str_t encrypted,
                     unsigned char cek[FG_CEK_MAX]) FG_MUST_CHECK;
/* Makes one, and what the recipient finds it in (empty for ECDH-ES); scheme's ephemeral key is a private one. */
bool fg_jwe_key_make(const fg_env_t *env, const fg_jwe_scheme_t *scheme, const fg_key_t *recipient,
                     unsigned char cek[FG_CEK_MAX], fg_buf_t *encrypted) FG_MUST_CHECK;
/* Whether the algorithm agrees on a key by ECDH. */
bool fg_jwe_alg_agrees(fg_jwe_alg_t alg);

#endif
