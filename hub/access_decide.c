/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The policy over who it is and what is asked for, and the token for the server behind. */
#include "core/crypto.h"
#include "hub/access_parts.h"
#include "hub/issue.h"
#include "token/certificate.h"

/* ---- the request as claims */

fg_access_turn_t fg_access_read_message(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_request_t *request = &ex->request;
    if (w->access.protect->kind != FG_PROTECT_WSMAN || w->message_is_read)
        return FG_TURN_NEXT;
    fg_wsman_http_t http = {.body = request->body};
    http.content_type = fg_request_header(request, "content-type", &http.content_type_count);
    http.soap_action = fg_request_header(request, "soapaction", &http.soap_action_count);
    http.content_encoding = fg_request_header(request, "content-encoding", NULL);
    w->message_is_read = true;
    if (request->method != FG_METHOD_POST)
        return fg_turn(FG_FAIL(&w->err, FG_E_HTTP_METHOD, "%.*s", FG_STR_ARG(request->method_name)));
    return fg_turn(fg_wsman_read(ex->arena, &http, &ex->hub->xml, &w->access.wsman, &w->err));
}

static fg_str_t lower(fg_arena_t *arena, fg_str_t text) {
    fg_str_t copy = fg_arena_str(arena, text);
    char *bytes = (char *)(uintptr_t)copy.p; /* our own copy */
    for (size_t i = 0; i < copy.n; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z')
            bytes[i] = (char)(bytes[i] + 32);
    return copy;
}

static bool put_request(fg_exchange_t *ex, const fg_protect_t *protect, fg_claims_t *claims) {
    const fg_request_t *request = &ex->request;
    fg_request_facts_t facts = {
        .method = request->method_name,
        .path = request->path,
        .query = request->query,
        .host = lower(ex->arena, request->host),
        .client_address = request->client_address,
        .tls_version = request->tls_version,
        .tls_cipher = request->tls_cipher,
        .now_ms = ex->now_ms,
    };
    if (request->client_certificate.n > 0 && protect->reads_certificate)
        facts.certificate = fg_certificate_subject(ex->arena, request->client_certificate);
    return fg_request_claims(ex->arena, &facts, claims);
}

static bool is_json(fg_exchange_t *ex) {
    fg_str_t type = fg_request_media_type(ex->arena, &ex->request), end = FG_STR("+json");
    return fg_str_is(type, "application/json") ||
           (type.n > end.n && memcmp(type.p + type.n - end.n, end.p, end.n) == 0);
}

static bool put_actors(fg_arena_t *arena, const fg_identity_t *identity, fg_claims_t *claims) {
    for (const fg_identity_t *actor = identity->actor; actor != NULL; actor = actor->actor) {
        fg_claims_t own = {0};
        if (!fg_issue_gather(arena, actor, &own))
            return false;
        fg_claims_drop_request(&own);
        if (!fg_request_add_prefixed(arena, FG_REQUEST_ACTOR, &own, claims))
            return false;
    }
    return true;
}

/* Everything that the policy may test.  Only the request says what is asked for: whatever a token or a directory says
 * of that kind is gone before (WM-16). */
static bool gather(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    fg_claims_t *claims = &w->claims;
    fg_err_t *err = &w->err;
    if (!fg_issue_gather(ex->arena, &w->access.session.identity, claims))
        return FG_FAIL(err, FG_E_MEMORY, "claims for the policy");
    fg_claims_drop_request(claims);
    if (!put_actors(ex->arena, &w->access.session.identity, claims) || !put_request(ex, protect, claims))
        return FG_FAIL(err, FG_E_MEMORY, "claims for the policy");
    if (protect->kind == FG_PROTECT_WSMAN)
        return fg_wsman_claims(ex->arena, &w->access.wsman, claims, err);
    if (!protect->reads_json || ex->request.body.n == 0)
        return true;
    if (!is_json(ex))
        return FG_FAIL(err, FG_E_HTTP_MEDIA_TYPE, "the policy reads a JSON body, and this is none");
    return fg_request_json_claims(ex->arena, protect->policy, ex->request.body, claims, err);
}

/* ---- the decision */

fg_access_turn_t fg_access_decide(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    fg_decision_t *decision = &w->access.decision;
    if (protect->policy == NULL) {
        decision->permitted = true;
        return FG_TURN_NEXT;
    }
    if (protect->asks_stores && !w->on_pool)
        return FG_TURN_JOB;
    if (!gather(ex, w) ||
        !fg_policy_decide(protect->policy, ex->arena, &ex->hub->stores, &w->claims, decision, &w->err))
        return FG_TURN_REFUSE;
    if (decision->permitted)
        return FG_TURN_NEXT;
    fg_str_t reason = decision->reason;
    if (decision->place == NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_DENIED, "no rule permits it"));
    return fg_turn(FG_FAIL(&w->err, FG_E_DENIED, "%.*s", FG_STR_ARG(reason)));
}

fg_str_t fg_access_rule(fg_exchange_t *ex, const fg_access_work_t *w) {
    const fg_rule_place_t *place = w->access.decision.place;
    char digits[16], *first = digits + sizeof digits;
    if (place == NULL)
        return FG_STR_NONE;
    unsigned line = place->line;
    do {
        *--first = (char)('0' + line % 10);
        line /= 10;
    } while (line > 0);
    const fg_str_t parts[] = {fg_str(place->file), FG_STR(":"), {first, (size_t)(digits + sizeof digits - first)}};
    return fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
}

fg_str_t fg_access_user(const fg_access_work_t *w) {
    const fg_identity_t *identity = &w->access.session.identity;
    const fg_claim_t *name = fg_claims_get(&identity->claims, FG_CLAIM_NAME);
    if (name == NULL)
        name = fg_claims_get(&identity->claims, FG_CLAIM_UPN);
    return name ? name->value : identity->name_id.value;
}

/* ---- a token for the server behind */

static bool find_token(fg_exchange_t *ex, fg_str_t key, fg_str_t *token) {
    fg_store_t *store = ex->env->store;
    if (store == NULL)
        return false;
    *token = fg_store_get_str(store, ex->arena, key, ex->now_ms);
    return token->p != NULL;
}

/* An assertion travels in a header as base64, a JWT as it is. */
static bool encode(fg_exchange_t *ex, fg_str_t assertion, fg_str_t *token) {
    fg_buf_t text = FG_BUF_INIT(assertion.n * 2 + 8);
    fg_base64_encode(&text, assertion.p, assertion.n);
    *token = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    return token->p != NULL;
}

static bool mint(fg_exchange_t *ex, fg_access_work_t *w, fg_issued_t *issued) {
    const fg_protect_t *protect = w->access.protect;
    const fg_issue_request_t request = {
        .partner = protect->upstream,
        .audience = protect->upstream->realms[0],
        .identity = &w->access.session.identity,
        .version = protect->upstream_token == FG_UPSTREAM_SAML11 ? FG_SAML_11 : FG_SAML_20,
        .jwt = protect->upstream_token == FG_UPSTREAM_JWT,
        .protocol = "upstream",
    };
    if (!fg_issue(ex, &request, issued, &w->err))
        return false;
    w->access.upstream_token = issued->token;
    return request.jwt || encode(ex, issued->token, &w->access.upstream_token) ||
           FG_FAIL(&w->err, FG_E_MEMORY, "a token for the server behind");
}

/* Made once for a session and place, and used until four fifths of its life are over.  Two requests at a time may both
 * make one; the first that is kept is used from then on. */
fg_access_turn_t fg_access_upstream(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    if (protect->upstream == NULL)
        return FG_TURN_NEXT;
    fg_str_t *token = &w->access.upstream_token;
    const fg_str_t parts[] = {FG_STR("upstream:"), fg_str(w->access.session.id), FG_STR(":"), fg_str(protect->name)};
    fg_str_t key = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    if (key.p == NULL)
        return fg_turn(FG_FAIL(&w->err, FG_E_MEMORY, "a token for the server behind"));
    if (find_token(ex, key, token))
        return FG_TURN_NEXT;
    if (!w->on_pool)
        return FG_TURN_JOB;
    fg_issued_t issued;
    if (!mint(ex, w, &issued))
        return FG_TURN_REFUSE;
    fg_store_t *store = ex->env->store;
    int64_t until = issued.created_ms + (issued.expires_ms - issued.created_ms) / 5 * 4;
    fg_str_t made = *token;
    if (store != NULL && store->put_new(store, key, made, ex->now_ms, until) == FG_STORE_EXISTS &&
        !find_token(ex, key, token))
        *token = made;
    return FG_TURN_NEXT;
}
