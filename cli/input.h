/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Inputs of commands: files, standard input, keys, instants. */
#ifndef FG_CLI_INPUT_H
#define FG_CLI_INPUT_H

#include "cli/cli.h"
#include "core/key.h"

/* Reads a file, "-" is standard input, into the arena; more than maximum bytes: input.too-large. */
bool fg_input_read(fg_arena_t *arena, const char *path, size_t maximum, fg_str_t *bytes, fg_err_t *err) FG_MUST_CHECK;
/* A PEM or DER file with a key or a certificate, which is let go with the arena; NULL: *err says why. */
fg_key_t *fg_input_read_key(fg_arena_t *arena, const char *path, fg_err_t *err) FG_MUST_CHECK;
/* An instant as 2026-01-31T12:00:00Z, or seconds since 1970 as @1769860800. */
bool fg_input_time(const char *text, int64_t *ms) FG_MUST_CHECK;
/* env with a clock that stands still. */
void fg_input_set_clock(fg_env_t *env, int64_t now_ms);

/* ---- words in colour, on a terminal alone (and not if NO_COLOR is set) */
typedef enum fg_shade {
    FG_SHADE_TITLE,
    FG_SHADE_GOOD,
    FG_SHADE_BAD,
    FG_SHADE_WARN,
    FG_SHADE_DIM,
    FG_SHADE_NONE
} fg_shade_t;
const char *fg_shade(fg_shade_t shade); /* "" elsewhere */

/* For people: what would move the cursor or hide something is shown as '?'. */
void fg_print_safe(FILE *out, fg_str_t text);

#endif
