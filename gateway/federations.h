/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's federation sections to partners and home realms, each made when it is first asked for. */
#ifndef FG_GATEWAY_FEDERATIONS_H
#define FG_GATEWAY_FEDERATIONS_H

#include "gateway/config.h"
#include "hub/federation.h"

/* Reads what is on disk; rules may ask stores.  config must live as long; entity_id: who we are. */
fg_federations_t *fg_federations_new(const fg_config_t *config, const fg_rule_stores_t *stores, fg_str_t entity_id,
                                     const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_federations_free(fg_federations_t *federations);
/* Takes up files that changed and asks addresses again, in the background; env must live as long. */
void fg_federations_refresh(fg_federations_t *federations, const fg_env_t *env);

#endif
