/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/ldap_test.h"

#include <stdlib.h>

#include "directory/ldap_advice.h"
#include "directory/ldap_directory.h"

#define TEXT_MAX 2048u

typedef struct walk {
    const fg_ldap_test_t *test;
    fg_ldap_options_t options; /* complete */
    fg_arena_t *arena;
    fg_ldap_server_t server;
    fg_ldap_connection_t *connection;
    fg_ldap_name_t name;
    int64_t deadline;
    int64_t begun; /* of the present step */
    bool faulty;   /* something was not good, though the walk could go on */
} walk_t;

/* ---- telling */

static bool tell(walk_t *w, fg_ldap_finding_t finding) {
    finding.server = w->server.uri;
    if (finding.took_ms == 0)
        finding.took_ms = fg_ldap_now() - w->begun;
    if (finding.text == NULL)
        finding.text = "";
    w->faulty = w->faulty || !finding.good;
    w->test->tell(w->test->context, &finding);
    w->begun = fg_ldap_now();
    return finding.good;
}

static bool is_in_time(const walk_t *w) { return fg_ldap_now() < w->deadline; }

/* What the last operation ended with, as libldap has it. */
static int last_result(const walk_t *w) {
    int code = LDAP_SUCCESS;
    if (!is_in_time(w))
        return LDAP_TIMEOUT;
    ldap_get_option(w->connection->ld, LDAP_OPT_RESULT_CODE, &code);
    return code;
}

static bool tell_failure(walk_t *w, fg_ldap_step_t step, const fg_err_t *err) {
    const char *advice = fg_ldap_advise_account(err->code);
    if (advice == NULL && err->code == FG_E_FILE)
        advice = "this command and nginx's workers must be able to read it";
    if (advice == NULL && err->code == FG_E_DIRECTORY)
        advice = fg_ldap_advise_result(last_result(w));
    return tell(w, (fg_ldap_finding_t){.step = step, .text = err->detail, .advice = advice});
}

/* ---- connect, StartTLS, TLS */

static void tell_stage(walk_t *w, const fg_ldap_trace_t *trace, fg_ldap_stage_t from, fg_ldap_stage_t until,
                       fg_ldap_finding_t finding) {
    w->begun = fg_ldap_now() - (trace->begun[until] - trace->begun[from]);
    finding.good = true;
    tell(w, finding);
}

/* What went well on the way to the stage. */
static void tell_stages(walk_t *w, const fg_ldap_trace_t *trace) {
    if (trace->stage > FG_LDAP_STAGE_CONNECT)
        tell_stage(
            w, trace, FG_LDAP_STAGE_RESOLVE, FG_LDAP_STAGE_START_TLS,
            (fg_ldap_finding_t){.step = FG_LDAP_STEP_CONNECT, .text = fg_arena_strdup(w->arena, trace->address)});
    if (trace->stage > FG_LDAP_STAGE_START_TLS && w->server.start_tls)
        tell_stage(w, trace, FG_LDAP_STAGE_START_TLS, FG_LDAP_STAGE_TLS,
                   (fg_ldap_finding_t){.step = FG_LDAP_STEP_START_TLS, .text = "the server takes it"});
}

/* Why there is no TLS is seen by looking at whom the server shows. */
static bool tell_no_connection(walk_t *w, const fg_ldap_trace_t *trace, const fg_err_t *why) {
    static const fg_ldap_step_t steps[] = {FG_LDAP_STEP_CONNECT, FG_LDAP_STEP_CONNECT, FG_LDAP_STEP_START_TLS,
                                           FG_LDAP_STEP_TLS, FG_LDAP_STEP_TLS};
    fg_ldap_tls_t tls;
    fg_err_t none = FG_ERR_INIT;
    bool in_time = is_in_time(w);
    fg_ldap_finding_t finding = {.step = steps[trace->stage], .text = why->detail};
    finding.took_ms = fg_ldap_now() - trace->begun[trace->stage <= FG_LDAP_STAGE_CONNECT ? 0 : trace->stage];
    finding.advice = fg_ldap_advise_connect(w->arena, &w->server, trace, in_time);
    if (in_time && trace->stage == FG_LDAP_STAGE_TLS &&
        fg_ldap_look(&w->options, &w->server, w->deadline, w->arena, &tls, &none)) {
        finding.certificate = tls.certificate;
        finding.text = "the server's certificate is not believed";
        finding.advice =
            fg_ldap_advise_certificate(w->arena, &w->options, &w->server, tls.certificate, w->test->now_ms);
    }
    return tell(w, finding);
}

static bool walk_connect(walk_t *w) {
    fg_ldap_trace_t trace = {.stage = FG_LDAP_STAGE_RESOLVE};
    fg_ldap_tls_t tls;
    fg_err_t err = FG_ERR_INIT;
    w->connection = fg_ldap_connect(&w->options, &w->server, w->deadline, &trace, &err);
    tell_stages(w, &trace);
    if (w->connection == NULL)
        return tell_no_connection(w, &trace, &err);
    fg_ldap_get_tls(w->connection, w->arena, &tls);
    tell_stage(w, &trace, FG_LDAP_STAGE_TLS, FG_LDAP_STAGE_DONE,
               (fg_ldap_finding_t){.step = FG_LDAP_STEP_TLS,
                                   .text = fg_arena_printf(w->arena, "%s, %s", tls.version ? tls.version : "TLS",
                                                           tls.cipher ? tls.cipher : "cipher not told"),
                                   .certificate = tls.certificate});
    return true;
}

/* ---- bind */

/* What Active Directory's number, or the password policy's, means; else the server's own words. */
static bool tell_bind(walk_t *w, fg_ldap_step_t step, fg_str_t who, const fg_ldap_answer_t *answer,
                      const char *if_wrong) {
    fg_err_t why = FG_ERR_INIT;
    if (fg_ldap_judge_bind(&w->options, who, answer, &why))
        return tell(w,
                    (fg_ldap_finding_t){.step = step, .good = true, .text = fg_arena_strndup(w->arena, who.p, who.n)});
    if (why.code == FG_E_DIRECTORY)
        return tell(
            w, (fg_ldap_finding_t){.step = step, .text = why.detail, .advice = fg_ldap_advise_result(answer->code)});
    const char *code =
        answer->sub_code != 0 ? fg_arena_printf(w->arena, " (Active Directory's sub-code %x)", answer->sub_code) : "";
    const char *advice = fg_ldap_advise_account(why.code);
    return tell(w, (fg_ldap_finding_t){.step = step,
                                       .text = fg_arena_printf(w->arena, "%s%s", why.detail, code),
                                       .advice = advice ? advice : if_wrong});
}

static bool bind_service(walk_t *w) {
    fg_ldap_answer_t answer = {.policy_error = -1};
    fg_err_t err = FG_ERR_INIT;
    bool named = w->options.bind_dn != NULL;
    if (fg_ldap_bind_service(&w->options, w->connection, w->deadline, &answer, &err))
        return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_BIND,
                                           .good = true,
                                           .text = named ? w->options.bind_dn : "nobody (there is no bind_dn)"});
    if (answer.code == LDAP_SUCCESS || !named)
        return tell_failure(w, FG_LDAP_STEP_BIND, &err);
    return tell_bind(w, FG_LDAP_STEP_BIND, fg_str(w->options.bind_dn), &answer,
                     "compare bind_dn (a DN, or in Active Directory name@realm) and what is in bind_password_file");
}

/* As the account that was found, or by name. */
static bool bind_person(walk_t *w, const char *dn, fg_ldap_step_t step) {
    fg_ldap_answer_t answer = {.policy_error = -1};
    fg_err_t err = FG_ERR_INIT;
    if (!fg_ldap_bind(w->connection, dn, w->test->password, w->deadline, &answer, &err))
        return tell_failure(w, step, &err);
    if (answer.code != LDAP_SUCCESS || answer.policy_error >= 0)
        return tell_bind(w, step, w->test->user, &answer,
                         "type it again; the account is this one, and it is not locked");
    return tell(w, (fg_ldap_finding_t){.step = step,
                                       .good = true,
                                       .text = fg_arena_printf(w->arena, "the password is that of %s", dn)});
}

/* ---- base */

static void put_values(const walk_t *w, LDAPMessage *entry, const char *attribute, fg_buf_t *out) {
    struct berval **values = ldap_get_values_len(w->connection->ld, entry, attribute);
    for (size_t i = 0; values != NULL && values[i] != NULL; i++)
        fg_buf_printf(out, "%s\"%.*s\"", out->length > 0 ? ", " : "", (int)values[i]->bv_len, values[i]->bv_val);
    ldap_value_free_len(values);
}

/* What the server holds (RFC 4512 §5.1), for whoever mistyped base. */
static const char *advise_base(const walk_t *w) {
    static const char *const attributes[] = {"defaultNamingContext", "namingContexts", NULL};
    const fg_ldap_search_t root = {"", LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0};
    LDAPMessage *result = NULL;
    fg_buf_t names = FG_BUF_INIT(TEXT_MAX);
    if (!fg_ldap_search(w->connection, &root, w->deadline, &result, NULL, NULL))
        return fg_ldap_advise_result(LDAP_NO_SUCH_OBJECT);
    LDAPMessage *entry = ldap_first_entry(w->connection->ld, result);
    for (size_t i = 0; entry != NULL && names.length == 0 && attributes[i] != NULL; i++)
        put_values(w, entry, attributes[i], &names);
    ldap_msgfree(result);
    const char *text =
        names.length > 0 && fg_buf_ok(&names)
            ? fg_arena_printf(w->arena, "correct base: this server holds %.*s", FG_STR_ARG(fg_buf_str(&names)))
            : fg_ldap_advise_result(LDAP_NO_SUCH_OBJECT);
    fg_buf_free(&names);
    return text;
}

static bool walk_base(walk_t *w) {
    static const char *const attributes[] = {LDAP_NO_ATTRS, NULL};
    const fg_ldap_search_t search = {w->options.base, LDAP_SCOPE_BASE, "(objectClass=*)", attributes, 0};
    LDAPMessage *result = NULL;
    fg_ldap_answer_t answer = {.policy_error = -1};
    fg_err_t err = FG_ERR_INIT;
    bool ok = fg_ldap_search(w->connection, &search, w->deadline, &result, &answer, &err);
    ldap_msgfree(result);
    if (ok)
        return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_BASE, .good = true, .text = w->options.base});
    if (answer.code != LDAP_NO_SUCH_OBJECT && answer.code != LDAP_REFERRAL)
        return tell_failure(w, FG_LDAP_STEP_BASE, &err);
    return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_BASE, .text = err.detail, .advice = advise_base(w)});
}

/* ---- search and groups */

static bool find(const walk_t *w, fg_ldap_groups_t groups, fg_ldap_account_t *account, fg_err_t *err) {
    fg_ldap_options_t options = w->options;
    options.groups = groups;
    return fg_ldap_account_find(&options, w->connection, w->arena, &w->name, w->deadline, w->test->now_ms, account,
                                err);
}

static bool walk_search(walk_t *w, fg_ldap_account_t *account) {
    fg_err_t err = FG_ERR_INIT;
    if (find(w, FG_LDAP_GROUPS_NONE, account, &err)) {
        bool usable = account->refusal == FG_OK;
        const char *text = usable ? account->dn : fg_arena_printf(w->arena, "%s: %s", account->dn, account->why);
        tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_SEARCH,
                                    .good = usable,
                                    .text = text,
                                    .advice = fg_ldap_advise_account(account->refusal),
                                    .claims = &account->claims});
        return true;
    }
    if (err.code != FG_E_AUTH_FAILED)
        return tell_failure(w, FG_LDAP_STEP_SEARCH, &err);
    return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_SEARCH,
                                       .text = err.detail,
                                       .advice = "is the name right, does the entry stand below base, does user_filter "
                                                 "find it and may the account that searches see it?"});
}

static bool is_group(const fg_claim_t *claim) {
    return fg_str_is(claim->type, FG_CLAIM_GROUP) || fg_str_is(claim->type, FG_CLAIM_GROUPSID);
}

static bool keep_groups(const walk_t *w, const fg_claims_t *from, fg_claims_t *to, size_t *count) {
    for (size_t i = 0; i < from->count; i++) {
        if (is_group(&from->items[i]) && !fg_claims_add(w->arena, to, &from->items[i]))
            return false;
        *count += fg_str_is(from->items[i].type, FG_CLAIM_GROUP);
    }
    return true;
}

static bool walk_groups(walk_t *w) {
    fg_ldap_account_t all, direct = {.refusal = FG_OK};
    fg_claims_t groups = {0}, own = {0};
    size_t count = 0, own_count = 0;
    fg_err_t err = FG_ERR_INIT;
    if (w->options.groups == FG_LDAP_GROUPS_NONE)
        return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_GROUPS, .good = true, .text = "not wanted (groups)"});
    if (!find(w, w->options.groups, &all, &err))
        return tell_failure(w, FG_LDAP_STEP_GROUPS, &err);
    int64_t took = fg_ldap_now() - w->begun;
    bool nested = w->options.groups == FG_LDAP_GROUPS_NESTED || w->options.groups == FG_LDAP_GROUPS_CHAIN;
    bool told = nested && find(w, FG_LDAP_GROUPS_DIRECT, &direct, NULL);
    if (!keep_groups(w, &all.claims, &groups, &count) || !keep_groups(w, &direct.claims, &own, &own_count))
        return false;
    return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_GROUPS,
                                       .good = true,
                                       .took_ms = took,
                                       .text = fg_arena_printf(w->arena, "%zu group%s", count, count == 1 ? "" : "s"),
                                       .claims = &groups,
                                       .direct = told ? &own : NULL});
}

/* ---- in the order of a sign-in */

static bool walk_found(walk_t *w, bool by_service) {
    fg_ldap_account_t account;
    if (!walk_base(w))
        return false;
    if (w->test->user.n == 0)
        return true;
    if (!walk_search(w, &account) || (account.refusal == FG_OK && !walk_groups(w)))
        return false;
    return !by_service || w->test->password.n == 0 || bind_person(w, account.dn, FG_LDAP_STEP_PASSWORD);
}

static bool walk_server(walk_t *w) {
    const fg_ldap_test_t *test = w->test;
    fg_err_t err = FG_ERR_INIT;
    if (!walk_connect(w))
        return false;
    if (test->user.n > 0 && !fg_ldap_name_read(&w->options, w->arena, FG_ACCOUNT_NAME, test->user, &w->name, &err))
        return tell_failure(w, FG_LDAP_STEP_SEARCH, &err);
    if (w->options.bind_dn != NULL || w->options.type != FG_LDAP_AD)
        return bind_service(w) && walk_found(w, true);
    if (test->user.n > 0 && test->password.n > 0)
        return bind_person(w, w->name.bind_as, FG_LDAP_STEP_BIND) && walk_found(w, false);
    return tell(w, (fg_ldap_finding_t){.step = FG_LDAP_STEP_BIND,
                                       .good = test->user.n == 0,
                                       .text = "there is no account that searches (bind_dn): people bind themselves",
                                       .advice =
                                           "name somebody and give the password, to see the rest; or set bind_dn and "
                                           "bind_password_file"});
}

bool fg_ldap_test_run(const fg_ldap_test_t *test, fg_arena_t *arena, size_t *good, fg_err_t *err) {
    walk_t w = {.test = test, .arena = arena};
    *good = 0;
    if (!fg_ldap_options_complete(arena, test->options, &w.options))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
    for (size_t i = 0; i < w.options.server_count; i++) {
        w.faulty = false;
        w.connection = NULL;
        w.server = (fg_ldap_server_t){.told = true};
        bool ok = fg_ldap_server_read(&w.server, w.options.servers[i]);
        w.begun = fg_ldap_now();
        w.deadline = w.begun + w.options.timeout_ms;
        *good += ok && walk_server(&w) && !w.faulty;
        fg_ldap_disconnect(w.connection);
        fg_ldap_server_free(&w.server);
        if (!ok)
            return FG_FAIL(err, FG_E_MEMORY, "no memory for a directory");
    }
    return true;
}
