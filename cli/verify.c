/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/verify.h"

#include <string.h>

#include "core/time.h"

static const struct {
    const char *name, *title;
} checks[] = {
    [FG_CHECK_FORM] = {"form", "it can be read"},
    [FG_CHECK_STRUCTURE] = {"structure", "it is built as its specification says"},
    [FG_CHECK_ENCRYPTION] = {"encryption", "what is encrypted can be opened"},
    [FG_CHECK_COVERAGE] = {"coverage", "the signature covers what is read"},
    [FG_CHECK_ALGORITHM] = {"algorithm", "the algorithms are strong enough"},
    [FG_CHECK_DIGEST] = {"digest", "it was not changed since it was signed"},
    [FG_CHECK_KEY] = {"key", "a trusted key made the signature"},
    [FG_CHECK_SIGNATURE] = {"signature", "the signature's value is right"},
    [FG_CHECK_DESTINATION] = {"destination", "the message was meant for this address"},
    [FG_CHECK_ISSUER] = {"issuer", "the issuer is the one who is trusted"},
    [FG_CHECK_TIMES] = {"times", "it is valid now"},
    [FG_CHECK_AUDIENCE] = {"audience", "it was issued for us"},
    [FG_CHECK_CONDITIONS] = {"conditions", "its conditions can be met"},
    [FG_CHECK_CONFIRMATION] = {"confirmation", "who shows it may do so"},
    [FG_CHECK_RECIPIENT] = {"recipient", "it was to be delivered here"},
    [FG_CHECK_REQUEST] = {"request", "it answers our request"},
    [FG_CHECK_REPLAY] = {"replay", "it was not used before"},
    [FG_CHECK_POLICY] = {"policy", "our rules permit it"},
};
_Static_assert(FG_ARRAY_SIZE(checks) == FG_CHECKS, "one row per check");

const char *fg_check_name(fg_check_t check) { return checks[check].name; }
const char *fg_check_title(fg_check_t check) { return checks[check].title; }

/* The first row whose beginning is the code's. */
static const struct {
    const char *code;
    fg_check_t check;
} of_codes[] = {
    {"input.", FG_CHECK_FORM},
    {"xml.", FG_CHECK_FORM},
    {"jwt.malformed", FG_CHECK_FORM},
    {"structure.", FG_CHECK_STRUCTURE},
    {"jwt.crit", FG_CHECK_STRUCTURE},
    {"openid.unsigned-field", FG_CHECK_COVERAGE},
    {"openid.return-to", FG_CHECK_RECIPIENT},
    {"openid.nonce", FG_CHECK_REPLAY},
    {"encryption.", FG_CHECK_ENCRYPTION},
    {"signature.weak", FG_CHECK_ALGORITHM},
    {"jwt.alg", FG_CHECK_ALGORITHM},
    {"signature.digest", FG_CHECK_DIGEST},
    {"signature.unknown-key", FG_CHECK_KEY},
    {"signature.wrong-key", FG_CHECK_KEY},
    {"certificate.", FG_CHECK_KEY},
    {"signature.value", FG_CHECK_SIGNATURE},
    {"signature.", FG_CHECK_COVERAGE},
    {"destination.", FG_CHECK_DESTINATION},
    {"issuer.", FG_CHECK_ISSUER},
    {"partner.unknown", FG_CHECK_ISSUER},
    {"time.", FG_CHECK_TIMES},
    {"audience.", FG_CHECK_AUDIENCE},
    {"condition.", FG_CHECK_CONDITIONS},
    {"confirmation.", FG_CHECK_CONFIRMATION},
    {"recipient.", FG_CHECK_RECIPIENT},
    {"partner.reply-url", FG_CHECK_RECIPIENT},
    {"request.", FG_CHECK_REQUEST},
    {"replay.", FG_CHECK_REPLAY},
    {"token.cancelled", FG_CHECK_REPLAY},
};

fg_check_t fg_check_of(fg_reason_t reason) {
    const char *code = fg_reason_get(reason)->code;
    for (size_t i = 0; i < FG_ARRAY_SIZE(of_codes); i++)
        if (strncmp(code, of_codes[i].code, strlen(of_codes[i].code)) == 0)
            return of_codes[i].check;
    return FG_CHECK_POLICY;
}

bool fg_verify_fail(fg_verify_t *v, const fg_err_t *err) {
    fg_reason_t reason = fg_reason_of(err)->reason;
    if (reason == FG_R_NONE) /* the message says that somebody refused, or asks for what is not served */
        reason = FG_R_STRUCTURE_INVALID;
    fg_check_t check = fg_check_of(reason);
    fg_check_result_t *result = &v->checks[check];
    if (v->err.code == FG_OK) {
        v->err = *err;
        v->err.reason = reason;
    }
    if (result->outcome == FG_OUTCOME_FAILED)
        return false;
    result->outcome = FG_OUTCOME_FAILED;
    result->reason = reason;
    result->note = fg_arena_strdup(v->arena, err->detail);
    /* or it would have been told */
    for (unsigned i = 0; i < (unsigned)check && v->in_order; i++)
        if (v->checks[i].outcome == FG_OUTCOME_NOT_CHECKED && v->checks[i].note == NULL)
            v->checks[i].outcome = FG_OUTCOME_PASSED;
    return false;
}

void fg_verify_passed(fg_verify_t *v, fg_check_t last) {
    for (unsigned i = 0; i <= (unsigned)last; i++)
        if (v->checks[i].outcome == FG_OUTCOME_NOT_CHECKED && v->checks[i].note == NULL)
            v->checks[i].outcome = FG_OUTCOME_PASSED;
}

void fg_verify_not_checked(fg_verify_t *v, fg_check_t check, const char *why) {
    if (v->checks[check].outcome != FG_OUTCOME_FAILED)
        v->checks[check].note = why;
}

/* ---- expected and actual, for people */

static fg_str_t joined(fg_verify_t *v, const fg_str_t *items, size_t count) {
    fg_buf_t out = FG_BUF_INIT(4096);
    for (size_t i = 0; i < count; i++) {
        fg_buf_puts(&out, i > 0 ? " or " : "");
        fg_buf_put_str(&out, items[i]);
    }
    fg_str_t text = count > 0 ? fg_arena_str(v->arena, fg_buf_str(&out)) : FG_STR_NONE;
    fg_buf_free(&out);
    return text;
}

/* Both "from … until …" and now. */
static void tell_times(fg_verify_t *v, fg_check_result_t *result) {
    char now[FG_TIME_SIZE];
    fg_str_t start = fg_facts_get(v->facts, "not_before"), end = fg_facts_get(v->facts, "not_on_or_after");
    fg_time_format(fg_now(&v->env), now);
    result->expected =
        fg_str(fg_arena_printf(v->arena, "%s, give or take %lld s", now, (long long)(v->skew_ms / 1000)));
    if (start.p != NULL || end.p != NULL)
        result->actual = fg_str(fg_arena_printf(v->arena, "from %.*s until %.*s", FG_STR_ARG(start), FG_STR_ARG(end)));
}

static void tell_keys(fg_verify_t *v, fg_check_result_t *result) {
    fg_buf_t out = FG_BUF_INIT(4096);
    for (size_t i = 0; i < v->trust.key_count; i++) {
        const char *thumbprint = fg_key_get_thumbprint(v->trust.keys[i]);
        fg_buf_puts(&out, i > 0 ? " or " : "");
        fg_buf_puts(&out, *thumbprint != '\0' ? thumbprint : fg_key_get_id(v->trust.keys[i]));
    }
    if (out.length > 0)
        result->expected = fg_arena_str(v->arena, fg_buf_str(&out));
    fg_buf_free(&out);
    fg_str_t named = fg_facts_get(v->facts, "signing_thumbprint");
    result->actual = named.p != NULL ? named : fg_facts_get(v->facts, "key_id");
}

static void tell(fg_verify_t *v) {
    fg_check_result_t *c = v->checks;
    tell_times(v, &c[FG_CHECK_TIMES]);
    tell_keys(v, &c[FG_CHECK_KEY]);
    c[FG_CHECK_ISSUER].expected = v->issuer.n > 0 ? v->issuer : v->trust.issuer;
    c[FG_CHECK_ISSUER].actual = fg_facts_get(v->facts, "issuer");
    c[FG_CHECK_AUDIENCE].expected = joined(v, v->audiences, v->audience_count);
    c[FG_CHECK_AUDIENCE].actual = fg_facts_join(v->facts, "audience");
    c[FG_CHECK_RECIPIENT].expected = v->recipient;
    c[FG_CHECK_RECIPIENT].actual = fg_facts_join(v->facts, "recipient");
    c[FG_CHECK_CONFIRMATION].actual = fg_facts_join(v->facts, "confirmation");
    c[FG_CHECK_CONDITIONS].actual = fg_facts_join(v->facts, "condition");
    c[FG_CHECK_REQUEST].expected = v->nonce.n > 0 ? v->nonce : v->in_response_to;
    c[FG_CHECK_REQUEST].actual = fg_facts_get(v->facts, v->nonce.n > 0 ? "nonce" : "in_response_to");
    c[FG_CHECK_ALGORITHM].actual = fg_facts_get(v->facts, "signature_algorithm");
    c[FG_CHECK_REPLAY].actual = fg_facts_get(v->facts, "id");
    if (v->subject->kind == FG_PIECE_OPENID2) {
        c[FG_CHECK_RECIPIENT].actual = fg_facts_get(v->facts, "openid.return_to");
        c[FG_CHECK_ISSUER].actual = fg_facts_get(v->facts, "openid.op_endpoint");
        c[FG_CHECK_REPLAY].actual = fg_facts_get(v->facts, "openid.response_nonce");
        c[FG_CHECK_COVERAGE].actual = fg_facts_get(v->facts, "openid.signed");
    }
    c[FG_CHECK_DESTINATION].expected = v->destination;
    c[FG_CHECK_DESTINATION].actual = fg_facts_get(v->message != NULL ? v->message : v->facts, "destination");
    c[FG_CHECK_COVERAGE].actual = fg_facts_join(v->facts, "signature_covers");
}

/* ---- the table of what can be judged */

static const struct {
    fg_piece_kind_t kind;
    void (*run)(fg_verify_t *);
} judges[] = {
    {FG_PIECE_SOAP, fg_verify_soap},       {FG_PIECE_RSTR, fg_verify_soap},
    {FG_PIECE_RSTRC, fg_verify_soap},      {FG_PIECE_RESPONSE, fg_verify_message},
    {FG_PIECE_MESSAGE, fg_verify_message}, {FG_PIECE_SAML11, fg_verify_soap},
    {FG_PIECE_SAML20, fg_verify_soap},     {FG_PIECE_ENCRYPTED, fg_verify_soap},
    {FG_PIECE_JWT, fg_verify_jwt},         {FG_PIECE_JWE, fg_verify_jwt},
    {FG_PIECE_ENTITY, fg_verify_metadata}, {FG_PIECE_ENTITIES, fg_verify_metadata},
    {FG_PIECE_OPENID2, fg_verify_openid2}, {FG_PIECE_CERTIFICATE, fg_verify_certificate},
};

void fg_verify_run(fg_verify_t *v) {
    size_t row = 0;
    while (row < FG_ARRAY_SIZE(judges) && judges[row].kind != v->subject->kind)
        row++;
    if (row < FG_ARRAY_SIZE(judges))
        judges[row].run(v);
    fg_verify_policy(v);
    tell(v);
    if (v->err.code == FG_OK)
        return;
    /* what stands behind what makes everything else meaningless was not looked at */
    for (unsigned i = 0; i < FG_CHECKS; i++)
        if (v->checks[i].outcome == FG_OUTCOME_NOT_CHECKED && v->checks[i].note == NULL)
            v->checks[i].note = "another check failed first";
}
