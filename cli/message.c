/* SPDX-License-Identifier: GPL-2.0-or-later
 * What commands say when something is wrong. */
#include "cli/cli.h"

#include <stdarg.h>

void fg_cli_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("fedgate: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int fg_cli_fail(const fg_err_t *err) {
    fg_cli_say("%s", err->detail);
    return err->code == FG_E_FILE || err->code == FG_E_CONFIG ? FG_CLI_UNREADABLE : FG_CLI_FAILED;
}

void fg_cli_print_usage(const fg_cli_command_t *command, FILE *out) {
    fprintf(out, "usage: fedgate %s%s%s %s\n", command->words[0], command->words[1] ? " " : "",
            command->words[1] ? command->words[1] : "", command->arguments);
}

int fg_cli_usage(const fg_cli_command_t *command, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fg_cli_say("%s", text);
    fg_cli_print_usage(command, stderr);
    fprintf(stderr, "'fedgate help %s%s%s' explains it\n", command->words[0], command->words[1] ? " " : "",
            command->words[1] ? command->words[1] : "");
    return FG_CLI_USAGE;
}
