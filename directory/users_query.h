/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_DIRECTORY_USERS_QUERY_H
#define FG_DIRECTORY_USERS_QUERY_H

#include "directory/query.h"
#include "directory/users.h"
#include "token/claims.h"

/* Adds the claims that AD FS' query of its Active Directory store yields:
 *
 *     query = ";mail,displayName;{0}", param = c.Value
 *     query = "(mail={0});sAMAccountName;DOMAIN\user", param = c.Value
 *
 * An empty filter selects the account of the third part, by name or upn, without "DOMAIN\" before it.  A filter is one
 * attribute and the value that it must have, in any case of letters; it selects everybody who has it, and the third
 * part, which tells AD FS in which domain to look, is read and does nothing.  Nobody and somebody who is disabled: no
 * claims.  FG_E_CONFIG: the query is wrong, with what was expected.  types must outlive the claims. */
bool fg_users_query(const fg_users_t *users, const fg_query_t *query, fg_arena_t *arena, fg_claims_t *out,
                    fg_err_t *err) FG_MUST_CHECK;

/* The same errors without the values of the parameters, when rules are compiled. */
bool fg_users_query_check(const fg_query_t *query, fg_arena_t *arena, fg_err_t *err) FG_MUST_CHECK;

#endif
