/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Refusals as people, programs and clients of WS-Management understand them, and what the audit log says. */
#include "core/fault.h"
#include "core/json.h"
#include "hub/access_parts.h"
#include "hub/audit.h"
#include "hub/web_access.h"

/* ---- who asks */

static bool header_has(const fg_exchange_t *ex, const char *name, const char *word) {
    fg_str_t value = fg_request_header(&ex->request, name, NULL);
    return value.n > 0 && memmem(value.p, value.n, word, strlen(word)) != NULL;
}

/* A script in a page, which cannot follow to a sign-in page (Fetch Metadata). */
static bool is_script(const fg_exchange_t *ex) {
    fg_str_t mode = fg_request_header(&ex->request, "sec-fetch-mode", NULL);
    return header_has(ex, "x-requested-with", "XMLHttpRequest") || (mode.p != NULL && !fg_str_is(mode, "navigate"));
}

bool fg_access_is_browser(const fg_exchange_t *ex) {
    return ex->access->protect->kind == FG_PROTECT_WEB && fg_request_is_browser(&ex->request);
}

static bool wants_json(const fg_exchange_t *ex) {
    return ex->access->protect->kind == FG_PROTECT_REST || is_script(ex) || header_has(ex, "accept", "json");
}

/* ---- audit */

void fg_access_audit(fg_exchange_t *ex, const char *event, const fg_err_t *err) {
    fg_access_work_t *w = fg_access_work(ex);
    const fg_wsman_message_t *message = &w->access.wsman;
    const fg_claim_t *command = fg_claims_get(&w->claims, FG_REQUEST_CLAIMS "command_line");
    const fg_audit_field_t fields[] = {
        {"protect", fg_str(w->access.protect->name)},
        {"user", fg_access_user(w)},
        {"issuer", w->access.session.identity.issuer},
        {"credential", fg_str(w->access.credential)},
        {"method", ex->request.method_name},
        {"operation", fg_str(message->operation)},
        {"action", message->action},
        {"resource", message->resource_uri},
        {"command_line", command ? command->value : FG_STR_NONE},
        {"principal", w->access.upstream_principal},
        {"backend", w->access.protect->delegate_to},
        {"rule", fg_access_rule(ex, w)},
        {"rule_name", fg_str(w->access.decision.place ? w->access.decision.place->name : NULL)},
    };
    fg_audit(ex, event, err, fields, FG_ARRAY_SIZE(fields));
}

/* ---- challenges */

/* True if other credentials could help. */
static bool is_about_credentials(fg_code_t code) {
    return (code >= FG_E_SIG_MISSING && code <= FG_E_AUTH_LOCKED) || code == FG_E_OPENID_DPOP ||
           code == FG_E_OPENID_DPOP_NONCE || (code >= FG_E_WSS_STRUCTURE && code <= FG_E_WSS_REPLAY);
}

/* What is wrong with the proof has names of its own, what is wrong with the token one for all. */
static const char *dpop_error(fg_code_t code) {
    bool own = code == FG_E_OPENID_DPOP || code == FG_E_OPENID_DPOP_NONCE;
    return own ? fg_fault_get(code)->oauth_error : "invalid_token";
}

/* One header per scheme (RFC 9110 §11.6.1); what was wrong with a token stands with its scheme (RFC 6750 §3). */
static void put_challenges(fg_exchange_t *ex, fg_code_t code) {
    const fg_access_work_t *w = fg_access_work(ex);
    unsigned accept = w->access.protect->accept;
    int n = (int)ex->hub->host.n;
    const char *host = ex->hub->host.p;
    bool bad = w->credential.kind == FG_CREDENTIAL_BEARER && code != FG_E_AUTH_MISSING;
    if (w->credential.kind == FG_CREDENTIAL_DPOP) /* RFC 9449 §7.1 */
        fg_response_header(ex, "WWW-Authenticate",
                           fg_str(fg_arena_printf(ex->arena, "DPoP realm=\"%.*s\", error=\"%s\", algs=\"%s\"", n, host,
                                                  dpop_error(code), FG_JWS_ALG_NAMES)));
    if ((accept & FG_ACCEPT_BEARER) != 0) {
        const char *more = bad ? fg_arena_printf(ex->arena, ", error=\"invalid_token\", error_description=\"%s\"",
                                                 fg_fault_get(code)->sentence)
                               : "";
        const char *line = fg_arena_printf(ex->arena, "Bearer realm=\"%.*s\"%s", n, host, more ? more : "");
        fg_response_header(ex, "WWW-Authenticate", fg_str(line));
    }
    if ((accept & FG_ACCEPT_NEGOTIATE) != 0)
        fg_response_header(ex, "WWW-Authenticate", FG_STR("Negotiate")); /* RFC 4559 §4.1 */
    if ((accept & FG_ACCEPT_BASIC) != 0)
        fg_response_header(ex, "WWW-Authenticate",
                           fg_str(fg_arena_printf(ex->arena, "Basic realm=\"%.*s\", charset=\"UTF-8\"", n, host)));
}

/* ---- forms */

/* What pages have anyway. */
static void put_common(fg_exchange_t *ex, fg_code_t code) {
    fg_response_header(ex, "Cache-Control", FG_STR("no-store"));
    if (fg_fault_is_temporary(code))
        fg_response_header(ex, "Retry-After", FG_STR("2"));
}

static void answer_json(fg_exchange_t *ex, int status, fg_code_t code) {
    const fg_fault_t *fault = fg_fault_get(code);
    fg_buf_t body = FG_BUF_INIT(2048);
    fg_buf_puts(&body, "{\"error\":");
    fg_json_quote(&body, fg_str(fg_fault_public_reason(code)));
    fg_buf_puts(&body, ",\"error_description\":");
    fg_json_quote(&body, fg_str(fault->sentence));
    fg_buf_puts(&body, ",\"correlation_id\":");
    fg_json_quote(&body, fg_str(ex->correlation_id));
    fg_buf_puts(&body, "}\n");
    fg_response_body(ex, status, "application/json", fg_buf_str(&body));
    put_common(ex, code);
    fg_buf_free(&body);
}

static bool answer_fault(fg_exchange_t *ex, int *status, const fg_err_t *err) {
    fg_buf_t body = FG_BUF_INIT(64u << 10);
    bool ok = fg_wsman_fault(ex->env, &ex->access->wsman, err, &body, status) && fg_buf_ok(&body);
    if (ok)
        fg_response_body(ex, *status, FG_WSMAN_MEDIA_TYPE, fg_buf_str(&body));
    fg_buf_free(&body);
    return ok;
}

void fg_access_refuse(fg_exchange_t *ex, const fg_err_t *err) {
    const fg_fault_t *fault = fg_fault_get(err->code);
    bool challenge = is_about_credentials(err->code);
    int status = challenge ? 401 : fault->http_status;
    ex->access->outcome = FG_ACCESS_ANSWERED;
    ex->access->reason = fault->reason;
    fg_access_audit(ex, "refused", err);
    if (ex->access->protect->kind == FG_PROTECT_WSMAN && answer_fault(ex, &status, err))
        put_common(ex, err->code);
    else if (wants_json(ex))
        answer_json(ex, status, err->code);
    else
        fg_response_error_body(ex, err);
    if (challenge) {
        ex->response.status = 401;
        put_challenges(ex, err->code);
    }
}
