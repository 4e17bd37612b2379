/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tickets of Kerberos V5 (RFC 4120), shown to this gateway by GSSAPI (RFC 4121) or SPNEGO (RFC 4178): accepted with the
 * keys of a keytab.  MIT Kerberos does the work.  It asks the system for the time itself, and the processes's
 * environment for the place of its configuration (KRB5_CONFIG). */
#ifndef FG_DIRECTORY_KERBEROS_H
#define FG_DIRECTORY_KERBEROS_H

#include "core/arena.h"
#include "core/err.h"
#include "directory/pac.h"

typedef struct fg_kerberos fg_kerberos_t;

typedef struct fg_kerberos_options {
    const char *keytab;       /* a file; read anew for each ticket, so that new keys need no reload */
    const char *replay_cache; /* a file, made when the first ticket comes; shared by all processes */
    const fg_str_t *realms;   /* whose people are taken, compared exactly; what lives as long as the object */
    size_t realm_count;
    bool machines; /* computers' accounts ("NAME$") are taken as well */
} fg_kerberos_options_t;

/* Which services' tickets are taken. */
typedef enum fg_kerberos_service {
    FG_KERBEROS_HTTP,    /* HTTP/host (RFC 4559 §4.1) */
    FG_KERBEROS_MESSAGE, /* HTTP/host or host/host: tokens of WS-Security */
    FG_KERBEROS_SERVICES
} fg_kerberos_service_t;

#define FG_KERBEROS_TOKEN_MAX (64u << 10)

typedef struct fg_kerberos_ticket {
    fg_str_t principal; /* "alice@EXAMPLE.COM": one component, of one of the realms */
    fg_str_t name;      /* "alice" */
    fg_str_t realm;
    fg_str_t service; /* for whom the ticket is: "HTTP/fs.example.com@EXAMPLE.COM" */
    fg_str_t answer;  /* for the client: mutual authentication; .n 0: none */
    fg_str_t key;     /* FG_KERBEROS_MESSAGE: the client's subkey, or the session key if it made none; otherwise .n 0 */
    bool bound;       /* to the TLS connection (RFC 5929) */
    bool has_pac;     /* pac holds what the KDC says, verified */
    fg_pac_t pac;
} fg_kerberos_ticket_t;

/* Fails if the keytab cannot be read or is empty. */
fg_kerberos_t *fg_kerberos_new(const fg_kerberos_options_t *options, fg_err_t *err) FG_MUST_CHECK;
void fg_kerberos_free(fg_kerberos_t *kerberos);

/* Accepts a token in one round: context and connection are not kept, so who needs a second round is refused (KL-04).
 * binding: the certificate's hash of tls-server-end-point (RFC 5929 §4.1), checked if the client sends one; .n 0: not
 * known.  FG_E_AUTH_KERBEROS with the reason.  Blocks on files: runs on a pool.  Thread-safe. */
bool fg_kerberos_accept(fg_kerberos_t *kerberos, fg_arena_t *arena, fg_kerberos_service_t service, fg_str_t token,
                        fg_str_t binding, fg_kerberos_ticket_t *ticket, fg_err_t *err) FG_MUST_CHECK;

#endif
