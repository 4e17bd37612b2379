/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Issue (WS-Trust 1.3 §4), for the requestor or for whom it acts (1.4 §9.1). */
#include "hub/token_id.h"
#include "sts/wstrust_parts.h"

/* What is left of the requested Lifetime; the hub clamps it to the partner's (WT-09). */
static bool get_lifetime(const fg_exchange_t *ex, const fg_rst_t *rst, int64_t *lifetime_ms, fg_err_t *err) {
    *lifetime_ms = 0;
    if (rst->expires_ms == 0)
        return true;
    *lifetime_ms = rst->expires_ms - fg_now(ex->env);
    return *lifetime_ms > 0 || FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime ran out while the request was served");
}

/* The earlier of two instants; 0 is none. */
static int64_t earlier(int64_t a, int64_t b) {
    if (a == 0 || b == 0)
        return a == 0 ? b : a;
    return a < b ? a : b;
}

/* A token for somebody else ends with the one that was shown for it, and is not renewed past that (WT-02). */
static unsigned get_flags(const fg_wstrust_t *request, const fg_wstrust_subject_t *subject) {
    const fg_rst_t *rst = &request->rst;
    unsigned flags = rst->not_for_others ? FG_TOKEN_NOT_FOR_OTHERS : 0;
    if (!rst->renewing || subject->actor != NULL || request->partner->renew_ms == 0)
        return flags;
    return flags | FG_TOKEN_RENEWABLE | (rst->renewing_late ? FG_TOKEN_RENEWABLE_LATE : 0);
}

bool fg_wstrust_issue_for(fg_exchange_t *ex, fg_wstrust_t *request, const fg_wstrust_subject_t *subject,
                          fg_wstrust_result_t *result, fg_err_t *err) {
    fg_issue_request_t wanted = {
        .partner = request->partner,
        .audience = request->rst.applies_to,
        .identity = subject->identity,
        .version = request->version,
        .jwt = request->jwt,
        .not_after_ms = earlier(subject->not_after_ms, request->wss.expires_ms),
        .owner = request->owner,
        .required_claims = request->required_claims,
        .required_count = request->required_count,
        .protocol = request->endpoint->protocol,
        .request = fg_trust_request_name(request->rst.request),
        .actor = subject->actor,
    };
    if (request->rst.not_for_others && request->owner.n == 0)
        return FG_FAIL(err, FG_E_WST_REQUEST, "Delegatable false for a token that is nobody's");
    if (!get_lifetime(ex, &request->rst, &wanted.lifetime_ms, err) || !fg_wstrust_make_proof(ex, request, result, err))
        return false;
    result->flags = wanted.id_flags = get_flags(request, subject);
    wanted.proof = result->has_proof ? &result->proof : NULL;
    result->has_issued = true;
    return fg_issue(ex, &wanted, &result->issued, err);
}

/* Only ids of ours say so: nobody else's token was asked for in that way. */
static bool check_for_others(const fg_presented_t *token, fg_err_t *err) {
    bool refused = token->realm == NULL && (fg_token_id_flags(token->id) & FG_TOKEN_NOT_FOR_OTHERS) != 0;
    return !refused || FG_FAIL(err, FG_E_DENIED, "the token was asked for as not Delegatable");
}

bool fg_wstrust_delegate(fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token,
                         fg_delegation_kind_t kind, fg_wstrust_subject_t *subject, fg_err_t *err) {
    const fg_delegation_t delegation = {
        .partner = request->partner,
        .audience = request->rst.applies_to,
        .actor = request->requestor,
        .subject = &token->identity,
        .kind = kind,
    };
    fg_identity_t *identity = fg_arena_alloc(ex->arena, sizeof *identity);
    if (identity == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an identity");
    *subject = (fg_wstrust_subject_t){identity, request->requestor, token->expires_ms};
    return check_for_others(token, err) && fg_delegation_authorize(ex, &delegation, err) &&
           fg_delegation_join(ex, &delegation, identity, err);
}

bool fg_wstrust_issue(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    const fg_rst_t *rst = &request->rst;
    fg_wstrust_subject_t subject = {request->requestor, NULL, 0};
    xmlNode *element = rst->on_behalf_of ? rst->on_behalf_of : rst->act_as;
    fg_delegation_kind_t kind = rst->on_behalf_of ? FG_DELEGATION_ON_BEHALF_OF : FG_DELEGATION_ACT_AS;
    fg_presented_t token;
    if (element == NULL)
        return fg_wstrust_issue_for(ex, request, &subject, result, err);
    return fg_wstrust_read_token(ex, request, element, 0, &token, err) &&
           fg_wstrust_delegate(ex, request, &token, kind, &subject, err) &&
           fg_wstrust_issue_for(ex, request, &subject, result, err);
}
