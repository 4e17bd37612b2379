/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The directory on top of a users file.  The content is immutable and counted: a check works on what was there when it
 * began, however often the file changes meanwhile. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/json.h"
#include "directory/directory.h"
#include "directory/password.h"
#include "directory/users.h"
#include "directory/users_query.h"

typedef struct content {
    unsigned references; /* guarded by the directory's mutex */
    fg_users_t *users;
    char dummy[FG_PASSWORD_HASH_SIZE]; /* what an unknown person's password is checked against */
} content_t;

typedef struct users_file {
    fg_directory_t directory; /* first */
    char *name;
    char *path;
    pthread_mutex_t mutex; /* guards the members below */
    content_t *content;
    fg_file_stamp_t stamp; /* of what was read last, also if it was bad */
} users_file_t;

/* ---- content ---- */

/* Passwords that can be read are nobody else's business. */
static bool check_mode(const char *path, const fg_users_t *users, fg_err_t *err) {
    struct stat status;
    if (!fg_users_hold_passwords(users) || (stat(path, &status) == 0 && (status.st_mode & S_IRWXO) == 0))
        return true;
    return FG_FAIL(err, FG_E_CONFIG, "%s holds passwords for digests, and others may read it: chmod o= %s", path, path);
}

/* Passwords are all hashed at the same cost unless somebody mixed them by hand; the first speaks for all. */
static content_t *content_load(const char *path, fg_file_stamp_t *stamp, fg_err_t *err) {
    fg_users_t *users = fg_users_load(path, stamp, err);
    bool good = users != NULL && check_mode(path, users, err);
    content_t *content = good ? calloc(1, sizeof *content) : NULL;
    if (content == NULL) {
        if (good)
            FG_FAIL(err, FG_E_MEMORY, "no memory for the users");
        fg_users_free(users);
        return NULL;
    }
    content->references = 1;
    content->users = users;
    fg_password_dummy(fg_json_string(json_array_get(fg_users_all(users), 0), "password").p, content->dummy);
    return content;
}

static void content_free(content_t *content) {
    if (content == NULL)
        return;
    fg_users_free(content->users);
    free(content);
}

static content_t *content_get(users_file_t *file) {
    pthread_mutex_lock(&file->mutex);
    content_t *content = file->content;
    content->references++;
    pthread_mutex_unlock(&file->mutex);
    return content;
}

static void content_put(users_file_t *file, content_t *content) {
    pthread_mutex_lock(&file->mutex);
    bool last = --content->references == 0;
    pthread_mutex_unlock(&file->mutex);
    if (last)
        content_free(content);
}

/* ---- a person's claims ---- */

typedef struct person {
    fg_arena_t *arena;
    fg_str_t issuer;
    fg_identity_t *identity;
} person_t;

static bool put(const person_t *person, const char *type, fg_str_t value) {
    fg_claim_t claim = {
        .type = fg_arena_str(person->arena, fg_str(type)),
        .value = fg_arena_str(person->arena, value),
        .issuer = person->issuer,
    };
    return claim.type.p != NULL && claim.value.p != NULL &&
           fg_claims_add(person->arena, &person->identity->claims, &claim);
}

static bool put_all(const person_t *person, const char *type, const json_t *values) {
    size_t i;
    const json_t *value;
    json_array_foreach(values, i, value) {
        if (!put(person, type, (fg_str_t){json_string_value(value), json_string_length(value)}))
            return false;
    }
    return true;
}

static bool put_attributes(const person_t *person, const json_t *attributes) {
    const char *name;
    json_t *values;
    json_object_foreach((json_t *)attributes, name, values) {
        if (!put_all(person, fg_user_claim_type(name), values))
            return false;
    }
    return true;
}

static bool fill_identity(const fg_env_t *env, const person_t *person, const json_t *user) {
    fg_identity_t *identity = person->identity;
    const json_t *groups = json_object_get(user, "groups");
    fg_str_t name = fg_json_string(user, "name");
    if (!put(person, FG_CLAIM_NAME, name) || !put_attributes(person, json_object_get(user, "attributes")))
        return false;
    const fg_claim_t *upn = fg_claims_get(&identity->claims, FG_CLAIM_UPN);
    fg_str_t id = upn ? upn->value : fg_arena_str(person->arena, name);
    if (id.p == NULL || !put(person, FG_CLAIM_NAMEIDENTIFIER, id) || !put_all(person, FG_CLAIM_ROLE, groups) ||
        !put_all(person, FG_CLAIM_GROUP, groups))
        return false;
    identity->name_id.value = id;
    identity->issuer = person->issuer;
    identity->auth_instant_ms = fg_now(env);
    return true;
}

/* ---- the directory ---- */

/* Known or not, disabled or not: one hash is computed, and the answer is the same. */
static const json_t *verify(const content_t *content, fg_str_t name, fg_str_t password, const char **why) {
    const json_t *user = fg_users_find(content->users, name);
    bool right = fg_password_verify(password, user ? fg_json_string(user, "password").p : content->dummy);
    *why = user == NULL ? "unknown user" : !right ? "wrong password" : "the user is disabled";
    return user != NULL && right && !json_is_true(json_object_get(user, "disabled")) ? user : NULL;
}

/* A person who has proven to be it; method .n 0: the caller knows how. */
static bool yield(users_file_t *file, const fg_env_t *env, fg_arena_t *arena, const json_t *user, fg_str_t method,
                  fg_identity_t *identity, fg_err_t *err) {
    *identity = (fg_identity_t){.auth_method = method};
    person_t person = {arena, fg_arena_str(arena, fg_str(file->name)), identity};
    return (person.issuer.p != NULL && fill_identity(env, &person, user)) ||
           FG_FAIL(err, FG_E_MEMORY, "no memory for a person's claims");
}

static bool check_password(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t name,
                           fg_str_t password, fg_identity_t *identity, fg_err_t *err) {
    users_file_t *file = (users_file_t *)directory;
    if (!fg_user_name_is_possible(name) || !fg_password_is_possible(password))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "user name or password is empty, too long or holds control characters");
    content_t *content = content_get(file);
    const char *why = "";
    const json_t *user = verify(content, name, password, &why);
    bool ok = user != NULL
                  ? yield(file, env, arena, user, FG_STR(FG_AUTH_PASSWORD), identity, err)
                  : FG_FAIL(err, FG_E_AUTH_FAILED, "%.*s in directory %s: %s", FG_STR_ARG(name), file->name, why);
    content_put(file, content);
    return ok;
}

/* Known or not, one digest is computed; who may not be asked that way looks like a wrong password. */
static const json_t *verify_digest(const content_t *content, const fg_username_token_t *token, fg_code_t *code,
                                   const char **why) {
    const json_t *user = fg_users_find(content->users, token->username);
    fg_str_t kept = user ? fg_json_string(user, "digest_password") : FG_STR_NONE;
    bool right = fg_password_verify_digest(kept.p ? kept : FG_STR("no password"), token) && kept.p != NULL;
    *code = user != NULL && kept.p == NULL ? FG_E_AUTH_DIGEST : FG_E_AUTH_FAILED;
    *why = user == NULL     ? "unknown user"
           : kept.p == NULL ? "a digest is not possible for this account: its password is kept as a hash alone"
           : !right         ? "wrong digest"
                            : "the user is disabled";
    return right && !json_is_true(json_object_get(user, "disabled")) ? user : NULL;
}

static bool check_digest(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena,
                         const fg_username_token_t *token, fg_identity_t *identity, fg_err_t *err) {
    users_file_t *file = (users_file_t *)directory;
    if (!fg_user_name_is_possible(token->username))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "user name is empty, too long or holds control characters");
    content_t *content = content_get(file);
    const char *why = "";
    fg_code_t code;
    const json_t *user = verify_digest(content, token, &code, &why);
    bool ok = user != NULL
                  ? yield(file, env, arena, user, FG_STR(FG_AUTH_PASSWORD), identity, err)
                  : FG_FAIL(err, code, "%.*s in directory %s: %s", FG_STR_ARG(token->username), file->name, why);
    content_put(file, content);
    return ok;
}

static bool find(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_account_kind_t kind,
                 fg_str_t name, fg_identity_t *identity, fg_err_t *err) {
    users_file_t *file = (users_file_t *)directory;
    if (!fg_user_name_is_possible(name))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "account name is empty, too long or holds control characters");
    content_t *content = content_get(file);
    /* a users file knows no certificates */
    const json_t *user = kind == FG_ACCOUNT_CERTIFICATE ? NULL : fg_users_find(content->users, name);
    bool disabled = user != NULL && json_is_true(json_object_get(user, "disabled"));
    bool ok = user != NULL && !disabled ? yield(file, env, arena, user, FG_STR_NONE, identity, err)
                                        : FG_FAIL(err, disabled ? FG_E_AUTH_DISABLED : FG_E_AUTH_FAILED,
                                                  "%.*s in directory %s: %s", FG_STR_ARG(name), file->name,
                                                  disabled ? "the user is disabled" : "unknown user");
    content_put(file, content);
    return ok;
}

static bool knows(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t user, bool *known,
                  fg_err_t *err) {
    users_file_t *file = (users_file_t *)directory;
    (void)env, (void)arena, (void)err;
    content_t *content = content_get(file);
    *known = fg_users_find(content->users, user) != NULL;
    content_put(file, content);
    return true;
}

static bool query(fg_directory_t *directory, fg_arena_t *arena, fg_str_t text, const fg_str_t *params,
                  size_t param_count, const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err) {
    users_file_t *file = (users_file_t *)directory;
    fg_query_t asked = {text, params, param_count, types, type_count, fg_arena_str(arena, fg_str(file->name))};
    if (asked.issuer.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "no memory for a query");
    content_t *content = content_get(file);
    bool ok = fg_users_query(content->users, &asked, arena, out, err) || fg_err_prefix(err, "directory %s", file->name);
    content_put(file, content);
    return ok;
}

static bool check_query(const fg_directory_t *directory, fg_str_t text, size_t param_count, size_t type_count,
                        fg_err_t *err) {
    const fg_query_t asked = {.text = text, .param_count = param_count, .type_count = type_count};
    fg_arena_t *arena = fg_arena_new(0);
    (void)directory;
    bool ok =
        arena != NULL ? fg_users_query_check(&asked, arena, err) : FG_FAIL(err, FG_E_MEMORY, "no memory for a query");
    fg_arena_free(arena);
    return ok;
}

/* Notes the new stamp at once, so that one thread reloads and a bad file is read and logged once. */
static bool has_changed(users_file_t *file) {
    fg_file_stamp_t stamp;
    (void)fg_file_stamp(file->path, &stamp);
    pthread_mutex_lock(&file->mutex);
    bool changed = !fg_file_stamp_eq(&stamp, &file->stamp);
    file->stamp = stamp;
    pthread_mutex_unlock(&file->mutex);
    return changed;
}

static void refresh(fg_directory_t *directory, const fg_env_t *env) {
    users_file_t *file = (users_file_t *)directory;
    fg_err_t err = FG_ERR_INIT;
    if (!has_changed(file))
        return;
    content_t *content = content_load(file->path, NULL, &err);
    if (content == NULL) {
        fg_log(env, FG_LOG_ERROR, "directory %s keeps its old users: %s", file->name, err.detail);
        return;
    }
    fg_log(env, FG_LOG_NOTICE, "directory %s read %zu users from %s", file->name,
           json_array_size(fg_users_all(content->users)), file->path);
    pthread_mutex_lock(&file->mutex);
    content_t *old = file->content;
    file->content = content;
    pthread_mutex_unlock(&file->mutex);
    content_put(file, old);
}

static void users_file_free(fg_directory_t *directory) {
    users_file_t *file = (users_file_t *)directory;
    if (file == NULL)
        return;
    content_free(file->content);
    pthread_mutex_destroy(&file->mutex);
    free(file->name);
    free(file->path);
    free(file);
}

fg_directory_t *fg_users_file_directory_new(const char *name, const char *path, fg_err_t *err) {
    users_file_t *file = calloc(1, sizeof *file);
    if (file == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
        return NULL;
    }
    pthread_mutex_init(&file->mutex, NULL);
    file->name = strdup(name);
    file->path = strdup(path);
    file->directory = (fg_directory_t){.name = file->name,
                                       .check_password = check_password,
                                       .knows = knows,
                                       .check_digest = check_digest,
                                       .find = find,
                                       .query = query,
                                       .check_query = check_query,
                                       .refresh = refresh,
                                       .free = users_file_free};
    if (file->name != NULL && file->path != NULL)
        file->content = content_load(path, &file->stamp, err);
    else
        FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
    if (file->content != NULL)
        return &file->directory;
    users_file_free(&file->directory);
    return NULL;
}
