/* SPDX-License-Identifier: GPL-2.0-or-later
 * Artifacts in both roles: SA-19. */
#include "tests/unit/saml_peers.h"

#include <stdio.h>
#include <string.h>

#include "bridges/saml/artifact.h"
#include "bridges/saml/response.h"
#include "core/crypto.h"
#include "core/http.h"
#include "core/time.h"

#define RESOLVE_URL BROWSER_BASE FG_SAML_ARTIFACT_PATH
#define MESSAGE "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\">the message</samlp:Response>"

static fg_err_t err;

/* ---- as identity provider */

static fg_step_t hand_out(fg_exchange_t *ex) {
    const fg_saml_outbound_t out = {
        .to = FG_STR("https://sp.test/acs?a=b"), .relay_state = FG_STR("x=y"), .xml = FG_STR(MESSAGE)};
    assert_true(fg_saml_artifact_send(ex, &out, FG_STR(SP_ENTITY), &err));
    return FG_STEP_DONE;
}
static const fg_endpoint_t send_endpoint = {"/send", FG_METHOD_GET, true, hand_out, NULL, NULL};
static const fg_protocol_t sender = {.name = "sender", .endpoints = &send_endpoint, .endpoint_count = 1};

/* An artifact for the service provider. */
static const char *issue(saml_peers_t *f) {
    assert_int_equal(browser_get(f->b, &sender, "/send", ""), 302);
    const char *url = browser_header(f->b, "Location");
    assert_int_equal(strncmp(url, "https://sp.test/acs?a=b&SAMLart=", 32), 0);
    assert_string_equal(saml_param(f, url, "RelayState"), "x=y");
    return saml_param(f, url, "SAMLart");
}

static int resolve(saml_peers_t *f, const char *issuer, int signer, const char *artifact, const char *destination) {
    static const char *const headers[] = {"Content-Type", "text/xml", NULL};
    fg_saml_writing_t writing;
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    fg_exchange_t *ex = saml_as(f, signer < 0 ? PEER_SP : signer);
    assert_true(
        fg_saml_begin(ex, &writing, "ArtifactResolve", "_resolve", fg_str(destination), FG_STR_NONE, &xml, &err));
    fg_saml_put_issuer(&writing, fg_str(issuer));
    fg_xw_leafz(&writing.w, &fg_saml_ns_protocol, "Artifact", artifact);
    assert_true(fg_saml_end(ex, &writing, signer >= 0, &xml, &err));
    const char *body = fg_arena_printf(f->arena,
                                       "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>%s"
                                       "</s:Body></s:Envelope>",
                                       xml.data);
    fg_buf_free(&xml);
    return browser_post_with(f->b, &fg_saml_protocol, FG_SAML_ARTIFACT_PATH, "", body, headers);
}

static bool has_message(saml_peers_t *f) { return strstr(f->b->ex->response.body.data, "the message") != NULL; }

/* SA-19: once, within a minute, and for the partner that it is for; control first */
static void sa_19_an_artifact_is_good_once(void **state) {
    saml_peers_t *f = *state;
    const char *artifact = issue(f);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL), 200);
    assert_true(has_message(f));
    assert_non_null(strstr(f->b->ex->response.body.data, "InResponseTo=\"_resolve\""));
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL), 200);
    assert_false(has_message(f));
    assert_non_null(strstr(f->b->ex->response.body.data, "status:Success")); /* core §3.5.3 */

    artifact = issue(f);
    f->b->test.now_ms += FG_MINUTE;
    resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL);
    assert_false(has_message(f));
}

static void sa_19_another_partner_gets_nothing(void **state) {
    saml_peers_t *f = *state;
    const char *artifact = issue(f);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SECOND, artifact, RESOLVE_URL), 500);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_STRANGER, artifact, RESOLVE_URL), 500);
    assert_int_equal(resolve(f, SP_ENTITY, -1, artifact, RESOLVE_URL), 500);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, artifact, BROWSER_BASE FG_SAML_LOGOUT_PATH), 500);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL), 200);
    assert_true(has_message(f)); /* none of those used it up */

    artifact = issue(f);
    assert_int_equal(resolve(f, SECOND_ENTITY, PEER_SECOND, artifact, RESOLVE_URL), 200);
    assert_false(has_message(f));
    resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL);
    assert_false(has_message(f)); /* who holds another's artifact has it from somewhere */
}

static const char *altered(saml_peers_t *f, const char *artifact, size_t at) {
    fg_buf_t bytes = FG_BUF_INIT(64), text = FG_BUF_INIT(128);
    assert_true(fg_base64_decode(&bytes, fg_str(artifact)));
    bytes.data[at] ^= 1;
    fg_base64_encode(&text, bytes.data, bytes.length);
    const char *copy = fg_arena_strdup(f->arena, text.data);
    fg_buf_free(&bytes);
    fg_buf_free(&text);
    return copy;
}

static void sa_19_wrong_source_or_form(void **state) {
    saml_peers_t *f = *state;
    const char *artifact = issue(f);
    resolve(f, SP_ENTITY, PEER_SP, altered(f, artifact, 4), RESOLVE_URL); /* SourceID */
    assert_false(has_message(f));
    resolve(f, SP_ENTITY, PEER_SP, altered(f, artifact, 43), RESOLVE_URL); /* MessageHandle */
    assert_false(has_message(f));
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, altered(f, artifact, 1), RESOLVE_URL), 500); /* type */
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, "AAQ=", RESOLVE_URL), 500);
    assert_int_equal(resolve(f, SP_ENTITY, PEER_SP, "", RESOLVE_URL), 500);
    resolve(f, SP_ENTITY, PEER_SP, artifact, RESOLVE_URL);
    assert_true(has_message(f));
}

/* ---- as service provider */

static struct answer {
    saml_peers_t *f;
    const char *issuer;
    int signer; /* negative: not signed */
    bool other_request;
    const char *message;
    fg_str_t asked_at;
} answer;

static bool fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                  fg_http_response_t *response, fg_err_t *why) {
    (void)http, (void)env, (void)why;
    const char *id = strstr(request->body.p, " ID=\"") + 5;
    fg_str_t to = answer.other_request ? FG_STR("_other") : (fg_str_t){id, strcspn(id, "\"")};
    const fg_saml_response_t written = {
        .name = "ArtifactResponse",
        .issuer = fg_str(answer.issuer),
        .in_response_to = to,
        .assertion = fg_str(answer.message),
        .is_signed = answer.signer >= 0,
    };
    fg_buf_t xml = FG_BUF_INIT(64u << 10);
    answer.asked_at = request->url;
    assert_true(
        fg_saml_response_write(saml_as(answer.f, answer.signer < 0 ? PEER_IDP : answer.signer), &written, &xml, &err));
    char *body = fg_arena_printf(arena,
                                 "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>%s</s:Body>"
                                 "</s:Envelope>",
                                 xml.data);
    *response = (fg_http_response_t){.status = 200, .body = fg_str(body)};
    fg_buf_free(&xml);
    return true;
}

static bool bring(saml_peers_t *f, const char *entity, fg_saml_inbound_t *in) {
    static fg_http_t http = {.fetch = fetch};
    unsigned char bytes[44] = {0, 4, 0, 0};
    fg_buf_t text = FG_BUF_INIT(128), query = FG_BUF_INIT(256);
    fg_saml_source_id(fg_str(entity), bytes + 4);
    fg_base64_encode(&text, bytes, sizeof bytes);
    browser_put(&query, "SAMLart", text.data);
    f->b->test.env.http = &http;
    answer.f = f;
    fg_exchange_t *ex = fg_arena_alloc(f->arena, sizeof *ex);
    *ex = *saml_as(f, PEER_SP);
    ex->keys = &f->b->keys;
    ex->request = (fg_request_t){.method = FG_METHOD_GET, .query = fg_arena_str(f->arena, fg_buf_str(&query))};
    fg_buf_free(&text);
    fg_buf_free(&query);
    err = (fg_err_t)FG_ERR_INIT;
    return fg_saml_artifact_receive(ex, in, &err);
}

static void a_message_comes_for_an_artifact(void **state) {
    saml_peers_t *f = *state;
    fg_saml_inbound_t in;
    answer = (struct answer){.issuer = IDP_ENTITY, .signer = PEER_IDP, .message = MESSAGE};
    assert_true(bring(f, IDP_ENTITY, &in));
    assert_true(fg_str_is(answer.asked_at, "https://idp.test/artifacts"));
    assert_true(fg_xml_is(in.root, FG_NS_SAML2P, "Response"));
    assert_true(in.is_verified);
    answer.signer = -1; /* the connection says who answers, and the message is verified by itself */
    assert_true(bring(f, IDP_ENTITY, &in));
    assert_false(in.is_verified);
}

static void sa_19_only_the_source_answers(void **state) {
    saml_peers_t *f = *state;
    fg_saml_inbound_t in;
    answer = (struct answer){.issuer = IDP_ENTITY, .signer = PEER_IDP, .message = MESSAGE};
    assert_false(bring(f, "https://nobody.test/", &in));
    assert_err(&err, FG_E_SAML_PARTNER);
    assert_false(bring(f, SP_ENTITY, &in)); /* a partner, but none that vouches for people */
    assert_err(&err, FG_E_SAML_PARTNER);
    answer.signer = PEER_STRANGER;
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SIG_INVALID);
    answer.signer = PEER_IDP, answer.issuer = SP_ENTITY;
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SAML_ANSWER);
    answer.issuer = IDP_ENTITY, answer.other_request = true;
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SAML_ANSWER);
    answer.other_request = false, answer.message = "";
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SAML_ANSWER);
    answer.message = MESSAGE MESSAGE;
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SAML_ANSWER);
    answer.message = MESSAGE;
    assert_true(bring(f, IDP_ENTITY, &in));
}

/* Without TLS an answer that is not signed could be anybody's; control: signed it is taken */
static void plain_http_needs_a_signature(void **state) {
    saml_peers_t *f = *state;
    fg_saml_inbound_t in;
    fg_saml_party_t *party = &f->parties[PEER_IDP];
    party->endpoints[party->endpoint_count - 1].location = FG_STR("http://idp.test/artifacts");
    answer = (struct answer){.issuer = IDP_ENTITY, .signer = -1, .message = MESSAGE};
    assert_false(bring(f, IDP_ENTITY, &in));
    assert_err(&err, FG_E_SIG_MISSING);
    answer.signer = PEER_IDP;
    assert_true(bring(f, IDP_ENTITY, &in));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_peers_set_up, saml_peers_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sa_19_an_artifact_is_good_once), TEST(sa_19_another_partner_gets_nothing),
        TEST(sa_19_wrong_source_or_form),     TEST(a_message_comes_for_an_artifact),
        TEST(sa_19_only_the_source_answers),  TEST(plain_http_needs_a_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
