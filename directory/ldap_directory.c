/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An LDAP directory as the gateway knows directories.  Whoever signs in by a password is bound as the account that was
 * found, each time: an account that the server has disabled is refused at once, whatever is remembered of it. */
#include "directory/ldap_directory.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "directory/ldap_query.h"

#define PASSWORD_FILE_MAX 4096u

typedef struct ldap_directory {
    fg_directory_t directory; /* first */
    fg_arena_t *arena;
    fg_ldap_options_t options;
    fg_ldap_pool_t *pool;
    fg_ldap_cache_t *cache;
} ldap_directory_t;

/* ---- what a bind's answer means */

typedef struct meaning {
    unsigned number;
    fg_code_t code;
    const char *why;
} meaning_t;

/* Active Directory's sub-codes (system error codes in hexadecimal).  All but the first two and the last are said only
 * to whoever sent the right password. */
static const meaning_t sub_codes[] = {
    {0x52e, FG_E_AUTH_FAILED, "wrong password"},
    {0x525, FG_E_AUTH_FAILED, "unknown user"},
    {0x530, FG_E_AUTH_RESTRICTED, "not at this hour"},
    {0x531, FG_E_AUTH_RESTRICTED, "not from this workstation"},
    {0x532, FG_E_AUTH_MUST_CHANGE, "the password has expired"},
    {0x533, FG_E_AUTH_DISABLED, "the account is disabled"},
    {0x701, FG_E_AUTH_EXPIRED, "the account has expired"},
    {0x773, FG_E_AUTH_MUST_CHANGE, "the password must be changed"},
    {0x775, FG_E_AUTH_ACCOUNT_LOCKED, "the account is locked in the directory"},
};
/* draft-behera-ldap-password-policy §6.2 */
static const meaning_t policy_errors[] = {
    {PP_passwordExpired, FG_E_AUTH_MUST_CHANGE, "the password has expired"},
    {PP_accountLocked, FG_E_AUTH_ACCOUNT_LOCKED, "the account is locked in the directory"},
    {PP_changeAfterReset, FG_E_AUTH_MUST_CHANGE, "the password must be changed"},
};
/* RFC 4511 §A.2: what says something of the account and not of the server */
static const meaning_t results[] = {
    {LDAP_INVALID_CREDENTIALS, FG_E_AUTH_FAILED, "wrong password"},
    {LDAP_NO_SUCH_OBJECT, FG_E_AUTH_FAILED, "unknown user"},
    {LDAP_INVALID_DN_SYNTAX, FG_E_AUTH_FAILED, "unknown user"},
    {LDAP_INAPPROPRIATE_AUTH, FG_E_AUTH_FAILED, "the account has no password"},
    {LDAP_CONSTRAINT_VIOLATION, FG_E_AUTH_ACCOUNT_LOCKED, "the account is locked in the directory"},
};

static const meaning_t *look_up(const meaning_t *table, size_t count, unsigned number) {
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

bool fg_ldap_judge_bind(const fg_ldap_options_t *options, fg_str_t user, const fg_ldap_answer_t *answer,
                        fg_err_t *err) {
    const meaning_t *meaning = NULL;
    if (answer->policy_error >= 0)
        meaning = look_up(policy_errors, FG_ARRAY_SIZE(policy_errors), (unsigned)answer->policy_error);
    if (meaning == NULL && answer->code == LDAP_SUCCESS)
        return true;
    if (meaning == NULL && answer->code == LDAP_INVALID_CREDENTIALS)
        meaning = look_up(sub_codes, FG_ARRAY_SIZE(sub_codes), answer->sub_code);
    if (meaning == NULL)
        meaning = look_up(results, FG_ARRAY_SIZE(results), (unsigned)answer->code);
    if (meaning == NULL)
        return FG_FAIL(err, FG_E_DIRECTORY, "directory %s: bind of %.*s: %s: %s", options->name, FG_STR_ARG(user),
                       ldap_err2string(answer->code), answer->message);
    return FG_FAIL(err, meaning->code, "%.*s in directory %s: %s", FG_STR_ARG(user), options->name, meaning->why);
}

/* ---- connections */

/* The password is read each time: it may change, and is nowhere else. */
bool fg_ldap_bind_service(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, int64_t deadline,
                          fg_ldap_answer_t *answer, fg_err_t *err) {
    fg_buf_t password = FG_BUF_INIT(PASSWORD_FILE_MAX);
    bool named = options->bind_dn != NULL;
    bool ok = !named || fg_file_read(options->bind_password_file, &password, NULL, err);
    while (password.length > 0 && strchr("\r\n", password.data[password.length - 1]) != NULL)
        password.length--;
    if (ok && named && password.length == 0)
        ok = FG_FAIL(err, FG_E_CONFIG, "%s is empty", options->bind_password_file);
    ok = ok && fg_ldap_bind(connection, named ? options->bind_dn : "", fg_buf_str(&password), deadline, answer, err);
    fg_buf_free(&password);
    if (ok && answer->code != LDAP_SUCCESS)
        return FG_FAIL(err, FG_E_DIRECTORY, "directory %s: bind of %s: %s: %s", options->name,
                       named ? options->bind_dn : "nobody", ldap_err2string(answer->code), answer->message);
    if (ok)
        connection->bound = FG_LDAP_BOUND_SERVICE;
    return ok;
}

typedef bool work_t(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context, int64_t deadline,
                    fg_err_t *err);

/* Does it with a connection; once more with another one if that broke.  With several servers, the first try gets half
 * of the time that is left. */
static bool with_connection(const ldap_directory_t *d, fg_ldap_bound_t bound, work_t *work, void *context,
                            int64_t deadline, fg_err_t *err) {
    for (unsigned round = 0;; round++) {
        fg_err_t why = FG_ERR_INIT;
        fg_ldap_connection_t *connection = fg_ldap_pool_get(d->pool, bound, deadline, err);
        if (connection == NULL)
            return false;
        int64_t now = fg_ldap_now(),
                until = round == 0 && d->options.server_count > 1 ? now + (deadline - now) / 2 : deadline;
        fg_ldap_answer_t answer;
        bool ok = (bound != FG_LDAP_BOUND_SERVICE || connection->bound == FG_LDAP_BOUND_SERVICE ||
                   fg_ldap_bind_service(&d->options, connection, until, &answer, &why)) &&
                  work(d, connection, context, until, &why);
        bool broken = !ok && connection->broken, stale = broken && connection->reused && fg_ldap_now() < until;
        /* a connection that was kept may have been closed meanwhile: that says nothing of the server */
        if (broken && !stale)
            fg_ldap_pool_blame(d->pool, connection, why.detail);
        fg_ldap_pool_put(d->pool, connection);
        if (ok || !broken || round > 0 || fg_ldap_now() >= deadline) {
            if (!ok && err != NULL)
                *err = why;
            return ok;
        }
    }
}

/* ---- accounts */

/* The service account, or, where a directory lets nobody search, nobody. */
static bool searches_itself(const fg_ldap_options_t *options) {
    return options->bind_dn != NULL || options->type != FG_LDAP_AD;
}

typedef struct task {
    fg_arena_t *arena;
    const fg_ldap_name_t *name;
    fg_str_t password;
    int64_t now_ms;
    fg_ldap_account_t account;
    bool found; /* account is that of the name */
} task_t;

static fg_str_t cache_key(fg_arena_t *arena, const fg_ldap_name_t *name) {
    const char *key = fg_arena_printf(arena, "account:%d:%d:%.*s", (int)name->kind, (int)name->own_domain,
                                      (int)name->text.n, name->text.p);
    return fg_str(key);
}

static bool look_for_account(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context,
                             int64_t deadline, fg_err_t *err) {
    task_t *task = context;
    return fg_ldap_account_find(&d->options, connection, task->arena, task->name, deadline, task->now_ms,
                                &task->account, err);
}

/* From the cache, else by the account that searches. */
static bool find_account(const ldap_directory_t *d, task_t *task, int64_t deadline, fg_err_t *err) {
    fg_str_t key = cache_key(task->arena, task->name);
    fg_err_t why = FG_ERR_INIT;
    fg_ldap_cached_t cached = fg_ldap_cache_get(d->cache, key, task->arena, &task->account);
    if (cached == FG_LDAP_NOBODY)
        return FG_FAIL(err, FG_E_AUTH_FAILED, "%.*s in directory %s: unknown user (a moment ago)",
                       FG_STR_ARG(task->name->text), d->options.name);
    if (cached == FG_LDAP_HIT)
        return true;
    if (with_connection(d, FG_LDAP_BOUND_SERVICE, look_for_account, task, deadline, &why)) {
        fg_ldap_cache_put(d->cache, key, &task->account);
        return true;
    }
    if (why.code == FG_E_AUTH_FAILED)
        fg_ldap_cache_put(d->cache, key, NULL);
    if (err != NULL)
        *err = why;
    return false;
}

static bool bind_person(const ldap_directory_t *d, fg_ldap_connection_t *connection, const char *dn, const task_t *task,
                        int64_t deadline, fg_err_t *err) {
    fg_ldap_answer_t answer;
    if (!fg_ldap_bind(connection, dn, task->password, deadline, &answer, err))
        return false;
    connection->bound = FG_LDAP_BOUND_PERSON;
    return fg_ldap_judge_bind(&d->options, task->name->text, &answer, err);
}

/* As the account that was found; for an unknown name, as nobody's DN, so that it takes as long. */
static bool bind_found(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context, int64_t deadline,
                       fg_err_t *err) {
    task_t *task = context;
    const char *dn = task->found ? task->account.dn : fg_arena_printf(task->arena, "cn=nobody,%s", d->options.base);
    return dn != NULL && bind_person(d, connection, dn, task, deadline, err);
}

/* Without an account that searches: bound by name, the person looks for himself.  A name that Active Directory could
 * have understood in another way than we do is bound once more, as the account found. */
static bool bind_and_find(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context, int64_t deadline,
                          fg_err_t *err) {
    task_t *task = context;
    const fg_ldap_name_t *name = task->name;
    if (task->found)
        return bind_person(d, connection, task->account.dn, task, deadline, err);
    if (!bind_person(d, connection, name->bind_as, task, deadline, err) ||
        !look_for_account(d, connection, task, deadline, err))
        return false;
    bool certain = name->local.n == name->text.n && d->options.user_filter == NULL;
    return certain || bind_person(d, connection, task->account.dn, task, deadline, err);
}

static bool check_by_search(const ldap_directory_t *d, task_t *task, int64_t deadline, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    task->found = find_account(d, task, deadline, &why);
    if (!task->found && why.code != FG_E_AUTH_FAILED) {
        if (err != NULL)
            *err = why;
        return false;
    }
    fg_err_t bind = FG_ERR_INIT;
    if (with_connection(d, FG_LDAP_BOUND_PERSON, bind_found, task, deadline, &bind) && task->found)
        return true;
    if (err != NULL)
        *err = task->found || bind.code == FG_E_DIRECTORY ? bind : why;
    return false;
}

static bool check_by_bind(const ldap_directory_t *d, task_t *task, int64_t deadline, fg_err_t *err) {
    fg_str_t key = cache_key(task->arena, task->name);
    task->found = fg_ldap_cache_get(d->cache, key, task->arena, &task->account) == FG_LDAP_HIT;
    bool fresh = !task->found;
    if (!with_connection(d, FG_LDAP_BOUND_PERSON, bind_and_find, task, deadline, err))
        return false;
    if (fresh)
        fg_ldap_cache_put(d->cache, key, &task->account);
    return true;
}

/* ---- the directory */

static bool yield(const ldap_directory_t *d, const fg_env_t *env, const task_t *task, fg_str_t method,
                  fg_identity_t *identity, fg_err_t *err) {
    const fg_ldap_account_t *account = &task->account;
    if (account->refusal != FG_OK)
        return FG_FAIL(err, account->refusal, "%.*s in directory %s: %s", FG_STR_ARG(task->name->text), d->options.name,
                       account->why);
    *identity = (fg_identity_t){.name_id.value = account->name_id,
                                .claims = account->claims,
                                .issuer = fg_str(d->options.name),
                                .auth_method = method,
                                .auth_instant_ms = fg_now(env)};
    identity->issuer = fg_arena_str(task->arena, identity->issuer);
    return identity->issuer.p != NULL || FG_FAIL(err, FG_E_MEMORY, "no memory for a person's claims");
}

static bool password_is_possible(fg_str_t password) {
    return password.n > 0 && password.n <= FG_LDAP_PASSWORD_MAX && fg_str_is_utf8(password);
}

static bool check_password(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t user,
                           fg_str_t password, fg_identity_t *identity, fg_err_t *err) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    fg_ldap_name_t name;
    /* KL-08, WT-05 */
    if (!password_is_possible(password))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "password is empty, too long or no UTF-8");
    if (!fg_ldap_name_read(&d->options, arena, FG_ACCOUNT_NAME, user, &name, err))
        return false;
    task_t task = {.arena = arena, .name = &name, .password = password, .now_ms = fg_now(env)};
    int64_t deadline = fg_ldap_now() + d->options.timeout_ms;
    bool ok = searches_itself(&d->options) ? check_by_search(d, &task, deadline, err)
                                           : check_by_bind(d, &task, deadline, err);
    fg_ldap_pool_log(d->pool, env, d->options.name);
    return ok && yield(d, env, &task, FG_STR(FG_AUTH_PASSWORD), identity, err);
}

/* ---- another password */

typedef struct renewal {
    task_t *task;
    fg_str_t new_password;
    fg_code_t bound; /* what the bind with the old password came to */
    bool sent;
} renewal_t;

/* A change may have been done though its answer was lost: it is sent once. */
static bool send_change(const ldap_directory_t *d, fg_ldap_connection_t *connection, renewal_t *renewal,
                        int64_t deadline, fg_err_t *err) {
    const fg_ldap_change_t change = {renewal->task->account.dn, renewal->task->password, renewal->new_password};
    if (renewal->sent)
        return FG_FAIL(err, FG_E_DIRECTORY, "directory %s: the answer to a change of a password was lost",
                       d->options.name);
    renewal->sent = true;
    return fg_ldap_change_password(&d->options, connection, &change, deadline, err);
}

/* Whether the password must be changed is said to whoever sends the right one.  A server with the password policy of
 * draft-behera-ldap-password-policy (§8.1.2.2) lets the person in for the change alone: then it is done at once. */
static bool bind_and_change(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context,
                            int64_t deadline, fg_err_t *err) {
    renewal_t *renewal = context;
    const task_t *task = renewal->task;
    fg_ldap_answer_t answer;
    fg_err_t why = FG_ERR_INIT;
    if (renewal->sent)
        return send_change(d, connection, renewal, deadline, err);
    if (!fg_ldap_bind(connection, task->account.dn, task->password, deadline, &answer, err))
        return false;
    connection->bound = FG_LDAP_BOUND_PERSON;
    bool usable = fg_ldap_judge_bind(&d->options, task->name->text, &answer, &why);
    renewal->bound = usable ? FG_OK : why.code;
    if (usable)
        return FG_FAIL(err, FG_E_PASSWORD_NOT_DUE, "%.*s in directory %s need not change the password",
                       FG_STR_ARG(task->name->text), d->options.name);
    if (why.code == FG_E_AUTH_MUST_CHANGE && answer.code == LDAP_SUCCESS)
        return send_change(d, connection, renewal, deadline, err);
    return FG_FAIL(err, why.code, "%s", why.detail);
}

static bool change_by_service(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context,
                              int64_t deadline, fg_err_t *err) {
    return send_change(d, connection, context, deadline, err);
}

/* Whoever must change cannot bind in Active Directory: the account that searches carries the change there, and the
 * server checks the old password. */
static bool change_found(const ldap_directory_t *d, renewal_t *renewal, int64_t deadline, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    if (with_connection(d, FG_LDAP_BOUND_PERSON, bind_and_change, renewal, deadline, &why))
        return true;
    if (renewal->bound == FG_E_AUTH_MUST_CHANGE && !renewal->sent && d->options.bind_dn != NULL)
        return with_connection(d, FG_LDAP_BOUND_SERVICE, change_by_service, renewal, deadline, err);
    return FG_FAIL(err, why.code, "%s", why.detail);
}

static bool change_password(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t user,
                            fg_str_t old_password, fg_str_t new_password, fg_err_t *err) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    fg_ldap_name_t name;
    if (!password_is_possible(old_password))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "password is empty, too long or no UTF-8");
    if (!password_is_possible(new_password))
        return FG_FAIL(err, FG_E_PASSWORD_POLICY, "new password is empty, longer than %u bytes or no UTF-8",
                       FG_LDAP_PASSWORD_MAX);
    if (!fg_ldap_name_read(&d->options, arena, FG_ACCOUNT_NAME, user, &name, err))
        return false;
    task_t task = {.arena = arena, .name = &name, .password = old_password, .now_ms = fg_now(env)};
    renewal_t renewal = {.task = &task, .new_password = new_password};
    int64_t deadline = fg_ldap_now() + d->options.timeout_ms;
    bool ok = find_account(d, &task, deadline, err) && change_found(d, &renewal, deadline, err);
    fg_ldap_pool_log(d->pool, env, d->options.name);
    return ok;
}

/* ---- other proofs than a password */

static bool find(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_account_kind_t kind,
                 fg_str_t text, fg_identity_t *identity, fg_err_t *err) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    fg_ldap_name_t name;
    if (!fg_ldap_name_read(&d->options, arena, kind, text, &name, err))
        return false;
    task_t task = {.arena = arena, .name = &name, .now_ms = fg_now(env)};
    bool ok = find_account(d, &task, fg_ldap_now() + d->options.timeout_ms, err);
    fg_ldap_pool_log(d->pool, env, d->options.name);
    return ok && yield(d, env, &task, FG_STR_NONE, identity, err);
}

static bool knows(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t user, bool *known,
                  fg_err_t *err) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    fg_ldap_name_t name;
    fg_err_t why = FG_ERR_INIT;
    task_t task = {.arena = arena, .name = &name, .now_ms = fg_now(env)};
    *known = fg_ldap_name_read(&d->options, arena, FG_ACCOUNT_NAME, user, &name, &why) &&
             find_account(d, &task, fg_ldap_now() + d->options.timeout_ms, &why);
    fg_ldap_pool_log(d->pool, env, d->options.name);
    if (!*known && why.code != FG_E_AUTH_FAILED)
        return FG_FAIL(err, why.code, "%s", why.detail);
    return true;
}

static fg_str_t plain_name(fg_directory_t *directory, fg_str_t user) {
    return fg_ldap_plain_name(&((ldap_directory_t *)directory)->options, user);
}

static bool has_domain(fg_directory_t *directory, fg_str_t user) {
    const fg_ldap_options_t *options = &((ldap_directory_t *)directory)->options;
    return fg_ldap_names_domain(options, user);
}

static void refresh(fg_directory_t *directory, const fg_env_t *env) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    fg_ldap_pool_log(d->pool, env, d->options.name);
}

static void directory_free(fg_directory_t *directory) {
    ldap_directory_t *d = (ldap_directory_t *)directory;
    if (d == NULL)
        return;
    fg_ldap_pool_free(d->pool);
    fg_ldap_cache_free(d->cache);
    fg_arena_free(d->arena);
    free(d);
}

/* ---- as an attribute store */

typedef struct asking {
    fg_query_t query;
    fg_arena_t *arena;
    fg_ldap_account_t found; /* its claims alone; as the cache keeps what was found */
    bool somebody;
} asking_t;

static bool ask(const ldap_directory_t *d, fg_ldap_connection_t *connection, void *context, int64_t deadline,
                fg_err_t *err) {
    asking_t *asking = context;
    asking->found = (fg_ldap_account_t){.refusal = FG_OK}; /* another connection may have found some already */
    return fg_ldap_query_run(&d->options, connection, asking->arena, &asking->query, deadline, &asking->found.claims,
                             &asking->somebody, err);
}

static bool query(fg_directory_t *directory, fg_arena_t *arena, fg_str_t text, const fg_str_t *params,
                  size_t param_count, const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err) {
    const ldap_directory_t *d = (ldap_directory_t *)directory;
    asking_t asking = {{text, params, param_count, types, type_count, fg_str(d->options.name)}, arena, {0}, false};
    fg_str_t key = fg_ldap_query_key(arena, &asking.query);
    fg_ldap_cached_t cached = key.n > 0 ? fg_ldap_cache_get(d->cache, key, arena, &asking.found) : FG_LDAP_UNKNOWN;
    if (cached == FG_LDAP_UNKNOWN) {
        int64_t deadline = fg_ldap_now() + d->options.timeout_ms;
        if (!with_connection(d, FG_LDAP_BOUND_SERVICE, ask, &asking, deadline, err))
            return fg_err_prefix(err, "directory %s", d->options.name);
        if (key.n > 0)
            fg_ldap_cache_put(d->cache, key, asking.somebody ? &asking.found : NULL);
    }
    for (size_t i = 0; i < asking.found.claims.count; i++)
        if (!fg_claims_add(arena, out, &asking.found.claims.items[i]))
            return FG_FAIL(err, FG_E_MEMORY, "no memory for a query's claims");
    return true;
}

static bool check_query(const fg_directory_t *directory, fg_str_t text, size_t param_count, size_t type_count,
                        fg_err_t *err) {
    const fg_query_t asked = {.text = text, .param_count = param_count, .type_count = type_count};
    return fg_ldap_query_check(&((const ldap_directory_t *)directory)->options, &asked, err);
}

/* ---- options */

static const char *copy(fg_arena_t *arena, const char *text, bool *ok) {
    const char *made = text ? fg_arena_strdup(arena, text) : NULL;
    *ok = *ok && (text == NULL || made != NULL);
    return made;
}

static bool copy_lists(fg_arena_t *arena, const fg_ldap_options_t *from, fg_ldap_options_t *to) {
    bool ok = true;
    const char **servers = fg_arena_alloc(arena, (from->server_count + 1) * sizeof *servers);
    fg_ldap_attribute_t *attributes = fg_arena_alloc(arena, (from->attribute_count + 1) * sizeof *attributes);
    if (servers == NULL || attributes == NULL)
        return false;
    for (size_t i = 0; i < from->server_count; i++)
        servers[i] = copy(arena, from->servers[i], &ok);
    for (size_t i = 0; i < from->attribute_count; i++)
        attributes[i] = (fg_ldap_attribute_t){copy(arena, from->attributes[i].name, &ok),
                                              copy(arena, from->attributes[i].claim_type, &ok)};
    to->servers = servers;
    to->attributes = attributes;
    return ok;
}

bool fg_ldap_options_complete(fg_arena_t *arena, const fg_ldap_options_t *from, fg_ldap_options_t *to) {
    bool ok = true;
    *to = *from;
    const char **texts[] = {
        &to->name,        &to->ca,         &to->base,         &to->bind_dn,    &to->bind_password_file,
        &to->user_filter, &to->group_base, &to->group_filter, &to->group_name, &to->domain,
        &to->realm};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        *texts[i] = copy(arena, *texts[i], &ok);
    if (!ok || !copy_lists(arena, from, to))
        return false;
    if (to->realm == NULL)
        to->realm = fg_ldap_realm_of(arena, to->base);
    if (to->domain == NULL && to->type == FG_LDAP_AD && to->realm != NULL)
        to->domain = fg_arena_strndup(arena, to->realm, strcspn(to->realm, "."));
    if (to->group_name == NULL)
        to->group_name = to->type == FG_LDAP_AD ? "sAMAccountName" : "cn";
    return true;
}

static bool fill(ldap_directory_t *d, const fg_ldap_options_t *options, fg_err_t *err) {
    d->arena = fg_arena_new(0);
    d->cache = fg_ldap_cache_new(options->cache_ms, options->negative_cache_ms);
    if (d->arena == NULL || d->cache == NULL || !fg_ldap_options_complete(d->arena, options, &d->options))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
    d->pool = fg_ldap_pool_new(&d->options, err);
    bool may_search = searches_itself(&d->options);
    d->directory = (fg_directory_t){.name = d->options.name,
                                    .check_password = check_password,
                                    .change_password = options->password_change && may_search ? change_password : NULL,
                                    .has_domain = has_domain,
                                    .plain_name = plain_name,
                                    .knows = may_search ? knows : NULL,
                                    .find = may_search ? find : NULL,
                                    .query = query,
                                    .check_query = check_query,
                                    .query_waits = true,
                                    .refresh = refresh,
                                    .free = directory_free};
    return d->pool != NULL;
}

fg_directory_t *fg_ldap_directory_new(const fg_ldap_options_t *options, fg_err_t *err) {
    ldap_directory_t *d = calloc(1, sizeof *d);
    if (d == NULL) {
        FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
        return NULL;
    }
    if (fill(d, options, err))
        return &d->directory;
    directory_free(&d->directory);
    return NULL;
}
