/* SPDX-License-Identifier: GPL-2.0-or-later
 * The pages as they go out: every value of every model escaped (SA-12), headers, languages, an administrator's folder.
 * With FEDGATE_SHOW_PAGES=FOLDER the sample pages are also written there as HTML files, to be looked at. */
#include "tests/unit/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "core/fault.h"
#include "core/file.h"
#include "gateway/pages.h"

#define EVIL "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;"
#define HARMLESS "harmless-value"

typedef struct fixture {
    test_env_t test;
    fg_hub_t hub;
    fg_exchange_t *ex;
    fg_header_t accept;
} fixture_t;

static char *shipped(void) {
    static char folder[512];
    const char *source = getenv("FEDGATE_SRCDIR");
    snprintf(folder, sizeof folder, "%s/etc/pages", source ? source : ".");
    return folder;
}

static int open_pages(void **state) {
    static fixture_t fixture;
    fixture_t *f = &fixture;
    memset(f, 0, sizeof *f);
    fg_err_t err = FG_ERR_INIT;
    test_env_init(&f->test);
    f->hub = (fg_hub_t){.organisation = "Example & Sons", .colour = "#1f5fa8", .contact = "help@example.com"};
    f->hub.pages = fg_pages_load(shipped(), &err);
    if (f->hub.pages == NULL)
        print_error("%s\n", err.detail);
    *state = f;
    return f->hub.pages == NULL;
}

static int close_pages(void **state) {
    fg_pages_free(((fixture_t *)*state)->hub.pages);
    return 0;
}

static void begin(fixture_t *f, const char *language) {
    fg_arena_t *arena = fg_arena_new(0);
    f->ex = fg_arena_alloc(arena, sizeof *f->ex);
    f->ex->arena = arena;
    f->ex->env = &f->test.env;
    f->ex->hub = &f->hub;
    fg_buf_init(&f->ex->response.body, 1 << 20);
    snprintf(f->ex->correlation_id, sizeof f->ex->correlation_id, "3f2b1a9c-0d5e-4c7a-9b1d-2e8f6a7c4d10");
    f->accept = (fg_header_t){FG_STR("Accept-Language"), fg_str(language)};
    f->ex->request.headers = &f->accept;
    f->ex->request.header_count = language ? 1 : 0;
}

static void end(fixture_t *f) {
    fg_buf_free(&f->ex->response.body);
    fg_arena_free(f->ex->arena);
}

static const char *body(const fixture_t *f) { return f->ex->response.body.data; }

static const char *header(const fixture_t *f, const char *name) {
    for (size_t i = 0; i < f->ex->response.header_count; i++)
        if (fg_str_is(f->ex->response.headers[i].name, name))
            return f->ex->response.headers[i].value.p;
    return "";
}

static bool contains(const char *text, const char *part) { return strstr(text, part) != NULL; }

/* ---- models: one with every member set to value, and one as it is in life */

static json_t *text(const char *value) { return json_string(value); }

static json_t *full_model(const char *page, const char *value) {
    static const struct {
        const char *page, *members[10];
    } table[] = {
        {"sign_in", {"application", "username", "csrf", "action", "realm_choice_url"}},
        {"home_realm", {"application", "action"}},
        {"applications", {"action"}},
        {"signed_out", {"wreply", "wreply_name", "provider_url", "provider_name", "next", "next_name"}},
        {"error", {"sentence", "reason", "fault", "back"}},
        {"auto_post", {"application", "action", "enctype"}},
        {"clean_up", {"provider_url", "provider_name", "next"}},
        {"post_frame", {"application", "action"}},
        {"go_on", {"application", "url"}},
        {"sign_out", {"application", "action", "csrf", "person"}},
        {"consent", {"application", "action", "csrf", "person", "site"}},
        {"device", {"application", "action", "csrf", "person", "code", "wrong", "done", "refused"}},
        {"identity", {"url", "name", "identity", "endpoint", "xrds"}},
        {"claims", {"subject", "issuer", "audience", "method", "instant", "expires", "version", "sign_out_url"}},
    };
    json_t *model = json_object();
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++)
        for (size_t k = 0; strcmp(table[i].page, page) == 0 && k < 10 && table[i].members[k] != NULL; k++)
            json_object_set_new(model, table[i].members[k], text(value));
    static const char *const lists[] = {"hidden", "realms", "parties", "fields", "claims", "applications", "scopes"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(lists); i++)
        json_object_set_new(model, lists[i],
                            json_pack("[{s:s,s:s,s:s,s:s,s:s,s:s,s:s}]", "scope", value, "name", value, "value", value,
                                      "uri", value, "url", value, "type", value, "realm", value));
    return model;
}

static size_t count_of(const char *haystack, const char *needle) {
    size_t count = 0;
    for (const char *p = haystack; (p = strstr(p, needle)) != NULL; p++)
        count++;
    return count;
}

static const char *const page_names[] = {"sign_in",   "home_realm", "signed_out", "clean_up",   "error",
                                         "auto_post", "claims",     "go_on",      "post_frame", "applications",
                                         "sign_out",  "consent",    "device",     "identity"};

static const char *const with_script[] = {"auto_post", "post_frame", "signed_out", "clean_up", NULL};
static const char *const in_frames[] = {"clean_up", "post_frame", NULL};
static const char *const with_frames[] = {"clean_up", "signed_out", NULL};
static const char *const forms_anywhere[] = {"auto_post", "post_frame", "home_realm", "applications", NULL};

static bool is_one_of(const char *page, const char *const *pages) {
    while (*pages != NULL && strcmp(page, *pages) != 0)
        pages++;
    return *pages != NULL;
}

/* SA-12, WF-01: markup in any value of any model stays text; control: a harmless value is shown */
static void markup_in_values_stays_text(void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(page_names); i++) {
        begin(f, "en");
        assert_true(fg_pages_render(f->ex, 200, page_names[i], full_model(page_names[i], EVIL)));
        assert_false(contains(body(f), "<script>"));
        assert_false(contains(body(f), "<img src=x"));
        assert_false(contains(body(f), "\"'"));
        assert_true(contains(body(f), "&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert_true(contains(body(f), "&amp;lt;"));
        assert_int_equal(count_of(body(f), "<script"), is_one_of(page_names[i], with_script));
        end(f);

        begin(f, "en");
        assert_true(fg_pages_render(f->ex, 200, page_names[i], full_model(page_names[i], HARMLESS)));
        assert_true(contains(body(f), HARMLESS));
        end(f);
    }
}

/* SA-12: what an address must not be; control: an https address is kept */
static void script_addresses_are_not_written(void **state) {
    fixture_t *f = *state;
    for (size_t i = 0; i < FG_ARRAY_SIZE(page_names); i++) {
        begin(f, "en");
        assert_true(fg_pages_render(f->ex, 200, page_names[i], full_model(page_names[i], "javascript:alert(1)")));
        assert_false(contains(body(f), "href=\"javascript:"));
        assert_false(contains(body(f), "action=\"javascript:"));
        assert_false(contains(body(f), "src=\"javascript:"));
        assert_true(contains(body(f), "about:blank"));
        end(f);

        begin(f, "en");
        assert_true(fg_pages_render(f->ex, 200, page_names[i], full_model(page_names[i], "https://rp.example/")));
        assert_true(contains(body(f), "=\"https://rp.example/\""));
        assert_false(contains(body(f), "about:blank"));
        end(f);
    }
}

/* SA-12: wctx is opaque and may hold anything; it comes back escaped, byte for byte */
static void wctx_with_markup_is_echoed(void **state) {
    fixture_t *f = *state;
    begin(f, "en");
    json_t *model = json_pack("{s:s,s:[{s:s,s:s}]}", "action", "https://rp.example/", "fields", "name", "wctx", "value",
                              "rm=0&id=\"><b>'\r\nru=%2f {{csrf}}");
    assert_true(fg_pages_render(f->ex, 200, "auto_post", model));
    assert_true(
        contains(body(f), "name=\"wctx\" value=\"rm=0&amp;id=&#34;&gt;&lt;b&gt;&#39;&#13;&#10;ru=%2f {{csrf}}\">"));
    end(f);
}

static void every_page_has_its_headers(void **state) {
    fixture_t *f = *state;
    char first[64] = "";
    for (size_t i = 0; i < FG_ARRAY_SIZE(page_names); i++) {
        bool framed = is_one_of(page_names[i], in_frames), frames = is_one_of(page_names[i], with_frames);
        bool sends_anywhere = is_one_of(page_names[i], forms_anywhere);
        begin(f, "en");
        assert_true(fg_pages_render(f->ex, 403, page_names[i], full_model(page_names[i], "x")));
        assert_int_equal(f->ex->response.status, 403);
        assert_string_equal(header(f, "Content-Type"), "text/html; charset=utf-8");
        assert_string_equal(header(f, "Cache-Control"), "no-store");
        assert_string_equal(header(f, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(header(f, "X-Frame-Options"), framed ? "" : "DENY");
        const char *policy = header(f, "Content-Security-Policy");
        assert_true(contains(policy, "default-src 'none'; base-uri 'none'; frame-ancestors "));
        assert_int_equal(contains(policy, "frame-ancestors 'none'; style-src 'nonce-"), !framed);
        assert_false(contains(policy, "unsafe"));
        assert_int_equal(contains(policy, "script-src"), is_one_of(page_names[i], with_script));
        assert_int_equal(contains(policy, "form-action"), !sends_anywhere);
        assert_int_equal(contains(policy, "frame-src"), frames);
        /* the nonce of the header is the page's, and another one each time */
        char nonce[64], attribute[80];
        assert_int_equal(sscanf(strstr(policy, "'nonce-"), "'nonce-%60[^']", nonce), 1);
        snprintf(attribute, sizeof attribute, " nonce=\"%s\">", nonce);
        assert_true(contains(body(f), attribute));
        assert_string_not_equal(nonce, first);
        memcpy(first, nonce, sizeof first);
        end(f);
    }
}

static void without_randomness_or_page_nothing_is_written(void **state) {
    fixture_t *f = *state;
    begin(f, "en");
    assert_false(fg_pages_render(f->ex, 200, "no_such_page", json_object()));
    assert_false(fg_pages_render(f->ex, 200, "error", NULL));
    f->test.random_fails = true;
    assert_false(fg_pages_render(f->ex, 200, "error", json_object()));
    f->test.random_fails = false;
    assert_int_equal(f->ex->response.status, 0);
    assert_int_equal(f->ex->response.header_count, 0);
    end(f);
}

static void a_large_token_fits_and_a_flood_does_not(void **state) {
    fixture_t *f = *state;
    for (size_t size = 200 << 10; size <= 2 << 20; size *= 10) {
        char *token = malloc(size + 1);
        memset(token, '<', size);
        token[size] = '\0';
        begin(f, "en");
        json_t *model = json_pack("{s:s,s:[{s:s,s:s}]}", "action", "https://rp.example/", "fields", "name", "wresult",
                                  "value", token);
        assert_int_equal(fg_pages_render(f->ex, 200, "auto_post", model), size < 1 << 20);
        end(f);
        free(token);
    }
}

static void the_form_is_as_the_protocol_reads_it(void **state) {
    fixture_t *f = *state;
    begin(f, "en");
    json_t *model = json_pack("{s:s,s:s,s:s,s:s}", "action", "/adfs/ls/?wa=wsignin1.0", "username", "alice", "message",
                              "wrong", "csrf", "token");
    assert_true(fg_pages_render(f->ex, 200, "sign_in", model));
    assert_true(contains(body(f), "<form method=\"post\" action=\"/adfs/ls/?wa=wsignin1.0\">"));
    assert_true(contains(body(f), "name=\"csrf\" value=\"token\""));
    assert_true(contains(body(f), "name=\"username\" type=\"text\" value=\"alice\""));
    assert_true(contains(body(f), "role=\"alert\">The user name or password is not right.</p>"));
    /* the first empty field has the focus */
    assert_int_equal(count_of(body(f), "autofocus"), 1);
    assert_true(contains(strstr(body(f), "id=\"password\""), "autofocus"));
    end(f);

    begin(f, "en");
    assert_true(fg_pages_render(f->ex, 200, "sign_in", json_object()));
    assert_false(contains(body(f), "role=\"alert\""));
    assert_int_equal(count_of(body(f), "autofocus"), 1);
    assert_true(contains(strstr(body(f), "autofocus"), "id=\"password\""));
    end(f);
}

/* ---- languages */

static void accept_language_is_read_strictly(void **state) {
    (void)state;
    static const char *const languages[] = {"en", "de", "pt-br"};
    static const struct {
        const char *header, *expected;
    } samples[] = {
        {"", "en"},
        {"de", "de"},
        {"DE-at", "de"},
        {"en-US,en;q=0.9,de;q=0.8", "en"},
        {"fr, de;q=0.8, en;q=0.7", "de"},
        {"de;q=0.7, en;q=0.8", "en"},
        {"de;q=0, *", "en"},
        {"en;q=0, de;q=0, *;q=0.1", "pt-br"},
        {"en;q=0,*", "de"},
        {"pt", "pt-br"},
        {"pt-PT, de;q=0.5", "de"},
        {"d", "en"},
        {"deu", "en"},
        {"de;q=1.000", "de"},
        {"en;q=0.5 , de ; q=0.501", "de"},
        {"de;q=1.001", "en"},
        {"de;q=2", "en"},
        {"de;q=0.5000", "en"},
        {"de;q=-1", "en"},
        {"de;level=1", "en"},
        {";q=1,,;,=", "en"},
        {"*", "en"},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(samples); i++) {
        size_t chosen = fg_pages_choose_language(fg_str(samples[i].header), languages, 3);
        if (strcmp(languages[chosen], samples[i].expected) != 0)
            fail_msg("\"%s\": %s, not %s", samples[i].header, languages[chosen], samples[i].expected);
    }
    char flood[2000];
    memset(flood, 'x', sizeof flood);
    memcpy(flood, "de,", 3);
    assert_int_equal(fg_pages_choose_language((fg_str_t){flood, sizeof flood}, languages, 3), 0);
    assert_int_equal(fg_pages_choose_language((fg_str_t){flood, 500}, languages, 3), 1);
}

static void texts_follow_the_language(void **state) {
    fixture_t *f = *state;
    static const struct {
        const char *language, *lang, *sentence;
    } samples[] = {{"de-CH, en;q=0.5", "lang=\"de\"", "Die Anwendung (wtrealm) ist hier nicht eingetragen."},
                   {"fr", "lang=\"en\"", "The English sentence."},
                   {NULL, "lang=\"en\"", "The English sentence."}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(samples); i++) {
        begin(f, samples[i].language);
        json_t *model = json_pack("{s:s,s:s}", "sentence", "The English sentence.", "reason", "wsfed_realm");
        assert_true(fg_pages_render(f->ex, 400, "error", model));
        assert_true(contains(body(f), samples[i].lang));
        assert_true(contains(body(f), samples[i].sentence));
        assert_true(contains(body(f), f->ex->correlation_id));
        assert_true(contains(body(f), "href=\"mailto:help@example.com\""));
        end(f);
    }
    /* a reason without a sentence of the language keeps the model's */
    begin(f, "de");
    assert_true(fg_pages_render(f->ex, 400, "error",
                                json_pack("{s:s,s:s}", "sentence", "New sentence.", "reason", "brand_new")));
    assert_true(contains(body(f), "New sentence."));
    end(f);
}

/* ---- an administrator's folder */

/* No page can do without the shipped files here, since they are installed elsewhere: the folder holds copies of them.
 */
static const char *const shipped_files[] = {
    "sign_in.html",   "home_realm.html",     "signed_out.html",   "clean_up.html", "error.html",
    "auto_post.html", "claims.html",         "head.html",         "top.html",      "foot.html",
    "style.css",      "texts.en.json",       "applications.html", "texts.de.json", "go_on.html",
    "frames.html",    "post_frame.html",     "sign_out.html",     "consent.html",  "device.html",
    "identity.html",  "change_password.html"};

static void copy_shipped(const char *folder) {
    for (size_t i = 0; i < FG_ARRAY_SIZE(shipped_files); i++) {
        char from[600], to[600];
        size_t length;
        fg_err_t err = FG_ERR_INIT;
        snprintf(from, sizeof from, "%s/%s", shipped(), shipped_files[i]);
        snprintf(to, sizeof to, "%s/%s", folder, shipped_files[i]);
        char *content = test_file(from, &length);
        assert_non_null(content);
        assert_true(fg_file_replace(to, (fg_str_t){content, length}, 0600, &err));
        free(content);
    }
}

static void write_file(const char *folder, const char *name, const char *content) {
    char path[600];
    fg_err_t err = FG_ERR_INIT;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(fg_file_replace(path, fg_str(content), 0600, &err));
}

static void remove_folder(const char *folder) {
    static const char *const more[] = {"texts.fr.json", "texts.xx.json"};
    const size_t shipped_count = FG_ARRAY_SIZE(shipped_files);
    char path[600];
    for (size_t i = 0; i < shipped_count + FG_ARRAY_SIZE(more); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i < shipped_count ? shipped_files[i] : more[i - shipped_count]);
        unlink(path);
    }
    assert_return_code(rmdir(folder), errno);
}

static void expect_load_error(const char *folder, const char *expected) {
    fg_err_t err = FG_ERR_INIT;
    assert_null(fg_pages_load(folder, &err));
    if (!contains(err.detail, expected))
        fail_msg("%s\n not: %s", err.detail, expected);
}

static void an_administrator_can_replace_files_and_add_languages(void **state) {
    fixture_t *f = *state;
    fg_pages_t *before = f->hub.pages;
    char folder[] = "/tmp/fedgate-pages-XXXXXX";
    assert_non_null(mkdtemp(folder));
    copy_shipped(folder);
    write_file(folder, "texts.fr.json", "{ \"sign_in.title\": \"Connexion à {organisation}\" }");
    write_file(folder, "foot.html", "<footer>Our own foot</footer>");
    fg_err_t err = FG_ERR_INIT;
    f->hub.pages = fg_pages_load(folder, &err);
    assert_non_null(f->hub.pages);
    begin(f, "fr-FR");
    assert_true(fg_pages_render(f->ex, 200, "sign_in", json_object()));
    assert_true(contains(body(f), "<h1>Connexion à Example &amp; Sons</h1>"));
    assert_true(contains(body(f), "Password")); /* a text that the language lacks is English */
    assert_true(contains(body(f), "<footer>Our own foot</footer>"));
    end(f);
    fg_pages_free(f->hub.pages);
    f->hub.pages = before;

    write_file(folder, "foot.html", "<footer>\n {{Contact}}</footer>");
    expect_load_error(folder, "/foot.html:2:2: found \"Contact\", expected a name");
    write_file(folder, "foot.html", "");
    write_file(folder, "texts.fr.json", "{\n \"sign_in.title\": 5 }");
    expect_load_error(folder, "/texts.fr.json: found no text at \"sign_in.title\", expected a string");
    write_file(folder, "texts.fr.json", "{\n \"sign_in.title\": \"{x\" }");
    expect_load_error(folder, "/texts.fr.json:1:1: found \"{x\", expected '}'");
    write_file(folder, "texts.fr.json", "{\n,");
    expect_load_error(folder, "/texts.fr.json: 2:1:");
    write_file(folder, "texts.fr.json", "[]");
    expect_load_error(folder, "/texts.fr.json:1:1: found no object");
    write_file(folder, "texts.fr.json", "{}");
    write_file(folder, "top.html", "\xff");
    expect_load_error(folder, "/top.html: found bytes that are not UTF-8");
    remove_folder(folder);
    expect_load_error(folder, folder);
}

/* ---- samples to be looked at */

static json_t *sample(const char *page) {
    json_t *model = json_object();
    if (strcmp(page, "sign_in") == 0)
        json_object_update_new(model, json_pack("{s:s,s:s,s:s}", "action", "/adfs/ls/", "application",
                                                "Contoso Intranet", "realm_choice_url", "/adfs/ls/?whr=choose"));
    if (strcmp(page, "home_realm") == 0)
        json_object_update_new(model, json_pack("{s:s,s:s,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "action", "/adfs/ls/",
                                                "application", "Contoso Intranet", "realms", "uri", "urn:a", "name",
                                                "Example & Sons, employees", "uri", "urn:b", "name",
                                                "Partners of the Danube Shipping and Logistics Company", "uri", "urn:c",
                                                "name", "Guests"));
    if (strcmp(page, "signed_out") == 0)
        json_object_update_new(model,
                               json_pack("{s:s,s:s,s:[{s:s,s:s},{s:s,s:s}]}", "wreply", "https://rp.example/",
                                         "wreply_name", "Contoso Intranet", "parties", "name", "Contoso Intranet",
                                         "url", "about:blank", "name", "Time sheets", "url", "about:blank"));
    if (strcmp(page, "error") == 0)
        json_object_update_new(model, json_pack("{s:i,s:s,s:s,s:s,s:s}", "status", 400, "sentence",
                                                fg_fault_get(FG_E_WSFED_REPLY)->sentence, "reason", "wsfed_reply",
                                                "fault", "NoMatchInScope", "back", "https://rp.example/"));
    if (strcmp(page, "auto_post") == 0)
        json_object_update_new(model,
                               json_pack("{s:s,s:s,s:[{s:s,s:s}]}", "action", "https://rp.example/", "application",
                                         "Contoso Intranet", "fields", "name", "wa", "value", "wsignin1.0"));
    if (strcmp(page, "go_on") == 0)
        json_object_update_new(
            model, json_pack("{s:s,s:s}", "url", "https://app.example/x?a=b&c", "application", "Contoso Intranet"));
    return model;
}

static json_t *sample_claims(void) {
    static const char *const claims[][2] = {
        {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "Alice Adams"},
        {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "alice@fedgate.test"},
        {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
         "alice.adams@a-rather-long-domain-name.example.com"},
        {"http://schemas.xmlsoap.org/claims/Group", "Administrators"},
        {"http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "Staff"},
        {"urn:example:employee-number", "0004711"},
    };
    json_t *list = json_array();
    for (size_t i = 0; i < FG_ARRAY_SIZE(claims); i++)
        json_array_append_new(list, json_pack("{s:s,s:s}", "type", claims[i][0], "value", claims[i][1]));
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s}", "subject", "alice@fedgate.test", "issuer",
                     "http://fs.example.com/adfs/services/trust", "audience", "urn:fedgate:demo", "method",
                     "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "instant",
                     "2026-01-01T00:00:00Z", "expires", "2026-01-01T01:00:00Z", "version", "SAML 2.0", "claims", list,
                     "sign_out_url", "/adfs/ls/?wa=wsignout1.0");
}

static void show(fixture_t *f, const char *folder, const char *page, const char *name, json_t *model,
                 const char *language) {
    begin(f, language);
    assert_true(fg_pages_render(f->ex, 200, page, model));
    char *script = strstr(body(f), ".submit()"); /* stays where it can be looked at */
    if (script != NULL)
        memset(script, ' ', strlen(".submit()"));
    write_file(folder, name, body(f));
    end(f);
}

static void claims_have_short_names(void **state) {
    fixture_t *f = *state;
    begin(f, "en");
    assert_true(fg_pages_render(f->ex, 200, "claims", sample_claims()));
    assert_true(contains(body(f), "scope=\"row\">User principal name<span "
                                  "class=\"uri\">http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn</span>"));
    assert_true(contains(body(f), "scope=\"row\">Group<span"));
    assert_true(
        contains(body(f), "scope=\"row\">employee-number<span class=\"uri\">urn:example:employee-number</span>"));
    assert_true(contains(body(f), "Signed in as alice@fedgate.test"));
    assert_true(contains(body(f), "<dd>Password over a secure connection<span class=\"uri\">urn:oasis"));
    end(f);
}

static void samples_can_be_looked_at(void **state) {
    fixture_t *f = *state;
    const char *folder = getenv("FEDGATE_SHOW_PAGES");
    if (folder == NULL)
        skip();
    for (size_t i = 0; i < FG_ARRAY_SIZE(page_names); i++) {
        char name[64];
        bool claims = strcmp(page_names[i], "claims") == 0;
        snprintf(name, sizeof name, "%s.html", page_names[i]);
        show(f, folder, page_names[i], name, claims ? sample_claims() : sample(page_names[i]), "en");
        snprintf(name, sizeof name, "%s.de.html", page_names[i]);
        show(f, folder, page_names[i], name, claims ? sample_claims() : sample(page_names[i]), "de");
    }
    json_t *wrong = sample("sign_in");
    json_object_update_new(wrong, json_pack("{s:s,s:s}", "username", "alice", "message", "wrong"));
    show(f, folder, "sign_in", "sign_in_wrong.html", wrong, "en");
    f->hub.colour = "#ffd400";
    f->hub.logo_url = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='120' height='32'%3E%3Crect "
                      "width='120' height='32' "
                      "rx='6' fill='%23ffd400'/%3E%3C/svg%3E";
    show(f, folder, "sign_in", "sign_in_brand.html", sample("sign_in"), "en");
    f->hub.colour = "#1f5fa8";
    f->hub.logo_url = NULL;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_values_stays_text),
        cmocka_unit_test(script_addresses_are_not_written),
        cmocka_unit_test(wctx_with_markup_is_echoed),
        cmocka_unit_test(every_page_has_its_headers),
        cmocka_unit_test(without_randomness_or_page_nothing_is_written),
        cmocka_unit_test(a_large_token_fits_and_a_flood_does_not),
        cmocka_unit_test(the_form_is_as_the_protocol_reads_it),
        cmocka_unit_test(accept_language_is_read_strictly),
        cmocka_unit_test(texts_follow_the_language),
        cmocka_unit_test(an_administrator_can_replace_files_and_add_languages),
        cmocka_unit_test(claims_have_short_names),
        cmocka_unit_test(samples_can_be_looked_at),
    };
    return cmocka_run_group_tests(tests, open_pages, close_pages);
}
