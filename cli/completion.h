/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_CLI_COMPLETION_H
#define FG_CLI_COMPLETION_H

#include "cli/cli.h"

/* Prints the script for a shell; returns the exit code. */
int fg_cli_completion_write(const fg_cli_command_t *command, const char *shell, const fg_cli_command_t *table,
                            size_t count);

#define FG_CLI_COMPLETION_HELP                                                           \
    "  SHELL   bash, zsh or fish\n"                                                      \
    "Prints a script that completes commands and options:\n"                             \
    "  bash   fedgate completion bash >/usr/share/bash-completion/completions/fedgate\n" \
    "  zsh    fedgate completion zsh >/usr/local/share/zsh/site-functions/_fedgate\n"    \
    "  fish   fedgate completion fish >~/.config/fish/completions/fedgate.fish\n"

#endif
