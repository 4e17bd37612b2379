/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What keys do for encryption in JSON Web Encryption (RFC 7518 §4, §5): RSA-OAEP, agreement of EC keys, AES key wrap,
 * and authenticated content encryption.  Nothing here says why it failed: the caller has one answer for all of it. */
#ifndef FG_CORE_KEY_ENCRYPT_H
#define FG_CORE_KEY_ENCRYPT_H

#include "core/key.h"

#define FG_AGREED_MAX 66u /* bytes: P-521 */
#define FG_CEK_MAX 64u

/* RSA-OAEP with that digest for MGF1 as well; appended to out. */
bool fg_key_oaep_encrypt(const fg_key_t *key, fg_hash_t hash, fg_str_t plain, fg_buf_t *out) FG_MUST_CHECK;
bool fg_key_oaep_decrypt(const fg_key_t *key, fg_hash_t hash, fg_str_t cipher, fg_buf_t *out) FG_MUST_CHECK;

/* A new private key on the same curve as an EC key, without a certificate. */
fg_key_t *fg_key_generate_ephemeral(const fg_key_t *like, fg_err_t *err) FG_MUST_CHECK;
/* Whether two EC keys are on one curve. */
bool fg_key_same_curve(const fg_key_t *a, const fg_key_t *b);
/* ECDH: *length bytes to out.  False: different curves, no private key. */
bool fg_key_agree(const fg_key_t *own, const fg_key_t *other, unsigned char out[FG_AGREED_MAX],
                  size_t *length) FG_MUST_CHECK;

/* RFC 3394 with a key of 16 or 32 bytes; appended to out. */
bool fg_aes_wrap(fg_str_t key, fg_str_t plain, fg_buf_t *out) FG_MUST_CHECK;
bool fg_aes_unwrap(fg_str_t key, fg_str_t wrapped, fg_buf_t *out) FG_MUST_CHECK;

/* Content encryption algorithms (RFC 7518 §5.1). */
typedef enum fg_jwe_enc { FG_JWE_A128GCM, FG_JWE_A256GCM, FG_JWE_A128CBC_HS256, FG_JWE_A256CBC_HS512 } fg_jwe_enc_t;
bool fg_jwe_enc_from_name(fg_str_t name, fg_jwe_enc_t *enc) FG_MUST_CHECK;
const char *fg_jwe_enc_name(fg_jwe_enc_t enc);
size_t fg_jwe_enc_key_size(fg_jwe_enc_t enc);
size_t fg_jwe_enc_iv_size(fg_jwe_enc_t enc);

/* Appends ciphertext to out; tag: FG_JWE_TAG_MAX bytes, of which *tag_size are filled.  iv has the algorithm's size. */
#define FG_JWE_TAG_MAX 32u
bool fg_jwe_content_encrypt(fg_jwe_enc_t enc, fg_str_t key, fg_str_t iv, fg_str_t aad, fg_str_t plain, fg_buf_t *out,
                            unsigned char tag[FG_JWE_TAG_MAX], size_t *tag_size) FG_MUST_CHECK;
/* The other way round; iv and tag must have the algorithm's sizes exactly. */
bool fg_jwe_content_decrypt(fg_jwe_enc_t enc, fg_str_t key, fg_str_t iv, fg_str_t aad, fg_str_t cipher, fg_str_t tag,
                            fg_buf_t *out) FG_MUST_CHECK;

#endif
