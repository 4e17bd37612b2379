/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/message.h"

#include "hub/issuer.h"
#include "hub/signin.h"
#include "hub/token_id.h"
#include "token/certificate.h"

/* ---- rules */

typedef struct context {
    fg_exchange_t *ex;
    const fg_str_t *audiences;
    size_t count;
} context_t;

static bool find_issuer(void *data, fg_str_t name, fg_assertion_trust_t *trust, fg_err_t *err) {
    const context_t *context = data;
    fg_issuer_t *issuer = fg_arena_alloc(context->ex->arena, sizeof *issuer);
    if (issuer == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "issuer");
    if (!fg_issuer_find(context->ex, name, issuer, err))
        return false;
    *trust = fg_issuer_assertion_trust(context->ex, issuer);
    trust->audiences = context->audiences;
    trust->audience_count = context->count;
    return true;
}

static const fg_key_t *find_among(const fg_key_t *const *keys, size_t count, const fg_wss_certificate_name_t *name) {
    for (size_t i = 0; i < count; i++)
        if (fg_wss_certificate_has_name(keys[i], name))
            return keys[i];
    return NULL;
}

/* The certificate that tokens are encrypted to, and the one it is known by: mostly they are the same. */
static const fg_key_t *find_of_partner(const fg_partner_t *partner, const fg_wss_certificate_name_t *name) {
    const fg_key_t *keys[2];
    size_t count = 0;
    if (partner->certificate != NULL)
        keys[count++] = partner->certificate;
    if (partner->encryption_key != NULL)
        keys[count++] = partner->encryption_key;
    return find_among(keys, count, name);
}

static const fg_key_t *find_of_provider(const fg_identity_provider_t *provider, const fg_wss_certificate_name_t *name) {
    const fg_key_t *found = find_among(provider->vouchers, provider->voucher_count, name);
    return found != NULL ? found : find_among(provider->keys, provider->key_count, name);
}

/* WT-07: certificates that a message only names are those of partners and identity providers. */
static const fg_key_t *find_certificate(void *data, const fg_wss_certificate_name_t *name) {
    const fg_hub_t *hub = ((const context_t *)data)->ex->hub;
    const fg_key_t *found = NULL;
    for (size_t i = 0; found == NULL && i < hub->partner_count; i++)
        found = find_of_partner(&hub->partners[i], name);
    for (size_t i = 0; found == NULL && i < hub->home_realm_count; i++)
        if (hub->home_realms[i].identity_provider != NULL)
            found = find_of_provider(hub->home_realms[i].identity_provider, name);
    return found;
}

bool fg_message_rules(fg_exchange_t *ex, const fg_str_t *audiences, size_t count, fg_wss_rules_t *rules,
                      fg_err_t *err) {
    const fg_key_t **keys = fg_arena_alloc(ex->arena, FG_KEY_STATES * sizeof *keys);
    context_t *context = fg_arena_alloc(ex->arena, sizeof *context);
    if (keys == NULL || context == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "security rules");
    *context = (context_t){ex, audiences, count};
    *rules = (fg_wss_rules_t){
        .env = ex->env,
        .skew_ms = ex->hub->skew_ms,
        .limits = &ex->hub->xml,
        .recipients = {keys, ex->keys != NULL ? fg_issuer_own_keys(ex, keys) : 0},
        .find_issuer = find_issuer,
        .find_certificate = find_certificate,
        .context = context,
    };
    return true;
}

/* ---- certificates */

const fg_wss_signature_t *fg_message_certificate_signature(const fg_wss_header_t *header) {
    for (size_t i = 0; i < header->signature_count; i++)
        if (header->signatures[i].token->kind == FG_WSS_CERTIFICATE)
            return &header->signatures[i];
    return NULL;
}

static bool is_one_certificate(const fg_wss_header_t *header, const fg_key_t *key) {
    for (size_t i = 0; i < header->signature_count; i++) {
        const fg_wss_token_t *other = header->signatures[i].token;
        if (other->kind == FG_WSS_CERTIFICATE && X509_cmp(fg_key_get_x509(other->key), fg_key_get_x509(key)) != 0)
            return false;
    }
    return true;
}

bool fg_message_holder(fg_exchange_t *ex, const fg_wss_header_t *header, fg_message_sender_t *sender, fg_err_t *err) {
    const fg_wss_signature_t *signature = fg_message_certificate_signature(header);
    if (signature == NULL)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no signature by a certificate");
    const fg_wss_token_t *token = signature->token;
    if (!is_one_certificate(header, token->key))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "signatures by two certificates");
    STACK_OF(X509) *others = sk_X509_new_null();
    bool good = others != NULL;
    for (size_t i = 0; good && i < token->chain_count; i++)
        good = sk_X509_push(others, token->chain[i]) > 0;
    if (!good)
        FG_FAIL(err, FG_E_MEMORY, "certificates");
    good = good && fg_signin_certificate(ex, fg_key_get_x509(token->key), others, FG_X509_SIGNER, &sender->identity,
                                         &sender->realm, err);
    sk_X509_free(others);
    sender->identity.auth_method = FG_STR(FG_AUTH_X509);
    sender->certificate = token->key;
    sender->expires_ms = fg_key_get_not_after(token->key);
    return good;
}

static void release_key(void *key) { fg_key_unref(key); }

const fg_key_t *fg_message_connection_key(fg_exchange_t *ex, fg_err_t *err) {
    if (ex->request.client_certificate.n == 0)
        return NULL;
    fg_key_t *key = fg_key_from_pem(ex->request.client_certificate, err);
    if (key == NULL || !fg_arena_own(ex->arena, release_key, key))
        return NULL;
    if (fg_key_get_x509(key) != NULL)
        return key;
    FG_FAIL(err, FG_E_AUTH_FAILED, "client certificate: there is none");
    return NULL;
}

bool fg_message_connection(fg_exchange_t *ex, fg_message_sender_t *sender, fg_err_t *err) {
    fg_str_t pem = ex->request.client_certificate;
    X509 *leaf;
    STACK_OF(X509) * more;
    if (!fg_hub_knows_certificates(ex->hub))
        return fg_certificate_identity(ex->arena, pem, ex->now_ms, &sender->identity, &sender->expires_ms, err);
    if (!fg_certificate_chain_read(ex->arena, pem, ex->request.client_chain, &leaf, &more, err) ||
        !fg_signin_certificate(ex, leaf, more, FG_X509_CLIENT, &sender->identity, &sender->realm, err))
        return false;
    sender->expires_ms = fg_certificate_not_after(leaf);
    return true;
}

/* ---- assertions */

bool fg_message_is_proven(const fg_wss_header_t *header) {
    const fg_wss_signature_t *signature =
        header->assertion != NULL ? fg_wss_header_signature_of(header, header->assertion) : NULL;
    return signature != NULL && header->timestamp != NULL && fg_wss_signature_covers(signature, header->timestamp);
}

static bool is_voucher(const fg_identity_provider_t *provider, const fg_key_t *key) {
    for (size_t i = 0; provider != NULL && i < provider->voucher_count; i++)
        if (X509_cmp(fg_key_get_x509(provider->vouchers[i]), fg_key_get_x509(key)) == 0)
            return true;
    return false;
}

/* SAML token profile 1.1 §3.5.2: the sender's signature binds the subject to the message. */
static bool check_sender(fg_exchange_t *ex, const fg_wss_header_t *header, const xmlNode *body,
                         const fg_issuer_t *issuer, fg_err_t *err) {
    const fg_wss_signature_t *signature = fg_message_certificate_signature(header);
    fg_message_sender_t sender = {0};
    if (signature == NULL || header->timestamp == NULL || body == NULL ||
        !fg_wss_signature_covers(signature, header->assertion->element) || !fg_wss_signature_covers(signature, body) ||
        !fg_wss_signature_covers(signature, header->timestamp))
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the sender did not sign assertion, Body and Timestamp");
    if (issuer->realm == NULL || !is_voucher(issuer->realm->identity_provider, signature->token->key))
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "the sender may not vouch for %.*s", FG_STR_ARG(issuer->name));
    return fg_message_holder(ex, header, &sender, err);
}

bool fg_message_subject(fg_exchange_t *ex, const fg_wss_header_t *header, const xmlNode *body,
                        fg_message_sender_t *sender, fg_err_t *err) {
    const fg_assertion_read_t *read = &header->assertion->assertion;
    fg_issuer_t issuer;
    if (!fg_issuer_find(ex, read->identity.issuer, &issuer, err))
        return false;
    if (read->confirmation == FG_CONFIRM_SENDER_VOUCHES && !check_sender(ex, header, body, &issuer, err))
        return false;
    sender->identity = read->identity;
    sender->realm = issuer.realm;
    sender->expires_ms = read->not_on_or_after_ms;
    if (issuer.realm == NULL)
        return fg_token_check_cancelled(ex, read->id, err);
    return fg_signin_accept(ex, issuer.realm, &sender->identity, err);
}
