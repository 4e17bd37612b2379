/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ranges of addresses. */
#ifndef FG_CORE_NETWORK_H
#define FG_CORE_NETWORK_H

#include <netinet/in.h>

#include "core/str.h"

/* IPv4 is kept mapped into IPv6 (RFC 4291 §2.5.5.2). */
typedef struct fg_network {
    struct in6_addr address;
    unsigned bits;
    bool local; /* "unix:" */
} fg_network_t;

/* Whether an address, as text, is in one of the ranges; "unix:" is in the local one.  What is no address is in none. */
bool fg_network_has(const fg_network_t *networks, size_t count, fg_str_t address);

#endif
