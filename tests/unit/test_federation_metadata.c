/* SPDX-License-Identifier: GPL-2.0-or-later
 * Our federation metadata, and partners' (SA-18). */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "sts/federation_metadata.h"
#include "sts/wsfed.h"

static fg_key_t *make_key(const char *name) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(FG_KEY_EC_P256, name, TEST_NOW, TEST_NOW + FG_DAY, &err);
}

static const char *get_document(browser_t *b) {
    assert_int_equal(browser_get(b, &fg_wsfed_protocol, FG_FEDERATION_METADATA_PATH, ""), 200);
    return b->ex->response.body.data;
}

static unsigned count(const char *text, const char *word) {
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

static bool read_with(browser_t *b, const char *xml, const fg_key_t *key, fg_partner_metadata_t *out, fg_err_t *err) {
    const fg_key_t *const keys[] = {key};
    const fg_dsig_trust_t trust = {.keys = keys, .key_count = 1};
    return fg_federation_metadata_read(&b->test.env, b->ex->arena, fg_str(xml), key ? &trust : NULL, out, err);
}

static void own_document_verifies_and_names_every_key(void **state) {
    browser_t *b = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_partner_metadata_t read;
    b->keys.signing[FG_KEY_NEXT] = make_key("next");
    b->keys.signing[FG_KEY_PREVIOUS] = make_key("previous");
    b->keys.encryption[FG_KEY_ACTIVE] = make_key("encryption");
    const char *document = get_document(b);
    assert_int_equal(count(document, "use=\"signing\""), 3);
    assert_int_equal(count(document, "use=\"encryption\""), 1);
    assert_int_equal(count(document, "<RoleDescriptor xmlns:fed="), 2);
    assert_non_null(strstr(document, "Gateway &amp; Sons"));
    assert_true(strstr(document, "ds:Signature") < strstr(document, "fed:ApplicationServiceType"));
    assert_true(strstr(document, "fed:ApplicationServiceType") < strstr(document, "fed:SecurityTokenServiceType"));
    if (!read_with(b, document, b->keys.signing[FG_KEY_ACTIVE], &read, &err))
        print_error("%s\n", err.detail);
    assert_int_equal(err.code, FG_OK);
    assert_true(fg_str_is(read.entity_id, BROWSER_ENTITY));
    assert_int_equal(read.reply_count, 1);
    assert_true(fg_str_is(read.reply_urls[0], BROWSER_BASE "/adfs/ls/"));
    assert_string_equal(fg_key_get_thumbprint(read.encryption_key),
                        fg_key_get_thumbprint(b->keys.encryption[FG_KEY_ACTIVE]));
    assert_false(read_with(b, document, b->keys.signing[FG_KEY_NEXT], &read, &err));
}

static void etag_changes_with_the_keys(void **state) {
    browser_t *b = *state;
    get_document(b);
    char first[128];
    snprintf(first, sizeof first, "%s", browser_header(b, "ETag"));
    get_document(b);
    assert_string_equal(browser_header(b, "ETag"), first);
    b->keys.signing[FG_KEY_NEXT] = make_key("next");
    get_document(b);
    assert_string_not_equal(browser_header(b, "ETag"), first);
}

/* Identity providers that know us by another name read it there. */
static void names_by_which_providers_know_us_are_told(void **state) {
    browser_t *b = *state;
    fg_identity_provider_t providers[3] = {{.realm = FG_STR(BROWSER_ENTITY)}, {.realm = FG_STR("urn:us")}, {.realm = FG_STR("urn:us")}};
    fg_home_realm_t realms[3] = {{.identity_provider = &providers[0]}, {.identity_provider = &providers[1]}, {.identity_provider = &providers[2]}};
    char first[128];
    b->hub.home_realms = realms;
    b->hub.home_realm_count = 1;
    assert_int_equal(count(get_document(b), "<wsa:Address>urn:us</wsa:Address>"), 0);
    snprintf(first, sizeof first, "%s", browser_header(b, "ETag"));
    b->hub.home_realm_count = 3;
    const char *document = get_document(b);
    assert_int_equal(count(document, ">urn:us</"), 1);
    assert_string_not_equal(browser_header(b, "ETag"), first);
    fg_err_t err = FG_ERR_INIT;
    fg_partner_metadata_t read;
    assert_true(read_with(b, document, b->keys.signing[FG_KEY_ACTIVE], &read, &err));
    assert_int_equal(read.realm_count, 3); /* entityID, the address, and this */
    assert_true(fg_str_is(read.realms[2], "urn:us"));
    b->hub.home_realms = b->home_realms;
    b->hub.home_realm_count = 1;
}

/* ---- partners' documents */

#define HEAD "<EntityDescriptor xmlns=\"" FG_NS_MD "\" ID=\"_1\" entityID=\"urn:rp\""
#define ROLE(type, url)                                                                                            \
    "<RoleDescriptor xmlns:xsi=\"" FG_NS_XSI "\" xmlns:f=\"" FG_NS_FED "\" xsi:type=\"" type "\" "                 \
    "protocolSupportEnumeration=\"" FG_NS_FED "\"><f:TargetScopes><a:EndpointReference xmlns:a=\"" FG_NS_WSA "\">" \
    "<a:Address>https://rp.test/</a:Address></a:EndpointReference></f:TargetScopes><f:PassiveRequestorEndpoint>"   \
    "<a:EndpointReference xmlns:a=\"" FG_NS_WSA "\"><a:Address> " url " </a:Address></a:EndpointReference>"        \
    "</f:PassiveRequestorEndpoint></RoleDescriptor>"
#define TAIL "</EntityDescriptor>"

static bool read_text(browser_t *b, const char *xml, fg_partner_metadata_t *out, fg_err_t *err) {
    *err = (fg_err_t)FG_ERR_INIT;
    return fg_federation_metadata_read(&b->test.env, b->ex->arena, fg_str(xml), NULL, out, err);
}

static void reads_a_relying_party(void **state) {
    browser_t *b = *state;
    fg_err_t err;
    fg_partner_metadata_t read;
    get_document(b);
    assert_true(
        read_text(b,
                  HEAD " validUntil=\"2026-01-02T00:00:00Z\">" ROLE("f:ApplicationServiceType", "https://rp.test/login")
                      ROLE("f:SecurityTokenServiceType", "https://rp.test/sts") TAIL,
                  &read, &err));
    assert_int_equal(read.realm_count, 2);
    assert_true(fg_str_is(read.realms[0], "urn:rp"));
    assert_true(fg_str_is(read.realms[1], "https://rp.test/"));
    assert_int_equal(read.reply_count, 1);
    assert_true(fg_str_is(read.reply_urls[0], "https://rp.test/login"));
    assert_null(read.encryption_key);
    assert_int_equal(read.valid_until_ms, TEST_NOW + FG_DAY);
    assert_true(read_text(b, HEAD ">" ROLE("f:SecurityTokenServiceType", "https://rp.test/sts") TAIL, &read, &err));
    assert_true(fg_str_is(read.reply_urls[0], "https://rp.test/sts"));
}

/* SA-18, each beside reads_a_relying_party */
static void refuses_unusable_documents(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *xml;
        fg_code_t code;
    } cases[] = {
        {HEAD " validUntil=\"2026-01-01T00:00:00Z\">" ROLE("f:ApplicationServiceType", "https://rp.test/login") TAIL,
         FG_E_TOKEN_EXPIRED},
        {HEAD " validUntil=\"soon\">" ROLE("f:ApplicationServiceType", "https://rp.test/login") TAIL,
         FG_E_XML_STRUCTURE},
        {HEAD ">" ROLE("f:ApplicationServiceType", "javascript:alert(1)") TAIL, FG_E_XML_STRUCTURE},
        {HEAD ">" ROLE("f:ApplicationServiceType", "https://rp.test@evil.test/") TAIL, FG_E_XML_STRUCTURE},
        {HEAD ">" ROLE("x:ApplicationServiceType", "https://rp.test/login") TAIL, FG_E_XML_STRUCTURE},
        {HEAD ">" TAIL, FG_E_XML_STRUCTURE},
        {"<x/>", FG_E_XML_STRUCTURE},
    };
    fg_err_t err;
    fg_partner_metadata_t read;
    get_document(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        assert_false(read_text(b, cases[i].xml, &read, &err));
        assert_err(&err, cases[i].code);
    }
    err = (fg_err_t)FG_ERR_INIT;
    assert_false(read_with(b, HEAD ">" ROLE("f:ApplicationServiceType", "https://rp.test/login") TAIL,
                           b->keys.signing[FG_KEY_ACTIVE], &read, &err));
    assert_err(&err, FG_E_SIG_MISSING);
}

static fg_key_t *vector_key(const char *name) {
    char path[512];
    fg_err_t err = FG_ERR_INIT;
    size_t length;
    snprintf(path, sizeof path, "%s/adfs/keys/%s-metadata-signing.pem", test_vectors(), name);
    char *pem = test_file(path, &length);
    assert_non_null(pem);
    fg_key_t *key = fg_key_from_pem((fg_str_t){pem, length}, &err);
    free(pem);
    assert_non_null(key);
    return key;
}

static bool read_vector(browser_t *b, const char *name, const fg_key_t *key, fg_partner_metadata_t *read,
                        fg_err_t *err) {
    char path[512];
    snprintf(path, sizeof path, "%s/adfs/metadata/%s-metadata.xml", test_vectors(), name);
    char *xml = test_file(path, NULL);
    assert_non_null(xml);
    *err = (fg_err_t)FG_ERR_INIT;
    bool ok = read_with(b, xml, key, read, err);
    free(xml);
    return ok;
}

static void reads_real_ad_fs_documents(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *name, *entity, *passive;
    } good[] = {
        {"adfs-v2", "http://fs.msidlab7.com/adfs/services/trust", "https://fs.msidlab7.com/adfs/ls/"},
        {"adfs-v3", "http://fs.msidlab2.com/adfs/services/trust", "https://fs.msidlab2.com/adfs/ls/"},
        {"adfs-v4", "http://fs.msidlab11.com/adfs/services/trust", "https://fs.msidlab11.com/adfs/ls/"},
    };
    fg_err_t err;
    fg_partner_metadata_t read;
    if (test_vectors() == NULL)
        skip();
    get_document(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++) {
        fg_key_t *key = vector_key(good[i].name);
        if (!read_vector(b, good[i].name, key, &read, &err))
            fail_msg("%s: %s", good[i].name, err.detail);
        fg_key_unref(key);
        assert_true(fg_str_is(read.entity_id, good[i].entity));
        assert_true(fg_str_is(read.reply_urls[0], good[i].passive));
        assert_non_null(read.encryption_key);
        key = vector_key(i == 0 ? "adfs-v3" : "adfs-v2");
        assert_false(read_vector(b, good[i].name, key, &read, &err));
        fg_key_unref(key);
    }
    fg_key_t *key = vector_key("adfs-edited");
    assert_false(read_vector(b, "adfs-edited", key, &read, &err));
    assert_err(&err, FG_E_SIG_INVALID);
    assert_true(read_vector(b, "adfs-edited", NULL, &read, &err));
    fg_key_unref(key);
    key = vector_key("microsoft-online");
    assert_false(read_vector(b, "microsoft-online", key, &read, &err));
    assert_err(&err, FG_E_SIG_ALGORITHM);
    fg_key_unref(key);
}

/* ---- identity providers */

static bool read_provider(browser_t *b, const char *name, const fg_key_t *key, bool sha1, fg_provider_metadata_t *read,
                          fg_err_t *err) {
    char path[512];
    const fg_dsig_trust_t trust = {.keys = &key, .key_count = 1, .allow_sha1 = sha1};
    snprintf(path, sizeof path, "%s/adfs/metadata/%s-metadata.xml", test_vectors(), name);
    char *xml = test_file(path, NULL);
    assert_non_null(xml);
    *err = (fg_err_t)FG_ERR_INIT;
    bool ok = fg_provider_metadata_read(&b->test.env, b->ex->arena, fg_str(xml), key ? &trust : NULL, read, err);
    free(xml);
    return ok;
}

static void reads_real_ad_fs_as_identity_provider(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *name, *entity, *passive;
    } good[] = {
        {"adfs-v2", "http://fs.msidlab7.com/adfs/services/trust", "https://fs.msidlab7.com/adfs/ls/"},
        {"adfs-v3", "http://fs.msidlab2.com/adfs/services/trust", "https://fs.msidlab2.com/adfs/ls/"},
        {"adfs-v4", "http://fs.msidlab11.com/adfs/services/trust", "https://fs.msidlab11.com/adfs/ls/"},
    };
    fg_err_t err;
    fg_provider_metadata_t read;
    if (test_vectors() == NULL)
        skip();
    get_document(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(good); i++) {
        fg_key_t *key = vector_key(good[i].name);
        if (!read_provider(b, good[i].name, key, false, &read, &err))
            fail_msg("%s: %s", good[i].name, err.detail);
        assert_true(fg_str_is(read.entity_id, good[i].entity));
        assert_true(fg_str_is(read.sign_in_url, good[i].passive));
        /* AD FS signs metadata and tokens with the same key */
        assert_int_equal(read.keys.count, 1);
        assert_string_equal(fg_key_get_thumbprint(read.keys.items[0]), fg_key_get_thumbprint(key));
        fg_key_unref(key);
        key = vector_key(i == 0 ? "adfs-v3" : "adfs-v2");
        assert_false(read_provider(b, good[i].name, key, false, &read, &err));
        fg_key_unref(key);
    }
    fg_key_t *key = vector_key("microsoft-online"); /* XS-25; it has no role of WS-Federation */
    assert_false(read_provider(b, "microsoft-online", key, false, &read, &err));
    assert_err(&err, FG_E_SIG_ALGORITHM);
    assert_false(read_provider(b, "microsoft-online", key, true, &read, &err));
    assert_err(&err, FG_E_XML_STRUCTURE);
    fg_key_unref(key);
}

/* Our own document during a rollover: all keys that may sign, and none that encrypts. */
static void every_signing_certificate_of_a_provider_is_read(void **state) {
    browser_t *b = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_provider_metadata_t read;
    b->keys.signing[FG_KEY_NEXT] = make_key("next");
    b->keys.signing[FG_KEY_PREVIOUS] = make_key("previous");
    b->keys.encryption[FG_KEY_ACTIVE] = make_key("encryption");
    const fg_key_t *const active = b->keys.signing[FG_KEY_ACTIVE];
    const fg_dsig_trust_t trust = {.keys = &active, .key_count = 1};
    const char *document = get_document(b);
    assert_true(fg_provider_metadata_read(&b->test.env, b->ex->arena, fg_str(document), &trust, &read, &err));
    assert_int_equal(read.keys.count, 3);
    assert_true(fg_str_is(read.entity_id, BROWSER_ENTITY));
    assert_true(fg_str_is(read.sign_in_url, BROWSER_BASE "/adfs/ls/"));
    /* a relying party alone vouches for nobody */
    assert_false(fg_provider_metadata_read(&b->test.env, b->ex->arena,
                                           fg_str(HEAD ">" ROLE("f:ApplicationServiceType", "https://rp.test/") TAIL),
                                           NULL, &read, &err));
    assert_err(&err, FG_E_XML_STRUCTURE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, browser_set_up, browser_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(own_document_verifies_and_names_every_key),
        TEST(etag_changes_with_the_keys),
        TEST(names_by_which_providers_know_us_are_told),
        TEST(reads_a_relying_party),
        TEST(refuses_unusable_documents),
        TEST(reads_real_ad_fs_documents),
        TEST(reads_real_ad_fs_as_identity_provider),
        TEST(every_signing_certificate_of_a_provider_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
