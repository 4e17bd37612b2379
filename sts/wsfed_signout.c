/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/uri.h"
#include "hub/audit.h"
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

/* Where a relying party wants to hear of the end (§13.2.4); .n 0: it has no address. */
static fg_str_t cleanup_url(fg_exchange_t *ex, const fg_partner_t *partner) {
    fg_str_t to = partner->sign_out_url.n ? partner->sign_out_url
                  : partner->reply_count  ? partner->reply_urls[0]
                                          : FG_STR_NONE;
    if (to.n == 0)
        return to;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, to);
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_CLEANUP));
    fg_str_t copy = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

/* Where the identity provider hears of the end; .n 0: nobody is to be told. */
static fg_str_t provider_url(fg_exchange_t *ex, const fg_identity_provider_t *provider) {
    if (provider == NULL || provider->sign_out_url.n == 0)
        return FG_STR_NONE;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, provider->sign_out_url);
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_SIGNOUT));
    fg_str_t copy = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

/* The identity provider that vouched for a session, with the name that people know; NULL: a directory did. */
static const fg_home_realm_t *find_provider(const fg_hub_t *hub, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_hub_find_home_realm(hub, session->home_realm);
    return realm != NULL && realm->identity_provider != NULL ? realm : NULL;
}

static json_t *list_parties(fg_exchange_t *ex, const fg_session_t *session) {
    json_t *parties = json_array();
    for (size_t i = 0; parties != NULL && i < session->party_count; i++) {
        const fg_partner_t *partner = fg_hub_find_partner(ex->hub, session->parties[i]);
        fg_str_t url = partner ? cleanup_url(ex, partner) : FG_STR_NONE;
        if (url.n == 0)
            continue;
        json_t *party = json_pack("{s:s, s:s%}", "name", partner->display_name, "url", url.p, url.n);
        if (party != NULL && json_array_append_new(parties, party) == 0)
            continue;
        fg_log(ex->env, FG_LOG_ERROR, "%s: %s is not told of the sign-out: memory", ex->correlation_id, partner->name);
    }
    return parties;
}

static void audit_signout(fg_exchange_t *ex, const fg_session_t *session, const char *protocol) {
    const fg_claim_t *name = fg_claims_get(&session->identity.claims, FG_CLAIM_NAME);
    const fg_home_realm_t *realm = find_provider(ex->hub, session);
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : session->identity.name_id.value},
        {"identity_provider", fg_str(realm ? realm->identity_provider->name : NULL)},
        {"protocol", fg_str(protocol)},
    };
    fg_audit(ex, "signout", NULL, fields, FG_ARRAY_SIZE(fields));
}

static void end(fg_exchange_t *ex, const fg_session_t *session) {
    fg_session_end(ex, session);
    audit_signout(ex, session, "wsfed");
}

/* Signing out without a session is fine: the page says that nobody is signed in any more. */
static void end_session(fg_exchange_t *ex, fg_wsfed_t *in) {
    in->signed_in = fg_session_open(ex, &in->session);
    if (in->signed_in) {
        end(ex, &in->session);
        return;
    }
    in->session = (fg_session_t){0};
    fg_session_end(ex, NULL);
}

/* The page of another site loads us in a frame: no place for a page of ours that people read. */
static bool is_framed(const fg_exchange_t *ex) {
    fg_str_t destination = fg_request_header(&ex->request, "sec-fetch-dest", NULL);
    return fg_str_is(destination, "iframe") || fg_str_is(destination, "frame");
}

fg_step_t fg_wsfed_signout(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t reply = fg_wsfed_get(&in->params, "wreply");
    if (is_framed(ex))
        return fg_wsfed_signoutcleanup(ex, in);
    const fg_partner_t *partner = find_reply(ex->hub, fg_wsfed_get(&in->params, "wtrealm"), reply);
    if (reply.n != 0 && partner == NULL) {
        FG_FAIL(&err, FG_E_WSFED_REPLY, "sign-out with wreply \"%.*s\"", FG_STR_ARG(reply));
        return fg_wsfed_refuse(ex, &err);
    }
    end_session(ex, in);
    const fg_home_realm_t *realm = in->signed_in ? find_provider(ex->hub, &in->session) : NULL;
    fg_str_t url = provider_url(ex, realm ? realm->identity_provider : NULL);
    bool back = reply.n != 0;
    json_t *model =
        json_pack("{s:o, s:s%, s:s, s:s%, s:s}", "parties", list_parties(ex, &in->session), "wreply",
                  back ? reply.p : "", reply.n, "wreply_name", back ? partner->display_name : "", "provider_url",
                  url.n ? url.p : "", url.n, "provider_name", url.n ? realm->display_name : "");
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
static bool is_asked_by_provider(const fg_exchange_t *ex, const fg_session_t *session) {
    size_t times;
    const fg_home_realm_t *realm = find_provider(ex->hub, session);
    fg_str_t page = fg_request_header(&ex->request, "referer", &times);
    return realm != NULL && times == 1 &&
           (same_origin(page, realm->identity_provider->sign_in_url) ||
            same_origin(page, realm->identity_provider->sign_out_url));
}

/* Tells the relying parties from within the frame. */
static bool show_cleanup(fg_exchange_t *ex, const fg_session_t *session) {
    json_t *model = json_pack("{s:o}", "parties", list_parties(ex, session));
    return model != NULL && ex->hub->render(ex, 200, "clean_up", model);
}

/* Ends the session of the browser that asks and nobody else's (WF-03): the session's cookie decides, which SameSite
 * keeps from requests that other sites' pages make; or the one for its end, on a page of the identity provider. */
fg_step_t fg_wsfed_signoutcleanup(fg_exchange_t *ex, fg_wsfed_t *in) {
    in->signed_in = fg_session_open(ex, &in->session) ||
                    (fg_session_open_for_end(ex, &in->session) && is_asked_by_provider(ex, &in->session));
    if (!in->signed_in)
        in->session = (fg_session_t){0};
    else
        end(ex, &in->session);
    if (!is_framed(ex) || in->session.party_count == 0 || !show_cleanup(ex, &in->session))
        fg_wsfed_answer_cleanup(ex);
    return FG_STEP_DONE;
}
