/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words of WS-Trust's versions: February 2005, and 1.3 with what 1.4 adds to it. */
#ifndef FG_STS_TRUST_H
#define FG_STS_TRUST_H

#include "core/xml.h"
#include "core/xmlwriter.h"
#include "hub/partner.h"

/* WS-Trust 1.4: ActAs and the challenges have a namespace of their own, the rest is 1.3's. */
#define FG_NS_TRUST_14 "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
/* Identity Selector Interoperability Profile 1.5: claims, display tokens, and the first word for "no proof key" */
#define FG_NS_IDENTITY "http://schemas.xmlsoap.org/ws/2005/05/identity"
/* how token exchange (RFC 8693 §3) and Windows Identity Foundation call a JWT */
#define FG_TOKEN_TYPE_JWT "urn:ietf:params:oauth:token-type:jwt"

/* The bindings of WS-Trust 1.3 §4 to §7. */
typedef enum fg_trust_request {
    FG_TRUST_ISSUE,
    FG_TRUST_RENEW,
    FG_TRUST_CANCEL,
    FG_TRUST_VALIDATE,
    FG_TRUST_REQUESTS
} fg_trust_request_t;

typedef struct fg_trust_words {
    fg_xns_t ns; /* with the prefix AD FS writes: "t" and "trust" */
    struct {
        const char *type;        /* RequestType */
        const char *rst_action;  /* wsa:Action of the request */
        const char *rstr_action; /* and of its answer */
    } requests[FG_TRUST_REQUESTS];
    const char *key_types[FG_PROOF_KINDS];
    const char *computed_key; /* P_SHA1 (1.3 §4.4.4) */
    const char *nonce;        /* BinarySecret/@Type of entropy, and of a whole key */
    const char *symmetric_key;
    const char *status; /* TokenType of an answer to Validate (1.3 §7) */
    const char *valid, *invalid;
} fg_trust_words_t;

const fg_trust_words_t *fg_trust_words(fg_trust_version_t version);
/* The request that a RequestType or an Action names; false: none that is served. */
bool fg_trust_request_from_type(const fg_trust_words_t *words, fg_str_t type,
                                fg_trust_request_t *request) FG_MUST_CHECK;
bool fg_trust_request_from_action(const fg_trust_words_t *words, fg_str_t action,
                                  fg_trust_request_t *request) FG_MUST_CHECK;
/* "issue", "renew", …: for audit lines. */
const char *fg_trust_request_name(fg_trust_request_t request);
/* In either version's words, as clients mix them. */
bool fg_key_type_from_uri(fg_str_t uri, fg_proof_kind_t *kind) FG_MUST_CHECK;

#endif
