/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/crypto.h"
#include "core/json.h"
#include "token/jwt.h"

#define NUMBER_MAX 2048u

static void put_base64url(fg_buf_t *out, const char *name, const void *bytes, size_t length) {
    fg_buf_printf(out, ",\"%s\":\"", name);
    fg_base64url_encode(out, bytes, length);
    fg_buf_putc(out, '"');
}

/* RFC 7517 §4.7, §4.8 */
static void put_certificate(const fg_key_t *key, fg_buf_t *out) {
    fg_str_t base64 = fg_key_get_certificate_base64(key);
    unsigned char digest[20];
    fg_buf_t der = FG_BUF_INIT(64u << 10);
    if (base64.n > 0 && fg_base64_decode(&der, base64)) {
        fg_sha1(der.data, der.length, digest);
        put_base64url(out, "x5t", digest, sizeof digest);
        fg_buf_printf(out, ",\"x5c\":[\"%.*s\"]", (int)base64.n, base64.p);
    }
    fg_buf_free(&der);
}

static bool write_for(const fg_key_t *key, const char *use, const char *alg, fg_buf_t *out, fg_err_t *err) {
    const char *curve;
    fg_buf_t first = FG_BUF_INIT(NUMBER_MAX), second = FG_BUF_INIT(NUMBER_MAX);
    bool done = fg_key_get_numbers(key, &first, &second, &curve);
    if (done) {
        fg_buf_printf(out, "{\"kty\":\"%s\",\"use\":\"%s\",\"alg\":\"%s\",\"kid\":", curve ? "EC" : "RSA", use, alg);
        fg_json_quote(out, fg_str(fg_key_get_id(key)));
        if (curve != NULL)
            fg_buf_printf(out, ",\"crv\":\"%s\"", curve);
        put_base64url(out, curve ? "x" : "n", first.data, first.length);
        put_base64url(out, curve ? "y" : "e", second.data, second.length);
        put_certificate(key, out);
        fg_buf_putc(out, '}');
    }
    fg_buf_free(&first);
    fg_buf_free(&second);
    return (done && fg_buf_ok(out)) || FG_FAIL(err, FG_E_INTERNAL, "a key that cannot be written as a JSON Web Key");
}

bool fg_jwk_write(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    return write_for(key, "sig", fg_key_get_jws_alg(key), out, err);
}

bool fg_jwk_write_encryption(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    return write_for(key, "enc", fg_key_is_ec(key) ? "ECDH-ES" : "RSA-OAEP-256", out, err);
}
