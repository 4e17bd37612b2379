/* SPDX-License-Identifier: GPL-2.0-or-later
 * What assertions, messages and the parts of a SOAP envelope say. */
#include <stdio.h>
#include <string.h>

#include "cli/facts.h"
#include "core/crypto.h"
#include "core/time.h"

#define CERTIFICATE_MAX (16u << 10)
#define SAML_STATUS "urn:oasis:names:tc:SAML:2.0:status:"

/* ---- pieces of a tree */

static fg_str_t text_of(fg_facts_t *facts, const xmlNode *node) {
    return node != NULL ? fg_xml_token(facts->arena, node, NULL) : FG_STR_NONE;
}

static fg_str_t attr(fg_facts_t *facts, const xmlNode *node, const char *name) {
    return node != NULL ? fg_xml_attr(facts->arena, node, NULL, name) : FG_STR_NONE;
}

static const xmlNode *child(const xmlNode *node, const char *ns, const char *name) {
    return node != NULL ? fg_xml_child(node, ns, name, NULL) : NULL;
}

static bool read_instant(fg_str_t text, int64_t *ms) { return text.p != NULL && fg_time_parse(fg_str_trim(text), ms); }

/* An attribute that is an instant. */
static void add_time(fg_facts_t *facts, const char *fact, const xmlNode *node, const char *name) {
    fg_facts_add_time(facts, fact, attr(facts, node, name));
}

/* What is behind the last '#' or '/'. */
static fg_str_t short_name(fg_str_t uri) {
    size_t at = uri.n;
    while (at > 0 && uri.p[at - 1] != '#' && uri.p[at - 1] != '/')
        at--;
    return (fg_str_t){uri.p + at, uri.n - at};
}

/* ---- signatures */

static void read_key_info(fg_facts_t *facts, const xmlNode *key_info, const char *prefix) {
    const xmlNode *data = child(key_info, FG_NS_DS, "X509Data");
    fg_str_t base64 = text_of(facts, child(data, FG_NS_DS, "X509Certificate"));
    fg_buf_t der = FG_BUF_INIT(CERTIFICATE_MAX);
    if (base64.n > 0 && fg_base64_decode_xml(&der, base64))
        fg_facts_add_certificate(facts, prefix, fg_buf_str(&der));
    fg_buf_free(&der);
    fg_facts_add(facts, "key_name", text_of(facts, child(key_info, FG_NS_DS, "KeyName")));
    const xmlNode *serial = child(data, FG_NS_DS, "X509IssuerSerial");
    fg_facts_add(facts, "key_serial", text_of(facts, child(serial, FG_NS_DS, "X509SerialNumber")));
}

static void read_reference(fg_facts_t *facts, const xmlNode *signature, const xmlNode *reference) {
    fg_str_t uri = attr(facts, reference, "URI"),
             digest = attr(facts, child(reference, FG_NS_DS, "DigestMethod"), "Algorithm");
    fg_facts_add(facts, "signature_covers", uri);
    fg_facts_add(facts, "digest_algorithm", short_name(digest));
    if (fg_str_is(short_name(digest), "sha1"))
        fg_facts_warn(facts, "the digest is SHA-1, which is weak: it must be allowed for the partner");
    (void)signature;
}

static void read_signature(fg_facts_t *facts, const xmlNode *parent) {
    const xmlNode *signature = child(parent, FG_NS_DS, "Signature"), *info = child(signature, FG_NS_DS, "SignedInfo");
    if (signature == NULL)
        return;
    fg_str_t method = attr(facts, child(info, FG_NS_DS, "SignatureMethod"), "Algorithm");
    fg_facts_add(facts, "signature_algorithm", short_name(method));
    if (fg_str_is(short_name(method), "rsa-sha1"))
        fg_facts_warn(facts, "the signature is RSA-SHA1, which is weak: it must be allowed for the partner");
    for (const xmlNode *node = info ? fg_xml_first_child(info) : NULL; node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_DS, "Reference"))
            read_reference(facts, signature, node);
    fg_facts_add_secret(facts, "signature_value", text_of(facts, child(signature, FG_NS_DS, "SignatureValue")));
    read_key_info(facts, child(signature, FG_NS_DS, "KeyInfo"), "signing_");
}

/* ---- assertions */

static void warn_of_times(fg_facts_t *facts, const xmlNode *conditions) {
    char age[FG_FACTS_AGE_SIZE];
    int64_t ms;
    if (read_instant(attr(facts, conditions, "NotOnOrAfter"), &ms)) {
        fg_facts_age(ms, facts->now_ms, age);
        if (ms <= facts->now_ms)
            fg_facts_warn(facts, "it has expired %s", age);
    } else {
        fg_facts_warn(facts, "it never ends: there is no NotOnOrAfter");
    }
    if (read_instant(attr(facts, conditions, "NotBefore"), &ms) && ms > facts->now_ms) {
        fg_facts_age(ms, facts->now_ms, age);
        fg_facts_warn(facts, "it is not valid yet: %s", age);
    }
}

static void read_conditions(fg_facts_t *facts, const xmlNode *conditions, const char *ns) {
    add_time(facts, "not_before", conditions, "NotBefore");
    add_time(facts, "not_on_or_after", conditions, "NotOnOrAfter");
    for (const xmlNode *node = conditions ? fg_xml_first_child(conditions) : NULL; node; node = fg_xml_next(node)) {
        if (child(node, ns, "Audience") == NULL) {
            fg_facts_add(facts, "condition", fg_str((const char *)node->name));
            continue;
        }
        for (const xmlNode *each = fg_xml_first_child(node); each != NULL; each = fg_xml_next(each))
            fg_facts_add(facts, "audience", text_of(facts, each));
    }
    if (fg_facts_get(facts, "audience").p == NULL)
        fg_facts_warn(facts, "it does not say for whom it is: there is no audience");
    warn_of_times(facts, conditions);
}

static void add_claim(fg_facts_t *facts, fg_str_t type, const xmlNode *value) {
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    fg_claim_t claim = {.type = type, .value = fg_xml_text(facts->arena, value, NULL)};
    xmlNode *first = fg_xml_first_child(value);
    if (claim.value.p == NULL && first != NULL && fg_xml_canonical(first, &xml, NULL))
        claim.value = fg_arena_str(facts->arena, fg_buf_str(&xml));
    fg_buf_free(&xml);
    if (claim.value.p != NULL && claim.type.p != NULL && !fg_claims_add(facts->arena, &facts->claims, &claim))
        fg_facts_warn(facts, "memory is out");
}

static void read_attributes(fg_facts_t *facts, const xmlNode *statement, const char *ns) {
    for (const xmlNode *node = fg_xml_first_child(statement); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, ns, "Attribute"))
            continue;
        fg_str_t name = attr(facts, node, "Name"), space = attr(facts, node, "AttributeNamespace");
        if (name.p == NULL) {
            const fg_str_t parts[] = {space, FG_STR("/"), attr(facts, node, "AttributeName")};
            name = space.n > 0 ? fg_arena_join(facts->arena, parts, 3) : parts[2];
        }
        for (const xmlNode *value = fg_xml_first_child(node); value != NULL; value = fg_xml_next(value))
            add_claim(facts, name, value);
    }
}

static void read_confirmation20(fg_facts_t *facts, const xmlNode *node) {
    const xmlNode *data = child(node, FG_NS_SAML2, "SubjectConfirmationData");
    fg_str_t method = attr(facts, node, "Method");
    while (method.n > 0 && memchr(method.p, ':', method.n) != NULL)
        method = (fg_str_t){method.p + 1, method.n - 1};
    fg_facts_add(facts, "confirmation", method);
    fg_facts_add(facts, "recipient", attr(facts, data, "Recipient"));
    fg_facts_add(facts, "in_response_to", attr(facts, data, "InResponseTo"));
    fg_facts_add_time(facts, "confirmation_until", attr(facts, data, "NotOnOrAfter"));
}

static void read_subject20(fg_facts_t *facts, const xmlNode *subject) {
    const xmlNode *name = child(subject, FG_NS_SAML2, "NameID");
    fg_facts_add(facts, "subject", text_of(facts, name));
    fg_facts_add(facts, "subject_format", attr(facts, name, "Format"));
    for (const xmlNode *node = subject ? fg_xml_first_child(subject) : NULL; node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_SAML2, "SubjectConfirmation"))
            read_confirmation20(facts, node);
}

static void read_saml20(fg_facts_t *facts, const xmlNode *root) {
    fg_facts_add(facts, "issuer", text_of(facts, child(root, FG_NS_SAML2, "Issuer")));
    read_subject20(facts, child(root, FG_NS_SAML2, "Subject"));
    read_conditions(facts, child(root, FG_NS_SAML2, "Conditions"), FG_NS_SAML2);
    add_time(facts, "issued", root, "IssueInstant");
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_SAML2, "AttributeStatement"))
            read_attributes(facts, node, FG_NS_SAML2);
        if (!fg_xml_is(node, FG_NS_SAML2, "AuthnStatement"))
            continue;
        add_time(facts, "authenticated", node, "AuthnInstant");
        fg_facts_add(facts, "session_index", attr(facts, node, "SessionIndex"));
        fg_facts_add(
            facts, "authentication_method",
            text_of(facts, child(child(node, FG_NS_SAML2, "AuthnContext"), FG_NS_SAML2, "AuthnContextClassRef")));
    }
    fg_facts_add(facts, "id", attr(facts, root, "ID"));
}

static void read_subject11(fg_facts_t *facts, const xmlNode *subject) {
    const xmlNode *name = child(subject, FG_NS_SAML1, "NameIdentifier"),
                  *confirmation = child(subject, FG_NS_SAML1, "SubjectConfirmation");
    if (fg_facts_get(facts, "subject").p == NULL) {
        fg_facts_add(facts, "subject", text_of(facts, name));
        fg_facts_add(facts, "subject_format", attr(facts, name, "Format"));
    }
    if (fg_facts_get(facts, "confirmation").p != NULL)
        return;
    fg_str_t method = text_of(facts, child(confirmation, FG_NS_SAML1, "ConfirmationMethod"));
    while (method.n > 0 && memchr(method.p, ':', method.n) != NULL)
        method = (fg_str_t){method.p + 1, method.n - 1};
    fg_facts_add(facts, "confirmation", method);
}

static void read_saml11(fg_facts_t *facts, const xmlNode *root) {
    fg_facts_add(facts, "issuer", attr(facts, root, "Issuer"));
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        read_subject11(facts, child(node, FG_NS_SAML1, "Subject"));
        if (fg_xml_is(node, FG_NS_SAML1, "AttributeStatement"))
            read_attributes(facts, node, FG_NS_SAML1);
        if (!fg_xml_is(node, FG_NS_SAML1, "AuthenticationStatement"))
            continue;
        add_time(facts, "authenticated", node, "AuthenticationInstant");
        fg_facts_add(facts, "authentication_method", attr(facts, node, "AuthenticationMethod"));
    }
    read_conditions(facts, child(root, FG_NS_SAML1, "Conditions"), FG_NS_SAML1);
    add_time(facts, "issued", root, "IssueInstant");
    fg_facts_add(facts, "id", attr(facts, root, "AssertionID"));
}

static void read_assertion(fg_facts_t *facts, const xmlNode *root) {
    if (fg_xml_is(root, FG_NS_SAML1, "Assertion"))
        read_saml11(facts, root);
    else
        read_saml20(facts, root);
    read_signature(facts, root);
    if (child(root, FG_NS_DS, "Signature") == NULL)
        fg_facts_warn(facts, "the assertion itself is not signed");
}

/* ---- messages */

static void read_message(fg_facts_t *facts, const xmlNode *root) {
    const xmlNode *code = child(child(root, FG_NS_SAML2P, "Status"), FG_NS_SAML2P, "StatusCode");
    fg_facts_add(facts, "message", fg_str((const char *)root->name));
    fg_facts_add(facts, "issuer", text_of(facts, child(root, FG_NS_SAML2, "Issuer")));
    fg_facts_add(facts, "destination", attr(facts, root, "Destination"));
    fg_facts_add(facts, "in_response_to", attr(facts, root, "InResponseTo"));
    add_time(facts, "issued", root, "IssueInstant");
    add_time(facts, "not_on_or_after", root, "NotOnOrAfter");
    fg_facts_add(facts, "consumer", attr(facts, root, "AssertionConsumerServiceURL"));
    fg_facts_add(facts, "force_authn", attr(facts, root, "ForceAuthn"));
    fg_facts_add(facts, "is_passive", attr(facts, root, "IsPassive"));
    fg_facts_add(facts, "subject", text_of(facts, child(root, FG_NS_SAML2, "NameID")));
    fg_facts_add(facts, "session_index", text_of(facts, child(root, FG_NS_SAML2P, "SessionIndex")));
    fg_facts_add(facts, "name_id_format", attr(facts, child(root, FG_NS_SAML2P, "NameIDPolicy"), "Format"));
    for (; code != NULL; code = child(code, FG_NS_SAML2P, "StatusCode")) {
        fg_str_t value = attr(facts, code, "Value");
        bool known = fg_str_starts(value, SAML_STATUS);
        fg_facts_add(facts, "status",
                     known ? (fg_str_t){value.p + sizeof SAML_STATUS - 1, value.n - (sizeof SAML_STATUS - 1)} : value);
    }
    fg_facts_add(facts, "status_message",
                 text_of(facts, child(child(root, FG_NS_SAML2P, "Status"), FG_NS_SAML2P, "StatusMessage")));
    fg_facts_add(facts, "id", attr(facts, root, "ID"));
    read_signature(facts, root);
}

static void read_trust(fg_facts_t *facts, const xmlNode *root) {
    static const char *const parts[][2] = {
        {"TokenType", "token_type"}, {"RequestType", "request_type"}, {"KeyType", "key_type"}};
    const char *ns = (const char *)root->ns->href;
    fg_facts_add(facts, "version", fg_str(strcmp(ns, FG_NS_TRUST_13) == 0 ? "WS-Trust 1.3" : "WS-Trust February 2005"));
    for (size_t i = 0; i < FG_ARRAY_SIZE(parts); i++)
        fg_facts_add(facts, parts[i][1], text_of(facts, child(root, ns, parts[i][0])));
    const xmlNode *epr = child(child(root, FG_NS_WSP, "AppliesTo"), FG_NS_WSA, "EndpointReference");
    fg_facts_add(facts, "applies_to", text_of(facts, child(epr, FG_NS_WSA, "Address")));
    const xmlNode *lifetime = child(root, ns, "Lifetime");
    fg_facts_add_time(facts, "created", text_of(facts, child(lifetime, FG_NS_WSU, "Created")));
    fg_facts_add_time(facts, "expires", text_of(facts, child(lifetime, FG_NS_WSU, "Expires")));
    const xmlNode *proof = child(root, ns, "RequestedProofToken");
    fg_facts_add_secret(facts, "proof_key", text_of(facts, child(proof, ns, "BinarySecret")));
    const xmlNode *status = child(root, ns, "Status");
    fg_facts_add(facts, "status", short_name(text_of(facts, child(status, ns, "Code"))));
    fg_facts_add(facts, "status_reason", text_of(facts, child(status, ns, "Reason")));
}

static void read_soap(fg_facts_t *facts, const xmlNode *root) {
    const char *ns = (const char *)root->ns->href;
    const xmlNode *header = child(root, ns, "Header");
    fg_facts_add(facts, "version", fg_str(strcmp(ns, FG_NS_SOAP12) == 0 ? "SOAP 1.2" : "SOAP 1.1"));
    for (const xmlNode *node = header ? fg_xml_first_child(header) : NULL; node != NULL; node = fg_xml_next(node)) {
        static const char *const names[][2] = {
            {"Action", "action"}, {"To", "to"}, {"MessageID", "message_id"}, {"RelatesTo", "relates_to"}};
        for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
            if (strcmp((const char *)node->name, names[i][0]) == 0)
                fg_facts_add(facts, names[i][1], text_of(facts, node));
    }
}

static void read_fault(fg_facts_t *facts, const xmlNode *root) {
    const xmlNode *code = child(root, FG_NS_SOAP12, "Code"), *reason = child(root, FG_NS_SOAP12, "Reason");
    for (; code != NULL; code = child(code, FG_NS_SOAP12, "Subcode"))
        fg_facts_add(facts, "fault_code", text_of(facts, child(code, FG_NS_SOAP12, "Value")));
    fg_facts_add(facts, "fault_reason", text_of(facts, child(reason, FG_NS_SOAP12, "Text")));
    for (const xmlNode *node = fg_xml_first_child(root); node != NULL; node = fg_xml_next(node)) {
        if (strcmp((const char *)node->name, "faultcode") == 0)
            fg_facts_add(facts, "fault_code", text_of(facts, node));
        if (strcmp((const char *)node->name, "faultstring") == 0)
            fg_facts_add(facts, "fault_reason", text_of(facts, node));
    }
}

static void read_username(fg_facts_t *facts, const xmlNode *root) {
    const xmlNode *password = child(root, FG_NS_WSSE, "Password");
    fg_facts_add(facts, "user", text_of(facts, child(root, FG_NS_WSSE, "Username")));
    fg_facts_add(facts, "password_type", short_name(attr(facts, password, "Type")));
    fg_facts_add_secret(facts, "password", text_of(facts, password));
    fg_facts_add(facts, "nonce", text_of(facts, child(root, FG_NS_WSSE, "Nonce")));
    fg_facts_add_time(facts, "created", text_of(facts, child(root, FG_NS_WSU, "Created")));
}

static void read_timestamp(fg_facts_t *facts, const xmlNode *root) {
    fg_facts_add_time(facts, "created", text_of(facts, child(root, FG_NS_WSU, "Created")));
    fg_facts_add_time(facts, "expires", text_of(facts, child(root, FG_NS_WSU, "Expires")));
}

static void read_binary(fg_facts_t *facts, const xmlNode *root) {
    fg_str_t type = attr(facts, root, "ValueType"), text = text_of(facts, root);
    fg_buf_t der = FG_BUF_INIT(CERTIFICATE_MAX);
    fg_facts_add(facts, "value_type", type);
    if (fg_str_is(short_name(type), "X509v3") && text.p != NULL && fg_base64_decode_xml(&der, text))
        fg_facts_add_certificate(facts, "", fg_buf_str(&der));
    fg_buf_free(&der);
}

static void read_encrypted(fg_facts_t *facts, const xmlNode *root) {
    const xmlNode *data =
        fg_xml_is(root, FG_NS_XENC, "EncryptedData") ? root : child(root, FG_NS_XENC, "EncryptedData");
    const xmlNode *info = child(data, FG_NS_DS, "KeyInfo"), *key = child(info, FG_NS_XENC, "EncryptedKey");
    if (key == NULL)
        key = child(root, FG_NS_XENC, "EncryptedKey");
    fg_facts_add(facts, "encryption_algorithm",
                 short_name(attr(facts, child(data, FG_NS_XENC, "EncryptionMethod"), "Algorithm")));
    fg_facts_add(facts, "key_transport",
                 short_name(attr(facts, child(key, FG_NS_XENC, "EncryptionMethod"), "Algorithm")));
    read_key_info(facts, child(key, FG_NS_DS, "KeyInfo"), "recipient_");
}

static void read_security(fg_facts_t *facts, const xmlNode *root) {
    read_signature(facts, root);
    fg_facts_add(facts, "must_understand", fg_xml_attr(facts->arena, root, FG_NS_SOAP12, "mustUnderstand"));
}

void fg_facts_read_xml(fg_facts_t *facts, const fg_piece_t *piece) {
    static void (*const readers[])(fg_facts_t *, const xmlNode *) = {
        [FG_PIECE_SOAP] = read_soap,           [FG_PIECE_FAULT] = read_fault,
        [FG_PIECE_SECURITY] = read_security,   [FG_PIECE_TIMESTAMP] = read_timestamp,
        [FG_PIECE_USERNAME] = read_username,   [FG_PIECE_BINARY] = read_binary,
        [FG_PIECE_RST] = read_trust,           [FG_PIECE_RSTR] = read_trust,
        [FG_PIECE_SAML11] = read_assertion,    [FG_PIECE_SAML20] = read_assertion,
        [FG_PIECE_ENCRYPTED] = read_encrypted, [FG_PIECE_RESPONSE] = read_message,
        [FG_PIECE_MESSAGE] = read_message};
    if (piece->xml == NULL)
        return;
    if (piece->kind < FG_ARRAY_SIZE(readers) && readers[piece->kind] != NULL)
        readers[piece->kind](facts, piece->xml);
    else if (piece->kind == FG_PIECE_XML)
        fg_facts_add(facts, "element", fg_str((const char *)piece->xml->name));
}
