/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/jwe_parts.h"

#include <openssl/crypto.h>

#include "core/crypto.h"
#include "core/json.h"
#include "token/jws.h"

#define PARTS 5u
#define HEADER_MAX 2048u
#define PARTY_MAX 512u /* bytes of apu and apv */

enum { HEADER, KEY, IV, CIPHER, TAG };

/* ---- pieces */

static bool split(fg_str_t token, fg_str_t parts[PARTS]) {
    for (size_t i = 0; i < PARTS; i++) {
        const char *dot = token.n > 0 ? memchr(token.p, '.', token.n) : NULL;
        if ((dot == NULL) != (i == TAG))
            return false;
        parts[i] = (fg_str_t){token.p, dot != NULL ? (size_t)(dot - token.p) : token.n};
        size_t taken = dot != NULL ? parts[i].n + 1 : parts[i].n;
        token = (fg_str_t){token.p + taken, token.n - taken};
    }
    return true;
}

bool fg_jwe_is(fg_str_t token) {
    fg_str_t parts[PARTS];
    return split(token, parts);
}

static bool decode_all(fg_arena_t *arena, fg_str_t parts[PARTS], fg_str_t plain[PARTS]) {
    for (size_t i = 0; i < PARTS; i++) {
        plain[i] = parts[i].n > 0 ? fg_jws_decode(arena, parts[i]) : FG_STR("");
        if (plain[i].p == NULL)
            return false;
    }
    return true;
}

/* ---- the header */

typedef struct reading {
    fg_arena_t *arena;
    fg_str_t kid; /* .p NULL: none */
    fg_jwe_scheme_t scheme;
} reading_t;

/* A base64url text, or absent. */
static bool read_party(const reading_t *in, const json_t *header, const char *name, fg_str_t *bytes) {
    fg_str_t text = fg_json_string(header, name);
    *bytes = FG_STR("");
    if (json_object_get(header, name) == NULL || (text.p != NULL && text.n == 0))
        return true;
    *bytes = text.p != NULL ? fg_jws_decode(in->arena, text) : FG_STR_NONE;
    return bytes->p != NULL && bytes->n <= PARTY_MAX;
}

static void release_key(void *key) { fg_key_unref(key); }

/* The sender's key: a point that is none of its curve is refused when the key is made. */
static bool read_ephemeral(reading_t *in, const json_t *header, fg_err_t *err) {
    const json_t *epk = json_object_get(header, "epk");
    fg_str_t x = fg_json_string(epk, "x"), y = fg_json_string(epk, "y");
    if (!fg_str_is(fg_json_string(epk, "kty"), "EC") || x.n == 0 || y.n == 0)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWE header without an EC key as epk");
    x = fg_jws_decode(in->arena, x);
    y = fg_jws_decode(in->arena, y);
    fg_key_t *key = x.p != NULL && y.p != NULL ? fg_key_from_point(fg_json_string(epk, "crv"), x, y, NULL) : NULL;
    if (key == NULL || !fg_arena_own(in->arena, release_key, key))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWE header whose epk is no key");
    in->scheme.ephemeral = key;
    return read_party(in, header, "apu", &in->scheme.apu) && read_party(in, header, "apv", &in->scheme.apv)
               ? true
               : FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWE header whose apu or apv is no base64url");
}

static bool read_header(reading_t *in, fg_str_t text, fg_err_t *err) {
    const json_t *header = fg_jws_object(in->arena, text, "JWE header", err);
    if (header == NULL)
        return false;
    if (json_object_get(header, "crit") != NULL || json_object_get(header, "zip") != NULL) /* JW-05, JW-09 */
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWE header with crit or zip");
    fg_str_t alg = fg_json_string(header, "alg"), enc = fg_json_string(header, "enc");
    if (!fg_jwe_alg_from_name(alg, &in->scheme.alg) || !fg_jwe_enc_from_name(enc, &in->scheme.enc))
        return FG_FAIL_FOR(err, FG_E_SIG_ALGORITHM, FG_R_ENCRYPTION_WEAK_ALGORITHM, "JWE algorithms '%.*s', '%.*s'", FG_STR_ARG(alg), FG_STR_ARG(enc));
    in->kid = fg_json_string(header, "kid");
    if (in->kid.p == NULL && json_object_get(header, "kid") != NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "JWE header whose kid is no string");
    return !fg_jwe_alg_agrees(in->scheme.alg) || read_ephemeral(in, header, err);
}

/* ---- opening */

static bool names(const reading_t *in, const fg_key_t *const *keys, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (in->kid.n > 0 && fg_str_is(in->kid, fg_key_get_id(keys[i])))
            return true;
    return false;
}

/* Where the key cannot be had a fixed one takes its place, and what that opens does not count: that it was the key is
 * not to be seen (RFC 7516 §11.5). */
static bool open_with(const reading_t *in, const fg_key_t *key, const fg_str_t plain[PARTS], fg_str_t aad,
                      fg_buf_t *out) {
    unsigned char cek[FG_CEK_MAX] = {0};
    size_t size = fg_jwe_enc_key_size(in->scheme.enc);
    bool found = fg_jwe_key_open(&in->scheme, key, plain[KEY], cek);
    bool done = fg_jwe_content_decrypt(in->scheme.enc, (fg_str_t){(const char *)cek, size}, plain[IV], aad,
                                       plain[CIPHER], plain[TAG], out);
    OPENSSL_cleanse(cek, sizeof cek);
    return found && done;
}

static bool open_any(const reading_t *in, const fg_key_t *const *keys, size_t count, const fg_str_t plain[PARTS],
                     fg_str_t aad, fg_buf_t *out) {
    bool named = names(in, keys, count);
    unsigned tries = 0;
    for (size_t i = 0; i < count && tries < FG_JWE_KEYS; i++) {
        if (!fg_key_is_private(keys[i]) || !fg_jwe_alg_fits(in->scheme.alg, keys[i]) ||
            (named && !fg_str_is(in->kid, fg_key_get_id(keys[i]))))
            continue;
        tries++;
        if (open_with(in, keys[i], plain, aad, out))
            return true;
    }
    return false;
}

bool fg_jwe_open(fg_arena_t *arena, fg_str_t token, const fg_key_t *const *keys, size_t count, fg_str_t *plain,
                 fg_err_t *err) {
    fg_str_t parts[PARTS], bytes[PARTS];
    reading_t in = {.arena = arena};
    *plain = FG_STR_NONE;
    if (token.n > 2 * FG_JWT_MAX || !split(token, parts) || !decode_all(arena, parts, bytes))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no compact JWE of at most %u bytes", 2 * FG_JWT_MAX);
    if (!read_header(&in, bytes[HEADER], err))
        return false;
    fg_buf_t out = FG_BUF_INIT(FG_JWT_MAX + 16);
    bool opened = open_any(&in, keys, count, bytes, parts[HEADER], &out);
    if (opened)
        *plain = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return plain->p != NULL || FG_FAIL(err, opened ? FG_E_MEMORY : FG_E_DECRYPT, "it cannot be decrypted");
}

bool fg_jwe_unwrap(fg_arena_t *arena, fg_str_t token, const fg_key_t *const *keys, size_t count, fg_str_t *inner,
                   fg_err_t *err) {
    *inner = token;
    return !fg_jwe_is(token) || fg_jwe_open(arena, token, keys, count, inner, err);
}

/* ---- writing */

static void put_coordinate(fg_buf_t *json, const char *name, const fg_buf_t *bytes) {
    fg_buf_printf(json, ",\"%s\":\"", name);
    fg_base64url_encode(json, bytes->data, bytes->length);
    fg_buf_putc(json, '"');
}

static bool put_ephemeral(const fg_key_t *key, fg_buf_t *json) {
    const char *curve;
    fg_buf_t x = FG_BUF_INIT(128), y = FG_BUF_INIT(128);
    bool done = fg_key_get_numbers(key, &x, &y, &curve) && curve != NULL;
    if (done) {
        fg_buf_printf(json, ",\"epk\":{\"kty\":\"EC\",\"crv\":\"%s\"", curve);
        put_coordinate(json, "x", &x);
        put_coordinate(json, "y", &y);
        fg_buf_putc(json, '}');
    }
    fg_buf_free(&x);
    fg_buf_free(&y);
    return done;
}

static bool put_header(const fg_jwe_t *jwe, const fg_jwe_scheme_t *scheme, fg_buf_t *out) {
    fg_buf_t json = FG_BUF_INIT(HEADER_MAX);
    fg_buf_printf(&json, "{\"alg\":\"%s\",\"enc\":\"%s\"", fg_jwe_alg_name(jwe->alg), fg_jwe_enc_name(jwe->enc));
    if (jwe->content_type != NULL)
        fg_buf_printf(&json, ",\"cty\":\"%s\"", jwe->content_type);
    if (jwe->kid.n > 0) {
        fg_buf_puts(&json, ",\"kid\":");
        fg_json_quote(&json, jwe->kid);
    }
    bool done = scheme->ephemeral == NULL || put_ephemeral(scheme->ephemeral, &json);
    fg_buf_putc(&json, '}');
    done = done && fg_buf_ok(&json);
    if (done)
        fg_base64url_encode(out, json.data, json.length);
    fg_buf_free(&json);
    return done;
}

static void put_part(fg_buf_t *out, const void *bytes, size_t length) {
    fg_buf_putc(out, '.');
    fg_base64url_encode(out, bytes, length);
}

/* What follows the header. */
static bool put_rest(const fg_env_t *env, fg_str_t plain, const fg_jwe_t *jwe, const fg_jwe_scheme_t *scheme,
                     size_t begin, fg_buf_t *out) {
    unsigned char cek[FG_CEK_MAX], iv[16], tag[FG_JWE_TAG_MAX];
    size_t iv_size = fg_jwe_enc_iv_size(jwe->enc), tag_size;
    fg_buf_t encrypted = FG_BUF_INIT(1024), cipher = FG_BUF_INIT(FG_JWT_MAX + 32);
    const fg_str_t aad = {out->data + begin, out->length - begin};
    bool done = fg_jwe_key_make(env, scheme, jwe->recipient, cek, &encrypted) && env->random(env, iv, iv_size) &&
                fg_jwe_content_encrypt(jwe->enc, (fg_str_t){(const char *)cek, fg_jwe_enc_key_size(jwe->enc)},
                                       (fg_str_t){(const char *)iv, iv_size}, aad, plain, &cipher, tag, &tag_size);
    if (done) {
        put_part(out, encrypted.data, encrypted.length);
        put_part(out, iv, iv_size);
        put_part(out, cipher.data, cipher.length);
        put_part(out, tag, tag_size);
    }
    OPENSSL_cleanse(cek, sizeof cek);
    fg_buf_free(&encrypted);
    fg_buf_free(&cipher);
    return done;
}

bool fg_jwe_write(const fg_env_t *env, fg_str_t plain, const fg_jwe_t *jwe, fg_buf_t *out, fg_err_t *err) {
    fg_jwe_scheme_t scheme = {.alg = jwe->alg, .enc = jwe->enc, .apu = FG_STR(""), .apv = FG_STR("")};
    size_t begin = out->length;
    if (!fg_jwe_alg_fits(jwe->alg, jwe->recipient))
        return FG_FAIL(err, FG_E_CONFIG, "%s does not go with the key", fg_jwe_alg_name(jwe->alg));
    fg_key_t *ephemeral = fg_jwe_alg_agrees(jwe->alg) ? fg_key_generate_ephemeral(jwe->recipient, err) : NULL;
    if (fg_jwe_alg_agrees(jwe->alg) && ephemeral == NULL)
        return false;
    scheme.ephemeral = ephemeral;
    bool done = put_header(jwe, &scheme, out) && put_rest(env, plain, jwe, &scheme, begin, out) && fg_buf_ok(out);
    fg_key_unref(ephemeral);
    return done || FG_FAIL(err, FG_E_INTERNAL, "a token could not be encrypted");
}
