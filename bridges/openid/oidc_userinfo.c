/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UserInfo (OpenID Connect core §5.3): what the partner gets of the person now, by the scopes that were granted. */
#include "bridges/openid/oidc_token.h"

/* In the header alone: bodies and addresses end up in logs (RFC 6750 §2). */
static bool read_bearer(fg_exchange_t *ex, fg_str_t *token, fg_err_t *err) {
    static const char scheme[] = "Bearer ";
    size_t times, n = sizeof scheme - 1;
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times);
    if (times == 0)
        return FG_FAIL(err, FG_E_AUTH_MISSING, "no Authorization header");
    if (times > 1 || header.n <= n || !fg_str_eq_nocase((fg_str_t){header.p, n}, fg_str(scheme)))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "an Authorization header that is no Bearer");
    *token = fg_str_trim((fg_str_t){header.p + n, header.n - n});
    return true;
}

static bool run(fg_exchange_t *ex, fg_err_t *err) {
    fg_str_t token;
    fg_oauth_grant_t grant;
    fg_oidc_person_t person;
    if (!read_bearer(ex, &token, err) || !fg_oauth_access_read(ex, token, &grant, err))
        return false;
    if (!fg_openid_word_in(grant.scope, "openid"))
        return FG_FAIL(err, FG_E_OPENID_TOKEN_SCOPE, "scope \"%.*s\"", FG_STR_ARG(grant.scope));
    const fg_partner_t *partner = fg_hub_find_client(ex->hub, grant.client_id);
    if (partner == NULL)
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "client \"%.*s\" is gone", FG_STR_ARG(grant.client_id));
    fg_openid_allow_origin(ex, partner->openid);
    if (!fg_oidc_person_find(ex, partner, &grant, &person, err))
        return false;
    json_t *claims = fg_oidc_claims_make(ex, &person, FG_OIDC_USERINFO);
    (void)json_object_set_new(claims, "sub", json_stringn(person.subject.p, person.subject.n));
    return fg_openid_answer_json(ex, claims, "no-store", err);
}

fg_step_t fg_oidc_userinfo(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!run(ex, &err))
        fg_oauth_refuse_bearer(ex, &err);
    return FG_STEP_DONE;
}
