/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/core_names.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/time.h"
#include "core/xml_ns.h"
#include "directory/password.h"
#include "gateway/gateway.h"
#include "hub/access.h"
#include "hub/signin.h"
#include "hub/store.h"
#include "hub/web_access.h"
#include "token/assertion.h"
#include "token/certificate.h"
#include "token/jwt.h"

#define STORE_SIZE (1u << 20)

static char folder[] = "/tmp/fedgate-access-XXXXXX";
char access_pages[1024];
test_env_t access_test;
static void *store_memory;
fg_gateway_t *access_gateway;
fg_key_t *access_idp_key, *access_other_key, *access_client_key, *access_voucher_key;
char access_cookie[8192];

const char *access_path(const char *name) {
    static char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void access_write_file(const char *name, const char *text) {
    fg_err_t err = FG_ERR_INIT;
    if (!fg_file_replace(access_path(name), fg_str(text), 0600, &err))
        fail_msg("%s", err.detail);
}

/* ---- one request */


access_call_t access_call;

void access_put_header(const char *name, const char *value) {
    access_call.headers[access_call.request.header_count++] = (fg_header_t){fg_str(name), fg_str(value)};
}

static void access_end(void) {
    fg_gateway_exchange_free(access_call.ex);
    access_call.ex = NULL;
}

void access_begin(const char *protect, const char *method, const char *path) {
    access_end();
    memset(&access_call, 0, sizeof access_call);
    access_call.protect = protect;
    access_call.request = (fg_request_t){
        .method = strcmp(method, "GET") == 0 ? FG_METHOD_GET : strcmp(method, "POST") == 0 ? FG_METHOD_POST : FG_METHOD_OTHER,
        .method_name = fg_str(method),
        .https = true,
        .host = FG_STR("fs.example.com"),
        .path = fg_str(path),
        .raw_path = fg_str(path),
        .headers = access_call.headers,
        .client_address = FG_STR("192.0.2.7"),
        .tls_version = FG_STR("TLSv1.3"),
    };
}

static void go_on(fg_step_t step) {
    while (step == FG_STEP_BODY || step == FG_STEP_JOB || step == FG_STEP_PASSWORD) {
        if (step == FG_STEP_BODY) {
            assert_false(access_call.body_was_read);
            access_call.body_was_read = access_call.ex->request.body_read = true;
            access_call.ex->request.body = fg_str(access_call.body);
            step = fg_access_quick(access_call.ex);
            continue;
        }
        if (step == FG_STEP_PASSWORD) {
            access_call.passwords++;
            fg_signin_run(access_call.ex);
        }
        access_call.jobs++;
        step = fg_gateway_run(access_call.ex);
    }
    access_call.quick = access_call.jobs == 0;
}

/* Runs the request with all its steps.  True if it may go on. */
bool access_run(void) {
    size_t number;
    assert_true(fg_gateway_find_protect(access_gateway, access_call.protect, &number));
    access_call.ex = fg_gateway_access_new(access_gateway, &access_test.env, &access_call.request, number, access_call.block, sizeof access_call.block);
    assert_non_null(access_call.ex);
    go_on(fg_access_quick(access_call.ex));
    fg_access_outcome_t outcome = access_call.ex->access->outcome;
    assert_true(outcome == FG_ACCESS_PERMITTED || outcome == FG_ACCESS_ANSWERED);
    if (outcome == FG_ACCESS_PERMITTED) {
        assert_string_equal(access_call.ex->access->reason, "permit");
        assert_int_equal(access_call.ex->response.status, 0);
    }
    return outcome == FG_ACCESS_PERMITTED;
}

const char *access_header(const char *name, unsigned which) {
    for (size_t i = 0; i < access_call.ex->response.header_count; i++)
        if (fg_str_is(access_call.ex->response.headers[i].name, name) && which-- == 0)
            return access_call.ex->response.headers[i].value.p;
    return "";
}

const char *access_audit(void) {
    const fg_audit_line_t *line = access_call.ex->audit;
    while (line != NULL && line->next != NULL)
        line = line->next;
    return line ? line->text.p : "";
}

/* True if it was refused with that status for that reason, which the audit log tells. */
bool access_refused(int status, const char *reason) {
    char member[100];
    snprintf(member, sizeof member, "\"event\":\"refused\"");
    bool good = access_call.ex->access->outcome == FG_ACCESS_ANSWERED && access_call.ex->response.status == status &&
                strcmp(access_call.ex->access->reason, reason) == 0 && strstr(access_audit(), member) != NULL;
    if (!good)
        print_error("%d %s expected: %d %s, %s\n", status, reason, access_call.ex->response.status, access_call.ex->access->reason, access_audit());
    return good;
}

bool access_body_has(const char *text) {
    fg_str_t body = fg_buf_str(&access_call.ex->response.body);
    return memmem(body.p, body.n, text, strlen(text)) != NULL;
}

/* ---- credentials */

void access_put_bearer(fg_str_t token) {
    static char line[65536];
    snprintf(line, sizeof line, "Bearer %.*s", (int)token.n, token.p);
    access_put_header("Authorization", line);
}

void access_put_basic(const char *user_and_password) {
    static char line[512];
    fg_buf_t text = FG_BUF_INIT(400);
    fg_base64_encode(&text, user_and_password, strlen(user_and_password));
    snprintf(line, sizeof line, "Basic %.*s", (int)text.length, text.data);
    fg_buf_free(&text);
    access_put_header("Authorization", line);
}

void access_put_session(void) { access_put_header("Cookie", access_cookie); }


access_token_t access_token_fill(access_token_t t) {
    t.issuer = t.issuer ? t.issuer : IDP;
    t.audience = t.audience ? t.audience : BASE;
    t.key = t.key ? t.key : access_idp_key;
    t.until_ms = t.until_ms ? t.until_ms : FG_HOUR;
    t.name = t.name ? t.name : "carol";
    t.role = t.role ? t.role : "Operators";
    return t;
}

static void fill_claims(fg_arena_t *arena, const access_token_t *token, fg_identity_t *identity) {
    *identity = (fg_identity_t){.auth_method = FG_STR(FG_AUTH_PASSWORD), .auth_instant_ms = access_test.now_ms};
    identity->name_id.value = fg_str(token->name);
    identity->name_id.format = token->format ? fg_str(token->format) : FG_STR_NONE;
    assert_true(fg_claims_put(arena, &identity->claims, FG_CLAIM_NAME, fg_str(token->name)) &&
                fg_claims_put(arena, &identity->claims, FG_CLAIM_ROLE, fg_str(token->role)));
    if (token->more_type != NULL)
        assert_true(fg_claims_put(arena, &identity->claims, token->more_type, fg_str(token->more_value)));
    if (token->actor == NULL)
        return;
    fg_identity_t *actor = fg_arena_alloc(arena, sizeof *actor);
    assert_non_null(actor);
    assert_true(fg_claims_put(arena, &actor->claims, FG_CLAIM_NAME, fg_str(token->actor)));
    identity->actor = actor;
}

/* In static memory, until the next one. */
fg_str_t access_jwt(access_token_t token) {
    static char text[16384];
    fg_arena_t *arena = fg_arena_new(0);
    fg_buf_t out = FG_BUF_INIT(sizeof text);
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity;
    fill_claims(arena, &token, &identity);
    const fg_jwt_t jwt = {
        .type = "JWT",
        .id = FG_STR("id-1"),
        .issuer = fg_str(token.issuer),
        .subject = fg_str(token.name),
        .audience = fg_str(token.audience),
        .issued_ms = access_test.now_ms + token.from_ms,
        .not_before_ms = access_test.now_ms + token.from_ms,
        .expires_ms = access_test.now_ms + token.until_ms,
        .identity = &identity,
        .claims = &identity.claims,
        .actor = identity.actor,
    };
    if (!fg_jwt_write(&jwt, token.key, &out, &err))
        fail_msg("%s", err.detail);
    size_t length = out.length;
    memcpy(text, out.data, length);
    fg_buf_free(&out);
    fg_arena_free(arena);
    return (fg_str_t){text, length};
}

fg_str_t access_assertion(access_token_t token, fg_saml_version_t version) {
    static char text[32768];
    fg_arena_t *arena = fg_arena_new(0);
    fg_buf_t out = FG_BUF_INIT(sizeof text);
    fg_err_t err = FG_ERR_INIT;
    fg_identity_t identity;
    fill_claims(arena, &token, &identity);
    const fg_assertion_t assertion = {
        .version = version,
        .id = "_a1",
        .issuer = fg_str(token.issuer),
        .issue_instant_ms = access_test.now_ms + token.from_ms,
        .not_before_ms = access_test.now_ms + token.from_ms,
        .not_on_or_after_ms = access_test.now_ms + token.until_ms,
        .audience = fg_str(token.audience),
        .name_id = identity.name_id,
        .identity = &identity,
        .claims = &identity.claims,
        .actor = identity.actor,
    };
    if (!fg_assertion_write(&assertion, token.key, &out, &err))
        fail_msg("%s", err.detail);
    size_t length = out.length;
    memcpy(text, out.data, length);
    text[length] = '\0';
    fg_buf_free(&out);
    fg_arena_free(arena);
    return (fg_str_t){text, length};
}

fg_str_t access_base64(fg_str_t bytes, bool url) {
    static char text[65536];
    fg_buf_t out = FG_BUF_INIT(sizeof text);
    if (url)
        fg_base64url_encode(&out, bytes.p, bytes.n);
    else
        fg_base64_encode(&out, bytes.p, bytes.n);
    size_t length = out.length;
    memcpy(text, out.data, length);
    fg_buf_free(&out);
    return (fg_str_t){text, length};
}

/* A browser's cookie for somebody who just signed in. */
static void make_cookie(void) {
    fg_err_t err = FG_ERR_INIT;
    fg_request_t request = {.method = FG_METHOD_GET, .https = true, .host = FG_STR("fs.example.com"), .path = FG_STR("/adfs/ls/")};
    fg_exchange_t *ex = fg_gateway_exchange_new(access_gateway, &access_test.env, &request);
    const access_token_t alice = TOKEN(.name = "alice", .role = "Staff");
    fg_identity_t identity;
    fg_session_t session;
    fill_claims(ex->arena, &alice, &identity);
    identity.issuer = FG_STR("staff");
    assert_true(fg_session_begin(ex, &identity, FG_STR_NONE, &session, &err) && fg_session_save(ex, &session, &err));
    for (size_t i = 0; i < ex->response.header_count; i++)
        if (fg_str_is(ex->response.headers[i].name, "Set-Cookie")) {
            const char *value = ex->response.headers[i].value.p;
            snprintf(access_cookie, sizeof access_cookie, "%.*s", (int)strcspn(value, ";"), value);
        }
    fg_gateway_exchange_free(ex);
}

/* ---- set-up */

static void write_key(const char *name, const fg_key_t *key) {
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t pem = FG_BUF_INIT(64 << 10);
    assert_true(fg_key_to_pem(key, &pem, &err));
    access_write_file(name, pem.data);
    fg_buf_free(&pem);
}

static void put_coordinate(const fg_key_t *key, const char *name, fg_buf_t *out) {
    BIGNUM *number = NULL;
    unsigned char bytes[32];
    assert_true(EVP_PKEY_get_bn_param(fg_key_get_pkey(key), name, &number) == 1 && BN_bn2binpad(number, bytes, sizeof bytes) == sizeof bytes);
    fg_base64url_encode(out, bytes, sizeof bytes);
    BN_free(number);
}

/* A JWK set with one P-256 key (RFC 7518 §6.2.1), under the kid that fg_jwt_write gives it. */
static void write_jwks(const char *name, const fg_key_t *key) {
    fg_buf_t json = FG_BUF_INIT(2048);
    fg_buf_printf(&json, "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":\"%s\",\"x\":\"", fg_key_get_id(key));
    put_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, &json);
    fg_buf_puts(&json, "\",\"y\":\"");
    put_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, &json);
    fg_buf_puts(&json, "\"}]}\n");
    access_write_file(name, json.data);
    fg_buf_free(&json);
}

void access_write_users(const char *password) {
    char hash[FG_PASSWORD_HASH_SIZE], text[2048];
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_password_hash(&access_test.env, fg_str(password), hash, &err));
    snprintf(text, sizeof text, "{\"users\":[\n{\"name\":\"alice\",\"password\":\"%s\",\"digest_password\":\"%s\",\"groups\":[\"Operators\"]},\n{\"name\":\"bob\",\"password\":\"%s\",\"groups\":[\"Guests\"]}\n]}\n", hash, password, hash);
    access_write_file("users.json", text);
}

static const char config[] =
    "directory \"staff\" { path = \"users.json\" }\n"
    "identity_provider \"idp\" { issuer = \"" IDP "\" certificate = \"idp.pem\" jwks = \"idp.jwks\" sign_in = \"https://idp.example/\" vouched_by = \"voucher.pem\" }\n"
    "certificates \"clients\" { ca = {\"client.pem\", \"voucher.pem\"} }\n"
    "identity_provider \"late\" { issuer = \"urn:late\" certificate = \"other.pem\" jwks = \"other.jwks\" sign_in = \"https://late.example/\" }\n"
    "partner \"api\" { realm = \"urn:api\" claims = {\"name\", \"role\"} name_id = \"name\" lifetime = 10m }\n"
    "protect \"web\" { policy = \"web.policy\" hosts = \"app.example.com\" }\n"
    "protect \"all\" { accept = {session, bearer, basic, certificate, soap} }\n"
    "protect \"rest\" { kind = rest accept = {bearer, basic, session} policy = \"rest.policy\" }\n"
    "protect \"wsman\" { kind = wsman accept = {bearer, basic, soap, certificate} policy = \"wsman.policy\" }\n"
    "protect \"wsman2\" { kind = wsman policy = \"wsman.policy\" }\n"
    "protect \"named\" { audience = \"urn:app\" }\n"
    "protect \"jwt\" { upstream_partner = \"api\" }\n"
    "protect \"saml\" { upstream_partner = \"api\" upstream_token = saml20 }\n"
    "protect \"asks\" { policy = \"asks.policy\" }\n";

const char *access_more = "";
void (*access_prepare)(void);

static void load(void) {
    char whole[8192];
    fg_err_t err = FG_ERR_INIT;
    const fg_gateway_options_t options = {false, (unsigned)-1, (unsigned)-1};
    snprintf(whole, sizeof whole, "base_url = \"" BASE "\" pages = \"%s\" state = \"state\" keys { signing = ec-p256 }\n%s%s", access_pages, config, access_more);
    access_write_file("gateway.conf", whole);
    access_gateway = fg_gateway_load(access_path("gateway.conf"), &options, &access_test.env, &err);
    if (access_gateway == NULL)
        fail_msg("%s", err.detail);
}


int access_start(void **state) {
    fg_err_t err = FG_ERR_INIT;
    const char *source = getenv("FEDGATE_SRCDIR");
    (void)state;
    char *absolute = realpath(source ? source : ".", NULL);
    if (mkdtemp(folder) == NULL || absolute == NULL || !fg_gateway_start(&err))
        return -1;
    snprintf(access_pages, sizeof access_pages, "%s/etc/pages", absolute);
    free(absolute);
    test_env_init(&access_test);
    store_memory = aligned_alloc(4096, STORE_SIZE);
    access_test.env.store = fg_store_open(store_memory, STORE_SIZE, false, &err);
    access_idp_key = fg_key_generate(FG_KEY_EC_P256, "idp", TEST_NOW - FG_DAY, TEST_NOW + 30 * FG_DAY, &err);
    access_other_key = fg_key_generate(FG_KEY_EC_P256, "other", TEST_NOW - FG_DAY, TEST_NOW + 30 * FG_DAY, &err);
    access_client_key = fg_key_generate(FG_KEY_EC_P256, "robot", TEST_NOW - FG_DAY, TEST_NOW + FG_DAY, &err);
    access_voucher_key = fg_key_generate(FG_KEY_EC_P256, "voucher", TEST_NOW - FG_DAY, TEST_NOW + FG_DAY, &err);
    write_key("client.pem", access_client_key);
    write_key("voucher.pem", access_voucher_key);
    write_key("idp.pem", access_idp_key);
    write_key("other.pem", access_other_key);
    write_jwks("idp.jwks", access_idp_key);
    write_jwks("other.jwks", access_other_key);
    access_write_users("right");
    access_write_file("web.policy", WEB_POLICY);
    access_write_file("rest.policy", "[method == \"GET\"] && [role == \"Operators\"] => permit();\n"
                              "[method == \"PATCH\"] && [role == \"Operators\"] && [Type == \"urn:fedgate:request:json:spec.replicas\", Value =~ \"^[0-5]$\"] => permit();\n"
                              "exists([actor_name == \"mallory\"]) => deny();\n");
    access_write_file("wsman.policy", "[role == \"Operators\"] && [operation =~ \"^(Identify|Create|Command|Receive|Delete|Enumerate|Pull|Release)$\"] => permit();\n"
                               "[command_line =~ \"format\"] => deny();\n");
    access_write_file("asks.policy", "c:[name] => add(store = \"staff\", types = (\"urn:mail\"), query = \";mail;{0}\", param = c.Value);\n[role == \"Staff\"] => permit();\n");
    if (access_prepare != NULL)
        access_prepare();
    load();
    make_cookie();
    return 0;
}

int access_stop(void **state) {
    (void)state;
    access_end();
    fg_gateway_free(access_gateway);
    fg_key_unref(access_idp_key);
    fg_key_unref(access_other_key);
    fg_key_unref(access_client_key);
    fg_key_unref(access_voucher_key);
    fg_store_close(access_test.env.store);
    free(store_memory);
    fg_gateway_stop();
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", "--", folder, (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}

/* Each test begins with an empty store and at the same time. */
int access_refill(void **state) {
    fg_err_t err = FG_ERR_INIT;
    (void)state;
    fg_store_close(access_test.env.store);
    access_test.env.store = fg_store_open(store_memory, STORE_SIZE, false, &err);
    access_test.now_ms = TEST_NOW;
    return access_test.env.store == NULL;
}
