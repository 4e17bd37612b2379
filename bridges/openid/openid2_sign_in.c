/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gateway as relying party: a browser is sent to a provider (OpenID Authentication 2.0 §9). */
#include "bridges/openid/openid2_extensions.h"
#include "bridges/openid/openid2_partner.h"
#include "bridges/openid/openid2_round.h"
#include "hub/bytes.h"
#include "hub/seal.h"

/* ---- what is known on the way back, sealed in return_to: it goes through the provider, which signs it */

static const char *purpose_of(fg_exchange_t *ex, fg_str_t word) {
    return fg_arena_printf(ex->arena, "openid2-round:%.*s", (int)word.n, word.p);
}

static bool seal_round(fg_exchange_t *ex, const fg_openid2_service_t *service, fg_str_t word, fg_str_t *sealed,
                       fg_err_t *err) {
    const char *purpose = purpose_of(ex, word);
    fg_buf_t bytes = FG_BUF_INIT(4096);
    fg_bytes_put_string(&bytes, service->endpoint);
    fg_bytes_put_string(&bytes, service->claimed_id);
    fg_bytes_put_string(&bytes, service->local_id);
    fg_bytes_put_number(&bytes, service->v2, 1);
    bool done = fg_buf_ok(&bytes) && purpose != NULL && fg_cookie_seal(ex, purpose, fg_buf_str(&bytes), sealed);
    fg_buf_free(&bytes);
    return done || FG_FAIL(err, FG_E_INTERNAL, "the state of a sign-in could not be sealed");
}

bool fg_openid2_round_open(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_openid2_service_t *service,
                           fg_err_t *err) {
    const char *purpose = purpose_of(ex, word);
    fg_str_t bytes;
    if (purpose == NULL || sealed.n == 0 || !fg_cookie_unseal(ex, purpose, sealed, &bytes))
        return FG_FAIL(err, FG_E_CSRF, "the state of the sign-in is not ours");
    fg_bytes_t in = {bytes, false};
    service->endpoint = fg_bytes_get_string(&in);
    service->claimed_id = fg_bytes_get_string(&in);
    service->local_id = fg_bytes_get_string(&in);
    service->v2 = fg_bytes_get_number(&in, 1) != 0;
    return fg_bytes_end(&in) || FG_FAIL(err, FG_E_CSRF, "the state of the sign-in is not ours");
}

bool fg_openid2_round_url(fg_exchange_t *ex, fg_str_t word, fg_str_t sealed, fg_str_t *url, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(8192);
    fg_buf_put_str(&text, fg_openid2_url(ex, FG_OPENID2_RETURN));
    fg_uri_put_param(&text, FG_STR(FG_OPENID2_STATE), word);
    fg_uri_put_param(&text, FG_STR(FG_OPENID2_ROUND), sealed);
    *url = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return url->p != NULL || FG_FAIL(err, FG_E_MEMORY, "an address to return to");
}

/* ---- there */

/* §9.1; OpenID 1.1 names neither the realm so nor the Claimed Identifier at all. */
static bool write_request(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_openid2_service_t *service,
                          fg_openid2_message_t *out, fg_err_t *err) {
    const fg_openid2_source_t *source = signin->realm->identity_provider->openid2;
    fg_openid2_association_t association;
    fg_str_t word, sealed, return_to;
    if (!fg_partner_state_make(ex, signin, &word, err) || !seal_round(ex, service, word, &sealed, err) ||
        !fg_openid2_round_url(ex, word, sealed, &return_to, err) || !fg_openid2_message_new(ex, service->v2, out, err))
        return false;
    bool select = service->claimed_id.n == 0;
    fg_openid2_put(out, "mode", signin->passive ? FG_STR("checkid_immediate") : FG_STR("checkid_setup"));
    fg_openid2_put(out, "identity", select ? FG_STR(FG_OPENID2_SELECT) : service->local_id);
    if (service->v2)
        fg_openid2_put(out, "claimed_id", select ? FG_STR(FG_OPENID2_SELECT) : service->claimed_id);
    fg_openid2_put(out, "return_to", return_to);
    fg_openid2_put(out, service->v2 ? "realm" : "trust_root", fg_openid2_url(ex, "/"));
    if (fg_openid2_associate(ex, source, service, &association))
        fg_openid2_put(out, "assoc_handle", association.handle);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    fg_openid2_ask(ex, signin, out);
    return true;
}

bool fg_openid2_begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    const fg_openid2_source_t *source = provider->openid2;
    fg_openid2_services_t *services = fg_arena_alloc(ex->arena, sizeof *services);
    fg_openid2_message_t message;
    if (services == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "signing in by OpenID");
    if (!fg_openid2_discover(ex, source->identifier, source->any_host, services, err) ||
        !write_request(ex, signin, &services->items[0], &message, err))
        return fg_err_prefix(err, "identity provider \"%s\"", provider->name);
    return fg_openid2_send(ex, &message, services->items[0].endpoint, signin->realm->display_name, err);
}
