/* SPDX-License-Identifier: GPL-2.0-or-later
 * Programs that sign in by SOAP (ECP): what they get, and what is refused. */
#include "tests/unit/saml_peers.h"

#include <string.h>

#include "bridges/saml/authn_request.h"
#include "core/crypto.h"

#define CONSUMER "https://sp.test/paos"

typedef struct asking {
    const char *issuer, *consumer, *credentials, *context, *requester;
    int signer; /* PEERS: nobody */
} asking_t;

static int ask(saml_peers_t *f, asking_t asking) {
    fg_err_t err = FG_ERR_INIT;
    fg_saml_writing_t writing;
    fg_buf_t xml = FG_BUF_INIT(16u << 10), basic = FG_BUF_INIT(256);
    fg_exchange_t *ex = saml_as(f, asking.signer == PEERS ? PEER_SP : asking.signer);
    assert_true(fg_saml_begin(ex, &writing, "AuthnRequest", "_asked", FG_STR(BROWSER_BASE FG_SAML_ECP_PATH),
                              FG_STR_NONE, &xml, &err));
    fg_xw_attrz(&writing.w, "AssertionConsumerServiceURL", asking.consumer ? asking.consumer : CONSUMER);
    fg_saml_put_issuer(&writing, fg_str(asking.issuer ? asking.issuer : SP_ENTITY));
    if (asking.context != NULL) {
        fg_xw_start(&writing.w, &fg_saml_ns_protocol, "RequestedAuthnContext");
        fg_xw_leafz(&writing.w, &fg_saml_ns_assertion, "AuthnContextClassRef", asking.context);
        fg_xw_end(&writing.w);
    }
    if (asking.requester != NULL) {
        fg_xw_start(&writing.w, &fg_saml_ns_protocol, "Scoping");
        fg_xw_leafz(&writing.w, &fg_saml_ns_protocol, "RequesterID", asking.requester);
        fg_xw_end(&writing.w);
    }
    assert_true(fg_saml_end(ex, &writing, asking.signer != PEERS, &xml, &err));
    const char *body = fg_arena_printf(f->arena,
                                       "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>%s"
                                       "</s:Body></s:Envelope>",
                                       xml.data);
    const char *credentials = asking.credentials ? asking.credentials : "alice:alice-demo";
    fg_base64_encode(&basic, credentials, strlen(credentials));
    const char *const headers[] = {"Content-Type", "text/xml", *credentials ? "Authorization" : "X-None",
                                   fg_arena_printf(f->arena, "Basic %s", basic.data ? basic.data : ""), NULL};
    fg_buf_free(&xml);
    fg_buf_free(&basic);
    return browser_post_with(f->b, &fg_saml_protocol, FG_SAML_ECP_PATH, "", body, headers);
}

static bool says(saml_peers_t *f, const char *text) { return strstr(f->b->ex->response.body.data, text) != NULL; }

static void add_consumer(saml_peers_t *f, fg_saml_binding_t binding) {
    fg_saml_party_t *party = &f->parties[PEER_SP];
    party->endpoints[party->endpoint_count++] = (fg_saml_endpoint_t){.service = FG_SAML_ASSERTION_CONSUMER,
                                                                     .binding = binding,
                                                                     .location = FG_STR(CONSUMER),
                                                                     .response_location = FG_STR(CONSUMER)};
}

static void a_password_gets_a_response(void **state) {
    saml_peers_t *f = *state;
    add_consumer(f, FG_SAML_PAOS);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP}), 200);
    assert_true(says(f, "AssertionConsumerServiceURL=\"" CONSUMER "\""));
    assert_true(says(f, "RequestAuthenticated"));
    assert_true(says(f, "InResponseTo=\"_asked\"") && says(f, "<saml:Assertion"));
    assert_non_null(strstr(f->b->audit, "\"protocol\":\"saml_ecp\""));
    assert_int_equal(ask(f, (asking_t){.signer = PEERS}), 200);
    assert_false(says(f, "RequestAuthenticated"));
    assert_true(says(f, "<saml:Assertion"));
}

static void credentials_are_asked_for(void **state) {
    saml_peers_t *f = *state;
    static const char *const bad[] = {"", "alice:wrong", "alice", "nobody:alice-demo"};
    add_consumer(f, FG_SAML_PAOS);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .credentials = bad[i]}), 401);
        assert_non_null(strstr(browser_header(f->b, "WWW-Authenticate"), "Basic realm="));
        assert_false(says(f, "Assertion>"));
    }
}

/* SA-17, and requests that are forged or not signed where they are to be; control: the first test */
static void sa_17_requests_are_held_against_the_metadata(void **state) {
    saml_peers_t *f = *state;
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP}), 500); /* no consumer at all */
    add_consumer(f, FG_SAML_POST);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP}), 500); /* none by PAOS */
    add_consumer(f, FG_SAML_PAOS);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .consumer = "https://sp.test/paos/other"}), 500);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_STRANGER}), 500);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .issuer = "https://nobody.test/"}), 500);
    f->parties[PEER_SP].signs_requests = true;
    assert_int_equal(ask(f, (asking_t){.signer = PEERS}), 500);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP}), 200);
    assert_true(says(f, "<saml:Assertion"));
}

static void contexts_that_a_password_is_not_are_refused(void **state) {
    saml_peers_t *f = *state;
    add_consumer(f, FG_SAML_PAOS);
    assert_int_equal(
        ask(f, (asking_t){.signer = PEER_SP, .context = "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient"}), 200);
    assert_true(says(f, "status:NoAuthnContext"));
    assert_false(says(f, "<saml:Assertion"));
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP,
                                       .context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}),
                     200);
    assert_true(says(f, "<saml:Assertion"));
}

/* A client brings us our own request, or one that somebody makes because we asked. */
static void a_loop_is_refused(void **state) {
    saml_peers_t *f = *state;
    add_consumer(f, FG_SAML_PAOS);
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .issuer = BROWSER_ENTITY}), 500);
    assert_non_null(strstr(f->b->audit, "\"reason\":\"saml_loop\""));
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .requester = BROWSER_ENTITY}), 200);
    assert_true(says(f, "status:RequestDenied"));
    assert_false(says(f, "<saml:Assertion"));
    assert_int_equal(ask(f, (asking_t){.signer = PEER_SP, .requester = "urn:somebody"}), 200);
    assert_true(says(f, "<saml:Assertion"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_peers_set_up, saml_peers_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_password_gets_a_response),
        TEST(credentials_are_asked_for),
        TEST(sa_17_requests_are_held_against_the_metadata),
        TEST(contexts_that_a_password_is_not_are_refused),
        TEST(a_loop_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
