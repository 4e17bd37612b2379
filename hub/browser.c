/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/home_realm.h"
#include "hub/browser.h"

#include "core/crypto.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/client_signin.h"
#include "hub/negotiate.h"
#include "hub/password_change.h"
#include "hub/seal.h"

#define URL_MAX (64u << 10)
#define FORM_PURPOSE "signin"
/* Parameters of our own pages beside those of the protocol. */
#define REALM FG_REALM_PARAM
#define HINT "login_hint"       /* who is going to sign in, as the application thinks */
#define DISCOVERED "discovered" /* a discovery service was asked */
#define CHOOSE "choose"         /* show the home realms again */
#define FRESH "fresh"           /* a partner signed in for this very request */
#define REFUSED "refused"       /* a partner, asked without a page, said no to this very request */
#define NOTE_LIFETIME FG_MINUTE
#define REASON_MAX 160u /* of what a partner said, in an address */
#define LOOP_ROUNDS 5
#define LOOP_WINDOW (20 * FG_SECOND)

/* ---- pages */

static fg_step_t refuse(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_err_t *err) {
    in->refuse(ex, err);
    return FG_STEP_DONE;
}

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

static fg_step_t show(fg_exchange_t *ex, const fg_browser_signin_t *in, const char *page, json_t *model) {
    fg_err_t err = FG_ERR_INIT;
    if (model != NULL && ex->hub->render(ex, 200, page, model))
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_INTERNAL, "page %s could not be made", page);
    return refuse(ex, in, &err);
}

static fg_str_t get(const fg_browser_signin_t *in, const char *name) { return fg_params_get(in->params, name, NULL); }

static fg_str_t endpoint_url(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    return fg_str(fg_arena_printf(ex->arena, "%.*s%.*s", (int)ex->hub->base_url.n, ex->hub->base_url.p, (int)in->path.n,
                                  in->path.p));
}

/* This request again, as a URL of our own; choose: asks for the home realms, whatever was chosen before. */
static fg_str_t own_url(fg_exchange_t *ex, const fg_browser_signin_t *in, bool choose) {
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, endpoint_url(ex, in));
    for (size_t i = 0; i < in->params->count; i++) {
        const fg_param_t *param = &in->params->items[i];
        if (in->is_kept(param->name) && !(choose && fg_str_is(param->name, REALM)))
            fg_uri_put_param(&url, param->name, param->value);
    }
    if (choose)
        fg_uri_put_param(&url, FG_STR(CHOOSE), FG_STR("1"));
    fg_str_t copy = fg_buf_ok(&url) ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

static fg_step_t show_home_realms(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    const fg_home_realm_page_t page = {endpoint_url(ex, in), in->params, in->is_kept, in->application};
    return fg_home_realm_show(ex, &page, &err) ? FG_STEP_DONE : refuse(ex, in, &err);
}

/* ---- where the person comes from */

/* The one that was asked for, else the only one, else the choice made before; NULL: ask. */
static const fg_home_realm_t *choose_home_realm(fg_exchange_t *ex, const fg_browser_signin_t *in, bool *many) {
    const fg_home_realm_t *only = fg_home_realm_only(ex, many);
    if (in->home_realm != NULL || !*many)
        return in->home_realm ? in->home_realm : only;
    return get(in, CHOOSE).n == 0 ? fg_home_realm_remembered(ex, in->memory) : NULL;
}

/* Whom a mail address names, in the search field or as login_hint.  The choice becomes a parameter like any other. */
static const fg_home_realm_t *find_hinted(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    const fg_home_realm_t *realm = fg_home_realm_searched(ex, in->params);
    if (realm == NULL && get(in, CHOOSE).n == 0)
        realm = fg_find_home_realm_for_mail(ex, get(in, HINT));
    return realm;
}

static bool remember_home_realm(fg_exchange_t *ex, const fg_browser_signin_t *in, fg_err_t *err) {
    bool many;
    fg_home_realm_only(ex, &many);
    return !many || in->home_realm == NULL || fg_home_realm_remember(ex, in->memory, in->home_realm->uri, err);
}

/* A way of signing in that cannot be served is refused at once rather than replaced by a weaker one (WF-07):
 * directories check passwords; what a partner can do is the partner's to say. */
static bool check_method(const fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_home_realm_t *realm,
                         fg_err_t *err) {
    bool served = in->method == NULL || in->method == fg_authmethod_find(FG_STR(FG_AUTH_PASSWORD)) ||
                  (ex->hub->negotiate != NULL && in->method == fg_authmethod_find(FG_STR(FG_AUTH_WINDOWS)));
    for (size_t i = 0; i < ex->hub->home_realm_count && !served; i++) {
        const fg_home_realm_t *other = &ex->hub->home_realms[i];
        served = realm == NULL && other->identity_provider != NULL && fg_home_realm_is_offered(other);
    }
    served = served || (realm != NULL && realm->identity_provider != NULL && fg_home_realm_is_offered(realm)) ||
             (realm == NULL && ex->hub->federations != NULL);
    return served || FG_FAIL(err, FG_E_WSFED_AUTH, "%s is not possible here", in->method->claim);
}

/* ---- to a partner */

/* In the protocol that the partner speaks. */
static bool begin(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    const fg_identity_provider_t *provider = signin->realm->identity_provider;
    return ex->hub->protocols[provider->protocol]->begin_sign_in(ex, signin, err);
}

/* What is asked of a partner; its .back is no text if the request is too long. */
static fg_partner_signin_t signin_at(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_home_realm_t *realm,
                                     bool by_client) {
    return (fg_partner_signin_t){
        .realm = realm,
        .by_client = by_client,
        .back = own_url(ex, in, false),
        .method = in->method,
        .fresh_ms = in->fresh_ms,
        .passive = in->passive,
        .proxy_limit = in->proxy_limit,
        .requester = in->requester,
    };
}

static bool leave(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_home_realm_t *realm, fg_err_t *err) {
    const fg_partner_signin_t signin = signin_at(ex, in, realm, false);
    if (in->local)
        return FG_FAIL(err, FG_E_SAML_PROXY, "%s would have to be asked", realm->display_name);
    if (!fg_home_realm_is_offered(realm))
        return FG_FAIL(err, FG_E_WSFED_HOME_REALM, "people cannot be sent to %s", realm->display_name);
    if (signin.back.p == NULL)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "the request is too long to be brought back");
    return remember_home_realm(ex, in, err) && begin(ex, &signin, err);
}

/* No page, then: the request itself, for the client to carry. */
static fg_step_t answer_client(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    const fg_partner_signin_t signin = signin_at(ex, in, in->home_realm, true);
    bool begun =
        signin.back.p != NULL || FG_FAIL(&err, FG_E_WSFED_REQUEST, "the request is too long to be brought back");
    return begun && fg_client_signin_begin(ex, &signin, &err) ? FG_STEP_DONE : refuse(ex, in, &err);
}

/* Whom a fresh sign-in is good for: a session, and a request that is told by its address. */
static void put_bearer(fg_buf_t *out, const fg_session_t *session, fg_str_t url) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_sha256(url.p, url.n, digest);
    fg_bytes_put_string(out, fg_str(session->id));
    fg_buf_add(out, digest, sizeof digest);
}

bool fg_browser_fresh_put(fg_exchange_t *ex, const fg_session_t *session, fg_buf_t *url, fg_err_t *err) {
    fg_str_t text;
    fg_buf_t bytes = FG_BUF_INIT(256);
    fg_bytes_put_number(&bytes, (uint64_t)ex->now_ms, 8);
    put_bearer(&bytes, session, fg_buf_str(url));
    bool sealed = fg_buf_ok(&bytes) && fg_cookie_seal(ex, FRESH, fg_buf_str(&bytes), &text);
    fg_buf_free(&bytes);
    if (!sealed)
        return FG_FAIL(err, FG_E_INTERNAL, "a fresh sign-in could not be noted");
    fg_uri_put_param(url, FG_STR(FRESH), text);
    return true;
}

/* The partner has just signed in whom this session is of, because this request asked for it: asking again would never
 * end, as no answer can be younger than the request that follows it. */
static bool is_just_done(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    fg_str_t text = get(in, FRESH), url, bytes;
    if (text.n == 0 || text.n > 1024 || !fg_cookie_unseal(ex, FRESH, text, &bytes))
        return false;
    fg_bytes_t read = {bytes, false};
    int64_t made = (int64_t)fg_bytes_get_number(&read, 8);
    url = own_url(ex, in, false);
    fg_buf_t bearer = FG_BUF_INIT(256);
    put_bearer(&bearer, &in->session, url);
    bool same = url.p != NULL && fg_buf_ok(&bearer) && fg_equal_secret(read.rest, fg_buf_str(&bearer));
    fg_buf_free(&bearer);
    return same && !read.failed && ex->now_ms - made < NOTE_LIFETIME;
}

/* ---- a partner said no to a request that shows no page */

static bool put_refusal(fg_buf_t *out, int64_t now_ms, fg_str_t url, fg_str_t why) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_sha256(url.p, url.n, digest);
    fg_bytes_put_number(out, (uint64_t)now_ms, 8);
    fg_bytes_put_string(out, (fg_str_t){(const char *)digest, sizeof digest});
    fg_bytes_put_string(out, (fg_str_t){why.p, why.n < REASON_MAX ? why.n : REASON_MAX});
    return fg_buf_ok(out);
}

bool fg_browser_refused_put(fg_exchange_t *ex, fg_str_t why, fg_buf_t *url) {
    fg_str_t text;
    fg_buf_t bytes = FG_BUF_INIT(512);
    bool sealed =
        put_refusal(&bytes, ex->now_ms, fg_buf_str(url), why) && fg_cookie_seal(ex, REFUSED, fg_buf_str(&bytes), &text);
    fg_buf_free(&bytes);
    if (sealed)
        fg_uri_put_param(url, FG_STR(REFUSED), text);
    return sealed;
}

/* Asking again would never end. */
static bool was_refused(fg_exchange_t *ex, const fg_browser_signin_t *in, fg_err_t *err) {
    unsigned char digest[FG_SHA256_SIZE];
    fg_str_t text = get(in, REFUSED), bytes, url;
    if (!in->passive || text.n == 0 || text.n > 1024 || !fg_cookie_unseal(ex, REFUSED, text, &bytes))
        return false;
    fg_bytes_t read = {bytes, false};
    int64_t made = (int64_t)fg_bytes_get_number(&read, 8);
    fg_str_t noted = fg_bytes_get_string(&read), why = fg_bytes_get_string(&read);
    url = own_url(ex, in, false);
    if (!fg_bytes_end(&read) || url.p == NULL || ex->now_ms - made >= NOTE_LIFETIME)
        return false;
    fg_sha256(url.p, url.n, digest);
    if (!fg_str_eq(noted, (fg_str_t){(const char *)digest, sizeof digest}))
        return false;
    FG_FAIL(err, FG_E_SAML_PASSIVE, "%.*s", FG_STR_ARG(why));
    return true;
}

/* ---- the password */

/* What the application believes the person is called. */
static fg_str_t get_user(const fg_browser_signin_t *in) {
    fg_str_t hint = get(in, HINT);
    return hint.n <= 256 ? hint : FG_STR_NONE;
}

static fg_step_t show_sign_in(fg_exchange_t *ex, const fg_browser_signin_t *in, const char *message,
                              fg_str_t username) {
    fg_err_t err = FG_ERR_INIT;
    bool choice;
    fg_home_realm_only(ex, &choice);
    fg_str_t csrf, action = own_url(ex, in, false), other = choice ? own_url(ex, in, true) : FG_STR("");
    if (!fg_form_token_make(ex, FORM_PURPOSE, &csrf, &err))
        return refuse(ex, in, &err);
    if (action.p == NULL || other.p == NULL) {
        FG_FAIL(&err, FG_E_WSFED_REQUEST, "the request is too long to be brought back by a form");
        return refuse(ex, in, &err);
    }
    return show(ex, in, "sign_in",
                json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "action", text_of(action), "application",
                          text_of(in->application), "username", text_of(username), "message", message, "csrf",
                          text_of(csrf), "realm_choice_url", text_of(other)));
}

/* The new session keeps the old one's relying parties: signing out must still reach them. */
static bool begin_session(fg_exchange_t *ex, fg_browser_signin_t *in, fg_err_t *err) {
    const fg_signin_t *signin = &ex->signin;
    fg_session_t session;
    if (in->method != NULL && fg_authmethod_find(signin->identity.auth_method) != in->method)
        return FG_FAIL(err, FG_E_WSFED_AUTH, "signed in by %.*s", FG_STR_ARG(signin->identity.auth_method));
    if (!fg_session_begin(ex, &signin->identity, signin->realm->uri, &session, err))
        return false;
    if (in->signed_in)
        fg_session_add_parties(&session, in->session.parties, in->session.party_count);
    in->session = session;
    in->signed_in = true;
    return remember_home_realm(ex, in, err);
}

/* What the sign-in page says of a refusal; the rest goes the way of all errors.  What only a right password leads to
 * may be said. */
static const char *message_of(fg_code_t code) {
    static const struct {
        fg_code_t code;
        const char *message;
    } table[] = {
        {FG_E_AUTH_FAILED, "wrong"},          {FG_E_AUTH_LOCKED, "wrong"},       {FG_E_AUTH_MISSING, "wrong"},
        {FG_E_AUTH_ACCOUNT_LOCKED, "wrong"},  {FG_E_AUTH_DISABLED, "disabled"},  {FG_E_AUTH_EXPIRED, "over"},
        {FG_E_AUTH_RESTRICTED, "restricted"}, {FG_E_AUTH_MUST_CHANGE, "change"}, {FG_E_DIRECTORY, "directory"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++)
        if (table[i].code == code)
            return table[i].message;
    return NULL;
}

static fg_step_t show_change(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_password_change_t *change,
                             const char *message) {
    fg_err_t err = FG_ERR_INIT;
    return fg_password_change_show(ex, change, message, &err) ? FG_STEP_DONE : refuse(ex, in, &err);
}

static fg_step_t after_password(fg_exchange_t *ex) {
    fg_browser_signin_t *in = ex->browser;
    fg_err_t err = FG_ERR_INIT;
    const fg_password_change_t change = {own_url(ex, in, false), in->application, ex->signin.realm, ex->signin.user};
    if (fg_password_change_is_possible(&ex->signin))
        return show_change(ex, in, &change, "");
    const char *message = ex->signin.ok ? NULL : message_of(ex->signin.err.code);
    if (message != NULL)
        return show_sign_in(ex, in, message, ex->signin.user);
    if (!ex->signin.ok)
        return refuse(ex, in, &ex->signin.err);
    if (!begin_session(ex, in, &err))
        return refuse(ex, in, &err);
    return in->finish(ex, in);
}

static bool read_form(fg_exchange_t *ex, const fg_browser_signin_t *in, fg_str_t *user, fg_str_t *password,
                      fg_err_t *err) {
    size_t users, passwords, tokens;
    *user = fg_params_get(in->form, "username", &users);
    *password = fg_params_get(in->form, "password", &passwords);
    fg_str_t csrf = fg_params_get(in->form, "csrf", &tokens);
    if (users > 1 || passwords > 1 || tokens > 1)
        return FG_FAIL(err, FG_E_WSFED_REQUEST, "a field of the sign-in form was sent twice");
    return fg_form_token_check(ex, FORM_PURPOSE, csrf, err);
}

static fg_step_t after_change(fg_exchange_t *ex) {
    const fg_browser_signin_t *in = ex->browser;
    const fg_password_change_t change = {own_url(ex, in, false), in->application, ex->signin.realm, ex->signin.user};
    const char *message = ex->signin.ok ? NULL : fg_password_change_message(&ex->signin);
    return message != NULL ? show_change(ex, in, &change, message) : after_password(ex);
}

/* The form of the page that asks for another password. */
static fg_step_t submit_change(fg_exchange_t *ex, fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_password_change_t change = {.action = own_url(ex, in, false), .application = in->application};
    const char *message;
    if (!fg_password_change_read(ex, in->form, &change, &err))
        return refuse(ex, in, &err);
    if (!fg_password_change_begin(ex, in->form, &change, after_change, &message))
        return show_change(ex, in, &change, message);
    return FG_STEP_PASSWORD;
}

static fg_step_t submit(fg_exchange_t *ex, fg_browser_signin_t *in, const fg_home_realm_t *realm) {
    fg_err_t err = FG_ERR_INIT;
    fg_str_t user, password;
    if (fg_password_change_is_sent(in->form))
        return submit_change(ex, in);
    if (!read_form(ex, in, &user, &password, &err))
        return refuse(ex, in, &err);
    return fg_signin_begin(ex, realm, user, password, after_password);
}

/* ---- by a ticket of Kerberos (hub/negotiate.h) */

/* A ticket is not asked for where somebody must show himself anew: it would say the same as before. */
static bool may_negotiate(const fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_home_realm_t *realm) {
    const fg_negotiate_rules_t *rules = ex->hub->negotiate;
    bool right_way = in->method == NULL || in->method == fg_authmethod_find(FG_STR(FG_AUTH_WINDOWS));
    return rules != NULL && right_way && in->form == NULL && in->fresh_ms != 0 && realm != NULL &&
           realm->directory != NULL && realm->directory == rules->home_realm->directory;
}

/* Its owner, signed in; whoever has no good one gets the form. */
static fg_step_t take_ticket(fg_exchange_t *ex, fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_negotiated_t who;
    if (!fg_negotiate_header(ex, fg_negotiate_find(ex), &who, &err)) {
        if (!in->passive)
            return show_sign_in(ex, in, "", in->user.n > 0 ? in->user : get_user(in));
        return refuse(ex, in, &err);
    }
    ex->signin = (fg_signin_t){.realm = who.realm, .ok = true, .identity = who.identity};
    if (!begin_session(ex, in, &err))
        return refuse(ex, in, &err);
    fg_step_t step = in->finish(ex, in);
    fg_negotiate_answer(ex, who.answer);
    return step;
}

/* The form is there for whoever has no ticket: browsers show it when they do not answer the challenge. */
static fg_step_t challenge(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    fg_step_t step = show_sign_in(ex, in, "", in->user.n > 0 ? in->user : get_user(in));
    if (ex->response.status != 200)
        return step;
    ex->response.status = 401;
    fg_negotiate_answer(ex, FG_STR_NONE);
    return step;
}

/* ---- what to do */

/* What was asked for holds for the session's sign-in as it holds for a new one (WF-07). */
static bool session_satisfies(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    const fg_session_t *session = &in->session;
    if (!in->signed_in)
        return false;
    bool old = in->fresh_ms >= 0 && ex->now_ms - session->identity.auth_instant_ms >= in->fresh_ms;
    if (old && !is_just_done(ex, in))
        return false;
    if (in->method != NULL && fg_authmethod_find(session->identity.auth_method) != in->method)
        return false;
    const fg_home_realm_t *realm = fg_find_home_realm(ex, session->home_realm);
    if (in->local && (realm == NULL || realm->directory == NULL))
        return false;
    return in->home_realm == NULL || (realm != NULL && fg_str_eq(realm->uri, in->home_realm->uri));
}

/* ---- somebody else's discovery service (sstc-saml-idp-discovery §2.4.1): it sends the browser back with the choice */

static fg_step_t ask_service(fg_exchange_t *ex, const fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t back = FG_BUF_INIT(URL_MAX), url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&back, own_url(ex, in, false));
    fg_uri_put_param(&back, FG_STR(DISCOVERED), FG_STR("1"));
    fg_buf_put_str(&url, ex->hub->discovery_service);
    fg_uri_put_param(&url, FG_STR("entityID"), ex->hub->entity_id);
    fg_uri_put_param(&url, FG_STR("return"), fg_buf_str(&back));
    fg_uri_put_param(&url, FG_STR("returnIDParam"), FG_STR(REALM));
    if (in->passive)
        fg_uri_put_param(&url, FG_STR("isPassive"), FG_STR("true"));
    bool good = fg_buf_ok(&back) && fg_buf_ok(&url);
    if (good)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&back);
    fg_buf_free(&url);
    if (good)
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_WSFED_REQUEST, "the request is too long to be brought back");
    return refuse(ex, in, &err);
}

/* Once for a request: if it knows no answer, our own page does. */
static bool asks_service(const fg_exchange_t *ex, const fg_browser_signin_t *in) {
    return ex->hub->discovery_service.n > 0 && get(in, DISCOVERED).n == 0 && get(in, CHOOSE).n == 0 &&
           get(in, FG_SEARCH_PARAM).n == 0 && get(in, FG_PAGE_PARAM).n == 0 && !in->local;
}

/* To ourselves, with what was found out. */
static fg_step_t take_hint(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_home_realm_t *realm) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&url, own_url(ex, in, false));
    fg_uri_put_param(&url, FG_STR(REALM), realm->uri);
    fg_str_t mail = get(in, HINT).n > 0 ? FG_STR_NONE : fg_str_trim(get(in, FG_SEARCH_PARAM));
    if (mail.n > 0 && in->is_kept(FG_STR(HINT)))
        fg_uri_put_param(&url, FG_STR(HINT), mail);
    bool good = fg_buf_ok(&url);
    if (good)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    if (good)
        return FG_STEP_DONE;
    FG_FAIL(&err, FG_E_WSFED_REQUEST, "the request is too long to be brought back");
    return refuse(ex, in, &err);
}

fg_step_t fg_browser_sign_in(fg_exchange_t *ex, fg_browser_signin_t *in) {
    fg_err_t err = FG_ERR_INIT;
    bool many;
    ex->browser = in;
    in->signed_in = fg_session_open(ex, &in->session);
    if (in->form == NULL && session_satisfies(ex, in))
        return in->finish(ex, in);
    if (was_refused(ex, in, &err))
        return refuse(ex, in, &err);
    if (fg_request_is_paos(&ex->request) && !in->local && fg_client_signin_is_served(ex, in->home_realm))
        return answer_client(ex, in);
    const fg_home_realm_t *realm = choose_home_realm(ex, in, &many);
    const fg_home_realm_t *hinted = many && in->home_realm == NULL ? find_hinted(ex, in) : NULL;
    if (hinted != NULL)
        return take_hint(ex, in, hinted);
    if (realm == NULL && many && asks_service(ex, in))
        return ask_service(ex, in);
    if (!check_method(ex, in, realm, &err))
        return refuse(ex, in, &err);
    bool ticket = may_negotiate(ex, in, realm);
    if (ticket && fg_negotiate_find(ex).p != NULL)
        return take_ticket(ex, in);
    if (in->passive && in->form == NULL && (realm == NULL || realm->directory != NULL)) {
        FG_FAIL(&err, FG_E_SAML_PASSIVE, "a page would have to be shown");
        return refuse(ex, in, &err);
    }
    if (realm == NULL && many)
        return show_home_realms(ex, in);
    if (realm != NULL && realm->directory == NULL)
        return leave(ex, in, realm, &err) ? FG_STEP_DONE : refuse(ex, in, &err);
    if (ticket && (in->method != NULL || fg_negotiate_fits(ex)))
        return challenge(ex, in);
    return in->form != NULL ? submit(ex, in, realm)
                            : show_sign_in(ex, in, "", in->user.n > 0 ? in->user : get_user(in));
}

/* ---- loops */

bool fg_browser_check_loop(fg_exchange_t *ex, const fg_browser_signin_t *in, const fg_partner_t *partner,
                           fg_str_t realm, fg_err_t *err) {
    fg_store_t *store = ex->env->store;
    const char *key = fg_arena_printf(ex->arena, "loop:%s:%.*s", in->session.id, (int)realm.n, realm.p);
    int64_t rounds = 0;
    if (store == NULL || key == NULL ||
        store->add(store, fg_str(key), 1, ex->now_ms, ex->now_ms + LOOP_WINDOW, &rounds) != FG_STORE_OK)
        return true; /* a comfort, no one-time check: it does not fail closed */
    return rounds <= LOOP_ROUNDS ||
           FG_FAIL(err, FG_E_WSFED_LOOP, "%s: %lld tokens in 20 s", partner->name, (long long)rounds);
}
