/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ticket's logon information.  Besides memory errors it looks for an account without a SID. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "directory/pac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fg_err_t err = FG_ERR_INIT;
    fg_arena_t *arena = fg_arena_new(0);
    fg_pac_t pac;
    if (arena != NULL && fg_pac_read(arena, (fg_str_t){(const char *)data, size}, &pac, &err)) {
        if (pac.account.n == 0 || !fg_str_is_utf8(pac.account) || pac.user_sid.n == 0)
            abort();
        for (size_t i = 0; i < pac.group_count; i++)
            if (!fg_str_starts(pac.group_sids[i], "S-1-"))
                abort();
    }
    fg_arena_free(arena);
    return 0;
}
