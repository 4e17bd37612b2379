/* SPDX-License-Identifier: GPL-2.0-or-later
 * fedgate directory test: which directory, whom to look for, and the verdict. */
#include "cli/directory.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/input.h"
#include "core/file.h"
#include "core/spell.h"
#include "core/time.h"
#include "gateway/config.h"
#include "gateway/config_check.h"
#include "gateway/config_ldap.h"

#define ARENA_MAX (64u << 20)
#define PASSWORD_FILE_MAX 4096u

typedef struct test {
    const char *words[2]; /* NAME, USER */
    const char *config, *password_file;
    bool json;
    const fg_env_t *env;
    fg_arena_t *arena;
    fg_str_t password;
} test_t;

/* ---- which */

static const fg_config_directory_t *find(const test_t *t, fg_config_t *config, fg_err_t *err) {
    const char *path = t->config != NULL ? t->config : FG_CLI_CONFIG, *titles[16];
    size_t count = 0;
    if (!fg_config_read(t->arena, path, config, err))
        return NULL;
    const fg_config_directory_t *d = config->directories.items;
    for (size_t i = 0; i < config->directories.count; i++) {
        if (strcmp(d[i].at.title, t->words[0]) == 0)
            return fg_config_check_directory(&d[i], err) ? &d[i] : NULL;
        if (count < FG_ARRAY_SIZE(titles))
            titles[count++] = d[i].at.title;
    }
    const char *nearest = fg_spell_nearest(t->words[0], titles, count);
    FG_FAIL(err, FG_E_CONFIG, "%s has no directory \"%s\"%s%s%s", path, t->words[0],
            nearest     ? "; did you mean \""
            : count > 0 ? "; it has \""
                        : "",
            nearest     ? nearest
            : count > 0 ? titles[0]
                        : "",
            nearest     ? "\"?"
            : count > 0 ? "\""
                        : "");
    return NULL;
}

/* ---- the person's password */

static bool read_password(test_t *t, fg_err_t *err) {
    fg_str_t bytes = FG_STR_NONE;
    if (t->password_file == NULL)
        return true;
    if (!fg_input_read(t->arena, t->password_file, PASSWORD_FILE_MAX, &bytes, err))
        return false;
    while (bytes.n > 0 && (bytes.p[bytes.n - 1] == '\n' || bytes.p[bytes.n - 1] == '\r'))
        bytes.n--;
    t->password = bytes;
    return bytes.n > 0 || FG_FAIL(err, FG_E_FILE, "%s is empty: it holds no password", t->password_file);
}

static void ask_password(test_t *t) {
    if (t->password_file != NULL || t->words[1] == NULL || !isatty(STDIN_FILENO))
        return;
    char *typed = getpass("Password (empty: only look the person up): ");
    if (typed == NULL)
        return;
    t->password = fg_arena_str(t->arena, fg_str(typed));
    explicit_bzero(typed, strlen(typed));
}

/* ---- a users file: no server, but somebody may be in it */

static bool look_up(const test_t *t, fg_directory_t *directory, fg_identity_t *identity, fg_err_t *err) {
    fg_str_t user = fg_str(t->words[1]);
    return t->password.n > 0 ? directory->check_password(directory, t->env, t->arena, user, t->password, identity, err)
                             : directory->find(directory, t->env, t->arena, FG_ACCOUNT_NAME, user, identity, err);
}

static void print_file_json(const test_t *t, const char *path, bool good, const fg_identity_t *identity,
                            const fg_err_t *err) {
    json_t *all = json_pack("{ss ss ss sb}", "directory", t->words[0], "type", "file", "path", path, "good", good);
    if (!good)
        json_object_set_new(all, "error", json_string(err->detail));
    if (good && t->words[1] != NULL)
        json_object_set_new(all, "claims", fg_cli_directory_claims_json(&identity->claims));
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(all);
}

static int test_file(const test_t *t, const fg_config_directory_t *d) {
    fg_identity_t identity = {.claims = {0}};
    fg_err_t err = FG_ERR_INIT;
    fg_directory_t *directory = fg_users_file_directory_new(d->at.title, d->path, &err);
    bool good = directory != NULL && (t->words[1] == NULL || look_up(t, directory, &identity, &err));
    if (t->json)
        print_file_json(t, d->path, good, &identity, &err);
    else if (directory != NULL)
        printf("directory %s is a users file, %s, and can be read: there is no server to ask\n", d->at.title, d->path);
    if (!t->json && good && t->words[1] != NULL) {
        printf("%s is in it%s\n", t->words[1], t->password.n > 0 ? ", and the password is right" : "");
        fg_cli_directory_print_claims(&identity.claims);
    }
    int code = good ? FG_CLI_OK : fg_cli_fail(&err);
    if (directory != NULL)
        directory->free(directory);
    return code;
}

/* ---- servers */

static void print_head(const fg_config_directory_t *d) {
    printf("directory %s: %s, %zu server%s, base %s, timeout %" PRId64 " ms\n", d->at.title,
           strcmp(d->type, "ad") == 0 ? "Active Directory" : "LDAP", d->servers.count, d->servers.count == 1 ? "" : "s",
           d->base, d->timeout_ms);
    fflush(stdout);
}

static int say_verdict(const test_t *t, const fg_config_directory_t *d, size_t good, json_t *servers) {
    size_t count = d->servers.count;
    if (servers != NULL) {
        json_t *all = json_pack("{ss ss sb sO}", "directory", d->at.title, "type", d->type, "good", good == count,
                                "servers", servers);
        json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(all);
    } else if (good == count) {
        printf("\ndirectory %s: all is well\n", d->at.title);
    } else {
        printf("\ndirectory %s: %zu of %zu server%s without fault\n", d->at.title, good, count, count == 1 ? "" : "s");
    }
    if (good < count && good > 0)
        fg_cli_say("directory %s: there are faults; people can sign in by %s without them", t->words[0],
                   good == 1 ? "the one server" : "those");
    else if (good < count)
        fg_cli_say("directory %s: this sign-in does not work", t->words[0]);
    return good == count ? FG_CLI_OK : FG_CLI_FAILED;
}

static int test_servers(const test_t *t, const fg_config_directory_t *d) {
    const fg_ldap_options_t options = fg_config_ldap_options(d);
    fg_err_t err = FG_ERR_INIT;
    size_t good = 0;
    if (!fg_config_ldap_files(d, &err))
        return fg_cli_fail(&err);
    fg_cli_directory_view_t view = {t->arena, fg_now(t->env), NULL, t->json ? json_array() : NULL};
    const fg_ldap_test_t test = {.options = &options,
                                 .user = t->words[1] != NULL ? fg_str(t->words[1]) : FG_STR_NONE,
                                 .password = t->password,
                                 .now_ms = view.now_ms,
                                 .tell = fg_cli_directory_tell,
                                 .context = &view};
    if (!t->json)
        print_head(d);
    bool ok = fg_ldap_test_run(&test, t->arena, &good, &err);
    int code = ok ? say_verdict(t, d, good, view.json) : fg_cli_fail(&err);
    json_decref(view.json);
    return code;
}

static int run(test_t *t) {
    fg_config_t config;
    fg_err_t err = FG_ERR_INIT;
    const fg_config_directory_t *d = read_password(t, &err) ? find(t, &config, &err) : NULL;
    if (d == NULL)
        return fg_cli_fail(&err);
    ask_password(t);
    int code = strcmp(d->type, "file") == 0 ? test_file(t, d) : test_servers(t, d);
    if (t->password.n > 0)
        explicit_bzero((void *)(uintptr_t)t->password.p, t->password.n);
    return code;
}

int fg_cli_directory_test(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    test_t t = {.env = env};
    const fg_cli_option_t options[] = {
        {"--config", .value = &t.config}, {"--password-file", .value = &t.password_file}, {"--json", .flag = &t.json}};
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), t.words, 1, 2))
        return FG_CLI_USAGE;
    if (t.password_file != NULL && t.words[1] == NULL)
        return fg_cli_usage(command, "'--password-file' without USER: whose password is it?");
    t.arena = fg_arena_new(ARENA_MAX);
    int code = t.arena != NULL ? run(&t) : FG_CLI_FAILED;
    fg_arena_free(t.arena);
    return code;
}
