/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The protocol table: what the hub and gateway/ know of a protocol.  A protocol is one room with two doors. */
#ifndef FG_HUB_PROTOCOL_H
#define FG_HUB_PROTOCOL_H

#include "core/xmlwriter.h"
#include "hub/exchange.h"

typedef struct fg_endpoint {
    const char *path; /* below the base, exact: "/adfs/ls/"; a last segment "*" is everything below */
    unsigned methods; /* fg_method_t bits; HEAD goes with GET */
    bool needs_https;
    fg_handler_t handle;
    /* Answers err in the protocol's own form (SOAP fault, page). */
    void (*refuse)(fg_exchange_t *ex, const fg_err_t *err);
    /* Whether a request to a path that protocols share is this one's; NULL: all that no other takes. */
    bool (*is_meant)(const fg_exchange_t *ex);
    bool publishes; /* metadata and keys: no claim rule is ever run */
} fg_endpoint_t;

struct fg_partner_signin;
struct fg_signout;
struct fg_session_party;
struct fg_session;

struct fg_protocol {
    const char *name;
    const fg_endpoint_t *endpoints;
    size_t endpoint_count;

    /* ---- of the protocols that browsers carry between partners (fg_hub_t's protocols); NULL elsewhere */

    /* Signs on at a relying party that did not ask (SAML 2.0 profiles §4.1.5); realm: one of the partner's; state: to
     * be passed on, .p NULL: none. */
    fg_step_t (*begin_sign_on)(fg_exchange_t *ex, const struct fg_partner *partner, fg_str_t realm, fg_str_t state);
    /* Sends a browser to an identity provider. */
    bool (*begin_sign_in)(fg_exchange_t *ex, const struct fg_partner_signin *signin, fg_err_t *err);
    /* Answers a client that is no browser with the request, which it carries to an identity provider itself. */
    bool (*begin_client_sign_in)(fg_exchange_t *ex, const struct fg_partner_signin *signin, fg_err_t *err);
    /* Writes our own roles into the metadata document that all protocols share, behind those of WS-Federation. */
    void (*write_roles)(fg_xw_t *w, const fg_hub_t *hub, const fg_keys_t *keys);
    /* Whose session party a realm is, where the protocol has names of its own; NULL: it is a partner's realm. */
    const struct fg_partner *(*find_party)(fg_exchange_t *ex, fg_str_t realm);
    /* Where the browser, from a frame of the signed-out page, tells a relying party that the session is over; .n 0: it
     * has no such address, or was told already.  An answer that is to come is noted in signout->awaited.  False: it
     * should have been told and cannot be. */
    bool (*tell_party)(fg_exchange_t *ex, struct fg_signout *signout, const struct fg_session_party *party,
                       fg_str_t *url, fg_err_t *err);
    /* The same for the identity provider that vouched for the session; a protocol that goes there at top level sets
     * signout->next instead. */
    bool (*tell_provider)(fg_exchange_t *ex, struct fg_signout *signout, fg_str_t *url, fg_err_t *err);
    /* A session for which an identity provider of this protocol vouched is over: what is kept of it goes; may wait for
     * the provider.  NULL: nothing is kept. */
    void (*session_ended)(fg_exchange_t *ex, const fg_home_realm_t *realm, const struct fg_session *session);
    /* The keys with which an identity provider signs JWTs, where it publishes them; may wait for it.  again: a token
     * names one that is not among them; *asked: the provider was asked.  NULL: they are configured. */
    bool (*provider_keys)(fg_exchange_t *ex, const fg_identity_provider_t *provider, bool again, fg_jwk_set_t *keys,
                          bool *asked, fg_err_t *err);
};

#endif
