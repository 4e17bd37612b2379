/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a name to the account in the directory, and from its attributes to claims. */
#include "directory/ldap_parts.h"
#include "directory/sid.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "directory/users.h"

#define CERTIFICATE_NAME_MAX 1024u
#define CANDIDATES_MAX 3
#define VALUES_MAX 256u
#define ATTRIBUTES_MAX 96u
/* Until an administrator unlocks it.  Any other time stays in the entry when the lock is over: what it means is the
 * server's word, at the bind (draft-behera-ldap-password-policy §5.3.3). */
#define LOCKED_FOR_GOOD FG_STR("000001010000Z")

/* ---- names */

static bool same(fg_str_t a, const char *b) { return b != NULL && fg_str_eq_nocase(a, fg_str(b)); }

static bool is_possible(fg_account_kind_t kind, fg_str_t text) {
    if (kind != FG_ACCOUNT_CERTIFICATE)
        return fg_user_name_is_possible(text);
    return text.n > 0 && text.n <= CERTIFICATE_NAME_MAX && fg_str_is_utf8(text);
}

/* "DOMAIN\name", "name@suffix" or a name alone. */
bool fg_ldap_name_read(const fg_ldap_options_t *options, fg_arena_t *arena, fg_account_kind_t kind, fg_str_t text,
                       fg_ldap_name_t *name, fg_err_t *err) {
    *name = (fg_ldap_name_t){.kind = kind, .text = text, .local = text, .own_domain = true};
    if (!is_possible(kind, text))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "account name is empty, too long or holds control characters");
    if (kind == FG_ACCOUNT_CERTIFICATE)
        return true;
    const char *slash = kind == FG_ACCOUNT_NAME ? memchr(text.p, '\\', text.n) : NULL;
    const char *at = slash == NULL ? memrchr(text.p, '@', text.n) : NULL;
    if (slash != NULL) {
        fg_str_t domain = {text.p, (size_t)(slash - text.p)};
        name->local = (fg_str_t){slash + 1, text.n - domain.n - 1};
        if (!same(domain, options->domain) && !same(domain, options->realm))
            return FG_FAIL(err, FG_E_AUTH_FAILED, "%.*s: the domain of directory %s is %s", FG_STR_ARG(text),
                           options->name, options->domain ? options->domain : "none");
        name->text = name->local;
    } else if (at != NULL) {
        name->local = (fg_str_t){text.p, (size_t)(at - text.p)};
        name->own_domain = same((fg_str_t){at + 1, text.n - name->local.n - 1}, options->realm);
    }
    if (name->local.n == 0)
        return FG_FAIL(err, FG_E_AUTH_FAILED, "%.*s has no name", FG_STR_ARG(text));
    if (options->type != FG_LDAP_AD)
        return true;
    name->bind_as = at != NULL ? fg_arena_strndup(arena, text.p, text.n)
                               : fg_arena_printf(arena, "%s\\%.*s", options->domain, (int)name->local.n, name->local.p);
    return name->bind_as != NULL || FG_FAIL(err, FG_E_MEMORY, "no memory for a name");
}

bool fg_ldap_names_domain(const fg_ldap_options_t *options, fg_str_t text) {
    const char *slash = text.n > 0 ? memchr(text.p, '\\', text.n) : NULL;
    if (slash != NULL)
        return same((fg_str_t){text.p, (size_t)(slash - text.p)}, options->domain) ||
               same((fg_str_t){text.p, (size_t)(slash - text.p)}, options->realm);
    const char *at = text.n > 0 ? memrchr(text.p, '@', text.n) : NULL;
    return at != NULL && same((fg_str_t){at + 1, text.n - (size_t)(at + 1 - text.p)}, options->realm);
}

fg_str_t fg_ldap_plain_name(const fg_ldap_options_t *options, fg_str_t text) {
    if (!fg_ldap_names_domain(options, text))
        return text;
    const char *slash = memchr(text.p, '\\', text.n);
    if (slash != NULL)
        return (fg_str_t){slash + 1, text.n - (size_t)(slash + 1 - text.p)};
    const char *at = memrchr(text.p, '@', text.n);
    return options->type == FG_LDAP_AD ? (fg_str_t){text.p, (size_t)(at - text.p)} : text;
}

/* Which accounts a name could be of.  The two last: local names count as well if the domain is ours. */
static const char *pick_filter(const fg_ldap_options_t *options, const fg_ldap_name_t *name) {
    bool ad = options->type == FG_LDAP_AD, qualified = name->local.n < name->text.n;
    if (name->kind == FG_ACCOUNT_CERTIFICATE)
        return "(altSecurityIdentities={user})";
    if (name->kind == FG_ACCOUNT_NAME && options->user_filter != NULL)
        return options->user_filter;
    if (name->kind == FG_ACCOUNT_NAME && !ad)
        return "(|(uid={user})(mail={user}))";
    if (!qualified)
        return ad ? "(sAMAccountName={local})" : "(uid={local})";
    /* whose mail it is must have the password as well, and is bound as that account */
    if (name->kind == FG_ACCOUNT_NAME && options->bind_dn != NULL)
        return name->own_domain ? "(|(userPrincipalName={user})(mail={user})(sAMAccountName={local}))"
                                : "(|(userPrincipalName={user})(mail={user}))";
    if (ad)
        return name->own_domain ? "(|(userPrincipalName={user})(sAMAccountName={local}))"
                                : "(userPrincipalName={user})";
    return name->own_domain ? "(|(krbPrincipalName={user})(userPrincipalName={user})(uid={local}))"
                            : "(|(krbPrincipalName={user})(userPrincipalName={user}))";
}

const char *fg_ldap_account_filter(const fg_ldap_options_t *options, fg_arena_t *arena, const fg_ldap_name_t *name,
                                   fg_err_t *err) {
    const fg_ldap_word_t words[] = {{"user", name->text}, {"local", name->local}};
    const char *filter = fg_ldap_make_filter(arena, pick_filter(options, name), words, FG_ARRAY_SIZE(words), err);
    if (filter == NULL || options->type != FG_LDAP_AD)
        return filter;
    filter = fg_arena_printf(arena, "(&(objectCategory=person)(objectClass=user)%s)", filter);
    if (filter == NULL)
        FG_FAIL(err, FG_E_MEMORY, "no memory for a filter");
    return filter;
}

/* ---- entries */

typedef struct entry {
    const fg_ldap_options_t *options;
    fg_arena_t *arena;
    LDAP *ld;
    LDAPMessage *message;
    fg_ldap_account_t *account;
    fg_err_t *err;
} entry_t;

/* The values of an attribute in the arena; 0: none. */
static size_t get_values(const entry_t *e, const char *attribute, fg_str_t *out, size_t room) {
    struct berval **values = ldap_get_values_len(e->ld, e->message, attribute);
    size_t count = 0;
    for (size_t i = 0; values != NULL && values[i] != NULL && count < room; i++)
        if (values[i]->bv_len > 0 && values[i]->bv_len <= FG_LDAP_VALUE_MAX)
            out[count++] = fg_arena_str(e->arena, (fg_str_t){values[i]->bv_val, values[i]->bv_len});
    ldap_value_free_len(values);
    return count;
}

static fg_str_t get_value(const entry_t *e, const char *attribute) {
    fg_str_t value = FG_STR_NONE;
    return get_values(e, attribute, &value, 1) == 1 ? value : FG_STR_NONE;
}

/* How well an entry fits a name that could be of several: the way Kerberos and Active Directory look for one. */
static int rank(const fg_ldap_options_t *options, const entry_t *e, const fg_ldap_name_t *name) {
    const char *account = options->type == FG_LDAP_AD ? "sAMAccountName" : "uid";
    bool by_account = name->own_domain && fg_str_eq_nocase(get_value(e, account), name->local);
    bool by_upn = fg_str_eq_nocase(get_value(e, "userPrincipalName"), name->text) ||
                  fg_str_eq_nocase(get_value(e, "krbPrincipalName"), name->text);
    if (name->kind == FG_ACCOUNT_PRINCIPAL)
        return by_account ? 2 : by_upn ? 1 : 0;
    return by_upn ? 2 : by_account ? 1 : 0;
}

/* The best of the entries; NULL: none, or *several that are as good. */
static LDAPMessage *choose(entry_t *e, LDAPMessage *result, const fg_ldap_name_t *name, bool *several) {
    LDAPMessage *best = NULL;
    int best_rank = -1;
    *several = false;
    for (LDAPMessage *one = ldap_first_entry(e->ld, result); one != NULL; one = ldap_next_entry(e->ld, one)) {
        e->message = one;
        int r = rank(e->options, e, name);
        *several = r == best_rank || (*several && r < best_rank);
        if (r > best_rank) {
            best = one;
            best_rank = r;
        }
    }
    return *several ? NULL : best;
}

LDAPMessage *fg_ldap_account_choose(const fg_ldap_options_t *options, const fg_ldap_connection_t *connection,
                                    fg_arena_t *arena, LDAPMessage *result, const fg_ldap_name_t *name, bool *several) {
    entry_t e = {.options = options, .arena = arena, .ld = connection->ld};
    return choose(&e, result, name, several);
}

/* ---- claims */

fg_str_t fg_ldap_value_text(fg_arena_t *arena, const char *attribute, fg_str_t value) {
    fg_buf_t out = FG_BUF_INIT(2 * FG_LDAP_VALUE_MAX);
    bool known = (strcasecmp(attribute, "objectSid") == 0 || strcasecmp(attribute, "tokenGroups") == 0)
                     ? fg_sid_put(&out, value)
                     : strcasecmp(attribute, "objectGUID") == 0 && fg_ldap_put_guid(&out, value);
    if (!known && fg_str_is_utf8(value))
        fg_buf_put_str(&out, value);
    else if (!known)
        fg_base64_encode(&out, value.p, value.n);
    fg_str_t text = fg_buf_ok(&out) ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return text;
}

bool fg_ldap_put_claim(const fg_ldap_options_t *options, fg_arena_t *arena, fg_claims_t *claims, const char *type,
                       fg_str_t value) {
    fg_claim_t claim = {.type = fg_arena_str(arena, fg_str(type)),
                        .value = fg_arena_str(arena, value),
                        .issuer = fg_arena_str(arena, fg_str(options->name))};
    return claim.type.p != NULL && claim.value.p != NULL && claim.issuer.p != NULL &&
           fg_claims_add(arena, claims, &claim);
}

static bool put(const entry_t *e, const char *type, fg_str_t value) {
    return value.n == 0 || fg_ldap_put_claim(e->options, e->arena, &e->account->claims, type, value) ||
           FG_FAIL(e->err, FG_E_MEMORY, "no memory for a person's claims");
}

static bool put_attribute(const entry_t *e, const char *attribute, const char *type) {
    fg_str_t values[VALUES_MAX];
    size_t count = get_values(e, attribute, values, VALUES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!put(e, type, fg_ldap_value_text(e->arena, attribute, values[i])))
            return false;
    return true;
}

static const fg_ldap_attribute_t ad_attributes[] = {
    {"mail", FG_CLAIM_EMAIL},           {"givenName", FG_CLAIM_GIVENNAME},
    {"sn", FG_CLAIM_SURNAME},           {"displayName", FG_CLAIM_COMMONNAME},
    {"objectSid", FG_CLAIM_PRIMARYSID}, {"objectGUID", FG_CLAIM_OBJECTIDENTIFIER},
};
static const fg_ldap_attribute_t plain_attributes[] = {
    {"mail", FG_CLAIM_EMAIL},
    {"givenName", FG_CLAIM_GIVENNAME},
    {"sn", FG_CLAIM_SURNAME},
    {"displayName", FG_CLAIM_COMMONNAME},
    {"userPrincipalName", FG_CLAIM_UPN},
    {"entryUUID", FG_CLAIM_OBJECTIDENTIFIER},
};
/* What is read besides and becomes claims in another way. */
static const char *const ad_others[] = {"sAMAccountName", "userPrincipalName", "userAccountControl",
                                        "accountExpires", "primaryGroupID",    "mS-DS-ConsistencyGuid",
                                        "memberOf"};
static const char *const plain_others[] = {"uid",          "gidNumber",       "memberOf", "pwdAccountLockedTime",
                                           "shadowExpire", "krbPrincipalName"};

static const fg_ldap_attribute_t *own_attributes(const fg_ldap_options_t *options, size_t *count) {
    bool ad = options->type == FG_LDAP_AD;
    *count = ad ? FG_ARRAY_SIZE(ad_attributes) : FG_ARRAY_SIZE(plain_attributes);
    return ad ? ad_attributes : plain_attributes;
}

static void list_attributes(const fg_ldap_options_t *options, const char *out[ATTRIBUTES_MAX]) {
    bool ad = options->type == FG_LDAP_AD;
    size_t count, n = 0, others = ad ? FG_ARRAY_SIZE(ad_others) : FG_ARRAY_SIZE(plain_others);
    const fg_ldap_attribute_t *own = own_attributes(options, &count);
    for (size_t i = 0; i < others; i++)
        out[n++] = ad ? ad_others[i] : plain_others[i];
    for (size_t i = 0; i < count; i++)
        out[n++] = own[i].name;
    for (size_t i = 0; i < options->attribute_count && n + 1 < ATTRIBUTES_MAX; i++)
        out[n++] = options->attributes[i].name;
    out[n] = NULL;
}

/* Entra's immutable id: base64 of the GUID's bytes, of mS-DS-ConsistencyGuid where that is set. */
static bool put_immutable_id(const entry_t *e) {
    fg_str_t guid = get_value(e, "mS-DS-ConsistencyGuid");
    fg_buf_t text = FG_BUF_INIT(256);
    if (guid.n == 0)
        guid = get_value(e, "objectGUID");
    if (guid.n > 0)
        fg_base64_encode(&text, guid.p, guid.n);
    bool ok = put(e, FG_CLAIM_IMMUTABLEID, fg_buf_str(&text));
    fg_buf_free(&text);
    return ok;
}

/* The domain's SID with the group's number in place of the account's. */
static bool put_primary_group(const entry_t *e) {
    fg_str_t sid = get_value(e, "objectSid"), group = get_value(e, "primaryGroupID");
    fg_buf_t text = FG_BUF_INIT(256);
    bool ok = true;
    if (sid.n > 12 && group.n > 0 && fg_sid_put(&text, sid)) {
        const char *end = strrchr(text.data, '-');
        const char *made =
            fg_arena_printf(e->arena, "%.*s%.*s", (int)(end + 1 - text.data), text.data, FG_STR_ARG(group));
        ok = put(e, FG_CLAIM_PRIMARYGROUPSID, fg_str(made));
    }
    fg_buf_free(&text);
    return ok;
}

/* Without an attribute of its own, an account has the implicit user principal name ([MS-ADTS] §5.1.1.1.1). */
static fg_str_t upn_of(const entry_t *e, fg_str_t account) {
    fg_str_t upn = get_value(e, "userPrincipalName");
    if (upn.n > 0 || account.n == 0 || e->options->realm == NULL)
        return upn;
    char *made = fg_arena_printf(e->arena, "%.*s@%s", FG_STR_ARG(account), e->options->realm);
    for (char *c = made != NULL ? made + account.n : NULL; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return fg_str(made);
}

static bool fill_ad(const entry_t *e) {
    fg_str_t account = get_value(e, "sAMAccountName"), upn = upn_of(e, account);
    const char *windows = fg_arena_printf(e->arena, "%s\\%.*s", e->options->domain, FG_STR_ARG(account));
    e->account->sam = account.p;
    e->account->name_id = upn;
    return account.n > 0 && windows != NULL && put(e, FG_CLAIM_NAME, account) && put(e, FG_CLAIM_UPN, upn) &&
           put(e, FG_CLAIM_NAMEIDENTIFIER, upn) && put(e, FG_CLAIM_WINDOWSACCOUNTNAME, fg_str(windows)) &&
           put_immutable_id(e) && put_primary_group(e);
}

static bool fill_plain(const entry_t *e) {
    fg_str_t uid = get_value(e, "uid");
    if (uid.n == 0)
        uid = fg_ldap_first_rdn(e->arena, e->account->dn);
    e->account->sam = uid.p;
    e->account->name_id = uid;
    return uid.n > 0 && put(e, FG_CLAIM_NAME, uid) && put(e, FG_CLAIM_NAMEIDENTIFIER, uid);
}

/* ---- is it in use? */

static void disable(const entry_t *e, fg_code_t code, const char *why) {
    e->account->refusal = code;
    e->account->why = why;
}

/* 100 ns since 1601 ([MS-ADTS] accountExpires); 0 and the greatest number: never. */
static bool is_over(fg_str_t filetime, int64_t now_ms) {
    int64_t number = filetime.n > 0 ? strtoll(filetime.p, NULL, 10) : 0;
    return number > 0 && number != INT64_MAX && number / 10000 - 11644473600000 <= now_ms;
}

static void read_state(const entry_t *e, int64_t now_ms) {
    if (e->options->type == FG_LDAP_AD) {
        fg_str_t control = get_value(e, "userAccountControl");
        if (control.n == 0)
            disable(e, FG_E_AUTH_DISABLED, "userAccountControl cannot be read");
        else if ((strtoul(control.p, NULL, 10) & FG_LDAP_DISABLED) != 0)
            disable(e, FG_E_AUTH_DISABLED, "the account is disabled");
        else if (is_over(get_value(e, "accountExpires"), now_ms))
            disable(e, FG_E_AUTH_EXPIRED, "the account has expired");
        return;
    }
    fg_str_t days = get_value(e, "shadowExpire");
    if (fg_str_eq(get_value(e, "pwdAccountLockedTime"), LOCKED_FOR_GOOD))
        disable(e, FG_E_AUTH_DISABLED, "the account is locked");
    else if (days.n > 0 && days.p[0] != '-' && strtoll(days.p, NULL, 10) * 86400000 <= now_ms)
        disable(e, FG_E_AUTH_EXPIRED, "the account has expired");
}

static bool fill(const entry_t *e, int64_t now_ms) {
    size_t count;
    const fg_ldap_attribute_t *own = own_attributes(e->options, &count);
    read_state(e, now_ms);
    if (!(e->options->type == FG_LDAP_AD ? fill_ad(e) : fill_plain(e)))
        return FG_FAIL(e->err, FG_E_DIRECTORY, "%s has no account name that can be read", e->account->dn);
    for (size_t i = 0; i < count; i++)
        if (!put_attribute(e, own[i].name, own[i].claim_type))
            return false;
    for (size_t i = 0; i < e->options->attribute_count; i++)
        if (!put_attribute(e, e->options->attributes[i].name, e->options->attributes[i].claim_type))
            return false;
    return true;
}

/* ---- */

static bool read_account(entry_t *e, LDAPMessage *result, fg_ldap_connection_t *connection, const fg_ldap_name_t *name,
                         int64_t deadline, int64_t now_ms) {
    bool several;
    e->message = choose(e, result, name, &several);
    if (e->message == NULL)
        return FG_FAIL(e->err, FG_E_AUTH_FAILED, "%.*s in directory %s: %s", FG_STR_ARG(name->text), e->options->name,
                       several ? "more than one account" : "unknown user");
    char *dn = ldap_get_dn(e->ld, e->message);
    e->account->dn = dn != NULL ? fg_arena_strdup(e->arena, dn) : NULL;
    ldap_memfree(dn);
    if (e->account->dn == NULL)
        return FG_FAIL(e->err, FG_E_MEMORY, "no memory for an account");
    if (!fill(e, now_ms))
        return false;
    fg_str_t member_of[VALUES_MAX];
    fg_ldap_member_t member = {.dn = e->account->dn,
                               .user = fg_str(e->account->sam),
                               .gid = get_value(e, "gidNumber"),
                               .member_of = member_of,
                               .member_of_count = get_values(e, "memberOf", member_of, VALUES_MAX)};
    return e->account->refusal != FG_OK ||
           fg_ldap_groups_add(e->options, connection, e->arena, &member, deadline, &e->account->claims, e->err);
}

bool fg_ldap_account_find(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                          const fg_ldap_name_t *name, int64_t deadline, int64_t now_ms, fg_ldap_account_t *account,
                          fg_err_t *err) {
    const char *attributes[ATTRIBUTES_MAX];
    LDAPMessage *result = NULL;
    fg_ldap_answer_t answer;
    *account = (fg_ldap_account_t){0};
    list_attributes(options, attributes);
    const char *filter = fg_ldap_account_filter(options, arena, name, err);
    fg_ldap_search_t search = {options->base, LDAP_SCOPE_SUBTREE, filter, attributes, CANDIDATES_MAX};
    if (filter == NULL || !fg_ldap_search(connection, &search, deadline, &result, &answer, err))
        return false;
    entry_t e = {options, arena, connection->ld, NULL, account, err};
    bool ok = read_account(&e, result, connection, name, deadline, now_ms);
    ldap_msgfree(result);
    return ok;
}
