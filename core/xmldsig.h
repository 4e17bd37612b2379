/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * XML Signature (W3C, second edition): signing what the canonical writer wrote, verifying what others made. */
#ifndef FG_CORE_XMLDSIG_H
#define FG_CORE_XMLDSIG_H

#include "core/key.h"
#include "core/xml.h"
#include "core/xmlwriter.h"

/* Signs element[0..length) of out, which the canonical writer wrote and whose id attribute has the value id, and puts
 * the enveloped ds:Signature (exclusive C14N, SHA-256 digest, KeyInfo with the certificate) in at byte position at of
 * out.  element is the position where the element begins; it must reach to the end of out.  at lies inside the element,
 * between two of its children. */
bool fg_dsig_sign(fg_buf_t *out, size_t element, size_t at, fg_str_t id, const fg_key_t *key,
                  fg_err_t *err) FG_MUST_CHECK;

/* Whom to believe.  Keys come from configuration or metadata, never from the message (XS-20). */
typedef struct fg_dsig_trust {
    const fg_key_t *const *keys;
    size_t key_count;
    bool allow_sha1; /* a logged per-partner switch (XS-25) */
} fg_dsig_trust_t;

typedef struct fg_dsig_verified {
    xmlNode *element;    /* the element that was signed: read this and nothing else */
    const fg_key_t *key; /* which of the trusted keys */
    const char *signature_uri;
    bool sha1;
} fg_dsig_verified_t;

/* Verifies the enveloped signature of element: exactly one ds:Signature among its children, with exactly one Reference,
 * to
 * "#" + the value of element's own attribute id_attribute (in no namespace), transforms enveloped and exclusive C14N
 * only, one of the trusted keys, an allowed algorithm (XS-01..28).  ids elsewhere in the document with the same value
 * are refused. */
bool fg_dsig_verify_enveloped(xmlNode *element, const char *id_attribute, const fg_dsig_trust_t *trust,
                              fg_dsig_verified_t *verified, fg_err_t *err) FG_MUST_CHECK;

/* ---- the same of an element too large for one tree (core/xml_pieces.h) ----
 *
 * Its canonical form is that of its pieces one after the other, as each is with the tags around it that are around it
 * in the document: a namespace is declared where it is first used on the way down, whatever stands beside. */

typedef struct fg_dsig_pieces fg_dsig_pieces_t;

/* root: the element with its ds:Signature and at most white space before that.  The digest is still to be made; nothing
 * is verified before fg_dsig_pieces_end.  NULL: refused.  root and arena must live as long. */
fg_dsig_pieces_t *fg_dsig_pieces_begin(fg_arena_t *arena, xmlNode *root, const char *id_attribute,
                                       const fg_dsig_trust_t *trust, fg_err_t *err) FG_MUST_CHECK;
/* A container is opened (root first): root is a tree of all that are open, with nothing in the last. */
bool fg_dsig_pieces_open(fg_dsig_pieces_t *pieces, const xmlNode *root, fg_err_t *err) FG_MUST_CHECK;
/* A piece, in a tree of all that are open. */
bool fg_dsig_pieces_add(fg_dsig_pieces_t *pieces, const xmlNode *root, fg_err_t *err) FG_MUST_CHECK;
/* The innermost container is closed. */
void fg_dsig_pieces_close(fg_dsig_pieces_t *pieces);
/* All of it was seen: whether it is what a trusted key signed. */
bool fg_dsig_pieces_end(fg_dsig_pieces_t *pieces, fg_err_t *err) FG_MUST_CHECK;

/* ---- signatures of messages (WS-Security 1.1 §8) ---- */

#define FG_DSIG_REFERENCES_MAX 16u
#define FG_DSIG_SECRET_MIN 16u /* bytes of a shared secret */

typedef struct fg_dsig_reference {
    xmlNode *element;  /* what was digested: read this and nothing else */
    bool dereferenced; /* by the STR-Transform (WS-Security 1.1 §8.3): the token that a SecurityTokenReference names */
} fg_dsig_reference_t;

/* A ds:Signature of a message, read; what it covers holds once its value is verified too. */
typedef struct fg_dsig_message {
    xmlNode *signature;
    xmlNode *reference_to_key; /* the one child of KeyInfo: wsse:SecurityTokenReference, X509Data, KeyValue or KeyName,
                                  with whatever is in it; NULL: no KeyInfo */
    const char *signature_uri;
    bool hmac;
    bool sha1;                /* the signature or one of the digests */
    fg_str_t signature_value; /* decoded; SignatureConfirmation echoes it (WS-Security 1.1 §8.5) */
    fg_dsig_reference_t references[FG_DSIG_REFERENCES_MAX];
    size_t reference_count;
    /* the verifier's own */
    fg_str_t signed_info; /* canonical */
    const struct fg_dsig_method *method;
} fg_dsig_message_t;

typedef struct fg_dsig_scope {
    bool allow_sha1; /* the endpoint's algorithm suite has SHA-1: HMAC-SHA1, RSA-SHA1 and SHA-1 digests (XS-25) */
    /* The token inside this message that a SecurityTokenReference names; NULL and *err otherwise (WT-07).  NULL: the
     * STR-Transform is refused. */
    xmlNode *(*dereference)(void *context, xmlNode *reference, fg_err_t *err);
    void *context;
} fg_dsig_scope_t;

/* Reads a ds:Signature of a message: its shape, its algorithms, its References and their digests (XS-11..19, 23, 25). A
 * Reference names an element of the same document by wsu:Id, by Id in no namespace, by AssertionID of a SAML 1.1 or ID
 * of a SAML 2.0 assertion; the name is unique in the document; no element is named twice.  Its one transform is
 * exclusive C14N without comments, or the STR-Transform with that as its parameter; an enveloped transform may stand
 * before it where it does nothing.  Strings live in the arena. */
bool fg_dsig_message_read(fg_arena_t *arena, xmlNode *signature, const fg_dsig_scope_t *scope,
                          fg_dsig_message_t *message, fg_err_t *err) FG_MUST_CHECK;
/* The one element of the document with that id, by the same rules: for a caller that follows "#id" itself. */
xmlNode *fg_dsig_element_by_id(const xmlDoc *doc, fg_str_t id, fg_err_t *err) FG_MUST_CHECK;
/* Verifies the signature's value: with a key, which is never used for an HMAC (XS-24), or with a shared secret, which
 * is used for HMAC-SHA1 and HMAC-SHA256 alone. */
bool fg_dsig_message_verify(const fg_dsig_message_t *message, const fg_key_t *key, fg_err_t *err) FG_MUST_CHECK;
bool fg_dsig_message_verify_secret(const fg_dsig_message_t *message, fg_str_t secret, fg_err_t *err) FG_MUST_CHECK;

/* A part of a message as a writer of its own wrote it, in exclusive canonical form; id is its wsu:Id. */
typedef struct fg_dsig_part {
    fg_str_t id;
    fg_str_t canonical;
} fg_dsig_part_t;

typedef struct fg_dsig_signer {
    const fg_key_t *key; /* one of the two */
    fg_str_t secret;
    bool sha1_suite;   /* with a secret: HMAC-SHA1 and SHA-1 digests; with a key it is refused */
    fg_str_t key_info; /* canonical children of ds:KeyInfo, ready made; empty: no KeyInfo */
    fg_str_t id;       /* of the ds:Signature; empty: none */
} fg_dsig_signer_t;

/* Signs the parts and appends a whole ds:Signature, itself canonical, to out. */
bool fg_dsig_sign_parts(const fg_dsig_part_t *parts, size_t count, const fg_dsig_signer_t *signer, fg_buf_t *out,
                        fg_err_t *err) FG_MUST_CHECK;

#endif
