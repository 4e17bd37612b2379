/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/signin.h"

#include <stdint.h>

#include "core/fault.h"
#include "hub/audit.h"
#include "hub/federation.h"
#include "hub/password_change.h"
#include "policy/request.h"

/* Where nobody said which directory: the one whose domain stands before or behind the name, or that is there for its
 * mail addresses, or the only one; NULL: the first that knows the name. */
static const fg_home_realm_t *pick_realm(fg_exchange_t *ex, fg_str_t user) {
    const fg_hub_t *hub = ex->hub;
    size_t directories = 0;
    for (size_t i = 0; i < hub->home_realm_count; i++) {
        fg_directory_t *directory = hub->home_realms[i].directory;
        directories += directory != NULL;
        if (directory != NULL && directory->has_domain != NULL && directory->has_domain(directory, user))
            return &hub->home_realms[i];
    }
    const fg_home_realm_t *of_mail = directories > 1 ? fg_find_home_realm_for_mail(ex, user) : NULL;
    if (of_mail != NULL && of_mail->directory != NULL)
        return of_mail;
    return directories > 1 ? NULL : fg_hub_default_home_realm(hub);
}

fg_step_t fg_signin_begin(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t user, fg_str_t password,
                          fg_handler_t then) {
    ex->signin = (fg_signin_t){.realm = realm ? realm : pick_realm(ex, user), .user = user};
    ex->signin.password = password;
    ex->next = then;
    return FG_STEP_PASSWORD;
}

/* What the rules may know of who vouches for the person. */
static bool add_facts(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_claims_t *claims) {
    const fg_claim_t provider = {
        .type = FG_STR(FG_FACT_PROVIDER), .value = realm->uri, .issuer = FG_STR(FG_REQUEST_ISSUER)};
    if (realm->identity_provider != NULL && !fg_claims_add(ex->arena, claims, &provider))
        return false;
    for (size_t i = 0; i < realm->facts.count; i++)
        if (!fg_claims_add(ex->arena, claims, &realm->facts.items[i]))
            return false;
    return true;
}

/* Properties go no further: a session does not keep them. */
static bool accept_claims(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_identity_t *identity, fg_err_t *err) {
    fg_rule_output_t out;
    fg_claims_drop_request(&identity->claims);
    if (realm->acceptance_rules == NULL)
        return true;
    if (!add_facts(ex, realm, &identity->claims))
        return FG_FAIL(err, FG_E_MEMORY, "accepting claims");
    if (!fg_ruleset_run(realm->acceptance_rules, ex->arena, &ex->hub->stores, &identity->claims, &out, err))
        return false;
    fg_claims_drop_request(&out.claims);
    identity->claims = out.claims;
    for (size_t i = 0; i < out.claims.count; i++)
        out.claims.items[i].properties = NULL;
    return true;
}

/* Who acts is the realm's word as well, and gets past the same rules. */
bool fg_signin_accept(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_identity_t *identity, fg_err_t *err) {
    const fg_identity_t **place = &identity->actor;
    if (!accept_claims(ex, realm, identity, err))
        return false;
    while (*place != NULL) {
        fg_identity_t *actor = fg_arena_alloc(ex->arena, sizeof *actor);
        if (actor == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "no memory for an actor");
        *actor = **place;
        if (!accept_claims(ex, realm, actor, err))
            return false;
        *place = actor;
        place = &actor->actor;
    }
    return true;
}

/* ---- which directory knows a name */

typedef struct search {
    size_t next;   /* of the home realms: those before were asked */
    fg_err_t down; /* of one that did not answer; FG_OK: all did */
} search_t;

/* The next one that knows the name.  What cannot be asked whom it knows (a directory without an account that searches)
 * ends the search: a password that it refuses may be wrong, and is nobody else's business. */
static const fg_home_realm_t *find_knowing(fg_exchange_t *ex, fg_str_t user, search_t *search) {
    while (search->next < ex->hub->home_realm_count) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[search->next++];
        fg_directory_t *directory = realm->directory;
        bool known = directory != NULL;
        if (known && directory->knows != NULL &&
            !directory->knows(directory, ex->env, ex->arena, user, &known, &search->down))
            continue;
        if (known)
            return realm;
    }
    return NULL;
}

/* After a wrong password the others get as much to do as for a name that nobody knows, so that the time does not tell
 * who is known: each is asked for a name and a password that are nobody's. */
static void ask_the_others(fg_exchange_t *ex, const fg_signin_t *signin, search_t *search) {
    char nobody[FG_ID_SIZE];
    fg_err_t unwanted = FG_ERR_INIT;
    fg_identity_t none;
    while (find_knowing(ex, signin->user, search) != NULL)
        continue;
    for (size_t i = 0; i < ex->hub->home_realm_count && fg_id_uuid(ex->env, nobody); i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        fg_directory_t *directory = realm->directory;
        if (directory != NULL && realm != signin->realm)
            (void)directory->check_password(directory, ex->env, ex->arena, fg_str(nobody), fg_str(nobody), &none,
                                            &unwanted);
    }
}

/* ---- the password */

static bool ask(fg_exchange_t *ex, fg_signin_t *signin, const fg_username_token_t *token) {
    fg_directory_t *directory = signin->realm->directory;
    if (signin->new_password.n > 0 && !fg_password_change_run(ex, signin))
        return false;
    if (token == NULL)
        return directory->check_password(directory, ex->env, ex->arena, signin->user,
                                         signin->changed ? signin->new_password : signin->password, &signin->identity,
                                         &signin->err);
    if (directory->check_digest == NULL)
        return FG_FAIL(&signin->err, FG_E_AUTH_DIGEST, "directory %s cannot check digests", directory->name);
    return directory->check_digest(directory, ex->env, ex->arena, token, &signin->identity, &signin->err);
}

/* The account's attempts; those of the address are counted before. */
static bool check_counted(fg_exchange_t *ex, fg_signin_t *signin, const fg_username_token_t *token) {
    const fg_lockout_t *rules = &ex->hub->lockout;
    fg_lockout_t account = *rules;
    fg_directory_t *directory = signin->realm->directory;
    fg_str_t name = fg_str(directory->name), address = ex->request.client_address;
    fg_str_t counted = directory->plain_name ? directory->plain_name(directory, signin->user) : signin->user;
    account.address_failures = 0;
    if (!fg_lockout_enter(ex->env, &account, name, counted, address, &signin->err))
        return false;
    if (ask(ex, signin, token)) {
        fg_lockout_succeed(ex->env, rules, name, counted, address);
        return true;
    }
    if (fg_password_change_proves(signin))
        fg_lockout_succeed(ex->env, rules, name, counted, address);
    else if (fg_fault_is_temporary(signin->err.code))
        fg_lockout_forgive(ex->env, rules, name, counted, address);
    return false;
}

/* With the directory that knows the name.  While one does not answer, a refusal is for nobody final: whoever it is
 * about may be known there. */
static bool check_in_order(fg_exchange_t *ex, fg_signin_t *signin, const fg_lockout_t *address_rules) {
    search_t search = {0, FG_ERR_INIT};
    signin->realm = find_knowing(ex, signin->user, &search);
    bool known = signin->realm != NULL;
    if (!known)
        signin->realm = fg_hub_default_home_realm(ex->hub);
    if (!known && search.down.code != FG_OK) {
        signin->err = search.down;
        fg_lockout_forgive(ex->env, address_rules, FG_STR_NONE, FG_STR_NONE, ex->request.client_address);
        return false;
    }
    if (check_counted(ex, signin, NULL))
        return true;
    if (signin->err.code != FG_E_AUTH_FAILED)
        return false;
    ask_the_others(ex, signin, &search);
    if (search.down.code != FG_OK)
        signin->err = search.down;
    return false;
}

static bool check(fg_exchange_t *ex, fg_signin_t *signin, const fg_username_token_t *token) {
    if (fg_hub_default_home_realm(ex->hub) == NULL || (signin->realm != NULL && signin->realm->directory == NULL))
        return FG_FAIL(&signin->err, FG_E_AUTH_FAILED, "no directory is configured");
    /* before any directory is asked whom it knows */
    fg_lockout_t address = ex->hub->lockout;
    address.account_failures = 0;
    if (!fg_lockout_enter(ex->env, &address, FG_STR_NONE, FG_STR_NONE, ex->request.client_address, &signin->err))
        return false;
    bool ok = signin->realm == NULL ? check_in_order(ex, signin, &address) : check_counted(ex, signin, token);
    return ok && fg_signin_accept(ex, signin->realm, &signin->identity, &signin->err);
}

static void tell(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t user, const fg_identity_t *identity,
                 const fg_err_t *why) {
    const fg_directory_t *directory = realm ? realm->directory : NULL;
    const fg_audit_field_t fields[] = {
        {"user", user},
        {"directory", fg_str(directory ? directory->name : NULL)},
        {"method", why == NULL ? identity->auth_method : FG_STR_NONE},
    };
    fg_audit(ex, why == NULL ? "signin" : "signin_refused", why, fields, FG_ARRAY_SIZE(fields));
}

static bool find_known(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_account_kind_t kind, fg_str_t name,
                       const char *method, fg_identity_t *identity, fg_err_t *err) {
    fg_directory_t *directory = realm ? realm->directory : NULL;
    if (directory == NULL || directory->find == NULL)
        return FG_FAIL(err, FG_E_AUTH_FAILED, "no directory is configured that could know %.*s", FG_STR_ARG(name));
    if (!directory->find(directory, ex->env, ex->arena, kind, name, identity, err))
        return false;
    identity->auth_method = fg_str(method);
    return fg_signin_accept(ex, realm, identity, err);
}

bool fg_signin_known(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_account_kind_t kind, fg_str_t name,
                     const char *method, fg_identity_t *identity, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    bool ok = find_known(ex, realm, kind, name, method, identity, &why);
    tell(ex, realm, name, identity, ok ? NULL : &why);
    if (!ok && err != NULL)
        *err = why;
    return ok;
}

bool fg_signin_vouched(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t name, fg_identity_t *identity,
                       fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    bool ok = fg_signin_accept(ex, realm, identity, &why);
    tell(ex, realm, name, identity, ok ? NULL : &why);
    if (!ok && err != NULL)
        *err = why;
    return ok;
}

void fg_signin_tell_refused(fg_exchange_t *ex, const fg_home_realm_t *realm, fg_str_t name, const fg_err_t *why) {
    tell(ex, realm, name, NULL, why);
}

static void wipe(fg_str_t *secret) {
    if (secret->n > 0)
        explicit_bzero((void *)(uintptr_t)secret->p, secret->n);
    *secret = FG_STR_NONE;
}

static void run(fg_exchange_t *ex, const fg_username_token_t *token) {
    fg_signin_t *signin = &ex->signin;
    bool changes = signin->new_password.n > 0;
    signin->ok = check(ex, signin, token);
    wipe(&signin->password);
    wipe(&signin->new_password);
    if (changes)
        fg_password_change_tell(ex, signin);
    if (changes && !signin->changed)
        return;
    tell(ex, signin->realm, signin->user, &signin->identity, signin->ok ? NULL : &signin->err);
}

void fg_signin_run(fg_exchange_t *ex) { run(ex, NULL); }

/* Digests are no matter for most directories: the first that knows the name among those that can check one. */
static const fg_home_realm_t *pick_for_digest(fg_exchange_t *ex, fg_str_t user) {
    const fg_home_realm_t *first = NULL;
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        fg_directory_t *directory = realm->directory;
        bool known = false;
        if (directory == NULL || directory->check_digest == NULL)
            continue;
        if (directory->knows != NULL &&
            directory->knows(directory, ex->env, ex->arena, user, &known, &ex->signin.err) && known)
            return realm;
        first = first ? first : realm;
    }
    return first ? first : fg_hub_default_home_realm(ex->hub);
}

fg_step_t fg_signin_begin_digest(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_username_token_t *token,
                                 fg_handler_t then) {
    realm = realm ? realm : pick_for_digest(ex, token->username);
    ex->signin = (fg_signin_t){.realm = realm, .user = token->username};
    run(ex, token);
    return then(ex);
}
