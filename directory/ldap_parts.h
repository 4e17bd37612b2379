/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of the LDAP directory share. */
#ifndef FG_DIRECTORY_LDAP_PARTS_H
#define FG_DIRECTORY_LDAP_PARTS_H

#include <ldap.h>
#include <netdb.h>

#include "core/buf.h"
#include "directory/ldap.h"

#define FG_LDAP_VALUE_MAX 8192u
#define FG_LDAP_FILTER_MAX 16384u
#define FG_LDAP_GROUPS_MAX 2000u
#define FG_LDAP_PASSWORD_MAX 511u
#define FG_CLAIM_OBJECTIDENTIFIER "http://schemas.microsoft.com/identity/claims/objectidentifier"
#define FG_CLAIM_COMMONNAME "http://schemas.xmlsoap.org/claims/CommonName"

/* ---- ldap_text.c: how things are written */

/* The value as it stands in a filter (RFC 4515 §3): every byte that could mean something, and all beyond ASCII, as \xx.
 */
void fg_ldap_put_filter_value(fg_buf_t *out, fg_str_t value);
typedef struct fg_ldap_word {
    const char *name; /* without braces */
    fg_str_t value;
} fg_ldap_word_t;
/* The filter with {name} replaced by escaped values; a word that is not there is an error (FG_E_CONFIG). */
const char *fg_ldap_make_filter(fg_arena_t *arena, const char *filter, const fg_ldap_word_t *words, size_t count,
                                fg_err_t *err);
/* "xxxxxxxx-xxxx-…" of a GUID's 16 bytes, the first three numbers little endian ([MS-DTYP] §2.3.4.2). */
bool fg_ldap_put_guid(fg_buf_t *out, fg_str_t guid);
/* AD's sub-code, the number behind "data " of a bind's message; 0: none. */
unsigned fg_ldap_sub_code(const char *message);
/* The value of a DN's first part in the arena; .p NULL: no DN. */
fg_str_t fg_ldap_first_rdn(fg_arena_t *arena, const char *dn);
/* "GW.TEST" of "OU=x,DC=gw,DC=test"; NULL: it has no DC. */
const char *fg_ldap_realm_of(fg_arena_t *arena, const char *dn);

/* ---- ldap_resolve.c */

/* A server's addresses, which the caller frees with freeaddrinfo.  0, or one of getaddrinfo's errors (netdb.h);
 * EAI_AGAIN: not until the deadline. */
int fg_ldap_resolve(const char *host, const char *port, int64_t deadline, struct addrinfo **found) FG_MUST_CHECK;

/* ---- ldap_connection.c: one connection, which one thread uses at a time */

typedef enum fg_ldap_bound { FG_LDAP_BOUND_NONE, FG_LDAP_BOUND_SERVICE, FG_LDAP_BOUND_PERSON } fg_ldap_bound_t;

typedef struct fg_ldap_server {
    const char *uri; /* without a slash at the end */
    const char *host;
    const char *port;
    bool start_tls; /* else TLS from the beginning */
    /* guarded by the pool's mutex */
    bool down;
    bool told;   /* its state is in the log */
    bool trying; /* a thread finds out whether it is up again */
    unsigned failures;
    int64_t retry_at;
    char why[200];
} fg_ldap_server_t;

typedef struct fg_ldap_connection fg_ldap_connection_t;
struct fg_ldap_connection {
    LDAP *ld;
    fg_ldap_server_t *server;
    fg_ldap_bound_t bound;
    int fd;
    bool broken; /* not to be used any more */
    bool reused;
    int64_t idle_since;
    fg_ldap_connection_t *next;
};

/* Milliseconds that only grow.  Deadlines are instants of this clock: they are about real sockets. */
int64_t fg_ldap_now(void);
/* Steps of making a connection, for the test command. */
typedef enum fg_ldap_stage {
    FG_LDAP_STAGE_RESOLVE,
    FG_LDAP_STAGE_CONNECT,
    FG_LDAP_STAGE_START_TLS,
    FG_LDAP_STAGE_TLS,
    FG_LDAP_STAGE_DONE
} fg_ldap_stage_t;
typedef struct fg_ldap_trace {
    fg_ldap_stage_t stage; /* the last that was begun */
    int64_t begun[FG_LDAP_STAGE_DONE + 1];
    char address[64]; /* the last that was tried, "192.0.2.1 port 636"; "": none */
    int error;        /* errno of a connection that was not made */
} fg_ldap_trace_t;
/* FG_E_DIRECTORY: it could not be made until the deadline; trace: where it ended (may be NULL, else zeroed). */
fg_ldap_connection_t *fg_ldap_connect(const fg_ldap_options_t *options, fg_ldap_server_t *server, int64_t deadline,
                                      fg_ldap_trace_t *trace, fg_err_t *err);
typedef struct fg_ldap_tls {
    const char *version, *cipher; /* NULL: libldap does not tell */
    fg_str_t certificate;         /* the server's, DER; .p NULL: none */
} fg_ldap_tls_t;
/* In the arena. */
void fg_ldap_get_tls(const fg_ldap_connection_t *connection, fg_arena_t *arena, fg_ldap_tls_t *tls);
/* Whom TLS shows of a server that was not believed, so that people learn why: believes anybody, says nothing but
 * StartTLS, and hangs up. */
bool fg_ldap_look(const fg_ldap_options_t *options, fg_ldap_server_t *server, int64_t deadline, fg_arena_t *arena,
                  fg_ldap_tls_t *tls, fg_err_t *err);
void fg_ldap_disconnect(fg_ldap_connection_t *connection);
/* False: the server has closed it, or said something that nobody asked for. */
bool fg_ldap_is_alive(const fg_ldap_connection_t *connection);

typedef struct fg_ldap_answer {
    int code;          /* LDAP result code */
    unsigned sub_code; /* AD's; 0: none */
    int policy_error;  /* of the password policy control (draft-behera-ldap-password-policy §6.2); -1: none */
    char message[256];
} fg_ldap_answer_t;
/* A simple bind.  False: no answer until the deadline, the connection is broken (FG_E_DIRECTORY). */
bool fg_ldap_bind(fg_ldap_connection_t *connection, const char *dn, fg_str_t password, int64_t deadline,
                  fg_ldap_answer_t *answer, fg_err_t *err);
/* attributes ends with NULL.  The caller frees *result with ldap_msgfree.  FG_E_DIRECTORY: no answer, or another one
 * than success (answer, which may be NULL, has it). */
typedef struct fg_ldap_search {
    const char *base;
    int scope;
    const char *filter;
    const char *const *attributes;
    int limit; /* entries; 0: the server's */
} fg_ldap_search_t;
bool fg_ldap_search(fg_ldap_connection_t *connection, const fg_ldap_search_t *search, int64_t deadline,
                    LDAPMessage **result, fg_ldap_answer_t *answer, fg_err_t *err);
/* Changes an entry, or carries out an extended operation.  False: as fg_ldap_bind. */
bool fg_ldap_modify(fg_ldap_connection_t *connection, const char *dn, LDAPMod **changes, int64_t deadline,
                    fg_ldap_answer_t *answer, fg_err_t *err);
bool fg_ldap_extended(fg_ldap_connection_t *connection, const char *oid, struct berval *request, int64_t deadline,
                      fg_ldap_answer_t *answer, fg_err_t *err);

/* ---- ldap_password.c: replacing a password */

/* The person's own change, which the old password permits; what the answer means is judged.  FG_E_AUTH_FAILED: the old
 * one is wrong; FG_E_PASSWORD_POLICY: the new one is not taken. */
typedef struct fg_ldap_change {
    const char *dn;
    fg_str_t old_password;
    fg_str_t new_password;
} fg_ldap_change_t;
bool fg_ldap_change_password(const fg_ldap_options_t *options, fg_ldap_connection_t *connection,
                             const fg_ldap_change_t *change, int64_t deadline, fg_err_t *err) FG_MUST_CHECK;

/* ---- ldap_pool.c: connections to the servers of a directory */

/* Takes "ldaps://HOST[:PORT]" apart.  False: memory; free it anyway. */
bool fg_ldap_server_read(fg_ldap_server_t *server, const char *uri) FG_MUST_CHECK;
void fg_ldap_server_free(fg_ldap_server_t *server);

typedef struct fg_ldap_pool fg_ldap_pool_t;
fg_ldap_pool_t *fg_ldap_pool_new(const fg_ldap_options_t *options, fg_err_t *err);
void fg_ldap_pool_free(fg_ldap_pool_t *pool);
/* One that was bound that way before if there is one, else any.  FG_E_DIRECTORY: no server is there, FG_E_BUSY: all
 * connections are in use until the deadline. */
fg_ldap_connection_t *fg_ldap_pool_get(fg_ldap_pool_t *pool, fg_ldap_bound_t bound, int64_t deadline, fg_err_t *err);
/* Takes back; one that is broken is closed. */
void fg_ldap_pool_put(fg_ldap_pool_t *pool, fg_ldap_connection_t *connection);
/* The connection's server did not do as it should: it is left alone for a while. */
void fg_ldap_pool_blame(fg_ldap_pool_t *pool, const fg_ldap_connection_t *connection, const char *why);
/* A line for each server that went down or came back since the last call. */
void fg_ldap_pool_log(fg_ldap_pool_t *pool, const fg_env_t *env, const char *name);

/* ---- ldap_account.c: persons */

typedef struct fg_ldap_account {
    const char *dn;
    const char *sam;   /* sAMAccountName or uid */
    fg_code_t refusal; /* FG_OK: it may be used */
    const char *why;   /* else */
    fg_str_t name_id;
    fg_claims_t claims;
} fg_ldap_account_t;

/* A name as it was given, and which accounts it could mean. */
typedef struct fg_ldap_name {
    fg_account_kind_t kind;
    fg_str_t text;
    fg_str_t local;      /* without domain */
    bool own_domain;     /* nothing or ours stands before or behind local */
    const char *bind_as; /* what Active Directory takes in place of a DN; NULL: not possible */
} fg_ldap_name_t;
/* FG_E_AUTH_FAILED: it can be nobody's here. */
bool fg_ldap_name_read(const fg_ldap_options_t *options, fg_arena_t *arena, fg_account_kind_t kind, fg_str_t text,
                       fg_ldap_name_t *name, fg_err_t *err);
/* True if the directory's domain or realm stands before or behind the name. */
bool fg_ldap_names_domain(const fg_ldap_options_t *options, fg_str_t text);
/* The name without it; in another directory than Active Directory "name@realm" is a mail address and stays one. */
fg_str_t fg_ldap_plain_name(const fg_ldap_options_t *options, fg_str_t text);
/* The one account of that name, without groups; *result is to be freed.  FG_E_AUTH_FAILED: none, or more than one. */
bool fg_ldap_account_find(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                          const fg_ldap_name_t *name, int64_t deadline, int64_t now_ms, fg_ldap_account_t *account,
                          fg_err_t *err);
/* The filter that finds every account that the name could mean; NULL: *err says why. */
const char *fg_ldap_account_filter(const fg_ldap_options_t *options, fg_arena_t *arena, const fg_ldap_name_t *name,
                                   fg_err_t *err);
/* The one that it means, of entries with FG_LDAP_NAMES; NULL: none, or *several that fit as well. */
LDAPMessage *fg_ldap_account_choose(const fg_ldap_options_t *options, const fg_ldap_connection_t *connection,
                                    fg_arena_t *arena, LDAPMessage *result, const fg_ldap_name_t *name, bool *several);
#define FG_LDAP_NAMES "sAMAccountName", "userPrincipalName", "uid", "krbPrincipalName"
#define FG_LDAP_DISABLED 0x2u /* of userAccountControl: ADS_UF_ACCOUNTDISABLE, [MS-ADTS] §2.2.16 */
/* Adds the groups' claims; ldap_groups.c. entry: gid, memberOf and primary group as account_find read them. */
typedef struct fg_ldap_member {
    const char *dn;
    fg_str_t user;
    fg_str_t gid;
    const fg_str_t *member_of;
    size_t member_of_count;
} fg_ldap_member_t;
bool fg_ldap_groups_add(const fg_ldap_options_t *options, fg_ldap_connection_t *connection, fg_arena_t *arena,
                        const fg_ldap_member_t *member, int64_t deadline, fg_claims_t *claims, fg_err_t *err);
bool fg_ldap_put_claim(const fg_ldap_options_t *options, fg_arena_t *arena, fg_claims_t *claims, const char *type,
                       fg_str_t value);
/* A value as text: as it is, or base64 if it is no UTF-8. */
fg_str_t fg_ldap_value_text(fg_arena_t *arena, const char *attribute, fg_str_t value);

/* ---- ldap_cache.c: what was found of accounts, for a short time */

typedef struct fg_ldap_cache fg_ldap_cache_t;
typedef enum fg_ldap_cached { FG_LDAP_UNKNOWN, FG_LDAP_HIT, FG_LDAP_NOBODY } fg_ldap_cached_t;
fg_ldap_cache_t *fg_ldap_cache_new(int64_t positive_ms, int64_t negative_ms);
void fg_ldap_cache_free(fg_ldap_cache_t *cache);
/* The account in the arena.  Keys are hashed. */
fg_ldap_cached_t fg_ldap_cache_get(fg_ldap_cache_t *cache, fg_str_t key, fg_arena_t *arena, fg_ldap_account_t *account);
/* account NULL: there is nobody. */
void fg_ldap_cache_put(fg_ldap_cache_t *cache, fg_str_t key, const fg_ldap_account_t *account);

#endif
