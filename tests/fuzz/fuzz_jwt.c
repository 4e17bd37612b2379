/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A token from a stranger.  Besides memory errors it looks for a token that is accepted: none can be, the key is made
 * afresh. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/json.h"
#include "token/jws.h"

static int64_t now(const fg_env_t *env) {
    (void)env;
    return INT64_C(1767225600000);
}

static fg_jwk_t keys[2];

static void start(void) {
    fg_err_t err = FG_ERR_INIT;
    fg_json_start();
    if (!fg_crypto_start())
        abort();
    keys[0].key = fg_key_generate(FG_KEY_EC_P256, "fuzz", 0, 1, &err);
    keys[1].key = fg_key_generate(FG_KEY_RSA_2048, "fuzz", 0, 1, &err);
    if (keys[0].key == NULL || keys[1].key == NULL)
        abort();
}

/* The payload by way of a signature of our own, which leads behind the signature. */
static void read_signed(const fg_env_t *env, fg_arena_t *arena, fg_str_t payload, const fg_jwt_trust_t *trust) {
    static const char header[] = "{\"alg\":\"ES256\"}";
    fg_buf_t token = FG_BUF_INIT(1u << 20), signature = FG_BUF_INIT(1024);
    fg_jwt_read_t result;
    fg_err_t err = FG_ERR_INIT;
    fg_base64url_encode(&token, header, sizeof header - 1);
    fg_buf_putc(&token, '.');
    fg_base64url_encode(&token, payload.p, payload.n);
    if (!fg_key_sign(keys[0].key, fg_buf_str(&token), &signature, &err))
        abort();
    fg_buf_putc(&token, '.');
    fg_base64url_encode(&token, signature.data, signature.length);
    if (fg_jwt_read(env, arena, fg_buf_str(&token), trust, &result, &err) && result.not_on_or_after_ms <= fg_now(env))
        abort();
    fg_buf_free(&token);
    fg_buf_free(&signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (keys[0].key == NULL)
        start();
    const fg_env_t env = {.now_ms = now};
    const fg_jwk_set_t set = {keys, 2};
    const fg_str_t audience = FG_STR("urn:rp"), text = {(const char *)data, size};
    const fg_jwt_trust_t trust = {.issuer = FG_STR("https://idp.example.test"), .keys = &set, .audiences = &audience, .audience_count = 1};
    fg_jwt_read_t result;
    fg_err_t err = FG_ERR_INIT;
    fg_str_t parts[3];
    fg_arena_t *arena = fg_arena_new(0);
    fg_jwt_peek_issuer(arena, text);
    if (fg_jwt_read(&env, arena, text, &trust, &result, &err))
        abort();
    read_signed(&env, arena, text, &trust);
    if (fg_jws_split(text, parts)) {
        fg_str_t payload = fg_jws_decode(arena, parts[1]);
        if (payload.p != NULL)
            read_signed(&env, arena, payload, &trust);
    }
    fg_arena_free(arena);
    return 0;
}
