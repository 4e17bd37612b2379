/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signing (XML Signature §3.1) without a tree: the digest is taken over the bytes as they were written, and SignedInfo
 * is written in its canonical form right away.
 *
 * Exclusive C14N of SignedInfo alone declares the ds prefix on SignedInfo; in the document it stands below
 * ds:Signature, which has declared it already.  So the two forms differ in that one declaration: HEAD_SIGNED is signed,
 * HEAD_SENT is sent. */
#include "core/xmldsig_parts.h"

#define DECLARATION " xmlns:ds=\"" FG_NS_DS "\""
#define HEAD_SIGNED "<ds:SignedInfo" DECLARATION ">"
#define HEAD_SENT "<ds:Signature" DECLARATION "><ds:SignedInfo>"
#define METHOD(name, uri) "<ds:" name " Algorithm=\"" uri "\"></ds:" name ">"

/* An NCName of ASCII letters, as fg_id_xml makes them: needs no escaping and no quoting anywhere. */
static bool is_plain_id(fg_str_t id) {
    static const char letters[] = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-0123456789";
    if (id.n == 0 || strchr(".-0123456789", id.p[0]) != NULL)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (memchr(letters, id.p[i], sizeof letters - 1) == NULL)
            return false;
    return true;
}

static void put_signed_info(fg_buf_t *buf, fg_str_t id, const char *signature_uri,
                            const unsigned char digest[FG_SHA256_SIZE]) {
    fg_buf_put_str(
        buf, FG_STR(HEAD_SIGNED METHOD("CanonicalizationMethod", FG_NS_EXC_C14N) "<ds:SignatureMethod Algorithm=\""));
    fg_buf_puts(buf, signature_uri);
    fg_buf_put_str(buf, FG_STR("\"></ds:SignatureMethod><ds:Reference URI=\"#"));
    fg_buf_put_str(buf, id);
    fg_buf_put_str(buf, FG_STR("\"><ds:Transforms>" METHOD("Transform", FG_NS_DS "enveloped-signature")
                                   METHOD("Transform", FG_NS_EXC_C14N) "</ds:Transforms>" METHOD(
                                       "DigestMethod", FG_NS_XENC "sha256") "<ds:DigestValue>"));
    fg_base64_encode(buf, digest, FG_SHA256_SIZE);
    fg_buf_put_str(buf, FG_STR("</ds:DigestValue></ds:Reference></ds:SignedInfo>"));
}

static void put_signature(fg_buf_t *buf, fg_str_t signed_info, fg_str_t value, fg_str_t certificate) {
    size_t head = sizeof HEAD_SIGNED - 1;
    fg_buf_put_str(buf, FG_STR(HEAD_SENT));
    fg_buf_add(buf, signed_info.p + head, signed_info.n - head);
    fg_buf_put_str(buf, FG_STR("<ds:SignatureValue>"));
    fg_base64_encode(buf, value.p, value.n);
    fg_buf_put_str(buf, FG_STR("</ds:SignatureValue>"));
    if (certificate.n > 0) {
        fg_buf_put_str(buf, FG_STR("<ds:KeyInfo><ds:X509Data><ds:X509Certificate>"));
        fg_buf_put_str(buf, certificate);
        fg_buf_put_str(buf, FG_STR("</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"));
    }
    fg_buf_put_str(buf, FG_STR("</ds:Signature>"));
}

static bool place_is_good(const fg_buf_t *out, size_t element, size_t at) {
    return fg_buf_ok(out) && element < at && at < out->length && out->data[element] == '<' &&
           out->data[at - 1] == '>' && out->data[at] == '<';
}

bool fg_dsig_sign(fg_buf_t *out, size_t element, size_t at, fg_str_t id, const fg_key_t *key, fg_err_t *err) {
    if (!place_is_good(out, element, at) || !is_plain_id(id) || !fg_key_is_private(key))
        return FG_FAIL(err, FG_E_INTERNAL, "nothing that can be signed");
    unsigned char digest[FG_SHA256_SIZE];
    fg_sha256(out->data + element, out->length - element, digest);
    fg_buf_t signed_info = FG_BUF_INIT(4096), value = FG_BUF_INIT(1024), signature = FG_BUF_INIT(64u << 10);
    put_signed_info(&signed_info, id, fg_key_get_signature_uri(key), digest);
    bool good = fg_buf_ok(&signed_info) && fg_key_sign(key, fg_buf_str(&signed_info), &value, err);
    if (good) {
        put_signature(&signature, fg_buf_str(&signed_info), fg_buf_str(&value), fg_key_get_certificate_base64(key));
        if (fg_buf_ok(&signature))
            fg_buf_insert(out, at, signature.data, signature.length);
        good = (fg_buf_ok(&signature) && fg_buf_ok(out)) || FG_FAIL(err, FG_E_MEMORY, "signature does not fit");
    }
    fg_buf_free(&signed_info);
    fg_buf_free(&value);
    fg_buf_free(&signature);
    return good;
}

/* ---- parts of a message ---- */

static bool parts_are_good(const fg_dsig_part_t *parts, size_t count, const fg_dsig_signer_t *signer) {
    bool by_secret = signer->key == NULL && signer->secret.n >= FG_DSIG_SECRET_MIN;
    bool by_key = signer->key != NULL && signer->secret.n == 0 && !signer->sha1_suite && fg_key_is_private(signer->key);
    if (count == 0 || count > FG_DSIG_REFERENCES_MAX || !(by_key || by_secret))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_plain_id(parts[i].id) || parts[i].canonical.n == 0)
            return false;
    return signer->id.n == 0 || is_plain_id(signer->id);
}

static const char *method_of(const fg_dsig_signer_t *signer) {
    if (signer->key != NULL)
        return fg_key_get_signature_uri(signer->key);
    return signer->sha1_suite ? FG_NS_DS "hmac-sha1" : FG_DSIG_MORE "hmac-sha256";
}

static void put_part(fg_buf_t *buf, const fg_dsig_part_t *part, bool sha1) {
    unsigned char digest[FG_HASH_MAX];
    size_t length = fg_hash(sha1 ? FG_HASH_SHA1 : FG_HASH_SHA256, part->canonical.p, part->canonical.n, digest);
    fg_buf_puts(buf, "<ds:Reference URI=\"#");
    fg_buf_put_str(buf, part->id);
    fg_buf_puts(buf, "\"><ds:Transforms>" METHOD("Transform", FG_NS_EXC_C14N) "</ds:Transforms>");
    fg_buf_puts(buf, sha1 ? METHOD("DigestMethod", FG_NS_DS "sha1") : METHOD("DigestMethod", FG_NS_XENC "sha256"));
    fg_buf_puts(buf, "<ds:DigestValue>");
    fg_base64_encode(buf, digest, length);
    fg_buf_puts(buf, "</ds:DigestValue></ds:Reference>");
}

/* The canonical form of SignedInfo, as it is signed. */
static void put_parts(fg_buf_t *buf, const fg_dsig_part_t *parts, size_t count, const fg_dsig_signer_t *signer) {
    fg_buf_puts(buf, HEAD_SIGNED METHOD("CanonicalizationMethod", FG_NS_EXC_C14N) "<ds:SignatureMethod Algorithm=\"");
    fg_buf_puts(buf, method_of(signer));
    fg_buf_puts(buf, "\"></ds:SignatureMethod>");
    for (size_t i = 0; i < count; i++)
        put_part(buf, &parts[i], signer->sha1_suite);
    fg_buf_puts(buf, "</ds:SignedInfo>");
}

static bool put_value(fg_buf_t *value, fg_str_t signed_info, const fg_dsig_signer_t *signer, fg_err_t *err) {
    if (signer->key != NULL)
        return fg_key_sign(signer->key, signed_info, value, err);
    unsigned char mac[FG_HASH_MAX];
    fg_hash_t hash = signer->sha1_suite ? FG_HASH_SHA1 : FG_HASH_SHA256;
    fg_buf_add(value, mac, fg_dsig_hmac(hash, signer->secret, signed_info, mac));
    return fg_buf_ok(value) || FG_FAIL(err, FG_E_MEMORY, "signature");
}

static void put_message_signature(fg_buf_t *out, fg_str_t signed_info, fg_str_t value, const fg_dsig_signer_t *signer) {
    size_t head = sizeof HEAD_SIGNED - 1;
    fg_buf_puts(out, "<ds:Signature" DECLARATION);
    if (signer->id.n > 0) {
        fg_buf_puts(out, " Id=\"");
        fg_buf_put_str(out, signer->id);
        fg_buf_putc(out, '"');
    }
    fg_buf_puts(out, "><ds:SignedInfo>");
    fg_buf_add(out, signed_info.p + head, signed_info.n - head);
    fg_buf_puts(out, "<ds:SignatureValue>");
    fg_base64_encode(out, value.p, value.n);
    fg_buf_puts(out, "</ds:SignatureValue>");
    if (signer->key_info.n > 0) {
        fg_buf_puts(out, "<ds:KeyInfo>");
        fg_buf_put_str(out, signer->key_info);
        fg_buf_puts(out, "</ds:KeyInfo>");
    }
    fg_buf_puts(out, "</ds:Signature>");
}

bool fg_dsig_sign_parts(const fg_dsig_part_t *parts, size_t count, const fg_dsig_signer_t *signer, fg_buf_t *out,
                        fg_err_t *err) {
    if (!parts_are_good(parts, count, signer))
        return FG_FAIL(err, FG_E_INTERNAL, "nothing that can be signed");
    fg_buf_t signed_info = FG_BUF_INIT(64u << 10), value = FG_BUF_INIT(1024);
    put_parts(&signed_info, parts, count, signer);
    bool good = fg_buf_ok(&signed_info) ? put_value(&value, fg_buf_str(&signed_info), signer, err)
                                        : FG_FAIL(err, FG_E_MEMORY, "SignedInfo");
    if (good) {
        put_message_signature(out, fg_buf_str(&signed_info), fg_buf_str(&value), signer);
        good = fg_buf_ok(out) || FG_FAIL(err, FG_E_MEMORY, "signature does not fit");
    }
    fg_buf_free(&signed_info);
    fg_buf_free(&value);
    return good;
}
