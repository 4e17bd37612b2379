/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/jws.h"

#include "core/crypto.h"
#include "core/json.h"

#define TRIES_MAX 8u /* verifications for one token */

enum { HEADER, PAYLOAD, SIGNATURE };

/* ---- pieces */

bool fg_jws_split(fg_str_t token, fg_str_t parts[3]) {
    for (size_t i = 0; i < 3; i++) {
        const char *dot = token.n > 0 ? memchr(token.p, '.', token.n) : NULL;
        if ((dot == NULL) != (i == SIGNATURE))
            return false;
        parts[i] = (fg_str_t){token.p, dot != NULL ? (size_t)(dot - token.p) : token.n};
        token.p += dot != NULL ? parts[i].n + 1 : 0;
        token.n -= dot != NULL ? parts[i].n + 1 : 0;
    }
    return true;
}

fg_str_t fg_jws_decode(fg_arena_t *arena, fg_str_t text) {
    fg_buf_t bytes = FG_BUF_INIT(FG_JWT_MAX);
    fg_str_t copy = fg_base64url_decode(&bytes, text) ? fg_arena_str(arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return copy;
}

static void release_json(void *json) { json_decref(json); }

json_t *fg_jws_object(fg_arena_t *arena, fg_str_t text, const char *what, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    json_t *json = fg_json_parse(text, &why);
    if (json == NULL || !json_is_object(json)) {
        FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "%s: %s", what, json ? "no object" : why.detail);
        json_decref(json);
        return NULL;
    }
    if (fg_arena_own(arena, release_json, json))
        return json;
    FG_FAIL(err, FG_E_MEMORY, "no memory for a token");
    return NULL;
}

/* ---- the header */

/* crit lists what must be understood, and nothing of that kind is (JW-05); an unencoded payload has no place in a token
 * (RFC 7797 §7). */
static bool read_header(const json_t *header, fg_jws_alg_t *alg, fg_str_t *kid, fg_err_t *err) {
    const json_t *b64 = json_object_get(header, "b64");
    if (json_object_get(header, "crit") != NULL || (b64 != NULL && !json_is_true(b64)))
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_CRIT, "JWS header with crit or b64");
    fg_str_t name = fg_json_string(header, "alg");
    if (!fg_jws_alg_from_name(name, alg)) /* JW-01, JW-02 */
        return FG_FAIL_FOR(err, FG_E_SIG_ALGORITHM,
                           fg_str_eq_nocase(name, FG_STR("none")) ? FG_R_JWT_ALG_NONE : FG_R_JWT_ALG_MISMATCH,
                           "JWS algorithm '%.*s'", FG_STR_ARG(name));
    *kid = fg_json_string(header, "kid");
    return kid->p != NULL || json_object_get(header, "kid") == NULL ||
           FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "JWS header whose kid is no string");
}

/* ---- the signature */

static bool is_candidate(const fg_jwk_t *jwk, fg_jws_alg_t alg, fg_str_t kid) {
    fg_jws_alg_t own;
    if (jwk->kid.n > 0 && kid.p != NULL && !fg_str_eq(jwk->kid, kid))
        return false;
    if (jwk->alg.n > 0 && !(fg_jws_alg_from_name(jwk->alg, &own) && own == alg))
        return false;
    return fg_key_fits(jwk->key, alg);
}

/* The key that is meant may be there, but for another algorithm. */
static bool refuse_keys(const fg_jwk_set_t *keys, fg_str_t kid, fg_err_t *err) {
    fg_reason_t reason = FG_R_SIGNATURE_UNKNOWN_KEY;
    for (size_t i = 0; i < keys->count; i++)
        if (kid.p == NULL || keys->items[i].kid.n == 0 || fg_str_eq(keys->items[i].kid, kid))
            reason = FG_R_JWT_ALG_MISMATCH;
    return FG_FAIL_FOR(err, FG_E_SIG_KEY, reason, "none of %zu keys is for the token", keys->count);
}

static bool verify(const fg_jwk_set_t *keys, fg_jws_alg_t alg, fg_str_t kid, fg_str_t data, fg_str_t signature,
                   fg_jws_t *jws, fg_err_t *err) {
    unsigned tries = 0;
    for (size_t i = 0; i < keys->count && tries < TRIES_MAX; i++) {
        const fg_jwk_t *jwk = &keys->items[i];
        if (!is_candidate(jwk, alg, kid))
            continue;
        tries++;
        if (fg_key_verify(jwk->key, alg, data, signature, err)) {
            jws->key = jwk->key;
            jws->alg = alg;
            return true;
        }
    }
    return tries > 0 ? false : refuse_keys(keys, kid, err);
}

bool fg_jws_verify(fg_arena_t *arena, fg_str_t token, const fg_jwk_set_t *keys, fg_jws_t *jws, fg_err_t *err) {
    fg_str_t parts[3], kid = FG_STR_NONE;
    fg_jws_alg_t alg;
    memset(jws, 0, sizeof *jws);
    if (token.n > FG_JWT_MAX || !fg_jws_split(token, parts))
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "no compact JWS of at most %u bytes",
                           FG_JWT_MAX);
    fg_str_t header = fg_jws_decode(arena, parts[HEADER]), signature = fg_jws_decode(arena, parts[SIGNATURE]);
    jws->payload = fg_jws_decode(arena, parts[PAYLOAD]);
    if (header.p == NULL || jws->payload.p == NULL || signature.p == NULL)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED,
                           "JWS with a part that is no base64url"); /* JW-08 */
    jws->header = fg_jws_object(arena, header, "JWS header", err);
    if (jws->header == NULL || !read_header(jws->header, &alg, &kid, err))
        return false;
    fg_str_t data = {token.p, parts[HEADER].n + 1 + parts[PAYLOAD].n};
    return verify(keys, alg, kid, data, signature, jws, err);
}
