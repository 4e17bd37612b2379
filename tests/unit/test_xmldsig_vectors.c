/* SPDX-License-Identifier: GPL-2.0-or-later
 * Other people's signatures: AD FS, xmlsec, xml-crypto, node-saml. */
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/crypto.h"
#include "core/xmldsig.h"

static fg_key_t *rsa;
static fg_arena_t *arena;

static int make_key(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    rsa = fg_key_generate(FG_KEY_RSA_2048, "a", 0, TEST_NOW, &err);
    return rsa == NULL;
}

static int free_key(void **state) {
    (void)state;
    fg_key_unref(rsa);
    return 0;
}

static int begin(void **state) {
    (void)state;
    arena = fg_arena_new(64u << 20);
    return arena == NULL;
}

static int end(void **state) {
    (void)state;
    fg_arena_free(arena);
    return 0;
}

static char *load_vector(const char *folder, const char *name, size_t *length) {
    return test_file(fg_arena_printf(arena, "%s/%s/%s", test_vectors(), folder, name), length);
}

static json_t *load_entries(const char *folder) {
    size_t length;
    char *text = test_vectors() ? load_vector(folder, "manifest.json", &length) : NULL;
    json_t *manifest = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *entries = json_incref(json_object_get(manifest, "entries"));
    json_decref(manifest);
    free(text);
    return entries;
}

static const char *member(const json_t *entry, const char *name) {
    const char *value = json_string_value(json_object_get(entry, name));
    return value ? value : "";
}

static fg_key_t *load_key(const char *folder, const char *name) {
    fg_err_t err = FG_ERR_INIT;
    size_t length;
    char *pem = load_vector(folder, name, &length);
    fg_key_t *key = pem ? fg_key_from_pem((fg_str_t){pem, length}, &err) : NULL;
    free(pem);
    return key;
}

/* The document element of a vector; limits as for metadata of partners, which may be larger than messages. */
static xmlNode *load_document(const char *folder, const char *name, fg_err_t *err) {
    const fg_xml_limits_t limits = {.bytes = 4u << 20, .depth = 64, .elements = 100000, .attributes = 64, .namespaces = 64};
    size_t length;
    char *data = load_vector(folder, name, &length);
    assert_non_null(data);
    xmlDoc *doc = fg_xml_parse(arena, (fg_str_t){data, length}, &limits, err);
    free(data);
    return doc ? xmlDocGetRootElement(doc) : NULL;
}

static xmlNode *find_element(xmlNode *node, const char *name) {
    for (; node != NULL; node = fg_xml_next(node)) {
        xmlNode *found = strcmp((const char *)node->name, name) == 0 ? node : find_element(fg_xml_first_child(node), name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static fg_code_t verify_vector(xmlNode *element, const fg_key_t *key, bool allow_sha1, bool *sha1, fg_err_t *err) {
    fg_dsig_verified_t verified;
    static const char *const names[] = {"ID", "AssertionID", "Id"};
    const char *id = names[0];
    for (size_t i = FG_ARRAY_SIZE(names); i > 0; i--)
        if (fg_xml_attr(arena, element, NULL, names[i - 1]).p != NULL)
            id = names[i - 1];
    *err = (fg_err_t)FG_ERR_INIT;
    bool good = fg_dsig_verify_enveloped(element, id, &(fg_dsig_trust_t){&key, 1, allow_sha1}, &verified, err);
    *sha1 = verified.sha1;
    return good ? FG_OK : err->code;
}

/* With the switch for SHA-1 the verdict must hold; without it nothing that needs it may pass (XS-25). */
static void check_vector(const char *name, xmlNode *element, const fg_key_t *key, bool valid) {
    fg_err_t err;
    bool sha1, unused;
    fg_code_t code = verify_vector(element, key, true, &sha1, &err);
    if ((code == FG_OK) != valid)
        fail_msg("%s: %s", name, valid ? err.detail : "accepted");
    if (valid)
        assert_int_equal(verify_vector(element, key, false, &unused, &err), sha1 ? FG_E_SIG_ALGORITHM : FG_OK);
}

static void metadata_and_tokens_of_adfs(void **state) {
    (void)state;
    json_t *entries = load_entries("adfs"), *entry;
    size_t i;
    unsigned valid = 0, invalid = 0;
    if (entries == NULL)
        skip();
    json_array_foreach(entries, i, entry) {
        if (member(entry, "key")[0] == '\0') /* not signed, or scrubbed so that no key is left */
            continue;
        fg_err_t err = FG_ERR_INIT;
        bool is_valid = strcmp(member(entry, "signature"), "valid") == 0;
        fg_key_t *key = load_key("adfs", member(entry, "key"));
        if (key == NULL) { /* 1024 bits (XS-26) */
            assert_string_equal(member(entry, "file"), "wsfed/fediz-rstr-reformatted.xml");
            continue;
        }
        xmlNode *root = load_document("adfs", member(entry, "file"), &err);
        xmlNode *element = root && strcmp(member(entry, "kind"), "metadata") != 0 ? find_element(root, "Assertion") : root;
        assert_non_null(element);
        check_vector(member(entry, "file"), element, key, is_valid);
        fg_key_unref(key);
        is_valid ? valid++ : invalid++;
    }
    assert_int_equal(valid, 5);
    assert_int_equal(invalid, 3);
    json_decref(entries);
}

static bool is_refused_by_policy(const json_t *entry) {
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(entry, "refuse"), i, reason)
        if (strcmp(json_string_value(reason), "sha1") != 0)
            return true;
    return strcmp(member(entry, "algorithm"), "sha256-rsa-MGF1") == 0; /* RSA-PSS is not among our algorithms */
}

/* The parent of the first ds:Signature: what an enveloped signature would be about. */
static xmlNode *signed_element(xmlNode *root) {
    xmlNode *signature = root ? find_element(root, "Signature") : NULL;
    return signature != NULL && signature != root ? signature->parent : root;
}

/* Where the key is refused (HMAC secrets, XS-26: RSA-1024 in most of xml-crypto, PKCS#1 public keys) the file must be refused
 * with a key of ours as well.  A document that does not get past the scan has a DOCTYPE or an instruction. */
static void signatures_of_xmlsec_and_xml_crypto(void **state) {
    (void)state;
    json_t *entries = load_entries("xmldsig"), *entry;
    size_t i;
    unsigned valid = 0, invalid = 0, unread = 0;
    if (entries == NULL)
        skip();
    json_array_foreach(entries, i, entry) {
        if (strcmp(member(entry, "kind"), "xmldsig") != 0) /* canonicalisation: tests of libxml2 itself */
            continue;
        fg_err_t err = FG_ERR_INIT;
        fg_key_t *key = load_key("xmldsig", member(entry, "key"));
        bool is_valid = strcmp(member(entry, "verdict"), "valid") == 0 && !is_refused_by_policy(entry) && key != NULL;
        xmlNode *element = signed_element(load_document("xmldsig", member(entry, "file"), &err));
        if (element != NULL)
            check_vector(member(entry, "file"), element, key ? key : rsa, is_valid);
        else
            assert_true(err.code == FG_E_XML_DTD || err.code == FG_E_XML_STRUCTURE);
        fg_key_unref(key);
        element == NULL ? unread++ : is_valid ? valid++ : invalid++;
    }
    print_message("%u valid, %u refused, %u refused unread\n", valid, invalid, unread);
    assert_int_equal(valid, 1); /* wsfederation_metadata.xml: the others are SHA-1 with 1024 bits, RSA-PSS or another shape */
    json_decref(entries);
}

static xmlNode *assertion_of(xmlNode *response) {
    return response ? fg_xml_child(response, FG_NS_SAML2, "Assertion", NULL) : NULL;
}

static void check_message(const json_t *entry, const char *which, xmlNode *element, const fg_key_t *key) {
    const char *signature = member(entry, which);
    if (signature[0] == '\0')
        return;
    if (element == NULL) /* two roots, or the assertion is encrypted */
        assert_string_not_equal(signature, "valid");
    else
        check_vector(member(entry, "file"), element, key, strcmp(signature, "valid") == 0);
}

static void messages_of_node_saml(void **state) {
    (void)state;
    json_t *entries = load_entries("saml"), *entry;
    size_t i;
    if (entries == NULL)
        skip();
    json_array_foreach(entries, i, entry) {
        if (strstr(member(entry, "file"), ".json") != NULL || member(entry, "key")[0] == '\0') /* Redirect binding; encrypted */
            continue;
        fg_err_t err = FG_ERR_INIT;
        fg_key_t *key = load_key("saml", member(entry, "key"));
        assert_non_null(key);
        xmlNode *root = load_document("saml", member(entry, "file"), &err);
        check_message(entry, "message_signature", root, key);
        check_message(entry, "response_signature", root, key);
        check_message(entry, "assertion_signature", assertion_of(root), key);
        fg_key_unref(key);
    }
    json_decref(entries);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(metadata_and_tokens_of_adfs),
        TEST(signatures_of_xmlsec_and_xml_crypto),
        TEST(messages_of_node_saml),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    int failed = cmocka_run_group_tests(tests, make_key, free_key);
    fg_crypto_stop();
    return failed;
}
