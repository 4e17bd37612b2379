/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * HS256 (RFC 7518 §3.2), where a caller has a secret that was made for it: with a set of public keys no token can ask
 * for this (JW-02). */
#include "core/crypto.h"
#include "token/jws.h"

bool fg_jws_verify_secret(fg_arena_t *arena, fg_str_t token, const fg_str_t *secrets, size_t count, fg_jws_t *jws,
                          fg_err_t *err) {
    fg_str_t parts[3];
    unsigned char mac[FG_SHA256_SIZE];
    bool good = false;
    memset(jws, 0, sizeof *jws);
    if (token.n > FG_JWT_MAX || !fg_jws_split(token, parts))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no compact JWS of at most %u bytes", FG_JWT_MAX);
    fg_str_t header = fg_jws_decode(arena, parts[0]), signature = fg_jws_decode(arena, parts[2]);
    jws->payload = fg_jws_decode(arena, parts[1]);
    if (header.p == NULL || jws->payload.p == NULL || signature.p == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWS with a part that is no base64url");
    jws->header = fg_jws_object(arena, header, "JWS header", err);
    if (jws->header == NULL)
        return false;
    if (json_object_get(jws->header, "crit") != NULL || json_object_get(jws->header, "b64") != NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWS header with crit or b64");
    if (!fg_str_is(fg_json_string(jws->header, "alg"), "HS256"))
        return FG_FAIL(err, FG_E_SIG_ALGORITHM, "JWS whose algorithm is not HS256");
    for (size_t i = 0; i < count; i++) {
        if (secrets[i].n == 0)
            continue;
        fg_hmac_sha256(secrets[i], (fg_str_t){token.p, parts[0].n + 1 + parts[1].n}, mac);
        good |= fg_equal_secret(signature, (fg_str_t){(const char *)mac, sizeof mac});
    }
    return good || FG_FAIL(err, FG_E_SIG_INVALID, "JWS made with another secret");
}
