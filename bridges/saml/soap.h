/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 2.0 messages in SOAP 1.1 envelopes (bindings §3.2): read and written strictly, over a connection that somebody
 * opens to us or that we open to a partner. */
#ifndef FG_BRIDGES_SAML_SOAP_H
#define FG_BRIDGES_SAML_SOAP_H

#include "bridges/saml/message.h"

extern const fg_xns_t fg_saml_ns_soap;
#define FG_SAML_ACTOR_NEXT "http://schemas.xmlsoap.org/soap/actor/next"

/* A header that the caller knows; node: where it was found, NULL: it is not there. */
typedef struct fg_saml_soap_header {
    const char *ns, *name;
    const xmlNode *node;
} fg_saml_soap_header_t;

/* The message in the exchange's body: text/xml (or, from some, application/soap+xml) in UTF-8, one Body with one
 * element in it (XS-09), no header that must be understood.  in->root is the message; nothing in it is believed before
 * fg_saml_verify. */
bool fg_saml_soap_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) FG_MUST_CHECK;

/* The same of what a client of PAOS brings (application/vnd.paos+xml): headers that are known are noted, each at most
 * once. */
bool fg_saml_paos_receive(fg_exchange_t *ex, fg_saml_soap_header_t *known, size_t count, fg_saml_inbound_t *in,
                          fg_err_t *err) FG_MUST_CHECK;

/* Answers with a message; header: canonical elements for the envelope's Header, .n 0: none. */
bool fg_saml_soap_answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml_paos_answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, fg_err_t *err) FG_MUST_CHECK;
/* Answers with a SOAP fault (what SAML itself has no word for, bindings §3.2.3.3). */
void fg_saml_soap_refuse(fg_exchange_t *ex, const fg_err_t *err);

/* Sends a message to a partner's address and reads the message that comes back, called name (of the SAML protocol
 * namespace). */
bool fg_saml_soap_call(fg_exchange_t *ex, fg_str_t url, fg_str_t xml, const char *name, fg_saml_inbound_t *in,
                       fg_err_t *err) FG_MUST_CHECK;

#endif
