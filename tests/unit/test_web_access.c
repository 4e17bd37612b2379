/* SPDX-License-Identifier: GPL-2.0-or-later
 * Browsers at protected locations: to the sign-in page and back, at the gateway's own host and at another. */
#include "tests/unit/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/time.h"
#include "hub/access.h"
#include "hub/seal.h"
#include "hub/web_access.h"
#include "hub/web_form.h"

#define APP "app.test"
#define PARTNER_REALM "urn:home:partner"

/* ---- the protected location at https://app.test/ and below https://gw.test/ */

static fg_protect_t protect;
static fg_access_t access_state;
static fg_session_t seen; /* by the location */
static const char *raw_path;

/* A location that lets in who has a session, as hub/access.c does. */
static fg_step_t location(fg_exchange_t *ex) {
    fg_err_t err = FG_ERR_INIT;
    access_state = (fg_access_t){.protect = &protect};
    ex->access = &access_state;
    ex->request.body_read = true;
    ex->request.raw_path = raw_path ? fg_str(raw_path) : ex->request.path;
    if (fg_str_is(ex->request.path, FG_WEB_ACCESS_RETURN))
        return fg_web_access_return(ex);
    if (!fg_session_open(ex, &seen))
        return fg_web_access_ask(ex);
    assert_true(fg_session_renew(ex, &seen, &err));
    fg_response_body(ex, 200, "text/plain", FG_STR("inside"));
    return FG_STEP_DONE;
}

static fg_step_t location_at_app(fg_exchange_t *ex) {
    ex->request.host = FG_STR("App.Test:443");
    return location(ex);
}

#define BOTH (FG_METHOD_GET | FG_METHOD_POST)
static const fg_endpoint_t app_endpoints[] = {
    {"/page", BOTH, true, location_at_app, fg_response_error_page},
    {FG_WEB_ACCESS_RETURN, BOTH, true, location_at_app, fg_response_error_page},
};
static const fg_endpoint_t own_endpoints[] = {
    {"/page", BOTH, true, location, fg_response_error_page},
    {FG_WEB_ACCESS_RETURN, BOTH, true, location, fg_response_error_page},
};
static const fg_protocol_t app = {"app", app_endpoints, 2}, own = {"own", own_endpoints, 2};

/* The browser keeps its cookies by host: these are the other host's. */
typedef struct jar {
    char cookies[16][3][8192];
    size_t count;
} jar_t;
static jar_t *other_jar;
static bool at_app;

static void be_at(browser_t *b, bool wanted) {
    if (at_app == wanted)
        return;
    jar_t *mine = malloc(sizeof *mine);
    assert_non_null(mine);
    memcpy(mine->cookies, b->cookies, sizeof b->cookies);
    mine->count = b->cookie_count;
    memcpy(b->cookies, other_jar->cookies, sizeof b->cookies);
    b->cookie_count = other_jar->count;
    free(other_jar);
    other_jar = mine;
    at_app = wanted;
}

static int set_up(void **state) {
    static const fg_str_t hosts[] = {{APP, sizeof APP - 1}};
    int result = browser_set_up(state);
    browser_t *b = *state;
    protect = (fg_protect_t){.name = "intranet", .display_name = "The intranet", .hosts = hosts, .host_count = 1};
    b->hub.protects = &protect;
    b->hub.protect_count = 1;
    other_jar = calloc(1, sizeof *other_jar);
    at_app = false;
    raw_path = NULL;
    return result;
}

static int tear_down(void **state) {
    free(other_jar);
    return browser_tear_down(state);
}

/* ---- going about */

/* Goes to an address of ours or of the location. */
static int go(browser_t *b, const char *url) {
    static const char gw[] = BROWSER_BASE, other[] = "https://" APP;
    bool there = strncmp(url, other, sizeof other - 1) == 0;
    assert_true(there || strncmp(url, gw, sizeof gw - 1) == 0);
    be_at(b, there);
    const char *at = url + (there ? sizeof other : sizeof gw) - 1;
    size_t length = strcspn(at, "?");
    char *path = strndup(at, length), *query = strdup(at[length] ? at + length + 1 : "");
    bool ours = strncmp(path, "/fedgate/", 9) == 0;
    int status = browser_get(b, there ? &app : ours ? &fg_web_access_protocol : &own, path, query);
    free(path);
    free(query);
    return status;
}

static char *find_cookie(browser_t *b, const char *name) {
    for (size_t i = 0; i < b->cookie_count; i++)
        if (strcmp(b->cookies[i][0], name) == 0)
            return b->cookies[i][1];
    fail_msg("no cookie %s", name);
    return NULL;
}

/* Where the last answer leads, by redirect or by page. */
static char *next_url(const browser_t *b) {
    const char *url = browser_header(b, "Location");
    if (url == NULL && strcmp(b->page, "go_on") == 0)
        url = browser_text(b, "url");
    assert_non_null(url);
    return strdup(url);
}

static int follow(browser_t *b) {
    char *url = next_url(b);
    int status = go(b, url);
    free(url);
    return status;
}

static void sign_in(browser_t *b) {
    assert_string_equal(b->page, "sign_in");
    browser_sign_in(b, &fg_web_access_protocol, "alice", "alice-demo");
}

static bool leads_to(const browser_t *b, const char *url) {
    char *next = next_url(b);
    bool same = strcmp(next, url) == 0;
    if (!same)
        print_error("leads to %s, not %s\n", next, url);
    free(next);
    return same;
}

#define assert_page(b, name) assert_string_equal((b)->page, (name))
#define assert_refused(b, code) assert_true(browser_refused((b), (code)))
#define assert_inside(b) assert_memory_equal((b)->ex->response.body.data, "inside", 6)

static const char *const form_headers[] = {"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site",
                                           "same-origin", NULL};

static int post(browser_t *b, bool there, const char *body, const char *const *headers) {
    be_at(b, there);
    return browser_post_with(b, there ? &app : &own, "/page", "q=1", body, headers);
}

/* ---- tests */

static void own_host(void **state) {
    browser_t *b = *state;
    assert_int_equal(go(b, BROWSER_BASE "/page?a=%2f&b=c"), 302);
    follow(b);
    assert_string_equal(browser_text(b, "application"), "The intranet");
    browser_sign_in(b, &fg_web_access_protocol, "alice", "wrong");
    assert_string_equal(browser_text(b, "message"), "wrong");
    sign_in(b);
    assert_page(b, "go_on"); /* not a redirect: form-action 'self' would hold it up */
    assert_true(leads_to(b, BROWSER_BASE "/page?a=%2f&b=c"));
    assert_int_equal(follow(b), 200);
    assert_inside(b);
}

static void another_host(void **state) {
    browser_t *b = *state;
    char id[FG_ID_SIZE];
    assert_int_equal(go(b, "https://" APP "/page?x=1"), 302);
    follow(b);
    sign_in(b);
    char *back = next_url(b);
    assert_int_equal(strncmp(back, "https://" APP FG_WEB_ACCESS_RETURN "?ticket=", 40), 0);
    assert_int_equal(go(b, back), 302);
    assert_true(leads_to(b, "https://" APP "/page?x=1"));
    assert_int_equal(follow(b), 200);
    assert_inside(b);
    snprintf(id, sizeof id, "%s", seen.id);
    go(b, BROWSER_BASE "/page"); /* signed in at the gateway as well, in the same session */
    assert_inside(b);
    assert_string_equal(seen.id, id);
    go(b, back); /* once */
    assert_refused(b, FG_E_CSRF);
    fg_session_end(b->ex, &seen); /* the end holds at both */
    assert_int_equal(go(b, "https://" APP "/page"), 302);
    free(back);
}

/* A session at the gateway's host is enough: no page in between. */
static void signed_in_already(void **state) {
    browser_t *b = *state;
    go(b, BROWSER_BASE "/page");
    follow(b);
    sign_in(b);
    go(b, "https://" APP "/page");
    assert_int_equal(follow(b), 302);
    assert_int_equal(follow(b), 302);
    assert_int_equal(follow(b), 200);
}

/* HT-08: a cookie that was moved to another host is no session there */
static void ht_08_cookie_of_another_host(void **state) {
    browser_t *b = *state;
    go(b, BROWSER_BASE "/page");
    follow(b);
    sign_in(b);
    at_app = true; /* with the gateway's cookies */
    assert_int_equal(go(b, "https://" APP "/page"), 302);
    at_app = false;
    assert_int_equal(go(b, BROWSER_BASE "/page"), 200);
}

/* WF-08, HT-08: a ticket in another browser, late, at another host, made up */
static void wf_08_ticket_is_bound(void **state) {
    browser_t *b = *state;
    static const char *const bad[] = {"", "?ticket=", "?ticket=x", "?ticket=0123456789abcdef0123456789abcdef&ticket=x",
                                      "?ticket=../../x"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        char url[200];
        snprintf(url, sizeof url, "https://%s%s%s", APP, FG_WEB_ACCESS_RETURN, bad[i]);
        go(b, url);
        assert_refused(b, FG_E_HTTP_REQUEST);
    }
    for (int round = 0; round < 5; round++) {
        go(b, "https://" APP "/page");
        follow(b);
        if (round == 0)
            sign_in(b);
        char *back = next_url(b);
        be_at(b, true);
        size_t kept = b->cookie_count;
        if (round == 1)
            b->cookie_count = 0;
        if (round == 4)
            find_cookie(b, "__Host-fedgate-form")[0] ^= 1;
        if (round == 2)
            b->test.now_ms += FG_MINUTE;
        if (round == 3) {
            char id[80];
            snprintf(id, sizeof id, "%s", find_cookie(b, "__Host-fedgate-form"));
            be_at(b, false);
            snprintf(find_cookie(b, "__Host-fedgate-form"), sizeof id, "%s", id); /* even so */
            browser_get(b, &own, FG_WEB_ACCESS_RETURN, strchr(back, '?') + 1);
        } else {
            go(b, back);
        }
        if (round == 0)
            assert_int_equal(b->ex->response.status, 302);
        else
            assert_refused(b, FG_E_CSRF);
        be_at(b, true);
        b->cookie_count = round == 0 ? 0 : kept; /* of the location; the gateway's session goes on */
        free(back);
    }
}

/* SA-11: where people go after signing in was sealed here, whatever else is asked for */
static void sa_11_targets_are_ours(void **state) {
    browser_t *b = *state;
    static const char *const bad[] = {"",
                                      "to=",
                                      "to=https%3A%2F%2Fevil.test%2F",
                                      "to=%2Fpage",
                                      "to=%2F%2Fevil.test",
                                      "to=a&to=b",
                                      "wreply=https%3A%2F%2Fevil.test%2F"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(bad); i++) {
        browser_get(b, &fg_web_access_protocol, FG_WEB_ACCESS_SIGN_IN, bad[i]);
        assert_refused(b, FG_E_HTTP_REQUEST);
    }
    go(b, BROWSER_BASE "/page");
    char *url = next_url(b);
    url[strlen(url) - 3] ^= 1;
    go(b, url);
    assert_refused(b, FG_E_HTTP_REQUEST);
    url[strlen(url) - 3] ^= 1;
    b->hub.protect_count = 0; /* the location is gone */
    go(b, url);
    assert_refused(b, FG_E_HTTP_NOT_FOUND);
    b->hub.protect_count = 1;
    b->test.now_ms += FG_HOUR;
    go(b, url);
    assert_refused(b, FG_E_CSRF);
    b->test.now_ms--;
    go(b, url);
    assert_page(b, "sign_in");
    free(url);
    go(b, "https://" APP "/page");
    url = next_url(b);
    protect.host_count = 0; /* that host is gone */
    go(b, url);
    assert_refused(b, FG_E_HTTP_NOT_FOUND);
    free(url);
}

/* A target that was asked for as the path of a request: refused, or it stays at the host that saw it. */
static void check_payload(browser_t *b, const char *payload) {
    raw_path = payload;
    go(b, "https://" APP "/page");
    raw_path = NULL;
    if (b->ex->response.status != 302)
        return;
    follow(b);
    if (strcmp(b->page, "sign_in") == 0)
        sign_in(b);
    follow(b);
    char *url = next_url(b), *wanted = NULL;
    assert_true(asprintf(&wanted, "https://" APP "%s", payload) > 0);
    assert_string_equal(url, wanted);
    assert_int_equal(payload[0], '/');
    assert_int_not_equal(payload[1], '/');
    assert_null(strpbrk(payload, "\\\t\r\n "));
    free(url);
    free(wanted);
    be_at(b, true);
    b->cookie_count = 0;
}

static void sa_11_redirect_payloads(void **state) {
    browser_t *b = *state;
    char name[512];
    size_t length;
    if (test_vectors() == NULL)
        skip();
    snprintf(name, sizeof name, "%s/redirect/open-redirect-payload-list.txt", test_vectors());
    char *text = test_file(name, &length);
    assert_non_null(text);
    size_t count = 0;
    for (char *line = text, *end; line < text + length; line = end + 1, count++) {
        end = memchr(line, '\n', (size_t)(text + length - line));
        end = end != NULL ? end : text + length;
        *end = '\0';
        check_payload(b, line);
    }
    assert_true(count > 800);
    free(text);
    check_payload(b, "/somewhere"); /* the control */
    assert_int_equal(b->ex->response.status, 302);
}

static void form_is_sent_again(void **state) {
    browser_t *b = *state;
    for (int there = 0; there < 2; there++) {
        b->test.now_ms += FG_HOUR;
        assert_int_equal(post(b, there, "submit=1&text=a%26b%0D%0A%C3%A4&text=", form_headers), 303);
        follow(b);
        sign_in(b);
        if (there)
            follow(b);
        assert_page(b, "auto_post");
        assert_string_equal(browser_text(b, "action"), there ? "https://" APP "/page?q=1" : BROWSER_BASE "/page?q=1");
        assert_string_equal(browser_text(b, "enctype"), "application/x-www-form-urlencoded");
        assert_int_equal(json_array_size(json_object_get(b->model, "fields")), 3);
        assert_string_equal(browser_field(b, "submit"), "1");
        assert_string_equal(browser_field(b, "text"), "a&b\r\n\xc3\xa4");
        assert_int_equal(post(b, there, "submit=1", form_headers), 200);
    }
}

/* Another site's form comes without cookies, whoever is signed in: it must not get them by way of the sign-in page. */
static void only_own_forms_are_kept(void **state) {
    browser_t *b = *state;
    static const char type[] = "application/x-www-form-urlencoded";
    static const char *const foreign[][7] = {
        {"Content-Type", type, "Sec-Fetch-Site", "cross-site", NULL},
        {"Content-Type", type, "Sec-Fetch-Site", "same-site", "Origin", "https://" APP, NULL},
        {"Content-Type", type, "Sec-Fetch-Site", "none", NULL},
        {"Content-Type", type, "Origin", "https://evil.test", NULL},
        {"Content-Type", type, "Origin", "https://" APP ".evil.test", NULL},
        {"Content-Type", type, "Origin", "http://" APP, NULL},
        {"Content-Type", type, "Origin", BROWSER_BASE, NULL},
        {"Content-Type", type, "Origin", "null", NULL},
        {"Content-Type", type, NULL},
    };
    static const char *const origin[] = {"Content-Type", type, "Origin", "https://" APP, NULL};
    for (size_t i = 0; i < FG_ARRAY_SIZE(foreign); i++) {
        post(b, true, "a=b", foreign[i]);
        assert_refused(b, FG_E_HTTP_FORM);
    }
    assert_int_equal(post(b, true, "a=b", origin), 303);
    assert_int_equal(post(b, true, "a=b", form_headers), 303);
}

/* HT-12: a body that could not be read whole is not taken for a form */
static void ht_12_forms_that_cannot_be_kept(void **state) {
    browser_t *b = *state;
    static const char *const json[] = {"Content-Type", "application/json", "Sec-Fetch-Site", "same-origin", NULL};
    static const char *const none[] = {"Sec-Fetch-Site", "same-origin", NULL};
    static const char *const two[] = {"Content-Type", "text/plain", "Content-Type", "text/plain", "Sec-Fetch-Site",
                                      "same-origin",  NULL};
    char *large = malloc(FG_WEB_FORM_MAX + 2);
    assert_non_null(large);
    memset(large, 'a', FG_WEB_FORM_MAX + 1);
    large[1] = '=';
    large[FG_WEB_FORM_MAX + 1] = '\0';
    post(b, true, large, form_headers);
    assert_refused(b, FG_E_HTTP_FORM);
    large[FG_WEB_FORM_MAX] = '\0';
    assert_int_equal(post(b, true, large, form_headers), 303); /* the control */
    free(large);
    post(b, true, "a=b", json);
    assert_refused(b, FG_E_HTTP_FORM);
    post(b, true, "a=b", none);
    assert_refused(b, FG_E_HTTP_FORM);
    post(b, true, "a=b", two);
    assert_refused(b, FG_E_HTTP_FORM);
    post(b, true, "a=%zz", form_headers);
    assert_refused(b, FG_E_HTTP_FORM);
}

/* What strangers can have kept is bounded. */
static void kept_forms_are_bounded(void **state) {
    browser_t *b = *state;
    char *large = malloc(FG_WEB_FORM_MAX);
    assert_non_null(large);
    memset(large, 'a', FG_WEB_FORM_MAX - 1);
    large[1] = '=';
    large[FG_WEB_FORM_MAX - 1] = '\0';
    for (int i = 0; i < 3; i++)
        assert_int_equal(post(b, true, large, form_headers), 303);
    post(b, true, large, form_headers);
    assert_refused(b, FG_E_BUSY);
    b->test.now_ms += 31 * FG_MINUTE;
    assert_int_equal(post(b, true, large, form_headers), 303);
    free(large);
}

#define PART(name, more) "--X-y\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n\r\n"

static bool reads(const char *type, const char *body, const char *expected) {
    fg_err_t err = FG_ERR_INIT;
    fg_web_form_t form;
    char text[512] = "";
    fg_arena_t *arena = fg_arena_new(0);
    bool ok = fg_web_form_read(arena, fg_str(type), fg_str(body), &form, &err);
    for (size_t i = 0; ok && i < form.count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%.*s:%.*s;", FG_STR_ARG(form.items[i].name),
                 FG_STR_ARG(form.items[i].value));
    }
    fg_arena_free(arena);
    if (!ok)
        snprintf(text, sizeof text, "%s", err.code == FG_E_HTTP_FORM ? "refused" : "failed");
    if (strcmp(text, expected) != 0)
        print_error("%s: \"%s\" expected, got \"%s\"\n", body, expected, text);
    return strcmp(text, expected) == 0;
}

static void forms_are_read(void **state) {
    (void)state;
    static const char plain[] = "text/plain", multi[] = "multipart/form-data; boundary=X-y";
    static const struct {
        const char *type, *body, *expected;
    } cases[] = {
        {"application/x-www-form-urlencoded;charset=UTF-8", "a=b+c&d", "a:b c;d:;"},
        {"Application/X-WWW-Form-Urlencoded", "", ""},
        {plain, "a=b\r\nc==d e\r\n", "a:b;c:=d e;"},
        {plain, "a=b\r\nc", "refused"},
        {plain, "a\r\n", "refused"},
        {plain, "a=b\r\nline\r\n\r\nc=d\r\n", "a:b\r\nline\r\n;c:d;"},
        {plain, "a=b\r\n\xff\r\n", "refused"},
        {multi, PART("a", "") "b\r\n" PART("c%22", "") "line\r\nline\r\n--X-y--\r\n", "a:b;c%22:line\r\nline;"},
        {"multipart/form-data; boundary=\"X-y\"", PART("a", "") "b\r\n--X-y--\r\n", "a:b;"},
        {multi, "--X-y--\r\n", ""},
        {multi, PART("f", "; filename=\"\"\r\nContent-Type: application/octet-stream") "\r\n--X-y--\r\n", ""},
        {multi, PART("f", "; filename=\"x.txt\"") "b\r\n--X-y--\r\n", "refused"},
        {multi, PART("f", "; filename=\"\"") "b\r\n--X-y--\r\n", "refused"},
        {multi, PART("f", "; filename*=UTF-8''x") "b\r\n--X-y--\r\n", "refused"},
        {multi, PART("a", "") "b\r\n", "refused"},
        {multi, PART("a", "") "b\r\n--X-yZ", "refused"},
        {multi, "--X-y\r\n\r\nb\r\n--X-y--\r\n", "refused"},
        {multi, "x" PART("a", "") "b\r\n--X-y--\r\n", "refused"},
        {multi, "", "refused"},
        {"multipart/form-data", PART("a", "") "b\r\n--X-y--\r\n", "refused"},
        {"multipart/form-data; boundary=", "--\r\n", "refused"},
        {plain, "a=\xff\r\n", "refused"},
        {"text/html", "a=b", "refused"},
        {"", "a=b", "refused"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++)
        assert_true(reads(cases[i].type, cases[i].body, cases[i].expected));
}

static bool is_browser(fg_method_t method, const char *const *headers) {
    fg_header_t list[8];
    fg_request_t request = {.method = method, .headers = list};
    for (; *headers != NULL; headers += 2)
        list[request.header_count++] = (fg_header_t){fg_str(headers[0]), fg_str(headers[1])};
    return fg_request_is_browser(&request);
}

static void tells_browsers_from_programs(void **state) {
    (void)state;
    static const char html[] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    static const char *const yes[][8] = {
        {"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", NULL},
        {"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", NULL},
        {"accept", html, NULL},
        {"Accept", "*/*", "Sec-Fetch-Mode", "navigate", NULL},
    };
    static const char *const no[][8] = {
        {"Accept", "*/*", NULL},
        {NULL},
        {"Accept", "application/json", NULL},
        {"Accept", html, "X-Requested-With", "XMLHttpRequest", NULL},
        {"Accept", html, "Authorization", "Bearer x", NULL},
        {"Accept", html, "Sec-Fetch-Mode", "cors", NULL},
        {"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "image", NULL},
        {"Accept", html, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Mode", "cors", NULL},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(yes); i++)
        assert_true(is_browser(FG_METHOD_GET, yes[i]));
    for (size_t i = 0; i < FG_ARRAY_SIZE(no); i++)
        assert_false(is_browser(FG_METHOD_GET, no[i]));
    assert_true(is_browser(FG_METHOD_POST, yes[0]));
    assert_true(is_browser(FG_METHOD_HEAD, yes[0]));
    assert_false(is_browser(FG_METHOD_OTHER, yes[0]));
}

static void long_addresses(void **state) {
    browser_t *b = *state;
    char url[6000];
    snprintf(url, sizeof url, "%s/page?", BROWSER_BASE);
    size_t start = strlen(url), room = 4096 - strlen("/page?");
    memset(url + start, 'x', room + 1);
    url[start + room] = '\0';
    assert_int_equal(go(b, url), 302);
    assert_true(strlen(browser_header(b, "Location")) < 8192);
    follow(b);
    sign_in(b);
    assert_true(leads_to(b, url));
    b->cookie_count = 0;
    url[start + room] = 'x';
    url[start + room + 1] = '\0';
    go(b, url);
    assert_refused(b, FG_E_HTTP_TOO_LARGE);
}

/* The section says where people come from, or they choose. */
static void home_realms(void **state) {
    browser_t *b = *state;
    b->hub.home_realm_count = 3;
    go(b, BROWSER_BASE "/page");
    char *url = next_url(b), choice[4096];
    go(b, url);
    assert_page(b, "home_realm");
    snprintf(choice, sizeof choice, "%s&whr=urn%%3Ahome%%3Apartner", url);
    go(b, choice);
    assert_true(leads_to(b, BROWSER_PROVIDER));
    go(b, url);
    assert_true(leads_to(b, BROWSER_PROVIDER)); /* remembered */
    protect.home_realm = &b->home_realms[0];
    go(b, choice);
    assert_page(b, "sign_in");
    free(url);
}

static void renewal(void **state) {
    browser_t *b = *state;
    go(b, BROWSER_BASE "/page");
    follow(b);
    sign_in(b);
    b->test.now_ms += b->hub.session_idle_ms / 10 - 1;
    go(b, BROWSER_BASE "/page");
    assert_inside(b);
    assert_null(browser_header(b, "Set-Cookie"));
    b->test.now_ms++;
    go(b, BROWSER_BASE "/page");
    assert_inside(b);
    assert_non_null(browser_header(b, "Set-Cookie"));
    for (int i = 0; i < 7; i++) {
        b->test.now_ms += b->hub.session_idle_ms - 1;
        assert_int_equal(go(b, BROWSER_BASE "/page"), 200);
    }
    b->test.now_ms += b->hub.session_idle_ms - 1; /* eight hours are over */
    assert_int_equal(go(b, BROWSER_BASE "/page"), 302);
}

static void sign_out_has_an_address(void **state) {
    browser_t *b = *state;
    assert_int_equal(go(b, BROWSER_BASE FG_WEB_ACCESS_SIGN_OUT), 302);
    assert_true(leads_to(b, BROWSER_BASE "/adfs/ls/?wa=wsignout1.0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(own_host),
        TEST(another_host),
        TEST(signed_in_already),
        TEST(ht_08_cookie_of_another_host),
        TEST(wf_08_ticket_is_bound),
        TEST(sa_11_targets_are_ours),
        TEST(sa_11_redirect_payloads),
        TEST(form_is_sent_again),
        TEST(only_own_forms_are_kept),
        TEST(ht_12_forms_that_cannot_be_kept),
        TEST(kept_forms_are_bounded),
        TEST(forms_are_read),
        TEST(tells_browsers_from_programs),
        TEST(long_addresses),
        TEST(home_realms),
        TEST(renewal),
        TEST(sign_out_has_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
