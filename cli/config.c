/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/config.h"

#include <stdio.h>

#include "gateway/gateway.h"

static void print_summary(const char *path, const fg_hub_t *hub) {
    printf("%s: right (%.*s, %zu partner%s, %zu director%s)\n", path, FG_STR_ARG(hub->base_url), hub->partner_count,
           hub->partner_count == 1 ? "" : "s", hub->home_realm_count, hub->home_realm_count == 1 ? "y" : "ies");
}

int fg_cli_config_check(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *path = NULL;
    const fg_gateway_options_t options = {.check_only = true, .uid = (unsigned)-1, .gid = (unsigned)-1};
    fg_err_t err = FG_ERR_INIT;
    if (!fg_cli_parse(command, argc, argv, NULL, 0, &path, 0, 1))
        return FG_CLI_USAGE;
    if (path == NULL)
        path = FG_CLI_CONFIG;
    if (!fg_gateway_start(&err))
        return fg_cli_fail(&err);
    fg_gateway_t *gateway = fg_gateway_load(path, &options, env, &err);
    int code = gateway != NULL ? FG_CLI_OK : fg_cli_fail(&err);
    if (gateway != NULL)
        print_summary(path, fg_gateway_get_hub(gateway));
    fg_gateway_free(gateway);
    fg_gateway_stop();
    return code;
}
