/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Token exchange (RFC 8693), the twin of WS-Trust's OnBehalfOf and ActAs: without an actor_token the client acts as if
 * it were the subject, with one the token names the actor.  The rules are the target's delegation rules
 * (hub/delegation.h). */
#include "bridges/openid/oauth_trade.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/delegation.h"
#include "hub/issue.h"
#include "hub/presented.h"
#include "hub/token_id.h"

#define TYPE "urn:ietf:params:oauth:token-type:"

/* RFC 8693 §3 */
typedef enum kind { ACCESS_TOKEN, JWT, ID_TOKEN, SAML11, SAML20, KINDS } kind_t;
static const char *const type_names[KINDS] = {
    [ACCESS_TOKEN] = TYPE "access_token",
    [JWT] = TYPE "jwt",
    [ID_TOKEN] = TYPE "id_token",
    [SAML11] = TYPE "saml1",
    [SAML20] = TYPE "saml2",
};

static bool find_kind(fg_str_t name, kind_t *kind) {
    for (unsigned i = 0; i < KINDS; i++)
        if (fg_str_is(name, type_names[i])) {
            *kind = (kind_t)i;
            return true;
        }
    return false;
}

typedef struct exchange {
    fg_exchange_t *ex;
    fg_oauth_trade_t *trade;
    fg_oauth_target_t target;
    kind_t wanted;
} exchange_t;

/* ---- the tokens that are shown */

static bool read_assertion(const exchange_t *in, fg_str_t text, kind_t kind, fg_presented_t *token, fg_err_t *err) {
    const fg_presented_rules_t rules = {.any_of_ours = true};
    xmlNode *element = fg_oauth_assertion_parse(in->ex, text, err);
    if (element == NULL || !fg_presented_read(in->ex, element, &rules, token, err))
        return false;
    return (token->version == FG_SAML_11) == (kind == SAML11) ||
           FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion of another version than its type says");
}

static bool read_jwt(const exchange_t *in, fg_str_t text, kind_t kind, fg_presented_t *token, fg_err_t *err) {
    const fg_str_t audiences[] = {
        fg_openid_url(in->ex, FG_OPENID_USERINFO), fg_openid_url(in->ex, FG_OPENID_ISSUER),
        in->trade->client->id, /* of an ID token */
    };
    const fg_presented_rules_t rules = {
        .audiences = audiences,
        .audience_count = kind == ID_TOKEN ? FG_ARRAY_SIZE(audiences) : FG_ARRAY_SIZE(audiences) - 1,
        .any_of_ours = true,
        .type = kind == ID_TOKEN ? "JWT" : NULL,
    };
    return fg_presented_read_jwt(in->ex, text, &rules, token, err);
}

/* A token of ours is exchanged by whom it was issued to, or whom it is for: nobody else could have come by it in a way
 * that its subject knows of. */
static bool is_the_clients(const exchange_t *in, const fg_presented_t *token) {
    const fg_partner_t *partner = in->trade->partner;
    fg_str_t id = in->trade->client->id;
    if (fg_str_eq(token->audience, id) || fg_str_eq(fg_json_string(token->payload, "client_id"), id))
        return true;
    for (size_t i = 0; i < partner->realm_count; i++)
        if (fg_str_eq(token->audience, partner->realms[i]))
            return true;
    return false;
}

static bool read_token(const exchange_t *in, fg_str_t text, fg_str_t type, fg_presented_t *token, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    kind_t kind;
    if (text.n == 0 || !find_kind(type, &kind))
        return FG_FAIL(err, FG_E_OPENID_SUBJECT, "no token, or of type \"%.*s\"", FG_STR_ARG(type));
    bool read = kind == SAML11 || kind == SAML20 ? read_assertion(in, text, kind, token, &why)
                                                 : read_jwt(in, text, kind, token, &why);
    if (!read)
        return FG_FAIL(err, fg_fault_is_temporary(why.code) ? why.code : FG_E_OPENID_SUBJECT, "%s: %s",
                       fg_fault_get(why.code)->reason, why.detail);
    if (token->realm == NULL && (fg_token_id_flags(token->id) & FG_TOKEN_NOT_FOR_OTHERS) != 0)
        return FG_FAIL(err, FG_E_DENIED, "the token was asked for as not Delegatable");
    return token->realm != NULL || is_the_clients(in, token) ||
           FG_FAIL(err, FG_E_OPENID_SUBJECT, "a token neither for the client nor issued to it");
}

/* ---- what is issued */

static bool encode(fg_exchange_t *ex, fg_str_t *text, fg_err_t *err) {
    fg_buf_t out = FG_BUF_INIT(512u << 10);
    fg_base64url_encode(&out, text->p, text->n);
    *text = fg_buf_ok(&out) ? fg_arena_str(ex->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return text->p != NULL || FG_FAIL(err, FG_E_MEMORY, "a token");
}

/* The formats of WS-Trust, by the same code. */
static bool issue_other(const exchange_t *in, const fg_identity_t *identity, const fg_identity_t *actor, int64_t end,
                        fg_err_t *err) {
    fg_exchange_t *ex = in->ex;
    const fg_partner_t *partner = in->target.partner;
    bool jwt = in->wanted == JWT;
    const fg_issue_request_t request = {
        .partner = partner,
        .audience = in->target.realm,
        .identity = identity,
        .version = in->wanted == SAML11 ? FG_SAML_11 : FG_SAML_20,
        .jwt = jwt,
        .not_after_ms = end,
        .protocol = FG_OPENID_PROTOCOL,
        .request = "exchange",
        .actor = actor,
    };
    fg_issued_t issued;
    if (jwt ? !partner->jwt : partner->token_fixed && partner->token != request.version)
        return FG_FAIL(err, FG_E_OPENID_ISSUED_TYPE, "%s takes no %s", partner->name, type_names[in->wanted]);
    if (in->trade->confirmation.n > 0)
        return FG_FAIL(err, FG_E_OPENID_ISSUED_TYPE, "%s cannot be tied to a key here", type_names[in->wanted]);
    if (!fg_issue(ex, &request, &issued, err) || (!jwt && !encode(ex, &issued.token, err)))
        return false;
    const fg_oauth_given_t given = {
        .token = issued.token,
        .lifetime_ms = issued.expires_ms - issued.created_ms,
        .token_type = "N_A", /* §2.2.1: it is no access token */
        .issued_token_type = type_names[in->wanted],
    };
    return fg_oauth_give(ex, in->trade, &given, err);
}

static bool issue(const exchange_t *in, const fg_delegation_t *delegation, int64_t end, fg_err_t *err) {
    fg_identity_t identity;
    fg_oauth_access_t access = {.target = in->target, .identity = &identity, .not_after_ms = end};
    if (!fg_delegation_authorize(in->ex, delegation, err) || !fg_delegation_join(in->ex, delegation, &identity, err) ||
        !fg_oauth_trade_scope(in->ex, in->trade, &access.scope, err))
        return false;
    if (in->wanted != ACCESS_TOKEN)
        return issue_other(in, &identity, delegation->actor, end, err);
    return fg_oauth_give_access(in->ex, in->trade, &access, type_names[ACCESS_TOKEN], err);
}

/* ---- the whole */

static bool read_wanted(exchange_t *in, fg_err_t *err) {
    fg_str_t type = fg_oauth_trade_get(in->trade, "requested_token_type");
    in->wanted = ACCESS_TOKEN;
    if (type.p == NULL)
        return true;
    return (find_kind(type, &in->wanted) && in->wanted != ID_TOKEN) ||
           FG_FAIL(err, FG_E_OPENID_ISSUED_TYPE, "requested_token_type \"%.*s\"", FG_STR_ARG(type));
}

static bool run(exchange_t *in, fg_str_t text, fg_str_t type, fg_err_t *err) {
    static const char *const names[] = {"resource", "audience", NULL};
    fg_oauth_trade_t *trade = in->trade;
    fg_str_t actor_text = fg_oauth_trade_get(trade, "actor_token");
    fg_str_t actor_type = fg_oauth_trade_get(trade, "actor_token_type");
    fg_presented_t subject, actor;
    fg_identity_t client;
    if ((actor_text.n > 0) != (actor_type.n > 0)) /* §2.1 */
        return FG_FAIL(err, FG_E_OPENID_REQUEST, "actor_token and actor_token_type go together");
    if (!read_wanted(in, err) || !fg_oauth_target_find(in->ex, trade->client, trade->form, names, &in->target, err) ||
        !read_token(in, text, type, &subject, err) || !fg_oauth_client_identity(in->ex, trade->client, &client, err) ||
        (actor_text.n > 0 && !read_token(in, actor_text, actor_type, &actor, err)))
        return false;
    const fg_delegation_t delegation = {
        .partner = in->target.partner,
        .audience = in->target.realm,
        .actor = actor_text.n > 0 ? &actor.identity : &client,
        .subject = &subject.identity,
        .kind = actor_text.n > 0 ? FG_DELEGATION_ACT_AS : FG_DELEGATION_ON_BEHALF_OF,
    };
    return issue(in, &delegation, subject.expires_ms, err);
}

bool fg_oauth_grant_exchange(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    exchange_t in = {.ex = ex, .trade = trade};
    return run(&in, fg_oauth_trade_get(trade, "subject_token"), fg_oauth_trade_get(trade, "subject_token_type"), err);
}

bool fg_oauth_grant_on_behalf_of(fg_exchange_t *ex, fg_oauth_trade_t *trade, fg_err_t *err) {
    exchange_t in = {.ex = ex, .trade = trade};
    if ((trade->client->grants & FG_GRANT_EXCHANGE) == 0)
        return FG_FAIL(err, FG_E_OPENID_GRANT_FORBIDDEN, "%s may not exchange tokens", trade->partner->name);
    return run(&in, fg_oauth_trade_get(trade, "assertion"), fg_str(type_names[ACCESS_TOKEN]), err);
}
