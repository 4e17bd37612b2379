/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bridges/openid/oauth_access.h"

#include "bridges/openid/oidc_token.h"
#include "core/time.h"
#include "hub/issue.h"
#include "hub/kept.h"
#include "hub/name_id.h"
#include "hub/token_id.h"

/* ---- for whom */

bool fg_oauth_target_find(fg_exchange_t *ex, const fg_openid_client_t *client, const fg_params_t *form,
                          const char *const *names, fg_oauth_target_t *target, fg_err_t *err) {
    fg_str_t wanted = FG_STR_NONE;
    for (; *names != NULL; names++) {
        fg_str_t named = fg_params_get(form, *names, NULL);
        if (named.n > 0 && wanted.n > 0 && !fg_str_eq(named, wanted))
            return FG_FAIL(err, FG_E_OPENID_TARGET, "two targets are named");
        wanted = named.n > 0 ? named : wanted;
    }
    if (wanted.n == 0 && client->resources.count == 1)
        wanted = client->resources.items[0];
    if (wanted.n == 0)
        return FG_FAIL(err, FG_E_OPENID_TARGET, "no target is named, and %zu could be", client->resources.count);
    *target = (fg_oauth_target_t){fg_hub_find_partner(ex->hub, wanted), wanted};
    return (fg_str_list_has(&client->resources, wanted) && target->partner != NULL) ||
           FG_FAIL(err, FG_E_OPENID_TARGET, "\"%.*s\" is none of the client's resources", FG_STR_ARG(wanted));
}

bool fg_oauth_client_identity(fg_exchange_t *ex, const fg_openid_client_t *client, fg_identity_t *identity,
                              fg_err_t *err) {
    *identity = (fg_identity_t){
        .name_id = {.value = client->id},
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
    };
    return fg_claims_put(ex->arena, &identity->claims, FG_CLAIM_CLIENT, client->id) ||
           FG_FAIL(err, FG_E_MEMORY, "a client's claims");
}

/* ---- writing */

/* RFC 9068 §2.2.  The family at the front finds what was granted; other ids are the token's own (hub/token_id.h). */
static bool make_id(fg_exchange_t *ex, const fg_oauth_access_t *access, fg_str_t *id, fg_err_t *err) {
    char own[FG_ID_SIZE];
    fg_str_t word;
    if (access->family.n == 0) {
        if (!fg_token_id_make(ex, access->client->openid->id, 0, own, err))
            return false;
        *id = fg_arena_str(ex->arena, fg_str(own));
    } else {
        if (!fg_word_make(ex, &word, err))
            return false;
        const int rest = (int)(FG_TOKEN_FAMILY_ID_SIZE - FG_TOKEN_FAMILY_SIZE);
        *id = fg_str(fg_arena_printf(ex->arena, "%.*s%.*s", FG_STR_ARG(access->family), rest, word.p));
    }
    return id->p != NULL || FG_FAIL(err, FG_E_MEMORY, "an access token");
}

/* What a target gets is by its own rules; userinfo's token says nothing of the person. */
typedef struct said {
    fg_claims_t claims;
    fg_str_t subject;
    const fg_identity_t *actors;
} said_t;

static bool gather(fg_exchange_t *ex, const fg_oauth_access_t *access, said_t *said, fg_err_t *err) {
    const fg_oauth_target_t *target = &access->target;
    fg_name_id_t name_id = {0};
    said->subject = access->subject;
    if (target->partner == NULL)
        return true;
    const fg_issue_request_t request = {
        .partner = target->partner, .audience = target->realm, .identity = access->identity};
    if (!fg_issue_claims(ex, &request, &said->claims, &name_id, err) ||
        !fg_issue_actors(ex, target->partner, access->identity, &said->actors, err))
        return false;
    if (said->subject.n == 0)
        said->subject = name_id.value;
    return said->subject.n > 0 ||
           fg_pairwise_name(ex, access->identity, FG_STR(FG_OPENID_PROTOCOL), &said->subject, err);
}

static void note(fg_exchange_t *ex, const fg_oauth_access_t *access, const fg_jwt_t *jwt, const char *partner_use) {
    const fg_identity_t *identity = access->identity;
    const fg_issue_note_t line = {
        .partner = access->target.partner ? access->target.partner : access->client,
        .user = access->user.n > 0 ? access->user : jwt->subject,
        .actor = fg_identity_last_actor(identity),
        .audience = jwt->audience,
        .protocol = FG_OPENID_PROTOCOL,
        .token_type = "access_token",
        .key_type = partner_use,
        .token_id = jwt->id.p,
    };
    fg_issue_note(ex, &line);
}

bool fg_oauth_access_write(fg_exchange_t *ex, const fg_oauth_access_t *access, fg_str_t *token, int64_t *lifetime_ms,
                           fg_err_t *err) {
    const fg_partner_t *partner = access->target.partner ? access->target.partner : access->client;
    int64_t end = ex->now_ms + partner->token_lifetime_ms;
    said_t said = {.actors = NULL};
    fg_str_t id;
    if (access->not_after_ms > 0 && access->not_after_ms < end)
        end = access->not_after_ms;
    if (end <= ex->now_ms)
        return FG_FAIL(err, FG_E_OPENID_GRANT, "the token would end with one that has ended");
    if (!gather(ex, access, &said, err) || !make_id(ex, access, &id, err))
        return false;
    const fg_jwt_member_t members[] = {
        {"client_id", access->client->openid->id, false},
        {"scope", access->scope, false},
        {"acr", fg_oidc_class_of(access->identity), false},
        {"cnf", access->confirmation, true},
    };
    const fg_jwt_t jwt = {
        .type = "at+jwt",
        .id = id,
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .subject = said.subject,
        .audience = access->target.partner ? access->target.realm : fg_openid_url(ex, FG_OPENID_USERINFO),
        .issued_ms = ex->now_ms,
        .not_before_ms = ex->now_ms,
        .expires_ms = end,
        .identity = access->identity,
        .claims = &said.claims,
        .actor = said.actors,
        .members = members,
        .member_count = FG_ARRAY_SIZE(members),
    };
    *lifetime_ms = end - ex->now_ms;
    if (!fg_openid_sign(ex, &jwt, token, err))
        return false;
    note(ex, access, &jwt, access->confirmation.n > 0 ? "public" : NULL);
    return true;
}

/* ---- reading */

static bool any_audience(const void *context, fg_str_t audience) {
    (void)context;
    return audience.n > 0;
}

static bool find_grant(fg_exchange_t *ex, fg_oauth_access_read_t *read, fg_err_t *err) {
    const fg_str_t id = read->jwt.id;
    read->has_grant = id.n == FG_TOKEN_FAMILY_ID_SIZE && id.p[0] != '_';
    if (!read->has_grant)
        return true;
    const fg_str_t family = {id.p, FG_TOKEN_FAMILY_SIZE};
    if (!fg_oauth_grant_find(ex, family, FG_E_OPENID_TOKEN, &read->grant, err))
        return false;
    bool offline = fg_openid_word_in(read->grant.scope, "offline_access");
    return offline || !fg_session_is_ended(ex, read->grant.session.id) ||
           FG_FAIL(err, FG_E_OPENID_TOKEN, "the session has ended");
}

bool fg_oauth_access_read(fg_exchange_t *ex, fg_str_t token, fg_oauth_access_read_t *read, fg_err_t *err) {
    fg_jwk_set_t keys;
    fg_err_t why = FG_ERR_INIT;
    *read = (fg_oauth_access_read_t){.has_grant = false};
    if (!fg_openid_own_keys(ex, &keys, err))
        return false;
    const fg_jwt_trust_t trust = {
        .issuer = fg_openid_url(ex, FG_OPENID_ISSUER),
        .keys = &keys,
        .is_audience = any_audience,
        .type = "at+jwt", /* an ID token is none (JW-11) */
    };
    if (!fg_jwt_read(ex->env, ex->arena, token, &trust, &read->jwt, &why))
        return FG_FAIL(err, FG_E_OPENID_TOKEN, "%s", why.detail);
    read->client_id = fg_json_string(read->jwt.payload, "client_id");
    if (!fg_token_check_cancelled(ex, read->jwt.id, &why))
        return FG_FAIL(err, why.code == FG_E_UNAVAILABLE ? why.code : FG_E_OPENID_TOKEN, "%s", why.detail);
    return find_grant(ex, read, err);
}
