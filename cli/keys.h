/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate keys list|roll|forget: the key ring of a gateway. */
#ifndef FG_CLI_KEYS_H
#define FG_CLI_KEYS_H

#include "cli/cli.h"

int fg_cli_keys_list(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_keys_roll(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_keys_forget(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_KEYS_HELP "  --config FILE  the gateway's configuration (default " FG_CLI_CONFIG ")\n"
#define FG_CLI_KEYS_ROLL_HELP                                                                                      \
    "  --use USE      only the key for this use: signing or encryption (default: both)\n"                          \
    "  --now          put the next key to use at once; partners that have not read it yet will refuse tokens\n"    \
    "Without --now a next key is made and published; it becomes active by itself when it has been published long " \
    "enough.\n"
#define FG_CLI_KEYS_FORGET_HELP \
    "Previous keys are deleted, and the keys that seal cookies are replaced: everybody has to sign in again.\n"

#endif
