/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A SAML 2.0 protocol message on its way in or out by the bindings that browsers carry (saml-bindings-2.0-os §3.4,
 * §3.5; POST-SimpleSign). */
#ifndef FG_BRIDGES_SAML_MESSAGE_H
#define FG_BRIDGES_SAML_MESSAGE_H

#include "bridges/saml/party.h"
#include "core/xmlwriter.h"
#include "hub/exchange.h"
#include "token/decrypt.h"

/* Namespaces with the prefixes under which we write them. */
extern const fg_xns_t fg_saml_ns_protocol, fg_saml_ns_assertion;

/* ---- in */

typedef struct fg_saml_inbound {
    fg_saml_binding_t binding;
    bool is_response;     /* came as SAMLResponse */
    fg_str_t relay_state; /* .p NULL: none */
    xmlNode *root;        /* nothing in it is believed before fg_saml_verify */
    bool is_verified;     /* already: it came in something that was signed (Artifact) */
    fg_str_t carrier;     /* the entity that it came from, by its artifact: nobody else's message; .n 0: a browser's */
    const fg_key_t *key;  /* with which it was found signed; NULL: none, or another message around it was */
    fg_str_t issuer;      /* whom it says it is from: to choose whose keys count; .n 0: it does not say */
    /* a signature beside the message (Redirect, SimpleSign); .n 0: none */
    fg_str_t signed_bytes; /* exactly as they were signed */
    fg_str_t algorithm;
    fg_str_t signature; /* decoded */
} fg_saml_inbound_t;

/* Takes the message out of a query or a form: each parameter at most once (SA-14), DEFLATE and XML within limits
 * (SA-15). */
bool fg_saml_receive(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) FG_MUST_CHECK;
/* The same of a form that was kept. */
bool fg_saml_receive_form(fg_exchange_t *ex, fg_str_t form, fg_saml_inbound_t *in, fg_err_t *err) FG_MUST_CHECK;

/* Verifies whatever signature the message has with the party's keys: in it, or beside it over the raw bytes.
 * *is_signed false: it has none.  A signature that does not hold is refused. */
bool fg_saml_verify(fg_saml_inbound_t *in, const fg_entity_keys_t *keys, bool *is_signed, fg_err_t *err) FG_MUST_CHECK;

/* With our keys: also with the one before, which a partner may still know, and the one to come. */
fg_decryption_t fg_saml_decryption(const fg_exchange_t *ex);
/* Opens an EncryptedAssertion, EncryptedID or EncryptedAttribute with our keys. */
bool fg_saml_open_encrypted(fg_exchange_t *ex, const xmlNode *element, xmlNode **content, fg_err_t *err) FG_MUST_CHECK;

/* What requests and responses have alike (core §3.2). */
typedef struct fg_saml_head {
    fg_str_t id;
    int64_t issue_instant_ms;
    fg_str_t destination;    /* .p NULL: none */
    fg_str_t in_response_to; /* of responses; .p NULL: none */
} fg_saml_head_t;

/* Version 2.0, an ID, an IssueInstant not older than an hour and not to come, and a Destination that is url byte by
 * byte; needed: one must be there (a signed message by a browser, bindings §3.4.5.2, §3.5.5.2; SA-02). */
bool fg_saml_read_head(fg_exchange_t *ex, const xmlNode *root, fg_str_t url, bool destination_needed,
                       fg_saml_head_t *head, fg_err_t *err) FG_MUST_CHECK;

/* ---- out */

typedef struct fg_saml_outbound {
    fg_saml_binding_t binding; /* Redirect or POST */
    bool is_response;
    bool in_frame;           /* POST: the page stands in a frame of a page of ours, or of a partner's */
    fg_str_t to;             /* address */
    fg_str_t relay_state;    /* .p NULL: none */
    fg_str_t xml;            /* Redirect: without a signature, which goes beside it; POST: as it is sent */
    const char *application; /* for the page that posts it */
} fg_saml_outbound_t;

/* Answers the exchange with the redirect, or with the page whose form posts itself. */
bool fg_saml_send(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_err_t *err) FG_MUST_CHECK;
/* The address of a message by the Redirect binding, signed; .p NULL and *err: it could not be made. */
fg_str_t fg_saml_redirect_url(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_err_t *err) FG_MUST_CHECK;

typedef struct fg_saml_writing {
    fg_xw_t w;
    char id[FG_ID_SIZE];
    char instant[25];
    size_t signature_at; /* behind Issuer (core §3.2.1) */
} fg_saml_writing_t;
/* Of what goes around other messages: they use the prefix of fg_saml_ns_protocol anew, so that they stay canonical. */
extern const fg_xns_t fg_saml_ns_around;
/* Begins a message at the start of out: the start tag with ID (id NULL: a new one), IssueInstant, Version, Destination
 * and InResponseTo (.n 0: none), open for more attributes. */
bool fg_saml_begin(fg_exchange_t *ex, fg_saml_writing_t *writing, const char *name, const char *id,
                   fg_str_t destination, fg_str_t in_response_to, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
bool fg_saml_begin_around(fg_exchange_t *ex, fg_saml_writing_t *writing, const char *name, fg_str_t in_response_to,
                          fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;
/* Its first child. */
void fg_saml_put_issuer(fg_saml_writing_t *writing, fg_str_t issuer);
/* Ends it; signed_inside: with our signature in it. */
bool fg_saml_end(fg_exchange_t *ex, fg_saml_writing_t *writing, bool signed_inside, fg_buf_t *out,
                 fg_err_t *err) FG_MUST_CHECK;

#endif
