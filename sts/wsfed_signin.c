/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * wsignin1.0 (WS-Federation 1.2 §13.2.1): who asks, for what, is the session good enough, else sign in; then the token.
 */
#include "core/time.h"
#include "hub/issue.h"
#include "hub/signin.h"
#include "sts/rstr.h"
#include "sts/wsfed.h"
#include "token/authmethod.h"

#define URL_MAX (64u << 10)
#define WRESULT_MAX (256u << 10)
#define FORM_PURPOSE "signin"
#define FRESH_MAX_MINUTES 525600 /* a year: nothing asks for more */
#define LOOP_ROUNDS 5
#define LOOP_WINDOW (20 * FG_SECOND)

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
    in->fresh_ms = minutes < 0 ? -1 : minutes * FG_MINUTE;
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

/* A way of signing in that cannot be served is refused at once rather than replaced by a weaker one (WF-07). */
static bool read_method(fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t word = fg_wsfed_get(&in->params, "wauth");
    if (word.n == 0)
        return true;
    in->method = fg_authmethod_find(word);
    if (in->method == fg_authmethod_find(FG_STR(FG_AUTH_PASSWORD)) && in->method != NULL)
        return true;
    return FG_FAIL(err, FG_E_WSFED_AUTH, "wauth \"%.*s\"", FG_STR_ARG(word));
}

static bool read_home_realm(const fg_hub_t *hub, fg_wsfed_t *in, fg_err_t *err) {
    fg_str_t uri = fg_wsfed_get(&in->params, "whr");
    in->home_realm = uri.n ? fg_hub_find_home_realm(hub, uri) : NULL;
    if (uri.n != 0 && in->home_realm == NULL)
        return FG_FAIL(err, FG_E_WSFED_HOME_REALM, "whr \"%.*s\"", FG_STR_ARG(uri));
    return true;
}

static bool read_request(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    if (fg_params_get(&in->params, "wresult", NULL).p != NULL)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "a sign-in response, but no partner here signs people in");
    if (!read_partner(ex->hub, in, err) || !read_reply(in, err) || !read_instant(in, err) || !read_fresh(in, err) ||
        !read_method(in, err) || !read_home_realm(ex->hub, in, err))
        return false;
    return fg_wsfed_read_wreq(ex, in, err);
}

/* ---- pages */

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

static fg_step_t show(fg_exchange_t *ex, const char *page, json_t *model) {
    fg_err_t err = FG_ERR_INIT;
    if (model != NULL && ex->hub->render(ex, 200, page, model))
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_INTERNAL, "page %s could not be made", page);
    return fg_wsfed_refuse(ex, &err);
}

/* This request again, as a URL of our own; choose: asks for the home realms, whatever was chosen before. */
static fg_str_t own_url(fg_exchange_t *ex, const fg_wsfed_t *in, bool choose) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, fg_wsfed_url(ex, FG_WSFED_PATH));
    for (size_t i = 0; i < in->params.count; i++) {
        const fg_param_t *param = &in->params.items[i];
        if (!fg_wsfed_is_kept(param->name) || (choose && fg_str_is(param->name, "whr")))
            continue;
        const char *name = fg_arena_strndup(ex->arena, param->name.p, param->name.n);
        if (name != NULL)
            fg_wsfed_put_param(&url, name, param->value);
    }
    if (choose)
        fg_wsfed_put_param(&url, "choose", FG_STR("1"));
    fg_str_t copy = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

static fg_step_t show_home_realms(fg_exchange_t *ex, const fg_wsfed_t *in) {
    json_t *hidden = json_array(), *realms = json_array();
    for (size_t i = 0; i < in->params.count; i++) {
        const fg_param_t *param = &in->params.items[i];
        if (fg_wsfed_is_kept(param->name) && !fg_str_is(param->name, "whr"))
            (void)json_array_append_new(
                hidden, json_pack("{s:o, s:o}", "name", text_of(param->name), "value", text_of(param->value)));
    }
    for (size_t i = 0; i < ex->hub->home_realm_count; i++) {
        const fg_home_realm_t *realm = &ex->hub->home_realms[i];
        (void)json_array_append_new(realms,
                                    json_pack("{s:o, s:s}", "uri", text_of(realm->uri), "name", realm->display_name));
    }
    return show(ex, "home_realm",
                json_pack("{s:o, s:s, s:o, s:o}", "action", text_of(fg_wsfed_url(ex, FG_WSFED_PATH)), "application",
                          in->partner->display_name, "hidden", hidden, "realms", realms));
}

static fg_step_t show_sign_in(fg_exchange_t *ex, const fg_wsfed_t *in, const char *message, fg_str_t username) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t csrf, action = own_url(ex, in, false);
    bool choice = ex->hub->home_realm_count > 1;
    fg_str_t other = choice ? own_url(ex, in, true) : FG_STR("");
    if (!fg_form_token_make(ex, FORM_PURPOSE, &csrf, &err))
        return fg_wsfed_refuse(ex, &err);
    if (action.p == NULL || other.p == NULL) {
        FG_FAIL(&err, FG_E_WSFED_REQUEST, "the request is too long to be brought back by a form");
        return fg_wsfed_refuse(ex, &err);
    }
    return show(ex, "sign_in",
                json_pack("{s:o, s:s, s:o, s:s, s:o, s:o}", "action", text_of(action), "application",
                          in->partner->display_name, "username", text_of(username), "message", message, "csrf",
                          text_of(csrf), "realm_choice_url", text_of(other)));
}

/* ---- where the person comes from */

/* What is remembered of a relying party carries its realm in its name. */
static const char *memory_name(fg_exchange_t *ex, const fg_wsfed_t *in) {
    const char *name = fg_arena_printf(ex->arena, "home-realm:%.*s", (int)in->realm.n, in->realm.p);
    return name ? name : "home-realm";
}

/* whr, else the only one, else the choice made before; NULL: ask. */
static const fg_home_realm_t *choose_home_realm(fg_exchange_t *ex, const fg_wsfed_t *in) {
    if (in->home_realm != NULL)
        return in->home_realm;
    if (ex->hub->home_realm_count <= 1)
        return fg_hub_default_home_realm(ex->hub);
    if (fg_wsfed_get(&in->params, "choose").n != 0)
        return NULL;
    fg_str_t remembered = fg_remembered(ex, memory_name(ex, in));
    return remembered.n ? fg_hub_find_home_realm(ex->hub, remembered) : NULL;
}

static bool remember_home_realm(fg_exchange_t *ex, const fg_wsfed_t *in, fg_err_t *err) {
    if (ex->hub->home_realm_count <= 1 || in->home_realm == NULL)
        return true;
    return fg_remember(ex, memory_name(ex, in), in->home_realm->uri, err);
}

/* ---- the token */

/* The same relying party again and again within seconds: it does not take the token, and another round will not help.
 */
static bool check_loop(fg_exchange_t *ex, const fg_wsfed_t *in, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    const char *key = fg_arena_printf(ex->arena, "wsfed-loop:%s:%.*s", in->session.id, (int)in->realm.n, in->realm.p);
    int64_t rounds = 0;
    if (store == NULL || key == NULL ||
        store->add(store, fg_str(key), 1, ex->now_ms, ex->now_ms + LOOP_WINDOW, &rounds) != FG_STORE_OK)
        return true; /* a comfort, no one-time check: it does not fail closed */
    if (rounds > LOOP_ROUNDS)
        return FG_FAIL(err, FG_E_WSFED_LOOP, "%s: %lld tokens in 20 s", in->partner->name, (long long)rounds);
    return true;
}

static bool issue_result(fg_exchange_t *ex, const fg_wsfed_t *in, fg_buf_t *out, fg_err_t *err) {
    fg_issued_t issued;
    const fg_issue_request_t request = {
        .partner = in->partner,
        .audience = in->realm,
        .identity = &in->session.identity,
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

static json_t *field(const char *name, fg_str_t value) {
    return json_pack("{s:s, s:o}", "name", name, "value", text_of(value));
}

static fg_step_t post_result(fg_exchange_t *ex, const fg_wsfed_t *in, fg_str_t wresult) {
    json_t *fields = json_pack("[o, o]", field("wa", FG_STR(FG_WSFED_SIGNIN)), field("wresult", wresult));
    fg_str_t wctx = fg_params_get(&in->params, "wctx", NULL);
    if (fields != NULL && wctx.p != NULL)
        (void)json_array_append_new(fields, field("wctx", wctx));
    return show(ex, "auto_post",
                json_pack("{s:o, s:o, s:s}", "action", text_of(in->reply), "fields", fields, "application",
                          in->partner->display_name));
}

static bool answer(fg_exchange_t *ex, fg_wsfed_t *in, fg_buf_t *wresult, fg_err_t *err) {
    if (!check_loop(ex, in, err) || !issue_result(ex, in, wresult, err))
        return false;
    if (!fg_session_add_party(&in->session, in->realm))
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be told of the sign-out: the session holds %d relying parties",
               ex->correlation_id, in->partner->name, FG_SESSION_PARTIES);
    return fg_session_save(ex, &in->session, err);
}

static fg_step_t finish(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t wresult = FG_BUF_INIT(WRESULT_MAX);
    fg_step_t step =
        answer(ex, in, &wresult, &err) ? post_result(ex, in, fg_buf_str(&wresult)) : fg_wsfed_refuse(ex, &err);
    fg_buf_free(&wresult);
    return step;
}

/* ---- steps */

/* What was asked for holds for the session's sign-in as it holds for a new one (WF-07). */
static bool session_satisfies(const fg_exchange_t *ex, const fg_wsfed_t *in) {
    const fg_session_t *session = &in->session;
    if (!in->signed_in || (in->fresh_ms >= 0 && ex->now_ms - session->identity.auth_instant_ms >= in->fresh_ms))
        return false;
    if (in->method != NULL && fg_authmethod_find(session->identity.auth_method) != in->method)
        return false;
    return in->home_realm == NULL || fg_str_eq(session->home_realm, in->home_realm->uri);
}

/* The new session keeps the old one's relying parties: signing out must still reach them. */
static bool begin_session(fg_exchange_t *ex, fg_wsfed_t *in, fg_err_t *err) {
    const fg_signin_t *signin = &ex->signin;
    fg_session_t session;
    if (in->method != NULL && fg_authmethod_find(signin->identity.auth_method) != in->method)
        return FG_FAIL(err, FG_E_WSFED_AUTH, "signed in by %.*s", FG_STR_ARG(signin->identity.auth_method));
    if (!fg_session_begin(ex, &signin->identity, signin->realm->uri, &session, err))
        return false;
    for (size_t i = 0; in->signed_in && i < in->session.party_count; i++)
        if (!fg_session_add_party(&session, in->session.parties[i]))
            break;
    in->session = session;
    in->signed_in = true;
    return remember_home_realm(ex, in, err);
}

static fg_step_t after_password(fg_exchange_t *ex) {
    fg_wsfed_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    fg_code_t code = ex->signin.err.code;
    if (!ex->signin.ok && (code == FG_E_AUTH_FAILED || code == FG_E_AUTH_LOCKED || code == FG_E_AUTH_MISSING))
        return show_sign_in(ex, in, "wrong", ex->signin.user);
    if (!ex->signin.ok)
        return fg_wsfed_refuse(ex, &ex->signin.err);
    if (!begin_session(ex, in, &err))
        return fg_wsfed_refuse(ex, &err);
    return finish(ex, in);
}

static bool read_form(fg_exchange_t *ex, const fg_wsfed_t *in, fg_str_t *user, fg_str_t *password, fg_err_t *err) {
    size_t users, passwords, tokens;
    *user = fg_params_get(&in->form, "username", &users);
    *password = fg_params_get(&in->form, "password", &passwords);
    fg_str_t csrf = fg_params_get(&in->form, "csrf", &tokens);
    if (users > 1 || passwords > 1 || tokens > 1)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "a field of the sign-in form was sent twice");
    return fg_form_token_check(ex, FORM_PURPOSE, csrf, err);
}

static fg_step_t submit(fg_exchange_t *ex, fg_wsfed_t *in, const fg_home_realm_t *realm) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t user, password;
    if (!read_form(ex, in, &user, &password, &err))
        return fg_wsfed_refuse(ex, &err);
    return fg_signin_begin(ex, realm, user, password, after_password);
}

fg_step_t fg_wsfed_signin(fg_exchange_t *ex, fg_wsfed_t *in) {
    fg_err_t err = FG_ERR_INIT;
    if (!read_request(ex, in, &err))
        return fg_wsfed_refuse(ex, &err);
    in->signed_in = fg_session_open(ex, &in->session);
    if (!in->submitted && session_satisfies(ex, in))
        return finish(ex, in);
    const fg_home_realm_t *realm = choose_home_realm(ex, in);
    if (realm == NULL && ex->hub->home_realm_count > 1)
        return show_home_realms(ex, in);
    if (in->submitted)
        return submit(ex, in, realm);
    return show_sign_in(ex, in, "", FG_STR_NONE);
}
