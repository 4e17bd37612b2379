/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/federation.h"
#include "hub/web_access.h"

#include "core/crypto.h"
#include "core/time.h"
#include "hub/access.h"
#include "hub/browser.h"
#include "hub/bytes.h"
#include "hub/client_signin.h"
#include "hub/kept.h"
#include "hub/seal.h"
#include "hub/web_form.h"

#define TARGET_MAX 4096u
#define TO_MAX 8192u
#define TO_LIFETIME FG_HOUR
#define POST_LIFETIME (30 * FG_MINUTE)
#define TICKET_LIFETIME FG_MINUTE
#define BYTES_MAX (96u << 10)
#define TO "to"
#define TICKET "ticket"
#define POST "kept-post"
#define SIGN_OUT_AT "/adfs/ls/?wa=wsignout1.0"

/* What somebody wanted who had to sign in first. */
typedef struct errand {
    int64_t made_ms;
    fg_str_t host;    /* where it is */
    fg_str_t browser; /* its id at that host: nobody else comes back with this errand (WF-08) */
    fg_str_t target;  /* path and query there, as they were sent */
    fg_str_t post;    /* word of the form that was kept; .n 0: none */
} errand_t;

/* ---- who asks */

/* Absent, or sent once with one of two values. */
static bool header_is(const fg_request_t *request, const char *name, const char *value, const char * or) {
    size_t times;
    fg_str_t text = fg_request_header(request, name, &times);
    return times == 0 || (times == 1 && (fg_str_is(text, value) || fg_str_is(text, or)));
}

static bool wants_page(const fg_request_t *request) {
    fg_str_t accept = fg_request_header(request, "accept", NULL);
    if (accept.n == 0)
        return false;
    if (memmem(accept.p, accept.n, "text/html", 9) != NULL)
        return true;
    bool any = memmem(accept.p, accept.n, "*/*", 3) != NULL;
    return any && fg_str_is(fg_request_header(request, "sec-fetch-mode", NULL), "navigate");
}

bool fg_request_is_browser(const fg_request_t *request) {
    return (request->method & (FG_METHOD_GET | FG_METHOD_HEAD | FG_METHOD_POST)) != 0 && wants_page(request) &&
           header_is(request, "sec-fetch-mode", "navigate", "navigate") &&
           header_is(request, "sec-fetch-dest", "document", "iframe") &&
           fg_request_header(request, "x-requested-with", NULL).p == NULL &&
           fg_request_header(request, "authorization", NULL).p == NULL;
}

/* ---- the errand as bytes */

static void write_errand(fg_buf_t *out, const errand_t *errand) {
    fg_bytes_put_number(out, (uint64_t)errand->made_ms, 8);
    fg_bytes_put_string(out, errand->host);
    fg_bytes_put_string(out, errand->browser);
    fg_bytes_put_string(out, errand->target);
    fg_bytes_put_string(out, errand->post);
}

static void read_errand(fg_bytes_t *in, errand_t *errand) {
    errand->made_ms = (int64_t)fg_bytes_get_number(in, 8);
    errand->host = fg_bytes_get_string(in);
    errand->browser = fg_bytes_get_string(in);
    errand->target = fg_bytes_get_string(in);
    errand->post = fg_bytes_get_string(in);
}

/* ---- asking */

/* Path and query as the browser sent them.  A host stands before them when they are used, so that they lead nowhere
 * else (SA-11); what a browser would read in a way of its own is refused all the same. */
static bool read_target(fg_exchange_t *ex, fg_str_t *target, fg_err_t *err) {
    const fg_request_t *request = &ex->request;
    *target = fg_str(fg_arena_printf(ex->arena, "%.*s%s%.*s", (int)request->raw_path.n, request->raw_path.p,
                                     request->query.n ? "?" : "", (int)request->query.n, request->query.p));
    if (target->p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "the address");
    if (target->n > TARGET_MAX)
        return FG_FAIL(err, FG_E_HTTP_TOO_LARGE, "an address of %zu bytes cannot be kept over the sign-in", target->n);
    bool good = target->p[0] == '/' && target->p[1] != '/';
    for (size_t i = 0; i < target->n && good; i++)
        good = target->p[i] > ' ' && target->p[i] < 0x7f && target->p[i] != '\\' && target->p[i] != '#';
    return good || FG_FAIL(err, FG_E_HTTP_REQUEST, "the address is not one that can be come back to");
}

/* A form of another site comes without our Lax cookies, whoever is signed in.  To send it once more from here would
 * give it what the browser held back: only forms of the location's own pages are kept. */
static bool is_own_form(fg_exchange_t *ex) {
    size_t times;
    fg_str_t site = fg_request_header(&ex->request, "sec-fetch-site", &times);
    if (times > 0)
        return times == 1 && fg_str_is(site, "same-origin");
    fg_str_t origin = fg_request_header(&ex->request, "origin", &times), host = fg_bound_host(ex);
    const char *ours = fg_arena_printf(ex->arena, "https://%.*s", (int)host.n, host.p);
    return times == 1 && ours != NULL && fg_str_is(origin, ours);
}

static bool keep_post(fg_exchange_t *ex, fg_str_t *word, fg_err_t *err) {
    const fg_request_t *request = &ex->request;
    size_t times;
    fg_str_t type = fg_request_header(request, "content-type", &times);
    fg_web_form_t form;
    if (!is_own_form(ex))
        return FG_FAIL(err, FG_E_HTTP_FORM, "another site's form");
    if (request->body_too_large || !request->body_read || times != 1)
        return FG_FAIL(err, FG_E_HTTP_FORM, "a form that is too large, or without one Content-Type");
    if (!fg_web_form_read(ex->arena, type, request->body, &form, err) || !fg_word_make(ex, word, err))
        return false;
    fg_buf_t bytes = FG_BUF_INIT(BYTES_MAX);
    fg_bytes_put_string(&bytes, type);
    fg_bytes_put_string(&bytes, request->body);
    bool kept = fg_buf_ok(&bytes) || FG_FAIL(err, FG_E_MEMORY, "form");
    kept = kept && fg_kept_count(ex, bytes.length, err) &&
           fg_kept_put(ex, POST, *word, fg_buf_str(&bytes), ex->now_ms + POST_LIFETIME, err);
    fg_buf_free(&bytes);
    return kept;
}

static bool redirect_to_sign_in(fg_exchange_t *ex, const errand_t *errand, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(TO_MAX), url = FG_BUF_INIT(2 * TO_MAX);
    fg_str_t sealed = FG_STR_NONE;
    fg_bytes_put_string(&bytes, fg_str(ex->access->protect->name));
    write_errand(&bytes, errand);
    bool done = fg_buf_ok(&bytes) && fg_seal_for(ex, TO, ex->hub->host, fg_buf_str(&bytes), &sealed);
    fg_buf_put_str(&url, ex->hub->base_url);
    fg_buf_puts(&url, FG_WEB_ACCESS_SIGN_IN);
    fg_uri_put_param(&url, FG_STR(TO), sealed);
    done = done && fg_buf_ok(&url);
    if (done)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&bytes);
    fg_buf_free(&url);
    return done || FG_FAIL(err, FG_E_INTERNAL, "the way to the sign-in page could not be made");
}

static fg_str_t errand_url(fg_exchange_t *ex, const errand_t *errand) {
    return fg_str(fg_arena_printf(ex->arena, "https://%.*s%.*s", (int)errand->host.n, errand->host.p,
                                  (int)errand->target.n, errand->target.p));
}

/* A client of PAOS gets its request from here; at another host than the gateway's, whose cookies the answer would come
 * without, it is sent to the sign-in page's address like a browser, and gets it there. */
static bool is_client_here(const fg_exchange_t *ex, const errand_t *errand) {
    return fg_request_is_paos(&ex->request) && fg_client_signin_is_served(ex, ex->access->protect->home_realm) &&
           fg_str_eq(errand->host, ex->hub->host);
}

static bool answer_client(fg_exchange_t *ex, const errand_t *errand, fg_err_t *err) {
    const fg_partner_signin_t signin = {
        .realm = ex->access->protect->home_realm,
        .by_client = true,
        .back = errand_url(ex, errand),
        .fresh_ms = -1,
    };
    return (signin.back.p != NULL || FG_FAIL(err, FG_E_MEMORY, "the address")) &&
           fg_client_signin_begin(ex, &signin, err);
}

static bool send_away(fg_exchange_t *ex, errand_t *errand, fg_err_t *err) {
    if (is_client_here(ex, errand))
        return answer_client(ex, errand, err);
    if (!fg_browser_id(ex, true, &errand->browser))
        return FG_FAIL(err, FG_E_INTERNAL, "no randomness for a browser's id");
    return redirect_to_sign_in(ex, errand, err);
}

fg_step_t fg_web_access_ask(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    errand_t errand = {.made_ms = ex->now_ms, .host = fg_bound_host(ex)};
    bool post = ex->request.method == FG_METHOD_POST;
    bool done = read_target(ex, &errand.target, &err) && (!post || keep_post(ex, &errand.post, &err));
    if (!done || !send_away(ex, &errand, &err))
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}

/* ---- on */

static json_t *text_of(fg_str_t s) { return json_stringn(s.p ? s.p : "", s.n); }

static bool show(fg_exchange_t *ex, const char *page, json_t *model, fg_err_t *err) {
    return (model != NULL && ex->hub->render(ex, 200, page, model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page %s could not be made", page);
}

/* After a form a page leads on instead of a redirect: the page that had the form sets form-action 'self', which
 * Chromium holds against the redirects behind the form too. */
static bool go_on(fg_exchange_t *ex, fg_str_t url, fg_str_t application, fg_err_t *err) {
    if (url.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "the way back");
    if (ex->request.method == FG_METHOD_POST)
        return show(ex, "go_on", json_pack("{s:o, s:o}", "url", text_of(url), "application", text_of(application)),
                    err);
    fg_response_redirect(ex, url);
    return true;
}

/* The browser that is back is the one that was sent away. */
static bool check_browser(fg_exchange_t *ex, const errand_t *errand, fg_err_t *err) {
    fg_str_t id;
    return (fg_browser_id(ex, false, &id) && fg_equal_secret(id, errand->browser)) ||
           FG_FAIL(err, FG_E_CSRF, "the request was made in another browser");
}

/* Sends the form that was kept, by a page that does it at once. */
static bool send_form(fg_exchange_t *ex, const errand_t *errand, fg_str_t application, fg_err_t *err) {
    fg_str_t bytes;
    fg_web_form_t form;
    if (!check_browser(ex, errand, err) || !fg_kept_take(ex, POST, errand->post, &bytes, err))
        return false;
    fg_bytes_t in = {bytes, false};
    fg_str_t type = fg_bytes_get_string(&in), body = fg_bytes_get_string(&in);
    if (!fg_bytes_end(&in) || !fg_web_form_read(ex->arena, type, body, &form, err))
        return FG_FAIL(err, FG_E_HTTP_FORM, "the form that was kept is not whole");
    json_t *fields = json_array();
    for (size_t i = 0; i < form.count; i++)
        (void)json_array_append_new(fields, json_pack("{s:o, s:o}", "name", text_of(form.items[i].name), "value",
                                                      text_of(form.items[i].value)));
    return show(ex, "auto_post",
                json_pack("{s:o, s:o, s:s, s:o}", "action", text_of(errand_url(ex, errand)), "fields", fields,
                          "enctype", form.enctype, "application", text_of(application)),
                err);
}

static bool resume(fg_exchange_t *ex, const errand_t *errand, fg_str_t application, fg_err_t *err) {
    if (errand->post.n > 0)
        return send_form(ex, errand, application, err);
    return go_on(ex, errand_url(ex, errand), application, err);
}

/* ---- to another host: by a word that is good there once, at once, and for the browser that asked */

static bool put_ticket(fg_exchange_t *ex, const errand_t *errand, const fg_session_t *session, fg_str_t *word,
                       fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(BYTES_MAX);
    errand_t now = *errand;
    now.made_ms = ex->now_ms;
    write_errand(&bytes, &now);
    fg_session_write(&bytes, session);
    bool done = fg_buf_ok(&bytes) ? fg_word_make(ex, word, err) && fg_kept_put(ex, TICKET, *word, fg_buf_str(&bytes),
                                                                               ex->now_ms + TICKET_LIFETIME, err)
                                  : FG_FAIL(err, FG_E_MEMORY, "ticket");
    fg_buf_free(&bytes);
    return done;
}

static bool go_to_host(fg_exchange_t *ex, const errand_t *errand, const fg_session_t *session, fg_str_t application,
                       fg_err_t *err) {
    fg_str_t word;
    if (!put_ticket(ex, errand, session, &word, err))
        return false;
    const char *url = fg_arena_printf(ex->arena, "https://%.*s" FG_WEB_ACCESS_RETURN "?" TICKET "=%.*s",
                                      (int)errand->host.n, errand->host.p, (int)word.n, word.p);
    return go_on(ex, fg_str(url), application, err);
}

static bool read_ticket(fg_exchange_t *ex, errand_t *errand, fg_session_t *session, fg_err_t *err) {
    fg_params_t params;
    size_t times;
    fg_str_t bytes;
    if (ex->request.method == FG_METHOD_POST)
        return FG_FAIL(err, FG_E_HTTP_METHOD, "POST");
    if (!fg_params_parse(ex->arena, ex->request.query, &params, err))
        return false;
    fg_str_t word = fg_params_get(&params, TICKET, &times);
    if (times != 1 || !fg_word_is(word))
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "no ticket");
    if (!fg_kept_take(ex, TICKET, word, &bytes, err))
        return false;
    fg_bytes_t in = {bytes, false};
    read_errand(&in, errand);
    *session = (fg_session_t){0};
    if (in.failed || !fg_session_read(ex->arena, in.rest, session))
        return FG_FAIL(err, FG_E_INTERNAL, "the ticket is not whole");
    if (!fg_str_eq(errand->host, fg_bound_host(ex)))
        return FG_FAIL(err, FG_E_CSRF, "the ticket is for %.*s", FG_STR_ARG(errand->host));
    return check_browser(ex, errand, err);
}

fg_step_t fg_web_access_return(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    errand_t errand;
    fg_session_t session;
    if (!read_ticket(ex, &errand, &session, &err) || !fg_session_save(ex, &session, &err) ||
        !resume(ex, &errand, fg_str(ex->access->protect->display_name), &err))
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}

/* ---- the sign-in endpoint */

typedef struct web_access {
    fg_params_t params;
    fg_params_t form;
    const fg_protect_t *protect;
    errand_t errand;
    fg_browser_signin_t signin;
} web_access_t;

static bool is_kept(fg_str_t name) {
    return fg_str_is(name, TO) || fg_str_is(name, "whr") || fg_str_is(name, "login_hint");
}

static const fg_protect_t *find_protect(const fg_hub_t *hub, fg_str_t name) {
    for (size_t i = 0; i < hub->protect_count; i++)
        if (fg_str_is(name, hub->protects[i].name))
            return &hub->protects[i];
    return NULL;
}

/* The location's host is still one. */
static bool has_host(const fg_hub_t *hub, const fg_protect_t *protect, fg_str_t host) {
    if (fg_str_eq(host, hub->host))
        return true;
    for (size_t i = 0; i < protect->host_count; i++)
        if (fg_str_eq(host, protect->hosts[i]))
            return true;
    return false;
}

static bool read_to(fg_exchange_t *ex, web_access_t *in, fg_err_t *err) {
    size_t times;
    fg_str_t bytes, text = fg_params_get(&in->params, TO, &times);
    if (times != 1 || text.n > TO_MAX || !fg_cookie_unseal(ex, TO, text, &bytes))
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "no errand that was sealed here");
    fg_bytes_t read = {bytes, false};
    fg_str_t name = fg_bytes_get_string(&read);
    read_errand(&read, &in->errand);
    in->protect = fg_bytes_end(&read) ? find_protect(ex->hub, name) : NULL;
    if (in->protect == NULL || !has_host(ex->hub, in->protect, in->errand.host))
        return FG_FAIL(err, FG_E_HTTP_NOT_FOUND, "protected location \"%.*s\" at %.*s is not there any more",
                       FG_STR_ARG(name), FG_STR_ARG(in->errand.host));
    if (ex->now_ms - in->errand.made_ms >= TO_LIFETIME)
        return FG_FAIL(err, FG_E_CSRF, "the page was asked for over an hour ago");
    return true;
}

static bool read_home_realm(fg_exchange_t *ex, web_access_t *in, fg_err_t *err) {
    size_t times;
    fg_str_t uri = fg_params_get(&in->params, "whr", &times);
    in->signin.home_realm = in->protect->home_realm;
    if (times > 1)
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "whr was sent %zu times", times);
    if (uri.n == 0 || in->signin.home_realm != NULL)
        return true;
    in->signin.home_realm = fg_find_home_realm(ex, uri);
    return in->signin.home_realm != NULL || FG_FAIL(err, FG_E_WSFED_HOME_REALM, "whr \"%.*s\"", FG_STR_ARG(uri));
}

static bool read_request(fg_exchange_t *ex, web_access_t *in, fg_err_t *err) {
    const fg_request_t *request = &ex->request;
    bool post = request->method == FG_METHOD_POST;
    if (post && !fg_str_is(fg_request_media_type(ex->arena, request), "application/x-www-form-urlencoded"))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "a form is expected, with one Content-Type");
    if (!fg_params_parse(ex->arena, request->query, &in->params, err) ||
        (post && !fg_params_parse(ex->arena, request->body, &in->form, err)))
        return false;
    return read_to(ex, in, err) && read_home_realm(ex, in, err);
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *signin) {
    const web_access_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    bool here = fg_str_eq(in->errand.host, ex->hub->host);
    bool done = fg_session_save(ex, &signin->session, &err) &&
                (here ? resume(ex, &in->errand, signin->application, &err)
                      : go_to_host(ex, &in->errand, &signin->session, signin->application, &err));
    if (!done)
        fg_response_error_page(ex, &err);
    return FG_STEP_DONE;
}

static fg_step_t sign_in(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    web_access_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    if (in == NULL)
        FG_FAIL(&err, FG_E_MEMORY, "request");
    if (in == NULL || !read_request(ex, in, &err)) {
        fg_response_error_page(ex, &err);
        return FG_STEP_DONE;
    }
    ex->state = in;
    in->signin.path = FG_STR(FG_WEB_ACCESS_SIGN_IN);
    in->signin.params = &in->params;
    in->signin.is_kept = is_kept;
    in->signin.application = fg_str(in->protect->display_name);
    in->signin.memory = fg_str(fg_arena_printf(ex->arena, "protect:%s", in->protect->name));
    in->signin.fresh_ms = -1;
    in->signin.form = ex->request.method == FG_METHOD_POST ? &in->form : NULL;
    in->signin.finish = finish;
    in->signin.refuse = fg_response_error_page;
    return fg_browser_sign_in(ex, &in->signin);
}

/* For links on protected pages: an address that is easy to remember. */
static fg_step_t sign_out(fg_exchange_t *ex) {
    fg_response_redirect(
        ex, fg_str(fg_arena_printf(ex->arena, "%.*s" SIGN_OUT_AT, (int)ex->hub->base_url.n, ex->hub->base_url.p)));
    return FG_STEP_DONE;
}

static const fg_endpoint_t endpoints[] = {
    {FG_WEB_ACCESS_SIGN_IN, FG_METHOD_GET | FG_METHOD_POST, true, sign_in, fg_response_error_page},
    {FG_WEB_ACCESS_SIGN_OUT, FG_METHOD_GET, true, sign_out, fg_response_error_page},
};

const fg_protocol_t fg_web_access_protocol = {"web", endpoints, FG_ARRAY_SIZE(endpoints)};
