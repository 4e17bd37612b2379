/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AuthnRequest (SAML 2.0 core §3.4.1): read as identity provider, written as service provider. */
#ifndef FG_BRIDGES_SAML_AUTHN_REQUEST_H
#define FG_BRIDGES_SAML_AUTHN_REQUEST_H

#include "bridges/saml/message.h"
#include "bridges/saml/party.h"
#include "token/authmethod.h"

#define FG_SAML_CONTEXTS 8u
#define FG_SAML_PROVIDERS 8u

typedef enum fg_saml_comparison {
    FG_SAML_EXACT,
    FG_SAML_MINIMUM,
    FG_SAML_MAXIMUM,
    FG_SAML_BETTER,
} fg_saml_comparison_t;

typedef struct fg_saml_authn_request {
    fg_str_t id; /* to be answered in InResponseTo; .n 0: nobody asked */
    bool force;
    bool passive;
    fg_str_t consumer_url;              /* AssertionConsumerServiceURL; .p NULL: not named */
    int consumer_index;                 /* negative: not named */
    fg_saml_binding_t protocol_binding; /* of the answer; FG_SAML_BINDINGS: not named */
    int attribute_index;                /* AttributeConsumingServiceIndex; negative: not named */
    fg_str_t name_id_format;            /* .p NULL: any */
    fg_str_t sp_name_qualifier;         /* .p NULL: none */
    bool allow_create;
    fg_saml_comparison_t comparison;
    fg_str_t contexts[FG_SAML_CONTEXTS]; /* AuthnContextClassRefs */
    size_t context_count;
    int proxy_count;                       /* negative: not limited */
    bool is_loop;                          /* it came by us before: we are among the RequesterIDs */
    fg_str_t providers[FG_SAML_PROVIDERS]; /* IDPList: whom to ask */
    size_t provider_count;
} fg_saml_authn_request_t;

/* Reads a request that was verified.  Strings are in ex's arena. */
bool fg_saml_authn_request_read(fg_exchange_t *ex, const xmlNode *root, fg_saml_authn_request_t *request,
                                fg_err_t *err) FG_MUST_CHECK;

/* Where the answer goes: an address and a binding of party's metadata (SA-17).  NULL: it may go nowhere;
 * FG_E_SAML_CONSUMER, FG_E_SAML_BINDING. */
const fg_saml_endpoint_t *fg_saml_authn_request_consumer(const fg_saml_authn_request_t *request,
                                                         const fg_saml_party_t *party, fg_err_t *err) FG_MUST_CHECK;

/* What we ask of an identity provider. */
typedef struct fg_saml_authn_asked {
    const char *id;
    fg_str_t destination; /* .n 0: not known (PAOS) */
    fg_str_t consumer_url;
    fg_saml_binding_t binding; /* of the answer */
    bool force;
    bool passive;
    const fg_authmethod_t *method; /* NULL: any */
    unsigned proxy_limit;          /* how many more may be asked, plus one; 0: not limited */
    fg_str_t requester;            /* with a limit: on whose behalf; .n 0: our own */
} fg_saml_authn_asked_t;
/* Writes the request into an empty buffer.  signed_inside: for the POST binding. */
bool fg_saml_authn_request_write(fg_exchange_t *ex, const fg_saml_authn_asked_t *asked, fg_str_t issuer,
                                 bool signed_inside, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
