/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_grant.h"

#include "core/time.h"
#include "hub/audit.h"
#include "hub/kept.h"
#include "hub/token_id.h"

#define WORD (FG_WORD_SIZE - 1)
#define FORMAT_VERSION 2u
#define SECRET_SIZE 32u
#define CODE_NUMBER 0u /* refresh tokens count from one */

/* ---- as bytes */

static void write_grant(fg_buf_t *out, const fg_oauth_grant_t *grant) {
    const fg_str_t texts[] = {grant->secret, grant->client_id, grant->redirect_uri, grant->challenge, grant->nonce,
                              grant->scope,  grant->resource,  grant->claims,       grant->key};
    fg_bytes_put_number(out, FORMAT_VERSION, 1);
    fg_bytes_put_number(out, (uint64_t)grant->made_ms, 8);
    fg_bytes_put_number(out, (uint64_t)grant->until_ms, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        fg_bytes_put_string(out, texts[i]);
    fg_buf_t session = FG_BUF_INIT(FG_STORE_VALUE_MAX);
    fg_session_write(&session, &grant->session);
    fg_bytes_put_string(out, fg_buf_str(&session));
    out->failed = out->failed || !fg_buf_ok(&session);
    fg_buf_free(&session);
}

static bool read_grant(fg_arena_t *arena, fg_str_t bytes, fg_oauth_grant_t *grant) {
    fg_bytes_t in = {bytes, false};
    fg_str_t *const texts[] = {&grant->secret,    &grant->client_id, &grant->redirect_uri,
                               &grant->challenge, &grant->nonce,     &grant->scope,
                               &grant->resource,  &grant->claims,    &grant->key};
    if (fg_bytes_get_number(&in, 1) != FORMAT_VERSION)
        return false;
    grant->made_ms = (int64_t)fg_bytes_get_number(&in, 8);
    grant->until_ms = (int64_t)fg_bytes_get_number(&in, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        *texts[i] = fg_bytes_get_string(&in);
    fg_str_t session = fg_bytes_get_string(&in);
    return fg_bytes_end(&in) && fg_session_read(arena, session, &grant->session);
}

/* ---- in the store: "grant:FAMILY" is what was granted, "grant:FAMILY.next" the number of what may be used next */

static fg_str_t key_of(fg_exchange_t *ex, fg_str_t family, const char *what) {
    return fg_str(fg_arena_printf(ex->arena, "grant:%.*s%s", (int)family.n, family.p, what));
}

static bool put(fg_exchange_t *ex, fg_str_t key, fg_str_t value, int64_t until_ms, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    return (store != NULL && key.p != NULL && store->put(store, key, value, ex->now_ms, until_ms) == FG_STORE_OK) ||
           FG_FAIL(err, FG_E_UNAVAILABLE, "the store has no room for what was granted");
}

static bool put_next(fg_exchange_t *ex, const fg_oauth_grant_t *grant, uint64_t number, int64_t until_ms,
                     fg_err_t *err) {
    const char *text = fg_arena_printf(ex->arena, "%llu", (unsigned long long)number);
    return text != NULL ? put(ex, key_of(ex, grant->family, ".next"), fg_str(text), until_ms, err)
                        : FG_FAIL(err, FG_E_MEMORY, "a grant");
}

bool fg_oauth_grant_find(fg_exchange_t *ex, fg_str_t family, fg_code_t code, fg_oauth_grant_t *grant, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    size_t length = FG_STORE_VALUE_MAX;
    char *value = fg_arena_alloc(ex->arena, length);
    if (store == NULL || value == NULL)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "no store or memory for a grant");
    *grant = (fg_oauth_grant_t){.family = family};
    fg_store_result_t result =
        fg_word_is(family) ? store->get(store, key_of(ex, family, ""), ex->now_ms, value, &length) : FG_STORE_MISSING;
    if (result == FG_STORE_MISSING)
        return FG_FAIL(err, code, "the grant is over or was revoked");
    if (result != FG_STORE_OK || !read_grant(ex->arena, (fg_str_t){value, length}, grant))
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot give a grant back");
    return grant->until_ms > ex->now_ms || FG_FAIL(err, code, "the grant is over");
}

/* Of the access tokens that may be around. */
static int64_t longest_life(fg_exchange_t *ex, const fg_oauth_grant_t *grant) {
    const fg_partner_t *client = fg_openid_client_get(ex, grant->client_id);
    const fg_partner_t *resource = grant->resource.n > 0 ? fg_hub_find_partner(ex->hub, grant->resource) : NULL;
    int64_t life = client != NULL ? client->token_lifetime_ms : FG_DAY;
    return resource != NULL && resource->token_lifetime_ms > life ? resource->token_lifetime_ms : life;
}

void fg_oauth_grant_revoke(fg_exchange_t *ex, const fg_oauth_grant_t *grant, const char *why) {
    static const char *const parts[] = {"", ".next"};
    fg_store_t *store = ex->env->store;
    const fg_audit_field_t fields[] = {{"client_id", grant->client_id}, {"grant", grant->family}, {"why", fg_str(why)}};
    for (size_t i = 0; store != NULL && i < FG_ARRAY_SIZE(parts); i++) {
        fg_str_t key = key_of(ex, grant->family, parts[i]);
        if (key.p == NULL || store->remove(store, key) == FG_STORE_UNAVAILABLE)
            fg_log(ex->env, FG_LOG_ERROR, "%s: a grant could not be revoked", ex->correlation_id);
    }
    /* who does not ask here: protected locations */
    fg_err_t err = FG_ERR_INIT;
    if (!fg_token_cancel(ex, grant->family, ex->now_ms + longest_life(ex, grant), &err))
        fg_log(ex->env, FG_LOG_ERROR, "%s: %s", ex->correlation_id, err.detail);
    fg_audit(ex, "revoked", NULL, fields, FG_ARRAY_SIZE(fields));
}

/* ---- codes and refresh tokens: FAMILY MAC for number 0, FAMILY MAC NUMBER for others */

static bool make_token(fg_exchange_t *ex, const fg_oauth_grant_t *grant, uint64_t number, fg_str_t *token) {
    unsigned char mac[FG_SHA256_SIZE];
    char text[2 * sizeof mac + 1];
    const char *message = fg_arena_printf(ex->arena, "%llu", (unsigned long long)number);
    if (message == NULL)
        return false;
    fg_hmac_sha256(grant->secret, fg_str(message), mac);
    fg_hex_encode(mac, sizeof mac, text);
    *token = fg_str(fg_arena_printf(ex->arena, "%.*s%.*s%s", (int)grant->family.n, grant->family.p, (int)WORD, text,
                                    number == CODE_NUMBER ? "" : message));
    return token->p != NULL;
}

static bool read_number(fg_str_t text, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        *number = *number * 10 + (uint64_t)(text.p[i] - '0');
    }
    return text.n <= 18;
}

/* What may be used next, removed: two that come at once find it one time. */
static fg_store_result_t take_next(fg_exchange_t *ex, const fg_oauth_grant_t *grant, uint64_t *number) {
    char value[24];
    size_t length = sizeof value;
    fg_str_t key = key_of(ex, grant->family, ".next");
    fg_store_result_t result =
        key.p ? ex->env->store->take(ex->env->store, key, ex->now_ms, value, &length) : FG_STORE_UNAVAILABLE;
    if (result == FG_STORE_OK && !read_number((fg_str_t){value, length}, number))
        return FG_STORE_UNAVAILABLE;
    return result;
}

/* Whose it is: only somebody who was given a token of this family can make it fit, and what is made up revokes nothing.
 */
static bool find(fg_exchange_t *ex, fg_str_t token, bool is_code, fg_oauth_grant_t *grant, fg_err_t *err) {
    uint64_t number;
    fg_str_t expected;
    if (token.n < 2 * WORD || !read_number((fg_str_t){token.p + 2 * WORD, token.n - 2 * WORD}, &number) ||
        is_code != (token.n == 2 * WORD))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "no token of ours");
    if (!fg_oauth_grant_find(ex, (fg_str_t){token.p, WORD}, FG_E_OPENID_GRANT, grant, err))
        return false;
    if (!make_token(ex, grant, number, &expected))
        return FG_FAIL(err, FG_E_MEMORY, "a grant");
    grant->refreshes = number;
    return fg_equal_secret(expected, token) || FG_FAIL(err, FG_E_OPENID_GRANT, "no token of ours");
}

static bool take(fg_exchange_t *ex, fg_str_t token, bool is_code, fg_oauth_grant_t *grant, fg_err_t *err) {
    uint64_t next = 0;
    if (!find(ex, token, is_code, grant, err))
        return false;
    fg_store_result_t result = take_next(ex, grant, &next);
    if (result == FG_STORE_UNAVAILABLE)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot give a grant back");
    if (result != FG_STORE_OK || next != grant->refreshes) {
        fg_oauth_grant_revoke(ex, grant, is_code ? "code used again" : "refresh token used again");
        return FG_FAIL(err, FG_E_OPENID_GRANT, "used again, or too late");
    }
    return true;
}

bool fg_oauth_refresh_look(fg_exchange_t *ex, fg_str_t token, fg_oauth_grant_t *grant, fg_err_t *err) {
    uint64_t next = 0;
    if (!find(ex, token, false, grant, err))
        return false;
    fg_str_t key = key_of(ex, grant->family, ".next");
    fg_str_t text = key.p ? fg_store_get_str(ex->env->store, ex->arena, key, ex->now_ms) : FG_STR_NONE;
    return (text.p != NULL && read_number(text, &next) && next == grant->refreshes) ||
           FG_FAIL(err, FG_E_OPENID_GRANT, "a refresh token that was used");
}

bool fg_oauth_code_take(fg_exchange_t *ex, fg_str_t code, fg_oauth_grant_t *grant, fg_err_t *err) {
    return take(ex, code, true, grant, err);
}

bool fg_oauth_refresh_take(fg_exchange_t *ex, fg_str_t token, fg_oauth_grant_t *grant, fg_err_t *err) {
    return take(ex, token, false, grant, err);
}

bool fg_oauth_refresh_make(fg_exchange_t *ex, const fg_oauth_grant_t *grant, fg_str_t *token, fg_err_t *err) {
    uint64_t number = grant->refreshes + 1;
    if (!make_token(ex, grant, number, token))
        return FG_FAIL(err, FG_E_MEMORY, "a refresh token");
    return put_next(ex, grant, number, grant->until_ms, err);
}

static bool keep(fg_exchange_t *ex, const fg_oauth_grant_t *grant, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(FG_STORE_VALUE_MAX);
    write_grant(&bytes, grant);
    bool done = fg_buf_ok(&bytes) ? put(ex, key_of(ex, grant->family, ""), fg_buf_str(&bytes), grant->until_ms, err)
                                  : FG_FAIL(err, FG_E_INTERNAL, "too much is known of the person to be kept");
    fg_buf_free(&bytes);
    return done;
}

bool fg_oauth_grant_tie(fg_exchange_t *ex, fg_oauth_grant_t *grant, fg_str_t key, fg_err_t *err) {
    grant->key = key;
    return keep(ex, grant, err);
}

bool fg_oauth_grant_renew(fg_exchange_t *ex, fg_oauth_grant_t *grant, const fg_identity_t *identity, fg_err_t *err) {
    grant->session.identity = *identity;
    return keep(ex, grant, err);
}

bool fg_oauth_grant_begin(fg_exchange_t *ex, fg_oauth_grant_t *grant, fg_str_t *code, fg_err_t *err) {
    char *secret = fg_arena_alloc(ex->arena, SECRET_SIZE);
    int64_t life = grant->code_life_ms > 0 ? grant->code_life_ms : FG_OAUTH_CODE_LIFETIME;
    if (secret == NULL || !ex->env->random(ex->env, (unsigned char *)secret, SECRET_SIZE))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a code");
    if (!fg_word_make(ex, &grant->family, err))
        return false;
    grant->secret = (fg_str_t){secret, SECRET_SIZE};
    grant->made_ms = ex->now_ms;
    grant->session.party_count = 0; /* others' business */
    if (!make_token(ex, grant, CODE_NUMBER, code))
        return FG_FAIL(err, FG_E_MEMORY, "a code");
    if (!keep(ex, grant, err) || !put_next(ex, grant, CODE_NUMBER, ex->now_ms + life, err))
        return false;
    if (fg_openid_word_in(grant->scope, "offline_access"))
        fg_oidc_rp_hold(ex, &grant->session, grant->until_ms);
    return true;
}
