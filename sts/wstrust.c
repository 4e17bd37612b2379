/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/wstrust.h"

#include "core/fault.h"
#include "hub/audit.h"
#include "hub/negotiate.h"
#include "hub/signin.h"
#include "hub/token_id.h"
#include "sts/wstrust_parts.h"

/* One row per binding of WS-Trust. */
static bool (*const serve_table[FG_TRUST_REQUESTS])(fg_exchange_t *, fg_wstrust_t *, fg_wstrust_result_t *,
                                                    fg_err_t *) = {
    [FG_TRUST_ISSUE] = fg_wstrust_issue,
    [FG_TRUST_RENEW] = fg_wstrust_renew,
    [FG_TRUST_CANCEL] = fg_wstrust_cancel,
    [FG_TRUST_VALIDATE] = fg_wstrust_validate,
};

static void refuse_at(fg_exchange_t *ex, const fg_sts_endpoint_t *endpoint, const fg_err_t *err) {
    const fg_wstrust_t *request = ex->state;
    const fg_identity_t *requestor = request ? request->requestor : NULL;
    const fg_audit_field_t fields[] = {
        {"protocol", fg_str(endpoint->protocol)},
        {"request", request ? fg_str(fg_trust_request_name(request->rst.request)) : FG_STR_NONE},
        {"user", requestor ? fg_identity_name(requestor) : FG_STR_NONE},
        {"applies_to", request ? request->rst.applies_to : FG_STR_NONE},
        {"partner", request && request->partner ? fg_str(request->partner->name) : FG_STR_NONE},
        {"message_id", request ? request->message.message_id : FG_STR_NONE},
    };
    fg_audit(ex, "refused", err, fields, FG_ARRAY_SIZE(fields));
    fg_soap_fault(ex, request ? &request->message : NULL, &fg_trust_words(endpoint->trust)->ns, true, err);
    /* RFC 4559 §4.1: clients send a ticket when they are asked for one */
    if ((endpoint->alternatives[0] & FG_STS_NEGOTIATE) != 0 && fg_fault_get(err->code)->http_status == 401) {
        ex->response.status = 401;
        fg_negotiate_answer(ex, FG_STR_NONE);
    }
}

/* WS-Trust 1.3 §3.1: the Action says what the Body says. */
static bool check_action(const fg_wstrust_t *request, fg_err_t *err) {
    const fg_trust_words_t *words = fg_trust_words(request->endpoint->trust);
    fg_str_t action = request->message.action;
    return fg_str_is(action, words->requests[request->rst.request].rst_action) ||
           FG_FAIL(err, FG_E_WSA_ACTION, "Action %.*s for a request to %s", FG_STR_ARG(action),
                   fg_trust_request_name(request->rst.request));
}

/* Before anything else is looked at, so that a message for another service is told so. */
static bool is_known_action(const fg_wstrust_t *request, fg_err_t *err) {
    fg_trust_request_t known;
    return fg_trust_request_from_action(fg_trust_words(request->endpoint->trust), request->message.action, &known) ||
           FG_FAIL(err, FG_E_WSA_ACTION, "Action %.*s", FG_STR_ARG(request->message.action));
}

/* RFC 4559 §4.1: asked before the message is read, which clients may leave empty until they are. */
static bool is_ticket_there(const fg_exchange_t *ex, const fg_sts_endpoint_t *endpoint, fg_err_t *err) {
    return (endpoint->alternatives[0] & FG_STS_NEGOTIATE) == 0 || fg_negotiate_find(ex).p != NULL ||
           FG_FAIL(err, FG_E_AUTH_MISSING, "no Authorization: Negotiate");
}

/* Everything that needs no password comes first: a refusal then costs no hash. */
static bool read_request(fg_exchange_t *ex, fg_wstrust_t *request, fg_err_t *err) {
    const fg_sts_endpoint_t *endpoint = request->endpoint;
    fg_soap_message_t *message = &request->message;
    return is_ticket_there(ex, endpoint, err) && fg_soap_read(ex, endpoint->path, message, err) &&
           is_known_action(request, err) && fg_wss_read(ex, message, endpoint, &request->wss, err) &&
           fg_rst_read(ex->arena, message->payload, endpoint->trust, fg_now(ex->env), ex->hub->skew_ms, &request->rst,
                       err) &&
           check_action(request, err) && fg_wstrust_find_partner(ex, request, err);
}

static bool answer(fg_exchange_t *ex, const fg_wstrust_t *request, const fg_wstrust_result_t *result, fg_err_t *err) {
    fg_trust_version_t trust = request->endpoint->trust;
    const fg_rst_t *rst = &request->rst;
    const fg_rstr_t rstr = {
        .trust = trust,
        .request = rst->request,
        .collection = trust == FG_TRUST_13 && rst->request == FG_TRUST_ISSUE,
        .references = true,
        .issued = result->has_issued ? &result->issued : NULL,
        .proof = result->told.kind != FG_PROOF_BEARER ? &result->told : NULL,
        .status = result->has_status ? &result->status : NULL,
        .applies_to = rst->applies_to,
        .token_type = rst->status ? FG_STR_NONE : rst->token_type,
        .context = rst->context,
        .display_token = rst->display_token,
        .renewable = (result->flags & FG_TOKEN_RENEWABLE) != 0,
        .renewable_late = (result->flags & FG_TOKEN_RENEWABLE_LATE) != 0,
    };
    fg_xw_t w;
    fg_soap_begin(ex, &request->message, fg_trust_words(trust)->requests[rst->request].rstr_action, true, &w);
    return (fg_rstr_write(&w, &rstr) && fg_soap_end(ex, &request->message, 200, &w)) ||
           FG_FAIL(err, FG_E_MEMORY, "the response is too large");
}

static void wipe(fg_str_t secret) {
    if (secret.n > 0)
        explicit_bzero((void *)(uintptr_t)secret.p, secret.n);
}

static void wipe_all(const fg_rst_t *rst, const fg_wstrust_result_t *result) {
    wipe(rst->entropy);
    wipe(result->proof.secret);
    wipe(result->told.secret);
    wipe(result->told.entropy);
}

/* The requestor is known: what it asks for is done. */
static fg_step_t serve(fg_exchange_t *ex, fg_wstrust_t *request, const fg_identity_t *requestor) {
    fg_err_t err = FG_ERR_INIT;
    fg_wstrust_result_t *result = fg_arena_alloc(ex->arena, sizeof *result);
    request->requestor = requestor;
    request->owner = fg_token_owner(ex->arena, requestor);
    bool good = result != NULL || FG_FAIL(&err, FG_E_MEMORY, "request");
    good = good && serve_table[request->rst.request](ex, request, result, &err) && answer(ex, request, result, &err);
    if (!good)
        refuse_at(ex, request->endpoint, &err);
    if (result != NULL)
        wipe_all(&request->rst, result);
    return FG_STEP_DONE;
}

static fg_step_t after_password(fg_exchange_t *ex) {
    fg_wstrust_t *request = ex->state;
    if (ex->signin.ok)
        return serve(ex, request, &ex->signin.identity);
    refuse_at(ex, request->endpoint, &ex->signin.err);
    return FG_STEP_DONE;
}

static fg_step_t begin(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    const fg_sts_endpoint_t *endpoint = fg_sts_endpoint_find(ex->request.path);
    fg_wstrust_t *request = fg_arena_alloc(ex->arena, sizeof *request);
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
        return fg_signin_begin_digest(ex, NULL, &wss->username, after_password);
    if ((wss->met & FG_STS_USERNAME_TOKEN) != 0)
        return fg_signin_begin(ex, NULL, wss->username.username, wss->username.password, after_password);
    return serve(ex, request, &wss->identity);
}

static void refuse(fg_exchange_t *ex, const fg_err_t *err) {
    refuse_at(ex, fg_sts_endpoint_find(ex->request.path), err);
}

static bool has_keytab(const fg_exchange_t *ex) { return ex->hub->negotiate != NULL; }

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
    {FG_STS_PATH "2005/windowstransport", FG_METHOD_POST, true, begin, refuse, .is_meant = has_keytab},
    {FG_STS_PATH "13/windowstransport", FG_METHOD_POST, true, begin, refuse, .is_meant = has_keytab},
    {FG_STS_PATH "2005/kerberosmixed", FG_METHOD_POST, true, begin, refuse, .is_meant = has_keytab},
    {FG_STS_PATH "13/kerberosmixed", FG_METHOD_POST, true, begin, refuse, .is_meant = has_keytab},
};
_Static_assert(FG_ARRAY_SIZE(endpoints) == FG_STS_ENDPOINTS, "one for each row");

const fg_protocol_t fg_wstrust_protocol = {"wstrust", endpoints, FG_ARRAY_SIZE(endpoints)};
