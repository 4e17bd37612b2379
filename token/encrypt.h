/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Encrypting an assertion to a partner (XML Encryption 1.0, 1.1). */
#ifndef FG_TOKEN_ENCRYPT_H
#define FG_TOKEN_ENCRYPT_H

#include "core/env.h"
#include "core/xmlwriter.h"
#include "token/assertion.h"

typedef enum fg_encryption {
    FG_ENCRYPT_AES256_CBC, /* read by everybody; the signature inside is what guards the content */
    FG_ENCRYPT_AES256_GCM, /* where the partner's software can (not Windows Identity Foundation) */
} fg_encryption_t;

/* "aes256-cbc", "aes256-gcm" */
bool fg_encryption_from_name(const char *name, fg_encryption_t *encryption) FG_MUST_CHECK;

/* Appends the encrypted form of assertion (its bytes as fg_assertion_write made them): SAML 2.0:
 * saml:EncryptedAssertion (core §2.3.4); SAML 1.1, which has no element for it: xenc:EncryptedData itself, as Windows
 * Identity Foundation does.  The key goes to recipient's RSA key by RSA-OAEP-MGF1P, with the certificate named in
 * KeyInfo. */
bool fg_assertion_encrypt(const fg_env_t *env, fg_saml_version_t version, fg_str_t assertion, const fg_key_t *recipient,
                          fg_encryption_t encryption, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* To whom and how parts of a SAML 2.0 document are encrypted singly; recipient: an RSA key. */
typedef struct fg_encryptor {
    const fg_env_t *env;
    const fg_key_t *recipient;
    fg_encryption_t encryption;
} fg_encryptor_t;

/* A part that is encrypted where it stands, or is not (encryptor NULL): write the element to what fg_part_begin
 * returns, then end.  name: of the element around what was encrypted (core §2.2.4 EncryptedID, §2.7.3.2
 * EncryptedAttribute).  On failure the writer fails. */
typedef struct fg_part {
    const fg_encryptor_t *encryptor;
    fg_buf_t plain;
    fg_xw_t inner;
} fg_part_t;
fg_xw_t *fg_part_begin(fg_part_t *part, fg_xw_t *w, const fg_encryptor_t *encryptor);
void fg_part_end(fg_part_t *part, fg_xw_t *w, const char *name);

/* saml:NameID, or saml:EncryptedID with an encryptor. */
void fg_saml_write_name_id(fg_xw_t *w, const fg_name_id_t *name_id, const fg_encryptor_t *encryptor);

#endif
