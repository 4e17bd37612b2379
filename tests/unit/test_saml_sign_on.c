/* SPDX-License-Identifier: GPL-2.0-or-later
 * SAML 2.0 as identity provider: each refusal beside the request that is accepted. */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/deflate.h"
#include "core/time.h"
#include "hub/initiate.h"
#include "hub/name_id.h"

#define ACS_ATTRIBUTES " AssertionConsumerServiceURL=\"" SAML_ACS "\""
#define EVIL "https://evil.test/acs"

static int ask_by_redirect(browser_t *b, const char *xml, const char *relay_state, const fg_key_t *key) {
    const saml_sent_t sent = {"SAMLRequest", xml, relay_state, key, NULL};
    char *query = saml_redirect(&sent);
    int status = browser_get(b, &fg_saml_protocol, SAML_LS, query);
    free(query);
    return status;
}

/* A request of these attributes and children, signed beside. */
static int ask(browser_t *b, const char *attributes, const char *children) {
    char *xml = saml_request(b, attributes, children, NULL);
    int status = ask_by_redirect(b, xml, "state", saml_world.sp_key);
    free(xml);
    return status;
}

static void sign_in(browser_t *b) { browser_sign_in(b, &fg_saml_protocol, "alice", "alice-demo"); }

static int saml_only_staff(void **state) {
    if (saml_world_set_up(state) != 0)
        return -1;
    browser_t *b = *state;
    b->hub.home_realm_count = 1;
    return 0;
}

static bool shows(const browser_t *b, const char *page) {
    if (strcmp(b->page, page) == 0 && b->ex->response.status == 200)
        return true;
    print_error("page %s expected, got \"%s\"\n%s", page, b->page, b->audit);
    return false;
}

#define assert_page(b, page) assert_true(shows((b), (page)))
#define assert_refused(b, code) assert_true(browser_refused((b), (code)))

/* The Response on the page that posts it. */
static xmlNode *answered(const browser_t *b) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t xml = FG_BUF_INIT(1u << 20);
    assert_page(b, "auto_post");
    assert_true(fg_base64_decode_xml(&xml, fg_str(browser_field(b, "SAMLResponse"))));
    xmlDoc *doc = fg_xml_parse(b->ex->arena, fg_buf_str(&xml), &fg_xml_default_limits, &err);
    if (doc == NULL)
        fail_msg("%s", err.detail);
    fg_buf_free(&xml);
    return xmlDocGetRootElement(doc);
}

static xmlNode *below(xmlNode *node, const char *path) {
    while (node != NULL && *path != '\0') {
        size_t n = strcspn(path, "/");
        xmlNode *child = fg_xml_first_child(node);
        while (child != NULL && !fg_str_eq(fg_str((const char *)child->name), (fg_str_t){path, n}))
            child = fg_xml_next(child);
        node = child, path += n + (path[n] == '/');
    }
    return node;
}

static const char *attribute_of(const browser_t *b, const char *path, const char *name) {
    xmlNode *node = below(answered(b), path);
    fg_str_t value = node ? fg_xml_attr(b->ex->arena, node, NULL, name) : FG_STR_NONE;
    return value.p ? value.p : "(none)";
}

static const char *text_of(const browser_t *b, const char *path) {
    xmlNode *node = below(answered(b), path);
    fg_str_t value = node ? fg_xml_text(b->ex->arena, node, NULL) : FG_STR_NONE;
    return value.p ? value.p : "(none)";
}

static const char *second_status(const browser_t *b) {
    return attribute_of(b, "Status/StatusCode/StatusCode", "Value");
}

#define assert_status(b, word) assert_string_equal(second_status(b), SAML_STATUS word)

/* ---- what is answered */

static void signs_in_and_then_answers_at_once(void **state) {
    browser_t *b = *state;
    ask(b, ACS_ATTRIBUTES, "");
    assert_page(b, "sign_in");
    assert_string_equal(browser_text(b, "application"), SAML_SP);
    browser_sign_in(b, &fg_saml_protocol, "alice", "wrong");
    assert_page(b, "sign_in");
    assert_string_equal(browser_text(b, "message"), "wrong");
    sign_in(b);
    assert_page(b, "auto_post");
    assert_string_equal(browser_text(b, "action"), SAML_ACS);
    assert_string_equal(browser_field(b, "RelayState"), "state");
    assert_string_equal(attribute_of(b, "", "InResponseTo"), "_r1");
    assert_string_equal(attribute_of(b, "", "Destination"), SAML_ACS);
    assert_string_equal(attribute_of(b, "Status/StatusCode", "Value"), SAML_STATUS "Success");
    assert_string_equal(attribute_of(b, "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData", "Recipient"),
                        SAML_ACS);
    assert_string_equal(
        attribute_of(b, "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData", "InResponseTo"), "_r1");
    assert_string_equal(text_of(b, "Assertion/Conditions/AudienceRestriction/Audience"), SAML_SP);
    assert_null(below(answered(b), "Signature"));
    assert_non_null(below(answered(b), "Assertion/Signature"));
    assert_non_null(strstr(b->audit, "\"issued\""));
    ask(b, "", "");
    assert_page(b, "auto_post");
}

static void the_response_is_signed_if_the_partner_wants_it(void **state) {
    browser_t *b = *state;
    b->partners[BROWSER_PARTNER_RP].sign_response = true;
    ask(b, "", "");
    sign_in(b);
    const fg_key_t *key = b->keys.signing[FG_KEY_ACTIVE];
    const fg_dsig_trust_t trust = {&key, 1, false};
    fg_dsig_verified_t verified;
    fg_err_t err = FG_ERR_INIT;
    xmlNode *root = answered(b);
    assert_true(fg_dsig_verify_enveloped(below(root, "Assertion"), "ID", &trust, &verified, &err));
    assert_true(fg_dsig_verify_enveloped(root, "ID", &trust, &verified, &err));
}

static void the_name_format_is_what_the_partner_wants(void **state) {
    browser_t *b = *state;
    ask(b, "", "");
    sign_in(b);
    assert_string_equal(attribute_of(b, "Assertion/AttributeStatement/Attribute", "NameFormat"), "(none)");
    b->partners[BROWSER_PARTNER_RP].attribute_name_format = FG_STR("urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
    ask(b, "", "");
    assert_string_equal(attribute_of(b, "Assertion/AttributeStatement/Attribute", "NameFormat"),
                        "urn:oasis:names:tc:SAML:2.0:attrname-format:uri");
}

/* Whether there is a session is seen only when the browser comes again with its cookies. */
static void post_and_come_again(browser_t *b, const char *form) {
    assert_int_equal(browser_post(b, &fg_saml_protocol, SAML_LS, "", form), 303);
    char *url = strdup(browser_header(b, "Location"));
    assert_non_null(url);
    browser_get(b, &fg_saml_protocol, SAML_LS, strchr(url, '?') + 1);
    free(url);
}

static void requests_come_by_redirect_post_and_simple_sign(void **state) {
    browser_t *b = *state;
    for (int which = 0; which < 3; which++) {
        b->cookie_count = 0;
        const fg_key_t *inside = which == 1 ? saml_world.sp_key : NULL;
        char *xml = saml_request(b, "", "", inside);
        const saml_sent_t sent = {"SAMLRequest", xml, "state", which == 2 ? saml_world.sp_key : NULL, NULL};
        char *form = saml_form(&sent);
        if (which == 0)
            ask_by_redirect(b, xml, "state", saml_world.sp_key);
        else
            post_and_come_again(b, form);
        sign_in(b);
        assert_page(b, "auto_post");
        free(xml), free(form);
    }
}

/* ---- SA-14: the signature is over the bytes as they were sent */

static char *signed_query(const browser_t *b, const char *relay_state) {
    char *xml = saml_request(b, "", "", NULL);
    const saml_sent_t sent = {"SAMLRequest", xml, relay_state, saml_world.sp_key, NULL};
    char *query = saml_redirect(&sent);
    free(xml);
    return query;
}

static void sa_14_redirect_signatures(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *what, *from, *to; /* in the query */
        fg_code_t code;
    } cases[] = {
        {"a parameter twice", "RelayState=", "RelayState=evil&RelayState=", FG_E_SAML_MESSAGE},
        {"the message twice", "SAMLRequest=", "SAMLRequest=AAAA&SAMLRequest=", FG_E_SAML_MESSAGE},
        {"the algorithm twice", "&SigAlg=", "&SigAlg=x&SigAlg=", FG_E_SAML_MESSAGE},
        {"the signature twice", "&Signature=", "&Signature=AAAA&Signature=", FG_E_SAML_MESSAGE},
        {"both kinds", "SAMLRequest=", "SAMLResponse=AAAA&SAMLRequest=", FG_E_SAML_MESSAGE},
        {"another RelayState", "RelayState=state", "RelayState=stata", FG_E_SIG_INVALID},
        {"RelayState away", "&RelayState=state", "", FG_E_SIG_INVALID},
        {"no algorithm", "&SigAlg=", "&NoAlg=", FG_E_SAML_MESSAGE},
        {"no signature", "&Signature=", "&NoSignature=", FG_E_SAML_MESSAGE},
        {"another algorithm", "ecdsa-sha256", "ecdsa-sha384", FG_E_SIG_INVALID},
        {"of another family", "ecdsa-sha256", "rsa-sha256", FG_E_SIG_INVALID},
        {"HMAC (XS-24)", "ecdsa-sha256", "hmac-sha256", FG_E_SIG_ALGORITHM},
        {"SHA-1 (XS-25)", "2001%2F04%2Fxmldsig-more%23ecdsa-sha256", "2000%2F09%2Fxmldsig%23rsa-sha1",
         FG_E_SIG_ALGORITHM},
        {"an escaped name", "RelayState=", "%52elayState=", FG_E_SIG_INVALID},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char *query = signed_query(b, "state"), *altered = saml_replace(query, cases[i].from, cases[i].to);
        browser_get(b, &fg_saml_protocol, SAML_LS, altered);
        if (!browser_refused(b, cases[i].code))
            fail_msg("%s", cases[i].what);
        browser_get(b, &fg_saml_protocol, SAML_LS, query);
        assert_page(b, "sign_in");
        free(query), free(altered);
    }
}

/* Lower-case escapes and another order are the sender's affair: what counts is SAMLRequest, RelayState, SigAlg. */
static void sa_14_the_raw_bytes_count(void **state) {
    browser_t *b = *state;
    fg_err_t err = FG_ERR_INIT;
    char *query = signed_query(b, NULL), *lower = saml_replace(query, "http%3A%2F%2F", "http%3a%2f%2f");
    browser_get(b, &fg_saml_protocol, SAML_LS, lower); /* the same algorithm, but not the signed bytes */
    assert_refused(b, FG_E_SIG_INVALID);
    *strstr(lower, "&Signature=") = '\0';
    fg_buf_t value = FG_BUF_INIT(1024), text = FG_BUF_INIT(1024), sent = FG_BUF_INIT(1u << 16);
    assert_true(fg_key_sign(saml_world.sp_key, fg_str(lower), &value, &err));
    fg_base64_encode(&text, value.data, value.length);
    fg_buf_puts(&sent, lower);
    browser_put(&sent, "Signature", text.data);
    browser_get(b, &fg_saml_protocol, SAML_LS, sent.data);
    assert_page(b, "sign_in");
    /* in another order, with something of the sender's own between */
    char *algorithm = strstr(lower, "&SigAlg=");
    fg_buf_t mixed = FG_BUF_INIT(1u << 16);
    browser_put(&mixed, "Signature", text.data);
    fg_buf_puts(&mixed, algorithm);
    *algorithm = '\0';
    fg_buf_printf(&mixed, "&own=1&%s", lower);
    browser_get(b, &fg_saml_protocol, SAML_LS, mixed.data);
    assert_page(b, "sign_in");
    fg_buf_free(&value), fg_buf_free(&text), fg_buf_free(&sent), fg_buf_free(&mixed);
    free(query), free(lower);
}

/* XS-20, XS-22: of the keys in the metadata of him who says that it is his. */
static void sa_14_only_the_senders_keys_count(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    const fg_key_t *const wrong[] = {saml_world.evil_key, saml_world.second_key};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        ask_by_redirect(b, xml, NULL, wrong[i]);
        assert_refused(b, FG_E_SIG_INVALID);
    }
    ask_by_redirect(b, xml, NULL, saml_world.sp_key);
    assert_page(b, "sign_in");
    free(xml);
    xml = saml_request(b, "", "", saml_world.evil_key);
    const saml_sent_t sent = {"SAMLRequest", xml, NULL, NULL, NULL};
    char *form = saml_form(&sent);
    browser_post(b, &fg_saml_protocol, SAML_LS, "", form);
    assert_refused(b, FG_E_SIG_INVALID);
    free(xml), free(form);
}

static void unsigned_requests_of_those_who_sign(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    ask_by_redirect(b, xml, NULL, NULL); /* not said in the metadata: as good as a link */
    assert_page(b, "sign_in");
    saml_world.sp.signs_requests = true;
    ask_by_redirect(b, xml, NULL, NULL);
    assert_refused(b, FG_E_SIG_MISSING);
    ask_by_redirect(b, xml, NULL, saml_world.sp_key);
    assert_page(b, "sign_in");
    free(xml);
}

/* ---- SA-15, XP: what comes in is bounded */

static void put_message(browser_t *b, fg_str_t deflated) {
    fg_buf_t text = FG_BUF_INIT(1u << 20), query = FG_BUF_INIT(1u << 20);
    fg_base64_encode(&text, deflated.p, deflated.n);
    browser_put(&query, "SAMLRequest", text.data);
    browser_get(b, &fg_saml_protocol, SAML_LS, query.data);
    fg_buf_free(&text), fg_buf_free(&query);
}

static void sa_15_deflate_bombs(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    static const size_t sizes[] = {100000, 2000000, 20000000};
    for (size_t i = 0; i < FG_ARRAY_SIZE(sizes); i++) {
        char *bomb = malloc(sizes[i] + 1);
        assert_non_null(bomb);
        memset(bomb, ' ', sizes[i]);
        bomb[sizes[i]] = '\0';
        fg_buf_t deflated = FG_BUF_INIT(1u << 20);
        assert_true(fg_deflate(fg_str(bomb), &deflated));
        put_message(b, fg_buf_str(&deflated));
        assert_refused(b, FG_E_HTTP_TOO_LARGE);
        fg_buf_free(&deflated);
        free(bomb);
    }
    fg_buf_t deflated = FG_BUF_INIT(1u << 20);
    assert_true(fg_deflate(fg_str(xml), &deflated));
    put_message(b, (fg_str_t){deflated.data, deflated.length - 3}); /* cut off */
    assert_refused(b, FG_E_HTTP_REQUEST);
    put_message(b, fg_buf_str(&deflated));
    assert_page(b, "sign_in");
    fg_buf_puts(&deflated, "more"); /* something behind it */
    put_message(b, fg_buf_str(&deflated));
    assert_refused(b, FG_E_HTTP_REQUEST);
    fg_buf_free(&deflated);
    free(xml);
}

static void xp_documents(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    static const struct {
        const char *id, *before;
    } cases[] = {
        {"XP-01", "<!DOCTYPE x>"},
        {"XP-02", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"},
        {"XP-03", "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char *with;
        assert_true(asprintf(&with, "%s%s", cases[i].before, xml) > 0);
        ask_by_redirect(b, with, NULL, NULL);
        if (strcmp(b->page, "error") != 0)
            fail_msg("%s", cases[i].id);
        free(with);
    }
    ask_by_redirect(b, xml, NULL, NULL);
    assert_page(b, "sign_in");
    free(xml);
}

/* ---- SA-02, SA-17: from whom, where to */

static void sa_02_destination_of_requests(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    static const char *const wrong[] = {"https://other.test/adfs/ls/", "https://gw.test/adfs/ls",
                                        "https://GW.test/adfs/ls/"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        char *changed = saml_replace(xml, SAML_OWN, wrong[i]);
        ask_by_redirect(b, changed, NULL, saml_world.sp_key);
        assert_refused(b, FG_E_SAML_DESTINATION);
        ask_by_redirect(b, changed, NULL, NULL);
        assert_refused(b, FG_E_SAML_DESTINATION);
        free(changed);
    }
    char *none = saml_replace(xml, " Destination=\"" SAML_OWN "\"", "");
    ask_by_redirect(b, none, NULL, saml_world.sp_key);
    assert_refused(b, FG_E_SAML_DESTINATION);
    ask_by_redirect(b, none, NULL, NULL);
    assert_page(b, "sign_in");
    free(xml), free(none);
}

static void sa_17_consumer_addresses(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *attributes, *action; /* action NULL: refused */
        fg_code_t code;
    } cases[] = {
        {"", SAML_ACS, FG_OK},
        {ACS_ATTRIBUTES, SAML_ACS, FG_OK},
        {" AssertionConsumerServiceURL=\"https://rp.test/acs2?a=b\"", SAML_ACS_SECOND, FG_OK},
        {" AssertionConsumerServiceIndex=\"1\"", SAML_ACS_SECOND, FG_OK},
        {" AssertionConsumerServiceIndex=\"0\"", SAML_ACS, FG_OK},
        {" AssertionConsumerServiceIndex=\"7\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceIndex=\"-1\"", NULL, FG_E_SAML_MESSAGE},
        {" AssertionConsumerServiceIndex=\"65536\"", NULL, FG_E_SAML_MESSAGE},
        {" AssertionConsumerServiceIndex=\"0\"" ACS_ATTRIBUTES, NULL, FG_E_SAML_MESSAGE},
        {" AssertionConsumerServiceURL=\"" EVIL "\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceURL=\"https://rp.test/acs/\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceURL=\"https://RP.test/acs\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceURL=\"https://rp.test/acs?x\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceURL=\"https://rp.test@evil.test/acs\"", NULL, FG_E_SAML_CONSUMER},
        {" AssertionConsumerServiceURL=\"https://other.test/acs\"", NULL, FG_E_SAML_CONSUMER}, /* another partner's */
        {" AssertionConsumerServiceURL=\"javascript:alert(1)\"", NULL, FG_E_SAML_CONSUMER},
        {" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"", SAML_ACS, FG_OK},
        {" ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\"", NULL, FG_E_SAML_CONSUMER},
        {" ProtocolBinding=\"urn:evil\"", NULL, FG_E_SAML_BINDING},
    };
    ask(b, "", "");
    sign_in(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        b->test.now_ms += FG_MINUTE;
        ask(b, cases[i].attributes, "");
        if (cases[i].action == NULL ? !browser_refused(b, cases[i].code) : !shows(b, "auto_post"))
            fail_msg("case %zu", i);
        if (cases[i].action != NULL)
            assert_string_equal(browser_text(b, "action"), cases[i].action);
    }
}

static void unknown_senders_get_a_page(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    static const char *const wrong[] = {"urn:nobody", "URN:RP", "urn:viewer", ""}; /* the viewer speaks no SAML */
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        char to[100], *changed;
        snprintf(to, sizeof to, ">%s</saml:Issuer>", wrong[i]);
        changed = saml_replace(xml, ">" SAML_SP "</saml:Issuer>", to);
        ask_by_redirect(b, changed, NULL, NULL);
        assert_refused(b, FG_E_SAML_PARTNER);
        free(changed);
    }
    free(xml);
}

static void sa_05_old_and_future_requests(void **state) {
    browser_t *b = *state;
    static const struct {
        int64_t age_ms;
        bool good;
    } cases[] = {
        {0, true}, {59 * FG_MINUTE, true}, {70 * FG_MINUTE, false}, {-2 * FG_MINUTE, true}, {-4 * FG_MINUTE, false}};
    int64_t now = b->test.now_ms;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        b->test.now_ms = now - cases[i].age_ms;
        char *xml = saml_request(b, "", "", NULL);
        b->test.now_ms = now;
        ask_by_redirect(b, xml, NULL, saml_world.sp_key);
        if (cases[i].good ? !shows(b, "sign_in") : !browser_refused(b, FG_E_SAML_MESSAGE))
            fail_msg("case %zu", i);
        free(xml);
    }
    char *xml = saml_request(b, "", "", NULL), *old = saml_replace(xml, "Version=\"2.0\"", "Version=\"1.1\"");
    ask_by_redirect(b, old, NULL, NULL);
    assert_refused(b, FG_E_SAML_VERSION);
    free(xml), free(old);
}

/* ---- SA-11..13: what comes back to others */

static void sa_11_relay_state_is_opaque(void **state) {
    browser_t *b = *state;
    static const char *const states[] = {"//evil.test/\\", "https://evil.test/", "%09javascript:x", "\"><script>",
                                         "a&b=c+d%20\xc3\xa4"};
    ask(b, "", "");
    sign_in(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(states); i++) {
        b->test.now_ms += FG_MINUTE;
        char *xml = saml_request(b, "", "", NULL);
        ask_by_redirect(b, xml, states[i], saml_world.sp_key);
        assert_page(b, "auto_post");
        assert_string_equal(browser_text(b, "action"), SAML_ACS); /* nothing of it becomes an address */
        assert_string_equal(browser_field(b, "RelayState"), states[i]);
        free(xml);
    }
    char *xml = saml_request(b, "", "", NULL), longest[1100];
    memset(longest, 'x', sizeof longest);
    longest[1024] = '\0';
    ask_by_redirect(b, xml, longest, saml_world.sp_key);
    assert_page(b, "auto_post");
    longest[1024] = 'x', longest[1025] = '\0';
    ask_by_redirect(b, xml, longest, saml_world.sp_key);
    assert_refused(b, FG_E_SAML_MESSAGE);
    free(xml);
}

/* SA-13: who signs in is called alice <&> "A"; a request's ID goes into what we sign. */
static void sa_13_what_is_copied_is_escaped(void **state) {
    browser_t *b = *state;
    char *xml = saml_request(b, "", "", NULL);
    char *odd = saml_replace(xml, "ID=\"_r1\"", "ID=\"_r&quot;&gt;&lt;x a=&quot;\"");
    ask_by_redirect(b, odd, NULL, NULL);
    sign_in(b);
    assert_string_equal(attribute_of(b, "", "InResponseTo"), "_r\"><x a=\"");
    assert_string_equal(text_of(b, "Assertion/AttributeStatement/Attribute/AttributeValue"), "alice <&> \"A\"");
    free(xml), free(odd);
}

/* ---- our pages bring the request back sealed */

static void the_errand_cannot_be_made_elsewhere(void **state) {
    browser_t *b = *state;
    ask(b, "", "");
    char action[8192], *query, *value;
    snprintf(action, sizeof action, "%s", browser_text(b, "action"));
    query = strchr(action, '?') + 1, value = strchr(query, '=') + 5;
    browser_get(b, &fg_saml_protocol, SAML_LS, query);
    assert_page(b, "sign_in");
    *value = *value == 'a' ? 'b' : 'a';
    browser_get(b, &fg_saml_protocol, SAML_LS, query);
    assert_refused(b, FG_E_CSRF);
    *value = *value == 'a' ? 'b' : 'a';
    browser_get(b, &fg_saml_protocol, SAML_LS, "saml=");
    assert_refused(b, FG_E_CSRF);
    browser_get(b, &fg_saml_protocol, SAML_LS, query);
    b->test.now_ms += 61 * FG_MINUTE;
    browser_get(b, &fg_saml_protocol, SAML_LS, query);
    assert_refused(b, FG_E_CSRF);
}

/* ---- ForceAuthn, IsPassive, contexts, NameIDPolicy, Scoping */

static void force_asks_again(void **state) {
    browser_t *b = *state;
    ask(b, "", "");
    sign_in(b);
    ask(b, " ForceAuthn=\"false\"", "");
    assert_page(b, "auto_post");
    ask(b, " ForceAuthn=\"true\"", "");
    assert_page(b, "sign_in");
    ask(b, " ForceAuthn=\"yes\"", "");
    assert_refused(b, FG_E_SAML_MESSAGE);
}

static void passive_shows_no_page(void **state) {
    browser_t *b = *state;
    ask(b, " IsPassive=\"1\"", "");
    assert_status(b, "NoPassive");
    assert_null(below(answered(b), "Assertion"));
    assert_non_null(below(answered(b), "Signature")); /* refusals are signed */
    ask(b, "", "");
    sign_in(b);
    ask(b, " IsPassive=\"true\"", "");
    assert_non_null(below(answered(b), "Assertion"));
    ask(b, " IsPassive=\"true\" ForceAuthn=\"true\"", "");
    assert_status(b, "NoPassive");
}

#define CLASS "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define CONTEXT(comparison, word)                                                                                      \
    "<samlp:RequestedAuthnContext" comparison "><saml:AuthnContextClassRef xmlns:saml=\"" FG_NS_SAML2 "\">" CLASS word \
    "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"

static void contexts_are_compared(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *children;
        bool good;
    } cases[] = {
        {CONTEXT("", "Password"), true},
        {CONTEXT("", "PasswordProtectedTransport"), true},
        {CONTEXT("", "unspecified"), true},
        {CONTEXT("", "X509"), false},
        {CONTEXT(" Comparison=\"minimum\"", "Password"), true},
        {CONTEXT(" Comparison=\"minimum\"", "X509"), false},
        {CONTEXT(" Comparison=\"maximum\"", "X509"), true},
        {CONTEXT(" Comparison=\"better\"", "Password"), false},
        {CONTEXT("", "of-our-own"), false},
    };
    ask(b, "", "");
    sign_in(b);
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        b->test.now_ms += FG_MINUTE;
        ask(b, "", cases[i].children);
        if (cases[i].good != (below(answered(b), "Assertion") != NULL))
            fail_msg("case %zu: %s", i, second_status(b));
    }
    ask(b, "", CONTEXT(" Comparison=\"least\"", "Password"));
    assert_refused(b, FG_E_SAML_MESSAGE);
}

#define POLICY(format) "<samlp:NameIDPolicy AllowCreate=\"true\" Format=\"" format "\"></samlp:NameIDPolicy>"

/* The last NameID, copied. */
static const char *name_of(const browser_t *b, const char *format) {
    static char name[200];
    assert_string_equal(attribute_of(b, "Assertion/Subject/NameID", "Format"), format);
    snprintf(name, sizeof name, "%s", text_of(b, "Assertion/Subject/NameID"));
    return name;
}

static void name_id_policies(void **state) {
    browser_t *b = *state;
    char first[200];
    ask(b, "", "");
    sign_in(b);
    ask(b, "", POLICY(FG_NAME_ID_PERSISTENT));
    snprintf(first, sizeof first, "%s", name_of(b, FG_NAME_ID_PERSISTENT));
    assert_string_equal(attribute_of(b, "Assertion/Subject/NameID", "SPNameQualifier"), SAML_SP);
    assert_string_equal(attribute_of(b, "Assertion/Subject/NameID", "NameQualifier"), BROWSER_ENTITY);
    ask(b, "", POLICY(FG_NAME_ID_PERSISTENT));
    assert_string_equal(name_of(b, FG_NAME_ID_PERSISTENT), first);
    ask(b, "", POLICY(FG_NAME_ID_TRANSIENT));
    snprintf(first, sizeof first, "%s", name_of(b, FG_NAME_ID_TRANSIENT));
    b->test.now_ms += FG_MINUTE;
    ask(b, "", POLICY(FG_NAME_ID_TRANSIENT));
    assert_string_not_equal(name_of(b, FG_NAME_ID_TRANSIENT), first);
    ask(b, "", POLICY(FG_NAME_ID_EMAIL)); /* nobody here has an address among what the partner gets */
    assert_status(b, "InvalidNameIDPolicy");
    ask(b, "", POLICY(FG_NAME_ID_KERBEROS)); /* the UPN */
    assert_string_equal(name_of(b, FG_NAME_ID_KERBEROS), "alice@example.com");
    b->test.now_ms += FG_MINUTE;
    ask(b, "", POLICY("urn:evil"));
    assert_status(b, "InvalidNameIDPolicy");
    ask(b, "", "<samlp:NameIDPolicy SPNameQualifier=\"https://other.test/\"></samlp:NameIDPolicy>"); /* SA-10 */
    assert_status(b, "InvalidNameIDPolicy");
    b->test.now_ms += FG_MINUTE;
    ask(b, "",
        "<samlp:NameIDPolicy Format=\"" FG_NAME_ID_TRANSIENT "\" SPNameQualifier=\"" SAML_SP
        "\"></samlp:NameIDPolicy>");
    assert_page(b, "auto_post");
}

static void scoping(void **state) {
    browser_t *b = *state;
    b->hub.home_realm_count = 3;
#define LIST(id)                                                     \
    "<samlp:Scoping><samlp:IDPList><samlp:IDPEntry ProviderID=\"" id \
    "\"></samlp:IDPEntry></samlp:IDPList></samlp:Scoping>"
    assert_int_equal(ask(b, "", LIST(SAML_IDP)), 302);
    assert_int_equal(strncmp(browser_header(b, "Location"), SAML_SSO, strlen(SAML_SSO)), 0);
    ask(b, "", LIST("urn:nobody"));
    assert_status(b, "NoAvailableIDP");
    ask(b, "", "<samlp:Scoping ProxyCount=\"0\"></samlp:Scoping>");
    assert_int_not_equal(b->ex->response.status, 302);
    ask(b, "", "<samlp:Scoping ProxyCount=\"x\"></samlp:Scoping>");
    assert_refused(b, FG_E_SAML_MESSAGE);
}

/* core §3.4.1.5.1: who may ask others once lets those ask nobody. */
static void a_proxy_count_goes_down_on_the_way(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *scoping, *sent;
    } cases[] = {
        {"", NULL},
        {" ProxyCount=\"1\"", "<samlp:Scoping ProxyCount=\"0\"><samlp:RequesterID>" SAML_SP "</samlp:RequesterID>"},
        {" ProxyCount=\"7\"", "<samlp:Scoping ProxyCount=\"6\"><samlp:RequesterID>" SAML_SP "</samlp:RequesterID>"},
    };
    b->hub.home_realm_count = 3;
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        char children[400];
        snprintf(children, sizeof children,
                 "<samlp:Scoping%s><samlp:IDPList><samlp:IDPEntry ProviderID=\"" SAML_IDP
                 "\"></samlp:IDPEntry></samlp:IDPList></samlp:Scoping>",
                 cases[i].scoping);
        assert_int_equal(ask(b, "", children), 302);
        char *xml = saml_inflated(b, browser_header(b, "Location"), "SAMLRequest");
        assert_true(cases[i].sent ? strstr(xml, cases[i].sent) != NULL : strstr(xml, "Scoping") == NULL);
        free(xml);
    }
}

/* A request that was made on our behalf, or by us, has gone round in a circle. */
static void our_own_request_is_a_loop(void **state) {
    browser_t *b = *state;
#define REQUESTER(id) "<samlp:Scoping><samlp:RequesterID>" id "</samlp:RequesterID></samlp:Scoping>"
    ask(b, "", REQUESTER("urn:somebody"));
    assert_page(b, "sign_in");
    ask(b, "", REQUESTER(BROWSER_ENTITY));
    assert_status(b, "RequestDenied");
    assert_non_null(strstr(b->audit, "saml_loop"));
    b->realms[BROWSER_PARTNER_RP] = FG_STR(BROWSER_ENTITY); /* a federation may have us in it */
    char *own = saml_request(b, "", "", NULL), *xml = saml_replace(own, ">" SAML_SP "<", ">" BROWSER_ENTITY "<");
    ask_by_redirect(b, xml, NULL, NULL);
    assert_refused(b, FG_E_SAML_LOOP);
    free(own), free(xml);
}

/* What was asked for and is not kept to would be worse than a refusal. */
static void what_is_not_understood_is_refused(void **state) {
    browser_t *b = *state;
    static const struct {
        const char *children;
        fg_code_t code;
    } cases[] = {
        {"<saml:Subject xmlns:saml=\"" FG_NS_SAML2 "\"></saml:Subject>", FG_E_SAML_UNSUPPORTED},
        {"<saml:Conditions xmlns:saml=\"" FG_NS_SAML2 "\"></saml:Conditions>", FG_E_SAML_UNSUPPORTED},
        {"<samlp:Foo></samlp:Foo>", FG_E_SAML_MESSAGE},
        {POLICY(FG_NAME_ID_TRANSIENT) POLICY(FG_NAME_ID_EMAIL), FG_E_SAML_MESSAGE},
        {"<samlp:RequestedAuthnContext></samlp:RequestedAuthnContext>", FG_E_SAML_MESSAGE},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        ask(b, "", cases[i].children);
        if (!browser_refused(b, cases[i].code))
            fail_msg("case %zu", i);
    }
    ask(b, "", "<samlp:Extensions><x:y xmlns:x=\"urn:x\"></x:y></samlp:Extensions>"); /* XS-10: never read */
    assert_page(b, "sign_in");
}

/* The same application again and again within seconds does not take what it gets. */
static void a_loop_is_stopped(void **state) {
    browser_t *b = *state;
    ask(b, "", "");
    sign_in(b);
    for (int i = 0; i < 4; i++) {
        ask(b, "", "");
        assert_page(b, "auto_post");
    }
    ask(b, "", "");
    assert_refused(b, FG_E_WSFED_LOOP);
    b->test.now_ms += 21 * FG_SECOND;
    ask(b, "", "");
    assert_page(b, "auto_post");
}

/* ---- without a request: the identity provider begins */

#define INITIATED "/adfs/ls/IdpInitiatedSignOn.aspx"

static int initiate(browser_t *b, const char *query) { return browser_get(b, &fg_initiate_protocol, INITIATED, query); }

static void the_identity_provider_begins(void **state) {
    browser_t *b = *state;
    initiate(b, "loginToRp=urn%3Arp&RelayState=https%3A%2F%2Frp.test%2Fdeep");
    assert_page(b, "sign_in");
    sign_in(b);
    assert_page(b, "auto_post");
    assert_string_equal(browser_text(b, "action"), SAML_ACS);
    assert_string_equal(browser_field(b, "RelayState"), "https://rp.test/deep");
    assert_string_equal(attribute_of(b, "", "InResponseTo"), "(none)");
    assert_string_equal(
        attribute_of(b, "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData", "InResponseTo"), "(none)");
    initiate(b, "loginToRp=urn%3Arp");
    assert_page(b, "auto_post");
    assert_null(browser_field(b, "RelayState"));
    initiate(b, "loginToRp=urn%3Anobody");
    assert_refused(b, FG_E_SAML_PARTNER);
    initiate(b, "loginToRp=urn%3Arp&loginToRp=urn%3Arp");
    assert_refused(b, FG_E_HTTP_REQUEST);
    initiate(b, "RelayState=RPID%3Durn%253Arp%26RelayState%3Da%2526b"); /* as AD FS 2.0 has it */
    assert_page(b, "auto_post");
    assert_string_equal(browser_field(b, "RelayState"), "a&b");
}

/* One that speaks WS-Federation alone is entered by that. */
static void the_page_lists_the_applications(void **state) {
    browser_t *b = *state;
    initiate(b, "");
    assert_refused(b, FG_E_HTTP_NOT_FOUND);
    b->hub.list_applications = true;
    initiate(b, "");
    assert_page(b, "applications");
    const json_t *list = json_object_get(b->model, "applications");
    assert_int_equal(json_array_size(list), 3);
    const char *first = json_string_value(json_object_get(json_array_get(list, 0), "realm"));
    assert_string_equal(first, SAML_SP);
    initiate(b, "loginToRp=urn%3Aviewer");
    assert_int_equal(b->ex->response.status, 302);
    assert_non_null(strstr(browser_header(b, "Location"), "wa=wsignin1.0&wtrealm=urn%3Aviewer"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, saml_only_staff, saml_world_tear_down)
        T(signs_in_and_then_answers_at_once),
        T(the_response_is_signed_if_the_partner_wants_it),
        T(the_name_format_is_what_the_partner_wants),
        T(requests_come_by_redirect_post_and_simple_sign),
        T(sa_14_redirect_signatures),
        T(sa_14_the_raw_bytes_count),
        T(sa_14_only_the_senders_keys_count),
        T(unsigned_requests_of_those_who_sign),
        T(sa_15_deflate_bombs),
        T(xp_documents),
        T(sa_02_destination_of_requests),
        T(sa_17_consumer_addresses),
        T(unknown_senders_get_a_page),
        T(sa_05_old_and_future_requests),
        T(sa_11_relay_state_is_opaque),
        T(sa_13_what_is_copied_is_escaped),
        T(the_errand_cannot_be_made_elsewhere),
        T(force_asks_again),
        T(passive_shows_no_page),
        T(contexts_are_compared),
        T(name_id_policies),
        T(scoping),
        T(a_proxy_count_goes_down_on_the_way),
        T(our_own_request_is_a_loop),
        T(what_is_not_understood_is_refused),
        T(a_loop_is_stopped),
        T(the_identity_provider_begins),
        T(the_page_lists_the_applications),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
