/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/issuer.h"

static void fill_own(const fg_keys_t *keys, fg_issuer_t *out) {
    size_t count = 0;
    for (unsigned i = 0; i < FG_KEY_STATES; i++) {
        fg_key_t *key = keys->signing[i];
        if (key == NULL)
            continue;
        out->keys[count] = key;
        out->jwks[count++] = (fg_jwk_t){.key = key, .kid = fg_str(fg_key_get_id(key))};
    }
    out->set = (fg_jwk_set_t){out->jwks, count};
    out->dsig = (fg_dsig_trust_t){out->keys, count, false};
}

/* Our name in OpenID Connect, which begins with the base. */
static bool is_openid_issuer(const fg_hub_t *hub, fg_str_t name) {
    fg_str_t base = hub->base_url;
    return base.n > 0 && name.n > base.n && memcmp(name.p, base.p, base.n) == 0 &&
           fg_str_is((fg_str_t){name.p + base.n, name.n - base.n}, FG_OPENID_ISSUER_PATH);
}

bool fg_issuer_find(const fg_exchange_t *ex, fg_str_t name, fg_issuer_t *issuer, fg_err_t *err) {
    *issuer = (fg_issuer_t){.name = name};
    if (name.n > 0 && fg_str_eq(name, ex->hub->entity_id)) {
        fill_own(ex->keys, issuer);
        return true;
    }
    if (is_openid_issuer(ex->hub, name)) {
        fill_own(ex->keys, issuer);
        issuer->jwt_type = "at+jwt"; /* an ID token is for who asked for it alone (JW-11) */
        return true;
    }
    issuer->realm = fg_hub_find_issuer(ex->hub, name);
    if (issuer->realm == NULL)
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "issuer %.*s", FG_STR_ARG(name));
    const fg_identity_provider_t *provider = issuer->realm->identity_provider;
    issuer->set = provider->jwks;
    issuer->dsig = (fg_dsig_trust_t){provider->keys, provider->key_count, provider->allow_sha1};
    issuer->max_lifetime_ms = provider->max_lifetime_ms;
    return true;
}

fg_assertion_trust_t fg_issuer_assertion_trust(const fg_exchange_t *ex, const fg_issuer_t *issuer) {
    return (fg_assertion_trust_t){
        .issuer = issuer->name,
        .dsig = issuer->dsig,
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = issuer->max_lifetime_ms,
    };
}

size_t fg_issuer_own_keys(const fg_exchange_t *ex, const fg_key_t *keys[FG_KEY_STATES]) {
    size_t count = 0;
    for (unsigned i = 0; i < FG_KEY_STATES; i++)
        if (ex->keys->encryption[i] != NULL)
            keys[count++] = ex->keys->encryption[i];
    return count;
}
