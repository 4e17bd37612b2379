/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A discovery service for the service providers that we know (sstc-saml-idp-discovery-cs-01 §2.4): their people choose
 * here, and go back with the entityID of the identity provider that they chose. */
#include "bridges/saml/saml.h"
#include "hub/home_realm.h"

#define URL_MAX (16u << 10)
#define SINGLE "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol:single"

typedef struct discovery {
    fg_params_t params;
    const fg_partner_t *partner;
    fg_str_t back; /* where the answer goes to */
    fg_str_t name; /* of the parameter that it comes in */
    bool passive;
} discovery_t;

static bool is_kept(fg_str_t name) {
    static const char *const names[] = {"entityID", "return", "returnIDParam", "policy"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_is(name, names[i]))
            return true;
    return false;
}

/* §2.4.1, §2.5: an address of the metadata, with whatever query the service provider puts behind it; no other (SA-11).
 */
static bool is_registered(const fg_saml_party_t *party, fg_str_t url) {
    for (size_t i = 0; i < party->discovery_response_count; i++) {
        fg_str_t own = party->discovery_responses[i];
        bool begins = url.n >= own.n && memcmp(url.p, own.p, own.n) == 0;
        char border = memchr(own.p, '?', own.n) != NULL ? '&' : '?';
        if (begins && (url.n == own.n || url.p[own.n] == border) && fg_uri_is_web(url))
            return true;
    }
    return false;
}

static bool get_once(const discovery_t *in, const char *name, fg_str_t *value, fg_err_t *err) {
    size_t times;
    *value = fg_params_get(&in->params, name, &times);
    return times <= 1 || FG_FAIL(err, FG_E_SAML_MESSAGE, "%s more than once", name);
}

static bool read_request(fg_exchange_t *ex, discovery_t *in, fg_err_t *err) {
    fg_str_t entity_id, policy, passive;
    if (!fg_params_parse(ex->arena, ex->request.query, &in->params, err) ||
        !get_once(in, "entityID", &entity_id, err) || !get_once(in, "return", &in->back, err) ||
        !get_once(in, "returnIDParam", &in->name, err) || !get_once(in, "policy", &policy, err) ||
        !get_once(in, "isPassive", &passive, err))
        return false;
    in->partner = fg_find_partner(ex, entity_id);
    if (in->partner == NULL || in->partner->saml == NULL)
        return FG_FAIL(err, FG_E_SAML_PARTNER, "service provider \"%.*s\"", FG_STR_ARG(entity_id));
    if (policy.n > 0 && !fg_str_is(policy, SINGLE))
        return FG_FAIL(err, FG_E_SAML_UNSUPPORTED, "policy %.*s", FG_STR_ARG(policy));
    if (in->back.n == 0 && in->partner->saml->discovery_response_count > 0)
        in->back = in->partner->saml->discovery_responses[0];
    if (!is_registered(in->partner->saml, in->back))
        return FG_FAIL(err, FG_E_SAML_CONSUMER, "return \"%.*s\" is no DiscoveryResponse of %s", FG_STR_ARG(in->back),
                       in->partner->name);
    in->name = in->name.n > 0 ? in->name : FG_STR("entityID");
    in->passive = fg_str_is(passive, "true");
    return true;
}

/* realm NULL: no answer, which is one too. */
static fg_step_t go_back(fg_exchange_t *ex, const discovery_t *in, const fg_home_realm_t *realm) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, in->back);
    /* whom we ask ourselves, the service provider reaches through us */
    const fg_identity_provider_t *provider = realm ? realm->identity_provider : NULL;
    if (realm != NULL)
        fg_uri_put_param(&url, in->name, provider && provider->saml ? provider->issuer : ex->hub->entity_id);
    bool good = fg_buf_ok(&url);
    if (good)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    if (good)
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_SAML_MESSAGE, "an address of over %u bytes", URL_MAX);
    return fg_saml_refuse(ex, &err);
}

static fg_step_t choose(fg_exchange_t *ex, const discovery_t *in, const fg_home_realm_t *realm) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_home_realm_remember(ex, in->partner->realms[0], realm->uri, &err))
        return fg_saml_refuse(ex, &err);
    return go_back(ex, in, realm);
}

fg_step_t fg_saml_discover(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    discovery_t in = {.partner = NULL};
    bool many;
    if (!read_request(ex, &in, &err))
        return fg_saml_refuse(ex, &err);
    fg_str_t chosen = fg_params_get(&in.params, FG_REALM_PARAM, NULL);
    const fg_home_realm_t *realm = chosen.n > 0 ? fg_find_home_realm(ex, chosen) : NULL;
    if (chosen.n > 0 && realm == NULL) {
        FG_FAIL(&err, FG_E_WSFED_HOME_REALM, "whr \"%.*s\"", FG_STR_ARG(chosen));
        return fg_saml_refuse(ex, &err);
    }
    realm = realm ? realm : fg_home_realm_searched(ex, &in.params);
    if (realm != NULL)
        return choose(ex, &in, realm);
    realm = fg_home_realm_only(ex, &many);
    if (in.passive && realm == NULL)
        realm = fg_home_realm_remembered(ex, in.partner->realms[0]);
    if (in.passive || realm != NULL)
        return go_back(ex, &in, realm);
    const fg_home_realm_page_t page = {
        fg_str(fg_arena_printf(ex->arena, "%.*s%s", (int)ex->hub->base_url.n, ex->hub->base_url.p,
                               FG_SAML_DISCOVERY_PATH)),
        &in.params, is_kept, fg_str(in.partner->display_name)};
    return fg_home_realm_show(ex, &page, &err) ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}
