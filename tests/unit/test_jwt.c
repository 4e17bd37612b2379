/* SPDX-License-Identifier: GPL-2.0-or-later
 * JSON Web Tokens: what is accepted, what is refused (JW-01..08, 10, 11), what is written.  Each refusal stands beside
 * the same token without the defect. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/json.h"
#include "core/time.h"
#include "token/jwt.h"

#define ISSUER "https://idp.example.test"
#define NOW_S "1767225600"
#define END_S "1767229200"
#define BODY "\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\",\"sub\":\"alice\",\"exp\":" END_S
#define HEADER "{\"alg\":\"RS256\",\"kid\":\"r\"}"

static fg_key_t *rsa, *ec, *ec384, *stranger;
static fg_arena_t *arena;
static test_env_t test;
static fg_jwk_t keys[3];
static fg_jwk_set_t set = {keys, FG_ARRAY_SIZE(keys)};
static fg_str_t audiences[] = {FG_STR("urn:other"), FG_STR("urn:rp")};
static fg_jwt_trust_t trust;
static fg_jwt_read_t got;
static fg_err_t err;

/* ---- tokens ---- */

static fg_str_t keep(fg_buf_t *buf) {
    fg_str_t copy = fg_arena_str(arena, fg_buf_str(buf));
    fg_buf_free(buf);
    return copy;
}

static fg_str_t encode(fg_str_t text) {
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_base64url_encode(&out, text.p, text.n);
    return keep(&out);
}

static fg_str_t join(fg_str_t header, fg_str_t payload, fg_str_t signature) {
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_buf_put_str(&out, header);
    fg_buf_putc(&out, '.');
    fg_buf_put_str(&out, payload);
    if (signature.p != NULL) {
        fg_buf_putc(&out, '.');
        fg_buf_put_str(&out, signature);
    }
    return keep(&out);
}

static fg_str_t signature_of(const fg_key_t *key, fg_str_t data) {
    fg_buf_t out = FG_BUF_INIT(1024);
    assert_true(fg_key_sign(key, data, &out, &err));
    return keep(&out);
}

/* Encoded parts, signed as they stand. */
static fg_str_t sign_parts(fg_str_t header, fg_str_t payload, const fg_key_t *key) {
    fg_str_t data = join(header, payload, FG_STR_NONE);
    return join(header, payload, encode(signature_of(key, data)));
}

static fg_str_t make(const char *header, const char *payload, const fg_key_t *key) {
    return sign_parts(encode(fg_str(header)), encode(fg_str(payload)), key);
}

static fg_code_t read_token(fg_str_t token) {
    err = (fg_err_t)FG_ERR_INIT;
    return fg_jwt_read(&test.env, arena, token, &trust, &got, &err) ? FG_OK : err.code;
}

static void assert_token(fg_str_t token, fg_code_t expected) {
    fg_code_t code = read_token(token);
    if (code != expected)
        print_error("%.*s\n%d expected, got %d: %s\n", FG_STR_ARG(token), expected, code, err.detail);
    assert_int_equal(code, expected);
}

#define assert_good(token) assert_token((token), FG_OK)
#define assert_payload(payload, code) assert_token(make(HEADER, "{" payload "}", rsa), (code))
#define assert_header(header, code) assert_token(make((header), "{" BODY "}", rsa), (code))

static int begin(void **state) {
    (void)state;
    arena = fg_arena_new(64u << 20);
    test_env_init(&test);
    keys[0] = (fg_jwk_t){rsa, FG_STR("r"), FG_STR("RS256")};
    keys[1] = (fg_jwk_t){ec, FG_STR("e"), FG_STR_NONE};
    keys[2] = (fg_jwk_t){ec384, FG_STR("f"), FG_STR_NONE};
    trust = (fg_jwt_trust_t){.issuer = FG_STR(ISSUER), .keys = &set, .audiences = audiences, .audience_count = 2, .skew_ms = 60 * FG_SECOND};
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

/* ---- the signature ---- */

static void jw_01_alg_none_is_refused_in_any_case(void **state) {
    (void)state;
    static const char *const names[] = {"none", "None", "NONE", "nOnE", "", "rs256", "RS256 "};
    assert_good(make(HEADER, "{" BODY "}", rsa));
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        const char *header = fg_arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"r\"}", names[i]);
        assert_header(header, FG_E_SIG_ALGORITHM);
        assert_token(join(encode(fg_str(header)), encode(FG_STR("{" BODY "}")), FG_STR("")), FG_E_SIG_ALGORITHM);
    }
    assert_header("{\"kid\":\"r\"}", FG_E_SIG_ALGORITHM);
    assert_header("{\"alg\":null,\"kid\":\"r\"}", FG_E_SIG_ALGORITHM);
    assert_header("{\"alg\":[\"RS256\"],\"kid\":\"r\"}", FG_E_SIG_ALGORITHM);
    assert_token(join(encode(FG_STR(HEADER)), encode(FG_STR("{" BODY "}")), FG_STR("")), FG_E_SIG_INVALID);
}

/* The public key as the secret of an HMAC, an empty secret, and keys of one type under the name of another. */
static void jw_02_algorithm_is_the_keys(void **state) {
    (void)state;
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    assert_true(fg_key_to_pem(rsa, &pem, &err));
    fg_str_t secrets[] = {fg_buf_str(&pem), FG_STR("")};
    for (size_t i = 0; i < FG_ARRAY_SIZE(secrets); i++) {
        unsigned char mac[FG_SHA256_SIZE];
        fg_str_t header = encode(FG_STR("{\"alg\":\"HS256\",\"kid\":\"r\"}")), payload = encode(FG_STR("{" BODY "}"));
        fg_hmac_sha256(secrets[i], join(header, payload, FG_STR_NONE), mac);
        assert_token(join(header, payload, encode((fg_str_t){(char *)mac, sizeof mac})), FG_E_SIG_ALGORITHM);
    }
    fg_buf_free(&pem);
    assert_good(make("{\"alg\":\"ES256\",\"kid\":\"e\"}", "{" BODY "}", ec));
    assert_good(make("{\"alg\":\"ES384\",\"kid\":\"f\"}", "{" BODY "}", ec384));
    assert_token(make("{\"alg\":\"ES384\",\"kid\":\"e\"}", "{" BODY "}", ec), FG_E_SIG_KEY);
    assert_token(make("{\"alg\":\"ES256\",\"kid\":\"r\"}", "{" BODY "}", ec), FG_E_SIG_KEY);
    assert_token(make("{\"alg\":\"RS256\",\"kid\":\"e\"}", "{" BODY "}", rsa), FG_E_SIG_KEY);
    assert_header("{\"alg\":\"PS256\",\"kid\":\"r\"}", FG_E_SIG_KEY); /* the key is for RS256 */
    assert_header("{\"alg\":\"RS512\",\"kid\":\"r\"}", FG_E_SIG_KEY);
    keys[0].alg = FG_STR_NONE;
    assert_header("{\"alg\":\"PS256\",\"kid\":\"r\"}", FG_E_SIG_INVALID); /* the signature is not */
}

static void jw_03_keys_in_the_header_are_ignored(void **state) {
    (void)state;
    fg_str_t certificate = fg_key_get_certificate_base64(stranger);
    const char *own = fg_arena_printf(arena, "{\"alg\":\"RS256\",\"kid\":\"r\",\"x5c\":[\"%s\"],\"jku\":\"https://a.test/\",\"x5u\":\"https://a.test/\","
                                             "\"jwk\":{\"kty\":\"RSA\"}}", certificate.p);
    assert_token(make(own, "{" BODY "}", stranger), FG_E_SIG_INVALID);
    assert_good(make(own, "{" BODY "}", rsa));
}

static void jw_04_kid_looks_up_and_does_nothing_else(void **state) {
    (void)state;
    static const char *const kids[] = {"../../dev/null", "' OR 1=1 --", "r\\u0001", "", "R", "/etc/passwd"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(kids); i++)
        assert_header(fg_arena_printf(arena, "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kids[i]), FG_E_SIG_KEY);
    assert_header("{\"alg\":\"RS256\",\"kid\":1}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"kid\":null}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\"}", FG_OK); /* the set yields the key */
    assert_ptr_equal(got.key, rsa);
    assert_token(make("{\"alg\":\"RS256\"}", "{" BODY "}", stranger), FG_E_SIG_INVALID);
    keys[0].kid = FG_STR_NONE; /* a pinned key without a name */
    assert_header(HEADER, FG_OK);
    keys[0] = (fg_jwk_t){stranger, FG_STR_NONE, FG_STR_NONE};
    keys[1] = (fg_jwk_t){rsa, FG_STR_NONE, FG_STR_NONE};
    assert_header(HEADER, FG_OK); /* the second that fits */
    assert_ptr_equal(got.key, rsa);
    set.count = 0;
    assert_header(HEADER, FG_E_SIG_KEY);
    set.count = FG_ARRAY_SIZE(keys);
}

static void jw_05_crit_and_b64_are_refused(void **state) {
    (void)state;
    assert_header("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"b64\":false}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"crit\":[]}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"crit\":null}", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"b64\":true,\"exp\":1}", FG_OK);
}

static void jw_06_duplicate_names_are_refused(void **state) {
    (void)state;
    assert_payload(BODY ",\"upn\":\"bob\"", FG_OK);
    assert_payload(BODY ",\"upn\":\"bob\",\"upn\":\"eve\"", FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"s\\u0075b\":\"eve\"", FG_E_TOKEN_MALFORMED);
    assert_header("{\"alg\":\"RS256\",\"alg\":\"RS256\"}", FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"x\":{\"a\":1,\"a\":2}", FG_E_TOKEN_MALFORMED);
}

#define WITHOUT_EXP "\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\",\"sub\":\"alice\""

static void jw_07_exp_is_a_date_within_bounds(void **state) {
    (void)state;
    assert_payload(WITHOUT_EXP ",\"exp\":" END_S, FG_OK);
    assert_true(got.not_on_or_after_ms == TEST_NOW + FG_HOUR);
    assert_payload(WITHOUT_EXP ",\"exp\":" END_S ".5", FG_OK);
    assert_true(got.not_on_or_after_ms == TEST_NOW + FG_HOUR + 500);
    assert_payload(WITHOUT_EXP ",\"exp\":1.7672292e9", FG_OK);
    assert_payload(WITHOUT_EXP, FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":\"" END_S "\"", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":1e300", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":1e999", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":-1", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":-1.5", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":9223372036854775807", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":99999999999999999999", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":253402300800", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":253402300799", FG_OK);
    assert_payload(WITHOUT_EXP ",\"exp\":null", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":true", FG_E_TOKEN_MALFORMED);
    assert_payload(WITHOUT_EXP ",\"exp\":[" END_S "]", FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"nbf\":\"1\"", FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"iat\":1e300", FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"auth_time\":-1", FG_E_TOKEN_MALFORMED);
}

static void jw_08_parts_are_three_and_canonical(void **state) {
    (void)state;
    fg_str_t header = encode(FG_STR(HEADER)), payload = encode(FG_STR("{" BODY "}"));
    fg_str_t good = sign_parts(header, payload, rsa);
    const char *signature = strrchr(good.p, '.') + 1;
    assert_good(good);
    static const char *const ends[] = {".", ".e30", "=", "==", "\n", " ", "?"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(ends); i++) {
        assert_token(fg_str(fg_arena_printf(arena, "%s%s", good.p, ends[i])), FG_E_TOKEN_MALFORMED);
        if (ends[i][0] != '.') /* signed over, and still not accepted */
            assert_token(sign_parts(header, fg_str(fg_arena_printf(arena, "%s%s", payload.p, ends[i])), rsa), FG_E_TOKEN_MALFORMED);
    }
    assert_token(fg_str(fg_arena_printf(arena, ".%s", good.p)), FG_E_TOKEN_MALFORMED);
    assert_token(join(header, payload, FG_STR_NONE), FG_E_TOKEN_MALFORMED);
    assert_token(FG_STR(""), FG_E_TOKEN_MALFORMED);
    assert_token(FG_STR(".."), FG_E_TOKEN_MALFORMED);
    assert_token((fg_str_t){good.p, good.n - strlen(signature)}, FG_E_SIG_INVALID);
    /* 256 bytes leave four bits unused in the last character: another one for the same bytes */
    char *other = fg_arena_strdup(arena, good.p), *last = other + good.n - 1;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    *last = alphabet[strchr(alphabet, *last) - alphabet + 1];
    assert_token(fg_str(other), FG_E_TOKEN_MALFORMED);
    other = fg_arena_strdup(arena, good.p);
    other[good.n - 5] = other[good.n - 5] == 'A' ? 'B' : 'A';
    assert_token(fg_str(other), FG_E_SIG_INVALID);
    /* size */
    char *filler = fg_arena_alloc(arena, 60001);
    memset(filler, 'a', 60000);
    assert_token(make(HEADER, fg_arena_printf(arena, "{" BODY ",\"x\":\"%.45000s\"}", filler), rsa), FG_OK);
    assert_token(make(HEADER, fg_arena_printf(arena, "{" BODY ",\"x\":\"%.50000s\"}", filler), rsa), FG_E_TOKEN_MALFORMED);
}

static fg_code_t read_ecdsa(fg_str_t bytes) {
    return read_token(join(encode(FG_STR("{\"alg\":\"ES256\"}")), encode(FG_STR("{" BODY "}")), encode(bytes)));
}

static void jw_10_ecdsa_wants_r_and_s_of_exact_length(void **state) {
    (void)state;
    fg_str_t data = join(encode(FG_STR("{\"alg\":\"ES256\"}")), encode(FG_STR("{" BODY "}")), FG_STR_NONE);
    fg_str_t good = signature_of(ec, data);
    char changed[100] = {0};
    assert_int_equal(good.n, 64);
    assert_int_equal(read_ecdsa(good), FG_OK);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 64}), FG_E_SIG_INVALID); /* r = s = 0 */
    memcpy(changed, good.p, 32);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 64}), FG_E_SIG_INVALID); /* s = 0 */
    memcpy(changed, good.p, 64);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 64}), FG_OK);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 63}), FG_E_SIG_INVALID);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 65}), FG_E_SIG_INVALID);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 66}), FG_E_SIG_INVALID);
    assert_int_equal(read_ecdsa((fg_str_t){changed, 0}), FG_E_SIG_INVALID);
    memset(changed, 0xff, 64); /* beyond the group's order */
    assert_int_equal(read_ecdsa((fg_str_t){changed, 64}), FG_E_SIG_INVALID);
    /* the same signature as DER */
    unsigned char der[80];
    size_t length = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, fg_key_get_pkey(ec)), 1);
    assert_int_equal(EVP_DigestSign(context, der, &length, (const unsigned char *)data.p, data.n), 1);
    EVP_MD_CTX_free(context);
    assert_int_equal(read_ecdsa((fg_str_t){(char *)der, length}), FG_E_SIG_INVALID);
}

static void jw_11_the_type_is_the_one_that_is_wanted(void **state) {
    (void)state;
    static const struct { const char *typ; bool plain, access; } cases[] = {
        {"\"JWT\"", true, false}, {"\"jwt\"", true, false}, {"\"application/jwt\"", true, false}, {"\"at+jwt\"", true, true},
        {"\"application/at+jwt\"", true, true}, {"\"AT+JWT\"", true, true}, {"\"logout+jwt\"", false, false}, {"\"secevent+jwt\"", false, false},
        {"\"dpop+jwt\"", false, false}, {"\"\"", false, false}, {"null", false, false}, {"1", false, false}, {"\"application/\"", false, false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        const char *header = fg_arena_printf(arena, "{\"alg\":\"RS256\",\"typ\":%s}", cases[i].typ);
        trust.type = NULL;
        assert_header(header, cases[i].plain ? FG_OK : FG_E_TOKEN_MALFORMED);
        trust.type = "at+jwt";
        assert_header(header, cases[i].access ? FG_OK : FG_E_TOKEN_MALFORMED);
    }
    assert_header(HEADER, FG_E_TOKEN_MALFORMED);
    trust.type = NULL;
    assert_header(HEADER, FG_OK);
}

/* ---- who, when, for whom ---- */

static void issuer_is_exact(void **state) {
    (void)state;
    assert_payload("\"iss\":\"" ISSUER "/\",\"aud\":\"urn:rp\",\"exp\":" END_S, FG_E_TOKEN_ISSUER);
    assert_payload("\"iss\":[\"" ISSUER "\"],\"aud\":\"urn:rp\",\"exp\":" END_S, FG_E_TOKEN_MALFORMED);
    assert_payload("\"aud\":\"urn:rp\",\"exp\":" END_S, FG_E_TOKEN_ISSUER);
    assert_payload("\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\",\"exp\":" END_S, FG_OK);
    trust.issuer = FG_STR_NONE; /* nobody is trusted by default */
    assert_payload("\"iss\":\"\",\"aud\":\"urn:rp\",\"exp\":" END_S, FG_E_TOKEN_ISSUER);
}

#define TIMED(members) "\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\"," members

static void times_are_kept_with_the_skew(void **state) {
    (void)state;
    assert_payload(TIMED("\"exp\":1767225541"), FG_OK); /* 59 s ago */
    assert_payload(TIMED("\"exp\":1767225540"), FG_E_TOKEN_EXPIRED);
    assert_payload(TIMED("\"exp\":" END_S ",\"nbf\":1767225660"), FG_OK);
    assert_payload(TIMED("\"exp\":" END_S ",\"nbf\":1767225661"), FG_E_TOKEN_NOT_YET_VALID);
    assert_payload(TIMED("\"exp\":" END_S ",\"iat\":1767225660"), FG_OK);
    assert_payload(TIMED("\"exp\":" END_S ",\"iat\":1767225661"), FG_E_TOKEN_NOT_YET_VALID);
    trust.max_lifetime_ms = FG_HOUR;
    assert_payload(TIMED("\"exp\":" END_S ",\"iat\":" NOW_S), FG_OK);
    assert_payload(TIMED("\"exp\":" END_S ",\"iat\":1767225599"), FG_E_TOKEN_LIFETIME);
    assert_payload(TIMED("\"exp\":" END_S ",\"nbf\":1767225599"), FG_E_TOKEN_LIFETIME);
    assert_payload(TIMED("\"exp\":" END_S), FG_OK); /* counted from now where neither is told */
    assert_payload(TIMED("\"exp\":1767229201"), FG_E_TOKEN_LIFETIME);
}

#define FOR(aud) "\"iss\":\"" ISSUER "\",\"exp\":" END_S aud

static void audience_is_a_string_or_a_list(void **state) {
    (void)state;
    assert_payload(FOR(",\"aud\":\"urn:rp\""), FG_OK);
    assert_true(fg_str_is(got.audience, "urn:rp"));
    assert_payload(FOR(",\"aud\":[\"urn:x\",\"urn:rp\"]"), FG_OK);
    assert_true(fg_str_is(got.audience, "urn:rp"));
    assert_payload(FOR(",\"aud\":\"urn:rp/\""), FG_E_TOKEN_AUDIENCE);
    assert_payload(FOR(",\"aud\":[\"urn:x\"]"), FG_E_TOKEN_AUDIENCE);
    assert_payload(FOR(",\"aud\":[]"), FG_E_TOKEN_AUDIENCE);
    assert_payload(FOR(""), FG_E_TOKEN_AUDIENCE);
    assert_payload(FOR(",\"aud\":[\"urn:rp\",1]"), FG_E_TOKEN_MALFORMED);
    assert_payload(FOR(",\"aud\":{\"urn:rp\":1}"), FG_E_TOKEN_MALFORMED);
    assert_payload(FOR(",\"aud\":null"), FG_E_TOKEN_MALFORMED);
    trust.audience_count = 0;
    assert_payload(FOR(",\"aud\":\"urn:rp\""), FG_E_TOKEN_AUDIENCE);
}

static void payload_is_one_object(void **state) {
    (void)state;
    static const char *const texts[] = {"[]", "\"x\"", "", "{" BODY "} {}", "{" BODY, "{" BODY ",\"x\":\"\xff\"}", "\xef\xbb\xbf{" BODY "}",
                                        "{" BODY ",\"x\":\"\\u0000\"}", "{" BODY ",\"x\":NaN}"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        assert_token(make(HEADER, texts[i], rsa), FG_E_TOKEN_MALFORMED);
    assert_token(make("[]", "{" BODY "}", rsa), FG_E_TOKEN_MALFORMED);
    char *deep = fg_arena_alloc(arena, 201);
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_token(make(HEADER, fg_arena_printf(arena, "{" BODY ",\"x\":%s}", deep), rsa), FG_E_TOKEN_MALFORMED);
    assert_token(make(HEADER, fg_arena_printf(arena, "{" BODY ",\"x\":%s}", deep + 50), rsa), FG_E_TOKEN_MALFORMED);
    assert_payload(BODY ",\"x\":[[]]", FG_OK);
    assert_payload(BODY ",\"jti\":1", FG_E_TOKEN_MALFORMED);
    assert_payload("\"iss\":\"" ISSUER "\",\"aud\":\"urn:rp\",\"sub\":7,\"exp\":" END_S, FG_E_TOKEN_MALFORMED);
}

/* ---- the identity ---- */

static const char *values_of(const char *type) {
    const char *text = "";
    for (size_t i = 0; i < got.identity.claims.count; i++) {
        const fg_claim_t *claim = &got.identity.claims.items[i];
        if (fg_str_is(claim->type, type))
            text = fg_arena_printf(arena, "%s%.*s;", text, FG_STR_ARG(claim->value));
        assert_true(fg_str_is(claim->issuer, ISSUER));
    }
    return text;
}

static void members_become_claims(void **state) {
    (void)state;
    assert_payload(BODY ",\"upn\":\"alice@example.test\",\"unique_name\":\"EX\\\\alice\",\"role\":[\"a\",\"b\"],\"roles\":\"c\",\"groups\":[\"g\",2,null,{\"x\":1}],"
                        "\"email\":\"\",\"email_verified\":true,\"off\":false,\"n\":-12,\"r\":2.5,\"o\":{\"a\":1},\"z\":null,\"ver\":\"1.0\","
                        "\"http://x.test/c\":\"y\",\"jti\":\"id-1\",\"nonce\":\"q\",\"auth_time\":1767225000.25,\"amr\":[\"otp\",\"pwd\"],\"acr\":\"urn:x\"", FG_OK);
    assert_string_equal(values_of(FG_CLAIM_UPN), "alice@example.test;");
    assert_string_equal(values_of(FG_CLAIM_NAME), "EX\\alice;");
    assert_string_equal(values_of(FG_CLAIM_ROLE), "a;b;c;");
    assert_string_equal(values_of(FG_CLAIM_GROUP), "g;2;");
    assert_string_equal(values_of(FG_CLAIM_EMAIL), ";");
    assert_string_equal(values_of("email_verified"), "true;");
    assert_string_equal(values_of("off"), "false;");
    assert_string_equal(values_of("n"), "-12;");
    assert_string_equal(values_of("r"), "2.5;");
    assert_string_equal(values_of("http://x.test/c"), "y;");
    static const char *const none[] = {"o", "z", "iss", "aud", "exp", "sub", "jti", "nonce", "auth_time", "amr", "acr", FG_CLAIM_NAMEIDENTIFIER};
    for (size_t i = 0; i < FG_ARRAY_SIZE(none); i++)
        assert_string_equal(values_of(none[i]), "");
    assert_true(fg_str_is(got.identity.name_id.value, "alice"));
    assert_true(fg_str_is(got.identity.issuer, ISSUER));
    assert_true(fg_str_is(got.id, "id-1"));
    assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_PASSWORD));
    assert_true(got.identity.auth_instant_ms == INT64_C(1767225000250));
    assert_true(fg_str_is(fg_json_string(got.payload, "ver"), "1.0"));
}

static void method_is_the_first_word_that_is_known(void **state) {
    (void)state;
    assert_payload(BODY, FG_OK);
    assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_UNSPECIFIED));
    assert_true(got.identity.auth_instant_ms == 0);
    assert_payload(BODY ",\"amr\":[\"wia\"]", FG_OK);
    assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_WINDOWS));
    assert_payload(BODY ",\"authmethod\":\"" FG_AUTH_X509 "\",\"amr\":[\"pwd\"]", FG_OK);
    assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_X509));
    assert_payload(BODY ",\"amr\":[\"face\",7],\"acr\":\"0\"", FG_OK);
    assert_true(fg_str_is(got.identity.auth_method, "face"));
    assert_payload(BODY ",\"acr\":\"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\"", FG_OK);
    assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_PASSWORD));
}

static void issuer_is_told_before_anything_is_believed(void **state) {
    (void)state;
    assert_true(fg_str_is(fg_jwt_peek_issuer(arena, make(HEADER, "{" BODY "}", stranger)), ISSUER));
    assert_null(fg_jwt_peek_issuer(arena, FG_STR("a.b")).p);
    assert_null(fg_jwt_peek_issuer(arena, FG_STR("..")).p);
    assert_null(fg_jwt_peek_issuer(arena, make(HEADER, "[]", rsa)).p);
    assert_null(fg_jwt_peek_issuer(arena, make(HEADER, "{\"iss\":1}", rsa)).p);
}

/* ---- written ---- */

static const fg_claim_t claim_items[] = {
    {.type = FG_STR(FG_CLAIM_UPN), .value = FG_STR("alice@example.test")},
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("a\"\\\n\xc3\xbc")},
    {.type = FG_STR("exp"), .value = FG_STR("253402300799")}, /* speaks for the token: not written */
    {.type = FG_STR(FG_CLAIM_NAMEIDENTIFIER), .value = FG_STR("eve")},
    {.type = FG_STR("role"), .value = FG_STR("b")}, /* its own type, the same name */
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("c")},
    {.type = FG_STR("urn:x"), .value = FG_STR("")},
};
static const fg_claims_t claims = {(fg_claim_t *)claim_items, FG_ARRAY_SIZE(claim_items), 0};
static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW - 5000};

static fg_jwt_t sample(void) {
    return (fg_jwt_t){
        .type = "at+jwt", .id = FG_STR("_1"), .issuer = FG_STR(ISSUER), .subject = FG_STR("alice"), .audience = FG_STR("urn:rp"),
        .issued_ms = TEST_NOW, .not_before_ms = TEST_NOW, .expires_ms = TEST_NOW + FG_HOUR + 999, .identity = &identity, .claims = &claims};
}

static void written_token_is_read_again(void **state) {
    (void)state;
    static const char expected[] =
        "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"aud\":\"urn:rp\",\"iat\":" NOW_S ",\"nbf\":" NOW_S ",\"exp\":" END_S ",\"jti\":\"_1\","
        "\"amr\":[\"pwd\"],\"auth_time\":1767225595,\"upn\":\"alice@example.test\",\"role\":[\"a\\\"\\\\\\n\xc3\xbc\",\"b\",\"c\"],\"urn:x\":\"\"}";
    const fg_key_t *signers[] = {rsa, ec, ec384};
    static const char *const algs[] = {"RS256", "ES256", "ES384"};
    fg_jwt_t jwt = sample();
    trust.type = "at+jwt";
    for (size_t i = 0; i < FG_ARRAY_SIZE(signers); i++) {
        fg_buf_t out = FG_BUF_INIT(1u << 20), part = FG_BUF_INIT(1u << 20);
        keys[i].kid = fg_str(fg_key_get_id(signers[i]));
        fg_buf_puts(&out, "before ");
        assert_true(fg_jwt_write(&jwt, signers[i], &out, &err));
        fg_str_t token = {out.data + 7, out.length - 7};
        size_t head = strcspn(token.p, ".");
        const char *payload = token.p + head + 1;
        assert_true(fg_base64url_decode(&part, (fg_str_t){token.p, head}));
        assert_string_equal(part.data, fg_arena_printf(arena, "{\"typ\":\"at+jwt\",\"alg\":\"%s\",\"kid\":\"%s\"}", algs[i], fg_key_get_id(signers[i])));
        fg_buf_reset(&part);
        assert_true(fg_base64url_decode(&part, (fg_str_t){payload, strcspn(payload, ".")}));
        assert_string_equal(part.data, expected);
        assert_good(token);
        assert_ptr_equal(got.key, signers[i]);
        assert_true(fg_str_is(got.identity.auth_method, FG_AUTH_PASSWORD));
        assert_true(got.identity.auth_instant_ms == TEST_NOW - 5000);
        assert_string_equal(values_of(FG_CLAIM_ROLE), "a\"\\\n\xc3\xbc;b;c;");
        fg_buf_free(&out);
        fg_buf_free(&part);
    }
}

static void what_does_not_fit_is_not_written(void **state) {
    (void)state;
    fg_jwt_t jwt = sample();
    fg_buf_t small = FG_BUF_INIT(200), out = FG_BUF_INIT(1u << 20);
    assert_false(fg_jwt_write(&jwt, rsa, &small, &err));
    assert_err(&err, FG_E_INTERNAL);
    char *large = fg_arena_alloc(arena, FG_JWT_MAX);
    memset(large, 'a', FG_JWT_MAX - 1);
    jwt.subject = fg_str(large);
    assert_false(fg_jwt_write(&jwt, rsa, &out, &err));
    assert_err(&err, FG_E_INTERNAL);
    fg_buf_free(&small);
    fg_buf_free(&out);
}

/* ---- key sets ---- */

static fg_jwk_set_t jwks;

static fg_code_t read_set(const char *text) {
    err = (fg_err_t)FG_ERR_INIT;
    return fg_jwk_set_read(arena, fg_str(text), &jwks, &err) ? FG_OK : err.code;
}

/* Ed25519: RFC 8037 appendix A.2; P-256: RFC 7517 appendix A.1 */
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define P256_X "\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\""
#define P256_Y "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""
#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" P256_X ",\"y\":" P256_Y

static void jw_04_key_set_with_a_kid_twice_is_refused(void **state) {
    (void)state;
    assert_int_equal(read_set("{\"keys\":[{" OKP ",\"kid\":\"a\"},{" P256 ",\"kid\":\"b\"}]}"), FG_OK);
    assert_int_equal(jwks.count, 2);
    assert_true(fg_str_is(jwks.items[1].kid, "b"));
    assert_int_equal(read_set("{\"keys\":[{" OKP ",\"kid\":\"a\"},{" P256 ",\"kid\":\"a\"}]}"), FG_E_CONFIG);
    assert_int_equal(read_set("{\"keys\":[{" OKP "},{" P256 "}]}"), FG_OK);
    assert_int_equal(jwks.count, 2);
    assert_int_equal(read_set("{\"keys\":[{" OKP ",\"kid\":\"a\",\"kid\":\"b\"}]}"), FG_E_TOKEN_MALFORMED);
}

static void unknown_keys_are_left_out(void **state) {
    (void)state;
    static const char *const left_out[] = {
        "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", "{" P256 ",\"use\":\"enc\"}", "{" P256 ",\"key_ops\":[\"sign\"]}", "{" P256 ",\"alg\":\"ECDH-ES\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}", "{\"kty\":\"new\"}",
        "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(left_out); i++) {
        assert_int_equal(read_set(fg_arena_printf(arena, "{\"keys\":[%s,{" OKP ",\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"]}]}", left_out[i])), FG_OK);
        assert_int_equal(jwks.count, 1);
        assert_true(fg_str_is(jwks.items[0].alg, "EdDSA"));
    }
    assert_int_equal(read_set("{\"keys\":[]}"), FG_OK);
    assert_int_equal(jwks.count, 0);
}

static void malformed_key_sets_are_refused(void **state) {
    (void)state;
    static const struct { const char *key; fg_code_t code; } cases[] = {
        {"1", FG_E_CONFIG}, {"{}", FG_E_CONFIG}, {"{\"kty\":1}", FG_E_CONFIG}, {"{" OKP ",\"kid\":7}", FG_E_CONFIG}, {"{" OKP ",\"use\":null}", FG_E_CONFIG},
        {"{" OKP ",\"key_ops\":\"verify\"}", FG_E_CONFIG}, {"{" OKP ",\"alg\":\"RS256\"}", FG_E_CONFIG}, {"{" P256 ",\"alg\":\"ES384\"}", FG_E_CONFIG},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", FG_E_SIG_KEY}, {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", FG_E_SIG_KEY},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":" P256_X ",\"y\":" P256_X "}", FG_E_SIG_KEY}, /* not on the curve */
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":" P256_X ",\"y\":" P256_Y "}", FG_E_SIG_KEY},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\",\"y\":" P256_Y "}", FG_E_SIG_KEY},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4=\",\"y\":" P256_Y "}", FG_E_SIG_KEY},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", FG_E_SIG_KEY}, {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", FG_E_SIG_KEY},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        if (read_set(fg_arena_printf(arena, "{\"keys\":[%s]}", cases[i].key)) != cases[i].code)
            fail_msg("%s: %d %s", cases[i].key, err.code, err.detail);
    static const char *const texts[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]} x", "{\"keys\":null}"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        assert_int_not_equal(read_set(texts[i]), FG_OK);
}

static fg_str_t param(const fg_key_t *key, const char *name) {
    BIGNUM *number = NULL;
    unsigned char bytes[600];
    assert_int_equal(EVP_PKEY_get_bn_param(fg_key_get_pkey(key), name, &number), 1);
    int length = BN_bn2bin(number, bytes);
    BN_free(number);
    return encode((fg_str_t){(char *)bytes, (size_t)length});
}

/* XS-26 holds for keys from numbers too. */
static void rsa_keys_are_as_strong_as_those_from_pem(void **state) {
    (void)state;
    static const struct { const char *e; fg_code_t code; } cases[] = {{"AQAB", FG_OK}, {"Aw", FG_OK}, {"AQ", FG_E_SIG_KEY}, {"AQAA", FG_E_SIG_KEY}, {"AA", FG_E_SIG_KEY}};
    fg_str_t n = param(rsa, "n");
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        assert_int_equal(read_set(fg_arena_printf(arena, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}]}", n.p, cases[i].e)), cases[i].code);
    assert_int_equal(read_set(fg_arena_printf(arena, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"%.170s\",\"e\":\"AQAB\"}]}", n.p)), FG_E_SIG_KEY);
    assert_int_equal(read_set(fg_arena_printf(arena, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"%s\",\"e\":\"AQAB\"}]}", n.p)), FG_OK);
    trust.keys = &jwks;
    assert_good(make(HEADER, "{" BODY "}", rsa));
    assert_string_equal(fg_key_get_id(got.key), fg_key_get_id(rsa));
    assert_false(fg_key_is_private(got.key));
}

static int start(void **state) {
    (void)state;
    fg_json_start();
    if (!fg_crypto_start())
        return -1;
    rsa = fg_key_generate(FG_KEY_RSA_2048, "a", TEST_NOW, TEST_NOW + FG_DAY, &err);
    stranger = fg_key_generate(FG_KEY_RSA_2048, "b", TEST_NOW, TEST_NOW + FG_DAY, &err);
    ec = fg_key_generate(FG_KEY_EC_P256, "c", TEST_NOW, TEST_NOW + FG_DAY, &err);
    ec384 = fg_key_generate(FG_KEY_EC_P384, "d", TEST_NOW, TEST_NOW + FG_DAY, &err);
    return rsa && stranger && ec && ec384 ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(stranger);
    fg_key_unref(ec);
    fg_key_unref(ec384);
    fg_crypto_stop();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(jw_01_alg_none_is_refused_in_any_case),
        TEST(jw_02_algorithm_is_the_keys),
        TEST(jw_03_keys_in_the_header_are_ignored),
        TEST(jw_04_kid_looks_up_and_does_nothing_else),
        TEST(jw_05_crit_and_b64_are_refused),
        TEST(jw_06_duplicate_names_are_refused),
        TEST(jw_07_exp_is_a_date_within_bounds),
        TEST(jw_08_parts_are_three_and_canonical),
        TEST(jw_10_ecdsa_wants_r_and_s_of_exact_length),
        TEST(jw_11_the_type_is_the_one_that_is_wanted),
        TEST(issuer_is_exact),
        TEST(times_are_kept_with_the_skew),
        TEST(audience_is_a_string_or_a_list),
        TEST(payload_is_one_object),
        TEST(members_become_claims),
        TEST(method_is_the_first_word_that_is_known),
        TEST(issuer_is_told_before_anything_is_believed),
        TEST(written_token_is_read_again),
        TEST(what_does_not_fit_is_not_written),
        TEST(jw_04_key_set_with_a_kid_twice_is_refused),
        TEST(unknown_keys_are_left_out),
        TEST(malformed_key_sets_are_refused),
        TEST(rsa_keys_are_as_strong_as_those_from_pem),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
