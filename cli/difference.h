/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * In what two inputs differ: fedgate token diff, fedgate metadata diff. */
#ifndef FG_CLI_DIFFERENCE_H
#define FG_CLI_DIFFERENCE_H

#include "cli/cli.h"
#include "cli/facts.h"

/* A command with two operands.  Exit code 0: they say the same, 1: they differ. */
int fg_difference_run(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#endif
