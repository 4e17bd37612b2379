/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lockout with back-off, per account and per client address, in the store shared by all workers. */
#ifndef FG_DIRECTORY_LOCKOUT_H
#define FG_DIRECTORY_LOCKOUT_H

#include "core/env.h"

typedef struct fg_lockout {
    unsigned account_failures; /* that many failures are free (default 5); each further one doubles the wait; 0: off */
    unsigned address_failures; /* the same per client address (default 20) */
    int64_t first_wait_ms;     /* default 1 s, doubled each time */
    int64_t longest_wait_ms;   /* default 15 min; failures are forgotten after that time without one */
} fg_lockout_t;

extern const fg_lockout_t fg_lockout_default;

/* Before a password is checked: FG_E_AUTH_LOCKED while account or address waits; counts the attempt, so that parallel
 * guesses do not slip through.  The account name is folded to lower case. */
bool fg_lockout_enter(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                      fg_str_t address, fg_err_t *err) FG_MUST_CHECK;
/* After a right password: the account's failures are forgotten; the address's stay. */
void fg_lockout_succeed(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                        fg_str_t address);
/* After an attempt of which nobody can say whether the password was right, as no server of the directory answered: it is
 * not counted. */
void fg_lockout_forgive(const fg_env_t *env, const fg_lockout_t *rules, fg_str_t directory, fg_str_t user,
                        fg_str_t address);

#endif
