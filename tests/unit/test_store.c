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
    assert_in_range(n, 300, 520);
    for (int i = 0; i < n; i++)
        assert_int_equal(s->put_new(s, numbered(room, sizeof room, i), FG_STR("x"), NOW, LATER), FG_STORE_EXISTS);
    assert_int_equal(s->put_new(s, FG_STR("new"), FG_STR("x"), LATER - 1, LATER), FG_STORE_UNAVAILABLE);
    for (int i = 0; i < n / 2; i++) {
        snprintf(room, sizeof room, "new:%d", i);
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
    assert_null(fg_store_open(strange, 512, false, &err));
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
                if (s->put(s, n % 3 ? FG_STR("x") : FG_STR("y"), (fg_str_t){big, n % sizeof big}, NOW, LATER) != FG_STORE_OK)
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
        TEST(content_survives_attaching_again),
        TEST(a_process_that_dies_inside_leaves_the_store_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
