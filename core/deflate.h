/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DEFLATE without a head (RFC 1951), as SAML's Redirect binding and other tokens in addresses have it. */
#ifndef FG_CORE_DEFLATE_H
#define FG_CORE_DEFLATE_H

#include "core/buf.h"

/* Appends what text compresses to; false: memory, or out is full. */
bool fg_deflate(fg_str_t text, fg_buf_t *out) FG_MUST_CHECK;
/* Appends what bytes expand to: at most out's maximum and 20 times their own size, 4 KiB in any case (SA-15).  What
 * does not end with the stream, or goes on behind it, is refused: FG_E_HTTP_REQUEST; too much: FG_E_HTTP_TOO_LARGE. */
bool fg_inflate(fg_str_t bytes, fg_buf_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
