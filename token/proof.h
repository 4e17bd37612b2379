/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Proof keys: what ds:KeyInfo of a holder-of-key confirmation says (SAML token profile 1.1 §3.5.2.1; SAML profiles 2.0
 * §3.1).  Whoever shows to have that key is the one whom the token means. */
#ifndef FG_TOKEN_PROOF_H
#define FG_TOKEN_PROOF_H

#include "core/xmlenc.h"

/* One of the two. */
typedef struct fg_proof {
    const fg_key_t *key; /* public, perhaps with its certificate, whose chain nobody checked; the arena's */
    fg_str_t secret;     /* .n 0: none */
} fg_proof_t;

/* Reads the children of key_info (ds:KeyInfo, or what else holds them, as wst:UseKey does): X509Data with one
 * X509Certificate, KeyValue (RSA, and EC of XML Signature 1.1 with a named curve), EncryptedKey to us.  The element
 * must be one that was signed.  Several may name one key; two keys are refused (XS-22: FG_E_SIG_KEY), as are references
 * to keys that are elsewhere.  A secret that was not encrypted to us comes out as random bytes (fg_xmlenc_unwrap); us
 * NULL: no secrets are taken. */
bool fg_proof_read(fg_arena_t *arena, const xmlNode *key_info, const fg_enc_recipients_t *us, fg_proof_t *proof,
                   fg_err_t *err) FG_MUST_CHECK;

/* Append children of a ds:KeyInfo, canonical where the prefix ds is declared and no other that they use: for
 * fg_assertion_t.  A public key: X509Data with its certificate if it has one, else KeyValue. */
bool fg_proof_write_key(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
/* A secret for the relying party: EncryptedKey, with the recipient's certificate named by its thumbprint. */
bool fg_proof_write_secret(fg_str_t secret, const fg_key_t *recipient, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
