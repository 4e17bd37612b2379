/* SPDX-License-Identifier: GPL-2.0-or-later
 * Tokens through the active endpoints, with real keys and a real store: proof keys, acting for others, Renew, Cancel,
 * Validate.  Each refusal has the same request without the defect beside it. */
#include "tests/unit/exchange.h"

#include "core/xml_ns.h"
#include "core/xmlenc.h"
#include "hub/store.h"
#include "hub/token_id.h"
#include "sts/endpoints.h"
#include "sts/trust.h"
#include "sts/wstrust.h"
#include "token/jwt.h"
#include "token/proof.h"

#define STORE_SIZE (1u << 20)
#define ENTITY "http://fs.example.com/adfs/services/trust"
#define SAML11 FG_NS_SAML1
#define SAML20 FG_NS_SAML2
#define ISSUER_IDP "urn:idp"

static fixture_t *f;
static void *store_memory;
static fg_keys_t keys;
static fg_key_t *partner_key, *idp_key, *client_key;
static fg_ruleset_t *delegation;
static fg_partner_t partners[3];
static fg_str_t realms[3];
static fg_realm_entry_t realm_index[3];
static fg_identity_provider_t provider;
static fg_home_realm_t home;
static const char *trust_path, *trust_ns; /* the version that is spoken */

static const char rules[] = "[upn == \"front\"] && exists([subject_role == \"Staff\"]) => permit();\n"
                            "exists([subject_upn == \"boss\"]) => deny(\"not for the boss\");\n";

static int set_up(void **state) {
    static const char *const claims[] = {FG_CLAIM_UPN, FG_CLAIM_ROLE};
    fg_err_t err = FG_ERR_INIT;
    if (fixture_set_up(state) != 0 || posix_memalign(&store_memory, 4096, STORE_SIZE) != 0)
        return -1;
    f = *state;
    f->test.env.store = fg_store_open(store_memory, STORE_SIZE, false, &err);
    int64_t now = f->test.now_ms, end = now + 100 * FG_DAY;
    keys = (fg_keys_t){.sealing_count = 1};
    memset(&keys.sealing[0], 7, sizeof keys.sealing[0]);
    keys.signing[FG_KEY_ACTIVE] = test_key(FG_KEY_EC_P256, "sts", now, end);
    keys.encryption[FG_KEY_ACTIVE] = test_key(FG_KEY_RSA_2048, "sts", now, end);
    partner_key = test_key(FG_KEY_RSA_2048, "app", now, end);
    idp_key = test_key(FG_KEY_EC_P256, "idp", now, end);
    client_key = test_key(FG_KEY_EC_P256, "client", now, end);
    delegation = fg_ruleset_compile("delegation", FG_STR(rules), NULL, &err);
    realms[0] = FG_STR("urn:app");
    realms[1] = FG_STR("urn:fix"); /* the same length: in the order of bytes */
    realms[2] = FG_STR("urn:new");
    for (size_t i = 0; i < 3; i++) {
        partners[i] = (fg_partner_t){.name = realms[i].p + 4, .realms = &realms[i], .realm_count = 1};
        partners[i].token_lifetime_ms = FG_HOUR;
        partners[i].claim_types = claims;
        partners[i].claim_type_count = FG_ARRAY_SIZE(claims);
        partners[i].name_id_claim = FG_CLAIM_UPN;
        realm_index[i] = (fg_realm_entry_t){realms[i], &partners[i]};
    }
    partners[0].key_types = 7;
    partners[0].certificate = partner_key;
    partners[0].jwt = true;
    partners[0].renew_ms = 8 * FG_HOUR;
    partners[0].delegation_rules = delegation;
    partners[1].token_fixed = true;
    partners[2].key_types = 1u << FG_PROOF_SYMMETRIC; /* without a certificate */
    provider = (fg_identity_provider_t){.name = "idp", .issuer = FG_STR(ISSUER_IDP), .realm = FG_STR(ENTITY)};
    static const fg_key_t *provider_keys[1];
    provider_keys[0] = idp_key;
    provider.keys = provider_keys;
    provider.key_count = 1;
    home = (fg_home_realm_t){.uri = FG_STR(ISSUER_IDP), .identity_provider = &provider};
    f->hub.entity_id = FG_STR(ENTITY);
    f->hub.partners = partners;
    f->hub.partner_count = 3;
    f->hub.realm_index = realm_index;
    f->hub.realm_count = 3;
    f->hub.home_realms = &home;
    f->hub.home_realm_count = 1;
    trust_path = FG_STS_PATH_13_USERNAME;
    trust_ns = FG_NS_TRUST_13;
    return delegation != NULL && client_key != NULL && f->test.env.store != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    exchange_end(f);
    fg_store_close(f->test.env.store);
    free(store_memory);
    fg_ruleset_free(delegation);
    fg_key_unref(keys.signing[FG_KEY_ACTIVE]);
    fg_key_unref(keys.encryption[FG_KEY_ACTIVE]);
    fg_key_unref(partner_key);
    fg_key_unref(idp_key);
    fg_key_unref(client_key);
    return fixture_tear_down(state);
}

/* ---- asking */

static const fg_endpoint_t *endpoint_of(const char *path) {
    for (size_t i = 0; i < fg_wstrust_protocol.endpoint_count; i++)
        if (strcmp(fg_wstrust_protocol.endpoints[i].path, path) == 0)
            return &fg_wstrust_protocol.endpoints[i];
    fail_msg("no endpoint %s", path);
    return NULL;
}

static char message[200000];

static void make_message(const char *request, const char *inner) {
    char now[FG_TIME_SIZE];
    fg_time_format(f->test.now_ms, now);
    int n = snprintf(message, sizeof message,
                     "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='" FG_NS_WSA "'><s:Header><a:Action>%s/RST/%s"
                     "</a:Action><o:Security xmlns:o='" FG_NS_WSSE "' xmlns:u='" FG_NS_WSU
                     "'><u:Timestamp><u:Created>%s</u:Created></u:Timestamp><o:UsernameToken><o:Username>x</o:Username>"
                     "<o:Password>y</o:Password></o:UsernameToken></o:Security></s:Header><s:Body>"
                     "<t:RequestSecurityToken xmlns:t='%s'><t:RequestType>%s/%s</t:RequestType>%s"
                     "</t:RequestSecurityToken></s:Body></s:Envelope>",
                     trust_ns, request, now, trust_ns, trust_ns, request, inner);
    assert_true((size_t)n < sizeof message);
}

/* Somebody of the directory, as it would say it. */
static void sign_in(fg_exchange_t *ex, const char *upn) {
    fg_identity_t *identity = &ex->signin.identity;
    *identity = (fg_identity_t){.issuer = FG_STR("staff"), .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    identity->name_id.value = fg_str(upn);
    identity->auth_instant_ms = f->test.now_ms;
    assert_true(fg_claims_put(ex->arena, &identity->claims, FG_CLAIM_UPN, fg_str(upn)));
    assert_true(fg_claims_put(ex->arena, &identity->claims, FG_CLAIM_NAME, fg_str(upn)));
    if (strcmp(upn, "guest") != 0)
        assert_true(fg_claims_put(ex->arena, &identity->claims, FG_CLAIM_ROLE, FG_STR("Staff")));
    ex->signin.ok = true;
}

static const char *certificate; /* PEM of the TLS connection; NULL: none */

/* NULL: an answer; else the reason for which it was refused. */
static const char *ask(const char *who, const char *request, const char *inner) {
    static char reason[64];
    make_message(request, inner);
    fg_exchange_t *ex = exchange_begin(f, trust_path, "application/soap+xml", message, NULL, NULL);
    ex->keys = &keys;
    ex->audit_end = &ex->audit;
    ex->request.client_certificate = fg_str(certificate);
    fg_step_t step = endpoint_of(trust_path)->handle(ex);
    if (step == FG_STEP_PASSWORD) {
        sign_in(ex, who);
        step = ex->next(ex);
    }
    assert_int_equal(step, FG_STEP_DONE);
    if (ex->response.status == 200)
        return NULL;
    const fg_audit_line_t *line = ex->audit;
    while (line->next != NULL)
        line = line->next;
    const char *at = strstr(line->text.p, "\"reason\":\"");
    assert_non_null(at);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(at + 10, "\""), at + 10);
    return reason;
}

static void assert_answered(const char *reason) {
    if (reason == NULL)
        return;
    for (const fg_audit_line_t *line = f->ex->audit; line != NULL; line = line->next)
        print_error("%s\n", line->text.p);
    fail_msg("refused: %s", reason);
}

#define assert_refused(call, expected)      \
    do {                                    \
        const char *got = (call);           \
        assert_non_null(got);               \
        assert_string_equal(got, expected); \
    } while (0)

static xmlNode *answer_part(const char *path) {
    xmlNode *body = find_path(response_root(f->ex), "Body");
    xmlNode *response = find_path(body, "RequestSecurityTokenResponseCollection/RequestSecurityTokenResponse");
    return find_path(response ? response : find_path(body, "RequestSecurityTokenResponse"), path);
}

static const char *answer_text(const char *path) {
    xmlNode *node = answer_part(path);
    fg_str_t text = node ? fg_xml_text(f->ex->arena, node, NULL) : FG_STR_NONE;
    return text.p ? text.p : "(none)";
}

/* The issued token as it stands in the answer; the caller frees it. */
static char *get_token(void) {
    static const char *const ends[] = {"RequestedSecurityToken>", "</trust:RequestedSecurityToken>",
                                       "</t:RequestedSecurityToken>"};
    const char *begin = strstr(f->ex->response.body.data, ends[0]);
    assert_non_null(begin);
    begin += strlen(ends[0]);
    const char *end = strstr(begin, ends[1]) ? strstr(begin, ends[1]) : strstr(begin, ends[2]);
    assert_non_null(end);
    return strndup(begin, (size_t)(end - begin));
}

static char *wrap(const char *name, const char *token, const char *more) {
    static const char act_as[] = "ActAs";
    const size_t size = strlen(token) + strlen(more) + 400;
    char *text = malloc(size);
    const char *ns = strcmp(name, act_as) == 0 ? FG_NS_TRUST_14 : trust_ns;
    snprintf(text, size, "<x:%s xmlns:x='%s'>%s</x:%s>%s", name, ns, token, name, more);
    return text;
}

static const char *ask_about(const char *who, const char *request, const char *element, const char *token,
                             const char *more) {
    char *inner = wrap(element, token, more);
    const char *reason = ask(who, request, inner);
    free(inner);
    return reason;
}

#define APPLIES_TO(realm)                                                                                              \
    "<p:AppliesTo xmlns:p='" FG_NS_WSP "'><a:EndpointReference><a:Address>" realm "</a:Address></a:EndpointReference>" \
    "</p:AppliesTo>"
#define TOKEN_TYPE(uri) "<t:TokenType>" uri "</t:TokenType>"

static char *issue(const char *who, const char *inner) {
    assert_answered(ask(who, "Issue", inner));
    return get_token();
}

/* A token that the identity provider issued for us. */
static char *idp_token(const char *upn, const fg_key_t *key, const char *audience, int64_t end) {
    fg_arena_t *arena = fg_arena_new(0);
    fg_identity_t identity = {.issuer = FG_STR(ISSUER_IDP), .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    identity.auth_instant_ms = f->test.now_ms;
    fg_claims_t claims = {0};
    assert_true(fg_claims_put(arena, &claims, FG_CLAIM_UPN, fg_str(upn)));
    assert_true(fg_claims_put(arena, &claims, FG_CLAIM_ROLE, FG_STR("Staff")));
    fg_assertion_t assertion = {.version = FG_SAML_11, .id = "_idp1", .issuer = FG_STR(ISSUER_IDP)};
    assertion.issue_instant_ms = assertion.not_before_ms = f->test.now_ms;
    assertion.not_on_or_after_ms = end;
    assertion.audience = fg_str(audience);
    assertion.identity = &identity;
    assertion.claims = &claims;
    assertion.name_id.value = fg_str(upn);
    fg_buf_t out = FG_BUF_INIT(65536);
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_assertion_write(&assertion, key, &out, &err));
    char *text = strdup(out.data);
    fg_buf_free(&out);
    fg_arena_free(arena);
    return text;
}

static bool holds(const char *text, const char *part) { return strstr(text, part) != NULL; }

/* ---- Renew (WT-08) */

static void renew_is_for_the_owner_within_the_window_wt08(void **state) {
    (void)state;
    char *token = issue("alice", APPLIES_TO("urn:app") "<t:Renewing/>");
    assert_string_equal(fg_xml_attr(f->ex->arena, answer_part("Renewing"), NULL, "OK").p, "false");
    int64_t start = f->test.now_ms;
    f->test.now_ms += 30 * FG_MINUTE;
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
    assert_string_equal(response_text(f->ex, "Header/Action"), FG_NS_TRUST_13 "/RSTR/RenewFinal");
    char *renewed = get_token();
    assert_true(holds(renewed, "alice") && holds(renewed, "Staff"));
    assert_refused(ask_about("bob", "Renew", "RenewTarget", token, ""), "wst_owner");
    assert_refused(ask_about("bob", "Renew", "RenewTarget", renewed, ""), "wst_owner");
    /* late, without OK */
    f->test.now_ms = start + 2 * FG_HOUR;
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "wst_renew");
    free(renewed);
    free(token);
    f->test.now_ms = start;
    token = issue("alice", APPLIES_TO("urn:app"));
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "wst_renew");
    free(token);
    /* a partner without a window */
    token = issue("alice", APPLIES_TO("urn:fix") "<t:Renewing/>");
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "wst_renew");
    free(token);
    token = issue("alice", APPLIES_TO("urn:app") "<t:Renewing Allow='false' OK='true'/>");
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "wst_renew");
    free(token);
}

static void late_renewal_ends_with_the_window(void **state) {
    (void)state;
    char *token = issue("alice", APPLIES_TO("urn:app") "<t:Renewing OK='true'/>");
    int64_t start = f->test.now_ms;
    f->test.now_ms = start + 7 * FG_HOUR + 30 * FG_MINUTE;
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
    /* it ends with the window, too */
    assert_string_equal(answer_text("Lifetime/Expires"), "2026-01-01T08:00:00.000Z");
    char *renewed = get_token();
    f->test.now_ms = start + 8 * FG_HOUR;
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "wst_renew");
    assert_refused(ask_about("alice", "Renew", "RenewTarget", renewed, ""), "wst_renew");
    free(renewed);
    free(token);
}

static void renew_keeps_format_and_audience(void **state) {
    (void)state;
    char *token = issue("alice", APPLIES_TO("urn:app") TOKEN_TYPE(SAML20) "<t:Renewing/>");
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, APPLIES_TO("urn:fix")), "wst_scope");
    assert_refused(ask_about("alice", "Renew", "RenewTarget", token, TOKEN_TYPE(SAML11)), "wst_token_type");
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)));
    free(token);
    char *theirs = idp_token("alice", idp_key, ENTITY, f->test.now_ms + FG_HOUR);
    assert_refused(ask_about("alice", "Renew", "RenewTarget", theirs, ""), "wst_owner");
    free(theirs);
    token = issue("alice", APPLIES_TO("urn:app") TOKEN_TYPE(FG_TOKEN_TYPE_JWT) "<t:Renewing/>");
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
    assert_string_equal(answer_text("TokenType"), FG_TOKEN_TYPE_JWT);
    free(token);
}

/* ---- Cancel (WT-08) and Validate */

static const char *status_of(const char *token) {
    assert_answered(ask_about("bob", "Validate", "ValidateTarget", token, ""));
    const char *code = answer_text("Status/Code"), *reason = answer_text("Status/Reason");
    static char text[400];
    snprintf(text, sizeof text, "%s %.*s", strrchr(code, '/') + 1, (int)strcspn(reason, ":"), reason);
    return text;
}

static void cancelled_tokens_are_good_for_nothing_wt08(void **state) {
    (void)state;
    static const char *const formats[] = {TOKEN_TYPE(SAML11), TOKEN_TYPE(SAML20), TOKEN_TYPE(FG_TOKEN_TYPE_JWT)};
    for (size_t i = 0; i < FG_ARRAY_SIZE(formats); i++) {
        char inner[600];
        snprintf(inner, sizeof inner, APPLIES_TO("urn:app") "%s<t:Renewing/>", formats[i]);
        char *token = issue("alice", inner), *other = issue("alice", inner);
        assert_string_equal(status_of(token), "valid (none)");
        assert_refused(ask_about("bob", "Cancel", "CancelTarget", token, ""), "wst_owner");
        assert_string_equal(status_of(token), "valid (none)");
        assert_answered(ask_about("alice", "Cancel", "CancelTarget", token, ""));
        assert_non_null(answer_part("RequestedTokenCancelled"));
        assert_string_equal(status_of(token), "invalid token_cancelled");
        assert_string_equal(status_of(other), "valid (none)");
        assert_refused(ask_about("alice", "Renew", "RenewTarget", token, ""), "token_cancelled");
        assert_refused(ask_about("front", "Issue", "OnBehalfOf", token, APPLIES_TO("urn:app")), "token_cancelled");
        assert_answered(ask_about("front", "Issue", "OnBehalfOf", other, APPLIES_TO("urn:app")));
        assert_refused(ask_about("alice", "Cancel", "CancelTarget", token, ""), "token_cancelled");
        free(token);
        free(other);
    }
}

static void without_a_store_nothing_is_said_to_be_good(void **state) {
    (void)state;
    char *token = issue("alice", APPLIES_TO("urn:app"));
    fg_store_t *store = f->test.env.store;
    assert_string_equal(status_of(token), "valid (none)");
    f->test.env.store = NULL;
    assert_refused(ask_about("alice", "Cancel", "CancelTarget", token, ""), "store_unavailable");
    assert_refused(ask_about("bob", "Validate", "ValidateTarget", token, ""), "store_unavailable");
    f->test.env.store = store;
    free(token);
}

static void validate_tells_why(void **state) {
    (void)state;
    int64_t now = f->test.now_ms;
    char *own = issue("alice", APPLIES_TO("urn:fix")), *theirs = idp_token("carol", idp_key, ENTITY, now + FG_HOUR);
    char *elsewhere = idp_token("carol", idp_key, "urn:elsewhere", now + FG_HOUR);
    char *unknown = idp_token("carol", client_key, ENTITY, now + FG_HOUR);
    assert_string_equal(status_of(own), "valid (none)");
    assert_string_equal(answer_text("TokenType"), FG_NS_TRUST_13 "/RSTR/Status");
    assert_string_equal(status_of(theirs), "valid (none)");
    assert_string_equal(status_of(elsewhere), "invalid token_audience");
    assert_string_equal(status_of(unknown), "invalid token_security"); /* one face for all of signatures */
    char *at = strstr(own, "alice");
    memcpy(at, "alicf", 5);
    assert_string_equal(status_of(own), "invalid token_security");
    memcpy(at, "alice", 5);
    assert_string_equal(status_of("<x xmlns='urn:x'/>"), "invalid wss_unsupported");
    f->test.now_ms = now + 2 * FG_HOUR;
    assert_string_equal(status_of(own), "invalid token_expired");
    f->test.now_ms = now;
    free(own);
    free(theirs);
    free(elsewhere);
    free(unknown);
}

static void validate_translates_for_who_may_act(void **state) {
    (void)state;
    char *theirs = idp_token("carol", idp_key, ENTITY, f->test.now_ms + 10 * FG_MINUTE);
    assert_answered(ask_about("front", "Validate", "ValidateTarget", theirs, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)));
    assert_string_equal(answer_text("Status/Code"), FG_NS_TRUST_13 "/status/valid");
    assert_string_equal(answer_text("TokenType"), SAML20);
    char *token = get_token();
    assert_true(holds(token, ">carol<") && !holds(token, "front"));
    assert_string_equal(answer_text("Lifetime/Expires"), "2026-01-01T00:10:00.000Z"); /* no longer than the other */
    free(token);
    assert_answered(
        ask_about("front", "Validate", "ValidateTarget", theirs, APPLIES_TO("urn:app") TOKEN_TYPE(FG_TOKEN_TYPE_JWT)));
    assert_refused(ask_about("bob", "Validate", "ValidateTarget", theirs, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)),
                   "denied");
    assert_refused(ask_about("front", "Validate", "ValidateTarget", theirs, TOKEN_TYPE(SAML20)), "wst_scope");
    f->test.now_ms += FG_HOUR;
    assert_refused(ask_about("front", "Validate", "ValidateTarget", theirs, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)),
                   "token_expired");
    free(theirs);
}

/* ---- acting for others (WT-02) */

static void delegation_matrix_through_the_endpoint_wt02(void **state) {
    (void)state;
    static const struct {
        const char *actor, *element, *subject, *more, *reason;
    } rows[] = {
        {"front", "OnBehalfOf", "alice", APPLIES_TO("urn:app"), NULL},
        {"front", "ActAs", "alice", APPLIES_TO("urn:app"), NULL},
        {"bob", "OnBehalfOf", "alice", APPLIES_TO("urn:app"), "denied"},
        {"bob", "ActAs", "alice", APPLIES_TO("urn:app"), "denied"},
        {"front", "OnBehalfOf", "guest", APPLIES_TO("urn:app"), "denied"}, /* not of Staff */
        {"front", "OnBehalfOf", "boss", APPLIES_TO("urn:app"), "denied"},
        {"front", "ActAs", "boss", APPLIES_TO("urn:app"), "denied"},
        {"front", "OnBehalfOf", "alice", APPLIES_TO("urn:fix"), "denied"}, /* no rules */
        {"alice", "OnBehalfOf", "alice", APPLIES_TO("urn:app"), "denied"}, /* not even for oneself */
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        char *token = issue(rows[i].subject, APPLIES_TO("urn:app"));
        const char *reason = ask_about(rows[i].actor, "Issue", rows[i].element, token, rows[i].more);
        if (rows[i].reason == NULL)
            assert_answered(reason);
        else
            assert_refused(reason, rows[i].reason);
        free(token);
    }
}

static void the_actor_is_in_the_token_for_act_as_alone(void **state) {
    (void)state;
    char *subject = issue("alice", APPLIES_TO("urn:app"));
    assert_answered(ask_about("front", "Issue", "OnBehalfOf", subject, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)));
    char *token = get_token();
    assert_true(holds(token, ">alice<") && !holds(token, "front"));
    free(token);
    assert_answered(ask_about("front", "Issue", "ActAs", subject, APPLIES_TO("urn:app") TOKEN_TYPE(SAML20)));
    token = get_token();
    assert_true(holds(token, ">alice<") && holds(token, "claims/actor") && holds(token, "front"));
    free(token);
    assert_non_null(strstr(f->ex->audit->text.p, "\"event\":\"delegated\""));
    assert_non_null(strstr(f->ex->audit->next->text.p, "\"actor\":\"front\""));
    free(subject);
}

/* WS-Trust 1.3 §9.1: nobody acts by a token that was asked for as not Delegatable, nor by what it is renewed to. */
static void not_delegatable_is_for_nobody_else_wt02(void **state) {
    (void)state;
    static const char *const types[] = {TOKEN_TYPE(SAML11), TOKEN_TYPE(SAML20), TOKEN_TYPE(FG_TOKEN_TYPE_JWT)};
    for (size_t i = 0; i < 2 * FG_ARRAY_SIZE(types); i++) {
        char inner[2000];
        const bool delegatable = i % 2 == 0;
        snprintf(inner, sizeof inner, "%s%s<t:Delegatable>%s</t:Delegatable><t:Renewing/>", APPLIES_TO("urn:app"),
                 types[i / 2], delegatable ? "true" : " 0 ");
        char *token = issue("alice", inner);
        assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
        char *renewed = get_token();
        for (size_t j = 0; j < 4; j++) {
            const char *reason = ask_about("front", "Issue", j % 2 == 0 ? "OnBehalfOf" : "ActAs",
                                           j / 2 == 0 ? token : renewed, APPLIES_TO("urn:app"));
            if (delegatable)
                assert_answered(reason);
            else
                assert_refused(reason, "denied");
        }
        assert_answered(ask_about("front", "Validate", "ValidateTarget", token, ""));
        free(renewed);
        free(token);
    }
}

/* What is issued for somebody ends with the token that was shown for him, and cannot be renewed past it. */
static void acting_never_widens_wt02(void **state) {
    (void)state;
    char *subject = issue("alice", APPLIES_TO("urn:app"));
    f->test.now_ms += 50 * FG_MINUTE;
    assert_answered(ask_about("front", "Issue", "ActAs", subject, APPLIES_TO("urn:app") "<t:Renewing OK='1'/>"));
    assert_string_equal(answer_text("Lifetime/Expires"), "2026-01-01T01:00:00.000Z");
    assert_null(answer_part("Renewing"));
    char *token = get_token();
    assert_refused(ask_about("front", "Renew", "RenewTarget", token, ""), "wst_renew");
    /* it belongs to who asked for it */
    assert_refused(ask_about("alice", "Cancel", "CancelTarget", token, ""), "wst_owner");
    assert_answered(ask_about("front", "Cancel", "CancelTarget", token, ""));
    free(token);
    free(subject);
}

static void what_is_shown_for_somebody_must_be_a_token_wt02(void **state) {
    (void)state;
    static const struct {
        const char *element, *reason;
    } rows[] = {
        {"<o:UsernameToken xmlns:o='" FG_NS_WSSE "'><o:Username>alice</o:Username></o:UsernameToken>",
         "wss_unsupported"},
        {"<a:EndpointReference><a:Address>urn:x</a:Address></a:EndpointReference>", "wss_unsupported"},
        {"<o:BinarySecurityToken xmlns:o='" FG_NS_WSSE "' ValueType='urn:x'>AAAA</o:BinarySecurityToken>",
         "wss_unsupported"},
        {"<o:BinarySecurityToken xmlns:o='" FG_NS_WSSE "' ValueType='" FG_TOKEN_TYPE_JWT
         "'>AAAA</o:BinarySecurityToken>",
         "token_malformed"},
        {"", "wst_invalid_request"},
    };
    int64_t end = f->test.now_ms + FG_HOUR;
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++)
        assert_refused(ask_about("front", "Issue", "OnBehalfOf", rows[i].element, APPLIES_TO("urn:app")),
                       rows[i].reason);
    char *theirs = idp_token("carol", idp_key, ENTITY, end), *forged = idp_token("carol", client_key, ENTITY, end);
    assert_answered(ask_about("front", "Issue", "OnBehalfOf", theirs, APPLIES_TO("urn:app")));
    assert_refused(ask_about("front", "Issue", "OnBehalfOf", forged, APPLIES_TO("urn:app")), "signature_invalid");
    char *signature = strstr(theirs, "<ds:Signature"), *behind = strstr(theirs, "</ds:Signature>") + 15;
    memmove(signature, behind, strlen(behind) + 1);
    assert_refused(ask_about("front", "Issue", "OnBehalfOf", theirs, APPLIES_TO("urn:app")), "signature_missing");
    free(theirs);
    free(forged);
}

/* ---- proof keys (WT-06) */

#define KEY_TYPE(word) "<t:KeyType>" FG_NS_TRUST_13 "/" word "</t:KeyType>"
#define SYMMETRIC APPLIES_TO("urn:app") KEY_TYPE("SymmetricKey")
#define ENTROPY(text) "<t:Entropy><t:BinarySecret Type='" FG_NS_TRUST_13 "/Nonce'>" text "</t:BinarySecret></t:Entropy>"
#define BYTES_16 "AAECAwQFBgcICQoLDA0ODw=="
#define BYTES_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* The secret in the issued token, as the relying party reads it. */
static fg_str_t secret_in_token(void) {
    const fg_key_t *own[] = {partner_key};
    const fg_enc_recipients_t recipients = {own, 1};
    fg_proof_t proof;
    fg_err_t err = FG_ERR_INIT;
    xmlNode *token = fg_xml_first_child(answer_part("RequestedSecurityToken"));
    xmlNode *statement = find_path(token, "AttributeStatement");
    xmlNode *info = find_path(statement ? statement : token, "Subject/SubjectConfirmation/KeyInfo");
    assert_non_null(info);
    assert_true(fg_proof_read(f->ex->arena, info, &recipients, &proof, &err));
    return proof.secret;
}

static fg_str_t decode(const char *text) {
    fg_buf_t bytes = FG_BUF_INIT(8192);
    assert_true(fg_base64_decode(&bytes, fg_str(text)));
    fg_str_t copy = fg_arena_str(f->ex->arena, fg_buf_str(&bytes));
    fg_buf_free(&bytes);
    return copy;
}

static void a_whole_key_is_told_and_in_the_token(void **state) {
    (void)state;
    assert_answered(ask("alice", "Issue", SYMMETRIC));
    fg_str_t told = decode(answer_text("RequestedProofToken/BinarySecret")), inside = secret_in_token();
    assert_int_equal(told.n, 32);
    assert_true(fg_str_eq(told, inside));
    assert_string_equal(answer_text("KeySize"), "256");
    assert_string_equal(answer_text("KeyType"), FG_NS_TRUST_13 "/SymmetricKey");
    assert_null(answer_part("Entropy"));
    assert_answered(ask("alice", "Issue", SYMMETRIC "<t:KeySize>128</t:KeySize>"));
    assert_int_equal(decode(answer_text("RequestedProofToken/BinarySecret")).n, 16);
}

/* WS-Trust 1.3 §4.4.4: both shares make the key, which nobody tells */
static void a_computed_key_is_in_the_token(void **state) {
    (void)state;
    assert_answered(ask("alice", "Issue",
                        SYMMETRIC ENTROPY(BYTES_32) "<t:ComputedKeyAlgorithm>" FG_NS_TRUST_13
                                                    "/CK/PSHA1</t:ComputedKeyAlgorithm>"));
    assert_string_equal(answer_text("RequestedProofToken/ComputedKey"), FG_NS_TRUST_13 "/CK/PSHA1");
    fg_str_t ours = decode(answer_text("Entropy/BinarySecret")), inside = secret_in_token();
    unsigned char key[32];
    fg_p_sha1(decode(BYTES_32), ours, key, sizeof key);
    assert_true(fg_str_eq(inside, (fg_str_t){(char *)key, sizeof key}));
    /* the share may be encrypted to us */
    fg_buf_t share = FG_BUF_INIT(8192);
    fg_err_t err = FG_ERR_INIT;
    const fg_enc_key_t to_us = {.recipient = keys.encryption[FG_KEY_ACTIVE], .naming = FG_ENC_NAME_THUMBPRINT};
    assert_true(fg_xmlenc_write_key(decode(BYTES_16), &to_us, &share, &err));
    char inner[10000];
    snprintf(inner, sizeof inner, SYMMETRIC "<t:Entropy>%s</t:Entropy>", share.data);
    fg_buf_free(&share);
    assert_answered(ask("alice", "Issue", inner));
    ours = decode(answer_text("Entropy/BinarySecret"));
    inside = secret_in_token();
    fg_p_sha1(decode(BYTES_16), ours, key, sizeof key);
    assert_true(fg_str_eq(inside, (fg_str_t){(char *)key, sizeof key}));
}

static void keys_of_other_sizes_and_kinds_are_refused_wt06(void **state) {
    (void)state;
    static const struct {
        const char *inner, *reason;
    } rows[] = {
        {SYMMETRIC "<t:KeySize>256</t:KeySize>" ENTROPY(BYTES_16), NULL},
        {SYMMETRIC "<t:KeySize>120</t:KeySize>", "wst_key"},
        {SYMMETRIC "<t:KeySize>8</t:KeySize>", "wst_key"},
        {SYMMETRIC "<t:KeySize>264</t:KeySize>", "wst_key"},
        {SYMMETRIC "<t:KeySize>129</t:KeySize>", "wst_key"},
        {SYMMETRIC "<t:KeySize>99999999999999999999</t:KeySize>", "wst_key"},
        {SYMMETRIC "<t:KeySize>-256</t:KeySize>", "wst_key"},
        {SYMMETRIC ENTROPY("AAAA"), "wst_key"},
        {SYMMETRIC ENTROPY(""), "wst_key"},
        {SYMMETRIC ENTROPY("AAECAwQFBgcICQoLDA0O"), "wst_key"},                         /* 15 bytes */
        {SYMMETRIC ENTROPY("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"), "wst_key"}, /* 33 bytes */
        {SYMMETRIC ENTROPY("!"), "wst_key"},
        {SYMMETRIC "<t:Entropy/>", "wst_key"},
        {SYMMETRIC ENTROPY(BYTES_32) "<t:ComputedKeyAlgorithm>urn:x</t:ComputedKeyAlgorithm>", "wst_key"},
        {SYMMETRIC "<t:ProofEncryption/>", "wst_key_type"},
        {SYMMETRIC TOKEN_TYPE(FG_TOKEN_TYPE_JWT), "wst_key_type"},
        {APPLIES_TO("urn:fix") KEY_TYPE("SymmetricKey"), "wst_key_type"},
        {APPLIES_TO("urn:fix") KEY_TYPE("Bearer"), NULL},
        {APPLIES_TO("urn:new") KEY_TYPE("Bearer"), "wst_key_type"},
        {APPLIES_TO("urn:new") KEY_TYPE("SymmetricKey"), "wst_key_type"}, /* no certificate to encrypt it to */
        {APPLIES_TO("urn:app") KEY_TYPE("PublicKey"), "wst_key"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        const char *reason = ask("alice", "Issue", rows[i].inner);
        if (rows[i].reason == NULL)
            assert_answered(reason);
        else if (reason == NULL || strcmp(reason, rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].inner, reason ? reason : "taken");
    }
}

/* WS-Trust 1.3 §4.4.7: a public key goes into a token for who shows to have it */
static void a_public_key_needs_its_proof(void **state) {
    (void)state;
    char inner[8000];
    fg_buf_t pem = FG_BUF_INIT(8192);
    fg_err_t err = FG_ERR_INIT;
    fg_str_t text = fg_key_get_certificate_base64(client_key);
    snprintf(inner, sizeof inner,
             APPLIES_TO("urn:app") KEY_TYPE("PublicKey") "<t:UseKey><d:KeyInfo xmlns:d='" FG_NS_DS
                                                         "'><d:X509Data><d:X509Certificate>%.*s</d:X509Certificate>"
                                                         "</d:X509Data></d:KeyInfo></t:UseKey>",
             (int)text.n, text.p);
    assert_refused(ask("alice", "Issue", inner), "wst_proof");
    assert_true(fg_key_to_pem(client_key, &pem, &err));
    certificate = pem.data;
    assert_answered(ask("alice", "Issue", inner));
    certificate = NULL;
    assert_string_equal(answer_text("KeyType"), FG_NS_TRUST_13 "/PublicKey");
    assert_null(answer_part("RequestedProofToken"));
    char *token = get_token();
    assert_true(holds(token, "cm:holder-of-key") && holds(token, text.p));
    free(token);
    /* the key of another */
    fg_buf_reset(&pem);
    assert_true(fg_key_to_pem(idp_key, &pem, &err));
    certificate = pem.data;
    assert_refused(ask("alice", "Issue", inner), "wst_proof");
    certificate = NULL;
    fg_buf_free(&pem);
}

static void a_proof_key_survives_renewal(void **state) {
    (void)state;
    char *token = issue("alice", SYMMETRIC "<t:Renewing/>");
    fg_str_t told = decode(answer_text("RequestedProofToken/BinarySecret"));
    char kept[32];
    memcpy(kept, told.p, sizeof kept);
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
    assert_true(fg_str_eq(secret_in_token(), (fg_str_t){kept, sizeof kept}));
    assert_null(answer_part("RequestedProofToken"));
    assert_string_equal(answer_text("KeyType"), FG_NS_TRUST_13 "/SymmetricKey");
    free(token);
}

/* ---- what else is asked for */

static void claims_that_must_be_there_wt09(void **state) {
    (void)state;
#define CLAIMS(dialect, type, more) \
    APPLIES_TO("urn:app")           \
    "<t:Claims Dialect='" dialect "'><c:ClaimType xmlns:c='" FG_NS_AUTH "' Uri='" type "' " more "</t:Claims>"
    static const struct {
        const char *who, *inner, *reason;
    } rows[] = {
        {"alice", CLAIMS(FG_NS_AUTH "/authclaims", FG_CLAIM_ROLE, "/>"), NULL},
        {"alice", CLAIMS(FG_NS_AUTH, FG_CLAIM_ROLE, "/>"), NULL},
        {"guest", CLAIMS(FG_NS_AUTH, FG_CLAIM_ROLE, "/>"), "wst_claims"}, /* has none */
        {"guest", CLAIMS(FG_NS_AUTH, FG_CLAIM_ROLE, "Optional='true'/>"), NULL},
        {"alice", CLAIMS(FG_NS_AUTH, FG_CLAIM_EMAIL, "/>"), "wst_claims"}, /* not this partner's */
        {"alice", CLAIMS(FG_NS_AUTH, FG_CLAIM_EMAIL, "Optional='1'/>"), NULL},
        {"alice", CLAIMS(FG_NS_AUTH, FG_CLAIM_ROLE, "><c:Value>Staff</c:Value></c:ClaimType>"), "wst_claims"},
        {"alice", CLAIMS("urn:other", FG_CLAIM_ROLE, "/>"), "wst_claims"},
        {"alice", APPLIES_TO("urn:app") "<t:Claims><x xmlns='urn:x' Uri='u'/></t:Claims>", "wst_claims"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        const char *reason = ask(rows[i].who, "Issue", rows[i].inner);
        if (rows[i].reason == NULL)
            assert_answered(reason);
        else if (reason == NULL || strcmp(reason, rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].inner, reason ? reason : "taken");
    }
}

static void display_token_says_what_the_token_says(void **state) {
    (void)state;
    assert_answered(
        ask("alice", "Issue", APPLIES_TO("urn:app") "<i:RequestDisplayToken xmlns:i='" FG_NS_IDENTITY "'/>"));
    xmlNode *claim = fg_xml_first_child(answer_part("RequestedDisplayToken/DisplayToken"));
    assert_string_equal(fg_xml_attr(f->ex->arena, claim, NULL, "Uri").p, FG_CLAIM_UPN);
    assert_string_equal(answer_text("RequestedDisplayToken/DisplayToken/DisplayClaim/DisplayTag"),
                        "User principal name");
    assert_string_equal(answer_text("RequestedDisplayToken/DisplayToken/DisplayClaim/DisplayValue"), "alice");
    assert_answered(ask("alice", "Issue", APPLIES_TO("urn:app")));
    assert_null(answer_part("RequestedDisplayToken"));
}

static void a_jwt_is_for_partners_that_take_it(void **state) {
    (void)state;
    assert_answered(ask("alice", "Issue", APPLIES_TO("urn:app") TOKEN_TYPE(FG_TOKEN_TYPE_JWT)));
    xmlNode *token = answer_part("RequestedSecurityToken/BinarySecurityToken");
    assert_string_equal(fg_xml_attr(f->ex->arena, token, NULL, "ValueType").p, FG_TOKEN_TYPE_JWT);
    assert_string_equal(answer_text("TokenType"), FG_TOKEN_TYPE_JWT);
    fg_str_t id = fg_xml_attr(f->ex->arena, token, FG_NS_WSU, "Id");
    xmlNode *reference = answer_part("RequestedAttachedReference/SecurityTokenReference/Reference");
    fg_str_t uri = fg_xml_attr(f->ex->arena, reference, NULL, "URI");
    assert_true(uri.p[0] == '#' && fg_str_is(id, uri.p + 1));
    assert_null(answer_part("RequestedUnattachedReference")); /* nothing outside the message could find it */
    fg_str_t jwt = decode(answer_text("RequestedSecurityToken/BinarySecurityToken"));
    assert_true(fg_str_is(fg_jwt_peek_issuer(f->ex->arena, jwt), ENTITY));
    assert_refused(ask("alice", "Issue", APPLIES_TO("urn:fix") TOKEN_TYPE(FG_TOKEN_TYPE_JWT)), "wst_token_type");
    partners[0].encryption_key = partner_key;
    assert_refused(ask("alice", "Issue", APPLIES_TO("urn:app") TOKEN_TYPE(FG_TOKEN_TYPE_JWT)), "wst_token_type");
    partners[0].encryption_key = NULL;
}

/* WT-01: a requestor that knows the relying party by its certificate gets a token for no other */
static void applies_to_may_name_the_partners_certificate(void **state) {
    (void)state;
    const fg_key_t *named[] = {partner_key, client_key};
    for (size_t i = 0; i < FG_ARRAY_SIZE(named); i++) {
        char inner[8000];
        fg_str_t text = fg_key_get_certificate_base64(named[i]);
        snprintf(inner, sizeof inner,
                 "<p:AppliesTo xmlns:p='" FG_NS_WSP "'><a:EndpointReference><a:Address>urn:app</a:Address>"
                 "<w:Identity xmlns:w='http://schemas.xmlsoap.org/ws/2006/02/addressingidentity'><d:KeyInfo "
                 "xmlns:d='" FG_NS_DS
                 "'><d:X509Data><d:X509Certificate>%.*s</d:X509Certificate></d:X509Data></d:KeyInfo></w:Identity>"
                 "</a:EndpointReference></p:AppliesTo>",
                 (int)text.n, text.p);
        if (i == 0)
            assert_answered(ask("alice", "Issue", inner));
        else
            assert_refused(ask("alice", "Issue", inner), "wst_scope");
    }
}

static void what_is_not_served_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *request, *inner, *reason;
    } rows[] = {
        {"Issue", APPLIES_TO("urn:app"), NULL},
        {"Issue", APPLIES_TO("urn:app") "<t:Participants/>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:DelegateTo/>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:Encryption/>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:BinaryExchange/>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<c:InteractiveChallenge xmlns:c='" FG_NS_TRUST_14 "'/>",
         "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:Forwardable>true</t:Forwardable><t:Delegatable>true</t:Delegatable>", NULL},
        {"Issue", APPLIES_TO("urn:app") "<t:Forwardable>false</t:Forwardable>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:Forwardable>perhaps</t:Forwardable>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:Delegatable/>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:AllowPostdating/>", NULL},
        {"Issue", APPLIES_TO("urn:app") TOKEN_TYPE(FG_NS_TRUST_13 "/RSTR/Status"), "wst_token_type"},
        {"Issue", APPLIES_TO("urn:app") "<t:RenewTarget><x xmlns='urn:x'/></t:RenewTarget>", "wst_invalid_request"},
        {"Issue", APPLIES_TO("urn:app") "<t:Renewing OK='maybe'/>", "wst_invalid_request"},
        {"Renew", "", "wst_invalid_request"},
        {"Cancel", "", "wst_invalid_request"},
        {"Validate", "", "wst_invalid_request"},
        {"Cancel", "<t:RenewTarget><x xmlns='urn:x'/></t:RenewTarget>", "wst_invalid_request"},
        {"Cancel", "<t:CancelTarget/>", "wst_invalid_request"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(rows); i++) {
        const char *reason = ask("alice", rows[i].request, rows[i].inner);
        if (rows[i].reason == NULL)
            assert_answered(reason);
        else if (reason == NULL || strcmp(reason, rows[i].reason) != 0)
            fail_msg("%s: %s", rows[i].inner, reason ? reason : "taken");
    }
}

static void february_2005_has_the_same_requests(void **state) {
    (void)state;
    trust_path = FG_STS_PATH_2005_USERNAME;
    trust_ns = FG_NS_TRUST_2005;
    char *token =
        issue("alice", APPLIES_TO("urn:app") "<t:KeyType>" FG_NS_TRUST_2005 "/SymmetricKey</t:KeyType><t:Renewing/>");
    assert_string_equal(answer_text("KeyType"), FG_NS_TRUST_2005 "/SymmetricKey");
    assert_answered(ask_about("alice", "Renew", "RenewTarget", token, ""));
    assert_answered(ask_about("bob", "Validate", "ValidateTarget", token, ""));
    assert_string_equal(answer_text("Status/Code"), FG_NS_TRUST_2005 "/status/valid");
    assert_answered(ask_about("front", "Issue", "OnBehalfOf", token, APPLIES_TO("urn:app")));
    assert_string_equal(answer_text("KeyType"), FG_NS_IDENTITY "/NoProofKey");
    assert_answered(ask_about("alice", "Cancel", "CancelTarget", token, ""));
    assert_non_null(answer_part("RequestedTokenCancelled"));
    free(token);
}

/* ---- ids */

static void an_id_knows_its_owner(void **state) {
    (void)state;
    char id[FG_ID_SIZE], changed[FG_ID_SIZE];
    fg_err_t err = FG_ERR_INIT;
    assert_answered(ask("alice", "Issue", APPLIES_TO("urn:app")));
    const fg_exchange_t *ex = f->ex;
    assert_true(fg_token_id_make(ex, FG_STR("alice"), FG_TOKEN_RENEWABLE_LATE, id, &err));
    assert_true(fg_token_id_is_owner(ex, fg_str(id), FG_STR("alice")));
    assert_false(fg_token_id_is_owner(ex, fg_str(id), FG_STR("alic")));
    assert_false(fg_token_id_is_owner(ex, fg_str(id), FG_STR_NONE));
    assert_int_equal(fg_token_id_flags(fg_str(id)), FG_TOKEN_RENEWABLE_LATE);
    for (size_t i = 1; i < strlen(id); i++) {
        memcpy(changed, id, sizeof id);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(fg_token_id_is_owner(ex, fg_str(changed), FG_STR("alice")));
    }
    assert_true(fg_token_id_make(ex, FG_STR_NONE, 0, id, &err));
    assert_false(fg_token_id_is_owner(ex, fg_str(id), FG_STR_NONE));
    fg_identity_t one = {.issuer = FG_STR("a"), .name_id = {.value = FG_STR("bc")}}, two = one;
    two.name_id.format = FG_STR("x"); /* SA-10 */
    assert_false(fg_str_eq(fg_token_owner(ex->arena, &one), fg_token_owner(ex->arena, &two)));
    two = (fg_identity_t){.issuer = FG_STR("ab"), .name_id = {.value = FG_STR("c")}};
    assert_false(fg_str_eq(fg_token_owner(ex->arena, &one), fg_token_owner(ex->arena, &two)));
    assert_int_equal(fg_token_owner(ex->arena, &(fg_identity_t){.issuer = FG_STR("a")}).n, 0);
}

int main(void) {
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(renew_is_for_the_owner_within_the_window_wt08),
        CASE(late_renewal_ends_with_the_window),
        CASE(renew_keeps_format_and_audience),
        CASE(cancelled_tokens_are_good_for_nothing_wt08),
        CASE(without_a_store_nothing_is_said_to_be_good),
        CASE(validate_tells_why),
        CASE(validate_translates_for_who_may_act),
        CASE(delegation_matrix_through_the_endpoint_wt02),
        CASE(the_actor_is_in_the_token_for_act_as_alone),
        CASE(not_delegatable_is_for_nobody_else_wt02),
        CASE(acting_never_widens_wt02),
        CASE(what_is_shown_for_somebody_must_be_a_token_wt02),
        CASE(a_whole_key_is_told_and_in_the_token),
        CASE(a_computed_key_is_in_the_token),
        CASE(keys_of_other_sizes_and_kinds_are_refused_wt06),
        CASE(a_public_key_needs_its_proof),
        CASE(a_proof_key_survives_renewal),
        CASE(claims_that_must_be_there_wt09),
        CASE(display_token_says_what_the_token_says),
        CASE(a_jwt_is_for_partners_that_take_it),
        CASE(applies_to_may_name_the_partners_certificate),
        CASE(what_is_not_served_is_refused),
        CASE(february_2005_has_the_same_requests),
        CASE(an_id_knows_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
