/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A round trip to an identity provider: what is kept meanwhile, and what comes of it. */
#include "core/crypto.h"
#include "core/time.h"
#include "hub/federation.h"
#include "hub/audit.h"
#include "hub/browser.h"
#include "hub/bytes.h"
#include "hub/cookie.h"
#include "hub/kept.h"
#include "hub/seal.h"
#include "hub/session_note.h"
#include "token/replay.h"

#define COOKIE "__Host-fedgate-s-"
#define LIFETIME FG_HOUR
#define STATES_MAX 4u  /* of one browser at a time: somebody may open a few pages at once */
#define STATES_SEEN 8u /* cookies looked at (HT-10) */
#define STATE_MAX 2600u
#define BACK_MAX 7168u       /* nginx takes no longer request lines by default */
#define BACK_IN_COOKIE 1400u /* what is longer stays in the store */
#define KEPT "partner-state"
enum { BY_CLIENT = 1, PASSIVE = 2 };

/* ---- the state as bytes */

static void write_state(fg_buf_t *out, const fg_exchange_t *ex, const fg_partner_signin_t *signin, bool back_is_kept) {
    fg_bytes_put_number(out, (uint64_t)ex->now_ms, 8);
    fg_bytes_put_number(out, (signin->by_client ? BY_CLIENT : 0) | (signin->passive ? PASSIVE : 0), 1);
    fg_bytes_put_string(out, signin->realm ? signin->realm->uri : FG_STR_NONE);
    fg_bytes_put_string(out, signin->method ? fg_str(signin->method->claim) : FG_STR_NONE);
    fg_bytes_put_number(out, (uint64_t)signin->fresh_ms, 8);
    fg_bytes_put_string(out, back_is_kept ? FG_STR_NONE : signin->back);
    fg_bytes_put_string(out, signin->secret);
}

/* Relying parties of the session that there is: the partner's answer comes without the session's cookie.  Those that
 * find no room are not told of a later sign-out. */
static void write_parties(fg_buf_t *out, fg_exchange_t *ex) {
    fg_session_t session;
    if (!fg_session_open(ex, &session))
        return;
    for (size_t i = 0; i < session.party_count; i++) {
        if (out->length + fg_session_party_size(&session.parties[i]) > STATE_MAX) {
            fg_log(ex->env, FG_LOG_WARN, "%s: %zu relying parties will not be told of the sign-out: no room",
                   ex->correlation_id, session.party_count - i);
            return;
        }
        fg_session_party_write(out, &session.parties[i]);
    }
}

static bool read_parties(fg_exchange_t *ex, fg_bytes_t *in, fg_partner_signin_t *signin) {
    fg_session_party_t *parties = fg_arena_alloc(ex->arena, FG_SESSION_PARTIES * sizeof *parties);
    if (parties == NULL)
        return false;
    signin->parties = parties;
    while (in->rest.n > 0 && !in->failed && signin->party_count < FG_SESSION_PARTIES)
        parties[signin->party_count++] = fg_session_party_read(in);
    return fg_bytes_end(in);
}

static bool read_state(fg_exchange_t *ex, fg_str_t bytes, fg_partner_signin_t *signin, fg_str_t *realm) {
    fg_bytes_t in = {bytes, false};
    *signin = (fg_partner_signin_t){.asked_ms = (int64_t)fg_bytes_get_number(&in, 8)};
    uint64_t flags = fg_bytes_get_number(&in, 1);
    signin->by_client = (flags & BY_CLIENT) != 0;
    signin->passive = (flags & PASSIVE) != 0;
    *realm = fg_bytes_get_string(&in);
    fg_str_t method = fg_bytes_get_string(&in);
    signin->method = method.n ? fg_authmethod_find(method) : NULL;
    signin->fresh_ms = (int64_t)fg_bytes_get_number(&in, 8);
    signin->back = fg_bytes_get_string(&in);
    signin->secret = fg_bytes_get_string(&in);
    return !in.failed && read_parties(ex, &in, signin);
}

/* ---- the cookies */

typedef struct state_cookie {
    const char *name;
    int64_t made_ms; /* negative: of no use any more */
} state_cookie_t;

static state_cookie_t look_at(fg_exchange_t *ex, const fg_header_t *cookie) {
    state_cookie_t state = {fg_arena_strndup(ex->arena, cookie->name.p, cookie->name.n), -1};
    fg_str_t bytes;
    if (state.name == NULL || !fg_cookie_unseal(ex, state.name, cookie->value, &bytes))
        return state;
    fg_bytes_t in = {bytes, false};
    int64_t made = (int64_t)fg_bytes_get_number(&in, 8);
    if (!in.failed && ex->now_ms - made < LIFETIME)
        state.made_ms = made;
    return state;
}

/* Makes room for one more state: what is of no use goes, then the oldest. */
static void tidy_cookies(fg_exchange_t *ex) {
    fg_header_t found[STATES_SEEN];
    state_cookie_t states[STATES_SEEN];
    size_t count = fg_request_cookies(&ex->request, COOKIE, found, STATES_SEEN);
    for (size_t i = 0; i < count; i++)
        states[i] = look_at(ex, &found[i]);
    while (count > 0) {
        size_t oldest = 0;
        for (size_t i = 1; i < count; i++)
            if (states[i].made_ms < states[oldest].made_ms)
                oldest = i;
        if (states[oldest].made_ms >= 0 && count < STATES_MAX)
            return;
        if (states[oldest].name != NULL)
            fg_cookie_clear(ex, states[oldest].name);
        states[oldest] = states[--count];
    }
}

/* SameSite=None, unlike all our other cookies: the partner's answer is a POST from another site, and browsers send no
 * Lax cookie with such (RFC 6265bis §5.6.7.1).  A forged cross-site request gains nothing by it: the cookie says no
 * more than where this browser went and wants to come back to, and is of use only together with a token that the
 * partner issued in answer. */
static void set_state_cookie(fg_exchange_t *ex, const char *name, fg_str_t sealed) {
    fg_cookie_set(ex, name, sealed, "SameSite=None; Max-Age=3600");
}

static const char *cookie_name(fg_exchange_t *ex, fg_str_t word) {
    return fg_arena_printf(ex->arena, COOKIE "%.*s", (int)word.n, word.p);
}

bool fg_partner_state_make(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_str_t *word, fg_err_t *err) {
    bool kept = signin->back.n > BACK_IN_COOKIE;
    if (signin->back.n > BACK_MAX)
        return FG_FAIL(err, FG_E_HTTP_REQUEST, "the request is too long to be brought back: %zu bytes", signin->back.n);
    if (!fg_word_make(ex, word, err) || (kept && !fg_kept_count(ex, signin->back.n, err)) ||
        (kept && !fg_kept_put(ex, KEPT, *word, signin->back, ex->now_ms + LIFETIME, err)))
        return false;
    fg_buf_t bytes = FG_BUF_INIT(STATE_MAX);
    write_state(&bytes, ex, signin, kept);
    write_parties(&bytes, ex);
    const char *name = cookie_name(ex, *word);
    fg_str_t sealed;
    bool done = name != NULL && fg_buf_ok(&bytes) && fg_cookie_seal(ex, name, fg_buf_str(&bytes), &sealed);
    fg_buf_free(&bytes);
    if (!done)
        return FG_FAIL(err, FG_E_INTERNAL, "the state of a sign-in at %s could not be sealed",
                       signin->realm ? signin->realm->display_name : "a partner");
    tidy_cookies(ex);
    set_state_cookie(ex, name, sealed);
    return true;
}

/* The state of that word, of this browser. */
static bool open_state(fg_exchange_t *ex, fg_str_t word, fg_partner_signin_t *signin, fg_str_t *realm, fg_err_t *err) {
    size_t times = 0;
    fg_str_t bytes, sealed = FG_STR_NONE;
    const char *name = fg_word_is(word) ? cookie_name(ex, word) : NULL;
    if (name != NULL)
        sealed = fg_request_cookie(&ex->request, name, &times);
    if (times != 1)
        return FG_FAIL(err, FG_E_CSRF, "the sign-in was begun in another browser, or over an hour ago");
    fg_cookie_clear(ex, name);
    if (!fg_cookie_unseal(ex, name, sealed, &bytes) || !read_state(ex, bytes, signin, realm))
        return FG_FAIL(err, FG_E_CSRF, "the state of the sign-in is not ours");
    if (ex->now_ms - signin->asked_ms >= LIFETIME)
        return FG_FAIL(err, FG_E_CSRF, "the sign-in was begun over an hour ago");
    return true;
}

static bool take_state(fg_exchange_t *ex, fg_str_t word, bool by_client, fg_partner_signin_t *signin, fg_err_t *err) {
    fg_str_t realm;
    if (!open_state(ex, word, signin, &realm, err))
        return false;
    if (signin->by_client != by_client)
        return FG_FAIL(err, FG_E_CSRF, "the sign-in was begun by a %s", by_client ? "browser" : "client of PAOS");
    if (!fg_replay_check(ex->env, "partner-state", FG_STR_NONE, word, signin->asked_ms + LIFETIME, FG_E_TOKEN_REPLAY,
                         err))
        return false;
    if (signin->back.n == 0 && !fg_kept_take(ex, KEPT, word, &signin->back, err))
        return false;
    if (by_client && realm.n == 0)
        return true;
    signin->realm = fg_find_home_realm(ex, realm);
    if (signin->realm == NULL || signin->realm->identity_provider == NULL)
        return FG_FAIL(err, FG_E_WSFED_HOME_REALM, "\"%.*s\" is no identity provider any more", FG_STR_ARG(realm));
    return true;
}

bool fg_partner_state_take(fg_exchange_t *ex, fg_str_t word, fg_partner_signin_t *signin, fg_err_t *err) {
    return take_state(ex, word, false, signin, err);
}

bool fg_client_state_take(fg_exchange_t *ex, fg_str_t word, fg_partner_signin_t *signin, fg_err_t *err) {
    return take_state(ex, word, true, signin, err);
}

/* ---- back with nobody */

bool fg_partner_refused(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_err_t *why) {
    static const fg_code_t answers[] = {FG_E_SAML_PASSIVE, FG_E_SAML_STATUS, FG_E_OPENID_PROVIDER,
                                        FG_E_OPENID2_CANCELLED};
    bool is_answer = false;
    for (size_t i = 0; i < FG_ARRAY_SIZE(answers); i++)
        is_answer = is_answer || answers[i] == why->code;
    if (!is_answer || !signin->passive || signin->by_client)
        return false;
    fg_buf_t url = FG_BUF_INIT(2 * BACK_MAX);
    fg_buf_put_str(&url, signin->back);
    bool made = fg_browser_refused_put(ex, fg_str(why->detail), &url) && fg_buf_ok(&url);
    if (made)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return made;
}

/* ---- back with a person */

/* What was asked of the partner holds for what it did (WF-07).  wfresh counts from when it was asked. */
static bool check_result(const fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_identity_t *identity,
                         fg_err_t *err) {
    if (signin->method != NULL && fg_authmethod_find(identity->auth_method) != signin->method)
        return FG_FAIL(err, FG_E_WSFED_AUTH, "%s signed in by \"%.*s\"", signin->realm->display_name,
                       FG_STR_ARG(identity->auth_method));
    if (signin->fresh_ms >= 0 && identity->auth_instant_ms < signin->asked_ms - signin->fresh_ms - ex->hub->skew_ms)
        return FG_FAIL(err, FG_E_WSFED_AUTH, "%s signed in %lld s before it was asked", signin->realm->display_name,
                       (long long)((signin->asked_ms - identity->auth_instant_ms) / FG_SECOND));
    return true;
}

static void audit_signin(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_identity_t *identity) {
    const fg_claim_t *name = fg_claims_get(&identity->claims, FG_CLAIM_NAME);
    const fg_audit_field_t fields[] = {
        {"user", name ? name->value : identity->name_id.value},
        {"identity_provider", fg_str(signin->realm->identity_provider->name)},
        {"method", identity->auth_method},
    };
    fg_audit(ex, "signin", NULL, fields, FG_ARRAY_SIZE(fields));
}

static bool go_back(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_session_t *session, fg_err_t *err) {
    fg_buf_t url = FG_BUF_INIT(2 * BACK_MAX);
    fg_buf_put_str(&url, signin->back);
    bool made = signin->fresh_ms < 0 || fg_browser_fresh_put(ex, session, &url, err);
    if (made && !fg_buf_ok(&url))
        made = FG_FAIL(err, FG_E_MEMORY, "the way back");
    if (made)
        fg_response_redirect(ex, fg_buf_str(&url));
    fg_buf_free(&url);
    return made;
}

/* Under which the provider can end it without the browser. */
static void note_names(fg_exchange_t *ex, const fg_partner_signin_t *signin, const fg_session_t *session) {
    fg_protocol_kind_t protocol = signin->realm->identity_provider->protocol;
    if (protocol == FG_PROTOCOL_SAML || protocol == FG_PROTOCOL_OPENID)
        fg_session_note_name(ex, session, signin->realm->uri, session->identity.name_id.value);
    if (protocol == FG_PROTOCOL_OPENID && session->provider_index.n > 0)
        fg_session_note_index(ex, session, signin->realm->uri);
}

bool fg_partner_signed_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_identity_t *identity,
                          fg_err_t *err) {
    fg_session_t session;
    if (!check_result(ex, signin, identity, err) || !fg_signin_accept(ex, signin->realm, identity, err) ||
        !fg_session_begin(ex, identity, signin->realm->uri, &session, err))
        return false;
    fg_session_add_parties(&session, signin->parties, signin->party_count);
    note_names(ex, signin, &session);
    if (!fg_session_save(ex, &session, err) || !go_back(ex, signin, &session, err))
        return false;
    audit_signin(ex, signin, identity);
    if (signin->begun != NULL)
        memcpy(*signin->begun, session.id, sizeof session.id);
    return true;
}
