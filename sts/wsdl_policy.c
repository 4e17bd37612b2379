/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-SecurityPolicy 1.1 and 1.2: the bits of the endpoints' table as assertions. */
#include "sts/wsdl_parts.h"

static const fg_xns_t ns_wsp = {"wsp", FG_NS_WSP};
static const fg_xns_t ns_wsu = {"wsu", FG_NS_WSU};
static const fg_xns_t ns_http = {"http", "http://schemas.microsoft.com/ws/06/2004/policy/http"};
static const fg_xns_t ns_wsaw = {"wsaw", "http://www.w3.org/2006/05/addressing/wsdl"};

#define SP11 "http://schemas.xmlsoap.org/ws/2005/07/securitypolicy"
#define SP12 "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"

/* The version of WS-SecurityPolicy in which each is described: older clients read only the older one. */
typedef struct words {
    fg_xns_t sp;
    const char *username_tokens; /* where a UsernameToken stands */
    const char *trust;
    const char *always; /* to us */
    const char *once;
    const char *never;
    bool attributes; /* HttpsToken says it by an attribute */
} words_t;

static const words_t words_table[] = {
    [FG_TRUST_2005] = {{"sp2005", SP11},
                       "SignedSupportingTokens",
                       "Trust10",
                       SP11 "/IncludeToken/AlwaysToRecipient",
                       SP11 "/IncludeToken/Once",
                       SP11 "/IncludeToken/Never",
                       true},
    [FG_TRUST_13] = {{"sp", SP12},
                     "SignedEncryptedSupportingTokens",
                     "Trust13",
                     SP12 "/IncludeToken/AlwaysToRecipient",
                     SP12 "/IncludeToken/Once",
                     SP12 "/IncludeToken/Never",
                     false},
};

/* One alternative of one endpoint. */
typedef struct policy {
    const fg_wsdl_t *d;
    const fg_sts_endpoint_t *endpoint;
    const words_t *words;
    unsigned bits;
} policy_t;

static bool wants(const policy_t *p, unsigned bits) { return (p->bits & bits) != 0; }

static void put_empty(const policy_t *p, const char *name) { fg_wsdl_put_empty(p->d, &p->words->sp, name); }

/* <sp:NAME><wsp:Policy>... */
static void start(const policy_t *p, const char *name) {
    fg_xw_start(p->d->w, &p->words->sp, name);
    fg_xw_start(p->d->w, &ns_wsp, "Policy");
}

static void end(const policy_t *p) {
    fg_xw_end(p->d->w);
    fg_xw_end(p->d->w);
}

static void put_choice(const policy_t *p, const char *name, const char *choice) {
    start(p, name);
    put_empty(p, choice);
    end(p);
}

/* ---- tokens (§5) */

static void start_token(const policy_t *p, const char *name, const char *include) {
    fg_xw_start(p->d->w, &p->words->sp, name);
    fg_xw_attr_ns(p->d->w, &p->words->sp, "IncludeToken", fg_str(include));
}

static void put_x509_token(const policy_t *p, const char *include) {
    start_token(p, "X509Token", include);
    fg_xw_start(p->d->w, &ns_wsp, "Policy");
    put_empty(p, "WssX509V3Token10");
    end(p);
}

static void put_username_token(const policy_t *p) {
    start_token(p, "UsernameToken", p->words->always);
    fg_xw_start(p->d->w, &ns_wsp, "Policy");
    put_empty(p, "WssUsernameToken10");
    end(p);
}

static void put_kerberos_token(const policy_t *p) {
    start_token(p, "KerberosToken", p->words->once);
    fg_xw_start(p->d->w, &ns_wsp, "Policy");
    put_empty(p, "WssGssKerberosV5ApReqToken11");
    end(p);
}

static const char *key_type_of(const policy_t *p) {
    const char *const types[][3] = {
        [FG_TRUST_2005] = {FG_NS_TRUST_2005 "/SymmetricKey", FG_NS_TRUST_2005 "/PublicKey",
                           "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey"},
        [FG_TRUST_13] = {FG_NS_TRUST_13 "/SymmetricKey", FG_NS_TRUST_13 "/PublicKey", FG_NS_TRUST_13 "/Bearer"},
    };
    return types[p->endpoint->trust][wants(p, FG_STS_SYMMETRIC_ENDORSES) ? 0
                                     : wants(p, FG_STS_PUBLIC_ENDORSES)  ? 1
                                                                         : 2];
}

/* §5.4.2: who issues it is not said, as that may be any identity provider. */
static void put_issued_token(const policy_t *p) {
    fg_xw_t *w = p->d->w;
    const fg_xns_t *trust = &fg_trust_words(p->endpoint->trust)->ns;
    start_token(p, "IssuedToken", p->words->always);
    fg_xw_start(w, &p->words->sp, "RequestSecurityTokenTemplate");
    fg_xw_leafz(w, trust, "KeyType", key_type_of(p));
    fg_xw_end(w);
    fg_xw_start(w, &ns_wsp, "Policy");
    put_empty(p, "RequireInternalReference");
    end(p);
}

/* ---- parts (§4) */

/* name NULL: every header of WS-Addressing. */
static void put_header(const policy_t *p, const char *name) {
    fg_xw_start(p->d->w, &p->words->sp, "Header");
    if (name != NULL)
        fg_xw_attrz(p->d->w, "Name", name);
    fg_xw_attrz(p->d->w, "Namespace", FG_NS_WSA);
    fg_xw_end(p->d->w);
}

static void put_signed_to(const policy_t *p) {
    if (!wants(p, FG_STS_TO_SIGNED))
        return;
    fg_xw_start(p->d->w, &p->words->sp, "SignedParts");
    put_header(p, "To");
    fg_xw_end(p->d->w);
}

static void put_message_parts(const policy_t *p) {
    fg_xw_start(p->d->w, &p->words->sp, "SignedParts");
    put_empty(p, "Body");
    put_header(p, NULL);
    fg_xw_end(p->d->w);
    fg_xw_start(p->d->w, &p->words->sp, "EncryptedParts");
    put_empty(p, "Body");
    fg_xw_end(p->d->w);
}

/* ---- bindings (§7) */

static void put_properties(const policy_t *p) {
    put_choice(p, "AlgorithmSuite", fg_sts_endpoint_suite(p->endpoint));
    put_choice(p, "Layout", p->endpoint->strict ? "Strict" : "Lax");
    if (wants(p, FG_STS_TIMESTAMP))
        put_empty(p, "IncludeTimestamp");
}

static void put_https_token(const policy_t *p) {
    bool certificate = wants(p, FG_STS_CLIENT_CERTIFICATE);
    fg_xw_start(p->d->w, &p->words->sp, "HttpsToken");
    if (p->words->attributes) {
        fg_xw_attrz(p->d->w, "RequireClientCertificate", certificate ? "true" : "false");
    } else if (certificate) {
        fg_xw_start(p->d->w, &ns_wsp, "Policy");
        put_empty(p, "RequireClientCertificate");
        fg_xw_end(p->d->w);
    }
    fg_xw_end(p->d->w);
}

/* §7.3: TLS protects the message. */
static void put_transport_binding(const policy_t *p) {
    start(p, "TransportBinding");
    start(p, "TransportToken");
    put_https_token(p);
    end(p);
    put_properties(p);
    end(p);
}

/* §7.5: the message protects itself, by the certificates of both sides. */
static void put_asymmetric_binding(const policy_t *p) {
    start(p, "AsymmetricBinding");
    start(p, "InitiatorToken");
    put_x509_token(p, p->words->always);
    end(p);
    start(p, "RecipientToken");
    put_x509_token(p, p->words->never);
    end(p);
    put_properties(p);
    put_empty(p, "OnlySignEntireHeadersAndBody");
    end(p);
    put_message_parts(p);
}

/* ---- supporting tokens (§8) */

static void put_supporting(const policy_t *p, const char *name, void (*put_token)(const policy_t *)) {
    start(p, name);
    put_token(p);
    put_signed_to(p);
    end(p);
}

static void put_endorsing_x509(const policy_t *p) { put_x509_token(p, p->words->always); }

static const struct {
    unsigned bits;
    const char *name; /* NULL: of the version */
    void (*put_token)(const policy_t *);
} supporting[] = {
    {FG_STS_USERNAME_TOKEN, NULL, put_username_token},
    {FG_STS_X509_ENDORSES, "EndorsingSupportingTokens", put_endorsing_x509},
    {FG_STS_KERBEROS_ENDORSES, "EndorsingSupportingTokens", put_kerberos_token},
    {FG_STS_SYMMETRIC_ENDORSES | FG_STS_PUBLIC_ENDORSES, "EndorsingSupportingTokens", put_issued_token},
    {FG_STS_ISSUED_BEARER, "SignedSupportingTokens", put_issued_token},
};

/* ---- an alternative */

/* §9.2 */
static void put_wss11(const policy_t *p) {
    static const char *const references[] = {"MustSupportRefKeyIdentifier", "MustSupportRefIssuerSerial",
                                             "MustSupportRefThumbprint"};
    start(p, "Wss11");
    if (wants(p, FG_STS_X509_ENDORSES | FG_STS_MESSAGE))
        for (size_t i = 0; i < FG_ARRAY_SIZE(references); i++)
            put_empty(p, references[i]);
    if (wants(p, FG_STS_MESSAGE))
        put_empty(p, "RequireSignatureConfirmation");
    end(p);
}

static void put_alternative(const policy_t *p) {
    fg_xw_start(p->d->w, &ns_wsp, "All");
    if (wants(p, FG_STS_MESSAGE))
        put_asymmetric_binding(p);
    else
        put_transport_binding(p);
    for (size_t i = 0; i < FG_ARRAY_SIZE(supporting); i++)
        if (wants(p, supporting[i].bits))
            put_supporting(p, supporting[i].name != NULL ? supporting[i].name : p->words->username_tokens,
                           supporting[i].put_token);
    if (wants(p, FG_STS_NEGOTIATE))
        fg_wsdl_put_empty(p->d, &ns_http, "NegotiateAuthentication");
    put_wss11(p);
    put_choice(p, p->words->trust, "MustSupportIssuedTokens");
    fg_wsdl_put_empty(p->d, &ns_wsaw, "UsingAddressing");
    fg_xw_end(p->d->w);
}

void fg_wsdl_put_policy(const fg_wsdl_t *d, const fg_sts_endpoint_t *endpoint) {
    fg_xw_start(d->w, &ns_wsp, "Policy");
    fg_wsdl_put_attribute(d, &ns_wsu, "Id", "%s_policy", endpoint->binding);
    fg_xw_start(d->w, &ns_wsp, "ExactlyOne");
    for (size_t i = 0; i < FG_STS_ALTERNATIVES && endpoint->alternatives[i] != 0; i++) {
        const policy_t policy = {d, endpoint, &words_table[endpoint->trust], endpoint->alternatives[i]};
        put_alternative(&policy);
    }
    fg_xw_end(d->w);
    fg_xw_end(d->w);
}
