/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FG_DIRECTORY_LDAP_DIRECTORY_H
#define FG_DIRECTORY_LDAP_DIRECTORY_H

#include "directory/ldap_parts.h"

/* Copies, and fills in what the type and the base tell.  False: memory. */
bool fg_ldap_options_complete(fg_arena_t *arena, const fg_ldap_options_t *from, fg_ldap_options_t *to) FG_MUST_CHECK;
/* Binds the account that searches, or nobody where there is none. */
bool fg_ldap_bind_service(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, int64_t deadline,
                          fg_ldap_answer_t *answer, fg_err_t *err) FG_MUST_CHECK;
/* True if the answer says that the password is right and the account may be used; else the fault that tells why not. */
bool fg_ldap_judge_bind(const fg_ldap_options_t *options, fg_str_t user, const fg_ldap_answer_t *answer,
                        fg_err_t *err) FG_MUST_CHECK;

#endif
