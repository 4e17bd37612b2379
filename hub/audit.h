/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One JSON line per sign-in, issuance and refusal.  Never a secret, never a token. */
#ifndef FG_HUB_AUDIT_H
#define FG_HUB_AUDIT_H

#include "hub/exchange.h"

typedef struct fg_audit_field {
    const char *name;
    fg_str_t value;
} fg_audit_field_t;

/* event: "signin", "signin_refused", "password_changed",
 * "password_change_refused", "delegated", "issued", "permitted", "refused", "revoked", "signout".  err NULL: no
 * reason.  The line has
 * time, event, id (correlation), client, host, path, reason (the fault), code (why: core/reason.h), detail and the
 * fields given (empty values left out). */
void fg_audit(fg_exchange_t *ex, const char *event, const fg_err_t *err, const fg_audit_field_t *fields, size_t count);

#endif
