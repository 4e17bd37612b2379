/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom the active endpoints know in tests: a CA, clients with certificates of it and without, an identity provider, our
 * own keys; and the drafts of messages that meet an endpoint's policy. */
#ifndef FG_TESTS_UNIT_WSS_WORLD_H
#define FG_TESTS_UNIT_WSS_WORLD_H

#include "tests/unit/exchange.h"
#include "tests/unit/pki.h"
#include "tests/unit/wss_draft.h"

#define IDP "urn:idp"

typedef struct world {
    pki_t ca, client_pair, other_pair, stranger_pair;
    fg_key_t *client, *other, *stranger; /* of our CA the first two; with private keys */
    fg_key_t *signing, *encryption, *idp;
    fg_keys_t keys;
    char ca_path[64];
    fg_x509_trust_t *trust;
    const char *ca_files[1];
    fg_x509_options_t options;
    fg_identity_provider_t provider;
    const fg_key_t *provider_keys[1], *vouchers[1];
    fg_home_realm_t realms[2];
    fg_partner_t partners[1];
    void *store_memory;
    unsigned char secret[32];
} world_t;
extern world_t world;

/* cmocka's set-up and tear-down of the group, and of each test, whose state is a fixture_t. */
int world_start(void **state);
int world_stop(void **state);
int world_refill(void **state);
int world_end(void **state);

/* Empties the store. */
void world_forget(fixture_t *f);
/* A request came over a connection with this client certificate. */
void world_connect(fg_exchange_t *ex, const fg_key_t *key);

/* The identity provider's tokens, in static memory until the next one. */
fg_str_t world_assertion(fg_confirmation_t confirmation, fg_saml_version_t version);
fg_str_t world_symmetric_assertion(fg_saml_version_t version); /* world.secret, for us */
fg_str_t world_public_assertion(fg_saml_version_t version, const fg_key_t *proof);

draft_t world_draft(fixture_t *f, fg_sts_endpoint_index_t index); /* without what the policy asks for */
draft_t world_certificate_draft(fixture_t *f);                    /* world.client signs, at certificatemixed */
draft_t world_message_draft(fixture_t *f);                        /* the same at certificate */
/* With a token and a signature by its proof key, which is world.secret or world.other's. */
draft_t world_symmetric_draft(fixture_t *f, fg_sts_endpoint_index_t index);
draft_t world_public_draft(fixture_t *f, fg_sts_endpoint_index_t index);

#endif
