/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/username.h"

#include "core/crypto.h"
#include "core/time.h"
#include "token/replay.h"

#define PROFILE "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"
#define BASE64 "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"

/* UsernameToken Profile 1.1.1 §3.1: five minutes are recommended as the least time nonces are kept */
#define FRESHNESS (5 * FG_MINUTE)
#define NONCE_MAX 256u

/* The children that matter; .p NULL: absent.  What else may stand there (the profile is open) is passed over. */
typedef struct parts {
    xmlNode *username, *password, *nonce, *created;
} parts_t;

/* At most one child of a name. */
static bool find_part(const xmlNode *token, const char *ns, const char *name, xmlNode **part, fg_err_t *err) {
    unsigned count;
    *part = fg_xml_child(token, ns, name, &count);
    return count <= 1 || FG_FAIL(err, FG_E_WSS_STRUCTURE, "UsernameToken has %u %s elements", count, name);
}

static bool find_parts(const xmlNode *token, parts_t *parts, fg_err_t *err) {
    return find_part(token, FG_NS_WSSE, "Username", &parts->username, err) &&
           find_part(token, FG_NS_WSSE, "Password", &parts->password, err) &&
           find_part(token, FG_NS_WSSE, "Nonce", &parts->nonce, err) &&
           find_part(token, FG_NS_WSU, "Created", &parts->created, err);
}

/* Trimming would change a password; a name has no white space around it that means something. */
static bool read_credentials(fg_arena_t *arena, const parts_t *parts, fg_username_token_t *token, fg_err_t *err) {
    if (parts->username == NULL || parts->password == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "UsernameToken without %s", parts->username ? "Password" : "Username");
    fg_str_t type = fg_xml_attr(arena, parts->password, NULL, "Type");
    if (type.p != NULL && !fg_str_is(type, PROFILE "PasswordText"))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "Password of Type %.*s", FG_STR_ARG(type));
    token->username = fg_xml_token(arena, parts->username, err);
    if (token->username.p == NULL)
        return false;
    token->password = fg_xml_text(arena, parts->password, err);
    if (token->password.p == NULL)
        return false;
    if (token->username.n == 0 || token->password.n == 0)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "UsernameToken with an empty %s",
                       token->username.n ? "Password" : "Username");
    return true;
}

static bool read_created(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                         int64_t *created, fg_err_t *err) {
    fg_str_t text = fg_xml_token(arena, element, err);
    if (text.p == NULL)
        return false;
    if (!fg_time_parse(text, created))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "UsernameToken Created is no time: %.*s", FG_STR_ARG(text));
    int64_t now = fg_now(env);
    if (*created - skew_ms > now || *created + FRESHNESS + skew_ms <= now)
        return FG_FAIL(err, FG_E_WSS_EXPIRED, "UsernameToken Created %.*s is too old or from the future",
                       FG_STR_ARG(text));
    return true;
}

/* The decoded nonce is remembered, so that other white space does not make it another. */
static bool check_nonce(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t until_ms,
                        fg_err_t *err) {
    fg_str_t encoding = fg_xml_attr(arena, element, NULL, "EncodingType");
    if (encoding.p != NULL && !fg_str_is(encoding, BASE64))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce of EncodingType %.*s", FG_STR_ARG(encoding));
    fg_str_t text = fg_xml_token(arena, element, err);
    if (text.p == NULL)
        return false;
    fg_buf_t nonce = FG_BUF_INIT(NONCE_MAX);
    bool ok = false;
    if (!fg_base64_decode_xml(&nonce, text) || nonce.length == 0)
        FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce is empty, over %u bytes or no base64", NONCE_MAX);
    else
        ok = fg_replay_check(env, "nonce", FG_STR(""), fg_buf_str(&nonce), until_ms, FG_E_WSS_REPLAY, err);
    fg_buf_free(&nonce);
    return ok;
}

bool fg_username_token_read(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                            fg_username_token_t *token, fg_err_t *err) {
    parts_t parts = {0};
    int64_t created = 0;
    if (!fg_xml_is(element, FG_NS_WSSE, "UsernameToken"))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "no UsernameToken");
    if (!find_parts(element, &parts, err) || !read_credentials(arena, &parts, token, err))
        return false;
    if (parts.created != NULL && !read_created(env, arena, parts.created, skew_ms, &created, err))
        return false;
    if (parts.nonce == NULL)
        return true;
    if (parts.created == NULL)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce without Created");
    return check_nonce(env, arena, parts.nonce, created + FRESHNESS + skew_ms, err);
}
