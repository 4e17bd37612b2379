/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * yescrypt password hashes (crypt(5)), as libxcrypt makes and checks them, and digests of passwords. */
#ifndef FG_DIRECTORY_PASSWORD_H
#define FG_DIRECTORY_PASSWORD_H

#include "core/env.h"
#include "token/username.h"

#define FG_PASSWORD_HASH_SIZE 384
#define FG_PASSWORD_MAX 511u /* bytes; crypt(3) takes no more */

/* A new hash with a fresh salt.  Refuses an empty or overlong password and one with a NUL. */
bool fg_password_hash(const fg_env_t *env, fg_str_t password, char out[FG_PASSWORD_HASH_SIZE],
                      fg_err_t *err) FG_MUST_CHECK;
/* True if password may be hashed at all: not empty, not too long, no NUL (KL-08). */
bool fg_password_is_possible(fg_str_t password);
/* Hashes with hash's own parameters and salt and compares in constant time.  The password must be possible. */
bool fg_password_verify(fg_str_t password, const char *hash) FG_MUST_CHECK;
/* True if the token's digest is that of password, in constant time (UsernameToken Profile 1.1.1 §3.1). */
bool fg_password_verify_digest(fg_str_t password, const fg_username_token_t *token) FG_MUST_CHECK;
/* True if hash is a complete yescrypt hash. */
bool fg_password_is_hash(const char *hash);
/* A hash that no password has, with the cost parameters of model (NULL: those of new hashes). */
void fg_password_dummy(const char *model, char out[FG_PASSWORD_HASH_SIZE]);

#endif
