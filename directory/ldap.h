/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Active Directory, Samba and other LDAP directories (RFC 4511).  Passwords are checked by a simple bind, always
 * through TLS.  Nothing of ldap.conf and of the environment counts: all settings come from the options. */
#ifndef FG_DIRECTORY_LDAP_H
#define FG_DIRECTORY_LDAP_H

#include "directory/directory.h"

typedef enum fg_ldap_type { FG_LDAP_AD, FG_LDAP_PLAIN } fg_ldap_type_t;

/* How a person's groups are found. */
typedef enum fg_ldap_groups {
    FG_LDAP_GROUPS_NESTED,   /* Active Directory: tokenGroups; else the groups of groups one after the other */
    FG_LDAP_GROUPS_CHAIN,    /* Active Directory's rule LDAP_MATCHING_RULE_IN_CHAIN */
    FG_LDAP_GROUPS_DIRECT,   /* only those that the person is a member of */
    FG_LDAP_GROUPS_MEMBEROF, /* the names in the person's attribute memberOf */
    FG_LDAP_GROUPS_NONE,
} fg_ldap_groups_t;

typedef struct fg_ldap_attribute {
    const char *name;
    const char *claim_type;
} fg_ldap_attribute_t;

/* NULL and 0: the default of the type. */
typedef struct fg_ldap_options {
    const char *name;
    fg_ldap_type_t type;
    const char *const *servers; /* "ldaps://HOST[:PORT]", or "ldap://…", where StartTLS must succeed */
    size_t server_count;
    const char *ca;      /* PEM file: the only CAs that servers are trusted by */
    const char *base;    /* DN */
    const char *bind_dn; /* of the account that searches; NULL: the person's own (Active Directory), nobody (else) */
    const char *bind_password_file;
    bool password_change;                  /* of those who must is possible; Active Directory: with bind_dn only */
    const char *user_filter;               /* {user} stands for the name */
    const fg_ldap_attribute_t *attributes; /* besides those of the type */
    size_t attribute_count;
    fg_ldap_groups_t groups;
    const char *group_base;
    const char *group_filter; /* {dn}, {user}, {gid} */
    const char *group_name;   /* attribute */
    const char *domain;       /* NetBIOS name; Active Directory: the first part of base's domain, in capitals */
    const char *realm;        /* Kerberos realm; base's domain, in capitals */
    int64_t timeout_ms;       /* for all that one sign-in asks */
    int64_t cache_ms;         /* how long what was found of an account holds; passwords are never kept */
    int64_t negative_cache_ms;
    unsigned connections; /* at once */
} fg_ldap_options_t;

/* Takes copies.  Asks no server yet. */
fg_directory_t *fg_ldap_directory_new(const fg_ldap_options_t *options, fg_err_t *err) FG_MUST_CHECK;

/* True for "ldap://HOST[:PORT]" and "ldaps://HOST[:PORT]", a slash behind it allowed. */
bool fg_ldap_is_server(fg_str_t text);
/* True for an LDAP filter (RFC 4515 §3) in which {word} stands only where a value does. */
bool fg_ldap_is_filter(fg_str_t text);
/* True for a distinguished name (RFC 4514) that is not empty. */
bool fg_ldap_is_dn(const char *text);

#endif
