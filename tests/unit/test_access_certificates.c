/* SPDX-License-Identifier: GPL-2.0-or-later
 * Home realms of certificates: from gateway.conf to a client certificate at a protected location. */
#include "tests/unit/access.h"
#include "tests/unit/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>

#include "core/http.h"
#include "core/time.h"
#include "hub/signin.h"
#include "token/certificate.h"

static pki_t root, middle, other_root, alice, robot, revoked;

static void write_crl(const X509 *who) {
    X509_CRL *root_crl = PKI_CRL(&root, 0), *middle_crl = PKI_CRL(&middle, .revoked = who);
    pki_write_crl(access_path("root.crl"), root_crl);
    pki_write_crl(access_path("middle.crl"), middle_crl);
    X509_CRL_free(root_crl);
    X509_CRL_free(middle_crl);
}

static void prepare(void) {
    root = PKI(NULL, .cn = "Root", .basic = PKI_CA);
    middle = PKI(&root, .cn = "Middle", .basic = PKI_CA);
    other_root = PKI(NULL, .cn = "Cards", .basic = PKI_CA);
    alice = PKI(&middle, .cn = "alice", .names = "email:alice@example.com");
    robot = PKI(&other_root, .cn = "robot");
    revoked = PKI(&middle, .cn = "mallory");
    pki_write(access_path("root.pem"), root.x509, NULL);
    pki_write(access_path("other-root.pem"), other_root.x509, NULL);
    write_crl(revoked.x509);
    access_write_file("pki.rules", "c:[Type == \"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name\"] => issue(Type = \"http://schemas.microsoft.com/ws/2008/06/identity/claims/role\", Value = \"Staff\");\n");
}

static const char more[] = "certificates \"pki\" { ca = \"root.pem\" crl = {\"root.crl\", \"middle.crl\"} acceptance_rules = \"pki.rules\" }\n"
                           "certificates \"cards\" { ca = \"other-root.pem\" uri = \"urn:cards\" }\n";

static fg_str_t pem_of(const X509 *x509, char *out, size_t size) {
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, (X509 *)(uintptr_t)x509);
    int n = BIO_read(bio, out, (int)size);
    BIO_free(bio);
    return (fg_str_t){out, (size_t)n};
}

static char leaf_pem[8192], chain_pem[8192];
static void show(const pki_t *who, const pki_t *between) {
    access_begin("all", "GET", "/");
    access_call.request.client_certificate = pem_of(who->x509, leaf_pem, sizeof leaf_pem);
    if (between != NULL)
        access_call.request.client_chain = pem_of(between->x509, chain_pem, sizeof chain_pem);
}

static void a_certificate_is_an_identity_of_its_realm(void **state) {
    (void)state;
    show(&alice, &middle);
    assert_true(access_run());
    const fg_session_t *session = &access_call.ex->access->session;
    assert_true(fg_str_is(session->home_realm, ENTITY "/pki"));
    assert_true(fg_str_is(session->identity.name_id.value, "CN=alice"));
    assert_int_equal(session->identity.claims.count, 1); /* by the acceptance rules */
    assert_true(fg_str_is(session->identity.claims.items[0].value, "Staff"));
    show(&robot, NULL);
    assert_true(access_run());
    assert_true(fg_str_is(access_call.ex->access->session.home_realm, "urn:cards"));
    assert_true(fg_str_is(fg_access_claim(access_call.ex->arena, access_call.ex->access, FG_STR("name")), "robot"));
}

static void what_is_refused_looks_alike(void **state) {
    (void)state;
    pki_t strange_root = PKI(NULL, .cn = "Middle", .basic = PKI_CA), stranger = PKI(&strange_root, .cn = "alice"), late = PKI(&other_root, .cn = "late", .from = -9, .until = -1);
    pki_t server = PKI(&other_root, .cn = "server", .extended_usage = "serverAuth"), weak = PKI(&other_root, .cn = "weak", .rsa_bits = 1024);
    const struct {
        const pki_t *who, *between;
        const char *reason;
    } rows[] = {
        {&stranger, &middle, "certificate_untrusted"}, {&stranger, &strange_root, "certificate_untrusted"}, {&alice, NULL, "certificate_untrusted"}, {&late, NULL, "certificate_expired"},
        {&server, NULL, "certificate_purpose"},        {&weak, NULL, "certificate_weak"},                   {&revoked, &middle, "certificate_revoked"},
    };
    char first[40] = ""; /* the same sentence for all */
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        show(rows[i].who, rows[i].between);
        assert_false(access_run());
        assert_true(access_refused(401, rows[i].reason));
        assert_false(access_body_has("revoked") || access_body_has("expired") || access_body_has("untrusted"));
        const fg_buf_t *body = &access_call.ex->response.body;
        const char *about = strstr(body->data, "certificate");
        assert_non_null(about);
        if (i == 0)
            snprintf(first, sizeof first, "%s", about);
        assert_memory_equal(about, first, strlen(first));
    }
    show(&alice, &middle);
    assert_true(access_run());
    pki_t *all[] = {&strange_root, &stranger, &late, &server, &weak};
    for (size_t i = 0; i < FG_ARRAY_SIZE(all); i++)
        pki_free(all[i]);
}

static void a_changed_crl_is_taken_up(void **state) {
    (void)state;
    show(&alice, &middle);
    assert_true(access_run());
    write_crl(alice.x509);
    fg_gateway_refresh(access_gateway, &access_test.env);
    access_test.now_ms += 10 * FG_MINUTE; /* it is known for so long */
    show(&alice, &middle);
    assert_false(access_run());
    assert_true(access_refused(401, "certificate_revoked"));
    write_crl(NULL);
    fg_gateway_refresh(access_gateway, &access_test.env);
    show(&alice, &middle);
    assert_true(access_run());
    access_test.now_ms = TEST_NOW + 8 * FG_DAY; /* the CRLs have expired */
    show(&alice, &middle);
    assert_false(access_run());
    assert_true(access_refused(401, "certificate_unchecked"));
    write_crl(revoked.x509);
}

static void signers_need_no_client_purpose(void **state) {
    (void)state;
    fg_identity_t identity;
    const fg_home_realm_t *realm;
    fg_err_t err = FG_ERR_INIT;
    pki_t signer = PKI(&other_root, .cn = "signer", .extended_usage = "emailProtection");
    show(&robot, NULL);
    assert_true(access_run());
    fg_exchange_t *ex = access_call.ex;
    assert_true(fg_signin_certificate(ex, signer.x509, NULL, FG_X509_SIGNER, &identity, &realm, &err));
    assert_true(fg_str_is(realm->uri, "urn:cards") && fg_str_is(identity.name_id.value, "CN=signer"));
    assert_false(fg_signin_certificate(ex, signer.x509, NULL, FG_X509_CLIENT, &identity, &realm, &err));
    assert_err(&err, FG_E_CERTIFICATE_PURPOSE);
    assert_null(realm);
    pki_free(&signer);
}

static void chains_are_read_within_limits(void **state) {
    (void)state;
    fg_arena_t *arena = fg_arena_new(0);
    fg_err_t err = FG_ERR_INIT;
    X509 *leaf;
    STACK_OF(X509) *rest;
    fg_str_t one = pem_of(alice.x509, leaf_pem, sizeof leaf_pem);
    char *many = calloc(12, one.n);
    for (int i = 0; i < 11; i++)
        memcpy(many + (size_t)i * one.n, one.p, one.n);
    assert_true(fg_certificate_chain_read(arena, one, FG_STR_NONE, &leaf, &rest, &err) && sk_X509_num(rest) == 0);
    assert_true(fg_certificate_chain_read(arena, one, (fg_str_t){many, 10 * one.n}, &leaf, &rest, &err) && sk_X509_num(rest) == 10);
    assert_false(fg_certificate_chain_read(arena, one, (fg_str_t){many, 11 * one.n}, &leaf, &rest, &err));
    assert_false(fg_certificate_chain_read(arena, (fg_str_t){many, 2 * one.n}, FG_STR_NONE, &leaf, &rest, &err));
    assert_false(fg_certificate_chain_read(arena, FG_STR("nonsense"), FG_STR_NONE, &leaf, &rest, &err));
    fg_arena_free(arena);
    free(many);
}

/* ---- gateway.conf */

static fg_gateway_t *load_conf(const char *text, fg_err_t *err) {
    char whole[4096];
    const fg_gateway_options_t options = {true, (unsigned)-1, (unsigned)-1};
    snprintf(whole, sizeof whole, "base_url = \"" BASE "\" pages = \"%s\"\n%s", access_pages, text);
    access_write_file("wrong.conf", whole);
    return fg_gateway_load(access_path("wrong.conf"), &options, &access_test.env, err);
}

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"certificates \"a\" { }", ":2:1: found no ca, expected ca = {\"FILE\"} in certificates \"a\""},
        {"certificates \"a\" { ca = \"none.pem\" }", ":2:25: found \"none.pem\", expected a file that can be used"},
        {"certificates \"a\" { ca = {\"root.pem\", \"pki.rules\"} }", ":2:38: found \"pki.rules\", expected a file that can be used"},
        {"certificates \"a\" { ca = \"root.pem\" crl = \"users.json\" }", ":2:42: found \"users.json\", expected a file that can be used"},
        {"certificates \"a\" { ca = \"root.pem\" intermediates = \"root.crl\" }", ":2:52: found \"root.crl\", expected a file that can be used"},
        {"certificates \"a\" { ca = \"root.pem\" revocation = crl }", ":2:49: found \"crl\", expected crl beside crl"},
        {"certificates \"a\" { ca = \"root.pem\" revocation = ocsp }", ":2:49: found \"ocsp\", expected it only where fetch"},
        {"certificates \"a\" { ca = \"root.pem\" revocation = {none, crl} }", ":2:50: found \"none\", expected none alone"},
        {"certificates \"a\" { ca = \"root.pem\" crl = \"root.crl\" revocation = {crl, crl} }", ":2:72: found \"crl\", expected each of them once"},
        {"certificates \"a\" { ca = \"root.pem\" revocation = oscp }", ":2:49: found \"oscp\", expected one of none, crl, fetch, ocsp; did you mean \"ocsp\"?"},
        {"certificates \"a\" { ca = \"root.pem\" depth = 11 }", ":2:44: found \"11\", expected at most 10"},
        {"certificates \"a\" { ca = \"root.pem\" uri = \"urn:x\" }\ncertificates \"b\" { ca = \"root.pem\" uri = \"urn:x\" }", ":3:42: found \"urn:x\", expected a URI that no other home realm has (it is \"a\"'s)"},
        {"certificates \"a\" { ca = \"root.pem\" acceptance_rules = \"none\" }", ":2:55: found \"none\", expected a file with claim rules"},
        {"fetch { allow = \"https://*/\" }", ":2:17: found \"https://*/\", expected the beginning of an http or https address"},
        {"fetch { ca = \"none.pem\" }", ":2:14: found \"none.pem\", expected a PEM file with CA certificates"},
        {"fetch { timeout = 31s }", ":2:19: found \"31s\", expected from 1s to 30s"},
        {"fetch { size = 1k }", ":2:16: found \"1k\", expected a size from 4k to 16m"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        if (load_conf(rows[i][0], &err) != NULL)
            fail_msg("taken: %s", rows[i][0]);
        if (strstr(err.detail, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], err.detail);
    }
}

static void nothing_is_fetched_but_what_the_configuration_names_wt10(void **state) {
    (void)state;
    static const char *const confs[] = {"", "fetch { allow = \"https://crl.example.com/\" }"};
    for (size_t i = 0; i < 2; i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_gateway_t *gateway = load_conf(confs[i], &err);
        if (gateway == NULL)
            fail_msg("%s", err.detail);
        fg_arena_t *arena = fg_arena_new(0);
        test_env_t copy = access_test;
        fg_http_response_t response;
        const fg_http_request_t request = {.url = FG_STR("https://127.0.0.1:1/")};
        copy.env.http = fg_gateway_get_http(gateway);
        assert_non_null(copy.env.http);
        assert_false(fg_http_fetch(&copy.env, arena, &request, &response, &err));
        assert_err(&err, FG_E_FETCH_REFUSED);
        fg_arena_free(arena);
        fg_gateway_free(gateway);
    }
}

static int stop(void **state) {
    pki_t *all[] = {&root, &middle, &other_root, &alice, &robot, &revoked};
    for (size_t i = 0; i < FG_ARRAY_SIZE(all); i++)
        pki_free(all[i]);
    return access_stop(state);
}

#define TEST(name) cmocka_unit_test_setup(name, access_refill)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_is_an_identity_of_its_realm),
        TEST(what_is_refused_looks_alike),
        TEST(a_changed_crl_is_taken_up),
        TEST(signers_need_no_client_purpose),
        TEST(chains_are_read_within_limits),
        TEST(mistakes_are_told_with_their_place),
        TEST(nothing_is_fetched_but_what_the_configuration_names_wt10),
    };
    access_more = more;
    access_prepare = prepare;
    return cmocka_run_group_tests(tests, access_start, stop);
}
