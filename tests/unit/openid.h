/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * OpenID Connect clients before a gateway, on top of the browser: "app" proves itself by a secret, "spa" is public,
 * "robot" signs assertions. */
#ifndef FG_TESTS_UNIT_OPENID_H
#define FG_TESTS_UNIT_OPENID_H

#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridges/openid/openid.h"
#include "core/json.h"
#include "core/time.h"
#include "token/jwt.h"

#define SECRET "a-random-secret-of-the-application"
#define APP_CALLBACK "https://rp.test/cb?x=1"
#define SPA_CALLBACK "com.example.spa:/cb"
#define ROBOT_CALLBACK "https://robot.test/cb"
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" /* RFC 7636 appendix B */
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define SCOPE "openid profile email offline_access"

typedef struct openid {
    browser_t *b;
    fg_openid_client_t app, spa, robot;
    fg_client_secret_t secret;
    fg_str_t uris[5];
    fg_str_t resource;
    fg_realm_entry_t index[3];
    fg_key_t *robot_key;
    fg_jwk_t robot_jwk;
    char code[200];
    json_t *tokens; /* of the last answer of the token endpoint, or its error */
} openid_t;

int openid_set_up(void **state);
int openid_tear_down(void **state);

/* "name=value" pairs, encoded; NULL at the end.  In memory that lasts until the next call but three. */
const char *openid_form(const char *const *pairs);
/* The usual authorization request of a client, with name replaced by value (NULL: left out). */
const char *openid_request(const char *client_id, const char *name, const char *value);
/* A parameter of the last answer to the redirect URI, decoded; NULL: it has none. */
const char *openid_answer(openid_t *o, const char *name);
/* Sends the request, signs in if need be, and keeps the code. */
void openid_authorize(openid_t *o, const char *query);
/* POST to the token endpoint; the answer becomes o->tokens.  basic NULL: no Authorization header. */
int openid_token(openid_t *o, const char *basic, const char *const *pairs);
/* Trades o->code in, as app does; name replaced by value as above. */
int openid_trade(openid_t *o, const char *name, const char *value);
const char *openid_member(const openid_t *o, const char *name);
/* The payload of a token of ours; part 0: its header (the caller's). */
json_t *openid_read(const char *token, int part);
/* GET or POST userinfo; the answer becomes o->tokens. */
int openid_userinfo(openid_t *o, const char *access_token);

#endif
