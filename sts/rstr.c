/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/rstr.h"

#include "core/crypto.h"
#include "core/fault.h"
#include "core/time.h"
#include "sts/rstr_parts.h"

static const fg_xns_t ns_wsu = {"wsu", FG_NS_WSU};
static const fg_xns_t ns_wsp = {"wsp", FG_NS_WSP};
static const fg_xns_t ns_wsa = {"wsa", FG_NS_WSA};
static const fg_xns_t ns_wsse = {"o", FG_NS_WSSE};
static const fg_xns_t ns_wsse11 = {"k", FG_NS_WSSE11};

/* How a SecurityTokenReference names an assertion (WSS SAML Token Profile 1.1 §3.4). */
static const struct {
    const char *token_type;
    const char *value_type;
} reference_table[] = {
    [FG_SAML_11] = {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1",
                    "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#SAMLAssertionID"},
    [FG_SAML_20] = {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0",
                    "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID"},
};

static const char base64_encoding[] =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

static void write_instant(fg_xw_t *w, const char *name, int64_t ms) {
    char text[FG_TIME_SIZE];
    fg_time_format(ms, text);
    fg_xw_leafz(w, &ns_wsu, name, text);
}

static void write_lifetime(fg_xw_t *w, const fg_xns_t *t, const fg_issued_t *issued) {
    fg_xw_start(w, t, "Lifetime");
    write_instant(w, "Created", issued->created_ms);
    write_instant(w, "Expires", issued->expires_ms);
    fg_xw_end(w);
}

static void write_applies_to(fg_xw_t *w, fg_str_t realm) {
    fg_xw_start(w, &ns_wsp, "AppliesTo");
    fg_xw_start(w, &ns_wsa, "EndpointReference");
    fg_xw_leaf(w, &ns_wsa, "Address", realm);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* ---- the token */

/* As Windows Identity Foundation carries a JWT: the bytes of its compact form, in base64. */
static bool write_jwt(fg_xw_t *w, const fg_issued_t *issued) {
    fg_buf_t text = FG_BUF_INIT(issued->token.n * 2 + 8);
    fg_base64_encode(&text, issued->token.p, issued->token.n);
    fg_xw_start(w, &ns_wsse, "BinarySecurityToken");
    fg_xw_attr_ns(w, &ns_wsu, "Id", fg_str(issued->id));
    fg_xw_attrz(w, "ValueType", FG_TOKEN_TYPE_JWT);
    fg_xw_attrz(w, "EncodingType", base64_encoding);
    fg_xw_text(w, fg_buf_str(&text));
    fg_xw_end(w);
    bool ok = fg_buf_ok(&text);
    fg_buf_free(&text);
    return ok;
}

static bool write_token(fg_xw_t *w, const fg_xns_t *t, const fg_issued_t *issued) {
    bool ok = true;
    fg_xw_start(w, t, "RequestedSecurityToken");
    if (issued->jwt)
        ok = write_jwt(w, issued);
    else
        fg_xw_raw(w, issued->token);
    fg_xw_end(w);
    return ok;
}

static void write_assertion_reference(fg_xw_t *w, const fg_issued_t *issued) {
    fg_xw_attr_ns(w, &ns_wsse11, "TokenType", fg_str(reference_table[issued->version].token_type));
    fg_xw_start(w, &ns_wsse, "KeyIdentifier");
    fg_xw_attrz(w, "ValueType", reference_table[issued->version].value_type);
    fg_xw_textz(w, issued->id);
    fg_xw_end(w);
}

/* Good in the message that holds the BinarySecurityToken, and nowhere else. */
static void write_jwt_reference(fg_xw_t *w, const fg_issued_t *issued) {
    char uri[FG_ID_SIZE + 1];
    snprintf(uri, sizeof uri, "#%s", issued->id);
    fg_xw_start(w, &ns_wsse, "Reference");
    fg_xw_attrz(w, "URI", uri);
    fg_xw_attrz(w, "ValueType", FG_TOKEN_TYPE_JWT);
    fg_xw_end(w);
}

static void write_reference(fg_xw_t *w, const fg_xns_t *t, const char *name, const fg_issued_t *issued) {
    fg_xw_start(w, t, name);
    fg_xw_start(w, &ns_wsse, "SecurityTokenReference");
    (issued->jwt ? write_jwt_reference : write_assertion_reference)(w, issued);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* WS-Trust 1.3 §4.2: a reference to a token that is not in the message must still find it, which a JWT's cannot. */
static void write_references(fg_xw_t *w, const fg_xns_t *t, const fg_issued_t *issued) {
    write_reference(w, t, "RequestedAttachedReference", issued);
    if (!issued->jwt)
        write_reference(w, t, "RequestedUnattachedReference", issued);
}

static const char *get_token_type(const fg_rstr_t *rstr) {
    return rstr->issued->jwt ? FG_TOKEN_TYPE_JWT : fg_saml_token_type(rstr->issued->version);
}

/* ---- the parts of the answers */

/* WS-Trust 1.3 §7: whether the token is good, and if not, the code and the sentence of why. */
static void write_status(fg_xw_t *w, const fg_trust_words_t *words, const fg_err_t *status) {
    const fg_xns_t *t = &words->ns;
    fg_xw_start(w, t, "Status");
    fg_xw_leafz(w, t, "Code", status->code == FG_OK ? words->valid : words->invalid);
    if (status->code != FG_OK) {
        fg_xw_start(w, t, "Reason");
        fg_xw_textz(w, fg_fault_public_reason(status->code));
        fg_xw_textz(w, ": ");
        fg_xw_textz(w, fg_fault_get(status->code)->sentence);
        fg_xw_end(w);
    }
    fg_xw_end(w);
}

static void write_renewing(fg_xw_t *w, const fg_xns_t *t, const fg_rstr_t *rstr) {
    fg_xw_start(w, t, "Renewing");
    fg_xw_attrz(w, "Allow", rstr->renewable ? "true" : "false");
    fg_xw_attrz(w, "OK", rstr->renewable_late ? "true" : "false");
    fg_xw_end(w);
}

static bool write_issued(fg_xw_t *w, const fg_trust_words_t *words, const fg_rstr_t *rstr) {
    static const fg_rstr_proof_t bearer = {.kind = FG_PROOF_BEARER};
    const fg_rstr_proof_t *proof = rstr->proof ? rstr->proof : &bearer;
    const fg_xns_t *t = &words->ns;
    bool ok = fg_rstr_write_entropy(w, words, proof);
    write_lifetime(w, t, rstr->issued);
    if (rstr->applies_to.n != 0)
        write_applies_to(w, rstr->applies_to);
    ok = write_token(w, t, rstr->issued) && ok;
    if (rstr->display_token)
        fg_rstr_write_display_token(w, &rstr->issued->claims);
    ok = fg_rstr_write_proof_token(w, words, proof) && ok;
    if (rstr->references)
        write_references(w, t, rstr->issued);
    fg_xw_leaf(w, t, "TokenType", rstr->token_type.n ? rstr->token_type : fg_str(get_token_type(rstr)));
    fg_xw_leafz(w, t, "RequestType", words->requests[rstr->request].type);
    fg_xw_leafz(w, t, "KeyType", words->key_types[proof->kind]);
    if (rstr->renewable)
        write_renewing(w, t, rstr);
    return ok;
}

static bool write_response(fg_xw_t *w, const fg_rstr_t *rstr) {
    const fg_trust_words_t *words = fg_trust_words(rstr->trust);
    const fg_xns_t *t = &words->ns;
    bool ok = true;
    fg_xw_start(w, t, "RequestSecurityTokenResponse");
    if (rstr->context.n != 0)
        fg_xw_attr(w, "Context", rstr->context);
    if (rstr->status != NULL && rstr->issued == NULL)
        fg_xw_leafz(w, t, "TokenType", words->status);
    if (rstr->status != NULL)
        write_status(w, words, rstr->status);
    if (rstr->request == FG_TRUST_CANCEL) {
        fg_xw_start(w, t, "RequestedTokenCancelled");
        fg_xw_end(w);
    }
    if (rstr->issued != NULL)
        ok = write_issued(w, words, rstr);
    fg_xw_end(w);
    return ok;
}

bool fg_rstr_write(fg_xw_t *w, const fg_rstr_t *rstr) {
    if (rstr->collection)
        fg_xw_start(w, &fg_trust_words(rstr->trust)->ns, "RequestSecurityTokenResponseCollection");
    bool ok = write_response(w, rstr);
    if (rstr->collection)
        fg_xw_end(w);
    return ok && !w->failed;
}
