/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * X.509 certificates in a Security header and the names that it has for them (X.509 Certificate Token Profile 1.1). */
#include <openssl/x509v3.h>

#include "core/crypto.h"
#include "token/wss_parts.h"

#define CERTIFICATE_MAX (16u << 10)

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

static fg_wss_token_t *take_certificate(fg_wss_header_t *header, xmlNode *data, xmlNode *certificate, fg_err_t *err) {
    fg_str_t der = fg_wss_decode(header, certificate, CERTIFICATE_MAX, err);
    fg_wss_token_t *token = der.p != NULL ? fg_wss_token_add(header, FG_WSS_CERTIFICATE, data, err) : NULL;
    return token != NULL && fg_wss_certificate_read(header, token, der, false, err) ? token : NULL;
}

static bool read_issuer_serial(fg_wss_header_t *header, const xmlNode *element, fg_wss_certificate_name_t *name,
                               fg_err_t *err) {
    const xmlNode *issuer = fg_xml_only_child(element, FG_NS_DS, "X509IssuerName", err);
    const xmlNode *serial = issuer ? fg_xml_only_child(element, FG_NS_DS, "X509SerialNumber", err) : NULL;
    if (serial == NULL)
        return false;
    name->issuer = fg_xml_token(header->arena, issuer, err);
    name->serial = fg_xml_token(header->arena, serial, err);
    return name->issuer.p != NULL && name->serial.n > 0;
}

/* A certificate and its own issuer and serial, as xmlsec's templates have them, which newer ones leave empty; NULL: it
 * is not that. */
static xmlNode *named_certificate(const xmlNode *data, xmlNode **serial) {
    xmlNode *one = fg_xml_first_child(data), *two = one ? fg_xml_next(one) : NULL;
    if (two == NULL || fg_xml_next(two) != NULL)
        return NULL;
    *serial = fg_xml_child(data, FG_NS_DS, "X509IssuerSerial", NULL);
    return *serial != NULL ? fg_xml_child(data, FG_NS_DS, "X509Certificate", NULL) : NULL;
}

static fg_wss_token_t *take_named_certificate(fg_wss_header_t *header, xmlNode *data, xmlNode *certificate,
                                              const xmlNode *serial, fg_err_t *err) {
    fg_wss_certificate_name_t name = {0};
    fg_wss_token_t *token = NULL;
    bool empty = fg_xml_first_child(serial) == NULL;
    if ((!empty && !read_issuer_serial(header, serial, &name, err)) ||
        (token = take_certificate(header, data, certificate, err)) == NULL)
        return NULL;
    if (empty || fg_wss_certificate_has_name(token->key, &name))
        return token;
    FG_FAIL(err, FG_E_SIG_KEY, "X509Data with a certificate and the name of another");
    return NULL;
}

/* XS-22: exactly one certificate, so that there is no choice. */
fg_wss_token_t *fg_wss_x509_data_resolve(fg_wss_header_t *header, xmlNode *data, fg_err_t *err) {
    fg_wss_certificate_name_t name = {0};
    xmlNode *serial, *certificate = named_certificate(data, &serial);
    if (certificate != NULL)
        return take_named_certificate(header, data, certificate, serial, err);
    xmlNode *child = fg_xml_first_child(data);
    if (child == NULL || fg_xml_next(child) != NULL) {
        FG_FAIL(err, FG_E_SIG_KEY, "X509Data with not exactly one certificate or name");
        return NULL;
    }
    if (fg_xml_is(child, FG_NS_DS, "X509Certificate"))
        return take_certificate(header, data, child, err);
    bool read = false;
    if (fg_xml_is(child, FG_NS_DS, "X509IssuerSerial")) {
        read = read_issuer_serial(header, child, &name, err);
    } else if (fg_xml_is(child, FG_NS_DS, "X509SKI")) {
        name.subject_key_identifier = fg_wss_decode(header, child, 64, err);
        read = name.subject_key_identifier.n > 0;
    } else {
        FG_FAIL(err, FG_E_SIG_KEY, "%s in X509Data", (const char *)child->name);
    }
    return read ? fg_wss_certificate_find(header, &name, err) : NULL;
}
