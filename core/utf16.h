/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_CORE_UTF16_H
#define FG_CORE_UTF16_H

#include "core/buf.h"

/* Appends UTF-16LE, as Windows has it, as UTF-8.  False: an odd number of bytes, a NUL, half a surrogate pair, or out
 * is full. */
bool fg_utf16_decode(fg_str_t bytes, fg_buf_t *out) FG_MUST_CHECK;

#endif
