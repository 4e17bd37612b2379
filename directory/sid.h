/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_DIRECTORY_SID_H
#define FG_DIRECTORY_SID_H

#include "core/buf.h"

#define FG_SID_SUBAUTHORITIES_MAX 15u /* [MS-DTYP] §2.4.2.2 */
#define FG_SID_TEXT_SIZE 192u         /* holds the longest text with its NUL */

/* Appends "S-1-5-21-…" ([MS-DTYP] §2.4.2.1) of the binary form (§2.4.2.2).  False: it is none. */
bool fg_sid_put(fg_buf_t *out, fg_str_t sid) FG_MUST_CHECK;

#endif
