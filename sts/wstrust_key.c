/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The proof key of a token that is asked for (WS-Trust 1.3 §4.4). */
#include "core/crypto.h"
#include "sts/wstrust_parts.h"
#include "token/proof.h"

#define CERTIFICATE_MAX 16384u

/* ---- symmetric keys */

static bool make_random(fg_exchange_t *ex, size_t length, fg_str_t *out, fg_err_t *err) {
    unsigned char *bytes = fg_arena_alloc(ex->arena, length);
    if (bytes == NULL || !ex->env->random(ex->env, bytes, length))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a key");
    *out = (fg_str_t){(const char *)bytes, length};
    return true;
}

/* The requestor's share; .n 0: it gives none. */
static bool get_share(fg_exchange_t *ex, const fg_rst_t *rst, fg_str_t *share, fg_err_t *err) {
    const fg_key_t *keys[FG_KEY_STATES];
    fg_enc_recipients_t ours = {keys, 0};
    *share = rst->entropy;
    if (rst->entropy_key == NULL)
        return true;
    for (unsigned i = 0; i < FG_KEY_STATES; i++)
        if (ex->keys->encryption[i] != NULL)
            keys[ours.count++] = ex->keys->encryption[i];
    return fg_xmlenc_unwrap(ex->arena, rst->entropy_key, &ours, 0, share, err);
}

/* §4.4.4: if both sides give a share, neither tells the key: each computes it. */
static bool compute(fg_exchange_t *ex, fg_str_t share, fg_wstrust_result_t *result, fg_err_t *err) {
    size_t length = result->told.key_bytes;
    unsigned char *key = fg_arena_alloc(ex->arena, length);
    if (key == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a key");
    fg_p_sha1(share, result->told.entropy, key, length);
    result->proof.secret = (fg_str_t){(const char *)key, length};
    return true;
}

static bool make_secret(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    fg_rstr_proof_t *told = &result->told;
    bool message = fg_sts_endpoint_is_message(request->endpoint);
    fg_str_t share, ours;
    told->key_bytes = request->rst.key_bytes != 0 ? request->rst.key_bytes : FG_KEY_BYTES_MAX;
    told->recipient = message ? request->wss.certificate : NULL;
    if (message && told->recipient == NULL)
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "no certificate to encrypt a proof key to, and no TLS");
    if (!get_share(ex, &request->rst, &share, err) || !make_random(ex, told->key_bytes, &ours, err))
        return false;
    if (share.n > 0) {
        told->entropy = ours;
        return compute(ex, share, result, err);
    }
    told->secret = result->proof.secret = ours;
    return true;
}

/* ---- public keys */

static void release_key(void *key) { fg_key_unref(key); }

static bool own_key(fg_exchange_t *ex, fg_key_t *key, const fg_key_t **out, fg_err_t *err) {
    *out = key;
    return key != NULL && (fg_arena_own(ex->arena, release_key, key) || FG_FAIL(err, FG_E_MEMORY, "a key"));
}

static bool read_certificate(fg_exchange_t *ex, const xmlNode *element, const fg_key_t **key, fg_err_t *err) {
    fg_buf_t der = FG_BUF_INIT(CERTIFICATE_MAX);
    fg_str_t text = fg_xml_token(ex->arena, element, err);
    bool decoded = text.p != NULL && ((fg_base64_decode_xml(&der, text) && fg_buf_ok(&der)) ||
                                      FG_FAIL(err, FG_E_WST_KEY, "UseKey: a certificate that is not base64"));
    bool ok = decoded && own_key(ex, fg_key_from_certificate_der(fg_buf_str(&der), err), key, err);
    fg_buf_free(&der);
    return ok;
}

static bool read_key_info(fg_exchange_t *ex, const xmlNode *element, const fg_key_t **key, fg_err_t *err) {
    fg_proof_t proof;
    if (!fg_proof_read(ex->arena, element, NULL, &proof, err))
        return false;
    *key = proof.key;
    return proof.key != NULL || FG_FAIL(err, FG_E_WST_KEY, "UseKey holds no public key");
}

static bool find_key(fg_exchange_t *ex, fg_wstrust_t *request, const fg_key_t **key, fg_err_t *err) {
    xmlNode *element = request->rst.use_key;
    if (element == NULL) {
        *key = request->wss.certificate;
        return *key != NULL || FG_FAIL(err, FG_E_WST_KEY, "no UseKey, and no certificate of the requestor");
    }
    if (fg_xml_is(element, FG_NS_DS, "KeyInfo"))
        return read_key_info(ex, element, key, err);
    if (fg_xml_is(element, FG_NS_WSSE, "BinarySecurityToken"))
        return read_certificate(ex, element, key, err);
    if (!fg_xml_is(element, FG_NS_WSSE, "SecurityTokenReference"))
        return FG_FAIL(err, FG_E_WST_KEY, "UseKey holds %s", (const char *)element->name);
    const fg_wss_token_t *token = fg_wss_find(&request->wss, element, err);
    *key = token ? token->key : NULL;
    return *key != NULL || (token != NULL && FG_FAIL(err, FG_E_WST_KEY, "UseKey names a token without a public key"));
}

/* §4.4.7: a key goes into a token for who shows to have it. */
static bool take_public(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    if (!find_key(ex, request, &result->proof.key, err))
        return false;
    return fg_wss_possesses(&request->wss, result->proof.key) ||
           FG_FAIL(err, FG_E_WST_PROOF, "the message is not signed with the key that UseKey names");
}

bool fg_wstrust_make_proof(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    fg_proof_kind_t kind = request->key_type;
    result->proof.kind = result->told.kind = kind;
    result->has_proof = kind != FG_PROOF_BEARER;
    if (kind == FG_PROOF_SYMMETRIC)
        return make_secret(ex, request, result, err);
    return kind == FG_PROOF_BEARER || take_public(ex, request, result, err);
}
