/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AD FS' query of the Active Directory attribute store, over the persons of a users file. */
#include "directory/users_query.h"

#include "core/json.h"

typedef struct query {
    fg_arena_t *arena;
    const fg_query_t *asked;
    fg_err_t *err;
} query_t;

/* ---- attributes ---- */

/* Active Directory's names of what a users file has; its own names are known besides. */
static const struct {
    const char *name;
    const char *attribute; /* in the file; NULL: of the person itself */
    const char *member;
} names[] = {
    {"mail", "mail", NULL},       {"userPrincipalName", "upn", NULL},    {"givenName", "given_name", NULL},
    {"sn", "surname", NULL},      {"displayName", "display_name", NULL}, {"sAMAccountName", NULL, "name"},
    {"memberOf", NULL, "groups"}, {"tokenGroups", NULL, "groups"},       {"name", NULL, "name"},
    {"groups", NULL, "groups"},
};

/* Where a person has the values of a named attribute. */
typedef struct attribute {
    const char *attribute;
    const char *member;
} attribute_t;

static bool attribute_find(const query_t *q, fg_str_t name, attribute_t *out) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++)
        if (fg_str_eq_nocase(name, fg_str(names[i].name))) {
            *out = (attribute_t){names[i].attribute, names[i].member};
            return true;
        }
    const char *own = fg_arena_strndup(q->arena, name.p, name.n);
    if (own == NULL)
        return FG_FAIL(q->err, FG_E_MEMORY, "no memory for a query");
    if (fg_user_claim_type(own) == NULL)
        return FG_FAIL(q->err, FG_E_CONFIG,
                       "query: there is no attribute \"%.*s\"; there are mail, userPrincipalName, givenName, sn, "
                       "displayName, sAMAccountName, memberOf, tokenGroups and those of the users file",
                       FG_STR_ARG(name));
    *out = (attribute_t){own, NULL};
    return true;
}

/* A string, an array of strings, or NULL. */
static const json_t *values_of(const json_t *user, const attribute_t *attribute) {
    return attribute->attribute != NULL ? json_object_get(json_object_get(user, "attributes"), attribute->attribute)
                                        : json_object_get(user, attribute->member);
}

static size_t value_count(const json_t *values) { return json_is_string(values) ? 1 : json_array_size(values); }

static fg_str_t value_at(const json_t *values, size_t at) {
    const json_t *value = json_is_string(values) ? values : json_array_get(values, at);
    return (fg_str_t){json_string_value(value), json_string_length(value)};
}

/* ---- which persons ---- */

/* "DOMAIN\user", "user" or a upn. */
static bool find_account(const query_t *q, const fg_users_t *users, fg_str_t text, const json_t **user) {
    fg_str_t name;
    if (!fg_query_fill(q->asked, q->arena, text, &name, q->err))
        return false;
    const char *slash = name.n > 0 ? memchr(name.p, '\\', name.n) : NULL;
    if (slash != NULL)
        name = (fg_str_t){slash + 1, name.n - (size_t)(slash + 1 - name.p)};
    *user = fg_users_find(users, name);
    return true;
}

typedef struct filter {
    attribute_t attribute;
    fg_str_t value;
} filter_t;

/* "(attribute=value)" or the same without parentheses. */
static bool filter_read(const query_t *q, fg_str_t text, filter_t *filter) {
    if (text.n >= 2 && text.p[0] == '(' && text.p[text.n - 1] == ')')
        text = (fg_str_t){text.p + 1, text.n - 2};
    const char *equals = memchr(text.p, '=', text.n);
    fg_str_t name = fg_str_trim((fg_str_t){text.p, equals ? (size_t)(equals - text.p) : 0});
    fg_str_t value = equals ? (fg_str_t){equals + 1, text.n - (size_t)(equals + 1 - text.p)} : FG_STR_NONE;
    static const char operators[] = "()&|!<>~:*\\";
    for (const char *c = operators; *c != '\0'; c++)
        if (name.n == 0 || memchr(name.p, *c, name.n) != NULL || memchr(value.p, *c, value.n) != NULL)
            return FG_FAIL(q->err, FG_E_CONFIG, "query: filter \"%.*s\"; expected nothing or \"(attribute=value)\"",
                           FG_STR_ARG(text));
    return attribute_find(q, name, &filter->attribute) &&
           fg_query_fill(q->asked, q->arena, value, &filter->value, q->err);
}

static bool filter_holds(const filter_t *filter, const json_t *user) {
    const json_t *values = values_of(user, &filter->attribute);
    for (size_t i = 0; i < value_count(values); i++)
        if (fg_str_eq_nocase(value_at(values, i), filter->value))
            return true;
    return false;
}

/* ---- the answer ---- */

typedef struct answer {
    attribute_t attributes[FG_QUERY_ATTRIBUTES_MAX];
    const fg_str_t *types;
    size_t count;
    fg_str_t issuer;
    fg_claims_t *out;
} answer_t;

static bool put_person(const query_t *q, const answer_t *answer, const json_t *user) {
    if (user == NULL || json_is_true(json_object_get(user, "disabled")))
        return true;
    for (size_t i = 0; i < answer->count; i++) {
        const json_t *values = values_of(user, &answer->attributes[i]);
        for (size_t k = 0; k < value_count(values); k++) {
            fg_claim_t claim = {.type = answer->types[i],
                                .value = fg_arena_str(q->arena, value_at(values, k)),
                                .issuer = answer->issuer};
            if (claim.value.p == NULL || !fg_claims_add(q->arena, answer->out, &claim))
                return FG_FAIL(q->err, FG_E_MEMORY, "no memory for a query's claims");
        }
    }
    return true;
}

/* The query, taken apart and understood. */
typedef struct understood {
    fg_query_parts_t parts;
    answer_t answer;
    filter_t filter; /* if parts has one */
} understood_t;

static bool understand(const query_t *q, understood_t *u) {
    if (!fg_query_take_apart(q->asked, true, &u->parts, q->err))
        return false;
    for (; u->answer.count < u->parts.attribute_count; u->answer.count++)
        if (!attribute_find(q, u->parts.attributes[u->answer.count], &u->answer.attributes[u->answer.count]))
            return false;
    return u->parts.filter.n == 0 || filter_read(q, u->parts.filter, &u->filter);
}

bool fg_users_query_check(const fg_query_t *query, fg_arena_t *arena, fg_err_t *err) {
    const query_t q = {arena, query, err};
    understood_t u = {.answer = {.count = 0}};
    fg_str_t account;
    return understand(&q, &u) && fg_query_fill(query, arena, u.parts.account, &account, err);
}

bool fg_users_query(const fg_users_t *users, const fg_query_t *query, fg_arena_t *arena, fg_claims_t *out,
                    fg_err_t *err) {
    const query_t q = {arena, query, err};
    understood_t u = {.answer = {.types = query->types, .issuer = query->issuer, .out = out}};
    const json_t *user = NULL;
    if (!understand(&q, &u))
        return false;
    if (u.parts.filter.n == 0)
        return find_account(&q, users, u.parts.account, &user) && put_person(&q, &u.answer, user);
    size_t i;
    json_array_foreach(fg_users_all(users), i, user) {
        if (filter_holds(&u.filter, user) && !put_person(&q, &u.answer, user))
            return false;
    }
    return true;
}
