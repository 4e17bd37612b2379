/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The provider's direct messages: associations (OpenID Authentication 2.0 §8) and the confirmation of an answer to who
 * has none (§11.4.2), and the table of endpoints. */
#include "bridges/openid/openid2_association.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "token/replay.h"

#define LIFETIME FG_DAY
#define EXPIRES_IN "86400"
#define MEDIA_TYPE "text/plain; charset=utf-8" /* §5.1.2 */

/* ---- answers in Key-Value Form */

static bool answer(fg_exchange_t *ex, int status, const fg_openid2_message_t *message, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(FG_OPENID2_MESSAGE_MAX);
    bool written = fg_openid2_write(&text, message) && fg_buf_ok(&text);
    if (written) {
        fg_response_body(ex, status, MEDIA_TYPE, fg_buf_str(&text));
        fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
        fg_response_header(ex, "X-Content-Type-Options", FG_STR("nosniff"));
    }
    fg_buf_free(&text);
    return written || FG_FAIL(err, FG_E_INTERNAL, "an answer could not be written");
}

/* §5.1.2.2; what types are served instead is said where that was the reason (§8.2.4). */
void fg_openid2_refuse_direct(fg_exchange_t *ex, const fg_err_t *why) {
    const fg_fault_t *fault = fg_fault_get(why->code);
    const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID2_PROTOCOL)}};
    fg_openid2_message_t message;
    fg_err_t err = FG_ERR_INIT;
    fg_audit(ex, "refused", why, fields, FG_ARRAY_SIZE(fields));
    if (!fg_openid2_message_new(ex, true, &message, &err))
        return;
    fg_openid2_put(&message, "error", fg_str(fault->sentence));
    if (why->code == FG_E_OPENID2_TYPE) {
        fg_openid2_put(&message, "error_code", FG_STR("unsupported-type"));
        fg_openid2_put(&message, "session_type", fg_str(fg_openid2_session_word(FG_OPENID2_DH_SHA256)));
        fg_openid2_put(&message, "assoc_type", fg_str(fg_openid2_mac_word(FG_OPENID2_HMAC_SHA256)));
    }
    /* every error of a direct request is a 400; what another try may cure says so */
    if (!answer(ex, fg_fault_is_temporary(why->code) ? fault->http_status : 400, &message, &err))
        fg_log(ex->env, FG_LOG_ERROR, "%s: %s", ex->correlation_id, err.detail);
}

/* ---- associate */

typedef struct associate {
    fg_openid2_mac_t mac;
    fg_openid2_session_t session;
} associate_t;

static bool read_types(const fg_openid2_message_t *in, associate_t *asked, fg_err_t *err) {
    fg_str_t mac = fg_openid2_get(in, "assoc_type"), session = fg_openid2_get(in, "session_type");
    if (mac.n == 0 && !in->v2)
        mac = FG_STR("HMAC-SHA1"); /* 1.1 §4.1.1: by default */
    if (!fg_openid2_mac_find(mac, &asked->mac) || !fg_openid2_session_find(session, in->v2, &asked->session) ||
        !fg_openid2_types_fit(asked->mac, asked->session))
        return FG_FAIL(err, FG_E_OPENID2_TYPE, "assoc_type \"%.*s\", session_type \"%.*s\"", FG_STR_ARG(mac),
                       FG_STR_ARG(session));
    return true;
}

static bool put_secret(fg_exchange_t *ex, const unsigned char *bytes, size_t size, const char *name,
                       fg_openid2_message_t *out, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(64);
    fg_base64_encode(&text, bytes, size);
    fg_str_t copy = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    if (copy.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an association");
    fg_openid2_put(out, name, copy);
    return true;
}

/* §8.2.3 */
static bool put_encrypted(fg_exchange_t *ex, const fg_openid2_message_t *in, const associate_t *asked,
                          const fg_openid2_association_t *association, fg_openid2_message_t *out, fg_err_t *err) {
    unsigned char hidden[FG_SHA256_SIZE];
    size_t size = fg_openid2_mac_size(asked->mac);
    const fg_openid2_dh_t *dh =
        fg_openid2_dh_new(ex, fg_openid2_get(in, "dh_modulus"), fg_openid2_get(in, "dh_gen"), err);
    if (dh == NULL)
        return false;
    if (!fg_openid2_dh_xor(dh, asked->session, fg_openid2_get(in, "dh_consumer_public"), association->secret, hidden,
                           size))
        return FG_FAIL(err, FG_E_OPENID2_REQUEST, "dh_consumer_public is no number from 2 to p - 2");
    fg_openid2_put(out, "dh_server_public", fg_openid2_dh_public(dh));
    return put_secret(ex, hidden, size, "enc_mac_key", out, err);
}

/* The endpoint is https alone, so a secret may go as it is (§8.4.1). */
static bool associate(fg_exchange_t *ex, const fg_openid2_message_t *in, fg_err_t *err) {
    associate_t asked;
    fg_openid2_association_t association;
    fg_openid2_message_t out;
    if (!read_types(in, &asked, err) || !fg_openid2_message_new(ex, in->v2, &out, err) ||
        !fg_openid2_association_make(ex, asked.mac, false, LIFETIME, &association, err))
        return false;
    fg_openid2_put(&out, "assoc_handle", association.handle);
    fg_openid2_put(&out, "assoc_type", fg_str(fg_openid2_mac_word(asked.mac)));
    fg_openid2_put(&out, "expires_in", FG_STR(EXPIRES_IN));
    bool plain = asked.session == FG_OPENID2_NO_ENCRYPTION;
    if (in->v2 || !plain)
        fg_openid2_put(&out, "session_type", fg_str(fg_openid2_session_word(asked.session)));
    bool put = plain ? put_secret(ex, association.secret, fg_openid2_mac_size(asked.mac), "mac_key", &out, err)
                     : put_encrypted(ex, in, &asked, &association, &out, err);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    return put && answer(ex, 200, &out, err);
}

/* ---- check_authentication */

/* A private association is of one answer and confirms it once (§11.4.2.1). */
static bool is_valid(fg_exchange_t *ex, const fg_openid2_message_t *in, bool *valid, fg_err_t *err) {
    fg_openid2_association_t association;
    fg_err_t why = FG_ERR_INIT;
    *valid = fg_openid2_association_open(ex, fg_openid2_get(in, "assoc_handle"), &association) &&
             association.is_private && fg_openid2_verify(in, &association);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    if (!*valid || fg_replay_check(ex->env, "openid2-checked", FG_STR_NONE, association.handle, association.expires_ms,
                                   FG_E_TOKEN_REPLAY, &why))
        return true;
    *valid = false;
    return why.code == FG_E_TOKEN_REPLAY || FG_FAIL(err, why.code, "%s", why.detail);
}

static bool check_authentication(fg_exchange_t *ex, const fg_openid2_message_t *in, fg_err_t *err) {
    fg_openid2_message_t out;
    fg_openid2_association_t association;
    bool valid;
    if (!is_valid(ex, in, &valid, err) || !fg_openid2_message_new(ex, in->v2, &out, err))
        return false;
    fg_str_t handle = fg_openid2_get(in, "invalidate_handle");
    if (!valid) {
        fg_err_t why = FG_ERR_INIT;
        const fg_audit_field_t fields[] = {{"protocol", FG_STR(FG_OPENID2_PROTOCOL)}};
        FG_FAIL(&why, FG_E_OPENID2_ANSWER, "check_authentication: not an answer of ours, or confirmed before");
        fg_audit(ex, "refused", &why, fields, FG_ARRAY_SIZE(fields));
    }
    fg_openid2_put(&out, "is_valid", valid ? FG_STR("true") : FG_STR("false"));
    if (valid && handle.n > 0 && !fg_openid2_association_open(ex, handle, &association))
        fg_openid2_put(&out, "invalidate_handle", handle);
    OPENSSL_cleanse(association.secret, sizeof association.secret);
    return answer(ex, 200, &out, err);
}

/* ---- the endpoint: its browsers' half is openid2_checkid.c's */

static const struct mode {
    const char *name;
    bool (*run)(fg_exchange_t *ex, const fg_openid2_message_t *in, fg_err_t *err);
} modes[] = {{"associate", associate}, {"check_authentication", check_authentication}};

static const struct mode *find_mode(const fg_exchange_t *ex) {
    fg_params_t params;
    if (ex->request.method != FG_METHOD_POST || !fg_params_parse(ex->arena, ex->request.body, &params, NULL))
        return NULL;
    fg_str_t mode = fg_params_get(&params, "openid.mode", NULL);
    for (size_t i = 0; i < FG_ARRAY_SIZE(modes); i++)
        if (fg_str_is(mode, modes[i].name))
            return &modes[i];
    return NULL;
}

static bool is_direct(const fg_exchange_t *ex) { return find_mode(ex) != NULL; }

fg_step_t fg_openid2_direct(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_openid2_message_t message;
    const struct mode *mode = find_mode(ex);
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request);
    bool done = mode != NULL && fg_str_is(type, "application/x-www-form-urlencoded");
    if (!done)
        FG_FAIL(&err, FG_E_HTTP_MEDIA_TYPE, "Content-Type %.*s", FG_STR_ARG(type));
    done = done && fg_params_parse(ex->arena, ex->request.body, &params, &err) &&
           fg_openid2_message_read(ex, &params, FG_E_OPENID2_REQUEST, &message, &err) && mode->run(ex, &message, &err);
    if (!done)
        fg_openid2_refuse_direct(ex, &err);
    return FG_STEP_DONE;
}

#define BROWSER (FG_METHOD_GET | FG_METHOD_POST)

static const fg_endpoint_t endpoints[] = {
    {FG_OPENID2_PATH, FG_METHOD_GET, true, fg_openid2_identity, fg_response_error_page, NULL},
    {FG_OPENID2_IDENTITY "*", FG_METHOD_GET, true, fg_openid2_identity, fg_response_error_page, NULL},
    {FG_OPENID2_ENDPOINT, BROWSER, true, fg_openid2_checkid, fg_response_error_page, NULL},
    {FG_OPENID2_ENDPOINT, FG_METHOD_POST, true, fg_openid2_direct, fg_openid2_refuse_direct, is_direct},
    {FG_OPENID2_RETURN, BROWSER, true, fg_openid2_return, fg_response_error_page, NULL},
};

const fg_protocol_t fg_openid2_protocol = {
    .name = FG_OPENID2_PROTOCOL,
    .endpoints = endpoints,
    .endpoint_count = FG_ARRAY_SIZE(endpoints),
    .begin_sign_in = fg_openid2_begin_sign_in,
};
