/* SPDX-License-Identifier: GPL-2.0-or-later
 * Encryption of SAML 2.0 answers, whole and in parts (attacks XE-01 to XE-06). */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "token/encrypt.h"

/* ---- XE */

static fg_key_t *make_rsa(void) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(FG_KEY_RSA_2048, "encryption", TEST_NOW, TEST_NOW + FG_DAY, &err);
}

static void encrypted_assertions_are_read(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    b->keys.encryption[FG_KEY_PREVIOUS] = make_rsa();
    for (int i = 0; i < 4; i++) { /* either key; signed inside or around */
        saml_answer_t a = saml_round(b);
        a.encrypt_to = b->keys.encryption[i & 1 ? FG_KEY_PREVIOUS : FG_KEY_ACTIVE];
        a.key = i & 2 ? NULL : saml_world.idp_key;
        a.response_key = i & 2 ? saml_world.idp_key : NULL;
        assert_true(saml_accepted(b, &a));
    }
}

/* XE-01, XE-06: one face for what cannot be opened; and encryption replaces no signature. */
static void xe_01_and_06_encryption_replaces_no_signature(void **state) {
    browser_t *b = *state;
    fg_key_t *stranger = make_rsa();
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    saml_answer_t a = saml_round(b);
    a.encrypt_to = stranger;
    assert_true(saml_refused(b, &a, FG_E_DECRYPT));
    a = saml_round(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE], a.key = NULL;
    assert_true(saml_refused(b, &a, FG_E_SIG_MISSING));
    a = saml_round(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE], a.key = saml_world.evil_key;
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    a = saml_round(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
    assert_true(saml_accepted(b, &a));
    fg_key_unref(stranger);
}

/* Something of an assertion, encrypted to us; freed by the caller.  It stands in what declares saml. */
static char *seal(browser_t *b, const char *plain, const char *holder) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    if (!fg_assertion_encrypt(&b->test.env, FG_SAML_20, fg_str(plain), b->keys.encryption[FG_KEY_ACTIVE],
                              FG_ENCRYPT_AES256_GCM, &out, &err))
        fail_msg("%s", err.detail);
    char tag[60];
    snprintf(tag, sizeof tag, "<saml:%s>", holder);
    char *open = saml_replace(out.data, "<saml:EncryptedAssertion xmlns:saml=\"" FG_NS_SAML2 "\">", tag), *closed;
    snprintf(tag, sizeof tag, "</saml:%s>", holder);
    closed = saml_replace(open, "</saml:EncryptedAssertion>", tag);
    free(open);
    fg_buf_free(&out);
    return closed;
}

#define NAME_ID "<saml:NameID>pat</saml:NameID>"
#define DECLARED "xmlns:saml=\"" FG_NS_SAML2 "\""

static void encrypted_names_and_attributes_are_read(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *attribute = seal(b,
                           "<saml:Attribute " DECLARED " Name=\"" FG_CLAIM_ROLE "\"><saml:AttributeValue>Hidden"
                           "</saml:AttributeValue></saml:Attribute>",
                           "EncryptedAttribute");
    char *name = seal(b, "<saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID"), *statement;
    assert_true(asprintf(&statement, "%s</saml:AttributeStatement>", attribute) > 0);
    saml_answer_t a = saml_round(b);
    a.from = "</saml:AttributeStatement>", a.to = statement;
    assert_true(saml_accepted(b, &a));
    assert_non_null(strstr(saml_token_seen(b), ">Hidden<"));
    a = saml_round(b);
    a.from = NAME_ID, a.to = name;
    assert_true(saml_accepted(b, &a));
    assert_non_null(strstr(b->audit, "\"accepted\""));
    free(attribute), free(name), free(statement);
}

/* XE-06: what comes out must be what its holder is for; XE-04: not any number of them. */
static void xe_06_encrypted_parts(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *wrong = seal(b, "<saml:Attribute " DECLARED " Name=\"x\"></saml:Attribute>", "EncryptedID");
    char *bare = seal(b, "<!DOCTYPE x><saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID");
    char *name = seal(b, "<saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID"), *both;
    assert_true(asprintf(&both, "%s" NAME_ID, name) > 0);
    const struct {
        const char *to;
        fg_code_t code;
    } cases[] = {{wrong, FG_E_DECRYPT}, {bare, FG_E_DECRYPT}, {both, FG_E_TOKEN_MALFORMED}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b);
        a.from = NAME_ID, a.to = cases[i].to;
        if (!saml_refused(b, &a, cases[i].code))
            fail_msg("case %zu", i);
    }
    saml_answer_t a = saml_round(b);
    a.from = NAME_ID, a.to = name;
    assert_true(saml_accepted(b, &a));
    free(wrong), free(bare), free(name), free(both);
}

static void too_many_encrypted_parts(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *one = seal(b, "<saml:Attribute " DECLARED " Name=\"x\"></saml:Attribute>", "EncryptedAttribute");
    for (int count = 32; count <= 33; count++) {
        fg_buf_t many = FG_BUF_INIT(1u << 17);
        for (int i = 0; i < count; i++)
            fg_buf_puts(&many, one);
        fg_buf_puts(&many, "</saml:AttributeStatement>");
        saml_answer_t a = saml_round(b);
        a.from = "</saml:AttributeStatement>", a.to = many.data;
        if (count == 32 ? !saml_accepted(b, &a) : !saml_refused(b, &a, FG_E_TOKEN_MALFORMED))
            fail_msg("%d", count);
        fg_buf_free(&many);
    }
    free(one);
}

static const struct {
    const char *id, *from, *to;
    fg_code_t code;
} seals[] = {
    {"XE-02", "xmlenc#rsa-oaep-mgf1p", "xmlenc#rsa-1_5", FG_E_SIG_ALGORITHM},
    {"XE-03", "<xenc:CipherValue>",
     "<xenc:CipherReference URI=\"https://idp.test/x\"></xenc:CipherReference><xenc:CipherValue>",
     FG_E_TOKEN_MALFORMED},
    {"XE-05", "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
     FG_E_SIG_ALGORITHM},
};

static void xe_02_to_05_what_is_not_taken(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    for (size_t i = 0; i < FG_ARRAY_SIZE(seals); i++) {
        saml_answer_t a = saml_round(b);
        a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
        char *sealed = saml_assertion(b, &a), *altered = saml_replace(sealed, seals[i].from, seals[i].to);
        char *xml = saml_response(b, &a, altered);
        saml_post(b, xml);
        if (!browser_refused(b, seals[i].code))
            fail_msg("%s, case %zu: %s", seals[i].id, i, sealed);
        free(sealed), free(altered), free(xml);
        a = saml_round(b);
        a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
        assert_true(saml_accepted(b, &a));
    }
}

/* XE-01: a byte of the ciphertext; XE-04: five keys. */
static void xe_01_and_04_tampering_and_many_keys(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    saml_answer_t a = saml_round(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
    char *sealed = saml_assertion(b, &a), *value = NULL;
    for (char *at = sealed; (at = strstr(at, "<xenc:CipherValue>")) != NULL; at++)
        value = at + strlen("<xenc:CipherValue>") + 100; /* of the last: the content */
    *value = *value == 'A' ? 'B' : 'A';
    char *xml = saml_response(b, &a, sealed);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_DECRYPT));
    *value = *value == 'A' ? 'B' : 'A';
    free(xml);
    char *key = strstr(sealed, "<xenc:EncryptedKey"), *end = strstr(sealed, "</xenc:EncryptedKey>");
    char *one = strndup(key, (size_t)(end - key) + strlen("</xenc:EncryptedKey>")), *five, *many;
    assert_true(asprintf(&five, "%s%s%s%s%s", one, one, one, one, one) > 0);
    many = saml_replace(sealed, one, five);
    a = saml_round(b);
    xml = saml_response(b, &a, many);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_MALFORMED));
    free(xml), free(one), free(five), free(many), free(sealed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, saml_world_set_up, saml_world_tear_down)
        T(encrypted_assertions_are_read),
        T(xe_01_and_06_encryption_replaces_no_signature),
        T(encrypted_names_and_attributes_are_read),
        T(xe_06_encrypted_parts),
        T(too_many_encrypted_parts),
        T(xe_02_to_05_what_is_not_taken),
        T(xe_01_and_04_tampering_and_many_keys),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
