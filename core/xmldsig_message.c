/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Verifying a message's signature (WS-Security 1.1 §8): detached, over parts of the same document, with a key or with a
 * shared secret.  Reading and verifying are two calls, because the key is found by what KeyInfo says, and that is for
 * the caller to judge. */
#include "core/xmldsig_parts.h"

#include <libxml/parser.h>

/* WS-Security 1.0 and 1.1 §8.3 share the name */
#define STR_TRANSFORM                                                                    \
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#" \
    "STR-Transform"
#define SIGNED_INFO_NODES_MAX 1000u

/* ---- ids ---- */

/* What is an id by definition and not only by its name: XML Signature and Encryption and old stacks have Id in no
 * namespace. */
static bool is_id(const xmlNode *node, const xmlAttr *attribute) {
    static const struct {
        const char *attribute_ns, *attribute, *element_ns; /* NULL: no namespace; any element */
    } ids[] = {
        {FG_NS_WSU, "Id", NULL}, {NULL, "Id", NULL}, {NULL, "AssertionID", FG_NS_SAML1}, {NULL, "ID", FG_NS_SAML2}};
    const char *ns = attribute->ns != NULL ? (const char *)attribute->ns->href : NULL;
    for (size_t i = 0; i < FG_ARRAY_SIZE(ids); i++)
        if (strcmp((const char *)attribute->name, ids[i].attribute) == 0 &&
            (ns == NULL || ids[i].attribute_ns == NULL ? ns == ids[i].attribute_ns
                                                       : strcmp(ns, ids[i].attribute_ns) == 0) &&
            (ids[i].element_ns == NULL || fg_xml_is(node, ids[i].element_ns, "Assertion")))
            return true;
    return false;
}

xmlNode *fg_dsig_element_by_id(const xmlDoc *doc, fg_str_t id, fg_err_t *err) {
    xmlNode *found = NULL;
    unsigned count = 0;
    for (xmlNode *node = xmlDocGetRootElement(doc); node != NULL; node = fg_dsig_next_element(node)) {
        for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
            if (!fg_dsig_looks_like_id(attribute) || !fg_dsig_has_value(attribute, id))
                continue;
            count++;
            if (is_id(node, attribute))
                found = node;
        }
    }
    if (count == 1 && found != NULL)
        return found;
    FG_FAIL_FOR(err, FG_E_SIG_STRUCTURE, count > 1 ? FG_R_STRUCTURE_AMBIGUOUS : FG_R_SIGNATURE_NOT_COVERING,
                "%u elements are called '%.*s', one expected", count, FG_STR_ARG(id));
    return NULL;
}

/* ---- References ---- */

typedef struct reading {
    fg_dsig_walk_t walk;
    const fg_dsig_scope_t *scope;
    fg_dsig_message_t *message;
} reading_t;

/* Only "#" and a name: no pointers, no other documents (XS-12). */
static xmlNode *find_target(reading_t *r, xmlNode *reference) {
    fg_dsig_walk_t *w = &r->walk;
    fg_str_t uri = fg_xml_attr(w->arena, reference, NULL, "URI");
    if (uri.n >= 2 && uri.p[0] == '#' && xmlValidateNCName((const xmlChar *)uri.p + 1, 0) == 0)
        return fg_dsig_element_by_id(r->message->signature->doc, (fg_str_t){uri.p + 1, uri.n - 1}, w->err);
    FG_FAIL_FOR(w->err, FG_E_SIG_STRUCTURE, FG_R_SIGNATURE_FORBIDDEN_REFERENCE,
                "Reference to \"%.*s\" instead of a part of this document", FG_STR_ARG(uri));
    return NULL;
}

static bool refuse_transform(fg_dsig_walk_t *w, fg_str_t algorithm) {
    return FG_FAIL_FOR(w->err, FG_E_SIG_ALGORITHM, FG_R_SIGNATURE_FORBIDDEN_TRANSFORM, "transform %.*s",
                       FG_STR_ARG(algorithm));
}

/* §8.3: the canonicalisation method is the transform's parameter. */
static bool read_parameters(reading_t *r, const xmlNode *transform, char **prefixes) {
    fg_dsig_walk_t *w = &r->walk;
    fg_str_t algorithm;
    const xmlNode *parameters = fg_xml_first_child(transform);
    if (!fg_xml_is(parameters, FG_NS_WSSE, "TransformationParameters") || fg_xml_next(parameters) != NULL)
        return FG_DSIG_REFUSE(w, "STR-Transform without its parameters");
    xmlNode *at = fg_xml_first_child(parameters);
    xmlNode *method = fg_dsig_take_method(w, &at, "CanonicalizationMethod", &algorithm);
    if (method == NULL || !fg_dsig_check_attributes(w, parameters, "", "") || !fg_dsig_check_end(w, at))
        return false;
    return fg_str_is(algorithm, FG_NS_EXC_C14N) ? fg_dsig_read_prefixes(w, method, prefixes)
                                                : refuse_transform(w, algorithm);
}

static bool holds_signature(const reading_t *r, const xmlNode *element) {
    for (const xmlNode *node = r->message->signature; node != NULL; node = node->parent)
        if (node == element)
            return true;
    return false;
}

/* The enveloped one takes the signature out of what is digested; programs put it into detached signatures as well,
 * where it does nothing (XML Signature §6.6.4).  Where it would do something, it is refused. */
static xmlNode *skip_enveloped(reading_t *r, xmlNode *transform, xmlNode **at, const xmlNode *element,
                               fg_str_t *algorithm) {
    fg_dsig_walk_t *w = &r->walk;
    if (transform == NULL || !fg_str_is(*algorithm, FG_DSIG_ENVELOPED))
        return transform;
    if (!fg_dsig_check_empty(w, transform))
        return NULL;
    if (holds_signature(r, element)) {
        (void)refuse_transform(w, *algorithm);
        return NULL;
    }
    return fg_dsig_take_method(w, at, "Transform", algorithm);
}

/* Exactly one that does anything, so that what is digested is never what an earlier one has made of it (XS-14, XS-15).
 */
static bool read_transforms(reading_t *r, xmlNode **at, const xmlNode *element, fg_dsig_digest_t *digest,
                            bool *dereferenced) {
    fg_dsig_walk_t *w = &r->walk;
    fg_str_t algorithm;
    xmlNode *transforms = fg_dsig_take(w, at, "Transforms");
    if (transforms == NULL || !fg_dsig_check_attributes(w, transforms, "", ""))
        return false;
    xmlNode *inner = fg_xml_first_child(transforms);
    xmlNode *transform = fg_dsig_take_method(w, &inner, "Transform", &algorithm);
    transform = skip_enveloped(r, transform, &inner, element, &algorithm);
    if (transform == NULL || !fg_dsig_check_end(w, inner))
        return false;
    *dereferenced = fg_str_is(algorithm, STR_TRANSFORM) && r->scope->dereference != NULL;
    if (*dereferenced)
        return read_parameters(r, transform, digest->prefixes);
    return fg_str_is(algorithm, FG_NS_EXC_C14N) ? fg_dsig_read_prefixes(w, transform, digest->prefixes)
                                                : refuse_transform(w, algorithm);
}

/* The token must stand in this document, whatever the caller has found (WT-07). */
static xmlNode *dereference(reading_t *r, xmlNode *target) {
    fg_dsig_walk_t *w = &r->walk;
    if (!fg_xml_is(target, FG_NS_WSSE, "SecurityTokenReference")) {
        (void)FG_DSIG_REFUSE(w, "STR-Transform of %s", fg_dsig_name(target));
        return NULL;
    }
    xmlNode *token = r->scope->dereference(r->scope->context, target, w->err);
    const xmlNode *top = token;
    while (top != NULL && top->parent != NULL && top->parent->type == XML_ELEMENT_NODE)
        top = top->parent;
    if (token == NULL || (token->type == XML_ELEMENT_NODE && top == xmlDocGetRootElement(r->message->signature->doc)))
        return token;
    (void)FG_DSIG_REFUSE(w, "SecurityTokenReference to something outside the message");
    return NULL;
}

/* One element counts once: who reads what was covered need not ask twice. */
static bool note_reference(reading_t *r, xmlNode *element, bool dereferenced) {
    fg_dsig_message_t *message = r->message;
    for (size_t i = 0; i < message->reference_count; i++)
        if (message->references[i].element == element)
            return FG_FAIL_FOR(r->walk.err, FG_E_SIG_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS,
                               "two References to the same %s", fg_dsig_name(element));
    message->references[message->reference_count++] = (fg_dsig_reference_t){element, dereferenced};
    return true;
}

static bool read_reference(reading_t *r, xmlNode *reference) {
    fg_dsig_walk_t *w = &r->walk;
    fg_dsig_digest_t digest = {.prefixes = {NULL}};
    bool dereferenced;
    xmlNode *at = fg_xml_first_child(reference);
    if (!fg_dsig_check_attributes(w, reference, "URI", "Id"))
        return false;
    xmlNode *element = find_target(r, reference);
    if (element == NULL || !read_transforms(r, &at, element, &digest, &dereferenced) ||
        !fg_dsig_read_digest(w, at, &digest))
        return false;
    if (dereferenced && (element = dereference(r, element)) == NULL)
        return false;
    r->message->sha1 = r->message->sha1 || digest.hash == FG_HASH_SHA1;
    return fg_dsig_check_digest(w, element, NULL, &digest, dereferenced) && note_reference(r, element, dereferenced);
}

static bool read_references(reading_t *r, xmlNode *at) {
    fg_dsig_walk_t *w = &r->walk;
    do {
        xmlNode *reference = fg_dsig_take(w, &at, "Reference"); /* at least one (XS-13) */
        if (reference == NULL)
            return false;
        if (r->message->reference_count == FG_DSIG_REFERENCES_MAX)
            return FG_DSIG_REFUSE(w, "more than %u References", FG_DSIG_REFERENCES_MAX);
        if (!read_reference(r, reference))
            return false;
    } while (at != NULL);
    return true;
}

/* ---- the whole ---- */

/* One key (XS-22), and no fetching (XS-21). */
static bool read_key_info(reading_t *r, const xmlNode *key_info) {
    static const struct {
        const char *ns, *name;
    } kinds[] = {
        {FG_NS_WSSE, "SecurityTokenReference"}, {FG_NS_DS, "X509Data"}, {FG_NS_DS, "KeyValue"}, {FG_NS_DS, "KeyName"}};
    fg_dsig_walk_t *w = &r->walk;
    xmlNode *child = fg_xml_first_child(key_info);
    if (!fg_dsig_check_level(w, key_info) || !fg_dsig_check_attributes(w, key_info, "Id", "Id"))
        return false;
    if (child == NULL || fg_xml_next(child) != NULL)
        return FG_DSIG_REFUSE(w, "KeyInfo with %s", child ? "more than one child" : "nothing in it");
    r->message->reference_to_key = child;
    for (size_t i = 0; i < FG_ARRAY_SIZE(kinds); i++)
        if (fg_xml_is(child, kinds[i].ns, kinds[i].name))
            return true;
    return FG_DSIG_REFUSE(w, "KeyInfo with %s", fg_dsig_name(child));
}

static bool keep_signed_info(reading_t *r) {
    fg_dsig_walk_t *w = &r->walk;
    fg_buf_t canonical = FG_BUF_INIT(FG_DSIG_CANONICAL_MAX);
    bool good = fg_xml_canonical_without(w->signed_info, NULL, w->prefixes, &canonical, w->err);
    if (!good) {
        w->err->code = FG_E_SIG_STRUCTURE;
    } else {
        r->message->signed_info = fg_arena_str(w->arena, fg_buf_str(&canonical));
        good = r->message->signed_info.p != NULL || FG_FAIL(w->err, FG_E_MEMORY, "SignedInfo");
    }
    fg_buf_free(&canonical);
    return good;
}

static void note_method(reading_t *r) {
    fg_dsig_message_t *message = r->message;
    message->method = r->walk.method;
    message->signature_uri = message->method->uri;
    message->hmac = message->method->family == FG_DSIG_HMAC;
    message->sha1 = message->sha1 || message->method->hash == FG_HASH_SHA1;
    message->signature_value = r->walk.signature_value;
}

static bool read_signature(reading_t *r, xmlNode *signature) {
    fg_dsig_walk_t *w = &r->walk;
    unsigned budget = SIGNED_INFO_NODES_MAX;
    xmlNode *reference, *rest;
    if (!fg_xml_is(signature, FG_NS_DS, "Signature"))
        return FG_DSIG_REFUSE(w, "%s is no signature", fg_dsig_name(signature));
    /* what stands inside KeyInfo, a token perhaps, has its own reader */
    for (const xmlNode *part = fg_xml_first_child(signature); part != NULL; part = fg_xml_next(part))
        if (!fg_xml_is(part, FG_NS_DS, "KeyInfo") && !fg_dsig_check_nodes(w, part, &budget))
            return false;
    if (!fg_dsig_check_level(w, signature) || !fg_dsig_read_frame(w, signature, &reference, &rest))
        return false;
    if (fg_xml_is(rest, FG_NS_DS, "KeyInfo")) {
        if (!read_key_info(r, rest))
            return false;
        rest = fg_xml_next(rest);
    }
    return fg_dsig_check_end(w, rest) && read_references(r, reference) && keep_signed_info(r);
}

bool fg_dsig_message_read(fg_arena_t *arena, xmlNode *signature, const fg_dsig_scope_t *scope,
                          fg_dsig_message_t *message, fg_err_t *err) {
    fg_err_t local = FG_ERR_INIT;
    reading_t r = {.scope = scope, .message = message};
    r.walk.arena = arena;
    r.walk.err = err ? err : &local;
    r.walk.allow_sha1 = scope->allow_sha1;
    r.walk.allow_hmac = true;
    memset(message, 0, sizeof *message);
    message->signature = signature;
    if (read_signature(&r, signature)) {
        note_method(&r);
        return true;
    }
    memset(message, 0, sizeof *message); /* a caller that goes on all the same finds nothing covered */
    return false;
}

/* ---- the value ---- */

bool fg_dsig_message_verify(const fg_dsig_message_t *message, const fg_key_t *key, fg_err_t *err) {
    const fg_dsig_method_t *method = message->method;
    if (method == NULL)
        return FG_FAIL(err, FG_E_INTERNAL, "a signature that was not read");
    if (method->family == FG_DSIG_HMAC) /* XS-24: a public key is no secret */
        return FG_FAIL(err, FG_E_SIG_KEY, "%s goes with a shared secret, not with a key", method->uri);
    if (!fg_dsig_method_fits(method, key, message->signature_value.n))
        return FG_FAIL(err, FG_E_SIG_KEY, "the key does not fit %s", method->uri);
    return fg_key_verify_hash(key, method->hash, message->signed_info, message->signature_value, NULL) ||
           FG_FAIL(err, FG_E_SIG_INVALID, "the message's signature was not made by this key");
}

size_t fg_dsig_hmac(fg_hash_t hash, fg_str_t secret, fg_str_t data, unsigned char out[FG_HASH_MAX]) {
    if (hash == FG_HASH_SHA1) {
        fg_hmac_sha1(secret, data, out);
        return FG_SHA1_SIZE;
    }
    fg_hmac_sha256(secret, data, out);
    return FG_SHA256_SIZE;
}

bool fg_dsig_message_verify_secret(const fg_dsig_message_t *message, fg_str_t secret, fg_err_t *err) {
    const fg_dsig_method_t *method = message->method;
    unsigned char expected[FG_HASH_MAX];
    if (method == NULL)
        return FG_FAIL(err, FG_E_INTERNAL, "a signature that was not read");
    if (method->family != FG_DSIG_HMAC)
        return FG_FAIL(err, FG_E_SIG_KEY, "%s goes with a key, not with a shared secret", method->uri);
    if (secret.n < FG_DSIG_SECRET_MIN)
        return FG_FAIL(err, FG_E_SIG_KEY, "a shared secret of %zu bytes, %u are the least", secret.n,
                       FG_DSIG_SECRET_MIN);
    size_t length = fg_dsig_hmac(method->hash, secret, message->signed_info, expected);
    return fg_equal_secret((fg_str_t){(const char *)expected, length}, message->signature_value) ||
           FG_FAIL(err, FG_E_SIG_INVALID, "the message's signature was not made with this secret");
}
