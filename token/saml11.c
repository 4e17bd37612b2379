/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 1.1 assertions (oasis-sstc-saml-core-1.1), in the order in which AD FS writes them. */
#include "token/assertion_parts.h"
#include "token/authmethod.h"

#define FORMAT_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
/* where names that are whole URIs live, as Shibboleth has it */
#define URI_NAMESPACE "urn:mace:shibboleth:1.0:attributeNamespace:uri"

static const fg_xns_t saml = {"saml", FG_NS_SAML1};

static const char *const confirmation_methods[] = {
    [FG_CONFIRM_BEARER] = "urn:oasis:names:tc:SAML:1.0:cm:bearer",
    [FG_CONFIRM_HOLDER_OF_KEY] = "urn:oasis:names:tc:SAML:1.0:cm:holder-of-key",
    [FG_CONFIRM_SENDER_VOUCHES] = "urn:oasis:names:tc:SAML:1.0:cm:sender-vouches",
};

/* ---- writing ---- */

static void write_subject(fg_xw_t *w, const fg_assertion_t *assertion) {
    const fg_name_id_t *name_id = &assertion->name_id;
    fg_xw_start(w, &saml, "Subject");
    if (name_id->value.n > 0) {
        fg_xw_start(w, &saml, "NameIdentifier");
        fg_xw_attr(w, "Format", name_id->format.n > 0 ? name_id->format : FG_STR(FORMAT_UNSPECIFIED));
        if (name_id->name_qualifier.n > 0)
            fg_xw_attr(w, "NameQualifier", name_id->name_qualifier);
        fg_xw_text(w, name_id->value);
        fg_xw_end(w);
    }
    fg_xw_start(w, &saml, "SubjectConfirmation");
    fg_xw_leafz(w, &saml, "ConfirmationMethod", confirmation_methods[assertion->confirmation]);
    if (assertion->confirmation == FG_CONFIRM_HOLDER_OF_KEY)
        fg_assertion_write_key_info(w, assertion);
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_conditions(fg_xw_t *w, const fg_assertion_t *assertion) {
    char not_before[FG_TIME_SIZE], not_on_or_after[FG_TIME_SIZE];
    fg_xw_start(w, &saml, "Conditions");
    fg_assertion_write_time(w, "NotBefore", assertion->not_before_ms, not_before);
    fg_assertion_write_time(w, "NotOnOrAfter", assertion->not_on_or_after_ms, not_on_or_after);
    fg_xw_start(w, &saml, "AudienceRestrictionCondition");
    fg_xw_leaf(w, &saml, "Audience", assertion->audience);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* A claim type is cut at its last slash, as Windows Identity Foundation does; a urn: has none. */
static void write_attribute_name(fg_xw_t *w, const fg_claim_t *claim, fg_str_t format) {
    fg_str_t type = claim->type;
    (void)format;
    const char *slash = memrchr(type.p, '/', type.n);
    size_t before = slash ? (size_t)(slash - type.p) : 0;
    if (before == 0 || before + 1 == type.n) {
        fg_xw_attr(w, "AttributeName", type);
        fg_xw_attr(w, "AttributeNamespace", FG_STR(URI_NAMESPACE));
        return;
    }
    fg_xw_attr(w, "AttributeName", (fg_str_t){slash + 1, type.n - before - 1});
    fg_xw_attr(w, "AttributeNamespace", (fg_str_t){type.p, before});
}

static void write_authentication(fg_xw_t *w, const fg_assertion_t *assertion) {
    char instant[FG_TIME_SIZE];
    const fg_authmethod_t *method = fg_authmethod_find(assertion->identity->auth_method);
    fg_xw_start(w, &saml, "AuthenticationStatement");
    fg_assertion_write_time(w, "AuthenticationInstant", assertion->identity->auth_instant_ms, instant);
    fg_xw_attr(w, "AuthenticationMethod", method ? fg_str(method->saml11) : assertion->identity->auth_method);
    write_subject(w, assertion);
    fg_xw_end(w);
}

bool fg_saml11_write(const fg_assertion_t *assertion, fg_xw_t *w, size_t *signature_at) {
    char instant[FG_TIME_SIZE];
    fg_xw_start(w, &saml, "Assertion");
    fg_xw_attr(w, "AssertionID", fg_str(assertion->id));
    fg_assertion_write_time(w, "IssueInstant", assertion->issue_instant_ms, instant);
    fg_xw_attr(w, "Issuer", assertion->issuer);
    fg_xw_attr(w, "MajorVersion", FG_STR("1"));
    fg_xw_attr(w, "MinorVersion", FG_STR("1"));
    write_conditions(w, assertion);
    if (assertion->claims->count > 0 || assertion->actor != NULL) {
        fg_xw_start(w, &saml, "AttributeStatement");
        write_subject(w, assertion);
        const fg_attribute_form_t form = {&saml, write_attribute_name, FG_STR_NONE};
        fg_assertion_write_attributes(w, assertion->claims, assertion->actor, &form);
        fg_xw_end(w);
    }
    write_authentication(w, assertion);
    *signature_at = w->out->length;
    fg_xw_end(w);
    return true;
}

/* ---- reading ---- */

static bool read_conditions(fg_reading_t *reading, fg_err_t *err) {
    for (xmlNode *node = fg_xml_first_child(reading->conditions); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_SAML1, "AudienceRestrictionCondition")) {
            if (!fg_reading_audiences(reading, node, FG_NS_SAML1, err))
                return false;
        } else if (fg_xml_is(node, FG_NS_SAML1, "DoNotCacheCondition")) {
            reading->once = true;
        } else {
            /* §2.3.2.1: a condition that is not understood makes the assertion's validity indeterminate (SA-08) */
            return FG_FAIL(err, FG_E_TOKEN_CONDITION, "condition <%s> is not known", (const char *)node->name);
        }
    }
    return reading->audience_seen ||
           FG_FAIL_FOR(err, FG_E_TOKEN_AUDIENCE, FG_R_AUDIENCE_MISSING, "no AudienceRestrictionCondition");
}

/* §2.4.2.2: several methods may stand side by side, each of which suffices; what comes first in our list is taken. */
static bool find_method(fg_reading_t *reading, const xmlNode *confirmation, fg_confirmation_t *found, fg_err_t *err) {
    size_t best = FG_ARRAY_SIZE(confirmation_methods);
    for (xmlNode *node = fg_xml_first_child(confirmation); node != NULL; node = fg_xml_next(node)) {
        if (!fg_xml_is(node, FG_NS_SAML1, "ConfirmationMethod"))
            continue;
        fg_str_t method = fg_xml_token(reading->arena, node, err);
        if (method.p == NULL)
            return false;
        for (size_t i = 0; i < best; i++)
            if (fg_str_is(method, confirmation_methods[i]) && fg_reading_accepts(reading, (fg_confirmation_t)i))
                best = i;
    }
    *found = (fg_confirmation_t)best;
    return best < FG_ARRAY_SIZE(confirmation_methods) ||
           FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_UNSUPPORTED,
                       "no confirmation that is accepted here");
}

/* The same key, down to its bytes. */
static bool same_key_info(const xmlNode *a, const xmlNode *b) {
    fg_buf_t one = FG_BUF_INIT(1u << 18), other = FG_BUF_INIT(1u << 18);
    bool same =
        a == b || (a != NULL && b != NULL && fg_xml_canonical((xmlNode *)a, &one, NULL) &&
                   fg_xml_canonical((xmlNode *)b, &other, NULL) && fg_str_eq(fg_buf_str(&one), fg_buf_str(&other)));
    fg_buf_free(&one);
    fg_buf_free(&other);
    return same;
}

/* Core §2.4.2.2 lets it be left out.  Then nothing says who may wield the assertion, which is refused unless the caller
 * knows by whom it came (SA-09). */
static bool is_unconfirmed(const fg_reading_t *reading, const xmlNode *subject) {
    unsigned count;
    return reading->trust->unconfirmed && fg_xml_child(subject, FG_NS_SAML1, "SubjectConfirmation", &count) == NULL &&
           count == 0;
}

/* A confirmation by a key needs its proof, which the caller must see (SA-09). */
static bool read_confirmation(fg_reading_t *reading, const xmlNode *subject, bool first, fg_err_t *err) {
    const xmlNode *confirmation = fg_xml_only_child(subject, FG_NS_SAML1, "SubjectConfirmation", NULL);
    const xmlNode *key_info = NULL;
    fg_assertion_read_t *result = reading->result;
    fg_confirmation_t found = FG_CONFIRM_BEARER;
    bool unconfirmed = is_unconfirmed(reading, subject);
    if (confirmation == NULL && !unconfirmed)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "a Subject has not exactly one SubjectConfirmation");
    if (!unconfirmed && !find_method(reading, confirmation, &found, err))
        return false;
    if (found == FG_CONFIRM_HOLDER_OF_KEY)
        key_info = fg_xml_only_child(confirmation, FG_NS_DS, "KeyInfo", NULL);
    if (found == FG_CONFIRM_HOLDER_OF_KEY && key_info == NULL)
        return FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_NO_PROOF,
                           "a holder-of-key confirmation has not exactly one KeyInfo");
    if (!first && (found != result->confirmation || !same_key_info(key_info, result->proof_key_info)))
        return FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_STRUCTURE_AMBIGUOUS,
                           "the statements are confirmed in different ways");
    result->confirmation = found;
    result->proof_key_info = key_info;
    return true;
}

static bool same_name(const fg_name_id_t *a, const fg_name_id_t *b) {
    return fg_str_eq(a->value, b->value) && fg_str_eq(a->format, b->format) &&
           fg_str_eq(a->name_qualifier, b->name_qualifier);
}

/* Every statement has its own Subject: all must be the same person's (SA-10). */
static bool read_subject(fg_reading_t *reading, const xmlNode *statement, bool first, fg_err_t *err) {
    const xmlNode *subject = fg_xml_only_child(statement, FG_NS_SAML1, "Subject", err);
    fg_name_id_t name_id = {0};
    if (subject == NULL || !read_confirmation(reading, subject, first, err))
        return false;
    unsigned count;
    const xmlNode *node = fg_xml_child(subject, FG_NS_SAML1, "NameIdentifier", &count);
    if (count > 1)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a Subject has %u NameIdentifiers", count);
    if (node != NULL && !fg_reading_name_id(reading, node, "NameQualifier", NULL, &name_id, err))
        return false;
    if (!first && !same_name(&name_id, &reading->result->identity.name_id))
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_STRUCTURE_AMBIGUOUS,
                           "the statements are about different subjects");
    reading->result->identity.name_id = name_id;
    return true;
}

bool fg_saml11_read_attribute(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) {
    fg_str_t name = fg_xml_attr(reading->arena, node, NULL, "AttributeName");
    fg_str_t ns = fg_xml_attr(reading->arena, node, NULL, "AttributeNamespace");
    if (name.n == 0 || ns.p == NULL)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an Attribute without AttributeName or AttributeNamespace");
    fg_str_t type = name;
    if (ns.n > 0 && !fg_str_is(ns, URI_NAMESPACE)) {
        char *joined = fg_arena_alloc(reading->arena, ns.n + name.n + 2);
        if (joined == NULL)
            return FG_FAIL(err, FG_E_MEMORY, "no memory for a claim type");
        memcpy(joined, ns.p, ns.n);
        joined[ns.n] = '/';
        memcpy(joined + ns.n + 1, name.p, name.n);
        type = (fg_str_t){joined, ns.n + name.n + 1};
    }
    return fg_reading_values(reading, node, FG_NS_SAML1, type, err);
}

static bool read_attribute_statement(fg_reading_t *reading, const xmlNode *statement, fg_err_t *err) {
    for (xmlNode *node = fg_xml_first_child(statement); node != NULL; node = fg_xml_next(node))
        if (fg_xml_is(node, FG_NS_SAML1, "Attribute") && !fg_saml11_read_attribute(reading, node, err))
            return false;
    return true;
}

static bool read_authentication(fg_reading_t *reading, const xmlNode *statement, fg_err_t *err) {
    int64_t instant = FG_READING_NO_TIME;
    if (!fg_reading_time(reading, statement, "AuthenticationInstant", &instant, err))
        return false;
    fg_str_t method = fg_xml_attr(reading->arena, statement, NULL, "AuthenticationMethod");
    if (instant == FG_READING_NO_TIME || method.n == 0)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "AuthenticationStatement without method or instant");
    if (!fg_reading_past(reading, instant, "AuthenticationInstant", err))
        return false;
    fg_reading_method(reading, method);
    reading->result->identity.auth_instant_ms = instant;
    return true;
}

static bool skip(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) {
    (void)reading, (void)node, (void)err;
    return true;
}

static const struct {
    const char *ns;
    const char *name;
    bool about_subject;
    bool (*read)(fg_reading_t *, const xmlNode *, fg_err_t *);
} children[] = {
    {FG_NS_SAML1, "Conditions", false, skip}, /* read before */
    {FG_NS_SAML1, "Advice", false, skip},     /* XS-10: never read */
    {FG_NS_DS, "Signature", false, skip},
    {FG_NS_SAML1, "AttributeStatement", true, read_attribute_statement},
    {FG_NS_SAML1, "AuthenticationStatement", true, read_authentication},
    {FG_NS_SAML1, "AuthorizationDecisionStatement", true, skip},
};

static bool read_child(fg_reading_t *reading, const xmlNode *node, unsigned *statements, fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(children); i++) {
        if (!fg_xml_is(node, children[i].ns, children[i].name))
            continue;
        if (children[i].about_subject && !read_subject(reading, node, (*statements)++ == 0, err))
            return false;
        return children[i].read(reading, node, err);
    }
    return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion holds <%s>", (const char *)node->name);
}

bool fg_saml11_read(fg_reading_t *reading, fg_err_t *err) {
    unsigned statements = 0;
    if (!fg_str_is(fg_xml_attr(reading->arena, reading->assertion, NULL, "MajorVersion"), "1") ||
        !fg_str_is(fg_xml_attr(reading->arena, reading->assertion, NULL, "MinorVersion"), "1"))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "not SAML version 1.1");
    if (!read_conditions(reading, err))
        return false;
    fg_reading_method(reading, FG_STR_NONE);
    for (xmlNode *node = fg_xml_first_child(reading->assertion); node != NULL; node = fg_xml_next(node))
        if (!read_child(reading, node, &statements, err))
            return false;
    return statements > 0 || FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "no statement, hence no confirmed subject");
}
