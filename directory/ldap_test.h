/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A directory tried out, step by step, by the functions that the gateway signs people in with: for somebody who wants
 * to know why a sign-in does not work. */
#ifndef FG_DIRECTORY_LDAP_TEST_H
#define FG_DIRECTORY_LDAP_TEST_H

#include "directory/ldap.h"

typedef enum fg_ldap_step {
    FG_LDAP_STEP_CONNECT,
    FG_LDAP_STEP_START_TLS,
    FG_LDAP_STEP_TLS,
    FG_LDAP_STEP_BIND,     /* of the account that searches, or where there is none of the person */
    FG_LDAP_STEP_BASE,     /* whether it is there */
    FG_LDAP_STEP_SEARCH,   /* the person's entry */
    FG_LDAP_STEP_GROUPS,   /* with the search for the entry, as at a sign-in */
    FG_LDAP_STEP_PASSWORD, /* the person's */
} fg_ldap_step_t;

typedef struct fg_ldap_finding {
    const char *server; /* its URI */
    fg_ldap_step_t step;
    bool good;
    int64_t took_ms;
    const char *text;          /* what was found, or why not: a line */
    const char *advice;        /* what to change; NULL: nothing */
    fg_str_t certificate;      /* FG_LDAP_STEP_TLS: whom the server shows, DER; .n 0: nobody */
    const fg_claims_t *claims; /* search: of the account; groups: of these; NULL: none */
    const fg_claims_t *direct; /* groups: those that the person is a member of himself */
} fg_ldap_finding_t;

typedef struct fg_ldap_test {
    const fg_ldap_options_t *options;
    fg_str_t user;     /* .n 0: no person is looked for */
    fg_str_t password; /* .n 0: it is not checked */
    int64_t now_ms;
    void (*tell)(void *context, const fg_ldap_finding_t *finding); /* as soon as it is known */
    void *context;
} fg_ldap_test_t;

/* Goes through each server, which gets the directory's timeout to itself, until a step fails.  Nothing is taken from a
 * cache or kept.  *good: how many servers had no fault.  False: memory. */
bool fg_ldap_test_run(const fg_ldap_test_t *test, fg_arena_t *arena, size_t *good, fg_err_t *err) FG_MUST_CHECK;

#endif
