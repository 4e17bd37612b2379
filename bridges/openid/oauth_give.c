/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the token endpoint answers (RFC 6749 §5.1, OpenID Connect core §3.1.3.3). */
#include "bridges/openid/oauth_trade.h"
#include "bridges/openid/oidc_token.h"
#include "core/time.h"

static void put_text(json_t *json, const char *name, fg_str_t text) {
    if (text.n > 0)
        (void)json_object_set_new(json, name, json_stringn(text.p, text.n));
}

bool fg_oauth_give(fg_exchange_t *ex, const fg_oauth_trade_t *trade, const fg_oauth_given_t *given, fg_err_t *err) {
    const char *type = given->token_type != NULL ? given->token_type : trade->holder.key.n > 0 ? "DPoP" : "Bearer";
    json_t *json = json_pack("{s:s%, s:s, s:I}", "access_token", given->token.p, given->token.n, "token_type", type,
                             "expires_in", (json_int_t)(given->lifetime_ms / FG_SECOND));
    put_text(json, "issued_token_type", fg_str(given->issued_token_type));
    put_text(json, "scope", given->scope);
    put_text(json, "id_token", given->id_token);
    put_text(json, "refresh_token", given->refresh_token);
    if (!fg_openid_answer_json(ex, json, "no-store", err))
        return false;
    fg_response_header(ex, "Pragma", FG_STR("no-cache")); /* §5.1 asks for it */
    return true;
}

bool fg_oauth_give_access(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_oauth_access_t *access,
                          const char *issued_token_type, fg_err_t *err) {
    fg_oauth_given_t given = {.scope = access->scope, .issued_token_type = issued_token_type};
    access->client = trade->partner;
    access->confirmation = trade->confirmation;
    return fg_oauth_access_write(ex, access, &given.token, &given.lifetime_ms, err) &&
           fg_oauth_give(ex, trade, &given, err);
}

/* A resource that was named with the code stays the grant's; the token request may say it again (RFC 8707 §2.2). */
static bool find_target(fg_exchange_t *ex, const fg_oauth_trade_t *trade, fg_oauth_target_t *target, fg_err_t *err) {
    fg_str_t granted = trade->grant.resource, wanted = fg_oauth_trade_get(trade, "resource");
    *target = (fg_oauth_target_t){NULL, granted};
    if (wanted.n > 0 && !fg_str_eq(wanted, granted))
        return FG_FAIL(err, FG_E_OPENID_TARGET, "resource \"%.*s\" was not granted", FG_STR_ARG(wanted));
    if (granted.n == 0)
        return true;
    target->partner = fg_hub_find_partner(ex->hub, granted);
    return target->partner != NULL || FG_FAIL(err, FG_E_OPENID_TARGET, "the resource is gone");
}

bool fg_oauth_give_granted(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    const fg_oauth_grant_t *grant = &trade->grant;
    fg_oidc_person_t person;
    fg_oauth_given_t given = {.scope = grant->scope};
    if (!fg_oidc_person_find(ex, trade->partner, grant, &person, err))
        return false;
    fg_oauth_access_t access = {
        .client = trade->partner,
        .identity = &grant->session.identity,
        .subject = person.subject,
        .user = person.user,
        .scope = grant->scope,
        .family = grant->family,
        .confirmation = trade->confirmation,
    };
    if (!find_target(ex, trade, &access.target, err) ||
        !fg_oauth_access_write(ex, &access, &given.token, &given.lifetime_ms, err))
        return false;
    if (fg_openid_word_in(grant->scope, "openid") &&
        !fg_oidc_id_token_write(ex, &person, given.token, FG_STR_NONE, &given.id_token, err))
        return false;
    bool refreshes = grant->refreshes > 0 || fg_openid_word_in(grant->scope, "offline_access");
    if (refreshes && !fg_oauth_refresh_make(ex, grant, &given.refresh_token, err))
        return false;
    return fg_oauth_give(ex, trade, &given, err);
}
