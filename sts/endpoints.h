/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The active endpoints: one table from which the metadata document is written and by which requests are judged. */
#ifndef FG_STS_ENDPOINTS_H
#define FG_STS_ENDPOINTS_H

#include "hub/partner.h"

#define FG_STS_PATH "/adfs/services/trust/"
#define FG_STS_PATH_MEX FG_STS_PATH "mex"
#define FG_STS_PATH_2005_USERNAME FG_STS_PATH "2005/usernamemixed"
#define FG_STS_PATH_13_USERNAME FG_STS_PATH "13/usernamemixed"

/* What one alternative of an endpoint's policy demands of a message, by the assertions of WS-SecurityPolicy 1.2. */
enum {
    FG_STS_TIMESTAMP = 1,           /* §6.2 IncludeTimestamp; signed where anything must be signed (WT-04) */
    FG_STS_USERNAME_TOKEN = 2,      /* §5.4.1 UsernameToken among the supporting tokens */
    FG_STS_CLIENT_CERTIFICATE = 4,  /* §5.4.9 HttpsToken, RequireClientCertificate */
    FG_STS_X509_ENDORSES = 8,       /* §5.4.3 X509Token among the endorsing tokens (§8.3) */
    FG_STS_SYMMETRIC_ENDORSES = 16, /* §5.4.2 IssuedToken with a symmetric proof key, endorsing */
    FG_STS_PUBLIC_ENDORSES = 32,    /* the same with a public proof key */
    FG_STS_ISSUED_BEARER = 64,      /* IssuedToken without a proof key among the signed supporting tokens */
    FG_STS_TO_SIGNED = 128,         /* §4.1.1 SignedParts: the header To */
    FG_STS_MESSAGE = 256,   /* §7.5 AsymmetricBinding: Body, Timestamp and wsa headers signed, Body encrypted */
    FG_STS_NEGOTIATE = 512, /* HTTP's Authorization: Negotiate (RFC 4559); an assertion of Microsoft's */
    FG_STS_KERBEROS_ENDORSES = 1024, /* §5.4.4 KerberosToken among the endorsing tokens (§8.3) */
};

#define FG_STS_ALTERNATIVES 2u

typedef struct fg_sts_endpoint {
    const char *path; /* below the base */
    fg_trust_version_t trust;
    unsigned alternatives[FG_STS_ALTERNATIVES]; /* FG_STS_… bits; the last may be 0: there is none */
    bool sha256;          /* the digests and signatures of its AlgorithmSuite are SHA-256, otherwise SHA-1 */
    bool strict;          /* §6.7 Layout Strict, otherwise Lax */
    const char *binding;  /* its name in the WSDL, as AD FS has it */
    const char *protocol; /* its name in audit lines */
} fg_sts_endpoint_t;

typedef enum fg_sts_endpoint_index {
    FG_STS_2005_USERNAME,
    FG_STS_13_USERNAME,
    FG_STS_2005_CERTIFICATE,
    FG_STS_13_CERTIFICATE,
    FG_STS_2005_CERTIFICATE_TRANSPORT,
    FG_STS_13_CERTIFICATE_TRANSPORT,
    FG_STS_2005_ISSUED_ASYMMETRIC,
    FG_STS_13_ISSUED_ASYMMETRIC,
    FG_STS_2005_ISSUED_ASYMMETRIC_SHA256,
    FG_STS_13_ISSUED_ASYMMETRIC_SHA256,
    FG_STS_2005_ISSUED_SYMMETRIC,
    FG_STS_13_ISSUED_SYMMETRIC,
    FG_STS_2005_ISSUED_SYMMETRIC_SHA256,
    FG_STS_13_ISSUED_SYMMETRIC_SHA256,
    FG_STS_2005_MESSAGE,
    FG_STS_13_MESSAGE,
    FG_STS_2005_WINDOWS,
    FG_STS_13_WINDOWS,
    FG_STS_2005_KERBEROS,
    FG_STS_13_KERBEROS,
    FG_STS_ENDPOINTS
} fg_sts_endpoint_index_t;
extern const fg_sts_endpoint_t fg_sts_endpoint_table[FG_STS_ENDPOINTS];

/* True for those that take tickets of Kerberos: they are there only with a section kerberos. */
bool fg_sts_endpoint_takes_tickets(const fg_sts_endpoint_t *endpoint);
/* By a request's path, with or without a slash at the end; NULL: none of them. */
const fg_sts_endpoint_t *fg_sts_endpoint_find(fg_str_t path);
/* §6.1: the name of its AlgorithmSuite. */
const char *fg_sts_endpoint_suite(const fg_sts_endpoint_t *endpoint);
/* True if messages signed by an issued token's or a ticket's key may use SHA-1: the suite says so, and the address
 * does. */
bool fg_sts_endpoint_takes_sha1(const fg_sts_endpoint_t *endpoint);
/* True if it is reached without TLS, too: the message protects itself. */
bool fg_sts_endpoint_is_message(const fg_sts_endpoint_t *endpoint);

#endif
