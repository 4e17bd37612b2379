/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/openid2_partner.h"

#include "core/http.h"
#include "core/time.h"
#include "hub/bytes.h"
#include "hub/seal.h"

#define KIND "openid2-association"
#define LIFETIME_MAX FG_DAY
#define ANSWER_MAX (32u << 10)
#define HANDLE_MAX 255u /* §8.2.1 */

/* ---- direct messages */

static bool write_form(fg_buf_t *out, const fg_openid2_message_t *message) {
    fg_buf_t url = FG_BUF_INIT(FG_OPENID2_MESSAGE_MAX);
    bool written = fg_openid2_write_url(&url, message, FG_STR("?")); /* a query is a form's body */
    if (written)
        fg_buf_put_str(out, (fg_str_t){url.data + 1, url.length - 1});
    fg_buf_free(&url);
    return written && fg_buf_ok(out);
}

/* Not to somewhere else: what is answered counts as this endpoint's (O2-06). */
static bool post(fg_exchange_t *ex, const fg_openid2_source_t *source, fg_str_t endpoint,
                 const fg_openid2_message_t *message, fg_openid2_message_t *answer, fg_err_t *err) {
    const fg_http_field_t type = {FG_STR("Content-Type"), FG_STR("application/x-www-form-urlencoded")};
    fg_buf_t body = FG_BUF_INIT(FG_OPENID2_MESSAGE_MAX);
    fg_http_response_t response;
    bool written = write_form(&body, message);
    const fg_http_request_t request = {
        .method = "POST",
        .url = endpoint,
        .headers = &type,
        .header_count = 1,
        .body = fg_buf_str(&body),
        .body_max = ANSWER_MAX,
        .any_host = source->any_host,
    };
    bool done = written ? fg_http_fetch(ex->env, ex->arena, &request, &response, err)
                        : FG_FAIL(err, FG_E_OPENID2_ANSWER, "a message that is too long");
    fg_buf_free(&body);
    if (!done)
        return false;
    if (response.status != 200 && response.status != 400)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: HTTP status %d", FG_STR_ARG(endpoint), response.status);
    if (!fg_openid2_message_parse(ex, response.body, FG_E_OPENID2_ANSWER, answer, err))
        return false;
    fg_str_t error = fg_openid2_get(answer, "error_code");
    return response.status == 200 || error.n > 0 ||
           FG_FAIL(err, FG_E_OPENID2_ANSWER, "%.*s: \"%.*s\"", FG_STR_ARG(endpoint),
                   FG_STR_ARG(fg_openid2_get(answer, "error")));
}

/* ---- the store: what is known under endpoint and handle, and the handle that is in use */

static fg_str_t key_of(fg_exchange_t *ex, fg_str_t endpoint, fg_str_t handle) {
    const fg_str_t parts[] = {FG_STR(KIND ":"), endpoint, FG_STR(" "), handle};
    return fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
}

static void note(fg_exchange_t *ex, fg_str_t endpoint, const fg_openid2_association_t *association) {
    fg_store_t *store = ex->env->store;
    fg_buf_t bytes = FG_BUF_INIT(128);
    fg_str_t sealed, key = key_of(ex, endpoint, association->handle), current = key_of(ex, endpoint, FG_STR(""));
    fg_bytes_put_number(&bytes, association->mac, 1);
    fg_bytes_put_number(&bytes, (uint64_t)association->expires_ms, 8);
    fg_buf_add(&bytes, association->secret, fg_openid2_mac_size(association->mac));
    bool ok = fg_buf_ok(&bytes) && key.p != NULL && current.p != NULL &&
              fg_cookie_seal(ex, KIND, fg_buf_str(&bytes), &sealed);
    fg_buf_free(&bytes);
    /* what finds no room is asked about instead */
    if (ok && store->put(store, key, sealed, ex->now_ms, association->expires_ms) == FG_STORE_OK)
        (void)store->put(store, current, association->handle, ex->now_ms, association->expires_ms);
}

bool fg_openid2_known(fg_exchange_t *ex, fg_str_t endpoint, fg_str_t handle, fg_openid2_association_t *association) {
    fg_str_t key = key_of(ex, endpoint, handle), sealed = FG_STR_NONE, bytes;
    *association = (fg_openid2_association_t){.handle = handle};
    if (ex->env->store != NULL && key.p != NULL && handle.n > 0 && handle.n <= HANDLE_MAX)
        sealed = fg_store_get_str(ex->env->store, ex->arena, key, ex->now_ms);
    if (sealed.n == 0 || !fg_cookie_unseal(ex, KIND, sealed, &bytes))
        return false;
    fg_bytes_t in = {bytes, false};
    uint64_t mac = fg_bytes_get_number(&in, 1);
    association->mac = mac == FG_OPENID2_HMAC_SHA256 ? FG_OPENID2_HMAC_SHA256 : FG_OPENID2_HMAC_SHA1;
    association->expires_ms = (int64_t)fg_bytes_get_number(&in, 8);
    if (in.failed || in.rest.n != fg_openid2_mac_size(association->mac) || ex->now_ms >= association->expires_ms)
        return false;
    memcpy(association->secret, in.rest.p, in.rest.n);
    return true;
}

static bool find_current(fg_exchange_t *ex, fg_str_t endpoint, fg_openid2_association_t *association) {
    fg_str_t key = key_of(ex, endpoint, FG_STR("")), handle = FG_STR_NONE;
    if (key.p != NULL)
        handle = fg_store_get_str(ex->env->store, ex->arena, key, ex->now_ms);
    return handle.n > 0 && fg_openid2_known(ex, endpoint, handle, association);
}

/* The provider says that it does not know it any more. */
static void forget(fg_exchange_t *ex, fg_str_t endpoint, fg_str_t handle) {
    fg_store_t *store = ex->env->store;
    fg_str_t keys[] = {key_of(ex, endpoint, handle), key_of(ex, endpoint, FG_STR(""))};
    for (size_t i = 0; store != NULL && handle.n > 0 && i < FG_ARRAY_SIZE(keys); i++)
        if (keys[i].p != NULL)
            (void)store->remove(store, keys[i]);
}

/* ---- associating (§8) */

static int64_t read_lifetime(fg_str_t text) {
    int64_t seconds = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        seconds = seconds < LIFETIME_MAX ? seconds * 10 + (text.p[i] - '0') : seconds;
    }
    return seconds * FG_SECOND < LIFETIME_MAX ? seconds * FG_SECOND : LIFETIME_MAX;
}

/* What was asked for or nothing: neither another type nor a secret in the clear (O2-07, O2-11). */
static bool take_secret(const fg_openid2_message_t *answer, const fg_openid2_dh_t *dh, fg_openid2_session_t session,
                        fg_openid2_association_t *association) {
    size_t size = fg_openid2_mac_size(association->mac);
    fg_buf_t hidden = FG_BUF_INIT(64);
    bool good = fg_str_is(fg_openid2_get(answer, "assoc_type"), fg_openid2_mac_word(association->mac)) &&
                fg_str_is(fg_openid2_get(answer, "session_type"), fg_openid2_session_word(session)) &&
                fg_base64_decode(&hidden, fg_openid2_get(answer, "enc_mac_key")) && hidden.length == size &&
                fg_openid2_dh_xor(dh, session, fg_openid2_get(answer, "dh_server_public"),
                                  (const unsigned char *)hidden.data, association->secret, size);
    fg_buf_free(&hidden);
    association->handle = fg_openid2_get(answer, "assoc_handle");
    return good && association->handle.n > 0 && association->handle.n <= HANDLE_MAX;
}

static bool associate_by(fg_exchange_t *ex, const fg_openid2_source_t *source, const fg_openid2_service_t *service,
                         fg_openid2_association_t *association, bool *other, fg_err_t *err) {
    bool sha1 = association->mac == FG_OPENID2_HMAC_SHA1;
    fg_openid2_session_t session = sha1 ? FG_OPENID2_DH_SHA1 : FG_OPENID2_DH_SHA256;
    fg_openid2_message_t question, answer;
    const fg_openid2_dh_t *dh = fg_openid2_dh_new(ex, FG_STR_NONE, FG_STR_NONE, err);
    *other = false;
    if (dh == NULL || !fg_openid2_message_new(ex, service->v2, &question, err))
        return false;
    fg_openid2_put(&question, "mode", FG_STR("associate"));
    fg_openid2_put(&question, "assoc_type", fg_str(fg_openid2_mac_word(association->mac)));
    fg_openid2_put(&question, "session_type", fg_str(fg_openid2_session_word(session)));
    fg_openid2_put(&question, "dh_consumer_public", fg_openid2_dh_public(dh));
    if (!post(ex, source, service->endpoint, &question, &answer, err))
        return false;
    *other = fg_str_is(fg_openid2_get(&answer, "error_code"), "unsupported-type");
    int64_t lifetime = read_lifetime(fg_openid2_get(&answer, "expires_in"));
    association->expires_ms = ex->now_ms + lifetime;
    return (lifetime > 0 && take_secret(&answer, dh, session, association)) ||
           FG_FAIL(err, FG_E_OPENID2_ANSWER, "%.*s: no association", FG_STR_ARG(service->endpoint));
}

bool fg_openid2_associate(fg_exchange_t *ex, const fg_openid2_source_t *source, const fg_openid2_service_t *service,
                          fg_openid2_association_t *association) {
    fg_err_t err = FG_ERR_INIT;
    bool other = false, made = false;
    if (source->stateless || ex->env->store == NULL)
        return false;
    if (find_current(ex, service->endpoint, association))
        return true;
    if (service->v2) {
        *association = (fg_openid2_association_t){.mac = FG_OPENID2_HMAC_SHA256};
        made = associate_by(ex, source, service, association, &other, &err);
    }
    /* whoever stands between may say that there is nothing better: SHA-1 only where the configuration says so */
    if (!made && source->allow_sha1 && (other || !service->v2)) {
        *association = (fg_openid2_association_t){.mac = FG_OPENID2_HMAC_SHA1};
        made = associate_by(ex, source, service, association, &other, &err);
    }
    if (made)
        note(ex, service->endpoint, association);
    else if (err.code != FG_OK)
        fg_log(ex->env, FG_LOG_NOTICE, "%s: answers will be asked about: %s", ex->correlation_id, err.detail);
    return made;
}

/* ---- direct verification */

bool fg_openid2_ask_provider(fg_exchange_t *ex, const fg_openid2_source_t *source, fg_str_t endpoint,
                             const fg_openid2_message_t *answer, fg_err_t *err) {
    fg_openid2_message_t question, said;
    if (!fg_openid2_message_new(ex, false, &question, err))
        return false;
    /* exact copies of all fields, but for the mode (§11.4.2.1) */
    for (size_t i = 0; i < answer->count; i++)
        question.items[question.count++] = answer->items[i];
    fg_openid2_put(&question, "mode", FG_STR("check_authentication"));
    if (!post(ex, source, endpoint, &question, &said, err))
        return false;
    if (!fg_str_is(fg_openid2_get(&said, "is_valid"), "true"))
        return FG_FAIL(err, FG_E_OPENID2_ANSWER, "%.*s does not confirm the answer", FG_STR_ARG(endpoint));
    fg_str_t handle = fg_openid2_get(&said, "invalidate_handle");
    if (handle.n > 0 && fg_str_eq(handle, fg_openid2_get(answer, "invalidate_handle")))
        forget(ex, endpoint, handle);
    return true;
}
