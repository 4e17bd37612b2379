/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Telling partners that a session is over: by the browser in a frame of our page (Redirect, POST), by the browser at
 * top level, or by SOAP at once. */
#include <stdio.h>

#include "bridges/saml/saml.h"
#include "bridges/saml/sign_out.h"
#include "bridges/saml/soap.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/kept.h"

#define REQUEST_MAX (32u << 10)
#define FORM "saml-form"
#define FORM_LIFETIME (2 * FG_MINUTE)
#define ID_PREFIX "_"

/* ---- by the browser */

/* Redirect if the peer takes it: frames need no page of ours then. */
static const fg_saml_endpoint_t *choose_service(const fg_saml_party_t *party) {
    const fg_saml_endpoint_t *redirect = fg_saml_party_endpoint(party, FG_SAML_SINGLE_LOGOUT, FG_SAML_REDIRECT);
    return redirect ? redirect : fg_saml_party_endpoint(party, FG_SAML_SINGLE_LOGOUT, FG_SAML_POST);
}

/* To whom the name is encrypted, if this peer wants it so; NULL: it does not. */
static const fg_key_t *find_recipient(const fg_saml_peer_t *peer) {
    if (peer->partner != NULL)
        return peer->partner->encrypt_name_id ? peer->partner->encryption_key : NULL;
    return peer->provider->encrypt_name_id ? peer->party->encryption_key : NULL;
}

static bool write_request(fg_exchange_t *ex, const fg_saml_peer_t *peer, const fg_saml_endpoint_t *service,
                          const fg_saml_logout_t *what, fg_str_t word, fg_buf_t *out, fg_err_t *err) {
    char id[FG_ID_SIZE];
    const fg_encryptor_t encryptor = {ex->env, find_recipient(peer),
                                      peer->partner ? peer->partner->encryption : FG_ENCRYPT_AES256_CBC};
    fg_saml_logout_t logout = *what;
    logout.encryptor = encryptor.recipient ? &encryptor : NULL;
    snprintf(id, sizeof id, ID_PREFIX "%.*s", (int)word.n, word.p);
    return fg_saml_logout_write(ex, &logout, id, peer->ours, service->location, service->binding != FG_SAML_REDIRECT,
                                out, err);
}

/* A page of ours that posts the message, for a frame: the address of that page. */
static bool keep_form(fg_exchange_t *ex, const fg_saml_outbound_t *out, fg_str_t word, fg_str_t *url, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(REQUEST_MAX);
    fg_str_t own = fg_saml_own_url(ex);
    fg_bytes_put_string(&bytes, out->to);
    fg_bytes_put_string(&bytes, fg_str(out->application));
    fg_bytes_put_string(&bytes, out->xml);
    bool kept = fg_buf_ok(&bytes) ? fg_kept_put(ex, FORM, word, fg_buf_str(&bytes), ex->now_ms + FORM_LIFETIME, err)
                                  : FG_FAIL(err, FG_E_INTERNAL, "a LogoutRequest is too long");
    fg_buf_free(&bytes);
    if (kept && own.p != NULL)
        *url = fg_str(fg_arena_printf(ex->arena, "%.*s?" FG_SAML_FORM "=%.*s", (int)own.n, own.p, (int)word.n, word.p));
    return kept && (url->p != NULL || FG_FAIL(err, FG_E_MEMORY, "an address"));
}

fg_step_t fg_saml_show_form(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_str_t bytes;
    if (!fg_params_parse(ex->arena, ex->request.query, &params, &err))
        return fg_saml_refuse(ex, &err);
    fg_str_t word = fg_params_get(&params, FG_SAML_FORM, NULL);
    if (!fg_word_is(word)) {
        FG_FAIL(&err, FG_E_CSRF, "no form of ours");
        return fg_saml_refuse(ex, &err);
    }
    if (!fg_kept_take(ex, FORM, word, &bytes, &err))
        return fg_saml_refuse(ex, &err);
    fg_bytes_t in = {bytes, false};
    fg_saml_outbound_t out = {.binding = FG_SAML_POST, .in_frame = true, .to = fg_bytes_get_string(&in)};
    fg_str_t application = fg_bytes_get_string(&in);
    out.application = fg_arena_strndup(ex->arena, application.p ? application.p : "", application.n);
    out.xml = fg_bytes_get_string(&in);
    return fg_saml_send(ex, &out, &err) ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}

static bool make_url(fg_exchange_t *ex, const fg_saml_peer_t *peer, const fg_saml_endpoint_t *service,
                     const fg_saml_logout_t *logout, fg_str_t word, fg_str_t *url, fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(REQUEST_MAX);
    bool done = write_request(ex, peer, service, logout, word, &xml, err);
    const fg_saml_outbound_t out = {.binding = service->binding,
                                    .to = service->location,
                                    .xml = fg_buf_str(&xml),
                                    .application = peer->display_name};
    if (done && service->binding == FG_SAML_POST)
        done = keep_form(ex, &out, word, url, err);
    else if (done) {
        *url = fg_saml_redirect_url(ex, &out, err);
        done = url->p != NULL;
    }
    fg_buf_free(&xml);
    return done;
}

/* ---- by SOAP */

static bool call(fg_exchange_t *ex, const fg_saml_peer_t *peer, const fg_saml_endpoint_t *service,
                 const fg_saml_logout_t *logout, fg_str_t word, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_buf_t xml = FG_BUF_INIT(REQUEST_MAX);
    bool done = write_request(ex, peer, service, logout, word, &xml, err) &&
                fg_saml_soap_call(ex, service->location, fg_buf_str(&xml), "LogoutResponse", in, err);
    fg_buf_free(&xml);
    return done;
}

bool fg_saml_tell_by_soap(fg_exchange_t *ex, const fg_saml_peer_t *peer, const fg_saml_logout_t *logout,
                          fg_err_t *err) {
    const fg_saml_endpoint_t *service = fg_saml_party_endpoint(peer->party, FG_SAML_SINGLE_LOGOUT, FG_SAML_SOAP);
    fg_saml_inbound_t in;
    fg_saml_head_t head;
    fg_str_t word;
    if (service == NULL)
        return FG_FAIL(err, FG_E_SAML_BINDING, "\"%s\" takes no LogoutRequest by SOAP", peer->name);
    if (!fg_word_make(ex, &word, err) || !call(ex, peer, service, logout, word, &in, err) ||
        !fg_saml_peer_verify(ex, peer, &in, FG_STR_NONE, &head, err))
        return false;
    if (head.in_response_to.n != word.n + 1 || memcmp(head.in_response_to.p + 1, word.p, word.n) != 0)
        return FG_FAIL(err, FG_E_SAML_ANSWER, "\"%s\" answered another request", peer->name);
    return fg_saml_logout_response_read(ex, in.root) == FG_SAML_LOGGED_OUT ||
           FG_FAIL(err, FG_E_SAML_STATUS, "\"%s\" did not sign out everywhere", peer->name);
}

/* ---- relying parties */

static bool tell_in_frame(fg_exchange_t *ex, fg_signout_t *signout, const fg_saml_peer_t *peer,
                          const fg_saml_endpoint_t *service, const fg_saml_logout_t *logout, fg_str_t *url,
                          fg_err_t *err) {
    const fg_saml_sent_t sent = {.role = peer->role, .to = peer->id};
    fg_str_t word;
    if (!fg_word_make(ex, &word, err) || !make_url(ex, peer, service, logout, word, url, err) ||
        !fg_saml_sent_put(ex, word, &sent, err))
        return false;
    signout->awaited[signout->awaited_count++] = word;
    return true;
}

bool fg_saml_tell_party(fg_exchange_t *ex, fg_signout_t *signout, const fg_session_party_t *party, fg_str_t *url,
                        fg_err_t *err) {
    fg_saml_peer_t peer;
    fg_saml_logout_t logout = {.sessions = {fg_str(signout->session->id)}, .session_count = 1};
    *url = FG_STR_NONE;
    if (!fg_saml_peer_find(ex, FG_SAML_SERVICE_PROVIDER, party->realm, &peer, err))
        return false;
    if (!fg_saml_reference_read(party->reference, &logout.name_id))
        return FG_FAIL(err, FG_E_INTERNAL, "under which name \"%s\" knows the person is not known", peer.name);
    const fg_saml_endpoint_t *service = signout->no_browser ? NULL : choose_service(peer.party);
    return service != NULL ? tell_in_frame(ex, signout, &peer, service, &logout, url, err)
                           : fg_saml_tell_by_soap(ex, &peer, &logout, err);
}

/* ---- the identity provider */

static fg_saml_logout_t provider_logout(const fg_saml_signout_t *state) {
    fg_saml_logout_t logout = {.name_id = state->name_id};
    if (state->provider_index.n > 0)
        logout.sessions[logout.session_count++] = state->provider_index;
    return logout;
}

/* Identity providers show pages, and answer at top level; so our page goes on there. */
bool fg_saml_tell_provider(fg_exchange_t *ex, fg_signout_t *signout, fg_str_t *url, fg_err_t *err) {
    fg_saml_peer_t peer;
    const fg_session_t *session = signout->session;
    const fg_saml_signout_t state = {
        .made_ms = ex->now_ms,
        .provider = session->home_realm,
        .name_id = session->identity.name_id,
        .provider_index = session->provider_index,
        .back = signout->back,
        .back_name = signout->back_name,
    };
    *url = FG_STR_NONE;
    if (!fg_saml_peer_find(ex, FG_SAML_IDENTITY_PROVIDER, session->home_realm, &peer, err))
        return false;
    if (!signout->no_browser && choose_service(peer.party) != NULL)
        return fg_saml_signout_seal(ex, &state, &signout->next, err);
    const fg_saml_logout_t logout = provider_logout(&state);
    return fg_saml_tell_by_soap(ex, &peer, &logout, err);
}

bool fg_saml_send_provider(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_err_t *err) {
    fg_saml_peer_t peer;
    fg_str_t word;
    const fg_saml_logout_t logout = provider_logout(state);
    fg_saml_sent_t sent = {FG_SAML_IDENTITY_PROVIDER, state->provider, true, *state};
    sent.signout.provider = FG_STR_NONE;
    if (!fg_saml_peer_find(ex, FG_SAML_IDENTITY_PROVIDER, state->provider, &peer, err))
        return false;
    const fg_saml_endpoint_t *service = choose_service(peer.party);
    if (service == NULL)
        return FG_FAIL(err, FG_E_SAML_BINDING, "\"%s\" takes no LogoutRequest by a browser", peer.name);
    if (!fg_word_make(ex, &word, err) || !fg_saml_sent_put(ex, word, &sent, err))
        return false;
    fg_buf_t xml = FG_BUF_INIT(REQUEST_MAX);
    bool done = write_request(ex, &peer, service, &logout, word, &xml, err);
    const fg_saml_outbound_t out = {.binding = service->binding,
                                    .to = service->location,
                                    .xml = fg_buf_str(&xml),
                                    .application = peer.display_name};
    done = done && fg_saml_send(ex, &out, err);
    fg_buf_free(&xml);
    return done;
}
