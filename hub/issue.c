/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/issue.h"

#include <stdlib.h>

#include "core/time.h"
#include "hub/audit.h"
#include "token/encrypt.h"

#define TOKEN_MAX (192u * 1024)

/* Claims about the sign-in itself: every identity has them without a directory saying so. */
static bool add_own(fg_arena_t *arena, const fg_identity_t *identity, const char *type, fg_claims_t *out) {
    if (strcmp(type, FG_CLAIM_AUTHMETHOD) == 0 || strcmp(type, FG_CLAIM_AUTHNMETHODSREFERENCES) == 0)
        return fg_claims_put(arena, out, type, identity->auth_method);
    if (strcmp(type, FG_CLAIM_AUTHINSTANT) == 0) {
        char text[FG_TIME_SIZE];
        fg_time_format(identity->auth_instant_ms, text);
        return fg_claims_put(arena, out, type, fg_str(text));
    }
    return true;
}

/* The partner's list decides: a type that is not named is not issued. */
static bool select_claims(fg_arena_t *arena, const fg_partner_t *partner, const fg_identity_t *identity,
                          fg_claims_t *out) {
    for (size_t i = 0; i < partner->claim_type_count; i++) {
        const char *type = partner->claim_types[i];
        if (!add_own(arena, identity, type, out))
            return false;
        for (size_t k = 0; k < identity->claims.count; k++) {
            const fg_claim_t *claim = &identity->claims.items[k];
            if (fg_str_is(claim->type, type) && !fg_claims_add(arena, out, claim))
                return false;
        }
    }
    return true;
}

static void choose_name_id(const fg_partner_t *partner, const fg_identity_t *identity, fg_name_id_t *name_id) {
    const fg_claim_t *claim = partner->name_id_claim ? fg_claims_get(&identity->claims, partner->name_id_claim) : NULL;
    if (claim == NULL)
        return;
    name_id->value = claim->value;
    name_id->format = fg_str(partner->name_id_format);
}

static int64_t lifetime(const fg_issue_request_t *request) {
    int64_t longest = request->partner->token_lifetime_ms;
    return request->lifetime_ms > 0 && request->lifetime_ms < longest ? request->lifetime_ms : longest;
}

/* The signed assertion, encrypted if the partner has a certificate for that. */
static bool write_assertion(fg_exchange_t *ex, const fg_partner_t *partner, const fg_assertion_t *assertion,
                            fg_buf_t *out, fg_err_t *err) {
    const fg_key_t *key = ex->keys->signing[FG_KEY_ACTIVE];
    if (partner->encryption_key == NULL)
        return fg_assertion_write(assertion, key, out, err);
    fg_buf_t plain = FG_BUF_INIT(out->maximum);
    bool done = fg_assertion_write(assertion, key, &plain, err) &&
                fg_assertion_encrypt(ex->env, assertion->version, fg_buf_str(&plain), partner->encryption_key,
                                     partner->encryption, out, err);
    fg_buf_free(&plain);
    return done;
}

static bool write_token(fg_exchange_t *ex, const fg_issue_request_t *request, const fg_assertion_t *assertion,
                        fg_issued_t *issued, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(TOKEN_MAX);
    if (!write_assertion(ex, request->partner, assertion, &out, err)) {
        fg_buf_free(&out);
        return fg_err_prefix(err, "token for %s", request->partner->name);
    }
    size_t length;
    char *text = fg_buf_take(&out, &length);
    fg_buf_free(&out);
    if (text == NULL || !fg_arena_own(ex->arena, free, text))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for a token");
    issued->token = (fg_str_t){text, length};
    return true;
}

bool fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) {
    const fg_partner_t *partner = request->partner;
    const fg_identity_t *identity = request->identity;
    fg_claims_t claims = {0};
    *issued = (fg_issued_t){.version = request->version, .created_ms = fg_now(ex->env)};
    issued->expires_ms = issued->created_ms + lifetime(request);
    if (!fg_id_xml(ex->env, issued->id))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for an id");
    if (!select_claims(ex->arena, partner, identity, &claims))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for claims");

    fg_assertion_t assertion = {
        .version = request->version,
        .id = issued->id,
        .issuer = ex->hub->entity_id,
        .issue_instant_ms = issued->created_ms,
        .not_before_ms = issued->created_ms,
        .not_on_or_after_ms = issued->expires_ms,
        .audience = request->audience,
        .recipient = request->recipient,
        .identity = identity,
        .claims = &claims,
    };
    choose_name_id(partner, identity, &assertion.name_id);
    if (!write_token(ex, request, &assertion, issued, err))
        return false;

    const fg_claim_t *name = fg_claims_get(&identity->claims, FG_CLAIM_NAME);
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : assertion.name_id.value},
        {"partner", fg_str(partner->name)},
        {"audience", request->audience},
        {"protocol", fg_str(request->protocol)},
        {"token_type", fg_str(fg_saml_token_type(request->version))},
        {"token_id", fg_str(issued->id)},
        {"key", fg_str(fg_key_get_id(ex->keys->signing[FG_KEY_ACTIVE]))},
    };
    fg_audit(ex, "issued", NULL, fields, FG_ARRAY_SIZE(fields));
    return true;
}
