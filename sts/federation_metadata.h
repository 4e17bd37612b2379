/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Federation metadata (WS-Federation 1.2 §3, SAML 2.0 metadata): our own document, and what a partner's document says
 * about it. */
#ifndef FG_STS_FEDERATION_METADATA_H
#define FG_STS_FEDERATION_METADATA_H

#include "hub/entity.h"
#include "hub/exchange.h"

#define FG_FEDERATION_METADATA_PATH "/FederationMetadata/2007-06/FederationMetadata.xml"

/* Appends our signed document.  The same configuration and keys give the same id. */
bool fg_federation_metadata_write(const fg_hub_t *hub, const fg_keys_t *keys, fg_buf_t *out,
                                  fg_err_t *err) FG_MUST_CHECK;
/* Its endpoint: GET with ETag. */
fg_step_t fg_federation_metadata_handle(fg_exchange_t *ex);

#define FG_METADATA_ENTRIES 32

/* What a relying party's metadata declares; strings are in the arena. */
typedef struct fg_partner_metadata {
    fg_str_t entity_id;
    fg_str_t realms[FG_METADATA_ENTRIES]; /* entityID first, then TargetScopes */
    size_t realm_count;
    fg_str_t reply_urls[FG_METADATA_ENTRIES]; /* PassiveRequestorEndpoints, in their order */
    size_t reply_count;
    fg_key_t *encryption_key; /* NULL: none declared; let go with the arena: fg_key_ref it to keep it */
    int64_t valid_until_ms;   /* 0: for ever */
} fg_partner_metadata_t;

/* Reads a document, with trust only what one of its keys signed (SA-18).  Expired documents, addresses that are no web
 * addresses and documents without a role of WS-Federation are refused. */
bool fg_federation_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                                 fg_partner_metadata_t *out, fg_err_t *err) FG_MUST_CHECK;

/* What an identity provider's metadata declares; everything is in the arena. */
typedef struct fg_provider_metadata {
    fg_str_t entity_id;     /* issuer of its tokens */
    fg_str_t sign_in_url;   /* its first PassiveRequestorEndpoint; .n 0: it has none */
    fg_entity_keys_t keys;  /* certificates with which it signs; at least one */
    int64_t valid_until_ms; /* 0: for ever */
} fg_provider_metadata_t;

/* The same for its role fed:SecurityTokenServiceType. */
bool fg_provider_metadata_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t xml, const fg_dsig_trust_t *trust,
                               fg_provider_metadata_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
