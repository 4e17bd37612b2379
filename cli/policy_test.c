/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate policy test: a table of requests, each with the decision that is expected. */
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/policy.h"

#define FILE_MAX (4u << 20)

typedef struct table {
    const char *path;
    fg_arena_t *arena;
    const fg_env_t *env;
    fg_ruleset_t *set;
    size_t passed, failed;
} table_t;

/* The policy stands beside the table, unless its path says otherwise. */
static fg_ruleset_t *load(table_t *t, const json_t *root, fg_err_t *err) {
    const char *name = json_string_value(json_object_get(root, "policy"));
    char *copy = fg_arena_strdup(t->arena, t->path);
    if (name == NULL) {
        FG_FAIL(err, FG_E_CONFIG, "%s: expected \"policy\", the file with the rules", t->path);
        return NULL;
    }
    const char *path = name[0] == '/' || copy == NULL ? name : fg_arena_printf(t->arena, "%s/%s", dirname(copy), name);
    return path != NULL ? fg_ruleset_load(path, &fg_cli_policy_stores, err) : NULL;
}

static bool run_case(table_t *t, const json_t *one, size_t number, fg_err_t *err) {
    const char *name = json_string_value(json_object_get(one, "name")),
               *expect = json_string_value(json_object_get(one, "expect"));
    fg_buf_t why = FG_BUF_INIT(1u << 20);
    fg_decision_t decision;
    if (expect == NULL || (strcmp(expect, "permit") != 0 && strcmp(expect, "deny") != 0))
        return FG_FAIL(err, FG_E_CONFIG, "%s: case %zu: expected \"expect\": \"permit\" or \"deny\"", t->path, number);
    if (!fg_cli_policy_ask(t->set, t->arena, t->env, one, &decision, &why, err)) {
        fg_buf_free(&why);
        return fg_err_prefix(err, "%s: case %zu", t->path, number);
    }
    bool good = decision.permitted == (strcmp(expect, "permit") == 0);
    printf("%s%s%s  %zu  %s\n", fg_shade(good ? FG_SHADE_GOOD : FG_SHADE_BAD), good ? "passed" : "failed",
           fg_shade(FG_SHADE_NONE), number, name ? name : "");
    if (!good) {
        printf("        expected: %s\n        ", expect);
        for (size_t i = 0; i < why.length; i++) {
            putchar(why.data[i]);
            if (why.data[i] == '\n' && i + 1 < why.length)
                fputs("        ", stdout);
        }
    }
    *(good ? &t->passed : &t->failed) += 1;
    fg_buf_free(&why);
    return true;
}

static bool run_cases(table_t *t, const json_t *root, fg_err_t *err) {
    const json_t *cases = json_object_get(root, "cases");
    if (!json_is_array(cases) || json_array_size(cases) == 0)
        return FG_FAIL(err, FG_E_CONFIG, "%s: expected \"cases\", a list of requests", t->path);
    t->set = load(t, root, err);
    if (t->set == NULL)
        return false;
    for (size_t i = 0; i < json_array_size(cases); i++)
        if (!run_case(t, json_array_get(cases, i), i + 1, err))
            return false;
    return true;
}

static int run(table_t *t) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t text;
    if (!fg_input_read(t->arena, t->path, FILE_MAX, &text, &err))
        return fg_cli_fail(&err);
    json_t *root = fg_json_parse(text, &err);
    bool good = root != NULL ? run_cases(t, root, &err) : fg_err_prefix(&err, "%s", t->path);
    json_decref(root);
    fg_ruleset_free(t->set);
    if (!good) {
        fg_cli_say("%s", err.detail);
        return FG_CLI_UNREADABLE;
    }
    printf("%zu passed, %zu failed\n", t->passed, t->failed);
    return t->failed == 0 ? FG_CLI_OK : FG_CLI_FAILED;
}

int fg_cli_policy_test(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    table_t t = {.env = env};
    if (!fg_cli_parse(command, argc, argv, NULL, 0, &t.path, 1, 1))
        return FG_CLI_USAGE;
    t.arena = fg_arena_new(0);
    int code = t.arena != NULL ? run(&t) : FG_CLI_FAILED;
    fg_arena_free(t.arena);
    return code;
}
