/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the configuration's section kerberos to what the hub knows of tickets. */
#ifndef FG_GATEWAY_KERBEROS_H
#define FG_GATEWAY_KERBEROS_H

#include "gateway/config.h"

/* Reads the keytab and sets hub->negotiate (in the arena); the hub has its directories.  NULL: an error.  The caller
 * frees. */
fg_kerberos_t *fg_kerberos_load(const fg_config_t *config, fg_arena_t *arena, fg_hub_t *hub,
                                fg_err_t *err) FG_MUST_CHECK;

#endif
