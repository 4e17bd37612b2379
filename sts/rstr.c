/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/rstr.h"

#include "core/time.h"

static const fg_trust_words_t words_table[] = {
    [FG_TRUST_2005] = {{"t", FG_NS_TRUST_2005},
                       FG_NS_TRUST_2005 "/Issue",
                       "http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey",
                       FG_NS_TRUST_2005 "/RST/Issue",
                       FG_NS_TRUST_2005 "/RSTR/Issue"},
    [FG_TRUST_13] = {{"t", FG_NS_TRUST_13},
                     FG_NS_TRUST_13 "/Issue",
                     FG_NS_TRUST_13 "/Bearer",
                     FG_NS_TRUST_13 "/RST/Issue",
                     FG_NS_TRUST_13 "/RSTRC/IssueFinal"},
};

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

const fg_trust_words_t *fg_trust_words(fg_trust_version_t version) { return &words_table[version]; }

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

static void write_reference(fg_xw_t *w, const fg_xns_t *t, const char *name, const fg_issued_t *issued) {
    fg_xw_start(w, t, name);
    fg_xw_start(w, &ns_wsse, "SecurityTokenReference");
    fg_xw_attr_ns(w, &ns_wsse11, "TokenType", fg_str(reference_table[issued->version].token_type));
    fg_xw_start(w, &ns_wsse, "KeyIdentifier");
    fg_xw_attrz(w, "ValueType", reference_table[issued->version].value_type);
    fg_xw_textz(w, issued->id);
    fg_xw_end(w);
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_token(fg_xw_t *w, const fg_xns_t *t, const fg_rstr_t *rstr) {
    fg_xw_start(w, t, "RequestedSecurityToken");
    fg_xw_raw(w, rstr->issued->token);
    fg_xw_end(w);
    if (!rstr->references)
        return;
    write_reference(w, t, "RequestedAttachedReference", rstr->issued);
    write_reference(w, t, "RequestedUnattachedReference", rstr->issued);
}

static void write_response(fg_xw_t *w, const fg_rstr_t *rstr) {
    const fg_trust_words_t *words = fg_trust_words(rstr->trust);
    const fg_xns_t *t = &words->ns;
    fg_xw_start(w, t, "RequestSecurityTokenResponse");
    if (rstr->context.n != 0)
        fg_xw_attr(w, "Context", rstr->context);
    write_lifetime(w, t, rstr->issued);
    if (rstr->applies_to.n != 0)
        write_applies_to(w, rstr->applies_to);
    write_token(w, t, rstr);
    fg_str_t type = rstr->token_type.n ? rstr->token_type : fg_str(fg_saml_token_type(rstr->issued->version));
    fg_xw_leaf(w, t, "TokenType", type);
    fg_xw_leafz(w, t, "RequestType", words->issue);
    fg_xw_leafz(w, t, "KeyType", words->bearer);
    fg_xw_end(w);
}

bool fg_rstr_write(fg_xw_t *w, const fg_rstr_t *rstr) {
    if (rstr->collection)
        fg_xw_start(w, &fg_trust_words(rstr->trust)->ns, "RequestSecurityTokenResponseCollection");
    write_response(w, rstr);
    if (rstr->collection)
        fg_xw_end(w);
    return !w->failed;
}
