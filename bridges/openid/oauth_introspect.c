/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a token is worth (RFC 7662), and its end (RFC 7009). */
#include "bridges/openid/oauth_access.h"
#include "bridges/openid/oauth_client.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/token_id.h"

/* ---- introspection */

/* RFC 7662 §4: whose it is, or whom it is for; nobody else learns anything of it. */
static bool may_know(const fg_partner_t *asker, const fg_oauth_access_read_t *read) {
    if (fg_str_eq(read->client_id, asker->openid->id))
        return true;
    for (size_t i = 0; i < asker->realm_count; i++)
        if (fg_str_eq(read->jwt.audience, asker->realms[i]))
            return true;
    return false;
}

static json_t *describe_access(const fg_oauth_access_read_t *read) {
    json_t *json = json_copy((json_t *)(uintptr_t)read->jwt.payload);
    bool tied = json_object_get(json_object_get(json, "cnf"), "jkt") != NULL;
    (void)json_object_set_new(json, "active", json_true());
    (void)json_object_set_new(json, "token_type", json_string(tied ? "DPoP" : "Bearer"));
    return json;
}

static json_t *describe_refresh(const fg_oauth_grant_t *grant) {
    return json_pack("{s:b, s:s%, s:s%, s:I}", "active", true, "client_id", grant->client_id.p, grant->client_id.n,
                     "scope", grant->scope.p ? grant->scope.p : "", grant->scope.n, "exp",
                     (json_int_t)(grant->until_ms / FG_SECOND));
}

/* NULL: it is worth nothing, or not to be told to this one; *err says so if it could not be found out. */
static json_t *describe(fg_exchange_t *ex, const fg_partner_t *asker, fg_str_t token, fg_err_t *err) {
    fg_oauth_access_read_t read;
    fg_oauth_grant_t grant;
    bool jwt = token.n > 0 && memchr(token.p, '.', token.n) != NULL;
    if (jwt)
        return fg_oauth_access_read(ex, token, &read, err) && may_know(asker, &read) ? describe_access(&read) : NULL;
    bool good = fg_oauth_refresh_look(ex, token, &grant, err) && fg_str_eq(grant.client_id, asker->openid->id);
    return good ? describe_refresh(&grant) : NULL;
}

static bool introspect(fg_exchange_t *ex, fg_err_t *err) {
    fg_params_t form;
    fg_err_t why = FG_ERR_INIT;
    const fg_partner_t *asker = fg_oauth_client_form(ex, &form, err);
    if (asker == NULL)
        return false;
    if (fg_openid_client_is_public(asker->openid)) /* §2.1 */
        return FG_FAIL(err, FG_E_OPENID_CLIENT_AUTH, "%s proves nothing", asker->name);
    fg_str_t token = fg_params_get(&form, "token", NULL);
    if (token.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "no token");
    json_t *json = describe(ex, asker, token, &why);
    if (json == NULL && fg_fault_is_temporary(why.code)) {
        *err = why;
        return false;
    }
    return fg_openid_answer_json(ex, json ? json : json_pack("{s:b}", "active", false), "no-store", err);
}

fg_step_t fg_oauth_introspect(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!introspect(ex, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}

/* ---- revocation: of all that was granted together (RFC 7009 §2.1) */

static bool check_owner(const fg_partner_t *asker, fg_str_t client_id, fg_err_t *err) {
    return fg_str_eq(client_id, asker->openid->id) ||
           FG_FAIL(err, FG_E_OPENID_GRANT, "a token of client \"%.*s\"", FG_STR_ARG(client_id));
}

static bool end_access(fg_exchange_t *ex, const fg_partner_t *asker, fg_str_t token, fg_err_t *err) {
    fg_oauth_access_read_t read;
    fg_err_t why = FG_ERR_INIT;
    if (!fg_oauth_access_read(ex, token, &read, &why)) { /* §2.2: what is over is over */
        if (fg_fault_is_temporary(why.code))
            *err = why;
        return !fg_fault_is_temporary(why.code);
    }
    if (!check_owner(asker, read.client_id, err))
        return false;
    if (!read.has_grant)
        return fg_token_cancel(ex, read.jwt.id, read.jwt.not_on_or_after_ms, err);
    fg_oauth_grant_revoke(ex, &read.grant, "the client asked for it");
    return true;
}

static bool end_refresh(fg_exchange_t *ex, const fg_partner_t *asker, fg_str_t token, fg_err_t *err) {
    fg_oauth_grant_t grant;
    fg_err_t why = FG_ERR_INIT;
    if (!fg_oauth_refresh_look(ex, token, &grant, &why)) {
        if (fg_fault_is_temporary(why.code))
            *err = why;
        return !fg_fault_is_temporary(why.code);
    }
    if (!check_owner(asker, grant.client_id, err))
        return false;
    fg_oauth_grant_revoke(ex, &grant, "the client asked for it");
    return true;
}

static bool revoke(fg_exchange_t *ex, fg_err_t *err) {
    fg_params_t form;
    const fg_partner_t *asker = fg_oauth_client_form(ex, &form, err);
    if (asker == NULL)
        return false;
    fg_openid_allow_origin(ex, asker->openid);
    fg_str_t token = fg_params_get(&form, "token", NULL);
    if (token.n == 0)
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "no token");
    bool jwt = memchr(token.p, '.', token.n) != NULL;
    if (jwt ? !end_access(ex, asker, token, err) : !end_refresh(ex, asker, token, err))
        return false;
    ex->response.status = 200;
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    return true;
}

fg_step_t fg_oauth_revoke(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    if (!revoke(ex, &err))
        fg_oauth_refuse(ex, &err);
    return FG_STEP_DONE;
}
