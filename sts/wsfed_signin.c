/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wsignin1.0 (WS-Federation 1.2 §13.2.1): who asks, for what, is the session good enough, else sign in; then the token.
 */
#include "core/time.h"
#include "hub/federation.h"
#include "hub/issue.h"
#include "sts/rstr.h"
#include "sts/wsfed.h"

#define WRESULT_MAX (256u << 10)
#define URL_MAX (8u << 10)
#define FRESH_MAX_MINUTES 525600 /* a year: nothing asks for more */

/* ---- the request */

static bool read_partner(const fg_hub_t *hub, fg_wsfed_t *in, fg_err_t *err) {
    in->realm = fg_wsfed_get(&in->params, "wtrealm");
    if (in->realm.n == 0)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "no wtrealm");
    in->partner = fg_hub_find_partner(hub, in->realm);
    if (in->partner == NULL)
        return FG_FAIL(err, FG_E_WSFED_REALM, "wtrealm \"%.*s\"", FG_STR_ARG(in->realm));
    in->token = in->partner->token;
    return true;
}

/* Byte by byte one of the registered (WF-01); absent: the first. */
static bool read_reply(fg_wsfed_t *in, fg_err_t *err) {
    const fg_partner_t *partner = in->partner;
    fg_str_t reply = fg_wsfed_get(&in->params, "wreply");
    for (size_t i = 0; i < partner->reply_count && in->reply.n == 0; i++)
        if (reply.n == 0 || fg_str_eq(partner->reply_urls[i], reply))
            in->reply = partner->reply_urls[i];
    if (in->reply.n == 0)
        return FG_FAIL(err, FG_E_WSFED_REPLY, "%s, wreply \"%.*s\"", partner->name, FG_STR_ARG(reply));
    return true;
}

/* wfresh: minutes (§13.2.2). */
static bool read_fresh(fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t text = fg_wsfed_get(&in->params, "wfresh");
    int64_t minutes = text.n ? 0 : -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return FG_FAIL(err, FG_E_WSFED_REQUEST, "wfresh \"%.*s\" is not a number of minutes", FG_STR_ARG(text));
        minutes = minutes * 10 + (text.p[i] - '0');
        if (minutes > FRESH_MAX_MINUTES)
            minutes = FRESH_MAX_MINUTES;
    }
    in->browser.fresh_ms = minutes < 0 ? -1 : minutes * FG_MINUTE;
    return true;
}

/* wct says when the request was made; as AD FS does, only its form is held against it: wfresh is what asks for
 * freshness. */
static bool read_instant(fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t text = fg_wsfed_get(&in->params, "wct");
    int64_t ms;
    if (text.n != 0 && !fg_time_parse(text, &ms))
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "wct \"%.*s\" is not an instant", FG_STR_ARG(text));
    return true;
}

static bool read_method(fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t word = fg_wsfed_get(&in->params, "wauth");
    in->browser.method = word.n ? fg_authmethod_find(word) : NULL;
    if (word.n != 0 && in->browser.method == NULL)
        return FG_FAIL(err, FG_E_WSFED_AUTH, "wauth \"%.*s\"", FG_STR_ARG(word));
    return true;
}

static bool read_home_realm(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t uri = fg_wsfed_get(&in->params, "whr");
    in->browser.home_realm = uri.n ? fg_find_home_realm(ex, uri) : NULL;
    if (uri.n != 0 && in->browser.home_realm == NULL)
        return FG_FAIL(err, FG_E_WSFED_HOME_REALM, "whr \"%.*s\"", FG_STR_ARG(uri));
    return true;
}

static bool read_request(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    if (fg_params_get(&in->params, "wresult", NULL).p != NULL)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "a sign-in response is a form's POST");
    if (!read_partner(ex->hub, in, err) || !read_reply(in, err) || !read_instant(in, err) || !read_fresh(in, err) ||
        !read_method(in, err) || !read_home_realm(ex, in, err))
        return false;
    return fg_wsfed_read_wreq(ex, in, err);
}

/* ---- the token */

static bool issue_result(fg_exchange_t *ex, const fg_wsfed_t *in, fg_buf_t *out, fg_err_t *err) {
    fg_issued_t issued;
    const fg_issue_request_t request = {
        .partner = in->partner,
        .audience = in->realm,
        .identity = &in->browser.session.identity,
        .version = in->token,
        .recipient = in->reply,
        .protocol = "wsfed",
    };
    if (!fg_issue(ex, &request, &issued, err))
        return false;
    fg_xw_t w;
    const fg_rstr_t rstr = {
        .trust = in->partner->trust_version,
        .collection = in->partner->trust_version == FG_TRUST_13,
        .issued = &issued,
        .applies_to = in->realm,
    };
    fg_xw_init(&w, out);
    if (!fg_rstr_write(&w, &rstr) || !fg_xw_ok(&w) || !fg_buf_ok(out))
        return FG_FAIL(err, FG_E_INTERNAL, "wresult could not be written");
    return true;
}

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

static json_t *field(const char *name, fg_str_t value) {
    return json_pack("{s:s, s:o}", "name", name, "value", text_of(value));
}

static bool post_result(fg_exchange_t *ex, const fg_wsfed_t *in, fg_str_t wresult, fg_err_t *err) {
    json_t *fields = json_pack("[o, o]", field("wa", FG_STR(FG_WSFED_SIGNIN)), field("wresult", wresult));
    fg_str_t wctx = fg_params_get(&in->params, "wctx", NULL);
    if (fields != NULL && wctx.p != NULL)
        (void)json_array_append_new(fields, field("wctx", wctx));
    json_t *model = json_pack("{s:o, s:o, s:s}", "action", text_of(in->reply), "fields", fields, "application",
                              in->partner->display_name);
    return (model != NULL && ex->hub->render(ex, 200, "auto_post", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page auto_post could not be made");
}

static bool answer(fg_exchange_t *ex, fg_wsfed_t *in, fg_buf_t *wresult, fg_err_t *err) {
    if (!fg_browser_check_loop(ex, &in->browser, in->partner, in->realm, err) || !issue_result(ex, in, wresult, err))
        return false;
    const fg_session_party_t party = {.protocol = FG_PROTOCOL_WSFED, .realm = in->realm};
    if (!fg_session_add_party(&in->browser.session, &party))
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be told of the sign-out: the session holds %d relying parties",
               ex->correlation_id, in->partner->name, FG_SESSION_PARTIES);
    return fg_session_save(ex, &in->browser.session, err);
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *browser) {
    fg_wsfed_t *in = ex->state;
    (void)browser; /* in->browser */
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t wresult = FG_BUF_INIT(WRESULT_MAX);
    bool done = answer(ex, in, &wresult, &err) && post_result(ex, in, fg_buf_str(&wresult), &err);
    fg_buf_free(&wresult);
    return done ? FG_STEP_DONE : fg_wsfed_refuse(ex, &err);
}

fg_step_t fg_wsfed_signin(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    if (!read_request(ex, in, &err))
        return fg_wsfed_refuse(ex, &err);
    in->browser.path = FG_STR(FG_WSFED_PATH);
    in->browser.params = &in->params;
    in->browser.is_kept = fg_wsfed_is_kept;
    in->browser.application = fg_str(in->partner->display_name);
    in->browser.memory = in->realm;
    in->browser.form = in->submitted ? &in->form : NULL;
    in->browser.finish = finish;
    in->browser.refuse = fg_response_error_page;
    return fg_browser_sign_in(ex, &in->browser);
}

/* An address of ours: nothing is asked for that a link could not ask for. */
fg_step_t fg_wsfed_begin_sign_on(fg_exchange_t *ex, const fg_partner_t *partner, fg_str_t realm, fg_str_t state) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    (void)partner;
    fg_buf_put_str(&url, fg_wsfed_url(ex, FG_WSFED_PATH));
    fg_wsfed_put_param(&url, "wa", FG_STR(FG_WSFED_SIGNIN));
    fg_wsfed_put_param(&url, "wtrealm", realm);
    if (state.n > 0)
        fg_wsfed_put_param(&url, "wctx", state);
    bool made = fg_buf_ok(&url);
    if (made)
        fg_response_redirect(ex, fg_buf_str(&url));
    else
        FG_FAIL(&err, FG_E_HTTP_REQUEST, "RelayState of %zu bytes", state.n);
    fg_buf_free(&url);
    return made ? FG_STEP_DONE : fg_wsfed_refuse(ex, &err);
}
