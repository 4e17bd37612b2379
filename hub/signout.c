/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/federation.h"
#include "hub/signout.h"

#include "hub/audit.h"

const fg_home_realm_t *fg_signout_provider(fg_exchange_t *ex, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_find_home_realm(ex, session->home_realm);
    return realm != NULL && realm->identity_provider != NULL ? realm : NULL;
}

void fg_signout_end(fg_exchange_t *ex, const fg_signout_t *signout) {
    const fg_session_t *session = signout->session;
    const fg_claim_t *name = fg_claims_get(&session->identity.claims, FG_CLAIM_NAME);
    const fg_home_realm_t *realm = fg_signout_provider(ex, session);
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : session->identity.name_id.value},
        {"identity_provider", fg_str(realm ? realm->identity_provider->name : NULL)},
        {"partner", signout->asker ? signout->asker->realm : FG_STR_NONE},
        {"protocol", fg_str(signout->protocol)},
    };
    if (signout->no_browser)
        fg_session_mark_ended(ex, session);
    else
        fg_session_end(ex, session);
    fg_audit(ex, "signout", NULL, fields, FG_ARRAY_SIZE(fields));
    const fg_protocol_t *protocol = realm ? ex->hub->protocols[realm->identity_provider->protocol] : NULL;
    if (protocol != NULL && protocol->session_ended != NULL)
        protocol->session_ended(ex, realm, session);
}

static bool is_same(const fg_session_party_t *a, const fg_session_party_t *b) {
    return b != NULL && a->protocol == b->protocol && fg_str_eq(a->realm, b->realm);
}

static void note_untold(fg_exchange_t *ex, fg_signout_t *signout, const char *name, const char *why) {
    signout->untold++;
    fg_log(ex->env, FG_LOG_ERROR, "%s: %s is not told of the sign-out: %s", ex->correlation_id, name, why);
}

static const fg_partner_t *find_partner(fg_exchange_t *ex, const fg_session_party_t *party) {
    const fg_protocol_t *protocol = ex->hub->protocols[party->protocol];
    return protocol != NULL && protocol->find_party != NULL ? protocol->find_party(ex, party->realm)
                                                            : fg_find_partner(ex, party->realm);
}

/* Adds what the page is to load for one party, if it is anything. */
static void tell_party(fg_exchange_t *ex, fg_signout_t *signout, const fg_session_party_t *party, json_t *parties) {
    const fg_protocol_t *protocol = ex->hub->protocols[party->protocol];
    const fg_partner_t *partner = find_partner(ex, party);
    fg_err_t err = FG_ERR_INIT;
    fg_str_t url = FG_STR_NONE;
    size_t awaited = signout->awaited_count;
    if (partner == NULL || protocol == NULL || protocol->tell_party == NULL)
        return;
    if (!protocol->tell_party(ex, signout, party, &url, &err)) {
        note_untold(ex, signout, partner->name, err.detail);
        return;
    }
    if (url.n == 0)
        return;
    json_t *item = json_pack("{s:s, s:s%, s:b}", "name", partner->display_name, "url", url.p, url.n, "awaited",
                             signout->awaited_count > awaited);
    if (item == NULL || json_array_append_new(parties, item) != 0)
        note_untold(ex, signout, partner->name, "memory");
}

json_t *fg_signout_parties(fg_exchange_t *ex, fg_signout_t *signout) {
    json_t *parties = json_array();
    for (size_t i = 0; parties != NULL && i < signout->session->party_count; i++)
        if (!is_same(&signout->session->parties[i], signout->asker))
            tell_party(ex, signout, &signout->session->parties[i], parties);
    return parties;
}

fg_str_t fg_signout_provider_url(fg_exchange_t *ex, fg_signout_t *signout) {
    const fg_home_realm_t *realm = fg_signout_provider(ex, signout->session);
    const fg_protocol_t *protocol = realm ? ex->hub->protocols[realm->identity_provider->protocol] : NULL;
    fg_str_t url = FG_STR_NONE;
    fg_err_t err = FG_ERR_INIT;
    if (protocol != NULL && protocol->tell_provider != NULL && !protocol->tell_provider(ex, signout, &url, &err))
        note_untold(ex, signout, realm->identity_provider->name, err.detail);
    return url;
}
