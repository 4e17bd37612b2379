/* SPDX-License-Identifier: GPL-2.0-or-later
 * Encrypted assertions, opened by the xmlsec1 command. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/xml.h"
#include "token/encrypt.h"

static const char plain[] = "<saml:Assertion xmlns:saml=\"" FG_NS_SAML1 "\" AssertionID=\"_1\">alice</saml:Assertion>";
static char folder[] = "/tmp/fedgate-encrypt-XXXXXX";
static char key_path[64], in_path[64], out_path[64];
static fg_key_t *rsa, *ec;

/* Runs xmlsec1 --decrypt; false: it failed.  Skips where there is none. */
static bool xmlsec1_decrypt(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        execlp("xmlsec1", "xmlsec1", "--decrypt", "--privkey-pem", key_path, "--output", out_path, in_path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The base64 text of the encrypted content. */
static char *content_of(const fg_buf_t *out) {
    return strstr(strstr(out->data, "</xenc:EncryptedKey>"), "<xenc:CipherValue>") + strlen("<xenc:CipherValue>");
}

static void encrypted_assertion_is_opened_by_xmlsec1(void **state) {
    (void)state;
    static const struct { fg_saml_version_t version; fg_encryption_t encryption; const char *begin; const char *algorithm; } cases[] = {
        {FG_SAML_11, FG_ENCRYPT_AES256_CBC, "<xenc:EncryptedData ", "xmlenc#aes256-cbc"},
        {FG_SAML_20, FG_ENCRYPT_AES256_CBC, "<saml:EncryptedAssertion ", "xmlenc#aes256-cbc"},
        {FG_SAML_11, FG_ENCRYPT_AES256_GCM, "<xenc:EncryptedData ", "xmlenc11#aes256-gcm"},
        {FG_SAML_20, FG_ENCRYPT_AES256_GCM, "<saml:EncryptedAssertion ", "xmlenc11#aes256-gcm"},
    };
    test_env_t test;
    test_env_init(&test);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_buf_t out = FG_BUF_INIT(1u << 20), opened = FG_BUF_INIT(1u << 20);
        fg_err_t err = FG_ERR_INIT;
        assert_true(fg_assertion_encrypt(&test.env, cases[i].version, FG_STR(plain), rsa, cases[i].encryption, &out, &err));
        assert_true(fg_str_starts(fg_buf_str(&out), cases[i].begin));
        assert_non_null(strstr(out.data, cases[i].algorithm));
        assert_null(strstr(out.data, "AssertionID"));
        assert_true(fg_file_replace(in_path, fg_buf_str(&out), 0600, &err));
        assert_true(xmlsec1_decrypt());
        assert_true(fg_file_read(out_path, &opened, NULL, &err));
        assert_non_null(strstr(opened.data, plain));
        /* a changed GCM text is not opened; CBC has no such guard, hence the signature inside */
        if (cases[i].encryption == FG_ENCRYPT_AES256_GCM) {
            char *text = content_of(&out) + 30;
            *text = *text == 'A' ? 'B' : 'A';
            assert_true(fg_file_replace(in_path, fg_buf_str(&out), 0600, &err));
            assert_false(xmlsec1_decrypt());
        }
        fg_buf_free(&out);
        fg_buf_free(&opened);
    }
}

static void every_encryption_has_a_fresh_key(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_buf_t a = FG_BUF_INIT(1u << 20), b = FG_BUF_INIT(1u << 20);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_assertion_encrypt(&test.env, FG_SAML_20, FG_STR(plain), rsa, FG_ENCRYPT_AES256_CBC, &a, &err));
    assert_true(fg_assertion_encrypt(&test.env, FG_SAML_20, FG_STR(plain), rsa, FG_ENCRYPT_AES256_CBC, &b, &err));
    assert_memory_not_equal(content_of(&a), content_of(&b), 20); /* IV */
    assert_memory_not_equal(content_of(&a) + 30, content_of(&b) + 30, 20);
    fg_buf_free(&a);
    fg_buf_free(&b);
}

static void what_cannot_be_encrypted_is_refused(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    fg_buf_t out = FG_BUF_INIT(1u << 20), small = FG_BUF_INIT(100);
    fg_err_t err = FG_ERR_INIT;
    assert_false(fg_assertion_encrypt(&test.env, FG_SAML_20, FG_STR(plain), ec, FG_ENCRYPT_AES256_CBC, &out, &err));
    assert_err(&err, FG_E_CONFIG);
    assert_false(fg_assertion_encrypt(&test.env, FG_SAML_20, FG_STR(plain), rsa, FG_ENCRYPT_AES256_CBC, &small, &err));
    assert_err(&err, FG_E_MEMORY);
    test.random_fails = true;
    assert_false(fg_assertion_encrypt(&test.env, FG_SAML_20, FG_STR(plain), rsa, FG_ENCRYPT_AES256_CBC, &out, &err));
    assert_err(&err, FG_E_INTERNAL);
    fg_encryption_t encryption;
    assert_true(fg_encryption_from_name("aes256-gcm", &encryption));
    assert_int_equal(encryption, FG_ENCRYPT_AES256_GCM);
    assert_false(fg_encryption_from_name("tripledes-cbc", &encryption));
    fg_buf_free(&out);
    fg_buf_free(&small);
}

static int make_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    rsa = fg_key_generate(FG_KEY_RSA_2048, "partner", TEST_NOW, TEST_NOW + 86400000, &err);
    ec = fg_key_generate(FG_KEY_EC_P256, "partner", TEST_NOW, TEST_NOW + 86400000, &err);
    if (rsa == NULL || ec == NULL || mkdtemp(folder) == NULL)
        return -1;
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    snprintf(in_path, sizeof in_path, "%s/in.xml", folder);
    snprintf(out_path, sizeof out_path, "%s/out.xml", folder);
    bool ok = fg_key_to_pem(rsa, &pem, &err) && fg_file_replace(key_path, fg_buf_str(&pem), 0600, &err);
    fg_buf_free(&pem);
    return ok ? 0 : -1;
}

static int clean_up(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(ec);
    unlink(key_path);
    unlink(in_path);
    unlink(out_path);
    return rmdir(folder);
}

int main(void) {
    if (!fg_crypto_start())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encrypted_assertion_is_opened_by_xmlsec1),
        cmocka_unit_test(every_encryption_has_a_fresh_key),
        cmocka_unit_test(what_cannot_be_encrypted_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, make_keys, clean_up);
    fg_crypto_stop();
    return failed;
}
