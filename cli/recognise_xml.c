/* SPDX-License-Identifier: GPL-2.0-or-later
 * Kinds of XML: by the name of the element, whether it is the document or stands in another. */
#include "cli/piece.h"

#include <string.h>

#define NS_MEX "http://schemas.xmlsoap.org/ws/2004/09/mex"
#define NS_WSDL "http://schemas.xmlsoap.org/wsdl/"

/* namespace, name, kind; nested: told also inside others; opaque: what is in it is not gone through */
static const struct {
    const char *ns, *name;
    fg_piece_kind_t kind;
    bool nested, opaque;
} elements[] = {
    {FG_NS_SOAP11, "Envelope", FG_PIECE_SOAP, false, false},
    {FG_NS_SOAP12, "Envelope", FG_PIECE_SOAP, false, false},
    {FG_NS_SOAP11, "Fault", FG_PIECE_FAULT, true, true},
    {FG_NS_SOAP12, "Fault", FG_PIECE_FAULT, true, true},
    {FG_NS_WSSE, "Security", FG_PIECE_SECURITY, true, false},
    {FG_NS_WSU, "Timestamp", FG_PIECE_TIMESTAMP, true, true},
    {FG_NS_WSSE, "UsernameToken", FG_PIECE_USERNAME, true, true},
    {FG_NS_WSSE, "BinarySecurityToken", FG_PIECE_BINARY, true, false},
    {FG_NS_TRUST_2005, "RequestSecurityToken", FG_PIECE_RST, true, false},
    {FG_NS_TRUST_13, "RequestSecurityToken", FG_PIECE_RST, true, false},
    {FG_NS_TRUST_2005, "RequestSecurityTokenResponse", FG_PIECE_RSTR, true, false},
    {FG_NS_TRUST_13, "RequestSecurityTokenResponse", FG_PIECE_RSTR, true, false},
    {FG_NS_TRUST_2005, "RequestSecurityTokenResponseCollection", FG_PIECE_RSTRC, true, false},
    {FG_NS_TRUST_13, "RequestSecurityTokenResponseCollection", FG_PIECE_RSTRC, true, false},
    {FG_NS_SAML1, "Assertion", FG_PIECE_SAML11, true, false},
    {FG_NS_SAML2, "Assertion", FG_PIECE_SAML20, true, false},
    {FG_NS_SAML2, "EncryptedAssertion", FG_PIECE_ENCRYPTED, true, true},
    {FG_NS_XENC, "EncryptedData", FG_PIECE_ENCRYPTED, true, true},
    {FG_NS_SAML2P, "Response", FG_PIECE_RESPONSE, true, false},
    {FG_NS_SAML2P, "AuthnRequest", FG_PIECE_MESSAGE, true, false},
    {FG_NS_SAML2P, "LogoutRequest", FG_PIECE_MESSAGE, true, true},
    {FG_NS_SAML2P, "LogoutResponse", FG_PIECE_MESSAGE, true, true},
    {FG_NS_SAML2P, "ArtifactResolve", FG_PIECE_MESSAGE, true, false},
    {FG_NS_SAML2P, "ArtifactResponse", FG_PIECE_MESSAGE, true, false},
    {FG_NS_SAML2P, "AttributeQuery", FG_PIECE_MESSAGE, true, true},
    {FG_NS_MD, "EntityDescriptor", FG_PIECE_ENTITY, true, true},
    {FG_NS_MD, "EntitiesDescriptor", FG_PIECE_ENTITIES, true, false},
    {NS_MEX, "Metadata", FG_PIECE_MEX, true, true},
    {NS_WSDL, "definitions", FG_PIECE_WSDL, false, true},
};

static size_t find(const xmlNode *node) {
    size_t i = 0;
    while (i < FG_ARRAY_SIZE(elements) && !fg_xml_is(node, elements[i].ns, elements[i].name))
        i++;
    return i;
}

/* What a BinarySecurityToken holds: a JWT, for one (ADAL, urn:ietf:params:oauth:token-type:jwt). */
static void unwrap_text(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    fg_str_t text = fg_xml_token(unwrap->arena, piece->xml, NULL);
    if (text.n > 0)
        fg_piece_add(unwrap, piece, "its text", text, false);
}

static void unwrap_encrypted(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    const fg_decryption_t *with = unwrap->decryption;
    xmlNode *content = NULL;
    if (with == NULL || !fg_assertion_is_encrypted(piece->xml))
        return;
    if (!fg_assertion_decrypt(unwrap->arena, piece->xml, with->keys, with->key_count, with->limits, &content,
                              &piece->err))
        return;
    size_t row = find(content);
    fg_piece_t *child =
        row < FG_ARRAY_SIZE(elements) ? fg_piece_attach(unwrap, piece, elements[row].kind, "decrypted") : NULL;
    if (child == NULL)
        return;
    child->xml = content;
    fg_unwrap_element(unwrap, child);
}

static void add_nested(fg_unwrap_t *unwrap, fg_piece_t *piece, xmlNode *node) {
    for (xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child)) {
        size_t row = find(child);
        if (row == FG_ARRAY_SIZE(elements) || !elements[row].nested) {
            if (!fg_xml_is(child, FG_NS_DS, "Signature"))
                add_nested(unwrap, piece, child);
            continue;
        }
        fg_piece_t *inner = fg_piece_attach(unwrap, piece, elements[row].kind, NULL);
        if (inner == NULL)
            return;
        inner->xml = child;
        fg_unwrap_element(unwrap, inner);
    }
}

void fg_unwrap_element(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    size_t row = find(piece->xml);
    if (piece->kind == FG_PIECE_ENCRYPTED)
        unwrap_encrypted(unwrap, piece);
    else if (piece->kind == FG_PIECE_BINARY)
        unwrap_text(unwrap, piece);
    else if (row == FG_ARRAY_SIZE(elements) || !elements[row].opaque)
        add_nested(unwrap, piece, piece->xml);
}

bool fg_recognise_xml(fg_unwrap_t *unwrap, fg_piece_t *piece) {
    if (piece->bytes.p[0] != '<')
        return false;
    piece->kind = FG_PIECE_XML;
    xmlDoc *doc = fg_xml_parse(unwrap->arena, piece->bytes, unwrap->limits, &piece->err);
    if (doc == NULL)
        return true; /* it is XML, and what is wrong is told */
    piece->xml = xmlDocGetRootElement(doc);
    size_t row = find(piece->xml);
    if (row < FG_ARRAY_SIZE(elements))
        piece->kind = elements[row].kind;
    fg_unwrap_element(unwrap, piece);
    return true;
}
