/* SPDX-License-Identifier: GPL-2.0-or-later */
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
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : session->identity.name_id.value},
        {"protocol", fg_str(protocol)},
    };
    fg_audit(ex, "signout", NULL, fields, FG_ARRAY_SIZE(fields));
}

/* Signing out without a session is fine: the page says that nobody is signed in any more. */
static void end_session(fg_exchange_t *ex, fg_wsfed_t *in) {
    in->signed_in = fg_session_open(ex, &in->session);
    if (!in->signed_in)
        in->session = (fg_session_t){0};
    fg_session_end(ex, in->signed_in ? &in->session : NULL);
    if (in->signed_in)
        audit_signout(ex, &in->session, "wsfed");
}

fg_step_t fg_wsfed_signout(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t reply = fg_wsfed_get(&in->params, "wreply");
    const fg_partner_t *partner = find_reply(ex->hub, fg_wsfed_get(&in->params, "wtrealm"), reply);
    if (reply.n != 0 && partner == NULL) {
        FG_FAIL(&err, FG_E_WSFED_REPLY, "sign-out with wreply \"%.*s\"", FG_STR_ARG(reply));
        return fg_wsfed_refuse(ex, &err);
    }
    end_session(ex, in);
    bool back = reply.n != 0;
    json_t *model = json_pack("{s:o, s:s%, s:s}", "parties", list_parties(ex, &in->session), "wreply",
                              back ? reply.p : "", reply.n, "wreply_name", back ? partner->display_name : "");
    if (model != NULL && ex->hub->render(ex, 200, "signed_out", model))
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_INTERNAL, "the signed-out page could not be made");
    return fg_wsfed_refuse(ex, &err);
}

/* Ends the session of the browser that asks and nobody else's (WF-03): the cookie decides, and SameSite keeps it from
 * requests that other sites' pages make. */
fg_step_t fg_wsfed_signoutcleanup(fg_exchange_t *ex, fg_wsfed_t *in) {
    end_session(ex, in);
    fg_wsfed_answer_cleanup(ex);
    return FG_STEP_DONE;
}
