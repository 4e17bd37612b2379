/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/utf16.h"

static void put_utf8(fg_buf_t *out, unsigned long c) {
    if (c < 0x80) {
        fg_buf_putc(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    fg_buf_putc(out, (char)(lead[more] | c >> (6 * more)));
    while (more-- > 0)
        fg_buf_putc(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

bool fg_utf16_decode(fg_str_t bytes, fg_buf_t *out) {
    if (bytes.n % 2 != 0)
        return false;
    for (size_t i = 0; i < bytes.n; i += 2) {
        const unsigned char *p = (const unsigned char *)bytes.p + i;
        unsigned long c = p[0] | (unsigned long)p[1] << 8;
        if (c >= 0xd800 && c <= 0xdbff && i + 4 <= bytes.n) {
            unsigned long low = p[2] | (unsigned long)p[3] << 8;
            if (low < 0xdc00 || low > 0xdfff)
                return false;
            c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
            i += 2;
        }
        if (c == 0 || (c >= 0xd800 && c <= 0xdfff))
            return false;
        put_utf8(out, c);
    }
    return fg_buf_ok(out);
}
