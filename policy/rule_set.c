/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "core/file.h"
#include "policy/request.h"
#include "policy/rule_include.h"
#include "policy/rule_parts.h"

#define ARENA_MAX (256u << 20) /* a cap, not a size */

static fg_ruleset_t *make(const char *file, const char *path, fg_str_t text, const fg_rule_stores_t *stores,
                          fg_err_t *err) {
    fg_ruleset_t *set = calloc(1, sizeof *set);
    if (set != NULL)
        set->arena = fg_arena_new(ARENA_MAX);
    bool done = set != NULL && set->arena != NULL;
    if (!done)
        FG_FAIL(err, FG_E_MEMORY, "reading %s", file);
    done = done && fg_rule_parse(set, file, path, text, stores, err) &&
           (fg_rule_index_build(set) || FG_FAIL(err, FG_E_MEMORY, "reading %s", file));
    if (done)
        return set;
    fg_ruleset_free(set);
    return NULL;
}

fg_ruleset_t *fg_ruleset_compile(const char *file, fg_str_t text, const fg_rule_stores_t *stores, fg_err_t *err) {
    return make(file, NULL, text, stores, err);
}

fg_ruleset_t *fg_ruleset_load(const char *path, const fg_rule_stores_t *stores, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FG_RULE_FILE_MAX);
    fg_file_stamp_t stamp;
    fg_ruleset_t *set =
        fg_file_read(path, &text, &stamp, err) ? make(path, path, fg_buf_str(&text), stores, err) : NULL;
    fg_buf_free(&text);
    if (set == NULL || fg_rule_see(set, path, &stamp))
        return set;
    fg_ruleset_free(set);
    FG_FAIL(err, FG_E_MEMORY, "reading %s", path);
    return NULL;
}

/* ---- what it was made of */

bool fg_rule_see(fg_ruleset_t *set, const char *path, const fg_file_stamp_t *stamp) {
    if (set->seen_count == set->seen_room) {
        size_t room = set->seen_room ? set->seen_room * 2 : 8;
        fg_rule_seen_t *seen = fg_arena_alloc(set->arena, room * sizeof *seen);
        if (seen == NULL)
            return false;
        if (set->seen_count > 0)
            memcpy(seen, set->seen, set->seen_count * sizeof *seen);
        set->seen = seen;
        set->seen_room = room;
    }
    const char *copy = fg_arena_strdup(set->arena, path);
    set->seen[set->seen_count++] = (fg_rule_seen_t){copy, *stamp};
    return copy != NULL;
}

bool fg_ruleset_is_changed(const fg_ruleset_t *set) {
    for (size_t i = 0; i < set->seen_count; i++) {
        fg_file_stamp_t now;
        fg_file_stamp(set->seen[i].path, &now);
        if (!fg_file_stamp_eq(&now, &set->seen[i].stamp))
            return true;
    }
    return false;
}

bool fg_ruleset_asks_stores(const fg_ruleset_t *set) {
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->action->kind == FG_RULE_STORE)
            return true;
    return false;
}

void fg_ruleset_free(fg_ruleset_t *set) {
    if (set == NULL)
        return;
    fg_arena_free(set->arena);
    free(set);
}

size_t fg_ruleset_get_count(const fg_ruleset_t *set) { return set->count; }

fg_str_t fg_ruleset_find_alias(const fg_ruleset_t *set, fg_str_t name) {
    for (size_t i = 0; i < set->alias_count; i++)
        if (fg_str_eq_nocase(name, fg_str(set->aliases[i].name)))
            return set->aliases[i].type;
    return fg_request_alias(name);
}

size_t fg_ruleset_get_aliases(const fg_ruleset_t *set, const char **names, size_t room) {
    size_t count = 0;
    for (size_t i = 0; count < room && fg_request_alias_name(i) != NULL; i++)
        names[count++] = fg_request_alias_name(i);
    for (size_t i = 0; count < room && i < set->alias_count; i++)
        names[count++] = set->aliases[i].name;
    return count;
}
