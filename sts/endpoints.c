/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/endpoints.h"

#define USERNAME (FG_STS_TIMESTAMP | FG_STS_USERNAME_TOKEN)
#define CERTIFICATE (FG_STS_TIMESTAMP | FG_STS_X509_ENDORSES | FG_STS_TO_SIGNED)
#define CERTIFICATE_BY_TLS (FG_STS_TIMESTAMP | FG_STS_CLIENT_CERTIFICATE)
#define SYMMETRIC (FG_STS_TIMESTAMP | FG_STS_SYMMETRIC_ENDORSES | FG_STS_TO_SIGNED)
#define ASYMMETRIC (FG_STS_TIMESTAMP | FG_STS_PUBLIC_ENDORSES | FG_STS_TO_SIGNED)
#define BEARER (FG_STS_TIMESTAMP | FG_STS_ISSUED_BEARER)
#define KERBEROS (FG_STS_TIMESTAMP | FG_STS_KERBEROS_ENDORSES | FG_STS_TO_SIGNED)
#define MESSAGE (FG_STS_TIMESTAMP | FG_STS_MESSAGE | FG_STS_TO_SIGNED)

/* clang-format off */
/* path, version, alternatives, SHA-256, strict, binding, protocol */
const fg_sts_endpoint_t fg_sts_endpoint_table[FG_STS_ENDPOINTS] = {
    [FG_STS_2005_USERNAME] = {FG_STS_PATH_2005_USERNAME, FG_TRUST_2005, {USERNAME}, false, true, "UserNameWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_USERNAME] = {FG_STS_PATH_13_USERNAME, FG_TRUST_13, {USERNAME}, false, true, "UserNameWSTrustBinding_IWSTrust13Async", "wstrust13"},
    [FG_STS_2005_CERTIFICATE] = {FG_STS_PATH "2005/certificatemixed", FG_TRUST_2005, {CERTIFICATE, CERTIFICATE_BY_TLS}, true, false, "CertificateWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_CERTIFICATE] = {FG_STS_PATH "13/certificatemixed", FG_TRUST_13, {CERTIFICATE, CERTIFICATE_BY_TLS}, true, false, "CertificateWSTrustBinding_IWSTrust13Async", "wstrust13"},
    [FG_STS_2005_CERTIFICATE_TRANSPORT] = {FG_STS_PATH "2005/certificatetransport", FG_TRUST_2005, {FG_STS_CLIENT_CERTIFICATE}, true, true, "CertificateWSTrustBinding_IWSTrustFeb2005Async1", "wstrust2005"},
    [FG_STS_13_CERTIFICATE_TRANSPORT] = {FG_STS_PATH "13/certificatetransport", FG_TRUST_13, {FG_STS_CLIENT_CERTIFICATE}, true, true, "CertificateWSTrustBinding_IWSTrust13Async1", "wstrust13"},
    [FG_STS_2005_ISSUED_ASYMMETRIC] = {FG_STS_PATH "2005/issuedtokenmixedasymmetricbasic256", FG_TRUST_2005, {ASYMMETRIC, BEARER}, false, false, "IssuedTokenWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_ISSUED_ASYMMETRIC] = {FG_STS_PATH "13/issuedtokenmixedasymmetricbasic256", FG_TRUST_13, {ASYMMETRIC, BEARER}, false, false, "IssuedTokenWSTrustBinding_IWSTrust13Async", "wstrust13"},
    [FG_STS_2005_ISSUED_ASYMMETRIC_SHA256] = {FG_STS_PATH "2005/issuedtokenmixedasymmetricbasic256sha256", FG_TRUST_2005, {ASYMMETRIC, BEARER}, true, false, "IssuedTokenWSTrustBinding_IWSTrustFeb2005Async1", "wstrust2005"},
    [FG_STS_13_ISSUED_ASYMMETRIC_SHA256] = {FG_STS_PATH "13/issuedtokenmixedasymmetricbasic256sha256", FG_TRUST_13, {ASYMMETRIC, BEARER}, true, false, "IssuedTokenWSTrustBinding_IWSTrust13Async1", "wstrust13"},
    [FG_STS_2005_ISSUED_SYMMETRIC] = {FG_STS_PATH "2005/issuedtokenmixedsymmetricbasic256", FG_TRUST_2005, {SYMMETRIC, BEARER}, false, false, "IssuedTokenWSTrustBinding_IWSTrustFeb2005Async2", "wstrust2005"},
    [FG_STS_13_ISSUED_SYMMETRIC] = {FG_STS_PATH "13/issuedtokenmixedsymmetricbasic256", FG_TRUST_13, {SYMMETRIC, BEARER}, false, false, "IssuedTokenWSTrustBinding_IWSTrust13Async2", "wstrust13"},
    [FG_STS_2005_ISSUED_SYMMETRIC_SHA256] = {FG_STS_PATH "2005/issuedtokenmixedsymmetricbasic256sha256", FG_TRUST_2005, {SYMMETRIC, BEARER}, true, false, "IssuedTokenWSTrustBinding_IWSTrustFeb2005Async3", "wstrust2005"},
    [FG_STS_13_ISSUED_SYMMETRIC_SHA256] = {FG_STS_PATH "13/issuedtokenmixedsymmetricbasic256sha256", FG_TRUST_13, {SYMMETRIC, BEARER}, true, false, "IssuedTokenWSTrustBinding_IWSTrust13Async3", "wstrust13"},
    [FG_STS_2005_MESSAGE] = {FG_STS_PATH "2005/certificate", FG_TRUST_2005, {MESSAGE}, true, true, "CertificateWSTrustBinding_IWSTrustFeb2005Async2", "wstrust2005"},
    [FG_STS_13_MESSAGE] = {FG_STS_PATH "13/certificate", FG_TRUST_13, {MESSAGE}, true, true, "CertificateWSTrustBinding_IWSTrust13Async2", "wstrust13"},
    [FG_STS_2005_WINDOWS] = {FG_STS_PATH "2005/windowstransport", FG_TRUST_2005, {FG_STS_NEGOTIATE}, false, true, "WindowsWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_WINDOWS] = {FG_STS_PATH "13/windowstransport", FG_TRUST_13, {FG_STS_NEGOTIATE}, false, true, "WindowsWSTrustBinding_IWSTrust13Async", "wstrust13"},
    [FG_STS_2005_KERBEROS] = {FG_STS_PATH "2005/kerberosmixed", FG_TRUST_2005, {KERBEROS}, false, false, "KerberosWSTrustBinding_IWSTrustFeb2005Async", "wstrust2005"},
    [FG_STS_13_KERBEROS] = {FG_STS_PATH "13/kerberosmixed", FG_TRUST_13, {KERBEROS}, false, false, "KerberosWSTrustBinding_IWSTrust13Async", "wstrust13"},
};
/* clang-format on */

const fg_sts_endpoint_t *fg_sts_endpoint_find(fg_str_t path) {
    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    for (size_t i = 0; i < FG_STS_ENDPOINTS; i++)
        if (fg_str_is(path, fg_sts_endpoint_table[i].path))
            return &fg_sts_endpoint_table[i];
    return NULL;
}

bool fg_sts_endpoint_takes_tickets(const fg_sts_endpoint_t *endpoint) {
    return (endpoint->alternatives[0] & (FG_STS_NEGOTIATE | FG_STS_KERBEROS_ENDORSES)) != 0;
}

bool fg_sts_endpoint_is_message(const fg_sts_endpoint_t *endpoint) {
    return (endpoint->alternatives[0] & FG_STS_MESSAGE) != 0;
}

bool fg_sts_endpoint_takes_sha1(const fg_sts_endpoint_t *endpoint) {
    static const unsigned by_token = FG_STS_SYMMETRIC_ENDORSES | FG_STS_PUBLIC_ENDORSES | FG_STS_KERBEROS_ENDORSES;
    return !endpoint->sha256 && (endpoint->alternatives[0] & by_token) != 0;
}

/* The KDC chooses the key, which may have 128 bits. */
const char *fg_sts_endpoint_suite(const fg_sts_endpoint_t *endpoint) {
    if ((endpoint->alternatives[0] & FG_STS_KERBEROS_ENDORSES) != 0)
        return "Basic128";
    return endpoint->sha256 ? "Basic256Sha256" : "Basic256";
}
