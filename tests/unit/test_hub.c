/* SPDX-License-Identifier: GPL-2.0-or-later
 * Sessions, form tokens, remembered choices, the audit line and issuing, over a real store and a real key. */
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/time.h"
#include "hub/audit.h"
#include "hub/issue.h"
#include "hub/bytes.h"
#include "hub/session.h"
#include "hub/store.h"
#include "token/jwt.h"

#define STORE_SIZE (256u * 1024)

typedef struct fixture {
    test_env_t test;
    void *memory;
    fg_hub_t hub;
    fg_keys_t keys;
    fg_exchange_t *ex;
    fg_header_t sent[16]; /* the request's headers */
} fixture_t;

static bool no_pages(fg_exchange_t *ex, int status, const char *name, json_t *model) {
    (void)ex, (void)status, (void)name;
    json_decref(model);
    return false;
}

/* A new exchange of the same browser and gateway. */
static void next_exchange(fixture_t *f) {
    if (f->ex != NULL) {
        fg_buf_free(&f->ex->response.body);
        fg_arena_free(f->ex->arena);
    }
    fg_arena_t *arena = fg_arena_new(0);
    f->ex = fg_arena_alloc(arena, sizeof *f->ex);
    f->ex->arena = arena;
    f->ex->env = &f->test.env;
    f->ex->hub = &f->hub;
    f->ex->keys = &f->keys;
    f->ex->now_ms = f->test.now_ms;
    f->ex->response.body = (fg_buf_t)FG_BUF_INIT(65536);
    f->ex->request.headers = f->sent;
    snprintf(f->ex->correlation_id, FG_ID_SIZE, "c-1");
}

static int set_up(void **state) {
    static fixture_t f;
    fg_err_t err = FG_ERR_INIT;
    memset(&f, 0, sizeof f);
    test_env_init(&f.test);
    if (!fg_crypto_start() || posix_memalign(&f.memory, 4096, STORE_SIZE) != 0)
        return -1;
    f.test.env.store = fg_store_open(f.memory, STORE_SIZE, false, &err);
    f.hub.host = FG_STR("gw.test");
    f.hub.entity_id = FG_STR("http://gw.test/adfs/services/trust");
    f.hub.session_idle_ms = FG_HOUR;
    f.hub.session_absolute_ms = 8 * FG_HOUR;
    f.hub.render = no_pages;
    f.keys.sealing_count = 1;
    memset(&f.keys.sealing[0], 7, sizeof f.keys.sealing[0]);
    f.keys.signing[FG_KEY_ACTIVE] = fg_key_generate(FG_KEY_EC_P256, "test", f.test.now_ms, f.test.now_ms + FG_DAY, &err);
    next_exchange(&f);
    *state = &f;
    return f.test.env.store && f.keys.signing[FG_KEY_ACTIVE] ? 0 : -1;
}

static int tear_down(void **state) {
    fixture_t *f = *state;
    fg_arena_free(f->ex->arena);
    for (size_t i = 0; i < FG_ARRAY_SIZE(f->sent); i++)
        free((char *)(uintptr_t)f->sent[i].value.p);
    fg_store_close(f->test.env.store);
    fg_key_unref(f->keys.signing[FG_KEY_ACTIVE]);
    free(f->memory);
    return 0;
}

/* The browser: sends back the cookies that the last response set. */
static void send_cookies_back(fixture_t *f) {
    fg_buf_t line = FG_BUF_INIT(65536);
    for (size_t i = 0; i < f->ex->response.header_count; i++) {
        fg_header_t *header = &f->ex->response.headers[i];
        if (!fg_str_is(header->name, "Set-Cookie"))
            continue;
        size_t pair = strcspn(header->value.p, ";");
        if (line.length > 0)
            fg_buf_puts(&line, "; ");
        fg_buf_add(&line, header->value.p, pair);
    }
    free((char *)(uintptr_t)f->sent[0].value.p);
    char *text = fg_buf_take(&line, NULL);
    f->sent[0] = (fg_header_t){FG_STR("Cookie"), fg_str(text)};
    next_exchange(f);
    f->ex->request.header_count = 1;
}

static void sign_in(fixture_t *f, size_t groups) {
    fg_session_t session;
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity = {.issuer = FG_STR("staff"), .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    identity.auth_instant_ms = f->test.now_ms;
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_NAME, FG_STR("alice")));
    for (size_t i = 0; i < groups; i++) {
        const char *name = fg_arena_printf(f->ex->arena, "a group with a long name, which has the number %zu", i);
        assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_ROLE, fg_str(name)));
    }
    fg_session_party_t party = {.protocol = FG_PROTOCOL_WSFED, .realm = FG_STR("urn:rp")};
    assert_true(fg_session_begin(f->ex, &identity, FG_STR("urn:home"), &session, &err));
    assert_true(fg_session_add_party(&session, &party));
    party.reference = FG_STR("second");
    assert_true(fg_session_add_party(&session, &party)); /* the newer reference counts */
    assert_true(fg_session_save(f->ex, &session, &err));
    send_cookies_back(f);
}

static void session_comes_back_as_it_was(void **state) {
    fixture_t *f = *state;
    fg_session_t session;
    sign_in(f, 2);
    assert_true(fg_session_open(f->ex, &session));
    assert_true(fg_str_is(session.home_realm, "urn:home"));
    assert_int_equal(session.party_count, 1);
    assert_true(fg_str_is(session.parties[0].realm, "urn:rp"));
    assert_true(fg_str_is(session.parties[0].reference, "second"));
    assert_int_equal(session.identity.claims.count, 3);
    assert_true(fg_str_is(session.identity.claims.items[0].value, "alice"));
    assert_true(fg_str_is(session.identity.auth_method, FG_AUTH_PASSWORD));
}

static void session_has_a_size(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_session_t session;
    fg_identity_t identity = {.issuer = FG_STR("staff"), .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    for (unsigned i = 0; i < 24; i++) {
        char *group = fg_arena_alloc(f->ex->arena, 501);
        memset(group, 'a' + (int)i, 500);
        assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_ROLE, fg_str(group)));
    }
    assert_true(fg_session_begin(f->ex, &identity, FG_STR("urn:home"), &session, &err));
    assert_false(fg_session_save(f->ex, &session, &err));
    assert_int_equal(err.code, FG_E_SESSION_SIZE);
    session.identity.claims.count = 20; /* the control */
    assert_true(fg_session_save(f->ex, &session, &err));
}

/* HT-09 */
static void session_cookie_has_every_guard(void **state) {
    fixture_t *f = *state;
    fg_session_t session = {.created_ms = f->test.now_ms};
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_session_save(f->ex, &session, &err));
    const char *cookie = f->ex->response.headers[0].value.p;
    assert_int_equal(strncmp(cookie, "__Host-fedgate=", 15), 0);
    assert_non_null(strstr(cookie, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
    assert_null(strstr(cookie, "Domain"));
}

/* HT-08: bound to its host, sealed, limited in time, a new id at every sign-in */
static void session_is_refused_elsewhere_altered_or_late(void **state) {
    fixture_t *f = *state;
    fg_session_t session;
    sign_in(f, 0);
    f->hub.host = FG_STR("other.test");
    assert_false(fg_session_open(f->ex, &session));
    f->hub.host = FG_STR("gw.test");
    assert_true(fg_session_open(f->ex, &session));

    char *text = (char *)(uintptr_t)f->sent[0].value.p, *place = text + strlen(text) - 9, kept = *place;
    *place = kept == 'A' ? 'B' : 'A';
    assert_false(fg_session_open(f->ex, &session));
    *place = kept;
    assert_true(fg_session_open(f->ex, &session));

    f->ex->now_ms += FG_HOUR - 1;
    assert_true(fg_session_open(f->ex, &session));
    f->ex->now_ms += 1;
    assert_false(fg_session_open(f->ex, &session));

    memset(f->keys.sealing[0].id, 8, 4);
    f->ex->now_ms = f->test.now_ms;
    assert_false(fg_session_open(f->ex, &session));
}

static void session_does_not_outlive_its_absolute_lifetime(void **state) {
    fixture_t *f = *state;
    fg_session_t session;
    fg_err_t err = FG_ERR_INIT;
    sign_in(f, 0);
    for (int i = 0; i < 16; i++) {
        assert_true(fg_session_open(f->ex, &session));
        f->test.now_ms += FG_HOUR / 2;
        f->ex->now_ms = f->test.now_ms;
        assert_true(fg_session_save(f->ex, &session, &err));
        send_cookies_back(f);
    }
    assert_false(fg_session_open(f->ex, &session));
}

static void session_ids_differ(void **state) {
    fixture_t *f = *state;
    fg_session_t first, second;
    sign_in(f, 0);
    assert_true(fg_session_open(f->ex, &first));
    sign_in(f, 0);
    assert_true(fg_session_open(f->ex, &second));
    assert_string_not_equal(first.id, second.id);
}

/* A copied cookie does not outlive the sign-out; control: another session stays. */
static void session_that_ended_stays_ended(void **state) {
    fixture_t *f = *state;
    fg_session_t session;
    sign_in(f, 0);
    assert_true(fg_session_open(f->ex, &session));
    fg_session_end(f->ex, &session);
    assert_false(fg_session_open(f->ex, &session));
    f->ex->response.header_count = 0;
    sign_in(f, 0);
    assert_true(fg_session_open(f->ex, &session));
    fg_store_t *store = f->test.env.store;
    f->test.env.store = NULL; /* a store that is away: fails closed */
    assert_false(fg_session_open(f->ex, &session));
    f->test.env.store = store;
}

/* What every session says (types, methods, issuers) stands in it by number: cookies are sent with each request. */
static void words_that_come_again_are_short(void **state) {
    fixture_t *f = *state;
    static const fg_str_t known[] = {FG_STR_INIT("urn:known:a"), FG_STR_INIT("urn:known:b")};
    const fg_str_t texts[] = {FG_STR("urn:known:b"), FG_STR("urn:new"), FG_STR(""), FG_STR("abc"), FG_STR("urn:new"), FG_STR("abc"), FG_STR("urn:known:a")};
    static const char expected[] = "\x03" "\x0e" "urn:new" "\x00" "\x06" "abc" "\x05" "\x06" "abc" "\x01";
    fg_words_t words = {known, 2, {{NULL, 0}}, 0};
    fg_buf_t out = FG_BUF_INIT(1024);
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++)
        fg_bytes_put_word(&out, &words, texts[i]);
    assert_int_equal(out.length, sizeof expected - 1);
    assert_memory_equal(out.data, expected, sizeof expected - 1);
    for (size_t n = 0; n <= out.length; n++) { /* and cut off anywhere, it is refused */
        fg_bytes_t in = {{out.data, n}, false};
        words.seen_count = 0;
        for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
            fg_str_t text = fg_bytes_get_word(&in, &words);
            assert_true(in.failed || fg_str_eq(text, texts[i]));
        }
        assert_int_equal(fg_bytes_end(&in), n == out.length);
    }
    fg_buf_free(&out);
    static const char *const bad[] = {"\x07", "\x81\x01", "\xff\xff\xff\xff\x01", "\x02", "\xfe\xff\xff\x7f"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        fg_bytes_t in = {fg_str(bad[i]), false};
        words.seen_count = 1;
        (void)fg_bytes_get_word(&in, &words);
        assert_true(in.failed);
    }
    sign_in(f, 0);
    assert_true(f->sent[0].value.n < 400);
}

/* The numbers of words stay: an older cookie means what it meant. */
static void words_keep_their_numbers(void **state) {
    fixture_t *f = *state;
    fg_session_t session = {.id = "_x"};
    fg_buf_t out = FG_BUF_INIT(1024);
    static const char *const types[] = {FG_CLAIM_NAME, FG_CLAIM_ROLE, FG_CLAIM_AUTHNMETHODSREFERENCES, FG_AUTH_PASSWORD, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"};
    static const char expected[] = "\x01\0\0\0\0" "\x0d\0\0\0\0" "\x1b\0\0\0\0" "\x1d\0\0\0\0" "\x2f\0\0\0\0";
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++)
        assert_true(fg_claims_put(f->ex->arena, &session.identity.claims, types[i], FG_STR("")));
    fg_session_write(&out, &session);
    assert_true(fg_buf_ok(&out) && out.length > sizeof expected);
    assert_memory_equal(out.data + out.length - (sizeof expected - 1), expected, sizeof expected - 1);
    fg_buf_free(&out);
}

/* HT-10 */
static void large_session_goes_in_chunks_and_no_more_than_four(void **state) {
    fixture_t *f = *state;
    fg_session_t session;
    fg_err_t err = FG_ERR_INIT;
    sign_in(f, 60);
    assert_true(fg_session_open(f->ex, &session));
    assert_int_equal(session.identity.claims.count, 61);
    assert_non_null(strstr(f->sent[0].value.p, "__Host-fedgate-1="));

    char *second = strstr(f->sent[0].value.p, "__Host-fedgate-1=");
    second[10] = 'X'; /* a chunk is missing */
    assert_false(fg_session_open(f->ex, &session));
    second[10] = 'g';
    assert_non_null(strstr(f->sent[0].value.p, "=2.") ? f->sent[0].value.p : strstr(f->sent[0].value.p, "=3."));

    char *count = strchr(f->sent[0].value.p, '=') + 1, kept = *count;
    *count = '9';
    assert_false(fg_session_open(f->ex, &session));
    *count = kept;
    assert_true(fg_session_open(f->ex, &session));

    for (int i = 0; i < 400; i++)
        assert_true(fg_claims_put(f->ex->arena, &session.identity.claims, FG_CLAIM_ROLE,
                                  fg_str(fg_arena_printf(f->ex->arena, "another group with a long name and the number %d", i))));
    assert_false(fg_session_save(f->ex, &session, &err));
}

/* WF-08 */
static void form_token_is_bound_to_browser_purpose_and_time(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    fg_str_t token;
    assert_true(fg_form_token_make(f->ex, "sign-in", &token, &err));
    char *copy = strdup(token.p);
    send_cookies_back(f);
    token = fg_str(copy);
    assert_true(fg_form_token_check(f->ex, "sign-in", token, &err));
    assert_false(fg_form_token_check(f->ex, "other", token, &err));
    assert_err(&err, FG_E_CSRF);
    assert_false(fg_form_token_check(f->ex, "sign-in", FG_STR(""), &err));
    f->ex->now_ms += FG_HOUR + 1;
    assert_false(fg_form_token_check(f->ex, "sign-in", token, &err));
    f->ex->now_ms -= FG_HOUR + 1;
    char *cookie = strchr(f->sent[0].value.p, '=') + 1;
    *cookie = *cookie == '0' ? '1' : '0'; /* another browser */
    assert_false(fg_form_token_check(f->ex, "sign-in", token, &err));
    free(copy);
}

static void choice_is_remembered_under_its_name(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_remember(f->ex, "whr urn:rp", FG_STR("urn:home"), &err));
    send_cookies_back(f);
    assert_true(fg_str_is(fg_remembered(f->ex, "whr urn:rp"), "urn:home"));
    assert_null(fg_remembered(f->ex, "whr urn:other").p);
}

/* HT-02 */
static void header_with_a_line_break_fails_the_response(void **state) {
    fixture_t *f = *state;
    fg_response_header(f->ex, "X", FG_STR("fine"));
    assert_false(f->ex->response.failed);
    fg_response_header(f->ex, "X", FG_STR("a\r\nSet-Cookie: b"));
    assert_true(f->ex->response.failed);
    assert_int_equal(f->ex->response.header_count, 1);
}

/* HT-05 */
static void media_type_given_twice_is_none(void **state) {
    fixture_t *f = *state;
    fg_header_t headers[] = {{FG_STR("Content-Type"), FG_STR("Text/XML; charset=utf-8")},
                             {FG_STR("content-type"), FG_STR("text/html")}};
    f->ex->request.headers = headers;
    f->ex->request.header_count = 1;
    assert_true(fg_str_is(fg_request_media_type(f->ex->arena, &f->ex->request), "text/xml"));
    f->ex->request.header_count = 2;
    assert_null(fg_request_media_type(f->ex->arena, &f->ex->request).p);
}

static void audit_line_is_one_line_of_json(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    FG_FAIL(&err, FG_E_WSFED_REALM, "wtrealm \"%s\"", "a\nb");
    const fg_audit_field_t fields[] = {{"user", FG_STR("x\"\r\n{}")}, {"nothing", FG_STR("")}};
    fg_audit(f->ex, "refused", &err, fields, 2);
    fg_audit(f->ex, "signout", NULL, NULL, 0);
    fg_str_t text = f->ex->audit->text;
    assert_null(memchr(text.p, '\n', text.n));
    json_t *line = fg_json_parse(text, &err);
    assert_non_null(line);
    assert_true(fg_str_is(fg_json_string(line, "reason"), "wsfed_realm"));
    assert_true(fg_str_is(fg_json_string(line, "code"), "partner.unknown"));
    assert_true(fg_str_is(fg_json_string(line, "user"), "x\"\r\n{}"));
    assert_true(fg_str_is(fg_json_string(line, "id"), "c-1"));
    assert_null(json_object_get(line, "nothing"));
    json_decref(line);
    assert_non_null(f->ex->audit->next);
    assert_null(f->ex->audit->next->next);
}

/* WT-09, and no claim without being named */
static void issue_clamps_lifetime_and_selects_claims(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    static const char *const types[] = {FG_CLAIM_UPN};
    fg_partner_t partner = {.name = "p", .token_lifetime_ms = FG_HOUR, .claim_types = types, .claim_type_count = 1};
    fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = f->test.now_ms};
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_UPN, FG_STR("alice@example.test")));
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_EMAIL, FG_STR("hidden@example.test")));
    fg_issue_request_t request = {.partner = &partner, .audience = FG_STR("urn:rp"), .identity = &identity};
    request.version = FG_SAML_20;
    request.lifetime_ms = 24 * FG_HOUR;
    fg_issued_t issued;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_int_equal(issued.expires_ms - issued.created_ms, FG_HOUR);
    assert_non_null(strstr(issued.token.p, "alice@example.test"));
    assert_null(strstr(issued.token.p, "hidden@"));
    request.lifetime_ms = FG_MINUTE;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_int_equal(issued.expires_ms - issued.created_ms, FG_MINUTE);
    /* WT-02: not longer than the token of whom somebody acts for */
    request.not_after_ms = f->test.now_ms + 2 * FG_MINUTE;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_int_equal(issued.expires_ms - issued.created_ms, FG_MINUTE);
    request.lifetime_ms = 0;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_int_equal(issued.expires_ms - issued.created_ms, 2 * FG_MINUTE);
    request.not_after_ms = f->test.now_ms;
    assert_false(fg_issue(f->ex, &request, &issued, &err));
    assert_err(&err, FG_E_TOKEN_EXPIRED);
    request.not_after_ms = 0;
    f->test.random_fails = true;
    assert_false(fg_issue(f->ex, &request, &issued, &err));
    assert_err(&err, FG_E_INTERNAL);
}

/* The same pipeline, another format; who wants tokens encrypted gets none that everybody reads. */
static void issue_writes_a_jwt(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    static const char *const types[] = {FG_CLAIM_UPN, FG_CLAIM_NAMEIDENTIFIER};
    fg_partner_t partner = {.name = "p", .token_lifetime_ms = FG_HOUR, .claim_types = types, .claim_type_count = 2};
    fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = f->test.now_ms};
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_UPN, FG_STR("alice@example.test")));
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_EMAIL, FG_STR("hidden@example.test")));
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_NAMEIDENTIFIER, FG_STR("a-1")));
    fg_issue_request_t request = {.partner = &partner, .audience = FG_STR("urn:rp"), .identity = &identity, .jwt = true};
    fg_issued_t issued;
    fg_key_t *key = f->ex->keys->signing[FG_KEY_ACTIVE];
    fg_jwk_t trusted = {key, fg_str(fg_key_get_id(key)), FG_STR_NONE};
    const fg_jwk_set_t keys = {&trusted, 1};
    fg_jwt_trust_t trust = {.issuer = f->ex->hub->entity_id, .keys = &keys, .audiences = &request.audience, .audience_count = 1};
    fg_jwt_read_t got;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_true(fg_jwt_read(f->ex->env, f->ex->arena, issued.token, &trust, &got, &err));
    assert_true(fg_str_is(got.identity.name_id.value, "a-1"));
    assert_true(fg_str_is(got.id, issued.id));
    assert_int_equal(got.identity.claims.count, 1);
    assert_true(fg_str_is(fg_claims_get(&got.identity.claims, FG_CLAIM_UPN)->value, "alice@example.test"));
    assert_true(got.not_on_or_after_ms == f->test.now_ms + FG_HOUR);
    assert_non_null(strstr(f->ex->audit->text.p, "\"token_type\":\"jwt\""));
    partner.name_id_claim = FG_CLAIM_UPN;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_true(fg_jwt_read(f->ex->env, f->ex->arena, issued.token, &trust, &got, &err));
    assert_true(fg_str_is(got.identity.name_id.value, "alice@example.test"));
    partner.encryption_key = key;
    assert_false(fg_issue(f->ex, &request, &issued, &err));
    assert_err(&err, FG_E_WST_TOKEN_TYPE);
    partner.encryption_key = NULL;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
}

/* Authorization, then issuance; the NameID is the name identifier that the rules issue. */
static void issue_runs_the_rules(void **state) {
    fixture_t *f = *state;
    fg_err_t err = FG_ERR_INIT;
    static const char permit[] = "@RuleName=\"r\" [Type==\"" FG_CLAIM_UPN "\",Value==\"alice\"]=>issue(Type=\"" FG_CLAIM_PERMIT "\",Value=\"1\");";
    static const char issue[] = "c:[Type==\"" FG_CLAIM_UPN "\"]=>issue(Type=\"" FG_CLAIM_NAMEIDENTIFIER "\",Value=c.Value+\"-id\");"
                                "c:[Type==\"" FG_CLAIM_AUTHMETHOD "\"]=>issue(Type=\"urn:how\",Value=RegexReplace(c.Value,\".*/\",\"by-\"));";
    fg_ruleset_t *who = fg_ruleset_compile("who", FG_STR(permit), NULL, &err), *what = fg_ruleset_compile("what", FG_STR(issue), NULL, &err);
    fg_partner_t partner = {.name = "p", .token_lifetime_ms = FG_HOUR, .authorization_rules = who, .issuance_rules = what};
    fg_identity_t identity = {.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = f->test.now_ms};
    fg_issue_request_t request = {.partner = &partner, .audience = FG_STR("urn:rp"), .identity = &identity, .version = FG_SAML_20};
    fg_issued_t issued;
    assert_true(fg_claims_put(f->ex->arena, &identity.claims, FG_CLAIM_UPN, FG_STR("bob")));
    assert_false(fg_issue(f->ex, &request, &issued, &err));
    assert_err(&err, FG_E_DENIED);
    assert_string_equal(err.detail, "token for p: no authorization rule permits it");
    identity.claims.items[0].value = FG_STR("alice");
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_non_null(strstr(issued.token.p, ">alice-id</saml:NameID>"));
    assert_non_null(strstr(issued.token.p, ">by-password<"));
    assert_null(strstr(issued.token.p, FG_CLAIM_NAMEIDENTIFIER));
    assert_null(strstr(issued.token.p, ">alice<"));
    partner.name_id_claim = FG_CLAIM_UPN;
    assert_true(fg_issue(f->ex, &request, &issued, &err));
    assert_non_null(strstr(issued.token.p, ">alice</saml:NameID>"));
    fg_ruleset_free(who);
    fg_ruleset_free(what);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(session_comes_back_as_it_was),
        CASE(session_has_a_size),
        CASE(session_cookie_has_every_guard),
        CASE(session_is_refused_elsewhere_altered_or_late),
        CASE(session_does_not_outlive_its_absolute_lifetime),
        CASE(session_ids_differ),
        CASE(session_that_ended_stays_ended),
        CASE(words_that_come_again_are_short),
        CASE(words_keep_their_numbers),
        CASE(large_session_goes_in_chunks_and_no_more_than_four),
        CASE(form_token_is_bound_to_browser_purpose_and_time),
        CASE(choice_is_remembered_under_its_name),
        CASE(header_with_a_line_break_fails_the_response),
        CASE(media_type_given_twice_is_none),
        CASE(audit_line_is_one_line_of_json),
        CASE(issue_clamps_lifetime_and_selects_claims),
        CASE(issue_writes_a_jwt),
        CASE(issue_runs_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
