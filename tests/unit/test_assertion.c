/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 1.1 and 2.0 assertions: written, verified by the xmlsec1 command, and read with every check. */
#include "tests/unit/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/time.h"
#include "hub/store.h"
#include "token/assertion.h"

static char folder[] = "/tmp/fedgate-assertion-XXXXXX";
static char key_path[64], xml_path[64];
static fg_key_t *rsa, *ec;

/* ---- what is written ---- */

static const fg_claim_t claim_items[] = {
    {.type = FG_STR(FG_CLAIM_UPN_ADFS1), .value = FG_STR("alice@example.test")},
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("Staff")},
    {.type = FG_STR("urn:oid:2.5.4.3"), .value = FG_STR("A & B <\"\xc3\xbc\r\n>")},
    {.type = FG_STR(FG_CLAIM_ROLE), .value = FG_STR("")},
};
static const fg_claims_t claims = {(fg_claim_t *)claim_items, FG_ARRAY_SIZE(claim_items), 0};
static const fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = TEST_NOW - 5000, .session_index = FG_STR("_s")};

static fg_assertion_t sample(fg_saml_version_t version) {
    return (fg_assertion_t){
        .version = version,
        .id = "_id-1",
        .issuer = FG_STR("http://fs.example.test/adfs/services/trust"),
        .issue_instant_ms = TEST_NOW,
        .not_before_ms = TEST_NOW,
        .not_on_or_after_ms = TEST_NOW + FG_HOUR,
        .audience = FG_STR("urn:a&b"),
        .name_id = {.value = FG_STR("alice"), .format = FG_STR("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")},
        .identity = &identity,
        .claims = &claims,
    };
}

#define SUBJECT_11 \
    "<saml:Subject><saml:NameIdentifier Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml:NameIdentifier>" \
    "<saml:SubjectConfirmation><saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>" \
    "</saml:SubjectConfirmation></saml:Subject>"
static const char expected_11[] =
    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_id-1\" IssueInstant=\"2026-01-01T00:00:00.000Z\" "
    "Issuer=\"http://fs.example.test/adfs/services/trust\" MajorVersion=\"1\" MinorVersion=\"1\">"
    "<saml:Conditions NotBefore=\"2026-01-01T00:00:00.000Z\" NotOnOrAfter=\"2026-01-01T01:00:00.000Z\">"
    "<saml:AudienceRestrictionCondition><saml:Audience>urn:a&amp;b</saml:Audience></saml:AudienceRestrictionCondition></saml:Conditions>"
    "<saml:AttributeStatement>" SUBJECT_11
    "<saml:Attribute AttributeName=\"UPN\" AttributeNamespace=\"http://schemas.xmlsoap.org/claims\">"
    "<saml:AttributeValue>alice@example.test</saml:AttributeValue></saml:Attribute>"
    "<saml:Attribute AttributeName=\"role\" AttributeNamespace=\"http://schemas.microsoft.com/ws/2008/06/identity/claims\">"
    "<saml:AttributeValue>Staff</saml:AttributeValue><saml:AttributeValue></saml:AttributeValue></saml:Attribute>"
    "<saml:Attribute AttributeName=\"urn:oid:2.5.4.3\" AttributeNamespace=\"urn:mace:shibboleth:1.0:attributeNamespace:uri\">"
    "<saml:AttributeValue>A &amp; B &lt;\"\xc3\xbc&#xD;\n&gt;</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
    "<saml:AuthenticationStatement AuthenticationInstant=\"2025-12-31T23:59:55.000Z\" "
    "AuthenticationMethod=\"urn:oasis:names:tc:SAML:1.0:am:password\">" SUBJECT_11 "</saml:AuthenticationStatement>"
    "</saml:Assertion>";

/* what is written; reading below starts from AD FS's form, which has the default namespace */
static const char written_20[] =
    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_id-1\" IssueInstant=\"2026-01-01T00:00:00.000Z\" Version=\"2.0\">"
    "<saml:Issuer>http://fs.example.test/adfs/services/trust</saml:Issuer>"
    "<saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</saml:NameID>"
    "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
    "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
    "<saml:Conditions NotBefore=\"2026-01-01T00:00:00.000Z\" NotOnOrAfter=\"2026-01-01T01:00:00.000Z\">"
    "<saml:AudienceRestriction><saml:Audience>urn:a&amp;b</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
    "<saml:AttributeStatement><saml:Attribute Name=\"http://schemas.xmlsoap.org/claims/UPN\"><saml:AttributeValue>alice@example.test</saml:AttributeValue></saml:Attribute>"
    "<saml:Attribute Name=\"http://schemas.microsoft.com/ws/2008/06/identity/claims/role\"><saml:AttributeValue>Staff</saml:AttributeValue>"
    "<saml:AttributeValue></saml:AttributeValue></saml:Attribute><saml:Attribute Name=\"urn:oid:2.5.4.3\">"
    "<saml:AttributeValue>A &amp; B &lt;\"\xc3\xbc&#xD;\n&gt;</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"
    "<saml:AuthnStatement AuthnInstant=\"2025-12-31T23:59:55.000Z\" SessionIndex=\"_s\"><saml:AuthnContext>"
    "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>"
    "</saml:AuthnContext></saml:AuthnStatement></saml:Assertion>";

static const char expected_20[] =
    "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_id-1\" IssueInstant=\"2026-01-01T00:00:00.000Z\" Version=\"2.0\">"
    "<Issuer>http://fs.example.test/adfs/services/trust</Issuer>"
    "<Subject><NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</NameID>"
    "<SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
    "<SubjectConfirmationData NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"></SubjectConfirmationData></SubjectConfirmation></Subject>"
    "<Conditions NotBefore=\"2026-01-01T00:00:00.000Z\" NotOnOrAfter=\"2026-01-01T01:00:00.000Z\">"
    "<AudienceRestriction><Audience>urn:a&amp;b</Audience></AudienceRestriction></Conditions>"
    "<AttributeStatement><Attribute Name=\"http://schemas.xmlsoap.org/claims/UPN\"><AttributeValue>alice@example.test</AttributeValue></Attribute>"
    "<Attribute Name=\"http://schemas.microsoft.com/ws/2008/06/identity/claims/role\"><AttributeValue>Staff</AttributeValue>"
    "<AttributeValue></AttributeValue></Attribute><Attribute Name=\"urn:oid:2.5.4.3\">"
    "<AttributeValue>A &amp; B &lt;\"\xc3\xbc&#xD;\n&gt;</AttributeValue></Attribute></AttributeStatement>"
    "<AuthnStatement AuthnInstant=\"2025-12-31T23:59:55.000Z\" SessionIndex=\"_s\"><AuthnContext>"
    "<AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</AuthnContextClassRef>"
    "</AuthnContext></AuthnStatement></Assertion>";

static const char *const expected[] = {[FG_SAML_11] = expected_11, [FG_SAML_20] = expected_20};
static const char *const written[] = {[FG_SAML_11] = expected_11, [FG_SAML_20] = written_20};

/* Cuts the signature out and compares. */
static void assert_written(const fg_buf_t *out, const char *text, size_t signature_at) {
    const char *end = strstr(out->data, "</ds:Signature>");
    assert_non_null(end);
    assert_int_equal(strstr(out->data, "<ds:Signature xmlns:ds=") - out->data, signature_at);
    assert_memory_equal(out->data, text, signature_at);
    assert_string_equal(end + strlen("</ds:Signature>"), text + signature_at);
}

static bool xmlsec1_verifies(const fg_buf_t *xml, const fg_key_t *key, const char *id_attribute) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(1u << 16);
    assert_true(fg_key_to_pem(key, &pem, &err) && fg_file_replace(key_path, fg_buf_str(&pem), 0600, &err));
    assert_true(fg_file_replace(xml_path, fg_buf_str(xml), 0600, &err));
    fg_buf_free(&pem);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execlp("xmlsec1", "xmlsec1", "--verify", "--privkey-pem", key_path, "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
               id_attribute, "urn:oasis:names:tc:SAML:1.0:assertion:Assertion", xml_path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        skip();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void written_assertion_is_canonical_and_verifies_elsewhere(void **state) {
    (void)state;
    const fg_key_t *keys[] = {rsa, ec};
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        size_t at = version == FG_SAML_11 ? strlen(expected_11) - strlen("</saml:Assertion>") : (size_t)(strstr(written_20, "<saml:Subject>") - written_20);
        for (size_t k = 0; k < FG_ARRAY_SIZE(keys); k++) {
            fg_buf_t out = FG_BUF_INIT(1u << 16);
            fg_err_t err = FG_ERR_INIT;
            fg_assertion_t assertion = sample((fg_saml_version_t)version);
            assert_true(fg_assertion_write(&assertion, keys[k], &out, &err));
            assert_written(&out, written[version], at);
            assert_true(xmlsec1_verifies(&out, keys[k], "--id-attr:AssertionID"));
            char *value = strstr(out.data, "alice@");
            *value = 'm';
            assert_false(xmlsec1_verifies(&out, keys[k], "--id-attr:AssertionID"));
            fg_buf_free(&out);
        }
    }
}

static void browser_assertion_names_recipient_and_request(void **state) {
    (void)state;
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    fg_err_t err = FG_ERR_INIT;
    fg_assertion_t assertion = sample(FG_SAML_20);
    assertion.recipient = FG_STR("https://rp.example.test/acs");
    assertion.in_response_to = FG_STR("_r");
    assertion.session_not_on_or_after_ms = TEST_NOW + 8 * FG_HOUR;
    assertion.name_id = (fg_name_id_t){0};
    assert_true(fg_assertion_write(&assertion, ec, &out, &err));
    assert_non_null(strstr(out.data, "<saml:Subject><saml:SubjectConfirmation Method"));
    assert_non_null(strstr(out.data, "<saml:SubjectConfirmationData InResponseTo=\"_r\" NotOnOrAfter=\"2026-01-01T00:05:00.000Z\" "
                                     "Recipient=\"https://rp.example.test/acs\">"));
    assert_non_null(strstr(out.data, "SessionNotOnOrAfter=\"2026-01-01T08:00:00.000Z\""));
    fg_buf_free(&out);
}

/* SA-13 */
static void what_xml_cannot_carry_is_refused(void **state) {
    (void)state;
    static const char *bad[] = {"a\x01", "a\x1b[0m", "\xff", "\xef\xbf\xbf", "\xed\xa0\x80"};
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(bad); i++) {
        fg_saml_version_t version = i % 2 ? FG_SAML_20 : FG_SAML_11;
        fg_claim_t claim = {.type = FG_STR(FG_CLAIM_NAME), .value = fg_str(bad[i / 2])};
        fg_claims_t one = {&claim, 1, 0}, none = {0};
        fg_buf_t out = FG_BUF_INIT(1u << 16);
        fg_err_t err = FG_ERR_INIT;
        fg_assertion_t assertion = sample(version);
        assertion.claims = &one;
        assert_false(fg_assertion_write(&assertion, ec, &out, &err));
        assert_err(&err, FG_E_INTERNAL);
        fg_buf_reset(&out);
        assertion.claims = &none;
        assertion.name_id.value = fg_str(bad[i / 2]);
        assert_false(fg_assertion_write(&assertion, ec, &out, &err));
        fg_buf_reset(&out);
        assertion.name_id.value = FG_STR("alice");
        assert_true(fg_assertion_write(&assertion, ec, &out, &err));
        assert_null(strstr(out.data, "Attribute"));
        fg_buf_free(&out);
    }
    fg_buf_t small = FG_BUF_INIT(800);
    fg_err_t err = FG_ERR_INIT;
    fg_assertion_t assertion = sample(FG_SAML_20);
    assert_false(fg_assertion_write(&assertion, ec, &small, &err));
    fg_buf_free(&small);
}

static void token_types_are_known(void **state) {
    (void)state;
    fg_saml_version_t version;
    assert_true(fg_saml_version_from_token_type(FG_STR("http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1"), &version));
    assert_int_equal(version, FG_SAML_11);
    assert_true(fg_saml_version_from_token_type(fg_str(fg_saml_token_type(FG_SAML_20)), &version));
    assert_int_equal(version, FG_SAML_20);
    assert_false(fg_saml_version_from_token_type(FG_STR("urn:ietf:params:oauth:token-type:jwt"), &version));
}

/* ---- what is read ---- */

typedef struct reader {
    test_env_t test;
    void *memory;
    fg_arena_t *arena;
    const fg_key_t *key;
    fg_str_t audiences[2];
    fg_assertion_trust_t trust;
    fg_assertion_read_t result;
    fg_err_t err;
} reader_t;

static void reader_init(reader_t *r) {
    memset(r, 0, sizeof *r);
    test_env_init(&r->test);
    r->arena = fg_arena_new(0);
    assert_int_equal(posix_memalign(&r->memory, 4096, 256 * 1024), 0);
    r->test.env.store = fg_store_open(r->memory, 256 * 1024, false, &r->err);
    assert_non_null(r->test.env.store);
    r->key = ec;
    r->audiences[0] = FG_STR("urn:other");
    r->audiences[1] = FG_STR("urn:a&b");
    r->trust = (fg_assertion_trust_t){
        .issuer = FG_STR("http://fs.example.test/adfs/services/trust"),
        .dsig = {.keys = &r->key, .key_count = 1},
        .audiences = r->audiences,
        .audience_count = 2,
        .skew_ms = 3 * FG_MINUTE,
    };
}

static void reader_free(reader_t *r) {
    fg_store_close(r->test.env.store);
    free(r->memory);
    fg_arena_free(r->arena);
}

static bool read_text(reader_t *r, fg_str_t text) {
    xmlDoc *doc = fg_xml_parse(r->arena, text, NULL, &r->err);
    if (doc == NULL)
        fail_msg("%s", r->err.detail);
    r->err = (fg_err_t)FG_ERR_INIT;
    return fg_assertion_read(&r->test.env, r->arena, xmlDocGetRootElement(doc), &r->trust, &r->result, &r->err);
}

static void replace(fg_buf_t *out, const char *find, const char *with) {
    char *at = strstr(out->data, find);
    if (at == NULL)
        fail_msg("the test looks for %s", find);
    size_t position = (size_t)(at - out->data), rest = out->length - position - strlen(find);
    memmove(at, at + strlen(find), rest + 1);
    out->length -= strlen(find);
    fg_buf_insert(out, position, with, strlen(with));
}

/* The expected text with one change, signed afterwards. */
static void make_changed(fg_saml_version_t version, const char *find, const char *with, fg_buf_t *out) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_puts(out, expected[version]);
    if (find != NULL)
        replace(out, find, with);
    const char *place = version == FG_SAML_11 ? strrchr(out->data, '<') : strstr(out->data, "</Issuer>") + strlen("</Issuer>");
    const char *id = strstr(out->data, "_id-2") ? "_id-2" : "_id-1";
    if (!fg_dsig_sign(out, 0, (size_t)(place - out->data), fg_str(id), ec, &err))
        fail_msg("%s", err.detail);
}

static bool read_changed(reader_t *r, fg_saml_version_t version, const char *find, const char *with) {
    fg_buf_t out = FG_BUF_INIT(1u << 17);
    make_changed(version, find, with, &out);
    bool ok = read_text(r, fg_buf_str(&out));
    fg_buf_free(&out);
    return ok;
}

static void good_assertion_is_read(void **state) {
    (void)state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        reader_t r;
        reader_init(&r);
        if (!read_changed(&r, (fg_saml_version_t)version, NULL, NULL))
            fail_msg("%s", r.err.detail);
        const fg_identity_t *read = &r.result.identity;
        assert_int_equal(r.result.version, version);
        assert_true(fg_str_is(r.result.id, "_id-1"));
        assert_true(fg_str_is(r.result.audience, "urn:a&b"));
        assert_int_equal(r.result.not_on_or_after_ms, TEST_NOW + FG_HOUR);
        assert_true(fg_str_is(read->name_id.value, "alice"));
        assert_true(fg_str_is(read->auth_method, FG_AUTH_PASSWORD));
        assert_int_equal(read->auth_instant_ms, TEST_NOW - 5000);
        assert_int_equal(read->claims.count, 4);
        static const size_t order[] = {0, 1, 3, 2};
        for (size_t i = 0; i < 4; i++) {
            assert_true(fg_str_eq(read->claims.items[i].type, claim_items[order[i]].type));
            assert_true(fg_str_eq(read->claims.items[i].value, claim_items[order[i]].value));
            assert_true(fg_str_eq(read->claims.items[i].issuer, r.trust.issuer));
        }
        reader_free(&r);
    }
}

#define CM20 "<SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"
#define DATA20 "<SubjectConfirmationData NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"></SubjectConfirmationData>"
#define DATA20_WITH(x) "<SubjectConfirmationData " x "></SubjectConfirmationData>"
#define RESTRICTION20 "<AudienceRestriction><Audience>urn:a&amp;b</Audience></AudienceRestriction>"
#define RESTRICTION11 "<saml:AudienceRestrictionCondition><saml:Audience>urn:a&amp;b</saml:Audience></saml:AudienceRestrictionCondition>"
#define BEARER11 "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>"
#define HOK11 "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:holder-of-key</saml:ConfirmationMethod>"
#define HOK20 "<SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"></SubjectConfirmation>"
#define NAME20 "<NameID Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">alice</NameID>"

/* Each a change of the good assertion, and what becomes of it (FG_OK: still good, a control). */
typedef struct change {
    fg_saml_version_t version;
    const char *find;
    const char *with;
    fg_code_t code;
} change_t;
static const change_t changes[] = {
    /* form */
    {FG_SAML_20, "Version=\"2.0\"", "Version=\"2.1\"", FG_E_TOKEN_MALFORMED},
    {FG_SAML_11, "MinorVersion=\"1\"", "MinorVersion=\"0\"", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, "<AttributeStatement>", "<Extra></Extra><AttributeStatement>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_11, "<saml:AttributeStatement>", "<saml:Extra></saml:Extra><saml:AttributeStatement>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, "<Attribute Name=\"urn:oid:2.5.4.3\">", "<Attribute>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, "AuthnInstant=\"2025-12-31T23:59:55.000Z\" ", "", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, "AuthnInstant=\"2025-12-31T23:59:55.000Z\"", "AuthnInstant=\"2025-12-31\"", FG_E_TOKEN_MALFORMED}, /* XP-13 */
    /* XS-10: Advice is never read */
    {FG_SAML_20, "<AttributeStatement>", "<Advice><AttributeStatement></AttributeStatement></Advice><AttributeStatement>", FG_OK},
    {FG_SAML_11, "<saml:AttributeStatement>", "<saml:Advice></saml:Advice><saml:AttributeStatement>", FG_OK},
    /* issuer */
    {FG_SAML_20, "<Issuer>http://fs.example.test/adfs/services/trust", "<Issuer>http://fs.example.test/adfs/services/trust/", FG_E_TOKEN_ISSUER},
    {FG_SAML_11, "Issuer=\"http://fs.example.test", "Issuer=\"http://FS.example.test", FG_E_TOKEN_ISSUER},
    /* SA-01 */
    {FG_SAML_20, "urn:a&amp;b", "urn:a&amp;b/", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_11, "urn:a&amp;b", "urn:A&amp;b", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_20, RESTRICTION20, "", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_11, RESTRICTION11, "", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<AudienceRestriction><Audience>urn:c</Audience></AudienceRestriction>", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<AudienceRestriction></AudienceRestriction>", FG_E_TOKEN_AUDIENCE},
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<AudienceRestriction><Audience>urn:c</Audience><Audience>urn:other</Audience></AudienceRestriction>", FG_OK},
    {FG_SAML_20, "<Audience>", "<Audience>\n  ", FG_OK},
    /* SA-02, SA-03: nothing was asked for */
    {FG_SAML_20, DATA20, DATA20_WITH("NotOnOrAfter=\"2026-01-01T01:00:00Z\" Recipient=\"https://rp.example.test/\""), FG_E_TOKEN_RECIPIENT},
    {FG_SAML_20, DATA20, DATA20_WITH("InResponseTo=\"_r\" NotOnOrAfter=\"2026-01-01T01:00:00Z\""), FG_E_TOKEN_CONFIRMATION},
    /* SA-05 */
    {FG_SAML_20, "NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"></Sub", "NotOnOrAfter=\"2025-12-31T23:57:00Z\"></Sub", FG_E_TOKEN_EXPIRED},
    {FG_SAML_20, "NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"></Sub", "NotOnOrAfter=\"2025-12-31T23:57:00.001Z\"></Sub", FG_OK},
    {FG_SAML_20, DATA20, DATA20_WITH("NotBefore=\"2026-01-01T00:03:00.001Z\""), FG_E_TOKEN_NOT_YET_VALID},
    {FG_SAML_20, "SessionIndex=\"_s\"", "SessionIndex=\"_s\" SessionNotOnOrAfter=\"2025-12-31T23:57:00Z\"", FG_E_TOKEN_EXPIRED},
    {FG_SAML_20, "SessionIndex=\"_s\"", "SessionIndex=\"_s\" SessionNotOnOrAfter=\"2025-12-31T23:57:01Z\"", FG_OK},
    {FG_SAML_20, "AuthnInstant=\"2025-12-31T23:59:55.000Z\"", "AuthnInstant=\"2026-01-01T00:03:01Z\"", FG_E_TOKEN_NOT_YET_VALID},
    {FG_SAML_11, "AuthenticationInstant=\"2025-12-31T23:59:55.000Z\"", "AuthenticationInstant=\"2026-01-01T00:03:01Z\"", FG_E_TOKEN_NOT_YET_VALID},
    {FG_SAML_20, "IssueInstant=\"2026-01-01T00:00:00.000Z\"", "IssueInstant=\"2026-01-01T00:03:01Z\"", FG_E_TOKEN_NOT_YET_VALID},
    {FG_SAML_20, " NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"><Aud", "><Aud", FG_E_TOKEN_MALFORMED},
    {FG_SAML_11, " NotOnOrAfter=\"2026-01-01T01:00:00.000Z\"", " NotOnOrAfter=\"2026-01-01T00:00:00.000Z\"", FG_E_TOKEN_MALFORMED},
    {FG_SAML_11, " NotBefore=\"2026-01-01T00:00:00.000Z\"", "", FG_OK},
    /* SA-08 */
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<ProxyRestriction Count=\"0\"></ProxyRestriction>", FG_E_TOKEN_CONDITION},
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<Condition></Condition>", FG_E_TOKEN_CONDITION},
    {FG_SAML_11, RESTRICTION11, RESTRICTION11 "<saml:Condition></saml:Condition>", FG_E_TOKEN_CONDITION},
    {FG_SAML_20, RESTRICTION20, RESTRICTION20 "<OneTimeUse></OneTimeUse>", FG_OK},
    {FG_SAML_11, RESTRICTION11, RESTRICTION11 "<saml:DoNotCacheCondition></saml:DoNotCacheCondition>", FG_OK},
    /* SA-09 */
    {FG_SAML_20, "cm:bearer", "cm:holder-of-key", FG_E_TOKEN_CONFIRMATION},
    {FG_SAML_20, "cm:bearer", "cm:sender-vouches", FG_E_TOKEN_CONFIRMATION},
    {FG_SAML_20, CM20 DATA20 "</SubjectConfirmation>", "", FG_E_TOKEN_CONFIRMATION},
    {FG_SAML_20, CM20 DATA20, HOK20 CM20 DATA20, FG_OK},
    {FG_SAML_20, CM20 DATA20 "</SubjectConfirmation>", CM20 DATA20 "</SubjectConfirmation>" HOK20, FG_OK},
    {FG_SAML_20, CM20, CM20 NAME20, FG_E_TOKEN_CONFIRMATION},
    {FG_SAML_20, DATA20, "", FG_OK},
    {FG_SAML_11, BEARER11, HOK11, FG_E_TOKEN_CONFIRMATION},
    {FG_SAML_11, BEARER11, HOK11 BEARER11, FG_OK},
    {FG_SAML_11, "<saml:SubjectConfirmation>" BEARER11 "</saml:SubjectConfirmation>", "", FG_E_TOKEN_CONFIRMATION},
    /* SA-10 */
    {FG_SAML_11, "alice</saml:NameIdentifier>", "mallory</saml:NameIdentifier>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_11, "Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\"", "NameQualifier=\"x\"", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, NAME20, NAME20 NAME20, FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, NAME20, "<NameID></NameID>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, NAME20, "<EncryptedID></EncryptedID>", FG_E_TOKEN_MALFORMED},
    {FG_SAML_20, NAME20, "", FG_OK},
    /* a value made of elements is passed over */
    {FG_SAML_20, ">Staff<", "><NameID>Staff</NameID><", FG_OK},
};

static void every_check_refuses_its_defect_alone(void **state) {
    (void)state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(changes); i++) {
        reader_t r;
        reader_init(&r);
        bool ok = read_changed(&r, changes[i].version, changes[i].find, changes[i].with);
        if (ok != (changes[i].code == FG_OK) || r.err.code != changes[i].code)
            fail_msg("change %zu (%s): code %d, %s", i, changes[i].with, r.err.code, r.err.detail);
        reader_free(&r);
    }
}

/* SA-09: what says nothing of its confirmation is a bearer's for those callers that say so; what says something else is
 * not, and SAML 2.0 never (core §2.4.1.1). */
static void without_a_confirmation_only_where_the_caller_says_so(void **state) {
    (void)state;
    static const change_t cases[] = {
        {FG_SAML_11, "<saml:SubjectConfirmation>" BEARER11 "</saml:SubjectConfirmation>", "", FG_OK},
        {FG_SAML_11, BEARER11, HOK11, FG_E_TOKEN_CONFIRMATION},
        {FG_SAML_11, BEARER11, "", FG_E_TOKEN_CONFIRMATION},
        {FG_SAML_20, CM20 DATA20 "</SubjectConfirmation>", "", FG_E_TOKEN_CONFIRMATION},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        reader_t r;
        reader_init(&r);
        r.trust.unconfirmed = true;
        bool ok = read_changed(&r, cases[i].version, cases[i].find, cases[i].with);
        if (ok != (cases[i].code == FG_OK) || r.err.code != cases[i].code)
            fail_msg("case %zu: code %d, %s", i, r.err.code, r.err.detail);
        if (ok)
            assert_int_equal(r.result.confirmation, FG_CONFIRM_BEARER);
        reader_free(&r);
    }
}

/* SA-05: the bounds of Conditions, give or take the skew. */
static void conditions_hold_to_the_millisecond(void **state) {
    (void)state;
    static const struct { int64_t now; fg_code_t code; } cases[] = {
        {TEST_NOW - 3 * FG_MINUTE, FG_OK},
        {TEST_NOW - 3 * FG_MINUTE - 1, FG_E_TOKEN_NOT_YET_VALID},
        {TEST_NOW + 63 * FG_MINUTE - 1, FG_OK},
        {TEST_NOW + 63 * FG_MINUTE, FG_E_TOKEN_EXPIRED},
    };
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(cases); i++) {
        reader_t r;
        reader_init(&r);
        r.test.now_ms = cases[i / 2].now;
        (void)read_changed(&r, i % 2 ? FG_SAML_20 : FG_SAML_11, NULL, NULL);
        assert_err(&r.err, cases[i / 2].code);
        reader_free(&r);
    }
    reader_t r;
    reader_init(&r);
    r.trust.max_lifetime_ms = FG_HOUR;
    assert_true(read_changed(&r, FG_SAML_20, NULL, NULL));
    r.trust.max_lifetime_ms = FG_HOUR - 1;
    assert_false(read_changed(&r, FG_SAML_20, NULL, NULL));
    assert_err(&r.err, FG_E_TOKEN_LIFETIME);
    reader_free(&r);
}

/* SA-02, SA-03 with something asked for; of several confirmations one bearer must match in every point. */
static void answer_must_be_to_what_was_asked(void **state) {
    (void)state;
    static const struct { const char *with; fg_code_t code; } cases[] = {
        {DATA20_WITH("InResponseTo=\"_r\" Recipient=\"https://rp.example.test/acs\""), FG_OK},
        {DATA20_WITH("InResponseTo=\"_r\""), FG_OK},
        {DATA20_WITH("InResponseTo=\"_r\" Recipient=\"https://rp.example.test/acs/\""), FG_E_TOKEN_RECIPIENT},
        {DATA20_WITH("InResponseTo=\"_x\" Recipient=\"https://rp.example.test/acs\""), FG_E_TOKEN_CONFIRMATION},
        {DATA20_WITH("Recipient=\"https://rp.example.test/acs\""), FG_E_TOKEN_CONFIRMATION},
        {"", FG_E_TOKEN_CONFIRMATION},
        {DATA20_WITH("InResponseTo=\"_x\"") "</SubjectConfirmation>" CM20 DATA20_WITH("InResponseTo=\"_r\""), FG_OK},
        {DATA20_WITH("InResponseTo=\"_x\"") "</SubjectConfirmation>" CM20 DATA20_WITH("InResponseTo=\"_y\""), FG_E_TOKEN_CONFIRMATION},
        {DATA20_WITH("InResponseTo=\"_r\" Recipient=\"https://x\"") "</SubjectConfirmation>" CM20
         DATA20_WITH("Recipient=\"https://rp.example.test/acs\""), FG_E_TOKEN_CONFIRMATION},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        reader_t r;
        reader_init(&r);
        r.trust.recipient = FG_STR("https://rp.example.test/acs");
        r.trust.in_response_to = FG_STR("_r");
        (void)read_changed(&r, FG_SAML_20, DATA20, cases[i].with);
        if (r.err.code != cases[i].code)
            fail_msg("case %zu: code %d, %s", i, r.err.code, r.err.detail);
        reader_free(&r);
    }
}

/* SA-06, WF-04 */
static void assertion_is_taken_once(void **state) {
    (void)state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        reader_t r;
        reader_init(&r);
        assert_true(read_changed(&r, (fg_saml_version_t)version, NULL, NULL));
        r.trust.once = true;
        assert_true(read_changed(&r, (fg_saml_version_t)version, NULL, NULL));
        assert_false(read_changed(&r, (fg_saml_version_t)version, NULL, NULL));
        assert_err(&r.err, FG_E_TOKEN_REPLAY);
        assert_true(read_changed(&r, (fg_saml_version_t)version, "_id-1", "_id-2"));
        fg_store_t *store = r.test.env.store;
        r.test.env.store = NULL;
        assert_false(read_changed(&r, (fg_saml_version_t)version, NULL, NULL));
        assert_err(&r.err, FG_E_UNAVAILABLE);
        r.test.env.store = store;
        reader_free(&r);
    }
    reader_t r;
    reader_init(&r);
    assert_true(read_changed(&r, FG_SAML_20, RESTRICTION20, RESTRICTION20 "<OneTimeUse></OneTimeUse>"));
    assert_false(read_changed(&r, FG_SAML_20, RESTRICTION20, RESTRICTION20 "<OneTimeUse></OneTimeUse>"));
    assert_err(&r.err, FG_E_TOKEN_REPLAY);
    reader_free(&r);
}

/* XS-19: canonicalisation drops comments, so they can be put in after signing; the whole text is read nevertheless. */
static void comments_do_not_cut_values(void **state) {
    (void)state;
    reader_t r;
    reader_init(&r);
    fg_buf_t out = FG_BUF_INIT(1u << 17);
    make_changed(FG_SAML_20, ">alice</NameID>", ">admin@x.evil.test</NameID>", &out);
    replace(&out, "admin@x.evil", "admin@x<!-- -->.evil");
    replace(&out, "alice@example.test", "<![CDATA[alice@]]>example<!---->.test");
    assert_true(read_text(&r, fg_buf_str(&out)));
    assert_true(fg_str_is(r.result.identity.name_id.value, "admin@x.evil.test"));
    assert_true(fg_str_is(r.result.identity.claims.items[0].value, "alice@example.test"));
    fg_buf_free(&out);
    reader_free(&r);
}

/* XS-20, XS-22, XS-28 and changes after signing */
static void only_the_trusted_signature_counts(void **state) {
    (void)state;
    reader_t r;
    reader_init(&r);
    r.key = rsa;
    assert_false(read_changed(&r, FG_SAML_20, NULL, NULL));
    assert_int_not_equal(r.err.code, FG_OK);
    r.key = ec;
    fg_buf_t out = FG_BUF_INIT(1u << 17);
    make_changed(FG_SAML_20, NULL, NULL, &out);
    assert_true(read_text(&r, fg_buf_str(&out)));
    replace(&out, "alice@", "mallory@");
    assert_false(read_text(&r, fg_buf_str(&out)));
    assert_err(&r.err, FG_E_SIG_INVALID);
    assert_false(read_text(&r, fg_str(expected_20)));
    assert_err(&r.err, FG_E_SIG_MISSING);
    assert_false(read_text(&r, FG_STR("<Assertion/>"))); /* XP-14 */
    assert_err(&r.err, FG_E_TOKEN_MALFORMED);
    fg_buf_free(&out);
    reader_free(&r);
}

static void values_are_bounded(void **state) {
    (void)state;
    for (int more = 0; more < 2; more++) {
        reader_t r;
        reader_init(&r);
        fg_buf_t values = FG_BUF_INIT(1u << 17);
        for (int i = 0; i < 996 + more; i++)
            fg_buf_puts(&values, "<AttributeValue>v</AttributeValue>");
        fg_buf_puts(&values, "<AttributeValue>Staff</AttributeValue>");
        assert_int_equal(read_changed(&r, FG_SAML_20, "<AttributeValue>Staff</AttributeValue>", values.data), more == 0);
        assert_err(&r.err, more ? FG_E_TOKEN_MALFORMED : FG_OK);
        fg_buf_free(&values);
        reader_free(&r);
    }
}

/* ---- what others made ---- */

static fg_key_t *vector_key(const char *set, const char *name) {
    char path[512];
    fg_err_t err = FG_ERR_INIT;
    snprintf(path, sizeof path, "%s/%s/%s", test_vectors(), set, name);
    size_t length;
    char *pem = test_file(path, &length);
    assert_non_null(pem);
    fg_key_t *key = fg_key_from_pem((fg_str_t){pem, length}, &err);
    free(pem);
    if (key == NULL)
        fail_msg("%s: %s", name, err.detail);
    return key;
}

/* The first Assertion among node and what is below. */
static xmlNode *find_assertion(xmlNode *node) {
    for (node = fg_xml_element(node); node != NULL; node = fg_xml_next(node)) {
        if (strcmp((const char *)node->name, "Assertion") == 0)
            return node;
        xmlNode *below = find_assertion(node->children);
        if (below != NULL)
            return below;
    }
    return NULL;
}

/* FG_OK or the code with which the file's assertion is refused. */
static fg_code_t read_vector(reader_t *r, const char *set, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s/%s", test_vectors(), set, name);
    size_t length;
    char *text = test_file(path, &length);
    assert_non_null(text);
    r->err = (fg_err_t)FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(r->arena, (fg_str_t){text, length}, NULL, &r->err);
    free(text);
    xmlNode *assertion = doc ? find_assertion(xmlDocGetRootElement(doc)) : NULL;
    if (assertion == NULL)
        return doc ? FG_E_SIG_MISSING : r->err.code;
    return fg_assertion_read(&r->test.env, r->arena, assertion, &r->trust, &r->result, &r->err) ? FG_OK : r->err.code;
}

static void recorded_adfs_token_is_read(void **state) {
    (void)state;
    if (test_vectors() == NULL)
        skip();
    reader_t r;
    reader_init(&r);
    fg_key_t *key = vector_key("adfs", "keys/rstr13-signed.pem");
    r.key = key;
    r.audiences[0] = FG_STR("urn:federation:MicrosoftOnline");
    r.trust.issuer = FG_STR("http://fs.naturalcauses.com/adfs/services/trust");
    assert_true(fg_time_parse(FG_STR("2014-01-27T08:20:00Z"), &r.test.now_ms));
    assert_int_equal(read_vector(&r, "adfs", "wstrust/rstr13-signed.xml"), FG_E_SIG_ALGORITHM); /* XS-25 */
    r.trust.dsig.allow_sha1 = true;
    assert_int_equal(read_vector(&r, "adfs", "wstrust/rstr13-signed.xml"), FG_OK);
    assert_true(r.result.signature.sha1);
    assert_true(fg_str_is(fg_claims_get(&r.result.identity.claims, FG_CLAIM_UPN_ADFS1)->value, "frizzo@naturalcauses.com"));
    assert_true(fg_str_is(fg_claims_get(&r.result.identity.claims, FG_CLAIM_IMMUTABLEID)->value, "43YRzTrh+Ue8eTecnqLAxQ=="));
    assert_true(fg_str_is(r.result.identity.auth_method, FG_AUTH_PASSWORD));
    r.test.now_ms += FG_HOUR;
    assert_int_equal(read_vector(&r, "adfs", "wstrust/rstr13-signed.xml"), FG_E_TOKEN_EXPIRED);
    fg_key_unref(key);

    static const struct { const char *file; const char *key; } broken[] = {
        {"wstrust/rstr13-reformatted.xml", "keys/rstr13-reformatted.pem"},
        {"wstrust/rstr2005-reformatted.xml", "keys/rstr2005-reformatted.pem"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(broken); i++) {
        key = vector_key("adfs", broken[i].key);
        r.key = key;
        assert_int_equal(read_vector(&r, "adfs", broken[i].file), FG_E_SIG_INVALID);
        fg_key_unref(key);
    }
    reader_free(&r);
}

static bool is_signature_code(fg_code_t code) { return code >= FG_E_SIG_MISSING && code <= FG_E_SIG_INVALID; }

/* node-saml's set names no audience: what has a good signature fails there and no earlier, what has none fails at the signature. */
static void foreign_assertions_fail_where_they_should(void **state) {
    (void)state;
    if (test_vectors() == NULL)
        skip();
    static const struct { const char *file; bool signed_well; } files[] = {
        {"valid/response.root-unsigned.assertion-signed.xml", true},
        {"valid/response.root-unsigned.assertion-signed.1advice-signed.xml", true},
        {"valid/response.root-unsigned.assertion-signed.1advice-unsigned.xml", true},
        {"valid/response.root-signed.assertion-signed.xml", true},
        {"valid/response.root-signed.assertion-signed.2advice-signed.xml", true},
        {"valid/response.root-signed.assertion-signed.2advice-unsigned.xml", true},
        {"valid/response.root-signed.assertion-unsigned.xml", false},
        {"invalid/response.root-unsigned.assertion-unsigned.xml", false},
        {"invalid/response.root-unsigned.assertion-signed.xml", false},
        {"invalid/response.root-unsigned.assertion-signed.1advice-signed.xml", false},
        {"invalid/response.root-unsigned.assertion-signed.1advice-unsigned.xml", false},
        {"invalid/response.root-unsigned.assertion-signed-transforms.xml", false},
        {"invalid/response.root-signed.assertion-invalidly-signed.xml", false},
        {"invalid/response.root-signed.assertion-signed.1advice-signed.xml", false},
        {"invalid/response.root-signed.assertion-signed.1advice-unsigned.xml", false},
        {"invalid/response.root-signed.assertion-signed.2advice-signed.xml", false},
        {"invalid/response.root-signed.assertion-signed.2advice-unsigned.xml", false},
        {"invalid/response.root-signed.assertion-signed.xml", false},
        {"invalid/response.root-resigned-by-attacker-assertion-unsigned-attackers-cert-at-keyinfo.xml", false},
    };
    reader_t r;
    reader_init(&r);
    fg_key_t *key = vector_key("saml", "keys/cert.pem");
    r.key = key;
    r.trust.issuer = FG_STR("https://evil-corp.com");
    r.trust.recipient = FG_STR("https://evil-corp.madness.com/sso/callback");
    r.trust.in_response_to = FG_STR("_e8df3fe5f04237d25670");
    assert_true(fg_time_parse(FG_STR("2020-09-25T16:59:00Z"), &r.test.now_ms));
    for (size_t i = 0; i < FG_ARRAY_SIZE(files); i++) {
        r.trust.dsig.allow_sha1 = true;
        fg_code_t code = read_vector(&r, "saml", files[i].file);
        if (files[i].signed_well ? code != FG_E_TOKEN_AUDIENCE : !is_signature_code(code))
            fail_msg("%s: code %d, %s", files[i].file, code, r.err.detail);
        bool sha1 = r.result.signature.sha1;
        r.trust.dsig.allow_sha1 = false;
        code = read_vector(&r, "saml", files[i].file);
        if (sha1 && code != FG_E_SIG_ALGORITHM) /* XS-25 */
            fail_msg("%s without SHA-1: code %d, %s", files[i].file, code, r.err.detail);
    }
    fg_key_unref(key);
    reader_free(&r);
}

static int make_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    rsa = fg_key_generate(FG_KEY_RSA_2048, "signer", TEST_NOW, TEST_NOW + FG_DAY, &err);
    ec = fg_key_generate(FG_KEY_EC_P256, "signer", TEST_NOW, TEST_NOW + FG_DAY, &err);
    if (rsa == NULL || ec == NULL || mkdtemp(folder) == NULL)
        return -1;
    snprintf(key_path, sizeof key_path, "%s/key.pem", folder);
    snprintf(xml_path, sizeof xml_path, "%s/assertion.xml", folder);
    return 0;
}

static int clean_up(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(ec);
    unlink(key_path);
    unlink(xml_path);
    return rmdir(folder);
}

int main(void) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_assertion_is_canonical_and_verifies_elsewhere),
        cmocka_unit_test(browser_assertion_names_recipient_and_request),
        cmocka_unit_test(what_xml_cannot_carry_is_refused),
        cmocka_unit_test(token_types_are_known),
        cmocka_unit_test(good_assertion_is_read),
        cmocka_unit_test(every_check_refuses_its_defect_alone),
        cmocka_unit_test(without_a_confirmation_only_where_the_caller_says_so),
        cmocka_unit_test(conditions_hold_to_the_millisecond),
        cmocka_unit_test(answer_must_be_to_what_was_asked),
        cmocka_unit_test(assertion_is_taken_once),
        cmocka_unit_test(comments_do_not_cut_values),
        cmocka_unit_test(only_the_trusted_signature_counts),
        cmocka_unit_test(values_are_bounded),
        cmocka_unit_test(recorded_adfs_token_is_read),
        cmocka_unit_test(foreign_assertions_fail_where_they_should),
    };
    int failed = cmocka_run_group_tests(tests, make_keys, clean_up);
    fg_crypto_stop();
    return failed;
}
