/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's partner sections, their certificates and their metadata files to the table that the hub
 * uses. */
#ifndef FG_GATEWAY_PARTNERS_H
#define FG_GATEWAY_PARTNERS_H

#include "gateway/config.h"

typedef struct fg_partners fg_partners_t;

/* Reads what the sections name; their rules may ask stores.  config and what it points to must live as long. */
fg_partners_t *fg_partners_new(const fg_config_t *config, const fg_rule_stores_t *stores, const fg_env_t *env,
                               fg_err_t *err) FG_MUST_CHECK;
void fg_partners_free(fg_partners_t *partners);

/* Sets the partners, their index and the viewer's registration in hub; everything in the arena. */
bool fg_partners_build(const fg_partners_t *partners, const fg_env_t *env, fg_arena_t *arena, fg_hub_t *hub,
                       fg_err_t *err) FG_MUST_CHECK;

/* Reads metadata files that changed, one after the other, and calls rebuild after each.  A file that is wrong, or with
 * which rebuild fails, is logged and its last good content stays (SA-18). */
void fg_partners_refresh(fg_partners_t *partners, const fg_env_t *env,
                         bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context);

#endif
