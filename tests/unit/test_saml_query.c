/* SPDX-License-Identifier: GPL-2.0-or-later
 * Attribute queries, and the discovery service for service providers. */
#include "tests/unit/saml_peers.h"

#include <stdio.h>
#include <string.h>

#include "hub/session.h"

#define QUERY_URL BROWSER_BASE FG_SAML_QUERY_PATH

static fg_err_t err;

static fg_partner_t *partner(saml_peers_t *f, const char *entity) {
    return (fg_partner_t *)fg_hub_find_partner(&f->b->hub, fg_str(entity));
}

/* What happens when the service provider is told of the person. */
static saml_peers_t *noting;
static fg_step_t note(fg_exchange_t *ex) {
    fg_session_t session;
    const fg_name_id_t name = {.value = FG_STR(PERSON)};
    assert_true(fg_session_open(ex, &session));
    assert_true(fg_saml_query_note(ex, partner(noting, SP_ENTITY), &name, &session, &err));
    fg_response_body(ex, 200, "text/plain", FG_STR("noted"));
    return FG_STEP_DONE;
}
static const fg_endpoint_t note_endpoint = {"/note", FG_METHOD_GET, true, note, NULL, NULL};
static const fg_protocol_t noter = {.name = "noter", .endpoints = &note_endpoint, .endpoint_count = 1};

static void tell_of_person(saml_peers_t *f, bool permitted) {
    noting = f;
    partner(f, SP_ENTITY)->attribute_queries = permitted;
    saml_sign_in(f);
    assert_int_equal(browser_get(f->b, &noter, "/note", ""), 200);
}

static const char *ask(saml_peers_t *f, const char *element, const char *issuer, int signer, const char *name) {
    static const char *const headers[] = {"Content-Type", "text/xml", NULL};
    fg_saml_writing_t writing;
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    fg_exchange_t *ex = saml_as(f, signer < 0 ? PEER_SP : signer);
    assert_true(fg_saml_begin(ex, &writing, element, "_query", FG_STR(QUERY_URL), FG_STR_NONE, &xml, &err));
    fg_saml_put_issuer(&writing, fg_str(issuer));
    fg_xw_start(&writing.w, &fg_saml_ns_assertion, "Subject");
    fg_xw_leafz(&writing.w, &fg_saml_ns_assertion, "NameID", name);
    fg_xw_end(&writing.w);
    assert_true(fg_saml_end(ex, &writing, signer >= 0, &xml, &err));
    const char *body = fg_arena_printf(f->arena,
                                       "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>%s"
                                       "</s:Body></s:Envelope>",
                                       xml.data);
    fg_buf_free(&xml);
    browser_post_with(f->b, &fg_saml_protocol, FG_SAML_QUERY_PATH, "", body, headers);
    return f->b->ex->response.body.data;
}

static void a_permitted_partner_is_answered(void **state) {
    saml_peers_t *f = *state;
    tell_of_person(f, true);
    const char *answer = ask(f, "AttributeQuery", SP_ENTITY, PEER_SP, PERSON);
    assert_non_null(strstr(answer, "status:Success"));
    assert_non_null(strstr(answer, "InResponseTo=\"_query\""));
    assert_non_null(strstr(answer, ">" PERSON "</"));
    assert_non_null(strstr(answer, "Assertion"));
    /* SA-10: another name, and another partner with the same one */
    answer = ask(f, "AttributeQuery", SP_ENTITY, PEER_SP, "bob-at-sp");
    assert_non_null(strstr(answer, "status:UnknownPrincipal"));
    assert_null(strstr(answer, "<saml:Assertion"));
    partner(f, SECOND_ENTITY)->attribute_queries = true;
    assert_non_null(strstr(ask(f, "AttributeQuery", SECOND_ENTITY, PEER_SECOND, PERSON), "status:UnknownPrincipal"));
    /* unsigned, and signed by another */
    assert_null(strstr(ask(f, "AttributeQuery", SP_ENTITY, -1, PERSON), "<saml:Assertion"));
    assert_null(strstr(ask(f, "AttributeQuery", SP_ENTITY, PEER_STRANGER, PERSON), "<saml:Assertion"));
    assert_non_null(strstr(ask(f, "AttributeQuery", SP_ENTITY, PEER_SP, PERSON), "status:Success"));
}

static void who_may_not_ask_is_denied(void **state) {
    saml_peers_t *f = *state;
    tell_of_person(f, true);
    partner(f, SP_ENTITY)->attribute_queries = false;
    const char *answer = ask(f, "AttributeQuery", SP_ENTITY, PEER_SP, PERSON);
    assert_non_null(strstr(answer, "status:RequestDenied"));
    assert_null(strstr(answer, "<saml:Assertion"));
}

static void other_questions_are_not_served(void **state) {
    saml_peers_t *f = *state;
    static const char *const questions[][2] = {{"AuthnQuery", ":Response "},
                                               {"NameIDMappingRequest", ":NameIDMappingResponse "},
                                               {"ManageNameIDRequest", ":ManageNameIDResponse "}};
    tell_of_person(f, true);
    for (size_t i = 0; i < FG_ARRAY_SIZE(questions); i++) {
        const char *answer = ask(f, questions[i][0], SP_ENTITY, PEER_SP, PERSON);
        assert_non_null(strstr(answer, "status:RequestUnsupported"));
        if (strstr(answer, questions[i][1]) == NULL)
            fail_msg("%s: %s", questions[i][0], answer);
    }
}

/* ---- discovery; SA-11: only to addresses of the metadata */

static void discovery_goes_back_to_registered_addresses_only(void **state) {
    saml_peers_t *f = *state;
    static const struct {
        const char *back;
        bool good;
    } cases[] = {
        {"https%3A%2F%2Fsp.test%2Fdisco", true},
        {"https%3A%2F%2Fsp.test%2Fdisco%3Ftarget%3Dx", true},
        {"https%3A%2F%2Fsp.test%2Fdisco.evil.example%2F", false},
        {"https%3A%2F%2Fevil.example%2F", false},
        {"https%3A%2F%2Fsp.test%2Fdisco%23x", false},
        {"javascript%3Aalert(1)", false},
        {"https%3A%2F%2Fsp.test%2F", false},
    };
    f->parties[PEER_SP].discovery_responses[0] = FG_STR("https://sp.test/disco");
    f->parties[PEER_SP].discovery_response_count = 1;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char query[512];
        snprintf(query, sizeof query,
                 "entityID=https%%3A%%2F%%2Fsp.test%%2Fmetadata&whr=urn%%3Ahome%%3Apartner&return=%s", cases[i].back);
        int status = browser_get(f->b, &fg_saml_protocol, FG_SAML_DISCOVERY_PATH, query);
        if ((status == 302) != cases[i].good)
            fail_msg("%s: %d", cases[i].back, status);
        if (cases[i].good)
            assert_string_equal(saml_param(f, browser_header(f->b, "Location"), "entityID"), IDP_ENTITY);
    }
    assert_int_not_equal(browser_get(f->b, &fg_saml_protocol, FG_SAML_DISCOVERY_PATH, "entityID=urn%3Anobody"), 302);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_peers_set_up, saml_peers_tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_permitted_partner_is_answered),
        TEST(who_may_not_ask_is_denied),
        TEST(other_questions_are_not_served),
        TEST(discovery_goes_back_to_registered_addresses_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
