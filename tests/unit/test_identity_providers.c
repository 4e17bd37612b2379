/* SPDX-License-Identifier: GPL-2.0-or-later
 * Partner identity providers: from gateway.conf, certificates and metadata to home realms, and how they keep fresh. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/key.h"
#include "core/time.h"
#include "core/xmldsig.h"
#include "gateway/gateway.h"

#define MD "urn:oasis:names:tc:SAML:2.0:metadata"
#define FED "http://docs.oasis-open.org/wsfed/federation/200706"

static char folder[] = "/tmp/fedgate-providers-XXXXXX";
static char pages[1024];
static test_env_t test;
static fg_key_t *first_key, *second_key;

static const char *path_of(const char *name) {
    static char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_file_replace(path_of(name), fg_str(text), 0600, &err))
        fail_msg("%s", err.detail);
}

static fg_gateway_t *load(const char *text, fg_err_t *err) {
    const fg_gateway_options_t options = {true, (unsigned)-1, (unsigned)-1};
    char whole[8192];
    snprintf(whole, sizeof whole, "base_url = \"https://fs.example.com\" pages = \"%s\" state = \"state\"\n%s", pages, text);
    write_file("gateway.conf", whole);
    *err = (fg_err_t)FG_ERR_INIT;
    test.log[0] = '\0';
    return fg_gateway_load(path_of("gateway.conf"), &options, &test.env, err);
}

static fg_gateway_t *load_good(const char *text) {
    fg_err_t err;
    fg_gateway_t *loaded = load(text, &err);
    if (loaded == NULL)
        fail_msg("%s", err.detail);
    return loaded;
}

static fg_key_t *make_key(const char *file) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(64 << 10);
    fg_key_t *key = fg_key_generate(FG_KEY_EC_P256, "partner", TEST_NOW - FG_DAY, TEST_NOW + FG_DAY, &err);
    assert_non_null(key);
    assert_true(fg_key_to_pem(key, &pem, &err));
    write_file(file, pem.data);
    fg_buf_free(&pem);
    return key;
}

static int start(void **state) {
    fg_err_t err = FG_ERR_INIT;
    const char *source = getenv("FEDGATE_SRCDIR");
    (void)state;
    char *absolute = realpath(source ? source : ".", NULL);
    if (mkdtemp(folder) == NULL || absolute == NULL || !fg_gateway_start(&err))
        return -1;
    snprintf(pages, sizeof pages, "%s/etc/pages", absolute);
    free(absolute);
    test_env_init(&test);
    write_file("users.json", "{\"users\":[]}\n");
    write_file("pass.rules", "c:[] => issue(claim = c);\n");
    first_key = make_key("first.pem");
    second_key = make_key("second.pem");
    return 0;
}

static int stop(void **state) {
    (void)state;
    fg_key_unref(first_key);
    fg_key_unref(second_key);
    fg_gateway_stop();
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", "--", folder, (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}

/* ---- metadata of an identity provider, unsigned unless signed says by whom */

static void put_key(fg_buf_t *out, const fg_key_t *key) {
    if (key == NULL)
        return;
    fg_buf_puts(out, "<KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>");
    fg_buf_put_str(out, fg_key_get_certificate_base64(key));
    fg_buf_puts(out, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>");
}

static void write_metadata(const char *entity, const char *address, const fg_key_t *one, const fg_key_t *two) {
    fg_buf_t out = FG_BUF_INIT(64 << 10);
    fg_buf_printf(&out, "<EntityDescriptor xmlns=\"" MD "\" ID=\"_1\" entityID=\"%s\">"
                  "<RoleDescriptor xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:fed=\"" FED "\""
                  " xsi:type=\"fed:SecurityTokenServiceType\" protocolSupportEnumeration=\"" FED "\">", entity);
    put_key(&out, one);
    put_key(&out, two);
    fg_buf_printf(&out, "<fed:PassiveRequestorEndpoint><EndpointReference xmlns=\"http://www.w3.org/2005/08/addressing\">"
                  "<Address>%s</Address></EndpointReference></fed:PassiveRequestorEndpoint></RoleDescriptor></EntityDescriptor>", address);
    assert_true(fg_buf_ok(&out));
    write_file("idp.xml", out.data);
    fg_buf_free(&out);
}

/* ---- what becomes of a section */

static void home_realms_are_directories_then_providers(void **state) {
    (void)state;
    write_metadata("urn:meta", "https://meta.example/ls/", first_key, second_key);
    fg_gateway_t *g = load_good("identity_provider \"meta\" { metadata = \"idp.xml\" }\n"
                                "directory \"staff\" { path = \"users.json\" }\n"
                                "identity_provider \"hand\" { issuer = \"urn:hand\" certificate = \"first.pem\" sign_in = \"https://hand.example/\"\n"
                                "  sign_out = \"https://hand.example/out\" realm = \"urn:us\" uri = \"urn:home\" display_name = \"Hand & Co\"\n"
                                "  acceptance_rules = \"pass.rules\" allow_sha1 = true lifetime_limit = 1h }\n"
                                "directory \"guests\" { path = \"users.json\" }\n");
    const fg_hub_t *hub = fg_gateway_get_hub(g);
    static const char *const uris[] = {"http://fs.example.com/adfs/services/trust/staff",
                                       "http://fs.example.com/adfs/services/trust/guests", "urn:meta", "urn:home"};
    assert_int_equal(hub->home_realm_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fg_str_is(hub->home_realms[i].uri, uris[i]));
        assert_true((hub->home_realms[i].directory != NULL) == (i < 2));
        assert_true((hub->home_realms[i].identity_provider != NULL) == (i >= 2));
    }
    const fg_identity_provider_t *p = hub->home_realms[2].identity_provider;
    assert_string_equal(hub->home_realms[2].display_name, "meta");
    assert_string_equal(p->name, "meta");
    assert_true(fg_str_is(p->issuer, "urn:meta") && fg_str_eq(p->realm, hub->entity_id));
    assert_true(fg_str_is(p->sign_in_url, "https://meta.example/ls/") && fg_str_eq(p->sign_out_url, p->sign_in_url));
    assert_int_equal(p->key_count, 2);
    assert_string_equal(fg_key_get_thumbprint(p->keys[1]), fg_key_get_thumbprint(second_key));
    assert_false(p->allow_sha1);
    assert_int_equal(p->max_lifetime_ms, 0);
    p = hub->home_realms[3].identity_provider;
    assert_string_equal(hub->home_realms[3].display_name, "Hand & Co");
    assert_non_null(hub->home_realms[3].acceptance_rules);
    assert_true(fg_str_is(p->issuer, "urn:hand") && fg_str_is(p->realm, "urn:us"));
    assert_true(fg_str_is(p->sign_out_url, "https://hand.example/out"));
    assert_true(p->allow_sha1);
    assert_int_equal(p->max_lifetime_ms, FG_HOUR);
    assert_non_null(strstr(test.log, "identity provider \"hand\": signatures with SHA-1 are accepted")); /* XS-25 */
    assert_null(strstr(test.log, "\"meta\""));
    assert_ptr_equal(fg_hub_find_issuer(hub, FG_STR("urn:hand")), &hub->home_realms[3]);
    assert_null(fg_hub_find_issuer(hub, FG_STR("urn:han")));
    assert_ptr_equal(fg_hub_find_home_realm(hub, FG_STR("urn:meta")), &hub->home_realms[2]);
    fg_gateway_free(g);
}

/* The key's name in JWTs is the certificate's SHA-1, as AD FS writes it. */
static void certificates_are_keys_of_jwts(void **state) {
    (void)state;
    fg_gateway_t *g = load_good("identity_provider \"hand\" { issuer = \"urn:hand\" certificate = {\"first.pem\", \"second.pem\"} }");
    const fg_identity_provider_t *p = fg_gateway_get_hub(g)->home_realms[0].identity_provider;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *hex = fg_key_get_thumbprint(second_key);
    char expected[28] = "";
    for (unsigned i = 0; i < 27; i++) { /* six bits at a time, out of the hexadecimal text */
        unsigned bits = 0;
        for (unsigned k = 0; k < 6; k++) {
            unsigned bit = i * 6 + k;
            const char digit[2] = {bit < 160 ? hex[bit / 4] : '0', '\0'};
            bits = bits << 1 | (unsigned)(strtoul(digit, NULL, 16) >> (3 - bit % 4) & 1);
        }
        expected[i] = alphabet[bits];
    }
    assert_int_equal(p->jwks.count, 2);
    assert_true(fg_str_is(p->jwks.items[1].kid, expected));
    assert_int_equal(p->jwks.items[1].alg.n, 0);
    assert_int_equal(p->sign_in_url.n, 0);
    fg_gateway_free(g);
}

#define JWK(kid) "{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":\"" kid "\"," \
    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}"

/* How many keys for JWTs the provider "urn:jwt" has for new exchanges; *kid: the first one's name. */
static size_t count_jwks(fg_gateway_t *g, char kid[64]) {
    const fg_request_t request = {.method = FG_METHOD_GET, .https = true};
    fg_exchange_t *ex = fg_gateway_exchange_new(g, &test.env, &request);
    const fg_jwk_set_t *set = &fg_hub_find_issuer(ex->hub, FG_STR("urn:jwt"))->identity_provider->jwks;
    size_t count = set->count;
    snprintf(kid, 64, "%.*s", (int)set->items[0].kid.n, set->items[0].kid.p);
    fg_gateway_exchange_free(ex);
    return count;
}

/* RFC 7517 */
static void a_jwk_set_has_keys_of_jwts_and_is_read_again(void **state) {
    (void)state;
    char kid[64];
    write_file("keys.json", "{\"keys\":[" JWK("one") "]}");
    fg_gateway_t *g = load_good("identity_provider \"jwt\" { issuer = \"urn:jwt\" jwks = \"keys.json\" }");
    assert_int_equal(count_jwks(g, kid), 1);
    assert_string_equal(kid, "one");
    assert_int_equal(fg_hub_find_issuer(fg_gateway_get_hub(g), FG_STR("urn:jwt"))->identity_provider->key_count, 0);
    write_file("keys.json", "{\"keys\":[" JWK("two") "," JWK("three") "]}");
    fg_gateway_refresh(g, &test.env);
    assert_int_equal(count_jwks(g, kid), 2);
    assert_string_equal(kid, "two");
    write_file("keys.json", "{\"keys\":[" JWK("four") "," JWK("four") "]}"); /* JW-04 */
    fg_gateway_refresh(g, &test.env);
    assert_int_equal(count_jwks(g, kid), 2);
    assert_non_null(strstr(test.log, "the last good one stays"));
    write_file("keys.json", "{\"keys\":[]}");
    fg_gateway_refresh(g, &test.env);
    assert_int_equal(count_jwks(g, kid), 2);
    write_file("keys.json", "{\"keys\":[" JWK("five") "]}");
    fg_gateway_refresh(g, &test.env);
    assert_int_equal(count_jwks(g, kid), 1);
    fg_gateway_free(g);
    g = load_good("identity_provider \"jwt\" { issuer = \"urn:jwt\" jwks = \"keys.json\" certificate = {\"first.pem\", \"second.pem\"} }");
    assert_int_equal(count_jwks(g, kid), 3);
    fg_gateway_free(g);
}

static const struct {
    const char *text;
    const char *expected; /* behind the file's name */
} errors[] = {
    {"identity_provider \"a\" { certificate = \"first.pem\" }", ":2:1: found no issuer, expected issuer = \"urn:…\" or metadata = \"FILE\" in identity_provider \"a\""},
    {"identity_provider \"a\" { issuer = \"urn:a\" }", ":2:1: found no certificate, expected certificate = {\"FILE\"} or metadata = \"FILE\" in identity_provider \"a\""},
    {"identity_provider \"a\" { issuer = \"urn:a\" certificate = {\"first.pem\", \"users.json\"} }", ":2:70: found \"users.json\", expected a PEM file with a certificate"},
    {"identity_provider \"a\" { issuer = \"urn:a\" certificate = \"first.pem\" metadata_certificate = \"first.pem\" }", ":2:91: found \"first.pem\", expected it beside metadata"},
    {"identity_provider \"a\" { metadata = \"users.json\" }", ":2:36: found \"users.json\", expected an identity provider's federation metadata"},
    {"identity_provider \"a\" { metadata = \"idp.xml\" metadata_certificate = \"first.pem\" }", ":2:36: found \"idp.xml\", expected an identity provider's federation metadata"},
    {"identity_provider \"a\" { issuer = \"urn:a\" certificate = \"first.pem\" }\nidentity_provider \"b\" { issuer = \"urn:a\" uri = \"urn:b\" certificate = \"first.pem\" }",
     ":3:34: found \"urn:a\", expected an issuer that no other identity provider has (\"urn:a\" is \"a\"'s)"},
    {"identity_provider \"a\" { issuer = \"urn:a\" certificate = \"first.pem\" }\nidentity_provider \"b\" { issuer = \"urn:b\" uri = \"urn:a\" certificate = \"first.pem\" }",
     ":3:48: found \"urn:a\", expected a URI that no other home realm has (it is \"a\"'s)"},
    {"directory \"d\" { path = \"users.json\" uri = \"urn:a\" }\nidentity_provider \"a\" { issuer = \"urn:a\" certificate = \"first.pem\" }", ":3:1: found no uri, expected a URI that no other home realm has"},
    {"identity_provider \"a\" { issuer = \"urn:a\" certificate = \"first.pem\" acceptance_rules = \"none.rules\" }", ":2:87: found \"none.rules\", expected a file with claim rules"},
    {"identity_provider \"a\" { isuer = \"urn:a\" }", ":2:25: found \"isuer\", expected an option of identity_provider; did you mean \"issuer\"?"},
};

static void what_does_not_go_together_is_refused_at_its_place(void **state) {
    (void)state;
    write_metadata("urn:meta", "https://meta.example/ls/", first_key, NULL);
    for (size_t i = 0; i < FG_ARRAY_SIZE(errors); i++) {
        char expected[600];
        fg_err_t err;
        snprintf(expected, sizeof expected, "%s%s", path_of("gateway.conf"), errors[i].expected);
        if (load(errors[i].text, &err) != NULL)
            fail_msg("accepted: %s", errors[i].text);
        if (strncmp(err.detail, expected, strlen(expected)) != 0)
            fail_msg("expected %s\ngot %s", expected, err.detail);
    }
}

/* ---- fresh */

/* The provider called "idp" as new exchanges see it. */
static bool has(fg_gateway_t *g, const char *issuer, size_t key_count) {
    const fg_request_t request = {.method = FG_METHOD_GET, .https = true};
    fg_exchange_t *ex = fg_gateway_exchange_new(g, &test.env, &request);
    const fg_home_realm_t *realm = fg_hub_find_issuer(ex->hub, fg_str(issuer));
    bool found = realm != NULL && realm->identity_provider->key_count == key_count;
    fg_gateway_exchange_free(ex);
    return found;
}

/* SA-18, and the rollover of the partner's keys */
static void changed_metadata_is_taken_up_and_wrong_metadata_is_not(void **state) {
    (void)state;
    write_metadata("urn:meta", "https://meta.example/ls/", first_key, NULL);
    fg_gateway_t *g = load_good("directory \"staff\" { path = \"users.json\" } identity_provider \"idp\" { metadata = \"idp.xml\" }"
                                "identity_provider \"hand\" { issuer = \"urn:hand\" certificate = \"first.pem\" }");
    const fg_request_t request = {.method = FG_METHOD_GET, .https = true};
    fg_exchange_t *old = fg_gateway_exchange_new(g, &test.env, &request);
    assert_true(has(g, "urn:meta", 1));

    write_metadata("urn:meta", "https://meta.example/ls/", first_key, second_key);
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:meta", 2));
    assert_non_null(strstr(test.log, "read again"));
    assert_int_equal(fg_hub_find_issuer(old->hub, FG_STR("urn:meta"))->identity_provider->key_count, 1);
    fg_gateway_exchange_free(old);

    write_file("idp.xml", "<not metadata>");
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:meta", 2));
    assert_non_null(strstr(test.log, "the last good one stays"));
    write_metadata("urn:hand", "https://meta.example/ls/", second_key, NULL); /* somebody else's issuer */
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:meta", 2) && has(g, "urn:hand", 1));
    write_metadata("urn:meta", "javascript:alert(1)", second_key, NULL);
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:meta", 2));
    remove(path_of("idp.xml"));
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:meta", 2));
    write_metadata("urn:renamed", "https://meta.example/ls/", second_key, NULL);
    fg_gateway_refresh(g, &test.env);
    assert_true(has(g, "urn:renamed", 1) && !has(g, "urn:meta", 2));
    fg_gateway_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(home_realms_are_directories_then_providers),
        cmocka_unit_test(certificates_are_keys_of_jwts),
        cmocka_unit_test(a_jwk_set_has_keys_of_jwts_and_is_read_again),
        cmocka_unit_test(what_does_not_go_together_is_refused_at_its_place),
        cmocka_unit_test(changed_metadata_is_taken_up_and_wrong_metadata_is_not),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
