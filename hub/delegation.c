/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/delegation.h"

#include "hub/audit.h"
#include "hub/issue.h"
#include "policy/request.h"

static const char *const words[] = {
    [FG_DELEGATION_ON_BEHALF_OF] = "onbehalfof",
    [FG_DELEGATION_ACT_AS] = "actas",
};

const char *fg_delegation_word(fg_delegation_kind_t kind) { return words[kind]; }

/* Claims of a kind that only the gateway says are none of anybody's own. */
static bool gather_own(fg_arena_t *arena, const fg_identity_t *identity, fg_claims_t *claims) {
    if (!fg_issue_gather(arena, identity, claims))
        return false;
    fg_claims_drop_request(claims);
    return true;
}

static bool add_prefixed(fg_arena_t *arena, const char *prefix, const fg_identity_t *identity, fg_claims_t *input) {
    fg_claims_t own = {0};
    return gather_own(arena, identity, &own) && fg_request_add_prefixed(arena, prefix, &own, input);
}

static bool gather(fg_arena_t *arena, const fg_delegation_t *d, fg_claims_t *input) {
    bool ok = gather_own(arena, d->actor, input) &&
              fg_request_delegation_claims(arena, fg_str(words[d->kind]), d->audience, input) &&
              add_prefixed(arena, FG_REQUEST_SUBJECT, d->subject, input);
    for (const fg_identity_t *actor = d->subject->actor; ok && actor != NULL; actor = actor->actor)
        ok = add_prefixed(arena, FG_REQUEST_SUBJECT_ACTOR, actor, input);
    return ok;
}

/* What no rule can permit. */
static bool is_possible(const fg_delegation_t *d, fg_err_t *err) {
    if (d->partner->delegation_rules == NULL)
        return FG_FAIL_FOR(err, FG_E_DENIED, FG_R_DELEGATION_DENIED,
                           "%s has no delegation_rules: nobody may act for others", d->partner->name);
    if (d->actor->actor != NULL)
        return FG_FAIL_FOR(err, FG_E_DENIED, FG_R_DELEGATION_DENIED,
                           "who is acted for by somebody else cannot act for others");
    if (d->kind == FG_DELEGATION_ACT_AS && fg_identity_count_actors(d->subject) >= FG_ACTORS_MAX)
        return FG_FAIL_FOR(err, FG_E_DENIED, FG_R_DELEGATION_DENIED, "%u act for the subject already", FG_ACTORS_MAX);
    return true;
}

static void write_audit(fg_exchange_t *ex, const fg_delegation_t *d) {
    const fg_audit_field_t fields[] = {
        {"user", fg_identity_name(d->subject)},
        {"actor", fg_identity_name(d->actor)},
        {"delegation", fg_str(words[d->kind])},
        {"partner", fg_str(d->partner->name)},
        {"audience", d->audience},
    };
    fg_audit(ex, "delegated", NULL, fields, FG_ARRAY_SIZE(fields));
}

bool fg_delegation_authorize(fg_exchange_t *ex, const fg_delegation_t *d, fg_err_t *err) {
    fg_claims_t input = {0};
    fg_str_t actor = fg_identity_name(d->actor), subject = fg_identity_name(d->subject);
    if (!is_possible(d, err))
        return false;
    if (!gather(ex->arena, d, &input))
        return FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
    if (!fg_ruleset_authorize(d->partner->delegation_rules, ex->arena, &ex->hub->stores, &input, err))
        return fg_err_prefix(err, "%.*s as %s for %.*s at %s", FG_STR_ARG(actor), words[d->kind], FG_STR_ARG(subject),
                             d->partner->name);
    write_audit(ex, d);
    return true;
}

/* A copy of the chain of actors with one more behind the last; NULL: memory. */
static const fg_identity_t *append(fg_arena_t *arena, const fg_identity_t *chain, const fg_identity_t *last) {
    fg_identity_t *copy = fg_arena_alloc(arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = chain != NULL ? *chain : *last;
    copy->actor = chain != NULL ? append(arena, chain->actor, last) : NULL;
    return chain == NULL || copy->actor != NULL ? copy : NULL;
}

bool fg_delegation_join(fg_exchange_t *ex, const fg_delegation_t *d, fg_identity_t *identity, fg_err_t *err) {
    *identity = *d->subject;
    if (d->kind != FG_DELEGATION_ACT_AS)
        return true;
    if (fg_identity_count_actors(d->subject) >= FG_ACTORS_MAX)
        return FG_FAIL_FOR(err, FG_E_DENIED, FG_R_DELEGATION_DENIED, "%u act for the subject already", FG_ACTORS_MAX);
    identity->actor = append(ex->arena, d->subject->actor, d->actor);
    return identity->actor != NULL || FG_FAIL(err, FG_E_MEMORY, "no memory for the chain of actors");
}
