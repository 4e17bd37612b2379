/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/bytes.h"

void fg_bytes_put_number(fg_buf_t *out, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        fg_buf_putc(out, (char)(unsigned char)(value >> (8 * i)));
}

void fg_bytes_put_string(fg_buf_t *out, fg_str_t s) {
    fg_bytes_put_number(out, s.n, 4);
    fg_buf_put_str(out, s);
}

uint64_t fg_bytes_get_number(fg_bytes_t *in, unsigned bytes) {
    uint64_t value = 0;
    if (in->failed || in->rest.n < bytes) {
        in->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)in->rest.p[i] << (8 * i);
    in->rest.p += bytes;
    in->rest.n -= bytes;
    return value;
}

fg_str_t fg_bytes_get_string(fg_bytes_t *in) {
    size_t length = (size_t)fg_bytes_get_number(in, 4);
    if (in->failed || in->rest.n < length) {
        in->failed = true;
        return FG_STR_NONE;
    }
    fg_str_t s = {in->rest.p, length};
    in->rest.p += length;
    in->rest.n -= length;
    return s;
}
