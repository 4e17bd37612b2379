/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where people's passwords, groups and attributes are checked.  A directory is immutable configuration with a content
 * that may be reloaded behind its back; all functions are thread-safe. */
#ifndef FG_DIRECTORY_DIRECTORY_H
#define FG_DIRECTORY_DIRECTORY_H

#include "core/env.h"
#include "token/claims.h"
#include "token/username.h"

/* How an account is named by somebody who has proven otherwise that it is his. */
typedef enum fg_account_kind {
    FG_ACCOUNT_NAME,        /* as typed at sign-in: a name, "DOMAIN\\name" or a user principal name */
    FG_ACCOUNT_PRINCIPAL,   /* a Kerberos principal, "name@REALM" */
    FG_ACCOUNT_UPN,         /* the user principal name in a certificate */
    FG_ACCOUNT_CERTIFICATE, /* as altSecurityIdentities has it: "X509:<I>ISSUER<SR>SERIAL" ([MS-PKCA] §3.1.5.2.1) */
} fg_account_kind_t;

typedef struct fg_directory fg_directory_t;
struct fg_directory {
    const char *name; /* as configured; the issuer of the claims it yields */
    /* Checks a password and yields the person's claims in the arena.  Unknown user and wrong password: FG_E_AUTH_FAILED
     * after the same time.  May block: runs on the password pool. */
    bool (*check_password)(fg_directory_t *, const fg_env_t *, fg_arena_t *, fg_str_t user, fg_str_t password,
                           fg_identity_t *, fg_err_t *);
    /* True for a name with the directory's own domain, "DOMAIN\\name" or "name@realm".  NULL: it has none. */
    bool (*has_domain)(fg_directory_t *, fg_str_t user);
    /* The name under which attempts are counted: what all forms of an account's name share, whether there is one or
     * not.  A part of user.  NULL: the name itself. */
    fg_str_t (*plain_name)(fg_directory_t *, fg_str_t user);
    /* Whether there is an account of that name, one that may be used or not.  False: that cannot be said now.  May
     * block.  NULL: it never can be said. */
    bool (*knows)(fg_directory_t *, const fg_env_t *, fg_arena_t *, fg_str_t user, bool *known, fg_err_t *);
    /* The same for a UsernameToken with a digest.  An account of which nothing is kept to check one with:
     * FG_E_AUTH_DIGEST.  Asks for no slow hash.  NULL: this directory never can. */
    bool (*check_digest)(fg_directory_t *, const fg_env_t *, fg_arena_t *, const fg_username_token_t *, fg_identity_t *,
                         fg_err_t *);
    /* The same for somebody who has proven otherwise (by a ticket, by a certificate) that the account of that name is
     * his; nobody, or more than one: FG_E_AUTH_FAILED; one that is not in use: FG_E_AUTH_DISABLED, FG_E_AUTH_EXPIRED.
     * The authentication method is left empty: the caller knows it.  May block.  NULL: this directory never can. */
    bool (*find)(fg_directory_t *, const fg_env_t *, fg_arena_t *, fg_account_kind_t kind, fg_str_t name,
                 fg_identity_t *, fg_err_t *);
    /* Replaces the password of an account that must change it, by the word of the directory to whoever sends the right
     * one.  The old one is wrong: as check_password says it; the account need not change: FG_E_PASSWORD_NOT_DUE; the
     * directory's rules do not take the new one: FG_E_PASSWORD_POLICY.  Keeps and logs neither.  May block: runs on the
     * password pool.  NULL: this directory does not. */
    bool (*change_password)(fg_directory_t *, const fg_env_t *, fg_arena_t *, fg_str_t user, fg_str_t old_password,
                            fg_str_t new_password, fg_err_t *);
    /* As an attribute store of claim rules (policy/rules.h): the claims for an AD FS query, "FILTER;ATTRIBUTES;{0}"
     * (directory/users_query.h and ldap_query.h say what is taken).  May block: runs on a pool. */
    bool (*query)(fg_directory_t *, fg_arena_t *, fg_str_t query, const fg_str_t *params, size_t param_count,
                  const fg_str_t *types, size_t type_count, fg_claims_t *out, fg_err_t *err);
    /* Whether such a query can be answered, without the parameters' values: FG_E_CONFIG, what was found and what is
     * expected. */
    bool (*check_query)(const fg_directory_t *, fg_str_t query, size_t param_count, size_t type_count, fg_err_t *err);
    bool query_waits; /* it asks a server */
    /* Reloads if its source changed; on an error the old content stays and the error is logged. */
    void (*refresh)(fg_directory_t *, const fg_env_t *);
    void (*free)(fg_directory_t *);
};

/* directory/users_file.c: the users file (JSON).  Fails if it cannot be read, is wrong, or holds passwords for digests
 * and others may read it. */
fg_directory_t *fg_users_file_directory_new(const char *name, const char *path, fg_err_t *err) FG_MUST_CHECK;

#endif
