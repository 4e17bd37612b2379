/* SPDX-License-Identifier: GPL-2.0-or-later
 * What metadata says of a partner's SAML 2.0 role: each refusal beside the document that is read. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridges/saml/party.h"
#include "core/crypto.h"
#include "core/time.h"
#include "core/xml.h"

#define BINDING "urn:oasis:names:tc:SAML:2.0:bindings:"

/* %K: a KeyDescriptor's certificate */
static const char sp[] =
    "<md:EntityDescriptor xmlns:md=\"" FG_NS_MD "\" entityID=\"https://sp.test/metadata\">"
    "<md:SPSSODescriptor AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"1\" "
    "protocolSupportEnumeration=\"" FG_NS_SAML2P "\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"" FG_NS_DS
    "\"><ds:X509Data><ds:X509Certificate>%K</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    "<md:SingleLogoutService Binding=\"" BINDING
    "HTTP-Redirect\" Location=\"https://sp.test/slo\" ResponseLocation=\"https://sp.test/done\"/>"
    "<md:NameIDFormat> urn:oasis:names:tc:SAML:2.0:nameid-format:persistent </md:NameIDFormat>"
    "<md:AssertionConsumerService index=\"0\" Binding=\"" BINDING
    "HTTP-Artifact\" Location=\"https://sp.test/artifact\"/>"
    "<md:AssertionConsumerService index=\"1\" Binding=\"" BINDING "HTTP-POST\" Location=\"https://sp.test/first\"/>"
    "<md:AssertionConsumerService index=\"2\" isDefault=\"true\" Binding=\"" BINDING
    "HTTP-POST\" Location=\"https://sp.test/second\"/>"
    "<md:AssertionConsumerService index=\"3\" Binding=\"urn:of:their:own\" Location=\"x\"/>"
    "</md:SPSSODescriptor></md:EntityDescriptor>";

static const char idp[] =
    "<md:EntityDescriptor xmlns:md=\"" FG_NS_MD "\" entityID=\"https://idp.test/metadata\">"
    "<md:IDPSSODescriptor WantAuthnRequestsSigned=\"true\" protocolSupportEnumeration=\"urn:other " FG_NS_SAML2P
    "\"><md:KeyDescriptor><ds:KeyInfo xmlns:ds=\"" FG_NS_DS
    "\"><ds:X509Data><ds:X509Certificate>%K</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    "<md:SingleSignOnService Binding=\"" BINDING "HTTP-POST\" Location=\"https://idp.test/sso\"/>"
    "</md:IDPSSODescriptor></md:EntityDescriptor>";

typedef struct fixture {
    test_env_t test;
    fg_arena_t *arena;
    fg_key_t *key;
    fg_saml_party_t party;
    bool found;
    fg_err_t err;
} fixture_t;

static int set_up(void **state) {
    static fixture_t f;
    fg_err_t err = FG_ERR_INIT;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    *state = &f;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return -1;
    f.arena = fg_arena_new(0);
    f.key = test_key(FG_KEY_RSA_2048, "theirs", TEST_NOW, TEST_NOW + FG_DAY);
    return f.arena != NULL && f.key != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    fixture_t *f = *state;
    fg_arena_free(f->arena);
    fg_key_unref(f->key);
    fg_crypto_stop();
    return 0;
}

/* The document with from, which must be in it, replaced; freed by the caller. */
static char *replaced(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    char *out;
    if (at == NULL)
        fail_msg("\"%s\" is not in %s", from, text);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static bool read_role(fixture_t *f, const char *text, fg_saml_role_t role, const char *from, const char *to) {
    fg_str_t certificate = fg_key_get_certificate_base64(f->key);
    char *pem = strndup(certificate.p, certificate.n), *whole = replaced(text, "%K", pem);
    char *changed = from != NULL ? replaced(whole, from, to) : strdup(whole);
    f->err = (fg_err_t)FG_ERR_INIT;
    bool read = fg_saml_party_read(&f->test.env, f->arena, fg_str(changed), NULL, role, &f->party, &f->found, &f->err);
    free(pem), free(whole), free(changed);
    return read;
}

static bool read_sp(fixture_t *f, const char *from, const char *to) {
    return read_role(f, sp, FG_SAML_SERVICE_PROVIDER, from, to);
}

static void a_service_provider(void **state) {
    fixture_t *f = *state;
    assert_true(read_sp(f, NULL, NULL) && f->found);
    const fg_saml_party_t *party = &f->party;
    assert_true(fg_str_is(party->entity_id, "https://sp.test/metadata"));
    assert_true(party->signs_requests && party->wants_assertions_signed);
    assert_int_equal(party->endpoint_count, 4); /* without that of another profile */
    assert_int_equal(party->keys.count, 1);
    assert_null(party->encryption_key);
    assert_true(fg_str_is(party->name_id_formats[0], "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"));
    const fg_saml_endpoint_t *logout = fg_saml_party_endpoint(party, FG_SAML_SINGLE_LOGOUT, FG_SAML_REDIRECT);
    assert_true(fg_str_is(logout->response_location, "https://sp.test/done"));
    assert_null(fg_saml_party_endpoint(party, FG_SAML_SINGLE_LOGOUT, FG_SAML_SOAP));
}

static void an_identity_provider(void **state) {
    fixture_t *f = *state;
    assert_true(read_role(f, idp, FG_SAML_IDENTITY_PROVIDER, NULL, NULL) && f->found);
    assert_true(f->party.wants_requests_signed);
    assert_int_equal(f->party.keys.count, 1); /* a key without use is for both */
    assert_non_null(f->party.encryption_key);
    assert_true(read_role(f, idp, FG_SAML_SERVICE_PROVIDER, NULL, NULL) && !f->found);
    assert_true(read_sp(f, FG_NS_SAML2P, "urn:oasis:names:tc:SAML:1.1:protocol") && !f->found);
}

/* metadata §2.4.4, §2.2.3; SA-17 */
static void the_consumer_is_chosen_as_asked(void **state) {
    fixture_t *f = *state;
    assert_true(read_sp(f, NULL, NULL));
    static const struct {
        const char *url;
        int index;
        fg_saml_binding_t binding;
        const char *location; /* NULL: none */
    } cases[] = {
        {"", -1, FG_SAML_BINDINGS, "https://sp.test/second"},
        {"", -1, FG_SAML_POST, "https://sp.test/second"},
        {"", -1, FG_SAML_ARTIFACT, "https://sp.test/artifact"},
        {"", 1, FG_SAML_BINDINGS, "https://sp.test/first"},
        {"", 7, FG_SAML_BINDINGS, NULL},
        {"https://sp.test/first", -1, FG_SAML_BINDINGS, "https://sp.test/first"},
        {"https://sp.test/first", -1, FG_SAML_ARTIFACT, NULL},
        {"https://sp.test/first/", -1, FG_SAML_BINDINGS, NULL},
        {"https://SP.test/first", -1, FG_SAML_BINDINGS, NULL},
        {"https://sp.test/slo", -1, FG_SAML_BINDINGS, NULL}, /* another service's */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        const fg_saml_endpoint_t *found =
            fg_saml_party_consumer(&f->party, fg_str(cases[i].url), cases[i].index, cases[i].binding);
        if ((found != NULL) != (cases[i].location != NULL) ||
            (found != NULL && !fg_str_is(found->location, cases[i].location)))
            fail_msg("case %zu", i);
    }
}

static void sa_18_what_is_refused(void **state) {
    fixture_t *f = *state;
    static const struct {
        const char *from, *to;
        fg_code_t code;
    } cases[] = {
        {"https://sp.test/second", "javascript:alert(1)", FG_E_XML_STRUCTURE},
        {"https://sp.test/done", "data:text/html,x", FG_E_XML_STRUCTURE},
        {"https://sp.test/second", "//evil.test/", FG_E_XML_STRUCTURE},
        {" Location=\"https://sp.test/second\"", "", FG_E_XML_STRUCTURE},
        {"index=\"2\"", "index=\"2x\"", FG_E_XML_STRUCTURE},
        {"index=\"2\"", "index=\"-2\"", FG_E_XML_STRUCTURE},
        {"</md:SPSSODescriptor>",
         "</md:SPSSODescriptor><md:SPSSODescriptor protocolSupportEnumeration=\"" FG_NS_SAML2P "\"/>",
         FG_E_XML_STRUCTURE},
        {" entityID=\"https://sp.test/metadata\"", "", FG_E_XML_STRUCTURE},
        {"<md:EntityDescriptor ", "<!DOCTYPE x><md:EntityDescriptor ", FG_E_XML_DTD},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        if (read_sp(f, cases[i].from, cases[i].to) || f->err.code != cases[i].code)
            fail_msg("case %zu: %d, %s", i, f->err.code, f->err.detail);
        assert_true(read_sp(f, NULL, NULL));
    }
}

static void sa_18_expired_documents(void **state) {
    fixture_t *f = *state;
    static const char *const places[] = {"<md:EntityDescriptor ", "<md:SPSSODescriptor "};
    for (size_t i = 0; i < FG_ARRAY_SIZE(places); i++) {
        char with[200];
        snprintf(with, sizeof with, "%svalidUntil=\"2025-12-31T00:00:00Z\" ", places[i]);
        assert_false(read_sp(f, places[i], with));
        snprintf(with, sizeof with, "%svalidUntil=\"2026-01-02T00:00:00Z\" ", places[i]);
        assert_true(read_sp(f, places[i], with));
        assert_int_equal(f->party.valid_until_ms, TEST_NOW + FG_DAY);
    }
}

static void a_role_without_what_it_is_for(void **state) {
    fixture_t *f = *state;
    assert_false(read_role(f, idp, FG_SAML_IDENTITY_PROVIDER, "SingleSignOnService", "SingleLogoutService"));
    assert_err(&f->err, FG_E_XML_STRUCTURE);
    assert_false(
        read_role(f, idp, FG_SAML_IDENTITY_PROVIDER, "<md:KeyDescriptor>", "<md:KeyDescriptor use=\"encryption\">"));
    assert_err(&f->err, FG_E_XML_STRUCTURE);
    assert_true(
        read_role(f, idp, FG_SAML_IDENTITY_PROVIDER, "<md:KeyDescriptor>", "<md:KeyDescriptor use=\"signing\">"));
    assert_null(f->party.encryption_key);
}

static void a_copy_outlives_its_origin(void **state) {
    fixture_t *f = *state;
    fg_arena_t *other = fg_arena_new(0);
    assert_true(read_role(f, idp, FG_SAML_IDENTITY_PROVIDER, NULL, NULL));
    const fg_saml_party_t *copy = fg_saml_party_copy(other, &f->party);
    assert_non_null(copy);
    fg_arena_free(f->arena);
    f->arena = fg_arena_new(0);
    assert_true(fg_str_is(copy->entity_id, "https://idp.test/metadata"));
    assert_true(fg_str_is(copy->endpoints[0].location, "https://idp.test/sso"));
    assert_non_null(fg_key_get_x509(copy->keys.items[0]));
    fg_arena_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(a_service_provider),         T(an_identity_provider),    T(the_consumer_is_chosen_as_asked),
        T(sa_18_what_is_refused),      T(sa_18_expired_documents), T(a_role_without_what_it_is_for),
        T(a_copy_outlives_its_origin),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
