/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/network.h"

#include <arpa/inet.h>

static bool parse(fg_str_t text, struct in6_addr *address) {
    char copy[64];
    struct in_addr v4;
    if (text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET6, copy, address) == 1)
        return true;
    if (inet_pton(AF_INET, copy, &v4) != 1)
        return false;
    *address = (struct in6_addr){0};
    memset(address->s6_addr + 10, 0xff, 2);
    memcpy(address->s6_addr + 12, &v4, sizeof v4);
    return true;
}

static bool has(const fg_network_t *network, const struct in6_addr *address) {
    unsigned bytes = network->bits / 8, bits = network->bits % 8;
    if (network->local || memcmp(network->address.s6_addr, address->s6_addr, bytes) != 0)
        return false;
    return bits == 0 || ((network->address.s6_addr[bytes] ^ address->s6_addr[bytes]) >> (8 - bits)) == 0;
}

bool fg_network_has(const fg_network_t *networks, size_t count, fg_str_t address) {
    struct in6_addr parsed;
    bool local = fg_str_is(address, "unix:");
    if (count == 0 || address.n == 0 || (!local && !parse(address, &parsed)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (local ? networks[i].local : has(&networks[i], &parsed))
            return true;
    return false;
}
