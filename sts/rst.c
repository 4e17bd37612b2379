/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/rst.h"

#include "sts/rst_parts.h"

#define NS_WSP_15 "http://www.w3.org/ns/ws-policy"

bool fg_rst_text(fg_rst_reading_t *r, const xmlNode *element, fg_code_t code, fg_str_t *text, fg_err_t *err) {
    *text = fg_xml_token(r->arena, element, NULL);
    return text->p != NULL || FG_FAIL(err, code, "%s holds no text", (const char *)element->name);
}

static bool read_token_type(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_rst_t *rst = r->rst;
    fg_str_t uri;
    if (!fg_rst_text(r, element, FG_E_WST_TOKEN_TYPE, &uri, err))
        return false;
    rst->token_type = uri;
    rst->jwt = fg_str_is(uri, FG_TOKEN_TYPE_JWT);
    rst->status = fg_str_is(uri, fg_trust_words(r->trust)->status);
    return rst->jwt || rst->status || fg_saml_version_from_token_type(uri, &rst->version) ||
           FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "TokenType %.*s", FG_STR_ARG(uri));
}

static bool read_request_type(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!fg_rst_text(r, element, FG_E_WST_REQUEST_TYPE, &uri, err))
        return false;
    r->request_type_seen = true;
    return fg_trust_request_from_type(fg_trust_words(r->trust), uri, &r->rst->request) ||
           FG_FAIL(err, FG_E_WST_REQUEST_TYPE, "RequestType %.*s", FG_STR_ARG(uri));
}

static bool read_parameter(fg_rst_reading_t *r, const xmlNode *parent, xmlNode *element, fg_err_t *err);

/* WS-Trust 1.3 §3.1: what the relying party wants; counts where the requestor itself says nothing. */
static bool read_secondary(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    const char *ns = fg_rst_ns(r);
    for (xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node)) {
        const char *name = (const char *)node->name;
        bool counts = fg_xml_is(node, ns, name) && fg_xml_child(element->parent, ns, name, NULL) == NULL;
        if (counts && !read_parameter(r, element, node, err))
            return false;
    }
    return true;
}

static bool want_display_token(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    (void)element, (void)err;
    r->rst->display_token = true;
    return true;
}

/* Wishes that do not make a token weaker by being left out. */
static bool ignore(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    (void)r, (void)element, (void)err;
    return true;
}

static bool refuse(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    (void)r;
    return FG_FAIL(err, FG_E_WST_REQUEST, "%s is not served", (const char *)element->name);
}

static bool refuse_key(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    (void)r;
    return FG_FAIL(err, FG_E_WST_KEY_TYPE, "%s is not served", (const char *)element->name);
}

static bool refuse_challenge(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    (void)r;
    return FG_FAIL(err, FG_E_WST_REQUEST, "%s: there are no challenges here", (const char *)element->name);
}

/* The parameters of WS-Trust's own namespace (1.3 §3.1, §4 to §7, §9; 2005 the same names), each at most once.  Of what
 * is not here nothing is served, Participants and DelegateTo among it. */
static const struct parameter {
    const char *name;
    fg_rst_reader_t read;
} parameter_table[] = {
    {"TokenType", read_token_type},
    {"RequestType", read_request_type},
    {"KeyType", fg_rst_key_type},
    {"KeySize", fg_rst_key_size},
    {"Entropy", fg_rst_entropy},
    {"ComputedKeyAlgorithm", fg_rst_computed_key},
    {"UseKey", fg_rst_use_key},
    {"Lifetime", fg_rst_lifetime},
    {"Claims", fg_rst_claims},
    {"OnBehalfOf", fg_rst_on_behalf_of},
    {"RenewTarget", fg_rst_renew_target},
    {"CancelTarget", fg_rst_cancel_target},
    {"ValidateTarget", fg_rst_validate_target},
    {"Renewing", fg_rst_renewing},
    {"SecondaryParameters", read_secondary},
    {"AllowPostdating", ignore}, /* nothing is postdated */
    {"CanonicalizationAlgorithm", ignore},
    {"Delegatable", fg_rst_delegatable},
    {"EncryptWith", ignore},
    {"EncryptionAlgorithm", ignore},
    {"Forwardable", fg_rst_forwardable},
    {"KeyWrapAlgorithm", ignore},
    {"SignWith", ignore},
    {"SignatureAlgorithm", ignore},
    {"ProofEncryption", refuse_key},
    {"BinaryExchange", refuse_challenge},
    {"SignChallenge", refuse_challenge},
};

/* Parameters of other namespaces that are served, or not to be passed over. */
static const struct foreign_parameter {
    const char *ns;
    const char *name;
    fg_rst_reader_t read;
} foreign_table[] = {
    {FG_NS_WSP, "AppliesTo", fg_rst_applies_to},
    {NS_WSP_15, "AppliesTo", fg_rst_applies_to},
    {FG_NS_WSP, "Policy", refuse},
    {FG_NS_WSP, "PolicyReference", refuse},
    {FG_NS_TRUST_14, "ActAs", fg_rst_act_as},
    {FG_NS_TRUST_14, "InteractiveChallenge", refuse_challenge},
    {FG_NS_TRUST_14, "InteractiveChallengeResponse", refuse_challenge},
    {FG_NS_TRUST_14, NULL, refuse},
    {FG_NS_IDENTITY, "RequestDisplayToken", want_display_token},
    {FG_NS_TRUST_2005, NULL, refuse},
    {FG_NS_TRUST_13, NULL, refuse},
};

static bool read_foreign(fg_rst_reading_t *r, xmlNode *element, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(foreign_table); i++) {
        const struct foreign_parameter *row = &foreign_table[i];
        const char *name = row->name ? row->name : (const char *)element->name;
        if (fg_xml_is(element, row->ns, name))
            return row->read(r, element, err);
    }
    return true;
}

/* WS-Trust 1.3 §3.1: an element of its own namespace that is not understood is refused. */
static bool read_parameter(fg_rst_reading_t *r, const xmlNode *parent, xmlNode *element, fg_err_t *err) {
    const char *ns = fg_rst_ns(r);
    for (size_t i = 0; i < FG_ARRAY_SIZE(parameter_table); i++) {
        unsigned count = 0;
        if (!fg_xml_is(element, ns, parameter_table[i].name))
            continue;
        (void)fg_xml_child(parent, ns, parameter_table[i].name, &count);
        if (count > 1)
            return FG_FAIL(err, FG_E_WST_REQUEST, "%s given twice", parameter_table[i].name);
        return parameter_table[i].read(r, element, err);
    }
    return read_foreign(r, element, err);
}

static bool check_element(const xmlNode *element, const char *ns, fg_err_t *err) {
    if (element == NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "the Body holds nothing");
    if (fg_xml_is(element, ns, "RequestSecurityTokenCollection"))
        return FG_FAIL(err, FG_E_WST_REQUEST_TYPE, "batches of requests are not served");
    return fg_xml_is(element, ns, "RequestSecurityToken") ||
           FG_FAIL(err, FG_E_WST_REQUEST, "the Body holds %s", (const char *)element->name);
}

/* What each request cannot do without, and what it alone may have. */
static bool check_whole(const fg_rst_reading_t *r, fg_err_t *err) {
    const fg_rst_t *rst = r->rst;
    bool issues = rst->request == FG_TRUST_ISSUE;
    bool translates = rst->request == FG_TRUST_VALIDATE && rst->token_type.p != NULL && !rst->status;
    if (!r->request_type_seen)
        return FG_FAIL(err, FG_E_WST_REQUEST, "no RequestType");
    if (rst->applies_to.n == 0 && (issues || translates))
        return FG_FAIL(err, FG_E_WST_SCOPE, "no AppliesTo");
    if (issues != (rst->target == NULL))
        return FG_FAIL(err, FG_E_WST_REQUEST, issues ? "a target for Issue" : "no target");
    if (rst->status && rst->request != FG_TRUST_VALIDATE)
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "TokenType Status where nothing is validated");
    if (!issues && (rst->on_behalf_of != NULL || rst->act_as != NULL))
        return FG_FAIL(err, FG_E_WST_REQUEST, "OnBehalfOf or ActAs where nothing is issued");
    if (rst->on_behalf_of != NULL && rst->act_as != NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "OnBehalfOf beside ActAs");
    return fg_rst_check_key(r, err);
}

bool fg_rst_read(fg_arena_t *arena, const xmlNode *element, fg_trust_version_t trust, int64_t now_ms, int64_t skew_ms,
                 fg_rst_t *rst, fg_err_t *err) {
    fg_rst_reading_t r = {arena, trust, now_ms, skew_ms, rst, false};
    *rst = (fg_rst_t){FG_TRUST_ISSUE};
    if (!check_element(element, fg_rst_ns(&r), err))
        return false;
    rst->context = fg_xml_attr(arena, element, NULL, "Context");
    for (xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node))
        if (!read_parameter(&r, element, node, err))
            return false;
    return check_whole(&r, err);
}
