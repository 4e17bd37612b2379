/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate policy check: claim rules. */
#ifndef FG_CLI_POLICY_H
#define FG_CLI_POLICY_H

#include "cli/cli.h"

int fg_cli_policy_check(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_POLICY_CHECK_HELP                                                                                   \
    "  FILE   claim rules, as acceptance_rules, authorization_rules and issuance_rules of the configuration name " \
    "them\n"                                                                                                       \
    "Reads each file as the gateway does and tells the first mistake in each.\n"

#endif
