/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/saml/saml.h"
#include "bridges/saml/sign_out.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/kept.h"
#include "hub/seal.h"

#define PURPOSE "saml-signout"
#define LIFETIME (10 * FG_MINUTE)
#define STATE_MAX 5000u
#define SENT "saml-sent"

/* ---- as bytes */

static void put_name_id(fg_buf_t *out, const fg_name_id_t *name_id) {
    fg_bytes_put_string(out, name_id->value);
    fg_bytes_put_string(out, name_id->format);
    fg_bytes_put_string(out, name_id->name_qualifier);
    fg_bytes_put_string(out, name_id->sp_name_qualifier);
}

static void get_name_id(fg_bytes_t *in, fg_name_id_t *name_id) {
    name_id->value = fg_bytes_get_string(in);
    name_id->format = fg_bytes_get_string(in);
    name_id->name_qualifier = fg_bytes_get_string(in);
    name_id->sp_name_qualifier = fg_bytes_get_string(in);
}

static void write_state(fg_buf_t *out, const fg_saml_signout_t *s) {
    const fg_str_t strings[] = {s->asker,          s->request_id, s->relay_state, s->provider,
                                s->provider_index, s->back,       s->back_name};
    fg_bytes_put_number(out, (uint64_t)s->made_ms, 8);
    for (size_t i = 0; i < FG_ARRAY_SIZE(strings); i++)
        fg_bytes_put_string(out, strings[i]);
    fg_bytes_put_number(out, s->asker_role, 1);
    fg_bytes_put_number(out, s->binding, 1);
    fg_bytes_put_number(out, (uint64_t)(s->partly | (s->relay_state.p != NULL) << 1), 1);
    put_name_id(out, &s->name_id);
    for (size_t i = 0; i < s->awaited_count; i++)
        fg_bytes_put_string(out, s->awaited[i]);
}

static bool read_state(fg_bytes_t *in, fg_saml_signout_t *s) {
    *s = (fg_saml_signout_t){.made_ms = (int64_t)fg_bytes_get_number(in, 8)};
    fg_str_t *const strings[] = {&s->asker,          &s->request_id, &s->relay_state, &s->provider,
                                 &s->provider_index, &s->back,       &s->back_name};
    for (size_t i = 0; i < FG_ARRAY_SIZE(strings); i++)
        *strings[i] = fg_bytes_get_string(in);
    s->asker_role = (fg_saml_role_t)fg_bytes_get_number(in, 1);
    s->binding = (fg_saml_binding_t)fg_bytes_get_number(in, 1);
    unsigned flags = (unsigned)fg_bytes_get_number(in, 1);
    s->partly = flags & 1;
    if ((flags & 2) == 0)
        s->relay_state = FG_STR_NONE;
    get_name_id(in, &s->name_id);
    while (in->rest.n > 0 && !in->failed && s->awaited_count < FG_SESSION_PARTIES)
        s->awaited[s->awaited_count++] = fg_bytes_get_string(in);
    return fg_bytes_end(in);
}

/* ---- in an address */

bool fg_saml_signout_seal(fg_exchange_t *ex, const fg_saml_signout_t *state, fg_str_t *url, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(STATE_MAX);
    fg_str_t text = FG_STR_NONE;
    write_state(&bytes, state);
    bool sealed = fg_buf_ok(&bytes) && fg_cookie_seal(ex, PURPOSE, fg_buf_str(&bytes), &text);
    fg_buf_free(&bytes);
    fg_str_t own = fg_saml_own_url(ex);
    if (sealed && own.p != NULL)
        *url =
            fg_str(fg_arena_printf(ex->arena, "%.*s?" FG_SAML_SIGNOUT "=%.*s", (int)own.n, own.p, (int)text.n, text.p));
    return (sealed && own.p != NULL && url->p != NULL) ||
           FG_FAIL(err, FG_E_INTERNAL, "the state of a sign-out could not be sealed");
}

bool fg_saml_signout_unseal(fg_exchange_t *ex, fg_saml_signout_t *state, fg_err_t *err) {
    fg_params_t params;
    size_t times;
    fg_str_t bytes = FG_STR_NONE;
    if (!fg_params_parse(ex->arena, ex->request.query, &params, err))
        return false;
    fg_str_t text = fg_params_get(&params, FG_SAML_SIGNOUT, &times);
    bool ours = times == 1 && text.n <= 2 * STATE_MAX && fg_cookie_unseal(ex, PURPOSE, text, &bytes);
    fg_bytes_t in = {bytes, false};
    if (!ours || !read_state(&in, state) || ex->now_ms - state->made_ms >= LIFETIME)
        return FG_FAIL(err, FG_E_CSRF, "the sign-out is not one that was begun here within ten minutes");
    return true;
}

/* ---- in the store */

bool fg_saml_sent_put(fg_exchange_t *ex, fg_str_t word, const fg_saml_sent_t *sent, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(STATE_MAX);
    fg_bytes_put_number(&bytes, sent->role, 1);
    fg_bytes_put_string(&bytes, sent->to);
    fg_bytes_put_number(&bytes, sent->goes_on, 1);
    if (sent->goes_on)
        write_state(&bytes, &sent->signout);
    bool done = fg_buf_ok(&bytes) ? fg_kept_put(ex, SENT, word, fg_buf_str(&bytes), ex->now_ms + LIFETIME, err)
                                  : FG_FAIL(err, FG_E_INTERNAL, "the state of a sign-out is too long");
    fg_buf_free(&bytes);
    return done;
}

bool fg_saml_sent_take(fg_exchange_t *ex, fg_str_t word, fg_saml_sent_t *sent, fg_err_t *err) {
    fg_str_t bytes;
    if (!fg_word_is(word) || !fg_kept_take(ex, SENT, word, &bytes, NULL))
        return FG_FAIL(err, FG_E_SAML_ANSWER, "a LogoutResponse to no request that is open");
    fg_bytes_t in = {bytes, false};
    *sent = (fg_saml_sent_t){.role = (fg_saml_role_t)fg_bytes_get_number(&in, 1)};
    sent->to = fg_bytes_get_string(&in);
    sent->goes_on = fg_bytes_get_number(&in, 1) != 0;
    bool read = sent->goes_on ? read_state(&in, &sent->signout) : fg_bytes_end(&in);
    return read || FG_FAIL(err, FG_E_INTERNAL, "the state of a sign-out is not what was kept");
}

static fg_str_t outcome_key(fg_exchange_t *ex, fg_str_t word) {
    return fg_str(fg_arena_printf(ex->arena, "saml-outcome:%.*s", (int)word.n, word.p));
}

/* A store that cannot take it leaves the outcome open: then it is told as partial. */
void fg_saml_outcome_put(fg_exchange_t *ex, fg_str_t word) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = outcome_key(ex, word);
    if (store != NULL && key.p != NULL)
        (void)store->put(store, key, FG_STR("1"), ex->now_ms, ex->now_ms + LIFETIME);
}

bool fg_saml_outcome_all(fg_exchange_t *ex, const fg_saml_signout_t *state) {
    fg_store_t *store = ex->env->store;
    bool all = state->awaited_count == 0 || store != NULL;
    for (size_t i = 0; i < state->awaited_count && all; i++) {
        char value[1];
        size_t length = sizeof value;
        fg_str_t key = outcome_key(ex, state->awaited[i]);
        all = key.p != NULL && store->get(store, key, ex->now_ms, value, &length) == FG_STORE_OK;
    }
    return all;
}

/* ---- whom it concerns */

static bool is_unspecified(fg_str_t format) {
    return format.n == 0 || fg_str_is(format, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified");
}

/* What both say is the same (core §3.7.3.2, §2.2.2): many leave out what goes without saying. */
static bool is_same(const fg_name_id_t *a, const fg_name_id_t *b) {
    return a->value.n > 0 && fg_str_eq(a->value, b->value) &&
           (is_unspecified(a->format) || is_unspecified(b->format) || fg_str_eq(a->format, b->format)) &&
           (a->name_qualifier.n == 0 || b->name_qualifier.n == 0 || fg_str_eq(a->name_qualifier, b->name_qualifier)) &&
           (a->sp_name_qualifier.n == 0 || b->sp_name_qualifier.n == 0 ||
            fg_str_eq(a->sp_name_qualifier, b->sp_name_qualifier));
}

static bool names_session(const fg_saml_logout_t *logout, fg_str_t index) {
    for (size_t i = 0; i < logout->session_count; i++)
        if (fg_str_eq(logout->sessions[i], index))
            return true;
    return logout->session_count == 0;
}

bool fg_saml_fits_party(const fg_saml_logout_t *logout, const fg_session_t *session, const fg_session_party_t *party) {
    fg_name_id_t known;
    return fg_saml_reference_read(party->reference, &known) && is_same(&logout->name_id, &known) &&
           names_session(logout, fg_str(session->id));
}

/* A provider that gave no index means the person. */
bool fg_saml_fits_provider(const fg_saml_logout_t *logout, const fg_session_t *session) {
    return is_same(&logout->name_id, &session->identity.name_id) &&
           (session->provider_index.n == 0 || names_session(logout, session->provider_index));
}

bool fg_saml_fits(const fg_saml_peer_t *asker, const fg_saml_logout_t *logout, const fg_session_t *session,
                  const fg_session_party_t **party) {
    *party = NULL;
    if (asker->role == FG_SAML_IDENTITY_PROVIDER)
        return fg_str_eq(session->home_realm, asker->id) && fg_saml_fits_provider(logout, session);
    for (size_t i = 0; i < session->party_count; i++) {
        const fg_session_party_t *candidate = &session->parties[i];
        if (candidate->protocol != FG_PROTOCOL_SAML || !fg_str_eq(candidate->realm, asker->id) ||
            !fg_saml_fits_party(logout, session, candidate))
            continue;
        *party = candidate;
        return true;
    }
    return false;
}

bool fg_saml_reference_make(fg_exchange_t *ex, const fg_name_id_t *name_id, fg_str_t *reference, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(2048);
    put_name_id(&bytes, name_id);
    *reference = fg_buf_ok(&bytes) ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return reference->p != NULL || FG_FAIL(err, FG_E_MEMORY, "noting a service provider");
}

bool fg_saml_reference_read(fg_str_t reference, fg_name_id_t *name_id) {
    fg_bytes_t in = {reference, false};
    get_name_id(&in, name_id);
    return fg_bytes_end(&in);
}
