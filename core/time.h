/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Instants are Unix milliseconds, UTC. */
#ifndef FG_CORE_TIME_H
#define FG_CORE_TIME_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

#define FG_SECOND INT64_C(1000)
#define FG_MINUTE (60 * FG_SECOND)
#define FG_HOUR (60 * FG_MINUTE)
#define FG_DAY (24 * FG_HOUR)

/* Reads xs:dateTime (XML Schema part 2 §3.2.7) strictly: years 1970-9999, a time zone (Z or ±hh:mm) is required,
 * fraction of a second of up to 9 digits cut to milliseconds, no leap second, 24:00:00 refused.  False: not such a text
 * (XP-13). */
bool fg_time_parse(fg_str_t text, int64_t *ms) FG_MUST_CHECK;

/* "2026-11-22T20:04:39.123Z"; out holds the NUL. */
#define FG_TIME_SIZE 25
void fg_time_format(int64_t ms, char out[FG_TIME_SIZE]);

#endif
