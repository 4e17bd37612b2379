/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SOAP 1.1 and SOAP 1.2 over HTTP with the headers of WS-Addressing 1.0: reading a request, beginning and ending an
 * answer, faults. */
#ifndef FG_STS_SOAP_H
#define FG_STS_SOAP_H

#include "core/xmlwriter.h"
#include "hub/exchange.h"

struct fg_wss_answer; /* sts/wss.h */

typedef enum fg_soap_version { FG_SOAP_12, FG_SOAP_11 } fg_soap_version_t; /* the first: while nothing is known */

/* What was read of a request; lives in the exchange's arena and its document. */
typedef struct fg_soap_message {
    fg_soap_version_t version;
    bool read;           /* the headers were read: the fields below hold */
    bool addressed;      /* came with headers of WS-Addressing, so the answer gets them */
    fg_str_t action;     /* wsa:Action; for SOAP 1.1 without one, SOAPAction */
    fg_str_t message_id; /* .p NULL: none */
    xmlNode *security;   /* the wsse:Security header for us; NULL: none */
    xmlNode *to;         /* the wsa:To header; NULL: none */
    xmlNode *header;     /* NULL: none */
    xmlNode *body;
    xmlNode *payload; /* the only element of the Body; NULL: the Body is empty */
    /* How the answer is signed and encrypted; NULL: not at all.  fg_wss_read() sets it. */
    struct fg_wss_answer *answer;
    fg_str_t http_action; /* the reader's own: what HTTP says of the action; .p NULL: nothing */
} fg_soap_message_t;

/* Reads the exchange's body as a SOAP message sent to path (below the base).  Takes application/soap+xml for SOAP 1.2
 * and text/xml for SOAP 1.1; Action in the envelope and in HTTP must agree (HT-05); a header that must be understood
 * and is not, is refused (WT-11); replies elsewhere than on this connection are refused.  message is as full as it
 * could be made also on failure, so that the fault finds version and MessageID. */
bool fg_soap_read(fg_exchange_t *ex, const char *path, fg_soap_message_t *message, fg_err_t *err) FG_MUST_CHECK;

/* Reads headers and Body anew when what was encrypted in them was decrypted in its place: a header that came to light
 * is judged as if it had stood there from the start, one that must be understood and stayed encrypted is refused
 * (WT-11).
 */
bool fg_soap_read_decrypted(fg_exchange_t *ex, const char *path, fg_soap_message_t *message,
                            fg_err_t *err) FG_MUST_CHECK;

/* Writes Envelope, Header and the start of Body into the exchange's response.  secured: with a wsse:Security header
 * that holds a Timestamp. */
void fg_soap_begin(fg_exchange_t *ex, const fg_soap_message_t *message, const char *action, bool secured, fg_xw_t *w);
/* Ends Body and Envelope and sets status and headers.  False: the writer failed, nothing is answered yet. */
bool fg_soap_end(fg_exchange_t *ex, const fg_soap_message_t *message, int status, fg_xw_t *w) FG_MUST_CHECK;

/* Answers a fault: the row of err's code in the fault table.  message NULL: nothing was read.  trust: the namespace of
 * WS-Trust faults. Status 500 as AD FS sends it; what HTTP itself says (too large, busy, media type) keeps its status.
 */
void fg_soap_fault(fg_exchange_t *ex, const fg_soap_message_t *message, const fg_xns_t *trust, bool secured,
                   const fg_err_t *err);

#endif
