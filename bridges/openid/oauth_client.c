/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_client.h"

#include "core/time.h"
#include "token/replay.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define ASSERTION_LIFETIME FG_HOUR
#define CREDENTIALS_MAX 4096u

/* What the request shows of its sender. */
typedef struct shown {
    unsigned by; /* one bit of FG_CLIENT_… */
    fg_str_t id;
    fg_str_t secret; /* or the assertion */
    fg_str_t id_raw; /* of a Basic header, before it was decoded */
    fg_str_t secret_raw;
} shown_t;

/* ---- Basic: name and secret are encoded as in forms before they are joined (RFC 6749 §2.3.1); many clients leave that
 * out */

static fg_str_t decode(fg_arena_t *arena, fg_str_t text) {
    fg_params_t params;
    const char *pair = fg_arena_printf(arena, "x=%.*s", (int)text.n, text.p);
    bool one = pair != NULL && fg_params_parse(arena, fg_str(pair), &params, NULL) && params.count == 1;
    return one ? params.items[0].value : text;
}

static bool read_basic(fg_exchange_t *ex, fg_str_t header, shown_t *shown, fg_err_t *err) {
    static const char scheme[] = "Basic ";
    size_t n = sizeof scheme - 1;
    fg_buf_t plain = FG_BUF_INIT(CREDENTIALS_MAX);
    fg_str_t text = FG_STR_NONE;
    if (header.n > n && fg_str_eq_nocase((fg_str_t){header.p, n}, fg_str(scheme)) &&
        fg_base64_decode(&plain, (fg_str_t){header.p + n, header.n - n}))
        text = fg_arena_str(ex->arena, fg_buf_str(&plain));
    fg_buf_free(&plain);
    const char *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
    if (colon == NULL || !fg_str_is_utf8(text))
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "an Authorization header that is no Basic");
    shown->by = FG_CLIENT_BASIC;
    shown->id_raw = (fg_str_t){text.p, (size_t)(colon - text.p)};
    shown->secret_raw = (fg_str_t){colon + 1, text.n - shown->id_raw.n - 1};
    shown->id = decode(ex->arena, shown->id_raw);
    shown->secret = decode(ex->arena, shown->secret_raw);
    return true;
}

/* ---- which of the ways; a request takes one (RFC 6749 §2.3) */

static bool read_shown(fg_exchange_t *ex, const fg_params_t *form, shown_t *shown, fg_err_t *err) {
    size_t times;
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times);
    fg_str_t secret = fg_params_get(form, "client_secret", NULL);
    fg_str_t assertion = fg_params_get(form, "client_assertion", NULL);
    *shown = (shown_t){.by = FG_CLIENT_NONE, .id = fg_params_get(form, "client_id", NULL)};
    if (times > 1 || (times > 0) + (secret.p != NULL) + (assertion.p != NULL) > 1)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "more than one way to say which client it is");
    if (times == 1) {
        fg_str_t named = shown->id;
        return read_basic(ex, header, shown, err) &&
               (named.p == NULL || fg_str_eq(named, shown->id) ||
                FG_FAIL(err, FG_E_OPENID_REQUEST, "client_id is not the Authorization header's"));
    }
    if (secret.p != NULL) {
        shown->by = FG_CLIENT_POST;
        shown->secret = secret;
    } else if (assertion.p != NULL) {
        fg_str_t issuer = fg_jwt_peek_issuer(ex->arena, assertion);
        if (!fg_str_is(fg_params_get(form, "client_assertion_type", NULL), ASSERTION_TYPE))
            return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_assertion_type is not " ASSERTION_TYPE);
        if (shown->id.p != NULL && !fg_str_eq(shown->id, issuer))
            return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_id is not the assertion's issuer");
        *shown = (shown_t){.by = FG_CLIENT_JWT, .id = issuer, .secret = assertion};
    }
    return true;
}

/* ---- is it true? */

static bool matches(const fg_openid_client_t *client, fg_str_t secret) {
    unsigned char digest[FG_SHA256_SIZE];
    bool found = false;
    fg_sha256(secret.p, secret.n, digest);
    for (size_t i = 0; i < client->secret_count; i++)
        found |= fg_equal_secret((fg_str_t){(const char *)client->secrets[i].digest, sizeof digest},
                                 (fg_str_t){(const char *)digest, sizeof digest});
    return found;
}

static bool check_secret(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown, fg_err_t *err) {
    (void)ex;
    bool good = matches(client, shown->secret);
    good |= shown->secret_raw.n > 0 && matches(client, shown->secret_raw);
    return good || FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "wrong secret");
}

/* RFC 7523 §3, with the issuer as audience too, which the newer drafts ask for. */
static bool check_assertion(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown, fg_err_t *err) {
    fg_jwt_read_t read;
    fg_err_t why = FG_ERR_INIT;
    const fg_str_t audiences[] = {fg_openid_url(ex, FG_OPENID_TOKEN), fg_openid_url(ex, FG_OPENID_ISSUER)};
    const fg_jwt_trust_t trust = {
        .issuer = client->id,
        .keys = &client->keys,
        .audiences = audiences,
        .audience_count = FG_ARRAY_SIZE(audiences),
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = ASSERTION_LIFETIME,
    };
    if (!fg_jwt_read(ex->env, ex->arena, shown->secret, &trust, &read, &why))
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_assertion: %s", why.detail);
    if (!fg_str_eq(read.identity.name_id.value, client->id) || read.id.n == 0)
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_assertion: sub is not iss, or jti is missing");
    return fg_replay_check(ex->env, "client-assertion", client->id, read.id, read.not_on_or_after_ms + ex->hub->skew_ms,
                           FG_E_OPENID_CLIENT_AUTH, err);
}

static bool check_nothing(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown, fg_err_t *err) {
    (void)ex, (void)client, (void)shown, (void)err;
    return true;
}

static const struct {
    unsigned by;
    bool (*check)(fg_exchange_t *, const fg_openid_client_t *, const shown_t *, fg_err_t *);
} checks[] = {
    {FG_CLIENT_NONE, check_nothing},
    {FG_CLIENT_BASIC, check_secret},
    {FG_CLIENT_POST, check_secret},
    {FG_CLIENT_JWT, check_assertion},
};

static bool check(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(checks); i++)
        if (checks[i].by == shown->by && (client->auth & shown->by) != 0)
            return checks[i].check(ex, client, shown, err);
    return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "%.*s does not prove itself in this way", FG_STR_ARG(client->id));
}

const fg_partner_t *fg_oauth_client_identify(fg_exchange_t *ex, const fg_params_t *form, fg_err_t *err) {
    shown_t shown;
    if (!read_shown(ex, form, &shown, err))
        return NULL;
    const fg_partner_t *partner = fg_hub_find_client(ex->hub, shown.id);
    if (partner == NULL && shown.id_raw.n > 0)
        partner = fg_hub_find_client(ex->hub, shown.id_raw);
    if (partner == NULL) {
        FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_id \"%.*s\"", FG_STR_ARG(shown.id));
        return NULL;
    }
    return check(ex, partner->openid, &shown, err) ? partner : NULL;
}
