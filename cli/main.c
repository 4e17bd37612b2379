/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate COMMAND: finds the row of the table and runs it. */
#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/config.h"
#include "cli/difference.h"
#include "cli/directory.h"
#include "cli/keys.h"
#include "cli/metadata.h"
#include "cli/policy.h"
#include "cli/probe.h"
#include "cli/token.h"
#include "cli/trust_client.h"
#include "cli/user.h"

#include <stdio.h>
#include <string.h>

#include "core/crypto.h"
#include "core/json.h"
#include "core/spell.h"
#include "core/version.h"

static int run_help(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);
static int run_completion(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv);

/* words, arguments, help, details, function */
static const fg_cli_command_t commands[] = {
    {{"completion", NULL}, "SHELL", "print a script that completes commands", FG_CLI_COMPLETION_HELP, run_completion},
    {{"config", "check"}, "[FILE]", "check the gateway's configuration", FG_CLI_CONFIG_CHECK_HELP, fg_cli_config_check},
    {{"directory", "test"},
     "NAME [USER] [--password-file FILE] [--config FILE] [--json]",
     "try a directory of accounts, step by step",
     FG_CLI_DIRECTORY_TEST_HELP,
     fg_cli_directory_test},
    {{"help", NULL}, "[COMMAND]", "explain a command", NULL, run_help},
    {{"keys", "forget"},
     "[--config FILE]",
     "forget previous keys and end all sessions",
     FG_CLI_KEYS_HELP FG_CLI_KEYS_FORGET_HELP,
     fg_cli_keys_forget},
    {{"keys", "list"}, "[--config FILE]", "show the keys that sign and decrypt", FG_CLI_KEYS_HELP, fg_cli_keys_list},
    {{"keys", "roll"},
     "[--use signing|encryption] [--now] [--config FILE]",
     "publish the next keys, or put them to use",
     FG_CLI_KEYS_HELP FG_CLI_KEYS_ROLL_HELP,
     fg_cli_keys_roll},
    {{"metadata", "diff"},
     "A B",
     "tell in what two metadata documents differ",
     FG_CLI_METADATA_DIFF_HELP,
     fg_cli_metadata_diff},
    {{"metadata", "lint"},
     "FILE [--at TIME] [--days DAYS]",
     "tell what is wrong in a metadata document",
     FG_CLI_METADATA_LINT_HELP,
     fg_cli_metadata_lint},
    {{"metadata", "show"},
     "[FILE|-] [--json] [--at TIME]",
     "tell what a metadata document says",
     FG_CLI_METADATA_SHOW_HELP,
     fg_cli_metadata_show},
    {{"mex", "lint"}, "FILE", "tell which endpoint clients would take", FG_CLI_MEX_LINT_HELP, fg_cli_mex_lint},
    {{"policy", "check"}, "FILE...", "check claim rules", FG_CLI_POLICY_CHECK_HELP, fg_cli_policy_check},
    {{"policy", "explain"},
     "POLICY [--claim TYPE=VALUE]... [--claims FILE] [--method M] [--path P] [--query Q] [--host H] [--address A] "
     "[--time T] [--json-body FILE] [--wsman FILE] [--json]",
     "tell what an access policy decides, and why",
     FG_CLI_POLICY_EXPLAIN_HELP,
     fg_cli_policy_explain},
    {{"policy", "test"},
     "FILE",
     "hold a policy against a table of requests",
     FG_CLI_POLICY_TEST_HELP,
     fg_cli_policy_test},
    {{"probe", NULL},
     "URL --network [--ca FILE]",
     "tell what a partner's server publishes",
     FG_CLI_PROBE_HELP,
     fg_cli_probe},
    {{"token", "diff"},
     "A B",
     "tell in what two tokens differ",
     "Lines with - are only in A, with + only in B. Exit code 0: they say the same, 1: they differ.\n",
     fg_difference_run},
    {{"token", "explain"},
     FG_CLI_TOKEN_EXPLAIN_ARGUMENTS,
     "tell what probably happened to a token that is refused",
     FG_CLI_TOKEN_EXPLAIN_HELP,
     fg_cli_token_explain},
    {{"token", "make"}, FG_CLI_TOKEN_MAKE_ARGUMENTS, "make a test token", FG_CLI_TOKEN_MAKE_HELP, fg_cli_token_make},
    {{"token", "show"},
     FG_CLI_TOKEN_SHOW_ARGUMENTS,
     "tell what a token says, and what it is wrapped in",
     FG_CLI_TOKEN_SHOW_HELP,
     fg_cli_token_show},
    {{"token", "translate"},
     "FILE --partner NAME [--to saml11|saml20|jwt] [--config FILE] [--json]",
     "tell what a partner would get of a token",
     FG_CLI_TOKEN_TRANSLATE_HELP,
     fg_cli_token_translate},
    {{"token", "verify"},
     FG_CLI_TOKEN_VERIFY_ARGUMENTS,
     "tell whether a token is valid, and if not, why",
     FG_CLI_TOKEN_VERIFY_HELP,
     fg_cli_token_verify},
    {{"trust", "cancel"},
     "URL --token FILE " FG_CLI_TRUST_WHO,
     "have a token cancelled",
     FG_CLI_TRUST_TOKEN_HELP FG_CLI_TRUST_HELP,
     fg_cli_trust_cancel},
    {{"trust", "issue"},
     "URL [--applies-to REALM] [--token-type TYPE] [--on-behalf-of FILE] [--renewable] " FG_CLI_TRUST_WHO,
     "have a token issued by a WS-Trust service",
     FG_CLI_TRUST_ISSUE_HELP FG_CLI_TRUST_HELP,
     fg_cli_trust_issue},
    {{"trust", "renew"},
     "URL --token FILE [--applies-to REALM] " FG_CLI_TRUST_WHO,
     "have a token renewed",
     FG_CLI_TRUST_TOKEN_HELP FG_CLI_TRUST_HELP,
     fg_cli_trust_renew},
    {{"trust", "validate"},
     "URL --token FILE [--applies-to REALM] [--token-type TYPE] " FG_CLI_TRUST_WHO,
     "have a token validated",
     FG_CLI_TRUST_TOKEN_HELP FG_CLI_TRUST_HELP,
     fg_cli_trust_validate},
    {{"user", "add"},
     "NAME [--group NAME]... [--attribute K=V]... [--digest] [--password-stdin] " FG_CLI_USER_FILE_USAGE,
     "add a person to the users file",
     FG_CLI_USER_ADD_HELP FG_CLI_USER_PASSWORD_HELP FG_CLI_USER_FILE_HELP,
     fg_cli_user_add},
    {{"user", "list"},
     FG_CLI_USER_FILE_USAGE,
     "list the persons of the users file",
     FG_CLI_USER_FILE_HELP,
     fg_cli_user_list},
    {{"user", "passwd"},
     "NAME [--digest] [--password-stdin] " FG_CLI_USER_FILE_USAGE,
     "change a person's password",
     FG_CLI_USER_PASSWORD_HELP FG_CLI_USER_FILE_HELP,
     fg_cli_user_passwd},
    {{"user", "remove"},
     "NAME " FG_CLI_USER_FILE_USAGE,
     "remove a person from the users file",
     FG_CLI_USER_FILE_HELP,
     fg_cli_user_remove},
};

static int run_completion(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *shell = NULL;
    (void)env;
    if (!fg_cli_parse(command, argc, argv, NULL, 0, &shell, 1, 1))
        return FG_CLI_USAGE;
    return fg_cli_completion_write(command, shell, commands, FG_ARRAY_SIZE(commands));
}

/* ---- finding */

static bool matches(const fg_cli_command_t *command, int argc, char **argv) {
    return strcmp(argv[0], command->words[0]) == 0 &&
           (command->words[1] == NULL || (argc > 1 && strcmp(argv[1], command->words[1]) == 0));
}

static const fg_cli_command_t *find(int argc, char **argv) {
    for (size_t i = 0; argc > 0 && i < FG_ARRAY_SIZE(commands); i++)
        if (matches(&commands[i], argc, argv))
            return &commands[i];
    return NULL;
}

/* Tells of a word that is no command: what it may have meant, or what there is. */
static int unknown(int argc, char **argv) {
    const char *candidates[FG_ARRAY_SIZE(commands)];
    size_t count = 0, second = 0;
    for (size_t i = 0; i < FG_ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].words[0], argv[0]) == 0 && commands[i].words[1] != NULL)
            candidates[second++] = commands[i].words[1];
    for (size_t i = 0; second == 0 && i < FG_ARRAY_SIZE(commands); i++)
        candidates[count++] = commands[i].words[0];
    if (second > 0 && argc < 2) {
        fg_cli_say("'%s' wants a second word; see 'fedgate help %s'", argv[0], argv[0]);
        return FG_CLI_USAGE;
    }
    if (argv[0][0] == '-') {
        fg_cli_say("no option '%s' without a command; see 'fedgate help'", argv[0]);
        return FG_CLI_USAGE;
    }
    const char *nearest = fg_spell_nearest(argv[second > 0], candidates, second > 0 ? second : count);
    const char *group = second > 0 ? argv[0] : "", *gap = second > 0 ? " " : "";
    if (nearest != NULL)
        fg_cli_say("no command '%s%s%s'; did you mean '%s%s%s'?", group, gap, argv[second > 0], group, gap, nearest);
    else
        fg_cli_say("no command '%s%s%s'; see 'fedgate help'", group, gap, argv[second > 0]);
    return FG_CLI_USAGE;
}

/* ---- help */

static bool is_help(const char *word) { return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0; }

static void print_row(const fg_cli_command_t *command) {
    char name[64];
    snprintf(name, sizeof name, "%s %s", command->words[0], command->words[1] ? command->words[1] : "");
    printf("  %-16s %s\n", name, command->help);
}

static int print_group(const char *word) {
    size_t count = 0;
    for (size_t i = 0; i < FG_ARRAY_SIZE(commands); i++)
        if (word == NULL || strcmp(commands[i].words[0], word) == 0) {
            if (count++ == 0)
                puts("usage: fedgate COMMAND [ARGUMENTS]\n\nCommands:");
            print_row(&commands[i]);
        }
    return count > 0 ? FG_CLI_OK : FG_CLI_USAGE;
}

static int run_help(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    (void)command, (void)env;
    if (argc == 0 || is_help(argv[0])) {
        print_group(NULL);
        puts("\n'fedgate help COMMAND' explains one, 'fedgate --version' tells the version, fedgate(1) is the manual.");
        return FG_CLI_OK;
    }
    const fg_cli_command_t *found = find(argc, argv);
    if (found == NULL)
        return argc == 1 && print_group(argv[0]) == FG_CLI_OK ? FG_CLI_OK : unknown(argc, argv);
    fg_cli_print_usage(found, stdout);
    printf("\nTo %s.\n%s%s", found->help, found->details ? "\n" : "", found->details ? found->details : "");
    return FG_CLI_OK;
}

/* ---- start */

/* `fedgate keys roll --help` and `fedgate --help keys roll` ask for help alike. */
static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

static int run(const fg_cli_command_t *command, int argc, char **argv) {
    int words = command->words[1] != NULL ? 2 : 1;
    if (command->run != run_help && wants_help(argc - words, argv + words))
        return run_help(NULL, NULL, words, argv);
    fg_env_t env;
    fg_cli_env_init(&env);
    fg_json_start();
    if (!fg_crypto_start()) {
        fg_cli_say("OpenSSL lacks an algorithm that is needed");
        return FG_CLI_FAILED;
    }
    int code = command->run(command, &env, argc - words, argv + words);
    fg_crypto_stop();
    return code;
}

static int dispatch(int argc, char **argv) {
    if (argc == 0) {
        fg_cli_say("a command is missing; see 'fedgate help'");
        return FG_CLI_USAGE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        puts("fedgate " FG_VERSION);
        return FG_CLI_OK;
    }
    if (is_help(argv[0]))
        return run_help(NULL, NULL, argc - 1, argv + 1);
    const fg_cli_command_t *command = find(argc, argv);
    if (command != NULL)
        return run(command, argc, argv);
    return argc == 2 && is_help(argv[1]) ? run_help(NULL, NULL, 1, argv) : unknown(argc, argv);
}

int main(int argc, char **argv) {
    int code = dispatch(argc > 0 ? argc - 1 : 0, argv + 1);
    if (fflush(stdout) != 0 && code == FG_CLI_OK) {
        fg_cli_say("standard output cannot be written");
        return FG_CLI_FAILED;
    }
    return code;
}
