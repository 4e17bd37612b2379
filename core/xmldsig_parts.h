/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files xmldsig_*.c: nobody else includes this.  The walk over a ds:Signature admits one shape and refuses
 * everything else; what an assertion's signature and a message's have in common is here. */
#ifndef FG_CORE_XMLDSIG_PARTS_H
#define FG_CORE_XMLDSIG_PARTS_H

#include "core/crypto.h"
#include "core/xmldsig.h"

#define FG_DSIG_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define FG_DSIG_ENVELOPED FG_NS_DS "enveloped-signature"
#define FG_DSIG_PREFIXES_MAX 32u
#define FG_DSIG_CANONICAL_MAX (8u << 20)

typedef enum fg_dsig_family { FG_DSIG_RSA, FG_DSIG_EC, FG_DSIG_HMAC } fg_dsig_family_t;

typedef struct fg_dsig_method {
    const char *uri;
    fg_dsig_family_t family;
    fg_hash_t hash;
} fg_dsig_method_t;

/* What the walk needs and finds out. */
typedef struct fg_dsig_walk {
    fg_arena_t *arena;
    fg_err_t *err;
    bool allow_sha1;
    bool allow_hmac;
    const fg_dsig_method_t *method;
    xmlNode *signed_info;
    fg_str_t signature_value;                 /* decoded */
    char *prefixes[FG_DSIG_PREFIXES_MAX + 1]; /* of SignedInfo's own canonical form */
} fg_dsig_walk_t;

/* A Reference's digest, and how to come to it. */
typedef struct fg_dsig_digest {
    fg_hash_t hash;
    fg_str_t value; /* decoded */
    char *prefixes[FG_DSIG_PREFIXES_MAX + 1];
} fg_dsig_digest_t;

#define FG_DSIG_REFUSE(w, ...) FG_FAIL((w)->err, FG_E_SIG_STRUCTURE, __VA_ARGS__)

static inline const char *fg_dsig_name(const xmlNode *node) { return node ? (const char *)node->name : "nothing"; }

/* Only elements, and text either alone or blank between elements: no comments, CDATA, entities (XS-18, XS-19).  budget:
 * how many nodes there may be; level: of this element alone. */
bool fg_dsig_check_level(fg_dsig_walk_t *w, const xmlNode *parent) FG_MUST_CHECK;
bool fg_dsig_check_nodes(fg_dsig_walk_t *w, const xmlNode *parent, unsigned *budget) FG_MUST_CHECK;
/* No attribute but these two, which are in no namespace; no content; no more elements. */
bool fg_dsig_check_attributes(fg_dsig_walk_t *w, const xmlNode *node, const char *one, const char *two) FG_MUST_CHECK;
bool fg_dsig_check_empty(fg_dsig_walk_t *w, const xmlNode *node) FG_MUST_CHECK;
bool fg_dsig_check_end(fg_dsig_walk_t *w, const xmlNode *at) FG_MUST_CHECK;

/* The element at *at must be this one of ds; moves on. */
xmlNode *fg_dsig_take(fg_dsig_walk_t *w, xmlNode **at, const char *name) FG_MUST_CHECK;
/* The same for an element with an Algorithm and no other attribute. */
xmlNode *fg_dsig_take_method(fg_dsig_walk_t *w, xmlNode **at, const char *name, fg_str_t *algorithm) FG_MUST_CHECK;

/* The parameter of exclusive C14N (Exclusive XML Canonicalization §4), the only one that it has (XS-17). */
bool fg_dsig_read_prefixes(fg_dsig_walk_t *w, const xmlNode *method, char **prefixes) FG_MUST_CHECK;
/* DigestMethod and DigestValue, which end a Reference. */
bool fg_dsig_read_digest(fg_dsig_walk_t *w, xmlNode *at, fg_dsig_digest_t *digest) FG_MUST_CHECK;
/* From the signature's first child on: SignedInfo with its two methods, and SignatureValue.  *reference is the first
 * element behind the methods, *rest the first behind SignatureValue. */
bool fg_dsig_read_frame(fg_dsig_walk_t *w, xmlNode *signature, xmlNode **reference, xmlNode **rest) FG_MUST_CHECK;

/* Canonicalises and compares. */
bool fg_dsig_check_digest(fg_dsig_walk_t *w, const xmlNode *element, const xmlNode *without,
                          const fg_dsig_digest_t *digest, bool as_alone) FG_MUST_CHECK;
/* Whether a key can have made such a value (XS-24, XS-27).  Weak keys do not become fg_key_t. */
bool fg_dsig_method_fits(const fg_dsig_method_t *method, const fg_key_t *key, size_t value_length);

/* Whatever anyone may take for an id, in any namespace (XS-11): wsu:Id, xml:id and x:ID are among them. */
bool fg_dsig_looks_like_id(const xmlAttr *attribute);
bool fg_dsig_has_value(const xmlAttr *attribute, fg_str_t value);
/* The node's next element in document order; NULL: none. */
xmlNode *fg_dsig_next_element(const xmlNode *node);

/* HMAC-SHA1 or HMAC-SHA256; returns the length. */
size_t fg_dsig_hmac(fg_hash_t hash, fg_str_t secret, fg_str_t data, unsigned char out[FG_HASH_MAX]);

#endif
