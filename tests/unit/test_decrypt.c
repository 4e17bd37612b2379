/* SPDX-License-Identifier: GPL-2.0-or-later
 * Encrypted assertions opened: ours, the xmlsec1 command's, other people's; and what must not be (XE-01..06), each
 * beside the same message without the defect. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "core/crypto.h"
#include "core/file.h"
#include "token/decrypt.h"
#include "token/encrypt.h"

#define PLAIN "<saml:Assertion xmlns:saml=\"" FG_NS_SAML2 "\" ID=\"_1\">alice</saml:Assertion>"
#define GCM FG_NS_XENC11 "aes256-gcm"
#define CBC FG_NS_XENC "aes256-cbc"
#define MGF1P FG_NS_XENC "rsa-oaep-mgf1p"
#define OAEP FG_NS_XENC11 "rsa-oaep"

static char folder[] = "/tmp/fedgate-decrypt-XXXXXX";
static char key_path[64], template_path[64], plain_path[64], out_path[64];
static fg_key_t *first, *second, *stranger, *ec;
static const fg_key_t *ours[3];
static fg_arena_t *arena;
static fg_err_t err;
static xmlNode *assertion;

/* ---- messages ---- */

/* What a message is made of; {0} is AES-256-GCM under RSA-OAEP-MGF1P for the first key. */
typedef struct recipe {
    const char *method, *transport, *inside; /* inside: of the transport's EncryptionMethod; NULL: SHA-1 */
    const EVP_CIPHER *cipher;
    const EVP_MD *digest, *mgf;
    const fg_key_t *recipient;
    const char *plain;
    size_t plain_length;
    bool rsa_15, sibling;
    int pad;                         /* what stands in CBC's last byte; 0: right */
    int key_flip, content_flip;      /* byte to change, from the end; 0: none */
    size_t key_size;                 /* 0: right */
    const char *key_info, *replaced; /* in EncryptedKey; the content's CipherData */
} recipe_t;

static const char *text64(const unsigned char *bytes, size_t length) {
    fg_buf_t text = FG_BUF_INIT(4u << 20);
    fg_base64_encode(&text, bytes, length);
    const char *copy = fg_arena_str(arena, fg_buf_str(&text)).p;
    fg_buf_free(&text);
    return copy;
}

static const char *wrap(const recipe_t *r, const unsigned char *key, size_t size) {
    unsigned char out[1024];
    size_t length = sizeof out;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(fg_key_get_pkey(r->recipient ? r->recipient : first), NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, r->rsa_15 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING), 1);
    if (!r->rsa_15) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(context, r->digest ? r->digest : EVP_sha1()), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(context, r->mgf ? r->mgf : EVP_sha1()), 1);
    }
    do { /* below the modulus of every key: what is above is told from the outside and costs nothing */
        length = sizeof out;
        assert_int_equal(EVP_PKEY_encrypt(context, out, &length, key, size), 1);
    } while (out[0] >= 0x80);
    EVP_PKEY_CTX_free(context);
    if (r->key_flip > 0)
        out[length - (size_t)r->key_flip] ^= 1;
    return text64(out, length);
}

static const char *seal(const recipe_t *r, const EVP_CIPHER *cipher, const unsigned char *key) {
    const char *plain = r->plain ? r->plain : PLAIN;
    size_t length = r->plain_length ? r->plain_length : strlen(plain), iv = (size_t)EVP_CIPHER_get_iv_length(cipher);
    unsigned char *out = fg_arena_alloc(arena, length + 64), *padded = fg_arena_alloc(arena, length + 32);
    bool cbc = EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CBC_MODE;
    size_t pad = cbc ? 16 - length % 16 : 0;
    int n = 0;
    memcpy(padded, plain, length);
    if (cbc) /* any bytes before the last (XML Encryption 1.1 §5.2.2) */
        padded[length + pad - 1] = (unsigned char)(r->pad ? r->pad - 1 : (int)pad);
    assert_int_equal(RAND_bytes(out, (int)iv), 1);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, cipher, NULL, key, out), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, out + iv, &n, padded, (int)(length + pad)), 1);
    int rest = 0;
    assert_int_equal(EVP_EncryptFinal_ex(context, out + iv + n, &rest), 1);
    size_t total = iv + length + pad;
    if (!cbc) {
        assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + total), 1);
        total += 16;
    }
    EVP_CIPHER_CTX_free(context);
    if (r->content_flip > 0)
        out[total - (size_t)r->content_flip] ^= 1;
    return text64(out, total);
}

static const char *cook(const recipe_t *r) {
    unsigned char key[64] = {1, 2, 3};
    const EVP_CIPHER *cipher = r->cipher ? r->cipher : EVP_aes_256_gcm();
    const char *wrapped = wrap(r, key, r->key_size ? r->key_size : (size_t)EVP_CIPHER_get_key_length(cipher)), *content = seal(r, cipher, key);
    const char *encrypted_key = fg_arena_printf(
        arena, "<e:EncryptedKey Id=\"k\"><e:EncryptionMethod Algorithm=\"%s\">%s</e:EncryptionMethod>%s<e:CipherData><e:CipherValue>%s</e:CipherValue></e:CipherData></e:EncryptedKey>",
        r->transport ? r->transport : MGF1P, r->inside ? r->inside : "<d:DigestMethod Algorithm=\"" FG_NS_DS "sha1\"/>", r->key_info ? r->key_info : "", wrapped);
    return fg_arena_printf(
        arena, "<s:EncryptedAssertion xmlns:s=\"" FG_NS_SAML2 "\" xmlns:e=\"" FG_NS_XENC "\" xmlns:e11=\"" FG_NS_XENC11 "\" xmlns:d=\"" FG_NS_DS "\">"
               "<e:EncryptedData Type=\"" FG_NS_XENC "Element\"><e:EncryptionMethod Algorithm=\"%s\"/><d:KeyInfo>%s</d:KeyInfo>"
               "<e:CipherData>%s%s%s</e:CipherData></e:EncryptedData>%s</s:EncryptedAssertion>",
        r->method ? r->method : GCM, r->sibling ? "<d:RetrievalMethod Type=\"" FG_NS_XENC "EncryptedKey\" URI=\"#k\"/>" : encrypted_key,
        r->replaced ? r->replaced : "<e:CipherValue>", r->replaced ? "" : content, r->replaced ? "" : "</e:CipherValue>", r->sibling ? encrypted_key : "");
}

static const fg_xml_limits_t limits = {.bytes = 1u << 20, .depth = 16, .elements = 100, .attributes = 8, .namespaces = 8};

static fg_code_t open_with(const char *xml, const fg_key_t *const *keys, size_t count) {
    err = (fg_err_t)FG_ERR_INIT;
    const fg_xml_limits_t outer = {.bytes = 4u << 20, .depth = 64, .elements = 20000, .attributes = 64, .namespaces = 64};
    xmlDoc *doc = fg_xml_parse(arena, fg_str(xml), &outer, &err);
    assert_non_null(doc);
    assert_true(fg_assertion_is_encrypted(xmlDocGetRootElement(doc)));
    return fg_assertion_decrypt(arena, xmlDocGetRootElement(doc), keys, count, &limits, &assertion, &err) ? FG_OK : err.code;
}

static fg_code_t open_text(const char *xml) {
    fg_code_t code = open_with(xml, ours, 3);
    assert_true((code == FG_OK) == (assertion != NULL));
    if (code == FG_OK) {
        assert_string_equal(assertion->name, "Assertion");
        assert_true(fg_str_is(fg_xml_text(arena, assertion, &err), "alice"));
    }
    return code;
}

static fg_code_t open_recipe(recipe_t recipe) { return open_text(cook(&recipe)); }
#define OPEN(...) open_recipe((recipe_t){__VA_ARGS__})

static const char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    return fg_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* ---- what is opened ---- */

static void our_own_encryption_is_opened(void **state) {
    (void)state;
    test_env_t test;
    test_env_init(&test);
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        for (int encryption = FG_ENCRYPT_AES256_CBC; encryption <= FG_ENCRYPT_AES256_GCM; encryption++) {
            for (size_t i = 0; i < 2; i++) {
                fg_buf_t out = FG_BUF_INIT(1u << 20);
                assert_true(fg_assertion_encrypt(&test.env, (fg_saml_version_t)version, FG_STR(PLAIN), ours[i], (fg_encryption_t)encryption, &out, &err));
                assert_int_equal(open_text(out.data), FG_OK);
                assert_int_equal(open_with(out.data, (const fg_key_t *const *)&stranger, 1), FG_E_DECRYPT);
                assert_int_equal(open_with(out.data, NULL, 0), FG_E_DECRYPT);
                fg_buf_free(&out);
            }
        }
    }
}

static void every_algorithm_of_the_list_is_opened(void **state) {
    (void)state;
    static const char sha256[] = "<d:DigestMethod Algorithm=\"" FG_NS_XENC "sha256\"/>";
    static const char both[] = "<d:DigestMethod Algorithm=\"" FG_NS_XENC "sha256\"/><e11:MGF Algorithm=\"" FG_NS_XENC11 "mgf1sha256\"/>";
    assert_int_equal(OPEN(.method = GCM), FG_OK);
    assert_int_equal(OPEN(.method = CBC, .cipher = EVP_aes_256_cbc()), FG_OK);
    assert_int_equal(OPEN(.method = FG_NS_XENC "aes128-cbc", .cipher = EVP_aes_128_cbc()), FG_OK);
    assert_int_equal(OPEN(.method = FG_NS_XENC11 "aes128-gcm", .cipher = EVP_aes_128_gcm()), FG_OK);
    assert_int_equal(OPEN(.method = FG_NS_XENC11 "aes192-gcm", .cipher = EVP_aes_192_gcm()), FG_OK);
    assert_int_equal(OPEN(.method = FG_NS_XENC "aes192-cbc", .cipher = EVP_aes_192_cbc()), FG_OK);
    assert_int_equal(OPEN(.inside = ""), FG_OK);
    assert_int_equal(OPEN(.inside = sha256, .digest = EVP_sha256()), FG_OK);
    assert_int_equal(OPEN(.transport = OAEP), FG_OK);
    assert_int_equal(OPEN(.transport = OAEP, .inside = sha256, .digest = EVP_sha256()), FG_OK);
    assert_int_equal(OPEN(.transport = OAEP, .inside = both, .digest = EVP_sha256(), .mgf = EVP_sha256()), FG_OK);
    assert_int_equal(OPEN(.transport = OAEP, .inside = both, .digest = EVP_sha256()), FG_E_DECRYPT);
}

/* All padding lengths, with any bytes before the last. */
static void every_padding_is_opened(void **state) {
    (void)state;
    char blanks[17] = "                ";
    for (int i = 0; i < 16; i++)
        assert_int_equal(OPEN(.method = CBC, .cipher = EVP_aes_256_cbc(), .plain = fg_arena_printf(arena, PLAIN "%.*s", i, blanks)), FG_OK);
}

static void any_of_our_keys_opens(void **state) {
    (void)state;
    fg_str_t certificate = fg_key_get_certificate_base64(second);
    const char *by_certificate = fg_arena_printf(arena, "<d:KeyInfo><d:X509Data><d:X509Certificate>\n%s\n</d:X509Certificate></d:X509Data></d:KeyInfo>", certificate.p);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(fg_key_get_x509(second)), NULL);
    char *decimal = BN_bn2dec(number);
    const char *by_serial = fg_arena_printf(arena, "<d:KeyInfo><d:X509Data><d:X509IssuerSerial><d:X509IssuerName>CN=x</d:X509IssuerName><d:X509SerialNumber>%s"
                                                   "</d:X509SerialNumber></d:X509IssuerSerial></d:X509Data></d:KeyInfo>", decimal);
    OPENSSL_free(decimal);
    BN_free(number);
    assert_int_equal(OPEN(.recipient = second), FG_OK);
    assert_int_equal(OPEN(.recipient = second, .key_info = "<d:KeyInfo><d:KeyName>x</d:KeyName></d:KeyInfo>"), FG_OK);
    assert_int_equal(OPEN(.recipient = second, .key_info = by_certificate), FG_OK);
    assert_int_equal(OPEN(.recipient = second, .key_info = by_serial), FG_OK);
    assert_int_equal(OPEN(.recipient = first, .key_info = by_certificate), FG_E_DECRYPT); /* what is named is what is tried */
    assert_int_equal(OPEN(.recipient = stranger), FG_E_DECRYPT);
}

static void retrieval_method_reaches_a_sibling_alone(void **state) {
    (void)state;
    recipe_t recipe = {.sibling = true};
    const char *good = cook(&recipe);
    assert_int_equal(open_text(good), FG_OK);
    static const char *const uris[] = {"URI=\"#other\"", "URI=\"#\"", "URI=\"k\"", "URI=\"\"", "URI=\"http://127.0.0.1:1/k\"", "URI=\"file:///etc/passwd\"", ""};
    for (size_t i = 0; i < FG_ARRAY_SIZE(uris); i++)
        assert_int_equal(open_text(replace(good, "URI=\"#k\"", uris[i])), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "URI=\"#k\"/>", "URI=\"#k\"><d:Transforms/></d:RetrievalMethod>")), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "</s:Enc", "<e:EncryptedKey Id=\"k\"/></s:Enc")), FG_E_TOKEN_MALFORMED); /* which of the two? */
    assert_int_equal(open_text(replace(good, "</s:Enc", "<e:EncryptedKey Id=\"l\"/></s:Enc")), FG_OK);
}

/* ---- what is not ---- */

/* Every failure after the form was read has one face, down to the text. */
static void xe_01_all_failures_are_one(void **state) {
    (void)state;
    const recipe_t cases[] = {
        {.key_flip = 1}, {.key_flip = 200}, {.key_size = 16}, {.key_size = 31}, {.content_flip = 1}, {.content_flip = 20}, {.plain = "no xml"},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .key_flip = 1},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .pad = 1},      /* 0 */
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .pad = 18},     /* 17 */
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .pad = 256},    /* 255 */
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .content_flip = 40},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .key_size = 24},
        {.recipient = stranger},
    };
    assert_int_equal(OPEN(.method = CBC, .cipher = EVP_aes_256_cbc()), FG_OK);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        if (open_recipe(cases[i]) != FG_E_DECRYPT)
            fail_msg("case %zu: %d %s", i, err.code, err.detail);
        assert_string_equal(err.detail, "it cannot be decrypted");
    }
}

static double milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double time_of(const char *xml) {
    fg_arena_t *outer = arena;
    arena = fg_arena_new(64u << 20);
    fg_xml_limits_t wide = {.bytes = 4u << 20, .depth = 64, .elements = 20000, .attributes = 64, .namespaces = 64};
    xmlDoc *doc = fg_xml_parse(arena, fg_str(xml), &wide, &err);
    double start = milliseconds();
    assert_false(fg_assertion_decrypt(arena, xmlDocGetRootElement(doc), ours, 3, &limits, &assertion, &err));
    double time = milliseconds() - start;
    fg_arena_free(arena);
    arena = outer;
    return time;
}

#define ALIKE_CASES 5
#define ALIKE_ROUNDS 200

static bool are_alike(const double least[ALIKE_CASES]) {
    for (size_t i = 1; i < ALIKE_CASES; i++)
        if (least[i] > least[0] * 1.3 || least[0] > least[i] * 1.3)
            return false;
    return true;
}

/* Every key is tried, whichever it was, or none: the first, the last, a broken one and bad padding cost the same.  In
 * rounds, the least time of each counting, until they agree: other work on the machine only adds to a time, while a way
 * that leaves a key out stays shorter however often it is measured. */
static void xe_01_failures_take_alike(void **state) {
    (void)state;
    const recipe_t cases[ALIKE_CASES] = {
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .pad = 1},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .pad = 1, .recipient = second},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .key_flip = 1},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .recipient = stranger},
        {.method = CBC, .cipher = EVP_aes_256_cbc(), .key_size = 16},
    };
    const char *messages[ALIKE_CASES];
    double least[ALIKE_CASES];
    for (size_t i = 0; i < ALIKE_CASES; i++) {
        messages[i] = cook(&cases[i]);
        least[i] = 1e9;
    }
    for (unsigned round = 0; round < ALIKE_ROUNDS && (round < 10 || !are_alike(least)); round++)
        for (size_t i = 0; i < ALIKE_CASES; i++) {
            double time = time_of(messages[i]);
            least[i] = time < least[i] ? time : least[i];
        }
    if (!are_alike(least))
        fail_msg("%.3f, %.3f, %.3f, %.3f, %.3f ms", least[0], least[1], least[2], least[3], least[4]);
}

static void xe_02_rsa_15_is_refused(void **state) {
    (void)state;
    assert_int_equal(OPEN(.transport = MGF1P), FG_OK);
    assert_int_equal(OPEN(.transport = FG_NS_XENC "rsa-1_5", .inside = "", .rsa_15 = true), FG_E_SIG_ALGORITHM);
    assert_int_equal(OPEN(.transport = MGF1P, .rsa_15 = true), FG_E_DECRYPT);
    assert_int_equal(OPEN(.transport = FG_NS_XENC "kw-aes256"), FG_E_SIG_ALGORITHM);
    assert_int_equal(OPEN(.transport = ""), FG_E_SIG_ALGORITHM);
}

static void xe_03_cipher_reference_is_not_followed(void **state) {
    (void)state;
    assert_int_equal(OPEN(.replaced = "<e:CipherReference URI=\"http://127.0.0.1:1/\"/>"), FG_E_TOKEN_MALFORMED);
    assert_int_equal(OPEN(.replaced = "<e:CipherReference URI=\"#k\"/>"), FG_E_TOKEN_MALFORMED);
    assert_int_equal(OPEN(.replaced = "<e:CipherValue>AAAA</e:CipherValue><e:CipherReference URI=\"#k\"/>"), FG_E_TOKEN_MALFORMED);
    assert_int_equal(OPEN(.replaced = "<e:CipherReference URI=\"#k\"/><e:CipherValue>AAAA</e:CipherValue>"), FG_E_TOKEN_MALFORMED);
    assert_int_equal(OPEN(.replaced = "<e:CipherValue>AA</e:CipherValue>"), FG_E_TOKEN_MALFORMED);
    assert_int_equal(OPEN(.replaced = "<e:CipherValue>AAAA</e:CipherValue>"), FG_E_DECRYPT);
    assert_int_equal(OPEN(.replaced = ""), FG_E_TOKEN_MALFORMED);
    recipe_t good = {0};
    assert_int_equal(open_text(cook(&good)), FG_OK);
    assert_int_equal(open_text(replace(cook(&good), "<e:CipherData>", "<e:CipherData><e:CipherReference URI=\"#x\"/></e:CipherData><e:CipherData>")), FG_E_TOKEN_MALFORMED);
}

static void xe_04_four_keys_and_none_nested(void **state) {
    (void)state;
    recipe_t for_first = {0}, for_stranger = {.recipient = stranger};
    const char *good = cook(&for_first), *others = cook(&for_stranger), *begin = strstr(others, "<e:EncryptedKey"), *end = strstr(others, "</d:KeyInfo>");
    const char *other = fg_arena_printf(arena, "%.*s", (int)(end - begin), begin);
    const char *three = replace(good, "<d:KeyInfo>", fg_arena_printf(arena, "<d:KeyInfo>%s%s%s", other, other, other));
    assert_int_equal(open_text(three), FG_OK); /* ours is the fourth */
    assert_int_equal(open_text(replace(three, "<d:KeyInfo>", fg_arena_printf(arena, "<d:KeyInfo>%s", other))), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "</e:EncryptedKey>", fg_arena_printf(arena, "<d:KeyInfo>%s</d:KeyInfo></e:EncryptedKey>", other))), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "</s:Enc", "<e:EncryptedData/></s:Enc")), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "</e:EncryptedKey>", "<d:KeyInfo><e:EncryptedData/></d:KeyInfo></e:EncryptedKey>")), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text(replace(good, "<d:KeyInfo>", "<d:KeyInfo/><d:KeyInfo>")), FG_E_TOKEN_MALFORMED);
    assert_int_equal(open_text("<e:EncryptedData xmlns:e=\"" FG_NS_XENC "\"/>"), FG_E_SIG_ALGORITHM);
    assert_int_equal(open_text("<s:EncryptedAssertion xmlns:s=\"" FG_NS_SAML2 "\"/>"), FG_E_TOKEN_MALFORMED);
}

static void xe_05_other_digests_and_short_tags_are_refused(void **state) {
    (void)state;
    static const char *const inside[] = {
        "<d:DigestMethod Algorithm=\"" FG_NS_XENC "sha512\"/>", "<d:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#md5\"/>", "<d:DigestMethod/>",
        "<d:DigestMethod Algorithm=\"" FG_NS_DS "sha1\"/><d:DigestMethod Algorithm=\"" FG_NS_DS "sha1\"/>", "<e:OAEPparams>AAAA</e:OAEPparams>", "<e:KeySize>256</e:KeySize>",
        "<e11:MGF Algorithm=\"" FG_NS_XENC11 "mgf1sha512\"/>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(inside); i++) {
        assert_int_equal(OPEN(.inside = inside[i]), FG_E_SIG_ALGORITHM);
        assert_int_equal(OPEN(.transport = OAEP, .inside = inside[i]), FG_E_SIG_ALGORITHM);
    }
    assert_int_equal(OPEN(.transport = OAEP, .inside = "<e11:MGF Algorithm=\"" FG_NS_XENC11 "mgf1sha1\"/>"), FG_OK);
    assert_int_equal(OPEN(.inside = "<e11:MGF Algorithm=\"" FG_NS_XENC11 "mgf1sha1\"/>"), FG_E_SIG_ALGORITHM);
    assert_int_equal(OPEN(.method = FG_NS_XENC "tripledes-cbc"), FG_E_SIG_ALGORITHM);
    assert_int_equal(OPEN(.method = FG_NS_XENC11 "aes512-gcm"), FG_E_SIG_ALGORITHM);
    /* a tag of 12 bytes and less */
    recipe_t recipe = {0};
    const char *good = cook(&recipe), *at = strstr(strstr(good, "</d:KeyInfo>"), "<e:CipherValue>") + strlen("<e:CipherValue>");
    size_t length = strcspn(at, "<=");
    for (size_t cut = 4; cut <= 16; cut += 4)
        assert_int_equal(open_text(fg_arena_printf(arena, "%.*s%s", (int)(at - good + (length - cut) / 4 * 4), good, strchr(at, '<'))), FG_E_DECRYPT);
}

static void xe_06_plaintext_is_checked_like_a_message(void **state) {
    (void)state;
    static const char *const plains[] = {
        "<!DOCTYPE a [<!ENTITY x \"alice\">]>" PLAIN, "<?pi x?>" PLAIN, PLAIN PLAIN, "<a>" PLAIN "</a>", "alice", "", "<saml:Assertion>alice</saml:Assertion>",
        "<Assertion>alice</Assertion>", "<saml:Assertion xmlns:saml=\"" FG_NS_SAML2 "\">&#0;</saml:Assertion>",
        "<saml:Assertion xmlns:saml=\"" FG_NS_SAML2 "\"><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>alice</a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></saml:Assertion>",
        "<s:EncryptedAssertion xmlns:s=\"" FG_NS_SAML2 "\"/>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(plains); i++)
        if (OPEN(.plain = plains[i]) != FG_E_DECRYPT)
            fail_msg("%s: %d", plains[i], err.code);
    assert_int_equal(OPEN(.plain = "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>" PLAIN), FG_OK);
    assert_int_equal(OPEN(.plain = "<Assertion xmlns=\"" FG_NS_SAML1 "\">alice</Assertion>"), FG_OK);
}

/* ---- other people's ---- */

static bool xmlsec1_encrypt(const char *session_key) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execlp("xmlsec1", "xmlsec1", "--encrypt", "--pubkey-cert-pem", key_path, "--session-key", session_key, "--xml-data", plain_path, "--output", out_path,
               template_path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void xmlsec1_encryption_is_opened(void **state) {
    (void)state;
    static const struct { const char *method, *session_key, *inside; } cases[] = {
        {CBC, "aes-256", ""}, {FG_NS_XENC "aes128-cbc", "aes-128", "<DigestMethod xmlns=\"" FG_NS_DS "\" Algorithm=\"" FG_NS_DS "sha1\"/>"},
        {GCM, "aes-256", ""}, {FG_NS_XENC11 "aes128-gcm", "aes-128", ""},
    };
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    assert_true(fg_key_to_pem(second, &pem, &err));
    const char *certificate = strstr(pem.data, "-----BEGIN CERTIFICATE-----");
    assert_true(fg_file_replace(key_path, fg_str(certificate), 0600, &err) && fg_file_replace(plain_path, FG_STR(PLAIN), 0600, &err));
    fg_buf_free(&pem);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        const char *template = fg_arena_printf(
            arena, "<EncryptedData xmlns=\"" FG_NS_XENC "\" Type=\"" FG_NS_XENC "Element\"><EncryptionMethod Algorithm=\"%s\"/><KeyInfo xmlns=\"" FG_NS_DS "\">"
                   "<EncryptedKey xmlns=\"" FG_NS_XENC "\"><EncryptionMethod Algorithm=\"" MGF1P "\">%s</EncryptionMethod><KeyInfo xmlns=\"" FG_NS_DS "\"><X509Data/></KeyInfo>"
                   "<CipherData><CipherValue/></CipherData></EncryptedKey></KeyInfo><CipherData><CipherValue/></CipherData></EncryptedData>",
            cases[i].method, cases[i].inside);
        fg_buf_t sealed = FG_BUF_INIT(1u << 20);
        assert_true(fg_file_replace(template_path, fg_str(template), 0600, &err));
        assert_true(xmlsec1_encrypt(cases[i].session_key));
        assert_true(fg_file_read(out_path, &sealed, NULL, &err));
        if (open_text(sealed.data) != FG_OK)
            fail_msg("%s: %s", cases[i].method, err.detail);
        assert_int_equal(open_with(sealed.data, (const fg_key_t *const *)&stranger, 1), FG_E_DECRYPT);
        fg_buf_free(&sealed);
    }
}

static fg_key_t *load_der(const char *name) {
    size_t length;
    char *der = test_file(fg_arena_printf(arena, "%s/saml/%s", test_vectors(), name), &length);
    const unsigned char *at = (const unsigned char *)der;
    EVP_PKEY *pkey = der ? d2i_AutoPrivateKey(NULL, &at, (long)length) : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    assert_non_null(pkey);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &pem);
    fg_key_t *key = fg_key_from_pem((fg_str_t){pem, (size_t)n}, &err);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    free(der);
    return key;
}

static xmlNode *find_encrypted(xmlNode *node) {
    for (; node != NULL; node = fg_xml_next(node)) {
        xmlNode *found = fg_xml_is(node, FG_NS_SAML2, "EncryptedAssertion") ? node : find_encrypted(fg_xml_first_child(node));
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void foreign_responses_are_opened(void **state) {
    (void)state;
    static const struct { const char *name; fg_code_t code; } cases[] = {
        {"messages/testshib-encrypted-response.xml", FG_OK},
        /* their plaintext leaves the declaration of its prefix outside: no document of its own */
        {"valid/response.root-signed.assertion-unsigned-encrypted.xml", FG_E_DECRYPT},
        {"invalid/response.root-signed.assertion-invalidly-signed-encrypted.xml", FG_E_DECRYPT},
    };
    if (test_vectors() == NULL)
        skip();
    fg_key_t *key = load_der("keys/testshib-encryption-pvk.private.der");
    assert_non_null(key);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        size_t length;
        char *text = test_file(fg_arena_printf(arena, "%s/saml/%s", test_vectors(), cases[i].name), &length);
        xmlDoc *doc = fg_xml_parse(arena, (fg_str_t){text, length}, NULL, &err);
        assert_non_null(doc);
        xmlNode *element = find_encrypted(xmlDocGetRootElement(doc));
        assert_non_null(element);
        bool good = fg_assertion_decrypt(arena, element, (const fg_key_t *const *)&key, 1, NULL, &assertion, &err);
        assert_int_equal(good ? FG_OK : err.code, cases[i].code);
        if (good) {
            assert_true(fg_xml_is(assertion, FG_NS_SAML2, "Assertion"));
            assert_non_null(fg_xml_child(assertion, FG_NS_SAML2, "Subject", NULL));
        }
        assert_false(fg_assertion_decrypt(arena, element, ours, 3, NULL, &assertion, &err));
        assert_err(&err, FG_E_DECRYPT);
        free(text);
    }
    fg_key_unref(key);
}

/* ---- */

static int make_keys(void **state) {
    (void)state;
    first = fg_key_generate(FG_KEY_RSA_2048, "first", TEST_NOW, TEST_NOW + 86400000, &err);
    second = fg_key_generate(FG_KEY_RSA_2048, "second", TEST_NOW, TEST_NOW + 86400000, &err);
    stranger = fg_key_generate(FG_KEY_RSA_2048, "stranger", TEST_NOW, TEST_NOW + 86400000, &err);
    ec = fg_key_generate(FG_KEY_EC_P256, "ec", TEST_NOW, TEST_NOW + 86400000, &err);
    if (!first || !second || !stranger || !ec || mkdtemp(folder) == NULL)
        return -1;
    ours[0] = first;
    ours[1] = second;
    ours[2] = ec;
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    snprintf(template_path, sizeof template_path, "%s/template.xml", folder);
    snprintf(plain_path, sizeof plain_path, "%s/plain.xml", folder);
    snprintf(out_path, sizeof out_path, "%s/out.xml", folder);
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    fg_key_unref(first);
    fg_key_unref(second);
    fg_key_unref(stranger);
    fg_key_unref(ec);
    unlink(key_path);
    unlink(template_path);
    unlink(plain_path);
    unlink(out_path);
    return rmdir(folder);
}

static int begin(void **state) {
    (void)state;
    arena = fg_arena_new(256u << 20);
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
        TEST(our_own_encryption_is_opened),
        TEST(every_algorithm_of_the_list_is_opened),
        TEST(every_padding_is_opened),
        TEST(any_of_our_keys_opens),
        TEST(retrieval_method_reaches_a_sibling_alone),
        TEST(xe_01_all_failures_are_one),
        TEST(xe_01_failures_take_alike),
        TEST(xe_02_rsa_15_is_refused),
        TEST(xe_03_cipher_reference_is_not_followed),
        TEST(xe_04_four_keys_and_none_nested),
        TEST(xe_05_other_digests_and_short_tags_are_refused),
        TEST(xe_06_plaintext_is_checked_like_a_message),
        TEST(xmlsec1_encryption_is_opened),
        TEST(foreign_responses_are_opened),
    };
    int failed = cmocka_run_group_tests(tests, make_keys, clean_up);
    fg_crypto_stop();
    return failed;
}
