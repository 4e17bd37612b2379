/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The provider's indirect messages (OpenID Authentication 2.0 §9, §10): who asks, for whom, is the session good enough,
 * else sign in; then, may the site know?; then the assertion.  The request is read from its sealed text again on each
 * step. */
#include "bridges/openid/openid2_association.h"
#include "bridges/openid/openid2_discover.h"
#include "bridges/openid/openid2_extensions.h"
#include "bridges/openid/openid2_realm.h"
#include "bridges/openid/openid2_trust.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/errand.h"
#include "hub/issue.h"

#define PRIVATE_LIFETIME (5 * FG_MINUTE) /* so long an answer can be confirmed (§11.4.2) */
#define URL_MAX (16u << 10)

typedef struct checkid {
    fg_openid2_message_t message;
    fg_str_t return_to, realm, identity, claimed_id;
    bool immediate, select;
    bool may_answer;          /* that return_to is the site's is not in doubt (any more) */
    fg_openid2_trust_t trust; /* the partner, and what the person said */
    fg_openid2_asked_t asked;
    fg_params_t params; /* of our own address: the errand */
    fg_params_t form;
    fg_browser_signin_t browser;
} checkid_t;

static bool is_kept(fg_str_t name) { return fg_str_is(name, FG_OPENID2_ERRAND) || fg_str_is(name, "whr"); }

static const char *application(const checkid_t *in) { return in->trust.application; }

/* ---- refusals: to the relying party once it is known where that is */

/* The same request again, with pages allowed: for OpenID 1.1's user_setup_url (1.1 §4.2.2). */
static fg_str_t setup_url(fg_exchange_t *ex, const checkid_t *in) {
    fg_openid2_message_t message = in->message;
    fg_buf_t url = FG_BUF_INIT(URL_MAX);
    fg_openid2_put(&message, "mode", FG_STR("checkid_setup"));
    bool made = fg_openid2_write_url(&url, &message, fg_openid2_url(ex, FG_OPENID2_ENDPOINT));
    fg_str_t copy = made ? fg_arena_str(ex->arena, fg_buf_str(&url)) : FG_STR_NONE;
    fg_buf_free(&url);
    return copy;
}

/* §10.2: no, or not without a page; §5.2.3: a request that is wrong. */
static bool send_negative(fg_exchange_t *ex, const checkid_t *in, const fg_err_t *why, fg_err_t *err) {
    fg_openid2_message_t message;
    if (!fg_openid2_message_new(ex, in->message.v2, &message, err))
        return false;
    bool wrong = why->code == FG_E_OPENID2_REQUEST || why->code == FG_E_OPENID2_IDENTITY;
    const char *mode = wrong && !in->immediate ? "error"
                       : !in->immediate        ? "cancel"
                       : in->message.v2        ? "setup_needed"
                                               : "id_res";
    fg_openid2_put(&message, "mode", fg_str(mode));
    if (strcmp(mode, "error") == 0)
        fg_openid2_put(&message, "error", fg_str(fg_fault_get(why->code)->sentence));
    if (strcmp(mode, "id_res") == 0)
        fg_openid2_put(&message, "user_setup_url", setup_url(ex, in));
    return fg_openid2_send(ex, &message, in->return_to, application(in), err);
}

/* What the site can do something about goes back to it; the rest is for the person. */
static bool is_for_site(const checkid_t *in, fg_code_t code) {
    if (in == NULL || !in->may_answer || code == FG_E_CSRF)
        return false;
    return in->immediate || code == FG_E_OPENID_REFUSED || code == FG_E_OPENID2_REQUEST ||
           code == FG_E_OPENID2_IDENTITY;
}

static void refuse(fg_exchange_t *ex, const fg_err_t *why) {
    const checkid_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    if (!is_for_site(in, why->code)) {
        fg_response_error_page(ex, why);
        return;
    }
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID2_PROTOCOL)},
                                       {"partner", fg_str(in->trust.partner->name)},
                                       {"audience", in->realm}};
    fg_audit(ex, "refused", why, fields, FG_ARRAY_SIZE(fields));
    if (!send_negative(ex, in, why, &err))
        fg_response_error_page(ex, &err);
}

static fg_step_t refused(fg_exchange_t *ex, const fg_err_t *err) {
    refuse(ex, err);
    return FG_STEP_DONE;
}

/* ---- the request */

/* §9.1: return_to, and a realm that it is part of; 1.1 calls it trust_root. */
static bool read_place(checkid_t *in, fg_err_t *err) {
    const fg_openid2_message_t *m = &in->message;
    fg_openid2_realm_t realm;
    in->return_to = fg_openid2_get(m, "return_to");
    in->realm = fg_openid2_get(m, m->v2 ? "realm" : "trust_root");
    if (in->return_to.n == 0 || !fg_uri_is_web(in->return_to))
        return FG_FAIL(err, FG_E_OPENID2_REALM, "return_to \"%.*s\"", FG_STR_ARG(in->return_to));
    if (in->realm.n == 0)
        in->realm = in->return_to;
    if (!fg_openid2_realm_parse(in->realm, &realm) || !fg_openid2_realm_is_sane(&realm))
        return FG_FAIL(err, FG_E_OPENID2_REALM, "realm \"%.*s\" is none", FG_STR_ARG(in->realm));
    return fg_openid2_realm_has(&realm, in->return_to) ||
           FG_FAIL(err, FG_E_OPENID2_REALM, "return_to \"%.*s\" is not in realm \"%.*s\"", FG_STR_ARG(in->return_to),
                   FG_STR_ARG(in->realm));
}

/* §9.1: both identifiers or none; 1.1 has only one. */
static bool read_identity(checkid_t *in, fg_err_t *err) {
    const fg_openid2_message_t *m = &in->message;
    in->identity = fg_openid2_get(m, "identity");
    in->claimed_id = m->v2 ? fg_openid2_get(m, "claimed_id") : in->identity;
    if (in->identity.n == 0 || in->claimed_id.n == 0)
        return FG_FAIL(err, FG_E_OPENID2_REQUEST, "no identity or no claimed_id: nothing else is asserted here");
    in->select = m->v2 && fg_str_is(in->identity, FG_OPENID2_SELECT);
    return true;
}

static bool read_request(fg_exchange_t *ex, checkid_t *in, const fg_params_t *params, fg_err_t *err) {
    if (!fg_openid2_message_read(ex, params, FG_E_OPENID2_REQUEST, &in->message, err))
        return false;
    fg_str_t mode = fg_openid2_get(&in->message, "mode");
    in->immediate = fg_str_is(mode, "checkid_immediate");
    if (!in->immediate && !fg_str_is(mode, "checkid_setup"))
        return FG_FAIL(err, FG_E_OPENID2_REQUEST, "mode \"%.*s\"", FG_STR_ARG(mode));
    if (!read_place(in, err) || !fg_openid2_trust_find(ex, in->realm, &in->trust, err))
        return false;
    in->may_answer = !in->trust.partner->openid2->checks_return;
    return read_identity(in, err) && fg_openid2_asked_read(ex, &in->message, &in->asked, err);
}

/* ---- the answer: §10.1 */

/* The association that was named if it is good for this, else one of this answer's own. */
static bool choose_association(fg_exchange_t *ex, const checkid_t *in, fg_openid2_association_t *association,
                               fg_openid2_message_t *out, fg_err_t *err) {
    fg_str_t handle = fg_openid2_get(&in->message, "assoc_handle");
    if (fg_openid2_association_open(ex, handle, association) && !association->is_private)
        return true;
    if (handle.n > 0)
        fg_openid2_put(out, "invalidate_handle", handle);
    fg_openid2_mac_t mac = in->message.v2 ? FG_OPENID2_HMAC_SHA256 : FG_OPENID2_HMAC_SHA1;
    return fg_openid2_association_make(ex, mac, true, PRIVATE_LIFETIME, association, err);
}

/* §10.1: an instant to the second and what makes it unique. */
static fg_str_t make_nonce(fg_exchange_t *ex) {
    unsigned char bytes[12];
    char time[FG_TIME_SIZE], text[2 * sizeof bytes + 1];
    if (!ex->env->random(ex->env, bytes, sizeof bytes))
        return FG_STR_NONE;
    fg_time_format(ex->now_ms, time);
    fg_hex_encode(bytes, sizeof bytes, text);
    return fg_str(fg_arena_printf(ex->arena, "%.19sZ%s", time, text));
}

static bool put_assertion(fg_exchange_t *ex, const checkid_t *in, fg_str_t own, fg_openid2_message_t *out,
                          fg_err_t *err) {
    fg_str_t nonce = make_nonce(ex), endpoint = fg_openid2_url(ex, FG_OPENID2_ENDPOINT);
    if (nonce.p == NULL || endpoint.p == NULL)
        return FG_FAIL(err, FG_E_INTERNAL, "an assertion");
    fg_openid2_put(out, "mode", FG_STR("id_res"));
    fg_openid2_put(out, "identity", in->select ? own : in->identity);
    fg_openid2_put(out, "return_to", in->return_to);
    fg_openid2_put(out, "response_nonce", nonce);
    if (!in->message.v2)
        return true;
    fg_openid2_put(out, "op_endpoint", endpoint);
    fg_openid2_put(out, "claimed_id", in->select ? own : in->claimed_id);
    return true;
}

static bool answer(fg_exchange_t *ex, checkid_t *in, fg_str_t own, const fg_claims_t *claims, fg_err_t *err) {
    fg_openid2_message_t out;
    fg_openid2_association_t association;
    fg_session_t *session = &in->browser.session;
    if (!fg_browser_check_loop(ex, &in->browser, in->trust.partner, in->realm, err) ||
        !fg_openid2_message_new(ex, in->message.v2, &out, err) || !put_assertion(ex, in, own, &out, err) ||
        !fg_openid2_asked_answer(ex, &in->asked, claims, &session->identity, &out, err) ||
        !choose_association(ex, in, &association, &out, err))
        return false;
    bool is_signed = fg_openid2_sign(ex, &out, &association, err);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    if (!is_signed || !fg_session_save(ex, session, err) ||
        !fg_openid2_send(ex, &out, in->return_to, application(in), err))
        return false;
    const fg_issue_note_t note = {
        .partner = in->trust.partner,
        .user = fg_identity_name(&session->identity),
        .audience = in->realm,
        .protocol = FG_OPENID2_PROTOCOL,
        .token_type = "assertion",
    };
    fg_issue_note(ex, &note);
    return true;
}

/* Whether the one who signed in is who was asked for: by the name in the identifier, however it is escaped. */
static bool check_person(fg_exchange_t *ex, const checkid_t *in, fg_str_t own, fg_err_t *err) {
    fg_str_t asked = fg_openid2_identity_name(ex, in->identity);
    return in->select || (asked.n > 0 && fg_str_eq(asked, fg_openid2_identity_name(ex, own))) ||
           FG_FAIL(err, FG_E_OPENID2_IDENTITY, "identity \"%.*s\" is not that of who is signed in",
                   FG_STR_ARG(in->identity));
}

static fg_step_t finish(fg_exchange_t *ex, fg_browser_signin_t *browser) {
    checkid_t *in = ex->state;
    fg_err_t err = FG_ERR_INIT;
    fg_claims_t claims = {0};
    fg_name_id_t name_id = {0};
    fg_str_t own;
    const fg_partner_t *partner = in->trust.partner;
    const fg_session_t *session = &in->browser.session;
    const fg_issue_request_t request = {.partner = partner, .audience = in->realm, .identity = &session->identity};
    (void)browser; /* in->browser */
    if (!fg_openid2_identity_make(ex, partner->openid2, in->realm, session, &own, &err) ||
        !check_person(ex, in, own, &err) || !fg_issue_claims(ex, &request, &claims, &name_id, &err))
        return refused(ex, &err);
    in->trust.told = fg_openid2_asked_list(ex, &in->asked, &claims);
    bool ask;
    if (!fg_openid2_trust_settle(ex, &in->trust, session, own, &ask, &err))
        return refused(ex, &err);
    if (ask && in->immediate) {
        FG_FAIL(&err, FG_E_OPENID_CONSENT, "a page would have to be shown");
        return refused(ex, &err);
    }
    bool done =
        ask ? fg_openid2_trust_show(ex, &in->trust, session, &in->params, &err) : answer(ex, in, own, &claims, &err);
    return done ? FG_STEP_DONE : refused(ex, &err);
}

/* ---- signing in */

static fg_step_t run(fg_exchange_t *ex, checkid_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_browser_signin_t *browser = &in->browser;
    fg_str_t name = fg_openid2_identity_name(ex, in->identity);
    if (!in->may_answer && !fg_openid2_check_return(ex, in->realm, in->return_to, &err))
        return refused(ex, &err);
    in->may_answer = true;
    if (in->asked.languages.n > 0)
        ex->languages = in->asked.languages;
    browser->path = FG_STR(FG_OPENID2_ENDPOINT);
    browser->params = &in->params;
    browser->is_kept = is_kept;
    browser->application = fg_str(application(in));
    browser->user = name.n > 0 && name.p[0] != '~' ? name : FG_STR_NONE;
    browser->memory = in->realm;
    /* who says yes on the page signed in before it was shown */
    browser->fresh_ms = in->trust.answered ? -1 : in->asked.fresh_ms;
    browser->passive = in->immediate;
    browser->finish = finish;
    browser->refuse = refuse;
    return fg_browser_sign_in(ex, browser);
}

/* ---- the request, for the first time and again from a page of ours */

/* A POST of another site's page comes without the session's cookie (SameSite): the same again as a GET of ours. */
static fg_step_t come_again(fg_exchange_t *ex, const checkid_t *in) {
    fg_buf_t url = FG_BUF_INIT(4 * FG_ERRAND_MAX);
    fg_buf_put_str(&url, fg_openid2_url(ex, FG_OPENID2_ENDPOINT));
    fg_uri_put_param(&url, in->params.items[0].name, in->params.items[0].value);
    if (fg_buf_ok(&url))
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return FG_STEP_DONE;
}

static fg_step_t begin(fg_exchange_t *ex, checkid_t *in) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    bool post = ex->request.method == FG_METHOD_POST;
    fg_str_t text = post ? ex->request.body : ex->request.query;
    if (!fg_params_parse(ex->arena, text, &params, &err) || !read_request(ex, in, &params, &err) ||
        !fg_errand_put(ex, FG_OPENID2_ERRAND, text, FG_E_OPENID2_REQUEST, &in->params, &err))
        return refused(ex, &err);
    return post ? come_again(ex, in) : run(ex, in);
}

static bool open_errand(fg_exchange_t *ex, checkid_t *in, fg_err_t *err) {
    fg_str_t text;
    fg_params_t params;
    bool sent;
    if (!fg_errand_take(ex, FG_OPENID2_ERRAND, &in->params, &text, err) ||
        !fg_errand_choice(ex, &in->params, &in->browser.home_realm, err) ||
        !fg_params_parse(ex->arena, text, &params, err) || !fg_errand_form(ex, &in->form, &sent, err) ||
        !read_request(ex, in, &params, err) || (sent && !fg_openid2_trust_take(ex, &in->trust, &in->form, err)))
        return false;
    if (sent && !in->trust.answered)
        in->browser.form = &in->form;
    return true;
}

fg_step_t fg_openid2_checkid(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    checkid_t *in = fg_arena_alloc(ex->arena, sizeof *in);
    ex->state = in;
    if (in == NULL) {
        FG_FAIL(&err, FG_E_MEMORY, "an OpenID request");
        return refused(ex, &err);
    }
    if (!fg_str_starts(ex->request.query, FG_OPENID2_ERRAND "="))
        return begin(ex, in);
    return open_errand(ex, in, &err) ? run(ex, in) : refused(ex, &err);
}
