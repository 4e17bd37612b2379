/* SPDX-License-Identifier: GPL-2.0-or-later
 * The relying party before a provider that says whatever a test wants: each refusal beside the answer that is taken. */
#include "tests/unit/openid.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridges/openid/provider.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/http.h"
#include "sts/wsfed.h"

#define ISSUER "https://op.test"
#define DISCOVERY ISSUER "/.well-known/openid-configuration"
#define TOKEN ISSUER "/token"
#define JWKS ISSUER "/jwks"
#define USERINFO ISSUER "/userinfo"
#define CLIENT "gw"
#define ACCESS "an-access-token"
#define SIGN_IN "wa=wsignin1.0&wtrealm=urn%3Arp&whr=urn%3Ahome%3Apartner"
#define LOGOUT "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}},\"jti\":"

typedef struct world {
    fg_http_t http; /* first */
    openid_t *o;
    browser_t *b;
    fg_key_t *key, *other;
    const fg_key_t *signer;
    fg_openid_provider_t us;
    fg_str_t tenant;
    /* what the provider says */
    const char *issuer;          /* of its metadata */
    const char *header, *claims; /* JSON that is laid over those of the token; null takes a member away */
    const char *subject;         /* of UserInfo */
    bool down, names_itself, gone;
    unsigned refresh_number; /* of the refresh token that is good; 0: it gives none */
    unsigned jwks_asked, discovery_asked;
    char nonce[64], state[40], form[4096], authorization[512];
    char text[4][8192];
    unsigned turn;
} world_t;

static world_t *now;

/* ---- the provider */

static void lay_over(json_t *object, const char *text) {
    json_t *over = text ? json_loads(text, 0, NULL) : NULL, *value;
    const char *name;
    json_object_foreach(over, name, value) {
        if (json_is_null(value))
            json_object_del(object, name);
        else
            json_object_set(object, name, value);
    }
    json_decref(over);
}

static void put_part(fg_buf_t *out, json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT);
    fg_base64url_encode(out, text, strlen(text));
    free(text);
    json_decref(json);
}

/* A token of the provider's, with what the test lays over it. */
static const char *make_token(const char *claims) {
    int64_t at = now->b->test.now_ms / 1000;
    fg_buf_t out = FG_BUF_INIT(8192), signature = FG_BUF_INIT(1024);
    fg_err_t err = FG_ERR_INIT;
    json_t *header = json_pack("{s:s, s:s, s:s}", "alg", "ES256", "kid", "one", "typ", "JWT");
    json_t *payload =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "iss", ISSUER, "sub", "dora", "aud", CLIENT, "iat",
                  (json_int_t)at, "exp", (json_int_t)at + 300, "sid", "s-1", "name", "Dora", "upn", "dora@op.test");
    lay_over(header, now->header);
    lay_over(payload, claims);
    put_part(&out, header);
    fg_buf_putc(&out, '.');
    put_part(&out, payload);
    assert_true(fg_key_sign(now->signer, fg_buf_str(&out), &signature, &err));
    fg_buf_putc(&out, '.');
    fg_base64url_encode(&out, signature.data, signature.length);
    char *text = now->text[now->turn++ % 4];
    snprintf(text, 8192, "%s", out.data);
    fg_buf_free(&out);
    fg_buf_free(&signature);
    return text;
}

static const char *id_token(void) {
    static char claims[4096];
    json_t *own = json_pack("{s:s}", "nonce", now->nonce);
    json_t *over = now->claims ? json_loads(now->claims, 0, NULL) : NULL, *value;
    const char *name;
    json_object_foreach(over, name, value) json_object_set(own, name, value);
    json_decref(over);
    char *text = json_dumps(own, JSON_COMPACT);
    snprintf(claims, sizeof claims, "%s", text);
    free(text);
    json_decref(own);
    return make_token(claims);
}

static char *metadata(void) {
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "issuer", now->issuer, "authorization_endpoint",
                             ISSUER "/authorize", "token_endpoint", TOKEN, "jwks_uri", JWKS, "userinfo_endpoint",
                             USERINFO, "end_session_endpoint", ISSUER "/end",
                             "authorization_response_iss_parameter_supported", now->names_itself);
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

static char *jwks(void) {
    fg_buf_t out = FG_BUF_INIT(8192);
    fg_err_t err = FG_ERR_INIT;
    fg_buf_puts(&out, "{\"keys\":[");
    assert_true(fg_jwk_write(now->key, &out, &err));
    fg_buf_puts(&out, "]}");
    json_t *json = fg_json_parse(fg_buf_str(&out), NULL);
    json_object_set_new(json_array_get(json_object_get(json, "keys"), 0), "kid", json_string("one"));
    char *text = json_dumps(json, 0);
    json_decref(json);
    fg_buf_free(&out);
    return text;
}

/* Refresh tokens are good once. */
static bool takes_refresh(void) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "&refresh_token=r-%u", now->refresh_number);
    return !now->gone && strstr(now->form, wanted) != NULL;
}

static char *tokens(const fg_http_request_t *request) {
    snprintf(now->form, sizeof now->form, "%.*s", (int)request->body.n, request->body.p);
    for (size_t i = 0; i < request->header_count; i++)
        if (fg_str_is(request->headers[i].name, "Authorization"))
            snprintf(now->authorization, sizeof now->authorization, "%.*s", (int)request->headers[i].value.n,
                     request->headers[i].value.p);
    if (strstr(now->form, "grant_type=refresh_token") != NULL && !takes_refresh())
        return NULL;
    json_t *json = json_pack("{s:s, s:s, s:s}", "access_token", ACCESS, "token_type", "Bearer", "id_token", id_token());
    if (now->refresh_number > 0) {
        char text[32];
        snprintf(text, sizeof text, "r-%u", ++now->refresh_number);
        json_object_set_new(json, "refresh_token", json_string(text));
    }
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

static char *userinfo(void) {
    json_t *json =
        json_pack("{s:s, s:s, s:s}", "sub", now->subject, "email", "dora@op.test", "upn", "somebody@op.test");
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

static bool answer(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                   fg_http_response_t *response, fg_err_t *err) {
    (void)http, (void)env;
    if (now->down)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "it is down");
    now->jwks_asked += fg_str_is(request->url, JWKS);
    now->discovery_asked += fg_str_is(request->url, DISCOVERY);
    char *text = fg_str_is(request->url, DISCOVERY)  ? metadata()
                 : fg_str_is(request->url, JWKS)     ? jwks()
                 : fg_str_is(request->url, TOKEN)    ? tokens(request)
                 : fg_str_is(request->url, USERINFO) ? userinfo()
                                                     : NULL;
    *response = (fg_http_response_t){.status = text != NULL ? 200 : 400, .url = request->url};
    if (text == NULL)
        text = strdup("{\"error\":\"invalid_grant\"}");
    response->body = fg_arena_str(arena, fg_str(text));
    free(text);
    return response->body.p != NULL;
}

/* ---- the gateway before it */

static int set_up(void **state) {
    fg_err_t err = FG_ERR_INIT;
    world_t *w = calloc(1, sizeof *w);
    void *openid = NULL;
    if (w == NULL || openid_set_up(&openid) != 0)
        return -1;
    w->http.fetch = answer;
    w->o = openid;
    w->b = w->o->b;
    w->key = fg_key_generate(FG_KEY_EC_P256, "op", TEST_NOW, TEST_NOW + FG_DAY, &err);
    w->other = fg_key_generate(FG_KEY_EC_P256, "other", TEST_NOW, TEST_NOW + FG_DAY, &err);
    w->signer = w->key;
    w->issuer = ISSUER;
    w->subject = "dora";
    w->tenant = FG_STR("contoso");
    w->us = (fg_openid_provider_t){.client_id = FG_STR(CLIENT),
                                   .auth = FG_CLIENT_BASIC,
                                   .secret = FG_STR("s+e c"),
                                   .discovery_url = FG_STR(DISCOVERY),
                                   .scope = FG_STR("openid profile"),
                                   .algs = FG_OPENID_ALL_ALGS,
                                   .upstream = fg_openid_upstream_new()};
    w->b->test.env.http = &w->http;
    w->b->provider.issuer = FG_STR(ISSUER);
    w->b->provider.protocol = FG_PROTOCOL_OPENID;
    w->b->provider.openid = &w->us;
    w->b->hub.home_realm_count = 3;
    now = w;
    *state = w;
    return w->key && w->other && w->us.upstream ? 0 : -1;
}

static int tear_down(void **state) {
    world_t *w = *state;
    void *openid = w->o;
    fg_openid_upstream_free(w->us.upstream);
    fg_key_unref(w->key);
    fg_key_unref(w->other);
    free(w);
    return openid_tear_down(&openid);
}

static void take(const char *url, const char *name, char *out, size_t size) {
    fg_params_t params;
    fg_err_t err = FG_ERR_INIT;
    assert_true(fg_params_parse(now->b->ex->arena, fg_str(strchr(url, '?') + 1), &params, &err));
    fg_str_t value = fg_params_get(&params, name, NULL);
    snprintf(out, size, "%.*s", (int)value.n, value.p ? value.p : "");
}

/* Sends a browser there that nobody is signed in at. */
static void ask(world_t *w, const char *more) {
    char query[512];
    w->b->cookie_count = 0;
    snprintf(query, sizeof query, "%s%s", SIGN_IN, more);
    browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, query);
    const char *url = browser_header(w->b, "Location");
    if (url == NULL)
        print_error("%s\n", w->b->audit);
    assert_non_null(url);
    take(url, "nonce", w->nonce, sizeof w->nonce);
    take(url, "state", w->state, sizeof w->state);
}

static int come_back(world_t *w, const char *more) {
    char query[512];
    snprintf(query, sizeof query, "code=c-1&state=%s%s", w->state, more);
    return browser_get(w->b, &fg_openid_protocol, FG_OPENID_CALLBACK, query);
}

/* FG_OK: the browser is led back with a session; else with what it was refused. */
static void assert_outcome(world_t *w, const char *what, fg_code_t code) {
    const char *url = browser_header(w->b, "Location");
    bool good = code == FG_OK ? url != NULL && strstr(url, FG_WSFED_PATH) != NULL : browser_refused(w->b, code);
    if (!good)
        fail_msg("%s: %s", what, w->b->audit + (strlen(w->b->audit) > 500 ? strlen(w->b->audit) - 500 : 0));
}

static void sign_in(world_t *w) {
    ask(w, "");
    come_back(w, "");
    assert_outcome(w, "the control", FG_OK);
}

/* ---- ID tokens */

typedef struct token_case {
    const char *header, *claims;
    fg_code_t code;
} token_case_t;

static void check_cases(world_t *w, const token_case_t *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        w->header = cases[i].header;
        w->claims = cases[i].claims;
        ask(w, "");
        come_back(w, "");
        assert_outcome(w,
                       cases[i].claims   ? cases[i].claims
                       : cases[i].header ? cases[i].header
                                         : "as it is",
                       cases[i].code);
    }
}

static void oi_01_claims_of_id_tokens(void **state) {
    static const token_case_t cases[] = {
        {NULL, NULL, FG_OK},
        {NULL, "{\"iss\":\"https://evil.test\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":\"https://op.test/\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":null}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"aud\":\"other\"}", FG_E_TOKEN_AUDIENCE},
        {NULL, "{\"aud\":null}", FG_E_TOKEN_AUDIENCE},
        {NULL, "{\"aud\":[\"gw\"]}", FG_OK},
        {NULL, "{\"aud\":[\"gw\",\"other\"]}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"aud\":[\"gw\",\"other\"],\"azp\":\"gw\"}", FG_OK},
        {NULL, "{\"azp\":\"gw\"}", FG_OK},
        {NULL, "{\"azp\":\"other\"}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"exp\":null}", FG_E_TOKEN_MALFORMED},
        {NULL, "{\"exp\":1}", FG_E_TOKEN_EXPIRED},
        {NULL, "{\"exp\":1e300}", FG_E_TOKEN_MALFORMED}, /* JW-07 */
        {NULL, "{\"exp\":-1}", FG_E_TOKEN_MALFORMED},
        {NULL, "{\"exp\":\"9999999999\"}", FG_E_TOKEN_MALFORMED},
        {NULL, "{\"iat\":null}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"iat\":9999999999}", FG_E_TOKEN_NOT_YET_VALID},
        {NULL, "{\"nonce\":\"another\"}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"nonce\":null}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"sub\":null}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"sub\":\"\"}", FG_E_OPENID_ID_TOKEN},
    };
    check_cases(*state, cases, FG_ARRAY_SIZE(cases));
}

/* The left half of SHA-256 over the access token. */
static void oi_07_the_access_token_belongs_to_it(void **state) {
    unsigned char digest[FG_SHA256_SIZE];
    char right[128];
    fg_buf_t text = FG_BUF_INIT(64);
    fg_sha256(ACCESS, strlen(ACCESS), digest);
    fg_base64url_encode(&text, digest, sizeof digest / 2);
    snprintf(right, sizeof right, "{\"at_hash\":\"%s\"}", text.data);
    fg_buf_free(&text);
    const token_case_t cases[] = {
        {NULL, right, FG_OK},
        {NULL, "{\"at_hash\":\"AAAAAAAAAAAAAAAAAAAAAA\"}", FG_E_OPENID_ID_TOKEN},
        {NULL, "{\"at_hash\":1}", FG_E_OPENID_ID_TOKEN},
    };
    check_cases(*state, cases, FG_ARRAY_SIZE(cases));
}

static void jw_11_other_tokens_are_no_id_tokens(void **state) {
    static const token_case_t cases[] = {
        {"{\"typ\":null}", NULL, FG_OK},
        {"{\"typ\":\"application/jwt\"}", NULL, FG_OK},
        {"{\"typ\":\"at+jwt\"}", NULL, FG_E_OPENID_ID_TOKEN},
        {"{\"typ\":\"logout+jwt\"}", NULL, FG_E_OPENID_ID_TOKEN},
        {NULL, "{" LOGOUT "\"j\"}", FG_E_OPENID_ID_TOKEN},
    };
    check_cases(*state, cases, FG_ARRAY_SIZE(cases));
}

static void jw_01_05_headers(void **state) {
    static const token_case_t cases[] = {
        {"{\"kid\":null}", NULL, FG_OK},
        {"{\"alg\":\"none\"}", NULL, FG_E_SIG_ALGORITHM}, /* JW-01 */
        {"{\"alg\":\"NoNe\"}", NULL, FG_E_SIG_ALGORITHM},
        {"{\"alg\":\"HS256\"}", NULL, FG_E_SIG_ALGORITHM}, /* JW-02 */
        {"{\"alg\":\"ES384\"}", NULL, FG_E_SIG_KEY},
        {"{\"kid\":\"../../one\"}", NULL, FG_E_SIG_KEY}, /* JW-04 */
        {"{\"kid\":\"one' OR 1=1\"}", NULL, FG_E_SIG_KEY},
        {"{\"crit\":[\"b64\"],\"b64\":false}", NULL, FG_E_TOKEN_MALFORMED}, /* JW-05 */
    };
    check_cases(*state, cases, FG_ARRAY_SIZE(cases));
}

/* JW-03: a key that the token brings along is nobody's. */
static void jw_03_keys_in_the_header_are_not_looked_at(void **state) {
    world_t *w = *state;
    char header[2048];
    fg_err_t err = FG_ERR_INIT;
    fg_buf_t key = FG_BUF_INIT(1500);
    assert_true(fg_jwk_write(w->other, &key, &err));
    snprintf(header, sizeof header, "{\"jwk\":%s,\"jku\":\"https://evil.test/jwks\"}", key.data);
    fg_buf_free(&key);
    const token_case_t control[] = {{header, NULL, FG_OK}}, forged[] = {{header, NULL, FG_E_SIG_INVALID}};
    check_cases(w, control, 1);
    w->signer = w->other;
    check_cases(w, forged, 1);
}

static void algorithms_are_those_of_the_section(void **state) {
    world_t *w = *state;
    static const token_case_t good[] = {{NULL, NULL, FG_OK}}, bad[] = {{NULL, NULL, FG_E_SIG_ALGORITHM}};
    w->us.algs = 1u << FG_JWS_ES256;
    check_cases(w, good, 1);
    w->us.algs = 1u << FG_JWS_RS256;
    check_cases(w, bad, 1);
}

/* Microsoft Entra: many issuers, and tid says which. */
static void tenants_are_those_of_the_section(void **state) {
    world_t *w = *state;
    static const token_case_t cases[] = {
        {NULL, "{\"iss\":\"https://op.test/contoso/v2.0\",\"tid\":\"contoso\"}", FG_OK},
        {NULL, "{\"iss\":\"https://op.test/evil/v2.0\",\"tid\":\"evil\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":\"https://op.test/contoso/v2.0\",\"tid\":\"evil\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":\"https://op.test/contoso/v2.0\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":\"https://op.test/contoso/x/v2.0\",\"tid\":\"contoso/x\"}", FG_E_TOKEN_ISSUER},
        {NULL, "{\"iss\":\"https://op.test/{tenantid}/v2.0\",\"tid\":\"{tenantid}\"}", FG_E_TOKEN_ISSUER},
    };
    w->issuer = "https://op.test/{tenantid}/v2.0";
    w->b->provider.issuer = fg_str(w->issuer);
    w->us.tenants = (fg_str_list_t){&w->tenant, 1};
    check_cases(w, cases, FG_ARRAY_SIZE(cases));
}

/* ---- answers */

static void oi_02_answers_of_another_provider(void **state) {
    world_t *w = *state;
    ask(w, "");
    come_back(w, "&iss=https%3A%2F%2Fop.test");
    assert_outcome(w, "its own", FG_OK);
    ask(w, "");
    come_back(w, "&iss=https%3A%2F%2Fevil.test");
    assert_outcome(w, "another's", FG_E_OPENID_MIX_UP);
    w->names_itself = true; /* as its metadata says from now on */
    w->b->test.now_ms += 2 * FG_DAY;
    ask(w, "");
    come_back(w, "");
    assert_outcome(w, "nobody's", FG_E_OPENID_MIX_UP);
}

static void oi_03_the_verifier_fits_the_challenge(void **state) {
    world_t *w = *state;
    char challenge[64], verifier[64];
    unsigned char digest[FG_SHA256_SIZE];
    ask(w, "");
    take(browser_header(w->b, "Location"), "code_challenge", challenge, sizeof challenge);
    come_back(w, "");
    assert_outcome(w, "the control", FG_OK);
    snprintf(verifier, sizeof verifier, "%.43s", strstr(w->form, "code_verifier=") + strlen("code_verifier="));
    fg_sha256(verifier, strlen(verifier), digest);
    fg_buf_t text = FG_BUF_INIT(64);
    fg_base64url_encode(&text, digest, sizeof digest);
    assert_string_equal(text.data, challenge);
    fg_buf_free(&text);
    assert_string_equal(w->authorization, "Basic Z3c6cyUyQmUlMjBj"); /* gw:s%2Be%20c, RFC 6749 §2.3.1 */
}

static void oi_06_states_of_other_browsers(void **state) {
    world_t *w = *state;
    ask(w, "");
    size_t cookies = w->b->cookie_count;
    w->b->cookie_count = 0;
    come_back(w, "");
    assert_outcome(w, "without its cookie", FG_E_CSRF);
    w->b->cookie_count = cookies;
    come_back(w, "");
    assert_outcome(w, "the control", FG_OK);
}

static void oi_07_userinfo_of_somebody_else(void **state) {
    world_t *w = *state;
    w->us.asks_userinfo = true;
    sign_in(w);
    w->subject = "mallory";
    ask(w, "");
    come_back(w, "");
    assert_outcome(w, "mallory's", FG_E_OPENID_ID_TOKEN);
}

/* WF-07: how long ago it was must be told, and be right. */
static void freshness_is_held_against_auth_time(void **state) {
    world_t *w = *state;
    char claims[64];
    long long at = (long long)(TEST_NOW / 1000);
    ask(w, "&wfresh=0");
    assert_non_null(strstr(browser_header(w->b, "Location"), "prompt=login&max_age=0"));
    come_back(w, "");
    assert_outcome(w, "untold", FG_E_WSFED_AUTH);
    snprintf(claims, sizeof claims, "{\"auth_time\":%lld}", at - 3600);
    w->claims = claims;
    ask(w, "&wfresh=0");
    come_back(w, "");
    assert_outcome(w, "long ago", FG_E_WSFED_AUTH);
    snprintf(claims, sizeof claims, "{\"auth_time\":%lld}", at);
    ask(w, "&wfresh=0");
    come_back(w, "");
    assert_outcome(w, "now", FG_OK);
}

/* ---- metadata and keys */

static void metadata_is_its_own(void **state) {
    world_t *w = *state;
    w->issuer = "https://evil.test";
    browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, SIGN_IN);
    assert_true(browser_refused(w->b, FG_E_OPENID_ANSWER));
    w->issuer = ISSUER;
    sign_in(w);
}

static void the_last_good_copy_stays(void **state) {
    world_t *w = *state;
    sign_in(w);
    w->b->test.now_ms += 2 * FG_DAY;
    w->issuer = "https://evil.test";
    sign_in(w);
    assert_int_equal(w->discovery_asked, 2);
    assert_non_null(strstr(w->b->test.log, "the last good copy stays"));
    sign_in(w); /* and it is not asked again at once */
    assert_int_equal(w->discovery_asked, 2);
}

/* As another worker, or the next one: nothing is in its memory. */
static void forget_memory(world_t *w) {
    fg_openid_upstream_free(w->us.upstream);
    w->us.upstream = fg_openid_upstream_new();
    assert_non_null(w->us.upstream);
}

/* Writes to over from, which is as long, in all files of a folder; to NULL: removes them. */
static void spoil_files(const char *folder, const char *from, const char *to) {
    char path[600];
    fg_err_t err = FG_ERR_INIT;
    DIR *files = opendir(folder);
    assert_non_null(files);
    for (const struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        fg_buf_t text = FG_BUF_INIT(1u << 20);
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        if (file->d_name[0] == '.')
            continue;
        if (to == NULL) {
            assert_int_equal(unlink(path), 0);
            continue;
        }
        assert_true(fg_file_read(path, &text, NULL, &err));
        fg_buf_putc(&text, '\0');
        char *at = strstr(text.data, from);
        if (at != NULL)
            memcpy(at, to, strlen(to));
        assert_true(fg_file_replace(path, fg_str(text.data), 0600, &err));
        fg_buf_free(&text);
    }
    closedir(files);
}

static void files_outlive_the_process(void **state) {
    world_t *w = *state;
    char folder[] = "/tmp/fedgate-fetched-XXXXXX";
    assert_non_null(mkdtemp(folder));
    w->b->hub.fetched_folder = folder;
    sign_in(w);
    assert_int_equal(w->discovery_asked, 1);
    forget_memory(w);
    sign_in(w);
    assert_int_equal(w->discovery_asked, 1);
    assert_int_equal(w->jwks_asked, 1);
    w->b->test.now_ms += 2 * FG_DAY;
    forget_memory(w);
    w->issuer = "https://evil.test"; /* it can be had no more: the file serves */
    sign_in(w);
    assert_int_equal(w->discovery_asked, 2);
    forget_memory(w);
    sign_in(w); /* that it failed is in the file as well */
    assert_int_equal(w->discovery_asked, 2);
    w->issuer = ISSUER;
    spoil_files(folder, "https://op.test\\\"", "https://ev.test\\\""); /* a text of somebody else is none */
    forget_memory(w);
    sign_in(w);
    assert_int_equal(w->discovery_asked, 3);
    spoil_files(folder, "{", "x");
    forget_memory(w);
    sign_in(w);
    assert_int_equal(w->discovery_asked, 4);
    spoil_files(folder, NULL, NULL);
    assert_int_equal(rmdir(folder), 0);
}

static void where_nothing_was_ever_had_it_is_refused(void **state) {
    world_t *w = *state;
    w->down = true;
    browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, SIGN_IN);
    assert_true(browser_refused(w->b, FG_E_FETCH_FAILED));
    w->down = false;
    sign_in(w);
}

static void jw_12_unknown_keys_are_asked_for_now_and_then(void **state) {
    world_t *w = *state;
    static const token_case_t unknown[] = {{"{\"kid\":\"two\"}", NULL, FG_E_SIG_KEY}};
    sign_in(w);
    assert_int_equal(w->jwks_asked, 1);
    for (int i = 0; i < 5; i++)
        check_cases(w, unknown, 1);
    assert_int_equal(w->jwks_asked, 2);
    w->b->test.now_ms += 31 * FG_SECOND;
    check_cases(w, unknown, 1);
    assert_int_equal(w->jwks_asked, 3);
}

/* ---- logout tokens */

static int tell(world_t *w, const char *token) {
    const char *const pairs[] = {"logout_token", token, NULL};
    return browser_post(w->b, &fg_openid_protocol, FG_OPENID_BACKCHANNEL, "", openid_form(pairs));
}

static bool is_signed_in(world_t *w) {
    w->b->test.now_ms += 30 * FG_SECOND; /* not in a loop */
    int status = browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, "wa=wsignin1.0&wtrealm=urn%3Arp");
    return status == 200 && strcmp(w->b->page, "auto_post") == 0;
}

static void oi_11_logout_tokens(void **state) {
    world_t *w = *state;
    static const struct {
        const char *header, *claims;
    } bad[] = {
        {NULL, "{" LOGOUT "\"a\",\"nonce\":\"n\"}"},
        {NULL, "{\"jti\":\"b\"}"}, /* an ID token */
        {NULL, "{\"events\":{\"http://example.com/other\":{}},\"jti\":\"c\"}"},
        {NULL, "{" LOGOUT "null}"},
        {NULL, "{" LOGOUT "\"d\",\"aud\":\"other\"}"},
        {NULL, "{" LOGOUT "\"e\",\"iss\":\"https://evil.test\"}"},
        {NULL, "{" LOGOUT "\"f\",\"exp\":1}"},
        {NULL, "{" LOGOUT "\"g\",\"sub\":null,\"sid\":null}"},
        {"{\"typ\":\"at+jwt\"}", "{" LOGOUT "\"h\"}"},
        {"{\"alg\":\"none\"}", "{" LOGOUT "\"i\"}"},
    };
    sign_in(w);
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        w->header = bad[i].header;
        if (tell(w, make_token(bad[i].claims)) != 400 || !is_signed_in(w))
            fail_msg("%s", bad[i].claims);
    }
    w->header = "{\"typ\":\"logout+jwt\"}";
    const char *good = make_token("{" LOGOUT "\"k\",\"sub\":null}");
    assert_int_equal(tell(w, good), 200);
    assert_false(is_signed_in(w));
    assert_int_equal(tell(w, good), 400); /* a second time */
    assert_non_null(strstr(w->b->audit, "openid_logout_token"));
}

static void a_logout_token_ends_what_it_names(void **state) {
    world_t *w = *state;
    sign_in(w);
    assert_int_equal(tell(w, make_token("{" LOGOUT "\"a\",\"sid\":\"s-2\"}")), 200); /* of nobody here */
    assert_int_equal(tell(w, make_token("{" LOGOUT "\"b\",\"sub\":\"mallory\"}")), 200);
    assert_int_equal(tell(w, make_token("{" LOGOUT "\"c\",\"sub\":\"mallory\",\"sid\":null}")), 200);
    assert_true(is_signed_in(w));
    assert_int_equal(tell(w, make_token("{" LOGOUT "\"d\",\"sid\":null}")), 200); /* all of dora's */
    assert_false(is_signed_in(w));
}

static void the_browser_may_tell(void **state) {
    world_t *w = *state;
    static const char *const wrong[] = {"", "iss=https%3A%2F%2Fop.test", "sid=s-1", "iss=https%3A%2F%2Fop.test&sid=s-2",
                                        "iss=https%3A%2F%2Fevil.test&sid=s-1"};
    sign_in(w);
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        browser_get(w->b, &fg_openid_protocol, FG_OPENID_FRONTCHANNEL, wrong[i]);
        assert_true(is_signed_in(w));
    }
    browser_get(w->b, &fg_openid_protocol, FG_OPENID_FRONTCHANNEL, "iss=https%3A%2F%2Fop.test&sid=s-1");
    assert_string_equal(w->b->page, "clean_up");
    assert_false(is_signed_in(w));
}

static void the_provider_is_told(void **state) {
    world_t *w = *state;
    char hint[8192], back[4096], query[4200];
    sign_in(w);
    browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, "wa=wsignout1.0&wreply=https%3A%2F%2Frp.test%2Flogin");
    const char *next = browser_text(w->b, "next");
    assert_int_equal(strncmp(next, ISSUER "/end?", strlen(ISSUER "/end?")), 0);
    take(next, "id_token_hint", hint, sizeof hint);
    assert_int_equal(strncmp(hint, "eyJ", 3), 0);
    take(next, "state", back, sizeof back);
    snprintf(query, sizeof query, "state=%s", back);
    assert_int_equal(browser_get(w->b, &fg_openid_protocol, FG_OPENID_SIGNED_OUT, query), 302);
    assert_string_equal(browser_header(w->b, "Location"), "https://rp.test/login");
    browser_get(w->b, &fg_openid_protocol, FG_OPENID_SIGNED_OUT, "state=made-up");
    assert_true(browser_refused(w->b, FG_E_CSRF));
}

/* ---- its refresh token (oidc_rp_refresh.c) */

#define INTERVAL (10 * FG_MINUTE)

static fg_session_t begin_refreshing(world_t *w) {
    fg_session_t session;
    w->us.refresh_interval_ms = INTERVAL;
    w->refresh_number = 1;
    w->gone = w->down = false;
    w->claims = NULL;
    sign_in(w);
    assert_int_equal(browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, SIGN_IN), 200);
    assert_true(fg_session_open(w->b->ex, &session));
    return session;
}

static fg_code_t renew_at(world_t *w, const fg_session_t *session, int64_t ms, const char **upn) {
    const fg_identity_t *fresh;
    fg_err_t err = FG_ERR_INIT;
    w->b->ex->now_ms += ms;
    bool done = fg_oidc_rp_renew(w->b->ex, session, &fresh, &err);
    const fg_claim_t *claim = done && fresh ? fg_claims_get(&fresh->claims, FG_CLAIM_UPN) : NULL;
    *upn = claim ? fg_arena_strndup(w->b->ex->arena, claim->value.p, claim->value.n) : NULL;
    return done ? FG_OK : err.code;
}

static void the_provider_is_asked_now_and_then(void **state) {
    world_t *w = *state;
    const char *upn;
    fg_session_t session = begin_refreshing(w);
    unsigned first = w->refresh_number;
    w->claims = "{\"upn\":\"dora.new@op.test\",\"nonce\":\"of another time\"}";
    assert_int_equal(renew_at(w, &session, INTERVAL - 1, &upn), FG_OK);
    assert_null(upn);
    assert_int_equal(w->refresh_number, first);
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_OK);
    assert_string_equal(upn, "dora.new@op.test");
    assert_int_equal(w->refresh_number, first + 1);
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_OK); /* what was heard last, without asking */
    assert_string_equal(upn, "dora.new@op.test");
    assert_int_equal(renew_at(w, &session, INTERVAL, &upn), FG_OK); /* with the next token */
    assert_int_equal(w->refresh_number, first + 2);
    w->down = true;
    assert_int_equal(renew_at(w, &session, INTERVAL, &upn), FG_OK);
    assert_string_equal(upn, "dora.new@op.test");
    assert_int_equal(renew_at(w, &session, FG_HOUR + 1, &upn), FG_E_UNAVAILABLE);
    w->down = false;
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_OK);
    w->gone = true;
    assert_int_equal(renew_at(w, &session, INTERVAL, &upn), FG_E_OPENID_GRANT);
    assert_true(fg_session_is_ended(w->b->ex, session.id));
    w->gone = false;
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_E_OPENID_GRANT); /* nothing is left */
}

static void a_refreshed_id_token_is_the_same_persons(void **state) {
    world_t *w = *state;
    static const struct {
        const char *claims;
        fg_code_t code;
    } cases[] = {{NULL, FG_OK},
                 {"{\"sub\":\"mallory\"}", FG_E_OPENID_GRANT},
                 {"{\"azp\":\"other\"}", FG_E_OPENID_GRANT},
                 {"{\"iss\":\"https://evil.test\"}", FG_OK}, /* no answer of the provider: as if it were down */
                 {"{\"aud\":\"other\"}", FG_OK}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        const char *upn;
        fg_session_t session = begin_refreshing(w);
        w->claims = cases[i].claims;
        assert_int_equal(renew_at(w, &session, INTERVAL, &upn), cases[i].code);
        assert_true((upn != NULL) == (i == 0)); /* nothing of a wrong one is taken */
    }
}

static void a_provider_without_refresh_tokens(void **state) {
    world_t *w = *state;
    const char *upn;
    fg_session_t session = begin_refreshing(w);
    assert_int_equal(renew_at(w, &session, INTERVAL, &upn), FG_OK); /* the control */
    w->us.refresh_interval_ms = INTERVAL;
    w->refresh_number = 0;
    sign_in(w);
    assert_non_null(strstr(w->b->test.log, "gave no refresh token"));
    assert_int_equal(browser_get(w->b, &fg_wsfed_protocol, FG_WSFED_PATH, SIGN_IN), 200);
    assert_true(fg_session_open(w->b->ex, &session));
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_E_OPENID_GRANT);
    w->us.refresh_interval_ms = 0; /* then nobody asks */
    assert_int_equal(renew_at(w, &session, 1, &upn), FG_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(oi_01_claims_of_id_tokens),
        TEST(oi_07_the_access_token_belongs_to_it),
        TEST(jw_11_other_tokens_are_no_id_tokens),
        TEST(jw_01_05_headers),
        TEST(jw_03_keys_in_the_header_are_not_looked_at),
        TEST(algorithms_are_those_of_the_section),
        TEST(tenants_are_those_of_the_section),
        TEST(oi_02_answers_of_another_provider),
        TEST(oi_03_the_verifier_fits_the_challenge),
        TEST(oi_06_states_of_other_browsers),
        TEST(oi_07_userinfo_of_somebody_else),
        TEST(freshness_is_held_against_auth_time),
        TEST(metadata_is_its_own),
        TEST(the_last_good_copy_stays),
        TEST(files_outlive_the_process),
        TEST(where_nothing_was_ever_had_it_is_refused),
        TEST(jw_12_unknown_keys_are_asked_for_now_and_then),
        TEST(oi_11_logout_tokens),
        TEST(a_logout_token_ends_what_it_names),
        TEST(the_browser_may_tell),
        TEST(the_provider_is_told),
        TEST(the_provider_is_asked_now_and_then),
        TEST(a_refreshed_id_token_is_the_same_persons),
        TEST(a_provider_without_refresh_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
