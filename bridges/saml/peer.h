/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A partner in one of its roles: whom a message is from or for. */
#ifndef FG_BRIDGES_SAML_PEER_H
#define FG_BRIDGES_SAML_PEER_H

#include "bridges/saml/message.h"

typedef struct fg_saml_peer {
    fg_saml_role_t role;
    fg_str_t id; /* a service provider's realm (its entityID); the uri of an identity provider's home realm */
    const fg_saml_party_t *party;
    const fg_partner_t *partner;            /* NULL: it is an identity provider */
    const fg_identity_provider_t *provider; /* NULL: it is a service provider */
    const char *name, *display_name;        /* for logs, for people */
    fg_str_t entity_id;                     /* its own */
    fg_str_t ours;                          /* ours, as it knows it */
    fg_entity_keys_t keys;                  /* with which it signs */
} fg_saml_peer_t;

/* By our own name for it. */
bool fg_saml_peer_find(fg_exchange_t *ex, fg_saml_role_t role, fg_str_t id, fg_saml_peer_t *peer,
                       fg_err_t *err) FG_MUST_CHECK;
/* By the name that its messages have. */
bool fg_saml_peer_of(fg_exchange_t *ex, fg_saml_role_t role, fg_str_t issuer, fg_saml_peer_t *peer,
                     fg_err_t *err) FG_MUST_CHECK;

/* Verifies a message of this peer that must be signed, and reads its head; destination: of ours. */
bool fg_saml_peer_verify(fg_exchange_t *ex, const fg_saml_peer_t *peer, fg_saml_inbound_t *in, fg_str_t destination,
                         fg_saml_head_t *head, fg_err_t *err) FG_MUST_CHECK;

#endif
