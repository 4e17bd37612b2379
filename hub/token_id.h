/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ids of the tokens that the active endpoints issue.  An id says, to us alone, to whom the token was issued and what
 * may become of it, so that Renew and Cancel need no memory of every token: 16 random bytes, one of flags, and a MAC
 * over them and the owner under the sealing keys. */
#ifndef FG_HUB_TOKEN_ID_H
#define FG_HUB_TOKEN_ID_H

#include "hub/exchange.h"

enum {
    FG_TOKEN_RENEWABLE = 1,      /* Renewing/@Allow (WS-Trust 1.3 §5) */
    FG_TOKEN_RENEWABLE_LATE = 2, /* Renewing/@OK: also when it has expired */
    FG_TOKEN_NOT_FOR_OTHERS = 4, /* Delegatable is false (§9.1): nobody may act by it */
};

/* Who somebody is, in bytes that no two people share: issuer and name identifier, or a name that the issuer gives; .n
 * 0: nobody that could own a token. */
fg_str_t fg_token_owner(fg_arena_t *arena, const fg_identity_t *identity);

/* An NCName.  owner .n 0: nobody's, which can be neither renewed nor cancelled. */
bool fg_token_id_make(const fg_exchange_t *ex, fg_str_t owner, unsigned flags, char id[FG_ID_SIZE],
                      fg_err_t *err) FG_MUST_CHECK;
/* True if the token was issued to owner (WT-08). */
bool fg_token_id_is_owner(const fg_exchange_t *ex, fg_str_t id, fg_str_t owner) FG_MUST_CHECK;
/* The flags in the id of a token of ours, whose signature was verified: nobody else can have written them. */
unsigned fg_token_id_flags(fg_str_t id);

/* Notes in the store that the token is cancelled, until it could not be used any more. */
bool fg_token_cancel(fg_exchange_t *ex, fg_str_t id, int64_t until_ms, fg_err_t *err) FG_MUST_CHECK;
/* Access tokens of OpenID Connect have the word of what was granted (hub/kept.h) at the front of an id that is
 * hexadecimal, and are cancelled all at once: by that word. */
#define FG_TOKEN_FAMILY_SIZE 32u
#define FG_TOKEN_FAMILY_ID_SIZE (FG_ID_SIZE - 1u)
/* FG_E_TOKEN_CANCELLED; FG_E_UNAVAILABLE if the store cannot tell.  Ids of another form cannot be cancelled. */
bool fg_token_check_cancelled(fg_exchange_t *ex, fg_str_t id, fg_err_t *err) FG_MUST_CHECK;

#endif
