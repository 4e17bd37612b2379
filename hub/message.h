/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom this gateway believes in a message that is secured by WS-Security: between token/wss.h, which verifies, and
 * those that have a policy. */
#ifndef FG_HUB_MESSAGE_H
#define FG_HUB_MESSAGE_H

#include "hub/exchange.h"
#include "token/wss.h"

/* Our keys, the issuers of assertions and the certificates that we know.  audiences: assertions must name one; they
 * must live as long as the rules. */
bool fg_message_rules(fg_exchange_t *ex, const fg_str_t *audiences, size_t count, fg_wss_rules_t *rules,
                      fg_err_t *err) FG_MUST_CHECK;

/* Who sends a message, as far as its signatures and tokens tell. */
typedef struct fg_message_sender {
    fg_identity_t identity;
    const fg_home_realm_t *realm; /* who vouches; NULL: this gateway, which issued the token */
    int64_t expires_ms;           /* for how long */
    const fg_key_t *certificate;  /* NULL: none signed */
} fg_message_sender_t;

/* The one signature by a certificate (NULL: there is none); several must be by the same one. */
const fg_wss_signature_t *fg_message_certificate_signature(const fg_wss_header_t *header);
/* The holder of a certificate, whom a home realm of certificates vouches for. */
bool fg_message_holder(fg_exchange_t *ex, const fg_wss_header_t *header, fg_message_sender_t *sender,
                       fg_err_t *err) FG_MUST_CHECK;
/* The client certificate of the TLS connection (its private part was used there): NULL if there is none, or *err says
 * what is wrong with it. */
const fg_key_t *fg_message_connection_key(fg_exchange_t *ex, fg_err_t *err);
/* Its holder: a home realm of certificates vouches for it, or where there is no such realm, nginx, which verified it.
 */
bool fg_message_connection(fg_exchange_t *ex, fg_message_sender_t *sender, fg_err_t *err) FG_MUST_CHECK;
/* The subject of an assertion; who wields it must have been seen to before, but for the sender of sender-vouches: the
 * signature by a certificate must cover assertion, Body and Timestamp, a home realm must vouch for the certificate, and
 * the issuer's configuration name it among those that may vouch. */
bool fg_message_subject(fg_exchange_t *ex, const fg_wss_header_t *header, const xmlNode *body,
                        fg_message_sender_t *sender, fg_err_t *err) FG_MUST_CHECK;
/* True if the assertion's proof key signed the Timestamp. */
bool fg_message_is_proven(const fg_wss_header_t *header);

#endif
