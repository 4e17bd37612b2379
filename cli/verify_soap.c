/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOAP messages with a Security header, responses of WS-Trust and WS-Federation, and bare assertions. */
#include <string.h>

#include "cli/verify.h"
#include "hub/message.h"
#include "sts/rstr.h"
#include "token/wss.h"

/* ---- Security headers (hub/access_message.c) */

static bool any_audience(const void *context, fg_str_t audience) {
    (void)context, (void)audience;
    return true;
}

static bool find_issuer(void *context, fg_str_t issuer, fg_assertion_trust_t *trust, fg_err_t *err) {
    const fg_verify_t *v = context;
    fg_str_t expected = v->issuer.n > 0 ? v->issuer : v->trust.issuer;
    if (expected.n > 0 && !fg_str_eq(expected, issuer))
        return FG_FAIL(err, FG_E_TOKEN_ISSUER, "issuer %.*s", FG_STR_ARG(issuer));
    *trust = (fg_assertion_trust_t){
        .issuer = issuer,
        .dsig = {v->trust.keys, v->trust.key_count, v->allow_sha1},
        .audiences = v->audiences,
        .audience_count = v->audience_count,
        .is_audience = v->audience_count == 0 ? any_audience : NULL,
        .recipient = v->recipient,
        .skew_ms = v->skew_ms,
        .max_lifetime_ms = v->trust.max_lifetime_ms,
    };
    return true;
}

static const fg_key_t *find_certificate(void *context, const fg_wss_certificate_name_t *name) {
    const fg_verify_t *v = context;
    for (size_t i = 0; i < v->trust.key_count; i++)
        if (fg_key_get_x509(v->trust.keys[i]) != NULL && fg_wss_certificate_has_name(v->trust.keys[i], name))
            return v->trust.keys[i];
    return NULL;
}

/* Who made it: a certificate that is trusted itself, or one that a CA vouches for. */
static bool is_trusted(fg_verify_t *v, const fg_key_t *key, fg_err_t *err) {
    X509 *x509 = fg_key_get_x509(key);
    for (size_t i = 0; i < v->trust.key_count; i++)
        if (EVP_PKEY_eq(fg_key_get_pkey(v->trust.keys[i]), fg_key_get_pkey(key)) == 1)
            return true;
    if (v->ca != NULL && x509 != NULL)
        return fg_x509_trust_verify(v->ca, &v->env, x509, NULL, FG_X509_SIGNER, err);
    return FG_FAIL(err, FG_E_CERTIFICATE_UNTRUSTED, "the certificate %s is not trusted (--trust, --ca)",
                   fg_key_get_thumbprint(key));
}

static bool judge_signatures(fg_verify_t *v, const fg_wss_header_t *header, fg_err_t *err) {
    if (header->signature_count > 0 && header->timestamp == NULL)
        return FG_FAIL(err, FG_E_WSS_TIMESTAMP, "no Timestamp");
    for (size_t i = 0; i < header->signature_count; i++) {
        const fg_wss_signature_t *signature = &header->signatures[i];
        if (signature->token->kind == FG_WSS_CERTIFICATE && !is_trusted(v, signature->token->key, err))
            return false;
        if (signature->token->kind == FG_WSS_ENCRYPTED_KEY || signature->token->kind == FG_WSS_KEY_VALUE)
            return FG_FAIL(err, FG_E_SIG_KEY, "a signature by a key that is nobody's");
        if (!fg_wss_signature_covers(signature, header->timestamp)) /* WT-04 */
            return FG_FAIL_FOR(err, FG_E_WSS_TIMESTAMP, FG_R_SIGNATURE_NOT_COVERING, "the Timestamp is not signed");
    }
    const fg_wss_token_t *assertion = header->assertion;
    return assertion == NULL || assertion->assertion.confirmation != FG_CONFIRM_HOLDER_OF_KEY ||
           fg_message_is_proven(header) ||
           FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_NO_PROOF,
                       "the assertion's proof key did not sign the message");
}

/* The Body that would be read must be what was signed, if anything was. */
static bool judge_body(const fg_wss_header_t *header, const xmlNode *envelope, fg_err_t *err) {
    const xmlNode *body = fg_xml_child(envelope, (const char *)envelope->ns->href, "Body", NULL);
    return header->signature_count == 0 || body == NULL || fg_wss_header_covers(header, body) ||
           FG_FAIL_FOR(err, FG_E_SIG_STRUCTURE, FG_R_SIGNATURE_NOT_COVERING, "the Body is not signed");
}

/* The Timestamp of an answer that nobody signed says nothing about the token in it. */
static bool judge_security(fg_verify_t *v, xmlNode *envelope, bool answer, bool *proven) {
    const char *ns = (const char *)envelope->ns->href;
    unsigned headers = 0, securities = 0;
    const xmlNode *head = fg_xml_child(envelope, ns, "Header", &headers);
    xmlNode *security = head != NULL ? fg_xml_child(head, FG_NS_WSSE, "Security", &securities) : NULL;
    fg_wss_rules_t rules = {.env = &v->env,
                            .skew_ms = v->skew_ms,
                            .limits = v->decryption.limits,
                            .allow_sha1 = v->allow_sha1,
                            .recipients = {v->decryption.keys, v->decryption.key_count},
                            .find_issuer = find_issuer,
                            .find_certificate = find_certificate,
                            .context = v};
    fg_wss_header_t *header = fg_arena_alloc(v->arena, sizeof *header);
    fg_err_t err = FG_ERR_INIT;
    *proven = false;
    if (headers > 1 || securities > 1)
        return FG_FAIL_FOR(&err, FG_E_WSS_STRUCTURE, FG_R_STRUCTURE_AMBIGUOUS, "%u Headers, %u Security headers",
                           headers, securities) ||
               fg_verify_fail(v, &err);
    if (security == NULL || header == NULL || (answer && fg_xml_child(security, FG_NS_DS, "Signature", NULL) == NULL))
        return true;
    if (!fg_wss_header_read(v->arena, security, &rules, header, &err) || !judge_signatures(v, header, &err) ||
        !judge_body(header, envelope, &err) || !fg_wss_header_remember(header, &err))
        return fg_verify_fail(v, &err);
    *proven = header->signature_count > 0 || header->assertion != NULL;
    return true;
}

/* ---- the token in it (sts/wsfed_response.c) */

static const fg_piece_t *find_piece(const fg_piece_t *root, fg_piece_kind_t one, fg_piece_kind_t other) {
    for (const fg_piece_t *piece = root; piece != NULL; piece = fg_piece_next(piece))
        if (piece->kind == one || piece->kind == other)
            return piece;
    return NULL;
}

static unsigned count_tokens(const xmlNode *node) {
    unsigned count = strcmp((const char *)node->name, "RequestedSecurityToken") == 0;
    for (const xmlNode *child = fg_xml_first_child(node); child != NULL; child = fg_xml_next(child))
        count += count_tokens(child);
    return count;
}

/* In a SOAP envelope, where the gateway itself reads none: by the same rule. */
static xmlNode *take_inner_token(const fg_piece_t *response, fg_err_t *err) {
    const xmlNode *root = xmlDocGetRootElement(response->xml->doc);
    unsigned tokens = count_tokens(root);
    const xmlNode *node = response->xml;
    const char *ns = (const char *)node->ns->href;
    if (fg_xml_is(node, ns, "RequestSecurityTokenResponseCollection"))
        node = fg_xml_child(node, ns, "RequestSecurityTokenResponse", NULL);
    const xmlNode *requested = node ? fg_xml_child(node, ns, "RequestedSecurityToken", NULL) : NULL;
    xmlNode *token = requested != NULL ? fg_xml_first_child(requested) : NULL;
    if (tokens == 1 && token != NULL && fg_xml_next(token) == NULL)
        return token;
    FG_FAIL_FOR(err, FG_E_WSFED_RESULT, tokens > 1 ? FG_R_STRUCTURE_AMBIGUOUS : FG_R_STRUCTURE_INVALID,
                "a response with %u tokens", tokens);
    return NULL;
}

/* A response must hold exactly one token (WF-05). */
static xmlNode *take_token(fg_verify_t *v, const fg_piece_t *response) {
    fg_rstr_read_t rstr = {.token = NULL};
    fg_err_t err = FG_ERR_INIT;
    if (xmlDocGetRootElement(response->xml->doc) != response->xml)
        rstr.token = take_inner_token(response, &err);
    else if (!fg_rstr_read(v->arena, response->xml->doc, &rstr, &err))
        rstr.token = NULL;
    if (rstr.token == NULL)
        fg_verify_fail(v, &err);
    return rstr.token;
}

/* A JWT stands in a BinarySecurityToken; true: it is one, and was judged. */
static bool judge_jwt(fg_verify_t *v) {
    const fg_piece_t *jwt = find_piece(v->subject, FG_PIECE_JWT, FG_PIECE_JWE);
    if (jwt == NULL)
        return false;
    v->subject = (fg_piece_t *)(uintptr_t)jwt;
    fg_verify_jwt(v);
    return true;
}

static void judge_token(fg_verify_t *v, xmlNode *element) {
    fg_err_t err = FG_ERR_INIT;
    if (fg_xml_is(element, FG_NS_WSSE, "BinarySecurityToken") && judge_jwt(v))
        return;
    if (!fg_assertion_is_encrypted(element)) {
        fg_verify_not_checked(v, FG_CHECK_ENCRYPTION, "nothing is encrypted");
    } else if (!fg_assertion_decrypt(v->arena, element, v->decryption.keys, v->decryption.key_count,
                                     v->decryption.limits, &element, &err)) {
        fg_verify_fail(v, &err);
        return;
    }
    fg_verify_assertion(v, element, NULL, false);
}

void fg_verify_soap(fg_verify_t *v) {
    const fg_piece_t *response = find_piece(v->subject, FG_PIECE_RSTR, FG_PIECE_RSTRC);
    fg_err_t err = FG_ERR_INIT;
    bool proven = false;
    if (v->subject->kind == FG_PIECE_SOAP && !judge_security(v, v->subject->xml, response != NULL, &proven))
        return;
    xmlNode *element = response != NULL                    ? take_token(v, response)
                       : v->subject->kind == FG_PIECE_SOAP ? NULL
                                                           : v->subject->xml;
    if (element != NULL) {
        judge_token(v, element);
        return;
    }
    if (v->err.code != FG_OK)
        return;
    if (!proven) {
        FG_FAIL(&err, FG_E_SIG_MISSING, "nothing in the message is signed");
        fg_verify_fail(v, &err);
        return;
    }
    for (fg_check_t check = FG_CHECK_AUDIENCE; check <= FG_CHECK_REQUEST; check++)
        fg_verify_not_checked(v, check, "the message has none");
    fg_verify_not_checked(v, FG_CHECK_POLICY, "see 'fedgate policy explain'");
    fg_verify_passed(v, FG_CHECK_REPLAY);
}
