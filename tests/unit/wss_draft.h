/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signed and encrypted messages for tests: a request to one of the active endpoints, put together from what a draft
 * says. */
#ifndef FG_TESTS_UNIT_WSS_DRAFT_H
#define FG_TESTS_UNIT_WSS_DRAFT_H

#include "tests/unit/support.h"

#include "core/xmldsig.h"
#include "core/xmlenc.h"
#include "sts/endpoints.h"
#include "sts/soap.h"
#include "token/assertion.h"

/* How the signature names its key. */
typedef enum draft_naming {
    DRAFT_BINARY_TOKEN, /* direct reference */
    DRAFT_PATH,         /* the same to a PKIPath */
    DRAFT_ISSUER_SERIAL,
    DRAFT_IDENTIFIER, /* SubjectKeyIdentifier */
    DRAFT_THUMBPRINT,
    DRAFT_THUMBPRINT_256,
    DRAFT_WHOLE,     /* the certificate in the place of a KeyIdentifier */
    DRAFT_EMBEDDED,  /* the token inside the reference */
    DRAFT_X509_BOTH, /* X509Data with certificate, issuer and serial number, without a reference */
    DRAFT_X509_DATA, /* with the certificate alone */
    DRAFT_KEY_VALUE,
    DRAFT_ASSERTION,     /* KeyIdentifier with the assertion's id */
    DRAFT_ASSERTION_URI, /* direct reference to it */
    DRAFT_ENCRYPTED_KEY, /* a secret that came along */
    DRAFT_DERIVED,       /* a key derived from the assertion's */
    DRAFT_NAMINGS
} draft_naming_t;

/* Parts of the message: bits. */
enum {
    DRAFT_TIMESTAMP = 1,
    DRAFT_BODY = 2,
    DRAFT_TO = 4,
    DRAFT_ACTION = 8,
    DRAFT_MESSAGE_ID = 16,
    DRAFT_USERNAME = 32,
    DRAFT_SAML = 64,
};
#define DRAFT_ADDRESSING (DRAFT_TO | DRAFT_ACTION | DRAFT_MESSAGE_ID)

typedef struct draft {
    const fg_env_t *env;
    const char *path; /* of the endpoint */
    const char *to;   /* NULL: that endpoint */
    fg_trust_version_t trust;
    fg_soap_version_t soap;
    unsigned parts;      /* what is there; Body, Action and MessageID always are */
    const char *created; /* NULL: TEST_NOW */
    unsigned covered;    /* what is signed; 0: there is no signature */
    const fg_key_t *key; /* signs */
    fg_str_t secret;     /* or this does */
    bool sha1;           /* with a secret */
    draft_naming_t naming;
    bool behind;        /* the token stands behind the signature */
    fg_str_t assertion; /* with DRAFT_SAML: before everything */
    const char *assertion_id;
    fg_saml_version_t saml;
    unsigned encrypted; /* DRAFT_BODY (its content), DRAFT_TO (as EncryptedHeader), DRAFT_USERNAME, DRAFT_SAML */
    bool encrypt_first; /* then the ciphertext is signed */
    bool key_behind;    /* the EncryptedKey stands behind the signature, as it must then */
    const char *beside; /* an EncryptedAssertion with its key in it; this is EncryptedData's KeyInfo */
    const fg_key_t *recipient;
    fg_enc_algorithm_t algorithm;
    const char *request; /* what Action says; NULL: Issue */
    const char *body;    /* the payload; NULL: an RST */
} draft_t;

/* The whole envelope, in memory that the next one uses again. */
const char *draft_write(const draft_t *draft);

typedef struct draft_assertion {
    fg_saml_version_t version;
    const char *issuer, *audience, *user;
    const fg_key_t *issuer_key;
    fg_confirmation_t confirmation;
    const fg_key_t *proof_key; /* of holder-of-key: one of the two */
    fg_str_t proof_secret;
    const fg_key_t *recipient; /* to whom the secret is encrypted */
    const char *id;            /* NULL: "_a1" */
} draft_assertion_t;
/* In static memory, until the next one. */
fg_str_t draft_assertion(const draft_assertion_t *wanted);

#endif
