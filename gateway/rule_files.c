/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gateway/rule_files.h"

fg_ruleset_t *fg_config_rules_load(const fg_config_at_t *at, const char *option, const char *path,
                                   const fg_rule_stores_t *stores, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    fg_ruleset_t *set = fg_ruleset_load(path, stores, &why);
    if (set == NULL && why.code == FG_E_CONFIG && err != NULL)
        *err = why;
    else if (set == NULL)
        fg_config_refuse(err, at, option, 0, "a file with claim rules (%s)", why.detail);
    return set;
}
