/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Security UsernameToken Profile 1.0 and 1.1. */
#ifndef FG_TOKEN_USERNAME_H
#define FG_TOKEN_USERNAME_H

#include "core/env.h"
#include "core/xml.h"

typedef struct fg_username_token {
    fg_str_t username;
    fg_str_t password; /* text; wiped with the exchange's body, never logged; .n 0: digest tells it */
    bool digest;       /* Password is SHA-1 over nonce, created and the password (§3.1) */
    fg_str_t nonce;    /* decoded; these three only with digest */
    fg_str_t created;  /* as it was written */
    fg_str_t digest_value;
} fg_username_token_t;

/* Reads wsse:UsernameToken.  Takes PasswordText (also without Type, §3.1) and PasswordDigest, which needs Nonce and
 * Created.  Nonce, where given, must come with Created, at most five minutes old, and is remembered (WT-03); missing or
 * empty password, two passwords, two names: refused (WT-05). */
bool fg_username_token_read(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                            fg_username_token_t *token, fg_err_t *err) FG_MUST_CHECK;

#endif
