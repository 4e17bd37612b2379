/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * To whom tokens are tied: what the client's registration demands, and what it shows by itself. */
#include "bridges/openid/oauth_client.h"

bool fg_oauth_holder_read(fg_exchange_t *ex, const fg_openid_client_t *client, const char *path, fg_holder_t *holder,
                          fg_err_t *err) {
    fg_dpop_t dpop;
    *holder = (fg_holder_t){.key = FG_STR_NONE};
    if (!fg_dpop_read(ex, fg_openid_url(ex, path), FG_STR_NONE, &dpop, err))
        return false;
    if (client->binding == FG_BINDING_DPOP && dpop.jkt.n == 0)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "%.*s must show a key", FG_STR_ARG(client->id));
    if (client->binding == FG_BINDING_CERTIFICATE)
        holder->certificate = fg_holder_certificate(ex);
    if (client->binding == FG_BINDING_CERTIFICATE && holder->certificate.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "%.*s must come with a certificate", FG_STR_ARG(client->id));
    holder->key = dpop.jkt;
    return fg_dpop_spend(ex, &dpop, err);
}
