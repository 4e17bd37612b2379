/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An upstream provider's refresh token, which tells whether an account is still there and what its claims are (OpenID
 * Connect core §12).  It is used when a client of ours uses a refresh token that came of that account's sign-in, and at
 * no other time.  The store has it sealed, "provider-token:SESSION", as long as the session may last, and as long as
 * something was granted in it to a client that refreshes. */
#include "bridges/openid/oidc_rp.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/bytes.h"
#include "hub/seal.h"
#include "hub/signin.h"
#include "hub/signout.h"

#define PURPOSE "provider-token"
#define RECORD_MAX (11u << 10)     /* sealed and in base64 it still is a value of the store */
#define BUSY_TIME (30 * FG_SECOND) /* longer than a provider is waited for */
#define GRACE FG_HOUR              /* so long what was known serves while the provider cannot be asked */

typedef struct record {
    fg_str_t token;
    fg_str_t session; /* with the claims as they were heard last; .n 0: as at the sign-in */
    int64_t checked_ms;
    int64_t until_ms;
} record_t;

/* What is done for one session. */
typedef struct renewal {
    fg_exchange_t *ex;
    const fg_session_t *session;
    const fg_home_realm_t *realm;
    const fg_openid_provider_t *us;
    record_t record;
} renewal_t;

/* ---- in the store */

static fg_str_t key_of(fg_exchange_t *ex, const char *session_id, const char *what) {
    return fg_str(fg_arena_printf(ex->arena, PURPOSE ":%s%s", session_id, what));
}

static bool seal_record(fg_exchange_t *ex, const record_t *record, fg_str_t *sealed) {
    fg_buf_t bytes = FG_BUF_INIT(RECORD_MAX);
    fg_bytes_put_number(&bytes, (uint64_t)record->checked_ms, 8);
    fg_bytes_put_number(&bytes, (uint64_t)record->until_ms, 8);
    fg_bytes_put_string(&bytes, record->token);
    fg_bytes_put_string(&bytes, record->session);
    bool done = fg_buf_ok(&bytes) && fg_cookie_seal(ex, PURPOSE, fg_buf_str(&bytes), sealed);
    fg_buf_free(&bytes);
    return done;
}

static bool put(fg_exchange_t *ex, const char *session_id, const record_t *record) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, session_id, ""), sealed;
    return store != NULL && key.p != NULL && seal_record(ex, record, &sealed) && sealed.n <= FG_STORE_VALUE_MAX &&
           store->put(store, key, sealed, ex->now_ms, record->until_ms) == FG_STORE_OK;
}

static bool get(fg_exchange_t *ex, const char *session_id, record_t *record) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, session_id, ""), bytes;
    fg_str_t sealed = store && key.p ? fg_store_get_str(store, ex->arena, key, ex->now_ms) : FG_STR_NONE;
    if (sealed.n == 0 || !fg_cookie_unseal(ex, PURPOSE, sealed, &bytes))
        return false;
    fg_bytes_t in = {bytes, false};
    record->checked_ms = (int64_t)fg_bytes_get_number(&in, 8);
    record->until_ms = (int64_t)fg_bytes_get_number(&in, 8);
    record->token = fg_bytes_get_string(&in);
    record->session = fg_bytes_get_string(&in);
    return fg_bytes_end(&in);
}

static void forget(fg_exchange_t *ex, const char *session_id) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, session_id, "");
    if (store == NULL || key.p == NULL || store->remove(store, key) == FG_STORE_UNAVAILABLE)
        fg_log(ex->env, FG_LOG_ERROR, "%s: a provider's refresh token could not be removed", ex->correlation_id);
}

/* Two that use one refresh token at a time would look like a thief to a provider that rotates them. */
static bool begin_alone(fg_exchange_t *ex, const fg_session_t *session) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, session->id, ".busy");
    return store != NULL && key.p != NULL &&
           store->put_new(store, key, FG_STR("1"), ex->now_ms, ex->now_ms + BUSY_TIME) == FG_STORE_OK;
}

static void end_alone(fg_exchange_t *ex, const fg_session_t *session) {
    fg_store_t *store = ex->env->store;
    fg_str_t key = key_of(ex, session->id, ".busy");
    if (key.p != NULL)
        (void)store->remove(store, key);
}

/* ---- kept, and for how long */

void fg_oidc_rp_keep_refresh(fg_exchange_t *ex, const fg_identity_provider_t *provider, const char *session_id,
                             fg_str_t refresh_token) {
    const record_t record = {
        .token = refresh_token, .checked_ms = ex->now_ms, .until_ms = ex->now_ms + ex->hub->session_absolute_ms};
    if (provider->openid->refresh_interval_ms == 0)
        return;
    if (refresh_token.n == 0)
        fg_log(ex->env, FG_LOG_WARN,
               "%s: identity provider \"%s\" gave no refresh token: nothing of this sign-in can be refreshed",
               ex->correlation_id, provider->name);
    else if (!put(ex, session_id, &record))
        fg_log(ex->env, FG_LOG_ERROR, "%s: the refresh token of \"%s\" could not be kept", ex->correlation_id,
               provider->name);
}

/* The provider of a session if it is asked again; NULL: it is not. */
static const fg_home_realm_t *find_realm(fg_exchange_t *ex, const fg_session_t *session) {
    const fg_home_realm_t *realm = fg_signout_provider(ex, session);
    const fg_openid_provider_t *us = realm != NULL ? realm->identity_provider->openid : NULL;
    return us != NULL && us->refresh_interval_ms > 0 ? realm : NULL;
}

void fg_oidc_rp_hold(fg_exchange_t *ex, const fg_session_t *session, int64_t until_ms) {
    record_t record;
    if (find_realm(ex, session) == NULL)
        return;
    bool alone = begin_alone(ex, session);
    if (get(ex, session->id, &record) && record.until_ms < until_ms) {
        record.until_ms = until_ms;
        if (!alone || !put(ex, session->id, &record))
            fg_log(ex->env, FG_LOG_WARN, "%s: a provider's refresh token could not be kept longer", ex->correlation_id);
    }
    if (alone)
        end_alone(ex, session);
}

/* ---- asking */

/* §12.2: the same person of the same provider; how and when they signed in stays as it was. */
static bool read_claims(renewal_t *r, const fg_openid_metadata_t *metadata, const fg_oidc_tokens_t *tokens,
                        fg_identity_t *identity, fg_err_t *err) {
    const fg_identity_t *before = &r->session->identity;
    fg_jwt_read_t read;
    if (!fg_oidc_rp_id_token_renewed(r->ex, r->realm->identity_provider, tokens, before->name_id.value, &read, err))
        return false;
    *identity = read.identity;
    if (r->us->asks_userinfo && !fg_oidc_rp_userinfo(r->ex, metadata, tokens->access_token, identity, err))
        return false;
    identity->auth_method = before->auth_method;
    identity->auth_instant_ms = before->auth_instant_ms;
    identity->session_index = before->session_index;
    return fg_signin_accept(r->ex, r->realm, identity, err);
}

/* What was heard, for others that refresh in this session. */
static void keep_heard(renewal_t *r, const fg_identity_t *identity) {
    fg_buf_t bytes = FG_BUF_INIT(RECORD_MAX);
    fg_session_t session = *r->session;
    session.party_count = 0;
    r->record.checked_ms = r->ex->now_ms;
    if (identity != NULL) {
        session.identity = *identity;
        fg_session_write(&bytes, &session);
        r->record.session = fg_buf_ok(&bytes) ? fg_arena_str(r->ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    }
    fg_buf_free(&bytes);
    bool kept = put(r->ex, r->session->id, &r->record);
    r->record.session = FG_STR_NONE;
    if (!kept && !put(r->ex, r->session->id, &r->record)) /* all that is known of a person may be too much */
        fg_log(r->ex->env, FG_LOG_ERROR, "%s: a provider's next refresh token could not be kept",
               r->ex->correlation_id);
}

static bool ask(renewal_t *r, const fg_identity_t **fresh, fg_err_t *err) {
    const fg_identity_provider_t *provider = r->realm->identity_provider;
    fg_openid_metadata_t metadata;
    fg_oidc_tokens_t tokens;
    fg_identity_t *identity = fg_arena_alloc(r->ex->arena, sizeof *identity);
    if (identity == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "refreshing");
    if (!fg_openid_metadata_get(r->ex, provider, &metadata, err) ||
        !fg_oidc_rp_trade_refresh(r->ex, provider, &metadata, r->record.token, &tokens, err))
        return false;
    if (tokens.refresh_token.n > 0)
        r->record.token = tokens.refresh_token;
    if (tokens.id_token.n == 0) { /* it need not give one: the account is there, and more is not known */
        keep_heard(r, NULL);
        return true;
    }
    if (!read_claims(r, &metadata, &tokens, identity, err)) {
        (void)put(r->ex, r->session->id, &r->record); /* the old one is gone */
        return false;
    }
    keep_heard(r, identity);
    *fresh = identity;
    return true;
}

/* What was heard last, unless that was at the sign-in. */
static void take_heard(renewal_t *r, const fg_identity_t **fresh) {
    fg_session_t *session = fg_arena_alloc(r->ex->arena, sizeof *session);
    if (session != NULL && r->record.session.n > 0 && fg_session_read(r->ex->arena, r->record.session, session))
        *fresh = &session->identity;
}

static bool is_final(fg_code_t code) {
    return code == FG_E_OPENID_GRANT || code == FG_E_OPENID_ID_TOKEN || code == FG_E_DENIED;
}

/* A refusal is the end of the session; a provider that cannot be asked is none, for a while. */
static bool judge(renewal_t *r, const fg_identity_t **fresh, const fg_err_t *why, fg_err_t *err) {
    const char *name = r->realm->identity_provider->name;
    if (is_final(why->code)) {
        forget(r->ex, r->session->id);
        fg_session_mark_ended(r->ex, r->session);
        return FG_FAIL(err, FG_E_OPENID_GRANT, "identity provider \"%s\" does not vouch any more: %s", name,
                       why->detail);
    }
    if (r->ex->now_ms - r->record.checked_ms > GRACE + r->us->refresh_interval_ms)
        return FG_FAIL(err, FG_E_UNAVAILABLE, "identity provider \"%s\" cannot be asked: %s", name, why->detail);
    fg_log(r->ex->env, FG_LOG_WARN, "%s: identity provider \"%s\" cannot be asked, and what was known serves: %s",
           r->ex->correlation_id, name, why->detail);
    take_heard(r, fresh);
    return true;
}

static bool is_due(const renewal_t *r) { return r->ex->now_ms - r->record.checked_ms >= r->us->refresh_interval_ms; }

bool fg_oidc_rp_renew(fg_exchange_t *ex, const fg_session_t *session, const fg_identity_t **fresh, fg_err_t *err) {
    renewal_t r = {.ex = ex, .session = session, .realm = find_realm(ex, session)};
    fg_err_t why = FG_ERR_INIT;
    *fresh = NULL;
    if (r.realm == NULL)
        return true;
    r.us = r.realm->identity_provider->openid;
    if (!get(ex, session->id, &r.record))
        return FG_FAIL(err, FG_E_OPENID_GRANT, "nothing is left by which \"%s\" could be asked",
                       r.realm->identity_provider->name);
    if (!is_due(&r) || !begin_alone(ex, session)) {
        take_heard(&r, fresh);
        return true;
    }
    /* somebody else may have been faster */
    bool there = get(ex, session->id, &r.record);
    bool asked = there && is_due(&r), good = !asked || ask(&r, fresh, &why);
    bool done = good || judge(&r, fresh, &why, err);
    if (there && !asked)
        take_heard(&r, fresh);
    end_alone(ex, session);
    return there ? done : FG_FAIL(err, FG_E_OPENID_GRANT, "the session ended meanwhile");
}

/* ---- the end of the session */

void fg_oidc_rp_session_ended(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_session_t *session) {
    const fg_identity_provider_t *provider = realm->identity_provider;
    record_t record;
    fg_openid_metadata_t metadata;
    fg_err_t err = FG_ERR_INIT;
    if (find_realm(ex, session) == NULL || !get(ex, session->id, &record))
        return;
    forget(ex, session->id);
    if (!fg_openid_metadata_get(ex, provider, &metadata, &err) ||
        !fg_oidc_rp_revoke(ex, provider, &metadata, record.token, &err))
        fg_log(ex->env, FG_LOG_WARN, "%s: the refresh token of \"%s\" could not be revoked there: %s",
               ex->correlation_id, provider->name, err.detail);
}
