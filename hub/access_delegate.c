/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Going on to a server that wants Kerberos, in the name of whoever signed in: whose name that may be, and the header
 * that says so.  Nobody is delegated unless a directory of this gateway, or somebody whom the section names, vouches
 * for the claim. */
#include "core/crypto.h"
#include "directory/kerberos_delegate.h"
#include "hub/access_parts.h"

#define HEADER_MAX (128u << 10)

static bool is_listed(const fg_protect_t *protect, fg_str_t uri) {
    for (size_t i = 0; i < protect->delegate_from_count; i++)
        if (fg_str_eq(protect->delegate_from[i], uri))
            return true;
    return false;
}

/* What an identity provider says of its people is believed of their names at its own house, not in the domain here:
 * else it could name the domain's administrator.  A token of this gateway's own has no home realm any more, and counts
 * as its entity id. */
static bool is_believed(const fg_exchange_t *ex, const fg_protect_t *protect, fg_str_t home_realm) {
    if (protect->delegate_from_count > 0)
        return is_listed(protect, home_realm.n > 0 ? home_realm : ex->hub->entity_id);
    const fg_home_realm_t *realm = home_realm.n > 0 ? fg_hub_find_home_realm(ex->hub, home_realm) : NULL;
    return realm != NULL && (realm->directory != NULL || realm->accounts != NULL);
}

static const fg_claim_t *find_claim(const fg_claims_t *claims, const char *type, size_t *count) {
    const fg_claim_t *found = NULL;
    *count = 0;
    for (size_t i = 0; i < claims->count; i++)
        if (fg_str_is(claims->items[i].type, type)) {
            found = &claims->items[i];
            (*count)++;
        }
    return found;
}

static bool find_principal(fg_exchange_t *ex, fg_access_work_t *w, fg_str_t *principal) {
    const fg_protect_t *protect = w->access.protect;
    const fg_session_t *session = &w->access.session;
    size_t count;
    if (!is_believed(ex, protect, session->home_realm))
        return FG_FAIL(&w->err, FG_E_DELEGATION_CLAIM, "%.*s may not say who somebody is in the domain",
                       session->home_realm.n > 0 ? (int)session->home_realm.n : 22,
                       session->home_realm.n > 0 ? session->home_realm.p : "a token of the gateway");
    /* who acts for somebody else is not that person, and the server behind could not tell */
    if (session->identity.actor != NULL)
        return FG_FAIL(&w->err, FG_E_DELEGATION_CLAIM, "somebody who acts for somebody else");
    const fg_claim_t *claim = find_claim(&session->identity.claims, protect->delegate_claim, &count);
    if (count != 1)
        return FG_FAIL(&w->err, FG_E_DELEGATION_CLAIM, "%zu claims %s", count, protect->delegate_claim);
    return fg_delegate_principal(ex->hub->delegate, ex->arena, claim->value, principal, &w->err);
}

/* RFC 4559 §4.2 */
static bool put_header(fg_exchange_t *ex, fg_access_work_t *w, fg_str_t token) {
    fg_buf_t header = FG_BUF_INIT(HEADER_MAX);
    fg_buf_puts(&header, "Negotiate ");
    fg_base64_encode(&header, token.p, token.n);
    w->access.upstream_authorization = fg_buf_ok(&header) ? fg_arena_str(ex->arena, fg_buf_str(&header)) : FG_STR_NONE;
    fg_buf_free(&header);
    return w->access.upstream_authorization.p != NULL || FG_FAIL(&w->err, FG_E_MEMORY, "a token of Kerberos");
}

/* A token is good for one request: the server behind remembers those it saw. */
fg_access_turn_t fg_access_delegate(fg_exchange_t *ex, fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    fg_str_t token;
    bool asked;
    if (protect->delegate_to.n == 0)
        return FG_TURN_NEXT;
    if (!w->on_pool)
        return FG_TURN_JOB;
    if (!find_principal(ex, w, &w->access.upstream_principal) ||
        !fg_delegate_token(ex->hub->delegate, ex->env, ex->arena, w->access.upstream_principal, protect->delegate_to,
                           &token, &asked, &w->err) ||
        !put_header(ex, w, token))
        return FG_TURN_REFUSE;
    if (asked)
        fg_access_audit(ex, "delegated", NULL);
    return FG_TURN_NEXT;
}
