/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The command `fedgate`: a table of commands (main.c) and what they share.  FG_CLI_CONFIG, the configuration that is
 * read unless another is named, comes from the build: it lies where `make install` puts the sample. */
#ifndef FG_CLI_CLI_H
#define FG_CLI_CLI_H

#include <stdio.h>

#include "core/env.h"
#include "core/err.h"

/* Exit codes */
enum { FG_CLI_OK = 0, FG_CLI_FAILED = 1, FG_CLI_USAGE = 2, FG_CLI_UNREADABLE = 3 };

typedef struct fg_cli_command fg_cli_command_t;
struct fg_cli_command {
    const char *words[2];  /* "user", "add"; the second may be NULL */
    const char *arguments; /* as the usage line shows them */
    const char *help;      /* one line, no full stop */
    const char *details;   /* what `fedgate help COMMAND` says beyond it: lines of options; NULL: nothing */
    /* argv[0..argc) are the arguments behind the words. Returns an exit code. */
    int (*run)(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
};

/* An option that may be given several times. */
#define FG_CLI_REPEATED_MAX 64u
typedef struct fg_cli_repeated {
    const char *values[FG_CLI_REPEATED_MAX];
    size_t count;
} fg_cli_repeated_t;

/* One option: with value ("--config FILE", "--config=FILE"), as a flag, or with a value each time that it is given.
 * Exactly one of the pointers is set. */
typedef struct fg_cli_option {
    const char *name; /* with its dashes */
    const char **value;
    bool *flag;
    fg_cli_repeated_t *repeated;
} fg_cli_option_t;

/* Reads options, wherever they stand before "--", and gathers the rest into operands (room for most).  The count of
 * operands must be between fewest and most.  False: told on standard error with the usage line; the command returns
 * FG_CLI_USAGE. */
bool fg_cli_parse(const fg_cli_command_t *command, int argc, char **argv, const fg_cli_option_t *options,
                  size_t option_count, const char **operands, size_t fewest, size_t most) FG_MUST_CHECK;

void fg_cli_print_usage(const fg_cli_command_t *command, FILE *out);
/* "fedgate: …" on standard error. */
void fg_cli_say(const char *format, ...) FG_PRINTF(1, 2);
/* The same and the command's usage line; returns FG_CLI_USAGE. */
int fg_cli_usage(const fg_cli_command_t *command, const char *format, ...) FG_PRINTF(2, 3);
/* Tells an error; returns FG_CLI_UNREADABLE if it lies in a file or the configuration, else FG_CLI_FAILED. */
int fg_cli_fail(const fg_err_t *err);

/* The command's environment: real clock, the system's randomness, log on standard error, no store. */
void fg_cli_env_init(fg_env_t *env);

#endif
