/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The Security header of answers: a Timestamp, and where TLS does not protect them, confirmation of the request's
 * signatures, our signature over everything and encryption of the Body (WS-Security 1.1). */
#include "core/crypto.h"
#include "core/time.h"
#include "sts/wss.h"
#include "sts/wss_parts.h"
#include "token/timestamp.h"

#define PART_MAX (1u << 20)
#define SECRET_SIZE 32u
#define THUMBPRINT "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"

static const fg_xns_t ns_security = {"o", FG_NS_WSSE};
static const fg_xns_t ns_security11 = {"k", FG_NS_WSSE11};
static const fg_xns_t ns_utility = {"u", FG_NS_WSU};
static const fg_xns_t ns_addressing = {"a", FG_NS_WSA};

static const char key_id[] = "_k", data_id[] = "_d";

/* ---- Timestamp */

static void put_instant(fg_xw_t *w, const char *name, int64_t ms) {
    char text[FG_TIME_SIZE];
    fg_time_format(ms, text);
    fg_xw_leafz(w, &ns_utility, name, text);
}

static void put_timestamp(fg_xw_t *w, int64_t now_ms) {
    fg_xw_start(w, &ns_utility, "Timestamp");
    fg_xw_attr_ns(w, &ns_utility, "Id", FG_STR("_0"));
    put_instant(w, "Created", now_ms);
    put_instant(w, "Expires", now_ms + FG_TIMESTAMP_LIFE);
    fg_xw_end(w);
}

void fg_wss_write(fg_xw_t *w, const fg_xns_t *soap, int64_t now_ms) {
    fg_xw_start(w, &ns_security, "Security");
    fg_xw_attr_ns(w, soap, "mustUnderstand", FG_STR("1"));
    put_timestamp(w, now_ms);
    fg_xw_end(w);
}

/* ---- parts, each of which declares all it uses: as it is written, so it is signed */

typedef struct answer {
    fg_exchange_t *ex;
    const fg_wss_protected_t *what;
    fg_dsig_part_t parts[FG_DSIG_REFERENCES_MAX];
    size_t part_count;
    fg_buf_t scratch;
} answer_t;

static fg_xw_t begin_part(answer_t *a) {
    fg_xw_t w;
    fg_buf_reset(&a->scratch);
    fg_xw_init(&w, &a->scratch);
    return w;
}

/* The bytes of what was written; .p NULL: it failed. */
static fg_str_t end_part(answer_t *a, const fg_xw_t *w) {
    return fg_xw_ok(w) ? fg_arena_str(a->ex->arena, fg_buf_str(&a->scratch)) : FG_STR_NONE;
}

static bool add_part(answer_t *a, const char *id, fg_str_t bytes) {
    if (bytes.p == NULL || a->part_count == FG_DSIG_REFERENCES_MAX)
        return false;
    a->parts[a->part_count++] = (fg_dsig_part_t){fg_str(id), bytes};
    return true;
}

static bool add_action(answer_t *a) {
    fg_xw_t w = begin_part(a);
    fg_xw_start(&w, &ns_addressing, "Action");
    fg_xw_attr_ns(&w, &ns_utility, "Id", FG_STR("_1"));
    fg_xw_attr_ns(&w, a->what->soap, "mustUnderstand", FG_STR("1"));
    fg_xw_textz(&w, a->what->action);
    fg_xw_end(&w);
    return add_part(a, "_1", end_part(a, &w));
}

static bool add_relates_to(answer_t *a) {
    if (a->what->relates_to.n == 0)
        return true;
    fg_xw_t w = begin_part(a);
    fg_xw_start(&w, &ns_addressing, "RelatesTo");
    fg_xw_attr_ns(&w, &ns_utility, "Id", FG_STR("_2"));
    fg_xw_text(&w, a->what->relates_to);
    fg_xw_end(&w);
    return add_part(a, "_2", end_part(a, &w));
}

static bool add_timestamp(answer_t *a) {
    fg_xw_t w = begin_part(a);
    put_timestamp(&w, fg_now(a->ex->env));
    return add_part(a, "_0", end_part(a, &w));
}

/* §8.5: the value of each signature of the request. */
static bool add_confirmation(answer_t *a, size_t i) {
    const char *id = fg_arena_printf(a->ex->arena, "_c%zu", i);
    fg_buf_t value = FG_BUF_INIT(2048);
    fg_str_t signature = a->what->answer->confirmations[i];
    fg_base64_encode(&value, signature.p, signature.n);
    fg_xw_t w = begin_part(a);
    fg_xw_start(&w, &ns_security11, "SignatureConfirmation");
    fg_xw_attr(&w, "Value", fg_buf_str(&value));
    fg_xw_attr_ns(&w, &ns_utility, "Id", fg_str(id));
    fg_xw_end(&w);
    bool good = id != NULL && fg_buf_ok(&value) && add_part(a, id, end_part(a, &w));
    fg_buf_free(&value);
    return good;
}

static bool add_confirmations(answer_t *a) {
    for (size_t i = 0; i < a->what->answer->confirmation_count; i++)
        if (!add_confirmation(a, i))
            return false;
    return true;
}

/* ---- references to keys */

static void start_reference(fg_xw_t *w, const char *child) {
    fg_xw_start(w, &ns_security, "SecurityTokenReference");
    fg_xw_start(w, &ns_security, child);
}

static void end_reference(fg_xw_t *w) {
    fg_xw_end(w);
    fg_xw_end(w);
}

/* Our certificate, which partners have from the metadata. */
static fg_str_t name_certificate(answer_t *a, const fg_key_t *key) {
    unsigned char digest[FG_SHA1_SIZE];
    unsigned length = 0;
    fg_buf_t value = FG_BUF_INIT(64);
    fg_xw_t w = begin_part(a);
    if (X509_digest(fg_key_get_x509(key), EVP_sha1(), digest, &length) != 1)
        return FG_STR_NONE;
    fg_base64_encode(&value, digest, length);
    start_reference(&w, "KeyIdentifier");
    fg_xw_attrz(&w, "EncodingType",
                "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary");
    fg_xw_attrz(&w, "ValueType", THUMBPRINT);
    fg_xw_text(&w, fg_buf_str(&value));
    end_reference(&w);
    fg_buf_free(&value);
    return end_part(a, &w);
}

static fg_str_t name_encrypted_key(answer_t *a) {
    fg_xw_t w = begin_part(a);
    start_reference(&w, "Reference");
    fg_xw_attr(&w, "URI", FG_STR("#_k"));
    end_reference(&w);
    return end_part(a, &w);
}

/* ---- signing and encrypting */

static fg_str_t sign(answer_t *a, fg_err_t *err) {
    const fg_dsig_signer_t signer = {
        .key = a->what->answer->signing,
        .key_info = name_certificate(a, a->what->answer->signing),
    };
    fg_buf_reset(&a->scratch);
    if (signer.key_info.p == NULL || !fg_dsig_sign_parts(a->parts, a->part_count, &signer, &a->scratch, err) ||
        !fg_buf_ok(&a->scratch))
        return FG_STR_NONE;
    return fg_arena_str(a->ex->arena, fg_buf_str(&a->scratch));
}

/* The Body with its content encrypted: what stands between its tags. */
static fg_str_t encrypt_body(answer_t *a, fg_str_t secret, fg_err_t *err) {
    const fg_wss_protected_t *what = a->what;
    fg_str_t content = {what->body.p + what->content_at, what->content_end - what->content_at};
    const fg_enc_data_t data = {
        .algorithm = what->answer->gcm ? FG_ENC_AES256_GCM : FG_ENC_AES256_CBC,
        .secret = secret,
        .plain = content,
        .content = true,
        .id = data_id,
        .key_info = name_encrypted_key(a),
    };
    fg_buf_reset(&a->scratch);
    fg_buf_add(&a->scratch, what->body.p, what->content_at);
    if (data.key_info.p == NULL || !fg_xmlenc_write_data(a->ex->env, &data, &a->scratch, err))
        return FG_STR_NONE;
    fg_buf_add(&a->scratch, what->body.p + what->content_end, what->body.n - what->content_end);
    return fg_buf_ok(&a->scratch) ? fg_arena_str(a->ex->arena, fg_buf_str(&a->scratch)) : FG_STR_NONE;
}

static fg_str_t encrypt_key(answer_t *a, fg_str_t secret, fg_err_t *err) {
    static const char *const references[] = {data_id};
    const fg_enc_key_t key = {
        .recipient = a->what->answer->encryption,
        .naming = FG_ENC_NAME_THUMBPRINT,
        .id = key_id,
        .references = references,
        .reference_count = 1,
    };
    fg_buf_reset(&a->scratch);
    return fg_xmlenc_write_key(secret, &key, &a->scratch, err) && fg_buf_ok(&a->scratch)
               ? fg_arena_str(a->ex->arena, fg_buf_str(&a->scratch))
               : FG_STR_NONE;
}

/* ---- the envelope */

/* The key first, then what it opened, then the signature over the plaintext: §5 has it read in this order. */
static void write_envelope(const answer_t *a, fg_str_t key, fg_str_t signature, fg_str_t body, fg_buf_t *out) {
    fg_xw_t w;
    fg_xw_init(&w, out);
    fg_xw_start(&w, a->what->soap, "Envelope");
    fg_xw_start(&w, a->what->soap, "Header");
    for (size_t i = 0; i < a->what->header_count; i++)
        fg_xw_raw(&w, a->parts[i].canonical);
    fg_xw_start(&w, &ns_security, "Security");
    fg_xw_attr_ns(&w, a->what->soap, "mustUnderstand", FG_STR("1"));
    fg_xw_raw(&w, key);
    for (size_t i = a->what->header_count; i + 1 < a->part_count; i++)
        fg_xw_raw(&w, a->parts[i].canonical);
    fg_xw_raw(&w, signature);
    fg_xw_end(&w);
    fg_xw_end(&w);
    fg_xw_raw(&w, body);
    fg_xw_end(&w);
    if (!fg_xw_ok(&w))
        out->failed = true;
}

static bool protect(answer_t *a, fg_buf_t *out, fg_err_t *err) {
    unsigned char bytes[SECRET_SIZE];
    const fg_str_t secret = {(const char *)bytes, sizeof bytes};
    if (!a->ex->env->random(a->ex->env, bytes, sizeof bytes))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an encryption key");
    fg_str_t signature = sign(a, err);
    fg_str_t body = signature.p != NULL ? encrypt_body(a, secret, err) : FG_STR_NONE;
    fg_str_t key = body.p != NULL ? encrypt_key(a, secret, err) : FG_STR_NONE;
    explicit_bzero(bytes, sizeof bytes);
    if (key.p == NULL)
        return err->code != FG_OK ? false : FG_FAIL(err, FG_E_MEMORY, "the answer cannot be protected");
    fg_buf_reset(out);
    write_envelope(a, key, signature, body, out);
    return fg_buf_ok(out) || FG_FAIL(err, FG_E_MEMORY, "the answer is too large");
}

bool fg_wss_write_protected(fg_exchange_t *ex, fg_wss_protected_t *what, fg_buf_t *out, fg_err_t *err) {
    answer_t a = {.ex = ex, .what = what, .scratch = FG_BUF_INIT(PART_MAX)};
    bool good = add_action(&a) && add_relates_to(&a);
    what->header_count = a.part_count;
    good = good && add_timestamp(&a) && add_confirmations(&a) && add_part(&a, FG_WSS_BODY_ID, what->body);
    good = good ? protect(&a, out, err) : FG_FAIL(err, FG_E_MEMORY, "the answer's headers");
    fg_buf_free(&a.scratch);
    return good;
}
