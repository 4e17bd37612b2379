/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_association.h"

#include "core/time.h"
#include "hub/bytes.h"
#include "hub/seal.h"

#define PURPOSE "openid2-association"
#define HANDLE_MAX 255u /* §8.2.1 */
#define NAME_LIMIT 64u

static const struct {
    const char *word;
    size_t size;
    void (*of)(fg_str_t key, fg_str_t data, unsigned char *out);
} macs[] = {
    [FG_OPENID2_HMAC_SHA1] = {"HMAC-SHA1", FG_SHA1_SIZE, fg_hmac_sha1},
    [FG_OPENID2_HMAC_SHA256] = {"HMAC-SHA256", FG_SHA256_SIZE, fg_hmac_sha256},
};
static const char *const sessions[] = {
    [FG_OPENID2_NO_ENCRYPTION] = "no-encryption",
    [FG_OPENID2_DH_SHA1] = "DH-SHA1",
    [FG_OPENID2_DH_SHA256] = "DH-SHA256",
};

/* ---- words */

size_t fg_openid2_mac_size(fg_openid2_mac_t mac) { return macs[mac].size; }
const char *fg_openid2_mac_word(fg_openid2_mac_t mac) { return macs[mac].word; }
const char *fg_openid2_session_word(fg_openid2_session_t session) { return sessions[session]; }

bool fg_openid2_mac_find(fg_str_t word, fg_openid2_mac_t *mac) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(macs); i++)
        if (fg_str_is(word, macs[i].word)) {
            *mac = (fg_openid2_mac_t)i;
            return true;
        }
    return false;
}

bool fg_openid2_session_find(fg_str_t word, bool v2, fg_openid2_session_t *session) {
    *session = FG_OPENID2_NO_ENCRYPTION;
    if (word.n == 0)
        return !v2;
    for (size_t i = 0; i < FG_ARRAY_SIZE(sessions); i++)
        if (fg_str_is(word, sessions[i])) {
            *session = (fg_openid2_session_t)i;
            return true;
        }
    return false;
}

bool fg_openid2_types_fit(fg_openid2_mac_t mac, fg_openid2_session_t session) {
    return session == FG_OPENID2_NO_ENCRYPTION || (session == FG_OPENID2_DH_SHA1) == (mac == FG_OPENID2_HMAC_SHA1);
}

/* ---- handles */

bool fg_openid2_association_make(fg_exchange_t *ex, fg_openid2_mac_t mac, bool is_private, int64_t lifetime_ms,
                                 fg_openid2_association_t *association, fg_err_t *err) {
    size_t size = macs[mac].size;
    fg_buf_t bytes = FG_BUF_INIT(128);
    *association =
        (fg_openid2_association_t){.mac = mac, .is_private = is_private, .expires_ms = ex->now_ms + lifetime_ms};
    if (!ex->env->random(ex->env, association->secret, size))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an association");
    fg_bytes_put_number(&bytes, (uint64_t)mac | (is_private ? 2u : 0u), 1);
    fg_bytes_put_number(&bytes, (uint64_t)association->expires_ms, 8);
    fg_buf_add(&bytes, association->secret, size);
    bool sealed = fg_buf_ok(&bytes) && fg_cookie_seal(ex, PURPOSE, fg_buf_str(&bytes), &association->handle);
    fg_buf_free(&bytes);
    return (sealed && association->handle.n <= HANDLE_MAX) ||
           FG_FAIL(err, FG_E_INTERNAL, "an association could not be sealed");
}

bool fg_openid2_association_open(fg_exchange_t *ex, fg_str_t handle, fg_openid2_association_t *association) {
    fg_str_t bytes;
    *association = (fg_openid2_association_t){.handle = handle};
    if (handle.n == 0 || handle.n > HANDLE_MAX || !fg_cookie_unseal(ex, PURPOSE, handle, &bytes))
        return false;
    fg_bytes_t in = {bytes, false};
    unsigned kind = (unsigned)fg_bytes_get_number(&in, 1);
    association->expires_ms = (int64_t)fg_bytes_get_number(&in, 8);
    association->mac = (fg_openid2_mac_t)(kind & 1);
    association->is_private = (kind & 2) != 0;
    if (in.failed || in.rest.n != macs[association->mac].size || ex->now_ms >= association->expires_ms)
        return false;
    memcpy(association->secret, in.rest.p, in.rest.n);
    return true;
}

/* ---- signatures */

static bool compute(const fg_openid2_message_t *message, const fg_openid2_association_t *association,
                    fg_str_t signed_list, unsigned char *code) {
    fg_buf_t text = FG_BUF_INIT(FG_OPENID2_MESSAGE_MAX);
    bool written = fg_openid2_write_signed(&text, message, signed_list);
    if (written)
        macs[association->mac].of((fg_str_t){(const char *)association->secret, macs[association->mac].size},
                                  fg_buf_str(&text), code);
    fg_buf_free(&text);
    return written;
}

/* mode changes when the answer is brought back (§11.4.2.1), so it is left out, as is what is known without it. */
static bool is_signed(fg_str_t name) {
    static const char *const others[] = {"mode", "ns", "signed", "sig", "invalidate_handle"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        if (fg_str_is(name, others[i]))
            return false;
    return true;
}

bool fg_openid2_sign(fg_exchange_t *ex, fg_openid2_message_t *message, const fg_openid2_association_t *association,
                     fg_err_t *err) {
    unsigned char code[FG_SHA256_SIZE];
    fg_buf_t list = FG_BUF_INIT(FG_OPENID2_FIELDS * NAME_LIMIT), sig = FG_BUF_INIT(64);
    fg_openid2_put(message, "assoc_handle", association->handle);
    for (size_t i = 0; i < message->count; i++) {
        if (!is_signed(message->items[i].name))
            continue;
        if (list.length > 0)
            fg_buf_putc(&list, ',');
        fg_buf_put_str(&list, message->items[i].name);
    }
    bool done = fg_buf_ok(&list) && compute(message, association, fg_buf_str(&list), code);
    if (done)
        fg_base64_encode(&sig, code, macs[association->mac].size);
    fg_str_t names = done ? fg_arena_str(ex->arena, fg_buf_str(&list)) : FG_STR_NONE;
    fg_str_t text = done ? fg_arena_str(ex->arena, fg_buf_str(&sig)) : FG_STR_NONE;
    fg_buf_free(&list);
    fg_buf_free(&sig);
    if (names.p == NULL || text.p == NULL)
        return FG_FAIL(err, FG_E_INTERNAL, "an answer that cannot be signed");
    fg_openid2_put(message, "signed", names);
    fg_openid2_put(message, "sig", text);
    return true;
}

bool fg_openid2_verify(const fg_openid2_message_t *message, const fg_openid2_association_t *association) {
    unsigned char code[FG_SHA256_SIZE];
    fg_buf_t sig = FG_BUF_INIT(64);
    bool good = fg_base64_decode(&sig, fg_openid2_get(message, "sig")) &&
                compute(message, association, fg_openid2_get(message, "signed"), code) &&
                fg_equal_secret(fg_buf_str(&sig), (fg_str_t){(const char *)code, macs[association->mac].size});
    fg_buf_free(&sig);
    return good;
}
