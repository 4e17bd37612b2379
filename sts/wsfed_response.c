/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as relying party: an identity provider's answer (WS-Federation 1.2 §13.2.3), posted by the browser that
 * was sent there. */
#include "hub/audit.h"
#include "sts/rstr.h"
#include "sts/wsfed.h"
#include "token/decrypt.h"

/* The assertion in a wresult, before anything in it is believed. */
static xmlNode *find_assertion(fg_exchange_t *ex, fg_str_t wresult, fg_err_t *err) {
    fg_rstr_read_t rstr;
    xmlDoc *doc = fg_xml_parse(ex->arena, wresult, &ex->hub->xml, err);
    if (doc == NULL || !fg_rstr_read(ex->arena, doc, &rstr, err))
        return NULL;
    return rstr.token;
}

/* Encrypted to one of our keys: also to the one before, which a provider may still know, and to the one to come. */
static bool decrypt(fg_exchange_t *ex, xmlNode **assertion, fg_err_t *err) {
    const fg_key_t *keys[FG_KEY_STATES];
    size_t count = 0;
    if (!fg_assertion_is_encrypted(*assertion))
        return true;
    for (size_t i = 0; i < FG_KEY_STATES; i++)
        if (ex->keys->encryption[i] != NULL)
            keys[count++] = ex->keys->encryption[i];
    return fg_assertion_decrypt(ex->arena, *assertion, keys, count, &ex->hub->xml, assertion, err);
}

/* The round trip's state says who was asked, and only that provider's keys count (SA-04); the token's own words choose
 * nothing. */
static bool read_token(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_str_t wresult,
                       fg_assertion_read_t *token, fg_err_t *err) {
    const fg_assertion_trust_t trust = {
        .issuer = provider->issuer,
        .dsig = {provider->keys, provider->key_count, provider->allow_sha1},
        .audiences = &provider->realm,
        .audience_count = 1,
        .recipient = fg_wsfed_url(ex, FG_WSFED_PATH),
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = provider->max_lifetime_ms,
        .unconfirmed = provider->unconfirmed,
        .once = true,
    };
    xmlNode *assertion = find_assertion(ex, wresult, err);
    return assertion != NULL && decrypt(ex, &assertion, err) &&
           fg_assertion_read(ex->env, ex->arena, assertion, &trust, token, err);
}

static void audit_accepted(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                           const fg_assertion_read_t *token) {
    const fg_audit_field_t fields[] = {
        {"identity_provider", fg_str(provider->name)},
        {"protocol", FG_STR("wsfed")},
        {"token_type", fg_str(fg_saml_token_type(token->version))},
        {"token_id", token->id},
        {"key", fg_str(fg_key_get_id(token->signature.key))},
    };
    fg_audit(ex, "accepted", NULL, fields, FG_ARRAY_SIZE(fields));
}

static bool accept(fg_exchange_t *ex, const fg_wsfed_t *in, fg_err_t *err) {
    fg_partner_signin_t signin;
    fg_assertion_read_t token;
    if (!fg_partner_state_take(ex, fg_wsfed_get(&in->params, "wctx"), &signin, err))
        return false;
    const fg_identity_provider_t *provider = signin.realm->identity_provider;
    if (!read_token(ex, provider, fg_wsfed_get(&in->params, "wresult"), &token, err))
        return fg_err_prefix(err, "identity provider \"%s\"", provider->name);
    /* within the skew, or as npm's saml package has it, at the end of the token's life: for wfresh it is now (WF-07) */
    if (token.identity.auth_instant_ms > ex->now_ms)
        token.identity.auth_instant_ms = ex->now_ms;
    audit_accepted(ex, provider, &token);
    return fg_partner_signed_in(ex, &signin, &token.identity, err) ||
           fg_err_prefix(err, "identity provider \"%s\"", provider->name);
}

fg_step_t fg_wsfed_response(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    return accept(ex, in, &err) ? FG_STEP_DONE : fg_wsfed_refuse(ex, &err);
}
