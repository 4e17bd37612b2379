/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The protocol table: what gateway/ knows of a protocol.  A protocol is one room with two doors. */
#ifndef FG_HUB_PROTOCOL_H
#define FG_HUB_PROTOCOL_H

#include "hub/exchange.h"

typedef struct fg_endpoint {
    const char *path; /* below the base, exact: "/adfs/ls/" */
    unsigned methods; /* fg_method_t bits; HEAD goes with GET */
    bool needs_https;
    fg_handler_t handle;
    /* Answers err in the protocol's own form (SOAP fault, page). */
    void (*refuse)(fg_exchange_t *ex, const fg_err_t *err);
} fg_endpoint_t;

typedef struct fg_protocol {
    const char *name;
    const fg_endpoint_t *endpoints;
    size_t endpoint_count;
} fg_protocol_t;

#endif
