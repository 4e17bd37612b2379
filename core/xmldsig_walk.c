/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What verifying an assertion's signature and a message's have in common (XML Signature §3.2). */
#include <openssl/crypto.h>

#include "core/xmldsig_parts.h"

#include <libxml/parser.h>

#define PREFIX_LIST_MAX 512u
#define VALUE_MAX 2048u /* RSA-8192 in base64 with line breaks */

/* RFC 6931 §2.2, §2.3; XML Signature §6.3, §6.4 */
static const fg_dsig_method_t methods[] = {
    {FG_DSIG_MORE "rsa-sha256", FG_DSIG_RSA, FG_HASH_SHA256},
    {FG_DSIG_MORE "rsa-sha384", FG_DSIG_RSA, FG_HASH_SHA384},
    {FG_DSIG_MORE "rsa-sha512", FG_DSIG_RSA, FG_HASH_SHA512},
    {FG_DSIG_MORE "ecdsa-sha256", FG_DSIG_EC, FG_HASH_SHA256},
    {FG_DSIG_MORE "ecdsa-sha384", FG_DSIG_EC, FG_HASH_SHA384},
    {FG_DSIG_MORE "ecdsa-sha512", FG_DSIG_EC, FG_HASH_SHA512},
    {FG_NS_DS "rsa-sha1", FG_DSIG_RSA, FG_HASH_SHA1},
    {FG_NS_DS "hmac-sha1", FG_DSIG_HMAC, FG_HASH_SHA1},
    {FG_DSIG_MORE "hmac-sha256", FG_DSIG_HMAC, FG_HASH_SHA256},
};

static const struct {
    const char *uri;
    fg_hash_t hash;
} digest_methods[] = {
    {FG_NS_XENC "sha256", FG_HASH_SHA256},
    {FG_DSIG_MORE "sha384", FG_HASH_SHA384},
    {FG_NS_XENC "sha512", FG_HASH_SHA512},
    {FG_NS_DS "sha1", FG_HASH_SHA1},
};

/* ---- shape of nodes ---- */

static bool check_node(fg_dsig_walk_t *w, const xmlNode *parent, const xmlNode *node, bool has_elements) {
    if (node->type == XML_ELEMENT_NODE)
        return true;
    if (node->type != XML_TEXT_NODE)
        return FG_DSIG_REFUSE(w, "comment or the like in %s", fg_dsig_name(parent));
    return !has_elements || fg_str_trim(fg_str((const char *)node->content)).n == 0 ||
           FG_DSIG_REFUSE(w, "text between the elements of %s", fg_dsig_name(parent));
}

bool fg_dsig_check_level(fg_dsig_walk_t *w, const xmlNode *parent) {
    bool has_elements = fg_xml_first_child(parent) != NULL;
    for (const xmlNode *node = parent->children; node != NULL; node = node->next)
        if (!check_node(w, parent, node, has_elements))
            return false;
    return true;
}

bool fg_dsig_check_nodes(fg_dsig_walk_t *w, const xmlNode *parent, unsigned *budget) {
    if (!fg_dsig_check_level(w, parent))
        return false;
    for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
        if ((*budget)-- == 0)
            return FG_DSIG_REFUSE(w, "signature with too many parts");
        if (node->type == XML_ELEMENT_NODE && !fg_dsig_check_nodes(w, node, budget))
            return false;
    }
    return true;
}

bool fg_dsig_check_attributes(fg_dsig_walk_t *w, const xmlNode *node, const char *one, const char *two) {
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
        const char *name = (const char *)attribute->name;
        if (attribute->ns != NULL || (strcmp(name, one) != 0 && strcmp(name, two) != 0))
            return FG_DSIG_REFUSE(w, "attribute %s of %s", name, fg_dsig_name(node));
    }
    return true;
}

bool fg_dsig_check_empty(fg_dsig_walk_t *w, const xmlNode *node) {
    return node->children == NULL || FG_DSIG_REFUSE(w, "%s is not empty", fg_dsig_name(node));
}

bool fg_dsig_check_end(fg_dsig_walk_t *w, const xmlNode *at) {
    fg_reason_t twice = fg_xml_is(at, FG_NS_DS, "Reference") ? FG_R_STRUCTURE_AMBIGUOUS : FG_R_SIGNATURE_MALFORMED;
    return at == NULL || FG_FAIL_FOR(w->err, FG_E_SIG_STRUCTURE, twice, "%s not expected", fg_dsig_name(at));
}

xmlNode *fg_dsig_take(fg_dsig_walk_t *w, xmlNode **at, const char *name) {
    xmlNode *node = *at;
    if (!fg_xml_is(node, FG_NS_DS, name)) {
        (void)FG_DSIG_REFUSE(w, "%s expected, found %s", name, fg_dsig_name(node));
        return NULL;
    }
    *at = fg_xml_next(node);
    return node;
}

xmlNode *fg_dsig_take_method(fg_dsig_walk_t *w, xmlNode **at, const char *name, fg_str_t *algorithm) {
    xmlNode *node = fg_dsig_take(w, at, name);
    if (node == NULL || !fg_dsig_check_attributes(w, node, "Algorithm", "Algorithm"))
        return NULL;
    *algorithm = fg_xml_attr(w->arena, node, NULL, "Algorithm");
    return node;
}

static bool take_value(fg_dsig_walk_t *w, xmlNode **at, const char *name, const char *attribute, fg_str_t *bytes) {
    xmlNode *node = fg_dsig_take(w, at, name);
    if (node == NULL || !fg_dsig_check_attributes(w, node, attribute, attribute))
        return false;
    const xmlNode *text = node->children; /* check_nodes has seen to it that there is nothing else */
    fg_str_t base64 = text != NULL && text->next == NULL ? fg_str((const char *)text->content) : FG_STR_NONE;
    char room[VALUE_MAX];
    fg_buf_t decoded;
    fg_buf_init_in(&decoded, room, sizeof room);
    if (base64.n == 0 || !fg_base64_decode_xml(&decoded, base64) || decoded.length == 0)
        return FG_DSIG_REFUSE(w, "%s is not base64", name);
    *bytes = fg_arena_str(w->arena, fg_buf_str(&decoded));
    return bytes->p != NULL || FG_FAIL(w->err, FG_E_MEMORY, "%s", name);
}

/* ---- the parts of a signature ---- */

static bool is_prefix(const char *token) {
    return strcmp(token, "#default") == 0 || xmlValidateNCName((const xmlChar *)token, 0) == 0;
}

bool fg_dsig_read_prefixes(fg_dsig_walk_t *w, const xmlNode *method, char **prefixes) {
    unsigned count = 0;
    const xmlNode *list = fg_xml_first_child(method);
    if (list == NULL)
        return fg_dsig_check_empty(w, method);
    if (!fg_xml_is(list, FG_NS_EXC_C14N, "InclusiveNamespaces") || fg_xml_next(list) != NULL)
        return FG_DSIG_REFUSE(w, "%s in %s", fg_dsig_name(list), fg_dsig_name(method));
    if (!fg_dsig_check_attributes(w, list, "PrefixList", "PrefixList") || !fg_dsig_check_empty(w, list))
        return false;
    fg_str_t text = fg_xml_attr(w->arena, list, NULL, "PrefixList");
    if (text.p == NULL || text.n > PREFIX_LIST_MAX)
        return FG_DSIG_REFUSE(w, "PrefixList of %zu bytes", text.n);
    char *rest = fg_arena_strndup(w->arena, text.p, text.n), *token;
    if (rest == NULL)
        return FG_FAIL(w->err, FG_E_MEMORY, "PrefixList");
    while ((token = strsep(&rest, " ")) != NULL) {
        if (*token == '\0')
            continue;
        if (count == FG_DSIG_PREFIXES_MAX || !is_prefix(token))
            return FG_DSIG_REFUSE(w, "odd PrefixList");
        prefixes[count++] = token;
    }
    return true;
}

static bool refuse_algorithm(fg_dsig_walk_t *w, const char *what, fg_str_t uri, bool known) {
    const char *hint = known ? " (SHA-1 is not allowed here)" : "";
    return FG_FAIL(w->err, FG_E_SIG_ALGORITHM, "%s %.*s%s", what, FG_STR_ARG(uri), hint);
}

static bool read_digest_method(fg_dsig_walk_t *w, xmlNode **at, fg_hash_t *hash) {
    fg_str_t uri;
    size_t i = 0;
    xmlNode *node = fg_dsig_take_method(w, at, "DigestMethod", &uri);
    if (node == NULL || !fg_dsig_check_empty(w, node))
        return false;
    while (i < FG_ARRAY_SIZE(digest_methods) && !fg_str_is(uri, digest_methods[i].uri))
        i++;
    bool known = i < FG_ARRAY_SIZE(digest_methods);
    if (!known || (digest_methods[i].hash == FG_HASH_SHA1 && !w->allow_sha1))
        return refuse_algorithm(w, "digest method", uri, known);
    *hash = digest_methods[i].hash;
    return true;
}

bool fg_dsig_read_digest(fg_dsig_walk_t *w, xmlNode *at, fg_dsig_digest_t *digest) {
    return read_digest_method(w, &at, &digest->hash) && take_value(w, &at, "DigestValue", "", &digest->value) &&
           fg_dsig_check_end(w, at);
}

/* XS-23: HMACOutputLength would be a child, and there may be none. */
static bool read_signature_method(fg_dsig_walk_t *w, xmlNode **at) {
    fg_str_t uri;
    xmlNode *node = fg_dsig_take_method(w, at, "SignatureMethod", &uri);
    if (node == NULL || !fg_dsig_check_empty(w, node))
        return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++)
        if (fg_str_is(uri, methods[i].uri) && (methods[i].family != FG_DSIG_HMAC || w->allow_hmac))
            w->method = &methods[i];
    if (w->method == NULL || (w->method->hash == FG_HASH_SHA1 && !w->allow_sha1))
        return refuse_algorithm(w, "signature method", uri, w->method != NULL);
    return true;
}

static bool read_signed_info(fg_dsig_walk_t *w, xmlNode **reference) {
    fg_str_t algorithm;
    xmlNode *at = fg_xml_first_child(w->signed_info);
    xmlNode *c14n = fg_dsig_take_method(w, &at, "CanonicalizationMethod", &algorithm);
    if (c14n == NULL || !fg_dsig_check_attributes(w, w->signed_info, "Id", "Id"))
        return false;
    if (!fg_str_is(algorithm, FG_NS_EXC_C14N))
        return FG_FAIL_FOR(w->err, FG_E_SIG_ALGORITHM, FG_R_SIGNATURE_FORBIDDEN_TRANSFORM,
                           "canonicalization method %.*s", FG_STR_ARG(algorithm));
    if (!fg_dsig_read_prefixes(w, c14n, w->prefixes) || !read_signature_method(w, &at))
        return false;
    *reference = at;
    return true;
}

bool fg_dsig_read_frame(fg_dsig_walk_t *w, xmlNode *signature, xmlNode **reference, xmlNode **rest) {
    *rest = fg_xml_first_child(signature);
    w->signed_info = fg_dsig_take(w, rest, "SignedInfo");
    return w->signed_info != NULL && fg_dsig_check_attributes(w, signature, "Id", "Id") &&
           read_signed_info(w, reference) && take_value(w, rest, "SignatureValue", "Id", &w->signature_value);
}

/* ---- cryptography ---- */

bool fg_dsig_check_digest(fg_dsig_walk_t *w, const xmlNode *element, const xmlNode *without,
                          const fg_dsig_digest_t *digest, bool as_alone) {
    const fg_xml_c14n_t how = {without, digest->prefixes, as_alone};
    fg_buf_t canonical = FG_BUF_INIT(FG_DSIG_CANONICAL_MAX);
    unsigned char hash[FG_HASH_MAX];
    bool good = fg_xml_canonical_as(element, &how, &canonical, w->err);
    if (!good) {
        w->err->code = FG_E_SIG_STRUCTURE;
    } else {
        size_t length = fg_hash(digest->hash, canonical.data, canonical.length, hash);
        good = fg_equal_secret((fg_str_t){(const char *)hash, length}, digest->value) ||
               FG_FAIL_FOR(w->err, FG_E_SIG_INVALID, FG_R_SIGNATURE_DIGEST_MISMATCH,
                           "%s was changed after signing: digest differs", fg_dsig_name(element));
    }
    fg_buf_free(&canonical);
    return good;
}

bool fg_dsig_method_fits(const fg_dsig_method_t *method, const fg_key_t *key, size_t value_length) {
    size_t bytes = ((size_t)EVP_PKEY_get_bits(fg_key_get_pkey(key)) + 7) / 8;
    if (fg_key_is_ec(key))
        return method->family == FG_DSIG_EC && value_length == 2 * bytes;
    return method->family == FG_DSIG_RSA && value_length == bytes;
}

/* ---- ids ---- */

bool fg_dsig_looks_like_id(const xmlAttr *attribute) {
    static const char *const names[] = {"id", "assertionid", "responseid", "requestid"};
    fg_str_t name = fg_str((const char *)attribute->name);
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_eq_nocase(name, fg_str(names[i])))
            return true;
    return false;
}

bool fg_dsig_has_value(const xmlAttr *attribute, fg_str_t value) {
    const xmlNode *text = attribute->children;
    return text != NULL && text->content != NULL && fg_str_is(value, (const char *)text->content);
}

xmlNode *fg_dsig_next_element(const xmlNode *node) {
    xmlNode *next = fg_xml_first_child(node);
    while (next == NULL && node != NULL && node->type == XML_ELEMENT_NODE) {
        next = fg_xml_next(node);
        node = node->parent;
    }
    return next;
}
