/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The wsse:Security header (WS-Security 1.1) as the active endpoints demand and send it. */
#ifndef FG_STS_WSS_H
#define FG_STS_WSS_H

#include "directory/kerberos.h"
#include "hub/message.h"
#include "sts/endpoints.h"
#include "sts/soap.h"
#include "token/username.h"
#include "token/wss.h"

/* What a request's header proved by its endpoint's policy.  Lives in the exchange's arena. */
typedef struct fg_wss {
    unsigned met;           /* FG_STS_… bits of the policy alternative that the message meets */
    fg_wss_header_t header; /* tokens and signatures, all verified */
    fg_wss_rules_t rules;

    /* Who sends it.  met & FG_STS_USERNAME_TOKEN: a name and a password that are still to be checked; otherwise
     * identity holds. */
    fg_username_token_t username;
    fg_identity_t identity;
    const fg_home_realm_t *realm; /* who vouches for identity; NULL: this gateway, which issued the token */
    int64_t expires_ms;           /* how long whoever vouches does so: nothing issued may last longer */

    /* The requestor's certificate, vouched for by a home realm: of the message's signature, or of the TLS connection;
     * NULL: none.  Answers and proof keys are encrypted to it. */
    const fg_key_t *certificate;
    const fg_wss_token_t *issued; /* the assertion that was presented; NULL: none */
    fg_kerberos_ticket_t ticket;  /* what the header's one says; nobody's yet */
    bool proven;                  /* its proof key signed this message; otherwise it is a bearer's, or vouched for */
    const fg_key_t *connection;   /* certificate of the TLS connection; NULL: none */
    fg_str_t audiences[3];
} fg_wss_t;

/* Reads a request's header and judges the message by the endpoint's policy: every token and signature is verified, and
 * what the policy wants signed or encrypted was.  Certificates are vouched for by the home realms of certificates,
 * assertions by us or an identity provider.  Decrypts the message in its place: headers and payload are taken anew from
 * what was signed (XS-09).  Notes in message how its answer is to be protected. */
bool fg_wss_read(fg_exchange_t *ex, fg_soap_message_t *message, const fg_sts_endpoint_t *endpoint, fg_wss_t *wss,
                 fg_err_t *err) FG_MUST_CHECK;

/* True if a signature of the message covers this node of it. */
bool fg_wss_is_signed(const fg_wss_t *wss, const xmlNode *node);
/* True if this public key signed the message's Timestamp, which proves that the sender has its private part (WS-Trust
 * 1.3 §4.4.7, UseKey): as a signature in the header, or as the client certificate of the TLS connection. */
bool fg_wss_possesses(const fg_wss_t *wss, const fg_key_t *key);
/* What a wsse:SecurityTokenReference in the message names; NULL and *err: nothing in it, nothing that is known. */
const fg_wss_token_t *fg_wss_find(fg_wss_t *wss, xmlNode *reference, fg_err_t *err) FG_MUST_CHECK;

/* ---- answers */

/* How an answer is protected; without one it has a Timestamp alone, since TLS protects it. */
typedef struct fg_wss_answer {
    const fg_key_t *signing;                       /* our key */
    const fg_key_t *encryption;                    /* certificate to which the Body is encrypted */
    bool gcm;                                      /* as the request was; otherwise CBC, as the algorithm suite says */
    fg_str_t confirmations[FG_WSS_SIGNATURES_MAX]; /* signature values of the request (WS-Security 1.1 §8.5) */
    size_t confirmation_count;
    /* between fg_soap_begin() and fg_soap_end() */
    const char *action;
    size_t content_at;
} fg_wss_answer_t;

#define FG_WSS_BODY_ID "_b"

/* What is protected. */
typedef struct fg_wss_protected {
    const fg_wss_answer_t *answer;
    const fg_xns_t *soap; /* the envelope's namespace */
    const char *action;
    fg_str_t relates_to;            /* .n 0: none */
    fg_str_t body;                  /* canonical, with FG_WSS_BODY_ID as its wsu:Id */
    size_t content_at, content_end; /* in body: what its tags enclose */
    size_t header_count;            /* the writer's own */
} fg_wss_protected_t;

/* Writes a whole envelope: signed, then encrypted. */
bool fg_wss_write_protected(fg_exchange_t *ex, fg_wss_protected_t *what, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

/* Writes a header with a Timestamp of five minutes. soap: the envelope's namespace. */
void fg_wss_write(fg_xw_t *w, const fg_xns_t *soap, int64_t now_ms);

#endif
