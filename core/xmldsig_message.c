/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signatures of messages (WS-Security 1.1 §8). */
#include "core/xmldsig.h"

bool fg_dsig_message_read(fg_arena_t *arena, xmlNode *signature, const fg_dsig_scope_t *scope,
                          fg_dsig_message_t *message, fg_err_t *err) {
    (void)arena, (void)signature, (void)scope, (void)message;
    return FG_FAIL(err, FG_E_INTERNAL, "signatures of messages are not read yet");
}

bool fg_dsig_message_verify(const fg_dsig_message_t *message, const fg_key_t *key, fg_err_t *err) {
    (void)message, (void)key;
    return FG_FAIL(err, FG_E_INTERNAL, "signatures of messages are not verified yet");
}

bool fg_dsig_message_verify_secret(const fg_dsig_message_t *message, fg_str_t secret, fg_err_t *err) {
    (void)message, (void)secret;
    return FG_FAIL(err, FG_E_INTERNAL, "signatures of messages are not verified yet");
}

bool fg_dsig_sign_parts(const fg_dsig_part_t *parts, size_t count, const fg_dsig_signer_t *signer, fg_buf_t *out,
                        fg_err_t *err) {
    (void)parts, (void)count, (void)signer, (void)out;
    return FG_FAIL(err, FG_E_INTERNAL, "messages are not signed yet");
}
