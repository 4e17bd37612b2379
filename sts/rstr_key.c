/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How the requestor gets to know its proof key (WS-Trust 1.3 §4.4.3 to §4.4.5). */
#include "core/crypto.h"
#include "core/xmlenc.h"
#include "sts/rstr_parts.h"

/* TLS, or the recipient's certificate, protects it. */
static bool write_secret(fg_xw_t *w, const fg_xns_t *t, fg_str_t secret, const char *type, const fg_key_t *recipient) {
    if (recipient != NULL) {
        const fg_enc_key_t key = {.recipient = recipient, .naming = FG_ENC_NAME_THUMBPRINT};
        return fg_xmlenc_put_key(w, secret, &key, NULL);
    }
    char room[128];
    fg_buf_t text;
    fg_buf_init_in(&text, room, sizeof room);
    fg_base64_encode(&text, secret.p, secret.n);
    fg_xw_start(w, t, "BinarySecret");
    if (type != NULL)
        fg_xw_attrz(w, "Type", type);
    fg_xw_text(w, fg_buf_str(&text));
    fg_xw_end(w);
    explicit_bzero(room, sizeof room);
    return fg_buf_ok(&text);
}

bool fg_rstr_write_entropy(fg_xw_t *w, const fg_trust_words_t *words, const fg_rstr_proof_t *proof) {
    const fg_xns_t *t = &words->ns;
    if (proof->kind != FG_PROOF_SYMMETRIC || proof->key_bytes == 0)
        return true;
    bool written = true;
    if (proof->secret.n == 0) {
        fg_xw_start(w, t, "Entropy");
        written = write_secret(w, t, proof->entropy, words->nonce, proof->recipient);
        fg_xw_end(w);
    }
    char bits[24];
    snprintf(bits, sizeof bits, "%zu", proof->key_bytes * 8);
    fg_xw_leafz(w, t, "KeySize", bits);
    return written;
}

bool fg_rstr_write_proof_token(fg_xw_t *w, const fg_trust_words_t *words, const fg_rstr_proof_t *proof) {
    const fg_xns_t *t = &words->ns;
    if (proof->kind != FG_PROOF_SYMMETRIC || proof->key_bytes == 0)
        return true;
    bool written = true;
    fg_xw_start(w, t, "RequestedProofToken");
    if (proof->secret.n == 0)
        fg_xw_leafz(w, t, "ComputedKey", words->computed_key);
    else
        written = write_secret(w, t, proof->secret, words->symmetric_key, proof->recipient);
    fg_xw_end(w);
    return written;
}
