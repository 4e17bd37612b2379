/* SPDX-License-Identifier: GPL-2.0-or-later
 * Realms, addresses, pages and documents from python3-openid's tests, with the verdicts of their manifest. */
#include "tests/unit/exchange.h"

#include <jansson.h>
#include <strings.h>

#include "bridges/openid/openid2_discover.h"
#include "bridges/openid/openid2_html.h"
#include "bridges/openid/openid2_realm.h"
#include "core/http.h"

static char *read_vector(const char *name, size_t *n) {
    char path[512];
    snprintf(path, sizeof path, "%s/openid2/%s", test_vectors(), name);
    char *text = test_file(path, n);
    if (text == NULL)
        fail_msg("%s", path);
    return text;
}

#define SKIP_WITHOUT_VECTORS()  \
    if (test_vectors() == NULL) \
    skip()

/* ---- realms */

/* Without a list of the top-level domains: what ends in a name that is none counts like others, and a host of one label
 * is a place in somebody's own network, which an administrator may register. */
static bool is_exception(const char *text) {
    static const char *const insane[] = {"http://*.foo.notatld/", "https://*.foo.notatld/", "http://www.schtuffcom/",
                                         "http://it/"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(insane); i++)
        if (strcmp(text, insane[i]) == 0)
            return true;
    return false;
}

enum { NO_SECTION, UNPARSED, INSANE, SANE, MATCH, NO_MATCH };

static int section_of(const char *line) {
    static const char *const titles[] = {"", "Does not parse", "Insane", "Sane", "matches", "does not match"};
    for (int i = UNPARSED; i <= NO_MATCH; i++)
        if (strchr("0123456789", line[0]) != NULL && strstr(line, titles[i]) != NULL)
            return i;
    return NO_SECTION;
}

static void check_realm(char *line, int section) {
    fg_openid2_realm_t realm;
    char *url = strchr(line, ' ');
    if (url != NULL) {
        *url++ = '\0';
        url += strspn(url, " ");
    }
    bool parsed = fg_openid2_realm_parse(fg_str(line), &realm);
    bool sane = parsed && fg_openid2_realm_is_sane(&realm);
    bool has = parsed && url != NULL && fg_openid2_realm_has(&realm, fg_str(url));
    bool good = section == UNPARSED ? !parsed
                : section == INSANE ? !sane || is_exception(line)
                : section == SANE   ? sane
                : section == MATCH  ? has
                                    : !has;
    if (!good)
        fail_msg("realm \"%s\" and \"%s\" in section %d: parsed %d, sane %d, has %d", line, url ? url : "", section,
                 parsed, sane, has);
}

static void realms_are_judged_alike(void **state) {
    (void)state;
    SKIP_WITHOUT_VECTORS();
    char *text = read_vector("trustroot.txt", NULL), *rest = text, *line;
    int section = NO_SECTION;
    unsigned seen[NO_MATCH + 1] = {0};
    while ((line = strsep(&rest, "\n")) != NULL) {
        int next = section_of(line);
        if (next != NO_SECTION) {
            section = next;
        } else if (section != NO_SECTION && line[0] != '\0' && line[0] != '-' && line[0] != '=' &&
                   strstr(line, "matching") == NULL) {
            check_realm(line, section);
            seen[section]++;
        }
    }
    assert_true(seen[UNPARSED] >= 16);
    assert_int_equal(seen[INSANE], 15);
    assert_int_equal(seen[SANE], 18);
    assert_int_equal(seen[MATCH], 45);
    assert_true(seen[NO_MATCH] >= 23);
    free(text);
}

/* ---- addresses */

static void addresses_have_one_form(void **state) {
    (void)state;
    SKIP_WITHOUT_VECTORS();
    char *text = read_vector("urinorm.txt", NULL), *rest = text, *name;
    unsigned count = 0;
    while ((name = strsep(&rest, "\n")) != NULL) {
        if (name[0] == '\0')
            continue;
        char *url = strsep(&rest, "\n"), *wanted = strsep(&rest, "\n");
        fg_buf_t normal = FG_BUF_INIT(4096);
        bool made = fg_openid2_url_normal(fg_str(url), &normal);
        if (made ? strcmp(normal.data, wanted) != 0 : strcmp(wanted, "fail") != 0)
            fail_msg("%s: %s became %s, expected %s", name, url, made ? normal.data : "fail", wanted);
        fg_buf_free(&normal);
        count++;
    }
    assert_true(count >= 20);
    free(text);
}

static void identifiers_are_addresses(void **state) {
    (void)state;
    static const char *const table[][2] = {
        {"example.com", "http://example.com/"},
        {" https://Example.com/Path#here ", "https://example.com/Path"},
        {"example.com:8080/a", "http://example.com:8080/a"},
        {"=smoker", NULL},
        {"@ootao*test1", NULL},
        {"xri://=nishitani*masaki", NULL},
        {"XRI://+x", NULL},
        {"$x", NULL},
        {"!x", NULL},
        {"(x)", NULL},
        {"", NULL},
        {"ftp://example.com", NULL},
        {"https://user@example.com/", NULL},
        {"https://ex ample.com/", NULL},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(table); i++) {
        fg_buf_t normal = FG_BUF_INIT(4096);
        bool made = fg_openid2_identifier_normal(fg_str(table[i][0]), &normal);
        if (made != (table[i][1] != NULL) || (made && strcmp(normal.data, table[i][1]) != 0))
            fail_msg("%s became %s", table[i][0], made ? normal.data : "nothing");
        fg_buf_free(&normal);
    }
}

/* ---- pages */

typedef struct wanted_link {
    char *attributes; /* "x=y z*=" */
    bool optional;
} wanted_link_t;

/* All that must be there is, and nothing that may not be. */
static bool link_fits(const fg_html_element_t *link, const char *attributes) {
    char copy[1024], *rest = copy, *pair;
    size_t known = 0;
    snprintf(copy, sizeof copy, "%s", attributes);
    while ((pair = strsep(&rest, " ")) != NULL) {
        char *equals = strchr(pair, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        bool optional = equals > pair && equals[-1] == '*';
        if (optional)
            equals[-1] = '\0';
        fg_str_t value = fg_html_get(link, pair);
        if (value.p == NULL ? !optional : !fg_str_is(value, equals + 1))
            return false;
        for (size_t i = 0; i < link->count; i++)
            known += fg_str_is(link->attributes[i].name, pair);
    }
    return known == link->count;
}

static void check_page(fg_arena_t *arena, char *block) {
    char *data = strstr(block, "\n\n"), *rest = block, *line, name[200] = "";
    wanted_link_t wanted[8];
    size_t count = 0, at = 0;
    assert_non_null(data);
    *data = '\0';
    data += 2;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, "Name: ", 6) == 0)
            snprintf(name, sizeof name, "%s", line + 6);
        else if (strncmp(line, "Link", 4) == 0 && count < 8)
            wanted[count++] = (wanted_link_t){strchr(line, ':') + 1, line[4] == '*'};
    }
    fg_html_t in = fg_html_begin(arena, fg_str(data));
    fg_html_element_t element;
    while (fg_html_next(&in, &element)) {
        if (!in.in_html || !fg_str_eq_nocase(element.name, FG_STR("link")))
            continue;
        while (at < count && !link_fits(&element, wanted[at].attributes + strspn(wanted[at].attributes, " ")) &&
               wanted[at].optional)
            at++;
        if (at == count || !link_fits(&element, wanted[at].attributes + strspn(wanted[at].attributes, " ")))
            fail_msg("%s: a link that is not to be there, or not so", name);
        at++;
    }
    for (; at < count; at++)
        if (!wanted[at].optional)
            fail_msg("%s: link \"%s\" was not found", name, wanted[at].attributes);
}

static void links_are_found_in_heads(void **state) {
    fixture_t *f = *state;
    SKIP_WITHOUT_VECTORS();
    exchange_begin(f, "/", "text/plain", "", NULL, NULL);
    char *text = read_vector("linkparse.txt", NULL), *block = strstr(text, "\n\n\n");
    unsigned count = 0;
    while (block != NULL) {
        block += strspn(block, "\n");
        char *end = strstr(block, "\n\n\n");
        if (end != NULL)
            *end = '\0';
        if (strncmp(block, "Name:", 5) == 0) {
            check_page(f->ex->arena, block);
            count++;
        }
        block = end ? end + 1 : NULL;
    }
    assert_int_equal(count, 72);
    free(text);
}

static void the_xrds_location_is_found(void **state) {
    fixture_t *f = *state;
    SKIP_WITHOUT_VECTORS();
    exchange_begin(f, "/", "text/plain", "", NULL, NULL);
    char *text = read_vector("test1-parsehtml.txt", NULL), *rest = text;
    unsigned count = 0;
    while (rest != NULL) {
        char *page = rest, *end = strstr(rest, "\f\n");
        rest = end ? end + 2 : NULL;
        if (end != NULL)
            *end = '\0';
        char *wanted = strsep(&page, "\n");
        if (page == NULL)
            continue;
        fg_str_t found = fg_openid2_xrds_location(f->ex->arena, fg_str(page));
        bool none = strcmp(wanted, "None") == 0 || strcmp(wanted, "EOF") == 0;
        if (none ? found.p != NULL : !fg_str_is(found, wanted) || found.p == NULL)
            fail_msg("expected \"%s\", found \"%.*s\" in %s", wanted, FG_STR_ARG(found), page);
        count++;
    }
    assert_true(count >= 25);
    free(text);
}

/* ---- Accept */

static void check_accept(const char *accept, char *available, const char *expected) {
    char *type;
    while ((type = strsep(&available, ",")) != NULL) {
        type += strspn(type, " ");
        const char *found = strstr(expected, type), *quality = found ? strstr(found, "q=") : NULL;
        unsigned wanted = quality ? (unsigned)(strtod(quality + 2, NULL) * 1000 + 0.5) : 0;
        unsigned got = fg_openid2_accept_quality(fg_str(accept), type, false);
        if (got != wanted)
            fail_msg("Accept: %s gives %s %u, expected %u", accept, type, got, wanted);
    }
}

static void media_types_have_their_quality(void **state) {
    (void)state;
    SKIP_WITHOUT_VECTORS();
    char *text = read_vector("accept.txt", NULL), *rest = text, *line, *accept = NULL, *available = NULL;
    unsigned count = 0;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (strncmp(line, "Accept: ", 8) == 0) {
            accept = line + 8;
        } else if (strncmp(line, "Available: ", 11) == 0) {
            available = line + 11;
        } else if (strncmp(line, "Expected:", 9) == 0 && accept != NULL && available != NULL) {
            check_accept(accept, available, line + 9);
            count++;
        }
    }
    assert_true(count >= 8);
    free(text);
}

/* ---- documents, asked for by a client that knows the manifest's files alone */

typedef struct place {
    char *url, *body, *type, *location, *redirect;
    size_t length;
    int status;
} place_t;

static struct {
    fg_http_t http;
    place_t places[40];
    size_t count;
} web;

static bool fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                  fg_http_response_t *response, fg_err_t *err) {
    fg_str_t url = request->url;
    (void)http, (void)env;
    for (unsigned hop = 0; hop <= request->redirects; hop++) {
        const place_t *place = NULL;
        for (size_t i = 0; i < web.count && place == NULL; i++)
            if (fg_str_is(url, web.places[i].url))
                place = &web.places[i];
        if (place == NULL)
            return FG_FAIL(err, FG_E_FETCH_FAILED, "%.*s: nothing there", FG_STR_ARG(url));
        if (place->redirect != NULL) {
            url = fg_str(place->redirect);
            continue;
        }
        response->status = place->status;
        response->url = url;
        response->body = (fg_str_t){place->body, place->length};
        response->headers = fg_arena_alloc(arena, 2 * sizeof *response->headers);
        response->headers[0] = (fg_http_field_t){FG_STR("Content-Type"), fg_str(place->type)};
        response->headers[1] = (fg_http_field_t){FG_STR("x-xrds-location"), fg_str(place->location)};
        response->header_count = place->location ? 2 : 1;
        return true;
    }
    return FG_FAIL(err, FG_E_FETCH_FAILED, "too many redirects");
}

static void clear_web(void) {
    for (size_t i = 0; i < web.count; i++) {
        const place_t *p = &web.places[i];
        free(p->url), free(p->body), free(p->type), free(p->location), free(p->redirect);
    }
    memset(&web, 0, sizeof web);
    web.http.fetch = fetch;
}

static place_t *add_place(const char *url, char *body, size_t length, const char *type) {
    place_t *place = &web.places[web.count++];
    *place = (place_t){.url = strdup(url), .body = body, .length = length, .type = strdup(type), .status = 200};
    return place;
}

static void add_file(const char *url, const char *name, const char *type) {
    size_t n;
    char *body = read_vector(name, &n);
    add_place(url, body, n, type);
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* What a service is called in the manifest. */
static bool has_type(const json_t *service, bool v2, bool server) {
    size_t i;
    const json_t *type;
    json_array_foreach(json_object_get(service, "types"), i, type) {
        const char *word = json_string_value(type);
        if (server ? strcmp(word, "2.0 OP") == 0 : v2 ? strcmp(word, "2.0") == 0 : word[0] == '1')
            return true;
    }
    return false;
}

static bool is_listed(const json_t *services, const fg_openid2_service_t *found) {
    size_t i;
    const json_t *service;
    bool server = found->claimed_id.n == 0;
    json_array_foreach(services, i, service) {
        if (fg_str_is(found->endpoint, text_of(service, "server")) && has_type(service, found->v2, server) &&
            (server || (fg_str_is(found->claimed_id, text_of(service, "claimed_id")) &&
                        fg_str_is(found->local_id, text_of(service, "local_id")))))
            return true;
    }
    return false;
}

static void check_discovery(fixture_t *f, const json_t *entry) {
    fg_err_t err = FG_ERR_INIT;
    fg_openid2_services_t services;
    const char *url, *file = text_of(entry, "file");
    const json_t *name, *wanted = json_object_get(entry, "services");
    clear_web();
    add_file(text_of(entry, "user_url"), file, text_of(entry, "content_type"));
    json_object_foreach((json_t *)(uintptr_t)json_object_get(entry, "also"), url, name)
        add_file(url, json_string_value(name), "application/xrds+xml");
    exchange_begin(f, "/", "text/plain", "", NULL, NULL);
    f->test.env.http = &web.http;
    bool found = fg_openid2_discover(f->ex, fg_str(text_of(entry, "user_url")), false, &services, &err);
    if (found != (json_array_size(wanted) > 0))
        fail_msg("%s: %zu services expected, found %zu: %s", file, json_array_size(wanted), services.count, err.detail);
    for (size_t i = 0; i < services.count; i++)
        if (!is_listed(wanted, &services.items[i]))
            fail_msg("%s: %.*s (%.*s) is not expected", file, FG_STR_ARG(services.items[i].endpoint),
                     FG_STR_ARG(services.items[i].local_id));
    if (found && !fg_str_is(services.items[0].endpoint, text_of(json_array_get(wanted, 0), "server")))
        fail_msg("%s: %.*s is not the first", file, FG_STR_ARG(services.items[0].endpoint));
}

/* XRIs are refused; their documents are XRDS like others. */
static void check_document(fixture_t *f, const json_t *entry) {
    size_t n;
    fg_err_t err = FG_ERR_INIT;
    fg_xrds_t xrds;
    const char *file = text_of(entry, "file"), *identifier = text_of(entry, "identifier");
    fg_buf_t normal = FG_BUF_INIT(1024);
    if (strpbrk(identifier, "=@") != NULL)
        assert_false(fg_openid2_identifier_normal(fg_str(identifier), &normal));
    fg_buf_free(&normal);
    char *text = read_vector(file, &n);
    exchange_begin(f, "/", "text/plain", "", NULL, NULL);
    bool read = fg_xrds_read(f->ex->arena, (fg_str_t){text, n}, &xrds, &err);
    bool is_valid = strcmp(text_of(entry, "kind"), "xrds") != 0 || strcmp(text_of(entry, "verdict"), "invalid") != 0;
    if (read != is_valid)
        fail_msg("%s: read %d: %s", file, read, err.detail);
    size_t i, at = 0;
    const json_t *wanted;
    json_array_foreach(json_object_get(entry, "services_1_0"), i, wanted) {
        while (at < xrds.count && !fg_xrds_service_is(&xrds.services[at], FG_OPENID2_TYPE_SIGNON_1_0))
            at++;
        assert_true(at < xrds.count);
        assert_true(fg_str_is(xrds.services[at].uri, json_string_value(json_array_get(wanted, 0))));
        assert_true(fg_str_is(xrds.services[at++].local_id, json_string_value(json_array_get(wanted, 1))));
    }
    free(text);
}

static void documents_say_the_same(void **state) {
    fixture_t *f = *state;
    SKIP_WITHOUT_VECTORS();
    char *text = read_vector("manifest.json", NULL);
    json_t *manifest = json_loads(text, 0, NULL), *entry;
    size_t i;
    unsigned discovered = 0, read = 0;
    free(text);
    assert_non_null(manifest);
    json_t *entries = json_object_get(manifest, "entries");
    json_array_foreach(entries, i, entry) {
        const char *kind = text_of(entry, "kind");
        if (strcmp(kind, "discovery") == 0) {
            check_discovery(f, entry);
            discovered++;
        } else if (strcmp(kind, "xrds") == 0 || strcmp(kind, "canonical-id") == 0 ||
                   strcmp(kind, "xri-discovery") == 0) {
            check_document(f, entry);
            read++;
        }
    }
    assert_true(discovered >= 15);
    assert_true(read >= 15);
    json_decref(manifest);
    clear_web();
}

/* ---- Yadis: where the document is */

#define YADIS_BASE "http://yadis.test"

static char *replaced(const char *text, const char *from, const char *to) {
    fg_buf_t out = FG_BUF_INIT(64u << 10);
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        fg_buf_add(&out, text, (size_t)(at - text));
        fg_buf_puts(&out, to);
    }
    fg_buf_puts(&out, text);
    return fg_buf_take(&out, &(size_t){0});
}

/* One response of the file, at an address by its name; "<XRDS Content>" becomes a document. */
static void add_response(const char *block) {
    static const char document[] = "<xrds:XRDS xmlns:xrds=\"xri://$xrds\" "
                                   "xmlns=\"xri://$xrd*($v*2.0)\"><XRD><Service><Type>" FG_OPENID2_TYPE_SIGNON
                                   "</Type><URI>http://yadis.test/op</URI></Service></XRD></xrds:XRDS>";
    char *based = replaced(block, "URL_BASE", YADIS_BASE), *headed = replaced(based, "YADIS_HEADER", "X-XRDS-Location");
    char *text = replaced(headed, "<XRDS Content>\n", document), *body = strstr(text, "\n\n"), *rest = text, url[200];
    char *name = strsep(&rest, "\n"), *line;
    assert_non_null(body);
    *body = '\0';
    snprintf(url, sizeof url, YADIS_BASE "/%s", name);
    place_t *place = add_place(url, strdup(body + 2), strlen(body + 2), "");
    while ((line = strsep(&rest, "\n")) != NULL) {
        char *value = strstr(line, ": ");
        if (value == NULL)
            continue;
        *value = '\0';
        value += 2;
        if (strcasecmp(line, "Status") == 0)
            place->status = atoi(value);
        char **field = strcasecmp(line, "Content-Type") == 0      ? &place->type
                       : strcasecmp(line, "Location") == 0        ? &place->redirect
                       : strcasecmp(line, "X-XRDS-Location") == 0 ? &place->location
                                                                  : NULL;
        if (field != NULL) {
            free(*field);
            *field = strdup(value);
        }
    }
    free(based), free(headed), free(text);
}

static void check_yadis(fixture_t *f, const json_t *entry) {
    fg_err_t err = FG_ERR_INIT;
    fg_openid2_services_t services;
    char url[200], final[200];
    snprintf(url, sizeof url, YADIS_BASE "/%s", text_of(entry, "case"));
    snprintf(final, sizeof final, YADIS_BASE "/%s", text_of(entry, "final"));
    exchange_begin(f, "/", "text/plain", "", NULL, NULL);
    f->test.env.http = &web.http;
    bool found = fg_openid2_discover(f->ex, fg_str(url), false, &services, &err);
    if (found != (strcmp(text_of(entry, "verdict"), "valid") == 0))
        fail_msg("%s: found %d: %s", url, found, err.detail);
    if (found)
        assert_true(fg_str_is(services.items[0].claimed_id, final));
}

static void documents_are_where_yadis_says(void **state) {
    fixture_t *f = *state;
    SKIP_WITHOUT_VECTORS();
    char *text = read_vector("test1-discover.txt", NULL), *rest = text, *index = read_vector("manifest.json", NULL);
    json_t *manifest = json_loads(index, 0, NULL), *entry;
    size_t i;
    unsigned count = 0;
    free(index);
    clear_web();
    while (rest != NULL) {
        char *block = rest, *end = strstr(rest, "\f\n");
        rest = end ? end + 2 : NULL;
        if (end != NULL)
            *end = '\0';
        add_response(block);
    }
    free(text);
    json_array_foreach(json_object_get(manifest, "entries"), i, entry) {
        if (strcmp(text_of(entry, "kind"), "yadis") == 0) {
            check_yadis(f, entry);
            count++;
        }
    }
    assert_int_equal(count, 17);
    json_decref(manifest);
    clear_web();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(realms_are_judged_alike),  TEST(addresses_have_one_form),        TEST(identifiers_are_addresses),
        TEST(links_are_found_in_heads), TEST(the_xrds_location_is_found),     TEST(media_types_have_their_quality),
        TEST(documents_say_the_same),   TEST(documents_are_where_yadis_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
