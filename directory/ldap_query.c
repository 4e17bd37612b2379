/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_query.h"

#include <stdlib.h>

#define ENTRIES_MAX 100u
#define VALUES_MAX 2000u
#define PARAMS_MAX 64u
#define KEY_MAX (32u << 10)

typedef struct run {
    const fg_ldap_options_t *options;
    fg_ldap_connection_t *connection;
    fg_arena_t *arena;
    const fg_query_t *query;
    fg_query_parts_t parts;
    int64_t deadline;
    fg_claims_t *out;
    size_t values;
    fg_err_t *err;
} run_t;

static bool out_of_memory(const run_t *r) { return FG_FAIL(r->err, FG_E_MEMORY, "no memory for a query"); }

/* ---- attributes */

/* RFC 4512 §2.5: letters, digits and hyphens, numbers with dots, options behind semicolons (which end a part here). */
static bool is_attribute(fg_str_t name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!good)
            return false;
    }
    return name.n > 0;
}

/* What a name with tokenGroups stands for. */
typedef struct groups_form {
    const char *name;
    const char *claim;
    bool active_directory; /* alone */
    enum { AS_IT_IS, WITH_DOMAIN, WITH_LONG_DOMAIN } qualified;
} groups_form_t;

static const groups_form_t groups_forms[] = {
    {"tokenGroups", FG_CLAIM_GROUP, false, AS_IT_IS},
    {"tokenGroups(SID)", FG_CLAIM_GROUPSID, true, AS_IT_IS},
    {"tokenGroups(domainQualifiedName)", FG_CLAIM_GROUP, true, WITH_DOMAIN},
    {"tokenGroups(longDomainQualifiedName)", FG_CLAIM_GROUP, true, WITH_LONG_DOMAIN},
};

/* NULL: it is an attribute. */
static const groups_form_t *groups_form(fg_str_t name) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(groups_forms); i++)
        if (fg_str_eq_nocase(name, fg_str(groups_forms[i].name)))
            return &groups_forms[i];
    return NULL;
}

static bool check_attributes(const fg_ldap_options_t *options, const fg_query_parts_t *parts, fg_err_t *err) {
    for (size_t i = 0; i < parts->attribute_count; i++) {
        fg_str_t name = parts->attributes[i];
        const groups_form_t *form = groups_form(name);
        if (form == NULL && !is_attribute(name))
            return FG_FAIL(err, FG_E_CONFIG,
                           "query: \"%.*s\" is no attribute; expected a name, or tokenGroups, also with (SID), "
                           "(domainQualifiedName) or (longDomainQualifiedName)",
                           FG_STR_ARG(name));
        if (form != NULL && form->active_directory && options->type != FG_LDAP_AD)
            return FG_FAIL(err, FG_E_CONFIG, "query: only Active Directory has %s; expected tokenGroups", form->name);
    }
    return true;
}

/* ---- filters */

/* With its outer parentheses. */
static const char *filter_text(fg_arena_t *arena, fg_str_t filter) {
    return filter.p[0] == '(' ? fg_arena_strndup(arena, filter.p, filter.n)
                              : fg_arena_printf(arena, "(%.*s)", FG_STR_ARG(filter));
}

static const char *fill_filter(const fg_query_t *query, fg_arena_t *arena, fg_str_t text, fg_err_t *err) {
    fg_ldap_word_t words[PARAMS_MAX];
    size_t count = query->param_count < PARAMS_MAX ? query->param_count : PARAMS_MAX;
    const char *filter = filter_text(arena, text);
    for (size_t i = 0; i < count; i++)
        words[i] =
            (fg_ldap_word_t){fg_arena_printf(arena, "%zu", i), query->params != NULL ? query->params[i] : FG_STR("x")};
    for (size_t i = 0; filter != NULL && i < count; i++)
        if (words[i].name == NULL)
            filter = NULL;
    if (filter != NULL && fg_ldap_is_filter(fg_str(filter)))
        return fg_ldap_make_filter(arena, filter, words, count, err);
    if (filter == NULL)
        FG_FAIL(err, FG_E_MEMORY, "no memory for a query");
    else
        FG_FAIL(
            err, FG_E_CONFIG,
            "query: \"%.*s\" is no filter; expected attribute=value or (&(a=b)(c={0})), with {0} only where a value "
            "stands",
            FG_STR_ARG(text));
    return NULL;
}

bool fg_ldap_query_check(const fg_ldap_options_t *options, const fg_query_t *query, fg_err_t *err) {
    fg_query_parts_t parts;
    fg_str_t account;
    if (options->type == FG_LDAP_AD && options->bind_dn == NULL)
        return FG_FAIL(err, FG_E_CONFIG, "directory %s has no account that searches; expected bind_dn in its section",
                       options->name);
    if (!fg_query_take_apart(query, false, &parts, err) || !check_attributes(options, &parts, err))
        return false;
    if (parts.filter.n == 0 && parts.account.n == 0)
        return FG_FAIL(err, FG_E_CONFIG, "query: neither a filter nor an account; expected \"%s\"",
                       options->type == FG_LDAP_AD ? ";mail;{0}" : "uid={0};mail");
    fg_arena_t *arena = fg_arena_new(0);
    bool ok = arena != NULL || FG_FAIL(err, FG_E_MEMORY, "no memory for a query");
    ok = ok && fg_query_fill(query, arena, parts.account, &account, err) &&
         (parts.filter.n == 0 || fill_filter(query, arena, parts.filter, err) != NULL);
    fg_arena_free(arena);
    return ok;
}

/* ---- entries */

static bool put_value(run_t *r, size_t at, fg_str_t value) {
    const fg_claim_t claim = {.type = r->query->types[at], .value = value, .issuer = r->query->issuer};
    if (++r->values > VALUES_MAX)
        return FG_FAIL(r->err, FG_E_INTERNAL, "query: more than %u values", VALUES_MAX);
    return (value.p != NULL && fg_claims_add(r->arena, r->out, &claim)) || out_of_memory(r);
}

static bool put_values(run_t *r, LDAPMessage *entry, size_t at) {
    const char *name = fg_arena_strndup(r->arena, r->parts.attributes[at].p, r->parts.attributes[at].n);
    struct berval **values = name != NULL ? ldap_get_values_len(r->connection->ld, entry, name) : NULL;
    bool ok = name != NULL || out_of_memory(r);
    for (size_t i = 0; ok && values != NULL && values[i] != NULL; i++)
        if (values[i]->bv_len > 0 && values[i]->bv_len <= FG_LDAP_VALUE_MAX)
            ok = put_value(r, at, fg_ldap_value_text(r->arena, name, (fg_str_t){values[i]->bv_val, values[i]->bv_len}));
    ldap_value_free_len(values);
    return ok;
}

static fg_str_t first_value(const run_t *r, LDAPMessage *entry, const char *name) {
    struct berval **values = ldap_get_values_len(r->connection->ld, entry, name);
    fg_str_t value = FG_STR_NONE;
    if (values != NULL && values[0] != NULL)
        value = fg_arena_str(r->arena, (fg_str_t){values[0]->bv_val, values[0]->bv_len});
    ldap_value_free_len(values);
    return value;
}

/* "GW\name" and "gw.test\name"; the groups of every server are BUILTIN's ([MS-DTYP] §2.4.2.4: S-1-5-32). */
static fg_str_t qualify(const run_t *r, const groups_form_t *form, fg_str_t name, fg_str_t sid) {
    const char *domain = form->qualified == WITH_DOMAIN ? r->options->domain : r->options->realm;
    if (fg_str_starts(sid, "S-1-5-32-"))
        domain = "BUILTIN";
    if (form->qualified == AS_IT_IS || domain == NULL)
        return name;
    char *text = fg_arena_printf(r->arena, "%s\\%.*s", domain, FG_STR_ARG(name));
    if (form->qualified == WITH_LONG_DOMAIN && domain == r->options->realm)
        for (char *c = text; c != NULL && *c != '\\'; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    return fg_str(text);
}

static bool put_group_claims(run_t *r, const fg_claims_t *groups, size_t at, const groups_form_t *form) {
    for (size_t i = 0; i < groups->count; i++) {
        /* name, role, SID: ldap_groups.c */
        bool has_sid = i + 2 < groups->count && fg_str_is(groups->items[i + 2].type, FG_CLAIM_GROUPSID);
        fg_str_t sid = has_sid ? groups->items[i + 2].value : FG_STR_NONE;
        if (fg_str_is(groups->items[i].type, form->claim) &&
            !put_value(r, at, qualify(r, form, groups->items[i].value, sid)))
            return false;
    }
    return true;
}

/* All groups, whatever the directory's people are given at sign-in: that is what the name says. */
static bool put_groups(run_t *r, LDAPMessage *entry, size_t at, const groups_form_t *form) {
    fg_ldap_options_t options = *r->options;
    fg_claims_t groups = {0};
    char *dn = ldap_get_dn(r->connection->ld, entry);
    const fg_ldap_member_t member = {
        .dn = dn, .user = first_value(r, entry, "uid"), .gid = first_value(r, entry, "gidNumber")};
    options.groups = FG_LDAP_GROUPS_NESTED;
    if (options.type == FG_LDAP_AD)
        options.group_filter = NULL;
    bool ok = dn != NULL ? fg_ldap_groups_add(&options, r->connection, r->arena, &member, r->deadline, &groups, r->err)
                         : out_of_memory(r);
    ldap_memfree(dn);
    return ok && put_group_claims(r, &groups, at, form);
}

static bool put_entry(run_t *r, LDAPMessage *entry) {
    fg_str_t control = r->options->type == FG_LDAP_AD ? first_value(r, entry, "userAccountControl") : FG_STR_NONE;
    if (control.n > 0 && (strtoul(control.p, NULL, 10) & FG_LDAP_DISABLED) != 0)
        return true;
    for (size_t i = 0; i < r->parts.attribute_count; i++) {
        const groups_form_t *form = groups_form(r->parts.attributes[i]);
        if (form != NULL ? !put_groups(r, entry, i, form) : !put_values(r, entry, i))
            return false;
    }
    return true;
}

static bool put_all(run_t *r, LDAPMessage *result, bool *somebody) {
    LDAP *ld = r->connection->ld;
    size_t count = 0;
    for (LDAPMessage *one = ldap_first_entry(ld, result); one != NULL; one = ldap_next_entry(ld, one)) {
        if (++count > ENTRIES_MAX)
            return FG_FAIL(r->err, FG_E_INTERNAL, "query: more than %u entries", ENTRIES_MAX);
        if (!put_entry(r, one))
            return false;
    }
    *somebody = count > 0;
    return true;
}

/* ---- asking */

static bool search(run_t *r, const char *filter, LDAPMessage **result) {
    static const char *const besides[] = {FG_LDAP_NAMES, "userAccountControl", "gidNumber"};
    const char *attributes[FG_QUERY_ATTRIBUTES_MAX + FG_ARRAY_SIZE(besides) + 1];
    size_t count = 0;
    fg_ldap_answer_t answer;
    for (; count < FG_ARRAY_SIZE(besides); count++)
        attributes[count] = besides[count];
    for (size_t i = 0; i < r->parts.attribute_count; i++) {
        if (groups_form(r->parts.attributes[i]) != NULL) /* can be asked of a single entry alone */
            continue;
        attributes[count] = fg_arena_strndup(r->arena, r->parts.attributes[i].p, r->parts.attributes[i].n);
        if (attributes[count++] == NULL)
            return out_of_memory(r);
    }
    attributes[count] = NULL;
    const fg_ldap_search_t wanted = {r->options->base, LDAP_SCOPE_SUBTREE, filter, attributes, ENTRIES_MAX + 1};
    if (!fg_ldap_search(r->connection, &wanted, r->deadline, result, &answer, r->err))
        return false;
    if (answer.code == LDAP_SUCCESS)
        return true;
    ldap_msgfree(*result);
    *result = NULL;
    return FG_FAIL(r->err, FG_E_INTERNAL, "query: more entries than the server gives out, or than %u", ENTRIES_MAX);
}

/* "DOMAIN\user" and whatever else names somebody at sign-in. */
static bool run_account(run_t *r, bool *somebody) {
    fg_ldap_name_t name;
    fg_str_t text;
    fg_err_t why = FG_ERR_INIT;
    LDAPMessage *result = NULL;
    bool several = false;
    if (!fg_query_fill(r->query, r->arena, r->parts.account, &text, r->err))
        return false;
    if (!fg_ldap_name_read(r->options, r->arena, FG_ACCOUNT_NAME, text, &name, &why))
        return why.code == FG_E_AUTH_FAILED || out_of_memory(r); /* nobody here can have that name */
    const char *filter = fg_ldap_account_filter(r->options, r->arena, &name, r->err);
    if (filter == NULL || !search(r, filter, &result))
        return false;
    LDAPMessage *one = fg_ldap_account_choose(r->options, r->connection, r->arena, result, &name, &several);
    *somebody = one != NULL;
    bool ok = !several || FG_FAIL(r->err, FG_E_DIRECTORY, "query: %.*s is more than one account", FG_STR_ARG(text));
    ok = ok && (one == NULL || put_entry(r, one));
    ldap_msgfree(result);
    return ok;
}

static bool run_filter(run_t *r, bool *somebody) {
    LDAPMessage *result = NULL;
    const char *filter = fill_filter(r->query, r->arena, r->parts.filter, r->err);
    if (filter == NULL || !search(r, filter, &result))
        return false;
    bool ok = put_all(r, result, somebody);
    ldap_msgfree(result);
    return ok;
}

bool fg_ldap_query_run(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                       const fg_query_t *query, int64_t deadline, fg_claims_t *out, bool *somebody, fg_err_t *err) {
    run_t r = {.options = options,
               .connection = connection,
               .arena = arena,
               .query = query,
               .deadline = deadline,
               .out = out,
               .err = err};
    *somebody = false;
    if (!fg_query_take_apart(query, false, &r.parts, err))
        return false;
    return r.parts.filter.n == 0 ? run_account(&r, somebody) : run_filter(&r, somebody);
}

/* ---- the cache */

static void put_counted(fg_buf_t *out, fg_str_t text) {
    fg_buf_printf(out, ":%zu:", text.n);
    fg_buf_put_str(out, text);
}

fg_str_t fg_ldap_query_key(fg_arena_t *arena, const fg_query_t *query) {
    fg_buf_t out = FG_BUF_INIT(KEY_MAX);
    fg_buf_puts(&out, "query");
    put_counted(&out, query->text);
    for (size_t i = 0; i < query->type_count; i++)
        put_counted(&out, query->types[i]);
    for (size_t i = 0; i < query->param_count; i++)
        put_counted(&out, query->params[i]);
    fg_str_t key = fg_buf_ok(&out) ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return key;
}
