/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's identity_provider sections, their certificates and their metadata files to home realms of
 * the hub. */
#ifndef FG_GATEWAY_IDENTITY_PROVIDERS_H
#define FG_GATEWAY_IDENTITY_PROVIDERS_H

#include "gateway/config.h"

typedef struct fg_identity_providers fg_identity_providers_t;

/* Reads what the sections name; their rules may ask stores.  config and what it points to must live as long. */
fg_identity_providers_t *fg_identity_providers_new(const fg_config_t *config, const fg_rule_stores_t *stores,
                                                   const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_identity_providers_free(fg_identity_providers_t *providers);

/* Puts the providers behind the home realms that hub has, which are directories: a new table in the arena. */
bool fg_identity_providers_build(const fg_identity_providers_t *providers, fg_arena_t *arena, fg_hub_t *hub,
                                 fg_err_t *err) FG_MUST_CHECK;

/* Reads metadata and JWK set files that changed, as fg_partners_refresh does. */
void fg_identity_providers_refresh(fg_identity_providers_t *providers, const fg_env_t *env,
                                   bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context);

#endif
