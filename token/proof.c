/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/proof.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "core/crypto.h"
#include "token/wss.h"

#define NUMBER_MAX 1024u
#define DER_MAX 65536u
#define FRAGMENT_MAX (256u << 10)

static const fg_xns_t ds = {"ds", FG_NS_DS};
static const fg_xns_t dsig11 = {"dsig11", FG_NS_DSIG11};

/* RFC 4050 §3, RFC 5480 §2.1.1.1 */
static const struct {
    const char *uri;
    const char *jose;  /* as fg_key_from_point names it */
    const char *group; /* as OpenSSL does */
    size_t half;
} curves[] = {
    {"urn:oid:1.2.840.10045.3.1.7", "P-256", "prime256v1", 32},
    {"urn:oid:1.3.132.0.34", "P-384", "secp384r1", 48},
    {"urn:oid:1.3.132.0.35", "P-521", "secp521r1", 66},
};

/* ---- reading ---- */

typedef struct reading {
    fg_arena_t *arena;
    const fg_enc_recipients_t *us;
    fg_proof_t *proof;
} reading_t;

static void release_key(void *key) { fg_key_unref(key); }

/* XS-22: one key, however often it is named; one with its certificate is worth more. */
static bool take_key(reading_t *reading, fg_key_t *key, fg_err_t *err) {
    const fg_key_t *before = reading->proof->key;
    if (key == NULL)
        return false;
    if (!fg_arena_own(reading->arena, release_key, key))
        return FG_FAIL(err, FG_E_MEMORY, "proof key");
    if (reading->proof->secret.n > 0 || (before != NULL && strcmp(fg_key_get_id(before), fg_key_get_id(key)) != 0))
        return FG_FAIL(err, FG_E_SIG_KEY, "two proof keys");
    if (before == NULL || fg_key_get_x509(before) == NULL)
        reading->proof->key = key;
    return true;
}

static fg_str_t decode(reading_t *reading, const xmlNode *node, size_t maximum) {
    fg_str_t text = node != NULL ? fg_xml_text(reading->arena, node, NULL) : FG_STR_NONE;
    fg_buf_t bytes = FG_BUF_INIT(maximum);
    bool good = text.p != NULL && fg_base64_decode_xml(&bytes, text);
    fg_str_t decoded = good ? fg_arena_str(reading->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return decoded;
}

static bool read_x509(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    const xmlNode *certificate = fg_xml_only_child(node, FG_NS_DS, "X509Certificate", NULL);
    if (certificate == NULL)
        return FG_FAIL(err, FG_E_SIG_KEY, "X509Data without exactly one certificate");
    fg_key_t *key = fg_key_from_certificate_der(decode(reading, certificate, DER_MAX), err);
    return take_key(reading, key, err) && fg_wss_x509_data_is(reading->arena, node, key, err);
}

static bool read_rsa(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    const xmlNode *modulus = fg_xml_only_child(node, FG_NS_DS, "Modulus", NULL);
    const xmlNode *exponent = fg_xml_only_child(node, FG_NS_DS, "Exponent", NULL);
    return take_key(reading,
                    fg_key_from_rsa(decode(reading, modulus, NUMBER_MAX), decode(reading, exponent, NUMBER_MAX), err),
                    err);
}

/* XML Signature 1.1 §4.5.2.3: the point uncompressed, 04 | x | y */
static bool read_ec(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    const xmlNode *named = fg_xml_only_child(node, FG_NS_DSIG11, "NamedCurve", NULL);
    fg_str_t uri = named != NULL ? fg_xml_attr(reading->arena, named, NULL, "URI") : FG_STR_NONE;
    fg_str_t point = decode(reading, fg_xml_only_child(node, FG_NS_DSIG11, "PublicKey", NULL), NUMBER_MAX);
    for (size_t i = 0; i < FG_ARRAY_SIZE(curves); i++) {
        size_t half = curves[i].half;
        if (!fg_str_is(uri, curves[i].uri) || point.n != 1 + 2 * half || point.p[0] != 0x04)
            continue;
        const fg_str_t x = {point.p + 1, half}, y = {point.p + 1 + half, half};
        return take_key(reading, fg_key_from_point(fg_str(curves[i].jose), x, y, err), err);
    }
    return FG_FAIL(err, FG_E_SIG_KEY, "ECKeyValue without a named curve and its point: '%.*s'", FG_STR_ARG(uri));
}

static bool read_key_value(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    const xmlNode *value = fg_xml_first_child(node);
    if (value == NULL || fg_xml_next(value) != NULL)
        return FG_FAIL(err, FG_E_SIG_KEY, "KeyValue without exactly one key");
    if (fg_xml_is(value, FG_NS_DS, "RSAKeyValue"))
        return read_rsa(reading, value, err);
    if (fg_xml_is(value, FG_NS_DSIG11, "ECKeyValue"))
        return read_ec(reading, value, err);
    return FG_FAIL(err, FG_E_SIG_KEY, "KeyValue holds <%s>", (const char *)value->name);
}

static bool read_secret(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    if (reading->proof->key != NULL || reading->proof->secret.n > 0)
        return FG_FAIL(err, FG_E_SIG_KEY, "two proof keys");
    if (reading->us == NULL)
        return FG_FAIL(err, FG_E_SIG_KEY, "a secret where a public key is expected");
    return fg_xmlenc_unwrap(reading->arena, node, reading->us, 0, &reading->proof->secret, err);
}

static const struct {
    const char *ns;
    const char *name;
    bool (*read)(reading_t *, const xmlNode *, fg_err_t *);
} kinds[] = {
    {FG_NS_DS, "X509Data", read_x509},
    {FG_NS_DS, "KeyValue", read_key_value},
    {FG_NS_XENC, "EncryptedKey", read_secret},
};

static bool read_child(reading_t *reading, const xmlNode *node, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++)
        if (fg_xml_is(node, kinds[i].ns, kinds[i].name))
            return kinds[i].read(reading, node, err);
    return fg_xml_is(node, FG_NS_DS, "KeyName") ||
           FG_FAIL(err, FG_E_SIG_KEY, "a proof key as <%s>", (const char *)node->name);
}

bool fg_proof_read(fg_arena_t *arena, const xmlNode *key_info, const fg_enc_recipients_t *us, fg_proof_t *proof,
                   fg_err_t *err) {
    reading_t reading = {arena, us, proof};
    *proof = (fg_proof_t){NULL, FG_STR_NONE};
    for (const xmlNode *node = fg_xml_first_child(key_info); node != NULL; node = fg_xml_next(node))
        if (!read_child(&reading, node, err))
            return false;
    return proof->key != NULL || proof->secret.n > 0 || FG_FAIL(err, FG_E_SIG_KEY, "no proof key");
}

/* ---- writing ---- */

/* CryptoBinary (XML Signature §4.0.1): without leading zeros. */
static bool put_number(fg_xw_t *w, const fg_key_t *key, const char *parameter, const char *name) {
    unsigned char bytes[NUMBER_MAX];
    BIGNUM *number = NULL;
    fg_buf_t text = FG_BUF_INIT(2 * NUMBER_MAX);
    bool ok = EVP_PKEY_get_bn_param(fg_key_get_pkey(key), parameter, &number) == 1 &&
              (size_t)BN_num_bytes(number) <= sizeof bytes;
    if (ok) {
        fg_base64_encode(&text, bytes, (size_t)BN_bn2bin(number, bytes));
        fg_xw_leaf(w, &ds, name, fg_buf_str(&text));
        ok = fg_buf_ok(&text);
    }
    fg_buf_free(&text);
    BN_free(number);
    return ok;
}

static bool put_rsa(fg_xw_t *w, const fg_key_t *key) {
    fg_xw_start(w, &ds, "RSAKeyValue");
    bool ok =
        put_number(w, key, OSSL_PKEY_PARAM_RSA_N, "Modulus") && put_number(w, key, OSSL_PKEY_PARAM_RSA_E, "Exponent");
    fg_xw_end(w);
    return ok;
}

static bool get_point(const fg_key_t *key, size_t half, unsigned char *point) {
    BIGNUM *x = NULL, *y = NULL;
    EVP_PKEY *pkey = fg_key_get_pkey(key);
    point[0] = 0x04;
    bool ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
              EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
              BN_bn2binpad(x, point + 1, (int)half) > 0 && BN_bn2binpad(y, point + 1 + half, (int)half) > 0;
    BN_free(x);
    BN_free(y);
    return ok;
}

static bool put_ec(fg_xw_t *w, const fg_key_t *key) {
    char group[32] = "";
    unsigned char point[1 + 2 * 66];
    fg_buf_t text = FG_BUF_INIT(1024);
    size_t i = 0;
    EVP_PKEY_get_utf8_string_param(fg_key_get_pkey(key), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
    while (i < FG_ARRAY_SIZE(curves) && strcmp(group, curves[i].group) != 0)
        i++;
    if (i == FG_ARRAY_SIZE(curves) || !get_point(key, curves[i].half, point))
        return false;
    fg_base64_encode(&text, point, 1 + 2 * curves[i].half);
    fg_xw_start(w, &dsig11, "ECKeyValue");
    fg_xw_start(w, &dsig11, "NamedCurve");
    fg_xw_attrz(w, "URI", curves[i].uri);
    fg_xw_end(w);
    fg_xw_leaf(w, &dsig11, "PublicKey", fg_buf_str(&text));
    fg_xw_end(w);
    bool ok = fg_buf_ok(&text);
    fg_buf_free(&text);
    return ok;
}

static bool put_key(fg_xw_t *w, const fg_key_t *key) {
    fg_str_t certificate = fg_key_get_certificate_base64(key);
    bool ok = true;
    fg_xw_start(w, &ds, certificate.n > 0 ? "X509Data" : "KeyValue");
    if (certificate.n > 0)
        fg_xw_leaf(w, &ds, "X509Certificate", certificate);
    else
        ok = fg_key_is_ec(key) ? put_ec(w, key) : put_rsa(w, key);
    fg_xw_end(w);
    return ok;
}

/* Written below a KeyInfo, which declares ds, and taken out of it. */
typedef struct fragment {
    fg_buf_t text;
    fg_xw_t w;
    size_t begin;
} fragment_t;

static void fragment_begin(fragment_t *fragment) {
    fg_buf_init(&fragment->text, FRAGMENT_MAX);
    fg_xw_init(&fragment->w, &fragment->text);
    fg_xw_start(&fragment->w, &ds, "KeyInfo");
    fg_xw_flush(&fragment->w);
    fragment->begin = fragment->text.length;
}

static bool fragment_end(fragment_t *fragment, bool ok, fg_buf_t *out, fg_err_t *err) {
    size_t length = fragment->text.length - fragment->begin;
    fg_xw_end(&fragment->w);
    ok = ok && fg_xw_ok(&fragment->w);
    if (ok)
        fg_buf_add(out, fragment->text.data + fragment->begin, length);
    ok = ok && fg_buf_ok(out);
    fg_buf_free(&fragment->text);
    return ok || FG_FAIL(err, FG_E_INTERNAL, "a proof key cannot be written");
}

bool fg_proof_write_key(const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    fragment_t fragment;
    fragment_begin(&fragment);
    return fragment_end(&fragment, put_key(&fragment.w, key), out, err);
}

bool fg_proof_write_secret(fg_str_t secret, const fg_key_t *recipient, fg_buf_t *out, fg_err_t *err) {
    const fg_enc_key_t key = {.recipient = recipient, .naming = FG_ENC_NAME_THUMBPRINT};
    fragment_t fragment;
    fragment_begin(&fragment);
    if (fg_xmlenc_put_key(&fragment.w, secret, &key, err))
        return fragment_end(&fragment, true, out, err);
    fg_buf_free(&fragment.text);
    return false;
}
