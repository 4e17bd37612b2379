/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's certificates sections to home realms of the hub. */
#ifndef FG_GATEWAY_CERTIFICATE_REALMS_H
#define FG_GATEWAY_CERTIFICATE_REALMS_H

#include "gateway/config.h"

typedef struct fg_certificate_realms fg_certificate_realms_t;

/* Reads what the sections name; their rules may ask stores.  config and what it points to must live as long. */
fg_certificate_realms_t *fg_certificate_realms_new(const fg_config_t *config, const fg_rule_stores_t *stores,
                                                   const fg_env_t *env, fg_err_t *err) FG_MUST_CHECK;
void fg_certificate_realms_free(fg_certificate_realms_t *realms);

/* Puts them behind the home realms that hub has: a new table in the arena. */
bool fg_certificate_realms_build(const fg_certificate_realms_t *realms, fg_arena_t *arena, fg_hub_t *hub,
                                 fg_err_t *err) FG_MUST_CHECK;

/* Reads CAs and CRLs that changed; the snapshots share them. */
void fg_certificate_realms_refresh(fg_certificate_realms_t *realms, const fg_env_t *env);

#endif
