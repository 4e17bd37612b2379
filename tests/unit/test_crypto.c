/* SPDX-License-Identifier: GPL-2.0-or-later
 * Digests, encodings, sealing. */
#include "tests/unit/support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/crypto.h"

static unsigned allocations; /* that OpenSSL asked for */

static void *counted_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    allocations++;
    return malloc(size);
}

static void *counted_realloc(void *memory, size_t size, const char *file, int line) {
    (void)file, (void)line;
    allocations++;
    return realloc(memory, size);
}

static void counted_free(void *memory, const char *file, int line) {
    (void)file, (void)line;
    free(memory);
}

static int start(void **state) {
    (void)state;
    return fg_crypto_start() && fg_crypto_start() ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    fg_crypto_stop();
    return 0;
}

static void assert_hex(const unsigned char *bytes, size_t length, const char *expected) {
    char text[2 * 64 + 1];
    fg_hex_encode(bytes, length, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-4 examples, RFC 2202 §3, RFC 4231 §4.3 and 4.7 */
static void digests_match_their_published_values(void **state) {
    (void)state;
    unsigned char out[FG_HASH_MAX];
    fg_sha256("abc", 3, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    fg_sha256("", 0, out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    fg_sha1("abc", 3, out);
    assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    fg_hmac_sha256(FG_STR("Jefe"), FG_STR("what do ya want for nothing?"), out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    fg_hmac_sha1(FG_STR("Jefe"), FG_STR("what do ya want for nothing?"), out);
    assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_int_equal(fg_hash(FG_HASH_SHA1, "abc", 3, out), 20);
    assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(fg_hash(FG_HASH_SHA384, "abc", 3, out), 48);
    assert_hex(out, 48, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    assert_int_equal(fg_hash(FG_HASH_SHA512, "abc", 3, out), 64);
    assert_hex(out, 8, "ddaf35a193617aba");
    fg_hmac_sha256(FG_STR_NONE, FG_STR_NONE, out);
    assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    char key[131]; /* §4.7: longer than a block */
    memset(key, 0xaa, sizeof key);
    fg_hmac_sha256((fg_str_t){key, sizeof key}, FG_STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 2202 §3, cases 1, 2, 3 and 6 */
static void hmac_sha1_matches_its_published_values(void **state) {
    (void)state;
    char key[80], data[50];
    unsigned char out[FG_SHA1_SIZE];
    memset(key, 0x0b, 20);
    fg_hmac_sha1((fg_str_t){key, 20}, FG_STR("Hi There"), out);
    assert_hex(out, 20, "b617318655057264e28bc0b6fb378c8ef146be00");
    fg_hmac_sha1(FG_STR("Jefe"), FG_STR("what do ya want for nothing?"), out);
    assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    memset(key, 0xaa, 80);
    memset(data, 0xdd, 50);
    fg_hmac_sha1((fg_str_t){key, 20}, (fg_str_t){data, 50}, out);
    assert_hex(out, 20, "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    fg_hmac_sha1((fg_str_t){key, 80}, FG_STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_hex(out, 20, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

/* OpenSSL's TLS PRF with one digest is P_hash (RFC 5246 §5). */
static void assert_p_sha1(fg_str_t secret, fg_str_t seed, size_t length) {
    unsigned char ours[256], theirs[256];
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    char digest[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_octet_string("secret", (void *)secret.p, secret.n),
                                 OSSL_PARAM_construct_octet_string("seed", (void *)seed.p, seed.n), OSSL_PARAM_construct_end()};
    assert_int_equal(EVP_KDF_derive(context, theirs, length, params), 1);
    fg_p_sha1(secret, seed, ours, length);
    assert_memory_equal(ours, theirs, length);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void p_sha1_is_that_of_others(void **state) {
    (void)state;
    unsigned char out[60];
    char bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    fg_p_sha1(FG_STR("secret"), FG_STR("seed"), out, 60); /* by Python's hmac */
    assert_hex(out, 60, "5d55432bdfe9b93a813acc932adf0f297815d1c83166a983ea042d410665dfa19268d99774fd6f3fc5433f0465e765c49b8590d51e1e9988be2167fd");
    fg_p_sha1((fg_str_t){bytes, 32}, (fg_str_t){bytes + 32, 32}, out, 32);
    assert_hex(out, 32, "df59132c2af6d230e4337732076a14561694be12838cc00203d63c816653d75b");
    for (size_t length = 1; length <= 100; length++)
        assert_p_sha1((fg_str_t){bytes, length}, (fg_str_t){bytes + 100 - length, length}, length + 100);
}

/* WS-SecureConversation 1.3 §7; values by Python's hmac */
static void derived_keys_are_those_of_others(void **state) {
    (void)state;
    unsigned char out[64];
    char bytes[32];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    const fg_str_t secret = {bytes, 32}, nonce = {bytes, 16};
    assert_true(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce, .length = 64}, out));
    assert_hex(out, 64, "22daaa5df206aa2b04b274204ff4a5f823cf4d3dc152d376e809f8402f6bfa1fea62846c980bc62d9a515bf6dc360ed35316bae6b7be1cbe75c19e3ebba653ed");
    assert_true(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce, .offset = 16, .length = 32}, out));
    assert_hex(out, 32, "23cf4d3dc152d376e809f8402f6bfa1fea62846c980bc62d9a515bf6dc360ed3");
    assert_true(fg_derive_key(FG_STR("kkkkkkkkkkkkkkkk"), &(fg_derivation_t){.label = FG_STR("label"), .nonce = nonce, .length = 24}, out));
    assert_hex(out, 24, "d882a82ac76eaedd258cd341ae1d1aaa0e8c32b4b29d5574");
    assert_true(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce, .offset = FG_DERIVED_OFFSET_MAX, .length = 64}, out));
    assert_false(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce, .offset = FG_DERIVED_OFFSET_MAX + 1, .length = 64}, out)); /* WT-06 */
    assert_false(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce, .length = 65}, out));
    assert_false(fg_derive_key(secret, &(fg_derivation_t){.nonce = nonce}, out));
    assert_false(fg_derive_key(FG_STR_NONE, &(fg_derivation_t){.nonce = nonce, .length = 32}, out));
}

static void secrets_are_equal_only_if_whole(void **state) {
    (void)state;
    assert_true(fg_equal_secret(FG_STR("secret"), FG_STR("secret")));
    assert_false(fg_equal_secret(FG_STR("secret"), FG_STR("secreT")));
    assert_false(fg_equal_secret(FG_STR("secret"), FG_STR("secrets")));
    assert_true(fg_equal_secret(FG_STR_NONE, FG_STR("")));
}

/* RFC 4648 §10 */
static void base64_goes_both_ways(void **state) {
    (void)state;
    static const char *rows[][3] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+", "-__-"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_buf_t buf = FG_BUF_INIT(100);
        fg_base64_encode(&buf, rows[i][0], strlen(rows[i][0]));
        assert_true(fg_str_is(fg_buf_str(&buf), rows[i][1]));
        fg_buf_reset(&buf);
        fg_base64url_encode(&buf, rows[i][0], strlen(rows[i][0]));
        assert_true(fg_str_is(fg_buf_str(&buf), rows[i][2]));
        fg_buf_reset(&buf);
        assert_true(fg_base64_decode(&buf, fg_str(rows[i][1])));
        assert_true(fg_str_is(fg_buf_str(&buf), rows[i][0]));
        fg_buf_reset(&buf);
        assert_true(fg_base64url_decode(&buf, fg_str(rows[i][2])));
        assert_true(fg_str_is(fg_buf_str(&buf), rows[i][0]));
        fg_buf_free(&buf);
    }
}

typedef bool decoder_t(fg_buf_t *out, fg_str_t text);

static void assert_refused(decoder_t *decode, fg_str_t text) {
    fg_buf_t buf = FG_BUF_INIT(100);
    fg_buf_puts(&buf, "before");
    assert_false(decode(&buf, text));
    assert_true(fg_str_is(fg_buf_str(&buf), "before"));
    fg_buf_free(&buf);
}

/* JW-08 and the like: one value has one text. Controls: base64_goes_both_ways. */
static void base64_takes_the_canonical_form_only(void **state) {
    (void)state;
    static const char *standard[] = {"Zg",   "Zg=",  "Zg===", "Zh==",  "Zm9=",  "=",     "====", "Z",    "Zm9vY",
                                     "Zm9v=", "Zg==Zg==", "-__-", "Zm 9v", "Zm9v\n", "Zm9v====", "Z=g=", "\xc3\xa4gg", "Zm9v!"};
    static const char *url[] = {"Zg==", "Zm8=", "+//+", "Zh", "Zm9", "Z", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm9v.", "="};
    for (size_t i = 0; i < FG_ARRAY_SIZE(standard); i++)
        assert_refused(fg_base64_decode, fg_str(standard[i]));
    for (size_t i = 0; i < FG_ARRAY_SIZE(url); i++)
        assert_refused(fg_base64url_decode, fg_str(url[i]));
    assert_refused(fg_base64_decode, (fg_str_t){"Zm9v\0", 5});
}

/* XML Signature: white space anywhere, nothing else more; XS-18: no comments in a DigestValue */
static void base64_of_xml_skips_white_space_alone(void **state) {
    (void)state;
    fg_buf_t buf = FG_BUF_INIT(100);
    assert_true(fg_base64_decode_xml(&buf, FG_STR(" Zm9v\r\n\tYg = =\n")));
    assert_true(fg_str_is(fg_buf_str(&buf), "foob"));
    fg_buf_free(&buf);
    assert_refused(fg_base64_decode_xml, FG_STR("Zm9v\vYg=="));
    assert_refused(fg_base64_decode_xml, FG_STR("Zm9v Yg"));
    assert_refused(fg_base64_decode_xml, FG_STR("Zm9v<!-- -->Yg=="));
    assert_refused(fg_base64_decode_xml, FG_STR("Zm9vYg== Zm9v"));
}

static void decoding_stops_at_the_buffer_s_maximum(void **state) {
    (void)state;
    fg_buf_t buf = FG_BUF_INIT(5);
    assert_false(fg_base64_decode(&buf, FG_STR("Zm9vYmFy")));
    fg_buf_free(&buf);
}

/* ---- sealing */

static const unsigned char seal_key[FG_SEAL_KEY_SIZE] = "0123456789abcdef0123456789abcde";

static void seal(test_env_t *test, fg_str_t plain, fg_buf_t *out) { assert_true(fg_seal(&test->env, seal_key, FG_STR("cookie"), plain, out)); }

static void what_is_sealed_opens_again(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    static const char *texts[] = {"", "x", "a session"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        fg_buf_t sealed = FG_BUF_INIT(200), again = FG_BUF_INIT(200), plain = FG_BUF_INIT(200);
        seal(&test, fg_str(texts[i]), &sealed);
        seal(&test, fg_str(texts[i]), &again);
        assert_int_equal(sealed.length, 12 + strlen(texts[i]) + 16);
        assert_false(fg_str_eq(fg_buf_str(&sealed), fg_buf_str(&again))); /* a nonce of its own */
        assert_true(fg_seal_open(seal_key, FG_STR("cookie"), fg_buf_str(&sealed), &plain));
        assert_true(fg_str_is(fg_buf_str(&plain), texts[i]));
        fg_buf_free(&sealed), fg_buf_free(&again), fg_buf_free(&plain);
    }
}

static void a_changed_seal_does_not_open(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_buf_t sealed = FG_BUF_INIT(200), plain = FG_BUF_INIT(200);
    seal(&test, FG_STR("a session"), &sealed);
    for (size_t i = 0; i < sealed.length; i++) {
        sealed.data[i] ^= 1;
        assert_false(fg_seal_open(seal_key, FG_STR("cookie"), fg_buf_str(&sealed), &plain));
        assert_int_equal(plain.length, 0);
        sealed.data[i] ^= 1;
    }
    for (size_t n = 0; n < sealed.length; n++)
        assert_false(fg_seal_open(seal_key, FG_STR("cookie"), (fg_str_t){sealed.data, n}, &plain));
    unsigned char other[FG_SEAL_KEY_SIZE] = {1};
    assert_false(fg_seal_open(other, FG_STR("cookie"), fg_buf_str(&sealed), &plain));
    assert_false(fg_seal_open(seal_key, FG_STR("cookiE"), fg_buf_str(&sealed), &plain));
    assert_false(fg_seal_open(seal_key, FG_STR(""), fg_buf_str(&sealed), &plain));
    assert_true(fg_seal_open(seal_key, FG_STR("cookie"), fg_buf_str(&sealed), &plain)); /* control */
    assert_true(fg_str_is(fg_buf_str(&plain), "a session"));
    fg_buf_free(&sealed), fg_buf_free(&plain);
}

static void without_randomness_nothing_is_sealed(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    test.random_fails = true;
    fg_buf_t sealed = FG_BUF_INIT(200);
    assert_false(fg_seal(&test.env, seal_key, FG_STR("cookie"), FG_STR("a session"), &sealed));
    assert_int_equal(sealed.length, 0);
    fg_buf_free(&sealed);
}

/* ---- the hot path */

/* What a request with a session costs: a cookie opened, a key of the store hashed. */
static void nothing_is_allocated_for_each_call(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_buf_t sealed = FG_BUF_INIT(4096), plain = FG_BUF_INIT(4096);
    unsigned char digest[FG_SHA256_SIZE];
    char text[2000] = {0};
    struct timespec begin, end;
    seal(&test, (fg_str_t){text, sizeof text}, &sealed);
    assert_true(fg_seal_open(seal_key, FG_STR("cookie"), fg_buf_str(&sealed), &plain));
    fg_sha256("abc", 3, digest);
    enum { ROUNDS = 2000 };
    int64_t took[3];
    unsigned before = allocations;
    for (int what = 0; what < 3; what++) {
        clock_gettime(CLOCK_MONOTONIC, &begin);
        for (int i = 0; i < ROUNDS; i++) {
            fg_buf_reset(&plain);
            assert_true(what != 0 || fg_seal_open(seal_key, FG_STR("cookie"), fg_buf_str(&sealed), &plain));
            if (what == 1)
                fg_hmac_sha256(FG_STR("key"), (fg_str_t){text, 300}, digest);
            if (what == 2)
                fg_sha256(text, 64, digest);
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        took[what] = ((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec) / ROUNDS;
    }
    print_message("opening 2000 bytes %lld ns, HMAC of 300 bytes %lld ns, SHA-256 of 64 bytes %lld ns\n", (long long)took[0],
                  (long long)took[1], (long long)took[2]);
    assert_int_equal(allocations, before);
    fg_buf_free(&sealed), fg_buf_free(&plain);
}

static void *seal_and_open(void *argument) {
    test_env_t test;
    test_env_init(&test);
    bool *ok = argument;
    for (int i = 0; i < 300 && *ok; i++) {
        unsigned char key[FG_SEAL_KEY_SIZE] = {(unsigned char)i}, digest[FG_SHA256_SIZE], hash[FG_SHA256_SIZE];
        fg_buf_t sealed = FG_BUF_INIT(200), plain = FG_BUF_INIT(200);
        fg_sha256(&i, sizeof i, digest);
        *ok = fg_seal(&test.env, key, FG_STR("aad"), (fg_str_t){(char *)digest, sizeof digest}, &sealed) &&
              !fg_seal_open(seal_key, FG_STR("aad"), fg_buf_str(&sealed), &plain) &&
              fg_seal_open(key, FG_STR("aad"), fg_buf_str(&sealed), &plain);
        fg_sha256(&i, sizeof i, hash);
        *ok = *ok && plain.length == sizeof hash && memcmp(plain.data, hash, sizeof hash) == 0;
        fg_buf_free(&sealed), fg_buf_free(&plain);
    }
    return NULL;
}

static void threads_do_not_share_a_context(void **state) {
    (void)state;
    pthread_t threads[4];
    bool ok[4];
    for (size_t i = 0; i < FG_ARRAY_SIZE(threads); i++) {
        ok[i] = true;
        assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, &ok[i]), 0);
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_true(ok[i]);
    }
}

int main(void) {
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_their_published_values),
        cmocka_unit_test(hmac_sha1_matches_its_published_values),
        cmocka_unit_test(p_sha1_is_that_of_others),
        cmocka_unit_test(derived_keys_are_those_of_others),
        cmocka_unit_test(secrets_are_equal_only_if_whole),
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(base64_takes_the_canonical_form_only),
        cmocka_unit_test(base64_of_xml_skips_white_space_alone),
        cmocka_unit_test(decoding_stops_at_the_buffer_s_maximum),
        cmocka_unit_test(what_is_sealed_opens_again),
        cmocka_unit_test(a_changed_seal_does_not_open),
        cmocka_unit_test(without_randomness_nothing_is_sealed),
        cmocka_unit_test(nothing_is_allocated_for_each_call),
        cmocka_unit_test(threads_do_not_share_a_context),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
