/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A wsse:Security header (WS-Security 1.1): its tokens, its signatures and what they cover.  The header's children are
 * taken in the order of the document (§5): what is encrypted is decrypted in its place, a signature is verified when it
 * is reached.  What must be there and who is believed is the caller's policy. */
#ifndef FG_TOKEN_WSS_H
#define FG_TOKEN_WSS_H

#include "core/xmldsig.h"
#include "core/xmlenc.h"
#include "token/assertion.h"

#define FG_WSS_TOKENS_MAX 16u
#define FG_WSS_SIGNATURES_MAX 4u
#define FG_WSS_ENCRYPTED_MAX 8u

typedef enum fg_wss_token_kind {
    FG_WSS_CERTIFICATE,   /* X.509: nobody has vouched for it yet */
    FG_WSS_KEY_VALUE,     /* a bare public key */
    FG_WSS_ASSERTION,     /* SAML: signed by an issuer that is believed */
    FG_WSS_ENCRYPTED_KEY, /* a secret for one of our keys; says nothing about who made it */
    FG_WSS_DERIVED_KEY,   /* WS-SecureConversation §7: from the secret of another token */
    FG_WSS_TICKET,        /* Kerberos Token Profile 1.1: opened; its secret is the session's */
} fg_wss_token_kind_t;

/* Something in the header, or known from the configuration, that has a key. */
typedef struct fg_wss_token fg_wss_token_t;
struct fg_wss_token {
    fg_wss_token_kind_t kind;
    xmlNode *element;           /* in the message; NULL: only named there */
    const fg_key_t *key;        /* certificate's, KeyValue's, of an assertion its public proof key; NULL: none */
    X509 *const *chain;         /* certificates that came along with a certificate */
    size_t chain_count;         /* without the leaf */
    fg_str_t secret;            /* symmetric key, of an assertion its proof key; .n 0: none */
    const fg_wss_token_t *base; /* of a derived key: what it was derived from; otherwise NULL */
    fg_assertion_read_t assertion;
};

typedef struct fg_wss_signature {
    fg_dsig_message_t message;
    const fg_wss_token_t *token; /* whose key made it; a derived key counts as the token that it was derived from */
} fg_wss_signature_t;

/* How a message names a certificate that it does not hold. */
typedef struct fg_wss_certificate_name {
    fg_str_t subject_key_identifier; /* bytes; .n 0 where it is another name */
    fg_str_t thumbprint;             /* 20 bytes: SHA-1, 32: SHA-256 */
    fg_str_t issuer;                 /* RFC 2253 text, as it was written */
    fg_str_t serial;                 /* decimal */
} fg_wss_certificate_name_t;

/* What a header is judged by; all of it is borrowed. */
typedef struct fg_wss_rules {
    const fg_env_t *env;
    int64_t skew_ms;
    const fg_xml_limits_t *limits;
    bool allow_sha1; /* the algorithm suite is Basic256 */
    bool strict;     /* layout (WS-SecurityPolicy 1.2 §6.7): a token stands before what uses it */
    fg_enc_recipients_t recipients;
    /* Whom to believe about assertions of this issuer; NULL: no assertions are taken. */
    bool (*find_issuer)(void *context, fg_str_t issuer, fg_assertion_trust_t *trust, fg_err_t *err);
    /* A certificate that the configuration knows; NULL (also the function): none (WT-07). */
    const fg_key_t *(*find_certificate)(void *context, const fg_wss_certificate_name_t *name);
    void *context;
    /* Opens a ticket of Kerberos (GSS_Kerberosv5_AP_REQ) and gives the key that it shares with its sender; NULL: none
     * are taken. */
    bool (*open_ticket)(void *context, fg_str_t token, fg_str_t *key, fg_err_t *err);
    void *ticket_context;
} fg_wss_rules_t;

typedef struct fg_wss_header {
    xmlNode *element;
    xmlNode *timestamp;              /* its times are good; NULL: none */
    xmlNode *username;               /* UsernameToken, not looked into; NULL: none */
    const fg_wss_token_t *assertion; /* the one among the header's children; NULL: none */
    const fg_wss_token_t *ticket;    /* NULL: none */
    fg_wss_token_t *tokens[FG_WSS_TOKENS_MAX];
    size_t token_count;
    fg_wss_signature_t signatures[FG_WSS_SIGNATURES_MAX]; /* all verified */
    size_t signature_count;
    bool cbc; /* something was encrypted with CBC */
    /* the reader's own */
    const fg_wss_rules_t *rules;
    fg_arena_t *arena;
    const xmlNode *at; /* child that is being read */
    unsigned encrypted_count;
    const xmlNode *decrypted_nodes[2 * FG_WSS_ENCRYPTED_MAX]; /* what came in the place of EncryptedData */
    size_t decrypted_count;
} fg_wss_header_t;

/* Reads and verifies everything in the header (NULL: there is none, which leaves an empty result).  Whatever cannot be
 * checked, is there twice, or names a key outside the message that is not known is refused.  rules must live as long as
 * header. */
bool fg_wss_header_read(fg_arena_t *arena, xmlNode *security, const fg_wss_rules_t *rules, fg_wss_header_t *header,
                        fg_err_t *err) FG_MUST_CHECK;

/* True if this signature covers the node: itself or an element around it. */
bool fg_wss_signature_covers(const fg_wss_signature_t *signature, const xmlNode *node);
/* True if any of them does. */
bool fg_wss_header_covers(const fg_wss_header_t *header, const xmlNode *node);
/* The first signature that this token's key made; NULL: none. */
const fg_wss_signature_t *fg_wss_header_signature_of(const fg_wss_header_t *header, const fg_wss_token_t *token);
/* True if node came out of an EncryptedData of this message (or an element around it did). */
bool fg_wss_header_was_encrypted(const fg_wss_header_t *header, const xmlNode *node);

/* What a wsse:SecurityTokenReference or a ds:KeyInfo child names; NULL and *err if that is not in the message and not
 * known. */
fg_wss_token_t *fg_wss_header_resolve(fg_wss_header_t *header, xmlNode *reference, fg_err_t *err) FG_MUST_CHECK;

/* True if a certificate is the one of that name. */
bool fg_wss_certificate_has_name(const fg_key_t *certificate, const fg_wss_certificate_name_t *name);
/* True if everything in a ds:X509Data (certificate, serial number, SKI) is of this certificate. */
bool fg_wss_x509_data_is(fg_arena_t *arena, const xmlNode *data, const fg_key_t *certificate,
                         fg_err_t *err) FG_MUST_CHECK;

/* Remembers each signature of the message until nobody would take a copy for new any more; one that was seen is
 * FG_E_WSS_REPLAY (WT-03).  To be called once everything else is found good. */
bool fg_wss_header_remember(const fg_wss_header_t *header, fg_err_t *err) FG_MUST_CHECK;

#endif
