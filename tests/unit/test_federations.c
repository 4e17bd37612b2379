/* SPDX-License-Identifier: GPL-2.0-or-later
 * Federation sections: partners from metadata of many entities, kept fresh (SA-18). */
#include "tests/unit/support.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crypto.h"
#include "core/file.h"
#include "core/http.h"
#include "core/time.h"
#include "gateway/federations.h"
#include "policy/request.h"
#include "tests/unit/aggregate.h"

#define LATER "2026-03-01T00:00:00Z"
#define US "http://fs.example.com/adfs/services/trust"

/* What the address answers. */
typedef struct server {
    fg_http_t http; /* first */
    int status;
    const char *etag;
    fg_buf_t body;
    unsigned asked;
    char condition[64]; /* If-None-Match of the last request */
} server_t;

typedef struct world {
    test_env_t test;
    server_t server;
    char folder[64];
    fg_key_t *key, *other;
    fg_arena_t *config_arena;
    fg_config_t config;
    fg_federations_t *federations;
    fg_hub_t hub;
    fg_exchange_t *ex;
    fg_err_t err;
} world_t;

static bool fetch(fg_http_t *http, const fg_env_t *env, fg_arena_t *arena, const fg_http_request_t *request,
                  fg_http_response_t *response, fg_err_t *err) {
    server_t *server = (server_t *)http;
    static fg_http_field_t header;
    (void)env;
    server->asked++;
    server->condition[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++)
        if (fg_str_is(request->headers[i].name, "If-None-Match"))
            snprintf(server->condition, sizeof server->condition, "%.*s", FG_STR_ARG(request->headers[i].value));
    if (server->status == 0)
        return FG_FAIL(err, FG_E_FETCH_FAILED, "no route");
    header = (fg_http_field_t){FG_STR("ETag"), fg_str(server->etag)};
    *response =
        (fg_http_response_t){.status = server->status, .headers = &header, .header_count = server->etag != NULL};
    if (server->status == 200)
        response->body = fg_arena_str(arena, fg_buf_str(&server->body));
    return true;
}

static const char *path_of(const world_t *w, const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return path;
}

static void write_file(const world_t *w, const char *name, fg_str_t text) {
    test_write(path_of(w, name), text);
}

static fg_buf_t make(const world_t *w, unsigned count, const char *valid_until, const fg_key_t *signer,
                     const char *more) {
    fg_buf_t out = FG_BUF_INIT(AGGREGATE_MAX);
    assert_true(aggregate_make(&out, count, false, valid_until, w->key, signer, more));
    return out;
}

static void write_aggregate(const world_t *w, const char *name, unsigned count, const char *valid_until,
                            const fg_key_t *signer, const char *more) {
    fg_buf_t text = make(w, count, valid_until, signer, more);
    write_file(w, name, fg_buf_str(&text));
    fg_buf_free(&text);
}

static void begin_exchange(world_t *w) {
    if (w->ex != NULL)
        fg_arena_free(w->ex->arena);
    fg_arena_t *arena = fg_arena_new(0);
    w->ex = fg_arena_alloc(arena, sizeof *w->ex);
    w->ex->arena = arena;
    w->ex->env = &w->test.env;
    w->ex->hub = &w->hub;
    w->ex->now_ms = w->test.now_ms;
    w->hub.federations = w->federations;
}

static void unload(world_t *w) {
    if (w->ex != NULL)
        fg_arena_free(w->ex->arena);
    w->ex = NULL;
    fg_federations_free(w->federations);
    w->federations = NULL;
    fg_arena_free(w->config_arena);
    w->config_arena = NULL;
}

static bool load(world_t *w, const char *sections) {
    static const fg_rule_stores_t stores;
    char text[2048];
    unload(w);
    snprintf(text, sizeof text, "base_url = \"https://fs.example.com\" state = \"state\"\n%s", sections);
    write_file(w, "gateway.conf", fg_str(text));
    w->err = (fg_err_t)FG_ERR_INIT;
    w->config_arena = fg_arena_new(0);
    if (!fg_config_read(w->config_arena, path_of(w, "gateway.conf"), &w->config, &w->err))
        return false;
    w->federations = fg_federations_new(&w->config, &stores, FG_STR(US), &w->test.env, &w->err);
    if (w->federations != NULL)
        begin_exchange(w);
    return w->federations != NULL;
}

static bool is_alone(void) {
    unsigned count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (readdir(tasks) != NULL)
        count++;
    closedir(tasks);
    return count == 3; /* this thread, and the folder's dots */
}

/* Until what began in the background is over and has been said. */
static void refresh(world_t *w) {
    for (int i = 0; i < 2; i++) {
        fg_federations_refresh(w->federations, &w->test.env);
        for (int k = 0; k < 2000 && !is_alone(); k++)
            usleep(10 * 1000);
    }
    fg_federations_refresh(w->federations, &w->test.env);
    assert_true(is_alone());
    begin_exchange(w);
}

static const fg_partner_t *partner(world_t *w, const char *id) { return fg_find_partner(w->ex, fg_str(id)); }

static int set_up(void **state) {
    static world_t w;
    fg_err_t err = FG_ERR_INIT;
    memset(&w, 0, sizeof w);
    test_env_init(&w.test);
    snprintf(w.folder, sizeof w.folder, "/tmp/fedgate-federations-XXXXXX");
    *state = &w;
    if (mkdtemp(w.folder) == NULL || !fg_crypto_start() || !fg_xml_start(&err))
        return -1;
    w.key = test_key(FG_KEY_RSA_2048, "federation", TEST_NOW, TEST_NOW + 90 * FG_DAY);
    w.other = test_key(FG_KEY_RSA_2048, "stranger", TEST_NOW, TEST_NOW + 90 * FG_DAY);
    w.server.http.fetch = fetch;
    fg_buf_init(&w.server.body, AGGREGATE_MAX);
    mkdir(path_of(&w, "state"), 0700);
    fg_buf_t pem = FG_BUF_INIT(64u << 10);
    bool good = fg_key_to_pem(w.key, &pem, &err);
    write_file(&w, "signer.pem", fg_buf_str(&pem));
    fg_buf_free(&pem);
    return good ? 0 : -1;
}

static int tear_down(void **state) {
    world_t *w = *state;
    unload(w);
    fg_buf_free(&w->server.body);
    fg_key_unref(w->key);
    fg_key_unref(w->other);
    fg_crypto_stop();
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-r", "--", w->folder, (char *)NULL);
        _exit(1);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}

#define FILE_SECTION                                                                                        \
    "federation \"f\" { metadata = \"all.xml\" certificate = {\"signer.pem\"} claims = {\"emailaddress\"} " \
    "requested_only = true lifetime = 20m lifetime_limit = 8h }"

static void entities_are_partners(void **state) {
    world_t *w = *state;
    write_aggregate(w, "all.xml", 10, LATER, w->key, "");
    if (!load(w, FILE_SECTION))
        fail_msg("%s", w->err.detail);
    const fg_partner_t *sp = partner(w, "https://sp2.example/sp");
    assert_non_null(sp);
    assert_string_equal(sp->display_name, "University of sp 2");
    assert_string_equal(sp->claim_types[0], FG_CLAIM_EMAIL);
    assert_true(sp->requested_only && sp->encryption_key != NULL);
    assert_int_equal(sp->token_lifetime_ms, 20 * FG_MINUTE);
    assert_true(fg_str_is(fg_claims_get(&sp->facts, FG_FACT_PARTY_CATEGORY)->value, AGGREGATE_RS));
    assert_ptr_equal(partner(w, "https://sp2.example/sp"), sp); /* not read again */
    assert_null(partner(w, "https://idp0.example/idp"));        /* another role */
    assert_null(partner(w, "https://sp99.example/sp"));
    const fg_home_realm_t *idp = fg_find_issuer(w->ex, FG_STR("https://idp1.example/idp"));
    assert_non_null(idp);
    assert_true(fg_str_is(idp->identity_provider->realm, US));
    assert_int_equal(idp->identity_provider->key_count, 1);
    assert_int_equal(idp->identity_provider->max_lifetime_ms, 8 * FG_HOUR);
    assert_true(fg_str_is(fg_claims_get(&idp->facts, FG_FACT_PROVIDER_SCOPE)->value, "idp1.example"));
    assert_true(fg_knows_home_realm(w->ex, FG_STR("https://idp1.example/idp")));
    assert_false(fg_knows_home_realm(w->ex, FG_STR("https://sp2.example/sp")));
    /* those with a section go before */
    const fg_partner_t own = {.name = "own"};
    const fg_realm_entry_t index[] = {{FG_STR("https://sp2.example/sp"), &own}};
    w->hub.realm_index = index;
    w->hub.realm_count = 1;
    assert_ptr_equal(partner(w, "https://sp2.example/sp"), &own);
    w->hub.realm_count = 0;
    /* and when it has expired, it is gone */
    w->test.now_ms = TEST_NOW + 60 * FG_DAY;
    begin_exchange(w);
    assert_null(partner(w, "https://sp2.example/sp"));
    assert_false(fg_knows_home_realm(w->ex, FG_STR("https://idp1.example/idp")));
}

static void roles_can_be_left_out(void **state) {
    world_t *w = *state;
    write_aggregate(w, "all.xml", 5, LATER, NULL, "");
    assert_true(load(w, "federation \"f\" { metadata = \"all.xml\" role = \"idp\" }"));
    assert_null(partner(w, "https://sp2.example/sp"));
    assert_non_null(fg_find_issuer(w->ex, FG_STR("https://idp1.example/idp")));
}

/* SA-18, each with the control that follows. */
static void sa18_the_last_good_file_stays(void **state) {
    world_t *w = *state;
    static const struct {
        const char *valid_until, *more;
        bool is_signed;
    } wrong[] = {
        {LATER, "", false},
        {"2025-12-31T00:00:00Z", "", true},
        {LATER, "<md:EntityDescriptor entityID=\"https://sp2.example/sp\"></md:EntityDescriptor>", true},
        {LATER,
         "<md:EntityDescriptor entityID=\"https://x.example/\"><md:SPSSODescriptor><md:SingleLogoutService "
         "Location=\"javascript:x\"></md:SingleLogoutService></md:SPSSODescriptor></md:EntityDescriptor>",
         true},
    };
    write_aggregate(w, "all.xml", 5, LATER, w->key, "");
    assert_true(load(w, FILE_SECTION));
    for (size_t i = 0; i < FG_ARRAY_SIZE(wrong); i++) {
        w->test.log[0] = '\0';
        write_aggregate(w, "all.xml", 10, wrong[i].valid_until, wrong[i].is_signed ? w->key : NULL, wrong[i].more);
        refresh(w);
        assert_non_null(partner(w, "https://sp2.example/sp"));
        assert_null(partner(w, "https://sp7.example/sp"));
        assert_non_null(strstr(w->test.log, "the last good one stays"));
    }
    write_aggregate(w, "all.xml", 10, LATER, w->other, ""); /* by somebody else */
    refresh(w);
    assert_null(partner(w, "https://sp7.example/sp"));
    write_aggregate(w, "all.xml", 10, LATER, w->key, "");
    refresh(w);
    assert_non_null(partner(w, "https://sp7.example/sp"));
    unlink(path_of(w, "all.xml"));
    refresh(w);
    assert_non_null(partner(w, "https://sp7.example/sp"));
}

static void a_folder_of_files(void **state) {
    world_t *w = *state;
    mkdir(path_of(w, "d"), 0700);
    write_aggregate(w, "d/a.xml", 3, LATER, NULL, "");
    write_file(w, "d/wrong.xml", FG_STR("<EntitiesDescriptor/>"));
    write_file(w, "d/readme.txt", FG_STR("no metadata"));
    assert_true(load(w, "federation \"f\" { folder = \"d\" }"));
    assert_non_null(strstr(w->test.log, "wrong.xml is refused"));
    assert_non_null(partner(w, "https://sp2.example/sp"));
    assert_null(partner(w, "https://sp3.example/sp"));
    write_aggregate(w, "d/b.xml", 4, LATER, NULL, "");
    refresh(w);
    assert_non_null(partner(w, "https://sp3.example/sp"));
    unlink(path_of(w, "d/b.xml"));
    refresh(w);
    assert_null(partner(w, "https://sp3.example/sp"));
    assert_non_null(partner(w, "https://sp2.example/sp"));
}

#define URL_SECTION \
    "federation \"net\" { url = \"https://md.example/all.xml\" certificate = {\"signer.pem\"} refresh = 2h }"

static void serve(world_t *w, unsigned count, const fg_key_t *signer, const char *etag) {
    fg_buf_free(&w->server.body);
    w->server.body = make(w, count, LATER, signer, "");
    w->server.status = 200;
    w->server.etag = etag;
}

/* SA-18: what was fetched takes the place of the last good copy only if it is good, and the copy outlives a restart. */
static void an_address_is_asked_and_its_last_good_copy_stays(void **state) {
    world_t *w = *state;
    w->test.env.http = &w->server.http;
    assert_true(load(w, URL_SECTION));
    assert_null(partner(w, "https://sp2.example/sp"));
    refresh(w); /* the address fails */
    assert_int_equal(w->server.asked, 1);
    refresh(w);
    assert_int_equal(w->server.asked, 1); /* and is not asked again at once */
    serve(w, 5, w->key, "\"one\"");
    w->test.now_ms += 2 * FG_MINUTE;
    refresh(w);
    assert_int_equal(w->server.asked, 2);
    assert_non_null(partner(w, "https://sp2.example/sp"));
    /* not changed */
    w->server.status = 304;
    w->test.now_ms += 3 * FG_HOUR;
    refresh(w);
    assert_int_equal(w->server.asked, 3);
    assert_string_equal(w->server.condition, "\"one\"");
    assert_non_null(partner(w, "https://sp2.example/sp"));
    /* not signed, signed by another, no metadata */
    const fg_key_t *const signers[] = {NULL, w->other};
    for (size_t i = 0; i < FG_ARRAY_SIZE(signers); i++) {
        serve(w, 10, signers[i], "\"two\"");
        w->test.now_ms += 3 * FG_HOUR;
        w->test.log[0] = '\0';
        refresh(w);
        assert_int_equal(w->server.asked, 4 + i);
        assert_null(partner(w, "https://sp7.example/sp"));
        assert_non_null(partner(w, "https://sp2.example/sp"));
        assert_non_null(strstr(w->test.log, "the last good copy stays"));
    }
    /* a restart without network */
    w->test.env.http = NULL;
    assert_true(load(w, URL_SECTION));
    assert_non_null(partner(w, "https://sp2.example/sp"));
    refresh(w);
    assert_int_equal(w->server.asked, 5);
    /* the control */
    w->test.env.http = &w->server.http;
    serve(w, 10, w->key, "\"three\"");
    w->test.now_ms += 3 * FG_HOUR;
    refresh(w);
    assert_string_equal(w->server.condition, "\"one\"");
    assert_non_null(partner(w, "https://sp7.example/sp"));
}

/* Another worker has asked already. */
static void one_worker_asks_for_all(void **state) {
    world_t *w = *state;
    w->test.env.http = &w->server.http;
    serve(w, 5, w->key, "\"one\"");
    assert_true(load(w, URL_SECTION));
    refresh(w);
    assert_int_equal(w->server.asked, 1);
    assert_true(load(w, URL_SECTION));
    refresh(w);
    assert_int_equal(w->server.asked, 1);
    assert_non_null(partner(w, "https://sp2.example/sp"));
}

static void what_does_not_go_together_is_refused(void **state) {
    world_t *w = *state;
    static const char *const sections[] = {
        "federation \"f\" { }",
        "federation \"f\" { metadata = \"all.xml\" folder = \"d\" }",
        "federation \"f\" { url = \"https://md.example/\" }",
        "federation \"f\" { metadata = \"nothing.xml\" }",
        "federation \"f\" { metadata = \"all.xml\" certificate = {\"all.xml\"} }",
        "federation \"f\" { metadata = \"all.xml\" refresh = 1s }",
        "federation \"f\" { metadata = \"all.xml\" size = 1k }",
        "federation \"f\" { metadata = \"all.xml\" role = \"boss\" }",
    };
    write_aggregate(w, "all.xml", 5, LATER, NULL, "");
    assert_true(load(w, "federation \"f\" { metadata = \"all.xml\" }"));
    for (size_t i = 0; i < FG_ARRAY_SIZE(sections); i++)
        if (load(w, sections[i]) || w->err.code != FG_E_CONFIG)
            fail_msg("%s", sections[i]);
}

/* ---- choosing */

static void people_find_their_provider(void **state) {
    world_t *w = *state;
    fg_offer_t offers[20];
    size_t filled;
    write_aggregate(w, "all.xml", 100, LATER, w->key, "");
    assert_true(load(w, FILE_SECTION));
    const fg_home_realm_t own[] = {{.uri = FG_STR("urn:staff"),
                                    .display_name = "Staff",
                                    .directory = (void *)w,
                                    .domains = (const char *const[]){"staff.example"},
                                    .domain_count = 1}};
    w->hub.home_realms = own;
    w->hub.home_realm_count = 1;
    fg_search_t search = {.language = FG_STR("en")};
    assert_int_equal(fg_search_home_realms(w->ex, &search, offers, 20, &filled), 41);
    assert_int_equal(filled, 20);
    assert_true(fg_str_is(offers[0].name, "Staff"));
    assert_true(fg_str_is(offers[1].name, "University of idp 0"));
    assert_true(fg_str_is(offers[1].detail, "idp0.example"));
    search.skip = 40;
    assert_int_equal(fg_search_home_realms(w->ex, &search, offers, 20, &filled), 41);
    assert_int_equal(filled, 1);
    search = (fg_search_t){.words = FG_STR("UNIVERSITÄT town11"), .language = FG_STR("de")};
    assert_int_equal(fg_search_home_realms(w->ex, &search, offers, 20, &filled), 1);
    assert_true(fg_str_is(offers[0].name, "Universität idp-11"));
    assert_true(fg_str_is(offers[0].uri, "https://idp11.example/idp"));
    search.words = FG_STR("nowhere");
    assert_int_equal(fg_search_home_realms(w->ex, &search, offers, 20, &filled), 0);
    assert_ptr_equal(fg_find_home_realm_for_mail(w->ex, FG_STR("a@STAFF.example")), &own[0]);
    const fg_home_realm_t *found = fg_find_home_realm_for_mail(w->ex, FG_STR(" alice@idp11.example "));
    assert_non_null(found);
    assert_true(fg_str_is(found->uri, "https://idp11.example/idp"));
    assert_null(fg_find_home_realm_for_mail(w->ex, FG_STR("alice@elsewhere.example")));
    assert_null(fg_find_home_realm_for_mail(w->ex, FG_STR("idp11.example")));
    assert_null(fg_find_home_realm_for_mail(w->ex, FG_STR("@idp11.example")));
    w->hub.home_realm_count = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(entities_are_partners),
        TEST(roles_can_be_left_out),
        TEST(sa18_the_last_good_file_stays),
        TEST(a_folder_of_files),
        TEST(an_address_is_asked_and_its_last_good_copy_stays),
        TEST(one_worker_asks_for_all),
        TEST(what_does_not_go_together_is_refused),
        TEST(people_find_their_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
