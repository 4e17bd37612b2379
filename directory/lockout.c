/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Three keys per account and per address: the count of attempts, a mark that lives as long as attempts keep coming,
 * and, once the free ones are used up, a wait.  Whoever makes the wait may try; everybody who finds it is refused, so
 * parallel guesses get one try per wait. */
#include "directory/lockout.h"

#include <stdio.h>

#include "core/time.h"

const fg_lockout_t fg_lockout_default = {5, 20, FG_SECOND, 15 * FG_MINUTE};

/* A counter lives from its making, not from its last use: long enough that starting anew gains nothing. */
#define COUNT_LIFE FG_DAY
#define NAME_MAX_IN_KEY 256u

typedef struct subject {
    char name[2 * NAME_MAX_IN_KEY + 32];
    size_t length;
    unsigned free_failures;
} subject_t;

static void append(subject_t *subject, fg_str_t text, bool fold) {
    for (size_t i = 0; i < text.n && i < NAME_MAX_IN_KEY; i++) {
        char c = text.p[i];
        subject->name[subject->length++] = fold && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
}

/* name[8] is the place of the letter that tells the three keys apart */
static subject_t subject_of(unsigned free_failures, const char *prefix, fg_str_t scope, fg_str_t name) {
    subject_t subject = {.free_failures = free_failures};
    append(&subject, FG_STR("lockout:?:"), false);
    append(&subject, fg_str(prefix), false);
    append(&subject, scope, false);
    append(&subject, FG_STR("\n"), false);
    append(&subject, name, true);
    return subject;
}

static fg_str_t key_of(subject_t *subject, char kind) {
    subject->name[8] = kind;
    return (fg_str_t){subject->name, subject->length};
}

static subject_t account_of(const fg_lockout_t *rules, fg_str_t directory, fg_str_t user) {
    return subject_of(rules->account_failures, "account:", directory, user);
}

static subject_t address_of(const fg_lockout_t *rules, fg_str_t address) {
    return subject_of(address.n > 0 ? rules->address_failures : 0, "address:", FG_STR_NONE, address);
}

static int64_t wait_for(const fg_lockout_t *rules, int64_t excess) {
    int64_t wait = rules->first_wait_ms;
    for (int64_t i = 1; i < excess && wait < rules->longest_wait_ms; i++)
        wait *= 2;
    return wait < rules->longest_wait_ms ? wait : rules->longest_wait_ms;
}

static bool unavailable(fg_err_t *err) {
    return FG_FAIL(err, FG_E_UNAVAILABLE, "the store cannot count sign-in attempts");
}

/* Counts the attempt.  The count starts anew if the mark of the last attempt is gone. */
static bool count(const fg_env_t *env, subject_t *subject, int64_t *total) {
    fg_store_t *store = env->store;
    int64_t now = fg_now(env);
    char value[8];
    size_t length = sizeof value;
    fg_store_result_t seen = store->get(store, key_of(subject, 's'), now, value, &length);
    if (seen == FG_STORE_MISSING)
        (void)store->remove(store, key_of(subject, 'n'));
    return seen != FG_STORE_UNAVAILABLE &&
           store->add(store, key_of(subject, 'n'), 1, now, now + COUNT_LIFE, total) == FG_STORE_OK;
}

static bool enter(const fg_env_t *env, const fg_lockout_t *rules, subject_t *subject, const char *whose,
                  fg_err_t *err) {
    if (subject->free_failures == 0)
        return true;
    fg_store_t *store = env->store;
    int64_t now = fg_now(env);
    char value[8];
    size_t length = sizeof value;
    fg_store_result_t waiting = store->get(store, key_of(subject, 'w'), now, value, &length);
    if (waiting == FG_STORE_OK)
        return FG_FAIL(err, FG_E_AUTH_LOCKED, "%s must wait after too many failures", whose);
    int64_t total = 0;
    if (waiting != FG_STORE_MISSING || !count(env, subject, &total))
        return unavailable(err);
    int64_t wait = total > subject->free_failures ? wait_for(rules, total - subject->free_failures) : 0;
    if (store->put(store, key_of(subject, 's'), FG_STR("1"), now, now + wait + rules->longest_wait_ms) != FG_STORE_OK)
        return unavailable(err);
    if (wait == 0)
        return true;
    fg_store_result_t mine = store->put_new(store, key_of(subject, 'w'), FG_STR("1"), now, now + wait);
    if (mine == FG_STORE_EXISTS)
        return FG_FAIL(err, FG_E_AUTH_LOCKED, "%s must wait after too many failures", whose);
    return mine == FG_STORE_OK || unavailable(err);
}

bool fg_lockout_enter(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                      fg_str_t address, fg_err_t *err) {
    subject_t account = account_of(rules, directory, user);
    subject_t client = address_of(rules, address);
    if (account.free_failures == 0 && client.free_failures == 0)
        return true;
    if (env->store == NULL)
        return unavailable(err);
    return enter(env, rules, &client, "the address", err) && enter(env, rules, &account, "the account", err);
}

/* This attempt was no failure: it is taken back, and so is the wait that it made; the others' failures stay. */
static void take_back(const fg_env_t *env, subject_t *subject) {
    fg_store_t *store = env->store;
    if (store == NULL || subject->free_failures == 0)
        return;
    int64_t now = fg_now(env), total = 0;
    fg_store_result_t counted = store->add(store, key_of(subject, 'n'), -1, now, now + COUNT_LIFE, &total);
    if (counted == FG_STORE_OK && total >= subject->free_failures)
        (void)store->remove(store, key_of(subject, 'w'));
}

void fg_lockout_succeed(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                        fg_str_t address) {
    fg_store_t *store = env->store;
    if (store == NULL)
        return;
    subject_t account = account_of(rules, directory, user);
    static const char kinds[] = {'n', 's', 'w'};
    for (size_t i = 0; account.free_failures > 0 && i < sizeof kinds; i++)
        (void)store->remove(store, key_of(&account, kinds[i]));
    subject_t client = address_of(rules, address);
    take_back(env, &client);
}

void fg_lockout_forgive(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                        fg_str_t address) {
    subject_t account = account_of(rules, directory, user), client = address_of(rules, address);
    take_back(env, &account);
    take_back(env, &client);
}
