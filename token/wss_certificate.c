/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * X.509 certificates in a Security header and the names that it has for them (X.509 Certificate Token Profile 1.1). */
#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "token/wss_parts.h"

#define CERTIFICATE_MAX (16u << 10)
#define IDENTIFIER_MAX 64u

/* ---- certificates */

static void release_key(void *key) { fg_key_unref(key); }
static void release_x509(void *x509) { X509_free(x509); }

static bool take_leaf(fg_wss_header_t *header, fg_wss_token_t *token, fg_str_t der, fg_err_t *err) {
    fg_key_t *key = fg_key_from_certificate_der(der, err);
    if (key == NULL)
        return false;
    token->key = key;
    return fg_arena_own(header->arena, release_key, key) || FG_FAIL(err, FG_E_MEMORY, "certificate");
}

/* All but the last of a path, as long as they are certificates. */
static bool read_path(fg_wss_header_t *header, fg_wss_token_t *token, fg_str_t bytes, fg_err_t *err) {
    const unsigned char *at = (const unsigned char *)bytes.p, *leaf = NULL;
    long length = 0;
    int tag = 0, class = 0;
    X509 **chain = fg_arena_alloc(header->arena, FG_WSS_CHAIN_MAX * sizeof(X509 *));
    if (chain == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "certificates");
    int form = ASN1_get_object(&at, &length, &tag, &class, (long)bytes.n);
    const unsigned char *end = at + length;
    if (form != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE || (const char *)end != bytes.p + bytes.n)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a certificate path that is none");
    token->chain = chain;
    while (at < end) {
        leaf = at;
        X509 *x509 = d2i_X509(NULL, &at, end - at);
        if (x509 == NULL || !fg_arena_own(header->arena, release_x509, x509))
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a certificate path with something else in it");
        if (at < end && token->chain_count == FG_WSS_CHAIN_MAX)
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a certificate path of more than %u", FG_WSS_CHAIN_MAX);
        if (at < end)
            chain[token->chain_count++] = x509;
    }
    if (leaf == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an empty certificate path");
    return take_leaf(header, token, (fg_str_t){(const char *)leaf, (size_t)(end - leaf)}, err);
}

bool fg_wss_certificate_read(fg_wss_header_t *header, fg_wss_token_t *token, fg_str_t bytes, bool path, fg_err_t *err) {
    return path ? read_path(header, token, bytes, err) : take_leaf(header, token, bytes, err);
}

/* ---- names */

/* Without the white space that writers put between the parts of a name. */
static void normalise(fg_str_t name, fg_buf_t *out) {
    for (size_t i = 0; i < name.n; i++) {
        bool space = name.p[i] == ' ' || name.p[i] == '\n' || name.p[i] == '\t' || name.p[i] == '\r';
        bool inside = out->length > 0 && out->data[out->length - 1] != ',' && out->data[out->length - 1] != '=';
        if (!space ||
            (inside && i + 1 < name.n && name.p[i + 1] != ',' && name.p[i + 1] != '=' && name.p[i + 1] != ' '))
            fg_buf_putc(out, name.p[i]);
    }
}

static bool same_name(fg_str_t a, fg_str_t b) {
    fg_buf_t left = FG_BUF_INIT(2048), right = FG_BUF_INIT(2048);
    normalise(a, &left);
    normalise(b, &right);
    bool same = fg_buf_ok(&left) && fg_buf_ok(&right) && fg_str_eq_nocase(fg_buf_str(&left), fg_buf_str(&right));
    fg_buf_free(&left);
    fg_buf_free(&right);
    return same;
}

/* RFC 2253 as XML Signature §4.4.4 wants it, with the attribute types as numbers or words, in either order of the
 * parts: programs differ.  It only finds a certificate; whether to believe it is another question. */
static bool has_issuer(const X509 *x509, fg_str_t issuer) {
    static const unsigned long forms[] = {
        XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB,
        (XN_FLAG_RFC2253 & ~(unsigned long)(ASN1_STRFLGS_ESC_MSB | XN_FLAG_DN_REV)),
    };
    bool same = false;
    for (size_t i = 0; !same && i < FG_ARRAY_SIZE(forms); i++) {
        char *text;
        BIO *bio = BIO_new(BIO_s_mem());
        if (bio != NULL && X509_NAME_print_ex(bio, X509_get_issuer_name(x509), 0, forms[i]) >= 0) {
            long length = BIO_get_mem_data(bio, &text);
            same = length > 0 && same_name(issuer, (fg_str_t){text, (size_t)length});
        }
        BIO_free(bio);
    }
    return same;
}

static bool has_serial(const X509 *x509, fg_str_t serial) {
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *text = number != NULL ? BN_bn2dec(number) : NULL;
    bool same = text != NULL && fg_str_is(serial, text);
    OPENSSL_free(text);
    BN_free(number);
    return same;
}

static bool has_thumbprint(const X509 *x509, fg_str_t thumbprint) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const EVP_MD *md = thumbprint.n == 20 ? EVP_sha1() : EVP_sha256();
    return X509_digest(x509, md, digest, &length) == 1 &&
           fg_str_eq(thumbprint, (fg_str_t){(const char *)digest, length});
}

static bool has_identifier(X509 *x509, fg_str_t identifier) {
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(x509);
    return own != NULL &&
           fg_str_eq(identifier, (fg_str_t){(const char *)ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)});
}

bool fg_wss_certificate_has_name(const fg_key_t *certificate, const fg_wss_certificate_name_t *name) {
    X509 *x509 = fg_key_get_x509(certificate);
    if (x509 == NULL)
        return false;
    if (name->subject_key_identifier.n > 0)
        return has_identifier(x509, name->subject_key_identifier);
    if (name->thumbprint.n > 0)
        return has_thumbprint(x509, name->thumbprint);
    return name->serial.n > 0 && has_serial(x509, name->serial) && has_issuer(x509, name->issuer);
}

fg_wss_token_t *fg_wss_certificate_find(fg_wss_header_t *header, const fg_wss_certificate_name_t *name, fg_err_t *err) {
    const fg_wss_rules_t *rules = header->rules;
    for (size_t i = 0; i < header->token_count; i++)
        if (header->tokens[i]->kind == FG_WSS_CERTIFICATE && fg_wss_certificate_has_name(header->tokens[i]->key, name))
            return header->tokens[i];
    const fg_key_t *known = rules->find_certificate != NULL ? rules->find_certificate(rules->context, name) : NULL;
    if (known == NULL) {
        FG_FAIL(err, FG_E_SIG_KEY, "the message names a certificate that is neither in it nor known here");
        return NULL;
    }
    fg_wss_token_t *token = fg_wss_token_add(header, FG_WSS_CERTIFICATE, NULL, err);
    if (token != NULL)
        token->key = known;
    return token;
}

/* ---- ds:X509Data (XML Signature §4.4.4) */

static fg_str_t decode(fg_arena_t *arena, const xmlNode *element, size_t most) {
    fg_buf_t out = FG_BUF_INIT(most);
    fg_str_t text = fg_xml_token(arena, element, NULL), bytes = FG_STR_NONE;
    if (text.p != NULL && fg_base64_decode_xml(&out, text) && fg_buf_ok(&out) && out.length > 0)
        bytes = fg_arena_str(arena, fg_buf_str(&out));
    fg_buf_free(&out);
    return bytes;
}

static bool read_issuer_serial(fg_arena_t *arena, const xmlNode *element, fg_wss_certificate_name_t *name) {
    const xmlNode *issuer = fg_xml_only_child(element, FG_NS_DS, "X509IssuerName", NULL);
    const xmlNode *serial = fg_xml_only_child(element, FG_NS_DS, "X509SerialNumber", NULL);
    if (issuer == NULL || serial == NULL)
        return false;
    name->issuer = fg_xml_token(arena, issuer, NULL);
    name->serial = fg_xml_token(arena, serial, NULL);
    return name->issuer.p != NULL && name->serial.n > 0;
}

/* The names that lead to one certificate. */
static bool read_name(fg_arena_t *arena, const xmlNode *element, fg_wss_certificate_name_t *name) {
    *name = (fg_wss_certificate_name_t){0};
    if (fg_xml_is(element, FG_NS_DS, "X509IssuerSerial"))
        return read_issuer_serial(arena, element, name);
    if (!fg_xml_is(element, FG_NS_DS, "X509SKI"))
        return false;
    name->subject_key_identifier = decode(arena, element, IDENTIFIER_MAX);
    return name->subject_key_identifier.n > 0;
}

static bool is_certificate(fg_arena_t *arena, const xmlNode *element, const fg_key_t *certificate) {
    fg_buf_t own = FG_BUF_INIT(CERTIFICATE_MAX);
    fg_str_t der = decode(arena, element, CERTIFICATE_MAX);
    bool same = der.n > 0 && fg_base64_decode(&own, fg_key_get_certificate_base64(certificate)) && fg_buf_ok(&own) &&
                fg_str_eq(der, fg_buf_str(&own));
    fg_buf_free(&own);
    return same;
}

/* Issuers and subjects are written in too many ways to hold it against a certificate that is known already. */
static bool is_named_by(fg_arena_t *arena, const xmlNode *element, const fg_key_t *certificate) {
    fg_wss_certificate_name_t name;
    X509 *x509 = fg_key_get_x509(certificate);
    if (fg_xml_is(element, FG_NS_DS, "X509Certificate"))
        return is_certificate(arena, element, certificate);
    if (fg_xml_is(element, FG_NS_DS, "X509SubjectName"))
        return true;
    if (fg_xml_is(element, FG_NS_DS, "X509IssuerSerial") && fg_xml_first_child(element) == NULL)
        return true; /* left empty in a template of xmlsec */
    if (!read_name(arena, element, &name))
        return false;
    return name.serial.n > 0 ? has_serial(x509, name.serial) : has_identifier(x509, name.subject_key_identifier);
}

/* XS-22: there is no choice between keys. */
bool fg_wss_x509_data_is(fg_arena_t *arena, const xmlNode *data, const fg_key_t *certificate, fg_err_t *err) {
    for (const xmlNode *child = fg_xml_first_child(data); child != NULL; child = fg_xml_next(child))
        if (!is_named_by(arena, child, certificate))
            return FG_FAIL(err, FG_E_SIG_KEY, "X509Data whose %s is not of its certificate", (const char *)child->name);
    return true;
}

/* The certificate itself where it is there, else the first name that leads to one. */
static fg_wss_token_t *find_any(fg_wss_header_t *header, xmlNode *data, fg_err_t *err) {
    fg_wss_certificate_name_t name;
    xmlNode *certificate = fg_xml_child(data, FG_NS_DS, "X509Certificate", NULL);
    if (certificate != NULL) {
        fg_str_t der = fg_wss_decode(header, certificate, CERTIFICATE_MAX, err);
        fg_wss_token_t *token = der.p != NULL ? fg_wss_token_add(header, FG_WSS_CERTIFICATE, data, err) : NULL;
        return token != NULL && fg_wss_certificate_read(header, token, der, false, err) ? token : NULL;
    }
    for (const xmlNode *child = fg_xml_first_child(data); child != NULL; child = fg_xml_next(child))
        if (read_name(header->arena, child, &name))
            return fg_wss_certificate_find(header, &name, err);
    FG_FAIL(err, FG_E_SIG_KEY, "X509Data without a certificate or a name that leads to one");
    return NULL;
}

fg_wss_token_t *fg_wss_x509_data_resolve(fg_wss_header_t *header, xmlNode *data, fg_err_t *err) {
    fg_wss_token_t *token = find_any(header, data, err);
    return token != NULL && fg_wss_x509_data_is(header->arena, data, token->key, err) ? token : NULL;
}
