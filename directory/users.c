/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/users.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/spell.h"
#include "directory/password.h"
#include "directory/users_place.h"
#include "token/claims.h"

struct fg_users {
    json_t *root;  /* {"users": [...]} */
    json_t *list;  /* borrowed from root */
    json_t *index; /* name or upn in lower case → person */
};

const fg_user_attribute_t fg_user_attributes[] = {
    {"mail", FG_CLAIM_EMAIL},
    {"given_name", FG_CLAIM_GIVENNAME},
    {"surname", FG_CLAIM_SURNAME},
    {"display_name", "http://schemas.xmlsoap.org/claims/CommonName"},
    {"upn", FG_CLAIM_UPN},
    {"windows_account_name", FG_CLAIM_WINDOWSACCOUNTNAME},
    {"immutable_id", FG_CLAIM_IMMUTABLEID},
};
const size_t fg_user_attribute_count = FG_ARRAY_SIZE(fg_user_attributes);

const char *fg_user_claim_type(const char *attribute) {
    for (size_t i = 0; i < fg_user_attribute_count; i++)
        if (strcmp(attribute, fg_user_attributes[i].name) == 0)
            return fg_user_attributes[i].claim_type;
    return strchr(attribute, ':') != NULL ? attribute : NULL;
}

/* UTF-8 without C0 and C1 controls: such a text can stand in XML, in a header and in a log line. */
static bool is_clean(fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0))
            return false;
        /* U+FFFE and U+FFFF */
        if (c == 0xef && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0xbf && (unsigned char)text.p[i + 2] >= 0xbe)
            return false;
    }
    return fg_str_is_utf8(text);
}

bool fg_user_name_is_possible(fg_str_t name) { return name.n > 0 && name.n <= FG_USER_NAME_MAX && is_clean(name); }

static fg_str_t text_of(const json_t *string) {
    return (fg_str_t){json_string_value(string), json_string_length(string)};
}

/* ---- checking one person: a wrong member is named through *member, for the place in the file ---- */

static bool check_strings(const json_t *array, const char *what, fg_err_t *err) {
    if (!json_is_array(array))
        return FG_FAIL(err, FG_E_CONFIG, "%s must be an array of strings", what);
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) {
        if (!json_is_string(item) || json_string_length(item) == 0 || !is_clean(text_of(item)))
            return FG_FAIL(err, FG_E_CONFIG,
                           "%s must be an array of strings that are not empty and hold no control characters", what);
    }
    return true;
}

static bool check_name(const json_t *value, fg_err_t *err) {
    if (!json_is_string(value) || !fg_user_name_is_possible(text_of(value)))
        return FG_FAIL(err, FG_E_CONFIG, "\"name\" must be a string of 1 to %u bytes without control characters",
                       FG_USER_NAME_MAX);
    return true;
}

static bool check_password(const json_t *value, fg_err_t *err) {
    if (!json_is_string(value) || !fg_password_is_hash(json_string_value(value)))
        return FG_FAIL(err, FG_E_CONFIG, "\"password\" must be a yescrypt hash ($y$…), as the command makes it");
    return true;
}

static bool check_digest_password(const json_t *value, fg_err_t *err) {
    return (json_is_string(value) && fg_password_is_possible(text_of(value))) ||
           FG_FAIL(err, FG_E_CONFIG, "\"digest_password\" must be a password of 1 to %u bytes", FG_PASSWORD_MAX);
}

static bool check_groups(const json_t *value, fg_err_t *err) { return check_strings(value, "\"groups\"", err); }

static bool refuse_attribute(const char *name, fg_err_t *err) {
    const char *known[FG_ARRAY_SIZE(fg_user_attributes)];
    for (size_t i = 0; i < FG_ARRAY_SIZE(known); i++)
        known[i] = fg_user_attributes[i].name;
    const char *nearest = fg_spell_nearest(name, known, FG_ARRAY_SIZE(known));
    if (nearest != NULL)
        return FG_FAIL(err, FG_E_CONFIG, "attribute \"%.100s\": did you mean \"%s\"?", name, nearest);
    return FG_FAIL(err, FG_E_CONFIG,
                   "attribute \"%.100s\" is neither a known name (mail, given_name, surname, display_name, upn, "
                   "windows_account_name, immutable_id) nor a claim type URI",
                   name);
}

static bool check_attributes(const json_t *value, fg_err_t *err) {
    if (!json_is_object(value))
        return FG_FAIL(err, FG_E_CONFIG, "\"attributes\" must be an object");
    const char *name;
    json_t *values;
    json_object_foreach((json_t *)value, name, values) {
        if (!is_clean(fg_str(name)) || fg_user_claim_type(name) == NULL)
            return refuse_attribute(name, err);
        if (!check_strings(values, name, err))
            return false;
    }
    return true;
}

static bool check_disabled(const json_t *value, fg_err_t *err) {
    return json_is_boolean(value) || FG_FAIL(err, FG_E_CONFIG, "\"disabled\" must be true or false");
}

static const struct {
    const char *name;
    bool required;
    bool (*check)(const json_t *, fg_err_t *);
} members[] = {
    {"name", true, check_name},          {"password", true, check_password},
    {"groups", false, check_groups},     {"attributes", false, check_attributes},
    {"disabled", false, check_disabled}, {"digest_password", false, check_digest_password},
};

static bool is_member(const char *name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++)
        if (strcmp(name, members[i].name) == 0)
            return true;
    return false;
}

static bool check_user(const json_t *user, const char **member, fg_err_t *err) {
    *member = NULL;
    if (!json_is_object(user))
        return FG_FAIL(err, FG_E_CONFIG, "a user must be an object");
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++) {
        const json_t *value = json_object_get(user, members[i].name);
        if (value == NULL && members[i].required)
            return FG_FAIL(err, FG_E_CONFIG, "a user needs \"%s\"", members[i].name);
        *member = members[i].name;
        if (value != NULL && !members[i].check(value, err))
            return false;
        *member = NULL;
    }
    json_t *ignored;
    json_object_foreach((json_t *)user, *member, ignored) {
        if (!is_member(*member))
            return FG_FAIL(
                err, FG_E_CONFIG,
                "a user has \"name\", \"password\", \"digest_password\", \"groups\", \"attributes\" and \"disabled\", "
                "not \"%.100s\"",
                *member);
    }
    return true;
}

/* ---- the index ---- */

/* key must have room for FG_USER_NAME_MAX + 1 */
static void fold(fg_str_t name, char *key) {
    for (size_t i = 0; i < name.n; i++)
        key[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    key[name.n] = '\0';
}

static bool index_one(fg_users_t *users, const json_t *text, json_t *user, fg_err_t *err) {
    char key[FG_USER_NAME_MAX + 1];
    if (!fg_user_name_is_possible(text_of(text)))
        return FG_FAIL(err, FG_E_CONFIG, "a upn has 1 to %u bytes", FG_USER_NAME_MAX);
    fold(text_of(text), key);
    const json_t *holder = json_object_get(users->index, key);
    if (holder != NULL && holder != user)
        return FG_FAIL(err, FG_E_CONFIG, "\"%s\" is the name or upn of two users", key);
    return json_object_set(users->index, key, user) == 0 || FG_FAIL(err, FG_E_MEMORY, "no memory for the users");
}

static bool index_user(fg_users_t *users, json_t *user, const char **member, fg_err_t *err) {
    *member = "name";
    if (!index_one(users, json_object_get(user, "name"), user, err))
        return false;
    *member = "attributes";
    size_t i;
    json_t *upn;
    json_array_foreach(json_object_get(json_object_get(user, "attributes"), "upn"), i, upn) {
        if (!index_one(users, upn, user, err))
            return false;
    }
    return true;
}

static bool index_all(fg_users_t *users, size_t *at, const char **member, fg_err_t *err) {
    json_t *user;
    json_object_clear(users->index);
    json_array_foreach(users->list, (*at), user) {
        if (!index_user(users, user, member, err))
            return false;
    }
    return true;
}

/* ---- the file ---- */

static fg_users_t *users_over(json_t *root) {
    fg_users_t *users = calloc(1, sizeof *users);
    if (users == NULL || root == NULL || (users->index = json_object()) == NULL) {
        json_decref(root);
        free(users);
        return NULL;
    }
    users->root = root;
    users->list = json_object_get(root, "users");
    return users;
}

fg_users_t *fg_users_new(void) { return users_over(json_pack("{s:[]}", "users")); }

/* jansson frees strings as they are. */
static void wipe(json_t *user) {
    json_t *value = json_object_get(user, "digest_password");
    if (json_is_string(value))
        explicit_bzero((void *)(uintptr_t)json_string_value(value), json_string_length(value));
}

void fg_users_free(fg_users_t *users) {
    if (users == NULL)
        return;
    size_t i;
    json_t *user;
    json_array_foreach(users->list, i, user) { wipe(user); }
    json_decref(users->index);
    json_decref(users->root);
    free(users);
}

static bool check_all(const fg_users_t *users, size_t *at, const char **member, fg_err_t *err) {
    const json_t *user;
    json_array_foreach(users->list, (*at), user) {
        if (!check_user(user, member, err))
            return false;
    }
    return true;
}

fg_users_t *fg_users_parse(const char *path, fg_str_t text, fg_err_t *err) {
    fg_err_t syntax = FG_ERR_INIT;
    json_t *root = fg_json_parse(text, &syntax);
    if (root == NULL) {
        FG_FAIL(err, syntax.code, "%s:%s", path, syntax.detail);
        return NULL;
    }
    if (!json_is_array(json_object_get(root, "users")) || json_object_size(root) != 1) {
        FG_FAIL(err, FG_E_CONFIG, "%s:1:1: a users file is {\"users\":[…]} and nothing more", path);
        json_decref(root);
        return NULL;
    }
    fg_users_t *users = users_over(root);
    if (users == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "no memory for the users");
        return NULL;
    }
    size_t at = 0;
    const char *member = NULL;
    if (check_all(users, &at, &member, err) && index_all(users, &at, &member, err))
        return users;
    unsigned line, column;
    fg_users_place(text, at, member, &line, &column);
    (void)fg_err_prefix(err, "%s:%u:%u", path, line, column);
    fg_users_free(users);
    return NULL;
}

fg_users_t *fg_users_load(const char *path, fg_file_stamp_t *stamp, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FG_USERS_FILE_MAX);
    fg_users_t *users = fg_file_read(path, &text, stamp, err) ? fg_users_parse(path, fg_buf_str(&text), err) : NULL;
    fg_buf_free(&text);
    return users;
}

json_t *fg_users_find(const fg_users_t *users, fg_str_t name) {
    char key[FG_USER_NAME_MAX + 1];
    if (!fg_user_name_is_possible(name))
        return NULL;
    fold(name, key);
    return json_object_get(users->index, key);
}

const json_t *fg_users_all(const fg_users_t *users) { return users->list; }

bool fg_users_add(fg_users_t *users, json_t *user, fg_err_t *err) {
    const char *member;
    size_t at;
    if (!check_user(user, &member, err)) {
        json_decref(user);
        return false;
    }
    if (json_array_append_new(users->list, user) != 0)
        return FG_FAIL(err, FG_E_MEMORY, "no memory for the users");
    if (index_all(users, &at, &member, err))
        return true;
    (void)json_array_remove(users->list, json_array_size(users->list) - 1);
    (void)index_all(users, &at, &member, NULL);
    return false;
}

/* The place of the person of exactly that name in any case of letters. */
static json_t *by_name(const fg_users_t *users, const char *name, size_t *at, fg_err_t *err) {
    json_t *user;
    json_array_foreach(users->list, (*at), user) {
        if (fg_str_eq_nocase(fg_json_string(user, "name"), fg_str(name)))
            return user;
    }
    FG_FAIL(err, FG_E_AUTH_FAILED, "there is no user %s", name);
    return NULL;
}

bool fg_users_set_password(fg_users_t *users, const char *name, const char *hash, const char *readable, fg_err_t *err) {
    size_t at;
    json_t *user = by_name(users, name, &at, err);
    if (user == NULL)
        return false;
    wipe(user);
    (void)json_object_del(user, "digest_password");
    json_t *kept = readable ? json_string(readable) : NULL;
    if (readable != NULL && kept == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "a password for digests must be UTF-8");
    if (json_object_set_new(user, "password", json_string(hash)) != 0 ||
        (kept != NULL && json_object_set_new(user, "digest_password", kept) != 0))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for the users");
    return true;
}

bool fg_users_hold_passwords(const fg_users_t *users) {
    size_t i;
    const json_t *user;
    json_array_foreach(users->list, i, user) {
        if (json_object_get(user, "digest_password") != NULL)
            return true;
    }
    return false;
}

bool fg_users_remove(fg_users_t *users, const char *name, fg_err_t *err) {
    size_t at;
    const char *member;
    if (by_name(users, name, &at, err) == NULL)
        return false;
    (void)json_array_remove(users->list, at);
    return index_all(users, &at, &member, err);
}

bool fg_users_write(const fg_users_t *users, fg_buf_t *out, fg_err_t *err) {
    size_t i;
    const json_t *user;
    fg_buf_puts(out, "{\"users\":[");
    json_array_foreach(users->list, i, user) {
        char *line = json_dumps(user, JSON_COMPACT);
        fg_buf_puts(out, i > 0 ? ",\n" : "\n");
        fg_buf_puts(out, line ? line : "");
        out->failed = out->failed || line == NULL;
        if (line != NULL)
            explicit_bzero(line, strlen(line));
        free(line);
    }
    fg_buf_puts(out, "\n]}\n");
    return fg_buf_ok(out) ||
           FG_FAIL(err, FG_E_MEMORY, "no memory for the users, or more than %u bytes", FG_USERS_FILE_MAX);
}
