/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * XML Encryption 1.0 and 1.1: EncryptedKey and EncryptedData, read and written.  Form and algorithms are checked
 * without any secret; what fails there says so (FG_E_SIG_STRUCTURE, FG_E_SIG_ALGORITHM).  From the first secret on all
 * failures are one: FG_E_DECRYPT, or a secret that is random and does not fit (XE-01). */
#ifndef FG_CORE_XMLENC_H
#define FG_CORE_XMLENC_H

#include "core/key.h"
#include "core/xml.h"
#include "core/xmlwriter.h"

#define FG_ENC_KEYS_MAX 4u    /* EncryptedKeys for one EncryptedData (XE-04) */
#define FG_ENC_SECRET_MIN 16u /* bytes */
#define FG_ENC_SECRET_MAX 64u

/* ---- reading */

/* Our own keys.  Only private RSA keys are tried: those that the EncryptedKey names, or all if it names none of them.
 * RSA 1.5 is not served at all (XE-02). */
typedef struct fg_enc_recipients {
    const fg_key_t *const *keys;
    size_t count;
} fg_enc_recipients_t;

/* At most FG_ENC_KEYS_MAX EncryptedKeys in the subtree, element itself counted, none inside another, and no
 * EncryptedData below another one or inside an EncryptedKey (XE-04).  Every function here that reads calls it. */
bool fg_xmlenc_check(const xmlNode *element, fg_err_t *err) FG_MUST_CHECK;

/* How many bytes of key an EncryptedData's EncryptionMethod needs: AES-128, 192, 256 with CBC or GCM. */
bool fg_xmlenc_key_length(fg_arena_t *arena, const xmlNode *data, size_t *length, fg_err_t *err) FG_MUST_CHECK;

/* Unwraps an xenc:EncryptedKey: RSA-OAEP-MGF1P, or RSA-OAEP of version 1.1 with MGF1 over SHA-1 or SHA-256; digest
 * SHA-1 or SHA-256 (XE-05).  length: what the secret must have; 0: whatever it has, FG_ENC_SECRET_MIN to
 * FG_ENC_SECRET_MAX. What cannot be unwrapped gives random bytes (32 for length 0) and true: it is content or signature
 * that turns out not to fit.  The secret lives in the arena and is wiped with it.  KeyInfo may name the recipient by
 * ds:X509Data (X509Certificate, X509IssuerSerial, X509SKI), bare or in a wsse:SecurityTokenReference, by KeyIdentifier
 * (SubjectKeyIdentifier, ThumbprintSHA1), by an embedded BinarySecurityToken or by a Reference to one in this document
 * (WS-Security 1.1, X.509 token profile 1.1 §3.2). */
bool fg_xmlenc_unwrap(fg_arena_t *arena, const xmlNode *encrypted_key, const fg_enc_recipients_t *recipients,
                      size_t length, fg_str_t *secret, fg_err_t *err) FG_MUST_CHECK;
/* The same for several EncryptedKeys that hold one secret for different recipients (1 to FG_ENC_KEYS_MAX). */
bool fg_xmlenc_unwrap_any(fg_arena_t *arena, const xmlNode *const *encrypted_keys, size_t count,
                          const fg_enc_recipients_t *recipients, size_t length, fg_str_t *secret,
                          fg_err_t *err) FG_MUST_CHECK;

/* Appends the plaintext bytes of an EncryptedData to plain.  A CipherReference is not followed (XE-03); a GCM tag has
 * 16 bytes (XE-05).  CBC guards nothing: what comes of it means something only if it is signed, too. */
bool fg_xmlenc_open(fg_arena_t *arena, const xmlNode *data, fg_str_t secret, fg_buf_t *plain,
                    fg_err_t *err) FG_MUST_CHECK;

/* Replaces an EncryptedData of Type Element (also without Type) or Content by its plaintext, parsed in the namespace
 * context of its place, with all limits counted from there (depth, elements and namespaces of the whole document); ids
 * must stay unique in the document (XE-06).  A wsse11:EncryptedHeader around it goes with it (WS-Security 1.1 §9.3).
 * *first: the first node that came in its place, with Element the only one; NULL: empty content.  arena must be the
 * document's: what was replaced is freed with it, so pointers to it stay good.  The document element cannot be
 * replaced.  limits NULL: the default. */
bool fg_xmlenc_decrypt(fg_arena_t *arena, xmlNode *data, fg_str_t secret, const fg_xml_limits_t *limits,
                       xmlNode **first, fg_err_t *err) FG_MUST_CHECK;

/* ---- writing: canonical elements, appended at the writer's place, so that they may stand inside what is signed */

typedef enum fg_enc_algorithm {
    FG_ENC_AES256_GCM,
    FG_ENC_AES192_GCM,
    FG_ENC_AES128_GCM,
    FG_ENC_AES256_CBC,
    FG_ENC_AES192_CBC,
    FG_ENC_AES128_CBC,
} fg_enc_algorithm_t;

size_t fg_enc_algorithm_key_size(fg_enc_algorithm_t algorithm);
const char *fg_enc_algorithm_uri(fg_enc_algorithm_t algorithm);

/* How KeyInfo names the recipient; without a certificate it is not named. */
typedef enum fg_enc_naming {
    FG_ENC_NAME_CERTIFICATE,   /* ds:X509Data/X509Certificate */
    FG_ENC_NAME_ISSUER_SERIAL, /* wsse:SecurityTokenReference, ds:X509Data/X509IssuerSerial */
    FG_ENC_NAME_THUMBPRINT,    /* wsse:SecurityTokenReference, KeyIdentifier ThumbprintSHA1 */
} fg_enc_naming_t;

/* An xenc:EncryptedKey.  Strings are borrowed. */
typedef struct fg_enc_key {
    const fg_key_t *recipient; /* RSA; FG_E_CONFIG otherwise */
    fg_enc_naming_t naming;
    const char *id;                /* NULL: none */
    const char *const *references; /* ids of EncryptedDatas, for a ReferenceList */
    size_t reference_count;        /* 0: no ReferenceList */
} fg_enc_key_t;

/* RSA-OAEP-MGF1P with SHA-1, which everybody reads. */
bool fg_xmlenc_put_key(fg_xw_t *w, fg_str_t secret, const fg_enc_key_t *key, fg_err_t *err) FG_MUST_CHECK;

/* An xenc:EncryptedData. */
typedef struct fg_enc_data {
    fg_enc_algorithm_t algorithm;
    fg_str_t secret; /* of the algorithm's length */
    fg_str_t plain;
    bool content;            /* Type Content, else Element */
    const char *id;          /* NULL: none */
    const fg_enc_key_t *key; /* KeyInfo holds the secret for this recipient; NULL: */
    fg_str_t key_info;       /* its children ready made; .n 0: no KeyInfo */
} fg_enc_data_t;

/* The IV comes from env->random. */
bool fg_xmlenc_put_data(const fg_env_t *env, fg_xw_t *w, const fg_enc_data_t *data, fg_err_t *err) FG_MUST_CHECK;

/* The same, each as an element that declares all it uses, appended to out. */
bool fg_xmlenc_write_key(fg_str_t secret, const fg_enc_key_t *key, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
bool fg_xmlenc_write_data(const fg_env_t *env, const fg_enc_data_t *data, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
