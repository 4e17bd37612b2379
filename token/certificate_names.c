/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/certificate_names.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "core/buf.h"
#include "core/crypto.h"

#define NAME_MAX_BYTES 256u
#define SID_MAX_BYTES 190u /* fifteen sub-authorities */
#define TEXT_MAX_BYTES 2048u
#define BYTES_MAX 64u /* of a serial number or a key identifier; RFC 5280 §4.1.2.2 has twenty */

/* [MS-WCCE] §2.2.2.7.7.4: the extension, and the type of the otherName in it */
static const char sid_extension[] = "1.3.6.1.4.1.311.25.2";
static const char sid_other_name[] = "1.3.6.1.4.1.311.25.2.1";

static bool is_oid(const ASN1_OBJECT *object, const char *dotted) {
    char text[64];
    int n = OBJ_obj2txt(text, sizeof text, object, 1);
    return n > 0 && (size_t)n < sizeof text && strcmp(text, dotted) == 0;
}

/* ---- user principal name */

static bool is_upn(fg_str_t text) {
    const char *at = text.n > 0 ? memchr(text.p, '@', text.n) : NULL;
    if (at == NULL || at == text.p || at == text.p + text.n - 1 || text.n > NAME_MAX_BYTES || !fg_str_is_utf8(text) ||
        memchr(at + 1, '@', (size_t)(text.p + text.n - at - 1)) != NULL)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    return true;
}

static bool read_upn(fg_arena_t *arena, const OTHERNAME *other, fg_str_t *upn, fg_err_t *err) {
    const ASN1_TYPE *value = other->value;
    if (upn->n > 0)
        return FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "two user principal names");
    if (value->type != V_ASN1_UTF8STRING)
        return FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "a user principal name that is no UTF8String");
    const ASN1_STRING *string = value->value.utf8string;
    fg_str_t text = {(const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)};
    if (!is_upn(text))
        return FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "a user principal name that is not name@suffix in clean UTF-8");
    *upn = fg_arena_str(arena, text);
    return upn->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a certificate's names");
}

/* crit of X509_get_ext_d2i is -1 where there is none; what cannot be read and what is there twice is refused. */
static bool read_alternatives(fg_arena_t *arena, const X509 *x509, fg_str_t *upn, fg_err_t *err) {
    int critical = -1;
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    bool ok = names != NULL || critical == -1 || FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "SubjectAltName is malformed");
    for (int i = 0; ok && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_OTHERNAME && OBJ_obj2nid(name->d.otherName->type_id) == NID_ms_upn)
            ok = read_upn(arena, name->d.otherName, upn, err);
    }
    GENERAL_NAMES_free(names);
    return ok;
}

/* ---- security identifier */

/* [MS-DTYP] §2.4.2.1 */
static bool is_sid(fg_str_t text) {
    if (text.n < 7 || text.n > SID_MAX_BYTES || memcmp(text.p, "S-1-", 4) != 0 || text.p[text.n - 1] == '-')
        return false;
    for (size_t i = 4; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && (text.p[i] != '-' || text.p[i - 1] == '-'))
            return false;
    return true;
}

static bool put_sid(fg_arena_t *arena, const GENERAL_NAMES *names, fg_str_t *sid) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_num(names) == 1 ? sk_GENERAL_NAME_value(names, 0) : NULL;
    if (name == NULL || name->type != GEN_OTHERNAME || !is_oid(name->d.otherName->type_id, sid_other_name) ||
        name->d.otherName->value->type != V_ASN1_OCTET_STRING)
        return false;
    const ASN1_STRING *string = name->d.otherName->value->value.octet_string;
    fg_str_t text = {(const char *)ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string)};
    if (!is_sid(text))
        return false;
    *sid = fg_arena_str(arena, text);
    return sid->p != NULL;
}

static bool read_sid(fg_arena_t *arena, const X509 *x509, fg_str_t *sid, fg_err_t *err) {
    const X509_EXTENSION *found = NULL;
    for (int i = 0; i < X509_get_ext_count(x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(x509, i);
        if (!is_oid(X509_EXTENSION_get_object(extension), sid_extension))
            continue;
        if (found != NULL)
            return FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "two security identifiers");
        found = extension;
    }
    if (found == NULL)
        return true;
    const ASN1_OCTET_STRING *data = X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)found);
    const unsigned char *p = ASN1_STRING_get0_data(data), *end = p + ASN1_STRING_length(data);
    GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &p, ASN1_STRING_length(data));
    bool ok = names != NULL && p == end && put_sid(arena, names, sid);
    GENERAL_NAMES_free(names);
    return ok || FG_FAIL(err, FG_E_CERTIFICATE_NAMES, "a security identifier that cannot be read");
}

/* ---- altSecurityIdentities */

/* As Windows writes attribute types; case makes no difference there.  Others it writes by their OID or not at all. */
static const struct {
    int nid;
    const char *name;
} attribute_types[] = {
    {NID_commonName, "CN"},
    {NID_organizationalUnitName, "OU"},
    {NID_organizationName, "O"},
    {NID_domainComponent, "DC"},
    {NID_countryName, "C"},
    {NID_localityName, "L"},
    {NID_stateOrProvinceName, "S"},
    {NID_streetAddress, "STREET"},
    {NID_pkcs9_emailAddress, "E"},
    {NID_title, "T"},
    {NID_givenName, "G"},
    {NID_surname, "SN"},
    {NID_serialNumber, "SERIALNUMBER"},
};

static const char *type_name(const ASN1_OBJECT *object) {
    int nid = OBJ_obj2nid(object);
    for (size_t i = 0; i < FG_ARRAY_SIZE(attribute_types); i++)
        if (attribute_types[i].nid == nid)
            return attribute_types[i].name;
    return NULL;
}

/* Values that would have to be quoted, and those that could pass for the next part, have no one way to be written. */
static bool is_plain(fg_str_t value) {
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f || strchr(",+=\"<>#;\\", value.p[i]) != NULL)
            return false;
    return value.n > 0 && value.p[0] != ' ' && value.p[value.n - 1] != ' ' && fg_str_is_utf8(value);
}

static bool put_entry(const X509_NAME_ENTRY *entry, bool first, fg_buf_t *out) {
    const char *type = type_name(X509_NAME_ENTRY_get_object(entry));
    unsigned char *utf8 = NULL;
    int length = type ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry)) : -1;
    fg_str_t value = {(const char *)utf8, length > 0 ? (size_t)length : 0};
    bool plain = is_plain(value);
    if (plain) {
        fg_buf_puts(out, first ? "" : ",");
        fg_buf_puts(out, type);
        fg_buf_putc(out, '=');
        fg_buf_put_str(out, value);
    }
    OPENSSL_free(utf8);
    return plain;
}

/* The order of the certificate: from the root of the tree on. */
static bool put_issuer(const X509 *x509, fg_buf_t *out) {
    const X509_NAME *issuer = X509_get_issuer_name(x509);
    int count = X509_NAME_entry_count(issuer);
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(issuer, i);
        bool several = X509_NAME_ENTRY_set(entry) != i; /* a name part of more than one attribute */
        if (several || !put_entry(entry, i == 0, out))
            return false;
    }
    return count > 0;
}

/* False: more bytes than such a thing has. */
static bool put_hex(fg_buf_t *out, fg_str_t prefix, const ASN1_STRING *string, bool reversed) {
    unsigned char bytes[BYTES_MAX];
    char hex[2 * BYTES_MAX + 1];
    const unsigned char *data = ASN1_STRING_get0_data(string);
    size_t length = (size_t)ASN1_STRING_length(string);
    if (length == 0 || length > sizeof bytes)
        return false;
    for (size_t i = 0; i < length; i++)
        bytes[i] = data[reversed ? length - 1 - i : i];
    fg_hex_encode(bytes, length, hex);
    fg_buf_put_str(out, prefix);
    fg_buf_puts(out, hex);
    return true;
}

static bool keep(fg_arena_t *arena, fg_buf_t *text, fg_str_t *out) {
    *out = fg_buf_ok(text) ? fg_arena_str(arena, fg_buf_str(text)) : FG_STR_NONE;
    fg_buf_reset(text);
    return out->p != NULL;
}

static bool put_issuer_serial(fg_arena_t *arena, const X509 *x509, fg_buf_t *text, fg_str_t *out) {
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    fg_buf_puts(text, "X509:<I>");
    if (put_issuer(x509, text) && ASN1_STRING_type(serial) == V_ASN1_INTEGER &&
        put_hex(text, FG_STR("<SR>"), serial, true))
        return keep(arena, text, out);
    fg_buf_reset(text);
    return true;
}

static bool put_key(fg_arena_t *arena, const X509 *x509, fg_buf_t *text, fg_certificate_names_t *names) {
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id((X509 *)(uintptr_t)x509);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x509);
    unsigned char digest[SHA_DIGEST_LENGTH];
    char hex[2 * SHA_DIGEST_LENGTH + 1];
    if (key_id != NULL && put_hex(text, FG_STR("X509:<SKI>"), key_id, false) && !keep(arena, text, &names->key_id))
        return false;
    if (key == NULL || SHA1(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), digest) == NULL)
        return true;
    fg_hex_encode(digest, sizeof digest, hex);
    fg_buf_puts(text, "X509:<SHA1-PUKEY>");
    fg_buf_puts(text, hex);
    return keep(arena, text, &names->public_key);
}

bool fg_certificate_names_read(fg_arena_t *arena, const X509 *x509, fg_certificate_names_t *names, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(TEXT_MAX_BYTES);
    *names = (fg_certificate_names_t){.upn = FG_STR_NONE};
    if (!read_alternatives(arena, x509, &names->upn, err) || !read_sid(arena, x509, &names->sid, err))
        return false;
    bool ok = put_issuer_serial(arena, x509, &text, &names->issuer_serial) && put_key(arena, x509, &text, names);
    fg_buf_free(&text);
    return ok || FG_FAIL(err, FG_E_MEMORY, "a certificate's names");
}
