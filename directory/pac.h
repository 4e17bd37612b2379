/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What Active Directory's key distribution centre says in a ticket of whom it is: the privilege attribute certificate
 * ([MS-PAC]).  Only what GSSAPI has verified by the service's key may be read here as true. */
#ifndef FG_DIRECTORY_PAC_H
#define FG_DIRECTORY_PAC_H

#include "core/arena.h"
#include "core/err.h"

/* Names as UTF-8, SIDs as text ("S-1-5-21-…"); all in the arena. */
typedef struct fg_pac {
    fg_str_t account;   /* sAMAccountName */
    fg_str_t full_name; /* .n 0: none */
    fg_str_t domain;    /* NetBIOS name */
    fg_str_t user_sid;
    fg_str_t primary_group_sid;
    const fg_str_t *group_sids; /* of the domain, of others (universal groups, SID history), of the resource's domain */
    size_t group_count;         /* without those that are for denying only */
} fg_pac_t;

/* Reads KERB_VALIDATION_INFO ([MS-PAC] §2.5), as GSSAPI's name attribute "urn:mspac:logon-info" has it.  Anything that
 * is not whole, or not as it should be: FG_E_TOKEN_MALFORMED. */
bool fg_pac_read(fg_arena_t *arena, fg_str_t logon_info, fg_pac_t *pac, fg_err_t *err) FG_MUST_CHECK;

#endif
