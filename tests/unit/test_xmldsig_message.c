/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signatures of messages (WS-Security 1.1 §8): XS-09, XS-11..25, WT-07.
 *
 * forge() makes signatures that are right as far as cryptography goes but may be odd in shape: so a refusal is about the shape. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/xmldsig.h"

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define STR_TRANSFORM "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform"
#define EXC_C14N "<ds:CanonicalizationMethod Algorithm='" FG_NS_EXC_C14N "'/>"
#define METHOD(uri) "<ds:SignatureMethod Algorithm='" uri "'/>"
#define EXCLUSIVE "<ds:Transform Algorithm='" FG_NS_EXC_C14N "'/>"
#define SHA256 "<ds:DigestMethod Algorithm='" FG_NS_XENC "sha256'/>"
#define SHA1 "<ds:DigestMethod Algorithm='" FG_NS_DS "sha1'/>"
#define BY_STR "<ds:Transform Algorithm='" STR_TRANSFORM "'><wsse:TransformationParameters>" EXC_C14N "</wsse:TransformationParameters></ds:Transform>"
#define ASSERTION "<saml:Assertion xmlns:saml='" FG_NS_SAML2 "' ID='_a'><saml:Issuer>i</saml:Issuer></saml:Assertion>"
#define STR_TO(uri) "<wsse:SecurityTokenReference wsu:Id='str'><wsse:Reference URI='" uri "'/></wsse:SecurityTokenReference>"

static fg_key_t *rsa, *other_rsa, *p256;
static fg_arena_t *arena;
static const fg_str_t secret = FG_STR("0123456789abcdef0123456789abcdef");

static int make_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    rsa = fg_key_generate(FG_KEY_RSA_2048, "a", 0, TEST_NOW, &err);
    other_rsa = fg_key_generate(FG_KEY_RSA_2048, "b", 0, TEST_NOW, &err);
    p256 = fg_key_generate(FG_KEY_EC_P256, "c", 0, TEST_NOW, &err);
    return !(rsa && other_rsa && p256);
}

static int free_keys(void **state) {
    (void)state;
    fg_key_unref(rsa);
    fg_key_unref(other_rsa);
    fg_key_unref(p256);
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

/* ---- making messages ---- */

#define REFERENCES 4

typedef struct reference {
    const char *attributes; /* NULL: the list ends */
    const char *covers;     /* the wsu:Id, Id or ID of what is digested; NULL: body */
    const char *transforms; /* NULL: exclusive C14N */
    const char *digest_method;
    fg_hash_t hash; /* as the method says; SHA-1 is 0, so rows with SHA-256 say so by leaving digest_method out */
    bool as_alone;
    const char *digest_value; /* with %s */
} reference_t;

typedef struct spec {
    const char *security; /* in wsse:Security, before the signature */
    const char *c14n, *method, *key_info, *after_value, *after_references;
    const char *outside; /* behind the Body */
    const char *header;  /* in the Header, behind Security */
    const char *body_attributes, *security_attributes;
    reference_t references[REFERENCES];
    const fg_key_t *key; /* NULL: rsa, unless by_secret */
    bool by_secret, by_sha1;
} spec_t;

#define OR(value, otherwise) ((value) ? (value) : (otherwise))

static xmlNode *parse(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(arena, fg_str(text), NULL, &err);
    if (doc == NULL)
        fail_msg("%s: %s", err.detail, text);
    return xmlDocGetRootElement(doc);
}

static xmlNode *find(xmlNode *node, bool (*fits)(const xmlNode *, const char *), const char *word) {
    for (; node != NULL; node = fg_xml_next(node)) {
        xmlNode *found = fits(node, word) ? node : find(fg_xml_first_child(node), fits, word);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static bool is_called(const xmlNode *node, const char *id) {
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
        if (strlen((const char *)attribute->name) <= 11 && attribute->children && strcmp((const char *)attribute->children->content, id) == 0)
            return true;
    return false;
}

static bool is_named(const xmlNode *node, const char *name) { return strcmp((const char *)node->name, name) == 0; }

static char *base64(const void *data, size_t length) {
    fg_buf_t text = FG_BUF_INIT(4000);
    fg_base64_encode(&text, data, length);
    char *copy = fg_arena_strdup(arena, text.data);
    fg_buf_free(&text);
    return copy;
}

static char *digest_of(const xmlNode *element, const reference_t *reference) {
    fg_buf_t canonical = FG_BUF_INIT(100000);
    fg_err_t err = FG_ERR_INIT;
    unsigned char hash[FG_HASH_MAX];
    assert_true(fg_xml_canonical_as(element, &(fg_xml_c14n_t){.as_alone = reference->as_alone}, &canonical, &err));
    size_t length = fg_hash(reference->digest_method ? reference->hash : FG_HASH_SHA256, canonical.data, canonical.length, hash);
    fg_buf_free(&canonical);
    return base64(hash, length);
}

static char *document(const spec_t *spec, const char *signed_info, const char *value) {
    return fg_arena_printf(arena,
                           "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:wsu='" FG_NS_WSU "' xmlns:wsse='" FG_NS_WSSE "'>\n<s:Header><wsse:Security%s>%s"
                           "<ds:Signature xmlns:ds='" FG_NS_DS "'>%s<ds:SignatureValue>%s</ds:SignatureValue>%s%s</ds:Signature></wsse:Security>"
                           "<to Id='to' xmlns='urn:to'>x</to>%s</s:Header><s:Body wsu:Id='body'%s><q xmlns='urn:q'>hello</q></s:Body>%s</s:Envelope>",
                           OR(spec->security_attributes, ""), OR(spec->security, ""), signed_info, value, OR(spec->key_info, ""), OR(spec->after_value, ""), OR(spec->header, ""),
                           OR(spec->body_attributes, ""), OR(spec->outside, ""));
}

static char *signature_of(const spec_t *spec, xmlNode *signed_info) {
    fg_buf_t canonical = FG_BUF_INIT(1u << 20), value = FG_BUF_INIT(1000);
    fg_err_t err = FG_ERR_INIT;
    unsigned char mac[FG_SHA256_SIZE];
    assert_true(fg_xml_canonical(signed_info, &canonical, &err));
    if (spec->by_secret && spec->by_sha1) {
        fg_hmac_sha1(secret, fg_buf_str(&canonical), mac);
        fg_buf_add(&value, mac, FG_SHA1_SIZE);
    } else if (spec->by_secret) {
        fg_hmac_sha256(secret, fg_buf_str(&canonical), mac);
        fg_buf_add(&value, mac, sizeof mac);
    } else {
        assert_true(fg_key_sign(OR(spec->key, rsa), fg_buf_str(&canonical), &value, &err));
    }
    char *text = base64(value.data, value.length);
    fg_buf_free(&canonical);
    fg_buf_free(&value);
    return text;
}

static char *forge(const spec_t *spec) {
    static const reference_t body = {.attributes = "URI='#body'"};
    xmlNode *bare = parse(document(spec, "<ds:SignedInfo/>", ""));
    const char *references = "";
    const char *method = OR(spec->method, spec->by_secret ? METHOD(MORE "hmac-sha256") : METHOD(MORE "rsa-sha256"));
    const reference_t *reference = spec->references[0].attributes ? spec->references : &body;
    for (size_t i = 0; i < REFERENCES && (reference == &body ? i == 0 : reference[i].attributes != NULL); i++) {
        const reference_t *it = &reference[i];
        xmlNode *covered = find(bare, is_called, OR(it->covers, "body"));
        assert_non_null(covered);
        char *digest = digest_of(covered, it);
        references = fg_arena_printf(arena, "%s<ds:Reference %s>%s%s<ds:DigestValue>%s</ds:DigestValue></ds:Reference>", references, it->attributes,
                                     OR(it->transforms, "<ds:Transforms>" EXCLUSIVE "</ds:Transforms>"), OR(it->digest_method, SHA256),
                                     it->digest_value ? it->digest_value : digest);
    }
    char *signed_info = fg_arena_printf(arena, "<ds:SignedInfo>%s%s%s%s</ds:SignedInfo>", OR(spec->c14n, EXC_C14N), method, references,
                                        OR(spec->after_references, ""));
    char *value = signature_of(spec, find(parse(document(spec, signed_info, "AA==")), is_named, "SignedInfo"));
    return document(spec, signed_info, value);
}

/* ---- reading them ---- */

static xmlNode *outside_token;

static xmlNode *dereference(void *context, xmlNode *reference, fg_err_t *err) {
    (void)context;
    if (outside_token != NULL)
        return outside_token;
    const xmlNode *inner = fg_xml_first_child(reference);
    fg_str_t uri = inner ? fg_xml_attr(arena, inner, NULL, "URI") : FG_STR_NONE;
    if (uri.n > 1 && uri.p[0] == '#')
        return fg_dsig_element_by_id(reference->doc, (fg_str_t){uri.p + 1, uri.n - 1}, err);
    FG_FAIL(err, FG_E_WSS_STRUCTURE, "no token");
    return NULL;
}

static fg_code_t read_text(const char *text, bool allow_sha1, fg_dsig_message_t *message) {
    const fg_dsig_scope_t scope = {.allow_sha1 = allow_sha1, .dereference = dereference};
    fg_err_t err = FG_ERR_INIT;
    bool good = fg_dsig_message_read(arena, find(parse(text), is_named, "Signature"), &scope, message, &err);
    assert_int_equal(good, err.code == FG_OK);
    fg_code_t code = err.code;
    if (!good) { /* who goes on all the same gets nowhere */
        assert_int_equal(message->reference_count, 0);
        assert_false(fg_dsig_message_verify(message, rsa, &err));
        assert_false(fg_dsig_message_verify_secret(message, secret, &err));
    }
    return code;
}

static fg_code_t verify_key(const fg_dsig_message_t *message, const fg_key_t *key) {
    fg_err_t err = FG_ERR_INIT;
    return fg_dsig_message_verify(message, key, &err) ? FG_OK : err.code;
}

static fg_code_t verify_secret(const fg_dsig_message_t *message, fg_str_t with) {
    fg_err_t err = FG_ERR_INIT;
    return fg_dsig_message_verify_secret(message, with, &err) ? FG_OK : err.code;
}

typedef struct row {
    const char *id;
    spec_t spec;
    fg_code_t code;
} row_t;

static void check_rows(const row_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fg_dsig_message_t message;
        const spec_t *spec = &rows[i].spec;
        fg_code_t code = read_text(forge(spec), spec->by_sha1, &message);
        if (code == FG_OK)
            code = spec->by_secret ? verify_secret(&message, secret) : verify_key(&message, OR(spec->key, rsa));
        if (code != rows[i].code)
            fail_msg("%s: code %d expected, got %d", rows[i].id, rows[i].code, code);
    }
}

/* The text with one part replaced; it must be there. */
static char *replaced(const char *text, const char *part, const char *by) {
    const char *found = strstr(text, part);
    assert_non_null(found);
    return fg_arena_printf(arena, "%.*s%s%s", (int)(found - text), text, by, found + strlen(part));
}

/* ---- what is covered ---- */

static void references_by_every_kind_of_id(void **state) {
    (void)state;
    const spec_t spec = {.security = "<wsu:Timestamp wsu:Id='t'><wsu:Created>x</wsu:Created></wsu:Timestamp>" ASSERTION
                                     "<o:Assertion xmlns:o='" FG_NS_SAML1 "' AssertionID='_b'/>",
                         .references = {{"URI='#t'", "t"}, {"URI='#_a'", "_a"}, {"URI='#_b' Id='r'", "_b"}, {"URI='#to'", "to"}},
                         .key_info = "<ds:KeyInfo><wsse:SecurityTokenReference><!-- x --><wsse:KeyIdentifier>x</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo>"};
    static const char *const names[] = {"Timestamp", "Assertion", "Assertion", "to"};
    fg_dsig_message_t message;
    assert_int_equal(read_text(forge(&spec), false, &message), FG_OK);
    assert_int_equal(verify_key(&message, rsa), FG_OK);
    assert_int_equal(message.reference_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal((const char *)message.references[i].element->name, names[i]);
        assert_false(message.references[i].dereferenced);
    }
    assert_string_equal((const char *)message.reference_to_key->name, "SecurityTokenReference");
    assert_string_equal(message.signature_uri, MORE "rsa-sha256");
    assert_false(message.hmac || message.sha1);
    assert_int_equal(message.signature_value.n, 256);
}

static void changes_are_noticed(void **state) {
    (void)state;
    const spec_t spec = {.references = {{"URI='#body'", "body"}, {"URI='#to'", "to"}}};
    fg_dsig_message_t message;
    char *text = forge(&spec);
    assert_int_equal(read_text(text, false, &message), FG_OK);
    assert_int_equal(verify_key(&message, rsa), FG_OK);
    assert_int_equal(verify_key(&message, other_rsa), FG_E_SIG_INVALID);
    assert_int_equal(verify_key(&message, p256), FG_E_SIG_KEY);
    assert_int_equal(verify_secret(&message, secret), FG_E_SIG_KEY);
    assert_int_equal(read_text(replaced(text, "hello", "hallo"), false, &message), FG_E_SIG_INVALID);
    assert_int_equal(read_text(replaced(text, ">x</to>", ">y</to>"), false, &message), FG_E_SIG_INVALID);
    assert_int_equal(read_text(replaced(text, "<s:Body wsu:Id='body'>", "<s:Body wsu:Id='body' a='b'>"), false, &message), FG_E_SIG_INVALID);
    /* what is not covered may change; SignedInfo may not */
    assert_int_equal(read_text(replaced(text, "<wsse:Security>", "<wsse:Security a='b'>"), false, &message), FG_OK);
    assert_int_equal(verify_key(&message, rsa), FG_OK);
    assert_int_equal(read_text(replaced(text, "<ds:Reference URI='#to'", "<ds:Reference Id='x' URI='#to'"), false, &message), FG_OK);
    assert_int_equal(verify_key(&message, rsa), FG_E_SIG_INVALID);
}

static void moved_and_doubled_bodies(void **state) { /* XS-09 */
    (void)state;
    fg_dsig_message_t message;
    static const char body[] = "<s:Body wsu:Id='body'><q xmlns='urn:q'>hello</q></s:Body>";
    char *text = forge(&(spec_t){.body_attributes = NULL});
    xmlNode *element;
    assert_int_equal(read_text(text, false, &message), FG_OK);
    element = message.references[0].element;
    assert_ptr_equal(element->parent, xmlDocGetRootElement(element->doc));
    /* moved into a header: what comes back is the moved one, and the Body that is read is not it */
    char *moved = replaced(text, body, "<s:Body wsu:Id='evil'><q xmlns='urn:q'>evil</q></s:Body>");
    moved = replaced(moved, "</s:Header>", fg_arena_printf(arena, "<w>%s</w></s:Header>", body));
    assert_int_equal(read_text(moved, false, &message), FG_OK);
    element = message.references[0].element;
    assert_string_equal((const char *)element->parent->name, "w");
    /* the same with the same id, and a second Body */
    assert_int_equal(read_text(replaced(moved, "wsu:Id='evil'", "wsu:Id='body'"), false, &message), FG_E_SIG_STRUCTURE);
    assert_int_equal(read_text(replaced(text, body, fg_arena_printf(arena, "%s%s", body, body)), false, &message), FG_E_SIG_STRUCTURE);
    assert_int_equal(read_text(replaced(text, body, fg_arena_printf(arena, "<s:Body/>%s", body)), false, &message), FG_OK);
}

static void ids_are_unique_whatever_they_are_called(void **state) { /* XS-11 */
    (void)state;
    static const char *const others[] = {"<z wsu:Id='body'/>", "<z Id='body'/>", "<z ID='body'/>", "<z id='body'/>", "<z xml:id='body'/>",
                                         "<z AssertionID='body'/>", "<z x:ID='body' xmlns:x='urn:x'/>"};
    fg_dsig_message_t message;
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++) {
        assert_int_equal(read_text(forge(&(spec_t){.outside = others[i]}), false, &message), FG_E_SIG_STRUCTURE);
        assert_int_equal(read_text(forge(&(spec_t){.outside = replaced(others[i], "body", "other")}), false, &message), FG_OK);
    }
    const row_t rows[] = {
        {"XS-11 control", {.body_attributes = " Id='b2'"}, FG_OK},
        {"XS-11 twice on one element", {.body_attributes = " Id='body'"}, FG_E_SIG_STRUCTURE},
        {"XS-11 ID of any element", {.outside = "<z ID='z'/>", .references = {{"URI='#z'", "z"}}}, FG_E_SIG_STRUCTURE},
        {"XS-11 x:Id", {.outside = "<z x:Id='z' xmlns:x='urn:x'/>", .references = {{"URI='#z'", "z"}}}, FG_E_SIG_STRUCTURE},
        {"XS-11 xml:id", {.outside = "<z xml:id='z'/>", .references = {{"URI='#z'", "z"}}}, FG_E_SIG_STRUCTURE},
        {"XS-11 AssertionID of another", {.outside = "<z AssertionID='z'/>", .references = {{"URI='#z'", "z"}}}, FG_E_SIG_STRUCTURE},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

/* ---- shape ---- */

#define TRANSFORMS(inner) "<ds:Transforms>" inner "</ds:Transforms>"
#define ENVELOPED "<ds:Transform Algorithm='" FG_NS_DS "enveloped-signature'/>"
#define WITH_LIST(list) "<ds:Transform Algorithm='" FG_NS_EXC_C14N "'><e:InclusiveNamespaces xmlns:e='" FG_NS_EXC_C14N "' " list "/></ds:Transform>"

static void references_and_transforms(void **state) {
    (void)state;
    const row_t rows[] = {
        {"control", {0}, FG_OK},
        {"XS-12 empty", {.references = {{"URI=''"}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 missing", {.references = {{" "}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 xpointer", {.references = {{"URI=\"#xpointer(id('body'))\""}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 file", {.references = {{"URI='file:///etc/passwd'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 http", {.references = {{"URI='http://127.0.0.1:9/#body'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 attachment", {.references = {{"URI='cid:body'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 another sign", {.references = {{"URI='/body'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-12 nowhere", {.references = {{"URI='#nowhere'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-13 Manifest", {.references = {{"URI='#body' Type='" FG_NS_DS "Manifest'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-13 twice the same", {.references = {{"URI='#body'"}, {"URI='#body'"}}}, FG_E_SIG_STRUCTURE},
        {"XS-13 behind the References", {.after_references = "<ds:Object/>"}, FG_E_SIG_STRUCTURE},
        {"XS-14 none", {.references = {{"URI='#body'", .transforms = TRANSFORMS("")}}}, FG_E_SIG_STRUCTURE},
        {"XS-14 no list", {.references = {{"URI='#body'", .transforms = " "}}}, FG_E_SIG_STRUCTURE},
        {"XS-14 enveloped", {.references = {{"URI='#body'", .transforms = TRANSFORMS(ENVELOPED)}}}, FG_E_SIG_STRUCTURE},
        {"enveloped where it does nothing", {.references = {{"URI='#body'", .transforms = TRANSFORMS(ENVELOPED EXCLUSIVE)}}}, FG_OK},
        {"XS-14 control", {.security_attributes = " wsu:Id='s'", .references = {{"URI='#s'", "s"}}}, FG_E_SIG_INVALID},
        {"XS-14 enveloped where it does something",
         {.security_attributes = " wsu:Id='s'", .references = {{"URI='#s'", "s", .transforms = TRANSFORMS(ENVELOPED EXCLUSIVE)}}},
         FG_E_SIG_ALGORITHM},
        {"XS-14 enveloped behind", {.references = {{"URI='#body'", .transforms = TRANSFORMS(EXCLUSIVE ENVELOPED)}}}, FG_E_SIG_STRUCTURE},
        {"XS-15 enveloped twice", {.references = {{"URI='#body'", .transforms = TRANSFORMS(ENVELOPED ENVELOPED EXCLUSIVE)}}}, FG_E_SIG_STRUCTURE},
        {"XS-14 XSLT", {.references = {{"URI='#body'", .transforms = TRANSFORMS("<ds:Transform Algorithm='http://www.w3.org/TR/1999/REC-xslt-19991116'/>")}}},
         FG_E_SIG_ALGORITHM},
        {"XS-14 inclusive", {.references = {{"URI='#body'", .transforms = TRANSFORMS("<ds:Transform Algorithm='http://www.w3.org/TR/2001/REC-xml-c14n-20010315'/>")}}},
         FG_E_SIG_ALGORITHM},
        {"XS-14 with comments", {.references = {{"URI='#body'", .transforms = TRANSFORMS("<ds:Transform Algorithm='" FG_NS_EXC_C14N "WithComments'/>")}}},
         FG_E_SIG_ALGORITHM},
        {"XS-15 two", {.references = {{"URI='#body'", .transforms = TRANSFORMS(EXCLUSIVE EXCLUSIVE)}}}, FG_E_SIG_STRUCTURE},
        {"XS-17 control", {.references = {{"URI='#body'", .transforms = TRANSFORMS(WITH_LIST("PrefixList='x y'"))}}}, FG_OK},
        {"XS-17 odd", {.references = {{"URI='#body'", .transforms = TRANSFORMS(WITH_LIST("PrefixList='x&#9;y'"))}}}, FG_E_SIG_STRUCTURE},
        {"XS-17 none", {.references = {{"URI='#body'", .transforms = TRANSFORMS(WITH_LIST(""))}}}, FG_E_SIG_STRUCTURE},
        {"XS-14 inclusive SignedInfo", {.c14n = "<ds:CanonicalizationMethod Algorithm='http://www.w3.org/TR/2001/REC-xml-c14n-20010315'/>"},
         FG_E_SIG_ALGORITHM},
        {"XS-18 comment", {.references = {{"URI='#body'", .digest_value = "AA<!-- -->=="}}}, FG_E_SIG_STRUCTURE},
        {"XS-18 comment between elements", {.after_references = "<!-- -->"}, FG_E_SIG_STRUCTURE},
        {"XS-18 two SignedInfo", {.after_value = "<ds:SignedInfo/>"}, FG_E_SIG_STRUCTURE},
        {"an Object", {.after_value = "<ds:Object/>"}, FG_E_SIG_STRUCTURE},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

static void number_of_references(void **state) { /* XS-15 */
    (void)state;
    for (unsigned count = FG_DSIG_REFERENCES_MAX; count <= FG_DSIG_REFERENCES_MAX + 1; count++) {
        fg_buf_t text = FG_BUF_INIT(100000), references = FG_BUF_INIT(100000);
        fg_dsig_message_t message;
        fg_buf_puts(&text, "<r xmlns:ds='" FG_NS_DS "'>");
        for (unsigned i = 0; i < count; i++) {
            fg_buf_printf(&text, "<p Id='p%u'></p>", i);
            char *canonical = fg_arena_printf(arena, "<p Id=\"p%u\"></p>", i);
            unsigned char hash[FG_HASH_MAX];
            size_t length = fg_hash(FG_HASH_SHA256, canonical, strlen(canonical), hash);
            fg_buf_printf(&references, "<ds:Reference URI='#p%u'>" TRANSFORMS(EXCLUSIVE) SHA256 "<ds:DigestValue>%s</ds:DigestValue></ds:Reference>",
                          i, base64(hash, length));
        }
        fg_buf_printf(&text, "<ds:Signature><ds:SignedInfo>" EXC_C14N METHOD(MORE "rsa-sha256") "%s</ds:SignedInfo>"
                             "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></r>", references.data);
        assert_int_equal(read_text(text.data, false, &message), count <= FG_DSIG_REFERENCES_MAX ? FG_OK : FG_E_SIG_STRUCTURE);
        assert_int_equal(message.reference_count, count <= FG_DSIG_REFERENCES_MAX ? count : 0);
        assert_null(message.reference_to_key);
        fg_buf_free(&text);
        fg_buf_free(&references);
    }
    fg_dsig_message_t message;
    assert_int_equal(read_text("<r xmlns:ds='" FG_NS_DS "'><ds:Signature><ds:SignedInfo>" EXC_C14N METHOD(MORE "rsa-sha256") "</ds:SignedInfo>"
                               "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></r>", false, &message), FG_E_SIG_STRUCTURE);
}

static void key_info_names_one_key(void **state) { /* XS-20..22 */
    (void)state;
    const row_t rows[] = {
        {"control", {.key_info = "<ds:KeyInfo Id='k'><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"}, FG_OK},
        {"control: somebody's certificate is no key", {.key_info = "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"}, FG_OK},
        {"XS-21 RetrievalMethod", {.key_info = "<ds:KeyInfo><ds:RetrievalMethod URI='http://127.0.0.1:9/'/></ds:KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"XS-22 two", {.key_info = "<ds:KeyInfo><ds:KeyName>x</ds:KeyName><ds:KeyName>y</ds:KeyName></ds:KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"XS-22 two KeyInfo", {.key_info = "<ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo>"}, FG_E_SIG_STRUCTURE},
        {"empty", {.key_info = "<ds:KeyInfo/>"}, FG_E_SIG_STRUCTURE},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
}

/* ---- algorithms ---- */

static void algorithms(void **state) {
    (void)state;
    static const char *const output_length = "<ds:SignatureMethod Algorithm='" MORE "hmac-sha256'><ds:HMACOutputLength>8</ds:HMACOutputLength></ds:SignatureMethod>";
    const row_t rows[] = {
        {"ECDSA", {.key = p256, .method = METHOD(MORE "ecdsa-sha256")}, FG_OK},
        {"HMAC-SHA256", {.by_secret = true}, FG_OK},
        {"HMAC-SHA1 by suite", {.by_secret = true, .by_sha1 = true, .method = METHOD(FG_NS_DS "hmac-sha1")}, FG_OK},
        {"digest SHA-1 by suite", {.by_secret = true, .by_sha1 = true, .method = METHOD(FG_NS_DS "hmac-sha1"),
                                   .references = {{"URI='#body'", .digest_method = SHA1, .hash = FG_HASH_SHA1}}}, FG_OK},
        {"XS-23", {.by_secret = true, .method = output_length}, FG_E_SIG_STRUCTURE},
        {"XS-24 secret where a key is due", {.by_secret = true, .method = METHOD(MORE "rsa-sha256")}, FG_E_SIG_KEY},
        {"XS-24 key where a secret is due", {.method = METHOD(MORE "hmac-sha256")}, FG_E_SIG_KEY},
        {"XS-25 MD5", {.method = METHOD(MORE "rsa-md5")}, FG_E_SIG_ALGORITHM},
        {"XS-25 DSA", {.method = METHOD(FG_NS_DS "dsa-sha1")}, FG_E_SIG_ALGORITHM},
        {"XS-25 digest SHA-1", {.references = {{"URI='#body'", .digest_method = SHA1, .hash = FG_HASH_SHA1}}}, FG_E_SIG_ALGORITHM},
        {"XS-25 RSA-SHA1", {.method = METHOD(FG_NS_DS "rsa-sha1")}, FG_E_SIG_ALGORITHM},
    };
    check_rows(rows, FG_ARRAY_SIZE(rows));
    fg_dsig_message_t message;
    char *text = forge(&(spec_t){.by_secret = true, .method = METHOD(FG_NS_DS "hmac-sha1"), .by_sha1 = true});
    assert_int_equal(read_text(text, false, &message), FG_E_SIG_ALGORITHM);
    assert_int_equal(read_text(text, true, &message), FG_OK);
    assert_true(message.hmac && message.sha1);
}

static void secrets(void **state) {
    (void)state;
    fg_dsig_message_t message;
    assert_int_equal(read_text(forge(&(spec_t){.by_secret = true}), false, &message), FG_OK);
    assert_int_equal(verify_secret(&message, secret), FG_OK);
    assert_int_equal(verify_secret(&message, FG_STR("0123456789abcdef0123456789abcdeg")), FG_E_SIG_INVALID);
    assert_int_equal(verify_secret(&message, FG_STR("0123456789abcde")), FG_E_SIG_KEY);
    assert_int_equal(verify_secret(&message, FG_STR_NONE), FG_E_SIG_KEY);
    assert_int_equal(verify_key(&message, rsa), FG_E_SIG_KEY); /* XS-24 */
    message.signature_value.n = 16; /* XS-23: cut short, the beginning is right */
    assert_int_equal(verify_secret(&message, secret), FG_E_SIG_INVALID);
    message.signature_value.n = 0;
    assert_int_equal(verify_secret(&message, secret), FG_E_SIG_INVALID);
}

/* ---- STR-Transform (WS-Security 1.1 §8.3) ---- */

static const reference_t by_str = {"URI='#str'", "_a", TRANSFORMS(BY_STR), .as_alone = true};

static void token_by_its_reference(void **state) {
    (void)state;
    spec_t spec = {.security = ASSERTION, .key_info = "<ds:KeyInfo>" STR_TO("#_a") "</ds:KeyInfo>"};
    spec.references[0] = by_str;
    fg_dsig_message_t message;
    char *text = forge(&spec);
    assert_int_equal(read_text(text, false, &message), FG_OK);
    assert_int_equal(verify_key(&message, rsa), FG_OK);
    assert_true(message.references[0].dereferenced);
    assert_string_equal((const char *)message.references[0].element->name, "Assertion");
    assert_int_equal(read_text(replaced(text, "<saml:Issuer>i", "<saml:Issuer>j"), false, &message), FG_E_SIG_INVALID);
    /* a form that the specification does not have: without xmlns="" */
    spec.references[0].as_alone = false;
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_INVALID);
    /* the reference itself is digested where no transform follows it */
    spec.references[0] = (reference_t){"URI='#str'", "str"};
    assert_int_equal(read_text(forge(&spec), false, &message), FG_OK);
    assert_string_equal((const char *)message.references[0].element->name, "SecurityTokenReference");
}

static void what_the_transform_refuses(void **state) {
    (void)state;
    static const char *const odd[] = {
        TRANSFORMS("<ds:Transform Algorithm='" STR_TRANSFORM "'/>"),
        TRANSFORMS("<ds:Transform Algorithm='" STR_TRANSFORM "'><wsse:TransformationParameters/></ds:Transform>"),
        TRANSFORMS("<ds:Transform Algorithm='" STR_TRANSFORM "'><wsse:TransformationParameters>" EXC_C14N EXC_C14N "</wsse:TransformationParameters></ds:Transform>"),
        TRANSFORMS(BY_STR EXCLUSIVE),
    };
    spec_t spec = {.security = ASSERTION STR_TO("#_a")};
    fg_dsig_message_t message;
    spec.references[0] = by_str;
    assert_int_equal(read_text(forge(&spec), false, &message), FG_OK);
    for (size_t i = 0; i < FG_ARRAY_SIZE(odd); i++) {
        spec.references[0].transforms = odd[i];
        assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_STRUCTURE);
    }
    spec.references[0] = by_str;
    spec.references[0].attributes = "URI='#body'"; /* no reference to a token */
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_STRUCTURE);
    spec.references[0] = by_str;
    spec.security = ASSERTION STR_TO("http://127.0.0.1:9/token"); /* WT-07 */
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_WSS_STRUCTURE);
    spec.security = ASSERTION STR_TO("#_b");
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_STRUCTURE);
    spec.security = ASSERTION STR_TO("#_a");
    spec.references[1] = (reference_t){"URI='#_a'", "_a"}; /* the same token twice */
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_STRUCTURE);
    spec.references[1].attributes = NULL;
    outside_token = parse(ASSERTION); /* WT-07: a token of another document */
    assert_int_equal(read_text(forge(&spec), false, &message), FG_E_SIG_STRUCTURE);
    outside_token = NULL;
}

static void no_transform_without_somebody_who_dereferences(void **state) {
    (void)state;
    spec_t spec = {.security = ASSERTION STR_TO("#_a")};
    fg_dsig_message_t message;
    fg_err_t err = FG_ERR_INIT;
    spec.references[0] = by_str;
    xmlNode *signature = find(parse(forge(&spec)), is_named, "Signature");
    assert_false(fg_dsig_message_read(arena, signature, &(fg_dsig_scope_t){.allow_sha1 = false}, &message, &err));
    assert_err(&err, FG_E_SIG_ALGORITHM);
    assert_false(fg_dsig_message_read(arena, signature->parent, &(fg_dsig_scope_t){.allow_sha1 = false}, &message, &err));
    assert_err(&err, FG_E_SIG_STRUCTURE);
}

/* ---- what we sign ---- */

static char *own_message(const fg_dsig_signer_t *signer) {
    static const char timestamp[] = "<wsu:Timestamp xmlns:wsu=\"" FG_NS_WSU "\" wsu:Id=\"_t\"><wsu:Created>x</wsu:Created></wsu:Timestamp>";
    static const char body[] = "<s:Body xmlns:s=\"" FG_NS_SOAP12 "\" xmlns:wsu=\"" FG_NS_WSU "\" wsu:Id=\"_b\"><q xmlns=\"urn:q\">&lt;</q></s:Body>";
    const fg_dsig_part_t parts[] = {{FG_STR("_t"), FG_STR(timestamp)}, {FG_STR("_b"), FG_STR(body)}};
    fg_buf_t out = FG_BUF_INIT(20000);
    fg_err_t err = FG_ERR_INIT;
    fg_buf_printf(&out, "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns='urn:x'><s:Header>%s", timestamp);
    size_t at = out.length;
    assert_true(fg_dsig_sign_parts(parts, 2, signer, &out, &err));
    char *signature = fg_arena_strdup(arena, out.data + at);
    fg_buf_printf(&out, "</s:Header>%s</s:Envelope>", body);
    char *copy = fg_arena_strdup(arena, out.data);
    fg_buf_free(&out);
    /* a whole that is canonical itself */
    fg_buf_t canonical = FG_BUF_INIT(20000);
    assert_true(fg_xml_canonical(parse(signature), &canonical, &err));
    assert_string_equal(canonical.data, signature);
    fg_buf_free(&canonical);
    return copy;
}

static void own_signatures_verify(void **state) {
    (void)state;
    const fg_str_t key_info = FG_STR("<ds:KeyName>x</ds:KeyName>");
    const fg_dsig_signer_t signers[] = {{.key = rsa, .key_info = key_info, .id = FG_STR("sig")}, {.key = p256}, {.secret = secret, .key_info = key_info},
                                        {.secret = secret, .sha1_suite = true}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(signers); i++) {
        fg_dsig_message_t message;
        bool sha1 = signers[i].sha1_suite;
        char *text = own_message(&signers[i]);
        assert_int_equal(read_text(text, sha1, &message), FG_OK);
        assert_int_equal(signers[i].key ? verify_key(&message, signers[i].key) : verify_secret(&message, secret), FG_OK);
        assert_int_equal(message.reference_count, 2);
        assert_int_equal(message.sha1, sha1);
        assert_int_equal(message.reference_to_key != NULL, signers[i].key_info.n > 0);
        assert_int_equal(read_text(replaced(text, "&lt;", "&gt;"), sha1, &message), FG_E_SIG_INVALID);
        if (sha1) /* XS-25 */
            assert_int_equal(read_text(text, false, &message), FG_E_SIG_ALGORITHM);
    }
}

static void signing_refuses_what_cannot_be_signed(void **state) {
    (void)state;
    const fg_dsig_part_t good = {FG_STR("_a"), FG_STR("<a Id=\"_a\"></a>")}, odd = {FG_STR("a'"), FG_STR("<a></a>")}, empty = {FG_STR("_a"), FG_STR_NONE};
    const fg_dsig_signer_t signer = {.key = rsa};
    const struct {
        const fg_dsig_part_t *part;
        size_t count;
        fg_dsig_signer_t signer;
    } rows[] = {{&good, 0, signer},
                {&good, FG_DSIG_REFERENCES_MAX + 1, signer},
                {&odd, 1, signer},
                {&empty, 1, signer},
                {&good, 1, {.key = NULL}},
                {&good, 1, {.key = rsa, .secret = secret}},
                {&good, 1, {.key = rsa, .sha1_suite = true}},
                {&good, 1, {.key = rsa, .id = FG_STR("1\"")}},
                {&good, 1, {.secret = FG_STR("0123456789abcde")}}};
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(20000);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        assert_false(fg_dsig_sign_parts(rows[i].part, rows[i].count, &rows[i].signer, &out, &err));
        assert_err(&err, FG_E_INTERNAL);
        assert_int_equal(out.length, 0);
    }
    assert_true(fg_dsig_sign_parts(&good, 1, &signer, &out, &err));
    fg_buf_free(&out);
    fg_buf_t small = FG_BUF_INIT(100);
    assert_false(fg_dsig_sign_parts(&good, 1, &signer, &small, &err));
    assert_err(&err, FG_E_MEMORY);
    fg_buf_free(&small);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(references_by_every_kind_of_id),
        TEST(changes_are_noticed),
        TEST(moved_and_doubled_bodies),
        TEST(ids_are_unique_whatever_they_are_called),
        TEST(references_and_transforms),
        TEST(number_of_references),
        TEST(key_info_names_one_key),
        TEST(algorithms),
        TEST(secrets),
        TEST(token_by_its_reference),
        TEST(what_the_transform_refuses),
        TEST(no_transform_without_somebody_who_dereferences),
        TEST(own_signatures_verify),
        TEST(signing_refuses_what_cannot_be_signed),
    };
    fg_err_t err = FG_ERR_INIT;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return 1;
    int failed = cmocka_run_group_tests(tests, make_keys, free_keys);
    fg_crypto_stop();
    return failed;
}
