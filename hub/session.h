/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A browser's session: a sealed cookie, no state here.  "__Host-" prefix, Secure, HttpOnly,
 * SameSite=Lax (top-level navigation is all that passive protocols need); bound to the host; idle and absolute
 * lifetime; chunked when large (at most four cookies). */
#ifndef FG_HUB_SESSION_H
#define FG_HUB_SESSION_H

#include "hub/bytes.h"
#include "hub/protocol.h"

#define FG_SESSION_PARTIES 32

/* A relying party that got a token in a session: to be told of its end. */
typedef struct fg_session_party {
    fg_protocol_kind_t protocol; /* in which it got it */
    fg_str_t realm;              /* in OpenID Connect its client_id */
    fg_str_t reference;          /* what the protocol needs beside, to say whose session it was; .n 0: nothing */
} fg_session_party_t;

typedef struct fg_session {
    char id[FG_ID_SIZE];
    fg_identity_t identity;
    fg_str_t home_realm;     /* uri */
    fg_str_t provider_index; /* SessionIndex that the identity provider gave it; .n 0: none */
    int64_t created_ms;
    int64_t used_ms;
    fg_session_party_t parties[FG_SESSION_PARTIES];
    size_t party_count;
} fg_session_t;

/* The request's session; false (without an error to report): none, expired, not ours. */
bool fg_session_open(fg_exchange_t *ex, fg_session_t *session) FG_MUST_CHECK;
/* Whether the session of that id was ended; true as well if the store cannot tell. */
bool fg_session_is_ended(fg_exchange_t *ex, const char *id) FG_MUST_CHECK;
/* A new session for an identity that just signed in: always a new id (HT-08). */
bool fg_session_begin(fg_exchange_t *ex, const fg_identity_t *identity, fg_str_t home_realm, fg_session_t *session,
                      fg_err_t *err) FG_MUST_CHECK;
/* Notes a relying party, or its newer reference; false: no room left.  Its strings must live as long as the session is
 * used. */
bool fg_session_add_party(fg_session_t *session, const fg_session_party_t *party) FG_MUST_CHECK;
/* Notes those of an older session, as many as there is room for. */
void fg_session_add_parties(fg_session_t *session, const fg_session_party_t *parties, size_t count);
/* One of them as bytes, for what is kept beside the session. */
void fg_session_party_write(fg_buf_t *out, const fg_session_party_t *party);
fg_session_party_t fg_session_party_read(fg_bytes_t *in);
static inline size_t fg_session_party_size(const fg_session_party_t *party) {
    return party->realm.n + party->reference.n + 16; /* at most */
}
/* Sets the cookies of the response. */
bool fg_session_save(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) FG_MUST_CHECK;
/* Saves the session again once a tenth of its idle time has passed, so that it lasts while it is used; quick. */
bool fg_session_renew(fg_exchange_t *ex, const fg_session_t *session, fg_err_t *err) FG_MUST_CHECK;
/* When that time has passed. */
int64_t fg_session_renewal(const fg_exchange_t *ex, const fg_session_t *session);
/* Clears the cookies of the response; the id is remembered as ended until its absolute lifetime is over. */
void fg_session_end(fg_exchange_t *ex, const fg_session_t *session);
/* The same where the response goes to somebody else than the session's browser. */
void fg_session_mark_ended(fg_exchange_t *ex, const fg_session_t *session);

/* Of a session that an identity provider vouched for the browser keeps a second cookie, which comes along where the
 * provider's pages load ours in a frame and SameSite=Lax keeps the session's away.  It says whose session it is and
 * whom to tell of its end, and no more: what it opens has no identity and is good for ending it alone. */
bool fg_session_open_for_end(fg_exchange_t *ex, fg_session_t *session) FG_MUST_CHECK;

/* As bytes, for the store; reading points into them.  False: not what was written. */
void fg_session_write(fg_buf_t *out, const fg_session_t *session);
bool fg_session_read(fg_arena_t *arena, fg_str_t bytes, fg_session_t *session) FG_MUST_CHECK;

/* This browser's random id at this host, from its cookie; make: or a new one.  False: there is none. */
bool fg_browser_id(fg_exchange_t *ex, bool make, fg_str_t *id) FG_MUST_CHECK;
/* A token for a form, bound to this browser by a cookie of its own and to purpose, good for an hour (WF-08). */
bool fg_form_token_make(fg_exchange_t *ex, const char *purpose, fg_str_t *token, fg_err_t *err) FG_MUST_CHECK;
bool fg_form_token_check(fg_exchange_t *ex, const char *purpose, fg_str_t token, fg_err_t *err) FG_MUST_CHECK;

/* A small remembered value (home realm per relying party), sealed in a cookie; it lasts as long as the sealing keys do.
 */
bool fg_remember(fg_exchange_t *ex, const char *name, fg_str_t value, fg_err_t *err) FG_MUST_CHECK;
fg_str_t fg_remembered(fg_exchange_t *ex, const char *name);

#endif
