/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/peer.h"
#include "hub/federation.h"

static bool fill_partner(const fg_hub_t *hub, const fg_partner_t *partner, fg_str_t realm, fg_saml_peer_t *peer) {
    if (partner == NULL || partner->saml == NULL)
        return false;
    *peer = (fg_saml_peer_t){
        .role = FG_SAML_SERVICE_PROVIDER,
        .id = realm,
        .party = partner->saml,
        .partner = partner,
        .name = partner->name,
        .display_name = partner->display_name,
        .entity_id = realm,
        .ours = hub->entity_id,
        .keys = partner->saml->keys,
    };
    return true;
}

static bool fill_provider(const fg_home_realm_t *realm, fg_saml_peer_t *peer) {
    const fg_identity_provider_t *provider = realm ? realm->identity_provider : NULL;
    if (provider == NULL || provider->saml == NULL)
        return false;
    *peer = (fg_saml_peer_t){
        .role = FG_SAML_IDENTITY_PROVIDER,
        .id = realm->uri,
        .party = provider->saml,
        .provider = provider,
        .name = provider->name,
        .display_name = realm->display_name,
        .entity_id = provider->issuer,
        .ours = provider->realm,
        .keys = provider->saml->keys,
    };
    return true;
}

bool fg_saml_peer_find(fg_exchange_t *ex, fg_saml_role_t role, fg_str_t id, fg_saml_peer_t *peer, fg_err_t *err) {
    bool found = role == FG_SAML_SERVICE_PROVIDER ? fill_partner(ex->hub, fg_find_partner(ex, id), id, peer)
                                                  : fill_provider(fg_find_home_realm(ex, id), peer);
    return found || FG_FAIL(err, FG_E_SAML_PARTNER, "\"%.*s\" is no partner of SAML 2.0 any more", FG_STR_ARG(id));
}

bool fg_saml_peer_of(fg_exchange_t *ex, fg_saml_role_t role, fg_str_t issuer, fg_saml_peer_t *peer, fg_err_t *err) {
    if (fg_str_eq(issuer, ex->hub->entity_id)) /* a federation's metadata may have us in it */
        return FG_FAIL(err, FG_E_SAML_LOOP, "a message of our own");
    bool found = issuer.n > 0 &&
                 (role == FG_SAML_SERVICE_PROVIDER ? fill_partner(ex->hub, fg_find_partner(ex, issuer), issuer, peer)
                                                   : fill_provider(fg_find_issuer(ex, issuer), peer));
    return found || FG_FAIL(err, FG_E_SAML_PARTNER, "\"%.*s\" is no partner of SAML 2.0", FG_STR_ARG(issuer));
}

bool fg_saml_peer_verify(fg_exchange_t *ex, const fg_saml_peer_t *peer, fg_saml_inbound_t *in, fg_str_t destination,
                         fg_saml_head_t *head, fg_err_t *err) {
    bool is_signed;
    if (!fg_saml_verify(in, &peer->keys, &is_signed, err))
        return fg_err_prefix(err, "\"%s\"", peer->name);
    if (!is_signed)
        return FG_FAIL(err, FG_E_SIG_MISSING, "<%s> of \"%s\" is not signed", (const char *)in->root->name, peer->name);
    return fg_saml_read_head(ex, in->root, destination, in->binding != FG_SAML_SOAP, head, err) ||
           fg_err_prefix(err, "\"%s\"", peer->name);
}
