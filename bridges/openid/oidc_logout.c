/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Signing out at a client's wish (RP-initiated logout 1.0): at once if the ID token of this very session comes along,
 * else the person is asked.  Everybody who got a token in the session is told, and the browser goes on to the client's
 * registered address. */
#include "bridges/openid/oauth_request.h"
#include "core/time.h"
#include "hub/signout.h"

#define URL_MAX (16u << 10)
#define PURPOSE "openid-sign-out"

typedef struct logout {
    fg_params_t params;
    fg_params_t form;
    bool confirmed;
    fg_oidc_hint_t hint;         /* .client_id.n 0: none */
    const fg_partner_t *partner; /* NULL: no client is named */
    bool signed_in;
    fg_session_t session;
    fg_session_party_t asker; /* whose the hint is */
    fg_signout_t signout;
} logout_t;

static fg_str_t get(const logout_t *in, const char *name) { return fg_params_get(&in->params, name, NULL); }

/* ---- the request */

static bool read_client(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    fg_str_t hint = get(in, "id_token_hint"), named = get(in, "client_id");
    if (hint.n > 0 && !fg_oidc_hint_read(ex, hint, &in->hint, err))
        return false;
    if (hint.n > 0 && named.p != NULL && !fg_str_eq(named, in->hint.client_id))
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "client_id is not whom the id_token_hint was issued to");
    if (hint.n == 0 && named.p == NULL)
        return true;
    in->partner = fg_openid_find_client(ex, named.p ? named : in->hint.client_id, err);
    in->asker = (fg_session_party_t){.protocol = FG_PROTOCOL_OPENID, .realm = in->hint.client_id};
    if (hint.n > 0)
        in->signout.asker = &in->asker;
    return in->partner != NULL;
}

/* RP-initiated logout §3: an address that is registered, byte by byte, or none. */
static bool read_redirect(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    fg_str_t wanted = get(in, "post_logout_redirect_uri"), state = get(in, "state");
    if (wanted.n == 0)
        return true;
    if (in->partner == NULL || !fg_str_list_has(&in->partner->openid->post_logout_uris, wanted))
        return FG_FAIL(err, FG_E_OPENID_LOGOUT, "post_logout_redirect_uri \"%.*s\"", FG_STR_ARG(wanted));
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, wanted);
    if (state.p != NULL)
        fg_uri_put_param(&url, FG_STR("state"), state);
    in->signout.back = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    in->signout.back_name = fg_str(in->partner->display_name);
    fg_buf_free(&url);
    return in->signout.back.p != NULL || FG_FAIL(err, FG_E_OPENID_REQUEST, "state is too long");
}

static const char *purpose(fg_exchange_t *ex, const logout_t *in) {
    const char *text = fg_arena_printf(ex->arena, PURPOSE ":%s", in->session.id);
    return text ? text : PURPOSE;
}

static bool read_confirmation(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    in->signed_in = fg_session_open(ex, &in->session);
    if (!in->signed_in) {
        in->session = (fg_session_t){0};
        return true;
    }
    if (in->form.count > 0 && !fg_form_token_check(ex, purpose(ex, in), fg_params_get(&in->form, "csrf", NULL), err))
        return false;
    in->confirmed = in->form.count > 0 || (in->hint.session.n > 0 && fg_str_is(in->hint.session, in->session.id));
    return true;
}

static bool read_request(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    in->signout = (fg_signout_t){.protocol = FG_OPENID_PROTOCOL, .session = &in->session};
    return fg_openid_params_once(&in->params, FG_E_OPENID_REQUEST, err) && read_client(ex, in, err) &&
           read_redirect(ex, in, err) && read_confirmation(ex, in, err);
}

/* ---- pages */

static fg_str_t own_url(fg_exchange_t *ex, const fg_params_t *params) {
    fg_buf_t url = FG_BUF_INIT(4 * URL_MAX);
    fg_buf_put_str(&url, fg_openid_url(ex, FG_OPENID_LOGOUT));
    for (size_t i = 0; i < params->count; i++)
        fg_uri_put_param(&url, params->items[i].name, params->items[i].value);
    fg_str_t text = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return text;
}

static bool ask(fg_exchange_t *ex, const logout_t *in, fg_err_t *err) {
    const fg_claim_t *name = fg_claims_get(&in->session.identity.claims, FG_CLAIM_NAME);
    fg_str_t csrf, action = own_url(ex, &in->params);
    if (!fg_form_token_make(ex, purpose(ex, in), &csrf, err))
        return false;
    json_t *model = json_pack("{s:s%, s:s%, s:s, s:s%}", "action", action.p ? action.p : "", action.n, "csrf", csrf.p,
                              csrf.n, "application", in->partner ? in->partner->display_name : "", "person",
                              name ? name->value.p : "", name ? name->value.n : 0);
    return (model != NULL && ex->hub->render(ex, 200, "sign_out", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page sign_out could not be made");
}

/* The client's address is where the page goes on to by itself, unless the identity provider comes first, whose answer
 * leads there. */
static json_t *make_page(fg_exchange_t *ex, const logout_t *in, json_t *parties, fg_str_t provider) {
    const fg_signout_t *signout = &in->signout;
    const fg_home_realm_t *realm = provider.n > 0 ? fg_signout_provider(ex, &in->session) : NULL;
    fg_str_t next = signout->next.n > 0 ? signout->next : signout->back;
    const char *name = signout->next.n == 0 && signout->back.n > 0 ? in->partner->display_name : "";
    return json_pack("{s:o, s:s, s:s%, s:s, s:s%, s:s}", "parties", parties, "wreply", "", "provider_url",
                     provider.n ? provider.p : "", provider.n, "provider_name", realm ? realm->display_name : "",
                     "next", next.n ? next.p : "", next.n, "next_name", name);
}

static bool end(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    fg_signout_t *signout = &in->signout;
    if (in->signed_in)
        fg_signout_end(ex, signout);
    json_t *parties = fg_signout_parties(ex, signout);
    fg_str_t provider = in->signed_in ? fg_signout_provider_url(ex, signout) : FG_STR_NONE;
    bool all_told = json_array_size(parties) == 0 && provider.n == 0 && signout->next.n == 0;
    if (signout->back.n > 0 && all_told && ex->request.method != FG_METHOD_POST) {
        json_decref(parties);
        fg_response_redirect(ex, signout->back);
        return true;
    }
    json_t *model = make_page(ex, in, parties, provider);
    return (model != NULL && ex->hub->render(ex, 200, "signed_out", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "the signed-out page could not be made");
}

/* ---- the endpoint */

/* Our own form has a query of its own; what another site's page sends as a form comes without the session's cookie
 * (SameSite), and again as a GET of ours. */
static bool read_post(fg_exchange_t *ex, logout_t *in, bool *again, fg_err_t *err) {
    size_t times;
    if (!fg_openid_params(ex, &in->form, err))
        return false;
    fg_params_get(&in->form, "confirm", &times);
    *again = times != 1;
    if (times == 1)
        return fg_params_parse(ex->arena, ex->request.query, &in->params, err);
    fg_str_t url = own_url(ex, &in->form);
    if (url.p == NULL)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "the request is too long");
    fg_response_redirect(ex, url);
    return true;
}

static bool run(fg_exchange_t *ex, logout_t *in, fg_err_t *err) {
    bool post = ex->request.method == FG_METHOD_POST, again = false;
    if (post ? !read_post(ex, in, &again, err) : !fg_openid_params(ex, &in->params, err))
        return false;
    if (again)
        return true;
    if (!read_request(ex, in, err))
        return false;
    return in->signed_in && !in->confirmed ? ask(ex, in, err) : end(ex, in, err);
}

fg_step_t fg_oidc_logout(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    logout_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    if (in == NULL)
        FG_FAIL(&err, FG_E_MEMORY, "signing out");
    if (in == NULL || !run(ex, in, &err))
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}
