/* SPDX-License-Identifier: GPL-2.0-or-later
 * What JSON Web Tokens, JWK sets and discovery documents say. */
#include <stdio.h>
#include <string.h>

#include "cli/facts.h"
#include "core/json.h"
#include "core/time.h"
#include "token/jwt.h"

static fg_str_t dump(fg_facts_t *facts, const json_t *value) {
    if (json_is_string(value))
        return (fg_str_t){json_string_value(value), json_string_length(value)};
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    fg_str_t copy = text != NULL ? fg_arena_str(facts->arena, fg_str(text)) : FG_STR_NONE;
    free(text);
    return copy;
}

/* A string, or each of a list. */
static void add_values(fg_facts_t *facts, const char *name, const json_t *value) {
    if (!json_is_array(value) && value != NULL)
        fg_facts_add(facts, name, dump(facts, value));
    for (size_t i = 0; i < json_array_size(value); i++)
        fg_facts_add(facts, name, dump(facts, json_array_get(value, i)));
}

/* NumericDate (RFC 7519 §2); returns it in milliseconds, INT64_MIN without. */
static int64_t add_date(fg_facts_t *facts, const char *name, const json_t *value) {
    if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > 253402300799.0) {
        if (value != NULL)
            fg_facts_warn(facts, "%s is no date", name);
        return INT64_MIN;
    }
    char text[FG_TIME_SIZE];
    int64_t ms = (int64_t)(json_number_value(value) * 1000);
    fg_time_format(ms, text);
    fg_facts_add_time(facts, name, fg_arena_str(facts->arena, fg_str(text)));
    return ms;
}

static void warn_of_times(fg_facts_t *facts, int64_t not_before, int64_t end) {
    char age[FG_FACTS_AGE_SIZE];
    fg_facts_age(end, facts->now_ms, age);
    if (end == INT64_MIN)
        fg_facts_warn(facts, "it never ends: there is no exp");
    else if (end <= facts->now_ms)
        fg_facts_warn(facts, "it has expired %s", age);
    fg_facts_age(not_before, facts->now_ms, age);
    if (not_before != INT64_MIN && not_before > facts->now_ms)
        fg_facts_warn(facts, "it is not valid yet: %s", age);
}

static void read_header(fg_facts_t *facts, const json_t *header) {
    static const struct {
        const char *member, *name;
    } members[] = {
        {"enc", "encryption_algorithm"}, {"kid", "key_id"},   {"typ", "type"}, {"x5t", "key_thumbprint"},
        {"zip", "compression"},          {"crit", "critical"}};
    bool encrypted = json_object_get(header, "enc") != NULL; /* RFC 7516 §4.1.1: alg is how the key is wrapped */
    add_values(facts, encrypted ? "key_algorithm" : "signature_algorithm", json_object_get(header, "alg"));
    for (size_t i = 0; i < FG_ARRAY_SIZE(members); i++)
        add_values(facts, members[i].name, json_object_get(header, members[i].member));
    fg_str_t alg = fg_json_string(header, "alg");
    if (fg_str_eq_nocase(alg, FG_STR("none")))
        fg_facts_warn(facts, "it is not signed: anybody can have written it");
    if (fg_str_starts(alg, "HS"))
        fg_facts_warn(facts, "it is signed with a secret (%.*s), which a gateway never takes", FG_STR_ARG(alg));
    for (size_t i = 0; i < 4; i++) {
        static const char *const own[] = {"jwk", "jku", "x5u", "x5c"};
        if (json_object_get(header, own[i]) != NULL)
            fg_facts_warn(facts, "the header brings its own key (%s), which is never believed", own[i]);
    }
}

static bool add_claim(fg_facts_t *facts, const char *name, const json_t *value) {
    fg_claim_t claim = {.type = fg_arena_str(facts->arena, fg_str(name)), .value = dump(facts, value)};
    return claim.value.p != NULL && fg_claims_add(facts->arena, &facts->claims, &claim);
}

static void read_jwt(fg_facts_t *facts, const fg_piece_t *piece) {
    json_t *payload = piece->json, *value;
    const char *name;
    read_header(facts, piece->header);
    if (payload == NULL)
        return;
    add_values(facts, "issuer", json_object_get(payload, "iss"));
    add_values(facts, "subject", json_object_get(payload, "sub"));
    add_values(facts, "audience", json_object_get(payload, "aud"));
    add_values(facts, "id", json_object_get(payload, "jti"));
    add_values(facts, "nonce", json_object_get(payload, "nonce"));
    add_date(facts, "issued", json_object_get(payload, "iat"));
    int64_t not_before = add_date(facts, "not_before", json_object_get(payload, "nbf"));
    int64_t end = add_date(facts, "not_on_or_after", json_object_get(payload, "exp"));
    add_date(facts, "authenticated", json_object_get(payload, "auth_time"));
    warn_of_times(facts, not_before, end);
    if (json_object_get(payload, "aud") == NULL)
        fg_facts_warn(facts, "it does not say for whom it is: there is no aud");
    json_object_foreach(payload, name, value) {
        size_t count = json_is_array(value) ? json_array_size(value) : 1;
        if (fg_jwt_name_is_own(fg_str(name)))
            continue;
        for (size_t i = 0; i < count; i++)
            if (!add_claim(facts, name, json_is_array(value) ? json_array_get(value, i) : value))
                return;
    }
}

static void read_jwks(fg_facts_t *facts, const json_t *keys) {
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        fg_str_t kid = fg_json_string(key, "kid"), kty = fg_json_string(key, "kty"), use = fg_json_string(key, "use"),
                 alg = fg_json_string(key, "alg");
        fg_facts_add(facts, "key",
                     fg_str(fg_arena_printf(facts->arena, "%.*s %.*s %.*s %.*s", FG_STR_ARG(kid), FG_STR_ARG(kty),
                                            FG_STR_ARG(use), FG_STR_ARG(alg))));
        if (json_object_get(key, "d") != NULL || json_object_get(key, "k") != NULL)
            fg_facts_warn(facts, "the key %.*s is a secret one: it must not be published", FG_STR_ARG(kid));
    }
}

static void read_members(fg_facts_t *facts, json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        bool secret = strstr(name, "token") != NULL && json_is_string(value) && strlen(json_string_value(value)) > 20 &&
                      strstr(json_string_value(value), "://") == NULL;
        if (secret)
            fg_facts_add_secret(facts, name, dump(facts, value));
        else
            add_values(facts, name, value);
    }
}

void fg_facts_read_json(fg_facts_t *facts, const fg_piece_t *piece) {
    if (piece->kind == FG_PIECE_JWT)
        read_jwt(facts, piece);
    else if (piece->kind == FG_PIECE_JWE)
        read_header(facts, piece->header);
    else if (piece->kind == FG_PIECE_JWKS)
        read_jwks(facts, json_object_get(piece->json, "keys"));
    else if (piece->json != NULL)
        read_members(facts, piece->json);
}
