/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/issue.h"

#include <stdlib.h>

#include "core/time.h"
#include "hub/audit.h"
#include "hub/name_id.h"
#include "hub/delegation.h"
#include "hub/token_id.h"
#include "policy/request.h"
#include "token/encrypt.h"
#include "token/jwt.h"
#include "token/proof.h"

#define TOKEN_MAX (192u * 1024)
#define KEY_INFO_MAX 16384u

static const char *const key_words[FG_PROOF_KINDS] = {"bearer", "symmetric", "public"};

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

/* As AD FS does: the name identifier that the rules issue, in the format that they give it, is the NameID and no
 * attribute. */
static void take_name_id(fg_claims_t *claims, const char *format, fg_name_id_t *name_id) {
    size_t kept = 0;
    for (size_t i = 0; i < claims->count; i++) {
        const fg_claim_t *claim = &claims->items[i];
        if (!fg_str_is(claim->type, FG_CLAIM_NAMEIDENTIFIER)) {
            claims->items[kept++] = *claim;
        } else if (name_id->value.n == 0) {
            const fg_claim_property_t *own = fg_claim_property(claim, FG_CLAIM_PROPERTY_FORMAT);
            name_id->value = claim->value;
            name_id->format = own ? own->value : fg_str(format);
        }
    }
    claims->count = kept;
}

static void choose_name_id(const fg_partner_t *partner, const fg_identity_t *identity, fg_name_id_t *name_id) {
    const fg_claim_t *claim = partner->name_id_claim ? fg_claims_get(&identity->claims, partner->name_id_claim) : NULL;
    if (claim == NULL)
        return;
    name_id->value = claim->value;
    name_id->format = fg_str(partner->name_id_format);
}

bool fg_issue_gather(fg_arena_t *arena, const fg_identity_t *identity, fg_claims_t *out) {
    static const char *const own[] = {FG_CLAIM_AUTHMETHOD, FG_CLAIM_AUTHINSTANT, FG_CLAIM_AUTHNMETHODSREFERENCES};
    for (size_t i = 0; i < identity->claims.count; i++)
        if (!fg_claims_add(arena, out, &identity->claims.items[i]))
            return false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(own); i++)
        if (fg_claims_get(&identity->claims, own[i]) == NULL && !add_own(arena, identity, own[i], out))
            return false;
    return true;
}

/* What the rules may know of the relying party; it goes no further. */
static bool gather_facts(fg_exchange_t *ex, const fg_issue_request_t *request, fg_claims_t *known) {
    const fg_claims_t *facts = &request->partner->facts;
    const fg_claim_t party = {
        .type = FG_STR(FG_FACT_PARTY), .value = request->audience, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    if (!fg_claims_add(ex->arena, known, &party))
        return false;
    for (size_t i = 0; i < facts->count; i++)
        if (!fg_claims_add(ex->arena, known, &facts->items[i]))
            return false;
    return true;
}

static bool is_wanted(const fg_issue_request_t *request, fg_str_t type) {
    for (size_t i = 0; i < request->wanted_count; i++)
        if (fg_str_eq(request->wanted[i], type))
            return true;
    return false;
}

static void keep_wanted(const fg_issue_request_t *request, fg_claims_t *claims) {
    size_t kept = 0;
    for (size_t i = 0; i < claims->count; i++)
        if (!request->limited || is_wanted(request, claims->items[i].type))
            claims->items[kept++] = claims->items[i];
    claims->count = kept;
}

/* What the partner gets told of an actor: what it would be told of a person with these claims, and at least a name. */
static bool select_actor(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *actor,
                         fg_claims_t *claims, fg_err_t *err) {
    static const char *const names[] = {FG_CLAIM_NAME, FG_CLAIM_UPN, FG_CLAIM_NAMEIDENTIFIER};
    fg_claims_t known = {0};
    fg_rule_output_t out;
    bool named = false;
    if (partner->issuance_rules == NULL && !select_claims(ex->arena, partner, actor, claims))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
    if (partner->issuance_rules != NULL) {
        if (!fg_issue_gather(ex->arena, actor, &known))
            return FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
        if (!fg_ruleset_run(partner->issuance_rules, ex->arena, &ex->hub->stores, &known, &out, err))
            return false;
        *claims = out.claims;
    }
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        named = named || fg_claims_get(claims, names[i]) != NULL;
    if (named)
        return true;
    fg_str_t name = fg_identity_name(actor);
    return name.n > 0 ? fg_claims_put(ex->arena, claims, FG_CLAIM_NAME, name) ||
                            FG_FAIL(err, FG_E_MEMORY, "no memory for claims")
                      : FG_FAIL(err, FG_E_DENIED, "an actor without a name");
}

/* The chain of actors with the claims that the partner gets of each. */
bool fg_issue_actors(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                     const fg_identity_t **chain, fg_err_t *err) {
    const fg_identity_t **end = chain;
    *chain = NULL;
    for (const fg_identity_t *from = identity->actor; from != NULL; from = from->actor) {
        fg_identity_t *actor = fg_arena_alloc(ex->arena, sizeof *actor);
        if (actor == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "no memory for an actor");
        if (!select_actor(ex, partner, from, &actor->claims, err))
            return fg_err_prefix(err, "actors in a token for %s", partner->name);
        *end = actor;
        end = &actor->actor;
    }
    return true;
}

/* AD FS' order: authorization rules, then issuance rules, both over what was accepted. */
static bool apply_policy(fg_exchange_t *ex, const fg_issue_request_t *request, fg_claims_t *claims,
                         fg_name_id_t *name_id, fg_err_t *err) {
    const fg_partner_t *partner = request->partner;
    const fg_identity_t *identity = request->identity;
    fg_claims_t known = {0};
    fg_rule_output_t out;
    bool rules = partner->authorization_rules != NULL || partner->issuance_rules != NULL;
    if (rules && (!fg_issue_gather(ex->arena, identity, &known) || !gather_facts(ex, request, &known)))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
    if (partner->authorization_rules != NULL &&
        !fg_ruleset_authorize(partner->authorization_rules, ex->arena, &ex->hub->stores, &known, err))
        return fg_err_prefix(err, "token for %s", partner->name);
    choose_name_id(partner, identity, name_id);
    if (partner->issuance_rules == NULL)
        return select_claims(ex->arena, partner, identity, claims) || FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
    if (!fg_ruleset_run(partner->issuance_rules, ex->arena, &ex->hub->stores, &known, &out, err))
        return fg_err_prefix(err, "token for %s", partner->name);
    fg_claims_drop_request(&out.claims);
    *claims = out.claims;
    if (partner->name_id_claim == NULL)
        take_name_id(claims, partner->name_id_format, name_id);
    return true;
}

bool fg_issue_claims(fg_exchange_t *ex, const fg_issue_request_t *request, fg_claims_t *claims, fg_name_id_t *name_id,
                     fg_err_t *err) {
    return apply_policy(ex, request, claims, name_id, err);
}

static bool set_expiry(const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) {
    int64_t longest = request->partner->token_lifetime_ms, end = request->not_after_ms;
    bool shorter = request->lifetime_ms > 0 && request->lifetime_ms < longest;
    issued->expires_ms = issued->created_ms + (shorter ? request->lifetime_ms : longest);
    if (end != 0 && end < issued->expires_ms)
        issued->expires_ms = end;
    return issued->expires_ms > issued->created_ms ||
           FG_FAIL(err, FG_E_TOKEN_EXPIRED, "a token for %s would end with one that has ended", request->partner->name);
}

/* With parts that are encrypted before the whole is signed (SAML 2.0 core §2.2.4, §2.7.3.2). */
static bool write_in_parts(fg_exchange_t *ex, const fg_partner_t *partner, const fg_assertion_t *whole, fg_buf_t *out,
                           fg_err_t *err) {
    const fg_encryptor_t encryptor = {ex->env, partner->encryption_key, partner->encryption};
    fg_assertion_t assertion = *whole;
    assertion.encryptor = &encryptor;
    assertion.encrypt_name_id = partner->encrypt_name_id;
    assertion.encrypt_attributes = partner->encrypt_attributes;
    return fg_assertion_write(&assertion, ex->keys->signing[FG_KEY_ACTIVE], out, err);
}

/* The signed assertion, encrypted if the partner has a certificate for that.  SAML 1.1 has no words for single parts.
 */
static bool write_assertion(fg_exchange_t *ex, const fg_partner_t *partner, const fg_assertion_t *assertion,
                            fg_buf_t *out, fg_err_t *err) {
    const fg_key_t *key = ex->keys->signing[FG_KEY_ACTIVE];
    if (partner->encryption_key == NULL)
        return fg_assertion_write(assertion, key, out, err);
    if (assertion->version == FG_SAML_20 && (partner->encrypt_name_id || partner->encrypt_attributes))
        return write_in_parts(ex, partner, assertion, out, err);
    fg_buf_t plain = FG_BUF_INIT(out->maximum);
    bool done = fg_assertion_write(assertion, key, &plain, err) &&
                fg_assertion_encrypt(ex->env, assertion->version, fg_buf_str(&plain), partner->encryption_key,
                                     partner->encryption, out, err);
    fg_buf_free(&plain);
    return done;
}

/* The same description as a JSON Web Token: without a name identifier of its own, the claim of that type is the
 * subject.
 */
static bool write_jwt(fg_exchange_t *ex, const fg_assertion_t *assertion, fg_buf_t *out, fg_err_t *err) {
    const fg_claim_t *name = fg_claims_get(assertion->claims, FG_CLAIM_NAMEIDENTIFIER);
    fg_jwt_t jwt = {
        .type = "JWT",
        .id = fg_str(assertion->id),
        .issuer = assertion->issuer,
        .subject = assertion->name_id.value.n > 0 || name == NULL ? assertion->name_id.value : name->value,
        .audience = assertion->audience,
        .issued_ms = assertion->issue_instant_ms,
        .not_before_ms = assertion->not_before_ms,
        .expires_ms = assertion->not_on_or_after_ms,
        .identity = assertion->identity,
        .claims = assertion->claims,
        .actor = assertion->actor,
    };
    return fg_jwt_write(&jwt, ex->keys->signing[FG_KEY_ACTIVE], out, err);
}

static bool write_token(fg_exchange_t *ex, const fg_issue_request_t *request, const fg_assertion_t *assertion,
                        fg_issued_t *issued, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(TOKEN_MAX);
    bool done = request->jwt ? write_jwt(ex, assertion, &out, err)
                             : write_assertion(ex, request->partner, assertion, &out, err);
    if (!done) {
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

/* ---- the proof key (WS-Trust 1.3 §4.4) */

static bool is_taken(const fg_partner_t *partner, fg_proof_kind_t kind) {
    unsigned kinds = partner->key_types != 0 ? partner->key_types : 1u << FG_PROOF_BEARER;
    return (kinds & 1u << kind) != 0;
}

static bool write_key_info(const fg_issue_request_t *request, fg_buf_t *out, fg_err_t *err) {
    const fg_issue_proof_t *proof = request->proof;
    const fg_partner_t *partner = request->partner;
    if (proof->key_info.n > 0) {
        fg_buf_put_str(out, proof->key_info);
        return fg_buf_ok(out) || FG_FAIL(err, FG_E_MEMORY, "a proof key");
    }
    if (proof->kind == FG_PROOF_PUBLIC)
        return fg_proof_write_key(proof->key, out, err);
    if (partner->certificate == NULL)
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "%s has no certificate to encrypt a key to", partner->name);
    return fg_proof_write_secret(proof->secret, partner->certificate, out, err);
}

/* Puts into the assertion by what its holder is known. */
static bool put_proof(fg_exchange_t *ex, const fg_issue_request_t *request, fg_assertion_t *assertion, fg_err_t *err) {
    const fg_issue_proof_t *proof = request->proof;
    fg_proof_kind_t kind = proof ? proof->kind : FG_PROOF_BEARER;
    if (!is_taken(request->partner, kind))
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "%s takes no %s tokens", request->partner->name, key_words[kind]);
    if (kind == FG_PROOF_BEARER)
        return true;
    if (request->jwt)
        return FG_FAIL(err, FG_E_WST_KEY_TYPE, "a JWT with a proof key");
    fg_buf_t info = FG_BUF_INIT(KEY_INFO_MAX);
    bool written = write_key_info(request, &info, err);
    if (written)
        assertion->proof_key_info = fg_arena_str(ex->arena, fg_buf_str(&info));
    fg_buf_free(&info);
    assertion->confirmation = FG_CONFIRM_HOLDER_OF_KEY;
    return written && (assertion->proof_key_info.p != NULL || FG_FAIL(err, FG_E_MEMORY, "a proof key"));
}

/* ---- the whole */

static bool has_claim(const fg_claims_t *claims, fg_str_t type) {
    for (size_t i = 0; i < claims->count; i++)
        if (fg_str_eq(claims->items[i].type, type))
            return true;
    return false;
}

static bool check_required(const fg_issue_request_t *request, const fg_claims_t *claims, const fg_name_id_t *name_id,
                           fg_err_t *err) {
    for (size_t i = 0; i < request->required_count; i++) {
        fg_str_t type = request->required_claims[i];
        bool is_name = name_id->value.n > 0 && fg_str_is(type, FG_CLAIM_NAMEIDENTIFIER);
        if (!is_name && !has_claim(claims, type))
            return FG_FAIL(err, FG_E_WST_CLAIMS, "no claim %.*s for %s", FG_STR_ARG(type), request->partner->name);
    }
    return true;
}

/* What the token says. */
typedef struct said {
    fg_claims_t claims;
    fg_name_id_t name_id;
    const fg_identity_t *actors; /* NULL: nobody acts */
} said_t;

/* One that is renewed says what it said: these were the partner's claims already. */
static bool gather(fg_exchange_t *ex, const fg_issue_request_t *request, said_t *said, fg_err_t *err) {
    const fg_identity_t *identity = request->identity;
    if (request->renews) {
        *said = (said_t){identity->claims, identity->name_id, identity->actor};
        return true;
    }
    return apply_policy(ex, request, &said->claims, &said->name_id, err) &&
           fg_issue_actors(ex, request->partner, identity, &said->actors, err) &&
           check_required(request, &said->claims, &said->name_id, err);
}

void fg_issue_note(fg_exchange_t *ex, const fg_issue_note_t *note) {
    const fg_audit_field_t fields[] = {
        {"user", note->user},
        {"actor", note->actor ? fg_identity_name(note->actor) : FG_STR_NONE},
        {"partner", fg_str(note->partner->name)},
        {"audience", note->audience},
        {"protocol", fg_str(note->protocol)},
        {"request", fg_str(note->request)},
        {"token_type", fg_str(note->token_type)},
        {"key_type", fg_str(note->key_type)},
        {"token_id", fg_str(note->token_id)},
        {"key", fg_str(fg_key_get_id(ex->keys->signing[FG_KEY_ACTIVE]))},
    };
    fg_audit(ex, "issued", NULL, fields, FG_ARRAY_SIZE(fields));
}

static void note_issued(fg_exchange_t *ex, const fg_issue_request_t *request, const fg_assertion_t *assertion) {
    fg_str_t name = fg_identity_name(request->identity);
    const fg_issue_note_t note = {
        .partner = request->partner,
        .user = name.n > 0 ? name : assertion->name_id.value,
        .actor = request->actor ? request->actor : fg_identity_last_actor(request->identity),
        .audience = request->audience,
        .protocol = request->protocol,
        .request = request->request,
        .token_type = request->jwt ? "jwt" : fg_saml_token_type(request->version),
        .key_type = key_words[request->proof ? request->proof->kind : FG_PROOF_BEARER],
        .token_id = assertion->id,
    };
    fg_issue_note(ex, &note);
}

bool fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) {
    const fg_partner_t *partner = request->partner;
    said_t said = {0};
    if (request->jwt && partner->encryption_key != NULL) /* it would be readable where the others are not */
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "%s gets encrypted tokens, and a JWT is none", partner->name);
    *issued = (fg_issued_t){.version = request->version, .jwt = request->jwt, .created_ms = fg_now(ex->env)};
    if (!set_expiry(request, issued, err) || !gather(ex, request, &said, err) ||
        !fg_token_id_make(ex, request->owner, request->id_flags, issued->id, err))
        return false;
    if (request->name_id != NULL)
        said.name_id = *request->name_id;
    else if (request->saml_sso && !fg_name_id_choose(ex, partner, request->identity, &said.claims,
                                                     request->name_id_format, &said.name_id, err))
        return fg_err_prefix(err, "token for %s", partner->name);
    issued->name_id = said.name_id;
    keep_wanted(request, &said.claims); /* behind the NameID, which may be made of a claim that is not asked for */

    fg_assertion_t assertion = {
        .version = request->version,
        .id = issued->id,
        .issuer = ex->hub->entity_id,
        .issue_instant_ms = issued->created_ms,
        .not_before_ms = issued->created_ms,
        .not_on_or_after_ms = issued->expires_ms,
        .audience = request->audience,
        .name_id = said.name_id,
        .recipient = request->recipient,
        .in_response_to = request->in_response_to,
        .attribute_name_format = partner->attribute_name_format,
        .identity = request->identity,
        .claims = &said.claims,
        .actor = said.actors,
    };
    if (!put_proof(ex, request, &assertion, err) || !write_token(ex, request, &assertion, issued, err))
        return false;
    issued->claims = said.claims;
    note_issued(ex, request, &assertion);
    return true;
}
