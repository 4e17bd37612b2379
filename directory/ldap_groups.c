/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A person's groups as claims: names, and in Active Directory SIDs. */
#include "directory/ldap_parts.h"

#include <stdlib.h>

#define BATCH 50u /* SIDs in one filter */
#define DEPTH_MAX 16u
#define IN_CHAIN "(member:1.2.840.113556.1.4.1941:={dn})" /* LDAP_MATCHING_RULE_IN_CHAIN, [MS-ADTS] §3.1.1.3.4.4.3 */

typedef struct finder {
    const fg_ldap_options_t *options;
    fg_ldap_connection_t *connection;
    fg_arena_t *arena;
    int64_t deadline;
    fg_claims_t *claims;
    fg_err_t *err;
    const char **seen; /* DNs of groups */
    size_t seen_count;
} finder_t;

static bool out_of_memory(const finder_t *f) { return FG_FAIL(f->err, FG_E_MEMORY, "no memory for groups"); }

static bool put_group(const finder_t *f, fg_str_t name, fg_str_t sid) {
    return (name.n == 0 || (fg_ldap_put_claim(f->options, f->arena, f->claims, FG_CLAIM_GROUP, name) &&
                            fg_ldap_put_claim(f->options, f->arena, f->claims, FG_CLAIM_ROLE, name))) &&
                   (sid.n == 0 || fg_ldap_put_claim(f->options, f->arena, f->claims, FG_CLAIM_GROUPSID, sid))
               ? true
               : out_of_memory(f);
}

static fg_str_t first_value(const finder_t *f, LDAPMessage *entry, const char *attribute) {
    struct berval **values = ldap_get_values_len(f->connection->ld, entry, attribute);
    fg_str_t value = FG_STR_NONE;
    if (values != NULL && values[0] != NULL && values[0]->bv_len <= FG_LDAP_VALUE_MAX)
        value = fg_ldap_value_text(f->arena, attribute, (fg_str_t){values[0]->bv_val, values[0]->bv_len});
    ldap_value_free_len(values);
    return value;
}

/* Notes a group; false: it was there already, or there are too many. */
static bool is_new(finder_t *f, const char *dn) {
    for (size_t i = 0; i < f->seen_count; i++)
        if (strcasecmp(f->seen[i], dn) == 0)
            return false;
    if (f->seen_count == FG_LDAP_GROUPS_MAX)
        return false;
    const char *copy = fg_arena_strdup(f->arena, dn);
    if (copy == NULL)
        return false;
    f->seen[f->seen_count++] = copy;
    return true;
}

static bool take_groups(finder_t *f, LDAPMessage *result, bool with_sid) {
    LDAP *ld = f->connection->ld;
    bool ok = true;
    for (LDAPMessage *one = ldap_first_entry(ld, result); ok && one != NULL; one = ldap_next_entry(ld, one)) {
        char *dn = ldap_get_dn(ld, one);
        if (dn != NULL && is_new(f, dn))
            ok = put_group(f, first_value(f, one, f->options->group_name),
                           with_sid ? first_value(f, one, "objectSid") : FG_STR_NONE);
        ldap_memfree(dn);
    }
    return ok;
}

static bool search_groups(finder_t *f, const char *filter, bool with_sid) {
    const char *attributes[] = {f->options->group_name, "objectSid", NULL};
    const char *base = f->options->group_base ? f->options->group_base : f->options->base;
    fg_ldap_search_t search = {base, LDAP_SCOPE_SUBTREE, filter, attributes, 0};
    LDAPMessage *result = NULL;
    if (!fg_ldap_search(f->connection, &search, f->deadline, &result, NULL, f->err))
        return false;
    bool ok = take_groups(f, result, with_sid);
    ldap_msgfree(result);
    return ok;
}

static bool search_member(finder_t *f, const char *text, const fg_ldap_member_t *member) {
    const fg_ldap_word_t words[] = {{"dn", fg_str(member->dn)}, {"user", member->user}, {"gid", member->gid}};
    const char *filter = fg_ldap_make_filter(f->arena, text, words, FG_ARRAY_SIZE(words), f->err);
    return filter != NULL && search_groups(f, filter, f->options->type == FG_LDAP_AD);
}

/* ---- Active Directory: tokenGroups are SIDs of all groups, the primary one among them.  A group's claims stand side
 * by side, name before SID (ldap_query.c). */

static bool name_sids(finder_t *f, struct berval **sids) {
    size_t at = 0;
    while (sids != NULL && sids[at] != NULL) {
        fg_buf_t filter = FG_BUF_INIT(FG_LDAP_FILTER_MAX);
        fg_buf_puts(&filter, "(|");
        for (size_t n = 0; n < BATCH && sids[at] != NULL; n++, at++) {
            fg_buf_puts(&filter, "(objectSid=");
            for (size_t i = 0; i < sids[at]->bv_len; i++)
                fg_buf_printf(&filter, "\\%02x", (unsigned char)sids[at]->bv_val[i]);
            fg_buf_putc(&filter, ')');
        }
        fg_buf_putc(&filter, ')');
        bool ok = fg_buf_ok(&filter) ? search_groups(f, filter.data, true) : out_of_memory(f);
        fg_buf_free(&filter);
        if (!ok)
            return false;
    }
    return true;
}

static bool has_sid(const finder_t *f, fg_str_t sid) {
    for (size_t i = 0; i < f->claims->count; i++)
        if (fg_str_eq(f->claims->items[i].value, sid) && fg_str_is(f->claims->items[i].type, FG_CLAIM_GROUPSID))
            return true;
    return false;
}

/* Those of groups whose names cannot be read, or are kept by another domain. */
static bool put_other_sids(finder_t *f, struct berval **sids) {
    for (size_t i = 0; sids != NULL && sids[i] != NULL && i < FG_LDAP_GROUPS_MAX; i++) {
        fg_str_t sid = fg_ldap_value_text(f->arena, "tokenGroups", (fg_str_t){sids[i]->bv_val, sids[i]->bv_len});
        if (!has_sid(f, sid) && !put_group(f, FG_STR_NONE, sid))
            return false;
    }
    return true;
}

/* They can be asked of the account itself alone ([MS-ADTS] §3.1.1.4.5.19). */
static bool add_token_groups(finder_t *f, const char *dn) {
    const char *attributes[] = {"tokenGroups", NULL};
    fg_ldap_search_t search = {dn, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0};
    LDAPMessage *result = NULL;
    if (!fg_ldap_search(f->connection, &search, f->deadline, &result, NULL, f->err))
        return false;
    LDAPMessage *entry = ldap_first_entry(f->connection->ld, result);
    struct berval **sids = entry ? ldap_get_values_len(f->connection->ld, entry, "tokenGroups") : NULL;
    bool ok = name_sids(f, sids) && put_other_sids(f, sids);
    ldap_value_free_len(sids);
    ldap_msgfree(result);
    return ok;
}

/* ---- elsewhere */

/* The groups that the groups found so far are members of, until there are no new ones. */
static bool add_groups_of_groups(finder_t *f) {
    size_t from = 0;
    for (unsigned depth = 0; depth < DEPTH_MAX && from < f->seen_count; depth++) {
        size_t until = f->seen_count;
        for (; from < until; from++) {
            fg_ldap_member_t group = {.dn = f->seen[from]};
            if (!search_member(f, "(|(member={dn})(uniqueMember={dn}))", &group))
                return false;
        }
    }
    return true;
}

static bool add_searched(finder_t *f, const fg_ldap_member_t *member) {
    bool ad = f->options->type == FG_LDAP_AD;
    const char *filter = f->options->group_filter;
    if (filter == NULL)
        filter = ad && f->options->groups == FG_LDAP_GROUPS_CHAIN ? IN_CHAIN
                 : ad                                             ? "(member={dn})"
                 : member->gid.n > 0 ? "(|(member={dn})(uniqueMember={dn})(memberUid={user})(&(objectClass=posixGroup)"
                                       "(gidNumber={gid})))"
                                     : "(|(member={dn})(uniqueMember={dn})(memberUid={user}))";
    return search_member(f, filter, member) && (f->options->groups != FG_LDAP_GROUPS_NESTED || add_groups_of_groups(f));
}

static bool add_member_of(finder_t *f, const fg_ldap_member_t *member) {
    for (size_t i = 0; i < member->member_of_count; i++)
        if (!put_group(f, fg_ldap_first_rdn(f->arena, member->member_of[i].p), FG_STR_NONE))
            return false;
    return true;
}

bool fg_ldap_groups_add(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                        const fg_ldap_member_t *member, int64_t deadline, fg_claims_t *claims, fg_err_t *err) {
    finder_t f = {options, connection, arena, deadline, claims, err, NULL, 0};
    if (options->groups == FG_LDAP_GROUPS_NONE)
        return true;
    f.seen = fg_arena_alloc(arena, FG_LDAP_GROUPS_MAX * sizeof *f.seen);
    if (f.seen == NULL)
        return out_of_memory(&f);
    if (options->groups == FG_LDAP_GROUPS_MEMBEROF)
        return add_member_of(&f, member);
    if (options->groups == FG_LDAP_GROUPS_NESTED && options->type == FG_LDAP_AD && options->group_filter == NULL)
        return add_token_groups(&f, member->dn);
    return add_searched(&f, member);
}
