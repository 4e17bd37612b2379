/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options and operands, as all commands take them. */
#include "cli/cli.h"

#include <string.h>

#include "core/spell.h"

#define MAX_OPTIONS 32u

static bool unknown_option(const fg_cli_command_t *command, const char *word, const fg_cli_option_t *options,
                           size_t count) {
    const char *names[MAX_OPTIONS];
    size_t n = 0;
    for (; n < count && n < MAX_OPTIONS; n++)
        names[n] = options[n].name;
    const char *nearest = fg_spell_nearest(word, names, n);
    if (nearest != NULL)
        fg_cli_usage(command, "no option '%s'; did you mean '%s'?", word, nearest);
    else
        fg_cli_usage(command, "no option '%s'", word);
    return false;
}

static const fg_cli_option_t *find_option(const char *word, const fg_cli_option_t *options, size_t count) {
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
            return &options[i];
    return NULL;
}

static bool put_value(const fg_cli_command_t *command, const fg_cli_option_t *option, const char *value) {
    fg_cli_repeated_t *repeated = option->repeated;
    if (repeated != NULL && repeated->count == FG_CLI_REPEATED_MAX)
        return fg_cli_usage(command, "'%s' is given more than %u times", option->name, FG_CLI_REPEATED_MAX), false;
    if (repeated == NULL && *option->value != NULL)
        return fg_cli_usage(command, "'%s' is given twice", option->name), false;
    if (repeated != NULL)
        repeated->values[repeated->count++] = value;
    else
        *option->value = value;
    return true;
}

/* Takes the option at argv[*at]; moves *at on to its value. */
static bool take_option(const fg_cli_command_t *command, int argc, char **argv, int *at, const fg_cli_option_t *options,
                        size_t count) {
    const char *word = argv[*at], *equals = strchr(word, '=');
    const fg_cli_option_t *option = find_option(word, options, count);
    if (option == NULL)
        return unknown_option(command, word, options, count);
    if (option->flag != NULL) {
        *option->flag = true;
        return equals == NULL || (fg_cli_usage(command, "'%s' takes no value", option->name), false);
    }
    if (equals == NULL && *at + 1 >= argc)
        return fg_cli_usage(command, "'%s' wants a value", option->name), false;
    return put_value(command, option, equals != NULL ? equals + 1 : argv[++*at]);
}

bool fg_cli_parse(const fg_cli_command_t *command, int argc, char **argv, const fg_cli_option_t *options,
                  size_t option_count, const char **operands, size_t fewest, size_t most) {
    size_t count = 0;
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!take_option(command, argc, argv, &i, options, option_count))
                return false;
        } else if (count == most) {
            return fg_cli_usage(command, "'%s' is one argument too many", argv[i]), false;
        } else {
            operands[count++] = argv[i];
        }
    }
    /* no command wants more than one: it is the first that the usage line names */
    return count >= fewest ||
           (fg_cli_usage(command, "%.*s is missing", (int)strcspn(command->arguments, " ."), command->arguments),
            false);
}
