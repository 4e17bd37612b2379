/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as service provider: a browser is sent to an identity provider, and its Response is taken (profiles
 * §4.1). */
#include "bridges/saml/sign_in.h"

#include "bridges/saml/authn_request.h"
#include "bridges/saml/response.h"
#include "bridges/saml/saml.h"
#include "hub/audit.h"

#define REQUEST_MAX (16u << 10)

/* ---- there */

/* Redirect if the provider takes it, as it keeps forms out of the browser's history. */
static const fg_saml_endpoint_t *choose_service(const fg_saml_party_t *party) {
    const fg_saml_endpoint_t *redirect = fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_REDIRECT);
    return redirect ? redirect : fg_saml_party_endpoint(party, FG_SAML_SINGLE_SIGN_ON, FG_SAML_POST);
}

/* The request's ID is the word of the state: InResponseTo, which is signed, finds it again. */
fg_str_t fg_saml_request_id(fg_exchange_t *ex, fg_str_t word) {
    return fg_str(fg_arena_printf(ex->arena, FG_SAML_ID_PREFIX "%.*s", (int)word.n, word.p));
}

static bool write_request(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_saml_endpoint_t *service,
                          fg_str_t word, fg_buf_t *out, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    const fg_saml_authn_asked_t asked = {
        .id = fg_saml_request_id(ex, word).p,
        .destination = service->location,
        .consumer_url = fg_saml_own_url(ex),
        .binding = provider->artifacts ? FG_SAML_ARTIFACT : FG_SAML_POST,
        .force = signin->fresh_ms == 0,
        .passive = signin->passive,
        .method = signin->method,
        .proxy_limit = signin->proxy_limit,
        .requester = signin->requester,
    };
    return fg_saml_authn_request_write(ex, &asked, provider->realm, service->binding == FG_SAML_POST, out, err);
}

bool fg_saml_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    const fg_saml_endpoint_t *service = choose_service(provider->saml);
    fg_str_t word;
    if (service == NULL)
        return FG_FAIL(err, FG_E_SAML_BINDING, "%s takes requests by neither Redirect nor POST", provider->name);
    if (!fg_partner_state_make(ex, signin, &word, err))
        return false;
    fg_buf_t xml = FG_BUF_INIT(REQUEST_MAX);
    bool done = write_request(ex, signin, service, word, &xml, err);
    const fg_saml_outbound_t out = {
        .binding = service->binding,
        .to = service->location,
        .relay_state = word,
        .xml = fg_buf_str(&xml),
        .application = signin->realm->display_name,
    };
    done = done && fg_saml_send(ex, &out, err);
    fg_buf_free(&xml);
    return done;
}

/* ---- and back */

/* Not believed yet: it only chooses the state, which is this browser's, and is held against what was signed. */
bool fg_saml_find_word(fg_exchange_t *ex, const xmlNode *root, fg_str_t *word, fg_err_t *err) {
    size_t n = strlen(FG_SAML_ID_PREFIX);
    fg_str_t id = fg_xml_attr(ex->arena, root, NULL, "InResponseTo");
    bool good = id.n > n && fg_str_starts(id, FG_SAML_ID_PREFIX);
    *word = good ? (fg_str_t){id.p + n, id.n - n} : FG_STR_NONE;
    return good || FG_FAIL(err, FG_E_SAML_ANSWER, "a Response without InResponseTo"); /* SA-07 */
}

/* The state says who was asked, and only that provider's keys count (SA-04).  What was signed is what is read: the
 * Response with all that stands in it, or the assertion alone. */
static bool read_assertion(fg_exchange_t *ex, const fg_identity_provider_t *provider, fg_saml_inbound_t *in,
                           fg_str_t own, fg_str_t request_id, fg_assertion_read_t *read, fg_err_t *err) {
    fg_saml_head_t head;
    bool is_signed;
    if (in->carrier.n > 0 && !fg_str_eq(in->carrier, provider->issuer))
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "an artifact of %.*s", FG_STR_ARG(in->carrier));
    if (!fg_saml_verify(in, &provider->saml->keys, &is_signed, err) ||
        !fg_saml_read_head(ex, in->root, own, is_signed, &head, err))
        return false;
    if (in->issuer.n > 0 && !fg_str_eq(in->issuer, provider->issuer))
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "Response from %.*s", FG_STR_ARG(in->issuer));
    xmlNode *assertion = fg_saml_response_read(ex, in->root, err);
    if (assertion == NULL ||
        (fg_assertion_is_encrypted(assertion) && !fg_saml_open_encrypted(ex, assertion, &assertion, err)))
        return false;
    const fg_dsig_verified_t enclosing = {.element = in->root,
                                          .key = in->key ? in->key : provider->saml->keys.items[0]};
    const fg_decryption_t decryption = fg_saml_decryption(ex);
    const fg_assertion_trust_t trust = {
        .issuer = provider->issuer,
        .dsig = {provider->keys, provider->key_count, provider->allow_sha1},
        .audiences = &provider->realm,
        .audience_count = 1,
        .recipient = own,
        .in_response_to = request_id,
        .web_sso = true,
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = provider->max_lifetime_ms,
        .decryption = &decryption,
        .once = true,
        .enclosing = is_signed ? &enclosing : NULL,
    };
    return fg_assertion_read(ex->env, ex->arena, assertion, &trust, read, err);
}

static void audit_accepted(fg_exchange_t *ex, const fg_identity_provider_t *provider,
                           const fg_assertion_read_t *token) {
    const fg_audit_field_t fields[] = {
        {"identity_provider", fg_str(provider->name)},
        {"protocol", FG_STR("saml")},
        {"token_type", fg_str(fg_saml_token_type(token->version))},
        {"token_id", token->id},
        {"key", fg_str(fg_key_get_id(token->signature.key))},
    };
    fg_audit(ex, "accepted", NULL, fields, FG_ARRAY_SIZE(fields));
}

bool fg_saml_accept(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_saml_inbound_t *in, fg_str_t own,
                    fg_str_t word, fg_err_t *err) {
    fg_assertion_read_t token;
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    if (provider->saml == NULL)
        return FG_FAIL(err, FG_E_SAML_PARTNER, "\"%s\" does not speak SAML 2.0 any more", provider->name);
    if (!read_assertion(ex, provider, in, own, fg_saml_request_id(ex, word), &token, err))
        return fg_err_prefix(err, "identity provider \"%s\"", provider->name);
    /* a clock that is ahead, within the skew, makes nobody fresher than now (WF-07) */
    if (token.identity.auth_instant_ms > ex->now_ms)
        token.identity.auth_instant_ms = ex->now_ms;
    audit_accepted(ex, provider, &token);
    return fg_partner_signed_in(ex, signin, &token.identity, err) ||
           fg_err_prefix(err, "identity provider \"%s\"", provider->name);
}

static bool accept(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_partner_signin_t signin;
    fg_str_t word;
    if (in->binding == FG_SAML_REDIRECT) /* profiles §4.1.2 */
        return FG_FAIL(err, FG_E_SAML_BINDING, "a Response in an address");
    if (!fg_saml_find_word(ex, in->root, &word, err) || !fg_partner_state_take(ex, word, &signin, err))
        return false;
    return fg_saml_accept(ex, &signin, in, fg_saml_own_url(ex), word, err) || fg_partner_refused(ex, &signin, err);
}

fg_step_t fg_saml_consume(fg_exchange_t *ex, fg_saml_inbound_t *in) {
    fg_err_t err = FG_ERR_INIT;
    return accept(ex, in, &err) ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}
