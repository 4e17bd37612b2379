/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The authorization endpoint (RFC 6749 §3.1, OpenID Connect core §3.1.2): who asks, for what, is the session good
 * enough, else sign in; then, if the client or its registration asks for that, may it?; then the code.  The request is
 * read from its sealed text again on each step. */
#include "bridges/openid/oauth_access.h"
#include "bridges/openid/oauth_request.h"
#include "bridges/openid/oidc_token.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/browser.h"
#include "hub/errand.h"

#define CONSENT_PURPOSE "oauth-consent"

typedef struct authorize {
    fg_oauth_request_t request;
    fg_params_t asked;  /* what the client sent */
    fg_params_t params; /* of our own address: the errand */
    fg_params_t form;
    bool consented;
    fg_browser_signin_t browser;
} authorize_t;

static bool is_kept(fg_str_t name) { return fg_str_is(name, FG_OPENID_ERRAND) || fg_str_is(name, "whr"); }

/* ---- refusals: to the client once it is known where that is */

static void refuse(fg_exchange_t *ex, const fg_err_t *why) {
    const authorize_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    /* a form that is too old, or was opened elsewhere, is the person's business */
    if (in == NULL || in->request.redirect_uri.n == 0 || why->code == FG_E_CSRF) {
        fg_response_error_page(ex, why);
        return;
    }
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID_PROTOCOL)},
                                       {"partner", fg_str(in->request.partner->name)}};
    fg_audit(ex, "refused", why, fields, FG_ARRAY_SIZE(fields));
    if (!fg_oauth_respond(ex, &in->request, NULL, why, &err))
        fg_response_error_page(ex, &err);
}

static fg_step_t refused(fg_exchange_t *ex, const fg_err_t *err) {
    refuse(ex, err);
    return FG_STEP_DONE;
}

/* ---- the answer */

static int64_t grant_end(const fg_exchange_t *ex, const fg_oauth_request_t *request) {
    bool refreshes = fg_openid_word_in(request->scope, "offline_access");
    int64_t life = refreshes ? request->client->refresh_lifetime_ms : request->partner->token_lifetime_ms;
    return ex->now_ms + FG_OAUTH_CODE_LIFETIME + life;
}

static bool note_party(fg_exchange_t *ex, authorize_t *in, fg_err_t *err) {
    const fg_session_party_t party = {.protocol = FG_PROTOCOL_OPENID, .realm = in->request.client->id};
    if (!fg_session_add_party(&in->browser.session, &party))
        fg_log(ex->env, FG_LOG_WARN, "%s: %s will not be told of the sign-out: the session holds %d relying parties",
               ex->correlation_id, in->request.partner->name, FG_SESSION_PARTIES);
    return fg_session_save(ex, &in->browser.session, err);
}

/* What the implicit and hybrid flows give at once (core §3.2, §3.3). */
static bool make_tokens(fg_exchange_t *ex, const fg_oauth_request_t *request, const fg_oauth_grant_t *grant,
                        fg_oauth_answer_t *told, fg_err_t *err) {
    fg_oidc_person_t person;
    if (request->response == FG_RESPONSE_CODE)
        return true;
    if (!fg_oidc_person_find(ex, request->partner, grant, &person, err))
        return false;
    const fg_oauth_access_t access = {
        .client = request->partner,
        .target = {grant->resource.n > 0 ? fg_hub_find_partner(ex->hub, grant->resource) : NULL, grant->resource},
        .identity = &grant->session.identity,
        .subject = person.subject,
        .user = person.user,
        .scope = grant->scope,
        .family = grant->family,
    };
    if ((request->response & FG_RESPONSE_TOKEN) != 0 &&
        !fg_oauth_access_write(ex, &access, &told->access_token, &told->lifetime_ms, err))
        return false;
    person.has_no_access_token = request->response == FG_RESPONSE_ID_TOKEN;
    return (request->response & FG_RESPONSE_ID_TOKEN) == 0 ||
           fg_oidc_id_token_write(ex, &person, told->access_token, told->code, &told->id_token, err);
}

static bool answer(fg_exchange_t *ex, authorize_t *in, fg_err_t *err) {
    const fg_oauth_request_t *request = &in->request;
    fg_oauth_answer_t told = {.code = FG_STR_NONE};
    fg_str_t code;
    fg_oauth_grant_t grant = {
        .client_id = request->client->id,
        .redirect_uri = request->redirect_uri,
        .challenge = request->challenge,
        .nonce = request->nonce,
        .scope = request->scope,
        .resource = request->resource,
        .claims = request->claims_text,
        .key = request->key,
        .until_ms = grant_end(ex, request),
        .session = in->browser.session,
    };
    if (!fg_oauth_grant_begin(ex, &grant, &code, err) || !note_party(ex, in, err))
        return false;
    if ((request->response & FG_RESPONSE_CODE) != 0)
        told.code = code;
    return make_tokens(ex, request, &grant, &told, err) && fg_oauth_respond(ex, request, &told, NULL, err);
}

/* ---- consent */

static bool needs_consent(fg_exchange_t *ex, const authorize_t *in) {
    if (in->consented || (in->request.prompt & FG_PROMPT_CONSENT) != 0)
        return !in->consented;
    return in->request.client->asks_consent &&
           !fg_oauth_consent_is_remembered(ex, &in->request, &in->browser.session.identity);
}

/* A form's token counts for this session and client alone. */
static const char *consent_purpose(fg_exchange_t *ex, const fg_session_t *session, const authorize_t *in) {
    const char *text = fg_arena_printf(ex->arena, CONSENT_PURPOSE ":%s:%.*s", session->id,
                                       (int)in->request.client->id.n, in->request.client->id.p);
    return text ? text : CONSENT_PURPOSE;
}

static bool show_consent(fg_exchange_t *ex, authorize_t *in, fg_err_t *err) {
    fg_session_t *session = &in->browser.session;
    const fg_claim_t *name = fg_claims_get(&session->identity.claims, FG_CLAIM_NAME);
    fg_buf_t url = FG_BUF_INIT(4 * FG_ERRAND_MAX);
    fg_str_t csrf;
    if ((in->request.prompt & FG_PROMPT_NONE) != 0)
        return FG_FAIL(err, FG_E_OPENID_CONSENT, "a page would have to be shown");
    if (!fg_session_save(ex, session, err) || !fg_form_token_make(ex, consent_purpose(ex, session, in), &csrf, err))
        return false;
    fg_buf_put_str(&url, fg_openid_url(ex, FG_OPENID_AUTHORIZE));
    for (size_t i = 0; i < in->params.count; i++)
        if (is_kept(in->params.items[i].name))
            fg_uri_put_param(&url, in->params.items[i].name, in->params.items[i].value);
    json_t *model = !fg_buf_ok(&url) ? NULL
                                     : json_pack("{s:s%, s:s, s:s%, s:s%, s:o}", "action", url.data, url.length,
                                                 "application", in->request.partner->display_name, "csrf", csrf.p,
                                                 csrf.n, "person", name ? name->value.p : "", name ? name->value.n : 0,
                                                 "scopes", fg_openid_scope_model(in->request.scope));
    fg_buf_free(&url);
    return (model != NULL && ex->hub->render(ex, 200, "consent", model)) ||
           FG_FAIL(err, FG_E_INTERNAL, "page consent could not be made");
}

/* What the consent page sent: the person signed in before it was shown, so that need not be newer than the request. */
static bool take_consent(fg_exchange_t *ex, authorize_t *in, fg_err_t *err) {
    size_t times;
    fg_session_t session;
    fg_str_t choice = fg_params_get(&in->form, "consent", &times);
    if (times == 0)
        return true;
    if (!fg_session_open(ex, &session))
        return FG_FAIL(err, FG_E_CSRF, "the session ended meanwhile");
    fg_str_t csrf = fg_params_get(&in->form, "csrf", NULL);
    if (times != 1 || !fg_form_token_check(ex, consent_purpose(ex, &session, in), csrf, err))
        return times == 1 ? false : FG_FAIL(err, FG_E_OPENID_REQUEST, "consent was sent twice");
    if (!fg_str_is(choice, "yes"))
        return FG_FAIL(err, FG_E_OPENID_REFUSED, "the person said no");
    in->consented = true;
    return true;
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *browser) {
    authorize_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    fg_str_t subject;
    (void)browser; /* in->browser */
    if (!fg_oidc_subject(ex, in->request.partner, &in->browser.session.identity, &subject, &err))
        return refused(ex, &err);
    if (in->request.subject.n > 0 && !fg_str_eq(subject, in->request.subject)) {
        FG_FAIL(&err, FG_E_OPENID_LOGIN, "somebody else is signed in");
        return refused(ex, &err);
    }
    if (in->consented)
        fg_oauth_consent_remember(ex, &in->request, &in->browser.session.identity);
    if (needs_consent(ex, in))
        return show_consent(ex, in, &err) ? FG_STEP_DONE : refused(ex, &err);
    return answer(ex, in, &err) ? FG_STEP_DONE : refused(ex, &err);
}

/* ---- signing in */

static int64_t freshness(const authorize_t *in) {
    if (in->consented)
        return -1;
    return (in->request.prompt & (FG_PROMPT_LOGIN | FG_PROMPT_SELECT)) != 0 ? 0 : in->request.max_age_ms;
}

/* ui_locales has its words in the order of preference, as a list with commas would. */
static void choose_language(fg_exchange_t *ex, const fg_oauth_request_t *request) {
    fg_str_t list = fg_arena_str(ex->arena, request->ui_locales);
    char *text = (char *)(uintptr_t)list.p; /* our own copy */
    for (size_t i = 0; i < list.n; i++)
        if (text[i] == ' ')
            text[i] = ',';
    ex->languages = list;
}

static fg_step_t run(fg_exchange_t *ex, authorize_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_browser_signin_t *browser = &in->browser;
    choose_language(ex, &in->request);
    browser->method = in->request.acr.n > 0 ? fg_authmethod_find(in->request.acr) : NULL;
    if (in->request.acr.n > 0 && browser->method == NULL) {
        FG_FAIL(&err, FG_E_OPENID_ACR, "acr \"%.*s\"", FG_STR_ARG(in->request.acr));
        return refused(ex, &err);
    }
    browser->path = FG_STR(FG_OPENID_AUTHORIZE);
    browser->params = &in->params;
    browser->is_kept = is_kept;
    browser->application = fg_str(in->request.partner->display_name);
    browser->user = in->request.login_hint;
    browser->memory = in->request.client->id;
    browser->fresh_ms = freshness(in);
    browser->passive = (in->request.prompt & FG_PROMPT_NONE) != 0;
    browser->finish = finish;
    browser->refuse = refuse;
    return fg_browser_sign_in(ex, browser);
}

/* ---- the request, for the first time and again from a page of ours */

static bool seal(fg_exchange_t *ex, authorize_t *in, fg_str_t text, fg_err_t *err) {
    return fg_errand_put(ex, FG_OPENID_ERRAND, text, FG_E_OPENID_REQUEST, &in->params, err);
}

/* A POST of another site's page comes without the session's cookie (SameSite): the same again as a GET of ours. */
static fg_step_t come_again(fg_exchange_t *ex, const authorize_t *in) {
    fg_buf_t url = FG_BUF_INIT(4 * FG_ERRAND_MAX);
    fg_buf_put_str(&url, fg_openid_url(ex, FG_OPENID_AUTHORIZE));
    fg_uri_put_param(&url, in->params.items[0].name, in->params.items[0].value);
    if (fg_buf_ok(&url))
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return FG_STEP_DONE;
}

static fg_step_t begin(fg_exchange_t *ex, authorize_t *in) {
    fg_err_t err = FG_ERR_INIT;
    bool post = ex->request.method == FG_METHOD_POST;
    fg_params_t sent;
    fg_str_t text;
    if (!fg_openid_params(ex, &sent, &err))
        return refused(ex, &err);
    if (!fg_oauth_request_resolve(ex, &sent, &in->asked, &err)) {
        fg_oauth_request_read_back(ex, &sent, &in->request);
        return refused(ex, &err);
    }
    if (!fg_oauth_request_read(ex, &in->asked, &in->request, &err) ||
        !fg_oauth_request_text(ex, &in->asked, &text, &err) || !seal(ex, in, text, &err))
        return refused(ex, &err);
    return post ? come_again(ex, in) : run(ex, in);
}

static bool open_errand(fg_exchange_t *ex, authorize_t *in, fg_err_t *err) {
    fg_str_t text;
    bool sent;
    if (!fg_errand_take(ex, FG_OPENID_ERRAND, &in->params, &text, err) ||
        !fg_errand_choice(ex, &in->params, &in->browser.home_realm, err) ||
        !fg_params_parse(ex->arena, text, &in->asked, err) || !fg_errand_form(ex, &in->form, &sent, err))
        return false;
    if (!fg_oauth_request_read(ex, &in->asked, &in->request, err) || (sent && !take_consent(ex, in, err)))
        return false;
    if (sent && !in->consented)
        in->browser.form = &in->form;
    return true;
}

static fg_step_t again(fg_exchange_t *ex, authorize_t *in) {
    fg_err_t err = FG_ERR_INIT;
    return open_errand(ex, in, &err) ? run(ex, in) : refused(ex, &err);
}

fg_step_t fg_oauth_authorize(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    authorize_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    ex->state = in;
    if (in == NULL) {
        FG_FAIL(&err, FG_E_MEMORY, "an authorization request");
        return refused(ex, &err);
    }
    bool ours = fg_str_starts(ex->request.query, FG_OPENID_ERRAND "=");
    return ours ? again(ex, in) : begin(ex, in);
}
