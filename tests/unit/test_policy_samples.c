/* SPDX-License-Identifier: GPL-2.0-or-later
 * The policies of etc/policy: what they permit, and what looks like it and is denied. */
#include "tests/unit/support.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/xml.h"
#include "policy/wsman.h"

#define WSA "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define WSMAN "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define WSMID "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define WXF "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define WSEN "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define RSP "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
#define CIM "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/"
#define TEST_RESOURCE "http://schema.openwsman.org/2006/openwsman/test"
#define CMD RSP "/cmd"
#define WQL "http://schemas.microsoft.com/wbem/wsman/1/WQL"

#define SELECTOR(name, value) "<w:Selector Name='" name "'>" value "</w:Selector>"
#define SELECTORS(list) "<w:SelectorSet>" list "</w:SelectorSet>"
#define SHELL_ID SELECTORS(SELECTOR("ShellId", "S1"))
#define REQUEST(action, resource, headers, body)                                                                    \
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "' xmlns:a='" WSA "' xmlns:w='" WSMAN "' xmlns:n='" WSEN "' xmlns:r='" RSP \
    "'><s:Header><a:Action>" action "</a:Action><a:To>http://h/wsman</a:To><w:ResourceURI>" resource                \
    "</w:ResourceURI><a:MessageID>uuid:1</a:MessageID>" headers "</s:Header><s:Body>" body "</s:Body></s:Envelope>"
#define IDENTIFY \
    "<s:Envelope xmlns:s='" FG_NS_SOAP12 "'><s:Header/><s:Body><Identify xmlns='" WSMID "'/></s:Body></s:Envelope>"
#define GET(resource, headers) REQUEST(WXF "/Get", resource, headers, "")
#define ENUMERATE(resource, filter) REQUEST(WSEN "/Enumerate", resource, "", "<n:Enumerate>" filter "</n:Enumerate>")
#define FILTER(text) "<w:Filter Dialect='" WQL "'>" text "</w:Filter>"
#define PULL(resource) \
    REQUEST(WSEN "/Pull", resource, "", "<n:Pull><n:EnumerationContext>c</n:EnumerationContext></n:Pull>")
#define CREATE(resource, content) REQUEST(WXF "/Create", resource, "", "<r:Shell>" content "</r:Shell>")
#define COMMAND(line) \
    REQUEST(RSP "/Command", CMD, SHELL_ID, "<r:CommandLine><r:Command>" line "</r:Command></r:CommandLine>")
#define ACT(name) REQUEST(RSP "/" name, CMD, SHELL_ID, "<r:" name "/>")
#define DELETE(resource, headers) REQUEST(WXF "/Delete", resource, headers, "")
#define INVOKE(method, headers) REQUEST(CIM "Win32_Service/" method, CIM "Win32_Service", headers, "")
#define SPOOLER SELECTORS(SELECTOR("Name", "Spooler"))

typedef struct example {
    const char *roles; /* joined by ',' */
    const char *message;
    bool permitted;
} example_t;

static int setup(void **state) {
    fg_err_t err = FG_ERR_INIT;
    *state = NULL;
    return fg_crypto_start() && fg_xml_start(&err) ? 0 : -1;
}

static fg_ruleset_t *load(const char *name) {
    fg_err_t err = FG_ERR_INIT;
    char path[1024];
    const char *folder = getenv("FEDGATE_SRCDIR");
    snprintf(path, sizeof path, "%s/etc/policy/%s", folder ? folder : ".", name);
    fg_ruleset_t *set = fg_ruleset_load(path, NULL, &err);
    if (set == NULL)
        fail_msg("%s", err.detail);
    return set;
}

static void put_all(fg_arena_t *arena, fg_claims_t *claims, const char *type, const char *values) {
    while (*values != '\0') {
        size_t length = strcspn(values, ",");
        assert_true(fg_claims_put(arena, claims, type, (fg_str_t){values, length}));
        values += length + (values[length] == ',');
    }
}

static bool decide(const fg_ruleset_t *set, fg_arena_t *arena, const fg_claims_t *claims) {
    fg_err_t err = FG_ERR_INIT;
    fg_decision_t decision;
    if (!fg_policy_decide(set, arena, NULL, claims, &decision, &err))
        fail_msg("%s", err.detail);
    return decision.permitted;
}

static void check_wsman(const char *policy, const example_t *examples, size_t count) {
    fg_ruleset_t *set = load(policy);
    for (size_t i = 0; i < count; i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_claims_t claims = {NULL};
        fg_wsman_message_t message;
        fg_err_t err = FG_ERR_INIT;
        fg_wsman_http_t http = {
            .content_type = FG_STR(FG_WSMAN_MEDIA_TYPE), .content_type_count = 1, .body = fg_str(examples[i].message)};
        put_all(arena, &claims, FG_CLAIM_ROLE, examples[i].roles);
        if (!fg_wsman_read(arena, &http, NULL, &message, &err) || !fg_wsman_claims(arena, &message, &claims, &err))
            fail_msg("%s, example %zu: %s", policy, i, err.detail);
        if (decide(set, arena, &claims) != examples[i].permitted)
            fail_msg("%s, example %zu: should be %s for %s\n%s", policy, i,
                     examples[i].permitted ? "permitted" : "denied", examples[i].roles, examples[i].message);
        fg_arena_free(arena);
    }
    fg_ruleset_free(set);
}

/* WM-12: a filter needs its own permission; WM-13: each act its own */
static void operators_of_winrm_look_and_change_nothing_wm12_wm13(void **state) {
    static const example_t examples[] = {
        {"Operators", IDENTIFY, true},
        {"Operators", GET(CIM "Win32_Service", SPOOLER), true},
        {"Operators", ENUMERATE(CIM "Win32_Service", ""), true},
        {"Operators", PULL(CIM "Win32_Service"), true},
        {"Operators,Queries", ENUMERATE(CIM "*", FILTER("select * from Win32_Service")), true},
        {"Operators", ENUMERATE(CIM "*", FILTER("select * from Win32_Service")), false},
        {"Operators,Queries", ENUMERATE(CIM "*", FILTER("references of {x}")), false},
        {"Queries", ENUMERATE(CIM "*", FILTER("select * from Win32_Service")), false},
        {"", ENUMERATE(CIM "Win32_Service", ""), false},
        {"operators", IDENTIFY, false},
        {"Operators", GET("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2x/Win32_Service", ""), false},
        {"Operators", GET("http://schemas.microsoft.com/wbem/wsman/1/config", ""), false},
        {"Operators", INVOKE("StopService", SPOOLER), false},
        {"Operators", DELETE(CIM "Win32_Service", SPOOLER), false},
        {"Operators", CREATE(CMD, ""), true},
        {"Operators", CREATE(CMD, "<r:WorkingDirectory>\\\\server\\share</r:WorkingDirectory>"), false},
        {"Operators", CREATE(CMD, "<r:Environment><r:Variable Name='Path'>D:</r:Variable></r:Environment>"), false},
        {"Operators", CREATE("http://schemas.microsoft.com/powershell/Microsoft.PowerShell", ""), false},
        {"Operators", COMMAND("ipconfig /all"), true},
        {"Operators", COMMAND("sc query Spooler"), true},
        {"Operators", COMMAND("ipconfig /all &amp; del x"), false},
        {"Operators", COMMAND("ipconfig /all&#10;"), false},
        {"Operators", COMMAND("ipconfig /release"), false},
        {"Operators", COMMAND("sc stop Spooler"), false},
        {"Operators", COMMAND("powershell -e RwBlAHQALQBTAGUAcgB2AGkAYwBlAA=="), false},
        {"Operators", ACT("Receive"), true},
        {"Operators", ACT("Signal"), true},
        {"Operators", ACT("Send"), false},
        {"Operators", ACT("Connect"), false},
        {"Operators", DELETE(CMD, SHELL_ID), true},
        {"", COMMAND("ipconfig /all"), false},
    };
    (void)state;
    check_wsman("winrm-operators.rules", examples, FG_ARRAY_SIZE(examples));
}

static void readers_of_openwsman_read(void **state) {
    static const example_t examples[] = {
        {"", IDENTIFY, true},
        {"Readers", GET(TEST_RESOURCE, ""), true},
        {"Readers", ENUMERATE(TEST_RESOURCE, ""), true},
        {"Readers", PULL("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_Processor"), true},
        {"Readers", ENUMERATE(TEST_RESOURCE, FILTER("q")), false},
        {"Readers,Queries", ENUMERATE(TEST_RESOURCE, FILTER("q")), true},
        {"Queries", ENUMERATE(TEST_RESOURCE, FILTER("q")), false},
        {"", GET(TEST_RESOURCE, ""), false},
        {"Readers", DELETE(TEST_RESOURCE, ""), false},
        {"Readers", REQUEST(WXF "/Put", TEST_RESOURCE, "", "<x/>"), false},
        {"Readers", REQUEST(TEST_RESOURCE "/Foo", TEST_RESOURCE, "", ""), false},
        {"Readers", GET("http://schema.openwsman.org/2006/openwsman/test/more", ""), false},
    };
    (void)state;
    check_wsman("openwsman-read-only.rules", examples, FG_ARRAY_SIZE(examples));
}

/* Scripts: Restart-Service -Name Spooler, Restart-Service Spooler, Restart-Service -Name W32Time,
 * Restart-Service Spooler; del x */
#define RESTART "UgBlAHMAdABhAHIAdAAtAFMAZQByAHYAaQBjAGUAIAAtAE4AYQBtAGUAIABTAHAAbwBvAGwAZQByAA=="
#define RESTART_SHORT "UgBlAHMAdABhAHIAdAAtAFMAZQByAHYAaQBjAGUAIABTAHAAbwBvAGwAZQByAA=="
#define RESTART_OTHER "UgBlAHMAdABhAHIAdAAtAFMAZQByAHYAaQBjAGUAIAAtAE4AYQBtAGUAIABXADMAMgBUAGkAbQBlAA=="
#define RESTART_MORE "UgBlAHMAdABhAHIAdAAtAFMAZQByAHYAaQBjAGUAIABTAHAAbwBvAGwAZQByADsAIABkAGUAbAAgAHgA"

static void the_service_desk_restarts_one_service(void **state) {
    static const example_t examples[] = {
        {"Service Desk", INVOKE("StopService", SPOOLER), true},
        {"Service Desk", INVOKE("StartService", SPOOLER), true},
        {"Service Desk", GET(CIM "Win32_Service", SPOOLER), true},
        {"Service Desk", COMMAND("powershell -encodedcommand " RESTART), true},
        {"Service Desk", COMMAND("powershell -NoProfile -e " RESTART_SHORT), true},
        {"Service Desk", CREATE(CMD, ""), true},
        {"Service Desk", ACT("Receive"), true},
        {"Service Desk", DELETE(CMD, SHELL_ID), true},
        {"", INVOKE("StopService", SPOOLER), false},
        {"Service Desk", INVOKE("Delete", SPOOLER), false},
        {"Service Desk", INVOKE("StopService", SELECTORS(SELECTOR("Name", "W32Time"))), false},
        {"Service Desk",
         INVOKE("StopService", SELECTORS(SELECTOR("Name", "Spooler") SELECTOR("__cimnamespace", "root/x"))), false},
        {"Service Desk", INVOKE("StopService", ""), false},
        {"Service Desk", DELETE(CIM "Win32_Service", SPOOLER), false},
        {"Service Desk", COMMAND("powershell -encodedcommand " RESTART_OTHER), false},
        {"Service Desk", COMMAND("powershell -encodedcommand " RESTART_MORE), false},
        {"Service Desk", COMMAND("powershell -Command Restart-Service Spooler"), false},
        {"Service Desk", COMMAND("ipconfig"), false},
        {"Service Desk", CREATE(CMD, "<r:WorkingDirectory>D:\\</r:WorkingDirectory>"), false},
        {"Service Desk", ACT("Send"), false},
        {"", COMMAND("powershell -encodedcommand " RESTART), false},
    };
    (void)state;
    check_wsman("winrm-restart-service.rules", examples, FG_ARRAY_SIZE(examples));
}

static void rest_calls_are_permitted_by_method_path_and_body(void **state) {
    /* 2026-01-01 was a Thursday */
    static const struct {
        const char *roles, *method, *path, *body;
        int64_t hour; /* from then on */
        bool permitted;
    } examples[] = {
        {"Readers", "GET", "/api/apps", NULL, 0, true},
        {"Readers", "GET", "/other", NULL, 0, false},
        {"Readers", "GET", "/api/secrets/db", NULL, 0, false},
        {"Operators", "GET", "/api/secrets", NULL, 0, false},
        {"", "GET", "/api/apps", NULL, 0, false},
        {"Readers", "PATCH", "/api/apps/shop", "{\"spec\":{\"replicas\":3}}", 0, false},
        {"Operators", "PATCH", "/api/apps/shop", "{\"spec\":{\"replicas\":3}}", 0, true},
        {"Operators", "PATCH", "/api/apps/shop", "{\"spec\":{\"replicas\":6}}", 0, false},
        {"Operators", "PATCH", "/api/apps/shop", "{\"spec\":{\"replicas\":\"3\\n\"}}", 0, false},
        {"Operators", "PATCH", "/api/apps/shop", "{\"spec\":[{\"replicas\":3},{\"replicas\":500}]}", 0, false},
        {"Operators", "PATCH", "/api/apps/shop", "{\"spec\":{\"replicas\":3,\"image\":\"x\"}}", 0, false},
        {"Operators", "PATCH", "/api/apps/shop", "{}", 0, false},
        {"Operators", "DELETE", "/api/apps/shop", NULL, 0, false},
        {"Deployers", "PATCH", "/api/apps/shop", "{\"spec\":{\"image\":\"registry.example.com/shop:1.2\"}}", 10, true},
        {"Deployers", "PATCH", "/api/apps/shop", "{\"spec\":{\"image\":\"registry.example.com/shop:1.2\"}}", 18, false},
        {"Deployers", "PATCH", "/api/apps/shop", "{\"spec\":{\"image\":\"registry.example.com/shop:1.2\"}}", 58, false},
        {"Deployers", "PATCH", "/api/apps/shop", "{\"spec\":{\"image\":\"evil.example/shop:1.2\"}}", 10, false},
    };
    (void)state;
    fg_ruleset_t *set = load("rest-api.rules");
    for (size_t i = 0; i < FG_ARRAY_SIZE(examples); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_claims_t claims = {NULL};
        fg_err_t err = FG_ERR_INIT;
        fg_request_facts_t facts = {.method = fg_str(examples[i].method),
                                    .path = fg_str(examples[i].path),
                                    .now_ms = TEST_NOW + examples[i].hour * 3600000};
        put_all(arena, &claims, FG_CLAIM_ROLE, examples[i].roles);
        assert_true(fg_request_claims(arena, &facts, &claims));
        if (examples[i].body != NULL)
            assert_true(fg_request_json_claims(arena, set, fg_str(examples[i].body), &claims, &err));
        if (decide(set, arena, &claims) != examples[i].permitted)
            fail_msg("example %zu", i);
        fg_arena_free(arena);
    }
    fg_ruleset_free(set);
}

static void rules_of_adfs_decide(void **state) {
#define SID FG_CLAIMS_2008 "groupsid"
    static const struct {
        const char *type, *value, *method, *role;
        bool permitted;
    } examples[] = {
        {SID, "S-1-5-21-1004336348-1177238915-682003330-1104", "", "", true},
        {SID, "s-1-5-21-1004336348-1177238915-682003330-1104", "", "", true},
        {SID, "S-1-5-21-1004336348-1177238915-682003330-11041", "", "", false},
        {SID, "S-1-5-21-1004336348-1177238915-682003330-1104", "", "Contractor", false},
        {FG_CLAIM_UPN, "a@example.com", FG_AUTH_TLSCLIENT, "", true},
        {FG_CLAIM_UPN, "a@example.com", FG_AUTH_PASSWORD, "", false},
        {FG_CLAIM_UPN, "a@example.com.evil", FG_AUTH_TLSCLIENT, "", false},
        {FG_CLAIM_UPN, "a@example.com", FG_AUTH_X509, "contractors", false},
    };
    (void)state;
    fg_ruleset_t *set = load("adfs-authorization.rules");
    for (size_t i = 0; i < FG_ARRAY_SIZE(examples); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_claims_t claims = {NULL};
        put_all(arena, &claims, examples[i].type, examples[i].value);
        put_all(arena, &claims, FG_CLAIM_AUTHMETHOD, examples[i].method);
        put_all(arena, &claims, FG_CLAIM_ROLE, examples[i].role);
        if (decide(set, arena, &claims) != examples[i].permitted ||
            fg_ruleset_authorize(set, arena, NULL, &claims, NULL) != examples[i].permitted)
            fail_msg("example %zu", i);
        fg_arena_free(arena);
    }
    fg_ruleset_free(set);
}

static void front_ends_act_for_staff_wt02(void **state) {
    static const struct {
        const char *upn, *delegation, *subject_roles, *through;
        bool permitted;
    } examples[] = {
        {"frontend@example.com", "actas", "Staff", "", true},
        {"frontend@example.com", "onbehalfof", "Staff", "", false},
        {"frontend@example.com", "actas", "Guests", "", false},
        {"frontend@example.com", "actas", "Staff,Admins", "", false},
        {"frontend@example.com", "actas", "Staff", FG_AUTH_PASSWORD, false},
        {"other@example.com", "actas", "Staff", "", false},
    };
    (void)state;
    fg_ruleset_t *set = load("delegation.rules");
    for (size_t i = 0; i < FG_ARRAY_SIZE(examples); i++) {
        fg_arena_t *arena = fg_arena_new(0);
        fg_claims_t claims = {NULL};
        put_all(arena, &claims, FG_CLAIM_UPN, examples[i].upn);
        put_all(arena, &claims, FG_REQUEST_SUBJECT FG_CLAIM_ROLE, examples[i].subject_roles);
        put_all(arena, &claims, FG_REQUEST_SUBJECT_ACTOR FG_CLAIM_AUTHMETHOD, examples[i].through);
        assert_true(fg_request_delegation_claims(arena, fg_str(examples[i].delegation), FG_STR("urn:rp"), &claims));
        if (decide(set, arena, &claims) != examples[i].permitted)
            fail_msg("example %zu", i);
        fg_arena_free(arena);
    }
    fg_ruleset_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_of_winrm_look_and_change_nothing_wm12_wm13),
        cmocka_unit_test(readers_of_openwsman_read),
        cmocka_unit_test(the_service_desk_restarts_one_service),
        cmocka_unit_test(rest_calls_are_permitted_by_method_path_and_body),
        cmocka_unit_test(rules_of_adfs_decide),
        cmocka_unit_test(front_ends_act_for_staff_wt02),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
