/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_client.h"

#include <openssl/x509v3.h>

#include "core/time.h"
#include "hub/message.h"
#include "token/jws.h"
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

/* With which of its keys a client means to have signed: which of them it may use is its registration's to say. */
static bool is_symmetric(fg_exchange_t *ex, fg_str_t assertion) {
    fg_str_t parts[3];
    fg_str_t plain = fg_jws_split(assertion, parts) ? fg_jws_decode(ex->arena, parts[0]) : FG_STR_NONE;
    const json_t *header = plain.p != NULL ? fg_jws_object(ex->arena, plain, "header", NULL) : NULL;
    return fg_str_starts(fg_json_string(header, "alg"), "HS");
}

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
        unsigned by = is_symmetric(ex, assertion) ? FG_CLIENT_SECRET_JWT : FG_CLIENT_JWT;
        *shown = (shown_t){.by = by, .id = issuer, .secret = assertion};
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
    fg_str_t secrets[FG_CLIENT_SECRETS_MAX];
    const fg_str_t here[] = {ex->hub->base_url, ex->request.path}; /* RFC 9126 §2: any endpoint's own */
    const fg_str_t audiences[] = {fg_openid_url(ex, FG_OPENID_TOKEN), fg_openid_url(ex, FG_OPENID_ISSUER),
                                  fg_arena_join(ex->arena, here, FG_ARRAY_SIZE(here))};
    for (size_t i = 0; i < client->secret_count; i++)
        secrets[i] = client->secrets[i].text;
    const fg_jwt_trust_t trust = {
        .issuer = client->id,
        .secrets = shown->by == FG_CLIENT_SECRET_JWT ? secrets : NULL,
        .secret_count = client->secret_count,
        .audiences = audiences,
        .audience_count = FG_ARRAY_SIZE(audiences),
        .skew_ms = ex->hub->skew_ms,
        .max_lifetime_ms = ASSERTION_LIFETIME,
    };
    if (!fg_oauth_client_jwt(ex, client, shown->secret, &trust, &read, &why))
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_assertion: %s", why.detail);
    if (!fg_str_eq(read.identity.name_id.value, client->id) || read.id.n == 0)
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_assertion: sub is not iss, or jti is missing");
    return fg_replay_check(ex->env, "client-assertion", client->id, read.id, read.not_on_or_after_ms + ex->hub->skew_ms,
                           FG_E_OPENID_CLIENT_AUTH, err);
}

/* ---- by the connection's certificate, which nginx verified (RFC 8705 §2.1) */

static bool has_subject(X509 *certificate, fg_str_t expected) {
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;
    if (out != NULL && X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0)
        length = BIO_get_mem_data(out, &text);
    bool same = length > 0 && fg_str_eq((fg_str_t){text, (size_t)length}, expected);
    BIO_free(out);
    return same;
}

/* A name of its own, not a pattern that fits. */
static bool has_dns(X509 *certificate, fg_str_t expected) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        fg_str_t text = {(const char *)ASN1_STRING_get0_data(name->d.dNSName),
                         (size_t)ASN1_STRING_length(name->d.dNSName)};
        found |= fg_str_eq_nocase(text, expected);
    }
    GENERAL_NAMES_free(names);
    return found;
}

static bool check_certificate(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown,
                              fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    const fg_key_t *key = fg_message_connection_key(ex, &why);
    (void)shown;
    if (key == NULL)
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "no client certificate %s", why.detail);
    X509 *certificate = fg_key_get_x509(key);
    bool subject = client->certificate_subject.n == 0 || has_subject(certificate, client->certificate_subject);
    bool dns = client->certificate_dns.n == 0 || has_dns(certificate, client->certificate_dns);
    return (subject && dns) || FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "a certificate of another name");
}

static bool check_nothing(fg_exchange_t *ex, const fg_openid_client_t *client, const shown_t *shown, fg_err_t *err) {
    (void)ex, (void)client, (void)shown, (void)err;
    return true;
}

static const struct {
    unsigned by;
    bool (*check)(fg_exchange_t *, const fg_openid_client_t *, const shown_t *, fg_err_t *);
} checks[] = {
    {FG_CLIENT_NONE, check_nothing},  {FG_CLIENT_BASIC, check_secret},         {FG_CLIENT_POST, check_secret},
    {FG_CLIENT_JWT, check_assertion}, {FG_CLIENT_SECRET_JWT, check_assertion}, {FG_CLIENT_TLS, check_certificate},
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
    const fg_partner_t *partner = fg_openid_client_get(ex, shown.id);
    if (partner == NULL && shown.id_raw.n > 0)
        partner = fg_openid_client_get(ex, shown.id_raw);
    if (partner == NULL) {
        FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "client_id \"%.*s\"", FG_STR_ARG(shown.id));
        return NULL;
    }
    /* the connection shows it: the form names the client alone */
    if (shown.by == FG_CLIENT_NONE && (partner->openid->auth & FG_CLIENT_TLS) != 0)
        shown.by = FG_CLIENT_TLS;
    return check(ex, partner->openid, &shown, err) ? partner : NULL;
}

const fg_partner_t *fg_oauth_client_form(fg_exchange_t *ex, fg_params_t *form, fg_err_t *err) {
    bool good = fg_openid_params(ex, form, err) && fg_openid_params_once(form, FG_E_OPENID_REQUEST, err);
    return good ? fg_oauth_client_identify(ex, form, err) : NULL;
}
