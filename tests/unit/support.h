/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What unit tests share: an environment whose clock, randomness, log and store the test holds in its hand. */
#ifndef FG_TESTS_UNIT_SUPPORT_H
#define FG_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/env.h"
#include "core/key.h"

typedef struct test_env {
    fg_env_t env;      /* first: &test->env is what the library gets */
    int64_t now_ms;    /* the clock */
    uint64_t seed;     /* of the pseudo-random bytes: same seed, same bytes */
    bool random_fails;
    char log[4096];    /* all log lines, joined by '\n' */
} test_env_t;

/* 2026-01-01T00:00:00Z, seed 1, no store */
#define TEST_NOW INT64_C(1767225600000)
void test_env_init(test_env_t *test);

/* True if *err has the code; prints the detail if not. */
bool test_err_is(const fg_err_t *err, fg_code_t code);
#define assert_err(err, expected) assert_true(test_err_is((err), (expected)))

/* A key with a certificate, made once for a program: the same for the same arguments. The caller's reference. */
fg_key_t *test_key(fg_key_type_t type, const char *name, int64_t not_before_ms, int64_t not_after_ms);

/* A file's content (caller frees), or NULL if it is not there. name is taken from the source folder unless absolute. */
char *test_file(const char *name, size_t *length);
/* Replaces a file as a whole, without waiting for the disk. */
void test_write(const char *path, fg_str_t content);
/* Folder of the public vectors ($FEDGATE_VECTORS), or NULL: the test calls skip(). */
const char *test_vectors(void);

#endif
