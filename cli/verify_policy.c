/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a configuration decides: whom it lets in, what it issues, where it answers. */
#include "bridges/saml/authn_request.h"
#include "bridges/saml/party.h"
#include "cli/verify.h"
#include "hub/issue.h"
#include "hub/signin.h"

void fg_verify_keep(fg_verify_t *v, const fg_identity_t *identity) {
    v->identity = fg_arena_alloc(v->arena, sizeof *v->identity);
    if (v->identity != NULL)
        *v->identity = *identity;
}

/* hub/issue.c: acceptance rules of the home realm, then authorization and issuance rules of the partner. */
static bool decide(fg_verify_t *v, fg_exchange_t *ex, fg_err_t *err) {
    const fg_partner_t *partner = v->trust.for_partner;
    const fg_home_realm_t *realm = fg_hub_find_issuer(ex->hub, v->identity->issuer);
    fg_claims_t claims = {0};
    fg_name_id_t name_id = {.value = FG_STR_NONE};
    if (realm == NULL)
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "no identity_provider of the configuration has the issuer %.*s",
                       FG_STR_ARG(v->identity->issuer));
    const fg_issue_request_t request = {.partner = partner, .audience = partner->realms[0], .identity = v->identity};
    return fg_signin_accept(ex, realm, v->identity, err) && fg_issue_claims(ex, &request, &claims, &name_id, err);
}

void fg_verify_policy(fg_verify_t *v) {
    fg_check_result_t *result = &v->checks[FG_CHECK_POLICY];
    fg_exchange_t *ex = fg_arena_alloc(v->arena, sizeof *ex);
    fg_err_t err = FG_ERR_INIT;
    if (v->trust.for_partner == NULL || v->identity == NULL || v->err.code != FG_OK || ex == NULL)
        return;
    *ex = (fg_exchange_t){
        .env = &v->env, .hub = fg_gateway_get_hub(v->trust.gateway), .arena = v->arena, .now_ms = fg_now(&v->env)};
    result->note = NULL;
    if (decide(v, ex, &err))
        result->outcome = FG_OUTCOME_PASSED;
    else
        fg_verify_fail(v, &err);
}

bool fg_verify_consumer(fg_verify_t *v, const xmlNode *root, bool *needs_signature) {
    fg_saml_authn_request_t request;
    fg_err_t err = FG_ERR_INIT;
    *needs_signature = true;
    if (v->trust.partner == NULL || v->trust.partner->saml == NULL)
        return true;
    const fg_saml_party_t *party = v->trust.partner->saml;
    *needs_signature = party->signs_requests;
    if (!fg_saml_authn_request_read(v->ex, root, &request, &err))
        return fg_verify_fail(v, &err);
    return fg_saml_authn_request_consumer(&request, party, &err) != NULL || fg_verify_fail(v, &err);
}
