/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The keys with which a client signs: those that its registration has, or those at its jwks_uri (RFC 7591 §2), which
 * are fetched as a provider's are.  The address is a stranger's wish: it goes by the fetch section alone. */
#include "bridges/openid/fetched.h"
#include "bridges/openid/oauth_client.h"
#include "bridges/openid/oauth_registered.h"

static bool is_good_set(fg_exchange_t *ex, const void *client, fg_str_t text, fg_err_t *err) {
    fg_jwk_set_t keys;
    (void)client;
    return fg_jwk_set_read(ex->arena, text, &keys, err) &&
           (keys.count > 0 || FG_FAIL(err, FG_E_OPENID_ANSWER, "no key for signatures in it"));
}

static const char *file_of(fg_exchange_t *ex, fg_str_t client_id) {
    return fg_arena_printf(ex->arena, "client-%.*s.json", FG_STR_ARG(client_id)); /* a word of ours */
}

void fg_oauth_registered_forget_keys(fg_exchange_t *ex, fg_str_t client_id) {
    fg_fetched_forget(ex, file_of(ex, client_id));
}

bool fg_oauth_client_keys(fg_exchange_t *ex, const fg_openid_client_t *client, bool again, fg_jwk_set_t *keys,
                          bool *asked, fg_err_t *err) {
    fg_str_t text;
    fg_fetched_query_t query = {
        .url = client->jwks_uri,
        .file = file_of(ex, client->id),
        .whose = fg_arena_printf(ex->arena, "client \"%.*s\"", FG_STR_ARG(client->id)),
        .what = "keys",
        .is_good = is_good_set,
        .strange = true,
        .again = again,
    };
    *asked = false;
    *keys = client->keys;
    if (client->jwks_uri.n == 0)
        return true;
    if (query.file == NULL || query.whose == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "keys of a client");
    return fg_fetched_get(ex, NULL, &query, &text, asked, err) && fg_jwk_set_read(ex->arena, text, keys, err);
}

bool fg_oauth_client_jwt(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t token,
                         const fg_jwt_trust_t *usual, fg_jwt_read_t *read, fg_err_t *err) {
    fg_jwt_trust_t trust = *usual;
    fg_jwk_set_t keys;
    bool asked;
    fg_err_t why = FG_ERR_INIT;
    trust.keys = &keys;
    if (!fg_oauth_client_keys(ex, client, false, &keys, &asked, err))
        return false;
    if (fg_jwt_read(ex->env, ex->arena, token, &trust, read, &why))
        return true;
    /* a key that is not known yet (core §10.1.1) */
    if (why.code == FG_E_SIG_KEY && client->jwks_uri.n > 0 && !asked &&
        fg_oauth_client_keys(ex, client, true, &keys, &asked, err) && asked &&
        fg_jwt_read(ex->env, ex->arena, token, &trust, read, &why))
        return true;
    return FG_FAIL(err, why.code, "%s", why.detail);
}
