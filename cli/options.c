/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options and operands, as all commands take them. */
#include "cli/cli.h"

#include <string.h>

#include "core/spell.h"

#define MAX_OPTIONS 16u

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

/* Takes the option at argv[*at]; moves *at on to its value. */
static bool take_option(const fg_cli_command_t *command, int argc, char **argv, int *at, const fg_cli_option_t *options,
                        size_t count) {
    const char *word = argv[*at], *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    const fg_cli_option_t *option = NULL;
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
            option = &options[i];
    if (option == NULL)
        return unknown_option(command, word, options, count);
    if (option->flag != NULL) {
        *option->flag = true;
        return equals == NULL || (fg_cli_usage(command, "'%s' takes no value", option->name), false);
    }
    if (*option->value != NULL)
        return fg_cli_usage(command, "'%s' is given twice", option->name), false;
    if (equals == NULL && *at + 1 >= argc)
        return fg_cli_usage(command, "'%s' wants a value", option->name), false;
    *option->value = equals != NULL ? equals + 1 : argv[++*at];
    return true;
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
    return count >= fewest || (fg_cli_usage(command, "an argument is missing"), false);
}

int fg_cli_take_repeated(const fg_cli_command_t *command, int argc, char **argv, fg_cli_repeated_t *options,
                         size_t count) {
    int left = 0;
    for (int i = 0; i < argc; i++) {
        fg_cli_repeated_t *option = NULL;
        size_t length = strcspn(argv[i], "=");
        for (size_t k = 0; k < count && option == NULL; k++)
            if (strlen(options[k].name) == length && memcmp(options[k].name, argv[i], length) == 0)
                option = &options[k];
        if (option == NULL) {
            argv[left++] = argv[i];
            continue;
        }
        const char *value = argv[i][length] == '=' ? argv[i] + length + 1 : ++i < argc ? argv[i] : NULL;
        if (value == NULL || option->count == FG_CLI_REPEATED_MAX) {
            fg_cli_usage(command, "'%s' wants a value, and at most %u of them", option->name, FG_CLI_REPEATED_MAX);
            return -1;
        }
        option->values[option->count++] = value;
    }
    return left;
}
