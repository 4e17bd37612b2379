/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_GATEWAY_RULE_FILES_H
#define FG_GATEWAY_RULE_FILES_H

#include "gateway/config.h"

/* The rule set that an option names; the caller frees it.  NULL: refused at its own line and column, or at the option's
 * if it cannot be read. */
fg_ruleset_t *fg_config_rules_load(const fg_config_at_t *at, const char *option, const char *path,
                                   const fg_rule_stores_t *stores, fg_err_t *err) FG_MUST_CHECK;

#endif
