/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The users file: what the directory reads and the command writes.
 *
 *     {"users":[
 *     {"name":"alice","password":"$y$…","groups":["Staff"],"attributes":{"mail":["alice@example.test"]},"disabled":false}
 *     ]}
 *
 * One person per line, so that a change shows as one line.  "groups", "attributes" and "disabled" may be left out.
 * Attributes are those of fg_user_attributes or claim type URIs.  "digest_password" is the password itself, which a
 * PasswordDigest cannot be checked without; only those have it who asked for it. */
#ifndef FG_DIRECTORY_USERS_H
#define FG_DIRECTORY_USERS_H

#include <jansson.h>

#include "core/buf.h"
#include "core/file.h"

#define FG_USERS_FILE_MAX (16u << 20)
#define FG_USER_NAME_MAX 256u

/* The named attributes and the claims they become. */
typedef struct fg_user_attribute {
    const char *name;
    const char *claim_type;
} fg_user_attribute_t;
extern const fg_user_attribute_t fg_user_attributes[];
extern const size_t fg_user_attribute_count;
/* The claim type of a named attribute or of a URI; NULL: neither. */
const char *fg_user_claim_type(const char *attribute);

typedef struct fg_users fg_users_t;

fg_users_t *fg_users_new(void) FG_MUST_CHECK; /* empty; NULL: memory */
/* path is for messages: an error names file, line and column. */
fg_users_t *fg_users_parse(const char *path, fg_str_t text, fg_err_t *err) FG_MUST_CHECK;
/* stamp may be NULL. */
fg_users_t *fg_users_load(const char *path, fg_file_stamp_t *stamp, fg_err_t *err) FG_MUST_CHECK;
void fg_users_free(fg_users_t *users);

/* True for what may stand as a person's name: 1 to 256 bytes of UTF-8 without control characters. */
bool fg_user_name_is_possible(fg_str_t name);
/* By name or by an upn, ASCII-case-insensitively; NULL: unknown.  Borrowed. */
json_t *fg_users_find(const fg_users_t *users, fg_str_t name);
/* The array of persons in the file's order.  Borrowed. */
const json_t *fg_users_all(const fg_users_t *users);

/* Takes user and puts it at the end.  Checks it as the reader does; its name and upns must be free. */
bool fg_users_add(fg_users_t *users, json_t *user, fg_err_t *err) FG_MUST_CHECK;
/* name is the person's name, not a upn.  readable: the password itself, for digests; NULL: is not kept (any more). */
bool fg_users_set_password(fg_users_t *users, const char *name, const char *hash, const char *readable,
                           fg_err_t *err) FG_MUST_CHECK;
/* True if somebody's password is kept readable. */
bool fg_users_hold_passwords(const fg_users_t *users);
bool fg_users_remove(fg_users_t *users, const char *name, fg_err_t *err) FG_MUST_CHECK;
bool fg_users_write(const fg_users_t *users, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
