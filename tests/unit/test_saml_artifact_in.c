/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 2.0 as service provider by HTTP Artifact: asked for, fetched, and whose it may be. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridges/saml/artifact.h"
#include "core/crypto.h"
#include "core/http.h"
#include "core/time.h"
#include "sts/wsfed.h"

/* What stands for the artifact, and who says so. */
static struct service {
    browser_t *b;
    const char *message, *issuer;
    const fg_key_t *key; /* NULL: not signed */
    unsigned asked;
} service;

static bool fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                  fg_http_response_t *response, fg_err_t *err) {
    (void)http, (void)env, (void)err;
    char instant[FG_TIME_SIZE], *xml;
    const char *id = strstr(request->body.p, " ID=\"") + 5;
    fg_time_format(service.b->test.now_ms, instant);
    assert_true(asprintf(&xml,
                         "<r:ArtifactResponse xmlns:r=\"" FG_NS_SAML2P
                         "\" ID=\"_artifact\" InResponseTo=\"%.*s\" IssueInstant=\"%s\" Version=\"2.0\">"
                         "<saml:Issuer xmlns:saml=\"" FG_NS_SAML2 "\">%s</saml:Issuer>"
                         "<r:Status><r:StatusCode Value=\"" SAML_STATUS "Success\"></r:StatusCode></r:Status>%s"
                         "</r:ArtifactResponse>",
                         (int)strcspn(id, "\""), id, instant, service.issuer, service.message) > 0);
    if (service.key != NULL) {
        char *made = saml_sign(xml, "_artifact", "<r:Status>", service.key);
        free(xml), xml = made;
    }
    const char *body = fg_arena_printf(arena, "<s:Envelope xmlns:s=\"%s\"><s:Body>%s</s:Body></s:Envelope>",
                                       "http://schemas.xmlsoap.org/soap/envelope/", xml);
    *response = (fg_http_response_t){.status = 200, .body = fg_str(body)};
    service.asked++;
    free(xml);
    return true;
}

static int set_up(void **state) {
    static fg_http_t http = {.fetch = fetch};
    if (saml_world_set_up(state) != 0)
        return -1;
    browser_t *b = *state;
    b->test.env.http = &http;
    static const char *const addresses[] = {"https://idp.test/artifacts", "https://second.test/artifacts"};
    for (size_t i = 0; i < 2; i++) {
        fg_saml_party_t *party = &saml_world.idps[i];
        fg_saml_source_id(party->entity_id, party->source_id);
        party->endpoints[party->endpoint_count++] = (fg_saml_endpoint_t){
            .service = FG_SAML_ARTIFACT_RESOLUTION, .binding = FG_SAML_SOAP, .location = fg_str(addresses[i])};
    }
    return 0;
}

/* The browser comes back with an artifact of that provider. */
static int come_back(browser_t *b, int provider, const char *issuer, const fg_key_t *key, const char *message) {
    unsigned char bytes[44] = {0, 4, 0, 0};
    fg_buf_t text = FG_BUF_INIT(128), query = FG_BUF_INIT(256);
    memcpy(bytes + 4, saml_world.idps[provider].source_id, FG_SAML_SOURCE_ID);
    fg_base64_encode(&text, bytes, sizeof bytes);
    browser_put(&query, "SAMLart", text.data);
    service = (struct service){.b = b, .message = message, .issuer = issuer, .key = key};
    int status = browser_get(b, &fg_saml_protocol, SAML_LS, query.data);
    fg_buf_free(&text);
    fg_buf_free(&query);
    return status;
}

static void the_request_asks_for_artifacts(void **state) {
    browser_t *b = *state;
    for (int artifacts = 0; artifacts < 2; artifacts++) {
        saml_world.providers[0].artifacts = artifacts;
        b->cookie_count = 0;
        saml_leave(b, "");
        char *xml = saml_inflated(b, browser_header(b, "Location"), "SAMLRequest");
        assert_non_null(strstr(xml, artifacts ? "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\""
                                              : "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\""));
        free(xml);
    }
    saml_answer_t a = saml_round(b);
    char *xml = saml_response(b, &a, NULL);
    assert_int_equal(come_back(b, 0, SAML_IDP, saml_world.idp_key, xml), 302);
    free(xml);
    assert_non_null(strstr(saml_token_seen(b), "Partners"));
}

/* The signature around it holds for it, and nothing is left without one. */
static void what_is_signed_may_be_the_answer_around_it(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.key = NULL;
    char *xml = saml_response(b, &a, NULL);
    assert_int_equal(come_back(b, 0, SAML_IDP, saml_world.idp_key, xml), 302);
    free(xml);
    a = saml_round(b);
    a.key = NULL;
    xml = saml_response(b, &a, NULL);
    come_back(b, 0, SAML_IDP, NULL, xml);
    assert_true(browser_refused(b, FG_E_SIG_MISSING));
    free(xml);
    a = saml_round(b); /* under its own signature it may come without one around it */
    xml = saml_response(b, &a, NULL);
    assert_int_equal(come_back(b, 0, SAML_IDP, NULL, xml), 302);
    free(xml);
}

/* SA-04: a trusted provider speaks for its own people only, also in what it signs around a message. */
static void sa_04_an_artifact_of_another_provider(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b); /* the first was asked */
    a.key = NULL;
    char *xml = saml_response(b, &a, NULL); /* says that it is of the first */
    come_back(b, 1, "urn:second", saml_world.second_key, xml);
    assert_int_equal(service.asked, 1);
    assert_true(browser_refused(b, FG_E_TOKEN_ISSUER));
    free(xml);
    a = saml_round(b);
    a.issuer = a.response_issuer = "urn:second", a.key = saml_world.second_key;
    xml = saml_response(b, &a, NULL);
    come_back(b, 1, "urn:second", saml_world.second_key, xml);
    assert_true(browser_refused(b, FG_E_TOKEN_ISSUER));
    free(xml);
    a = saml_round(b);
    a.key = NULL;
    xml = saml_response(b, &a, NULL);
    assert_int_equal(come_back(b, 0, SAML_IDP, saml_world.idp_key, xml), 302);
    free(xml);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, saml_world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_request_asks_for_artifacts),
        TEST(what_is_signed_may_be_the_answer_around_it),
        TEST(sa_04_an_artifact_of_another_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
