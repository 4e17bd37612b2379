/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Realms (OpenID Authentication 2.0 §9.2) and the normal form of addresses (§7.2). */
#ifndef FG_OPENID_OPENID2_REALM_H
#define FG_OPENID_OPENID2_REALM_H

#include "core/uri.h"

typedef struct fg_openid2_realm {
    bool https;
    bool wildcard; /* host stands for itself and every name below it */
    fg_str_t host; /* as written, without "*." */
    unsigned port; /* always said */
    fg_str_t path; /* "/" if there is none; with its query */
} fg_openid2_realm_t;

/* Borrows text.  False: no realm. */
bool fg_openid2_realm_parse(fg_str_t text, fg_openid2_realm_t *realm) FG_MUST_CHECK;
/* A wildcard that is not so wide that it has more than one owner ("*.com", "*.co.uk"). */
bool fg_openid2_realm_is_sane(const fg_openid2_realm_t *realm);
/* Whether an address is below it. */
bool fg_openid2_realm_has(const fg_openid2_realm_t *realm, fg_str_t url);
/* Whether two texts are the same realm: case of the host, a port that is the default, a path that is empty. */
bool fg_openid2_realm_eq(fg_str_t a, fg_str_t b);

/* An http or https address in normal form (RFC 3986 §6.2.2, §6.2.3), its fragment cut off.  False: none. */
bool fg_openid2_url_normal(fg_str_t url, fg_buf_t *out) FG_MUST_CHECK;
/* What somebody typed or an administrator wrote, as an address (§7.2): http unless it says https.  False: an XRI, or
 * nothing that could be one. */
bool fg_openid2_identifier_normal(fg_str_t text, fg_buf_t *out) FG_MUST_CHECK;

#endif
