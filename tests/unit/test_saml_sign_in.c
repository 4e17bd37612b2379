/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 2.0 as service provider: each refusal beside the answer that is accepted. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "sts/wsfed.h"
#include "token/encrypt.h"

#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner"

static int come_back(browser_t *b, const saml_answer_t *a) {
    char *xml = saml_response(b, a, NULL);
    int status = saml_post(b, xml);
    free(xml);
    return status;
}

/* A new round: a browser without cookies, an answer that is good for it. */
static saml_answer_t begin(browser_t *b) {
    b->cookie_count = 0;
    saml_leave(b, "");
    return saml_good(b);
}

static bool accepted(browser_t *b, const saml_answer_t *a) {
    int status = come_back(b, a);
    if (status != 303 || strstr(b->audit, "\"accepted\"") == NULL)
        print_error("%d\n%s", status, b->audit);
    return status == 303;
}

static bool refused(browser_t *b, const saml_answer_t *a, fg_code_t code) {
    int status = come_back(b, a);
    if (status == 303)
        print_error("accepted\n");
    return status != 303 && browser_refused(b, code);
}

static bool control(browser_t *b) {
    saml_answer_t a = begin(b);
    return accepted(b, &a);
}

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
        saml_answer_t a = begin(b);
        a.key = which & 1 ? saml_world.idp_key : NULL;
        a.response_key = which & 2 ? saml_world.idp_key : NULL;
        assert_true(accepted(b, &a));
        char back[2048];
        snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
        browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
        assert_string_equal(b->page, "auto_post");
        assert_non_null(strstr(browser_field(b, "wresult"), "pat &lt;&amp;&gt;"));
        assert_non_null(strstr(browser_field(b, "wresult"), "Partners"));
    }
    saml_answer_t a = begin(b);
    a.key = NULL;
    assert_true(refused(b, &a, FG_E_SIG_MISSING));
}

/* POST-SimpleSign §2.5: the values themselves are signed, RelayState with them. */
static void simple_sign_is_read(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *relay_state, *said; /* said: what is sent in its place; NULL: the same */
        bool good;
    } cases[] = {{NULL, NULL, true}, {"state &=+", NULL, true}, {"state", "stata", false}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = begin(b);
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
    saml_answer_t a = begin(b); /* XS-20: another's key */
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
    saml_answer_t a = begin(b);
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
        saml_answer_t a = begin(b);
        a.status = cases[i].status;
        a.response_key = saml_world.idp_key;
        assert_true(refused(b, &a, cases[i].code));
    }
    assert_true(control(b));
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
        saml_answer_t a = begin(b);
        a.from = defects[i].from, a.to = defects[i].to;
        if (!refused(b, &a, defects[i].code))
            fail_msg("%s, case %zu", defects[i].id, i);
        assert_non_null(strstr(b->audit, "identity provider \\\"partner\\\""));
        assert_true(control(b));
    }
}

static void sa_09_an_assertion_without_a_confirmation(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    char *xml = saml_assertion(b, &a), *begins = strstr(xml, "<saml:SubjectConfirmation ");
    char *ends = strstr(xml, "</saml:SubjectConfirmation>"), confirmation[1000];
    snprintf(confirmation, sizeof confirmation, "%.*s</saml:SubjectConfirmation>", (int)(ends - begins), begins);
    free(xml);
    a.from = strstr(confirmation, "<saml:SubjectConfirmation "), a.to = "";
    /* the new assertion's confirmation is the same text as long as the clock stands still */
    assert_true(refused(b, &a, FG_E_TOKEN_CONFIRMATION));
    assert_true(control(b));
}

static void sa_02_destination(void **state) {
    browser_t *b = *state;
    static const char *const wrong[] = {"https://other.test/adfs/ls/", "https://GW.test/adfs/ls/",
                                        "https://gw.test/adfs/ls",     "http://gw.test/adfs/ls/",
                                        "https://gw.test/adfs/ls/?",   "https://gw.test/adfs/ls/#x"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        for (int is_signed = 0; is_signed < 2; is_signed++) {
            saml_answer_t a = begin(b);
            a.destination = wrong[i];
            a.response_key = is_signed ? saml_world.idp_key : NULL;
            assert_true(refused(b, &a, FG_E_SAML_DESTINATION));
        }
    }
    saml_answer_t a = begin(b); /* bindings §3.5.5.2: a signed message must say where it goes */
    a.destination = NULL;
    a.response_key = saml_world.idp_key;
    assert_true(refused(b, &a, FG_E_SAML_DESTINATION));
    a = begin(b);
    a.destination = NULL;
    assert_true(accepted(b, &a));
}

/* The InResponseTo inside the signature counts: an answer to another browser's request with the outer one rewritten. */
static void sa_03_the_signed_in_response_to_counts(void **state) {
    browser_t *b = *state;
    char other[64];
    saml_answer_t a = begin(b);
    snprintf(other, sizeof other, "%s", saml_world.asked_id);
    char *stolen = saml_assertion(b, &a);
    a = begin(b); /* another browser */
    char *xml = saml_response(b, &a, stolen);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_CONFIRMATION));
    free(xml);
    a = begin(b);
    a.in_response_to = NULL; /* none inside */
    assert_true(refused(b, &a, FG_E_TOKEN_CONFIRMATION));
    a = begin(b);
    a.outer_in_response_to = other; /* of a browser that is not this one */
    assert_true(refused(b, &a, FG_E_CSRF));
    a = begin(b);
    a.outer_in_response_to = "_0123456789abcdefghijklmnopqrstuv";
    assert_true(refused(b, &a, FG_E_CSRF));
    assert_true(control(b));
    free(stolen);
}

static void sa_04_only_the_provider_that_was_asked(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_true(refused(b, &a, FG_E_TOKEN_ISSUER));
    a = begin(b);
    a.issuer = "urn:second", a.key = saml_world.second_key; /* the inner one alone */
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a = begin(b); /* XS-22: the second's key for the first's name */
    a.key = saml_world.second_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a = begin(b); /* a signature that is right around an issuer that is not */
    a.issuer = "urn:second";
    assert_true(refused(b, &a, FG_E_TOKEN_ISSUER));
    b->cookie_count = 0;
    browser_get(b, &fg_wsfed_protocol, SAML_LS, "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Asecond");
    char *request = request_sent(b), *at = strstr(request, " ID=\"");
    snprintf(saml_world.asked_id, sizeof saml_world.asked_id, "%.*s", (int)strcspn(at + 5, "\""), at + 5);
    free(request);
    a = saml_good(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_true(accepted(b, &a));
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
        saml_answer_t a = begin(b);
        a.not_before_ms += cases[i].before;
        a.end_ms = b->test.now_ms + cases[i].end;
        a.session_end_ms = cases[i].session_end ? b->test.now_ms + cases[i].session_end : 0;
        a.instant_ms = cases[i].before < 0 ? a.not_before_ms : a.instant_ms;
        saml_world.providers[0].max_lifetime_ms = cases[i].limit;
        if (cases[i].code == FG_OK ? !accepted(b, &a) : !refused(b, &a, cases[i].code))
            fail_msg("case %zu", i);
    }
}

/* The Response's own age: a state lives for an hour, and so does an answer. */
static void sa_05_an_old_response_is_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    int64_t now = b->test.now_ms;
    b->test.now_ms = now - 65 * FG_MINUTE;
    char *xml = saml_response(b, &a, NULL);
    b->test.now_ms = now;
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_SAML_MESSAGE));
    free(xml);
    assert_true(control(b));
}

static void sa_06_an_assertion_is_good_once(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
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
    saml_answer_t a = begin(b);
    fg_store_t *store = b->test.env.store;
    b->test.env.store = NULL;
    bool ok = refused(b, &a, FG_E_UNAVAILABLE);
    b->test.env.store = store;
    assert_true(ok);
    assert_true(control(b));
}

static void sa_07_unsolicited_answers_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    a.in_response_to = NULL, a.outer_in_response_to = NULL;
    assert_true(refused(b, &a, FG_E_SAML_ANSWER));
    assert_true(control(b));
}

/* SA-10: the same value by another provider, qualifier or format is somebody else.  What rules see is told apart by
 * issuer; the subject's parts are all kept in what makes pairwise names. */
static void sa_10_two_name_ids_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    a.from = "<saml:NameID>pat</saml:NameID>";
    a.to = "<saml:NameID>pat</saml:NameID><saml:NameID>admin</saml:NameID>";
    assert_true(refused(b, &a, FG_E_TOKEN_MALFORMED));
    assert_true(control(b));
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
        if (cases[i].good ? !accepted(b, &a) : !refused(b, &a, FG_E_WSFED_AUTH))
            fail_msg("case %zu", i);
    }
}

/* A provider whose clock is ahead, within the skew, makes nobody fresher than now. */
static void wf_07_an_instant_to_come_is_now(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    a.instant_ms = b->test.now_ms + 150 * FG_SECOND;
    assert_true(accepted(b, &a));
    b->test.now_ms += 2 * FG_MINUTE;
    assert_int_equal(browser_get(b, &fg_wsfed_protocol, SAML_LS, ASK "&wfresh=1"), 302); /* there again */
    browser_get(b, &fg_wsfed_protocol, SAML_LS, ASK "&wfresh=3");
    assert_string_equal(b->page, "auto_post");
    a = begin(b);
    a.instant_ms = b->test.now_ms + 190 * FG_SECOND;
    assert_true(refused(b, &a, FG_E_TOKEN_NOT_YET_VALID));
}

static void wf_08_only_the_browser_that_asked(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
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
    assert_true(refused(b, &a, FG_E_CSRF));
}

/* ---- XS: what was signed is what is read */

/* E: a forged assertion without a signature and end tag; S: the signed one; O: it without its signature; G: that
 * signature; P, Q: that signature with the original in it, bare and in an Object; <: the forged one's end. */
static const struct {
    const char *id, *plan;
    bool same; /* the forged one has the signed one's ID */
} wrappings[] = {
    {"XS-01", "E<S", false},
    {"XS-01", "SE<", false},
    {"XS-02", "EG<O", false},
    {"XS-02", "EG<O", true},
    {"XS-03", "E<S", true},
    {"XS-04", "ES<", false},
    {"XS-04", "ES<", true},
    {"XS-05", "EG<O", true},
    {"XS-06", "EP<", false},
    {"XS-06", "EP<", true},
    {"XS-07", "Eextensions:S;<", false},
    {"XS-07", "EGextensions:O;<", true},
    {"XS-08", "EQ<", false},
    {"XS-08", "EQ<", true},
    {"XS-10", "Eadvice:S;<", false},
    {"XS-10", "EGadvice:O;<", true},
};

typedef struct pieces {
    char *signed_one, *original, *signature, *forged;
} pieces_t;

static pieces_t take_apart(browser_t *b, const saml_answer_t *a, bool same) {
    pieces_t p = {.signed_one = saml_assertion(b, a)};
    char *at = strstr(p.signed_one, "<ds:Signature"),
         *end = strstr(p.signed_one, "</ds:Signature>") + strlen("</ds:Signature>");
    p.signature = strndup(at, (size_t)(end - at));
    p.original = strdup(p.signed_one);
    saml_cut_signature(p.original);
    char *forged = saml_replace(p.original, ">Partners<", ">Administrators<");
    if (!same)
        memcpy(strstr(forged, "ID=\"_") + 5, "e0", 2);
    p.forged = saml_replace(forged, "</saml:Assertion>", "");
    free(forged);
    return p;
}

static void free_pieces(pieces_t *p) { free(p->signed_one), free(p->original), free(p->signature), free(p->forged); }

static void put_inside(fg_buf_t *out, const pieces_t *p, bool object) {
    char *cut = strdup(p->signature);
    *strstr(cut, "</ds:Signature>") = '\0';
    fg_buf_printf(out, object ? "%s<ds:Object>%s</ds:Object></ds:Signature>" : "%s%s</ds:Signature>", cut, p->original);
    free(cut);
}

static void put_pieces(fg_buf_t *out, const char *plan, const pieces_t *p) {
    const char *closing = "";
    for (const char *c = plan; *c != '\0'; c++) {
        if (strncmp(c, "advice:", 7) == 0) {
            fg_buf_puts(out, "<saml:Advice>"), closing = "</saml:Advice>", c += 6;
        } else if (strncmp(c, "extensions:", 11) == 0) {
            fg_buf_puts(out, "<samlp:Extensions>"), closing = "</samlp:Extensions>", c += 10;
        } else if (*c == 'P' || *c == 'Q') {
            put_inside(out, p, *c == 'Q');
        } else {
            fg_buf_puts(out, *c == 'E'   ? p->forged
                             : *c == 'S' ? p->signed_one
                             : *c == 'O' ? p->original
                             : *c == 'G' ? p->signature
                             : *c == '<' ? "</saml:Assertion>"
                                         : closing);
        }
    }
}

/* Neither the forged role nor a session comes of it. */
static void xs_01_to_10_wrapped_signatures(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrappings); i++) {
        saml_answer_t a = begin(b);
        pieces_t p = take_apart(b, &a, wrappings[i].same);
        fg_buf_t inside = FG_BUF_INIT(1u << 20);
        fg_err_t err = FG_ERR_INIT;
        put_pieces(&inside, wrappings[i].plan, &p);
        char *xml = saml_response(b, &a, inside.data);
        if (fg_xml_parse(b->ex->arena, fg_str(xml), NULL, &err) == NULL)
            fail_msg("%s, case %zu: not well-formed: %s\n%s", wrappings[i].id, i, err.detail, xml);
        if (saml_post(b, xml) == 303)
            fail_msg("%s, case %zu: accepted", wrappings[i].id, i);
        free(xml);
        assert_true(control(b));
        fg_buf_free(&inside);
        free_pieces(&p);
    }
}

/* The same with the Response's signature: the signed Response inside a forged one. */
static void xs_01_to_08_wrapped_responses(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *id, *before, *after; /* around the signed Response, in the forged one */
        bool signature;                  /* the signed one's signature goes into the forged one */
    } cases[] = {
        {"XS-01", "<ds:Signature xmlns:ds=\"" FG_NS_DS "\"><ds:Object>", "</ds:Object></ds:Signature>", false},
        {"XS-02", "", "", true},
        {"XS-07", "<samlp:Extensions>", "</samlp:Extensions>", false},
        {"XS-07", "<samlp:Extensions>", "</samlp:Extensions>", true},
        {"XS-10", "", "", false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = begin(b), forged = a;
        a.key = NULL, a.response_key = saml_world.idp_key;
        forged.key = NULL, forged.role = "Administrators";
        char *xml = saml_response(b, &a, NULL), *evil = saml_response(b, &forged, NULL), *mark, *wrapped;
        char *at = strstr(xml, "<ds:Signature"), *end = strstr(xml, "</ds:Signature>") + strlen("</ds:Signature>");
        char *signature = cases[i].signature ? strndup(at, (size_t)(end - at)) : strdup("");
        if (cases[i].signature)
            saml_cut_signature(xml);
        assert_true(asprintf(&mark, "</saml:Issuer>%s%s%s%s<samlp:Status>", signature, cases[i].before, xml,
                             cases[i].after) > 0);
        wrapped = saml_replace(evil, "</saml:Issuer><samlp:Status>", mark);
        if (saml_post(b, wrapped) == 303)
            fail_msg("%s, case %zu: accepted", cases[i].id, i);
        free(xml), free(evil), free(mark), free(wrapped), free(signature);
        a = begin(b);
        a.key = NULL, a.response_key = saml_world.idp_key;
        assert_true(accepted(b, &a));
    }
}

static void xs_10_two_assertions_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b), second = a;
    second.role = "Administrators";
    char *one = saml_assertion(b, &a), *two = saml_assertion(b, &second), *both;
    assert_true(asprintf(&both, "%s%s", one, two) > 0);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        a = begin(b);
        a.response_key = is_signed ? saml_world.idp_key : NULL;
        char *xml = saml_response(b, &a, both);
        saml_post(b, xml);
        assert_true(browser_refused(b, FG_E_SAML_MESSAGE));
        free(xml);
    }
    free(one), free(two), free(both);
    assert_true(control(b));
}

/* What is changed after the signature was made, and the code that says what was seen first. */
static const struct {
    const char *id, *from, *to;
    fg_code_t code;
} alterations[] = {
    {"XS-11", "ID=\"_", "x:ID=\"_zz\" xmlns:x=\"urn:x\" ID=\"_", FG_E_SIG_INVALID},
    {"XS-12", "URI=\"#", "URI=\"\" Type=\"#", FG_E_SIG_STRUCTURE},
    {"XS-12", "URI=\"#_", "URI=\"#xpointer(/)_", FG_E_SIG_STRUCTURE},
    {"XS-12", "URI=\"#_", "URI=\"https://idp.test/#_", FG_E_SIG_STRUCTURE},
    {"XS-13", "</ds:Reference>", "</ds:Reference><ds:Reference URI=\"\"></ds:Reference>", FG_E_SIG_STRUCTURE},
    {"XS-14", "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">",
     "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">", FG_E_SIG_ALGORITHM},
    {"XS-15", "</ds:Transforms>",
     "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>",
     FG_E_SIG_STRUCTURE},
    {"XS-18", "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo></ds:SignedInfo>", FG_E_SIG_STRUCTURE},
    {"XS-24", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
     "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", FG_E_SIG_ALGORITHM},
    {"XS-25", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
     FG_E_SIG_ALGORITHM},
    {"XS-25", "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1", FG_E_SIG_ALGORITHM},
    {"XS-00", ">Partners<", ">Administrators<", FG_E_SIG_INVALID},
};

static void xs_11_to_25_altered_signatures(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(alterations); i++) {
        saml_answer_t a = begin(b);
        char *assertion = saml_assertion(b, &a),
             *altered = saml_replace(assertion, alterations[i].from, alterations[i].to);
        char *xml = saml_response(b, &a, altered);
        saml_post(b, xml);
        if (!browser_refused(b, alterations[i].code))
            fail_msg("%s, case %zu", alterations[i].id, i);
        free(altered), free(xml);
        xml = saml_response(b, &a, assertion);
        free(assertion), free(xml);
        assert_true(control(b));
    }
}

/* XS-11: the Response with the assertion's ID: a reference that two elements answer to. */
static void xs_11_one_id_twice(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    char *assertion = saml_assertion(b, &a), id[80], *xml = saml_response(b, &a, assertion), *twice;
    const char *at = strstr(assertion, " ID=\"") + 5;
    snprintf(id, sizeof id, " ID=\"%.*s\"", (int)strcspn(at, "\""), at);
    char *outer = strstr(xml, " ID=\""), old[80];
    snprintf(old, sizeof old, "%.*s\"", (int)strcspn(outer + 5, "\"") + 5, outer);
    twice = saml_replace(xml, old, id);
    assert_int_not_equal(saml_post(b, twice), 303);
    free(assertion), free(xml), free(twice);
    assert_true(control(b));
}

/* Comments are not signed: the whole value is read, as if they were not there, or nothing. */
static void xs_19_comments_do_not_shorten_values(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    char *assertion = saml_assertion(b, &a), *split = saml_replace(assertion, ">Partners<", ">Part<!-- x -->ners<");
    char *xml = saml_response(b, &a, split);
    if (saml_post(b, xml) == 303) {
        char back[2048];
        snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
        browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
        assert_non_null(strstr(browser_field(b, "wresult"), ">Partners<"));
    }
    free(assertion), free(split), free(xml);
    assert_true(control(b));
}

static void xs_20_keys_come_from_the_metadata(void **state) {
    browser_t *b = *state;
    saml_answer_t a = begin(b);
    a.key = saml_world.evil_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a = begin(b);
    a.response_key = saml_world.evil_key; /* around an assertion that is right */
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a = begin(b);
    a.key = saml_world.evil_key, a.response_key = saml_world.idp_key; /* each signature must hold */
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    assert_true(control(b));
}

/* Of the two keys that metadata may hold while they are rolled, either will do. */
static void the_old_and_the_new_key_are_good(void **state) {
    browser_t *b = *state;
    saml_world.idps[0].keys = (fg_entity_keys_t){{saml_world.evil_key, saml_world.idp_key}, 2};
    saml_world.providers[0].key_count = 2;
    assert_true(control(b));
    for (int which = 0; which < 2; which++) {
        saml_answer_t a = begin(b);
        a.key = which ? NULL : saml_world.idp_key;
        a.response_key = which ? saml_world.idp_key : NULL; /* the second of them */
        *b->audit = '\0';
        assert_true(accepted(b, &a));
        assert_non_null(strstr(b->audit, fg_key_get_id(saml_world.idp_key)));
    }
    saml_answer_t a = begin(b);
    a.key = saml_world.evil_key;
    assert_true(accepted(b, &a));
}

/* XS-28: a signature of the right key over another kind of message. */
static void xs_28_a_request_is_no_response(void **state) {
    browser_t *b = *state;
    begin(b);
    char *xml = saml_request(b, "", "", saml_world.idp_key);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_SAML_UNSUPPORTED));
    free(xml);
    saml_answer_t a = begin(b);
    xml = saml_response(b, &a, NULL);
    saml_sent_t sent = {.name = "SAMLRequest", .xml = xml};
    char *form = saml_form(&sent);
    browser_post(b, &fg_saml_protocol, SAML_LS, "", form);
    assert_true(browser_refused(b, FG_E_SAML_UNSUPPORTED));
    assert_int_equal(saml_post(b, xml), 303);
    free(xml), free(form);
}

/* ---- XE */

static fg_key_t *make_rsa(void) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(FG_KEY_RSA_2048, "encryption", TEST_NOW, TEST_NOW + FG_DAY, &err);
}

static void encrypted_assertions_are_read(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    b->keys.encryption[FG_KEY_PREVIOUS] = make_rsa();
    for (int i = 0; i < 4; i++) { /* either key; signed inside or around */
        saml_answer_t a = begin(b);
        a.encrypt_to = b->keys.encryption[i & 1 ? FG_KEY_PREVIOUS : FG_KEY_ACTIVE];
        a.key = i & 2 ? NULL : saml_world.idp_key;
        a.response_key = i & 2 ? saml_world.idp_key : NULL;
        assert_true(accepted(b, &a));
    }
}

/* XE-01, XE-06: one face for what cannot be opened; and encryption replaces no signature. */
static void xe_01_and_06_encryption_replaces_no_signature(void **state) {
    browser_t *b = *state;
    fg_key_t *stranger = make_rsa();
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    saml_answer_t a = begin(b);
    a.encrypt_to = stranger;
    assert_true(refused(b, &a, FG_E_DECRYPT));
    a = begin(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE], a.key = NULL;
    assert_true(refused(b, &a, FG_E_SIG_MISSING));
    a = begin(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE], a.key = saml_world.evil_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a = begin(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
    assert_true(accepted(b, &a));
    fg_key_unref(stranger);
}

/* Something of an assertion, encrypted to us; freed by the caller.  It stands in what declares saml. */
static char *seal(browser_t *b, const char *plain, const char *holder) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 16);
    if (!fg_assertion_encrypt(&b->test.env, FG_SAML_20, fg_str(plain), b->keys.encryption[FG_KEY_ACTIVE],
                              FG_ENCRYPT_AES256_GCM, &out, &err))
        fail_msg("%s", err.detail);
    char tag[60];
    snprintf(tag, sizeof tag, "<saml:%s>", holder);
    char *open = saml_replace(out.data, "<saml:EncryptedAssertion xmlns:saml=\"" FG_NS_SAML2 "\">", tag), *closed;
    snprintf(tag, sizeof tag, "</saml:%s>", holder);
    closed = saml_replace(open, "</saml:EncryptedAssertion>", tag);
    free(open);
    fg_buf_free(&out);
    return closed;
}

#define NAME_ID "<saml:NameID>pat</saml:NameID>"
#define DECLARED "xmlns:saml=\"" FG_NS_SAML2 "\""

static const char *token_seen(browser_t *b) {
    char back[2048];
    snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
    browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
    assert_string_equal(b->page, "auto_post");
    return browser_field(b, "wresult");
}

static void encrypted_names_and_attributes_are_read(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *attribute = seal(b,
                           "<saml:Attribute " DECLARED " Name=\"" FG_CLAIM_ROLE "\"><saml:AttributeValue>Hidden"
                           "</saml:AttributeValue></saml:Attribute>",
                           "EncryptedAttribute");
    char *name = seal(b, "<saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID"), *statement;
    assert_true(asprintf(&statement, "%s</saml:AttributeStatement>", attribute) > 0);
    saml_answer_t a = begin(b);
    a.from = "</saml:AttributeStatement>", a.to = statement;
    assert_true(accepted(b, &a));
    assert_non_null(strstr(token_seen(b), ">Hidden<"));
    a = begin(b);
    a.from = NAME_ID, a.to = name;
    assert_true(accepted(b, &a));
    assert_non_null(strstr(b->audit, "\"accepted\""));
    free(attribute), free(name), free(statement);
}

/* XE-06: what comes out must be what its holder is for; XE-04: not any number of them. */
static void xe_06_encrypted_parts(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *wrong = seal(b, "<saml:Attribute " DECLARED " Name=\"x\"></saml:Attribute>", "EncryptedID");
    char *bare = seal(b, "<!DOCTYPE x><saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID");
    char *name = seal(b, "<saml:NameID " DECLARED ">hidden</saml:NameID>", "EncryptedID"), *both;
    assert_true(asprintf(&both, "%s" NAME_ID, name) > 0);
    const struct {
        const char *to;
        fg_code_t code;
    } cases[] = {{wrong, FG_E_DECRYPT}, {bare, FG_E_DECRYPT}, {both, FG_E_TOKEN_MALFORMED}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = begin(b);
        a.from = NAME_ID, a.to = cases[i].to;
        if (!refused(b, &a, cases[i].code))
            fail_msg("case %zu", i);
    }
    saml_answer_t a = begin(b);
    a.from = NAME_ID, a.to = name;
    assert_true(accepted(b, &a));
    free(wrong), free(bare), free(name), free(both);
}

static void too_many_encrypted_parts(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    char *one = seal(b, "<saml:Attribute " DECLARED " Name=\"x\"></saml:Attribute>", "EncryptedAttribute");
    for (int count = 32; count <= 33; count++) {
        fg_buf_t many = FG_BUF_INIT(1u << 17);
        for (int i = 0; i < count; i++)
            fg_buf_puts(&many, one);
        fg_buf_puts(&many, "</saml:AttributeStatement>");
        saml_answer_t a = begin(b);
        a.from = "</saml:AttributeStatement>", a.to = many.data;
        if (count == 32 ? !accepted(b, &a) : !refused(b, &a, FG_E_TOKEN_MALFORMED))
            fail_msg("%d", count);
        fg_buf_free(&many);
    }
    free(one);
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
        saml_answer_t a = begin(b);
        a.from = "Partners</saml:AttributeValue>", a.to = NULL;
        char *to;
        assert_true(asprintf(&to, "%s</saml:AttributeValue>", cases[i].value) > 0);
        a.to = to;
        assert_true(accepted(b, &a));
        const char *token = token_seen(b);
        if (strstr(token, cases[i].seen) == NULL)
            fail_msg("%s", token);
        free(to);
    }
}

static const struct {
    const char *id, *from, *to;
    fg_code_t code;
} seals[] = {
    {"XE-02", "xmlenc#rsa-oaep-mgf1p", "xmlenc#rsa-1_5", FG_E_SIG_ALGORITHM},
    {"XE-03", "<xenc:CipherValue>",
     "<xenc:CipherReference URI=\"https://idp.test/x\"></xenc:CipherReference><xenc:CipherValue>",
     FG_E_TOKEN_MALFORMED},
    {"XE-05", "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
     FG_E_SIG_ALGORITHM},
};

static void xe_02_to_05_what_is_not_taken(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    for (size_t i = 0; i < FG_ARRAY_SIZE(seals); i++) {
        saml_answer_t a = begin(b);
        a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
        char *sealed = saml_assertion(b, &a), *altered = saml_replace(sealed, seals[i].from, seals[i].to);
        char *xml = saml_response(b, &a, altered);
        saml_post(b, xml);
        if (!browser_refused(b, seals[i].code))
            fail_msg("%s, case %zu: %s", seals[i].id, i, sealed);
        free(sealed), free(altered), free(xml);
        a = begin(b);
        a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
        assert_true(accepted(b, &a));
    }
}

/* XE-01: a byte of the ciphertext; XE-04: five keys. */
static void xe_01_and_04_tampering_and_many_keys(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    saml_answer_t a = begin(b);
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
    char *sealed = saml_assertion(b, &a), *value = NULL;
    for (char *at = sealed; (at = strstr(at, "<xenc:CipherValue>")) != NULL; at++)
        value = at + strlen("<xenc:CipherValue>") + 100; /* of the last: the content */
    *value = *value == 'A' ? 'B' : 'A';
    char *xml = saml_response(b, &a, sealed);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_DECRYPT));
    *value = *value == 'A' ? 'B' : 'A';
    free(xml);
    char *key = strstr(sealed, "<xenc:EncryptedKey"), *end = strstr(sealed, "</xenc:EncryptedKey>");
    char *one = strndup(key, (size_t)(end - key) + strlen("</xenc:EncryptedKey>")), *five, *many;
    assert_true(asprintf(&five, "%s%s%s%s%s", one, one, one, one, one) > 0);
    many = saml_replace(sealed, one, five);
    a = begin(b);
    xml = saml_response(b, &a, many);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_MALFORMED));
    free(xml), free(one), free(five), free(many), free(sealed);
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
        T(xs_01_to_10_wrapped_signatures),
        T(xs_01_to_08_wrapped_responses),
        T(xs_10_two_assertions_are_refused),
        T(xs_11_to_25_altered_signatures),
        T(xs_11_one_id_twice),
        T(xs_19_comments_do_not_shorten_values),
        T(xs_20_keys_come_from_the_metadata),
        T(the_old_and_the_new_key_are_good),
        T(xs_28_a_request_is_no_response),
        T(encrypted_assertions_are_read),
        T(xe_01_and_06_encryption_replaces_no_signature),
        T(encrypted_names_and_attributes_are_read),
        T(xe_06_encrypted_parts),
        T(too_many_encrypted_parts),
        T(values_made_of_elements),
        T(xe_02_to_05_what_is_not_taken),
        T(xe_01_and_04_tampering_and_many_keys),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
