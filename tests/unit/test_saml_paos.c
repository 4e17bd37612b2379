/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 2.0 as service provider of programs that carry the messages themselves (ECP, profiles §4.2): each refusal beside
 * the answer that is accepted. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sts/wsfed.h"

#define PAOS BROWSER_BASE FG_SAML_PAOS_PATH
#define MEDIA_TYPE "application/vnd.paos+xml"
#define PAOS_HEADER "ver=\"urn:liberty:paos:2003-08\";\"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp\""
#define ANY "wa=wsignin1.0&wtrealm=urn%3Arp"
#define ASKED ANY "&whr=urn%3Ahome%3Apartner"
#define NEXT "S:mustUnderstand=\"1\" S:actor=\"http://schemas.xmlsoap.org/soap/actor/next\""

static char word[64]; /* RelayState of the request that the client has */

static int ask_with(browser_t *b, const char *query, const char *accept, const char *paos) {
    const char *const headers[] = {"Accept", accept, paos ? "PAOS" : "X-None", paos ? paos : "", NULL};
    return browser_get_with(b, &fg_wsfed_protocol, SAML_LS, query, headers);
}

static const char *body(const browser_t *b) { return b->ex->response.body.data; }

static void copy_between(const browser_t *b, const char *from, const char *to, char *out, size_t size) {
    const char *at = strstr(body(b), from);
    if (at == NULL)
        fail_msg("no %s in %s", from, body(b));
    at += strlen(from);
    const char *end = strstr(at, to);
    assert_non_null(end);
    snprintf(out, size, "%.*s", (int)(end - at), at);
}

/* A client without cookies asks for a page and gets a request. */
static void ask(browser_t *b, const char *query) {
    b->cookie_count = 0;
    assert_int_equal(ask_with(b, query, "text/html, " MEDIA_TYPE, PAOS_HEADER), 200);
    copy_between(b, " ID=\"", "\"", saml_world.asked_id, sizeof saml_world.asked_id);
    char relay_state[400];
    copy_between(b, "<ecp:RelayState", "</ecp:RelayState>", relay_state, sizeof relay_state);
    snprintf(word, sizeof word, "%s", strrchr(relay_state, '>') + 1);
}

/* What it brings back; NULL: what is right. */
typedef struct brought {
    const char *relay_state; /* "": none */
    const char *to;          /* refToMessageID; "": no such header */
    const char *more;        /* headers beside them */
    const char *media_type;
    const char *envelope; /* whole */
} brought_t;

static int bring(browser_t *b, const saml_answer_t *a, const brought_t *o) {
    char *xml = saml_response(b, a, NULL), *envelope, relay_state[400] = "", answer[500] = "";
    const char *state = o->relay_state ? o->relay_state : word, *to = o->to ? o->to : saml_world.asked_id;
    if (*state)
        snprintf(relay_state, sizeof relay_state, "<e:RelayState " NEXT ">%s</e:RelayState>", state);
    if (*to)
        snprintf(answer, sizeof answer,
                 "<p:Response xmlns:p=\"urn:liberty:paos:2003-08\" " NEXT " refToMessageID=\"%s\"/>", to);
    assert_true(asprintf(&envelope,
                         "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:e=\"" FG_SAML_NS_ECP
                         "\"><S:Header>%s%s%s</S:Header><S:Body>%s</S:Body></S:Envelope>",
                         relay_state, answer, o->more ? o->more : "", xml) > 0);
    const char *const headers[] = {"Content-Type", o->media_type ? o->media_type : MEDIA_TYPE "; charset=utf-8", NULL};
    int status =
        browser_post_with(b, &fg_saml_protocol, FG_SAML_PAOS_PATH, "", o->envelope ? o->envelope : envelope, headers);
    free(xml), free(envelope);
    return status;
}

static saml_answer_t good(browser_t *b) {
    saml_answer_t a = saml_good(b);
    a.recipient = a.destination = PAOS;
    return a;
}

/* The last audit line. */
static const char *last_line(const browser_t *b) {
    size_t n = strlen(b->audit);
    while (n > 0 && b->audit[n - 1] == '\n')
        n--;
    while (n > 0 && b->audit[n - 1] != '\n')
        n--;
    return b->audit + n;
}

/* By a SOAP fault, and with that reason in the audit log. */
static bool refused_as(browser_t *b, int status, const char *reason) {
    char text[100];
    snprintf(text, sizeof text, "\"reason\":\"%s\"", reason);
    bool there = strstr(last_line(b), text) != NULL;
    if (!there)
        print_error("%d, not %s: %s\n", status, reason, last_line(b));
    return status >= 400 && there && strstr(body(b), "Fault>") != NULL;
}

static bool control(browser_t *b, const char *query) {
    ask(b, query);
    const saml_answer_t a = good(b);
    return bring(b, &a, &(brought_t){NULL}) == 303;
}

/* ---- there */

static void a_client_gets_a_request(void **state) {
    browser_t *b = *state;
    ask(b, ASKED);
    assert_string_equal(browser_header(b, "Content-Type"), MEDIA_TYPE "; charset=utf-8");
    assert_non_null(strstr(body(b), "responseConsumerURL=\"" PAOS "\""));
    assert_non_null(strstr(body(b), "AssertionConsumerServiceURL=\"" PAOS "\""));
    assert_non_null(strstr(body(b), "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:PAOS\""));
    assert_non_null(strstr(body(b), "ProviderID=\"" SAML_IDP "\""));
    assert_non_null(strstr(body(b), "<ds:SignatureValue>"));
    assert_null(strstr(body(b), "Destination")); /* where it goes is the client's to say */
    ask(b, ANY);
    assert_null(strstr(body(b), "IDPList"));
}

/* §4.2.3.1: both headers; without either it is a browser like any other. */
static void a_client_says_so_in_both_headers(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *accept, *paos;
    } cases[] = {{MEDIA_TYPE, NULL},
                 {"text/html", PAOS_HEADER},
                 {MEDIA_TYPE, "ver=\"urn:liberty:paos:2003-08\""},
                 {MEDIA_TYPE, "\"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp\""}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        assert_int_equal(ask_with(b, ASKED, cases[i].accept, cases[i].paos), 302); /* to the provider */
    assert_int_equal(ask_with(b, ASKED, MEDIA_TYPE, PAOS_HEADER), 200);
    assert_int_equal(strncmp(browser_header(b, "Content-Type"), MEDIA_TYPE, strlen(MEDIA_TYPE)), 0);
    /* where nobody can be asked so, it gets what everybody gets */
    assert_int_equal(ask_with(b, ANY "&whr=urn%3Ahome%3Astaff", MEDIA_TYPE, PAOS_HEADER), 200);
    assert_string_equal(b->page, "sign_in");
}

/* ---- and back */

static void an_answer_is_a_session(void **state) {
    browser_t *b = *state;
    static const char *const queries[] = {ASKED, ANY};
    for (size_t i = 0; i < FG_ARRAY_SIZE(queries); i++) {
        char back[2048];
        ask(b, queries[i]);
        const saml_answer_t a = good(b);
        assert_int_equal(bring(b, &a, &(brought_t){NULL}), 303);
        snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
        browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
        assert_non_null(strstr(browser_field(b, "wresult"), "pat &lt;&amp;&gt;"));
    }
    /* a client that leaves out what it may */
    ask(b, ANY);
    const saml_answer_t a = good(b);
    assert_int_equal(bring(b, &a, &(brought_t){.to = ""}), 303);
}

static void whoever_answers_is_believed_if_nobody_was_named(void **state) {
    browser_t *b = *state;
    ask(b, ANY);
    saml_answer_t a = good(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_int_equal(bring(b, &a, &(brought_t){NULL}), 303);
    ask(b, ANY); /* XS-22: under its own key */
    a = good(b);
    a.issuer = a.response_issuer = "urn:second";
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "signature_invalid"));
    ask(b, ANY);
    a = good(b);
    a.issuer = a.response_issuer = "urn:nobody";
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "saml_partner"));
    ask(b, ASKED); /* SA-04: somebody was */
    a = good(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    assert_int_not_equal(bring(b, &a, &(brought_t){NULL}), 303);
    assert_true(control(b, ASKED));
}

/* We are known by another name there: the audience would be somebody else's. */
static void a_provider_that_knows_us_by_another_name_is_not_taken(void **state) {
    browser_t *b = *state;
    saml_world.providers[0].realm = FG_STR("urn:gateway");
    ask(b, ANY);
    saml_answer_t a = good(b);
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "saml_partner"));
    ask(b, ASKED); /* asked by name, it is told that name */
    assert_non_null(strstr(body(b), ">urn:gateway</saml:Issuer>"));
    a = good(b);
    a.audience = "urn:gateway";
    assert_int_equal(bring(b, &a, &(brought_t){NULL}), 303);
}

/* SA-02: an answer for another address: of ours for browsers, or of somebody else's. */
static void sa_02_another_consumer(void **state) {
    browser_t *b = *state;
    static const char *const others[] = {SAML_OWN, "https://other.test/paos", PAOS "/",
                                         "https://GW.test" FG_SAML_PAOS_PATH};
    for (size_t i = 0; i < FG_ARRAY_SIZE(others); i++) {
        ask(b, ANY);
        saml_answer_t a = good(b);
        a.recipient = others[i];
        assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "token_recipient"));
        ask(b, ANY);
        a = good(b);
        a.destination = others[i];
        assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "saml_destination"));
        ask(b, ANY); /* what the provider says to the client (§4.2.4.4) */
        a = good(b);
        char more[400];
        snprintf(more, sizeof more, "<e:Response " NEXT " AssertionConsumerServiceURL=\"%s\"/>", others[i]);
        assert_true(refused_as(b, bring(b, &a, &(brought_t){.more = more}), "saml_consumer"));
        snprintf(more, sizeof more, "<e:Response " NEXT " AssertionConsumerServiceURL=\"%s\"/>", PAOS);
        assert_int_equal(bring(b, &a, &(brought_t){.more = more}), 303);
    }
    /* and the other way: what was made for a client is nothing for a browser's address */
    ask(b, ANY);
    saml_answer_t a = saml_good(b);
    char *xml = saml_response(b, &a, NULL);
    assert_int_not_equal(saml_post(b, xml), 303);
    free(xml);
    b->cookie_count = 0;
    saml_leave(b, "");
    a = good(b);
    snprintf(word, sizeof word, "%s", saml_world.asked_id + 1);
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "form_not_from_here"));
    assert_true(control(b, ANY));
}

/* WF-08, SA-03, SA-07 */
static void an_answer_is_the_clients_own(void **state) {
    browser_t *b = *state;
    static const brought_t wrong[] = {
        {.relay_state = ""}, {.relay_state = "abcdefghijklmnopqrstuvwxyz234567"}, {.to = "_other"}};
    static const char *const reasons[] = {"form_not_from_here", "form_not_from_here", "saml_answer"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        ask(b, ANY);
        const saml_answer_t a = good(b);
        assert_true(refused_as(b, bring(b, &a, &wrong[i]), reasons[i]));
    }
    ask(b, ANY);
    b->cookie_count = 0; /* another client */
    saml_answer_t a = good(b);
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "form_not_from_here"));
    ask(b, ANY);
    a = good(b);
    a.outer_in_response_to = a.in_response_to = NULL;
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "saml_answer"));
    ask(b, ANY);
    a = good(b);
    a.in_response_to = "_another"; /* the one inside the signature counts */
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "token_confirmation"));
    assert_true(control(b, ANY));
}

static void sa_06_an_answer_is_good_once(void **state) {
    browser_t *b = *state;
    ask(b, ANY);
    const saml_answer_t a = good(b);
    size_t count = b->cookie_count;
    char(*jar)[3][8192] = malloc(sizeof b->cookies);
    assert_non_null(jar);
    memcpy(jar, b->cookies, sizeof b->cookies);
    assert_int_equal(bring(b, &a, &(brought_t){NULL}), 303);
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "form_not_from_here"));
    memcpy(b->cookies, jar, sizeof b->cookies);
    b->cookie_count = count;
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "token_replay"));
    free(jar);
}

/* XS-09, SOAP 1.1 §4.2.3 */
static void the_envelope_is_read_strictly(void **state) {
    browser_t *b = *state;
    static const brought_t wrong[] = {
        {.media_type = "text/xml"},
        {.media_type = MEDIA_TYPE "; charset=utf-16"},
        {.more = "<x:Other xmlns:x=\"urn:x\" S:mustUnderstand=\"1\"/>"},
        {.more = "<e:RelayState>again</e:RelayState>"},
        {.envelope = "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body/></S:Envelope>"},
        {.envelope =
             "<S:Envelope xmlns:S=\"http://www.w3.org/2003/05/soap-envelope\"><S:Body><a/></S:Body></S:Envelope>"},
        {.envelope = "<!DOCTYPE a><S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"/>"},
        {.envelope = ""},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        ask(b, ANY);
        const saml_answer_t a = good(b);
        int status = bring(b, &a, &wrong[i]);
        if (status < 400)
            fail_msg("case %zu: %d", i, status);
        assert_int_equal(bring(b, &a, &(brought_t){.more = "<x:Other xmlns:x=\"urn:x\"/>"}), 303);
    }
}

static void what_is_not_signed_or_for_others_is_refused(void **state) {
    browser_t *b = *state;
    ask(b, ANY);
    saml_answer_t a = good(b);
    a.key = NULL;
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "signature_missing"));
    ask(b, ANY);
    a = good(b);
    a.key = saml_world.evil_key; /* XS-20 */
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "signature_invalid"));
    ask(b, ANY);
    a = good(b);
    a.audience = "urn:other"; /* SA-01 */
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "token_audience"));
    ask(b, ANY);
    a = good(b);
    a.key = NULL, a.response_key = saml_world.idp_key;
    assert_int_equal(bring(b, &a, &(brought_t){NULL}), 303);
}

/* A provider that is ourselves: a federation's metadata may have us in it. */
static void an_answer_of_our_own_is_a_loop(void **state) {
    browser_t *b = *state;
    saml_world.providers[0].issuer = FG_STR(BROWSER_ENTITY);
    ask(b, ANY);
    saml_answer_t a = good(b);
    a.issuer = a.response_issuer = BROWSER_ENTITY;
    assert_true(refused_as(b, bring(b, &a, &(brought_t){NULL}), "saml_loop"));
    saml_world.providers[0].issuer = FG_STR(SAML_IDP);
    assert_true(control(b, ANY));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_world_set_up, saml_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_client_gets_a_request),
        TEST(a_client_says_so_in_both_headers),
        TEST(an_answer_is_a_session),
        TEST(whoever_answers_is_believed_if_nobody_was_named),
        TEST(a_provider_that_knows_us_by_another_name_is_not_taken),
        TEST(sa_02_another_consumer),
        TEST(an_answer_is_the_clients_own),
        TEST(sa_06_an_answer_is_good_once),
        TEST(the_envelope_is_read_strictly),
        TEST(what_is_not_signed_or_for_others_is_refused),
        TEST(an_answer_of_our_own_is_a_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
