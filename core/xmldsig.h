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

#endif
