/* SPDX-License-Identifier: GPL-2.0-or-later
 * Signatures of SAML 2.0 answers: what was signed is what is read (attacks XS-01 to XS-28). */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sts/wsfed.h"

/* ---- XS: what was signed is what is read */

/* E: a forged assertion without a signature and end tag; S: the signed one; O: it without its signature; G: that
 * signature; P, Q: that signature with the original in it, bare and in an Object; <: the forged one's end. */
static const struct {
    const char *id, *plan;
    bool same; /* the forged one has the signed one's ID */
} wrappings[] = {
    {"XS-01", "E<S", false},
    {"XS-01", "SE<", false},
    {"XS-02", "EG<O", false},
    {"XS-02", "EG<O", true},
    {"XS-03", "E<S", true},
    {"XS-04", "ES<", false},
    {"XS-04", "ES<", true},
    {"XS-05", "EG<O", true},
    {"XS-06", "EP<", false},
    {"XS-06", "EP<", true},
    {"XS-07", "Eextensions:S;<", false},
    {"XS-07", "EGextensions:O;<", true},
    {"XS-08", "EQ<", false},
    {"XS-08", "EQ<", true},
    {"XS-10", "Eadvice:S;<", false},
    {"XS-10", "EGadvice:O;<", true},
};

typedef struct pieces {
    char *signed_one, *original, *signature, *forged;
} pieces_t;

static pieces_t take_apart(browser_t *b, const saml_answer_t *a, bool same) {
    pieces_t p = {.signed_one = saml_assertion(b, a)};
    char *at = strstr(p.signed_one, "<ds:Signature"),
         *end = strstr(p.signed_one, "</ds:Signature>") + strlen("</ds:Signature>");
    p.signature = strndup(at, (size_t)(end - at));
    p.original = strdup(p.signed_one);
    saml_cut_signature(p.original);
    char *forged = saml_replace(p.original, ">Partners<", ">Administrators<");
    if (!same)
        memcpy(strstr(forged, "ID=\"_") + 5, "e0", 2);
    p.forged = saml_replace(forged, "</saml:Assertion>", "");
    free(forged);
    return p;
}

static void free_pieces(pieces_t *p) { free(p->signed_one), free(p->original), free(p->signature), free(p->forged); }

static void put_inside(fg_buf_t *out, const pieces_t *p, bool object) {
    char *cut = strdup(p->signature);
    *strstr(cut, "</ds:Signature>") = '\0';
    fg_buf_printf(out, object ? "%s<ds:Object>%s</ds:Object></ds:Signature>" : "%s%s</ds:Signature>", cut, p->original);
    free(cut);
}

static void put_pieces(fg_buf_t *out, const char *plan, const pieces_t *p) {
    const char *closing = "";
    for (const char *c = plan; *c != '\0'; c++) {
        if (strncmp(c, "advice:", 7) == 0) {
            fg_buf_puts(out, "<saml:Advice>"), closing = "</saml:Advice>", c += 6;
        } else if (strncmp(c, "extensions:", 11) == 0) {
            fg_buf_puts(out, "<samlp:Extensions>"), closing = "</samlp:Extensions>", c += 10;
        } else if (*c == 'P' || *c == 'Q') {
            put_inside(out, p, *c == 'Q');
        } else {
            fg_buf_puts(out, *c == 'E'   ? p->forged
                             : *c == 'S' ? p->signed_one
                             : *c == 'O' ? p->original
                             : *c == 'G' ? p->signature
                             : *c == '<' ? "</saml:Assertion>"
                                         : closing);
        }
    }
}

/* Neither the forged role nor a session comes of it. */
static void xs_01_to_10_wrapped_signatures(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrappings); i++) {
        saml_answer_t a = saml_round(b);
        pieces_t p = take_apart(b, &a, wrappings[i].same);
        fg_buf_t inside = FG_BUF_INIT(1u << 20);
        fg_err_t err = FG_ERR_INIT;
        put_pieces(&inside, wrappings[i].plan, &p);
        char *xml = saml_response(b, &a, inside.data);
        if (fg_xml_parse(b->ex->arena, fg_str(xml), NULL, &err) == NULL)
            fail_msg("%s, case %zu: not well-formed: %s\n%s", wrappings[i].id, i, err.detail, xml);
        if (saml_post(b, xml) == 303)
            fail_msg("%s, case %zu: accepted", wrappings[i].id, i);
        free(xml);
        assert_true(saml_control(b));
        fg_buf_free(&inside);
        free_pieces(&p);
    }
}

/* The same with the Response's signature: the signed Response inside a forged one. */
static void xs_01_to_08_wrapped_responses(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *id, *before, *after; /* around the signed Response, in the forged one */
        bool signature;                  /* the signed one's signature goes into the forged one */
    } cases[] = {
        {"XS-01", "<ds:Signature xmlns:ds=\"" FG_NS_DS "\"><ds:Object>", "</ds:Object></ds:Signature>", false},
        {"XS-02", "", "", true},
        {"XS-07", "<samlp:Extensions>", "</samlp:Extensions>", false},
        {"XS-07", "<samlp:Extensions>", "</samlp:Extensions>", true},
        {"XS-10", "", "", false},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        saml_answer_t a = saml_round(b), forged = a;
        a.key = NULL, a.response_key = saml_world.idp_key;
        forged.key = NULL, forged.role = "Administrators";
        char *xml = saml_response(b, &a, NULL), *evil = saml_response(b, &forged, NULL), *mark, *wrapped;
        char *at = strstr(xml, "<ds:Signature"), *end = strstr(xml, "</ds:Signature>") + strlen("</ds:Signature>");
        char *signature = cases[i].signature ? strndup(at, (size_t)(end - at)) : strdup("");
        if (cases[i].signature)
            saml_cut_signature(xml);
        assert_true(asprintf(&mark, "</saml:Issuer>%s%s%s%s<samlp:Status>", signature, cases[i].before, xml,
                             cases[i].after) > 0);
        wrapped = saml_replace(evil, "</saml:Issuer><samlp:Status>", mark);
        if (saml_post(b, wrapped) == 303)
            fail_msg("%s, case %zu: accepted", cases[i].id, i);
        free(xml), free(evil), free(mark), free(wrapped), free(signature);
        a = saml_round(b);
        a.key = NULL, a.response_key = saml_world.idp_key;
        assert_true(saml_accepted(b, &a));
    }
}

static void xs_10_two_assertions_are_refused(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b), second = a;
    second.role = "Administrators";
    char *one = saml_assertion(b, &a), *two = saml_assertion(b, &second), *both;
    assert_true(asprintf(&both, "%s%s", one, two) > 0);
    for (int is_signed = 0; is_signed < 2; is_signed++) {
        a = saml_round(b);
        a.response_key = is_signed ? saml_world.idp_key : NULL;
        char *xml = saml_response(b, &a, both);
        saml_post(b, xml);
        assert_true(browser_refused(b, FG_E_SAML_MESSAGE));
        free(xml);
    }
    free(one), free(two), free(both);
    assert_true(saml_control(b));
}

#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define PREFIXES(list)                      \
    "<ds:Transform Algorithm=\"" C14N "\">" \
    "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" PrefixList=\"" list "\"></ec:InclusiveNamespaces>"

/* What is changed after the signature was made, and the code that says what was seen first. */
static const struct {
    const char *id, *from, *to;
    fg_code_t code;
} alterations[] = {
    {"XS-11", "ID=\"_", "x:ID=\"_zz\" xmlns:x=\"urn:x\" ID=\"_", FG_E_SIG_INVALID},
    {"XS-12", "URI=\"#", "URI=\"\" Type=\"#", FG_E_SIG_STRUCTURE},
    {"XS-12", "URI=\"#_", "URI=\"#xpointer(/)_", FG_E_SIG_STRUCTURE},
    {"XS-12", "URI=\"#_", "URI=\"https://idp.test/#_", FG_E_SIG_STRUCTURE},
    {"XS-13", "</ds:Reference>", "</ds:Reference><ds:Reference URI=\"\"></ds:Reference>", FG_E_SIG_STRUCTURE},
    {"XS-14", "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">",
     "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">", FG_E_SIG_ALGORITHM},
    {"XS-15", "</ds:Transforms>",
     "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>",
     FG_E_SIG_STRUCTURE},
    {"XS-17", "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">", PREFIXES("a/b"),
     FG_E_SIG_STRUCTURE},
    {"XS-18", "</ds:SignedInfo>", "</ds:SignedInfo><ds:SignedInfo></ds:SignedInfo>", FG_E_SIG_STRUCTURE},
    {"XS-23", "xmldsig-more#ecdsa-sha256\">",
     "xmldsig-more#ecdsa-sha256\"><ds:HMACOutputLength>8</ds:HMACOutputLength>", FG_E_SIG_STRUCTURE},
    {"XS-24", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
     "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", FG_E_SIG_ALGORITHM},
    {"XS-25", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
     FG_E_SIG_ALGORITHM},
    {"XS-25", "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1", FG_E_SIG_ALGORITHM},
    {"XS-00", ">Partners<", ">Administrators<", FG_E_SIG_INVALID},
};

static void xs_11_to_25_altered_signatures(void **state) {
    browser_t *b = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(alterations); i++) {
        saml_answer_t a = saml_round(b);
        char *assertion = saml_assertion(b, &a),
             *altered = saml_replace(assertion, alterations[i].from, alterations[i].to);
        char *xml = saml_response(b, &a, altered);
        saml_post(b, xml);
        if (!browser_refused(b, alterations[i].code))
            fail_msg("%s, case %zu", alterations[i].id, i);
        free(altered), free(xml);
        xml = saml_response(b, &a, assertion);
        free(assertion), free(xml);
        assert_true(saml_control(b));
    }
}

/* XS-11: the Response with the assertion's ID: a reference that two elements answer to. */
static void xs_11_one_id_twice(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *assertion = saml_assertion(b, &a), id[80], *xml = saml_response(b, &a, assertion), *twice;
    const char *at = strstr(assertion, " ID=\"") + 5;
    snprintf(id, sizeof id, " ID=\"%.*s\"", (int)strcspn(at, "\""), at);
    char *outer = strstr(xml, " ID=\""), old[80];
    snprintf(old, sizeof old, "%.*s\"", (int)strcspn(outer + 5, "\"") + 5, outer);
    twice = saml_replace(xml, old, id);
    assert_int_not_equal(saml_post(b, twice), 303);
    free(assertion), free(xml), free(twice);
    assert_true(saml_control(b));
}

/* Comments are not signed: the whole value is read, as if they were not there, or nothing. */
static void xs_19_comments_do_not_shorten_values(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    char *assertion = saml_assertion(b, &a), *split = saml_replace(assertion, ">Partners<", ">Part<!-- x -->ners<");
    char *xml = saml_response(b, &a, split);
    if (saml_post(b, xml) == 303) {
        char back[2048];
        snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
        browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
        assert_non_null(strstr(browser_field(b, "wresult"), ">Partners<"));
    }
    free(assertion), free(split), free(xml);
    assert_true(saml_control(b));
}

static void xs_20_keys_come_from_the_metadata(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.key = saml_world.evil_key;
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    a = saml_round(b);
    a.response_key = saml_world.evil_key; /* around an assertion that is right */
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    a = saml_round(b);
    a.key = saml_world.evil_key, a.response_key = saml_world.idp_key; /* each signature must hold */
    assert_true(saml_refused(b, &a, FG_E_SIG_INVALID));
    assert_true(saml_control(b));
}

/* XS-20, XS-21, XS-22: no key comes from KeyInfo, and nothing is fetched for it: a RetrievalMethod is refused, names
 * and certificates make no stranger's signature good. */
static void xs_20_to_22_key_info_gives_no_key(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *info;
        fg_code_t code; /* of a good signature with it */
    } cases[] = {
        {"<ds:RetrievalMethod URI=\"https://evil.test/key\"></ds:RetrievalMethod>", FG_E_SIG_STRUCTURE},
        {"<ds:KeyName>idp</ds:KeyName>", FG_OK},
        {"<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>", FG_OK},
    };
    b->test.env.http = NULL;
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(cases); i++) {
        bool good = i & 1;
        fg_code_t code = good || cases[i / 2].code != FG_OK ? cases[i / 2].code : FG_E_SIG_INVALID;
        saml_answer_t a = saml_round(b);
        a.key = good ? saml_world.idp_key : saml_world.evil_key;
        char *assertion = saml_assertion(b, &a), *with, *end;
        saml_cut_key_info(assertion);
        assert_true(asprintf(&end, "</ds:SignatureValue><ds:KeyInfo>%s</ds:KeyInfo>", cases[i / 2].info) > 0);
        with = saml_replace(assertion, "</ds:SignatureValue>", end);
        char *xml = saml_response(b, &a, with);
        int status = saml_post(b, xml);
        if (code == FG_OK ? status != 303 : !browser_refused(b, code))
            fail_msg("case %zu: %d", i, status);
        free(assertion), free(with), free(end), free(xml);
    }
}

/* XS-16: a relative namespace URI has no canonical form; XS-26: r = s = 0 */
static void xs_16_and_26_no_canonical_form_and_no_signature(void **state) {
    browser_t *b = *state;
    saml_answer_t a = saml_round(b);
    a.from = "Partners</saml:AttributeValue>", a.to = "<x:y xmlns:x=\"rel\">z</x:y></saml:AttributeValue>";
    char *xml = saml_response(b, &a, NULL);
    assert_int_not_equal(saml_post(b, xml), 303);
    free(xml);
    a = saml_round(b);
    a.from = "Partners</saml:AttributeValue>", a.to = "<x:y xmlns:x=\"urn:abs\">z</x:y></saml:AttributeValue>";
    assert_true(saml_accepted(b, &a));
    a = saml_round(b);
    char *assertion = saml_assertion(b, &a), *at = strstr(assertion, "<ds:SignatureValue>") + 19;
    memset(at, 'A', strcspn(at, "=<"));
    xml = saml_response(b, &a, assertion);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_SIG_INVALID));
    free(assertion), free(xml);
    assert_true(saml_control(b));
}

/* Of the two keys that metadata may hold while they are rolled, either will do. */
static void the_old_and_the_new_key_are_good(void **state) {
    browser_t *b = *state;
    saml_world.idps[0].keys = (fg_entity_keys_t){{saml_world.evil_key, saml_world.idp_key}, 2};
    saml_world.providers[0].key_count = 2;
    assert_true(saml_control(b));
    for (int which = 0; which < 2; which++) {
        saml_answer_t a = saml_round(b);
        a.key = which ? NULL : saml_world.idp_key;
        a.response_key = which ? saml_world.idp_key : NULL; /* the second of them */
        *b->audit = '\0';
        assert_true(saml_accepted(b, &a));
        assert_non_null(strstr(b->audit, fg_key_get_id(saml_world.idp_key)));
    }
    saml_answer_t a = saml_round(b);
    a.key = saml_world.evil_key;
    assert_true(saml_accepted(b, &a));
}

/* XS-28: a signature of the right key over another kind of message. */
static void xs_28_a_request_is_no_response(void **state) {
    browser_t *b = *state;
    saml_round(b);
    char *xml = saml_request(b, "", "", saml_world.idp_key);
    saml_post(b, xml);
    assert_true(browser_refused(b, FG_E_SAML_UNSUPPORTED));
    free(xml);
    saml_answer_t a = saml_round(b);
    xml = saml_response(b, &a, NULL);
    saml_sent_t sent = {.name = "SAMLRequest", .xml = xml};
    char *form = saml_form(&sent);
    browser_post(b, &fg_saml_protocol, SAML_LS, "", form);
    assert_true(browser_refused(b, FG_E_SAML_UNSUPPORTED));
    assert_int_equal(saml_post(b, xml), 303);
    free(xml), free(form);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, saml_world_set_up, saml_world_tear_down)
        T(xs_01_to_10_wrapped_signatures),
        T(xs_01_to_08_wrapped_responses),
        T(xs_10_two_assertions_are_refused),
        T(xs_11_to_25_altered_signatures),
        T(xs_11_one_id_twice),
        T(xs_19_comments_do_not_shorten_values),
        T(xs_20_keys_come_from_the_metadata),
        T(xs_20_to_22_key_info_gives_no_key),
        T(xs_16_and_26_no_canonical_form_and_no_signature),
        T(the_old_and_the_new_key_are_good),
        T(xs_28_a_request_is_no_response),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
