/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 1.1 and SAML 2.0 assertions: one description to write from, one function to write, one to read.  The formats'
 * own parts are in saml11.c and saml20.c. */
#ifndef FG_TOKEN_ASSERTION_H
#define FG_TOKEN_ASSERTION_H

#include "core/env.h"
#include "core/xmldsig.h"
#include "token/claims.h"
#include "token/decrypt.h"

typedef enum fg_saml_version { FG_SAML_11, FG_SAML_20 } fg_saml_version_t;

/* Who may wield an assertion (SAML 1.1 core §2.4.2.3, 2.0 core §2.4.1.1, SAML token profile 1.1 §3.5). */
typedef enum fg_confirmation {
    FG_CONFIRM_BEARER,
    FG_CONFIRM_HOLDER_OF_KEY,  /* who shows to have the key that it names */
    FG_CONFIRM_SENDER_VOUCHES, /* somebody else, who vouches for the subject */
} fg_confirmation_t;

/* What is to be written.  Strings are borrowed. */
typedef struct fg_assertion {
    fg_saml_version_t version;
    const char *id; /* NCName */
    fg_str_t issuer;
    int64_t issue_instant_ms;
    int64_t not_before_ms;
    int64_t not_on_or_after_ms;
    fg_str_t audience;
    fg_name_id_t name_id;    /* .value.n 0: no NameID; allowed by both formats with another subject part */
    fg_str_t recipient;      /* SAML 2.0 SubjectConfirmationData Recipient; .n 0: none */
    fg_str_t in_response_to; /* .n 0: none */
    fg_confirmation_t confirmation;
    fg_str_t proof_key_info;            /* of holder-of-key: children of ds:KeyInfo, as fg_proof_write_* make them */
    int64_t session_not_on_or_after_ms; /* 0: none */
    const fg_identity_t *identity;      /* authentication method and instant, session index */
    fg_str_t attribute_name_format; /* SAML 2.0: NameFormat of attributes whose claim has none of its own; .n 0: none */
    const struct fg_encryptor *encryptor; /* SAML 2.0: of the parts that are encrypted singly; NULL: none is */
    bool encrypt_name_id, encrypt_attributes;
    const fg_claims_t
        *claims; /* what goes into the attribute statement, in order; same types are joined into one attribute */
    /* Who acts for the subject, with the claims that are told of each; at most FG_ACTORS_MAX.  NULL: nobody. */
    const fg_identity_t *actor;
} fg_assertion_t;

/* Appends the signed assertion to out: canonical, every prefix declared on the assertion itself, ds:Signature a direct
 * child (after Issuer in SAML 2.0 §2.3.3, last in SAML 1.1 §2.3.2). */
bool fg_assertion_write(const fg_assertion_t *assertion, const fg_key_t *key, fg_buf_t *out,
                        fg_err_t *err) FG_MUST_CHECK;

/* The token type URI that WS-Trust and WSS use. */
const char *fg_saml_token_type(fg_saml_version_t version); /* urn:oasis:names:tc:SAML:x:assertion */
bool fg_saml_version_from_token_type(fg_str_t uri,
                                     fg_saml_version_t *version) FG_MUST_CHECK; /* also the WSS profile URIs */

/* Whom to believe about an assertion and for what. */
typedef struct fg_assertion_trust {
    fg_str_t issuer; /* exact */
    fg_dsig_trust_t dsig;
    const fg_str_t *audiences; /* one of these must be named; exact (SA-01) */
    size_t audience_count;
    bool (*is_audience)(const void *context, fg_str_t audience); /* whether another one will do; NULL: none */
    const void *context;                                         /* is_audience's */
    fg_str_t recipient; /* SAML 2.0: if the assertion names a Recipient it must be this (SA-02); .n 0: none may be asked
                           for */
    fg_str_t in_response_to; /* .n 0: unsolicited; an InResponseTo in the assertion is then refused (SA-03) */
    bool web_sso; /* an answer by the web browser SSO profile (profiles §4.1.4.2): Recipient and NotOnOrAfter must be in
                     the bearer's confirmation */
    int64_t skew_ms;
    int64_t late_ms;                     /* how long it is read after its end: to be renewed; 0: not at all */
    int64_t max_lifetime_ms;             /* 0: no limit */
    unsigned confirmations;              /* which are accepted, bits 1u << FG_CONFIRM_...; 0: bearer alone (SA-09) */
    bool unconfirmed;                    /* SAML 1.1: a Subject that does not say how it is confirmed is a bearer's */
    const fg_decryption_t *decryption;   /* of EncryptedID and EncryptedAttribute; NULL: they are refused */
    bool once;                           /* replay: the id goes into env->store (SA-06, WF-04) */
    const fg_dsig_verified_t *enclosing; /* the assertion stands, encrypted or not, in what was signed here: it need not
                                            be signed itself; NULL: it must be */
} fg_assertion_trust_t;

/* What an assertion says, read from the signed element alone. */
typedef struct fg_assertion_read {
    fg_saml_version_t version;
    fg_str_t id;
    fg_str_t audience;
    int64_t not_on_or_after_ms;
    fg_confirmation_t confirmation; /* holder-of-key: the caller must see the proof; sender-vouches: by whom */
    const xmlNode *proof_key_info;  /* ds:KeyInfo inside the signed element, for fg_proof_read; NULL: none */
    fg_identity_t identity;         /* issuer, name_id, claims (issuer of each = assertion's), method, instant,
                                     * actors */
    fg_dsig_verified_t signature;
} fg_assertion_read_t;

/* Verifies and reads an assertion (SAML 1.1 core §2.3, 2.0 core §2.3, profiles).  element is borrowed from a
 * document parsed by fg_xml_parse.  Of several confirmations that are accepted, bearer goes first in SAML 1.1 (a method
 * beside another), the first one that holds in SAML 2.0.  Checks, in this order: form, signature, issuer, times,
 * audience, other conditions, confirmation, replay.  A refusal's code says which. */
bool fg_assertion_read(const fg_env_t *env, fg_arena_t *arena, xmlNode *element, const fg_assertion_trust_t *trust,
                       fg_assertion_read_t *result, fg_err_t *err) FG_MUST_CHECK;

/* Whom an assertion says that it is from, before anything in it is believed; .p NULL: it does not say. */
fg_str_t fg_assertion_peek_issuer(fg_arena_t *arena, const xmlNode *element);

#endif
