/* SPDX-License-Identifier: GPL-2.0-or-later
 * Assertions in the Security header of a message, cut up and put together again (XS-01..08, XS-10, XS-11): whoever is
 * let in is the one that the issuer signed. */
#include "tests/unit/access.h"
#include "tests/unit/wss_draft.h"

#include "core/xml_ns.h"

#define AT "all"

static char original[32768], signature[8192], bare[32768], evil[32768];
static fg_arena_t *arena;

static bool post(const char *text) {
    access_begin(AT, "POST", "/service");
    access_put_header("Content-Type", "application/soap+xml");
    access_call.body = text;
    return access_run();
}

static draft_t draft_of(const char *assertion) {
    return (draft_t){.env = &access_test.env,
                     .path = "/service",
                     .trust = FG_TRUST_13,
                     .parts = DRAFT_TIMESTAMP | DRAFT_TO | DRAFT_SAML,
                     .assertion = fg_str(assertion),
                     .body = "<x xmlns=\"urn:x\"></x>"};
}

/* The message with this in the place of the assertion, and that at the end of its headers. */
static const char *message_of(const char *assertion, const char *header) {
    static char message[131072];
    const draft_t draft = draft_of(assertion);
    const char *text = draft_write(&draft), *end = strstr(text, "</s:Header>");
    assert_non_null(end);
    snprintf(message, sizeof message, "%.*s%s%s", (int)(end - text), text, header, end);
    return message;
}

static const char *user(void) {
    const fg_name_id_t *name = &access_call.ex->access->session.identity.name_id;
    return name->value.n > 0 ? name->value.p : "";
}

static void copy_without(const char *text, const char *part, char *out, size_t size) {
    const char *at = strstr(text, part);
    assert_non_null(at);
    snprintf(out, size, "%.*s%s", (int)(at - text), text, at + strlen(part));
}

static void replace_all(char *text, size_t size, const char *from, const char *to) {
    char copy[sizeof evil];
    const char *at = text;
    size_t length = 0;
    for (const char *found; (found = strstr(at, from)) != NULL; at = found + strlen(from))
        length += (size_t)snprintf(copy + length, sizeof copy - length, "%.*s%s", (int)(found - at), at, to);
    assert_true(length > 0);
    snprintf(copy + length, sizeof copy - length, "%s", at);
    snprintf(text, size, "%s", copy);
}

/* The issuer's assertion about carol, its signature, itself without that, and a forged one about somebody else. */
static void take_apart(fg_saml_version_t version) {
    const draft_assertion_t wanted = {
        .version = version, .issuer = IDP, .audience = BASE, .issuer_key = access_idp_key};
    snprintf(original, sizeof original, "%s", draft_assertion(&wanted).p);
    const char *begin = strstr(original, "<ds:Signature"), *end = strstr(original, "</ds:Signature>");
    assert_true(begin != NULL && end != NULL);
    snprintf(signature, sizeof signature, "%.*s</ds:Signature>", (int)(end - begin), begin);
    copy_without(original, signature, bare, sizeof bare);
    snprintf(evil, sizeof evil, "%s", bare);
    replace_all(evil, sizeof evil, "carol", "mallory");
}

/* text, with more before its end tag. */
static const char *with(const char *text, const char *more) {
    const char *end = strrchr(text, '<');
    return fg_arena_printf(arena, "%.*s%s%s", (int)(end - text), text, more, end);
}

static const char *join(const char *a, const char *b) { return fg_arena_printf(arena, "%s%s", a, b); }
static const char *in_object(const char *text) { return fg_arena_printf(arena, "<ds:Object>%s</ds:Object>", text); }
static const char *in_header(const char *text) { return fg_arena_printf(arena, "<w xmlns=\"urn:w\">%s</w>", text); }

static void try_all(void) {
    const struct {
        const char *name, *assertion, *header;
    } cases[] = {
        {"signed in Object", with(evil, with(signature, in_object(bare))), ""},
        {"signed inside, signature outside", with(evil, join(bare, signature)), ""},
        {"signed whole inside", with(evil, original), ""},
        {"signed beside, before", join(original, evil), ""},
        {"signed beside, behind", join(evil, original), ""},
        {"signed in another header", with(evil, signature), in_header(bare)},
        {"signed whole in another header", evil, in_header(original)},
        {"forged inside", with(original, evil), ""},
        {"forged in Object", with(bare, with(signature, in_object(evil))), ""},
        {"signature of the other", with(evil, signature), ""},
        {"no signature", evil, ""},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        if (post(message_of(cases[i].assertion, cases[i].header)))
            fail_msg("%s: let in as %s", cases[i].name, user());
}

static void wrapped_assertions_let_nobody_in(void **state) {
    (void)state;
    arena = fg_arena_new(0);
    for (unsigned version = 0; version < 2; version++) {
        take_apart((fg_saml_version_t)version);
        try_all();
        replace_all(evil, sizeof evil, "\"_a1\"", "\"_a2\""); /* the same without duplicate ids (XS-11) */
        try_all();
        assert_true(post(message_of(original, ""))); /* the control */
        assert_string_equal(user(), "carol");
        assert_true(post(message_of(original, in_header(""))));
    }
    fg_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(wrapped_assertions_let_nobody_in, access_refill)};
    return cmocka_run_group_tests(tests, access_start, access_stop);
}
