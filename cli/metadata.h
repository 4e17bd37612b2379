/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate metadata show|lint|diff and fedgate mex lint: documents that partners publish. */
#ifndef FG_CLI_METADATA_H
#define FG_CLI_METADATA_H

#include "cli/cli.h"
#include "cli/piece.h"

int fg_cli_metadata_show(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_metadata_lint(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_metadata_diff(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_mex_lint(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

/* What a lint says: so many of each. */
typedef struct fg_lint {
    fg_arena_t *arena;
    unsigned errors, warnings;
} fg_lint_t;
void fg_lint_error(fg_lint_t *lint, const char *format, ...) FG_PRINTF(2, 3);
void fg_lint_warn(fg_lint_t *lint, const char *format, ...) FG_PRINTF(2, 3);
void fg_lint_note(fg_lint_t *lint, const char *format, ...) FG_PRINTF(2, 3);
/* The last line; returns the exit code. */
int fg_lint_end(const fg_lint_t *lint, const char *path);

/* A document, read and recognised, in an arena of its own; NULL: told, and *code is the exit code. */
fg_piece_t *fg_document_read(fg_arena_t *arena, const char *path, int *code) FG_MUST_CHECK;

#define FG_CLI_METADATA_SHOW_HELP        \
    "  FILE      a metadata document\n"  \
    "  --json    one document of JSON\n" \
    "  --at TIME as if it were then\n"   \
    "Entities, roles, endpoints and certificates; a document of any size.\n"
#define FG_CLI_METADATA_LINT_HELP                                                                                \
    "  FILE          a metadata document\n"                                                                      \
    "  --at TIME     as if it were then\n"                                                                       \
    "  --days DAYS   tell certificates that end within so many days (default 30)\n"                              \
    "Tells what this gateway or AD FS refuses (error), what will bite (warning), and what to know (note). Exit " \
    "code 1: there are errors.\n"
#define FG_CLI_METADATA_DIFF_HELP                    \
    "  A, B   two metadata documents of an entity\n" \
    "Lines with - are only in A, with + only in B. Exit code 0: they say the same, 1: they differ.\n"
#define FG_CLI_MEX_LINT_HELP                                                                                    \
    "  FILE   a WS-MetadataExchange or WSDL document\n"                                                         \
    "Tells for each port what clients see in it, and which one MSAL and ADAL would take for a user name and a " \
    "password. Exit code 1: none.\n"

#endif
