/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SAML 2.0 assertions (saml-core-2.0-os), with attributes as AD FS writes them. */
#include "token/assertion_parts.h"
#include "token/authmethod.h"
#include "token/decrypt.h"
#include "token/encrypt.h"

/* how long after issuing a token may be delivered to its Recipient (saml-profiles-2.0 §4.1.4.2), as AD FS has it */
#define DELIVERY (5 * FG_MINUTE)

/* AD FS has it as the default namespace; gSOAP loses that when it canonicalises, and everybody takes a prefix */
static const fg_xns_t saml = {"saml", FG_NS_SAML2};
static const fg_xns_t xsi = {"xsi", FG_NS_XSI};

static const char *const confirmation_methods[] = {
    [FG_CONFIRM_BEARER] = "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    [FG_CONFIRM_HOLDER_OF_KEY] = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
    [FG_CONFIRM_SENDER_VOUCHES] = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches",
};

/* ---- writing ---- */

static void write_confirmation(fg_xw_t *w, const fg_assertion_t *assertion) {
    char text[FG_TIME_SIZE];
    int64_t end = assertion->not_on_or_after_ms;
    if (assertion->recipient.n > 0 && assertion->issue_instant_ms + DELIVERY < end)
        end = assertion->issue_instant_ms + DELIVERY;
    fg_xw_start(w, &saml, "SubjectConfirmation");
    fg_xw_attrz(w, "Method", confirmation_methods[assertion->confirmation]);
    fg_xw_start(w, &saml, "SubjectConfirmationData");
    if (assertion->in_response_to.n > 0)
        fg_xw_attr(w, "InResponseTo", assertion->in_response_to);
    fg_assertion_write_time(w, "NotOnOrAfter", end, text);
    if (assertion->recipient.n > 0)
        fg_xw_attr(w, "Recipient", assertion->recipient);
    if (assertion->confirmation == FG_CONFIRM_HOLDER_OF_KEY) {
        /* profiles §3.1; the type's prefix is one that the element itself uses: exclusive C14N sees no other */
        fg_xw_attr_ns(w, &xsi, "type", FG_STR("saml:KeyInfoConfirmationDataType"));
        fg_assertion_write_key_info(w, assertion);
    }
    fg_xw_end(w);
    fg_xw_end(w);
}

static void write_conditions(fg_xw_t *w, const fg_assertion_t *assertion) {
    char not_before[FG_TIME_SIZE], not_on_or_after[FG_TIME_SIZE];
    fg_xw_start(w, &saml, "Conditions");
    fg_assertion_write_time(w, "NotBefore", assertion->not_before_ms, not_before);
    fg_assertion_write_time(w, "NotOnOrAfter", assertion->not_on_or_after_ms, not_on_or_after);
    fg_xw_start(w, &saml, "AudienceRestriction");
    fg_xw_leaf(w, &saml, "Audience", assertion->audience);
    fg_xw_end(w);
    fg_xw_end(w);
}

/* AD FS writes no NameFormat unless the claim has one as a property. */
static void write_attribute_name(fg_xw_t *w, const fg_claim_t *claim, fg_str_t format) {
    const fg_claim_property_t *own = fg_claim_property(claim, FG_CLAIM_PROPERTY_NAME_FORMAT);
    format = own ? own->value : format;
    fg_xw_attr(w, "Name", claim->type);
    if (format.n > 0)
        fg_xw_attr(w, "NameFormat", format);
}

static void write_authentication(fg_xw_t *w, const fg_assertion_t *assertion) {
    char instant[FG_TIME_SIZE], session_end[FG_TIME_SIZE];
    const fg_identity_t *identity = assertion->identity;
    const fg_authmethod_t *method = fg_authmethod_find(identity->auth_method);
    fg_xw_start(w, &saml, "AuthnStatement");
    fg_assertion_write_time(w, "AuthnInstant", identity->auth_instant_ms, instant);
    if (identity->session_index.n > 0)
        fg_xw_attr(w, "SessionIndex", identity->session_index);
    if (assertion->session_not_on_or_after_ms != 0)
        fg_assertion_write_time(w, "SessionNotOnOrAfter", assertion->session_not_on_or_after_ms, session_end);
    fg_xw_start(w, &saml, "AuthnContext");
    fg_xw_leaf(w, &saml, "AuthnContextClassRef", method ? fg_str(method->saml20) : identity->auth_method);
    fg_xw_end(w);
    fg_xw_end(w);
}

bool fg_saml20_write(const fg_assertion_t *assertion, fg_xw_t *w, size_t *signature_at) {
    char instant[FG_TIME_SIZE];
    fg_xw_start(w, &saml, "Assertion");
    fg_xw_attr(w, "ID", fg_str(assertion->id));
    fg_assertion_write_time(w, "IssueInstant", assertion->issue_instant_ms, instant);
    fg_xw_attr(w, "Version", FG_STR("2.0"));
    fg_xw_leaf(w, &saml, "Issuer", assertion->issuer);
    *signature_at = w->out->length;
    fg_xw_start(w, &saml, "Subject");
    if (assertion->name_id.value.n > 0)
        fg_saml_write_name_id(w, &assertion->name_id, assertion->encrypt_name_id ? assertion->encryptor : NULL);
    write_confirmation(w, assertion);
    fg_xw_end(w);
    write_conditions(w, assertion);
    if (assertion->claims->count > 0 || assertion->actor != NULL) {
        fg_xw_start(w, &saml, "AttributeStatement");
        const fg_attribute_form_t form = {&saml, write_attribute_name, assertion->attribute_name_format,
                                          assertion->encrypt_attributes ? assertion->encryptor : NULL};
        fg_assertion_write_attributes(w, assertion->claims, assertion->actor, &form);
        fg_xw_end(w);
    }
    write_authentication(w, assertion);
    fg_xw_end(w);
    return true;
}

/* ---- reading ---- */

static bool read_conditions(fg_reading_t *reading, fg_err_t *err) {
    for (xmlNode *node = fg_xml_first_child(reading->conditions); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_SAML2, "AudienceRestriction")) {
            if (!fg_reading_audiences(reading, node, FG_NS_SAML2, err))
                return false;
        } else if (fg_xml_is(node, FG_NS_SAML2, "OneTimeUse")) {
            reading->once = true;
        } else {
            /* §2.5.1.1: what is not understood makes validity indeterminate (SA-08).  ProxyRestriction (§2.5.1.6) is
             * understood, but a gateway's tokens are issued on the strength of those it takes, which it may forbid. */
            return FG_FAIL(err, FG_E_TOKEN_CONDITION, "condition <%s> cannot be met", (const char *)node->name);
        }
    }
    return reading->audience_seen ||
           FG_FAIL_FOR(err, FG_E_TOKEN_AUDIENCE, FG_R_AUDIENCE_MISSING, "no AudienceRestriction");
}

/* SA-02: exact, and none if none can be asked for. */
static bool check_recipient(fg_reading_t *reading, const xmlNode *data, fg_err_t *err) {
    fg_str_t recipient = fg_xml_attr(reading->arena, data, NULL, "Recipient");
    return (recipient.p == NULL && !reading->trust->web_sso) ||
           (reading->trust->recipient.n > 0 && fg_str_eq(recipient, reading->trust->recipient)) ||
           FG_FAIL(err, FG_E_TOKEN_RECIPIENT, "Recipient is %.*s", FG_STR_ARG(recipient));
}

/* SA-03: what was asked for must be answered, inside the signature; what was not asked for must not claim to be an
 * answer. */
static bool check_in_response_to(fg_reading_t *reading, fg_str_t in_response_to, fg_err_t *err) {
    fg_str_t expected = reading->trust->in_response_to;
    bool ok = expected.n > 0 ? fg_str_eq(in_response_to, expected) : in_response_to.p == NULL;
    return ok ||
           FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_REQUEST_MISMATCH, "InResponseTo is \"%.*s\", not \"%.*s\"",
                       FG_STR_ARG(in_response_to), FG_STR_ARG(expected));
}

static bool check_data(fg_reading_t *reading, const xmlNode *data, fg_err_t *err) {
    int64_t not_before = FG_READING_NO_TIME, not_on_or_after = FG_READING_NO_TIME;
    if (!fg_reading_time(reading, data, "NotBefore", &not_before, err) ||
        !fg_reading_time(reading, data, "NotOnOrAfter", &not_on_or_after, err))
        return false;
    if (reading->trust->web_sso && not_on_or_after == FG_READING_NO_TIME)
        return FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_TIME_MISSING,
                           "SubjectConfirmationData without NotOnOrAfter");
    return fg_reading_period(reading, not_before, not_on_or_after, "SubjectConfirmationData", err) &&
           check_recipient(reading, data, err) &&
           check_in_response_to(reading, fg_xml_attr(reading->arena, data, NULL, "InResponseTo"), err);
}

static bool find_method(fg_reading_t *reading, const xmlNode *node, fg_confirmation_t *found, fg_err_t *err) {
    fg_str_t method = fg_str_trim(fg_xml_attr(reading->arena, node, NULL, "Method"));
    for (size_t i = 0; i < FG_ARRAY_SIZE(confirmation_methods); i++) {
        *found = (fg_confirmation_t)i;
        if (fg_str_is(method, confirmation_methods[i]) && fg_reading_accepts(reading, *found))
            return true;
    }
    return FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_UNSUPPORTED,
                       "no confirmation that is accepted here");
}

/* Profiles §3.1: one key at least; here exactly one, and nothing beside it (XS-22). */
static const xmlNode *find_key_info(const xmlNode *data, fg_err_t *err) {
    const xmlNode *key_info = data != NULL ? fg_xml_first_child(data) : NULL;
    if (fg_xml_is(key_info, FG_NS_DS, "KeyInfo") && fg_xml_next(key_info) == NULL)
        return key_info;
    FG_FAIL_FOR(err, FG_E_TOKEN_CONFIRMATION, FG_R_CONFIRMATION_NO_PROOF,
                "a holder-of-key confirmation has not exactly one KeyInfo");
    return NULL;
}

/* One confirmation that fully matches.  An identifier inside means that somebody else may wield the assertion
 * (§2.4.1.1), and that nobody here can be shown to be.  A key needs its proof, which the caller must see (SA-09). */
static bool check_confirmation(fg_reading_t *reading, const xmlNode *confirmation, fg_err_t *err) {
    const xmlNode *data = NULL, *key_info = NULL;
    fg_confirmation_t found;
    if (!find_method(reading, confirmation, &found, err))
        return false;
    for (xmlNode *node = fg_xml_first_child(confirmation); node != NULL; node = fg_xml_next(node)) {
        if (data != NULL || !fg_xml_is(node, FG_NS_SAML2, "SubjectConfirmationData"))
            return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "a confirmation holds <%s>", (const char *)node->name);
        data = node;
    }
    if (found == FG_CONFIRM_HOLDER_OF_KEY && (key_info = find_key_info(data, err)) == NULL)
        return false;
    if (data == NULL && reading->trust->web_sso)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "a confirmation without SubjectConfirmationData");
    if (data != NULL ? !check_data(reading, data, err) : !check_in_response_to(reading, FG_STR_NONE, err))
        return false;
    reading->result->confirmation = found;
    reading->result->proof_key_info = key_info;
    return true;
}

/* Of what was signed as it stands: encrypted. */
static const xmlNode *open_encrypted(fg_reading_t *reading, const xmlNode *element, fg_err_t *err) {
    const fg_decryption_t *decryption = reading->trust->decryption;
    xmlNode *content = NULL;
    if (decryption == NULL || reading->opened++ == FG_READING_OPENED_MAX)
        FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion holds <%s>, or too many", (const char *)element->name);
    else if (!fg_saml_decrypt(reading->arena, element, decryption->keys, decryption->key_count, decryption->limits,
                              &content, err))
        return NULL;
    return content;
}

static bool read_name_id(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) {
    if (fg_xml_is(node, FG_NS_SAML2, "EncryptedID"))
        node = open_encrypted(reading, node, err);
    return node != NULL && fg_reading_name_id(reading, node, "NameQualifier", "SPNameQualifier",
                                              &reading->result->identity.name_id, err);
}

static bool is_name_id(const xmlNode *node) {
    return fg_xml_is(node, FG_NS_SAML2, "NameID") || fg_xml_is(node, FG_NS_SAML2, "EncryptedID");
}

/* §2.4.1: any one of several confirmations will do.  The refusal tells of the last one. */
static bool read_subject(fg_reading_t *reading, const xmlNode *subject, fg_err_t *err) {
    fg_err_t why = FG_ERR_INIT;
    unsigned names = 0;
    bool confirmed = false;
    FG_FAIL(&why, FG_E_TOKEN_CONFIRMATION, "no SubjectConfirmation");
    for (xmlNode *node = fg_xml_first_child(subject); node != NULL; node = fg_xml_next(node)) {
        if (fg_xml_is(node, FG_NS_SAML2, "SubjectConfirmation")) {
            confirmed = confirmed || check_confirmation(reading, node, &why);
        } else if (is_name_id(node) && names++ == 0) {
            if (!read_name_id(reading, node, err))
                return false;
        } else {
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "a Subject holds <%s>, or two NameIDs", (const char *)node->name);
        }
    }
    return confirmed || FG_FAIL_FOR(err, why.code, why.reason, "%s", why.detail);
}

bool fg_saml20_read_attribute(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) {
    fg_str_t name = fg_xml_attr(reading->arena, node, NULL, "Name");
    if (name.n == 0)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an Attribute without Name");
    return fg_reading_values(reading, node, FG_NS_SAML2, name, err);
}

static bool read_attribute_statement(fg_reading_t *reading, const xmlNode *statement, fg_err_t *err) {
    for (const xmlNode *node = fg_xml_first_child(statement); node != NULL; node = fg_xml_next(node)) {
        const xmlNode *attribute =
            fg_xml_is(node, FG_NS_SAML2, "EncryptedAttribute") ? open_encrypted(reading, node, err) : node;
        if (attribute == NULL)
            return false;
        if (!fg_xml_is(attribute, FG_NS_SAML2, "Attribute"))
            return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an AttributeStatement holds <%s>", (const char *)node->name);
        if (!fg_saml20_read_attribute(reading, attribute, err))
            return false;
    }
    return true;
}

static bool read_context(fg_reading_t *reading, const xmlNode *statement, fg_err_t *err) {
    const xmlNode *context = fg_xml_only_child(statement, FG_NS_SAML2, "AuthnContext", err);
    if (context == NULL)
        return false;
    unsigned count;
    const xmlNode *class_ref = fg_xml_child(context, FG_NS_SAML2, "AuthnContextClassRef", &count);
    if (count > 1)
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an AuthnContext has %u class references", count);
    if (class_ref == NULL)
        return true;
    fg_str_t word = fg_xml_token(reading->arena, class_ref, err);
    if (word.p == NULL)
        return false;
    fg_reading_method(reading, word);
    return true;
}

/* The first of several is taken: it says how the person signed in. */
static bool read_authentication(fg_reading_t *reading, const xmlNode *statement, fg_err_t *err) {
    int64_t instant = FG_READING_NO_TIME, session_end = FG_READING_NO_TIME;
    fg_identity_t *identity = &reading->result->identity;
    if (!fg_reading_time(reading, statement, "AuthnInstant", &instant, err) ||
        !fg_reading_time(reading, statement, "SessionNotOnOrAfter", &session_end, err))
        return false;
    if (instant == FG_READING_NO_TIME)
        return FG_FAIL_FOR(err, FG_E_TOKEN_MALFORMED, FG_R_TIME_MISSING, "AuthnStatement without AuthnInstant");
    if (!fg_reading_past(reading, instant, "AuthnInstant", err) ||
        !fg_reading_period(reading, FG_READING_NO_TIME, session_end, "SessionNotOnOrAfter", err))
        return false;
    if (reading->authenticated)
        return true;
    reading->authenticated = true;
    identity->auth_instant_ms = instant;
    identity->session_index = fg_xml_attr(reading->arena, statement, NULL, "SessionIndex");
    return read_context(reading, statement, err);
}

static bool skip(fg_reading_t *reading, const xmlNode *node, fg_err_t *err) {
    (void)reading, (void)node, (void)err;
    return true;
}

static const struct {
    const char *ns;
    const char *name;
    unsigned most;
    bool (*read)(fg_reading_t *, const xmlNode *, fg_err_t *);
} children[] = {
    {FG_NS_SAML2, "Issuer", 1, skip}, /* read before */
    {FG_NS_DS, "Signature", 1, skip},
    {FG_NS_SAML2, "Subject", 1, read_subject},
    {FG_NS_SAML2, "Conditions", 1, skip}, /* read before */
    {FG_NS_SAML2, "Advice", 1, skip},     /* XS-10: never read */
    {FG_NS_SAML2, "AttributeStatement", 16, read_attribute_statement},
    {FG_NS_SAML2, "AuthnStatement", 16, read_authentication},
    {FG_NS_SAML2, "AuthzDecisionStatement", 16, skip},
};

static bool read_child(fg_reading_t *reading, const xmlNode *node, unsigned counts[FG_ARRAY_SIZE(children)],
                       fg_err_t *err) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(children); i++)
        if (fg_xml_is(node, children[i].ns, children[i].name) && counts[i]++ < children[i].most)
            return children[i].read(reading, node, err);
    return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "an assertion holds <%s>, or too many", (const char *)node->name);
}

bool fg_saml20_read(fg_reading_t *reading, fg_err_t *err) {
    unsigned counts[FG_ARRAY_SIZE(children)] = {0};
    if (!fg_str_is(fg_xml_attr(reading->arena, reading->assertion, NULL, "Version"), "2.0"))
        return FG_FAIL(err, FG_E_TOKEN_MALFORMED, "not SAML version 2.0");
    if (!read_conditions(reading, err))
        return false;
    if (fg_xml_child(reading->assertion, FG_NS_SAML2, "Subject", NULL) == NULL)
        return FG_FAIL(err, FG_E_TOKEN_CONFIRMATION, "no Subject");
    fg_reading_method(reading, FG_STR_NONE);
    for (xmlNode *node = fg_xml_first_child(reading->assertion); node != NULL; node = fg_xml_next(node))
        if (!read_child(reading, node, counts, err))
            return false;
    return true;
}
