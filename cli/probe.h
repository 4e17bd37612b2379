/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_CLI_PROBE_H
#define FG_CLI_PROBE_H

#include "cli/cli.h"

int fg_cli_probe(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_PROBE_HELP                                                                                             \
    "  URL         a partner's server\n"                                                                              \
    "  --network   it may be asked: without it nothing is sent\n"                                                     \
    "  --ca FILE   CAs to believe in place of the system's\n"                                                         \
    "Tells its certificates and whether TLS holds, and if not, why; which metadata, MEX and discovery documents\n"    \
    "are published there, with whose keys; and by how much its clock differs. Exit code 1: it cannot be reached, or " \
    "there is nothing.\n"

#endif
