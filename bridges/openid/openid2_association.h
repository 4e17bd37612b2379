/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Associations (OpenID Authentication 2.0 §8) and signatures under them (§6). */
#ifndef FG_OPENID_OPENID2_ASSOCIATION_H
#define FG_OPENID_OPENID2_ASSOCIATION_H

#include "bridges/openid/openid2_message.h"
#include "core/crypto.h"

typedef enum fg_openid2_mac { FG_OPENID2_HMAC_SHA1, FG_OPENID2_HMAC_SHA256 } fg_openid2_mac_t;
typedef enum fg_openid2_session {
    FG_OPENID2_NO_ENCRYPTION,
    FG_OPENID2_DH_SHA1,
    FG_OPENID2_DH_SHA256
} fg_openid2_session_t;

typedef struct fg_openid2_association {
    fg_openid2_mac_t mac;
    unsigned char secret[FG_SHA256_SIZE]; /* as many bytes of it as the hash has */
    int64_t expires_ms;
    bool is_private; /* of one answer, known to the provider alone (§11.4.2.1) */
    fg_str_t handle;
} fg_openid2_association_t;

size_t fg_openid2_mac_size(fg_openid2_mac_t mac);
const char *fg_openid2_mac_word(fg_openid2_mac_t mac);
const char *fg_openid2_session_word(fg_openid2_session_t session);
bool fg_openid2_mac_find(fg_str_t word, fg_openid2_mac_t *mac);
/* "" is OpenID 1.1's word for none. */
bool fg_openid2_session_find(fg_str_t word, bool v2, fg_openid2_session_t *session);
/* A session's hash is as long as what it hides (§8.4). */
bool fg_openid2_types_fit(fg_openid2_mac_t mac, fg_openid2_session_t session);

/* ---- the provider's: the handle is the association, sealed, so that every node knows it and none keeps it */

bool fg_openid2_association_make(fg_exchange_t *ex, fg_openid2_mac_t mac, bool is_private, int64_t lifetime_ms,
                                 fg_openid2_association_t *association, fg_err_t *err) FG_MUST_CHECK;
/* False: not one of ours, or over. */
bool fg_openid2_association_open(fg_exchange_t *ex, fg_str_t handle,
                                 fg_openid2_association_t *association) FG_MUST_CHECK;

/* ---- signatures */

/* Sets assoc_handle, signed (all the rest) and sig. */
bool fg_openid2_sign(fg_exchange_t *ex, fg_openid2_message_t *message, const fg_openid2_association_t *association,
                     fg_err_t *err) FG_MUST_CHECK;
/* sig over the fields that signed lists. */
bool fg_openid2_verify(const fg_openid2_message_t *message, const fg_openid2_association_t *association) FG_MUST_CHECK;

/* ---- Diffie-Hellman (§4.2, §8.1.2, §8.4.2); numbers in base64 of their shortest big-endian two's complement */

typedef struct fg_openid2_dh fg_openid2_dh_t;
/* modulus and generator: in base64, .n 0: the specification's (appendix B).  FG_E_OPENID2_REQUEST: a modulus that is
 * too short or too long, or a generator that is none (O2-07).  Belongs to the arena. */
fg_openid2_dh_t *fg_openid2_dh_new(fg_exchange_t *ex, fg_str_t modulus, fg_str_t generator,
                                   fg_err_t *err) FG_MUST_CHECK;
fg_str_t fg_openid2_dh_public(const fg_openid2_dh_t *dh);
/* H(btwoc(shared)) XOR in, of the session's hash: hides a secret or finds it again.  False: 0, 1, p-1 or beyond
 * (O2-07). */
bool fg_openid2_dh_xor(const fg_openid2_dh_t *dh, fg_openid2_session_t session, fg_str_t other, const unsigned char *in,
                       unsigned char *out, size_t size) FG_MUST_CHECK;

#endif
