/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the files that write the WSDL document; nobody else includes this. */
#ifndef FG_STS_WSDL_PARTS_H
#define FG_STS_WSDL_PARTS_H

#include "core/xml_ns.h"
#include "sts/endpoints.h"
#include "sts/rstr.h"
#include "sts/wsdl.h"

typedef struct fg_wsdl {
    fg_xw_t *w;
    fg_arena_t *arena;
    const fg_hub_t *hub;
    fg_str_t certificate; /* base64: to which messages are encrypted; .n 0: not known */
} fg_wsdl_t;

/* An attribute with a value put together; the arena keeps it until the start tag is closed. */
void fg_wsdl_put_attribute(const fg_wsdl_t *d, const fg_xns_t *ns, const char *name, const char *format, ...)
    FG_PRINTF(4, 5);
void fg_wsdl_put_empty(const fg_wsdl_t *d, const fg_xns_t *ns, const char *name);

/* ---- wsdl_policy.c */
/* The policy of an endpoint, under the id that its binding refers to. */
void fg_wsdl_put_policy(const fg_wsdl_t *d, const fg_sts_endpoint_t *endpoint);

#endif
