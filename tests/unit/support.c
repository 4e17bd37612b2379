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
