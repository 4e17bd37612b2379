/* SPDX-License-Identifier: GPL-2.0-or-later
 * XML Encryption in a message: what is put in the place of EncryptedData is what stood there (canonical bytes tell),
 * whoever made it; and what must not be (XE-01..06), each beside the same message without the defect. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/xmlenc.h"

#define BYTES "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define DS "xmlns:ds=\"" FG_NS_DS "\""
#define WSSE "xmlns:wsse=\"" FG_NS_WSSE "\""
#define X509_PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
#define THUMBPRINT "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1#ThumbprintSHA1"

static char folder[] = "/tmp/fedgate-xmlenc-XXXXXX";
static char key_path[64], template_path[64], in_path[64], out_path[64];
static fg_key_t *first, *second, *stranger, *ec;
static const fg_key_t *ours[3];
static const fg_enc_recipients_t us = {ours, 3};
static test_env_t test;
static fg_arena_t *arena;
static fg_err_t err;

static const fg_xml_limits_t wide = {.bytes = 4u << 20, .depth = 64, .elements = 20000, .attributes = 64, .namespaces = 64};

static xmlNode *parse(const char *text) {
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), &wide, &err);
    if (doc == NULL)
        fail_msg("%s: %s", text, err.detail);
    return xmlDocGetRootElement(doc);
}

static const char *canonical(xmlNode *node) {
    fg_buf_t out = FG_BUF_INIT(4u << 20);
    assert_true(fg_xml_canonical(node, &out, &err));
    const char *text = fg_arena_str(arena, fg_buf_str(&out)).p;
    fg_buf_free(&out);
    return text;
}

static const char *take(fg_buf_t *out) {
    assert_true(fg_buf_ok(out));
    const char *text = fg_arena_str(arena, fg_buf_str(out)).p;
    fg_buf_free(out);
    return text;
}

static xmlNode *find(xmlNode *node, const char *name) {
    for (; node != NULL; node = fg_xml_next(node)) {
        xmlNode *found = strcmp((const char *)node->name, name) == 0 ? node : find(fg_xml_first_child(node), name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static fg_str_t secret_of(fg_enc_algorithm_t algorithm) { return (fg_str_t){BYTES, fg_enc_algorithm_key_size(algorithm)}; }

static const char *seal_with(fg_enc_algorithm_t algorithm, const char *plain, bool content) {
    fg_buf_t out = FG_BUF_INIT(4u << 20);
    const fg_enc_data_t data = {.algorithm = algorithm, .secret = secret_of(algorithm), .plain = fg_str(plain), .content = content, .id = "e1"};
    assert_true(fg_xmlenc_write_data(&test.env, &data, &out, &err));
    return take(&out);
}

static const char *seal(const char *plain, bool content) { return seal_with(FG_ENC_AES256_GCM, plain, content); }

static const char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    return fg_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* ---- in place ---- */

/* Message with one %s; decrypts what stands there and gives the canonical form of all; NULL: *err. */
static const char *open_in(const char *message, const char *sealed, fg_str_t secret, const fg_xml_limits_t *limits) {
    err = (fg_err_t)FG_ERR_INIT;
    xmlNode *root = parse(replace(message, "%s", sealed)), *node, *data = find(root, "EncryptedData");
    if (!fg_xmlenc_decrypt(arena, data, secret, limits, &node, &err)) {
        assert_null(node);
        assert_ptr_equal(find(root, "EncryptedData"), data); /* as it was */
        return NULL;
    }
    assert_null(find(root, "EncryptedData"));
    return canonical(root);
}

static const char *open_text(const char *message, const char *sealed) { return open_in(message, sealed, secret_of(FG_ENC_AES256_GCM), NULL); }

#define CONTEXT "<a xmlns=\"urn:a&amp;b\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q?x=1&amp;y='\"><m xmlns:p=\"urn:p2\"><before/>%s<p:after/></m></a>"

static void element_comes_back_in_the_context_of_its_place(void **state) {
    (void)state;
    static const char *const plains[] = {
        "<x/>", "<p:x/>", "<p:x><y/><p:z p:k=\"1\" q:k=\"2\"/></p:x>", "<p:x xmlns:p=\"urn:p3\"><p:y/></p:x>", "<x xmlns=\"\"><y/></x>",
        "<p:x><y xmlns=\"urn:other\"><z/></y><z/></p:x>", "<x xml:lang=\"en\" xml:id=\"i\">t&lt;&#13;<![CDATA[<]]></x>", "<x q:type=\"p:t\"/>",
        "<p:x><x xmlns:p=\"urn:p\"><p:y><p:z xmlns:p=\"urn:p2\"/></p:y></x></p:x>", "<!-- c --> <x/>\n", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><x/>", "\xef\xbb\xbf<x/>",
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(plains); i++) {
        for (int algorithm = FG_ENC_AES256_GCM; algorithm <= FG_ENC_AES128_CBC; algorithm++) {
            const char *plain = plains[i], *element = strstr(plain, i == 9 || i == 10 || i == 11 ? "<x/>" : plain);
            const char *expected = canonical(parse(replace(CONTEXT, "%s", i == 9 || i == 10 || i == 11 ? "<x/>" : element)));
            const char *opened = open_in(CONTEXT, seal_with((fg_enc_algorithm_t)algorithm, plain, false), secret_of((fg_enc_algorithm_t)algorithm), NULL);
            if (opened == NULL)
                fail_msg("%s: %s", plain, err.detail);
            assert_string_equal(opened, expected);
        }
    }
}

static void content_comes_back_in_the_context_of_its_place(void **state) {
    (void)state;
    static const char *const plains[] = {"", "text", "  ", "<x/>", "one<p:x/>two<x xmlns=\"\"/>&amp;<p:y q:k=\"v\"/>", "<x/><!-- c --><y/>", "a&#13;b"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(plains); i++) {
        for (int algorithm = FG_ENC_AES256_GCM; algorithm <= FG_ENC_AES128_CBC; algorithm++) {
            const char *message = "<a xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"><p:b>%s</p:b><c/></a>";
            const char *sealed = seal_with((fg_enc_algorithm_t)algorithm, plains[i], true);
            const char *opened = open_in(message, sealed, secret_of((fg_enc_algorithm_t)algorithm), NULL);
            if (opened == NULL)
                fail_msg("%s: %s", plains[i], err.detail);
            assert_string_equal(opened, canonical(parse(replace(message, "%s", plains[i]))));
            opened = open_in(CONTEXT, sealed, secret_of((fg_enc_algorithm_t)algorithm), NULL);
            assert_string_equal(opened, canonical(parse(replace(CONTEXT, "%s", plains[i]))));
        }
    }
}

/* What was replaced stays readable: others may hold it. */
static void pointers_stay_good(void **state) {
    (void)state;
    xmlNode *root = parse(fg_arena_printf(arena, "<a>before%safter<b/></a>", seal("<x>1</x>", false))), *data = find(root, "EncryptedData"), *node;
    assert_true(fg_xmlenc_decrypt(arena, data, secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_true(fg_xml_is(node, NULL, "x"));
    assert_ptr_equal(node->parent, root);
    assert_ptr_equal(node->next->next, root->last);
    assert_ptr_equal(node->prev, root->children);
    assert_true(fg_xml_is(data, FG_NS_XENC, "EncryptedData"));
    assert_non_null(find(data, "CipherValue"));
    root = parse(fg_arena_printf(arena, "<a>%s</a>", seal("", true)));
    assert_true(fg_xmlenc_decrypt(arena, find(root, "EncryptedData"), secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_null(node);
    assert_null(root->children);
    assert_null(root->last);
    root = parse(fg_arena_printf(arena, "<a>%s</a>", seal("<x/><y/>", true)));
    assert_true(fg_xmlenc_decrypt(arena, find(root, "EncryptedData"), secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_ptr_equal(root->children, node);
    assert_ptr_equal(root->last, node->next);
}

/* Encrypted, signed or not, and encrypted again by somebody else: one after the other. */
static void what_was_encrypted_twice_is_opened_twice(void **state) {
    (void)state;
    xmlNode *node, *root = parse(fg_arena_printf(arena, "<a xmlns:p=\"urn:p\">%s</a>", seal(replace(seal("<p:x/>", false), "e1", "e2"), false)));
    assert_true(fg_xmlenc_decrypt(arena, find(root, "EncryptedData"), secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_true(fg_xml_is(node, FG_NS_XENC, "EncryptedData"));
    assert_true(fg_xmlenc_decrypt(arena, node, secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_true(fg_xml_is(node, "urn:p", "x"));
}

static void encrypted_header_goes_with_it(void **state) {
    (void)state;
    const char *message = "<h xmlns:w=\"" FG_NS_WSSE11 "\"><w:EncryptedHeader>%s</w:EncryptedHeader><b/></h>";
    assert_string_equal(open_text(message, seal("<x/>", false)), "<h><x></x><b></b></h>");
    assert_null(open_text(message, seal("<x/>", true)));
    assert_err(&err, FG_E_SIG_STRUCTURE);
    assert_null(open_text("<h xmlns:w=\"" FG_NS_WSSE11 "\"><w:EncryptedHeader>%s<b/></w:EncryptedHeader></h>", seal("<x/>", false)));
    assert_err(&err, FG_E_SIG_STRUCTURE);
    assert_null(open_text("<w:EncryptedHeader xmlns:w=\"" FG_NS_WSSE11 "\">%s</w:EncryptedHeader>", seal("<x/>", false)));
    assert_err(&err, FG_E_SIG_STRUCTURE);
}

/* ---- what is not opened ---- */

#define PLACE "<a xmlns:e=\"" FG_NS_XENC "\" Id=\"i1\"><b ID=\"i2\"/>%s<c AssertionID=\"i3\" xmlns:u=\"" FG_NS_WSU "\" u:Id=\"i4\"/></a>"

static void xe_01_all_failures_are_one(void **state) {
    (void)state;
    const char *gcm = seal("<x/>", false), *cbc = seal_with(FG_ENC_AES256_CBC, "<x/>", false);
    const struct { const char *sealed; fg_str_t secret; } cases[] = {
        {gcm, FG_STR("0123456789abcdef0123456789ABCDEE")}, {gcm, FG_STR("0123456789abcdef")}, {gcm, FG_STR_NONE},
        {cbc, FG_STR("0123456789abcdef0123456789ABCDEE")}, {cbc, FG_STR("0123456789abcdef0123456789ABCDE")},
        {seal("<x>", false), secret_of(FG_ENC_AES256_GCM)}, {seal("no element", false), secret_of(FG_ENC_AES256_GCM)},
        {seal("<x Id=\"i1\"/>", false), secret_of(FG_ENC_AES256_GCM)}, {seal_with(FG_ENC_AES256_CBC, "<x><y></x>", false), secret_of(FG_ENC_AES256_GCM)},
    };
    assert_non_null(open_text(PLACE, gcm));
    assert_non_null(open_text(PLACE, cbc));
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        assert_null(open_in(PLACE, cases[i].sealed, cases[i].secret, NULL));
        assert_err(&err, FG_E_DECRYPT);
        assert_string_equal(err.detail, "it cannot be decrypted");
    }
}

static void xe_03_cipher_reference_is_not_followed(void **state) {
    (void)state;
    const char *good = seal("<x/>", false);
    assert_non_null(open_text(PLACE, good));
    const char *cases[] = {
        replace(good, "<xenc:CipherValue>", "<xenc:CipherReference URI=\"http://127.0.0.1:1/\"/><xenc:CipherValue>"),
        replace(good, "</xenc:CipherValue>", "</xenc:CipherValue><xenc:CipherReference URI=\"#i1\"/>"),
        replace(good, "<xenc:CipherData>", "<xenc:CipherData><xenc:CipherReference URI=\"#i1\"/></xenc:CipherData><xenc:CipherData>"),
        replace(good, "<xenc:CipherValue>", "<xenc:CipherValue>*"),
        replace(replace(good, "<xenc:CipherValue>", "<xenc:X>"), "</xenc:CipherValue>", "</xenc:X>"),
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        assert_null(open_text(PLACE, cases[i]));
        assert_err(&err, FG_E_SIG_STRUCTURE);
    }
}

static void xe_04_nothing_is_encrypted_inside_another(void **state) {
    (void)state;
    const char *good = seal("<x/>", false), *key = "<e:EncryptedKey/>", *info = "<ds:KeyInfo " DS ">";
    const char *four = fg_arena_printf(arena, "%s%s%s%s%s</ds:KeyInfo><xenc:CipherData>", info, key, key, key, key);
    assert_non_null(open_text(PLACE, replace(good, "<xenc:CipherData>", four)));
    const char *cases[] = {
        replace(good, "<xenc:CipherData>", replace(four, info, fg_arena_printf(arena, "%s%s", info, key))),
        replace(good, "<xenc:CipherData>", fg_arena_printf(arena, "%s<e:EncryptedKey><e:EncryptedKey/></e:EncryptedKey></ds:KeyInfo><xenc:CipherData>", info)),
        replace(good, "<xenc:CipherData>", fg_arena_printf(arena, "%s<e:EncryptedData/></ds:KeyInfo><xenc:CipherData>", info)),
        replace(good, "<xenc:CipherData>", fg_arena_printf(arena, "%s<e:EncryptedKey><e:EncryptedData/></e:EncryptedKey></ds:KeyInfo><xenc:CipherData>", info)),
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        assert_null(open_text(PLACE, cases[i]));
        assert_err(&err, FG_E_SIG_STRUCTURE);
    }
}

static void xe_05_other_algorithms_are_refused(void **state) {
    (void)state;
    const char *good = seal("<x/>", false);
    static const char *const uris[] = {"", FG_NS_XENC "tripledes-cbc", FG_NS_XENC11 "aes256-GCM", FG_NS_XENC "aes256-gcm", "http://www.w3.org/2010/xmlsec-ghc#aes128-gcm"};
    size_t length = 1;
    for (size_t i = 0; i < FG_ARRAY_SIZE(uris); i++) {
        const char *bad = replace(good, FG_NS_XENC11 "aes256-gcm", uris[i]);
        assert_null(open_text(PLACE, bad));
        assert_err(&err, FG_E_SIG_ALGORITHM);
        assert_false(fg_xmlenc_key_length(arena, parse(bad), &length, &err));
        assert_int_equal(length, 0);
    }
    assert_true(fg_xmlenc_key_length(arena, parse(good), &length, &err));
    assert_int_equal(length, 32);
    /* a tag cut by four bytes and more */
    const char *at = strstr(good, "<xenc:CipherValue>") + strlen("<xenc:CipherValue>");
    for (size_t kept = strcspn(at, "<=") / 4 * 4; kept > 0; kept -= 4) {
        assert_null(open_text(PLACE, fg_arena_printf(arena, "%.*s%s", (int)(at - good + kept), good, strchr(at, '<'))));
        assert_err(&err, FG_E_DECRYPT);
    }
}

static void xe_06_plaintext_is_checked_like_a_message(void **state) {
    (void)state;
    static const struct { const char *plain; bool content; } cases[] = {
        {"<!DOCTYPE x [<!ENTITY y \"z\">]><x>&y;</x>", false}, {"<!DOCTYPE x><x/>", true}, {"<?pi x?><x/>", false}, {"<x><?pi x?></x>", true}, {"<x>&y;</x>", false},
        {"<x>&#0;</x>", false}, {"<x/><x/>", false}, {"text<x/>", false}, {"<x/>text", false}, {"", false}, {"<!-- -->", false}, {"<u:x/>", false}, {"<x u:k=\"\"/>", true},
        {"</p><p>", true}, {"</p>", true}, {"<p>", true}, {"</p><p/><p>", true}, {"</p><!--", true}, {"<x k=\"1\" k=\"2\"/>", false}, {"<x>\x01</x>", true}, {"<x>\xc0\xaf</x>", true},
        {"<x Id=\"i1\"/>", false}, {"<x Id=\"i2\"/>", false}, {"<y><x ID=\"i3\"/></y>", true}, {"<x AssertionID=\"i4\"/>", false}, {"<x xml:id=\"i1\"/>", false},
        {"<x Id=\"n1\"/><x ID=\"n1\"/>", true}, {"<x xmlns:w=\"" FG_NS_WSU "\" w:Id=\"i2\"/>", false}, {"<?xml version=\"1.0\"?><?xml version=\"1.0\"?><x/>", false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        if (open_text(PLACE, seal(cases[i].plain, cases[i].content)) != NULL)
            fail_msg("%s", cases[i].plain);
        assert_err(&err, FG_E_DECRYPT);
    }
    static const char *const good[] = {"<x Id=\"n1\"/>", "<x id=\"i1\"/>", "<x e:Id=\"i1\"/>", "<p/>", "<x Id=\"e1\"/>"}; /* e1 was EncryptedData's own */
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++) {
        assert_non_null(open_text(PLACE, seal(good[i], false)));
        assert_non_null(open_text(PLACE, seal(good[i], true)));
    }
}

/* Nested to the place's depth and further, beside as many elements and under as many declarations as there are. */
static void xe_06_limits_count_from_the_place(void **state) {
    (void)state;
    const fg_xml_limits_t limits = {.bytes = 100, .depth = 8, .elements = 13, .attributes = 2, .namespaces = 3};
    const char *message = "<a xmlns:p=\"urn:p\"><b><c>%s</c></b></a>"; /* depth 3; 7 elements, with those of EncryptedData */
    const fg_str_t secret = secret_of(FG_ENC_AES256_GCM);
    static const struct { const char *good, *bad; } cases[] = {
        {"<d><e><f><g><h/></g></f></e></d>", "<d><e><f><g><h><i/></h></g></f></e></d>"},
        {"<d><e/><e/><e/><e/><e/></d>", "<d><e/><e/><e/><e/><e/><e/></d>"},
        {"<d a=\"1\" b=\"2\"/>", "<d a=\"1\" b=\"2\" c=\"3\"/>"},
        {"<d xmlns:q=\"urn:q\" xmlns:r=\"urn:r\"/>", "<d xmlns:q=\"urn:q\" xmlns:r=\"urn:r\" xmlns:s=\"urn:s\"/>"},
        {"<d>.........1.........2.........3.........4.........5.........6.........7.........8.........9...</d>",
         "<d>.........1.........2.........3.........4.........5.........6.........7.........8.........9....</d>"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        if (open_in(message, seal(cases[i].good, false), secret, &limits) == NULL)
            fail_msg("%s: %s", cases[i].good, err.detail);
        assert_null(open_in(message, seal(cases[i].bad, false), secret, &limits));
        assert_err(&err, FG_E_DECRYPT);
    }
    const fg_xml_limits_t few = {.bytes = 100, .depth = 8, .elements = 6, .attributes = 2, .namespaces = 3};
    assert_null(open_in(message, seal("<d/>", false), secret, &few));
    assert_err(&err, FG_E_XML_LIMIT);
}

static void what_is_no_encrypted_data_is_refused(void **state) {
    (void)state;
    xmlNode *node, *root = parse(seal("<x/>", false));
    assert_false(fg_xmlenc_decrypt(arena, root, secret_of(FG_ENC_AES256_GCM), NULL, &node, &err)); /* the document itself */
    assert_err(&err, FG_E_SIG_STRUCTURE);
    assert_false(fg_xmlenc_decrypt(arena, find(root, "CipherData"), secret_of(FG_ENC_AES256_GCM), NULL, &node, &err));
    assert_err(&err, FG_E_SIG_STRUCTURE);
    const char *good = seal("<x/>", false);
    assert_non_null(open_text(PLACE, replace(good, " Type=\"" FG_NS_XENC "Element\"", "")));
    assert_null(open_text(PLACE, replace(good, FG_NS_XENC "Element", "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Only"))); /* WT-12 */
    assert_err(&err, FG_E_SIG_STRUCTURE);
    assert_null(open_text(PLACE, replace(good, FG_NS_XENC "Element", "")));
    assert_err(&err, FG_E_SIG_STRUCTURE);
}

/* ---- keys ---- */

static const char *wrap(fg_str_t secret, const fg_key_t *recipient, fg_enc_naming_t naming) {
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    const fg_enc_key_t key = {.recipient = recipient, .naming = naming, .id = "k1"};
    assert_true(fg_xmlenc_write_key(secret, &key, &out, &err));
    return take(&out);
}

static bool unwraps(xmlNode *node, fg_str_t expected, size_t length) {
    fg_str_t secret;
    err = (fg_err_t)FG_ERR_INIT;
    if (!fg_xmlenc_unwrap(arena, node, &us, length, &secret, &err))
        fail_msg("%s", err.detail);
    assert_int_equal(secret.n, length > 0 ? length : fg_str_eq(secret, expected) ? expected.n : 32);
    return fg_str_eq(secret, expected);
}

static bool unwraps_text(const char *text) { return unwraps(find(parse(text), "EncryptedKey"), FG_STR(BYTES), 64); }

static void secrets_of_every_length_are_unwrapped(void **state) {
    (void)state;
    for (size_t length = 16; length <= 64; length++) {
        xmlNode *node = parse(wrap((fg_str_t){BYTES, length}, first, FG_ENC_NAME_THUMBPRINT));
        assert_true(unwraps(node, (fg_str_t){BYTES, length}, length));
        assert_true(unwraps(node, (fg_str_t){BYTES, length}, 0));
        assert_false(unwraps(node, (fg_str_t){BYTES, length}, length == 16 ? 17 : 16)); /* XE-01: no error, no secret */
    }
    assert_false(unwraps(parse(wrap(FG_STR("0123456789abcde"), first, FG_ENC_NAME_CERTIFICATE)), FG_STR("0123456789abcde"), 0));
    assert_false(unwraps(parse(wrap(FG_STR(BYTES "0"), first, FG_ENC_NAME_CERTIFICATE)), FG_STR(BYTES "0"), 0));
    assert_false(unwraps(parse(wrap(FG_STR(BYTES), stranger, FG_ENC_NAME_CERTIFICATE)), FG_STR(BYTES), 0));
    assert_false(unwraps(parse(wrap(FG_STR(BYTES), stranger, FG_ENC_NAME_CERTIFICATE)), FG_STR(BYTES), 64));
}

/* A secret that nobody can know is another one each time. */
static void xe_01_what_is_not_unwrapped_is_random(void **state) {
    (void)state;
    fg_str_t a, b;
    xmlNode *node = parse(wrap(FG_STR(BYTES), stranger, FG_ENC_NAME_CERTIFICATE));
    assert_true(fg_xmlenc_unwrap(arena, node, &us, 32, &a, &err));
    assert_true(fg_xmlenc_unwrap(arena, node, &us, 32, &b, &err));
    assert_false(fg_str_eq(a, b));
    assert_true(fg_xmlenc_unwrap(arena, node, &(fg_enc_recipients_t){NULL, 0}, 32, &b, &err));
    assert_false(fg_str_eq(a, b));
}

static const char *base64(const void *bytes, size_t length) {
    fg_buf_t text = FG_BUF_INIT(1u << 16);
    fg_base64_encode(&text, bytes, length);
    return take(&text);
}

/* How others may name the key's certificate. */
static const char *name_key(const fg_key_t *key, size_t how) {
    X509 *x509 = fg_key_get_x509(key);
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x509);
    const char *identifier = base64(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski)), *certificate = fg_key_get_certificate_base64(key).p;
    unsigned char hash[20], *der = NULL;
    int length = i2d_X509(x509, &der);
    fg_sha1(der, (size_t)length, hash);
    OPENSSL_free(der);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *decimal = BN_bn2dec(number);
    const char *serial = fg_arena_printf(arena, "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=who cares</ds:X509IssuerName><ds:X509SerialNumber> %s </ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>", decimal);
    OPENSSL_free(decimal);
    BN_free(number);
    const char *token = fg_arena_printf(arena, "<wsse:BinarySecurityToken ValueType=\"" X509_PROFILE "X509v3\">%s</wsse:BinarySecurityToken>", certificate);
    const char *forms[] = {
        fg_arena_printf(arena, "<ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data>", certificate),
        serial,
        fg_arena_printf(arena, "<ds:X509Data><ds:X509SKI>%s</ds:X509SKI></ds:X509Data>", identifier),
        fg_arena_printf(arena, "<wsse:SecurityTokenReference>%s</wsse:SecurityTokenReference>", serial),
        fg_arena_printf(arena, "<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType=\"" X509_PROFILE "X509SubjectKeyIdentifier\">%s</wsse:KeyIdentifier></wsse:SecurityTokenReference>", identifier),
        fg_arena_printf(arena, "<wsse:SecurityTokenReference><wsse:KeyIdentifier ValueType=\"" THUMBPRINT "\">%s</wsse:KeyIdentifier></wsse:SecurityTokenReference>", base64(hash, 20)),
        fg_arena_printf(arena, "<wsse:SecurityTokenReference><wsse:Embedded>%s</wsse:Embedded></wsse:SecurityTokenReference>", token),
        fg_arena_printf(arena, "<wsse:SecurityTokenReference><wsse:Reference URI=\"#%s\"/></wsse:SecurityTokenReference>", key == first ? "t1" : "t2"),
    };
    return how < FG_ARRAY_SIZE(forms) ? forms[how] : NULL;
}

/* The named key is the one that is tried: the wrong name does not open it. */
static void recipients_are_found_by_every_name(void **state) {
    (void)state;
    fg_str_t one = fg_key_get_certificate_base64(first), two = fg_key_get_certificate_base64(second);
    const char *message = fg_arena_printf(arena,
        "<a " DS " " WSSE " xmlns:wsu=\"" FG_NS_WSU "\"><wsse:BinarySecurityToken wsu:Id=\"t1\">%s</wsse:BinarySecurityToken><b><wsse:BinarySecurityToken wsu:Id=\"t2\">%s</wsse:BinarySecurityToken></b>%%s</a>", one.p, two.p);
    const char *wrapped = wrap(FG_STR(BYTES), second, FG_ENC_NAME_CERTIFICATE), *begin = strstr(wrapped, "<ds:KeyInfo"), *end = strstr(wrapped, "</ds:KeyInfo>");
    const char *format = fg_arena_printf(arena, "%.*s<ds:KeyInfo xmlns:ds=\"" FG_NS_DS "\">%%s%s", (int)(begin - wrapped), wrapped, end);
    size_t how = 0;
    for (; name_key(first, how) != NULL; how++) {
        if (!unwraps_text(replace(message, "%s", replace(format, "%s", name_key(second, how)))))
            fail_msg("name %zu", how);
        if (unwraps_text(replace(message, "%s", replace(format, "%s", name_key(first, how)))))
            fail_msg("name %zu of another", how);
    }
    assert_int_equal(how, 8);
    static const char *const none[] = {"", "<ds:KeyName>x</ds:KeyName>", "<ds:X509Data/>", "<wsse:SecurityTokenReference/>", "<wsse:SecurityTokenReference><wsse:Reference URI=\"#t3\"/></wsse:SecurityTokenReference>",
                                       "<wsse:SecurityTokenReference><wsse:Reference URI=\"http://127.0.0.1:1/\"/></wsse:SecurityTokenReference>", "<wsse:SecurityTokenReference><wsse:KeyIdentifier>AAAA</wsse:KeyIdentifier></wsse:SecurityTokenReference>"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(none); i++)
        assert_true(unwraps_text(replace(message, "%s", replace(format, "%s", none[i]))));
}

static void our_own_names_are_found(void **state) {
    (void)state;
    for (int naming = FG_ENC_NAME_CERTIFICATE; naming <= FG_ENC_NAME_THUMBPRINT; naming++) {
        const char *text = wrap(FG_STR(BYTES), second, (fg_enc_naming_t)naming), *other = wrap(FG_STR(BYTES), first, (fg_enc_naming_t)naming);
        assert_true(unwraps_text(text));
        const char *begin = strstr(text, "<ds:KeyInfo"), *end = strstr(text, "</ds:KeyInfo>"), *from = strstr(other, "<ds:KeyInfo"), *to = strstr(other, "</ds:KeyInfo>");
        assert_false(unwraps_text(fg_arena_printf(arena, "%.*s%.*s%s", (int)(begin - text), text, (int)(to - from), from, end)));
    }
}

static void bad_keys_are_refused_before_any_secret(void **state) {
    (void)state;
    const char *good = wrap(FG_STR(BYTES), first, FG_ENC_NAME_CERTIFICATE);
    const struct { const char *text; fg_code_t code; } cases[] = {
        {replace(good, "rsa-oaep-mgf1p", "rsa-1_5"), FG_E_SIG_ALGORITHM}, /* XE-02 */
        {replace(good, "rsa-oaep-mgf1p", "kw-aes256"), FG_E_SIG_ALGORITHM},
        {replace(good, "xmldsig#sha1", "xmldsig#md5"), FG_E_SIG_ALGORITHM}, /* XE-05 */
        {replace(good, "<xenc:CipherValue>", "<xenc:CipherReference URI=\"#x\"/><xenc:CipherValue>"), FG_E_SIG_STRUCTURE}, /* XE-03 */
        {replace(good, "<xenc:CipherData>", "<xenc:EncryptedKey/><xenc:CipherData>"), FG_E_SIG_STRUCTURE}, /* XE-04 */
        {replace(replace(good, "<xenc:EncryptedKey", "<xenc:EncryptedData"), "</xenc:EncryptedKey", "</xenc:EncryptedData"), FG_E_SIG_STRUCTURE},
        {replace(good, "<xenc:CipherValue>", fg_arena_printf(arena, "<xenc:CipherValue>%s", base64(fg_arena_alloc(arena, 1023), 1023))), FG_E_SIG_STRUCTURE},
    };
    fg_str_t secret;
    assert_true(unwraps_text(good));
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        assert_false(fg_xmlenc_unwrap(arena, parse(cases[i].text), &us, 64, &secret, &err));
        assert_err(&err, cases[i].code);
    }
    assert_false(fg_xmlenc_unwrap(arena, parse(good), &us, 65, &secret, &err));
    assert_false(fg_xmlenc_unwrap_any(arena, NULL, 0, &us, 32, &secret, &err));
    assert_false(fg_xmlenc_unwrap_any(arena, NULL, FG_ENC_KEYS_MAX + 1, &us, 32, &secret, &err));
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    fg_buf_t out = FG_BUF_INIT(1u << 16), small = FG_BUF_INIT(100);
    fg_enc_key_t key = {.recipient = ec};
    fg_enc_data_t data = {.algorithm = FG_ENC_AES128_GCM, .secret = FG_STR("0123456789abcdef"), .plain = FG_STR("<x/>")};
    assert_false(fg_xmlenc_write_key(FG_STR(BYTES), &key, &out, &err));
    assert_err(&err, FG_E_CONFIG);
    key.recipient = first;
    assert_false(fg_xmlenc_write_key(FG_STR(BYTES), &key, &small, &err));
    assert_err(&err, FG_E_MEMORY);
    assert_true(fg_xmlenc_write_data(&test.env, &data, &out, &err));
    data.secret.n = 15;
    assert_false(fg_xmlenc_write_data(&test.env, &data, &out, &err));
    assert_err(&err, FG_E_INTERNAL);
    data.secret.n = 16;
    test.random_fails = true;
    assert_false(fg_xmlenc_write_data(&test.env, &data, &out, &err));
    assert_err(&err, FG_E_INTERNAL);
    fg_buf_free(&out);
    fg_buf_free(&small);
}

/* A whole message as it is written: EncryptedKey in the header with its ReferenceList, EncryptedData in the body; in canonical form throughout. */
static const char *write_message(const fg_enc_data_t *data, const fg_enc_key_t *key) {
    static const fg_xns_t ns = {"a", "urn:a"};
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_xw_t w;
    fg_xw_init(&w, &out);
    fg_xw_start(&w, &ns, "message");
    if (key != NULL)
        assert_true(fg_xmlenc_put_key(&w, data->secret, key, &err));
    fg_xw_start(&w, &ns, "body");
    assert_true(fg_xmlenc_put_data(&test.env, &w, data, &err));
    fg_xw_end(&w);
    fg_xw_end(&w);
    assert_true(fg_xw_ok(&w));
    return take(&out);
}

static void messages_are_written_canonically(void **state) {
    (void)state;
    const char *ids[] = {"e1", "e2"};
    fg_enc_key_t key = {.recipient = first, .naming = FG_ENC_NAME_ISSUER_SERIAL, .id = "k1", .references = ids, .reference_count = 2};
    fg_enc_data_t data = {.algorithm = FG_ENC_AES256_CBC, .secret = FG_STR("0123456789abcdef0123456789ABCDEF"), .plain = FG_STR("a<b/>c"), .content = true, .id = "e1"};
    for (int naming = FG_ENC_NAME_CERTIFICATE; naming <= FG_ENC_NAME_THUMBPRINT; naming++) {
        key.naming = (fg_enc_naming_t)naming;
        const char *text = write_message(&data, &key);
        assert_string_equal(text, canonical(parse(text)));
        assert_non_null(strstr(text, "<xenc:ReferenceList><xenc:DataReference URI=\"#e1\"></xenc:DataReference><xenc:DataReference URI=\"#e2\"></xenc:DataReference></xenc:ReferenceList>"));
        data.key = &key;
        text = write_message(&data, NULL);
        assert_string_equal(text, canonical(parse(text)));
        data.key = NULL;
    }
}

/* ---- other people's ---- */

/* Skips where there is no xmlsec1. */
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

static void write_file(const char *path, const char *text) { assert_true(fg_file_replace(path, fg_str(text), 0600, &err)); }

static const char *read_file(const char *path) {
    fg_buf_t text = FG_BUF_INIT(1u << 20);
    assert_true(fg_file_read(path, &text, NULL, &err));
    return take(&text);
}

static void xmlsec1_opens_ours(void **state) {
    (void)state;
    const char *arguments[] = {"xmlsec1", "--decrypt", "--privkey-pem", key_path, "--output", out_path, in_path, NULL};
    fg_enc_key_t key = {.recipient = second, .naming = FG_ENC_NAME_CERTIFICATE};
    for (int content = 0; content < 2; content++) {
        for (int algorithm = FG_ENC_AES256_GCM; algorithm <= FG_ENC_AES128_CBC; algorithm++) {
            fg_enc_data_t data = {.algorithm = (fg_enc_algorithm_t)algorithm, .secret = secret_of((fg_enc_algorithm_t)algorithm), .plain = content ? FG_STR("1<a:b/>2") : FG_STR("<a:b/>"), .content = content == 1, .key = &key};
            write_file(in_path, write_message(&data, NULL));
            assert_true(xmlsec1(arguments));
            assert_string_equal(canonical(parse(read_file(out_path))), content ? "<a:message xmlns:a=\"urn:a\"><a:body>1<a:b></a:b>2</a:body></a:message>" : "<a:message xmlns:a=\"urn:a\"><a:body><a:b></a:b></a:body></a:message>");
        }
    }
}

/* xmlsec1 leaves the declarations that its plaintext needs where they stood: around it. */
static void xmlsec1_encryption_is_opened_in_place(void **state) {
    (void)state;
    const char *message = "<m xmlns=\"urn:d\" xmlns:p=\"urn:p\"><p:b k=\"1\">one<p:c/>&amp;<d/></p:b><e/></m>";
    static const struct { const char *uri, *session_key; } methods[] = {
        {FG_NS_XENC "aes128-cbc", "aes-128"}, {FG_NS_XENC "aes192-cbc", "aes-192"}, {FG_NS_XENC "aes256-cbc", "aes-256"},
        {FG_NS_XENC11 "aes128-gcm", "aes-128"}, {FG_NS_XENC11 "aes192-gcm", "aes-192"}, {FG_NS_XENC11 "aes256-gcm", "aes-256"},
    };
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(methods); i++) {
        const char *arguments[] = {"xmlsec1", "--encrypt", "--pubkey-cert-pem", key_path, "--session-key", methods[i / 2].session_key, "--xml-data", in_path, "--node-name", "urn:p:b", "--output", out_path, template_path, NULL};
        write_file(in_path, message);
        write_file(template_path, fg_arena_printf(arena,
            "<EncryptedData xmlns=\"" FG_NS_XENC "\" Type=\"" FG_NS_XENC "%s\"><EncryptionMethod Algorithm=\"%s\"/><KeyInfo xmlns=\"" FG_NS_DS "\"><EncryptedKey xmlns=\"" FG_NS_XENC "\">"
            "<EncryptionMethod Algorithm=\"" FG_NS_XENC "rsa-oaep-mgf1p\"/><KeyInfo xmlns=\"" FG_NS_DS "\"><X509Data/></KeyInfo><CipherData><CipherValue/></CipherData></EncryptedKey></KeyInfo>"
            "<CipherData><CipherValue/></CipherData></EncryptedData>", i % 2 ? "Content" : "Element", methods[i / 2].uri));
        assert_true(xmlsec1(arguments));
        xmlNode *node, *root = parse(read_file(out_path)), *data = find(root, "EncryptedData");
        size_t length;
        fg_str_t secret;
        assert_non_null(data);
        assert_true(fg_xmlenc_key_length(arena, data, &length, &err));
        assert_true(fg_xmlenc_unwrap(arena, find(data, "EncryptedKey"), &us, length, &secret, &err));
        if (!fg_xmlenc_decrypt(arena, data, secret, NULL, &node, &err))
            fail_msg("%s: %s", methods[i / 2].uri, err.detail);
        assert_string_equal(canonical(root), canonical(parse(message)));
    }
}

static fg_key_t *load_der(const char *name) {
    size_t length;
    char *der = test_file(fg_arena_printf(arena, "%s/saml/%s", test_vectors(), name), &length), *pem;
    const unsigned char *at = (const unsigned char *)der;
    EVP_PKEY *pkey = der ? d2i_AutoPrivateKey(NULL, &at, (long)length) : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(pkey);
    assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &pem);
    fg_key_t *key = fg_key_from_pem((fg_str_t){pem, (size_t)n}, &err);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    free(der);
    return key;
}

/* Responses whose plaintext uses prefixes that are declared around it, which is why it has to be read in its place. */
static void foreign_responses_are_opened_in_place(void **state) {
    (void)state;
    static const char *const names[] = {"messages/testshib-encrypted-response.xml", "valid/response.root-signed.assertion-unsigned-encrypted.xml", "invalid/response.root-signed.assertion-invalidly-signed-encrypted.xml"};
    if (test_vectors() == NULL)
        skip();
    fg_key_t *key = load_der("keys/testshib-encryption-pvk.private.der");
    assert_non_null(key);
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        char *text = test_file(fg_arena_printf(arena, "%s/saml/%s", test_vectors(), names[i]), NULL);
        assert_non_null(text);
        xmlNode *node, *root = parse(text), *data = find(root, "EncryptedData");
        size_t length;
        fg_str_t secret, wrong;
        assert_true(fg_xmlenc_key_length(arena, data, &length, &err));
        assert_true(fg_xmlenc_unwrap(arena, find(root, "EncryptedKey"), &us, length, &wrong, &err)); /* not ours */
        assert_false(fg_xmlenc_decrypt(arena, data, wrong, NULL, &node, &err));
        assert_err(&err, FG_E_DECRYPT);
        assert_true(fg_xmlenc_unwrap(arena, find(root, "EncryptedKey"), &(fg_enc_recipients_t){(const fg_key_t *const *)&key, 1}, length, &secret, &err));
        if (!fg_xmlenc_decrypt(arena, data, secret, NULL, &node, &err))
            fail_msg("%s: %s", names[i], err.detail);
        assert_true(fg_xml_is(node, FG_NS_SAML2, "Assertion"));
        assert_true(fg_xml_is(node->parent, FG_NS_SAML2, "EncryptedAssertion"));
        assert_non_null(fg_xml_child(node, FG_NS_SAML2, "Subject", NULL));
        free(text);
    }
    fg_key_unref(key);
}

/* ---- */

static int make_keys(void **state) {
    (void)state;
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    first = fg_key_generate(FG_KEY_RSA_2048, "first", TEST_NOW, TEST_NOW + 86400000, &err);
    second = fg_key_generate(FG_KEY_RSA_2048, "second, \xc3\xa9", TEST_NOW, TEST_NOW + 86400000, &err);
    stranger = fg_key_generate(FG_KEY_RSA_2048, "stranger", TEST_NOW, TEST_NOW + 86400000, &err);
    ec = fg_key_generate(FG_KEY_EC_P256, "ec", TEST_NOW, TEST_NOW + 86400000, &err);
    if (!first || !second || !stranger || !ec || mkdtemp(folder) == NULL)
        return -1;
    ours[0] = first;
    ours[1] = second;
    ours[2] = ec;
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    snprintf(template_path, sizeof template_path, "%s/template.xml", folder);
    snprintf(in_path, sizeof in_path, "%s/in.xml", folder);
    snprintf(out_path, sizeof out_path, "%s/out.xml", folder);
    bool ok = fg_key_to_pem(second, &pem, &err) && fg_file_replace(key_path, fg_buf_str(&pem), 0600, &err);
    fg_buf_free(&pem);
    return ok ? 0 : -1;
}

static int clean_up(void **state) {
    (void)state;
    fg_key_unref(first);
    fg_key_unref(second);
    fg_key_unref(stranger);
    fg_key_unref(ec);
    unlink(key_path);
    unlink(template_path);
    unlink(in_path);
    unlink(out_path);
    return rmdir(folder);
}

static int begin(void **state) {
    (void)state;
    test_env_init(&test);
    err = (fg_err_t)FG_ERR_INIT;
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
        TEST(element_comes_back_in_the_context_of_its_place),
        TEST(content_comes_back_in_the_context_of_its_place),
        TEST(pointers_stay_good),
        TEST(what_was_encrypted_twice_is_opened_twice),
        TEST(encrypted_header_goes_with_it),
        TEST(xe_01_all_failures_are_one),
        TEST(xe_03_cipher_reference_is_not_followed),
        TEST(xe_04_nothing_is_encrypted_inside_another),
        TEST(xe_05_other_algorithms_are_refused),
        TEST(xe_06_plaintext_is_checked_like_a_message),
        TEST(xe_06_limits_count_from_the_place),
        TEST(what_is_no_encrypted_data_is_refused),
        TEST(secrets_of_every_length_are_unwrapped),
        TEST(xe_01_what_is_not_unwrapped_is_random),
        TEST(recipients_are_found_by_every_name),
        TEST(our_own_names_are_found),
        TEST(bad_keys_are_refused_before_any_secret),
        TEST(what_cannot_be_written_is_refused),
        TEST(messages_are_written_canonically),
        TEST(xmlsec1_opens_ours),
        TEST(xmlsec1_encryption_is_opened_in_place),
        TEST(foreign_responses_are_opened_in_place),
    };
    int failed = cmocka_run_group_tests(tests, make_keys, clean_up);
    fg_crypto_stop();
    return failed;
}
