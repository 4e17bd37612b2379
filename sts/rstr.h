/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestSecurityTokenResponse (WS-Trust February 2005, 1.3 and 1.4): the answer of the active endpoints and the
 * wresult of WS-Federation are the same element. */
#ifndef FG_STS_RSTR_H
#define FG_STS_RSTR_H

#include "core/xml.h"
#include "core/xmlwriter.h"
#include "hub/issue.h"
#include "sts/trust.h"

/* How the requestor gets to know a symmetric proof key (WS-Trust 1.3 §4.4.3 to §4.4.5). */
typedef struct fg_rstr_proof {
    fg_proof_kind_t kind;
    size_t key_bytes;          /* 0: the requestor knows the key from the token that was renewed */
    fg_str_t secret;           /* the whole key; .n 0: it is computed: */
    fg_str_t entropy;          /* our share of it */
    const fg_key_t *recipient; /* secret or entropy is encrypted to this certificate; NULL: TLS protects it */
} fg_rstr_proof_t;

typedef struct fg_rstr {
    fg_trust_version_t trust;
    fg_trust_request_t request;
    bool collection;              /* inside a RequestSecurityTokenResponseCollection (WS-Trust 1.3 §4.3) */
    bool references;              /* with RequestedAttachedReference and RequestedUnattachedReference */
    const fg_issued_t *issued;    /* NULL: nothing was issued */
    const fg_rstr_proof_t *proof; /* NULL: a bearer token */
    const fg_err_t *status;       /* of Validate: FG_OK, or why the token is not good; NULL: no Status */
    fg_str_t applies_to;          /* realm; .n 0: no AppliesTo */
    fg_str_t token_type;          /* as it was asked for; .n 0: the format's own URI */
    fg_str_t context;             /* the request's Context, echoed; .n 0: none */
    bool display_token;           /* with the claims for people to read */
    bool renewable, renewable_late;
} fg_rstr_t;

/* Writes the element, without white space, in AD FS' order.  False: the writer failed, or a key could not be encrypted.
 */
bool fg_rstr_write(fg_xw_t *w, const fg_rstr_t *rstr) FG_MUST_CHECK;

/* What a wresult holds, before anything in it is believed. */
typedef struct fg_rstr_read {
    fg_trust_version_t trust;
    xmlNode *token;      /* the one element in RequestedSecurityToken */
    fg_str_t applies_to; /* .p NULL: none; the assertion's audience decides, not this (WF-09) */
} fg_rstr_read_t;

/* Reads a response of either version, bare or in a collection, with exactly one token in the whole document (WF-05);
 * else FG_E_WSFED_RESULT. */
bool fg_rstr_read(fg_arena_t *arena, xmlDoc *doc, fg_rstr_read_t *result, fg_err_t *err) FG_MUST_CHECK;

#endif
