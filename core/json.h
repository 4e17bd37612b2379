/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * jansson with the house's settings: duplicate names refused (JW-06), bounded size and depth. */
#ifndef FG_CORE_JSON_H
#define FG_CORE_JSON_H

#include <jansson.h>

#include "core/arena.h"
#include "core/buf.h"

/* Once in the main thread (json_object_seed). */
void fg_json_start(void);
/* A new reference, or NULL; the error names line and column. */
json_t *fg_json_parse(fg_str_t text, fg_err_t *err) FG_MUST_CHECK;
/* A member's string; .p NULL: absent or no string.  Borrowed from the object. */
fg_str_t fg_json_string(const json_t *object, const char *name);
/* Appends "text" quoted and escaped (RFC 8259 §7), also '<', '>', '&' and U+2028/9 as \u escapes. */
void fg_json_quote(fg_buf_t *out, fg_str_t text);

#endif
