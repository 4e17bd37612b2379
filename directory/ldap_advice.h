/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What to change when a step of the directory's test fails. */
#ifndef FG_DIRECTORY_LDAP_ADVICE_H
#define FG_DIRECTORY_LDAP_ADVICE_H

#include "directory/ldap_parts.h"

/* No connection: the stage at which it ended. */
const char *fg_ldap_advise_connect(fg_arena_t *arena, const fg_ldap_server_t *server, const fg_ldap_trace_t *trace,
                                   bool in_time);
/* Why the server's certificate is not believed. */
const char *fg_ldap_advise_certificate(fg_arena_t *arena, const fg_ldap_options_t *options,
                                       const fg_ldap_server_t *server, fg_str_t der, int64_t now_ms);
/* An LDAP result (RFC 4511 §A); NULL: nothing is known of it. */
const char *fg_ldap_advise_result(int code);
/* A bind that was judged; NULL: nothing. */
const char *fg_ldap_advise_account(fg_code_t code);

#endif
