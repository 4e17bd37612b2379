/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/user.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "directory/password.h"
#include "directory/users.h"
#include "gateway/gateway.h"

#define FILE_MODE 0600
#define ARENA_MAX (256u << 20) /* a cap, not a size */

/* ---- which file ---- */

typedef struct place {
    const char *config, *directory, *file;
} place_t;

/* The options that name the users file. */
#define PLACE_OPTIONS(place)                                                                \
    {"--config", .value = &(place).config}, {"--directory", .value = &(place).directory}, { \
        "--file", .value = &(place).file                                                    \
    }

static bool check_place(const fg_cli_command_t *command, const place_t *place) {
    const char *other = place->config ? "--config" : place->directory ? "--directory" : NULL;
    if (place->file == NULL || other == NULL)
        return true;
    fg_cli_usage(command, "'--file' and '%s' exclude each other", other);
    return false;
}

/* The users file's path, in the arena if the configuration names it. */
static const char *find_file(const place_t *place, fg_arena_t *arena, fg_err_t *err) {
    if (place->file != NULL)
        return place->file;
    if (arena != NULL)
        return fg_gateway_find_users(arena, place->config ? place->config : FG_CLI_CONFIG, place->directory, err);
    FG_FAIL(err, FG_E_MEMORY, "reading the configuration");
    return NULL;
}

/* ---- the file: locked, read, changed, replaced whole ---- */

typedef struct edit {
    fg_arena_t *arena;
    const char *path;
    fg_users_t *users;
    mode_t mode;
    int lock;
} edit_t;

/* The lock is a file of its own: the users file itself is replaced. */
static int lock_beside(const char *path, fg_err_t *err) {
    char lock[4096];
    if ((size_t)snprintf(lock, sizeof lock, "%s.lock", path) >= sizeof lock) {
        FG_FAIL(err, FG_E_FILE, "%s: the name is too long", path);
        return -1;
    }
    return fg_file_lock(lock, err);
}

static bool edit_open(edit_t *edit, bool may_be_new, fg_err_t *err) {
    struct stat status;
    edit->lock = lock_beside(edit->path, err);
    if (edit->lock < 0)
        return false;
    bool exists = stat(edit->path, &status) == 0;
    if (exists)
        edit->mode = status.st_mode & 0777; /* an administrator may have let the gateway's group read it */
    edit->users = exists || !may_be_new ? fg_users_load(edit->path, NULL, err) : fg_users_new();
    return edit->users != NULL;
}

/* Whatever it returns, edit_end ends it. */
static bool edit_begin(edit_t *edit, const place_t *place, bool may_be_new, fg_err_t *err) {
    *edit = (edit_t){.arena = fg_arena_new(ARENA_MAX), .mode = FILE_MODE, .lock = -1};
    edit->path = find_file(place, edit->arena, err);
    return edit->path != NULL && edit_open(edit, may_be_new, err);
}

static bool edit_save(const edit_t *edit, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FG_USERS_FILE_MAX);
    /* nobody else reads passwords */
    mode_t mode = fg_users_hold_passwords(edit->users) ? edit->mode & ~(mode_t)S_IRWXO : edit->mode;
    bool ok = fg_users_write(edit->users, &text, err) && fg_file_replace(edit->path, fg_buf_str(&text), mode, err);
    fg_buf_free(&text);
    return ok;
}

static int edit_end(edit_t *edit, bool ok, const fg_err_t *err) {
    fg_users_free(edit->users);
    if (edit->lock >= 0)
        fg_file_unlock(edit->lock);
    fg_arena_free(edit->arena);
    return ok ? FG_CLI_OK : fg_cli_fail(err);
}

/* ---- passwords ---- */

/* One line without its end; false: none, or longer than any password. */
static bool read_line(char *line, size_t room) {
    if (fgets(line, (int)room, stdin) == NULL)
        return false;
    size_t length = strcspn(line, "\r\n");
    bool whole = line[length] != '\0' || feof(stdin);
    line[length] = '\0';
    return whole;
}

static bool ask(const char *prompt, char *line, size_t room) {
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    fputs(prompt, stderr);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return false;
    bool ok = read_line(line, room);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    return ok;
}

static bool ask_twice(char *password, size_t room, fg_err_t *err) {
    char again[FG_PASSWORD_MAX + 3];
    if (!isatty(STDIN_FILENO))
        return FG_FAIL(err, FG_E_AUTH_MISSING,
                       "standard input is no terminal: give the password with --password-stdin");
    bool ok = ask("Password: ", password, room) && ask("Again: ", again, sizeof again);
    if (!ok)
        FG_FAIL(err, FG_E_AUTH_MISSING, "no password was read");
    else if (!(ok = strcmp(password, again) == 0))
        FG_FAIL(err, FG_E_AUTH_FAILED, "the two passwords differ");
    explicit_bzero(again, sizeof again);
    return ok;
}

/* A password that is asked for or read. */
typedef struct secret {
    bool from_stdin, digest; /* options */
    char hash[FG_PASSWORD_HASH_SIZE];
    char password[FG_PASSWORD_MAX + 3]; /* kept only for digests */
} secret_t;

/* The options that say how. */
#define SECRET_OPTIONS(secret) \
    {"--password-stdin", NULL, &(secret).from_stdin}, { "--digest", NULL, &(secret).digest }

static bool read_secret(const fg_env_t *env, secret_t *secret, fg_err_t *err) {
    char *password = secret->password;
    bool ok = secret->from_stdin ? read_line(password, sizeof secret->password) ||
                                       FG_FAIL(err, FG_E_AUTH_MISSING, "no password on standard input")
                                 : ask_twice(password, sizeof secret->password, err);
    ok = ok && fg_password_hash(env, fg_str(password), secret->hash, err);
    if (ok && secret->digest && !fg_str_is_utf8(fg_str(password)))
        ok = FG_FAIL(err, FG_E_AUTH_MISSING, "a password for digests must be UTF-8");
    if (!ok || !secret->digest)
        explicit_bzero(password, sizeof secret->password);
    return ok;
}

static const char *readable(const secret_t *secret) { return secret->digest ? secret->password : NULL; }

/* ---- a new person ---- */

static bool put_attribute(json_t *attributes, const char *text, fg_err_t *err) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "--attribute wants NAME=VALUE, not '%s'", text);
    json_t *name = json_stringn(text, (size_t)(equals - text));
    const char *key = json_string_value(name);
    json_t *values = key ? json_object_get(attributes, key) : NULL;
    if (key != NULL && values == NULL) {
        values = json_array();
        (void)json_object_set_new(attributes, key, values);
    }
    bool ok = values != NULL && json_array_append_new(values, json_string(equals + 1)) == 0;
    json_decref(name);
    return ok || FG_FAIL(err, FG_E_AUTH_MISSING, "--attribute wants UTF-8");
}

static json_t *build_user(const char *name, const secret_t *secret, const fg_cli_repeated_t *groups,
                          const fg_cli_repeated_t *attributes, fg_err_t *err) {
    json_t *group_list = json_array(), *attribute_map = json_object();
    bool ok = true;
    for (size_t i = 0; i < groups->count; i++)
        ok = json_array_append_new(group_list, json_string(groups->values[i])) == 0 && ok;
    if (!ok)
        FG_FAIL(err, FG_E_AUTH_MISSING, "--group wants UTF-8");
    for (size_t i = 0; ok && i < attributes->count; i++)
        ok = put_attribute(attribute_map, attributes->values[i], err);
    json_t *user = json_pack("{ss ss ss* so so}", "name", name, "password", secret->hash, "digest_password",
                             readable(secret), "groups", group_list, "attributes", attribute_map);
    if (ok && user == NULL)
        FG_FAIL(err, FG_E_AUTH_MISSING, "the name must be UTF-8");
    if (!ok && user != NULL) {
        json_decref(user);
        user = NULL;
    }
    return user;
}

/* ---- commands ---- */

int fg_cli_user_add(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    fg_cli_repeated_t groups = {0}, attributes = {0};
    place_t place = {0};
    const char *name = NULL;
    secret_t secret = {.digest = false};
    const fg_cli_option_t options[] = {PLACE_OPTIONS(place),
                                       SECRET_OPTIONS(secret),
                                       {"--group", .repeated = &groups},
                                       {"--attribute", .repeated = &attributes}};
    fg_err_t err = FG_ERR_INIT;
    edit_t edit;
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &name, 1, 1) ||
        !check_place(command, &place))
        return FG_CLI_USAGE;
    if (!read_secret(env, &secret, &err))
        return fg_cli_fail(&err);
    bool ok = edit_begin(&edit, &place, true, &err);
    if (ok && fg_users_find(edit.users, fg_str(name)) != NULL)
        ok = FG_FAIL(&err, FG_E_AUTH_FAILED, "there is a user %s already", name);
    json_t *user = ok ? build_user(name, &secret, &groups, &attributes, &err) : NULL;
    ok = user != NULL && fg_users_add(edit.users, user, &err) && edit_save(&edit, &err);
    explicit_bzero(&secret, sizeof secret);
    return edit_end(&edit, ok, &err);
}

int fg_cli_user_passwd(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    place_t place = {0};
    const char *name = NULL;
    secret_t secret = {.digest = false};
    const fg_cli_option_t options[] = {PLACE_OPTIONS(place), SECRET_OPTIONS(secret)};
    fg_err_t err = FG_ERR_INIT;
    edit_t edit;
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &name, 1, 1) ||
        !check_place(command, &place))
        return FG_CLI_USAGE;
    /* asked for before the file is locked: a person may take their time */
    if (!read_secret(env, &secret, &err))
        return fg_cli_fail(&err);
    bool ok = edit_begin(&edit, &place, false, &err) &&
              fg_users_set_password(edit.users, name, secret.hash, readable(&secret), &err) && edit_save(&edit, &err);
    explicit_bzero(&secret, sizeof secret);
    return edit_end(&edit, ok, &err);
}

int fg_cli_user_remove(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    place_t place = {0};
    const char *name = NULL;
    const fg_cli_option_t options[] = {PLACE_OPTIONS(place)};
    fg_err_t err = FG_ERR_INIT;
    edit_t edit;
    (void)env;
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), &name, 1, 1) ||
        !check_place(command, &place))
        return FG_CLI_USAGE;
    bool ok =
        edit_begin(&edit, &place, false, &err) && fg_users_remove(edit.users, name, &err) && edit_save(&edit, &err);
    return edit_end(&edit, ok, &err);
}

static void print_user(const json_t *user) {
    size_t i;
    const json_t *group;
    printf("%s", fg_json_string(user, "name").p);
    json_array_foreach(json_object_get(user, "groups"), i, group) {
        printf("%s%s", i == 0 ? "\t" : ", ", json_string_value(group));
    }
    if (json_object_get(user, "digest_password") != NULL)
        printf("\t(digest)");
    puts(json_is_true(json_object_get(user, "disabled")) ? "\t(disabled)" : "");
}

int fg_cli_user_list(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    place_t place = {0};
    const fg_cli_option_t options[] = {PLACE_OPTIONS(place)};
    fg_err_t err = FG_ERR_INIT;
    (void)env;
    if (!fg_cli_parse(command, argc, argv, options, FG_ARRAY_SIZE(options), NULL, 0, 0) ||
        !check_place(command, &place))
        return FG_CLI_USAGE;
    fg_arena_t *arena = fg_arena_new(ARENA_MAX);
    const char *path = find_file(&place, arena, &err);
    fg_users_t *users = path ? fg_users_load(path, NULL, &err) : NULL;
    int code = users != NULL ? FG_CLI_OK : fg_cli_fail(&err);
    size_t i;
    const json_t *user;
    json_array_foreach(users ? fg_users_all(users) : NULL, i, user) { print_user(user); }
    fg_users_free(users);
    fg_arena_free(arena);
    return code;
}
