/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate completion: scripts for shells, from the one table of commands. */
#include "cli/completion.h"

#include <string.h>

/* Calls put for each option in a usage text: what begins with "--". */
static void each_option(const char *arguments, void (*put)(const char *, int)) {
    for (const char *at = arguments; (at = strstr(at, "--")) != NULL;) {
        size_t length = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (length > 2 && (at == arguments || strchr(" [|", at[-1]) != NULL))
            put(at, (int)length);
        at += length;
    }
}

static void put_word(const char *option, int length) { printf(" %.*s", length, option); }

/* token explain takes all that verify does. */
static const char *arguments_of(const fg_cli_command_t *table, size_t count, const fg_cli_command_t *command) {
    if (command->words[1] == NULL || strcmp(command->words[1], "explain") != 0 ||
        strcmp(command->words[0], "token") != 0)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (table[i].words[1] != NULL && strcmp(table[i].words[0], "token") == 0 &&
            strcmp(table[i].words[1], "verify") == 0)
            return table[i].arguments;
    return NULL;
}

static bool is_first(const fg_cli_command_t *table, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(table[k].words[0], table[i].words[0]) == 0)
            return false;
    return true;
}

static void put_groups(const fg_cli_command_t *table, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_first(table, i))
            printf(" %s", table[i].words[0]);
}

static void put_seconds(const fg_cli_command_t *table, size_t count, const char *group) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].words[0], group) == 0 && table[i].words[1] != NULL)
            printf(" %s", table[i].words[1]);
}

static void put_bash(const fg_cli_command_t *table, size_t count) {
    puts("# bash completion for fedgate; source it, or put it into /usr/share/bash-completion/completions/fedgate\n"
         "_fedgate() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
         "    case \"$COMP_CWORD:${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in");
    printf("    1:*) words='--help --version");
    put_groups(table, count);
    puts("' ;;");
    for (size_t i = 0; i < count; i++)
        if (is_first(table, i) && table[i].words[1] != NULL) {
            printf("    2:%s\\ *) words='", table[i].words[0]);
            put_seconds(table, count, table[i].words[0]);
            puts("' ;;");
        }
    for (size_t i = 0; i < count; i++) {
        const char *more = arguments_of(table, count, &table[i]);
        printf("    *:%s\\ %s) words='--help", table[i].words[0], table[i].words[1] ? table[i].words[1] : "*");
        each_option(table[i].arguments, put_word);
        if (more != NULL)
            each_option(more, put_word);
        puts("' ;;");
    }
    puts("    esac\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "    [[ $COMP_CWORD -gt 2 && $word != -* ]] && COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "    return 0\n"
         "}\n"
         "complete -o filenames -F _fedgate fedgate");
}

static void put_zsh(const fg_cli_command_t *table, size_t count) {
    puts("#compdef fedgate\n"
         "# zsh completion for fedgate; put it as _fedgate into a folder of $fpath\n"
         "_fedgate() {\n"
         "    local -a words_here\n"
         "    case \"$CURRENT:${words[2]} ${words[3]}\" in");
    printf("    2:*) words_here=(--help --version");
    put_groups(table, count);
    puts(") ;;");
    for (size_t i = 0; i < count; i++)
        if (is_first(table, i) && table[i].words[1] != NULL) {
            printf("    3:%s\\ *) words_here=(", table[i].words[0]);
            put_seconds(table, count, table[i].words[0]);
            puts(") ;;");
        }
    for (size_t i = 0; i < count; i++) {
        const char *more = arguments_of(table, count, &table[i]);
        printf("    *:%s\\ %s) words_here=(--help", table[i].words[0], table[i].words[1] ? table[i].words[1] : "*");
        each_option(table[i].arguments, put_word);
        if (more != NULL)
            each_option(more, put_word);
        puts(") ;;");
    }
    puts("    esac\n"
         "    compadd -- $words_here\n"
         "    (( CURRENT > 3 )) && _files\n"
         "}\n"
         "_fedgate \"$@\"");
}

static const fg_cli_command_t *fish_command;

static void put_fish_option(const char *option, int length) {
    printf("complete -c fedgate -n '__fish_seen_subcommand_from %s", fish_command->words[0]);
    if (fish_command->words[1] != NULL)
        printf("; and __fish_seen_subcommand_from %s", fish_command->words[1]);
    printf("' -l %.*s\n", length - 2, option + 2);
}

static void put_fish(const fg_cli_command_t *table, size_t count) {
    puts("# fish completion for fedgate; put it into ~/.config/fish/completions/fedgate.fish");
    for (size_t i = 0; i < count; i++)
        if (is_first(table, i))
            printf("complete -c fedgate -n __fish_use_subcommand -f -a %s\n", table[i].words[0]);
    for (size_t i = 0; i < count; i++) {
        const char *more = arguments_of(table, count, &table[i]);
        fish_command = &table[i];
        if (table[i].words[1] != NULL)
            printf("complete -c fedgate -n '__fish_seen_subcommand_from %s' -f -a %s -d '%s'\n", table[i].words[0],
                   table[i].words[1], table[i].help);
        each_option(table[i].arguments, put_fish_option);
        if (more != NULL)
            each_option(more, put_fish_option);
    }
}

int fg_cli_completion_write(const fg_cli_command_t *command, const char *shell, const fg_cli_command_t *table,
                            size_t count) {
    static const struct {
        const char *name;
        void (*put)(const fg_cli_command_t *, size_t);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(shells); i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].put(table, count);
            return FG_CLI_OK;
        }
    return fg_cli_usage(command, "'%s': bash, zsh or fish is expected", shell);
}
