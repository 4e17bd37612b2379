/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Why a token or a message is refused: one word for gateway, audit log and command.  Finer than the fault (fault.h),
 * which says what is answered: signatures, for one, fail for many reasons that all look alike outside.  The table is
 * that of doc/reason-codes.md, which `make check` holds against it. */
#ifndef FG_CORE_REASON_H
#define FG_CORE_REASON_H

#include "core/err.h"

typedef struct fg_reason_row {
    fg_reason_t reason;
    const char *code;   /* "signature.digest-mismatch" */
    const char *cause;  /* a sentence without full stop */
    const char *remedy; /* what to do next, likewise */
} fg_reason_row_t;

/* Never NULL: FG_R_NONE and what is none yield a row whose code is "". */
const fg_reason_row_t *fg_reason_get(fg_reason_t reason);
/* The row of an error: its own reason, or the one that its fault stands for where it has none. */
const fg_reason_row_t *fg_reason_of(const fg_err_t *err);
/* The reason that a fault stands for; FG_R_NONE: it has none, and the fault's own word says all. */
fg_reason_t fg_reason_of_code(fg_code_t code);

#endif
