/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/wstrust.h"

#include "hub/audit.h"
#include "hub/issue.h"
#include "hub/signin.h"
#include "sts/endpoints.h"
#include "sts/rst.h"
#include "sts/rstr.h"
#include "sts/soap.h"
#include "sts/wss.h"

/* What is kept of a request while its password is checked. */
typedef struct request {
    const fg_sts_endpoint_t *endpoint;
    fg_soap_message_t message;
    fg_wss_t wss;
    fg_rst_t rst;
    const fg_partner_t *partner;
    fg_saml_version_t token;
} request_t;

static void refuse_at(fg_exchange_t *ex, const fg_sts_endpoint_t *endpoint, const fg_err_t *err) {
    const request_t *request = ex->state;
    const fg_audit_field_t fields[] = {
        {"protocol", fg_str(endpoint->protocol)},
        {"applies_to", request ? request->rst.applies_to : FG_STR_NONE},
        {"partner", request && request->partner ? fg_str(request->partner->name) : FG_STR_NONE},
        {"message_id", request ? request->message.message_id : FG_STR_NONE},
    };
    fg_audit(ex, "refused", err, fields, FG_ARRAY_SIZE(fields));
    fg_soap_fault(ex, request ? &request->message : NULL, &fg_trust_words(endpoint->trust)->ns, true, err);
}

/* The format that is issued: asked for, else the partner's. */
static bool choose_token(request_t *request, fg_err_t *err) {
    const fg_partner_t *partner = request->partner;
    request->token = request->rst.token_type.p ? request->rst.version : partner->token;
    if (partner->token_fixed && request->token != partner->token)
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "%s takes only the other kind of assertion", partner->name);
    return true;
}

/* Everything that needs no password comes first: a refusal then costs no hash. */
static bool read_request(fg_exchange_t *ex, request_t *request, fg_err_t *err) {
    const fg_sts_endpoint_t *endpoint = request->endpoint;
    fg_soap_message_t *message = &request->message;
    fg_rst_t *rst = &request->rst;
    if (!fg_soap_read(ex, endpoint->path, message, err))
        return false;
    if (!fg_str_is(message->action, fg_trust_words(endpoint->trust)->rst_action))
        return FG_FAIL(err, FG_E_WSA_ACTION, "Action %.*s", FG_STR_ARG(message->action));
    if (!fg_wss_read(ex, message, endpoint, &request->wss, err) ||
        !fg_rst_read(ex->arena, message->payload, endpoint->trust, fg_now(ex->env), ex->hub->skew_ms, rst, err))
        return false;
    request->partner = fg_hub_find_partner(ex->hub, rst->applies_to);
    if (request->partner == NULL)
        return FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo %.*s is not registered", FG_STR_ARG(rst->applies_to));
    return choose_token(request, err) && fg_rst_claims_served(ex->arena, rst, request->partner, err);
}

/* What is left of the requested Lifetime; the hub clamps it to the partner's (WT-09). */
static bool get_lifetime(const fg_exchange_t *ex, const fg_rst_t *rst, int64_t *lifetime_ms, fg_err_t *err) {
    *lifetime_ms = 0;
    if (rst->expires_ms == 0)
        return true;
    *lifetime_ms = rst->expires_ms - fg_now(ex->env);
    return *lifetime_ms > 0 || FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime ran out while the request was served");
}

static bool issue(fg_exchange_t *ex, const request_t *request, fg_issued_t *issued, fg_err_t *err) {
    fg_issue_request_t wanted = {
        .partner = request->partner,
        .audience = request->rst.applies_to,
        .identity = &ex->signin.identity,
        .version = request->token,
        .protocol = request->endpoint->protocol,
    };
    return get_lifetime(ex, &request->rst, &wanted.lifetime_ms, err) && fg_issue(ex, &wanted, issued, err);
}

static bool answer(fg_exchange_t *ex, const request_t *request, const fg_issued_t *issued, fg_err_t *err) {
    fg_trust_version_t trust = request->endpoint->trust;
    const fg_rstr_t rstr = {
        .trust = trust,
        .collection = trust == FG_TRUST_13,
        .references = true,
        .issued = issued,
        .applies_to = request->rst.applies_to,
        .token_type = request->rst.token_type,
        .context = request->rst.context,
    };
    fg_xw_t w;
    fg_soap_begin(ex, &request->message, fg_trust_words(trust)->rstr_action, true, &w);
    return (fg_rstr_write(&w, &rstr) && fg_soap_end(ex, &request->message, 200, &w)) ||
           FG_FAIL(err, FG_E_MEMORY, "the response is too large");
}

static fg_step_t finish(fg_exchange_t *ex) {
    const request_t *request = ex->state;
    fg_issued_t issued;
    fg_err_t err = ex->signin.err;
    if (!ex->signin.ok || !issue(ex, request, &issued, &err) || !answer(ex, request, &issued, &err))
        refuse_at(ex, request->endpoint, &err);
    return FG_STEP_DONE;
}

static fg_step_t begin(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    const fg_sts_endpoint_t *endpoint = fg_sts_endpoint_find(ex->request.path);
    request_t *request = fg_arena_alloc(ex->arena, sizeof *request);
    bool good = request != NULL || FG_FAIL(&err, FG_E_MEMORY, "request");
    if (good) {
        request->endpoint = endpoint;
        ex->state = request;
        good = read_request(ex, request, &err);
    }
    if (!good) {
        refuse_at(ex, endpoint, &err);
        return FG_STEP_DONE;
    }
    const fg_wss_t *wss = &request->wss;
    if ((wss->met & FG_STS_USERNAME_TOKEN) != 0 && wss->username.digest)
        return fg_signin_begin_digest(ex, NULL, &wss->username, finish);
    if ((wss->met & FG_STS_USERNAME_TOKEN) != 0)
        return fg_signin_begin(ex, NULL, wss->username.username, wss->username.password, finish);
    ex->signin = (fg_signin_t){.ok = true, .identity = wss->identity};
    return finish(ex);
}

static void refuse(fg_exchange_t *ex, const fg_err_t *err) {
    refuse_at(ex, fg_sts_endpoint_find(ex->request.path), err);
}

/* The rows of the endpoints' table; what protects itself need not come over TLS. */
static const fg_endpoint_t endpoints[] = {
    {FG_STS_PATH_2005_USERNAME, FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH_13_USERNAME, FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/certificatemixed", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/certificatemixed", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/certificatetransport", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/certificatetransport", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/issuedtokenmixedasymmetricbasic256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/issuedtokenmixedasymmetricbasic256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/issuedtokenmixedasymmetricbasic256sha256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/issuedtokenmixedasymmetricbasic256sha256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/issuedtokenmixedsymmetricbasic256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/issuedtokenmixedsymmetricbasic256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/issuedtokenmixedsymmetricbasic256sha256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "13/issuedtokenmixedsymmetricbasic256sha256", FG_METHOD_POST, true, begin, refuse},
    {FG_STS_PATH "2005/certificate", FG_METHOD_POST, false, begin, refuse},
    {FG_STS_PATH "13/certificate", FG_METHOD_POST, false, begin, refuse},
};
_Static_assert(FG_ARRAY_SIZE(endpoints) == FG_STS_ENDPOINTS, "one for each row");

const fg_protocol_t fg_wstrust_protocol = {"wstrust", endpoints, FG_ARRAY_SIZE(endpoints)};
