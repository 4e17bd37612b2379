/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 2.0 messages in SOAP 1.1 envelopes (bindings §3.2): read and written strictly, over a connection that somebody
 * opens to us or that we open to a partner. */
#ifndef FG_BRIDGES_SAML_SOAP_H
#define FG_BRIDGES_SAML_SOAP_H

#include "bridges/saml/message.h"

/* The message in the exchange's body: text/xml (or, from some, application/soap+xml) in UTF-8, one Body with one
 * element in it (XS-09), no header that must be understood.  in->root is the message; nothing in it is believed before
 * fg_saml_verify. */
bool fg_saml_soap_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) FG_MUST_CHECK;

/* Answers with a message; header: canonical elements for the envelope's Header, .n 0: none. */
bool fg_saml_soap_answer(fg_exchange_t *ex, fg_str_t header, fg_str_t xml, fg_err_t *err) FG_MUST_CHECK;
/* Answers with a SOAP fault (what SAML itself has no word for, bindings §3.2.3.3). */
void fg_saml_soap_refuse(fg_exchange_t *ex, const fg_err_t *err);

/* Sends a message to a partner's address and reads the message that comes back, called name (of the SAML protocol
 * namespace). */
bool fg_saml_soap_call(fg_exchange_t *ex, fg_str_t url, fg_str_t xml, const char *name, fg_saml_inbound_t *in,
                       fg_err_t *err) FG_MUST_CHECK;

#endif
