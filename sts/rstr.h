/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * RequestSecurityTokenResponse (WS-Trust February 2005 and 1.3): the answer of the active endpoints and the wresult of
 * WS-Federation are the same element. */
#ifndef FG_STS_RSTR_H
#define FG_STS_RSTR_H

#include "core/xml.h"
#include "core/xmlwriter.h"
#include "hub/issue.h"

/* The words of one version of WS-Trust. */
typedef struct fg_trust_words {
    fg_xns_t ns;             /* with the prefix AD FS writes: "t" and "trust" */
    const char *issue;       /* RequestType */
    const char *bearer;      /* KeyType of a token without proof key */
    const char *rst_action;  /* wsa:Action of a request to issue */
    const char *rstr_action; /* and of its answer */
} fg_trust_words_t;

const fg_trust_words_t *fg_trust_words(fg_trust_version_t version);

typedef struct fg_rstr {
    fg_trust_version_t trust;
    bool collection;           /* inside a RequestSecurityTokenResponseCollection (WS-Trust 1.3 §4.3) */
    bool references;           /* with RequestedAttachedReference and RequestedUnattachedReference */
    const fg_issued_t *issued; /* a bearer token */
    fg_str_t applies_to;       /* realm; .n 0: no AppliesTo */
    fg_str_t token_type;       /* as it was asked for; .n 0: the plain SAML namespace URI */
    fg_str_t context;          /* the request's Context, echoed; .n 0: none */
} fg_rstr_t;

/* Writes the element, without white space, in AD FS' order.  False: the writer failed. */
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
