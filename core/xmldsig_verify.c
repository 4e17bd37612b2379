/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Verifying (XML Signature §3.2).  Three steps, each of which can only refuse:
 *   1. our own walk over ds:Signature, which admits one shape and nothing else;
 *   2. our own digest over the element that will be read, so that it is certain what the Reference stands for;
 *   3. xmlsec, with a key of ours set and everything else that it could do switched off. */
#include "core/xmldsig.h"

#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>

#include "core/algorithms.h"
#include "core/crypto.h"

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define ENVELOPED FG_NS_DS "enveloped-signature"
#define PREFIXES_MAX 32u
#define PREFIX_LIST_MAX 512u
#define SIGNATURE_NODES_MAX 200u
#define KEYS_MAX 8u

typedef struct method {
    const char *uri;
    bool ec;
    bool sha1;
    xmlSecTransformId (*klass)(void);
} method_t;

static const method_t methods[] = {
    {MORE "rsa-sha256", false, false, xmlSecOpenSSLTransformRsaSha256GetKlass},
    {MORE "rsa-sha384", false, false, xmlSecOpenSSLTransformRsaSha384GetKlass},
    {MORE "rsa-sha512", false, false, xmlSecOpenSSLTransformRsaSha512GetKlass},
    {MORE "ecdsa-sha256", true, false, xmlSecOpenSSLTransformEcdsaSha256GetKlass},
    {MORE "ecdsa-sha384", true, false, xmlSecOpenSSLTransformEcdsaSha384GetKlass},
    {MORE "ecdsa-sha512", true, false, xmlSecOpenSSLTransformEcdsaSha512GetKlass},
    {FG_NS_DS "rsa-sha1", false, true, xmlSecOpenSSLTransformRsaSha1GetKlass},
};

static const EVP_MD *sha1(void) { return fg_algorithms_get()->sha1; }
static const EVP_MD *sha256(void) { return fg_algorithms_get()->sha256; }
static const EVP_MD *sha384(void) { return fg_algorithms_get()->sha384; }
static const EVP_MD *sha512(void) { return fg_algorithms_get()->sha512; }

typedef struct digest_method {
    const char *uri;
    bool sha1;
    const EVP_MD *(*md)(void);
    xmlSecTransformId (*klass)(void);
} digest_method_t;

static const digest_method_t digest_methods[] = {
    {FG_NS_XENC "sha256", false, sha256, xmlSecOpenSSLTransformSha256GetKlass},
    {MORE "sha384", false, sha384, xmlSecOpenSSLTransformSha384GetKlass},
    {FG_NS_XENC "sha512", false, sha512, xmlSecOpenSSLTransformSha512GetKlass},
    {FG_NS_DS "sha1", true, sha1, xmlSecOpenSSLTransformSha1GetKlass},
};

/* What the walk finds out. */
typedef struct walk {
    fg_arena_t *arena;
    fg_err_t *err;
    bool allow_sha1;
    xmlNode *element;
    xmlAttr *id;
    xmlNode *signature;
    const method_t *method;
    const digest_method_t *digest;
    fg_str_t digest_value;    /* decoded */
    fg_str_t signature_value; /* decoded */
    char *prefixes[PREFIXES_MAX + 1];
} walk_t;

#define REFUSE(w, ...) FG_FAIL((w)->err, FG_E_SIG_STRUCTURE, __VA_ARGS__)

static const char *name_of(const xmlNode *node) { return node ? (const char *)node->name : "nothing"; }

/* ---- shape of nodes ---- */

/* Only elements, and text either alone or blank between elements: no comments, CDATA, entities (XS-18, XS-19). */
static bool check_nodes(walk_t *w, const xmlNode *parent, unsigned *budget) {
    bool has_elements = fg_xml_first_child(parent) != NULL;
    for (xmlNode *node = parent->children; node != NULL; node = node->next) {
        if ((*budget)-- == 0)
            return REFUSE(w, "signature with too many parts");
        if (node->type == XML_TEXT_NODE) {
            if (has_elements && fg_str_trim(fg_str((const char *)node->content)).n > 0)
                return REFUSE(w, "text between the elements of %s", name_of(parent));
        } else if (node->type != XML_ELEMENT_NODE) {
            return REFUSE(w, "comment or the like in %s", name_of(parent));
        } else if (!check_nodes(w, node, budget)) {
            return false;
        }
    }
    return true;
}

/* No attribute but these two, which are in no namespace. */
static bool check_attributes(walk_t *w, const xmlNode *node, const char *one, const char *two) {
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
        const char *name = (const char *)attribute->name;
        if (attribute->ns != NULL || (strcmp(name, one) != 0 && strcmp(name, two) != 0))
            return REFUSE(w, "attribute %s of %s", name, name_of(node));
    }
    return true;
}

static bool check_empty(walk_t *w, const xmlNode *node) {
    return node->children == NULL || REFUSE(w, "%s is not empty", name_of(node));
}

static bool check_end(walk_t *w, const xmlNode *at) { return at == NULL || REFUSE(w, "%s not expected", name_of(at)); }

/* The element at *at must be this one; moves on. */
static xmlNode *take(walk_t *w, xmlNode **at, const char *name) {
    xmlNode *node = *at;
    if (!fg_xml_is(node, FG_NS_DS, name)) {
        (void)REFUSE(w, "%s expected, found %s", name, name_of(node));
        return NULL;
    }
    *at = fg_xml_next(node);
    return node;
}

/* The same for an element with nothing but an Algorithm. */
static xmlNode *take_method(walk_t *w, xmlNode **at, const char *name, fg_str_t *algorithm) {
    xmlNode *node = take(w, at, name);
    if (node == NULL || !check_attributes(w, node, "Algorithm", "Algorithm"))
        return NULL;
    *algorithm = fg_xml_attr(w->arena, node, NULL, "Algorithm");
    return node;
}

static bool take_value(walk_t *w, xmlNode **at, const char *name, const char *attribute, fg_str_t *bytes) {
    xmlNode *node = take(w, at, name);
    if (node == NULL || !check_attributes(w, node, attribute, attribute))
        return false;
    fg_str_t text = fg_xml_text(w->arena, node, w->err);
    if (text.p == NULL)
        return REFUSE(w, "%s without text", name);
    fg_buf_t decoded = FG_BUF_INIT(1024);
    bool good = fg_base64_decode_xml(&decoded, text) && decoded.length > 0;
    *bytes = good ? fg_arena_str(w->arena, fg_buf_str(&decoded)) : FG_STR_NONE;
    fg_buf_free(&decoded);
    return bytes->p != NULL || REFUSE(w, "%s is not base64", name);
}

/* ---- the parts of a signature, from the inside out ---- */

static bool is_prefix(const char *token) {
    return strcmp(token, "#default") == 0 || xmlValidateNCName((const xmlChar *)token, 0) == 0;
}

/* Exclusive XML Canonicalization §4: the only parameter there is (XS-17).  prefixes NULL: only checked. */
static bool read_prefix_list(walk_t *w, const xmlNode *method, char **prefixes) {
    unsigned count = 0;
    const xmlNode *list = fg_xml_first_child(method);
    if (list == NULL)
        return check_empty(w, method);
    if (!fg_xml_is(list, FG_NS_EXC_C14N, "InclusiveNamespaces") || fg_xml_next(list) != NULL)
        return REFUSE(w, "%s in %s", name_of(list), name_of(method));
    if (!check_attributes(w, list, "PrefixList", "PrefixList") || !check_empty(w, list))
        return false;
    fg_str_t text = fg_xml_attr(w->arena, list, NULL, "PrefixList");
    if (text.p == NULL || text.n > PREFIX_LIST_MAX)
        return REFUSE(w, "PrefixList of %zu bytes", text.n);
    char *rest = fg_arena_strndup(w->arena, text.p, text.n), *token;
    if (rest == NULL)
        return FG_FAIL(w->err, FG_E_MEMORY, "PrefixList");
    while ((token = strsep(&rest, " ")) != NULL) {
        if (*token == '\0')
            continue;
        if (count == PREFIXES_MAX || !is_prefix(token))
            return REFUSE(w, "odd PrefixList");
        if (prefixes != NULL)
            prefixes[count] = token;
        count++;
    }
    return true;
}

/* Enveloped and exclusive C14N without comments, in this order, and nothing else (XP-06, XS-14, XS-15): without the
 * latter the default would be inclusive C14N. */
static bool read_transforms(walk_t *w, const xmlNode *transforms) {
    xmlNode *at = fg_xml_first_child(transforms);
    fg_str_t algorithm;
    if (!check_attributes(w, transforms, "", ""))
        return false;
    xmlNode *transform = take_method(w, &at, "Transform", &algorithm);
    if (transform == NULL || !check_empty(w, transform))
        return false;
    if (!fg_str_is(algorithm, ENVELOPED))
        return FG_FAIL(w->err, FG_E_SIG_ALGORITHM, "transform %.*s", FG_STR_ARG(algorithm));
    transform = take_method(w, &at, "Transform", &algorithm);
    if (transform == NULL)
        return false;
    if (!fg_str_is(algorithm, FG_NS_EXC_C14N))
        return FG_FAIL(w->err, FG_E_SIG_ALGORITHM, "transform %.*s", FG_STR_ARG(algorithm));
    return read_prefix_list(w, transform, w->prefixes) && check_end(w, at);
}

static bool refuse_algorithm(walk_t *w, const char *what, fg_str_t uri, bool known) {
    const char *hint = known ? " (SHA-1 is not allowed for this partner)" : "";
    return FG_FAIL(w->err, FG_E_SIG_ALGORITHM, "%s %.*s%s", what, FG_STR_ARG(uri), hint);
}

static bool read_digest_method(walk_t *w, xmlNode **at) {
    fg_str_t uri;
    xmlNode *node = take_method(w, at, "DigestMethod", &uri);
    if (node == NULL || !check_empty(w, node))
        return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(digest_methods); i++)
        if (fg_str_is(uri, digest_methods[i].uri))
            w->digest = &digest_methods[i];
    if (w->digest == NULL || (w->digest->sha1 && !w->allow_sha1))
        return refuse_algorithm(w, "digest method", uri, w->digest != NULL);
    return true;
}

/* XS-23: HMACOutputLength would be a child, and there may be none. */
static bool read_signature_method(walk_t *w, xmlNode **at) {
    fg_str_t uri;
    xmlNode *node = take_method(w, at, "SignatureMethod", &uri);
    if (node == NULL || !check_empty(w, node))
        return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++)
        if (fg_str_is(uri, methods[i].uri))
            w->method = &methods[i];
    if (w->method == NULL || (w->method->sha1 && !w->allow_sha1))
        return refuse_algorithm(w, "signature method", uri, w->method != NULL);
    return true;
}

/* XS-12: only "#" and the id of the element that is meant. */
static bool read_reference(walk_t *w, xmlNode *reference) {
    fg_str_t uri = fg_xml_attr(w->arena, reference, NULL, "URI");
    const char *id = (const char *)w->id->children->content;
    if (!check_attributes(w, reference, "URI", "Id"))
        return false;
    if (uri.n < 2 || uri.p[0] != '#' || strcmp(uri.p + 1, id) != 0)
        return REFUSE(w, "Reference to \"%.*s\" instead of the element with the signature", FG_STR_ARG(uri));
    xmlNode *at = fg_xml_first_child(reference);
    xmlNode *transforms = take(w, &at, "Transforms");
    return transforms != NULL && read_transforms(w, transforms) && read_digest_method(w, &at) &&
           take_value(w, &at, "DigestValue", "", &w->digest_value) && check_end(w, at);
}

static bool read_signed_info(walk_t *w, xmlNode *signed_info) {
    fg_str_t algorithm;
    xmlNode *at = fg_xml_first_child(signed_info);
    xmlNode *c14n = take_method(w, &at, "CanonicalizationMethod", &algorithm);
    if (c14n == NULL || !check_attributes(w, signed_info, "Id", "Id"))
        return false;
    if (!fg_str_is(algorithm, FG_NS_EXC_C14N))
        return FG_FAIL(w->err, FG_E_SIG_ALGORITHM, "canonicalization method %.*s", FG_STR_ARG(algorithm));
    if (!read_prefix_list(w, c14n, NULL) || !read_signature_method(w, &at))
        return false;
    xmlNode *reference = take(w, &at, "Reference");
    return reference != NULL && read_reference(w, reference) && check_end(w, at);
}

/* What KeyInfo says is not used; but what asks for a fetch or offers several keys is refused (XS-21, XS-22). */
static bool check_key_info(walk_t *w, const xmlNode *key_info) {
    static const struct {
        const char *ns, *name;
    } kinds[] = {
        {FG_NS_DS, "X509Data"}, {FG_NS_DS, "KeyValue"}, {FG_NS_DS, "KeyName"}, {FG_NS_WSSE, "SecurityTokenReference"}};
    unsigned known = 0, children = 0;
    for (const xmlNode *node = fg_xml_first_child(key_info); node != NULL; node = fg_xml_next(node))
        children++;
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++) {
        unsigned count;
        (void)fg_xml_child(key_info, kinds[i].ns, kinds[i].name, &count);
        if (count > 1)
            return REFUSE(w, "KeyInfo with %u %s", count, kinds[i].name);
        known += count;
    }
    return known == children || REFUSE(w, "KeyInfo with something else than a certificate, key value or name");
}

static bool read_signature(walk_t *w) {
    unsigned budget = SIGNATURE_NODES_MAX;
    if (!check_nodes(w, w->signature, &budget) || !check_attributes(w, w->signature, "Id", "Id"))
        return false;
    xmlNode *at = fg_xml_first_child(w->signature);
    xmlNode *signed_info = take(w, &at, "SignedInfo");
    if (signed_info == NULL || !read_signed_info(w, signed_info) ||
        !take_value(w, &at, "SignatureValue", "Id", &w->signature_value))
        return false;
    if (fg_xml_is(at, FG_NS_DS, "KeyInfo")) {
        if (!check_key_info(w, at))
            return false;
        at = fg_xml_next(at);
    }
    return check_end(w, at);
}

/* ---- the element and its id ---- */

static bool find_signature(walk_t *w) {
    unsigned count;
    w->signature = fg_xml_child(w->element, FG_NS_DS, "Signature", &count);
    if (count == 0)
        return FG_FAIL(w->err, FG_E_SIG_MISSING, "%s has no signature", name_of(w->element));
    return count == 1 || REFUSE(w, "%u signatures in one %s", count, name_of(w->element));
}

static bool find_id(walk_t *w, const char *attribute) {
    xmlAttr *id = w->element->properties;
    while (id != NULL && (id->ns != NULL || strcmp((const char *)id->name, attribute) != 0))
        id = id->next;
    if (id == NULL || id->children == NULL || id->children->type != XML_TEXT_NODE || id->children->next != NULL)
        return REFUSE(w, "%s has no %s", name_of(w->element), attribute);
    w->id = id;
    return xmlValidateNCName(id->children->content, 0) == 0 ||
           REFUSE(w, "%s of %s is not a name", attribute, name_of(w->element));
}

/* Whatever anyone may take for an id, in any namespace (XS-11): wsu:Id, xml:id and x:ID are among them. */
static bool looks_like_id(const xmlAttr *attribute) {
    static const char *const names[] = {"id", "assertionid", "responseid", "requestid"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_eq_nocase(fg_str((const char *)attribute->name), fg_str(names[i])))
            return true;
    return false;
}

static bool has_value(const xmlAttr *attribute, const char *value) {
    const xmlNode *text = attribute->children;
    return text != NULL && text->content != NULL && strcmp((const char *)text->content, value) == 0;
}

static xmlNode *next_element(const xmlNode *node) {
    xmlNode *child = fg_xml_first_child(node);
    while (child == NULL && node != NULL && node->type == XML_ELEMENT_NODE) {
        child = fg_xml_next(node);
        node = node->parent;
    }
    return child;
}

static bool check_id_is_unique(walk_t *w) {
    const char *value = (const char *)w->id->children->content;
    for (xmlNode *node = xmlDocGetRootElement(w->element->doc); node != NULL; node = next_element(node))
        for (const xmlAttr *other = node->properties; other != NULL; other = other->next)
            if (other != w->id && looks_like_id(other) && has_value(other, value))
                return REFUSE(w, "the id of %s occurs again in %s", name_of(w->element), name_of(node));
    return true;
}

/* ---- cryptography ---- */

static bool check_digest(walk_t *w) {
    fg_buf_t canonical = FG_BUF_INIT(8u << 20);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    bool good = fg_xml_canonical_without(w->element, w->signature, w->prefixes, &canonical, w->err);
    if (!good)
        w->err->code = FG_E_SIG_STRUCTURE;
    else if (EVP_Digest(canonical.data, canonical.length, digest, &length, w->digest->md(), NULL) != 1 ||
             length != w->digest_value.n || CRYPTO_memcmp(digest, w->digest_value.p, length) != 0)
        good = FG_FAIL(w->err, FG_E_SIG_INVALID, "%s was changed after signing: digest differs", name_of(w->element));
    fg_buf_free(&canonical);
    return good;
}

/* The right kind, and the signature exactly as long as such a key makes it (XS-24, XS-27).  Weak keys do not become
 * fg_key_t. */
static bool key_fits(const walk_t *w, const fg_key_t *key) {
    size_t bits = (size_t)EVP_PKEY_get_bits(fg_key_get_pkey(key));
    if (w->method->ec)
        return fg_key_is_ec(key) && w->signature_value.n == 2 * ((bits + 7) / 8);
    return !fg_key_is_ec(key) && w->signature_value.n == (bits + 7) / 8;
}

static xmlSecKey *make_xmlsec_key(const fg_key_t *key) {
    EVP_PKEY *pkey = fg_key_get_pkey(key);
    xmlSecKey *made = xmlSecKeyCreate();
    if (made == NULL || EVP_PKEY_up_ref(pkey) != 1)
        goto fail;
    xmlSecKeyDataPtr data = xmlSecOpenSSLEvpKeyAdopt(pkey);
    if (data == NULL) {
        EVP_PKEY_free(pkey);
        goto fail;
    }
    if (xmlSecKeySetValue(made, data) == 0)
        return made;
    xmlSecKeyDataDestroy(data);
fail:
    if (made != NULL)
        xmlSecKeyDestroy(made);
    return NULL;
}

/* xmlsec may do what the walk has admitted and nothing else: a second fence behind the first.  An empty list would mean
 * "all". */
static bool restrict_xmlsec(xmlSecDSigCtx *context, const walk_t *w) {
    context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    return xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformEnvelopedId) == 0 &&
           xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableReferenceTransform(context, w->digest->klass()) == 0 &&
           xmlSecDSigCtxEnableSignatureTransform(context, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableSignatureTransform(context, w->method->klass()) == 0 &&
           xmlSecPtrListAdd(&context->keyInfoReadCtx.enabledKeyData, (void *)xmlSecKeyDataNameId) == 0;
}

static bool verify_with_key(const walk_t *w, const fg_key_t *key) {
    bool good = false;
    xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
    if (context == NULL)
        return false;
    context->signKey = make_xmlsec_key(key); /* set before: KeyInfo is not looked at (XS-20) */
    if (context->signKey != NULL && restrict_xmlsec(context, w))
        good = xmlSecDSigCtxVerify(context, w->signature) >= 0 && context->status == xmlSecDSigStatusSucceeded &&
               xmlSecPtrListGetSize(&context->signedInfoReferences) == 1;
    xmlSecDSigCtxDestroy(context);
    ERR_clear_error();
    return good;
}

/* The id of this one element is known to libxml2 while xmlsec resolves the Reference. */
static const fg_key_t *verify_with_keys(const walk_t *w, const fg_dsig_trust_t *trust, unsigned *tried) {
    const fg_key_t *found = NULL;
    xmlDoc *doc = w->element->doc;
    if (xmlAddID(NULL, doc, w->id->children->content, w->id) == NULL)
        return NULL;
    for (size_t i = 0; i < trust->key_count && *tried < KEYS_MAX && found == NULL; i++) {
        if (!key_fits(w, trust->keys[i]))
            continue;
        ++*tried;
        if (verify_with_key(w, trust->keys[i]))
            found = trust->keys[i];
    }
    xmlRemoveID(doc, w->id);
    return found;
}

static bool check_signature(walk_t *w, const fg_dsig_trust_t *trust, fg_dsig_verified_t *verified) {
    unsigned tried = 0;
    fg_xml_quiet_t quiet = fg_xml_quiet_begin();
    const fg_key_t *key = verify_with_keys(w, trust, &tried);
    fg_xml_quiet_end(quiet);
    if (key == NULL && tried == 0)
        return FG_FAIL(w->err, FG_E_SIG_KEY, "none of %zu trusted keys fits %s", trust->key_count, w->method->uri);
    if (key == NULL)
        return FG_FAIL(w->err, FG_E_SIG_INVALID, "signature of %s made by none of %zu trusted keys",
                       name_of(w->element), trust->key_count);
    *verified = (fg_dsig_verified_t){w->element, key, w->method->uri, w->method->sha1 || w->digest->sha1};
    return true;
}

bool fg_dsig_verify_enveloped(xmlNode *element, const char *id_attribute, const fg_dsig_trust_t *trust,
                              fg_dsig_verified_t *verified, fg_err_t *err) {
    fg_err_t local = FG_ERR_INIT;
    walk_t w = {
        .arena = fg_arena_new(0), .err = err ? err : &local, .allow_sha1 = trust->allow_sha1, .element = element};
    memset(verified, 0, sizeof *verified);
    if (w.arena == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "verification");
    bool good = find_signature(&w) && find_id(&w, id_attribute) && check_id_is_unique(&w) && read_signature(&w) &&
                check_digest(&w) && check_signature(&w, trust, verified);
    fg_arena_free(w.arena);
    return good;
}
