/* SPDX-License-Identifier: GPL-2.0-or-later
 * A loaded gateway: what it refuses to load, which endpoint a request reaches, and how it keeps fresh. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/key.h"
#include "core/time.h"
#include "gateway/gateway.h"
#include "hub/store.h"

static char folder[] = "/tmp/fedgate-gateway-XXXXXX";
static char pages[1024];
static test_env_t test;
static void *store_memory;
static fg_gateway_t *gateway; /* of the tests that only look */

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

/* Writes gateway.conf: what every one needs, and text. */
static void write_config(const char *text) {
    char whole[8192];
    snprintf(whole, sizeof whole, "base_url = \"https://fs.example.com\" pages = \"%s\" state = \"state\" keys { signing = ec-p256 }\n%s", pages, text);
    write_file("gateway.conf", whole);
}

static fg_gateway_t *load(bool check_only, fg_err_t *err) {
    const fg_gateway_options_t options = {check_only, (unsigned)-1, (unsigned)-1};
    *err = (fg_err_t)FG_ERR_INIT;
    return fg_gateway_load(path_of("gateway.conf"), &options, &test.env, err);
}

static fg_gateway_t *load_text(const char *text, bool check_only) {
    fg_err_t err;
    write_config(text);
    fg_gateway_t *loaded = load(check_only, &err);
    if (loaded == NULL)
        fail_msg("%s", err.detail);
    return loaded;
}

static void write_certificate(const char *name, fg_key_type_t type) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(64 << 10);
    fg_key_t *key = test_key(type, "partner", TEST_NOW - FG_DAY, TEST_NOW + FG_DAY);
    assert_non_null(key);
    assert_true(fg_key_to_pem(key, &pem, &err));
    write_file(name, pem.data);
    fg_buf_free(&pem);
    fg_key_unref(key);
}

static const char standard[] =
    "directory \"staff\" { path = \"users.json\" }\n"
    "trusted_proxies = {\"127.0.0.1\", \"10.0.0.0/9\", \"2001:db8::/33\", \"unix:\"}\n"
    "limits { body = 4k }\n"
    "partner \"demo\" { realm = {\"urn:demo\", \"urn:demo:2\"} reply = \"https://fs.example.com/demo/\" claims = {upn} }\n"
    "partner \"sealed\" { realm = \"urn:sealed\" certificate = \"rsa.pem\" reply = \"http://sealed.example/\" }\n"
    "partner \"open\" { realm = \"urn:open\" certificate = \"rsa.pem\" encrypt = false sign_out = \"https://open.example/out\" }\n"
    "viewer { path = \"/demo/\" realm = \"urn:demo\" }\n";

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
    store_memory = aligned_alloc(4096, 1 << 20);
    test.env.store = fg_store_open(store_memory, 1 << 20, false, &err);
    write_file("users.json", "{\"users\":[]}\n");
    write_certificate("rsa.pem", FG_KEY_RSA_2048);
    write_certificate("ec.pem", FG_KEY_EC_P256);
    gateway = load_text(standard, false);
    return 0;
}

static int stop(void **state) {
    char command[200];
    (void)state;
    fg_gateway_free(gateway);
    fg_store_close(test.env.store);
    free(store_memory);
    fg_gateway_stop();
    snprintf(command, sizeof command, "%s", folder);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", "--", command, (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}

/* ---- loading */

static void the_hub_is_what_was_configured(void **state) {
    (void)state;
    const fg_hub_t *hub = fg_gateway_get_hub(gateway);
    assert_true(fg_str_is(hub->host, "fs.example.com"));
    assert_true(fg_str_is(hub->entity_id, "http://fs.example.com/adfs/services/trust"));
    assert_string_equal(hub->organisation, "fs.example.com");
    assert_int_equal(hub->xml.bytes, 4096);
    assert_int_equal(hub->home_realm_count, 1);
    assert_true(fg_str_is(hub->home_realms[0].uri, "http://fs.example.com/adfs/services/trust/staff"));
    assert_non_null(hub->keyring);
    assert_int_equal(hub->partner_count, 3);
    assert_int_equal(hub->realm_count, 4);
    const fg_partner_t *demo = fg_hub_find_partner(hub, FG_STR("urn:demo:2"));
    assert_non_null(demo);
    assert_ptr_equal(demo, hub->viewer);
    assert_true(fg_str_is(demo->sign_out_url, "https://fs.example.com/demo/"));
    assert_null(demo->encryption_key);
    assert_non_null(fg_hub_find_partner(hub, FG_STR("urn:sealed"))->encryption_key);
    const fg_partner_t *open = fg_hub_find_partner(hub, FG_STR("urn:open"));
    assert_null(open->encryption_key);
    assert_true(fg_str_is(open->sign_out_url, "https://open.example/out"));
    assert_null(fg_hub_find_partner(hub, FG_STR("urn:ope")));
    assert_null(fg_hub_find_partner(hub, FG_STR("URN:open")));
    assert_null(fg_gateway_get_audit_path(gateway));
    assert_int_equal(fg_gateway_get_store_size(gateway), 8 << 20);
    assert_non_null(strstr(test.log, "tokens travel unprotected to http://sealed.example/"));
}

static void a_check_makes_nothing(void **state) {
    (void)state;
    write_file("gateway.conf", "");
    char text[2048];
    snprintf(text, sizeof text, "base_url = \"https://h\" state = \"not-yet\" pages = \"%s\"", pages);
    write_file("gateway.conf", text);
    fg_err_t err;
    fg_gateway_t *checked = load(true, &err);
    assert_non_null(checked);
    fg_gateway_free(checked);
    assert_int_not_equal(access(path_of("not-yet"), F_OK), 0);
    fg_gateway_t *loaded = load(false, &err); /* control */
    assert_non_null(loaded);
    fg_gateway_free(loaded);
    struct stat status;
    assert_int_equal(stat(path_of("not-yet"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(access(path_of("not-yet/keys"), F_OK), 0);
}

/* text, message behind the file's name; DIR stands for the test's folder */
static const struct {
    const char *text;
    const char *expected;
} errors[] = {
    {"partner \"a\" { }", ":2:1: found no realm, expected realm = {\"urn:…\"}, metadata = \"FILE\", client_id or openid2_realm in partner \"a\""},
    {"partner \"a\" { realm = \"urn:x\" }\npartner \"b\" { realm = {\"urn:y\", \"urn:x\"} }",
     ":3:33: found \"urn:x\", expected a realm that no other partner has (\"urn:x\" is partner \"a\"'s)"},
    {"partner \"a\" { realm = \"urn:x\" lifetime = 0s }", ":2:42: found \"0s\", expected a duration longer than nothing"},
    {"partner \"a\" { realm = \"urn:x\" encrypt = true }",
     ":2:41: found \"true\", expected it beside a certificate, or metadata with one for encryption"},
    {"partner \"a\" { realm = \"urn:x\" encrypt_parts = \"name_id\" }",
     ":2:47: found \"name_id\", expected a certificate for encryption beside it"},
    {"partner \"a\" { realm = \"urn:x\" encrypt_parts = \"subject\" }",
     ":2:47: found \"subject\", expected one of name_id, attributes"},
    {"identity_provider \"a\" { issuer = \"urn:x\" certificate = \"ec.pem\" artifacts = true }",
     ":2:77: found \"true\", expected metadata of SAML 2.0 with an ArtifactResolutionService beside it"},
    {"identity_provider \"a\" { issuer = \"urn:x\" certificate = \"ec.pem\" encrypt_name_id = true }",
     ":2:83: found \"true\", expected metadata of SAML 2.0 with a certificate for encryption beside it"},
    {"partner \"a\" { realm = \"urn:x\" certificate = \"ec.pem\" }",
     ":2:45: found \"ec.pem\", expected a certificate with an RSA key (tokens are encrypted with RSA-OAEP)"},
    {"partner \"a\" { realm = \"urn:x\" certificate = \"none.pem\" }",
     ":2:45: found \"none.pem\", expected a PEM file with a certificate (DIR/none.pem: No such file or directory)"},
    {"partner \"a\" { realm = \"urn:x\" metadata_certificate = \"ec.pem\" }",
     ":2:54: found \"ec.pem\", expected it beside metadata = \"FILE\" only"},
    {"partner \"a\" { metadata = \"none.xml\" }",
     ":2:26: found \"none.xml\", expected a relying party's federation metadata (DIR/none.xml: No such file or directory)"},
    {"directory \"d\" { path = \"none.json\" }", ":2:24: found \"none.json\", expected a users file ("},
    {"partner \"a\" { openid2_realm = {\"https://a.test\"} }\npartner \"b\" { openid2_realm = {\"https://A.test:443/\"} }",
     ":3:32: found \"https://A.test:443/\", expected realms that no other partner has"},
    {"partner \"a\" { openid2_realm = {\"https://*.com/\"} }", ":2:32: found \"https://*.com/\", expected a realm as"},
    {"identity_provider \"i\" { protocol = \"openid2\" openid2_identifier = \"=xri\" }",
     ":2:67: found \"=xri\", expected the address of an OpenID provider"},
    {"partner \"a\" { client_id = \"a\" }", ":2:1: found no client_secret_file, expected client_secret_file = \"FILE\""},
    {"partner \"a\" { client_id = \"a\" client_auth = \"none\" }", ":2:1: found no redirect_uri, expected redirect_uri = {"},
    {"partner \"a\" { client_id = \"a\" client_auth = \"private_key_jwt\" }", ":2:1: found no client_jwks, expected client_jwks"},
    {"partner \"a\" { client_id = \"a\" client_auth = \"none\" redirect_uri = \"javascript:alert\" }",
     ":2:67: found \"javascript:alert\", expected an http or https address"},
    {"partner \"a\" { client_id = \"a\" client_auth = \"none\" redirect_uri = \"https://a.test/#x\" }",
     ":2:67: found \"https://a.test/#x\", expected an http or https address"},
    {"partner \"a\" { client_id = \"a\" client_auth = \"none\" redirect_uri = {\"https://a.test/\", \"https://b.test/\"} subject = "
     "\"pairwise\" }",
     ":2:116: found \"pairwise\", expected redirect URIs of one host"},
    {"partner \"a\" { realm = \"urn:x\" redirect_uri = \"https://a.test/\" }", ":2:46: found \"https://a.test/\", expected it beside client_id"},
    {"partner \"a\" { client_id = \"x\" client_auth = \"none\" redirect_uri = \"https://a.test/\" }\n"
     "partner \"b\" { client_id = \"x\" client_auth = \"none\" redirect_uri = \"https://b.test/\" }",
     ":3:27: found \"x\", expected a client_id that no other partner has"},
    {"partner \"a\" { realm = \"urn:x\" }\nviewer { path = \"/demo/\" realm = \"urn:X\" }",
     ":3:34: found \"urn:X\", expected the realm of one of the partners"},
    {"partner \"a\" { realm = \"urn:x\" }\nviewer { path = \"/demo/\" realm = \"urn:x\" }",
     ":3:17: found \"/demo/\", expected reply = {\"https://fs.example.com/demo/\"} in partner \"a\""},
};

static void what_does_not_go_together_is_refused_at_its_place(void **state) {
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(errors); i++) {
        char expected[600];
        const char *dir = strstr(errors[i].expected, "DIR");
        if (dir != NULL)
            snprintf(expected, sizeof expected, "%s/gateway.conf%.*s%s%s", folder, (int)(dir - errors[i].expected), errors[i].expected, folder, dir + 3);
        else
            snprintf(expected, sizeof expected, "%s/gateway.conf%s", folder, errors[i].expected);
        fg_err_t err;
        write_config(errors[i].text);
        fg_gateway_t *loaded = load(true, &err);
        if (loaded != NULL)
            fail_msg("accepted: %s", errors[i].text);
        if (strncmp(err.detail, expected, strlen(expected)) != 0)
            fail_msg("expected %s\ngot %s", expected, err.detail);
    }
}

static void trusted_proxies_are_those_named(void **state) {
    (void)state;
    static const char *const yes[] = {"127.0.0.1", "10.0.0.1", "10.127.255.255", "2001:db8:7fff::1", "unix:", "::ffff:10.1.2.3"};
    static const char *const no[] = {"127.0.0.2", "10.128.0.0", "2001:db8:8000::1", "11.0.0.1", "", "::1", "localhost", "10.0.0.1 "};
    for (size_t i = 0; i < FG_ARRAY_SIZE(yes); i++)
        if (!fg_gateway_is_trusted_proxy(gateway, fg_str(yes[i])))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < FG_ARRAY_SIZE(no); i++)
        if (fg_gateway_is_trusted_proxy(gateway, fg_str(no[i])))
            fail_msg("%s", no[i]);
}

/* ---- requests */

static fg_request_t request_of(fg_method_t method, const char *path) {
    return (fg_request_t){.method = method, .https = true, .host = FG_STR("fs.example.com"), .path = fg_str(path), .query = FG_STR(""),
                          .client_address = FG_STR("192.0.2.1")};
}

static fg_exchange_t *run(const fg_request_t *request) {
    fg_exchange_t *ex = fg_gateway_exchange_new(gateway, &test.env, request);
    assert_non_null(ex);
    assert_int_equal(fg_gateway_run(ex), FG_STEP_DONE);
    return ex;
}

static const char *header_of(const fg_exchange_t *ex, const char *name) {
    for (size_t i = 0; i < ex->response.header_count; i++)
        if (fg_str_is(ex->response.headers[i].name, name))
            return ex->response.headers[i].value.p;
    return NULL;
}

#define METADATA "/FederationMetadata/2007-06/FederationMetadata.xml"
#define USERNAME "/adfs/services/trust/13/usernamemixed"
#define MEX "/adfs/services/trust/mex"
#define GET FG_METHOD_GET
#define HEAD FG_METHOD_HEAD
#define POST FG_METHOD_POST
#define OTHER FG_METHOD_OTHER

static const struct {
    fg_method_t method;
    bool plain;        /* http */
    const char *host;
    const char *path, *query;
    size_t body;
    int status;
    const char *header, *value; /* header NULL: not looked at; value NULL: must not be there */
} routes[] = {
    {GET, false, "fs.example.com", METADATA, "", 0, 200, "Allow", NULL},
    {HEAD, false, "fs.example.com", METADATA, "", 0, 200, NULL, NULL},
    {GET, false, "FS.example.com:443", METADATA, "", 0, 200, NULL, NULL},
    {GET, false, "fs.example.com", "/adfs/ls/", "", 0, 400, "Location", NULL},
    {GET, false, "fs.example.com", "/adfs/ls", "", 0, 400, NULL, NULL},
    {GET, false, "fs.example.com", "/adfs/ls//", "", 0, 404, NULL, NULL},
    {GET, false, "fs.example.com", "/adfs/LS/", "", 0, 404, NULL, NULL},
    {GET, false, "fs.example.com", "/", "", 0, 404, NULL, NULL},
    {GET, false, "fs.example.com", "", "", 0, 404, NULL, NULL},
    {GET, false, "fs.example.com", MEX, "", 0, 200, NULL, NULL},
    /* methods */
    {POST, false, "fs.example.com", METADATA, "", 0, 405, "Allow", "GET, HEAD"},
    {OTHER, false, "fs.example.com", METADATA, "", 0, 405, "Allow", "GET, HEAD"},
    {OTHER, false, "fs.example.com", "/adfs/ls/", "", 0, 405, "Allow", "GET, HEAD, POST"},
    {GET, false, "fs.example.com", USERNAME, "", 0, 405, "Allow", "POST"},
    /* http: a browser is sent on, a form or a message is not taken */
    {GET, true, "fs.example.com", "/adfs/ls/", "wa=wsignin1.0&wctx=a%20b", 0, 302, "Location", "https://fs.example.com/adfs/ls/?wa=wsignin1.0&wctx=a%20b"},
    {GET, true, "fs.example.com", METADATA, "", 0, 302, "Location", "https://fs.example.com" METADATA},
    {POST, true, "fs.example.com", "/adfs/ls/", "", 10, 403, "Location", NULL},
    {GET, true, "fs.example.com", "/adfs/ls/", "x", 0, 302, "Strict-Transport-Security", NULL},
    {GET, false, "fs.example.com", "/adfs/ls/", "", 0, 400, "Strict-Transport-Security", "max-age=31536000"},
    /* another host */
    {GET, false, "evil.example", "/demo", "", 0, 302, "Location", "https://fs.example.com/demo/"},
    {GET, false, "fs.example.com:8443", "/adfs/ls/", "", 0, 302, NULL, NULL},
    {GET, false, "", "/adfs/ls/", "", 0, 302, NULL, NULL},
    {POST, false, "evil.example", "/adfs/ls/", "", 10, 421, "Location", NULL},
    /* HT-02: what cannot be a header becomes no answer */
    {GET, false, "evil.example", "/adfs/ls/", "a\r\nX-Evil: 1", 0, 500, "Location", NULL},
    /* XP-09 */
    {POST, false, "fs.example.com", "/adfs/ls/", "", 4097, 413, NULL, NULL},
};

static void each_request_reaches_its_endpoint(void **state) {
    (void)state;
    static char body[5000];
    for (size_t i = 0; i < FG_ARRAY_SIZE(routes); i++) {
        fg_request_t request = request_of(routes[i].method, routes[i].path);
        request.https = !routes[i].plain;
        request.host = fg_str(routes[i].host);
        request.query = fg_str(routes[i].query);
        request.body = (fg_str_t){body, routes[i].body};
        fg_exchange_t *ex = run(&request);
        if (ex->response.status != routes[i].status)
            fail_msg("row %zu, %s: %d instead of %d", i, routes[i].path, ex->response.status, routes[i].status);
        const char *value = routes[i].header ? header_of(ex, routes[i].header) : NULL;
        if (routes[i].header != NULL && (value == NULL) != (routes[i].value == NULL))
            fail_msg("row %zu, %s: %s", i, routes[i].path, value ? value : "header is missing");
        if (value != NULL)
            assert_string_equal(value, routes[i].value);
        assert_string_equal(header_of(ex, "X-Request-Id"), ex->correlation_id);
        fg_gateway_exchange_free(ex);
    }
}

static void faults_have_the_endpoints_form(void **state) {
    (void)state;
    static char body[4097];
    fg_request_t request = request_of(FG_METHOD_POST, USERNAME);
    request.body = (fg_str_t){body, sizeof body};
    fg_exchange_t *ex = run(&request);
    assert_in_range(ex->response.status, 400, 599);
    assert_non_null(strstr(ex->response.body.data, "Fault"));
    fg_gateway_exchange_free(ex);
    request.body.n = 0;
    request.body_too_large = true;
    ex = run(&request);
    assert_non_null(strstr(ex->response.body.data, "Fault"));
    fg_gateway_exchange_free(ex);
    request.body_too_large = false;
    request.https = false;
    ex = run(&request);
    assert_non_null(strstr(ex->response.body.data, "Fault"));
    fg_gateway_exchange_free(ex);
}

static void a_full_queue_is_answered_in_the_endpoints_form(void **state) {
    (void)state;
    fg_request_t request = request_of(FG_METHOD_GET, "/adfs/ls/");
    fg_exchange_t *ex = fg_gateway_exchange_new(gateway, &test.env, &request);
    fg_gateway_refuse(ex, FG_E_BUSY);
    assert_int_equal(ex->response.status, 503);
    assert_non_null(header_of(ex, "Retry-After"));
    assert_non_null(header_of(ex, "X-Request-Id"));
    assert_non_null(ex->audit);
    fg_gateway_exchange_free(ex);
    request = request_of(FG_METHOD_POST, USERNAME);
    ex = fg_gateway_exchange_new(gateway, &test.env, &request);
    fg_gateway_refuse(ex, FG_E_BUSY);
    assert_int_equal(ex->response.status, 503);
    assert_non_null(strstr(ex->response.body.data, "Fault"));
    fg_gateway_exchange_free(ex);
    request = request_of(FG_METHOD_GET, "/nothing");
    ex = fg_gateway_exchange_new(gateway, &test.env, &request);
    fg_gateway_refuse(ex, FG_E_BUSY);
    assert_int_equal(ex->response.status, 503);
    fg_gateway_exchange_free(ex);
}

static void without_randomness_nothing_is_done(void **state) {
    (void)state;
    fg_request_t request = request_of(FG_METHOD_GET, METADATA);
    test.random_fails = true;
    fg_exchange_t *ex = run(&request);
    test.random_fails = false;
    assert_int_equal(ex->response.status, 500);
    assert_non_null(strstr(ex->response.body.data, "could not process"));
    fg_gateway_exchange_free(ex);
}

/* An exchange whose memory is used up answers 500 and does not fall. */
static void out_of_memory_is_an_answer(void **state) {
    (void)state;
    fg_request_t request = request_of(FG_METHOD_GET, "/adfs/ls/");
    request.query = FG_STR("wa=wsignin1.0&wtrealm=urn:demo");
    fg_exchange_t *ex = run(&request); /* control */
    assert_int_equal(ex->response.status, 200);
    fg_gateway_exchange_free(ex);
    for (size_t left = 0; left < 6000; left += 400) {
        ex = fg_gateway_exchange_new(gateway, &test.env, &request);
        for (size_t size = 8u << 20; size > 0; size /= 2)
            while (fg_arena_alloc(ex->arena, size) != NULL)
                if (left > 0 && size < left)
                    break;
        assert_int_equal(fg_gateway_run(ex), FG_STEP_DONE);
        assert_true(ex->response.status == 500 || ex->response.status == 200);
        assert_non_null(header_of(ex, "X-Request-Id"));
        fg_gateway_exchange_free(ex);
    }
}

/* ---- metadata */

#define RP(entity, reply) \
    "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"" entity "\">" \
    "<RoleDescriptor xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:fed=\"http://docs.oasis-open.org/wsfed/federation/200706\"" \
    " xsi:type=\"fed:ApplicationServiceType\" protocolSupportEnumeration=\"http://docs.oasis-open.org/wsfed/federation/200706\">" \
    "<fed:PassiveRequestorEndpoint><EndpointReference xmlns=\"http://www.w3.org/2005/08/addressing\"><Address>" reply "</Address>" \
    "</EndpointReference></fed:PassiveRequestorEndpoint></RoleDescriptor></EntityDescriptor>"

/* Realm known to new exchanges? */
static bool knows(fg_gateway_t *g, const char *realm) {
    fg_request_t request = request_of(FG_METHOD_GET, "/");
    fg_exchange_t *ex = fg_gateway_exchange_new(g, &test.env, &request);
    bool found = fg_hub_find_partner(ex->hub, fg_str(realm)) != NULL;
    fg_gateway_exchange_free(ex);
    return found;
}

static void refresh_with(fg_gateway_t *g, const char *metadata) {
    test.log[0] = '\0';
    write_file("partner.xml", metadata);
    fg_gateway_refresh(g, &test.env);
}

/* SA-18 */
static void changed_metadata_is_taken_up_and_wrong_metadata_is_not(void **state) {
    (void)state;
    write_file("partner.xml", RP("urn:first", "https://first.example/"));
    write_file("other.xml", RP("urn:other", "https://other.example/"));
    fg_gateway_t *g = load_text("partner \"meta\" { metadata = \"partner.xml\" } partner \"other\" { metadata = \"other.xml\" }", false);
    const fg_partner_t *partner = fg_hub_find_partner(fg_gateway_get_hub(g), FG_STR("urn:first"));
    assert_non_null(partner);
    assert_true(fg_str_is(partner->reply_urls[0], "https://first.example/"));
    fg_request_t request = request_of(FG_METHOD_GET, "/");
    fg_exchange_t *old = fg_gateway_exchange_new(g, &test.env, &request);

    refresh_with(g, RP("urn:second", "https://second.example/x"));
    assert_true(knows(g, "urn:second") && !knows(g, "urn:first"));
    assert_non_null(fg_hub_find_partner(old->hub, FG_STR("urn:first"))); /* what began before stays as it was */
    fg_gateway_exchange_free(old);
    refresh_with(g, "<not metadata>");
    assert_true(knows(g, "urn:second"));
    assert_non_null(strstr(test.log, "the last good one stays"));
    test.log[0] = '\0';
    fg_gateway_refresh(g, &test.env);
    assert_string_equal(test.log, ""); /* said once */
    refresh_with(g, RP("urn:other", "https://second.example/"));
    assert_true(knows(g, "urn:second"));
    assert_non_null(strstr(test.log, "a realm that no other partner has (\"urn:other\" is partner"));
    write_file("other.xml", RP("urn:another", "https://other.example/")); /* what was refused is not in another partner's way */
    fg_gateway_refresh(g, &test.env);
    assert_true(knows(g, "urn:another") && knows(g, "urn:second") && !knows(g, "urn:other"));
    refresh_with(g, RP("urn:third", "javascript:alert(1)"));
    assert_true(knows(g, "urn:second"));
    remove(path_of("partner.xml"));
    fg_gateway_refresh(g, &test.env);
    assert_true(knows(g, "urn:second"));
    refresh_with(g, RP("urn:third", "https://third.example/"));
    assert_true(knows(g, "urn:third"));
    fg_gateway_free(g);
}

static void what_is_written_by_hand_goes_before_metadata(void **state) {
    (void)state;
    write_file("partner.xml", RP("urn:first", "https://first.example/"));
    fg_gateway_t *g = load_text("partner \"meta\" { metadata = \"partner.xml\" realm = \"urn:hand\" reply = {\"https://hand.example/\"} }", true);
    const fg_hub_t *hub = fg_gateway_get_hub(g);
    assert_null(fg_hub_find_partner(hub, FG_STR("urn:first")));
    const fg_partner_t *partner = fg_hub_find_partner(hub, FG_STR("urn:hand"));
    assert_non_null(partner);
    assert_int_equal(partner->reply_count, 1);
    assert_true(fg_str_is(partner->reply_urls[0], "https://hand.example/"));
    fg_gateway_free(g);
    fg_err_t err;
    write_config("partner \"meta\" { metadata = \"partner.xml\" metadata_certificate = \"ec.pem\" }");
    assert_null(load(true, &err)); /* unsigned, where a key is configured */
    assert_non_null(strstr(err.detail, "found \"partner.xml\", expected a relying party's federation metadata"));
}

/* ---- fedgate config check */

static int check_with_command(const char *a, const char *b) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen(path_of("said"), "w", stderr) == NULL)
            _exit(99);
        execl("./fedgate", "fedgate", "config", "check", a, b, (char *)NULL);
        _exit(99);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_command_says_right_or_wrong(void **state) {
    (void)state;
    if (access("./fedgate", X_OK) != 0)
        skip();
    char config[100];
    snprintf(config, sizeof config, "%s", path_of("gateway.conf"));
    write_config(standard);
    assert_int_equal(check_with_command(config, NULL), 0);
    write_config("partnr \"x\" { }");
    assert_int_equal(check_with_command(config, NULL), 3);
    char *said = test_file(path_of("said"), NULL);
    assert_non_null(strstr(said, "gateway.conf:2:1: found \"partnr\", expected an option or a section of the configuration; did you mean \"partner\"?"));
    free(said);
    assert_int_equal(check_with_command("/nowhere/gateway.conf", NULL), 3);
    assert_int_equal(check_with_command(config, "another"), 2);
    assert_int_equal(check_with_command("--nonsense", NULL), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hub_is_what_was_configured),
        cmocka_unit_test(a_check_makes_nothing),
        cmocka_unit_test(what_does_not_go_together_is_refused_at_its_place),
        cmocka_unit_test(trusted_proxies_are_those_named),
        cmocka_unit_test(each_request_reaches_its_endpoint),
        cmocka_unit_test(faults_have_the_endpoints_form),
        cmocka_unit_test(a_full_queue_is_answered_in_the_endpoints_form),
        cmocka_unit_test(without_randomness_nothing_is_done),
        cmocka_unit_test(out_of_memory_is_an_answer),
        cmocka_unit_test(changed_metadata_is_taken_up_and_wrong_metadata_is_not),
        cmocka_unit_test(what_is_written_by_hand_goes_before_metadata),
        cmocka_unit_test(the_command_says_right_or_wrong),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
