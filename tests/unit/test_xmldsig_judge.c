/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two judges over the same documents: our verifier and xmlsec.  Whatever ours accepts, xmlsec must accept; whatever has the one
 * shape that ours admits and xmlsec accepts, ours must accept too. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/errors.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>

#include "core/crypto.h"
#include "core/xmldsig.h"
#include "token/assertion.h"

static fg_key_t *rsa, *p256, *p384;
static fg_arena_t *arena;

/* ---- the other judge ---- */

static void ignore(const char *file, int line, const char *func, const char *object, const char *subject, int reason, const char *message) {
    (void)file, (void)line, (void)func, (void)object, (void)subject, (void)reason, (void)message;
}

static void ignore_error(void *data, xmlErrorPtr error) { (void)data, (void)error; }

static bool start_xmlsec(void) {
    if (xmlSecInit() < 0 || xmlSecOpenSSLInit() < 0)
        return false;
    xmlSecErrorsSetCallback(ignore);
    xmlSetStructuredErrorFunc(NULL, ignore_error);
    return true;
}

static xmlSecKey *make_key(const fg_key_t *key) {
    EVP_PKEY *pkey = fg_key_get_pkey(key);
    xmlSecKey *made = xmlSecKeyCreate();
    assert_non_null(made);
    assert_int_equal(EVP_PKEY_up_ref(pkey), 1);
    assert_int_equal(xmlSecKeySetValue(made, xmlSecOpenSSLEvpKeyAdopt(pkey)), 0);
    return made;
}

static bool xmlsec_accepts(xmlNode *signature, const fg_key_t *key) {
    xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
    assert_non_null(context);
    context->signKey = make_key(key);
    context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    bool good = xmlSecDSigCtxVerify(context, signature) >= 0 && context->status == xmlSecDSigStatusSucceeded;
    xmlSecDSigCtxDestroy(context);
    return good;
}

/* With the id of this one element known to libxml2, as it would be by a DTD. */
static bool xmlsec_accepts_enveloped(xmlNode *element, const char *id_attribute, const fg_key_t *key) {
    xmlNode *signature = fg_xml_child(element, FG_NS_DS, "Signature", NULL);
    xmlAttr *id = xmlHasProp(element, (const xmlChar *)id_attribute);
    if (signature == NULL || id == NULL || id->children == NULL || xmlAddID(NULL, element->doc, id->children->content, id) == NULL)
        return false;
    bool good = xmlsec_accepts(signature, key);
    xmlRemoveID(element->doc, id);
    return good;
}

/* ---- both ---- */

static unsigned both_accept, both_refuse, ours_alone_refuses;

static bool judge(const char *name, xmlNode *element, const fg_key_t *key) {
    static const char *const ids[] = {"ID", "AssertionID", "Id"};
    const char *id = ids[0];
    for (size_t i = 0; i < FG_ARRAY_SIZE(ids); i++)
        if (fg_xml_attr(arena, element, NULL, ids[i]).p != NULL)
            id = ids[i];
    fg_dsig_verified_t verified;
    fg_err_t err = FG_ERR_INIT;
    bool ours = fg_dsig_verify_enveloped(element, id, &(fg_dsig_trust_t){&key, 1, true}, &verified, &err);
    bool theirs = xmlsec_accepts_enveloped(element, id, key);
    if (ours && !theirs)
        fail_msg("%s: accepted by us alone", name);
    if (!ours && theirs && err.code == FG_E_SIG_INVALID) /* its shape is right, its digests or value are not */
        fail_msg("%s: refused by us alone: %s", name, err.detail);
    ours ? both_accept++ : theirs ? ours_alone_refuses++ : both_refuse++;
    return ours;
}

static xmlNode *parse(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    const fg_xml_limits_t limits = {.bytes = 4u << 20, .depth = 64, .elements = 100000, .attributes = 64, .namespaces = 64};
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), &limits, &err);
    return doc ? xmlDocGetRootElement(doc) : NULL;
}

static unsigned judge_all(const char *name, xmlNode *node, const fg_key_t *key) {
    unsigned accepted = 0;
    for (; node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_child(node, FG_NS_DS, "Signature", NULL) != NULL)
            accepted += judge(name, node, key);
        accepted += judge_all(name, fg_xml_first_child(node), key);
    }
    return accepted;
}

static unsigned judge_text(const char *name, const char *text, const fg_key_t *key) {
    fg_arena_t *before = arena;
    arena = fg_arena_new(64u << 20);
    xmlNode *root = parse(text);
    unsigned accepted = root ? judge_all(name, root, key) : 0;
    fg_arena_free(arena);
    arena = before;
    return accepted;
}

/* ---- the vectors ---- */

static json_t *load_entries(const char *folder) {
    size_t length;
    char *text = test_vectors() ? test_file(fg_arena_printf(arena, "%s/%s/manifest.json", test_vectors(), folder), &length) : NULL;
    json_t *manifest = text ? json_loadb(text, length, 0, NULL) : NULL;
    json_t *entries = json_incref(json_object_get(manifest, "entries"));
    json_decref(manifest);
    free(text);
    return entries;
}

static char *load(const char *folder, const json_t *entry, const char *member, size_t *length) {
    const char *name = json_string_value(json_object_get(entry, member));
    return name && *name ? test_file(fg_arena_printf(arena, "%s/%s/%s", test_vectors(), folder, name), length) : NULL;
}

static void vectors_are_judged_alike(void **state) {
    (void)state;
    static const char *const folders[] = {"adfs", "saml", "xmldsig"};
    if (test_vectors() == NULL)
        skip();
    both_accept = both_refuse = ours_alone_refuses = 0;
    for (size_t i = 0; i < FG_ARRAY_SIZE(folders); i++) {
        json_t *entries = load_entries(folders[i]), *entry;
        size_t k, length;
        assert_non_null(entries);
        json_array_foreach(entries, k, entry) {
            fg_err_t err = FG_ERR_INIT;
            char *pem = load(folders[i], entry, "key", &length);
            fg_key_t *key = pem ? fg_key_from_pem((fg_str_t){pem, length}, &err) : NULL;
            char *text = load(folders[i], entry, "file", &length);
            if (text != NULL && key != NULL)
                (void)judge_text(json_string_value(json_object_get(entry, "file")), text, key);
            free(pem);
            free(text);
            fg_key_unref(key);
        }
        json_decref(entries);
    }
    print_message("%u accepted by both, %u refused by both, %u refused by us for their shape\n", both_accept, both_refuse, ours_alone_refuses);
    assert_true(both_accept > 20);
    assert_true(both_refuse > 5);
}

/* ---- made by us, whole and damaged ---- */

static char *make_assertion(fg_saml_version_t version, const fg_key_t *key) {
    static const fg_claim_t items[] = {{.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("al&i\r\nce <\xc3\xa4>")},
                                       {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Staff")}};
    static const fg_claims_t claims = {(fg_claim_t *)(uintptr_t)items, 2, 0};
    static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW};
    const fg_assertion_t assertion = {
        .version = version, .id = "_1", .issuer = FG_STR("https://i.example/"), .issue_instant_ms = TEST_NOW, .not_before_ms = TEST_NOW,
        .not_on_or_after_ms = TEST_NOW + 1000, .audience = FG_STR("https://a.example/?a=\"b\"&c"), .name_id = {.value = FG_STR("alice")},
        .identity = &identity, .claims = &claims};
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_assertion_write(&assertion, key, &out, &err));
    char *copy = fg_arena_strdup(arena, out.data);
    fg_buf_free(&out);
    return copy;
}

static void every_byte_matters_to_both(void **state) {
    (void)state;
    const fg_key_t *keys[] = {rsa, p256, p384};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++) {
        char *text = make_assertion(i % 2 ? FG_SAML_11 : FG_SAML_20, keys[i]);
        size_t length = strlen(text), step = keys[i] == rsa ? 3 : 5;
        assert_int_equal(judge_text("whole", text, keys[i]), 1);
        unsigned accepted = 0;
        for (size_t at = i; at < length; at += step) {
            char was = text[at];
            text[at] ^= at % 2 ? 0x20 : 0x01;
            accepted += judge_text("damaged", text, keys[i]);
            text[at] = was;
        }
        /* only KeyInfo, which nobody looks at, may be damaged */
        const char *key_info = strstr(text, "<ds:X509Certificate>"), *behind = strstr(text, "</ds:X509Certificate>");
        assert_true(accepted <= (size_t)(behind - key_info) / step + 1);
        assert_true(accepted > 0);
    }
}

static char *replaced(const char *text, const char *part, const char *by) {
    const char *found = strstr(text, part);
    assert_non_null(found);
    return fg_arena_printf(arena, "%.*s%s%s", (int)(found - text), text, by, found + strlen(part));
}

/* What changes the text but not the document's canonical form, and what changes both. */
static void other_spellings_are_judged_alike(void **state) {
    (void)state;
    static const struct {
        const char *part, *by;
        unsigned accepted;
    } rows[] = {
        {"ID=\"_1\" IssueInstant=\"2026-01-01T00:00:00.000Z\"", "IssueInstant='2026-01-01T00:00:00.000Z'   ID='_1'", 1},
        {"<saml:Subject>", "<saml:Subject ><!-- x -->", 1},
        {"<saml:Subject>", "<saml:Subject xmlns:unused='urn:x'>", 1},
        {"<saml:Subject>", "<saml:Subject xmlns='urn:x'>", 1},
        {"<saml:Subject>", "<saml:Subject xmlns:saml='" FG_NS_SAML2 "'>", 1},
        {"<saml:Subject>", "<saml:Subject xmlns:saml='urn:x'>", 0},
        {"<saml:Subject>", "<saml:Subject xml:lang='de'>", 0},
        {"<saml:Subject>", "<saml:Subject>\n", 0},
        {">alice<", "><![CDATA[alice]]><", 1},
        {">alice<", ">&#97;lice<", 1},
        {">alice<", ">ali<!-- -->ce<", 1},
        {">alice<", ">alic<", 0},
        {"<ds:SignedInfo>", "<ds:SignedInfo xmlns:unused='urn:x'>", 1},
        {"<ds:SignedInfo>", "<ds:SignedInfo Id='x'>", 0},
        {"<ds:SignedInfo>", "<ds:SignedInfo>\n", 0},
        {"<ds:DigestValue>", "<ds:DigestValue>\n", 0},
        {"<ds:SignatureValue>", "<ds:SignatureValue>\n  ", 1},
        {"<ds:KeyInfo>", "<ds:KeyInfo>\n", 1},
    };
    char *text = make_assertion(FG_SAML_20, p256);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        unsigned accepted = judge_text(rows[i].by, replaced(text, rows[i].part, rows[i].by), p256);
        if (accepted != rows[i].accepted)
            fail_msg("%s: %u", rows[i].by, accepted);
    }
    char *inside = fg_arena_printf(arena, "<r xmlns='urn:d' xmlns:ds='urn:e' xmlns:saml='urn:f'>\n%s\n</r>", text);
    assert_int_equal(judge_text("inside", inside, p256), 1);
}

/* ---- made by xmlsec in forms that we do not write ---- */

static char *made_by_xmlsec(const char *method, const char *digest, const char *c14n_list, const char *transform_list, const fg_key_t *key) {
#define LIST(text) "<ec:InclusiveNamespaces xmlns:ec='" FG_NS_EXC_C14N "' PrefixList='" text "'/>"
    char *text = fg_arena_printf(
        arena,
        "<r xmlns='urn:d' xmlns:x='urn:x' xmlns:y='urn:y'>\n <a ID='a1' y:z='1' b='&#10;&lt;'>\n  <i xmlns=''>\xc3\xa4 <x:j/></i>"
        "<Signature xmlns='" FG_NS_DS "'>\n<SignedInfo><CanonicalizationMethod Algorithm='" FG_NS_EXC_C14N "'>%s</CanonicalizationMethod>"
        "<SignatureMethod Algorithm='%s'/><Reference URI='#a1'><Transforms><Transform Algorithm='" FG_NS_DS "enveloped-signature'/>"
        "<Transform Algorithm='" FG_NS_EXC_C14N "'>%s</Transform></Transforms><DigestMethod Algorithm='%s'/><DigestValue/></Reference></SignedInfo>"
        "<SignatureValue/></Signature><t v='xs:string'>text</t></a></r>",
        c14n_list, method, transform_list, digest);
    xmlNode *element = fg_xml_first_child(parse(text));
    xmlAttr *id = xmlHasProp(element, (const xmlChar *)"ID");
    assert_non_null(xmlAddID(NULL, element->doc, (const xmlChar *)"a1", id));
    xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
    context->signKey = make_key(key);
    assert_int_equal(xmlSecDSigCtxSign(context, fg_xml_child(element, FG_NS_DS, "Signature", NULL)), 0);
    xmlSecDSigCtxDestroy(context);
    xmlChar *bytes;
    int length;
    xmlDocDumpMemory(element->doc, &bytes, &length);
    char *copy = fg_arena_strndup(arena, (char *)bytes, (size_t)length);
    xmlFree(bytes);
    return copy;
}

static void signatures_by_xmlsec_are_taken(void **state) {
    (void)state;
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
    const struct {
        const char *method;
        const fg_key_t *key;
    } methods[] = {{MORE "rsa-sha256", rsa}, {MORE "rsa-sha384", rsa}, {MORE "rsa-sha512", rsa}, {FG_NS_DS "rsa-sha1", rsa},
                   {MORE "ecdsa-sha256", p256}, {MORE "ecdsa-sha384", p256}, {MORE "ecdsa-sha512", p256}, {MORE "ecdsa-sha256", p384},
                   {MORE "ecdsa-sha384", p384}, {MORE "ecdsa-sha512", p384}};
    static const char *const digests[] = {FG_NS_DS "sha1", FG_NS_XENC "sha256", MORE "sha384", FG_NS_XENC "sha512"};
    static const char *const lists[] = {"", LIST("x"), LIST("#default y"), LIST("x y nowhere")};
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++) {
        for (size_t k = 0; k < FG_ARRAY_SIZE(lists); k++) {
            char *text = made_by_xmlsec(methods[i].method, digests[(i + k) % 4], lists[k], lists[(i + k + 1) % 4], methods[i].key);
            if (judge_text(methods[i].method, text, methods[i].key) != 1)
                fail_msg("%s with %s is refused", methods[i].method, lists[k]);
            assert_int_equal(judge_text("changed", replaced(text, ">text<", ">test<"), methods[i].key), 0);
        }
    }
}

static int make_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    arena = fg_arena_new(64u << 20);
    rsa = fg_key_generate(FG_KEY_RSA_2048, "a", 0, TEST_NOW, &err);
    p256 = fg_key_generate(FG_KEY_EC_P256, "b", 0, TEST_NOW, &err);
    p384 = fg_key_generate(FG_KEY_EC_P384, "c", 0, TEST_NOW, &err);
    return !(arena && rsa && p256 && p384);
}

static int free_keys(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(p256);
    fg_key_unref(p384);
    fg_arena_free(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_judged_alike),
        cmocka_unit_test(every_byte_matters_to_both),
        cmocka_unit_test(other_spellings_are_judged_alike),
        cmocka_unit_test(signatures_by_xmlsec_are_taken),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err) || !start_xmlsec())
        return 1;
    int failed = cmocka_run_group_tests(tests, make_keys, free_keys);
    xmlSecOpenSSLShutdown();
    xmlSecShutdown();
    fg_crypto_stop();
    return failed;
}
