/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cost of one decision beside the number of rules in the access policy: rules that test for a role and an operation
 * each, of which one fires, none fires, or the last denies.  bench/policy [ROUNDS] */
#include <malloc.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/crypto.h"
#include "policy/request.h"
#include "policy/rules.h"

#define MOST_ROUNDS 101u
#define DECISIONS 2000u
#define ROLE FG_CLAIM_ROLE

static double nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static fg_ruleset_t *make_rules(unsigned count) {
    fg_buf_t text = FG_BUF_INIT(4u << 20);
    fg_err_t err = FG_ERR_INIT;
    for (unsigned i = 0; i < count; i++)
        fg_buf_printf(&text, "[role == \"group-%u\"] && [operation == \"%s\"] => permit();\n", i,
                      i % 2 ? "Get" : "Enumerate");
    fg_ruleset_t *set = fg_ruleset_compile("bench", fg_buf_str(&text), NULL, &err);
    if (set == NULL) {
        fprintf(stderr, "policy: %s\n", err.detail);
        exit(1);
    }
    fg_buf_free(&text);
    return set;
}

/* A person with some groups and a request with its facts. */
static void make_claims(fg_arena_t *arena, fg_claims_t *claims, const char *group) {
    static const struct {
        const char *type, *value;
    } rows[] = {
        {FG_CLAIM_NAME, "alice"},
        {FG_CLAIM_UPN, "alice@example.com"},
        {FG_CLAIM_EMAIL, "alice@example.com"},
        {ROLE, "Staff"},
        {ROLE, "People"},
        {FG_REQUEST_CLAIMS "method", "POST"},
        {FG_REQUEST_CLAIMS "path", "/wsman"},
        {FG_REQUEST_CLAIMS "host", "host.example.com"},
        {FG_REQUEST_CLAIMS "client_address", "192.0.2.7"},
        {FG_REQUEST_CLAIMS "operation", "Enumerate"},
        {FG_REQUEST_CLAIMS "resource", "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service"},
    };
    bool ok = fg_claims_put(arena, claims, ROLE, fg_str(group));
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++)
        ok = ok && fg_claims_put(arena, claims, rows[i].type, fg_str(rows[i].value));
    if (!ok)
        exit(1);
}

/* As on the event loop: each decision has an arena in the same block. */
static double time_round(const fg_ruleset_t *set, const fg_claims_t *claims, bool permitted) {
    static alignas(max_align_t) unsigned char block[16384];
    double start = nanoseconds();
    for (unsigned i = 0; i < DECISIONS; i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_decision_t decision;
        fg_arena_t *arena = fg_arena_new_in(block, sizeof block, 0);
        if (!fg_policy_decide(set, arena, NULL, claims, &decision, &err) || decision.permitted != permitted) {
            fprintf(stderr, "policy: another decision: %s\n", err.detail);
            exit(1);
        }
        fg_arena_free(arena);
    }
    return (nanoseconds() - start) / DECISIONS;
}

static double measure(const fg_ruleset_t *set, const char *group, bool permitted, size_t rounds) {
    double values[MOST_ROUNDS];
    fg_arena_t *arena = fg_arena_new(0);
    fg_claims_t claims = {0};
    if (arena == NULL)
        exit(1);
    make_claims(arena, &claims, group);
    for (size_t i = 0; i < rounds; i++)
        values[i] = time_round(set, &claims, permitted);
    fg_arena_free(arena);
    qsort(values, rounds, sizeof *values, by_value);
    return values[rounds / 2];
}

int main(int argc, char **argv) {
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 31;
    if (rounds < 1 || rounds > MOST_ROUNDS || !fg_crypto_start())
        return 2;
    printf("%7s  %12s  %12s  %12s  %14s   (medians of %zu rounds)\n", "rules", "first fires", "last fires",
           "none fires", "memory of them", rounds);
    for (unsigned count = 10; count <= 10000; count *= 10) {
        char last[32];
        snprintf(last, sizeof last, "group-%u", count - 2); /* the last that tests for Enumerate */
        size_t before = mallinfo2().uordblks;
        fg_ruleset_t *set = make_rules(count);
        size_t memory = mallinfo2().uordblks - before;
        double first = measure(set, "group-0", true, rounds), end = measure(set, last, true, rounds);
        printf("%7u  %9.0f ns  %9.0f ns  %9.0f ns  %10zu KiB\n", count, first, end,
               measure(set, "nobody", false, rounds), memory / 1024);
        fg_ruleset_free(set);
    }
    fg_crypto_stop();
    return 0;
}
