/* SPDX-License-Identifier: GPL-2.0-or-later
 * The key ring: first start, rolls by command and by the clock, several processes, broken folders. */
#include "tests/unit/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/time.h"
#include "hub/keyring.h"

/* EC for speed; the type of encryption keys is RSA always */
static const fg_keyring_rules_t rules = {
    .signing_type = FG_KEY_EC_P256, .lifetime_ms = 365 * FG_DAY, .publish_ms = 20 * FG_DAY, .sealing_lifetime_ms = 7 * FG_DAY, .common_name = "fs.example.com"};

static test_env_t test;
static char base[64], folder[80];

static int start(void **state) {
    (void)state;
    fg_json_start();
    return fg_crypto_start() ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    fg_crypto_stop();
    return 0;
}

static const char *in_folder(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int setup(void **state) {
    (void)state;
    test_env_init(&test);
    snprintf(base, sizeof base, "/tmp/fedgate-test-XXXXXX");
    if (mkdtemp(base) == NULL)
        return -1;
    snprintf(folder, sizeof folder, "%s/keys", base);
    return 0;
}

/* The number of files whose names begin so; removes them if asked. */
static int count_files(const char *prefix, bool delete) {
    int count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        count++;
        if (delete)
            unlink(in_folder(entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static int teardown(void **state) {
    (void)state;
    count_files("", true);
    rmdir(folder);
    return rmdir(base);
}

static fg_keyring_t *open_ring(const fg_keyring_rules_t *with, bool create, fg_err_t *err) {
    return fg_keyring_open(folder, with, create, (unsigned)-1, (unsigned)-1, &test.env, err);
}

static fg_keyring_t *opened(void) {
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = open_ring(&rules, true, &err);
    if (ring == NULL)
        fail_msg("%s", err.detail);
    return ring;
}

/* What a ring's state says at a moment, without holding it */
typedef struct seen {
    char signing[FG_KEY_STATES][24], encryption[FG_KEY_STATES][24], sealing[3][9];
    unsigned sealing_count;
} seen_t;

static void note(char out[24], const fg_key_t *key) { snprintf(out, 24, "%s", key ? fg_key_get_id(key) : "-"); }

static seen_t see(fg_keyring_t *ring) {
    seen_t seen = {0};
    fg_keys_t *keys = fg_keyring_acquire(ring);
    for (int i = 0; i < FG_KEY_STATES; i++) {
        note(seen.signing[i], keys->signing[i]);
        note(seen.encryption[i], keys->encryption[i]);
    }
    seen.sealing_count = keys->sealing_count;
    for (unsigned i = 0; i < keys->sealing_count; i++)
        fg_hex_encode(keys->sealing[i].id, 4, seen.sealing[i]);
    fg_keys_release(ring, keys);
    return seen;
}

static seen_t refreshed(fg_keyring_t *ring) {
    fg_keyring_refresh(ring, &test.env);
    return see(ring);
}

static void assert_same(const seen_t *a, const seen_t *b) { assert_memory_equal(a, b, sizeof *a); }

static void assert_states(char states[FG_KEY_STATES][24], const char *active, const char *next, const char *previous) {
    assert_string_equal(states[FG_KEY_ACTIVE], active);
    assert_string_equal(states[FG_KEY_NEXT], next);
    assert_string_equal(states[FG_KEY_PREVIOUS], previous);
}

/* ---- first start */

static void first_start_makes_the_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_null(open_ring(&rules, false, &err)); /* without create nothing is made */
    assert_err(&err, FG_E_FILE);
    struct stat status;
    assert_int_equal(stat(folder, &status), -1);
    fg_keyring_t *ring = opened();
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    static const char *prefixes[] = {"ring.json", "signing-", "encryption-", "sealing-"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(prefixes); i++)
        assert_int_equal(count_files(prefixes[i], false), 1);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.' && (stat(in_folder(entry->d_name), &status) != 0 || (status.st_mode & 07777) != 0600))
            fail_msg("%s: mode %o", entry->d_name, status.st_mode);
    closedir(dir);
    fg_keys_t *keys = fg_keyring_acquire(ring);
    assert_true(fg_key_is_private(keys->signing[FG_KEY_ACTIVE]));
    assert_true(fg_key_is_ec(keys->signing[FG_KEY_ACTIVE]));
    assert_false(fg_key_is_ec(keys->encryption[FG_KEY_ACTIVE]));
    assert_true(fg_key_get_not_after(keys->signing[FG_KEY_ACTIVE]) == TEST_NOW + 365 * FG_DAY);
    assert_true(fg_key_get_not_before(keys->signing[FG_KEY_ACTIVE]) < TEST_NOW);
    assert_int_equal(keys->sealing_count, 1);
    fg_keys_release(ring, keys);
    seen_t seen = see(ring), again;
    fg_keyring_free(ring);
    ring = open_ring(&rules, false, &err); /* the same keys at the next start */
    assert_non_null(ring);
    again = see(ring);
    assert_same(&seen, &again);
    fg_keyring_free(ring);
}

static void default_rules_and_types_by_configuration(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = open_ring(&(fg_keyring_rules_t){0}, true, &err);
    assert_non_null(ring);
    fg_keys_t *keys = fg_keyring_acquire(ring);
    assert_int_equal(EVP_PKEY_get_bits(fg_key_get_pkey(keys->signing[FG_KEY_ACTIVE])), 2048);
    assert_int_equal(EVP_PKEY_get_bits(fg_key_get_pkey(keys->encryption[FG_KEY_ACTIVE])), 2048);
    assert_true(fg_key_get_not_after(keys->signing[FG_KEY_ACTIVE]) == TEST_NOW + 365 * FG_DAY);
    fg_keys_release(ring, keys);
    fg_keyring_free(ring);
    fg_keyring_rules_t ec = rules;
    ec.signing_type = FG_KEY_EC_P384; /* holds for keys made from now on */
    ring = open_ring(&ec, true, &err);
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    keys = fg_keyring_acquire(ring);
    assert_int_equal(EVP_PKEY_get_bits(fg_key_get_pkey(keys->signing[FG_KEY_ACTIVE])), 384);
    assert_int_equal(EVP_PKEY_get_bits(fg_key_get_pkey(keys->signing[FG_KEY_PREVIOUS])), 2048);
    fg_keys_release(ring, keys);
    fg_keyring_free(ring);
    ec.encryption_type = FG_KEY_EC_P256;
    assert_null(open_ring(&ec, true, &err));
    assert_err(&err, FG_E_CONFIG);
}

/* ---- rolls */

static void a_roll_publishes_then_activates(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), second, third;
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, false, &test.env, &err));
    second = see(ring);
    assert_string_not_equal(second.signing[FG_KEY_NEXT], "-");
    assert_states(second.signing, first.signing[FG_KEY_ACTIVE], second.signing[FG_KEY_NEXT], "-");
    assert_memory_equal(first.encryption, second.encryption, sizeof first.encryption);
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, false, &test.env, &err)); /* published already: nothing more */
    third = see(ring);
    assert_same(&second, &third);
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    third = see(ring);
    assert_states(third.signing, second.signing[FG_KEY_NEXT], "-", first.signing[FG_KEY_ACTIVE]);
    assert_non_null(strstr(test.log, "is published as the next one"));
    assert_true(fg_keyring_roll(ring, FG_KEY_ENCRYPTION, true, &test.env, &err)); /* no next yet: made and put to use */
    third = see(ring);
    assert_string_equal(third.encryption[FG_KEY_PREVIOUS], first.encryption[FG_KEY_ACTIVE]);
    assert_int_equal(count_files("signing-", false), 2);
    assert_int_equal(count_files("encryption-", false), 2);
    fg_keyring_free(ring);
}

static void a_published_key_becomes_active_in_time(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = opened();
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, false, &test.env, &err));
    seen_t before = see(ring), after;
    test.now_ms = TEST_NOW + 20 * FG_DAY - 1;
    after = refreshed(ring);
    assert_memory_equal(before.signing, after.signing, sizeof before.signing);
    test.now_ms++;
    after = refreshed(ring);
    assert_states(after.signing, before.signing[FG_KEY_NEXT], "-", before.signing[FG_KEY_ACTIVE]);
    fg_keyring_free(ring);
}

static void keys_roll_by_themselves_before_expiry(void **state) {
    (void)state;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen, next;
    test.now_ms = TEST_NOW + 345 * FG_DAY - 1;
    seen = refreshed(ring);
    assert_memory_equal(first.signing, seen.signing, sizeof first.signing);
    test.now_ms++;
    next = refreshed(ring); /* 20 days before expiry: both next keys are published together */
    assert_string_not_equal(next.signing[FG_KEY_NEXT], "-");
    assert_string_not_equal(next.encryption[FG_KEY_NEXT], "-");
    assert_string_equal(next.signing[FG_KEY_ACTIVE], first.signing[FG_KEY_ACTIVE]);
    test.now_ms = TEST_NOW + 363 * FG_DAY - 1;
    seen = refreshed(ring);
    assert_memory_equal(next.signing, seen.signing, sizeof next.signing);
    test.now_ms++; /* two days before expiry they take over */
    seen = refreshed(ring);
    assert_states(seen.signing, next.signing[FG_KEY_NEXT], "-", first.signing[FG_KEY_ACTIVE]);
    assert_states(seen.encryption, next.encryption[FG_KEY_NEXT], "-", first.encryption[FG_KEY_ACTIVE]);
    test.now_ms = TEST_NOW + 370 * FG_DAY; /* expired and retired for seven days: kept that long, then dropped */
    seen = refreshed(ring);
    assert_string_equal(seen.signing[FG_KEY_PREVIOUS], first.signing[FG_KEY_ACTIVE]);
    test.now_ms++;
    seen = refreshed(ring);
    assert_states(seen.signing, next.signing[FG_KEY_NEXT], "-", "-");
    assert_int_equal(count_files("signing-", false), 1);
    fg_keyring_free(ring);
}

static void a_ring_that_slept_through_its_expiry_recovers(void **state) {
    (void)state;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen;
    test.now_ms = TEST_NOW + 800 * FG_DAY;
    seen = refreshed(ring);
    assert_string_not_equal(seen.signing[FG_KEY_ACTIVE], first.signing[FG_KEY_ACTIVE]);
    fg_keys_t *keys = fg_keyring_acquire(ring);
    assert_true(fg_key_get_not_after(keys->signing[FG_KEY_ACTIVE]) > test.now_ms);
    assert_true(fg_key_get_not_after(keys->encryption[FG_KEY_ACTIVE]) > test.now_ms);
    fg_keys_release(ring, keys);
    seen_t again = refreshed(ring);
    assert_same(&seen, &again);
    fg_keyring_free(ring);
}

/* A cookie sealed by one process must open in every other: a new key seals only when all have had time to read it. */
static void sealing_keys_rotate(void **state) {
    (void)state;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen;
    test.now_ms = TEST_NOW + 7 * FG_DAY;
    seen = refreshed(ring);
    assert_int_equal(seen.sealing_count, 2);
    assert_string_equal(seen.sealing[0], first.sealing[0]);
    test.now_ms += FG_MINUTE - 1;
    seen = refreshed(ring);
    assert_string_equal(seen.sealing[0], first.sealing[0]);
    test.now_ms++;
    seen = refreshed(ring);
    assert_string_not_equal(seen.sealing[0], first.sealing[0]);
    assert_string_equal(seen.sealing[1], first.sealing[0]);
    for (int i = 0; i < 3; i++) {
        test.now_ms += 8 * FG_DAY;
        seen = refreshed(ring);
    }
    assert_int_equal(seen.sealing_count, 3);
    assert_int_equal(count_files("sealing-", false), 3);
    for (int i = 0; i < 3; i++)
        assert_string_not_equal(seen.sealing[i], first.sealing[0]);
    fg_keyring_free(ring);
}

static void forgetting_drops_previous_and_sealing_keys(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = opened();
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    seen_t before = see(ring), after;
    assert_true(fg_keyring_drop_previous(ring, &test.env, &err));
    after = see(ring);
    assert_states(after.signing, before.signing[FG_KEY_ACTIVE], "-", "-");
    assert_int_equal(after.sealing_count, 1);
    assert_string_not_equal(after.sealing[0], before.sealing[0]);
    assert_int_equal(count_files("signing-", false), 1);
    assert_int_equal(count_files("sealing-", false), 1);
    fg_keyring_free(ring);
}

/* ---- several at once */

static void two_rings_see_each_other_s_rolls(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *one = opened(), *two = opened();
    seen_t a = see(one), b = see(two);
    assert_same(&a, &b);
    fg_keys_t *held = fg_keyring_acquire(two);
    char id[24];
    note(id, held->signing[FG_KEY_ACTIVE]);
    assert_true(fg_keyring_roll(one, FG_KEY_SIGNING, true, &test.env, &err));
    a = see(one);
    b = refreshed(two);
    assert_same(&a, &b);
    assert_string_equal(fg_key_get_id(held->signing[FG_KEY_ACTIVE]), id); /* who holds a state keeps it */
    fg_keys_release(two, held);
    test.now_ms = TEST_NOW + 345 * FG_DAY; /* what is due is done once */
    a = refreshed(one);
    fg_file_stamp_t first, second;
    assert_true(fg_file_stamp(in_folder("ring.json"), &first));
    b = refreshed(two);
    assert_same(&a, &b);
    assert_true(fg_file_stamp(in_folder("ring.json"), &second));
    assert_true(fg_file_stamp_eq(&first, &second));
    fg_keyring_free(one);
    fg_keyring_free(two);
}

/* A roll starts from what lies in the folder, not from what the ring remembers. */
static void a_stale_ring_rolls_on_from_the_folder(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *one = opened(), *two = opened();
    assert_true(fg_keyring_roll(one, FG_KEY_SIGNING, false, &test.env, &err));
    seen_t a = see(one), b;
    assert_true(fg_keyring_roll(two, FG_KEY_SIGNING, true, &test.env, &err));
    b = see(two);
    assert_states(b.signing, a.signing[FG_KEY_NEXT], "-", a.signing[FG_KEY_ACTIVE]);
    fg_keyring_free(one);
    fg_keyring_free(two);
}

/* ---- broken folders */

static void write_ring(const char *text) {
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_file_replace(in_folder("ring.json"), fg_str(text), 0600, &err));
}

static void a_broken_ring_keeps_the_old_state(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen;
    size_t length;
    char *good = test_file(in_folder("ring.json"), &length);
    write_ring("{\"version\": 1,\n");
    seen = refreshed(ring);
    assert_same(&first, &seen);
    assert_non_null(strstr(test.log, "the keys in use stay"));
    test.log[0] = '\0';
    seen = refreshed(ring); /* told once */
    assert_same(&first, &seen);
    assert_string_equal(test.log, "");
    assert_false(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err)); /* nothing is written over it */
    assert_err(&err, FG_E_CONFIG);
    assert_null(open_ring(&rules, true, &err));
    assert_err(&err, FG_E_CONFIG);
    assert_non_null(strstr(err.detail, "ring.json"));
    write_ring(good); /* mended: goes on */
    free(good);
    seen = refreshed(ring);
    assert_same(&first, &seen);
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    fg_keyring_free(ring);
}

/* Replaces the first occurrence of a text in ring.json by another of the same length. */
static void patch_ring(const char *good, const char *from, const char *to) {
    char *text = strdup(good), *at = strstr(text, from);
    assert_non_null(at);
    memcpy(at, to, strlen(from));
    write_ring(text);
    free(text);
}

static void every_defect_of_a_ring_is_named(void **state) {
    (void)state;
    static const char *rows[][3] = {
        {"\"version\": 1", "\"version\": 2", "version"},
        {"\"active\"", "\"passiv\"", "no active signing key"},
        {"\"file\": \"s", "\"file\": \"/", "name of a file"},
        {"\"file\": \"s", "\"file\": \".", "name of a file"},
        {"\"file\": \"si", "\"file\": \"xi", "No such file"},
        {"\"made\": \"2026", "\"made\": \"x026", "must be a time"},
        {"\"sealing\": [", "\"seeling\": [", "sealing"},
        {"\"id\": \"", "\"it\": \"", "another key"},
        {"\"file\": \"sealing", "\"file\": \"seeling", "No such file"},
    };
    fg_keyring_t *ring = opened();
    char *good = test_file(in_folder("ring.json"), NULL);
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        fg_err_t err = FG_ERR_INIT;
        patch_ring(good, rows[i][0], rows[i][1]);
        assert_null(open_ring(&rules, true, &err));
        if (strstr(err.detail, rows[i][2]) == NULL)
            fail_msg("'%s' does not hold '%s'", err.detail, rows[i][2]);
    }
    write_ring(good); /* control */
    fg_keyring_t *again = opened();
    fg_keyring_free(again);
    fg_keyring_free(ring);
    free(good);
}

static void a_damaged_key_file_is_refused(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen;
    char name[64];
    snprintf(name, sizeof name, "signing-%s.pem", first.signing[FG_KEY_ACTIVE]);
    assert_true(fg_file_replace(in_folder(name), FG_STR("-----BEGIN"), 0600, &err));
    assert_null(open_ring(&rules, true, &err));
    assert_err(&err, FG_E_SIG_KEY);
    assert_non_null(strstr(err.detail, name));
    seen = refreshed(ring);
    assert_same(&first, &seen);
    assert_int_equal(unlink(in_folder("ring.json")), 0); /* a ring that is gone is no reason to make another while running */
    seen = refreshed(ring);
    assert_same(&first, &seen);
    assert_false(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    assert_err(&err, FG_E_FILE);
    fg_keyring_free(ring);
}

/* A crash between the key file and ring.json: files that nobody names are no obstacle. */
static void leftovers_of_a_crash_do_not_matter(void **state) {
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_true(fg_file_replace(in_folder("signing-x.pem"), FG_STR("half"), 0600, &err));
    assert_true(fg_file_replace(in_folder("ring.json.a1b2c3"), FG_STR("{"), 0600, &err));
    fg_keyring_t *ring = opened();
    assert_true(fg_keyring_roll(ring, FG_KEY_SIGNING, true, &test.env, &err));
    fg_keyring_free(ring);
}

static void a_roll_that_cannot_be_saved_changes_nothing(void **state) {
    (void)state;
    fg_keyring_t *ring = opened();
    seen_t first = see(ring), seen;
    test.random_fails = true;
    test.now_ms = TEST_NOW + 8 * FG_DAY;
    seen = refreshed(ring);
    assert_same(&first, &seen);
    assert_non_null(strstr(test.log, "not rolled"));
    test.log[0] = '\0';
    test.now_ms += FG_MINUTE - 1;
    refreshed(ring); /* not every second */
    assert_string_equal(test.log, "");
    test.random_fails = false;
    test.now_ms++;
    seen = refreshed(ring);
    assert_int_equal(seen.sealing_count, 2);
    fg_keyring_free(ring);
}

#define WITH_FOLDER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(first_start_makes_the_keys),
        WITH_FOLDER(default_rules_and_types_by_configuration),
        WITH_FOLDER(a_roll_publishes_then_activates),
        WITH_FOLDER(a_published_key_becomes_active_in_time),
        WITH_FOLDER(keys_roll_by_themselves_before_expiry),
        WITH_FOLDER(a_ring_that_slept_through_its_expiry_recovers),
        WITH_FOLDER(sealing_keys_rotate),
        WITH_FOLDER(forgetting_drops_previous_and_sealing_keys),
        WITH_FOLDER(two_rings_see_each_other_s_rolls),
        WITH_FOLDER(a_stale_ring_rolls_on_from_the_folder),
        WITH_FOLDER(a_broken_ring_keeps_the_old_state),
        WITH_FOLDER(every_defect_of_a_ring_is_named),
        WITH_FOLDER(a_damaged_key_file_is_refused),
        WITH_FOLDER(leftovers_of_a_crash_do_not_matter),
        WITH_FOLDER(a_roll_that_cannot_be_saved_changes_nothing),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
