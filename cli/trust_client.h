/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fedgate trust issue|renew|cancel|validate: a WS-Trust client. */
#ifndef FG_CLI_TRUST_CLIENT_H
#define FG_CLI_TRUST_CLIENT_H

#include "cli/cli.h"

int fg_cli_trust_issue(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_trust_renew(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_trust_cancel(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
int fg_cli_trust_validate(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

#define FG_CLI_TRUST_WHO                                                                                 \
    "[--user NAME] [--password-file FILE] [--certificate FILE] [--with-token FILE] [--version 13|2005] " \
    "[--soap 1.2|1.1] [--ca FILE] [--show-request] [--raw]"
#define FG_CLI_TRUST_HELP                                                                                    \
    "  URL                   the endpoint; its path tells the version, as .../13/... or .../2005/...\n"      \
    "  --user NAME           with a name and a password, which is asked for, or read from --password-file\n" \
    "  --certificate FILE    or by a signature over Timestamp and To: key and certificate in PEM\n"             \
    "  --with-token FILE     or with a token that was issued (a bearer assertion)\n"                         \
    "  --version 13|2005     WS-Trust 1.3 (1.4) or February 2005\n"                                          \
    "  --soap 1.2|1.1        (default 1.2)\n"                                                                \
    "  --ca FILE             CAs to believe in place of the system's\n"                                      \
    "  --show-request        print what would be sent, with the password hidden, and send nothing\n"         \
    "  --raw                 print the answer as it came\n"                                                  \
    "The answer is shown as by 'fedgate token show'; a fault is told with what it means. Exit code 1: refused.\n"
#define FG_CLI_TRUST_ISSUE_HELP                                                                \
    "  --applies-to REALM    the relying party\n"                                              \
    "  --token-type TYPE     saml11, saml20, jwt or a URI (default: what the service likes)\n" \
    "  --on-behalf-of FILE   for whom: a token\n"                                              \
    "  --renewable           it shall be one that can be renewed\n"
#define FG_CLI_TRUST_TOKEN_HELP "  --token FILE          the token, in whatever it is wrapped\n"

#endif
