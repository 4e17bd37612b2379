/* SPDX-License-Identifier: GPL-2.0-or-later
 * The store in shared memory. */
#include "tests/unit/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "hub/store.h"

#define SIZE (64u << 10)
#define NOW TEST_NOW
#define LATER (TEST_NOW + 60000)

typedef struct fixture {
    void *memory;
    fg_store_t *store;
} fixture_t;

static int setup(void **state) {
    fixture_t *f = calloc(1, sizeof *f);
    fg_err_t err = FG_ERR_INIT;
    if (f == NULL || !fg_crypto_start())
        return -1;
    f->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    f->store = fg_store_open(f->memory, SIZE, false, &err);
    *state = f;
    return f->store == NULL ? -1 : 0;
}

static int teardown(void **state) {
    fixture_t *f = *state;
    fg_store_close(f->store);
    munmap(f->memory, SIZE);
    free(f);
    return 0;
}

static fg_store_t *store_of(void **state) { return ((fixture_t *)*state)->store; }

static fg_str_t numbered(char *room, size_t size, int i) {
    snprintf(room, size, "replay:%d", i);
    return fg_str(room);
}

/* SA-06, WT-03: what may be used once is used once */
static void put_new_stores_once_until_expiry(void **state) {
    fg_store_t *s = store_of(state);
    assert_int_equal(s->put_new(s, FG_STR("a"), FG_STR("1"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put_new(s, FG_STR("a"), FG_STR("2"), NOW, LATER), FG_STORE_EXISTS);
    assert_int_equal(s->put_new(s, FG_STR("b"), FG_STR("2"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put_new(s, FG_STR("a"), FG_STR("3"), LATER - 1, LATER), FG_STORE_EXISTS);
    assert_int_equal(s->put_new(s, FG_STR("a"), FG_STR("3"), LATER, LATER + 1), FG_STORE_OK);
}

static void take_gives_a_value_once(void **state) {
    fg_store_t *s = store_of(state);
    char value[16];
    size_t length = sizeof value;
    assert_int_equal(s->take(s, FG_STR("a"), NOW, value, &length), FG_STORE_MISSING);
    assert_int_equal(s->put(s, FG_STR("a"), FG_STR("one"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put(s, FG_STR("a"), FG_STR("three"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->get(s, FG_STR("a"), NOW, value, &length), FG_STORE_OK);
    assert_int_equal(length, 5);
    assert_memory_equal(value, "three", 5);
    length = 4;
    assert_int_equal(s->take(s, FG_STR("a"), NOW, value, &length), FG_STORE_UNAVAILABLE);
    assert_int_equal(length, 5);
    assert_int_equal(s->take(s, FG_STR("a"), NOW, value, &length), FG_STORE_OK);
    assert_int_equal(s->take(s, FG_STR("a"), NOW, value, &length), FG_STORE_MISSING);
    assert_int_equal(s->put(s, FG_STR("a"), FG_STR("x"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->get(s, FG_STR("a"), LATER, value, &length), FG_STORE_MISSING);
}

static void values_of_every_length_come_back(void **state) {
    fg_store_t *s = store_of(state);
    static char in[FG_STORE_VALUE_MAX + 1], out[FG_STORE_VALUE_MAX];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (char)(i * 7 + i / 251);
    for (size_t n = 0; n <= FG_STORE_VALUE_MAX; n += n < 300 ? 1 : 97) {
        size_t length = sizeof out;
        assert_int_equal(s->put(s, FG_STR("v"), (fg_str_t){in, n}, NOW, LATER), FG_STORE_OK);
        assert_int_equal(s->get(s, FG_STR("v"), NOW, out, &length), FG_STORE_OK);
        assert_int_equal(length, n);
        assert_memory_equal(out, in, n);
    }
    size_t length = sizeof out;
    assert_int_equal(s->put(s, FG_STR("v"), (fg_str_t){in, FG_STORE_VALUE_MAX}, NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->take(s, FG_STR("v"), NOW, out, &length), FG_STORE_OK);
    assert_memory_equal(out, in, FG_STORE_VALUE_MAX);
    assert_int_equal(s->put_new(s, FG_STR("v"), (fg_str_t){in, sizeof in}, NOW, LATER), FG_STORE_UNAVAILABLE);
}

static void keys_may_be_long_and_hold_any_byte(void **state) {
    fg_store_t *s = store_of(state);
    static char key[9000];
    assert_int_equal(s->put_new(s, (fg_str_t){key, sizeof key}, FG_STR("1"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put_new(s, (fg_str_t){key, sizeof key - 1}, FG_STR("1"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put_new(s, (fg_str_t){key, sizeof key}, FG_STR("1"), NOW, LATER), FG_STORE_EXISTS);
    assert_int_equal(s->remove(s, (fg_str_t){key, sizeof key}), FG_STORE_OK);
    assert_int_equal(s->remove(s, (fg_str_t){key, sizeof key}), FG_STORE_MISSING);
}

static void counters_live_from_their_making(void **state) {
    fg_store_t *s = store_of(state);
    int64_t total = 0;
    assert_int_equal(s->add(s, FG_STR("n"), 2, NOW, LATER, &total), FG_STORE_OK);
    assert_int_equal(s->add(s, FG_STR("n"), -5, NOW + 1, LATER + 9999, &total), FG_STORE_OK);
    assert_int_equal(total, -3);
    assert_int_equal(s->add(s, FG_STR("n"), 1, LATER, LATER + 1, &total), FG_STORE_OK);
    assert_int_equal(total, 1);
    assert_int_equal(s->put(s, FG_STR("text"), FG_STR("abc"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->add(s, FG_STR("text"), 1, NOW, LATER, &total), FG_STORE_UNAVAILABLE);
}

/* SA-06: a full store forgets nothing that still counts; it says that it cannot answer */
static void a_full_store_drops_only_what_expired(void **state) {
    fg_store_t *s = store_of(state);
    char room[32];
    int n = 0;
    while (s->put_new(s, numbered(room, sizeof room, n), FG_STR("x"), NOW, n % 2 ? LATER : LATER + 1000) == FG_STORE_OK)
        n++;
    assert_in_range(n, 300, 400); /* three quarters: a flood of one kind leaves room for the others */
    for (int i = 0; i < n; i++)
        assert_int_equal(s->put_new(s, numbered(room, sizeof room, i), FG_STR("x"), NOW, LATER), FG_STORE_EXISTS);
    assert_int_equal(s->put_new(s, FG_STR("replay:new"), FG_STR("x"), LATER - 1, LATER), FG_STORE_UNAVAILABLE);
    for (int i = 0; i < n / 2; i++) {
        snprintf(room, sizeof room, "replay:new:%d", i);
        assert_int_equal(s->put_new(s, fg_str(room), FG_STR("x"), LATER, LATER + 1000), FG_STORE_OK);
    }
    for (int i = 0; i < n; i += 2)
        assert_int_equal(s->put_new(s, numbered(room, sizeof room, i), FG_STR("x"), LATER, LATER), FG_STORE_EXISTS);
    static char large[FG_STORE_VALUE_MAX];
    assert_int_equal(s->put_new(s, FG_STR("large"), (fg_str_t){large, sizeof large}, LATER, LATER + 1), FG_STORE_UNAVAILABLE);
    assert_int_equal(s->put_new(s, FG_STR("large"), (fg_str_t){large, sizeof large}, LATER + 1000, LATER + 2000), FG_STORE_OK);
}

static void content_survives_attaching_again(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    assert_int_equal(f->store->put_new(f->store, FG_STR("a"), FG_STR("1"), NOW, LATER), FG_STORE_OK);
    fg_store_t *again = fg_store_open(f->memory, SIZE, true, &err);
    assert_non_null(again);
    assert_int_equal(again->put_new(again, FG_STR("a"), FG_STR("1"), NOW, LATER), FG_STORE_EXISTS);
    fg_store_close(again);
    assert_null(fg_store_open(f->memory, SIZE / 2, true, &err));
    assert_err(&err, FG_E_CONFIG);
    static char strange[4096];
    assert_null(fg_store_open(strange, sizeof strange, true, &err));
    *(uint64_t *)f->memory -= 1; /* of a version before */
    assert_null(fg_store_open(f->memory, SIZE, true, &err));
    assert_null(fg_store_open(strange, 512, false, &err));
}

static fg_store_kind_stats_t stats_of(fg_store_t *s, const char *kind) {
    fg_store_stats_t stats;
    assert_true(fg_store_stats(s, &stats));
    assert_true(stats.bytes_used <= stats.bytes_total);
    for (size_t i = 0; i < FG_STORE_KINDS; i++)
        if (strcmp(stats.kinds[i].name, kind) == 0)
            return stats.kinds[i];
    fail_msg("no kind %s", kind);
    return stats.kinds[0];
}

static fg_store_result_t put_numbered(fg_store_t *s, const char *kind, int i, int64_t expires_ms) {
    char key[64];
    snprintf(key, sizeof key, "%s:%d", kind, i);
    return s->put_new(s, fg_str(key), FG_STR("x"), NOW, expires_ms);
}

static void a_kind_that_is_full_leaves_room_for_the_others(void **state) {
    fg_store_t *s = store_of(state);
    int n = 0;
    while (put_numbered(s, "replay", n, LATER) == FG_STORE_OK)
        n++;
    assert_int_equal(stats_of(s, "replay").entries, n);
    assert_int_equal(stats_of(s, "replay").bytes, n * 128);
    assert_int_equal(stats_of(s, "replay").refused, 1);
    static const char *others[] = {"session-ended", "lockout", "partner-state", "ticket", "wsman", "loop", "upstream", "credential", "what-else"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++)
        assert_int_equal(put_numbered(s, others[i], 1, LATER), FG_STORE_OK);
    assert_int_equal(stats_of(s, "wsman").entries, 1);
    assert_int_equal(stats_of(s, "other").entries, 1);
    assert_int_equal(put_numbered(s, "replay", n, LATER), FG_STORE_UNAVAILABLE);
    assert_int_equal(stats_of(s, "replay").entries, n);
    assert_int_equal(stats_of(s, "credential").displaced, 0); /* it would not have helped */
}

/* What can be had again goes, the oldest first; what must be remembered stays. */
static void caches_give_way_and_take_half_at_most(void **state) {
    fg_store_t *s = store_of(state);
    char value[8];
    size_t length = sizeof value;
    fg_store_stats_t stats;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(put_numbered(s, i % 3 ? "credential" : "upstream", i, LATER + 3000 - i), FG_STORE_OK);
    assert_true(fg_store_stats(s, &stats));
    assert_in_range(stats.bytes_used, stats.bytes_total / 2 - 256, stats.bytes_total / 2);
    assert_int_equal(stats_of(s, "credential").displaced + stats_of(s, "upstream").displaced + stats.bytes_used / 128, 3000);
    assert_int_equal(s->get(s, FG_STR("credential:2999"), NOW, value, &length), FG_STORE_OK);
    assert_int_equal(s->get(s, FG_STR("credential:2800"), NOW, value, &length), FG_STORE_OK);
    assert_int_equal(s->get(s, FG_STR("credential:2000"), NOW, value, &length), FG_STORE_MISSING);
    int replay = 0, ended = 0;
    while (put_numbered(s, "replay", replay, LATER) == FG_STORE_OK)
        replay++;
    while (put_numbered(s, "session-ended", ended, LATER) == FG_STORE_OK)
        ended++;
    assert_int_equal((uint64_t)(replay + ended), stats.bytes_total / 128); /* everything; no cache is left */
    assert_int_equal(stats_of(s, "credential").entries + stats_of(s, "upstream").entries, 0);
    assert_int_equal(put_numbered(s, "credential", 1, LATER), FG_STORE_UNAVAILABLE);
    assert_int_equal(stats_of(s, "credential").refused, 1);
    for (int i = 0; i < replay; i++)
        assert_int_equal(put_numbered(s, "replay", i, LATER), FG_STORE_EXISTS);
    for (int i = 0; i < ended; i++)
        assert_int_equal(put_numbered(s, "session-ended", i, LATER), FG_STORE_EXISTS);
}

/* Replacing needs no more room than the larger of the two, and a replacement that does not fit leaves the old one. */
static void replacing_in_a_full_store_forgets_nothing(void **state) {
    fg_store_t *s = store_of(state);
    static char large[FG_STORE_VALUE_MAX];
    char value[8];
    size_t length = sizeof value;
    int n = 0;
    while (put_numbered(s, "replay", n, LATER) == FG_STORE_OK)
        n++;
    assert_int_equal(s->put(s, FG_STR("replay:0"), FG_STR("new"), NOW, LATER), FG_STORE_OK);
    assert_int_equal(s->put(s, FG_STR("replay:0"), (fg_str_t){large, sizeof large}, NOW, LATER), FG_STORE_UNAVAILABLE);
    assert_int_equal(s->get(s, FG_STR("replay:0"), NOW, value, &length), FG_STORE_OK);
    assert_int_equal(length, 3);
    assert_int_equal(stats_of(s, "replay").entries, n);
    /* a cache's entry may be displaced by its own replacement */
    assert_int_equal(s->put(s, FG_STR("upstream:0"), FG_STR("old"), NOW, LATER), FG_STORE_OK);
    for (int i = 0; i < 5; i++)
        (void)s->put(s, FG_STR("upstream:0"), (fg_str_t){large, sizeof large}, NOW, LATER);
    assert_true(stats_of(s, "upstream").entries <= 1);
}

static void refusals_are_logged_once_a_minute(void **state) {
    fg_store_t *s = store_of(state);
    test_env_t test;
    test_env_init(&test);
    fg_store_report(s, &test.env);
    assert_string_equal(test.log, "");
    int n = 0;
    while (put_numbered(s, "wsman", n, LATER + 600000) == FG_STORE_OK)
        n++;
    fg_store_report(s, &test.env);
    assert_non_null(strstr(test.log, "kind wsman: 1 refused"));
    for (int i = 0; i < 7; i++)
        assert_int_equal(put_numbered(s, "wsman", n, LATER), FG_STORE_UNAVAILABLE);
    test.log[0] = '\0';
    test.now_ms += 59999;
    fg_store_report(s, &test.env);
    assert_string_equal(test.log, "");
    test.now_ms++;
    fg_store_report(s, &test.env);
    fg_store_report(s, &test.env);
    assert_non_null(strstr(test.log, "kind wsman: 7 refused"));
    assert_null(strstr(strstr(test.log, "wsman") + 1, "wsman"));
}

/* Several processes fill caches and what must be remembered at once: the counts are right, and nothing is lost. */
static void processes_share_limits(void **state) {
    fg_store_t *s = store_of(state);
    enum { CHILDREN = 3, EACH = 60 };
    pid_t children[CHILDREN];
    for (int c = 0; c < CHILDREN; c++) {
        children[c] = fork();
        assert_true(children[c] >= 0);
        if (children[c] != 0)
            continue;
        int failures = 0;
        for (int i = 0; i < 1000; i++)
            failures += put_numbered(s, "credential", c * 1000 + i, LATER) != FG_STORE_OK;
        for (int i = 0; i < EACH; i++)
            failures += put_numbered(s, "ticket", c * EACH + i, LATER) != FG_STORE_OK;
        _exit(failures != 0);
    }
    for (int c = 0; c < CHILDREN; c++) {
        int status;
        assert_int_equal(waitpid(children[c], &status, 0), children[c]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(stats_of(s, "ticket").entries, CHILDREN * EACH);
    assert_int_equal(stats_of(s, "credential").entries + stats_of(s, "credential").displaced, CHILDREN * 1000);
    for (int i = 0; i < CHILDREN * EACH; i++)
        assert_int_equal(put_numbered(s, "ticket", i, LATER), FG_STORE_EXISTS);
}

/* How many small entries fit now; they are gone afterwards. */
static int room_in(fg_store_t *s) {
    char room[32];
    int n = 0;
    while (s->put_new(s, numbered(room, sizeof room, n), FG_STR("x"), NOW, LATER) == FG_STORE_OK)
        n++;
    for (int i = 0; i < n; i++)
        assert_int_equal(s->remove(s, numbered(room, sizeof room, i)), FG_STORE_OK);
    return n;
}

/* Other processes die in the middle of their work again and again: the store goes on and remembers what was stored before. */
static void a_process_that_dies_inside_leaves_the_store_usable(void **state) {
    fg_store_t *s = store_of(state);
    static char big[3000];
    int before = room_in(s);
    assert_int_equal(s->put_new(s, FG_STR("kept"), FG_STR("1"), NOW, LATER), FG_STORE_OK);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            for (unsigned n = 0;; n++)
                if (s->put(s, n % 3 ? n % 5 ? FG_STR("x") : FG_STR("credential:x") : FG_STR("y"), (fg_str_t){big, n % sizeof big}, NOW, LATER) != FG_STORE_OK)
                    _exit(1);
        usleep(2000 + (useconds_t)i * 130);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(s->put_new(s, FG_STR("kept"), FG_STR("1"), NOW, LATER), FG_STORE_EXISTS);
        assert_int_equal(s->put(s, FG_STR("x"), (fg_str_t){big, sizeof big}, NOW, LATER), FG_STORE_OK);
    }
    s->remove(s, FG_STR("kept"));
    s->remove(s, FG_STR("x"));
    s->remove(s, FG_STR("y"));
    s->remove(s, FG_STR("credential:x"));
    fg_store_stats_t stats;
    assert_true(fg_store_stats(s, &stats));
    assert_int_equal(stats.bytes_used, 0);
    assert_int_equal(room_in(s), before); /* no block was lost */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(put_new_stores_once_until_expiry),
        TEST(take_gives_a_value_once),
        TEST(values_of_every_length_come_back),
        TEST(keys_may_be_long_and_hold_any_byte),
        TEST(counters_live_from_their_making),
        TEST(a_full_store_drops_only_what_expired),
        TEST(a_kind_that_is_full_leaves_room_for_the_others),
        TEST(caches_give_way_and_take_half_at_most),
        TEST(replacing_in_a_full_store_forgets_nothing),
        TEST(refusals_are_logged_once_a_minute),
        TEST(processes_share_limits),
        TEST(content_survives_attaching_again),
        TEST(a_process_that_dies_inside_leaves_the_store_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
