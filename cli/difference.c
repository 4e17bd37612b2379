/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/difference.h"

#include <string.h>

#include "cli/input.h"
#include "cli/metadata.h"
#include "cli/token.h"

/* What one input says: "NAME VALUE" lines. */
typedef struct side {
    fg_str_t *lines;
    bool *met; /* has its like on the other side */
    size_t count;
} side_t;

#define LINES_MAX 4000u

static void add(side_t *side, fg_arena_t *arena, fg_str_t name, fg_str_t value) {
    const fg_str_t parts[] = {name, FG_STR("  "), fg_str_trim(value)};
    if (side->count < LINES_MAX)
        side->lines[side->count++] = fg_arena_join(arena, parts, FG_ARRAY_SIZE(parts));
}

static void add_piece(side_t *side, fg_arena_t *arena, const fg_piece_t *piece, int64_t now_ms) {
    fg_facts_t *facts = fg_arena_alloc(arena, sizeof *facts);
    if (facts == NULL)
        return;
    fg_facts_read(arena, piece, now_ms, facts);
    for (size_t i = 0; i < facts->count; i++)
        if (!facts->items[i].is_secret)
            add(side, arena, fg_str(facts->items[i].name), facts->items[i].value);
    for (size_t i = 0; i < facts->claims.count; i++) {
        const fg_str_t name[] = {FG_STR("claim "), facts->claims.items[i].type};
        add(side, arena, fg_arena_join(arena, name, 2), facts->claims.items[i].value);
    }
}

static bool read_side(side_t *side, fg_arena_t *arena, const char *path, int64_t now_ms, int *code) {
    const fg_piece_t *root = fg_document_read(arena, path, code);
    side->lines = fg_arena_alloc(arena, LINES_MAX * sizeof *side->lines);
    side->met = fg_arena_alloc(arena, LINES_MAX * sizeof *side->met);
    if (root == NULL || side->lines == NULL || side->met == NULL)
        return false;
    if (root->kind == FG_PIECE_UNKNOWN) {
        fg_cli_say("%s holds nothing that is known here", path);
        return false;
    }
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece)) {
        if (piece->kind > FG_PIECE_HAR) /* how it is wrapped is no difference */
            add(side, arena, FG_STR("kind"), fg_str(fg_piece_title(piece->kind)));
        if (piece->kind > FG_PIECE_HAR)
            add_piece(side, arena, piece, now_ms);
    }
    return true;
}

static void match(side_t *a, side_t *b) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count && !a->met[i]; k++)
            if (!b->met[k] && fg_str_eq(a->lines[i], b->lines[k]))
                a->met[i] = b->met[k] = true;
}

static size_t print_side(const side_t *side, char sign, fg_shade_t shade) {
    size_t count = 0;
    for (size_t i = 0; i < side->count; i++) {
        if (side->met[i])
            continue;
        count++;
        printf("%s%c ", fg_shade(shade), sign);
        fg_print_safe(stdout, side->lines[i]);
        printf("%s\n", fg_shade(FG_SHADE_NONE));
    }
    return count;
}

static int compare(fg_arena_t *arena, const char *const paths[2], int64_t now_ms) {
    side_t a = {.count = 0}, b = {.count = 0};
    int code;
    if (!read_side(&a, arena, paths[0], now_ms, &code) || !read_side(&b, arena, paths[1], now_ms, &code))
        return FG_CLI_UNREADABLE;
    match(&a, &b);
    size_t count = print_side(&a, '-', FG_SHADE_BAD) + print_side(&b, '+', FG_SHADE_GOOD);
    if (count == 0)
        puts("they say the same");
    return count == 0 ? FG_CLI_OK : FG_CLI_FAILED;
}

int fg_difference_run(const fg_cli_command_t *command, const fg_env_t *env, int argc, char **argv) {
    const char *paths[2] = {NULL, NULL};
    if (!fg_cli_parse(command, argc, argv, NULL, 0, paths, 1, 2))
        return FG_CLI_USAGE;
    if (paths[1] == NULL)
        return fg_cli_usage(command, "B is missing: two files are compared");
    fg_arena_t *arena = fg_arena_new(FG_TOKEN_ARENA);
    int code = arena != NULL ? compare(arena, paths, fg_now(env)) : FG_CLI_FAILED;
    fg_arena_free(arena);
    return code;
}
