/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/time.h"

/* ---- files */

static bool read_stream(FILE *in, const char *name, size_t maximum, fg_buf_t *out, fg_err_t *err) {
    char block[16384];
    size_t got;
    while ((got = fread(block, 1, sizeof block, in)) > 0 && fg_buf_ok(out))
        fg_buf_add(out, block, got);
    if (ferror(in))
        return FG_FAIL(err, FG_E_FILE, "%s: %s", name, strerrordesc_np(errno));
    return fg_buf_ok(out) ||
           FG_FAIL_FOR(err, FG_E_FILE, FG_R_INPUT_TOO_LARGE, "%s has more than %zu bytes", name, maximum);
}

/* Somebody may have given the token itself. */
static bool refuse_path(const char *path, fg_err_t *err) {
    const char *why = strerrordesc_np(errno);
    bool token = path[0] == '<' || strncmp(path, "ey", 2) == 0 || strlen(path) > 100;
    if (token)
        return FG_FAIL(err, FG_E_FILE,
                       "%.20s...: %s: a file is expected; a token itself goes through a pipe, with - as FILE", path,
                       why);
    return FG_FAIL(err, FG_E_FILE, "%s: %s", path, why);
}

bool fg_input_read(fg_arena_t *arena, const char *path, size_t maximum, fg_str_t *bytes, fg_err_t *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    if (is_stdin && isatty(STDIN_FILENO))
        return FG_FAIL(err, FG_E_FILE, "nothing on standard input: name a file, or put a pipe before the command");
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (in == NULL)
        return refuse_path(path, err);
    fg_buf_t out = FG_BUF_INIT(maximum);
    bool good = read_stream(in, is_stdin ? "standard input" : path, maximum, &out, err);
    if (!is_stdin)
        fclose(in);
    *bytes = good ? fg_arena_str(arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    if (good && bytes->p != NULL && bytes->n == 0)
        return FG_FAIL_FOR(err, FG_E_FILE, FG_R_INPUT_UNRECOGNISED, "%s is empty", is_stdin ? "standard input" : path);
    return good && (bytes->p != NULL || FG_FAIL(err, FG_E_MEMORY, "%s", path));
}

static void release_key(void *key) { fg_key_unref(key); }

fg_key_t *fg_input_read_key(fg_arena_t *arena, const char *path, fg_err_t *err) {
    fg_str_t bytes;
    if (!fg_input_read(arena, path, 1u << 20, &bytes, err))
        return NULL;
    bool pem = memmem(bytes.p, bytes.n, "-----BEGIN", 10) != NULL;
    fg_key_t *key = pem ? fg_key_from_pem(bytes, err) : fg_key_from_certificate_der(bytes, err);
    if (key == NULL && !pem)
        FG_FAIL(err, FG_E_FILE,
                "%s holds no key and no certificate: PEM (-----BEGIN ...) or a certificate in DER is expected", path);
    else if (key == NULL)
        fg_err_prefix(err, "%s", path);
    if (key == NULL) {
        err->code = FG_E_FILE;
        return NULL;
    }
    return fg_arena_own(arena, release_key, key) ? key : NULL;
}

/* ---- the clock */

bool fg_input_time(const char *text, int64_t *ms) {
    char *end;
    if (text[0] == '@' && text[1] != '\0') {
        *ms = strtoll(text + 1, &end, 10) * FG_SECOND;
        return *end == '\0';
    }
    return fg_time_parse(fg_str(text), ms);
}

static int64_t fixed_clock;

static int64_t fixed_now(const fg_env_t *env) {
    (void)env;
    return fixed_clock;
}

void fg_input_set_clock(fg_env_t *env, int64_t now_ms) {
    fixed_clock = now_ms;
    env->now_ms = fixed_now;
}

/* ---- the terminal */

const char *fg_shade(fg_shade_t shade) {
    static const char *const codes[] = {"\033[1m", "\033[1;32m", "\033[1;31m", "\033[33m", "\033[2m", "\033[0m"};
    static int colour = -1;
    if (colour < 0)
        colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    return colour ? codes[shade] : "";
}

void fg_print_safe(FILE *out, fg_str_t text) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool odd = (c < 0x20 && c != '\t') || c == 0x7f ||
                   (c == 0xc2 && i + 1 < text.n && (unsigned char)text.p[i + 1] < 0xa0);
        fputc(odd ? '?' : c, out);
    }
}
