/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Telling clients that a session is over: by the browser (front-channel logout 1.0 §2) or from here. */
#include "bridges/openid/oidc_token.h"
#include "bridges/openid/openid.h"
#include "core/http.h"
#include "core/time.h"
#include "hub/kept.h"
#include "hub/signout.h"

#define URL_MAX 4096u
#define TOKEN_LIFETIME (2 * FG_MINUTE)
#define DEADLINE (5 * FG_SECOND) /* a person waits for the page */
#define EVENTS "{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

/* ---- from here (back-channel logout 1.0 §2.4, §2.5) */

static bool write_logout_token(fg_exchange_t *ex, const fg_session_t *session, const fg_partner_t *partner,
                               fg_str_t *token, fg_err_t *err) {
    fg_str_t id, subject;
    if (!fg_word_make(ex, &id, err))
        return false;
    if (!fg_oidc_subject(ex, partner, &session->identity, &subject, NULL))
        subject = FG_STR_NONE; /* what opens a session for its end alone has no name in it: sid says whose it is */
    const fg_jwt_member_t members[] = {{"sid", fg_str(session->id), false}, {"events", FG_STR(EVENTS), true}};
    const fg_jwt_t jwt = {
        .type = "logout+jwt",
        .id = id,
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .subject = subject,
        .audience = partner->openid->id,
        .issued_ms = ex->now_ms,
        .not_before_ms = ex->now_ms,
        .expires_ms = ex->now_ms + TOKEN_LIFETIME,
        .members = members,
        .member_count = FG_ARRAY_SIZE(members),
    };
    return fg_openid_sign(ex, &jwt, token, err);
}

static bool post(fg_exchange_t *ex, fg_str_t url, fg_str_t token, fg_err_t *err) {
    const fg_http_field_t headers[] = {{FG_STR("Content-Type"), FG_STR("application/x-www-form-urlencoded")}};
    const char *body = fg_arena_printf(ex->arena, "logout_token=%.*s", (int)token.n, token.p);
    const fg_http_request_t request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = FG_ARRAY_SIZE(headers),
        .body = fg_str(body),
        .deadline_ms = DEADLINE,
        .any_host = true, /* the administrator wrote this address down, or rules let its client register it */
    };
    fg_http_response_t response;
    if (body == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "a logout token");
    if (!fg_http_fetch(ex->env, ex->arena, &request, &response, err))
        return false;
    return response.status == 200 || response.status == 204 ||
           FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s answered %d", FG_STR_ARG(url), response.status);
}

static bool tell_from_here(fg_exchange_t *ex, const fg_session_t *session, const fg_partner_t *partner, fg_err_t *err) {
    fg_str_t token;
    return write_logout_token(ex, session, partner, &token, err) &&
           post(ex, partner->openid->back_channel_logout, token, err);
}

/* ---- by the browser */

static bool make_url(fg_exchange_t *ex, const fg_session_t *session, fg_str_t address, fg_str_t *url, fg_err_t *err) {
    fg_buf_t text = FG_BUF_INIT(URL_MAX);
    fg_buf_put_str(&text, address);
    fg_uri_put_param(&text, FG_STR("iss"), fg_openid_url(ex, FG_OPENID_ISSUER));
    fg_uri_put_param(&text, FG_STR("sid"), fg_str(session->id));
    if (fg_buf_ok(&text))
        *url = fg_arena_str(ex->arena, fg_buf_str(&text));
    fg_buf_free(&text);
    return url->p != NULL || FG_FAIL(err, FG_E_INTERNAL, "the address is too long");
}

/* A client that can be told in both ways is told from here, which no browser's rules stand in the way of; if that
 * fails, by the browser. */
bool fg_oidc_tell_party(fg_exchange_t *ex, fg_signout_t *signout, const fg_session_party_t *party, fg_str_t *url,
                        fg_err_t *err) {
    const fg_partner_t *partner = fg_openid_client_get(ex, party->realm);
    *url = FG_STR_NONE;
    if (partner == NULL)
        return true;
    const fg_openid_client_t *client = partner->openid;
    bool told = client->back_channel_logout.n > 0 && tell_from_here(ex, signout->session, partner, err);
    if (told || client->front_channel_logout.n == 0)
        return told || client->back_channel_logout.n == 0;
    if (signout->no_browser)
        return FG_FAIL(err, FG_E_OPENID_LOGOUT, "it is told by the browser only");
    return make_url(ex, signout->session, client->front_channel_logout, url, err);
}
