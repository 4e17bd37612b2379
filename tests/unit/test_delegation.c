/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who may act for whom, towards whom: delegation rules, and what is issued then (WT-02). */
#include "tests/unit/exchange.h"

#include "hub/delegation.h"
#include "policy/request.h"

static const char rules[] =
    "@RuleName = \"the front end shows its user\" [upn == \"front\"] && [delegation == \"actas\"] && "
    "exists([subject_role == \"Staff\"]) => permit();\n"
    "@RuleName = \"batch hides\" [upn == \"batch\"] && [relying_party == \"urn:ledger\"] && "
    "exists([subject_role == \"Staff\", Issuer == \"staff\"]) => permit();\n"
    "@RuleName = \"one hop more\" [upn == \"middle\"] && exists([subject_actor_upn == \"front\"]) => permit();\n"
    "@RuleName = \"no boss\" exists([subject_upn == \"boss\"]) => deny(\"not for the boss\");\n";

typedef struct matrix {
    fixture_t f;
    fg_ruleset_t *set;
    fg_partner_t partner;
} matrix_t;

static int set_up(void **state) {
    static matrix_t m;
    fixture_t *f;
    fg_err_t err = FG_ERR_INIT;
    if (fixture_set_up(state) != 0)
        return -1;
    f = *state;
    m.f = *f;
    m.f.test.env = f->test.env;
    test_env_init(&m.f.test);
    exchange_begin(&m.f, "/", "text/plain", "", NULL, NULL);
    m.set = fg_ruleset_compile("delegation.rules", FG_STR(rules), NULL, &err);
    if (m.set == NULL)
        print_error("%s\n", err.detail);
    m.partner = (fg_partner_t){.name = "ledger", .delegation_rules = m.set};
    *state = &m;
    return m.set != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    matrix_t *m = *state;
    fg_ruleset_free(m->set);
    *state = &m->f;
    return fixture_tear_down(state);
}

static fg_identity_t *make(matrix_t *m, const char *upn, const char *role, const char *issuer) {
    fg_arena_t *arena = m->f.ex->arena;
    fg_identity_t *identity = fg_arena_alloc(arena, sizeof *identity);
    fg_claim_t claims[] = {
        {.type = FG_STR(FG_CLAIM_UPN), .value = fg_str(upn), .issuer = fg_str(issuer)},
        {.type = FG_STR(FG_CLAIM_NAME), .value = fg_str(upn), .issuer = fg_str(issuer)},
        {.type = FG_STR(FG_CLAIM_ROLE), .value = fg_str(role), .issuer = fg_str(issuer)},
    };
    assert_non_null(identity);
    identity->auth_method = FG_STR(FG_AUTH_PASSWORD);
    identity->auth_instant_ms = m->f.test.now_ms;
    identity->issuer = fg_str(issuer);
    for (size_t i = 0; i < FG_ARRAY_SIZE(claims); i++)
        assert_true(fg_claims_add(arena, &identity->claims, &claims[i]));
    return identity;
}

#define BEHALF FG_DELEGATION_ON_BEHALF_OF
#define ACT_AS FG_DELEGATION_ACT_AS

/* The delegation matrix: who, how, for whom (and through whom), to whom. */
static void who_acts_for_whom_towards_whom_wt02(void **state) {
    matrix_t *m = *state;
    static const struct {
        const char *actor, *actor_role;
        fg_delegation_kind_t kind;
        const char *subject, *subject_role, *subject_issuer, *through, *realm;
        bool permitted;
    } rows[] = {
        {"front", "Services", ACT_AS, "alice", "Staff", "staff", NULL, "urn:ledger", true},
        {"front", "Services", ACT_AS, "alice", "Staff", "staff", NULL, "urn:archive", true},
        {"front", "Services", ACT_AS, "alice", "Staff", "partners", NULL, "urn:ledger", true},
        {"front", "Services", BEHALF, "alice", "Staff", "staff", NULL, "urn:ledger", false},
        {"front", "Services", ACT_AS, "guest", "Guests", "staff", NULL, "urn:ledger", false},
        {"front", "Services", ACT_AS, "boss", "Staff", "staff", NULL, "urn:ledger", false}, /* deny wins */
        {"batch", "Services", BEHALF, "alice", "Staff", "staff", NULL, "urn:ledger", true},
        {"batch", "Services", ACT_AS, "alice", "Staff", "staff", NULL, "urn:ledger", true},
        {"batch", "Services", BEHALF, "alice", "Staff", "staff", NULL, "urn:archive", false},
        {"batch", "Services", BEHALF, "alice", "Staff", "staff", NULL, "urn:ledger/", false},
        {"batch", "Services", BEHALF, "alice", "Staff", "partners", NULL, "urn:ledger", false},
        {"batch", "Services", BEHALF, "boss", "Staff", "staff", NULL, "urn:ledger", false},
        {"middle", "Services", ACT_AS, "alice", "Staff", "staff", "front", "urn:ledger", true},
        {"middle", "Services", ACT_AS, "alice", "Staff", "staff", "other", "urn:ledger", false},
        {"middle", "Services", ACT_AS, "alice", "Staff", "staff", NULL, "urn:ledger", false},
        /* each rule's side matters: what the actor is does not count for the subject, nor the other way round */
        {"alice", "Staff", ACT_AS, "front", "Services", "staff", NULL, "urn:ledger", false},
        {"front", "Staff", ACT_AS, "guest", "Guests", "staff", NULL, "urn:ledger", false},
        {"FRONT", "Services", ACT_AS, "alice", "Staff", "staff", NULL, "urn:ledger", false},
        {"alice", "Staff", ACT_AS, "alice", "Staff", "staff", NULL, "urn:ledger", false}, /* nor for oneself */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_identity_t *subject = make(m, rows[i].subject, rows[i].subject_role, rows[i].subject_issuer);
        subject->actor = rows[i].through ? make(m, rows[i].through, "Services", "staff") : NULL;
        const fg_delegation_t d = {&m->partner, fg_str(rows[i].realm), make(m, rows[i].actor, rows[i].actor_role, "staff"),
                                   subject, rows[i].kind};
        fg_err_t err = FG_ERR_INIT;
        m->f.ex->audit = NULL;
        m->f.ex->audit_end = NULL;
        if (fg_delegation_authorize(m->f.ex, &d, &err) != rows[i].permitted)
            fail_msg("row %zu: should be %s: %s", i, rows[i].permitted ? "permitted" : "denied", err.detail);
        if (!rows[i].permitted)
            assert_err(&err, FG_E_DENIED);
        assert_true((m->f.ex->audit != NULL) == rows[i].permitted);
    }
}

static void no_rules_permit_nobody_wt02(void **state) {
    matrix_t *m = *state;
    fg_err_t err = FG_ERR_INIT;
    const fg_delegation_t d = {&m->partner, FG_STR("urn:ledger"), make(m, "front", "Services", "staff"),
                               make(m, "alice", "Staff", "staff"), ACT_AS};
    assert_true(fg_delegation_authorize(m->f.ex, &d, &err)); /* control */
    assert_non_null(strstr(m->f.ex->audit->text.p, "\"event\":\"delegated\""));
    assert_non_null(strstr(m->f.ex->audit->text.p, "\"user\":\"alice\",\"actor\":\"front\",\"delegation\":\"actas\""));
    m->partner.delegation_rules = NULL;
    assert_false(fg_delegation_authorize(m->f.ex, &d, &err));
    assert_err(&err, FG_E_DENIED);
}

/* Nobody becomes an actor or a subject by claims of those types in a token. */
static void claims_of_the_prefix_are_nobodys_own_wt02(void **state) {
    matrix_t *m = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t *actor = make(m, "front", "Services", "staff"), *subject = make(m, "guest", "Guests", "staff");
    const fg_delegation_t d = {&m->partner, FG_STR("urn:ledger"), actor, subject, ACT_AS};
    assert_true(fg_claims_put(m->f.ex->arena, &actor->claims, FG_REQUEST_SUBJECT FG_CLAIM_ROLE, FG_STR("Staff")));
    assert_true(fg_claims_put(m->f.ex->arena, &subject->claims, FG_REQUEST_SUBJECT FG_CLAIM_ROLE, FG_STR("Staff")));
    assert_true(fg_claims_put(m->f.ex->arena, &subject->claims, FG_CLAIM_ROLE "/Staff", FG_STR("Staff")));
    assert_false(fg_delegation_authorize(m->f.ex, &d, &err));
    assert_err(&err, FG_E_DENIED);
    assert_true(fg_claims_put(m->f.ex->arena, &subject->claims, FG_CLAIM_ROLE, FG_STR("Staff")));
    assert_true(fg_delegation_authorize(m->f.ex, &d, &err)); /* control */
}

static void chain_of_actors_is_bounded_wt02(void **state) {
    matrix_t *m = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t *subject = make(m, "alice", "Staff", "staff"), *actor = make(m, "front", "Services", "staff"), joined;
    for (unsigned i = 0; i < FG_ACTORS_MAX; i++) {
        const fg_delegation_t d = {&m->partner, FG_STR("urn:ledger"), actor, subject, ACT_AS};
        assert_true(fg_delegation_authorize(m->f.ex, &d, &err));
        assert_true(fg_delegation_join(m->f.ex, &d, &joined, &err));
        subject = fg_arena_alloc(m->f.ex->arena, sizeof joined);
        *subject = joined;
    }
    const fg_delegation_t d = {&m->partner, FG_STR("urn:ledger"), actor, subject, ACT_AS};
    assert_false(fg_delegation_authorize(m->f.ex, &d, &err));
    assert_err(&err, FG_E_DENIED);
    assert_false(fg_delegation_join(m->f.ex, &d, &joined, &err));
    assert_err(&err, FG_E_DENIED);
    /* one that is acted for acts for nobody */
    fg_identity_t *delegated = make(m, "front", "Services", "staff");
    delegated->actor = make(m, "other", "Services", "staff");
    const fg_delegation_t through = {&m->partner, FG_STR("urn:ledger"), delegated, make(m, "alice", "Staff", "staff"), ACT_AS};
    assert_false(fg_delegation_authorize(m->f.ex, &through, &err));
    assert_err(&err, FG_E_DENIED);
    delegated->actor = NULL;
    assert_true(fg_delegation_authorize(m->f.ex, &through, &err));
}

/* The last in the chain is who acted last; nothing of the actor's becomes the subject's. */
static void joined_identity_is_the_subject_and_its_actors_wt02(void **state) {
    matrix_t *m = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t *subject = make(m, "alice", "Staff", "staff"), joined;
    fg_identity_t *first = make(m, "front", "Services", "staff"), *last = make(m, "middle", "Admins", "staff");
    subject->actor = first;
    fg_delegation_t d = {&m->partner, FG_STR("urn:ledger"), last, subject, ACT_AS};
    assert_true(fg_delegation_join(m->f.ex, &d, &joined, &err));
    assert_true(joined.claims.items == subject->claims.items && joined.claims.count == subject->claims.count);
    assert_true(fg_str_is(fg_identity_name(joined.actor), "front"));
    assert_true(fg_str_is(fg_identity_name(joined.actor->actor), "middle"));
    assert_null(joined.actor->actor->actor);
    assert_null(first->actor); /* what was there before is as it was */
    d.kind = BEHALF;
    assert_true(fg_delegation_join(m->f.ex, &d, &joined, &err));
    assert_true(joined.actor == first);
    assert_null(first->actor);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(who_acts_for_whom_towards_whom_wt02),
        CASE(no_rules_permit_nobody_wt02),
        CASE(claims_of_the_prefix_are_nobodys_own_wt02),
        CASE(chain_of_actors_is_bounded_wt02),
        CASE(joined_identity_is_the_subject_and_its_actors_wt02),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
