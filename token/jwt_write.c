/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/crypto.h"
#include "core/json.h"
#include "core/time.h"
#include "token/authmethod.h"
#include "token/jws.h"

static void put_text(fg_buf_t *json, const char *name, fg_str_t value) {
    if (value.n == 0)
        return;
    fg_buf_printf(json, "%s\"%s\":", json->length > 1 ? "," : "", name);
    fg_json_quote(json, value);
}

static void put_time(fg_buf_t *json, const char *name, int64_t ms) {
    fg_buf_printf(json, "%s\"%s\":%lld", json->length > 1 ? "," : "", name, (long long)(ms / FG_SECOND));
}

static void put_method(fg_buf_t *json, const fg_identity_t *identity) {
    if (identity->auth_method.n > 0) {
        const fg_authmethod_t *method = fg_authmethod_find(identity->auth_method);
        fg_buf_puts(json, ",\"amr\":[");
        fg_json_quote(json, method != NULL && method->amr != NULL ? fg_str(method->amr) : identity->auth_method);
        fg_buf_putc(json, ']');
    }
    if (identity->auth_instant_ms > 0)
        put_time(json, "auth_time", identity->auth_instant_ms);
}

/* How many claims from a place on have a name, which two types may share; 0: an earlier one has taken them along. */
static size_t count_name(const fg_claims_t *claims, size_t at, fg_str_t name) {
    size_t count = 0;
    for (size_t i = 0; i < claims->count; i++) {
        bool same = fg_str_eq(fg_jwt_claim_name(claims->items[i].type), name);
        if (same && i < at)
            return 0;
        count += same;
    }
    return count;
}

static void put_members(fg_buf_t *json, const fg_jwt_t *jwt) {
    for (size_t i = 0; i < jwt->member_count; i++) {
        const fg_jwt_member_t *member = &jwt->members[i];
        if (!member->is_json)
            put_text(json, member->name, member->text);
        else if (member->text.n > 0)
            fg_buf_printf(json, ",\"%s\":%.*s", member->name, (int)member->text.n, member->text.p);
    }
}

static bool is_member(const fg_jwt_t *jwt, fg_str_t name) {
    for (size_t i = 0; i < jwt->member_count; i++)
        if (fg_str_is(name, jwt->members[i].name))
            return true;
    return false;
}

/* A claim cannot speak for the token: one named as a member of its own is not written. */
static void put_claims(fg_buf_t *json, const fg_jwt_t *jwt, const fg_claims_t *claims) {
    for (size_t i = 0; claims != NULL && i < claims->count; i++) {
        fg_str_t name = fg_jwt_claim_name(claims->items[i].type);
        bool own = fg_jwt_name_is_own(name) || is_member(jwt, name) || fg_str_is(name, FG_CLAIM_ACTOR);
        size_t count = own ? 0 : count_name(claims, i, name);
        if (count == 0)
            continue;
        fg_buf_putc(json, ',');
        fg_json_quote(json, name);
        fg_buf_puts(json, count > 1 ? ":[" : ":");
        for (size_t k = i, left = count; left > 0; k++) {
            if (!fg_str_eq(fg_jwt_claim_name(claims->items[k].type), name))
                continue;
            fg_json_quote(json, claims->items[k].value);
            if (--left > 0)
                fg_buf_putc(json, ',');
        }
        fg_buf_puts(json, count > 1 ? "]" : "");
    }
}

/* Who an actor is must be said; .n 0: nothing tells. */
static fg_str_t get_subject(const fg_identity_t *actor) {
    static const char *const types[] = {FG_CLAIM_NAMEIDENTIFIER, FG_CLAIM_UPN, FG_CLAIM_NAME};
    fg_str_t subject = actor->name_id.value;
    for (size_t i = 0; i < FG_ARRAY_SIZE(types) && subject.n == 0; i++) {
        const fg_claim_t *claim = fg_claims_get(&actor->claims, types[i]);
        subject = claim != NULL ? claim->value : FG_STR_NONE;
    }
    return subject;
}

/* RFC 8693 §4.1: who acted last is outermost, where an identity's chain has them last. */
static void put_actors(fg_buf_t *json, const fg_jwt_t *jwt) {
    const fg_identity_t *actor = jwt->actor;
    const fg_identity_t *chain[FG_ACTORS_MAX];
    size_t count = 0;
    for (; actor != NULL && count < FG_ACTORS_MAX; actor = actor->actor)
        chain[count++] = actor;
    json->failed = json->failed || actor != NULL;
    for (size_t i = count; i-- > 0;) {
        fg_buf_puts(json, ",\"act\":{\"sub\":");
        fg_str_t subject = get_subject(chain[i]);
        json->failed = json->failed || subject.n == 0;
        fg_json_quote(json, subject);
        put_claims(json, jwt, &chain[i]->claims);
    }
    for (size_t i = 0; i < count; i++)
        fg_buf_putc(json, '}');
}

static void put_payload(fg_buf_t *json, const fg_jwt_t *jwt) {
    fg_buf_putc(json, '{');
    put_text(json, "iss", jwt->issuer);
    put_text(json, "sub", jwt->subject);
    put_text(json, "aud", jwt->audience);
    put_time(json, "iat", jwt->issued_ms);
    put_time(json, "nbf", jwt->not_before_ms);
    put_time(json, "exp", jwt->expires_ms);
    put_text(json, "jti", jwt->id);
    if (jwt->identity != NULL)
        put_method(json, jwt->identity);
    put_members(json, jwt);
    put_claims(json, jwt, jwt->claims);
    put_actors(json, jwt);
    fg_buf_putc(json, '}');
}

static void put_header(fg_buf_t *json, const fg_jwt_t *jwt, const fg_key_t *key) {
    fg_buf_putc(json, '{');
    put_text(json, "typ", fg_str(jwt->type));
    put_text(json, "alg", fg_str(jwt->alg != NULL ? fg_jws_alg_name(*jwt->alg) : fg_key_get_jws_alg(key)));
    put_text(json, "kid", fg_str(fg_key_get_id(key)));
    fg_buf_putc(json, '}');
}

/* Appends one part, encoded, and empties the buffer that it came from. */
static void put_part(fg_buf_t *out, fg_buf_t *part) {
    out->failed = out->failed || !fg_buf_ok(part);
    fg_base64url_encode(out, part->data, part->length);
    fg_buf_reset(part);
}

bool fg_jwt_write(const fg_jwt_t *jwt, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    fg_jws_alg_t alg;
    if (jwt->alg != NULL)
        alg = *jwt->alg;
    else if (!fg_jws_alg_from_name(fg_str(fg_key_get_jws_alg(key)), &alg))
        return FG_FAIL(err, FG_E_INTERNAL, "a key that signs no JSON Web Tokens");
    size_t begin = out->length;
    fg_buf_t part = FG_BUF_INIT(FG_JWT_MAX);
    put_header(&part, jwt, key);
    put_part(out, &part);
    fg_buf_putc(out, '.');
    put_payload(&part, jwt);
    put_part(out, &part);
    bool fits = fg_buf_ok(out);
    bool done = fits && fg_key_sign_jws(key, alg, (fg_str_t){out->data + begin, out->length - begin}, &part, err);
    if (done) {
        fg_buf_putc(out, '.');
        put_part(out, &part);
        fits = fg_buf_ok(out) && out->length - begin <= FG_JWT_MAX;
    }
    fg_buf_free(&part);
    return fits ? done : FG_FAIL(err, FG_E_INTERNAL, "the token does not fit");
}
