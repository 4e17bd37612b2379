/* SPDX-License-Identifier: GPL-2.0-or-later
 * Assertions and messages of SAML 2.0, by the functions that the gateway calls (bridges/saml/sign_in.c,
 * sts/wsfed_response.c). */
#include <string.h>

#include "bridges/saml/message.h"
#include "bridges/saml/response.h"
#include "cli/verify.h"
#include "core/time.h"

/* ---- assertions */

static bool any_audience(const void *context, fg_str_t audience) {
    (void)context, (void)audience;
    return true;
}

/* What is not given is taken from the token itself, and is then not checked. */
static fg_assertion_trust_t expect(fg_verify_t *v, const xmlNode *element, bool web_sso) {
    fg_assertion_trust_t trust = {
        .issuer = v->issuer.n > 0 ? v->issuer : v->trust.issuer,
        .dsig = {v->trust.keys, v->trust.key_count, v->allow_sha1},
        .audiences = v->audiences,
        .audience_count = v->audience_count,
        .is_audience = v->audience_count == 0 ? any_audience : NULL,
        .recipient = v->recipient,
        .in_response_to = v->in_response_to,
        .web_sso = web_sso,
        .skew_ms = v->skew_ms,
        .max_lifetime_ms = v->trust.max_lifetime_ms,
        .decryption = v->decryption.key_count > 0 ? &v->decryption : NULL,
        .once = true,
    };
    if (trust.issuer.n == 0)
        trust.issuer = fg_assertion_peek_issuer(v->arena, element);
    if (trust.recipient.p == NULL)
        trust.recipient = fg_facts_get(v->facts, "recipient");
    if (trust.in_response_to.p == NULL)
        trust.in_response_to = fg_facts_get(v->facts, "in_response_to");
    return trust;
}

static void note_what_is_missing(fg_verify_t *v) {
    if (v->issuer.n == 0 && v->trust.issuer.n == 0)
        fg_verify_not_checked(v, FG_CHECK_ISSUER, "give --issuer, or metadata as --trust");
    if (v->audience_count == 0)
        fg_verify_not_checked(v, FG_CHECK_AUDIENCE, "give --audience");
    if (v->recipient.p == NULL)
        fg_verify_not_checked(v, FG_CHECK_RECIPIENT, "give --recipient");
    if (v->in_response_to.p == NULL && v->nonce.p == NULL)
        fg_verify_not_checked(v, FG_CHECK_REQUEST, "give --in-response-to");
    fg_verify_not_checked(v, FG_CHECK_DESTINATION,
                          v->message == NULL         ? "there is no message around it"
                          : v->destination.p == NULL ? "give --destination"
                                                     : v->checks[FG_CHECK_DESTINATION].note);
    fg_verify_not_checked(v, FG_CHECK_POLICY, "give --for and --config");
}

/* An instant at which the token is valid, so that what stands behind its times can be judged as well. */
static int64_t inside(const fg_verify_t *v) {
    static const char *const names[] = {"not_before", "issued", "authenticated"};
    int64_t latest = 0, ms;
    for (size_t i = 0; i < FG_ARRAY_SIZE(names); i++) {
        fg_str_t text = fg_facts_get(v->facts, names[i]);
        if (text.p != NULL && fg_time_parse(fg_str_trim(text), &ms) && ms > latest)
            latest = ms;
    }
    return latest;
}

/* Lets one thing pass that failed.  False: nothing behind it means anything. */
static bool relax(fg_verify_t *v, fg_assertion_trust_t *trust, const xmlNode *element, fg_check_t failed) {
    switch (failed) {
    case FG_CHECK_ISSUER:
        trust->issuer = fg_assertion_peek_issuer(v->arena, element);
        return trust->issuer.n > 0;
    case FG_CHECK_TIMES:
        fg_input_set_clock(&v->env, inside(v));
        trust->max_lifetime_ms = 0;
        trust->skew_ms = FG_DAY;
        return inside(v) > 0;
    case FG_CHECK_AUDIENCE:
        trust->is_audience = any_audience;
        return fg_facts_get(v->facts, "audience").p != NULL;
    case FG_CHECK_RECIPIENT:
        trust->recipient = fg_facts_get(v->facts, "recipient");
        return trust->recipient.p != NULL;
    case FG_CHECK_REQUEST:
        trust->in_response_to = fg_facts_get(v->facts, "in_response_to");
        return true;
    default:
        return false;
    }
}

void fg_verify_assertion(fg_verify_t *v, xmlNode *element, const fg_dsig_verified_t *enclosing, bool web_sso) {
    fg_assertion_trust_t trust = expect(v, element, web_sso);
    fg_assertion_read_t read;
    int64_t now = fg_now(&v->env);
    trust.enclosing = enclosing;
    v->in_order = true;
    note_what_is_missing(v);
    for (unsigned round = 0; round < FG_CHECKS; round++) {
        fg_err_t err = FG_ERR_INIT;
        if (fg_assertion_read(&v->env, v->arena, element, &trust, &read, &err)) {
            fg_verify_keep(v, &read.identity);
            fg_verify_passed(v, FG_CHECK_REPLAY);
            break;
        }
        fg_check_t failed = fg_check_of(fg_reason_of(&err)->reason);
        bool again = v->checks[failed].outcome == FG_OUTCOME_FAILED;
        fg_verify_fail(v, &err);
        if (again || !relax(v, &trust, element, failed))
            break;
    }
    fg_input_set_clock(&v->env, now);
}

/* ---- messages */

static bool verify_signature(fg_verify_t *v, fg_saml_inbound_t *in, bool *is_signed) {
    fg_entity_keys_t keys = {.allow_sha1 = v->allow_sha1};
    fg_err_t err = FG_ERR_INIT;
    for (size_t i = 0; i < v->trust.key_count && keys.count < FG_ENTITY_KEYS; i++)
        keys.items[keys.count++] = (fg_key_t *)(uintptr_t)v->trust.keys[i];
    return fg_saml_verify(in, &keys, is_signed, &err) || fg_verify_fail(v, &err);
}

/* Of a signed message what stands behind its head can be judged all the same. */
static bool check_head(fg_verify_t *v, const fg_saml_inbound_t *in, bool is_signed) {
    fg_saml_head_t head = {.issue_instant_ms = 0};
    fg_err_t err = FG_ERR_INIT;
    fg_str_t own = fg_facts_get(v->message, "destination");
    fg_str_t destination = v->destination.p != NULL ? v->destination : own;
    if (v->destination.p == NULL)
        fg_verify_not_checked(v, FG_CHECK_DESTINATION, "give --destination");
    v->in_order = is_signed;
    if (fg_saml_read_head(v->ex, in->root, destination, is_signed && v->destination.p != NULL, &head, &err))
        return true;
    fg_check_t failed = fg_check_of(fg_reason_of(&err)->reason);
    fg_verify_fail(v, &err);
    return is_signed && (failed == FG_CHECK_DESTINATION || failed == FG_CHECK_TIMES);
}

static bool check_message_issuer(fg_verify_t *v, const fg_saml_inbound_t *in) {
    fg_str_t expected = v->issuer.n > 0 ? v->issuer : v->trust.issuer;
    fg_err_t err = FG_ERR_INIT;
    if (expected.n == 0 || in->issuer.n == 0 || fg_str_eq(expected, in->issuer))
        return true;
    FG_FAIL_FOR(&err, FG_E_TOKEN_ISSUER, FG_R_ISSUER_MISMATCH, "the message is from %.*s, not from %.*s",
                FG_STR_ARG(in->issuer), FG_STR_ARG(expected));
    return fg_verify_fail(v, &err);
}

/* The one assertion of a Response, opened. */
static xmlNode *take_assertion(fg_verify_t *v, const fg_saml_inbound_t *in) {
    fg_err_t err = FG_ERR_INIT;
    xmlNode *assertion = fg_saml_response_read(v->ex, in->root, &err);
    if (assertion == NULL) {
        fg_verify_fail(v, &err);
        return NULL;
    }
    if (fg_assertion_is_encrypted(assertion) &&
        !fg_saml_decrypt(v->arena, assertion, v->decryption.keys, v->decryption.key_count, v->decryption.limits,
                         &assertion, &err)) {
        fg_verify_fail(v, &err);
        return NULL;
    }
    return assertion;
}

/* As it came: by a query or a form the gateway's own reader takes it, with the signature beside it. */
static bool receive(fg_verify_t *v, fg_saml_inbound_t *in) {
    const fg_piece_t *carrier = v->subject;
    fg_err_t err = FG_ERR_INIT;
    *in = (fg_saml_inbound_t){.binding = FG_SAML_POST,
                              .root = v->subject->xml,
                              .issuer = fg_facts_get(v->message, "issuer"),
                              .is_response = v->subject->kind == FG_PIECE_RESPONSE};
    while (carrier != NULL && carrier->kind != FG_PIECE_FORM)
        carrier = carrier->parent;
    if (carrier == NULL)
        return true;
    bool deflated = false;
    for (const fg_piece_t *piece = v->subject; piece != carrier; piece = piece->parent)
        deflated = deflated || piece->kind == FG_PIECE_DEFLATE;
    v->ex->request.query = carrier->bytes;
    return (deflated ? fg_saml_receive(v->ex, in, &err) : fg_saml_receive_form(v->ex, carrier->bytes, in, &err)) ||
           fg_verify_fail(v, &err);
}

/* What asks or answers without an assertion: a LogoutRequest, an AuthnRequest. */
static void finish_message(fg_verify_t *v, const xmlNode *root, bool is_signed) {
    fg_err_t err = FG_ERR_INIT;
    bool needs_signature = true, asks = fg_xml_is(root, FG_NS_SAML2P, "AuthnRequest");
    bool answerable = !asks || fg_verify_consumer(v, root, &needs_signature);
    if (!is_signed && needs_signature) {
        FG_FAIL(&err, FG_E_SIG_MISSING, "the message is not signed");
        fg_verify_fail(v, &err);
        return;
    }
    for (fg_check_t check = FG_CHECK_AUDIENCE; check <= FG_CHECK_RECIPIENT; check++)
        if (check != FG_CHECK_RECIPIENT || v->trust.partner == NULL || !asks)
            fg_verify_not_checked(v, check, "the message has none");
    for (fg_check_t check = FG_CHECK_COVERAGE; check <= FG_CHECK_SIGNATURE && !is_signed; check++)
        fg_verify_not_checked(v, check, "the partner does not sign its requests");
    fg_verify_not_checked(v, FG_CHECK_REQUEST, "the message has none");
    fg_verify_not_checked(v, FG_CHECK_REPLAY, "the gateway notes its ID");
    fg_verify_not_checked(v, FG_CHECK_POLICY, "see 'fedgate policy explain'");
    if (answerable)
        fg_verify_passed(v, FG_CHECK_REPLAY);
}

void fg_verify_message(fg_verify_t *v) {
    fg_saml_inbound_t in;
    bool is_signed = false;
    if (!receive(v, &in) || !verify_signature(v, &in, &is_signed) || !check_head(v, &in, is_signed) ||
        !check_message_issuer(v, &in))
        return;
    if (!fg_xml_is(in.root, FG_NS_SAML2P, "Response")) {
        finish_message(v, in.root, is_signed);
        return;
    }
    xmlNode *assertion = take_assertion(v, &in);
    const fg_dsig_verified_t enclosing = {.element = in.root, .key = in.key != NULL ? in.key : v->trust.keys[0]};
    if (assertion != NULL)
        fg_verify_assertion(v, assertion, is_signed ? &enclosing : NULL, true);
}
