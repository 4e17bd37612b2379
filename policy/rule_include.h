/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files that an include of a rule file stands for. */
#ifndef FG_POLICY_RULE_INCLUDE_H
#define FG_POLICY_RULE_INCLUDE_H

#include "core/arena.h"
#include "core/file.h"

#define FG_RULE_FILE_MAX (1u << 20)
#define FG_RULE_FILES_MAX 1000u

/* A file or a folder as it was when it was read. */
typedef struct fg_rule_seen {
    const char *path;
    fg_file_stamp_t stamp;
} fg_rule_seen_t;

typedef struct fg_rule_paths {
    const char **items; /* room for FG_RULE_FILES_MAX */
    size_t count;
    fg_rule_seen_t *folders; /* that were looked through; room likewise */
    size_t folder_count;
} fg_rule_paths_t;

/* The files behind what stands in an include of the file from, sorted by bytes: one file, which may be missing; those
 * of a pattern (with "*", "?" or "[") or the *.rules below a folder ("…/"), which may be none.  False: why (a text of
 * at most size bytes) says what was expected. */
bool fg_rule_include_find(fg_arena_t *arena, const char *from, fg_str_t name, fg_rule_paths_t *paths, char *why,
                          size_t size) FG_MUST_CHECK;

#endif
