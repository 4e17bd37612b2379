/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an event loop opened lately: the sessions behind cookies and behind credentials that the store knows.  The next
 * request with the same bytes is spared decrypting or hashing them.
 *
 * Of one thread.  Bounded, whatever the number of sessions; what is found here is as good as what would be opened
 * again: an entry goes when its session's time is over, its sealing key is forgotten, or any session was ended or token
 * cancelled since, by whatever process. */
#ifndef FG_HUB_RECENT_H
#define FG_HUB_RECENT_H

#include "hub/session.h"

typedef struct fg_recent fg_recent_t;

typedef enum fg_recent_kind { FG_RECENT_COOKIE, FG_RECENT_BEARER } fg_recent_kind_t;

typedef struct fg_recent_name {
    fg_recent_kind_t kind;
    fg_str_t scope;   /* where they are good: the bound host, or the protection */
    fg_str_t text;    /* cookie or credential */
    uint64_t changes; /* fg_recent_get fills it in for fg_recent_put */
} fg_recent_name_t;

/* Of a cookie or credential that is remembered, in bytes: its end is a secret that nobody guesses, an AEAD's tag or a
 * signature's bytes; longer ones are opened each time, for they are few and memory is bounded. */
#define FG_RECENT_TEXT_MIN 32u
#define FG_RECENT_TEXT_MAX 4096u

/* 24 bits by the end of such a text, which differs from one to the next. */
uint64_t fg_recent_hash(fg_str_t text);
/* Compares the ends in constant time: who does not know it learns nothing of the rest. */
bool fg_recent_is_text(fg_str_t a, fg_str_t b);

/* NULL: no memory, which only means that nothing is remembered. */
fg_recent_t *fg_recent_new(void);
void fg_recent_free(fg_recent_t *recent);

/* True: session and ex->recent_until_ms are filled in; its strings live as long as the exchange.  False: open it, look
 * whether it was ended or cancelled, and put it. */
bool fg_recent_get(fg_exchange_t *ex, fg_recent_name_t *name, fg_session_t *session) FG_MUST_CHECK;
/* What was opened under a name that fg_recent_get did not know; good until expires_ms. */
void fg_recent_put(fg_exchange_t *ex, const fg_recent_name_t *name, const fg_session_t *session, int64_t expires_ms);

#endif
