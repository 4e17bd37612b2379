/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Trust 1.3 client on gSOAP's wst, wsse and wsa plugins.  Built and run by wstc.sh, which adds -ca.
 *
 * wstc URL [-u USER] [-p PASSWORD] [-digest] [-aud URN] [-tt saml1|saml2|none|URI] [-soap 1|2] [-nots] [-ca CA.pem]
 *
 * Prints the token type, the assertion's id and issuer, "assertion signature: VERIFIED|FAILED", and whether the
 * WS-Addressing reply matches; or the fault.  Exit: 0 token received; 1 fault or transport; 2 usage; 3 bad signature. */
#include "soapH.h"
#include "wsaapi.h"
#include "wsseapi.h"
#include "wst.nsmap"
#include "wstapi.h"

#define TRUST "http://docs.oasis-open.org/ws-sx/ws-trust/200512"

extern struct Namespace soap11_namespaces[], soap12_namespaces[];

struct options {
    const char *url, *user, *password, *audience, *token_type, *soap_version, *ca;
    int digest, no_timestamp;
};

static int read_options(struct options *o, int argc, char **argv) {
    const struct {
        const char *name;
        const char **value;
        int *flag;
    } table[] = {
        {"-u", &o->user},          {"-p", &o->password},     {"-aud", &o->audience},          {"-tt", &o->token_type},
        {"-soap", &o->soap_version}, {"-ca", &o->ca},        {"-digest", NULL, &o->digest}, {"-nots", NULL, &o->no_timestamp},
    };
    const int rows = sizeof table / sizeof *table;
    if (argc < 2)
        return 0;
    o->url = argv[1];
    for (int i = 2, k; i < argc; i++) {
        for (k = 0; k < rows && strcmp(argv[i], table[k].name); k++)
            ;
        if (k == rows || (table[k].value && i + 1 == argc))
            return 0;
        if (table[k].value)
            *table[k].value = argv[++i];
        else
            *table[k].flag = 1;
    }
    return 1;
}

/* 0, or 3 for a signature that does not hold */
static int show_signature(struct soap *soap, struct ds__SignatureType *signature) {
    if (!signature) {
        printf("assertion unsigned\n");
        return 3;
    }
    int failed = soap_wsse_verify_with_signature(soap, signature) != SOAP_OK || soap->error;
    soap->error = 0;
    printf("assertion signature: %s\n", failed ? "FAILED" : "VERIFIED");
    return failed ? 3 : 0;
}

static int show(struct soap *soap, struct wst__RequestSecurityTokenResponseType *r) {
    printf("TokenType=%s\n", r->TokenType ? r->TokenType : "(none)");
    saml1__AssertionType *a1 = r->RequestedSecurityToken ? r->RequestedSecurityToken->saml1__Assertion : NULL;
    saml2__AssertionType *a2 = r->RequestedSecurityToken ? r->RequestedSecurityToken->saml2__Assertion : NULL;
    if (a1) {
        printf("SAML1.1 assertion id=%s issuer=%s\n", a1->AssertionID, a1->Issuer);
        return show_signature(soap, a1->ds__Signature);
    }
    if (a2) {
        printf("SAML2.0 assertion id=%s issuer=%s\n", a2->ID, a2->saml2__Issuer ? a2->saml2__Issuer->__item : "?");
        return show_signature(soap, a2->ds__Signature);
    }
    printf("no SAML assertion recognised\n");
    return 3;
}

static void fill_request(struct soap *soap, const struct options *o, struct wst__RequestSecurityTokenType *q) {
    const char *tt = o->token_type;
    soap_default_wst__RequestSecurityTokenType(soap, q);
    q->RequestType = TRUST "/Issue";
    q->KeyType = TRUST "/Bearer";
    q->TokenType = !strcmp(tt, "saml1")   ? "urn:oasis:names:tc:SAML:1.0:assertion"
                   : !strcmp(tt, "saml2") ? "urn:oasis:names:tc:SAML:2.0:assertion"
                   : !strcmp(tt, "none")  ? NULL
                                          : (char *)tt;
    q->wsp__AppliesTo = soap_malloc(soap, sizeof *q->wsp__AppliesTo);
    soap_default__wsp__AppliesTo_(soap, q->wsp__AppliesTo);
    q->wsp__AppliesTo->SOAP_WSA(EndpointReference) = soap_malloc(soap, sizeof(SOAP_WSA(EndpointReferenceType)));
    SOAP_WSA_(soap_default, EndpointReferenceType)(soap, q->wsp__AppliesTo->SOAP_WSA(EndpointReference));
    q->wsp__AppliesTo->SOAP_WSA(EndpointReference)->Address = (char *)o->audience;
}

static void fill_headers(struct soap *soap, const struct options *o) {
    soap_wsa_request(soap, soap_wsa_rand_uuid(soap), o->url, TRUST "/RST/Issue");
    soap_wsa_add_ReplyTo(soap, "http://www.w3.org/2005/08/addressing/anonymous");
    if (!o->no_timestamp)
        soap_wsse_add_Timestamp(soap, "Time", 300);
    if (!o->user)
        return;
    if (o->digest)
        soap_wsse_add_UsernameTokenDigest(soap, "User", o->user, o->password);
    else
        soap_wsse_add_UsernameTokenText(soap, "User", o->user, o->password);
}

static int call(struct soap *soap, const struct options *o) {
    struct wst__RequestSecurityTokenType request;
    struct wst__RequestSecurityTokenResponseCollectionType answer = {0};
    int status = 0;
    fill_request(soap, o, &request);
    fill_headers(soap, o);
    soap_wsse_verify_init(soap);
    if (soap_call___wst__RequestSecurityTokenIssue(soap, o->url, TRUST "/RST/Issue", &request, &answer)) {
        soap_print_fault(soap, stdout);
        return 1;
    }
    printf("RSTRs=%d\n", answer.__sizeRequestSecurityTokenResponse);
    for (int i = 0; i < answer.__sizeRequestSecurityTokenResponse && !status; i++)
        status = show(soap, &answer.RequestSecurityTokenResponse[i]);
    if (soap_wsa_check(soap)) {
        printf("WS-Addressing check: FAILED\n");
        return 1;
    }
    printf("WS-Addressing reply ok (Action %s)\n", soap->header && soap->header->wsa5__Action ? soap->header->wsa5__Action : "-");
    return status;
}

int main(int argc, char **argv) {
    struct options o = {.audience = "urn:federation:MicrosoftOnline", .token_type = "saml2", .soap_version = "2"};
    if (!read_options(&o, argc, argv)) {
        fprintf(stderr, "usage: see the head of wstc.c\n");
        return 2;
    }
    struct soap *soap = soap_new1(SOAP_C_UTFSTRING);
    soap_register_plugin(soap, soap_wsa);
    soap_register_plugin(soap, soap_wsse);
    int status = 1;
    if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT | SOAP_SSL_REQUIRE_SERVER_AUTHENTICATION, NULL, NULL, o.ca, NULL, NULL)) {
        soap_print_fault(soap, stderr);
    } else {
        soap_set_namespaces(soap, o.soap_version[0] == '1' ? soap11_namespaces : soap12_namespaces);
        status = call(soap, &o);
    }
    soap_destroy(soap);
    soap_end(soap);
    soap_free(soap);
    return status;
}
