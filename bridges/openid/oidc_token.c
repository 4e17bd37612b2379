/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oidc_token.h"

#include <stdlib.h>

#include "bridges/openid/oauth_request.h"
#include "core/time.h"
#include "hub/issue.h"
#include "hub/kept.h"
#include "hub/name_id.h"
#include "token/authmethod.h"

#define ID_TOKEN_LIFETIME (5 * FG_MINUTE)

/* ---- who */

static bool choose_subject(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity,
                           const fg_name_id_t *name_id, fg_str_t *subject, fg_err_t *err) {
    fg_str_t sector = partner->openid->sector;
    *subject = name_id->value;
    if (sector.n == 0 && subject->n > 0)
        return true;
    return fg_pairwise_name(ex, identity, sector.n > 0 ? sector : FG_STR(FG_OPENID_PROTOCOL), subject, err);
}

bool fg_oidc_subject(fg_exchange_t *ex, const fg_partner_t *partner, const fg_identity_t *identity, fg_str_t *subject,
                     fg_err_t *err) {
    const fg_issue_request_t request = {.partner = partner, .audience = partner->openid->id, .identity = identity};
    fg_claims_t claims = {0};
    fg_name_id_t name_id = {0};
    return fg_issue_claims(ex, &request, &claims, &name_id, err) &&
           choose_subject(ex, partner, identity, &name_id, subject, err);
}

bool fg_oidc_person_find(fg_exchange_t *ex, const fg_partner_t *partner, const fg_oauth_grant_t *grant,
                         fg_oidc_person_t *person, fg_err_t *err) {
    const fg_identity_t *identity = &grant->session.identity;
    const fg_claim_t *name = fg_claims_get(&identity->claims, FG_CLAIM_NAME);
    const fg_issue_request_t request = {.partner = partner, .audience = grant->client_id, .identity = identity};
    fg_name_id_t name_id = {0};
    *person = (fg_oidc_person_t){.partner = partner, .grant = grant};
    if (!fg_issue_claims(ex, &request, &person->claims, &name_id, err) ||
        !choose_subject(ex, partner, identity, &name_id, &person->subject, err))
        return false;
    person->user = name != NULL ? name->value : person->subject;
    return true;
}

/* ---- signing */

bool fg_openid_sign(fg_exchange_t *ex, const fg_jwt_t *jwt, fg_str_t *token, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(FG_JWT_MAX);
    bool done = fg_jwt_write(jwt, ex->keys->signing[FG_KEY_ACTIVE], &out, err);
    *token = done ? fg_arena_str(ex->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return done && (token->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a token"));
}

static void note_issued(fg_exchange_t *ex, const fg_partner_t *partner, const fg_oidc_person_t *person,
                        const fg_jwt_t *jwt, const char *token_type) {
    const fg_issue_note_t note = {
        .partner = partner,
        .user = person->user,
        .actor = fg_identity_last_actor(&person->grant->session.identity),
        .audience = jwt->audience,
        .protocol = FG_OPENID_PROTOCOL,
        .token_type = token_type,
        .token_id = jwt->id.p,
    };
    fg_issue_note(ex, &note);
}

fg_str_t fg_oidc_class_of(const fg_identity_t *identity) {
    const fg_authmethod_t *method = fg_authmethod_find(identity->auth_method);
    return method != NULL ? fg_str(method->saml20) : FG_STR_NONE;
}

bool fg_openid_own_keys(fg_exchange_t *ex, fg_jwk_set_t *keys, fg_err_t *err) {
    keys->items = fg_arena_alloc(ex->arena, FG_KEY_STATES * sizeof *keys->items);
    keys->count = 0;
    for (size_t i = 0; keys->items != NULL && i < FG_KEY_STATES; i++) {
        fg_key_t *key = ex->keys->signing[i];
        if (key != NULL)
            keys->items[keys->count++] = (fg_jwk_t){key, fg_str(fg_key_get_id(key)), fg_str(fg_key_get_jws_alg(key))};
    }
    return keys->items != NULL || FG_FAIL(err, FG_E_MEMORY, "keys");
}

/* ---- ID tokens */

/* Core §3.1.3.6: the left half of the digest that the signature's algorithm uses. */
static bool make_token_hash(fg_exchange_t *ex, const fg_jws_alg_t *alg, fg_str_t token, fg_str_t *hash, fg_err_t *err) {
    *hash = FG_STR_NONE;
    if (token.n == 0)
        return true;
    unsigned char digest[FG_HASH_MAX];
    fg_buf_t text = FG_BUF_INIT(64);
    size_t size = fg_hash(fg_jws_alg_hash(*alg), token.p, token.n, digest);
    fg_base64url_encode(&text, digest, size / 2);
    *hash = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return hash->p != NULL || FG_FAIL(err, FG_E_INTERNAL, "a token's hash");
}

/* What the client's section says, if the key can; a key of another type has been rolled in since. */
static bool choose_algorithm(fg_exchange_t *ex, const fg_openid_client_t *client, fg_jws_alg_t *alg, fg_err_t *err) {
    const fg_key_t *key = ex->keys->signing[FG_KEY_ACTIVE];
    if (client->has_id_token_alg && !fg_key_fits(key, client->id_token_alg))
        return FG_FAIL(err, FG_E_CONFIG, "id_token_alg %s does not go with the key that signs",
                       fg_jws_alg_name(client->id_token_alg));
    *alg = client->id_token_alg;
    return client->has_id_token_alg || fg_jws_alg_from_name(fg_str(fg_key_get_jws_alg(key)), alg) ||
           FG_FAIL(err, FG_E_INTERNAL, "no algorithm for ID tokens");
}

/* Signed first, then encrypted (core §16.14). */
static bool encrypt(fg_exchange_t *ex, const fg_openid_client_t *client, fg_str_t *token, fg_err_t *err) {
    if (client->encryption_key == NULL)
        return true;
    const fg_jwe_t jwe = {.recipient = client->encryption_key->key,
                          .kid = client->encryption_key->kid,
                          .alg = client->encryption_alg,
                          .enc = client->encryption,
                          .content_type = "JWT"};
    fg_buf_t out = FG_BUF_INIT(2 * FG_JWT_MAX);
    bool done = fg_jwe_write(ex->env, *token, &jwe, &out, err);
    *token = done ? fg_arena_str(ex->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return done && (token->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a token"));
}

#define CLAIM_MEMBERS 96u

/* The claims as members behind those that every ID token has; but for sub, which each token has anyway. */
static bool put_claims(fg_exchange_t *ex, json_t *claims, fg_jwt_member_t *members, size_t *count, fg_err_t *err) {
    json_t *value;
    const char *name;
    json_object_foreach(claims, name, value) {
        if (strcmp(name, "sub") == 0)
            continue;
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text == NULL || !fg_arena_own(ex->arena, free, text))
            return FG_FAIL(err, FG_E_MEMORY, "an ID token");
        if (*count == CLAIM_MEMBERS)
            return FG_FAIL(err, FG_E_INTERNAL, "more than %u claims for an ID token", CLAIM_MEMBERS);
        members[(*count)++] = (fg_jwt_member_t){name, fg_str(text), true};
    }
    return true;
}

bool fg_oidc_id_token_write(fg_exchange_t *ex, const fg_oidc_person_t *person, fg_str_t access_token, fg_str_t code,
                            fg_str_t *token, fg_err_t *err) {
    const fg_oauth_grant_t *grant = person->grant;
    fg_str_t hash, code_hash, id;
    fg_jws_alg_t alg;
    fg_jwt_member_t members[CLAIM_MEMBERS];
    size_t count = 0;
    if (!choose_algorithm(ex, person->partner->openid, &alg, err) ||
        !make_token_hash(ex, &alg, access_token, &hash, err) || !make_token_hash(ex, &alg, code, &code_hash, err) ||
        !fg_word_make(ex, &id, err))
        return false;
    members[count++] = (fg_jwt_member_t){"nonce", grant->nonce, false};
    members[count++] = (fg_jwt_member_t){"acr", fg_oidc_class_of(&grant->session.identity), false};
    members[count++] = (fg_jwt_member_t){"at_hash", hash, false};
    members[count++] = (fg_jwt_member_t){"c_hash", code_hash, false};
    members[count++] = (fg_jwt_member_t){"sid", fg_str(grant->session.id), false};
    json_t *claims = fg_oidc_claims_make(ex, person, FG_OIDC_ID_TOKEN);
    if (claims == NULL || !fg_arena_own(ex->arena, (void (*)(void *))json_decref, claims))
        return FG_FAIL(err, FG_E_MEMORY, "an ID token");
    if (!put_claims(ex, claims, members, &count, err))
        return false;
    const fg_jwt_t jwt = {
        .type = "JWT",
        .alg = &alg,
        .id = id,
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .subject = person->subject,
        .audience = grant->client_id,
        .issued_ms = ex->now_ms,
        .not_before_ms = ex->now_ms,
        .expires_ms = ex->now_ms + ID_TOKEN_LIFETIME,
        .identity = &grant->session.identity,
        .members = members,
        .member_count = count,
    };
    if (!fg_openid_sign(ex, &jwt, token, err) || !encrypt(ex, person->partner->openid, token, err))
        return false;
    note_issued(ex, person->partner, person, &jwt, "id_token");
    return true;
}

/* ---- userinfo */

bool fg_oidc_userinfo_sign(fg_exchange_t *ex, const fg_oidc_person_t *person, json_t *claims, fg_str_t *token,
                           fg_err_t *err) {
    fg_jwt_member_t members[CLAIM_MEMBERS];
    size_t count = 0;
    if (claims == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "userinfo");
    if (!put_claims(ex, claims, members, &count, err))
        return false;
    const fg_jwt_t jwt = {
        .type = "userinfo+jwt", /* so that it is no ID token (JW-11) */
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .subject = person->subject,
        .audience = person->grant->client_id,
        .issued_ms = ex->now_ms,
        .not_before_ms = ex->now_ms,
        .expires_ms = ex->now_ms + ID_TOKEN_LIFETIME,
        .members = members,
        .member_count = count,
    };
    return fg_openid_sign(ex, &jwt, token, err);
}

/* ---- an ID token that comes back as a hint */

bool fg_oidc_hint_read(fg_exchange_t *ex, fg_str_t token, fg_oidc_hint_t *hint, fg_err_t *err) {
    fg_jwk_set_t keys;
    fg_jwt_read_t read;
    fg_err_t why = FG_ERR_INIT;
    fg_str_t audience = fg_jwt_peek_audience(ex->arena, token);
    if (!fg_openid_own_keys(ex, &keys, err))
        return false;
    const fg_jwt_trust_t trust = {
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .keys = &keys,
        .audiences = &audience,
        .audience_count = 1,
        .type = "JWT",
        .skew_ms = ex->hub->skew_ms,
        .late_ms = FG_JWT_ANY_AGE,
    };
    if (!fg_jwt_read(ex->env, ex->arena, token, &trust, &read, &why))
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "id_token_hint: %s", why.detail);
    *hint = (fg_oidc_hint_t){
        .subject = read.identity.name_id.value,
        .session = fg_json_string(read.payload, "sid"),
        .client_id = read.audience,
    };
    return true;
}
