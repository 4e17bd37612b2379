/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ms(const fg_env_t *env) {
    (void)env;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool random_bytes(const fg_env_t *env, unsigned char *out, size_t n) {
    (void)env;
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        out += got;
        n -= (size_t)got;
    }
    return true;
}

static void log_line(const fg_env_t *env, fg_log_level_t level, const char *message) {
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    (void)env;
    if (level <= FG_LOG_NOTICE)
        fprintf(stderr, "fedgate: %s: %s\n", names[level], message);
}

void fg_cli_env_init(fg_env_t *env) { *env = (fg_env_t){now_ms, random_bytes, log_line, NULL, NULL}; }
