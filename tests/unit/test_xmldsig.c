/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signing and verifying: XS-01..28, the xmlsec1 command.
 *
 * forge() makes signatures that are right as far as cryptography goes but may be odd in shape: so a refusal is about the shape. */
#include "tests/unit/support.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "core/crypto.h"
#include "core/xmldsig.h"

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define RSA_SHA256 "<SignatureMethod Algorithm='" MORE "rsa-sha256'/>"
#define RSA_SHA1 "<SignatureMethod Algorithm='" FG_NS_DS "rsa-sha1'/>"
#define SHA1 "<DigestMethod Algorithm='" FG_NS_DS "sha1'/>"
#define EXC_C14N "<CanonicalizationMethod Algorithm='" FG_NS_EXC_C14N "'/>"
#define ENVELOPED "<Transform Algorithm='" FG_NS_DS "enveloped-signature'/>"
#define EXCLUSIVE "<Transform Algorithm='" FG_NS_EXC_C14N "'/>"
#define WITH_PREFIXES(attributes) \
    ENVELOPED "<Transform Algorithm='" FG_NS_EXC_C14N "'><e:InclusiveNamespaces xmlns:e='" FG_NS_EXC_C14N "' " attributes "/></Transform>"

static fg_key_t *rsa, *other_rsa, *p256, *p384;
static fg_arena_t *arena;

static int make_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    rsa = fg_key_generate(FG_KEY_RSA_2048, "a", 0, TEST_NOW, &err);
    other_rsa = fg_key_generate(FG_KEY_RSA_2048, "b", 0, TEST_NOW, &err);
    p256 = fg_key_generate(FG_KEY_EC_P256, "c", 0, TEST_NOW, &err);
    p384 = fg_key_generate(FG_KEY_EC_P384, "d", 0, TEST_NOW, &err);
    return !(rsa && other_rsa && p256 && p384);
}

static int free_keys(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(other_rsa);
    fg_key_unref(p256);
    fg_key_unref(p384);
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

/* ---- helpers ---- */

static xmlNode *parse(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), NULL, &err);
    if (doc == NULL)
        fail_msg("%s: %s", err.detail, text);
    return xmlDocGetRootElement(doc);
}

static fg_code_t verify_with(xmlNode *element, const fg_dsig_trust_t *trust, fg_dsig_verified_t *verified) {
    fg_err_t err = FG_ERR_INIT;
    bool good = fg_dsig_verify_enveloped(element, "ID", trust, verified, &err);
    assert_int_equal(good, err.code == FG_OK);
    assert_ptr_equal(verified->element, good ? element : NULL);
    return err.code;
}

static fg_code_t verify(xmlNode *element, const fg_key_t *key) {
    fg_dsig_verified_t verified;
    return verify_with(element, &(fg_dsig_trust_t){&key, 1, false}, &verified);
}

/* text with the first occurrence of one part replaced; NULL if there is none */
static char *replaced(const char *text, const char *part, const char *by) {
    const char *found = strstr(text, part);
    return found ? fg_arena_printf(arena, "%.*s%s%s", (int)(found - text), text, by, found + strlen(part)) : NULL;
}

static const fg_xns_t saml = {"saml", FG_NS_SAML2};

/* An assertion made and signed the way the product does it. */
static char *signed_assertion(const char *id, const char *subject, const fg_key_t *key) {
    fg_buf_t out = FG_BUF_INIT(20000);
    fg_err_t err = FG_ERR_INIT;
    fg_xw_t w;
    fg_xw_init(&w, &out);
    fg_xw_start(&w, &saml, "Assertion");
    fg_xw_attrz(&w, "ID", id);
    fg_xw_attrz(&w, "Version", "2.0");
    fg_xw_leafz(&w, &saml, "Issuer", "https://idp.example/");
    fg_xw_flush(&w);
    size_t at = out.length;
    fg_xw_leafz(&w, &saml, "Subject", subject);
    fg_xw_end(&w);
    assert_true(fg_xw_ok(&w));
    assert_true(fg_dsig_sign(&out, 0, at, fg_str(id), key, &err));
    char *copy = fg_arena_strdup(arena, out.data);
    fg_buf_free(&out);
    return copy;
}

typedef struct spec {
    const char *root_attributes, *c14n, *method, *reference, *transforms, *digest_method, *digest_value, *after_reference,
        *signature_value, *after_value;
    const char *prefixes[3]; /* of the exclusive C14N transform */
    const EVP_MD *(*digest)(void);
    const EVP_MD *(*rsa_digest)(void); /* NULL: as fg_key_sign does */
    const fg_key_t *key;
} spec_t;

#define OR(value, otherwise) ((value) ? (value) : (otherwise))

static xmlNode *child(xmlNode *parent, const char *name) {
    for (xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node))
        if (strcmp((const char *)node->name, name) == 0)
            return node;
    return NULL;
}

static char *document(const spec_t *spec, const char *signature) {
    return fg_arena_printf(arena,
                           "<r xmlns:xs='urn:xs' xmlns:x='urn:x' xmlns:wsu='" FG_NS_WSU "' %s>\n<a xmlns='urn:a' ID='a1'>"
                           "<i>issuer</i>%s<s t='xs:string'>alice</s></a></r>",
                           OR(spec->root_attributes, ""), signature);
}

static char *base64(const void *data, size_t length) {
    fg_buf_t text = FG_BUF_INIT(4000);
    fg_base64_encode(&text, data, length);
    char *copy = fg_arena_strdup(arena, text.data);
    fg_buf_free(&text);
    return copy;
}

static char *digest_of(const spec_t *spec, xmlNode *element, xmlNode *signature) {
    fg_buf_t canonical = FG_BUF_INIT(100000);
    fg_err_t err = FG_ERR_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    assert_true(fg_xml_canonical_without(element, signature, (char **)(uintptr_t)spec->prefixes, &canonical, &err));
    assert_int_equal(EVP_Digest(canonical.data, canonical.length, digest, &length, spec->digest ? spec->digest() : EVP_sha256(), NULL), 1);
    fg_buf_free(&canonical);
    return base64(digest, length);
}

static char *signature_of(const spec_t *spec, xmlNode *signed_info) {
    fg_buf_t canonical = FG_BUF_INIT(1u << 20), value = FG_BUF_INIT(1000);
    fg_err_t err = FG_ERR_INIT;
    const fg_key_t *key = OR(spec->key, rsa);
    assert_true(fg_xml_canonical(signed_info, &canonical, &err));
    if (spec->rsa_digest == NULL) {
        assert_true(fg_key_sign(key, fg_buf_str(&canonical), &value, &err));
    } else {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t length = 512;
        assert_int_equal(EVP_DigestSignInit(context, NULL, spec->rsa_digest(), NULL, fg_key_get_pkey(key)), 1);
        assert_int_equal(EVP_DigestSign(context, (unsigned char *)fg_buf_reserve(&value, length), &length,
                                        (const unsigned char *)canonical.data, canonical.length), 1);
        value.length = length;
        EVP_MD_CTX_free(context);
    }
    char *text = base64(value.data, value.length);
    fg_buf_free(&canonical);
    fg_buf_free(&value);
    return text;
}

/* The assertion in a document whose signature holds under the spec. */
static xmlNode *forge(const spec_t *spec) {
    char *bare = document(spec, "");
    char *digest = digest_of(spec, child(parse(bare), "a"), NULL);
    char *format = fg_arena_printf(
        arena,
        "<Signature xmlns='" FG_NS_DS "'>\n<SignedInfo>%s%s<Reference %s><Transforms>%s</Transforms>%s<DigestValue>%s</DigestValue></Reference>"
        "%s</SignedInfo><SignatureValue>%%s</SignatureValue>%s</Signature>",
        OR(spec->c14n, EXC_C14N), OR(spec->method, RSA_SHA256), OR(spec->reference, "URI='#a1'"), OR(spec->transforms, ENVELOPED EXCLUSIVE),
        OR(spec->digest_method, "<DigestMethod Algorithm='" FG_NS_XENC "sha256'/>"),
        spec->digest_value ? fg_arena_printf(arena, spec->digest_value, digest) : digest, OR(spec->after_reference, ""),
        OR(spec->after_value, ""));
    xmlNode *assertion = child(parse(document(spec, fg_arena_printf(arena, format, "AA=="))), "a");
    char *value = signature_of(spec, child(child(assertion, "Signature"), "SignedInfo"));
    if (spec->signature_value != NULL)
        value = fg_arena_printf(arena, spec->signature_value, value);
    return child(parse(document(spec, fg_arena_printf(arena, format, value))), "a");
}

typedef struct row {
    const char *id;
    spec_t spec;
    fg_code_t code;
} row_t;

static void check_rows(const row_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        xmlNode *assertion = forge(&rows[i].spec);
        fg_code_t code = verify(assertion, rows[i].spec.key && rows[i].spec.key != other_rsa ? rows[i].spec.key : rsa);
        if (code != rows[i].code)
            fail_msg("%s: code %d expected, got %d", rows[i].id, rows[i].code, code);
        if (code == FG_OK) /* again: nothing is left behind in the document */
            assert_int_equal(verify(assertion, OR(rows[i].spec.key, rsa)), FG_OK);
    }
}

/* ---- what we sign ---- */

static void own_signatures_verify(void **state) {
    (void)state;
    static const char *const uris[] = {MORE "rsa-sha256", MORE "ecdsa-sha256", MORE "ecdsa-sha384"};
    const fg_key_t *keys[] = {rsa, p256, p384};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++) {
        fg_dsig_verified_t verified;
        char *text = signed_assertion("_1", "alice", keys[i]);
        assert_int_equal(verify_with(parse(text), &(fg_dsig_trust_t){keys, 3, false}, &verified), FG_OK);
        assert_ptr_equal(verified.key, keys[i]);
        assert_string_equal(verified.signature_uri, uris[i]);
        assert_false(verified.sha1);
        assert_int_equal(verify(parse(replaced(text, "alice", "mallory")), keys[i]), FG_E_SIG_INVALID);
        assert_int_equal(verify(parse(replaced(text, "2.0", "2.1")), keys[i]), FG_E_SIG_INVALID);
        assert_int_equal(verify(parse(replaced(text, "<saml:Subject>", "<!--x--><saml:Subject>")), keys[i]), FG_OK);
        assert_int_equal(verify(parse(replaced(text, "<saml:Subject>", "\n<saml:Subject>")), keys[i]), FG_E_SIG_INVALID);
    }
}

/* Inside another document with other declarations in scope the signature holds, and the signed assertion is canonical itself. */
static void own_signatures_are_canonical_and_portable(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t canonical = FG_BUF_INIT(20000);
    char *text = signed_assertion("_1", "alice & <bob>", rsa);
    assert_true(fg_xml_canonical(parse(text), &canonical, &err));
    assert_string_equal(canonical.data, text);
    fg_buf_free(&canonical);
    char *inside = fg_arena_printf(arena, "<r xmlns='urn:r' xmlns:ds='urn:other' xmlns:saml='urn:third' xmlns:z='urn:z'><b>%s</b></r>", text);
    assert_int_equal(verify(child(child(parse(inside), "b"), "Assertion"), rsa), FG_OK);
}

static void signing_refuses_what_cannot_be_signed(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    char *pem = fg_arena_printf(arena, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", fg_key_get_certificate_base64(rsa).p);
    fg_key_t *public_key = fg_key_from_pem(fg_str(pem), &err);
    assert_non_null(public_key);
    fg_buf_t out = FG_BUF_INIT(20000);
    fg_buf_puts(&out, "<a ID=\"_1\"><b></b></a>");
    assert_false(fg_dsig_sign(&out, 0, 11, FG_STR("_1"), public_key, &err));
    assert_err(&err, FG_E_INTERNAL);
    assert_false(fg_dsig_sign(&out, 0, 12, FG_STR("_1"), rsa, &err));
    assert_false(fg_dsig_sign(&out, 0, 0, FG_STR("_1"), rsa, &err));
    assert_false(fg_dsig_sign(&out, 0, 99, FG_STR("_1"), rsa, &err));
    assert_false(fg_dsig_sign(&out, 0, 11, FG_STR("1"), rsa, &err));
    assert_false(fg_dsig_sign(&out, 0, 11, FG_STR("_\"1"), rsa, &err));
    assert_false(fg_dsig_sign(&out, 0, 11, FG_STR(""), rsa, &err));
    assert_string_equal(out.data, "<a ID=\"_1\"><b></b></a>");
    assert_true(fg_dsig_sign(&out, 0, 11, FG_STR("_1"), rsa, &err));
    fg_buf_free(&out);
    fg_buf_t small = FG_BUF_INIT(100);
    fg_buf_puts(&small, "<a ID=\"_1\"><b></b></a>");
    assert_false(fg_dsig_sign(&small, 0, 11, FG_STR("_1"), rsa, &err));
    assert_err(&err, FG_E_MEMORY);
    fg_buf_free(&small);
    fg_key_unref(public_key);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

extern char **environ;

/* Somebody else's program takes what we sign, and refuses it once it is changed. */
static void xmlsec1_command_accepts_own_signatures(void **state) {
    (void)state;
    const fg_key_t *keys[] = {rsa, p256, p384};
    const char *const argv[] = {"xmlsec1", "--verify", "--pubkey-cert-pem", "xmldsig-test.pem", "--id-attr:ID", FG_NS_SAML2 ":Assertion",
                    "xmldsig-test.xml", NULL};
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
    bool absent = false;
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(keys) && !absent; i++) {
        const fg_key_t *key = keys[i / 2];
        char *text = signed_assertion("_1", "alice", key);
        write_file("xmldsig-test.xml", i % 2 ? replaced(text, "alice", "malory") : text);
        write_file("xmldsig-test.pem", fg_arena_printf(arena, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
                                                       fg_key_get_certificate_base64(key).p));
        pid_t pid;
        int status = 0;
        absent = posix_spawnp(&pid, argv[0], &quiet, NULL, (char **)(uintptr_t)argv, environ) != 0;
        if (!absent) {
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_int_equal(WIFEXITED(status) && WEXITSTATUS(status) == 0, i % 2 == 0);
        }
    }
    posix_spawn_file_actions_destroy(&quiet);
    unlink("xmldsig-test.xml");
    unlink("xmldsig-test.pem");
    if (absent)
        skip();
}

/* ---- refusals by shape, XS-12..27 ---- */

#define REPEAT8(x) x x x x x x x x
static const char extra_reference[] = "<Reference URI='#a1'><Transforms>" ENVELOPED EXCLUSIVE "</Transforms><DigestMethod Algorithm='" FG_NS_XENC
                                      "sha256'/><DigestValue>AAAA</DigestValue></Reference>";

static void references_and_transforms(void **state) {
    (void)state;
    const row_t rows[] = {
        {"control", {0}, FG_OK},
        {"control: Id on Reference", {.reference = "URI='#a1' Id='ref'"}, FG_OK},
        {"XS-12 empty", {.reference = "URI=''"}, FG_E_SIG_STRUCTURE},
        {"XS-12 missing", {.reference = ""}, FG_E_SIG_STRUCTURE},
        {"XS-12 xpointer", {.reference = "URI=\"#xpointer(id('a1'))\""}, FG_E_SIG_STRUCTURE},
        {"XS-12 xpointer to the root", {.reference = "URI='#xpointer(/)'"}, FG_E_SIG_STRUCTURE},
        {"XS-12 file", {.reference = "URI='file:///etc/passwd'"}, FG_E_SIG_STRUCTURE},
        {"XS-12 http", {.reference = "URI='http://127.0.0.1:9/#a1'"}, FG_E_SIG_STRUCTURE},
        {"XS-12 other id", {.reference = "URI='#a2'", .root_attributes = "ID='a2'"}, FG_E_SIG_STRUCTURE},
        {"XS-12 longer id", {.reference = "URI='#a1 '"}, FG_E_SIG_STRUCTURE},
        {"XS-13 Type", {.reference = "URI='#a1' Type='" FG_NS_DS "Manifest'"}, FG_E_SIG_STRUCTURE},
        {"XS-13 two", {.after_reference = extra_reference}, FG_E_SIG_STRUCTURE},
        {"XS-13 Object", {.after_value = "<Object><Manifest/></Object>"}, FG_E_SIG_STRUCTURE},
        {"XS-13 Object after KeyInfo", {.after_value = "<KeyInfo><KeyName>k</KeyName></KeyInfo><Object/>"}, FG_E_SIG_STRUCTURE},
        {"XS-14 XSLT",
         {.transforms = ENVELOPED "<Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-14 XPath",
         {.transforms = "<Transform Algorithm='http://www.w3.org/TR/1999/REC-xpath-19991116'><XPath>1</XPath></Transform>" EXCLUSIVE},
         FG_E_SIG_ALGORITHM},
        {"XS-14 base64", {.transforms = ENVELOPED "<Transform Algorithm='" FG_NS_DS "base64'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-14 unknown", {.transforms = "<Transform Algorithm='urn:x'/>" EXCLUSIVE}, FG_E_SIG_ALGORITHM},
        {"XS-14 none", {.transforms = ""}, FG_E_SIG_STRUCTURE},
        {"XS-14 enveloped missing", {.transforms = EXCLUSIVE}, FG_E_SIG_ALGORITHM},
        {"XS-14 wrong order", {.transforms = EXCLUSIVE ENVELOPED}, FG_E_SIG_ALGORITHM},
        {"XS-14 with comments", {.transforms = ENVELOPED "<Transform Algorithm='" FG_NS_EXC_C14N "WithComments'/>"}, FG_E_SIG_ALGORITHM},
        {"XP-06 inclusive", {.transforms = ENVELOPED "<Transform Algorithm='http://www.w3.org/TR/2001/REC-xml-c14n-20010315'/>"},
         FG_E_SIG_ALGORITHM},
        {"XP-06 inclusive by default", {.transforms = ENVELOPED}, FG_E_SIG_STRUCTURE},
        {"XP-06 inclusive SignedInfo", {.c14n = "<CanonicalizationMethod Algorithm='http://www.w3.org/TR/2001/REC-xml-c14n-20010315'/>"},
         FG_E_SIG_ALGORITHM},
        {"XS-15 three transforms", {.transforms = ENVELOPED EXCLUSIVE EXCLUSIVE}, FG_E_SIG_STRUCTURE},
        {"XS-15 512 transforms", {.transforms = REPEAT8(REPEAT8(REPEAT8(ENVELOPED))) EXCLUSIVE}, FG_E_SIG_STRUCTURE},
        {"XS-14 parameter of enveloped",
         {.transforms = "<Transform Algorithm='" FG_NS_DS "enveloped-signature'><x/></Transform>" EXCLUSIVE}, FG_E_SIG_STRUCTURE},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

static void prefix_lists(void **state) {
    (void)state;
    const row_t rows[] = {
        {"XS-17 control", {.transforms = WITH_PREFIXES("PrefixList='xs'"), .prefixes = {"xs"}}, FG_OK},
        {"XS-17 control: default", {.transforms = WITH_PREFIXES("PrefixList='  xs #default '"), .prefixes = {"xs", "#default"}}, FG_OK},
        {"XS-17 control: empty", {.transforms = WITH_PREFIXES("PrefixList=''")}, FG_OK},
        {"XS-17 none", {.transforms = WITH_PREFIXES("")}, FG_E_SIG_STRUCTURE},
        {"XS-17 odd", {.transforms = WITH_PREFIXES("PrefixList='a/b'")}, FG_E_SIG_STRUCTURE},
        {"XS-17 line end", {.transforms = WITH_PREFIXES("PrefixList='xs&#10;x'")}, FG_E_SIG_STRUCTURE},
        {"XS-17 flood", {.transforms = WITH_PREFIXES("PrefixList='" REPEAT8("a b c d e ") "'")}, FG_E_SIG_STRUCTURE},
        {"XS-17 long", {.transforms = WITH_PREFIXES("PrefixList='" REPEAT8(REPEAT8("aaaaaaaaaa")) "'")}, FG_E_SIG_STRUCTURE},
        {"XS-17 other attribute", {.transforms = WITH_PREFIXES("PrefixList='xs' x=''"), .prefixes = {"xs"}}, FG_E_SIG_STRUCTURE},
        {"XS-17 other element", {.transforms = ENVELOPED "<Transform Algorithm='" FG_NS_EXC_C14N "'><x/></Transform>"}, FG_E_SIG_STRUCTURE},
        {"XS-17 of SignedInfo, odd",
         {.c14n = "<CanonicalizationMethod Algorithm='" FG_NS_EXC_C14N "'><e:InclusiveNamespaces xmlns:e='" FG_NS_EXC_C14N
                  "' PrefixList='&lt;'/></CanonicalizationMethod>"},
         FG_E_SIG_STRUCTURE},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

static void values_and_methods(void **state) {
    (void)state;
    const row_t rows[] = {
        {"control: white space in values", {.digest_value = "\n %s \n", .signature_value = "\n%s\n"}, FG_OK},
        {"control: SHA-512", {.method = "<SignatureMethod Algorithm='" MORE "rsa-sha512'/>", .rsa_digest = EVP_sha512,
                              .digest_method = "<DigestMethod Algorithm='" FG_NS_XENC "sha512'/>", .digest = EVP_sha512}, FG_OK},
        {"control: SHA-384", {.method = "<SignatureMethod Algorithm='" MORE "rsa-sha384'/>", .rsa_digest = EVP_sha384,
                              .digest_method = "<DigestMethod Algorithm='" MORE "sha384'/>", .digest = EVP_sha384}, FG_OK},
        {"control: ECDSA", {.method = "<SignatureMethod Algorithm='" MORE "ecdsa-sha256'/>", .key = p256}, FG_OK},
        {"XS-18 comment in DigestValue", {.digest_value = "<!--x-->%s"}, FG_E_SIG_STRUCTURE},
        {"XS-18 CDATA in DigestValue", {.digest_value = "<![CDATA[ ]]>%s"}, FG_E_SIG_STRUCTURE},
        {"XS-18 element in DigestValue", {.digest_value = "%s<x/>"}, FG_E_SIG_STRUCTURE},
        {"XS-18 comment in SignatureValue", {.signature_value = "%s<!--x-->"}, FG_E_SIG_STRUCTURE},
        {"XS-18 text in SignedInfo", {.after_reference = "text"}, FG_E_SIG_STRUCTURE},
        {"XS-18 second SignedInfo", {.after_value = "<SignedInfo/>"}, FG_E_SIG_STRUCTURE},
        {"XS-18 no base64", {.signature_value = "!%s"}, FG_E_SIG_STRUCTURE},
        {"XS-18 empty value", {.signature_value = ""}, FG_E_SIG_STRUCTURE},
        {"XS-18 attribute of a value", {.method = "<SignatureMethod x='' Algorithm='" MORE "rsa-sha256'/>"}, FG_E_SIG_STRUCTURE},
        {"XS-23", {.method = "<SignatureMethod Algorithm='" MORE "rsa-sha256'><HMACOutputLength>8</HMACOutputLength></SignatureMethod>"},
         FG_E_SIG_STRUCTURE},
        {"XS-24 HMAC-SHA256", {.method = "<SignatureMethod Algorithm='" MORE "hmac-sha256'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-24 HMAC-SHA1", {.method = "<SignatureMethod Algorithm='" FG_NS_DS "hmac-sha1'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-24 ECDSA named, RSA made", {.method = "<SignatureMethod Algorithm='" MORE "ecdsa-sha256'/>"}, FG_E_SIG_KEY},
        {"XS-24 RSA named, ECDSA made", {.key = p256}, FG_E_SIG_KEY},
        {"XS-25 RSA-SHA1", {.method = RSA_SHA1, .rsa_digest = EVP_sha1}, FG_E_SIG_ALGORITHM},
        {"XS-25 SHA-1 digest", {.digest_method = SHA1, .digest = EVP_sha1}, FG_E_SIG_ALGORITHM},
        {"XS-25 MD5", {.method = "<SignatureMethod Algorithm='" MORE "rsa-md5'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-25 DSA", {.method = "<SignatureMethod Algorithm='" FG_NS_DS "dsa-sha1'/>"}, FG_E_SIG_ALGORITHM},
        {"XS-25 hash named is not the one used", {.rsa_digest = EVP_sha512}, FG_E_SIG_INVALID},
        {"XS-25 no method", {.method = "<SignatureMethod/>"}, FG_E_SIG_ALGORITHM},
        {"XS-25 digest of another length", {.digest = EVP_sha512}, FG_E_SIG_INVALID},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

/* XS-25: only with the partner's switch, and then it is told */
static void sha1_needs_its_switch(void **state) {
    (void)state;
    fg_dsig_verified_t verified;
    const fg_key_t *key = rsa;
    const fg_dsig_trust_t trust = {&key, 1, true};
    const spec_t both = {.method = RSA_SHA1, .rsa_digest = EVP_sha1, .digest_method = SHA1, .digest = EVP_sha1};
    assert_int_equal(verify_with(forge(&both), &trust, &verified), FG_OK);
    assert_true(verified.sha1);
    const spec_t digest = {.digest_method = SHA1, .digest = EVP_sha1};
    assert_int_equal(verify_with(forge(&digest), &trust, &verified), FG_OK);
    assert_true(verified.sha1);
    assert_int_equal(verify_with(forge(&(spec_t){0}), &trust, &verified), FG_OK);
    assert_false(verified.sha1);
}

static void key_info_is_no_source_of_keys(void **state) {
    (void)state;
    const char *foreign = fg_arena_printf(arena, "<KeyInfo><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo>",
                                          fg_key_get_certificate_base64(other_rsa).p);
    const row_t rows[] = {
        {"XS-20 control: another certificate is no matter", {.after_value = foreign}, FG_OK},
        {"XS-20 attacker's key and certificate", {.after_value = foreign, .key = other_rsa}, FG_E_SIG_INVALID},
        {"XS-21 RetrievalMethod", {.after_value = "<KeyInfo><RetrievalMethod URI='http://127.0.0.1:9/'/></KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"XS-21 loop", {.after_value = "<KeyInfo Id='k'><RetrievalMethod URI='#k'/></KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"XS-22 two certificates", {.after_value = "<KeyInfo><X509Data/><X509Data/></KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"XS-22 two KeyInfo", {.after_value = "<KeyInfo><KeyName>k</KeyName></KeyInfo><KeyInfo/>"}, FG_E_SIG_STRUCTURE},
        {"XS-22 control", {.after_value = "<KeyInfo><KeyName>k</KeyName><X509Data/></KeyInfo>"}, FG_OK},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
    fg_dsig_verified_t verified; /* XS-22: partner B's key for issuer A */
    xmlNode *assertion = forge(&(spec_t){0});
    const fg_key_t *wrong[] = {other_rsa, p256}, *many[] = {other_rsa, p256, rsa};
    assert_int_equal(verify_with(assertion, &(fg_dsig_trust_t){wrong, 2, false}, &verified), FG_E_SIG_INVALID);
    assert_int_equal(verify_with(assertion, &(fg_dsig_trust_t){wrong + 1, 1, false}, &verified), FG_E_SIG_KEY);
    assert_int_equal(verify_with(assertion, &(fg_dsig_trust_t){NULL, 0, false}, &verified), FG_E_SIG_KEY);
    assert_int_equal(verify_with(assertion, &(fg_dsig_trust_t){many, 3, false}, &verified), FG_OK);
    assert_ptr_equal(verified.key, rsa);
}

/* XS-11 */
static void ids_are_unique_whatever_they_are_called(void **state) {
    (void)state;
    const row_t rows[] = {
        {"ID", {.root_attributes = "ID='a1'"}, FG_E_SIG_STRUCTURE},
        {"Id", {.root_attributes = "Id='a1'"}, FG_E_SIG_STRUCTURE},
        {"id", {.root_attributes = "id='a1'"}, FG_E_SIG_STRUCTURE},
        {"xml:id", {.root_attributes = "xml:id='a1'"}, FG_E_SIG_STRUCTURE},
        {"wsu:Id", {.root_attributes = "wsu:Id='a1'"}, FG_E_SIG_STRUCTURE},
        {"x:ID", {.root_attributes = "x:ID='a1'"}, FG_E_SIG_STRUCTURE},
        {"AssertionID", {.root_attributes = "AssertionID='a1'"}, FG_E_SIG_STRUCTURE},
        {"ResponseID", {.root_attributes = "ResponseID='a1'"}, FG_E_SIG_STRUCTURE},
        {"RequestID", {.root_attributes = "RequestID='a1'"}, FG_E_SIG_STRUCTURE},
        {"by character reference", {.root_attributes = "Id='&#97;1'"}, FG_E_SIG_STRUCTURE},
        {"within the signature", {.reference = "URI='#a1' Id='a1'"}, FG_E_SIG_STRUCTURE},
        {"control: another value", {.root_attributes = "ID='a2' xml:id='a3'"}, FG_OK},
        {"control: another attribute", {.root_attributes = "Name='a1'"}, FG_OK},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
    char *text = signed_assertion("_1", "alice", rsa);
    assert_int_equal(verify(parse(replaced(text, " ID=", " Id=")), rsa), FG_E_SIG_STRUCTURE);
    assert_int_equal(verify(parse(replaced(text, " ID=", " saml:ID=")), rsa), FG_E_SIG_STRUCTURE);
    assert_int_equal(verify(parse(replaced(text, " ID=\"_1\"", " ID=\"_1 \"")), rsa), FG_E_SIG_STRUCTURE);
    assert_int_equal(verify(parse(replaced(text, " ID=\"_1\"", " ID=\"\"")), rsa), FG_E_SIG_STRUCTURE);
    assert_int_equal(verify(parse(text), rsa), FG_OK);
}

static void signature_must_be_one_child(void **state) {
    (void)state;
    char *text = signed_assertion("_1", "alice", rsa);
    char *begins = strstr(text, "<ds:Signature "), *behind = strstr(text, "</ds:Signature>") + strlen("</ds:Signature>");
    char *signature = fg_arena_strndup(arena, begins, (size_t)(behind - begins));
    char *without = replaced(text, signature, "");
    assert_int_equal(verify(parse(without), rsa), FG_E_SIG_MISSING);
    char *nested = fg_arena_printf(arena, "<saml:Advice>%s</saml:Advice><saml:Subject>", signature);
    assert_int_equal(verify(parse(replaced(without, "<saml:Subject>", nested)), rsa), FG_E_SIG_MISSING);
    char *twice = fg_arena_printf(arena, "%s%s", signature, signature);
    assert_int_equal(verify(parse(replaced(text, signature, twice)), rsa), FG_E_SIG_STRUCTURE);
    char *elsewhere = replaced(without, "</saml:Assertion>", fg_arena_printf(arena, "%s</saml:Assertion>", signature));
    assert_int_equal(verify(parse(elsewhere), rsa), FG_OK); /* its place among the children is the profile's affair */
    /* XS-28: a signature for another message type */
    char *response = fg_arena_printf(arena, "<r ID='_1'>%s<saml:Subject xmlns:saml='" FG_NS_SAML2 "'>alice</saml:Subject></r>", signature);
    assert_int_equal(verify(parse(response), rsa), FG_E_SIG_INVALID);
    /* XS-16: what cannot be canonicalised */
    assert_int_equal(verify(parse(replaced(text, "<saml:Subject>", "<x xmlns='relative'/><saml:Subject>")), rsa), FG_E_SIG_STRUCTURE);
}

/* XS-19: comments and CDATA do not break the signature, so reading must not stop at them */
static void text_under_a_signature_is_read_whole(void **state) {
    (void)state;
    static const char *const forms[] = {"ali<!---->ce", "<![CDATA[alice]]>", "<!--x-->alic<![CDATA[e]]>"};
    fg_err_t err = FG_ERR_INIT;
    char *text = signed_assertion("_1", "alice", rsa);
    for (size_t i = 0; i < FG_ARRAY_SIZE(forms); i++) {
        xmlNode *assertion = parse(replaced(text, "alice", forms[i]));
        assert_int_equal(verify(assertion, rsa), FG_OK);
        assert_true(fg_str_is(fg_xml_text(arena, child(assertion, "Subject"), &err), "alice"));
    }
}

/* ---- refusals by value ---- */

static char *with_value(char *text, const void *value, size_t length) {
    char *begins = strstr(text, "<ds:SignatureValue>") + strlen("<ds:SignatureValue>"), *behind = strstr(text, "</ds:SignatureValue>");
    return fg_arena_printf(arena, "%.*s%s%s", (int)(begins - text), text, base64(value, length), behind);
}

/* XS-26: r or s of zero, wrong lengths, DER instead of r|s */
static void ecdsa_values_are_strict(void **state) {
    (void)state;
    unsigned char value[132];
    memset(value, 0, sizeof value);
    char *text = signed_assertion("_1", "alice", p256);
    assert_int_equal(verify(parse(with_value(text, value, 64)), p256), FG_E_SIG_INVALID);
    value[31] = 1;
    assert_int_equal(verify(parse(with_value(text, value, 64)), p256), FG_E_SIG_INVALID);
    value[63] = 1;
    assert_int_equal(verify(parse(with_value(text, value, 64)), p256), FG_E_SIG_INVALID);
    assert_int_equal(verify(parse(with_value(text, value, 63)), p256), FG_E_SIG_KEY);
    assert_int_equal(verify(parse(with_value(text, value, 72)), p256), FG_E_SIG_KEY);
    assert_int_equal(verify(parse(text), p384), FG_E_SIG_KEY);
    assert_int_equal(verify(parse(text), p256), FG_OK);
}

/* The RSA operation over a block of our own making, without its padding being made or looked at. */
static void rsa_raw(const unsigned char block[256], unsigned char value[256]) {
    size_t length = 256;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, fg_key_get_pkey(rsa), NULL);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_sign(context, value, &length, block, 256), 1);
    EVP_PKEY_CTX_free(context);
}

/* XS-27: a block that begins well and ends in bytes of one's choice; control: the same block padded in full */
static void rsa_padding_is_strict(void **state) {
    (void)state;
    static const unsigned char info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                         0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    unsigned char block[256], value[256], digest[32];
    fg_buf_t canonical = FG_BUF_INIT(10000);
    fg_err_t err = FG_ERR_INIT;
    char *text = signed_assertion("_1", "alice", rsa);
    assert_true(fg_xml_canonical(child(child(parse(text), "Signature"), "SignedInfo"), &canonical, &err));
    fg_sha256(canonical.data, canonical.length, digest);
    fg_buf_free(&canonical);
    for (size_t padding = 8; padding <= 202; padding += 97) {
        memset(block, 0x5a, sizeof block);
        block[0] = 0;
        block[1] = 1;
        memset(block + 2, 0xff, padding);
        block[2 + padding] = 0;
        memcpy(block + 3 + padding, info, sizeof info);
        memcpy(block + 3 + padding + sizeof info, digest, sizeof digest);
        rsa_raw(block, value);
        assert_int_equal(verify(parse(with_value(text, value, 256)), rsa), padding == 202 ? FG_OK : FG_E_SIG_INVALID);
    }
    memset(value, 0, sizeof value);
    assert_int_equal(verify(parse(with_value(text, value, 256)), rsa), FG_E_SIG_INVALID);
    assert_int_equal(verify(parse(with_value(text, value, 255)), rsa), FG_E_SIG_KEY);
}

/* ---- XS-01..08: wrapping, after Somorovsky et al. 2012 ---- */

/* Every element that has an ID is tried: what is accepted must be the genuine one, wherever it was moved to. */
static unsigned try_all(xmlNode *node) {
    unsigned accepted = 0;
    fg_err_t err = FG_ERR_INIT;
    if (fg_xml_attr(arena, node, NULL, "ID").p != NULL && verify(node, rsa) == FG_OK) {
        accepted++;
        fg_buf_t canonical = FG_BUF_INIT(100000);
        xmlNode *signature = child(node, "Signature");
        assert_true(fg_xml_canonical_without(node, signature, NULL, &canonical, &err));
        assert_non_null(strstr(canonical.data, "alice"));
        assert_null(strstr(canonical.data, "mallory"));
        fg_buf_free(&canonical);
    }
    for (xmlNode *inner = fg_xml_first_child(node); inner != NULL; inner = fg_xml_next(inner))
        accepted += try_all(inner);
    return accepted;
}

/* In each text: @whole@ the genuine assertion, @bare@ the same without its signature, @signature@ that up to its end tag; EVIL an
 * assertion about somebody else. */
#define EVIL(id, inner) "<saml:Assertion xmlns:saml='" FG_NS_SAML2 "' ID='" id "' Version='2.0'><saml:Issuer>https://idp.example/</saml:Issuer>" \
    inner "<saml:Subject>mallory</saml:Subject></saml:Assertion>"
#define OBJECT(inner) "@signature@<ds:Object>" inner "</ds:Object></ds:Signature>"
#define CLOSED "@signature@</ds:Signature>"

static void wrapping_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *id, *text;
        unsigned accepted; /* how often the genuine one is still found, moved but whole */
    } rows[] = {
        {"control", "<r>@whole@</r>", 1},
        {"XS-01 original in an Object of the forged one's signature", "<r>" EVIL("_2", OBJECT("@bare@")) "</r>", 0},
        {"XS-02 detached: original before the signature", "<r>" EVIL("_2", "@bare@" CLOSED) "</r>", 0},
        {"XS-03 forged one before the original", "<r>" EVIL("_2", "") "@whole@</r>", 1},
        {"XS-03 the same with the same id", "<r>" EVIL("_1", "") "@whole@</r>", 0},
        {"XS-04 original inside the forged one", "<r>" EVIL("_2", "@whole@") "</r>", 1},
        {"XS-04 the same with the same id", "<r>" EVIL("_1", "@whole@") "</r>", 0},
        {"XS-05 signature in the forged one, original behind", "<r>" EVIL("_2", CLOSED) "@bare@</r>", 0},
        {"XS-05 the same with the same id", "<r>" EVIL("_1", CLOSED) "@bare@</r>", 0},
        {"XS-06 original inside the signature inside the forged one", "<r>" EVIL("_1", OBJECT("@bare@")) "</r>", 0},
        {"XS-07 forged one in Extensions", "<r><Extensions>" EVIL("_1", "") "</Extensions>@whole@</r>", 0},
        {"XS-07 the same with another id", "<r><Extensions>" EVIL("_2", "") "</Extensions>@whole@</r>", 1},
        {"XS-08 original in an Object, forged one in Extensions", "<r><Extensions>" EVIL("_1", OBJECT("@bare@")) "</Extensions></r>", 0},
        {"XS-10 forged one in the Advice of another", "<r>@whole@" EVIL("_2", "<saml:Advice>" EVIL("_3", "") "</saml:Advice>") "</r>", 1},
    };
    char *whole = signed_assertion("_1", "alice", rsa);
    char *begins = strstr(whole, "<ds:Signature "), *behind = strstr(whole, "</ds:Signature>");
    char *signature = fg_arena_strndup(arena, begins, (size_t)(behind - begins));
    char *bare = replaced(whole, fg_arena_printf(arena, "%s</ds:Signature>", signature), "");
    const char *const parts[] = {"@whole@", "@bare@", "@signature@"}, *const values[] = {whole, bare, signature};
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        char *text = fg_arena_strdup(arena, rows[i].text);
        for (size_t k = 0; k < FG_ARRAY_SIZE(parts); k++)
            text = strstr(text, parts[k]) ? replaced(text, parts[k], values[k]) : text;
        unsigned accepted = try_all(parse(text));
        if (accepted != rows[i].accepted)
            fail_msg("%s: %u accepted", rows[i].id, accepted);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(own_signatures_verify),
        TEST(own_signatures_are_canonical_and_portable),
        TEST(signing_refuses_what_cannot_be_signed),
        TEST(xmlsec1_command_accepts_own_signatures),
        TEST(references_and_transforms),
        TEST(prefix_lists),
        TEST(values_and_methods),
        TEST(sha1_needs_its_switch),
        TEST(key_info_is_no_source_of_keys),
        TEST(ids_are_unique_whatever_they_are_called),
        TEST(signature_must_be_one_child),
        TEST(text_under_a_signature_is_read_whole),
        TEST(ecdsa_values_are_strict),
        TEST(rsa_padding_is_strict),
        TEST(wrapping_is_refused),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    int failed = cmocka_run_group_tests(tests, make_keys, free_keys);
    fg_crypto_stop();
    return failed;
}
