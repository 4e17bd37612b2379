/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 2.0 partners of the gateway of browser.h, for tests: two service providers and an identity provider with keys of
 * their own, and a stranger's key.  Their messages are written with the gateway's own writers under their keys. */
#ifndef FG_TESTS_UNIT_SAML_PEERS_H
#define FG_TESTS_UNIT_SAML_PEERS_H

#include "tests/unit/browser.h"

#include "bridges/saml/logout.h"
#include "bridges/saml/saml.h"

#define SP_ENTITY "https://sp.test/metadata"
#define SECOND_ENTITY "https://second.test/metadata"
#define IDP_ENTITY "https://idp.test/metadata"
#define IDP_REALM "urn:home:partner"
#define PERSON "alice-at-sp"

enum { PEER_SP, PEER_SECOND, PEER_IDP, PEER_STRANGER, PEERS };

typedef struct saml_peers {
    browser_t *b;
    fg_arena_t *arena;     /* of messages */
    fg_keys_t keys[PEERS]; /* with which they sign */
    fg_saml_party_t parties[PEERS];
    const fg_key_t *provider_keys[1];
    bool from_provider; /* sessions that saml_sign_in makes are vouched for by the identity provider */
    bool second_too;    /* and the second service provider is in them */
    fg_exchange_t ex;   /* whose keys are a peer's */
} saml_peers_t;

int saml_peers_set_up(void **state);
int saml_peers_tear_down(void **state);

/* A session of the browser in which the service provider knows PERSON. */
void saml_sign_in(saml_peers_t *f);
bool saml_is_signed_in(saml_peers_t *f);
/* Its id, which is the SessionIndex. */
const char *saml_session_id(saml_peers_t *f);
/* An exchange in which a peer writes messages. */
fg_exchange_t *saml_as(saml_peers_t *f, int peer);

/* The query of a LogoutRequest by Redirect: of whom it says it is, and by whose key. */
const char *saml_logout_query(saml_peers_t *f, const char *issuer, int signer, const char *name, const char *index);
/* An enveloped and signed LogoutRequest to destination. */
const char *saml_logout_envelope(saml_peers_t *f, const char *issuer, int signer, const char *name, const char *index,
                                 const char *destination);
/* A parameter of an address, decoded; NULL: absent. */
const char *saml_param(saml_peers_t *f, const char *url, const char *name);
/* The XML of a message by Redirect. */
const char *saml_message(saml_peers_t *f, const char *url);
/* The query of an address of ours. */
const char *saml_query(const char *url);

#endif
