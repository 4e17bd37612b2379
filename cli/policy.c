/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/policy.h"

#include <stdio.h>

#include "policy/rules.h"

#define FILES_MAX 256u

/* Which stores there are only the configuration knows. */
const fg_rule_stores_t fg_cli_policy_stores = {NULL, 0, true};

static int check(const char *path) {
    fg_err_t err = FG_ERR_INIT;
    fg_ruleset_t *set = fg_ruleset_load(path, &fg_cli_policy_stores, &err);
    if (set == NULL)
        return fg_cli_fail(&err);
    size_t count = fg_ruleset_get_count(set);
    printf("%s: right (%zu rule%s)\n", path, count, count == 1 ? "" : "s");
    fg_ruleset_free(set);
    return FG_CLI_OK;
}

int fg_cli_policy_check(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *paths[FILES_MAX] = {NULL};
    int code = FG_CLI_OK;
    (void)env;
    if (!fg_cli_parse(command, argc, argv, NULL, 0, paths, 1, FILES_MAX))
        return FG_CLI_USAGE;
    for (size_t i = 0; i < FILES_MAX && paths[i] != NULL; i++) {
        int one = check(paths[i]);
        code = one > code ? one : code;
    }
    return code;
}
