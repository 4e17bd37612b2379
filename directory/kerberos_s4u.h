/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a service asks of a Kerberos KDC to act for people ([MS-SFU]): its own ticket, one in somebody's name to itself
 * (S4U2Self), one in that name to another service (S4U2Proxy).  All but fg_s4u_token ask the KDC and may block for as
 * long as libkrb5 tries.  Between directory/kerberos_delegate.c and MIT's libraries; nobody else includes this. */
#ifndef FG_DIRECTORY_KERBEROS_S4U_H
#define FG_DIRECTORY_KERBEROS_S4U_H

#include <gssapi/gssapi.h>
#include <krb5.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

/* The gateway's own account, signed in; its tickets are in memory alone. */
typedef struct fg_s4u_service {
    krb5_context context; /* NULL: not signed in */
    krb5_ccache cache;
    gss_cred_id_t credential;
    int64_t lifetime_ms; /* of its ticket, from when it was got */
} fg_s4u_service_t;

/* FG_E_DELEGATION_SERVICE: keytab or account; FG_E_DELEGATION_UNREACHABLE. */
bool fg_s4u_sign_in(const char *keytab, const char *principal, fg_s4u_service_t *service, fg_err_t *err) FG_MUST_CHECK;
void fg_s4u_sign_out(fg_s4u_service_t *service);

/* Somebody's ticket to a service, from which tokens are made without asking anybody. */
typedef struct fg_s4u_ticket {
    gss_cred_id_t credential;
    gss_name_t target;
    int64_t lifetime_ms;
} fg_s4u_ticket_t;

/* person and target: principals with their realm.  *trusted: whether the KDC has ever let the gateway's account act for
 * somebody; the caller keeps it.  FG_E_DELEGATION_…: what the KDC says against it. */
bool fg_s4u_get_ticket(const fg_s4u_service_t *service, const char *person, const char *target, fg_s4u_ticket_t *ticket,
                       bool *trusted, fg_err_t *err) FG_MUST_CHECK;
void fg_s4u_ticket_free(fg_s4u_ticket_t *ticket);
/* An initial token of SPNEGO (RFC 4178) with a fresh authenticator: good once.  Thread-safe. */
bool fg_s4u_token(const fg_s4u_ticket_t *ticket, fg_arena_t *arena, fg_str_t *token, fg_err_t *err) FG_MUST_CHECK;

/* Whether the keytab has a key of that principal.  Asks nobody. */
bool fg_s4u_check_keytab(const char *keytab, const char *principal, fg_err_t *err) FG_MUST_CHECK;

#endif
