/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 2.0 as service provider: each refusal beside the answer that is accepted. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "sts/wsfed.h"

#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner"

/* ---- there */

static char *request_sent(browser_t *b) { return saml_inflated(b, browser_header(b, "Location"), "SAMLRequest"); }

static void is_sent_there_with_what_was_asked(void **state) {
    browser_t *b = *state;
    saml_leave(b, "");
    const char *location = browser_header(b, "Location");
    assert_int_equal(strncmp(location, SAML_SSO "&SAMLRequest=", strlen(SAML_SSO) + 13), 0);
    char *xml = request_sent(b);
    assert_non_null(strstr(xml, "Destination=\"" SAML_SSO "\""));
    assert_non_null(strstr(xml, "AssertionConsumerServiceURL=\"" SAML_OWN "\""));
    assert_non_null(strstr(xml, ">" BROWSER_ENTITY "</saml:Issuer>"));
    assert_null(strstr(xml, "ForceAuthn"));
    assert_null(strstr(xml, "RequestedAuthnContext"));
    assert_null(strstr(xml, "Signature")); /* it goes beside it */
    free(xml);
    saml_leave(b, "&wfresh=0&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword");
    xml = request_sent(b);
    assert_non_null(strstr(xml, "ForceAuthn=\"true\""));
    assert_non_null(
        strstr(xml, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef>"));
    free(xml);
}

/* bindings §3.4.4.1: what is signed is the query up to Signature, as it stands in the address. */
static void our_redirect_signature_holds_over_the_raw_bytes(void **state) {
    browser_t *b = *state;
    saml_leave(b, "");
    const char *query = strchr(strstr(browser_header(b, "Location"), "&SAMLRequest"), 'S');
    const char *end = strstr(query, "&Signature=");
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_buf_t bytes = FG_BUF_INIT(1024);
    assert_true(fg_params_parse(b->ex->arena, fg_str(query), &params, &err));
    assert_true(fg_base64_decode_xml(&bytes, fg_params_get(&params, "Signature", NULL)));
    fg_str_t data = {query, (size_t)(end - query)};
    assert_true(fg_key_verify(b->keys.signing[FG_KEY_ACTIVE], FG_JWS_ES256, data, fg_buf_str(&bytes), &err));
    data.n--;
    assert_false(fg_key_verify(b->keys.signing[FG_KEY_ACTIVE], FG_JWS_ES256, data, fg_buf_str(&bytes), &err));
    fg_buf_free(&bytes);
}

static void a_request_by_post_is_signed_inside(void **state) {
    browser_t *b = *state;
    saml_world.idps[0].endpoints[0].binding = FG_SAML_POST;
    assert_int_equal(browser_get(b, &fg_wsfed_protocol, SAML_LS, ASK), 200);
    assert_string_equal(b->page, "auto_post");
    assert_string_equal(browser_text(b, "action"), SAML_SSO);
    fg_buf_t xml = FG_BUF_INIT(1u << 16);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_base64_decode_xml(&xml, fg_str(browser_field(b, "SAMLRequest"))));
    xmlDoc *doc = fg_xml_parse(b->ex->arena, fg_buf_str(&xml), &fg_xml_default_limits, &err);
    assert_non_null(doc);
    const fg_key_t *key = b->keys.signing[FG_KEY_ACTIVE];
    const fg_dsig_trust_t trust = {&key, 1, false};
    fg_dsig_verified_t verified;
    assert_true(fg_dsig_verify_enveloped(xmlDocGetRootElement(doc), "ID", &trust, &verified, &err));
    fg_buf_free(&xml);
}

/* ---- and back */

static void what_is_signed_may_be_the_assertion_the_response_or_both(void **state) {
    browser_t *b = *state;
    for (int which = 1; which < 4; which++) {
        saml_answer_t a = saml_round(b);
        a.key = which & 1 ? saml_world.idp_key : NULL;
        a.response_key = which & 2 ? saml_world.idp_key : NULL;
        assert_true(saml_accepted(b, &a));
        char back[2048];
        snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
        browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
        assert_string_equal(b->page, "auto_post");
        assert_non_null(strstr(browser_field(b, "wresult"), "pat &lt;&amp;&gt;"));
        assert_non_null(strstr(browser_field(b, "wresult"), "Partners"));
    }
    saml_answer_t a = saml_round(b);
    a.key = NULL;
    assert_true(saml_refused(b, &a, FG_E_SIG_MISSING));
}

/* POST-SimpleSign §2.5: the values themselves are signed, RelayState with them. */
static void simple_sign_is_read(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *relay_state, *said; /* said: what is sent in its place; NULL: the same */
        bool good;
    } cases[] = {{NULL, NULL, true}, {"state &=+", NULL, true}, {"state", "stata", false}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b);
        a.key = NULL;
        char *xml = saml_response(b, &a, NULL);
        saml_sent_t sent = {"SAMLResponse", xml, cases[i].relay_state, saml_world.idp_key, NULL};
        char *form = saml_form(&sent);
        char *posted = cases[i].said ? saml_replace(form, cases[i].relay_state, cases[i].said) : strdup(form);
        int status = browser_post(b, &fg_saml_protocol, SAML_LS, "", posted);
        assert_int_equal(status == 303, cases[i].good);
        if (!cases[i].good)
            assert_true(browser_refused(b, FG_E_SIG_INVALID));
        free(xml), free(form), free(posted);
    }
    saml_answer_t a = saml_round(b); /* XS-20: another's key */
    a.key = NULL;
    char *xml = saml_response(b, &a, NULL);
    saml_sent_t sent = {"SAMLResponse", xml, NULL, saml_world.evil_key, NULL};
    char *form = saml_form(&sent);
    browser_post(b, &fg_saml_protocol, SAML_LS, "", form);
    assert_true(browser_refused(b, FG_E_SIG_INVALID));
    free(xml), free(form);
}

/* profiles §4.1.2: a Response does not travel in an address. */
static void a_response_in_an_address_is_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *xml = saml_response(b, &a, NULL);
    saml_sent_t sent = {"SAMLResponse", xml, NULL, saml_world.idp_key, NULL};
    char *query = saml_redirect(&sent);
    browser_get(b, &fg_saml_protocol, SAML_LS, query);
    assert_true(browser_refused(b, FG_E_SAML_BINDING));
    assert_int_equal(saml_post(b, xml), 303);
    free(xml), free(query);
}

static void a_refusal_of_the_partner_is_told(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *status;
        fg_code_t code;
    } cases[] = {
        {"<samlp:StatusCode Value=\"" SAML_STATUS "Responder\"></samlp:StatusCode>", FG_E_SAML_STATUS},
        {"<samlp:StatusCode Value=\"" SAML_STATUS "Responder\"><samlp:StatusCode Value=\"" SAML_STATUS
         "NoPassive\"></samlp:StatusCode></samlp:StatusCode>",
         FG_E_SAML_PASSIVE},
        {"<samlp:StatusCode Value=\"" SAML_STATUS "success\"></samlp:StatusCode>", FG_E_SAML_STATUS},
        {"<samlp:StatusCode></samlp:StatusCode>", FG_E_SAML_STATUS},
        {"", FG_E_SAML_MESSAGE},
        {"<samlp:StatusCode Value=\"" SAML_STATUS "Success\"></samlp:StatusCode><samlp:StatusCode Value=\"" SAML_STATUS
         "Responder\"></samlp:StatusCode>",
         FG_E_SAML_MESSAGE},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b);
        a.status = cases[i].status;
        a.response_key = saml_world.idp_key;
        assert_true(saml_refused(b, &a, cases[i].code));
    }
    assert_true(saml_control(b));
}

/* ---- SA-01..10: each beside the same answer without the defect */

typedef struct defect {
    const char *id;
    const char *from, *to; /* in the assertion, before it is signed */
    fg_code_t code;
} defect_t;

#define AUDIENCE "<saml:Audience>" BROWSER_ENTITY "</saml:Audience>"
#define RESTRICTION "<saml:AudienceRestriction>" AUDIENCE "</saml:AudienceRestriction>"

static const defect_t defects[] = {
    {"SA-01", AUDIENCE, "<saml:Audience>" BROWSER_ENTITY "/</saml:Audience>", FG_E_TOKEN_AUDIENCE},
    {"SA-01", AUDIENCE, "<saml:Audience>" SAML_OWN "</saml:Audience>", FG_E_TOKEN_AUDIENCE},
    {"SA-01", RESTRICTION, "", FG_E_TOKEN_AUDIENCE},
    {"SA-01", RESTRICTION,
     RESTRICTION "<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction>",
     FG_E_TOKEN_AUDIENCE},
    {"SA-02", "Recipient=\"" SAML_OWN "\"", "Recipient=\"https://other.test/adfs/ls/\"", FG_E_TOKEN_RECIPIENT},
    {"SA-02", "Recipient=\"" SAML_OWN "\"", "Recipient=\"https://GW.test/adfs/ls/\"", FG_E_TOKEN_RECIPIENT},
    {"SA-02", " Recipient=\"" SAML_OWN "\"", "", FG_E_TOKEN_RECIPIENT}, /* profiles §4.1.4.3: it must be there */
    {"SA-03", "<saml:SubjectConfirmationData InResponseTo=\"_", "<saml:SubjectConfirmationData InResponseTo=\"_x",
     FG_E_TOKEN_CONFIRMATION},
    {"SA-08", "</saml:Conditions>", "<saml:Condition></saml:Condition></saml:Conditions>", FG_E_TOKEN_CONDITION},
    {"SA-08", "</saml:Conditions>", "<saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction></saml:Conditions>",
     FG_E_TOKEN_CONDITION},
    {"SA-09", "cm:bearer", "cm:holder-of-key", FG_E_TOKEN_CONFIRMATION},
    {"SA-09", "cm:bearer", "cm:sender-vouches", FG_E_TOKEN_CONFIRMATION},
    {"SA-09", "cm:bearer", "cm:Bearer", FG_E_TOKEN_CONFIRMATION},
};

static void sa_01_to_10_conditions_and_confirmation(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(defects); i++) {
        saml_answer_t a = saml_round(b);
        a.from = defects[i].from, a.to = defects[i].to;
        if (!saml_refused(b, &a, defects[i].code))
            fail_msg("%s, case %zu", defects[i].id, i);
        assert_non_null(strstr(b->audit, "identity provider \\\"partner\\\""));
        assert_true(saml_control(b));
    }
}

static void sa_09_an_assertion_without_a_confirmation(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *xml = saml_assertion(b, &a), *begins = strstr(xml, "<saml:SubjectConfirmation ");
    char *ends = strstr(xml, "</saml:SubjectConfirmation>"), confirmation[1000];
    snprintf(confirmation, sizeof confirmation, "%.*s</saml:SubjectConfirmation>", (int)(ends - begins), begins);
    free(xml);
    a.from = strstr(confirmation, "<saml:SubjectConfirmation "), a.to = "";
    /* the new assertion's confirmation is the same text as long as the clock stands still */
    assert_true(saml_refused(b, &a, FG_E_TOKEN_CONFIRMATION));
    assert_true(saml_control(b));
}

static void sa_02_destination(void **state) {
    browser_t *b = *state;
    static const char *const wrong[] = {"https://other.test/adfs/ls/", "https://GW.test/adfs/ls/",
                                        "https://gw.test/adfs/ls",     "http://gw.test/adfs/ls/",
                                        "https://gw.test/adfs/ls/?",   "https://gw.test/adfs/ls/#x"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            saml_answer_t a = saml_round(b);
            a.destination = wrong[i];
            a.response_key = is_signed ? saml_world.idp_key : NULL;
            assert_true(saml_refused(b, &a, FG_E_SAML_DESTINATION));
        }
    }
    saml_answer_t a = saml_round(b); /* bindings §3.5.5.2: a signed message must say where it goes */
    a.destination = NULL;
    a.response_key = saml_world.idp_key;
    assert_true(saml_refused(b, &a, FG_E_SAML_DESTINATION));
    a = saml_round(b);
    a.destination = NULL;
    assert_true(saml_accepted(b, &a));
}

/* The InResponseTo inside the signature counts: an answer to another browser's request with the outer one rewritten. */
static void sa_03_the_signed_in_response_to_counts(void **state) {
    browser_t *b = *state;
    char other[64];
    saml_answer_t a = saml_round(b);
    snprintf(other, sizeof other, "%s", saml_world.asked_id);
    char *stolen = saml_assertion(b, &a);
    a = saml_round(b); /* another browser */
    char *xml = saml_response(b, &a, stolen);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_CONFIRMATION));
    free(xml);
    a = saml_round(b);
    a.in_response_to = NULL; /* none inside */
    assert_true(saml_refused(b, &a, FG_E_TOKEN_CONFIRMATION));
    a = saml_round(b);
    a.outer_in_response_to = other; /* of a browser that is not this one */
    assert_true(saml_refused(b, &a, FG_E_CSRF));
    a = saml_round(b);
    a.outer_in_response_to = "_0123456789abcdefghijklmnopqrstuv";
    assert_true(saml_refused(b, &a, FG_E_CSRF));
    assert_true(saml_control(b));
    free(stolen);
}

static void sa_04_only_the_provider_that_was_asked(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_true(saml_refused(b, &a, FG_E_TOKEN_ISSUER));
    a = saml_round(b);
    a.issuer = "urn:second", a.key = saml_world.second_key; /* the inner one alone */
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    a = saml_round(b); /* XS-22: the second's key for the first's name */
    a.key = saml_world.second_key;
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    a = saml_round(b); /* a signature that is right around an issuer that is not */
    a.issuer = "urn:second";
    assert_true(saml_refused(b, &a, FG_E_TOKEN_ISSUER));
    b->cookie_count = 0;
    browser_get(b, &fg_wsfed_protocol, SAML_LS, "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Asecond");
    char *request = request_sent(b), *at = strstr(request, " ID=\"");
    snprintf(saml_world.asked_id, sizeof saml_world.asked_id, "%.*s", (int)strcspn(at + 5, "\""), at + 5);
    free(request);
    a = saml_good(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_true(saml_accepted(b, &a));
}

static void sa_05_times(void **state) {
    browser_t *b = *state;
    static const struct {
        int64_t before, end, session_end, limit;
        fg_code_t code;
    } cases[] = {
        {-FG_HOUR, -4 * FG_MINUTE, 0, 0, FG_E_TOKEN_EXPIRED},
        {-2 * FG_MINUTE, -2 * FG_MINUTE + 1, 0, 0, FG_OK}, /* skew is 3 minutes */
        {4 * FG_MINUTE, FG_HOUR, 0, 0, FG_E_TOKEN_NOT_YET_VALID},
        {2 * FG_MINUTE, FG_HOUR, 0, 0, FG_OK},
        {0, 2 * FG_HOUR, 0, FG_HOUR, FG_E_TOKEN_LIFETIME},
        {0, FG_HOUR, 0, FG_HOUR, FG_OK},
        {0, FG_HOUR, -4 * FG_MINUTE, 0, FG_E_TOKEN_EXPIRED}, /* SessionNotOnOrAfter */
        {0, FG_HOUR, -2 * FG_MINUTE, 0, FG_OK},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b);
        a.not_before_ms += cases[i].before;
        a.end_ms = b->test.now_ms + cases[i].end;
        a.session_end_ms = cases[i].session_end ? b->test.now_ms + cases[i].session_end : 0;
        a.instant_ms = cases[i].before < 0 ? a.not_before_ms : a.instant_ms;
        saml_world.providers[0].max_lifetime_ms = cases[i].limit;
        if (cases[i].code == FG_OK ? !saml_accepted(b, &a) : !saml_refused(b, &a, cases[i].code))
            fail_msg("case %zu", i);
    }
}

/* The Response's own age: a state lives for an hour, and so does an answer. */
static void sa_05_an_old_response_is_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    int64_t now = b->test.now_ms;
    b->test.now_ms = now - 65 * FG_MINUTE;
    char *xml = saml_response(b, &a, NULL);
    b->test.now_ms = now;
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_SAML_MESSAGE));
    free(xml);
    assert_true(saml_control(b));
}

static void sa_06_an_assertion_is_good_once(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *xml = saml_response(b, &a, NULL);
    size_t count = b->cookie_count;
    char(*jar)[3][8192] = malloc(sizeof b->cookies);
    assert_non_null(jar);
    memcpy(jar, b->cookies, sizeof b->cookies);
    assert_int_equal(saml_post(b, xml), 303);
    saml_post(b, xml); /* the state is used up */
    assert_true(browser_refused(b, FG_E_CSRF));
    memcpy(b->cookies, jar, sizeof b->cookies); /* and is known as such, should the cookie come back */
    b->cookie_count = count;
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_REPLAY));
    free(xml), free(jar);
}

static void sa_06_without_a_store_nothing_is_accepted(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    fg_store_t *store = b->test.env.store;
    b->test.env.store = NULL;
    bool ok = saml_refused(b, &a, FG_E_UNAVAILABLE);
    b->test.env.store = store;
    assert_true(ok);
    assert_true(saml_control(b));
}

static void sa_07_unsolicited_answers_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.in_response_to = NULL, a.outer_in_response_to = NULL;
    assert_true(saml_refused(b, &a, FG_E_SAML_ANSWER));
    assert_true(saml_control(b));
}

/* SA-10: the same value by another provider, qualifier or format is somebody else.  What rules see is told apart by
 * issuer; the subject's parts are all kept in what makes pairwise names. */
static void sa_10_two_name_ids_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.from = "<saml:NameID>pat</saml:NameID>";
    a.to = "<saml:NameID>pat</saml:NameID><saml:NameID>admin</saml:NameID>";
    assert_true(saml_refused(b, &a, FG_E_TOKEN_MALFORMED));
    assert_true(saml_control(b));
}

/* ---- what was asked, and of whom */

static void wf_07_what_was_asked_holds_for_the_answer(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *asked, *method;
        int64_t age_ms;
        bool good;
    } cases[] = {
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword", FG_AUTH_PASSWORD, 0, true},
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword", FG_AUTH_WINDOWS, 0, false},
        {"&wfresh=10", FG_AUTH_PASSWORD, 9 * FG_MINUTE, true},
        {"&wfresh=10", FG_AUTH_PASSWORD, 14 * FG_MINUTE, false},
        {"&wfresh=0", FG_AUTH_PASSWORD, 0, true},
        {"&wfresh=0", FG_AUTH_PASSWORD, 10 * FG_MINUTE, false},
        {"", FG_AUTH_WINDOWS, 10 * FG_MINUTE, true},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        b->cookie_count = 0;
        saml_leave(b, cases[i].asked);
        saml_answer_t a = saml_good(b);
        a.method = cases[i].method;
        a.instant_ms = b->test.now_ms - cases[i].age_ms;
        if (cases[i].good ? !saml_accepted(b, &a) : !saml_refused(b, &a, FG_E_WSFED_AUTH))
            fail_msg("case %zu", i);
    }
}

/* A provider whose clock is ahead, within the skew, makes nobody fresher than now. */
static void wf_07_an_instant_to_come_is_now(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.instant_ms = b->test.now_ms + 150 * FG_SECOND;
    assert_true(saml_accepted(b, &a));
    b->test.now_ms += 2 * FG_MINUTE;
    assert_int_equal(browser_get(b, &fg_wsfed_protocol, SAML_LS, ASK "&wfresh=1"), 302); /* there again */
    browser_get(b, &fg_wsfed_protocol, SAML_LS, ASK "&wfresh=3");
    assert_string_equal(b->page, "auto_post");
    a = saml_round(b);
    a.instant_ms = b->test.now_ms + 190 * FG_SECOND;
    assert_true(saml_refused(b, &a, FG_E_TOKEN_NOT_YET_VALID));
}

static void wf_08_only_the_browser_that_asked(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *xml = saml_response(b, &a, NULL);
    size_t cookies = b->cookie_count;
    b->cookie_count = 0;
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_CSRF));
    b->cookie_count = cookies;
    assert_int_equal(saml_post(b, xml), 303); /* the assertion was not used up by that */
    free(xml);
    saml_leave(b, "&wfresh=0");
    a = saml_good(b);
    a.in_response_to = a.outer_in_response_to = "_../../../etc/passwd; a=b";
    assert_true(saml_refused(b, &a, FG_E_CSRF));
}

/* eduPersonTargetedID is a NameID; other elements are read as their canonical XML. */
static void values_made_of_elements(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *value, *seen;
    } cases[] = {
        {"<saml:NameID Format=\"" FG_CLAIM_ROLE "\">opaque</saml:NameID>", ">opaque<"},
        {"<x:y xmlns:x=\"urn:x\" a=\"1\">z</x:y>", ">&lt;x:y xmlns:x=\"urn:x\" a=\"1\"&gt;z&lt;/x:y&gt;<"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b);
        a.from = "Partners</saml:AttributeValue>", a.to = NULL;
        char *to;
        assert_true(asprintf(&to, "%s</saml:AttributeValue>", cases[i].value) > 0);
        a.to = to;
        assert_true(saml_accepted(b, &a));
        const char *token = saml_token_seen(b);
        if (strstr(token, cases[i].seen) == NULL)
            fail_msg("%s", token);
        free(to);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, saml_world_set_up, saml_world_tear_down)
        T(is_sent_there_with_what_was_asked),
        T(our_redirect_signature_holds_over_the_raw_bytes),
        T(a_request_by_post_is_signed_inside),
        T(what_is_signed_may_be_the_assertion_the_response_or_both),
        T(simple_sign_is_read),
        T(a_response_in_an_address_is_refused),
        T(a_refusal_of_the_partner_is_told),
        T(sa_01_to_10_conditions_and_confirmation),
        T(sa_09_an_assertion_without_a_confirmation),
        T(sa_02_destination),
        T(sa_03_the_signed_in_response_to_counts),
        T(sa_04_only_the_provider_that_was_asked),
        T(sa_05_times),
        T(sa_05_an_old_response_is_refused),
        T(sa_06_an_assertion_is_good_once),
        T(sa_06_without_a_store_nothing_is_accepted),
        T(sa_07_unsolicited_answers_are_refused),
        T(sa_10_two_name_ids_are_refused),
        T(wf_07_what_was_asked_holds_for_the_answer),
        T(wf_07_an_instant_to_come_is_now),
        T(wf_08_only_the_browser_that_asked),
        T(values_made_of_elements),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
