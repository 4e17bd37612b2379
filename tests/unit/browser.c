/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/fault.h"
#include "core/time.h"
#include "core/xml.h"
#include "hub/browser.h"
#include "hub/store.h"
#include "sts/wsfed.h"

#define STORE_SIZE (512u * 1024)

static browser_t *current; /* whose page is rendered */

static bool render(fg_exchange_t *ex, int status, const char *name, json_t *model) {
    snprintf(current->page, sizeof current->page, "%s", name);
    json_decref(current->model);
    current->model = model;
    ex->response.status = status;
    return true;
}

static bool check_password(fg_directory_t *directory, const fg_env_t *env, fg_arena_t *arena, fg_str_t user,
                           fg_str_t password, fg_identity_t *identity, fg_err_t *err) {
    if (!fg_str_is(user, "alice") || !fg_str_is(password, "alice-demo"))
        return FG_FAIL(err, FG_E_AUTH_FAILED, "wrong");
    *identity = (fg_identity_t){.issuer = fg_str(directory->name), .auth_method = FG_STR(FG_AUTH_PASSWORD)};
    identity->auth_instant_ms = fg_now(env);
    return fg_claims_put(arena, &identity->claims, FG_CLAIM_NAME, FG_STR("alice <&> \"A\"")) &&
           fg_claims_put(arena, &identity->claims, FG_CLAIM_UPN, FG_STR("alice@example.com")) &&
           fg_claims_put(arena, &identity->claims, FG_CLAIM_ROLE, FG_STR("Administrators"));
}

static bool begin_sign_in(fg_exchange_t *ex, const fg_partner_signin_t *signin, fg_err_t *err) {
    fg_str_t word;
    if (!fg_partner_state_make(ex, signin, &word, err))
        return false;
    snprintf(current->word, sizeof current->word, "%.*s", (int)word.n, word.p);
    fg_response_redirect(ex, signin->realm->identity_provider->sign_in_url);
    return true;
}

static const fg_protocol_t test_protocol = {
    .name = "test", .begin_sign_in = begin_sign_in, .tell_party = fg_wsfed_tell_party};

static void add_partner(browser_t *b, int i, const char *realm, const char *reply, const char *reply2) {
    static const char *const types[] = {FG_CLAIM_NAME, FG_CLAIM_UPN, FG_CLAIM_ROLE};
    b->realms[i] = fg_str(realm);
    b->replies[i][0] = fg_str(reply);
    b->replies[i][1] = fg_str(reply2);
    b->partners[i] = (fg_partner_t){
        .name = realm,
        .display_name = realm,
        .realms = &b->realms[i],
        .realm_count = 1,
        .reply_urls = b->replies[i],
        .reply_count = reply2 ? 2 : 1,
        .sign_out_url = fg_str(reply),
        .token_lifetime_ms = FG_HOUR,
        .name_id_claim = FG_CLAIM_UPN,
        .claim_types = types,
        .claim_type_count = FG_ARRAY_SIZE(types),
    };
    b->index[i] = (fg_realm_entry_t){b->realms[i], &b->partners[i]};
}

static void make_hub(browser_t *b) {
    add_partner(b, BROWSER_PARTNER_RP, "urn:rp", BROWSER_RP, "https://rp.test/second?a=b");
    add_partner(b, BROWSER_PARTNER_OTHER, "https://other.test/", "https://other.test/app/", NULL);
    add_partner(b, BROWSER_PARTNER_VIEWER, "urn:viewer", BROWSER_BASE "/demo/", NULL);
    qsort(b->index, BROWSER_PARTNERS, sizeof b->index[0], fg_realm_entry_compare);
    b->directory = (fg_directory_t){.name = "staff", .check_password = check_password};
    b->home_realms[0] = (fg_home_realm_t){FG_STR("urn:home:staff"), "Staff", &b->directory};
    b->home_realms[1] = (fg_home_realm_t){FG_STR("urn:home:guests"), "Guests", &b->directory};
    b->provider = (fg_identity_provider_t){.name = "partner", .sign_in_url = FG_STR(BROWSER_PROVIDER)};
    b->home_realms[2] = (fg_home_realm_t){
        .uri = FG_STR("urn:home:partner"), .display_name = "Partner", .identity_provider = &b->provider};
    b->hub = (fg_hub_t){
        .protocols = {&test_protocol},
        .base_url = FG_STR(BROWSER_BASE),
        .host = FG_STR("gw.test"),
        .entity_id = FG_STR(BROWSER_ENTITY),
        .organisation = "Gateway & Sons",
        .contact = "help@gw.test",
        .partners = b->partners,
        .partner_count = BROWSER_PARTNERS,
        .realm_index = b->index,
        .realm_count = BROWSER_PARTNERS,
        .home_realms = b->home_realms,
        .home_realm_count = 1,
        .skew_ms = 3 * FG_MINUTE,
        .session_idle_ms = FG_HOUR,
        .session_absolute_ms = 8 * FG_HOUR,
        .body_max = 256 * 1024,
        .xml = fg_xml_default_limits,
        .viewer_path = "/demo/",
        .viewer = &b->partners[BROWSER_PARTNER_VIEWER],
        .render = render,
    };
}

int browser_set_up(void **state) {
    fg_err_t err = FG_ERR_INIT;
    browser_t *b = calloc(1, sizeof *b);
    if (b == NULL || !fg_crypto_start() || !fg_xml_start(&err) || posix_memalign(&b->memory, 4096, STORE_SIZE) != 0)
        return -1;
    test_env_init(&b->test);
    b->test.env.store = fg_store_open(b->memory, STORE_SIZE, false, &err);
    make_hub(b);
    b->keys.sealing_count = 1;
    memset(&b->keys.sealing[0], 7, sizeof b->keys.sealing[0]);
    b->keys.signing[FG_KEY_ACTIVE] =
        fg_key_generate(FG_KEY_EC_P256, "signing", b->test.now_ms, b->test.now_ms + FG_DAY, &err);
    b->audit = calloc(1, 1);
    *state = b;
    return b->test.env.store && b->keys.signing[FG_KEY_ACTIVE] && b->audit ? 0 : -1;
}

static void end_exchange(browser_t *b) {
    if (b->ex == NULL)
        return;
    fg_buf_free(&b->ex->response.body);
    fg_arena_free(b->ex->arena);
    b->ex = NULL;
}

int browser_tear_down(void **state) {
    browser_t *b = *state;
    end_exchange(b);
    json_decref(b->model);
    fg_store_close(b->test.env.store);
    for (size_t i = 0; i < FG_KEY_STATES; i++) {
        fg_key_unref(b->keys.signing[i]);
        fg_key_unref(b->keys.encryption[i]);
    }
    free(b->memory);
    free(b->audit);
    free(b);
    return 0;
}

/* ---- cookies */

static void keep_cookie(browser_t *b, const char *line) {
    size_t name = strcspn(line, "="), end = strcspn(line, ";"), i = 0;
    while (i < b->cookie_count && (strncmp(b->cookies[i][0], line, name) != 0 || b->cookies[i][0][name] != '\0'))
        i++;
    if (strstr(line + end, "Max-Age=0") != NULL) {
        if (i < b->cookie_count)
            memmove(b->cookies[i], b->cookies[i + 1], (--b->cookie_count - i) * sizeof b->cookies[0]);
        return;
    }
    assert_true(i < FG_ARRAY_SIZE(b->cookies) && end - name < sizeof b->cookies[0][1]);
    snprintf(b->cookies[i][0], sizeof b->cookies[i][0], "%.*s", (int)name, line);
    snprintf(b->cookies[i][1], sizeof b->cookies[i][1], "%.*s", (int)(end - name - 1), line + name + 1);
    snprintf(b->cookies[i][2], sizeof b->cookies[i][2], "%s", line + end);
    if (i == b->cookie_count)
        b->cookie_count++;
}

static void keep_cookies(browser_t *b) {
    for (size_t i = 0; i < b->ex->response.header_count; i++)
        if (fg_str_is(b->ex->response.headers[i].name, "Set-Cookie"))
            keep_cookie(b, b->ex->response.headers[i].value.p);
}

static const char *cookie_line(const browser_t *b, fg_arena_t *arena) {
    const char *line = "";
    bool none_only = b->cross_site && b->ex->request.method == FG_METHOD_POST;
    for (size_t i = 0; i < b->cookie_count; i++) {
        if (none_only && strstr(b->cookies[i][2], "SameSite=None") == NULL)
            continue;
        line = fg_arena_printf(arena, "%s%s%s=%s", line, *line ? "; " : "", b->cookies[i][0], b->cookies[i][1]);
        assert_non_null(line);
    }
    return line;
}

/* ---- requests */

static void begin_exchange(browser_t *b, fg_method_t method, const char *path, const char *query, const char *body) {
    end_exchange(b);
    fg_arena_t *arena = fg_arena_new(0);
    b->ex = fg_arena_alloc(arena, sizeof *b->ex);
    assert_non_null(b->ex);
    *b->ex = (fg_exchange_t){.env = &b->test.env, .hub = &b->hub, .arena = arena, .keys = &b->keys};
    b->ex->now_ms = b->test.now_ms;
    b->ex->response.body = (fg_buf_t)FG_BUF_INIT(1u << 20);
    b->ex->request = (fg_request_t){.method = method, .https = true, .host = FG_STR("gw.test")};
    b->ex->request.path = fg_arena_str(arena, fg_str(path));
    b->ex->request.query = fg_arena_str(arena, fg_str(query));
    b->ex->request.body = fg_arena_str(arena, fg_str(body));
    b->ex->request.client_address = FG_STR("192.0.2.1");
    snprintf(b->ex->correlation_id, FG_ID_SIZE, "c-1");
    b->page[0] = '\0';
}

static void set_headers(browser_t *b, const char *const *headers) {
    fg_header_t *list = fg_arena_alloc(b->ex->arena, 16 * sizeof *list);
    assert_non_null(list);
    size_t n = 0;
    list[n++] = (fg_header_t){FG_STR("Cookie"), fg_str(cookie_line(b, b->ex->arena))};
    for (; headers != NULL && *headers != NULL; headers += 2)
        list[n++] = (fg_header_t){fg_str(headers[0]), fg_str(headers[1])};
    b->ex->request.headers = list;
    b->ex->request.header_count = n;
}

static void collect_audit(browser_t *b) {
    for (const fg_audit_line_t *line = b->ex->audit; line != NULL; line = line->next) {
        size_t used = strlen(b->audit);
        b->audit = realloc(b->audit, used + line->text.n + 2);
        assert_non_null(b->audit);
        memcpy(b->audit + used, line->text.p, line->text.n);
        memcpy(b->audit + used + line->text.n, "\n", 2);
    }
}

static int run(browser_t *b, const fg_protocol_t *protocol, const char *path) {
    const fg_endpoint_t *endpoint = protocol->endpoints;
    while (strcmp(endpoint->path, path) != 0)
        assert_true(++endpoint < protocol->endpoints + protocol->endpoint_count);
    assert_true(endpoint->methods & b->ex->request.method);
    current = b;
    fg_step_t step = endpoint->handle(b->ex);
    while (step == FG_STEP_PASSWORD) {
        fg_signin_run(b->ex);
        step = b->ex->next(b->ex);
    }
    keep_cookies(b);
    collect_audit(b);
    assert_false(b->ex->response.failed);
    return b->ex->response.status;
}

int browser_get(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query) {
    begin_exchange(b, FG_METHOD_GET, path, query, "");
    set_headers(b, NULL);
    return run(b, protocol, path);
}

int browser_get_with(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query,
                     const char *const *headers) {
    begin_exchange(b, FG_METHOD_GET, path, query, "");
    set_headers(b, headers);
    return run(b, protocol, path);
}

int browser_post_with(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query,
                      const char *body, const char *const *headers) {
    begin_exchange(b, FG_METHOD_POST, path, query, body);
    set_headers(b, headers);
    return run(b, protocol, path);
}

int browser_post(browser_t *b, const fg_protocol_t *protocol, const char *path, const char *query, const char *body) {
    static const char *const form[] = {"Content-Type", "application/x-www-form-urlencoded", NULL};
    return browser_post_with(b, protocol, path, query, body, form);
}

/* ---- what came back */

const char *browser_text(const browser_t *b, const char *name) {
    const char *text = json_string_value(json_object_get(b->model, name));
    return text ? text : "(absent)";
}

const char *browser_field(const browser_t *b, const char *name) {
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(b->model, "fields"), i, field) {
        if (strcmp(json_string_value(json_object_get(field, "name")), name) == 0)
            return json_string_value(json_object_get(field, "value"));
    }
    return NULL;
}

const char *browser_header(const browser_t *b, const char *name) {
    for (size_t i = 0; i < b->ex->response.header_count; i++)
        if (fg_str_is(b->ex->response.headers[i].name, name))
            return b->ex->response.headers[i].value.p;
    return NULL;
}

void browser_put(fg_buf_t *form, const char *name, const char *value) {
    if (form->length > 0)
        fg_buf_putc(form, '&');
    fg_buf_puts(form, name);
    fg_buf_putc(form, '=');
    fg_uri_encode(form, fg_str(value));
}

int browser_sign_in(browser_t *b, const fg_protocol_t *protocol, const char *user, const char *password) {
    assert_string_equal(b->page, "sign_in");
    const char *action = browser_text(b, "action"), *mark = strchr(action, '?');
    assert_int_equal(strncmp(action, BROWSER_BASE, strlen(BROWSER_BASE)), 0);
    assert_non_null(mark);
    action += strlen(BROWSER_BASE);
    char *path = strndup(action, (size_t)(mark - action)), *query = strdup(mark + 1);
    fg_buf_t form = FG_BUF_INIT(8192);
    browser_put(&form, "username", user);
    browser_put(&form, "password", password);
    browser_put(&form, "csrf", browser_text(b, "csrf"));
    int status = browser_post(b, protocol, path, query, form.data);
    fg_buf_free(&form);
    free(path);
    free(query);
    return status;
}

/* The reason in the last line that has one. */
static bool audit_tells(const browser_t *b, const char *reason) {
    const char *last = NULL, member[] = "\"reason\":\"";
    for (const char *at = b->audit; (at = strstr(at, member)) != NULL; at++)
        last = at + sizeof member - 1;
    size_t length = strlen(reason);
    return last != NULL && strncmp(last, reason, length) == 0 && last[length] == '"';
}

bool browser_refused(const browser_t *b, fg_code_t code) {
    const fg_fault_t *fault = fg_fault_get(code);
    if (strcmp(b->page, "error") == 0 && strcmp(browser_text(b, "reason"), fg_fault_public_reason(code)) == 0 &&
        b->ex->response.status == fault->http_status && audit_tells(b, fault->reason))
        return true;
    print_error("%s expected, got page \"%s\", reason %s\n%s", fault->reason, b->page, browser_text(b, "reason"),
                b->audit);
    return false;
}
