/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wsse:SecurityTokenReference (WS-Security 1.1 §7).  Nothing is fetched: a reference leads to something in this
 * message, or to a certificate that the configuration knows (WT-07). */
#include "core/crypto.h"
#include "token/wss_parts.h"

#define SAML10 "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#"
#define SAML11 "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"
#define IDENTIFIER_MAX 512u
#define CERTIFICATE_MAX (16u << 10)

fg_str_t fg_wss_decode(fg_wss_header_t *header, const xmlNode *element, size_t most, fg_err_t *err) {
    fg_str_t encoding = fg_xml_attr(header->arena, element, NULL, "EncodingType");
    fg_str_t text = fg_xml_token(header->arena, element, err), bytes = FG_STR_NONE;
    if (text.p == NULL)
        return text;
    fg_buf_t out;
    fg_buf_init(&out, most + 16);
    bool known = encoding.p == NULL || fg_str_is(encoding, FG_WSS_SOAP_SECURITY "Base64Binary");
    if (known && fg_base64_decode_xml(&out, text) && fg_buf_ok(&out) && out.length > 0 && out.length <= most)
        bytes = fg_arena_str(header->arena, fg_buf_str(&out));
    fg_buf_free(&out);
    if (bytes.p == NULL)
        FG_FAIL(err, FG_E_WSS_STRUCTURE, "%s is empty, too long or no base64", (const char *)element->name);
    return bytes;
}

/* ---- elements of the header by their names */

static bool has_id(fg_arena_t *arena, const xmlNode *node, fg_str_t id) {
    static const struct {
        const char *ns, *name;
    } attributes[] = {{FG_NS_WSU, "Id"}, {NULL, "Id"}, {NULL, "AssertionID"}, {NULL, "ID"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(attributes); i++) {
        fg_str_t value = fg_xml_attr(arena, node, attributes[i].ns, attributes[i].name);
        if (value.p != NULL && fg_str_eq(value, id))
            return true;
    }
    return false;
}

/* WS-SecurityPolicy 1.2 §6.7.1: with the strict layout it stands before what uses it. */
static bool stands_before(const fg_wss_header_t *header, const xmlNode *element) {
    for (const xmlNode *node = header->at; node != NULL; node = node->prev)
        if (node == element || element->parent == node)
            return true;
    return false;
}

static bool is_what(const xmlNode *node, bool assertion) {
    return !assertion || fg_xml_is(node, FG_NS_SAML1, "Assertion") || fg_xml_is(node, FG_NS_SAML2, "Assertion");
}

/* The one child of the header, or of an EncryptedAssertion in it, of that id. */
static xmlNode *find_by_id(fg_wss_header_t *header, fg_str_t id, bool assertion, fg_err_t *err) {
    xmlNode *found = NULL;
    unsigned count = 0;
    for (xmlNode *node = fg_xml_first_child(header->element); node != NULL; node = fg_xml_next(node)) {
        bool holder = fg_xml_is(node, FG_NS_SAML2, "EncryptedAssertion");
        xmlNode *candidate = holder ? fg_xml_first_child(node) : node;
        if (candidate == NULL || !is_what(candidate, assertion) || !has_id(header->arena, candidate, id))
            continue;
        found = candidate;
        count++;
    }
    if (count == 1 && (!header->rules->strict || stands_before(header, found)))
        return found;
    FG_FAIL(err, count == 1 ? FG_E_WSS_STRUCTURE : FG_E_SIG_KEY,
            count == 1 ? "the token \"%.*s\" stands behind what uses it"
                       : "not exactly one token \"%.*s\" in the message",
            FG_STR_ARG(id));
    return NULL;
}

/* ---- wsse:Reference, wsse:Embedded */

static xmlNode *locate_direct(fg_wss_header_t *header, xmlNode *reference, fg_err_t *err) {
    fg_str_t uri = fg_xml_attr(header->arena, reference, NULL, "URI");
    if (uri.n < 2 || uri.p[0] != '#') {
        FG_FAIL_FOR(err, FG_E_SIG_KEY, FG_R_SIGNATURE_FORBIDDEN_REFERENCE, "Reference to \"%.*s\", outside the message",
                    FG_STR_ARG(uri));
        return NULL;
    }
    return find_by_id(header, (fg_str_t){uri.p + 1, uri.n - 1}, false, err);
}

static xmlNode *locate_embedded(fg_wss_header_t *header, xmlNode *embedded, fg_err_t *err) {
    (void)header;
    xmlNode *child = fg_xml_first_child(embedded);
    if (child != NULL && fg_xml_next(child) == NULL)
        return child;
    FG_FAIL(err, FG_E_WSS_STRUCTURE, "Embedded without exactly one token");
    return NULL;
}

/* ---- wsse:KeyIdentifier (§7.3) */

static xmlNode *locate_assertion(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_str_t id = fg_xml_token(header->arena, identifier, err);
    return id.p != NULL ? find_by_id(header, id, true, err) : NULL;
}

static fg_wss_token_t *resolve_assertion(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    xmlNode *assertion = locate_assertion(header, identifier, err);
    return assertion != NULL ? fg_wss_token_of(header, assertion, err) : NULL;
}

static fg_wss_token_t *resolve_key_identifier(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_wss_certificate_name_t name = {.subject_key_identifier = fg_wss_decode(header, identifier, 64, err)};
    return name.subject_key_identifier.p != NULL ? fg_wss_certificate_find(header, &name, err) : NULL;
}

static fg_wss_token_t *resolve_thumbprint(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_wss_certificate_name_t name = {.thumbprint = fg_wss_decode(header, identifier, 32, err)};
    if (name.thumbprint.p == NULL)
        return NULL;
    if (name.thumbprint.n == 20 || name.thumbprint.n == 32)
        return fg_wss_certificate_find(header, &name, err);
    FG_FAIL(err, FG_E_WSS_STRUCTURE, "a thumbprint of %zu bytes", name.thumbprint.n);
    return NULL;
}

/* The whole certificate in the place of a name for it, as older writers have it. */
static fg_wss_token_t *resolve_certificate(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_str_t der = fg_wss_decode(header, identifier, CERTIFICATE_MAX, err);
    fg_wss_token_t *token = der.p != NULL ? fg_wss_token_add(header, FG_WSS_CERTIFICATE, identifier, err) : NULL;
    return token != NULL && fg_wss_certificate_read(header, token, der, false, err) ? token : NULL;
}

/* §7.7: SHA-1 over the octets of the CipherValue. */
static bool is_digest_of(fg_wss_header_t *header, const xmlNode *key, fg_str_t digest) {
    const xmlNode *data = fg_xml_child(key, FG_NS_XENC, "CipherData", NULL);
    const xmlNode *value = data != NULL ? fg_xml_child(data, FG_NS_XENC, "CipherValue", NULL) : NULL;
    fg_str_t bytes = value != NULL ? fg_wss_decode(header, value, 4096, NULL) : FG_STR_NONE;
    unsigned char own[20];
    if (bytes.p == NULL)
        return false;
    fg_sha1(bytes.p, bytes.n, own);
    return fg_str_eq(digest, (fg_str_t){(const char *)own, sizeof own});
}

static fg_wss_token_t *resolve_encrypted_key(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_str_t digest = fg_wss_decode(header, identifier, 20, err);
    if (digest.p == NULL)
        return NULL;
    for (xmlNode *node = fg_xml_first_child(header->element); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_XENC, "EncryptedKey") && is_digest_of(header, node, digest))
            return fg_wss_token_of(header, node, err);
    FG_FAIL(err, FG_E_SIG_KEY, "the EncryptedKey that is named is not in the message");
    return NULL;
}

/* Kerberos Token Profile 1.1 §3.3: SHA-1 over the token, which must be in this message, as no context is kept (KL-06).
 */
static fg_wss_token_t *resolve_ticket(fg_wss_header_t *header, xmlNode *identifier, fg_err_t *err) {
    fg_str_t digest = fg_wss_decode(header, identifier, 20, err);
    if (digest.p == NULL)
        return NULL;
    for (xmlNode *node = fg_xml_first_child(header->element); node != NULL; node = fg_xml_next(node)) {
        if (!fg_wss_is_ticket(header, node))
            continue;
        unsigned char own[20];
        fg_str_t bytes = fg_wss_decode(header, node, FG_WSS_BINARY_TOKEN_MAX, err);
        if (bytes.p == NULL)
            return NULL;
        fg_sha1(bytes.p, bytes.n, own);
        if (fg_str_eq(digest, (fg_str_t){(const char *)own, sizeof own}))
            return fg_wss_token_of(header, node, err);
    }
    FG_FAIL(err, FG_E_SIG_KEY, "the ticket that is named is not in the message");
    return NULL;
}

static const struct identifier {
    const char *value_type;
    fg_wss_token_t *(*resolve)(fg_wss_header_t *, xmlNode *, fg_err_t *);
} identifiers[] = {
    {FG_WSS_X509_PROFILE "X509SubjectKeyIdentifier", resolve_key_identifier},
    {FG_WSS_X509_PROFILE "X509v3SubjectKeyIdentifier", resolve_key_identifier}, /* a draft's word, still written */
    {FG_WSS_X509_PROFILE "X509v3", resolve_certificate},
    {FG_WSS_SOAP_SECURITY11 "ThumbprintSHA1", resolve_thumbprint},
    {FG_WSS_SOAP_SECURITY11 "ThumbprintSHA256", resolve_thumbprint},
    {FG_WSS_SOAP_SECURITY11 "EncryptedKeySHA1", resolve_encrypted_key},
    {FG_WSS_KERBEROS_PROFILE "Kerberosv5APREQSHA1", resolve_ticket},
    {SAML10 "SAMLAssertionID", resolve_assertion},
    {SAML11 "SAMLID", resolve_assertion},
};

static const struct identifier *find_identifier(fg_wss_header_t *header, const xmlNode *element, fg_err_t *err) {
    fg_str_t type = fg_xml_attr(header->arena, element, NULL, "ValueType");
    for (size_t i = 0; i < FG_ARRAY_SIZE(identifiers); i++)
        if (fg_str_is(type, identifiers[i].value_type))
            return &identifiers[i];
    FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "KeyIdentifier of ValueType %.*s", FG_STR_ARG(type));
    return NULL;
}

/* ---- the reference itself */

static xmlNode *only_child(const xmlNode *reference, fg_err_t *err) {
    xmlNode *child = fg_xml_first_child(reference);
    if (child != NULL && fg_xml_next(child) == NULL)
        return child;
    FG_FAIL(err, FG_E_WSS_STRUCTURE, "SecurityTokenReference without exactly one child");
    return NULL;
}

xmlNode *fg_wss_reference_locate(void *context, xmlNode *reference, fg_err_t *err) {
    fg_wss_header_t *header = context;
    xmlNode *child = only_child(reference, err);
    if (child == NULL)
        return NULL;
    if (fg_xml_is(child, FG_NS_WSSE, "Reference"))
        return locate_direct(header, child, err);
    if (fg_xml_is(child, FG_NS_WSSE, "Embedded"))
        return locate_embedded(header, child, err);
    if (fg_xml_is(child, FG_NS_WSSE, "KeyIdentifier")) {
        const struct identifier *identifier = find_identifier(header, child, err);
        if (identifier == NULL)
            return NULL;
        if (identifier->resolve == resolve_assertion)
            return locate_assertion(header, child, err);
    }
    FG_FAIL(err, FG_E_SIG_STRUCTURE, "a signature covers a token that is not in the message");
    return NULL;
}

static fg_wss_token_t *resolve_reference(fg_wss_header_t *header, xmlNode *reference, fg_err_t *err) {
    xmlNode *child = only_child(reference, err), *element = NULL;
    if (child == NULL)
        return NULL;
    if (fg_xml_is(child, FG_NS_DS, "X509Data"))
        return fg_wss_x509_data_resolve(header, child, err);
    if (fg_xml_is(child, FG_NS_WSSE, "KeyIdentifier")) {
        const struct identifier *identifier = find_identifier(header, child, err);
        return identifier != NULL ? identifier->resolve(header, child, err) : NULL;
    }
    if (fg_xml_is(child, FG_NS_WSSE, "Reference"))
        element = locate_direct(header, child, err);
    else if (fg_xml_is(child, FG_NS_WSSE, "Embedded"))
        element = locate_embedded(header, child, err);
    else
        FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "%s in a SecurityTokenReference", (const char *)child->name);
    return element != NULL ? fg_wss_token_of(header, element, err) : NULL;
}

fg_wss_token_t *fg_wss_header_resolve(fg_wss_header_t *header, xmlNode *reference, fg_err_t *err) {
    if (fg_xml_is(reference, FG_NS_WSSE, "SecurityTokenReference"))
        return resolve_reference(header, reference, err);
    if (fg_xml_is(reference, FG_NS_DS, "X509Data"))
        return fg_wss_x509_data_resolve(header, reference, err);
    if (fg_xml_is(reference, FG_NS_DS, "KeyValue") || fg_xml_is(reference, FG_NS_XENC, "EncryptedKey"))
        return fg_wss_token_of(header, reference, err);
    FG_FAIL(err, FG_E_SIG_KEY, "a key is named by %s", (const char *)reference->name);
    return NULL;
}
