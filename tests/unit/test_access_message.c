/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signed SOAP messages to protected locations: by a certificate, by the holder of an assertion's key, by somebody who
 * vouches for an assertion's subject. */
#include "tests/unit/access.h"
#include "tests/unit/wss_draft.h"

#include "core/time.h"
#include "core/xml_ns.h"
#include "hub/token_id.h"

#define AT "all"

static draft_t new_draft(void) {
    return (draft_t){.env = &access_test.env,
                     .path = "/service",
                     .trust = FG_TRUST_13,
                     .parts = DRAFT_TIMESTAMP | DRAFT_TO,
                     .covered = DRAFT_TIMESTAMP | DRAFT_BODY,
                     .key = access_client_key,
                     .body = "<x xmlns=\"urn:x\"></x>"};
}

static bool post(const char *text) {
    access_begin(AT, "POST", "/service");
    access_put_header("Content-Type", "application/soap+xml");
    access_call.body = text;
    return access_run();
}

static bool sent(const draft_t *draft) { return post(draft_write(draft)); }

static fg_str_t assertion(fg_confirmation_t confirmation, fg_saml_version_t version, const fg_key_t *proof) {
    const draft_assertion_t wanted = {.version = version,
                                      .issuer = IDP,
                                      .audience = BASE,
                                      .issuer_key = access_idp_key,
                                      .confirmation = confirmation,
                                      .proof_key = proof};
    return draft_assertion(&wanted);
}

static const char *user(void) {
    const fg_name_id_t *name = &access_call.ex->access->session.identity.name_id;
    return name->value.n > 0 ? name->value.p : "";
}

static void a_certificate_signs(void **state) {
    (void)state;
    draft_t draft = new_draft();
    assert_true(sent(&draft));
    assert_string_equal(access_call.ex->access->credential, "soap");
    assert_non_null(strstr(user(), "robot"));
    assert_false(sent(&draft)); /* WT-03 */
    assert_true(access_refused(401, "wss_replay"));
    draft.key = access_other_key;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "certificate_untrusted"));
}

/* WT-04 */
static void the_timestamp_must_be_signed(void **state) {
    (void)state;
    draft_t draft = new_draft();
    draft.covered = DRAFT_BODY;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "wss_timestamp"));
    draft.parts &= ~(unsigned)DRAFT_TIMESTAMP;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "wss_timestamp"));
    draft = new_draft();
    draft.covered = DRAFT_TIMESTAMP; /* TLS keeps the rest */
    assert_true(sent(&draft));
}

static draft_t holder_draft(fg_saml_version_t version) {
    draft_t draft = new_draft();
    draft.parts |= DRAFT_SAML;
    draft.assertion = assertion(FG_CONFIRM_HOLDER_OF_KEY, version, access_other_key);
    draft.saml = version;
    draft.key = access_other_key;
    draft.naming = DRAFT_ASSERTION;
    return draft;
}

/* SA-09 */
static void only_the_holder_of_the_key_is_let_in(void **state) {
    (void)state;
    for (unsigned version = 0; version < 2; version++) {
        draft_t draft = holder_draft((fg_saml_version_t)version);
        draft.created = version ? "2026-01-01T00:00:00Z" : "2026-01-01T00:00:01Z";
        assert_true(sent(&draft));
        assert_string_equal(user(), "carol");
        draft.key = access_idp_key; /* any other */
        assert_false(sent(&draft));
        assert_true(access_refused(401, "signature_invalid"));
        draft = holder_draft((fg_saml_version_t)version);
        draft.covered = 0; /* shown by somebody who found it */
        assert_false(sent(&draft));
        assert_true(access_refused(401, "token_confirmation"));
        draft = holder_draft((fg_saml_version_t)version);
        draft.naming = DRAFT_BINARY_TOKEN; /* another's signature, good as it is */
        draft.key = access_client_key;
        assert_false(sent(&draft));
        assert_true(access_refused(401, "token_confirmation"));
    }
}

/* WT-08: one of our own that was cancelled since; the control is the same one before. */
static void our_own_token_is_taken_until_it_is_cancelled(void **state) {
    static const char id[] = "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    (void)state;
    fg_err_t err = FG_ERR_INIT;
    for (unsigned version = 0; version < 2; version++) {
        draft_t draft = holder_draft((fg_saml_version_t)version);
        draft.created = version ? "2026-01-01T00:00:00Z" : "2026-01-01T00:00:01Z";
        assert_true(sent(&draft)); /* which tells our keys, too */
        const draft_assertion_t wanted = {.version = (fg_saml_version_t)version,
                                          .issuer = ENTITY,
                                          .audience = BASE,
                                          .issuer_key = access_call.ex->keys->signing[FG_KEY_ACTIVE],
                                          .confirmation = FG_CONFIRM_HOLDER_OF_KEY,
                                          .proof_key = access_other_key,
                                          .id = id};
        draft.assertion = draft_assertion(&wanted);
        draft.assertion_id = id;
        draft.created = version ? "2026-01-01T00:00:02Z" : "2026-01-01T00:00:03Z";
        assert_true(sent(&draft));
        assert_string_equal(user(), "carol");
        assert_true(fg_token_cancel(access_call.ex, fg_str(id), TEST_NOW + FG_HOUR, &err));
        draft.created = version ? "2026-01-01T00:00:04Z" : "2026-01-01T00:00:05Z";
        assert_false(sent(&draft));
        assert_true(access_refused(401, "token_cancelled"));
        assert_int_equal(access_refill(state), 0);
    }
}

static draft_t vouched_draft(void) {
    draft_t draft = new_draft();
    draft.parts |= DRAFT_SAML;
    draft.assertion = assertion(FG_CONFIRM_SENDER_VOUCHES, FG_SAML_20, NULL);
    draft.saml = FG_SAML_20;
    draft.covered |= DRAFT_SAML;
    draft.key = access_voucher_key;
    return draft;
}

static void only_a_voucher_vouches(void **state) {
    (void)state;
    draft_t draft = vouched_draft();
    assert_true(sent(&draft));
    assert_string_equal(user(), "carol");
    draft.key = access_client_key;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "token_confirmation"));
    draft = vouched_draft();
    draft.covered &= ~(unsigned)DRAFT_BODY;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "token_confirmation"));
}

/* XS-09: the Body that was signed is not the one that would go on. */
static void a_moved_body_is_refused(void **state) {
    (void)state;
    char moved[65536];
    draft_t draft = new_draft();
    const char *text = draft_write(&draft), *body = strstr(text, "<s:Body"), *end = strstr(body, "</s:Envelope>");
    int head = (int)(strstr(text, "</s:Header>") - text);
    snprintf(moved, sizeof moved, "%.*s<w xmlns=\"urn:w\">%.*s</w></s:Header><s:Body/></s:Envelope>", head, text,
             (int)(end - body), body);
    assert_false(post(moved));
    assert_true(access_refused(401, "signature_structure"));
    assert_true(sent(&draft));
}

/* A name and a password beside a signature: both must be right. */
static void a_signed_password_is_checked(void **state) {
    (void)state;
    draft_t draft = new_draft();
    draft.parts |= DRAFT_USERNAME;
    draft.covered |= DRAFT_USERNAME;
    assert_false(sent(&draft));
    assert_true(access_refused(401, "wrong_user_or_password"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, access_refill)
    const struct CMUnitTest tests[] = {
        TEST(a_certificate_signs),
        TEST(the_timestamp_must_be_signed),
        TEST(only_the_holder_of_the_key_is_let_in),
        TEST(our_own_token_is_taken_until_it_is_cancelled),
        TEST(only_a_voucher_vouches),
        TEST(a_moved_body_is_refused),
        TEST(a_signed_password_is_checked),
    };
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
