/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sessions that a partner can end without their browser (SAML 2.0's SOAP binding, or a browser that kept the cookie
 * back): the store knows under which name which partner knows whose session, and whom to tell of its end.  What is
 * opened so has no claims and is good for ending it alone. */
#ifndef FG_HUB_SESSION_NOTE_H
#define FG_HUB_SESSION_NOTE_H

#include "hub/session.h"

#define FG_SESSIONS_NOTED 8u /* of one person at one partner; the oldest give way */

/* A session as far as its end needs it, at most max bytes: relying parties that find no room are left out. */
void fg_session_write_end(fg_buf_t *out, const fg_session_t *session, size_t max);
/* Points into the bytes; false: not what was written, or over. */
bool fg_session_read_end(fg_exchange_t *ex, fg_str_t bytes, fg_session_t *session) FG_MUST_CHECK;

/* Notes it until its absolute lifetime is over, or notes it again as it is now.  A store without room is logged: such a
 * session is ended by its browser only. */
void fg_session_note(fg_exchange_t *ex, const fg_session_t *session);
/* Notes under which name a partner (a relying party's realm, a home realm's uri) knows whose session it is. */
void fg_session_note_name(fg_exchange_t *ex, const fg_session_t *session, fg_str_t partner, fg_str_t name);
/* The sessions of that name that have not ended, at most FG_SESSIONS_NOTED; returns how many. */
size_t fg_session_find_noted(fg_exchange_t *ex, fg_str_t partner, fg_str_t name, fg_session_t found[FG_SESSIONS_NOTED]);

/* The same by the index that an identity provider gave the session: OpenID Connect's logout tokens may name that alone.
 */
void fg_session_note_index(fg_exchange_t *ex, const fg_session_t *session, fg_str_t partner);
size_t fg_session_find_index(fg_exchange_t *ex, fg_str_t partner, fg_str_t index,
                             fg_session_t found[FG_SESSIONS_NOTED]);

#endif
