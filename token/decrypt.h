/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Assertions that a partner encrypted to us (XML Encryption 1.0, 1.1). */
#ifndef FG_TOKEN_DECRYPT_H
#define FG_TOKEN_DECRYPT_H

#include "core/key.h"
#include "core/xml.h"
#include "core/xmlenc.h"

#define FG_DECRYPTION_KEYS 4u

/* With what encrypted things are opened. */
typedef struct fg_decryption {
    const fg_key_t *keys[FG_DECRYPTION_KEYS];
    size_t key_count;
    const fg_xml_limits_t *limits; /* of what comes out */
} fg_decryption_t;

/* True for saml:EncryptedAssertion (SAML 2.0 core §2.3.4) and xenc:EncryptedData (SAML 1.1 in WS-Federation). */
bool fg_assertion_is_encrypted(const xmlNode *element);

/* Decrypts with one of our keys (tried by what EncryptedKey says about its recipient first) and parses the plaintext
 * anew, with all limits and checks (XE-06): *assertion is the only element of a document of its own in the arena.
 * AES-128/192/256 CBC and GCM; RSA-OAEP-MGF1P and RSA-OAEP with SHA-1 or SHA-256; no RSA 1.5 (XE-02), no
 * CipherReference (XE-03), at most 4 EncryptedKeys, none nested (XE-04), no other digests, full GCM tag (XE-05).  Every
 * failure from the key on is FG_E_DECRYPT and takes the same way (XE-01); the plaintext's own faults are too, as its
 * signature is not checked yet.  An EncryptedKey that names one of our keys (certificate, serial number) is tried with
 * that alone; if none names one, all are tried.  RetrievalMethod may name an EncryptedKey beside the EncryptedData;
 * without one all that stand there are meant.  The plaintext declares its own prefixes.  A bad form is
 * FG_E_TOKEN_MALFORMED, an algorithm of no list FG_E_SIG_ALGORITHM. */
bool fg_assertion_decrypt(fg_arena_t *arena, const xmlNode *element, const fg_key_t *const *keys, size_t key_count,
                          const fg_xml_limits_t *limits, xmlNode **assertion, fg_err_t *err) FG_MUST_CHECK;

/* The same for any element of SAML 2.0 that holds something encrypted: EncryptedAssertion, EncryptedID (a NameID),
 * EncryptedAttribute. */
bool fg_saml_decrypt(fg_arena_t *arena, const xmlNode *element, const fg_key_t *const *keys, size_t key_count,
                     const fg_xml_limits_t *limits, xmlNode **content, fg_err_t *err) FG_MUST_CHECK;

/* The secret alone, for who decrypts it in its place (fg_xmlenc_decrypt). */
bool fg_assertion_secret(fg_arena_t *arena, const xmlNode *element, const fg_enc_recipients_t *us, fg_str_t *secret,
                         fg_err_t *err) FG_MUST_CHECK;

#endif
