/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decisions that stand: nothing but the credential was looked at, and that was seen before.  Whoever comes with the
 * same one to the same protection and host over TLS, without a client certificate and through no trusted proxy, is let
 * in as well, without being asked again: until a time, and only as long as fg_gateway_changes() says the same. */
#ifndef FG_HUB_STANDING_H
#define FG_HUB_STANDING_H

#include "hub/access.h"

typedef struct fg_standing {
    fg_access_t access; /* what was decided, with its own session and protection */
    fg_protect_t protect;
    int64_t until_ms;
    fg_arena_t *arena; /* all of it stands there */
} fg_standing_t;

/* Of an exchange that was permitted; FG_WEB_ACCESS_RETURN is never let in by it.  NULL: this decision holds for this
 * request alone, or no memory. */
fg_standing_t *fg_standing_new(const fg_exchange_t *ex);
void fg_standing_free(fg_standing_t *standing);

#endif
