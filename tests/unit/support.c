/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t test_now(const fg_env_t *env) { return ((const test_env_t *)env)->now_ms; }

/* xorshift64*: repeatable, and good enough to tell ids apart */
static bool test_random(const fg_env_t *env, unsigned char *out, size_t n) {
    test_env_t *test = env->host;
    if (test->random_fails)
        return false;
    for (size_t i = 0; i < n; i++) {
        test->seed ^= test->seed >> 12;
        test->seed ^= test->seed << 25;
        test->seed ^= test->seed >> 27;
        out[i] = (unsigned char)((test->seed * UINT64_C(2685821657736338717)) >> 56);
    }
    return true;
}

static void test_log(const fg_env_t *env, fg_log_level_t level, const char *message) {
    test_env_t *test = env->host;
    (void)level;
    size_t used = strlen(test->log);
    snprintf(test->log + used, sizeof test->log - used, "%s\n", message);
}

void test_env_init(test_env_t *test) {
    memset(test, 0, sizeof *test);
    test->env = (fg_env_t){test_now, test_random, test_log, NULL, test};
    test->now_ms = TEST_NOW;
    test->seed = 1;
}

bool test_err_is(const fg_err_t *err, fg_code_t code) {
    if (err->code == code)
        return true;
    print_error("code %d expected, got %d: %s (%s:%d)\n", code, err->code, err->detail, err->file ? err->file : "-", err->line);
    return false;
}

char *test_file(const char *name, size_t *length) {
    char path[1024];
    const char *folder = getenv("FEDGATE_SRCDIR");
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : folder ? folder : ".", name[0] == '/' ? "" : "/", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *data = malloc((8u << 20) + 1);
    size_t n = data ? fread(data, 1, 8u << 20, file) : 0;
    fclose(file);
    if (data != NULL)
        data[n] = '\0';
    if (length != NULL)
        *length = n;
    return data;
}

const char *test_vectors(void) {
    const char *folder = getenv("FEDGATE_VECTORS");
    return folder && *folder ? folder : NULL;
}

void test_write(const char *path, fg_str_t content) {
    char fresh[512];
    assert_true((size_t)snprintf(fresh, sizeof fresh, "%s.fresh", path) < sizeof fresh);
    FILE *file = fopen(fresh, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.p, 1, content.n, file), content.n);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(fresh, path), 0);
}

/* ---- keys: an RSA key takes longer to make than most tests to run */

static struct {
    fg_key_type_t type;
    char name[32];
    int64_t not_before_ms, not_after_ms;
    fg_key_t *key;
} made[32];

static void forget_keys(void) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(made); i++)
        fg_key_unref(made[i].key);
}

fg_key_t *test_key(fg_key_type_t type, const char *name, int64_t not_before_ms, int64_t not_after_ms) {
    size_t i = 0;
    fg_err_t err = FG_ERR_INIT;
    assert_true(strlen(name) < sizeof made[0].name);
    while (i < FG_ARRAY_SIZE(made) && made[i].key != NULL &&
           (made[i].type != type || strcmp(made[i].name, name) != 0 || made[i].not_before_ms != not_before_ms ||
            made[i].not_after_ms != not_after_ms))
        i++;
    assert_true(i < FG_ARRAY_SIZE(made));
    if (made[0].key == NULL)
        atexit(forget_keys);
    if (made[i].key == NULL) {
        made[i].type = type;
        snprintf(made[i].name, sizeof made[i].name, "%s", name);
        made[i].not_before_ms = not_before_ms;
        made[i].not_after_ms = not_after_ms;
        made[i].key = fg_key_generate(type, name, not_before_ms, not_after_ms, &err);
        assert_non_null(made[i].key);
    }
    return fg_key_ref(made[i].key);
}
