/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AD FS' query of the Active Directory attribute store, over the persons of a users file: "FILTER;ATTRIBUTES;ACCOUNT".
 *
 * The text is taken apart before any {n} is replaced, so that a value can never become a part of the query (KL-07). */
#include "directory/users_query.h"

#include "core/json.h"

#define ATTRIBUTES_MAX 32u
#define VALUE_MAX 4096u

typedef struct query {
    fg_arena_t *arena;
    const fg_str_t *params;
    size_t param_count;
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

/* ---- texts with {n} ---- */

/* The parameter that "{n}" at the beginning of text names, and how long that is; .p NULL: it is none. */
static bool placeholder(const query_t *q, fg_str_t text, fg_str_t *value, size_t *length) {
    size_t at = 1, number = 0;
    while (at < text.n && at < 4 && text.p[at] >= '0' && text.p[at] <= '9')
        number = number * 10 + (size_t)(text.p[at++] - '0');
    if (at == 1 || at >= text.n || text.p[at] != '}' || number >= q->param_count)
        return FG_FAIL(q->err, FG_E_CONFIG, "query: \"%.*s\" names none of %zu params", FG_STR_ARG(text),
                       q->param_count);
    *value = q->params[number];
    *length = at + 1;
    return true;
}

/* A part of the query with its placeholders replaced. */
static bool replace(const query_t *q, fg_str_t text, fg_str_t *out) {
    fg_buf_t buf = FG_BUF_INIT(VALUE_MAX);
    bool ok = true;
    for (size_t at = 0; ok && at < text.n;) {
        fg_str_t value = {text.p + at, 1};
        size_t length = 1;
        ok = text.p[at] != '{' || placeholder(q, (fg_str_t){text.p + at, text.n - at}, &value, &length);
        if (ok)
            fg_buf_put_str(&buf, value);
        at += length;
    }
    *out = ok ? fg_arena_str(q->arena, fg_buf_str(&buf)) : FG_STR_NONE;
    if (ok && (!fg_buf_ok(&buf) || out->p == NULL))
        ok = FG_FAIL(q->err, FG_E_INTERNAL, "query: a text of more than %u bytes, or no memory", VALUE_MAX);
    fg_buf_free(&buf);
    return ok;
}

/* ---- which persons ---- */

/* "DOMAIN\user", "user" or a upn. */
static bool find_account(const query_t *q, const fg_users_t *users, fg_str_t text, const json_t **user) {
    fg_str_t name;
    if (!replace(q, text, &name))
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
    return attribute_find(q, name, &filter->attribute) && replace(q, value, &filter->value);
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
    attribute_t attributes[ATTRIBUTES_MAX];
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

static bool attributes_read(const query_t *q, fg_str_t text, size_t type_count, answer_t *answer) {
    answer->count = 0;
    for (bool more = true; more;) {
        const char *comma = text.n > 0 ? memchr(text.p, ',', text.n) : NULL;
        fg_str_t name = fg_str_trim((fg_str_t){text.p, comma ? (size_t)(comma - text.p) : text.n});
        if (answer->count == ATTRIBUTES_MAX || name.n == 0)
            return FG_FAIL(q->err, FG_E_CONFIG, "query: expected 1 to %u attributes between commas", ATTRIBUTES_MAX);
        if (!attribute_find(q, name, &answer->attributes[answer->count++]))
            return false;
        more = comma != NULL;
        if (more)
            text = (fg_str_t){comma + 1, text.n - (size_t)(comma + 1 - text.p)};
    }
    return answer->count == type_count ||
           FG_FAIL(q->err, FG_E_CONFIG, "query: %zu attributes for %zu types", answer->count, type_count);
}

/* Exactly three parts; the third may hold no ';', which no account does. */
static bool parts_read(const query_t *q, fg_str_t text, fg_str_t parts[3]) {
    size_t count = 0, begin = 0;
    for (size_t at = 0; at <= text.n; at++) {
        if (at < text.n && text.p[at] != ';')
            continue;
        if (count < 3)
            parts[count] = fg_str_trim((fg_str_t){text.p + begin, at - begin});
        count++;
        begin = at + 1;
    }
    return count == 3 || FG_FAIL(q->err, FG_E_CONFIG, "query: \"%.*s\"; expected \"FILTER;ATTRIBUTES;DOMAIN\\user\"",
                                 FG_STR_ARG(text));
}

bool fg_users_query(const fg_users_t *users, const fg_users_query_t *query, fg_arena_t *arena, fg_claims_t *out,
                    fg_err_t *err) {
    const query_t q = {arena, query->params, query->param_count, err};
    answer_t answer = {.types = query->types, .issuer = query->issuer, .out = out};
    fg_str_t parts[3];
    const json_t *user = NULL;
    if (!parts_read(&q, query->text, parts) || !attributes_read(&q, parts[1], query->type_count, &answer))
        return false;
    if (parts[0].n == 0)
        return find_account(&q, users, parts[2], &user) && put_person(&q, &answer, user);
    filter_t filter;
    if (!filter_read(&q, parts[0], &filter))
        return false;
    size_t i;
    json_array_foreach(fg_users_all(users), i, user) {
        if (filter_holds(&filter, user) && !put_person(&q, &answer, user))
            return false;
    }
    return true;
}
