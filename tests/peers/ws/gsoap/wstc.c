/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Trust 1.3 client on gSOAP's wst, wsse and wsa plugins.  Built and run by wstc.sh, which adds -ca.
 *
 * wstc URL [-u USER] [-p PASSWORD] [-digest]        UsernameToken, text or digest
 *          [-key KEY.pem -cert CERT.pem] [-sha1]      signs Timestamp, Body and addressing with a BinarySecurityToken
 *          [-enc CERT.pem] [-gcm]                     encrypts the Body to it, and decrypts the answer with KEY.pem
 *          [-verifyresp -peer CERT.pem]               the answer's own signature, by that one, must cover Body and Timestamp
 *          [-tlscert BOTH.pem]                        TLS client certificate
 *          [-aud URN] [-tt saml1|saml2|none|URI] [-soap 1|2] [-nots] [-ca CA.pem] [-log FILE]
 *
 * Prints the token type, the assertion's id and issuer, "assertion signature: VERIFIED|FAILED", whether the
 * WS-Addressing reply matches and, with -verifyresp, whether the answer's Timestamp and Body hold; or the fault.
 * Exit: 0 token received; 1 fault or transport; 2 usage; 3 bad signature. */
#include "soapH.h"
#include "logging.h"
#include "wsaapi.h"
#include "wsseapi.h"
#include "wst.nsmap"
#include "wstapi.h"
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define TRUST "http://docs.oasis-open.org/ws-sx/ws-trust/200512"

extern struct Namespace soap11_namespaces[], soap12_namespaces[];

struct options {
    const char *url, *user, *password, *audience, *token_type, *soap_version, *ca, *key, *cert, *recipient, *peer, *tls, *log;
    int digest, no_timestamp, sha1, gcm, verify;
};

static int read_options(struct options *o, int argc, char **argv) {
    const struct {
        const char *name;
        const char **value;
        int *flag;
    } table[] = {
        {"-u", &o->user},          {"-p", &o->password},     {"-aud", &o->audience},          {"-tt", &o->token_type},
        {"-soap", &o->soap_version}, {"-ca", &o->ca},        {"-digest", NULL, &o->digest}, {"-nots", NULL, &o->no_timestamp},
        {"-key", &o->key},         {"-cert", &o->cert},      {"-enc", &o->recipient},         {"-tlscert", &o->tls},
        {"-sha1", NULL, &o->sha1}, {"-gcm", NULL, &o->gcm},  {"-verifyresp", NULL, &o->verify}, {"-log", &o->log},
        {"-peer", &o->peer},
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

/* ---- RSA-OAEP: gSOAP 2.8.124 names it in its messages but wraps keys with RSA 1.5 all the same, so wstc.sh puts these in the place of
 * OpenSSL's two functions that it calls */

static int oaep(EVP_PKEY_CTX *context) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1; }

int oaep_encrypt(unsigned char *wrapped, const unsigned char *key, int key_length, EVP_PKEY *recipient) {
    size_t length = EVP_PKEY_get_size(recipient);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(recipient, NULL);
    int good = EVP_PKEY_encrypt_init(context) == 1 && oaep(context) && EVP_PKEY_encrypt(context, wrapped, &length, key, key_length) == 1;
    EVP_PKEY_CTX_free(context);
    return good ? (int)length : 0;
}

int oaep_open_init(EVP_CIPHER_CTX *cipher, const EVP_CIPHER *type, const unsigned char *wrapped, int wrapped_length, const unsigned char *iv,
                   EVP_PKEY *recipient) {
    unsigned char key[512];
    size_t length = sizeof key;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(recipient, NULL);
    int good = EVP_PKEY_decrypt_init(context) == 1 && oaep(context) &&
               EVP_PKEY_decrypt(context, key, &length, wrapped, wrapped_length) == 1 && EVP_DecryptInit_ex(cipher, type, NULL, key, iv) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

/* ---- keys; they live as long as the program */

static EVP_PKEY *read_key(const char *path) {
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return key;
}

static X509 *read_certificate(const char *path) {
    FILE *file = fopen(path, "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file)
        fclose(file);
    return certificate;
}

/* The answer names its signer's certificate by a thumbprint, which gSOAP does not look up: the key is told it. */
static int expect_signature(struct soap *soap, const struct options *o) {
    X509 *peer = o->peer ? read_certificate(o->peer) : NULL;
    return !soap_wsse_verify_auto(soap, peer ? SOAP_SMD_VRFY_RSA_SHA256 : SOAP_SMD_NONE, peer ? X509_get_pubkey(peer) : NULL, 0);
}

/* True if the message will be signed: header parts get an id that is their name */
static int sign(struct soap *soap, const struct options *o, EVP_PKEY *key) {
    X509 *certificate = read_certificate(o->cert);
    soap_set_omode(soap, SOAP_XML_CANONICAL);
    soap_wsse_set_wsu_id(soap, "wsa5:To wsa5:Action wsa5:MessageID wsa5:ReplyTo");
    return certificate && !soap_wsse_add_BinarySecurityTokenX509(soap, "X509Token", certificate) &&
           !soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#X509Token") &&
           !soap_wsse_sign_body(soap, o->sha1 ? SOAP_SMD_SIGN_RSA_SHA1 : SOAP_SMD_SIGN_RSA_SHA256, key, 0) &&
           !soap_wsse_sign_only(soap, "Time Body wsa5:To wsa5:Action wsa5:MessageID wsa5:ReplyTo");
}

static int encrypt(struct soap *soap, const struct options *o, EVP_PKEY *key) {
    X509 *recipient = read_certificate(o->recipient);
    int algorithm = o->gcm ? SOAP_MEC_ENV_ENC_AES256_GCM : SOAP_MEC_ENV_ENC_AES256_CBC;
    soap_wsse_decrypt_auto(soap, o->gcm ? SOAP_MEC_ENV_DEC_AES256_GCM : SOAP_MEC_ENV_DEC_AES256_CBC, key, 0);
    return recipient && !soap_wsse_add_EncryptedKey(soap, algorithm | SOAP_MEC_OAEP, "Cert", recipient, NULL, NULL, NULL);
}

static int protect(struct soap *soap, const struct options *o) {
    EVP_PKEY *key = o->key ? read_key(o->key) : NULL;
    if (o->key && (!key || !sign(soap, o, key)))
        return 0;
    return !o->recipient || encrypt(soap, o, key);
}

static int show_protection(struct soap *soap) {
    int timestamp = soap_wsse_verify_Timestamp(soap), body = soap_wsse_verify_body(soap);
    printf("response: timestamp %s, body signature %s\n", timestamp ? "BAD" : "ok", body ? "MISSING" : "VERIFIED");
    return timestamp || body ? 3 : 0;
}

static int call(struct soap *soap, const struct options *o) {
    struct wst__RequestSecurityTokenType request;
    struct wst__RequestSecurityTokenResponseCollectionType answer = {0};
    int status = 0;
    fill_request(soap, o, &request);
    fill_headers(soap, o);
    soap_wsse_verify_init(soap);
    if (!protect(soap, o)) {
        soap_print_fault(soap, stdout);
        return 2;
    }
    if (o->verify && !expect_signature(soap, o))
        return 2;
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
    if (o->verify && !status)
        status = show_protection(soap);
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
    FILE *log = o.log ? fopen(o.log, "w") : NULL;
    if (log) {
        soap_register_plugin(soap, logging);
        soap_set_logging_outbound(soap, log);
        soap_set_logging_inbound(soap, log);
    }
    int status = 1;
    if (soap_ssl_client_context(soap, SOAP_SSL_DEFAULT | SOAP_SSL_REQUIRE_SERVER_AUTHENTICATION, o.tls, NULL, o.ca, NULL, NULL)) {
        soap_print_fault(soap, stderr);
    } else {
        soap_set_namespaces(soap, o.soap_version[0] == '1' ? soap11_namespaces : soap12_namespaces);
        status = call(soap, &o);
    }
    soap_destroy(soap);
    soap_end(soap);
    soap_free(soap);
    if (log)
        fclose(log);
    return status;
}
