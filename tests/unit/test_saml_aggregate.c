/* SPDX-License-Identifier: GPL-2.0-or-later
 * Metadata of many entities: cut, verified, listed, read again (SA-18). */
#include "tests/unit/support.h"

#include <string.h>
#include <unistd.h>

#include "bridges/saml/aggregate.h"
#include "core/time.h"
#include "core/xml_pieces.h"
#include "policy/request.h"
#include "tests/unit/aggregate.h"

#define LATER "2026-02-01T00:00:00Z"
#define BEFORE "2025-12-31T00:00:00Z"

typedef struct world {
    test_env_t test;
    fg_key_t *key, *other;
    char path[64];
    fg_saml_aggregate_t *read; /* what load() made; freed with the next */
    fg_arena_t *arena;
    fg_err_t err;
} world_t;

static int set_up(void **state) {
    static world_t w;
    fg_err_t err = FG_ERR_INIT;
    memset(&w, 0, sizeof w);
    test_env_init(&w.test);
    snprintf(w.path, sizeof w.path, "/tmp/fedgate-aggregate-%d.xml", (int)getpid());
    *state = &w;
    if (!fg_crypto_start() || !fg_xml_start(&err))
        return -1;
    w.key = test_key(FG_KEY_RSA_2048, "federation", TEST_NOW, TEST_NOW + FG_DAY);
    w.other = test_key(FG_KEY_RSA_2048, "stranger", TEST_NOW, TEST_NOW + FG_DAY);
    w.arena = fg_arena_new(0);
    return w.key != NULL && w.other != NULL && w.arena != NULL ? 0 : -1;
}

static int tear_down(void **state) {
    world_t *w = *state;
    fg_saml_aggregate_unref(w->read);
    fg_arena_free(w->arena);
    fg_key_unref(w->key);
    fg_key_unref(w->other);
    unlink(w->path);
    fg_crypto_stop();
    return 0;
}

/* Loads a text; trusted NULL: without asking for a signature. */
static bool load(world_t *w, fg_str_t text, const fg_key_t *trusted) {
    const fg_dsig_trust_t trust = {&trusted, 1, false};
    fg_saml_aggregate_unref(w->read);
    w->err = (fg_err_t)FG_ERR_INIT;
    assert_true(aggregate_write(w->path, text));
    w->read = fg_saml_aggregate_load(&w->test.env, w->path, 64u << 20, trusted ? &trust : NULL, &w->err);
    return w->read != NULL;
}

static fg_buf_t make(world_t *w, unsigned count, bool nested, const char *valid_until, bool is_signed,
                     const char *more) {
    fg_buf_t out = FG_BUF_INIT(AGGREGATE_MAX);
    assert_true(aggregate_make(&out, count, nested, valid_until, w->key, is_signed ? w->key : NULL, more));
    return out;
}

/* The text with its first from replaced; .p belongs to the caller. */
static fg_str_t replace(fg_str_t text, const char *from, const char *to) {
    const char *at = memmem(text.p, text.n, from, strlen(from));
    assert_non_null(at);
    size_t before = (size_t)(at - text.p), n = text.n - strlen(from) + strlen(to);
    char *copy = malloc(n + 1);
    memcpy(copy, text.p, before);
    memcpy(copy + before, to, strlen(to));
    memcpy(copy + before + strlen(to), at + strlen(from), text.n - before - strlen(from) + 1);
    return (fg_str_t){copy, n};
}

static bool load_replaced(world_t *w, fg_str_t text, const char *from, const char *to) {
    fg_str_t changed = replace(text, from, to);
    bool loaded = load(w, changed, w->key);
    free((char *)(uintptr_t)changed.p);
    return loaded;
}

static bool read_party(world_t *w, const char *id, fg_saml_role_t role, fg_saml_party_t *party) {
    bool found = false;
    const fg_saml_listed_t *listed = fg_saml_aggregate_find(w->read, fg_str(id));
    fg_entity_reader_t in = {&w->test.env, w->arena, &w->err, 0};
    w->err = (fg_err_t)FG_ERR_INIT;
    if (listed == NULL)
        return false;
    const xmlNode *node = fg_saml_aggregate_open(w->read, listed, &in);
    return node != NULL && fg_saml_party_read_entity(&in, node, role, party, &found) && found;
}

/* ---- cuts */

static void a_document_is_cut_at_its_containers(void **state) {
    (void)state;
    static const char text[] = "<?xml version='1.0'?><!-- <E> --><p:E a='>'> t <x><E/></x><!-- </p:E> --><E "
                               "xmlns='u'><![CDATA[</E>]]><y b=\"/>\"/></E>u</p:E>\n";
    static const struct {
        fg_xml_cut_t cut;
        const char *bytes;
    } expected[] = {
        {FG_XML_CUT_OPEN, "<p:E a='>'>"},
        {FG_XML_CUT_PIECE, " t <x><E/></x>"},
        {FG_XML_CUT_PIECE, "<!-- </p:E> -->"},
        {FG_XML_CUT_OPEN, "<E xmlns='u'>"},
        {FG_XML_CUT_PIECE, "<![CDATA[</E>]]><y b=\"/>\"/>"},
        {FG_XML_CUT_CLOSE, "</E>"},
        {FG_XML_CUT_PIECE, "u"},
        {FG_XML_CUT_CLOSE, "</p:E>"},
        {FG_XML_CUT_END, NULL},
    };
    fg_err_t err = FG_ERR_INIT;
    fg_xml_pieces_t pieces;
    fg_xml_cut_t cut;
    assert_true(fg_str_is(fg_xml_pieces_root(FG_STR(text)), "E"));
    fg_xml_pieces_begin(&pieces, FG_STR(text), "E");
    for (size_t i = 0; i < FG_ARRAY_SIZE(expected); i++) {
        assert_true(fg_xml_pieces_next(&pieces, &cut, &err));
        assert_int_equal(cut, expected[i].cut);
        if (expected[i].bytes != NULL && !fg_str_is(pieces.bytes, expected[i].bytes))
            fail_msg("%.*s", FG_STR_ARG(pieces.bytes));
    }
}

static void odd_documents_are_not_cut(void **state) {
    (void)state;
    static const char *const texts[] = {"",       "x",          "<F>a</F>", "<E/>",      "<E>",        "<E><a>",
                                        "<E></F", "<E><a b='>", "<E><!--",  "<E></p:E>", "<E></a></E>"};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        fg_err_t err = FG_ERR_INIT;
        fg_xml_pieces_t pieces;
        fg_xml_cut_t cut = FG_XML_CUT_OPEN;
        bool good = true;
        fg_xml_pieces_begin(&pieces, fg_str(texts[i]), "E");
        for (int n = 0; n < 10 && good && cut != FG_XML_CUT_END; n++)
            good = fg_xml_pieces_next(&pieces, &cut, &err);
        if (good)
            fail_msg("%s", texts[i]);
    }
}

/* ---- signatures */

static void a_signed_aggregate_is_listed(void **state) {
    world_t *w = *state;
    fg_buf_t text = make(w, 10, true, LATER, true, "");
    size_t count;
    if (!load(w, fg_buf_str(&text), w->key))
        fail_msg("%s", w->err.detail);
    fg_saml_aggregate_entities(w->read, &count);
    assert_int_equal(count, 20);
    assert_int_equal(fg_saml_aggregate_cache_duration(w->read), 6 * FG_HOUR);
    assert_true(fg_saml_aggregate_valid_until(w->read) == TEST_NOW + 31 * FG_DAY);
    const fg_saml_listed_t *idp = fg_saml_aggregate_find(w->read, FG_STR("https://idp11.example/idp"));
    const fg_saml_listed_t *sp = fg_saml_aggregate_find(w->read, FG_STR("https://sp2.example/sp"));
    assert_non_null(idp);
    assert_int_equal(idp->roles, 1u << FG_SAML_IDENTITY_PROVIDER);
    assert_non_null(sp);
    assert_int_equal(sp->roles, 1u << FG_SAML_SERVICE_PROVIDER);
    assert_null(fg_saml_aggregate_find(w->read, FG_STR("https://sp2.example/SP")));
    assert_true(fg_str_is(fg_saml_listed_name(idp, FG_STR("de")), "Universität idp-11"));
    assert_true(fg_str_is(fg_saml_listed_name(idp, FG_STR("fr")), "University of idp 11"));
    assert_true(fg_saml_listed_has(idp, FG_STR("gown univ")));
    assert_false(fg_saml_listed_has(idp, FG_STR("gown town12")));
    assert_true(fg_saml_listed_is_for(idp, FG_STR("idp11.example")));
    assert_false(fg_saml_listed_is_for(idp, FG_STR("p11.example")));
    fg_buf_free(&text);
}

/* What the canonical form does not show may be written in any way, and what it shows may not be changed. */
static void the_whole_document_is_what_was_signed(void **state) {
    world_t *w = *state;
    static const struct {
        const char *from, *to;
        bool good;
    } changes[] = {
        {"<md:EntitiesDescriptor xmlns:md", "<?xml version=\"1.0\"?>\n<!-- made -->\n<md:EntitiesDescriptor xmlns:md",
         true},
        {" ID=\"_federation\" Name=\"urn:federation\"",
         " xmlns:mdui=\"" FG_NS_MDUI "\"\n  Name='urn:federation' ID='_federation' ", true},
        {"</mdui:DisplayName>\n", "</mdui:DisplayName>\r\n", true},
        {"</md:EntityDescriptor>\n", "</md:EntityDescriptor><!-- </md:EntitiesDescriptor> -->\n", true},
        {"town0 gown", "<![CDATA[town0]]>&#x20;gown", true},
        {"></md:SingleLogoutService>", "/>", true},
        {"<md:EntitiesDescriptor Name=\"urn:nested\">",
         "<EntitiesDescriptor xmlns=\"" FG_NS_MD "\" Name=\"urn:nested\">", false}, /* another prefix */
        {"town0 gown", "town1 gown", false},
        {"urn:federation", "urn:other", false},
        {"urn:nested", "urn:moved", false},
        {"</md:EntityDescriptor>\n", "</md:EntityDescriptor>\n\n", false},
        {"<md:EntitiesDescriptor Name=\"urn:nested\">\n", "<md:EntitiesDescriptor Name=\"urn:nested\">", false},
        {"https://idp0.example/sso\"", "https://evil.example/sso\"", false},
        {"</md:EntitiesDescriptor></md:EntitiesDescriptor>",
         "</md:EntitiesDescriptor><md:Extensions/></md:EntitiesDescriptor>", false},
    };
    fg_buf_t text = make(w, 5, true, LATER, true, "");
    for (size_t i = 0; i < FG_ARRAY_SIZE(changes); i++) {
        bool good = load_replaced(w, fg_buf_str(&text), changes[i].from, changes[i].to);
        if (good != changes[i].good)
            fail_msg("%s: %s", changes[i].to, w->err.detail);
        if (!good)
            assert_true(w->err.code == FG_E_SIG_INVALID || w->err.code == FG_E_XML_MALFORMED);
    }
    fg_buf_free(&text);
}

/* SA-18, XS-11, XS-13 */
static void sa18_signatures_that_do_not_hold(void **state) {
    world_t *w = *state;
    fg_buf_t text = make(w, 5, true, LATER, true, ""), open = make(w, 5, true, LATER, false, "");
    fg_str_t all = fg_buf_str(&text);
    assert_true(load(w, all, w->key)); /* the control of all that follow */
    assert_false(load(w, all, w->other));
    assert_err(&w->err, FG_E_SIG_INVALID);
    assert_true(load(w, fg_buf_str(&open), NULL));
    assert_false(load(w, fg_buf_str(&open), w->key));
    assert_err(&w->err, FG_E_SIG_MISSING);
    /* the same id again, anywhere */
    assert_false(
        load_replaced(w, all, "<md:EntityDescriptor entityID", "<md:EntityDescriptor ID=\"_federation\" entityID"));
    assert_err(&w->err, FG_E_SIG_STRUCTURE);
    /* the signature not where it should be, or twice */
    const char *begin = strstr(all.p, "<ds:Signature"), *end = strstr(all.p, "</ds:Signature>") + 15;
    char *signature = strndup(begin, (size_t)(end - begin));
    fg_str_t without = replace(all, signature, "");
    size_t room = 2 * strlen(signature) + 100;
    char *twice = malloc(room);
    snprintf(twice, room, "%s%s", signature, signature);
    assert_false(load_replaced(w, all, signature, twice));
    assert_err(&w->err, FG_E_SIG_STRUCTURE);
    snprintf(twice, room, "<md:Extensions/>%s", signature);
    assert_false(load_replaced(w, without, "<md:EntityDescriptor entityID=\"https://idp0", twice));
    snprintf(twice, room, "%s</md:EntitiesDescriptor></md:EntitiesDescriptor>", signature);
    assert_false(load_replaced(w, without, "</md:EntitiesDescriptor></md:EntitiesDescriptor>", twice));
    assert_err(&w->err, FG_E_SIG_MISSING);
    snprintf(twice, room, "<md:EntitiesDescriptor Name=\"urn:nested\">%s", signature);
    assert_false(load_replaced(w, without, "<md:EntitiesDescriptor Name=\"urn:nested\">", twice));
    assert_err(&w->err, FG_E_SIG_MISSING);
    free(twice);
    free(signature);
    free((char *)(uintptr_t)without.p);
    fg_buf_free(&text);
    fg_buf_free(&open);
}

/* Our own verifier for whole trees says the same of the same documents. */
static void both_verifiers_agree(void **state) {
    world_t *w = *state;
    static const char *const changes[][2] = {
        {"urn:federation", "urn:federation"},
        {"</mdui:DisplayName>\n", "</mdui:DisplayName>&#xD;\n"},
        {"</mdui:DisplayName>\n", "</mdui:DisplayName>\r\n"},
        {"cacheDuration=\"PT6H\"", "cacheDuration=\"PT6H\" xmlns:x=\"urn:x\""},
        {"cacheDuration=\"PT6H\"", "cacheDuration=\"PT6H\" xml:lang=\"en\""},
        {"<md:EntityDescriptor entityID", "<md:EntityDescriptor xmlns:md=\"" FG_NS_MD "\" entityID"},
        {"<md:EntityDescriptor entityID", "<md:EntityDescriptor xmlns=\"urn:x\" entityID"},
        {"<md:EntityDescriptor entityID", "x<md:EntityDescriptor entityID"},
        {"PrefixList", "PrefixLists"},
    };
    fg_buf_t text = make(w, 3, true, LATER, true, "");
    for (size_t i = 0; i < FG_ARRAY_SIZE(changes); i++) {
        const char *from = strstr(text.data, changes[i][0]) ? changes[i][0] : "urn:federation";
        fg_str_t changed = replace(fg_buf_str(&text), from, changes[i][1]);
        fg_arena_t *arena = fg_arena_new(0);
        fg_err_t err = FG_ERR_INIT;
        const fg_dsig_trust_t trust = {(const fg_key_t *const *)&w->key, 1, false};
        fg_dsig_verified_t verified;
        xmlDoc *doc = fg_xml_parse(arena, changed, NULL, &err);
        assert_non_null(doc);
        bool tree = fg_dsig_verify_enveloped(xmlDocGetRootElement(doc), "ID", &trust, &verified, &err);
        if (load(w, changed, w->key) != tree)
            fail_msg("%s: %s / %s", changes[i][1], w->err.detail, err.detail);
        fg_arena_free(arena);
        free((char *)(uintptr_t)changed.p);
    }
    fg_buf_free(&text);
}

/* ---- SA-18: what is refused as a whole */

#define ENTITY(id, role) "<md:EntityDescriptor entityID=\"" id "\">" role "</md:EntityDescriptor>"
#define ROLE(location)                                                                                                \
    "<md:SPSSODescriptor protocolSupportEnumeration=\"" FG_NS_SAML2P                                                  \
    "\"><md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"" location \
    "\" index=\"0\"></md:AssertionConsumerService></md:SPSSODescriptor>"

static void sa18_refused_as_a_whole(void **state) {
    world_t *w = *state;
    static const struct {
        const char *valid_until, *more;
        fg_code_t code;
    } cases[] = {
        {LATER, "", FG_OK},
        {LATER, ENTITY("https://new.example/", ROLE("https://new.example/acs")), FG_OK},
        {BEFORE, "", FG_E_TOKEN_EXPIRED},
        {"soon", "", FG_E_XML_STRUCTURE},
        {LATER, ENTITY("https://sp2.example/sp", ROLE("https://new.example/acs")), FG_E_XML_STRUCTURE},
        {LATER, ENTITY("https://new.example/", ROLE("javascript:alert(1)")), FG_E_XML_STRUCTURE},
        {LATER, ENTITY("https://new.example/", ROLE("&#x6a;avascript:alert(1)")), FG_E_XML_STRUCTURE},
        {LATER, ENTITY("https://new.example/", ROLE("data:text/html,x")), FG_E_XML_STRUCTURE},
        {LATER, ENTITY("", ROLE("https://new.example/acs")), FG_E_XML_STRUCTURE},
        {LATER, "<md:EntitiesDescriptor validUntil=\"" BEFORE "\">\n</md:EntitiesDescriptor>", FG_E_TOKEN_EXPIRED},
    };
    for (size_t i = 0; i < FG_ARRAY_SIZE(cases); i++) {
        fg_buf_t text = make(w, 5, false, cases[i].valid_until, true, cases[i].more);
        if (load(w, fg_buf_str(&text), w->key) != (cases[i].code == FG_OK))
            fail_msg("%zu: %s", i, w->err.detail);
        if (cases[i].code != FG_OK)
            assert_err(&w->err, cases[i].code);
        fg_buf_free(&text);
    }
}

static void limits(void **state) {
    world_t *w = *state;
    fg_buf_t deep = FG_BUF_INIT(1u << 20), text = make(w, 5, false, LATER, true, "");
    for (int i = 0; i < 9; i++)
        fg_buf_puts(&deep, "<EntitiesDescriptor xmlns=\"" FG_NS_MD "\">");
    for (int i = 0; i < 9; i++)
        fg_buf_puts(&deep, "</EntitiesDescriptor>");
    assert_false(load(w, fg_buf_str(&deep), NULL));
    assert_err(&w->err, FG_E_XML_LIMIT);
    fg_buf_free(&deep);
    assert_true(aggregate_write(w->path, fg_buf_str(&text)));
    assert_null(fg_saml_aggregate_load(&w->test.env, w->path, text.length - 1, NULL, &w->err));
    assert_err(&w->err, FG_E_XML_LIMIT);
    assert_null(fg_saml_aggregate_load(&w->test.env, "/tmp", text.length, NULL, &w->err));
    assert_null(fg_saml_aggregate_load(&w->test.env, "/nowhere", text.length, NULL, &w->err));
    fg_buf_free(&text);
}

/* ---- entities */

static void an_entity_is_read_when_it_is_needed(void **state) {
    world_t *w = *state;
    fg_buf_t text = make(w, 5, true, LATER, true, "");
    fg_saml_party_t party;
    assert_true(load(w, fg_buf_str(&text), w->key));
    assert_true(read_party(w, "https://sp2.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    assert_true(fg_str_is(party.entity_id, "https://sp2.example/sp"));
    assert_true(fg_str_is(party.display_name, "University of sp 2"));
    assert_int_equal(party.keys.count, 1);
    assert_true(party.valid_until_ms == TEST_NOW + 31 * FG_DAY);
    assert_true(fg_str_is(fg_claims_get(&party.facts, FG_FACT_PARTY_CATEGORY)->value, AGGREGATE_RS));
    assert_true(fg_str_is(fg_claims_get(&party.facts, FG_FACT_PARTY_REGISTRAR)->value, AGGREGATE_REGISTRAR));
    assert_true(fg_str_is(fg_claims_get(&party.facts, FG_FACT_REQUIRED)->value, "urn:oid:0.9.2342.19200300.100.1.3"));
    const fg_saml_attributes_t *attributes = fg_saml_party_attributes(&party, -1);
    assert_int_equal(attributes->count, 3);
    assert_null(fg_saml_party_attributes(&party, 7));
    assert_true(fg_str_is(party.discovery_responses[0], "https://sp2.example/disco"));
    assert_true(read_party(w, "https://idp6.example/idp", FG_SAML_IDENTITY_PROVIDER, &party)); /* nested */
    assert_true(fg_str_is(fg_claims_get(&party.facts, FG_FACT_PROVIDER_SCOPE)->value, "idp6.example"));
    assert_false(read_party(w, "https://idp6.example/idp", FG_SAML_SERVICE_PROVIDER, &party));
    fg_buf_free(&text);
}

/* The file was verified once; what stands in it later counts only if it is the same. */
static void a_changed_file_is_noticed(void **state) {
    world_t *w = *state;
    fg_buf_t text = make(w, 5, false, LATER, true, "");
    fg_saml_party_t party;
    assert_true(load(w, fg_buf_str(&text), w->key));
    char *at = strstr(text.data, "https://sp2.example/acs");
    memcpy(at, "https://evil.example/ac", 23);
    FILE *file = fopen(w->path, "r+b"); /* the same file, not a new one */
    fwrite(text.data, 1, text.length, file);
    fclose(file);
    assert_false(read_party(w, "https://sp2.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    assert_err(&w->err, FG_E_CONFIG);
    assert_true(read_party(w, "https://sp3.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    assert_int_equal(truncate(w->path, 100), 0);
    assert_false(read_party(w, "https://sp3.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    fg_buf_free(&text);
}

static void what_has_expired_is_not_there(void **state) {
    world_t *w = *state;
    fg_buf_t text =
        make(w, 5, false, LATER, true,
             "<md:EntityDescriptor entityID=\"https://old.example/\" validUntil=\"" BEFORE "\"></md:EntityDescriptor>");
    fg_saml_party_t party;
    assert_true(load(w, fg_buf_str(&text), w->key));
    assert_null(fg_saml_aggregate_find(w->read, FG_STR("https://old.example/")));
    assert_true(read_party(w, "https://sp2.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    w->test.now_ms = TEST_NOW + 31 * FG_DAY;
    assert_false(read_party(w, "https://sp2.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    assert_err(&w->err, FG_E_TOKEN_EXPIRED);
    fg_buf_free(&text);
}

static void one_entity_alone(void **state) {
    world_t *w = *state;
    fg_buf_t text = FG_BUF_INIT(1u << 20);
    fg_saml_party_t party;
    fg_buf_puts(&text, "<?xml version=\"1.0\"?>\n");
    aggregate_put_sp(&text, w->key, 2);
    fg_str_t declared = replace(fg_buf_str(&text), "<md:EntityDescriptor", "<md:EntityDescriptor " AGGREGATE_MD);
    assert_true(load(w, declared, NULL));
    assert_true(read_party(w, "https://sp2.example/sp", FG_SAML_SERVICE_PROVIDER, &party));
    assert_false(load(w, declared, w->key));
    assert_err(&w->err, FG_E_SIG_MISSING);
    fg_buf_free(&text);
    fg_buf_puts(&text, "<md:EntityDescriptor " AGGREGATE_MD " ID=\"_one\" entityID=\"https://one.example/\">");
    size_t at = text.length;
    fg_buf_puts(&text, ROLE("https://one.example/acs") "</md:EntityDescriptor>");
    assert_true(fg_dsig_sign(&text, 0, at, FG_STR("_one"), w->key, &w->err));
    assert_true(load(w, fg_buf_str(&text), w->key));
    assert_true(read_party(w, "https://one.example/", FG_SAML_SERVICE_PROVIDER, &party));
    assert_false(load_replaced(w, fg_buf_str(&text), "one.example/acs", "two.example/acs"));
    fg_buf_free(&text);
    free((char *)(uintptr_t)declared.p);
}

static void folding(void **state) {
    (void)state;
    static const char *const texts[][2] = {{"ABC xyz 1", "abc xyz 1"}, {"ÄÖÜß×Þ", "äöüß×þ"}, {"ČŠĄ", "čšą"},
                                           {"ΑΘΗΝΑ", "αθηνα"},         {"МОСКВА", "москва"}, {"日本", "日本"}};
    for (size_t i = 0; i < FG_ARRAY_SIZE(texts); i++) {
        fg_buf_t out = FG_BUF_INIT(100);
        fg_saml_fold(&out, fg_str(texts[i][0]));
        if (!fg_str_is(fg_buf_str(&out), texts[i][1]))
            print_error("%s\n", out.data);
        assert_true(fg_str_is(fg_buf_str(&out), texts[i][1]));
        fg_buf_free(&out);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_cut_at_its_containers),
        cmocka_unit_test(odd_documents_are_not_cut),
        TEST(a_signed_aggregate_is_listed),
        TEST(the_whole_document_is_what_was_signed),
        TEST(sa18_signatures_that_do_not_hold),
        TEST(both_verifiers_agree),
        TEST(sa18_refused_as_a_whole),
        TEST(limits),
        TEST(an_entity_is_read_when_it_is_needed),
        TEST(a_changed_file_is_noticed),
        TEST(what_has_expired_is_not_there),
        TEST(one_entity_alone),
        cmocka_unit_test(folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
