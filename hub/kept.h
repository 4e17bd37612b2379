/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is too large for a cookie or an address, kept in the store under a random word until the browser is back. */
#ifndef FG_HUB_KEPT_H
#define FG_HUB_KEPT_H

#include "hub/exchange.h"

#define FG_WORD_SIZE 33u /* 32 letters and NUL */

/* A word that cannot be guessed: 128 random bits in hexadecimal letters, in the arena. */
bool fg_word_make(fg_exchange_t *ex, fg_str_t *word, fg_err_t *err) FG_MUST_CHECK;
/* 32 letters of a word. */
bool fg_word_is(fg_str_t text);

/* Before keeping what a stranger sends: what is kept of such in half an hour is bounded, for one client's address and
 * in all.  FG_E_BUSY: the bound is reached. */
bool fg_kept_count(fg_exchange_t *ex, size_t size, fg_err_t *err) FG_MUST_CHECK;
/* kind: a constant word.  FG_E_UNAVAILABLE: the store has no room. */
bool fg_kept_put(fg_exchange_t *ex, const char *kind, fg_str_t word, fg_str_t bytes, int64_t until_ms,
                 fg_err_t *err) FG_MUST_CHECK;
/* Once; bytes in the arena.  FG_E_CSRF: there is nothing any more. */
bool fg_kept_take(fg_exchange_t *ex, const char *kind, fg_str_t word, fg_str_t *bytes, fg_err_t *err) FG_MUST_CHECK;

#endif
