/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sts/rst.h"

#include "core/time.h"
#include "sts/rstr.h"

#define NS_WSA_2004 "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSP_15 "http://www.w3.org/ns/ws-policy"
#define NS_TRUST_14 "http://docs.oasis-open.org/ws-sx/ws-trust/200802"

typedef struct reading {
    fg_arena_t *arena;
    fg_trust_version_t trust;
    int64_t now_ms;
    int64_t skew_ms;
    fg_rst_t *rst;
    bool request_type_seen;
} reading_t;

typedef bool (*reader_t)(reading_t *r, const xmlNode *element, fg_err_t *err);

static bool read_token_text(reading_t *r, const xmlNode *element, fg_code_t code, fg_str_t *text, fg_err_t *err) {
    *text = fg_xml_token(r->arena, element, NULL);
    return text->p != NULL || FG_FAIL(err, code, "%s holds no text", (const char *)element->name);
}

static bool read_token_type(reading_t *r, const xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!read_token_text(r, element, FG_E_WST_TOKEN_TYPE, &uri, err))
        return false;
    if (!fg_saml_version_from_token_type(uri, &r->rst->version))
        return FG_FAIL(err, FG_E_WST_TOKEN_TYPE, "TokenType %.*s", FG_STR_ARG(uri));
    r->rst->token_type = uri;
    return true;
}

static bool read_request_type(reading_t *r, const xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!read_token_text(r, element, FG_E_WST_REQUEST_TYPE, &uri, err))
        return false;
    r->request_type_seen = true;
    return fg_str_is(uri, fg_trust_words(r->trust)->issue) ||
           FG_FAIL(err, FG_E_WST_REQUEST_TYPE, "RequestType %.*s", FG_STR_ARG(uri));
}

/* Only tokens without a proof key are issued; either version's word for it is taken. */
static bool read_key_type(reading_t *r, const xmlNode *element, fg_err_t *err) {
    fg_str_t uri;
    if (!read_token_text(r, element, FG_E_WST_KEY_TYPE, &uri, err))
        return false;
    return fg_str_is(uri, fg_trust_words(FG_TRUST_2005)->bearer) ||
           fg_str_is(uri, fg_trust_words(FG_TRUST_13)->bearer) ||
           FG_FAIL(err, FG_E_WST_KEY_TYPE, "KeyType %.*s", FG_STR_ARG(uri));
}

/* WS-Policy Attachment 1.2 §3.1: one endpoint reference; clients of the 2005 version may write it in WS-Addressing
 * 2004/08. */
static bool read_applies_to(reading_t *r, const xmlNode *element, fg_err_t *err) {
    static const char *const addressing[] = {FG_NS_WSA, NS_WSA_2004};
    const xmlNode *reference = fg_xml_first_child(element);
    if (r->rst->applies_to.p != NULL)
        return FG_FAIL(err, FG_E_WST_REQUEST, "AppliesTo given twice");
    for (size_t i = 0; reference != NULL && i < FG_ARRAY_SIZE(addressing); i++) {
        if (!fg_xml_is(reference, addressing[i], "EndpointReference") || fg_xml_next(reference) != NULL)
            continue;
        const xmlNode *address = fg_xml_only_child(reference, addressing[i], "Address", NULL);
        if (address != NULL)
            return read_token_text(r, address, FG_E_WST_SCOPE, &r->rst->applies_to, err);
    }
    return FG_FAIL(err, FG_E_WST_SCOPE, "AppliesTo holds no endpoint reference with one address");
}

static bool read_instant(reading_t *r, const xmlNode *lifetime, const char *name, int64_t *ms, fg_err_t *err) {
    unsigned count = 0;
    const xmlNode *element = fg_xml_child(lifetime, FG_NS_WSU, name, &count);
    *ms = 0;
    if (count == 0)
        return true;
    fg_str_t text = fg_xml_token(r->arena, element, NULL);
    return (count == 1 && text.p != NULL && fg_time_parse(text, ms)) ||
           FG_FAIL(err, FG_E_WST_TIME_RANGE, "%s of Lifetime given twice or no instant: %.*s", name, FG_STR_ARG(text));
}

/* WS-Trust 1.3 §4.1: how long the token shall live; never begins later than now, as postdating is not served. */
static bool read_lifetime(reading_t *r, const xmlNode *element, fg_err_t *err) {
    int64_t created, expires;
    if (!read_instant(r, element, "Created", &created, err) || !read_instant(r, element, "Expires", &expires, err))
        return false;
    if (created > r->now_ms + r->skew_ms)
        return FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime begins in the future");
    if (expires != 0 && (expires <= r->now_ms || expires <= created))
        return FG_FAIL(err, FG_E_WST_TIME_RANGE, "Lifetime is over or ends before it begins");
    r->rst->expires_ms = expires;
    return true;
}

static bool read_parameter(reading_t *r, const xmlNode *parent, const xmlNode *element, fg_err_t *err);

/* WS-Trust 1.3 §3.1: what the relying party wants; counts where the requestor itself says nothing. */
static bool read_secondary(reading_t *r, const xmlNode *element, fg_err_t *err) {
    const char *ns = fg_trust_words(r->trust)->ns.uri;
    for (const xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node)) {
        const char *name = (const char *)node->name;
        bool counts = fg_xml_is(node, ns, name) && fg_xml_child(element->parent, ns, name, NULL) == NULL;
        if (counts && !read_parameter(r, element, node, err))
            return false;
    }
    return true;
}

static bool read_claims(reading_t *r, const xmlNode *element, fg_err_t *err) {
    (void)err;
    r->rst->claims = element;
    return true;
}

/* What cannot weaken a bearer token by being left out. */
static bool ignore(reading_t *r, const xmlNode *element, fg_err_t *err) {
    (void)r, (void)element, (void)err;
    return true;
}

static bool refuse(reading_t *r, const xmlNode *element, fg_err_t *err) {
    (void)r;
    return FG_FAIL(err, FG_E_WST_REQUEST, "%s is not served", (const char *)element->name);
}

static bool refuse_key(reading_t *r, const xmlNode *element, fg_err_t *err) {
    (void)r;
    return FG_FAIL(err, FG_E_WST_KEY_TYPE, "%s is not served", (const char *)element->name);
}

/* The parameters of WS-Trust's own namespace (1.3 §3.1, §4, §9; 2005 the same names), each at most once. */
static const struct parameter {
    const char *name;
    reader_t read;
} parameter_table[] = {
    {"TokenType", read_token_type},
    {"RequestType", read_request_type},
    {"KeyType", read_key_type},
    {"Lifetime", read_lifetime},
    {"Claims", read_claims},
    {"AllowPostdating", ignore},
    {"CanonicalizationAlgorithm", ignore},
    {"ComputedKeyAlgorithm", ignore},
    {"Delegatable", ignore},
    {"EncryptWith", ignore},
    {"EncryptionAlgorithm", ignore},
    {"Forwardable", ignore},
    {"KeySize", ignore},
    {"KeyWrapAlgorithm", ignore},
    {"Renewing", ignore},
    {"SecondaryParameters", read_secondary},
    {"SignWith", ignore},
    {"SignatureAlgorithm", ignore},
    {"Entropy", refuse_key},
    {"ProofEncryption", refuse_key},
    {"UseKey", refuse_key},
};

/* Parameters of other namespaces that are not to be passed over. */
static const struct foreign_parameter {
    const char *ns;
    const char *name;
    reader_t read;
} foreign_table[] = {
    {FG_NS_WSP, "AppliesTo", read_applies_to},
    {NS_WSP_15, "AppliesTo", read_applies_to},
    {FG_NS_WSP, "Policy", refuse},
    {FG_NS_WSP, "PolicyReference", refuse},
    {NS_TRUST_14, "ActAs", refuse},
    {FG_NS_TRUST_2005, NULL, refuse},
    {FG_NS_TRUST_13, NULL, refuse},
};

static bool read_foreign(reading_t *r, const xmlNode *element, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(foreign_table); i++) {
        const struct foreign_parameter *row = &foreign_table[i];
        const char *name = row->name ? row->name : (const char *)element->name;
        if (fg_xml_is(element, row->ns, name))
            return row->read(r, element, err);
    }
    return true;
}

/* WS-Trust 1.3 §3.1: an element of its own namespace that is not understood is refused, delegation among them. */
static bool read_parameter(reading_t *r, const xmlNode *parent, const xmlNode *element, fg_err_t *err) {
    const char *ns = fg_trust_words(r->trust)->ns.uri;
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

bool fg_rst_read(fg_arena_t *arena, const xmlNode *element, fg_trust_version_t trust, int64_t now_ms, int64_t skew_ms,
                 fg_rst_t *rst, fg_err_t *err) {
    reading_t r = {arena, trust, now_ms, skew_ms, rst, false};
    *rst = (fg_rst_t){FG_STR_NONE};
    if (element == NULL || !fg_xml_is(element, fg_trust_words(trust)->ns.uri, "RequestSecurityToken"))
        return FG_FAIL(err, FG_E_WST_REQUEST, "the Body holds %s", element ? (const char *)element->name : "nothing");
    rst->context = fg_xml_attr(arena, element, NULL, "Context");
    for (const xmlNode *node = fg_xml_first_child(element); node != NULL; node = fg_xml_next(node))
        if (!read_parameter(&r, element, node, err))
            return false;
    if (!r.request_type_seen)
        return FG_FAIL(err, FG_E_WST_REQUEST, "no RequestType");
    if (rst->applies_to.n == 0)
        return FG_FAIL(err, FG_E_WST_SCOPE, "no AppliesTo");
    return true;
}

/* What issuance rules will issue is not known before they are run: nothing is refused for it. */
static bool is_served(const fg_partner_t *partner, fg_str_t type) {
    if (partner->issuance_rules != NULL)
        return true;
    for (size_t i = 0; i < partner->claim_type_count; i++)
        if (fg_str_is(type, partner->claim_types[i]))
            return true;
    return false;
}

/* Both dialects in use (Identity Selector Interoperability Profile 1.5 §3.3.4, WS-Federation 1.2 §9.3) name a type in
 * Uri and may mark it Optional; what is optional and not the partner's is left out (WT-09). */
bool fg_rst_claims_served(fg_arena_t *arena, const fg_rst_t *rst, const fg_partner_t *partner, fg_err_t *err) {
    const xmlNode *claim = rst->claims ? fg_xml_first_child(rst->claims) : NULL;
    for (; claim != NULL; claim = fg_xml_next(claim)) {
        fg_str_t uri = fg_str_trim(fg_xml_attr(arena, claim, NULL, "Uri"));
        fg_str_t optional = fg_str_trim(fg_xml_attr(arena, claim, NULL, "Optional"));
        if (!fg_str_is(optional, "true") && !fg_str_is(optional, "1") && !is_served(partner, uri))
            return FG_FAIL(err, FG_E_WST_REQUEST, "required claim %.*s is not issued to %s", FG_STR_ARG(uri),
                           partner->name);
    }
    return true;
}
