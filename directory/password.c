/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/password.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/crypto.h"

#define PREFIX "$y$"
#define DEFAULT_PARAMETERS PREFIX "j9T$"
#define SALT_BYTES 16
#define DIGEST_LENGTH 43u /* 256 bits in crypt's base 64 */
#define DIGEST_CHARACTERS "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_Static_assert(FG_PASSWORD_HASH_SIZE >= CRYPT_OUTPUT_SIZE, "a hash fits");
_Static_assert(FG_PASSWORD_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "a password fits");

bool fg_password_is_possible(fg_str_t password) {
    return password.n > 0 && password.n <= FG_PASSWORD_MAX && memchr(password.p, '\0', password.n) == NULL;
}

/* crypt_r with a setting; the working memory is 32 KiB, too much for a thread's stack, and is wiped. */
static bool hash_with(fg_str_t password, const char *setting, char out[FG_PASSWORD_HASH_SIZE]) {
    struct work {
        struct crypt_data data;
        char password[FG_PASSWORD_MAX + 1];
    } *work = calloc(1, sizeof *work);
    if (work == NULL)
        return false;
    memcpy(work->password, password.p, password.n);
    const char *hash = crypt_r(work->password, setting, &work->data);
    bool ok = hash != NULL && hash[0] != '*';
    if (ok)
        snprintf(out, FG_PASSWORD_HASH_SIZE, "%s", hash);
    explicit_bzero(work, sizeof *work);
    free(work);
    return ok;
}

bool fg_password_hash(const fg_env_t *env, fg_str_t password, char out[FG_PASSWORD_HASH_SIZE], fg_err_t *err) {
    char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!fg_password_is_possible(password))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "a password has 1 to %u bytes and no NUL", FG_PASSWORD_MAX);
    if (!env->random(env, (unsigned char *)salt, sizeof salt))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a salt");
    if (crypt_gensalt_rn(PREFIX, 0, salt, sizeof salt, setting, sizeof setting) == NULL ||
        !hash_with(password, setting, out))
        return FG_FAIL(err, FG_E_INTERNAL, "this system's crypt(3) cannot make yescrypt hashes");
    return true;
}

bool fg_password_verify(fg_str_t password, const char *hash) {
    char computed[FG_PASSWORD_HASH_SIZE];
    bool same = fg_password_is_possible(password) && hash_with(password, hash, computed) &&
                fg_equal_secret(fg_str(computed), fg_str(hash));
    explicit_bzero(computed, sizeof computed);
    return same;
}

/* SHA-1 over nonce, Created and password: the one algorithm that there is. */
bool fg_password_verify_digest(fg_str_t password, const fg_username_token_t *token) {
    fg_buf_t text = FG_BUF_INIT(FG_PASSWORD_MAX + 1024);
    unsigned char computed[FG_SHA1_SIZE];
    if (!token->digest || !fg_password_is_possible(password))
        return false;
    fg_buf_put_str(&text, token->nonce);
    fg_buf_put_str(&text, token->created);
    fg_buf_put_str(&text, password);
    fg_sha1(text.data, text.length, computed);
    bool same = fg_buf_ok(&text) && fg_equal_secret((fg_str_t){(char *)computed, sizeof computed}, token->digest_value);
    fg_buf_free(&text); /* and wipes it */
    explicit_bzero(computed, sizeof computed);
    return same;
}

bool fg_password_is_hash(const char *hash) {
    if (!fg_str_starts(fg_str(hash), PREFIX) || strlen(hash) >= FG_PASSWORD_HASH_SIZE)
        return false;
    const char *salt = strchr(hash + strlen(PREFIX), '$');
    const char *digest = strrchr(hash, '$') + 1;
    return salt != NULL && salt + 1 < digest && strlen(digest) == DIGEST_LENGTH &&
           strspn(digest, DIGEST_CHARACTERS) == DIGEST_LENGTH && crypt_checksalt(hash) == CRYPT_SALT_OK;
}

void fg_password_dummy(const char *model, char out[FG_PASSWORD_HASH_SIZE]) {
    static const char salt[] = "fedgateUnknownUsers.", digest[] = "...........................................";
    const char *end = model ? strchr(model + strlen(PREFIX), '$') : NULL;
    if (end == NULL)
        snprintf(out, FG_PASSWORD_HASH_SIZE, "%s%s$%s", DEFAULT_PARAMETERS, salt, digest);
    else
        snprintf(out, FG_PASSWORD_HASH_SIZE, "%.*s$%s$%s", (int)(end - model), model, salt, digest);
}
