/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/rule_include.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/buf.h"

#define FOLDERS_MAX 16u /* below each other */

typedef struct search {
    fg_arena_t *arena;
    fg_rule_paths_t *paths;
    char *why;
    size_t size;
} search_t;

static bool refuse(search_t *s, const char *format, ...) FG_PRINTF(2, 3);
static bool refuse(search_t *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->why, s->size, format, arguments);
    va_end(arguments);
    return false;
}

static bool put(search_t *s, const char *path) {
    if (s->paths->count == FG_RULE_FILES_MAX)
        return refuse(s, "at most %u files", FG_RULE_FILES_MAX);
    char *copy = fg_arena_strdup(s->arena, path);
    if (copy == NULL)
        return refuse(s, "less, memory is out");
    s->paths->items[s->paths->count++] = copy;
    return true;
}

/* Before it is looked through: what comes into it meanwhile is seen the next time. */
static bool put_folder(search_t *s, const char *path) {
    if (s->paths->folder_count == FG_RULE_FILES_MAX)
        return refuse(s, "at most %u folders", FG_RULE_FILES_MAX);
    fg_rule_seen_t *folder = &s->paths->folders[s->paths->folder_count++];
    folder->path = fg_arena_strdup(s->arena, path);
    if (folder->path == NULL)
        return refuse(s, "less, memory is out");
    fg_file_stamp(folder->path, &folder->stamp);
    return true;
}

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* ---- a folder */

static bool is_rules(const char *name) {
    size_t length = strlen(name);
    return length > 6 && strcmp(name + length - 6, ".rules") == 0;
}

static bool walk(search_t *s, const char *folder, unsigned depth);

static bool walk_entry(search_t *s, const char *folder, const char *name, unsigned depth) {
    struct stat status;
    if (name[0] == '.')
        return true;
    char *path = fg_arena_printf(s->arena, "%s%s", folder, name);
    if (path == NULL)
        return refuse(s, "less, memory is out");
    if (stat(path, &status) != 0)
        return errno == ENOENT || refuse(s, "files that can be read (%s: %s)", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return !is_rules(name) || put(s, path);
    path = fg_arena_printf(s->arena, "%s/", path);
    return path ? walk(s, path, depth + 1) : refuse(s, "less, memory is out");
}

/* folder ends with a slash.  A folder that is not there has no rules. */
static bool walk(search_t *s, const char *folder, unsigned depth) {
    if (depth > FOLDERS_MAX)
        return refuse(s, "at most %u folders below each other (%s)", FOLDERS_MAX, folder);
    if (!put_folder(s, folder))
        return false;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT || refuse(s, "a folder that can be read (%s: %s)", folder, strerror(errno));
    bool ok = true;
    for (const struct dirent *entry = readdir(dir); ok && entry != NULL; entry = readdir(dir))
        ok = walk_entry(s, folder, entry->d_name, depth);
    closedir(dir);
    return ok;
}

/* ---- a pattern */

/* The folder of the including file is no pattern, whatever its name. */
static void put_quoted(fg_buf_t *out, fg_str_t folder) {
    for (size_t i = 0; i < folder.n; i++) {
        if (strchr("*?[\\", folder.p[i]) != NULL)
            fg_buf_putc(out, '\\');
        fg_buf_putc(out, folder.p[i]);
    }
}

/* The folder in which a pattern's wildcards begin: files come and go there. */
static bool put_folder_of(search_t *s, fg_str_t folder, fg_str_t name) {
    size_t n = 0;
    for (size_t i = 0; i < name.n && strchr("*?[", name.p[i]) == NULL; i++)
        if (name.p[i] == '/')
            n = i + 1;
    const char *path = fg_arena_printf(s->arena, "%.*s%.*s.", (int)folder.n, folder.p, (int)n, name.p);
    return path ? put_folder(s, path) : refuse(s, "less, memory is out");
}

static bool match(search_t *s, fg_str_t folder, fg_str_t name) {
    fg_buf_t pattern = FG_BUF_INIT(8192);
    glob_t found = {0};
    if (!put_folder_of(s, folder, name))
        return false;
    put_quoted(&pattern, folder);
    fg_buf_put_str(&pattern, name);
    int rc = fg_buf_ok(&pattern) ? glob(pattern.data, GLOB_ERR | GLOB_NOSORT, NULL, &found) : GLOB_NOSPACE;
    fg_buf_free(&pattern);
    bool ok = rc == 0 || rc == GLOB_NOMATCH || refuse(s, "a pattern whose folders can be read");
    for (size_t i = 0; rc == 0 && ok && i < found.gl_pathc; i++)
        ok = put(s, found.gl_pathv[i]);
    globfree(&found);
    return ok;
}

static fg_str_t folder_of(const char *file, fg_str_t name) {
    const char *slash = strrchr(file, '/');
    if (slash == NULL || fg_str_starts(name, "/"))
        return FG_STR("");
    return (fg_str_t){file, (size_t)(slash - file) + 1};
}

bool fg_rule_include_find(fg_arena_t *arena, const char *from, fg_str_t name, fg_rule_paths_t *paths, char *why,
                          size_t size) {
    search_t s = {arena, paths, why, size};
    fg_str_t folder = folder_of(from, name);
    bool is_pattern = false, ok;
    paths->count = paths->folder_count = 0;
    if (name.n == 0 || folder.n + name.n > 4000)
        return refuse(&s, "the name of a file");
    paths->items = fg_arena_alloc(arena, FG_RULE_FILES_MAX * sizeof *paths->items);
    char *path = fg_arena_printf(arena, "%.*s%.*s", (int)folder.n, folder.p, (int)name.n, name.p);
    paths->folders = fg_arena_alloc(arena, FG_RULE_FILES_MAX * sizeof *paths->folders);
    if (path == NULL || paths->items == NULL || paths->folders == NULL)
        return refuse(&s, "less, memory is out");
    for (size_t i = 0; i < name.n; i++)
        is_pattern = is_pattern || strchr("*?[", name.p[i]) != NULL;
    if (is_pattern)
        ok = match(&s, folder, name);
    else
        ok = name.p[name.n - 1] == '/' ? walk(&s, path, 1) : put(&s, path);
    qsort(paths->items, paths->count, sizeof *paths->items, compare);
    return ok;
}
