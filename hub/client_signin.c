/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/client_signin.h"

#include "hub/protocol.h"

#define PAOS_VERSION "urn:liberty:paos:2003-08"
#define PAOS_SERVICE "\"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp\""

static bool has(fg_str_t text, const char *word) {
    return text.n > 0 && memmem(text.p, text.n, word, strlen(word)) != NULL;
}

/* PAOS: ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp","option" (liberty-paos-v1.1 §9)
 */
bool fg_request_is_paos(const fg_request_t *request) {
    size_t times;
    fg_str_t paos = fg_request_header(request, "paos", &times);
    return request->method == FG_METHOD_GET && times == 1 && has(paos, PAOS_VERSION) && has(paos, PAOS_SERVICE) &&
           has(fg_request_header(request, "accept", NULL), FG_PAOS_MEDIA_TYPE) &&
           fg_request_header(request, "authorization", NULL).p == NULL;
}

static bool may_be_asked(const fg_home_realm_t *realm) {
    const fg_identity_provider_t *provider = realm->identity_provider;
    return provider != NULL && provider->protocol == FG_PROTOCOL_SAML && provider->saml != NULL;
}

bool fg_client_signin_is_served(const fg_exchange_t *ex, const fg_home_realm_t *home_realm) {
    const fg_protocol_t *saml = ex->hub->protocols[FG_PROTOCOL_SAML];
    if (saml == NULL || saml->begin_client_sign_in == NULL)
        return false;
    if (home_realm != NULL)
        return may_be_asked(home_realm);
    for (size_t i = 0; i < ex->hub->home_realm_count; i++)
        if (may_be_asked(&ex->hub->home_realms[i]))
            return true;
    return ex->hub->federations != NULL;
}

bool fg_client_signin_begin(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    return ex->hub->protocols[FG_PROTOCOL_SAML]->begin_client_sign_in(ex, signin, err);
}
