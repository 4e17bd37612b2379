/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Content-Type of SOAP messages (RFC 9110 §8.3.1, RFC 3902 §1). */
#ifndef FG_CORE_MEDIA_TYPE_H
#define FG_CORE_MEDIA_TYPE_H

#include "core/err.h"
#include "core/str.h"

typedef struct fg_media_type {
    fg_str_t type;    /* "application/soap+xml", as written */
    fg_str_t charset; /* .p NULL: absent */
    fg_str_t action;  /* .p NULL: absent */
} fg_media_type_t;

/* Borrows from header; other parameters are skipped.  False: malformed, or charset or action given twice. */
bool fg_media_type_parse(fg_str_t header, fg_media_type_t *out, fg_err_t *err) FG_MUST_CHECK;

#endif
