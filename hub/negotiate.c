/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hub/negotiate.h"

#include "core/crypto.h"
#include "core/network.h"
#include "hub/signin.h"

#define BASE64_MAX (FG_KERBEROS_TOKEN_MAX / 3 * 4 + 4)

fg_str_t fg_negotiate_find(const fg_exchange_t *ex) {
    static const char scheme[] = "Negotiate ";
    size_t times, n = sizeof scheme - 1;
    fg_str_t header = fg_request_header(&ex->request, "authorization", &times);
    if (times != 1 || header.n <= n || !fg_str_eq_nocase((fg_str_t){header.p, n}, FG_STR(scheme)))
        return FG_STR_NONE;
    return fg_str_trim((fg_str_t){header.p + n, header.n - n});
}

void fg_negotiate_answer(fg_exchange_t *ex, fg_str_t answer) {
    const char *value = answer.n > 0 ? fg_arena_printf(ex->arena, "Negotiate %s", answer.p) : "Negotiate";
    fg_response_header(ex, "WWW-Authenticate", fg_str(value));
}

bool fg_negotiate_fits(const fg_exchange_t *ex) {
    const fg_negotiate_rules_t *rules = ex->hub->negotiate;
    fg_str_t agent = fg_request_header(&ex->request, "user-agent", NULL);
    if (rules == NULL || agent.n == 0 ||
        !fg_network_has(rules->networks, rules->network_count, ex->request.client_address))
        return false;
    for (size_t i = 0; i < rules->agent_count; i++)
        if (memmem(agent.p, agent.n, rules->agents[i], strlen(rules->agents[i])) != NULL)
            return true;
    return false;
}

/* ---- who */

static bool put_sids(fg_exchange_t *ex, const fg_pac_t *pac, fg_claims_t *claims) {
    bool ok = (pac->user_sid.n == 0 || fg_claims_put(ex->arena, claims, FG_CLAIM_PRIMARYSID, pac->user_sid)) &&
              (pac->primary_group_sid.n == 0 ||
               fg_claims_put(ex->arena, claims, FG_CLAIM_PRIMARYGROUPSID, pac->primary_group_sid));
    for (size_t i = 0; ok && i < pac->group_count; i++)
        ok = fg_claims_put(ex->arena, claims, FG_CLAIM_GROUPSID, pac->group_sids[i]);
    return ok;
}

/* A user principal name has its realm in lower case, as Active Directory's own have (the domain's DNS name). */
static fg_str_t make_upn(fg_exchange_t *ex, const fg_kerberos_ticket_t *ticket) {
    char *text = fg_arena_strndup(ex->arena, ticket->principal.p, ticket->principal.n);
    for (char *c = text ? text + ticket->name.n : NULL; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return fg_str(text);
}

/* [MS-PAC] §2.5: what the KDC says of the ticket's owner. */
static bool fill_from_pac(fg_exchange_t *ex, const fg_home_realm_t *realm, const fg_kerberos_ticket_t *ticket,
                          fg_identity_t *identity) {
    const fg_pac_t *pac = &ticket->pac;
    fg_claims_t *claims = &identity->claims;
    fg_str_t upn = make_upn(ex, ticket);
    const fg_str_t parts[] = {pac->domain, FG_STR("\\"), pac->account};
    fg_str_t account = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    *identity = (fg_identity_t){.name_id.value = upn,
                                .issuer = fg_str(realm->directory->name),
                                .auth_method = FG_STR(FG_AUTH_WINDOWS),
                                .auth_instant_ms = ex->now_ms};
    return upn.p != NULL && account.p != NULL && fg_claims_put(ex->arena, claims, FG_CLAIM_NAME, account) &&
           fg_claims_put(ex->arena, claims, FG_CLAIM_UPN, upn) &&
           fg_claims_put(ex->arena, claims, FG_CLAIM_NAMEIDENTIFIER, upn) &&
           fg_claims_put(ex->arena, claims, FG_CLAIM_WINDOWSACCOUNTNAME, account) && put_sids(ex, pac, claims);
}

/* Once the ticket is good: by what it says itself, or by the directory. */
static bool identify(fg_exchange_t *ex, const fg_kerberos_ticket_t *ticket, fg_negotiated_t *out, fg_err_t *err) {
    const fg_negotiate_rules_t *rules = ex->hub->negotiate;
    out->realm = rules->home_realm;
    if (!ticket->has_pac || !rules->ticket_suffices)
        return fg_signin_known(ex, out->realm, FG_ACCOUNT_PRINCIPAL, ticket->principal, FG_AUTH_WINDOWS, &out->identity,
                               err);
    if (!fill_from_pac(ex, out->realm, ticket, &out->identity))
        return FG_FAIL(err, FG_E_MEMORY, "claims of a ticket");
    return fg_signin_vouched(ex, out->realm, ticket->principal, &out->identity, err);
}

static bool accept_token(fg_exchange_t *ex, fg_kerberos_service_t service, fg_str_t token, fg_str_t channel,
                         fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    const fg_negotiate_rules_t *rules = ex->hub->negotiate;
    fg_err_t why = FG_ERR_INIT;
    if (rules == NULL)
        return FG_FAIL(err, FG_E_AUTH_KERBEROS, "no keytab is configured");
    if (fg_kerberos_accept(rules->kerberos, ex->arena, service, token, channel, ticket, &why))
        return true;
    fg_signin_tell_refused(ex, rules->home_realm, ticket->principal, &why);
    if (err != NULL)
        *err = why;
    return false;
}

static bool take_header(fg_exchange_t *ex, fg_str_t token, fg_negotiated_t *out, fg_err_t *err) {
    fg_kerberos_ticket_t ticket;
    *out = (fg_negotiated_t){0};
    if (!accept_token(ex, FG_KERBEROS_HTTP, token, ex->request.channel, &ticket, err))
        return false;
    fg_buf_t text = FG_BUF_INIT(BASE64_MAX);
    fg_base64_encode(&text, ticket.answer.p, ticket.answer.n);
    out->answer = fg_buf_ok(&text) ? fg_arena_str(ex->arena, fg_buf_str(&text)) : FG_STR_NONE;
    fg_buf_free(&text);
    if (out->answer.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an answer");
    return identify(ex, &ticket, out, err);
}

bool fg_negotiate_message(fg_exchange_t *ex, fg_str_t token, fg_kerberos_ticket_t *ticket, fg_err_t *err) {
    return accept_token(ex, FG_KERBEROS_MESSAGE, token, FG_STR_NONE, ticket, err);
}

bool fg_negotiate_owner(fg_exchange_t *ex, const fg_kerberos_ticket_t *ticket, fg_negotiated_t *out, fg_err_t *err) {
    *out = (fg_negotiated_t){0};
    return identify(ex, ticket, out, err);
}

bool fg_negotiate_header(fg_exchange_t *ex, fg_str_t base64, fg_negotiated_t *out, fg_err_t *err) {
    fg_buf_t bytes = FG_BUF_INIT(FG_KERBEROS_TOKEN_MAX);
    bool ok = fg_base64_decode(&bytes, base64) && fg_buf_ok(&bytes);
    fg_str_t token = ok ? fg_buf_str(&bytes) : FG_STR_NONE;
    /* what cannot be decoded, or is too long, is no token: refused, and told, by the same way */
    ok = take_header(ex, token, out, err);
    fg_buf_free(&bytes);
    return ok;
}
