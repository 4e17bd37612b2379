/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One row per error code with all its faces: what the audit line, a SOAP fault, a WS-Federation error page, a
 * WS-Management fault and an HTTP status say of it. */
#ifndef FG_CORE_FAULT_H
#define FG_CORE_FAULT_H

#include "core/err.h"

/* The family of a SOAP fault subcode: WS-Security 1.1 §12, WS-Trust 1.3 §11, WS-Addressing 1.0 SOAP §6.4, or SOAP's own
 */
typedef enum fg_fault_family { FG_FAULT_SOAP, FG_FAULT_WSSE, FG_FAULT_WST, FG_FAULT_WSA } fg_fault_family_t;

typedef struct fg_fault {
    fg_code_t code;
    const char *reason;   /* reason code of audit lines and of the command: lower-case words joined by '_' */
    const char *sentence; /* public: tells the partner's administrator what to do, gives an attacker no oracle */
    int http_status;      /* of pages and plain answers; SOAP faults go out with 500 (SOAP 1.1) or as AD FS does */
    bool receiver;        /* SOAP: Receiver (Server) instead of Sender (Client) */
    fg_fault_family_t family;
    const char *soap_subcode; /* local name within the family; NULL: none */
    const char *wsfed;        /* fault name of WS-Federation 1.2 §13.2.5 or of wire conventions; NULL: none */
    const char *saml_status;  /* second-level status of SAML 2.0 core §3.2.2.2 (local part); NULL: none */
    const char *oauth_error;  /* RFC 6749 §5.2, RFC 6750 §3.1 */
} fg_fault_t;

/* The face for clients of WS-Management. */
typedef struct fg_fault_wsman {
    const char
        *prefix; /* "w" (WS-Management), "a" (WS-Addressing 2004/08), "n" (WS-Enumeration), "s" (SOAP's own code) */
    const char *subcode;
    const char *detail; /* what follows …/wsman/1/wsman/faultDetail/; NULL: none */
    bool receiver;
    const char *sentence; /* in place of the row's; NULL: that one */
} fg_fault_wsman_t;
fg_fault_wsman_t fg_fault_wsman(fg_code_t code);

/* Never NULL: an unknown code yields the row of FG_E_INTERNAL. */
const fg_fault_t *fg_fault_get(fg_code_t code);

/* The reason as it may be shown: where codes share a sentence, so that nobody learns which of them it was, they share
 * this word. */
const char *fg_fault_public_reason(fg_code_t code);

/* True for what another try may cure (store away, queue full): answered with 503 and Retry-After. */
bool fg_fault_is_temporary(fg_code_t code);

#endif
