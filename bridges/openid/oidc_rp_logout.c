/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of a session that an OpenID provider vouched for: it is told when the session ends here (RP-initiated logout
 * 1.0), and tells us when its own ends, from there (back-channel logout 1.0) or by the browser (front-channel logout
 * 1.0). */
#include "bridges/openid/oidc_rp.h"
#include "core/json.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/errand.h"
#include "hub/session_note.h"
#include "hub/signout.h"
#include "token/replay.h"

#define URL_MAX (32u << 10)
#define BACK_MAX 3000u
#define STATE "state"

/* ---- the ID token as a hint.  It is too large for a cookie, so the store keeps it; where it has no room the provider
 * is told without it, and asks people whether they mean it. */

static fg_str_t hint_key(fg_exchange_t *ex, fg_str_t realm, fg_str_t session, fg_str_t subject) {
    return fg_str(fg_arena_printf(ex->arena, "id-token:%zu:%.*s%zu:%.*s%.*s", realm.n, (int)realm.n, realm.p, session.n,
                                  (int)session.n, session.n ? session.p : "", (int)subject.n,
                                  subject.n ? subject.p : ""));
}

void fg_oidc_rp_keep_hint(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_identity_t *identity,
                          fg_str_t id_token) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = hint_key(ex, realm->uri, identity->session_index, identity->name_id.value);
    if (store != NULL && key.p != NULL && id_token.n <= FG_STORE_VALUE_MAX)
        (void)store->put(store, key, id_token, ex->now_ms, ex->now_ms + ex->hub->session_absolute_ms);
}

static fg_str_t find_hint(fg_exchange_t *ex, const fg_session_t *session) {
    fg_str_t key = hint_key(ex, session->home_realm, session->provider_index, session->identity.name_id.value);
    return ex->env->store != NULL && key.p != NULL ? fg_store_get_str(ex->env->store, ex->arena, key, ex->now_ms)
                                                   : FG_STR_NONE;
}

/* ---- the provider is told */

/* Where it goes on afterwards, sealed. */
static bool make_state(fg_exchange_t *ex, const fg_signout_t *signout, fg_str_t *state, fg_err_t *err) {
    fg_params_t params;
    fg_buf_t bytes = FG_BUF_INIT(BACK_MAX);
    fg_bytes_put_string(&bytes, signout->back);
    fg_bytes_put_string(&bytes, signout->back_name);
    bool done = fg_buf_ok(&bytes) ? fg_errand_put(ex, STATE, fg_buf_str(&bytes), FG_E_HTTP_REQUEST, &params, err)
                                  : FG_FAIL(err, FG_E_HTTP_REQUEST, "the way back is too long");
    fg_buf_free(&bytes);
    if (done)
        *state = params.items[0].value;
    return done;
}

static bool make_url(fg_exchange_t *ex, const fg_openid_provider_t *us, const fg_openid_metadata_t *metadata,
                     const fg_signout_t *signout, fg_str_t *url, fg_err_t *err) {
    fg_str_t state, hint = find_hint(ex, signout->session);
    if (!make_state(ex, signout, &state, err))
        return false;
    fg_buf_t text = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&text, metadata->end_session_endpoint);
    if (hint.n > 0)
        fg_uri_put_param(&text, FG_STR("id_token_hint"), hint);
    fg_uri_put_param(&text, FG_STR("client_id"), us->client_id);
    fg_uri_put_param(&text, FG_STR("post_logout_redirect_uri"), fg_openid_url(ex, FG_OPENID_SIGNED_OUT));
    fg_uri_put_param(&text, FG_STR(STATE), state);
    *url = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return url->p != NULL || FG_FAIL(err, FG_E_INTERNAL, "the address is too long");
}

/* Providers show pages, so the browser goes there at top level, and our page goes on there by itself. */
bool fg_oidc_rp_tell_provider(fg_exchange_t *ex, fg_signout_t *signout, fg_str_t *url, fg_err_t *err) {
    const fg_home_realm_t *realm = fg_signout_provider(ex, signout->session);
    const fg_identity_provider_t *provider = realm->identity_provider;
    fg_openid_metadata_t metadata;
    *url = FG_STR_NONE;
    if (signout->no_browser)
        return FG_FAIL(err, FG_E_OPENID_LOGOUT, "it is told by the browser only");
    if (!fg_openid_metadata_get(ex, provider, &metadata, err))
        return false;
    return metadata.end_session_endpoint.n == 0 ||
           make_url(ex, provider->openid, &metadata, signout, &signout->next, err);
}

/* Back from there: on to where people wanted to go. */
fg_step_t fg_oidc_rp_signed_out(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_bytes_t in = {FG_STR_NONE, false};
    if (!fg_errand_take(ex, STATE, &params, &in.rest, &err)) {
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    fg_str_t back = fg_bytes_get_string(&in);
    if (!in.failed && back.n > 0) {
        fg_response_redirect(ex, back);
        return FG_STEP_DONE;
    }
    json_t *model = json_pack("{s:[], s:s, s:s, s:s}", "parties", "wreply", "", "provider_url", "", "next", "");
    if (model == NULL || !ex->hub->render(ex, 200, "signed_out", model)) {
        FG_FAIL(&err, FG_E_INTERNAL, "the signed-out page could not be made");
        fg_response_error_page(ex, &err);
    }
    return FG_STEP_DONE;
}

/* ---- the provider tells us, from there */

static void end_from_there(fg_exchange_t *ex, const fg_session_t *session) {
    fg_signout_t signout = {.protocol = FG_OPENID_PROTOCOL, .session = session, .no_browser = true};
    fg_signout_end(ex, &signout);
    json_decref(fg_signout_parties(ex, &signout));
}

/* §2.3: sid names one session, sub alone all of a person. */
static bool end_named(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_jwt_read_t *token, fg_err_t *err) {
    fg_str_t index = fg_json_string(token->payload, "sid"), subject = token->identity.name_id.value;
    fg_session_t *found = fg_arena_alloc(ex->arena, FG_SESSIONS_NOTED * sizeof *found);
    if (found == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "sessions");
    size_t count = index.n > 0 ? fg_session_find_index(ex, realm->uri, index, found)
                               : fg_session_find_noted(ex, realm->uri, subject, found);
    for (size_t i = 0; i < count; i++) {
        bool same = subject.n == 0 || fg_str_eq(subject, found[i].identity.name_id.value);
        if (same && fg_str_eq(found[i].home_realm, realm->uri))
            end_from_there(ex, &found[i]);
    }
    return true;
}

static bool hear(fg_exchange_t *ex, fg_err_t *err) {
    fg_params_t params;
    fg_jwt_read_t token;
    const fg_home_realm_t *realm;
    if (!fg_openid_params(ex, &params, err) || !fg_openid_params_once(&params, FG_E_OPENID_REQUEST, err))
        return false;
    fg_str_t text = fg_params_get(&params, "logout_token", NULL);
    if (text.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "no logout_token");
    return fg_oidc_rp_logout_token_read(ex, text, &realm, &token, err) &&
           fg_replay_check(ex->env, "logout-token", realm->uri, token.id, token.not_on_or_after_ms + ex->hub->skew_ms,
                           FG_E_OPENID_LOGOUT_TOKEN, err) &&
           end_named(ex, realm, &token, err);
}

fg_step_t fg_oidc_rp_backchannel(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (hear(ex, &err))
        fg_openid_answer(ex, 200, FG_STR("{}"), "no-store"); /* §2.8 */
    else
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}

/* ---- or by the browser */

/* Whose page loads us nobody says for certain, so iss and sid must be there and name the session of this browser
 * (front-channel logout 1.0 §2); nobody else knows its sid. */
static bool is_named(fg_exchange_t *ex, const fg_session_t *session, const fg_params_t *params) {
    const fg_home_realm_t *realm = fg_signout_provider(ex, session);
    fg_str_t tenant, index = fg_params_get(params, "sid", NULL);
    return realm != NULL && realm->identity_provider->openid != NULL && index.n > 0 &&
           fg_openid_issuer_fits(realm->identity_provider, fg_params_get(params, "iss", NULL), &tenant) &&
           fg_str_eq(index, session->provider_index);
}

fg_step_t fg_oidc_rp_frontchannel(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_session_t session;
    if (!fg_params_parse(ex->arena, ex->request.query, &params, &err) ||
        !fg_openid_params_once(&params, FG_E_OPENID_REQUEST, &err)) {
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    bool known = fg_session_open(ex, &session) || fg_session_open_for_end(ex, &session);
    fg_signout_t signout = {.protocol = FG_OPENID_PROTOCOL, .session = &session};
    json_t *parties = NULL;
    if (known && is_named(ex, &session, &params)) {
        fg_signout_end(ex, &signout);
        parties = fg_signout_parties(ex, &signout);
    }
    json_t *model = json_pack("{s:o}", "parties", parties ? parties : json_array());
    if (model == NULL || !ex->hub->render(ex, 200, "clean_up", model)) {
        FG_FAIL(&err, FG_E_INTERNAL, "page clean_up could not be made");
        fg_response_error_page(ex, &err);
    }
    return FG_STEP_DONE;
}
