/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/encrypt.h"
#include "token/assertion.h"

#include "core/time.h"
#include "token/assertion_parts.h"
#include "token/authmethod.h"
#include "token/replay.h"

#define XML_VALUE_MAX (16u << 10)
#define WSS_PROFILE "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"

typedef struct format {
    const char *token_type;
    const char *wss_type;
    const char *ns;
    const char *id_attribute;
    const char *issuer_attribute; /* NULL: an element */
    bool (*write)(const fg_assertion_t *, fg_xw_t *, size_t *signature_at);
    bool (*read)(fg_reading_t *, fg_err_t *);
    bool (*read_attribute)(fg_reading_t *, const xmlNode *, fg_err_t *);
} format_t;

static const format_t formats[] = {
    [FG_SAML_11] = {FG_NS_SAML1, WSS_PROFILE "SAMLV1.1", FG_NS_SAML1, "AssertionID", "Issuer", fg_saml11_write,
                    fg_saml11_read, fg_saml11_read_attribute},
    [FG_SAML_20] = {FG_NS_SAML2, WSS_PROFILE "SAMLV2.0", FG_NS_SAML2, "ID", NULL, fg_saml20_write, fg_saml20_read,
                    fg_saml20_read_attribute},
};

const char *fg_saml_token_type(fg_saml_version_t version) { return formats[version].token_type; }

bool fg_saml_version_from_token_type(fg_str_t uri, fg_saml_version_t *version) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(formats); i++) {
        if (fg_str_is(uri, formats[i].token_type) || fg_str_is(uri, formats[i].wss_type)) {
            *version = (fg_saml_version_t)i;
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

bool fg_assertion_write(const fg_assertion_t *assertion, const fg_key_t *key, fg_buf_t *out, fg_err_t *err) {
    fg_xw_t w;
    size_t begin = out->length, signature_at = 0;
    fg_xw_init(&w, out);
    if (assertion->confirmation == FG_CONFIRM_HOLDER_OF_KEY && assertion->proof_key_info.n == 0)
        return FG_FAIL(err, FG_E_INTERNAL, "a holder-of-key assertion needs a proof key");
    if (!formats[assertion->version].write(assertion, &w, &signature_at) || !fg_xw_ok(&w))
        return FG_FAIL(
            err, FG_E_INTERNAL,
            "the assertion cannot be written: a value holds what XML cannot carry (SA-13), or it is too large");
    return fg_dsig_sign(out, begin, signature_at, fg_str(assertion->id), key, err);
}

void fg_assertion_write_time(fg_xw_t *w, const char *name, int64_t ms, char text[FG_TIME_SIZE]) {
    fg_time_format(ms, text);
    fg_xw_attr(w, name, (fg_str_t){text, FG_TIME_SIZE - 1});
}

void fg_assertion_write_key_info(fg_xw_t *w, const fg_assertion_t *assertion) {
    static const fg_xns_t ds = {"ds", FG_NS_DS};
    fg_xw_start(w, &ds, "KeyInfo");
    fg_xw_raw(w, assertion->proof_key_info);
    fg_xw_end(w);
}

/* True if an earlier claim has the same type: it has taken this value along.  No claim says who acts. */
static bool is_passed_over(const fg_claims_t *claims, size_t at) {
    if (fg_str_is(claims->items[at].type, FG_CLAIM_ACTOR))
        return true;
    for (size_t i = 0; i < at; i++)
        if (fg_str_eq(claims->items[i].type, claims->items[at].type))
            return true;
    return false;
}

static void write_attribute(fg_xw_t *w, const fg_claims_t *claims, size_t first, const fg_attribute_form_t *form) {
    fg_xw_start(w, form->ns, "Attribute");
    form->write_name(w, &claims->items[first], form->name_format);
    for (size_t k = first; k < claims->count; k++)
        if (fg_str_eq(claims->items[k].type, claims->items[first].type))
            fg_xw_leaf(w, form->ns, "AttributeValue", claims->items[k].value);
    fg_xw_end(w);
}

void fg_assertion_write_attributes(fg_xw_t *w, const fg_claims_t *claims, const fg_identity_t *actor,
                                   const fg_attribute_form_t *form) {
    fg_part_t part;
    for (size_t i = 0; i < claims->count; i++) {
        if (is_passed_over(claims, i))
            continue;
        fg_xw_t *part_w = fg_part_begin(&part, w, form->encryptor);
        write_attribute(part_w, claims, i, form);
        fg_part_end(&part, w, "EncryptedAttribute");
    }
    if (actor == NULL)
        return;
    fg_assertion_write_actor(fg_part_begin(&part, w, form->encryptor), actor, form);
    fg_part_end(&part, w, "EncryptedAttribute");
}

/* ---- reading ---- */

bool fg_reading_accepts(const fg_reading_t *reading, fg_confirmation_t confirmation) {
    unsigned accepted = reading->trust->confirmations;
    return ((accepted != 0 ? accepted : 1u << FG_CONFIRM_BEARER) & (1u << confirmation)) != 0;
}

bool fg_reading_time(fg_reading_t *reading, const xmlNode *node, const char *attribute, int64_t *ms, fg_err_t *err) {
    fg_str_t text = fg_xml_attr(reading->arena, node, NULL, attribute);
    if (text.p == NULL)
        return true;
    return fg_time_parse(fg_str_trim(text), ms) ||
           FG_FAIL(err, FG_E_TOKEN_MALFORMED, "%s is no time: %.*s", attribute, FG_STR_ARG(text));
}

bool fg_reading_period(fg_reading_t *reading, int64_t not_before, int64_t not_on_or_after, const char *whose,
                       fg_err_t *err) {
    int64_t now = fg_now(reading->env), skew = reading->trust->skew_ms;
    if (not_before != FG_READING_NO_TIME && not_on_or_after != FG_READING_NO_TIME && not_before >= not_on_or_after)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "%s: NotBefore is not before NotOnOrAfter", whose);
    if (not_before != FG_READING_NO_TIME && now + skew < not_before)
        return FG_FAIL(err, FG_E_TOKEN_NOT_YET_VALID, "%s: NotBefore is still to come", whose);
    if (not_on_or_after != FG_READING_NO_TIME && now - skew - reading->trust->late_ms >= not_on_or_after)
        return FG_FAIL(err, FG_E_TOKEN_EXPIRED, "%s: NotOnOrAfter has passed", whose);
    return true;
}

bool fg_reading_past(fg_reading_t *reading, int64_t instant, const char *what, fg_err_t *err) {
    return instant <= fg_now(reading->env) + reading->trust->skew_ms ||
           FG_FAIL(err, FG_E_TOKEN_NOT_YET_VALID, "%s lies in the future", what);
}

static bool matches_audience(fg_reading_t *reading, fg_str_t audience) {
    for (size_t i = 0; i < reading->trust->audience_count; i++)
        if (fg_str_eq(audience, reading->trust->audiences[i]))
            return true;
    return reading->trust->is_audience != NULL && reading->trust->is_audience(reading->trust->context, audience);
}

bool fg_reading_audiences(fg_reading_t *reading, const xmlNode *restriction, const char *ns, fg_err_t *err) {
    fg_str_t found = FG_STR_NONE;
    for (xmlNode *node = fg_xml_first_child(restriction); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, ns, "Audience"))
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an audience restriction holds <%s>", (const char *)node->name);
        fg_str_t audience = fg_xml_token(reading->arena, node, err);
        if (audience.p == NULL)
            return false;
        if (found.p == NULL && matches_audience(reading, audience))
            found = audience;
    }
    if (found.p == NULL)
        return FG_FAIL(err, FG_E_TOKEN_AUDIENCE, "none of an audience restriction's audiences is ours");
    reading->result->audience = found;
    reading->audience_seen = true;
    return true;
}

/* A value made of elements: a name identifier (as eduPersonTargetedID is one) is its text, anything else its canonical
 * XML. */
static fg_str_t read_xml_value(fg_reading_t *reading, xmlNode *value, fg_err_t *err) {
    xmlNode *first = fg_xml_first_child(value);
    if (fg_xml_is(first, FG_NS_SAML2, "NameID") && fg_xml_next(first) == NULL)
        return fg_xml_token(reading->arena, first, err);
    fg_buf_t xml = FG_BUF_INIT(XML_VALUE_MAX);
    bool good = true;
    for (xmlNode *node = first; node != NULL && good; node = fg_xml_next(node))
        good = fg_xml_canonical(node, &xml, err);
    fg_str_t text = good && fg_buf_ok(&xml) ? fg_arena_str(reading->arena, fg_buf_str(&xml)) : FG_STR_NONE;
    if (good && text.p == NULL)
        FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an attribute value of more than %u bytes of XML", XML_VALUE_MAX);
    fg_buf_free(&xml);
    return text;
}

static bool add_value(fg_reading_t *reading, fg_str_t type, xmlNode *value, fg_err_t *err) {
    fg_claims_t *claims = &reading->identity->claims;
    if (claims->count == FG_READING_CLAIMS_MAX)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "more than %u attribute values", FG_READING_CLAIMS_MAX);
    fg_claim_t claim = {
        .type = type,
        .value =
            fg_xml_first_child(value) ? read_xml_value(reading, value, err) : fg_xml_text(reading->arena, value, err),
        .issuer = reading->trust->issuer,
    };
    if (claim.value.p == NULL)
        return false;
    return fg_claims_add(reading->arena, claims, &claim) || FG_FAIL(err, FG_E_MEMORY, "no memory for claims");
}

bool fg_reading_values(fg_reading_t *reading, const xmlNode *attribute, const char *ns, fg_str_t type, fg_err_t *err) {
    if (fg_str_is(type, FG_CLAIM_ACTOR))
        return fg_reading_actor(reading, attribute, ns, err);
    for (xmlNode *node = fg_xml_first_child(attribute); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, ns, "AttributeValue"))
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an Attribute holds <%s>", (const char *)node->name);
        if (!add_value(reading, type, node, err))
            return false;
    }
    return true;
}

bool fg_reading_name_id(fg_reading_t *reading, const xmlNode *node, const char *qualifier, const char *sp_qualifier,
                        fg_name_id_t *name_id, fg_err_t *err) {
    name_id->value = fg_xml_text(reading->arena, node, err);
    if (name_id->value.p == NULL)
        return false;
    if (name_id->value.n == 0)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "the name identifier is empty");
    name_id->format = fg_xml_attr(reading->arena, node, NULL, "Format");
    name_id->name_qualifier = fg_xml_attr(reading->arena, node, NULL, qualifier);
    if (sp_qualifier != NULL)
        name_id->sp_name_qualifier = fg_xml_attr(reading->arena, node, NULL, sp_qualifier);
    return true;
}

void fg_reading_method(fg_reading_t *reading, fg_str_t word) {
    const fg_authmethod_t *method = fg_authmethod_find(word);
    reading->result->identity.auth_method = method       ? fg_str(method->claim)
                                            : word.n > 0 ? word
                                                         : FG_STR(FG_AUTH_UNSPECIFIED);
}

static const format_t *find_format(const xmlNode *element, fg_saml_version_t *version) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(formats); i++) {
        if (fg_xml_is(element, formats[i].ns, "Assertion")) {
            *version = (fg_saml_version_t)i;
            return &formats[i];
        }
    }
    return NULL;
}

static bool read_issuer(fg_reading_t *reading, const format_t *format, fg_err_t *err) {
    fg_str_t issuer;
    if (format->issuer_attribute != NULL) {
        issuer = fg_xml_attr(reading->arena, reading->assertion, NULL, format->issuer_attribute);
    } else {
        const xmlNode *node = fg_xml_only_child(reading->assertion, format->ns, "Issuer", err);
        if (node == NULL)
            return false;
        issuer = fg_xml_token(reading->arena, node, err);
        if (issuer.p == NULL)
            return false;
    }
    if (issuer.p == NULL || reading->trust->issuer.n == 0 || !fg_str_eq(issuer, reading->trust->issuer))
        return FG_FAIL_FOR(err, FG_E_TOKEN_ISSUER, FG_R_ISSUER_MISMATCH, "issued by %.*s, not by %.*s",
                           FG_STR_ARG(issuer), FG_STR_ARG(reading->trust->issuer));
    reading->result->identity.issuer = issuer;
    return true;
}

/* The assertion's own times, which both formats write alike: SAML 1.1 §2.3.2.1, SAML 2.0 §2.5.1.2. */
static bool check_times(fg_reading_t *reading, const char *ns, fg_err_t *err) {
    const fg_assertion_trust_t *trust = reading->trust;
    int64_t issued = FG_READING_NO_TIME, not_before = FG_READING_NO_TIME, end = FG_READING_NO_TIME;
    reading->conditions = fg_xml_only_child(reading->assertion, ns, "Conditions", err);
    if (reading->conditions == NULL)
        return false;
    if (!fg_reading_time(reading, reading->assertion, "IssueInstant", &issued, err) ||
        !fg_reading_time(reading, reading->conditions, "NotBefore", &not_before, err) ||
        !fg_reading_time(reading, reading->conditions, "NotOnOrAfter", &end, err))
        return false;
    if (issued == FG_READING_NO_TIME || end == FG_READING_NO_TIME)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_TIME_MISSING,
                           "an assertion needs IssueInstant and NotOnOrAfter");
    if (!fg_reading_past(reading, issued, "IssueInstant", err) ||
        !fg_reading_period(reading, not_before, end, "Conditions", err))
        return false;
    int64_t start = not_before != FG_READING_NO_TIME ? not_before : issued;
    if (trust->max_lifetime_ms > 0 && end - start > trust->max_lifetime_ms)
        return FG_FAIL(err, FG_E_TOKEN_LIFETIME, "it lives longer than %lld s",
                       (long long)(trust->max_lifetime_ms / FG_SECOND));
    reading->result->not_on_or_after_ms = end;
    reading->result->identity.auth_instant_ms = issued;
    return true;
}

static bool check_signature(fg_reading_t *reading, const format_t *format, xmlNode *element, fg_err_t *err) {
    fg_assertion_read_t *result = reading->result;
    if (reading->trust->enclosing != NULL && fg_xml_child(element, FG_NS_DS, "Signature", NULL) == NULL) {
        result->signature = *reading->trust->enclosing;
        result->signature.element = element;
    } else if (!fg_dsig_verify_enveloped(element, format->id_attribute, &reading->trust->dsig, &result->signature, err))
        return false;
    reading->assertion = result->signature.element;
    if (!fg_xml_is(reading->assertion, format->ns, "Assertion"))
        return FG_FAIL_FOR(err, FG_E_SIG_STRUCTURE, FG_R_SIGNATURE_NOT_COVERING,
                           "something else than the assertion was signed");
    result->id = fg_xml_attr(reading->arena, reading->assertion, NULL, format->id_attribute);
    return result->id.n > 0 || FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion without %s", format->id_attribute);
}

bool fg_assertion_read(const fg_env_t *env, fg_arena_t *arena, xmlNode *element, const fg_assertion_trust_t *trust,
                       fg_assertion_read_t *result, fg_err_t *err) {
    fg_reading_t reading = {.env = env, .arena = arena, .trust = trust, .result = result};
    memset(result, 0, sizeof *result);
    const format_t *format = find_format(element, &result->version);
    if (format == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "no SAML assertion");
    reading.identity = &result->identity;
    reading.read_attribute = format->read_attribute;
    if (!check_signature(&reading, format, element, err) || !read_issuer(&reading, format, err) ||
        !check_times(&reading, format->ns, err) || !format->read(&reading, err))
        return false;
    if (!trust->once && !reading.once)
        return true;
    return fg_replay_check(env, "assertion", trust->issuer, result->id, result->not_on_or_after_ms + trust->skew_ms,
                           FG_E_TOKEN_REPLAY, err);
}

fg_str_t fg_assertion_peek_issuer(fg_arena_t *arena, const xmlNode *element) {
    if (fg_xml_is(element, FG_NS_SAML1, "Assertion"))
        return fg_xml_attr(arena, element, NULL, "Issuer");
    const xmlNode *issuer = fg_xml_child(element, FG_NS_SAML2, "Issuer", NULL);
    return issuer != NULL ? fg_xml_token(arena, issuer, NULL) : FG_STR_NONE;
}
