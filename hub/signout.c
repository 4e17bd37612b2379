/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/signout.h"

#include "hub/audit.h"

const fg_home_realm_t *fg_signout_provider(const fg_hub_t *hub, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_hub_find_home_realm(hub, session->home_realm);
    return realm != NULL && realm->identity_provider != NULL ? realm : NULL;
}

void fg_signout_end(fg_exchange_t *ex, const fg_session_t *session, const char *protocol) {
    const fg_claim_t *name = fg_claims_get(&session->identity.claims, FG_CLAIM_NAME);
    const fg_home_realm_t *realm = fg_signout_provider(ex->hub, session);
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : session->identity.name_id.value},
        {"identity_provider", fg_str(realm ? realm->identity_provider->name : NULL)},
        {"protocol", fg_str(protocol)},
    };
    fg_session_end(ex, session);
    fg_audit(ex, "signout", NULL, fields, FG_ARRAY_SIZE(fields));
}

static bool is_same(const fg_session_party_t *a, const fg_session_party_t *b) {
    return b != NULL && a->protocol == b->protocol && fg_str_eq(a->realm, b->realm);
}

/* What the page is to load for one party; .n 0: nothing. */
static bool find_url(fg_exchange_t *ex, const fg_session_t *session, const fg_session_party_t *party, fg_str_t *url,
                     fg_err_t *err) {
    const fg_protocol_t *protocol = ex->hub->protocols[party->protocol];
    *url = FG_STR_NONE;
    return protocol == NULL || protocol->tell_party == NULL || protocol->tell_party(ex, session, party, url, err);
}

json_t *fg_signout_parties(fg_exchange_t *ex, const fg_session_t *session, const fg_session_party_t *except,
                           size_t *untold) {
    json_t *parties = json_array();
    size_t failed = 0;
    for (size_t i = 0; parties != NULL && i < session->party_count; i++) {
        const fg_session_party_t *party = &session->parties[i];
        const fg_partner_t *partner = fg_hub_find_partner(ex->hub, party->realm);
        fg_err_t err = FG_ERR_INIT;
        fg_str_t url = FG_STR_NONE;
        if (partner == NULL || is_same(party, except))
            continue;
        bool told = find_url(ex, session, party, &url, &err);
        json_t *item = url.n ? json_pack("{s:s, s:s%}", "name", partner->display_name, "url", url.p, url.n) : NULL;
        if (told && (url.n == 0 || (item != NULL && json_array_append_new(parties, item) == 0)))
            continue;
        failed++;
        fg_log(ex->env, FG_LOG_ERROR, "%s: %s is not told of the sign-out: %s", ex->correlation_id, partner->name,
               told ? "memory" : err.detail);
    }
    if (untold != NULL)
        *untold = failed;
    return parties;
}

fg_str_t fg_signout_provider_url(fg_exchange_t *ex, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_signout_provider(ex->hub, session);
    const fg_protocol_t *protocol = realm ? ex->hub->protocols[realm->identity_provider->protocol] : NULL;
    fg_str_t url = FG_STR_NONE;
    fg_err_t err = FG_ERR_INIT;
    if (protocol != NULL && protocol->tell_provider != NULL && !protocol->tell_provider(ex, session, &url, &err))
        fg_log(ex->env, FG_LOG_ERROR, "%s: %s is not told of the sign-out: %s", ex->correlation_id,
               realm->identity_provider->name, err.detail);
    return url;
}
