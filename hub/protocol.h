/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The protocol table: what the hub and gateway/ know of a protocol.  A protocol is one room with two doors. */
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
    /* Whether a request to a path that protocols share is this one's; NULL: all that no other takes. */
    bool (*is_meant)(const fg_exchange_t *ex);
} fg_endpoint_t;

struct fg_partner_signin;
struct fg_session;
struct fg_session_party;

struct fg_protocol {
    const char *name;
    const fg_endpoint_t *endpoints;
    size_t endpoint_count;

    /* ---- of the protocols that browsers carry between partners (fg_hub_t's protocols); NULL elsewhere */

    /* Sends a browser to an identity provider. */
    bool (*begin_sign_in)(fg_exchange_t *ex, const struct fg_partner_signin *signin, fg_err_t *err);
    /* Where the browser, from a frame of the signed-out page, tells a relying party that the session is over; .n 0: it
     * has no such address, or was told already.  False: it should have been told and cannot be. */
    bool (*tell_party)(fg_exchange_t *ex, const struct fg_session *session, const struct fg_session_party *party,
                       fg_str_t *url, fg_err_t *err);
    /* The same for the identity provider that vouched for the session. */
    bool (*tell_provider)(fg_exchange_t *ex, const struct fg_session *session, fg_str_t *url, fg_err_t *err);
};

#endif
