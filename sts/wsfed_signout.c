/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/uri.h"
#include "hub/federation.h"
#include "hub/signout.h"
#include "sts/wsfed.h"

#define URL_MAX 4096u

/* Whose address wreply is, byte by byte (WF-01); NULL: nobody's.  wtrealm, where given, says whose it must be. */
static const fg_partner_t *find_reply(const fg_hub_t *hub, fg_str_t realm, fg_str_t reply) {
    const fg_partner_t *meant = realm.n ? fg_hub_find_partner(hub, realm) : NULL;
    for (size_t i = 0; i < hub->partner_count; i++) {
        const fg_partner_t *partner = &hub->partners[i];
        if (realm.n != 0 && partner != meant)
            continue;
        for (size_t k = 0; k < partner->reply_count; k++)
            if (fg_str_eq(partner->reply_urls[k], reply))
                return partner;
        if (fg_str_eq(partner->sign_out_url, reply))
            return partner;
    }
    return NULL;
}

/* An address with ?wa=…; .n 0: there is none. */
static bool make_url(fg_exchange_t *ex, fg_str_t to, const char *wa, fg_str_t *out, fg_err_t *err) {
    *out = FG_STR_NONE;
    if (to.n == 0)
        return true;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, to);
    fg_wsfed_put_param(&url, "wa", fg_str(wa));
    if (fg_buf_ok(&url))
        *out = fg_arena_str(ex->arena, fg_buf_str(&url));
    fg_buf_free(&url);
    return out->p != NULL || FG_FAIL(err, FG_E_INTERNAL, "the address is too long");
}

/* §13.2.4 */
bool fg_wsfed_tell_party(fg_exchange_t *ex, fg_signout_t *signout, const fg_session_party_t *party, fg_str_t *url,
                         fg_err_t *err) {
    if (signout->no_browser)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "WS-Federation tells by the browser only");
    const fg_partner_t *partner = fg_find_partner(ex, party->realm);
    fg_str_t to = partner == NULL           ? FG_STR_NONE
                  : partner->sign_out_url.n ? partner->sign_out_url
                  : partner->reply_count    ? partner->reply_urls[0]
                                            : FG_STR_NONE;
    return make_url(ex, to, FG_WSFED_CLEANUP, url, err);
}

bool fg_wsfed_tell_provider(fg_exchange_t *ex, fg_signout_t *signout, fg_str_t *url, fg_err_t *err) {
    const fg_home_realm_t *realm = fg_signout_provider(ex, signout->session);
    if (signout->no_browser)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "WS-Federation tells by the browser only");
    return make_url(ex, realm->identity_provider->sign_out_url, FG_WSFED_SIGNOUT, url, err);
}

/* Signing out without a session is fine: the page says that nobody is signed in any more. */
static void end_session(fg_exchange_t *ex, fg_wsfed_t *in, const fg_signout_t *signout) {
    in->signed_in = fg_session_open(ex, &in->session);
    if (in->signed_in) {
        fg_signout_end(ex, signout);
        return;
    }
    in->session = (fg_session_t){0};
    fg_session_end(ex, NULL);
}

/* Whoever goes on by itself has what follows shown there. */
static json_t *make_page(fg_exchange_t *ex, const fg_wsfed_t *in, fg_signout_t *signout) {
    json_t *parties = fg_signout_parties(ex, signout);
    const fg_home_realm_t *realm = in->signed_in ? fg_signout_provider(ex, &in->session) : NULL;
    fg_str_t url = realm ? fg_signout_provider_url(ex, signout) : FG_STR_NONE, back = signout->back;
    if (signout->next.n != 0)
        back = FG_STR_NONE;
    return json_pack("{s:o, s:s%, s:s, s:s%, s:s, s:s%}", "parties", parties, "wreply", back.n ? back.p : "", back.n,
                     "wreply_name", back.n ? signout->back_name.p : "", "provider_url", url.n ? url.p : "", url.n,
                     "provider_name", url.n ? realm->display_name : "", "next", signout->next.n ? signout->next.p : "",
                     signout->next.n);
}

fg_step_t fg_wsfed_signout(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t reply = fg_wsfed_get(&in->params, "wreply");
    if (fg_request_is_framed(&ex->request))
        return fg_wsfed_signoutcleanup(ex, in);
    const fg_partner_t *partner = find_reply(ex->hub, fg_wsfed_get(&in->params, "wtrealm"), reply);
    if (reply.n != 0 && partner == NULL) {
        FG_FAIL(&err, FG_E_WSFED_REPLY, "sign-out with wreply \"%.*s\"", FG_STR_ARG(reply));
        return fg_wsfed_refuse(ex, &err);
    }
    fg_signout_t signout = {.protocol = "wsfed", .session = &in->session, .back = reply};
    if (reply.n != 0)
        signout.back_name = fg_str(partner->display_name);
    end_session(ex, in, &signout);
    json_t *model = make_page(ex, in, &signout);
    if (model != NULL && ex->hub->render(ex, 200, "signed_out", model))
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_INTERNAL, "the signed-out page could not be made");
    return fg_wsfed_refuse(ex, &err);
}

static bool same_origin(fg_str_t a, fg_str_t b) {
    fg_buf_t left = FG_BUF_INIT(URL_MAX), right = FG_BUF_INIT(URL_MAX);
    bool same = fg_uri_origin(a, &left) && fg_uri_origin(b, &right) && fg_str_eq(fg_buf_str(&left), fg_buf_str(&right));
    fg_buf_free(&left);
    fg_buf_free(&right);
    return same;
}

/* Only the provider that vouched for the session may end it from its own pages; browsers say whose page it is. */
static bool is_asked_by_provider(fg_exchange_t *ex, const fg_session_t *session) {
    size_t times;
    const fg_home_realm_t *realm = fg_signout_provider(ex, session);
    fg_str_t page = fg_request_header(&ex->request, "referer", &times);
    return realm != NULL && times == 1 &&
           (same_origin(page, realm->identity_provider->sign_in_url) ||
            same_origin(page, realm->identity_provider->sign_out_url));
}

/* Tells the relying parties from within the frame. */
static bool show_cleanup(fg_exchange_t *ex, fg_signout_t *signout) {
    json_t *model = json_pack("{s:o}", "parties", fg_signout_parties(ex, signout));
    return model != NULL && ex->hub->render(ex, 200, "clean_up", model);
}

/* Ends the session of the browser that asks and nobody else's (WF-03): the session's cookie decides, which SameSite
 * keeps from requests that other sites' pages make; or the one for its end, on a page of the identity provider. */
fg_step_t fg_wsfed_signoutcleanup(fg_exchange_t *ex, fg_wsfed_t *in) {
    in->signed_in = fg_session_open(ex, &in->session) ||
                    (fg_session_open_for_end(ex, &in->session) && is_asked_by_provider(ex, &in->session));
    fg_signout_t signout = {.protocol = "wsfed", .session = &in->session};
    if (!in->signed_in)
        in->session = (fg_session_t){0};
    else
        fg_signout_end(ex, &signout);
    if (!fg_request_is_framed(&ex->request) || in->session.party_count == 0 || !show_cleanup(ex, &signout))
        fg_wsfed_answer_cleanup(ex);
    return FG_STEP_DONE;
}
