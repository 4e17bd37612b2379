/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What somebody puts before `fedgate token show`: anything.  Besides memory errors it looks for a tree beyond its
 * limits. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "cli/facts.h"
#include "cli/piece.h"
#include "core/crypto.h"
#include "core/json.h"

static const fg_xml_limits_t limits = {
    .bytes = 1u << 20, .depth = 128, .elements = 20000, .attributes = 256, .namespaces = 256};

static void start(void) {
    fg_err_t err = FG_ERR_INIT;
    fg_json_start();
    if (!fg_crypto_start() || !fg_xml_start(&err))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool started;
    if (!started)
        start();
    started = true;
    fg_arena_t *arena = fg_arena_new(64u << 20);
    fg_unwrap_t unwrap = {.arena = arena, .limits = &limits};
    fg_facts_t *facts = fg_arena_alloc(arena, sizeof *facts);
    unsigned count = 0;
    if (facts == NULL)
        abort();
    for (const fg_piece_t *piece = fg_piece_read(&unwrap, (fg_str_t){(const char *)data, size}); piece != NULL;
         piece = fg_piece_next(piece)) {
        if (++count > FG_PIECES_MAX || piece->depth >= FG_PIECES_DEPTH)
            abort();
        fg_facts_read(arena, piece, INT64_C(1795867200000), facts);
    }
    fg_arena_free(arena);
    return 0;
}
