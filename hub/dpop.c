/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Demonstrating proof of possession (RFC 9449).  The one place where the key of a signature comes with the message: it
 * says who holds the key and nothing about who that is. */
#include "core/time.h"
#include "hub/bound.h"
#include "token/jws.h"
#include "token/replay.h"

#define PROOF_MAX 8192u
#define ID_MAX 256u
#define NONCE_LIFE (5 * FG_MINUTE) /* one is given out for so long, and taken for as long again */
#define NONCE_MAC 16u
#define NONCE_BYTES (8u + NONCE_MAC)

typedef struct proof {
    fg_exchange_t *ex;
    fg_str_t url, access_token;
    const json_t *payload;
    fg_dpop_t *out;
} proof_t;

/* ---- nonces: the time and a MAC over it, so that nothing has to be kept */

static void nonce_bytes(const fg_sealing_key_t *key, uint64_t period, unsigned char out[NONCE_BYTES]) {
    unsigned char mac[FG_SHA256_SIZE];
    char text[40];
    int length = snprintf(text, sizeof text, "dpop-nonce|%llu", (unsigned long long)period);
    fg_hmac_sha256((fg_str_t){(const char *)key->key, sizeof key->key}, (fg_str_t){text, (size_t)length}, mac);
    for (unsigned i = 0; i < 8; i++)
        out[i] = (unsigned char)(period >> 8 * i);
    memcpy(out + 8, mac, NONCE_MAC);
}

static bool is_nonce(const fg_exchange_t *ex, fg_str_t text) {
    unsigned char expected[NONCE_BYTES];
    char room[NONCE_BYTES + 1];
    fg_buf_t given;
    fg_buf_init_in(&given, room, sizeof room);
    uint64_t now = (uint64_t)(ex->now_ms / NONCE_LIFE);
    if (text.n == 0 || !fg_base64url_decode(&given, text) || !fg_buf_ok(&given))
        return false;
    for (unsigned i = 0; i < 2 * ex->keys->sealing_count; i++) {
        nonce_bytes(&ex->keys->sealing[i / 2], now - i % 2, expected);
        if (fg_equal_secret(fg_buf_str(&given), (fg_str_t){(const char *)expected, NONCE_BYTES}))
            return true;
    }
    return false;
}

static void give_nonce(fg_exchange_t *ex) {
    unsigned char bytes[NONCE_BYTES];
    fg_buf_t text = FG_BUF_INIT(64);
    nonce_bytes(&ex->keys->sealing[0], (uint64_t)(ex->now_ms / NONCE_LIFE), bytes);
    fg_base64url_encode(&text, bytes, sizeof bytes);
    fg_response_header(ex, "DPoP-Nonce", fg_buf_str(&text));
    fg_buf_free(&text);
}

/* ---- the key in the header */

/* RFC 9449 §4.3, 7: nobody sends a private one, and a secret one proves nothing. */
static bool has_secrets(const json_t *jwk) {
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++)
        if (json_object_get(jwk, members[i]) != NULL)
            return true;
    return false;
}

static bool read_key(fg_exchange_t *ex, const json_t *jwk, fg_jwk_set_t *set, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    char *text = json_is_object(jwk) && !has_secrets(jwk) ? json_dumps(jwk, JSON_COMPACT) : NULL;
    const char *keys = text != NULL ? fg_arena_printf(ex->arena, "{\"keys\":[%s]}", text) : NULL;
    free(text);
    if (keys == NULL)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "jwk is no public key");
    if (!fg_jwk_set_read(ex->arena, fg_str(keys), set, &why) || set->count != 1)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "jwk: %s", why.code ? why.detail : "no key of a kind that is known here");
    return true;
}

/* RFC 7638 §3.2: the members that make the key, in the order of their names. */
static bool make_thumbprint(fg_exchange_t *ex, const json_t *jwk, fg_str_t *thumbprint, fg_err_t *err) {
    static const char *const ordered[] = {"crv", "e", "kty", "n", "x", "y"};
    unsigned char digest[FG_SHA256_SIZE];
    fg_buf_t json = FG_BUF_INIT(PROOF_MAX);
    for (size_t i = 0; i < FG_ARRAY_SIZE(ordered); i++) {
        fg_str_t value = fg_json_string(jwk, ordered[i]);
        if (value.p == NULL)
            continue;
        fg_buf_printf(&json, "%s\"%s\":", json.length == 0 ? "{" : ",", ordered[i]);
        fg_json_quote(&json, value);
    }
    fg_buf_putc(&json, '}');
    fg_sha256(json.data, json.length, digest);
    bool ok = fg_buf_ok(&json);
    fg_buf_reset(&json);
    fg_base64url_encode(&json, digest, sizeof digest);
    *thumbprint = ok ? fg_arena_str(ex->arena, fg_buf_str(&json)) : FG_STR_NONE;
    fg_buf_free(&json);
    return thumbprint->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a thumbprint");
}

static bool verify(proof_t *proof, fg_str_t text, fg_err_t *err) {
    fg_exchange_t *ex = proof->ex;
    fg_str_t parts[3], plain = FG_STR_NONE;
    fg_err_t why = FG_ERR_INIT;
    fg_jwk_set_t set;
    fg_jws_t jws;
    if (text.n <= PROOF_MAX && fg_jws_split(text, parts))
        plain = fg_jws_decode(ex->arena, parts[0]);
    const json_t *header = plain.p != NULL ? fg_jws_object(ex->arena, plain, "header", &why) : NULL;
    if (header == NULL)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "no JWT of at most %u bytes: %s", PROOF_MAX, why.detail);
    if (!fg_str_is(fg_json_string(header, "typ"), "dpop+jwt"))
        return FG_FAIL(err, FG_E_OPENID_DPOP, "typ is not dpop+jwt");
    const json_t *jwk = json_object_get(header, "jwk");
    if (!read_key(ex, jwk, &set, err) || !make_thumbprint(ex, jwk, &proof->out->jkt, err))
        return false;
    if (!fg_jws_verify(ex->arena, text, &set, &jws, &why))
        return FG_FAIL(err, FG_E_OPENID_DPOP, "%s", why.detail);
    proof->payload = fg_jws_object(ex->arena, jws.payload, "payload", &why);
    return proof->payload != NULL || FG_FAIL(err, FG_E_OPENID_DPOP, "%s", why.detail);
}

/* ---- what it says */

/* Scheme and host in any case and without the default port, the rest byte by byte (RFC 9449 §4.3, 9). */
static bool is_same_url(fg_str_t a, fg_str_t b) {
    fg_buf_t one = FG_BUF_INIT(1024), two = FG_BUF_INIT(1024);
    fg_uri_t first, second;
    bool same = fg_uri_parse(a, &first) && fg_uri_parse(b, &second) && fg_uri_origin(a, &one) &&
                fg_uri_origin(b, &two) && fg_str_eq(fg_buf_str(&one), fg_buf_str(&two)) &&
                fg_str_eq(first.path, second.path);
    fg_buf_free(&one);
    fg_buf_free(&two);
    return same;
}

static fg_str_t method_of(const fg_exchange_t *ex) {
    if (ex->request.method_name.n > 0)
        return ex->request.method_name;
    return ex->request.method == FG_METHOD_POST ? FG_STR("POST") : FG_STR("GET");
}

static bool check_request(const proof_t *proof, fg_err_t *err) {
    fg_str_t method = fg_json_string(proof->payload, "htm"), url = fg_json_string(proof->payload, "htu");
    if (!fg_str_eq(method, method_of(proof->ex)))
        return FG_FAIL(err, FG_E_OPENID_DPOP, "htm \"%.*s\"", FG_STR_ARG(method));
    return is_same_url(url, proof->url) || FG_FAIL(err, FG_E_OPENID_DPOP, "htu \"%.*s\"", FG_STR_ARG(url));
}

static bool check_time(const proof_t *proof, fg_err_t *err) {
    const json_t *value = json_object_get(proof->payload, "iat");
    double made = json_is_number(value) ? json_number_value(value) * (double)FG_SECOND : -1;
    double now = (double)proof->ex->now_ms, skew = (double)proof->ex->hub->skew_ms;
    if (!(made > now - skew - (double)(2 * NONCE_LIFE) && made < now + skew))
        return FG_FAIL(err, FG_E_OPENID_DPOP, "iat is missing, too old or still to come");
    fg_str_t id = proof->out->id = fg_json_string(proof->payload, "jti");
    return (id.n > 0 && id.n <= ID_MAX) || FG_FAIL(err, FG_E_OPENID_DPOP, "jti of %zu bytes", id.n);
}

static bool check_token(const proof_t *proof, fg_err_t *err) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_str_t hash = fg_json_string(proof->payload, "ath");
    if (proof->access_token.n == 0)
        return true;
    fg_buf_t text = FG_BUF_INIT(64);
    fg_sha256(proof->access_token.p, proof->access_token.n, digest);
    fg_base64url_encode(&text, digest, sizeof digest);
    bool same = fg_str_eq(hash, fg_buf_str(&text));
    fg_buf_free(&text);
    return same || FG_FAIL(err, FG_E_OPENID_DPOP, "ath is not the access token's");
}

bool fg_dpop_read(fg_exchange_t *ex, fg_str_t url, fg_str_t access_token, fg_dpop_t *dpop, fg_err_t *err) {
    size_t times;
    fg_str_t text = fg_request_header(&ex->request, "dpop", &times);
    proof_t proof = {.ex = ex, .url = url, .access_token = access_token, .out = dpop};
    *dpop = (fg_dpop_t){.jkt = FG_STR_NONE};
    if (times == 0)
        return true;
    give_nonce(ex);
    if (times > 1)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "DPoP given %zu times", times);
    if (!verify(&proof, text, err) || !check_request(&proof, err) || !check_time(&proof, err) ||
        !check_token(&proof, err))
        return false;
    return is_nonce(ex, fg_json_string(proof.payload, "nonce")) ||
           FG_FAIL(err, FG_E_OPENID_DPOP_NONCE, "nonce is missing or not a new one of ours");
}

bool fg_dpop_spend(fg_exchange_t *ex, const fg_dpop_t *dpop, fg_err_t *err) {
    int64_t until = ex->now_ms + 3 * NONCE_LIFE + 2 * ex->hub->skew_ms;
    return dpop->jkt.n == 0 || fg_replay_check(ex->env, "dpop", dpop->jkt, dpop->id, until, FG_E_OPENID_DPOP, err);
}
