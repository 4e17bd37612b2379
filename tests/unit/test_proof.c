/* SPDX-License-Identifier: GPL-2.0-or-later
 * Proof keys in KeyInfo, and assertions that only who has the key may wield, or that somebody else vouches for. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/time.h"
#include "token/assertion.h"
#include "token/proof.h"

#define SECRET FG_STR("0123456789abcdef0123456789ABCDEF")
#define BEARER (1u << FG_CONFIRM_BEARER)
#define HOLDER (1u << FG_CONFIRM_HOLDER_OF_KEY)
#define VOUCHES (1u << FG_CONFIRM_SENDER_VOUCHES)

static char folder[] = "/tmp/fedgate-proof-XXXXXX";
static char key_path[64], in_path[64], out_path[64];
static fg_key_t *issuer, *rsa, *other, *p256, *p384, *bare_rsa, *bare_p256, *bare_p384;
static test_env_t test;
static fg_arena_t *arena;
static fg_err_t err;

static xmlNode *parse(const char *text) {
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), NULL, &err);
    if (doc == NULL)
        fail_msg("%s: %s", text, err.detail);
    return xmlDocGetRootElement(doc);
}

static const char *take(fg_buf_t *out) {
    assert_true(fg_buf_ok(out));
    const char *text = fg_arena_str(arena, fg_buf_str(out)).p;
    fg_buf_free(out);
    return text;
}

static const char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("the test looks for %s", from);
    return fg_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static const char *key_text(const fg_key_t *key) {
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    assert_true(fg_proof_write_key(key, &out, &err));
    return take(&out);
}

static const char *secret_text(const fg_key_t *recipient) {
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    assert_true(fg_proof_write_secret(SECRET, recipient, &out, &err));
    return take(&out);
}

static const char *key_info(const char *children) {
    return fg_arena_printf(arena, "<ds:KeyInfo xmlns:ds=\"" FG_NS_DS "\" xmlns:d11=\"" FG_NS_DSIG11 "\" xmlns:wsse=\"" FG_NS_WSSE "\">%s</ds:KeyInfo>", children);
}

static fg_code_t read_info(const xmlNode *node, fg_proof_t *proof) {
    const fg_key_t *ours[] = {rsa};
    err = (fg_err_t)FG_ERR_INIT;
    return fg_proof_read(arena, node, &(fg_enc_recipients_t){ours, 1}, proof, &err) ? FG_OK : err.code;
}

static fg_code_t read_text(const char *children, fg_proof_t *proof) { return read_info(parse(key_info(children)), proof); }

/* ---- KeyInfo ---- */

static void keys_come_back(void **state) {
    (void)state;
    const fg_key_t *keys[] = {rsa, p256, p384, bare_rsa, bare_p256, bare_p384};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++) {
        fg_proof_t proof;
        const char *text = key_text(keys[i]);
        assert_int_equal(read_text(text, &proof), FG_OK);
        assert_string_equal(fg_key_get_id(proof.key), fg_key_get_id(keys[i]));
        assert_false(fg_key_is_private(proof.key));
        assert_int_equal(fg_key_get_x509(proof.key) != NULL, fg_key_get_x509(keys[i]) != NULL);
        assert_null(proof.secret.p);
        /* the same key named once more, in other words */
        assert_int_equal(read_text(fg_arena_printf(arena, "<ds:KeyName>k</ds:KeyName>%s%s", text, key_text(keys[(i + 3) % 6])), &proof), FG_OK);
        assert_non_null(fg_key_get_x509(proof.key));
    }
}

static void secrets_come_back(void **state) {
    (void)state;
    fg_proof_t proof;
    assert_int_equal(read_text(secret_text(rsa), &proof), FG_OK);
    assert_null(proof.key);
    assert_true(fg_str_eq(proof.secret, SECRET));
    assert_int_equal(read_text(secret_text(other), &proof), FG_OK); /* XE-01: not ours, and not told */
    assert_int_equal(proof.secret.n, 32);
    assert_false(fg_str_eq(proof.secret, SECRET));
    assert_false(fg_proof_read(arena, parse(key_info(secret_text(rsa))), NULL, &proof, &err));
    assert_err(&err, FG_E_SIG_KEY);
    assert_true(fg_proof_read(arena, parse(key_info(key_text(rsa))), NULL, &proof, &err));
}

static void xs_22_one_key_only(void **state) {
    (void)state;
    fg_proof_t proof;
    const char *certificate = key_text(rsa), *value = key_text(bare_rsa), *point = key_text(bare_p256), *secret = secret_text(rsa);
    const char *bad[] = {
        fg_arena_printf(arena, "%s%s", certificate, point), fg_arena_printf(arena, "%s%s", value, key_text(other)), fg_arena_printf(arena, "%s%s", secret, value),
        fg_arena_printf(arena, "%s%s", value, secret), fg_arena_printf(arena, "%s%s", secret, secret),
        replace(certificate, "</ds:X509Data>", strstr(certificate, "<ds:X509Certificate>")), "", "<ds:KeyName>k</ds:KeyName>", "<ds:X509Data/>",
        replace(value, "</ds:RSAKeyValue>", "</ds:RSAKeyValue><ds:RSAKeyValue/>"), replace(value, "<ds:Exponent>", "<ds:Exponent>AQAB</ds:Exponent><ds:Exponent>"),
    };
    assert_int_equal(read_text(fg_arena_printf(arena, "%s%s", certificate, value), &proof), FG_OK);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_code_t code = read_text(bad[i], &proof);
        if (code != FG_E_SIG_KEY)
            fail_msg("%s: %d", bad[i], code);
    }
}

static void weak_and_foreign_keys_are_refused(void **state) {
    (void)state;
    fg_proof_t proof;
    const char *value = key_text(bare_rsa), *point = key_text(bare_p256);
    char *off_curve = fg_arena_strdup(arena, point), *letter = strstr(off_curve, "PublicKey>B") + 20;
    *letter = *letter == 'A' ? 'B' : 'A';
    const char *modulus = fg_arena_printf(arena, "<ds:Modulus>%.*s</ds:Modulus>", (int)strcspn(strstr(value, "<ds:Modulus>") + 12, "<"), strstr(value, "<ds:Modulus>") + 12);
    const char *bad[] = {
        replace(value, ">AQAB<", ">AQ==<"), /* XS-26: e = 1 */
        replace(value, ">AQAB<", ">*<"), replace(value, ">AQAB<", "><"), replace(value, modulus, "<ds:Modulus>u60=</ds:Modulus>"), replace(value, modulus, ""),
        replace(point, "1.2.840.10045.3.1.7", "1.3.132.0.10"), replace(point, "1.2.840.10045.3.1.7", "1.3.132.0.34"), replace(point, "PublicKey>B", "PublicKey>A"),
        replace(point, "PublicKey>B", "PublicKey>C"), off_curve, replace(replace(point, "<dsig11:NamedCurve", "<dsig11:ECParameters"), "</dsig11:NamedCurve", "</dsig11:ECParameters"),
        "<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>", "<ds:KeyValue/>", "<ds:RetrievalMethod URI=\"http://127.0.0.1:1/\"/>", "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
        "<wsse:SecurityTokenReference/>", "<ds:X509Data><ds:X509IssuerSerial/></ds:X509Data>", "<ds:PGPData/>",
    };
    assert_int_equal(read_text(point, &proof), FG_OK);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_code_t code = read_text(bad[i], &proof);
        if (code != FG_E_SIG_KEY)
            fail_msg("%zu %s: %d", i, bad[i], code);
    }
    assert_int_equal(read_text(replace(secret_text(rsa), "rsa-oaep-mgf1p", "rsa-1_5"), &proof), FG_E_SIG_ALGORITHM); /* XE-02 */
}

/* ---- assertions ---- */

static const fg_claim_t claim_items[] = {{.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Staff")}};
static const fg_claims_t claims = {(fg_claim_t *)claim_items, 1, 0};
static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW - 5000};

static fg_assertion_t sample(fg_saml_version_t version, fg_confirmation_t confirmation, const char *proof) {
    return (fg_assertion_t){
        .version = version, .id = "_id-1", .issuer = FG_STR("http://fs.example.test/adfs/services/trust"), .issue_instant_ms = TEST_NOW, .not_before_ms = TEST_NOW,
        .not_on_or_after_ms = TEST_NOW + FG_HOUR, .audience = FG_STR("urn:rp"), .name_id = {.value = FG_STR("alice")}, .confirmation = confirmation,
        .proof_key_info = proof ? fg_str(proof) : FG_STR_NONE, .identity = &identity, .claims = &claims,
    };
}

static const char *write_assertion(fg_saml_version_t version, fg_confirmation_t confirmation, const char *proof) {
    fg_buf_t out = FG_BUF_INIT(1u << 18);
    fg_assertion_t assertion = sample(version, confirmation, proof);
    if (!fg_assertion_write(&assertion, issuer, &out, &err))
        fail_msg("%s", err.detail);
    return take(&out);
}

static fg_code_t read_assertion(const char *text, unsigned confirmations, fg_assertion_read_t *read) {
    const fg_key_t *keys[] = {issuer};
    const fg_str_t audience = FG_STR("urn:rp");
    const fg_assertion_trust_t trust = {.issuer = FG_STR("http://fs.example.test/adfs/services/trust"), .dsig = {.keys = keys, .key_count = 1}, .audiences = &audience, .audience_count = 1, .confirmations = confirmations};
    err = (fg_err_t)FG_ERR_INIT;
    return fg_assertion_read(&test.env, arena, parse(text), &trust, read, &err) ? FG_OK : err.code;
}

/* Takes the signature off, changes something and signs again. */
static const char *change(const char *text, const char *from, const char *to) {
    const char *begin = strstr(text, "<ds:Signature "), *end = strstr(text, "</ds:Signature>") + strlen("</ds:Signature>");
    fg_buf_t out = FG_BUF_INIT(1u << 18);
    size_t at = 0;
    fg_buf_puts(&out, replace(fg_arena_printf(arena, "%.*s<!-- -->%s", (int)(begin - text), text, end), from, to));
    at = (size_t)(strstr(out.data, "<!-- -->") - out.data);
    const char *whole = take(&out);
    fg_buf_puts(&out, replace(whole, "<!-- -->", ""));
    assert_true(fg_dsig_sign(&out, 0, at, FG_STR("_id-1"), issuer, &err));
    return take(&out);
}

static bool xmlsec1(const char *const arguments[]) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execvp("xmlsec1", (char *const *)arguments);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void write_pem(const fg_key_t *key) {
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    assert_true(fg_key_to_pem(key, &pem, &err) && fg_file_replace(key_path, fg_buf_str(&pem), 0600, &err));
    fg_buf_free(&pem);
}

static void assert_others_verify(const char *text) {
    fg_buf_t out = FG_BUF_INIT(1u << 18);
    assert_true(fg_xml_canonical(parse(text), &out, &err));
    assert_string_equal(text, take(&out));
    write_pem(issuer);
    assert_true(fg_file_replace(in_path, fg_str(text), 0600, &err));
    const char *arguments[] = {"xmlsec1", "--verify", "--privkey-pem", key_path, "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "--id-attr:AssertionID", "urn:oasis:names:tc:SAML:1.0:assertion:Assertion", in_path, NULL};
    assert_true(xmlsec1(arguments));
}

static void sa_09_holder_of_key(void **state) {
    (void)state;
    const char *proofs[] = {key_text(rsa), key_text(p256), key_text(bare_rsa), key_text(bare_p384), secret_text(rsa)};
    const fg_key_t *keys[] = {rsa, p256, bare_rsa, bare_p384, NULL};
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        for (size_t i = 0; i < FG_ARRAY_SIZE(proofs); i++) {
            const char *text = write_assertion((fg_saml_version_t)version, FG_CONFIRM_HOLDER_OF_KEY, proofs[i]);
            fg_assertion_read_t read;
            fg_proof_t proof;
            assert_others_verify(text);
            assert_null(strstr(text, "cm:bearer"));
            assert_int_equal(read_assertion(text, 0, &read), FG_E_TOKEN_CONFIRMATION);
            assert_int_equal(read_assertion(text, BEARER | VOUCHES, &read), FG_E_TOKEN_CONFIRMATION);
            assert_int_equal(read_assertion(text, HOLDER, &read), FG_OK);
            assert_int_equal(read_assertion(text, BEARER | HOLDER, &read), FG_OK);
            assert_int_equal(read.confirmation, FG_CONFIRM_HOLDER_OF_KEY);
            assert_int_equal(read_info(read.proof_key_info, &proof), FG_OK);
            if (keys[i] != NULL)
                assert_string_equal(fg_key_get_id(proof.key), fg_key_get_id(keys[i]));
            else
                assert_true(fg_str_eq(proof.secret, SECRET));
        }
    }
}

static void other_confirmations_are_told_apart(void **state) {
    (void)state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        fg_assertion_read_t read;
        const char *bearer = write_assertion((fg_saml_version_t)version, FG_CONFIRM_BEARER, NULL), *vouched = write_assertion((fg_saml_version_t)version, FG_CONFIRM_SENDER_VOUCHES, NULL);
        assert_others_verify(vouched);
        assert_int_equal(read_assertion(bearer, 0, &read), FG_OK);
        assert_int_equal(read.confirmation, FG_CONFIRM_BEARER);
        assert_null(read.proof_key_info);
        assert_int_equal(read_assertion(bearer, HOLDER | VOUCHES, &read), FG_E_TOKEN_CONFIRMATION);
        assert_int_equal(read_assertion(vouched, 0, &read), FG_E_TOKEN_CONFIRMATION);
        assert_int_equal(read_assertion(vouched, BEARER | HOLDER, &read), FG_E_TOKEN_CONFIRMATION);
        assert_int_equal(read_assertion(vouched, VOUCHES, &read), FG_OK);
        assert_int_equal(read.confirmation, FG_CONFIRM_SENDER_VOUCHES);
    }
}

#define CM11 "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:"
#define CM11_END "</saml:ConfirmationMethod>"

/* SA-09, SA-10: every statement of SAML 1.1 says the same about who may wield it. */
static void statements_agree(void **state) {
    (void)state;
    const char *key = key_text(bare_p256), *text = write_assertion(FG_SAML_11, FG_CONFIRM_HOLDER_OF_KEY, key);
    const char *info = fg_arena_printf(arena, "<ds:KeyInfo xmlns:ds=\"" FG_NS_DS "\">%s</ds:KeyInfo>", key), *method = CM11 "holder-of-key" CM11_END;
    const struct { const char *from, *to; fg_code_t code; } cases[] = {
        {"Staff", "Boss", FG_OK},
        {key, key_text(bare_p384), FG_E_TOKEN_CONFIRMATION},
        {info, "", FG_E_TOKEN_CONFIRMATION},
        {info, fg_arena_printf(arena, "%s%s", info, info), FG_E_TOKEN_CONFIRMATION},
        {method, CM11 "sender-vouches" CM11_END, FG_E_TOKEN_CONFIRMATION},
        {method, CM11 "bearer" CM11_END, FG_E_TOKEN_CONFIRMATION},
        {method, CM11 "bearer" CM11_END CM11 "holder-of-key" CM11_END, FG_E_TOKEN_CONFIRMATION},
        {method, CM11 "sender-vouches" CM11_END CM11 "holder-of-key" CM11_END, FG_OK}, /* another way that suffices, but not the better one */
    };
    fg_assertion_read_t read;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_code_t code = read_assertion(change(text, cases[i].from, cases[i].to), BEARER | HOLDER | VOUCHES, &read);
        if (code != cases[i].code)
            fail_msg("case %zu: %d %s", i, code, err.detail);
    }
    assert_int_equal(read_assertion(text, BEARER | HOLDER | VOUCHES, &read), FG_OK);
    assert_int_equal(read.confirmation, FG_CONFIRM_HOLDER_OF_KEY);
}

static void one_key_info_in_saml20(void **state) {
    (void)state;
    const char *key = key_text(bare_p256), *text = write_assertion(FG_SAML_20, FG_CONFIRM_HOLDER_OF_KEY, key);
    const char *info = fg_arena_printf(arena, "<ds:KeyInfo xmlns:ds=\"" FG_NS_DS "\">%s</ds:KeyInfo>", key), *type = " xsi:type=\"saml:KeyInfoConfirmationDataType\"";
    const char *untyped_from = " xmlns:xsi=\"" FG_NS_XSI "\" NotOnOrAfter=\"2026-01-01T01:00:00.000Z\" xsi:type=\"saml:KeyInfoConfirmationDataType\"";
    const struct { const char *from, *to; fg_code_t code; } cases[] = {
        {"Staff", "Boss", FG_OK},
        {untyped_from, " NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"", FG_OK}, /* some leave it out */
        {info, "", FG_E_TOKEN_CONFIRMATION},
        {info, fg_arena_printf(arena, "%s%s", info, info), FG_E_TOKEN_CONFIRMATION},
        {info, fg_arena_printf(arena, "%s<saml:Attribute></saml:Attribute>", info), FG_E_TOKEN_CONFIRMATION},
        {"NotOnOrAfter=\"2026-01-01T01:00:00.000Z\" xsi", "NotOnOrAfter=\"2025-12-31T23:00:00.000Z\" xsi", FG_E_TOKEN_EXPIRED},
        {"NotOnOrAfter=\"2026-01-01T01:00:00.000Z\" xsi", "NotOnOrAfter=\"2026-01-01T01:00:00.000Z\" Recipient=\"https://elsewhere.test/\" xsi", FG_E_TOKEN_RECIPIENT},
    };
    assert_non_null(strstr(text, type));
    fg_assertion_read_t read;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_code_t code = read_assertion(change(text, cases[i].from, cases[i].to), HOLDER, &read);
        if (code != cases[i].code)
            fail_msg("case %zu: %d %s", i, code, err.detail);
    }
}

static void holder_of_key_needs_a_key(void **state) {
    (void)state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        fg_buf_t out = FG_BUF_INIT(1u << 18);
        fg_assertion_t assertion = sample((fg_saml_version_t)version, FG_CONFIRM_HOLDER_OF_KEY, NULL);
        assert_false(fg_assertion_write(&assertion, issuer, &out, &err));
        assert_err(&err, FG_E_INTERNAL);
        fg_buf_free(&out);
    }
}

/* A KeyValue that xmlsec1 wrote is the key that it signed with. */
static void key_value_of_others_is_read(void **state) {
    (void)state;
    fg_proof_t proof;
    const char *arguments[] = {"xmlsec1", "--sign", "--privkey-pem", key_path, "--output", out_path, in_path, NULL};
    write_pem(rsa);
    assert_true(fg_file_replace(in_path, FG_STR(
        "<a><Signature xmlns=\"" FG_NS_DS "\"><SignedInfo><CanonicalizationMethod Algorithm=\"" FG_NS_EXC_C14N "\"/><SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
        "<Reference URI=\"\"><Transforms><Transform Algorithm=\"" FG_NS_DS "enveloped-signature\"/></Transforms><DigestMethod Algorithm=\"" FG_NS_XENC "sha256\"/><DigestValue/></Reference></SignedInfo>"
        "<SignatureValue/><KeyInfo><KeyValue/></KeyInfo></Signature></a>"), 0600, &err));
    assert_true(xmlsec1(arguments));
    fg_buf_t text = FG_BUF_INIT(1u << 18);
    assert_true(fg_file_read(out_path, &text, NULL, &err));
    xmlNode *signature = fg_xml_first_child(parse(take(&text)));
    assert_int_equal(read_info(fg_xml_only_child(signature, FG_NS_DS, "KeyInfo", &err), &proof), FG_OK);
    assert_string_equal(fg_key_get_id(proof.key), fg_key_get_id(rsa));
}

/* ---- */

/* The public key alone. */
static fg_key_t *strip(const fg_key_t *key) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    if (PEM_write_bio_PUBKEY(bio, fg_key_get_pkey(key)) != 1)
        return NULL;
    long length = BIO_get_mem_data(bio, &pem);
    fg_key_t *bare = fg_key_from_pem((fg_str_t){pem, (size_t)length}, &err);
    BIO_free(bio);
    return bare;
}

static int make_keys(void **state) {
    (void)state;
    issuer = fg_key_generate(FG_KEY_RSA_2048, "issuer", TEST_NOW, TEST_NOW + 86400000, &err);
    rsa = fg_key_generate(FG_KEY_RSA_2048, "rsa", TEST_NOW, TEST_NOW + 86400000, &err);
    other = fg_key_generate(FG_KEY_RSA_2048, "other", TEST_NOW, TEST_NOW + 86400000, &err);
    p256 = fg_key_generate(FG_KEY_EC_P256, "p256", TEST_NOW, TEST_NOW + 86400000, &err);
    p384 = fg_key_generate(FG_KEY_EC_P384, "p384", TEST_NOW, TEST_NOW + 86400000, &err);
    if (!issuer || !rsa || !other || !p256 || !p384 || mkdtemp(folder) == NULL)
        return -1;
    bare_rsa = strip(rsa);
    bare_p256 = strip(p256);
    bare_p384 = strip(p384);
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    snprintf(in_path, sizeof in_path, "%s/in.xml", folder);
    snprintf(out_path, sizeof out_path, "%s/out.xml", folder);
    return bare_rsa && bare_p256 && bare_p384 ? 0 : -1;
}

static int clean_up(void **state) {
    (void)state;
    fg_key_t *keys[] = {issuer, rsa, other, p256, p384, bare_rsa, bare_p256, bare_p384};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++)
        fg_key_unref(keys[i]);
    unlink(key_path);
    unlink(in_path);
    unlink(out_path);
    return rmdir(folder);
}

static int begin(void **state) {
    (void)state;
    test_env_init(&test);
    err = (fg_err_t)FG_ERR_INIT;
    arena = fg_arena_new(64u << 20);
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(keys_come_back),
        TEST(secrets_come_back),
        TEST(xs_22_one_key_only),
        TEST(weak_and_foreign_keys_are_refused),
        TEST(sa_09_holder_of_key),
        TEST(other_confirmations_are_told_apart),
        TEST(statements_agree),
        TEST(one_key_info_in_saml20),
        TEST(holder_of_key_needs_a_key),
        TEST(key_value_of_others_is_read),
    };
    int failed = cmocka_run_group_tests(tests, make_keys, clean_up);
    fg_crypto_stop();
    return failed;
}
