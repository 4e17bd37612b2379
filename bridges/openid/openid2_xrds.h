/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * XRDS documents (Yadis 1.0 §7.4; XRI Resolution 2.0 §4): what an identifier's owner or a site says about itself. */
#ifndef FG_OPENID_OPENID2_XRDS_H
#define FG_OPENID_OPENID2_XRDS_H

#include "core/xml.h"
#include "core/xmlwriter.h"

#define FG_XRDS_MEDIA_TYPE "application/xrds+xml"
#define FG_XRDS_TYPES 8u
#define FG_XRDS_SERVICES 16u

typedef struct fg_xrds_service {
    fg_str_t types[FG_XRDS_TYPES];
    size_t type_count;
    fg_str_t uri;
    fg_str_t local_id;     /* xrd:LocalID, or openid:Delegate for OpenID 1.1; .n 0: none */
    bool local_ids_differ; /* several, which say different things: of no use */
} fg_xrds_service_t;

typedef struct fg_xrds {
    fg_xrds_service_t services[FG_XRDS_SERVICES]; /* the most wanted first, one for each of their URIs */
    size_t count;
} fg_xrds_t;

/* The services of the last XRD.  What does not fit is left out.  Strings live in the arena.  False: no XRDS document,
 * or beyond core/xml.h's limits (O2-09). */
bool fg_xrds_read(fg_arena_t *arena, fg_str_t bytes, fg_xrds_t *xrds, fg_err_t *err) FG_MUST_CHECK;
bool fg_xrds_service_is(const fg_xrds_service_t *service, const char *type);

/* Writes one with these services, in their order. */
void fg_xrds_write(fg_xw_t *w, const fg_xrds_service_t *services, size_t count);

#endif
