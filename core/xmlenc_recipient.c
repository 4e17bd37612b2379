/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whose an EncryptedKey is.  This chooses among our own keys alone: a wrong name leads to a key that does not open it,
 * so names are taken as they come and nothing is looked up outside the message. */
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "core/xmlenc_parts.h"

#define DER_MAX (1u << 16)
#define X509_PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"

static bool decode(fg_arena_t *arena, const xmlNode *node, fg_buf_t *out) {
    fg_str_t text = fg_xml_text(arena, node, NULL);
    return text.p != NULL && fg_base64_decode_xml(out, text);
}

static bool has_certificate(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    fg_buf_t der = FG_BUF_INIT(DER_MAX), own = FG_BUF_INIT(DER_MAX);
    bool same = decode(arena, node, &der) && fg_base64_decode(&own, fg_key_get_certificate_base64(key)) &&
                der.length > 0 && fg_str_eq(fg_buf_str(&der), fg_buf_str(&own));
    fg_buf_free(&der);
    fg_buf_free(&own);
    return same;
}

/* The serial number alone: issuers write their names in many ways. */
static bool has_serial(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    const xmlNode *serial = fg_xml_child(node, FG_NS_DS, "X509SerialNumber", NULL);
    X509 *x509 = fg_key_get_x509(key);
    BIGNUM *number = x509 != NULL && serial != NULL ? ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL) : NULL;
    char *text = number != NULL ? BN_bn2dec(number) : NULL;
    bool same = text != NULL && fg_str_is(fg_xml_token(arena, serial, NULL), text);
    OPENSSL_free(text);
    BN_free(number);
    return same;
}

static bool has_key_identifier(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    X509 *x509 = fg_key_get_x509(key);
    const ASN1_OCTET_STRING *own = x509 != NULL ? X509_get0_subject_key_id(x509) : NULL;
    fg_buf_t bytes = FG_BUF_INIT(DER_MAX);
    bool same = own != NULL && decode(arena, node, &bytes) &&
                fg_str_eq(fg_buf_str(&bytes),
                          (fg_str_t){(const char *)ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)});
    fg_buf_free(&bytes);
    return same;
}

static bool has_thumbprint(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    char hex[41];
    fg_buf_t bytes = FG_BUF_INIT(64);
    bool same = decode(arena, node, &bytes) && bytes.length == 20;
    if (same) {
        fg_hex_encode(bytes.data, bytes.length, hex);
        same = fg_str_eq_nocase(fg_str(hex), fg_str(fg_key_get_thumbprint(key)));
    }
    fg_buf_free(&bytes);
    return same;
}

/* WS-Security 1.1 §7.3, X.509 token profile 1.1 §3.2.1 */
static bool is_identified(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    fg_str_t type = fg_xml_attr(arena, node, NULL, "ValueType");
    if (fg_str_is(type, FG_ENC_WSSE11_THUMBPRINT))
        return has_thumbprint(arena, node, key);
    return fg_str_is(type, X509_PROFILE "X509SubjectKeyIdentifier") && has_key_identifier(arena, node, key);
}

static const xmlNode *find_token(fg_arena_t *arena, const xmlNode *node, fg_str_t id) {
    const xmlNode *found = NULL;
    for (; node != NULL && found == NULL; node = fg_xml_next(node))
        found = fg_xml_is(node, FG_NS_WSSE, "BinarySecurityToken") &&
                        fg_str_eq(fg_xml_attr(arena, node, FG_NS_WSU, "Id"), id)
                    ? node
                    : find_token(arena, fg_xml_first_child(node), id);
    return found;
}

static bool is_referenced(fg_arena_t *arena, const xmlNode *node, const fg_key_t *key) {
    fg_str_t uri = fg_xml_attr(arena, node, NULL, "URI");
    if (uri.n < 2 || uri.p[0] != '#')
        return false;
    const xmlNode *token = find_token(arena, xmlDocGetRootElement(node->doc), (fg_str_t){uri.p + 1, uri.n - 1});
    return token != NULL && has_certificate(arena, token, key);
}

static bool is_inside(fg_arena_t *arena, const xmlNode *parent, const fg_key_t *key);

static const struct {
    const char *ns;
    const char *name;
    bool (*fits)(fg_arena_t *, const xmlNode *, const fg_key_t *);
} names[] = {
    {FG_NS_DS, "X509Data", is_inside},
    {FG_NS_DS, "X509Certificate", has_certificate},
    {FG_NS_DS, "X509IssuerSerial", has_serial},
    {FG_NS_DS, "X509SKI", has_key_identifier},
    {FG_NS_WSSE, "SecurityTokenReference", is_inside},
    {FG_NS_WSSE, "KeyIdentifier", is_identified},
    {FG_NS_WSSE, "Reference", is_referenced},
    {FG_NS_WSSE, "Embedded", is_inside},
    {FG_NS_WSSE, "BinarySecurityToken", has_certificate},
};

/* One of the children names the key; what they hold is bounded by the document's depth. */
static bool is_inside(fg_arena_t *arena, const xmlNode *parent, const fg_key_t *key) {
    for (const xmlNode *node = fg_xml_first_child(parent); node != NULL; node = fg_xml_next(node))
        for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
            if (fg_xml_is(node, names[i].ns, names[i].name) && names[i].fits(arena, node, key))
                return true;
    return false;
}

bool fg_enc_is_named(fg_arena_t *arena, const xmlNode *encrypted_key, const fg_key_t *key) {
    const xmlNode *info = fg_xml_child(encrypted_key, FG_NS_DS, "KeyInfo", NULL);
    return info != NULL && is_inside(arena, info, key);
}
