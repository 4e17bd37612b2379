/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/presented.h"

#include "hub/protocol.h"
#include "hub/signin.h"
#include "hub/token_id.h"
#include "token/decrypt.h"
#include "token/replay.h"

bool fg_presented_decrypt(fg_exchange_t *ex, xmlNode **element, fg_err_t *err) {
    const fg_key_t *keys[FG_KEY_STATES];
    if (!fg_assertion_is_encrypted(*element))
        return true;
    size_t count = fg_issuer_own_keys(ex, keys);
    return fg_assertion_decrypt(ex->arena, *element, keys, count, &ex->hub->xml, element, err);
}

/* ---- for whom it was issued */

typedef struct scope {
    const fg_hub_t *hub;
    const fg_home_realm_t *realm;
} scope_t;

/* A token that somebody else issued is for us; one of ours may be for any partner. */
static bool is_ours(const void *context, fg_str_t audience) {
    const scope_t *scope = context;
    const fg_hub_t *hub = scope->hub;
    if (fg_str_eq(audience, hub->entity_id))
        return true;
    if (scope->realm == NULL)
        return fg_hub_find_partner(hub, audience) != NULL;
    fg_str_t known = scope->realm->identity_provider->realm;
    return known.n > 0 && fg_str_eq(audience, known);
}

/* ---- reading */

/* What its issuer's claims become here: ours are as they were issued. */
static bool take(fg_exchange_t *ex, fg_presented_t *out, fg_err_t *err) {
    out->cancellable = out->realm == NULL;
    if (out->realm == NULL)
        return fg_token_check_cancelled(ex, out->id, err);
    return fg_signin_accept(ex, out->realm, &out->identity, err);
}

bool fg_presented_read(fg_exchange_t *ex, xmlNode *element, const fg_presented_rules_t *rules, fg_presented_t *out,
                       fg_err_t *err) {
    fg_issuer_t issuer;
    *out = (fg_presented_t){0};
    if (!fg_presented_decrypt(ex, &element, err))
        return false;
    fg_str_t name = fg_assertion_peek_issuer(ex->arena, element);
    if (!fg_issuer_find(ex, name, &issuer, err))
        return false;
    const scope_t scope = {ex->hub, issuer.realm};
    fg_assertion_trust_t trust = fg_issuer_assertion_trust(ex, &issuer);
    trust.audiences = rules->audiences;
    trust.audience_count = rules->audience_count;
    trust.is_audience = rules->any_of_ours ? is_ours : NULL;
    trust.context = &scope;
    trust.late_ms = rules->late_ms;
    trust.confirmations = rules->confirmations;
    trust.recipient = rules->recipient;
    trust.once = rules->once;
    if (!fg_assertion_read(ex->env, ex->arena, element, &trust, &out->assertion, err))
        return false;
    const fg_assertion_read_t *read = &out->assertion;
    out->version = read->version;
    out->realm = issuer.realm;
    out->identity = read->identity;
    out->id = read->id;
    out->audience = read->audience;
    out->expires_ms = read->not_on_or_after_ms;
    return take(ex, out, err);
}

/* With the keys that are configured, or that the provider publishes: one that is not known yet is asked for once. */
static bool verify(fg_exchange_t *ex, const fg_issuer_t *issuer, fg_str_t token, fg_jwt_trust_t *trust,
                   fg_jwt_read_t *read, fg_err_t *err) {
    const fg_identity_provider_t *provider = issuer->realm ? issuer->realm->identity_provider : NULL;
    const fg_protocol_t *protocol = provider ? ex->hub->protocols[provider->protocol] : NULL;
    fg_err_t why = FG_ERR_INIT;
    fg_jwk_set_t keys;
    bool asked = true;
    if (protocol != NULL && protocol->provider_keys != NULL) {
        if (!protocol->provider_keys(ex, provider, false, &keys, &asked, err))
            return false;
        trust->keys = &keys;
    }
    if (fg_jwt_read(ex->env, ex->arena, token, trust, read, &why))
        return true;
    if (why.code == FG_E_SIG_KEY && !asked && protocol->provider_keys(ex, provider, true, &keys, &asked, NULL) &&
        asked && fg_jwt_read(ex->env, ex->arena, token, trust, read, &why))
        return true;
    if (err != NULL)
        *err = why;
    return false;
}

bool fg_presented_read_jwt(fg_exchange_t *ex, fg_str_t token, const fg_presented_rules_t *rules, fg_presented_t *out,
                           fg_err_t *err) {
    fg_issuer_t issuer;
    fg_str_t name = fg_jwt_peek_issuer(ex->arena, token);
    *out = (fg_presented_t){.jwt = true};
    if (name.p == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no JWT");
    if (!fg_issuer_find(ex, name, &issuer, err))
        return false;
    const scope_t scope = {ex->hub, issuer.realm};
    fg_jwt_trust_t trust = {
        .issuer = name,
        .keys = &issuer.set,
        .audiences = rules->audiences,
        .audience_count = rules->audience_count,
        .is_audience = rules->any_of_ours ? is_ours : NULL,
        .context = &scope,
        .skew_ms = ex->hub->skew_ms,
        .late_ms = rules->late_ms,
        .max_lifetime_ms = issuer.max_lifetime_ms,
        .type = issuer.realm == NULL && rules->type != NULL ? rules->type : issuer.jwt_type,
    };
    fg_jwt_read_t read;
    if (!verify(ex, &issuer, token, &trust, &read, err))
        return false;
    out->realm = issuer.realm;
    out->identity = read.identity;
    out->id = read.id;
    out->audience = read.audience;
    out->expires_ms = read.not_on_or_after_ms;
    out->payload = read.payload;
    if (rules->once && read.id.n == 0)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a token without jti that is to be good once");
    if (rules->once && !fg_replay_check(ex->env, "jwt", name, read.id, read.not_on_or_after_ms + ex->hub->skew_ms,
                                        FG_E_TOKEN_REPLAY, err))
        return false;
    return take(ex, out, err);
}
