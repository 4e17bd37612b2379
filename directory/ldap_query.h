/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An LDAP directory as an attribute store of claim rules. */
#ifndef FG_DIRECTORY_LDAP_QUERY_H
#define FG_DIRECTORY_LDAP_QUERY_H

#include "directory/ldap_parts.h"
#include "directory/query.h"

/* Adds the claims that AD FS' queries of its Active Directory store and of its LDAP stores yield:
 *
 *     query = ";mail,displayName;{0}", param = c.Value                  one account, named as at sign-in
 *     query = "sAMAccountName={0};mail;DOMAIN\user", param = c.Value    all entries that the filter finds
 *     query = "(&(objectClass=person)(uid={0}));mail", param = c.Value
 *
 * A filter is any of RFC 4515, also without the outer parentheses; {n} stands in values alone and is escaped.  Of the
 * third part beside a filter, which tells AD FS in which domain to look, nothing is used.  "tokenGroups" are the names
 * of all groups, nested ones too, "tokenGroups(SID)" their SIDs, with domainQualifiedName "GW\name", with
 * longDomainQualifiedName "gw.test\name".  More than 100 entries or 2000 values are an error
 * (FG_E_INTERNAL), never a part.  Nobody, and in Active Directory an account that is disabled: no claims.  types must
 * outlive the claims. */
bool fg_ldap_query_run(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                       const fg_query_t *query, int64_t deadline, fg_claims_t *out, bool *somebody,
                       fg_err_t *err) FG_MUST_CHECK;
/* The same errors without the values of the parameters, and without a server, when rules are compiled. */
bool fg_ldap_query_check(const fg_ldap_options_t *options, const fg_query_t *query, fg_err_t *err) FG_MUST_CHECK;
/* What stands for the query and its values in the cache; .n 0: it is too long for that. */
fg_str_t fg_ldap_query_key(fg_arena_t *arena, const fg_query_t *query);

#endif
