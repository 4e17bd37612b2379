/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files of xmlenc.h: nobody else includes this. */
#ifndef FG_CORE_XMLENC_PARTS_H
#define FG_CORE_XMLENC_PARTS_H

#include "core/xmlenc.h"

#define FG_ENC_CONTENT_MAX (1u << 20)
#define FG_ENC_TAG_SIZE 16u
#define FG_ENC_IV_MAX 16u
#define FG_ENC_WSSE11_THUMBPRINT "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
#define FG_ENC_WSSE_BASE64 \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"

typedef struct fg_enc_method {
    const char *uri;
    const EVP_CIPHER *(*cipher)(void);
    size_t key_size;
    size_t iv_size;
    bool tagged;
} fg_enc_method_t;

const fg_enc_method_t *fg_enc_method_get(fg_enc_algorithm_t algorithm);
const fg_enc_method_t *fg_enc_method_find(fg_str_t uri); /* NULL: not served */

/* Whether the EncryptedKey says that it is for this key. */
bool fg_enc_is_named(fg_arena_t *arena, const xmlNode *encrypted_key, const fg_key_t *key);

#endif
