/* SPDX-License-Identifier: GPL-2.0-or-later
 * WS-Federation passive, relying-party side: each refusal beside the answer that is accepted. */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "core/xml.h"
#include "sts/wsfed.h"
#include "token/assertion.h"
#include "token/encrypt.h"

#define LS "/adfs/ls/"
#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner"
#define IDP "https://idp.test/ls?tenant=1"
#define BACK BROWSER_BASE LS

static fg_key_t *idp_key, *other_key, *evil_key;
static fg_identity_provider_t providers[2];
static fg_home_realm_t realms[3];
static char wctx[128];

static fg_key_t *make_key(const char *name) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(FG_KEY_EC_P256, name, TEST_NOW, TEST_NOW + FG_DAY, &err);
}

static int set_up(void **state) {
    static const fg_key_t *keys[2];
    if (browser_set_up(state) != 0)
        return -1;
    browser_t *b = *state;
    idp_key = make_key("idp"), other_key = make_key("other"), evil_key = make_key("evil");
    keys[0] = idp_key, keys[1] = other_key;
    providers[0] = (fg_identity_provider_t){.name = "partner", .issuer = FG_STR("urn:idp"), .sign_in_url = FG_STR(IDP),
                                            .sign_out_url = FG_STR(IDP), .realm = FG_STR(BROWSER_ENTITY), .keys = &keys[0], .key_count = 1};
    providers[1] = (fg_identity_provider_t){.name = "second", .issuer = FG_STR("urn:second"), .sign_in_url = FG_STR("https://second.test/"),
                                            .sign_out_url = FG_STR("https://second.test/"), .realm = FG_STR(BROWSER_ENTITY), .keys = &keys[1], .key_count = 1};
    realms[0] = b->home_realms[0];
    realms[1] = (fg_home_realm_t){.uri = FG_STR("urn:home:partner"), .display_name = "Partner", .identity_provider = &providers[0]};
    realms[2] = (fg_home_realm_t){.uri = FG_STR("urn:home:second"), .display_name = "Second", .identity_provider = &providers[1]};
    b->hub.home_realms = realms;
    b->hub.home_realm_count = 3;
    b->hub.protocols[FG_PROTOCOL_WSFED] = &fg_wsfed_protocol;
    return 0;
}

static int tear_down(void **state) {
    fg_key_unref(idp_key);
    fg_key_unref(other_key);
    fg_key_unref(evil_key);
    return browser_tear_down(state);
}

/* ---- what the partner answers */

typedef struct answer {
    fg_saml_version_t version;
    fg_trust_version_t trust;
    const char *issuer, *audience, *recipient, *method, *role;
    const fg_key_t *key;
    int64_t not_before_ms, end_ms, instant_ms;
    const char *from, *to; /* replaced in the assertion before it is signed */
    bool signature_last;
    const char *applies_to;
    const fg_key_t *encrypt_to; /* NULL: not encrypted */
} answer_t;

static answer_t good(const browser_t *b) {
    return (answer_t){.issuer = "urn:idp", .audience = BROWSER_ENTITY, .method = FG_AUTH_PASSWORD, .role = "Partners", .key = idp_key,
                      .not_before_ms = b->test.now_ms, .end_ms = b->test.now_ms + FG_HOUR, .instant_ms = b->test.now_ms};
}

static void cut_signature(char *xml) {
    char *at = strstr(xml, "<ds:Signature"), *end = strstr(xml, "</ds:Signature>");
    assert_true(at != NULL && end != NULL);
    end += strlen("</ds:Signature>");
    memmove(at, end, strlen(end) + 1);
}

/* text with from, which must be in it, replaced; freed by the caller */
static char *replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("\"%s\" is not in %s", from, text);
    char *out;
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static char *sign(const char *xml, const char *id, const answer_t *a) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    fg_buf_puts(&out, xml);
    const char *at = a->version == FG_SAML_20 && !a->signature_last ? strstr(out.data, "<saml:Subject>") : strstr(out.data, "</saml:Assertion>");
    assert_non_null(at);
    if (!fg_dsig_sign(&out, 0, (size_t)(at - out.data), fg_str(id), a->key, &err))
        fail_msg("%s", err.detail);
    size_t n;
    char *text = fg_buf_take(&out, &n);
    fg_buf_free(&out);
    return text;
}

/* A new assertion; freed by the caller. */
static char *make_assertion(browser_t *b, const answer_t *a) {
    static char id[FG_ID_SIZE];
    const fg_claim_t items[] = {
        {.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("pat <&>")},
        {.type = FG_STR(FG_CLAIM_ROLE), .value = fg_str(a->role)},
    };
    const fg_claims_t claims = {(fg_claim_t *)items, FG_ARRAY_SIZE(items), 0};
    const fg_identity_t identity = {.auth_method = fg_str(a->method), .auth_instant_ms = a->instant_ms, .session_index = FG_STR("_s")};
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    assert_true(fg_id_xml(&b->test.env, id));
    const fg_assertion_t assertion = {
        .version = a->version, .id = id, .issuer = fg_str(a->issuer), .issue_instant_ms = a->not_before_ms,
        .not_before_ms = a->not_before_ms, .not_on_or_after_ms = a->end_ms, .audience = fg_str(a->audience),
        .name_id = {.value = FG_STR("pat")}, .recipient = fg_str(a->recipient), .identity = &identity, .claims = &claims,
    };
    if (!fg_assertion_write(&assertion, a->key, &out, &err))
        fail_msg("%s", err.detail);
    cut_signature(out.data);
    char *plain = a->from ? replace(out.data, a->from, a->to) : strdup(out.data), *signed_one = sign(plain, id, a);
    fg_buf_free(&out);
    free(plain);
    return signed_one;
}

static char *wrap(const answer_t *a, const char *token) {
    char applies_to[400] = "", *out;
    if (a->applies_to != NULL)
        snprintf(applies_to, sizeof applies_to, "<p:AppliesTo xmlns:p=\"" FG_NS_WSP "\"><a:EndpointReference xmlns:a=\"" FG_NS_WSA "\"><a:Address>%s</a:Address></a:EndpointReference></p:AppliesTo>", a->applies_to);
    bool collection = a->trust == FG_TRUST_13;
    int n = asprintf(&out, "%s<t:RequestSecurityTokenResponse%s>%s<t:RequestedSecurityToken>%s</t:RequestedSecurityToken></t:RequestSecurityTokenResponse>%s",
                     collection ? "<t:RequestSecurityTokenResponseCollection xmlns:t=\"" FG_NS_TRUST_13 "\">" : "",
                     collection ? "" : " xmlns:t=\"" FG_NS_TRUST_2005 "\"", applies_to, token,
                     collection ? "</t:RequestSecurityTokenResponseCollection>" : "");
    assert_true(n > 0);
    return out;
}

static char *encrypt(browser_t *b, const answer_t *a, const char *token) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(1u << 20);
    if (!fg_assertion_encrypt(&b->test.env, a->version, fg_str(token), a->encrypt_to, FG_ENCRYPT_AES256_CBC, &out, &err))
        fail_msg("%s", err.detail);
    size_t n;
    char *text = fg_buf_take(&out, &n);
    fg_buf_free(&out);
    return text;
}

static char *make_wresult(browser_t *b, const answer_t *a) {
    char *token = make_assertion(b, a), *sent = a->encrypt_to ? encrypt(b, a, token) : strdup(token), *wresult = wrap(a, sent);
    free(token), free(sent);
    return wresult;
}

/* ---- the round trip */

/* A parameter of the address to which the browser is sent, decoded; "" if it is not there. */
static const char *sent(const browser_t *b, const char *name) {
    const char *location = browser_header(b, "Location");
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    assert_non_null(location);
    assert_true(fg_params_parse(b->ex->arena, fg_str(strchr(location, '?') + 1), &params, &err));
    fg_str_t value = fg_params_get(&params, name, NULL);
    return value.p ? fg_arena_strndup(b->ex->arena, value.p, value.n) : "";
}

/* Begins a sign-in at a partner; wctx is its state's word. */
static void leave(browser_t *b, const char *query) {
    assert_int_equal(browser_get(b, &fg_wsfed_protocol, LS, query), 302);
    snprintf(wctx, sizeof wctx, "%s", sent(b, "wctx"));
}

static int post(browser_t *b, const char *wresult, const char *context) {
    fg_buf_t form = FG_BUF_INIT(1u << 20);
    browser_put(&form, "wa", "wsignin1.0");
    browser_put(&form, "wresult", wresult);
    if (context != NULL)
        browser_put(&form, "wctx", context);
    int status = browser_post(b, &fg_wsfed_protocol, LS, "", form.data);
    fg_buf_free(&form);
    return status;
}

static int come_back(browser_t *b, const answer_t *a) {
    char *wresult = make_wresult(b, a);
    leave(b, ASK);
    int status = post(b, wresult, wctx);
    free(wresult);
    return status;
}

static bool accepted(browser_t *b, const answer_t *a) {
    int status = come_back(b, a);
    if (status != 303 || strstr(b->audit, "\"accepted\"") == NULL)
        print_error("%d\n%s", status, b->audit);
    return status == 303;
}

static bool refused(browser_t *b, const answer_t *a, fg_code_t code) {
    int status = come_back(b, a);
    if (status == 303)
        print_error("accepted\n");
    return status != 303 && browser_refused(b, code);
}

static void is_sent_there_with_what_was_asked(void **state) {
    browser_t *b = *state;
    leave(b, ASK);
    assert_int_equal(strncmp(browser_header(b, "Location"), IDP "&wa=wsignin1.0&", strlen(IDP) + 15), 0);
    assert_string_equal(sent(b, "wtrealm"), BROWSER_ENTITY);
    assert_string_equal(sent(b, "wreply"), BACK);
    assert_string_equal(sent(b, "wct"), "2026-01-01T00:00:00.000Z");
    assert_int_equal(strlen(wctx), 32);
    assert_string_equal(sent(b, "wfresh"), "");
    assert_string_equal(sent(b, "wauth"), "");
    assert_null(strstr(browser_header(b, "Location"), "whr"));
    leave(b, ASK "&wfresh=15&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword");
    assert_string_equal(sent(b, "wfresh"), "15");
    assert_string_equal(sent(b, "wauth"), FG_AUTH_PASSWORD);
}

static void both_formats_in_both_shapes_sign_in(void **state) {
    browser_t *b = *state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        for (int trust = FG_TRUST_2005; trust <= FG_TRUST_13; trust++) {
            answer_t a = good(b);
            a.version = (fg_saml_version_t)version, a.trust = (fg_trust_version_t)trust;
            a.recipient = BACK;
            b->cookie_count = 0;
            assert_true(accepted(b, &a));
            char back[1024];
            snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
            assert_int_equal(strncmp(back, BACK "?wa=wsignin1.0&", strlen(BACK) + 15), 0);
            browser_get(b, &fg_wsfed_protocol, LS, strchr(back, '?') + 1);
            assert_string_equal(b->page, "auto_post");
            assert_non_null(strstr(browser_field(b, "wresult"), "pat &lt;&amp;&gt;"));
            assert_non_null(strstr(browser_field(b, "wresult"), "Partners"));
        }
    }
    assert_non_null(strstr(b->audit, "\"event\":\"accepted\""));
    assert_non_null(strstr(b->audit, "\"identity_provider\":\"partner\""));
}

/* SimpleSAMLphp indents, and puts a SAML 2.0 signature last. */
static void white_space_and_the_place_of_the_signature_do_not_matter(void **state) {
    browser_t *b = *state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        answer_t a = good(b);
        a.version = (fg_saml_version_t)version, a.signature_last = true;
        char *token = make_assertion(b, &a), *spaced;
        assert_true(asprintf(&spaced, "\n    %s\n  ", token) > 0);
        char *wresult = wrap(&a, spaced);
        b->cookie_count = 0;
        leave(b, ASK);
        assert_int_equal(post(b, wresult, wctx), 303);
        free(token), free(spaced), free(wresult);
    }
}

/* ---- WF-04..09 */

static void wf_04_a_wresult_is_good_once(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    char *wresult = make_wresult(b, &a);
    leave(b, ASK);
    assert_int_equal(post(b, wresult, wctx), 303);
    leave(b, ASK "&wfresh=0");
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_TOKEN_REPLAY));
    free(wresult);
    b->cookie_count = 0;
    assert_true(accepted(b, &a));
}

static void wf_05_one_response_with_one_token(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    a.trust = FG_TRUST_13;
    static const struct {
        const char *from, *to; /* %T: a second token */
    } cases[] = {
        {"</t:RequestedSecurityToken>", "%T</t:RequestedSecurityToken>"},
        {"</t:RequestSecurityTokenResponse>", "<t:RequestedSecurityToken>%T</t:RequestedSecurityToken></t:RequestSecurityTokenResponse>"},
        {"</t:RequestSecurityTokenResponseCollection>",
         "<t:RequestSecurityTokenResponse><t:RequestedSecurityToken>%T</t:RequestedSecurityToken></t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection>"},
        {"<t:RequestSecurityTokenResponse>", "<t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponse><t:RequestSecurityTokenResponse>"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char *one = make_wresult(b, &a), *token = make_assertion(b, &a), *marked = replace(one, cases[i].from, cases[i].to);
        char *two = strstr(marked, "%T") ? replace(marked, "%T", token) : strdup(marked);
        leave(b, ASK);
        post(b, two, wctx);
        assert_true(browser_refused(b, FG_E_WSFED_RESULT));
        leave(b, ASK);
        assert_int_equal(post(b, one, wctx), 303);
        b->cookie_count = 0;
        free(one), free(token), free(marked), free(two);
    }
    leave(b, ASK);
    post(b, "<t:RequestSecurityTokenResponse xmlns:t=\"" FG_NS_TRUST_2005 "\"/>", wctx);
    assert_true(browser_refused(b, FG_E_WSFED_RESULT));
}

static void wf_06_nothing_is_fetched(void **state) {
    browser_t *b = *state;
    leave(b, ASK);
    browser_post(b, &fg_wsfed_protocol, LS, "", "wa=wsignin1.0&wresultptr=https%3A%2F%2Fidp.test%2Fresult");
    assert_true(browser_refused(b, FG_E_WSFED_POINTER));
    answer_t a = good(b);
    assert_true(accepted(b, &a));
}

static void wf_07_what_was_asked_holds_for_the_answer(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *asked, *method;
        int64_t age_ms;
        bool good;
    } cases[] = {
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword", FG_AUTH_PASSWORD, 0, true},
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3Apassword", FG_AUTH_WINDOWS, 0, false},
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3AX509-PKI", FG_AUTH_X509, 0, true},
        {"&wauth=urn%3Aoasis%3Anames%3Atc%3ASAML%3A1.0%3Aam%3AX509-PKI", FG_AUTH_PASSWORD, 0, false},
        {"&wfresh=10", FG_AUTH_PASSWORD, 9 * FG_MINUTE, true},
        {"&wfresh=10", FG_AUTH_PASSWORD, 14 * FG_MINUTE, false},
        {"&wfresh=0", FG_AUTH_PASSWORD, 0, true},
        {"&wfresh=0", FG_AUTH_PASSWORD, 10 * FG_MINUTE, false},
        {"", FG_AUTH_WINDOWS, 10 * FG_MINUTE, true},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        answer_t a = good(b);
        a.method = cases[i].method;
        a.instant_ms = b->test.now_ms - cases[i].age_ms;
        char query[400], *wresult = make_wresult(b, &a);
        snprintf(query, sizeof query, "%s%s", ASK, cases[i].asked);
        b->cookie_count = 0;
        leave(b, query);
        int status = post(b, wresult, wctx);
        if ((status == 303) != cases[i].good)
            fail_msg("case %zu: %d", i, status);
        if (!cases[i].good)
            assert_true(browser_refused(b, FG_E_WSFED_AUTH));
        free(wresult);
    }
}

/* npm's saml package says that people sign in when the token ends: wfresh must not take that for fresher than now. */
static void wf_07_an_instant_to_come_is_now(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    a.instant_ms = b->test.now_ms + 150 * FG_SECOND;
    assert_true(accepted(b, &a));
    b->test.now_ms += 2 * FG_MINUTE;
    browser_get(b, &fg_wsfed_protocol, LS, ASK "&wfresh=1");
    assert_int_equal(b->ex->response.status, 302); /* to the partner again */
    browser_get(b, &fg_wsfed_protocol, LS, ASK "&wfresh=3");
    assert_string_equal(b->page, "auto_post");
    a.instant_ms = b->test.now_ms + 190 * FG_SECOND;
    b->cookie_count = 0;
    assert_true(refused(b, &a, FG_E_TOKEN_NOT_YET_VALID));
}

/* Also SA-07: an answer that nobody asked for. */
static void wf_08_only_the_browser_that_asked(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    char *wresult = make_wresult(b, &a), altered[128];
    leave(b, ASK);
    post(b, wresult, NULL);
    assert_true(browser_refused(b, FG_E_CSRF));
    post(b, wresult, "");
    assert_true(browser_refused(b, FG_E_CSRF));
    snprintf(altered, sizeof altered, "%.31s%c", wctx, wctx[31] == 'a' ? 'b' : 'a');
    post(b, wresult, altered);
    assert_true(browser_refused(b, FG_E_CSRF));
    post(b, wresult, "../../../etc/passwd; a=b");
    assert_true(browser_refused(b, FG_E_CSRF));
    size_t cookies = b->cookie_count;
    b->cookie_count = 0;
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_CSRF));
    b->cookie_count = cookies;
    assert_int_equal(post(b, wresult, wctx), 303); /* the token was not used up by all that */
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_CSRF));
    free(wresult);
    wresult = make_wresult(b, &a);
    b->cookie_count = 0;
    leave(b, ASK);
    b->test.now_ms += 61 * FG_MINUTE;
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_CSRF));
    free(wresult);
}

static void wf_09_the_audience_decides_and_not_applies_to(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    a.applies_to = "urn:somebody-else";
    assert_true(accepted(b, &a));
    b->cookie_count = 0;
    a.applies_to = BROWSER_ENTITY, a.audience = "urn:somebody-else";
    assert_true(refused(b, &a, FG_E_TOKEN_AUDIENCE));
}

/* ---- SA-01..10, each beside the same assertion without the defect */

typedef struct defect {
    const char *id;
    fg_saml_version_t version;
    const char *from, *to;
    fg_code_t code;
} defect_t;

#define CONFIRMATION_11 "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod>"

static const defect_t defects[] = {
    {"SA-01", FG_SAML_11, "<saml:Audience>" BROWSER_ENTITY "</saml:Audience>", "<saml:Audience>" BROWSER_ENTITY "/</saml:Audience>", FG_E_TOKEN_AUDIENCE},
    {"SA-01", FG_SAML_20, "<saml:Audience>" BROWSER_ENTITY "</saml:Audience>", "<saml:Audience>" BACK "</saml:Audience>", FG_E_TOKEN_AUDIENCE},
    {"SA-01", FG_SAML_20, "<saml:AudienceRestriction><saml:Audience>" BROWSER_ENTITY "</saml:Audience></saml:AudienceRestriction>", "", FG_E_TOKEN_AUDIENCE},
    {"SA-02", FG_SAML_20, "Recipient=\"" BACK "\"", "Recipient=\"https://other.test/adfs/ls/\"", FG_E_TOKEN_RECIPIENT},
    {"SA-03", FG_SAML_20, "<saml:SubjectConfirmationData ", "<saml:SubjectConfirmationData InResponseTo=\"_x\" ", FG_E_TOKEN_CONFIRMATION},
    {"SA-08", FG_SAML_11, "</saml:Conditions>", "<saml:Condition></saml:Condition></saml:Conditions>", FG_E_TOKEN_CONDITION},
    {"SA-08", FG_SAML_20, "</saml:Conditions>", "<saml:Condition></saml:Condition></saml:Conditions>", FG_E_TOKEN_CONDITION},
    {"SA-09", FG_SAML_11, CONFIRMATION_11, "<saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:holder-of-key</saml:ConfirmationMethod>", FG_E_TOKEN_CONFIRMATION},
    {"SA-09", FG_SAML_20, "cm:bearer", "cm:holder-of-key", FG_E_TOKEN_CONFIRMATION},
    {"SA-10", FG_SAML_11, ">pat</saml:NameIdentifier>", ">mallory</saml:NameIdentifier>", FG_E_TOKEN_MALFORMED}, /* one of two statements */
};

static void sa_01_to_10_conditions_and_confirmation(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(defects); i++) {
        answer_t a = good(b);
        a.version = defects[i].version;
        a.recipient = BACK;
        assert_true(accepted(b, &a));
        a.from = defects[i].from, a.to = defects[i].to;
        b->cookie_count = 0;
        come_back(b, &a);
        if (b->ex->response.status == 303)
            fail_msg("%s, case %zu: accepted", defects[i].id, i);
        if (!browser_refused(b, defects[i].code) && !browser_refused(b, FG_E_TOKEN_RECIPIENT))
            fail_msg("%s, case %zu: %s", defects[i].id, i, b->audit);
        assert_non_null(strstr(b->audit, "identity provider \\\"partner\\\""));
    }
}

/* The second provider is as good as the first, for those whom it was asked for. */
static void sa_04_only_the_provider_that_was_asked(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    a.issuer = "urn:second", a.key = other_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a.issuer = "urn:idp"; /* XS-22: their key for the issuer that was asked */
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a.issuer = "urn:second", a.key = idp_key; /* a key that is right, for an issuer that is not */
    assert_true(refused(b, &a, FG_E_TOKEN_ISSUER));
    a.key = other_key;
    char *wresult = make_wresult(b, &a);
    leave(b, "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Asecond");
    assert_int_equal(post(b, wresult, wctx), 303);
    free(wresult);
}

static void sa_05_times(void **state) {
    browser_t *b = *state;
    static const struct {
        int64_t before, end, limit;
        fg_code_t code;
    } cases[] = {
        {-FG_HOUR, -4 * FG_MINUTE, 0, FG_E_TOKEN_EXPIRED},
        {-FG_HOUR, -2 * FG_MINUTE, 0, FG_OK}, /* skew is 3 minutes */
        {4 * FG_MINUTE, FG_HOUR, 0, FG_E_TOKEN_NOT_YET_VALID},
        {2 * FG_MINUTE, FG_HOUR, 0, FG_OK},
        {0, 2 * FG_HOUR, FG_HOUR, FG_E_TOKEN_LIFETIME},
        {0, FG_HOUR, FG_HOUR, FG_OK},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        answer_t a = good(b);
        a.not_before_ms += cases[i].before;
        a.end_ms = b->test.now_ms + cases[i].end;
        a.instant_ms = cases[i].before < 0 ? a.not_before_ms : a.instant_ms;
        providers[0].max_lifetime_ms = cases[i].limit;
        b->cookie_count = 0;
        if (cases[i].code == FG_OK)
            assert_true(accepted(b, &a));
        else
            assert_true(refused(b, &a, cases[i].code));
    }
}

static void sa_06_without_a_store_nothing_is_accepted(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    char *wresult = make_wresult(b, &a);
    leave(b, ASK);
    fg_store_t *store = b->test.env.store;
    b->test.env.store = NULL;
    post(b, wresult, wctx);
    b->test.env.store = store;
    assert_true(browser_refused(b, FG_E_UNAVAILABLE));
    leave(b, ASK);
    assert_int_equal(post(b, wresult, wctx), 303);
    free(wresult);
}

/* ---- XS-01..08, XS-10, XS-20: what was signed is what is read */

/* E: a forged assertion without a signature; S: the signed one; O: it without its signature; G: that signature, to
 * which the forged one is the parent; e: the forged one's inside, before its end tag.  Signed and forged have the same
 * id where same is true. */
static const struct {
    const char *id;
    const char *token; /* in RequestedSecurityToken */
    const char *beside; /* before it in the response */
    bool same;
} wrappings[] = {
    {"XS-01", "E<", "<x>S</x>", false},
    {"XS-02", "EG<", "<x>O</x>", false},
    {"XS-02", "EG<", "<x>O</x>", true},
    {"XS-03", "E<S", "", false},
    {"XS-03", "SE<", "", false},
    {"XS-04", "ES<", "", false},
    {"XS-04", "ES<", "", true},
    {"XS-05", "EG<O", "", true},
    {"XS-05", "EG<", "<x>O</x>", true},
    {"XS-06", "EP<", "", false},
    {"XS-06", "EP<", "", true},
    {"XS-07", "E<saml:Advice>S</saml:Advice><", "", false},
    {"XS-07", "EG<saml:Advice>O</saml:Advice><", "", true},
    {"XS-08", "EQ<", "", false},
    {"XS-08", "EQ<", "", true},
    {"XS-10", "E<", "<ds:Object xmlns:ds=\"" FG_NS_DS "\">S</ds:Object>", true},
};

typedef struct pieces {
    char *signed_one, *original, *signature, *forged; /* forged without its end tag */
} pieces_t;

static pieces_t take_apart(browser_t *b, const answer_t *a, bool same) {
    pieces_t p = {.signed_one = make_assertion(b, a)};
    char *at = strstr(p.signed_one, "<ds:Signature"), *end = strstr(p.signed_one, "</ds:Signature>") + strlen("</ds:Signature>");
    p.signature = strndup(at, (size_t)(end - at));
    p.original = strdup(p.signed_one);
    cut_signature(p.original);
    char *forged = replace(p.original, ">Partners<", ">Administrators<");
    if (!same)
        memcpy(strstr(forged, "ID=\"_") + 5, "e0", 2);
    p.forged = replace(forged, "</saml:Assertion>", "");
    free(forged);
    return p;
}

static void put_pieces(fg_buf_t *out, const char *plan, const pieces_t *p) {
    bool tag = false;
    for (const char *c = plan; *c != '\0'; c++) {
        const char *next = c + 1;
        if (*c == '<' && (*next == '\0' || strchr("ESOGPQ", *next) != NULL) && !tag) {
            fg_buf_puts(out, "</saml:Assertion>"); /* of the forged one */
            continue;
        }
        tag = *c == '<' || (tag && *c != '>');
        char *inside = tag ? NULL : strdup(p->signature);
        if (!tag && *c == 'E')
            fg_buf_puts(out, p->forged);
        else if (!tag && *c == 'S')
            fg_buf_puts(out, p->signed_one);
        else if (!tag && *c == 'O')
            fg_buf_puts(out, p->original);
        else if (!tag && *c == 'G')
            fg_buf_puts(out, p->signature);
        else if (!tag && (*c == 'P' || *c == 'Q')) { /* the original inside the signature, itself or in an Object */
            *strstr(inside, "</ds:Signature>") = '\0';
            fg_buf_printf(out, *c == 'P' ? "%s%s</ds:Signature>" : "%s<ds:Object>%s</ds:Object></ds:Signature>", inside, p->original);
        } else
            fg_buf_putc(out, *c);
        free(inside);
    }
}

static void xs_01_to_10_wrapped_signatures(void **state) {
    browser_t *b = *state;
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        for (size_t i = 0; i < FG_ARRAY_SIZE(wrappings); i++) {
            answer_t a = good(b);
            a.version = (fg_saml_version_t)version;
            pieces_t p = take_apart(b, &a, wrappings[i].same);
            fg_buf_t token = FG_BUF_INIT(1u << 20), beside = FG_BUF_INIT(1u << 20);
            put_pieces(&token, wrappings[i].token, &p);
            put_pieces(&beside, wrappings[i].beside, &p);
            char *shape = wrap(&a, token.data);
            fg_buf_puts(&beside, "<t:RequestedSecurityToken>");
            char *wresult = replace(shape, "<t:RequestedSecurityToken>", beside.data);
            leave(b, ASK);
            fg_err_t err = FG_ERR_INIT;
            if (fg_xml_parse(b->ex->arena, fg_str(wresult), NULL, &err) == NULL)
                fail_msg("%s, case %zu: not well-formed: %s\n%s", wrappings[i].id, i, err.detail, wresult);
            if (post(b, wresult, wctx) == 303)
                fail_msg("%s, case %zu, version %d: accepted", wrappings[i].id, i, version);
            char *control = wrap(&a, p.signed_one);
            leave(b, ASK);
            assert_int_equal(post(b, control, wctx), 303);
            b->cookie_count = 0;
            fg_buf_free(&token), fg_buf_free(&beside);
            free(shape), free(wresult), free(control), free(p.signed_one), free(p.original), free(p.signature), free(p.forged);
        }
    }
}

/* The certificate in KeyInfo is the attacker's, and the signature is right for it. */
static void xs_20_keys_come_from_the_configuration(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    a.key = evil_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a.key = idp_key;
    assert_true(accepted(b, &a));
}

static void a_changed_byte_and_a_missing_signature_are_refused(void **state) {
    browser_t *b = *state;
    answer_t a = good(b);
    char *wresult = make_wresult(b, &a), *changed = replace(wresult, ">Partners<", ">partners<"), *bare = strdup(wresult);
    cut_signature(bare);
    leave(b, ASK);
    post(b, changed, wctx);
    assert_true(browser_refused(b, FG_E_SIG_INVALID));
    leave(b, ASK);
    post(b, bare, wctx);
    assert_true(browser_refused(b, FG_E_SIG_MISSING));
    leave(b, ASK);
    post(b, "<not xml", wctx);
    assert_int_not_equal(b->ex->response.status, 303);
    leave(b, ASK);
    assert_int_equal(post(b, wresult, wctx), 303);
    free(wresult), free(changed), free(bare);
}

static void a_response_must_be_posted(void **state) {
    browser_t *b = *state;
    leave(b, ASK);
    browser_get(b, &fg_wsfed_protocol, LS, "wa=wsignin1.0&wresult=x&wctx=y");
    assert_true(browser_refused(b, FG_E_WSFED_REQUEST));
}

/* ---- as AD FS wrote it */

/* The collection in a recorded answer of AD FS, with its signing certificate. */
static char *recorded(fg_key_t **key) {
    char path[512];
    size_t n;
    fg_err_t err = FG_ERR_INIT;
    snprintf(path, sizeof path, "%s/adfs/keys/rstr13-signed.pem", test_vectors());
    char *pem = test_file(path, &n);
    *key = fg_key_from_pem((fg_str_t){pem, n}, &err);
    snprintf(path, sizeof path, "%s/adfs/wstrust/rstr13-signed.xml", test_vectors());
    char *xml = test_file(path, &n), *begin = strstr(xml, "<trust:RequestSecurityTokenResponseCollection");
    char *end = strstr(xml, "</trust:RequestSecurityTokenResponseCollection>");
    assert_true(*key != NULL && begin != NULL && end != NULL);
    char *wresult = strndup(begin, (size_t)(end - begin) + strlen("</trust:RequestSecurityTokenResponseCollection>"));
    free(pem), free(xml);
    return wresult;
}

static void a_recorded_token_of_ad_fs_signs_in(void **state) {
    browser_t *b = *state;
    fg_key_t *key;
    if (test_vectors() == NULL)
        skip();
    char *wresult = recorded(&key);
    const fg_key_t *const keys[] = {key};
    providers[0].issuer = FG_STR("http://fs.naturalcauses.com/adfs/services/trust");
    providers[0].realm = FG_STR("urn:federation:MicrosoftOnline");
    providers[0].keys = keys;
    assert_true(fg_time_parse(FG_STR("2014-01-27T08:20:00Z"), &b->test.now_ms));
    leave(b, ASK);
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_SIG_ALGORITHM)); /* XS-25: it is signed with SHA-1 */
    providers[0].allow_sha1 = true;
    leave(b, ASK);
    assert_int_equal(post(b, wresult, wctx), 303);
    b->cookie_count = 0;
    leave(b, ASK);
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_TOKEN_REPLAY));
    free(wresult);
    fg_key_unref(key);
}

/* ---- encrypted tokens */

static fg_key_t *make_rsa(void) {
    fg_err_t err = FG_ERR_INIT;
    return fg_key_generate(FG_KEY_RSA_2048, "encryption", TEST_NOW, TEST_NOW + FG_DAY, &err);
}

/* To the key that the metadata names, and to that of before a rollover. */
static void encrypted_tokens_are_read(void **state) {
    browser_t *b = *state;
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    b->keys.encryption[FG_KEY_PREVIOUS] = make_rsa();
    for (int version = FG_SAML_11; version <= FG_SAML_20; version++) {
        for (int which = FG_KEY_ACTIVE; which < FG_KEY_STATES; which++) {
            answer_t a = good(b);
            a.version = (fg_saml_version_t)version;
            a.encrypt_to = b->keys.encryption[which];
            if (a.encrypt_to == NULL)
                continue;
            b->cookie_count = 0;
            assert_true(accepted(b, &a));
        }
    }
}

/* XE-01: one face for what cannot be opened and for what is not signed inside. */
static void encryption_replaces_no_signature(void **state) {
    browser_t *b = *state;
    fg_key_t *stranger = make_rsa();
    b->keys.encryption[FG_KEY_ACTIVE] = make_rsa();
    answer_t a = good(b);
    a.encrypt_to = stranger;
    assert_true(refused(b, &a, FG_E_DECRYPT));
    a.encrypt_to = b->keys.encryption[FG_KEY_ACTIVE];
    a.key = evil_key;
    assert_true(refused(b, &a, FG_E_SIG_INVALID));
    a.key = idp_key;
    char *bare = make_assertion(b, &a);
    cut_signature(bare);
    char *sealed = encrypt(b, &a, bare), *wresult = wrap(&a, sealed);
    leave(b, ASK);
    post(b, wresult, wctx);
    assert_true(browser_refused(b, FG_E_SIG_MISSING));
    assert_true(accepted(b, &a));
    free(bare), free(sealed), free(wresult);
    fg_key_unref(stranger);
}

/* ---- WF-03: signing out */

#define END "__Host-fedgate-end"

/* Leaves the browser the cookies that come along in another site's frame: those with SameSite=None. */
static void keep_for_frames(browser_t *b) {
    size_t kept = 0;
    for (size_t i = 0; i < b->cookie_count; i++)
        if (strcmp(b->cookies[i][0], END) == 0)
            memmove(b->cookies[kept++], b->cookies[i], sizeof b->cookies[0]);
    assert_int_equal(kept, 1);
    b->cookie_count = kept;
}

static void sign_in_and_visit(browser_t *b) {
    answer_t a = good(b);
    b->cookie_count = 0;
    assert_true(accepted(b, &a));
    browser_get(b, &fg_wsfed_protocol, LS, "wa=wsignin1.0&wtrealm=urn%3Arp");
    assert_string_equal(b->page, "auto_post");
}

/* The clean-up as a frame of that page loads it; "": no page is told.  True if it ended a session. */
static bool framed_cleanup(browser_t *b, const char *wa, const char *page) {
    const char *const headers[] = {"Sec-Fetch-Dest", "iframe", *page ? "Referer" : NULL, page, NULL};
    char query[64];
    snprintf(query, sizeof query, "wa=%s", wa);
    free(b->audit);
    b->audit = calloc(1, 1);
    assert_int_equal(browser_get_with(b, &fg_wsfed_protocol, LS, query, headers), 200);
    return strstr(b->audit, "\"event\":\"signout\"") != NULL;
}

static void wf_03_only_the_provider_ends_a_session_from_its_pages(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *wa, *page;
        bool ends;
    } cases[] = {
        {"wsignoutcleanup1.0", "https://idp.test/", true},
        {"wsignoutcleanup1.0", "https://IDP.test:443/ls?x=y", true},
        {"wsignout1.0", "https://idp.test/", true},
        {"wsignoutcleanup1.0", "", false},
        {"wsignoutcleanup1.0", "https://evil.test/", false},
        {"wsignoutcleanup1.0", "https://second.test/", false}, /* a provider, but not this person's */
        {"wsignoutcleanup1.0", "https://idp.test.evil.test/", false},
        {"wsignoutcleanup1.0", "http://idp.test/", false},
        {"wsignoutcleanup1.0", "https://idp.test@evil.test/", false},
        {"wsignout1.0", "https://evil.test/", false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        sign_in_and_visit(b);
        static char cookies[8][2][8192];
        size_t count = b->cookie_count;
        memcpy(cookies, b->cookies, sizeof cookies);
        keep_for_frames(b);
        if (framed_cleanup(b, cases[i].wa, cases[i].page) != cases[i].ends)
            fail_msg("case %zu", i);
        if (cases[i].ends) { /* the relying parties are told */
            assert_string_equal(b->page, "clean_up");
            assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(b->model, "parties"), 0), "url")),
                                BROWSER_RP "?wa=wsignoutcleanup1.0");
            assert_non_null(strstr(b->audit, "\"identity_provider\":\"partner\""));
        } else
            assert_string_equal(browser_header(b, "Content-Type"), "image/gif");
        memcpy(b->cookies, cookies, sizeof cookies); /* even if the browser did not drop them */
        b->cookie_count = count;
        browser_get(b, &fg_wsfed_protocol, LS, ASK);
        assert_string_equal(b->page, cases[i].ends ? "" : "auto_post");
    }
}

static void wf_03_the_cookie_for_the_end_is_good_for_nothing_else(void **state) {
    browser_t *b = *state;
    sign_in_and_visit(b);
    keep_for_frames(b);
    browser_get(b, &fg_wsfed_protocol, LS, ASK);
    assert_int_equal(b->ex->response.status, 302);
    sign_in_and_visit(b);
    keep_for_frames(b);
    snprintf(b->cookies[1][0], sizeof b->cookies[1][0], "__Host-fedgate");
    snprintf(b->cookies[1][1], sizeof b->cookies[1][1], "1.%.8000s", b->cookies[0][1]);
    b->cookie_count = 2;
    browser_get(b, &fg_wsfed_protocol, LS, ASK);
    assert_int_equal(b->ex->response.status, 302); /* not a session */
    sign_in_and_visit(b);
    keep_for_frames(b);
    char *last = &b->cookies[0][1][strlen(b->cookies[0][1]) - 5]; /* altered */
    *last = *last == 'A' ? 'B' : 'A';
    assert_false(framed_cleanup(b, "wsignoutcleanup1.0", "https://idp.test/"));
}

/* A directory's people have no such cookie, and it goes when somebody else signs in. */
static void the_cookie_for_the_end_is_a_providers(void **state) {
    browser_t *b = *state;
    sign_in_and_visit(b);
    keep_for_frames(b);
    browser_get(b, &fg_wsfed_protocol, LS, "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Astaff");
    assert_string_equal(b->page, "sign_in");
    browser_sign_in(b, &fg_wsfed_protocol, "alice", "alice-demo");
    assert_string_equal(b->page, "auto_post");
    for (size_t i = 0; i < b->cookie_count; i++)
        assert_string_not_equal(b->cookies[i][0], END);
}

static void signing_out_here_leads_to_the_provider(void **state) {
    browser_t *b = *state;
    sign_in_and_visit(b);
    browser_get(b, &fg_wsfed_protocol, LS, "wa=wsignout1.0");
    assert_string_equal(b->page, "signed_out");
    assert_string_equal(browser_text(b, "provider_url"), IDP "&wa=wsignout1.0");
    assert_string_equal(browser_text(b, "provider_name"), "Partner");
    for (size_t i = 0; i < b->cookie_count; i++)
        assert_string_not_equal(b->cookies[i][0], END);
    browser_get(b, &fg_wsfed_protocol, LS, "wa=wsignout1.0"); /* nobody is signed in any more */
    assert_string_equal(browser_text(b, "provider_url"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(is_sent_there_with_what_was_asked),
        TEST(both_formats_in_both_shapes_sign_in),
        TEST(white_space_and_the_place_of_the_signature_do_not_matter),
        TEST(a_recorded_token_of_ad_fs_signs_in),
        TEST(encrypted_tokens_are_read),
        TEST(encryption_replaces_no_signature),
        TEST(wf_03_only_the_provider_ends_a_session_from_its_pages),
        TEST(wf_03_the_cookie_for_the_end_is_good_for_nothing_else),
        TEST(the_cookie_for_the_end_is_a_providers),
        TEST(signing_out_here_leads_to_the_provider),
        TEST(wf_04_a_wresult_is_good_once),
        TEST(wf_05_one_response_with_one_token),
        TEST(wf_06_nothing_is_fetched),
        TEST(wf_07_what_was_asked_holds_for_the_answer),
        TEST(wf_07_an_instant_to_come_is_now),
        TEST(wf_08_only_the_browser_that_asked),
        TEST(wf_09_the_audience_decides_and_not_applies_to),
        TEST(sa_01_to_10_conditions_and_confirmation),
        TEST(sa_04_only_the_provider_that_was_asked),
        TEST(sa_05_times),
        TEST(sa_06_without_a_store_nothing_is_accepted),
        TEST(xs_01_to_10_wrapped_signatures),
        TEST(xs_20_keys_come_from_the_configuration),
        TEST(a_changed_byte_and_a_missing_signature_are_refused),
        TEST(a_response_must_be_posted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
