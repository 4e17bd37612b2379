/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/saml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/deflate.h"
#include "core/time.h"
#include "sts/wsfed.h"
#include "token/encrypt.h"

#define ASK "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner"
#define ROOM (1u << 20)

saml_world_t saml_world;

static fg_key_t *make_key(const char *name) {
    fg_err_t err = FG_ERR_INIT;
    fg_key_t *key = fg_key_generate(FG_KEY_EC_P256, name, TEST_NOW, TEST_NOW + FG_DAY, &err);
    assert_non_null(key);
    return key;
}

static fg_saml_endpoint_t endpoint(fg_saml_service_t service, fg_saml_binding_t binding, const char *location,
                                   unsigned index) {
    return (fg_saml_endpoint_t){service, binding, fg_str(location), fg_str(location), index, false};
}

static void make_idp(int i, const char *entity, const char *sso, fg_key_t *key) {
    saml_world_t *w = &saml_world;
    w->idps[i] = (fg_saml_party_t){
        .role = FG_SAML_IDENTITY_PROVIDER,
        .entity_id = fg_str(entity),
        .endpoints = {endpoint(FG_SAML_SINGLE_SIGN_ON, FG_SAML_REDIRECT, sso, 0)},
        .endpoint_count = 1,
        .keys = {{key}, 1},
    };
    w->providers[i] = (fg_identity_provider_t){
        .name = i ? "second" : "partner",
        .protocol = FG_PROTOCOL_SAML,
        .issuer = fg_str(entity),
        .sign_in_url = fg_str(sso),
        .realm = FG_STR(BROWSER_ENTITY),
        .keys = (const fg_key_t *const *)w->idps[i].keys.items,
        .key_count = 1,
        .saml = &w->idps[i],
    };
    w->realms[i + 1] = (fg_home_realm_t){
        .uri = fg_str(i ? "urn:home:second" : "urn:home:partner"),
        .display_name = i ? "Second" : "Partner",
        .identity_provider = &w->providers[i],
    };
}

static void make_sp(browser_t *b) {
    saml_world_t *w = &saml_world;
    w->sp = (fg_saml_party_t){
        .role = FG_SAML_SERVICE_PROVIDER,
        .entity_id = FG_STR(SAML_SP),
        .endpoints = {endpoint(FG_SAML_ASSERTION_CONSUMER, FG_SAML_POST, SAML_ACS, 0),
                      endpoint(FG_SAML_ASSERTION_CONSUMER, FG_SAML_POST, SAML_ACS_SECOND, 1)},
        .endpoint_count = 2,
        .keys = {{w->sp_key}, 1},
    };
    w->other = w->sp;
    w->other.entity_id = FG_STR("https://other.test/");
    w->other.endpoints[0].location = FG_STR("https://other.test/acs");
    w->other.endpoint_count = 1;
    w->other.keys.items[0] = w->second_key;
    b->partners[BROWSER_PARTNER_RP].saml = &w->sp;
    b->partners[BROWSER_PARTNER_OTHER].saml = &w->other;
}

int saml_world_set_up(void **state) {
    saml_world_t *w = &saml_world;
    if (browser_set_up(state) != 0)
        return -1;
    browser_t *b = *state;
    *w = (saml_world_t){make_key("idp"), make_key("second"), make_key("sp"), make_key("evil")};
    make_idp(0, SAML_IDP, SAML_SSO, w->idp_key);
    make_idp(1, "urn:second", "https://second.test/sso", w->second_key);
    make_sp(b);
    w->realms[0] = b->home_realms[0];
    b->hub.home_realms = w->realms;
    b->hub.home_realm_count = 3;
    b->hub.protocols[FG_PROTOCOL_WSFED] = &fg_wsfed_protocol;
    b->hub.protocols[FG_PROTOCOL_SAML] = &fg_saml_protocol;
    memset(b->keys.pairwise, 9, sizeof b->keys.pairwise);
    return 0;
}

int saml_world_tear_down(void **state) {
    saml_world_t *w = &saml_world;
    fg_key_t *const keys[] = {w->idp_key, w->second_key, w->sp_key, w->evil_key};
    for (size_t i = 0; i < FG_ARRAY_SIZE(keys); i++)
        fg_key_unref(keys[i]);
    return browser_tear_down(state);
}

/* ---- text */

static char *take(fg_buf_t *buf) {
    size_t n;
    assert_true(fg_buf_ok(buf));
    char *text = fg_buf_take(buf, &n);
    fg_buf_free(buf);
    assert_non_null(text);
    return text;
}

char *saml_replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    char *out;
    if (at == NULL)
        fail_msg("\"%s\" is not in %s", from, text);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static void cut(char *xml, const char *begin, const char *close) {
    char *at = strstr(xml, begin), *end = strstr(xml, close);
    assert_true(at != NULL && end != NULL);
    end += strlen(close);
    memmove(at, end, strlen(end) + 1);
}

void saml_cut_signature(char *xml) { cut(xml, "<ds:Signature", "</ds:Signature>"); }

void saml_cut_key_info(char *xml) {
    if (strstr(xml, "<ds:KeyInfo") != NULL)
        cut(xml, "<ds:KeyInfo", "</ds:KeyInfo>");
}

char *saml_sign(const char *xml, const char *id, const char *mark, const fg_key_t *key) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(ROOM);
    fg_buf_puts(&out, xml);
    const char *at = strstr(out.data, mark);
    assert_non_null(at);
    if (!fg_dsig_sign(&out, 0, (size_t)(at - out.data), fg_str(id), key, &err))
        fail_msg("%s", err.detail);
    return take(&out);
}

/* ---- bindings */

static void put_encoded(fg_buf_t *out, const char *name, fg_str_t bytes) {
    fg_buf_t text = FG_BUF_INIT(ROOM);
    fg_base64_encode(&text, bytes.p, bytes.n);
    browser_put(out, name, text.data);
    fg_buf_free(&text);
}

static void put_signature(fg_buf_t *out, const saml_sent_t *sent, fg_str_t data) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t value = FG_BUF_INIT(1024);
    if (!fg_key_sign(sent->key, data, &value, &err))
        fail_msg("%s", err.detail);
    put_encoded(out, "Signature", fg_buf_str(&value));
    fg_buf_free(&value);
}

static const char *algorithm(const saml_sent_t *sent) {
    return sent->algorithm ? sent->algorithm : fg_key_get_signature_uri(sent->key);
}

char *saml_redirect(const saml_sent_t *sent) {
    fg_buf_t query = FG_BUF_INIT(ROOM), deflated = FG_BUF_INIT(ROOM);
    assert_true(fg_deflate(fg_str(sent->xml), &deflated));
    put_encoded(&query, sent->name, fg_buf_str(&deflated));
    fg_buf_free(&deflated);
    if (sent->relay_state != NULL)
        browser_put(&query, "RelayState", sent->relay_state);
    if (sent->key != NULL) {
        browser_put(&query, "SigAlg", algorithm(sent));
        put_signature(&query, sent, fg_buf_str(&query));
    }
    return take(&query);
}

char *saml_form(const saml_sent_t *sent) {
    fg_buf_t form = FG_BUF_INIT(ROOM), joined = FG_BUF_INIT(ROOM);
    put_encoded(&form, sent->name, fg_str(sent->xml));
    fg_buf_printf(&joined, "%s=%s", sent->name, sent->xml);
    if (sent->relay_state != NULL) {
        browser_put(&form, "RelayState", sent->relay_state);
        fg_buf_printf(&joined, "&RelayState=%s", sent->relay_state);
    }
    if (sent->key != NULL) {
        browser_put(&form, "SigAlg", algorithm(sent));
        fg_buf_printf(&joined, "&SigAlg=%s", algorithm(sent));
        put_signature(&form, sent, fg_buf_str(&joined));
    }
    fg_buf_free(&joined);
    return take(&form);
}

char *saml_inflated(const browser_t *b, const char *url, const char *name) {
    fg_err_t err = FG_ERR_INIT;
    fg_params_t params;
    fg_buf_t bytes = FG_BUF_INIT(ROOM), xml = FG_BUF_INIT(ROOM);
    assert_true(fg_params_parse(b->ex->arena, fg_str(strchr(url, '?') + 1), &params, &err));
    assert_true(fg_base64_decode_xml(&bytes, fg_params_get(&params, name, NULL)));
    assert_true(fg_inflate(fg_buf_str(&bytes), &xml, &err));
    fg_buf_free(&bytes);
    return take(&xml);
}

/* ---- a service provider's request */

char *saml_request(const browser_t *b, const char *attributes, const char *children, const fg_key_t *key) {
    char instant[FG_TIME_SIZE], *xml;
    fg_time_format(b->test.now_ms, instant);
    assert_true(asprintf(&xml,
                         "<samlp:AuthnRequest xmlns:samlp=\"" FG_NS_SAML2P "\"%s Destination=\"" SAML_OWN
                         "\" ID=\"_r1\" IssueInstant=\"%s\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"" FG_NS_SAML2
                         "\">" SAML_SP "</saml:Issuer>%s</samlp:AuthnRequest>",
                         attributes, instant, children) > 0);
    if (key == NULL)
        return xml;
    char *place, *signed_one;
    assert_true(asprintf(&place, "%s</samlp:AuthnRequest>", children) > 0);
    signed_one = saml_sign(xml, "_r1", place, key);
    free(xml), free(place);
    return signed_one;
}

/* ---- an identity provider's answer */

saml_answer_t saml_good(const browser_t *b) {
    return (saml_answer_t){
        .issuer = SAML_IDP,
        .audience = BROWSER_ENTITY,
        .recipient = SAML_OWN,
        .in_response_to = saml_world.asked_id,
        .method = FG_AUTH_PASSWORD,
        .role = "Partners",
        .key = saml_world.idp_key,
        .not_before_ms = b->test.now_ms,
        .end_ms = b->test.now_ms + FG_HOUR,
        .instant_ms = b->test.now_ms,
        .response_issuer = SAML_IDP,
        .destination = SAML_OWN,
        .outer_in_response_to = saml_world.asked_id,
    };
}

static char *write_assertion(const saml_answer_t *a, const char *id) {
    const fg_claim_t items[] = {
        {.type = FG_STR(FG_CLAIM_NAME), .value = FG_STR("pat <&>")},
        {.type = FG_STR(FG_CLAIM_ROLE), .value = fg_str(a->role)},
    };
    const fg_claims_t claims = {(fg_claim_t *)(uintptr_t)items, FG_ARRAY_SIZE(items), 0};
    const fg_identity_t identity = {
        .auth_method = fg_str(a->method), .auth_instant_ms = a->instant_ms, .session_index = FG_STR("_s")};
    const fg_assertion_t assertion = {
        .version = FG_SAML_20,
        .id = id,
        .issuer = fg_str(a->issuer),
        .issue_instant_ms = a->not_before_ms,
        .not_before_ms = a->not_before_ms,
        .not_on_or_after_ms = a->end_ms,
        .audience = fg_str(a->audience),
        .name_id = {.value = FG_STR("pat")},
        .recipient = fg_str(a->recipient),
        .in_response_to = fg_str(a->in_response_to),
        .session_not_on_or_after_ms = a->session_end_ms,
        .identity = &identity,
        .claims = &claims,
    };
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(ROOM);
    if (!fg_assertion_write(&assertion, saml_world.idp_key, &out, &err))
        fail_msg("%s", err.detail);
    saml_cut_signature(out.data);
    return take(&out);
}

static char *encrypt(browser_t *b, const saml_answer_t *a, char *plain) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t out = FG_BUF_INIT(ROOM);
    if (!fg_assertion_encrypt(&b->test.env, FG_SAML_20, fg_str(plain), a->encrypt_to, FG_ENCRYPT_AES256_GCM, &out,
                              &err))
        fail_msg("%s", err.detail);
    free(plain);
    return take(&out);
}

char *saml_assertion(browser_t *b, const saml_answer_t *a) {
    char id[FG_ID_SIZE];
    assert_true(fg_id_xml(&b->test.env, id));
    char *xml = write_assertion(a, id);
    if (a->from != NULL) {
        char *changed = saml_replace(xml, a->from, a->to);
        free(xml), xml = changed;
    }
    if (a->key != NULL) {
        char *made = saml_sign(xml, id, "<saml:Subject>", a->key);
        free(xml), xml = made;
    }
    return a->encrypt_to ? encrypt(b, a, xml) : xml;
}

char *saml_response(browser_t *b, const saml_answer_t *a, const char *assertion) {
    char id[FG_ID_SIZE], instant[FG_TIME_SIZE], destination[300] = "", answered[300] = "", *xml;
    char *own = assertion ? NULL : saml_assertion(b, a);
    fg_time_format(b->test.now_ms, instant);
    assert_true(fg_id_xml(&b->test.env, id));
    if (a->destination != NULL)
        snprintf(destination, sizeof destination, " Destination=\"%s\"", a->destination);
    if (a->outer_in_response_to != NULL)
        snprintf(answered, sizeof answered, " InResponseTo=\"%s\"", a->outer_in_response_to);
    assert_true(
        asprintf(&xml,
                 "<samlp:Response xmlns:samlp=\"" FG_NS_SAML2P
                 "\"%s ID=\"%s\"%s IssueInstant=\"%s\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"" FG_NS_SAML2
                 "\">%s</saml:Issuer><samlp:Status>%s</samlp:Status>%s</samlp:Response>",
                 destination, id, answered, instant, a->response_issuer,
                 a->status ? a->status : "<samlp:StatusCode Value=\"" SAML_STATUS "Success\"></samlp:StatusCode>",
                 assertion ? assertion : own) > 0);
    free(own);
    if (a->response_from != NULL) {
        char *changed = saml_replace(xml, a->response_from, a->response_to);
        free(xml), xml = changed;
    }
    if (a->response_key != NULL) {
        char *made = saml_sign(xml, id, "<samlp:Status>", a->response_key);
        free(xml), xml = made;
    }
    return xml;
}

/* ---- the round trip */

void saml_leave(browser_t *b, const char *more) {
    char query[600];
    snprintf(query, sizeof query, "%s%s", ASK, more);
    if (browser_get(b, &fg_wsfed_protocol, SAML_LS, query) != 302)
        fail_msg("%d, page %s\n%s", b->ex->response.status, b->page, b->audit);
    char *xml = saml_inflated(b, browser_header(b, "Location"), "SAMLRequest"), *at = strstr(xml, " ID=\"");
    assert_non_null(at);
    snprintf(saml_world.asked_id, sizeof saml_world.asked_id, "%.*s", (int)strcspn(at + 5, "\""), at + 5);
    free(xml);
}

int saml_post(browser_t *b, const char *xml) {
    const saml_sent_t sent = {.name = "SAMLResponse", .xml = xml};
    char *form = saml_form(&sent);
    b->cross_site = true;
    int status = browser_post(b, &fg_saml_protocol, SAML_LS, "", form);
    b->cross_site = false;
    free(form);
    return status;
}

/* ---- rounds */

static int come_back(browser_t *b, const saml_answer_t *a) {
    char *xml = saml_response(b, a, NULL);
    int status = saml_post(b, xml);
    free(xml);
    return status;
}

saml_answer_t saml_round(browser_t *b) {
    b->cookie_count = 0;
    saml_leave(b, "");
    return saml_good(b);
}

bool saml_accepted(browser_t *b, const saml_answer_t *a) {
    int status = come_back(b, a);
    if (status != 303 || strstr(b->audit, "\"accepted\"") == NULL)
        print_error("%d\n%s", status, b->audit);
    return status == 303;
}

bool saml_refused(browser_t *b, const saml_answer_t *a, fg_code_t code) {
    int status = come_back(b, a);
    if (status == 303)
        print_error("accepted\n");
    return status != 303 && browser_refused(b, code);
}

bool saml_control(browser_t *b) {
    saml_answer_t a = saml_round(b);
    return saml_accepted(b, &a);
}

const char *saml_token_seen(browser_t *b) {
    char back[2048];
    snprintf(back, sizeof back, "%s", browser_header(b, "Location"));
    browser_get(b, &fg_wsfed_protocol, SAML_LS, strchr(back, '?') + 1);
    assert_string_equal(b->page, "auto_post");
    return browser_field(b, "wresult");
}
