/* SPDX-License-Identifier: GPL-2.0-or-later
 * The active endpoints: RST in, RSTR or fault out.  Issuing itself is a stand-in that notes what it was asked for. */
#include "tests/unit/exchange.h"

#include "core/xml_ns.h"
#include "hub/issue.h"
#include "hub/signin.h"
#include "sts/endpoints.h"
#include "sts/trust.h"
#include "sts/wstrust.h"

#define ASSERTION \
    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:1.0:assertion\" AssertionID=\"_id\"></saml:Assertion>"

static fg_issue_request_t issued_for;
static fg_code_t issue_fails;

/* the linker puts it in fg_issue's place (--wrap) */
bool __wrap_fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err);
bool __wrap_fg_issue(fg_exchange_t *ex, const fg_issue_request_t *request, fg_issued_t *issued, fg_err_t *err) {
    if (issue_fails != FG_OK)
        return FG_FAIL(err, issue_fails, "as the test says");
    issued_for = *request;
    *issued = (fg_issued_t){.token = FG_STR(ASSERTION), .id = "_id", .version = request->version};
    issued->created_ms = fg_now(ex->env);
    issued->expires_ms = issued->created_ms + FG_HOUR;
    return true;
}

/* ---- messages */

#define WSA_13 FG_NS_TRUST_13 "/RST/Issue"
#define TO_13 BASE_URL FG_STS_PATH_13_USERNAME
#define TIMESTAMP                                                        \
    "<u:Timestamp u:Id='_0'><u:Created>2026-01-01T00:00:00Z</u:Created>" \
    "<u:Expires>2026-01-01T00:05:00Z</u:Expires></u:Timestamp>"
#define USERNAME "<o:UsernameToken><o:Username>alice</o:Username><o:Password>alice-demo</o:Password></o:UsernameToken>"
#define SECURITY                                                                                            \
    "<o:Security s:mustUnderstand='1' xmlns:o='" FG_NS_WSSE "' xmlns:u='" FG_NS_WSU "'>" TIMESTAMP USERNAME \
    "</o:Security>"
#define APPLIES_TO                                                                                                  \
    "<p:AppliesTo xmlns:p='" FG_NS_WSP "'><a:EndpointReference><a:Address>urn:rp</a:Address></a:EndpointReference>" \
    "</p:AppliesTo>"
#define REQUEST_TYPE "<t:RequestType>" FG_NS_TRUST_13 "/Issue</t:RequestType>"
#define KEY_TYPE "<t:KeyType>" FG_NS_TRUST_13 "/Bearer</t:KeyType>"
#define BODY                                                                                         \
    "<s:Body><t:RequestSecurityToken xmlns:t='" FG_NS_TRUST_13 "'>" APPLIES_TO KEY_TYPE REQUEST_TYPE \
    "</t:RequestSecurityToken></s:Body>"

static const char rst_13[] = "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='" FG_NS_WSA "'><s:Header>"
                             "<a:Action s:mustUnderstand='1'>" WSA_13 "</a:Action><a:MessageID>urn:uuid:1</a:MessageID>"
                             "<a:ReplyTo><a:Address>" FG_NS_WSA "/anonymous</a:Address></a:ReplyTo>"
                             "<a:To s:mustUnderstand='1'>" TO_13 "</a:To>" SECURITY "</s:Header>" BODY "</s:Envelope>";

static fg_partner_t partners[2];
static fg_str_t realms[3];
static fg_realm_entry_t realm_index[3];

static int set_up(void **state) {
    static const char *const claims[] = {FG_CLAIM_UPN, FG_CLAIM_ROLE};
    if (fixture_set_up(state) != 0)
        return -1;
    fixture_t *f = *state;
    realms[0] = FG_STR("urn:federation:MicrosoftOnline");
    realms[1] = FG_STR("urn:rp");
    realms[2] = FG_STR("urn:rp20");
    partners[0] = (fg_partner_t){.name = "rp", .realms = realms, .realm_count = 2, .token = FG_SAML_11};
    partners[0].claim_types = claims;
    partners[0].claim_type_count = FG_ARRAY_SIZE(claims);
    partners[1] = (fg_partner_t){.name = "rp20", .realms = &realms[2], .realm_count = 1, .token = FG_SAML_20};
    partners[1].token_fixed = true;
    for (size_t i = 0; i < 3; i++)
        realm_index[i] = (fg_realm_entry_t){realms[i], &partners[i / 2]};
    qsort(realm_index, 3, sizeof realm_index[0], fg_realm_entry_compare);
    f->hub.partners = partners;
    f->hub.partner_count = 2;
    f->hub.realm_index = realm_index;
    f->hub.realm_count = 3;
    return 0;
}

static const fg_endpoint_t *endpoint_of(const char *path) {
    for (size_t i = 0; i < fg_wstrust_protocol.endpoint_count; i++)
        if (strcmp(fg_wstrust_protocol.endpoints[i].path, path) == 0)
            return &fg_wstrust_protocol.endpoints[i];
    fail_msg("no endpoint %s", path);
    return NULL;
}

static fg_step_t send_to(fixture_t *f, const char *path, const char *message, const char *from, const char *to) {
    fg_exchange_t *ex = exchange_begin(f, path, "application/soap+xml; charset=utf-8", message, from, to);
    return endpoint_of(path)->handle(ex);
}

/* The request of the 1.3 endpoint with a piece replaced, up to the password. */
static fg_step_t send_13(fixture_t *f, const char *from, const char *to) {
    return send_to(f, FG_STS_PATH_13_USERNAME, rst_13, from, to);
}

/* What the password pool does, with its outcome given. */
static void sign_in(fg_exchange_t *ex, fg_code_t outcome) {
    ex->signin.ok = outcome == FG_OK;
    if (!ex->signin.ok)
        (void)FG_FAIL(&ex->signin.err, outcome, "as the test says");
    assert_int_equal(ex->next(ex), FG_STEP_DONE);
}

static void assert_signs_in(fixture_t *f, fg_step_t step) {
    if (step != FG_STEP_PASSWORD)
        print_error("refused: %s\n", f->ex->audit ? f->ex->audit->text.p : "?");
    assert_int_equal(step, FG_STEP_PASSWORD);
    assert_string_equal(f->ex->signin.user.p, "alice");
    assert_string_equal(f->ex->signin.password.p, "alice-demo");
}

/* ---- issuing */

static void names_of(const xmlNode *parent, char *out, size_t size) {
    out[0] = '\0';
    for (const xmlNode *node = parent->children; node != NULL; node = node->next) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s ", node->type == XML_ELEMENT_NODE ? (const char *)node->name : "#text");
    }
}

static const char rstr_order[] = "Lifetime AppliesTo RequestedSecurityToken RequestedAttachedReference "
                                 "RequestedUnattachedReference TokenType RequestType KeyType ";

static void trust_13_answers_a_collection(void **state) {
    fixture_t *f = *state;
    assert_signs_in(f, send_13(f, "<t:RequestSecurityToken", "<t:RequestSecurityToken Context='c&amp;&lt;1'"));
    fg_exchange_t *ex = f->ex;
    sign_in(ex, FG_OK);
    assert_int_equal(ex->response.status, 200);
    assert_string_equal(response_header(ex, "Content-Type"), "application/soap+xml; charset=utf-8");
    assert_string_equal(response_text(ex, "Header/Action"), FG_NS_TRUST_13 "/RSTRC/IssueFinal");
    assert_string_equal(response_text(ex, "Header/RelatesTo"), "urn:uuid:1");
    assert_string_equal(response_text(ex, "Header/Security/Timestamp/Expires"), "2026-01-01T00:05:00.000Z");
    xmlNode *rstr =
        find_path(response_root(ex), "Body/RequestSecurityTokenResponseCollection/RequestSecurityTokenResponse");
    assert_non_null(rstr);
    char names[400];
    names_of(rstr, names, sizeof names);
    assert_string_equal(names, rstr_order);
    assert_string_equal(fg_xml_attr(ex->arena, rstr, NULL, "Context").p, "c&<1"); /* SA-13 */
    assert_non_null(strstr(ex->response.body.data, "RequestedSecurityToken>" ASSERTION "</"));
    assert_ptr_equal(issued_for.partner, &partners[0]);
    assert_true(fg_str_is(issued_for.audience, "urn:rp"));
    assert_int_equal(issued_for.lifetime_ms, 0);
    assert_string_equal(issued_for.protocol, "wstrust13");
}

#define KEY_TYPE_2005 "<t:KeyType>" FG_NS_TRUST_2005 "/Bearer</t:KeyType>"

/* The request in the words of the 2005 version, but for its KeyType, which that version does not know. */
static char *as_2005(void) {
    char *message = strdup(rst_13);
    const char *from = FG_NS_TRUST_13, *to = FG_NS_TRUST_2005;
    for (char *at; (at = strstr(message, from)) != NULL;) {
        memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
        memcpy(at, to, strlen(to));
    }
    char *path = strstr(message, "/trust/13/");
    size_t size = strlen(message) + 3;
    char *out = malloc(size);
    snprintf(out, size, "%.*s/trust/2005/%s", (int)(path - message), message, path + strlen("/trust/13/"));
    free(message);
    return out;
}

static void trust_2005_answers_a_single_response(void **state) {
    fixture_t *f = *state;
    char *message = as_2005();
    assert_signs_in(f, send_to(f, FG_STS_PATH_2005_USERNAME, message, KEY_TYPE_2005, ""));
    sign_in(f->ex, FG_OK);
    assert_int_equal(f->ex->response.status, 200);
    assert_string_equal(response_text(f->ex, "Header/Action"), FG_NS_TRUST_2005 "/RSTR/Issue");
    assert_string_equal(response_text(f->ex, "Body/RequestSecurityTokenResponse/TokenType"),
                        "urn:oasis:names:tc:SAML:1.0:assertion");
    assert_string_equal(issued_for.protocol, "wstrust2005");
    free(message);
}

static void every_token_type_is_answered_as_asked(void **state) {
    static const struct {
        const char *uri;
        fg_saml_version_t version;
    } types[] = {
        {"urn:oasis:names:tc:SAML:1.0:assertion", FG_SAML_11},
        {"urn:oasis:names:tc:SAML:2.0:assertion", FG_SAML_20},
        {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1", FG_SAML_11},
        {"http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0", FG_SAML_20},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(types); i++) {
        char element[200];
        snprintf(element, sizeof element, "<t:TokenType> %s\n</t:TokenType><t:KeyType>", types[i].uri);
        assert_signs_in(f, send_13(f, "<t:KeyType>", element));
        sign_in(f->ex, FG_OK);
        assert_int_equal(issued_for.version, types[i].version);
        assert_string_equal(
            response_text(f->ex, "Body/RequestSecurityTokenResponseCollection/RequestSecurityTokenResponse/TokenType"),
            types[i].uri);
    }
    /* without one, the partner's */
    assert_signs_in(f, send_13(f, "urn:rp", "urn:rp20"));
    sign_in(f->ex, FG_OK);
    assert_int_equal(issued_for.version, FG_SAML_20);
}

/* WT-09 */
static void requested_lifetime_reaches_the_hub_which_clamps_it(void **state) {
    fixture_t *f = *state;
    assert_signs_in(f, send_13(f, "<t:KeyType>",
                               "<t:Lifetime><u:Created xmlns:u='" FG_NS_WSU "'>2026-01-01T00:00:00Z</u:Created>"
                               "<u:Expires xmlns:u='" FG_NS_WSU
                               "'>2026-01-01T10:00:00Z</u:Expires></t:Lifetime><t:KeyType>"));
    sign_in(f->ex, FG_OK);
    assert_int_equal(issued_for.lifetime_ms, 10 * FG_HOUR);
}

/* WT-09: claims beyond the partner's are left out, unless the requestor cannot do without them */
static void claims_never_widen(void **state) {
    fixture_t *f = *state;
#define CLAIM(rest) "<t:Claims Dialect='" FG_NS_IDENTITY "'><i:ClaimType xmlns:i='" FG_NS_IDENTITY "' Uri=" rest "/></t:Claims><t:KeyType>"
    assert_signs_in(f, send_13(f, "<t:KeyType>", CLAIM("'" FG_CLAIM_UPN "'")));
    assert_signs_in(f, send_13(f, "<t:KeyType>", CLAIM("'urn:more' Optional='true'")));
    assert_int_equal(send_13(f, "<t:KeyType>", CLAIM("'urn:more'")), FG_STEP_DONE);
    assert_true(refused_for(f->ex, "wst_claims"));
    assert_int_equal(issued_for.required_count, 0);
    assert_signs_in(f, send_13(f, "<t:KeyType>", CLAIM("'" FG_CLAIM_UPN "'")));
    sign_in(f->ex, FG_OK);
    assert_int_equal(issued_for.required_count, 1); /* whether it is issued is seen when it is */
    assert_true(fg_str_is(issued_for.required_claims[0], FG_CLAIM_UPN));
}

/* What clients in the field send, each taken. */
static void variants_are_taken(void **state) {
    static const struct {
        const char *from, *to;
    } variants[] = {
        {"", ""},
        {"<a:MessageID>urn:uuid:1</a:MessageID>", "<a:messageID>urn:uuid:1</a:messageID>"},
        {"<a:MessageID>urn:uuid:1</a:MessageID>", ""},
        {"<a:To s:mustUnderstand='1'>" TO_13 "</a:To>", ""},
        {"<a:To s:mustUnderstand='1'>" BASE_URL, "<a:To>https://FS.example.com:443"},
        {"<a:Action", "\n  <x xmlns='urn:x'/><!-- c --><a:From><a:Address>urn:me</a:Address></a:From><a:Action"},
        {"<a:Action", "<x xmlns='urn:x' s:mustUnderstand='1' s:role='urn:other'/><a:Action"},
        {KEY_TYPE, ""},
        {KEY_TYPE, "<t:KeyType>http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey</t:KeyType>"},
        {KEY_TYPE, "<t:KeySize>0</t:KeySize><t:Renewing/><x xmlns='urn:x'>1</x>"},
        {"<u:Expires>2026-01-01T00:05:00Z</u:Expires>", ""},
        {"<u:Expires>2026-01-01T00:05:00Z", "<u:Expires>2026-01-01T00:10:00.123+00:00"},
        {TIMESTAMP USERNAME, USERNAME TIMESTAMP},
        {"<a:EndpointReference><a:Address>urn:rp</a:Address></a:EndpointReference>",
         "<w:EndpointReference xmlns:w='http://schemas.xmlsoap.org/ws/2004/08/addressing'><w:Address>urn:rp</w:Address>"
         "</w:EndpointReference>"},
        {"<t:KeyType>", "<t:SecondaryParameters>" KEY_TYPE "</t:SecondaryParameters><t:KeyType>"},
    };
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(variants); i++)
        assert_signs_in(f, send_13(f, variants[i].from, variants[i].to));
}

/* ---- refusals; their control is the message that is taken above */

static const struct refusal {
    const char *from, *to, *reason, *subcode;
} refusals[] = {
    /* WT-01: AppliesTo unknown, a prefix, another case; missing; twice */
    {"urn:rp", "urn:other", "wst_scope", "trust:InvalidScope"},
    {"urn:rp", "urn:r", "wst_scope", "trust:InvalidScope"},
    {"urn:rp", "urn:rp/", "wst_scope", "trust:InvalidScope"},
    {"urn:rp", "URN:RP", "wst_scope", "trust:InvalidScope"},
    {"urn:rp", "", "wst_scope", "trust:InvalidScope"},
    {APPLIES_TO, "", "wst_scope", "trust:InvalidScope"},
    {APPLIES_TO, APPLIES_TO APPLIES_TO, "wst_invalid_request", "trust:InvalidRequest"},
    {"<a:Address>urn:rp</a:Address>", "<a:Address>urn:rp</a:Address><a:Address>urn:x</a:Address>", "wst_scope",
     "trust:InvalidScope"},
    /* WT-04: Timestamp absent, twice, inverted, without Created, too old, from the future, no instant (XP-13) */
    {TIMESTAMP, "", "wss_timestamp", "o:InvalidSecurity"},
    {TIMESTAMP, TIMESTAMP TIMESTAMP, "wss_timestamp", "o:InvalidSecurity"},
    {"<u:Expires>2026-01-01T00:05:00Z", "<u:Expires>2025-12-31T23:59:00Z", "wss_timestamp", "o:InvalidSecurity"},
    {"<u:Created>2026-01-01T00:00:00Z</u:Created>", "", "wss_timestamp", "o:InvalidSecurity"},
    {"<u:Created>2026-01-01T00:00:00Z", "<u:Created>2026-01-01T00:00:00", "wss_timestamp", "o:InvalidSecurity"},
    {"<u:Created>", "<u:Created>2026-01-01T00:00:00Z</u:Created><u:Created>", "wss_timestamp", "o:InvalidSecurity"},
    {"<u:Created>2026-01-01T00:00:00Z", "<u:Created>2025-12-31T23:50:00Z", "wss_expired", "o:MessageExpired"},
    {"<u:Created>2026-01-01T00:00:00Z", "<u:Created>2026-01-01T00:03:30Z", "wss_expired", "o:MessageExpired"},
    /* WT-05, WT-11: credentials missing or twice, tokens that are not checked here, two Security headers */
    {USERNAME, "", "not_signed_in", "o:FailedAuthentication"},
    {USERNAME, USERNAME USERNAME, "wss_structure", "o:InvalidSecurity"},
    {USERNAME, USERNAME "<o:BinarySecurityToken/>", "wss_unsupported", "o:UnsupportedSecurityToken"},
    {USERNAME, USERNAME "<Signature xmlns='" FG_NS_DS "'/>", "signature_structure", "o:FailedCheck"},
    {USERNAME, USERNAME "<x xmlns='urn:x'/>", "wss_unsupported", "o:UnsupportedSecurityToken"},
    {SECURITY, SECURITY SECURITY, "wss_structure", "o:InvalidSecurity"},
    {SECURITY, "", "wss_structure", "o:InvalidSecurity"},
    {"<a:Action", "<x xmlns='urn:x' s:mustUnderstand='1'/><a:Action", "soap_must_understand", NULL},
    /* addressing */
    {"<a:Action s:mustUnderstand='1'>" WSA_13 "</a:Action>", "", "addressing_header", "a:InvalidAddressingHeader"},
    {"/RST/Issue</a:Action>", "/RST/Renew</a:Action>", "addressing_action", "a:ActionNotSupported"},
    {"/RST/Issue</a:Action>", "/RST/Other</a:Action>", "addressing_action", "a:ActionNotSupported"},
    {TO_13, "https://fs.example.com.evil/adfs/services/trust/13/usernamemixed", "addressing_header",
     "a:InvalidAddressingHeader"},
    {TO_13, BASE_URL FG_STS_PATH_2005_USERNAME, "addressing_header", "a:InvalidAddressingHeader"},
    {"<a:MessageID>", "<a:messageID>urn:2</a:messageID><a:MessageID>", "addressing_header",
     "a:InvalidAddressingHeader"},
    {FG_NS_WSA "/anonymous", "https://elsewhere.example/", "addressing_header", "a:InvalidAddressingHeader"},
    /* the request */
    {"/Issue</t:RequestType>", "/BatchIssue</t:RequestType>", "wst_request_type", "trust:BadRequest"},
    {"/Issue</t:RequestType>", "/Renew</t:RequestType>", "wst_invalid_request", "trust:InvalidRequest"},
    {REQUEST_TYPE, "", "wst_invalid_request", "trust:InvalidRequest"},
    {REQUEST_TYPE, REQUEST_TYPE REQUEST_TYPE, "wst_invalid_request", "trust:InvalidRequest"},
    {"/Bearer</t:KeyType>", "/SymmetricKey</t:KeyType>", "wst_key_type", "trust:RequestFailed"},
    {KEY_TYPE, "<t:SecondaryParameters><t:KeyType>" FG_NS_TRUST_13 "/PublicKey</t:KeyType></t:SecondaryParameters>",
     "wst_key_type", "trust:RequestFailed"},
    {KEY_TYPE, KEY_TYPE "<t:Entropy><t:BinarySecret>AAAAAAAAAAAAAAAAAAAAAA==</t:BinarySecret></t:Entropy>", "wst_key_type",
     "trust:RequestFailed"},
    {KEY_TYPE, KEY_TYPE "<t:OnBehalfOf/>", "wst_invalid_request", "trust:InvalidRequest"},
    {KEY_TYPE, KEY_TYPE "<ActAs xmlns='http://docs.oasis-open.org/ws-sx/ws-trust/200802'/>", "wst_invalid_request",
     "trust:InvalidRequest"},
    {KEY_TYPE, "<t:TokenType>urn:jwt</t:TokenType>", "wst_token_type", "trust:RequestFailed"},
    {"<a:Address>urn:rp</a:Address></a:EndpointReference></p:AppliesTo>",
     "<a:Address>urn:rp20</a:Address></a:EndpointReference></p:AppliesTo>"
     "<t:TokenType>urn:oasis:names:tc:SAML:1.0:assertion</t:TokenType>",
     "wst_token_type", "trust:RequestFailed"},
    {"RequestSecurityToken xmlns:t='" FG_NS_TRUST_13, "RequestSecurityToken xmlns:t='" FG_NS_TRUST_2005,
     "wst_invalid_request", "trust:InvalidRequest"}, /* XP-14 */
    {KEY_TYPE, "<t:Lifetime><u:Expires xmlns:u='" FG_NS_WSU "'>2025-12-31T23:00:00Z</u:Expires></t:Lifetime>",
     "wst_time_range", "trust:InvalidTimeRange"},
    {KEY_TYPE,
     "<t:Lifetime><u:Created xmlns:u='" FG_NS_WSU "'>2026-01-01T00:02:00Z</u:Created>"
     "<u:Expires xmlns:u='" FG_NS_WSU "'>2026-01-01T00:01:00Z</u:Expires></t:Lifetime>",
     "wst_time_range", "trust:InvalidTimeRange"},
    {KEY_TYPE, "<t:Lifetime><u:Created xmlns:u='" FG_NS_WSU "'>2026-01-02T00:00:00Z</u:Created></t:Lifetime>",
     "wst_time_range", "trust:InvalidTimeRange"},
    /* XS-09: two Bodies, a Body in the Header's place, something behind it; two requests in one Body */
    {BODY, BODY BODY, "soap_structure", "trust:InvalidRequest"},
    {"<s:Header>", "<s:Body/><s:Header>", "soap_structure", "trust:InvalidRequest"},
    {"</s:Body>", "</s:Body><x xmlns='urn:x'/>", "soap_structure", "trust:InvalidRequest"},
    {"</s:Body>", "<x xmlns='urn:x'/></s:Body>", "soap_structure", "trust:InvalidRequest"},
    {BODY, "<s:Body/>", "wst_invalid_request", "trust:InvalidRequest"},
    {"<s:Header>", "text<s:Header>", "soap_structure", "trust:InvalidRequest"},
    /* XP-01, XP-08, XP-10 */
    {"<s:Envelope", "<!DOCTYPE s:Envelope><s:Envelope", "xml_doctype", "trust:InvalidRequest"},
    {"urn:uuid:1", "&#0;", "xml_malformed", "trust:InvalidRequest"},
    {"</s:Envelope>", "</s:Envelope><x/>", "xml_malformed", "trust:InvalidRequest"},
};

static void assert_fault(fixture_t *f, const char *reason, const char *subcode) {
    fg_exchange_t *ex = f->ex;
    assert_true(refused_for(ex, reason));
    assert_null(strstr(ex->audit->text.p, "alice-demo"));
    assert_int_equal(ex->response.status, 500);
    assert_string_equal(response_text(ex, "Header/Action"), FG_NS_WSA "/soap/fault");
    assert_string_equal(response_text(ex, "Body/Fault/Code/Subcode/Value"), subcode ? subcode : "(none)");
    assert_non_null(strstr(response_text(ex, "Body/Fault/Reason/Text"), "(reference c-1)"));
}

static void defects_are_refused_before_the_password(void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(refusals); i++) {
        const struct refusal *r = &refusals[i];
        fg_step_t step = send_13(f, r->from, r->to);
        if (step != FG_STEP_DONE)
            print_error("taken: %s for %s\n", r->to, r->from);
        assert_int_equal(step, FG_STEP_DONE);
        assert_fault(f, r->reason, r->subcode);
    }
}

static void wrong_password_is_a_fault_in_the_trust_namespace(void **state) {
    fixture_t *f = *state;
    assert_signs_in(f, send_13(f, NULL, NULL));
    sign_in(f->ex, FG_E_AUTH_FAILED);
    assert_fault(f, "wrong_user_or_password", "trust:FailedAuthentication");
    assert_non_null(strstr(f->ex->response.body.data,
                           "<s:Value xmlns:trust=\"" FG_NS_TRUST_13 "\">trust:FailedAuthentication</s:Value>"));
    assert_string_equal(response_text(f->ex, "Header/RelatesTo"), "urn:uuid:1");
    /* locked out looks the same */
    assert_signs_in(f, send_13(f, NULL, NULL));
    sign_in(f->ex, FG_E_AUTH_LOCKED);
    assert_fault(f, "locked_out", "trust:FailedAuthentication");
    char *message = as_2005();
    assert_signs_in(f, send_to(f, FG_STS_PATH_2005_USERNAME, message, KEY_TYPE_2005, ""));
    sign_in(f->ex, FG_E_AUTH_FAILED);
    assert_fault(f, "wrong_user_or_password", "t:FailedAuthentication");
    free(message);
}

static void refusal_to_issue_is_a_fault(void **state) {
    fixture_t *f = *state;
    assert_signs_in(f, send_13(f, NULL, NULL));
    issue_fails = FG_E_DENIED;
    sign_in(f->ex, FG_OK);
    issue_fails = FG_OK;
    assert_fault(f, "denied", "trust:RequestFailed");
}

/* XP-09, and a full queue: HTTP's status with a fault body */
static void what_http_says_keeps_its_status(void **state) {
    fixture_t *f = *state;
    fg_exchange_t *ex = exchange_begin(f, FG_STS_PATH_13_USERNAME, "application/soap+xml", "", NULL, NULL);
    ex->request.body_too_large = true;
    assert_int_equal(endpoint_of(FG_STS_PATH_13_USERNAME)->handle(ex), FG_STEP_DONE);
    assert_true(refused_for(ex, "too_large"));
    assert_int_equal(ex->response.status, 413);
    assert_string_equal(response_text(ex, "Body/Fault/Code/Subcode/Value"), "trust:InvalidRequest");

    fg_err_t err = FG_ERR_INIT;
    (void)FG_FAIL(&err, FG_E_BUSY, "queue");
    ex = exchange_begin(f, FG_STS_PATH_2005_USERNAME, "application/soap+xml", "", NULL, NULL);
    endpoint_of(FG_STS_PATH_2005_USERNAME)->refuse(ex, &err);
    assert_int_equal(ex->response.status, 503);
    assert_string_equal(response_header(ex, "Retry-After"), "2");
    assert_string_equal(response_text(ex, "Body/Fault/Code/Value"), "s:Receiver");
    assert_non_null(strstr(ex->response.body.data, FG_NS_TRUST_2005));
}

/* SA-13: what is copied from the request stays text */
static void copied_input_is_escaped(void **state) {
    fixture_t *f = *state;
    assert_signs_in(f, send_13(f, "urn:uuid:1", "urn:&lt;/a:RelatesTo&gt;&amp;&#xD;"));
    sign_in(f->ex, FG_OK);
    assert_string_equal(response_text(f->ex, "Header/RelatesTo"), "urn:</a:RelatesTo>&");
}

/* ---- recorded messages */

static void fill_in(char *message, size_t size, const char *name, const char *value) {
    char *at = strstr(message, name);
    assert_non_null(at);
    size_t rest = strlen(at + strlen(name)) + 1;
    assert_true(strlen(message) + strlen(value) < size);
    memmove(at + strlen(value), at + strlen(name), rest);
    memcpy(at, value, strlen(value));
}

static void recorded_requests_are_taken(void **state) {
    static const struct {
        const char *file, *path;
    } templates[] = {{"rst13-template.xml", FG_STS_PATH_13_USERNAME},
                     {"rst2005-template.xml", FG_STS_PATH_2005_USERNAME}};
    fixture_t *f = *state;
    if (test_vectors() == NULL)
        skip();
    for (size_t i = 0; i < FG_ARRAY_SIZE(templates); i++) {
        char name[1024], to[200], *text, message[8192];
        snprintf(name, sizeof name, "%s/adfs/wstrust/%s", test_vectors(), templates[i].file);
        snprintf(to, sizeof to, BASE_URL "%s", templates[i].path);
        assert_non_null(text = test_file(name, NULL));
        snprintf(message, sizeof message, "%s", text);
        free(text);
        fill_in(message, sizeof message, "%MESSAGE_ID%", "urn:uuid:2");
        fill_in(message, sizeof message, "%WSTRUST_ENDPOINT%", to);
        fill_in(message, sizeof message, "%CREATED%", "2026-01-01T00:00:00.000Z");
        fill_in(message, sizeof message, "%EXPIRES%", "2026-01-01T00:10:00.000Z");
        fill_in(message, sizeof message, "%USERNAME%", "alice");
        fill_in(message, sizeof message, "%PASSWORD%", "alice-demo");
        fill_in(message, sizeof message, "%APPLIES_TO%", "urn:federation:MicrosoftOnline");
        assert_signs_in(f, send_to(f, templates[i].path, message, NULL, NULL));
        sign_in(f->ex, FG_OK);
        assert_string_equal(response_text(f->ex, "Header/RelatesTo"), "urn:uuid:2");
    }
}

/* Our response has the shape of a recorded one: the same elements and namespaces in the same order around the token. */
static void shape_of(const xmlNode *node, fg_buf_t *out) {
    bool token = strcmp((const char *)node->name, "RequestedSecurityToken") == 0;
    fg_buf_printf(out, "{%s}%s(", node->ns ? (const char *)node->ns->href : "", (const char *)node->name);
    for (const xmlNode *child = fg_xml_first_child(node); !token && child != NULL; child = fg_xml_next(child))
        shape_of(child, out);
    fg_buf_puts(out, ")");
}

static void response_has_the_recorded_shape(void **state) {
    fixture_t *f = *state;
    if (test_vectors() == NULL)
        skip();
    char name[1024], *text;
    snprintf(name, sizeof name, "%s/adfs/wstrust/rstr13-signed.xml", test_vectors());
    assert_non_null(text = test_file(name, NULL));
    assert_signs_in(f, send_13(f, "<a:MessageID>urn:uuid:1</a:MessageID>", ""));
    sign_in(f->ex, FG_OK);
    fg_err_t err = FG_ERR_INIT;
    xmlDoc *doc = fg_xml_parse(f->ex->arena, fg_str(text), NULL, &err);
    assert_non_null(doc);
    fg_buf_t ours = FG_BUF_INIT(16384), theirs = FG_BUF_INIT(16384);
    shape_of(response_root(f->ex), &ours);
    shape_of(xmlDocGetRootElement(doc), &theirs);
    assert_string_equal(ours.data, theirs.data);
    fg_buf_free(&ours);
    fg_buf_free(&theirs);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_13_answers_a_collection),
        cmocka_unit_test(trust_2005_answers_a_single_response),
        cmocka_unit_test(every_token_type_is_answered_as_asked),
        cmocka_unit_test(requested_lifetime_reaches_the_hub_which_clamps_it),
        cmocka_unit_test(claims_never_widen),
        cmocka_unit_test(variants_are_taken),
        cmocka_unit_test(defects_are_refused_before_the_password),
        cmocka_unit_test(wrong_password_is_a_fault_in_the_trust_namespace),
        cmocka_unit_test(refusal_to_issue_is_a_fault),
        cmocka_unit_test(what_http_says_keeps_its_status),
        cmocka_unit_test(copied_input_is_escaped),
        cmocka_unit_test(recorded_requests_are_taken),
        cmocka_unit_test(response_has_the_recorded_shape),
    };
    return cmocka_run_group_tests(tests, set_up, fixture_tear_down);
}
