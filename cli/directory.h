/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate directory test: why people of a directory can sign in, or not. */
#ifndef FG_CLI_DIRECTORY_H
#define FG_CLI_DIRECTORY_H

#include "cli/cli.h"
#include "core/json.h"
#include "directory/ldap_test.h"

int fg_cli_directory_test(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_DIRECTORY_TEST_HELP                                                                                    \
    "  NAME                   a directory of the configuration\n"                                                     \
    "  USER                   somebody who is looked for in it, as typed at sign-in\n"                                \
    "  --password-file FILE   the person's password, to be checked (- is standard input); without it, it is asked\n"  \
    "                         for at a terminal, and nothing typed there means that none is checked\n"                \
    "  --config FILE          the gateway's configuration (default " FG_CLI_CONFIG ")\n"                              \
    "  --json                 for programs\n"                                                                         \
    "Asks each server of the directory, one after the other, by the functions of the gateway: connection, TLS, "      \
    "bind,\n"                                                                                                         \
    "search, groups, password. Of each step it tells what was found and how long that took, or why not and what to\n" \
    "change. Exit code 1: something is not as it should be with one of them.\n"

/* ---- directory_tell.c: what is shown of a finding */

typedef struct fg_cli_directory_view {
    fg_arena_t *arena;
    int64_t now_ms;
    const char *server; /* the last one that was told of */
    json_t *json;       /* array of servers; NULL: text */
} fg_cli_directory_view_t;
void fg_cli_directory_tell(void *view, const fg_ldap_finding_t *finding);
/* Claims below a line of text, or as a JSON array. */
void fg_cli_directory_print_claims(const fg_claims_t *claims);
json_t *fg_cli_directory_claims_json(const fg_claims_t *claims);

#endif
