/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/json.h"
#include "core/time.h"
#include "token/authmethod.h"
#include "token/jws.h"

#define CLAIMS_MAX 1000u
#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define NO_TIME INT64_MIN

typedef struct reading {
    const fg_env_t *env;
    fg_arena_t *arena;
    const fg_jwt_trust_t *trust;
    fg_jwt_read_t *result;
} reading_t;

/* ---- members */

/* A member that is a string or absent (*text NONE). */
static bool read_text(const json_t *object, const char *name, fg_str_t *text, fg_err_t *err) {
    *text = fg_json_string(object, name);
    return text->p != NULL || json_object_get(object, name) == NULL ||
           FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "%s is no string", name);
}

/* A NumericDate (RFC 7519 §2): seconds, which may have a fraction; left alone if the member is absent (JW-07). */
static bool read_time(const reading_t *reading, const char *name, int64_t *ms, fg_err_t *err) {
    const json_t *value = json_object_get(reading->result->payload, name);
    if (value == NULL)
        return true;
    if (json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= SECONDS_MAX) {
        *ms = json_integer_value(value) * FG_SECOND;
        return true;
    }
    double seconds = json_is_real(value) ? json_real_value(value) : -1;
    if (!(seconds >= 0 && seconds <= (double)SECONDS_MAX))
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "%s is no date", name);
    *ms = (int64_t)(seconds * (double)FG_SECOND);
    return true;
}

/* ---- the header's type (JW-11) */

static bool is_type(fg_str_t type, const char *wanted) {
    static const char prefix[] = "application/"; /* may be left out (RFC 7515 §4.1.9) */
    size_t skipped = sizeof prefix - 1;
    if (type.n > skipped && fg_str_eq_nocase((fg_str_t){type.p, skipped}, FG_STR(prefix)))
        type = (fg_str_t){type.p + skipped, type.n - skipped};
    return fg_str_eq_nocase(type, fg_str(wanted));
}

static bool check_type(const reading_t *reading, const json_t *header, fg_err_t *err) {
    const char *wanted = reading->trust->type;
    fg_str_t type = fg_json_string(header, "typ");
    bool absent = json_object_get(header, "typ") == NULL;
    if (reading->trust->any_type)
        return true;
    bool good = wanted != NULL ? (type.p != NULL && is_type(type, wanted)) || (absent && reading->trust->untyped)
                               : absent || (type.p != NULL && (is_type(type, "JWT") || is_type(type, "at+jwt")));
    return good ||
           FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "a token of type '%.*s'", FG_STR_ARG(type));
}

/* ---- who, when, for whom */

static bool check_issuer(const reading_t *reading, fg_err_t *err) {
    fg_str_t issuer, trusted = reading->trust->issuer;
    if (!read_text(reading->result->payload, "iss", &issuer, err))
        return false;
    reading->result->identity.issuer = issuer;
    return (trusted.n > 0 && fg_str_eq(issuer, trusted)) ||
           FG_FAIL_FOR(err, FG_E_TOKEN_ISSUER, FG_R_ISSUER_MISMATCH, "issued by %.*s, not by %.*s", FG_STR_ARG(issuer),
                       FG_STR_ARG(trusted));
}

static bool check_times(const reading_t *reading, fg_err_t *err) {
    const fg_jwt_trust_t *trust = reading->trust;
    int64_t now = fg_now(reading->env), end = NO_TIME, not_before = NO_TIME, issued = NO_TIME;
    if (!read_time(reading, "exp", &end, err) || !read_time(reading, "nbf", &not_before, err) ||
        !read_time(reading, "iat", &issued, err))
        return false;
    if (end == NO_TIME)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_TIME_MISSING, "a token without exp");
    if (now - trust->skew_ms - trust->late_ms >= end)
        return FG_FAIL(err, FG_E_TOKEN_EXPIRED, "exp has passed");
    if (not_before > now + trust->skew_ms || issued > now + trust->skew_ms)
        return FG_FAIL(err, FG_E_TOKEN_NOT_YET_VALID, "nbf or iat is still to come");
    int64_t start = issued != NO_TIME ? issued : not_before != NO_TIME ? not_before : now;
    if (trust->max_lifetime_ms > 0 && end - start > trust->max_lifetime_ms)
        return FG_FAIL(err, FG_E_TOKEN_LIFETIME, "it lives longer than %lld s",
                       (long long)(trust->max_lifetime_ms / FG_SECOND));
    reading->result->not_on_or_after_ms = end;
    return true;
}

static bool matches(const fg_jwt_trust_t *trust, fg_str_t audience) {
    for (size_t i = 0; i < trust->audience_count; i++)
        if (fg_str_eq(audience, trust->audiences[i]))
            return true;
    return trust->is_audience != NULL && trust->is_audience(trust->context, audience);
}

/* A string, or a list of strings (RFC 7519 §4.1.3). */
static bool check_audience(const reading_t *reading, fg_err_t *err) {
    const json_t *member = json_object_get(reading->result->payload, "aud");
    size_t count = json_is_array(member) ? json_array_size(member) : member != NULL;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_is_array(member) ? json_array_get(member, i) : member;
        if (!json_is_string(value))
            return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "an audience that is no string");
        fg_str_t audience = {json_string_value(value), json_string_length(value)};
        if (reading->result->audience.p == NULL && matches(reading->trust, audience))
            reading->result->audience = audience;
    }
    return reading->result->audience.p != NULL ||
           FG_FAIL_FOR(err, FG_E_TOKEN_AUDIENCE, count == 0 ? FG_R_AUDIENCE_MISSING : FG_R_AUDIENCE_MISMATCH,
                       "none of aud is ours");
}

/* ---- the identity */

static bool note_method(const reading_t *reading, const json_t *value) {
    fg_identity_t *identity = &reading->result->identity;
    fg_str_t word = {json_string_value(value), json_string_length(value)};
    const fg_authmethod_t *method = fg_authmethod_find(word);
    if (method != NULL)
        identity->auth_method = fg_str(method->claim);
    else if (identity->auth_method.n == 0)
        identity->auth_method = word;
    return method != NULL;
}

/* The first word that is known; else the first one; else unspecified. */
static void read_method(const reading_t *reading) {
    static const char *const members[] = {"authmethod", "amr", "acr"};
    bool known = false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(members) && !known; i++) {
        const json_t *member = json_object_get(reading->result->payload, members[i]), *value = member;
        size_t count = json_is_array(member) ? json_array_size(member) : 1;
        for (size_t k = 0; k < count && !known; k++) {
            value = json_is_array(member) ? json_array_get(member, k) : member;
            known = json_is_string(value) && note_method(reading, value);
        }
    }
    if (reading->result->identity.auth_method.n == 0)
        reading->result->identity.auth_method = FG_STR(FG_AUTH_UNSPECIFIED);
}

/* A string, number or boolean as text; .p NULL: memory is out. */
static fg_str_t text_of(fg_arena_t *arena, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_STRING:
        return (fg_str_t){json_string_value(value), json_string_length(value)};
    case JSON_INTEGER:
        return fg_str(fg_arena_printf(arena, "%lld", (long long)json_integer_value(value)));
    case JSON_REAL: {
        char text[64];
        size_t length = json_dumpb(value, text, sizeof text, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        return fg_arena_str(arena, (fg_str_t){text, length < sizeof text ? length : 0});
    }
    default:
        return json_is_true(value) ? FG_STR("true") : FG_STR("false");
    }
}

static bool add_claim(const reading_t *reading, fg_claims_t *claims, fg_str_t type, const json_t *value,
                      fg_err_t *err) {
    if (json_is_null(value) || json_is_object(value) || json_is_array(value)) /* no form as a claim: passed over */
        return true;
    fg_claim_t claim = {
        .type = type, .value = text_of(reading->arena, value), .issuer = reading->result->identity.issuer};
    if (claims->count == CLAIMS_MAX)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "more than %u claims", CLAIMS_MAX);
    return (claim.value.p != NULL && fg_claims_add(reading->arena, claims, &claim)) ||
           FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
}

/* No claim says who acts: that is act's to say. */
static bool is_passed_over(fg_str_t name) { return fg_jwt_name_is_own(name) || fg_str_is(name, FG_CLAIM_ACTOR); }

static bool read_claims(const reading_t *reading, const json_t *from, fg_claims_t *claims, fg_err_t *err) {
    json_t *object = (json_t *)from; /* jansson's iterators are not const; nothing is changed */
    const char *name;
    json_t *member;
    json_object_foreach(object, name, member) {
        fg_str_t type = fg_jwt_claim_type(fg_str(name));
        size_t count = json_is_array(member) ? json_array_size(member) : 1;
        for (size_t i = 0; i < count && !is_passed_over(fg_str(name)); i++)
            if (!add_claim(reading, claims, type, json_is_array(member) ? json_array_get(member, i) : member, err))
                return false;
    }
    return true;
}

bool fg_jwt_claims_read(fg_arena_t *arena, const json_t *object, fg_str_t issuer, fg_claims_t *claims, fg_err_t *err) {
    fg_jwt_read_t result = {.identity.issuer = issuer};
    const reading_t reading = {.arena = arena, .result = &result};
    return read_claims(&reading, object, claims, err);
}

static bool read_actor(const reading_t *reading, const json_t *act, fg_identity_t *actor, fg_err_t *err) {
    if (!json_is_object(act))
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "act is no object");
    if (!read_text(act, "sub", &actor->name_id.value, err))
        return false;
    if (actor->name_id.value.n == 0)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "act without sub");
    actor->issuer = reading->result->identity.issuer;
    actor->auth_method = FG_STR(FG_AUTH_UNSPECIFIED);
    return read_claims(reading, act, &actor->claims, err);
}

/* RFC 8693 §4.1: who acted last is outermost, and the one inside acted before: an identity's chain, turned round. */
static bool read_actors(const reading_t *reading, fg_identity_t *identity, fg_err_t *err) {
    const json_t *act = json_object_get(reading->result->payload, "act");
    for (size_t count = 0; act != NULL; count++, act = json_object_get(act, "act")) {
        if (count == FG_ACTORS_MAX)
            return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_JWT_MALFORMED, "more than %u actors", FG_ACTORS_MAX);
        fg_identity_t *actor = fg_arena_alloc(reading->arena, sizeof *actor);
        if (actor == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "no memory for an actor");
        if (!read_actor(reading, act, actor, err))
            return false;
        actor->actor = identity->actor;
        identity->actor = actor;
    }
    return true;
}

static bool read_identity(const reading_t *reading, fg_err_t *err) {
    fg_identity_t *identity = &reading->result->identity;
    const json_t *payload = reading->result->payload;
    read_method(reading);
    return read_text(payload, "jti", &reading->result->id, err) &&
           read_text(payload, "sub", &identity->name_id.value, err) &&
           read_time(reading, "auth_time", &identity->auth_instant_ms, err) &&
           read_claims(reading, payload, &identity->claims, err) && read_actors(reading, identity, err);
}

/* ---- the whole */

static fg_str_t peek(fg_arena_t *arena, fg_str_t token, const char *name) {
    fg_str_t parts[3];
    if (token.n > FG_JWT_MAX || !fg_jws_split(token, parts))
        return FG_STR_NONE;
    fg_str_t payload = fg_jws_decode(arena, parts[1]);
    const json_t *object = payload.p != NULL ? fg_jws_object(arena, payload, "payload", NULL) : NULL;
    return object != NULL ? fg_json_string(object, name) : FG_STR_NONE;
}

fg_str_t fg_jwt_peek_issuer(fg_arena_t *arena, fg_str_t token) { return peek(arena, token, "iss"); }

fg_str_t fg_jwt_peek_audience(fg_arena_t *arena, fg_str_t token) { return peek(arena, token, "aud"); }

bool fg_jwt_read(const fg_env_t *env, fg_arena_t *arena, fg_str_t token, const fg_jwt_trust_t *trust,
                 fg_jwt_read_t *result, fg_err_t *err) {
    const reading_t reading = {env, arena, trust, result};
    fg_jws_t jws;
    memset(result, 0, sizeof *result);
    bool verified = trust->secrets != NULL
                        ? fg_jws_verify_secret(arena, token, trust->secrets, trust->secret_count, &jws, err)
                        : fg_jws_verify(arena, token, trust->keys, &jws, err);
    if (!verified || !check_type(&reading, jws.header, err))
        return false;
    result->key = jws.key;
    result->alg = jws.alg;
    result->type = fg_json_string(jws.header, "typ");
    result->payload = fg_jws_object(arena, jws.payload, "payload", err);
    return result->payload != NULL && check_issuer(&reading, err) && check_times(&reading, err) &&
           check_audience(&reading, err) && read_identity(&reading, err);
}
