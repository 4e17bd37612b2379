/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Credentials that were not seen before: tokens of ours and of identity providers, passwords, client certificates. */
#include "core/crypto.h"
#include "hub/access_parts.h"
#include "hub/bound.h"
#include "hub/message.h"
#include "hub/negotiate.h"
#include "hub/presented.h"
#include "hub/signin.h"
#include "token/certificate.h"
#include "token/username.h"

#define TOKEN_MAX (256u << 10)

/* ---- tokens */

/* At a protected location a token that could be cancelled is asked for under its own id (hub/access_credential.c). */
static bool take(fg_exchange_t *ex, fg_access_work_t *w, const fg_presented_t *token) {
    if (token->cancellable)
        w->credential.token_id = token->id;
    return fg_access_accept(ex, w, &token->identity, token->realm, token->expires_ms);
}

static fg_presented_rules_t rules_of(const fg_access_work_t *w) {
    const fg_protect_t *protect = w->access.protect;
    return (fg_presented_rules_t){.audiences = protect->audiences, .audience_count = protect->audience_count};
}

/* RFC 9449 §7.1 */
static bool read_proof(fg_exchange_t *ex, fg_str_t token, fg_dpop_t *dpop, fg_err_t *err) {
    const fg_request_t *request = &ex->request;
    const fg_str_t parts[] = {FG_STR("https://"), request->host, request->raw_path};
    fg_str_t url = fg_arena_join(ex->arena, parts, FG_ARRAY_SIZE(parts));
    if (url.p == NULL)
        return FG_FAIL(err, FG_E_MEMORY, "an address");
    return fg_dpop_read(ex, url, token, dpop, err) &&
           (dpop->jkt.n > 0 || FG_FAIL(err, FG_E_OPENID_DPOP, "no proof beside the token"));
}

static bool validate_jwt(fg_exchange_t *ex, fg_access_work_t *w, fg_str_t text) {
    const fg_presented_rules_t rules = rules_of(w);
    fg_presented_t token;
    fg_dpop_t dpop = {.jkt = FG_STR_NONE};
    if (!fg_presented_read_jwt(ex, text, &rules, &token, &w->err))
        return false;
    if (w->credential.kind == FG_CREDENTIAL_DPOP && !read_proof(ex, text, &dpop, &w->err))
        return false;
    return fg_bound_check(ex, json_object_get(token.payload, "cnf"), &dpop, &w->err) &&
           fg_dpop_spend(ex, &dpop, &w->err) && take(ex, w, &token);
}

static bool validate_assertion(fg_exchange_t *ex, fg_access_work_t *w, xmlNode *assertion) {
    const fg_presented_rules_t rules = rules_of(w);
    fg_presented_t token;
    return fg_presented_read(ex, assertion, &rules, &token, &w->err) && take(ex, w, &token);
}

/* Either alphabet, as clients have no rule for it. */
static bool decode(fg_str_t text, fg_buf_t *out) {
    if (fg_base64_decode(out, text) && fg_buf_ok(out))
        return true;
    fg_buf_reset(out);
    return fg_base64url_decode(out, text) && fg_buf_ok(out);
}

static bool validate_base64(fg_exchange_t *ex, fg_access_work_t *w, fg_str_t token) {
    fg_buf_t bytes = FG_BUF_INIT(TOKEN_MAX);
    fg_str_t text = decode(token, &bytes) ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    if (text.p == NULL)
        return FG_FAIL(&w->err, FG_E_TOKEN_MALFORMED, "neither a JWT nor base64");
    xmlDoc *document = fg_xml_parse(ex->arena, text, &ex->hub->xml, &w->err);
    return document != NULL && validate_assertion(ex, w, xmlDocGetRootElement(document));
}

static fg_access_turn_t validate_bearer(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_str_t token = w->credential.text;
    bool jwt = memchr(token.p, '.', token.n) != NULL;
    return fg_turn(jwt ? validate_jwt(ex, w, token) : validate_base64(ex, w, token));
}

/* ---- passwords */

static fg_step_t after_password(fg_exchange_t *ex) {
    fg_access_work_t *w = fg_access_work(ex);
    if (!ex->signin.ok)
        w->err = ex->signin.err;
    else if (fg_access_accept(ex, w, &ex->signin.identity, ex->signin.realm, INT64_MAX))
        w->stage++;
    return fg_access_run(ex);
}

static fg_access_turn_t ask_password(fg_exchange_t *ex, fg_access_work_t *w, fg_str_t user, fg_str_t password) {
    fg_signin_begin(ex, w->access.protect->directory, user, password, after_password);
    return FG_TURN_PASSWORD;
}

/* RFC 7617 §2, §2.1: user-id ':' password in UTF-8 */
static fg_access_turn_t validate_basic(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_buf_t bytes = FG_BUF_INIT(4096);
    fg_str_t text = fg_base64_decode(&bytes, w->credential.text) && fg_buf_ok(&bytes)
                        ? fg_arena_str(ex->arena, fg_buf_str(&bytes))
                        : FG_STR_NONE;
    fg_buf_free(&bytes);
    const char *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
    if (colon == NULL || colon == text.p || !fg_str_is_utf8(text))
        return fg_turn(FG_FAIL(&w->err, FG_E_AUTH_FAILED, "Basic credentials without a user name or no UTF-8"));
    fg_str_t user = {text.p, (size_t)(colon - text.p)}, password = {colon + 1, text.n - user.n - 1};
    return ask_password(ex, w, user, password);
}

static fg_step_t go_on(fg_exchange_t *ex) {
    (void)ex;
    return FG_STEP_DONE;
}

static fg_access_turn_t check_digest(fg_exchange_t *ex, fg_access_work_t *w, const fg_username_token_t *token) {
    (void)fg_signin_begin_digest(ex, w->access.protect->directory, token, go_on);
    if (!ex->signin.ok)
        w->err = ex->signin.err;
    return fg_turn(ex->signin.ok && fg_access_accept(ex, w, &ex->signin.identity, ex->signin.realm, INT64_MAX));
}

fg_access_turn_t fg_access_ask_password(fg_exchange_t *ex, fg_access_work_t *w, const xmlNode *username_token) {
    fg_username_token_t token;
    if (!fg_username_token_read(ex->env, ex->arena, username_token, ex->hub->skew_ms, &token, &w->err))
        return FG_TURN_REFUSE;
    if (token.digest)
        return check_digest(ex, w, &token);
    return ask_password(ex, w, token.username, token.password);
}

static fg_access_turn_t validate_soap(fg_exchange_t *ex, fg_access_work_t *w) {
    xmlNode *element = w->credential.element;
    if (!fg_xml_is(element, FG_NS_WSSE, "UsernameToken"))
        return fg_turn(validate_assertion(ex, w, element));
    return fg_access_ask_password(ex, w, element);
}

/* ---- client certificates: nginx verified the chain, and has the client's proof that it holds the key */

static fg_access_turn_t validate_certificate(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_message_sender_t sender = {0};
    return fg_turn(fg_message_connection(ex, &sender, &w->err) &&
                   fg_access_accept(ex, w, &sender.identity, sender.realm, sender.expires_ms));
}

/* ---- tickets: good for one request, whatever else the connection carries (KL-06) */

static fg_access_turn_t validate_ticket(fg_exchange_t *ex, fg_access_work_t *w) {
    fg_negotiated_t who;
    if (!fg_negotiate_header(ex, w->credential.text, &who, &w->err) ||
        !fg_access_accept(ex, w, &who.identity, who.realm, ex->now_ms))
        return FG_TURN_REFUSE;
    fg_negotiate_answer(ex, who.answer);
    return FG_TURN_NEXT;
}

fg_access_turn_t fg_access_validate(fg_exchange_t *ex, fg_access_work_t *w) {
    switch (w->credential.kind) {
    case FG_CREDENTIAL_BEARER:
        return validate_bearer(ex, w);
    case FG_CREDENTIAL_DPOP:
        return fg_turn(validate_jwt(ex, w, w->credential.text));
    case FG_CREDENTIAL_BASIC:
        return validate_basic(ex, w);
    case FG_CREDENTIAL_NEGOTIATE:
        return validate_ticket(ex, w);
    case FG_CREDENTIAL_SOAP:
        return validate_soap(ex, w);
    case FG_CREDENTIAL_MESSAGE:
        return fg_access_validate_message(ex, w);
    case FG_CREDENTIAL_CERTIFICATE:
        return validate_certificate(ex, w);
    default:
        return fg_turn(FG_FAIL(&w->err, FG_E_INTERNAL, "a credential of no kind"));
    }
}
