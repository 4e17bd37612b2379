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
#define DIGEST_MAX 64u /* more than a digest has: its length is looked at afterwards */

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

static bool read_type(fg_arena_t *arena, const xmlNode *password, bool *digest, fg_err_t *err) {
    fg_str_t type = fg_xml_attr(arena, password, NULL, "Type");
    *digest = fg_str_is(type, PROFILE "PasswordDigest");
    return type.p == NULL || *digest || fg_str_is(type, PROFILE "PasswordText") ||
           FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "Password of Type %.*s", FG_STR_ARG(type));
}

static bool read_digest(fg_arena_t *arena, const parts_t *parts, fg_username_token_t *token, fg_err_t *err) {
    fg_str_t text = fg_xml_token(arena, parts->password, err);
    if (text.p == NULL)
        return false;
    if (parts->nonce == NULL || parts->created == NULL)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "PasswordDigest without %s", parts->nonce ? "Created" : "Nonce");
    fg_buf_t value = FG_BUF_INIT(DIGEST_MAX);
    bool whole = fg_base64_decode_xml(&value, text) && value.length == FG_SHA1_SIZE;
    token->digest_value = whole ? fg_arena_str(arena, fg_buf_str(&value)) : FG_STR_NONE;
    fg_buf_free(&value);
    if (!whole)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "PasswordDigest is no base64 of %u bytes", FG_SHA1_SIZE);
    return token->digest_value.p != NULL || FG_FAIL(err, FG_E_MEMORY, "UsernameToken");
}

/* Trimming would change a password. */
static bool read_password(fg_arena_t *arena, const parts_t *parts, fg_username_token_t *token, fg_err_t *err) {
    token->password = fg_xml_text(arena, parts->password, err);
    if (token->password.p == NULL)
        return false;
    return token->password.n > 0 || FG_FAIL(err, FG_E_AUTH_MISSING, "UsernameToken with an empty Password");
}

/* A name has no white space around it that means something. */
static bool read_credentials(fg_arena_t *arena, const parts_t *parts, fg_username_token_t *token, fg_err_t *err) {
    if (parts->username == NULL || parts->password == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "UsernameToken without %s", parts->username ? "Password" : "Username");
    if (!read_type(arena, parts->password, &token->digest, err))
        return false;
    token->username = fg_xml_token(arena, parts->username, err);
    if (token->username.p == NULL)
        return false;
    if (token->username.n == 0)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "UsernameToken with an empty Username");
    return token->digest ? read_digest(arena, parts, token, err) : read_password(arena, parts, token, err);
}

static bool read_created(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                         fg_username_token_t *token, int64_t *created, fg_err_t *err) {
    fg_str_t text = fg_xml_token(arena, element, err);
    if (text.p == NULL)
        return false;
    token->created = text;
    if (!fg_time_parse(text, created))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "UsernameToken Created is no time: %.*s", FG_STR_ARG(text));
    int64_t now = fg_now(env);
    if (*created - skew_ms > now || *created + FRESHNESS + skew_ms <= now)
        return FG_FAIL(err, FG_E_WSS_EXPIRED, "UsernameToken Created %.*s is too old or from the future",
                       FG_STR_ARG(text));
    return true;
}

/* The decoded nonce is remembered, so that other white space does not make it another. */
static bool read_nonce(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t until_ms,
                       fg_username_token_t *token, fg_err_t *err) {
    fg_str_t encoding = fg_xml_attr(arena, element, NULL, "EncodingType");
    if (encoding.p != NULL && !fg_str_is(encoding, BASE64))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce of EncodingType %.*s", FG_STR_ARG(encoding));
    fg_str_t text = fg_xml_token(arena, element, err);
    if (text.p == NULL)
        return false;
    fg_buf_t nonce = FG_BUF_INIT(NONCE_MAX);
    bool whole = fg_base64_decode_xml(&nonce, text) && nonce.length > 0;
    token->nonce = whole ? fg_arena_str(arena, fg_buf_str(&nonce)) : FG_STR_NONE;
    fg_buf_free(&nonce);
    if (!whole)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce is empty, over %u bytes or no base64", NONCE_MAX);
    if (token->nonce.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "UsernameToken");
    return fg_replay_check(env, "nonce", FG_STR(""), token->nonce, until_ms, FG_E_WSS_REPLAY, err);
}

bool fg_username_token_read(const fg_env_t *env, fg_arena_t *arena, const xmlNode *element, int64_t skew_ms,
                            fg_username_token_t *token, fg_err_t *err) {
    parts_t parts = {0};
    int64_t created = 0;
    *token = (fg_username_token_t){.digest = false};
    if (!fg_xml_is(element, FG_NS_WSSE, "UsernameToken"))
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "no UsernameToken");
    if (!find_parts(element, &parts, err) || !read_credentials(arena, &parts, token, err))
        return false;
    if (parts.created != NULL && !read_created(env, arena, parts.created, skew_ms, token, &created, err))
        return false;
    if (parts.nonce == NULL)
        return true;
    if (parts.created == NULL)
        return FG_FAIL(err, FG_E_WSS_STRUCTURE, "Nonce without Created");
    return read_nonce(env, arena, parts.nonce, created + FRESHNESS + skew_ms, token, err);
}
