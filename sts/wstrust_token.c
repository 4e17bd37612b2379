/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tokens inside requests, and what is done with those that were issued: Renew, Cancel, Validate (WS-Trust 1.3 §5 to
 * §7). */
#include "core/crypto.h"
#include "core/fault.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/token_id.h"
#include "sts/wstrust_parts.h"
#include "token/decrypt.h"

#define JWT_TYPE_OPENID "http://openid.net/specs/jwt/1.0"
#define LATEST (30 * FG_DAY) /* no token is renewed so long after its end */

/* ---- reading */

static bool decode_jwt(fg_exchange_t *ex, const xmlNode *element, fg_str_t *token, fg_err_t *err) {
    fg_str_t type = fg_str_trim(fg_xml_attr(ex->arena, element, NULL, "ValueType"));
    fg_buf_t bytes = FG_BUF_INIT(FG_JWT_MAX);
    if (!fg_str_is(type, FG_TOKEN_TYPE_JWT) && !fg_str_is(type, JWT_TYPE_OPENID))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "BinarySecurityToken of type %.*s", FG_STR_ARG(type));
    fg_str_t text = fg_xml_token(ex->arena, element, err);
    if (text.p == NULL)
        return false;
    bool decoded = fg_base64_decode_xml(&bytes, text) && fg_buf_ok(&bytes);
    *token = decoded ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    fg_buf_free(&bytes);
    return token->p != NULL || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "BinarySecurityToken is not base64");
}

static bool follow(fg_wstrust_t *request, xmlNode **element, fg_err_t *err) {
    if (!fg_xml_is(*element, FG_NS_WSSE, "SecurityTokenReference"))
        return true;
    const fg_wss_token_t *token = fg_wss_find(&request->wss, *element, err);
    if (token == NULL)
        return false;
    *element = token->element;
    return (token->kind == FG_WSS_ASSERTION && token->element != NULL) ||
           FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "a reference to something else than an assertion");
}

static bool is_assertion(const xmlNode *element) {
    return fg_xml_is(element, FG_NS_SAML1, "Assertion") || fg_xml_is(element, FG_NS_SAML2, "Assertion") ||
           fg_assertion_is_encrypted(element);
}

/* A name without a password (UsernameToken) is nobody's word but the requestor's, and taken for nothing. */
bool fg_wstrust_read_token(fg_exchange_t *ex, fg_wstrust_t *request, xmlNode *element, int64_t late_ms,
                           fg_presented_t *token, fg_err_t *err) {
    const fg_presented_rules_t rules = {
        .any_of_ours = true,
        .late_ms = late_ms,
        .confirmations = 1u << FG_CONFIRM_BEARER | 1u << FG_CONFIRM_HOLDER_OF_KEY,
    };
    fg_str_t jwt;
    if (!follow(request, &element, err))
        return false;
    if (fg_xml_is(element, FG_NS_WSSE, "BinarySecurityToken"))
        return decode_jwt(ex, element, &jwt, err) && fg_presented_read_jwt(ex, jwt, &rules, token, err);
    if (!is_assertion(element))
        return FG_FAIL(err, FG_E_WSS_UNSUPPORTED, "%s is no token that can be taken here", (const char *)element->name);
    return fg_presented_read(ex, element, &rules, token, err);
}

/* ---- whose it is (WT-08) */

/* The requestor showed this very token and that it has its proof key. */
static bool is_proven(const fg_wstrust_t *request, const fg_presented_t *token) {
    const fg_wss_t *wss = &request->wss;
    return wss->issued != NULL && wss->proven && wss->realm == NULL && fg_str_eq(wss->issued->assertion.id, token->id);
}

static bool check_owner(const fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token,
                        fg_err_t *err) {
    if (token->realm != NULL)
        return FG_FAIL(err, FG_E_WST_OWNER, "a token that %.*s issued", FG_STR_ARG(token->identity.issuer));
    return fg_token_id_is_owner(ex, token->id, request->owner) || is_proven(request, token) ||
           FG_FAIL(err, FG_E_WST_OWNER, "token %.*s was not issued to who asks", FG_STR_ARG(token->id));
}

/* ---- Renew */

static bool find_partner_of(fg_exchange_t *ex, fg_wstrust_t *request, const fg_presented_t *token, fg_err_t *err) {
    const fg_rst_t *rst = &request->rst;
    if (rst->applies_to.n > 0 && !fg_str_eq(rst->applies_to, token->audience))
        return FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo is not for whom the token is");
    if (rst->token_type.p != NULL && (rst->jwt != token->jwt || (!token->jwt && rst->version != token->version)))
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "a token is renewed in its own format");
    request->partner = fg_hub_find_partner(ex->hub, token->audience);
    request->jwt = token->jwt;
    request->version = token->version;
    return request->partner != NULL ||
           FG_FAIL(err, FG_E_WST_SCOPE, "%.*s is not registered", FG_STR_ARG(token->audience));
}

static bool check_renewable(const fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token,
                            unsigned flags, fg_err_t *err) {
    int64_t now = fg_now(ex->env), since = now - token->identity.auth_instant_ms;
    if ((flags & FG_TOKEN_RENEWABLE) == 0)
        return FG_FAIL(err, FG_E_WST_RENEW, "it was not issued as renewable");
    if (now >= token->expires_ms && (flags & FG_TOKEN_RENEWABLE_LATE) == 0)
        return FG_FAIL(err, FG_E_WST_RENEW, "it has expired and was to be renewed before");
    return (token->identity.auth_instant_ms > 0 && since < request->partner->renew_ms) ||
           FG_FAIL(err, FG_E_WST_RENEW, "%lld s after the sign-in", (long long)(since / FG_SECOND));
}

/* The proof key stays what it was, in the bytes in which it stood in the token. */
static bool keep_proof(fg_exchange_t *ex, const fg_presented_t *token, fg_wstrust_result_t *result, fg_err_t *err) {
    const xmlNode *info = token->jwt ? NULL : token->assertion.proof_key_info;
    fg_buf_t bytes = FG_BUF_INIT(FG_JWT_MAX);
    bool ok = true;
    if (info == NULL || token->assertion.confirmation != FG_CONFIRM_HOLDER_OF_KEY)
        return true;
    for (xmlNode *child = fg_xml_first_child(info); ok && child != NULL; child = fg_xml_next(child)) {
        ok = fg_xml_canonical(child, &bytes, err);
        if (fg_xml_is(child, FG_NS_XENC, "EncryptedKey"))
            result->proof.kind = FG_PROOF_SYMMETRIC;
        else if (result->proof.kind == FG_PROOF_BEARER)
            result->proof.kind = FG_PROOF_PUBLIC;
    }
    result->proof.key_info = ok ? fg_arena_str(ex->arena, fg_buf_str(&bytes)) : FG_STR_NONE;
    result->has_proof = true;
    result->told.kind = result->proof.kind;
    fg_buf_free(&bytes);
    return ok && (result->proof.key_info.n > 0 || FG_FAIL(err, FG_E_MEMORY, "a proof key"));
}

static bool reissue(fg_exchange_t *ex, fg_wstrust_t *request, const fg_presented_t *token, fg_wstrust_result_t *result,
                    fg_err_t *err) {
    const fg_issue_request_t wanted = {
        .partner = request->partner,
        .audience = token->audience,
        .identity = &token->identity,
        .version = token->version,
        .jwt = token->jwt,
        .lifetime_ms = request->rst.expires_ms != 0 ? request->rst.expires_ms - fg_now(ex->env) : 0,
        .not_after_ms = token->identity.auth_instant_ms + request->partner->renew_ms,
        .proof = result->has_proof ? &result->proof : NULL,
        .renews = true,
        .owner = request->owner,
        .id_flags = result->flags,
        .protocol = request->endpoint->protocol,
        .request = fg_trust_request_name(FG_TRUST_RENEW),
    };
    result->has_issued = true;
    return fg_issue(ex, &wanted, &result->issued, err);
}

bool fg_wstrust_renew(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    fg_presented_t token;
    if (!fg_wstrust_read_token(ex, request, request->rst.target, LATEST, &token, err) ||
        !check_owner(ex, request, &token, err) || !find_partner_of(ex, request, &token, err))
        return false;
    result->flags = fg_token_id_flags(token.id);
    return check_renewable(ex, request, &token, result->flags, err) && keep_proof(ex, &token, result, err) &&
           reissue(ex, request, &token, result, err);
}

/* ---- Cancel */

static void note_cancelled(fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token) {
    const fg_audit_field_t fields[] = {
        {"user", fg_identity_name(request->requestor)},
        {"audience", token->audience},
        {"protocol", fg_str(request->endpoint->protocol)},
        {"token_id", token->id},
    };
    fg_audit(ex, "cancelled", NULL, fields, FG_ARRAY_SIZE(fields));
}

bool fg_wstrust_cancel(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    fg_presented_t token;
    (void)result;
    if (!fg_wstrust_read_token(ex, request, request->rst.target, 0, &token, err) ||
        !check_owner(ex, request, &token, err))
        return false;
    int64_t until = token.expires_ms + ex->hub->skew_ms;
    if ((fg_token_id_flags(token.id) & FG_TOKEN_RENEWABLE_LATE) != 0)
        until += LATEST;
    if (!fg_token_cancel(ex, token.id, until, err))
        return false;
    note_cancelled(ex, request, &token);
    return true;
}

/* ---- Validate */

/* What says something about the token, and not about us. */
static bool is_verdict(fg_code_t code) { return !fg_fault_is_temporary(code) && !fg_fault_get(code)->receiver; }

static void note_validated(fg_exchange_t *ex, const fg_wstrust_t *request, const fg_presented_t *token,
                           const fg_err_t *status) {
    const fg_audit_field_t fields[] = {
        {"actor", fg_identity_name(request->requestor)},
        {"user", status->code == FG_OK ? fg_identity_name(&token->identity) : FG_STR_NONE},
        {"issuer", token->identity.issuer},
        {"audience", token->audience},
        {"protocol", fg_str(request->endpoint->protocol)},
        {"token_id", token->id},
    };
    fg_audit(ex, "validated", status->code == FG_OK ? NULL : status, fields, FG_ARRAY_SIZE(fields));
}

bool fg_wstrust_validate(fg_exchange_t *ex, fg_wstrust_t *request, fg_wstrust_result_t *result, fg_err_t *err) {
    fg_presented_t token = {0};
    fg_wstrust_subject_t subject;
    bool translates = request->rst.token_type.p != NULL && !request->rst.status;
    result->has_status = true;
    bool good = fg_wstrust_read_token(ex, request, request->rst.target, 0, &token, &result->status);
    if (!good && (translates || !is_verdict(result->status.code))) {
        *err = result->status;
        return false;
    }
    note_validated(ex, request, &token, &result->status);
    if (!translates)
        return true;
    return fg_wstrust_delegate(ex, request, &token, FG_DELEGATION_ON_BEHALF_OF, &subject, err) &&
           fg_wstrust_issue_for(ex, request, &subject, result, err);
}
