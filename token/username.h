/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * WS-Security UsernameToken Profile 1.0 and 1.1. */
#ifndef FG_TOKEN_USERNAME_H
#define FG_TOKEN_USERNAME_H

#include "core/env.h"
#include "core/xml.h"

typedef struct fg_username_token {
    fg_str_t username;
    fg_str_t password; /* text; wiped with the exchange's body, never logged */
} fg_username_token_t;

/* Reads wsse:UsernameToken.  Takes PasswordText (also without Type, §3.1).  PasswordDigest: FG_E_WSS_UNSUPPORTED, as no
 * directory here keeps what a digest needs.  Nonce, where given, must come with Created, at most five minutes old, and
 * is remembered (WT-03); missing or empty password, two passwords, two names: refused (WT-05). */
bool fg_username_token_read(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                            fg_username_token_t *token, fg_err_t *err) FG_MUST_CHECK;

#endif
