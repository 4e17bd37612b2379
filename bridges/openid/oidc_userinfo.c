/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UserInfo (OpenID Connect core §5.3): what the partner gets of the person now, by the scopes that were granted. */
#include "bridges/openid/oauth_access.h"
#include "bridges/openid/oidc_token.h"

typedef struct bearer {
    fg_str_t token;
    bool dpop; /* RFC 9449 §7.1 */
} bearer_t;

/* In the body of a form (RFC 6750 §2.2), for clients that cannot do otherwise; never in the address, which ends up in
 * logs. */
static bool read_form(fg_exchange_t *ex, bearer_t *bearer, fg_err_t *err) {
    fg_params_t form;
    size_t times;
    if (ex->request.method != FG_METHOD_POST || ex->request.body.n == 0)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no Authorization header");
    if (!fg_openid_params(ex, &form, err))
        return false;
    bearer->token = fg_params_get(&form, "access_token", &times);
    return times == 1 ||
           FG_FAIL(err, times == 0 ? FG_E_AUTH_MISSING : FG_E_OPENID_REQUEST, "access_token %zu times", times);
}

static bool read_bearer(fg_exchange_t *ex, bearer_t *bearer, fg_err_t *err) {
    size_t times;
    *bearer = (bearer_t){.dpop = false};
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times);
    if (times == 0)
        return read_form(ex, bearer, err);
    const char *space = times == 1 && header.n > 0 ? memchr(header.p, ' ', header.n) : NULL;
    fg_str_t scheme = {header.p, space ? (size_t)(space - header.p) : 0};
    bearer->dpop = fg_str_eq_nocase(scheme, FG_STR("DPoP"));
    if (!bearer->dpop && !fg_str_eq_nocase(scheme, FG_STR("Bearer")))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "an Authorization header that is neither Bearer nor DPoP");
    bearer->token = fg_str_trim((fg_str_t){header.p + scheme.n, header.n - scheme.n});
    return true;
}

/* Whether who sends it may use it, wherever the token is from. */
static bool check_holder(fg_exchange_t *ex, const bearer_t *bearer, const fg_oauth_access_read_t *read, fg_err_t *err) {
    fg_dpop_t dpop = {.jkt = FG_STR_NONE};
    fg_err_t why = FG_ERR_INIT;
    if (bearer->dpop && !fg_dpop_read(ex, fg_openid_url(ex, FG_OPENID_USERINFO), bearer->token, &dpop, err))
        return false;
    if (bearer->dpop && dpop.jkt.n == 0)
        return FG_FAIL(err, FG_E_OPENID_DPOP, "no proof beside the token");
    if (!fg_bound_check(ex, json_object_get(read->jwt.payload, "cnf"), &dpop, &why))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "%s", why.detail);
    return fg_dpop_spend(ex, &dpop, err);
}

static bool answer(fg_exchange_t *ex, const fg_oidc_person_t *person, fg_err_t *err) {
    const fg_openid_client_t *client = person->partner->openid;
    json_t *claims = fg_oidc_claims_make(ex, person, FG_OIDC_USERINFO);
    (void)json_object_set_new(claims, "sub", json_stringn(person->subject.p, person->subject.n));
    if (!client->userinfo_signed)
        return fg_openid_answer_json(ex, claims, "no-store", err);
    fg_str_t token;
    bool done = fg_oidc_userinfo_sign(ex, person, claims, &token, err);
    json_decref(claims);
    if (!done)
        return false;
    fg_openid_answer(ex, 200, token, "no-store");
    fg_response_body(ex, 200, "application/jwt", token);
    return true;
}

static bool run(fg_exchange_t *ex, bool *dpop, fg_err_t *err) {
    bearer_t bearer;
    fg_oauth_access_read_t read;
    fg_oidc_person_t person;
    if (!read_bearer(ex, &bearer, err))
        return false;
    *dpop = bearer.dpop;
    if (!fg_oauth_access_read(ex, bearer.token, &read, err) || !check_holder(ex, &bearer, &read, err))
        return false;
    if (!read.has_grant || !fg_str_eq(read.jwt.audience, fg_openid_url(ex, FG_OPENID_USERINFO)))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "a token that is not for userinfo");
    if (!fg_openid_word_in(read.grant.scope, "openid"))
        return FG_FAIL(err, FG_E_OPENID_TOKEN_SCOPE, "scope \"%.*s\"", FG_STR_ARG(read.grant.scope));
    const fg_partner_t *partner = fg_openid_client_get(ex, read.grant.client_id);
    if (partner == NULL)
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "client \"%.*s\" is gone", FG_STR_ARG(read.grant.client_id));
    fg_openid_allow_origin(ex, partner->openid);
    return fg_oidc_person_find(ex, partner, &read.grant, &person, err) && answer(ex, &person, err);
}

fg_step_t fg_oidc_userinfo(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    bool dpop = false;
    if (!run(ex, &dpop, &err))
        fg_oauth_refuse_holder(ex, &err, dpop);
    return FG_STEP_DONE;
}
