/* SPDX-License-Identifier: GPL-2.0-or-later
 * Single logout: whose session ends, who is told, and what is answered in the end. */
#include "tests/unit/saml_peers.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/http.h"
#include "core/time.h"
#include "core/xmlenc.h"

#define SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"
#define PARTIAL "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
#define LOGOUT_URL BROWSER_BASE FG_SAML_LOGOUT_PATH

static const char *const xml_headers[] = {"Content-Type", "text/xml; charset=utf-8", NULL};

static int ask(saml_peers_t *f, const char *query) { return browser_get(f->b, &fg_saml_protocol, FG_SAML_PATH, query); }

static const char *location(saml_peers_t *f) {
    const char *url = browser_header(f->b, "Location");
    assert_non_null(url);
    return fg_arena_strdup(f->arena, url);
}

static const char *next(saml_peers_t *f) { return fg_arena_strdup(f->arena, saml_query(browser_text(f->b, "next"))); }

static const char *frame(saml_peers_t *f, size_t i) {
    const json_t *party = json_array_get(json_object_get(f->b->model, "parties"), i);
    const char *url = json_string_value(json_object_get(party, "url"));
    return url ? fg_arena_strdup(f->arena, url) : NULL;
}

/* ---- requests by the browser */

/* SA-16: what is unsigned, another's or about another leaves the session as it is; control: the partner's own ends it
 */
static void sa_16_only_the_party_itself_ends_its_session(void **state) {
    saml_peers_t *f = *state;
    saml_sign_in(f);
    const char *index = fg_arena_strdup(f->arena, saml_session_id(f));
    const char *good = saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, index);

    const char *unsigned_query = fg_arena_strndup(f->arena, good, (size_t)(strstr(good, "&SigAlg=") - good));
    ask(f, unsigned_query);
    assert_true(browser_refused(f->b, FG_E_SIG_MISSING));
    ask(f, saml_logout_query(f, SP_ENTITY, PEER_STRANGER, PERSON, index));
    assert_true(browser_refused(f->b, FG_E_SIG_INVALID));
    ask(f, saml_logout_query(f, SP_ENTITY, PEER_SECOND, PERSON, index));
    assert_true(browser_refused(f->b, FG_E_SIG_INVALID));
    ask(f, saml_logout_query(f, "https://nobody.test/", PEER_STRANGER, PERSON, index));
    assert_true(browser_refused(f->b, FG_E_SAML_PARTNER));
    assert_true(saml_is_signed_in(f));

    /* signed by a partner, but about somebody else, another session, or a session that it is not in */
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, "bob", index)), 302);
    assert_non_null(strstr(saml_message(f, location(f)), "RequestDenied"));
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, "_another")), 302);
    assert_non_null(strstr(saml_message(f, location(f)), "RequestDenied"));
    assert_int_equal(ask(f, saml_logout_query(f, SECOND_ENTITY, PEER_SECOND, PERSON, index)), 302);
    assert_non_null(strstr(saml_message(f, location(f)), "RequestDenied"));
    assert_true(saml_is_signed_in(f));

    assert_int_equal(ask(f, good), 302);
    const char *url = location(f);
    assert_int_equal(strncmp(url, "https://sp.test/logout/0/answer?", 32), 0);
    assert_string_equal(saml_param(f, url, "RelayState"), "a b&c");
    assert_non_null(strstr(saml_message(f, url), "InResponseTo=\"_request\""));
    assert_non_null(strstr(saml_message(f, url), SUCCESS));
    assert_null(strstr(saml_message(f, url), PARTIAL));
    assert_false(saml_is_signed_in(f));
    assert_non_null(strstr(f->b->audit, "\"event\":\"signout\""));
}

static void a_request_without_session_index_means_all(void **state) {
    saml_peers_t *f = *state;
    saml_sign_in(f);
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, NULL)), 302);
    assert_false(saml_is_signed_in(f));
    /* and once more: nobody is signed in, which is what was asked for */
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, NULL)), 302);
    assert_non_null(strstr(saml_message(f, location(f)), SUCCESS));
}

/* A form from another site comes without our cookies: it is kept, and comes again once */
static void a_posted_request_comes_again_with_cookies(void **state) {
    saml_peers_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    saml_sign_in(f);
    const fg_saml_logout_t logout = {.name_id = {.value = FG_STR(PERSON)}};
    fg_buf_t xml = FG_BUF_INIT(16u << 10), text = FG_BUF_INIT(32u << 10), form = FG_BUF_INIT(64u << 10);
    assert_true(fg_saml_logout_write(saml_as(f, PEER_SP), &logout, "_request", FG_STR(SP_ENTITY),
                                     FG_STR(BROWSER_BASE FG_SAML_PATH), true, &xml, &err));
    fg_base64_encode(&text, xml.data, xml.length);
    browser_put(&form, "SAMLRequest", text.data);
    f->b->cross_site = true;
    assert_int_equal(browser_post(f->b, &fg_saml_protocol, FG_SAML_PATH, "", form.data), 303);
    const char *again = saml_query(location(f));
    assert_true(saml_is_signed_in(f));
    assert_int_equal(ask(f, again), 200);
    assert_string_equal(f->b->page, "auto_post");
    assert_string_equal(browser_text(f->b, "action"), "https://sp.test/logout/1/answer");
    assert_non_null(browser_field(f->b, "SAMLResponse"));
    assert_false(saml_is_signed_in(f));
    ask(f, again);
    assert_true(browser_refused(f->b, FG_E_CSRF));
    fg_buf_free(&xml);
    fg_buf_free(&text);
    fg_buf_free(&form);
}

/* A LogoutRequest whose name is encrypted to our certificate. */
static const char *encrypted_query(saml_peers_t *f, const fg_key_t *recipient, const char *content) {
    fg_err_t err = FG_ERR_INIT;
    fg_saml_writing_t writing;
    fg_buf_t xml = FG_BUF_INIT(32u << 10), name = FG_BUF_INIT(16u << 10);
    fg_exchange_t *ex = saml_as(f, PEER_SP);
    fg_str_t own = FG_STR(BROWSER_BASE FG_SAML_PATH);
    const fg_enc_key_t key = {.recipient = recipient};
    const fg_enc_data_t data = {
        .algorithm = FG_ENC_AES128_GCM, .secret = FG_STR("sixteen letters!"), .plain = fg_str(content), .key = &key};
    fg_buf_puts(&name, "<saml:EncryptedID xmlns:saml=\"" FG_NS_SAML2 "\">");
    assert_true(fg_xmlenc_write_data(ex->env, &data, &name, &err));
    fg_buf_puts(&name, "</saml:EncryptedID>");
    assert_true(fg_saml_begin(ex, &writing, "LogoutRequest", "_request", own, FG_STR_NONE, &xml, &err));
    fg_saml_put_issuer(&writing, FG_STR(SP_ENTITY));
    fg_xw_raw(&writing.w, fg_buf_str(&name));
    assert_true(fg_saml_end(ex, &writing, false, &xml, &err));
    const fg_saml_outbound_t out = {.binding = FG_SAML_REDIRECT, .to = own, .xml = fg_buf_str(&xml)};
    fg_str_t url = fg_saml_redirect_url(ex, &out, &err);
    fg_buf_free(&xml);
    fg_buf_free(&name);
    assert_non_null(url.p);
    return saml_query(url.p);
}

#define NAME(text) "<saml:NameID xmlns:saml=\"" FG_NS_SAML2 "\">" text "</saml:NameID>"

/* XE-06: what comes out is a NameID and read like any other; control last */
static void xe_06_an_encrypted_name_is_opened(void **state) {
    saml_peers_t *f = *state;
    fg_key_t *own = test_key(FG_KEY_RSA_2048, "ours", TEST_NOW, TEST_NOW + FG_DAY);
    fg_key_t *other = test_key(FG_KEY_RSA_2048, "another's", TEST_NOW, TEST_NOW + FG_DAY);
    f->b->keys.encryption[FG_KEY_ACTIVE] = own;
    saml_sign_in(f);
    ask(f, encrypted_query(f, other, NAME(PERSON)));
    assert_true(browser_refused(f->b, FG_E_DECRYPT));
    ask(f, encrypted_query(f, own, "<saml:Assertion xmlns:saml=\"" FG_NS_SAML2 "\">" PERSON "</saml:Assertion>"));
    assert_true(browser_refused(f->b, FG_E_DECRYPT));
    assert_int_equal(ask(f, encrypted_query(f, own, NAME("bob"))), 302);
    assert_true(saml_is_signed_in(f));
    assert_int_equal(ask(f, encrypted_query(f, own, NAME(PERSON))), 302);
    assert_non_null(strstr(saml_message(f, location(f)), SUCCESS));
    assert_false(saml_is_signed_in(f));
    fg_key_unref(other);
}

/* ---- the others */

/* The answer of a peer to the LogoutRequest of a frame */
static const char *answer_query(saml_peers_t *f, const char *url, const char *issuer, int signer,
                                fg_saml_logout_end_t end) {
    fg_err_t err = FG_ERR_INIT;
    const char *request = saml_message(f, url), *id = strstr(request, " ID=\"") + 5;
    fg_exchange_t *ex = saml_as(f, signer);
    fg_str_t own = FG_STR(BROWSER_BASE FG_SAML_PATH);
    fg_buf_t xml = FG_BUF_INIT(16u << 10);
    assert_true(fg_saml_logout_response_write(ex, end, fg_str(issuer), own, (fg_str_t){id, strcspn(id, "\"")}, false,
                                              &xml, &err));
    const fg_saml_outbound_t out = {
        .binding = FG_SAML_REDIRECT, .is_response = true, .to = own, .xml = fg_buf_str(&xml)};
    fg_str_t answer = fg_saml_redirect_url(ex, &out, &err);
    fg_buf_free(&xml);
    assert_non_null(answer.p);
    return saml_query(answer.p);
}

static void begin_with_two(saml_peers_t *f) {
    f->second_too = true;
    saml_sign_in(f);
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, saml_session_id(f))), 200);
    assert_string_equal(f->b->page, "signed_out");
    assert_int_equal(json_array_size(json_object_get(f->b->model, "parties")), 1);
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(f->b->model, "parties"), 0), "awaited")));
}

static const char *finish(saml_peers_t *f, const char *query) {
    assert_int_equal(ask(f, query), 302);
    const char *url = location(f);
    assert_int_equal(strncmp(url, "https://sp.test/logout/0/answer?", 32), 0);
    return saml_message(f, url);
}

static void all_confirmed_is_success(void **state) {
    saml_peers_t *f = *state;
    begin_with_two(f);
    const char *there = frame(f, 0), *on = next(f);
    assert_int_equal(strncmp(there, "https://second.test/logout/0?", 29), 0);
    assert_non_null(strstr(saml_message(f, there), PERSON));
    assert_int_equal(ask(f, answer_query(f, there, SECOND_ENTITY, PEER_SECOND, FG_SAML_LOGGED_OUT)), 200);
    assert_string_equal(f->b->page, "clean_up");
    assert_true(json_is_true(json_object_get(f->b->model, "told")));
    assert_null(strstr(finish(f, on), PARTIAL));
}

/* Nobody answered, one refused, or somebody else answered: the asker is told so */
static void what_is_not_confirmed_is_partial(void **state) {
    saml_peers_t *f = *state;
    begin_with_two(f);
    assert_non_null(strstr(finish(f, next(f)), PARTIAL));

    begin_with_two(f);
    const char *there = frame(f, 0), *on = next(f);
    assert_int_equal(ask(f, answer_query(f, there, SECOND_ENTITY, PEER_SECOND, FG_SAML_REFUSED)), 200);
    assert_non_null(strstr(finish(f, on), PARTIAL));

    begin_with_two(f);
    there = frame(f, 0), on = next(f);
    ask(f, answer_query(f, there, SECOND_ENTITY, PEER_SP, FG_SAML_LOGGED_OUT));
    assert_true(browser_refused(f->b, FG_E_SIG_INVALID));
    assert_non_null(strstr(finish(f, on), PARTIAL));
}

/* An answer counts once, and to a request of ours only */
static void answers_to_no_request_are_refused(void **state) {
    saml_peers_t *f = *state;
    begin_with_two(f);
    const char *answer = answer_query(f, frame(f, 0), SECOND_ENTITY, PEER_SECOND, FG_SAML_LOGGED_OUT);
    assert_int_equal(ask(f, answer), 200);
    ask(f, answer);
    assert_true(browser_refused(f->b, FG_E_SAML_ANSWER));
}

/* A party that takes only forms gets one from a page of ours in the frame */
static void forms_are_posted_from_frames(void **state) {
    saml_peers_t *f = *state;
    fg_saml_endpoint_t *first = &f->parties[PEER_SECOND].endpoints[0];
    first->binding = FG_SAML_PAOS;
    begin_with_two(f);
    const char *there = frame(f, 0);
    assert_int_equal(strncmp(there, BROWSER_BASE FG_SAML_PATH "?saml_form=", 35), 0);
    assert_int_equal(ask(f, saml_query(there)), 200);
    assert_string_equal(f->b->page, "post_frame");
    assert_string_equal(browser_text(f->b, "action"), "https://second.test/logout/1");
    assert_non_null(browser_field(f->b, "SAMLRequest"));
    ask(f, saml_query(there));
    assert_true(browser_refused(f->b, FG_E_CSRF));
}

/* ---- the identity provider */

static void the_identity_provider_is_told_last(void **state) {
    saml_peers_t *f = *state;
    f->from_provider = true;
    saml_sign_in(f);
    assert_int_equal(ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, saml_session_id(f))), 302);
    const char *there = location(f), *request = saml_message(f, there);
    assert_int_equal(strncmp(there, "https://idp.test/logout/0?", 26), 0);
    assert_non_null(strstr(request, "alice-at-idp"));
    assert_non_null(strstr(request, "index-at-idp"));
    assert_false(saml_is_signed_in(f));
    assert_null(strstr(finish(f, answer_query(f, there, IDP_ENTITY, PEER_IDP, FG_SAML_LOGGED_OUT)), PARTIAL));
}

static void a_partial_logout_there_is_one_here(void **state) {
    saml_peers_t *f = *state;
    f->from_provider = true;
    saml_sign_in(f);
    ask(f, saml_logout_query(f, SP_ENTITY, PEER_SP, PERSON, saml_session_id(f)));
    assert_non_null(strstr(finish(f, answer_query(f, location(f), IDP_ENTITY, PEER_IDP, FG_SAML_PARTLY)), PARTIAL));
}

/* SA-16, as service provider; control last */
static void sa_16_only_the_provider_that_vouched_ends_it(void **state) {
    saml_peers_t *f = *state;
    f->from_provider = true;
    saml_sign_in(f);
    ask(f, saml_logout_query(f, IDP_ENTITY, PEER_SP, "alice-at-idp", "index-at-idp"));
    assert_true(browser_refused(f->b, FG_E_SIG_INVALID));
    assert_int_equal(ask(f, saml_logout_query(f, IDP_ENTITY, PEER_IDP, "bob", "index-at-idp")), 302);
    assert_int_equal(ask(f, saml_logout_query(f, IDP_ENTITY, PEER_IDP, "alice-at-idp", "another")), 302);
    assert_non_null(strstr(saml_message(f, location(f)), "RequestDenied"));
    assert_true(saml_is_signed_in(f));
    assert_int_equal(ask(f, saml_logout_query(f, IDP_ENTITY, PEER_IDP, "alice-at-idp", "index-at-idp")), 200);
    assert_string_equal(f->b->page, "signed_out");
    assert_int_equal(strncmp(frame(f, 0), "https://sp.test/logout/0?", 25), 0);
    assert_false(saml_is_signed_in(f));
}

/* ---- SOAP */

static int soap(saml_peers_t *f, const char *envelope) {
    return browser_post_with(f->b, &fg_saml_protocol, FG_SAML_LOGOUT_PATH, "", envelope, xml_headers);
}

static void forget_cookies(saml_peers_t *f) { f->b->cookie_count = 0; }

/* SA-16 without a browser: the store knows whose session it is; control last */
static void sa_16_by_soap(void **state) {
    saml_peers_t *f = *state;
    saml_sign_in(f);
    const char *index = fg_arena_strdup(f->arena, saml_session_id(f));
    size_t cookies = f->b->cookie_count;
    forget_cookies(f);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_STRANGER, PERSON, index, LOGOUT_URL)), 500);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SECOND, PERSON, index, LOGOUT_URL)), 500);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SP, PERSON, index, BROWSER_BASE FG_SAML_PATH)),
                     500);
    /* signed, but not about a session of theirs */
    assert_int_equal(soap(f, saml_logout_envelope(f, SECOND_ENTITY, PEER_SECOND, PERSON, index, LOGOUT_URL)), 200);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SP, "bob", index, LOGOUT_URL)), 200);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SP, PERSON, "_another", LOGOUT_URL)), 200);
    f->b->cookie_count = cookies;
    assert_true(saml_is_signed_in(f));
    forget_cookies(f);
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SP, PERSON, index, LOGOUT_URL)), 200);
    assert_non_null(strstr(f->b->ex->response.body.data, SUCCESS));
    assert_null(strstr(f->b->ex->response.body.data, PARTIAL));
    assert_null(browser_header(f->b, "Set-Cookie"));
    f->b->cookie_count = cookies;
    assert_false(saml_is_signed_in(f));
}

static int fetched; /* requests to other servers */

static bool refuse_fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                         fg_http_response_t *response, fg_err_t *err) {
    (void)http, (void)env, (void)arena, (void)response;
    assert_true(fg_str_is(request->url, "https://second.test/logout/2"));
    fetched++;
    return FG_FAIL(err, FG_E_FETCH_FAILED, "not today");
}

static void what_soap_cannot_reach_is_partial(void **state) {
    saml_peers_t *f = *state;
    fg_http_t http = {.fetch = refuse_fetch};
    f->b->test.env.http = &http;
    f->second_too = true;
    fetched = 0;
    saml_sign_in(f);
    const char *index = fg_arena_strdup(f->arena, saml_session_id(f));
    assert_int_equal(soap(f, saml_logout_envelope(f, SP_ENTITY, PEER_SP, PERSON, index, LOGOUT_URL)), 200);
    assert_non_null(strstr(f->b->ex->response.body.data, PARTIAL));
    assert_int_equal(fetched, 1);
    assert_false(saml_is_signed_in(f));
}

static void the_identity_provider_ends_it_by_soap(void **state) {
    saml_peers_t *f = *state;
    fg_http_t http = {.fetch = refuse_fetch};
    f->b->test.env.http = &http;
    f->from_provider = true;
    saml_sign_in(f);
    f->parties[PEER_SP].endpoint_count = 0; /* cannot be told */
    assert_int_equal(soap(f, saml_logout_envelope(f, IDP_ENTITY, PEER_IDP, "alice-at-idp", "index-at-idp", LOGOUT_URL)),
                     200);
    assert_non_null(strstr(f->b->ex->response.body.data, PARTIAL));
    assert_false(saml_is_signed_in(f));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, saml_peers_set_up, saml_peers_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sa_16_only_the_party_itself_ends_its_session),
        TEST(a_request_without_session_index_means_all),
        TEST(a_posted_request_comes_again_with_cookies),
        TEST(xe_06_an_encrypted_name_is_opened),
        TEST(all_confirmed_is_success),
        TEST(what_is_not_confirmed_is_partial),
        TEST(answers_to_no_request_are_refused),
        TEST(forms_are_posted_from_frames),
        TEST(the_identity_provider_is_told_last),
        TEST(a_partial_logout_there_is_one_here),
        TEST(sa_16_only_the_provider_that_vouched_ends_it),
        TEST(sa_16_by_soap),
        TEST(what_soap_cannot_reach_is_partial),
        TEST(the_identity_provider_ends_it_by_soap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
