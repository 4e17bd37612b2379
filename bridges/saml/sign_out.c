/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Single logout by the browser (profiles §4.4.3): whose session is to end, its end here, the page whose frames tell the
 * others, the identity provider at top level, and the answer to who asked. */
#include "bridges/saml/sign_out.h"

#include "bridges/saml/saml.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/bytes.h"
#include "hub/kept.h"
#include "hub/session_note.h"

#define RESPONSE_MAX (16u << 10)
#define RELAY_STATE_MAX 1024u
#define AGAIN "saml-again"
#define AGAIN_LIFETIME (2 * FG_MINUTE)

/* ---- the answer */

/* The peer's service of the binding by which it asked, if it has one, else another that browsers carry. */
static const fg_saml_endpoint_t *choose_service(const fg_saml_party_t *party, fg_saml_binding_t asked_by) {
    const fg_saml_binding_t order[] = {asked_by, FG_SAML_REDIRECT, FG_SAML_POST};
    for (size_t i = 0; i < FG_ARRAY_SIZE(order); i++) {
        const fg_saml_endpoint_t *service = fg_saml_party_endpoint(party, FG_SAML_SINGLE_LOGOUT, order[i]);
        if (service != NULL && (order[i] == FG_SAML_REDIRECT || order[i] == FG_SAML_POST))
            return service;
    }
    return NULL;
}

static bool answer(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_saml_logout_end_t end, fg_err_t *err) {
    fg_saml_peer_t peer;
    if (!fg_saml_peer_find(ex, state->asker_role, state->asker, &peer, err))
        return false;
    const fg_saml_endpoint_t *service = choose_service(peer.party, state->binding);
    if (service == NULL)
        return FG_FAIL(err, FG_E_SAML_BINDING, "\"%s\" has no SingleLogoutService for browsers", peer.name);
    fg_buf_t xml = FG_BUF_INIT(RESPONSE_MAX);
    bool done = fg_saml_logout_response_write(ex, end, peer.ours, service->response_location, state->request_id,
                                              service->binding == FG_SAML_POST, &xml, err);
    const fg_saml_outbound_t out = {
        .binding = service->binding,
        .is_response = true,
        .in_frame = fg_request_is_framed(&ex->request),
        .to = service->response_location,
        .relay_state = state->relay_state,
        .xml = fg_buf_str(&xml),
        .application = peer.display_name,
    };
    done = done && fg_saml_send(ex, &out, err);
    fg_buf_free(&xml);
    return done;
}

static bool show(fg_exchange_t *ex, const char *page, json_t *model, fg_err_t *err) {
    return (model != NULL && ex->hub->render(ex, 200, page, model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page %s could not be made", page);
}

/* Everybody was told who could be; the last page, or the answer to who asked. */
static bool finish(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_err_t *err) {
    if (state->asker.n > 0)
        return answer(ex, state, state->partly ? FG_SAML_PARTLY : FG_SAML_LOGGED_OUT, err);
    json_t *model =
        json_pack("{s:[], s:s%, s:s%}", "parties", "wreply", state->back.p ? state->back.p : "", state->back.n,
                  "wreply_name", state->back_name.p ? state->back_name.p : "", state->back_name.n);
    return show(ex, "signed_out", model, err);
}

/* The identity provider comes last, as its page may not lead back. */
static bool go_on(fg_exchange_t *ex, fg_saml_signout_t *state, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    if (state->provider.n > 0) {
        if (fg_saml_send_provider(ex, state, &why))
            return true;
        fg_log(ex->env, FG_LOG_ERROR, "%s: %.*s is not told of the sign-out: %s", ex->correlation_id,
               FG_STR_ARG(state->provider), why.detail);
        state->provider = FG_STR_NONE;
        state->partly = true;
    }
    return finish(ex, state, err);
}

fg_step_t fg_saml_sign_out_go_on(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_saml_signout_t state;
    if (!fg_saml_signout_unseal(ex, &state, &err))
        return fg_saml_refuse(ex, &err);
    state.partly = state.partly || !fg_saml_outcome_all(ex, &state);
    state.awaited_count = 0;
    return go_on(ex, &state, &err) ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}

/* ---- answers to our own requests */

static bool take_answer(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_saml_sent_t sent;
    fg_saml_peer_t peer;
    fg_saml_head_t head;
    fg_str_t id = fg_xml_attr(ex->arena, in->root, NULL, "InResponseTo");
    const fg_str_t word = id.n > 1 ? (fg_str_t){id.p + 1, id.n - 1} : FG_STR_NONE;
    if (!fg_saml_sent_take(ex, word, &sent, err) || !fg_saml_peer_find(ex, sent.role, sent.to, &peer, err) ||
        !fg_saml_peer_verify(ex, &peer, in, fg_saml_own_url(ex), &head, err))
        return false;
    /* what was signed names the request, as what chose the peer did */
    if (!fg_str_eq(head.in_response_to, id) || (in->issuer.n > 0 && !fg_str_eq(in->issuer, peer.entity_id)))
        return FG_FAIL(err, FG_E_SAML_ANSWER, "the LogoutResponse is not that of \"%s\"", peer.name);
    bool all = fg_saml_logout_response_read(ex, in->root) == FG_SAML_LOGGED_OUT;
    if (!all)
        fg_log(ex->env, FG_LOG_WARN, "%s: \"%s\" did not sign out everywhere", ex->correlation_id, peer.name);
    if (sent.goes_on) {
        sent.signout.partly = sent.signout.partly || !all;
        return go_on(ex, &sent.signout, err);
    }
    if (all)
        fg_saml_outcome_put(ex, word);
    return show(ex, "clean_up", json_pack("{s:[], s:b}", "parties", "told", true), err);
}

fg_step_t fg_saml_sign_out_answered(fg_exchange_t *ex, fg_saml_inbound_t *in) {
    fg_err_t err = FG_ERR_INIT;
    return take_answer(ex, in, &err) ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}

/* ---- requests */

typedef struct request {
    fg_saml_peer_t asker;
    fg_saml_logout_t logout;
    fg_saml_signout_t state;
    fg_session_t session;
    fg_signout_t signout;
} request_t;

/* Who may have both roles asks in the one in which it has to do with the session; without one, as service provider. */
static bool find_asker(fg_exchange_t *ex, fg_str_t issuer, fg_saml_peer_t *peer, fg_err_t *err) {
    fg_session_t session;
    bool provider = fg_saml_peer_of(ex, FG_SAML_IDENTITY_PROVIDER, issuer, peer, NULL);
    bool opened = fg_session_open(ex, &session) || fg_session_open_for_end(ex, &session);
    if (provider && opened && fg_str_eq(session.home_realm, peer->id))
        return true;
    fg_saml_peer_t partner;
    if (!fg_saml_peer_of(ex, FG_SAML_SERVICE_PROVIDER, issuer, &partner, provider ? NULL : err))
        return provider;
    *peer = partner;
    return true;
}

/* The session of this browser, or, where browsers keep its cookie back, one that was noted under that name; false:
 * there is none that the request fits. */
static bool find_session(fg_exchange_t *ex, request_t *r, bool *another) {
    bool opened = fg_session_open(ex, &r->session) ||
                  (r->asker.role == FG_SAML_IDENTITY_PROVIDER && fg_session_open_for_end(ex, &r->session));
    *another = opened;
    if (opened)
        return fg_saml_fits(&r->asker, &r->logout, &r->session, &r->signout.asker);
    fg_session_t *found = fg_arena_alloc(ex->arena, FG_SESSIONS_NOTED * sizeof *found);
    size_t count = found ? fg_session_find_noted(ex, r->asker.id, r->logout.name_id.value, found) : 0;
    /* without its cookie, it is only the session that is named, not all of that person */
    for (size_t i = 0; i < count && r->logout.session_count > 0; i++) {
        if (!fg_saml_fits(&r->asker, &r->logout, &found[i], &r->signout.asker))
            continue;
        r->session = found[i];
        fg_saml_fits(&r->asker, &r->logout, &r->session, &r->signout.asker);
        return true;
    }
    return false;
}

/* The others are told; *page: there is something to load. */
static bool tell_others(fg_exchange_t *ex, request_t *r, json_t **model, bool *page, fg_err_t *err) {
    fg_saml_signout_t *state = &r->state;
    json_t *parties = fg_signout_parties(ex, &r->signout);
    const fg_home_realm_t *realm = r->asker.provider == NULL ? fg_signout_provider(ex, &r->session) : NULL;
    fg_str_t url = realm ? fg_signout_provider_url(ex, &r->signout) : FG_STR_NONE;
    if (r->signout.next.n > 0) {
        state->provider = r->session.home_realm;
        state->name_id = r->session.identity.name_id;
        state->provider_index = r->session.provider_index;
    }
    state->partly = r->signout.untold > 0;
    state->awaited_count = r->signout.awaited_count;
    memcpy(state->awaited, r->signout.awaited, sizeof state->awaited);
    *page = json_array_size(parties) > 0 || url.n > 0;
    if (!fg_saml_signout_seal(ex, state, &r->signout.next, err)) {
        json_decref(parties);
        return false;
    }
    *model = json_pack("{s:o, s:s%, s:s, s:s%, s:s, s:s}", "parties", parties, "provider_url", url.n ? url.p : "",
                       url.n, "provider_name", url.n ? realm->display_name : "", "next", r->signout.next.p,
                       r->signout.next.n, "next_name", r->asker.display_name, "wreply", "");
    return *model != NULL || FG_FAIL(err, FG_E_MEMORY, "the signed-out page");
}

static bool end_session(fg_exchange_t *ex, request_t *r, fg_err_t *err) {
    json_t *model = NULL;
    bool page;
    r->signout.protocol = "saml";
    r->signout.session = &r->session;
    fg_signout_end(ex, &r->signout);
    if (!tell_others(ex, r, &model, &page, err))
        return false;
    if (page)
        return show(ex, fg_request_is_framed(&ex->request) ? "clean_up" : "signed_out", model, err);
    json_decref(model);
    return go_on(ex, &r->state, err);
}

static bool read_request(fg_exchange_t *ex, fg_saml_inbound_t *in, request_t *r, fg_err_t *err) {
    fg_saml_head_t head;
    if (in->relay_state.n > RELAY_STATE_MAX)
        return FG_FAIL(err, FG_E_SAML_MESSAGE, "RelayState of %zu bytes", in->relay_state.n);
    if (!find_asker(ex, in->issuer, &r->asker, err) ||
        !fg_saml_peer_verify(ex, &r->asker, in, fg_saml_own_url(ex), &head, err) ||
        !fg_saml_logout_read(ex, in->root, &r->logout, err))
        return false;
    r->state = (fg_saml_signout_t){
        .made_ms = ex->now_ms,
        .asker_role = r->asker.role,
        .asker = r->asker.id,
        .request_id = head.id,
        .relay_state = in->relay_state,
        .binding = in->binding == FG_SAML_SIMPLE_SIGN ? FG_SAML_POST : in->binding,
    };
    return true;
}

/* Nobody is signed in here: that is what was asked for.  Somebody else is: they stay (SA-16). */
static bool answer_without_session(fg_exchange_t *ex, const request_t *r, bool another, fg_err_t *err) {
    const fg_audit_field_t fields[] = {{"protocol", FG_STR("saml")}, {"partner", fg_str(r->asker.name)}};
    fg_err_t why = FG_ERR_INIT;
    if (another) {
        FG_FAIL(&why, FG_E_SAML_NAME_ID, "the LogoutRequest names another person or session");
        fg_audit(ex, "refused", &why, fields, FG_ARRAY_SIZE(fields));
    }
    return answer(ex, &r->state, another ? FG_SAML_REFUSED : FG_SAML_LOGGED_OUT, err);
}

static bool sign_out(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    bool another;
    request_t *r = fg_arena_alloc(ex->arena, sizeof *r);
    if (r == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a LogoutRequest");
    if (!read_request(ex, in, r, err))
        return false;
    return find_session(ex, r, &another) ? end_session(ex, r, err) : answer_without_session(ex, r, another, err);
}

/* Browsers send our session's cookie with no POST from another site (SameSite=Lax).  So the form is kept, once it is
 * seen to be a partner's, and the browser comes again on its own. */
static bool keep_form(fg_exchange_t *ex, fg_saml_inbound_t *in, fg_err_t *err) {
    fg_saml_peer_t asker;
    fg_saml_head_t head;
    fg_str_t word, own = fg_saml_own_url(ex);
    if (!find_asker(ex, in->issuer, &asker, err) || !fg_saml_peer_verify(ex, &asker, in, own, &head, err) ||
        !fg_kept_count(ex, ex->request.body.n, err) || !fg_word_make(ex, &word, err) ||
        !fg_kept_put(ex, AGAIN, word, ex->request.body, ex->now_ms + AGAIN_LIFETIME, err))
        return false;
    const char *url = fg_arena_printf(ex->arena, "%.*s?" FG_SAML_AGAIN "=%.*s", (int)own.n, own.p, (int)word.n, word.p);
    if (url == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an address");
    fg_response_redirect(ex, fg_str(url));
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    return true;
}

fg_step_t fg_saml_sign_out(fg_exchange_t *ex, fg_saml_inbound_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_session_t session;
    bool cookie = in->binding == FG_SAML_REDIRECT || fg_session_open(ex, &session);
    bool done = cookie ? sign_out(ex, in, &err) : keep_form(ex, in, &err);
    return done ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}

fg_step_t fg_saml_sign_out_again(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_saml_inbound_t in;
    fg_str_t form;
    if (!fg_params_parse(ex->arena, ex->request.query, &params, &err))
        return fg_saml_refuse(ex, &err);
    fg_str_t word = fg_params_get(&params, FG_SAML_AGAIN, NULL);
    if (!fg_word_is(word))
        FG_FAIL(&err, FG_E_CSRF, "no form of ours");
    bool done = fg_word_is(word) && fg_kept_take(ex, AGAIN, word, &form, &err) &&
                fg_saml_receive_form(ex, form, &in, &err) && sign_out(ex, &in, &err);
    return done ? FG_STEP_DONE : fg_saml_refuse(ex, &err);
}
