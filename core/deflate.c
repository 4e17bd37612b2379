/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/deflate.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#define CHUNK 4096u
#define RATIO_MAX 20u
#define RAW_WINDOW (-15) /* no zlib head and checksum */
#define MEMORY_LEVEL 8

bool fg_deflate(fg_str_t text, fg_buf_t *out) {
    z_stream stream = {0};
    unsigned char chunk[CHUNK];
    int status;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, RAW_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    stream.next_in = (unsigned char *)(uintptr_t)text.p;
    stream.avail_in = (unsigned)text.n;
    do {
        stream.next_out = chunk;
        stream.avail_out = CHUNK;
        status = deflate(&stream, Z_FINISH);
        fg_buf_add(out, chunk, CHUNK - stream.avail_out);
    } while (status == Z_OK);
    deflateEnd(&stream);
    return status == Z_STREAM_END && fg_buf_ok(out);
}

/* One chunk at a time, so that a bomb costs no more than the limit. */
static bool expand(z_stream *stream, size_t most, fg_buf_t *out, fg_err_t *err) {
    unsigned char chunk[CHUNK];
    size_t total = 0;
    int status;
    do {
        stream->next_out = chunk;
        stream->avail_out = CHUNK;
        status = inflate(stream, Z_NO_FLUSH);
        size_t made = CHUNK - stream->avail_out;
        total += made;
        if (total > most)
            return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "deflated text expands to over %zu bytes", most);
        fg_buf_add(out, chunk, made);
        if (!fg_buf_ok(out))
            return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "deflated text expands to over %zu bytes", out->maximum);
    } while (status == Z_OK && (stream->avail_in > 0 || stream->avail_out == 0));
    if (status != Z_STREAM_END || stream->avail_in > 0)
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "no deflated text, or not whole, or something behind it");
    return true;
}

bool fg_inflate(fg_str_t bytes, fg_buf_t *out, fg_err_t *err) {
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes.p, .avail_in = (unsigned)bytes.n};
    size_t most = bytes.n * RATIO_MAX > CHUNK ? bytes.n * RATIO_MAX : CHUNK;
    if (bytes.n > UINT_MAX || inflateInit2(&stream, RAW_WINDOW) != Z_OK)
        return FG_FAIL(err, FG_E_MEMORY, "inflating");
    bool good = expand(&stream, most, out, err);
    inflateEnd(&stream);
    return good;
}
