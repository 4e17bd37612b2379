/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Acting for people towards servers that want Kerberos ([MS-SFU]: S4U2Self, S4U2Proxy), whatever they signed in with.
 *
 * The KDC is asked by a thread of this object's own, which begins with the first question; callers wait for it no
 * longer than the timeout.  A KDC that does not answer is left alone for a while (5 s, then twice as long each time, up
 * to a minute): everybody is told so at once.  Tickets are kept for ten minutes at most, a thousand of them; what the
 * KDC refused is known for ten seconds. */
#ifndef FG_DIRECTORY_KERBEROS_DELEGATE_H
#define FG_DIRECTORY_KERBEROS_DELEGATE_H

#include "core/env.h"

typedef struct fg_delegate_options {
    const char *keytab;     /* file with keys of principal */
    const char *principal;  /* the gateway's own account, "svc-gw@EXAMPLE.COM" */
    const fg_str_t *realms; /* whose people may be delegated, as Kerberos writes them; none: principal's */
    size_t realm_count;
    int64_t timeout_ms;
} fg_delegate_options_t;

/* Thread-safe but for new and free. */
typedef struct fg_delegate fg_delegate_t;

/* options and what they point to must live as long.  FG_E_CONFIG, FG_E_DELEGATION_SERVICE: what is wrong with them. */
fg_delegate_t *fg_delegate_new(const fg_delegate_options_t *options, fg_err_t *err) FG_MUST_CHECK;
/* Waits until the KDC has answered what it was asked last. */
void fg_delegate_free(fg_delegate_t *delegate);

/* The principal that a claim's value names: "alice@example.com" is alice@EXAMPLE.COM, of a realm of the options.
 * FG_E_DELEGATION_CLAIM for all that could mean somebody else: "/", "\\", a second "@", a computer's "$", control
 * characters, no clean UTF-8. */
bool fg_delegate_principal(const fg_delegate_t *delegate, fg_arena_t *arena, fg_str_t value, fg_str_t *principal,
                           fg_err_t *err) FG_MUST_CHECK;
/* A token of SPNEGO for that service ("HTTP/app.example.com"), in the name of principal; good for one request.  *asked:
 * whether the KDC was asked for it just now.  Blocks for the timeout at most.  FG_E_DELEGATION_…, FG_E_BUSY. */
bool fg_delegate_token(fg_delegate_t *delegate, const fg_env_t *env, fg_arena_t *arena, fg_str_t principal,
                       fg_str_t service, fg_str_t *token, bool *asked, fg_err_t *err) FG_MUST_CHECK;

#endif
