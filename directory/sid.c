/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "directory/sid.h"

#include <inttypes.h>
#include <stdint.h>

bool fg_sid_put(fg_buf_t *out, fg_str_t sid) {
    const unsigned char *p = (const unsigned char *)sid.p;
    if (sid.n < 8 || p[0] != 1 || p[1] > FG_SID_SUBAUTHORITIES_MAX || sid.n != 8 + 4 * (size_t)p[1])
        return false;
    uint64_t authority = 0;
    for (size_t i = 2; i < 8; i++)
        authority = authority << 8 | p[i];
    fg_buf_printf(out, "S-1-%" PRIu64, authority);
    for (size_t at = 8; at < sid.n; at += 4)
        fg_buf_printf(out, "-%" PRIu32,
                      p[at] | (uint32_t)p[at + 1] << 8 | (uint32_t)p[at + 2] << 16 | (uint32_t)p[at + 3] << 24);
    return fg_buf_ok(out);
}
