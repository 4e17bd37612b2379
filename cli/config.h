/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate config check: the gateway's configuration. */
#ifndef FG_CLI_CONFIG_H
#define FG_CLI_CONFIG_H

#include "cli/cli.h"

int fg_cli_config_check(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_CONFIG_CHECK_HELP                               \
    "  FILE   the configuration (default " FG_CLI_CONFIG ")\n" \
    "Reads it as the gateway does, with all files that it names, and writes nothing.\n"

#endif
