/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's protect sections and their policy files to the table that the hub uses.  Number 0 is what
 * holds where no section is named: any session or bearer token. */
#ifndef FG_GATEWAY_PROTECTS_H
#define FG_GATEWAY_PROTECTS_H

#include "gateway/config.h"

typedef struct fg_protects fg_protects_t;

/* Reads the policies that the sections name.  config and stores (of the policies' attribute stores) must live as long.
 */
fg_protects_t *fg_protects_new(const fg_config_t *config, const fg_rule_stores_t *stores, fg_err_t *err) FG_MUST_CHECK;
void fg_protects_free(fg_protects_t *protects);

/* Sets the table in hub, whose partners and home realms are there already; everything in the arena, which keeps the
 * policies as they are now. */
bool fg_protects_build(const fg_protects_t *protects, fg_arena_t *arena, fg_hub_t *hub, fg_err_t *err) FG_MUST_CHECK;

/* Reads policies again of which a file changed, one after the other, and calls rebuild after each.  One that is wrong
 * is logged and the last good one stays (WM-18). */
void fg_protects_refresh(fg_protects_t *protects, const fg_env_t *env,
                         bool (*rebuild)(void *context, const fg_env_t *env, fg_err_t *err), void *context);

/* The number of the section of that title; NULL: 0. */
bool fg_protects_find(const fg_protects_t *protects, const char *title, size_t *number) FG_MUST_CHECK;

#endif
