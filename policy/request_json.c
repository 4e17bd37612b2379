/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/request_json.h"

#include "core/json.h"

#define VALUES_MAX 1000u /* of all members together */
#define TYPES_MAX 64u

typedef struct reader {
    fg_arena_t *arena;
    fg_claims_t *claims;
    fg_str_t type;
    unsigned values;
    fg_err_t *err;
} reader_t;

static void release(void *json) { json_decref(json); }

/* Strings as they are, the rest as JSON writes it; objects and null stand for themselves only. */
static bool add_value(reader_t *r, const json_t *value) {
    fg_claim_t claim = {.type = r->type, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    if (json_is_object(value))
        return true;
    if (++r->values > VALUES_MAX)
        return FG_FAIL(r->err, FG_E_HTTP_REQUEST, "more than %u values in the JSON body", VALUES_MAX);
    if (json_is_string(value)) {
        claim.value = fg_arena_str(r->arena, (fg_str_t){json_string_value(value), json_string_length(value)});
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        claim.value = text ? fg_arena_str(r->arena, fg_str(text)) : FG_STR_NONE;
        free(text);
    }
    if (claim.value.p == NULL || !fg_claims_add(r->arena, r->claims, &claim))
        return FG_FAIL(r->err, FG_E_MEMORY, "claims");
    return true;
}

/* A reader that does not mind case would find this member in place of the named one. */
static bool has_twin(const json_t *object, fg_str_t name) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (fg_str_eq_nocase(fg_str(key), name) && !fg_str_is(name, key))
            return true;
    }
    return false;
}

/* path: names joined by '.'; recursion ends with the depth that core/json.h allows. */
static bool walk(reader_t *r, const json_t *value, fg_str_t path) {
    if (json_is_array(value)) {
        size_t i;
        json_t *element;
        json_array_foreach(value, i, element) {
            if (!walk(r, element, path))
                return false;
        }
        return true;
    }
    if (path.n == 0)
        return add_value(r, value);
    if (!json_is_object(value))
        return true;
    const char *dot = memchr(path.p, '.', path.n);
    fg_str_t name = {path.p, dot ? (size_t)(dot - path.p) : path.n};
    if (has_twin(value, name))
        return FG_FAIL(r->err, FG_E_HTTP_REQUEST, "a JSON member that differs from \"%.*s\" in case only",
                       FG_STR_ARG(name));
    const json_t *member = json_object_getn(value, name.p, name.n);
    size_t used = name.n + (dot ? 1 : 0);
    return member == NULL || walk(r, member, (fg_str_t){path.p + used, path.n - used});
}

bool fg_request_json_read(fg_arena_t *arena, const fg_str_t *types, size_t count, fg_str_t body, fg_claims_t *claims,
                          fg_err_t *err) {
    reader_t r = {.arena = arena, .claims = claims, .err = err};
    json_t *json = fg_json_parse(body, err);
    if (json == NULL) {
        if (err != NULL)
            err->code = FG_E_HTTP_REQUEST;
        return false;
    }
    if (!fg_arena_own(arena, release, json))
        return FG_FAIL(err, FG_E_MEMORY, "JSON body");
    size_t prefix = strlen(FG_REQUEST_JSON);
    for (size_t i = 0; i < count; i++) {
        r.type = types[i];
        if (!walk(&r, json, (fg_str_t){types[i].p + prefix, types[i].n - prefix}))
            return false;
    }
    return true;
}

bool fg_request_json_claims(fg_arena_t *arena, const fg_ruleset_t *policy, fg_str_t body, fg_claims_t *claims,
                            fg_err_t *err) {
    fg_str_t few[TYPES_MAX], *types = few;
    size_t count = fg_ruleset_get_types(policy, FG_REQUEST_JSON, few, TYPES_MAX);
    if (count > TYPES_MAX) {
        types = fg_arena_alloc(arena, count * sizeof *types);
        if (types == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "JSON body");
        count = fg_ruleset_get_types(policy, FG_REQUEST_JSON, types, count);
    }
    return fg_request_json_read(arena, types, count, body, claims, err);
}
