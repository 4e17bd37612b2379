/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_GATEWAY_OPENID_CLIENTS_H
#define FG_GATEWAY_OPENID_CLIENTS_H

#include "bridges/openid/client.h"
#include "bridges/openid/openid2.h"
#include "gateway/config.h"

/* What a partner section says of an OpenID Connect client, with its secrets and keys read from their files.  *client is
 * NULL if it names no client_id. */
bool fg_openid_client_build(const fg_config_partner_t *section, fg_arena_t *arena, const fg_openid_client_t **client,
                            fg_err_t *err) FG_MUST_CHECK;
/* What it says of an OpenID 2.0 relying party; *party is NULL if it names no realm of that and none is open. */
bool fg_openid2_party_build(const fg_config_partner_t *section, fg_arena_t *arena, const fg_openid2_party_t **party,
                            fg_err_t *err) FG_MUST_CHECK;
/* Realms belong to one partner, and one at most is open.  *twice: a partner of which that is not so; NULL: none. */
void fg_openid2_parties_check(const fg_hub_t *hub, const fg_partner_t **twice);
/* What an identity_provider section of protocol "openid2" says; *source is NULL if it is of another. */
bool fg_openid2_source_build(const fg_config_provider_t *section, fg_arena_t *arena, const fg_openid2_source_t **source,
                             fg_err_t *err) FG_MUST_CHECK;
/* The index of all partners' client_ids.  *twice: partners of which two have the same; NULL: none. */
bool fg_openid_clients_index(fg_hub_t *hub, fg_arena_t *arena, const fg_partner_t **twice, fg_err_t *err) FG_MUST_CHECK;

#endif
