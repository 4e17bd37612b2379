/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate user add|passwd|list|remove: the users file. */
#ifndef FG_CLI_USER_H
#define FG_CLI_USER_H

#include "cli/cli.h"

int fg_cli_user_add(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_user_passwd(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_user_list(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_user_remove(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_USER_FILE_USAGE "[--file USERS | [--config FILE] [--directory NAME]]"
#define FG_CLI_USER_FILE_HELP                                                                                    \
    "  --config FILE      the gateway's configuration, which names the users file (default " FG_CLI_CONFIG ")\n" \
    "  --directory NAME   the directory of the configuration (default: its first with a users file)\n"           \
    "  --file USERS       the users file itself; no configuration is read\n"
#define FG_CLI_USER_PASSWORD_HELP                                                                                  \
    "  --digest           keep the password itself too, readable in the file: programs may then send its digest\n" \
    "  --password-stdin   read the password from standard input, one line; without it, it is asked for twice\n"
#define FG_CLI_USER_ADD_HELP                                                                                  \
    "  --group NAME       a group; may be given several times\n"                                              \
    "  --attribute K=V    an attribute: mail, given_name, surname, display_name, upn, windows_account_name, " \
    "immutable_id, or a\n"                                                                                    \
    "                     claim type URI; may be given several times\n"

#endif
