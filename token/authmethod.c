/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/authmethod.h"

#include "core/err.h"
#include "token/claims.h"

#define METHOD "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/"
#define AM "urn:oasis:names:tc:SAML:1.0:am:"
#define AC "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define FEDERATION_WINDOWS "urn:federation:authentication:windows"

static const fg_authmethod_t methods[] = {
    /* a password reaches this gateway over TLS alone */
    {FG_AUTH_PASSWORD, AM "password", AC "PasswordProtectedTransport", "pwd"},
    {FG_AUTH_WINDOWS, FEDERATION_WINDOWS, FEDERATION_WINDOWS, "wia"},
    {METHOD "kerberos", "urn:ietf:rfc:1510", AC "Kerberos", NULL},
    {FG_AUTH_X509, AM "X509-PKI", AC "X509", NULL},
    {FG_AUTH_TLSCLIENT, "urn:ietf:rfc:2246", AC "TLSClient", NULL},
    {FG_AUTH_UNSPECIFIED, AM "unspecified", AC "unspecified", NULL},
};

/* further words that partners use for the same */
static const struct {
    const char *word;
    const char *claim;
} others[] = {
    {AC "Password", FG_AUTH_PASSWORD},
    {AC "InternetProtocolPassword", FG_AUTH_PASSWORD},
};

static const fg_authmethod_t *find_row(fg_str_t word) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(methods); i++)
        if (fg_str_is(word, methods[i].claim) || fg_str_is(word, methods[i].saml11) ||
            fg_str_is(word, methods[i].saml20) || (methods[i].amr != NULL && fg_str_is(word, methods[i].amr)))
            return &methods[i];
    return NULL;
}

const fg_authmethod_t *fg_authmethod_find(fg_str_t word) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        if (fg_str_is(word, others[i].word))
            return find_row(fg_str(others[i].claim));
    return find_row(word);
}
